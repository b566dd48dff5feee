"""Grading a class: judged in parallel, recorded by one hand while others are judged, resumed where it stopped.

    summary = grade("mycourse", ["ch01_tiny"], jobs=4)
    for judged in summary.judged:
        print(judged.student, judged.assignment, judged.points)

Any executor of `concurrent.futures` can do the judging (worker processes of this machine by default); each result goes
into the journal at once. Only this process writes the gradebook, as nbgrader does, one submission a transaction. What
was judged and recorded from the same file is not done again. Neither submissions nor verdicts are held in memory.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..big_blocks import big_blocks_apart
from ..cluster import PATIENCE, ClusterPool, cluster_pool
from ..course import Chapter, Course, load_course
from ..course_toml import read_settings, rescaled, weighed
from ..disk import says_when_full
from ..grading import Task, chapter_of, judge_task, not_judged, own_pool
from ..journal import Journal, Judged, Results
from ..own import OwnPaper, OwnPapers
from ..probe import MODES
from ..release import released_chapters
from ..sandbox import SandboxMissing
from ..spread import spread
from ..versions import Versions
from .assign import settings
from .beside import assignments_beside, grade_beside
from .clerk import Clerk, SetAside, Step
from .collect import collect, filled
from .dates import set_dates
from .unread import Unread, unread

__all__ = ["SetAside", "Step", "Summary", "grade"]

AHEAD = 64  # tasks that an executor of unknown size has at a time; of a process of ours four


@dataclass
class Summary:
    """What a run came to. `judged` holds every submission of the chapters, also those that were done before, and reads
    each from the journal when it is asked for; `modes` are the ways in which they ran. `beside` are the teacher's own
    tests, in assignments of their own and in chapters."""

    directory: Path
    course: Course
    chapters: Sequence[Chapter]
    judged: Sequence[Judged] = ()
    modes: set[str] = field(default_factory=set)
    beside: list[OwnPaper] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)  # of a run over everything: work that no run reads
    refused: Mapping[str, str] = field(default_factory=dict)  # workers of a cluster that could not judge, and why

    @property
    def mode(self) -> str:
        """How submissions were run: the weakest way that occurs."""
        modes = self.modes | {paper.mode for paper in self.beside}
        return next((mode for mode in ("here", "process", "B", "C", "AB") if mode in modes), "")

    @property
    def gradebook(self) -> Path:
        return self.directory / "gradebook.db"

    @property
    def feedback(self) -> Path:
        return self.directory / "feedback"


@says_when_full
def grade(
    directory: Path | str,
    chapters: Iterable[str] = (),
    students: Iterable[str] = (),
    *,
    jobs: int | None = None,
    executor: Executor | None = None,
    scheduler: str = "",
    patience: float = PATIENCE,
    unsafe_no_sandbox: bool | None = None,
    mode: str | None = None,
    force: bool = False,
    feedback: bool = True,
    progress: Callable[[Step], None] = lambda step: None,
    told: Callable[[str], None] = lambda words: None,
) -> Summary:
    """Grade what lies in `submitted/`. Without chapters or students: all of them. `force` judges everything again.
    `mode` is that of the sandbox, "AB", "B" or "C"; without it what the directory's configuration says, else the best.
    `told` hears when all workers of the scheduler are gone.

    Raises SandboxMissing where this machine cannot hold submitted code (unless `unsafe_no_sandbox`), Outdated where
    an exercise changed since it was released and was not kept, Unknown for a chapter that does not exist, DiskFull;
    on a cluster also ClusterMissing, SchedulerLost, and WorkersLost after `patience` seconds without any worker.
    """
    big_blocks_apart()
    folder = Path(directory).resolve()
    config = settings(folder)
    where = config.Judge.course
    course = load_course(where)
    names, others = list(chapters), assignments_beside(folder, course)
    beside = [name for name in names if name in others] if names else others
    wanted = [course.chapter(name) for name in names if name not in others]
    own, versions = read_settings(folder), Versions(folder)
    wanted = wanted or ([] if names else released_chapters(course, folder))
    wanted = [weighed(versions.released(course, chapter), own) for chapter in wanted]
    unsafe = bool(config.Judge.get("unsafe_no_sandbox", False)) if unsafe_no_sandbox is None else unsafe_no_sandbox
    mode = str(config.Judge.get("mode", "")) if mode is None else mode
    if mode and mode not in MODES:
        raise ValueError(f"the sandbox has the modes {', '.join(MODES)}; got {mode!r}. Leave it out for the best one.")
    config.Judge.update(unsafe_no_sandbox=unsafe, mode=mode)  # the teacher's own tests run while recording
    summary, students = Summary(folder, course, wanted), set(students)
    postponed = set_dates(folder, own, [*(chapter.id for chapter in wanted), *beside])  # what is late is another now
    with Clerk(folder, config, course, wanted, feedback=feedback, progress=progress) as clerk:
        todo = []
        for task in collect(folder, config, wanted, students, clerk.put_aside, course, versions):
            again = force or task.assignment in postponed
            if not clerk.knows(task, judge=force, record=again):
                todo.append(replace(task, data=b""))
        clerk.record_known(lambda task: filled(task, folder, config))
        cluster = functools.partial(cluster_pool, scheduler, where, unsafe, mode, patience=patience, told=told)
        with judging(todo, cluster if scheduler else None, executor) as executor:
            summary.refused = refused_by(executor)
            for task, judged in run(course, todo, executor, jobs, lambda task: filled(task, folder, config)):
                clerk.record(task, judged)
    summary.set_aside += clerk.set_aside
    summary.unread += [] if names or students else unread(folder, config, [chapter.id for chapter in wanted])
    summary.modes |= clerk.modes
    summary.judged = Results(Journal(folder), clerk.graded, lambda judged: rescaled(judged, own))
    for chapter in wanted:
        graded = {student for assignment, student in clerk.graded if assignment == chapter.id}
        summary.beside += [paper for paper in OwnPapers(folder).all(chapter.id) if paper.student in graded]
    for again in (True, False):
        some = [name for name in beside if (force or name in postponed) is again]
        grade_beside(summary, config, some, students, force=again, feedback=feedback, progress=progress)
    return summary


def judging(
    todo: Sequence[Task],
    cluster: Callable[[], AbstractContextManager[ClusterPool]] | None,
    executor: Executor | None = None,
) -> AbstractContextManager[Executor | None]:
    """The executor to judge with: of the cluster, if there is one and anything to judge; else the given one, and
    without any, processes of this machine."""
    return cluster() if cluster and todo else contextlib.nullcontext(executor)


def refused_by(executor: Executor | None) -> Mapping[str, str]:
    """Workers of a cluster that could not judge, and why."""
    return executor.refused if isinstance(executor, ClusterPool) else {}


def run(
    course: Course,
    todo: Sequence[Task],
    executor: Executor | None,
    jobs: int | None,
    fill: Callable[[Task], Task] = lambda task: task,
) -> Iterator[tuple[Task, Judged]]:
    """Results in the order in which they come. `fill` gives a task its bytes when its turn has come."""
    jobs = min(jobs or os.cpu_count() or 1, len(todo))
    tasks = map(fill, todo)
    if executor is None and jobs <= 1:
        for task in tasks:
            yield task, settled(course, task, lambda task=task: judge_task(task))
        return
    opened = (lambda: own_pool(jobs)) if executor is None else (lambda: contextlib.nullcontext(executor))
    ahead = 4 * jobs if executor is None else AHEAD
    quiet = executor.look if isinstance(executor, ClusterPool) else lambda: None
    for task, future in spread(tasks, opened, judge_task, ahead, quiet):
        yield task, settled(course, task, future.result)


def settled(course: Course, task: Task, result: Callable[[], Judged]) -> Judged:
    """The result, or that there is none: a failure of ours in one submission must not stop the others."""
    try:
        return result()
    except SandboxMissing:
        raise
    except Exception as error:
        why = f"The grader failed on this submission ({type(error).__name__}: {error})."
        return not_judged(task, chapter_of(course, task), why)
