"""The matrix products of a training step by themselves: what is left for a library that takes no other time at all.

    step = best([(32, 3072, 100, 1), (32, 100, 100, 19)])       # (M, K, N, how often): (M, K) times (K, N)
    step()                                                      # makes them all, one after the other

It is NumPy's `matmul` on operands that lie in order, are the same at every call, and so are in the cache. Each product
is made in the form that was fastest when they were tried: as it is or as its transpose, whole, or in parts of the rows
or columns of the result, which OpenBLAS may do without arranging the operands first.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator

import numpy as np

from gradschool.ops.place import aligned

Product = tuple[int, int, int, int]
TRIALS = 9


def best(products: list[Product]) -> Callable[[], None]:
    """A step that makes all products."""
    made = [(fastest(list(forms(M, K, N))), count) for M, K, N, count in products]

    def step() -> None:
        for product, count in made:
            for _ in range(count):
                product()

    return step


def forms(M: int, K: int, N: int) -> Iterator[Callable[[], object]]:
    """The ways to ask for a product of these sizes in float32."""
    for m, n in {(M, N), (N, M)}:
        a, b, y = (aligned(shape, np.float32) for shape in ((m, K), (K, n), (m, n)))
        a[...], b[...] = 0.5, 0.25
        for parts in (1, 2, 3, 4, 8, 16, 32):
            if m % parts == 0:
                yield functools.partial(np.matmul, rows(a, parts), b, out=rows(y, parts))
            if n % parts == 0:
                yield functools.partial(np.matmul, a, columns(b, parts), out=columns(y, parts))


def rows(a: np.ndarray, parts: int) -> np.ndarray:
    return a.reshape(parts, -1, a.shape[1])


def columns(a: np.ndarray, parts: int) -> np.ndarray:
    return a.reshape(len(a), parts, -1).swapaxes(0, 1)


def fastest(calls: list[Callable[[], object]]) -> Callable[[], object]:
    """That with the shortest of a few trials, which take turns."""
    shortest = [float("inf")] * len(calls)
    for _ in range(TRIALS):
        for i, call in enumerate(calls):
            start = time.perf_counter()
            call()
            shortest[i] = min(shortest[i], time.perf_counter() - start)
    return calls[shortest.index(min(shortest))]
