"""Mutants tried in a process with a deadline: each must be told from the reference by some group, at every seed.

A mutant that loops or crashes is told from it, too. The process serves many mutants and is replaced when one breaks it.

    part = audit_mutants("my_package:course", exercise, seeds=range(1, 21))
    part.survivors      # each with the reason why it is equivalent, or None
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from ..answers import LiveAnswers
from ..course import Course, load_course
from ..exercise import Exercise
from ..inside.perform import Performer
from ..mutation.mutants import Mutant, mutants, unmet_checks
from ..observe import Broken, observe
from ..source import solution
from .answers import namespace_of
from .bed import Bed, bed_of
from .result import Case, ExerciseAudit, Survivor, Tried

__all__ = ["audit_mutants", "killers", "met_checks"]


def killers(bed: Bed, exercise: Exercise, mutant: Mutant, seeds: Sequence[int]) -> dict[int, str]:
    """By which group a mutant is killed at each seed; seeds at which it lives are left out.

    A busy machine can look like a loop: what breaks the process is tried again in a fresh one.
    """
    for _ in range(2):
        try:
            return bed.killers(exercise.name, mutant.source, seeds)
        except Broken as error:
            broken = error
    return dict.fromkeys(seeds, broken.outcome)


def audit_mutants(
    where: str, exercise: Exercise, seeds: Sequence[int], tell: Callable[[], None] = lambda: None
) -> ExerciseAudit:
    """Every mutant of the reference, and the reasons that are given for those that live. `where` is the course."""
    started = time.perf_counter()
    bed, course = bed_of(where), load_course(where)
    source, met = solution(exercise), met_checks(course, exercise, seeds[0])
    everything = mutants(source, met)
    tried: list[Tried] = []
    survivors: list[Survivor] = []
    cases: list[Case] = []
    for mutant in everything:
        killed = killers(bed, exercise, mutant, seeds)
        tried.append(Tried("mutant", str(mutant), len(killed) == len(seeds), tuple(dict.fromkeys(killed.values()))))
        cases += judged(exercise, mutant, killed, seeds)
        if not killed:
            survivors.append(Survivor(mutant.hash, str(mutant), exercise.equivalent.get(mutant.hash)))
        tell()
    known = {mutant.hash for mutant in everything}
    for digest, reason in exercise.equivalent.items():
        if digest not in known:
            cases.append(Case(exercise.name, f"reason for {digest}", f"belongs to no mutation any more: {reason}"))
    return ExerciseAudit(
        exercise.name, exercise.chapter, tuple(group.name for group in exercise.groups),
        tried=tuple(tried), survivors=tuple(survivors), unmet=tuple(unmet_checks(source, met)),
        cases=tuple(cases), seconds=time.perf_counter() - started,
    )  # fmt: skip


def judged(exercise: Exercise, mutant: Mutant, killed: dict[int, str], seeds: Sequence[int]) -> list[Case]:
    """What is wrong with this outcome: it lives without a reason, at some seeds only, or dies with one."""
    what = f"mutant {mutant.hash} ({mutant})"
    reason = exercise.equivalent.get(mutant.hash)
    if killed and reason:
        seed, group = next(iter(killed.items()))
        return [Case(exercise.name, what, f"is said to be equivalent ({reason}), but is killed", seed, group)]
    if 0 < len(killed) < len(seeds):
        alive = next(seed for seed in seeds if seed not in killed)
        words = f"is killed at {len(killed)} of {len(seeds)} seeds only; it lives at"
        return [Case(exercise.name, what, words, alive)]
    if not killed and not reason:
        return [Case(exercise.name, what, "survives, and no reason is given why it is equivalent")]
    return []


def met_checks(course: Course, exercise: Exercise, seed: int) -> set[int]:
    """The lines of the solution that raise on some probe: refusals that the exercise asks for."""
    performer = Performer(course.helpers, namespace_of(solution(exercise), exercise.name), (KeyboardInterrupt,))
    answers = LiveAnswers(exercise, course.helpers, seed)
    lines = set()
    for group in exercise.groups:
        for seen in observe(exercise, answers.probes(group), performer.handle):
            lines |= {int(frame["line"]) for frame in seen.behaviour.frames[-1:]}
    return lines
