"""What waits for a grade by hand: cells that nothing can grade, and scores that a person has to look at again.

for (assignment, cell), students in waiting(folder).items(): ...
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from nbgrader import api

from .export import gradebook_of

__all__ = ["waiting"]


def waiting(folder: Path, decided: Collection[tuple[str, str]] = ()) -> dict[tuple[str, str], list[str]]:
    """Students by assignment and cell, as the gradebook has them. `decided` are said elsewhere: (assignment, cell)."""
    found: dict[tuple[str, str], list[str]] = {}
    with gradebook_of(folder) as (gradebook, _):
        grade: Any = api.Grade
        for item in gradebook.db.query(grade).filter(grade.needs_manual_grade):
            submission = item.notebook.assignment
            place = submission.assignment.name, item.name
            if place not in decided:
                found.setdefault(place, []).append(submission.student_id)
    return {place: sorted(students) for place, students in sorted(found.items())}
