"""bce_with_logits_backward: the sigmoid and the logarithm cancel."""

from __future__ import annotations

import numpy as np

from gradschool.losses import bce_with_logits_backward, bce_with_logits_forward
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import draw
from .backward_frame import (
    BACK_AXES,
    NOT_HERE,
    SCALE,
    TO_SCORES,
    floored,
    plain_calls,
    single_calls,
    unreduced_calls,
    weighed_calls,
)
from .cross_entropy import SEVERAL
from .regression import CHAPTER
from .regression_backward import CLOSE, chain_misconceptions
from .regression_slopes import chained


# ------------------------------------------------------------------------------------------- dL/dz of bce_with_logits
def p_minus_t(cache):
    return cache["p"] - cache["t"]


def sigmoid_slope_again(cache):
    return (cache["p"] - cache["t"]) * cache["p"] * (1 - cache["p"])


def stops_at_p(cache):
    p, t = cache["p"], cache["t"]
    return (1 - t) / floored(1 - p) - t / floored(p)


def yes_only(cache):
    return -cache["t"] * (1 - cache["p"])


def no_target(cache):
    return cache["p"]


def bce_back(slope, chain=chained):
    def answer(g, cache):
        return chain(g, slope(cache), cache)

    return answer


def bce_loop(g, cache):
    p, t = cache["p"], cache["t"]
    G, scale = np.broadcast_to(g, p.shape), np.broadcast_to(cache["scale"], p.shape)
    out = np.zeros_like(p)
    for i in np.ndindex(*p.shape):
        out[i] = G[i] * scale[i] * (p[i] - t[i])
    return out


def both_cases(cache):
    p, t = cache["p"], cache["t"]
    return (1 - t) * p - t * (1 - p)


def bce_in_place(g, cache):
    out = cache["p"].copy()
    out -= cache["t"]
    out *= cache["scale"]
    out *= g
    return out


def bce_cache(rng, shape, dtype=float, **options):
    z, t = rng.normal(size=shape) * 2, draw.chances(rng, shape)
    t = np.where(draw.mask(rng, shape) > 0, draw.yes_or_no(rng, shape), t)
    return bce_with_logits_forward(z.astype(dtype), t.astype(dtype), **options)[1]


def bce_call(rng, shape, **options):
    return Call(g=draw.upstream(rng), cache=bce_cache(rng, shape, **options))


bce_gradient = Exercise(
    reference=bce_with_logits_backward,
    chapter=CHAPTER,
    title="Gradient of binary cross-entropy from scores",
    task=f"""
    Return dL/dz, the gradient of what comes after `bce_with_logits` with respect to the scores z: an array of their
    shape. `cache` is a dict from the forward:

    - `"p"` and `"t"`, the probabilities sigmoid(z) and the targets
    {SCALE.format("z")}
    """,
    example='bce_with_logits_backward(3.0, {"p": np.array([0.5, 0.9, 0.2]), "t": np.array([1.0, 1.0, 0.0]), '
    '"scale": 0.5}).round(4)  # [-0.75 -0.15  0.3 ]',
    difficulty=2,
    minutes=10,
    axes=BACK_AXES,
    groups=[
        Group(
            "values",
            2,
            lambda rng: [*plain_calls(rng, bce_call), bce_call(rng, draw.sizes(rng, 1)), bce_call(rng, (5, 1))],
            "One loss of the batch, hard and soft targets.",
            CLOSE,
        ),
        Group("scale", 1, lambda rng: weighed_calls(rng, bce_call), "Masks, weights, other divisors.", CLOSE),
        Group("unreduced", 1, lambda rng: unreduced_calls(rng, bce_cache), 'reduction="none".', CLOSE),
        Group(
            "float32", 1, lambda rng: single_calls(rng, bce_call), "float32 in, float32 out.", CLOSE, exact_dtype=True
        ),
    ],
    misconceptions=[
        *chain_misconceptions(lambda chain: bce_back(p_minus_t, chain), TO_SCORES),
        Misconception(
            "sigmoid_slope_again",
            bce_back(sigmoid_slope_again),
            "A firm score on the wrong side: should the pull be large or vanish? What is p (1 - p) there?",
            "the derivative of the sigmoid were multiplied in a second time",
            TO_SCORES,
        ),
        Misconception(
            "stops_at_p",
            bce_back(stops_at_p),
            "Your slope says how the loss changes with p. How does p change with z?",
            "it were the gradient with respect to the probability",
            TO_SCORES,
        ),
        Misconception(
            "yes_only",
            bce_back(yes_only),
            "The answer is no and p = 0.9. In which direction should the score move? What is your slope there?",
            "only the entries whose answer is yes counted",
            SEVERAL,
        ),
        Misconception(
            "no_target",
            bce_back(no_target),
            "Same score, opposite answers: can the gradient be the same?",
            "the answer were always no",
            TO_SCORES,
        ),
    ],
    variants=[
        Variant("loop", bce_loop),
        Variant("both_cases", bce_back(both_cases)),
        Variant("in_place", bce_in_place),
    ],
    hints=[
        Hint("Two slopes are multiplied: that of the loss in p, and that of p in z. A lot cancels."),
        Hint(
            'Look at "Gradients with respect to scores", and do the case t = 1 on paper: -log p, where p is '
            "the sigmoid of z and its derivative is p (1 - p)."
        ),
        Hint(
            "A worked sibling, the squared error of the sigmoid, (p - t)²:\n\n"
            '    p, t = cache["p"], cache["t"]\n    slope = 2 * (p - t) * p * (1 - p)'
        ),
        Hint(
            "    slope_in_p = -t / p + (1 - t) / (1 - p)\n    slope = slope_in_p * p * (1 - p), multiplied out\n"
            "    return g * scale * slope"
        ),
    ],
    not_bugs=NOT_HERE
    | {
        "(P−T) without one-hot": "the targets are zeros and ones already; nothing is to be made one-hot",
    },
)
