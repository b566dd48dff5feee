"""A student's workspace: a folder with the released notebooks, made without nbgrader and safe to make again.

    for laid in lay_out(course, "notebooks"):
        print(laid.file, laid.what)      # new, same, updated, kept

A notebook that was changed is never written over; one that was left as it came is replaced by its newer version.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .chapter import as_text, build_source, student_version
from .course import Chapter, Course
from .state import FOLDER

__all__ = ["Laid", "StartError", "lay_out"]

What = Literal["new", "same", "updated", "kept"]
RECORD = "started.json"  # hashes of the notebooks as they were laid out: tells an untouched one from a student's work


class StartError(OSError):
    """A folder in which no workspace can be made; the message says what to do instead."""


@dataclass(frozen=True)
class Laid:
    """What became of one file. `newer` is true where a kept file belongs to an older version of its chapter."""

    file: Path
    what: What
    newer: bool = False


def lay_out(course: Course, directory: Path | str, chapters: Sequence[Chapter] | None = None) -> list[Laid]:
    """Put the notebooks of `chapters` (all, unless given) and a README into `directory`, which is made if needed."""
    place = Path(directory)
    try:
        (place / FOLDER).mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise StartError(f"{place} is a file, or below one; name a folder that is new or yours to fill.") from error
    record = read_record(place)
    laid = []
    for chapter in course.chapters if chapters is None else chapters:
        text = as_text(student_version(build_source(chapter, course)))
        laid.append(lay(place / f"{chapter.id}.ipynb", text, record))
    laid.append(lay(place / "README.md", readme(course), record))
    write(place / FOLDER / RECORD, json.dumps(record, indent=1, sort_keys=True))
    return laid


def lay(file: Path, text: str, record: dict[str, str]) -> Laid:
    """Write `text` unless the file there holds somebody's work. `record` learns what was written."""
    came, new = record.get(file.name), fingerprint(text)
    there = fingerprint(read(file)) if file.exists() else None
    if there is not None and there not in (came, new):
        return Laid(file, "kept", newer=came is not None and came != new)
    record[file.name] = new
    if there == new:
        return Laid(file, "same")
    write(file, text)
    return Laid(file, "new" if there is None else "updated")


def fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def read(file: Path) -> str:
    """Any bytes at all: what is no text is somebody's, too."""
    return file.read_text(encoding="utf-8", errors="replace")


def write(file: Path, text: str) -> None:
    """Beside and moved into place: an interruption leaves either the old file or the new one."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8", newline="\n")
    os.replace(beside, file)


def read_record(place: Path) -> dict[str, str]:
    try:
        record = json.loads((place / FOLDER / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # lost: then every file counts as somebody's work
    return record if isinstance(record, dict) else {}


def readme(course: Course) -> str:
    rows = "\n".join(f"- `{c.id}.ipynb`: chapter {c.number}, {c.title}" for c in course.chapters)
    return f"""# {course.title}

{rows}

Open them with

    jupyter lab

in this folder. Read, predict, write the missing functions, and run the `check` below each one: it says at once whether
your function is right and, if not, which mistake it is. `check("...").hint()` goes one step further each time; once it
passes, `check("...").solution()` lays the solution beside yours.

The same from a terminal, for a saved notebook (it survives endless loops and crashes):

    gradschool check {course.chapters[0].id if course.chapters else "chapter"}.ipynb
    gradschool hint EXERCISE
    gradschool solution EXERCISE
    gradschool progress

`{FOLDER}/` holds your predictions, your progress and the inputs that failed last; nothing in it is secret.
"""
