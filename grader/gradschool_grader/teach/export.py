"""Grades as a table for other programs, by nbgrader's own exporter and the settings of the course directory.

export("mycourse", "grades.csv")                       # every assignment, every student
export("mycourse", "grades.csv", ["ch01_tiny"])        # returns the path that was written
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path

from .assign import alembic_on_path, course_directory, quietly, settings

with warnings.catch_warnings():  # as in assign
    warnings.simplefilter("ignore")
    from nbgrader.api import Gradebook
    from nbgrader.plugins import CsvExportPlugin

__all__ = ["export"]


def export(directory: Path | str, file: Path | str, assignments: Iterable[str] = ()) -> Path:
    """Write the gradebook's scores to `file`. Raises FileNotFoundError if there is no gradebook yet."""
    folder, file = Path(directory).resolve(), Path(file)
    config = settings(folder)
    place = course_directory(folder, config)
    if place.db_url == f"sqlite:///{folder / 'gradebook.db'}" and not (folder / "gradebook.db").exists():
        raise FileNotFoundError(f"{folder} has no gradebook yet: expected gradebook.db; `gradschool release` makes one")
    file.parent.mkdir(parents=True, exist_ok=True)
    with quietly(), alembic_on_path(), Gradebook(place.db_url, place.course_id) as gradebook:
        CsvExportPlugin(to=str(file), assignment=list(assignments), config=config).export(gradebook)
    return file
