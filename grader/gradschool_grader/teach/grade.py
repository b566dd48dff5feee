"""Grading a class: judged in parallel, recorded by one hand, resumed where it stopped.

    summary = grade("mycourse", ["ch01_tiny"], jobs=4)
    for judged in summary.judged:
        print(judged.student, judged.assignment, judged.points)

Any executor of `concurrent.futures` can do the judging (worker processes of this machine by default); each result goes
into the journal at once. Only this process writes the gradebook, through nbgrader's own converter, one submission a
transaction. What was judged and recorded from the same file is not done again.
"""

from __future__ import annotations

import contextlib
import glob
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from ..cells import Unreadable, read_cells
from ..chapter import as_text
from ..cluster import cluster_pool, task_for
from ..course import Chapter, Course, load_course
from ..course_toml import read_settings, rescaled, weighed
from ..disk import says_when_full
from ..grading import Task, judge_task, not_judged, own_pool
from ..journal import Journal, Judged, replace_file
from ..own import OwnPaper, OwnPapers
from ..probe import MODES
from ..release import check_release, released_chapters
from ..sandbox import SandboxMissing
from ..spread import spread
from .assign import course_directory, settings
from .beside import assignments_beside, grade_beside
from .convert import make_feedback, record
from .dates import set_dates
from .exporter import read_file
from .folder import is_made_of, tidy

__all__ = ["SetAside", "Step", "Summary", "grade"]

AHEAD = 64  # tasks that an executor of unknown size has at a time; of a process of ours four


@dataclass(frozen=True)
class SetAside:
    """A submission that could not be graded at all, and why."""

    student: str
    assignment: str
    why: str


@dataclass(frozen=True)
class Step:
    """What has just been done, of how much: `what` is judged, recorded or feedback."""

    what: str
    done: int
    total: int
    student: str
    assignment: str


@dataclass
class Summary:
    """What a run came to. `judged` holds every submission of the chapters, also those that were done before; `beside`
    the teacher's own tests, in assignments of their own and in chapters."""

    directory: Path
    course: Course
    chapters: Sequence[Chapter]
    judged: list[Judged] = field(default_factory=list)
    beside: list[OwnPaper] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)

    @property
    def mode(self) -> str:
        """How submissions were run: the weakest way that occurs."""
        modes = {judged.mode for judged in self.judged} | {paper.mode for paper in self.beside}
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
    unsafe_no_sandbox: bool | None = None,
    mode: str | None = None,
    force: bool = False,
    feedback: bool = True,
    progress: Callable[[Step], None] = lambda step: None,
) -> Summary:
    """Grade what lies in `submitted/`. Without chapters or students: all of them. `force` judges everything again.
    `mode` is that of the sandbox, "AB", "B" or "C"; without it what the directory's configuration says, else the best.

    Raises SandboxMissing where this machine cannot hold submitted code (unless `unsafe_no_sandbox`), Outdated where
    the installed exercises are not the released ones, Unknown for a chapter that does not exist, DiskFull.
    """
    folder = Path(directory).resolve()
    config = settings(folder)
    where = config.Judge.course
    course = load_course(where)
    names, others = list(chapters), assignments_beside(folder, course)
    beside = [name for name in names if name in others] if names else others
    wanted = [course.chapter(name) for name in names if name not in others]
    own = read_settings(folder)
    wanted = [weighed(chapter, own) for chapter in wanted or ([] if names else released_chapters(course, folder))]
    unsafe = bool(config.Judge.get("unsafe_no_sandbox", False)) if unsafe_no_sandbox is None else unsafe_no_sandbox
    mode = str(config.Judge.get("mode", "")) if mode is None else mode
    if mode and mode not in MODES:
        raise ValueError(f"the sandbox has the modes {', '.join(MODES)}; got {mode!r}. Leave it out for the best one.")
    config.Judge.update(unsafe_no_sandbox=unsafe, mode=mode)  # the teacher's own tests run while recording
    for chapter in wanted:
        check_release(course, chapter, folder)
    summary, students = Summary(folder, course, wanted), set(students)
    postponed = set_dates(folder, own, [*(chapter.id for chapter in wanted), *beside])  # what is late is another now
    tasks = list(collect(summary, config, students, where, unsafe, mode))
    on_cluster = cluster_pool(scheduler, where, unsafe, mode) if scheduler else contextlib.nullcontext(executor)
    with on_cluster as executor:
        judged = dict(judge_all(Journal(folder), course, tasks, force, executor, jobs, progress))
    for chapter in wanted:
        of_chapter = {task.student: result for task, result in judged.items() if task.assignment == chapter.id}
        record_chapter(summary, config, chapter, of_chapter, force or chapter.id in postponed, progress)
        if feedback:
            feedback_chapter(summary, config, chapter, progress)
        graded = {result.student for result in summary.judged if result.assignment == chapter.id}
        summary.beside += [paper for paper in OwnPapers(folder).all(chapter.id) if paper.student in graded]
    for again in (True, False):
        some = [name for name in beside if (force or name in postponed) is again]
        grade_beside(summary, config, some, students, force=again, feedback=feedback, progress=progress)
    summary.judged = [rescaled(result, own) for result in summary.judged]
    return summary


# -------------------------------------------------------------------------------------------------------- collecting
def collect(
    summary: Summary, config: Config, students: set[str], where: str, unsafe: bool, mode: str
) -> Iterator[Task]:
    """A task for every submission that is there."""
    directory = course_directory(summary.directory, config)
    journal = Journal(summary.directory)
    for chapter in summary.chapters:
        pattern = directory.format_path(directory.submitted_directory, "*", chapter.id)
        for found in sorted(glob.glob(pattern)):
            student = student_of(directory.format_path(directory.submitted_directory, "\0", chapter.id), found)
            if (students and student not in students) or not os.path.isdir(found):
                continue
            file = Path(found, f"{chapter.id}.ipynb")
            try:
                give_name(Path(found), file)
                tidy(Path(found))
            except Unreadable as error:
                summary.set_aside.append(SetAside(student, chapter.id, str(error)))
                continue
            data = read_file(file)
            yield Task(student, chapter.id, file.name, data, where, journal.seed(chapter.id), unsafe, mode)


def student_of(pattern: str, path: str) -> str:
    before, _, after = pattern.partition("\0")
    return path[len(before) : len(path) - len(after)]


def give_name(folder: Path, wanted: Path) -> None:
    """Nbgrader finds notebooks by name: the only notebook or script of a submission gets the name it should have had.

    The student's own file stays. Raises Unreadable if there is nothing, or no telling which.
    """
    for litter in folder.glob(".*.part"):  # of a run that was killed while it gave the name
        with contextlib.suppress(OSError):
            litter.unlink()
    if os.path.lexists(wanted):
        if wanted.is_symlink() or not wanted.is_file():
            raise Unreadable(f"{wanted.name} is no file but a link or a folder, and neither is followed")
        return
    others = [
        p for p in sorted(folder.iterdir()) if p.suffix in (".ipynb", ".py") and p.is_file() and not p.is_symlink()
    ]
    notebooks = [path for path in others if path.suffix == ".ipynb"] or others
    if len(notebooks) != 1:
        found = f"found {', '.join(path.name for path in others)}" if others else "found neither notebook nor script"
        raise Unreadable(f"expected {wanted.name}, {found}")
    given = notebooks[0]
    replace_file(wanted, given.read_bytes() if given.suffix == ".ipynb" else as_notebook(given).encode())
    wanted.chmod(0o644)


def as_notebook(script: Path) -> str:
    """A script in cells as a notebook file."""
    cells = read_cells(read_file(script), script.name)[0]
    made = [
        new_code_cell(source=cell.source, metadata={"tags": sorted(cell.tags)}, id=f"cell-{i}")
        if cell.kind == "code"
        else new_markdown_cell(source=cell.source, id=f"cell-{i}")
        for i, cell in enumerate(cells)
    ]
    return as_text(new_notebook(cells=made))


# ----------------------------------------------------------------------------------------------------------- judging
def judge_all(
    journal: Journal,
    course: Course,
    tasks: list[Task],
    force: bool,
    executor: Executor | None,
    jobs: int | None,
    progress: Callable[[Step], None],
) -> Iterator[tuple[Task, Judged]]:
    """Every task with its result: from the journal, or judged now and written there as soon as it is known."""
    todo = []
    for task in tasks:
        known = None if force else journal.read(task.assignment, task.student)
        if known and known.complete and known.is_for(task.digest, task.seed, course.chapter(task.assignment)):
            yield task, known
        else:
            todo.append(task)
    for done, (task, judged) in enumerate(run(course, todo, executor, jobs), start=1):
        journal.write(judged)
        progress(Step("judged", done, len(todo), task.student, task.assignment))
        yield task, judged


def run(course: Course, todo: list[Task], executor: Executor | None, jobs: int | None) -> Iterator[tuple[Task, Judged]]:
    """Results in the order in which they come."""
    jobs = min(jobs or os.cpu_count() or 1, len(todo))
    if executor is None and jobs <= 1:
        for task in todo:
            yield task, settled(course, task, lambda task=task: judge_task(task))
        return
    opened = (lambda: own_pool(jobs)) if executor is None else (lambda: contextlib.nullcontext(executor))
    ahead = 4 * jobs if executor is None else AHEAD
    for task, future in spread(todo, opened, task_for(executor), ahead):
        yield task, settled(course, task, future.result)


def settled(course: Course, task: Task, result: Callable[[], Judged]) -> Judged:
    """The result, or that there is none: a failure of ours in one submission must not stop the others."""
    try:
        return result()
    except SandboxMissing:
        raise
    except Exception as error:
        why = f"The grader failed on this submission ({type(error).__name__}: {error})."
        return not_judged(task, course.chapter(task.assignment), why)


# --------------------------------------------------------------------------------------------------------- recording
Done = Callable[[str], None]


def counted(progress: Callable[[Step], None], what: str, total: int, assignment: str, also: Done | None = None) -> Done:
    """A function that is told of each student who is done, and passes it on as progress."""
    numbers = itertools.count(1)

    def done(student: str) -> None:
        if also is not None:
            also(student)
        progress(Step(what, next(numbers), total, student, assignment))

    return done


def record_chapter(
    summary: Summary,
    config: Config,
    chapter: Chapter,
    judged: dict[str, Judged],
    force: bool,
    progress: Callable[[Step], None],
) -> None:
    """What the gradebook does not have yet, through nbgrader's own converter. `judged` is by student."""
    directory, journal = course_directory(summary.directory, config), Journal(summary.directory)
    todo = {
        student
        for student, result in judged.items()
        if force or not result.recorded or not graded_file(directory, chapter, student).is_file()
    }

    def mark(student: str) -> None:
        if judged[student].complete:
            journal.mark_recorded(judged[student])

    done = counted(progress, "recorded", len(todo), chapter.id, mark)
    failed = record(summary.directory, config, chapter.id, todo, done) if todo else {}
    summary.set_aside += [SetAside(student, chapter.id, why) for student, why in sorted(failed.items())]
    summary.judged += [result for student, result in sorted(judged.items()) if student not in failed]


def graded_file(directory: CourseDirectory, chapter: Chapter, student: str) -> Path:
    return Path(directory.format_path(directory.autograded_directory, student, chapter.id), f"{chapter.id}.ipynb")


def feedback_page(directory: CourseDirectory, chapter: Chapter, student: str) -> Path:
    return Path(directory.format_path(directory.feedback_directory, student, chapter.id), f"{chapter.id}.html")


def feedback_chapter(summary: Summary, config: Config, chapter: Chapter, progress: Callable[[Step], None]) -> None:
    """A page for every submission whose page is missing or shows another autograded notebook than there is."""
    directory = course_directory(summary.directory, config)
    todo = set()
    for student in (judged.student for judged in summary.judged if judged.assignment == chapter.id):
        page, graded = feedback_page(directory, chapter, student), graded_file(directory, chapter, student)
        if not is_made_of(page, graded):
            todo.add(student)
    done = counted(progress, "feedback", len(todo), chapter.id)
    failed = make_feedback(summary.directory, config, chapter.id, todo, done) if todo else {}
    summary.set_aside += [SetAside(student, chapter.id, f"no feedback page: {why}") for student, why in failed.items()]
