"""Dates of course.toml in nbgrader's gradebook, by which it counts what is late.

set_dates(folder, read_settings(folder), ["ch01_tiny"])      # the assignments whose date is another now
taken_off(folder)                                            # {"ch01_tiny": {"ada": 3.0}}: points, for being late
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry, SubmittedNotebook

from ..course_toml import Settings
from .assign import alembic_on_path, course_directory, quietly, settings
from .export import gradebook_of

__all__ = ["set_dates", "taken_off"]


def set_dates(folder: Path, wanted: Settings, assignments: Iterable[str]) -> list[str]:
    """Set the dates that are given; one that is not given stays as formgrader has it."""
    names = [name for name in assignments if name in wanted.due]
    if not names:
        return []
    place, changed = course_directory(folder, settings(folder)), []
    with quietly(), alembic_on_path(), Gradebook(place.db_url, place.course_id) as opened:
        gradebook: Any = opened  # its columns have no types
        for name in names:
            try:
                assignment = gradebook.find_assignment(name)
            except MissingEntry:
                continue
            if assignment.duedate != wanted.due[name]:
                gradebook.update_or_create_assignment(name, duedate=wanted.due[name])
                changed.append(name)
    return changed


def taken_off(folder: Path) -> dict[str, dict[str, float]]:
    """Points that lateness costs, as the gradebook has them: by assignment and student, who lose something only."""
    found: dict[str, dict[str, float]] = {}
    notebooks: Any = SubmittedNotebook
    with gradebook_of(folder) as (gradebook, _):
        for notebook in gradebook.db.query(notebooks).filter(notebooks.late_submission_penalty > 0):
            students = found.setdefault(notebook.assignment.name, {})
            student = notebook.assignment.student_id
            students[student] = students.get(student, 0.0) + notebook.late_submission_penalty
    return {name: dict(sorted(students.items())) for name, students in sorted(found.items())}
