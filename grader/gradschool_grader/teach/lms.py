"""The gradebook in the forms in which Canvas and Moodle take grades.

    table = canvas(grades_in(gradebook, ["ch01_tiny"]), roster)      # rows, the first the headings
    table = moodle(grades_in(gradebook, ["ch01_tiny"]))

A roster is the table that the system itself exports. With it the students are found by any of the names that it has for
them, its own columns are filled, and who is in only one of the two is said. Without it nbgrader's student ids stand
where the system has its login names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Grades", "Table", "canvas", "grades_in", "moodle"]

# What Canvas wants in every file: "How do I import grades in the Gradebook?", Canvas Instructor Guide.
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
    return "" if value is None else f"{round(value, 4):g}"


def canvas(grades: Grades, roster: Sequence[Sequence[str]] = ()) -> Table:
    """Five columns that say who, one for each assignment, and the points that there are below the headings."""
    if roster:
        table = filled(grades, roster, CANVAS, "canvas")
    else:
        table = Table([[*CANVAS, *grades.assignments]])
        table.rows += [[full_name(who, student), "", "", student, "", *scores_of(grades, student)]
                       for student, who in sorted(grades.students.items())]  # fmt: skip
    possible = [POINTS_POSSIBLE, *[""] * (len(CANVAS) - 1), *map(number, grades.assignments.values())]
    return Table([table.rows[0], possible, *table.rows[1:]], table.only_here, table.only_there)


def moodle(grades: Grades, roster: Sequence[Sequence[str]] = ()) -> Table:
    """Columns that say who, and one for each assignment; which is which is chosen when the file is uploaded."""
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
    return [number(grades.scores.get((student, name))) for name in grades.assignments]


def filled(grades: Grades, roster: Sequence[Sequence[str]], keep: Sequence[str], system: str) -> Table:
    """The roster's students with our scores. Raises ValueError for a table that says nothing by which to find them."""
    heads = [name.strip("\ufeff ") for name in roster[0]]
    known = [name for name in NAMES_OF[system] if name in heads]
    if not known:
        raise ValueError(
            f"the roster has the columns {', '.join(heads)}; expected one of {', '.join(NAMES_OF[system])}"
        )
    keep = [name.strip("\ufeff ") for name in keep]
    table = Table([[*keep, *(column_for(name, heads) for name in grades.assignments)]])
    ids = {
        name.lower(): student for student, who in grades.students.items() for name in (who["email"], student) if name
    }
    seen: set[str | None] = set()
    for row in roster[1:]:
        cells = dict(zip(heads, row, strict=False))
        if not any(cells.values()) or row[0].strip() in ("Points Possible", "Student, Test"):
            continue
        names = [cells.get(name, "").strip().lower() for name in known]
        student = next((ids[name] for name in names if name in ids), None)
        seen.add(student)
        table.only_there += [next((name for name in names if name), "?")] if student is None else []
        scores = scores_of(grades, student) if student is not None else [""] * len(grades.assignments)
        table.rows.append([*(cells.get(name, "") for name in keep), *scores])
    table.only_here = sorted({student for student, _ in grades.scores} - seen)
    return table


def column_for(assignment: str, heads: Sequence[str]) -> str:
    """The system's own heading for it: Canvas has "name (id)", Moodle "Assignment: name (Real)"."""
    for head in heads:
        if head == assignment or head.startswith((f"{assignment} (", f"Assignment: {assignment} (")):
            return head
    return assignment
