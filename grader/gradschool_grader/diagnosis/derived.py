"""Other calls of the reference that are wrong answers: an option left out, two arguments exchanged, one for another.

Each changes the arguments by name before the reference is called; `relatives` sees whether an answer behaves like that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from inspect import Signature
from itertools import combinations, permutations, product
from typing import Any

import numpy as np

from ..exercise import Exercise
from .arguments import ARRAYS, NUMBERS, Arguments, alike, is_floats, parallel, slots
from .seen import defaults

MOST = 4  # options of which any may be forgotten together


@dataclass(frozen=True)
class Derived:
    """A change of the arguments by which the reference becomes the wrong answer."""

    name: str
    text: str
    change: Callable[[Arguments], Arguments]
    hint: str = ""
    after: Callable[[Any, Arguments], Any] = lambda made, args: made  # what becomes of what it returns


def called(function: Callable[..., Any], signature: Signature, change: Derived, *args: Any, **kwargs: Any) -> Any:
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    given = dict(bound.arguments)
    return change.after(function(**change.change(given)), given)


# --------------------------------------------------------------------------------------------------------- changes
def other_calls(exercise: Exercise, given: Sequence[Arguments]) -> Iterator[Derived]:
    yield from options(exercise, given)
    yield from exchanged(exercise, given)
    yield from transposed(exercise, given)
    yield from forgotten(exercise, given)
    yield from one_more(exercise, given)
    sample = defaults(exercise)
    for args in reversed(given):
        sample |= {name: x for name, x in args.items() if x is not None}
    yield from other_numbers(sample)
    yield from other_trees(sample)
    yield from neutral(sample)
    yield from in_place_of(sample)
    yield from sums(sample)
    yield from twice(exercise, sample)
    yield from shares(sample, given)


def options(exercise: Exercise, given: Sequence[Arguments]) -> Iterator[Derived]:
    """An option that is given and not used, or several of them."""
    known = exercise.signature.parameters.items()
    optional = {n: p.default for n, p in known if p.default is not p.empty and any(n in args for args in given)}
    for name, default in optional.items():
        text = f"Your answer is what comes out with `{name}={default!r}`, whatever `{name}` is."
        hint = f"Which of your lines uses `{name}`?"
        yield Derived("ignored", text, lambda args, n=name: {k: x for k, x in args.items() if k != n}, hint)
    for several in (s for size in range(2, len(optional) + 1) for s in combinations(optional, size)):
        if len(optional) <= MOST or len(several) == len(optional):
            listed = and_so_on([f"`{name}`" for name in several])
            text = f"Your answer is what comes out without {listed}, whatever they are."
            yield Derived("ignored", text, lambda args, s=several: {k: x for k, x in args.items() if k not in s},
                          f"Which of your lines use {listed}?")  # fmt: skip


def and_so_on(words: Sequence[str]) -> str:
    """`a`, `b` and `c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def exchanged(exercise: Exercise, given: Sequence[Arguments]) -> Iterator[Derived]:
    """Two arguments in each other's place."""
    names = [name for name in exercise.signature.parameters if any(name in args for args in given)]
    for x, y in combinations(names, 2):
        if all(alike(args.get(x), args.get(y)) for args in given if x in args and y in args):
            text = f"Your answer is right for `{x}` and `{y}` in each other's place."
            yield Derived("exchanged", text, lambda args, x=x, y=y: {**args, x: args[y], y: args[x]},
                          f"Where do `{x}` and `{y}` stand in the formula, and where in your lines?")  # fmt: skip


def transposed(exercise: Exercise, given: Sequence[Arguments]) -> Iterator[Derived]:
    """The axes of tables exchanged: what should run over the one ran over the other."""
    tables = [name for name, x in given[0].items() if isinstance(x, np.ndarray) and x.ndim == 2]
    for names in ([tables] if len(tables) > 1 else []) + [[name] for name in tables]:
        listed = " and ".join(f"`{name}`" for name in names)
        text = f"Your answer is right for {listed} transposed: it runs over the wrong axis."
        yield Derived("axis", text, lambda args, names=tuple(names): {**args, **{n: args[n].T for n in names}},
                      "Which axis does each of your sums run over, and which one is meant?")  # fmt: skip


def forgotten(exercise: Exercise, given: Sequence[Arguments]) -> Iterator[Derived]:
    """What the state holds is not used: as if it were zero."""
    for name, value in given[0].items():
        if type(value) is dict and all(type(x) is dict for x in value.values()):
            for slot in value:
                text = (
                    f"Your answer is what comes out if `{name}[{slot!r}]` is zero before every step: it is forgotten."
                )
                yield Derived("forgotten", text, lambda args, n=name, s=slot: zeroed(args, n, s),
                              f"What is `{name}[{slot!r}]` kept for, if nothing reads it?")  # fmt: skip


def zeroed(args: Arguments, name: str, slot: str) -> Arguments:
    return {**args, name: {**args[name], slot: {k: 0 * x for k, x in args[name][slot].items()}}}


def one_more(exercise: Exercise, given: Sequence[Arguments]) -> Iterator[Derived]:
    """A count that is one too large or too small."""
    for name, value in given[0].items():
        for key in whole_numbers(value):
            shown = f"`{name}`" if key is None else f"`{name}[{key!r}]`"
            for by, word in ((1, "one larger"), (-1, "one smaller")):
                yield Derived("shifted_count", f"The numbers that come are those for {shown} {word} than it is.",
                              lambda args, n=name, k=key, by=by: counted(args, n, k, by),
                              f"When is {shown} raised: before it is used, or after?")  # fmt: skip


def elsewhere() -> Iterator[Derived]:
    """The function that is returned, at another place than the one that it is asked for."""
    hint = "Take the first place that it is asked for, 0 say: what do your lines make of it, step by step?"
    for word, function in PLACES.items():
        text = f"The function that you return is right for {word}."
        yield Derived("elsewhere", text, lambda args: args, hint, lambda made, _, f=function: lambda x: made(f(x)))


PLACES: dict[str, Callable[[float], float]] = {
    "one more than it is asked for": lambda x: x + 1,
    "one less than it is asked for": lambda x: x - 1,
    "twice what it is asked for": lambda x: 2 * x,
    "half of what it is asked for": lambda x: x / 2,
}


def whole_numbers(value: Any) -> list[str | None]:
    """The argument itself (None), or the keys of a dict under which there is a count."""
    if type(value) is dict:
        return [key for key, x in value.items() if type(x) is int]
    return [None] if type(value) is int else []


def counted(args: Arguments, name: str, key: str | None, by: int) -> Arguments:
    return {**args, name: args[name] + by if key is None else {**args[name], key: args[name][key] + by}}


def other_numbers(given: Arguments) -> Iterator[Derived]:
    """A hyperparameter's complement, half, double, 0 or 1; an array without signs or fractions, or none at all."""
    trees = tuple(f"{name}[" for name in parallel(given))  # of these all arrays have one mistake
    for shown, get, put in slots(given):
        value = get(given)
        if type(value) is bool:
            text = f"Your answer is right for `{shown}` the other way round."
            yield Derived("other_way", text, lambda args, g=get, p=put: p(args, not g(args)),
                          f"What do you do where `{shown}` holds, and what where it does not?")  # fmt: skip
        if type(value) is float:
            hint = f"What does `{shown}` stand for in the task, and what in your lines?"
            for word, function in NUMBERS.items():
                text = f"Your answer is right for {word.format(f'`{shown}`')} in the place of `{shown}`."
                yield Derived("other_number", text, lambda args, g=get, p=put, f=function: p(args, f(g(args))), hint)
        if isinstance(value, np.ndarray) and value.dtype.kind == "f" and not shown.startswith(trees):
            hint = f"What do you do with `{shown}` before you use it?"
            for word, function in ARRAYS.items():
                text = f"Your answer is right for {word.format(f'`{shown}`')}."
                yield Derived("other_input", text, lambda args, g=get, p=put, f=function: p(args, f(g(args))), hint)


def other_trees(given: Arguments) -> Iterator[Derived]:
    """All arrays of a tree at once: `grads` without their signs, zeros in the place of `params`."""
    for name in parallel(given):
        for word, function in ARRAYS.items():
            yield Derived("other_input", f"Your answer is right for {word.format(f'`{name}`')}.",
                          lambda args, n=name, f=function: {**args, n: {k: f(x) for k, x in args[n].items()}},
                          f"What do you do with `{name}` before you use it?")  # fmt: skip


def neutral(given: Arguments) -> Iterator[Derived]:
    """A scale of ones and a shift of zeros: neither is used. Or one of each serves all."""
    tables = [name for name, x in given.items() if isinstance(x, np.ndarray) and x.dtype.kind == "f"]
    for scale, shift in permutations(tables, 2):
        if alike(given[scale], given[shift]):
            text = f"Your answer is right for ones in the place of `{scale}` and zeros in that of `{shift}`."
            yield Derived("neutral", text, lambda args, one=scale, zero=shift: {
                **args, one: np.ones_like(args[one]), zero: np.zeros_like(args[zero])},
                f"Where in your lines do `{scale}` and `{shift}` stand?")  # fmt: skip
    for (one, other), (word, number) in product(combinations(tables, 2), ONE_NUMBER.items()):
        if alike(given[one], given[other]):
            text = f"Your answer is right for {word} of `{one}` and of `{other}` in the place of all their numbers."
            yield Derived("one_for_all", text, lambda args, both=(one, other), f=number: {
                **args, **{n: np.full_like(args[n], f(args[n])) for n in both}},
                "Which entry of them belongs to which entry of the answer?")  # fmt: skip


ONE_NUMBER: dict[str, Callable[[np.ndarray], float]] = {"the mean": np.mean, "the first": lambda x: x.flat[0]}


def in_place_of(given: Arguments) -> Iterator[Derived]:
    """One argument used where another one of its kind belongs, and in its own place too."""
    for (one, get, _), (other, its, put) in permutations(slots(given), 2):
        if alike(get(given), its(given)) and type(get(given)) is not int:  # so many layers may take too long
            text = f"Your answer is right for `{one}` in the place of `{other}`."
            yield Derived("in_place_of", text, lambda args, g=get, p=put: p(args, g(args)),
                          f"Where does `{other}` come in, and is it `{other}` that stands there?")  # fmt: skip


def sums(given: Arguments) -> Iterator[Derived]:
    """What is to be multiplied by an argument is added to it."""
    for name, x in given.items():
        if is_floats(x):
            text = f"Your answer is the right one for ones in the place of `{name}`, plus `{name}`."
            yield Derived("sum", text, lambda args, n=name: {**args, n: np.ones_like(args[n])},
                          f"Is `{name}` a term here, or a factor?",
                          lambda made, args, n=name: made + args[n])  # fmt: skip


def twice(exercise: Exercise, given: Arguments) -> Iterator[Derived]:
    """What comes out goes in once more."""
    for name, x in given.items():
        if is_floats(x):
            text = f"Your answer is what comes out if the right answer takes the place of `{name}` once more."
            yield Derived("twice", text, lambda args: args,
                          "Is one step taken twice, here and where it was taken before?",
                          lambda made, args, n=name: exercise.plain(**{**args, n: made}))  # fmt: skip


def shares(sample: Arguments, given: Sequence[Arguments]) -> Iterator[Derived]:
    """One over a number of rows in the place of what the numbers are weighted with."""
    counted: dict[int, tuple[str, Callable[[Arguments], Any]]] = {}
    for name, get, _ in slots(sample):
        if all(is_table(there(get, args)) for args in given):
            counted.setdefault(len(get(sample)), (name, get))
    for (rows, get), (shown, its, put) in product(counted.values(), slots(sample)):
        if shown != rows and (is_floats(its(sample)) or type(its(sample)) is float):
            text = f"Your answer is right for one over the number of rows of `{rows}` in the place of `{shown}`."
            yield Derived("share", text, lambda args, g=get, i=its, p=put: p(args, 0 * i(args) + 1 / len(g(args))),
                          f"What does `{shown}` stand for, and where do your lines use it?")  # fmt: skip


def is_table(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.ndim > 0


def there(get: Callable[[Arguments], Any], args: Arguments) -> Any:
    """What a call was given; None where it was not."""
    try:
        return get(args)
    except (KeyError, TypeError):
        return None
