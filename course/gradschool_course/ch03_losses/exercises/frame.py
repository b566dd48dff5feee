"""The ending that all losses share, written once more as the chapter teaches it, and the ways in which it goes wrong.

    def absolute(Y, T): return np.abs(Y - T)
    right(absolute, Y, T, "sum", "batch-size", None, None)                # the loss
    divides_by_everything(absolute, Y, T, "sum", "batch-size", None, None)  # averages over C as well

Each frame takes the loss of the single elements, `ell`; a chapter's wrong answer is a frame with an `ell`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from gradschool_grader.exercise import Misconception


# ---------------------------------------------------------------------------------------------------- the right frame
def matching(Y, T):
    if np.shape(Y) != np.shape(T):
        raise ValueError(f"prediction {np.shape(Y)} and target {np.shape(T)} differ in shape")


def spread(mask, Y):
    """The mask with as many axes as Y, so that it meets the axes it was made for."""
    return 1.0 if mask is None else np.reshape(mask, np.shape(mask) + (1,) * (Y.ndim - np.ndim(mask)))


def weighed(elements, mask, weights):
    return elements * spread(mask, elements) * (1.0 if weights is None else weights)


def size(Y, normalization, mask):
    if normalization == "mask-included":
        return max(np.count_nonzero(mask), 1)  # the mean of nothing is 0
    return {"batch-size": Y.shape[0], "all-elements": Y.size, "none": 1}[normalization]


def total(elements, reduction, Z):
    return elements if reduction == "none" else np.sum(elements) / Z


def right(ell, Y, T, reduction, normalization, mask, weights):
    matching(Y, T)
    return total(weighed(ell(Y, T), mask, weights), reduction, size(Y, normalization, mask))


# ------------------------------------------------------------------------------------------------------- wrong divisors
def divides_by_everything(ell, Y, T, reduction, normalization, mask, weights):
    matching(Y, T)
    Z = Y.size if normalization == "batch-size" else size(Y, normalization, mask)
    return total(weighed(ell(Y, T), mask, weights), reduction, Z)


def divides_by_n_c(ell, Y, T, reduction, normalization, mask, weights):
    matching(Y, T)
    Z = (
        Y.shape[0] * (Y.shape[-1] if Y.ndim > 1 else 1)
        if normalization == "batch-size"
        else size(Y, normalization, mask)
    )
    return total(weighed(ell(Y, T), mask, weights), reduction, Z)


def divides_by_n_t(ell, Y, T, reduction, normalization, mask, weights):
    matching(Y, T)
    Z = size(Y, normalization, mask)
    if normalization == "batch-size" and Y.ndim > 1:
        Z = Y.size // Y.shape[-1]
    return total(weighed(ell(Y, T), mask, weights), reduction, Z)


def divides_by_last_axis(ell, Y, T, reduction, normalization, mask, weights):
    matching(Y, T)
    Z = Y.shape[-1] if normalization == "batch-size" else size(Y, normalization, mask)
    return total(weighed(ell(Y, T), mask, weights), reduction, Z)


def ignores_normalization(ell, Y, T, reduction, normalization, mask, weights):
    return right(ell, Y, T, reduction, "batch-size", mask, weights)


def mask_not_in_divisor(ell, Y, T, reduction, normalization, mask, weights):
    if normalization == "mask-included":
        normalization = "batch-size"
    return right(ell, Y, T, reduction, normalization, mask, weights)


def divides_by_no_ones(ell, Y, T, reduction, normalization, mask, weights):
    matching(Y, T)
    Z = np.count_nonzero(mask) if normalization == "mask-included" else size(Y, normalization, mask)
    return total(weighed(ell(Y, T), mask, weights), reduction, Z)


def mask_counted_per_entry(ell, Y, T, reduction, normalization, mask, weights):
    matching(Y, T)
    full = mask if mask is None else np.broadcast_to(spread(mask, Y), Y.shape)
    return total(weighed(ell(Y, T), mask, weights), reduction, size(Y, normalization, full))


def mask_counted_per_step(ell, Y, T, reduction, normalization, mask, weights):
    """A mask with an entry for each observation is repeated for all of its steps, and then counted."""
    matching(Y, T)
    full = np.repeat(mask[:, None], Y.shape[1], axis=1) if np.ndim(mask) == 1 and Y.ndim > 1 else mask
    return total(weighed(ell(Y, T), mask, weights), reduction, size(Y, normalization, full))


def left_of_all(ell, Y, T, reduction, normalization, mask, weights):
    matching(Y, T)
    Z = size(Y, normalization, mask)
    if normalization == "all-elements" and mask is not None:
        Z = max(np.count_nonzero(np.broadcast_to(spread(mask, Y), Y.shape)), 1)
    return total(weighed(ell(Y, T), mask, weights), reduction, Z)


def ones_of_all(ell, Y, T, reduction, normalization, mask, weights):
    if normalization == "all-elements" and mask is not None:
        normalization = "mask-included"
    return right(ell, Y, T, reduction, normalization, mask, weights)


# ------------------------------------------------------------------------------------------------------ wrong otherwise
def removes_masked(ell, Y, T, reduction, normalization, mask, weights):
    """The entries under a 0 are taken out, and what is left is all that there is."""
    matching(Y, T)
    terms = weighed(ell(Y, T), None, weights)
    if mask is not None:
        keep = np.asarray(mask, bool)
        terms, mask = terms[keep], mask[keep]
    return total(terms, reduction, size(terms, normalization, mask) or 1)


def no_shape_check(ell, Y, T, reduction, normalization, mask, weights):
    elements = ell(Y, T)
    return total(weighed(elements, mask, weights), reduction, size(Y, normalization, mask))


def compares(differ):
    """A frame that looks at no more of the two shapes than differ(Y, T) does."""

    def frame(ell, Y, T, reduction, normalization, mask, weights):
        if differ(Y, T):
            raise ValueError(f"prediction {np.shape(Y)} and target {np.shape(T)} differ")
        return no_shape_check(ell, Y, T, reduction, normalization, mask, weights)

    return frame


last_axis_compared = compares(lambda Y, T: Y.shape[-1] != T.shape[-1])
lengths_compared = compares(lambda Y, T: Y.ndim != T.ndim or len(Y) != len(T))


def masks_prediction_only(ell, Y, T, reduction, normalization, mask, weights):
    matching(Y, T)
    elements = ell(spread(mask, Y) * Y, T)
    return total(weighed(elements, None, weights), reduction, size(Y, normalization, mask))


def ignores_mask(ell, Y, T, reduction, normalization, mask, weights):
    matching(Y, T)
    return total(weighed(ell(Y, T), None, weights), reduction, size(Y, normalization, mask))


def ignores_weights(ell, Y, T, reduction, normalization, mask, weights):
    return right(ell, Y, T, reduction, normalization, mask, None)


def zero_weights_are_none(ell, Y, T, reduction, normalization, mask, weights):
    """Whether there are weights is asked with np.any, which asks for others than 0."""
    return right(ell, Y, T, reduction, normalization, mask, weights if np.any(weights) else None)


def weights_inside(ell, Y, T, reduction, normalization, mask, weights):
    W = 1.0 if weights is None else weights
    return right(lambda A, B: ell(W * A, W * B), Y, T, reduction, normalization, mask, None)


def always_one_number(ell, Y, T, reduction, normalization, mask, weights):
    return right(ell, Y, T, "sum", normalization, mask, weights)


def divides_the_terms(ell, Y, T, reduction, normalization, mask, weights):
    terms = right(ell, Y, T, "none", normalization, mask, weights) / size(Y, normalization, mask)
    return terms if reduction == "none" else np.sum(terms)


# ------------------------------------------------------------------------------------- what is said about each of them
FRAME = "One frame for all losses"
MASKS = "Masks and weights"

Frame = Callable[..., object]
BUGS: dict[str, tuple[Frame, str, str, str]] = {
    "divides_by_everything": (
        divides_by_everything, "it averaged over all elements where only the observations are to be counted",
        "Give every observation a second response, the same as its first. Should the loss of the batch stay as it is?",
        FRAME),
    "divides_by_n_c": (
        divides_by_n_c, "it divided by the batch size times the number of responses",
        "In a batch of shape (N, T, C), which of the three sizes counts the observations? Which did you divide by?",
        FRAME),
    "divides_by_n_t": (
        divides_by_n_t, "every time step were an observation of its own",
        "Four recordings of 100 steps each: is that a batch of 4 or of 400? Which one is the default here?",
        FRAME),
    "divides_by_last_axis": (
        divides_by_last_axis, "the batch size stood in the last axis",
        "Print P.shape. Which entry tells how many observations there are?",
        FRAME),
    "ignores_normalization": (
        ignores_normalization, "`normalization` were always \"batch-size\"",
        "Where in your code is the argument `normalization` looked at?",
        FRAME),
    "mask_not_in_divisor": (
        mask_not_in_divisor, "\"mask-included\" still divided by the batch size",
        "Half of a batch is padding. By how many entries do you divide, and how many took part in the sum?",
        MASKS),
    "divides_by_no_ones": (
        divides_by_no_ones, "a mask always had a one somewhere",
        "A whole batch of padding: what is your sum, what is your divisor, and what does NumPy make of the two?",
        MASKS),
    "mask_counted_per_entry": (
        mask_counted_per_entry, "the ones of the mask were counted after it was stretched to the shape of the terms",
        "A mask with 7 ones is stretched over an axis of length 3: is the number of ones in the mask 7 or 21?",
        MASKS),
    "mask_counted_per_step": (
        mask_counted_per_step, "the ones of a mask for observations were counted once for each step",
        "A mask for observations leaves 3 of 4 of them, with 10 steps each. How many ones has the mask as it came in?",
        MASKS),
    "left_of_all": (
        left_of_all, "\"all-elements\" were all elements that the mask leaves",
        "Hide half of the entries. Are there fewer of them, or only fewer that count? Which of the two is Z?",
        MASKS),
    "ones_of_all": (
        ones_of_all, "\"all-elements\" meant the ones of the mask, as \"mask-included\" does",
        "With a mask, what is left of the difference between \"all-elements\" and \"mask-included\" in yours?",
        MASKS),
    "removes_masked": (
        removes_masked, "what the mask hides were taken out before anything was counted",
        "A batch of 4, one of them hidden: how many observations does the batch have? And how long is your array?",
        MASKS),
    "no_shape_check": (
        no_shape_check, "shapes that differ were no problem",
        "What is the shape of np.zeros(4) - np.zeros((4, 1))? How many errors are there in it?",
        "Shapes that must match"),
    "last_axis_compared": (
        last_axis_compared, "only the last axis of two shapes had to be the same",
        "Predictions are (4, 3), a target is (1, 3). How many observations has each, and does your check see it?",
        "Shapes that must match"),
    "lengths_compared": (
        lengths_compared, "only the length and the number of axes had to be the same",
        "Predictions are (4, 3), a target is (4, 1). How many responses has each, and does your check see it?",
        "Shapes that must match"),
    "masks_prediction_only": (
        masks_prediction_only, "the mask were multiplied into the prediction only",
        "Where the mask is 0 and the target is 7, what does your loss make of that entry?",
        MASKS),
    "ignores_mask": (
        ignores_mask, "the masked entries still took part in the sum",
        "Change a prediction under a 0 of the mask to a million. May the loss notice?",
        MASKS),
    "ignores_weights": (
        ignores_weights, "all weights were 1",
        "Double all weights. What should that do to the loss, and what does it do to yours?",
        MASKS),
    "zero_weights_are_none": (
        zero_weights_are_none, "weights of 0 had not been given",
        "Weights that are all 0 come in. What is the loss then, and what does np.any say of them?",
        MASKS),
    "weights_inside": (
        weights_inside, "the weights were applied to the error before it was squared",
        "An entry of weight 3 should count like three entries of weight 1. How often does yours count?",
        MASKS),
    "always_one_number": (
        always_one_number, "`reduction` were always \"sum\"",
        "What shape should the answer have for reduction=\"none\"? What shape has yours?",
        FRAME),
    "divides_the_terms": (
        divides_the_terms, "the single terms were divided as well for reduction=\"none\"",
        "Z belongs to the sum. With reduction=\"none\", where is the sum?",
        FRAME),
}  # fmt: skip


def frame_misconceptions(wrap: Callable[[Frame], Callable[..., object]], names: Sequence[str]) -> list[Misconception]:
    """The bugs of these names; `wrap` makes the exercise's function from a frame."""
    return [
        Misconception(name, wrap(frame), hint, says, see)
        for name, (frame, says, hint, see) in BUGS.items()
        if name in names
    ]
