"""Batches: data, a tree of arrays with the same number of samples, taken apart by samples.

for X, T in batches((X, T), 32, rng): ...               # every sample once, in another order each time
(X, T), validation = holdout((X, T), 0.1, rng)          # a tenth is kept apart, to validate with
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .models import rows, samples

__all__ = ["batches", "holdout"]

Tree = Any


def batches(
    data: Tree, batch_size: int, rng: np.random.Generator | None = None, shuffle: bool = True
) -> Iterator[Tree]:
    """Mini-batches of a tree of arrays, each sample once; the last one is short if need be. Shuffled by `rng`.

    >>> [X.tolist() for X, T in batches((np.arange(5), np.arange(5)), 3, shuffle=False)]
    [[0, 1, 2], [3, 4]]
    """
    if batch_size < 1:
        raise ValueError(f"batches: expected a batch size of at least 1, got {batch_size}")
    if shuffle and rng is None:
        raise ValueError("batches: shuffling needs a generator, rng=np.random.default_rng(seed); or shuffle=False")
    n = samples(data)
    order = rng.permutation(n) if shuffle and rng is not None else np.arange(n)
    for start in range(0, n, batch_size):
        yield rows(data, order[start : start + batch_size])


def holdout(data: Tree, fraction: float, rng: np.random.Generator) -> tuple[Tree, Tree]:
    """(the rest, the held-out part): a random `fraction` of the samples is kept apart, to validate with.

    Raises ValueError if one of the parts would be empty.

    >>> rest, held_out = holdout((np.arange(10), np.arange(10)), 0.3, np.random.default_rng(0))
    >>> sorted([*rest[0].tolist(), *held_out[1].tolist()]), len(held_out[0])
    ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 3)
    """
    n = samples(data)
    size = round(n * fraction)
    if not 0 < size < n:
        raise ValueError(f"holdout: {fraction:g} of {n} samples are {size}; expected some in both parts")
    order = rng.permutation(n)
    return rows(data, order[size:]), rows(data, order[:size])
