"""Of the call that went wrong first, what may be said without its numbers: its place, its options, what in it is right.

circumstances(exercise, s)
# " That is call 2 of 3 in the part `masks`, with `mask` given and `reduction='none'`; the 1 before it is right."
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import NoneType
from typing import Any

import numpy as np

from ..compare import compare
from ..exercise import Call, Exercise, Probe, Script, Steps
from ..inside.values import Handle
from ..observe import parameters
from .derived import and_so_on
from .seen import Seen, at_fault, failed_probe, failed_steps, one_by_one, pairs
from .sequences import listed

MADE = "constructing"  # what an object's making is called


def circumstances(exercise: Exercise, s: Seen) -> str:
    """Where a student may look who knows only that it is wrong."""
    number = failed_probe(s)
    probe = s.probes[number]
    if isinstance(probe, Script):
        return in_a_life(exercise, s, probe)
    if not isinstance(probe, Call | Steps):
        return ""
    kind = "call" if isinstance(probe, Call) else "sequence"
    alike = [i for i, other in enumerate(s.probes) if type(other) is type(probe)]
    before, chosen = alike.index(number), options(exercise, given_to(probe))
    if len(alike) == 1 and not chosen:
        return ""  # the part by itself says it
    place = f"{kind} {before + 1} of {len(alike)}" if len(alike) > 1 else f"the {kind}"
    right = f"; the {before} before it {'is' if before == 1 else 'are'} right" if before else ""
    return f" That is {place} in the part `{s.group.name}`{chosen}{right}."


def in_a_life(exercise: Exercise, s: Seen, probe: Script) -> str:
    """How often the one object was called before; nothing where there are several, whose calls have names."""
    calls = probe.calls[: len(failed_steps(s)) - 1]
    methods = [name for name, args in calls if args is not None]
    if not methods or probe.others or probe.name:
        return ""
    count = methods.count(methods[-1])
    _, args = calls[-1]
    place = f"after {count} calls" if args is None else f"call {count}"
    chosen = options(exercise, probe.new)
    return f" That is {place} of `{methods[-1]}` in an object's life in the part `{s.group.name}`{chosen}."


def right_methods(exercise: Exercise, seen: Sequence[Seen]) -> str:
    """Of objects: what is right wherever it is asked for, beside what is not."""
    answers = [answer for s in seen for answer in by_method(exercise, s)]
    wrong = list(dict.fromkeys(method for method, right in answers if not right))
    right = [method for method in dict.fromkeys(method for method, _ in answers) if method not in wrong]
    if not wrong or not right:
        return ""
    both = [and_so_on([f"`{method}`" for method in methods]) for methods in (right, wrong)]
    asked = "it is" if len(right) == 1 else "they are"
    return f" {both[0]} {is_or_are(right)} right wherever {asked} asked for; {both[1]} {is_or_are(wrong)} not."


def by_method(exercise: Exercise, s: Seen) -> Iterator[tuple[str, bool]]:
    """What each call of an object was of, and whether its answer is right, if one is expected that says something."""
    for e, a in one_by_one(s):
        call = a.arguments.get("call") if isinstance(s.probes[e.probe], Script) else None
        value = e.behaviour.value
        if isinstance(call, str) and not a.label.startswith(MADE) and not isinstance(value, Handle | NoneType):
            right = compare(exercise, s.group, e.behaviour, a.behaviour, conduct=False) is None
            yield call.rpartition(" = ")[2].rpartition(".")[2], right


def options(exercise: Exercise, given: Mapping[str, Any]) -> str:
    """Which of them were chosen; nothing where a function has none."""
    optional = {name: p.default for name, p in parameters(exercise.plain).items() if p.default is not p.empty}
    chosen = list(said_of(given, optional))
    if not optional:
        return ""
    return f", with {and_so_on(chosen)}" if chosen else ", with no option chosen"


def given_to(probe: Probe) -> Mapping[str, Any]:
    """The arguments of a call, or of a sequence's first step."""
    if isinstance(probe, Call):
        return probe.arguments
    return {**probe.carry, **probe.feed[0], **probe.constants} if isinstance(probe, Steps) and probe.feed else {}


def said_of(given: Mapping[str, Any], optional: Mapping[str, Any]) -> Iterator[str]:
    """Words and truth values as they are, and only that there is one of all else: it has hidden numbers."""
    for name, default in optional.items():
        value = given.get(name, default)
        if type(value) in (str, bool) and value != default:
            yield f"`{name}={value!r}`"
        elif name in given and value is not None and (isinstance(value, np.ndarray) or value != default):
            yield f"`{name}` given"


def right_beside(exercise: Exercise, s: Seen) -> str:
    """What else that call returned, if some of it is right."""
    wrong = at_fault(exercise, s)
    beside = (p for p in pairs(exercise, s) if wrong and p.path and p.place[:3] == wrong[0].place[:3])
    right = [p.path for p in beside if p.right]
    if not right:
        return ""
    both = ([p.path for p in wrong], "wrong"), (right, "right")
    return f" In it {' and '.join(f'{listed(paths)} {is_or_are(paths)} {word}' for paths, word in both)}."


def is_or_are(paths: list[str]) -> str:
    return "is" if len(paths) == 1 else "are"
