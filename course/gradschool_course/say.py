"""What the verbs of the command share: how they say things, fail in one sentence, stop, and find what was named.

    with plainly(kept="What was graded is kept; the same command goes on from there."):
        place, course, chapters = chapters_named(["losses", "10"])
        say("[b]done[/b]")
        write_json(file, {"chapters": [chapter.id for chapter in chapters]})

An expected problem is one sentence on standard error and exit code 1; only a mistake of ours shows a traceback.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from gradschool_grader.course import Chapter, Course
    from gradschool_grader.exercise import Exercise

EMBEDDED = "gradschool_course:course"  # where other processes find it, installed or not
STYLES = {"passed": "green", "missing": "bright_black", "infrastructure": "yellow", "tampered": "magenta"}
WRONG = "red"
EXTRAS = {"nbgrader": "teach", "nbconvert": "teach", "alembic": "teach", "sqlalchemy": "teach", "traitlets": "teach",
          "distributed": "cluster", "dask": "cluster"}  # fmt: skip


# ---------------------------------------------------------------------------------------------------------- speaking
def console(error: bool = False) -> Console:
    """Made anew each time, so that it writes to what standard output is now. Piped output is not folded at 80."""
    from rich.console import Console

    stream = sys.stderr if error else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else 100
    return Console(stderr=error, highlight=False, width=width, soft_wrap=False)


def say(*parts: Any, **options: Any) -> None:
    """Text with rich's markup, tables, and the like. Names from outside go through `plain` first."""
    console().print(*parts, **options)


def plain(text: object) -> str:
    """Text that holds no markup and moves no cursor, whatever it looks like: a file's name can hold anything."""
    from rich.markup import escape

    return escape("".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in str(text)))


def style(outcome: str) -> str:
    return STYLES.get(outcome, WRONG)


def say_error(text: str) -> None:
    console(error=True).print(f"[bold red]gradschool:[/] {plain(text)}")


def write_json(file: Path | None, data: Any) -> None:
    """The result for a program, if one was asked for."""
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


# ----------------------------------------------------------------------------------------------------------- failing
@contextmanager
def plainly(kept: str = "") -> Iterator[None]:
    """Expected problems in one sentence; Ctrl-C says what is kept and how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        say_error(f"Stopped. {kept}".strip())
        raise typer.Exit(130) from None
    except Exception as error:
        words = sentence(error)
        if words is None:
            raise
        say_error(words)
        raise typer.Exit(1) from error


def sentence(error: Exception) -> str | None:
    """The error as a sentence for people, or None if it is a mistake of ours."""
    if isinstance(error, ModuleNotFoundError):
        root = (error.name or "").partition(".")[0]
        if root.startswith("gradschool"):
            return None
        get = f": pip install 'gradschool[{EXTRAS[root]}]'" if root in EXTRAS else "."
        return f"This needs {error.name}, which is not installed{get}"
    if isinstance(error, OSError) and error.strerror:
        where = f": {error.filename}" if error.filename else ""
        return f"{error.strerror}{where}"
    ours = type(error).__module__.partition(".")[0] in ("gradschool_grader", "gradschool_course", "gradschool_data")
    # a bare RuntimeError is a message of nbgrader's, and an OSError without a number is one of ours
    return str(error) if ours or type(error) is RuntimeError or isinstance(error, OSError) else None


class Refused(Exception):
    """A verb that cannot do what was asked; the message says why and what to do."""


# ----------------------------------------------------------------------------------------------------------- finding
def courses() -> list[Course]:
    """The embedded course, and every other that is installed."""
    from gradschool_grader.course import find_courses

    from . import course

    return list({course.name: course, **find_courses()}.values())


def where(course: Course) -> str:
    """How other processes find this course."""
    from gradschool_grader.course import find_courses

    return course.name if course.name in find_courses() else EMBEDDED


def exercise_named(name: str) -> tuple[Course, Exercise]:
    from gradschool_grader.course import find_exercise

    return find_exercise(name, courses())


def course_at(place: str) -> Course:
    """The installed course of that name, or the one at package.module:attribute."""
    from gradschool_grader.course import load_course

    try:
        return load_course(place)
    except (ImportError, AttributeError, TypeError) as error:
        raise Refused(f"There is no course at {place}: {error}") from error


def chapters_named(names: Sequence[str], place: str = "") -> tuple[str, Course, list[Chapter]]:
    """Where other processes find the course, the course, and the chapters that `names` mean; without names, all.

    Without a place it is the course that has the first of the names, or the embedded one.
    """
    from gradschool_grader.course import find_chapter

    known = [course_at(place)] if place else courses()
    course = find_chapter(names[0], known)[0] if names else known[0]
    chapters = [course.chapter(name) for name in names]
    found = list({chapter.id: chapter for chapter in chapters}.values())
    return place or where(course), course, found or list(course.chapters)
