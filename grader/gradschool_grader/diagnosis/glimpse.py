"""A few wrong entries, on which hundreds of candidates are tried together before one of them is tried on everything.

Most candidates fail on any entry. What explains none of these few is not worth the rest; what explains one of them has
explained nothing yet. Which entries they are depends on the answer alone, so that a verdict is the same everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .operands import over
from .seen import Pair

FEW = 8


def glimpse(wrong: Sequence[Pair]) -> Glimpse:
    """A few entries of the array in which most are wrong, at which several readings look: kept with it."""
    worst = max(wrong, key=lambda p: (p.visibly_wrong, p.a.size))
    if "_glimpse" not in vars(worst):
        vars(worst)["_glimpse"] = Glimpse(worst)
    return vars(worst)["_glimpse"]


class Glimpse:
    """Some entries of an array that came: expected, got, and how far off counts as the same."""

    def __init__(self, pair: Pair):
        self.pair = pair
        at = np.flatnonzero(self.pair.visible)
        at = at if at.size else np.arange(self.pair.a.size)
        self.at = at[np.linspace(0, at.size - 1, min(FEW, at.size)).astype(int)]
        self.e, self.a = self.of(self.pair.e), self.of(self.pair.a)
        self.largest = float(np.abs(self.pair.a[np.isfinite(self.pair.a)]).max(initial=0.0))

    def of(self, x: np.ndarray) -> np.ndarray:
        """The same entries of an array that broadcasts to the answer's shape."""
        return over(x, self.pair.e.shape).ravel()[self.at].astype(float)

    def size_of(self, x: np.ndarray) -> np.ndarray:
        """The size of its largest entry, in a row of its own."""
        return np.abs(x).max(initial=0.0)[None]

    def explained(self, told: np.ndarray, largest: np.ndarray) -> np.ndarray:
        """Which of `told (candidates, entries)` are right; `largest (candidates,)` bounds the size of each row."""
        with np.errstate(all="ignore"):
            largest = np.maximum(np.where(np.isfinite(largest), largest, 0.0), self.largest)[:, None]
            near = np.abs(self.a - told) <= self.pair.slack(told, largest)
        finite = np.isfinite(told)
        if finite.all():
            return near
        return np.where(finite, near, (self.a == told) | (np.isnan(self.a) & np.isnan(told)))

    def scaled(self, base: np.ndarray, factors: np.ndarray) -> np.ndarray:
        """Where factors `(candidates,)`, or `(candidates, entries)`, bring entries from `base` to what came."""
        factors = factors.reshape(len(factors), -1)
        start, furthest = self.of(base), float(np.abs(base).max(initial=0.0))
        with np.errstate(all="ignore"):
            told = start + factors * (self.e - start)
            largest = furthest + np.abs(factors).max(axis=1) * (self.pair.size + furthest)
        return self.explained(told, largest)

    def added(self, terms: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        """Where terms `(candidates, entries)`, nowhere larger than `sizes`, make what came of what was expected."""
        with np.errstate(all="ignore"):
            return self.explained(self.e + terms, self.pair.size + sizes)

    def proportional(self, terms: np.ndarray) -> np.ndarray:
        """Where terms go along with the difference, in an entry and the one beside it."""
        with np.errstate(all="ignore"):
            gap, next_gap, next_terms = self.a - self.e, np.roll(self.a - self.e, 1), np.roll(terms, 1, axis=1)
            slack = self.pair.slack(np.maximum(np.abs(self.e), np.abs(self.a)), self.pair.size + self.largest)
            return np.abs(gap * next_terms - next_gap * terms) <= slack * (np.abs(terms) + np.abs(next_terms))
