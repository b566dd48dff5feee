"""Recording a chapter's submissions one by one, as they are judged: gradebook, autograded notebook, feedback page.

    with Recorder(folder, config, chapter) as recorder:
        recorder.record(judged, data, done=print)      # "" if it is in the gradebook now, else why not
        recorder.page("ada", done=print)               # the same for its page

Where nbgrader cannot go on, because the gradebook cannot be used, nothing more is tried, and everybody who comes after
is told so.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.writers.files import FilesWriter
from nbgrader.api import MissingEntry
from nbgrader.converters.base import NbGraderException
from sqlalchemy.exc import OperationalError
from traitlets.config import Config

from ..course import Chapter
from ..disk import naming_the_disk
from ..journal import Judged
from .assign import alembic_on_path, course_directory, quietly
from .book import Book
from .convert import NOT_REACHED, Chosen, Feedback, Record, pages_config, record_config
from .quick import QuickFeedback, QuickRecord, is_plain

__all__ = ["Recorder"]

Done = Callable[[str], None]


class Recorder:
    """Open for one chapter of a course directory. Files are the chapter's own in `submitted/STUDENT/CHAPTER/`."""

    def __init__(self, folder: Path, config: Config, chapter: Chapter):
        self.folder, self.config, self.chapter = folder, config, chapter
        self.stopped = False
        self.opened = contextlib.ExitStack()

    def __enter__(self) -> Recorder:
        directory = course_directory(self.folder, self.config, assignment_id=self.chapter.id)
        grading: dict[str, Any] = {"coursedir": directory, "config": record_config(self.config)}
        showing: dict[str, Any] = {"coursedir": directory, "config": pages_config(self.config)}
        source = nbformat.read(
            Path(directory.format_path(directory.source_directory, ".", self.chapter.id), f"{self.chapter.id}.ipynb"), 4
        )
        self.grading: Record = Record(**grading)
        self.showing: Feedback = Feedback(**showing)
        # a gradebook that cannot be opened now is nbgrader's to complain of, where a submission needs it
        with quietly(), alembic_on_path(), contextlib.suppress(MissingEntry, OperationalError, NbGraderException):
            if is_plain(self.config, source, {exercise.name for exercise in self.chapter.exercises}):
                book = self.opened.enter_context(Book(directory.db_url, directory.course_id, self.chapter.id))
                quick = QuickRecord(book, source, **grading)
                quick.check()
                self.grading, self.showing = quick, QuickFeedback(book, **showing)
        for converter in (self.grading, self.showing):
            converter.writer = FilesWriter(parent=converter, config=converter.config)
            converter.exporter = converter.exporter_class(parent=converter, config=converter.config)
        if type(self.showing) is Feedback:
            for preprocessor in self.showing.preprocessors:
                self.showing.exporter.register_preprocessor(preprocessor)
        return self

    def __exit__(self, *error: object) -> None:
        self.opened.close()

    def record(self, judged: Judged, data: bytes, done: Done) -> str:
        """Write the grade and the autograded notebook of a submission, whose bytes are `data`."""
        grading, showing = self.grading, self.showing
        if not isinstance(grading, QuickRecord) or not isinstance(showing, QuickFeedback):
            return self.convert(grading, judged.student, done)
        grading.judged, grading.data, showing.made = judged, data, None
        why = self.convert(grading, judged.student, done)
        if not why:
            showing.made = grading.made
        return why

    def page(self, student: str, done: Done) -> str:
        """Write the feedback page of a submission that is recorded."""
        why = self.convert(self.showing, student, done)
        if isinstance(self.showing, QuickFeedback):
            self.showing.made = None
        return why

    def convert(self, converter: Chosen, student: str, done: Done) -> str:
        """nbgrader's loop over submissions, for one. Returns why it failed."""
        if self.stopped:
            return NOT_REACHED
        converter.choose({student}, done)
        place = converter._format_source(self.chapter.id, student)
        converter.assignments = {place: [os.path.join(place, f"{self.chapter.id}.ipynb")]}
        try:
            with quietly(), contextlib.chdir(self.folder):
                converter.convert_notebooks()
        except NbGraderException as error:  # what failed was noted where it happened
            self.stopped = error.__context__ is not None  # raised in the middle of the loop and not at its end
        if converter.full:
            with naming_the_disk(self.folder):
                raise converter.full
        return converter.failed.get(student, "")
