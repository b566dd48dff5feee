"""The judge in the place of nbgrader's Execute: verdicts stand where a kernel would have put outputs.

    c.Autograde.autograde_preprocessors = ["gradschool_grader.teach.judge.Judge", ..., "...saving.SaveVerdicts", ...]
    c.Judge.course = "gradschool"

What `gradschool grade` has judged already (same file, same seed, same exercises) is taken from the journal; anything
else is judged now, in the sandbox.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output
from nbgrader import utils
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Unicode

from .. import show
from ..course import Unknown, load_course
from ..grading import Task, judge_task
from ..journal import Journal, Judged
from ..release import check_release
from ..verdict import Verdict
from .exporter import course_directory_of, read_file
from .mend import harmless

__all__ = ["Judge"]

BY_HAND = "This cell is no exercise of the course: nothing ran it, and it waits for a grade by hand."


class Judge(NbGraderPreprocessor):
    """Writes each exercise's points and message into its check cell."""

    course = Unicode("", help="The course: its installed name, or module:attribute.").tag(config=True)
    unsafe_no_sandbox = Bool(False, help="Run submissions without any protection of this machine.").tag(config=True)

    mode = Unicode("", help="Run submissions in this mode of the sandbox: AB, B or C; empty for the best.").tag(
        config=True
    )

    again = Bool(True, help="Judge again what could not be judged before, by no fault of the student.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        judged = self.judged(nb, resources["nbgrader"])
        by_hand = set()
        for cell in nb.cells:
            if cell.cell_type != "code":
                continue
            cell.outputs, cell.execution_count = [], None
            if not utils.is_grade(cell) or utils.is_solution(cell):
                continue
            verdict = judged.verdict(cell.metadata.nbgrader.grade_id) if judged else None
            if verdict is None:
                by_hand.add(cell.metadata.nbgrader.grade_id)
                cell.outputs = [new_output("error", ename="NotRun", evalue=BY_HAND, traceback=[BY_HAND])]
            else:
                cell.outputs = [result(verdict, float(cell.metadata.nbgrader.points))]
        if judged and judged.problems:
            nb.cells.insert(0, problems_cell(judged))
        resources["gradschool"] = {"judged": judged, "by_hand": by_hand}
        return nb, resources

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
        check_release(course, chapter, directory.root)
        journal = Journal(directory.root)
        seed = journal.seed(named["assignment"])
        folder = directory.format_path(directory.submitted_directory, named["student"], named["assignment"])
        file = f"{named['notebook']}.ipynb"
        data = read_file(Path(folder, file))
        task = Task(named["student"], chapter.id, file, data, self.course, seed, self.unsafe_no_sandbox, self.mode)
        known = journal.read(task.assignment, task.student)
        if known and (known.complete or not self.again) and known.is_for(task.digest, seed, chapter):
            return known
        judged = judge_task(task)
        journal.write(judged)
        return judged


def result(verdict: Verdict, most: float) -> NotebookNode:
    """The output of a check cell: its bare number is what nbgrader reads, the HTML what people read."""
    data = {"text/plain": f"{min(verdict.points, most):.12g}", "text/html": show.html(verdict, graded=True)}
    return new_output("execute_result", data=data, execution_count=None)


def problems_cell(judged: Judged) -> NotebookNode:
    lines = "\n".join(f"- {harmless(problem)}" for problem in judged.problems)
    return new_markdown_cell(source=f"**About this file**\n\n{lines}", id="about-this-file")
