"""A rate for every parameter: each gradient is divided by the size that this parameter's gradients have had so far.

params, state = adagrad(params, grads, init_state("adagrad", params), lr=0.01)     # all of them, since the start
params, state = rmsprop(params, grads, init_state("rmsprop", params), rho=0.9)     # the recent ones
"""

from __future__ import annotations

import numpy as np

from .each import update_each
from .registry import step, zeros

__all__ = ["adagrad", "rmsprop"]


def adagrad_rule(p, g, s, *, lr, eps):
    """s ← s + g²,  p ← p − lr g / (√s + ε)"""
    s = s + g * g
    return p - lr * g / (np.sqrt(s) + eps), s


@step(s=zeros)
def adagrad(params, grads, state, lr=0.01, eps=1e-10):
    """s ← s + g²,  p ← p − lr g / (√s + ε): steep directions are slowed down, for good.

    state: {"s": sums of squared gradients, zero at first}.
    Raises ValueError for a state without its keys or gradients that do not fit, TypeError for whole-number parameters.
    Source: Duchi et al. 2011; PyTorch (lr 0.01, ε 1e-10);
    Géron, equation 11-6. Keras starts s at 0.1 and puts ε inside the root.

    >>> params, state = adagrad({"x": np.array([1.0])}, {"x": np.array([4.0])}, {"s": {"x": np.array([9.0])}}, lr=0.5)
    >>> params["x"], state["s"]["x"]
    (array([0.6]), array([25.]))
    """
    params, s = update_each(
        lambda p, g, s: adagrad_rule(p, g, s, lr=lr, eps=eps), params, grads, state["s"]
    )  # fmt: skip
    return params, {"s": s}


def rmsprop_rule(p, g, s, a, v, *, lr, rho, eps, centered, momentum):
    """s, a ← running means of g² and g;  v ← momentum v + g / (√s + ε), or / (√(s − a²) + ε);  p ← p − lr v"""
    s = rho * s + (1 - rho) * g * g
    a = rho * a + (1 - rho) * g
    # the variance s − a² of a constant gradient is zero up to rounding, and may come out below it
    root = np.sqrt(np.maximum(s - a * a, 0)) if centered else np.sqrt(s)
    v = momentum * v + g / (root + eps)
    return p - lr * v, s, a, v


@step(s=zeros, a=zeros, v=zeros)
def rmsprop(params, grads, state, lr=1e-3, rho=0.9, eps=1e-8, centered=False, momentum=0.0):
    """s ← ρ s + (1−ρ) g²,  p ← p − lr g / (√s + ε): AdaGrad that forgets.

    centered   divide by the gradient's standard deviation √(s − a²) instead, with a ← ρ a + (1−ρ) g
    momentum   move by −lr v instead, with v ← momentum v + g / (√s + ε)

    state: {"s": means of g², "a": means of g, "v": velocities}, zero at first; all three are kept whatever the
    options, so that an option may change on the way. With momentum 0, v is the last step before lr.

    Raises ValueError for a state without its keys or gradients that do not fit, TypeError for whole-number parameters.
    Source: Hinton 2012, lecture 6e; MATLAB `rmspropupdate` (ρ 0.9); PyTorch (whose ρ is 0.99, lr 0.01) has the same
    place of ε, the same centring (but no protection of the root) and the same momentum. Keras 3 and optax put ε inside
    the root; Keras' velocity carries lr.

    >>> params, state = rmsprop({"x": np.array([1.0])}, {"x": np.array([4.0])},
    ...                         {"s": {"x": np.array([9.0])}, "a": {"x": np.array([0.0])}, "v": {"x": np.array([0.0])}},
    ...                         lr=0.5, rho=0.0)
    >>> params["x"], state["s"]["x"]
    (array([0.5]), array([16.]))
    """
    params, s, a, v = update_each(
        lambda p, g, s, a, v: rmsprop_rule(
            p, g, s, a, v, lr=lr, rho=rho, eps=eps, centered=centered, momentum=momentum
        ),
        params, grads, state["s"], state["a"], state["v"],
    )  # fmt: skip
    return params, {"s": s, "a": a, "v": v}
