"""Windows: what convolution and pooling share. A small frame slides over an image, and may hang over its edge.

    width = pads("conv", "same", sizes=(28,), extents=(3,), strides=(2,))      # [(0, 1)]: what to add on each side
    P = padded(X, width)                                # X (N, *S, C), with a border of zeros
    v = windows(P, (3, 3), strides=(2, 2), dilations=(1, 1))           # (N, *out, 3, 3, C), a view: nothing is copied

A frame of k entries, d apart, spans an extent of d (k - 1) + 1; with stride s it has (n - extent) // s + 1 places.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

# what NumPy calls them
BORDERS = {
    "symmetric-include-edge": "symmetric",
    "symmetric-exclude-edge": "reflect",
    "replicate": "edge",
}


# ------------------------------------------------------------------------------------------------------- how many
def whole(v, least):
    return isinstance(v, int | np.integer) and v >= least


def per_axis(op, name, value, n, least=1):
    """An option as n whole numbers, one for each spatial axis; a single number counts for all."""
    values = tuple(value) if isinstance(value, tuple | list | np.ndarray) else (value,) * n
    if len(values) != n or not all(whole(v, least) for v in values):
        raise ValueError(f"{op}: expected {name} of {least} or more, one number or {n} of them, got {value!r}.")
    return tuple(int(v) for v in values)


def extents_of(kernel, dilations):
    return tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True))


def pads(op, padding, sizes, extents, strides, name="padding"):
    """How much to add before and after each axis; "same" gives ceil(n / s) places, an odd one more at the end."""
    n = len(sizes)
    if isinstance(padding, str):
        if padding == "valid":
            return [(0, 0)] * n
        if padding != "same":
            raise ValueError(f'{op}: expected {name} "same", "valid", a number or pairs, got {padding!r}.')
        missing = [max((math.ceil(m / s) - 1) * s + e - m, 0) for m, e, s in zip(sizes, extents, strides, strict=True)]
        return [(m // 2, m - m // 2) for m in missing]
    widths = tuple(padding) if isinstance(padding, tuple | list | np.ndarray) else (padding,) * n
    pairs = [tuple(w) if isinstance(w, tuple | list | np.ndarray) else (w, w) for w in widths]
    if len(pairs) != n or not all(len(pair) == 2 and whole(pair[0], 0) and whole(pair[1], 0) for pair in pairs):
        advice = f"a number, or {n} numbers or pairs (before, after)"
        raise ValueError(f'{op}: expected {name} {advice}, "same" or "valid", got {padding!r}.')
    return [(int(before), int(after)) for before, after in pairs]


def places(op, sizes, width, extents, strides):
    """How many places a window has along each axis."""
    total = [n + sum(w) for n, w in zip(sizes, width, strict=True)]
    if any(n < e for n, e in zip(total, extents, strict=True)):
        raise ValueError(
            f"{op}: a window of {extents} does not fit into {tuple(total)}, which is {tuple(sizes)} with its padding; "
            'take a smaller one, or padding="same". Channels come last: (N, height, width, C).'
        )
    return tuple((n - e) // s + 1 for n, e, s in zip(total, extents, strides, strict=True))


# ------------------------------------------------------------------------------------------------------ over the edge
def check_border(op, value):
    if isinstance(value, str) and value not in BORDERS:
        raise ValueError(f"{op}: expected padding_value to be a number or one of {', '.join(BORDERS)}, got {value!r}.")


def border_mode(value) -> Any:
    return BORDERS[value]


def border_sources(n, width, value):
    """Which entry of an axis of length n stands where, in the padded one."""
    if n == 0 or (value == "symmetric-exclude-edge" and n == 1 and any(width)):
        raise ValueError(
            f"conv: padding_value={value!r} has nothing to repeat along an axis of length {n}; pad by a number."
        )
    return np.pad(np.arange(n), width, mode=border_mode(value))


def padded(X, width, value: Any = 0):
    """X (N, *S, C) with a border of a number, or of X's own entries."""
    if not any(map(any, width)):
        return X
    if isinstance(value, str):
        for axis, w in enumerate(width, 1):
            X = X.take(border_sources(X.shape[axis], w, value), axis)
        return X
    sizes = [n + sum(w) for n, w in zip(X.shape[1:-1], width, strict=True)]
    P = np.full((X.shape[0], *sizes, X.shape[-1]), value, X.dtype)
    P[inside(width, X.shape)] = X
    return P


def inside(width, shape):
    """The index of what was there before the padding."""
    spatial = (slice(before, before + n) for (before, _), n in zip(width, shape[1:-1], strict=True))
    return (slice(None), *spatial)


def unpadded(dP, width, shape, value: Any = 0):
    """The adjoint of `padded`: entries that the border repeated collect its gradients."""
    if not any(map(any, width)):
        return dP
    if not isinstance(value, str):
        return np.ascontiguousarray(dP[inside(width, shape)])
    for axis in range(len(width), 0, -1):
        (before, after), n = width[axis - 1], shape[axis]
        moved = dP.swapaxes(0, axis)
        dX = moved[before : before + n].copy()
        sources = border_sources(n, (before, after), value)
        for place in (*range(before), *range(before + n, before + n + after)):
            dX[sources[place]] += moved[place]
        dP = dX.swapaxes(0, axis)
    return np.ascontiguousarray(dP)


def padded_plain(X, width, value: Any = 0):
    """`padded` in NumPy's own words, which can be traced."""
    width = [(0, 0), *width, (0, 0)]
    return (
        np.pad(X, width, mode=border_mode(value)) if isinstance(value, str) else np.pad(X, width, constant_values=value)
    )


# ------------------------------------------------------------------------------------------------- where the frame is
def windows(P, kernel, strides, dilations):
    """All windows of P (N, *S, ...) as a view (N, *out, ..., *kernel), `...` being the axes behind the spatial ones."""
    n = len(kernel)
    v = np.lib.stride_tricks.sliding_window_view(P, extents_of(kernel, dilations), tuple(range(1, n + 1)))
    places = tuple(slice(None, None, s) for s in strides)
    return v[(slice(None), *places, ..., *(slice(None, None, d) for d in dilations))]


def under(offset, block, out, strides, dilations):
    """The index of those entries of P that lie under one entry of the frame, for a block of places (N, *out)."""
    index = [block[0]]
    for axis, (k, n, s, d) in enumerate(zip(offset, out, strides, dilations, strict=True), 1):
        first, last, _ = block[axis].indices(n) if axis < len(block) else (0, n, 1)
        index.append(slice(k * d + first * s, k * d + (last - 1) * s + 1, s))
    return tuple(index)


def blocks(shape, most):
    """Indices that cut an array of this shape into contiguous blocks of at most `most` entries, or one row."""
    inner = math.prod(shape[1:])
    if inner <= most or len(shape) == 1:
        step = max(1, most // max(inner, 1))
        for i in range(0, shape[0], step):
            yield (slice(i, min(i + step, shape[0])),)
    else:
        for i in range(shape[0]):
            for rest in blocks(shape[1:], most):
                yield (slice(i, i + 1), *rest)
