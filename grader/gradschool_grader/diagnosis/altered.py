"""Objects that live otherwise: the reference's own object, of which some calls do something else.

Each says what an object would be like; it counts if such objects give every answer that came, the right ones too.

    shared      what is remembered lies outside the objects: later ones begin with it, or all use it at once
    unheard     a call with a NaN, a zero, ... is left out; after it, or after a question, all that was is forgotten
    begun       one of the quantities that it remembers begins with another number
    miscounted  where one of them is raised or lowered, it becomes one more or one less
    coupled     whenever one of them changes, another one is set back, or stays as it was
"""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, permutations, product
from typing import Any

from ..answers import Answers
from ..exercise import Exercise, Script
from ..observe import Behaviour, Observation, called
from ..verdict import Diagnosis
from .known import InParts, in_these
from .objects import TELLING, Lives, alone, argument_name
from .seen import Seen, failed_probe, failed_steps, of_probe, passed
from .trial import PLAIN, Helpers, Life, fresh
from .words import lower, said

AROUND = Callable[["Otherwise", str, tuple[Any, ...] | None], Any]
"""What such an object does when it is asked: the method, and its arguments (None: an attribute is read)."""
OUTSIDE = (
    "What is made only once, when Python reads the `class` or a `def`, and not anew for each object: "
    "a default like `[]`, a name in the body of the class?"
)
GROUPS = 3  # that are looked at one by one
TRAITS: dict[str, Callable[[float, float | None], bool]] = {
    "is NaN": lambda x, before: math.isnan(x),
    "is zero": lambda x, before: x == 0,
    "is negative": lambda x, before: x < 0,
    "is larger than in the call before": lambda x, before: before is not None and x > before,
    "is smaller than in the call before": lambda x, before: before is not None and x < before,
    "is the same as in the call before": lambda x, before: before is not None and x == before,
}


@dataclass(frozen=True)
class Altered:
    """An object that is nearly the reference's: what is said of it, and how it is made."""

    name: str
    text: str
    hint: str
    make: Callable[..., Any]
    about: str = ""  # which quantity of the reference's is otherwise


class Otherwise:
    """The reference's object, of which another function answers; it may put a new one into its place."""

    def __init__(self, plain: Callable[..., Any], around: AROUND, args: tuple[Any, ...], kwargs: Mapping[str, Any]):
        self.anew = lambda: plain(*args, **kwargs)
        self.inner, self.around = self.anew(), around
        self.notes: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.inner, name)
        if callable(value):
            return lambda *args: self.around(self, name, args)
        return self.around(self, name, None)


def asked(mine: Otherwise, method: str, args: tuple[Any, ...] | None) -> Any:
    """What the reference's object does."""
    value = getattr(mine.inner, method)
    return value if args is None else value(*args)


def making(plain: Callable[..., Any], around: AROUND) -> Callable[..., Any]:
    return lambda *args, **kwargs: Otherwise(plain, around, args, kwargs)


class SeenLife(Life):
    """What was seen of one object, or of several at once; their calls are made directly, which takes little time."""

    def __init__(self, exercise: Exercise, s: Seen, number: int, mine: Sequence[Observation], helpers: Helpers):
        super().__init__(exercise, s.group, s.probes[number], mine, helpers)

    def told(self, function: Callable[..., Any]) -> Iterator[Behaviour]:
        probe = self.probe
        assert isinstance(probe, Script)
        try:
            objects = {str(i): function(**fresh(probe.new, self.helpers)) for i in range(1, probe.others + 2)}
            yield from (o.behaviour for o in self.mine[: len(objects)])
            for call, args in probe.calls:
                _, target, method = called(call)
                value = getattr(objects[target or "1"], method)
                yield Behaviour(value if args is None else value(*fresh(args, self.helpers)))
        except Exception as error:
            yield Behaviour(error=type(error).__name__)


# ------------------------------------------------------------------------------------------------------------- in words
class AlteredLives:
    """What can be said of wrong answers of objects by making such objects."""

    def __init__(self, exercise: Exercise, seen: Sequence[Seen], failed: Sequence[Seen], answers: Answers):
        self.exercise, self.seen, self.failed, self.answers = exercise, seen, failed, answers
        self.helpers = answers.helpers

    @property
    def tells(self) -> bool:
        """Whether there are objects, and the wrong numbers say enough."""
        probes = [probe for s in self.seen for probe in s.probes]
        objects = self.exercise.is_class and all(isinstance(p, Script) and alone(p) for p in probes)
        return objects and Lives(self.exercise, self.seen, self.failed).evidence >= TELLING

    def told(self) -> Diagnosis | None:
        """What is said in the task's own words: where it remembers, and what it hears."""
        if not self.tells:
            return None
        return self.shared() or self.first_like(chain(self.unheard(), self.forgetful()))

    def remembered(self) -> Diagnosis | None:
        """What is said of one quantity that the solution remembers, by its name there; nothing if it may be another."""
        for others in (self.begun, self.miscounted, self.coupled) if self.tells else ():
            found = list(self.alike(others()))
            if found:
                return said_of(found[0]) if len({other.about for other in found}) == 1 else None
        return None

    def in_some_groups(self) -> InParts | None:
        """What is said of half of the groups at least, each by itself, and the others."""
        found: list[tuple[Seen, Diagnosis]] = []
        for s in self.failed if 1 < len(self.failed) <= GROUPS else ():
            alone = AlteredLives(self.exercise, [s, *passed(self.seen)], [s], self.answers).remembered()
            found += [(s, alone)] if alone else []
        if len({d.text for _, d in found}) != 1 or 2 * len(found) < len(self.failed):
            return None
        (_, first), explained = found[0], [s for s, _ in found]
        text = f"{in_these([s.group.name for s in explained])}: {lower(first.text)}"
        return InParts(replace(first, text=text), [s for s in self.failed if s not in explained])

    def first_like(self, others: Iterable[Altered]) -> Diagnosis | None:
        return next(map(said_of, self.alike(others)), None)

    def alike(self, others: Iterable[Altered]) -> Iterator[Altered]:
        """Those that give every answer that came."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for other in others:
                if all(life.reproduces(other.make) for life in chain(self.firsts, self.every)):
                    yield other

    @cached_property
    def firsts(self) -> list[SeenLife]:
        """Of each group that failed what was seen up to the failure: most are out there."""
        return [SeenLife(self.exercise, s, failed_probe(s), failed_steps(s), self.helpers) for s in self.failed]

    @cached_property
    def every(self) -> list[SeenLife]:
        """All that was seen, in the order in which it was asked."""
        numbered = ((s, number) for s in self.seen for number in range(len(s.probes)))
        return [SeenLife(self.exercise, s, number, of_probe(s, number), self.helpers) for s, number in numbered]

    # ---- outside the object
    def shared(self) -> Diagnosis | None:
        """One after another, as they were asked: what an earlier life left is there in a later one."""
        changing = list(self.changing)
        several = [changing, *([name] for name in changing)] if len(changing) > 1 else [changing]
        for names in several if changing else ():
            for once in (True, False):
                make = sharing(self.exercise.plain, names, once=once)
                if all(life.reproduces(make) for life in self.every):
                    return outside(once)
        return None

    @cached_property
    def changing(self) -> dict[str, Any]:
        """What an object remembers: the attributes of the reference's that its calls change, as they were before."""
        found: dict[str, Any] = {}

        def watch(mine: Otherwise, method: str, args: tuple[Any, ...] | None) -> Any:
            before = remembered(mine.inner)
            value = asked(mine, method, args)
            for name, x in remembered(mine.inner).items():
                if differs(before, name, x):
                    found.setdefault(name, before.get(name))
            return value

        for life in self.firsts:
            life.reproduces(making(self.exercise.plain, watch))
        return found

    # ---- what is heard
    def arguments(self) -> Iterator[tuple[str, int, str]]:
        """Methods that are told numbers, and which of their arguments are any."""
        calls = (call for s in self.seen for p in s.probes if isinstance(p, Script) for call in p.calls)
        found = {
            (call.rpartition(".")[2], i): None
            for call, args in calls
            for i, arg in enumerate(args or ())
            if type(arg) in (int, float)
        }
        yield from ((method, i, argument_name(self.exercise, method, i)) for method, i in found)

    def unheard(self) -> Iterator[Altered]:
        plain = self.exercise.plain
        for method, index, name in self.arguments():
            for words, trait in TRAITS.items():
                there = f"a call of `{method}` whose `{name}` {words}"
                hint = f"What do your lines do when `{name}` {words}?"
                for does, text in (
                    ("skip", f"Your object behaves as if it took no notice of {there}."),
                    (
                        "forget",
                        f"Your object behaves as if it began anew after {there}, which is forgotten, too.",
                    ),
                    ("restart", f"Your object behaves as if it began anew with {there}: all before it is forgotten."),
                ):
                    around = hearing(method, index, trait, does)
                    yield Altered(
                        "call_not_heard" if does == "skip" else "begins_anew", text, hint, making(plain, around)
                    )

    def forgetful(self) -> Iterator[Altered]:
        plain = self.exercise.plain
        told = dict.fromkeys(method for method, _, _ in self.arguments())
        for method in told:
            text = f"Your object behaves as if it took in what `{method}` is told one call late."
            yield Altered(
                "told_late", text, "Is the newest call in the answer already?", making(plain, delayed(method))
            )
            text = f"Your object behaves as if it remembered nothing: each call of `{method}` does what the first does."
            hint = "Where does your object keep what it was told, and who else writes there?"
            yield Altered("begins_anew", text, hint, making(plain, clearing_before(method)))
            text = f"Your object behaves as if the first call of `{method}` were left out."
            yield Altered(
                "call_not_heard",
                text,
                "What is different in the very first call?",
                making(plain, without_first(method)),
            )
        asked_for = (
            call.rpartition(".")[2] for s in self.seen for p in s.probes for call, _ in getattr(p, "calls", ())
        )
        for method in dict.fromkeys(method for method in asked_for if method not in told):
            text = f"Your object behaves as if asking for `{method}` made it begin anew."
            yield Altered(
                "begins_anew", text, "Why should asking change anything?", making(plain, clearing_after(method))
            )

    # ---- what is remembered
    def begun(self) -> Iterator[Altered]:
        """One of the changing quantities begins with another number."""
        hint = "With what does your object begin, before it was told anything?"
        for name, begun in self.changing.items():
            for words, number in self.beginnings(type(begun)):
                text = f"Your object behaves as if what the solution calls `{name}` began with {words}."
                yield Altered("begins_otherwise", text, hint, beginning(self.exercise, name, number), name)

    def beginnings(self, kind: type) -> Iterator[tuple[str, Callable[[Mapping[str, Any]], Any]]]:
        """Numbers of a kind to begin with, in words, also those that an object is made with."""
        plain = {int: (("minus one", -1),), float: (("infinity", math.inf), ("NaN", math.nan))}
        for words, x in (("zero", kind(0)), ("one", kind(1)), *plain[kind]) if kind in plain else ():
            yield words, lambda new, x=x: x
        news = [probe.new for s in self.seen for probe in s.probes if isinstance(probe, Script)]
        for name, p in self.exercise.signature.parameters.items():
            if all(type(new.get(name, p.default)) is kind for new in news):
                around = ((f"one more than `{name}`", 1), (f"one less than `{name}`", -1)) if kind is int else ()
                for words, more in ((f"`{name}`", 0), *around):
                    yield words, lambda new, name=name, more=more, p=p: new.get(name, p.default) + more

    def miscounted(self) -> Iterator[Altered]:
        """What counts, one more or one less where it is raised or lowered."""
        hint = "What has already been counted when it is set, and is it counted once more?"
        for name in (name for name, begun in self.changing.items() if type(begun) is int):
            for up, more in product((True, False), (1, -1)):
                moved, one = "raised" if up else "lowered", "more" if more > 0 else "less"
                text = (
                    f"Your object behaves as if `{name}` (the solution's name) became one {one} wherever it is {moved}."
                )
                make = making(self.exercise.plain, miscounting(name, more, up=up))
                yield Altered("miscounted", text, hint, make, name)

    def coupled(self) -> Iterator[Altered]:
        for one, other in permutations(self.changing, 2):
            hint = f"Which of your lines run in a call in which `{one}` changes, and what do they do to the rest?"
            for does, words in (
                ("back", f"set `{other}` back to where it began"),
                ("stays", f"left `{other}` as it was"),
            ):
                text = f"Your object behaves as if a call that changes `{one}` {words} (the names are the solution's)."
                make = making(self.exercise.plain, coupling(one, other, does))
                yield Altered("coupled_changes", text, hint, make, other)


def said_of(other: Altered) -> Diagnosis:
    return said(other.name, other.text, other.hint)


def outside(once: bool) -> Diagnosis:
    if once:
        text = "What your objects remember lies outside them: a new object begins with what those before it were told."
    else:
        text = "What your objects remember lies outside them: what one is told, all know, and a new one sets all back."
    return said("state_outside", text, OUTSIDE)


# ------------------------------------------------------------------------------------------------- what such objects do
def remembered(inner: Any) -> dict[str, Any]:
    """A copy of the attributes of an object that has any."""
    return {name: x if type(x) in PLAIN else copy.deepcopy(x) for name, x in getattr(inner, "__dict__", {}).items()}


def differs(before: Mapping[str, Any], name: str, value: Any) -> bool:
    return name not in before or repr(before[name]) != repr(value)


def sharing(plain: Callable[..., Any], names: Sequence[str], *, once: bool) -> Callable[..., Any]:
    """Objects that keep some attributes in one place; if `once`, nobody begins them anew."""
    kept: dict[str, Any] = {}

    def around(mine: Otherwise, method: str, args: tuple[Any, ...] | None) -> Any:
        vars(mine.inner).update(kept)
        value = asked(mine, method, args)
        kept.update({name: vars(mine.inner)[name] for name in names})
        return value

    def make(*args: Any, **kwargs: Any) -> Otherwise:
        made = Otherwise(plain, around, args, kwargs)
        fresh = {name: vars(made.inner)[name] for name in names}
        kept.update({name: x for name, x in fresh.items() if not once or name not in kept})
        return made

    return make


def hearing(method: str, index: int, trait: Callable[[float, float | None], bool], does: str) -> AROUND:
    """A call with such an argument is skipped, or makes the object begin anew: after it, or with it.

    One that changes nothing, as with no samples, is no such call.
    """

    def around(mine: Otherwise, called: str, args: tuple[Any, ...] | None) -> Any:
        if called != method or args is None or index >= len(args):
            return asked(mine, called, args)
        last, mine.notes["last"] = mine.notes.get("last"), args[index]
        if not trait(args[index], last):
            mine.notes["answer"] = asked(mine, called, args)
            return mine.notes["answer"]
        before = remembered(mine.inner)
        value = asked(mine, called, args)
        if repr(before) == repr(vars(mine.inner)):
            return value
        if does == "skip":
            vars(mine.inner).update(before)
            return mine.notes.get("answer")
        mine.inner = mine.anew()
        return asked(mine, called, args) if does == "restart" else value

    return around


def delayed(method: str) -> AROUND:
    def around(mine: Otherwise, called: str, args: tuple[Any, ...] | None) -> Any:
        if called != method or args is None:
            return asked(mine, called, args)
        before, mine.notes["args"] = mine.notes.get("args"), args
        return None if before is None else asked(mine, called, before)

    return around


def clearing_before(method: str) -> AROUND:
    def around(mine: Otherwise, called: str, args: tuple[Any, ...] | None) -> Any:
        if called == method:
            mine.inner = mine.anew()
        return asked(mine, called, args)

    return around


def clearing_after(method: str) -> AROUND:
    def around(mine: Otherwise, called: str, args: tuple[Any, ...] | None) -> Any:
        value = asked(mine, called, args)
        if called == method:
            mine.inner = mine.anew()
        return value

    return around


def without_first(method: str) -> AROUND:
    def around(mine: Otherwise, called: str, args: tuple[Any, ...] | None) -> Any:
        if called == method and not mine.notes:
            mine.notes["first"] = True
            return None
        return asked(mine, called, args)

    return around


def beginning(exercise: Exercise, name: str, number: Callable[[Mapping[str, Any]], Any]) -> Callable[..., Any]:
    def make(*args: Any, **kwargs: Any) -> Any:
        made = exercise.plain(*args, **kwargs)
        setattr(made, name, number(exercise.signature.bind(*args, **kwargs).arguments))
        return made

    return make


def coupling(one: str, other: str, does: str) -> AROUND:
    """When a call changes one quantity, another one is set back to where it began, or stays as it was."""

    def around(mine: Otherwise, method: str, args: tuple[Any, ...] | None) -> Any:
        here = vars(mine.inner)
        mine.notes.setdefault("begun", here[other])
        before, then = here[one], here[other]
        value = asked(mine, method, args)
        if here[one] != before:
            here[other] = mine.notes["begun"] if does == "back" else then
        return value

    return around


def miscounting(name: str, more: int, *, up: bool) -> AROUND:
    """Where a call raises a count, or lowers it, it becomes one more than it should be, or one less."""

    def around(mine: Otherwise, method: str, args: tuple[Any, ...] | None) -> Any:
        here = vars(mine.inner)
        before = here[name]
        value = asked(mine, method, args)
        if type(here[name]) is int and here[name] != before and (here[name] > before) is up:
            here[name] += more
        return value

    return around
