"""cross_entropy_backward: how the loss changes with each probability."""

from __future__ import annotations

import numpy as np

from gradschool.losses import cross_entropy_backward, cross_entropy_forward
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Tolerance, Variant

from . import draw
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
    weighed_calls,
)
from .cross_entropy import with_zeros
from .regression import CHAPTER
from .regression_backward import CLOSE, chain_misconceptions
from .regression_slopes import chained

EACH = Tolerance(rtol=1e-9, atol=1e-12, per="entry")


# -------------------------------------------------------------------------------------------- dL/dP of cross_entropy
def slope_in_p(cache):
    P, T = cache["P"], cache["T"]
    slope = -T / floored(P)
    return slope + (1 - T) / floored(1 - P) if cache["mode"] == "multilabel" else slope


def all_classes(cache):
    slope = -1 / floored(cache["P"])
    return slope + 1 / floored(1 - cache["P"]) if cache["mode"] == "multilabel" else slope


def slope_in_scores(cache):
    return cache["P"] - cache["T"]


def unguarded(cache):
    P, T = cache["P"], cache["T"]
    slope = -T / P
    return slope + (1 - T) / (1 - P) if cache["mode"] == "multilabel" else slope


def only_present_labels(cache):
    return -cache["T"] / floored(cache["P"])


def second_sign_wrong(cache):
    P, T = cache["P"], cache["T"]
    slope = -T / floored(P)
    return slope - (1 - T) / floored(1 - P) if cache["mode"] == "multilabel" else slope


def target_over_nothing(cache):
    return -cache["T"] if cache["mode"] == "single-label" else 1 - 2 * cache["T"]


def cross_entropy_back(slope, chain=chained):
    def answer(g, cache):
        return chain(g, slope(cache), cache)

    return answer


def back_in_a_loop(g, cache):
    P, T = cache["P"], cache["T"]
    G, scale = np.broadcast_to(g, P.shape), np.broadcast_to(cache["scale"], P.shape)
    out = np.zeros_like(P)
    for i in np.ndindex(*P.shape):
        p, t = float(P[i]), float(T[i])
        slope = -t / max(p, 1e-30)
        if cache["mode"] == "multilabel":
            slope += (1 - t) / max(1 - p, 1e-30)
        out[i] = G[i] * scale[i] * slope
    return out


def divided_where_needed(cache):
    P, T = cache["P"], cache["T"]
    slope = -np.divide(T, floored(P), out=np.zeros_like(P), where=T > 0)
    if cache["mode"] == "multilabel":
        slope += np.divide(1 - T, floored(1 - P), out=np.zeros_like(P), where=T < 1)
    return slope


def one_fraction(cache):
    """For multilabel both terms over a common denominator, where no probability is 0 or 1."""
    P, T = cache["P"], cache["T"]
    inside = (P > 0) & (P < 1)
    if cache["mode"] != "multilabel" or not inside.all():
        return slope_in_p(cache)
    return (P - T) / (P * (1 - P))


def probability_cache(rng, shape, dtype=float, many=False, **options):
    P, T = (draw.chances, draw.yes_or_no) if many else (draw.probabilities, draw.one_hot)
    mode = {"mode": "multilabel"} if many else {}
    return cross_entropy_forward(P(rng, shape).astype(dtype), T(rng, shape).astype(dtype), **mode, **options)[1]


def hard_targets(cache):
    """The likeliest class of a row counts as the true one."""
    rows = np.eye(cache["T"].shape[-1], dtype=cache["T"].dtype)[np.argmax(cache["T"], axis=-1)]
    return slope_in_p(cache if cache["mode"] == "multilabel" else {**cache, "T": rows})


def probability_call(rng, shape, **options):
    return Call(g=draw.upstream(rng), cache=probability_cache(rng, shape, **options))


def zeros_in_p(rng):
    caches = [cross_entropy_forward(*make(rng, draw.sizes(rng, 2)))[1] for make in (with_zeros, hardly_possible)]
    certain = cross_entropy_forward(np.array([[0.0, 1.0, 0.25]]), np.array([[0.0, 1.0, 1.0]]), mode="multilabel")[1]
    return [Call(g=draw.upstream(rng), cache=cache) for cache in [*caches, certain]]


def several_labels(rng):
    a = draw.sizes(rng, 2)
    b = draw.sizes(rng, 3)
    terms = probability_cache(rng, b, many=True, reduction="none", weights=draw.weights(rng, b[-1:]))
    return [
        probability_call(rng, a, many=True),
        probability_call(rng, a, many=True, weights=draw.weights(rng, a[-1:])),
        probability_call(rng, b, many=True, mask=draw.mask(rng, b[:2])),
        Call(g=rng.normal(size=b), cache=terms),
    ]


def in_shares(rng):
    """Rows of targets that are distributions, and not one-hot."""
    for axes in (2, 3):
        shape = draw.sizes(rng, axes)
        P, T = draw.probabilities(rng, shape), draw.probabilities(rng, shape)
        yield Call(g=draw.upstream(rng), cache=cross_entropy_forward(P, T)[1])


WITHOUT_TARGET = (
    "Which of the C probabilities enter the loss of one observation? What is the slope in the others?",
    "every class were the true one",
)
L_SQUARE = (
    "A worked sibling, the loss 1/p of the true class:\n\n"
    "    def inverse_backward(g, cache):\n"
    '        return -g * cache["scale"] * cache["T"] / np.maximum(cache["P"], 1e-30) ** 2'
)


cross_entropy_gradient = Exercise(
    reference=cross_entropy_backward,
    chapter=CHAPTER,
    title="Gradient of cross-entropy",
    task=f"""
    Return dL/dP, the gradient of what comes after `cross_entropy` with respect to the probabilities P themselves, as if
    each of them could move alone: an array of P's shape. `cache` is a dict from the forward:

    - `"P"` and `"T"`, probabilities and targets
    - `"mode"`, "single-label" or "multilabel"
    {SCALE.format("P")} A probability below 1e-30 counts as 1e-30, and nothing warns.
    """,
    example='cross_entropy_backward(3.0, {"P": np.array([[0.5, 0.3, 0.2]]), "T": np.array([[0.0, 0.0, 1.0]]), '
    '"mode": "single-label", "scale": 0.5}).round(4) + 0.0  # [[ 0.   0.  -7.5]]',
    difficulty=2,
    minutes=10,
    axes=BACK_AXES,
    groups=[
        Group(
            "values",
            2,
            lambda rng: [*plain_calls(rng, probability_call), *in_shares(rng)],
            "One loss of the batch, one-hot and soft targets.",
            CLOSE,
        ),
        Group("zeros", 1, zeros_in_p, "Probabilities of 0 and 1.", EACH),
        Group("multilabel", 1, several_labels, 'Mode "multilabel".', CLOSE),
        Group(
            "scale",
            1,
            lambda rng: weighed_calls(rng, probability_call) + unreduced_calls(rng, probability_cache),
            'Masks, weights, other divisors, reduction="none".',
            CLOSE,
        ),
        Group(
            "float32",
            1,
            lambda rng: single_calls(rng, probability_call),
            "float32 in, float32 out.",
            CLOSE,
            exact_dtype=True,
        ),
    ],
    misconceptions=[
        *chain_misconceptions(lambda chain: cross_entropy_back(slope_in_p, chain), TO_PROBABILITIES),
        Misconception("without_one_hot", cross_entropy_back(all_classes), *WITHOUT_TARGET, TO_PROBABILITIES),
        Misconception(
            "hard_targets",
            cross_entropy_back(hard_targets),
            "T says [0.6, 0.4, 0]. Which of the three probabilities enter the loss of that observation?",
            "only the class with the largest share of a target counted",
            TO_PROBABILITIES,
        ),
        Misconception(
            "softmax_included",
            cross_entropy_back(slope_in_scores),
            "Who will multiply by the Jacobian of the softmax: this function, or the backward of the softmax? "
            "What if both do?",
            "it were the gradient with respect to the scores, the softmax's Jacobian built in",
            TO_SCORES,
        ),
        Misconception(
            "divides_by_zero",
            cross_entropy_back(unguarded),
            "What is 0 / 0 on paper, and in NumPy?",
            "it were divided by probabilities of 0",
            TO_PROBABILITIES,
        ),
        Misconception(
            "only_present_labels",
            cross_entropy_back(only_present_labels),
            "A label is absent and has p = 0.9. Should the loss want p lower? What does your slope say?",
            'in mode "multilabel" only the labels that are present counted',
            "Several labels at once",
        ),
        Misconception(
            "second_sign",
            cross_entropy_back(second_sign_wrong),
            "A label is absent. Does the loss rise or fall as its p rises?",
            "an absent label wanted a larger probability",
            "Several labels at once",
        ),
        Misconception(
            "not_divided_by_p",
            cross_entropy_back(target_over_nothing),
            "Which is steeper, -log p near p = 0.01 or near p = 0.9?",
            "the slope of the logarithm were 1 everywhere",
            TO_PROBABILITIES,
        ),
    ],
    variants=[
        Variant("loop", back_in_a_loop),
        Variant("where", cross_entropy_back(divided_where_needed)),
        Variant("one_fraction", cross_entropy_back(one_fraction)),
    ],
    hints=[
        Hint(
            "The loss of one observation is minus the logarithm of one number. Its slope in that number is "
            "all there is "
            "to it; the other classes stand still."
        ),
        Hint('Look at "Gradients with respect to probabilities", and draw -log p: how steep is it at 0.1, and at 0.5?'),
        Hint(L_SQUARE),
        Hint(
            "    safe(P) = P, but at least 1e-30\n    slope = -(target) / safe(P)\n"
            "    if multilabel: add (1 - target) / safe(1 - P)\n    return g * scale * slope"
        ),
    ],
    not_bugs=NOT_HERE,
)
