"""softmax_cross_entropy_backward: the softmax and the logarithm cancel, term by term."""

from __future__ import annotations

import numpy as np

from gradschool.losses import softmax_cross_entropy_backward, softmax_cross_entropy_forward
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import draw
from .any_scale import any_scale
from .backward_frame import BACK_AXES, NOT_HERE, SCALE, TO_SCORES, floored, plain_calls, single_calls, unreduced_calls
from .cross_entropy import CLASS_WEIGHTS
from .regression import CHAPTER
from .regression_backward import CLOSE, chain_misconceptions
from .regression_slopes import chained


# ------------------------------------------------------------------------------------- dL/dz of softmax_cross_entropy
def through_softmax(a, cache):
    return cache["p"] * np.sum(a, axis=-1, keepdims=True) - a


def softmax_back(chain, after=through_softmax):
    """`chain` says what of g and scale multiplies the targets, `after` what becomes of these products."""

    def answer(g, cache):
        return after(chain(g, cache["T"], cache), cache)

    return answer


def every_class_weighed(g, cache):
    return g * cache["scale"] * (cache["p"] - cache["T"])


def minus_class_number(g, cache):
    return g * cache["scale"] * (cache["p"] - np.argmax(cache["T"], axis=-1)[..., None])


def jacobian_twice(g, cache):
    p, d = cache["p"], through_softmax(g * cache["scale"] * cache["T"], cache)
    return p * (d - np.sum(p * d, axis=-1, keepdims=True))


def stops_at_probabilities(a, cache):
    return -a / floored(cache["p"])


def diagonal_only(a, cache):
    return -a * (1 - cache["p"])


def no_class(g, cache):
    return np.sum(g * cache["scale"] * cache["T"], axis=-1, keepdims=True) * cache["p"]


def full_jacobian(g, cache):
    """dL/dp through the Jacobian diag(p) - p p', row by row."""
    p, a = cache["p"], g * cache["scale"] * cache["T"]
    slope = -a / floored(p)
    J = np.einsum("...i,ij->...ij", p, np.eye(p.shape[-1], dtype=p.dtype)) - np.einsum("...i,...j->...ij", p, p)
    return np.einsum("...ij,...j->...i", J, slope)


def row_by_row(g, cache):
    p, T = cache["p"], cache["T"]
    A = np.broadcast_to(np.asarray(g * cache["scale"], dtype=p.dtype), p.shape)
    out = np.zeros_like(p)
    for n in np.ndindex(*p.shape[:-1]):
        for k in range(p.shape[-1]):
            out[n] += A[n][k] * T[n][k] * p[n]
            out[n][k] -= A[n][k] * T[n][k]
    return out


def in_place(g, cache):
    a = cache["T"] * cache["scale"]
    a *= g
    out = cache["p"] * a.sum(axis=-1)[..., None]
    out -= a
    return out


def softmax_cache(rng, shape, dtype=float, soft=False, **options):
    z, T = rng.normal(size=shape) * 2, (draw.probabilities if soft else draw.one_hot)(rng, shape)
    return softmax_cross_entropy_forward(z.astype(dtype), T.astype(dtype), **options)[1]


def softmax_call(rng, shape, **options):
    return Call(g=draw.upstream(rng), cache=softmax_cache(rng, shape, **options))


def softmax_scaled(rng):
    a, b = draw.sizes(rng, 3), draw.sizes(rng, 2)
    return [
        softmax_call(rng, a, mask=draw.mask(rng, a[:2])),
        softmax_call(rng, a, mask=draw.mask(rng, a[:2]), normalization="mask-included"),
        softmax_call(rng, b, normalization="all-elements"),
        softmax_call(rng, b, soft=True, normalization="none"),
    ]


def softmax_weighed(rng):
    a, b = draw.sizes(rng, 2), draw.sizes(rng, 3)
    return [
        softmax_call(rng, a, weights=draw.weights(rng, a[-1:])),
        softmax_call(rng, b, weights=draw.weights(rng, b[-1:]), mask=draw.mask(rng, b[:2])),
        softmax_call(rng, a, soft=True, weights=draw.weights(rng, a[-1:])),
        *any_scale(rng, softmax_call),
        *unreduced_calls(rng, softmax_cache),
    ]


softmax_gradient = Exercise(
    reference=softmax_cross_entropy_backward,
    chapter=CHAPTER,
    title="Gradient of cross-entropy from scores",
    task=f"""
    Return dL/dz, the gradient of what comes after `softmax_cross_entropy` with respect to the scores z: an array of z's
    shape. `cache` is a dict from the forward:

    - `"p"` and `"T"`, the probabilities softmax(z) and the targets, whose rows sum to 1
    {SCALE.format("z")} Where g or scale differs from class to class, it belongs to that class's *term* of the loss; the
    term depends on all scores of its row.
    """,
    example='softmax_cross_entropy_backward(3.0, {"p": np.array([[0.5, 0.3, 0.2]]), "T": np.array([[0.0, 0.0, 1.0]]), '
    '"scale": 0.5}).round(4)  # [[ 0.75  0.45 -1.2 ]]',
    difficulty=4,
    minutes=20,
    axes=BACK_AXES,
    groups=[
        Group(
            "values",
            2,
            lambda rng: [*plain_calls(rng, softmax_call), softmax_call(rng, (5, 3), soft=True)],
            "One loss of the batch, one-hot and soft targets.",
            CLOSE,
        ),
        Group("scale", 1, softmax_scaled, "Masks and other divisors.", CLOSE),
        Group("terms", 2, softmax_weighed, "Class weights, and a g with an entry for every term.", CLOSE),
        Group(
            "float32",
            1,
            lambda rng: single_calls(rng, softmax_call),
            "float32 in, float32 out.",
            CLOSE,
            exact_dtype=True,
        ),
    ],
    misconceptions=[
        *chain_misconceptions(softmax_back, TO_SCORES),
        Misconception(
            "every_class_weighed",
            every_class_weighed,
            "The true class of a row has weight 3, the others have 1. Which weights does the *loss* of that row "
            "contain? Which does your gradient?",
            "every entry of a row were multiplied by the weight of its own class",
            CLASS_WEIGHTS,
        ),
        Misconception(
            "minus_class_number",
            minus_class_number,
            "Class 7 is not seven times as true as class 1. What should be subtracted from p, and in which shape?",
            "the class number and not the one-hot row were subtracted",
            TO_SCORES,
        ),
        Misconception(
            "jacobian_twice",
            jacobian_twice,
            "A sure and wrong answer: should the pull be large or vanish? What does a second Jacobian do to it?",
            "the Jacobian of the softmax were multiplied in a second time",
            TO_SCORES,
        ),
        Misconception(
            "stops_at_p",
            softmax_back(chained, stops_at_probabilities),
            "Your slope says how the loss changes with p. How do the p's change with z?",
            "it were the gradient with respect to the probabilities",
            TO_SCORES,
        ),
        Misconception(
            "diagonal_only",
            softmax_back(chained, diagonal_only),
            "Raise the score of a wrong class alone. Does the probability of the true class stay the same?",
            "only the score of the true class mattered",
            TO_SCORES,
        ),
        Misconception(
            "no_target",
            no_class,
            "Where p equals T, nothing is left to learn. What is your gradient there?",
            "the targets were not subtracted",
            TO_SCORES,
        ),
    ],
    variants=[
        Variant("full_jacobian", full_jacobian),
        Variant("row_by_row", row_by_row),
        Variant("in_place", in_place),
    ],
    hints=[
        Hint(
            "Begin with one row, one-hot, without weights: the answer is as simple as for bce_with_logits. "
            "Then let each term of the row have a factor of its own."
        ),
        Hint(
            'Look at "Gradients with respect to scores". One term is -a_k log p_k. Its gradient in all scores '
            "of the row is known; sum over k."
        ),
        Hint(
            "A worked sibling, the backward of the softmax alone:\n\n"
            '    def softmax_backward(g, cache):\n        p = cache["p"]\n'
            "        return p * (g - np.sum(g * p, axis=-1, keepdims=True))"
        ),
        Hint(
            "    a = g * scale * T, the factor of each term\n"
            "    from each score: p times the sum of the row's a, minus its own a"
        ),
    ],
    not_bugs=NOT_HERE,
)
