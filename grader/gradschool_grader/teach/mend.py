"""Mending makes of whatever was handed in a notebook that nbgrader can keep and that is safe to look at.

Text and code are the student's; everything else (flags, points, ids, metadata, checks) is the source notebook's. So a
cell that was duplicated, re-flagged, re-typed or deleted changes nothing about how the notebook is graded, and no
HTML of a student reaches a teacher's browser. What is shown is limited, so that no page takes minutes to make; what is
run is read from the submission itself.

    notebook = mend(data, source)       # always a valid notebook, with every graded cell of the source in it
    notebook = mended(data, released)   # for a class: `released` is student_version(source), made once
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from nbformat import NotebookNode, from_dict

from ..cells import LARGEST_CELL, Cell, Unreadable, read_cells
from ..chapter import as_text, student_version
from .harmless import harmless

__all__ = ["harmless", "mend", "mended"]

MISSING = "# This cell was missing from the submission."
LONGEST_LINE = 1_000  # highlighting takes time that grows with the square of a line
LONGEST_TEXT = 20_000  # and Markdown with the square of a cell
MOST_SHOWN = 500_000  # characters of all cells
LINE = 20  # characters take as long to highlight as a line does by itself
MOST_PICTURES = 5_000_000  # characters of all attached pictures
CUT = " ... cut here: too long to be shown"


def mend(data: bytes, source: NotebookNode) -> NotebookNode:
    """The submission `data` in the shape of `source`; if it cannot be read, what was released."""
    return mended(data, student_version(source))


def mended(data: bytes, released: NotebookNode) -> NotebookNode:
    try:
        cells = read_cells(data, "submission.ipynb")[0]
    except Unreadable:
        cells = []
    made = list(_own_text(cells or read_cells(as_text(released).encode(), "released.ipynb")[0], released))
    for i, cell in enumerate(made):
        cell["id"] = f"cell-{i}"
    _add_missing(made, released)
    names = ("kernelspec", "language_info", "gradschool")
    metadata = {name: copy.deepcopy(released.metadata[name]) for name in names if name in released.metadata}
    return NotebookNode(cells=made, metadata=NotebookNode(metadata), nbformat=4, nbformat_minor=5)


# nbformat's own constructors draw an id and check each cell by itself: a third of the time of recording a submission
def code_cell(source: str, **metadata: Any) -> NotebookNode:
    return NotebookNode(
        cell_type="code", execution_count=None, metadata=from_dict(metadata), outputs=[], source=source, id=""
    )


def markdown_cell(source: str, **metadata: Any) -> NotebookNode:
    return NotebookNode(cell_type="markdown", metadata=from_dict(metadata), source=source, id="")


def flags(cell: NotebookNode) -> dict:
    return cell.metadata.get("nbgrader", {})


def graded_cells(notebook: NotebookNode) -> dict[str, NotebookNode]:
    """The cells that nbgrader knows, by grade id."""
    return {flags(cell)["grade_id"]: cell for cell in notebook.cells if flags(cell).get("grade_id")}


def _own_text(cells: list[Cell], released: NotebookNode) -> Iterator[NotebookNode]:
    known = graded_cells(released)
    last = {cell.grade_id: i for i, cell in enumerate(cells)}  # of duplicates the last one counts, as in a kernel
    ours = {cell.source for cell in released.cells if cell.cell_type == "markdown"}
    room, pictures = MOST_SHOWN, MOST_PICTURES
    for i, cell in enumerate(cells):
        wanted = known.get(cell.grade_id) if last.get(cell.grade_id) == i else None
        if room <= 0:
            cell = replace(cell, source=f"#{CUT}")
        pictures -= sum(len(data) for kinds in cell.pictures.values() for data in kinds.values())
        if pictures < 0:
            cell = replace(cell, pictures={})
        made = plain_cell(cell, ours) if wanted is None else known_cell(cell, wanted)
        room -= len(made.source) + LINE * made.source.count("\n")
        yield made


def known_cell(cell: Cell, wanted: NotebookNode) -> NotebookNode:
    """A cell that nbgrader knows: the student's text, unless it is locked, under the source's flags."""
    text = cell.source if flags(wanted).get("solution") else wanted.source
    if wanted.cell_type == "code":
        return code_cell(shown(text), nbgrader=flags(wanted))
    return markdown_cell(text if text == wanted.source else prose(text, ()), nbgrader=flags(wanted))


def plain_cell(cell: Cell, ours: set[str]) -> NotebookNode:
    text = cell.source
    if cell.kind == "code":
        return code_cell(shown(text), **({"tags": ["experiment"]} if "experiment" in cell.tags else {}))
    if cell.kind == "raw":  # exporters copy raw cells into the page as they are
        return markdown_cell("".join(f"    {line}\n" for line in prose(text, ()).split("\n")))
    made = markdown_cell(text if text in ours else prose(text, cell.pictures))
    if cell.pictures:
        made["attachments"] = from_dict(cell.pictures)
    return made


def shown(text: str) -> str:
    """Code as a page shows it: what can be written down, in lines and cells of a length that people write."""
    text = text[:LARGEST_CELL].encode("utf-8", "replace").decode("utf-8") + (f"\n#{CUT}" * (len(text) > LARGEST_CELL))
    if all(len(line) <= LONGEST_LINE for line in text.split("\n")):
        return text
    return "\n".join(line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE] + CUT for line in text.split("\n"))


def prose(text: str, pictures: Collection[str]) -> str:
    """Markdown as a page shows it; of its images only the attached `pictures` are left."""
    return harmless(shown(text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + CUT), pictures)


def _add_missing(cells: list[NotebookNode], released: NotebookNode) -> None:
    """Put back what was deleted: an answer before its check, everything else after what came before it."""
    known = graded_cells(released)
    before = ""
    for grade_id, cell in known.items():
        at = {flags(c).get("grade_id"): i for i, c in enumerate(cells)}
        if grade_id not in at:
            made = code_cell if cell.cell_type == "code" else markdown_cell
            text = MISSING if flags(cell).get("solution") else cell.source
            check = at.get(grade_id.removesuffix("_answer"))
            place = check if check is not None else at[before] + 1 if before in at else len(cells)
            back = made(text, nbgrader=flags(cell))
            back["id"] = f"put-back-{len(cells)}"
            cells.insert(place, back)
        before = grade_id
