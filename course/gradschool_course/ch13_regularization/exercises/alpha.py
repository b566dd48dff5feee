"""alpha_dropout: what is dropped takes SELU's floor, and mean and variance are kept."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.dropout import alpha_dropout
from gradschool_grader.exercise import Call, Exercise, Group, Helper, Hint, Misconception, Refusal, Variant

from .common import (
    ALPHA,
    CHAPTER,
    CLOSE,
    EXACTLY,
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
    sequences,
    share_words,
    sizes,
)  # fmt: skip

FLOOR = -1.7580993408473766


# --------------------------------------------------------------------------------------------------- how it goes wrong
def line(rate, f=FLOOR):
    a = ((1 - rate) * (1 + rate * f**2)) ** -0.5
    return a, -a * f * rate


def made_of(dropped, slope_and_shift, keeps=lambda rate: 1 - rate):
    """a (x where kept, else dropped) + b, with probability keeps(rate) to be kept."""

    def answer(x, rate, rng, training=False):
        if not training or rate == 0:
            return x
        a, b = slope_and_shift(rate)
        return a * np.where(rng.random(x.shape) < keeps(rate), x, dropped) + b

    return answer


def by_square(rate):
    a = (1 - rate + rate * FLOOR**2) ** -0.5
    return a, -a * FLOOR * rate


def plain_dropout(x, rate, rng, training=False):
    return x * (rng.random(x.shape) >= rate) / (1 - rate) if training else x


def dropped_afterwards(x, rate, rng, training=False):
    """The line first, and then the floor for what is dropped."""
    if not training or rate == 0:
        return x
    a, b = line(rate)
    return np.where(rng.random(x.shape) >= rate, a * x + b, FLOOR)


def by_chance(kept):
    """kept(x, rate, rng) -> what is kept; all else is right."""

    def answer(x, rate, rng, training=False):
        if not training or rate == 0:
            return x
        a, b = line(rate)
        return a * np.where(kept(x, rate, rng), x, FLOOR) + b

    return answer


def measured(x, rate, rng, training=False):
    """Standardised by what is measured in this batch."""
    if not training or rate == 0:
        return x
    y = np.where(rng.random(x.shape) >= rate, x, FLOOR)
    return (y - y.mean()) / y.std()


def at_inference_too(x, rate, rng, training=False):
    return alpha_dropout(x, rate, rng, True)


def line_at_inference(x, rate, rng, training=False):
    a, b = line(rate)
    return alpha_dropout(x, rate, rng, True) if training else a * x + b


def own_seed(x, rate, rng, training=False):
    return alpha_dropout(x, rate, np.random.default_rng(0), training)


# ---------------------------------------------------------------------------------------------- other right answers
def by_moments(x, rate, rng, training=False):
    """Mean and variance after dropping, taken back."""
    if not training or rate == 0:
        return x.copy()
    mean, square = rate * FLOOR, (1 - rate) + rate * FLOOR**2
    y = np.where(rng.random(x.shape) < rate, FLOOR, x)
    return (y - mean) / np.sqrt(square - mean**2)


def by_mask(x, rate, rng, training=False):
    if not (training and rate > 0):
        return x
    kept = rng.binomial(1, 1 - rate, x.shape).astype(float)
    a, b = line(rate)
    return a * (x * kept + FLOOR * (1 - kept)) + b


def sample_by_sample(x, rate, rng, training=False):
    if not training or rate == 0:
        return x
    a, b = line(rate)
    y = np.array(x)
    for sample in y:
        sample[rng.random(sample.shape) < rate] = FLOOR
    y *= a
    y += b
    return y


# ------------------------------------------------------------------------------------------------------------ probes
def commonest(y):
    """The number that is there most often, and how often."""
    values, counts = np.unique(y.round(9), return_counts=True)
    return float(values[counts.argmax()]), int(counts.max())


def floored_well(x, rate):
    """Two lines: one for what is kept, one value for what is dropped."""
    a, b = line(rate)
    _, different = np.unique(x, return_index=True)

    def kept_in(y):
        if not isinstance(y, np.ndarray) or y.shape != x.shape or y.dtype.kind != "f":
            return "The answer has not the shape of x."
        if on_line(x, y, *fitted(x, y)):
            return all_or_none(rate)
        dropped, times = commonest(y.ravel()[different])
        if times < 3:
            return "What is dropped does not all become the same number."
        kept = np.abs(y - dropped) > 1e-8
        if kept.sum() < 3:
            return "Hardly anything is kept."
        slope, shift = fitted(x[kept], y[kept])
        if not on_line(x[kept], y[kept], slope, shift):
            return "What is kept does not lie on one line over x."
        off = np.abs(np.subtract((slope, shift, dropped), (a, b, a * FLOOR + b))) > 1e-7
        if off.any():
            line_words = f"What is kept becomes {slope:.2f} x {'+' if shift > -0.005 else '−'} {abs(shift):.2f}"
            mean_words = f"Mean 0 and variance 1 become {y.mean():.1f} and {y.var():.1f}"
            return Refusal(
                f"{off_words(off, y)}; dropped is {share_words(kept, rate)}.",
                f"{line_words}, what is dropped {dropped:.2f}. {mean_words}. {dropped_words(kept, rate)}",
                about="" if standardised(y) else str(np.round((slope, shift, dropped), 4) + 0.0),
            )
        return kept

    return of_masks(kept_in, rate)


def fitted(x, y):
    """Slope and shift of the line over x that is nearest to y."""
    d = x - x.mean()
    slope = (d * y).sum() / (d**2).sum()
    return slope, y.mean() - slope * x.mean()


def on_line(x, y, slope, shift):
    return np.abs(slope * x + shift - y).max() <= 1e-8


def off_words(off, y):
    if standardised(y):
        return "Mean and variance of this one answer are exactly 0 and 1: right ones are on average"
    names = np.array(["the factor of what is kept", "what is added to it", "what the dropped entries become"])
    return f"Not right: {', '.join(names[off])}"


def standardised(y):
    return abs(y.mean()) < 1e-9 and abs(y.var() - 1) < 1e-9


def other_shapes(rng):
    return [
        dropping(rng, sequences(rng), 0.3, 0.4, floored_well),
        dropping(rng, pictures(rng), 0.35, 0.5, floored_well),
        dropping(rng, (1, int(rng.integers(1500, 4000))), 0.4, 0.45, floored_well),
    ]


def edges(rng):
    x, refuse = [rng.normal(size=sizes(rng, 2)) for _ in range(2)], Helper("no_generator")
    return [
        Call(x=x[0], rate=number(rng, 0.2, 0.7), rng=refuse),
        Call(x=x[1], rate=0.0, rng=refuse, training=True),
        dropping(rng, (1, int(rng.integers(2000, 2500))), 0.1, 0.2, floored_well),
    ]


def bug(name, wrong, hint, says, see=ALPHA, published=""):
    return Misconception(name, wrong, hint, says, see, published)


ALPHA_DROPOUT = Exercise(
    reference=alpha_dropout,
    chapter=CHAPTER,
    title="Alpha dropout",
    difficulty=4,
    minutes=20,
    task="""Dropout for networks of SELU. In training, each entry of `x` (any shape) is dropped with probability `rate`,
independently of all others. What is dropped takes the lowest value of SELU, $f = -1.7580993408473766$. Then a line
$a\\,y + b$ takes all entries, so that entries of mean 0 and variance 1 have mean 0 and variance 1 again, in
expectation. $a > 0$ and $b$ depend on `rate` alone: derive them.

Draw from `rng`; return an array of x's shape. Without `training`, or at a rate of 0, the answer is x, and nothing is
drawn. The rate is below 1.""",
    example="""\
alpha_dropout(np.array([0.0, 1.0]), 0.1, np.random.default_rng(1), training=True).round(4)  # [0.162  1.0833]
alpha_dropout(np.array([0.0, 1.0]), 0.1, None)  # [0. 1.]""",
    groups=[
        Group("training", 3, in_training(floored_well), "What is dropped, what is kept, and that `rng` decides it."),
        Group("shapes", 1, other_shapes, "Arrays of three and four axes, and a batch of one."),
        Group("edges", 1, edges, "Inference, a rate of 0, a low rate.", CLOSE),
    ],
    may_alias=True,
    misconceptions=[
        bug("plain_dropout", plain_dropout,
            "What is SELU of a very negative number? Is it 0?", "it were ordinary dropout"),
        bug("zeros", made_of(0.0, line), "What do your dropped entries become, before a and b?",
            "what is dropped became 0, and then a and b were applied"),
        bug("no_line", made_of(FLOOR, lambda rate: (1.0, 0.0)),
            "Entries of mean 0: what is their mean once a fifth of them are at the floor?",
            "neither a nor b were applied"),
        bug("no_shift", made_of(FLOOR, lambda rate: (line(rate)[0], 0.0)),
            "Entries of mean 0: what is the mean of your answer?", "b were missing"),
        bug("no_scale", made_of(FLOOR, lambda rate: (1.0, line(rate)[1])),
            "Entries of variance 1: what is the variance of your answer?", "a were missing"),
        bug("shift_not_scaled", made_of(FLOOR, lambda rate: (line(rate)[0], -FLOOR * rate)),
            "You multiply by a and then add b. By how much has a moved the mean that b must take back?",
            "b were the mean before the multiplication by a"),
        bug("no_root", made_of(FLOOR, lambda rate: (line(rate)[0] ** 2, -(line(rate)[0] ** 2) * FLOOR * rate)),
            "Multiply by a: by what does the variance grow?", "no root had been taken for a"),
        bug("mean_square", made_of(FLOOR, by_square),
            "Mean square and variance differ by what?", "a came from the mean square, and not from the variance"),
        bug("alpha_without_scale", made_of(-1.6732632423543772, lambda rate: line(rate, -1.6732632423543772)),
            "SELU is scale times something. Where does it end on the left?", "the floor were −α, without SELU's scale"),
        bug("rate_is_kept", made_of(FLOOR, lambda rate: line(1 - rate), keeps=lambda rate: rate),
            "Of a hundred numbers, at a rate of 0.2, how many of yours are at the floor?",
            "the rate were the probability to be kept"),
        bug("line_for_kept_rate", made_of(FLOOR, lambda rate: line(1 - rate)),
            "In your a and b, which probability is the one to be dropped?",
            "a and b were those for 1 − rate"),
        bug("inverted_scale", made_of(FLOOR, lambda rate: (1 / (1 - rate), 0.0)),
            "Dividing by 1 − rate keeps the sum when zeros are put in. Is that so here?",
            "what is kept were divided by 1 − rate, as in ordinary dropout"),
        bug("floor_last", dropped_afterwards,
            "Does your line also take the entries that are dropped?",
            "the line were applied to what is kept only"),
        bug("measured", measured,
            "At a batch of one, or another batch: is your line the same?",
            "a and b were measured on the batch, and not derived"),
        *no_coins(by_chance, ("PyTorch's `FeatureAlphaDropout`", "", "")),
        bug("own_seed", own_seed, "Two steps of training: is the second mask another?",
            "`rng` were not used, but a seed of its own", OWN_CHANCE),
        bug("at_inference_too", at_inference_too, "Ask the trained network twice. Does it give the same answer?",
            "inference dropped as well", NOTHING_DROPPED),
        bug("line_at_inference", line_at_inference,
            "Nothing is dropped at inference. What is there to make up for?",
            "a and b were applied at inference", NOTHING_DROPPED),
    ],
    variants=[
        Variant("mean and variance taken back", by_moments),
        Variant("a mask of ones and zeros", by_mask),
        Variant("sample by sample", sample_by_sample),
    ],
    equivalent={"3acd8a9d4140": EXACTLY},
    hints=[
        Hint("First drop, then look at what it did to mean and variance. The line undoes just that."),
        Hint('Look at "Dropout for networks of SELU". Which mean has what is f by chance, else x?'),
        Hint(
            "A worked sibling: numbers of mean 0 and variance 1, to each of which 3 is added by a coin. Their mean is "
            "1.5, "
            "their variance 1 + 9/4. So a = (1 + 9/4)^(−1/2) and b = −1.5 a give 0 and 1 back."
        ),
        Hint(
            "    mean after dropping = rate × f;   variance = (1 − rate)(1 + rate f²)\n"
            "    a = 1 / root of the variance;   b = −a × mean\n"
            "    a × (x where kept, f where not) + b"
        ),
    ],
)  # fmt: skip
