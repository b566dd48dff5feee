"""The expression that is to blame, in words: where it stands, what it comes to, and of what all would be right.

Not that the other value is the right one of that quantity: perhaps something is missing where it is used.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..diagnosis.known import in_these
from ..diagnosis.words import lower

LONG = 100  # characters of a line that is quoted


@dataclass(frozen=True)
class Culprit:
    """An expression, its line, what it came to where that was wrong first, what would be right, and for which parts."""

    expression: str
    line: str
    came: Any
    right: Any
    parts: tuple[str, ...] = ()  # if not everything
    drawn: bool = False  # whether right answers differ by what is drawn

    @property
    def text(self) -> str:
        where = "" if self.line == self.expression or len(self.line) > LONG else f", in `{self.line}`,"
        came, right, index = entries(self.came, self.right)
        every = f"all that is wrong {lower(in_these(self.parts))}" if self.parts else "all that is wrong"
        at = f" at {index}" if index else ""
        if self.drawn:
            then = f"the solution has {right} from the same generator. With that alone, {every} comes out right."
            return f"`{self.expression}`{where} comes to {came}{at}; {then}"
        if came in ("True", "False"):
            return f"`{self.expression}`{where} is {came}{at}. Were it {right}, {every} would come out right."
        others = " there, and accordingly elsewhere" if index else ""
        then = f"If it came to {right}{others}, {every} would come out right."
        return f"`{self.expression}`{where} comes to {came}{at}. {then}"

    @property
    def hint(self) -> str:
        return f"Is `{self.expression}` what the task wants there, or should something be done with it first?"


def entries(came: Any, right: Any) -> tuple[str, str, str]:
    """Both as they are said, and of arrays an entry in which they differ, with its place."""
    a, b = np.asarray(came), np.asarray(right)
    if not a.ndim or a.shape != b.shape:
        return (*in_digits(a, b), "")
    differ = (a != b) & ~((a != a) & (b != b))
    with np.errstate(all="ignore"):
        gap = np.where(np.isfinite(a) & np.isfinite(b), np.abs(a * 1.0 - b), np.inf)
    visibly = differ & (gap > 1e-6 * np.abs(b * 1.0))
    index = tuple(int(i) for i in np.argwhere(visibly if visibly.any() else differ if differ.any() else ~differ)[0])
    return (*in_digits(a[index], b[index]), str(list(index)))


def in_digits(a: Any, b: Any) -> tuple[str, str]:
    """In as few digits as tell them apart."""
    for digits in (5, 8, 12, 17):
        words = word(a, digits), word(b, digits)
        if words[0] != words[1]:
            break
    return words


def word(x: Any, digits: int) -> str:
    if np.ndim(x):
        return f"an array {np.shape(x)}"
    return f"{x:.{digits}g}" if np.asarray(x).dtype.kind == "f" else str(x)


def quoted(node: ast.AST) -> str:
    """Its text, or the first line of it."""
    return ast.unparse(node).split("\n")[0]
