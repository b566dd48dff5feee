"""An expression that lacks what the call was given: a factor, a divisor, a term that is added or taken away."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..diagnosis.operands import stretches
from ..exercise import Call, Probe, Steps
from ..inside.perform import argument, leaves
from .both import Both
from .came import Came
from .words import Culprit

CHANGES: tuple[Callable[[Any, Any], Any], ...] = (operator.mul, operator.truediv, operator.add, operator.sub)


def lacks_an_argument(both: Both) -> Culprit | None:
    """The first that puts everything right so."""
    first = both.first
    if both.drawn:
        return None
    for place, came in first.mine.items():
        if not (both.is_computed(place) and came.is_of_numbers) or both.is_returned(place):
            continue
        for name, x in operands(first.probe).items():
            for change in CHANGES:
                if both.side.effort < 0:
                    return None
                right = changed(came, x, change)
                differs = right is not None and right.key != came.key
                if right and differs and first.gives(place, right.values) and always(both, place, name, change):
                    return both.blamed(place, came, right)
    return None


def always(both: Both, place: int, name: str, change: Callable[[Any, Any], Any]) -> bool:
    """Whether the same does it in every call of the groups that failed."""
    for asked in (asked for s in both.failed for asked in both.asked(s)):
        mine, given = asked.mine, operands(asked.probe)
        if place in mine and name not in given:
            return False
        right = changed(mine[place], given[name], change) if place in mine else Came([])
        if right is None or not asked.gives(place, right.values):
            return False
    return True


def operands(probe: Probe) -> dict[str, Any]:
    """Numbers and arrays of numbers that a call was given, and those in its tables: `cache['x']`."""
    given = probe.arguments if isinstance(probe, Call) else probe.constants if isinstance(probe, Steps) else {}
    return {argument(path): x for path, x in leaves(dict(given)) if np.asarray(x).dtype.kind == "f"}


def changed(came: Came, x: Any, change: Callable[[Any, Any], Any]) -> Came | None:
    """What it would come to; None if that has another shape, or is no number."""
    with np.errstate(all="ignore"):
        values = [
            change(np.asarray(value), x) if stretches(np.shape(x), np.shape(value)) else None for value in came.values
        ]
    good = all(value is not None and np.isfinite(value).all() for value in values)
    right = Came(values) if good else None
    return right if right and right.kinds == came.kinds else None
