"""Layers that convolve: the same few weights look at every place of a signal, image or volume.

net = sequential(conv(20, 5), gs.relu, maxpool(2), conv(40, 3, padding="same"), gs.relu, flatten(), dense(10))
params, state, shape = net.init(rng, (28, 28, 1))       # samples with their channels last; params[0]["W"] (5, 5, 1, 20)
up = conv_transpose(3, 4, stride=2, crop="same")        # images of twice the height and width

The samples decide how many spatial axes there are: (T, C), (H, W, C) or (D, H, W, C).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import initializers, ops
from ..ops.windows import per_axis
from .base import Layer, Shape, Tree, sequential, stateless

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

    >>> params, _, shape = conv(20, 5).init(np.random.default_rng(0), (28, 28, 1))
    >>> params["W"].shape, shape
    ((5, 5, 1, 20), (24, 24, 20))
    """
    check_channels("conv", channels)
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    function = functools.partial(with_weights, ops.conv, options | {"padding_value": padding_value})
    start = functools.partial(conv_init, function, channels, size, groups, bias, init)
    return stateless(start, function, f"conv({channels}, {size})")


def conv_init(
    function: Callable[..., Any],
    channels: int,
    size: Any,
    groups: int,
    bias: bool,
    init: Init,
    rng: np.random.Generator,
    shape: Shape,
    dtype: Any,
) -> tuple[Tree, Shape]:
    kernel = frame("conv", size, shape)
    if shape[-1] % groups or channels % groups:
        raise ValueError(f"conv: {groups} groups must divide {channels} channels and those of samples {shape}")
    params = {"W": init((*kernel, shape[-1] // groups, channels), rng, dtype=dtype)}
    params |= {"b": np.zeros(channels, dtype)} if bias else {}
    return params, shape_after(function, params, shape, dtype)


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

    >>> conv_transpose(3, 4, stride=2, crop="same").init(np.random.default_rng(0), (7, 7, 8))[2]
    (14, 14, 3)
    """
    check_channels("conv_transpose", channels)
    options = {"stride": stride, "crop": crop, "dilation": dilation, "groups": groups}
    function = functools.partial(with_weights, ops.conv_transpose, options)
    start = functools.partial(conv_transpose_init, function, channels, size, groups, bias, init)
    return stateless(start, function, f"conv_transpose({channels}, {size})")


def conv_transpose_init(
    function: Callable[..., Any],
    channels: int,
    size: Any,
    groups: int,
    bias: bool,
    init: Init,
    rng: np.random.Generator,
    shape: Shape,
    dtype: Any,
) -> tuple[Tree, Shape]:
    kernel = frame("conv_transpose", size, shape)
    if shape[-1] % groups or channels % groups:
        raise ValueError(
            f"conv_transpose: {groups} groups must divide {channels} channels and those of samples {shape}"
        )
    W = init((*kernel, shape[-1], channels // groups), rng, dtype=dtype)
    params = {"W": np.ascontiguousarray(W.swapaxes(-1, -2))} | ({"b": np.zeros(channels, dtype)} if bias else {})
    return params, shape_after(function, params, shape, dtype)


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

    >>> depthwise_conv(3, multiplier=2, padding="same").init(np.random.default_rng(0), (6, 6, 4))[2]
    (6, 6, 8)
    """
    check_channels("depthwise_conv", multiplier)
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    function = functools.partial(each_channel, options)
    start = functools.partial(depthwise_init, function, size, multiplier, bias, init)
    return stateless(start, function, f"depthwise_conv({size})")


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
    kernel = frame("depthwise_conv", size, shape)
    channels = multiplier * shape[-1]
    params = {"W": init((*kernel, 1, channels), rng, dtype=dtype)}
    params |= {"b": np.zeros(channels, dtype)} if bias else {}
    return params, shape_after(function, params, shape, dtype)


def each_channel(options: dict[str, Any], params: Tree, x: Any) -> Any:
    return ops.conv(x, params["W"], params.get("b"), groups=x.shape[-1], **options)


def separable_conv(
    channels: int, size: Any, multiplier: int = 1, init: Init = initializers.glorot, **options: Any
) -> Layer:
    """Depthwise, then a convolution with frames of 1 that mixes the channels: far fewer weights than `conv` has.

    A `sequential` of both, so params[0] is the depthwise part, without bias, and params[1] the mixing one. The options
    (stride, padding, dilation) are those of the depthwise part. Source: Chollet, Xception, 2017; Keras' layer.

    >>> params, _, shape = separable_conv(64, 3, padding="same").init(np.random.default_rng(0), (6, 6, 32))
    >>> params[0]["W"].shape, params[1]["W"].shape, shape
    ((3, 3, 1, 32), (1, 1, 32, 64), (6, 6, 64))
    """
    return sequential(depthwise_conv(size, multiplier, bias=False, init=init, **options), conv(channels, 1, init=init))


# ---------------------------------------------------------------------------------------------------------- in common
def with_weights(function: Callable[..., Any], options: dict[str, Any], params: Tree, x: Any) -> Any:
    return function(x, params["W"], params.get("b"), **options)


def check_channels(name: str, channels: int) -> None:
    if channels < 1:
        raise ValueError(f"{name}: expected at least one channel, got {channels}")


def frame(name: str, size: Any, shape: Shape) -> Shape:
    """The size of the frame on each spatial axis of the samples."""
    if len(shape) not in (2, 3, 4):
        raise ValueError(
            f"{name}: expected samples (T, C), (H, W, C) or (D, H, W, C), got {shape}; "
            "a channel axis is added by x[..., None]"
        )
    return per_axis(name, "size", size, len(shape) - 1)


def shape_after(function: Callable[..., Any], params: Tree, shape: Shape, dtype: Any) -> Shape:
    """The shape of a result, by the op's own account: it is asked for that of no samples at all."""
    return function(params, np.zeros((0, *shape), dtype)).shape[1:]
