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

__all__ = ["SIX", "SixSigma", "beyond"]

SIX = 6.0
Scores = Mapping[str, float] | str
"""Deviations from what is right, in standard deviations, by name; or what is wrong with the form of the answer."""


def beyond(score: float) -> float:
    """P(|z| > score) for a standard normal z."""
    return math.erfc(score / math.sqrt(2))


@dataclass(frozen=True)
class SixSigma:
    """What a Property takes as `holds`. `says` has a sentence for each statistic that may lie too far off."""

    scores: Callable[[list[Any]], Scores]
    says: Mapping[str, str]

    def __call__(self, values: list[Any]) -> str | None:
        scores = self.scores(values)
        if isinstance(scores, str):
            return scores
        return next((self.says[name] for name, score in scores.items() if not abs(score) <= SIX), None)
