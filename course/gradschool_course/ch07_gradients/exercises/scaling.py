"""variance_scaling: the variance by the fan, in three distributions."""

from __future__ import annotations

import math

import numpy as np

from gradschool import initializers
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import equivalent
from .common import (
    CHAPTER,
    FANS,
    GENERATOR,
    SHAPES_OF,
    SPREAD,
    TRUNCATED_STD,
    checked,
    cut_off,
    draw,
    drawn,
    fan_of,
    fan_pair,
    kernel,
    known_words,
    matrix,
    uses_the_generator,
    weights,
)


# ----------------------------------------------------------------------------------------- how variances go wrong
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


def variance_for_std(scale, fan):
    return scale / fan


def scale_outside_the_root(scale, fan):
    return scale / fan**0.5


def scale_forgotten(scale, fan):
    return 1 / fan**0.5


def exchanged(mode, fan_in, fan_out):
    return {"fan_in": fan_out, "fan_out": fan_in, "fan_avg": (fan_in + fan_out) / 2}[mode]


def sum_for_mean(mode, fan_in, fan_out):
    return {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": fan_in + fan_out}[mode]


def always_inputs(mode, fan_in, fan_out):
    return fan_in


def no_area(shape):
    return shape[-2], shape[-1]


def uniform_within_a_deviation(shape, std, distribution, rng, dtype):
    if distribution == "uniform":
        return rng.uniform(-std, std, shape).astype(dtype)
    return draw(shape, std, distribution, rng, dtype)


def uniform_from_zero(shape, std, distribution, rng, dtype):
    if distribution == "uniform":
        return rng.uniform(0, 2 * 3**0.5 * std, shape).astype(dtype)
    return draw(shape, std, distribution, rng, dtype)


def not_widened(shape, std, distribution, rng, dtype):
    if distribution == "truncated_normal":
        return (std * cut_off(shape, rng)).astype(dtype)
    return draw(shape, std, distribution, rng, dtype)


def narrowed(shape, std, distribution, rng, dtype):
    if distribution == "truncated_normal":
        return (std * TRUNCATED_STD * cut_off(shape, rng)).astype(dtype)
    return draw(shape, std, distribution, rng, dtype)


def clipped(shape, std, distribution, rng, dtype):
    if distribution == "truncated_normal":
        return (std / TRUNCATED_STD * np.clip(rng.normal(size=shape), -2, 2)).astype(dtype)
    return draw(shape, std, distribution, rng, dtype)


def never_cut(shape, std, distribution, rng, dtype):
    return draw(shape, std, "uniform" if distribution == "uniform" else "normal", rng, dtype)


def normal_for_all(shape, std, distribution, rng, dtype):
    return draw(shape, std, "normal", rng, dtype)


def always_cut(shape, std, distribution, rng, dtype):
    return draw(shape, std, "uniform" if distribution == "uniform" else "truncated_normal", rng, dtype)


def own_generator(shape, std, distribution, rng, dtype):
    return draw(shape, std, distribution, np.random.default_rng(), dtype)


def always_float64(shape, std, distribution, rng, dtype):
    return draw(shape, std, distribution, rng)


def any_word(shape, scale, mode, distribution, rng, dtype=np.float64):
    mode = mode if known_words(mode, "normal") else "fan_avg"
    distribution = distribution if known_words("fan_in", distribution) else "normal"
    return scaled()(shape, scale, mode, distribution, rng, dtype)


# ------------------------------------------------------------------------------------------------ other right answers
def one_by_one(shape, std, distribution, rng, dtype):
    """Every weight is drawn again until it fits; the uniform ones are made of numbers between 0 and 1."""
    if distribution == "uniform":
        return ((2 * rng.random(shape) - 1) * math.sqrt(3) * std).astype(dtype)
    many = rng.standard_normal(2 * math.prod(shape) + 99)
    if distribution == "truncated_normal":
        many = many[np.abs(many) <= 2] / TRUNCATED_STD
    return (std * many[: math.prod(shape)]).reshape(shape).astype(dtype)


def transposed(shape, std, distribution, rng, dtype):
    """Filled from the last axis to the first."""
    return np.array(draw(shape[::-1], std, distribution, rng).T, dtype, order="C")


def by_cases(shape, scale, mode, distribution, rng, dtype=np.float64):
    fan_in, fan_out = shape[-2], shape[-1]
    for size in shape[:-2]:
        fan_in, fan_out = fan_in * size, fan_out * size
    if mode == "fan_in":
        var = scale / max(fan_in, 1)
    elif mode == "fan_out":
        var = scale / max(fan_out, 1)
    elif mode == "fan_avg":
        var = 2 * scale / max(fan_in + fan_out, 1)
    else:
        raise ValueError(mode)
    W = np.zeros(shape)
    if distribution == "uniform":
        W += rng.uniform(-1, 1, shape) * np.sqrt(3 * var)
    elif distribution == "normal":
        W += np.sqrt(var) * rng.standard_normal(shape)
    elif distribution == "truncated_normal":
        todo = np.ones(shape, bool)
        while todo.any():
            W[todo] = rng.standard_normal(int(todo.sum()))
            todo = np.abs(W) > 2
        W *= np.sqrt(var) / TRUNCATED_STD
    else:
        raise ValueError(distribution)
    return W.astype(dtype)


# -------------------------------------------------------------------------------------------------------------- probes
def asked(rng, shape, mode, distribution, dtype="float64"):
    scale = float(rng.uniform(2.7, 3.1))
    fan = fan_of(mode, *fan_pair(shape))
    call = {"shape": shape, "scale": scale, "mode": mode, "distribution": distribution, "rng": drawn(rng)}
    call |= {} if dtype == "float64" else {"dtype": dtype}
    return checked(call, weights(shape, scale / fan, distribution, dtype))


def normal(rng):
    return [asked(rng, matrix(rng), "fan_in", "normal"), asked(rng, kernel(rng), "fan_out", "normal")]


def uniform(rng):
    return [asked(rng, kernel(rng), "fan_in", "uniform")]


def truncated(rng):
    return [asked(rng, matrix(rng), "fan_out", "truncated_normal")]


def average(rng):
    return [asked(rng, matrix(rng), "fan_avg", "uniform")]


def as_told(rng):
    options = {"scale": 2.0, "mode": "fan_in", "distribution": "normal"}
    return [asked(rng, kernel(rng), "fan_in", "uniform", "float32"), uses_the_generator(**options)]


def unknown(rng):
    right = {"shape": (3, 5), "scale": 2.0, "mode": "fan_in", "distribution": "normal", "rng": drawn(rng)}
    wrong = [{"mode": "fan_sum"}, {"distribution": "gauss"}]
    return [asked(rng, matrix(rng), "fan_in", "normal"), *(Call(**right | one) for one in wrong)]


def bug(name, says, hint, see, **parts):
    return Misconception(name, scaled(**parts), hint, says, see)


EXERCISE = Exercise(
    reference=initializers.variance_scaling,
    chapter=CHAPTER,
    title="Variance scaling",
    difficulty=3,
    minutes=20,
    task="""
    Draw weights of `shape` with mean 0 and the variance `scale` / n, where n is said by `mode`: `"fan_in"`,
    `"fan_out"`, or `"fan_avg"`, the mean of both. The fans are those of `fans(shape)`, and n counts as 1 where it is
    smaller.

    - `"normal"`: a normal distribution
    - `"uniform"`: a uniform distribution around 0
    - `"truncated_normal"`: a normal distribution that is cut off at two of its deviations; the variance asked for is
      the one *after* cutting. What lies beyond is drawn again. Cut off at ±2, a standard normal has the deviation
      0.87962566103423978

    Take all random numbers from `rng`, a NumPy generator. Return an array of `shape` and `dtype`. Another mode or
    distribution is refused with a `ValueError`. The check looks at mean, variance, bounds and tails of thousands of
    weights, each within six standard deviations of what it should be: in which order you draw does not matter.
    """,
    example="""\
W = variance_scaling((300, 100), 2.0, "fan_in", "uniform", np.random.default_rng(0))
bool(abs(W).max() < 0.1414214), round(float(W.var() * 300), 1)  # (True, 2.0)""",
    groups=[
        Group("normal", 2, normal, "Normal weights: mean, variance, tails."),
        Group("uniform", 1, uniform, "Uniform weights: mean, variance, bounds."),
        Group("truncated", 2, truncated, "Truncated: variance after cutting, bounds."),
        Group("average", 1, average, "The mean of both fans."),
        Group("as told", 1, as_told, "The dtype that is asked for, and numbers from no other generator than `rng`."),
        Group("unknown words", 1, unknown, "A mode or a distribution that there is not."),
    ],
    misconceptions=[
        bug("variance_for_std", "the variance were the deviation",
            "Weights of variance 0.01 have which deviation? By which of the two do you multiply normal numbers?",
            SPREAD, std=variance_for_std),
        bug("scale_outside_the_root", "the deviation and not the variance were multiplied by `scale`",
            "Make `scale` four times as large. Your weights become how many times as large, and their variance?",
            SPREAD, std=scale_outside_the_root),
        bug("scale_forgotten", "`scale` were always 1", "Where in your code does `scale` stand?",
            SPREAD, std=scale_forgotten),
        bug("fans_swapped", "fan in and fan out were exchanged",
            "With a matrix (300, 100) and mode fan_in, do you divide by 300 or by 100?", FANS, fan=exchanged),
        bug("sum_for_mean", "fan_avg were the sum of both fans",
            "What is the mean of 300 and 100? What do you divide by?", SPREAD, fan=sum_for_mean),
        bug("always_fan_in", "the mode were always fan_in",
            "What changes in your weights when the mode does?", SPREAD, fan=always_inputs),
        bug("without_kernel_area", "the places under a kernel were not counted",
            "An output of a 3 x 5 convolution sums over how many numbers for each input channel?", FANS, fans=no_area),
        bug("uniform_without_three", "the uniform weights ended at one deviation",
            "Numbers spread evenly between -1 and 1: is their deviation 1, or less?", SHAPES_OF,
            drawing=uniform_within_a_deviation),
        bug("uniform_from_zero", "the uniform weights were all positive",
            "Which mean have your uniform weights?", SHAPES_OF, drawing=uniform_from_zero),
        bug("not_widened", "nothing were done about the variance that is lost by cutting",
            "Cut off the tails of a normal distribution. Does its variance stay what it was?", SHAPES_OF,
            drawing=not_widened),
        bug("narrowed", "it were multiplied by 0.8796 where it is to be divided",
            "Cutting makes the variance smaller. Does your correction make it larger again?", SHAPES_OF,
            drawing=narrowed),
        bug("clipped", "what lies beyond the bounds were moved onto them",
            "How many of your weights have exactly the largest value?", SHAPES_OF, drawing=clipped),
        bug("never_cut", "truncated_normal were not cut off",
            "What is the largest value that you may draw? What is the largest that you do?", SHAPES_OF,
            drawing=never_cut),
        bug("always_cut", "the normal weights were cut off, too",
            "Is there a largest value in a normal distribution?", SHAPES_OF, drawing=always_cut),
        bug("normal_for_all", "all distributions were normal ones",
            "What does your code do differently for another `distribution`?", SHAPES_OF, drawing=normal_for_all),
        bug("own_generator", "the random numbers came from a generator of your own, and not from `rng`",
            "Where do your random numbers come from? Does anything change if another `rng` is handed in?", GENERATOR,
            drawing=own_generator),
        bug("always_float64", "`dtype` were ignored", "Which dtype has your answer if float32 is asked for?", SPREAD,
            drawing=always_float64),
        Misconception("any_word", any_word, 'What becomes of a typing error such as mode "fan_inn"?',
            "a word that there is not were as good as another", SPREAD),
    ],
    variants=[
        Variant("numbers from 0 to 1, more normal ones than needed", scaled(drawing=one_by_one)),
        Variant("from the last axis to the first", scaled(drawing=transposed)),
        Variant("case by case", by_cases),
    ],
    hints=[
        Hint("Numbers of deviation 1, times the deviation that you want. How do you get it from a variance?"),
        Hint('Look at "Three distributions, one variance": how large is the deviation of each before you scale it?'),
        Hint(
            "A worked sibling, shoe sizes of mean 42 and variance 4, none above 46:\n\n"
            "    sizes = rng.normal(42, 2, size=n)\n    while (large := sizes > 46).any():\n"
            "        sizes[large] = rng.normal(42, 2, size=large.sum())"
        ),
        Hint(
            "    n from the mode, else ValueError; std = √(scale / n)\n"
            "    normal: std × standard normal numbers\n    uniform: between ±√3 std\n"
            "    truncated: standard normal, redraw beyond ±2, times std / 0.8796…\n    else ValueError"
        ),
    ],
    equivalent=equivalent.SCALING,
)  # fmt: skip
