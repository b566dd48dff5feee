"""The gradebook in the forms in which Canvas and Moodle take grades.

    table = canvas(grades_in(gradebook, ["ch01_tiny"]), roster)      # rows, the first the headings
    table = moodle(grades_in(gradebook, ["ch01_tiny"]))

A roster is the table that the system itself exports. With it the students are found by any of the names that it has for
them, its own columns are filled, and who is in only one of the two is said. Without it nbgrader's student ids stand
where the system has its login names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

__all__ = ["Grades", "Table", "canvas", "grades_in", "moodle"]

# What Canvas wants in every file: "How do I import grades in the Gradebook?", Canvas Instructor Guide; read there by
# position (lib/gradebook_importer.rb of instructure/canvas-lms).
CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
POINTS_POSSIBLE = "    Points Possible"  # with the blanks of Canvas' own export, by which it is known to be no student
# "The import file format is the same as the corresponding export format": docs.moodle.org/en/Grade_import.
MOODLE = ("First name", "Last name", "ID number", "Email address")
NAMES_OF = {"canvas": ("SIS Login ID", "SIS User ID", "ID", "Student"),
            "moodle": ("Username", "ID number", "Email address")}  # fmt: skip


@dataclass(frozen=True)
class Grades:
    """Scores as nbgrader counts them, with extra credit and after late penalties; None where nothing was handed in."""

    assignments: dict[str, float]  # and what there is to have
    students: dict[str, dict[str, str]]  # by id: first_name, last_name, email
    scores: dict[tuple[str, str], float]  # by student and assignment
    unfinished: frozenset[tuple[str, str]] = frozenset()  # what still waits for a person


@dataclass
class Table:
    """Rows as they are written, and who could not be brought together."""

    rows: list[list[str]] = field(default_factory=list)
    only_here: list[str] = field(default_factory=list)
    only_there: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)  # assignments for which the roster has no column


def grades_in(gradebook: Any, assignments: Iterable[str] = ()) -> Grades:
    """Read from nbgrader's gradebook; without names all assignments."""
    wanted = set(assignments)
    found = [a for a in gradebook.assignments if not wanted or a.name in wanted]
    students = {s.id: {name: getattr(s, name) or "" for name in ("first_name", "last_name", "email")}
                for s in gradebook.students}  # fmt: skip
    submissions = [(s.student_id, a.name, s) for a in found for s in a.submissions]
    return Grades(
        {a.name: float(a.max_score) for a in found},
        students,
        {(student, name): max(0.0, float(s.score - s.late_submission_penalty)) for student, name, s in submissions},
        frozenset((student, name) for student, name, s in submissions if s.needs_manual_grade),
    )


def number(value: float | None) -> str:
    """With four decimals at most, and never as 1e+06, which neither system reads."""
    return "" if value is None else f"{value:.4f}".rstrip("0").rstrip(".")


def canvas(grades: Grades, roster: Sequence[Sequence[str]] = ()) -> Table:
    """Five columns that say who, one for each assignment, and the points that there are below the headings. Raises
    ValueError where Canvas counts to another maximum."""
    if roster:
        check_possible(grades, roster)
        table = filled(grades, roster, CANVAS, "canvas")
    else:
        table = Table([[*CANVAS, *grades.assignments]])
        table.rows += [[full_name(who, student), "", "", student, "", *scores_of(grades, student)]
                       for student, who in sorted(grades.students.items())]  # fmt: skip
    possible = [POINTS_POSSIBLE, *[""] * (len(CANVAS) - 1), *map(number, grades.assignments.values())]
    return replace(table, rows=[table.rows[0], possible, *table.rows[1:]])


def moodle(grades: Grades, roster: Sequence[Sequence[str]] = ()) -> Table:
    """Columns that say who, and one for each assignment; which is which is chosen when the file is uploaded. A roster
    that is the grading worksheet of one assignment is filled as that."""
    if is_worksheet(roster):
        return worksheet(grades, roster)
    if roster:
        return filled(grades, roster, tuple(name for name in roster[0] if is_person(name)), "moodle")
    rows = [[*MOODLE, *grades.assignments]]
    for student, who in sorted(grades.students.items()):
        rows.append([who["first_name"], who["last_name"], student, who["email"], *scores_of(grades, student)])
    return Table(rows)


def is_person(heading: str) -> bool:
    known = {*MOODLE, "Surname", "Username", "Institution", "Department", "Identifier", "Full name"}
    return heading.strip("\ufeff ") in known


def full_name(who: dict[str, str], student: str) -> str:
    return ", ".join(part for part in (who["last_name"], who["first_name"]) if part) or student


def scores_of(grades: Grades, student: str) -> list[str]:
    return [score_of(grades, student, name) for name in grades.assignments]


def score_of(grades: Grades, student: str | None, assignment: str) -> str:
    return "" if student is None else number(grades.scores.get((student, assignment)))


def filled(grades: Grades, roster: Sequence[Sequence[str]], keep: Sequence[str], system: str) -> Table:
    """The roster's students with our scores; where we have none stays what the system has.

    Raises ValueError for a table that says nothing by which to find them.
    """
    heads = headings(roster)
    keep = [name.strip("\ufeff ") for name in keep]
    columns = {name: column_for(name, heads) for name in grades.assignments}
    table = Table([[*keep, *columns.values()]], new=[name for name, head in columns.items() if head not in heads])
    for cells, student in matched(grades, roster, system, table):
        scores = [score_of(grades, student, name) or cells.get(head, "") for name, head in columns.items()]
        table.rows.append([*(cells.get(name, "") for name in keep), *scores])
    return table


def worksheet(grades: Grades, roster: Sequence[Sequence[str]]) -> Table:
    """Moodle's worksheet of one assignment with its grades filled in. Raises ValueError for several assignments, and
    where Moodle counts to another maximum."""
    heads = headings(roster)
    if len(grades.assignments) != 1:
        raise ValueError(
            f"a grading worksheet is that of one assignment; got {', '.join(grades.assignments) or 'none'}: name one"
        )
    ((name, most),) = grades.assignments.items()
    table = Table([heads])
    for cells, student in matched(grades, roster, "moodle", table):
        theirs = next((value for head, value in cells.items() if head.lower() == "maximum grade"), "").strip()
        check_most("Moodle", name, most, theirs)
        score = score_of(grades, student, name)
        table.rows.append([score if score and head == "Grade" else cells.get(head, "") for head in heads])
    return table


def check_possible(grades: Grades, roster: Sequence[Sequence[str]]) -> None:
    """Raises ValueError where one of Canvas' own columns has other points possible."""
    heads = headings(roster)
    for row in roster[1:]:
        if row and row[0].strip() == POINTS_POSSIBLE.strip():
            possible = dict(zip(heads, row, strict=False))
            for name, most in grades.assignments.items():
                check_most("Canvas", name, most, possible.get(column_for(name, heads), "").strip())


def check_most(system: str, name: str, most: float, theirs: str) -> None:
    """Raises ValueError for another maximum there; what is no number says nothing."""
    if re.fullmatch(r"\d+([.,]\d*)?", theirs) and number(most) != number(float(theirs.replace(",", "."))):
        raise ValueError(
            f"{system} counts {name} to {theirs} points, and it has {number(most)} here: set it there first"
        )


def is_worksheet(roster: Sequence[Sequence[str]]) -> bool:
    """By the three columns that Moodle's importer insists on (mod/assign/feedback/offline/importgradeslib.php)."""
    return bool(roster) and {"Identifier", "Grade", "Last modified (grade)"} <= set(headings(roster))


def headings(roster: Sequence[Sequence[str]]) -> list[str]:
    return [name.strip("\ufeff ") for name in roster[0]]


def students_in(roster: Sequence[Sequence[str]], heads: Sequence[str]) -> Iterator[dict[str, str]]:
    """The rows that are students, as the importers tell them: not the points, not Canvas' test student, nor its line
    that says which assignments are muted or posted by hand."""
    for row in roster[1:]:
        said = [cell.strip() for cell in row if cell.strip()]
        first = row[0].strip() if row else ""
        if all(re.fullmatch(r"Muted|Manual Posting.*", cell, re.IGNORECASE) for cell in said):
            continue
        if "Points Possible" not in first and first != "Student, Test":
            yield dict(zip(heads, row, strict=False))


def matched(
    grades: Grades, roster: Sequence[Sequence[str]], system: str, table: Table
) -> Iterator[tuple[dict[str, str], str | None]]:
    """The rows of the roster, each with its student. In the end the table has those who are in only one of the two."""
    heads = headings(roster)
    known = [name for name in NAMES_OF[system] if name in heads]
    if not known:
        raise ValueError(
            f"the roster has the columns {', '.join(heads)}; expected one of {', '.join(NAMES_OF[system])}"
        )
    ids = {
        name.lower(): student for student, who in grades.students.items() for name in (who["email"], student) if name
    }
    missing = {student for student, _ in grades.scores}
    for cells in students_in(roster, heads):
        names = [cells.get(name, "").strip().lower() for name in known]
        student = next((ids[name] for name in names if name in ids), None)
        if student is None:
            table.only_there.append(next((name for name in names if name), "?"))
        missing.discard(student or "")
        yield cells, student
    table.only_here = sorted(missing)


def column_for(assignment: str, heads: Sequence[str]) -> str:
    """The system's own heading for it: Canvas has "name (id)", Moodle "Assignment: name (Real)"."""
    for head in heads:
        if head == assignment or head.startswith((f"{assignment} (", f"Assignment: {assignment} (")):
            return head
    return assignment
