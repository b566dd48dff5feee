"""An expression of the answer that should come to what an expression of the reference comes to.

place, culprit = another_value(both)
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ..diagnosis import Seen
from ..inside.perform import leaves
from .both import Asked, Both
from .came import Came, Log, near
from .words import Culprit

SHARES = 0.7, 0.3  # of the effort, for what is likely and for what is not


def another_value(both: Both, effort: int) -> tuple[int, Culprit] | None:
    """The number of the first that puts everything right so, and what is said of it."""
    search = Search(both)
    for share, pairs in zip(SHARES, search.candidates(), strict=True):
        both.side.effort = int(share * effort)
        for place, other in pairs:
            if both.side.effort < 0:
                break
            if search.right(both.first, place, other) and search.is_natural(place, other):
                parts = search.parts(place, other)
                if parts:
                    return place, search.said(place, other, parts)
    return None


class Search:
    def __init__(self, both: Both):
        self.both, self.failed, self.text = both, both.failed, both.text
        self.mine, self.theirs = both.first.mine, both.first.theirs

    # ---- what could be put where
    @cached_property
    def known(self) -> set[Any]:
        """What the reference comes to."""
        return {came.key for came in self.theirs.values()}

    def candidates(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Pairs of expressions, as they are evaluated, in two lots: first what the other side does not come to, and
        what it does; then what only decides something, since that is soon put right by accident, and what one side has
        oftener.

        The answer itself would put right whatever comes before; that is last, and only to say in which case or loop.
        """
        mine, theirs = self.mine, self.theirs
        others = self.others()
        pairs = [
            (place, other)
            for place, came in mine.items()
            for other in others.get(self.kind(came), ())
            if self.fits(came, theirs[other]) and (self.text.nested[place - 1] or other not in self.answers)
        ]

        def rank(both: tuple[int, int]) -> float:
            came, other = mine[both[0]], theirs[both[1]]
            if both[1] in self.answers:
                return 1.5 if came.shares_with(other) else 4  # what is right in many entries is hardly an accident
            if len(came.values) != len(other.values):
                return 3
            return 2 if self.decides(both[0]) else int(came.key in self.known)

        ranked = sorted((rank(both), i, both) for i, both in enumerate(pairs))
        return [both for r, _, both in ranked if r <= 1], [both for r, _, both in ranked if r > 1]

    def decides(self, place: int) -> bool:
        """Whether it is a condition, a whole number in one, or a whole number that stands there as it is."""
        came, written = self.mine[place], isinstance(self.text.nodes[place - 1], ast.Constant)
        return came.is_truth or (came.is_whole and (written or bool(self.both.conditions(place))))

    @cached_property
    def answers(self) -> set[int]:
        """The reference's expressions that come to what is asked for."""
        answers = [o.behaviour.value for o in self.both.first.expected]
        wanted = Came([x for _, x in leaves(answers) if isinstance(x, np.ndarray | float | int | np.generic)])
        return {other for other, came in self.theirs.items() if is_answer(came, wanted)}

    def others(self) -> dict[Any, list[int]]:
        """The reference's expressions, those that came to the same once."""
        found, once = dict[Any, list[int]](), set[Any]()
        for other, came in self.theirs.items():
            if came.key not in once:
                once.add(came.key)
                found.setdefault(self.kind(came), []).append(other)
        return found

    def kind(self, came: Came) -> Any:
        """What is the same for what can stand in each other's place: where a shape is wrong, whatever its shape."""
        s = self.failed[0]
        return came.kinds[0][1] if s.difference and s.difference.kind == "shape" else came.kinds[0]

    def fits(self, came: Came, other: Came) -> bool:
        """Whether they are as many, of the same shapes, and not the same; fewer if it raised before it came to all."""
        s = self.failed[0]
        if s.difference and s.difference.kind == "raised":
            return came.kinds == other.kinds[: len(came.kinds)]
        if s.difference and s.difference.kind == "shape":
            return len(came.values) == len(other.values) and came.key != other.key
        if len(came.values) != len(other.values):
            return came.is_same and other.is_same and not near(came.values[0], other.values[0])
        return came.kinds == other.kinds and came.key != other.key

    # ---- whether that puts it right
    def values(self, asked: Asked, place: int, other: int) -> list[Any]:
        """Those of the reference's expression, for the answer's."""
        came, theirs = asked.mine.get(place), asked.theirs.get(other)
        if theirs is None:
            return []
        if came and theirs.is_same:  # computed once on one side, again and again on the other
            return theirs.values[:1] * max(len(theirs.values), len(came.values))
        return theirs.values

    def right(self, asked: Asked, place: int, other: int) -> bool:
        return asked.gives(place, self.values(asked, place, other))

    def log_with(self, place: int, other: int) -> Log:
        """What everything comes to then, on what failed first."""
        first = self.both.first
        first.instead(place, self.values(first, place, other), keeps=True)
        return self.both.side.log()

    def parts(self, place: int, other: int) -> list[Seen]:
        """The groups in which everything comes out right then; none if the first is not among them."""
        found = [s for s in self.failed if all(self.right(asked, place, other) for asked in self.both.asked(s))]
        return found if self.failed[0] in found else []

    # ---- in words
    def said(self, place: int, other: int, parts: Sequence[Seen]) -> Culprit:
        return self.both.blamed(*(self.decided(place, other) or (place, self.mine[place], self.theirs[other])), parts)

    def decided(self, place: int, other: int) -> tuple[int, Came, Came] | None:
        """The condition that a name or number is a part of, with what that came to, and comes to if it is put right:
        another number there says less than how it is decided."""
        outer = self.both.conditions(place)
        if not outer or not isinstance(self.text.nodes[place - 1], ast.Name | ast.Attribute | ast.Constant):
            return None
        came, right = self.mine[outer[-1]], self.log_with(place, other).get(outer[-1])
        differs = right is not None and right.kinds == came.kinds and right.key != came.key
        return (outer[-1], came, right) if right is not None and differs else None

    def is_natural(self, place: int, other: int) -> bool:
        """Of what is only looked up and put right: whether what it stands in comes to something that the reference
        comes to as well, or decides something; by an accident of algebra it would not."""
        if not isinstance(self.text.nodes[place - 1], ast.Name | ast.Subscript | ast.Attribute):
            return True
        log = self.log_with(place, other)
        outer = next((log[p] for p in self.text.around[place - 1] if p in log), None)
        return outer is None or outer.is_truth or outer.key in self.known


def is_answer(came: Came, wanted: Came) -> bool:
    """Whether it is what is asked for, or a part of it: that would put right whatever comes before. Truth values and
    whole numbers are often the same by accident: of those all must be."""
    if came.is_truth or came.is_whole:
        return came.key == wanted.key
    last = came.values[-1]
    return any(near(last, x) for x in wanted.values if np.shape(x) == np.shape(last))
