"""Help in steps: hints from concept to pseudo-code one at a time, the solution once an exercise has passed.

    step = next_hint(exercise)          # "Hint 1 of 5 (4 more) ...", one further down each time
    solved(exercise)                    # whether it ever earned all of its points in this folder
    for line in standing(course): ...   # every exercise: points so far, what it came to last, hints taken

The ladder begins with what the last check found: first the rung for that mistake, then the hints that the exercise
keeps for it, then its hints from concept to pseudo-code. What was reached and taken is remembered in the folder of the
notebooks, nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import state
from .course import Chapter, Course
from .exercise import Exercise
from .rungs import for_diagnosis
from .verdict import Verdict

__all__ = ["Line", "Step", "given", "hints_taken", "last_file", "next_hint", "remember", "solved", "standing"]


@dataclass(frozen=True, repr=False)
class Step:
    """A hint and its place on the ladder.

    `new` is false if all hints had been given before; `mistake` is true if it belongs to what the last check found.
    """

    number: int
    of: int
    text: str
    new: bool = True
    mistake: bool = False

    def __repr__(self) -> str:
        left = "the last one" if self.number == self.of else f"{self.of - self.number} more"
        about = ", for what your last check found" if self.mistake else ""
        return f"Hint {self.number} of {self.of} ({left}){about}\n{self.text}"


@dataclass(frozen=True)
class Line:
    """How one exercise stands. `outcome` is of the last check, "" before the first."""

    chapter: Chapter
    exercise: Exercise
    points: float
    outcome: str
    hints: int
    solution_seen: bool
    flags: tuple[str, ...] = ()


def for_mistake(exercise: Exercise) -> list[str]:
    """The hints for what the last check found: none after a check that passed, or before the first."""
    mistake = entry("progress", exercise.name).get("mistake")
    if not isinstance(mistake, dict):
        return []
    names = {mistake.get("kind"), mistake.get("name")}
    own = [hint.text for hint in exercise.hints if names & set(hint.when)]
    return [text for text in (for_diagnosis(exercise, mistake), *own) if text]


def ladder(exercise: Exercise) -> list[str]:
    """The hints that apply now, in order: those for a certain mistake only after that mistake was diagnosed."""
    return list(dict.fromkeys([*for_mistake(exercise), *(hint.text for hint in exercise.hints if not hint.when)]))


def given(exercise: Exercise) -> list[str]:
    """The hints that were given so far, in the order in which they were."""
    texts = entry("hints", exercise.name).get("given")
    return [text for text in texts if isinstance(text, str)] if isinstance(texts, list) else []


def hints_taken(exercise: Exercise) -> int:
    return len(given(exercise))


def next_hint(exercise: Exercise) -> Step | None:
    """The next hint, which then counts as taken; the last one again when there are no more; None if it has none."""
    before = given(exercise)
    left = [text for text in ladder(exercise) if text not in before]
    if not left and not before:
        return None
    if left:
        change("hints", exercise.name, given=[*before, left[0]])
        return Step(len(before) + 1, len(before) + len(left), left[0], mistake=left[0] in for_mistake(exercise))
    return Step(len(before), len(before), before[-1], new=False, mistake=before[-1] in for_mistake(exercise))


def solved(exercise: Exercise) -> bool:
    """Whether all points were earned once, here."""
    return earned(exercise.name) >= exercise.points


def earned(name: str) -> float:
    """The most points that a check ever gave."""
    points = entry("progress", name).get("points", 0.0)
    return float(points) if isinstance(points, int | float) else 0.0


def last_file(exercise: Exercise) -> Path | None:
    """The file of the last check, if it is still beside the memory or here."""
    name = entry("progress", exercise.name).get("file")
    places = [Path.cwd(), state.folder().parent] if isinstance(name, str) and name else []
    return next((place / str(name) for place in places if (place / str(name)).is_file()), None)


def solution_seen(exercise: Exercise) -> None:
    change("hints", exercise.name, solution=True)


def remember(verdict: Verdict) -> None:
    """What a check came to, in a notebook or a terminal: best points, outcome, mistake, and the inputs that failed."""
    name = verdict.exercise
    failed = not verdict.passed and verdict.outcome != "missing"
    state.change("failing", name, verdict.seed if failed else None)
    best = max(verdict.points, earned(name))
    outcome: dict[str, Any] = {"points": best, "max_points": verdict.max_points, "outcome": verdict.outcome}
    d = verdict.diagnosis
    mistake = {"mistake": {"kind": d.kind, "name": d.name}} if d else {}
    judged = {"file": verdict.source.file} if verdict.source.file else {}
    flags = {"flags": list(verdict.flags)} if verdict.flags else {}
    state.change("progress", name, outcome | mistake | judged | flags)


def standing(course: Course) -> Iterator[Line]:
    for chapter in course.chapters:
        for exercise in chapter.exercises:
            known = entry("progress", exercise.name)
            outcome, flags = str(known.get("outcome", "")), known.get("flags", [])
            seen = bool(entry("hints", exercise.name).get("solution"))
            said = tuple(map(str, flags)) if isinstance(flags, list) else ()
            yield Line(chapter, exercise, earned(exercise.name), outcome, hints_taken(exercise), seen, said)


def entry(topic: str, name: str) -> dict[str, Any]:
    """What is remembered of an exercise; anything else than a dict was not written by us and counts as nothing."""
    found = state.read(topic).get(name)
    return found if isinstance(found, dict) else {}


def change(topic: str, name: str, **more: Any) -> None:
    state.change(topic, name, {**entry(topic, name), **more})
