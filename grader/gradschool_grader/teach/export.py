"""Grades as a table for other programs, by nbgrader's own exporter and the settings of the course directory.

A last column, `flags`, says what a person should look at before believing the points: routes round an exercise.

export("mycourse", "grades.csv")                       # every assignment, every student
export("mycourse", "grades.csv", ["ch01_tiny"])        # returns the path that was written
"""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterable
from pathlib import Path

from ..journal import Journal
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
    add_flags(file, Journal(folder))
    return file


def add_flags(file: Path, journal: Journal) -> None:
    """Append the column to a table that has the columns `assignment` and `student_id`."""
    with file.open(newline="") as stream:  # nbgrader writes in the encoding of the machine
        heads, *rows = list(csv.reader(stream)) or [[]]
    assignment, student = heads.index("assignment"), heads.index("student_id")
    for row in rows:
        judged = journal.read(row[assignment], row[student])
        row.append(" ".join(flag for verdict in judged.verdicts for flag in verdict.flags) if judged else "")
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([[*heads, "flags"], *rows])
