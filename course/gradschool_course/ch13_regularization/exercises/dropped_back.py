"""dropout_backward: the way back through the mask."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.dropout import dropout_backward
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from .common import BACK, CHAPTER, CLOSE, NOTHING_DROPPED, number, sizes


# ----------------------------------------------------------------------------------------------- how backwards go wrong
def through(rule):
    """rule(g, keep) in training."""

    def answer(g, cache):
        return g if cache["keep"] is None else rule(g, cache["keep"])

    return answer


def unscaled(g, keep):
    return g * (keep > 0)


def squared(g, keep):
    return g * keep**2


def of_the_dropped(g, keep):
    return g * (keep == 0)


def divided(g, keep):
    return np.where(keep > 0, g / np.where(keep > 0, keep, 1), 0.0)


def made_up_for(g, keep):
    return g * keep / keep.mean()


def drawn_anew(g, keep):
    rate = 1 - 1 / keep.max()
    return g * (np.random.default_rng(0).random(g.shape) >= rate) / (1 - rate)


def scale_alone(g, keep):
    return g * keep.max()


def keep_itself(g, keep):
    return keep + 0 * g


def mean_of_batch(g, keep):
    return g * keep / len(g)


def no_inference(g, cache):
    return g * cache["keep"]


def zero_at_inference(g, cache):
    return np.zeros_like(g) if cache["keep"] is None else g * cache["keep"]


def by_choice(g, cache):
    keep = cache["keep"]
    return g.copy() if keep is None else np.where(keep == 0, 0.0, g * np.where(keep == 0, 1.0, keep))


def place_by_place(g, cache):
    dx = np.array(g)
    if cache["keep"] is not None:
        for place in np.ndindex(g.shape):
            dx[place] = cache["keep"][place] * g[place]
    return dx


def ones_for_none(g, cache):
    return np.einsum("...,...->...", g, np.ones(g.shape) if cache["keep"] is None else cache["keep"])


def cached(rng, shape, rate):
    kept = rng.random(shape) >= rate
    kept.flat[:2] = [True, False]
    return Call(g=rng.normal(size=shape), cache={"keep": kept / (1 - rate)})


def backward_calls(rng):
    shapes = [sizes(rng, 2), sizes(rng, 4), (1, int(rng.integers(5, 12)))]
    return [cached(rng, shape, number(rng, 0.25, 0.75)) for shape in shapes]


def both_modes(rng):
    return [
        Call(g=rng.normal(size=sizes(rng, 2)), cache={"keep": None}),
        cached(rng, sizes(rng, 3), number(rng, 0.25, 0.75)),
    ]


def bug(name, wrong, hint, says, see):
    return Misconception(name, wrong, hint, says, see)


DROPOUT_BACKWARD = Exercise(
    reference=dropout_backward,
    chapter=CHAPTER,
    title="Dropout, backward",
    difficulty=1,
    minutes=5,
    task="""The gradient of the loss for the `x` of `dropout_forward`. `g` is the gradient for its `y`, of the same
shape, and `cache` is the one that it returned: `{"keep": keep}`, where keep is None if nothing was dropped.""",
    example="""\
dropout_backward(np.array([1.0, 10.0, 100.0]), {"keep": np.array([2.0, 0.0, 2.0])})  # [  2.   0. 200.]
dropout_backward(np.array([1.0, 10.0, 100.0]), {"keep": None})  # [  1.  10. 100.]""",
    groups=[
        Group("training", 2, backward_calls, "Through a mask.", CLOSE),
        Group("both modes", 1, both_modes, "Where nothing was dropped, and where something was.", CLOSE),
    ],
    may_alias=True,
    misconceptions=[
        bug("without_mask", through(lambda g, keep: 1.0 * g),
            "A number was dropped. If it had been larger, would the loss be another?",
            "nothing had been dropped on the way", BACK),
        bug("not_scaled", through(unscaled),
            "Raise a kept x by 0.001. By how much does y rise?", "what is kept had not been made larger", BACK),
        bug("scaled_twice", through(squared),
            "y = x keep. How often does keep stand in its derivative?", "the mask had been multiplied twice", BACK),
        bug("of_the_dropped", through(of_the_dropped),
            "Which of them has a part in the loss, the dropped or the kept?", "the dropped had the gradient", BACK),
        bug("divided", through(divided), "Is the way back an inverse, or a derivative?",
            "the gradient were divided by the mask", BACK),
        bug("made_up_for", through(made_up_for),
            "Is a gradient a thing whose mean has to be kept?",
            "the gradient were scaled again by the mean of the mask",
            BACK),
        bug("drawn_anew", through(drawn_anew),
            "Which numbers were dropped on the way forward? How does your backward know?",
            "another mask had been drawn", BACK),
        bug("scale_alone", through(scale_alone), "What is your gradient where x was dropped?",
            "everything had been kept and made larger", BACK),
        bug("keep_itself", through(keep_itself), "Where in your code does `g` stand?", "g did not matter", BACK),
        bug("mean_of_batch", through(mean_of_batch),
            "Who has already divided by the number of samples?", "it were divided by the batch once more", BACK),
        bug("no_inference", no_inference, "What is `keep` where nothing was dropped?",
            "there were always a mask", NOTHING_DROPPED),
        bug("zero_at_inference", zero_at_inference,
            "Nothing was dropped: y is x. What is its derivative?", "None meant that all is dropped", NOTHING_DROPPED),
    ],
    variants=[
        Variant("a choice", by_choice),
        Variant("place by place", place_by_place),
        Variant("a mask of ones", ones_for_none),
    ],
    hints=[
        Hint("Every y depends on one x only, by a factor."),
        Hint('Look at "The way back". What is the factor of a number that was dropped?'),
        Hint("A worked sibling: for y = s x with a number s, dx = s g."),
        Hint("    g, if keep is None; else g × keep"),
    ],
)  # fmt: skip
