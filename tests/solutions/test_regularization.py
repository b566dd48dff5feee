"""Property: penalties, decays and bounds act on weights by their formulas, and never on biases, scales or shifts."""

import doctest

import numpy as np
import pytest

import gradschool as gs
from gradschool import regularization
from gradschool.regularization import add_decay, decay_weights, is_weight, l1_penalty, l2_penalty, max_norm

RNG = np.random.default_rng(0)
PARAMS = {
    "conv": {"W": RNG.normal(size=(3, 4, 5, 7)), "b": RNG.normal(size=7)},
    "norm": {"gamma": RNG.normal(size=(1, 7)), "beta": RNG.normal(size=7)},
    "dense": [{"W": RNG.normal(size=(7, 3)), "bias": RNG.normal(size=(1, 3))}],
}
WEIGHTS = PARAMS["conv"]["W"], PARAMS["dense"][0]["W"]


def others(params):
    return [params["conv"]["b"], *params["norm"].values(), params["dense"][0]["bias"]]


def test_weights_are_known_by_name_and_axes():
    found = [path for path, p in zip(gs.tree_paths(PARAMS), gs.tree_leaves(PARAMS), strict=True) if is_weight(path, p)]
    assert found == ["conv.W", "dense[0].W"]


def test_penalties_are_the_sums_over_weights():
    assert l2_penalty(PARAMS, 0.3) == pytest.approx(0.3 * sum((W**2).sum() for W in WEIGHTS), rel=1e-13)
    assert l1_penalty(PARAMS, 0.3) == pytest.approx(0.3 * sum(abs(W).sum() for W in WEIGHTS), rel=1e-13)


@pytest.mark.parametrize(
    ("penalty", "gradient"), [(l2_penalty, lambda W: 0.6 * W), (l1_penalty, lambda W: 0.3 * np.sign(W))]
)
def test_penalties_have_their_gradients_and_biases_none(penalty, gradient):
    found = gs.grad(lambda params: penalty(params, 0.3))(PARAMS)
    np.testing.assert_allclose(found["conv"]["W"], gradient(WEIGHTS[0]), rtol=1e-13)
    np.testing.assert_allclose(found["dense"][0]["W"], gradient(WEIGHTS[1]), rtol=1e-13)
    assert all((g == 0).all() for g in others(found))


def test_a_tree_without_weights_has_no_penalty():
    assert l2_penalty({"b": np.ones(3)}, 0.3) == l1_penalty({}, 0.3) == 0


def test_coupled_decay_is_the_gradient_of_half_the_penalty():
    grads = gs.tree_map(np.cos, PARAMS)
    found = add_decay(grads, PARAMS, 0.3)
    half = gs.grad(lambda params: l2_penalty(params, 0.15))(PARAMS)
    for g, expected in zip(gs.tree_leaves(found), gs.tree_leaves(gs.tree_map(np.add, grads, half)), strict=True):
        np.testing.assert_allclose(g, expected, rtol=1e-13)


def test_coupled_decay_matches_gradients_written_in_another_order():
    grads = {name: PARAMS[name] for name in reversed(PARAMS)}
    found = add_decay(grads, PARAMS, 1.0)
    np.testing.assert_allclose(found["conv"]["W"], 2 * WEIGHTS[0])
    np.testing.assert_array_equal(found["conv"]["b"], PARAMS["conv"]["b"])


def test_decoupled_decay_before_adam_is_adamw_on_weights():
    params, grads = {"W": PARAMS["dense"][0]["W"]}, {"W": np.cos(PARAMS["dense"][0]["W"])}
    state = gs.init_state("adamw", params)
    expected, _ = gs.adamw(params, grads, state, lr=0.1, weight_decay=0.3)
    found, _ = gs.adam(decay_weights(params, 0.1, 0.3), grads, gs.init_state("adam", params), lr=0.1)
    np.testing.assert_allclose(found["W"], expected["W"], rtol=1e-13)


def test_decoupled_decay_leaves_biases_scales_and_shifts():
    found = decay_weights(PARAMS, 0.1, 0.3)
    np.testing.assert_allclose(found["conv"]["W"], 0.97 * WEIGHTS[0], rtol=1e-14)
    for p, before in zip(others(found), others(PARAMS), strict=True):
        np.testing.assert_array_equal(p, before)


def test_with_plain_descent_coupled_and_decoupled_decay_are_the_same():
    grads = gs.tree_map(np.cos, PARAMS)
    step = lambda params, g: gs.tree_map(lambda p, d: p - 0.1 * d, params, g)
    coupled = step(PARAMS, add_decay(grads, PARAMS, 0.3))
    decoupled = step(decay_weights(PARAMS, 0.1, 0.3), grads)
    for a, b in zip(gs.tree_leaves(coupled), gs.tree_leaves(decoupled), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-15)


def test_max_norm_shortens_the_incoming_weights_of_a_unit_and_keeps_short_ones():
    W = PARAMS["dense"][0]["W"] * [0.01, 1, 10]
    found = max_norm({"W": W}, 1.5)["W"]
    lengths = np.linalg.norm(W, axis=0)
    assert (lengths > 1.5).tolist() == [False, True, True]
    np.testing.assert_array_equal(found[:, 0], W[:, 0])
    np.testing.assert_allclose(found[:, 1:], W[:, 1:] * 1.5 / lengths[1:], rtol=1e-13)


def test_max_norm_takes_all_axes_of_a_kernel_but_the_last():
    found = max_norm(PARAMS, 0.8)["conv"]["W"]
    np.testing.assert_allclose(np.linalg.norm(found.reshape(60, 7), axis=0), 0.8, rtol=1e-13)


def test_max_norm_of_zeros_is_zero_and_biases_stay():
    found = max_norm({"W": np.zeros((3, 5)), "b": np.full(5, 9.0)}, 1.0)
    assert (found["W"] == 0).all()
    assert (found["b"] == 9).all()


def test_what_counts_as_a_weight_can_be_said():
    params = {"W": np.ones((3, 5)), "b": np.full(5, 2.0)}
    biases = lambda path, p: path == "b"
    assert l2_penalty(params, 1.0, biases) == 20
    np.testing.assert_array_equal(decay_weights(params, 0.5, 1.0, biases)["b"], np.ones(5))


def test_float32_stays_float32_and_arguments_stay_as_they_are():
    params = gs.tree_map(lambda p: p.astype(np.float32), PARAMS)
    before = gs.tree_map(np.copy, params)
    for found in (add_decay(params, params, 0.3), decay_weights(params, 0.1, 0.3), max_norm(params, 0.5)):
        assert all(p.dtype == np.float32 for p in gs.tree_leaves(found))
        gs.tree_map(lambda p: p.fill(0), found)  # nothing of it is the argument's memory
    for p, old in zip(gs.tree_leaves(params), gs.tree_leaves(before), strict=True):
        np.testing.assert_array_equal(p, old)


def test_a_frozen_array_has_no_gradient_and_no_decay():
    params = {"a": {"W": np.ones((3, 5))}, "c": {"W": np.ones((5, 4))}}
    found = add_decay({"a": None, "c": {"W": np.zeros((5, 4))}}, params, 0.5)
    assert found["a"] is None
    np.testing.assert_array_equal(found["c"]["W"], np.full((5, 4), 0.5))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: l1_penalty(PARAMS, -1), "l1_penalty: expected a strength λ >= 0, got -1"),
        (lambda: l2_penalty(PARAMS, np.nan), "l2_penalty"),
        (lambda: add_decay(PARAMS, PARAMS, -1), "add_decay"),
        (lambda: add_decay({}, PARAMS, 1), "trees differ at conv"),
        (lambda: decay_weights(PARAMS, 0.1, -1), "decay_weights"),
        (lambda: max_norm(PARAMS, 0), "max_norm: expected a limit > 0, got 0"),
    ],
)
def test_what_makes_no_sense_is_named(wrong, says):
    with pytest.raises(ValueError, match=says):
        wrong()


def test_examples_in_docstrings():
    assert doctest.testmod(regularization).failed == 0
