"""A cell as a kernel runs it: the value of its last line, what it wrote to both streams, or the error that ended it.

    execute("x = 3\\nx + 1", "<cell 7>", {})["result"]     # "4"

Cells that a teacher wrote to grade by are run so; cells of students only need to have run, which is less work.
"""

from __future__ import annotations

import ast
import contextlib
import io
import linecache
import warnings
from typing import Any

RESULT_CAP = 4000  # characters of a value's text


class Heard(io.StringIO):
    """A stream that keeps its first characters."""

    def write(self, text: str) -> int:
        if self.tell() < RESULT_CAP:
            super().write(text[: RESULT_CAP - self.tell()])
        return len(text)


def execute(source: str, name: str, namespace: dict[str, Any]) -> dict[str, Any]:
    """Run a cell; what it raised is the item `raised`. Warnings go to standard error, as in a kernel."""
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    out, err = Heard(), Heard()
    result = None
    error: BaseException | None = None
    with warnings.catch_warnings(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        warnings.simplefilter("default")
        try:
            result = shown(run(source, name, namespace))
        except BaseException as raised:
            error = raised
    return {"result": result, "stdout": out.getvalue(), "stderr": err.getvalue(), "raised": error}


def run(source: str, name: str, namespace: dict[str, Any]) -> Any:
    """The value of the last line if that is an expression without a semicolon behind it, else None."""
    tree = ast.parse(source, name)
    last = tree.body[-1] if tree.body else None
    quiet = source.rstrip().endswith(";")
    if not isinstance(last, ast.Expr) or quiet:
        exec(compile(tree, name, "exec", dont_inherit=True), namespace)
        return None
    exec(compile(ast.Module(tree.body[:-1], []), name, "exec", dont_inherit=True), namespace)
    return eval(compile(ast.Expression(last.value), name, "eval", dont_inherit=True), namespace)


def shown(value: Any) -> str | None:
    """As a kernel shows it: nothing for None."""
    return None if value is None else str(repr(value))[:RESULT_CAP]
