"""The judge in the place of nbgrader's Execute: verdicts stand where a kernel would have put outputs.

    c.Autograde.autograde_preprocessors = ["gradschool_grader.teach.judge.Judge", ..., "...saving.SaveVerdicts", ...]
    c.Judge.course = "gradschool"

What `gradschool grade` has judged already (same file, same seed, same exercises) is taken from the journal; anything
else is judged now, in the sandbox. A teacher's own test cells are run there too, and graded by nbgrader's rule.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Dict, Unicode

from .. import show
from ..course import Unknown, load_course
from ..grading import Task, chapter_of, judge_task, workers_of
from ..journal import Journal, Judged
from ..own import OwnPaper, OwnPapers, Scored, digest_of, run_cells
from ..verdict import Verdict
from ..versions import Versions
from .exporter import course_directory_of, read_file, source_notebook
from .mend import harmless
from .own import is_test, outputs_of, program_of, tests_in

__all__ = ["NOT_RUN", "Judge"]

NOT_RUN = "<p><em>An experiment, which grading does not run.</em></p>"


class Judge(NbGraderPreprocessor):
    """Writes each exercise's points and message into its check cell."""

    course = Unicode("", help="The course: its installed name, or module:attribute.").tag(config=True)
    unsafe_no_sandbox = Bool(False, help="Run submissions without any protection of this machine.").tag(config=True)

    mode = Unicode("", help="Run submissions in this mode of the sandbox: AB, B or C; empty for the best.").tag(
        config=True
    )

    again = Bool(True, help="Judge again what could not be judged before, by no fault of the student.").tag(config=True)

    feedback = Dict({}, help="What students read, by assignment, '' for the others: full or outcome.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        named = resources["nbgrader"]
        judged = self.judged(nb, named)
        own = self.own_tests(nb, named, {verdict.exercise for verdict in judged.verdicts} if judged else set())
        return nb, self.written(nb, resources, judged, own)

    def written(
        self, nb: NotebookNode, resources: dict[str, Any], judged: Judged | None, own: dict[str, Scored]
    ) -> dict[str, Any]:
        """Put the verdicts into the notebook. Returns the resources, which tell SaveVerdicts of them."""
        assignment = resources["nbgrader"]["assignment"]
        level = self.feedback.get(assignment, self.feedback.get("", "full"))
        for cell in nb.cells:
            if cell.cell_type == "code":
                cell.outputs = [not_run()] if "experiment" in cell.metadata.get("tags", ()) else []
                cell.execution_count = None
            if is_test(cell):
                grade_id = cell.metadata.nbgrader.grade_id
                verdict = judged.verdict(grade_id) if judged else None
                cell.outputs = outputs_of(own[grade_id]) if verdict is None else [result(verdict, cell, level)]
        if judged and judged.problems:
            nb.cells.insert(0, problems_cell(judged))
        resources["gradschool"] = {"judged": judged, "own": own, "level": level}
        return resources

    def own_tests(self, nb: NotebookNode, named: dict[str, Any], exercises: set[str]) -> dict[str, Scored]:
        """The teacher's own tests of this notebook, run in the sandbox; by grade id."""
        tests = tests_in(nb, exercises)
        directory = course_directory_of(self)
        source = source_notebook(directory, named["assignment"], named["notebook"])
        if not tests or source is None:
            return {}
        data = self.handed_in(named)
        program = program_of(data, source, {grade_id: cell.source for grade_id, cell in tests.items()})
        workers = workers_of(self.course, self.unsafe_no_sandbox, self.mode)
        cells = run_cells(program, workers)
        place = named["student"], named["assignment"], named["notebook"]
        OwnPapers(directory.root).write(OwnPaper(*place, digest_of(data, program), workers.mode, tuple(cells)))
        return {cell.grade_id: cell for cell in cells}

    def handed_in(self, named: dict[str, Any]) -> bytes:
        directory = course_directory_of(self)
        folder = directory.format_path(directory.submitted_directory, named["student"], named["assignment"])
        return read_file(Path(folder, f"{named['notebook']}.ipynb"))

    def judged(self, nb: NotebookNode, named: dict[str, Any]) -> Judged | None:
        """The verdicts on this submission; None for an assignment that is not ours."""
        if "gradschool" not in nb.metadata:
            return None
        course = load_course(self.course)
        try:
            chapter = course.chapter(nb.metadata.gradschool.chapter)
        except Unknown as error:
            raise RuntimeError(f"{named['assignment']} was made of another course. {error}") from error
        directory = course_directory_of(self)
        versions = Versions(directory.root)
        chapter = versions.released(course, chapter)
        journal = Journal(directory.root)
        seed = journal.seed(named["assignment"])
        file, data = f"{named['notebook']}.ipynb", self.handed_in(named)
        built = versions.of(course, chapter, data, file)
        sandbox = self.unsafe_no_sandbox, self.mode
        task = Task(named["student"], chapter.id, file, data, self.course, seed, *sandbox, built)
        known = journal.read(task.assignment, task.student)
        if known and (known.complete or not self.again) and known.is_for(task.digest, seed, chapter_of(course, task)):
            return known
        judged = judge_task(task)
        journal.write(judged)
        return judged


def result(verdict: Verdict, cell: NotebookNode, level: str) -> NotebookNode:
    """The output of a check cell: its bare number is what nbgrader reads, the HTML what people read.

    The cell says what the exercise is worth in this course.
    """
    most = float(cell.metadata.nbgrader.points)
    points = min(verdict.points * most / (verdict.max_points or 1.0), most)
    said = show.html(verdict, graded=True) if level == "full" else f"<p>{show.HEADLINE[verdict.outcome]}</p>"
    return new_output("execute_result", data={"text/plain": f"{points:.12g}", "text/html": said}, execution_count=None)


def not_run() -> NotebookNode:
    return new_output("display_data", data={"text/html": NOT_RUN})


def problems_cell(judged: Judged) -> NotebookNode:
    lines = "\n".join(f"- {harmless(problem)}" for problem in judged.problems)
    return new_markdown_cell(source=f"**About this file**\n\n{lines}", id="about-this-file")
