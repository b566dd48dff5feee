"""Reading of a place: which entries are wrong has itself a reason. Only the first row; only where `T` is negative.

The condition must hold in exactly the entries that are wrong, over all arrays of that name, the right ones too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import permutations
from math import comb, prod

import numpy as np

from ..verdict import Diagnosis
from .candidate import Candidate, Reading, agreement, first_that_explains
from .layout import axis_name
from .operands import arrays, masked, numbers, over, scalars, shared
from .seen import Given, Pair
from .words import ARRAYS, NUMBERS, WRONG_TOO, lower, said

WHY = "What sets the wrong entries apart from the right ones?"
SOME = 3  # numbers that a reading of the wrong entries alone must explain
MOST = 0.5  # of the entries in which the condition holds: zeros may be right anywhere
WAYS = 1000  # in which as many of those entries could be wrong in which a mistake shows: fewer may be by chance
LINES = 50  # in fewer ways a line along an axis is right by chance, while all others are wrong
ENTRIES = 8  # fewer can be wrong in one pattern by chance
NOTHING = np.zeros(())  # in the place of an operand that a call was made without
SIGNS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "negative": lambda x: x < 0,
    "positive": lambda x: x > 0,
    "zero": lambda x: x == 0,
    "not zero": lambda x: x != 0,
}


def where(everything: Sequence[Pair], wrong: Sequence[Pair], readings: Sequence[Reading]) -> Diagnosis | None:
    """The condition in words, and what is wrong there if a reading can say it."""
    in_arrays = [p for p in wrong if p.e.ndim]
    found = among(everything, in_arrays, readings) if in_arrays else None
    if found and len(in_arrays) < len(wrong):
        return replace(found, text=f"{ARRAYS}: {lower(found.text)} {NUMBERS}{WRONG_TOO}")
    single = None if found else stacked([p for p in everything if not p.e.ndim and not p.a.ndim])
    found = found or (among([single], [single], readings) if single else None)
    if found and single and in_arrays:
        return replace(found, text=f"{NUMBERS}: {lower(found.text)} {ARRAYS}{WRONG_TOO}")
    return found


def among(everything: Sequence[Pair], wrong: Sequence[Pair], readings: Sequence[Reading]) -> Diagnosis | None:
    bad = {p.path for p in wrong}
    alike = [p for p in everything if p.path in bad and p.e.shape == p.a.shape and p.e.ndim]
    if not alike or any(p.e.shape != p.a.shape for p in wrong):
        return None
    row = Row(alike)
    if len(row.wrong) < ENTRIES or row.ways < WAYS:
        return None
    found = first_that_explains(readings, [only(p, p.wrong) for p in wrong], least=SOME)
    idle = row.idle | right_all_the_same(found, row)
    for words, here in conditions(row, wrong):
        # what is idle may be right anywhere: twice zero is zero
        if (
            not here.all()
            and ((here == row.wrong) | (~row.wrong & idle)).all()
            and row.wrong.sum() >= MOST * here.sum()
        ):
            there = f" There: {found.text}" if found else there_zero(wrong) or " The others are right."
            return said(
                f"where {found.name}" if found else "where",
                f"The answer is wrong only {words}.{there}",
                WHY,
                found.detail if found else "",
            )
    if found and (found.free <= 0 or len({p.place[:3] for p in wrong}) > 1):  # of one call anything may be fitted
        return said(
            f"some {found.name}",
            f"{row.wrong.sum()} of {len(row.wrong)} entries are wrong. In those: {found.text}",
            WHY,
        )
    return None


def right_all_the_same(found: Candidate | None, row: Row) -> np.ndarray:
    """Where the mistake makes no difference: times 1."""
    if found is None or found.free > 0:  # what is fitted to each array makes no difference in a right one
        return np.zeros(len(row.wrong), bool)
    told = ((agreement(found, p), p.e) for p in row.pairs)
    return np.concatenate([np.zeros(e.size, bool) if x is None or x.shape != e.shape else x.ravel() for x, e in told])


def there_zero(wrong: Sequence[Pair]) -> str:
    """What is counted that should not be: a masked entry, an empty one."""
    zero = all((p.e[p.wrong] == 0).all() for p in wrong)
    return " There: Zero is expected, and something else comes." if zero else ""


def stacked(everything: Sequence[Pair]) -> Pair | None:
    """Single numbers, one from each call, as one array; so are the numbers that the calls were given."""
    if len(everything) < ENTRIES or any(p.path != everything[0].path for p in everything):
        return None
    tables = [numbers(p) for p in everything]
    given = {name.strip("`"): np.array([table[name] for table in tables]) for name in shared(tables)}
    e, a = np.array([float(p.e) for p in everything]), np.array([float(p.a) for p in everything])
    return replace(everything[0], e=e, a=a, arguments=Given(given), carried=None)


def only(pair: Pair, mask: np.ndarray) -> Pair:
    """The pair with some of its entries only, in a row."""
    carried = None if pair.carried is None else pair.carried[mask]
    return replace(pair, e=pair.e[mask], a=pair.a[mask], carried=carried, arguments=masked(pair, mask))


def unmoved(pair: Pair) -> np.ndarray:
    """Where a step leaves things as they are: nearly any mistake leaves them, too."""
    return np.zeros(pair.e.shape, bool) if pair.carried is None else pair.e == pair.carried


class Row:
    """The entries of several arrays in a row, so that a condition is tried on all of them at once."""

    def __init__(self, pairs: Sequence[Pair]):
        self.pairs = pairs
        self.sizes = [p.e.size for p in pairs]
        self.e = np.concatenate([p.e.ravel() for p in pairs])
        self.wrong = np.concatenate([p.wrong.ravel() for p in pairs])
        self.idle = (self.e == 0) | np.isnan(self.e) | np.concatenate([unmoved(p).ravel() for p in pairs])

    @property
    def ways(self) -> int:
        """In how many ways as many could be wrong: entries, or calls where arrays are wrong as a whole or not."""
        if all(p.wrong.all() or p.right for p in self.pairs):
            return comb(len({p.place[:3] for p in self.pairs}), len({p.place[:3] for p in self.pairs if not p.right}))
        return comb(int((self.wrong | ~self.idle).sum()), int(self.wrong.sum()))

    def line(self, axis: int, at: int) -> np.ndarray:
        """Where the index along an axis is `at`."""
        masks = [np.zeros(p.e.shape, bool) for p in self.pairs]
        for mask in masks:
            if axis < mask.ndim:
                mask[(slice(None),) * (axis % mask.ndim) + (at,)] = True
        return np.concatenate([mask.ravel() for mask in masks])

    def of_arrays(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """An operand, entry by entry, and where it is: a call may be made without it."""
        known = [arrays(p).get(name) for p in self.pairs]
        values = [over(NOTHING if x is None else x, p.e.shape) for x, p in zip(known, self.pairs, strict=True)]
        return np.concatenate([x.ravel() for x in values]), np.repeat([x is not None for x in known], self.sizes)

    def of_scalars(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """The same of a single number."""
        known = [scalars(p).get(name) for p in self.pairs]
        values = np.repeat([0.0 if x is None else x for x in known], self.sizes)
        return values, np.repeat([x is not None for x in known], self.sizes)


def conditions(row: Row, wrong: Sequence[Pair]) -> Iterator[tuple[str, np.ndarray]]:
    """Conditions in words, and where in the row they hold."""
    for axis in (*range(min(p.e.ndim for p in wrong)), -1):
        name = "the last axis" if axis == -1 else axis_name(wrong, axis)
        first, last = row.line(axis, 0), row.line(axis, -1)
        yield f"in the first entry along {name}", first
        yield f"in the last entry along {name}", last
        if lines(wrong, axis) >= LINES:
            yield f"beyond the first entry along {name}", ~first
            yield f"before the last entry along {name}", ~last
    operands = {x: row.of_arrays(x) for x in shared([arrays(p) for p in wrong])}
    hyper = {s: row.of_scalars(s) for s in shared([scalars(p) for p in wrong])}
    for x, (value, there) in operands.items():
        for word, test in SIGNS.items():
            yield f"where {x} is {word}", test(value) & there
    yield from apart(operands, hyper)
    for x, (value, _) in operands.items():
        size = x if all((arrays(p)[x] >= 0).all() for p in wrong) else f"|{x}|"
        for s, (bound, given) in hyper.items():
            yield f"where {size} is above {s}", (np.abs(value) > bound) & there & given
            yield f"where {size} is below {s}", (np.abs(value) < bound) & there & given
    for word, test in SIGNS.items():
        yield f"where the right number is {word}", test(row.e)


def lines(wrong: Sequence[Pair], axis: int) -> int:
    """In how many ways one line along the axis could be the only right one in each array."""
    return prod(p.e.shape[axis] for p in wrong)


Known = Mapping[str, tuple[np.ndarray, np.ndarray]]


def apart(operands: Known, hyper: Known) -> Iterator[tuple[str, np.ndarray]]:
    """How two operands lie to each other: y below x, or below it by more than some hyperparameter."""
    for (x, (first, here)), (y, (second, there)) in permutations(operands.items(), 2):
        gap, both = first - second, here & there
        yield f"where {x} is above {y}", (gap > 0) & both
        for s, (bound, given) in hyper.items():
            yield f"where {x} is above {y} by more than {s}", (gap > bound) & both & given
            yield f"where {x} and {y} are further apart than {s}", (np.abs(gap) > bound) & both & given
