"""Assignments that a teacher made without us, graded in the same run: every notebook in `source/` that is no chapter's.

    names = assignments_beside(folder, course)                # ["ps1"]
    grade_beside(summary, config, names, students={"ada"})    # adds to summary.beside and summary.set_aside

They go through nbgrader's converter one after another; their tests run in the sandbox all the same.
"""

from __future__ import annotations

import glob
import itertools
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from ..course import Course
from ..own import OwnPapers
from .assign import course_directory
from .clerk import SetAside, Step
from .convert import make_feedback, record
from .exporter import read_file, source_notebook
from .folder import is_made_of, tidy
from .own import program_of, tests_in

if TYPE_CHECKING:
    from .grade import Summary

__all__ = ["assignments_beside", "grade_beside"]


def assignments_beside(folder: Path, course: Course) -> list[str]:
    """Assignments of the course directory that are no chapter of the course."""
    chapters = {chapter.id for chapter in course.chapters}
    found = {path.parent.name for path in (folder / "source").glob("*/*.ipynb")}
    return sorted(found - chapters)


def notebooks_of(directory: CourseDirectory, assignment: str) -> list[str]:
    folder = Path(directory.format_path(directory.source_directory, ".", assignment))
    return sorted(path.stem for path in folder.glob("*.ipynb"))


def submissions(directory: CourseDirectory, assignment: str, students: Collection[str]) -> Iterator[tuple[str, Path]]:
    """Student and folder of each submission that is there."""
    before, _, after = directory.format_path(directory.submitted_directory, "\0", assignment).partition("\0")
    for found in sorted(glob.glob(f"{glob.escape(before)}*{glob.escape(after)}")):
        student = found[len(before) : len(found) - len(after)]
        if os.path.isdir(found) and (not students or student in students):
            yield student, Path(found)


def grade_beside(
    summary: Summary,
    config: Config,
    names: Sequence[str],
    students: Collection[str] = (),
    *,
    force: bool = False,
    feedback: bool = True,
    progress: Callable[[Step], None] = lambda step: None,
) -> None:
    """Record what is new or changed, with its feedback; what failed is set aside and stops nobody."""
    directory, papers = course_directory(summary.directory, config), OwnPapers(summary.directory)
    for name in names:
        there = dict(submissions(directory, name, students))
        for place in there.values():
            tidy(place)
        todo = {s for s, place in there.items() if force or not is_recorded(directory, papers, name, s, place)}
        done = counted(progress, "recorded", len(todo), name)
        failed = record(summary.directory, config, name, todo, done) if todo else {}
        stale = {s for s in there if s not in failed and not is_shown(directory, name, s)} if feedback else set()
        if stale:
            pages = counted(progress, "feedback", len(stale), name)
            failed |= make_feedback(summary.directory, config, name, stale, pages)
        summary.set_aside += [SetAside(student, name, why) for student, why in sorted(failed.items())]
        summary.beside += [paper for paper in papers.all(name) if paper.student in there]


def counted(progress: Callable[[Step], None], what: str, total: int, assignment: str) -> Callable[[str], None]:
    """A function that is told of each student who is done, and passes it on as progress."""
    numbers = itertools.count(1)
    return lambda student: progress(Step(what, next(numbers), total, student, assignment))


def is_shown(directory: CourseDirectory, assignment: str, student: str) -> bool:
    """Whether every notebook has a page, which was made of it as it is now."""
    graded = Path(directory.format_path(directory.autograded_directory, student, assignment))
    pages = Path(directory.format_path(directory.feedback_directory, student, assignment))
    return all(is_made_of(pages / f"{path.stem}.html", path) for path in graded.glob("*.ipynb"))


def is_recorded(directory: CourseDirectory, papers: OwnPapers, assignment: str, student: str, place: Path) -> bool:
    """Whether every notebook of it was graded from the same file by the same tests."""
    from ..own import digest_of

    for notebook in notebooks_of(directory, assignment):
        source = source_notebook(directory, assignment, notebook)
        graded = Path(directory.format_path(directory.autograded_directory, student, assignment), f"{notebook}.ipynb")
        if source is None or not graded.is_file():
            return False
        tests = {grade_id: cell.source for grade_id, cell in tests_in(source, set()).items()}
        file = place / f"{notebook}.ipynb"
        if not tests:
            if not is_made_of(graded, file):
                return False
            continue
        data = read_file(file)
        known = papers.read(assignment, student, notebook)
        if known is None or not known.complete or known.digest != digest_of(data, program_of(data, source, tests)):
            return False
    return True
