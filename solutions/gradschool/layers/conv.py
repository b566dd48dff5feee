"""Layers that convolve: the same few weights look at every place of a signal, image or volume.

net = sequential(conv(20, 5), gs.relu, maxpool(2), conv(40, 3, padding="same"), gs.relu, flatten(), dense(10))
params, state, shape = net.init(rng, (28, 28, 1))       # samples with their channels last; params[0]["W"] (5, 5, 1, 20)
up = conv_transpose(3, 4, stride=2, crop="same")        # images of twice the height and width

The samples decide how many spatial axes there are: (T, C), (H, W, C) or (D, H, W, C).
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np

from .. import initializers, ops
from ..ops.windows import per_axis
from .base import Layer, Shape, Tree, check_initializer, check_shape, link_with_weights, own, sequential, stateless

Init = Callable[..., np.ndarray]


def conv(
    channels: int,
    size: Any,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    padding_value: Any = 0,
    bias: bool = True,
    init: Init = initializers.glorot,
) -> Layer:
    """Convolution to `channels` channels with frames of `size`, a number or one for each spatial axis.

    params {"W": (*size, C / groups, channels), "b": (channels,)}; `init(shape, rng, dtype=...)` draws W, b is zero.
    The options are those of `gradschool.conv`; Keras has padding "valid", 0, too, and MATLAB and PyTorch have 0.

    Raises ValueError for less than one channel; (from init) for samples that are no (T, C), (H, W, C) or (D, H, W, C),
    several groups that do not divide the channels, a frame larger than the padded samples, and for a size, stride,
    padding or dilation that makes no sense.

    >>> params, _, shape = conv(20, 5).init(np.random.default_rng(0), (28, 28, 1))
    >>> params["W"].shape, shape
    ((5, 5, 1, 20), (24, 24, 20))
    """
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return convolving(ops.conv, channels, size, bias, init, options | {"padding_value": padding_value})


def conv_transpose(
    channels: int,
    size: Any,
    stride: Any = 1,
    crop: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    bias: bool = True,
    init: Init = initializers.glorot,
) -> Layer:
    """Transposed convolution to `channels` channels: what a convolution makes small, it makes large.

    params {"W": (*size, channels / groups, C), "b": (channels,)}; the options are those of `gradschool.conv_transpose`.
    `init` is asked for a convolution from C to channels, so that its fans are those of the signal's way here.

    Raises ValueError for less than one channel; (from init) for samples and options as `conv` does, and for a crop
    that leaves nothing.

    >>> conv_transpose(3, 4, stride=2, crop="same").init(np.random.default_rng(0), (7, 7, 8))[2]
    (14, 14, 3)
    """
    options = {"stride": stride, "crop": crop, "dilation": dilation, "groups": groups}
    return convolving(ops.conv_transpose, channels, size, bias, init, options)


def depthwise_conv(
    size: Any,
    multiplier: int = 1,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    bias: bool = True,
    init: Init = initializers.glorot,
) -> Layer:
    """Each channel convolved by itself ("channel-wise separable"), `multiplier` times: C -> multiplier C channels.

    params {"W": (*size, 1, multiplier C), "b": (multiplier C,)}; channel c gives the results from multiplier c on.

    Raises ValueError for a multiplier below 1; (from init) for samples and options as `conv` does.

    >>> depthwise_conv(3, multiplier=2, padding="same").init(np.random.default_rng(0), (6, 6, 4))[2]
    (6, 6, 8)
    """
    check_channels("depthwise_conv", multiplier)
    check_initializer("depthwise_conv", init)
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    function = functools.partial(each_channel, options)
    start = functools.partial(depthwise_init, function, size, multiplier, bias, init)
    return stateless(start, function, f"depthwise_conv({size})")


def separable_conv(
    channels: int, size: Any, multiplier: int = 1, init: Init = initializers.glorot, **options: Any
) -> Layer:
    """Depthwise, then a convolution with frames of 1 that mixes the channels: far fewer weights than `conv` has.

    A `sequential` of both, so params[0] is the depthwise part, without bias, and params[1] the mixing one. The options
    (stride, padding, dilation) are those of the depthwise part. Source: Chollet, Xception, 2017; Keras' layer.

    Raises ValueError for less than one channel or a multiplier below 1; (from init) for samples and options as `conv`
    does.

    >>> params, _, shape = separable_conv(64, 3, padding="same").init(np.random.default_rng(0), (6, 6, 32))
    >>> params[0]["W"].shape, params[1]["W"].shape, shape
    ((3, 3, 1, 32), (1, 1, 32, 64), (6, 6, 64))
    """
    return sequential(depthwise_conv(size, multiplier, bias=False, init=init, **options), conv(channels, 1, init=init))


# ------------------------------------------------------------------------------------------------- how they are made
def convolving(
    op: Callable[..., Any], channels: int, size: Any, bias: bool, init: Init, options: dict[str, Any]
) -> Layer:
    """The layer of `conv` or `conv_transpose`, by its op"""
    name = op.__name__
    check_channels(name, channels)
    check_initializer(name, init)
    groups: Any = options["groups"]
    if not isinstance(groups, Integral) or groups < 1:
        raise ValueError(f"{name}: expected groups >= 1, a whole number, got {groups!r}")
    function = functools.partial(with_weights, op, options)
    start = functools.partial(convolving_init, function, name, channels, size, options["groups"], bias, init)
    layer = stateless(start, function, f"{name}({channels}, {size})")
    return dataclasses.replace(layer, link=functools.partial(link_with_weights, op, options))


def convolving_init(
    function: Callable[..., Any],
    name: str,
    channels: int,
    size: Any,
    groups: int,
    bias: bool,
    init: Init,
    rng: np.random.Generator,
    shape: Shape,
    dtype: Any,
) -> tuple[Tree, Shape]:
    kernel, C = frame(name, size, shape), shape[-1]
    if C % groups or channels % groups:
        raise ValueError(f"{name}: {groups} groups must divide {channels} channels and those of samples {shape}")
    if name == "conv":
        W = init((*kernel, C // groups, channels), rng, dtype=dtype)
    else:
        W = np.ascontiguousarray(init((*kernel, C, channels // groups), rng, dtype=dtype).swapaxes(-1, -2))
    return with_bias(function, W, channels if bias else 0, shape, dtype)


def depthwise_init(
    function: Callable[..., Any],
    size: Any,
    multiplier: int,
    bias: bool,
    init: Init,
    rng: np.random.Generator,
    shape: Shape,
    dtype: Any,
) -> tuple[Tree, Shape]:
    kernel, channels = frame("depthwise_conv", size, shape), multiplier * shape[-1]
    W = init((*kernel, 1, channels), rng, dtype=dtype)
    return with_bias(function, W, channels if bias else 0, shape, dtype)


def with_bias(function: Callable[..., Any], W: np.ndarray, biases: int, shape: Shape, dtype: Any) -> tuple[Tree, Shape]:
    """The parameters, and the shape of a result by the op's own account: it is asked for that of no samples at all"""
    params = {"W": W} | ({"b": np.zeros(biases, dtype)} if biases else {})
    return params, function(params, np.zeros((0, *shape), dtype)).shape[1:]


def with_weights(op: Callable[..., Any], options: dict[str, Any], params: Tree, x: Any) -> Any:
    (W,) = own(op.__name__, params, "W")
    return op(x, W, params.get("b"), **options)


def each_channel(options: dict[str, Any], params: Tree, x: Any) -> Any:
    (W,) = own("depthwise_conv", params, "W")
    return ops.conv(x, W, params.get("b"), groups=x.shape[-1], **options)


def check_channels(name: str, channels: int) -> None:
    if not isinstance(channels, Integral) or channels < 1:
        raise ValueError(f"{name}: expected at least one channel, a whole number, got {channels!r}")


def frame(name: str, size: Any, shape: Shape) -> Shape:
    """The size of the frame on each spatial axis of the samples."""
    check_shape(name, shape)
    if len(shape) not in (2, 3, 4):
        raise ValueError(
            f"{name}: expected samples (T, C), (H, W, C) or (D, H, W, C), got {shape}; "
            "a channel axis is added by x[..., None]"
        )
    return per_axis(name, "size", size, len(shape) - 1)
