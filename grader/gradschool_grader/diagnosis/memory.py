"""Objects whose answer is a weighted sum of what they were told: which weight each number got, and which it should get.

Such an object keeps one number. In each call it is multiplied by something, and what is new enters times something; in
the end it is divided. With k calls, `n` the other argument of a call, N the sum of all `n`, `d` an option:

    the mean          1 · sum + n · value, divided by N          or (N − n)/N · mean + n/N · value
    an average        d · average + (1 − d) · value

What is kept, what enters and the divisor are tried each with each. A form counts if it gives every answer that came,
and the right form is known as well: then both are told, in names.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

from ..exercise import Exercise
from ..verdict import Diagnosis
from .derived import and_so_on
from .objects import Answer, Life, Lives, argument_name
from .words import said

EVIDENCE = 2  # distinct numbers: many forms are tried
MOST = 6  # weights that are written down
ONE = "one"
HINT = "Two calls of `{told}`, by hand: by what is the first number multiplied in the end, and by what the second?"


@dataclass(frozen=True)
class Told:
    """A call that tells a number: the number, how much it counts, the calls and the sum of the counts up to it."""

    value: float
    n: float
    k: int
    N: float


Weight = Callable[[Told, Mapping[str, float]], float]


@dataclass(frozen=True)
class Form:
    """How a number is kept: what it is multiplied by, what the new one is, and what the answer is divided by."""

    keep: str
    take: str
    out: str
    first: bool  # whether the first number is taken as it is

    @property
    def parts(self) -> tuple[str, ...]:
        return self.keep, self.take, self.out

    def apart(self, other: Form) -> int:
        """In how many ways it is another one."""
        return sum(x != y for x, y in zip((*self.parts, self.first), (*other.parts, other.first), strict=True))


@dataclass(frozen=True)
class Run:
    """What an object was told before it was asked, and what it answered."""

    life: Life
    calls: tuple[Told, ...]
    answer: Any
    right: bool


def linear_memory(found: Lives) -> Diagnosis | None:
    """In which form the answers that came remember, beside the one that was to be written."""
    memory = Memory.of(found.exercise, found.every) if found.every and found.evidence >= EVIDENCE else None
    mine = memory.form(lambda x: x.got) if memory else None
    right = memory.form(lambda x: x.expected, like=mine) if memory and mine else None
    if memory is None or mine is None or right is None:
        return None
    return said("other_weights", memory.says(mine, right), HINT.format(told=memory.told), memory.weights(mine, right))


@dataclass(frozen=True)
class Memory:
    """What all lives were told by one method, and what another one was asked."""

    lives: Sequence[Life]
    told: str
    asked: str
    value: str  # what the solution calls the number that is told
    counts: str  # and what says how much it counts; nothing if all count the same

    @classmethod
    def of(cls, exercise: Exercise, every: Sequence[Life]) -> Memory | None:
        """Where one method is told numbers, and one thing that is asked is wrong."""
        answers = [x for life in every for x in life.answers]
        telling = {x.method for x in answers if x.args and type(x.args[0]) is float}
        wrong = {x.method for x in answers if not x.right}
        if len(telling) != 1 or len(wrong) != 1:
            return None
        (told,), (asked,) = telling, wrong
        counted = any(len(x.args or ()) > 1 for x in answers if x.method == told)
        counts = f"`{argument_name(exercise, told, 1)}`" if counted else ""
        return cls(every, told, asked, argument_name(exercise, told, 0), counts)

    @cached_property
    def quantities(self) -> dict[str, Weight]:
        """What a number may be multiplied by or divided by, in words."""
        found: dict[str, Weight] = {
            ONE: lambda t, new: 1.0,
            "zero": lambda t, new: 0.0,
            "one half": lambda t, new: 0.5,
            "k": lambda t, new: t.k,
            "k + 1": lambda t, new: t.k + 1,
            "1/k": lambda t, new: 1 / t.k,
            "(k − 1)/k": lambda t, new: (t.k - 1) / t.k,
            "1/(k + 1)": lambda t, new: 1 / (t.k + 1),
            "k/(k + 1)": lambda t, new: t.k / (t.k + 1),
        }
        return found | (self.of_counts(self.counts) if self.counts else {}) | self.of_options()

    def of_counts(self, n: str) -> dict[str, Weight]:
        return {
            n: lambda t, new: t.n,
            "N": lambda t, new: t.N,
            "N + 1": lambda t, new: t.N + 1,
            "1/N": lambda t, new: 1 / t.N,
            "(N − 1)/N": lambda t, new: (t.N - 1) / t.N,
            f"{n}/N": lambda t, new: t.n / t.N,
            f"(N − {n})/N": lambda t, new: (t.N - t.n) / t.N,
            f"{n}/(N + {n})": lambda t, new: t.n / (t.N + t.n),
            f"N/(N + {n})": lambda t, new: t.N / (t.N + t.n),
            f"N − {n}": lambda t, new: t.N - t.n,
            f"N + {n}": lambda t, new: t.N + t.n,
        }

    def of_options(self) -> dict[str, Weight]:
        """Of each share that all objects are made with: it, what is left, and what is left of its powers."""
        names = list(self.lives[0].new) if self.lives else []
        found: dict[str, Weight] = {}
        for name in (x for x in names if all(is_share(life.new.get(x)) for life in self.lives)):
            found |= {
                f"`{name}`": lambda t, new, name=name: new[name],
                f"1 − `{name}`": lambda t, new, name=name: 1 - new[name],
                f"1 − `{name}`^k": lambda t, new, name=name: 1 - new[name] ** t.k,
                f"1 − `{name}`^(k − 1)": lambda t, new, name=name: 1 - new[name] ** (t.k - 1),
                f"1 − `{name}`^(k + 1)": lambda t, new, name=name: 1 - new[name] ** (t.k + 1),
            }
        return found

    # ---- the form
    def form(self, side: Callable[[Answer], Any], like: Form | None = None) -> Form | None:
        """The first form that gives all answers of one side; of several the one that is most like another one."""
        runs = [run for life in self.lives for run in self.runs(life, side)]
        if not runs or not all(run.calls or run.right for run in runs):
            return None
        told = sorted((run for run in runs if run.calls), key=lambda run: run.right)
        found = (form for form in self.forms(told[0]) if all(self.gives(form, run) for run in told))
        return next(found, None) if like is None else min(found, key=like.apart, default=None)

    def runs(self, life: Life, side: Callable[[Answer], Any]) -> Iterator[Run]:
        """Each time that it was asked. A call that counts nothing tells nothing."""
        calls: list[Told] = []
        for x in life.answers:
            args = x.args or ()
            n = float(args[1]) if len(args) > 1 else 1.0
            if x.method == self.told and args and n:
                calls.append(Told(float(args[0]), n, len(calls) + 1, sum(t.n for t in calls) + n))
            if x.method == self.asked:
                yield Run(life, tuple(calls), side(x), x.right)

    def forms(self, run: Run) -> Iterator[Form]:
        """Those that give one answer: what it was divided by is what is left."""
        there = {name: [weight(t, run.life.new) for t in run.calls] for name, weight in self.quantities.items()}
        values = [t.value for t in run.calls]
        for keep, take, first in product(there, there, (False, True)):
            value = summed(there[keep], there[take], values, first)
            for out in there if value else ():
                if near(run, value, there[out][-1]):
                    yield Form(keep, take, out, first)

    def gives(self, form: Form, run: Run) -> bool:
        keep, take, out = self.weights_of(form, run)
        return near(run, summed(keep, take, [t.value for t in run.calls], form.first), out[-1])

    def weights_of(self, form: Form, run: Run) -> list[list[float]]:
        """What is kept, what enters and the divisor in each call."""
        return [[self.quantities[name](t, run.life.new) for t in run.calls] for name in form.parts]

    # ---- in words
    def says(self, mine: Form, right: Form) -> str:
        """The form that came, what the letters in it stand for, and what in it should be otherwise."""
        words = (
            f"Your `{self.asked}` is a sum of what `{self.told}` was told, with other weights than it should have. "
            f"{self.one(mine)}"
        )
        used = " ".join(mine.parts)
        letters = [f"N is the sum of all {self.counts}, the new one included"] * bool(re.search(r"\bN\b", used))
        letters += ["k counts the calls, the new one included"] * bool(re.search(r"\bk\b", used))
        meant = f" ({'; '.join(letters)})" if letters else ""
        return f"{words}{meant}. The right one differs in {and_so_on(self.otherwise(mine, right))}."

    def one(self, form: Form) -> str:
        kept = "what was there is kept as it is" if form.keep == ONE else f"what was there is multiplied by {form.keep}"
        out = "" if form.out == ONE else f"; the answer is that divided by {form.out}"
        first = f", but the first `{self.value}` is taken as it is" if form.first else ""
        return f"In each call of `{self.told}` {kept} and the new `{self.value}` enters times {form.take}{first}{out}"

    def otherwise(self, mine: Form, right: Form) -> list[str]:
        """What is not so in the right form."""
        names = "what is kept of the old", "what of the new enters", "the divisor"
        apart = [x != y for x, y in zip(mine.parts, right.parts, strict=True)]
        words = [name for name, other in zip(names, apart, strict=True) if other]
        return words + [f"the weight of the first `{self.value}`"] * (mine.first != right.first)

    def weights(self, mine: Form, right: Form) -> str:
        """Of the first wrong answer, what each number counts and what it should count: for home."""
        run = next(run for life in self.lives for run in self.runs(life, lambda x: x.got) if not run.right)
        if len(run.calls) > MOST:
            return ""
        both = [", ".join(f"{x:.3g}" for x in self.shares(form, run)) for form in (mine, right)]
        return f"In the first wrong answer the numbers count {both[0]}; they should count {both[1]}."

    def shares(self, form: Form, run: Run) -> list[float]:
        """What each number is multiplied by in the end: the answer for a 1 in its place, and zeros in the others."""
        keep, take, out = self.weights_of(form, run)
        units = ([float(t is one) for t in run.calls] for one in run.calls)
        return [summed(keep, take, values, form.first) / out[-1] for values in units]


def summed(keep: Sequence[float], take: Sequence[float], values: Sequence[float], first: bool) -> float:
    """What is kept in the end, beginning with nothing."""
    kept, begun = (values[0], 1) if first else (0.0, 0)
    for i in range(begun, len(values)):
        kept = keep[i] * kept + take[i] * values[i]
    return kept


def is_share(x: Any) -> bool:
    return type(x) is float and 0 < x < 1


def near(run: Run, value: float, divisor: float) -> bool:
    """Whether a sum, divided, is what was answered."""
    x, t = run.answer, run.life.group.tolerance
    if type(x) is not float or not divisor:
        return False
    told = value / divisor
    return abs(told - x) <= t.atol + t.rtol * abs(x) or (math.isnan(told) and math.isnan(x))
