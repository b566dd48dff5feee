"""Readings of digits: right to seven of them or to some, not a number, infinite, and from which input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..compare import entry
from .candidate import Candidate, Same
from .operands import fits
from .seen import Pair

CLOSE = 1e-5


def precision(wrong: Sequence[Pair]) -> Iterator[Candidate]:
    """The numbers are right up to a hundred-thousandth."""
    if any(p.e.shape != p.a.shape or not (np.isfinite(p.a) & np.isfinite(p.e)).all() for p in wrong):
        return
    gap = max(float(np.abs(p.a - p.e).max(initial=0.0)) / max(p.size, 1e-300) for p in wrong)
    if not 0 < gap <= CLOSE:
        return
    if all((p.a.astype(np.float32) == p.a).all() for p in wrong if p.e.dtype != np.float32):
        text = "The numbers are right to about seven digits: somewhere the computation goes through float32."
        yield Candidate("float32", text, itself, free=-1)
    text = f"The numbers are right to about {-np.log10(gap):.0f} digits only: an epsilon too many, or cancellation?"
    yield Candidate("precision", text, itself, free=-1)


def itself(pair: Pair) -> Same:
    return pair.a, pair.a


def nonfinite(wrong: Sequence[Pair]) -> Iterator[Candidate]:
    """NaN or infinity where a finite number is expected: the first entry, and what the input has there."""
    bad = [p for p in wrong if p.e.shape == p.a.shape and (~np.isfinite(p.a) & np.isfinite(p.e)).any()]
    if not bad:
        return
    pair = bad[0]
    at = tuple(int(i) for i in np.argwhere(~np.isfinite(pair.a) & np.isfinite(pair.e))[0])
    kind = "NaN" if np.isnan(pair.a[at]) else "infinity"
    place = f", first at {entry(at, pair.labels)}" if at else ""
    text = f"{kind[0].upper()}{kind[1:]} appears where a finite number is expected{place}{culprit(pair, at)}"
    yield Candidate(kind.lower(), text, itself, free=-1)


def culprit(pair: Pair, at: tuple[int, ...]) -> str:
    """The argument that has what makes NaN and infinity, there if possible: zero, a huge entry, or such a scalar."""
    arrays = [(name, x) for name, x in pair.given.leaves if isinstance(x, np.ndarray) and x.size]
    here = [(name, np.broadcast_to(x, pair.e.shape)[at]) for name, x in arrays if fits(x, pair.e.shape)]
    anywhere = [(name, x) for name, x in arrays if x.dtype.kind == "f"]
    for found in (here, anywhere):
        for name, x in found:
            if np.abs(x).max() > 500:
                return f"; the input `{name}` is very large there: what does exp make of it?"
            if (x == 0).any():
                there = "is zero there" if np.ndim(x) == 0 else "has zeros there"
                return f"; the input `{name}` {there}: what does log, or a division, make of it?"
    return "."
