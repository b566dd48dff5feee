"""Submissions to the tiny course: the released notebook with answers put in, and every way of handing in nonsense."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gradschool_grader.chapter import as_text, build_source, student_version
from gradschool_grader.source import solution, standalone

from . import course

CHAPTER = course.chapters[0]
SQUARE, MEAN = CHAPTER.exercises
NAMES = {exercise.name for exercise in CHAPTER.exercises}
RIGHT = {exercise.name: solution(exercise, NAMES - {exercise.name}) for exercise in CHAPTER.exercises}
RELEASED = json.loads(as_text(student_version(build_source(CHAPTER, course))))


def wrong(exercise, misconception: str) -> str:
    return standalone(
        next(m.wrong for m in exercise.misconceptions if m.name == misconception),
        exercise.name,
        NAMES - {exercise.name},
    )


def notebook(**answers: str) -> dict[str, Any]:
    """The released notebook with these answers in their cells."""
    made = copy.deepcopy(RELEASED)
    for cell in made["cells"]:
        name = grade_id(cell).removesuffix("_answer")
        if grade_id(cell).endswith("_answer") and name in answers:
            cell["source"] = answers[name]
    return made


def grade_id(cell: dict[str, Any]) -> str:
    return cell["metadata"].get("nbgrader", {}).get("grade_id", "")


def find(made: dict[str, Any], name: str) -> dict[str, Any]:
    return next(cell for cell in made["cells"] if grade_id(cell) == name)


def hand_in(folder: Path, student: str, content: Any, name: str = "ch01_tiny.ipynb") -> Path:
    """Put a file where nbgrader expects what was collected from a student."""
    path = folder / "submitted" / student / "ch01_tiny" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


# ------------------------------------------------------------------------------------- all kinds of odd notebooks
def changed(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """A right notebook to which something was done."""
    made = notebook(**RIGHT)
    change(made)
    return made


def without(*names: str) -> Callable[[dict[str, Any]], None]:
    def change(made: dict[str, Any]) -> None:
        made["cells"] = [cell for cell in made["cells"] if grade_id(cell) not in names]

    return change


def no_metadata(made: dict[str, Any]) -> None:
    made["metadata"] = {}
    for cell in made["cells"]:
        cell["metadata"] = {}


def duplicated(made: dict[str, Any]) -> None:
    for name in ("square", "square_answer"):
        made["cells"].append(copy.deepcopy(find(made, name)))


def reflagged(made: dict[str, Any]) -> None:
    find(made, "square")["metadata"]["nbgrader"].update(points=1000, solution=True, locked=False)
    find(made, "square_answer")["metadata"]["nbgrader"].update(grade=True, points=50)


def old_schema(made: dict[str, Any]) -> None:
    for cell in made["cells"]:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"] = {"grade": False, "grade_id": grade_id(cell), "solution": True}


def new_schema(made: dict[str, Any]) -> None:
    find(made, "square")["metadata"]["nbgrader"]["schema_version"] = 99


def broken_ids(made: dict[str, Any]) -> None:
    for cell in made["cells"]:
        cell["id"] = "not a valid id!"
    made["nbformat_minor"] = 5


def check_edited(made: dict[str, Any]) -> None:
    find(made, "square")["source"] = "7"
    find(made, "square")["outputs"] = [
        {"output_type": "execute_result", "data": {"text/plain": "3"}, "metadata": {}, "execution_count": 1}
    ]


def as_markdown(made: dict[str, Any]) -> None:
    cell = find(made, "moving_average_answer")
    cell["cell_type"] = "markdown"
    cell.pop("outputs", None), cell.pop("execution_count", None)


BOGUS_KERNEL = {"name": "ir", "language": "R", "display_name": "R"}

# name: (content, points for square, points for moving_average, words of the report)
ODD: dict[str, tuple[Any, float, float, str]] = {
    "no_json": (b"not json at all", 0, 0, "no JSON"),
    "empty": (b"", 0, 0, "is empty"),
    "no_notebook": (b'{"hello": 3}', 0, 0, "no list of cells"),
    "not_utf8": (b"\xff\xfe\x00\x01", 0, 0, "UTF-8"),
    "no_metadata": (changed(no_metadata), 3, 4, "lost its metadata"),
    "wrong_assignment": (changed(lambda n: n["metadata"].update(gradschool={"chapter": "ch99"})), 3, 4, ""),
    "bogus_kernel": (changed(lambda n: n["metadata"].update(kernelspec=BOGUS_KERNEL)), 3, 4, "kernel 'ir'"),
    "no_checks": (changed(without("square", "moving_average")), 3, 4, ""),
    "no_answer": (changed(without("square_answer")), 0, 4, "lacks the cells of square"),
    "no_cells": (changed(lambda n: n.update(cells=[])), 0, 0, "lacks the cells of square, moving_average"),
    "duplicated": (changed(duplicated), 3, 4, ""),
    "reflagged": (changed(reflagged), 3, 4, ""),
    "old_schema": (changed(old_schema), 3, 4, ""),
    "new_schema": (changed(new_schema), 3, 4, ""),
    "broken_ids": (changed(broken_ids), 3, 4, ""),
    "format_3": (changed(lambda n: n.update(nbformat=3, nbformat_minor=0)), 3, 4, ""),
    "reversed": (changed(lambda n: n["cells"].reverse()), 3, 4, ""),
    "check_edited": (changed(check_edited), 3, 4, ""),
    "as_markdown": (changed(as_markdown), 3, 0, "lacks the cells of moving_average"),
    "cells_of_nonsense": (changed(lambda n: n["cells"].extend([3, None, {}, {"cell_type": "hen"}])), 3, 4, ""),
}
