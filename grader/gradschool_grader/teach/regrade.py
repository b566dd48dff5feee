"""Regrading, seen before it is done: after an exercise was fixed, who gains and who loses.

seen = preview("mycourse", jobs=4)       # judges, writes nothing
for change in seen.changes:
    print(change.student, change.exercise, change.before, "->", change.after)
accept(seen)                             # into the journal; `grade` then records it
"""

from __future__ import annotations

import functools
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..cluster import PATIENCE, cluster_pool
from ..course import Chapter, Course, load_course
from ..course_toml import read_settings, rescaled
from ..journal import Journal, Judged, Results
from ..release import Outdated, check_release, release, released_chapters
from ..source import exercise_hash
from ..versions import Versions
from .assign import settings
from .clerk import Step
from .collect import collect, filled
from .grade import judging, refused_by, run

__all__ = ["Change", "Preview", "accept", "given_by_others", "preview"]


@dataclass(frozen=True)
class Change:
    """Points of one exercise of one student before and after; `outcome` is what it comes to now."""

    student: str
    assignment: str
    exercise: str
    before: float
    after: float
    outcome: str


@dataclass
class Preview:
    """What regrading would do. `judged` are the new results, which lie in a folder that goes when this does; `new` are
    the submissions that have no grade yet."""

    directory: Path
    course: Course
    where: str
    outdated: Sequence[Chapter]
    changes: list[Change] = field(default_factory=list)
    new: int = 0
    undecided: int = 0  # our own failures, which keep the grade that was there
    chapters: Sequence[Chapter] = ()  # all that were looked at
    refused: Mapping[str, str] = field(default_factory=dict)  # workers of a cluster that could not judge, and why

    def __post_init__(self) -> None:
        scratch = tempfile.mkdtemp(prefix="regrade-")
        weakref.finalize(self, shutil.rmtree, scratch, ignore_errors=True)
        self.places: list[tuple[str, str]] = []
        self.judged = Results(Journal(scratch), self.places, lambda judged: judged)


def preview(
    directory: Path | str,
    chapters: Iterable[str] = (),
    students: Iterable[str] = (),
    *,
    jobs: int | None = None,
    scheduler: str = "",
    patience: float = PATIENCE,
    unsafe_no_sandbox: bool | None = None,
    mode: str | None = None,
    force: bool = False,
    progress: Callable[[Step], None] = lambda step: None,
    told: Callable[[str], None] = lambda words: None,
) -> Preview:
    """Judge with the exercises that are installed now whatever was judged by others. Nothing is written in the course
    directory: the new results lie in a temporary folder until `accept`."""
    folder = Path(directory).resolve()
    config = settings(folder)
    where = config.Judge.course
    course = load_course(where)
    wanted = [course.chapter(name) for name in chapters] or released_chapters(course, folder)
    unsafe = bool(config.Judge.get("unsafe_no_sandbox", False)) if unsafe_no_sandbox is None else unsafe_no_sandbox
    mode = str(config.Judge.get("mode", "")) if mode is None else mode
    seen = Preview(folder, course, where, [chapter for chapter in wanted if is_outdated(course, chapter, folder)],
                   chapters=wanted)  # fmt: skip
    config.Judge.update(unsafe_no_sandbox=unsafe, mode=mode)
    journal = Journal(folder)
    todo = []
    for task in collect(folder, config, wanted, set(students), lambda *_: None, course):
        before = journal.read(task.assignment, task.student)
        if force or not (before and before.is_for(task.digest, task.seed, course.chapter(task.assignment))):
            todo.append(replace(task, data=b""))
    cluster = functools.partial(cluster_pool, scheduler, where, unsafe, mode, patience=patience, told=told)
    with judging(todo, cluster if scheduler else None) as executor:
        seen.refused = refused_by(executor)
        results = run(course, todo, executor, jobs, lambda task: filled(task, folder, config))
        for done, (task, judged) in enumerate(results, start=1):
            note(seen, journal.read(task.assignment, task.student), judged)
            progress(Step("judged", done, len(todo), task.student, task.assignment))
    seen.changes.sort(key=lambda c: (c.assignment, c.student, c.exercise))
    return seen


def is_outdated(course: Course, chapter: Chapter, folder: Path) -> bool:
    try:
        check_release(course, chapter, folder)
    except Outdated:
        return True
    return False


def note(seen: Preview, before: Judged | None, after: Judged) -> None:
    if not after.complete:
        seen.undecided += 1
        return
    seen.judged.journal.write(after)
    seen.places.append((after.assignment, after.student))
    if before is None:
        seen.new += 1
        return
    own = read_settings(seen.directory)
    seen.changes += changes(rescaled(before, own), rescaled(after, own))


def changes(before: Judged, after: Judged) -> Iterator[Change]:
    """By exercise; one that is no longer asked is lost."""
    for name in dict.fromkeys(verdict.exercise for verdict in [*after.verdicts, *before.verdicts]):
        old, new = before.verdict(name), after.verdict(name)
        had, has = old.points if old else 0.0, new.points if new else 0.0
        if had != has:
            outcome = new.outcome if new else "not asked any more"
            yield Change(after.student, after.assignment, name, had, has, outcome)


def accept(seen: Preview) -> list[str]:
    """Release the changed chapters again and keep the new results. Returns what was done, line by line.

    Earlier versions of the exercises were found wrong: nothing is graded by them any more.
    """
    lines = list(release(seen.course, seen.outdated, seen.directory, where=seen.where)) if seen.outdated else []
    for chapter in seen.chapters:
        Versions(seen.directory).retire(chapter)
    journal = Journal(seen.directory)
    for judged in seen.judged:
        journal.write(judged)
    return lines


def given_by_others(directory: Path | str, chapters: Iterable[str] = ()) -> list[Judged]:
    """Recorded grades that other versions of the exercises gave than are installed now or were kept."""
    folder = Path(directory).resolve()
    course = load_course(settings(folder).Judge.course)
    wanted = [course.chapter(name) for name in chapters] or released_chapters(course, folder)
    journal, versions = Journal(folder), Versions(folder)
    found = []
    for chapter in wanted:
        now = {exercise.name: exercise_hash(exercise) for exercise in chapter.exercises}
        for judged in journal.all(chapter.id):
            others = [v for v in judged.verdicts if now.get(v.exercise) != v.exercise_hash]
            kept = all(versions.find(course, v.exercise, v.exercise_hash) for v in others)
            if judged.recorded and not (kept and (others or judged.is_for(judged.digest, judged.seed, chapter))):
                found.append(judged)
    return found
