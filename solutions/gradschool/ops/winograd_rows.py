"""Winograd's gradients along one axis: those of two rows of results in four products, where the definition takes six.

    if winograd_rows_fit(P.shape, W.shape, strides, dilations, groups):
        found = winograd_rows_back(g, P, W, {"P", "W"})     # gradients {"P": dP, "W": dW, "b": db} of `overlap`

Rows of the images are added and subtracted as in `winograd`. In the four sorts of rows that come of it, k neighbouring
columns lie side by side and are multiplied where they lie, as in `overlap`; the rows of several images are one matrix.
For the results themselves `overlap` is as fast: their sums of rows take what the products save.
"""

from __future__ import annotations

import numpy as np

from .overlap import PRODUCTS, by_column, overlap_fits, overlapping
from .place import aligned, ones
from .threads import each
from .winograd import of_inputs, of_inputs_back, of_products_back, of_weights, of_weights_back

BLOCK = 3 << 17  # numbers in the sorts of rows of a block; in float32 most of them stay in the second-level cache
SHARES = 4  # parts of the blocks at the most, each with sums of its own for dW and memory for its blocks


def winograd_rows_fit(shape, weights, strides, dilations, groups):
    """Whether it applies, and saves time: to an even number of rows, and images of which one fits the cache"""
    if not overlap_fits(shape, weights, strides, dilations, groups) or weights[0] != 3 or shape[1] % 2:
        return False
    return numbers_of_image(shape, weights) <= BLOCK


def numbers_of_image(shape, weights):
    """How many numbers its four sorts of rows are, and those of its results"""
    (_, H, X, C), O = shape, weights[3]
    return 4 * (H // 2 - 1) * X * (C + O)


def blocks_of_images(shape, weights):
    """Slices of so many images as fit the cache, and as products may have rows"""
    (N, H, _, C), (_, k, _, O) = shape, weights
    step = max(1, min(BLOCK // numbers_of_image(shape, weights), PRODUCTS // (k * C * O * (H // 2 - 1))))
    return [slice(i, min(i + step, N)) for i in range(0, N, step)]


def row_pairs(x):
    """(n, 2 h, X, C) -> (2, h, n, X, C), a view: even and odd rows"""
    n, H, X, C = x.shape
    return x.reshape(n, H // 2, 2, X, C).transpose(2, 1, 0, 3, 4)


def tile_rows(sorts):
    """(4, n, h, X, C) -> (4, h, n, X, C), a view, for the steps of `winograd`"""
    return sorts.swapaxes(1, 2)


def matrix_rows(sorts):
    """(4, n, h, X, C) -> (4, n h, X, C), a view, for products"""
    _, n, h, X, C = sorts.shape
    return sorts.reshape(4, n * h, X, C)


def winograd_rows_back(g, P, W, which):
    """The gradients {"P": dL/dP, "W": dL/dW, "b": dL/db} that are asked for"""
    (_, H, X, C), (_, k, _, O) = P.shape, W.shape
    h, kind = H // 2 - 1, np.result_type(g, P, W)
    g, P = np.ascontiguousarray(g, kind), np.ascontiguousarray(P, kind)
    turned = of_weights(W[:, ::-1].swapaxes(2, 3).astype(kind)).reshape(4, 1, k * O, C)
    blocks = blocks_of_images(P.shape, W.shape)
    parts = [blocks[i::SHARES] for i in range(min(SHARES, len(blocks)))]
    dP, dU, db = np.empty(P.shape, kind), np.zeros((len(parts), 4, k * C * O), kind), np.zeros((len(parts), O), kind)

    def share(i):
        # an odd number of columns, since the cache has few places for rows that are a power of two apart
        room = aligned((4, blocks[0].stop, h, X, C), kind), np.zeros((4, blocks[0].stop, h, (X + k - 1) | 1, O), kind)
        for images in parts[i]:
            V, M = (sorts[:, : images.stop - images.start] for sorts in room)
            inner = M[..., k - 1 : X, :]  # around it stay k - 1 columns of zeros on both sides
            of_products_back(row_pairs(g[images]), tile_rows(inner))
            if "b" in which:
                total = M[1].reshape(-1, O)  # of both rows of every pair
                db[i] += ones(len(total), kind) @ total
            if "W" in which:
                of_inputs(row_pairs(P[images]), tile_rows(V))
                add_dU(dU[i], matrix_rows(V), matrix_rows(inner), k)
            if "P" in which:
                frames = overlapping(matrix_rows(M)[:, :, : X + k - 1], k)
                np.matmul(frames, turned, out=by_column(matrix_rows(V)))
                of_inputs_back(tile_rows(V), row_pairs(dP[images]))

    each(share, range(len(parts)))
    found = {"P": dP, "W": of_weights_back(dU.sum(0).reshape(4, k, C, O)), "b": db.sum(0)}
    return {name: found[name] for name in which}


def add_dU(dU, V, M, k):
    """dU[j] += sum over columns x of V[j, :, x : x + k]^T M[j, :, x]     V (4, rows, X, C), M (4, rows, width, O)"""
    columns, products = ones(M.shape[2], M.dtype), None
    for dU_j, frames, m in zip(dU, overlapping(V, k).swapaxes(2, 3), by_column(M), strict=True):
        products = np.matmul(frames, m, out=products)
        dU_j += columns @ products.reshape(len(products), -1)
