"""Reading of a place: which entries are wrong has itself a reason. Only the first row; only where `T` is negative.

The condition must hold in exactly the entries that are wrong, over all arrays of that name, the right ones too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from math import comb

import numpy as np

from ..verdict import Diagnosis
from .candidate import Reading, first_that_explains
from .layout import axis_name
from .operands import arrays, masked, numbers, scalars, shared
from .seen import Given, Pair
from .words import lower, said

Condition = Callable[[Pair], np.ndarray]
WHY = "What sets the wrong entries apart from the right ones?"
SOME = 3  # numbers that a reading of the wrong entries alone must explain
MOST = 0.5  # of the entries in which the condition holds: zeros may be right anywhere
WAYS = 1000  # in which as many entries could be wrong: in one of fewer they may be by chance
ENTRIES = 8  # fewer can be wrong in one pattern by chance
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
        return replace(found, text=f"In the arrays: {lower(found.text)} The single numbers differ too.")
    single = None if found else stacked([p for p in everything if not p.e.ndim and not p.a.ndim])
    found = found or (among([single], [single], readings) if single else None)
    if found and single and in_arrays:
        return replace(found, text=f"In the single numbers: {lower(found.text)} The arrays differ too.")
    return found


def among(everything: Sequence[Pair], wrong: Sequence[Pair], readings: Sequence[Reading]) -> Diagnosis | None:
    bad = {p.path for p in wrong}
    alike = [p for p in everything if p.path in bad and p.e.shape == p.a.shape and p.e.ndim]
    marked = np.concatenate([p.wrong.ravel() for p in alike] or [np.zeros(0, bool)])
    right = np.concatenate([(~p.wrong & (p.e != 0)).ravel() for p in alike] or [np.zeros(0, bool)])  # zeros come easily
    ways = comb(int(marked.sum() + right.sum()), int(marked.sum()))
    if len(marked) < ENTRIES or ways < WAYS or any(p.e.shape != p.a.shape for p in wrong):
        return None
    found = first_that_explains(readings, [only(p, p.wrong) for p in wrong], least=SOME)
    for words, here in conditions(alike, wrong):
        if all(is_wrong(here(p), p) for p in alike) and marked.sum() >= MOST * sum(here(p).sum() for p in alike):
            there = f" There: {found.text}" if found else there_zero(wrong) or " The others are right."
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


def is_wrong(mask: np.ndarray, pair: Pair) -> bool:
    """Whether these are the wrong entries. Zeros may be right anywhere: twice zero is zero."""
    return bool(((mask == pair.wrong) | (~pair.wrong & (pair.e == 0))).all())


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


def conditions(alike: Sequence[Pair], wrong: Sequence[Pair]) -> Iterator[tuple[str, Condition]]:
    for axis in (*range(min(p.e.ndim for p in wrong)), -1):
        name = "the last axis" if axis == -1 else axis_name(wrong, axis)
        yield f"in the first entry along {name}", lambda p, i=axis: line(p, i, 0)
        yield f"in the last entry along {name}", lambda p, i=axis: line(p, i, -1)
        yield f"beyond the first entry along {name}", lambda p, i=axis: ~line(p, i, 0)
        yield f"before the last entry along {name}", lambda p, i=axis: ~line(p, i, -1)
    operands, hyper = shared([arrays(p) for p in wrong]), shared([scalars(p) for p in wrong])
    yield from apart(operands, hyper)
    for x in operands:
        for word, test in SIGNS.items():
            yield f"where {x} is {word}", lambda p, x=x, f=test: holds(p, (x,), (), f)
        size = x if all((arrays(p)[x] >= 0).all() for p in wrong) else f"|{x}|"
        for s in hyper:
            yield f"where {size} is above {s}", lambda p, x=x, s=s: holds(p, (x,), (s,), lambda x, s: np.abs(x) > s)
            yield f"where {size} is below {s}", lambda p, x=x, s=s: holds(p, (x,), (s,), lambda x, s: np.abs(x) < s)
    for word, test in SIGNS.items():
        yield f"where the right number is {word}", lambda p, f=test: f(p.e)


def holds(p: Pair, operands: tuple[str, ...], hyper: tuple[str, ...], test: Callable[..., np.ndarray]) -> np.ndarray:
    """Where a test of these holds; nowhere, if a call was made without one of them."""
    if any(x not in arrays(p) for x in operands) or any(s not in scalars(p) for s in hyper):
        return np.zeros(p.e.shape, bool)
    return np.broadcast_to(test(*(arrays(p)[x] for x in operands), *(scalars(p)[s] for s in hyper)), p.e.shape)


def apart(operands: Sequence[str], hyper: Sequence[str]) -> Iterator[tuple[str, Condition]]:
    """How two operands lie to each other: y below x, or below it by more than some hyperparameter."""
    for x, y in permutations(operands, 2):
        yield f"where {x} is above {y}", lambda p, x=x, y=y: holds(p, (x, y), (), lambda x, y: x > y)
        for s in hyper:
            yield (
                f"where {x} is above {y} by more than {s}",
                lambda p, x=x, y=y, s=s: holds(p, (x, y), (s,), lambda x, y, s: x - y > s),
            )
            yield (
                f"where {x} and {y} are further apart than {s}",
                lambda p, x=x, y=y, s=s: holds(p, (x, y), (s,), lambda x, y, s: np.abs(x - y) > s),
            )


def line(pair: Pair, axis: int, at: int) -> np.ndarray:
    mask = np.zeros(pair.e.shape, bool)
    if axis < pair.e.ndim and pair.e.ndim:
        np.moveaxis(mask, axis, 0)[at] = True
    return mask
