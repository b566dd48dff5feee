"""The teacher's own tests in a submission: which cells run, in which order, and what their outputs look like.

    program = program_of(data, source, {"correct_squares": "assert squares(2) == [1, 4]"})
    scored = run_cells(program, workers)
    cell.outputs = outputs_of(scored[0])

Text comes from the submission itself, tests and locked cells from the teacher's notebook, hidden tests included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from html import escape

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader import utils

from ..cells import Cell, Unreadable, read_cells
from ..own import NOT_CHEAT_PROOF, Part, Scored
from .mend import mend

__all__ = ["is_test", "outputs_of", "program_of", "tests_in"]


def is_test(cell: NotebookNode) -> bool:
    """Whether a cell is graded by running it."""
    return cell.cell_type == "code" and utils.is_grade(cell) and not utils.is_solution(cell)


def tests_in(notebook: NotebookNode, exercises: set[str]) -> dict[str, NotebookNode]:
    """The teacher's own tests by grade id: all that are graded by running and are no exercise's."""
    tests = {cell.metadata.nbgrader.grade_id: cell for cell in notebook.cells if is_test(cell)}
    return {grade_id: cell for grade_id, cell in tests.items() if grade_id not in exercises}


def program_of(data: bytes, source: NotebookNode, tests: Mapping[str, str]) -> list[Part]:
    """What runs, in the order of the submission. Of duplicates the last counts; what was deleted is put back."""
    try:
        handed_in = read_cells(data, "submission.ipynb")[0]
    except Unreadable:
        handed_in = []
    originals = {f"cell-{i}": cell for i, cell in enumerate(handed_in)}  # mend numbers cells so
    program = []
    for number, cell in enumerate((c for c in mend(data, source).cells if c.cell_type == "code"), start=1):
        named = cell.metadata.get("nbgrader", {})
        grade_id = named.get("grade_id", "")
        if grade_id in tests:
            code = Cell(number, "code", tests[grade_id]).code
            program.append(Part(number, code, grade_id, float(named["points"])))
            continue
        own = originals.get(cell.id)
        if own is None or (named and utils.is_locked(cell)):
            own = Cell(number, "code", cell.source)
        if "experiment" not in own.tags:
            program.append(Part(number, replace(own, number=number).code))
    return program


def outputs_of(scored: Scored) -> list[NotebookNode]:
    """What nbgrader reads the score from, by its own rule, and a line on how far it can be believed."""
    outputs = [new_output("stream", name=name, text=text)
               for name, text in (("stdout", scored.stdout), ("stderr", scored.stderr)) if text]  # fmt: skip
    if scored.error or scored.outcome in ("timeout", "died", "tampered", "infrastructure"):
        outputs.append(
            new_output("error", ename=scored.error or scored.outcome, evalue=scored.words, traceback=[scored.words])
        )
    elif scored.result is not None:
        outputs.append(new_output("execute_result", data={"text/plain": scored.result}, execution_count=None))
    return [*outputs, new_output("display_data", data={"text/html": note(scored)})]


def note(scored: Scored) -> str:
    waits = " It waits for a grade by hand." if scored.for_a_person else ""
    why = f" {scored.words[:1].upper()}{scored.words[1:]}." if scored.words and not scored.error else ""
    return f"<p><em>The teacher's own test, {escape(NOT_CHEAT_PROOF)}.{escape(why)}{waits}</em></p>"
