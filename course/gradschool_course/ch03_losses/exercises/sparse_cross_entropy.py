"""sparse_cross_entropy: the same number as cross_entropy, from class numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import gradschool as gs
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import draw, equivalent
from .cross_entropy import CLOSE, LABELS, OPTIONS, cross_entropy, minus_log, nearly_impossible, with_zeros
from .frame import frame_misconceptions, right, size, spread, total, weighed
from .regression import CHAPTER


# ------------------------------------------------------------------------------------------------------ class numbers
def pick(P, y):
    return np.take_along_axis(P, y[..., None], axis=-1)[..., 0]


def sparse_with(terms, frame=right):
    """The exercise's function from the terms -log P[n, y_n] and a frame; the frame sees y where it looks for shapes."""

    def answer(P, y, weights=None, reduction="sum", normalization="batch-size", mask=None):
        W = None if weights is None else weights[y]
        return frame(lambda *_: terms(P, y), y, y, reduction, normalization, mask, W)

    return answer


def picked_surprise(P, y):
    return minus_log(pick(P, y))


def all_pairs(P, y):
    return minus_log(P[..., y])


def counted_from_one(P, y):
    return minus_log(pick(P, np.maximum(y - 1, 0)))


def sparse_log_of_zero(P, y):
    return -np.log(pick(P, y))


def sparse_clipped_after_log(P, y):
    return -np.maximum(np.log(pick(P, y)), 1e-7)


def sparse_clipped_at_1e7(P, y):
    return minus_log(pick(P, y), 1e-7)


def sparse_softmax_twice(P, y):
    return picked_surprise(draw.softmax(P), y)


def sparse_in_bits(P, y):
    return picked_surprise(P, y) / np.log(2)


def sparse_integer_terms(P, y):
    terms = np.zeros_like(y)
    terms[...] = picked_surprise(P, y)
    return terms


def sparse_without_minus(P, y):
    return -picked_surprise(P, y)


def sparse_dividing(divisor):
    """The batch size replaced by `divisor(P, y, mask, weights)`."""

    def answer(P, y, weights=None, reduction="sum", normalization="batch-size", mask=None):
        terms = weighed(picked_surprise(P, y), mask, None if weights is None else weights[y])
        Z = divisor(P, y, mask, weights) if normalization == "batch-size" else size(y, normalization, mask)
        return total(terms, reduction, Z)

    return answer


def all_of_P(P, y, mask, weights):
    return P.size


def last_of_P(P, y, mask, weights):
    return P.shape[-1]


def all_of_y(P, y, mask, weights):
    return y.size


def weights_of_truth(P, y, mask, weights):
    return len(y) if weights is None else np.sum(weighed(weights[y], mask, None))


def sparse_weighted_by_prediction(P, y, weights=None, reduction="sum", normalization="batch-size", mask=None):
    W = None if weights is None else weights[np.argmax(P, axis=-1)]
    return right(lambda *_: picked_surprise(P, y), y, y, reduction, normalization, mask, W)


def sparse_weights_in_the_logarithm(P, y, weights=None, reduction="sum", normalization="batch-size", mask=None):
    inside = P if weights is None else P * np.asarray(weights, P.dtype)
    return right(lambda *_: picked_surprise(inside, y), y, y, reduction, normalization, mask, None)


def sparse_loop(P, y, weights=None, reduction="sum", normalization="batch-size", mask=None):
    terms = np.zeros(y.shape)
    for index in np.ndindex(*y.shape):
        k = int(y[index])
        terms[index] = -np.log(max(float(P[index][k]), 1e-30)) * (1.0 if weights is None else weights[k])
    terms *= spread(mask, terms)
    return terms if reduction == "none" else terms.sum() / size(y, normalization, mask)


def sparse_by_one_hot(P, y):
    return np.sum(np.eye(P.shape[-1])[y] * minus_log(P), axis=-1)


def sparse_by_grid(P, y):
    rows = P.reshape(-1, P.shape[-1])
    return minus_log(rows[np.arange(len(rows)), y.ravel()]).reshape(y.shape)


def sparse_by_comparison(P, y):
    return minus_log(np.where(y[..., None] == np.arange(P.shape[-1]), P, 0).sum(axis=-1))


def sparse_case(rng, shape, **more):
    return Call(P=draw.probabilities(rng, shape), y=draw.labels(rng, shape[:-1], shape[-1]), **more)


def sparse_values(rng):
    single = draw.probabilities(rng, (5, 3)).astype(np.float32)
    return [sparse_case(rng, draw.sizes(rng, 2)), sparse_case(rng, (1, 4)), sparse_case(rng, draw.sizes(rng, 2)),
            Call(P=single, y=draw.labels(rng, (5,), 3).astype(np.int32))]  # fmt: skip


def sparse_zeros(rng):
    cases = [with_zeros(rng, (6, 4)), nearly_impossible(rng, (5, 7))]
    return [Call(P=P, y=np.argmax(T, axis=-1), reduction=r) for P, T in cases for r in ("sum", "none")]


def sparse_options(rng):
    a, b = draw.sizes(rng, 3), draw.sizes(rng, 3)
    return [
        sparse_case(rng, a),
        sparse_case(rng, b, reduction="none"),
        sparse_case(rng, a, normalization="all-elements"),
        sparse_case(rng, b, mask=draw.mask(rng, b[:2])),
        sparse_case(rng, b, mask=draw.mask(rng, b[:1]), normalization="mask-included"),
        sparse_case(rng, b, mask=np.zeros(b[:2]), normalization="mask-included"),
        sparse_case(rng, a, mask=draw.mask(rng, a[:1]), normalization="all-elements"),
        sparse_case(rng, a, normalization="none"),
    ]


def sparse_weights(rng):
    a, b = draw.sizes(rng, 2), draw.sizes(rng, 3)
    masked = {"mask": draw.mask(rng, b[:2]), "normalization": "mask-included"}
    return [
        sparse_case(rng, a, weights=draw.weights(rng, a[-1:]), mask=draw.mask(rng, a[:1])),
        sparse_case(rng, b, weights=draw.weights(rng, b[-1:]), normalization="all-elements"),
        sparse_case(rng, b, weights=draw.weights(rng, b[-1:]), **masked),
        sparse_case(rng, a, weights=draw.weights(rng, a[-1:]), reduction="none"),
        sparse_case(rng, b, weights=draw.weights(rng, b[-1:]), reduction="none", mask=draw.mask(rng, b[:1])),
        sparse_case(rng, a, weights=np.zeros(a[-1])),
    ]


SPARSE_LOGARITHM = {
    "log_of_zero": sparse_log_of_zero, "clipped_after_log": sparse_clipped_after_log,
    "clipped_at_1e7": sparse_clipped_at_1e7, "softmax_twice": sparse_softmax_twice, "in_bits": sparse_in_bits,
    "integer_terms": sparse_integer_terms, "without_minus": sparse_without_minus,
}  # fmt: skip
SPARSE_DIVISORS = {
    "averages_over_classes": all_of_P, "divides_by_last_axis": last_of_P, "divides_by_n_t": all_of_y,
    "divides_by_weights": weights_of_truth,
}  # fmt: skip


def sparse_misconceptions():
    """The words are those of cross_entropy, the functions take class numbers."""
    words = {m.name: m for m in cross_entropy.misconceptions}
    wrong = {name: sparse_with(terms) for name, terms in SPARSE_LOGARITHM.items()}
    wrong |= {name: sparse_dividing(divisor) for name, divisor in SPARSE_DIVISORS.items()}
    wrong["weighted_by_prediction"] = sparse_weighted_by_prediction
    wrong["weights_in_the_logarithm"] = sparse_weights_in_the_logarithm
    named = [replace(words[name], wrong=f) for name, f in wrong.items()]
    frames = [
        "ignores_normalization", "mask_not_in_divisor", "divides_by_no_ones", "mask_counted_per_entry", "left_of_all",
        "ones_of_all", "removes_masked", "ignores_mask", "ignores_weights", "always_one_number", "divides_the_terms",
        "zero_weights_are_none",
    ]  # fmt: skip
    return named + frame_misconceptions(lambda frame: sparse_with(picked_surprise, frame), frames)


sparse_cross_entropy = Exercise(
    reference=gs.sparse_cross_entropy,
    chapter=CHAPTER,
    title="Cross-entropy with class numbers",
    task=f"""
    Return the cross-entropy of probabilities `P`, of shape (N, C) or (N, T, C), with class numbers `y`: integers
    0..C-1 of shape (N,) or (N, T). It is the number that `cross_entropy` gives for the one-hot form of y.

    - with `reduction="none"` the answer has the shape of y: one term for each observation or step
    - `"all-elements"` and `mask` are about the entries of y
    {OPTIONS}""",
    example="sparse_cross_entropy(np.array([[0.7, 0.2, 0.1]]), np.array([0])).round(7)  # 0.3566749",
    difficulty=2,
    minutes=15,
    axes={"P": ("batch", "class"), "y": ("batch",)},
    groups=[
        Group("values", 2, sparse_values, "Probabilities (N, C) and class numbers (N,), also a batch of one.", CLOSE),
        Group("zeros", 1, sparse_zeros, "Probabilities of zero, and true classes that seemed impossible.", CLOSE),
        Group("weights", 1, sparse_weights, "Class weights.", CLOSE),
        Group("options", 1, sparse_options, "Sequences, masks, `reduction` and `normalization`.", CLOSE),
    ],
    misconceptions=[
        Misconception(
            "all_pairs",
            sparse_with(all_pairs),
            "Print P[:, y].shape. Which single entry of each row did you want?",
            "every row were read at the class numbers of all rows",
            LABELS,
        ),
        Misconception(
            "counted_from_one",
            sparse_with(counted_from_one),
            "Which class is number 0? Where does y - 1 look for it?",
            "the classes were counted from 1",
            LABELS,
        ),
        *sparse_misconceptions(),
    ],
    variants=[
        Variant("loop", sparse_loop),
        Variant("one_hot", sparse_with(sparse_by_one_hot)),
        Variant("grid", sparse_with(sparse_by_grid)),
        Variant("comparison", sparse_with(sparse_by_comparison)),
    ],
    equivalent=equivalent.FRAME | equivalent.SPARSE,
    hints=[
        Hint("A one-hot row times the logarithms keeps a single number. Fetch that number, and never build the row."),
        Hint('Look at "Class numbers instead of one-hot rows", and try P[:, y].shape in a cell: it is not (N,).'),
        Hint(
            "A worked sibling, the largest entry of each row by its place:\n\n"
            "    k = np.argmax(P, axis=-1)\n    best = np.take_along_axis(P, k[..., None], axis=-1)[..., 0]"
        ),
        Hint(
            "    p = for each row n the entry at column y[n], at least 1e-30\n    terms = -log p\n"
            "    terms *= the weight of class y[n], if weights are given;  terms *= mask, if there is one\n"
            "    the rest as in l1_loss, with the shape of y in the place of Y's"
        ),
    ],
    not_bugs={
        "multilabel missing (1−T)log(1−P)": "a class number names one class; there is no multilabel mode",
        "naive exp overflow": "no exponential is taken; the losses from scores have the bug",
    },
)
