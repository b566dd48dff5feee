"""Mutants tried in a process with a deadline: each must be told from the reference by some group, at every seed.

A mutant that loops or crashes is told from it, too. The process serves many mutants and is replaced when one breaks it.

    part = audit_mutants(course, exercise, seeds=range(1, 21))
    part.survivors      # each with the reason why it is equivalent, or None
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..answers import LiveAnswers
from ..compare import compare, compare_all
from ..course import Course
from ..exercise import Exercise, Group, Probe, Property
from ..inside.perform import Performer
from ..inside.wire import WireError
from ..observe import Ask, Behaviour, Broken, Malformed, Observation, observe
from ..source import solution
from ..worker import Limits, SubprocessWorkers, Worker
from .answers import namespace_of
from .mutants import Mutant, mutants, unmet_checks
from .result import Case, ExerciseAudit, Survivor, Tried

__all__ = ["audit_mutants", "met_checks"]

DEADLINE = 4.0
USES = 150  # a process keeps what mutants leave behind; after so many it has earned its rest
LIMITS = Limits(cpu=3600)


class Bed:
    """A process in which one mutant after another lies; `Broken` comes only from what the mutant did."""

    def __init__(self, course: Course):
        self.workers = SubprocessWorkers(course.helpers_source, course.modules, course.placeholders, LIMITS)
        self.worker: Worker | None = None
        self.uses = 0

    def lay(self, mutant: Mutant) -> bool:
        """Whether the mutant can be defined at all."""
        if self.uses >= USES:
            self.close()
        if self.worker is None:
            self.worker, self.uses = self.workers.fresh(), 0
        self.uses += 1
        reply = self.ask({"op": "run", "cells": [[1, "import numpy as np"], [2, mutant.source]]})
        return all(trouble is None for _, trouble in reply["cells"])

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        assert self.worker is not None
        try:
            return self.worker.request(message, DEADLINE)
        except WireError as error:
            raise Broken("died", f"what it returned cannot be handed on: {error}") from error

    def close(self) -> None:
        if self.worker is not None:
            self.worker.close()
        self.worker = None


class Killed(Exception):
    """A reply that differs: nothing more needs to be asked."""


@dataclass
class Watch:
    """Asks as long as every reply is the expected one."""

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
                raise Killed
        self.number += 1
        return reply


class Audit:
    """One exercise's mutants against its groups. The group that killed last time is asked first."""

    def __init__(self, course: Course, exercise: Exercise, seeds: Sequence[int]):
        self.exercise, self.seeds, self.bed = exercise, seeds, Bed(course)
        self.answers = {seed: LiveAnswers(exercise, course.helpers, seed) for seed in seeds}

    def killers(self, mutant: Mutant) -> dict[int, str]:
        """By which group it is killed at each seed; seeds at which it lives are left out."""
        found: dict[int, str] = {}
        try:
            if not self.bed.lay(mutant):
                return dict.fromkeys(self.seeds, "its definition fails")
            for seed in self.seeds:
                first = next(reversed(found.values()), "")
                group = self.killer(seed, sorted(self.exercise.groups, key=lambda g: g.name != first))
                if group is not None:
                    found[seed] = group
        except Broken as broken:
            self.bed.close()
            if broken.outcome == "infrastructure":
                raise
            return dict.fromkeys(self.seeds, broken.outcome)
        return found

    def killer(self, seed: int, groups: Sequence[Group]) -> str | None:
        answers = self.answers[seed]
        for group in groups:
            probes = answers.probes(group)
            expected = answers.expected(group)
            ask = Watch(self.exercise, group, probes, expected, self.bed.ask)
            try:
                seen = observe(self.exercise, probes, ask)
            except (Killed, Malformed):
                return group.name
            if compare_all(self.exercise, group, probes, expected, seen) is not None:
                return group.name
        return None

    def twice(self, mutant: Mutant) -> dict[int, str]:
        """A busy machine can look like a loop: what breaks the process is tried again in a fresh one."""
        found = self.killers(mutant)
        return self.killers(mutant) if self.bed.worker is None else found


def audit_mutants(
    course: Course, exercise: Exercise, seeds: Sequence[int], tell: Callable[[], None] = lambda: None
) -> ExerciseAudit:
    """Every mutant of the reference, and the reasons that are given for those that live."""
    started = time.perf_counter()
    audit = Audit(course, exercise, seeds)
    source, met = solution(exercise), met_checks(course, exercise, seeds[0])
    everything = mutants(source, met)
    tried: list[Tried] = []
    survivors: list[Survivor] = []
    cases: list[Case] = []
    try:
        for mutant in everything:
            killed = audit.twice(mutant)
            tried.append(Tried("mutant", str(mutant), len(killed) == len(seeds), tuple(dict.fromkeys(killed.values()))))
            cases += judged(exercise, mutant, killed, seeds)
            if not killed:
                survivors.append(Survivor(mutant.hash, str(mutant), exercise.equivalent.get(mutant.hash)))
            tell()
    finally:
        audit.bed.close()
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
