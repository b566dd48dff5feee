"""glorot, he and lecun: three names for one formula."""

from __future__ import annotations

import numpy as np

from gradschool import initializers
from gradschool_grader.exercise import Exercise, Group, Hint, Misconception, Variant

from . import equivalent
from .common import (
    CHAPTER,
    FANS,
    GENERATOR,
    NAMED,
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
    matrix,
    uses_the_generator,
    weights,
)


# ------------------------------------------------------------------------------------------------ how they go wrong
def right_std(scale, fan):
    return (scale / fan) ** 0.5


def variance_for_std(scale, fan):
    return scale / fan


def no_area(shape):
    return shape[-2], shape[-1]


def by_width(scale, mode, default, std=right_std, fans=fan_pair, drawing=draw):
    """An initializer with parts of one's own; its default distribution makes its name."""
    if default == "uniform":

        def answer(shape, rng, distribution="uniform", dtype=np.float64):
            return drawing(shape, std(scale, max(fan_of(mode, *fans(shape)), 1)), distribution, rng, dtype)

        return answer

    def truncated(shape, rng, distribution="truncated_normal", dtype=np.float64):
        return drawing(shape, std(scale, max(fan_of(mode, *fans(shape)), 1)), distribution, rng, dtype)

    return truncated


def uniform_within_a_deviation(shape, std, distribution, rng, dtype):
    if distribution == "uniform":
        return rng.uniform(-std, std, shape).astype(dtype)
    return draw(shape, std, distribution, rng, dtype)


def not_widened(shape, std, distribution, rng, dtype):
    if distribution == "truncated_normal":
        return (std * cut_off(shape, rng)).astype(dtype)
    return draw(shape, std, distribution, rng, dtype)


def never_cut(shape, std, distribution, rng, dtype):
    return draw(shape, std, "uniform" if distribution == "uniform" else "normal", rng, dtype)


def own_generator(shape, std, distribution, rng, dtype):
    return draw(shape, std, distribution, np.random.default_rng(), dtype)


def always_float64(shape, std, distribution, rng, dtype):
    return draw(shape, std, distribution, rng)


# ------------------------------------------------------------------------------------------------ other right answers
def one_by_one(shape, std, distribution, rng, dtype):
    """More numbers than needed, of which those that fit are taken."""
    size = int(np.prod(shape))
    if distribution == "uniform":
        return ((rng.random(size) - 0.5) * (12**0.5 * std)).reshape(shape).astype(dtype)
    many = rng.standard_normal(2 * size + 99)
    if distribution == "truncated_normal":
        many = many[np.abs(many) <= 2] / TRUNCATED_STD
    return (std * many[:size]).reshape(shape).astype(dtype)


def transposed(shape, std, distribution, rng, dtype):
    return np.array(draw(shape[::-1], std, distribution, rng).T, dtype, order="C")


# -------------------------------------------------------------------------------------------------------------- probes
def asked(rng, shape, scale, mode, distribution, default, dtype="float64"):
    var = scale / fan_of(mode, *fan_pair(shape))
    options = {} if distribution == default else {"distribution": distribution}
    options |= {} if dtype == "float64" else {"dtype": dtype}
    return checked({"shape": shape, "rng": drawn(rng)} | options, weights(shape, var, distribution, dtype))


def groups(scale, mode, default):
    other = "normal"

    def by_default(rng):
        return [asked(rng, shape(rng), scale, mode, default, default) for shape in (matrix, kernel)]

    def by_name(rng):
        left = "truncated_normal" if default == "uniform" else "uniform"
        return [asked(rng, matrix(rng), scale, mode, name, default) for name in (other, left)]

    def as_told(rng):
        return [asked(rng, kernel(rng), scale, mode, default, default, "float32"), uses_the_generator()]

    return [
        Group("default", 2, by_default, "A matrix and a kernel, with the distribution that is the default."),
        Group("by name", 1, by_name, "The distributions that must be asked for."),
        Group("as told", 1, as_told, "The dtype that is asked for, and numbers from no other generator than `rng`."),
    ]


# ------------------------------------------------------------------------------------ what goes wrong with any of them
def misconceptions(scale, mode, default):
    def bug(name, says, hint, see, **parts):
        return Misconception(name, by_width(scale, mode, default, **parts), hint, says, see)

    swapped = "uniform" if default == "truncated_normal" else "truncated_normal"
    return [
        bug("variance_for_std", "the variance were the deviation",
            "Weights of variance 0.01 have which deviation?", SPREAD, std=variance_for_std),
        bug("without_kernel_area", "the places under a kernel were not counted",
            "An output of a 3 x 5 convolution sums over how many numbers for each input channel?", FANS, fans=no_area),
        bug("uniform_without_three", "the uniform weights ended at one deviation",
            "Numbers spread evenly between -1 and 1: is their deviation 1, or less?", SHAPES_OF,
            drawing=uniform_within_a_deviation),
        bug("not_widened", "nothing were done about the variance that is lost by cutting",
            "Cut off the tails of a normal distribution. Does its variance stay what it was?", SHAPES_OF,
            drawing=not_widened),
        bug("never_cut", "truncated_normal were not cut off",
            "What is the largest value that you may draw? What is the largest that you do?", SHAPES_OF,
            drawing=never_cut),
        bug("own_generator", "the random numbers came from a generator of your own, and not from `rng`",
            "Where do your random numbers come from? Does anything change if another `rng` is handed in?", GENERATOR,
            drawing=own_generator),
        bug("always_float64", "`dtype` were ignored", "Which dtype has your answer if float32 is asked for?", SPREAD,
            drawing=always_float64),
        Misconception("other_default", by_width(scale, mode, swapped),
            "Call it without `distribution`. Which one do you get, and which one does the task say?",
            "the default were another distribution", NAMED),
    ]  # fmt: skip


def other_scale(scale, mode, default, name, says, hint, see=NAMED):
    return Misconception(name, by_width(scale, mode, default), hint, says, see)


def exercise(reference, title, scale, mode, default, task, example, more, pseudo):
    return Exercise(
        reference=reference,
        chapter=CHAPTER,
        title=title,
        difficulty=1,
        minutes=5,
        task=f"""
    {task}

    `distribution` is `"normal"`, `"uniform"` or `"truncated_normal"`, as in `variance_scaling`, which you may call. All
    random numbers come from `rng`; the answer has `shape` and `dtype`.
    """,
        example=example,
        groups=groups(scale, mode, default),
        misconceptions=[*misconceptions(scale, mode, default), *more],
        variants=[
            Variant("by hand", by_width(scale, mode, default)),
            Variant("more numbers than needed", by_width(scale, mode, default, drawing=one_by_one)),
            Variant("from the last axis to the first", by_width(scale, mode, default, drawing=transposed)),
        ],
        hints=[
            Hint("You have written the general form. Which scale, and which fan, is this one?"),
            Hint('Look at "Three names for one formula", at its table.'),
            Hint(
                "A worked sibling, what PyTorch's `Linear` draws:\n\n"
                "    def torch_linear(shape, rng, dtype=np.float64):\n"
                '        return variance_scaling(shape, 1 / 3, "fan_in", "uniform", rng, dtype)'
            ),
            Hint(f"    {pseudo}"),
        ],
        equivalent=equivalent.SCALING | ({} if mode == "fan_avg" else equivalent.OUTPUTS | equivalent.MEAN),
    )


GLOROT = exercise(
    initializers.glorot, "Glorot", 1.0, "fan_avg", "uniform",
    """Glorot's weights: their variance is 1 over the mean of fan in and fan out, that is 2 over their sum. The default
    distribution is uniform.""",
    "bool(abs(glorot((30, 20), np.random.default_rng(0))).max() < np.sqrt(6 / 50))  # True",
    [
        other_scale(0.5, "fan_avg", "uniform", "one_over_the_sum", "the variance were 1 over the sum of the fans",
            "What is the mean of 30 and 20, and what is their sum?"),
        other_scale(2.0, "fan_avg", "uniform", "he_scale", "the scale were He's, which is for ReLU",
            "Is there a ReLU here that sets half of the signal to zero?"),
        other_scale(1.0, "fan_in", "uniform", "only_fan_in", "only fan in counted",
            "Which two sizes are to be kept, the signal's and what else?"),
        other_scale(1.0, "fan_out", "uniform", "only_fan_out", "only fan out counted",
            "Which two sizes are to be kept, the gradient's and what else?"),
    ],
    "variance_scaling with scale 1 and the mean of both fans",
)  # fmt: skip
HE = exercise(
    initializers.he, "He", 2.0, "fan_in", "truncated_normal",
    """He's weights: their variance is 2 over fan in, because ReLU takes half of the signal away. The default
    distribution is the truncated normal one.""",
    "bool(abs(he((50, 20), np.random.default_rng(0))).max() < 2 * np.sqrt(2 / 50) / 0.8796)  # True",
    [
        other_scale(1.0, "fan_in", "truncated_normal", "without_two", "there were no ReLU: the 2 is missing",
            "What does ReLU do to half of the numbers, and what makes up for it?"),
        other_scale(4.0, "fan_in", "truncated_normal", "two_outside_the_root",
            "the deviation and not the variance were doubled",
            "Is it the variance or the deviation that has to be doubled?"),
        other_scale(2.0, "fan_out", "truncated_normal", "only_fan_out", "fan out counted, and not fan in",
            "How many numbers does a unit add up: as many as it has inputs, or outputs?"),
        other_scale(2.0, "fan_avg", "truncated_normal", "both_fans", "the mean of both fans counted",
            "Is this He's variance, or a mixture with Glorot's?"),
    ],
    "variance_scaling with scale 2 and fan in",
)  # fmt: skip
LECUN = exercise(
    initializers.lecun, "LeCun", 1.0, "fan_in", "truncated_normal",
    """LeCun's weights: their variance is 1 over fan in, which keeps the size of a signal that nothing is taken from.
    The default distribution is the truncated normal one.""",
    "bool(abs(lecun((50, 20), np.random.default_rng(0))).max() < 2 * np.sqrt(1 / 50) / 0.8796)  # True",
    [
        other_scale(2.0, "fan_in", "truncated_normal", "he_scale", "the scale were He's, which is for ReLU",
            "SELU keeps the size of its signal itself. What would a factor of 2 do in every layer?"),
        other_scale(1 / 3, "fan_in", "truncated_normal", "torch_scale",
            "the variance were that of PyTorch's Linear, a third",
            "What is left of a signal's variance after each layer, if yours is used?"),
        other_scale(1.0, "fan_out", "truncated_normal", "only_fan_out", "fan out counted, and not fan in",
            "How many numbers does a unit add up: as many as it has inputs, or outputs?"),
        other_scale(1.0, "fan_avg", "truncated_normal", "both_fans", "the mean of both fans counted",
            "Is this LeCun's variance, or Glorot's?"),
    ],
    "variance_scaling with scale 1 and fan in",
)  # fmt: skip
