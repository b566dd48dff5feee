"""Correlation: at each place of a frame, the products of what lies under it with a set of weights, summed.

    Y = correlate(P, W, b, strides, dilations, groups)          # P (N, *S, C), W (*k, C/groups, O) -> (N, *out, O)
    dP = correlate_dP(g, W, P.shape, strides, dilations, groups)
    dW = correlate_dW(g, P, W.shape, strides, dilations, groups)

What lies under the frame is copied into the rows of a matrix, and one matrix product does the rest ("im2col"). The
matrix would be as many times larger than P as the frame has entries, so it is made in blocks that stay in the cache.
"""

from __future__ import annotations

import math

import numpy as np

from .place import LARGE
from .threads import SingleBlas, each, shares
from .windows import blocks, under, windows

BLOCK = 1 << 20  # bytes of a block and its result: both stay in the second-level cache
SHARES = 4  # of the images, whatever the number of threads, so that sums come out the same
FEWEST = 192  # rows of a block: below, a product spends its time on arranging the weights


def rows_of_block(columns, itemsize):
    return max(FEWEST, BLOCK // max(columns * itemsize, 1))


def by_group(a, groups):
    """(..., C) -> (..., groups, C / groups)"""
    return a.reshape(*a.shape[:-1], groups, a.shape[-1] // groups)


def weights_by_group(W, groups):
    """W (*k, c, O) -> (groups, K, O / groups), K = all k times c"""
    return by_group(W.reshape(-1, W.shape[-1]), groups).transpose(1, 0, 2)


def pixels_by_group(y, groups):
    """A contiguous block (..., O) -> (groups, pixels, O / groups), a view"""
    return y.reshape(-1, groups, y.shape[-1] // groups).transpose(1, 0, 2)


def columns(v, spatial, buffer):
    """The matrix of a block of windows v (*places, groups, c, *k) -> (groups, pixels, K)"""
    axes = tuple(range(v.ndim))
    place, (group, channel), kernel = axes[: spatial + 1], axes[spatial + 1 : spatial + 3], axes[spatial + 3 :]
    # whichever has the longer runs of memory: all channels of a window, or one entry of all windows
    by_pixel = v.shape[channel] >= 4
    t = v.transpose((group, *place, *kernel, channel) if by_pixel else (group, *kernel, channel, *place))
    matrix = buffer[: t.size].reshape(t.shape)
    np.copyto(matrix, t)
    K = math.prod(v.shape[axis] for axis in (*kernel, channel))
    G = v.shape[group]
    return matrix.reshape(G, v.size // (G * K), K) if by_pixel else matrix.reshape(G, K, -1).swapaxes(1, 2)


def parts_of(y, shape):
    """Slices of the images, to be shared out among threads if results y take long with weights of this shape"""
    return shares(len(y), SHARES if y.size * math.prod(shape[:-1]) > LARGE else 1)


def correlate(P, W, b, strides, dilations, groups):
    """y[n, p, o] = b[o] + sum over entries k of the frame and channels c of P[n, s p + d k, c] W[k, c, o]"""
    kernel, (c, O) = W.shape[:-2], W.shape[-2:]
    v = windows(by_group(P, groups), kernel, strides, dilations)
    out = v.shape[: len(kernel) + 1]
    kind = np.result_type(P, W) if b is None else np.result_type(P, W, b)
    y = np.empty((*out, O), kind)
    if c == 1 and groups > 1:
        return separable(P, W, b, strides, dilations, groups, y)
    Wg, most = weights_by_group(W, groups), rows_of_block(W.size // O + O, kind.itemsize)
    row = None if b is None else np.zeros(y.shape[-2:], kind) + b  # NumPy is slow with so short an array as b

    def share(images):
        v_of, y_of, buffer = v[images], y[images], None
        for block in blocks(y_of.shape[:-1], most):
            window = v_of[block]
            buffer = np.empty(window.size, kind) if buffer is None else buffer  # the first block is the largest
            np.matmul(columns(window, len(kernel), buffer), Wg, out=pixels_by_group(y_of[block], groups))
            if row is not None:
                y_of[block] += row[: y_of[block].shape[-2]]  # while the block is still in the cache

    each(share, parts_of(y, W.shape))
    return y


def correlate_dP(g, W, shape, strides, dilations, groups):
    """dL/dP[n, s p + d k, c] += sum over o of g[n, p, o] W[k, c, o], for P of this shape"""
    kernel, (c, O) = W.shape[:-2], W.shape[-2:]
    kind, offsets = np.result_type(g, W), list(np.ndindex(*kernel))
    dP = np.zeros(shape, kind)
    if c == 1 and groups > 1:
        return separable_dP(g, W, strides, dilations, groups, dP)
    dPg, Wg = by_group(dP, groups), weights_by_group(W, groups)
    Wt = by_group(W.reshape(-1, c, O), groups).transpose(0, 2, 3, 1).copy()  # (entries of k, groups, O / groups, c)
    most = rows_of_block(W.size // O + O, kind.itemsize)

    def share(images):
        g_of, dP_of = g[images], dPg[images]
        for block in blocks(g_of.shape[:-1], most):
            gb = pixels_by_group(g_of[block], groups)
            if c >= 8:
                d = gb @ Wt  # one product an entry of the frame: sums are then over long contiguous runs
            else:
                d = (Wg @ gb.swapaxes(1, 2)).reshape(groups, len(offsets), c, -1).transpose(1, 0, 3, 2)
            for offset, part in zip(offsets, d, strict=True):
                target = dP_of[under(offset, block, g.shape[1:-1], strides, dilations)]
                target += part.transpose(1, 0, 2).reshape(target.shape)

    each(share, parts_of(g, W.shape))
    return dP


def correlate_dW(g, P, shape, strides, dilations, groups):
    """dL/dW[k, c, o] = sum over n and p of P[n, s p + d k, c] g[n, p, o], for W of this shape"""
    kernel, (c, O) = shape[:-2], shape[-2:]
    kind = np.result_type(g, P)
    if c == 1 and groups > 1:
        return separable_dW(g, P, shape, strides, dilations, groups)
    v, K = windows(by_group(P, groups), kernel, strides, dilations), math.prod(shape[:-1])
    most, parts = rows_of_block(K + O, kind.itemsize), parts_of(g, shape)
    dWg = np.zeros((len(parts), groups, K, O // groups), kind)

    def share(i):
        v_of, g_of, buffer = v[parts[i]], g[parts[i]], None
        for block in blocks(g_of.shape[:-1], most):
            window = v_of[block]
            buffer = np.empty(window.size, kind) if buffer is None else buffer
            found = columns(window, len(kernel), buffer).swapaxes(1, 2) @ pixels_by_group(g_of[block], groups)
            np.add(dWg[i], found, out=dWg[i])

    each(share, range(len(parts)))
    return dWg.sum(0).transpose(1, 0, 2).reshape(shape)


def sum_of_pixels(g):
    """(..., O) -> (O,): a product with ones is faster than a sum over leading axes"""
    pixels = g.reshape(-1, g.shape[-1])
    with SingleBlas():  # its threads would save less time than they take from those that come next
        return np.ones(len(pixels), g.dtype) @ pixels


# ------------------------------------------------------- each channel by itself: too thin for a product of matrices
def separable(P, W, b, strides, dilations, groups, y):
    kernel, O = W.shape[:-2], W.shape[-1]
    out = y.shape[:-1]
    y[...] = 0 if b is None else b
    for block in blocks(out, rows_of_block(O, y.itemsize)):
        target = by_group(y[block], groups)
        for offset in np.ndindex(*kernel):
            part = P[under(offset, block, out[1:], strides, dilations)]
            target += part[..., None] * W[offset].reshape(groups, -1)
    return y


def separable_dP(g, W, strides, dilations, groups, dP):
    kernel, O = W.shape[:-2], W.shape[-1]
    for block in blocks(g.shape[:-1], rows_of_block(O, dP.itemsize)):
        gb = by_group(g[block], groups)
        for offset in np.ndindex(*kernel):
            target = dP[under(offset, block, g.shape[1:-1], strides, dilations)]
            part = gb * W[offset].reshape(groups, -1)
            target += part[..., 0] if part.shape[-1] == 1 else part.sum(-1)
    return dP


def separable_dW(g, P, shape, strides, dilations, groups):
    kernel, O = shape[:-2], shape[-1]
    dW = np.zeros(shape, np.result_type(g, P))
    for block in blocks(g.shape[:-1], rows_of_block(O, dW.itemsize)):
        gb = by_group(g[block], groups)
        for offset in np.ndindex(*kernel):
            part = P[under(offset, block, g.shape[1:-1], strides, dilations)]
            dW[offset] += sum_of_pixels((part[..., None] * gb).reshape(-1, O))
    return dW
