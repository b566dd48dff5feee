"""accuracy: the share of right answers, for the three forms that targets come in."""

from __future__ import annotations

import numpy as np

import gradschool as gs
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Tolerance, Variant

from . import draw
from .regression import CHAPTER

COUNTING = "Counting right answers"
CLOSE = Tolerance(rtol=1e-9, atol=1e-12)


# ------------------------------------------------------------------------------------------------------------ accuracy
def labels_of(P, T):
    return np.argmax(T, axis=-1) if T.shape == P.shape else T


def at_least_half(p):
    return p >= 0.5


def first_largest(P, T):
    return np.argmax(P, axis=-1)


def accuracy_with(classes, yes=at_least_half):
    """Right where `classes(P, T)` are T's; with one probability an observation, where `yes(p)` is."""

    def answer(P, T):
        right = yes(P) == T if P.ndim == 1 else classes(P, T) == labels_of(P, T)
        return float(np.mean(right))

    return answer


def more_than_half(p):
    return p > 0.5


def last_largest(P, T):
    return P.shape[-1] - 1 - np.argmax(P[..., ::-1], axis=-1)


def any_largest(P, T):
    """Right is who gives the true class no less than any other, also if it is not alone."""
    if P.ndim == 1:
        return float(np.mean((P >= 0.5) == T))
    true = np.take_along_axis(P, labels_of(P, T)[..., None], axis=-1)
    return float(np.mean(true[..., 0] >= P.max(axis=-1)))


def over_the_batch(P, T):
    if P.ndim == 1:
        return float(np.mean((P >= 0.5) == T))
    classes, labels = np.argmax(P, axis=0), np.argmax(T, axis=0) if T.shape == P.shape else T
    n = min(classes.size, labels.size)
    return float(np.mean(classes.ravel()[:n] == labels.ravel()[:n]))


def compares_rows_with_probabilities(P, T):
    if P.ndim == 1 or T.shape != P.shape:
        return accuracy_with(first_largest)(P, T)
    return float(np.mean(P == T))


def rounds_probabilities(P, T):
    if P.ndim == 1:
        return float(np.mean(np.round(P) == T))
    rows = T if T.shape == P.shape else np.eye(P.shape[-1])[T]
    return float(np.mean(np.all(np.round(P) == np.round(rows), axis=-1)))


def argmax_of_targets_always(P, T):
    """The largest entry of T, also where T holds class numbers already."""
    if P.ndim == 1:
        return float(np.mean((P >= 0.5) == T))
    return float(np.mean(np.argmax(P, axis=-1) == np.argmax(T, axis=-1)))


def told_by_length(P, T):
    """T is taken for one-hot rows if its last axis is as long as P's."""
    if P.ndim == 1:
        return float(np.mean((P >= 0.5) == T))
    labels = np.argmax(T, axis=-1) if T.shape[-1] == P.shape[-1] else T
    return float(np.mean(np.argmax(P, axis=-1) == labels))


def whole_sequences(P, T):
    """A sequence counts as one answer, right if all of its steps are."""
    if P.ndim < 3:
        return accuracy_with(first_largest)(P, T)
    return float(np.mean(np.all(np.argmax(P, axis=-1) == labels_of(P, T), axis=-1)))


def counted(P, T):
    if P.ndim == 1:
        return float(np.sum((P >= 0.5) == T))
    return float(np.sum(np.argmax(P, axis=-1) == labels_of(P, T)))


def rounded_to_percent(P, T):
    return round(accuracy_with(first_largest)(P, T), 2)


def error_rate(P, T):
    return 1.0 - accuracy_with(first_largest)(P, T)


def accuracy_loop(P, T):
    """Answer by answer."""
    hits = []
    if P.ndim == 1:
        hits = [int(p >= 0.5) == int(t) for p, t in zip(P, T, strict=True)]
        return sum(hits) / len(hits)
    for index in np.ndindex(*P.shape[:-1]):
        row = list(P[index])
        label = list(T[index]).index(max(T[index])) if T.shape == P.shape else int(T[index])
        hits.append(row.index(max(row)) == label)
    return sum(hits) / len(hits)


def accuracy_by_count(P, T):
    if P.ndim == 1:
        return np.float64(1 - np.count_nonzero((P >= 0.5) != T) / T.size)
    labels = labels_of(P, T)
    return np.float64(np.count_nonzero(P.argmax(-1) == labels) / labels.size)


def accuracy_by_one_hot(P, T):
    """The one-hot rows of the answers, multiplied with those of the targets."""
    if P.ndim == 1:
        answers = (P >= 0.5).astype(float)
        return np.mean(answers * T + (1 - answers) * (1 - T))
    K = P.shape[-1]
    labels = np.ravel(labels_of(P, T))
    return np.einsum("nk,nk->", np.eye(K)[np.ravel(P.argmax(-1))], np.eye(K)[labels]) / labels.size


def mostly_right(rng, shape):
    """Probabilities and class numbers that agree in about half of the rows."""
    P, y = draw.probabilities(rng, shape), draw.labels(rng, shape[:-1], shape[-1])
    hit = draw.mask(rng, shape[:-1]) > 0
    hit &= rng.random(hit.shape) < 0.8
    hit.flat[0] = True
    return P, np.where(hit, np.argmax(P, axis=-1), y)


def larger(rng, axes):
    """Sizes with so many rows that no share of them, but 0 and 1, has two decimals; no axis is like another."""
    steps = (int(rng.choice([3, 7])),) if axes == 3 else ()
    return (int(rng.choice([11, 13, 17, 19])), *steps, int(rng.choice([4, 5, 6, 8])))


def class_numbers(rng):
    a, b = larger(rng, 2), larger(rng, 3)
    (P, y), (Q, z) = mostly_right(rng, a), mostly_right(rng, b)
    scores = rng.normal(size=a)
    return [Call(P=P, T=y), Call(P=Q, T=z), Call(P=np.log(P) + scores[:, :1], T=y), *as_long_as_wide(rng)]


def as_long_as_wide(rng):
    """As many classes as class numbers in a row of T, so that the length of T's last axis says nothing."""
    for shape in ((17, 17), (19, 19), (11, 3, 3)):
        P, y = mostly_right(rng, shape)
        yield Call(P=P, T=y)


def one_hot_targets(rng):
    a, b = larger(rng, 2), larger(rng, 3)
    (P, y), (Q, z) = mostly_right(rng, a), mostly_right(rng, b)
    soft = draw.probabilities(rng, a)
    return [Call(P=P, T=np.eye(a[-1])[y]), Call(P=Q, T=np.eye(b[-1])[z].astype(int)), Call(P=P, T=soft)]


def ties(rng):
    """Two or more classes share the first place: the first of them is the answer."""
    P = draw.probabilities(rng, larger(rng, 2))
    order = np.argsort(-P, axis=-1)
    best = np.take_along_axis(P, order[:, :1], axis=-1)
    tied = P.copy()
    np.put_along_axis(tied, order[:, 1:2], best, axis=-1)
    first = np.argmax(tied, axis=-1)
    y = np.where(draw.mask(rng, first.shape) > 0, first, order[:, :2].max(axis=-1))
    return [Call(P=tied, T=y), Call(P=tied, T=np.eye(P.shape[-1])[y])]


def yes_or_no(rng):
    """Several batches: a share is a coarse number, and one alone may be right by chance."""
    calls = []
    for dtype in (float, int, float, int, float):
        n = int(rng.choice([11, 13, 17, 19]))
        p = rng.random(n)
        p[rng.permutation(n)[:4]] = 0.5
        t = np.where(rng.random(n) < 0.7, p >= 0.5, p < 0.5)
        t[np.argmax(p == 0.5)] = True
        calls.append(Call(P=p, T=t.astype(dtype)))
    return calls


accuracy = Exercise(
    reference=gs.accuracy,
    chapter=CHAPTER,
    title="Accuracy",
    task="""
    Return the share of right answers, a number between 0 and 1.

    - `P` (N, C) or (N, T, C): the answer is the class of the largest entry, the first one where several are equal.
      `T` holds class numbers, (N,) or (N, T), or it has the shape of P and its own largest entry counts
    - `P` (N,): probabilities of "yes"; the answer is yes from 0.5 on, and `T` (N,) holds zeros and ones
    - the share is not rounded
    """,
    example="accuracy(np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]]), np.array([0, 1, 1])).__round__(4)"
    "  # 0.6667",
    difficulty=2,
    minutes=10,
    axes={"P": ("batch", "class")},
    groups=[
        Group("class_numbers", 1, class_numbers, "Targets are class numbers.", CLOSE),
        Group("rows", 1, one_hot_targets, "Targets are one-hot or soft rows.", CLOSE),
        Group("ties", 1, ties, "Classes that share the first place.", CLOSE),
        Group("yes_or_no", 1, yes_or_no, "Probabilities of yes, some of them exactly 0.5.", CLOSE),
    ],
    misconceptions=[
        Misconception(
            "over_the_batch",
            over_the_batch,
            "What does np.argmax(P, axis=0) tell: for each observation a class, or for each class an observation?",
            "the largest entry were sought over the batch and not over the classes",
            COUNTING,
        ),
        Misconception(
            "any_largest",
            any_largest,
            "P is [0.4, 0.4, 0.2]. Which class is the answer, and can there be two?",
            "an answer were right if the true class is among the largest entries",
            COUNTING,
        ),
        Misconception(
            "compares_rows_with_probabilities",
            compares_rows_with_probabilities,
            "P is [0.7, 0.2, 0.1], T is [1, 0, 0]: a right answer. Which entries of P == T are true?",
            "probabilities were compared with one-hot rows, entry by entry",
            COUNTING,
        ),
        Misconception(
            "more_than_half",
            accuracy_with(first_largest, more_than_half),
            "What does your function answer where p is exactly 0.5, and what does the task say?",
            "p = 0.5 meant no; asked for is that it means yes",
            COUNTING,
            published="Keras",
        ),
        Misconception(
            "rounds_probabilities",
            rounds_probabilities,
            "A row of P is [0.4, 0.35, 0.25]. Which class does the model say? What is left after rounding?",
            "the probabilities were rounded to 0 and 1",
            COUNTING,
        ),
        Misconception(
            "last_largest",
            accuracy_with(last_largest),
            "Two classes share the first place: which of them does np.argmax name? Which does yours?",
            "the last of several equal classes won",
            COUNTING,
        ),
        Misconception(
            "argmax_of_class_numbers",
            argmax_of_targets_always,
            "T is [2, 0, 1]: what does its argmax tell you? When should you take it?",
            "class numbers were taken for one-hot rows",
            COUNTING,
        ),
        Misconception(
            "told_by_length",
            told_by_length,
            "Five observations, five classes, T of shape (5,). Is T one row of five entries, or five class numbers?",
            "T held one-hot rows wherever its last axis is as long as that of P",
            COUNTING,
        ),
        Misconception(
            "whole_sequences",
            whole_sequences,
            "A sequence of ten steps, nine of them right: how many answers are that, and how many right ones?",
            "a sequence were one answer, and right only if all of its steps are",
            COUNTING,
        ),
        Misconception(
            "counted",
            counted,
            "How large is the accuracy if all of 50 answers are right?",
            "right answers were counted, and not divided by their number",
            COUNTING,
        ),
        Misconception(
            "rounded_to_percent",
            rounded_to_percent,
            "Two models, 0.9749 and 0.9651: which is better, by how much, and what do you report?",
            "the share were rounded to whole percents",
            COUNTING,
        ),
        Misconception(
            "error_rate",
            error_rate,
            "All answers are right: do you return 1 or 0?",
            "it were the share of wrong answers",
            COUNTING,
        ),
    ],
    variants=[
        Variant("loop", accuracy_loop),
        Variant("by_count", accuracy_by_count),
        Variant("by_one_hot", accuracy_by_one_hot),
    ],
    hints=[
        Hint("Turn predictions into answers, and targets into answers. Then compare, and average."),
        Hint(
            'Look at "Counting right answers": there are three forms of targets. The shapes of P and T tell which one '
            "you were given."
        ),
        Hint(
            "A worked sibling, the share of rows whose least likely class is number 0:\n\n"
            "    np.mean(np.argmin(P, axis=-1) == 0)"
        ),
        Hint(
            "    if P has one axis: answers = p at least 0.5\n    else: answers = place of the largest "
            "entry of each row\n"
            "    if T has the shape of P, and more than one axis: T = place of its largest entry, row by row\n"
            "    return mean of (answers equal T)"
        ),
    ],
    not_bugs={
        "mean of batch means": "one call sees one batch; RunningMean has the bug",
        "last short batch": "one call sees one batch; RunningMean has the bug",
    },
)
