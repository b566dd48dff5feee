"""Reading of a band: what is wrong lies between two bounds of something that can be computed from what was given.

    "The answer is wrong only where the distance between `Y` and `T` lies between two bounds."

A threshold that is compared with the wrong quantity, or lies elsewhere, leaves such a mark: in every call the entries
that are wrong are neighbours when all are put in order by that quantity. The bounds may differ from call to call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import lgamma, log

import numpy as np

from ..verdict import Diagnosis
from .operands import arrays, shared
from .seen import Pair
from .where import unmoved
from .words import NUMBERS, WRONG_TOO, said

HINT = "Which of your conditions is decided there, and with what does the task compare?"
UNLIKELY = 8 * log(10)  # that entries that are wrong by chance are neighbours in as many orders as are tried
BETWEEN = "lies between two bounds"
FEWEST = 3  # wrong entries in all


def band(everything: Sequence[Pair], wrong: Sequence[Pair]) -> Diagnosis | None:
    in_arrays = [p for p in wrong if p.e.ndim]
    bad = {p.path for p in in_arrays}
    rows = [p for p in everything if p.path in bad and p.e.shape == p.a.shape and p.e.ndim]
    if any(p.e.shape != p.a.shape for p in wrong) or sum(int(p.wrong.sum()) for p in in_arrays) < FEWEST:
        return None
    singles = f" {NUMBERS}{WRONG_TOO}" if len(in_arrays) < len(wrong) else ""
    at = level(rows)
    if at:
        return said("level", f"The answer is wrong only where {at}.{singles}", HINT)
    for kinds in (single, apart, of_the_answer):
        likely = ((between_bounds(rows, values), words) for words, values in kinds(rows))
        hopeful = [(*x, words) for x, words in likely if x and x[0] > UNLIKELY]
        # the right numbers themselves have no two thresholds: what lies in the middle is a class of its own
        found = max((x for x in hopeful if kinds is not of_the_answer or x[1] != BETWEEN), default=None)
        if found:
            _, side, words = found
            return said("band", f"The answer is wrong only where {words} {side}.{singles}", HINT)
    return None


Quantities = Iterator[tuple[str, list[np.ndarray]]]
"""What entries may be put in order by: its name, and an array of it for each array of the answers."""


def operands(rows: Sequence[Pair]) -> dict[str, list[np.ndarray]]:
    tables = [arrays(p) for p in rows]
    return {
        x: [np.broadcast_to(table[x], p.e.shape) for table, p in zip(tables, rows, strict=True)] for x in shared(tables)
    }


def single(rows: Sequence[Pair]) -> Quantities:
    for x, values in operands(rows).items():
        yield from sized(x, values)


def apart(rows: Sequence[Pair]) -> Quantities:
    """The distance of two: how far they lie from each other, and to which side."""
    for (x, first), (y, second) in combinations(operands(rows).items(), 2):
        gaps = [one - other for one, other in zip(first, second, strict=True)]
        yield f"{x} − {y}", gaps
        yield f"the distance between {x} and {y}", [np.abs(gap) for gap in gaps]


def of_the_answer(rows: Sequence[Pair]) -> Quantities:
    yield from sized("the right number", [p.e for p in rows])


def sized(x: str, values: list[np.ndarray]) -> Quantities:
    yield x, values
    if any((v < 0).any() for v in values):
        yield f"the size of {x}", [np.abs(v) for v in values]


def level(rows: Sequence[Pair]) -> str:
    """Where an operand of whole numbers is zero, or is the largest one, if that is where everything is wrong."""
    wrong, idle = (np.concatenate([x(p).ravel() for p in rows]) for x in (lambda p: p.wrong, idle_in))
    for x, values in operands(rows).items():
        every = np.concatenate([v.ravel() for v in values])
        if not (every == np.round(every)).all():
            continue
        for words, here in (("zero", every == 0), ("as large as it ever is", every == every.max())):
            told = ways_log(int((~idle).sum()), int(wrong.sum())) - log(2 * len(values))
            if ((here & ~idle) == wrong).all() and told > UNLIKELY:
                return f"{x} is {words}"
    return ""


def idle_in(p: Pair) -> np.ndarray:
    """What may be right whatever is wrong: zeros, and what a step leaves as it is."""
    return ((p.e == 0) | unmoved(p)) & ~p.wrong


def between_bounds(rows: Sequence[Pair], values: Sequence[np.ndarray]) -> tuple[float, str] | None:
    """How unlikely it is that what is wrong lies so close together, and on which side; None if it does not."""
    told, sides = 0.0, set[str]()
    for p, v in zip(rows, values, strict=True):
        told_by = ~idle_in(p)
        v, wrong = v[told_by], p.wrong[told_by]
        if not np.isfinite(v).all():
            return None
        if not wrong.any() or wrong.all():
            continue
        low, high = v[wrong].min(), v[wrong].max()
        if ((v >= low) & (v <= high) & ~wrong).any():
            return None
        below, above = (v < low).any(), (v > high).any()
        sides.add("between" if below and above else "above" if below else "below")
        ways = ways_log(len(np.unique(v)), len(np.unique(v[wrong])))
        told += ways - log(len(v) * (len(v) + 1) / 2 if below and above else 2 * len(v))
    if not sides:
        return None
    side = BETWEEN if len(sides) > 1 or "between" in sides else f"lies {sides.pop()} a bound"
    return told, side


def ways_log(n: int, k: int) -> float:
    """In how many ways k of n could be wrong, its logarithm"""
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
