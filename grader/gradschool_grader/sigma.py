"""A statement about random draws with a known rate of false alarms: every statistic within six standard deviations.

    fair = SixSigma(lambda values: {"mean": values[0].mean() * np.sqrt(values[0].size)},
                    {"mean": "One sign is more frequent."})
    Property(Call(n=900, rng=Seed(5)), fair)

A right answer's score is a draw from (nearly) the standard normal distribution, which lies beyond six once in 500
million draws. A mistake must move it much further, so draw enough. The audit measures whether the scores of right
answers are what they say they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .exercise import Refusal

__all__ = ["SIX", "SixSigma", "beyond", "chi_square"]

SIX = 6.0
Scores = Mapping[str, float] | Refusal | str
"""Deviations from what is right, in standard deviations, by name; or what is wrong with the form of the answer."""


def beyond(score: float) -> float:
    """P(|z| > score) for a standard normal z."""
    return math.erfc(score / math.sqrt(2))


def chi_square(total: float, free: int) -> float:
    """A sum of so many squares of standard normal numbers as one such number (Wilson and Hilferty 1931)."""
    variance = 2 / (9 * free)
    return ((total / free) ** (1 / 3) - (1 - variance)) / math.sqrt(variance)


@dataclass(frozen=True)
class SixSigma:
    """What a Property takes as `holds`. `says` has a sentence for each statistic that may lie too far off; what is
    `measured` of the answers is for home."""

    scores: Callable[[list[Any]], Scores]
    says: Mapping[str, str]
    measured: Callable[[list[Any]], str] = lambda values: ""

    def __call__(self, values: list[Any]) -> Refusal | str | None:
        scores = self.scores(values)
        if isinstance(scores, Refusal | str):
            return scores
        off = next((name for name, score in scores.items() if not abs(score) <= SIX), None)
        return Refusal(self.says[off], self.measured(values), about=off) if off else None
