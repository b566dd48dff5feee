"""Pooling: of each window, only the mean or the largest entry, channel by channel, so that images become smaller.

    Y = maxpool(X, 2)                                   # X (N, H, W, C) -> Y (N, H // 2, W // 2, C)
    Y = avgpool(X, 3, stride=2, padding="same")         # the mean of what is there: padding does not count
    Y, places = maxpool(X, 2, indices=True)             # and where they were
    X = maxunpool(Y, places, (H, W))                    # back to there, zeros elsewhere

One, two or three spatial axes, by the number of X's. The largest of a window is the largest of the largest of its
rows, and means work alike, so all is done one axis after the other: 2 k comparisons in place of k^2.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..arrays import floats
from ..autodiff import op, stop_gradient
from .threads import each
from .windows import blocks, check_border, extents_of, inside, padded, padded_plain, pads, per_axis, places, unpadded

BLOCK = 1 << 19  # bytes of the samples in a block: with what is made of them on the way, they stay in the cache


def pool_layout(op, X, size, stride, padding, dilation=1):
    """(width of the padding, for each spatial axis (k, s, d, places)), once everything fits"""
    if X.ndim not in (3, 4, 5):
        raise ValueError(
            f"{op}: expected X (N, ..., C) with one to three spatial axes, got {X.shape}; try X[..., None]."
        )
    n, sizes = X.ndim - 2, X.shape[1:-1]
    if isinstance(size, str) and size == "global":
        size, stride, padding = sizes, 1, 0
    kernel = per_axis(op, "size", size, n)
    strides = per_axis(op, "stride", kernel if stride is None else stride, n)
    dilations = per_axis(op, "dilation", dilation, n)
    extents = extents_of(kernel, dilations)
    width = pads(op, padding, sizes, extents, strides)
    out = places(op, sizes, width, extents, strides)
    for m, k, s, d, w, o in zip(sizes, kernel, strides, dilations, width, out, strict=True):
        if not taps_inside(m, k, s, d, w, o).any(axis=1).all():
            raise ValueError(f"{op}: with {size=} and {padding=}, a window of X {X.shape} holds nothing; pad by less.")
    return width, list(zip(kernel, strides, dilations, out, strict=True))


def taps_inside(m, k, s, d, width, o):
    """(o, k), whether entry j of the window at place i lies within the axis of length m"""
    where = s * np.arange(o)[:, None] + d * np.arange(k) - width[0]
    return (where >= 0) & (where < m)


def taps(X, axis, k, s, d, o):
    """For each of k entries of a window along an axis: that entry of all o windows, as views of X"""
    for j in range(k):
        yield X[(slice(None),) * axis + (slice(j * d, j * d + (o - 1) * s + 1, s),)]


# ------------------------------------------------------------------------------------------------------------ largest
def stages(x, frame):
    """[x, the largest along its last spatial axis, of these the largest along the one before, ...]"""
    found = [x]
    for axis in range(len(frame), 0, -1):  # the last first: of equal entries, the first row by row is found
        first, *others = taps(found[-1], axis, *frame[axis - 1])
        y = np.maximum(first, others[0]) if others else first.copy()
        for other in others[1:]:
            np.maximum(y, other, out=y)
        found.append(y)
    return found


def samples(X):
    """Slices of a few samples each"""
    return [block[0] for block in blocks(X.shape[:1], BLOCK // max(X[:1].nbytes, 1))]


def maxpool_forward(X, size, stride: Any = None, padding: Any = 0, dilation: Any = 1, indices=False):
    """y = the largest of each window; padding never is"""
    width, frame = pool_layout("maxpool", X, size, stride, padding, dilation)
    P = padded(floats(X), width, -np.inf)
    y = np.empty((P.shape[0], *(o for *_, o in frame), P.shape[-1]), P.dtype)

    def pool(some):
        y[some] = stages(P[some], frame)[-1]

    each(pool, samples(P))
    cache = {"P": P, "frame": frame, "width": width, "shape": X.shape}
    return (y, maxpool_places(cache)) if indices else y, cache


def maxpool_places(cache):
    """Where the largest are: the number of the place in X's spatial axes, counted row by row"""
    frame, sizes = cache["frame"], cache["shape"][1:-1]
    at = np.pad(np.arange(math.prod(sizes)).reshape(sizes), cache["width"], mode="edge")[None, ..., None]
    at, found = np.broadcast_to(at, cache["P"].shape), stages(cache["P"], frame)
    for axis, x, y in zip(range(len(frame), 0, -1), found[:-1], found[1:], strict=True):
        *others, last = taps(at, axis, *frame[axis - 1])
        at = last
        for part, where in reversed(list(zip(taps(x, axis, *frame[axis - 1]), others, strict=False))):
            at = np.where(part == y, where, at)
    return np.ascontiguousarray(at)


def maxpool_backward(g, cache):
    """dL/dx = g for the largest of each window, the first of them where several are equal; 0 for the others"""
    P, frame = cache["P"], cache["frame"]

    def masks(some):
        found = stages(P[some], frame)  # once more: cheaper than to keep them all
        for axis, (x, y) in enumerate(zip(found[-2::-1], found[:0:-1], strict=True), 1):
            yield (part == y for part in taps(x, axis, *frame[axis - 1]))

    return spread(g, cache, masks)


def spread(g, cache, masks):
    """dX, where `masks(some)` has for every axis, the first one first, which entries of its windows are the largest"""
    g, P, frame = g[0] if isinstance(g, tuple) else g, cache["P"], cache["frame"]
    dP = room(P.shape, g.dtype, len(frame), *frame[-1])

    def unpool(some):
        d = g[some]
        for axis, largest in enumerate(masks(some), 1):
            shape = (*d.shape[:axis], P.shape[axis], *d.shape[axis + 1 :])
            dx = dP[some] if axis == len(frame) else room(shape, g.dtype, axis, *frame[axis - 1])
            d = largest_back(d, largest, dx, axis, *frame[axis - 1])

    each(unpool, samples(P))
    return np.ascontiguousarray(dP[inside(cache["width"], cache["shape"])])


def room(shape, dtype, axis, k, s, d, o):
    """Zeros for a gradient to be added to, or just memory where each entry is in a window, and so will be written"""
    return (np.empty if s == k and d == 1 and o * s == shape[axis] else np.zeros)(shape, dtype)


def largest_back(g, largest, dx, axis, k, s, d, o):
    """Add to dx from `room` the gradient of the largest of each window along one axis: g to the first entry whose mask
    in `largest` is True, or else to the last."""
    alone = s > d * (k - 1)  # no entry is in two windows
    masks = iter(largest)
    for j, target in enumerate(taps(dx, axis, k, s, d, o)):
        taken = g
        if j < k - 1:
            taken = next(masks).astype(g.dtype)  # for a product: np.where takes longer on a mask without pattern
            taken *= g
            g = g - taken
        if alone:
            target[...] = taken
        else:
            target += taken
    return dx


def maxpool_keeping(X, size, stride: Any = None, padding: Any = 0, dilation: Any = 1, indices=False):
    """The forward; of windows of two by two it keeps which entry is the larger, a byte for each, for the backward"""
    width, frame = pool_layout("maxpool", X, size, stride, padding, dilation)
    if indices or any(k != 2 for k, *_ in frame):
        return maxpool_forward(X, size, stride, padding, dilation, indices)
    P = padded(floats(X), width, -np.inf)
    shapes = [(*P.shape[: i + 1], *(o for *_, o in frame[i:]), P.shape[-1]) for i in range(len(frame))]
    y, first = np.empty(shapes[0], P.dtype), [np.empty(shape, bool) for shape in shapes]

    def pool(some):
        x = P[some]
        for axis in range(len(frame), 0, -1):
            one, other = taps(x, axis, *frame[axis - 1])
            np.greater_equal(one, other, out=first[axis - 1][some])
            x = np.maximum(one, other, out=y[some] if axis == 1 else None)

    each(pool, samples(P))
    return y, {"P": P, "frame": frame, "width": width, "shape": X.shape, "first": first}


def maxpool_kept(g, cache):
    """maxpool_backward without comparing once more"""
    if "first" not in cache:
        return maxpool_backward(g, cache)
    return spread(g, cache, lambda some: ((first[some],) for first in cache["first"]))


def maxpool_plain(X, size, stride: Any = None, padding: Any = 0, dilation: Any = 1, indices=False):
    """The same by choosing, which can be traced."""
    width, frame = pool_layout("maxpool", X, size, stride, padding, dilation)
    y = padded_plain(X, width, -np.inf)
    for axis in range(len(frame), 0, -1):
        y, *others = taps(y, axis, *frame[axis - 1])
        for other in others:
            y = np.where(other > y, other, y)
    return (y, maxpool_forward(stop_gradient(X), size, stride, padding, dilation, True)[0][1]) if indices else y


@op(maxpool_forward, maxpool_backward, plain=maxpool_plain, fresh=True, fast=(maxpool_keeping, maxpool_kept))
def maxpool(X, size, stride: Any = None, padding: Any = 0, dilation: Any = 1, indices=False):
    """The largest entry of each window, channel by channel, over one to three spatial axes.

        y[n, p, c] = max over k of x[n, s p + d k, c]           dL/dx = g there, for the first of equals; else 0

    Args:
        X: (N, T, C), (N, H, W, C) or (N, D, H, W, C); N may be 0. Whole numbers are promoted to float64.
        size: of the window: a number, one for each axis, or "global" for all of X.
        stride: how far apart the windows; None for `size`, so that they touch.
        padding: as in `conv`; what is added is smaller than everything.
        dilation: how far apart the entries of a window.
        indices: return where they were, too.

    Returns:
        Y (N, *out, C); with `indices` a pair (Y, places), where places has Y's shape and counts X's spatial places
        row by row, as `maxunpool` wants it. `maxpool_backward` returns dX; its cache has `P` (X with its padding),
        `shape` (of X), `width` (of the padding) and `frame` (k, s, d and places of each axis).

    Raises:
        ValueError: options that do not fit, a window larger than X, or one that holds padding only.

    Frameworks: stride = size is PyTorch's and Keras' default; MATLAB's function has stride 1.

    >>> x = np.array([1.0, 3.0, -2.0, -1.0]).reshape(1, 4, 1)
    >>> print(maxpool(x, 2).ravel(), maxpool(x, 3, stride=1).ravel())
    [ 3. -1.] [3. 3.]
    """
    return maxpool_forward(X, size, stride, padding, dilation, indices)[0]


# --------------------------------------------------------------------------------------------------------------- mean
def shares(sizes, frame, width, count_include_pad):
    """1 / how many entries each window holds (*out, 1)"""
    share = np.ones(())
    for m, (k, s, d, o), w in zip(sizes, frame, width, strict=True):
        count = np.full(o, k) if count_include_pad else taps_inside(m, k, s, d, w, o).sum(1)
        share = share[..., None] / count
    return share[..., None]


def avgpool_forward(X, size, stride: Any = None, padding: Any = 0, count_include_pad=False, padding_value: Any = 0):
    """y = the sum of each window, divided by how many entries it holds"""
    width, frame = pool_layout("avgpool", X, size, stride, padding)
    check_value(padding_value, count_include_pad)
    y = padded(floats(X), width, padding_value)
    for axis in range(len(frame), 0, -1):
        y = sums(y, axis, *frame[axis - 1])
    share = shares(X.shape[1:-1], frame, width, count_include_pad).astype(y.dtype)
    cache = {"share": share, "frame": frame, "width": width, "shape": X.shape, "value": padding_value}
    return y * share, cache


def check_value(value, count_include_pad):
    check_border("avgpool", value)
    if value != 0 and not count_include_pad:
        raise ValueError(f"avgpool: padding_value={value!r} is for padding that counts; try count_include_pad=True.")


def sums(x, axis, k, s, d, o):
    """The sum of each window along one axis"""
    if o == 1:  # as in global pooling
        return np.sum(x[(slice(None),) * axis + (slice(0, k),)], axis, keepdims=True)
    first, *others = taps(x, axis, k, s, d, o)
    y = first + others[0] if others else first.copy()
    for other in others[1:]:
        y += other
    return y


def avgpool_backward(g, cache):
    """dL/dx += g / the number of entries, for all windows that x is in"""
    frame, width, shape = cache["frame"], cache["width"], cache["shape"]
    sizes = [m + sum(w) for m, w in zip(shape[1:-1], width, strict=True)]
    g = g * cache["share"]
    for axis, (k, s, d, o) in enumerate(frame, 1):
        dx = np.zeros((*g.shape[:axis], sizes[axis - 1], *g.shape[axis + 1 :]), g.dtype)
        for target in taps(dx, axis, k, s, d, o):
            target += g
        g = dx
    return np.ascontiguousarray(unpadded(g, width, shape, cache["value"]))


def avgpool_plain(X, size, stride: Any = None, padding: Any = 0, count_include_pad=False, padding_value: Any = 0):
    """The same with sums of views, which can be traced."""
    width, frame = pool_layout("avgpool", X, size, stride, padding)
    check_value(padding_value, count_include_pad)
    y = padded_plain(X, width, padding_value)
    for axis in range(len(frame), 0, -1):
        y = sum(taps(y, axis, *frame[axis - 1]))
    return y * shares(X.shape[1:-1], frame, width, count_include_pad).astype(X.dtype)


@op(avgpool_forward, avgpool_backward, plain=avgpool_plain, fresh=True)
def avgpool(X, size, stride: Any = None, padding: Any = 0, count_include_pad=False, padding_value: Any = 0):
    """The mean of each window, channel by channel, over one to three spatial axes.

        y[n, p, c] = sum over k of x[n, s p + k, c] / n_p       dL/dx[n, s p + k, c] += g[n, p, c] / n_p

    n_p is how many entries of x the window at p holds; with `count_include_pad` always the size of the window.

    Args:
        X: (N, T, C), (N, H, W, C) or (N, D, H, W, C); N may be 0. Whole numbers are promoted to float64.
        size: of the window: a number, one for each axis, or "global" for all of X, which leaves (N, 1, ..., C).
        stride: how far apart the windows; None for `size`, so that they touch.
        padding: as in `conv`.
        count_include_pad: whether the padding counts as entries.
        padding_value: what the padding holds, as in `conv`: a number, or one of the ways to repeat what is at the edge.
            Other than 0 only where the padding counts.

    Returns:
        Y (N, *out, C). `avgpool_backward` returns dX; its cache has `share` (1 / n_p), `frame` (k, s, 1 and places of
        each axis), `width` and `value` (of the padding) and `shape` (of X).

    Raises:
        ValueError: options that do not fit, a window larger than X, or one that holds padding only.

    Frameworks: PyTorch and MATLAB count the padding, Keras does not; stride 1 is MATLAB's default.

    >>> x = np.array([1.0, 3.0, -2.0, -1.0]).reshape(1, 4, 1)
    >>> print(avgpool(x, 2).ravel(), avgpool(x, 3, stride=2, padding="same").ravel(), avgpool(x, "global").ravel())
    [ 2.  -1.5] [ 0.66666667 -1.5       ] [0.25]
    """
    return avgpool_forward(X, size, stride, padding, count_include_pad, padding_value)[0]
