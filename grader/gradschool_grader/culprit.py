"""Which expression of a wrong answer is to blame: the one that, with values of the solution's, puts everything right.

    culprit(exercise, seen, text, ask, helpers)
    # "`np.linalg.norm(H, np.inf)` comes to 10.3746 where 8.86222 would be right. With that put right, everything is."

The answer is run under watch on the calls that failed, and so is the reference. Then one expression after another is
given the values that some expression of the reference took, until all calls come out right. What it would have to be
is never said, but to what it would have to come. Only at home: here the answer's text and right numbers meet.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

from .compare import compare
from .diagnosis import Seen
from .diagnosis.known import in_these
from .diagnosis.seen import failed_probe
from .diagnosis.words import lower
from .exercise import Call, Exercise, Probe, Property, Steps
from .inside.perform import argument, leaves
from .observe import Ask, Observation, here
from .rescaled import rescaled
from .source import SourceError, standalone
from .watch import LONGEST, Came, Log, Watched, Watching, near, watched

__all__ = ["Culprit", "culprit"]

EFFORT = 30_000  # expressions that are evaluated to find one
COMPUTED = ast.BinOp | ast.UnaryOp | ast.Call | ast.Constant  # and not only looked up
LONG = 100  # characters of a line that is quoted
KINDS = ("value", "nonfinite", "accepted", "raised", "shape", "property")  # of differences that go back to a quantity


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
        at = f" at {index}" if index else ""
        says = f"is {came}{at}" if came in ("True", "False") else f"comes to {came}{at}"
        every = "everything is" if not self.parts else f"{lower(in_these(self.parts))} everything is"
        where_right = f"the solution has {right} from the same generator" if self.drawn else f"{right} would be right"
        return f"`{self.expression}`{where} {says} where {where_right}. With that alone put right, {every}."

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

    def found(self, scaled: bool) -> Culprit | None:
        if not self.does_the_same or any(
            sum(len(came.values) for came in log.values()) >= LONGEST for log in self.first
        ):
            return None
        self.mine.effort = EFFORT
        by_value = self.by_value()
        self.mine.effort = EFFORT // 2
        earlier = None if scaled else self.rescaled(by_value[0] if by_value else None)
        if earlier or by_value:
            return earlier or (self.said(*by_value) if by_value else None)
        self.mine.effort = EFFORT // 2
        return None if scaled else self.with_an_argument()

    def by_value(self) -> tuple[int, int, list[Seen]] | None:
        """The numbers of both expressions, and the groups that are right then."""
        s = self.failed[0]
        for place, other in self.candidates():
            if self.mine.effort < 0:
                return None
            if self.right(s, self.number, place, other) and self.is_natural(place, other):
                parts = self.parts(place, other)
                if parts:
                    return place, other, parts
        return None

    def rescaled(self, before: int | None) -> Culprit | None:
        """An expression that comes to a multiple of what is right, in each call to another one; if the place is found
        already, a single number that comes before it."""
        found = rescaled(self.exercise, self.failed, self.mine, lambda log: self.to_rescale(log, before))
        if found is None:
            return None
        place, came, right = found
        text = self.mine.text
        return Culprit(quoted(text.nodes[place - 1]), quoted(text.statements[place - 1]), came, right)

    def with_an_argument(self) -> Culprit | None:
        """A term that is to be multiplied or divided by what was given, or to have it added or taken away."""
        s, text, mine = self.failed[0], self.mine.text, self.first[0]
        if self.drawn:
            return None
        for place, came in mine.items():
            if not (self.is_computed(place) and came.is_of_numbers) or self.is_returned(place):
                continue
            for name, x in operands(s.probes[self.number]).items():
                for change in CHANGES:
                    if self.mine.effort < 0:
                        return None
                    right = changed(came, x, change)
                    if right and self.gives(s, self.number, place, right) and self.always(place, name, change):
                        expression, line = quoted(text.nodes[place - 1]), quoted(text.statements[place - 1])
                        return Culprit(expression, line, *came.first_beside(right))
        return None

    def always(self, place: int, name: str, change: Callable[[Any, Any], Any]) -> bool:
        """Whether the same does it in every call of the groups that failed."""
        for s in self.failed:
            for number, probe in enumerate(s.probes):
                mine, given = self.of(s, number)[0], operands(probe)
                if place in mine and name not in given:
                    return False
                right = changed(mine[place], given[name], change) if place in mine else Came([])
                if not right or not self.gives(s, number, place, right):
                    return False
        return True

    def is_returned(self, place: int) -> bool:
        """Whether it is the whole of what is returned, or of an item of it."""
        return isinstance(self.mine.text.statements[place - 1], ast.Return) and not self.mine.text.around[place - 1]

    def to_rescale(self, log: Log, before: int | None) -> list[int]:
        """Single numbers first; of those only the whole that a number is a part of."""
        mine, text = list(log), self.mine.text
        places = [p for p in mine[: mine.index(before)] if not self.is_written_in(p, before)] if before in log else mine
        places = [p for p in places if self.is_computed(p) and log[p].is_of_numbers]
        single = {p for p in places if log[p].is_one_number}
        whole = [p for p in places if p in single and not single & set(text.around[p - 1])]
        return whole + ([p for p in places if p not in single] if before is None else [])

    def is_computed(self, place: int) -> bool:
        """Whether it is not only looked up, and decides nothing: that is soon put right by accident."""
        log, text = self.first[0], self.mine.text
        around = [log[p] for p in text.around[place - 1] if p in log]
        return isinstance(text.nodes[place - 1], COMPUTED) and all(came.is_of_numbers for came in around)

    def is_written_in(self, place: int, other: int) -> bool:
        """Whether it is a number that stands as it is in another expression."""
        return isinstance(self.mine.text.nodes[place - 1], ast.Constant) and other in self.mine.text.around[place - 1]

    def is_natural(self, place: int, other: int) -> bool:
        """Of a mere name that is put right: whether what it stands in comes to something that the reference comes to as
        well, or decides something; by an accident of algebra it would not."""
        text = self.mine.text
        if not isinstance(text.nodes[place - 1], ast.Name):
            return True
        log = self.log_with(place, other)
        outer = next((log[p] for p in text.around[place - 1] if p in log), None)
        return outer is None or outer.is_truth or outer.key in self.known

    # ---- what could be put where
    @cached_property
    def known(self) -> set[Any]:
        """What the reference comes to."""
        return {came.key for came in self.first[1].values()}

    def candidates(self) -> list[tuple[int, int]]:
        """Pairs of expressions, as they are evaluated: first what the other side does not come to, then what it does,
        then what only decides something, since that is soon put right by accident, then what one side has oftener.

        The answer itself would put right whatever comes before; last, and only to say in which case or loop.
        """
        mine, theirs = self.first
        others = self.others(theirs)
        pairs = [
            (place, other)
            for place, came in mine.items()
            for other in others.get(self.kind(came), ())
            if self.fits(came, theirs[other]) and (self.mine.text.nested[place - 1] or other not in self.answers)
        ]

        def rank(both: tuple[int, int]) -> int:
            came, other = mine[both[0]], theirs[both[1]]
            if both[1] in self.answers:
                return 4
            if len(came.values) != len(other.values):
                return 3
            return 2 if self.decides(both[0]) else int(came.key in self.known)

        return sorted(pairs, key=rank)

    def decides(self, place: int) -> bool:
        """Whether it is a condition, a whole number in one, or a whole number that stands there as it is."""
        came, written = self.first[0][place], isinstance(self.mine.text.nodes[place - 1], ast.Constant)
        return came.is_truth or (came.is_whole and (written or bool(self.conditions(place))))

    def conditions(self, place: int) -> list[int]:
        """The conditions that it is a part of, the innermost first."""
        mine = self.first[0]
        return [p for p in self.mine.text.around[place - 1] if p in mine and mine[p].is_truth]

    @property
    def drawn(self) -> bool:
        """Whether right answers differ by what is drawn."""
        return any(isinstance(probe, Property) for probe in self.failed[0].probes)

    @cached_property
    def answers(self) -> set[int]:
        """The reference's expressions that come to what is asked for."""
        answers = [o.behaviour.value for o in self.failed[0].expected if o.probe == self.number and not o.again]
        wanted = Came([x for x in leaves_of(answers) if isinstance(x, np.ndarray | float | int | np.generic)])
        return {other for other, came in self.first[1].items() if is_answer(came, wanted)}

    def others(self, theirs: Log) -> dict[Any, list[int]]:
        """The reference's expressions, those that came to the same once."""
        found, once = dict[Any, list[int]](), set[Any]()
        for other, came in theirs.items():
            if came.key not in once:
                once.add(came.key)
                found.setdefault(self.kind(came), []).append(other)
        return found

    def kind(self, came: Came) -> Any:
        """What is the same for what can stand in each other's place: where a shape is wrong, whatever its shape."""
        s = self.failed[0]
        return came.kinds[0][1] if s.difference and s.difference.kind == "shape" else came.kinds[0]

    def fits(self, came: Came, other: Came) -> bool:
        """Whether they are as many, of the same shapes, and not the same; fewer if it raised before it came to all."""
        s = self.failed[0]
        if s.difference and s.difference.kind == "raised":
            return came.kinds == other.kinds[: len(came.kinds)]
        if s.difference and s.difference.kind == "shape":
            return len(came.values) == len(other.values) and came.key != other.key
        if len(came.values) != len(other.values):
            return came.is_same and other.is_same and not near(came.values[0], other.values[0])
        return came.kinds == other.kinds and came.key != other.key

    # ---- whether that puts it right
    def instead(self, s: Seen, number: int, place: int, other: int, *, keeps: bool = False) -> list[Observation]:
        """What the answer does on a probe with the values of the reference's expression."""
        mine, theirs = self.of(s, number)
        values = theirs[other].values if other in theirs else []
        if values and theirs[other].is_same and place in mine:  # once on one side, again and again on the other
            values = values[:1] * max(len(values), len(mine[place].values))
        return self.mine.instead(s.probes[number], place, values, keeps=keeps)

    def log_with(self, place: int, other: int) -> Log:
        """What everything comes to then, on the call that failed first."""
        self.instead(self.failed[0], self.number, place, other, keeps=True)
        return self.mine.log()

    def right(self, s: Seen, number: int, place: int, other: int) -> bool:
        return self.is_right(s, number, self.instead(s, number, place, other))

    def gives(self, s: Seen, number: int, place: int, came: Came) -> bool:
        """Whether the right answer comes of it if the expression comes to that."""
        return self.is_right(s, number, self.mine.instead(s.probes[number], place, came.values))

    def is_right(self, s: Seen, number: int, got: Sequence[Observation]) -> bool:
        expected = [o for o in s.expected if o.probe == number and not o.again]
        return len(got) == len(expected) and all(
            compare(self.exercise, s.group, e.behaviour, a.behaviour, conduct=False) is None
            for e, a in zip(expected, got, strict=True)
        )

    def parts(self, place: int, other: int) -> list[Seen]:
        """The groups in which everything comes out right then; none if the first is not among them."""
        found = [s for s in self.failed if all(self.right(s, n, place, other) for n in range(len(s.probes)))]
        return found if self.failed[0] in found else []

    # ---- in words
    def said(self, place: int, other: int, parts: Sequence[Seen]) -> Culprit:
        text, (mine, theirs) = self.mine.text, self.first
        place, came, right = self.decided(place, other) or (place, mine[place], theirs[other])
        names = tuple(s.group.name for s in parts) if len(parts) < len(self.failed) else ()
        drawn = any(isinstance(probe, Property) for s in parts for probe in s.probes)
        expression, line = quoted(text.nodes[place - 1]), quoted(text.statements[place - 1])
        return Culprit(expression, line, *came.first_beside(right), names, drawn)

    def decided(self, place: int, other: int) -> tuple[int, Came, Came] | None:
        """The condition that a name or number is a part of, with what that came to, and comes to if it is put right:
        another number there says less than how it is decided."""
        mine, text, outer = self.first[0], self.mine.text, self.conditions(place)
        if not outer or not isinstance(text.nodes[place - 1], ast.Name | ast.Attribute | ast.Constant):
            return None
        came, right = mine[outer[-1]], self.log_with(place, other).get(outer[-1])
        differs = right is not None and right.kinds == came.kinds and right.key != came.key
        return (outer[-1], came, right) if right is not None and differs else None


CHANGES: tuple[Callable[[Any, Any], Any], ...] = (operator.mul, operator.truediv, operator.add, operator.sub)


def operands(probe: Probe) -> dict[str, Any]:
    """Numbers and arrays of numbers that a call was given, and those in its tables: `cache['x']`."""
    given = probe.arguments if isinstance(probe, Call) else probe.constants if isinstance(probe, Steps) else {}
    return {argument(path): x for path, x in leaves(dict(given)) if np.asarray(x).dtype.kind == "f"}


def changed(came: Came, x: Any, change: Callable[[Any, Any], Any]) -> Came | None:
    """What it would come to; None if that has another shape, or is no number."""
    with np.errstate(all="ignore"):
        values = [change(value, x) if fits(value, x) else None for value in came.values]
    good = all(value is not None and np.isfinite(value).all() for value in values)
    right = Came(values) if good else None
    return right if right and right.kinds == came.kinds and right.key != came.key else None


def fits(value: Any, x: Any) -> bool:
    try:
        return np.broadcast_shapes(np.shape(value), np.shape(x)) == np.shape(value)
    except ValueError:
        return False


def quoted(node: ast.AST) -> str:
    return ast.unparse(node).split("\n")[0]


def is_answer(came: Came, wanted: Came) -> bool:
    """Whether it is what is asked for, or a part of it: that would put right whatever comes before. Truth values and
    whole numbers are often the same by accident: of those all must be."""
    if came.is_truth or came.is_whole:
        return came.key == wanted.key
    last = came.values[-1]
    return any(near(last, x) for x in wanted.values if np.shape(x) == np.shape(last))


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
    *,
    scaled: bool = False,
) -> Culprit | None:
    """The expression of the answer that is to blame; None if none is found. What is asked defines its names anew.

    `scaled`: all is a multiple of what is right, which many an expression could be to blame for.
    """
    failed = [s for s in seen if s.difference]
    if not failed or not failed[0].difference or failed[0].difference.kind not in KINDS:
        return None
    mine, theirs = watched(text), solution(exercise.plain, exercise.name)
    if mine is None or theirs is None:
        return None
    with (
        Watching(exercise, mine, ask) as own,
        Watching(exercise, theirs, here(exercise, None, helpers, conduct=False)) as reference,
    ):
        return Search(exercise, failed, own, reference).found(scaled) if own.runs and reference.runs else None
