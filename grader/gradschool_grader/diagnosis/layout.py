"""Readings of layout: the numbers are right, and stand in the wrong places. Transposed, permuted, reversed, shifted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations

import numpy as np

from .candidate import Candidate, Same
from .seen import Pair


def axes(wrong: Sequence[Pair]) -> Iterator[Candidate]:
    """Transposed, or its axes in another order."""
    if any(p.e.ndim < 2 or p.a.ndim != p.e.ndim for p in wrong):
        return
    yield Candidate("transpose", "The answer is right, but transposed.", lambda p: (p.a, p.e.T))
    ndim = wrong[0].e.ndim
    if ndim > 2 and all(p.e.ndim == ndim for p in wrong):
        for order in permutations(range(ndim)):
            text = f"The answer is right, but its axes are in another order: {order} of what is expected."
            yield Candidate("permuted", text, lambda p, order=order: (p.a, p.e.transpose(order)))


def order(wrong: Sequence[Pair]) -> Iterator[Candidate]:
    """Reversed or shifted along an axis, or the same numbers in some other order."""
    if any(p.e.shape != p.a.shape or not p.e.ndim for p in wrong):
        return
    for axis in range(min(p.e.ndim for p in wrong)):
        along = f"along {axis_name(wrong, axis)}"
        text = f"The numbers are right, but in reverse order {along}."
        yield Candidate("reversed", text, lambda p, i=axis: (p.a, np.flip(p.e, i)))
        for by in (1, -1):
            text = f"The numbers are right, but shifted by one {along}."
            hint = "Which index does your first entry use, and which should it use?"
            yield Candidate("shifted", text, lambda p, b=by, i=axis: (p.a, np.roll(p.e, b, i)), hint=hint)
            if any(p.e.shape[axis] > 2 for p in wrong):  # of a single one all is edge, which is not explained
                left_over = sum(p.e.size // p.e.shape[axis] for p in wrong)
                yield Candidate("shifted", text, lambda p, b=by, i=axis: moved(p, b, i), free=left_over, hint=hint)
    yield Candidate(
        "another_order", "The numbers are right, but stand in another order.", reordered, free=2 * len(wrong),
        hint="Where is an array sorted, indexed or reshaped, and does the rest follow?",
    )  # fmt: skip


def length(wrong: Sequence[Pair]) -> Iterator[Candidate]:
    """One too few along the first axis, or one too many; all others are right."""
    if any(not (p.e.ndim and p.a.ndim) or p.e.shape[1:] != p.a.shape[1:] for p in wrong):
        return
    longer = {len(p.a) - len(p.e) for p in wrong}
    for place, rest in (("first", slice(1, None)), ("last", slice(None, -1))):
        if longer == {-1}:
            yield Candidate("one_missing", f"The {place} one is missing, and all others are right.",
                            lambda p, rest=rest: (p.a, p.e[rest]),
                            hint=f"Which of your lines is for the {place} one, and does it run?")  # fmt: skip
        if longer == {1}:
            yield Candidate("one_too_many", f"There is one too many, the {place}, and all others are right.",
                            lambda p, rest=rest: (p.a[rest], p.e),
                            hint=f"Which of your lines adds the {place} one?")  # fmt: skip


def moved(pair: Pair, by: int, axis: int) -> Same:
    """Shifted with something else moving in at the edge; the edge is taken as it came."""
    told = np.roll(pair.e, by, axis)
    edge = [slice(None)] * pair.e.ndim
    edge[axis] = slice(0, 1) if by > 0 else slice(-1, None)
    told[tuple(edge)] = pair.a[tuple(edge)]
    return pair.a, told


def reordered(pair: Pair) -> Same | None:
    """The expected numbers in the order in which the answer has its own."""
    if pair.e.size < 3:
        return None
    told = np.empty_like(pair.e).ravel()
    told[np.argsort(pair.a, axis=None)] = np.sort(pair.e, axis=None)
    return pair.a, told.reshape(pair.e.shape)


def axis_name(wrong: Sequence[Pair], axis: int) -> str:
    labels = wrong[0].labels
    return f"the axis {labels[axis]!r}" if labels and all(p.e.ndim == len(labels) for p in wrong) else f"axis {axis}"
