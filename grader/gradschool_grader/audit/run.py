"""The audit of a course: every exercise, in as many processes as are wanted.

report = audit("my_package:course", seeds=range(1, 21), jobs=2)
report.at_goal, report.cases, report.to_json()
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from ..course import load_course
from ..offspring import leave_at_once
from ..one_thread import one_blas_thread
from .answers import audit_answers
from .killing import audit_mutants
from .result import ExerciseAudit, Report, together

__all__ = ["PARTS", "SEEDS", "audit", "audit_exercise"]

SEEDS = 20
PARTS = {"mutants": audit_mutants, "answers": audit_answers}  # what takes longest comes first
Task = tuple[str, str, str, tuple[int, ...]]
Tell = Callable[[str, int, int], None]
"""(exercise, parts done, parts in all): called whenever a part is done."""


def audit(
    course: str,
    names: Iterable[str] | None = None,
    *,
    seeds: Sequence[int] = range(1, SEEDS + 1),
    jobs: int = 1,
    tell: Tell = lambda name, done, total: None,
) -> Report:
    """Audit the exercises of these names, all of them by default.

    `course` is the name of an installed course or "module:attribute": each process finds it by itself.
    """
    wanted = list(names) if names is not None else [exercise.name for exercise in load_course(course).exercises]
    tasks = [(course, name, part, tuple(seeds)) for part in PARTS for name in wanted]
    parts: dict[Task, ExerciseAudit] = {}
    for task, part in done(tasks, jobs):
        parts[task] = part
        tell(task[1], len(parts), len(tasks))
    return Report(together(parts[task] for task in sorted(tasks, key=lambda t: wanted.index(t[1]))), tuple(seeds))


def done(tasks: Sequence[Task], jobs: int) -> Iterator[tuple[Task, ExerciseAudit]]:
    """Tasks with their results, as they come."""
    if jobs == 1:
        yield from ((task, audit_part(task)) for task in tasks)
        return
    context = multiprocessing.get_context("spawn")  # the same everywhere; a fork of a process with threads may hang
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=leave_at_once) as pool:
        running = {pool.submit(audit_part, task): task for task in tasks}
        try:
            for future in as_completed(running):
                yield running[future], future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def audit_part(task: Task) -> ExerciseAudit:
    course, name, part, seeds = task
    exercise = load_course(course).exercise(name)
    with one_blas_thread():
        return PARTS[part](course, exercise, seeds)


def audit_exercise(course: str, name: str, seeds: Sequence[int]) -> ExerciseAudit:
    """One exercise in this process: for tests, which say at once which exercise it is."""
    return audit(course, [name], seeds=seeds).exercises[0]
