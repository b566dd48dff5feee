"""Dates of course.toml in nbgrader's gradebook, by which it counts what is late.

set_dates(folder, read_settings(folder), ["ch01_tiny"])      # the assignments whose date is another now
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry

from ..course_toml import Settings
from .assign import alembic_on_path, course_directory, quietly, settings

__all__ = ["set_dates"]


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
