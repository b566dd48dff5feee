"""An expression of the answer that should come to a multiple of what it comes to.

One number is sought for each call, by the secant method; what it puts right are many: then it is no accident.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

import numpy as np

from ..exercise import Property
from ..inside.perform import leaves
from ..observe import Observation
from .both import Asked, Both
from .came import Came
from .words import Culprit

MANY = 4  # numbers that must come right by one
FIRST = 1.1  # times what it comes to: to see what depends on it
STEPS, NEAR = 8, 1e-12  # of the secant method, and how near it comes, of the largest number
FLAT = 1e-9  # of the largest number: what changes less does not depend on it


class Failure:
    """A call that went wrong, a step of a sequence, or the life of an object, with all of its numbers in a row."""

    def __init__(self, asked: Asked):
        self.asked = asked
        self.wanted, self.came = numbers(asked.expected), numbers(asked.runs[0][1])

    @property
    def tells(self) -> bool:
        """Whether there are numbers to be put right, in the places of those that are expected."""
        if self.wanted is None or self.came is None or self.wanted.shape != self.came.shape:
            return False
        return bool(np.isfinite(self.came).all() and np.isfinite(self.wanted).all())

    def times(self, place: int, k: float) -> tuple[np.ndarray | None, list[Observation]]:
        did = self.asked.instead(place, [k * x for x in self.asked.mine[place].values])
        came = numbers(did)
        fits = came is not None and self.wanted is not None and came.shape == self.wanted.shape
        return (came if fits else None), did

    def multiple(self, place: int, least: int) -> float | None:
        """The number that puts right what is wrong, at `least` so much, all of which depends on the expression."""
        wanted, came = self.wanted, self.came
        if not self.tells or place not in self.asked.mine or wanted is None or came is None:
            return None
        other, _ = self.times(place, FIRST)
        if other is None or not np.isfinite(other).all():
            return None
        size = float(np.abs(wanted).max(initial=0.0))
        gap, slope = wanted - came, other - came
        wrong, moves = np.abs(gap) > FLAT * size, np.abs(slope) > FLAT * size
        if (wrong & ~moves).any() or wrong.sum() < least:
            return None
        at = int(np.argmax(np.where(moves, np.abs(gap), -1.0)))
        before, now = float(came[at] - wanted[at]), float(other[at] - wanted[at])
        k = secant(lambda k: self.gap(place, k, at), FIRST, before, now, size)
        return k if k is not None and self.asked.comes_right(self.times(place, k)[1]) else None

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
    """All numbers of what came, one after another; None if anything was raised, or if there are none."""
    if any(o.behaviour.error for o in observed):
        return None
    values = [x for o in observed for _, x in leaves(o.behaviour.value) if isinstance(x, np.ndarray | float | int)]
    if any(np.iscomplexobj(x) for x in values):
        return None
    return np.concatenate([np.ravel(x).astype(float) for x in values]) if values else None


def comes_to_a_multiple(both: Both, before: int | None) -> Culprit | None:
    """The first that does it in every failed call; if a place is known already, a single number before it."""
    if any(isinstance(probe, Property) for s in both.failed for probe in s.probes):
        return None
    first = Failure(both.first)
    if not first.tells:
        return None
    others: list[Failure] | None = None
    for place in places(both, before):
        if both.side.effort < 0:
            return None
        k = first.multiple(place, MANY)
        if k is None:
            continue
        others = others or [
            Failure(Asked(both.exercise, s, n, both.sides, cut=True)) for s in both.failed for n in range(len(s.probes))
        ]
        if all(f.asked.comes_right(f.asked.runs[0][1]) or f.multiple(place, 1) is not None for f in others):
            came = both.first.mine[place]
            return both.blamed(place, came, Came([k * x for x in came.values]))
    return None


def places(both: Both, before: int | None) -> list[int]:
    """Single numbers first; of those only the whole that a number is a part of."""
    log = both.first.mine
    mine = list(log)[: list(log).index(before)] if before in log else list(log)
    mine = [p for p in mine if both.is_computed(p) and log[p].is_of_numbers and not is_written_in(both, p, before)]
    single = {p for p in mine if log[p].is_one_number}
    whole = [p for p in mine if p in single and not single & set(both.text.around[p - 1])]
    return whole + ([p for p in mine if p not in single] if before is None else [])


def is_written_in(both: Both, place: int, other: int | None) -> bool:
    """Whether it is a number that stands as it is in another expression."""
    return isinstance(both.text.nodes[place - 1], ast.Constant) and other in both.text.around[place - 1]
