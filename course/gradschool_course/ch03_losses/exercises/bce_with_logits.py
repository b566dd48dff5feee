"""bce_with_logits: yes or no for each score, finite for every score."""

from __future__ import annotations

import numpy as np

import gradschool as gs
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import draw, equivalent
from .cross_entropy import CLOSE, SEVERAL, averaging_everything, logarithm
from .frame import frame_misconceptions, matching, right, size, spread, total, weighed
from .regression import CHAPTER

OVERFLOW = "When exp overflows"
YES_OR_NO = "One question, yes or no"
OPTIONS = """
    `reduction`, `normalization`, `mask` and `weights` are those of the chapter's frame. The loss is right and finite,
    and nothing warns, for scores between -1000 and 1000. Inputs stay unchanged; targets may be integers.
"""


# ------------------------------------------------------------------------------------------------- yes-or-no questions
def softplus(x):
    """log(1 + exp(x)) without overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def steady_sigmoid(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)


def binary(z, t):
    return softplus(z) - z * t


def of_two_logarithms(p, t):
    return -(t * np.log(p) + (1 - t) * np.log(1 - p))


def logarithm_of_sigmoid(z, t):
    return of_two_logarithms(steady_sigmoid(z), t)


def naive_softplus(z, t):
    return np.log(1 + np.exp(-z)) + (1 - t) * z


def binary_clipped_after_log(z, t):
    p = steady_sigmoid(z)
    return -(t * np.maximum(np.log(p), 1e-7) + (1 - t) * np.maximum(np.log(1 - p), 1e-7))


def binary_clipped_at_1e7(z, t):
    return of_two_logarithms(np.clip(steady_sigmoid(z), 1e-7, 1 - 1e-7), t)


def sigmoid_twice(z, t):
    return binary(steady_sigmoid(z), t)


def binary_in_bits(z, t):
    return binary(z, t) / np.log(2)


def only_yes_counts(z, t):
    return t * softplus(-z)


def binary_integer_terms(z, t):
    terms = np.zeros_like(t)
    terms[...] = binary(z, t)
    return terms


def rounded_targets(z, t):
    return binary(z, t > 0.5)


def answers_swapped(z, t):
    return binary(z, 1 - t)


def binary_divides_by_weights(ell, z, t, reduction, normalization, mask, weights):
    matching(z, t)
    Z = size(z, normalization, mask)
    if weights is not None and normalization == "batch-size":
        Z = np.sum(weighed(np.ones(z.shape), mask, weights))
    return total(weighed(ell(z, t), mask, weights), reduction, Z)


def bce_with(ell, frame=right):
    def answer(z, t, reduction="sum", normalization="batch-size", mask=None, weights=None):
        return frame(ell, z, t, reduction, normalization, mask, weights)

    return answer


def with_logaddexp(z, t):
    return np.logaddexp(0, z) - z * t


def two_cases(z, t):
    """A branch for each sign of the score, each with an exponential that cannot overflow."""
    terms = np.zeros(np.shape(z))
    up = z >= 0
    terms[up] = z[up] * (1 - t[up]) + np.log1p(np.exp(-z[up]))
    terms[~up] = -z[~up] * t[~up] + np.log1p(np.exp(z[~up]))
    return terms


def both_answers(z, t):
    return t * np.logaddexp(0, -z) + (1 - t) * np.logaddexp(0, z)


def bce_loop(z, t, reduction="sum", normalization="batch-size", mask=None, weights=None):
    matching(z, t)
    M = np.broadcast_to(spread(mask, z), z.shape)
    W = np.broadcast_to(1.0 if weights is None else weights, z.shape)
    terms = np.zeros(z.shape)
    for index in np.ndindex(*z.shape):
        x = float(z[index])
        term = max(x, 0) + np.log1p(np.exp(-abs(x))) - x * float(t[index])
        terms[index] = M[index] * W[index] * term
    return terms if reduction == "none" else float(terms.sum()) / size(z, normalization, mask)


def binary_case(rng, shape, **more):
    return Call(z=rng.normal(size=shape) * 2, t=draw.yes_or_no(rng, shape), **more)


def binary_values(rng):
    a, b = draw.sizes(rng, 2), draw.sizes(rng, 2)
    return [
        binary_case(rng, draw.sizes(rng, 1)),
        binary_case(rng, a),
        binary_case(rng, (1, 4)),
        Call(z=rng.integers(-3, 4, size=a), t=draw.chances(rng, a)),
        Call(z=rng.normal(size=b), t=draw.chances(rng, b)),
        Call(z=rng.normal(size=b) * 3, t=draw.yes_or_no(rng, b).astype(int)),
        Call(z=rng.normal(size=(4, 7)).astype(np.float32), t=draw.yes_or_no(rng, (4, 7)).astype(np.float32)),
    ]


def binary_extremes(rng):
    """Scores up to 1000 either way, with the answer that they are sure of, and the other one."""
    z = np.concatenate([[1000.0, -1000.0, 0.0, 37.5, -37.5], rng.normal(size=3) * 300])
    z = np.concatenate([z, z])
    t = np.concatenate([np.zeros(8), np.ones(8)])
    order = rng.permutation(16)
    right_answers = Call(z=np.abs(z[:8]), t=np.ones(8))
    return [Call(z=z[order], t=t[order], reduction="none"), Call(z=z[order], t=t[order]), right_answers]


def binary_options(rng):
    a, b = draw.sizes(rng, 3), draw.sizes(rng, 2)
    return [
        binary_case(rng, a),
        binary_case(rng, (b[0], 1), reduction="none"),
        binary_case(rng, a, normalization="all-elements"),
        binary_case(rng, a, mask=draw.mask(rng, a[:2])),
        binary_case(rng, a, mask=draw.mask(rng, a[:2]), normalization="mask-included"),
        binary_case(rng, a, mask=np.zeros(a[:2]), normalization="mask-included"),
        binary_case(rng, a, mask=draw.mask(rng, a[:1]), normalization="all-elements"),
        binary_case(rng, b, normalization="none"),
        binary_case(rng, b, weights=draw.weights(rng, b[-1:]), mask=draw.mask(rng, b[:1])),
        binary_case(rng, a, weights=draw.weights(rng, a[-1:]), normalization="all-elements"),
        binary_case(rng, b, weights=draw.weights(rng, (b[0], 1)), mask=draw.mask(rng, b), reduction="none"),
        binary_case(rng, a, mask=draw.mask(rng, a[:1]).astype(int), normalization="mask-included"),
        binary_case(rng, a, weights=draw.weights(rng, a), mask=draw.mask(rng, a[:2])),
        binary_case(rng, b, weights=draw.weights(rng, (1,))),
        binary_case(rng, b, weights=np.zeros(b[-1])),
    ]


def binary_shapes(rng):
    n = draw.sizes(rng, 1)[0]
    z, t = rng.normal(size=n), draw.yes_or_no(rng, (n,))
    wide = z[:, None] + np.arange(3)
    others = [Call(z=wide, t=other) for other in (t[:, None], t[None, :3], t[:3])]
    return [Call(z=z, t=t), Call(z=z, t=t[:, None]), Call(z=z[:, None], t=t), *others]


bce_with_logits = Exercise(
    reference=gs.bce_with_logits,
    chapter=CHAPTER,
    title="Binary cross-entropy from scores",
    task=f"""
    Return the binary cross-entropy of scores `z`, of shape (N,), (N, C) or (N, T, C), with targets `t` of the same
    shape. The probability of "yes" is the sigmoid of the score; each entry is a question of its own, whose answer is 1,
    0, or something between. Shapes that differ raise a ValueError.
    {OPTIONS}""",
    example="bce_with_logits(np.array([0.0, 2.0, -1000.0]), np.array([1, 1, 0])).round(7)  # 0.2733584",
    difficulty=3,
    minutes=20,
    axes={"z": ("batch", "class"), "t": ("batch", "class")},
    groups=[
        Group("values", 2, binary_values, "Scores (N,) and (N, C) with hard, soft and integer targets.", CLOSE),
        Group("extremes", 2, binary_extremes, "Scores as far from zero as 1000, without warnings.", CLOSE),
        Group("options", 1, binary_options, "Sequences, masks, weights, `reduction` and `normalization`.", CLOSE),
        Group("shapes", 1, binary_shapes, "Scores and targets of different shapes are refused.", CLOSE),
    ],
    misconceptions=[
        logarithm("log_of_zero", bce_with(logarithm_of_sigmoid)),
        Misconception(
            "naive_exp",
            bce_with(naive_softplus),
            "What is np.exp(1000.0)? For which sign of z does your exponent grow?",
            "the exponential of a large number were taken",
            OVERFLOW,
        ),
        logarithm("clipped_after_log", bce_with(binary_clipped_after_log)),
        Misconception(
            "clipped_at_1e7",
            bce_with(binary_clipped_at_1e7),
            "At z = -100 and t = 1 the loss is 100. What is the largest loss that yours can give?",
            "the sigmoid were clipped at 1e-7 before the logarithm",
            OVERFLOW,
        ),
        Misconception(
            "sigmoid_twice",
            bce_with(sigmoid_twice),
            "A score of -1000 is a firm no. What probability of yes does your function see in the end?",
            "the scores went through the sigmoid twice",
            YES_OR_NO,
        ),
        logarithm("in_bits", bce_with(binary_in_bits)),
        Misconception(
            "only_yes_counts",
            bce_with(only_yes_counts),
            "The answer is no and the score says a firm yes. What does that cost in yours?",
            "only the entries whose answer is yes counted",
            SEVERAL,
        ),
        logarithm("integer_terms", bce_with(binary_integer_terms)),
        Misconception(
            "rounded_targets",
            bce_with(rounded_targets),
            "A target says 0.7. Is that a yes?",
            "targets were rounded to yes or no",
            YES_OR_NO,
        ),
        Misconception(
            "answers_swapped",
            bce_with(answers_swapped),
            "With t = 1, should the loss fall or rise as the score rises?",
            "yes and no were swapped",
            YES_OR_NO,
        ),
        Misconception(
            "averages_over_classes",
            bce_with(binary, averaging_everything),
            "Ask every question twice, in two columns. Should the loss of the batch stay as it is?",
            "it averaged over the columns as well as over the observations",
            "One frame for all losses",
        ),
        Misconception(
            "divides_by_weights",
            bce_with(binary, binary_divides_by_weights),
            "Double all weights: should the loss double, or stay as it is?",
            "the sum were divided by the sum of the weights",
            "Class weights",
        ),
        *frame_misconceptions(
            lambda frame: bce_with(binary, frame),
            [
                "divides_by_n_t",
                "divides_by_last_axis",
                "ignores_normalization",
                "mask_not_in_divisor",
                "divides_by_no_ones",
                "mask_counted_per_entry",
                "mask_counted_per_step",
                "left_of_all",
                "ones_of_all",
                "removes_masked",
                "no_shape_check",
                "last_axis_compared",
                "lengths_compared",
                "ignores_mask",
                "ignores_weights",
                "zero_weights_are_none",
                "always_one_number",
                "divides_the_terms",
            ],
        ),
    ],
    variants=[
        Variant("logaddexp", bce_with(with_logaddexp)),
        Variant("two_cases", bce_with(two_cases)),
        Variant("both_answers", bce_with(both_answers)),
        Variant("loop", bce_loop),
    ],
    equivalent=equivalent.FRAME | equivalent.PAIRED | equivalent.BCE,
    hints=[
        Hint(
            "Do not compute the probability at all. Put the sigmoid into the logarithm on paper, and simplify until no "
            "exponential of a large positive number is left."
        ),
        Hint(
            'Look at "When exp overflows": the trick is to pull the larger of two terms out of the logarithm. Which '
            "two terms are there for a single score?"
        ),
        Hint(
            "A worked sibling, log(exp(a) + exp(b)) without overflow:\n\n"
            "    m = np.maximum(a, b)\n    result = m + np.log(np.exp(a - m) + np.exp(b - m))"
        ),
        Hint(
            "    a = what a firm yes costs when the answer is no: grows like z, never negative, log(1 + "
            "...) of a small "
            "exponential\n    terms = a - (score times target)\n    the rest as in l1_loss"
        ),
    ],
    not_bugs={
        "weighted by predicted class": "the weights belong to columns or observations; no class is predicted",
        "sparse indexing `P[:,y]` gives (N,N)": "no class numbers come in; sparse_cross_entropy has the bug",
    },
)
