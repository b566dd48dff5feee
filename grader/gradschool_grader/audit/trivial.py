"""Answers without thought: zeros, ones, NaN, the input echoed, the right shape filled with anything. None may pass.

Each is made from the reference, so that structure, shapes and dtypes are right and only the numbers are not: a group
that lets one pass tests nothing but shapes.

    answers = trivial_answers(exercise, helpers, seed=3)
    answers["zeros"](x)        # zeros of the shape that the reference returns
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..answers import LiveAnswers
from ..exercise import Exercise
from ..inside.perform import leaves

__all__ = ["same_signature", "trivial_answers"]

Fill = Callable[[np.ndarray, str, Sequence[Any]], Any]
"""(the right leaf, its path, the arguments) -> numbers in its place."""


def trivial_answers(exercise: Exercise, helpers: Mapping[str, Callable[..., Any]], seed: int) -> dict[str, Any]:
    """Trivial answers by name; `seed` draws the random ones and what the constant is the mean of."""
    rng = np.random.default_rng(seed)
    means = averages(exercise, helpers, seed + 1_000_003)  # of another draw: the mean itself is not known to anybody
    overall = float(np.mean([*means.values(), 0.0]))
    fills: dict[str, Fill] = {
        "zeros": lambda right, path, args: np.zeros(right.shape),
        "ones": lambda right, path, args: np.ones(right.shape),
        "NaN": lambda right, path, args: np.full(right.shape, np.nan),
        "the input echoed": echo,
        "random numbers": lambda right, path, args: rng.normal(size=right.shape) * (1 + np.abs(right).mean()),
        "a constant, right on average": lambda right, path, args: np.full(right.shape, means.get(path, overall)),
    }
    answers = {name: instead(exercise.plain, fill) for name, fill in fills.items()}
    return answers | {
        "the first argument": first_argument(exercise),
        "None": returning_none(exercise),
        "every input refused": refusing(exercise),
    }


# --------------------------------------------------------------------------------------------------- other numbers
def instead(right: Any, fill: Fill) -> Any:
    """`right`, a function or class, with all numbers that it gives replaced. It refuses nothing."""
    if isinstance(right, type):
        return class_instead(right, fill)

    def answer(*args: Any, **kwargs: Any) -> Any:
        try:
            with np.errstate(all="ignore"):
                value = right(*args, **kwargs)
        except Exception:
            return 0.0
        return refilled(value, fill, [*args, *kwargs.values()])

    return answer


def class_instead(right: type, fill: Fill) -> type:
    """A class whose objects do as the right ones do, and answer with other numbers."""

    class Answer:
        def __init__(self, *args: Any, **kwargs: Any):
            object.__setattr__(self, "_right", right(*args, **kwargs))

        def __getattr__(self, name: str) -> Any:
            return refilled(getattr(self._right, name), fill, ())

    return Answer


def refilled(value: Any, fill: Fill, args: Sequence[Any], path: str = "") -> Any:
    """The same tree with other numbers: dtypes stay where the numbers allow it."""
    if type(value) in (list, tuple):
        return type(value)(refilled(item, fill, args, f"{path}[{i}]") for i, item in enumerate(value))
    if type(value) is dict:
        return {key: refilled(item, fill, args, f"{path}[{key!r}]") for key, item in value.items()}
    if isinstance(value, str):
        return ""
    if isinstance(value, bool | int | float | np.ndarray | np.generic):
        return like(value, fill(np.asarray(value), path, args))
    return instead(value, fill) if callable(value) and not isinstance(value, type) else value


def like(right: Any, other: Any) -> Any:
    """`other` in the type of the right answer, as far as it can be said in it."""
    other = np.asarray(other)
    dtype = np.asarray(right).dtype
    if other.shape == np.shape(right) and np.isfinite(other.astype(float)).all():
        other = other.round() if dtype.kind in "iu" else other > 0.5 if dtype.kind == "b" else other
        other = other.astype(dtype)
    return other if isinstance(right, np.ndarray) or other.ndim else other.item()


def echo(right: np.ndarray, path: str, args: Sequence[Any]) -> Any:
    """The first argument of the shape that is wanted, else the first array: never the array itself, but a copy."""
    arrays = [leaf for _, leaf in leaves(list(args)) if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "biuf"]
    numbers = [leaf for _, leaf in leaves(list(args)) if type(leaf) in (int, float)]
    fitting = [array for array in arrays if array.shape == right.shape] or (numbers if not right.shape else [])
    return np.array([*fitting, *arrays, *numbers, 0.0][0], float, copy=True) if (fitting or arrays) else np.zeros(())


def averages(exercise: Exercise, helpers: Mapping[str, Callable[..., Any]], seed: int) -> dict[str, float]:
    """The mean of each part of the reference's answers, by its path, over all probes of a draw."""
    answers = LiveAnswers(exercise, helpers, seed)
    entries: dict[str, list[float]] = {}
    for group in exercise.groups:
        for observation in answers.expected(group):
            for path, leaf in leaves(observation.behaviour.value):
                if isinstance(leaf, bool | int | float | np.ndarray) and np.asarray(leaf).dtype.kind in "biuf":
                    numbers = np.asarray(leaf, float)
                    entries.setdefault(path, []).extend(numbers[np.isfinite(numbers)].ravel()[:1000].tolist())
    return {path: float(np.mean(values)) for path, values in entries.items() if values}


# --------------------------------------------------------------------------------------------------- no numbers at all
def first_argument(exercise: Exercise) -> Any:
    def answer(*args: Any, **kwargs: Any) -> Any:
        first = [*args, *kwargs.values(), None][0]
        return first.copy() if isinstance(first, np.ndarray | dict) else first

    return answer


def returning_none(exercise: Exercise) -> Any:
    return Silent if exercise.is_class else lambda *args, **kwargs: None


def refusing(exercise: Exercise) -> Any:
    def answer(*args: Any, **kwargs: Any) -> Any:
        raise ValueError("this input is refused")

    return type("Refusing", (), {"__init__": answer}) if exercise.is_class else answer


class Silent:
    """Takes everything, says nothing."""

    def __init__(self, *args: Any, **kwargs: Any):
        pass

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: None


# -------------------------------------------------------------------------------------------------- the wrong exercise
def same_signature(exercise: Exercise, others: Sequence[Exercise]) -> list[Exercise]:
    """The exercises whose solutions could be handed in here by mistake: they can be called in the same way."""
    return [other for other in others if other is not exercise and shape(other) == shape(exercise)]


def shape(exercise: Exercise) -> tuple[Any, ...]:
    """Kind, order and the names that count: what has no default is given by position, whatever it is called."""
    parameters = exercise.signature.parameters.values()
    named = [(p.kind, p.name if p.default is not p.empty or p.kind is p.KEYWORD_ONLY else "") for p in parameters]
    methods = sorted(vars(exercise.plain)) if exercise.is_class else []
    return exercise.is_class, *methods, *named
