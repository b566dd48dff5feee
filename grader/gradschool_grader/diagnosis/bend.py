"""Where nothing explains an error: whether it is largest at a bend. What should turn sharply turns smoothly.

bend(wrong)     # " The error is largest where |`Y` − `T`| is near `delta`, and falls off to both sides: ..."
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from .operands import arrays, scalars, shared
from .seen import Pair

ENTRIES = 12  # of an array: fewer rise and fall by chance
SIDE = 2  # entries at least on either side of the largest


def bend(wrong: Sequence[Pair]) -> str:
    """The first quantity and bend around which errors rise and fall in all arrays that are large enough, if any is."""
    large = [p for p in wrong if p.e.shape == p.a.shape and p.visibly_wrong >= ENTRIES]
    quantities = [dict(along(p)) for p in large]
    bends = [{"0": 0.0} | scalars(p) for p in large]
    for x in shared(quantities):
        for at in shared(bends):
            if all(rises_and_falls(p, q[x], b[at]) for p, q, b in zip(large, quantities, bends, strict=True)):
                turned = "is it round where it should have a corner?"
                return f" The error is largest where {x} is near {at}, and falls off to both sides: {turned}"
    return ""


def along(pair: Pair) -> Iterator[tuple[str, np.ndarray]]:
    """Operands, differences of two, and how large they are."""
    known = {x: np.broadcast_to(value, pair.e.shape) for x, value in arrays(pair).items()}
    apart = {f"{x} − {y}": known[x] - known[y] for x, y in combinations(known, 2)}
    for x, value in {**known, **apart}.items():
        yield x, value
        yield f"|{x}|", np.abs(value)


def rises_and_falls(pair: Pair, quantity: np.ndarray, at: float) -> bool:
    """Whether the error, or its share of the right number, rises up to the bend and falls from there."""
    with np.errstate(all="ignore"):
        gap = np.abs(pair.a - pair.e)
        return any(
            has_its_peak(quantity[pair.visible], error[pair.visible], at) for error in (gap, gap / np.abs(pair.e))
        )


def has_its_peak(quantity: np.ndarray, error: np.ndarray, at: float) -> bool:
    """Entry by entry in the order of the quantity, with the bend beside the largest."""
    order = np.argsort(quantity)
    x, error = quantity[order], error[order]
    top = int(np.argmax(error))
    if not np.isfinite(error).all() or not SIDE <= top < len(error) - SIDE:
        return False
    return (
        bool((np.diff(error[: top + 1]) > 0).all() and (np.diff(error[top:]) < 0).all())
        and x[top - 1] < at < x[top + 1]
    )
