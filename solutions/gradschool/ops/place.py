"""Where results go. Large arrays that nobody needs again take the next result, which is then still in the cache.

    d = x - mean
    y = d * d
    y = into(y, np.multiply, d, scale)                  # y = d * scale, where the squares were
    product(W, x, out)                                  # out = W x, by some rows at a time if BLAS is faster so

Only what an op has made itself may be written over: never an argument, a cotangent, or what stands in a cache.
"""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Iterator
from ctypes import addressof, c_char
from typing import Any

import numpy as np

from .threads import blas_threads, each, quick_if_small, shares

LINE = 64  # bytes, a line of the processor's cache
BLOCK = 1 << 15  # numbers of an array in a block: some such arrays fit a second-level cache
MANY = 8  # blocks; with fewer, a thread takes longer to wake than it saves
BUFFER = 1 << 11  # numbers; three such buffers fit a first-level cache
SMALL = 10**6  # multiplications in a product: so few, OpenBLAS can do without arranging its matrices first
LARGE = 1 << 24  # multiplications; such a product is worth being shared out among threads, which take long to wake
FEW = 32  # rows of a matrix: for so few, arranging the one it is multiplied with takes long beside multiplying them


def aligned(shape, dtype):
    """An array that has no values yet and begins with a line of the cache.

    NumPy's own begins anywhere; where vectors are added or multiplied across lines, that takes up to twice as long.
    """
    memory = np.empty(math.prod(shape) * np.dtype(dtype).itemsize + LINE, np.uint8)
    start = -addressof(c_char.from_buffer(memory.data)) % LINE  # memory.ctypes.data takes four times as long
    return np.ndarray(shape, dtype, memory, start)


@functools.lru_cache(maxsize=64)
def ones(n, dtype, value=1):
    """A vector of ones, to sum rows by a product with it, or of some other number, such as 1 / n for their mean. It is
    the same one at every call, so it can only be read."""
    vector = np.full(n, value, dtype)
    vector.flags.writeable = False
    return vector


@functools.lru_cache(maxsize=256)
def number(value, dtype):
    """A number as an array without axes: with Python's own, NumPy takes as long again over a vector of hundred."""
    array = np.array(value, dtype)
    array.flags.writeable = False
    return array


@contextlib.contextmanager
def buffered(n: int = BUFFER) -> Iterator[None]:
    """Within, and in functions that it decorates, NumPy copies operands that lie in short rows n numbers at a time.

    By itself it takes 8192: three such buffers do not fit a first-level cache, and longer rows are not copied at all.
    """
    before = np.setbufsize(n)
    try:
        yield
    finally:
        np.setbufsize(before)


def into(place, f, *args):
    """f(*args) in the memory of `place`; an array of its own where one of them is being differentiated."""
    for a in (place, *args):
        if type(a) is not np.ndarray and type(a) is not float:
            return f(*args)
    return f(*args, out=place)


def in_blocks(f, *arrays) -> Any:
    """f(*arrays), computed for a few samples at a time: what lies between the steps of f is then still in the cache,
    and threads can share the blocks.

    f treats every sample by itself. Arrays that are being differentiated go through it whole.
    """
    a = arrays[0]
    if a.size <= BLOCK or any(type(x) is not np.ndarray for x in arrays):
        return f(*arrays)
    step = max(1, BLOCK * len(a) // a.size)
    first = f(*(x[:step] for x in arrays))
    y = np.empty((len(a), *first.shape[1:]), first.dtype)
    y[:step] = first

    def put(i):
        y[i : i + step] = f(*(x[i : i + step] for x in arrays))

    starts = range(step, len(a), step)
    if len(starts) >= MANY:
        each(put, starts)
    else:
        for i in starts:
            put(i)
    return y


def product(a, b, out):
    """out = a b     a (M, K), b (K, N), out (M, N) in order"""
    if len(a) * b.size <= SMALL:
        return np.matmul(a, b, out=out)
    if shared_out(len(a), *b.shape):
        each(lambda rows: product(a[rows], b, out[rows]), shares(len(a)))
        return out
    rows = in_parts(a, b.shape[1])
    np.matmul(rows, b, out=out.reshape(*rows.shape[:2], b.shape[1]))
    return out


def shared_out(M, K, N):
    """Whether (M, K) times (K, N) is worth it that threads share it"""
    return M * K * N > LARGE and blas_threads() > 1


def rows_product(a, b):
    """a b     a (M, K), b (K, N) -> (M, N), by small products if BLAS is faster so: by some rows of a at a time, or, if
    there are few, as a sum over some columns of a at a time"""
    M, K, N = *a.shape, b.shape[1]
    if M * K * N <= SMALL or not in_order(a, b):
        return a @ b
    shared = shared_out(M, K, N)
    if M <= FEW and (shared or quick_if_small()):
        return sum_of_products(a, b, inner_parts(M, K, N), shared)
    return product(a, b, np.empty((M, N), np.result_type(a, b))) if shared or quick_if_small() else a @ b


def sum_of_products(a, b, parts, shared):
    if parts == 1:
        return a @ b
    M, N = len(a), b.shape[1]
    left, right = a.reshape(M, parts, -1).swapaxes(0, 1), b.reshape(parts, -1, N)
    if not shared:
        return np.add.reduce(np.matmul(left, right), axis=0)
    each_part = np.empty((parts, M, N), np.result_type(a, b))
    each(lambda some: np.matmul(left[some], right[some], out=each_part[some]), shares(parts))
    return np.add.reduce(each_part, axis=0)


def in_order(*arrays):
    """Whether all are plain arrays that lie row by row"""
    return all(type(a) is np.ndarray and a.flags.c_contiguous for a in arrays)


@functools.lru_cache(maxsize=256)
def inner_parts(M, K, N):
    """The least number of equal parts of K that makes the products SMALL; 1 if the parts were too thin to pay."""
    return next((parts for parts in range(2, K // 96 + 1) if K % parts == 0 and parts * SMALL >= M * K * N), 1)


def in_parts(a, N):
    """a (M, K) as (parts, M / parts, K), a view, so that `matmul` with a matrix of N columns is soonest done.

    OpenBLAS takes long to arrange a and b beside multiplying them, above all where K or N is small. With AVX-512 and
    in one thread, products that are so small that it does not are faster, if a few will do.
    """
    M, K = a.shape
    parts = row_parts(M, K, N)
    return a.reshape(parts, M // parts, K)


def row_parts(M, K, N):
    """How many parts"""
    return small_parts(M, K, N) if M * K * N > SMALL and quick_if_small() else 1


@functools.lru_cache(maxsize=256)
def small_parts(M, K, N):
    """The least number of equal parts of M rows that makes the products SMALL; 1 if so few that it pays do not."""
    most = 48 if min(K, N) <= 64 or K * N <= 1 << 14 else 4
    return next((parts for parts in range(2, most + 1) if M % parts == 0 and parts * SMALL >= M * K * N), 1)
