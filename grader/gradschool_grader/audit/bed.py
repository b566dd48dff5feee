"""The process in which mutants are tried, one after another: what loops or crashes in there is ended and replaced.

    with Bed("my_package:course") as bed:
        bed.killers("adam", mutant.source, seeds)     # {1: "first steps", 2: "first steps"}: seed -> group
    Broken("timeout", ...)                            # what the mutant did to the process

The process asks mutants directly, without a wire between question and answer, and stops at the first reply that
differs. It finds the course by itself, and ends with the one that started it. A mutant that takes many times as long as
the reference loops: that is measured in the processor's time, which a busy machine does not stretch.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import multiprocessing
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from ..answers import LiveAnswers
from ..course import load_course
from ..exercise import Exercise
from ..inside.perform import Performer
from ..observe import Ask, Broken, here
from ..offspring import leave_at_once
from .answers import namespace_of
from .watch import rejects

__all__ = ["Bed", "bed_of"]

DEADLINE = 60.0  # seconds for one mutant at one seed, also if it sleeps
PATIENCE, TIMES = 0.5, 20  # of processor time, it gets half a second and twenty times what the reference takes
START = 120.0  # seconds until the process has found the course, on a busy machine
MEMORY = 4 << 30
FAILS = "its definition fails"
LOOPS = "timeout"
Said = tuple[int, str] | None
"""What comes back: the seed and the group that kills there, "" for none; None at the end."""


class Bed:
    """Starts the process when it is needed first, and again after a mutant has broken it."""

    def __init__(self, where: str):
        self.where = where
        self.process: Any = None
        self.pipe: Connection | None = None

    def killers(self, exercise: str, source: str, seeds: Sequence[int]) -> dict[int, str]:
        """By which group the mutant is killed at each seed; seeds at which it lives are left out. Raises Broken."""
        if self.pipe is None:
            self.open()
        assert self.pipe is not None
        found: dict[int, str] = {}
        self.pipe.send((exercise, source, tuple(seeds)))
        while (said := self.heard(DEADLINE)) is not None:
            seed, group = said
            if group:
                found[seed] = group
        return found

    def heard(self, seconds: float) -> Said:
        assert self.pipe is not None
        try:
            if self.pipe.poll(seconds):
                return self.pipe.recv()
        except (EOFError, OSError):
            self.close()
            raise Broken("died", "the process ended") from None
        self.close()
        raise Broken("timeout", f"no answer in {seconds:g} seconds")

    def open(self) -> None:
        context = multiprocessing.get_context("spawn")  # the same everywhere; a fork of a process with threads may hang
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, self.where), daemon=True)
        self.process.start()
        theirs.close()
        if self.heard(START) is not None:
            raise RuntimeError(f"the process that tries mutants could not find the course {self.where}")

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.process.close()
        if self.pipe is not None:
            self.pipe.close()
        self.process = self.pipe = None

    def __enter__(self) -> Bed:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


@functools.cache
def bed_of(where: str) -> Bed:
    """The bed of a course that serves this process to its end: finding a course takes longer than trying a mutant."""
    bed = Bed(where)
    atexit.register(bed.close)
    return bed


# ------------------------------------------------------------------------------------------------ in the process
def serve(pipe: Connection, where: str) -> None:
    """Until the other side is gone."""
    leave_at_once()
    limit_memory()
    course = load_course(where)
    pipe.send(None)
    trial: Trial | None = None
    with contextlib.suppress(EOFError, OSError):
        while True:
            name, source, seeds = pipe.recv()
            if trial is None or (trial.exercise.name, tuple(trial.answers)) != (name, seeds):
                trial = Trial.of(course.exercise(name), course.helpers, seeds)
            for said in trial.replies(source):
                pipe.send(said)
            pipe.send(None)


def limit_memory() -> None:
    """A mutant may ask for more than there is: it gets a MemoryError where the system can give one."""
    try:
        import resource
    except ImportError:  # Windows
        return
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


class Loops(BaseException):
    """More processor time is gone than the mutant may take."""


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raises Loops in the block when it has computed for so long. Where the system has no such clock, `Bed` waits."""
    if not hasattr(signal, "setitimer"):  # Windows
        yield
        return

    def end(number: int, frame: Any) -> None:
        raise Loops

    signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, seconds, seconds)  # again and again: it may be swallowed
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


@dataclass(frozen=True)
class Trial:
    """One exercise with its expected answers at each seed, and the seconds that a mutant has for one of them."""

    exercise: Exercise
    helpers: Any
    answers: dict[int, LiveAnswers]
    seconds: float

    @classmethod
    def of(cls, exercise: Exercise, helpers: Any, seeds: Sequence[int]) -> Trial:
        answers = {seed: LiveAnswers(exercise, helpers, seed) for seed in seeds}
        right = cls(exercise, helpers, answers, float("inf"))
        for group in exercise.groups:
            answers[seeds[0]].expected(group)  # is computed once, and no part of what the reference takes
        started = time.process_time()
        right.killer(answers[seeds[0]], here(exercise, exercise.plain, helpers))
        return cls(exercise, helpers, answers, PATIENCE + TIMES * (time.process_time() - started))

    def replies(self, source: str) -> Iterator[tuple[int, str]]:
        """Seed and group. The group that killed last time is asked first."""
        try:
            with within(self.seconds):
                names = namespace_of(source, self.exercise.name)
        except Loops:
            names = {}
        ask = Performer(self.helpers, names, (Loops,)).handle
        last = ""
        for seed, answers in self.answers.items():
            if self.exercise.name not in names:
                yield seed, FAILS
                continue
            for group in self.exercise.groups:
                answers.expected(group)
            try:
                with within(self.seconds):
                    found = self.killer(answers, ask, last)
            except Loops:
                found = LOOPS
            last = found or last
            yield seed, found

    def killer(self, answers: LiveAnswers, ask: Ask, first: str = "") -> str:
        """The group that tells it from the reference, that of this name being asked first; "" if there is none."""
        groups = sorted(self.exercise.groups, key=lambda group: group.name != first)
        return next((group.name for group in groups if rejects(group, answers, ask)), "")
