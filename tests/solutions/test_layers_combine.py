"""Property: layers side by side give what each gives, merged; params, state and chance reach the one they belong to."""

import numpy as np
import pytest

import gradschool as gs
from gradschool import layers
from gradschool.layers import branches, dense, each, identity, residual, sequential


def generator(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("merge", ["concat", "add", None])
def test_branches_see_the_same_input(merge):
    units = (3, 3, 3) if merge == "add" else (3, 4, 5)
    net = branches(dense(units[0]), sequential(dense(7), np.tanh, dense(units[1])), dense(units[2]), merge=merge)
    params, state, shape = net.init(generator(1), (6,))
    x = generator(2).normal(size=(11, 6))
    a = x @ params[0]["W"]
    b = np.tanh(x @ params[1][0]["W"]) @ params[1][2]["W"]
    c = x @ params[2]["W"]
    y, _ = net.apply(params, state, x)
    if merge is None:
        assert shape == ((3,), (4,), (5,))
        for found, expected in zip(y, (a, b, c), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12)
    else:
        expected = a + b + c if merge == "add" else np.concatenate([a, b, c], -1)
        np.testing.assert_allclose(y, expected, rtol=1e-12)
        assert y.shape[1:] == shape


def test_each_layer_gets_its_own_input():
    net = each(dense(3), identity, layers.embedding(9, 4), merge="concat")
    params, state, shape = net.init(generator(3), ((5,), (6,), ()))
    A, B, ids = generator(4).normal(size=(7, 5)), generator(5).normal(size=(7, 6)), generator(6).integers(0, 9, 7)
    y, _ = net.apply(params, state, (A, B, ids))
    np.testing.assert_allclose(y, np.concatenate([A @ params[0]["W"], B, params[2]["W"][ids]], -1), rtol=1e-12)
    assert shape == (13,)
    assert gs.predict(net, params, (A, B, ids), state, batch_size=3).shape == (7, 13)


def test_residual_adds_what_it_went_round():
    net = residual(dense(5), np.tanh)
    params, state, shape = net.init(generator(7), (5,))
    x = generator(8).normal(size=(4, 5))
    np.testing.assert_allclose(net.apply(params, state, x)[0], x + np.tanh(x @ params[1][0]["W"]), rtol=1e-12)
    assert shape == (5,)
    net = residual(dense(3), np.tanh, shortcut=dense(3, bias=False))
    params, state, _ = net.init(generator(7), (5,))
    expected = x @ params[0]["W"] + np.tanh(x @ params[1][0]["W"])
    np.testing.assert_allclose(net.apply(params, state, x)[0], expected, rtol=1e-12)


def test_states_come_out_of_all_branches_and_chance_goes_into_all():
    net = branches(layers.batchnorm(), layers.dropout(0.5), sequential(layers.batchnorm(momentum=0.5)), merge=None)
    params, state, _ = net.init(generator(9), (5,))
    x = generator(10).normal(3, 1, (8, 5))
    (_, dropped, _), after = net.apply(params, state, x, training=True, rng=generator(11))
    np.testing.assert_allclose(after[0]["mean"], 0.1 * x.mean(0), rtol=1e-12)
    np.testing.assert_allclose(after[2][0]["mean"], 0.5 * x.mean(0), rtol=1e-12)
    np.testing.assert_array_equal(dropped, gs.dropout(x, 0.5, generator(11)))
    np.testing.assert_array_equal(state[0]["mean"], np.zeros(5))


def test_layers_without_state_need_none():
    net = branches(dense(2), sequential(dense(3), np.tanh))
    params, _, _ = net.init(generator(), (4,))
    y, state = net.apply(params, None, np.ones((6, 4)))
    assert (y.shape, state) == ((6, 5), None)


def test_a_branch_is_not_changed_by_adding_the_next():
    y, _ = branches(identity, identity, merge="add").apply([{}, {}], [{}, {}], x := np.ones((3, 4)))
    np.testing.assert_array_equal(y, 2 * np.ones((3, 4)))
    np.testing.assert_array_equal(x, np.ones((3, 4)))


def started(layer, shape):
    return lambda: layer.init(generator(), shape)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (started(branches(dense(3), dense(4), merge="add"), (5,)), r"of one shape to add, got \(3,\), \(4,\)"),
        (started(residual(dense(3)), (5,)), r"residual: .* got \(5,\), \(3,\); .*give a shortcut"),
        (started(branches(dense(3), layers.flatten()), (6, 5)), r"their last axis only, got \(6, 3\), \(30,\)"),
        (started(each(dense(3), dense(4)), ((5,),)), "a tuple of 2 inputs .* got 1 of them"),
        (lambda: branches(dense(3), merge="mean"), 'expected merge "concat", "add" or None, got \'mean\''),
        (lambda: branches(), "at least one layer"),
        (lambda: each(identity, identity).apply([{}, {}], [{}, {}], np.ones(3)), "2 inputs .* got a ndarray"),
    ],
)
def test_what_cannot_be_put_side_by_side_is_explained(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_results_of_one_shape_add_up_without_broadcasting():
    add = branches(identity, layers.flatten(), merge="add")
    with pytest.raises(ValueError, match=r"branches: .* got \[\(3, 1, 2\), \(3, 2\)\]"):
        add.apply([{}, {}], None, np.ones((3, 1, 2)))


def test_wide_and_deep_with_two_inputs_and_two_outputs_trains():
    """Géron's chapter 10: one input goes straight to the output, a helper output keeps the deep part useful."""
    rng = generator(12)
    wide, deep = rng.normal(size=(120, 5)), rng.normal(size=(120, 6))
    T = wide[:, :1] + np.sin(deep[:, :1])
    tower, both = sequential(dense(20), gs.tanh), each(identity, identity, merge="concat")
    net = sequential(
        each(identity, tower),
        branches(sequential(both, dense(1)), sequential(second, dense(1)), merge=None),
    )  # fmt: skip
    params, state, shape = net.init(rng, ((5,), (6,)))
    assert shape == ((1,), (1,))
    loss = lambda Y, T: 0.9 * gs.half_mse(Y[0], T) + 0.1 * gs.half_mse(Y[1], T)
    history = gs.train(net, params, ((wide, deep), T), gs.optimizer("adam"), loss, 60, rng=rng, state=state, lr=0.02)
    assert history.losses[-1] < 0.05 * history.losses[0]
    main, helper = gs.predict(net, history.params, (wide, deep), history.state)
    assert np.mean((main - T) ** 2) < np.mean((helper - T) ** 2)


def second_init(rng, shape, dtype=float):
    return {}, {}, shape[1]


def second_apply(params, state, x, training=False, rng=None):
    return x[1], state


second = layers.Layer(second_init, second_apply, "second")
