"""Readings of nothing done: an argument comes back as it went in, all is zero, or all is the same number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from .candidate import Candidate, Same, evidence
from .glimpse import glimpse
from .operands import arrays, over, shared
from .seen import Pair

ENOUGH = 3  # entries that should not be what they are
MANY = 10  # entries: fewer shares of a count are the same by chance


def constant(wrong: Sequence[Pair]) -> Iterator[Candidate]:
    if any(p.e.shape != p.a.shape for p in wrong) or sum(p.visibly_wrong for p in wrong) < ENOUGH:
        return
    if all(p.carried is not None for p in wrong):
        text = "It comes back as it went in: nothing brings it up to date."
        yield Candidate(
            "unchanged", text, unchanged, free=-1, hint="Which line computes it, and is that what you return?",
            always=True,
        )  # fmt: skip
    few = glimpse(wrong)
    for name in shared([arrays(p) for p in (few.pair, *wrong)]):
        text = f"The answer is {name} itself: what should happen to it does not."
        seen = few.explained(few.of(arrays(few.pair)[name])[None], few.size_of(arrays(few.pair)[name]))
        if seen.any():
            yield Candidate("echo", text, lambda p, n=name: echoed(p, n), always=True,
                            partly=not seen.all())  # fmt: skip
    if any(p.e.ndim for p in wrong) or evidence([replace(p, a=p.e, e=p.a) for p in wrong]) >= 1:
        hint = "What makes them zero: an array that nothing fills, or a factor that is 0?"
        if all((np.abs(p.e) < 1).all() for p in wrong):
            hint = "Does your array hold whole numbers only, which cut off all below 1? Is it the one that you return?"
        if not any(p.a.any() for p in wrong):
            yield Candidate("zeros", "All numbers are zero.", lambda p: (p.a, 0 * p.e), free=-1, always=True, hint=hint)
    varied = [p for p in wrong if np.ptp(p.e) > 0 and (p.a.size >= MANY or evidence([p]) >= 1)]
    if len(varied) == len(wrong):
        text = "All numbers of an array are the same, which they should not be."
        yield Candidate("one_number", text, lambda p: (p.a, np.full(p.a.shape, p.a.flat[0])), free=-1, always=True,
                        hint="What is summed or decided once for the array, and should be for each entry?")  # fmt: skip


def one_for_all(wrong: Sequence[Pair]) -> Iterator[Candidate]:
    """All wrong numbers of an array are one number, another one in each array: a maximum over everything."""
    if any(p.e.shape != p.a.shape for p in wrong) or sum(p.visibly_wrong - 1 for p in wrong) < MANY:
        return  # the first of an array is always the same as itself
    values = [np.unique(p.a[p.visible]) for p in wrong]
    found = {float(v[0]) for v in values if len(v)}
    if any(len(v) > 1 for v in values) or 0 in found or len(found) < 2 or evidence(wrong) < 2:
        return
    text = (
        "All numbers of an array that are wrong are the same one: something is computed once for the whole array that "
        "every entry should have for itself."
    )
    hint = "Which `max`, `sum` or `mean` runs over everything, and which one compares entry by entry?"
    yield Candidate("one_for_all", text, lambda p: (p.a, np.where(p.wrong, shown(p), p.e)), free=1, hint=hint)


def shown(pair: Pair) -> float:
    """The number that came where it is most visible that it is wrong."""
    return float(pair.a[pair.visible][0]) if pair.visibly_wrong else np.nan


def echoed(pair: Pair, name: str) -> Same | None:
    operand = arrays(pair).get(name)
    return None if operand is None else (pair.a, over(operand, pair.a.shape))


def unchanged(pair: Pair) -> Same | None:
    return None if pair.carried is None else (pair.a, pair.carried)
