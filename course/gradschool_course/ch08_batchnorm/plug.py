"""The chapter's batch norm in the form in which the library calls it, so that a network can be trained with it.

with gs.using(**plugged(batchnorm_forward, batchnorm_backward)):
    history = fit(network("before"), lr=0.1, seed=1, epochs=3)        # every batch norm in it is yours
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["plugged"]


def plugged(forward: Callable[..., Any], backward: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """`batchnorm` and `batchnorm_backward` for `gs.using`, made of the two functions that the chapter asks for."""

    def batchnorm(x, gamma, beta, mean, var, training=False, momentum=0.9, eps=1e-5, unbiased_running=False):
        y, _, state = forward(x, gamma, beta, {"mean": mean, "var": var}, training, momentum, eps)
        return y, state["mean"], state["var"]

    def batchnorm_backward(g, cache):
        g = g[0] if isinstance(g, tuple) else g  # no derivative passes through the running statistics
        difference = cache["d"].reshape(g.shape)  # the library keeps x - mu: with mu = 0 it is an x like any other
        mine = {"x": difference, "mu": 0 * cache["r"], "r": cache["r"], "gamma": cache["a"] / cache["r"]}
        return tuple(backward(g, mine | {"training": cache["training"]}))

    return {"batchnorm": batchnorm, "batchnorm_backward": batchnorm_backward}
