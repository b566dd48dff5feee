"""local_response_norm: a channel is divided by how strongly its neighbours answer."""

from __future__ import annotations

import numpy as np

from gradschool.lessons.norms import local_response_norm
from gradschool_course import precision
from gradschool_grader.exercise import Call, Exercise, Group, Hint, Misconception, Variant

from . import draw
from .draw import CHAPTER, CLOSE, RESPONSE
from .rules import not_float32


# ------------------------------------------------------------------------------------------------------ the windows
def cut_off(i, C, window):
    return range(max(i - (window - 1) // 2, 0), min(i + window // 2 + 1, C))


def further_back(i, C, window):
    return range(max(i - window // 2, 0), min(i + (window - 1) // 2 + 1, C))


def round_the_end(i, C, window):
    return [j % C for j in range(i - (window - 1) // 2, i + window // 2 + 1)]


def on_both_sides(i, C, window):
    return range(max(i - window, 0), min(i + window + 1, C))


def ending_early(i, C, window):
    return range(max(i - (window - 1) // 2, 0), min(i + window // 2, C))


def without_itself(i, C, window):
    return [j for j in cut_off(i, C, window) if j != i]


def shifted_inwards(i, C, window):
    """A window that would reach over an end is moved, so that it always has its full length."""
    first = min(max(i - (window - 1) // 2, 0), max(C - window, 0))
    return range(first, min(first + window, C))


# -------------------------------------------------------------------------------------------------------- the division
def squares(values):
    return (values * values).sum(axis=-1)


def by_window(ss, window, count):
    return ss / window


def undivided(ss, window, count):
    return ss


def by_count(ss, window, count):
    return ss / count


def powered(x, mean, alpha, beta, k):
    return x / (k + alpha * mean) ** beta


def answered(near=cut_off, size=squares, share=by_window, divide=powered):
    def answer(x, window, alpha=1e-4, beta=0.75, k=2.0):
        y = np.empty_like(x)
        for i in range(x.shape[-1]):
            window_of_i = list(near(i, x.shape[-1], window))
            ss = size(x[..., window_of_i])
            y[..., i] = divide(x[..., i], share(ss, window, len(window_of_i)), alpha, beta, k)
        return y

    return answer


def of_normalised(x, window, alpha=1e-4, beta=0.75, k=2.0):
    y = x.copy()
    for i in range(x.shape[-1]):
        y[..., i] = powered(y[..., i], squares(y[..., list(cut_off(i, x.shape[-1], window))]) / window, alpha, beta, k)
    return y


def k_of_one(x, window, alpha=1e-4, beta=0.75, k=1.0):
    return local_response_norm(x, window, alpha, beta, k)


def over_the_batch(x, window, alpha=1e-4, beta=0.75, k=2.0):
    return np.moveaxis(local_response_norm(np.moveaxis(x, 0, -1), window, alpha, beta, k), -1, 0)


# ------------------------------------------------------------------------------------------------ other right answers
def by_matrix(x, window, alpha=1e-4, beta=0.75, k=2.0):
    C = x.shape[-1]
    B = np.zeros((C, C), x.dtype)
    for i in range(C):
        B[list(cut_off(i, C, window)), i] = 1
    return x * np.exp(-beta * np.log(k + np.einsum("...c,cd->...d", x**2, B) * (alpha / window)))


def by_running_sums(x, window, alpha=1e-4, beta=0.75, k=2.0):
    C = x.shape[-1]
    sums = np.concatenate([np.zeros_like(x[..., :1]), np.cumsum(x**2, axis=-1, dtype=float)], axis=-1)
    first = np.maximum(np.arange(C) - (window - 1) // 2, 0)
    end = np.minimum(np.arange(C) + window // 2 + 1, C)
    return (x / (k + alpha * (sums[..., end] - sums[..., first]) / window) ** beta).astype(x.dtype)


def by_padding(x, window, alpha=1e-4, beta=0.75, k=2.0):
    squared = np.zeros((*x.shape[:-1], x.shape[-1] + window - 1), x.dtype)
    squared[..., (window - 1) // 2 : (window - 1) // 2 + x.shape[-1]] = x**2
    ss = sum(squared[..., j : j + x.shape[-1]] for j in range(window))
    return x * (k + alpha * ss / window) ** -beta


# -------------------------------------------------------------------------------------------------------------- probes
def call(rng, shape, window, **options):
    chosen = {"alpha": draw.number(rng, 0.6, 1.5), "beta": draw.number(rng, 0.5, 1.2), "k": draw.number(rng, 0.7, 1.6)}
    return Call(x=draw.features(rng, shape), window=window, **(chosen | options))


def odd(rng):
    N, _ = draw.sizes(rng, 2)
    naught = [call(rng, (N, 5), 3, **{name: 0.0}) for name in ("alpha", "beta", "k")]
    return [call(rng, (N, 9), 3), call(rng, (N, 9), 5), call(rng, (1, 7), 3), *naught]


def even(rng):
    N, _ = draw.sizes(rng, 2)
    return [call(rng, (N, 9), 4), call(rng, (N, 8), 6)]


def places(rng):
    return [call(rng, (*draw.sizes(rng, 3), 9), 5), call(rng, (*draw.sizes(rng, 2), 7), 4)]


def edges(rng):
    """A window of one channel, and windows that are wider than there are channels."""
    return [call(rng, (4, 5), 1), call(rng, (3, 5), 7), call(rng, (3, 4), 8)]


def defaults(rng):
    """Large answers, as alpha is small."""
    return [Call(x=60 * draw.features(rng, (4, 9)), window=5), Call(x=60 * draw.features(rng, (3, 5, 7)), window=3)]


def single(rng):
    calls = [call(rng, (4, 9), 5), call(rng, (3, 5, 7), 4)]
    return [Call(**{name: precision.single(a) for name, a in c.arguments.items()}) for c in calls]


RESPONSE_NORM = Exercise(
    reference=local_response_norm,
    chapter=CHAPTER,
    title="Local response normalisation",
    difficulty=3,
    minutes=15,
    task="""Divide each channel of `x` (N, ..., C) by a power of how strongly the channels around it answer, at the same
place of the same sample:

- The window of channel i has `window` channels: ⌊(window − 1)/2⌋ before i, i itself, and ⌊window/2⌋ after it. At the
  first and the last channels it is cut off.
- The divisor is (k + α s)^β. Here s is the sum of the squares in the window, divided by `window`, also where it is cut
  off.

Return y, of x's shape and dtype. Nothing is learned here.""",
    example="""\
local_response_norm(np.array([[3.0, 4.0, 12.0]]), window=2, alpha=1.0).round(4)  # [[0.4037 0.1468 0.4756]]""",
    axes=draw.AXES,
    groups=[
        Group("odd windows", 2, odd, "As many channels before as after.", CLOSE),
        Group("even windows", 1, even, "One more after than before.", CLOSE),
        Group("places", 1, places, "Sequences and images.", CLOSE),
        Group("edges", 1, edges, "One channel, and more channels than there are.", CLOSE),
        Group("defaults", 1, defaults, "alpha, beta and k as they are.", CLOSE),
        Group("float32", 1, single, "float32 in, float32 out.", CLOSE, exact_dtype=True),
    ],
    misconceptions=[
        Misconception(
            "not_divided",
            answered(share=undivided),
            "Twice as many channels in the window, all alike: should the divisor change?",
            "the sum of squares were not divided by the window",
            RESPONSE,
            published="the paper and TensorFlow",
        ),
        Misconception(
            "wraps",
            answered(round_the_end),
            "Has the first channel a neighbour before it?",
            "the channels were a ring: the last were a neighbour of the first",
            RESPONSE,
        ),
        Misconception(
            "even_reaches_back",
            answered(further_back),
            "window=2: whom do you take together with channel 3, channel 2 or channel 4?",
            "an even window had one more channel before than after",
            RESPONSE,
            published="PyTorch",
        ),
        Misconception(
            "divided_by_count",
            answered(share=by_count),
            "At the edge some of the window is missing. By which number does the task divide there?",
            "a window that is cut off were divided by what is left of it",
            RESPONSE,
        ),
        Misconception(
            "moved_inwards",
            answered(shifted_inwards),
            "Which channels are in the window of the first: does the task move it, or cut it off?",
            "windows at the ends were moved inwards",
            RESPONSE,
        ),
        Misconception(
            "of_normalised_values",
            of_normalised,
            "When you come to the third channel, are the first two still what they were?",
            "the squares were those of channels already normalised",
            RESPONSE,
        ),
        Misconception(
            "without_itself",
            answered(without_itself),
            "Is a channel in its own window?",
            "a channel were not in its own window",
            RESPONSE,
        ),
        Misconception(
            "ends_early",
            answered(ending_early),
            "`x[..., 2:5]` has how many channels, and is channel 5 among them? How many has your window?",
            "the last channel of each window were missing",
            RESPONSE,
        ),
        Misconception(
            "window_on_each_side",
            answered(on_both_sides),
            "window=3: how many channels are in the window of yours?",
            "`window` channels lay on each side",
            RESPONSE,
        ),
        Misconception(
            "not_squared",
            answered(size=lambda values: values.sum(axis=-1)),
            "May a strong negative answer make its neighbours larger?",
            "the values themselves were added, not their squares",
            RESPONSE,
        ),
        Misconception(
            "sizes_added",
            answered(size=lambda values: np.abs(values).sum(axis=-1)),
            "Double all of x: by how much does s grow, twofold or fourfold?",
            "absolute values were added, not squares",
            RESPONSE,
        ),
        Misconception(
            "multiplied",
            answered(divide=lambda x, mean, alpha, beta, k: x * (k + alpha * mean) ** beta),
            "Strong neighbours: should they make a channel larger or smaller?",
            "it were multiplied by the power",
            RESPONSE,
        ),
        Misconception(
            "k_outside",
            answered(divide=lambda x, mean, alpha, beta, k: x / (k + (alpha * mean) ** beta)),
            "To what is the exponent applied in the task: to the sum with k, or to what is added to k?",
            "k stood outside the power",
            RESPONSE,
        ),
        Misconception(
            "sum_to_the_power",
            answered(divide=lambda x, mean, alpha, beta, k: x / (k + alpha * mean**beta)),
            "To what is the exponent applied in the task: to the sum with k, or to s alone?",
            "the exponent stood on s alone",
            RESPONSE,
        ),
        Misconception(
            "quotient_to_the_power",
            answered(divide=lambda x, mean, alpha, beta, k: (x / (k + alpha * mean)) ** beta),
            "Is x itself taken to a power in the task? What becomes of a negative x in yours?",
            "the exponent stood on the whole quotient",
            RESPONSE,
        ),
        Misconception(
            "k_left_out",
            answered(divide=lambda x, mean, alpha, beta, k: x / (1 + alpha * mean) ** beta),
            "Where in your code does k stand?",
            "k were 1",
            RESPONSE,
        ),
        Misconception(
            "k_is_one_by_default",
            k_of_one,
            "Which value has k if nobody gives one?",
            "the default of k were 1",
            RESPONSE,
            published="PyTorch",
        ),
        Misconception(
            "beta_left_out",
            answered(divide=lambda x, mean, alpha, beta, k: x / (k + alpha * mean) ** 0.75),
            "Where in your code does the argument `beta` stand?",
            "beta were always 0.75",
            RESPONSE,
        ),
        Misconception(
            "beta_as_a_factor",
            answered(divide=lambda x, mean, alpha, beta, k: x / ((k + alpha * mean) * beta)),
            "Is the divisor taken to a power in your code, or multiplied?",
            "beta were a factor and not an exponent",
            RESPONSE,
        ),
        Misconception(
            "square_root",
            answered(divide=lambda x, mean, alpha, beta, k: x / np.sqrt(k + alpha * mean)),
            "Which exponent does the task name?",
            "the exponent were ½, as in the other normalisations",
            RESPONSE,
        ),
        Misconception(
            "along_the_batch",
            over_the_batch,
            "Which axis of x holds the channels?",
            "the window ran over the samples of the batch",
            RESPONSE,
        ),
        not_float32(local_response_norm, RESPONSE),
    ],
    variants=[
        Variant("matrix", by_matrix),
        Variant("running sums", by_running_sums),
        Variant("padding", by_padding),
        Variant("of parts", answered()),
    ],
    hints=[
        Hint("No mean, no variance: only a sum of squares over a few channels, and a power."),
        Hint('Look at "Neighbours compete", and write down for window=4 which channels belong to channel 0, 1 and 5.'),
        Hint(
            "A worked sibling, the largest of each entry of a list and the two before it:\n\n"
            "    [max(a[max(i - 2, 0) : i + 1]) for i in range(len(a))]"
        ),
        Hint(
            "    for each channel i: near = x from max(i − before, 0) up to i + after, on the last axis\n"
            "    y_i = x_i over (k + alpha / window times the sum of near squared) to the power of beta"
        ),
    ],
    not_bugs={
        "ε": "k keeps the divisor from zero, and it stands inside the power",
        "batch axis": "see along_the_batch: the window itself can run over the batch",
        "G≠divisor": "there are no groups",
        "grouping interleaved": "there are no groups",
        "affine shared wrongly": "nothing is scaled or shifted by what is learned",
    },
)
