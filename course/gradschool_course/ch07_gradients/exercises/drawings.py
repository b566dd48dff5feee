"""How drawing weights of a variance goes wrong, whichever name the initializer has, and how else it goes right.

scaled(std=variance_for_std)                 # variance_scaling, but that the variance is taken for the deviation
misconceptions(scaled)                       # what goes wrong with any of the four, made by `scaled`
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradschool_grader.exercise import Misconception, Variant

from .common import (
    CUT_AT_3,
    FANS,
    GENERATOR,
    SHAPES_OF,
    SPREAD,
    TRUNCATED_STD,
    cut_off,
    draw,
    fan_of,
    fan_pair,
    known_words,
)


def right_std(scale, fan):
    return (scale / fan) ** 0.5


def scaled(fan=fan_of, std=right_std, drawing=draw, fans=fan_pair):
    """variance_scaling with parts of one's own: fan(mode, fan_in, fan_out), std(scale, fan), drawing, fans(shape)."""

    def answer(shape, scale, mode, distribution, rng, dtype=np.float64):
        if not known_words(mode, distribution):
            raise ValueError(f"mode {mode!r} or distribution {distribution!r}")
        n = max(fan(mode, *fans(shape)), 1)
        return drawing(shape, std(scale, n), distribution, rng, dtype)

    return answer


# --------------------------------------------------------------------------------------------------------- the mistakes
def variance_for_std(scale, fan):
    return scale / fan


def no_area(shape):
    return shape[-2], shape[-1]


def uniform_within_a_deviation(shape, std, distribution, rng, dtype):
    if distribution == "uniform":
        return rng.uniform(-std, std, shape).astype(dtype)
    return draw(shape, std, distribution, rng, dtype)


def not_widened(shape, std, distribution, rng, dtype):
    if distribution == "truncated_normal":
        return (std * cut_off(shape, rng)).astype(dtype)
    return draw(shape, std, distribution, rng, dtype)


def uniform_with_six(shape, std, distribution, rng, dtype):
    return draw(shape, std * math.sqrt(2 if distribution == "uniform" else 1), distribution, rng, dtype)


def never_cut(shape, std, distribution, rng, dtype):
    return draw(shape, std, "uniform" if distribution == "uniform" else "normal", rng, dtype)


def cut_at_three(shape, std, distribution, rng, dtype):
    if distribution == "truncated_normal":
        return (std / CUT_AT_3 * cut_off(shape, rng, 3)).astype(dtype)
    return draw(shape, std, distribution, rng, dtype)


def clipped(shape, std, distribution, rng, dtype):
    if distribution == "truncated_normal":
        return (std / TRUNCATED_STD * np.clip(rng.normal(size=shape), -2, 2)).astype(dtype)
    return draw(shape, std, distribution, rng, dtype)


def made_exact(shape, std, distribution, rng, dtype):
    """Whatever is drawn, it is stretched until its own variance is the one that was asked for."""
    W = draw(shape, 1, distribution, rng)
    return (std * W / np.sqrt(np.mean(W**2))).astype(dtype)


def own_generator(shape, std, distribution, rng, dtype):
    return draw(shape, std, distribution, np.random.default_rng(), dtype)


def always_float64(shape, std, distribution, rng, dtype):
    return draw(shape, std, distribution, rng)


def misconceptions(made: Callable[..., Any], uncut: str = "") -> list[Misconception]:
    """What goes wrong with any of the four; `made` takes the parts of `scaled`. `uncut` is who draws normal weights."""

    def bug(name, says, hint, see, published="", **parts):
        return Misconception(name, made(**parts), hint, says, see, published)

    return [
        bug("variance_for_std", "the variance were the deviation",
            "Weights of variance 0.01 have which deviation? By which of the two do you multiply normal numbers?",
            SPREAD, std=variance_for_std),
        bug("without_kernel_area", "the places under a kernel were not counted",
            "An output of a 3 x 5 convolution sums over how many numbers for each input channel?", FANS, fans=no_area),
        bug("uniform_without_three", "the uniform weights ended at one deviation",
            "Numbers spread evenly between -1 and 1: is their deviation 1, or less?", SHAPES_OF,
            drawing=uniform_within_a_deviation),
        bug("not_widened", "nothing were done about the variance that is lost by cutting",
            "Cut off the tails of a normal distribution. Does its variance stay what it was?", SHAPES_OF,
            "early versions of Keras", drawing=not_widened),
        bug("uniform_with_six", "the uniform weights ended at the root of 6 times the variance",
            "Glorot's 6 stands over the *sum* of both fans. What is under the root if one fan, or their mean, counts?",
            SHAPES_OF, drawing=uniform_with_six),
        bug("never_cut", "truncated_normal were not cut off at two deviations",
            "What is the largest value that you may draw? What is the largest that you do?", SHAPES_OF, uncut,
            drawing=never_cut),
        bug("cut_at_three", "truncated_normal were cut off at three deviations",
            "At how many deviations is it to be cut, and what is the largest value that you draw?", SHAPES_OF,
            drawing=cut_at_three),
        bug("clipped", "what lies beyond the bounds were moved onto them",
            "How many of your weights have exactly the largest value?", SHAPES_OF, drawing=clipped),
        bug("made_exact", "each sample were stretched until its own variance is exact",
            "Throw a fair coin 100 times: is it exactly 50 heads each time? Is the variance of your weights?", SPREAD,
            drawing=made_exact),
        bug("own_generator", "the random numbers came from a generator of your own, and not from `rng`",
            "Where do your random numbers come from? Does anything change if another `rng` is handed in?", GENERATOR,
            drawing=own_generator),
        bug("always_float64", "`dtype` were ignored", "Which dtype has your answer if float32 is asked for?", SPREAD,
            drawing=always_float64),
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------------ other right answers
def more_than_needed(shape, std, distribution, rng, dtype):
    """Numbers from 0 to 1 for the uniform weights; more normal ones than needed, of which those that fit are taken."""
    size = math.prod(shape)
    if distribution == "uniform":
        return ((2 * rng.random(shape) - 1) * math.sqrt(3) * std).astype(dtype)
    many = rng.standard_normal(2 * size + 99)
    if distribution == "truncated_normal":
        many = many[np.abs(many) <= 2] / TRUNCATED_STD
    return (std * many[:size]).reshape(shape).astype(dtype)


def transposed(shape, std, distribution, rng, dtype):
    """Filled from the last axis to the first."""
    return np.array(draw(shape[::-1], std, distribution, rng).T, dtype, order="C")


def variants(made: Callable[..., Any]) -> list[Variant]:
    return [
        Variant("more numbers than needed", made(drawing=more_than_needed)),
        Variant("from the last axis to the first", made(drawing=transposed)),
    ]
