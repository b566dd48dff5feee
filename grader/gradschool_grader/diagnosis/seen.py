"""What was seen of a wrong answer: group by group, and array by array beside the arrays that were expected."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..compare import Difference, close
from ..exercise import Call, Exercise, Group, Probe, Property, Refusal, Steps, Tolerance
from ..inside.perform import argument, leaves
from ..observe import Observation, parameters

NUMBERS = set("fiub")
ROUNDING = 10  # a reading computes with the expected numbers once more: it is allowed ten times the tolerance
VISIBLE = 10  # and says nothing of differences that are not ten times larger than that
LONG = 20  # a list of more numbers is one array
ITS_ARGUMENT = "the argument of the returned function"


@dataclass(frozen=True)
class Seen:
    """What was seen of one group: its probes, what was expected, what came, and the first difference (None: passed)."""

    group: Group
    probes: Sequence[Probe]
    expected: Sequence[Observation]
    got: Sequence[Observation]
    difference: Difference | None
    arrays: list[Pair] = field(default_factory=list, init=False, repr=False, compare=False)  # as `pairs` found them
    wholes: list[Pair] = field(default_factory=list, init=False, repr=False, compare=False)  # with lists as arrays
    faulty: list[Pair] = field(default_factory=list, init=False, repr=False, compare=False)  # as `at_fault` found them
    likes: dict[str, bool] = field(default_factory=dict, init=False, repr=False, compare=False)  # by misconception
    refusals: dict[int, Refusal | None] = field(default_factory=dict, init=False, repr=False, compare=False)  # by probe


def failed_probe(s: Seen) -> int:
    """The probe in which the first difference was seen."""
    return s.got[s.difference.index].probe if s.difference and s.difference.index < len(s.got) else 0


def failed_steps(s: Seen) -> list[Observation]:
    """What was seen of that probe up to the step that went wrong; all of it, if none did."""
    probe, last = failed_probe(s), s.difference.index if s.difference else 0
    mine = [(i, o) for i, o in enumerate(s.got) if o.probe == probe and not o.again]
    if not isinstance(s.probes[probe], Property) and any(i == last for i, _ in mine):
        return [o for i, o in mine if i <= last]
    return [o for _, o in mine]


def of_probe(s: Seen, number: int) -> list[Observation]:
    """What was seen of a probe the first time."""
    return first_time(s.got, number)


def first_time(observed: Sequence[Observation], number: int) -> list[Observation]:
    """Of all that was observed, what is of a probe, and not of the same again."""
    return [o for o in observed if o.probe == number and not o.again]


def passed(seen: Sequence[Seen]) -> list[Seen]:
    return [s for s in seen if not s.difference]


class Given(dict[str, Any]):
    """The arguments of a call, with what is read off them once for all arrays that the call returned."""

    @cached_property
    def leaves(self) -> list[tuple[str, Any]]:
        """Every leaf by what it is called: `state['m']['W']`."""
        return [(argument(path), value) for path, value in leaves(dict(self))]

    @cached_property
    def fitting(self) -> dict[tuple[str, tuple[int, ...]], dict[str, np.ndarray]]:
        """Arrays that fit a part of the answer, by its last key and its shape."""
        return {}

    @cached_property
    def tables(self) -> dict[tuple[Any, ...], Any]:
        """What else was read off them for a part of the answer, by what was read, whether it is a part, its shape."""
        return {}


@dataclass(frozen=True, eq=False)
class Pair:
    """An expected array `e`, what came in its place `a`, and the arguments of that call."""

    path: str  # "" is the answer itself, `state['m']['W']` a part of it
    e: np.ndarray
    a: np.ndarray
    arguments: Mapping[str, Any]
    tolerance: Tolerance
    group: str = ""
    label: str = ""
    probe: int = 0
    carried: np.ndarray | None = None  # in a sequence: the value that the step began with
    axes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    leaf: str = ""  # the path within what the call returned: `[1]['m']['W']`

    @property
    def place(self) -> tuple[str, int, str, str]:
        """What is the same for two answers to one question."""
        return self.group, self.probe, self.label, self.path

    @cached_property
    def given(self) -> Given:
        return self.arguments if isinstance(self.arguments, Given) else Given(self.arguments)

    @cached_property
    def key(self) -> str:
        """The last key of its path: `['W']` of `state['m']['W']`."""
        found = re.search(r"\['?[^\[\]]*'?\]$", self.path)
        return found[0] if found else ""

    @property
    def labels(self) -> tuple[str, ...]:
        """What the axes of the answer are called, if it is one array."""
        return self.axes.get("return", ()) if not self.path else ()

    @cached_property
    def wrong(self) -> np.ndarray:
        """Entry by entry: is it wrong? All are where the shapes differ."""
        if self.e.shape != self.a.shape:
            return np.ones(self.e.shape, bool)
        if self.e.dtype == self.a.dtype and (self.e == self.a).all():
            return np.zeros(self.e.shape, bool)
        return ~close(self.e, self.a, self.tolerance)

    @cached_property
    def right(self) -> bool:
        return not self.wrong.any() and self.e.shape == self.a.shape

    @cached_property
    def visible(self) -> np.ndarray:
        """The entries of `a` that are wrong by far more than rounding."""
        if self.e.shape != self.a.shape:
            return np.ones(self.a.shape, bool)
        with np.errstate(invalid="ignore", over="ignore"):
            return ~(np.abs(self.a - self.e) <= VISIBLE * self.slack(self.e))

    @cached_property
    def visibly_wrong(self) -> int:
        """How many of `a` are wrong by far more than rounding."""
        return int(self.visible.sum())

    def slack(self, values: np.ndarray, largest: Any = None) -> Any:
        """How far a number may be from a computed one and still count as the same.

        `largest` is the size of the largest value, where `values` are only some of them.
        """
        single = self.e.dtype == np.float32
        t = self.tolerance
        rtol, atol = (t.rtol32, t.atol32) if single else (t.rtol, t.atol)
        size = np.abs(values)
        top = size.max(initial=0.0)
        if not np.isfinite(top):
            size = np.where(np.isfinite(size), size, 0.0)
            top = size.max(initial=0.0)
        if t.per == "array":
            size = np.maximum(top if largest is None else largest, self.size)
        return ROUNDING * (atol + rtol * size)

    @cached_property
    def loudest(self) -> tuple[int, float, float]:
        """The entry that is most wrong: its place in the flat array, its value, and how far off counts as the same."""
        with np.errstate(all="ignore"):
            gap = np.abs(self.a - self.e) if self.e.shape == self.a.shape else np.abs(self.a)
            at = int(np.argmax(np.where(np.isfinite(gap), gap, 0.0)))
            return at, float(self.a.flat[at]), 2 * float(np.max(self.slack(self.a)))

    def came(self, value: Any) -> bool:
        """Whether this is what came: one entry tells most other arrays from it."""
        if not is_array(value) or np.shape(value) != self.a.shape:
            return False
        told = widened(value)
        if told.size:
            at, a, far = self.loudest
            if abs(a - told.item(at)) > far:
                return False
        with np.errstate(all="ignore"):
            near = np.abs(self.a - told) <= self.slack(told)
        return bool((near | (self.a == told) | (np.isnan(self.a) & np.isnan(told))).all())

    @cached_property
    def size(self) -> float:
        finite = self.e[np.isfinite(self.e)]
        return float(np.abs(finite).max(initial=0.0))


def pairs(exercise: Exercise, s: Seen) -> Sequence[Pair]:
    """All arrays of the answers, up to the first wrong step of each sequence (what follows inherits the error)."""
    if not s.arrays:
        s.arrays.extend(side_by_side(exercise, s))
    return s.arrays


def wholes(exercise: Exercise, s: Seen) -> Sequence[Pair]:
    """The same with each list of numbers as one array, however short it is."""
    if not any(type(x) is list and is_numbers(x) for o in s.expected for x in subtrees(o.behaviour.value)):
        return pairs(exercise, s)
    if not s.wholes:
        s.wholes.extend(side_by_side(exercise, s, longer=0))
    return s.wholes


def at_fault(exercise: Exercise, s: Seen) -> Sequence[Pair]:
    """The wrong arrays of the answer in which the first difference was seen; none where right answers differ."""
    if not s.faulty and s.difference and s.difference.index < len(s.got):
        o = s.got[s.difference.index]
        if isinstance(s.probes[o.probe], Property):
            return ()
        place = s.group.name, o.probe, o.label
        s.faulty.extend(p for p in pairs(exercise, s) if p.place[:3] == place and not p.right)
    return s.faulty


def side_by_side(exercise: Exercise, s: Seen, longer: int = LONG) -> Iterator[Pair]:
    stopped: set[int] = set()
    for e, a in one_by_one(s):
        if e.again or e.probe in stopped or e.behaviour.error or a.behaviour.error:
            continue
        probe = s.probes[e.probe]
        for pair in pairs_of(exercise, e, a, s, longer):
            yield pair
            if not pair.right and isinstance(probe, Steps):
                stopped.add(e.probe)


def one_by_one(s: Seen) -> Iterator[tuple[Observation, Observation]]:
    """What was expected of each call and what came; a probe may end before all that it would ask was asked."""
    for probe, again in dict.fromkeys((o.probe, o.again) for o in s.expected):
        both = ([o for o in side if (o.probe, o.again) == (probe, again)] for side in (s.expected, s.got))
        yield from zip(*both, strict=False)


def pairs_of(exercise: Exercise, e: Observation, a: Observation, s: Seen, longer: int = LONG) -> Iterator[Pair]:
    """Arrays in the same place of two answers; where both are empty there is nothing to read."""
    probe = s.probes[e.probe]
    got = dict(parts(a.behaviour.value, longer))
    before = dict(leaves(dict(a.arguments))) if isinstance(probe, Steps) else {}
    given = Given(arguments_of(exercise, probe, a))
    for path, value in parts(e.behaviour.value, longer):
        if is_array(value) and is_array(got.get(path)) and (np.size(value) or np.size(got[path])):
            name = returned(path, probe, exercise)
            carried = before.get(as_argument(name))
            carried = carried if isinstance(carried, np.ndarray) and carried.shape == np.shape(value) else None
            yield Pair(name, widened(value), widened(got[path]), given, s.group.tolerance, s.group.name,
                       a.label, e.probe, carried, exercise.axes, path)  # fmt: skip


def arguments_of(exercise: Exercise, probe: Probe, a: Observation) -> Mapping[str, Any]:
    """With the defaults of those that are not given; of a function that was returned, with those that made it."""
    if not isinstance(probe, Call | Steps):
        return a.arguments
    if isinstance(probe, Call) and a.arguments is not probe.arguments:
        then = a.arguments.get("then", ())
        asked = {ITS_ARGUMENT: then[0]} if len(then) == 1 else {}
        return {**defaults(exercise), **probe.arguments, **asked}
    return {**defaults(exercise), **a.arguments}


def parts(tree: Any, longer: int = LONG, path: str = "") -> Iterator[tuple[str, Any]]:
    """As `leaves`, but a list of more numbers than that is one array: its entries have no mistakes of their own."""
    if is_row(tree):
        if is_long(tree, longer if type(tree) is list else LONG):
            yield path, np.array(tree, float)
            return
        for i, item in enumerate(tree):
            yield from parts(item, longer, f"{path}[{i}]")
    elif type(tree) is dict:
        for key, item in tree.items():
            yield from parts(item, longer, f"{path}[{key!r}]")
    else:
        yield path, tree


def subtrees(tree: Any) -> Iterator[Any]:
    """It, and all that it holds."""
    yield tree
    for item in tree if is_row(tree) else tree.values() if type(tree) is dict else ():
        yield from subtrees(item)


def is_row(tree: Any) -> bool:
    return type(tree) in (list, tuple)


def is_long(tree: Any, longer: int = LONG) -> bool:
    return is_row(tree) and len(tree) > longer and is_numbers(tree)


def is_numbers(row: Sequence[Any]) -> bool:
    return all(map(is_one_number, row))


def is_one_number(x: Any) -> bool:
    return type(x) in (int, float) or (
        isinstance(x, np.ndarray | np.number) and not x.shape and x.dtype.kind in NUMBERS
    )


def beside(wrong: Sequence[Pair], seen: Sequence[Observation]) -> list[Pair]:
    """The arrays that came, beside those that another side gave in their places, where it did."""
    found = {(o.probe, o.label): dict(parts(o.behaviour.value)) for o in seen if not o.again}
    values = [found.get((p.probe, p.label), {}).get(p.leaf) for p in wrong]
    return [replace(p, e=widened(x)) for p, x in zip(wrong, values, strict=True) if is_array(x)]


def defaults(exercise: Exercise) -> dict[str, Any]:
    """Numbers that an argument has if it is not given."""
    known = {name: p.default for name, p in parameters(exercise.plain).items()}
    return {name: value for name, value in known.items() if type(value) in (int, float)}


def is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray | float | int) and np.asarray(value).dtype.kind in NUMBERS


def widened(value: Any) -> np.ndarray:
    """As floats, so that differences of truth values and unsigned integers are what they seem; float32 stays."""
    array = np.asarray(value)
    return array if array.dtype.kind == "f" else array.astype(float)


def as_argument(name: str) -> str:
    """`state['m']` as `leaves` writes it among named arguments: `['state']['m']`."""
    root, bracket, rest = name.partition("[")
    return f"['{root}']{bracket}{rest}"


def returned(path: str, probe: Probe, exercise: Exercise) -> str:
    """`[1]['m']` of a sequence's answer as `state['m']`, and of a tuple by the task's name for it; other parts as
    `item 1`, and `answer[1]['m']` within them."""
    names = list(probe.carry) if isinstance(probe, Steps) else list(exercise.returns)
    if isinstance(probe, Steps) and len(names) == 1:
        return names[0] + path
    place, bracket, rest = path[1:].partition("]")
    if not bracket or not place.isdigit():
        return path
    if int(place) < len(names):
        return names[int(place)] + rest
    return f"answer[{place}]{rest}" if rest else f"item {place}"
