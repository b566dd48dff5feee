"""nbgrader's converters without what they do again for every submission of a class.

    if is_plain(config, source, exercises):
        converter = QuickRecord(book, source, coursedir=directory, config=config)
        converter.check()                                       # what was released, once
        converter.judged, converter.data = judged, data         # and then as any of nbgrader's converters

nbgrader checks what it released, opens the gradebook and reads notebooks again in every step of every submission. A
mended submission has its flags from the source notebook, so one check of what was released stands for all. Files and
rows come out the same to the byte. Where the configuration sets more than is known here to be harmless, or a chapter
holds tests of the teacher's own, nbgrader's converters do it as ever.
"""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.converters.base import BaseConverter
from nbgrader.preprocessors import AssignLatePenalties, LimitOutput
from traitlets.config import Config

from ..chapter import student_version
from ..journal import Judged
from .book import Book, Paper
from .convert import Feedback, Record
from .exporter import disarm_copies
from .judge import Judge
from .mend import mended
from .own import tests_in
from .saving import SaveVerdicts

__all__ = ["QuickFeedback", "QuickRecord", "is_plain"]

OURS = {
    "exporter_class": "gradschool_grader.teach.exporter.MendingExporter",
    "autograde_preprocessors": [
        "gradschool_grader.teach.judge.Judge",
        "nbgrader.preprocessors.LimitOutput",
        "gradschool_grader.teach.saving.SaveVerdicts",
        "nbgrader.preprocessors.AssignLatePenalties",
        "nbgrader.preprocessors.CheckCellMetadata",
    ],
}
PAGES = {"exporter_class": "gradschool_grader.teach.pages.PageExporter"}
KEPT_TO = {"pre_convert_hook", "post_convert_hook", "permissions"}  # settings of the converter that hold here, too
SECTIONS = {"Autograde", "Judge", "LimitOutput", "AssignLatePenalties", "LateSubmissionPlugin", "CourseDirectory",
            "HTMLExporter", "GenerateFeedback", "GenerateAssignment", "ClearSolutions", "Exchange"}  # fmt: skip


def is_plain(config: Config, source: NotebookNode, exercises: set[str]) -> bool:
    """Whether nbgrader is set up as `gradschool release` does it, and the notebook has no tests but the exercises'."""
    sections = {name for name, settings in config.items() if settings}
    converter = {name: value for name, value in config.Autograde.items() if name not in KEPT_TO}
    pages = config.get("GenerateFeedback") or PAGES  # nothing in directories that were released earlier
    return sections <= SECTIONS and converter == OURS and pages == PAGES and not tests_in(source, exercises)


class QuickRecord(Record):
    """Records a chapter's submissions; the released notebook is checked once, when this is made."""

    judged: Judged
    data: bytes
    made: NotebookNode

    def __init__(self, book: Book, source: NotebookNode, **kw: Any):
        super().__init__(**kw)
        self.directory: Any = self.coursedir
        self.book, self.released = book, student_version(source)
        self.judge, self.limit = Judge(parent=self), LimitOutput(parent=self)
        self.saver, self.late = SaveVerdicts(parent=self), AssignLatePenalties(parent=self)
        self.late.init_plugin()

    def check(self) -> None:
        """nbgrader's own checks of a notebook, on the one that all submissions have their flags from."""
        notebook, assignment = self.released, self.directory.assignment_id
        named = {"notebook": assignment, "assignment": assignment, "student": "", "db_url": self.directory.db_url}
        for preprocessor in self.sanitize_preprocessors:
            notebook, _ = preprocessor(parent=self)(nbformat.from_dict(notebook), {"nbgrader": named})
        nbformat.validate(notebook)

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        with self.noting(student_id):
            BaseConverter.init_assignment(self, assignment_id, student_id)
            there = Path(self._format_dest(assignment_id, student_id))
            source = self.directory.format_path(self.directory.source_directory, ".", assignment_id)
            for file in utils.find_all_files(source, [*self.directory.ignore, "*.ipynb"]):
                copy = there / Path(file).relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.unlink(missing_ok=True)
                shutil.copy(file, copy)
            disarm_copies(self.directory, assignment_id, student_id)

    def convert_single_notebook(self, notebook_filename: str) -> None:
        resources = self.init_single_notebook_resources(notebook_filename)
        resources["output_extension"] = ".ipynb"
        student = resources["nbgrader"]["student"]
        with self.noting(student):
            made = mended(self.data, self.released)
            for i, cell in enumerate(made.cells):
                cell["id"] = f"cell-{i}"
            resources = self.judge.written(made, resources, self.judged, {})
            self.made, resources = self.limit(made, resources)
            nbformat.validate(self.made, relax_add_props=True)
            with self.book.paper(student, self.handed_in(student)) as paper:
                self.saver.save(
                    self.made, resources["gradschool"], paper.grades.__getitem__, paper.comments.__getitem__
                )
                if self.late.enabled:
                    paper.notebook.late_submission_penalty = self.penalty(student, paper)
            text = nbformat.versions[4].writes_json(self.made)
            self.write_single_notebook(text if text.endswith("\n") else text + "\n", resources)

    def handed_in(self, student: str) -> datetime | None:
        return self.directory.get_existing_timestamp(self._format_source(self.directory.assignment_id, student))

    def penalty(self, student: str, paper: Paper) -> float | None:
        if paper.seconds_late <= 0:
            return None
        score = self.book.score(paper)
        asked: Any = self.late.plugin_inst
        penalty = asked.late_submission_penalty(student, score, paper.seconds_late)
        row: Any = SimpleNamespace(score=score)
        return None if penalty is None else self.late._check_late_penalty(row, penalty)


class QuickFeedback(Feedback):
    """Writes a chapter's pages from the notebooks as they were recorded; `made` is the one that was recorded last."""

    made: NotebookNode | None = None

    def __init__(self, book: Book, **kw: Any):
        super().__init__(**kw)
        self.book, self.style = book, dict[str, Any]()

    def convert_single_notebook(self, notebook_filename: str) -> None:
        resources = self.init_single_notebook_resources(notebook_filename)
        named, path = resources["nbgrader"], Path(notebook_filename)
        with self.noting(named["student"]):
            resources["metadata"] = {"name": path.stem, "path": str(path.parent)}
            notebook = self.made or nbformat.read(path, as_version=4)
            self.show_scores(notebook, named)
            resources["inlining"] = self.inlined(notebook)
            page, resources = self.exporter.from_notebook_node(notebook, resources=resources)
            self.write_single_notebook(str(page), resources)

    def show_scores(self, notebook: NotebookNode, named: dict[str, Any]) -> None:
        """As nbgrader's GetGrades, which asks the gradebook cell by cell."""
        found = self.book.scores(named["student"])
        for cell in notebook.cells:
            flags = cell.metadata.get("nbgrader", {})
            if utils.is_solution(cell) or utils.is_task(cell):
                flags["comment"] = found.comments[flags["grade_id"]]
            if utils.is_grade(cell) or utils.is_task(cell):
                flags["score"], flags["points"] = found.cells[flags["grade_id"]]
        penalty = found.late_penalty or 0
        named |= {"score": found.score - penalty, "max_score": found.max_score, "late_penalty": penalty}

    def inlined(self, notebook: NotebookNode) -> dict[str, Any]:
        """The style sheet of all pages."""
        if not self.style:
            header = CSSHTMLHeaderPreprocessor(parent=self.exporter)
            resources = self.exporter._init_resources(None)
            self.style = dict(header.preprocess(notebook, resources)[1]["inlining"])
        return self.style
