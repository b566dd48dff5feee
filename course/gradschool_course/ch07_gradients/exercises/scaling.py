"""variance_scaling: the variance by the fan, in three distributions."""

from __future__ import annotations

import numpy as np

from gradschool import initializers
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import equivalent
from .common import (
    CHAPTER,
    FANS,
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
from .drawings import misconceptions, scaled, variants
from .fans import area_for_the_inputs_only


# ----------------------------------------------------------------------------------------- how variances go wrong
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


def uniform_from_zero(shape, std, distribution, rng, dtype):
    if distribution == "uniform":
        return rng.uniform(0, 2 * 3**0.5 * std, shape).astype(dtype)
    return draw(shape, std, distribution, rng, dtype)


def narrowed(shape, std, distribution, rng, dtype):
    if distribution == "truncated_normal":
        return (std * TRUNCATED_STD * cut_off(shape, rng)).astype(dtype)
    return draw(shape, std, distribution, rng, dtype)


def normal_for_all(shape, std, distribution, rng, dtype):
    return draw(shape, std, "normal", rng, dtype)


def always_cut(shape, std, distribution, rng, dtype):
    return draw(shape, std, "uniform" if distribution == "uniform" else "truncated_normal", rng, dtype)


def no_floor(shape, scale, mode, distribution, rng, dtype=np.float64):
    """n as it comes, also where it is 0."""
    if not known_words(mode, distribution):
        raise ValueError(f"mode {mode!r} or distribution {distribution!r}")
    return draw(shape, (scale / fan_of(mode, *fan_pair(shape))) ** 0.5, distribution, rng, dtype)


def any_word(shape, scale, mode, distribution, rng, dtype=np.float64):
    mode = mode if known_words(mode, "normal") else "fan_avg"
    distribution = distribution if known_words("fan_in", distribution) else "normal"
    return scaled()(shape, scale, mode, distribution, rng, dtype)


# ------------------------------------------------------------------------------------------------ other right answers
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
    return [asked(rng, kernel(rng), "fan_avg", "uniform")]


def as_told(rng):
    options = {"scale": 2.0, "mode": "fan_in", "distribution": "normal"}
    nothing_in = Call(shape=(0, 4), rng=drawn(rng), **options)
    nothing_out = Call(shape=(4, 0), rng=drawn(rng), **options | {"mode": "fan_out", "distribution": "uniform"})
    single = asked(rng, matrix(rng), "fan_in", "uniform", "float32")
    return [single, uses_the_generator(**options), nothing_in, nothing_out]


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
        Group("average", 1, average, "The mean of both fans, of a kernel."),
        Group("as told", 1, as_told, "The dtype that is asked for, and numbers from no other generator than `rng`."),
        Group("unknown words", 1, unknown, "A mode or a distribution that there is not."),
    ],
    misconceptions=[
        *misconceptions(scaled),
        bug("scale_outside_the_root", "the deviation and not the variance were multiplied by `scale`",
            "Make `scale` four times as large. Your weights become how many times as large, and their variance?",
            SPREAD, std=scale_outside_the_root),
        bug("scale_forgotten", "`scale` were always 1", "Where in your code does `scale` stand?",
            SPREAD, std=scale_forgotten),
        bug("fans_swapped", "fan in and fan out were exchanged",
            "With a matrix (300, 100) and mode fan_in, do you divide by 300 or by 100?", FANS, fan=exchanged),
        bug("sum_for_mean", "fan_avg were the sum of both fans",
            "What is the mean of 300 and 100? What do you divide by?", SPREAD, fan=sum_for_mean),
        bug("area_for_inputs_only", "the area of a kernel counted for fan in and not for fan out",
            "Move a 3 x 5 kernel over one pixel: at how many places of it does that pixel take part?", FANS,
            fans=area_for_the_inputs_only),
        bug("always_fan_in", "the mode were always fan_in",
            "What changes in your weights when the mode does?", SPREAD, fan=always_inputs),
        bug("uniform_from_zero", "the uniform weights were all positive",
            "Which mean have your uniform weights?", SHAPES_OF, drawing=uniform_from_zero),
        bug("narrowed", "it were multiplied by 0.8796 where it is to be divided",
            "Cutting makes the variance smaller. Does your correction make it larger again?", SHAPES_OF,
            drawing=narrowed),
        bug("always_cut", "the normal weights were cut off, too",
            "Is there a largest value in a normal distribution?", SHAPES_OF, drawing=always_cut),
        bug("normal_for_all", "all distributions were normal ones",
            "What does your code do differently for another `distribution`?", SHAPES_OF, drawing=normal_for_all),
        Misconception("no_floor", no_floor, "A layer without inputs has fan in 0. By what do you divide then?",
            "n were never smaller than 1", SPREAD),
        Misconception("any_word", any_word, 'What becomes of a typing error such as mode "fan_inn"?',
            "a word that there is not were as good as another", SPREAD),
    ],
    variants=[*variants(scaled), Variant("case by case", by_cases)],
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
    not_bugs=dict.fromkeys(["orthogonal sign", "orthogonal shape for tall"], "no matrix is turned here"),
    equivalent=equivalent.SCALING,
)  # fmt: skip
