"""softmax_cross_entropy: one of C classes from its scores, finite for every score."""

from __future__ import annotations

import numpy as np

import gradschool as gs
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import draw, equivalent
from .bce_with_logits import OPTIONS, OVERFLOW
from .cross_entropy import (
    CLOSE,
    ENTROPY_AXES,
    averaging_everything,
    class_misconceptions,
    logarithm,
    minus_log,
    soft_misconceptions,
)
from .frame import right
from .regression import CHAPTER


# ---------------------------------------------------------------------------------------------------- one of C classes
def log_softmax(z):
    shifted = z - np.max(z, axis=-1, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))


def categorical(z, T):
    return -T * log_softmax(z)


def logarithm_of_softmax(z, T):
    return -T * np.log(draw.softmax(z))


def naive_logsumexp(z, T):
    return -T * (z - np.log(np.sum(np.exp(z), axis=-1, keepdims=True)))


def shifted_by_the_largest_of_all(z, T):
    shifted = z - np.max(z)
    return -T * (shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True)))


def categorical_clipped_after_log(z, T):
    return -T * np.maximum(np.log(draw.softmax(z)), 1e-7)


def categorical_clipped_at_1e7(z, T):
    return T * minus_log(draw.softmax(z), 1e-7)


def two_softmaxes(z, T):
    return categorical(draw.softmax(z), T)


def categorical_in_bits(z, T):
    return categorical(z, T) / np.log(2)


def softmax_over_batch(z, T):
    shifted = z - np.max(z, axis=0)
    return -T * (shifted - np.log(np.sum(np.exp(shifted), axis=0)))


def categorical_integer_terms(z, T):
    terms = np.zeros_like(T)
    terms[...] = categorical(z, T)
    return terms


def scores_as_probabilities(z, T):
    return -T * z


def softmax_with(ell, frame=right):
    def answer(z, T, weights=None, reduction="sum", normalization="batch-size", mask=None):
        return frame(ell, z, T, reduction, normalization, mask, weights)

    return answer


def by_logaddexp(z, T):
    return T * (np.logaddexp.reduce(z, axis=-1, keepdims=True) - z)


def by_differences(z, T):
    """log p_k = -log sum_j exp(z_j - z_k), the largest difference pulled out."""
    d = z[..., None, :] - z[..., :, None]
    m = np.max(d, axis=-1, keepdims=True)
    return T * (m[..., 0] + np.log(np.sum(np.exp(d - m), axis=-1)))


def row_by_row(z, T):
    terms = np.zeros(np.shape(z))
    for index in np.ndindex(*z.shape[:-1]):
        row = z[index].astype(float)
        m = row.max()
        log_sum = m + np.log(sum(np.exp(score - m) for score in row))
        for k, score in enumerate(row):
            terms[index][k] = T[index][k] * (log_sum - score)
    return terms


def on_a_copy(z, T):
    logs = np.array(z, dtype=float)
    logs -= logs.max(axis=-1, keepdims=True)
    logs -= np.log(np.exp(logs).sum(axis=-1, keepdims=True))
    logs *= T
    return np.negative(logs, out=logs)


def scores(rng, shape):
    return rng.normal(size=shape) * 2


def case(rng, shape, **more):
    return Call(z=scores(rng, shape), T=draw.one_hot(rng, shape), **more)


def values(rng):
    a, b = draw.sizes(rng, 2), draw.sizes(rng, 2)
    return [
        case(rng, a),
        case(rng, (1, 4)),
        Call(z=scores(rng, b), T=draw.probabilities(rng, b)),
        Call(z=scores(rng, b), T=draw.one_hot(rng, b).astype(int)),
        Call(z=rng.integers(-3, 4, size=a), T=draw.probabilities(rng, a)),
        Call(z=scores(rng, (5, 3)).astype(np.float32), T=draw.one_hot(rng, (5, 3)).astype(np.float32)),
    ]


def extremes(rng):
    """Scores far apart within a row; all of them large; rows of very different height."""
    shape = draw.sizes(rng, 2)
    T = draw.one_hot(rng, shape)
    apart = np.where(draw.mask(rng, shape) > 0, 0.0, -900.0) + scores(rng, shape)
    apart[0] = scores(rng, shape[-1:]) - 900 * T[0]
    heights = rng.permutation(np.linspace(-1000, 1000, shape[0]))[:, None]
    return [
        Call(z=apart, T=T),
        Call(z=apart, T=T, reduction="none"),
        Call(z=scores(rng, shape) + 1000, T=T),
        Call(z=scores(rng, shape) + heights, T=T),
    ]


def options(rng):
    a, b, c = draw.sizes(rng, 3), draw.sizes(rng, 3), draw.sizes(rng, 2)
    return [
        case(rng, a),
        case(rng, c, reduction="none"),
        case(rng, a, normalization="all-elements"),
        case(rng, b, mask=draw.mask(rng, b[:2])),
        case(rng, b, mask=draw.mask(rng, b[:2]), normalization="mask-included"),
        case(rng, b, mask=np.zeros(b[:2]), normalization="mask-included"),
        case(rng, b, mask=draw.mask(rng, b[:1]).astype(int), normalization="mask-included"),
        case(rng, a, mask=draw.mask(rng, a[:1]), normalization="all-elements"),
        case(rng, c, normalization="none"),
    ]


def class_weights(rng):
    a, b = draw.sizes(rng, 2), draw.sizes(rng, 3)
    masked = {"mask": draw.mask(rng, b[:2]), "normalization": "mask-included"}
    return [
        case(rng, a, weights=draw.weights(rng, a[-1:]), mask=draw.mask(rng, a[:1])),
        case(rng, b, weights=draw.weights(rng, b[-1:]), normalization="all-elements"),
        case(rng, b, weights=draw.weights(rng, b[-1:]), **masked),
        case(rng, a, weights=draw.weights(rng, a[-1:]), reduction="none"),
        case(rng, a, weights=np.zeros(a[-1])),
        Call(z=scores(rng, a), T=draw.probabilities(rng, a), weights=draw.weights(rng, a[-1:])),
    ]


softmax_cross_entropy = Exercise(
    reference=gs.softmax_cross_entropy,
    chapter=CHAPTER,
    title="Cross-entropy from scores",
    task=f"""
    Return the cross-entropy of scores `z`, of shape (N, C) or (N, T, C), with targets `T` of the same shape, one-hot or
    a distribution over the classes. The probabilities are the softmax of the scores over the last axis.

    `weights` (C,) multiply the terms of their class. With `reduction="none"` the answer has the shape of z.
    {OPTIONS}""",
    example="softmax_cross_entropy(np.array([[1.0, 2.0, 3.0]]), np.array([[0, 0, 1]])).round(7)  # 0.407606",
    difficulty=3,
    minutes=20,
    axes={"z": ENTROPY_AXES["P"], "T": ENTROPY_AXES["T"]},
    groups=[
        Group("values", 2, values, "One-hot and soft targets, also integers and a batch of one.", CLOSE),
        Group("extremes", 2, extremes, "Scores far apart, very large, very small, without warnings.", CLOSE),
        Group("weights", 1, class_weights, "Class weights.", CLOSE),
        Group("options", 1, options, "Sequences, masks, `reduction` and `normalization`.", CLOSE),
    ],
    misconceptions=[
        logarithm("log_of_zero", softmax_with(logarithm_of_softmax)),
        Misconception(
            "naive_exp",
            softmax_with(naive_logsumexp),
            "Add 1000 to all scores of a row: what should the loss do, and what does np.exp do?",
            "the exponential of a large score were taken",
            OVERFLOW,
        ),
        Misconception(
            "shifted_by_the_largest_of_all",
            softmax_with(shifted_by_the_largest_of_all),
            "One row of scores lies 2000 below another. After your shift, what is left of its exponentials?",
            "all rows were shifted by the largest score of the batch",
            OVERFLOW,
        ),
        logarithm("clipped_after_log", softmax_with(categorical_clipped_after_log)),
        Misconception(
            "clipped_at_1e7",
            softmax_with(categorical_clipped_at_1e7),
            "The true class has a score 100 below the best: the loss is 100. What is the largest loss of yours?",
            "the softmax were clipped at 1e-7 before the logarithm",
            OVERFLOW,
        ),
        Misconception(
            "softmax_twice",
            softmax_with(two_softmaxes),
            "With three classes, can your loss fall below 0.55, however sure the scores are? Why?",
            "the scores went through the softmax twice",
            OVERFLOW,
        ),
        logarithm("in_bits", softmax_with(categorical_in_bits)),
        Misconception(
            "softmax_over_batch",
            softmax_with(softmax_over_batch),
            "What should sum to 1: the probabilities of one observation, or those of one class?",
            "the softmax ran over the batch and not over the classes",
            OVERFLOW,
        ),
        logarithm("integer_terms", softmax_with(categorical_integer_terms)),
        Misconception(
            "scores_as_probabilities",
            softmax_with(scores_as_probabilities),
            "Can a score be -3? Can a logarithm of a probability be +3?",
            "the scores were logarithms of probabilities already",
            OVERFLOW,
        ),
        *class_misconceptions(lambda frame: softmax_with(categorical, frame), averaging_everything),
        *soft_misconceptions(lambda frame: softmax_with(categorical, frame)),
    ],
    variants=[
        Variant("logaddexp", softmax_with(by_logaddexp)),
        Variant("differences", softmax_with(by_differences)),
        Variant("row_by_row", softmax_with(row_by_row)),
        Variant("on_a_copy", softmax_with(on_a_copy)),
    ],
    equivalent=equivalent.FRAME | equivalent.PAIRED | equivalent.SOFTMAX,
    hints=[
        Hint(
            "The logarithm of the softmax is a difference of two things, and one of them is the score itself. Nothing "
            "needs to be divided."
        ),
        Hint(
            'Look at "When exp overflows". Which number may you subtract from a whole row of scores without changing '
            "its softmax?"
        ),
        Hint(
            "A worked sibling, the soft maximum of each row without overflow:\n\n"
            "    m = np.max(z, axis=-1, keepdims=True)\n"
            "    soft = m + np.log(np.mean(np.exp(z - m), axis=-1, keepdims=True))"
        ),
        Hint(
            "    shifted = each row of z minus its own maximum\n"
            "    log_p = shifted - log of the sum of exp(shifted), row by row\n"
            "    terms = -target * log_p\n    the rest as in cross_entropy"
        ),
    ],
    not_bugs={
        "multilabel missing (1−T)log(1−P)": "the classes exclude each other; bce_with_logits is the multilabel loss",
        "sparse indexing `P[:,y]` gives (N,N)": "no class numbers come in; sparse_cross_entropy has the bug",
    },
)
