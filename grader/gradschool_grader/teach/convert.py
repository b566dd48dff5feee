"""nbgrader's converters over chosen submissions, in this process: autograde to record, feedback to show.

failed = record(folder, config, "ch01_tiny", {"ada", "bela"}, done=print)      # {student: why}
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.converters.base import BaseConverter, NbGraderException
from nbgrader.utils import rmtree
from traitlets.config import Config

from .assign import alembic_on_path, course_directory, quietly
from .pages import PageExporter

__all__ = ["make_feedback", "record"]


class Chosen(BaseConverter):
    """Converts the submissions of the chosen students, whatever was there before, and says how each one went."""

    def choose(self, students: Iterable[str], done: Callable[[str], None]) -> None:
        self.chosen, self.done, self.failed = set(students), done, {}

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        if student_id not in self.chosen:
            return False
        self.failed[student_id] = "nbgrader found no notebook in it"
        there = Path(self._format_dest(assignment_id, student_id))
        if there.exists():
            rmtree(str(there))
        return True

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        with self.noting(student_id):
            super().init_assignment(assignment_id, student_id)

    def convert_single_notebook(self, notebook_filename: str) -> None:
        student = self.init_single_notebook_resources(notebook_filename)["nbgrader"]["student"]
        with self.noting(student):
            super().convert_single_notebook(notebook_filename)

    def set_permissions(self, assignment_id: str, student_id: str) -> None:
        super().set_permissions(assignment_id, student_id)
        del self.failed[student_id]
        self.done(student_id)

    @contextlib.contextmanager
    def noting(self, student: str) -> Any:
        try:
            yield
        except Exception as error:
            self.failed[student] = f"{type(error).__name__}: {error}"
            raise


class Record(Chosen, Autograde):
    """nbgrader's autograde, in which the judge finds every verdict in the journal."""


class Feedback(Chosen, GenerateFeedback):
    """nbgrader's pages for students."""


def record(
    folder: Path, config: Config, assignment: str, students: Iterable[str], done: Callable[[str], None]
) -> dict[str, str]:
    """Write grades and autograded notebooks as the journal has them. Returns what failed, and why."""
    recording = Config({"Judge": {"again": False}})
    recording.merge(config)
    return convert(Record, folder, recording, assignment, students, done)


def make_feedback(
    folder: Path, config: Config, assignment: str, students: Iterable[str], done: Callable[[str], None]
) -> dict[str, str]:
    """Write feedback pages. Returns what failed, and why."""
    pages = Config(
        {"HTMLExporter": {"template_name": "feedback"}, "GenerateFeedback": {"exporter_class": PageExporter}}
    )
    pages.merge(config)
    return convert(Feedback, folder, pages, assignment, students, done)


def convert(
    kind: type[Chosen],
    folder: Path,
    config: Config,
    assignment: str,
    students: Iterable[str],
    done: Callable[[str], None],
) -> dict[str, str]:
    directory = course_directory(folder, config, assignment_id=assignment)
    with quietly(), alembic_on_path():
        converter = kind(coursedir=directory, config=config)
        converter.choose(students, done)
        with contextlib.suppress(NbGraderException):  # each failure was noted where it happened
            converter.start()
    return converter.failed
