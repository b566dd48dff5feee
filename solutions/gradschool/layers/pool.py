"""Layers that make images smaller, or vectors of them; they have nothing to learn.

net = sequential(conv(32, 3), gs.relu, maxpool(2), conv(64, 3), gs.relu, global_avgpool(), dense(10))
net = sequential(conv(8, 3), gs.relu, flatten(), dense(10))
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import ops
from .base import Layer, Shape, Tree, stateless


def maxpool(size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1) -> Layer:
    """The largest entry of each window, channel by channel; the windows touch unless there is a stride.

    >>> maxpool(2).init(np.random.default_rng(0), (28, 28, 32))[2]
    (14, 14, 32)
    """
    return pooling("maxpool", ops.maxpool, size=size, stride=stride, padding=padding, dilation=dilation)


def avgpool(size: Any, stride: Any = None, padding: Any = 0, count_include_pad: bool = False) -> Layer:
    """The mean of each window, channel by channel; the windows touch unless there is a stride.

    >>> avgpool((2, 1), padding="same").init(np.random.default_rng(0), (7, 5, 3))[2]
    (4, 5, 3)
    """
    return pooling(
        "avgpool", ops.avgpool, size=size, stride=stride, padding=padding, count_include_pad=count_include_pad
    )


def global_maxpool() -> Layer:
    """The largest entry of each channel: (N, ..., C) -> (N, C)."""
    return stateless(functools.partial(global_init, "global_maxpool"), global_max, "global_maxpool")


def global_avgpool() -> Layer:
    """The mean of each channel: (N, ..., C) -> (N, C), whatever the size of the image.

    >>> global_avgpool().init(np.random.default_rng(0), (7, 5, 64))[2]
    (64,)
    """
    return stateless(functools.partial(global_init, "global_avgpool"), global_mean, "global_avgpool")


def flatten() -> Layer:
    """Each sample as one vector, row by row: (N, ...) -> (N, n). (MATLAB's comes column by column.)

    >>> flatten().init(np.random.default_rng(0), (5, 7, 3))[2]
    (105,)
    """
    return stateless(flatten_init, flattened, "flatten")


def reshape(*shape: int) -> Layer:
    """Each sample in another shape with as many numbers, row by row; one length may be -1, which then fits.

    >>> reshape(4, -1, 3).init(np.random.default_rng(0), (60,))[2]
    (4, 5, 3)
    """
    if sum(n == -1 for n in shape) > 1 or any(n < -1 for n in shape):
        raise ValueError(f"reshape: expected lengths of an axis, at most one of them -1, got {shape}")
    return stateless(functools.partial(reshape_init, shape), functools.partial(reshaped, shape), f"reshape{shape}")


# ------------------------------------------------------------------------------------------------------- what they do
def pooling(name: str, function: Callable[..., Any], **options: Any) -> Layer:
    function = functools.partial(without_params, function, options)
    return stateless(functools.partial(pooling_init, name, function), function, f"{name}({options['size']})")


def pooling_init(
    name: str, function: Callable[..., Any], rng: np.random.Generator, shape: Shape, dtype: Any
) -> tuple[Tree, Shape]:
    check_places(name, shape)
    return {}, function({}, np.zeros((0, *shape), dtype)).shape[1:]


def check_places(name: str, shape: Shape) -> None:
    if len(shape) not in (2, 3, 4):
        raise ValueError(f"{name}: expected samples (T, C), (H, W, C) or (D, H, W, C), got {shape}")


def without_params(function: Callable[..., Any], options: dict[str, Any], params: Tree, x: Any) -> Any:
    return function(x, **options)


def global_init(name: str, rng: np.random.Generator, shape: Shape, dtype: Any) -> tuple[Tree, Shape]:
    check_places(name, shape)
    return {}, shape[-1:]


def global_max(params: Tree, x: Any) -> Any:
    return np.reshape(ops.maxpool(x, "global"), (len(x), x.shape[-1]))


def global_mean(params: Tree, x: Any) -> Any:
    return np.reshape(ops.avgpool(x, "global"), (len(x), x.shape[-1]))


def flatten_init(rng: np.random.Generator, shape: Shape, dtype: Any) -> tuple[Tree, Shape]:
    return {}, (math.prod(shape),)


def flattened(params: Tree, x: Any) -> Any:
    return np.reshape(x, (x.shape[0], math.prod(x.shape[1:])))


def reshape_init(new: Shape, rng: np.random.Generator, shape: Shape, dtype: Any) -> tuple[Tree, Shape]:
    return {}, fitting_shape(new, shape)


def reshaped(new: Shape, params: Tree, x: Any) -> Any:
    return np.reshape(x, (x.shape[0], *fitting_shape(new, x.shape[1:])))


def fitting_shape(new: Shape, shape: Shape) -> Shape:
    """`new` with its -1 filled in; not left to NumPy, for which -1 has no meaning where there are no samples."""
    size, known = math.prod(shape), math.prod(n for n in new if n != -1)
    filled = tuple(size // max(known, 1) if n == -1 else n for n in new)
    if math.prod(filled) != size:
        raise ValueError(f"reshape: samples {shape} have {size} numbers, which do not fit into {new}")
    return filled
