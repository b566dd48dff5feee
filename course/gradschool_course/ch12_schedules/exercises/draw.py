"""What the probes of this chapter share: options drawn at random, and the steps at which a schedule is asked.

A schedule is a function, so every call is followed by questions to what it returned: `asked(Call(...), [0, 3, 17])`
asks for single steps and for all of them as an array.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.random import Generator

from gradschool_grader.exercise import Call, Tolerance

CHAPTER = "ch12_schedules"
CLOSE = Tolerance(rtol=1e-10, atol=1e-15, per="entry")  # rates may be far apart; each counts in its own size

RETURNS = """Return a *function of the step*: it takes the number of steps that are already done, an int or an array
(N,) of ints, and returns the rate for the next step, a number or an array (N,). The first step asks for step 0."""


def rate(rng: Generator) -> float:
    """A learning rate between 0.003 and 0.9."""
    return float(10.0 ** rng.uniform(-2.5, -0.05))


def number(rng: Generator, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def whole(rng: Generator, low: int, high: int) -> int:
    return int(rng.integers(low, high))


def asked(call: Call, steps: Iterable[int]) -> Call:
    """The call, then each of the steps alone, then an array of one of them, then all of them at once."""
    steps = [int(step) for step in steps]
    return call.then(*((step,) for step in steps), (np.array(steps[-1:]),), (np.array(steps),))


def spread(rng: Generator, last: int, count: int = 5) -> list[int]:
    """Step 0, step 1, and others up to `last`, none twice."""
    return [0, 1, *sorted(map(int, rng.choice(np.arange(2, last), count, replace=False)))]


def around(*places: float) -> list[int]:
    """The steps right before, at and right after each of the places, from 0 on."""
    steps = {int(np.floor(place)) + by for place in places for by in (-1, 0, 1, 2)}
    return sorted(step for step in steps if step >= 0)


def later(factory: Callable[..., Any]) -> Callable[..., Any]:
    """The schedule that counts from 1: it is one step ahead of itself from the start."""

    def answer(*args, **options):
        schedule = factory(*args, **options)
        return lambda step: schedule(step + 1)

    return answer


def one_number(factory: Callable[..., Any], step: Any) -> Callable[..., Any]:
    """Not a function but its value at one step."""

    def answer(*args, **options):
        return factory(*args, **options)(step)

    return answer


def step_by_step(factory: Callable[..., Any]) -> Callable[..., Any]:
    """A function that knows nothing of arrays, put to each of their steps."""

    def answer(*args, **options):
        schedule = factory(*args, **options)

        def at(step):
            if np.ndim(step) == 0:
                return float(schedule(int(step)))
            return np.array([float(schedule(int(one))) for one in step])

        return at

    return answer
