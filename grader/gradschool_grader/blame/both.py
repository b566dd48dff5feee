"""The answer and the reference under watch, on the calls of the groups that failed."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from ..compare import compare
from ..diagnosis import Seen
from ..diagnosis.seen import failed_probe
from ..exercise import Exercise, Probe, Property, Script, Steps
from ..observe import Behaviour, Observation, first_steps
from .came import Came, Log, values_of
from .watch import LONGEST, Watching
from .words import Culprit, quoted

LONG = 0.5  # seconds of one run
COMPUTED = ast.BinOp | ast.UnaryOp | ast.Call | ast.Constant  # and not only looked up


class Asked:
    """A probe of a group that failed, with what should come of it, and what both sides' expressions come to.

    What is tried first is tried on it `cut` after the step that went wrong first: it costs less.
    """

    def __init__(
        self, exercise: Exercise, s: Seen, number: int, sides: tuple[Watching, Watching], *, cut: bool = False
    ):
        seen = [(e, a) for e, a in zip(s.expected, s.got, strict=False) if e.probe == number and not e.again]
        self.exercise, self.s, self.sides, self.number = exercise, s, sides, number
        self.probe: Probe = s.probes[number]
        self.expected = [o for o in s.expected if o.probe == number and not o.again]
        if cut and isinstance(self.probe, Steps | Script):
            right = [self.is_right([a.behaviour], [e.behaviour]) for e, a in seen]
            steps = right.index(False) + 1 if False in right else len(seen)
            self.probe, self.expected = first_steps(self.probe, steps), self.expected[:steps]

    @cached_property
    def runs(self) -> tuple[tuple[Log, list[Observation]], tuple[Log, list[Observation]]]:
        mine, theirs = self.sides
        return mine.run(self.probe), theirs.run(self.probe)

    @property
    def mine(self) -> Log:
        return self.runs[0][0]

    @property
    def theirs(self) -> Log:
        return self.runs[1][0]

    def instead(self, place: int, values: Sequence[Any], *, keeps: bool = False) -> list[Observation]:
        """What the answer does if the expression comes to these values."""
        return self.sides[0].instead(self.probe, place, values, keeps=keeps)

    def gives(self, place: int, values: Sequence[Any]) -> bool:
        """Whether that is right."""
        return self.comes_right(self.instead(place, values))

    def comes_right(self, did: Sequence[Observation]) -> bool:
        return self.is_right([o.behaviour for o in did], [o.behaviour for o in self.expected])

    def is_right(self, did: Sequence[Behaviour], expected: Sequence[Behaviour]) -> bool:
        return len(did) == len(expected) and all(
            compare(self.exercise, self.s.group, e, a, conduct=False) is None
            for e, a in zip(expected, did, strict=True)
        )


class Both:
    """Expressions are told by their numbers; `first` is what failed first."""

    def __init__(self, exercise: Exercise, failed: Sequence[Seen], mine: Watching, theirs: Watching):
        self.exercise, self.failed, self.side, self.sides = exercise, failed, mine, (mine, theirs)
        self.text = mine.text
        self.first = Asked(exercise, failed[0], failed_probe(failed[0]), self.sides, cut=True)
        self.known: dict[tuple[str, int], Asked] = {}

    def asked(self, s: Seen) -> Iterator[Asked]:
        """The probes of a group, one after another."""
        for number in range(len(s.probes)):
            key = s.group.name, number
            if key not in self.known:
                self.known[key] = Asked(self.exercise, s, number, self.sides)
            yield self.known[key]

    @property
    def can_be_read(self) -> bool:
        """Whether the answer does under watch what it did, as it may stand among names that are not there now; whether
        all that was come to was kept; and whether that took no time that anybody would mind."""
        first = self.first
        _, did = first.runs[0]
        got = [o for o in self.failed[0].got if o.probe == first.number and not o.again][: len(first.expected)]
        same = len(did) == len(got) and all(
            a.behaviour.error == b.behaviour.error for a, b in zip(did, got, strict=True)
        )
        return (
            same
            and self.side.seconds < LONG
            and all(len(values_of(log)) < LONGEST for log in (first.mine, first.theirs))
        )

    @property
    def drawn(self) -> bool:
        """Whether right answers differ by what is drawn."""
        return any(isinstance(probe, Property) for probe in self.failed[0].probes)

    # ---- of the answer's expressions
    def is_computed(self, place: int) -> bool:
        """Whether it is not only looked up, and decides nothing: that is soon put right by accident."""
        log = self.first.mine
        around = [log[p] for p in self.text.around[place - 1] if p in log]
        return isinstance(self.text.nodes[place - 1], COMPUTED) and all(came.is_of_numbers for came in around)

    def is_returned(self, place: int) -> bool:
        """Whether it is the whole of what is returned, or of an item of it."""
        return isinstance(self.text.statements[place - 1], ast.Return) and not self.text.around[place - 1]

    def conditions(self, place: int) -> list[int]:
        """The conditions that it is a part of, the innermost first."""
        log = self.first.mine
        return [p for p in self.text.around[place - 1] if p in log and log[p].is_truth]

    def blamed(self, place: int, came: Came, right: Came, parts: Sequence[Seen] = ()) -> Culprit:
        """The culprit; `parts` are the groups that are right then, if not all."""
        names = tuple(s.group.name for s in parts) if len(parts) < len(self.failed) else ()
        expression, line = quoted(self.text.nodes[place - 1]), quoted(self.text.statements[place - 1])
        return Culprit(expression, line, *came.first_beside(right), names, self.drawn)
