"""The answer and the reference under watch, on the calls of the groups that failed."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import cached_property

from ..compare import compare
from ..diagnosis import Seen
from ..diagnosis.seen import failed_probe
from ..exercise import Exercise, Property
from ..observe import Observation
from .came import Came, Log, values_of
from .watch import LONGEST, Watching
from .words import Culprit, quoted

COMPUTED = ast.BinOp | ast.UnaryOp | ast.Call | ast.Constant  # and not only looked up


class Both:
    """Expressions are told by their numbers; `first` is what both sides' came to on the call that failed first."""

    def __init__(self, exercise: Exercise, failed: Sequence[Seen], mine: Watching, theirs: Watching):
        self.exercise, self.failed, self.mine, self.theirs = exercise, failed, mine, theirs
        self.text, self.number = mine.text, failed_probe(failed[0])
        self.logs: dict[tuple[str, int], tuple[Log, Log]] = {}

    @cached_property
    def first(self) -> tuple[Log, Log]:
        return self.of(self.failed[0], self.number)

    def of(self, s: Seen, number: int) -> tuple[Log, Log]:
        """What both sides' expressions came to on a probe."""
        key = s.group.name, number
        if key not in self.logs:
            self.logs[key] = self.mine.run(s.probes[number])[0], self.theirs.run(s.probes[number])[0]
        return self.logs[key]

    @property
    def can_be_read(self) -> bool:
        """Whether the answer does under watch what it did, as it may stand among names that are not there now; and
        whether all that was come to was kept."""
        s = self.failed[0]
        _, did = self.mine.run(s.probes[self.number])
        got = [o for o in s.got if o.probe == self.number and not o.again]
        same = len(did) == len(got) and all(
            a.behaviour.error == b.behaviour.error for a, b in zip(did, got, strict=True)
        )
        return same and all(len(values_of(log)) < LONGEST for log in self.first)

    @property
    def drawn(self) -> bool:
        """Whether right answers differ by what is drawn."""
        return any(isinstance(probe, Property) for probe in self.failed[0].probes)

    # ---- whether it is right
    def gives(self, s: Seen, number: int, place: int, came: Came) -> bool:
        """Whether the right answer comes of it if the expression comes to that."""
        return self.is_right(s, number, self.mine.instead(s.probes[number], place, came.values))

    def is_right(self, s: Seen, number: int, got: Sequence[Observation]) -> bool:
        expected = [o for o in s.expected if o.probe == number and not o.again]
        return len(got) == len(expected) and all(
            compare(self.exercise, s.group, e.behaviour, a.behaviour, conduct=False) is None
            for e, a in zip(expected, got, strict=True)
        )

    # ---- of the answer's expressions
    def is_computed(self, place: int) -> bool:
        """Whether it is not only looked up, and decides nothing: that is soon put right by accident."""
        log = self.first[0]
        around = [log[p] for p in self.text.around[place - 1] if p in log]
        return isinstance(self.text.nodes[place - 1], COMPUTED) and all(came.is_of_numbers for came in around)

    def is_returned(self, place: int) -> bool:
        """Whether it is the whole of what is returned, or of an item of it."""
        return isinstance(self.text.statements[place - 1], ast.Return) and not self.text.around[place - 1]

    def conditions(self, place: int) -> list[int]:
        """The conditions that it is a part of, the innermost first."""
        log = self.first[0]
        return [p for p in self.text.around[place - 1] if p in log and log[p].is_truth]

    def blamed(self, place: int, came: Came, right: Came, parts: Sequence[Seen] = ()) -> Culprit:
        """The culprit; `parts` are the groups that are right then, if not all."""
        names = tuple(s.group.name for s in parts) if len(parts) < len(self.failed) else ()
        expression, line = quoted(self.text.nodes[place - 1]), quoted(self.text.statements[place - 1])
        return Culprit(expression, line, *came.first_beside(right), names, self.drawn)
