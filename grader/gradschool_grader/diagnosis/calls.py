"""Which calls are wrong: all those with a mask and no others, all those with `training=False`, all single rows.

This names no mistake. It says what the wrong calls have in common and the right ones have not, over everything that was
asked; the numbers of a call are never said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, permutations
from typing import Any

import numpy as np

from ..compare import compare
from ..exercise import Exercise, Script
from ..inside.perform import leaves
from ..observe import parameters
from ..verdict import Diagnosis
from .circumstances import given_to
from .derived import and_so_on
from .seen import Seen
from .words import said

ENOUGH, FEW = 4, 3  # wrong calls, and how many times fewer right ones
MANY = 1000  # numbers that are looked at
USED = " is used"
SEVERAL = 3  # methods that may have mistakes of their own
OPERATORS = {
    "__add__": "+", "__radd__": "+", "__sub__": "-", "__rsub__": "-", "__mul__": "*", "__rmul__": "*", "__pow__": "**",
    "__matmul__": "@", "__truediv__": "/", "__rtruediv__": "/", "__neg__": "-", "__getitem__": "[]",
}  # fmt: skip


@dataclass(frozen=True)
class Trait:
    """What may be said of a call, its opposite, and the arguments that it is about."""

    words: str
    otherwise: str
    about: tuple[str, ...]


Traits = Mapping[Trait, bool]
"""Whether they hold of a call. Those that are not among them do not; about two arguments the call then says nothing."""


def which_calls(exercise: Exercise, seen: Sequence[Seen]) -> Diagnosis | None:
    """What all wrong calls have and no right one: of each single argument the first such trait, or one of two."""
    calls = list(judged(exercise, seen))
    wrong = [traits for traits, right in calls if not right]
    right = [traits for traits, right in calls if right]
    every = dict.fromkeys(trait for traits in (*wrong, *right) for trait in traits)
    found: dict[tuple[str, ...], str] = {}
    for trait in every:
        if words := sets_apart(trait, wrong, right):
            found.setdefault(trait.about, words)
    for count in (1, 2):
        alike = [words for about, words in found.items() if len(about) == count]
        if alike:
            these = and_so_on(alike if count == 1 else alike[:1])
            return wrong_where(these)
    both = two_together(every, wrong, right)
    if both:
        return both
    several = one_of(wrong, right)
    if several:
        return wrong_where(f"{' or '.join(several)} is used")
    most = next((words for trait in every if (words := in_most(trait, wrong, right))), "")
    return only_where(most) if most else None


def only_where(these: str) -> Diagnosis:
    text = f"Your answer is wrong only in calls in which {these}, though not in all of them."
    return said("calls", text, f"Which of your lines does something else when {these}?")


def two_together(every: Iterable[Trait], wrong: Sequence[Traits], right: Sequence[Traits]) -> Diagnosis | None:
    """Two traits that every wrong call has; right ones have the one, or the other, but hardly ever both."""
    if len(wrong) < ENOUGH:
        return None
    sides = [(t, here) for t in every if len(t.about) == 1 for here in (True, False)]
    shared = [(t, here) for t, here in sides if all(mine.get(t, False) is here for mine in wrong)]
    have = {side: [theirs.get(side[0], False) is side[1] for theirs in right] for side in shared}
    found: dict[int, str] = {}
    for one, other in combinations(shared, 2):
        alone = list(zip(have[one], have[other], strict=True))
        either = alone.count((True, False)), alone.count((False, True))
        if one[0].about != other[0].about and min(either) >= 1 and max(either) >= ENOUGH:
            words = " and ".join(t.words if here else t.otherwise for t, here in (one, other))
            found.setdefault(alone.count((True, True)), words)
    fewest = min(found, default=0)
    if not found or ENOUGH * fewest > len(wrong):
        return None
    return only_where(found[fewest]) if fewest else wrong_where(found[0])


def in_most(trait: Trait, wrong: Sequence[Traits], right: Sequence[Traits]) -> str:
    """A trait of a single argument that all wrong calls have and few right ones, in which it may make no difference."""
    for words, here in ((trait.words, True), (trait.otherwise, False)):
        mine = [t.get(trait, False) is here for t in wrong]
        theirs = sum(t.get(trait, False) is here for t in right)
        told_apart = theirs < len(right) and FEW * theirs <= min(len(mine), len(right))
        if len(trait.about) == 1 and all(mine) and len(mine) >= ENOUGH and told_apart:
            return words
    return ""


def wrong_where(these: str) -> Diagnosis:
    text = f"Your answer is wrong in every call in which {these}, and right in all others."
    return said("calls", text, f"Which of your lines does something else when {these}?")


def one_of(wrong: Sequence[Traits], right: Sequence[Traits]) -> list[str]:
    """Methods that no right life uses, and of which every wrong one uses some: of two mistakes each has its own."""
    found: list[str] = []
    left, elsewhere = list(wrong), {trait for traits in right for trait in traits}
    while left and len(found) < SEVERAL:
        used = (trait for traits in left for trait in traits if trait.words.endswith(USED))
        counts = Counter(trait for trait in used if trait not in elsewhere)
        if not counts:
            return []
        trait, _ = counts.most_common(1)[0]
        found.append(trait.words.removesuffix(USED))
        left = [traits for traits in left if trait not in traits]
    return found if not left and len(wrong) > len(found) and right else []


def sets_apart(trait: Trait, wrong: Sequence[Traits], right: Sequence[Traits]) -> str:
    """The trait, or its opposite, in words, if all wrong calls have it and no right one."""
    if min(speaking(trait, wrong), speaking(trait, right)) > len(trait.about):
        for words, here, there in ((trait.words, wrong, right), (trait.otherwise, right, wrong)):
            if all(t.get(trait) for t in here) and not any(t.get(trait) for t in there):
                return words
    return ""


def speaking(trait: Trait, calls: Sequence[Traits]) -> int:
    """How many calls speak for or against it: more than its arguments must, or it says too much of too few."""
    return len(calls) if len(trait.about) == 1 else sum(trait in traits for traits in calls)


def judged(exercise: Exercise, seen: Sequence[Seen]) -> Iterator[tuple[Traits, bool]]:
    """The traits of each call or sequence, and whether its answers are right."""
    for s in seen:
        for number, probe in enumerate(s.probes):
            given = given_to(probe)
            if not given and not (isinstance(probe, Script) and probe.calls):
                continue
            asked = [(e, a) for e, a in zip(s.expected, s.got, strict=False) if e.probe == number]
            right = all(compare(exercise, s.group, e.behaviour, a.behaviour) is None for e, a in asked)
            if isinstance(probe, Script):
                yield dict.fromkeys(of_a_life(probe), True), right
            else:
                yield dict.fromkeys(traits(exercise, given), True) | dict(comparisons(exercise, given)), right


def of_a_life(probe: Script) -> Iterator[Trait]:
    """Which methods are called in an object's life, and with which words, truth values or axes."""
    for call, args in probe.calls:
        method = call.rpartition(".")[2] if args is not None else ""
        if not method or "=" in method:
            continue
        used = f"`{OPERATORS.get(method, method)}`{USED}"
        yield Trait(used, used.replace(" is ", " is not "), (method,))
        for i, x in enumerate(args or ()):
            if x is None or type(x) in (str, bool) or (type(x) is int and abs(x) <= 1):
                yield Trait(f"{used} with `{x!r}`", f"{used} without `{x!r}`", (f"{method} {i}",))


def comparisons(exercise: Exercise, given: Mapping[str, Any]) -> Iterator[tuple[Trait, bool]]:
    """Which of two numbers is larger, of those that were chosen for the call: beside a default it says little."""
    defaults = {name: p.default for name, p in parameters(exercise.plain).items()}
    chosen = {n: x for n, x in given.items() if type(x) in (int, float) and x != defaults.get(n)}
    for (name, x), (other, y) in permutations(chosen.items(), 2):
        words = f"`{name}` is{{}} larger than `{other}`"
        yield Trait(words.format(""), words.format(" not"), (name, other)), x > y


def traits(exercise: Exercise, given: Mapping[str, Any]) -> Iterator[Trait]:
    """What may be said of single arguments."""
    known = parameters(exercise.plain)
    values = {
        name: given.get(name, p.default) for name, p in known.items() if name in given or p.default is not p.empty
    }
    for name, p in known.items():
        if p.default is None and values.get(name) is not None:
            yield Trait(f"`{name}` is given", f"`{name}` is not given", (name,))
    for name, value in values.items():
        if type(value) in (str, bool):
            yield Trait(f"`{name}` is {value!r}", f"`{name}` is not {value!r}", (name,))
    numbers = {name: x for name, x in values.items() if type(x) in (int, float)}
    for name, value in numbers.items():
        for word, holds in (("0", value == 0), ("1", value == 1), ("negative", value < 0)):
            if holds:
                yield Trait(f"`{name}` is {word}", f"`{name}` is not {word}", (name,))
    for name, value in values.items():
        if isinstance(value, np.ndarray):
            yield from of_an_array(name, value)
        elif type(value) in (list, tuple):
            yield from of_a_list(name, value)
        if type(value) in (dict, list, tuple) and any(leaf is None for _, leaf in leaves(value)):
            yield Trait(f"`{name}` has None in it", f"`{name}` has no None in it", (name,))


def of_a_list(name: str, items: Sequence[Any]) -> Iterator[Trait]:
    """How many items it has, and whether they are equally long."""
    for count, word in enumerate(("no item", "a single item")):
        if len(items) == count:
            yield Trait(f"`{name}` has {word}", f"`{name}` has more than {word}", (name,))
    if items and all(type(x) is int for x in items):
        for n in (0, 1):
            if n in items:
                yield Trait(f"`{name}` has a {n} in it", f"`{name}` has no {n} in it", (name,))
    if len(items) > 1 and all(type(x) in (int, float) for x in items):
        falls = any(y < x for x, y in pairwise(items))
        if falls:
            yield Trait(f"`{name}` is not in rising order", f"`{name}` is in rising order", (name,))
    firsts = [next((x for _, x in leaves(item) if isinstance(x, np.ndarray) and x.ndim), None) for item in items]
    if len({len(x) for x in firsts if x is not None}) > 1:
        these = f"the items of `{name}` are {{}}equally long"
        yield Trait(these.format("not "), these.format(""), (name,))


def of_an_array(name: str, x: np.ndarray) -> Iterator[Trait]:
    axes = f"`{name}` has {x.ndim} {'axis' if x.ndim == 1 else 'axes'}"
    yield Trait(axes, axes.replace(" has ", " does not have "), (name,))
    if x.ndim and x.shape[0] == 1:
        yield Trait(f"`{name}` has a single row", f"`{name}` has more than one row", (name,))
    if x.size and (x == 0).all():
        yield Trait(f"`{name}` is zero everywhere", f"`{name}` is not zero everywhere", (name,))
    if x.dtype.kind in "iub":
        yield Trait(f"`{name}` holds whole numbers", f"`{name}` does not hold whole numbers", (name,))
    if x.dtype == np.float32:
        yield Trait(f"`{name}` is in float32", f"`{name}` is not in float32", (name,))
    if x.dtype.kind == "f" and x.size and set(x.flat[:MANY]) <= {0.0, 1.0}:
        only = f"`{name}` holds nothing but zeros and ones"
        yield Trait(only, f"`{name}` holds other numbers than 0 and 1", (name,))
    if x.dtype.kind == "f":
        for word, holds in (("NaN", np.isnan), ("infinite numbers", np.isinf)):
            if holds(x).any():
                yield Trait(f"`{name}` has {word} in it", f"`{name}` has no {word} in it", (name,))
