"""What was handed in, as tasks for the judge: one for every folder `submitted/STUDENT/CHAPTER/`.

    for task in collect(folder, config, chapters, students=(), set_aside=print, course=course):
        light = replace(task, data=b"")                 # the bytes of a whole class are too many to hold
        filled(light, folder, config)                   # with them again

Nothing of a submission is changed but what would stop nbgrader: links go, and the only notebook or script gets the name
that it should have had.
"""

from __future__ import annotations

import contextlib
import glob
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from traitlets.config import Config

from ..cells import Unreadable, read_cells
from ..chapter import as_text
from ..course import Chapter, Course
from ..disk import is_full
from ..grading import Task
from ..journal import Journal, replace_file
from ..spelling import spelt
from ..versions import Built, Versions
from .assign import course_directory
from .exporter import read_file
from .folder import tidy

__all__ = ["collect", "filled", "work_in"]


def collect(
    folder: Path,
    config: Config,
    chapters: Sequence[Chapter],
    students: Collection[str],
    set_aside: Callable[[str, str, str], None],
    course: Course,
    versions: Versions | None = None,
) -> Iterator[Task]:
    """A task for every submission that is there, with its bytes. Without students those of all; without `versions` to
    be graded by what is installed."""
    directory, journal = course_directory(folder, config), Journal(folder)
    for chapter in chapters:
        pattern = directory.format_path(directory.submitted_directory, "\0", chapter.id)
        for found in sorted(glob.glob("*".join(map(glob.escape, pattern.split("\0"))))):
            student = student_of(pattern, found)
            if (students and student not in students) or not os.path.isdir(found):
                continue
            file = Path(found, f"{chapter.id}.ipynb")
            try:
                give_name(Path(found), file)
                tidy(Path(found))
            except Unreadable as error:
                set_aside(student, chapter.id, str(error))
                continue
            except OSError as error:
                if is_full(error):
                    raise
                set_aside(student, chapter.id, f"its folder cannot be read: {error.strerror}")
                continue
            seed, judge, data = journal.seed(chapter.id), config.Judge, read_file(file)
            built = versions.of(course, chapter, data, file.name) if versions else Built()
            sandbox = judge.unsafe_no_sandbox, judge.mode
            yield Task(student, chapter.id, file.name, data, judge.course, seed, *sandbox, built)


def filled(task: Task, folder: Path, config: Config) -> Task:
    """The task with the bytes of its file as they are now."""
    directory = course_directory(folder, config)
    place = directory.format_path(directory.submitted_directory, task.student, task.assignment)
    return replace(task, data=read_file(Path(place, task.file)))


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
    given = work_in(folder, wanted)
    if given != wanted:
        data = read_file(given)
        replace_file(wanted, data if given.suffix == ".ipynb" else as_notebook(given).encode())
        wanted.chmod(0o644)


def work_in(folder: Path, wanted: Path) -> Path:
    """The notebook or script that is meant by a submission. Raises Unreadable."""
    if os.path.lexists(wanted):
        if wanted.is_symlink() or not wanted.is_file():
            raise Unreadable(f"{wanted.name} is no file but a link or a folder, and neither is followed")
        return wanted
    others = [
        p for p in sorted(folder.iterdir()) if p.suffix in (".ipynb", ".py") and p.is_file() and not p.is_symlink()
    ]
    notebooks = [path for path in others if path.suffix == ".ipynb"] or others
    if len(notebooks) != 1:
        raise Unreadable(f"expected {wanted.name}, found {there(folder, others)}")
    return notebooks[0]


def there(folder: Path, works: Sequence[Path]) -> str:
    """What lies where a notebook should, in words."""
    names = sorted(spelt(path.name) for path in works or folder.iterdir() if path.name != "timestamp.txt")
    some = f"{', '.join(names[:3])}{', …' * (len(names) > 3)}"
    return some if works else f"neither notebook nor script{f' but {some}' if names else ''}"


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
