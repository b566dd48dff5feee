"""Objects: what the answers of their methods say by themselves, beside those that were expected.

    something_else  a method's answers are another thing that is known: what the object was made with, its first answer,
                    the last argument, the largest one
    told_late       every answer is the right one of the call before: it was read before the call changed anything

A reading must hold in every life of every object, also where the answers are right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ..compare import compare, compare_values
from ..exercise import Exercise, Group, Script
from ..observe import called, parameters
from ..verdict import Diagnosis
from .candidate import evidence
from .derived import and_so_on
from .seen import Seen, of_probe, pairs
from .words import said

TELLING = 1  # wrong numbers that are not simple, or three that are
ASKED = 3  # times in one life: of two answers the second is the first one in many ways
UNKNOWN = object()
"""What a reading says of an answer of which it says nothing."""


@dataclass(frozen=True)
class Answer:
    """What one call of an object, or one look at an attribute (`args` is None), was expected to give, and gave."""

    method: str
    args: tuple[Any, ...] | None
    expected: Any
    got: Any
    right: bool


@dataclass
class Life:
    """One object from its making on, with what it was made with; another one of the same script has its own."""

    group: Group
    new: Mapping[str, Any]
    answers: list[Answer] = field(default_factory=list)

    def same(self, expected: Any, got: Any) -> bool:
        return compare_values(expected, got, (), self.group) is None


def lives(exercise: Exercise, seen: Sequence[Seen]) -> list[Life]:
    """All that was seen; nothing where objects make objects, where a call raised, or where an answer is no object's."""
    found: list[Life] = []
    for s in seen:
        for number, probe in enumerate(s.probes):
            mine = lives_of(exercise, s, number, probe) if isinstance(probe, Script) and alone(probe) else None
            if mine is None:
                return []
            found += mine
    return found


def alone(probe: Script) -> bool:
    """Whether all its objects are made at its beginning."""
    return not probe.name and not any(" = " in call for call, _ in probe.calls)


def lives_of(exercise: Exercise, s: Seen, number: int, probe: Script) -> list[Life] | None:
    expected = [o for o in s.expected if o.probe == number]
    both = list(zip(expected, of_probe(s, number), strict=False))
    if len(both) < len(expected) or any(e.behaviour.error or a.behaviour.error for e, a in both):
        return None
    objects = {str(i): Life(s.group, {**made_with(exercise), **probe.new}) for i in range(1, probe.others + 2)}
    for (call, args), (e, a) in zip(probe.calls, both[probe.others + 1 :], strict=True):
        _, target, method = called(call)
        right = compare(exercise, s.group, e.behaviour, a.behaviour, conduct=False) is None
        answer = Answer(method, args, e.behaviour.value, a.behaviour.value, right)
        objects[target or "1"].answers.append(answer)
    return list(objects.values())


def made_with(exercise: Exercise) -> dict[str, Any]:
    """What an object is made with if nothing else is said."""
    return {name: p.default for name, p in parameters(exercise.plain).items() if p.default is not p.empty}


@dataclass
class Lives:
    """All that was seen of objects, read once."""

    exercise: Exercise
    seen: Sequence[Seen]
    failed: Sequence[Seen]

    @cached_property
    def evidence(self) -> float:
        """How many of the wrong numbers speak."""
        return evidence([p for s in self.failed for p in pairs(self.exercise, s) if not p.right])

    @cached_property
    def every(self) -> list[Life]:
        """Nothing where there are no objects, or where what is wrong says too little."""
        return lives(self.exercise, self.seen) if self.exercise.is_class and self.evidence >= TELLING else []


def of_objects(found: Lives) -> Diagnosis | None:
    """The first reading of all wrong answers, if they say enough."""
    return (something_else(found.exercise, found.every) or told_late(found.every)) if found.every else None


def answers_by_method(every: Sequence[Life]) -> dict[str, list[tuple[Life, list[Answer]]]]:
    """Of each method, life by life, its answers in their order."""
    found: dict[str, list[tuple[Life, list[Answer]]]] = {}
    for life in every:
        for method in dict.fromkeys(answer.method for answer in life.answers):
            found.setdefault(method, []).append((life, [x for x in life.answers if x.method == method]))
    return found


def wrong_methods(every: Sequence[Life]) -> list[str]:
    return list(dict.fromkeys(x.method for life in every for x in life.answers if not x.right))


def right_methods(every: Sequence[Life]) -> list[str]:
    """Those that give something, and never a wrong thing."""
    wrong = wrong_methods(every)
    given = (x.method for life in every for x in life.answers if x.expected is not None)
    return list(dict.fromkeys(method for method in given if method not in wrong))


def all_else(every: Sequence[Life]) -> str:
    right = right_methods(every)
    return f" {and_so_on([f'`{x}`' for x in right])} {'is' if len(right) == 1 else 'are'} right." if right else ""


# -------------------------------------------------------------------------------------------------------- one call late
def told_late(every: Sequence[Life]) -> Diagnosis | None:
    """All wrong methods answer as they should have answered the call before, or should answer the next one."""
    by_method, wrong = answers_by_method(every), wrong_methods(every)
    if max(len(answers) for method in wrong for _, answers in by_method[method]) < ASKED:
        return None
    for shift, words, hint in (
        (-1, "the right ones of the call before", "does what is returned come from before or from after the change?"),
        (1, "the right ones of the next call", "what has changed already when the answer is made?"),
    ):
        if all(all_shifted(by_method[method], shift) for method in wrong):
            named = and_so_on([f"`{method}`" for method in wrong])
            text = f"The answers of {named} are {words}.{all_else(every)}"
            return said("one_call_late" if shift < 0 else "one_call_early", text, f"In {named}: {hint}")
    return None


def all_shifted(of_lives: Sequence[tuple[Life, Sequence[Answer]]], shift: int) -> bool:
    return all(shifted(life, answers, shift) for life, answers in of_lives) and first_alike(of_lives, shift)


def shifted(life: Life, answers: Sequence[Answer], shift: int) -> bool:
    """Whether all but those at the end are the right ones of a call before or after."""
    got, expected = ([x.got for x in answers], [x.expected for x in answers])
    ours, theirs = (got[1:], expected[:-1]) if shift < 0 else (got[:-1], expected[1:])
    return all(map(life.same, theirs, ours))


def first_alike(of_lives: Sequence[tuple[Life, Sequence[Answer]]], shift: int) -> bool:
    """Before the first call there is what the object was made with, or the same in all objects."""
    if shift > 0:
        return True
    (first_life, first), *_ = of_lives
    constant = all(first_life.same(first[0].got, answers[0].got) for _, answers in of_lives)
    return constant or all(
        answers[0].right or any(life.same(x, answers[0].got) for x in numbers(life.new)) for life, answers in of_lives
    )


def numbers(new: Mapping[str, Any]) -> list[float]:
    return [x for x in new.values() if type(x) in (int, float)]


# -------------------------------------------------------------------------------------------------- another known thing
Instead = Callable[[Life, int], Any]
"""What a method would give at a place in a life."""


def something_else(exercise: Exercise, every: Sequence[Life]) -> Diagnosis | None:
    """For each wrong method the first thing that all its answers are, right ones too."""
    found: dict[str, tuple[str, str, str]] = {}
    for method in wrong_methods(every):
        words = first_that_is(method, every, things(exercise, method, every))
        if words is None:
            return None
        found[method] = words
    if not found:
        return None
    name, _, hint = next(iter(found.values()))
    text = " ".join(f"`{method}` {words}." for method, (_, words, _) in found.items())
    return said(name, text + all_else(every), hint)


def first_that_is(
    method: str, every: Sequence[Life], readings: Iterator[tuple[str, str, str, Instead]]
) -> tuple[str, str, str] | None:
    places = [(life, i) for life in every for i, x in enumerate(life.answers) if x.method == method]
    places.sort(key=lambda place: place[0].answers[place[1]].right)  # most are out at the first wrong answer
    for name, words, hint, instead in readings:
        if all(is_that(life, i, instead(life, i)) for life, i in places):
            return name, words, hint
    return None


def is_that(life: Life, at: int, value: Any) -> bool:
    """Whether it is what came; where it says nothing, only what is right may have come."""
    answer = life.answers[at]
    return answer.right if value is UNKNOWN else life.same(value, answer.got)


def things(exercise: Exercise, method: str, every: Sequence[Life]) -> Iterator[tuple[str, str, str, Instead]]:
    """What an object could give in the place of what is asked for: a name, words, a question."""
    stays = f"Which of your lines changes `{method}`, and is it the same name that is read?"
    for name in parameters(exercise.plain):
        words = "never changes: it is still what the object was made with"
        words += "" if name == method else f", its `{name}`"
        yield "never_changes", words, stays, lambda life, i, name=name: life.new.get(name, UNKNOWN)
    if any(sum(x.method == method for x in life.answers) > 1 for life in every):
        yield "never_changes", "never changes: it always gives what it gave first", stays, first_answer
    remembers = "What of the calls before must your object still know when it is asked?"
    for told, index, name in arguments(exercise, every):
        what = f"`{name}` of `{told}`"
        for words, pick in PICKED.items():
            yield (
                "only_an_argument",
                f"is nothing but the {words} {what}",
                remembers,
                lambda life, i, told=told, index=index, pick=pick: picked(life, i, told, index, pick),
            )


PICKED: dict[str, Callable[[Sequence[float]], float]] = {
    "last": lambda x: x[-1],
    "first": lambda x: x[0],
    "largest": lambda x: float(np.max(x)),
    "smallest": lambda x: float(np.min(x)),
    "sum of all": sum,
    "mean of all": lambda x: sum(x) / len(x),
}


def first_answer(life: Life, at: int) -> Any:
    """What the method gave first; the first answer itself must be right."""
    mine = [x for x in life.answers[: at + 1] if x.method == life.answers[at].method]
    return mine[0].got if len(mine) > 1 else UNKNOWN


def arguments(exercise: Exercise, every: Sequence[Life]) -> list[tuple[str, int, str]]:
    """Every argument that is a number: the method, its place, what the solution calls it."""
    found: dict[tuple[str, int], str] = {}
    for life in every:
        for x in life.answers:
            for i, arg in enumerate(x.args or ()):
                if type(arg) in (int, float):
                    found[x.method, i] = argument_name(exercise, x.method, i)
    return [(method, i, name) for (method, i), name in found.items()]


def argument_name(exercise: Exercise, method: str, index: int) -> str:
    function = getattr(exercise.plain, method.rpartition(".")[2], None)
    names = list(parameters(function))[1:] if callable(function) else []
    return names[index] if index < len(names) else f"argument {index + 1}"


def picked(life: Life, at: int, method: str, index: int, pick: Callable[[Sequence[float]], float]) -> Any:
    """Of an argument in all calls up to a place that tell something: of no samples, nothing is told."""
    calls = [x.args for x in life.answers[: at + 1] if x.method == method and x.args and index < len(x.args)]
    values = [float(args[index]) for args in calls if not any(is_zero(x) for i, x in enumerate(args) if i != index)]
    return pick(values) if values else UNKNOWN


def is_zero(x: Any) -> bool:
    return type(x) in (int, float) and x == 0
