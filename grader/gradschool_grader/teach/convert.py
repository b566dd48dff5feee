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

from ..disk import is_full, naming_the_disk
from ..journal import replace_text
from .assign import alembic_on_path, course_directory, quietly
from .folder import date_as
from .pages import PageExporter

__all__ = ["NOT_REACHED", "Chosen", "Feedback", "Record", "make_feedback", "pages_config", "record", "record_config"]

NOT_REACHED = "not recorded, because nbgrader stopped before it: the same command goes on from there"


class Chosen(BaseConverter):
    """Converts the submissions of the chosen students, whatever was there before, and says how each one went."""

    def choose(self, students: Iterable[str], done: Callable[[str], None]) -> None:
        self.chosen, self.done = set(students), done
        self.failed = dict.fromkeys(self.chosen, NOT_REACHED)  # nbgrader stops where the gradebook cannot be used
        self.full: Exception | None = None  # what a full disk made of one submission: the others are not begun

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        if student_id not in self.chosen or self.full:
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

    def write_single_notebook(self, output: str, resources: Any) -> None:
        """As a whole or not at all: who is killed while writing leaves nothing that looks like a page."""
        named = resources["nbgrader"]
        folder = Path(self._format_dest(named["assignment"], named["student"]))
        if resources.get("outputs") or not isinstance(output, str):
            super().write_single_notebook(output, resources)
            return
        folder.mkdir(parents=True, exist_ok=True)
        self.writer.build_directory = str(folder)  # where nbgrader's own second step looks
        replace_text(folder / f"{resources['unique_key']}{resources['output_extension']}", output)

    def set_permissions(self, assignment_id: str, student_id: str) -> None:
        there = Path(self._format_dest(assignment_id, student_id))
        for notebook in map(Path, self.notebooks):
            date_as(there / f"{notebook.stem}{self.exporter.file_extension}", notebook)
        super().set_permissions(assignment_id, student_id)
        with self.noting(student_id):
            self.done(student_id)
        del self.failed[student_id]

    @contextlib.contextmanager
    def noting(self, student: str) -> Any:
        try:
            yield
        except Exception as error:
            self.failed[student] = f"{type(error).__name__}: {error}"
            self.full = self.full or (error if is_full(error) else None)
            raise


class Record(Chosen, Autograde):
    """nbgrader's autograde, in which the judge finds every verdict in the journal."""

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        """A page that shows an earlier grade goes first: whether a page is new is then no question of clocks."""
        wanted = super().init_destination(assignment_id, student_id)
        directory: Any = self.coursedir
        page = Path(directory.format_path(directory.feedback_directory, student_id, assignment_id))
        if wanted and page.exists():
            rmtree(str(page))
        return wanted


class Feedback(Chosen, GenerateFeedback):
    """nbgrader's pages for students."""


def record(
    folder: Path, config: Config, assignment: str, students: Iterable[str], done: Callable[[str], None]
) -> dict[str, str]:
    """Write grades and autograded notebooks as the journal has them. Returns what failed, and why."""
    return convert(Record, folder, record_config(config), assignment, students, done)


def make_feedback(
    folder: Path, config: Config, assignment: str, students: Iterable[str], done: Callable[[str], None]
) -> dict[str, str]:
    """Write feedback pages. Returns what failed, and why."""
    return convert(Feedback, folder, pages_config(config), assignment, students, done)


def record_config(config: Config) -> Config:
    """What is known to have failed by our own fault is not judged again while it is recorded."""
    made = Config({"Judge": {"again": False}})
    made.merge(config)
    return made


def pages_config(config: Config) -> Config:
    made = Config({"HTMLExporter": {"template_name": "feedback"}, "GenerateFeedback": {"exporter_class": PageExporter}})
    made.merge(config)
    return made


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
    if converter.full:
        with naming_the_disk(folder):
            raise converter.full
    return converter.failed
