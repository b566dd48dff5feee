"""l1_loss, l2_loss, half_mse and huber: errors that count by their size, their square, or a bit of both."""

from __future__ import annotations

import numpy as np

import gradschool as gs
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Tolerance, Variant

from . import draw, equivalent
from .frame import BUGS, frame_misconceptions
from .regression_answers import (
    absolute,
    as_inner_product,
    branches_swapped,
    by_selection,
    delta_is_one,
    expanded_square,
    half_squared,
    in_a_loop,
    joined,
    larger_minus_smaller,
    linear_without_offset,
    loss,
    loss_with_delta,
    on_a_copy,
    one_by_one,
    quarter_squared,
    root_of,
    signed,
    slope_without_delta,
    smooth_l1,
    squared,
    whole_number_power,
    whole_square,
    with_clipped,
)

CHAPTER = "ch03_losses"
AXES = {"Y": ("batch", "response"), "T": ("batch", "response"), "mask": ("batch", "time")}


# -------------------------------------------------------------------------------------------------------------- probes
def drawn_delta(rng):
    """Errors lie on both sides of it, and it is never 1."""
    low = rng.random() < 0.5
    return {"delta": float(rng.uniform(0.4, 0.8) if low else rng.uniform(1.3, 1.9))}


def loss_groups(deltas=False):
    """The groups of a regression loss; `deltas` adds Huber's delta to every call."""

    def more(rng):
        return drawn_delta(rng) if deltas else {}

    def call(rng, shape, **options):
        Y, T = draw.pair(rng, shape)
        return Call(Y=Y, T=T, **more(rng), **options)

    def values(rng):
        Y, T = draw.pair(rng, draw.sizes(rng, 1))
        whole = [rng.integers(-9, 9, size=(5, 3)) for _ in range(3)]
        single = [array.astype(np.float32) for array in draw.pair(rng, (4, 7))]
        return [
            call(rng, draw.sizes(rng, 2)),
            call(rng, (1, 4)),
            Call(Y=Y, T=T),
            Call(Y=whole[0] + 0.25, T=whole[1], **more(rng)),
            Call(Y=whole[2], T=whole[1], **more(rng)),
            Call(Y=whole[0], T=whole[1] + 0.25, **more(rng)),
            Call(Y=single[0], T=single[1], **more(rng)),
        ]

    def sequences(rng):
        return [call(rng, draw.sizes(rng, 3)), call(rng, (1, 5, 3))]

    def reductions(rng):
        return [
            call(rng, (*draw.sizes(rng, 1), 1), reduction="none"),
            call(rng, draw.sizes(rng, 3), reduction="none", normalization="all-elements"),
            call(rng, draw.sizes(rng, 3), normalization="all-elements"),
            call(rng, draw.sizes(rng, 2), normalization="none"),
        ]

    def masks(rng):
        a, b, c = (draw.sizes(rng, 3) for _ in range(3))
        return [
            call(rng, a, mask=draw.mask(rng, a[:2])),
            call(rng, b, mask=draw.mask(rng, b[:2]), normalization="mask-included"),
            call(rng, c[:2], mask=draw.mask(rng, c[:2]), normalization="mask-included"),
            call(rng, c, mask=draw.mask(rng, c[:1]), normalization="all-elements"),
            call(rng, a, mask=draw.mask(rng, a), reduction="none"),
            call(rng, b, mask=np.zeros(b[:2]), normalization="mask-included"),
            call(rng, b, mask=draw.mask(rng, b[:1]), normalization="mask-included"),
            call(rng, c[:1], mask=draw.mask(rng, c[:1]).astype(int), normalization="mask-included"),
            call(rng, c, mask=draw.mask(rng, c[:2]), reduction="none", normalization="mask-included"),
        ]

    def weights(rng):
        a, b = draw.sizes(rng, 2), draw.sizes(rng, 3)
        return [
            call(rng, a, weights=draw.weights(rng, a[-1:]), mask=draw.mask(rng, a[:1])),
            call(rng, a, weights=draw.weights(rng, (a[0], 1)), normalization="all-elements"),
            call(rng, b, weights=draw.weights(rng, b[-1:]), mask=draw.mask(rng, b[:2]), normalization="mask-included"),
            call(rng, b, weights=draw.weights(rng, b[-1:]), reduction="none"),
            *(call(rng, b, weights=draw.weights(rng, shape)) for shape in ((b[0], 1, 1), (b[1], 1), b)),
            call(rng, a[:1], weights=draw.weights(rng, a[:1]), mask=draw.mask(rng, a[:1])),
            call(rng, a, weights=draw.weights(rng, (1,))),
            call(rng, a, weights=np.zeros(a[-1])),
        ]

    def shapes(rng):
        n = draw.sizes(rng, 1)[0] + 9  # so many that errors of all sizes occur
        Y, T = draw.pair(rng, (n,))
        delta = more(rng)
        return [
            call(rng, (n, 1)),
            Call(Y=Y, T=T[:, None], **delta),
            Call(Y=Y[:, None], T=T, **delta),
            Call(Y=Y[:, None], T=T[None, :], **delta),
            *(Call(Y=Y[:, None] + np.arange(3), T=other, **delta) for other in (T[:, None], T[None, :3], T[:3])),
        ]

    close = Tolerance(rtol=1e-9, atol=1e-11)
    return [
        Group("values", 2, values, "Predictions and targets of shape (N, C) and (N,), also a batch of one.", close),
        Group("sequences", 1, sequences, "Sequences of shape (N, T, C): still N observations.", close),
        Group("reductions", 1, reductions, "The options `reduction` and `normalization`.", close),
        Group("masks", 1, masks, "A mask of the shape of Y or of its leading axes, and \"mask-included\".", close),
        Group("weights", 1, weights, "Weights for responses, for observations, and of other shapes.", close),
        Group("shapes", 1, shapes, "Prediction and target of different shapes are refused with a ValueError.", close),
    ]  # fmt: skip


# --------------------------------------------------------------------------------------------------- words in common
OPTIONS = """
    `Y` holds predictions of shape (N, C), (N, T, C) or (N,), and `T` the targets, of the same shape. The options are
    those of the chapter's frame:

    - `reduction="sum"` gives one number, `"none"` the array of the terms, masked and weighted, undivided, of Y's shape
    - `normalization` says what the sum is divided by: `"batch-size"` the number of observations, `"all-elements"`
      the number of entries, masked or not, `"mask-included"` the number of ones in `mask` as it was given, `"none"`
      nothing; a mask without ones gives 0
    - `mask` has zeros and ones, in the shape of Y or of its leading axes, (N,) or (N, T); what it hides does not count
    - `weights` broadcasts against Y and multiplies the terms; (C,) weighs responses, (N, 1) observations
    - shapes of Y and T that differ raise a ValueError; the inputs stay unchanged
"""

ALL_BUT_PROBABILITIES = [name for name in BUGS if name != "divides_by_last_axis"]

FRAME_HINTS = (
    Hint(
        "The frame is the same for every loss: the losses of the single elements, times mask, times weights, summed, "
        'divided. Write the elements first, check them by eye with reduction="none", then add one option after the '
        "other."
    ),
    Hint(
        'Look at "One frame for all losses" and "Masks and weights". A mask of shape (N, T) meets Y of shape '
        "(N, T, C) only after it got a third axis of length 1."
    ),
)


def ladder(sibling, pseudo_code):
    return [*FRAME_HINTS, Hint(sibling), Hint(pseudo_code)]


NOT_IN_ABSOLUTE = {
    "½ missing/duplicated": "there is no ½ in the absolute error",
    "weights applied before square": "nothing is squared, and W |Y - T| is |W Y - W T| for the weights that occur",
}
ONLY_HUBER = {
    "Huber linear branch without −½δ²": "only Huber's loss has a linear branch",
    "δ not in slope": "only Huber's loss has a δ",
    "smooth-L1 (÷β) instead of Huber": "only Huber's loss has this sibling",
}
NO_SIGN = {"T−Y sign in gradient": "the value is the same for Y - T and T - Y; each loss's backward has the bug"}

# ----------------------------------------------------------------------------------------------------------- exercises
l1_loss = Exercise(
    reference=gs.l1_loss,
    chapter=CHAPTER,
    title="Absolute error",
    task=f"""
    Return the L1 loss of `Y` against `T`: absolute errors, summed over everything, divided as `normalization` says.
    {OPTIONS}""",
    example="l1_loss(np.array([[1.0, 2.0, 4.0]]), np.array([[0.0, 2.0, 7.0]]))  # 4.0",
    difficulty=2,
    minutes=20,
    axes=AXES,
    groups=loss_groups(),
    misconceptions=[
        *frame_misconceptions(
            lambda frame: loss(absolute, frame), [n for n in ALL_BUT_PROBABILITIES if n != "weights_inside"]
        ),
        Misconception(
            "signed",
            loss(signed),
            "Two errors, +3 and -3: what do they add up to? Is that a good model?",
            "errors of opposite sign cancelled",
            "Absolute and squared error",
        ),
        Misconception(
            "squared",
            loss(squared),
            "By how much should the loss grow when one error grows from 4 to 5?",
            "the errors were squared",
            "Absolute and squared error",
        ),
    ],
    variants=[
        Variant("loop", in_a_loop(absolute)),
        Variant("inner_product", as_inner_product(absolute)),
        Variant("on_a_copy", on_a_copy(1, 1.0)),
        Variant("larger_minus_smaller", loss(larger_minus_smaller)),
    ],
    equivalent=equivalent.FRAME | equivalent.PAIRED | equivalent.L1_CACHE,
    hints=ladder(
        "A worked sibling, the fourth power of the error without any option:\n\n"
        "    def l4_loss(Y, T):\n        return np.sum((Y - T) ** 4) / Y.shape[0]",
        "    if shapes differ: raise ValueError\n    terms = absolute value of the differences\n"
        "    terms *= weights, if any;  terms *= mask with axes of length 1 appended, if any\n"
        "    if reduction is none: return terms\n    Z = look up normalization\n    return sum of terms / Z",
    ),
    not_bugs=NOT_IN_ABSOLUTE | ONLY_HUBER | NO_SIGN,
)

l2_loss = Exercise(
    reference=gs.l2_loss,
    chapter=CHAPTER,
    title="Squared error",
    task=f"""
    Return the L2 loss of `Y` against `T`: squared errors, summed over everything, divided as `normalization` says.
    {OPTIONS}""",
    example="l2_loss(np.array([[1.0, 2.0, 4.0]]), np.array([[0.0, 2.0, 7.0]]))  # 10.0",
    difficulty=2,
    minutes=10,
    axes=AXES,
    groups=loss_groups(),
    misconceptions=[
        *frame_misconceptions(lambda frame: loss(squared, frame), ALL_BUT_PROBABILITIES),
        Misconception(
            "half_added",
            loss(half_squared),
            "An error of 3 alone, N = 1: what is its square? What do you get?",
            "there were a factor ½",
            "Absolute and squared error",
            published="MATLAB's `mse`",
        ),
        Misconception(
            "absolute",
            loss(absolute),
            "What should become of the loss when all errors double?",
            "the errors were not squared",
            "Absolute and squared error",
        ),
        Misconception(
            "root",
            root_of(squared),
            "In which unit is this loss, if Y is in metres? In which is yours?",
            "the root were taken at the end",
            "Absolute and squared error",
        ),
    ],
    variants=[
        Variant("loop", in_a_loop(squared)),
        Variant("inner_product", as_inner_product(squared)),
        Variant("on_a_copy", on_a_copy(2, 1.0)),
        Variant("target_minus_prediction", loss(whole_number_power)),
    ],
    equivalent=equivalent.FRAME | equivalent.PAIRED | equivalent.L2_CACHE,
    hints=ladder(
        "Your `l1_loss` is the sibling: only the line that makes the terms differs. A helper that takes the terms and "
        "the options, and does the rest, serves all four regression losses.",
        "    terms = differences, each times itself\n    the rest as in l1_loss",
    ),
    not_bugs=ONLY_HUBER | NO_SIGN,
)

half_mse = Exercise(
    reference=gs.half_mse,
    chapter=CHAPTER,
    title="Half the squared error",
    task=f"""
    Return half the squared error of `Y` against `T`, summed over everything, divided as `normalization` says. This is
    what MATLAB calls `mse`.
    {OPTIONS}""",
    example="half_mse(np.array([[1.0, 2.0, 4.0]]), np.array([[0.0, 2.0, 7.0]]))  # 5.0",
    difficulty=1,
    minutes=5,
    axes=AXES,
    groups=loss_groups(),
    misconceptions=[
        *frame_misconceptions(lambda frame: loss(half_squared, frame), ALL_BUT_PROBABILITIES),
        Misconception(
            "half_missing",
            loss(squared),
            "What would you like the derivative to be: Y - T, or twice that?",
            "the ½ were missing",
            "Absolute and squared error",
        ),
        Misconception(
            "half_twice",
            loss(quarter_squared),
            "An error of 2 alone, N = 1: half its square is 2. And yours?",
            "the ½ were applied twice",
            "Absolute and squared error",
        ),
        Misconception(
            "root",
            root_of(half_squared),
            "In which unit is this loss, if Y is in metres? In which is yours?",
            "the root were taken at the end",
            "Absolute and squared error",
        ),
    ],
    variants=[
        Variant("loop", in_a_loop(half_squared)),
        Variant("inner_product", as_inner_product(half_squared)),
        Variant("on_a_copy", on_a_copy(2, 0.5)),
        Variant("expanded", loss(expanded_square)),
    ],
    equivalent=equivalent.FRAME | equivalent.PAIRED | equivalent.HALF_MSE_CACHE,
    hints=ladder(
        "Half of a worked sibling: if `l2_loss` passes, what is left to do is one multiplication, with every option "
        "handed on.",
        "    return half of l2_loss(Y, T, with all options)",
    ),
    not_bugs=ONLY_HUBER | NO_SIGN,
)

JOINT = "Huber: square near, straight far"
huber = Exercise(
    reference=gs.huber,
    chapter=CHAPTER,
    title="Huber's loss",
    task=f"""
    Return the Huber loss of `Y` against `T` with transition point `delta` > 0: half the squared error up to an absolute
    error of `delta`, and beyond it the straight line that continues it without a jump or a bend.
    {OPTIONS}""",
    example="huber(np.array([[1.0, 2.0, 4.0]]), np.array([[0.5, 2.0, 7.0]]))  # 2.625",
    difficulty=2,
    minutes=15,
    axes=AXES,
    groups=loss_groups(deltas=True),
    misconceptions=[
        *frame_misconceptions(lambda frame: loss_with_delta(joined, frame), ALL_BUT_PROBABILITIES),
        Misconception(
            "linear_without_offset",
            loss_with_delta(linear_without_offset),
            "Just below delta the loss is close to delta²/2. What is it just above?",
            "the straight part began at delta², so that the loss jumps there",
            JOINT,
        ),
        Misconception(
            "slope_without_delta",
            loss_with_delta(slope_without_delta),
            "How steep is the parabola at delta? How steep is your line?",
            "the straight part had slope 1 whatever delta is",
            JOINT,
        ),
        Misconception(
            "smooth_l1",
            loss_with_delta(smooth_l1),
            "As delta goes to 0, does the loss asked for go to 0 as well, or to the absolute error? Yours?",
            "it were the smooth L1 loss, which is Huber's divided by delta; asked for is Huber's own",
            JOINT,
            published="PyTorch's `smooth_l1_loss`",
        ),
        Misconception(
            "delta_is_one",
            loss_with_delta(delta_is_one),
            "Where in your code does delta stand?",
            "delta were always 1",
            JOINT,
        ),
        Misconception(
            "half_missing",
            loss_with_delta(whole_square),
            "At an error of exactly delta, do your two branches give the same number?",
            "the square near zero had lost its ½",
            JOINT,
        ),
        Misconception(
            "branches_swapped",
            loss_with_delta(branches_swapped),
            "Which errors should be punished mildly, the small or the large ones?",
            "the branches were swapped",
            JOINT,
        ),
    ],
    variants=[
        Variant("clipped", loss_with_delta(with_clipped)),
        Variant("selection", loss_with_delta(by_selection)),
        Variant("one_by_one", loss_with_delta(one_by_one)),
        Variant("reference_by_parts", loss_with_delta(joined)),
    ],
    equivalent=equivalent.FRAME | equivalent.PAIRED | equivalent.HUBER,
    hints=ladder(
        "A worked sibling, two straight lines that join at 1: \n\n"
        "    d = np.abs(Y - T)\n    terms = np.where(d <= 1, d, 3 * d - 2)\n\n"
        "At d = 1 both branches are 1. For Huber's loss, slope *and* value must agree at delta.",
        "    d = absolute differences\n    near = half the square of d\n"
        "    far = slope * d + shift, slope and shift such that it touches near at d = delta\n"
        "    terms = near where d <= delta, far elsewhere\n    the rest as in l1_loss",
    ),
    not_bugs=NO_SIGN,
)

EXERCISES = [l1_loss, l2_loss, half_mse, huber]
