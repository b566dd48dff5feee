"""What the exercises of this chapter share: its headings, parameters drawn at random, statistics of what is dropped."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.random import Generator

from gradschool_grader.exercise import Call, Helper, Misconception, Property, Refusal, Seed, Tolerance
from gradschool_grader.sigma import SIX, SixSigma, beyond, chi_square

CHAPTER = "ch13_regularization"
CLOSE = Tolerance(rtol=1e-9, atol=1e-12)

# headings of the chapter, at which a mistake points
PRICE = "A price on weights"
CORNER = "The corner at zero"
ONLY_WEIGHTS = "Weights, and nothing else"
FORMS = "Three forms of one penalty"
TWO_DECAYS = "Two decays that are not the same"
BOUND = "A bound instead of a price"
DROP = "Another network at every step"
INVERTED = "Scale now, not later"
OWN_CHANCE = "A chance of its own for every number"
NOTHING_DROPPED = "When nothing is dropped"
BACK = "The way back"
ALPHA = "Dropout for networks of SELU"
HUNDRED = "Asking a hundred networks"
STOP = "Stop while it is good"
MOVED = "Data out of data"

EXACTLY = "A random number is exactly the rate once in 10^16 draws; whether that one is kept does not matter."
NAMES = """Weights are the arrays whose names begin with `"W"`, with two axes or more; biases, scales and shifts have
other names, and one axis."""


def sizes(rng: Generator, axes: int, low: int = 3, high: int = 9) -> tuple[int, ...]:
    """Different sizes for all axes."""
    return tuple(int(n) for n in rng.choice(np.arange(low, high), size=axes, replace=False))


def parameters(rng: Generator, kernel: bool = False) -> dict[str, np.ndarray]:
    """A dense layer with batch norm, or a convolution, and a layer of one output; names have a W elsewhere, or a small
    one."""
    D, H, K, area = sizes(rng, 4)
    first = (area, K, D, H) if kernel else (D, H)
    shapes = {"W1": first, "b_W1": (H,), "width1": (H,), "beta1": (H,), "W_out": (H, 1), "b_out": (1,)}
    return {name: rng.normal(size=shape) * rng.uniform(0.5, 2) + 0.1 for name, shape in shapes.items()}


def number(rng: Generator, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def seeded(rng: Generator) -> Seed:
    return Seed(int(rng.integers(2**31)))


# ------------------------------------------------------------------------------------------------ statistics of masks
GOES_BY = {
    "samples": "the one above it, in another sample, is.",
    "places": "those at other places are, in the same channel of the same sample.",
    "units": "the one beside it, in the same sample, is.",
    "samples places": "those in all other samples are, at any place of the same channel.",
    "samples units": "those in all other samples are, in any channel of the same place.",
    "places units": "all others of the same sample are.",
    "samples places units": "all others are.",
}
SAYS = {axes: f"Whether a number is dropped goes by whether {what}" for axes, what in GOES_BY.items()} | {
    "beside": "A number is more likely to be dropped where the one beside it is, too.",
    "apart": "A number is more likely to be dropped where the one beside it is not.",
    "calls": "Another call, with other random numbers, drops the same numbers again.",
    "alike samples": "Which numbers of a sample are dropped goes by which are in another one.",
    "alike units": "For which samples a unit is dropped goes by for which another one is.",
    "alike calls": "Which numbers a call drops goes by which another call does.",
    "even samples": "Samples lose more nearly the same number of entries than by chance.",
    "even units": "Units are dropped more nearly the same number of times in a batch than by chance.",
    "even calls": "From call to call the number of those that are dropped varies less than by chance.",
    "exchanged": "As many numbers are dropped as should be kept.",
    "more": "More numbers are dropped than the rate says.",
    "fewer": "Fewer numbers are dropped than the rate says.",
}


def of_masks(mask_of: Callable[[Any], np.ndarray | Refusal | str], rate: float) -> SixSigma:
    """Statistics of what one call keeps, or several: mask_of(answer) is that, or what is wrong with the answer."""

    def scores(answers: list[Any]) -> dict[str, float] | Refusal | str:
        masks: list[np.ndarray] = []
        for mask in map(mask_of, answers):
            if not isinstance(mask, np.ndarray):
                return mask
            masks.append(mask)
        axes = shared(np.array(masks))
        if axes:
            return {axes: math.sqrt(masks[0].size)}
        return as_one(over_calls(np.array(masks), rate) if masks[1:] else independence(masks[0], rate))

    def measured(answers: list[Any]) -> str:
        return dropped_words(np.array([mask_of(answer) for answer in answers]), rate)

    return of_few(mask_of, rate) if rate < 0.01 else SixSigma(scores, SAYS, measured)


def shared(kept: np.ndarray) -> str:
    """The axes along which numbers are always kept or dropped together, from the masks of all calls (call, ...)."""
    ends = {1: "samples", kept.ndim - 1: "units"}
    several = [axis for axis in range(1, kept.ndim) if kept.shape[axis] > 1]
    return " ".join(dict.fromkeys(ends.get(a, "places") for a in several if (kept == kept.take([0], a)).all()))


def independence(kept: np.ndarray, rate: float) -> dict[str, float]:
    """Deviations of a mask from one in which every entry is kept with probability 1 − rate, in standard deviations."""
    ends = {0: "samples", kept.ndim - 1: "units"}
    several = [axis for axis in range(kept.ndim) if kept.shape[axis] > 1]
    along = [neighbours(centered(kept, rate), axis) for axis in several]
    beside = math.copysign(strongest(along), max(along, key=abs))
    even = {f"even {ends[axis]}": evenness(kept, axis, rate) for axis in several if axis in ends}
    alike = {f"alike {ends[axis]}": likeness(kept, axis) for axis in several if axis in ends}
    return {"beside" if beside > 0 else "apart": beside} | even | alike | share(kept, rate)


def of_few(mask_of: Callable[[Any], np.ndarray | Refusal | str], rate: float) -> SixSigma:
    """Statistics where a few of very many are dropped: how many they are, by the exact distribution."""

    def scores(answers: list[Any]) -> dict[str, float] | Refusal | str:
        mask = mask_of(answers[0])
        if not isinstance(mask, np.ndarray):
            return mask
        chances, dropped = binomial(mask.size, rate), int(mask.size - mask.sum())
        fewer, more = (min(0.0, normal_score(part.sum())) for part in (chances[: dropped + 1], chances[dropped:]))
        return as_one({"fewer": fewer} if fewer < more else {"more": more})

    return SixSigma(scores, SAYS, lambda answers: dropped_words(np.array(mask_of(answers[0])), rate))


def over_calls(kept: np.ndarray, rate: float) -> dict[str, float]:
    """The same for the masks of several calls, (call, ...)."""
    again = {"calls": neighbours(centered(kept, rate), 0), "even calls": evenness(kept, 0, rate)}
    return again | {"alike calls": likeness(kept, 0)} | share(kept, rate)


def centered(kept: np.ndarray, rate: float) -> np.ndarray:
    """In standard deviations of an entry, from what they are on average: neighbours are judged apart from the share."""
    return (kept - kept.mean()) / math.sqrt(rate * (1 - rate))


def neighbours(d: np.ndarray, axis: int) -> float:
    d = np.moveaxis(d, axis, 0)
    return float((d[1:] * d[:-1]).sum()) / math.sqrt(d[1:].size)


def share(kept: np.ndarray, rate: float) -> dict[str, float]:
    score = share_score(kept, rate)
    exchanged = abs(share_score(kept, 1 - rate)) <= SIX < abs(score)
    return {"exchanged" if exchanged else "more" if score < 0 else "fewer": score}


def share_score(kept: np.ndarray, rate: float) -> float:
    return float((kept - (1 - rate)).sum()) / math.sqrt(rate * (1 - rate) * kept.size)


def evenness(kept: np.ndarray, axis: int, rate: float) -> float:
    """By chance, how rarely do the counts along an axis all come so near to their mean? Negative where too rarely.

    From exact probabilities of the binomial distribution: P(all counts at most as far off) = P(one at most)^counts.
    """
    counts = np.moveaxis(kept, axis, 0).reshape(kept.shape[axis], -1).sum(axis=1)
    n = kept.size // len(counts)
    mean = n * (1 - rate)
    near = np.abs(np.arange(n + 1) - mean) <= np.abs(counts - mean).max()
    return min(0.0, normal_score(binomial(n, 1 - rate)[near].sum() ** len(counts)))


def likeness(kept: np.ndarray, axis: int) -> float:
    """Are the masks along an axis correlated, each pair in its own way? Positive where more than by chance.

    A squared correlation of two independent masks of n entries is 1 / (n − 1) on average, whatever their shares are,
    and those of different pairs are uncorrelated: (n − 1) times their sum is nearly a χ².
    """
    masks = np.moveaxis(kept, axis, 0).reshape(kept.shape[axis], -1).astype(float)
    masks = masks[np.ptp(masks, axis=1) > 0]
    pairs, n = len(masks) * (len(masks) - 1) // 2, masks.shape[1]
    if not pairs or n < 10:
        return 0.0
    masks -= masks.mean(axis=1, keepdims=True)
    masks /= np.sqrt((masks**2).sum(axis=1, keepdims=True))
    squares = ((masks @ masks.T) ** 2).sum() - len(masks)
    score = max(0.0, chi_square((n - 1) * float(squares) / 2, pairs))
    return score / 1.5  # of rates far from a half the tail is longer


def binomial(n: int, p: float) -> np.ndarray:
    """The probabilities of 0 to n heads."""
    k, log_factorial = np.arange(n + 1), np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    return np.exp(log_factorial[n] - log_factorial - log_factorial[::-1] + k * math.log(p) + (n - k) * math.log1p(-p))


def normal_score(probability: float) -> float:
    """The number below which a standard normal one lies with this probability."""
    return NormalDist().inv_cdf(min(max(float(probability), 1e-300), 1 - 1e-16))


def strongest(scores: Iterable[float]) -> float:
    """The size of the largest of several normal scores, as if it were one: p is multiplied by their number."""
    far = [abs(score) for score in scores]
    return -min(0.0, normal_score(beyond(max(far)) * len(far) / 2))


def as_one(scores: dict[str, float]) -> dict[str, float]:
    """One score for all; if it is too large, the first of them that is."""
    score = strongest(scores.values())
    return {"all": score} if score <= SIX else dict([next(item for item in scores.items() if abs(item[1]) > SIX)])


def share_words(kept: np.ndarray, rate: float) -> str:
    score = share_score(kept, rate)
    return "as much as should be" if abs(score) <= SIX else "too much" if score < 0 else "too little"


def all_or_none(rate: float) -> str:
    """What is said where no number is dropped, or all are: of rates that may be rounded away, that it is such a one."""
    return f"{'At a rate below one percent all' if rate < 0.01 else 'All'} numbers are dropped, or none is."


def dropped_words(kept: np.ndarray, rate: float) -> str:
    """What was measured, for home."""
    return f"Of 100 numbers {100 * (1 - kept.mean()):.0f} are dropped; the rate is {rate:.2f}."


def dropping(rng: Generator, shape: tuple[int, ...], low: float, high: float, holds: Any) -> Property:
    """A call on numbers none of which is 0, with a rate between low and high."""
    return training_on(rng, rng.normal(size=shape), number(rng, low, high), holds)


def many_times(rng: Generator, holds: Any) -> Property:
    """Several calls on the same numbers, many of which are the largest, so that some of those are kept."""
    x = np.clip(rng.normal(size=(int(rng.integers(15, 18)), int(rng.integers(20, 24)))), -1, 1)
    return training_on(rng, x, number(rng, 0.35, 0.65), holds, times=12)


def hardly_any(rng: Generator, holds: Any) -> Property:
    """One sample at a rate of a quarter of a percent, which is none where rates are rounded."""
    x = rng.normal(size=(1, int(rng.integers(11_500, 12_000))))
    return training_on(rng, x, number(rng, 0.0022, 0.0026), holds)


def training_on(rng: Generator, x: np.ndarray, rate: float, holds: Any, times: int = 1) -> Property:
    x = x + np.copysign(0.05, x)
    return Property(Call(x=x, rate=rate, rng=seeded(rng), training=True), holds(x, rate), times)


def asks_the_generator(rate: float = 0.4) -> Call:
    """No numbers at all, and a generator that refuses: only who does not ask it gives an answer."""
    return Call(x=np.ones((3, 0)), rate=rate, rng=Helper("no_generator"), training=True)


def in_training(holds: Any) -> Callable[[Generator], list[Any]]:
    """The group that asks for a small and a large rate, for many masks, and whether the generator decides."""

    def probes(rng: Generator) -> list[Any]:
        shape = int(rng.integers(45, 55)), int(rng.integers(60, 75))
        small, large = (dropping(rng, shape, low, low + 0.2, holds) for low in (0.15, 0.65))
        return [small, large, many_times(rng, holds), hardly_any(rng, holds), asks_the_generator()]

    return probes


def sequences(rng: Generator) -> tuple[int, ...]:
    """(sample, place, channel), of so many samples that not all of them meet with the same fate."""
    return int(rng.integers(30, 36)), int(rng.integers(11, 15)), int(rng.integers(15, 19))


def pictures(rng: Generator) -> tuple[int, ...]:
    return int(rng.integers(20, 24)), int(rng.integers(4, 6)), int(rng.integers(6, 8)), int(rng.integers(8, 12))


# ----------------------------------------------------------------------------------------- masks that are no coins
def shared_over(shape_of: Callable[[tuple[int, ...]], tuple[int, ...]]) -> Callable[..., np.ndarray]:
    """kept(x, rate, rng): one coin for all that is of one size in shape_of(x.shape)."""

    def kept(x, rate, rng):
        return np.broadcast_to(rng.random(shape_of(x.shape)) >= rate, x.shape)

    return kept


def all_samples(shape):
    return (1, *shape[1:])


def whole_samples(shape):
    return shape[0], *(1 for _ in shape[1:])


def whole_channels(shape):
    return shape[0], *(1 for _ in shape[1:-1]), *shape[1:][-1:]


def if_axes(axes, shape_of):
    """shape_of for arrays with so many axes; of others each entry has its own."""
    return lambda shape: shape_of(shape) if len(shape) == axes else shape


def whole_places(shape):
    return *shape[:-1], 1


def units_alone(shape):
    return *(1 for _ in shape[:-1]), shape[-1]


def counted_out(x, rate, rng):
    """As many as the rate says, to a number."""
    return rng.permutation(x.size).reshape(x.shape) >= round(rate * x.size)


def counted_out_by_sample(x, rate, rng):
    return np.array([counted_out(sample, rate, rng) for sample in x]).reshape(x.shape)


def whole_percents(x, rate, rng):
    return rng.integers(100, size=x.shape) >= 100 * rate


def percents_cut_off(x, rate, rng):
    return rng.integers(100, size=x.shape) >= int(100 * rate)


def no_coins(answer: Callable[[Any], Any], spatial: tuple[str, str, str]) -> list[Misconception]:
    """Mistakes of both dropouts: answer(kept) keeps kept(x, rate, rng). Whole channels are right in a published form,
    `spatial`: for anything, for sequences, for pictures."""
    one_channel = "look at one channel of one sample. Can one of its numbers be dropped alone?"

    def bug(name, kept, hint, says, published=""):
        return Misconception(name, answer(kept), hint, says, OWN_CHANCE, published)

    return [
        bug("one_mask_for_all_samples", shared_over(all_samples),
            "Which units are dropped for the first sample, and which for the second?",
            "one mask served all samples of a batch"),
        bug("whole_samples", shared_over(whole_samples),
            "Look at one row of your answer. Is one part of it kept, and another not?",
            "whole samples were dropped or kept"),
        bug("whole_channels", shared_over(whole_channels), f"In a batch of sequences, {one_channel}",
            "whole channels were dropped or kept", spatial[0]),
        bug("whole_channels_of_sequences", shared_over(if_axes(3, whole_channels)),
            f"In a batch of sequences, {one_channel}",
            "whole channels of sequences (N, T, C) were dropped or kept", spatial[1]),
        bug("whole_channels_of_pictures", shared_over(if_axes(4, whole_channels)),
            f"In a batch of pictures, {one_channel}",
            "whole channels of pictures (N, H, W, C) were dropped or kept", spatial[2]),
        bug("whole_places", shared_over(whole_places),
            "At one place of one sample, can one channel be dropped and another kept?",
            "all channels of a place were dropped or kept"),
        bug("one_coin_for_each_unit", shared_over(units_alone),
            "How many random numbers do you draw for sequences of shape (N, T, C)?",
            "one coin for each channel served all samples and places"),
        bug("counted_out", counted_out, "Toss a hundred coins, and again: are there as many heads?",
            "exactly the rate were dropped in every call, which is not by chance for each"),
        bug("counted_out_by_sample", counted_out_by_sample,
            "Toss a coin for each entry of two samples: will as many be dropped in both?",
            "exactly the rate were dropped in every sample, which is not by chance for each"),
        bug("percents_cut_off", percents_cut_off,
            "A rate of 0.001 in whole percents: what is left of it, and is any of 10,000 numbers dropped in yours?",
            "the rate were cut off to whole percents"),
        bug("whole_percents", whole_percents,
            "At a rate of 0.001: how many of 10,000 numbers should be dropped, and how many are in yours?",
            "the rate were rounded to whole percents"),
    ]  # fmt: skip
