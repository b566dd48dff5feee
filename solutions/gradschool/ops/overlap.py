"""Correlation in place: what lies under a row of the frame lies side by side in memory, so nothing needs copying.

    if overlap_fits(P.shape, W.shape, strides, dilations, groups):
        Y = overlap(P, W, b)                                # P (N, H, X, C), W (l, k, C, O), the same as `correlate`
        found = overlap_back(g, P, W, {"P", "W", "b"})      # gradients {"P": dP, "W": dW, "b": db}

With channels last, k neighbouring columns of an image are k C numbers in a row. Under the columns from x on, the rows
of the image are therefore a matrix (rows, k C) that is there already; the one for x + 1 overlaps it. A row of the
frame is one product for each x, and the products for its l rows are added up. What `correlate` copies, k l C numbers
for each result, costs more than the additions where there are few channels.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .blas import small_kernels
from .threads import each, joined
from .winograd import winograd_fits

BLOCK = 5 << 17  # bytes of the rows of input and result in a block, which stays in the second-level cache
PRODUCTS = 1 << 19  # multiplications in a product: so few, OpenBLAS does in one thread with AVX-512, and copies nothing
SHARES = 16  # at the most so many parts of the batch, each with a sum of its own for dW: the sums need memory


def overlap_fits(shape, weights, strides, dilations, groups):
    """Whether it applies, and saves time: not for few rows or large weights, nor where adding is more than copying, or
    where Winograd's algorithm, which has larger products, applies and BLAS has no kernels for small ones."""
    if len(weights) != 4 or groups != 1 or strides != (1, 1) or dilations != (1, 1):
        return False
    if not small_kernels() and winograd_fits(weights, strides, dilations, groups):
        return False
    l, k, C, O = weights
    return shape[1] - l + 1 >= 10 and k * C * O <= PRODUCTS // 64 and C >= 4 and O <= 8 * C


def overlapping(x, k):
    """The matrices under k neighbouring columns: x (..., rows, X, C) -> (..., X - k + 1, rows, k C), a view"""
    *others, rows, X, C = x.shape
    *lead, row, column, entry = x.strides
    return as_strided(x, (*others, X - k + 1, rows, k * C), (*lead, column, row, entry))


def by_column(y):
    """(..., rows, X, C) -> (..., X, rows, C), a view"""
    return y.swapaxes(-2, -3)


def shares(N, rows, most):
    """Parts of the batch: lists of blocks (images, rows), of at most so many rows; an image is in one part only."""
    images = max(1, most // max(rows, 1))
    strips = [slice(i, min(i + most, rows)) for i in range(0, rows, most)]
    blocks = [[(slice(i, min(i + images, N)), strip) for strip in strips] for i in range(0, N, images)]
    return joined(blocks, SHARES)


def rows_of_block(X, W, itemsize):
    _, k, C, O = W
    return max(1, min(BLOCK // (X * (C + O) * itemsize), PRODUCTS // (k * C * O)))


def overlap(P, W, b=None):
    """y[n, i, x, o] = b[o] + sum over j of P[n, i + j, x : x + k] . W[j, :, :, o]"""
    (N, H, X, C), (l, k, _, O) = P.shape, W.shape
    kind = np.result_type(P, W) if b is None else np.result_type(P, W, b)
    most = rows_of_block(X, W.shape, kind.itemsize)
    P, W = np.ascontiguousarray(P, kind), np.ascontiguousarray(W, kind).reshape(l, k * C, O)
    y = np.empty((N, H - l + 1, X - k + 1, O), kind)
    row = None if b is None else np.zeros(y.shape[2:], kind) + b  # NumPy is slow with so short an array as b
    frames = overlapping(P, k)

    def share(blocks):
        for images, rows in blocks:
            out = y[images, rows]
            m = np.empty(out.shape, kind)
            np.matmul(frames[images, :, rows], W[0], out=by_column(out))
            for j in range(1, l):
                np.matmul(frames[images, :, rows.start + j : rows.stop + j], W[j], out=by_column(m))
                out += m
            if row is not None:
                out += row

    each(share, shares(N, H - l + 1, most))
    return y


def overlap_back(g, P, W, which):
    """The gradients {"P": dL/dP, "W": dL/dW, "b": dL/db} that are asked for"""
    (N, H, X, C), (l, k, _, O) = P.shape, W.shape
    kind = np.result_type(g, P, W)
    P, h = np.ascontiguousarray(P, kind), H - l + 1
    turned = np.ascontiguousarray(W[:, ::-1].swapaxes(2, 3), kind).reshape(l, k * O, C)
    parts = shares(N, h, rows_of_block(X, W.shape, kind.itemsize))
    dP, dW, db = np.empty(P.shape, kind), np.zeros((len(parts), l, k * C, O), kind), np.zeros((len(parts), O), kind)

    def share(i):
        for images, rows in parts[i]:
            x, z = P[images, rows.start : rows.stop + l - 1], bordered(g[images, rows], l, k, kind)
            if "W" in which:
                add_dW(dW[i], x, z[:, :, k - 1 : X])
            if "b" in which:
                db[i] += z.sum((0, 1)).sum(0)
            if "P" in which:
                dx = dP[images, rows.start : rows.stop + l - 1]
                if rows.start == 0:
                    dx[:, : l - 1] = 0
                set_dP(dx, z[:, : dx.shape[1] - l + 1], turned, k)

    each(share, range(len(parts)))
    found = {"P": dP, "W": dW.sum(0).reshape(W.shape), "b": db.sum(0)}
    return {name: found[name] for name in which}


def bordered(g, l, k, kind):
    """g with zeros around: l - 1 rows below and k - 1 columns on both sides"""
    n, h, width, O = g.shape
    # an odd number of columns, since the cache has few places for rows that are a power of two apart
    z = np.empty((n, h + l - 1, (width + 2 * (k - 1)) | 1, O), kind)
    z[:, h:] = z[:, :h, : k - 1] = z[:, :h, k - 1 + width :] = 0
    z[:, :h, k - 1 : k - 1 + width] = g
    return z


def add_dW(dW, x, z):
    """dW[j] += sum over columns of (rows of x from j on)^T z, with the images of a block below each other: where rows
    of one meet those of the next, z is zero."""
    x, z = x.reshape(-1, *x.shape[2:]), z.reshape(-1, *z.shape[2:])
    frames, z = overlapping(x, x.shape[1] - z.shape[1] + 1).swapaxes(1, 2), by_column(z)
    for j in range(len(dW)):
        dW[j] += (frames[..., j:] @ z[:, : z.shape[1] - j]).sum(0)


def set_dP(dx, z, turned, k):
    """dx[j : j + h] += (columns of z) turned[j]. The last j is the first to reach the last h rows, and sets them."""
    l, h = len(turned), z.shape[1]
    frames = overlapping(z[:, :, : dx.shape[2] + k - 1], k)
    np.matmul(frames, turned[l - 1], out=by_column(dx[:, l - 1 :]))
    part = np.empty((len(dx), h, *dx.shape[2:]), dx.dtype)
    for j in range(l - 1):
        np.matmul(frames, turned[j], out=by_column(part))
        dx[:, j : j + h] += part
