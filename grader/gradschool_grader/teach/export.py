"""Grades as a table for other programs, with the settings of the course directory: nbgrader's own, Canvas', Moodle's.

A last column, `flags`, says what a person should look at before believing the points: routes round an exercise.

export("mycourse", "grades.csv")                       # every assignment, every student
export("mycourse", "grades.csv", ["ch01_tiny"])        # returns the path that was written
export_for("canvas", "mycourse", "grades.csv", roster="canvas.csv").only_there
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

from traitlets.config import Config

from ..journal import Journal
from .assign import alembic_on_path, course_directory, quietly, settings
from .lms import Grades, Table, canvas, grades_in, moodle

with warnings.catch_warnings():  # as in assign
    warnings.simplefilter("ignore")
    from nbgrader.api import Gradebook
    from nbgrader.plugins import CsvExportPlugin

__all__ = ["export", "export_for", "gradebook_of"]


def export(directory: Path | str, file: Path | str, assignments: Iterable[str] = ()) -> Path:
    """Write the gradebook's scores to `file`. Raises FileNotFoundError if there is no gradebook yet."""
    folder, file = Path(directory).resolve(), Path(file)
    with gradebook_of(folder) as (gradebook, config):
        file.parent.mkdir(parents=True, exist_ok=True)
        CsvExportPlugin(to=str(file), assignment=list(assignments), config=config).export(gradebook)
    add_flags(file, Journal(folder))
    return file


def export_for(
    system: str,
    directory: Path | str,
    file: Path | str,
    assignments: Iterable[str] = (),
    roster: Path | str | None = None,
) -> tuple[Table, Grades]:
    """Write the scores as "canvas" or "moodle" takes them, with the separator of the roster. Raises ValueError for a
    roster that names no students."""
    with gradebook_of(Path(directory).resolve()) as (gradebook, _):
        grades = grades_in(gradebook, assignments)
    known, separator = read_roster(Path(roster)) if roster is not None else ([], ",")
    table = {"canvas": canvas, "moodle": moodle}[system](grades, known)
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    write_table(Path(file), table.rows, separator)
    return table, grades


def read_roster(path: Path) -> tuple[list[list[str]], str]:
    """Its rows and what separates their cells: a comma, or where the decimal point is one a semicolon, or a tab."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not in UTF-8: export it again, or save it in UTF-8") from error
    heads = text.partition("\n")[0]
    separator = max(",;\t", key=heads.count)
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if row]
    if not rows:
        raise ValueError(f"{path} is empty; expected the table that Canvas or Moodle exports")
    return rows, separator


def write_table(file: Path, rows: Iterable[Iterable[str]], separator: str = ",") -> None:
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, delimiter=separator).writerows([as_text(cell) for cell in row] for row in rows)


def as_text(cell: str) -> str:
    """What a spreadsheet would compute becomes text by an apostrophe (owasp.org, "CSV Injection"); a number, and the
    dash that Moodle has for none, stay."""
    return f"'{cell}" if re.match(r"[=+\-@\t\r](?!$)", cell) and not re.fullmatch(r"[+-]?[\d.,]+", cell) else cell


@contextlib.contextmanager
def gradebook_of(folder: Path) -> Iterator[tuple[Gradebook, Config]]:
    config = settings(folder)
    place = course_directory(folder, config)
    if place.db_url == f"sqlite:///{folder / 'gradebook.db'}" and not (folder / "gradebook.db").exists():
        raise FileNotFoundError(f"{folder} has no gradebook yet: expected gradebook.db; `gradschool release` makes one")
    with quietly(), alembic_on_path(), Gradebook(place.db_url, place.course_id) as gradebook:
        yield gradebook, config


def add_flags(file: Path, journal: Journal) -> None:
    """Append the column to a table that has the columns `assignment` and `student_id`."""
    with file.open(newline="") as stream:  # nbgrader writes in the encoding of the machine
        heads, *rows = list(csv.reader(stream)) or [[]]
    assignment, student = heads.index("assignment"), heads.index("student_id")
    for row in rows:
        judged = journal.read(row[assignment], row[student])
        row.append("; ".join(flag for verdict in judged.verdicts for flag in verdict.flags) if judged else "")
    write_table(file, [[*heads, "flags"], *rows])
