"""fold_bn_into_dense: in inference a normalisation is a scale and a shift, which the layer before it can take over."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.batchnorm import fold_bn_into_dense
from gradschool_course import precision
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import draw
from .draw import CHAPTER, CLOSE, FOLDED
from .rules import not_float32


# --------------------------------------------------------------------------------------------- how folding goes wrong
def inverse(gamma, var, eps):
    return gamma / np.sqrt(var + eps)


def folded(new_b, scale=inverse, new_W=lambda W, a: W * a):
    """W a and new_b(b, a, beta, mean), with a = scale(gamma, var, eps)."""

    def answer(W, b, gamma, beta, mean, var, eps=1e-5):
        a = scale(gamma, var, eps)
        return new_W(W, a), new_b(np.zeros_like(mean) if b is None else b, a, beta, mean)

    return answer


def shifted(b, a, beta, mean):
    return (b - mean) * a + beta


def without_b(W, b, gamma, beta, mean, var, eps=1e-5):
    a = inverse(gamma, var, eps)
    return W * a, beta - mean * a


def b_needed(W, b, gamma, beta, mean, var, eps=1e-5):
    a = inverse(gamma, var, eps)
    return W * a, (b - mean) * a + beta


def changed_in_place(W, b, gamma, beta, mean, var, eps=1e-5):
    a = inverse(gamma, var, eps)
    new = folded(shifted)(W, b, gamma, beta, mean, var, eps)
    W *= a
    return W, new[1]


def folded_before(W, b, gamma, beta, mean, var, eps=1e-5):
    """As if the normalisation came first: (gamma (x - mean) r + beta) W + b."""
    a = inverse(gamma, var, eps)
    return W * a[:, None], (0 if b is None else b) + (beta - mean * a) @ W


# ------------------------------------------------------------------------------------------------- other right answers
def column_by_column(W, b, gamma, beta, mean, var, eps=1e-5):
    new_W, new_b = np.array(W), np.array(beta)
    for c in range(len(gamma)):
        deviation = (var[c] + eps) ** 0.5
        new_W[..., c] = W[..., c] / deviation * gamma[c]
        new_b[c] += gamma[c] * ((b[c] if b is not None else 0) - mean[c]) / deviation
    return new_W, new_b


def by_diagonal(W, b, gamma, beta, mean, var, eps=1e-5):
    D = np.diag(gamma * (var + eps) ** -0.5).astype(W.dtype)
    b = np.zeros_like(mean) if b is None else b
    return W @ D, b @ D - mean @ D + beta


def asked(W, b, gamma, beta, mean, var, eps=1e-5):
    """What do the two layers make of zero, and of each unit vector? That tells b and W."""
    rows = W.reshape(-1, W.shape[-1])
    inputs = np.concatenate([np.zeros_like(rows[:, :1]).T, np.eye(len(rows), dtype=W.dtype)])
    z = inputs @ rows + (0 if b is None else b)
    y = gamma * (z - mean) / np.sqrt(var + eps) + beta
    return [(y[1:] - y[0]).reshape(W.shape), y[0]]


def in_place_on_copies(W, b, gamma, beta, mean, var, eps=1e-5):
    W, shift = W.copy(), -mean
    if b is not None:
        shift += b
    r = gamma / np.sqrt(var + eps)
    W *= r
    shift *= r
    shift += beta
    return W, shift


# -------------------------------------------------------------------------------------------------------------- probes
def call(rng, shape, bias=True, **options):
    gamma, beta = draw.vectors(rng, shape[-1])
    b = rng.normal(size=shape[-1]) + 0.5 if bias else None
    return Call(W=rng.normal(size=shape), b=b, gamma=gamma, beta=beta, **draw.statistics(rng, shape[-1]), **options)


def dense(rng):
    return [call(rng, draw.sizes(rng, 2)), call(rng, (*draw.sizes(rng, 1), 1), eps=0.0)]


def no_bias(rng):
    return [call(rng, draw.sizes(rng, 2), bias=False), call(rng, (*draw.sizes(rng, 1), 1), bias=False)]


def kernels(rng):
    return [call(rng, (3, 4, *draw.sizes(rng, 2)))]


def options(rng):
    return [call(rng, draw.sizes(rng, 2), eps=draw.large_eps(rng))]


def single(rng):
    calls = [call(rng, draw.sizes(rng, 2), bias, eps=draw.large_eps(rng)) for bias in (True, False)]
    return [Call(**{name: precision.single(a) for name, a in c.arguments.items()}) for c in calls]


FOLD = Exercise(
    reference=fold_bn_into_dense,
    returns=("W", "b"),
    chapter=CHAPTER,
    title="Fold it away",
    difficulty=2,
    minutes=12,
    task="""A dense layer, z = x W + b, and behind it a normalisation in inference, with the running `mean` and `var`
and with `gamma` and `beta`, all (C,). Return `(W, b)` of a single dense layer that gives the same y for every x.

`W` is (D, C), or the kernels (H, W, D, C) of a convolution, to whose outputs the same applies; `b` is (C,), or None if
the layer has no bias. No argument is changed; float32 stays float32.""",
    example="""\
W, b = fold_bn_into_dense(np.array([[1.0, 1.0]]), np.array([7.0, 0.0]), gamma=np.array([1.0, 6.0]),
                          beta=np.array([0.0, 5.0]), mean=np.array([7.0, 2.0]), var=np.array([1.0, 9.0]), eps=0.0)
W  # [[1. 2.]]
b  # [0. 1.]""",
    axes={"W": ("input", "channel")},
    groups=[
        Group("dense", 2, dense, "A dense layer with bias.", CLOSE),
        Group("no bias", 1, no_bias, "b is None.", CLOSE),
        Group("convolution", 1, kernels, "The kernels of a convolution.", CLOSE),
        Group("options", 1, options, "A large eps.", CLOSE),
        Group("float32", 1, single, "float32 in, float32 out.", CLOSE, exact_dtype=True),
    ],
    misconceptions=[
        Misconception(
            "folded_before",
            folded_before,
            "What comes first, W or the normalisation? Then does its scale belong to the rows of W or to the columns?",
            "the normalisation stood before the dense layer, and not behind it",
            FOLDED,
        ),
        Misconception(
            "mean_not_scaled",
            folded(lambda b, a, beta, mean: b * a - mean + beta),
            "Which comes first in a normalisation: subtracting the mean, or multiplying?",
            "the mean were subtracted after the scale",
            FOLDED,
        ),
        Misconception(
            "bias_not_scaled",
            folded(lambda b, a, beta, mean: b - mean * a + beta),
            "z = x W + b is scaled as a whole. Is your b?",
            "the old bias kept its size",
            FOLDED,
        ),
        Misconception(
            "mean_added",
            folded(lambda b, a, beta, mean: (b + mean) * a + beta),
            "A channel with a running mean of 5: where should z = 5 end, and where does it end in yours?",
            "the mean were added and not subtracted",
            FOLDED,
        ),
        Misconception(
            "signs_turned",
            folded(lambda b, a, beta, mean: (mean - b) * a + beta),
            "Raise the old bias: should the new one rise or fall?",
            "bias and mean had changed their signs",
            FOLDED,
        ),
        Misconception(
            "bias_dropped",
            without_b,
            "Where in your code does b stand?",
            "the dense layer had no bias",
            FOLDED,
        ),
        Misconception(
            "bias_needed",
            b_needed,
            "What is None − mean in NumPy, and what should it mean here?",
            "there were always a bias",
            FOLDED,
        ),
        Misconception(
            "shift_dropped",
            folded(lambda b, a, beta, mean: (b - mean) * a),
            "Where in your code does beta stand?",
            "`beta` were 0",
            FOLDED,
        ),
        Misconception(
            "shift_scaled",
            folded(lambda b, a, beta, mean: (b - mean + beta) * a),
            "Is beta added before or after the multiplication by gamma?",
            "`beta` were multiplied by the scale too",
            FOLDED,
        ),
        Misconception(
            "no_eps",
            folded(shifted, lambda gamma, var, eps: gamma / np.sqrt(var)),
            "By what does the normalisation divide: √var alone?",
            "there were no ε",
            FOLDED,
        ),
        Misconception(
            "eps_outside",
            folded(shifted, lambda gamma, var, eps: gamma / (np.sqrt(var) + eps)),
            "For a variance of 0, do you divide by √ε or by ε?",
            "ε were added outside the root",
            FOLDED,
        ),
        Misconception(
            "no_root",
            folded(shifted, lambda gamma, var, eps: gamma / (var + eps)),
            "Of which quantity of the state must a root be taken?",
            "it were divided by the variance",
            FOLDED,
        ),
        Misconception(
            "scale_dropped",
            folded(shifted, lambda gamma, var, eps: 1 / np.sqrt(var + eps)),
            "Where in your code does gamma stand?",
            "`gamma` were 1",
            FOLDED,
        ),
        Misconception(
            "weights_kept",
            folded(shifted, new_W=lambda W, a: 1.0 * W),
            "Double gamma: y depends twice as strongly on x. Does yours?",
            "the scale changed the bias only, and the weights stayed",
            FOLDED,
        ),
        Misconception(
            "changed_in_place",
            changed_in_place,
            "What has become of the W that the caller handed you?",
            "the weights of the caller were changed",
            FOLDED,
        ),
        not_float32(fold_bn_into_dense, FOLDED),
    ],
    variants=[
        Variant("column by column", column_by_column),
        Variant("diagonal matrix", by_diagonal),
        Variant("asked with unit vectors", asked),
        Variant("in place on copies", in_place_on_copies),
    ],
    hints=[
        Hint("Two lines of school algebra: put z = x W + b into the normalisation, and collect what multiplies x."),
        Hint('Look at "Fold it away". Each channel of y has a scale of its own: which part of W makes that channel?'),
        Hint(
            "A worked sibling, a layer in degrees Fahrenheit made of one in degrees Celsius, F = 1.8 C + 32:\n\n"
            "    W, b = 1.8 * W, 1.8 * b + 32"
        ),
        Hint("    a = gamma over the root of var + eps;  W times a, column by column;  (b − mean) times a, plus beta"),
    ],
)
