"""Of the call that went wrong first, what may be said without its numbers: its place, its options, what in it is right.

circumstances(exercise, s)
# " That is call 2 of 3 in the part `masks`, with `mask` given and `reduction='none'`; the 1 before it is right."
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from types import NoneType
from typing import Any

import numpy as np

from ..compare import compare
from ..exercise import Call, Exercise, Probe, Script, Steps
from ..inside.values import Handle
from ..observe import called, parameters
from .derived import and_so_on
from .objects import argument_name
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
    return f" That is {place} in the part `{s.group.name}`{chosen}{right}.{met_first(exercise, s)}"


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
    told = any(args for _, args in calls[:-1])
    first = "" if told or calls[-1][1] or not tells(probe) else ", before it was told anything,"
    life = f"of `{methods[-1]}` in an object's life{first} in the part `{s.group.name}`{chosen}"
    return f" That is {place} {life}.{met_first(exercise, s)}"


def tells(probe: Script) -> bool:
    """Whether the object is told something at all."""
    return any(args for _, args in probe.calls)


FIRSTS: dict[str, Callable[[float, float], bool]] = {
    "NaN": lambda x, before: math.isnan(x),
    "infinite": lambda x, before: math.isinf(x),
    "zero": lambda x, before: x == 0,
    "negative": lambda x, before: x < 0,
    "the same as before": lambda x, before: x == before,
}
"""What a number may be for the first time, beside the one before it."""
SELDOM = "NaN", "infinite", "zero"  # that is telling beside a single other number


def met_first(exercise: Exercise, s: Seen) -> str:
    """What the wrong step of a sequence, or the wrong call of an object, was told that none before it was."""
    for name, values in numbers_told(exercise, s):
        for words, holds in FIRSTS.items():
            new = [holds(x, before) for before, x in pairwise([math.nan, *values])]
            if len(new) > (words not in SELDOM) + 1 and new[-1] and not any(new[:-1]):
                place = f"step {len(new)}" if isinstance(s.probes[failed_probe(s)], Steps) else "it"
                return f" In {place} `{name}` is {words} for the first time."
    return ""


def numbers_told(exercise: Exercise, s: Seen) -> Iterator[tuple[str, list[float]]]:
    """Each single number that is fed to a sequence, or told to an object's method, up to the wrong one."""
    probe, steps = s.probes[failed_probe(s)], failed_steps(s)
    if isinstance(probe, Steps):
        told = [dict(fed) for fed in probe.feed[: len(steps)]]
    elif isinstance(probe, Script) and steps[-1].arguments.get("arguments") and not probe.others:
        last = steps[-1].arguments["call"]
        same = (o.arguments["arguments"] for o in steps[1:] if o.arguments["call"] == last)
        told = [{argument_name(exercise, last, i): x for i, x in enumerate(args)} for args in same]
    else:
        return
    for name in told[-1]:
        values = [given.get(name) for given in told]
        if all(type(x) in (int, float) for x in values):
            yield name, [float(x) for x in values if x is not None]


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
            yield called(call)[2], right


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
