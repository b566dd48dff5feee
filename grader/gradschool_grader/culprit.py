"""Which expression of a wrong answer is to blame: the one that, with values of the solution's, puts everything right.

    culprit(exercise, seen, text, ask, helpers)
    # "`np.linalg.norm(H, np.inf)` comes to 10.3746 where 8.86222 would be right. With that put right, everything is."

The answer is run under watch on the calls that failed, and so is the reference. Then one expression after another is
given the values that some expression of the reference took, until all calls come out right. What it would have to be
is never said, but to what it would have to come. Only at home: here the answer's text and right numbers meet.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import numpy as np

from .compare import compare_all
from .diagnosis import Seen
from .diagnosis.known import in_these
from .diagnosis.seen import failed_probe
from .diagnosis.words import lower
from .exercise import Exercise, Property
from .observe import Ask, here
from .source import SourceError, standalone
from .watch import LONGEST, Log, Watched, Watching, watched

__all__ = ["Culprit", "culprit"]

EFFORT = 30_000  # expressions that are evaluated in all; a call counts as CALL of them, and so do ENTRIES of arrays
CALL, ENTRIES = 30, 30_000
DIGITS, NEAR = 8, 1e-7  # of the largest number: what is nearer is the same
LONG = 100  # characters of a line that is quoted
KINDS = ("value", "nonfinite", "accepted", "raised", "shape")  # of differences that go back to a quantity


@dataclass(frozen=True)
class Culprit:
    """An expression, its line, what it came to where that was wrong first, what would be right, and for which parts."""

    expression: str
    line: str
    came: Any
    right: Any
    parts: tuple[str, ...] = ()  # if not everything

    @property
    def text(self) -> str:
        where = "" if self.line == self.expression or len(self.line) > LONG else f", in `{self.line}`,"
        came, right, index = entries(self.came, self.right)
        at = f" at {index}" if index else ""
        says = f"is {came}{at}" if came in ("True", "False") else f"comes to {came}{at}"
        every = "everything is" if not self.parts else f"{lower(in_these(self.parts))} everything is"
        return f"`{self.expression}`{where} {says} where {right} would be right. With that alone put right, {every}."

    @property
    def hint(self) -> str:
        return f"What is `{self.expression}` there for, and what does the task want in its place?"


def entries(came: Any, right: Any) -> tuple[str, str, str]:
    """Both as they are said, and of arrays an entry in which they differ, with its place."""
    a, b = np.asarray(came), np.asarray(right)
    if not a.ndim or a.shape != b.shape:
        return (*in_digits(a, b), "")
    differ = ~np.isclose(a, b, rtol=1e-6, equal_nan=True) if a.dtype.kind == "f" else a != b
    index = tuple(int(i) for i in np.argwhere(differ)[0]) if differ.any() else (0,) * a.ndim
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


@cache
def solution(reference: Callable[..., Any], name: str) -> Watched | None:
    try:
        return watched(f"import numpy as np\n{standalone(reference, name=name)}", whole=True)
    except SourceError:
        return None


class Search:
    """Where the answer's expressions and the reference's meet, on the calls of the groups that failed."""

    def __init__(self, exercise: Exercise, failed: Sequence[Seen], mine: Watching, theirs: Watching):
        self.exercise, self.failed, self.mine, self.theirs = exercise, failed, mine, theirs
        self.effort = EFFORT
        self.logs: dict[tuple[str, int], tuple[Log, Log]] = {}

    @cached_property
    def first(self) -> tuple[Log, Log]:
        return self.of(self.failed[0], self.number)

    @cached_property
    def number(self) -> int:
        return failed_probe(self.failed[0])

    def of(self, s: Seen, number: int) -> tuple[Log, Log]:
        """What both sides' expressions came to on a probe."""
        key = s.group.name, number
        if key not in self.logs:
            self.logs[key] = self.mine.run(s.probes[number])[0], self.theirs.run(s.probes[number])[0]
        return self.logs[key]

    @property
    def does_the_same(self) -> bool:
        """Whether the answer does under watch what it did: it may stand among names that are not there now."""
        s = self.failed[0]
        _, did = self.mine.run(s.probes[self.number])
        got = [o for o in s.got if o.probe == self.number and not o.again]
        return len(did) == len(got) and all(
            a.behaviour.error == b.behaviour.error for a, b in zip(did, got, strict=True)
        )

    def found(self) -> Culprit | None:
        if not self.does_the_same or any(sum(map(len, log.values())) >= LONGEST for log in self.first):
            return None
        s, values = self.failed[0], [x for values in self.first[0].values() for x in values]
        cost = CALL + len(values) + CALL * sum(map(np.size, values)) // ENTRIES
        for place, other in self.candidates():
            self.effort -= cost
            if self.effort < 0:
                return None
            if self.right(s, self.number, place, other):
                parts = self.parts(place, other)
                if parts:
                    return self.said(place, other, parts)
        return None

    # ---- what could be put where
    def candidates(self) -> list[tuple[int, int]]:
        """Pairs of expressions, as they are evaluated: what the other side does not come to before what it does, and
        what only decides something last, since that is soon put right by accident."""
        mine, theirs = self.first
        known, others = {key(values) for values in theirs.values()}, self.others(theirs)
        pairs = [
            (place, other)
            for place, values in mine.items()
            for other in others.get(kinds(values[:1]), ())
            if self.fits(values, theirs[other])
        ]
        return sorted(pairs, key=lambda both: 2 if self.decides(both[0]) else int(key(mine[both[0]]) in known))

    def decides(self, place: int) -> bool:
        """Whether it is a condition, a whole number in one, or a whole number that stands there as it is."""
        values = self.first[0][place]
        written = isinstance(self.mine.text.nodes[place - 1], ast.Constant)
        whole = all(map(is_whole, values)) and (written or bool(self.conditions(place)))
        return whole or all(map(is_truth, values))

    def conditions(self, place: int) -> list[int]:
        """The conditions that it is a part of, the innermost first."""
        mine = self.first[0]
        return [p for p in self.mine.text.around[place - 1] if p in mine and all(map(is_truth, mine[p]))]

    def others(self, theirs: Log) -> dict[Any, list[int]]:
        """The reference's expressions, those that came to the same once, without what is asked for itself."""
        s, found, once = self.failed[0], dict[Any, list[int]](), set[Any]()
        answers = [o.behaviour.value for o in s.expected if o.probe == self.number and not o.again]
        for other, values in theirs.items():
            if key(values) not in once and not is_answer(values, answers):
                once.add(key(values))
                found.setdefault(kinds(values[:1]), []).append(other)
        return found

    def fits(self, values: Sequence[Any], other: Sequence[Any]) -> bool:
        """Whether they are as many, of the same shapes, and not the same; fewer if it raised before it came to all."""
        s = self.failed[0]
        if s.difference and s.difference.kind == "raised":
            return len(values) <= len(other) and kinds(values) == kinds(other[: len(values)])
        return kinds(values) == kinds(other) and not alike(values, other)

    # ---- whether that puts it right
    def right(self, s: Seen, number: int, place: int, other: int) -> bool:
        did = self.mine.instead(s.probes[number], place, self.of(s, number)[1].get(other, ()))
        got = [replace(o, probe=number) for o in did]
        expected = [o for o in s.expected if o.probe == number and not o.again]
        return len(got) == len(expected) and compare_all(self.exercise, s.group, s.probes, expected, got) is None

    def parts(self, place: int, other: int) -> list[Seen]:
        """The groups in which everything comes out right then; none if the first is not among them."""
        found = [s for s in self.failed if all(self.right(s, n, place, other) for n in range(len(s.probes)))]
        return found if self.failed[0] in found else []

    # ---- in words
    def said(self, place: int, other: int, parts: Sequence[Seen]) -> Culprit:
        text, (mine, theirs) = self.mine.text, self.first
        place, came, right = self.decided(place, other) or (place, mine[place], theirs[other])
        differ = [(x, y) for x, y in zip(came, right, strict=False) if not near(x, y)]
        names = tuple(s.group.name for s in parts) if len(parts) < len(self.failed) else ()
        first = differ[0] if differ else (came[0], right[0])
        return Culprit(quoted(text.nodes[place - 1]), quoted(text.statements[place - 1]), *first, names)

    def decided(self, place: int, other: int) -> tuple[int, Sequence[Any], Sequence[Any]] | None:
        """The condition that a name or number is a part of, with what that came to, and comes to if it is put right:
        another number there says less than how it is decided."""
        mine, text, outer = self.first[0], self.mine.text, self.conditions(place)
        if not outer or not isinstance(text.nodes[place - 1], ast.Name | ast.Attribute | ast.Constant):
            return None
        self.right(self.failed[0], self.number, place, other)
        came, right = mine[outer[-1]], self.mine.log().get(outer[-1], [])
        return None if kinds(right) != kinds(came) or alike(came, right) else (outer[-1], came, right)


def is_truth(x: Any) -> bool:
    return not np.ndim(x) and np.asarray(x).dtype.kind == "b"


def is_whole(x: Any) -> bool:
    return not np.ndim(x) and np.asarray(x).dtype.kind in "iu"


def quoted(node: ast.AST) -> str:
    return ast.unparse(node).split("\n")[0]


def kinds(values: Sequence[Any]) -> tuple[Any, ...]:
    """What is the same for values that can stand in each other's place."""
    return tuple((np.shape(x), np.asarray(x).dtype.kind) for x in values)


def key(values: Sequence[Any]) -> Any:
    """The same for values that are nearly the same."""
    return kinds(values), tuple(np.asarray(rounded(x)).tobytes() for x in values)


def rounded(x: Any) -> Any:
    """To so many digits of its largest number."""
    a = np.asarray(x)
    if a.dtype.kind != "f" or not a.size:
        return a
    top = float(np.abs(a[np.isfinite(a)]).max(initial=0.0))
    return np.round(a, DIGITS - math.ceil(math.log10(top))) + 0.0 if top else a + 0.0


def alike(one: Sequence[Any], other: Sequence[Any]) -> bool:
    return all(near(x, y) for x, y in zip(one, other, strict=True))


def near(x: Any, y: Any) -> bool:
    a, b = np.asarray(x), np.asarray(y)
    if a.dtype.kind != "f" or b.dtype.kind != "f":
        return bool((a == b).all())
    with np.errstate(all="ignore"):
        return bool(np.allclose(a, b, rtol=0.0, atol=NEAR * np.abs(b).max(initial=0.0), equal_nan=True))


def is_answer(values: Sequence[Any], answers: Any) -> bool:
    """Whether it is what is asked for, or a part of it: that would put right whatever comes before. Truth values and
    whole numbers are often the same by accident: of those all must be."""
    last, leaves = values[-1], [x for x in leaves_of(answers) if is_value(x)]
    if is_truth(last) or is_whole(last):
        return len(leaves) == len(values) and alike(values, leaves)
    return any(np.shape(x) == np.shape(last) and near(last, x) for x in leaves)


def is_value(x: Any) -> bool:
    return isinstance(x, np.ndarray | float | int | np.generic)


def leaves_of(tree: Any) -> Iterator[Any]:
    if type(tree) in (list, tuple, dict):
        for x in tree.values() if type(tree) is dict else tree:
            yield from leaves_of(x)
    else:
        yield tree


def culprit(
    exercise: Exercise,
    seen: Sequence[Seen],
    text: str,
    ask: Ask,
    helpers: Mapping[str, Callable[..., Any]],
) -> Culprit | None:
    """The expression of the answer that is to blame; None if none is found. What is asked defines its names anew."""
    failed = [s for s in seen if s.difference and not any(isinstance(p, Property) for p in s.probes)]
    if not failed or not failed[0].difference or failed[0].difference.kind not in KINDS:
        return None
    mine, theirs = watched(text), solution(exercise.plain, exercise.name)
    if mine is None or theirs is None:
        return None
    with (
        Watching(exercise, mine, ask) as own,
        Watching(exercise, theirs, here(exercise, None, helpers)) as reference,
    ):
        return Search(exercise, failed, own, reference).found() if own.runs and reference.runs else None
