"""Winograd's convolution: 3 x 3 frames in 16 products for every 4 results, where the definition takes 36.

    if winograd_fits(W.shape, strides, dilations, groups):
        Y = winograd(P, W, b)                               # P (N, H, W, C), W (3, 3, C, O), the same as `correlate`
        found = winograd_back(g, P, W, {"P", "W"})          # gradients {"P": dP, "W": dW}

Two neighbouring results of a frame (g0, g1, g2) over d0 d1 d2 d3 share work, for one axis:

    m0 = (d0 - d2) g0                   m1 = (d1 + d2) (g0 + g1 + g2) / 2           y0 = m0 + m1 + m2
    m3 = (d1 - d3) g2                   m2 = (d2 - d1) (g0 - g1 + g2) / 2           y1 = m1 - m2 - m3

Both axes in turn make 16 sorts of numbers; of each, channels are summed by one product of matrices. All steps are
linear, so the gradients are these steps backwards. Source: Lavin and Gray, Fast Algorithms for Convolutional Neural
Networks, 2015, F(2x2, 3x3).
"""

from __future__ import annotations

import itertools

import numpy as np

from .threads import each, joined
from .windows import blocks

SHARES = 8  # at the most so many parts of the batch, each with a sum of its own for dW: the sums need memory
TILES = 400  # at a time, so that 16 numbers of each for all channels stay in the cache, and calls are few


def winograd_fits(shape, strides, dilations, groups):
    """Whether it applies, and saves time: with fewer channels, its additions outweigh the products saved."""
    return shape[:-2] == (3, 3) and strides == dilations == (1, 1) and groups == 1 and min(shape[-2:]) >= 32


# ------------------------------------------------------------- the four steps along one axis, and each one's adjoint
def of_weights(w):
    """(3, ...) -> (4, ...)"""
    edge, middle = 0.5 * (w[0] + w[2]), 0.5 * w[1]
    return np.stack([w[0], edge + middle, edge - middle, w[2]])


def of_weights_back(g):
    half_sum, half_difference = 0.5 * (g[1] + g[2]), 0.5 * (g[1] - g[2])
    return np.stack([g[0] + half_sum, half_difference, half_sum + g[3]])


def of_inputs(x, out):
    """x (2, tiles + 1, ...): even and odd entries -> out (4, tiles, ...)"""
    d, e = x[:, :-1], x[:, 1:]  # d0 d1 and d2 d3 of each tile
    np.subtract(d, e, out=out[::3])
    np.add(d[1], e[0], out=out[1])
    np.subtract(e[0], d[1], out=out[2])


def of_inputs_back(g, x):
    """Each entry of x is in two tiles, but for the first and the last pair."""
    total, rest = g[1] + g[2], g[1] - g[2]
    total -= g[0]
    rest += g[3]
    x[0, 0], x[1, 0] = g[0, 0], rest[0]
    np.add(g[0, 1:], total[:-1], out=x[0, 1:-1])
    np.subtract(rest[1:], g[3, :-1], out=x[1, 1:-1])
    x[0, -1] = total[-1]
    np.negative(g[3, -1], out=x[1, -1])


def of_products(m, y):
    """m (4, ...) -> y (2, ...)"""
    total = m[1] + m[2]
    np.add(total, m[0], out=y[0])
    np.subtract(m[1], m[2], out=total)
    np.subtract(total, m[3], out=y[1])


def of_products_back(g, m):
    np.copyto(m[0], g[0])
    np.add(g[0], g[1], out=m[1])
    np.subtract(g[0], g[1], out=m[2])
    np.negative(g[1], out=m[3])


# ---------------------------------------------------------------------------------------------- both axes, in blocks
def even(a):
    """With a row and a column of zeros behind the others where their number is odd"""
    odd = [(0, size % 2 if axis in (1, 2) else 0) for axis, size in enumerate(a.shape)]
    return np.pad(a, odd) if a.shape[1] % 2 or a.shape[2] % 2 else a


def pairs(x):
    """(n, 2 h, 2 w, C) -> (2, w, 2, n, h, C), a view: even and odd columns, and of each the even and odd rows"""
    n, H, W, C = x.shape
    return x.reshape(n, H // 2, 2, W // 2, 2, C).transpose(4, 3, 2, 0, 1, 5)


def memory(kind, j, w, n, h, C):
    """j sorts of numbers of 2 h rows with w columns, twice: as (j, w, 2, n, h, C) for the step along columns and as
    (2, h, j, w, n, C) for the one along rows. Even rows lie together, so that the latter, with twice as many numbers,
    runs over whole images without a gap.
    """
    flat = np.empty((2, j, n, h, w, C), kind)
    return flat.transpose(1, 4, 0, 2, 3, 5), flat.transpose(0, 3, 1, 4, 2, 5)


def tiles(kind, h, w, n, C):
    """An array (4, h, 4, w, n, C) for the 16 sorts of numbers, and the same memory as 16 matrices (tiles, C)"""
    flat = np.empty((4, 4, n, h, w, C), kind)
    return flat.transpose(0, 3, 1, 4, 2, 5), flat.reshape(16, n * h * w, C)


def inputs(x, V):
    """V = B^T x B for all tiles     x (n, 2 h + 2, 2 w + 2, C), V from `tiles`"""
    n, H, W, C = x.shape
    columns, _ = memory(x.dtype, 2, W // 2, n, H // 2, C)
    np.copyto(columns, pairs(x))
    by_column, by_row = memory(x.dtype, 4, W // 2 - 1, n, H // 2, C)
    of_inputs(columns, by_column)
    of_inputs(by_row, V)


def inputs_back(V, dx):
    """dx += B V B^T"""
    n, H, W, C = dx.shape
    by_column, by_row = memory(dx.dtype, 4, W // 2 - 1, n, H // 2, C)
    columns, _ = memory(dx.dtype, 2, W // 2, n, H // 2, C)
    of_inputs_back(V, by_row)
    of_inputs_back(by_column, columns)
    target = pairs(dx)
    target += columns


def products(M, y):
    """y = A^T M A for all tiles     y (n, 2 h, 2 w, O)"""
    n, H, W, O = y.shape
    by_column, by_row = memory(y.dtype, 4, W // 2, n, H // 2, O)
    of_products(M, by_row)
    of_products(by_column, pairs(y))


def products_back(g, M):
    n, H, W, O = g.shape
    by_column, by_row = memory(g.dtype, 4, W // 2, n, H // 2, O)
    of_products_back(pairs(g), by_column)
    of_products_back(by_row, M)


def parts(N, H, W):
    """(images, rows of the result, rows of the input) for blocks of about TILES tiles     H, W: the result's size"""
    for block in blocks((N, H // 2), max(1, 2 * TILES // W)):
        first, last, _ = block[1].indices(H // 2) if len(block) > 1 else (0, H // 2, 1)
        yield block[0], slice(2 * first, 2 * last), slice(2 * first, 2 * last + 2)


def of_whole_images(blocks):
    """The blocks in at most SHARES lists, those of an image in one of them: their inputs overlap"""
    by_image = itertools.groupby(blocks, key=lambda block: block[0].start)
    return joined([list(group) for _, group in by_image], SHARES)


def transformed(W):
    """U = G W G^T as 16 matrices (C, O)"""
    return of_weights(of_weights(W).swapaxes(0, 1)).swapaxes(0, 1).reshape(16, *W.shape[2:])


def winograd(P, W, b):
    """y = A^T [(G W G^T) . (B^T P B)] A + b     P (N, H, W, C), W (3, 3, C, O) -> (N, H - 2, W - 2, O)"""
    kind = np.result_type(P, W)
    P, U, (N, H, width) = even(P.astype(kind, copy=False)), transformed(W.astype(kind, copy=False)), P.shape[:3]
    y = np.empty((N, P.shape[1] - 2, P.shape[2] - 2, W.shape[3]), kind)

    def share(part):
        images, rows, under = part
        x = P[images, under]
        n, h, w = len(x), x.shape[1] // 2 - 1, x.shape[2] // 2 - 1
        V, V16 = tiles(kind, h, w, n, x.shape[3])
        M, M16 = tiles(kind, h, w, n, y.shape[3])
        inputs(x, V)
        np.matmul(V16, U, out=M16)
        if b is not None:
            M[1, :, 1] += b  # this one enters all four results with a plus
        products(M, y[images, rows])

    each(share, list(parts(*y.shape[:3])))
    return y if y.shape[1:3] == (H - 2, width - 2) else np.ascontiguousarray(y[:, : H - 2, : width - 2])


def winograd_back(g, P, W, which):
    """The gradients {"P": dL/dP, "W": dL/dW} that are asked for."""
    kind = np.result_type(g, P, W)
    (H, width, C), O = P.shape[1:], W.shape[3]
    P, g, U = even(P.astype(kind, copy=False)), even(g.astype(kind, copy=False)), transformed(W.astype(kind))
    shared = of_whole_images(parts(*g.shape[:3]))
    Ut, dU, dP = U.swapaxes(1, 2).copy(), np.zeros((len(shared), *U.shape), kind), np.zeros_like(P)

    def share(i):
        part = np.empty_like(U)
        for images, rows, under in shared[i]:
            x, gb = P[images, under], g[images, rows]
            n, h, w = len(x), x.shape[1] // 2 - 1, x.shape[2] // 2 - 1
            V, V16 = tiles(kind, h, w, n, C)
            M, M16 = tiles(kind, h, w, n, O)
            products_back(gb, M)
            if "W" in which:
                inputs(x, V)
                dU[i] += np.matmul(V16.swapaxes(1, 2), M16, out=part)
            if "P" in which:
                np.matmul(M16, Ut, out=V16)
                inputs_back(V, dP[images, under])

    each(share, range(len(shared)))
    dU = dU.sum(0).reshape(4, 4, C, O)
    dW = of_weights_back(of_weights_back(dU).swapaxes(0, 1)).swapaxes(0, 1)
    return {"P": np.ascontiguousarray(dP[:, :H, :width]), "W": np.ascontiguousarray(dW)}
