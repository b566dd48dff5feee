"""Judging once more what was judged before: the same text and the same seed must come to the same verdict.

    for again in repeat("course/.gradschool/results/ch01_tiny/ada.json"):
        print(again.exercise, "the same" if again.same else again.differs)

A result is an entry of the journal of a course directory, what `gradschool check --json` wrote, or one verdict as JSON.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .course import Course, load_course
from .grading import Task, judge_task
from .journal import FOLDER, Judged
from .source import exercise_hash
from .terminal import judging, open_file
from .verdict import Verdict
from .versions import Built, Versions

__all__ = ["Again", "Unrepeatable", "repeat"]


class Unrepeatable(ValueError):
    """A result that cannot be judged again: what it was made of is not there any more, or it is no result."""


@dataclass(frozen=True)
class Again:
    """A verdict and what judging comes to now. Only outcomes, points and diagnosis must agree."""

    before: Verdict
    now: Verdict

    @property
    def exercise(self) -> str:
        return self.before.exercise

    @property
    def same(self) -> bool:
        return self.before.essence == self.now.essence

    @property
    def differs(self) -> str:
        """What is not the same, and why it need not be."""
        if self.same:
            return ""
        words = f"{summary(self.before)} before, {summary(self.now)} now"
        if self.before.exercise_hash != self.now.exercise_hash:
            words += "; the exercise has changed in between"
        if self.before.source.hash != self.now.source.hash:
            words += "; the text that was judged is another"
        return words


def summary(verdict: Verdict) -> str:
    d = verdict.diagnosis
    words = dict.fromkeys(word for word in (d.kind, d.name) if word != verdict.outcome) if d else {}
    found = f" ({' '.join(words)})" if words else ""
    return f"{verdict.outcome}, {verdict.points:g} of {verdict.max_points:g}{found}"


def repeat(
    result: Path | str, courses: Iterable[Course] | None = None, *, unsafe_no_sandbox: bool | None = None
) -> list[Again]:
    """Judge again, with the seed of the result. Raises Unrepeatable, which says what is missing."""
    path = Path(result).resolve()
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if "student" in data:
            return graded(path, Judged.from_json(data), unsafe_no_sandbox)
        verdicts = [Verdict.from_json(item) for item in data.get("verdicts", [data])]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, Unrepeatable):
            raise
        raise Unrepeatable(
            f"{path.name} is no result: expected an entry of {FOLDER}/results, or what `gradschool check --json` wrote."
        ) from error
    return checked(path, data, verdicts, courses)


# ------------------------------------------------------------------------------------------------------ a graded run
def graded(path: Path, before: Judged, unsafe: bool | None) -> list[Again]:
    """One entry of a journal: the submission lies in the same course directory."""
    from .teach.assign import course_directory, settings  # needs the extra `teach`
    from .teach.exporter import read_file

    root = next((place.parent for place in path.parents if place.name == FOLDER), None)
    if root is None:
        raise Unrepeatable(f"{path} does not lie in a course directory: expected COURSE_DIR/{FOLDER}/results/...")
    config = settings(root)
    place = course_directory(root, config)
    folder = place.format_path(place.submitted_directory, before.student, before.assignment)
    file = Path(folder, f"{before.assignment}.ipynb")
    data = read_file(file)
    if hashlib.sha256(data).hexdigest() != before.digest:
        raise Unrepeatable(f"{file} is not the file that was judged: it has changed since, or is gone.")
    where = config.Judge.course
    unsafe = bool(config.Judge.get("unsafe_no_sandbox", False)) if unsafe is None else unsafe
    course = load_course(where)
    known = {exercise.name: exercise_hash(exercise) for exercise in course.chapter(before.assignment).exercises}
    versions = Versions(root)
    kept = {v.exercise: versions.text(course, v.exercise, v.exercise_hash, known.get(v.exercise))
            for v in before.verdicts}  # fmt: skip
    gone = [name for name, text in kept.items() if text is None and name not in known]
    if gone:
        raise Unrepeatable(f"The course has no exercise {', '.join(gone)} any more.")
    built = Built(tuple((name, text or "") for name, text in kept.items()) if any(kept.values()) else ())
    now = judge_task(Task(before.student, before.assignment, file.name, data, where, before.seed, unsafe, built=built))
    return list(pairs(before.verdicts, now.verdicts))


def pairs(before: Sequence[Verdict], now: Sequence[Verdict]) -> Iterator[Again]:
    by_name = {verdict.exercise: verdict for verdict in now}
    return (Again(verdict, by_name[verdict.exercise]) for verdict in before)


# ---------------------------------------------------------------------------------------------------- a check at home
def checked(
    path: Path, data: Mapping[str, Any], before: Sequence[Verdict], courses: Iterable[Course] | None
) -> list[Again]:
    """What `check` found: each verdict has the seed that it was found with."""
    if not before:
        raise Unrepeatable(f"{path.name} holds no verdict.")
    file = notebook(path, [str(data.get("path", "")), *(verdict.source.file for verdict in before)])
    submission = open_file(file, courses)
    found = []
    for verdict in before:
        exercise = submission.course.exercise(verdict.exercise)
        with judging(submission, submission.course, verdict.seed) as judge:
            found.append(Again(verdict, judge(exercise)))
    return found


def notebook(result: Path, names: Sequence[str]) -> Path:
    """The file that was judged: where it was then, or beside the result, or here."""
    for name in dict.fromkeys(filter(None, names)):
        for place in (Path(name), result.parent / Path(name).name, Path.cwd() / Path(name).name):
            if place.is_file():
                return place
    wanted = next(filter(None, names), "the file that was judged")
    raise Unrepeatable(f"{wanted} is not there: expected it where it was, beside {result.name}, or in this folder.")
