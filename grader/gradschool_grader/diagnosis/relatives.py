"""Mistakes that need no catalogue: the reference itself, called with other arguments, or with one small thing changed.

Such a function is a wrong answer like any other, and is recognised in the same way: it must behave like the submission
on every probe of every group that failed. Or, for a part of what is returned, it must give that part in every call.

    relatives = Relatives(exercise, failed, answers)
    relatives.called_otherwise()        # "Your answer is right for `x` and `y` in each other's place."
    relatives.changed(named=True)       # "... with one thing changed: a divisor left out, where `eps` stands."
    relatives.in_part()                 # "In `state['v']`: your answer is ..."
"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import chain, islice
from math import comb
from typing import Any

import numpy as np

from ..answers import Answers
from ..compare import agrees, compare
from ..exercise import Call, Exercise, Property, Script, Steps
from ..inside.values import Helper
from ..observe import here, observe
from ..source import SourceError
from ..verdict import Diagnosis
from .candidate import evidence, evidence_of
from .derived import and_so_on, called, elsewhere, other_calls
from .following import followers, of_the_others
from .known import InParts, in_these
from .naming import told
from .patience import Patience
from .refused import alike_in, told_otherwise
from .seen import Pair, Seen, pairs
from .switched import Change, switched
from .trial import Life, Trial, lives, thinned, trials, up_to_the_failure
from .words import lower, said

EVIDENCE = {"called": 1, "changed": 2, "scaled": 4}
"""Distinct numbers: of a hundred changes one may give a share like 1/3 by chance, of many hundreds of factors two."""
PATTERNS = 100_000  # in which as many answers could be wrong
EFFORT = 80_000  # functions to call: of what takes long, only the first relatives are tried
ENTRIES = 25  # of an array that is not small take as long as a call
LOOKS = 10  # at a switch do
QUESTIONS = 2000  # of functions that they are handed, which relatives may ask together beyond what is usual
SMALL = 100
HINT = "Which of your lines is that, and what does the task say there?"
SURE = 6  # distinct numbers that one group must have to be explained alone
FEW = 5  # relatives that explain a part of one call, and are tried on all


@dataclass(frozen=True)
class Relative:
    """A function that is nearly the reference, and what an answer is that behaves like it."""

    name: str
    text: str
    hint: str
    function: Callable[..., Any]
    on: Callable[[], AbstractContextManager[Any]] = nullcontext  # within which it is what it is
    change: Change | None = None

    @property
    def detail(self) -> str:
        """The changed expression, at home: what came is the student's own, the solution stays hidden."""
        comes_to = self.change.comes_to if self.change else ""
        return f"As if `{comes_to}` stood there." if comes_to else ""


@dataclass
class Relatives:
    exercise: Exercise
    failed: Sequence[Seen]
    answers: Answers
    passed: Sequence[Seen] = ()
    patience: Patience = field(default_factory=Patience, init=False)
    near: list[tuple[Relative, set[str]]] = field(default_factory=list, init=False)
    """Those that give a part of what came in the first wrong call, and the paths of that part."""
    here: list[Relative] = field(default_factory=list, init=False)
    """Those that give all that came in the group that failed first, and not in the others."""
    looks: int = field(default=0, init=False)
    """How many were tried for that."""

    @cached_property
    def everything(self) -> list[Pair]:
        """All arrays of calls that have one right answer."""
        every = ((s, pair) for s in self.failed for pair in pairs(self.exercise, s))
        return [pair for s, pair in every if not isinstance(s.probes[pair.probe], Property)]

    @cached_property
    def wrong(self) -> list[Pair]:
        return [pair for pair in self.everything if not pair.right]

    @cached_property
    def first(self) -> Trial | Life:
        """The call that failed first."""
        helpers = self.patience.limiting(self.answers.helpers)
        if self.exercise.is_class:
            return up_to_the_failure(self.exercise, self.failed[0], helpers)
        return trials(self.wrong, helpers)[0]

    @cached_property
    def thin(self) -> Trial | None:
        """A part of it that takes less time, at which most relatives fail."""
        return thinned(self.first, self.exercise.plain) if isinstance(self.first, Trial) else None

    def tells(self, least: float) -> bool:
        """Whether the wrong numbers say enough, and come from calls that can be made again."""
        return bool(self.given) and bool(self.wrong) and (evidence_of(tuple(self.wrong)) >= least or self.patterned())

    def patterned(self) -> bool:
        """Whether which answers are wrong, or which numbers, says enough where each says no more than yes or no."""
        asked = [(s, e, a) for s in self.failed for e, a in zip(s.expected, s.got, strict=False)]
        wrong = sum(compare(self.exercise, s.group, e.behaviour, a.behaviour) is not None for s, e, a in asked)
        single = [pair.right for pair in self.everything if not pair.e.ndim]
        by_call, by_flag = comb(len(asked), wrong), comb(len(single), single.count(False))
        return max(by_call, by_flag, sum(map(ways, self.wrong))) >= PATTERNS

    @cached_property
    def given(self) -> list[dict[str, Any]]:
        """What the calls were given, in order; nothing if a helper is among it that is not there."""
        given = [dict(o.arguments) for s in self.failed for o in s.got if isinstance(s.probes[o.probe], Call | Steps)]
        given += [dict(probe.new) for s in self.failed for probe in s.probes if isinstance(probe, Script)]
        helpers = (x for args in given for x in args.values() if isinstance(x, Helper))
        return given if all(x.name in self.answers.helpers for x in helpers) else []

    # ---- everywhere
    def called_otherwise(self) -> Diagnosis | None:
        if not self.tells(EVIDENCE["called"]):
            return None
        return self.first_like(self.calls())

    def calls(self) -> Iterator[Relative]:
        signature, plain = self.exercise.signature, self.exercise.plain
        returned = any(isinstance(probe, Call) and probe.afterwards for s in self.failed for probe in s.probes)
        others = chain(other_calls(self.exercise, self.given), elsewhere() if returned else ())
        for d in islice(others, EFFORT // self.effort):
            yield Relative(d.name, d.text, d.hint, partial(called, plain, signature, d))

    def changed(self, *, named: bool) -> Diagnosis | None:
        """With something changed where arguments stand that can be named, or somewhere else."""
        if not self.tells(EVIDENCE["changed"]):
            return None
        many = self.given and evidence_of(tuple(self.wrong)) >= EVIDENCE["scaled"]
        mine = ((change, c) for change, c in self.changes if (bool(change.names) and not change.late) is named)
        return self.first_like(c for change, c in mine if many or not change.factor)

    @cached_property
    def changes(self) -> list[tuple[Change, Relative]]:
        try:
            other = switched(self.exercise)
        except SourceError:
            return []
        reached, looked = other.reached(self.given_by)
        return [
            (change, Relative("one_change", words(change), HINT, other.function, partial(other.on, change), change))
            for change in reached[: EFFORT // (looked // LOOKS + self.effort)]
        ]

    @cached_property
    def effort(self) -> int:
        """How much the reference does when it is asked once what went wrong first: calls, and entries of arrays."""
        done = 1

        def count(frame: Any, event: str, returned: Any) -> None:
            nonlocal done
            done += event in ("call", "c_call")
            if event == "return" and isinstance(returned, np.ndarray) and returned.size > SMALL:
                done += returned.size // ENTRIES

        self.given_by(self.exercise.plain)  # what is done once and kept is done: the count is always the same
        before = sys.getprofile()
        sys.setprofile(count)
        try:
            self.given_by(self.exercise.plain)
        finally:
            resume(before)
        return done

    @cached_property
    def usual(self) -> int:
        """How often the reference asks the functions that it is handed in the call that failed first."""
        self.given_by(self.exercise.plain)
        return self.patience.asked

    def given_by(self, function: Callable[..., Any], most: float = math.inf) -> set[str]:
        """The paths of what it gives as it came in the call that failed first, asking others so often at most."""
        thin = self.thin
        self.patience.begin(most)
        if thin and not thin.reproduces(function):
            return set()
        return self.first.reproduces(function)

    def first_like(self, relatives: Iterable[Relative]) -> Diagnosis | None:
        spare = QUESTIONS
        for relative in relatives:
            with relative.on(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                reproduced = self.given_by(relative.function, self.usual + spare)
                spare -= max(0, self.patience.asked - self.usual)
                if reproduced == self.first.paths:
                    if self.everywhere(relative):
                        return said(relative.name, self.placed(relative), relative.hint, relative.detail)
                    if self.looks < FEW:
                        self.looks += 1
                        self.here += [relative] if self.like(relative, self.failed[0]) else []
            if reproduced and not self.exercise.is_class:
                self.near.append((relative, reproduced))
        return None

    def everywhere(self, relative: Relative) -> bool:
        """Whether it does what the answer does, first in the calls that gave numbers, then in all of those groups."""
        if any(t.reproduces(relative.function) != t.paths for t in self.calls_made):
            return False
        return all(self.like(relative, s) for s in self.failed)

    def placed(self, relative: Relative) -> str:
        """What is said of it, and where, if what passed speaks against it."""
        if all(self.like(relative, s) for s in self.passed):
            return relative.text
        return f"{in_these([s.group.name for s in self.failed])}: {lower(relative.text)}"

    @cached_property
    def calls_made(self) -> Sequence[Trial | Life]:
        """The first wrong one of each group, then the other wrong ones, then all: what fails fails soon."""
        exercise, helpers = self.exercise, self.answers.helpers
        if exercise.is_class:
            firsts = [up_to_the_failure(exercise, s, helpers) for s in self.failed]
            return [*firsts, *(life for s in self.failed for life in lives(exercise, s, helpers))]
        bad = [[p for p in self.wrong if p.group == s.group.name][:1] for s in self.failed]
        return [t for these in (*bad, self.wrong, self.everything) for t in trials(these, helpers)]

    def like(self, relative: Relative, s: Seen) -> bool:
        """Whether it does in a group what the answer does: one probe after another, as most soon fail."""
        ask, told = here(self.exercise, relative.function, self.answers.helpers), []
        for number, probe in enumerate(s.probes):
            mine = [o for o in s.got if o.probe == number]
            new = [replace(o, probe=number) for o in observe(self.exercise, [probe], ask, twice=number == 0)]
            if not (agrees(self.exercise, s.group, s.probes, mine, new) and alike_in(s, number, new)):
                return False
            told += new
        return not told_otherwise(s, told)

    # ---- in some of the groups
    def in_some_groups(self) -> InParts | None:
        """What comes of two mistakes, each in calls of its own; the first group must say enough by itself."""
        first = self.failed[0]
        if not (self.here and self.failed[1:]) or evidence(self.wrong_in(first)) < SURE:
            return None
        groups = [(r, [s for s in self.failed if s is first or self.explains(r, s)]) for r in self.here]
        found, mine = max(groups, key=lambda both: len(both[1]))
        text = f"{in_these([s.group.name for s in mine])}: {lower(found.text)}"
        rest = [s for s in self.failed if s not in mine]
        return InParts(said(found.name, text, found.hint, found.detail), rest)

    def explains(self, relative: Relative, s: Seen) -> bool:
        with relative.on(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return evidence(self.wrong_in(s)) >= 1 and self.like(relative, s)

    def wrong_in(self, s: Seen) -> list[Pair]:
        return [p for p in self.wrong if p.group == s.group.name]

    # ---- in a part
    def in_part(self) -> Diagnosis | None:
        """Of what is wrong, parts that a relative gives in every call, and what is known of the others."""
        paths, all_paths = (list(dict.fromkeys(p.path for p in these)) for these in (self.wrong, self.everything))
        explained: dict[str, Relative] = {}
        for relative, reproduced in self.near[:FEW]:
            if reproduced - set(explained):
                for path in self.in_every_call(relative, reproduced):
                    explained.setdefault(path, relative)
        found = list({id(r): r for r in explained.values()}.values())
        texts = [f"In {told([x for x in paths if explained.get(x) is r], all_paths)}: {lower(r.text)}" for r in found]
        rest = [path for path in paths if path not in explained]
        if found and rest:
            texts += of_the_others(rest, self.following(explained), lambda paths: told(paths, all_paths))
        name = " and ".join(dict.fromkeys(r.name for r in found))
        return said(name, " ".join(texts), found[0].hint, found[0].detail) if found else None

    def following(self, paths: Collection[str]) -> set[str]:
        """The wrong paths that follow from these; a list is as its entries are."""
        if self.exercise.is_class or not self.given:
            return set()
        self.patience.begin(QUESTIONS)
        helpers = self.patience.limiting(self.answers.helpers)
        first = {p.path for p in self.wrong if any(within(p.path, path) for path in paths)}
        found = followers(self.exercise, self.everything, first, helpers)
        lists = {path.rpartition("[")[0] for path in found}
        return found | {x for x in lists if {p.path for p in self.wrong if within(p.path, x)} <= found}

    def in_every_call(self, relative: Relative, paths: set[str]) -> set[str]:
        """Those of the paths that it gives in all calls of the groups that failed."""
        with relative.on(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for trial in trials([p for p in self.everything if p.path in paths], self.answers.helpers):
                mine = {p.path for p in trial.returned} & paths
                paths = paths - (mine - trial.reproduces(relative.function))
                if not paths:
                    break
        telling = evidence([p for p in self.wrong if p.path in paths])
        return paths if telling >= EVIDENCE["changed"] else set()


def resume(profiler: Any) -> None:
    """What was profiling goes on; cProfile's is an object that is no function."""
    if hasattr(profiler, "enable"):
        profiler.enable()
    else:
        sys.setprofile(profiler)


def within(path: str, whole: str) -> bool:
    return path == whole or path.startswith(f"{whole}[")


def ways(pair: Pair) -> int:
    """In how many ways the numbers that came could stand in their places, two of them at least."""
    _, counts = np.unique(pair.a, return_counts=True)
    return comb(pair.a.size, int(counts.max(initial=0)))


def words(change: Change) -> str:
    named = and_so_on([f"`{name}`" for name in change.names])
    there = f", where {named} stand{'s' if len(change.names) == 1 else ''}" if change.names else ""
    return f"Your answer is what the right computation comes to with one thing changed: {change.text}{there}."
