"""groupnorm: neighbouring channels of one sample, at all places."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.norms import groupnorm
from gradschool_course import precision
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import draw, equivalent
from .draw import AXES, CHAPTER, CLOSE, GROUPS
from .rules import mean_of_variances, right, rule_misconceptions, scaled


# --------------------------------------------------------------------------------------------- which belong together
def checked(x, groups):
    if x.shape[-1] % groups:
        raise ValueError(f"{groups} groups cannot share {x.shape[-1]} channels")


def neighbours(x, groups):
    return x.reshape(len(x), -1, groups, x.shape[-1] // groups)


def over(axes=(1, 3), view=neighbours, rule=right, affine=scaled):
    """Group norm in a view of one's own: view(x, groups), and the axes in that."""

    def answer(x, gamma, beta, groups, eps=1e-5):
        checked(x, groups)
        return affine(rule(view(x, groups), axes, eps).reshape(x.shape), gamma, beta)

    return answer


def reshape_trusted(x, gamma, beta, groups, eps=1e-5):
    return gamma * right(neighbours(x, groups), (1, 3), eps).reshape(x.shape) + beta


def uneven_groups(x, gamma, beta, groups, eps=1e-5):
    parts = [right(part, tuple(range(1, x.ndim)), eps) for part in np.array_split(x, groups, axis=-1)]
    return gamma * np.concatenate(parts, axis=-1) + beta


def one_scale_a_group(x, gamma, beta, groups, eps=1e-5):
    size = x.shape[-1] // groups
    return over()(x, np.repeat(gamma[::size][:groups], size), np.repeat(beta[::size][:groups], size), groups, eps)


def groups_are_sizes(x, gamma, beta, groups, eps=1e-5):
    checked(x, groups)
    return over()(x, gamma, beta, x.shape[-1] // groups, eps)


# ------------------------------------------------------------------------------------------------ other right answers
def group_by_group(x, gamma, beta, groups, eps=1e-5):
    checked(x, groups)
    y, size = np.empty_like(x), x.shape[-1] // groups
    for n in range(len(x)):
        for g in range(groups):
            mine = x[n, ..., g * size : (g + 1) * size]
            mean = sum(mine.ravel()) / mine.size
            variance = sum((value - mean) ** 2 for value in mine.ravel()) / mine.size
            y[n, ..., g * size : (g + 1) * size] = (mine - mean) / (variance + eps) ** 0.5
    return y * gamma + beta


def by_split(x, gamma, beta, groups, eps=1e-5):
    """np.split refuses by itself what cannot be shared evenly."""
    parts = [right(part, tuple(range(1, x.ndim)), eps) for part in np.split(x, groups, axis=-1)]
    return gamma * np.concatenate(parts, axis=-1) + beta


def by_membership(x, gamma, beta, groups, eps=1e-5):
    """A matrix says which channels belong together."""
    checked(x, groups)
    size = x.shape[-1] // groups
    of = np.arange(x.shape[-1]) // size
    M = (of[:, None] == of).astype(x.dtype)
    flat = x.reshape(len(x), -1, x.shape[-1])
    m = flat.shape[1] * size
    d = flat - np.einsum("npc,cd->nd", flat, M)[:, None] / m
    s2 = np.einsum("npc,npc,cd->nd", d, d, M)[:, None] / m
    return (d / np.sqrt(s2 + eps) * gamma + beta).reshape(x.shape)


# -------------------------------------------------------------------------------------------------------------- probes
def call(rng, shape, **options):
    return Call(**draw.drawn(rng, shape), **options)


def channels(rng):
    """x (N, C) with six or eight channels, in groups that are not as many as they are large."""
    far = Call(**draw.far_out(rng, (4, 6)), groups=2)
    return [call(rng, (5, 6), groups=3), call(rng, (3, 8), groups=2, eps=0.0), call(rng, (1, 6), groups=2), far]


def places(rng):
    a, b = draw.sizes(rng, 3), draw.sizes(rng, 2)
    return [call(rng, (*a, 6), groups=2), call(rng, (*b, 12), groups=3), call(rng, (*b, 8), groups=4)]


def extremes(rng):
    """One group for all channels, and one for each."""
    a = draw.sizes(rng, 4)
    return [call(rng, a, groups=1), call(rng, a, groups=a[-1])]


def no_divisor(rng):
    """In the second and third a reshape alone would go through, and mix channels and places."""
    return [
        call(rng, (3, 6), groups=2),
        call(rng, (3, 7), groups=2),
        call(rng, (3, 4, 5), groups=4),
        call(rng, (5, 3, 4, 7), groups=3),
    ]


def options(rng):
    small = Call(**draw.quiet(rng, (*draw.sizes(rng, 3), 6)), groups=3, eps=draw.large_eps(rng))
    return [call(rng, (*draw.sizes(rng, 3), 6), groups=3, eps=draw.large_eps(rng)), small]


def single(rng):
    calls = [
        call(rng, (*draw.sizes(rng, 3), 6), groups=2, eps=draw.large_eps(rng)),
        call(rng, (5, 8), groups=2),
    ]
    return [Call(**{name: precision.single(a) for name, a in c.arguments.items()}) for c in calls]


GROUP = Exercise(
    reference=groupnorm,
    chapter=CHAPTER,
    title="Group norm",
    difficulty=3,
    minutes=15,
    task="""Share the C channels of `x` (N, ..., C) among `groups` groups of neighbours, all of the same size: the first
C / groups channels are the first group. Each group of each sample is normalised as a whole, over its channels and all
places. Then each channel is scaled and shifted by `gamma` and `beta`, both (C,).

Return y, of x's shape and dtype. A mean that is far larger than the spread costs no digits. Raise ValueError if
`groups` does not divide C.""",
    example="""\
groupnorm(np.array([[1.0, 3.0, 10.0, 50.0]]), np.ones(4), np.zeros(4), groups=2).round(3)  # [[-1.  1. -1.  1.]]""",
    axes=AXES,
    groups=[
        Group("channels", 2, channels, "x (N, C), once with means far larger than the spread.", CLOSE),
        Group("places", 2, places, "Sequences and images.", CLOSE),
        Group("extremes", 1, extremes, "One group, and as many as channels.", CLOSE),
        Group("no divisor", 1, no_divisor, "Groups that cannot be even.", CLOSE),
        Group("options", 1, options, "A large eps, also beside small variances.", CLOSE),
        Group("float32", 1, single, "float32 in, float32 out.", CLOSE, exact_dtype=True),
    ],
    misconceptions=[
        *rule_misconceptions(lambda rule, affine: over(rule=rule, affine=affine)),
        Misconception(
            "interleaved",
            over((1, 2), lambda x, groups: x.reshape(len(x), -1, x.shape[-1] // groups, groups)),
            "Six channels in two groups: is the second channel in the first group of yours?",
            "the channels were dealt out like cards, in turn to each group",
            GROUPS,
        ),
        Misconception(
            "places_cut",
            over(2, lambda x, groups: x.reshape(len(x), groups, -1)),
            "The channels are the last axis. Which numbers lie one after another in memory: places, or channels?",
            "each sample had been cut into `groups` pieces as it lies in memory, places and channels together",
            GROUPS,
        ),
        Misconception(
            "groups_are_sizes",
            groups_are_sizes,
            "Six channels and groups=2: do you make two groups, or groups of two?",
            "`groups` were the number of channels in a group",
            GROUPS,
        ),
        Misconception(
            "batch_included",
            over((0, 1, 3)),
            "Take one sample out of the batch. May the answers of the others change?",
            "the samples of the batch shared the means of their groups",
            GROUPS,
        ),
        Misconception(
            "across_the_groups",
            over((1, 2)),
            "One axis counts the groups, another the channels of a group: along which of the two does your mean run?",
            "a mean ran across the groups, over one channel of each",
            GROUPS,
        ),
        Misconception(
            "each_place",
            over((3,)),
            "How many means has the first group of an image: one, or one for each pixel?",
            "every place of a group had a mean of its own",
            GROUPS,
        ),
        Misconception(
            "each_channel",
            over((1,)),
            "Do two channels of the same group have the same mean subtracted in yours?",
            "every channel of a group had a mean of its own",
            GROUPS,
        ),
        Misconception(
            "mean_over_places",
            over(rule=mean_of_variances(3)),
            "Two places, at one of which all is 1, at the other all is 3. Which variance have both together?",
            "the variance of a group were the mean of the variances at its places",
            GROUPS,
        ),
        Misconception(
            "mean_of_variances",
            over(rule=mean_of_variances(1)),
            "Two channels, one always 1, the other always 3. Which variance has the group of both?",
            "the variance of a group were the mean of its channels' variances",
            GROUPS,
        ),
        Misconception(
            "all_channels",
            over((1, 2, 3)),
            "Where in your code does the argument `groups` make a difference?",
            "all channels were one group",
            GROUPS,
        ),
        Misconception(
            "one_scale_a_group",
            one_scale_a_group,
            "How many entries has gamma: one for each group, or one for each channel?",
            "the channels of a group shared the scale and the shift of the first",
            GROUPS,
        ),
        Misconception(
            "reshape_trusted",
            reshape_trusted,
            "x (3, 4, 5) and groups=4: which shape does your reshape give, and whose channels are in its first group?",
            "a reshape that goes through were proof that the groups are even",
            GROUPS,
        ),
        Misconception(
            "uneven_groups",
            uneven_groups,
            "Seven channels in two groups: what does the task say should happen?",
            "groups might differ in size",
            GROUPS,
        ),
    ],
    variants=[
        Variant("group by group", group_by_group),
        Variant("split and joined", by_split),
        Variant("membership matrix", by_membership),
    ],
    equivalent=equivalent.GROUPS,
    hints=[
        Hint("A reshape can turn one axis of channels into two: which group, and which channel of the group."),
        Hint(
            'Look at the figure under "Without a batch". In x (N, places, groups, channels of a group), which two axes '
            "share a mean?"
        ),
        Hint(
            "A worked sibling, the largest value of each group in x (N, C), two groups:\n\n"
            "    x.reshape(len(x), 2, -1).max(axis=2)"
        ),
        Hint(
            "    refuse what does not divide\n"
            "    view = x as (N, all places, groups, C / groups)\n"
            "    normalise view over places and the channels of a group; back to x's shape\n"
            "    times gamma, plus beta"
        ),
    ],
)
