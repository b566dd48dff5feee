"""mae_metric: the mean absolute error in the units of the data."""

from __future__ import annotations

import numpy as np

import gradschool as gs
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import draw
from .accuracy import CLOSE, COUNTING
from .regression import CHAPTER


# ---------------------------------------------------------------------------------------------------------- mae_metric
def refused(Y, T):
    if Y.shape != T.shape:
        raise ValueError(f"prediction {Y.shape} and target {T.shape} differ in shape")
    return np.subtract(Y, T, dtype=np.float64)


def mae_per_observation(Y, T):
    return float(np.sum(np.abs(refused(Y, T))) / len(Y))


def mae_of_batch_means(Y, T):
    return float(np.mean(np.abs(np.mean(refused(Y, T), axis=0))))


def mae_signed(Y, T):
    return float(np.mean(refused(Y, T)))


def mae_root_mean_square(Y, T):
    return float(np.sqrt(np.mean(refused(Y, T) ** 2)))


def mae_squares(Y, T):
    return float(np.mean(refused(Y, T) ** 2))


def mae_broadcast(Y, T):
    return float(np.mean(np.abs(Y - T)))


def mae_comparing(differ):
    """No more of the two shapes is looked at than differ(Y, T) does."""

    def answer(Y, T):
        if differ(Y, T):
            raise ValueError(f"prediction {Y.shape} and target {T.shape} differ")
        return mae_broadcast(Y, T)

    return answer


def mae_rounded(Y, T):
    return round(float(np.mean(np.abs(refused(Y, T)))), 2)


def mae_median(Y, T):
    return float(np.median(np.abs(refused(Y, T))))


def mae_loop(Y, T):
    refused(Y, T)
    total = 0.0
    for y, t in zip(Y.ravel(), T.ravel(), strict=True):
        total += abs(float(y) - float(t))
    return total / Y.size


def mae_nested_means(Y, T):
    means = np.abs(refused(Y, T))
    while means.ndim:
        means = means.mean(axis=-1)
    return means


def mae_by_norm(Y, T):
    return np.linalg.norm(refused(Y, T).ravel(), ord=1) / Y.size


def mae_values(rng):
    def call(shape):
        Y, T = draw.pair(rng, shape)
        return Call(Y=Y, T=T)

    Y = rng.integers(-9, 9, size=(4, 3))
    return [call(draw.sizes(rng, 2)), call(draw.sizes(rng, 1)), call(draw.sizes(rng, 3)), call((1, 4)), call(()),
            Call(Y=Y + 0.25, T=Y + rng.choice([-3, 1, 2], size=Y.shape))]  # fmt: skip


def mae_shapes(rng):
    n = draw.sizes(rng, 1)[0]
    Y, T = draw.pair(rng, (n,))
    wide = Y[:, None] + np.arange(3)
    others = [Call(Y=wide, T=other) for other in (T[:, None], T[None, :3], T[:3])]
    return [
        Call(Y=Y, T=T), Call(Y=Y, T=T[:, None]), Call(Y=Y[:, None], T=T), Call(Y=Y[:, None], T=T[:, None]), *others
    ]  # fmt: skip


mae_metric = Exercise(
    reference=gs.mae_metric,
    chapter=CHAPTER,
    title="Mean absolute error",
    task="""
    Return the mean absolute error of predictions `Y` against targets `T` over all elements, whatever the shape: a
    number in the units of Y, not rounded. Shapes that differ raise a ValueError.
    """,
    example="mae_metric(np.array([[1.0, 2.0, 4.0]]), np.array([[0.0, 2.0, 7.0]])).__round__(4)  # 1.3333",
    difficulty=1,
    minutes=5,
    axes={"Y": ("batch", "response"), "T": ("batch", "response")},
    groups=[
        Group("values", 1, mae_values, "Predictions and targets of the same shape.", CLOSE),
        Group("shapes", 1, mae_shapes, "Shapes that differ are refused with a ValueError.", CLOSE),
    ],
    misconceptions=[
        Misconception(
            "per_observation",
            mae_per_observation,
            "A metric should be in the units of the data. If every error is 1, what do you report for C = 3?",
            "the sum were divided by the number of observations, as in l1_loss",
            COUNTING,
        ),
        Misconception(
            "signed",
            mae_signed,
            "Errors of +3 and -3: is that a perfect model?",
            "errors of opposite sign cancelled",
            COUNTING,
        ),
        Misconception(
            "signed_over_the_batch",
            mae_of_batch_means,
            "Which comes first, the absolute value or the mean? What happens to +3 and -3 in the same column?",
            "errors were averaged over the batch before their sign was dropped",
            COUNTING,
        ),
        Misconception(
            "root_mean_square",
            mae_root_mean_square,
            "Errors 1 and 7: what is their mean? And yours?",
            "it were the root of the mean square",
            COUNTING,
        ),
        Misconception(
            "squares",
            mae_squares,
            "In which unit is the answer if Y is in metres? And yours?",
            "the errors were squared",
            COUNTING,
        ),
        Misconception(
            "broadcasts",
            mae_broadcast,
            "What is the shape of np.zeros(4) - np.zeros((4, 1))?",
            "shapes that differ were no problem",
            "Shapes that must match",
        ),
        Misconception(
            "last_axis_compared",
            mae_comparing(lambda Y, T: Y.shape[-1] != T.shape[-1]),
            "Predictions are (4, 3), a target is (1, 3). How many observations has each, and does your check see it?",
            "only the last axis of two shapes had to be the same",
            "Shapes that must match",
        ),
        Misconception(
            "lengths_compared",
            mae_comparing(lambda Y, T: Y.ndim != T.ndim or Y.shape[:1] != T.shape[:1]),
            "Predictions are (4, 3), a target is (4, 1). How many responses has each, and does your check see it?",
            "only the length and the number of axes had to be the same",
            "Shapes that must match",
        ),
        Misconception(
            "rounded",
            mae_rounded,
            "If Y is in kilometres, what does your function say of an error of 3 metres?",
            "the mean were rounded to two decimals",
            COUNTING,
        ),
        Misconception(
            "median",
            mae_median,
            "Errors 1, 1, 7: what is their mean? And yours?",
            "it were the median of the absolute errors",
            COUNTING,
        ),
    ],
    variants=[
        Variant("loop", mae_loop),
        Variant("nested_means", mae_nested_means),
        Variant("norm", mae_by_norm),
    ],
    hints=[
        Hint("It is l1_loss with another divisor, and without options. Which of the frame's divisors makes it a mean?"),
        Hint('Look at "Shapes that must match" for the shapes: (N,) minus (N, 1) is no error for NumPy.'),
        Hint("A worked sibling, the mean squared error:\n\n    np.mean((Y - T) ** 2)"),
        Hint("    if shapes differ: raise ValueError\n    return mean over everything of the absolute differences"),
    ],
    not_bugs={
        "mean of batch means": "one call sees one batch; RunningMean has the bug",
        "argmax axis": "no classes are chosen",
        "compares one-hot to probs": "the targets are numbers",
        "binary threshold `>`/`>=`": "nothing is decided",
        "last short batch": "one call sees one batch; RunningMean has the bug",
    },
)
