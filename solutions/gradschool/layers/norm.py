"""Layers that normalise: over the batch, and then they keep running statistics; or each sample by itself.

net = sequential(dense(100, bias=False), batchnorm(), gs.elu)       # the shift of batchnorm is bias enough
params, state, shape = net.init(rng, (784,))                        # state[1] is {"mean": ..., "var": ...}
y, state = net.apply(params, state, x, training=True)               # the new statistics come out
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import ops
from ..autodiff import Link, stop_gradient
from ..ranges import check_range
from .base import Layer, Shape, Tree, activation, check_shape, own


def channels(name: str, shape: Shape) -> int:
    check_shape(name, shape)
    if not shape:
        raise ValueError(f"{name}: expected samples with a channel axis, got shape (); try x[:, None] and shape (1,)")
    return shape[-1]


def batchnorm(momentum: float = 0.9, eps: float = 1e-5, unbiased_running: bool = False) -> Layer:
    """Every channel to mean 0 and variance 1, then scale and shift; x (N, ..., C); options as for the op.

    params {"gamma": ones (C,), "beta": zeros (C,)}, state {"mean": zeros (C,), "var": ones (C,)}. Training normalises
    by the batch and hands out updated statistics, through which no derivative passes; prediction normalises by them.
    `momentum` is how much of the old statistics stays: PyTorch's is one minus this.

    Raises ValueError for a momentum outside 0..1 or a negative eps; (from init) for samples without a channel axis;
    (from apply) without the state, for another C, and for training on no samples.

    >>> params, state, _ = batchnorm().init(np.random.default_rng(0), (2,))
    >>> y, state = batchnorm().apply(params, state, np.array([[1.0, 10.0], [3.0, 50.0]]), training=True)
    >>> print(y.round(3).tolist(), state["mean"], state["var"])
    [[-1.0, -1.0], [1.0, 1.0]] [0.2 3. ] [ 1.  40.9]
    """
    check_range("batchnorm", "momentum", momentum, high=1)
    check_range("batchnorm", "eps", eps)
    options = {"momentum": momentum, "eps": eps, "unbiased_running": unbiased_running}
    apply, link = functools.partial(batchnorm_apply, options), functools.partial(batchnorm_link, options)
    return Layer(batchnorm_init, apply, "batchnorm", link=link)


def batchnorm_init(rng: np.random.Generator, shape: Shape, dtype: Any = float) -> tuple[Tree, Tree, Shape]:
    C = channels("batchnorm", shape)
    state = {"mean": np.zeros(C, dtype), "var": np.ones(C, dtype)}
    return {"gamma": np.ones(C, dtype), "beta": np.zeros(C, dtype)}, state, shape


def batchnorm_link(options: dict[str, Any], params: Tree, state: Tree, training: bool) -> Link:
    if state is None:
        raise ValueError(
            "batchnorm: expected its running statistics, got state None; pass the state that init gave, and once there "
            "is a history, history.state"
        )
    vectors = *own("batchnorm", params, "gamma", "beta"), *own("batchnorm", state, "mean", "var")
    return Link(ops.batchnorm, vectors, options | {"training": training}, ("mean", "var") if training else ())


def batchnorm_apply(
    options: dict[str, Any],
    params: Tree,
    state: Tree,
    x: Any,
    training: bool = False,
    rng: np.random.Generator | None = None,
) -> tuple[Any, Tree]:
    link = batchnorm_link(options, params, state, training)
    y, mean, var = ops.batchnorm(x, *link.arguments, **link.options)
    return y, {"mean": stop_gradient(mean), "var": stop_gradient(var)} if training else state


# --------------------------------------------------------------------------------------------- each sample by itself
def layernorm(axes: int | tuple[int, ...] = -1, eps: float = 1e-5) -> Layer:
    """Each sample over its channels, or over `axes` of x (N, ..., C), then scale and shift each channel.

    params {"gamma": ones (C,), "beta": zeros (C,)}.

    Raises ValueError (from init) for samples without a channel axis; (from apply) for another C, and for axes that x
    does not have or that contain the batch axis.
    """
    return scaled("layernorm", ops.layernorm, axes=axes, eps=eps)


def groupnorm(groups: int | str, eps: float = 1e-5) -> Layer:
    """Groups of neighbouring channels of each sample over all places, then scale and shift each channel.

    params {"gamma": ones (C,), "beta": zeros (C,)}.

    Raises ValueError (from init) for samples without a channel axis; (from apply) for another C, and for groups that do
    not divide it.
    """
    return scaled("groupnorm", ops.groupnorm, groups=groups, eps=eps)


def instancenorm(eps: float = 1e-5) -> Layer:
    """Each channel of each sample over all places, then scale and shift; params as for `groupnorm`.

    Raises ValueError (from init) for samples without a channel axis; (from apply) for another C, and for x without
    places.
    """
    return scaled("instancenorm", ops.instancenorm, eps=eps)


def scaled(name: str, function: Callable[..., Any], **options: Any) -> Layer:
    return Layer(functools.partial(scaled_init, name), functools.partial(scaled_apply, function, options), name)


def scaled_init(name: str, rng: np.random.Generator, shape: Shape, dtype: Any = float) -> tuple[Tree, Tree, Shape]:
    C = channels(name, shape)
    return {"gamma": np.ones(C, dtype), "beta": np.zeros(C, dtype)}, {}, shape


def scaled_apply(
    function: Callable[..., Any],
    options: dict[str, Any],
    params: Tree,
    state: Tree,
    x: Any,
    training: bool = False,
    rng: np.random.Generator | None = None,
) -> tuple[Any, Tree]:
    return function(x, *own(function.__name__, params, "gamma", "beta"), **options), state


def crosschannelnorm(window: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0) -> Layer:
    """Each channel divided by a power of the mean square of those around it; nothing is learned.

    Raises ValueError (from apply) for a window below 1.
    """
    return activation(ops.crosschannelnorm, window=window, alpha=alpha, beta=beta, k=k)
