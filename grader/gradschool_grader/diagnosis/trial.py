"""Another function, asked what the answer was asked: on the call that failed first, and if that agrees on all others.

    trial = Trial(wrong, helpers)               # wrong arrays of one call
    trial.reproduces(other)                     # {"state['v']['W']"}: what the other function returns as it came

The call is made directly, not as a submission's: what it prints, warns of or changes is not looked at.
"""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import zip_longest
from typing import Any

import numpy as np

from ..compare import compare
from ..exercise import Exercise, Group, Probe, Property, Script
from ..inside.perform import build
from ..observe import RUN, Behaviour, Caller, Observation, first_steps, here
from .seen import ITS_ARGUMENT, Pair, Seen, failed_probe, failed_steps, is_long, is_row, of_probe, subtrees

ALL = ""  # the path of the whole
CACHED = 4096  # paths of parts
PLAIN = {float, int, bool, str, type(None)}
Helpers = Mapping[str, Callable[..., Any]]


class Life:
    """An object's life, or as much of it as was seen: all of that comes out, or nothing does."""

    def __init__(self, exercise: Exercise, group: Group, probe: Probe, mine: Sequence[Observation], helpers: Helpers):
        self.exercise, self.group, self.helpers = exercise, group, helpers
        self.mine = mine
        self.probe = first_steps(probe, len(self.mine))

    def reproduces(self, function: Callable[..., Any]) -> set[str]:
        both = zip_longest(self.mine, self.told(function))
        return {ALL} if all(o and behaviour and self.same(o.behaviour, behaviour) for o, behaviour in both) else set()

    def same(self, mine: Behaviour, told: Behaviour) -> bool:
        x, y, t = mine.value, told.value, self.group.tolerance
        if type(x) is type(y) is float and np.isfinite(x):
            return abs(x - y) <= t.atol + t.rtol * abs(x)
        return compare(self.exercise, self.group, mine, told, conduct=False) is None

    def told(self, function: Callable[..., Any]) -> Iterator[Behaviour]:
        """What the function's own object does, one call after another."""
        probe = self.probe
        if isinstance(probe, Script) and not probe.others and not any(set(" .") & set(call) for call, _ in probe.calls):
            yield from self.alone(function, probe)
        else:
            caller = Caller(self.exercise, here(self.exercise, function, self.helpers, conduct=False))
            yield from (behaviour for _, behaviour, _ in RUN[type(probe)](probe, caller))

    def alone(self, function: Callable[..., Any], probe: Script) -> Iterator[Behaviour]:
        """The same for one object of which plain values come: a tenth of the time."""
        try:
            made = function(**fresh(probe.new, self.helpers))
            yield self.mine[0].behaviour
            for call, args in probe.calls:
                value = getattr(made, call)
                yield Behaviour(value if args is None else value(*fresh(args, self.helpers)))
        except Exception as error:
            yield Behaviour(error=type(error).__name__)

    @property
    def paths(self) -> set[str]:
        return {ALL}


def up_to_the_failure(exercise: Exercise, s: Seen, helpers: Helpers) -> Life:
    return Life(exercise, s.group, s.probes[failed_probe(s)], failed_steps(s), helpers)


def lives(exercise: Exercise, s: Seen, helpers: Helpers) -> list[Life]:
    """Those that the probes of a group ask for and that have one right answer."""
    every = ((probe, of_probe(s, number)) for number, probe in enumerate(s.probes))
    return [Life(exercise, s.group, p, mine, helpers) for p, mine in every if not isinstance(p, Property)]


class Trial:
    """Arrays that one call returned, and what that call was given."""

    def __init__(self, returned: Sequence[Pair], helpers: Helpers):
        given = dict(returned[0].arguments)
        self.then = (given.pop(ITS_ARGUMENT),) if ITS_ARGUMENT in given else None
        self.given, self.returned, self.helpers = given, returned, helpers

    @property
    def paths(self) -> set[str]:
        return {p.path for p in self.returned}

    def reproduces(self, function: Callable[..., Any]) -> set[str]:
        """The paths of the arrays that the function returns as they came; none where the call makes no sense to it."""
        try:
            value = function(**fresh(self.given, self.helpers))
            if self.then is not None:
                value = value(*fresh(self.then, self.helpers))
        except Exception:
            return set()
        return {p.path for p in self.returned if p.came(at(value, p.leaf))}


def thinned(trial: Trial, reference: Callable[..., Any]) -> Trial | None:
    """The same call with one of several arrays in each of its trees, where the reference does the same to it alone.

    A step of an optimizer treats its arrays alike: most of what is not like the answer is seen on a single one.
    """
    names = next((tuple(tree) for tree in subtrees(trial.given) if is_table(tree)), ())
    ends = {f"[{name!r}]": name for name in names}
    wrong = [p for p in trial.returned if p.key in ends]
    if not wrong:
        return None
    name = ends[min(wrong, key=lambda p: p.a.size).key]
    mine = [p for p in trial.returned if ends.get(p.key) == name]
    given = only(dict(mine[0].arguments), names, name)
    thin, right = (
        Trial([replace(p, a=a, arguments=given) for p, a in zip(mine, values, strict=True)], trial.helpers)
        for values in ([p.a for p in mine], [p.e for p in mine])
    )
    return thin if right.reproduces(reference) == right.paths else None


def is_table(tree: Any) -> bool:
    return type(tree) is dict and len(tree) > 1 and all(type(x) is np.ndarray for x in tree.values())


def only(tree: Any, names: Sequence[str], name: str) -> Any:
    """The tree with one entry in the place of several of these names."""
    if type(tree) is dict:
        kept = [name] if tuple(tree) == names else list(tree)
        return {key: only(tree[key], names, name) for key in kept}
    return type(tree)([only(item, names, name) for item in tree]) if type(tree) in (list, tuple) else tree


def fresh(tree: Any, helpers: Helpers) -> Any:
    """What `build` makes, and nothing kept of it."""
    kind = type(tree)
    if kind is np.ndarray:
        return tree.copy()
    if kind is dict:
        return {key: fresh(item, helpers) for key, item in tree.items()}
    if kind is list or kind is tuple:
        return kind([fresh(item, helpers) for item in tree])
    return tree if kind in PLAIN else build(tree, helpers, {})


def trials(returned: Sequence[Pair], helpers: Helpers) -> list[Trial]:
    """One for each call that returned some of these arrays, in their order."""
    calls: dict[tuple[str, int, str], list[Pair]] = {}
    for p in returned:
        calls.setdefault(p.place[:3], []).append(p)
    return [Trial(mine, helpers) for mine in calls.values()]


def at(value: Any, path: str) -> Any:
    """The part of an answer at a path; None if it has none."""
    for key in keys(path):
        if not (key in value if type(value) is dict else type(key) is int and is_row(value) and key < len(value)):
            return None
        value = value[key]
    if is_long(value):
        return np.array(value, float)
    return np.asarray(value) if isinstance(value, np.generic) else value  # as a submission's numbers arrive


@lru_cache(CACHED)
def keys(path: str) -> tuple[Any, ...]:
    """`[1]['m']` as (1, 'm')."""
    return tuple(literal_eval(key) for key in re.findall(r"\[('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|-?\d+)\]", path))
