"""A candidate says what a wrong answer would be if it had one certain mistake; it counts if it explains everything.

    Candidate("sign", "Every number has the wrong sign.", lambda p: (p.a, -p.e))

Two numbers always have some ratio, and some difference: a candidate that was fitted to `free` numbers must explain
more than that many others. Zeros, and numbers as simple as ½, 3 or 7/19, which agree by chance, weigh little.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .seen import Pair

CACHED = 256  # readings of some arrays
SHARES = 232_792_560  # of it a whole number is a share of something counted: it has all divisors up to 22
NOTHING, ONE, MORE = range(-1, 1), range(1, 2), range(2, 1000)
"""How many numbers may be fitted: in the order in which a person would try."""

Same = tuple[np.ndarray, np.ndarray]
"""Two arrays that are the same if the candidate is right: what came, and what would have come."""


@dataclass(frozen=True)
class Candidate:
    """A mistake by its name, the sentence that says it, what would then be the same, and how much was fitted."""

    name: str
    text: str
    same: Callable[[Pair], Same | None]
    free: int = 0
    hint: str = ""
    detail: str = ""  # a number that was read off the case: not for a graded run
    always: bool = False  # it says what comes whatever is asked for: right answers may not speak against it
    partly: bool = False  # at a glimpse it leaves some entries: it may come close, and cannot explain everything


Reading = Callable[[Sequence[Pair]], Iterator[Candidate]]


def agreement(candidate: Candidate, pair: Pair) -> np.ndarray | None:
    """Entry by entry whether the candidate explains it; None where it says nothing about such an array.

    Candidates are read off some calls and asked of others, which may not have been given what they name.
    """
    with np.errstate(all="ignore"):
        try:
            both = candidate.same(pair)
        except KeyError:
            return None
        if both is None or np.shape(both[0]) != np.shape(both[1]):
            return None
        came, told = (np.asarray(x, float) for x in both)
        # what is told may be huge, as exp is: where the one is larger than the other, it makes no room for itself
        near = np.abs(came - told) <= pair.slack(np.minimum(np.abs(came), np.abs(told)))
    finite = np.isfinite(told)
    if finite.all():
        return near
    return np.where(finite, near, (came == told) | (np.isnan(came) & np.isnan(told)))


def explains(candidate: Candidate, wrong: Sequence[Pair]) -> bool:
    """Every entry of every wrong array, and more of them than were fitted."""
    if evidence_of(tuple(wrong)) < candidate.free + 1:
        return False
    for pair in most_telling(tuple(wrong)):
        explained = agreement(candidate, pair)
        if explained is None or not explained.all():
            return False
    return True


def contradicted(candidate: Candidate, right: Iterable[Pair]) -> bool:
    """Whether it says what comes always, and something else came where that is right."""
    explained = (agreement(candidate, p) for p in right)
    return candidate.always and any(x is not None and not x.all() for x in explained)


def evidence(wrong: Sequence[Pair]) -> float:
    """How many numbers speak: distinct, not zero, visibly wrong; simple ones count a third."""
    values = np.concatenate([pair.a[pair.visible].ravel() for pair in wrong] or [np.zeros(0)])
    with np.errstate(over="ignore", invalid="ignore"):  # an answer may be as large as it likes, or in half precision
        values = np.unique(np.round(values[np.isfinite(values) & (values != 0)], 12))
        simple = np.abs(values * SHARES - np.round(values * SHARES)) < 1e-3
    return float((~simple).sum() + simple.sum() / 3)


@lru_cache(CACHED)
def evidence_of(wrong: tuple[Pair, ...]) -> float:
    """The evidence of some arrays, counted once for all candidates."""
    return evidence(wrong)


@lru_cache(CACHED)
def most_telling(wrong: tuple[Pair, ...]) -> list[Pair]:
    """Those in which most is wrong come first, but for the very first: candidates were made to fit a glimpse of it."""
    first, *others = sorted(wrong, key=lambda p: (p.visibly_wrong, p.a.size), reverse=True)
    return [*others, first]


def first_that_explains(
    readings: Sequence[Reading], wrong: Sequence[Pair], *, least: float = -1, fitted: range = range(-1, 1000)
) -> Candidate | None:
    """The first candidate, in the order of the readings, that explains all; `fitted` is how many numbers may be."""
    wrong = tuple(wrong)
    if not wrong or (least >= 0 and evidence_of(wrong) <= least):
        return None
    hopeful = (c for read in readings for c in candidates(read, wrong) if c.free in fitted and not c.partly)
    return next((c for c in hopeful if explains(c, wrong)), None)


@lru_cache(CACHED)
def candidates(read: Reading, wrong: tuple[Pair, ...]) -> list[Candidate]:
    """All that a reading offers, once: the same arrays are read for nothing fitted, for more, for what is close."""
    return list(read(wrong))
