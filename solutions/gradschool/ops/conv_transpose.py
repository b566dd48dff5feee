"""Transposed convolution: the adjoint of a convolution, which spreads each entry over a frame and adds up the overlap.

    Y = conv_transpose(X, W, b, stride=2, crop="same")  # X (N, H, W, C), W (4, 4, O, C) -> Y (N, 2 H, 2 W, O)
    dX, dW, db = conv_transpose_backward(g, cache)      # g like Y

With the same W, sum(conv(A, W) * X) = sum(A * conv_transpose(X, W)) for all A and X: what `conv` does to gradients on
the way back, this does to values on the way forth. It makes images larger where `conv` makes them smaller.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import floats
from ..autodiff import op
from .conv import conv_plain
from .correlate import correlate, correlate_dP, correlate_dW, sum_of_pixels
from .windows import extents_of, inside, padded, pads, per_axis


def check_conv_transpose(X, W, b, groups):
    if W.ndim not in (3, 4, 5) or X.ndim != W.ndim:
        raise ValueError(
            f"conv_transpose: X {X.shape} and W {W.shape} do not fit; expected X (N, ..., C) and W (..., O, C) "
            "with one to three spatial axes each."
        )
    if X.shape[-1] != W.shape[-1]:
        advice = "try W.swapaxes(-1, -2)" if X.shape[-1] == W.shape[-2] else "X has its channels last, W (..., O, C)"
        raise ValueError(f"conv_transpose: X {X.shape} and W {W.shape} do not fit; {advice}.")
    if not isinstance(groups, int | np.integer) or groups < 1 or X.shape[-1] % groups:
        raise ValueError(f"conv_transpose: groups={groups!r} must divide the channels of X {X.shape}; try a divisor.")
    O = W.shape[-2] * groups
    if b is not None and b.shape != (O,):
        raise ValueError(f"conv_transpose: expected b of shape ({O},) for W {W.shape}, groups={groups}, got {b.shape}.")


def conv_transpose_layout(X, W, b, stride, crop, dilation, groups):
    """(strides, dilations, width of what is cropped, spatial sizes of the result), once everything fits"""
    check_conv_transpose(X, W, b, groups)
    n = W.ndim - 2
    strides = per_axis("conv_transpose", "stride", stride, n)
    dilations = per_axis("conv_transpose", "dilation", dilation, n)
    extents = extents_of(W.shape[:-2], dilations)
    if isinstance(crop, str) and crop == "same":
        sizes = tuple(s * m for m, s in zip(X.shape[1:-1], strides, strict=True))
        return strides, dilations, pads("conv_transpose", "same", sizes, extents, strides), sizes
    if isinstance(crop, str):
        raise ValueError(f'conv_transpose: expected crop "same", a number or pairs, got {crop!r}.')
    width = pads("conv_transpose", crop, X.shape[1:-1], extents, strides, name="crop")
    whole = [s * (m - 1) + e for m, e, s in zip(X.shape[1:-1], extents, strides, strict=True)]
    sizes = tuple(m - sum(w) for m, w in zip(whole, width, strict=True))
    if min(X.shape[1:-1]) < 1 or min(sizes) < 1:
        raise ValueError(
            f"conv_transpose: crop={crop!r} leaves nothing of {tuple(whole)}, which X {X.shape} becomes; crop less."
        )
    return strides, dilations, width, sizes


def conv_transpose_forward(X, W, b=None, stride: Any = 1, crop: Any = 0, dilation: Any = 1, groups=1):
    """Y[n, s p + d k - before, o] = b[o] + sum over c of X[n, p, c] W[k, o, c], where several meet also over p, k"""
    strides, dilations, width, sizes = conv_transpose_layout(X, W, b, stride, crop, dilation, groups)
    X, W = floats(X), floats(W)
    shape = (X.shape[0], *sizes, W.shape[-2] * groups)
    whole = (X.shape[0], *(m + sum(w) for m, w in zip(sizes, width, strict=True)), shape[-1])
    Y = correlate_dP(X, W, whole, strides, dilations, groups)[inside(width, shape)]
    cache = {"X": X, "W": W, "width": width, "strides": strides, "dilations": dilations, "groups": groups}
    return np.ascontiguousarray(Y) if b is None else Y + b, cache


def conv_transpose_some(g, cache, which):
    """Those gradients of `conv_transpose_backward` whose positions are in `which`."""
    X, W = cache["X"], cache["W"]
    layout = cache["strides"], cache["dilations"], cache["groups"]
    P = padded(g, cache["width"])  # what was cropped has no gradient
    dX = correlate(P, W, None, *layout) if 0 in which else None
    dW = correlate_dW(X, P, W.shape, *layout) if 1 in which else None
    return {0: dX, 1: dW, 2: sum_of_pixels(g) if 2 in which else None}


def conv_transpose_backward(g, cache):
    """dL/dX = conv of g with W,  dL/dW[k, o, c] = sum of g[n, s p + d k - before, o] X[n, p, c],  dL/db = sum of g"""
    found = conv_transpose_some(g, cache, (0, 1, 2))
    return found[0], found[1], found[2]


def spread(X, strides):
    """X with s - 1 zeros between neighbours along each spatial axis"""
    for axis, s in enumerate(strides, 1):
        lead = (slice(None),) * axis
        gaps = [(0, 0)] * (axis + 1) + [(0, s - 1)] + [(0, 0)] * (X.ndim - axis - 1)
        apart = np.pad(np.expand_dims(X, axis + 1), gaps)
        n = X.shape[axis] * s
        X = np.reshape(apart, (*X.shape[:axis], n, *X.shape[axis + 1 :]))[(*lead, slice(0, n - s + 1))]
    return X


def conv_transpose_plain(X, W, b=None, stride: Any = 1, crop: Any = 0, dilation: Any = 1, groups=1):
    """The same by `conv`: with zeros between the entries of X, and the weights turned round."""
    strides, dilations, width, sizes = conv_transpose_layout(X, W, b, stride, crop, dilation, groups)
    kernel, (o, C) = W.shape[:-2], W.shape[-2:]
    turned = np.reshape(np.flip(W, tuple(range(len(kernel)))), (*kernel, o, groups, C // groups))
    turned = np.reshape(np.swapaxes(turned, -1, -3), (*kernel, C // groups, groups * o))
    border = [(e - 1, e - 1) for e in extents_of(kernel, dilations)]
    Y = conv_plain(spread(X, strides), turned, None, 1, border, dilations, groups)
    short = [max(before + m - n, 0) for (before, _), m, n in zip(width, sizes, Y.shape[1:-1], strict=True)]
    Y = np.pad(Y, [(0, 0), *((0, m) for m in short), (0, 0)])[inside(width, (X.shape[0], *sizes, Y.shape[-1]))]
    return Y if b is None else Y + b


@op(conv_transpose_forward, conv_transpose_backward, inputs=3, some=conv_transpose_some, plain=conv_transpose_plain)
def conv_transpose(X, W, b=None, stride: Any = 1, crop: Any = 0, dilation: Any = 1, groups=1):
    """Transposed convolution over one to three spatial axes: the adjoint of `conv` with the same weights, plus a bias.

        Y[n, s p + d k - before, o] += X[n, p, c] W[k, o, c],  then Y += b
        dL/dX = conv(g, W)      dL/dW[k, o, c] = sum of g[n, s p + d k - before, o] X[n, p, c]      dL/db = sum of g

    An axis of n becomes s (n - 1) + d (k - 1) + 1 - crop, with the crop of both ends.

    Args:
        X: (N, T, C), (N, H, W, C) or (N, D, H, W, C); N may be 0. Whole numbers are promoted to float64.
        W: weights (*k, O / groups, C): those of the `conv` from O to C channels that this one turns round.
        b: biases (O,), or None for none.
        stride, dilation, groups: as in `conv`.
        crop: what is taken from the ends: a number, one for each axis, or a pair (before, after) for each; "same"
            takes so much that an axis of n becomes s n (or adds zeros to that, where the frame is shorter than s).

    Returns:
        Y (N, *out, O). `conv_transpose_backward` returns (dX, dW, db); its cache has `X`, `W`, `width` (of the crop),
        `strides`, `dilations`, `groups`.

    Raises:
        ValueError: shapes or options that do not fit, or a crop that leaves nothing.

    Frameworks: PyTorch's `conv_transpose2d` calls the crop padding, and has W (C, O / groups, *k); Keras has this
    layout, and "same" as here. Source: Zeiler et al., Deconvolutional Networks, 2010.

    >>> X = np.array([1.0, 2.0]).reshape(1, 2, 1)
    >>> print(conv_transpose(X, np.array([1.0, 10.0, 100.0]).reshape(3, 1, 1), stride=2).ravel())
    [  1.  10. 102.  20. 200.]
    """
    return conv_transpose_forward(X, W, b, stride, crop, dilation, groups)[0]
