"""Batches: data, a tree of arrays with the same number of samples, taken apart by samples.

for X, T in batches((X, T), 32, rng): ...               # every sample once, in another order each time
(X, T), validation = holdout((X, T), 0.1, rng)          # a tenth is kept apart, to validate with
lr = one_cycle(0.5, count_steps(X, 32, epochs=10))      # a schedule over all steps of a run
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np

from .chance import generator
from .models import check_batch_size, rows, samples

__all__ = ["batches", "count_steps", "holdout"]

Tree = Any


def batches(
    data: Tree, batch_size: int, rng: np.random.Generator | None = None, shuffle: bool = True
) -> Iterator[Tree]:
    """Mini-batches of a tree of arrays, each sample once; the last one is short if need be. Shuffled by `rng`.

    Raises, when the first is asked for, ValueError for a batch size below 1, for arrays that differ in N, and for None
    as the generator to shuffle with; TypeError for a seed in its place, and for data that are no arrays.

    >>> [X.tolist() for X, T in batches((np.arange(5), np.arange(5)), 3, shuffle=False)]
    [[0, 1, 2], [3, 4]]
    """
    check_batch_size("batches", batch_size)
    if shuffle and rng is None:
        raise ValueError("batches: shuffling needs a generator, rng=np.random.default_rng(seed); or shuffle=False")
    n = samples(data)
    order = generator("batches", rng).permutation(n) if shuffle else np.arange(n)
    for start in range(0, n, batch_size):
        yield rows(data, order[start : start + batch_size])


def count_steps(data: Tree, batch_size: int = 32, epochs: int = 1) -> int:
    """How many steps `train` takes: a step for each mini-batch, of which the last of an epoch may be short.

    Raises ValueError for a batch size below 1, epochs below 0 and arrays that differ in N; TypeError for data that are
    no arrays, such as the number of samples.

    >>> count_steps(np.zeros((1000, 4)), batch_size=32, epochs=10)
    320
    """
    check_batch_size("count_steps", batch_size)
    if not isinstance(epochs, Integral) or epochs < 0:
        raise ValueError(f"count_steps: expected epochs >= 0, a whole number, got {epochs!r}")
    return epochs * math.ceil(samples(data) / batch_size)


def holdout(data: Tree, fraction: float, rng: np.random.Generator) -> tuple[Tree, Tree]:
    """(the rest, the held-out part): a random `fraction` of the samples is kept apart, to validate with.

    Raises ValueError if one of the parts would be empty; TypeError for an array in the place of the fraction, as in
    `holdout(X, T, 0.3)`, and for another rng than a generator.

    >>> rest, held_out = holdout((np.arange(10), np.arange(10)), 0.3, np.random.default_rng(0))
    >>> sorted([*rest[0].tolist(), *held_out[1].tolist()]), len(held_out[0])
    ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 3)
    """
    if np.ndim(fraction):
        raise TypeError("holdout: expected a fraction of the samples, got an array; try holdout((X, T), 0.2, rng)")
    n = samples(data)
    size = round(n * fraction)
    if not 0 < size < n:
        raise ValueError(f"holdout: {fraction:g} of {n} samples are {size}; expected some in both parts")
    order = generator("holdout", rng).permutation(n)
    return rows(data, order[size:]), rows(data, order[:size])
