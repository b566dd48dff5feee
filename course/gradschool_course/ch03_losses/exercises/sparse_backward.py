"""sparse_cross_entropy_backward: the same gradient as that of cross_entropy, from class numbers."""

from __future__ import annotations

import numpy as np

from gradschool.losses import sparse_cross_entropy_backward, sparse_cross_entropy_forward
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import draw, equivalent
from .any_scale import any_scale
from .backward_frame import (
    BACK_AXES,
    NOT_HERE,
    SCALE,
    TO_PROBABILITIES,
    TO_SCORES,
    floored,
    hardly_possible,
    plain_calls,
    single_calls,
    unreduced_calls,
)
from .cross_entropy import LABELS, with_zeros
from .cross_entropy_backward import EACH, WITHOUT_TARGET
from .regression import CHAPTER
from .regression_backward import CLOSE, chain_misconceptions
from .regression_slopes import chained


# -------------------------------------------------------------------------------------- dL/dP of sparse_cross_entropy
def true_class(cache):
    P = cache["P"]
    return (cache["y"][..., None] == np.arange(P.shape[-1])).astype(P.dtype)


def sparse_slope(cache):
    return -true_class(cache) / floored(cache["P"])


def sparse_all_classes(cache):
    return -1 / floored(cache["P"])


def sparse_in_scores(cache):
    return cache["P"] - true_class(cache)


def sparse_unguarded(cache):
    return -true_class(cache) / cache["P"]


def sparse_not_divided_by_p(cache):
    return -true_class(cache)


def minus_the_number(cache):
    return cache["P"] - cache["y"][..., None]


def lifted(cache):
    """g and scale have the shape of y; the gradient has one axis more."""
    return {**cache, "scale": np.asarray(cache["scale"])[..., None] if np.ndim(cache["scale"]) else cache["scale"]}


def sparse_back(slope, chain=chained):
    def answer(g, cache):
        return chain(g[..., None] if np.ndim(g) else g, slope(cache), lifted(cache))

    return answer


def columns_of_all(g, cache):
    P, y = cache["P"], cache["y"]
    out = np.zeros_like(P)
    out[..., y] = -1 / floored(P[..., y])
    return (g[..., None] if np.ndim(g) else g) * lifted(cache)["scale"] * out


def only_the_picked(g, cache):
    P, y = cache["P"], cache["y"]
    return -g * cache["scale"] / floored(np.take_along_axis(P, y[..., None], axis=-1)[..., 0])


def scale_tiled(g, cache):
    """g and scale are read row by row, and begun again at the end until there is one for each label."""
    P, y = cache["P"], cache["y"]
    factor = np.resize(np.ravel(g * np.asarray(cache["scale"])), y.shape)
    return put_along_axis(factor, {**cache, "scale": P.dtype.type(1)})


def put_along_axis(g, cache):
    P, k = cache["P"], cache["y"][..., None]
    out = np.zeros_like(P)
    slope = -np.asarray(g * cache["scale"])[..., None] / floored(np.take_along_axis(P, k, axis=-1))
    np.put_along_axis(out, k, slope, axis=-1)
    return out


def sparse_loop(g, cache):
    P, y = cache["P"], cache["y"]
    G, scale = np.broadcast_to(g, y.shape), np.broadcast_to(cache["scale"], y.shape)
    out = np.zeros_like(P)
    for index in np.ndindex(*y.shape):
        k = int(y[index])
        out[(*index, k)] = -G[index] * scale[index] / max(float(P[(*index, k)]), 1e-30)
    return out


def through_one_hot(cache):
    """The rows of the identity are the one-hot rows."""
    P = cache["P"]
    return -np.eye(P.shape[-1], dtype=P.dtype)[cache["y"]] / floored(P)


def through_grid(g, cache):
    P, y = cache["P"], cache["y"]
    rows, labels = P.reshape(-1, P.shape[-1]), y.ravel()
    out = np.zeros_like(rows)
    n = np.arange(len(rows))
    out[n, labels] = -np.ravel(np.broadcast_to(g * cache["scale"], y.shape)) / floored(rows[n, labels])
    return out.reshape(P.shape)


def sparse_cache(rng, shape, dtype=float, **options):
    P = draw.probabilities(rng, shape).astype(dtype)
    return sparse_cross_entropy_forward(P, draw.labels(rng, shape[:-1], shape[-1]), **options)[1]


def sparse_call(rng, shape, **options):
    return Call(g=draw.upstream(rng), cache=sparse_cache(rng, shape, **options))


def sparse_weighed(rng):
    """As above; "all-elements" is about y here, so that it shows on sequences only."""
    a, b = draw.sizes(rng, 3), draw.sizes(rng, 2)
    return [
        sparse_call(rng, a, mask=draw.mask(rng, a[:2])),
        sparse_call(rng, a, mask=draw.mask(rng, a[:2]), normalization="mask-included"),
        sparse_call(rng, b, weights=draw.weights(rng, b[-1:])),
        sparse_call(rng, a, normalization="all-elements"),
        *any_scale(rng, sparse_call, axes=2),
        *unreduced_calls(rng, sparse_cache, terms=lambda shape: shape[:-1]),
    ]


def sparse_zeros(rng):
    cases = [with_zeros(rng, draw.sizes(rng, 2)), hardly_possible(rng, draw.sizes(rng, 2))]
    caches = [sparse_cross_entropy_forward(P, np.argmax(T, axis=-1))[1] for P, T in cases]
    return [Call(g=draw.upstream(rng), cache=cache) for cache in caches]


sparse_gradient = Exercise(
    reference=sparse_cross_entropy_backward,
    chapter=CHAPTER,
    title="Gradient of cross-entropy with class numbers",
    task=f"""
    Return dL/dP, the gradient of what comes after `sparse_cross_entropy` with respect to the probabilities P, as if
    each of them could move alone: an array of P's shape. `cache` is a dict from the forward:

    - `"P"`, probabilities, (N, C) or (N, T, C), and `"y"`, class numbers, (N,) or (N, T)
    {SCALE.format("y")} A probability below 1e-30 counts as 1e-30, and nothing warns.
    """,
    example='sparse_cross_entropy_backward(3.0, {"P": np.array([[0.5, 0.3, 0.2]]), "y": np.array([2]), "scale": 0.5})'
    ".round(4) + 0.0  # [[ 0.   0.  -7.5]]",
    difficulty=3,
    minutes=10,
    axes=BACK_AXES,
    groups=[
        Group("values", 2, lambda rng: plain_calls(rng, sparse_call), "One loss of the batch.", CLOSE),
        Group("zeros", 1, sparse_zeros, "Probabilities of 0.", EACH),
        Group("scale", 1, sparse_weighed, 'Masks, weights, other divisors, reduction="none".', CLOSE),
        Group(
            "float32",
            1,
            lambda rng: single_calls(rng, sparse_call),
            "float32 in, float32 out.",
            CLOSE,
            exact_dtype=True,
        ),
    ],
    misconceptions=[
        *chain_misconceptions(lambda chain: sparse_back(sparse_slope, chain), TO_PROBABILITIES),
        Misconception("without_one_hot", sparse_back(sparse_all_classes), *WITHOUT_TARGET, TO_PROBABILITIES),
        Misconception(
            "minus_the_number",
            sparse_back(minus_the_number),
            "Class 7 is not seven times as true as class 1. What should be compared with P, and in which shape?",
            "the class number itself were subtracted from the probabilities",
            LABELS,
        ),
        Misconception(
            "softmax_included",
            sparse_back(sparse_in_scores),
            "Who will multiply by the Jacobian of the softmax: this function, or the backward of the softmax? "
            "What if both do?",
            "it were the gradient with respect to the scores, the softmax's Jacobian built in",
            TO_SCORES,
        ),
        Misconception(
            "divides_by_zero",
            sparse_back(sparse_unguarded),
            "What is 0 / 0 on paper, and in NumPy?",
            "it were divided by probabilities of 0",
            TO_PROBABILITIES,
        ),
        Misconception(
            "not_divided_by_p",
            sparse_back(sparse_not_divided_by_p),
            "Which is steeper, -log p near p = 0.01 or near p = 0.9?",
            "the slope of the logarithm were 1 everywhere",
            TO_PROBABILITIES,
        ),
        Misconception(
            "columns_of_all",
            columns_of_all,
            "In a row whose class is 2, how many entries of your answer are not zero?",
            "every row got a slope at the class numbers of all rows",
            LABELS,
        ),
        Misconception(
            "scale_tiled",
            scale_tiled,
            "y is (N, T) and scale is (N, 1): whose factor has the second step of the first sequence?",
            "the factors were dealt out to the labels one by one, whatever the axes of `scale` are",
            TO_PROBABILITIES,
        ),
        Misconception(
            "only_the_picked",
            only_the_picked,
            "The gradient says for every entry of P what moving it does. How many entries has P, how many has "
            "your answer?",
            "only the picked probabilities had a gradient",
            TO_PROBABILITIES,
        ),
    ],
    variants=[
        Variant("put_along_axis", put_along_axis),
        Variant("loop", sparse_loop),
        Variant("one_hot", sparse_back(through_one_hot)),
        Variant("grid", through_grid),
    ],
    equivalent=equivalent.SPARSE_BACKWARD,
    hints=[
        Hint("Each row of the answer has a single entry that is not zero. Where does it stand, and how large is it?"),
        Hint(
            'Look at "Class numbers instead of one-hot rows": what reads one entry of each row has a twin that writes '
            "one. Mind that g and scale have the shape of y, one axis less than the answer."
        ),
        Hint(
            "A worked sibling, a 1 written into the largest entry of each row:\n\n"
            "    out = np.zeros_like(P)\n    k = np.argmax(P, axis=-1)[..., None]\n"
            "    np.put_along_axis(out, k, 1.0, axis=-1)"
        ),
        Hint(
            "    out = zeros like P\n    p = the true class's probability in each row, at least 1e-30\n"
            "    write -g * scale / p into the true class's place of each row\n    return out"
        ),
    ],
    not_bugs=NOT_HERE,
)
