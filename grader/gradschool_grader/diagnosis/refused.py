"""Whether two answers are refused alike where right answers differ: a sentence alone may cover opposite mistakes.

    refused_alike(s, told)      # False for "too far, or not far enough" said of one for each reason

Both must be refused in the same probes, for the same in the same words; what was measured may differ. Where a property
is one of a distribution, the statistic that the words are about must be off to the same side and about as far, and
neither answer may have much that lies beyond everything of the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..compare import judge_property
from ..exercise import Property, Refusal
from ..inside.perform import leaves
from ..observe import Observation
from ..sigma import SIX, SixSigma
from .seen import Seen, first_time, of_probe

NOISE = 2 * SIX  # two draws from one distribution are no further apart
SHARE = 0.5  # nor is what is far off, whatever its own spread
FAR = 2.9  # 2 exp(−2 · 2.9²) is 1e-7
BEYOND = 12  # numbers of one beyond all of the other: with two draws from one distribution once in 2¹¹


def refused_alike(s: Seen, told: Sequence[Observation]) -> bool:
    """In every property of a group; it says nothing of other probes."""
    return all(alike_in(s, number, told) for number in properties(s)) and not told_otherwise(s, told)


def alike_in(s: Seen, number: int, told: Sequence[Observation]) -> bool:
    """In one of them; of the answer seen it is found out once."""
    probe = s.probes[number]
    if not isinstance(probe, Property):
        return True
    if number not in s.refusals:
        s.refusals[number] = refusal(probe, of_probe(s, number))
    return s.refusals[number] == refusal(probe, first_time(told, number))


def refusal(probe: Property, seen: Sequence[Observation]) -> Refusal | None:
    """What is said of answers to a property; None if it holds."""
    values = [o.behaviour.value for o in seen]
    return Refusal("an error") if any(o.behaviour.error for o in seen) else judge_property(probe, values)


def told_otherwise(s: Seen, told: Sequence[Observation]) -> bool:
    """Whether the numbers speak against one mistake behind both: of distributions, and of all other properties."""
    fixed = [number for number, probe in properties(s).items() if not isinstance(probe.holds, SixSigma)]
    if spread_otherwise(*(sizes([x for n in fixed for x in given(seen, n)]) for seen in (s.got, told))):
        return True
    random = [
        (probe.holds, given(s.got, number), given(told, number))
        for number, probe in properties(s).items()
        if isinstance(probe.holds, SixSigma)
    ]
    return any(opposed(furthest(holds, x), furthest(holds, y)) for holds, x, y in random) or apart(
        [(sizes(x), sizes(y)) for _, x, y in random if len(x) == 1]  # each of several calls may have its own scale
    )


def properties(s: Seen) -> dict[int, Property]:
    return {number: probe for number, probe in enumerate(s.probes) if isinstance(probe, Property)}


def given(seen: Sequence[Observation], number: int) -> list[Any]:
    """What was returned to a probe the first time."""
    return [o.behaviour.value for o in first_time(seen, number)]


Off = tuple[str, float] | None
"""The statistic that a refusal is about, and by how many standard deviations it is off."""


def furthest(holds: SixSigma, values: list[Any]) -> Off:
    """None where nothing is off, or the answer has not the form that has statistics."""
    try:
        with np.errstate(all="ignore"):
            scores = holds.scores(values)
    except Exception:  # the answer's fault, as its refusal says
        return None
    return next((x for x in scores.items() if not abs(x[1]) <= SIX), None) if isinstance(scores, Mapping) else None


def opposed(one: Off, other: Off) -> bool:
    """Whether one statistic is off to two sides, or much further in one of two answers."""
    if not (one and other and one[0] == other[0]):
        return False
    x, y = one[1], other[1]
    if not (np.isfinite(x) and np.isfinite(y)):
        return repr(x) != repr(y)
    return x * y < 0 or abs(x - y) > max(NOISE, SHARE * max(abs(x), abs(y)))


def sizes(values: list[Any]) -> np.ndarray:
    """All numbers of the answers, without their signs."""
    arrays = [x for v in values for _, x in leaves(v) if isinstance(x, np.ndarray) and x.dtype.kind == "f"]
    return np.concatenate([np.abs(x).ravel() for x in arrays] or [np.zeros(0)])


def spread_otherwise(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether so many numbers are not drawn from one distribution: Kolmogorov and Smirnov's statistic is too large for
    that, as it is by chance once in 10⁷. If only one side has numbers that are none, those speak."""
    if np.isfinite(x).all() != np.isfinite(y).all():
        return True
    x, y = (np.sort(z[np.isfinite(z)]) for z in (x, y))
    if not x.size or not y.size:
        return False
    every = np.concatenate([x, y])
    below = (np.searchsorted(z, every, side="right") / z.size for z in (x, y))
    return bool(np.abs(np.subtract(*below)).max() > FAR * np.sqrt(1 / x.size + 1 / y.size))


def apart(both: Sequence[tuple[np.ndarray, np.ndarray]]) -> bool:
    """Whether, over all probes, one side goes further than the other: has many numbers beyond its largest."""
    further = [(beyond(x, y), beyond(y, x)) for x, y in both]
    return any(sum(counts) >= BEYOND for counts in zip(*further, strict=True))


def beyond(x: np.ndarray, y: np.ndarray) -> int:
    """Each size counts once, however often it is there; and nothing is known of how far the same number goes."""
    return len(np.unique(x[x > y.max()])) if x.shape == y.shape and x.size and np.ptp(y) else 0
