"""prelu_backward: a slope that is learned has a gradient, too."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.depth import prelu_backward
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import equivalent
from .common import CHAPTER, CLOSE, LEARNED


# ------------------------------------------------------------------------------------------------- how it goes wrong
def axes_of(x, a):
    return tuple(range(x.ndim - np.ndim(a)))


def right_dx(g, x, a):
    return np.where(x > 0, g, a * g)


def right_da(g, x, a):
    return np.where(x > 0, 0, g * x).sum(axis=axes_of(x, a))


def parts(dx=right_dx, da=right_da):
    return lambda g, cache: (dx(g, cache["x"], cache["a"]), da(g, cache["x"], cache["a"]))


def mean_over_the_batch(g, x, a):
    return np.where(x > 0, 0, g * x).mean(axis=axes_of(x, a))


def not_summed(g, x, a):
    return np.where(x > 0, 0, g * x)


def summed_over_the_batch_only(g, x, a):
    return np.where(x > 0, 0, g * x).sum(axis=0)


def summed_over_all(g, x, a):
    return np.where(x > 0, 0, g * x).sum() + np.zeros(np.shape(a))


def positive_side(g, x, a):
    return np.where(x > 0, g * x, 0).sum(axis=axes_of(x, a))


def both_sides(g, x, a):
    return (g * x).sum(axis=axes_of(x, a))


def without_g(g, x, a):
    return np.where(x > 0, 0, x).sum(axis=axes_of(x, a))


def without_x(g, x, a):
    return np.where(x > 0, 0, g).sum(axis=axes_of(x, a))


def sizes(g, x, a):
    return np.where(x > 0, 0, g * np.abs(x)).sum(axis=axes_of(x, a))


def times_a(g, x, a):
    return np.where(x > 0, 0, a * g * x).sum(axis=axes_of(x, a))


def left_for_right(g, x, a):
    return np.where(x > 0, a * g, g)


def nothing_leaks(g, x, a):
    return np.where(x > 0, g, 0.0)


def zero_is_right(g, x, a):
    return np.where(x >= 0, g, a * g)


def by_sign_of_g(g, x, a):
    return np.where(g > 0, g, a * g)


def is_right_by_size(x, a):
    return x > a * x


def is_right_by_output(x, a):
    return np.where(x > 0, x, a * x) > 0


def told_by(is_right):
    """The side is told by something else than the sign of x: is_right(x, a)."""

    def answer(g, cache):
        x, a = cache["x"], cache["a"]
        right = is_right(x, a)
        return np.where(right, g, a * g), np.where(right, 0, g * x).sum(axis=axes_of(x, a))

    return answer


def slope_alone(g, x, a):
    return np.where(x > 0, 1.0, a)


def per_channel_only(g, cache):
    x, a = cache["x"], cache["a"]
    return right_dx(g, x, a), np.where(x > 0, 0, g * x).sum(axis=tuple(range(x.ndim - 1)))


def exchanged(g, cache):
    return prelu_backward(g, cache)[::-1]


# ------------------------------------------------------------------------------------------------ other right answers
def with_masks(g, cache):
    x, a = cache["x"], cache["a"]
    left = (x <= 0).astype(float)
    da = g * x * left
    while da.ndim > np.ndim(a):
        da = da.sum(axis=0)
    return g * (1 - left) + a * g * left, da


def channel_by_channel(g, cache):
    x, slopes = cache["x"], cache["a"]
    a = np.broadcast_to(slopes, x.shape[-1:])
    dx, da = g.copy(), np.zeros(x.shape[-1])
    for c in range(x.shape[-1]):
        left = x[..., c] <= 0
        dx[..., c][left] *= a[c]
        da[c] = (g[..., c] * x[..., c])[left].sum()
    return [dx, da if np.ndim(slopes) else da.sum()]


def with_einsum(g, cache):
    x, a = cache["x"], cache["a"]
    da = np.einsum("nc,nc->c", g.reshape(-1, x.shape[-1]), np.minimum(x, 0).reshape(-1, x.shape[-1]))
    return g * np.where(x > 0, 1, a), da if np.ndim(a) else np.sum(da)


# -------------------------------------------------------------------------------------------------------------- probes
def call(rng, axes, shared=False, batch=None, channels=None, zeros=False, odd=False):
    """`odd` slopes are above 1, below 0, and 0."""
    shape = tuple(int(n) for n in rng.choice(np.arange(3, 9), size=axes, replace=False))
    shape = (batch or shape[0], *shape[1:-1], channels or shape[-1])
    x = rng.normal(size=shape)
    x = np.where(np.abs(x) < 0.8, 0.0, x) if zeros else x
    a = np.asarray(rng.uniform(0.1, 0.6, () if shared else shape[-1:]))
    if odd:
        a = rng.uniform(1.3, 1.8) + 0 * a if shared else a + np.resize([1, -1, -a[2]], a.shape)
        a = np.where(np.arange(a.size) == 2, 0.0, a).reshape(a.shape)
    return Call(g=rng.normal(size=shape), cache={"x": x, "a": a})


def bug(name, says, hint, published="", **wrong):
    return Misconception(name, parts(**wrong), hint, says, LEARNED, published)


EXERCISE = Exercise(
    reference=prelu_backward,
    returns=("dx", "da"),
    chapter=CHAPTER,
    title="Backward of PReLU",
    difficulty=2,
    minutes=12,
    task="""
    PReLU is x where x > 0, else a x, and the slope a is learned. Return `(dx, da)`, the gradients of the loss.

    - `g` (N, ..., C) is dL/dy
    - `cache["x"]` (N, ..., C) is what came in; at exactly 0 it counts as the left side
    - `cache["a"]` is the slope: (C,), one for each channel of the last axis, or a single number for all of them

    dx has the shape of x and da the shape of a. Neither g nor the cache is changed.
    """,
    example="""\
dx, da = prelu_backward(np.ones((2, 2)), {"x": np.array([[-4.0, 2.0], [-1.0, -3.0]]), "a": np.array([0.5, 0.25])})
dx.tolist(), da.tolist()  # ([[0.5, 1.0], [0.5, 0.25]], [-5.0, -3.0])""",
    groups=[
        Group("a slope for each channel", 2,
            lambda rng: [call(rng, 2), call(rng, 4), call(rng, 3, batch=1), call(rng, 3, channels=1),
                         call(rng, 2, odd=True)],
            "One slope for each channel, and a single channel.", CLOSE),
        Group("one slope", 1, lambda rng: [call(rng, 2, True), call(rng, 3, True), call(rng, 2, True, odd=True)],
            "One slope for all.", CLOSE),
        Group("at zero", 1, lambda rng: [call(rng, 2, zeros=True), call(rng, 3, zeros=True)],
            "Inputs that are exactly 0.", CLOSE),
    ],
    misconceptions=[
        bug("not_summed", "every place had a slope of its own",
            "How many numbers has a, and how many places does each of them serve?", da=not_summed),
        Misconception("larger_of_both", told_by(is_right_by_size),
            "With a = 2 and x = -1, which of x and a x is the output? Which one do you take it for?",
            "PReLU were the larger of x and a x", LEARNED),
        Misconception("by_the_output", told_by(is_right_by_output),
            "With a = -1 and x = -1 the output is positive. On which side is x?",
            "the sign of the output said on which side x is", LEARNED),
        bug("summed_over_batch_only", "a slope served the samples, and not the places in space",
            "An image has many pixels of one channel. How many of them share a slope?",
            "Keras without `shared_axes`", da=summed_over_the_batch_only),
        bug("summed_over_channels", "all channels shared one gradient", "Change the slope of channel 0: does channel 1 "
            "notice?", da=summed_over_all),
        bug("mean_over_batch", "the gradient of a were a mean over the places",
            "A parameter that is used in ten places: are its ten gradients added, or averaged?",
            da=mean_over_the_batch),
        bug("positive_side", "a belonged to the positive side", "On which side of 0 does a make a difference?",
            da=positive_side),
        bug("both_sides", "a belonged to both sides", "On which side of 0 does a make a difference?", da=both_sides),
        bug("without_upstream", "nothing came after PReLU when it came to a",
            "Multiply the loss by 5. What happens to the gradient of a?", da=without_g),
        bug("without_x", "y were x + a on the left", "y = a x: by how much does y change when a grows by 1?",
            da=without_x),
        bug("size_of_x", "y grew with a", "x is negative, a grows. Does y grow or fall?", da=sizes),
        bug("times_a", "a were in its own gradient", "What is the derivative of a x with respect to a?", da=times_a),
        bug("sides_exchanged", "a were the slope of the right side", "Draw PReLU for a = 0.1. Which side is steeper?",
            dx=left_for_right),
        bug("nothing_leaks", "it were a ReLU on the way back", "How much does y fall if a negative x falls by 1?",
            dx=nothing_leaks),
        bug("zero_is_right", "an input of 0 were on the right side", "Which side does the task give the 0 to?",
            dx=zero_is_right),
        bug("by_sign_of_g", "the sign of g decided", "PReLU looked at x. Which array decides in your code?",
            dx=by_sign_of_g),
        bug("slope_alone", "nothing came after PReLU when it came to x",
            "Multiply the loss by 5. What happens to the gradient of x?", dx=slope_alone),
        Misconception("per_channel_only", per_channel_only, "What shape has your da if a is a single number?",
            "there were a slope for each channel in any case", LEARNED),
        Misconception("exchanged", exchanged, "In which order does the task want the two?",
            "the two gradients were exchanged", LEARNED),
    ],
    variants=[
        Variant("with masks", with_masks),
        Variant("channel by channel", channel_by_channel),
        Variant("einsum", with_einsum),
    ],
    hints=[
        Hint("y = a x on the left. Differentiate it twice: with respect to x, and with respect to a."),
        Hint('Look at "A slope that is learned": how many places does one a serve?'),
        Hint(
            "A worked sibling, the bias of a dense layer, which serves all N samples:\n\n"
            "    def bias_backward(g, cache):\n        return g.sum(axis=0)"
        ),
        Hint(
            "    dx: g where x > 0, else a g\n    da: g x where x <= 0, else 0,\n"
            "        summed over all axes but the last, or over all axes if a is a single number"
        ),
    ],
    equivalent=equivalent.PRELU,
)  # fmt: skip
