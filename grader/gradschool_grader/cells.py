"""The cells of a handed-in notebook or script, read as text: nothing is run, and only Unreadable is raised.

cells, metadata = read_cells(data, "ada.ipynb")
cells[3].code       # as Python: lines that only IPython understands are comments
cells[3].skipped    # why grading does not run it, or nothing
"""

from __future__ import annotations

import ast
import functools
import json
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .spelling import spelt
from .standalone import bound_names

__all__ = ["LARGEST_CELL", "LARGEST_FILE", "Cell", "Unreadable", "as_dict", "read_cells", "read_file", "without_magics"]

LARGEST_FILE = 20_000_000  # bytes; figures are saved with the notebook
LARGEST_CELL = 100_000  # characters
LARGEST_CODE = 200_000  # characters of all code cells, three times a solved chapter: reading takes time and memory
MOST_CELLS = 2_000
SHORT = 4_000  # characters
OTHER_LANGUAGES = {"%%bash", "%%html", "%%javascript", "%%js", "%%latex", "%%markdown", "%%perl", "%%R", "%%ruby",
                   "%%script", "%%sh", "%%svg", "%%SVG", "%%writefile", "%%cmd", "%%file"}  # fmt: skip


class Unreadable(ValueError):
    """The file is not what a submission must be."""


@dataclass(frozen=True)
class Cell:
    """One cell of the file. `number` counts code cells from 1; text cells have 0."""

    number: int
    kind: str
    source: str
    tags: frozenset[str] = frozenset()
    grade_id: str = ""
    pictures: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    beyond: bool = False  # it comes after as much code as is read

    @property
    def unread(self) -> str:
        """Why its code is not even read, or nothing."""
        if len(self.source) > LARGEST_CELL:
            return f"has more than {LARGEST_CELL:,} characters, which grading does not run"
        if self.beyond:
            return f"comes after {LARGEST_CODE:,} characters of code, which is all that grading reads"
        return ""

    @functools.cached_property
    def code(self) -> str:
        """The source as Python, line by line: what only IPython understands is commented out."""
        if self.unread:
            return ""
        return self.source if self._python else without_magics(self.source)

    @functools.cached_property
    def tree(self) -> ast.Module | None:
        return self._python or _parse(self.code)

    @functools.cached_property
    def _python(self) -> ast.Module | None:
        return None if self.unread else _parse(self.source)

    @functools.cached_property
    def syntax_error(self) -> str:
        """What is wrong and in which line, or nothing."""
        return "" if self.tree else _complaint(self.code)

    @functools.cached_property
    def names(self) -> frozenset[str]:
        """Names that the cell binds."""
        return frozenset(bound_names(self.tree.body)) if self.tree else frozenset()

    @functools.cached_property
    def skipped(self) -> str:
        """Why grading does not run this cell, or nothing."""
        if self.kind != "code":
            return f"is {self.kind}, not code"
        if self.unread:
            return self.unread
        if "experiment" in self.tags:
            return "is tagged `experiment`, and grading skips those"
        if self.tree and self.tree.body and all(_is_check(statement) for statement in self.tree.body):
            return "only checks"
        return ""

    def mentions(self, name: str) -> bool:
        """Whether it defines the name, or would if it were Python."""
        return name in self.names or bool(re.search(rf"^[ \t]*(def|class)[ \t]+{re.escape(name)}\b", self.source, re.M))

    @property
    def place(self) -> str:
        return f"cell {self.number}" if self.number else "a text cell"


# ---------------------------------------------------------------------------------------------------------- reading
def read_cells(data: bytes, file: str) -> tuple[list[Cell], dict[str, Any]]:
    """Cells and metadata. Raises Unreadable, which says what is wrong with the file."""
    text = _text(data)
    cells, metadata = read_script(text) if file.endswith(".py") else read_notebook(text)
    return list(_limited(cells)), metadata


def _limited(cells: Iterable[Cell]) -> Iterator[Cell]:
    """The cells, those marked that come after as much code as is read."""
    room = LARGEST_CODE
    for cell in cells:
        room -= len(cell.source) if cell.kind == "code" and not cell.unread else 0
        yield cell if room >= 0 else replace(cell, beyond=True)


def read_file(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise Unreadable(
                f"The file is larger than {LARGEST_FILE // 1_000_000} MB; clear its outputs and hand it in again."
            )
        return path.read_bytes()
    except OSError as error:
        raise Unreadable(f"The file cannot be read: {error.strerror}.") from error


def _text(data: bytes) -> str:
    if len(data) > LARGEST_FILE:
        raise Unreadable(
            f"The file is larger than {LARGEST_FILE // 1_000_000} MB; clear its outputs and hand it in again."
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("The file is no text in UTF-8; expected a notebook (.ipynb) or a Python script.") from error


def read_notebook(text: str) -> tuple[list[Cell], dict[str, Any]]:
    """Cells and metadata of a notebook file, whatever else is wrong with it."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        what = "empty" if not text.strip() else "no JSON, so no notebook"
        raise Unreadable(f"The file is {what}; expected a notebook as Jupyter saves it.") from error
    if type(data) is not dict or type(data.get("cells")) is not list:
        older = type(data) is dict and "worksheets" in data
        hint = "it is in an old format; open it in Jupyter and save it" if older else "it has no list of cells"
        raise Unreadable(f"The file is JSON but no notebook that can be graded: {hint}.")
    if len(data["cells"]) > MOST_CELLS:
        raise Unreadable(f"The notebook has more than {MOST_CELLS} cells.")
    return list(_cells(data["cells"])), as_dict(data.get("metadata"))


def _cells(items: list[Any]) -> Iterator[Cell]:
    number = 0
    for item in items:
        cell = as_dict(item)
        source = cell.get("source", "")
        if type(source) is list:
            source = "".join(line for line in source if type(line) is str)
        metadata = as_dict(cell.get("metadata"))
        kind = cell.get("cell_type") if cell.get("cell_type") in ("code", "markdown", "raw") else "raw"
        number += kind == "code"
        tags = metadata.get("tags")
        grade_id = as_dict(metadata.get("nbgrader")).get("grade_id", "")
        yield Cell(
            number if kind == "code" else 0,
            str(kind),
            source if type(source) is str else "",
            frozenset(tag for tag in tags if type(tag) is str) if type(tags) is list else frozenset(),
            grade_id if type(grade_id) is str else "",
            _pictures(cell.get("attachments")),
        )


def _pictures(attachments: Any) -> dict[str, dict[str, str]]:
    """Attached images; other attachments could hold anything."""
    found: dict[str, dict[str, str]] = {}
    for name, item in as_dict(attachments).items():
        for kind, data in as_dict(item).items():
            image = kind in ("image/png", "image/jpeg", "image/gif") and type(data) is str
            if image and re.fullmatch(r"[A-Za-z0-9+/=\s]*", data) and re.fullmatch(r"[\w .()-]{1,80}", name):
                found.setdefault(name, {})[kind] = data
    return found


def read_script(text: str) -> tuple[list[Cell], dict[str, Any]]:
    """Cells of a script: what lies between lines that begin with `# %%`, or all of it as one cell."""
    marker = re.compile(r"^#\s*%%(.*)$", re.M)
    starts = [(match.start(), match.end(), match[1]) for match in marker.finditer(text)]
    spans = [(0, starts[0][0] if starts else len(text), "")]
    for i, (_, end, title) in enumerate(starts):
        spans.append((end + 1, starts[i + 1][0] if i + 1 < len(starts) else len(text), title))
    cells: list[Cell] = []
    number = 0
    for begin, end, title in spans:
        source = text[begin:end].strip("\n")
        kind = "markdown" if re.search(r"\[(markdown|md)\]", title) else "raw" if "[raw]" in title else "code"
        if source.strip():
            number += kind == "code"
            tags = frozenset({"experiment"} if re.search(r"\bexperiment\b", title) else ())
            cells.append(Cell(number if kind == "code" else 0, kind, source, tags))
    return cells, {}


def as_dict(value: Any) -> dict[str, Any]:
    """The value if it is a dict, else an empty one: in a student's file anything may be anything."""
    return value if isinstance(value, dict) else {}


# ------------------------------------------------------------------------------------------------------ reading code
def _parse(source: str) -> ast.Module | None:
    """The tree of a text; those of short ones are kept, as most of a class's cells are the same in every file."""
    return _kept(source) if len(source) < SHORT else _parsed(source)


def _parsed(source: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "\d" and the like are not our business
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


_kept = functools.lru_cache(128)(_parsed)


def _complaint(source: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(source)
        except SyntaxError as error:
            line = spelt((error.text or "").strip()[:80])
            shown = f": `{line}`" if line else ""
            where = f" in line {error.lineno}" if error.lineno else ""
            return f"has a syntax error{where} ({error.msg}){shown}"
        except (ValueError, RecursionError, MemoryError) as error:
            why = "null bytes" if "\0" in source else type(error).__name__  # a ValueError before Python 3.11.4
            return f"cannot be read as Python ({why})"
    return ""


def without_magics(source: str) -> str:
    """The source with IPython's own lines as comments; every line keeps its number."""
    lines = source.split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if lines[first].split()[:1] and lines[first].split()[0] in OTHER_LANGUAGES:
        return "\n".join("# " + line for line in lines)
    return "\n".join(_without_magic(line) for line in lines)


def _without_magic(line: str) -> str:
    indent, text = line[: len(line) - len(line.lstrip())], line.strip()
    if text.startswith(("%", "!", "?")) or (text.endswith("?") and not text.startswith("#")):
        return f"{indent}pass  # {text}"  # a block keeps its statement
    names, equals, value = text.partition("=")
    assigned = equals and value.lstrip().startswith(("%", "!")) and re.fullmatch(r"[\w, ]*", names)
    return f"{indent}{names.rstrip()} = None  # {text}" if assigned else line


def _is_check(statement: ast.stmt) -> bool:
    call = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "check"
