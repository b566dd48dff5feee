"""Layers that make images smaller, large again, or vectors of them; they have nothing to learn.

net = sequential(conv(32, 3), gs.relu, maxpool(2), conv(64, 3), gs.relu, global_avgpool(), dense(10))
net = sequential(conv(8, 3), gs.relu, flatten(), dense(10))
net = sequential(maxpool(2, indices=True), each(conv(8, 3, padding="same"), identity), maxunpool((28, 28)), conv(1, 3))
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any

import numpy as np

from .. import ops
from ..autodiff import Link
from .base import Layer, Shape, Tree, check_shape, link_alone, stateless


def maxpool(size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, indices: bool = False) -> Layer:
    """The largest entry of each window, channel by channel; the windows touch unless there is a stride.

    With `indices` a pair comes out: the entries, and the places where they were, which `maxunpool` needs.

    Raises ValueError (from init) for samples that are no (T, C), (H, W, C) or (D, H, W, C), and for options that the op
    refuses.

    >>> maxpool(2).init(np.random.default_rng(0), (28, 28, 32))[2]
    (14, 14, 32)
    """
    options = {"size": size, "stride": stride, "padding": padding, "dilation": dilation, "indices": indices}
    return pooling("maxpool", ops.maxpool, **options)


def maxunpool(sizes: Sequence[int]) -> Layer:
    """Pooled entries back at their places, zeros elsewhere: a pair (Y, places) -> (N, *sizes, C).

    `sizes` are the spatial sizes that `maxpool(..., indices=True)` found. Y may have been through other layers since,
    which `each` keeps from the places; it must still have the shape of the places.

    Raises ValueError (from init) for samples that are no such pair.
    Source: MATLAB's `maxUnpooling2dLayer`, which gets the sizes as a third input.

    >>> maxunpool((28, 28)).init(np.random.default_rng(0), ((14, 14, 32), (14, 14, 32)))[2]
    (28, 28, 32)
    """
    sizes = tuple(int(n) for n in sizes)
    return stateless(functools.partial(unpool_init, sizes), functools.partial(unpooled, sizes), f"maxunpool({sizes})")


def avgpool(
    size: Any, stride: Any = None, padding: Any = 0, count_include_pad: bool = False, padding_value: Any = 0
) -> Layer:
    """The mean of each window, channel by channel; the windows touch unless there is a stride.

    Raises ValueError (from init) for samples that are no (T, C), (H, W, C) or (D, H, W, C), and for options that the op
    refuses.

    >>> avgpool((2, 1), padding="same").init(np.random.default_rng(0), (7, 5, 3))[2]
    (4, 5, 3)
    """
    counted = {"count_include_pad": count_include_pad, "padding_value": padding_value}
    return pooling("avgpool", ops.avgpool, size=size, stride=stride, padding=padding, **counted)


def global_maxpool() -> Layer:
    """The largest entry of each channel: (N, ..., C) -> (N, C).

    Raises ValueError (from init) for samples that are no (T, C), (H, W, C) or (D, H, W, C).
    """
    return stateless(functools.partial(global_init, "global_maxpool"), global_max, "global_maxpool")


def global_avgpool() -> Layer:
    """The mean of each channel: (N, ..., C) -> (N, C), whatever the size of the image.

    Raises ValueError (from init) for samples that are no (T, C), (H, W, C) or (D, H, W, C).

    >>> global_avgpool().init(np.random.default_rng(0), (7, 5, 64))[2]
    (64,)
    """
    return stateless(functools.partial(global_init, "global_avgpool"), global_mean, "global_avgpool")


def flatten() -> Layer:
    """Each sample as one vector, row by row: (N, ...) -> (N, n). (MATLAB's comes column by column.)

    Raises TypeError (from init) for what is no shape, such as a number.

    >>> flatten().init(np.random.default_rng(0), (5, 7, 3))[2]
    (105,)
    """
    return stateless(flatten_init, flattened, "flatten")


def reshape(*shape: int) -> Layer:
    """Each sample in another shape with as many numbers, row by row; one length may be -1, which then fits.

    Raises ValueError for a length below -1 or a second -1; (from init and apply) for samples of more or fewer numbers.

    >>> reshape(4, -1, 3).init(np.random.default_rng(0), (60,))[2]
    (4, 5, 3)
    """
    if not all(isinstance(n, Integral) and n >= -1 for n in shape) or shape.count(-1) > 1:
        advice = f"; try reshape{shape[0]}" if len(shape) == 1 and isinstance(shape[0], tuple) else ""
        raise ValueError(f"reshape: expected lengths of axes, at most one of them -1, got {shape}{advice}")
    return stateless(functools.partial(reshape_init, shape), functools.partial(reshaped, shape), f"reshape{shape}")


# ------------------------------------------------------------------------------------------------------- what they do
def pooling(name: str, function: Callable[..., Any], **options: Any) -> Layer:
    op, function = function, functools.partial(without_params, function, options)
    layer = stateless(functools.partial(pooling_init, name, function), function, f"{name}({options['size']})")
    if options.get("indices"):  # a pair comes out, which is no link of a chain
        return layer
    return dataclasses.replace(layer, link=functools.partial(link_alone, Link(op, (), options)))


def pooling_init(
    name: str, function: Callable[..., Any], rng: np.random.Generator, shape: Shape, dtype: Any
) -> tuple[Tree, Any]:
    check_places(name, shape)
    y = function({}, np.zeros((0, *shape), dtype))
    return {}, tuple(part.shape[1:] for part in y) if isinstance(y, tuple) else y.shape[1:]


def unpool_init(sizes: Shape, rng: np.random.Generator, shape: Any, dtype: Any) -> tuple[Tree, Shape]:
    if len(shape) != 2 or not isinstance(shape[0], tuple) or shape[0] != shape[1] or len(shape[0]) != len(sizes) + 1:
        raise ValueError(
            f"maxunpool: expected a pair of samples (*out, C) of one shape, with {len(sizes)} spatial sizes, got "
            f"{shape}; the places come from maxpool(..., indices=True)"
        )
    return {}, (*sizes, shape[0][-1])


def unpooled(sizes: Shape, params: Tree, pair: Any) -> Any:
    Y, places = pair
    return ops.maxunpool(Y, places, sizes)


def check_places(name: str, shape: Shape) -> None:
    check_shape(name, shape)
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
    check_shape("flatten", shape)
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
