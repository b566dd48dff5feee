"""Readings of digits: right to seven of them or to some, not a number, infinite, and from which input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..compare import entry
from .candidate import Candidate, Same
from .operands import fits
from .seen import Pair

CLOSE = 1e-5
SINGLE = 2.0**-24  # how far rounding to float32 moves a number of size 1
ROUNDINGS = 16
HUGE = 500  # exp of more is infinite in float32, and of twice as much in float64
EITHER = 3  # numbers to either side: fewer may be there by chance


def precision(wrong: Sequence[Pair]) -> Iterator[Candidate]:
    """The numbers are right up to a hundred-thousandth."""
    if any(p.e.shape != p.a.shape or not (np.isfinite(p.a) & np.isfinite(p.e)).all() for p in wrong):
        return
    gap = max(float(np.abs(p.a - p.e).max(initial=0.0)) / max(p.size, 1e-300) for p in wrong)
    if not 0 < gap <= CLOSE:
        return
    double = [p for p in wrong if p.e.dtype != np.float32]
    if double and all(map(single, double)):
        text = "The numbers are right to about seven digits: somewhere the computation goes through float32."
        yield Candidate("float32", text, itself, free=-1)
    what = "an epsilon too many or too few, cancellation, or a sum or a search that only comes near?"
    if any(map(single, double)) or rounded(double):
        what = "is there a float32 somewhere? If not: an epsilon too many or too few, a sum or search that comes near?"
    text = f"The numbers are right to some digits only: {what}"
    detail = f"They are right to about {-np.log10(gap):.0f} digits."
    yield Candidate("precision", text, itself, free=-1, detail=detail)


def single(pair: Pair) -> bool:
    """Whether nothing would change in float32."""
    return bool((pair.a.astype(np.float32) == pair.a).all())


def rounded(wrong: Sequence[Pair]) -> bool:
    """Whether numbers are off by a few roundings to float32, to either side: an epsilon too many shifts to one."""
    off = [(p.a - p.e)[p.wrong] * np.sign(p.e[p.wrong]) for p in wrong]
    if any((np.abs(gap) > ROUNDINGS * SINGLE * p.size).any() for gap, p in zip(off, wrong, strict=True)):
        return False
    signs = np.sign(np.concatenate([*off, np.zeros(0)]))
    return min((signs > 0).sum(), (signs < 0).sum()) >= max(EITHER, len(signs) / 5)


def itself(pair: Pair) -> Same:
    return pair.a, pair.a


def nonfinite(wrong: Sequence[Pair]) -> Iterator[Candidate]:
    """NaN or infinity where a finite number is expected: the first entry, and what the input has there.

    Where most of what is wrong is finite, that is not what is wrong.
    """
    bad = [p for p in wrong if p.e.shape == p.a.shape and (~np.isfinite(p.a) & np.isfinite(p.e)).any()]
    if not bad or 2 * len(bad) < len(wrong):
        return
    pair = bad[0]
    at = tuple(int(i) for i in np.argwhere(~np.isfinite(pair.a) & np.isfinite(pair.e))[0])
    kind = "NaN" if np.isnan(pair.a[at]) else "infinity"
    place = f", first at {entry(at, pair.labels)}" if at else ""
    text = f"{kind[0].upper()}{kind[1:]} appears where a finite number is expected{place}{culprit(pair, at)}"
    yield Candidate(kind.lower(), text, itself, free=-1)


def culprit(pair: Pair, at: tuple[int, ...]) -> str:
    """The argument that has what makes NaN and infinity, there if possible: a huge number, zero or one."""
    arrays = [(name, x) for name, x in pair.given.leaves if isinstance(x, np.ndarray) and x.size]
    here = [(name, np.broadcast_to(x, pair.e.shape)[at]) for name, x in arrays if fits(x, pair.e.shape)]
    for name, x in here:
        if abs(x) > HUGE:
            return f"; the input `{name}` is very large there: what does exp make of it?"
        if x == 0:
            return f"; the input `{name}` is zero there: what does log, or a division, make of it?"
    for name, x in here:
        if x == 1 and np.asarray(x).dtype.kind == "f":
            return f"; the input `{name}` is exactly 1 there: what does log, or a division, make of 1 minus it?"
    for name, x in arrays:
        if x.dtype.kind == "f" and np.abs(x).max() > HUGE:
            there = "has very large numbers in it: what does exp make of them, or log of an exp that came to 0?"
            return f"; the input `{name}` {there}"
        zeros, ones = ((x == n).any() for n in (0, 1))
        if x.dtype.kind == "f" and zeros and ones:
            return f"; the input `{name}` has zeros and ones in it: what does log, or a division, make of x, or 1 − x?"
        if x.dtype.kind == "f" and zeros:
            return f"; the input `{name}` has zeros in it: what does log, or a division, make of them?"
    return "."
