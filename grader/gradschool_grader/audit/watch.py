"""Whether a group rejects an answer, asked no further than the first reply that differs.

rejects(group, answers, here(exercise, function, helpers))    # True: this group tells it from the reference
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..answers import Answers
from ..compare import compare, compare_all
from ..exercise import Exercise, Group, Probe, Property
from ..observe import Ask, Behaviour, Malformed, Observation, observe

__all__ = ["rejects"]


def rejects(group: Group, answers: Answers, ask: Ask) -> bool:
    """What `ask` replies must differ from the reference somewhere, by the comparison that judging makes."""
    exercise, probes, expected = answers.exercise, answers.probes(group), answers.expected(group)
    try:
        seen = observe(exercise, probes, Watch(exercise, group, probes, expected, ask))
    except (Differs, Malformed):
        return True
    return compare_all(exercise, group, probes, expected, seen) is not None


class Differs(Exception):
    """Nothing more needs to be asked."""


@dataclass
class Watch:
    """Asks as long as every reply is the expected one. Draws that may differ are for the property to judge."""

    exercise: Exercise
    group: Group
    probes: Sequence[Probe]
    expected: Sequence[Observation]
    asking: Ask
    number: int = 0

    def __call__(self, message: dict[str, Any]) -> dict[str, Any]:
        reply = self.asking(message)
        if self.number < len(self.expected):
            expected = self.expected[self.number]
            statistical = isinstance(self.probes[expected.probe], Property)
            got = Behaviour.claimed(reply)
            if not statistical and compare(self.exercise, self.group, expected.behaviour, got) is not None:
                raise Differs
        self.number += 1
        return reply
