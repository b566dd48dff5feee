"""instancenorm: one channel of one sample, over its places."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.norms import instancenorm
from gradschool_course import precision
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import draw
from .draw import AXES, CHAPTER, CLOSE, INSTANCES
from .rules import only_centred, right, rule_misconceptions, scaled


# --------------------------------------------------------------------------------------------- which belong together
def between(x):
    return tuple(range(1, x.ndim - 1))


def over(which=between, rule=right, affine=scaled):
    """Instance norm with axes of one's own: which(x)."""

    def answer(x, gamma, beta, eps=1e-5):
        return affine(rule(x, which(x), eps), gamma, beta)

    return answer


def one_spread(x, axes, eps):
    """A mean for each channel, but one variance for the whole sample."""
    centred = only_centred(x, axes, eps)
    return centred / np.sqrt((centred**2).mean(axis=tuple(range(1, x.ndim)), keepdims=True) + eps)


def channels_second(x, gamma, beta, eps=1e-5):
    """As many rows as there are channels, as for channels that stand right after the batch."""
    rows = x.reshape(x.shape[0], x.shape[-1], -1)
    return scaled(right(rows, -1, eps).reshape(x.shape), gamma, beta)


def one_place_left_alone(x, gamma, beta, eps=1e-5):
    return gamma * x + beta if x.size == x.shape[0] * x.shape[-1] else over()(x, gamma, beta, eps)


# ------------------------------------------------------------------------------------------------ other right answers
def channel_by_channel(x, gamma, beta, eps=1e-5):
    y = np.empty_like(x)
    for n, c in np.ndindex(x.shape[0], x.shape[-1]):
        values = x[n, ..., c]
        mean = sum(values.ravel()) / values.size
        variance = sum((value - mean) ** 2 for value in values.ravel()) / values.size
        y[n, ..., c] = gamma[c] * (values - mean) / (variance + eps) ** 0.5 + beta[c]
    return y


def by_einsum(x, gamma, beta, eps=1e-5):
    flat = x.reshape(x.shape[0], -1, x.shape[-1])
    d = flat - np.einsum("npc->nc", flat)[:, None] / flat.shape[1]
    r = (np.einsum("npc,npc->nc", d, d) / flat.shape[1] + eps) ** -0.5
    return np.einsum("npc,nc,c->npc", d, r, gamma).reshape(x.shape) + beta


def in_place_on_a_copy(x, gamma, beta, eps=1e-5):
    y = x.copy()
    y -= np.mean(y, axis=between(x), keepdims=True)
    y /= np.sqrt(np.mean(np.square(y), axis=between(x), keepdims=True) + eps)
    y *= gamma
    y += beta
    return y


# -------------------------------------------------------------------------------------------------------------- probes
def call(rng, shape, **options):
    return Call(**draw.drawn(rng, shape), **options)


def images(rng):
    return [call(rng, draw.sizes(rng, 4)), call(rng, (1, *draw.sizes(rng, 3)), eps=0.0)]


def sequences(rng):
    return [call(rng, draw.sizes(rng, 3)), Call(**draw.far_out(rng, draw.sizes(rng, 3)))]


def one_place(rng):
    N, C = draw.sizes(rng, 2)
    return [call(rng, (N, 1, 1, C)), call(rng, (N, 1, C)), call(rng, (N, 1, 4, C))]


def options(rng):
    small = Call(**draw.quiet(rng, draw.sizes(rng, 4)), eps=draw.large_eps(rng))
    return [call(rng, draw.sizes(rng, 4), eps=draw.large_eps(rng)), small]


def single(rng):
    calls = [call(rng, draw.sizes(rng, 4), eps=draw.large_eps(rng)), call(rng, draw.sizes(rng, 3))]
    return [Call(**{name: precision.single(a) for name, a in c.arguments.items()}) for c in calls]


INSTANCE = Exercise(
    reference=instancenorm,
    chapter=CHAPTER,
    title="Instance norm",
    difficulty=2,
    minutes=10,
    task="""Normalise each channel of each sample of `x`, (N, T, C) or (N, H, W, C), over all its places, then scale and
shift each channel by `gamma` and `beta`, both (C,). Return y, of x's shape and dtype. A mean that is far
larger than the spread costs no digits.

Where there is only one place nothing is an exception: think of what comes out.""",
    example="""\
x = np.array([[[1.0, 10.0], [2.0, 50.0], [3.0, 30.0]]])
instancenorm(x, np.ones(2), np.zeros(2)).round(3).tolist()  # [[[-1.225, -1.225], [0.0, 1.225], [1.225, 0.0]]]""",
    axes=AXES,
    groups=[
        Group("images", 2, images, "x (N, H, W, C).", CLOSE),
        Group("sequences", 1, sequences, "x (N, T, C), once with means far larger than the spread.", CLOSE),
        Group("one place", 1, one_place, "A single place, or a single row of places.", CLOSE),
        Group("options", 1, options, "A large eps, also beside small variances.", CLOSE),
        Group("float32", 1, single, "float32 in, float32 out.", CLOSE, exact_dtype=True),
    ],
    misconceptions=[
        *rule_misconceptions(lambda rule, affine: over(between, rule, affine)),
        Misconception(
            "over_the_batch",
            over(lambda x: tuple(range(x.ndim - 1))),
            "Take one image out of the batch. May the answers of the others change?",
            "it were batch norm: the images of a batch shared a mean",
            INSTANCES,
        ),
        Misconception(
            "over_channels_too",
            over(lambda x: tuple(range(1, x.ndim))),
            "Raise the red channel of one image by 1. May its green channel notice?",
            "the channels of a sample shared one mean",
            INSTANCES,
        ),
        Misconception(
            "one_spread",
            over(rule=one_spread),
            "Make the contrast of the red channel of one image larger. May its green channel notice?",
            "each channel had its own mean, but all channels of a sample shared one variance",
            INSTANCES,
        ),
        Misconception(
            "channels_second",
            channels_second,
            "Reshape [[1, 10], [2, 20], [3, 30]], three places of two channels, as you do. Is a row one channel?",
            "x had been reshaped to (N, C, places), although its channels are the last axis",
            INSTANCES,
        ),
        Misconception(
            "each_place",
            over(lambda x: -1),
            "How many means has an image of yours: one for each channel, or one for each pixel?",
            "each place were normalised over its channels",
            INSTANCES,
        ),
        Misconception(
            "first_axis_only",
            over(lambda x: 1),
            "How many means has the red channel of an image of yours: one, or one for each column?",
            "a mean ran down the columns only, and each had its own",
            INSTANCES,
        ),
        Misconception(
            "one_place_left_alone",
            one_place_left_alone,
            "For a single place, what is x minus its mean?",
            "a single place were not normalised",
            INSTANCES,
        ),
    ],
    variants=[
        Variant("channel by channel", channel_by_channel),
        Variant("einsum", by_einsum),
        Variant("in place on a copy", in_place_on_a_copy),
    ],
    hints=[
        Hint("One mean for each sample and each channel: how many means are that for x (N, H, W, C)?"),
        Hint('Look at the figure under "Without a batch": which axes are neither the first nor the last?'),
        Hint(
            "A worked sibling, every channel of every image divided by its own brightest pixel, x (N, H, W, C):\n\n"
            "    x / x.max(axis=(1, 2), keepdims=True)"
        ),
        Hint(
            "    axes: all but the first and the last\n"
            "    mean and variance over them, with keepdims\n"
            "    (x − mean) over the root of variance + eps, times gamma, plus beta"
        ),
    ],
    not_bugs={
        "G≠divisor": "there are no groups",
        "grouping interleaved": "there are no groups",
    },
)
