"""Which expression of a wrong answer would put it right if it came to a multiple of what it comes to.

    rescaled(exercise, failed, side, places)
    # (12, 19, 19.5): expression 12 comes to 19, and if it came to 19.5, all that is wrong in that call were right

One number is sought for each call, by the secant method; what it puts right are many: then it is no accident.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .compare import compare
from .diagnosis import Seen
from .diagnosis.seen import failed_probe
from .exercise import Exercise, Probe, Property, Steps
from .inside.perform import leaves
from .observe import Observation, first_steps
from .watch import Log, Watching

__all__ = ["rescaled"]

MANY = 4  # numbers that must come right by one
FIRST = 1.1  # times what it comes to: to see what depends on it
STEPS, NEAR = 8, 1e-12  # of the secant method, and how near it comes, of the largest number
FLAT = 1e-9  # of the largest number: what changes less does not depend on it


class Failure:
    """One call that went wrong, a step of a sequence, or the life of an object; and what should come of it."""

    def __init__(self, exercise: Exercise, s: Seen, number: int, side: Watching):
        mine = [(e, a) for e, a in zip(s.expected, s.got, strict=False) if e.probe == number and not e.again]
        steps = len(mine)
        if isinstance(s.probes[number], Steps):
            wrong = [bool(compare(exercise, s.group, e.behaviour, a.behaviour, conduct=False)) for e, a in mine]
            steps = wrong.index(True) + 1 if True in wrong else len(mine)
        self.exercise, self.s, self.side = exercise, s, side
        self.probe: Probe = first_steps(s.probes[number], steps)
        self.expected = [e for e, _ in mine[:steps]]
        self.log, did = side.run(self.probe)
        self.wanted, self.came = numbers(self.expected), numbers(did)

    @property
    def tells(self) -> bool:
        """Whether there are numbers to be put right, in the places of those that are expected."""
        if self.wanted is None or self.came is None or self.wanted.shape != self.came.shape:
            return False
        return bool(np.isfinite(self.came).all() and np.isfinite(self.wanted).all())

    def times(self, place: int, k: float) -> tuple[np.ndarray | None, list[Observation]]:
        did = self.side.instead(self.probe, place, [k * x for x in self.log[place].values])
        came = numbers(did)
        fits = came is not None and self.wanted is not None and came.shape == self.wanted.shape
        return (came if fits else None), did

    def is_right(self, did: Sequence[Observation]) -> bool:
        return len(did) == len(self.expected) and all(
            compare(self.exercise, self.s.group, e.behaviour, a.behaviour, conduct=False) is None
            for e, a in zip(self.expected, did, strict=True)
        )

    def multiple(self, place: int, least: int) -> float | None:
        """The number that puts right what is wrong, at `least` so much, all of which depends on the expression."""
        if not self.tells or place not in self.log:
            return None
        wanted, came = self.wanted, self.came
        assert wanted is not None
        assert came is not None
        other, _ = self.times(place, FIRST)
        if other is None or not np.isfinite(other).all():
            return None
        size = float(np.abs(wanted).max(initial=0.0))
        gap, slope = wanted - came, other - came
        wrong, moves = np.abs(gap) > FLAT * size, np.abs(slope) > FLAT * size
        if (wrong & ~moves).any() or wrong.sum() < least:
            return None
        at = int(np.argmax(np.where(moves, np.abs(gap), -1.0)))
        k = secant(
            lambda k: self.gap(place, k, at), FIRST, float(came[at] - wanted[at]), float(other[at] - wanted[at]), size
        )
        return k if k is not None and self.is_right(self.times(place, k)[1]) else None

    def gap(self, place: int, k: float, at: int) -> float:
        came, _ = self.times(place, k)
        return float("nan") if came is None or self.wanted is None else float(came[at] - self.wanted[at])


def secant(gap: Callable[[float], float], k: float, before: float, now: float, size: float) -> float | None:
    """The zero of a function that is `before` at 1 and `now` at k."""
    last = 1.0
    for _ in range(STEPS):
        if not np.isfinite(now) or now == before:
            return None
        last, k, before = k, k - now * (k - last) / (now - before), now
        now = gap(k)
        if abs(now) <= NEAR * size:
            return k
    return k if abs(now) <= 1e3 * NEAR * size else None


def numbers(observed: Sequence[Observation]) -> np.ndarray | None:
    """All numbers of what came, one after another; None if anything was raised, or if there are none on one line."""
    if any(o.behaviour.error for o in observed):
        return None
    values = [x for o in observed for _, x in leaves(o.behaviour.value) if isinstance(x, np.ndarray | float | int)]
    if any(np.iscomplexobj(x) for x in values):
        return None
    return np.concatenate([np.ravel(x).astype(float) for x in values]) if values else None


def rescaled(
    exercise: Exercise, failed: Sequence[Seen], side: Watching, places: Callable[[Log], Sequence[int]]
) -> tuple[int, Any, Any] | None:
    """The first of the places that does it in every failed call, with what it came to and what would be right."""
    if any(isinstance(probe, Property) for s in failed for probe in s.probes):
        return None
    first = Failure(exercise, failed[0], failed_probe(failed[0]), side)
    if not first.tells:
        return None
    others: list[Failure] | None = None
    for place in places(first.log):
        if side.effort < 0:
            return None
        k = first.multiple(place, MANY)
        if k is None:
            continue
        if others is None:
            others = [Failure(exercise, s, n, side) for s in failed for n in range(len(s.probes))]
        if all(call.is_right(call.side.run(call.probe)[1]) or call.multiple(place, 1) is not None for call in others):
            value = first.log[place].values[0]
            return place, value, k * value
    return None
