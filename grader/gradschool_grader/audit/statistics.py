"""How often a group that judges random draws refuses what is right: measured over many draws, and by its own scores.

Of a plain predicate only the measured rate is known: none refused in n answers means fewer than 3/n of all, with 95 %
confidence (the rule of three). Where a group scores its statistics in standard deviations and refuses beyond six, the
scores of right answers are measured, too: from how far they spread, the rate follows even where no draw could show it.

    rates, cases = statistics(course, exercise, seeds)
    rates[0].expected                                    # 3.9e-09
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import cycle
from typing import Any

import numpy as np

from ..answers import LiveAnswers
from ..compare import compare_all
from ..course import Course
from ..exercise import Exercise, Group, Property
from ..observe import here, observe
from ..sigma import SIX, SixSigma, beyond
from .result import Case, Rate

__all__ = ["MOST", "of_scores", "statistics"]

DRAWS = 100  # at least; 25 for each seed beyond that
FAR = 1_000_000  # where the seeds of those draws begin
MOST = 1e-6  # of right answers may be refused
SURPRISE = 1e-4  # a largest score that is less likely than this means that the scores are not normal


def statistics(course: Course, exercise: Exercise, seeds: Sequence[int]) -> tuple[list[Rate], list[Case]]:
    """A rate for every group that has a property, and a case where it refuses what is right, or would too often."""
    rates, cases = [], []
    drawn = LiveAnswers(exercise, course.helpers, seeds[0])
    for group in exercise.groups:
        if any(isinstance(probe, Property) for probe in drawn.probes(group)):
            rate, wrong = measured(course, exercise, group, range(FAR, FAR + max(DRAWS, 25 * len(seeds))))
            rates.append(rate)
            cases += wrong
    return rates, cases


def measured(course: Course, exercise: Exercise, group: Group, draws: Sequence[int]) -> tuple[Rate, list[Case]]:
    right = [exercise.plain, *(variant.right for variant in exercise.variants)]
    refused: list[int] = []
    scores: list[dict[str, float]] = []
    for seed, answer in zip(draws, cycle(right), strict=False):  # another one each time: draws of their own tell more
        answers = LiveAnswers(exercise, course.helpers, seed)
        probes = answers.probes(group)
        fresh = answer() if getattr(answer, "fresh", False) else answer
        seen = observe(exercise, probes, here(exercise, fresh, course.helpers))
        if compare_all(exercise, group, probes, answers.expected(group), seen) is not None:
            refused.append(seed)
        for number, probe in enumerate(probes):
            if isinstance(probe, Property) and isinstance(probe.holds, SixSigma):
                values = [o.behaviour.value for o in seen if o.probe == number and not o.again]
                scores.append(named(number, probe.holds, values))
    rate = of_scores(Rate(group.name, len(draws), len(refused)), scores)
    return rate, list(judged(exercise, rate, refused))


def named(number: int, holds: SixSigma, values: list[Any]) -> dict[str, float]:
    """The scores by probe and name; none where a right answer has not the right form, which is a refusal anyway."""
    with np.errstate(all="ignore"):
        found = holds.scores(values)
    return {f"{number} {name}": float(score) for name, score in found.items()} if isinstance(found, Mapping) else {}


def of_scores(rate: Rate, scores: Sequence[dict[str, float]]) -> Rate:
    """The rate with what its scores tell. Each statistic's spread is taken at the upper end of its uncertainty.

    The root mean square s of n scores has a relative standard error of 1/√(2n) if they are normal; s + 2 of these, and
    never less than 1, stands for the spread. The rate is at most the sum of what each statistic lets through.
    """
    by_name: dict[str, list[float]] = {}
    for found in scores:
        for name, score in found.items():
            by_name.setdefault(name, []).append(score)
    if not by_name:
        return rate
    spreads = [spread(values) for values in by_name.values()]
    largest = max(max(map(abs, values)) / max(1.0, root(values)) for values in by_name.values())
    return replace(
        rate, scores=sum(map(len, by_name.values())), spread=max(spreads), largest=largest,
        expected=min(1.0, sum(beyond(SIX / wide) for wide in spreads)),
    )  # fmt: skip


def spread(values: Sequence[float]) -> float:
    return max(1.0, root(values) * (1 + 2 / math.sqrt(2 * len(values))))


def root(values: Sequence[float]) -> float:
    """Of the mean square: the standard deviation about what is right."""
    return math.sqrt(sum(value * value for value in values) / len(values))


def judged(exercise: Exercise, rate: Rate, refused: Sequence[int]) -> Iterator[Case]:
    what = "statistical group"
    if refused:
        words = f"refuses a right answer {rate.refused} times in {rate.answers}"
        yield Case(exercise.name, what, words, refused[0], rate.group)
    if rate.expected is not None and rate.expected > MOST:
        words = f"has scores that spread {rate.spread:.2g} standard deviations, so it would refuse {rate.expected:.1g} "
        yield Case(exercise.name, what, words + f"of right answers; at most {MOST:g}", None, rate.group)
    if rate.scores and rate.scores * beyond(rate.largest) < SURPRISE:
        words = (
            f"has a score of {rate.largest:.2g} spreads among {rate.scores} of right answers: no normal distribution"
        )
        yield Case(exercise.name, what, words, None, rate.group)
