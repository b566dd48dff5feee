"""What the probes of this chapter share: a few parameters of different shapes, and gradients of different magnitudes.

params = arrays(rng)                        # {"W": (3, 5), "b": (4,), "U": (3, 5)}
feed = gradients(rng, 5)                    # five steps' worth of {"grads": ...}
feed = gradients(rng, 5, order=OTHER)       # the same names, standing in another order
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import Generator

from gradschool_grader.exercise import Steps

SHAPES = {"W": (3, 5), "b": (4,), "U": (3, 5)}  # two of one shape: a mix-up of names then raises nothing
OTHER = ("U", "b", "W")

NAMED = """`params` and `grads` are dicts of arrays: the same names, the same shape under each, in whatever order the
names stand. Return `(params, state)`: new dicts with new arrays, in the dtype of the parameters. The arguments stay as
they are."""


def arrays(rng: Generator, size: float = 1.0) -> dict[str, np.ndarray]:
    """Entries of both signs around `size`."""
    return {name: size * rng.normal(size=shape) for name, shape in SHAPES.items()}


def squares(rng: Generator, size: float = 1.0) -> dict[str, np.ndarray]:
    """Positive entries over two decades around `size`: what an average of squares may hold."""
    return {name: size * 10.0 ** rng.uniform(-1, 1, size=shape) for name, shape in SHAPES.items()}


def gradient(rng: Generator, size: float = 1.0, order: tuple[str, ...] = tuple(SHAPES)) -> dict[str, np.ndarray]:
    """Entries of both signs over two decades around `size`."""
    return {n: size * rng.normal(size=SHAPES[n]) * 10.0 ** rng.uniform(-1, 1, size=SHAPES[n]) for n in order}


def gradients(rng: Generator, steps: int, size: float = 1.0, order: tuple[str, ...] = tuple(SHAPES)) -> list[Any]:
    """Of four steps or more, the third has an array whose gradient is 0 throughout: what is remembered still moves."""
    feed = [{"grads": gradient(rng, size, order)} for _ in range(steps)]
    if steps > 3:
        feed[2]["grads"]["b"] *= 0.0
    return feed


def ending_at_naught(feed: list[Any], **options: float) -> list[Any]:
    """These options in every step; in the last they are 0, which is a value like others."""
    return [*(step | options for step in feed[:-1]), feed[-1] | dict.fromkeys(options, 0.0)]


def as_they_come(rng: Generator, state: dict[str, Any], size: float = 1.0) -> Steps:
    """Three steps with every option left out: the defaults count, and gradients as small as eps show that of eps."""
    return Steps({"params": arrays(rng), "state": state}, gradients(rng, 3, size))


def number(rng: Generator, low: float, high: float) -> float:
    """A Python float: a NumPy scalar would turn float32 parameters into float64."""
    return float(rng.uniform(low, high))


def zeros() -> dict[str, np.ndarray]:
    return {name: np.zeros(shape) for name, shape in SHAPES.items()}


def split(new: dict[str, tuple[Any, ...]]) -> tuple[dict[str, Any], ...]:
    """{"W": (p, v), "b": (p, v)} as ({"W": p, "b": p}, {"W": v, "b": v})."""
    count = len(next(iter(new.values())))
    return tuple({name: parts[i] for name, parts in new.items()} for i in range(count))


def in_place(right: Callable[..., Any]) -> Callable[..., Any]:
    """The right numbers, written into the caller's own arrays with `-=`, which are then returned."""

    def wrong(params, grads, state, *args, **options):
        moved, state = right(params, grads, state, *args, **options)
        for name in params:
            params[name] += moved[name] - params[name]
        return params, state

    return wrong


def by_position(right: Callable[..., Any]) -> Callable[..., Any]:
    """The first gradient goes with the first parameter, whatever their names are."""

    def wrong(params, grads, state, *args, **options):
        return right(params, dict(zip(params, grads.values(), strict=True)), state, *args, **options)

    return wrong


def forgetful(right: Callable[..., Any]) -> Callable[..., Any]:
    """The step is right, but the state that it was given is what it returns."""

    def wrong(params, grads, state, *args, **options):
        moved, _ = right(params, grads, state, *args, **options)
        return moved, {key: part.copy() if isinstance(part, dict) else part for key, part in state.items()}

    return wrong


def idle(right: Callable[..., Any]) -> Callable[..., Any]:
    """What has a gradient of 0 throughout is passed over: it keeps its place, and what is remembered of it."""

    def wrong(params, grads, state, *args, **options):
        moved, new = right(params, grads, state, *args, **options)
        for name in (name for name, g in grads.items() if not np.any(g)):
            moved[name] = params[name].copy()
            for key in (key for key, part in state.items() if isinstance(part, dict)):
                new[key][name] = state[key][name].copy()
        return moved, new

    return wrong
