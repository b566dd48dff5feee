"""layernorm: the channels of one sample, and no other sample."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.norms import layernorm
from gradschool_course import precision
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import draw
from .draw import AXES, CHAPTER, CLOSE, LAYERS, STANDARD, WITHOUT
from .rules import mean_of_variances, right, rule_misconceptions, scaled


# --------------------------------------------------------------------------------------------- which belong together
def over(which, rule=right, affine=scaled):
    """Layer norm with axes of one's own: which(x, axes)."""

    def answer(x, gamma, beta, axes=-1, eps=1e-5):
        return affine(rule(x, which(x, axes), eps), gamma, beta)

    return answer


def given(x, axes):
    return axes


def one_axis_after_the_other(x, gamma, beta, axes=-1, eps=1e-5):
    for axis in (axes,) if isinstance(axes, int) else axes:
        x = right(x, axis, eps)
    return gamma * x + beta


def before_the_rule(x, gamma, beta, axes=-1, eps=1e-5):
    return right(gamma * x + beta, axes, eps)


def root_mean_square(x, axes, eps):
    return x / np.sqrt((x * x).mean(axis=axes, keepdims=True) + eps)


def axes_dropped(x, gamma, beta, axes=-1, eps=1e-5):
    return gamma * (x - x.mean(axis=axes)) / np.sqrt(x.var(axis=axes) + eps) + beta


# ------------------------------------------------------------------------------------------------ other right answers
def sample_by_sample(x, gamma, beta, axes=-1, eps=1e-5):
    axes = {a % x.ndim for a in ([axes] if isinstance(axes, int) else axes)}
    rest = [n if i not in axes else 1 for i, n in enumerate(x.shape)]
    y = np.empty_like(x)
    for index in np.ndindex(*rest):
        one = tuple(slice(None) if i in axes else at for i, at in enumerate(index))
        values = x[one]
        mean = sum(values.ravel()) / values.size
        variance = sum((value - mean) ** 2 for value in values.ravel()) / values.size
        y[one] = (values - mean) / (variance + eps) ** 0.5
    return y * gamma + beta


def as_rows(x, gamma, beta, axes=-1, eps=1e-5):
    """What belongs together goes to the end and becomes a row."""
    axes = [axes] if isinstance(axes, int) else list(axes)
    moved = np.moveaxis(x, axes, range(-len(axes), 0))
    rows = moved.reshape(*moved.shape[: -len(axes)], -1)
    d = rows - np.einsum("...k->...", rows)[..., None] / rows.shape[-1]
    xhat = d * (np.einsum("...k,...k->...", d, d)[..., None] / rows.shape[-1] + eps) ** -0.5
    return np.moveaxis(xhat.reshape(moved.shape), range(-len(axes), 0), axes) * gamma + beta


def in_place_on_a_copy(x, gamma, beta, axes=-1, eps=1e-5):
    y = x.copy()
    y -= np.mean(y, axis=axes, keepdims=True)
    y /= np.sqrt(np.mean(np.square(y), axis=axes, keepdims=True) + eps)
    y *= gamma
    y += beta
    return y


# -------------------------------------------------------------------------------------------------------------- probes
def call(rng, shape, **options):
    return Call(**draw.drawn(rng, shape), **options)


def rows(rng):
    far = Call(**draw.far_out(rng, draw.sizes(rng, 2)))
    return [call(rng, draw.sizes(rng, 2)), call(rng, draw.sizes(rng, 2), eps=0.0), call(rng, (1, 5)), far]


def places(rng):
    return [call(rng, draw.sizes(rng, 3)), call(rng, draw.sizes(rng, 4))]


def several_axes(rng):
    a, b = draw.sizes(rng, 4), draw.sizes(rng, 3)
    return [call(rng, a, axes=(1, 2, 3)), call(rng, b, axes=(1, 2)), call(rng, a, axes=(2, -1))]


def options(rng):
    small = Call(**draw.quiet(rng, draw.sizes(rng, 2)), eps=draw.large_eps(rng))
    return [call(rng, draw.sizes(rng, 2), eps=draw.large_eps(rng)), small]


def single(rng):
    calls = [call(rng, draw.sizes(rng, 2), eps=draw.large_eps(rng)), call(rng, draw.sizes(rng, 4), axes=(1, 2, 3))]
    return [Call(**{name: precision.single(a) for name, a in c.arguments.items()}) for c in calls]


LAYER = Exercise(
    reference=layernorm,
    chapter=CHAPTER,
    title="Layer norm",
    difficulty=2,
    minutes=12,
    task="""Normalise each sample of `x` (N, ..., C) by itself, then scale and shift each channel by `gamma` and `beta`,
both (C,). `axes` says which numbers of a sample share a mean and a variance: -1, the channels at each place, as one
does for sequences; or a tuple such as (1, 2, 3), all channels at all places of an image. Axis 0 is never among them.

Return y, of x's shape and dtype. A mean that is far larger than the spread costs no digits.""",
    example="""\
x = np.array([[1.0, 2.0, 6.0]])
layernorm(x, np.ones(3), np.array([0.0, 0.0, 10.0])).round(4)  # [[-0.9258 -0.4629 11.3887]]""",
    axes=AXES,
    groups=[
        Group("rows", 2, rows, "x (N, C), once with means far larger than the spread.", CLOSE),
        Group("places", 1, places, "Sequences and images, each place apart.", CLOSE),
        Group("axes", 2, several_axes, "Several axes together.", CLOSE),
        Group("options", 1, options, "A large eps, also beside small variances.", CLOSE),
        Group("float32", 1, single, "float32 in, float32 out.", CLOSE, exact_dtype=True),
    ],
    misconceptions=[
        *rule_misconceptions(lambda rule, affine: over(given, rule, affine)),
        Misconception(
            "root_mean_square",
            over(given, root_mean_square),
            "Which mean has your answer, before scale and shift, if all numbers of a sample are positive?",
            "no mean were taken off, and it were divided by the root of the mean square",
            STANDARD,
            "RMSNorm",
        ),
        Misconception(
            "mean_of_variances",
            over(given, mean_of_variances()),
            "Two places, at one of which all is 1, at the other all is 3. Which variance have both together?",
            "the variance over several axes were the mean of the variances along the last of them",
            LAYERS,
        ),
        Misconception(
            "over_the_places",
            over(lambda x, axes: 1),
            "A sequence of ten steps with three channels, axes = -1: how many means has a sample, ten or three?",
            "a mean ran along axis 1, whatever that is",
            LAYERS,
        ),
        Misconception(
            "over_the_batch",
            over(lambda x, axes: tuple(range(x.ndim - 1))),
            "Take one sample out of the batch. May the answers of the others change?",
            "it were batch norm: every channel had one mean over the batch",
            LAYERS,
        ),
        Misconception(
            "batch_included",
            over(lambda x, axes: (0, *((axes,) if isinstance(axes, int) else axes))),
            "Take one sample out of the batch. May the answers of the others change?",
            "the samples of the batch shared one mean",
            LAYERS,
        ),
        Misconception(
            "axes_ignored",
            over(lambda x, axes: -1),
            "Where in your code does the argument `axes` stand?",
            "`axes` were always -1",
            LAYERS,
        ),
        Misconception(
            "whole_sample_always",
            over(lambda x, axes: tuple(range(1, x.ndim))),
            "How many means has a sequence of yours with axes=-1: one, or one for each time step?",
            "a sample had always one mean, whatever `axes` says",
            LAYERS,
        ),
        Misconception(
            "one_axis_after_the_other",
            one_axis_after_the_other,
            "With axes=(1, 2, 3), how often do you subtract a mean from a sample, and how many means has it?",
            "the axes were normalised one after the other",
            LAYERS,
        ),
        Misconception(
            "axes_dropped",
            axes_dropped,
            "x is (6, 4): which shape has x.mean(axis=-1), and which axis of x does it meet in a subtraction?",
            "the axes of mean and variance had gone, so that they meet the wrong axes of x",
            LAYERS,
        ),
        Misconception(
            "scaled_first",
            before_the_rule,
            "Which mean has your answer over the channels if all of beta is 7?",
            "scale and shift came before the normalisation",
            WITHOUT,
        ),
    ],
    variants=[
        Variant("sample by sample", sample_by_sample),
        Variant("rows and einsum", as_rows),
        Variant("in place on a copy", in_place_on_a_copy),
    ],
    hints=[
        Hint("It is batch norm's rule with other company: whose mean is subtracted from a number?"),
        Hint('Look at the figure under "Without a batch", and at what `keepdims` does to the shape of a mean.'),
        Hint(
            "A worked sibling, every row of x (N, C) divided by its largest entry:\n\n"
            "    x / x.max(axis=-1, keepdims=True)"
        ),
        Hint(
            "    mean and variance over `axes`, both with keepdims\n"
            "    (x − mean) over the root of variance + eps, times gamma, plus beta"
        ),
    ],
    not_bugs={
        "G≠divisor": "there are no groups",
        "grouping interleaved": "there are no groups",
        "using running stats": "no state comes in: there is nothing that could be remembered",
    },
)
