"""A split keeps three parts of a data set apart: to learn from, to choose by, to report on once.

data = split(X, y, valid=0.2, test=0.2, rng=np.random.default_rng(0))
data = standardized(data)       # every part by the mean and deviation of the training part
X, y = data.train
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

Pair = tuple[np.ndarray, np.ndarray]


class Split(NamedTuple):
    """Three pairs (X, y) that share no observation."""

    train: Pair
    valid: Pair
    test: Pair


def split(X: np.ndarray, y: np.ndarray, valid: float, test: float, rng: np.random.Generator) -> Split:
    """Shuffle X (N, ...) and y (N,) together and cut off the fractions `valid` and `test`.

    Raises ValueError if the lengths differ or nothing would be left to learn from.
    """
    if len(X) != len(y):
        raise ValueError(f"split: expected as many targets as observations, got {len(y)} for {len(X)}")
    sizes = round(len(X) * valid), round(len(X) * test)
    if min(sizes) < 0 or sum(sizes) >= len(X):
        raise ValueError(f"split: {valid:g} and {test:g} of {len(X)} leave nothing to learn from; try smaller parts")
    order = rng.permutation(len(X))
    cuts = np.split(order, [len(X) - sum(sizes), len(X) - sizes[1]])
    train, held, last = ((X[part], y[part]) for part in cuts)
    return Split(train, held, last)


def standardized(data: Split) -> Split:
    """Every feature minus its training mean, over its training deviation; constant features become 0."""
    X = data.train[0]
    mean, deviation = X.mean(axis=0), X.std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1.0).astype(X.dtype)
    return Split(*(((part - mean) / deviation, y) for part, y in data))
