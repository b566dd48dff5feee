"""Downhill, and with inertia: a step against the gradient, and the ball that keeps some of its speed.

params, state = sgd(params, grads, {}, lr=0.1)
params, state = momentum(params, grads, {"v": velocities}, lr=0.1, beta=0.9)
params, state = nesterov(params, grads, {"v": velocities}, lr=0.1, beta=0.9)
params, state = nag_step(grad_fn, params, {"v": velocities}, lr=0.1, beta=0.9)
"""

from __future__ import annotations

import numpy as np  # noqa: F401  (the examples use it)

from .each import update_each
from .registry import closure_step, step, zeros

__all__ = ["momentum", "nag_step", "nesterov", "sgd"]


@step()
def sgd(params, grads, state, lr=0.01):
    """p ← p − lr g: a step against the gradient.

    state: {} (nothing is remembered).
    Raises ValueError for gradients that do not fit the parameters, TypeError for parameters of whole numbers.
    Source: Robbins and Monro 1951; PyTorch `SGD`, Keras `SGD`, default lr 0.01.

    >>> sgd({"w": np.array([1.0, -1.0, 0.5])}, {"w": np.array([1.0, -10.0, 0.0])}, {}, lr=0.1)
    ({'w': array([0.9, 0. , 0.5])}, {})
    """
    return update_each(lambda p, g: p - lr * g, params, grads), {}


def momentum_rule(p, g, v, *, lr, beta):
    """v ← β v − lr g,  p ← p + v"""
    v = beta * v - lr * g
    return p + v, v


@step(v=zeros)
def momentum(params, grads, state, lr=0.01, beta=0.9):
    """v ← β v − lr g,  p ← p + v: a ball that rolls, with friction 1 − β.

    state: {"v": velocities, zero at first}.
    Raises ValueError for a state without its keys or gradients that do not fit, TypeError for whole-number parameters.
    Source: Polyak 1964; Géron, equation 11-4; Keras; MATLAB `sgdmupdate`.
    PyTorch keeps v ← β v + g and moves by −lr v: the same as long as lr is constant, but when lr drops PyTorch slows
    the whole past down at once. MATLAB's older `learngdm` damps: v ← β v + (1 − β) lr g.

    >>> params, state = momentum({"x": np.array([1.0, -1.0])}, {"x": np.array([1.0, -10.0])},
    ...                          {"v": {"x": np.array([-0.5, 0.0])}}, lr=0.05)
    >>> params["x"], state["v"]["x"]
    (array([ 0.5, -0.5]), array([-0.5,  0.5]))
    """
    params, v = update_each(
        lambda p, g, v: momentum_rule(p, g, v, lr=lr, beta=beta), params, grads, state["v"]
    )  # fmt: skip
    return params, {"v": v}


def nesterov_rule(p, g, v, *, lr, beta):
    """v ← β v − lr g,  p ← p + β v − lr g"""
    v = beta * v - lr * g
    return p + beta * v - lr * g, v


@step(v=zeros)
def nesterov(params, grads, state, lr=0.01, beta=0.9):
    """v ← β v − lr g,  p ← p + β v − lr g: momentum that already looks one step ahead.

    The gradient is the one at `params`, so it fits any training loop. What it calls `params` is the point that
    `nag_step` would look at: with x and v those of `nag_step`, params = x + β v, at every step.

    state: {"v": velocities, zero at first}.
    Raises ValueError for a state without its keys or gradients that do not fit, TypeError for whole-number parameters.
    Source: Nesterov 1983 in the form of Sutskever et al. 2013;
    Keras and PyTorch with `nesterov=True` (PyTorch's velocity carries no lr, so it differs once lr changes).

    >>> params, state = nesterov({"x": np.array([1.0, -1.0])}, {"x": np.array([1.0, -10.0])},
    ...                          {"v": {"x": np.zeros(2)}}, lr=0.05)
    >>> params["x"]
    array([ 0.905, -0.05 ])
    """
    params, v = update_each(
        lambda p, g, v: nesterov_rule(p, g, v, lr=lr, beta=beta), params, grads, state["v"]
    )  # fmt: skip
    return params, {"v": v}


@closure_step(v=zeros)
def nag_step(grad_fn, params, state, lr=0.01, beta=0.9):
    """v ← β v − lr ∇f(p + β v),  p ← p + v: Nesterov's accelerated gradient as it was published.

    `grad_fn(params)` returns the gradient at any parameters; it is called once, where the ball is about to be.

    state: {"v": velocities, zero at first}.
    Raises ValueError for a state without its keys or gradients that do not fit, TypeError for whole-number parameters.
    Source: Nesterov 1983; Géron, equation 11-5. Frameworks offer only the
    form of `nesterov`, which needs no second point.

    >>> params, state = nag_step(lambda p: {"x": 10 * p["x"]}, {"x": np.array([1.0])}, {"v": {"x": np.array([-1.0])}},
    ...                          lr=0.05, beta=0.5)
    >>> params["x"], state["v"]["x"]
    (array([0.25]), array([-0.75]))
    """
    ahead = update_each(lambda p, v: p + beta * v, params, state["v"])
    grads = grad_fn(ahead)
    params, v = update_each(
        lambda p, g, v: momentum_rule(p, g, v, lr=lr, beta=beta), params, grads, state["v"]
    )  # fmt: skip
    return params, {"v": v}
