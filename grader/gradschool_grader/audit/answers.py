"""Known answers put to the proof: every wrong one rejected and named, every right one accepted, none by luck.

Each is handed in as a submission would be, as source text in a namespace of its own, and at every seed.

    part = audit_answers("my_package:course", exercise, seeds=range(1, 21))
    part.cases      # what is not as it must be
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..answers import LiveAnswers
from ..course import Course, load_course
from ..exercise import Exercise, Misconception
from ..inside.perform import Performer
from ..judge import Limits, judge
from ..observe import here
from ..routes import Reading, forbidden, parsed
from ..rungs import BY_KIND
from ..source import SourceError, solution, standalone, stub
from ..verdict import Verdict
from .result import Case, ExerciseAudit, Tried
from .statistics import statistics
from .trivial import same_signature, trivial_answers
from .watch import rejects

__all__ = ["audit_answers", "namespace_of"]

NO_LIMITS = Limits(call=float("inf"), exercise=float("inf"), cells=float("inf"))


# --------------------------------------------------------------------------------------------------------- handing in
def as_text(answer: Any, name: str) -> Any:
    """What a student would hand in: source text where it can stand alone, else the function itself."""
    if isinstance(answer, str) or is_factory(answer):
        return answer
    try:
        return standalone(answer, name=name)
    except SourceError:
        return answer


def is_factory(answer: Any) -> bool:
    """Whether each submission gets an answer of its own, made by calling this one."""
    return bool(getattr(answer, "fresh", False))


def namespace_of(answer: Any, name: str) -> dict[str, Any]:
    """The names of a notebook that holds this answer, a text or a function."""
    names: dict[str, Any] = {"__name__": "__main__"}
    if not isinstance(answer, str):
        return names | {name: answer() if is_factory(answer) else answer}
    Performer({}, names).handle({"op": "run", "cells": [[1, "import numpy as np"], [2, answer]]})
    return names


@dataclass
class Bench:
    """One exercise at several seeds: expected answers are computed once."""

    course: Course
    exercise: Exercise
    seeds: Sequence[int]
    answers: dict[int, LiveAnswers] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.answers = {seed: LiveAnswers(self.exercise, self.course.helpers, seed) for seed in self.seeds}

    def verdicts(self, answer: Any) -> list[Verdict]:
        answer = as_text(answer, self.exercise.name)
        return [self.verdict(answer, seed) for seed in self.seeds]

    def verdict(self, answer: Any, seed: int) -> Verdict:
        def opened() -> Any:
            return Here(Performer(self.course.helpers, namespace_of(answer, self.exercise.name), (KeyboardInterrupt,)))

        return judge(self.exercise, opened, self.answers[seed], limits=NO_LIMITS)

    def verdicts_on(self, known: Misconception) -> list[Verdict]:
        """As `verdicts`, but what is known of a mistake is not asked again.

        Its text does at the first seed what its function does; so it does at the others, where the function's replies
        are there already, since naming a mistake needs them.
        """
        answer = as_text(known.wrong, self.exercise.name)
        first, *others = self.seeds
        verdicts = [self.verdict(answer, first)]
        replay = isinstance(answer, str) and self.replayed(known, first).essence == verdicts[0].essence
        return verdicts + [self.replayed(known, s) if replay else self.verdict(answer, s) for s in others]

    def replayed(self, known: Misconception, seed: int) -> Verdict:
        answers = self.answers[seed]
        seen = [o for group in self.exercise.groups for o in answers.misconception(known.name, group)]
        replies = iter([vars(observation.behaviour) for observation in seen])
        kind = "class" if self.exercise.is_class else "function"
        return judge(self.exercise, lambda: Replay(kind, replies), answers, limits=NO_LIMITS)

    def rejecting(self, answer: Any, seed: int) -> list[str]:
        """The groups that reject what `answer` does."""
        if isinstance(answer, str):
            ask = Performer(self.course.helpers, namespace_of(answer, self.exercise.name), (KeyboardInterrupt,)).handle
        else:
            ask = here(self.exercise, answer, self.course.helpers)
        return [group.name for group in self.exercise.groups if rejects(group, self.answers[seed], ask)]

    def case(self, what: str, words: str, seed: int | None = None, group: str = "") -> Case:
        return Case(self.exercise.name, what, words, seed, group)


@dataclass(frozen=True)
class Here:
    """A worker that is this process."""

    performer: Performer

    def request(self, message: dict[str, Any], seconds: float) -> dict[str, Any]:
        return self.performer.handle(message)

    def close(self) -> None:
        self.performer.handles.clear()


@dataclass(frozen=True)
class Replay:
    """A worker that replies what was replied before, in the same order."""

    kind: str
    replies: Iterator[Mapping[str, Any]]

    def request(self, message: dict[str, Any], seconds: float) -> dict[str, Any]:
        return {"defined": True, "kind": self.kind} if message["op"] == "inspect" else dict(next(self.replies))

    def close(self) -> None:
        pass


Found = tuple[list[Tried], list[Case]]


def audit_answers(where: str, exercise: Exercise, seeds: Sequence[int]) -> ExerciseAudit:
    """Everything but mutants. `where` is the course."""
    started = time.perf_counter()
    bench = Bench(load_course(where), exercise, seeds)
    tried: list[Tried] = []
    cases: list[Case] = []
    for look in (misconceptions, variants, others):
        more, wrong = look(bench)
        tried += more
        cases += wrong
    more, wrong, vacuous = trivial(bench)
    rates, refused = statistics(bench.course, exercise, seeds)
    cases += declared(bench)
    cases += promised(bench)
    return ExerciseAudit(
        exercise.name, exercise.chapter, tuple(group.name for group in exercise.groups),
        tried=(*tried, *more), vacuous=tuple(vacuous), rates=tuple(rates),
        cases=(*cases, *wrong, *refused), seconds=time.perf_counter() - started,
    )  # fmt: skip


# ----------------------------------------------------------------------------------------------------- wrong and right
def misconceptions(bench: Bench) -> Found:
    """Each is rejected, is named as itself, and costs the same points whatever the seed."""
    tried, cases = [], []
    for known in bench.exercise.misconceptions:
        verdicts = bench.verdicts_on(known)
        passed = [v for v in verdicts if v.passed]
        misnamed = [v for v in verdicts if not v.passed and not is_named(v, known)]
        what = f"misconception {known.name}"
        if passed:
            cases.append(bench.case(what, f"passes at {of_all(passed, verdicts)}", passed[0].seed))
        if misnamed:
            words = f"is not named as itself at {of_all(misnamed, verdicts)}, but: {name_of(misnamed[0])}"
            cases.append(bench.case(what, words, misnamed[0].seed))
        cases += unstable(bench, what, verdicts)
        tried.append(Tried("misconception", known.name, not passed, failed(verdicts[0]), not passed and not misnamed))
    return tried, cases


def is_named(verdict: Verdict, known: Misconception) -> bool:
    found = verdict.diagnosis
    return bool(found and (found.kind, found.name) == ("misconception", known.name))


def name_of(verdict: Verdict) -> str:
    found = verdict.diagnosis
    return f"{found.kind} {found.name} ({found.text})" if found else "no diagnosis"


def of_all(some: Sequence[Any], verdicts: Sequence[Any]) -> str:
    return f"{len(some)} of {len(verdicts)} seeds"


def failed(verdict: Verdict) -> tuple[str, ...]:
    return tuple(group.name for group in verdict.groups if group.outcome != "passed")


def unstable(bench: Bench, what: str, verdicts: Sequence[Verdict]) -> list[Case]:
    """A group that sees a mistake at some seeds only: the same work would earn other points on another day."""
    cases = []
    for group in bench.exercise.groups:
        seen = [v for v in verdicts if group.name in failed(v)]
        if 0 < len(seen) < len(verdicts):
            unseen = next(v for v in verdicts if v not in seen)
            cases.append(bench.case(what, f"is seen at {of_all(seen, verdicts)} only, not at", unseen.seed, group.name))
    return cases


def variants(bench: Bench) -> Found:
    """The solution that students are shown, and each other right way, pass at every seed."""
    tried, cases = [], []
    right: list[tuple[str, Any]] = [("the solution", solution(bench.exercise))]
    right += [(variant.name, variant.right) for variant in bench.exercise.variants]
    for name, answer in right:
        verdicts = bench.verdicts(answer)
        refused = [v for v in verdicts if not v.passed]
        if refused:
            words = f"is refused at {of_all(refused, verdicts)}: {name_of(refused[0])}"
            cases.append(bench.case(f"variant {name}", words, refused[0].seed, failed(refused[0])[0]))
        cases += [bench.case(f"variant {name}", f"is flagged: {flag}") for flag in flags(bench, answer)]
        if name != "the solution":
            tried.append(Tried("variant", name, not refused, failed(refused[0]) if refused else ()))
    return tried, cases


def flags(bench: Bench, answer: Any) -> list[str]:
    """What would be said of a right answer: nothing, or honest students would be suspected."""
    text = as_text(answer, bench.exercise.name)
    tree = parsed("import numpy as np\n" + text) if isinstance(text, str) else None
    return Reading([(0, tree)] if tree else ()).routes(bench.exercise.name, forbidden(bench.course, bench.exercise))


def others(bench: Bench) -> Found:
    """Solutions of other exercises that can be called in the same way."""
    tried, cases = [], []
    for other in same_signature(bench.exercise, bench.course.exercises):
        answer, name = other.plain, f"the solution of {other.name}"
        passed = [seed for seed in bench.seeds if not bench.rejecting(answer, seed)]
        if passed:
            cases.append(bench.case(name, f"passes at {of_all(passed, bench.seeds)}", passed[0]))
        tried.append(Tried("other", name, not passed, tuple(bench.rejecting(answer, bench.seeds[0]))))
    return tried, cases


def declared(bench: Bench) -> list[Case]:
    """Names that the exercise keys something to are names that a diagnosis can have."""
    known = {m.name for m in bench.exercise.misconceptions} | set(BY_KIND)
    keyed = dict.fromkeys(name for hint in bench.exercise.hints for name in hint.when)
    words = "is what a hint waits for, but no misconception or diagnosis is called so"
    return [bench.case(name, words) for name in keyed if name not in known]


def promised(bench: Bench) -> list[Case]:
    """An exception that the task speaks of is met by some probe: what is asked for is also looked at."""
    exercise, answers = bench.exercise, bench.answers[bench.seeds[0]]
    raised = {seen.behaviour.error for group in exercise.groups for seen in answers.expected(group)}
    asked = dict.fromkeys(re.findall(r"\b[A-Z]\w*Error\b", exercise.task))
    words = "is asked for by the task, but no probe meets it"
    return [bench.case(name, words, bench.seeds[0]) for name in asked if name not in raised]


# ------------------------------------------------------------------------------------------------------------- trivial
def trivial(bench: Bench) -> tuple[list[Tried], list[Case], list[str]]:
    """No group is passed by an answer without thought, at any seed."""
    passes: dict[str, dict[str, list[int]]] = {}  # answer, group -> seeds
    for seed in bench.seeds:
        answers = {"the stub": stub(bench.exercise)}
        answers |= trivial_answers(bench.exercise, bench.course.helpers, seed)
        for name, answer in answers.items():
            rejecting = bench.rejecting(answer, seed)
            for group in bench.exercise.groups:
                if group.name not in rejecting:
                    passes.setdefault(name, {}).setdefault(group.name, []).append(seed)
            passes.setdefault(name, {})
    tried, cases, vacuous = [], [], {}
    for name, by_group in passes.items():
        for group, seeds in by_group.items():
            vacuous[group] = None
            words = f"passes a group at {of_all(seeds, bench.seeds)}, which is vacuous therefore"
            cases.append(bench.case(f"trivial answer: {name}", words, seeds[0], group))
        rejecting = [group.name for group in bench.exercise.groups if group.name not in by_group]
        tried.append(Tried("trivial", name, not by_group, tuple(rejecting)))
    return tried, cases, list(vacuous)
