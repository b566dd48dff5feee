"""What the exercises of this chapter share: its headings, parameters drawn at random, statistics of what is dropped."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import Generator

from gradschool_grader.exercise import Call, Helper, Property, Seed, Tolerance
from gradschool_grader.sigma import SIX, SixSigma

CHAPTER = "ch13_regularization"
CLOSE = Tolerance(rtol=1e-9, atol=1e-12)

# headings of the chapter, at which a mistake points
PRICE = "A price on weights"
CORNER = "The corner at zero"
ONLY_WEIGHTS = "Weights, and nothing else"
FORMS = "Three forms of one penalty"
TWO_DECAYS = "Two decays that are not the same"
BOUND = "A bound instead of a price"
DROP = "Another network at every step"
INVERTED = "Scale now, not later"
OWN_CHANCE = "A chance of its own for every number"
NOTHING_DROPPED = "When nothing is dropped"
BACK = "The way back"
ALPHA = "Dropout for networks of SELU"
HUNDRED = "Asking a hundred networks"
STOP = "Stop while it is good"
MOVED = "Data out of data"

EXACTLY = "A random number is exactly the rate once in 10^16 draws; whether that one is kept does not matter."
NAMES = 'Weights are the arrays whose names begin with `"W"`; biases, scales and shifts have other names, and one axis.'


def sizes(rng: Generator, axes: int, low: int = 3, high: int = 9) -> tuple[int, ...]:
    """Different sizes for all axes."""
    return tuple(int(n) for n in rng.choice(np.arange(low, high), size=axes, replace=False))


def parameters(rng: Generator, kernel: bool = False) -> dict[str, np.ndarray]:
    """A dense layer with batch norm and another layer, or a convolution: no two arrays of one shape."""
    D, H, K, area = sizes(rng, 4)
    first = (area, K, D, H) if kernel else (D, H)
    shapes = {"W1": first, "b1": (H,), "gamma1": (H,), "beta1": (H,), "W2": (H, K), "b2": (K,)}
    return {name: rng.normal(size=shape) * rng.uniform(0.5, 2) + 0.1 for name, shape in shapes.items()}


def number(rng: Generator, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def seeded(rng: Generator) -> Seed:
    return Seed(int(rng.integers(2**31)))


# ------------------------------------------------------------------------------------------------ statistics of masks
SAYS = (
    {
        "share": "The share of numbers that are dropped is not the rate.",
    }
    | {
        f"share {tenths}": f"About {10 * tenths} of 100 numbers are dropped, which is not the rate."
        for tenths in range(11)
    }
    | {
        "rows": "Whether a number is dropped goes by whether the one above it, in another sample, is.",
        "columns": "Whether a number is dropped goes by whether the one beside it, in the same sample, is.",
    }
)


def independence(kept: np.ndarray, rate: float) -> dict[str, float]:
    """Deviations of a mask from one in which every entry is kept with probability 1 − rate, in standard deviations."""
    d = (kept.reshape(len(kept), -1) - (1 - rate)) / math.sqrt(rate * (1 - rate))
    share = float(d.sum()) / math.sqrt(d.size)
    d = d - d.mean()  # neighbours are judged apart from the share
    found = {"columns": float((d[:, 1:] * d[:, :-1]).sum()) / math.sqrt(d[:, 1:].size)}
    if len(d) > 1:
        found["rows"] = float((d[1:] * d[:-1]).sum()) / math.sqrt(d[1:].size)
    return found | {"share" if abs(share) <= SIX else f"share {round(10 * float(1 - kept.mean()))}": share}


def share_words(kept: np.ndarray, rate: float) -> str:
    score = float((kept - (1 - rate)).sum()) / math.sqrt(rate * (1 - rate) * kept.size)
    return "as much as should be" if abs(score) <= SIX else "too much" if score < 0 else "too little"


def statistics(scores: Callable[[list[Any]], dict[str, float] | str]) -> SixSigma:
    return SixSigma(scores, SAYS)


def dropping(rng: Generator, shape: tuple[int, ...], low: float, high: float, holds: Any) -> Property:
    """A call on numbers none of which is 0, with a rate between low and high."""
    x = rng.normal(size=shape)
    x = x + np.copysign(0.05, x)
    rate = number(rng, low, high)
    return Property(Call(x=x, rate=rate, rng=seeded(rng), training=True), holds(x, rate))


def asks_the_generator(rate: float = 0.4) -> Call:
    """No numbers at all, and a generator that refuses: only who does not ask it gives an answer."""
    return Call(x=np.ones((3, 0)), rate=rate, rng=Helper("no_generator"), training=True)


def in_training(holds: Any) -> Callable[[Generator], list[Any]]:
    """The group that asks for a small and a large rate, and whether it is the generator that decides."""

    def probes(rng: Generator) -> list[Any]:
        shape = int(rng.integers(45, 55)), int(rng.integers(60, 75))
        small, large = (dropping(rng, shape, low, low + 0.2, holds) for low in (0.15, 0.65))
        return [small, large, asks_the_generator()]

    return probes
