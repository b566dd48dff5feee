"""Unpooling: what pooling made small becomes large again, each entry at the place that it came from.

Y, places = maxpool(X, 2, indices=True)             # X (N, H, W, C) -> Y and places (N, H // 2, W // 2, C)
Z = maxunpool(Y, places, (H, W))                    # Y's entries at their places in X, zeros elsewhere
"""

from __future__ import annotations

import math

import numpy as np

from ..arrays import floats
from ..autodiff import op
from ..autodiff.traced import scatter


def places_in_memory(Y, places, sizes):
    """Numbers of the entries of an array (N, *sizes, C), for each entry of places (N, *out, C)"""
    N, C, n = Y.shape[0], Y.shape[-1], math.prod(sizes)
    if places.shape != Y.shape or places.dtype.kind not in "iu" or len(sizes) != Y.ndim - 2:
        raise ValueError(
            f"maxunpool: expected whole numbers of shape {Y.shape} and {Y.ndim - 2} sizes, got {places.dtype} "
            f"{places.shape} and {sizes!r}; take the places from maxpool(..., indices=True)."
        )
    if places.size and (places.min() < 0 or places.max() >= n):
        raise ValueError(f"maxunpool: places {places.min()}..{places.max()} do not lie within {tuple(sizes)}.")
    first = np.arange(N).reshape(N, *(1,) * (Y.ndim - 1)) * n
    return (first + places) * C + np.arange(C)


def maxunpool_forward(Y, places, sizes):
    """x[n, places[n, p, c], c] += y[n, p, c]"""
    Y = floats(Y)
    where = places_in_memory(Y, places, sizes)
    shape = (Y.shape[0], *sizes, Y.shape[-1])
    x = np.zeros(math.prod(shape), Y.dtype)
    np.add.at(x, where.ravel(), Y.ravel())
    return x.reshape(shape), {"where": where}


def maxunpool_backward(g, cache):
    """dL/dy = g at its place"""
    return np.reshape(g, -1)[cache["where"]]


def maxunpool_plain(Y, places, sizes):
    shape = (Y.shape[0], *sizes, Y.shape[-1])
    where = places_in_memory(Y, places, sizes)
    return np.reshape(scatter(np.reshape(Y, -1), where.ravel(), (math.prod(shape),)), shape)


@op(maxunpool_forward, maxunpool_backward, plain=maxunpool_plain)
def maxunpool(Y, places, sizes):
    """Put pooled entries back where `maxpool` found them, with zeros elsewhere.

        x[n, places[n, p, c], c] += y[n, p, c]                  dL/dy[n, p, c] = g[n, places[n, p, c], c]

    Two windows that overlap may have found the same entry; what comes back there is their sum. So this is the adjoint
    of taking the entries from their places, and is `maxpool`'s own way of passing on a gradient.

    Args:
        Y: (N, *out, C), one to three spatial axes. Whole numbers are promoted to float64.
        places: whole numbers of Y's shape, from `maxpool(X, ..., indices=True)`.
        sizes: the spatial sizes of the result, those of X.

    Returns:
        X (N, *sizes, C). `maxunpool_backward` returns dY; its cache has `where`, the places in all of X's memory.

    Raises:
        ValueError: places of another shape, or outside.

    Frameworks: where windows overlap, PyTorch keeps one of the values and does not say which.

    >>> y, places = np.array([[[3.0], [-1.0]]]), np.array([[[1], [3]]])
    >>> print(maxunpool(y, places, (4,)).ravel())
    [ 0.  3.  0. -1.]
    """
    return maxunpool_forward(Y, places, sizes)[0]
