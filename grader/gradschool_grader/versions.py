"""The versions of exercises that a course directory has released, kept so that a submission is graded by its own.

    versions = Versions("mycourse")
    versions.keep(chapter, course)                   # at every release, beside what was kept before
    versions.released(course, chapter)               # the chapter as it was released; raises Outdated if it is not kept
    versions.of(course, chapter, data, file)         # what a submission to it was built with
    exercise_from(text)                              # the exercise again, to judge with

What is kept is source: the reference, the probes and the known mistakes, each with everything of its own that it names,
and the exercise's words and numbers. Answers are computed from it as ever. A mistake whose source cannot stand alone
is left out: then its diagnosis has no name, and the points are the same.
"""

from __future__ import annotations

import functools
import json
import linecache
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from .cells import Unreadable, as_dict, read_cells
from .course import Chapter, Course
from .exercise import Exercise, Group, Misconception, Tolerance
from .journal import FOLDER, replace_text
from .source import exercise_hash
from .standalone import SourceError, standalone

__all__ = [
    "Built", "Outdated", "Versions", "as_released", "built_with", "exercise_from", "graded_by", "kept_text", "outdated",
]  # fmt: skip

VERSION = 1
PLAIN = ("name", "chapter", "title", "task", "example", "difficulty", "minutes", "axes", "pure", "may_alias",
         "forbidden", "allowed")  # fmt: skip
OF_GROUP = ("name", "points", "about", "forbid_warnings", "exact_dtype", "types_matter")
OF_MISTAKE = ("name", "hint", "says", "see", "published")


class Outdated(RuntimeError):
    """The installed exercises are not those that an assignment was released with, and those were not kept."""


# ------------------------------------------------------------------------------------------------------ as a text
def kept_text(exercise: Exercise, helpers: Iterable[str] = ()) -> str:
    """The exercise as JSON. `helpers` are the public functions that its probes may hand in by name.

    Raises SourceError if its reference or its probes cannot stand alone.
    """
    return json.dumps({
        "version": VERSION, "hash": exercise_hash(exercise), "helpers": sorted(helpers),
        "exercise": {name: getattr(exercise, name) for name in PLAIN},
        "reference": standalone(exercise.plain, name=exercise.name),
        "groups": [
            {**{name: getattr(group, name) for name in OF_GROUP}, "tolerance": asdict(group.tolerance),
             "probes": standalone(group.probes, name="probes")}
            for group in exercise.groups
        ],
        "mistakes": list(mistakes(exercise)),
    }, indent=1)  # fmt: skip


def tested_text(exercise: Exercise, helpers: Iterable[str]) -> str | None:
    """The text, if what is read from it is the same exercise, by a hash that is made anew."""
    try:
        text = kept_text(exercise, helpers)
        again = replace(exercise_from(text))  # without the hash that is noted in the text
        return text if exercise_hash(again) == exercise_hash(exercise) else None
    except SourceError:
        return None


def mistakes(exercise: Exercise) -> Iterator[dict[str, Any]]:
    for mistake in exercise.misconceptions:
        try:
            text = standalone(mistake.wrong, name=exercise.name)
        except SourceError:
            continue
        fresh = bool(getattr(mistake.wrong, "fresh", False))  # a function that makes a new one for each run
        yield {**{name: getattr(mistake, name) for name in OF_MISTAKE}, "fresh": fresh, "wrong": text}


@functools.lru_cache(maxsize=256)
def exercise_from(text: str) -> Exercise:
    """The exercise that was kept. The text comes from the course directory, and is trusted as its configuration is."""
    data = json.loads(text)
    if data["version"] != VERSION:
        raise ValueError(f"an exercise kept in form {data['version']}; this program reads form {VERSION}")
    plain = {**data["exercise"], "axes": {name: tuple(axes) for name, axes in data["exercise"]["axes"].items()}}
    label = f"kept_{plain['name']}_{data['hash'][:12]}"
    groups = [
        Group(**{name: group[name] for name in OF_GROUP}, tolerance=Tolerance(**group["tolerance"]),
              probes=defined(group["probes"], "probes", f"{label}_group{i}"))
        for i, group in enumerate(data["groups"])
    ]  # fmt: skip
    wrong = [
        Misconception(wrong=mistaken(item, plain["name"], f"{label}_mistake{i}"),
                      **{name: item[name] for name in OF_MISTAKE})
        for i, item in enumerate(data["mistakes"])
    ]  # fmt: skip
    reference = defined(data["reference"], plain["name"], label)
    exercise = Exercise(reference=reference, groups=groups, misconceptions=wrong, **plain)
    vars(exercise)["_hash"] = data["hash"]
    return exercise


def mistaken(item: Mapping[str, Any], name: str, label: str) -> Any:
    wrong = defined(item["wrong"], name, label)
    if item["fresh"]:
        wrong.fresh = True
    return wrong


def defined(text: str, name: str, module: str) -> Any:
    """What the text defines under that name, in a module of its own whose source `inspect` finds."""
    source, file = f"import numpy as np\n\n\n{text}", f"<{module}>"
    made = ModuleType(module)
    made.__file__ = file
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    sys.modules[module] = made  # where `inspect` looks for a class
    exec(compile(source, file, "exec"), vars(made))
    return vars(made)[name]


# --------------------------------------------------------------------------------------------- in a course directory
class Versions:
    """`.gradschool/exercises/EXERCISE/HASH.json` of a course directory; which of them were released together stands in
    `.gradschool/releases/CHAPTER.json`."""

    def __init__(self, directory: Path | str):
        self.root = Path(directory)
        self.folder = self.root / FOLDER / "exercises"
        self.read: dict[tuple[str, str], str | None] = {}  # one text for a whole class
        self.noted: dict[str, list[dict[str, str]]] = {}

    def keep(self, chapter: Chapter, course: Course) -> list[str]:
        """Keep what is not kept yet. Returns the names of exercises that cannot be, or would not ask the same again."""
        self.note_release(chapter)
        missing = []
        for exercise in chapter.exercises:
            path = self.path(exercise.name, exercise_hash(exercise))
            if path.exists():
                continue
            text = tested_text(exercise, course.helpers)
            if text is None:
                missing.append(exercise.name)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_text(path, text + "\n")
        self.read.clear()
        return missing

    def note_release(self, chapter: Chapter) -> None:
        made = {exercise.name: exercise_hash(exercise) for exercise in chapter.exercises}
        before = self.releases(chapter.id)
        if made not in before:
            path = self.place_of_releases(chapter.id)
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_text(path, json.dumps([*before, made], indent=1) + "\n")
            self.noted.clear()

    def releases(self, chapter: str) -> list[dict[str, str]]:
        """What each release of the chapter was built with; nothing where none was noted."""
        if chapter not in self.noted:
            try:
                self.noted[chapter] = json.loads(self.place_of_releases(chapter).read_text(encoding="utf-8"))
            except (OSError, ValueError):
                self.noted[chapter] = []
        return self.noted[chapter]

    def place_of_releases(self, chapter: str) -> Path:
        return self.root / FOLDER / "releases" / f"{chapter}.json"

    def retire(self, chapter: Chapter) -> None:
        """Forget all versions but those of this chapter: they were found wrong, and nothing is graded by them again."""
        for exercise in chapter.exercises:
            for path in self.path(exercise.name, "").parent.glob("*.json"):
                if path.stem != exercise_hash(exercise):
                    path.unlink()
        self.read.clear()

    def find(self, course: Course, name: Any, hash: Any) -> str | None:
        """The text of an exercise that can be judged with, or None."""
        if type(name) is not str or type(hash) is not str or not name.isidentifier():
            return None
        if not re.fullmatch("[0-9a-f]{64}", hash):  # a submission may claim anything
            return None
        if (name, hash) not in self.read:
            self.read[name, hash] = self.load(course, name, hash)
        return self.read[name, hash]

    def load(self, course: Course, name: str, hash: str) -> str | None:
        try:
            text = self.path(name, hash).read_text(encoding="utf-8")
            data = json.loads(text)
        except (OSError, ValueError):
            return None
        usable = data.get("version") == VERSION and data.get("hash") == hash
        return text if usable and set(data["helpers"]) <= set(course.helpers) else None

    def path(self, name: str, hash: str) -> Path:
        return self.folder / name / f"{hash}.json"

    def released(self, course: Course, chapter: Chapter) -> Chapter:
        """The chapter with the exercises that its assignment was released with.

        Raises Outdated if one has changed since and was not kept.
        """
        built = built_with(self.root / "source" / chapter.id / f"{chapter.id}.ipynb")
        installed = {exercise.name: exercise for exercise in chapter.exercises}
        names = [*(name for name in installed if name in built["exercises"]), *(built["exercises"].keys() - installed)]
        found: list[Exercise] = []
        changed: list[str] = []
        for name in names:
            hash, exercise = built["exercises"][name], installed.get(name)
            if exercise is not None and exercise_hash(exercise) == hash:
                found.append(exercise)
            elif text := self.find(course, name, hash):
                found.append(exercise_from(text))
            else:
                changed.append(name)
        if changed:
            raise outdated(course, chapter, built["version"], changed)
        return replace(chapter, exercises=found)

    def of(self, course: Course, chapter: Chapter, data: bytes, file: str) -> Built:
        """What a submission to the assignment, as `released` gave it, was built with.

        A notebook names the exercises of one release. What names others was changed by hand, and is graded by those of
        the assignment: nobody chooses the easiest version of each.
        """
        of_release = [exercise_hash(exercise).encode() for exercise in chapter.exercises]
        claims = {} if all(hash in data for hash in of_release) else claimed_in(data, file)  # nearly always it is that
        known = self.releases(chapter.id)
        made_up = bool(claims and known) and claims not in known
        installed = {exercise.name: exercise_hash(exercise) for exercise in course.chapter(chapter.id).exercises}
        found: list[tuple[str, str]] = []
        instead: list[tuple[str, str]] = []
        earlier: list[str] = []
        for exercise in chapter.exercises:
            hash, here = exercise_hash(exercise), installed.get(exercise.name)
            claimed = hash if made_up else claims.get(exercise.name, hash)
            text = own = self.text(course, exercise.name, hash, here) or ""
            if claimed != hash:
                theirs = self.text(course, exercise.name, claimed, here)
                if theirs is not None:
                    text = theirs
                    earlier.append(exercise.name)
            found.append((exercise.name, text))
            instead.append((exercise.name, own))
        plain = [name for name, _ in found] == list(installed) and not any(text for _, text in found)
        return Built(() if plain else tuple(found), tuple(earlier), tuple(instead) if earlier else (), made_up)

    def text(self, course: Course, name: str, hash: Any, installed: str | None) -> str | None:
        """ "" for the exercise that is installed, the text of another that was kept, else None."""
        return "" if installed is not None and hash == installed else self.find(course, name, hash)


@dataclass(frozen=True)
class Built:
    """`exercises` are the names and texts of what a submission is graded by, "" for what is installed; empty where all
    of it is. `earlier` are those of another version than the assignment's, and `instead` are all as the assignment has
    them. `made_up` says that the submission names versions which no release had together."""

    exercises: tuple[tuple[str, str], ...] = ()
    earlier: tuple[str, ...] = ()
    instead: tuple[tuple[str, str], ...] = ()
    made_up: bool = False


def claimed_in(data: bytes, file: str) -> dict[str, Any]:
    """The versions that a submission says it was built with, by exercise: anything may stand there."""
    try:
        return as_dict(as_dict(read_cells(data, file)[1].get("gradschool")).get("exercises"))
    except Unreadable:
        return {}


def built_with(source: Path) -> dict[str, Any]:
    return json.loads(source.read_text(encoding="utf-8"))["metadata"]["gradschool"]


def graded_by(course: Course, chapter: Chapter, versions: Sequence[tuple[str, str]]) -> Chapter:
    """The chapter with the exercises that a submission is graded by, as `Versions.of` found them."""
    exercises = [exercise_from(text) if text else course.exercise(name) for name, text in versions]
    return replace(chapter, exercises=exercises) if exercises else chapter


def as_released(course: Course, chapter: Chapter, directory: Path | str) -> Chapter:
    """The chapter as it was released, or as it is installed where that is not known any more."""
    try:
        return Versions(directory).released(course, chapter)
    except (Outdated, FileNotFoundError):
        return chapter


def outdated(course: Course, chapter: Chapter, version: str, changed: Iterable[str]) -> Outdated:
    return Outdated(
        f"{chapter.id} was released with version {version} of {course.name}, and {', '.join(sorted(changed))} changed "
        f"since. This is version {course.version}: install that one to grade it, or release it again."
    )
