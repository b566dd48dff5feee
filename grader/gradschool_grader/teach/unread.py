"""Work in `submitted/` that no run reads: in a place that means nothing, or another notebook beside the graded one. And
submissions that have no result.

    for item in [*ungraded(folder, config, ["ch01_tiny"]), *unread(folder, config, ["ch01_tiny"])]:
        print(item.path, item.why)

Nothing is guessed about it; whoever grades has to know that it is there.
"""

from __future__ import annotations

import filecmp
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from ..cells import Unreadable
from ..journal import Journal
from ..spelling import spelt
from .assign import course_directory
from .beside import submissions
from .collect import work_in

__all__ = ["Unread", "ungraded", "unread"]


@dataclass(frozen=True)
class Unread:
    """A file or folder below the course directory, and why it was not graded."""

    path: str
    why: str


def unread(folder: Path, config: Config, chapters: Collection[str]) -> list[Unread]:
    """In the order of the paths; nothing where nbgrader's layout of folders was changed. In the folders of `chapters`
    one notebook is graded, in those of other assignments all."""
    directory = course_directory(folder, config)
    if directory.directory_structure != CourseDirectory.directory_structure.default_value:
        return []
    root = folder / directory.submitted_directory
    assignments = {path.name for path in (folder / directory.source_directory).glob("*/")}
    found = [*misplaced(root, assignments), *second(root, chapters)]
    return sorted((Unread(place_in(folder, path), why) for path, why in found), key=lambda item: item.path)


def ungraded(folder: Path, config: Config, chapters: Collection[str]) -> list[Unread]:
    """Submissions of chapters without a result: what is no submission, and what came since the last run."""
    directory, journal = course_directory(folder, config), Journal(folder)
    places = [(c, student, place) for c in chapters for student, place in submissions(directory, c, ())]
    return [Unread(place_in(folder, place), why_not(place, chapter))
            for chapter, student, place in places if journal.read(chapter, student) is None]  # fmt: skip


def place_in(folder: Path, path: Path) -> str:
    return spelt(path.relative_to(folder).as_posix())


def why_not(place: Path, chapter: str) -> str:
    try:
        work_in(place, place / f"{chapter}.ipynb")
    except Unreadable as error:
        return str(error)
    return "not graded yet"


def misplaced(root: Path, assignments: Collection[str]) -> Iterator[tuple[Path, str]]:
    for path in root.glob("*"):
        inside = list(path.glob("*")) if path.is_dir() else [path]
        for item in inside:
            if is_work(item):
                yield item, f"expected in {root.name}/STUDENT/ASSIGNMENT/"
            elif item.is_dir() and item.name not in assignments and any(map(is_work, item.glob("*"))):
                yield item, f"no assignment here is called {item.name}"


def second(root: Path, chapters: Collection[str]) -> Iterator[tuple[Path, str]]:
    """Notebooks beside the graded one that say something else: a copy, or a later one under the student's own name."""
    for chapter in chapters:
        for graded in filter(is_work, root.glob(f"*/{chapter}/{chapter}.ipynb")):  # 3.13 finds links to nowhere, too
            for path in graded.parent.glob("*.ipynb"):
                if path != graded and is_work(path) and not filecmp.cmp(path, graded, shallow=False):
                    yield path, f"{graded.name} beside it was graded"


def is_work(path: Path) -> bool:
    return path.suffix in (".ipynb", ".py") and path.is_file() and not path.is_symlink()
