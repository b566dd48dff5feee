"""glorot, he and lecun: three names for one formula."""

from __future__ import annotations

import numpy as np

from gradschool import initializers
from gradschool_grader.exercise import Exercise, Group, Hint, Misconception, Variant

from . import drawings, equivalent
from .common import CHAPTER, NAMED, checked, drawn, fan_of, fan_pair, kernel, matrix, uses_the_generator, weights
from .drawings import scaled
from .fans import area_for_the_inputs_only


def mean_of_shares(shape):
    """Whose mean is 1 over the mean of 1 / fan in and 1 / fan out."""
    fan_in, fan_out = fan_pair(shape)
    return (2 * fan_in * fan_out / (fan_in + fan_out),) * 2


TURNS = dict.fromkeys(["orthogonal sign", "orthogonal shape for tall"], "no matrix is turned here")
FAN_IN_ONLY = TURNS | {"fan_sum for avg": "fan in stands alone: there is no mean to take for a sum"}


def named(scale, mode, default, **parts):
    """An initializer with parts of one's own, as `scaled` takes them."""
    general = scaled(**parts)

    def answer(shape, rng, distribution=default, dtype=np.float64):
        return general(shape, scale, mode, distribution, rng, dtype)

    return answer


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
        return [asked(rng, matrix(rng), scale, mode, default, default, "float32"), uses_the_generator()]

    return [
        Group("default", 2, by_default, "A matrix and a kernel, with the distribution that is the default."),
        Group("by name", 1, by_name, "The distributions that must be asked for."),
        Group("as told", 1, as_told, "The dtype that is asked for, and numbers from no other generator than `rng`."),
    ]


# ------------------------------------------------------------------------------------ what goes wrong with any of them
def bug(name, scale, mode, default, says, hint, published="", **parts):
    return Misconception(name, named(scale, mode, default, **parts), hint, says, NAMED, published)


def exercise(reference, title, scale, mode, default, task, example, other, more, pseudo, uncut="", not_bugs=TURNS):
    """`other` is who has the other default, `uncut` who draws normal weights where truncated ones are the default."""

    def made(**parts):
        return named(scale, mode, default, **parts)

    swapped = "uniform" if default == "truncated_normal" else "truncated_normal"
    other_default = bug(
        "other_default", scale, mode, swapped, "the default were another distribution",
        "Call it without `distribution`. Which one do you get, and which one does the task say?", other,
    )  # fmt: skip
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
        misconceptions=[*drawings.misconceptions(made, uncut), other_default, *more],
        variants=[Variant("by hand", made()), *drawings.variants(made)],
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
        not_bugs=not_bugs,
        equivalent=equivalent.SCALING
        | equivalent.NAMED
        | ({} if mode == "fan_avg" else equivalent.OUTPUTS | equivalent.MEAN),
    )


GLOROT = exercise(
    initializers.glorot, "Glorot", 1.0, "fan_avg", "uniform",
    """Glorot's weights: their variance is 1 over the mean of fan in and fan out, that is 2 over their sum. The default
    distribution is uniform.""",
    "bool(abs(glorot((30, 20), np.random.default_rng(0))).max() < np.sqrt(6 / 50))  # True",
    "Keras' `GlorotNormal`",
    [
        bug("one_over_the_sum", 0.5, "fan_avg", "uniform", "the variance were 1 over the sum of the fans",
            "What is the mean of 30 and 20, and what is their sum?"),
        bug("mean_of_shares", 1.0, "fan_avg", "uniform",
            "the variance were the mean of 1 / fan in and 1 / fan out, and not 1 over the mean of the fans",
            "Fans of 1 and 3: what is 1 over their mean, and what is the mean of 1 and 1/3?", fans=mean_of_shares),
        bug("he_scale", 2.0, "fan_avg", "uniform", "the scale were He's, which is for ReLU",
            "Is there a ReLU here that sets half of the signal to zero?"),
        bug("only_fan_in", 1.0, "fan_in", "uniform", "only fan in counted",
            "Which two sizes are to be kept, the signal's and what else?"),
        bug("only_fan_out", 1.0, "fan_out", "uniform", "only fan out counted",
            "Which two sizes are to be kept, the gradient's and what else?"),
        bug("area_for_inputs_only", 1.0, "fan_avg", "uniform",
            "the area of a kernel counted for fan in and not for fan out",
            "Move a 3 x 5 kernel over one pixel: at how many places of it does that pixel take part?",
            fans=area_for_the_inputs_only),
    ],
    "variance_scaling with scale 1 and the mean of both fans",
)  # fmt: skip
HE = exercise(
    initializers.he, "He", 2.0, "fan_in", "truncated_normal",
    """He's weights: their variance is 2 over fan in, because ReLU takes half of the signal away. The default
    distribution is the truncated normal one.""",
    "bool(abs(he((50, 20), np.random.default_rng(0))).max() < 2 * np.sqrt(2 / 50) / 0.8796)  # True",
    "Keras' `HeUniform`",
    [
        bug("without_two", 1.0, "fan_in", "truncated_normal", "there were no ReLU: the 2 is missing",
            "What does ReLU do to half of the numbers, and what makes up for it?"),
        bug("two_outside_the_root", 4.0, "fan_in", "truncated_normal",
            "the deviation and not the variance were doubled",
            "Is it the variance or the deviation that has to be doubled?"),
        bug("only_fan_out", 2.0, "fan_out", "truncated_normal", "fan out counted, and not fan in",
            "How many numbers does a unit add up: as many as it has inputs, or outputs?",
            'PyTorch with `mode="fan_out"`'),
        bug("both_fans", 2.0, "fan_avg", "truncated_normal", "the mean of both fans counted",
            "Is this He's variance, or a mixture with Glorot's?"),
    ],
    "variance_scaling with scale 2 and fan in",
    "PyTorch's `kaiming_normal_`",
    FAN_IN_ONLY,
)  # fmt: skip
LECUN = exercise(
    initializers.lecun, "LeCun", 1.0, "fan_in", "truncated_normal",
    """LeCun's weights: their variance is 1 over fan in, which keeps the size of a signal that nothing is taken from.
    The default distribution is the truncated normal one.""",
    "bool(abs(lecun((50, 20), np.random.default_rng(0))).max() < 2 * np.sqrt(1 / 50) / 0.8796)  # True",
    "Keras' `LecunUniform`",
    [
        bug("he_scale", 2.0, "fan_in", "truncated_normal", "the scale were He's, which is for ReLU",
            "SELU keeps the size of its signal itself. What would a factor of 2 do in every layer?"),
        bug("torch_scale", 1 / 3, "fan_in", "truncated_normal",
            "the variance were that of PyTorch's Linear, a third",
            "What is left of a signal's variance after each layer, if yours is used?"),
        bug("only_fan_out", 1.0, "fan_out", "truncated_normal", "fan out counted, and not fan in",
            "How many numbers does a unit add up: as many as it has inputs, or outputs?"),
        bug("both_fans", 1.0, "fan_avg", "truncated_normal", "the mean of both fans counted",
            "Is this LeCun's variance, or Glorot's?"),
    ],
    "variance_scaling with scale 1 and fan in",
    not_bugs=FAN_IN_ONLY,
)  # fmt: skip
