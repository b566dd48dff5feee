"""A course of one chapter with five exercises of the embedded course, and a class of any size that handed it in.

hand_in_class(folder, 200)          # into a course directory that was released
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path

from gradschool_course.apart import keep_apart
from gradschool_course.contents import course as embedded
from gradschool_course.samples import Sample, hand_in
from gradschool_grader.course import Chapter, Course
from gradschool_grader.standalone import standalone

__all__ = ["CHAPTER", "WHERE", "course", "hand_in_class"]

WHERE = str(Path(__file__).parent)
CHAPTER = "ch01_five"
NAMES = ("huber", "softmax_cross_entropy_backward", "momentum", "rmsprop", "adam")
EXERCISES = [embedded.exercise(name) for name in NAMES]

course = Course(
    name="five",
    title="Five exercises",
    chapters=[Chapter(CHAPTER, 1, "Five exercises of a course", Path(__file__).parent, EXERCISES)],
    helpers=embedded.helpers,
    public=embedded.public,
    placeholders=embedded.placeholders,
    forbidden=embedded.forbidden,
    version=embedded.version,
)


@functools.cache
def texts(number: int) -> list[str]:
    """Right answers to an exercise and then wrong ones, as students would write them down."""
    exercise = EXERCISES[number]
    right = [exercise.plain, *(variant.right for variant in exercise.variants)]
    wrong = [m.wrong for m in exercise.misconceptions if not getattr(m.wrong, "fresh", False)]
    return [standalone(function, name=exercise.name) for function in (*right, *wrong)]


def answers(number: int) -> Iterator[tuple[str, str]]:
    """Of twenty answers twelve are right in some way, six are known mistakes, and two are not written."""
    for i, exercise in enumerate(EXERCISES):
        draw = (7 * number + 3 * i + number // 20) % 20
        known, right = texts(i), 1 + len(exercise.variants)
        if draw < 12:
            yield exercise.name, known[(number + i) % right]
        elif draw < 18:
            yield exercise.name, known[right + (number + 5 * i) % (len(known) - right)]


def hand_in_class(folder: Path, size: int) -> None:
    """So many submissions to the released chapter, each with a comment of its own so that no two files are the same."""
    released = folder / "release" / CHAPTER / f"{CHAPTER}.ipynb"
    for number in range(size):
        apart = keep_apart(dict(answers(number)), NAMES)
        student = f"s{number:05}"
        written = {name: f"# {student}\n{text}" for name, text in apart.items()}
        file = folder / "submitted" / student / CHAPTER / f"{CHAPTER}.ipynb"
        hand_in(Sample(student, "", written, {}), released, file)
        assert json.loads(file.read_text(encoding="utf-8"))["cells"]
