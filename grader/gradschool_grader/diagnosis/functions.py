"""Readings of the last operation: a root, logarithm, square, reciprocal or absolute value too many or too few."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from .candidate import Candidate
from .seen import Pair

LAST: dict[str, tuple[Callable[[np.ndarray], np.ndarray], str]] = {
    "squared": (np.square, "Every number is the square of what it should be: a root is missing, or a square too many."),
    "root": (np.sqrt, "Every number is the root of what it should be."),
    "exp": (np.exp, "Every number is exp of what it should be: a logarithm is missing."),
    "log": (np.log, "Every number is the logarithm of what it should be."),
    "reciprocal": (np.reciprocal, "Every number is one over what it should be: what is divided by what?"),
    "complement": (lambda e: 1 - e, "Every number is one minus what it should be."),
    "absolute": (np.abs, "The numbers have the right size, but the sign is lost: all are positive."),
    "negative": (lambda e: -np.abs(e), "The numbers have the right size, but the sign is lost: all are negative."),
    "only_sign": (np.sign, "Only the signs of the right numbers came: their sizes are lost."),
    "integer": (np.trunc, "The fractions are cut off: somewhere the computation goes through integers."),
    "rounded": (np.round, "The numbers are rounded to whole ones."),
    "floored": (np.floor, "The numbers are rounded down to whole ones: is `//` meant, or `/`?"),
}
DECIMALS = range(1, 7)


def last_operation(wrong: Sequence[Pair]) -> Iterator[Candidate]:
    if any(p.e.shape != p.a.shape for p in wrong):
        return
    telling = enough_fractions(wrong)
    for name, (function, text) in LAST.items():
        whole = name in ("only_sign", "integer", "rounded", "floored")
        if not whole or telling:
            yield Candidate(name, text, lambda p, f=function: (p.a, f(p.e)), free=-1 if whole else 0)


def decimals(wrong: Sequence[Pair]) -> Iterator[Candidate]:
    """Right to some decimals, and rounded to them."""
    if any(p.e.shape != p.a.shape for p in wrong):
        return
    for n in DECIMALS:
        text = f"The numbers are rounded to {n} decimal{'s' if n > 1 else ''}."
        hint = "Is `round` for showing numbers, or for computing with them?"
        yield Candidate("decimals", text, lambda p, n=n: (p.a, np.round(p.e, n)), free=2, hint=hint)


def enough_fractions(wrong: Sequence[Pair]) -> bool:
    """Whole numbers say little one by one; eight of them, cut from numbers that are none, say enough."""
    return sum(p.visibly_wrong for p in wrong) >= 8 and all((p.e != np.round(p.e)).any() for p in wrong)


def cut_off(wrong: Sequence[Pair]) -> Iterator[Candidate]:
    """All numbers beyond a bound are the bound; the bound is read off, and three different ones must lie beyond it."""
    if any(p.e.shape != p.a.shape or not p.e.size or not np.isfinite(p.a).all() for p in wrong):
        return
    if all(p.visible.all() for p in wrong) or len(np.unique(np.concatenate([p.e[p.visible] for p in wrong]))) < 3:
        return
    low, high = min(p.a.min() for p in wrong), max(p.a.max() for p in wrong)
    for name, same in (
        ("below", lambda p: (p.a, np.maximum(p.e, low))),
        ("above", lambda p: (p.a, np.minimum(p.e, high))),
    ):
        hint = "Where are numbers clipped, or zeros put in the place of others?"
        yield Candidate("cut_off", f"The numbers are right, but cut off {name} a bound.", same, free=-1, hint=hint)
