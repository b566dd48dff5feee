"""Grades and diagnoses into the gradebook, one transaction a submission.

Scores are read from the check cells by nbgrader's own rule; the diagnosis becomes the comment on the cell in which the
answer stands. What the judge could not decide waits for a human instead of counting as zero.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor

from ..journal import Judged
from ..own import Scored
from ..show import HEADLINE
from ..verdict import Verdict
from .mend import harmless

__all__ = ["SaveVerdicts", "comment_on"]


class SaveVerdicts(NbGraderPreprocessor):
    """Stands in the place of nbgrader's SaveAutoGrades, which commits after every cell and knows no diagnosis."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        named = resources["nbgrader"]
        place = named["notebook"], named["assignment"], named["student"]
        with Gradebook(named["db_url"]) as gradebook:
            self.save(
                nb,
                resources["gradschool"],
                lambda grade_id: gradebook.find_grade(grade_id, *place),
                lambda grade_id: gradebook.find_comment(grade_id, *place),
            )
            gradebook.db.commit()
        return nb, resources

    def save(
        self, nb: NotebookNode, ours: dict[str, Any], grade: Callable[[str], Any], comment: Callable[[str], Any]
    ) -> None:
        """Fill in the rows that `grade` and `comment` find by grade id."""
        for cell in nb.cells:
            if utils.is_grade(cell):
                self.save_score(cell, grade(cell.metadata.nbgrader.grade_id), ours["judged"], ours["own"])
            if utils.is_solution(cell) or utils.is_task(cell):
                row = comment(cell.metadata.nbgrader.grade_id)
                row.auto_comment = self.comment(cell, ours["judged"], ours["level"])

    def save_score(self, cell: NotebookNode, grade: Any, judged: Judged | None, own: dict[str, Scored]) -> None:
        grade_id = cell.metadata.nbgrader.grade_id
        verdict = judged.verdict(grade_id) if judged else None
        if grade_id in own:
            grade.auto_score = own[grade_id].points
        elif verdict is not None and verdict.outcome == "infrastructure":
            grade.auto_score = None
        else:
            grade.auto_score = utils.determine_grade(cell, self.log)[0]
        suspicious = verdict is not None and verdict.outcome == "tampered"
        grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None or suspicious

    def comment(self, cell: NotebookNode, judged: Judged | None, level: str) -> str | None:
        grade_id = cell.metadata.nbgrader.grade_id
        verdict = judged.verdict(grade_id.removesuffix("_answer")) if judged else None
        if verdict is not None:
            return comment_on(verdict) if level == "full" else None
        untouched = cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
        return "No response." if untouched and not utils.is_task(cell) else None


def comment_on(verdict: Verdict) -> str | None:
    """The diagnosis in Markdown; nothing about an answer that is right and needs no note."""
    parts = [] if verdict.passed else [f"**{HEADLINE[verdict.outcome].capitalize()}.** {reason(verdict)}"]
    if verdict.diagnosis and verdict.diagnosis.hint:
        parts.append(f"*{verdict.diagnosis.hint}*")
    if verdict.diagnosis and verdict.diagnosis.see:
        parts.append(f"In the chapter: {verdict.diagnosis.see}.")
    return harmless("\n\n".join([*parts, *verdict.notes])) or None


def reason(verdict: Verdict) -> str:
    if verdict.diagnosis:
        return verdict.diagnosis.text
    return next((group.words for group in verdict.groups if group.outcome != "passed"), "")
