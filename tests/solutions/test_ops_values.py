"""Ops have their textbook values, stay finite at a thousand, promote whole numbers, and refuse what does not fit."""

import doctest
import inspect

import numpy as np
import pytest

import gradschool as gs
from gradschool.autodiff import OPS

ELEMENTWISE = ["relu", "leaky_relu", "elu", "selu", "sigmoid", "tanh", "softplus", "swish", "erf", "gelu"]
X = np.array([-3.0, -0.5, 0.0, 0.7, 2.0])


def test_values_are_those_of_the_formulas():
    from math import erf, exp, log

    formulas = {
        "relu": lambda x: x if x > 0 else 0.0,
        "leaky_relu": lambda x: x if x > 0 else 0.01 * x,
        "elu": lambda x: x if x > 0 else exp(x) - 1,
        "selu": lambda x: 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * (exp(x) - 1)),
        "sigmoid": lambda x: 1 / (1 + exp(-x)),
        "tanh": lambda x: (exp(x) - exp(-x)) / (exp(x) + exp(-x)),
        "softplus": lambda x: log(1 + exp(x)),
        "swish": lambda x: x / (1 + exp(-x)),
        "erf": erf,
        "gelu": lambda x: x / 2 * (1 + erf(x / 2**0.5)),
    }
    assert sorted(formulas) == sorted(ELEMENTWISE)
    for name, formula in formulas.items():
        np.testing.assert_allclose(getattr(gs, name)(X), [formula(x) for x in X], rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_thousands_give_no_warning_and_nothing_infinite(name):
    x = np.array([-1000.0, -40.0, 40.0, 1000.0])
    y, pullback = gs.vjp(getattr(gs, name), x)
    assert np.isfinite(y).all()
    assert np.isfinite(pullback(np.ones(4))[0]).all()
    assert np.isfinite(getattr(gs, name)(x.astype(np.float32))).all()


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_whole_numbers_are_promoted_and_shapes_kept(name):
    function = getattr(gs, name)
    whole = np.array([[[-2, 0, 3]]])
    np.testing.assert_array_equal(function(whole), function(whole.astype(float)))
    assert function(whole).dtype == np.float64
    assert function(np.zeros((0, 3))).shape == (0, 3)


def test_erf_is_exact_to_the_last_digits():
    from math import erf

    x = np.linspace(-7, 7, 2001)
    np.testing.assert_allclose(gs.erf(x), [erf(v) for v in x], rtol=0, atol=4e-16)


def test_two_forms_of_gelu_differ_by_what_the_requirements_say():
    x = np.linspace(-6, 6, 24001)
    gap = np.abs(gs.gelu(x) - gs.gelu(x, approximate="tanh"))
    assert gap.max() == pytest.approx(4.73e-4, abs=5e-7)
    assert abs(x[gap.argmax()]) == pytest.approx(2.70, abs=0.01)
    assert gs.gelu(np.ones(1))[0] == pytest.approx(0.8413447, abs=5e-8)
    assert gs.gelu(np.ones(1), "tanh")[0] == pytest.approx(0.8411920, abs=5e-8)
    with pytest.raises(ValueError, match="got 'erf'"):
        gs.gelu(x, approximate="erf")


def test_selu_keeps_mean_zero_and_variance_one():
    x = np.random.default_rng(0).normal(size=400_000)
    y = gs.selu(x)
    six_sigma = 6 / 400_000**0.5
    assert abs(y.mean()) < six_sigma
    assert abs(y.var() - 1) < 3 * six_sigma


def test_slope_at_the_kink_is_that_of_the_left_side():
    at_zero = lambda f: gs.grad(lambda x: np.sum(f(x)))(np.zeros(1))[0]
    assert at_zero(gs.relu) == 0
    assert at_zero(lambda x: gs.leaky_relu(x, alpha=0.3)) == 0.3
    assert at_zero(lambda x: gs.elu(x, alpha=0.3)) == pytest.approx(0.3)


def test_leaky_relu_with_a_slope_above_one_still_bends_the_negative_side():
    assert gs.leaky_relu(np.array([-1.0, 1.0, 3.0]), alpha=2.0).tolist() == [-2, 1, 3]


def test_softmax_ignores_a_shift_and_takes_scores_of_ten_thousand():
    z = np.random.default_rng(1).normal(size=(5, 3))
    p = gs.softmax(z)
    np.testing.assert_allclose(p.sum(1), np.ones(5), rtol=1e-15)
    np.testing.assert_allclose(p, np.exp(z) / np.exp(z).sum(1, keepdims=True), rtol=1e-14)
    np.testing.assert_allclose(gs.softmax(z + 1e4), p, rtol=1e-11)
    np.testing.assert_allclose(gs.softmax(z.T, axis=0).T, p, rtol=1e-15)
    np.testing.assert_allclose(gs.log_softmax(z), np.log(p), rtol=1e-13)
    assert gs.log_softmax(np.array([1e4, 0.0, -1e4])).tolist() == [0, -1e4, -2e4]


def test_dense_is_a_loop_over_samples():
    rng = np.random.default_rng(2)
    X, W, b = rng.normal(size=(5, 7, 3)), rng.normal(size=(3, 4)), rng.normal(size=4)
    expected = np.array([[[x @ W[:, j] + b[j] for j in range(4)] for x in sample] for sample in X])
    np.testing.assert_allclose(gs.dense(X, W, b), expected, rtol=1e-12)
    np.testing.assert_allclose(gs.dense(X, W), expected - b, rtol=1e-12, atol=1e-12)
    assert gs.grad(lambda p: np.sum(gs.dense(X, p["W"], p["b"])))({"W": W, "b": None})["b"] is None


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((5, 3), (4, 3), (4,)), r"X \(5, 3\) and W \(4, 3\) do not fit; try W.T"),
        (((5, 3), (4, 6), (6,)), r"do not fit; W is \(in, out\)"),
        (((5, 3), (3, 4), (5,)), r"b of shape \(4,\) for W \(3, 4\), got \(5,\)"),
        (((5, 3), (3, 4), (5, 4)), r"got \(5, 4\)"),
        (((), (3, 4), (4,)), "do not fit"),
    ],
)
def test_dense_refuses_shapes_that_do_not_fit(shapes, message):
    with pytest.raises(ValueError, match=message):
        gs.dense(*map(np.ones, shapes))


def test_examples_in_the_docstrings_hold():
    modules = {inspect.getmodule(inspect.unwrap(op.function)) for op in OPS.values()}
    modules |= {inspect.getmodule(f) for f in (gs.one_hot, gs.accuracy, gs.grad, gs.tree_map)}
    for module in modules:
        failed, tried = doctest.testmod(module, extraglobs={"np": np})
        assert (failed, tried > 0) == (0, True), module.__name__
