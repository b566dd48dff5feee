"""Property: what is frozen keeps every bit while the rest learns as if it were alone; what a net is made from stays."""

import doctest
import pickle

import numpy as np
import pytest

import gradschool as gs
from gradschool import factors, transfer
from gradschool.factors import freeze, trainable, with_factors
from gradschool.layers import batchnorm, dense, dropout, sequential
from gradschool.transfer import clone, hold, replace_head
from gradschool.trees import tree_leaves, tree_map, tree_paths

from .test_optimizers import CASES, random_tree


def generator(seed=0):
    return np.random.default_rng(seed)


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(tree_leaves(a), tree_leaves(b), strict=True))


def net():
    return sequential(dense(6), batchnorm(), gs.elu, dropout(0.3), dense(5), dense(3))


def started(dtype=float):
    params, state, _ = net().init(generator(1), (4,), dtype)
    return params, state


# ---------------------------------------------------------------------------------------------------------- optimizers
@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize(("name", "hyper"), CASES)
def test_frozen_parameters_and_their_slots_stay_and_the_others_move_as_ever(name, hyper, flat):
    rng = generator(2)
    params = random_tree(rng)
    plain = gs.optimizer(name, **hyper)
    mine = with_factors(plain, freeze(params, next(iter(params))))
    start = [params, plain.init(params)]
    for _ in range(3):  # a velocity to be stopped, slots to be kept
        start = list(plain.update(start[0], random_tree(rng), start[1], 0.1))
    grads = [random_tree(rng) for _ in range(4)]
    free, held = list(start), list(start)
    for g in grads:
        free = list(plain.update(free[0], g, free[1], 0.1))
    if flat:
        weights, fast = gs.contiguous(start[0]), gs.in_place(mine)
        memory = {key: weights.gather(value) if isinstance(value, dict) else value for key, value in start[1].items()}
        for g in grads:
            weights, memory = fast.update(weights, g, memory, 0.1)
        held = [weights.tree, {k: weights.view(v) if isinstance(v, np.ndarray) else v for k, v in memory.items()}]
    else:
        for g in grads:
            held = list(mine.update(held[0], g, held[1], 0.1))
    for tree, began, moved in [
        (held[0], start[0], free[0]),
        *((held[1][key], start[1][key], free[1][key]) for key in start[1] if isinstance(start[1][key], dict)),
    ]:
        for path, a, b, c in zip(
            tree_paths(tree), tree_leaves(tree), tree_leaves(began), tree_leaves(moved), strict=True
        ):
            if path.split(".")[0].split("[")[0] == next(iter(params)):
                np.testing.assert_array_equal(a, b)
            else:
                np.testing.assert_allclose(a, c, rtol=1e-13)
    assert all(held[1][key] == free[1][key] for key in free[1] if not isinstance(free[1][key], dict))


def test_a_factor_scales_the_step():
    params, grads = {"a": np.ones(3), "b": np.ones(2)}, {"a": np.ones(3), "b": np.full(2, 2.0)}
    mine = with_factors(gs.optimizer("sgd"), {"a": 0.1})
    new, _ = mine.update(params, grads, mine.init(params), 0.5)
    np.testing.assert_allclose(new["a"], 0.95, rtol=1e-14)
    np.testing.assert_array_equal(new["b"], 0.0)


def test_the_last_bit_of_a_frozen_parameter_stays_in_float32_too():
    params = {"a": generator(3).normal(size=50).astype(np.float32), "b": np.ones(3, np.float32)}
    mine = gs.in_place(with_factors(gs.optimizer("adamw"), {"a": 0.0, "b": 0.3}))
    weights = gs.contiguous(params)
    memory = mine.init(weights)
    for _ in range(3):
        weights, memory = mine.update(weights, weights.view(np.ones(53, np.float32)), memory, 0.1)
    np.testing.assert_array_equal(weights.tree["a"], params["a"])
    assert weights.vector.dtype == memory["m"].dtype == np.float32
    assert weights.tree["b"].max() < 1


@pytest.mark.parametrize("block", [2, 10**6])
@pytest.mark.parametrize(("name", "hyper"), CASES)
def test_any_factors_do_on_flat_trees_what_they_do_on_trees(name, hyper, block):
    rng = generator(10)
    params = random_tree(rng)
    part = iter([0.0, 0.5, 0.5, 1.0, 0.0, 2.0, 1.0] * 9)
    mine = with_factors(gs.optimizer(name, **hyper), tree_map(lambda _: next(part), params))
    weights, fast, state = gs.contiguous(params), gs.in_place(mine, block), mine.init(params)
    memory = fast.init(weights)
    for _ in range(4):
        grads = random_tree(rng)
        params, state = mine.update(params, grads, state, 0.1)
        weights, memory = fast.update(weights, grads, memory, 0.1)
    for a, b in zip(tree_leaves(weights.tree), tree_leaves(params), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)
    for key, value in state.items():
        kept = weights.view(memory[key]) if isinstance(memory[key], np.ndarray) else memory[key]
        for a, b in zip(tree_leaves(kept), tree_leaves(value), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


def test_all_may_be_frozen_and_the_step_counts():
    weights, mine = gs.contiguous({"a": np.ones(3)}), gs.in_place(with_factors(gs.optimizer("adam"), 0.0))
    _, memory = mine.update(weights, {"a": np.ones(3)}, mine.init(weights), 0.1)
    assert (weights.vector.tolist(), memory["t"], memory["m"].tolist()) == ([1, 1, 1], 1, [0, 0, 0])


def test_factors_of_nothing_are_refused_on_trees_and_on_flat_trees():
    params = {"a": np.ones(3)}
    mine = with_factors(gs.optimizer("sgd"), {"body": 0.0})
    with pytest.raises(ValueError, match=r"factors for \['body'\], but parameters only for \['a'\]"):
        mine.update(params, params, {}, 0.1)
    with pytest.raises(ValueError, match=r"factors for \['body'\], but parameters only for \['a'\]"):
        gs.in_place(mine).update(gs.contiguous(params), params, {}, 0.1)
    for wrong in (-1.0, "off"):
        with pytest.raises(ValueError, match=f"with_factors: expected the factor at a >= 0, got {wrong!r}"):
            with_factors(gs.optimizer("adam"), {"a": wrong})


def test_lbfgs_takes_no_factors_and_leaves_alone_what_is_held():
    with pytest.raises(TypeError, match=r"expected an Optimizer, got LBFGS; .* try hold\(net, 0, 1\)"):
        with_factors(gs.lbfgs(), {0: 0.0})
    net = hold(sequential(dense(6), np.tanh, dense(1)), 0)
    params, state, _ = net.init(generator(), (3,))
    X = generator(1).normal(size=(40, 3))
    data = X, X[:, :1] * X[:, 1:2]
    history = gs.train(net, params, data, gs.lbfgs(), gs.half_mse, 8, rng=generator(2), state=state, batch_size=40)
    assert same(history.params[0], params[0])
    assert history.losses[-1] < 0.9 * history.losses[0]


def test_an_optimizer_of_ones_own_is_given_none_for_what_is_frozen():
    seen = []

    def update(params, grads, state, lr=None):
        seen.append(grads)
        return gs.update_each(lambda p, g: p - lr * g, params, grads), state

    mine = gs.in_place(with_factors(gs.Optimizer(lambda params: {}, update), {"a": 0.0}))
    weights = gs.contiguous({"a": np.ones(3), "b": np.ones(2)})
    mine.update(weights, {"a": np.ones(3), "b": np.ones(2)}, {}, 0.5)
    assert (seen[0]["a"], weights.vector.tolist()) == (None, [1, 1, 1, 0.5, 0.5])


def test_options_may_follow_a_schedule_and_the_factors_stay():
    params = {"a": np.ones(3), "b": np.ones(2)}
    mine = gs.with_options(with_factors(gs.optimizer("momentum", lr=0.5), {"a": 0.0}), beta=0.0)
    state = {"v": {"a": np.ones(3), "b": np.full(2, 100.0)}}
    new, _ = mine.update(params, params, state)
    np.testing.assert_array_equal(new["a"], params["a"])
    np.testing.assert_array_equal(new["b"], 0.5)


def test_it_pickles_and_a_replaced_optimizer_is_seen():
    mine = pickle.loads(pickle.dumps(with_factors(gs.optimizer("sgd"), {"a": 0.0})))
    params = {"a": np.ones(3), "b": np.ones(2)}
    with gs.using(sgd=lambda params, grads, state, lr: ({"a": params["a"] * 7, "b": params["b"] * 7}, state)):
        new, _ = mine.update(params, params, {}, 0.1)
    assert (new["a"].tolist(), new["b"].tolist()) == ([1, 1, 1], [7, 7])


def test_places_are_layers_paths_or_a_function():
    params, _ = started()
    named = lambda *places: [
        path
        for path, factor in zip(tree_paths(params), tree_leaves(freeze(params, *places)), strict=True)
        if factor == 0
    ]
    assert named() == []
    assert named(0, 1, 2, 3) == ["[0].W", "[0].b", "[1].gamma", "[1].beta"]
    assert named("[4]", "[5].b") == ["[4].W", "[4].b", "[5].b"]
    assert named(lambda path, p: p.ndim == 2) == ["[0].W", "[4].W", "[5].W"]
    assert freeze({"body": {"W": 1.0}, "body2": 2.0}, "body") == {"body": {"W": 0.0}, "body2": 1.0}
    many = [{"W": np.ones(1)} for _ in range(12)]
    assert [f["W"] for f in freeze(many, 1)] == [1, 0, *[1] * 10]  # not 10 and 11
    for wrong in ("[4].V", 6, "[0].", "body"):
        with pytest.raises(ValueError, match=r"freeze: nothing lies at .*; there are \['\[0\].W'"):
            freeze(params, wrong)


def test_trainable_leaves_out_what_is_frozen():
    params, _ = started()
    frozen = freeze(params, 0, 1)
    assert gs.count_parameters(trainable(params, frozen)) == 6 * 5 + 5 + 5 * 3 + 3
    assert gs.l2_penalty(trainable(params, frozen), 2.0) == gs.l2_penalty(params[4:], 2.0)
    assert trainable(params, 0.0) is None
    assert trainable({"a": {"W": 1.0, "b": 2.0}, "c": 3.0}, {"a": {"b": 0}}) == {"a": {"W": 1.0, "b": None}, "c": 3.0}


# -------------------------------------------------------------------------------------------------------------- layers
def test_held_layers_behave_as_in_prediction_and_have_no_gradient():
    params, state = started()
    state[1] = {"mean": generator(4).normal(size=6), "var": generator(5).uniform(1, 2, 6)}
    x = generator(6).normal(size=(7, 4))
    y, after = hold(net()).apply(params, state, x, training=True, rng=generator(7))
    np.testing.assert_allclose(y, net().apply(params, state, x)[0], rtol=1e-13)
    assert same(after, state)
    part = hold(net(), 0, 1, -1)
    y, after = part.apply(params, state, x, training=True, rng=generator(7))
    h = gs.elu(sequential(dense(6), batchnorm()).apply(params[:2], state[:2], x)[0])
    expected = gs.dropout(h, 0.3, generator(7)) @ params[4]["W"] @ params[5]["W"]
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    grads = gs.grad(lambda p: np.sum(part.apply(p, state, x, True, generator(7))[0] ** 2))(params)
    assert [bool(np.any(g)) for g in tree_leaves(grads)] == [False] * 4 + [True] * 2 + [False] * 2
    dx = gs.grad(lambda x: np.sum(hold(net()).apply(params, state, x)[0]))(x)
    np.testing.assert_allclose(dx, gs.grad(lambda x: np.sum(net().apply(params, state, x)[0]))(x), rtol=1e-12)
    assert pickle.loads(pickle.dumps(part)).name == part.name
    for wrong in (6, -7):
        with pytest.raises(ValueError, match=r"hold: sequential.* has 6 layers, so not all of \[-?\d\]"):
            hold(net(), wrong)


@pytest.mark.parametrize("held", [False, True])
def test_both_behaviours_of_frozen_statistics(held):
    params, state = started()
    rng = generator(8)
    X, T = rng.normal(5, 2, (40, 4)), rng.normal(size=(40, 3))
    model = hold(net(), 0, 1) if held else net()
    history = gs.train(
        model, params, (X, T), with_factors(gs.optimizer("adamw"), freeze(params, 0, 1)), gs.half_mse, 3,
        rng=rng, state=state, lr=0.01,
    )  # fmt: skip
    assert same(history.params[:2], params[:2])
    assert not same(history.params[4], params[4])
    assert same(history.state, state) is held  # held: as in Keras; else they follow the data, as in PyTorch


def test_a_new_head_on_a_copied_body_learns_and_what_it_came_from_stays():
    rng = generator(9)
    params, state = started(np.float32)
    before = clone((params, state))
    new, p, s = replace_head(net(), params, state, sequential(dense(4), gs.softmax), (4,), rng, layers=2)
    assert new.name == "sequential(dense(6), batchnorm, elu, dropout(0.3), sequential(dense(4), softmax))"
    assert (len(p), len(s), p[4][0]["W"].shape, p[4][0]["W"].dtype) == (5, 5, (6, 4), np.float32)
    assert same(p[:4], params[:4])
    history = gs.train(
        new, p, (rng.normal(size=(20, 4)).astype(np.float32), gs.one_hot(rng.integers(0, 4, 20), 4)),
        gs.optimizer("sgd"), gs.cross_entropy, 2, rng=rng, state=s, lr=0.1,
    )  # fmt: skip
    assert not same(history.params[:4], p[:4])
    for leaf in tree_leaves((p, s)):
        leaf[...] = -1
    assert same((params, state), before)
    assert replace_head(net(), params, None, dense(2), (4,), rng)[2] is None


@pytest.mark.parametrize("layers", [0, 6, 7])
def test_a_head_needs_a_body(layers):
    params, state = started()
    with pytest.raises(ValueError, match=f"expected a sequential of more than {layers} layers"):
        replace_head(net(), params, state, dense(2), (4,), generator(), layers)


def test_a_clone_shares_no_memory():
    params, _ = started()
    copy = clone(params)
    tree_map(lambda p: p.fill(7), copy)
    assert not np.any(params[0]["W"] == 7)
    assert tree_leaves(copy)[0].max() == 7


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(transfer).failed == doctest.testmod(factors).failed == 0
