"""What the exercises of this chapter share: its headings, and statistics of weights that are drawn at random."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.random import Generator

from gradschool_grader.exercise import Call, Helper, Property, Refusal, Seed, Tolerance
from gradschool_grader.sigma import SixSigma

CHAPTER = "ch07_gradients"
CLOSE = Tolerance(rtol=1e-9, atol=1e-12)

# headings of the chapter, at which a mistake points
PRODUCT = "A product of a hundred factors"
MEASURED = "Measuring a network that nobody has trained"
FANS = "How many numbers meet in a unit"
SPREAD = "The variance that keeps its size"
GENERATOR = "One generator for all"
SHAPES_OF = "Three distributions, one variance"
NAMED = "Three names for one formula"
TURNED = "Turning without stretching"
BACKWARDS = "Which layer hears the loss"
FIXED = "Two numbers that make a fixed point"
LEARNED = "A slope that is learned"

# ------------------------------------------------------------------------------------------------ statistics of weights
TRUNCATED_STD = 0.87962566103423978
CUT_AT_3 = 0.98657844  # the deviation of a normal number that is cut off at ±3
WIDER = 1.1  # deviations are taken a tenth too wide, so that a few hundred draws can prove how rare false alarms are


def above(x: float) -> float:
    """P(|z| > x) of a standard normal z."""
    return math.erfc(x / math.sqrt(2))


def kept_above(x: float) -> float:
    """P(|z| > x) of one that is cut off at ±2."""
    return (above(x) - above(2)) / (1 - above(2))


# Each distribution at variance 1: where it ends, its fourth moment, where its tail begins, and what the tail weighs.
TRUNCATED_FOURTH = 3 - 28 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2))  # of z⁴, |z| < 2
DISTRIBUTIONS: Mapping[str, tuple[float, float, float, float]] = {
    "normal": (math.inf, 3.0, 2.25, above(2.25)),
    "uniform": (math.sqrt(3), 1.8, 0.0, 1.0),
    "truncated_normal": (
        2 / TRUNCATED_STD,
        TRUNCATED_FOURTH / TRUNCATED_STD**4,
        1.95,
        kept_above(1.95 * TRUNCATED_STD),
    ),
}
SIZES = (0.06, 0.15, 0.23, 0.29, 0.41, 0.56, 0.68, 0.84, 1.17, 1.3, 1.8, 2.5, 3.4, 4.5, 6.5, 12.0, math.inf)
"""Up to which share of what it should be a variance is called the same: mistakes that are told apart have one each.
Right weights are always in one of them: the variance of 4,000 is within 14 % at six deviations."""
SAYS = {f"variance {n}": f"The variance of the weights is too {'small' if n < 1 else 'large'}." for n in SIZES} | {
    "variance 1.17": "The variance of the weights is slightly off.",
    "mean": "The mean of the weights is not 0.",
    "cut": "The variance of the weights is too small by a fourth, and none of them is above two deviations.",
    "cut wide": "None of the weights is above two of the deviations asked for. Two of which deviations are kept?",
    "uncut": "The weights are drawn wider, as it is right for those that are cut off; but they are not cut off.",
    "tails": "The variance is right, but large weights are too rare or too frequent: it is another distribution.",
}


def size_of(x: np.ndarray, distribution: str) -> str:
    """What a variance other than 1 is called; one that cutting took away has a largest weight of 2.

    A truncated normal has a fourth moment of 2.37 squares of the variance, one that nobody cut has 3.
    """
    ratio, fourth = float(np.mean(x**2)), float(np.mean(x**4))
    if 0.68 < ratio < 0.95 and 1.97 < np.abs(x).max() <= 2 * (1 + 1e-6):
        return "cut" if ratio < 0.84 else "cut wide"
    if distribution == "truncated_normal" and 1.1 < ratio < 1.5 and fourth > 2.65 * ratio**2:
        return "uncut"
    return f"variance {next((n for n in SIZES if ratio < n), math.inf)}"


def made_exact(x: np.ndarray, dtype: str) -> bool:
    """Whether the sample itself has the variance 1, which one that is drawn has about: so near to it by chance once in
    50 million draws, or in 3 million of float32, whose digits leave a noise of 1e-9."""
    if dtype == "float32":
        return bool(abs(np.mean(x**2) - 1) < 5e-9)
    return any(abs(found - 1) < 1e-10 for found in (np.mean(x**2), x.var(), x.var(ddof=1)))


def misfit(W: Any, shape: tuple[int, ...], dtype: str) -> Refusal | str:
    """What is wrong with weights before any statistics; empty if nothing is."""
    if W is None:
        return "The function returned None. Is a `return` missing?"
    if not isinstance(W, np.ndarray) or W.shape != shape:
        return Refusal("The answer has not the shape that was asked for.", f"Asked for was {shape}.")
    return "" if W.dtype == dtype else f"The weights are {W.dtype}; {dtype} was asked for."


def weights(shape: tuple[int, ...], var: float, distribution: str, dtype: str = "float64") -> SixSigma:
    """Holds for weights of this shape, mean 0, variance and distribution.

    A statistic is called by what a failure of it would mean, so that other mistakes fail in other words.
    """
    end, fourth, tail, share = DISTRIBUTIONS[distribution]

    def scores(values: list[Any]) -> dict[str, float] | Refusal | str:
        W = values[0]
        if wrong := misfit(W, shape, dtype):
            return wrong
        x = W.astype(float).ravel() / math.sqrt(var)
        n, square = x.size, float(np.mean(x**2))
        spread = WIDER * math.sqrt((fourth - 1) / n)
        if not np.isfinite(x).all():
            return "Some weights are not finite."
        if (x == x[0]).all():
            return "All weights are the same."
        if (np.abs(x) == np.abs(x).max()).sum() > 3:
            return "Many weights are exactly as large as the largest."
        if made_exact(x, dtype):
            return "The variance of this one sample is exact: right weights have it on average, and not in each draw."
        off = {"mean": float(x.mean()) * math.sqrt(n) / WIDER, size_of(x, distribution): (square - 1) / spread}
        if all(abs(score) <= 6 for score in off.values()) and np.abs(x).max() > end * (1 + 1e-6):
            if distribution == "truncated_normal" and np.abs(x).max() < 3.05:
                return "The weights are cut off further out than at two deviations."
            return "There are weights beyond the bounds of this distribution."
        if distribution == "uniform":
            return off  # its bounds leave no tails
        far = float(np.mean(np.abs(x) > tail))
        return off | {"tails": (far - share) / (WIDER * math.sqrt(share * (1 - share) / n))}

    def measured(values: list[Any]) -> str:
        x = values[0].astype(float) / math.sqrt(var)
        return f"Their variance is {np.mean(x**2):.3g} times the right one, their mean {x.mean():.2g} right deviations."

    return SixSigma(scores, SAYS, measured)


# -------------------------------------------------------------------------------------------------------------- probes
def matrix(rng: Generator) -> tuple[int, int]:
    """Some 4,000 weights, with five times as many inputs as outputs: a fan that is taken for the other shows."""
    outputs = int(rng.integers(27, 32))
    return 5 * outputs, outputs


def kernel(rng: Generator) -> tuple[int, ...]:
    """A convolution over 3 x 5 places with twice as many inputs as outputs: a mean with half a fan in it shows, too."""
    outputs = int(rng.integers(11, 14))
    return 3, 5, 2 * outputs, outputs


def drawn(rng: Generator) -> Seed:
    return Seed(int(rng.integers(2**31)))


def checked(call: dict[str, Any], holds: Any) -> Property:
    return Property(Call(**call), holds)


def uses_the_generator(**arguments: Any) -> Call:
    """A matrix without columns, from a generator that refuses: only who does not ask it gives an answer."""
    return Call(shape=(3, 0), **arguments, rng=Helper("no_generator"))


# ------------------------------------------------------------------------------------------- how weights are drawn
def cut_off(shape: tuple[int, ...], rng: Any, at: float = 2) -> np.ndarray:
    x = rng.normal(size=shape)
    while (np.abs(x) > at).any():
        x = np.where(np.abs(x) > at, rng.normal(size=shape), x)
    return x


def fan_pair(shape: tuple[int, ...]) -> tuple[int, int]:
    area = int(np.prod(shape[:-2]))
    return area * shape[-2], area * shape[-1]


def fan_of(mode: str, fan_in: int, fan_out: int) -> float:
    return {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]


def known_words(mode: str, distribution: str) -> bool:
    return mode in ("fan_in", "fan_out", "fan_avg") and distribution in ("normal", "uniform", "truncated_normal")


def draw(shape: tuple[int, ...], std: float, distribution: str, rng: Any, dtype: Any = float) -> np.ndarray:
    if distribution == "uniform":
        return rng.uniform(-std * 3**0.5, std * 3**0.5, shape).astype(dtype)
    if distribution == "normal":
        return rng.normal(0, std, shape).astype(dtype)
    return (cut_off(shape, rng) * std / TRUNCATED_STD).astype(dtype)
