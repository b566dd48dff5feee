"""Random inputs for the probes, sizes that all differ, and where the chapter explains what can go wrong.

x, gamma, beta = drawn(rng, sizes(rng, 4))          # no channel and no sample has mean 0 or variance 1
state = statistics(rng, x.shape[-1])
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from gradschool_grader.exercise import Tolerance

CHAPTER = "ch08_batchnorm"
CLOSE = Tolerance(rtol=1e-9, atol=1e-11)
LAST = ("batch", "channel")
AXES = {"x": LAST, "return": LAST}

# headings of the chapter, at which a mistake points
STANDARD = "Mean 0 and variance 1"
CHANNELS = "One mean for every channel"
EPSILON = "What ε is for"
SCALE = "Scale and shift"
TWO_MODES = "Two ways of working"
REMEMBERED = "What is remembered"
ONE_SAMPLE = "A batch of one"
BACK = "Back through mean and variance"
THREE_WAYS = "Three ways to the loss"
CONSTANTS = "When nothing depends on the batch"
FOLDED = "Fold it away"
RECOUNT = "Count again"
WITHOUT = "Without a batch"
LAYERS = "Layer norm"
INSTANCES = "Instance norm"
GROUPS = "Group norm"
RESPONSE = "Neighbours compete"


def sizes(rng: Generator, axes: int) -> tuple[int, ...]:
    """Different sizes for all axes, none below 3."""
    return tuple(int(n) for n in rng.choice(np.arange(3, 9), size=axes, replace=False))


def features(rng: Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers whose mean and spread differ from channel to channel, from place to place and from sample to sample."""
    x = rng.normal(size=shape)
    for axis, n in enumerate(shape):
        along = [n if i == axis else 1 for i in range(len(shape))]
        x = x * rng.permutation(np.geomspace(0.6, 1.7, n)).reshape(along) + rng.normal(size=along)
    return x + 1.5


def vectors(rng: Generator, C: int) -> tuple[np.ndarray, np.ndarray]:
    """A scale of both signs, no two alike, and a shift."""
    signs = rng.permutation(np.where(np.arange(C) % 3 == 0, -1.0, 1.0))
    return signs * rng.permutation(np.linspace(0.5, 2.2, C)), rng.normal(size=C) + 0.3


def drawn(rng: Generator, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """x, gamma and beta."""
    gamma, beta = vectors(rng, shape[-1])
    return {"x": features(rng, shape), "gamma": gamma, "beta": beta}


def quiet(rng: Generator, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """The same, but that no variance of x comes near to a large eps."""
    found = drawn(rng, shape)
    return found | {"x": 0.03 * found["x"]}


def far_out(rng: Generator, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """The same, but that every mean of x is so large beside its spread that a difference of squares loses digits."""
    found = drawn(rng, shape)
    return found | {"x": 3e4 + found["x"]}


def statistics(rng: Generator, C: int) -> dict[str, np.ndarray]:
    """Running statistics in the midst of training."""
    return {"mean": rng.normal(size=C), "var": rng.permutation(np.linspace(0.3, 3.0, C)) * rng.uniform(0.9, 1.1)}


def number(rng: Generator, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def whole(rng: Generator, low: int, high: int) -> int:
    return int(rng.integers(low, high))


def large_eps(rng: Generator) -> float:
    """So large that its place shows."""
    return number(rng, 0.05, 0.4)


def double(tree: Any) -> Any:
    """The same numbers in float64."""
    if isinstance(tree, dict):
        return {name: double(part) for name, part in tree.items()}
    if isinstance(tree, tuple):
        return tuple(double(part) for part in tree)
    return tree.astype(float) if isinstance(tree, np.ndarray) else tree


def in_double(function: Any) -> Any:
    """A right answer that turns everything into float64."""

    def answer(*args, **options):
        return double(function(*args, **options))

    return answer
