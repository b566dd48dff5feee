"""The call that went wrong as it is shown at home: what was given, expected, got; of an object, the calls up to it.

Case.of(group, probe, expected, got)         # of one call
drawn, call = shown(exercise, verdict, seen)   # a picture in characters, and the case, unless it is known
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from . import picture
from .compare import compare
from .diagnosis import Seen
from .exercise import Call, Exercise, Group, Probe, Script
from .inside.perform import leaves
from .inside.values import Handle, Helper
from .observe import Observation
from .verdict import Verdict

MOST, LONG = 60, 300  # arrays, and characters of all else, that are shown of an argument
FEW = 10  # items of a list that are shown as they are
CALLS = 8  # of an object that are shown, up to the one that went wrong


@dataclass(frozen=True, repr=False)
class Case:
    """The call that went wrong: where, with what, what was expected of it, and what it did. Shown cut short.

    Of an object, `calls` is a table of the calls up to that one.
    """

    group: str
    label: str
    arguments: Mapping[str, Any]
    expected: Any
    got: Any
    calls: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, group: Group, probe: Probe, expected: Observation | None, got: Observation, calls: Sequence[str] = ()
    ) -> Case:
        answer = None if expected is None else expected.behaviour
        wanted = None if answer is None else answer.error or answer.value
        made = probe.arguments if isinstance(probe, Call) else {}  # what a function was made with that is called then
        arguments = {**made, **got.arguments}
        came = got.behaviour.error or got.behaviour.value
        return cls(group.name, got.label, arguments, wanted, came, tuple(calls))

    def __repr__(self) -> str:
        lines = [", ".join(word for word in (self.group, self.label) if word), *self.calls]
        given = [] if self.calls else list(self.arguments.items())
        answers = [("expected", self.expected), ("got", self.got)]
        if self.calls and all(in_a_word(value) for _, value in answers):
            return "\n".join(lines)  # the table has them
        with np.printoptions(precision=5, threshold=60, edgeitems=2, linewidth=88):
            for name, value in [*given, *answers]:
                for path, part in parts(name, value):
                    head = f"{path} {part.shape}" if isinstance(part, np.ndarray) and part.ndim else path
                    shown = shortly(part)
                    lines.append(f"{head}:\n{textwrap.indent(shown, '    ')}" if "\n" in shown else f"{head}: {shown}")
        return "\n".join(lines)


def parts(name: str, value: Any) -> list[tuple[str, Any]]:
    """A tree with arrays in it, array by array; all else as it is."""
    found = list(islice(leaves(value, name), MOST))
    return found if any(isinstance(leaf, np.ndarray) and leaf.ndim for _, leaf in found) else [(name, value)]


def shortly(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return str(value) if value.ndim else shortly(value.item())
    if type(value) in (list, tuple) and len(value) <= FEW and all(map(in_a_word, value)):
        plain = [x.item() if isinstance(x, np.ndarray) else x for x in value]
        items = ", ".join(repr(x) if isinstance(x, float) and x.is_integer() else shortly(x) for x in plain)
        return f"[{items}]" if type(value) is list else f"({items}{',' * (len(value) == 1)})"
    if isinstance(value, Helper):
        given = ", ".join(f"{name}={shortly(x)}" for name, x in value.parameters.items())
        return f"{value.name}({given if len(given) <= LONG and chr(10) not in given else ', '.join(value.parameters)})"
    return f"{value:.8g}" if isinstance(value, float) else textwrap.shorten(repr(value), LONG, placeholder=" …")


# ------------------------------------------------------------------------------------------------------- of an object
def in_a_word(value: Any) -> bool:
    return isinstance(value, str | float | int | type(None) | Handle) or (
        isinstance(value, np.ndarray) and not value.ndim
    )


def word(value: Any) -> str:
    """A value as a table has it."""
    if isinstance(value, Handle):
        return "an object"
    if isinstance(value, np.ndarray) and value.ndim:
        return f"array {value.shape}"
    return "" if value is None else textwrap.shorten(shortly(value), 20, placeholder=" …")


def calls_so_far(exercise: Exercise, s: Seen, index: int) -> list[str]:
    """How the object was made, and a table of what it was asked up to an observation, with what should have come."""
    number = s.got[index].probe
    probe = s.probes[number]
    if not isinstance(probe, Script):
        return []
    places = [i for i, o in enumerate(s.got[: index + 1]) if o.probe == number and not o.again][probe.others + 1 :]
    if not places:
        return []
    rows = list(table_rows(exercise, s, places[-CALLS:]))
    left = len(places) - len(places[-CALLS:])
    options = ", ".join(f"{name}={shortly(value)}" for name, value in probe.new.items())
    made = f"{exercise.name}({options})" + (f", and {probe.others} more" if probe.others else "")
    before = [f"… {left} call{'s' if left > 1 else ''} before"] if left else []
    return [made, *before, *in_columns(rows)]


def in_columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    cells = (
        [f"{x:>{w}}" if i else f"{x:<{w}}" for i, (x, w) in enumerate(zip(row, wide, strict=True))] for row in rows
    )
    return ["  ".join(line).rstrip() for line in cells]


def table_rows(exercise: Exercise, s: Seen, places: Sequence[int]) -> Iterator[tuple[str, str, str, str]]:
    """The call, what was expected, what came, and a mark where that is wrong."""
    yield "call", "expected", "yours", ""
    for i in places:
        e, a = s.expected[i].behaviour, s.got[i].behaviour
        wrong = compare(exercise, s.group, e, a, conduct=False) is not None
        cells = e.error or word(e.value), a.error or word(a.value)
        if wrong and cells[0] == cells[1] and isinstance(e.value, float):
            cells = repr(e.value), repr(a.value)
        yield s.got[i].label, *cells, "←" if wrong else ""


# -------------------------------------------------------------------------------------------------------- what is shown
def shown(exercise: Exercise, verdict: Verdict, seen: Sequence[Seen]) -> tuple[list[str], str]:
    """The picture in characters, and the call that went wrong unless the mistake is a known one.

    Nothing of an answer that is many times larger than was asked for: that would take as many times longer.
    """
    if any(s.difference and s.difference.kind == "larger" for s in seen):
        return [], ""
    drawn = [] if raised(verdict) else picture.plain(exercise, seen)
    return drawn, wrong_call(exercise, verdict, seen)


def raised(verdict: Verdict) -> bool:
    """A picture would be of another call than of that which raised."""
    return verdict.diagnosis is not None and verdict.diagnosis.kind == "raised"


def wrong_call(exercise: Exercise, verdict: Verdict, seen: Sequence[Seen]) -> str:
    """The call that went wrong, unless the mistake is a known one: whoever sees it may see more than the words say."""
    failed = next((group for group in verdict.groups if group.case is not None), None)
    s = next((s for s in seen if failed and s.group.name == failed.name), None)
    if verdict.diagnosis is None or verdict.diagnosis.kind == "misconception":
        return ""
    if failed is None or s is None or failed.case is None or not failed.case < min(len(s.got), len(s.expected)):
        return ""
    probe = s.probes[s.got[failed.case].probe]
    calls = calls_so_far(exercise, s, failed.case)
    return repr(Case.of(s.group, probe, s.expected[failed.case], s.got[failed.case], calls))
