"""A teacher's own cells in a source notebook stay where they were put when the chapter is built and released again.

    notebook = with_own_cells(built, before, generated)      # `generated` are the ids of the cells that we made then

What we made is known by its ids; every other cell is the teacher's, and goes behind the cell that it stood behind.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Collection
from pathlib import Path

from nbformat import NotebookNode

from .journal import FOLDER, replace_text

__all__ = ["generated_ids", "note_generated", "own_cells", "with_own_cells"]


def own_cells(before: NotebookNode, generated: Collection[str]) -> list[tuple[str, NotebookNode]]:
    """The teacher's cells, each with the id of the cell before it ("" at the top)."""
    found, last = [], ""
    for cell in before.cells:
        if cell.get("id", "") not in generated:
            found.append((last, cell))
        last = cell.get("id", "")
    return found


def with_own_cells(built: NotebookNode, before: NotebookNode, generated: Collection[str]) -> NotebookNode:
    """The new notebook with them. One whose place is gone comes last, so that no test is lost."""
    made = copy.deepcopy(built)
    for last, cell in own_cells(before, generated):
        ids = [other.id for other in made.cells]
        place = ids.index(last) + 1 if last in ids else len(ids) if last else 0
        made.cells.insert(place, cell)
    return made


def note_generated(directory: Path, chapter: str, built: NotebookNode) -> None:
    path = place_of(directory, chapter)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_text(path, json.dumps([cell.id for cell in built.cells]) + "\n")


def generated_ids(directory: Path, chapter: str) -> list[str] | None:
    """The ids of the cells that were made by the last release; None if nothing was noted."""
    try:
        return json.loads(place_of(directory, chapter).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def place_of(directory: Path, chapter: str) -> Path:
    return directory / FOLDER / "generated" / f"{chapter}.json"
