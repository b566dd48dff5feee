"""Convolution: one small set of weights looks at every place of a signal, image or volume, and says what it sees.

    Y = conv(X, W, b, padding="same")                   # X (N, H, W, C), W (3, 3, C, O) -> Y (N, H, W, O)
    Y = conv(X, W, b, stride=2, groups=4)               # every second place; four groups of channels by themselves
    dX, dW, db = conv_backward(g, cache)                # g like Y

It is a correlation: the weights are not flipped. One, two or three spatial axes, by the number of W's axes. There are
several ways to the same numbers: `correlate` is for every case, `overlap`, `winograd` and `winograd_rows` are faster
for images of some sizes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import floats
from ..autodiff import op
from .correlate import correlate, correlate_dP, correlate_dW, sum_of_pixels
from .overlap import overlap, overlap_back, overlap_fits
from .windows import check_border, extents_of, padded, padded_plain, pads, per_axis, places, under, unpadded
from .winograd import winograd, winograd_back, winograd_fits
from .winograd_rows import winograd_rows_back, winograd_rows_fit


def check_conv(X, W, b, groups):
    """Shapes that fit each other, or an error that says which do not."""
    if W.ndim not in (3, 4, 5) or X.ndim != W.ndim:
        raise ValueError(
            f"conv: X {X.shape} and W {W.shape} do not fit; expected X (N, ..., C) and W (..., C, O) with one to three "
            "spatial axes each; a channel axis is added by X[..., None]."
        )
    if not isinstance(groups, int | np.integer) or groups < 1 or W.shape[-1] % groups or X.shape[-1] % groups:
        raise ValueError(
            f"conv: groups={groups!r} must divide the channels of X {X.shape} and of W {W.shape}; try a divisor."
        )
    if X.shape[-1] != W.shape[-2] * groups:
        expected = (*W.shape[:-2], X.shape[-1] // groups, W.shape[-1])
        raise ValueError(
            f"conv: X {X.shape} and W {W.shape} do not fit with groups={groups}; X has its channels last, "
            f"W would be {expected}."
        )
    if b is not None and b.shape != W.shape[-1:]:
        raise ValueError(f"conv: expected b of shape {W.shape[-1:]} for W {W.shape}, got {b.shape}.")


def conv_layout(X, W, b, stride, padding, dilation, groups, padding_value):
    """(strides, dilations, width of the padding), once everything fits"""
    check_conv(X, W, b, groups)
    check_border("conv", padding_value)
    n = W.ndim - 2
    strides, dilations = per_axis("conv", "stride", stride, n), per_axis("conv", "dilation", dilation, n)
    extents = extents_of(W.shape[:-2], dilations)
    width = pads("conv", padding, X.shape[1:-1], extents, strides)
    places("conv", X.shape[1:-1], width, extents, strides)
    return strides, dilations, width


def conv_forward(X, W, b=None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups=1, padding_value: Any = 0):
    """Y[n, p, o] = b[o] + sum over k and c of X[n, s p + d k - before, c] W[k, c, o]"""
    strides, dilations, width = conv_layout(X, W, b, stride, padding, dilation, groups, padding_value)
    P, W, layout = padded(floats(X), width, padding_value), floats(W), (strides, dilations, groups)
    if overlap_fits(P.shape, W.shape, *layout):
        Y = overlap(P, W, b)
    elif winograd_fits(W.shape, *layout):
        Y = winograd(P, W, b)
    else:
        Y = correlate(P, W, b, *layout)
    cache = {"P": P, "W": W, "shape": X.shape, "width": width, "value": padding_value}
    return Y, cache | {"strides": strides, "dilations": dilations, "groups": groups}


def conv_some(g, cache, which):
    """Those gradients of `conv_backward` whose positions are in `which`."""
    P, W = cache["P"], cache["W"]
    layout = cache["strides"], cache["dilations"], cache["groups"]
    if winograd_rows_fit(P.shape, W.shape, *layout):
        found = winograd_rows_back(g, P, W, [name for i, name in enumerate("PWb") if i in which])
    elif overlap_fits(P.shape, W.shape, *layout):
        found = overlap_back(g, P, W, [name for i, name in enumerate("PWb") if i in which])
    elif winograd_fits(W.shape, *layout):
        found = winograd_back(g, P, W, [name for i, name in enumerate("PW") if i in which])
    else:
        dP = correlate_dP(g, W, P.shape, *layout) if 0 in which else None
        found = {"P": dP, "W": correlate_dW(g, P, W.shape, *layout) if 1 in which else None}
    if 2 in which and "b" not in found:
        found["b"] = sum_of_pixels(g)
    dX = unpadded(found["P"], cache["width"], cache["shape"], cache["value"]) if 0 in which else None
    return {0: dX, 1: found.get("W"), 2: found.get("b")}


def conv_backward(g, cache):
    """dL/dX[n, s p + d k - before, c] += g[n, p, o] W[k, c, o], dL/dW[k, c, o] = sum of X[n, s p + d k - before, c]
    g[n, p, o], dL/db = sum of g
    """
    found = conv_some(g, cache, (0, 1, 2))
    return found[0], found[1], found[2]


def conv_plain(X, W, b=None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups=1, padding_value: Any = 0):
    """The definition: for each entry of the frame, what lies under it, times its weights."""
    strides, dilations, width = conv_layout(X, W, b, stride, padding, dilation, groups, padding_value)
    kernel, O = W.shape[:-2], W.shape[-1]
    out = places("conv", X.shape[1:-1], width, extents_of(kernel, dilations), strides)
    P = padded_plain(X, width, padding_value)
    Wg = np.swapaxes(np.reshape(W, (*W.shape[:-1], groups, O // groups)), -2, -3)  # (*k, groups, c, O / groups)
    Y = 0
    for offset in np.ndindex(*kernel):
        part = P[under(offset, (slice(None),), out, strides, dilations)]
        Y = Y + np.reshape(part, (*part.shape[:-1], groups, 1, W.shape[-2])) @ Wg[offset]
    Y = np.reshape(Y, (X.shape[0], *out, O))
    return Y if b is None else Y + b


@op(conv_forward, conv_backward, inputs=3, some=conv_some, plain=conv_plain, fresh=True)
def conv(X, W, b=None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups=1, padding_value: Any = 0):
    """Convolution over one, two or three spatial axes, channels last; a correlation, the weights are not flipped.

        Y[n, p, o] = b[o] + sum over k and c of P[n, s p + d k, c] W[k, c, o]       (P is X with its padding)
        dL/dP[n, s p + d k, c] += g[n, p, o] W[k, c, o]         dL/db = sum of g
        dL/dW[k, c, o] = sum over n and p of P[n, s p + d k, c] g[n, p, o]

    Each axis has (n + padding - d (k - 1) - 1) // s + 1 results, for k weights, stride s and dilation d.

    Args:
        X: (N, T, C), (N, H, W, C) or (N, D, H, W, C); N may be 0. Whole numbers are promoted to float64.
        W: weights (*k, C / groups, O), with as many axes in k as X has spatial ones.
        b: biases (O,), or None for none.
        stride, dilation: how far apart the places, and the entries of the frame; one number, or one for each axis.
        padding: what is added around X: a number, one for each axis, or a pair (before, after) for each; "valid" for
            nothing; "same" so that an axis of n has ceil(n / s) results, an odd entry more at its end.
        groups: the channels of X and Y are cut into so many consecutive groups, each with weights of its own. With
            groups = C each channel is by itself ("channel-wise separable", "depthwise").
        padding_value: a number, or X's own entries: "symmetric-include-edge" (b a | a b c), "symmetric-exclude-edge"
            (c b | a b c), "replicate" (a a | a b c).

    Returns:
        Y (N, *out, O). `conv_backward` returns (dX, dW, db); its cache has `P` (X with its padding), `W`, `shape` (of
        X), `width` (of the padding), `value`, `strides`, `dilations`, `groups`.

    Raises:
        ValueError: shapes or options that do not fit, or a frame that is larger than the padded X.

    Frameworks: PyTorch has channels first and W (O, C / groups, *k); its numeric padding is this one, its "same" too.
    "same" with a stride is that of MATLAB and TensorFlow, where PyTorch users write padding=k // 2, which starts
    elsewhere. MATLAB keeps the groups of W on an axis of their own. Source: LeCun et al., 1989.

    >>> X = np.array([1.0, 2.0, 4.0]).reshape(1, 3, 1)
    >>> print(conv(X, np.array([10.0, 1.0]).reshape(2, 1, 1), padding="same").ravel())
    [12. 24. 40.]
    """
    return conv_forward(X, W, b, stride, padding, dilation, groups, padding_value)[0]
