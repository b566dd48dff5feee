"""What the exercises on gradients of cross-entropies share: words, and probes whose `scale` is more than 1/N."""

from __future__ import annotations

import numpy as np

from gradschool_grader.exercise import Call

from . import draw
from .any_scale import any_scale
from .cross_entropy import nearly_impossible

TO_PROBABILITIES = "Gradients with respect to probabilities"
TO_SCORES = "Gradients with respect to scores"
NOT_HERE = {
    "½ missing/duplicated": "there is no ½ in cross-entropy",
    "δ not in slope": "only Huber's loss has a δ",
    "sign at 0": "no sign is taken: the slope is smooth in the prediction",
}
BACK_AXES = {"return": ("batch", "class")}
SCALE = """- `"scale"`, a number or an array that broadcasts against {}: mask times weights over the divisor Z

    `g` is the derivative of what comes after with respect to the loss: a number, or for `reduction="none"` an array of
    the shape of the terms. Neither g nor the cache is changed; float32 stays float32."""


def floored(P):
    return np.maximum(P, 1e-30)


def hardly_possible(rng, shape):
    """True classes of probability 0, next to it, and hardly above the floor."""
    P, T = nearly_impossible(rng, shape)
    P[2] = np.where(T[2] > 0, rng.uniform(1e-30, 3e-30), P[2])
    return P, T


def weighed_calls(rng, call):
    """Calls whose `scale` is more than 1/N."""
    a, b = draw.sizes(rng, 3), draw.sizes(rng, 2)
    return [
        call(rng, a, mask=draw.mask(rng, a[:2])),
        call(rng, a, mask=draw.mask(rng, a[:2]), normalization="mask-included"),
        call(rng, b, weights=draw.weights(rng, b[-1:])),
        call(rng, b, normalization="all-elements"),
        *any_scale(rng, call),
    ]


def plain_calls(rng, call):
    nothing_after = call(rng, draw.sizes(rng, 2))
    nothing_after.arguments["g"] = 0.0
    return [call(rng, draw.sizes(rng, 2)), call(rng, draw.sizes(rng, 3)), call(rng, (1, 4)), nothing_after]


def single_calls(rng, call):
    a = draw.sizes(rng, 3)
    return [call(rng, a[:2], dtype=np.float32), call(rng, a, dtype=np.float32, mask=draw.mask(rng, a[:2]))]


def unreduced_calls(rng, cache, terms=lambda shape: shape):
    """g with an entry for every term; weights or a mask, so that `scale` is not 1."""
    a, b = draw.sizes(rng, 3), draw.sizes(rng, 2)
    return [
        Call(g=rng.normal(size=terms(a)), cache=cache(rng, a, reduction="none", mask=draw.mask(rng, a[:2]))),
        Call(g=rng.normal(size=terms(b)), cache=cache(rng, b, reduction="none", weights=draw.weights(rng, b[-1:]))),
    ]
