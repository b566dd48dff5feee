"""Readings of reduction: summed or averaged over too little or too much, broadcast into a table, other shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from .candidate import Candidate, Same
from .layout import axis_name
from .seen import Pair

REDUCTIONS = {"summed": np.sum, "averaged": np.mean}


def too_little(wrong: Sequence[Pair]) -> Iterator[Candidate]:
    """An axis was kept that should be summed or averaged over, or all of them."""
    if any(p.a.ndim <= p.e.ndim for p in wrong):
        return
    for word, reduce in REDUCTIONS.items():
        for axis in range(wrong[0].a.ndim):
            text = f"The answer has an axis too many: its axis {axis} should be {word} over."
            yield Candidate("axis", text, lambda p, r=reduce, i=axis: (along(r, p.a, i), p.e))
        if all(p.e.ndim == 0 for p in wrong):
            text = f"The single entries stand where one number is asked for, to which they should be {word}."
            yield Candidate("axis", text, lambda p, r=reduce: (r(p.a), p.e))
    yield Candidate(
        "outer", "Every entry was combined with every other: a table came where its diagonal is asked for.", diagonal,
        hint="One operand has shape (N,), the other (N, 1): what does NumPy make of the two?",
    )  # fmt: skip


def along(reduce, x: np.ndarray, axis: int) -> np.ndarray:
    return reduce(x, axis=axis) if axis < x.ndim and x.size else x  # no entries have no mean


def diagonal(pair: Pair) -> Same | None:
    square = pair.a.ndim == 2 and pair.e.shape == pair.a.shape[:1] == pair.a.shape[1:]
    return (np.diagonal(pair.a), pair.e) if square else None


def too_much(wrong: Sequence[Pair]) -> Iterator[Candidate]:
    """Reduced to one number, or over an axis that should stay; one slice in the place of all."""
    if any(p.a.ndim >= p.e.ndim for p in wrong):
        return
    for word, reduce in REDUCTIONS.items():
        if all(p.a.ndim == 0 for p in wrong) and any(p.e.size > 1 for p in wrong):
            text = f"The answer is {word} to one number: the single entries are asked for."
            yield Candidate("axis", text, lambda p, r=reduce: (p.a, r(p.e)))
        for axis in range(wrong[0].e.ndim):
            if all(p.e.shape[axis : axis + 1] == (1,) for p in wrong):
                continue  # nothing is summed: an axis of length 1 is dropped
            text = f"The answer is {word} over {axis_name(wrong, axis)}, which should stay."
            yield Candidate("axis", text, lambda p, r=reduce, i=axis: (p.a, along(r, p.e, i)))
    for place, at in (("first", 0), ("last", -1)) if any(len(p.e) > 1 for p in wrong) else ():
        text = f"Only the {place} of what is asked for was returned. Is the `return` inside the loop?"
        yield Candidate("one_of_all", text, lambda p, at=at: (p.a, p.e[at]))


def shape(wrong: Sequence[Pair]) -> Iterator[Candidate]:
    """The right numbers in the right order, in another shape."""
    if any(p.a.size != p.e.size or p.a.shape == p.e.shape for p in wrong):
        return
    text = f"The numbers are right, but shaped {wrong[0].a.shape} where {wrong[0].e.shape} is expected."
    yield Candidate("shape", text, lambda p: (p.a.ravel(), p.e.ravel()))
