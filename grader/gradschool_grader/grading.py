"""Judging one submission as a task: plain data in, plain data out, so that any executor can carry it elsewhere.

    task = Task("ada", "ch01_tiny", "ch01_tiny.ipynb", data, course="gradschool", seed=journal.seed("ch01_tiny"))
    judged = judge_task(task)                     # in this process, or executor.submit(judge_task, task)

A process keeps its sandbox and the expected answers from one task to the next.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import hashlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from .answers import Answers, LiveAnswers
from .course import Chapter, Course, load_course
from .exercise import Exercise
from .journal import Judged
from .judge import judge_submission
from .offspring import end_with_parent
from .probe import open_workers
from .source import exercise_hash
from .submission import read_submission
from .verdict import Diagnosis, GroupVerdict, Verdict
from .versions import Built, exercise_from, graded_by
from .worker import Workers

__all__ = ["Task", "chapter_of", "judge_task", "not_judged", "own_pool", "workers_of"]

GAINS = "would have less by the assignment's version"


@dataclass(frozen=True)
class Task:
    """A submission to judge. `course` is a name or "module:attribute", which every machine finds by itself."""

    student: str
    assignment: str
    file: str
    data: bytes
    course: str
    seed: int
    unsafe_no_sandbox: bool = False
    mode: str = ""  # of the sandbox: "AB", "B" or "C"; nothing for the best of the machine that judges
    built: Built = field(default_factory=Built)  # with which versions of the exercises

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def judge_task(task: Task) -> Judged:
    """Read and judge. Raises SandboxMissing if this machine cannot hold submitted code."""
    course = load_course(task.course)
    chapter = chapter_of(course, task)
    submission = read_submission(task.data, course, chapter, name=task.file)
    facts = [submission.facts(exercise) for exercise in chapter.exercises]
    written = any(not f.stub and f.undefined is None for f in facts)
    workers: Any = workers_of(task.course, task.unsafe_no_sandbox, task.mode) if written else NoWorkers()
    answers = functools.partial(_answers, course=task.course, seed=task.seed)
    kept = dict(task.built.exercises)
    verdicts = judge_submission(
        submission, chapter, course, workers, task.seed, answers=lambda e: answers(e.name, kept=kept.get(e.name, ""))
    )
    bare = [verdict.without_numbers() for verdict in verdicts]
    if task.built.earlier:
        bare = list(gains_flagged(bare, judge_task(replace(task, built=Built(task.built.instead)))))
    problems = (*submission.problems, *version_words(task))
    return Judged(task.student, task.assignment, task.digest, task.seed, workers.mode, bare, problems)


def chapter_of(course: Course, task: Task) -> Chapter:
    """The chapter with the exercises that the submission is graded by."""
    return graded_by(course, course.chapter(task.assignment), task.built.exercises)


def version_words(task: Task) -> Iterator[str]:
    """What a person should know of the versions that the submission names: who edits his notebook can name any."""
    if task.built.made_up:
        yield (
            "The notebook names versions of its exercises that no release had together: it was changed by hand. Graded "
            "by the assignment's."
        )
    if task.built.earlier:
        names = ", ".join(task.built.earlier)
        yield f"The notebook was built with another version of {names} than the assignment has now; graded by its own."


def gains_flagged(verdicts: Sequence[Verdict], by_assignment: Judged) -> Iterator[Verdict]:
    """The verdicts; flagged is one that the assignment's own version would have given less."""
    for verdict in verdicts:
        other = by_assignment.verdict(verdict.exercise) if by_assignment.complete else None
        gains = other is not None and share(verdict) > share(other)
        yield replace(verdict, flags=(*verdict.flags, GAINS)) if gains else verdict


def share(verdict: Verdict) -> float:
    return verdict.points / (verdict.max_points or 1.0)


def not_judged(task: Task, chapter: Chapter, why: str) -> Judged:
    """The result of a submission that our own side failed to judge: no points are decided, and it is tried again."""
    diagnosis = Diagnosis("infrastructure", "infrastructure", why)

    def verdict(exercise: Exercise) -> Verdict:
        groups = tuple(GroupVerdict(g.name, "infrastructure", 0.0, g.points, g.about, why) for g in exercise.groups)
        return Verdict(exercise.name, exercise_hash(exercise), chapter.id, task.seed, "", groups, diagnosis)

    verdicts = [verdict(exercise) for exercise in chapter.exercises]
    return Judged(task.student, task.assignment, task.digest, task.seed, "", verdicts, (why,))


# --------------------------------------------------------------------------------------- kept from task to task
class NoWorkers:
    """For submissions in which nothing was written: opening a sandbox would tell nothing."""

    mode = ""

    def fresh(self) -> NoReturn:
        raise AssertionError("a submission without code was about to be run")


@functools.cache
def workers_of(course: str, unsafe_no_sandbox: bool = False, mode: str = "") -> Workers:
    """This process's sandbox for a course. Raises SandboxMissing."""
    world: Course = load_course(course)
    workers = open_workers(
        unsafe_no_sandbox=unsafe_no_sandbox,
        mode=mode,
        helpers=world.helpers_source,
        modules=world.modules,
        placeholders=world.placeholders,
    )
    atexit.register(workers.close)
    gc.collect()
    gc.freeze()  # the course and its references stay as long as the process
    return workers


@functools.lru_cache(maxsize=512)
def _answers(exercise: str, course: str, seed: int, kept: str = "") -> Answers:
    world = load_course(course)
    return LiveAnswers(exercise_from(kept) if kept else world.exercise(exercise), world.helpers, seed)


# ---------------------------------------------------------------------------------------------- processes of our own
@contextlib.contextmanager
def own_pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Worker processes that are started, not forked: the caller may hold a gradebook. They end with the block."""
    context = multiprocessing.get_context("spawn")
    before = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=begin_work)
    try:
        yield pool
    finally:
        queue: Any = pool.__dict__.get("_call_queue")  # shutdown forgets it
        pool.shutdown(wait=False, cancel_futures=True)
        # A submission that loops must not hold up Ctrl-C. And where one process died while another was being started,
        # the executor would wait for ever for the second, which it does not tell to end.
        for child in set(multiprocessing.active_children()) - before:
            child.terminate()
        # Until Python 3.11.4 the thread that hands on a task larger than a pipe waits for ever for a reader, as long as
        # this process could be one (gh-94777). One that does not wait may be closing it at this moment, and would never
        # end if that failed: so the pipe is not closed, but its place is given to something else.
        place = queue._reader._handle if queue is not None and sys.version_info < (3, 11, 5) else None
        if place is not None:
            nothing = os.open(os.devnull, os.O_RDONLY)
            if nothing != place:  # else it has just been closed
                os.dup2(nothing, place, inheritable=False)
            os.close(nothing)


def begin_work() -> None:
    """Ctrl-C reaches every process of the terminal; only the coordinator decides what it means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
