"""Property: a training step is predict, compare, differentiate, update, and nothing else; it works in the memory it is
given, and a loss that is no number changes nothing."""

import doctest

import numpy as np
import pytest

import gradschool as gs
from gradschool import step
from gradschool.models import mlp
from gradschool.trees import tree_leaves


def problem(dtype=float):
    rng = np.random.default_rng(0)
    net = mlp([7, 5], 3, gs.elu)
    params, state, _ = net.init(rng, (4,), dtype=dtype)
    batch = rng.normal(size=(6, 4)).astype(dtype), gs.one_hot(rng.integers(3, size=6), 3).astype(dtype)
    return net, params, state, batch


def start(params, name="adam"):
    weights, fast = gs.contiguous(params), gs.in_place(gs.optimizer(name))
    return weights, fast, fast.init(weights)


@pytest.mark.parametrize("own_room", [False, True])
def test_a_step_is_the_gradient_and_the_pure_update(own_room):
    net, params, state, (X, T) = problem()
    weights, fast, memory = start(params)
    room = weights.like() if own_room else None
    pure, adam_state = params, gs.init_state("adam", params)
    for _ in range(3):
        value, grads = gs.value_and_grad(lambda p: gs.softmax_cross_entropy(net.apply(p, state, X)[0], T))(pure)
        expected = net.apply(pure, state, X)[0]
        pure, adam_state = gs.adam(pure, grads, adam_state, lr=0.1)
        done = gs.training_step(
            net, gs.softmax_cross_entropy, fast, weights, state, memory, (X, T), lr=0.1, room=room
        )  # fmt: skip
        np.testing.assert_allclose(done.loss, value, rtol=1e-13)
        np.testing.assert_allclose(done.predictions, expected, rtol=1e-13)
        assert done.weights is weights
        for mine, theirs in zip(tree_leaves(weights.tree), tree_leaves(pure), strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-14)
    assert memory["t"] == 3
    if own_room:
        for mine, theirs in zip(tree_leaves(room.tree), tree_leaves(grads), strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-14)


def test_float32_stays_float32():
    net, params, state, batch = problem(np.float32)
    weights, fast, memory = start(params, "nadam")
    done = gs.training_step(net, gs.softmax_cross_entropy, fast, weights, state, memory, batch, room=weights.like())
    arrays = [done.loss, done.predictions, weights.vector, memory["m"], memory["v"]]
    assert {a.dtype for a in arrays} == {np.dtype(np.float32)}


def test_a_loss_that_is_no_number_raises_before_anything_changes():
    net, params, state, (X, T) = problem()
    weights, fast, memory = start(params)
    with pytest.raises(FloatingPointError, match="the loss is nan"):
        gs.training_step(net, gs.softmax_cross_entropy, fast, weights, state, memory, (X * np.nan, T))
    assert memory["t"] == 0
    for mine, theirs in zip(tree_leaves(weights.tree), tree_leaves(params), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_examples_in_the_documentation_hold():
    assert doctest.testmod(step, extraglobs={"np": np}).failed == 0
