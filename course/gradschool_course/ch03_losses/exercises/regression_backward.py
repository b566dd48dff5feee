"""The gradients of the four regression losses with respect to the prediction, from the cache of the forward."""

from __future__ import annotations

import numpy as np

from gradschool.losses import (
    half_mse_backward,
    half_mse_forward,
    huber_backward,
    huber_forward,
    l1_loss_backward,
    l1_loss_forward,
    l2_loss_backward,
    l2_loss_forward,
)
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Tolerance, Variant

from . import draw
from .any_scale import any_scale
from .regression import AXES, CHAPTER, JOINT, drawn_delta
from .regression_slopes import (
    backward_with,
    divides_again,
    double_in_place,
    entry_by_entry,
    error,
    error_in_place,
    error_over_its_size,
    flat_far_out,
    held_within_delta,
    held_within_one,
    in_double,
    leaves_out_scale,
    leaves_out_upstream,
    minus_one_at_zero,
    minus_the_other_way,
    one_at_zero,
    other_sign,
    own_divisor,
    positive_far_out,
    scalar_double,
    scalar_error,
    scalar_held,
    scalar_sign,
    shortened,
    sign_by_comparison,
    sign_by_safe_quotient,
    sign_of_error,
    slope_of_smooth_l1,
    slope_one_far_out,
    sum_of_itself,
    sums_upstream,
    twice_near_zero,
    twice_the_error,
    two_branches,
    zero_is_nothing,
)

GRADIENTS = "From the loss to its gradient"
KINK = "The kink at zero"
BACK_AXES = {"return": AXES["Y"]}


CHAIN = {
    "not_divided": (leaves_out_scale, "Twice as many observations: does your gradient double? Does the mean loss?",
                    "nothing of `scale` were used: neither the divisor nor mask nor weights"),
    "forgets_mask": (own_divisor, "Where the mask hides an entry, what can a change of its prediction do to the loss?",
                     "the slope were divided by N, and mask, weights and other divisors were forgotten"),
    "divides_again": (divides_again, "Compute `scale` by hand for N = 4 without mask and weights. "
    "What is in it already?",
                      "the slope were divided by N although `scale` does that"),
    "sums_upstream": (sums_upstream, "A loss that is not reduced has a g for each element. Which of them belongs to "
    "this one?", "all entries of g were added up, and their sum met every element"),
    "ignores_upstream": (leaves_out_upstream, "If what comes after multiplies the loss by 5, what happens to dL/dY?",
                         "nothing came after the loss: g is not used"),
    "zero_is_nothing": (zero_is_nothing, "If what comes after multiplies the loss by 0, what is dL/dY?",
                        "a g of 0 had not been given"),
    "wrong_sign": (other_sign, "Raise a prediction that is too large already: does the loss rise? What says your sign?",
                   "the error were target minus prediction: every sign is turned round"),
    "not_float32": (in_double, "Which dtype has the cache's array, and which has your answer?",
                    "float32 were turned into float64"),
}  # fmt: skip


def chain_misconceptions(wrap, see=GRADIENTS):
    return [Misconception(name, wrap(chain), hint, says, see) for name, (chain, hint, says) in CHAIN.items()]


# -------------------------------------------------------------------------------------------------------------- probes
CLOSE = Tolerance(rtol=1e-9, atol=1e-12)


def gradient_groups(forward, deltas=False, kink=False):
    """Groups of a regression backward: the cache comes from the forward, g is random, never 1."""

    def made(rng, shape, ties=False, dtype=float, **options):
        Y, T = draw.pair(rng, shape)
        Y = np.where(draw.mask(rng, shape) > 0, Y, T) if ties else Y
        delta = drawn_delta(rng) if deltas else {}
        return forward(Y.astype(dtype), T.astype(dtype), **delta, **options)[1]

    def call(rng, shape, **options):
        return Call(g=draw.upstream(rng), cache=made(rng, shape, **options))

    def values(rng):
        return [
            call(rng, draw.sizes(rng, 2)),
            call(rng, draw.sizes(rng, 1)),
            call(rng, draw.sizes(rng, 3)),
            call(rng, (1, 4)),
            call(rng, (5, 1)),
            Call(g=0.0, cache=made(rng, draw.sizes(rng, 2))),
        ]

    def scaled(rng):
        a, b = draw.sizes(rng, 3), draw.sizes(rng, 2)
        return [
            call(rng, a, mask=draw.mask(rng, a[:2])),
            call(rng, a, mask=draw.mask(rng, a[:2]), normalization="mask-included"),
            call(rng, b, weights=draw.weights(rng, b[-1:])),
            call(rng, b, normalization="all-elements"),
            *any_scale(rng, call),
        ]

    def unreduced(rng):
        a, b = draw.sizes(rng, 3), draw.sizes(rng, 2)
        return [
            Call(g=rng.normal(size=a), cache=made(rng, a, reduction="none", mask=draw.mask(rng, a[:2]))),
            Call(g=rng.normal(size=b), cache=made(rng, b, reduction="none", weights=draw.weights(rng, b[-1:]))),
            Call(g=rng.normal(size=b), cache=made(rng, b, reduction="none")),
        ]

    def ties(rng):
        return [call(rng, draw.sizes(rng, 2), ties=True), call(rng, draw.sizes(rng, 3), ties=True)]

    def single(rng):
        a = draw.sizes(rng, 3)
        return [call(rng, a[:2], dtype=np.float32), call(rng, a, dtype=np.float32, mask=draw.mask(rng, a[:2]))]

    groups = [
        Group("values", 2, values, "One loss of the whole batch, in several shapes.", CLOSE),
        Group("scale", 1, scaled, "Masks, weights and other divisors, which `scale` holds.", CLOSE),
        Group("unreduced", 1, unreduced, "reduction=\"none\": g has an entry for every term.", CLOSE),
        Group("ties", 1, ties, "Predictions that hit their target exactly.", CLOSE),
        Group("float32", 1, single, "float32 in, float32 out.", CLOSE, exact_dtype=True),
    ]  # fmt: skip
    return groups if kink else [group for group in groups if group.name != "ties"]


def task(name, extra=""):
    return f"""
    Return dL/dY, the gradient of what comes after `{name}` with respect to the prediction Y: an array of Y's shape and
    dtype. `cache` is a dict from the forward:

    - `"Y"` and `"T"`, prediction and target, of one shape and dtype{extra}
    - `"scale"`, a number or an array that broadcasts against Y: mask times weights over the divisor Z

    `g` is the derivative of what comes after with respect to the loss: a number, or for `reduction="none"` an array of
    Y's shape. Neither g nor the cache is changed.
    """


def hints(name, sibling, pseudo_code):
    return [
        Hint("Take one entry. How fast does its term grow as its prediction grows? Then ask what the term is "
             "multiplied by on its way to the loss, and what comes after the loss."),
        Hint(f"Look at \"From the loss to its gradient\". Draw the term of `{name}` over the error: its slope, left "
             "and right of zero, is the answer for one entry."),
        Hint(sibling),
        Hint(pseudo_code),
    ]  # fmt: skip


L4 = (
    "A worked sibling, the fourth power of the error:\n\n"
    '    def l4_backward(g, cache):\n        return g * cache["scale"] * 4 * (cache["Y"] - cache["T"]) ** 3'
)
OTHERS = {
    "(P−T) without one-hot": "the targets are numbers, not classes",
    "multiplied by softmax Jacobian twice": "there is no softmax in a regression loss",
}
NO_KINK = {"sign at 0": "the slope is continuous at zero, and no sign is taken there"}
NO_HALF = {"½ missing/duplicated": "the absolute error has neither a ½ nor a 2"}
NO_DELTA = {"δ not in slope": "only Huber's loss has a δ"}


# ----------------------------------------------------------------------------------------------------------- exercises
l1_backward = Exercise(
    reference=l1_loss_backward,
    chapter=CHAPTER,
    title="Gradient of the absolute error",
    task=task("l1_loss") + "\n    Where prediction and target are equal, the derivative is taken to be 0.\n",
    example='l1_loss_backward(3.0, {"Y": np.array([1.0, 2.0, 4.0]), "T": np.array([0.0, 2.0, 7.0]), "scale": 0.5})'
    "  # [ 1.5  0.  -1.5]",
    difficulty=2,
    minutes=10,
    axes=BACK_AXES,
    groups=gradient_groups(l1_loss_forward, kink=True),
    misconceptions=[
        *chain_misconceptions(lambda chain: backward_with(sign_of_error, chain)),
        Misconception(
            "one_at_zero",
            backward_with(one_at_zero),
            "A prediction that is exactly right: should training push it, and which way?",
            "the slope at an error of 0 were +1",
            KINK,
        ),
        Misconception(
            "minus_one_at_zero",
            backward_with(minus_one_at_zero),
            "A prediction that is exactly right: should training push it, and which way?",
            "the slope at an error of 0 were -1",
            KINK,
        ),
        Misconception(
            "zero_over_zero",
            backward_with(error_over_its_size),
            "What is d / |d| for d = 0, in NumPy?",
            "the error were divided by its size, also where both are 0",
            KINK,
        ),
        Misconception(
            "error_itself",
            backward_with(error),
            "Is a large error pulled harder by the absolute error than a small one?",
            "the slope grew with the error",
            GRADIENTS,
        ),
    ],
    variants=[
        Variant("loop", entry_by_entry(scalar_sign)),
        Variant("comparison", backward_with(sign_by_comparison)),
        Variant("safe_quotient", backward_with(sign_by_safe_quotient)),
    ],
    hints=hints(
        "l1_loss",
        L4,
        "    slope = -1 left of the target, +1 right of it, 0 on it: NumPy has a function that tells the sign\n"
        "    return g * scale * slope",
    ),
    not_bugs=OTHERS | NO_HALF | NO_DELTA,
)

l2_backward = Exercise(
    reference=l2_loss_backward,
    chapter=CHAPTER,
    title="Gradient of the squared error",
    task=task("l2_loss"),
    example='l2_loss_backward(3.0, {"Y": np.array([1.0, 2.0, 4.0]), "T": np.array([0.0, 2.0, 7.0]), "scale": 0.5})'
    "  # [ 3.  0. -9.]",
    difficulty=1,
    minutes=5,
    axes=BACK_AXES,
    groups=gradient_groups(l2_loss_forward),
    misconceptions=[
        *chain_misconceptions(lambda chain: backward_with(twice_the_error, chain)),
        Misconception(
            "factor_missing",
            backward_with(error),
            "What is the derivative of x² at 3?",
            "the loss had a factor ½",
            GRADIENTS,
        ),
        Misconception(
            "sign_only",
            backward_with(sign_of_error),
            "Is an error of 10 pulled as hard as one of 0.1?",
            "the slope were that of the absolute error",
            GRADIENTS,
        ),
    ],
    variants=[
        Variant("loop", entry_by_entry(scalar_double)),
        Variant("sum", backward_with(sum_of_itself)),
        Variant("in_place", backward_with(double_in_place)),
    ],
    hints=hints("l2_loss", L4, "    return g * scale * (derivative of the square, at Y - T)"),
    not_bugs=OTHERS | NO_KINK | NO_DELTA,
)

half_backward = Exercise(
    reference=half_mse_backward,
    chapter=CHAPTER,
    title="Gradient of half the squared error",
    task=task("half_mse"),
    example='half_mse_backward(3.0, {"Y": np.array([1.0, 2.0, 4.0]), "T": np.array([0.0, 2.0, 7.0]), "scale": 0.5})'
    "  # [ 1.5  0.  -4.5]",
    difficulty=1,
    minutes=5,
    axes=BACK_AXES,
    groups=gradient_groups(half_mse_forward),
    misconceptions=[
        *chain_misconceptions(lambda chain: backward_with(error, chain)),
        Misconception(
            "factor_two",
            backward_with(twice_the_error),
            "What is the ½ in this loss good for?",
            "the ½ of the loss were missing",
            GRADIENTS,
        ),
        Misconception(
            "sign_only",
            backward_with(sign_of_error),
            "Is an error of 10 pulled as hard as one of 0.1?",
            "the slope were that of the absolute error",
            GRADIENTS,
        ),
    ],
    variants=[
        Variant("loop", entry_by_entry(scalar_error)),
        Variant("in_place", backward_with(error_in_place)),
        Variant("other_way", backward_with(minus_the_other_way)),
    ],
    hints=hints("half_mse", L4, "    return g * scale * (the error itself, prediction minus target)"),
    not_bugs=OTHERS | NO_KINK | NO_DELTA,
)

huber_back = Exercise(
    reference=huber_backward,
    chapter=CHAPTER,
    title="Gradient of Huber's loss",
    task=task("huber", '\n    - `"delta"`, the transition point, a number > 0'),
    example='huber_backward(3.0, {"Y": np.array([1.0, 2.0, 4.0]), "T": np.array([0.9, 2.0, 7.0]), "delta": 0.5, '
    '"scale": 0.5})  # [ 0.15  0.   -0.75]',
    difficulty=2,
    minutes=10,
    axes=BACK_AXES,
    groups=gradient_groups(huber_forward, deltas=True),
    misconceptions=[
        *chain_misconceptions(lambda chain: backward_with(held_within_delta, chain)),
        Misconception(
            "slope_without_delta",
            backward_with(slope_one_far_out),
            "How steep is the parabola at delta? How steep is your line beyond it?",
            "the slope far out were 1 whatever delta is",
            JOINT,
        ),
        Misconception(
            "smooth_l1",
            backward_with(slope_of_smooth_l1),
            "Far out, should a smaller delta make the pull weaker, or leave it as it is? Yours?",
            "it were the gradient of the smooth L1 loss, delta times too small; asked for is Huber's own",
            JOINT,
            published="PyTorch's `smooth_l1_loss`",
        ),
        Misconception(
            "delta_is_one",
            backward_with(held_within_one),
            "Where in your code does delta stand?",
            "delta were always 1",
            JOINT,
        ),
        Misconception(
            "positive_far_out",
            backward_with(positive_far_out),
            "Prediction far below the target: which way does it have to move? Which way does your gradient push?",
            "the slope were +delta on both far sides",
            JOINT,
        ),
        Misconception(
            "flat_far_out",
            backward_with(flat_far_out),
            "Does a far outlier cost more the farther it is? Then can the slope be 0?",
            "errors beyond delta had no slope at all",
            JOINT,
        ),
        Misconception(
            "factor_two",
            backward_with(twice_near_zero),
            "At an error of exactly delta, do your two branches have the same slope?",
            "the ½ of the square near zero were missing",
            JOINT,
        ),
        Misconception(
            "not_held",
            backward_with(error),
            "How hard does an error of 1000 pull when delta is 1?",
            "all errors lay within delta",
            JOINT,
        ),
    ],
    variants=[
        Variant("loop", entry_by_entry(scalar_held)),
        Variant("two_branches", backward_with(two_branches)),
        Variant("shortened", backward_with(shortened)),
    ],
    hints=hints(
        "huber",
        L4,
        "    d = prediction - target\n    slope = d, but held between -delta and delta\n    return g * scale * slope",
    ),
    not_bugs=OTHERS | NO_KINK,
)

EXERCISES = [l1_backward, l2_backward, half_backward, huber_back]
