"""One rule, (x - mu) / sqrt(s2 + eps), then scale and shift: how it goes wrong whatever mu and s2 are taken over.

    answer(x, gamma, beta)  =  affine(rule(x, axes, eps), gamma, beta)

`rule_misconceptions(wrap)` puts each wrong rule and each wrong affine map into an exercise: wrap(rule, affine, eps)
is that exercise's function with them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradschool_grader.exercise import Misconception

from .draw import EPSILON, SCALE, STANDARD, in_double

Rule = Callable[..., Any]


# -------------------------------------------------------------------------------------------------------------- rules
def moments(x, axes):
    return x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)


def right(x, axes, eps):
    mu, s2 = moments(x, axes)
    return (x - mu) / np.sqrt(s2 + eps)


def unbiased(x, axes, eps):
    return (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(x.var(axis=axes, keepdims=True, ddof=1) + eps)


def eps_outside(x, axes, eps):
    mu, s2 = moments(x, axes)
    return (x - mu) / (np.sqrt(s2) + eps)


def no_eps(x, axes, eps):
    mu, s2 = moments(x, axes)
    return (x - mu) / np.sqrt(s2)


def eps_as_a_floor(x, axes, eps):
    mu, s2 = moments(x, axes)
    return (x - mu) / np.sqrt(np.maximum(s2, eps))


def fixed_eps(x, axes, eps):
    return right(x, axes, 1e-5)


def no_root(x, axes, eps):
    mu, s2 = moments(x, axes)
    return (x - mu) / (s2 + eps)


def not_centred(x, axes, eps):
    return x / np.sqrt(x.var(axis=axes, keepdims=True) + eps)


def mean_of_squares(x, axes, eps):
    return (x - x.mean(axis=axes, keepdims=True)) / np.sqrt((x * x).mean(axis=axes, keepdims=True) + eps)


def mean_of_variances(along=None):
    """The variance is the mean of those along one of the axes (the last if none is said), without that of the means."""

    def rule(x, axes, eps):
        axes = (axes,) if isinstance(axes, int) else axes
        variance = x.var(axis=axes[-1] if along is None else along, keepdims=True).mean(axis=axes, keepdims=True)
        return (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(variance + eps)

    return rule


def only_centred(x, axes, eps):
    return x - x.mean(axis=axes, keepdims=True)


# ------------------------------------------------------------------------------------------------------ scale and shift
def scaled(xhat, gamma, beta):
    return gamma * xhat + beta


def swapped(xhat, gamma, beta):
    return beta * xhat + gamma


def no_shift(xhat, gamma, beta):
    return gamma * xhat


def shift_scaled(xhat, gamma, beta):
    return gamma * (xhat + beta)


def one_for_all(xhat, gamma, beta):
    return gamma.mean() * xhat + beta.mean()


def left_out(xhat, gamma, beta):
    return 1.0 * xhat


# ------------------------------------------------------------------------------------- what is said about each of them
BUGS: dict[str, tuple[Rule, Rule, str, str, str]] = {
    "unbiased": (
        unbiased, scaled,
        "the variance were divided by one less than the number of values",
        "Take the values 1 and 3. Which variance has your answer, 1 or 2, and which is the mean square deviation?",
        STANDARD),
    "eps_outside": (
        eps_outside, scaled,
        "ε were added to the standard deviation, outside the root",
        "For a variance of 0, do you divide by √ε or by ε?",
        EPSILON),
    "no_eps": (
        no_eps, scaled,
        "there were no ε",
        "What do you divide by where all values are equal?",
        EPSILON),
    "eps_as_a_floor": (
        eps_as_a_floor, scaled,
        "ε were the least that a variance counts, and nothing were added to larger ones",
        "Two channels have the variances 0 and ε. Do you divide both by the same?",
        EPSILON),
    "eps_ignored": (
        fixed_eps, scaled,
        "`eps` were always 1e-5",
        "Where in your code does the argument `eps` stand?",
        EPSILON),
    "no_root": (
        no_root, scaled,
        "it were divided by the variance",
        "Lengths in cm in the place of m: the numbers grow a hundredfold. By how much does your divisor grow?",
        STANDARD),
    "not_centred": (
        not_centred, scaled,
        "no mean were subtracted",
        "Which mean has your answer before scale and shift?",
        STANDARD),
    "mean_of_squares": (
        mean_of_squares, scaled,
        "the variance were the mean of the squares themselves",
        "Add 1000 to all values: how should the spread change, and how does yours?",
        STANDARD),
    "only_centred": (
        only_centred, scaled,
        "the mean were subtracted, and nothing divided",
        "Which variance has your answer before scale and shift?",
        STANDARD),
    "swapped": (
        right, swapped,
        "`gamma` were the shift and `beta` the scale",
        "With gamma all ones and beta all zeros, what should come out?",
        SCALE),
    "no_shift": (
        right, no_shift,
        "`beta` were not used",
        "Which mean has your answer if every entry of beta is 7?",
        SCALE),
    "shift_scaled": (
        right, shift_scaled,
        "the shift were multiplied by the scale",
        "Is your shift added before or after the multiplication?",
        SCALE),
    "one_for_all": (
        right, one_for_all,
        "all channels shared one scale and one shift",
        "How many numbers has gamma, and which of them meets the second channel of your answer?",
        SCALE),
    "not_scaled": (
        right, left_out,
        "neither scale nor shift were used",
        "Where in your code do gamma and beta stand?",
        SCALE),
}  # fmt: skip


def rule_misconceptions(
    wrap: Callable[[Rule, Rule], Callable[..., Any]], but: Sequence[str] = ()
) -> list[Misconception]:
    """The bugs of the table, but for some, in an exercise; and the right answer in float64."""
    found = [
        Misconception(name, wrap(rule, affine), hint, says, see)
        for name, (rule, affine, says, hint, see) in BUGS.items()
        if name not in but
    ]
    return [*found, not_float32(wrap(right, scaled))]


def not_float32(function: Callable[..., Any], see: str = STANDARD) -> Misconception:
    return Misconception(
        "not_float32",
        in_double(function),
        "Which dtype has x, and which has your answer?",
        "float32 were turned into float64",
        see,
    )


def told(name: str, wrong: Callable[..., Any]) -> Misconception:
    """A mistake of the table in an exercise that has its own form of it."""
    _, _, says, hint, see = BUGS[name]
    return Misconception(name, wrong, hint, says, see)
