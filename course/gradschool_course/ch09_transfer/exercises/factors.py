"""lr_factors: the rate of a layer as a share of the head's."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.transfer import lr_factors
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import equivalent
from .draw import CHAPTER, CLOSE, SLOWER


# ------------------------------------------------------------------------------------------------ how factors go wrong
def of(factor):
    """factor(i, layers, decay, frozen) for each layer that is not frozen."""
    return lambda layers, decay, frozen=0: [
        float(factor(i, layers, decay, frozen)) if i >= frozen else 0.0 for i in range(layers)
    ]


def frozen_left_out(layers, decay, frozen=0):
    return lr_factors(layers - frozen, decay)


def one_zero_for_all(layers, decay, frozen=0):
    """A list of one number takes the place of several."""
    factors = lr_factors(layers, decay)
    return [0.0, *factors[frozen:]] if frozen else factors


def last_ones_frozen(layers, decay, frozen=0):
    return [decay ** (layers - 1 - i) if i < layers - frozen else 0.0 for i in range(layers)]


def never_frozen(layers, decay, frozen=0):
    return lr_factors(layers, decay)


def one_less_frozen(layers, decay, frozen=0):
    return lr_factors(layers, decay, max(frozen - 1, 0))


def one_more_frozen(layers, decay, frozen=0):
    return lr_factors(layers, decay, frozen + 1)


def frozen_keep_one(layers, decay, frozen=0):
    return [decay ** (layers - 1 - i) if i >= frozen else 1.0 for i in range(layers)]


def head_always_learns(layers, decay, frozen=0):
    return [*lr_factors(layers, decay, frozen)[:-1], 1.0]


def shared_out(layers, decay, frozen=0):
    factors = lr_factors(layers, decay, frozen)
    return [factor / sum(factors) for factor in factors] if frozen < layers else factors


# ------------------------------------------------------------------------------------------------ other right answers
def downwards(layers, decay, frozen=0):
    factors, factor = [], 1.0
    for i in reversed(range(layers)):
        factors.insert(0, factor if i >= frozen else 0.0)
        factor *= decay
    return factors


def by_array(layers, decay, frozen=0):
    factors = np.float64(decay) ** np.arange(layers)[::-1]
    factors[:frozen] = 0
    return factors.tolist()


def in_two_parts(layers, decay, frozen=0):
    return [0.0] * min(frozen, layers) + [float(decay) ** k for k in range(layers - frozen - 1, -1, -1)]


# ------------------------------------------------------------------------------------------------------------- probes
def decay(rng):
    return float(rng.uniform(0.2, 0.7))


def all_learn(rng):
    return [Call(layers=int(rng.integers(5, 9)), decay=decay(rng)), Call(layers=1, decay=decay(rng))]


def some_frozen(rng):
    layers = int(rng.integers(5, 9))
    return [
        Call(layers=layers, decay=decay(rng), frozen=int(rng.integers(2, layers - 2))),
        *(Call(layers=layers, decay=decay(rng), frozen=n) for n in (layers - 1, layers)),
    ]


FACTORS = Exercise(
    reference=lr_factors,
    chapter=CHAPTER,
    title="Slower at the bottom",
    difficulty=1,
    minutes=6,
    task="""Return a list with a factor of the learning rate for each of `layers` layers, the first layer first. The
last layer, the head, has 1. Each layer before it has `decay` times the factor of the layer behind it. The first
`frozen` layers have 0.""",
    example="""\
lr_factors(4, 0.5)  # [0.125, 0.25, 0.5, 1.0]
lr_factors(4, 0.5, frozen=1)  # [0.0, 0.25, 0.5, 1.0]""",
    groups=[
        Group("all learn", 1, all_learn, "No layer is frozen.", CLOSE),
        Group("some frozen", 1, some_frozen, "The first layers are frozen.", CLOSE),
    ],
    misconceptions=[
        Misconception(
            "upside_down",
            of(lambda i, layers, decay, frozen: decay**i),
            "Which layer is new and has most to learn: the first or the last?",
            "the first layer were the fastest",
            SLOWER,
        ),
        Misconception(
            "powers_in_order",
            lambda layers, decay, frozen=0: [decay**i for i in range(layers)],
            "Which layer has most to learn, the first or the last? And which of your layers are frozen?",
            "the first layer were the fastest, and none were frozen",
            SLOWER,
        ),
        Misconception(
            "head_too_slow",
            of(lambda i, layers, decay, frozen: decay ** (layers - i)),
            "Which factor has your last layer?",
            "the head had the factor decay, and not 1",
            SLOWER,
        ),
        Misconception(
            "head_and_next_alike",
            of(lambda i, layers, decay, frozen: decay ** max(layers - 2 - i, 0)),
            "Which factor has the layer before the head?",
            "the layer before the head had the factor 1, too",
            SLOWER,
        ),
        Misconception(
            "head_always_learns",
            head_always_learns,
            "As many layers are frozen as there are. Which factor has your last one?",
            "the head learned even where all layers are frozen",
            SLOWER,
        ),
        Misconception(
            "grows",
            of(lambda i, layers, decay, frozen: decay ** -(layers - 1 - i)),
            "decay is 0.5: is the factor of the layer below larger or smaller than 1?",
            "factors were divided by decay, layer by layer",
            SLOWER,
        ),
        Misconception(
            "one_factor_for_all",
            of(lambda i, layers, decay, frozen: decay if i < layers - 1 else 1),
            "Two layers below the head: what is decay times decay?",
            "all layers below the head had the same factor",
            SLOWER,
        ),
        Misconception(
            "subtracted",
            of(lambda i, layers, decay, frozen: 1 - (layers - 1 - i) * (1 - decay)),
            "Ten layers and decay 0.5: is one of your factors negative?",
            "the factors fell by the same amount from layer to layer",
            SLOWER,
        ),
        Misconception(
            "subtracted_down_to_zero",
            of(lambda i, layers, decay, frozen: max(1 - (layers - 1 - i) * (1 - decay), 0)),
            "Ten layers, decay 0.5, and none is frozen: how many of your factors are 0?",
            "the factors fell by the same amount from layer to layer, until they are 0",
            SLOWER,
        ),
        Misconception(
            "counted_from_the_frozen",
            of(lambda i, layers, decay, frozen: decay ** (i - frozen)),
            "Which layer is new and has most to learn: the first that is not frozen, or the last?",
            "the first layer that is not frozen were the fastest",
            SLOWER,
        ),
        Misconception(
            "frozen_left_out",
            frozen_left_out,
            "How many layers are there, and how many factors have you?",
            "frozen layers had no factor",
            SLOWER,
        ),
        Misconception(
            "one_zero_for_all",
            one_zero_for_all,
            "With frozen=3, how many zeros are in your list, and how long is it?",
            "all frozen layers together had a single 0",
            SLOWER,
        ),
        Misconception(
            "last_ones_frozen",
            last_ones_frozen,
            "Which layers see the picture first, and which of them do you freeze?",
            "the last layers were frozen, and not the first",
            SLOWER,
        ),
        Misconception(
            "frozen_ignored",
            never_frozen,
            "Where in your code does `frozen` stand?",
            "no layer were frozen",
            SLOWER,
        ),
        Misconception(
            "one_frozen_less",
            one_less_frozen,
            "With frozen=2, which factor has the second layer?",
            "one layer less were frozen",
            SLOWER,
        ),
        Misconception(
            "one_frozen_more",
            one_more_frozen,
            "With frozen=0, which factor has the first layer?",
            "one layer more were frozen",
            SLOWER,
        ),
        Misconception(
            "frozen_at_full_rate",
            frozen_keep_one,
            "A factor of 1 leaves the rate as it is. Which factor makes a layer stand still?",
            "frozen layers had the factor 1",
            SLOWER,
        ),
        Misconception(
            "shared_out",
            shared_out,
            "Which factor is the head to have?",
            "the factors were to sum to 1",
            SLOWER,
        ),
    ],
    variants=[
        Variant("downwards", downwards),
        Variant("by array", by_array),
        Variant("in two parts", in_two_parts),
    ],
    equivalent=equivalent.FACTORS,
    hints=[
        Hint("The head is new; what lies at the bottom is what the two tasks have in common. Who should move most?"),
        Hint('Look at "The lower, the slower". How many layers lie between layer i and the head?'),
        Hint("A worked sibling, what is left of 1 after k hours if half is lost each hour:\n\n    0.5 ** k"),
        Hint("    for i = 0, 1, ...: 0 if i is below `frozen`, else decay to the power of how far i is from the last"),
    ],
)
