"""Property: a flat tree is the same numbers as its tree, and an optimizer on it the same as the pure one, in place."""

import doctest
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import gradschool as gs
from gradschool import flat
from gradschool.flat import contiguous, in_place
from gradschool.ops import threads
from gradschool.optimizers.scheduled import SCHEDULED
from gradschool.trees import tree_leaves, tree_map

from .test_optimizers import CASES, random_tree


def same(found, expected):
    for a, b in zip(tree_leaves(found), tree_leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)
        assert a.dtype == b.dtype


def test_the_tree_is_a_view_of_the_vector_in_both_directions():
    rng = np.random.default_rng(0)
    params = random_tree(rng)
    both = contiguous(params)
    same(both.tree, params)
    assert not np.may_share_memory(both.vector, params["conv"]["W"])
    both.vector[:] = np.arange(len(both.vector))
    both.tree["conv"]["b"][...] = -1
    assert both.tree["conv"]["W"][1, 2] == 7  # row 1 of (3, 5) begins at 5
    assert (both.vector == -1).sum() == 5


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_vectors_begin_with_a_line_of_the_cache(dtype):
    for n in (1, 7, 1000):  # once would be chance
        both = contiguous({"x": np.ones(n, dtype)})
        for vector in (both.vector, both.like().vector, both.gather(both.tree)):
            assert vector.ctypes.data % 64 == 0
            assert (vector.shape, vector.dtype) == ((n,), dtype)


def test_gather_is_the_inverse_of_view_whatever_the_order_of_keys():
    rng = np.random.default_rng(1)
    both, other = contiguous(random_tree(rng)), random_tree(rng)
    shuffled = dict(reversed(other.items()))
    same(both.view(both.gather(shuffled)), other)


def test_pickled_flat_trees_still_share_memory():
    both = pickle.loads(pickle.dumps(contiguous({"W": np.ones((3, 4)), "b": [np.zeros(4)]})))
    both.vector += 1
    np.testing.assert_array_equal(both.tree["b"][0], 1.0)


@pytest.mark.parametrize("block", [1, 7, 10**6])
@pytest.mark.parametrize(("name", "hyper"), CASES)
def test_in_place_does_what_the_pure_form_does_for_any_block(name, hyper, block):
    rng = np.random.default_rng(2)
    params = random_tree(rng)
    pure = gs.optimizer(name, **hyper)
    assert pure.elementwise
    fast, both = in_place(pure, block), contiguous(params)
    vector, state, fast_state = both.vector, pure.init(params), in_place(pure).init(both)
    for k in range(4):
        grads = random_tree(rng)
        params, state = pure.update(params, grads, state, 0.1)
        returned, fast_state = fast.update(both, contiguous(grads) if k % 2 else grads, fast_state, 0.1)
        assert returned is both
    assert both.vector is vector
    same(both.tree, params)
    as_trees = {key: both.view(v) if isinstance(v, np.ndarray) else v for key, v in fast_state.items()}
    assert as_trees.keys() == state.keys()
    for key, value in as_trees.items():
        if isinstance(value, dict):
            same(value, state[key])
        else:
            assert value == state[key]


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-13), (np.float32, 1e-5)])
@pytest.mark.parametrize(("name", "hyper"), [case for case in CASES if case.values[0] in SCHEDULED])
def test_the_hand_scheduled_form_is_the_rule_over_fifty_steps(name, hyper, dtype, rtol):
    rng = np.random.default_rng(3)
    params = tree_map(lambda p: p.astype(dtype), random_tree(rng))
    pure, both = gs.optimizer(name, **hyper), contiguous(params)
    fast = in_place(pure, block=5)
    state, fast_state = pure.init(params), dict(reversed(fast.init(both).items()))  # the order of its keys is free
    for step in range(50):
        grads = tree_map(
            lambda p, size=10.0 ** (step % 5 - 2): (p + size * rng.normal(size=p.shape)).astype(dtype), params
        )
        params, state = pure.update(params, grads, state, 0.01 / (1 + step))
        fast.update(both, grads, fast_state, 0.01 / (1 + step))
    assert both.vector.dtype == dtype
    for found, expected in zip(tree_leaves(both.tree), tree_leaves(params), strict=True):
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol)


def test_a_state_that_lacks_something_is_refused_in_place_too():
    fast, both = in_place(gs.optimizer("adam")), contiguous({"x": np.ones(3)})
    with pytest.raises(ValueError, match=r"adam keeps \['m', 't', 'v'\] in its state, but got \['m', 't'\]"):
        fast.update(both, both, {"t": 0, "m": np.zeros(3)}, 0.1)


@pytest.mark.parametrize("name", sorted(SCHEDULED))
def test_the_numbers_do_not_depend_on_how_many_threads_take_the_blocks(monkeypatch, name):
    monkeypatch.setattr(flat, "FEWEST", 1)
    rng = np.random.default_rng(4)
    start, grads = {"x": rng.normal(size=37)}, {"x": rng.normal(size=37)}

    def after(number):
        for module in (flat, threads):
            monkeypatch.setattr(module, "blas_threads", lambda: number)
        fast, params = in_place(gs.optimizer(name), block=5), contiguous(start)
        state = fast.init(params)
        for _ in range(3):
            params, state = fast.update(params, grads, state, 0.01)
        return [params.vector, *(v for v in state.values() if isinstance(v, np.ndarray))]

    for alone, shared in zip(after(1), after(3), strict=True):
        np.testing.assert_array_equal(alone, shared)


def test_updates_in_several_threads_at_a_time_are_those_of_each_alone():
    def trained(seed):
        rng = np.random.default_rng(seed)
        fast, params = in_place(gs.optimizer("nadam")), contiguous({"x": rng.normal(size=50_000)})
        state = fast.init(params)
        for _ in range(20):
            params, state = fast.update(params, {"x": rng.normal(size=50_000)}, state, 0.01)
        return params.vector

    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(trained, range(3)))
    for seed, found in enumerate(together):
        np.testing.assert_array_equal(found, trained(seed))


def test_a_replaced_optimizer_sees_the_tree_and_not_blocks():
    params = contiguous({"a": np.ones(3), "b": np.full(5, 2.0)})
    fast, seen = in_place(gs.optimizer("momentum"), block=2), []

    def mine(params, grads, state, lr):
        seen.append(sorted(params))
        return gs.update_each(lambda p, g: p - g, params, grads), {"v": grads}

    state = fast.init(params)
    with gs.using(momentum=mine):
        _, state = fast.update(params, {"a": np.ones(3), "b": np.ones(5)}, state, 0.1)
    assert seen == [["a", "b"]]
    np.testing.assert_array_equal(params.vector, [0] * 3 + [1] * 5)
    np.testing.assert_array_equal(state["v"], 1.0)


def test_an_optimizer_that_looks_at_neighbours_gets_whole_arrays():
    def shift(params, grads, state, lr):
        return gs.update_each(lambda p, g: np.roll(p, 1), params, grads), {"n": state["n"] + 1}

    fast = in_place(gs.Optimizer(lambda params: {"n": 0}, shift), block=2)
    params = contiguous([np.arange(5.0), np.arange(3.0)])
    params, state = fast.update(params, params, fast.init(params), 1.0)
    assert params.vector.tolist() == [4, 0, 1, 2, 3, 2, 0, 1]
    assert state == {"n": 1}


def test_decay_by_name_works_in_place():
    params = {"W": np.ones((3, 4)), "b": np.ones(4)}
    fast, both = in_place(gs.optimizer("adamw", weight_decay={"W": 0.2, "b": 0.0})), contiguous(params)
    fast.update(both, contiguous({"W": np.zeros((3, 4)), "b": np.zeros(4)}), fast.init(both), 0.5)
    np.testing.assert_allclose(both.tree["W"], 0.9)
    np.testing.assert_array_equal(both.tree["b"], 1.0)


def test_a_model_without_parameters_still_counts_its_steps():
    fast, both = in_place(gs.optimizer("adam")), contiguous({})
    _, state = fast.update(both, {}, fast.init(both), 0.1)
    assert state["t"] == 1


def test_in_place_optimizers_pickle():
    fast = pickle.loads(pickle.dumps(in_place(gs.optimizer("sgd"))))
    both = contiguous({"x": np.ones(3)})
    fast.update(both, {"x": np.ones(3)}, {}, 0.5)
    np.testing.assert_array_equal(both.vector, 0.5)


def test_what_does_not_fit_is_named():
    with pytest.raises(TypeError, match=r"W holds float64, but layers\[0\]\.b float32; one vector has one type"):
        contiguous({"W": np.ones(3), "layers": [{"b": np.ones(3, np.float32)}]})
    with pytest.raises(TypeError, match="contiguous: n holds int64"):
        contiguous({"n": np.ones(3, np.int64)})
    both = contiguous({"W": np.ones((3, 4))})
    with pytest.raises(ValueError, match=r"gather: W has shape \(4, 3\), expected \(3, 4\)"):
        both.gather({"W": np.ones((4, 3))})
    with pytest.raises(ValueError, match="trees differ at V"):
        both.gather({"W": np.ones((3, 4)), "V": 1.0})
    with pytest.raises(ValueError, match=r"view: expected a vector of shape \(12,\), got \(11,\)"):
        both.view(np.ones(11))


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(flat).failed == 0
