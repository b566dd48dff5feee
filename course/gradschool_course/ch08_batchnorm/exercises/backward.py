"""batchnorm_backward: the batch's mean and variance depend on x, and the gradient knows it."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.batchnorm import batchnorm_backward, batchnorm_forward
from gradschool_course import precision
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import draw
from .draw import BACK, CHANNELS, CHAPTER, CLOSE, CONSTANTS, THREE_WAYS
from .rules import not_float32


# ----------------------------------------------------------------------------------------------- how dx goes wrong
def complete(g, xhat, m):
    axes = tuple(range(g.ndim - 1))
    return g - g.sum(axis=axes) / m - xhat * (g * xhat).sum(axis=axes) / m


def statistics_constant(g, xhat, m):
    return g


def no_mean_path(g, xhat, m):
    return g - xhat * (g * xhat).sum(axis=tuple(range(g.ndim - 1))) / m


def no_spread_path(g, xhat, m):
    return g - g.sum(axis=tuple(range(g.ndim - 1))) / m


def sums_for_means(g, xhat, m):
    return complete(g, xhat, 1)


def divided_by_samples(g, xhat, m):
    return complete(g, xhat, len(g))


def means_over_batch(g, xhat, m):
    """Each place of a sequence or an image by itself."""
    return g - g.mean(axis=0) - xhat * (g * xhat).mean(axis=0)


def spread_by_one_less(g, xhat, m):
    """The way through the variance as if that were divided by m - 1."""
    return no_spread_path(g, xhat, m) - xhat * (g * xhat).sum(axis=tuple(range(g.ndim - 1))) / max(m - 1, 1)


def half_spread(g, xhat, m):
    return (no_spread_path(g, xhat, m) + complete(g, xhat, m)) / 2


def spread_without_xhat(g, xhat, m):
    return no_spread_path(g, xhat, m) - (g * xhat).sum(axis=tuple(range(g.ndim - 1))) / m


def spread_undivided(g, difference, m):
    """The way through the variance in x minus its mean, once for each of two, without the two divisions."""
    return complete(g, difference, m)


def spread_added(g, xhat, m):
    return 2 * no_spread_path(g, xhat, m) - complete(g, xhat, m)


def turned_signs(g, xhat, m):
    return 2 * g - complete(g, xhat, m)


# -------------------------------------------------------------------------------------------- put together from parts
def summed(a):
    return a.sum(axis=tuple(range(a.ndim - 1)))


def summed_over_batch(a):
    return a.sum(axis=0)


def averaged(a):
    return a.mean(axis=tuple(range(a.ndim - 1)))


def axes_kept(a):
    return a.sum(axis=tuple(range(a.ndim - 1)), keepdims=True)


def gamma_and_r(cache):
    return cache["gamma"] * cache["r"]


def normalised(cache):
    return (cache["x"] - cache["mu"]) * cache["r"]


def as_it_came(cache):
    return cache["x"]


def only_centred(cache):
    return cache["x"] - cache["mu"]


def normalised_anew(cache):
    """The spread is taken from x once more, and ε is forgotten."""
    axes = tuple(range(cache["x"].ndim - 1))
    spread = cache["x"].std(axis=axes) if cache["training"] else 1 / cache["r"]
    return (cache["x"] - cache["mu"]) / np.where(spread > 0, spread, 1 / cache["r"])


def exchanged(g, cache):
    dx, dgamma, dbeta = batchnorm_backward(g, cache)
    return dx, dbeta, dgamma


def answered(
    dx=complete, always=False, total=summed, scale=gamma_and_r, meets=normalised, xhat=normalised, factor=None
):
    """The gradients of these parts: dx by `dx`, scaled; dgamma as the total of g and what it `meets`."""

    def answer(g, cache):
        m = g.size // g.shape[-1]
        inner = (dx if cache["training"] or always else statistics_constant)(g, xhat(cache), m)
        times = 1.0 if factor is None else factor(cache)
        return scale(cache) * inner, total(g * meets(cache)) * times, total(g) * times

    return answer


# ------------------------------------------------------------------------------------------------- other right answers
def step_by_step(g, cache):
    """Back through y, xhat, the variance and the mean, one after the other."""
    x, mu, r, gamma = cache["x"], cache["mu"], cache["r"], cache["gamma"]
    axes, m = tuple(range(g.ndim - 1)), g.size // g.shape[-1]
    dgamma, dbeta = np.sum(g * (x - mu) * r, axis=axes), np.sum(g, axis=axes)
    dxhat = g * gamma
    if not cache["training"]:
        return dxhat * r, dgamma, dbeta
    dvar = np.sum(dxhat * (x - mu), axis=axes) * -0.5 * r**3
    dmu = -np.sum(dxhat * r, axis=axes) + dvar * np.mean(-2 * (x - mu), axis=axes)
    return dxhat * r + dvar * 2 * (x - mu) / m + dmu / m, dgamma, dbeta


def channel_by_channel(g, cache):
    dx, dgamma, dbeta = np.empty_like(g), np.zeros_like(cache["gamma"]), np.zeros_like(cache["gamma"])
    for c in range(g.shape[-1]):
        mine = g[..., c].ravel()
        xhat = (cache["x"][..., c].ravel() - cache["mu"][c]) * cache["r"][c]
        dgamma[c], dbeta[c] = mine @ xhat, mine.sum()
        inner = mine - mine.mean() - xhat * (mine * xhat).mean() if cache["training"] else mine
        dx[..., c] = (cache["gamma"][c] * cache["r"][c] * inner).reshape(g.shape[:-1])
    return dx, dgamma, dbeta


def by_matrix(g, cache):
    """The Jacobian of each channel as a matrix (m, m)."""
    rows, x = g.reshape(-1, g.shape[-1]), cache["x"].reshape(-1, g.shape[-1])
    xhat = (x - cache["mu"]) * cache["r"]
    J = np.eye(len(rows), dtype=g.dtype)[:, :, None]
    if cache["training"]:
        J = J - (1 + xhat[:, None] * xhat) / len(rows)
    dx = np.einsum("mc,mnc->nc", rows, J * cache["gamma"] * cache["r"])
    return [dx.reshape(g.shape), np.einsum("mc,mc->c", rows, xhat), np.einsum("mc->c", rows)]


def one_fraction(g, cache):
    """gamma r / m (m g - sum - xhat sum), in place on a copy."""
    m = g.size // g.shape[-1]
    xhat = normalised(cache)
    dgamma, dbeta = summed(g * xhat), summed(g)
    dx = g.copy()
    if cache["training"]:
        dx *= m
        dx -= dbeta + xhat * dgamma
        dx /= m
    dx *= gamma_and_r(cache)
    return dx, dgamma, dbeta


# -------------------------------------------------------------------------------------------------------------- probes
def call(rng, shape, training=True, eps=1e-5):
    state = draw.statistics(rng, shape[-1])
    x, gamma, beta = draw.drawn(rng, shape).values()
    _, cache, _ = batchnorm_forward(x, gamma, beta, state, training, eps=eps)
    return Call(g=rng.normal(size=shape) + 0.4, cache=cache)


def training(rng):
    return [call(rng, draw.sizes(rng, 2)), call(rng, draw.sizes(rng, 2)), call(rng, (6, 1))]


def places(rng):
    return [call(rng, draw.sizes(rng, 3)), call(rng, draw.sizes(rng, 4)), call(rng, (1, 3, 5, 4))]


def evaluation(rng):
    return [call(rng, draw.sizes(rng, axes), training=False) for axes in (2, 4)]


def spread_with_eps(rng):
    return [call(rng, draw.sizes(rng, 2), eps=draw.large_eps(rng)) for _ in range(2)]


def one_sample(rng):
    return [call(rng, (1, 5)), call(rng, (1, 4), training=False)]


def single(rng):
    cases, eps = ((2, True), (4, True), (2, False)), draw.large_eps(rng)
    calls = [call(rng, draw.sizes(rng, axes), training, eps) for axes, training in cases]
    return [Call(**{name: precision.single(a) for name, a in c.arguments.items()}) for c in calls]


BACKWARD = Exercise(
    reference=batchnorm_backward,
    returns=("dx", "dgamma", "dbeta"),
    chapter=CHAPTER,
    title="Batch norm, backward",
    difficulty=5,
    minutes=45,
    task="""Return `(dx, dgamma, dbeta)`, the gradients of what comes after for the three things that can be trained or
passed on. `g` is dL/dy, of x's shape. `cache` is a dict from the forward:

- `"x"` (N, C), (N, T, C) or (N, H, W, C), as it came in
- `"mu"` (C,), which was subtracted, and `"r"` (C,), by which was multiplied: with ε in it already
- `"gamma"` (C,)
- `"training"`: whether mu and r came from this very x, or from the state, which does not depend on it

dx has x's shape, dgamma and dbeta have (C,). Neither g nor the cache is changed; float32 stays float32.""",
    example="""\
cache = {"x": np.array([[1.0], [2.0], [3.0]]), "mu": np.array([2.0]), "r": np.array([1.0]),
         "gamma": np.array([3.0]), "training": False}
dx, dgamma, dbeta = batchnorm_backward(np.array([[1.0], [0.0], [10.0]]), cache)
dx.ravel()  # [ 3.  0. 30.]
dgamma  # [9.]
dbeta  # [11.]""",
    axes={"g": ("batch", "channel")},
    groups=[
        Group("training", 2, training, "Mean and variance are those of x itself.", CLOSE),
        Group("places", 2, places, "Sequences and images.", CLOSE),
        Group("inference", 2, evaluation, "Mean and variance are constants.", CLOSE),
        Group("large eps", 1, spread_with_eps, "The root is not the deviation alone.", CLOSE),
        Group("batch of one", 1, one_sample, "One sample.", CLOSE),
        Group("float32", 1, single, "float32 in, float32 out.", CLOSE, exact_dtype=True),
    ],
    misconceptions=[
        Misconception(
            "statistics_constant",
            answered(statistics_constant),
            "Add the same number to all x of a channel: how does y change? And what is the sum of your dx?",
            "mean and variance did not depend on x, in training either",
            THREE_WAYS,
        ),
        Misconception(
            "no_mean_path",
            answered(no_mean_path),
            "Raise every x of a channel by the same amount. Does the loss change? Does your dx say so?",
            "the way through the mean were missing",
            THREE_WAYS,
        ),
        Misconception(
            "no_spread_path",
            answered(no_spread_path),
            "Stretch a channel about its mean to twice its width. Does y change? What does your dx say about that?",
            "the way through the variance were missing",
            THREE_WAYS,
        ),
        Misconception(
            "not_divided",
            answered(sums_for_means),
            "How much does the mean of m numbers move if one of them moves by 1?",
            "the terms of the mean and the variance were sums, not divided by m",
            THREE_WAYS,
        ),
        Misconception(
            "divided_by_samples",
            answered(divided_by_samples),
            "Over how many numbers is the mean of a channel of an image batch taken?",
            "m were the number of samples, also where a sample has many places",
            CHANNELS,
        ),
        Misconception(
            "half_of_the_spread",
            answered(half_spread),
            "What is the derivative of a square, and of a root? Which factors cancel?",
            "the way through the variance counted only half",
            THREE_WAYS,
        ),
        Misconception(
            "spread_without_xhat",
            answered(spread_without_xhat),
            "What comes through the variance: is it the same for an x at the mean and for one far from it?",
            "what comes through the variance were the same for every x",
            THREE_WAYS,
        ),
        Misconception(
            "spread_undivided",
            answered(spread_undivided, xhat=only_centred),
            "Measure x in cm in the place of m: by how much do the terms in your bracket grow, and do they all alike?",
            "what comes through the variance had x minus its mean in it, undivided",
            THREE_WAYS,
        ),
        Misconception(
            "spread_added",
            answered(spread_added),
            "An x far above the mean grows, and the spread with it. Do the others' distances from 0 grow or shrink?",
            "what comes through the variance had the other sign",
            THREE_WAYS,
        ),
        Misconception(
            "exchanged",
            exchanged,
            "In which order does the task want the gradients of gamma and beta?",
            "the gradients of gamma and beta were exchanged",
            BACK,
        ),
        Misconception(
            "signs_turned",
            answered(turned_signs),
            "If one x grows, do mean and spread grow too? Then do the others' y rise or fall?",
            "what comes through mean and variance had the other sign",
            THREE_WAYS,
        ),
        Misconception(
            "training_formula_always",
            answered(always=True),
            'Where in your code does `cache["training"]` stand? In inference, does the mean move with x?',
            "mean and variance depended on x in inference too",
            CONSTANTS,
        ),
        Misconception(
            "dgamma_of_x",
            answered(meets=as_it_came),
            "In y, which quantity does gamma multiply: x, or what became of it?",
            "gamma had multiplied x itself, before the normalisation",
            BACK,
        ),
        Misconception(
            "dgamma_of_the_difference",
            answered(meets=only_centred),
            "In y, what does gamma multiply? Is the division in it?",
            "gamma had multiplied x minus its mean, undivided",
            BACK,
        ),
        Misconception(
            "gamma_left_out",
            answered(scale=lambda cache: cache["r"]),
            "Double gamma: what happens to y, and what to dL/dx?",
            "gamma were 1 on the way back to x",
            BACK,
        ),
        Misconception(
            "r_left_out",
            answered(scale=lambda cache: cache["gamma"]),
            "Measure x in cm in the place of m. What happens to dL/dx?",
            "nothing had been divided on the way back to x",
            BACK,
        ),
        Misconception(
            "gamma_on_its_own_gradient",
            answered(factor=lambda cache: cache["gamma"]),
            "Is dy/dbeta equal to 1, or to gamma?",
            "the gradients of gamma and beta were multiplied by gamma",
            BACK,
        ),
        Misconception(
            "averaged",
            answered(total=averaged),
            "beta is added to all m values of its channel. Are their gradients summed or averaged?",
            "the gradients of gamma and beta were means over the batch",
            BACK,
        ),
        Misconception(
            "spread_by_one_less",
            answered(spread_by_one_less),
            "By which number did the forward divide the sum of squares: by m, or by m − 1?",
            "the variance had been divided by m − 1 on the way there",
            CONSTANTS,
        ),
        Misconception(
            "means_over_batch_only",
            answered(means_over_batch),
            "Which numbers share the mean that was subtracted from x: those of one place, or of all?",
            "the two means in dx were taken at each place by itself, over the batch alone",
            CHANNELS,
        ),
        Misconception(
            "summed_over_batch_only",
            answered(total=summed_over_batch),
            "What is the shape of gamma, and what of your dgamma for images?",
            "gamma and beta had an entry for every place of an image",
            CHANNELS,
        ),
        Misconception(
            "axes_kept",
            answered(total=axes_kept),
            "What is the shape of gamma, and what of your dgamma?",
            "the gradients of gamma and beta kept all the axes of x, with length 1",
            BACK,
        ),
        Misconception(
            "spread_taken_anew",
            answered(xhat=normalised_anew, meets=normalised_anew),
            "Where is ε in your normalised x?",
            "x were divided by its deviation once more, without ε",
            BACK,
        ),
        not_float32(batchnorm_backward, BACK),
    ],
    variants=[
        Variant("step by step", step_by_step),
        Variant("channel by channel", channel_by_channel),
        Variant("Jacobian", by_matrix),
        Variant("one fraction", one_fraction),
    ],
    hints=[
        Hint("Wiggle one x. It moves its own y, and through mean and variance all other y of its channel as well."),
        Hint(
            'Look at "Three ways to the loss", and check your result by two facts: if ε is small, dx of a channel '
            "sums to zero, and so does dx times xhat. Why?"
        ),
        Hint(
            "A worked sibling, the backward of y = x − mean(x) over a batch (m, C):\n\n"
            "    def centred_backward(g):\n        return g - g.mean(axis=0)"
        ),
        Hint(
            "    xhat = (x - mu) r;  dbeta = sum of g;  dgamma = sum of g xhat     (all axes but the last)\n"
            "    inference: dx = gamma r g\n"
            "    training: from g take its mean, and xhat times the mean of g xhat; then times gamma r"
        ),
    ],
)
