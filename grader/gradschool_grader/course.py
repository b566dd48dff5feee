"""A course is a list of chapters with exercises; courses are found by entry point, so a teacher can bring one.

    course = find_courses()["gradschool"]
    course.chapter("losses"), course.chapter("3"), course.chapter("ch03_losses")    # all the same
    course, exercise = find_exercise("adam")

In a package's pyproject.toml:   [project.entry-points."gradschool.courses"]   mine = "my_package:course"
"""

from __future__ import annotations

import difflib
import functools
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from .exercise import Exercise
from .standalone import module_source

__all__ = ["Chapter", "Course", "Unknown", "find_chapter", "find_courses", "find_exercise", "load_course"]

GROUP = "gradschool.courses"

# What `from gradschool_grader import ...` finds inside the sandbox: checks and predictions do nothing there.
SILENT = '''"""Checks and predictions do nothing while submissions are graded."""


def check(*args, **kwargs):
    return None


def predict(*args, **kwargs):
    return None


def prediction(*args, **kwargs):
    return None
'''


# The references are not there: whoever calls one is told so, and not that the module is broken.
ABSENT = """


def __getattr__(name):
    raise AttributeError(f"{__name__}.{name} is not there while submissions are graded")
"""


class Unknown(LookupError):
    """A chapter, exercise or course that does not exist; the message names the nearest that does."""

    def __init__(self, kind: str, name: str, known: Iterable[str]):
        names = sorted(known)
        near = difflib.get_close_matches(name, names, 1, 0.5)
        hint = f"Did you mean `{near[0]}`?" if near else f"There is: {', '.join(names) or 'none'}."
        super().__init__(f"There is no {kind} `{name}`. {hint}")
        self.nearest = near[0] if near else None

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True)
class Chapter:
    """One chapter: its id is the folder's, the assignment's and the notebook's name. `chapter.md` is its text."""

    id: str
    number: int
    title: str
    folder: Path
    exercises: Sequence[Exercise]

    @property
    def text(self) -> Path:
        return self.folder / "chapter.md"

    @property
    def points(self) -> float:
        return sum(exercise.points for exercise in self.exercises)

    def exercise(self, name: str) -> Exercise:
        """The exercise of that name. Raises Unknown, which suggests the nearest."""
        for exercise in self.exercises:
            if exercise.name == name:
                return exercise
        raise Unknown("exercise", name, (e.name for e in self.exercises))

    def is_called(self, name: str) -> bool:
        """`ch03_losses`, `losses`, `3`, `03`, `ch3`, `chapter 3` and the title all mean chapter 3."""
        wanted = name.strip().lower()
        number = re.fullmatch(r"(?:ch(?:apter)?\s*)?0*(\d+)", wanted)
        names = {self.id.lower(), self.id.lower().partition("_")[2], self.title.lower()}
        return wanted in names or bool(number and int(number[1]) == self.number)


@dataclass(frozen=True)
class Course:
    """The chapters of a course, and what submitted code may use of it.

    helpers        public functions that probes hand in by name: {name: factory}, or a module with HELPERS
    public         what the sandbox's imports offer: {module name: objects}; their source is all that goes in
    placeholders   modules whose import must not fail in the sandbox, though nothing useful is there (plots, data)
    forbidden      dotted names that no answer is to be written with ("numpy.gradient"), beside the references' packages
    version        of the package that brings the course; a notebook says which version it was built from
    """

    name: str
    title: str
    chapters: Sequence[Chapter]
    helpers: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    public: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    placeholders: Sequence[str] = ()
    forbidden: Sequence[str] = ()
    version: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.helpers, ModuleType):
            object.__setattr__(self, "helpers", dict(self.helpers.HELPERS))
        names = [exercise.name for exercise in self.exercises]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"An exercise is found by its name alone, but {', '.join(twice)} occurs twice in {self.name}."
            )

    @property
    def exercises(self) -> list[Exercise]:
        return [exercise for chapter in self.chapters for exercise in chapter.exercises]

    def chapter(self, name: str) -> Chapter:
        """The chapter that `name` means. Raises Unknown, which suggests the nearest."""
        for chapter in self.chapters:
            if chapter.is_called(name):
                return chapter
        names = {c.id for c in self.chapters} | {c.id.partition("_")[2] for c in self.chapters}
        raise Unknown("chapter", name, names)

    def exercise(self, name: str) -> Exercise:
        """The exercise of that name, in whatever chapter. Raises Unknown, which suggests the nearest."""
        return _find([self], name)[1]

    @functools.cached_property
    def helpers_source(self) -> str:
        """A module that defines HELPERS, standing alone: it is all the sandbox sees of the helpers."""
        factories = list(dict.fromkeys(self.helpers.values()))
        table = ", ".join(f'"{name}": {factory.__name__}' for name, factory in self.helpers.items())
        return module_source(factories) + f"\n\nHELPERS = {{{table}}}\n"

    @functools.cached_property
    def modules(self) -> dict[str, str]:
        """Source of the modules that submitted cells can import: the public parts, and silent checks."""
        sources = {name: module_source(objects) + ABSENT for name, objects in self.public.items()}
        return {**sources, __name__.partition(".")[0]: SILENT}


# ----------------------------------------------------------------------------------------------------------- finding
def find_courses() -> dict[str, Course]:
    """All installed courses by name."""
    return {point.name: _load(point) for point in sorted(entry_points(group=GROUP), key=lambda p: p.name)}


@functools.cache
def _load(point: EntryPoint) -> Course:
    return load_course(point.value)


def load_course(where: str) -> Course:
    """The course at "package.module:attribute", at a path like "lessons/mine", or the installed one of that name.

    A path is a package's folder or a module's file; its attribute is `course` unless ":other" says otherwise.
    """
    path, attribute = at_path(where)
    if path is not None:
        if str(path.parent) not in sys.path:
            sys.path.insert(0, str(path.parent))
        where = f"{path.stem}:{attribute}"
    if ":" not in where:
        points = {point.name: point for point in entry_points(group=GROUP)}
        if where not in points:
            raise Unknown("course", where, points)
        return _load(points[where])
    module, _, attribute = where.partition(":")
    course = getattr(import_module(module), attribute)
    if not isinstance(course, Course):
        raise TypeError(f"{where} is a {type(course).__name__}; expected a Course")
    return course


def at_path(where: str) -> tuple[Path | None, str]:
    """The folder or file that is meant, if it is there, and the attribute in it."""
    before, colon, after = where.rpartition(":")
    for name, attribute in ((where, "course"), (before, after)) if colon else ((where, "course"),):
        path = Path(name)
        looks_so = "/" in name or os.sep in name or path.suffix == ".py"
        if name and path.exists() and (looks_so or (path / "__init__.py").is_file()):
            return (path.parent if path.name == "__init__.py" else path).resolve(), attribute
    return None, ""


def find_chapter(name: str, courses: Iterable[Course] | None = None) -> tuple[Course, Chapter]:
    """The chapter that `name` means in any course, with its course. Raises Unknown."""
    several = list(find_courses().values() if courses is None else courses)
    for course in several:
        for chapter in course.chapters:
            if chapter.is_called(name):
                return course, chapter
    chapters = [chapter for course in several for chapter in course.chapters]
    raise Unknown("chapter", name, {c.id for c in chapters} | {c.id.partition("_")[2] for c in chapters})


def find_exercise(name: str, courses: Iterable[Course] | None = None) -> tuple[Course, Exercise]:
    """The exercise of that name in any course, with its course. Raises Unknown."""
    return _find(list(find_courses().values() if courses is None else courses), name)


def _find(courses: list[Course], name: str) -> tuple[Course, Exercise]:
    for course in courses:
        for exercise in course.exercises:
            if exercise.name == name:
                return course, exercise
    raise Unknown("exercise", name, (e.name for course in courses for e in course.exercises))
