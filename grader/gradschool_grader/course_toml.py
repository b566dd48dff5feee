"""What a teacher sets for a course: points, dates, lateness, and how much students are told. In `course.toml`.

    feedback = "full"                        # or "outcome": passed or not, without the diagnosis

    [late]
    penalty = "zero"                         # nbgrader's "none" or "zero", or a plugin beside it: "mine.Halves"

    [assignments.ch01_tiny]
    due = 2026-12-01T18:00:00+01:00
    feedback = "outcome"
    points = { square = 6 }                  # instead of its own; its groups keep their shares

nbgrader_config.py reads it, so that nbgrader's own commands and formgrader keep to it as well.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from .course import Chapter
from .journal import Judged
from .source import exercise_hash
from .verdict import Verdict

__all__ = ["FILE", "LEVELS", "Settings", "configure", "read_settings", "rescaled", "weighed"]

FILE = "course.toml"
LEVELS = ("full", "outcome")
TEMPLATE = """\
# Settings of this course. Every line may be left out; `gradschool release` again after a change of points.

# feedback = "full"            # what students read: "full" (the diagnosis and its question) or "outcome"

# [late]
# penalty = "none"             # nbgrader's "none" or "zero" (nothing for what is late), or "module.Class" beside this

# [assignments.ch03_losses]
# due = 2026-12-01T18:00:00+01:00
# feedback = "outcome"
# points = { huber = 6 }       # instead of the exercise's own points
"""


class Malformed(ValueError):
    """course.toml says something that it cannot; the message says where and what was expected."""


@dataclass(frozen=True)
class Settings:
    """course.toml, checked. `due` in UTC; `points` by assignment and exercise."""

    feedback: Mapping[str, str] = field(default_factory=dict)  # by assignment, "" for all others
    due: Mapping[str, datetime] = field(default_factory=dict)
    points: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    penalty: str = ""


def read_settings(directory: Path | str) -> Settings:
    """The settings of a course directory; without a file, none. Raises Malformed."""
    path = Path(directory) / FILE
    if not path.is_file():
        return Settings()
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"{FILE} is no TOML: {error}") from error
    known(said, "", {"feedback", "late", "assignments"})
    late, assignments = table(said, "late"), table(said, "assignments")
    known(late, "late", {"penalty"})
    feedback, due, points = {"": level(said.get("feedback", "full"), "feedback")}, {}, {}
    for name, own in assignments.items():
        where = f"assignments.{name}"
        if not isinstance(own, dict):
            raise Malformed(f"{FILE}: {where} is {own!r}; expected a table, [{where}]")
        known(own, where, {"due", "feedback", "points"})
        if "feedback" in own:
            feedback[name] = level(own["feedback"], f"{where}.feedback")
        if "due" in own:
            due[name] = moment(own["due"], f"{where}.due")
        points[name] = {e: worth(value, f"{where}.points.{e}") for e, value in table(own, "points", where).items()}
    penalty = late.get("penalty", "")
    if not isinstance(penalty, str):
        raise Malformed(f'{FILE}: late.penalty is {penalty!r}; expected "none", "zero" or "module.Class"')
    return Settings(feedback, due, points, penalty)


def known(said: Mapping[str, Any], where: str, names: set[str]) -> None:
    for name in said:
        if name not in names:
            place = f" in [{where}]" if where else ""
            raise Malformed(f"{FILE}: there is no setting `{name}`{place}; there is {', '.join(sorted(names))}")


def table(said: Mapping[str, Any], name: str, where: str = "") -> dict[str, Any]:
    found = said.get(name, {})
    if not isinstance(found, dict):
        raise Malformed(f"{FILE}: {'.'.join(filter(None, (where, name)))} is {found!r}; expected a table")
    return found


def level(value: Any, where: str) -> str:
    if value not in LEVELS:
        raise Malformed(f"{FILE}: {where} is {value!r}; expected one of {', '.join(LEVELS)}")
    return value


def moment(value: Any, where: str) -> datetime:
    """As nbgrader keeps it: in UTC, without saying so."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise Malformed(f"{FILE}: {where} is {value}; expected date, time and zone: 2026-12-01T18:00:00+01:00")
    return value.astimezone(UTC).replace(tzinfo=None)


def worth(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise Malformed(f"{FILE}: {where} is {value!r}; expected a number of points above 0")
    return float(value)


# ---------------------------------------------------------------------------------------------------- nbgrader's part
def configure(config: Any, directory: Path | str) -> None:
    """Hand lateness and feedback to nbgrader's configuration; called by nbgrader_config.py."""
    settings = read_settings(directory)
    config.Judge.feedback = dict(settings.feedback)
    if settings.penalty in ("none", "zero"):
        config.LateSubmissionPlugin.penalty_method = settings.penalty
    elif settings.penalty:
        config.AssignLatePenalties.plugin_class = plugin(settings.penalty, Path(directory).resolve())


def plugin(name: str, directory: Path) -> type:
    """The class, of a module that is installed or lies beside course.toml. Raises Malformed."""
    if str(directory) not in sys.path:
        sys.path.append(str(directory))
    module, _, attribute = name.rpartition(".")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise Malformed(
            f'{FILE}: late.penalty is {name!r}, and {error}; expected "none", "zero" or "module.Class", of a module '
            f"that is installed or lies beside {FILE}"
        ) from error
    if not isinstance(found, type):
        raise Malformed(f"{FILE}: late.penalty is {name!r}, which is no class")
    return found


# -------------------------------------------------------------------------------------------------------- the points
def weighed(chapter: Chapter, settings: Settings) -> Chapter:
    """The chapter with the points that the course gives. What an exercise asks stays the same, and so does its hash."""
    points = settings.points.get(chapter.id, {})
    for name in points:
        chapter.exercise(name)  # Unknown suggests the nearest
    exercises = [weighed_exercise(e, points[e.name]) if e.name in points else e for e in chapter.exercises]
    return replace(chapter, exercises=exercises)


def weighed_exercise(exercise: Any, points: float) -> Any:
    share = points / exercise.points
    made = replace(exercise, groups=[replace(group, points=group.points * share) for group in exercise.groups])
    vars(made)["_hash"] = exercise_hash(exercise)
    return made


def rescaled(judged: Judged, settings: Settings) -> Judged:
    """Results in the course's points. Grading keeps them in the exercises' own, so that points can change later."""
    points = settings.points.get(judged.assignment, {})
    return replace(judged, verdicts=[scaled(v, points[v.exercise]) if v.exercise in points else v
                                     for v in judged.verdicts])  # fmt: skip


def scaled(verdict: Verdict, points: float) -> Verdict:
    share = points / (verdict.max_points or 1.0)
    return replace(verdict, groups=tuple(
        replace(g, points=g.points * share, max_points=g.max_points * share) for g in verdict.groups
    ))  # fmt: skip
