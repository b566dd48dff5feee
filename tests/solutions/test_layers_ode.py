"""Property: an ODE layer is the solution of the ODE that its net describes, in one state or many, and it trains."""

import doctest
import sys

import numpy as np
import pytest

import gradschool as gs
from gradschool import layers
from gradschool.layers import dense, ode, sequential

A = np.array([[-0.1, -1.0], [1.0, -0.1]])  # a spiral


def spiral(x, t):
    """exp(A t) x, with A = -0.1 I + a rotation"""
    c, s = np.cos(t), np.sin(t)
    return np.exp(-0.1 * t) * x @ np.array([[c, s], [-s, c]])


@pytest.mark.parametrize("gradient", ["direct", "adjoint", "adjoint-seminorm"])
def test_it_solves_the_ode_of_its_net(gradient):
    x = np.random.default_rng(0).normal(size=(5, 2))
    params = {"W": A.T}
    layer = ode(dense(2, bias=False), (0.0, 2.0), rtol=1e-9, atol=1e-10, gradient=gradient)
    np.testing.assert_allclose(layer.apply(params, {}, x)[0], spiral(x, 2.0), rtol=1e-7)
    path = ode(dense(2, bias=False), (0.0, 0.5, 1.5), rtol=1e-9, atol=1e-10, gradient=gradient)
    y, state = path.apply(params, {}, x, training=True)
    np.testing.assert_allclose(y, np.stack([spiral(x, 0.5), spiral(x, 1.5)], 1), rtol=1e-6, atol=1e-8)
    assert (y.shape[1:], state) == (path.init(np.random.default_rng(0), (2,))[2], {})


def test_it_learns_a_spiral_between_other_layers():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 2))
    net = sequential(ode(sequential(dense(12), gs.tanh, dense(2)), (0.0, 1.0)), dense(2, bias=False))
    params, state, shape = net.init(rng, (2,))
    history = gs.train(
        net, params, (X, spiral(X, 1.0)), gs.optimizer("adam"), gs.half_mse, 15, rng=rng, state=state, lr=0.03
    )
    assert shape == (2,)
    assert history.losses[-1] < 0.1 * history.losses[0]


def test_a_slope_keeps_the_shape_and_no_state():
    for layer, message in (
        (dense(3), r"expected a layer from \(2,\) to \(2,\), not \(3,\)"),
        (sequential(dense(2), layers.batchnorm()), "keeps no state, got sequential"),
    ):
        with pytest.raises(ValueError, match=message):
            ode(layer).init(np.random.default_rng(0), (2,))


def test_the_examples_in_the_docstrings_hold():
    failed, tried = doctest.testmod(sys.modules["gradschool.layers.ode"])
    assert (failed, tried > 0) == (0, True)
