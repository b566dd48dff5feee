"""An answer that passed and the solution side by side, line beside line, with what was measured of both.

    Together("def square(x):\\n    return x * x", "def square(x):\\n    return x**2", beside(...))

In a notebook it is a table with two columns of code; as text, one below the other line by line.
"""

from __future__ import annotations

import ast
import difflib
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from .beside import Beside
from .routes import Reading, parsed

__all__ = ["Together", "aligned", "defined_in", "written_in"]

WIDTH = 56  # characters of code in each column of a terminal
Lines = list[tuple[str | None, str | None]]
Cells = Sequence[tuple[int, str]]


def aligned(left: str, right: str) -> Lines:
    """Lines of both in pairs: equal ones beside each other, None where the other side has nothing."""
    a, b = (without_tasks(text).split("\n") for text in (left, right))
    found: Lines = []
    for what, i, j, k, m in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if what == "equal":
            found += zip(a[i:j], b[k:m], strict=True)
            continue
        more = max(j - i, m - k)
        found += zip(padded(a[i:j], more), padded(b[k:m], more), strict=True)
    return found


def padded(lines: Sequence[str], length: int) -> list[str | None]:
    return [*lines, *[None] * (length - len(lines))]


def without_tasks(text: str) -> str:
    """Without docstrings of several lines: they are the task, which both have read. A line with the rule stays."""
    tree, lines = parsed(text), text.split("\n")
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and ast.get_docstring(node):
            first, last = node.body[0].lineno, node.body[0].end_lineno or 0
            if last > first and len(node.body) > 1:
                lines[first - 1 : last] = [None] * (last - first + 1)  # type: ignore[list-item]
    return "\n".join(line for line in lines if line is not None)


# ------------------------------------------------------------------------------------------------- one's own answer
def written_in(name: str, cells: Cells) -> str:
    """The text that defines `name` and what it needs of the cells, without imports."""
    return "\n\n\n".join(segments(name, cells))


def segments(name: str, cells: Cells) -> Iterator[str]:
    texts = dict(cells)
    for number, statement in read(cells).needed(name):
        if not isinstance(statement, ast.Import | ast.ImportFrom):
            decorators = [d.lineno for d in getattr(statement, "decorator_list", ())]
            lines = texts[number].split("\n")[min([statement.lineno, *decorators]) - 1 : statement.end_lineno]
            yield textwrap.dedent("\n".join(lines))


def defined_in(name: str, cells: Cells) -> dict[str, Any]:
    """A namespace in which nothing of the cells ran but what `name` needs. Raises what that raises."""
    body = [statement for _, statement in read(cells).needed(name)]
    names: dict[str, Any] = {"np": np, "__name__": "__main__"}
    exec(compile(ast.Module(body, []), f"<{name}>", "exec", dont_inherit=True), names)
    return names


def read(cells: Cells) -> Reading:
    return Reading((number, tree) for number, text in cells if (tree := parsed(text)))


# ------------------------------------------------------------------------------------------------------------- shown
@dataclass(frozen=True, repr=False)
class Together:
    """Both texts and the measurements. `yours` is "" where nobody knows the text."""

    yours: str
    solution: str
    measured: Beside

    def __repr__(self) -> str:
        if not self.yours:
            return f"{self.solution}\n\n{self.measured}"
        head = f"{'yours':<{WIDTH}} │ the solution"
        return "\n".join([head, *self.columns(), "", repr(self.measured)])

    @property
    def lines(self) -> Lines:
        return aligned(self.yours, self.solution)

    def columns(self) -> Iterable[str]:
        """Two columns of plain text; a mark in the middle tells lines that differ. Long lines go on below."""
        for left, right in self.lines:
            parts = [pieces(left), pieces(right)]
            for i in range(max(map(len, parts))):
                a, b = (part[i] if i < len(part) else "" for part in parts)
                yield f"{a:<{WIDTH}} {'│' if left == right else '┃'} {b}".rstrip()

    def _repr_html_(self) -> str:
        code = columns_html(self.yours, self.solution) if self.yours else block_html(self.solution)
        return (
            '<div style="font-family:system-ui,sans-serif;font-size:14px;color:#1f2328;background:#fff;'
            f'overflow-x:auto">{code}{table_html(self.measured)}</div>'
        )


def pieces(line: str | None) -> list[str]:
    return textwrap.wrap(line, WIDTH, drop_whitespace=False, replace_whitespace=False) or [""] if line else [""]


CODE = "font-family:ui-monospace,monospace;font-size:12px;white-space:pre-wrap;text-align:left;vertical-align:top;"


def columns_html(left: str, right: str) -> str:
    head = "".join(f'<th style="text-align:left;background:#fff">{word}</th>' for word in ("yours", "the solution"))
    rows = "".join(f"<tr>{cell_html(a, b)}{cell_html(b, a)}</tr>" for a, b in aligned(left, right))
    return f'<table style="border-collapse:collapse"><tr>{head}</tr>{rows}</table>'


def cell_html(line: str | None, other: str | None) -> str:
    colour = "#fff" if line == other else "#f6f8fa" if line is None else "#fff8c5"
    return f'<td style="{CODE}padding:0 1em 0 .3em;background:{colour}">{escape(line or "") or "&nbsp;"}</td>'


def block_html(text: str) -> str:
    return f'<pre style="{CODE}">{escape(text)}</pre>'


def table_html(measured: Beside) -> str:
    style = 'style="text-align:left;padding:.1em 1.4em .1em 0;background:#fff"'
    rows = [("", list(measured.columns)), *measured.rows]
    body = "".join(
        f"<tr><th {style}>{escape(name)}</th>" + "".join(f"<td {style}>{escape(cell)}</td>" for cell in cells) + "</tr>"
        for name, cells in rows
    )
    small = [*measured.remarks, f"Errors are relative to {measured.yardstick}."]
    return f'<table style="border-collapse:collapse;font-size:13px;margin:.8em 0 .3em">{body}</table>' + "".join(
        f'<div style="color:#57606a;font-size:90%">{escape(words)}</div>' for words in small
    )
