"""dropout_forward: a mask of zeros and larger numbers."""

from __future__ import annotations

import math

import numpy as np

from gradschool.lessons.dropout import dropout_forward
from gradschool_grader.exercise import Call, Exercise, Group, Helper, Hint, Misconception, Refusal, Variant

from .common import (
    BACK,
    CHAPTER,
    CLOSE,
    DROP,
    EXACTLY,
    INVERTED,
    NOTHING_DROPPED,
    OWN_CHANCE,
    all_or_none,
    dropped_words,
    dropping,
    in_training,
    no_coins,
    number,
    of_masks,
    pictures,
    seeded,
    sequences,
    share_words,
    sizes,
)  # fmt: skip


# ------------------------------------------------------------------------------------------------ how forwards go wrong
def masked(keep):
    """keep(x, rate, rng) -> the mask, with what it is scaled by."""

    def answer(x, rate, rng, training=False):
        if not training or rate == 0:
            return x, {"keep": None}
        mask = keep(x, rate, rng)
        return x * mask, {"keep": mask}

    return answer


def scaled(kept, rate):
    return kept / (1 - rate) if rate < 1 else 0.0 * kept


def right_mask(x, rate, rng):
    return scaled(rng.random(x.shape) >= rate, rate)


def not_scaled(x, rate, rng):
    return (rng.random(x.shape) >= rate).astype(float)


def scaled_down(x, rate, rng):
    return (rng.random(x.shape) >= rate) * (1 - rate)


def by_rate(x, rate, rng):
    return (rng.random(x.shape) >= rate) / rate


def rate_is_kept(x, rate, rng):
    return (rng.random(x.shape) < rate) / rate


def rate_is_kept_scale_is_not(x, rate, rng):
    return scaled(rng.random(x.shape) < rate, rate)


def by_chance(kept):
    """kept(x, rate, rng) -> what is kept; all else is right."""
    return masked(lambda x, rate, rng: scaled(kept(x, rate, rng), rate))


def measured(x, rate, rng):
    """Scaled by what was kept, and not by what is kept on average."""
    kept = rng.random(x.shape) >= rate
    return kept * (x.size / max(kept.sum(), 1))


def gaussian(x, rate, rng):
    return 1 + np.sqrt(rate / (1 - rate)) * rng.normal(size=x.shape) if rate < 1 else np.zeros(x.shape)


def always_half(x, rate, rng):
    return scaled(rng.random(x.shape) >= 0.5, rate)


def normal_numbers(x, rate, rng):
    return scaled(rng.normal(size=x.shape) >= rate, rate)


def own_seed(x, rate, rng):
    return right_mask(x, rate, np.random.default_rng(0))


def division_by_zero(x, rate, rng):
    with np.errstate(all="ignore"):
        return (rng.random(x.shape) >= rate) / np.float64(1 - rate)


def remembering():
    """The mask of the last call is used again if it has the shape of x."""
    last = {}

    def mask_of_the_shape(x, rate, rng):
        if x.shape not in last or not x.size:
            last.clear()
            last[x.shape] = rng.random(x.shape) >= rate
        return scaled(last[x.shape], rate)

    return masked(mask_of_the_shape)


vars(remembering)["fresh"] = True  # a new one for each run, which remembers no other's masks


def at_inference_too(x, rate, rng, training=False):
    return dropout_forward(x, rate, rng, True)


def the_other_mode(x, rate, rng, training=False):
    return dropout_forward(x, rate, rng, not training)


def scaled_at_inference(x, rate, rng, training=False):
    """The form of the paper: nothing is scaled in training, everything afterwards."""
    if not training:
        return x * (1 - rate), {"keep": None}
    return masked(not_scaled)(x, rate, rng, training)


def scaled_twice(x, rate, rng, training=False):
    if not training:
        return x * (1 - rate), {"keep": None}
    return dropout_forward(x, rate, rng, training)


def cache_not_scaled(x, rate, rng, training=False):
    y, cache = dropout_forward(x, rate, rng, training)
    return y, cache if cache["keep"] is None else {"keep": (cache["keep"] > 0).astype(float)}


def cache_of_the_dropped(x, rate, rng, training=False):
    y, cache = dropout_forward(x, rate, rng, training)
    return y, cache if cache["keep"] is None else {"keep": (cache["keep"] == 0).astype(float)}


def another_mask_cached(x, rate, rng, training=False):
    y, _ = dropout_forward(x, rate, rng, training)
    return y, dropout_forward(x, rate, rng, training)[1]


def draws_in_vain(x, rate, rng, training=False):
    kept = rng.random(x.shape) >= rate
    if not training or rate == 0:
        return x, {"keep": None}
    return x * scaled(kept, rate), {"keep": scaled(kept, rate)}


def ones_cached(x, rate, rng, training=False):
    y, cache = dropout_forward(x, rate, rng, training)
    return y, {"keep": np.ones(x.shape)} if cache["keep"] is None else cache


def y_alone(x, rate, rng, training=False):
    return dropout_forward(x, rate, rng, training)[0]


def in_place(x, rate, rng, training=False):
    _, cache = dropout_forward(x, rate, rng, training)
    if cache["keep"] is not None:
        x *= cache["keep"]
    return x, cache


# ----------------------------------------------------------------------------------------------- other right answers
def by_where(x, rate, rng, training=False):
    keep = None if not training or rate <= 0 else np.zeros(x.shape)
    if keep is None:
        return x.copy(), {"keep": keep}
    keep[rng.random(x.shape) < 1 - rate] = 1 / (1 - rate) if rate < 1 else 0.0
    return np.where(keep > 0, x * keep, 0.0), {"keep": keep}


def by_binomial(x, rate, rng, training=False):
    if training and rate > 0:
        keep = rng.binomial(1, 1 - rate, size=x.shape) / max(1 - rate, 1e-9)
        return keep * x, {"keep": keep}
    return 1.0 * x, {"keep": None}


def sample_by_sample(x, rate, rng, training=False):
    if not training or not rate:
        return x, {"keep": None}
    keep = np.zeros(x.shape)
    for i in range(len(x)):
        keep[i] = (rng.uniform(size=x.shape[1:]) > rate) / (1 - rate) if rate < 1 else 0.0
    return x * keep, {"keep": keep}


# -------------------------------------------------------------------------------------------------------------- probes
def dropped_well(x, rate):
    """Zeros and larger numbers, as the cache says, each with its own chance."""

    def kept_in(answer):
        if not isinstance(answer, (tuple, list)) or len(answer) != 2:
            return "The answer is no pair of y and cache."
        y, cache = answer
        if not isinstance(y, np.ndarray) or y.shape != x.shape:
            return "The first part of the answer has not the shape of x."
        keep = cache.get("keep") if isinstance(cache, dict) else None
        kept = y != 0
        if kept.all() or not kept.any():
            return all_or_none(rate)
        ratios = (y / x)[kept]
        if np.ptp(ratios) > 1e-9 * abs(ratios[0]):
            return "What is kept is not multiplied by one and the same number."
        if abs(ratios[0] * kept.mean() - 1) < 1e-9 < abs(kept.mean() - (1 - rate)):
            return "What is kept is multiplied by what makes up for just those that this call drops."
        if abs(ratios[0] * (1 - rate) - 1) > 1e-9:
            words = f"What is kept is {scaling(ratios[0], rate)}; dropped is {share_words(kept, rate)}."
            return Refusal(words, f"It is multiplied by {ratios[0]:.2f}. {dropped_words(kept, rate)}")
        if not isinstance(keep, np.ndarray) or keep.shape != x.shape or keep.dtype.kind not in "fbiu":
            return 'cache["keep"] has not the shape of x.'
        if not np.allclose(keep * x, y, rtol=1e-9, atol=0):
            return f'y is not x times cache["keep"], which {other_mask(keep, kept)}.'
        return kept

    return of_masks(kept_in, rate)


def scaling(ratio, rate):
    """What is done to what is kept, in words that say the same at every rate."""
    known = {"not made larger": 1, "multiplied by 1 − `rate`": 1 - rate, "divided by `rate`": 1 / rate}
    return next((words for words, k in known.items() if math.isclose(ratio, k)), "multiplied by another number")


def other_mask(keep, kept):
    """What a cache has in the place of the mask, with its scale, by which x was multiplied."""
    if (keep == kept).all():
        return "has ones where numbers are kept"
    if ((keep != 0) == kept).all():
        return "keeps the same numbers and has another scale"
    return "says what is dropped" if ((keep != 0) != kept).all() else "keeps other numbers"


def other_shapes(rng):
    shape = sequences(rng)
    return [
        dropping(rng, shape, 0.25, 0.4, dropped_well),
        dropping(rng, shape, 0.6, 0.75, dropped_well),  # a mask that is used again has the wrong share
        dropping(rng, pictures(rng), 0.35, 0.5, dropped_well),
        dropping(rng, (1, int(rng.integers(1500, 4000))), 0.65, 0.8, dropped_well),
    ]


def edges(rng):
    x, refuse = [rng.normal(size=sizes(rng, 2)) for _ in range(4)], Helper("no_generator")
    return [
        Call(x=x[0], rate=number(rng, 0.2, 0.7), rng=refuse),
        Call(x=x[1], rate=number(rng, 0.2, 0.7), rng=refuse, training=False),
        Call(x=x[2], rate=0.0, rng=refuse, training=True),
        Call(x=x[3], rate=1.0, rng=seeded(rng), training=True),
    ]


def bug(name, wrong, hint, says, see, published=""):
    return Misconception(name, wrong, hint, says, see, published)


DROPOUT_FORWARD = Exercise(
    reference=dropout_forward,
    returns=("y", "cache"),
    chapter=CHAPTER,
    title="Dropout",
    difficulty=3,
    minutes=15,
    task="""In training, each entry of `x` (any shape) is dropped, that is set to 0, with probability `rate`, by chance
and independently of all others. The others are made larger, so that the mean of every entry stays what it was.

Draw from `rng`, a NumPy generator (`rng.random(shape)` gives numbers from 0 to below 1). Return `(y, cache)`, where
`cache = {"keep": keep}` and `y = x * keep`. Where nothing is dropped, that is without `training` or at a rate of 0,
`y` is x, `keep` is None, and nothing is drawn. A rate of 1 drops everything.""",
    example="""\
y, cache = dropout_forward(np.array([1.0, 2.0, 3.0]), 0.5, np.random.default_rng(1), training=True)
y  # [2. 4. 0.]
cache["keep"]  # [2. 2. 0.]""",
    groups=[
        Group("training", 3, in_training(dropped_well), "What is dropped and what is kept, and that `rng` decides it."),
        Group("shapes", 1, other_shapes, "Arrays of three and four axes, and a batch of one."),
        Group("edges", 2, edges, "Inference, a rate of 0, a rate of 1.", CLOSE),
    ],
    may_alias=True,
    misconceptions=[
        bug("not_scaled", masked(not_scaled),
            "With rate 0.5 half of the sum is gone. What will the next layer see at inference?",
            "what is kept were not made larger", INVERTED),
        bug("scaled_at_inference", scaled_at_inference,
            "Which numbers change at inference in yours, and should any?",
            "training did not scale, and inference multiplied by 1 − rate", INVERTED, "the paper of 2014"),
        bug("scaled_twice", scaled_twice, "How often are you making up for what was dropped?",
            "both training and inference scaled", INVERTED),
        bug("scaled_down", masked(scaled_down), "Is what you keep larger afterwards, or smaller?",
            "what is kept were multiplied by 1 − rate", INVERTED),
        bug("divided_by_rate", masked(by_rate),
            "At a rate of 0.1 nearly everything is kept. By how much has it to grow?",
            "what is kept were divided by the rate", INVERTED),
        bug("measured", masked(measured),
            "Two calls at the same rate: is what they keep multiplied by the same number?",
            "the scale were taken from how many are kept, and not from the rate", INVERTED),
        bug("gaussian", masked(gaussian), "Is any number in your answer 0?",
            "every number were multiplied by one from a normal distribution", DROP,
            "Gaussian dropout, in the paper of 2014"),
        bug("rate_is_kept", masked(rate_is_kept),
            "Of a hundred numbers, at a rate of 0.2, how many of yours are 0?",
            "the rate were the probability to be kept", DROP, "TensorFlow 1"),
        bug("rate_is_kept_scale_is_not", masked(rate_is_kept_scale_is_not),
            "Of a hundred numbers, at a rate of 0.2, how many of yours are 0?",
            "the rate were the probability to be kept, but not in the scale", DROP),
        *no_coins(by_chance, ("spatial dropout", "PyTorch's `Dropout1d`", "PyTorch's `Dropout2d`")),
        bug("remembered", remembering,
            "The second batch has the size of the first. Is its mask a new one?",
            "the mask of the first batch were used again", OWN_CHANCE),
        bug("own_seed", masked(own_seed),
            "Two steps of training: which mask does each of them have, and where does it come from?",
            "a generator of its own were asked, and not `rng`: perhaps for the same mask every time", OWN_CHANCE),
        bug("always_half", masked(always_half), "Where in your code does `rate` stand?",
            "half were dropped whatever the rate is", DROP),
        bug("normal_numbers", masked(normal_numbers),
            "How many of your random numbers lie below 0.2?", "the random numbers were not spread evenly from 0 to 1",
            DROP),
        bug("at_inference_too", at_inference_too,
            "Ask the trained network twice. Does it give the same answer?", "inference dropped as well",
            NOTHING_DROPPED),
        bug("other_mode", the_other_mode, "In which of the two modes does yours drop?",
            "inference dropped, and training did not", NOTHING_DROPPED),
        bug("draws_in_vain", draws_in_vain,
            "Where nothing is dropped, what do you ask the generator for?",
            "random numbers were drawn where nothing is dropped", NOTHING_DROPPED),
        bug("ones_cached", ones_cached,
            "What is `keep` to be where nothing is dropped?", "`keep` were all ones where nothing is dropped",
            NOTHING_DROPPED),
        bug("division_by_zero", masked(division_by_zero),
            "At a rate of 1, what do you divide by?", "a rate of 1 gave 0 / 0", NOTHING_DROPPED),
        bug("cache_not_scaled", cache_not_scaled, "Multiply x by your `keep`. Is that y?",
            "the cache had the mask without its scale", BACK),
        bug("cache_of_the_dropped", cache_of_the_dropped, "Multiply x by your `keep`. Is that y?",
            "the cache said what is dropped, not what is kept", BACK),
        bug("another_mask_cached", another_mask_cached, "How often do you draw a mask in one call?",
            "the cache had another mask than y", BACK),
        bug("y_alone", y_alone, "What will the backward know of your mask?", "only y were returned", BACK),
        bug("in_place", in_place, "Look at `x` after the call. Is it what it was?", "x itself were changed", DROP),
    ],
    variants=[
        Variant("written into zeros", by_where),
        Variant("coins instead of numbers", by_binomial),
        Variant("sample by sample", sample_by_sample),
    ],
    equivalent={"9375aacf1ff0": EXACTLY},
    hints=[
        Hint("Two things: a mask, true with the right probability, and one number that makes up for what is missing."),
        Hint('Look at "Another network at every step" and "Scale now, not later". What is the mean of your mask?'),
        Hint(
            "A worked sibling, noise that is added in training only:\n\n"
            "    def noisy(x, sigma, rng, training=False):\n"
            "        if not training or sigma == 0:\n"
            '            return x, {"noise": None}\n'
            "        noise = sigma * rng.normal(size=x.shape)\n"
            '        return x + noise, {"noise": noise}'
        ),
        Hint(
            "    nothing to drop: x, None\n"
            "    kept = random numbers of x's shape, at least rate\n"
            "    keep = kept / (1 − rate), and zeros if rate is 1\n"
            "    return x × keep, {keep}"
        ),
    ],
)  # fmt: skip
