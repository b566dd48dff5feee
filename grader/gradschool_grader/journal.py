"""The journal of a course directory: the secret seed of each assignment, and the verdicts of each submission.

It lies in `.gradschool/` and is all that a killed run needs to go on: what is judged is read, what is missing is done.

    journal = Journal("course")
    journal.seed("ch01_tiny")                     # drawn once, then the same for the whole class
    journal.write(Judged("ada", "ch01_tiny", digest, seed, "AB", verdicts))
    journal.read("ch01_tiny", "ada").points
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, overload

from .course import Chapter
from .source import exercise_hash
from .verdict import Verdict

__all__ = ["FOLDER", "Journal", "Judged", "Results"]

FOLDER = ".gradschool"
VERSION = 1


@dataclass(frozen=True)
class Judged:
    """One submission, judged: from which bytes, with which seed, how it ran. `recorded` once the gradebook has it."""

    student: str
    assignment: str
    digest: str
    seed: int
    mode: str
    verdicts: Sequence[Verdict] = ()
    problems: Sequence[str] = ()
    recorded: bool = False
    worker: str = ""  # the machine of a cluster that judged it; nothing for this one

    @property
    def points(self) -> float:
        return sum(verdict.points for verdict in self.verdicts)

    @property
    def max_points(self) -> float:
        return sum(verdict.max_points for verdict in self.verdicts)

    @property
    def complete(self) -> bool:
        """Whether every exercise could be judged: the machine's failures are tried again, never counted."""
        return all(verdict.outcome != "infrastructure" for verdict in self.verdicts)

    def verdict(self, exercise: str) -> Verdict | None:
        return next((verdict for verdict in self.verdicts if verdict.exercise == exercise), None)

    def is_for(self, digest: str, seed: int, chapter: Chapter) -> bool:
        """Whether judging these bytes now would come to the same: same file, seed and exercises."""
        wanted = [(exercise.name, exercise_hash(exercise)) for exercise in chapter.exercises]
        return (self.digest, self.seed) == (digest, seed) and wanted == [
            (verdict.exercise, verdict.exercise_hash) for verdict in self.verdicts
        ]

    def to_json(self) -> dict[str, Any]:
        verdicts = [verdict.to_json() for verdict in self.verdicts]
        return {**vars(self), "version": VERSION, "verdicts": verdicts, "problems": list(self.problems)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Judged:
        if data["version"] != VERSION:
            raise ValueError(f"a result of version {data['version']}; this program reads version {VERSION}")
        fields = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        fields["verdicts"] = tuple(Verdict.from_json(verdict) for verdict in data["verdicts"])
        return cls(**{**fields, "problems": tuple(data["problems"])})


class Journal:
    """What the course directory remembers. Files are replaced as a whole, so a reader never sees half of one."""

    def __init__(self, directory: Path | str):
        self.folder = Path(directory) / FOLDER

    def seed(self, assignment: str) -> int:
        """The assignment's secret: whoever knows it knows the hidden inputs, so only the owner can read it."""
        path = self.folder / "seeds" / assignment
        with contextlib.suppress(OSError, ValueError):
            return int(path.read_text())
        self._private(path.parent)
        replace_text(path, f"{secrets.randbits(62)}\n")
        return int(path.read_text())

    def read(self, assignment: str, student: str) -> Judged | None:
        """The result, or None if there is none that can be read."""
        try:
            return Judged.from_json(json.loads(self._path(assignment, student).read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError):
            return None  # judging again costs seconds; believing half a file costs a grade

    def write(self, judged: Judged) -> None:
        path = self._path(judged.assignment, judged.student)
        self._private(path.parent)
        replace_text(path, json.dumps(judged.to_json()) + "\n")  # indented it would take ten times as long

    def mark_recorded(self, judged: Judged) -> None:
        self.write(replace(judged, recorded=True))

    def all(self, assignment: str) -> Iterator[Judged]:
        """All results of an assignment, by student."""
        for path in sorted((self.folder / "results" / assignment).glob("*.json")):
            judged = self.read(assignment, path.name.removesuffix(".json"))
            if judged is not None:
                yield judged

    def _path(self, assignment: str, student: str) -> Path:
        return self.folder / "results" / assignment / f"{student}.json"

    def _private(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        os.chmod(self.folder, 0o700)


class Results(Sequence[Judged]):
    """Results that stay in the journal: each is read when it is asked for, so that a class of any size fits.

    `places` are pairs of assignment and student, `seen` is what is made of each.
    """

    def __init__(self, journal: Journal, places: Sequence[tuple[str, str]], seen: Callable[[Judged], Judged]):
        self.journal, self.places, self.seen = journal, places, seen

    @overload
    def __getitem__(self, index: int) -> Judged: ...
    @overload
    def __getitem__(self, index: slice) -> Results: ...
    def __getitem__(self, index: int | slice) -> Judged | Results:
        if isinstance(index, slice):
            return Results(self.journal, self.places[index], self.seen)
        judged = self.journal.read(*self.places[index])
        if judged is None:
            raise LookupError("{} of {} is no longer in the journal".format(*self.places[index]))
        return self.seen(judged)

    def __len__(self) -> int:
        return len(self.places)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)


def replace_text(path: Path, text: str) -> None:
    replace_file(path, text.encode("utf-8"))


def replace_file(path: Path, data: bytes) -> None:
    """Write a file so that it is either the old one or the new one, whatever happens in between."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
