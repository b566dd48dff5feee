"""Readings of scale: a wrong sign, a factor and what it equals, a step of the wrong length, a constant amount too much.

The factor is looked for among the numbers that were at hand (2, ½, sizes, hyperparameters) before one is fitted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import permutations, product

import numpy as np

from .candidate import Candidate, Same
from .glimpse import Glimpse, glimpse
from .operands import constants, once_a_call, shared, sizes
from .seen import Pair

COUNTED, EXACT = 1000, 1e-9  # shares up to a thousandth, and how near to one a factor must be
CACHED = 512  # arrays, each by itself and as what a step changes
PLAIN = {2.0: "2", 0.5: "½", -2.0: "−2", -0.5: "−½"}
POWERS = {
    1.0: "times", -1.0: "divided by", 2.0: "times the square of", -2.0: "divided by the square of",
    0.5: "times the root of", -0.5: "divided by the root of",
}  # fmt: skip
SIGNS = {1: "", -1: ", and has the wrong sign"}
WHERE = "Which line multiplies or divides by it, and does the formula?"


def whole(pair: Pair, k: float) -> Same | None:
    return (pair.a, k * pair.e) if pair.e.shape == pair.a.shape else None


def change(pair: Pair, k: float) -> Same | None:
    """The same for what a step adds to the value that it began with."""
    c = pair.carried
    if c is None or pair.e.shape != pair.a.shape:
        return None
    return pair.a, c + k * (pair.e - c)


Scaled = Callable[[Pair, float], Same | None]


def sign(wrong: Sequence[Pair]) -> Iterator[Candidate]:
    yield Candidate("sign", "Every number has the wrong sign.", lambda p: whole(p, -1))
    if all(p.carried is not None for p in wrong):
        yield Candidate(
            "step_sign", "The step has the right length, but goes the opposite way.", lambda p: change(p, -1),
            hint="Is what the step computes added to the old value, or taken from it?",
        )  # fmt: skip


def factor(wrong: Sequence[Pair]) -> Iterator[Candidate]:
    """Every number is a constant times what it should be; then: the change of every number is."""
    if any(p.e.shape != p.a.shape for p in wrong):
        return
    yield from factors(wrong, whole, "Every number is", "factor")
    if all(p.carried is not None for p in wrong):
        yield from factors(wrong, change, "The step, new minus old value, is", "step_factor")


def factors(wrong: Sequence[Pair], scaled: Scaled, subject: str, name: str) -> Iterator[Candidate]:
    few = glimpse(wrong)
    base = scaled(few.pair, 0.0)
    if base is None:
        return
    known, values = factors_at_hand(few.pair)
    likely = few.scaled(base[1], values)
    complete = np.all(likely, axis=1)
    common = set(shared([constants(p) for p in wrong])) if likely[len(PLAIN) :].any() else set()
    for i in np.flatnonzero(likely.any(axis=1)):
        if i < len(PLAIN):
            k, word = list(PLAIN.items())[i]
            text = f"{subject} {word} times what it should be: a constant factor."
            yield Candidate(name, text, lambda p, k=k: scaled(p, k), hint=WHERE, partly=not complete[i])
            continue
        n, power, s = known[i - len(PLAIN)]
        if n in common:
            yield Candidate(
                name, f"{subject} what it should be {POWERS[power]} {n}{SIGNS[s]}.",
                lambda p, n=n, k=power, s=s: scaled(p, s * constants(p)[n] ** k), hint=WHERE, partly=not complete[i],
            )  # fmt: skip
    yield from fitted(wrong, few, scaled, subject, name)


@once_a_call
def factors_at_hand(pair: Pair) -> tuple[list[tuple[str, float, int]], np.ndarray]:
    """Numbers at hand by name, power and sign; the values of `PLAIN`, then theirs."""
    table = constants(pair)
    with np.errstate(all="ignore"):
        powers = np.array(list(table.values()))[:, None] ** list(POWERS)
        values = np.array([*PLAIN, *(powers[:, :, None] * list(SIGNS)).ravel()])
    return list(product(table, POWERS, SIGNS)), values


def fitted(wrong: Sequence[Pair], few: Glimpse, scaled: Scaled, subject: str, name: str) -> Iterator[Candidate]:
    """Factors read off the answer: one for all arrays, one for all of a call, or one for each."""
    base = scaled(few.pair, 0.0)
    k, mine = ratio(wrong[0], scaled), ratio(few.pair, scaled)
    first, own = few.scaled(base[1], np.array([k, mine])) if base else np.zeros((2, 1), bool)
    if k and first.any():
        text = f"{subject} the same number of times what it should be: a constant factor."
        if len({p.place[:3] for p in wrong}) == 1:  # of a single call, or step, nobody knows
            text = f"{subject} the same number of times what it should be, in the first call or step that is wrong."
        yield Candidate(name, text, lambda p: scaled(p, k), free=1, hint=WHERE,
                        detail=f"The factor is {k:.4g}{share(k)}.", partly=not first.all())  # fmt: skip
    if len(wrong) > 1 and own.any() and all(ratio(p, scaled) for p in wrong):
        each = "call" if len(calls(wrong)) == len(wrong) else "array"
        text = f"{subject} a multiple of what it should be, another one in each {each}."
        yield Candidate(name, text, lambda p: scaled(p, ratio(p, scaled)), free=len(wrong), hint=WHERE,
                        partly=not own.all())  # fmt: skip


def calls(wrong: Sequence[Pair]) -> dict[tuple[str, int, str], Pair]:
    """Of each call the array in which most would be scaled."""
    found: dict[tuple[str, int, str], Pair] = {}
    for p in wrong:
        before = found.get(p.place[:3])
        if before is None or p.size > before.size:
            found[p.place[:3]] = p
    return found


def factor_of_call(wrong: Sequence[Pair]) -> Iterator[Candidate]:
    """All arrays that a call returned, or what a step adds to them, are the same multiple of what they should be."""
    one = calls(wrong)
    if any(p.e.shape != p.a.shape for p in wrong) or not 1 < len(one) < len(wrong):
        return
    bases: list[tuple[str, Scaled, str, str]] = [("factor", whole, "every number", "call")]
    if all(p.carried is not None for p in wrong):
        bases.append(("step_factor", change, "what is added to the old value", "step"))
    for name, scaled, subject, each in bases:
        of_call = {place: ratio(p, scaled) for place, p in one.items()}
        if all(of_call.values()):
            first = next(iter(of_call.values()))
            text = (
                f"In each {each}, {subject} is the same multiple of what it should be in all arrays, and another one "
                f"in each {each}: what is wrong is computed once for all of them."
            )
            yield Candidate(
                name, text, lambda p, scaled=scaled, k=of_call: scaled(p, k[p.place[:3]]), free=len(of_call),
                hint="Which of your numbers holds for all arrays together, and from what is it computed?",
                detail=f"In the first that is wrong, the factor is {first:.4g}.",
            )  # fmt: skip


def share(k: float) -> str:
    """What a factor is one over, if that is a whole number that somebody may have counted."""
    n = inverse(k, EXACT)
    return f", which is 1/{n}" if n else ""


def inverse(k: float, within: float) -> int:
    """The whole number from 3 on, of either sign, that a factor is one over; 0 if it is none."""
    n = round(1 / k) if k and np.isfinite(k) else 0
    return n if 2 < abs(n) <= COUNTED and abs(k * n - 1) <= within else 0


@lru_cache(CACHED)
def ratio(pair: Pair, scaled: Scaled) -> float:
    """From the entry in which most would be scaled; 0 if there is nothing to scale."""
    zero, one = scaled(pair, 0.0), scaled(pair, 1.0)
    if zero is None or one is None or not pair.e.size:
        return 0.0
    full = one[1] - zero[1]
    at = np.unravel_index(int(np.argmax(np.abs(full))), full.shape)
    return float((pair.a - zero[1])[at] / full[at]) if full[at] and np.isfinite(full[at]) else 0.0


def proportional(pair: Pair, scaled: Scaled = whole) -> bool:
    """Whether the answer, or what a step adds, is some multiple of what it should be."""
    same = scaled(pair, ratio(pair, scaled))
    with np.errstate(all="ignore"):
        return same is not None and bool((np.abs(same[0] - same[1]) <= 2 * pair.slack(same[1])).all())


def another_size(wrong: Sequence[Pair]) -> Iterator[Candidate]:
    """Divided by one size where another is asked for: by the last axis where the batch is the first."""
    if any(p.e.shape != p.a.shape for p in wrong):
        return
    few = glimpse(wrong)
    both, ratios = sizes_by_sizes(few.pair)
    likely = np.flatnonzero(few.scaled(np.zeros(few.pair.e.shape), ratios).all(axis=1)) if both else ()
    common = set(shared([sizes(p) for p in wrong])) if len(likely) else set()
    hopeful = [both[i] for i in likely if set(both[i]) <= common]
    for one, other in hopeful:
        ratios = {sizes(p)[one] / sizes(p)[other] for p in wrong}
        if len(ratios) > 1 or len(hopeful) == 1:  # of two sizes that do as well, none is known to be meant
            text = f"Every number is what it should be times {one}, divided by {other}."
            yield Candidate("factor", text, lambda p, n=one, m=other: whole(p, sizes(p)[n] / sizes(p)[m]),
                            hint="What do you divide by, and which of the two counts what is meant?")  # fmt: skip


@once_a_call
def sizes_by_sizes(pair: Pair) -> tuple[list[tuple[str, str]], np.ndarray]:
    """Two sizes by their names, and the first divided by the second, where they differ."""
    table = {name: n for name, n in sizes(pair).items() if n}
    both = [(one, other) for one, other in permutations(table, 2) if table[one] != table[other]]
    return both, np.array([table[one] / table[other] for one, other in both])


def offset(wrong: Sequence[Pair]) -> Iterator[Candidate]:
    """Every entry is off by the same amount, at least within its array."""
    if any(p.e.shape != p.a.shape for p in wrong):
        return
    for by, word in ((1, "one too large"), (-1, "one too small")):
        yield Candidate("offset", f"Every number is {word}.", lambda p, by=by: (p.a, p.e + by))
    text = "Every entry is off by the same amount: a term is missing or counted twice."
    yield Candidate("offset", text, lambda p: (p.a, p.e + amount(p)), free=len(wrong))


def amount(pair: Pair) -> float:
    return float(np.median(pair.a - pair.e)) if pair.e.size else 0.0
