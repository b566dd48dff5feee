"""Help in steps: hints from concept to pseudo-code one at a time, the solution once an exercise has passed.

    step = next_hint(exercise)          # Step(number=1, of=4, text="..."), one further down each time
    solved(exercise)                    # whether it ever earned all of its points in this folder
    for line in standing(course): ...   # every exercise: points so far, what it came to last, hints taken

What was reached and taken is remembered in the folder of the notebooks, nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from . import state
from .course import Chapter, Course
from .exercise import Exercise, Hint
from .verdict import Verdict

__all__ = ["Line", "Step", "hints_taken", "next_hint", "remember", "solved", "standing"]


@dataclass(frozen=True)
class Step:
    """A hint and its place on the ladder. `new` is false if all hints had been given before."""

    number: int
    of: int
    text: str
    new: bool = True


@dataclass(frozen=True)
class Line:
    """How one exercise stands. `outcome` is of the last check, "" before the first."""

    chapter: Chapter
    exercise: Exercise
    points: float
    outcome: str
    hints: int
    solution_seen: bool


def ladder(exercise: Exercise) -> list[Hint]:
    """The hints that apply: those for a certain mistake only after that mistake was diagnosed."""
    mistake = entry("progress", exercise.name).get("diagnosis")
    return [hint for hint in exercise.hints if not hint.when or mistake in hint.when]


def hints_taken(exercise: Exercise) -> int:
    taken = entry("hints", exercise.name).get("taken", 0)
    return taken if isinstance(taken, int) else 0


def next_hint(exercise: Exercise) -> Step | None:
    """The next hint, which then counts as taken; the last one again when there are no more; None if it has none."""
    hints, taken = ladder(exercise), hints_taken(exercise)
    if not hints:
        return None
    number = min(taken + 1, len(hints))
    if number > taken:
        change("hints", exercise.name, taken=number)
    return Step(number, len(hints), hints[number - 1].text, new=number > taken)


def solved(exercise: Exercise) -> bool:
    """Whether all points were earned once, here."""
    return earned(exercise.name) >= exercise.points


def earned(name: str) -> float:
    """The most points that a check ever gave."""
    points = entry("progress", name).get("points", 0.0)
    return float(points) if isinstance(points, int | float) else 0.0


def solution_seen(exercise: Exercise) -> None:
    change("hints", exercise.name, solution=True)


def remember(verdict: Verdict) -> None:
    """What a check came to, in a notebook or a terminal: best points, outcome, mistake, and the inputs that failed."""
    name = verdict.exercise
    failed = not verdict.passed and verdict.outcome != "missing"
    state.change("failing", name, verdict.seed if failed else None)
    best = max(verdict.points, earned(name))
    outcome: dict[str, Any] = {"points": best, "max_points": verdict.max_points, "outcome": verdict.outcome}
    mistake = {"diagnosis": verdict.diagnosis.name} if verdict.diagnosis else {}
    state.change("progress", name, outcome | mistake)


def standing(course: Course) -> Iterator[Line]:
    for chapter in course.chapters:
        for exercise in chapter.exercises:
            outcome = str(entry("progress", exercise.name).get("outcome", ""))
            seen = bool(entry("hints", exercise.name).get("solution"))
            yield Line(chapter, exercise, earned(exercise.name), outcome, hints_taken(exercise), seen)


def entry(topic: str, name: str) -> dict[str, Any]:
    """What is remembered of an exercise; anything else than a dict was not written by us and counts as nothing."""
    found = state.read(topic).get(name)
    return found if isinstance(found, dict) else {}


def change(topic: str, name: str, **more: Any) -> None:
    state.change(topic, name, {**entry(topic, name), **more})
