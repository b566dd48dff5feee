"""A gradebook that stays open for one assignment: the rows of one submission after another, one transaction each.

    with Book(db_url, course_id, "ch01_tiny") as book, book.paper("ada", handed_in) as paper:
        paper.grades["square"].auto_score = 3.0
        paper.comments["square_answer"].auto_comment = "..."
    book.scores("ada").score

nbgrader opens the gradebook nine times for a submission and commits as often. What is the same for the whole class is
read once here; rows are looked for by the columns that have an index, so that a submission costs the same whether a
hundred were recorded before it or a hundred thousand.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nbgrader import api
from sqlalchemy import select
from sqlalchemy.orm import load_only

__all__ = ["Book", "Paper", "Scores"]

tables: Any = api  # the columns of nbgrader's tables have no types


@dataclass(frozen=True)
class Paper:
    """One submission's rows by grade id; `seconds_late` by nbgrader's own rule."""

    notebook: Any
    grades: Mapping[str, Any]
    comments: Mapping[str, Any]
    seconds_late: float


@dataclass(frozen=True)
class Scores:
    """What a feedback page shows: (score, most) and comment by grade id, and the notebook's."""

    cells: Mapping[str, tuple[float, float]]
    comments: Mapping[str, str | None]
    score: float
    max_score: float
    late_penalty: float | None


class Book:
    """The rows of an assignment with one notebook of the same name. Raises MissingEntry if it was never released."""

    def __init__(self, db_url: str, course_id: str, assignment: str):
        self.gradebook: Any = api.Gradebook(db_url, course_id)
        self.db = self.gradebook.db
        try:
            notebook: Any = self.gradebook.find_notebook(assignment, assignment)
            self.notebook_id, self.assignment_id = notebook.id, notebook.assignment_id
            self.due: datetime | None = notebook.assignment.duedate
            graded = [*notebook.grade_cells, *notebook.task_cells]
            self.graded = {cell.name: cell.id for cell in graded}
            self.most = {cell.name: cell.max_score for cell in graded}
            self.answers = {cell.name: cell.id for cell in [*notebook.solution_cells, *notebook.task_cells]}
        except BaseException:
            self.gradebook.close()
            raise
        self.forget()

    def __enter__(self) -> Book:
        return self

    def __exit__(self, *error: object) -> None:
        self.gradebook.close()

    def forget(self) -> None:
        """End what the session remembers: it must not grow with the class, nor see old rows."""
        self.db.rollback()
        self.db.expunge_all()

    @contextlib.contextmanager
    def paper(self, student: str, handed_in: datetime | None) -> Iterator[Paper]:
        """The rows of a submission, made where they are missing; all is written at the end of the block, or nothing."""
        try:
            yield self._paper(student, handed_in)
            self.db.commit()
        finally:
            self.forget()

    def _paper(self, student: str, handed_in: datetime | None) -> Paper:
        if not self.db.scalar(select(tables.Student.id).where(tables.Student.id == student)):
            self.db.add(api.Student(id=student))
        submission = self._submission(student)
        if submission is None:
            submission = tables.SubmittedAssignment(assignment_id=self.assignment_id, student_id=student)
            self.db.add(submission)
        notebook: Any = self._notebook(submission)
        if notebook is None:
            notebook = api.SubmittedNotebook(notebook_id=self.notebook_id, assignment=submission)
            self.db.add(notebook)
        if handed_in:
            submission.timestamp = handed_in
        grades = self._rows(api.Grade, notebook, self.graded)
        return Paper(notebook, grades, self._rows(api.Comment, notebook, self.answers), self._seconds_late(submission))

    def _submission(self, student: str) -> Any:
        table = tables.SubmittedAssignment
        wanted = select(table).where(table.assignment_id == self.assignment_id, table.student_id == student)
        return self.db.scalar(wanted.options(load_only(table.id, table.timestamp, table.extension)))

    def _notebook(self, submission: Any) -> Any:
        table = tables.SubmittedNotebook
        wanted = select(table).where(table.notebook_id == self.notebook_id, table.assignment_id == submission.id)
        return submission.id and self.db.scalar(wanted)

    def _rows(self, kind: Any, notebook: Any, cells: Mapping[str, str]) -> dict[str, Any]:
        there = (
            {row.cell_id: row for row in self.db.scalars(self._of(kind, kind, notebook, cells))} if notebook.id else {}
        )
        missing = [kind(cell_id=id, notebook=notebook) for id in cells.values() if id not in there]
        self.db.add_all(missing)
        there |= {row.cell_id: row for row in missing}
        return {name: there[id] for name, id in cells.items()}

    def _of(self, what: Any, table: Any, notebook: Any, cells: Mapping[str, str]) -> Any:
        """Rows of a notebook by their cells, too: the index begins with those."""
        return select(what).where(table.cell_id.in_(cells.values()), table.notebook_id == notebook.id)

    def _seconds_late(self, submission: Any) -> float:
        """Asked of a row that belongs to no database: the real one would load its whole assignment to tell."""
        return api.SubmittedAssignment(
            assignment=api.Assignment(name="", duedate=self.due),
            timestamp=submission.timestamp,
            extension=submission.extension,
        ).total_seconds_late

    def score(self, paper: Paper) -> float:
        """What the rows add up to now, by nbgrader's own rule for manual scores and extra credit."""
        self.db.flush()
        return sum(self.db.scalars(self._of(tables.Grade.score, tables.Grade, paper.notebook, self.graded)), 0.0)

    def scores(self, student: str) -> Scores:
        """What the gradebook holds of a submission that is recorded."""
        try:
            notebook = self._notebook(self._submission(student))
            scores = self._column(tables.Grade, "score", notebook, self.graded)
            return Scores(
                {name: (score, self.most[name]) for name, score in scores.items()},
                self._column(tables.Comment, "comment", notebook, self.answers),
                sum(scores.values(), 0.0),
                sum(self.most.values(), 0.0),
                notebook.late_submission_penalty,
            )
        finally:
            self.forget()

    def _column(self, table: Any, column: str, notebook: Any, cells: Mapping[str, str]) -> dict[str, Any]:
        wanted = self._of(table.cell_id, table, notebook, cells).add_columns(getattr(table, column))
        known = dict(self.db.execute(wanted).all())
        return {name: known[id] for name, id in cells.items()}
