"""Reading of a place: which entries are wrong has itself a reason. Only the first row; only where `T` is negative.

The condition must hold in exactly the entries that are wrong, over all arrays of that name, the right ones too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np

from ..verdict import Diagnosis
from .candidate import Reading, first_that_explains
from .layout import axis_name
from .operands import arrays, scalars, shared
from .seen import Pair
from .words import said

Condition = Callable[[Pair], np.ndarray]
WHY = "What sets the wrong entries apart from the right ones?"
SOME = 3  # numbers that a reading of the wrong entries alone must explain
ENTRIES = 8  # fewer can be wrong in one pattern by chance
SIGNS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "negative": lambda x: x < 0,
    "positive": lambda x: x > 0,
    "zero": lambda x: x == 0,
    "not zero": lambda x: x != 0,
}


def where(everything: Sequence[Pair], wrong: Sequence[Pair], readings: Sequence[Reading]) -> Diagnosis | None:
    """The condition in words, and what is wrong there if a reading can say it."""
    bad = {p.path for p in wrong}
    alike = [p for p in everything if p.path in bad and p.e.shape == p.a.shape]
    marked = np.concatenate([p.wrong.ravel() for p in alike] or [np.zeros(0, bool)])
    right = np.concatenate([(~p.wrong & (p.e != 0)).ravel() for p in alike] or [np.zeros(0, bool)])  # zeros come easily
    if len(marked) < ENTRIES or min(marked.sum(), right.sum()) < 2 or any(p.e.shape != p.a.shape for p in wrong):
        return None
    found = first_that_explains(readings, [only(p, p.wrong) for p in wrong], least=SOME)
    for words, holds in conditions(alike, wrong):
        if all(fits(holds(p), p) for p in alike):
            there = f" There: {found.text}" if found else " The others are right."
            return said(
                f"where {found.name}" if found else "where",
                f"The answer is wrong only {words}.{there}",
                WHY,
                found.detail if found else "",
            )
    if found:
        return said(
            f"some {found.name}", f"{marked.sum()} of {len(marked)} entries are wrong. In those: {found.text}", WHY
        )
    return None


def fits(mask: np.ndarray, pair: Pair) -> bool:
    """Whether these are the wrong entries. Zeros may be right anywhere: twice zero is zero."""
    return bool(((mask == pair.wrong) | (~pair.wrong & (pair.e == 0))).all())


def only(pair: Pair, mask: np.ndarray) -> Pair:
    """The pair with some of its entries only, in a row."""
    carried = None if pair.carried is None else pair.carried[mask]
    return replace(pair, e=pair.e[mask], a=pair.a[mask], carried=carried)


def conditions(alike: Sequence[Pair], wrong: Sequence[Pair]) -> Iterator[tuple[str, Condition]]:
    for axis in (*range(min(p.e.ndim for p in wrong)), -1):
        name = "the last axis" if axis == -1 else axis_name(wrong, axis)
        yield f"in the first entry along {name}", lambda p, i=axis: line(p, i, 0)
        yield f"in the last entry along {name}", lambda p, i=axis: line(p, i, -1)
        yield f"beyond the first entry along {name}", lambda p, i=axis: ~line(p, i, 0)
        yield f"before the last entry along {name}", lambda p, i=axis: ~line(p, i, -1)
    yield from apart(alike)
    for word, test in SIGNS.items():
        yield f"where the right number is {word}", lambda p, f=test: f(p.e)
    for x in shared([arrays(p) for p in alike]):
        for word, test in SIGNS.items():
            yield f"where {x} is {word}", lambda p, x=x, f=test: f(arrays(p)[x])
        for s in shared([scalars(p) for p in alike]):
            yield f"where |{x}| is above {s}", lambda p, x=x, s=s: np.abs(arrays(p)[x]) > scalars(p)[s]
            yield f"where |{x}| is below {s}", lambda p, x=x, s=s: np.abs(arrays(p)[x]) < scalars(p)[s]


def apart(alike: Sequence[Pair]) -> Iterator[tuple[str, Condition]]:
    """How two operands lie to each other: y below x, or below it by more than some hyperparameter."""
    numbers = shared([scalars(p) for p in alike])
    for x, y in permutations(shared([arrays(p) for p in alike]), 2):
        yield f"where {x} is above {y}", lambda p, x=x, y=y: arrays(p)[x] > arrays(p)[y]
        for s in numbers:
            yield (
                f"where {x} is above {y} by more than {s}",
                lambda p, x=x, y=y, s=s: arrays(p)[x] - arrays(p)[y] > scalars(p)[s],
            )
            yield (
                f"where {x} and {y} are further apart than {s}",
                lambda p, x=x, y=y, s=s: np.abs(arrays(p)[x] - arrays(p)[y]) > scalars(p)[s],
            )


def line(pair: Pair, axis: int, at: int) -> np.ndarray:
    mask = np.zeros(pair.e.shape, bool)
    if axis < pair.e.ndim and pair.e.ndim:
        np.moveaxis(mask, axis, 0)[at] = True
    return mask
