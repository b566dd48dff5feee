"""A class of twelve, made from the exercises themselves: what they hand in, and what grading must make of it.

    for sample in sample_class(course.chapters):
        sample.student, sample.about                  # "dana", "wrong: known mistakes"
        hand_in(sample, released, submitted)          # fills the answer cells of a released notebook
        sample.surprises(verdicts)                    # [] if every exercise came out as meant

Right answers are the reference and the variants, wrong ones are the known misconceptions: grading must name them.
"""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gradschool_grader.course import Chapter
from gradschool_grader.exercise import Exercise, Misconception
from gradschool_grader.source import standalone
from gradschool_grader.verdict import Verdict

from .apart import keep_apart

__all__ = ["Meant", "Sample", "hand_in", "sample_class"]

WRONG = ("chen", "dana", "emil", "fatou", "gita")

LOOP = """def {name}(*args, **kwargs):
    while True:  # waiting for convergence
        pass
"""
SEGFAULT = """def {name}(*args, **kwargs):
    import faulthandler
    faulthandler._sigsegv()
"""
EXIT = """def {name}(*args, **kwargs):
    import os
    os._exit(0)
"""
# Patches everything by which numbers are compared, and answers with an object that says yes to every question.
CHEAT = """import numpy as np

def yes(*args, **kwargs):
    return True

for name in ("allclose", "isclose", "array_equal", "array_equiv", "all", "isfinite"):
    setattr(np, name, yes)
for name in ("assert_allclose", "assert_array_equal", "assert_almost_equal", "assert_equal"):
    setattr(np.testing, name, yes)
check = yes

class Right(np.ndarray):
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = yes
    __sub__ = __rsub__ = __abs__ = lambda self, *other: np.float64(0)
    __hash__ = None
"""
CHEATED = """def {name}(*args, **kwargs):
    return np.zeros(()).view(Right)
"""
CHEATED_CLASS = """class {name}(Right):
    def __new__(cls, *args, **kwargs):
        return np.zeros(()).view(cls)

    def __getattr__(self, name):
        return yes
"""


# -------------------------------------------------------------------------------------------------- what must come out
@dataclass(frozen=True)
class Meant:
    """What grading must make of one answer. `points` is a share of the exercise's, None for any share but all."""

    outcome: str | None = "passed"
    points: float | None = 1.0
    misconception: str | None = None

    def surprise(self, verdict: Verdict | None) -> str | None:
        """What came out otherwise, in words."""
        if verdict is None:
            return "was not judged"
        if self.outcome and verdict.outcome != self.outcome:
            return f"came out as {verdict.outcome}, not {self.outcome}" + because(verdict)
        if self.points is None and verdict.points >= verdict.max_points:
            return "has all its points"
        if self.points is not None and verdict.points != self.points * verdict.max_points:
            return f"has {verdict.points:g} of {verdict.max_points:g} points, not {self.points * verdict.max_points:g}"
        found = verdict.diagnosis.name if verdict.diagnosis else "nothing"
        if self.misconception and found != self.misconception:
            return f"was diagnosed as {found}, not {self.misconception}"
        return None


def because(verdict: Verdict) -> str:
    return f" ({verdict.diagnosis.text})" if verdict.diagnosis else ""


@dataclass(frozen=True)
class Sample:
    """One student: the answers (other cells stay stubs), what must come of them, what else was done to a file."""

    student: str
    about: str
    answers: Mapping[str, str]
    meant: Mapping[str, Meant]
    tampering: Callable[[dict[str, Any]], None] | None = None

    def surprises(self, verdicts: Iterable[Verdict]) -> list[str]:
        found = {verdict.exercise: verdict for verdict in verdicts}
        said = {name: meant.surprise(found.get(name)) for name, meant in self.meant.items()}
        return [f"{self.student}: {name} {words}" for name, words in said.items() if words]


@dataclass
class Draft:
    """Answers as they are collected; helpers of one answer must not redefine another's names."""

    exercises: Sequence[Exercise]
    answers: dict[str, str] = field(default_factory=dict)
    meant: dict[str, Meant] = field(default_factory=dict)

    def write(self, exercise: Exercise, text: str, meant: Meant = Meant()) -> None:
        self.answers[exercise.name], self.meant[exercise.name] = text, meant

    def leave(self, exercise: Exercise, meant: Meant = Meant("missing", 0.0)) -> None:
        self.meant[exercise.name] = meant

    def sample(self, student: str, about: str, tampering: Callable[[dict[str, Any]], None] | None = None) -> Sample:
        names = {exercise.name for exercise in self.exercises}
        return Sample(student, about, keep_apart(self.answers, names), self.meant, tampering)


# ----------------------------------------------------------------------------------------------------------- the class
@functools.cache
def solved(exercise: str, reference: Any) -> str:
    """The reference's text: eight of the twelve hand it in, and reading it out of its module takes milliseconds."""
    return standalone(reference, name=exercise)


def solution(exercise: Exercise) -> str:
    return solved(exercise.name, exercise.plain)


def sample_class(chapters: Sequence[Chapter]) -> list[Sample]:
    """Twelve students, in the order of the alphabet."""
    exercises = [exercise for chapter in chapters for exercise in chapter.exercises]
    samples = [right(exercises), another_way(exercises)]
    samples += [wrong(exercises, student, number) for number, student in enumerate(WRONG)]
    return [*samples, unfinished(chapters), endless(chapters), crashing(chapters), cheating(exercises),
            duplicated(exercises)]  # fmt: skip


def right(exercises: Sequence[Exercise]) -> Sample:
    draft = Draft(exercises)
    for exercise in exercises:
        draft.write(exercise, solution(exercise))
    return draft.sample("ada", "all right")


def another_way(exercises: Sequence[Exercise]) -> Sample:
    draft = Draft(exercises)
    for exercise in exercises:
        variants = [standalone(variant.right, name=exercise.name) for variant in exercise.variants[:1]]
        draft.write(exercise, (variants or [solution(exercise)])[0])
    return draft.sample("bela", "right in another way")


def wrong(exercises: Sequence[Exercise], student: str, number: int) -> Sample:
    """Every third exercise with a known mistake, another one for each of the five students; the rest is right."""
    draft = Draft(exercises)
    for i, exercise in enumerate(exercises):
        known = [m for m in exercise.misconceptions if not getattr(m.wrong, "fresh", False)]
        if known and (i + number) % 3 == 0:
            mistake = known[number % len(known)]
            draft.write(exercise, mistaken(mistake, exercise), Meant(None, None, mistake.name))
        else:
            draft.write(exercise, solution(exercise))
    return draft.sample(student, "known mistakes")


def mistaken(mistake: Misconception, exercise: Exercise) -> str:
    return standalone(mistake.wrong, name=exercise.name)


def unfinished(chapters: Sequence[Chapter]) -> Sample:
    """The first half of each chapter is written, the rest is as it came."""
    draft = Draft([exercise for chapter in chapters for exercise in chapter.exercises])
    for chapter in chapters:
        for i, exercise in enumerate(chapter.exercises):
            if 2 * i < len(chapter.exercises):
                draft.write(exercise, solution(exercise))
            else:
                draft.leave(exercise)
    return draft.sample("hugo", "unfinished")


def endless(chapters: Sequence[Chapter]) -> Sample:
    """One function of the last chapter never ends."""
    return spoilt(chapters, "ines", "an endless loop", {-1: (LOOP, "timeout")})


def crashing(chapters: Sequence[Chapter]) -> Sample:
    """A segmentation fault in the first chapter, an exit in the last one."""
    return spoilt(chapters, "jomo", "crashes", {0: (SEGFAULT, "died"), -1: (EXIT, "died")})


def spoilt(chapters: Sequence[Chapter], student: str, about: str, how: Mapping[int, tuple[str, str]]) -> Sample:
    """Right but for the function with the fewest groups of some chapters: each group costs a deadline."""
    exercises = [exercise for chapter in chapters for exercise in chapter.exercises]
    draft = Draft(exercises)
    for exercise in exercises:
        draft.write(exercise, solution(exercise))
    for index, (text, outcome) in how.items():
        functions = [exercise for exercise in chapters[index].exercises if not exercise.is_class]
        victim = min(functions, key=lambda exercise: len(exercise.groups))
        draft.write(victim, text.format(name=victim.name), Meant(outcome, 0.0))
    return draft.sample(student, about)


def cheating(exercises: Sequence[Exercise]) -> Sample:
    """Nothing is implemented, so nothing may be earned."""
    draft = Draft(exercises)
    for exercise in exercises:
        text = CHEATED_CLASS if exercise.is_class else CHEATED
        draft.write(exercise, text.format(name=exercise.name), Meant(None, 0.0))
    return draft.sample("kofi", "cheats: patches NumPy", patch_numpy)


def duplicated(exercises: Sequence[Exercise]) -> Sample:
    """Check cells copied and pasted: right answers count once."""
    same = right(exercises)
    return Sample("lena", "check cells duplicated", same.answers, same.meant, duplicate_checks)


# ---------------------------------------------------------------------------------------------------------- the files
def hand_in(sample: Sample, released: Path, submitted: Path) -> Path:
    """Fill the answer cells of the notebook `released`, and write it to `submitted`."""
    notebook = json.loads(released.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        name = grade_id(cell).removesuffix("_answer")
        if grade_id(cell).endswith("_answer") and name in sample.answers:
            cell["source"] = sample.answers[name].rstrip("\n")
    if sample.tampering:
        sample.tampering(notebook)
    submitted.parent.mkdir(parents=True, exist_ok=True)
    submitted.write_text(json.dumps(notebook, indent=1) + "\n", encoding="utf-8")
    return submitted


def grade_id(cell: Mapping[str, Any]) -> str:
    return cell["metadata"].get("nbgrader", {}).get("grade_id", "")


def patch_numpy(notebook: dict[str, Any]) -> None:
    """A code cell of the student's own, before all others."""
    cell = {"cell_type": "code", "id": "mine", "metadata": {}, "source": CHEAT, "outputs": [], "execution_count": None}
    notebook["cells"].insert(1, cell)


def duplicate_checks(notebook: dict[str, Any]) -> None:
    """The first two checks once more, with the same ids, as some editors paste them."""
    checks = [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade")]
    for cell in checks[:2]:
        notebook["cells"].insert(notebook["cells"].index(cell) + 1, copy.deepcopy(cell))
