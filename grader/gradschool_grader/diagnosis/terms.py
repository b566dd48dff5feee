"""Readings of terms: the answer is the right one plus or minus something that was at hand, `decay` times `params` say.

The difference must equal the term in every entry; where only a multiple of it does, that is what is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np

from .candidate import Candidate, Same
from .glimpse import Glimpse, glimpse
from .operands import arrays, multipliers, scalars, shared
from .seen import Pair

ASKS = {
    1: "Where does this term come in once too often, or where is it not taken off?",
    -1: "Is this term missing, or taken away where it should be added?",
    2: "Does this term have the wrong sign?",
    -2: "Does this term have the wrong sign?",
}
CACHED = 64  # lists of terms: the arrays of one exercise have few different ones
AMOUNT = {1: "plus", -1: "minus", 2: "plus twice", -2: "minus twice"}


@dataclass(frozen=True)
class Term:
    """A number by its name in `multipliers`, times a product of arrays by theirs in `arrays`."""

    number: str
    factors: tuple[str, ...]

    @property
    def text(self) -> str:
        product = f"{self.factors[0]}²" if len(set(self.factors)) < len(self.factors) else " · ".join(self.factors)
        return self.number.format(product)

    def __call__(self, pair: Pair) -> np.ndarray:
        product = np.asarray(multipliers(pair)[self.number])
        for x in self.factors:
            product = product * arrays(pair)[x]
        return product


def terms(wrong: Sequence[Pair]) -> Iterator[Candidate]:
    """One operand, an operand times a hyperparameter, a product of two operands, then a multiple of one."""
    if any(p.e.shape != p.a.shape for p in wrong):
        return
    if all(p.e.ndim == 0 for p in wrong):
        yield from numbers(wrong)
        return
    few = glimpse(wrong)
    with_first = (few.pair, *wrong)
    known, operands = (tuple(shared([table(p) for p in with_first])) for table in (multipliers, arrays))
    found, places = products(known, operands)
    if not found:
        return
    values, sizes = evaluated(known, operands, places, few)
    amounts = np.array(list(AMOUNT))
    right = few.added(
        (amounts[:, None] * values[:, None]).reshape(-1, values.shape[1]), (np.abs(amounts) * sizes[:, None]).ravel()
    ).reshape(len(found), len(AMOUNT), -1)
    complete = np.all(right, axis=2)
    for i, j in np.argwhere(right.any(axis=2)):
        k, term = list(AMOUNT)[j], found[i]
        text = f"The answer is the right one {AMOUNT[k]} {term.text}."
        yield Candidate("term", text, lambda p, t=term, k=k: added(p, k * t(p)), hint=ASKS[k],
                        partly=not complete[i, j])  # fmt: skip
    bare = places[:, 0] == known.index("{}")  # a multiple of a number times an operand is one of the operand
    along = few.proportional(values)
    complete = np.all(along, axis=1)
    for i in np.flatnonzero(bare & (along & (values != 0)).any(axis=1) & (few.at.size > 1)):
        text = f"The answer is the right one plus a multiple of {found[i].text}."
        yield Candidate("term", text, lambda p, t=found[i]: added(p, multiple(p, t)), free=2 * len(wrong), hint=ASKS[1],
                        partly=not complete[i])  # fmt: skip


def numbers(wrong: Sequence[Pair]) -> Iterator[Candidate]:
    """Single numbers: a hyperparameter too many or too few."""
    for name in shared([scalars(p) for p in wrong]):
        for k, word in AMOUNT.items():
            text = f"The answer is the right one {word} {name}."
            yield Candidate("term", text, lambda p, n=name, k=k: added(p, k * np.asarray(scalars(p)[n])), hint=ASKS[k])


def added(pair: Pair, term: np.ndarray) -> Same | None:
    return (pair.a, pair.e + term) if np.shape(term) in ((), pair.e.shape) or pair.e.ndim else None


def multiple(pair: Pair, term: Term) -> np.ndarray:
    t = np.broadcast_to(term(pair), pair.e.shape)
    square = float((t * t).sum())
    return t * (float((t * (pair.a - pair.e)).sum()) / square if square else 0.0)


@lru_cache(CACHED)
def products(known: tuple[str, ...], operands: tuple[str, ...]) -> tuple[list[Term], np.ndarray]:
    """The terms, and the places `(terms, 3)` of their number and their two factors, -1 for none."""
    one_number = [n for n in known if n.count("`") <= 2]
    two = [n for n in known if n not in one_number]
    found = [
        *(term for x in operands for term in (*(Term(n, (x,)) for n in one_number), Term("{}", (x, x)))),
        *(Term("{}", both) for both in combinations(operands, 2)),
        *(Term(n, (x,)) for n in two for x in operands),
    ]
    number, factor = ({name: i for i, name in enumerate(names)} for names in (known, operands))
    places = [(number[t.number], *[*(factor[x] for x in t.factors), -1][:2]) for t in found]
    return found, np.array(places, int).reshape(-1, 3)


def evaluated(
    known: tuple[str, ...], operands: tuple[str, ...], places: np.ndarray, few: Glimpse
) -> tuple[np.ndarray, np.ndarray]:
    """What the terms `(terms, entries)` are in these entries, and a bound `(terms,)` of their size anywhere."""
    factors = [arrays(few.pair)[x] for x in operands]
    table = np.array([*(few.of(x) for x in factors), np.ones(few.at.size)])  # the last one is for no factor
    bounds = np.array([*(float(np.abs(x).max(initial=0.0)) for x in factors), 1.0])
    numbers = np.array([multipliers(few.pair)[name] for name in known])[places[:, 0]]
    first, second = places[:, 1], places[:, 2]
    with np.errstate(all="ignore"):
        values, sizes = table[first] * table[second], bounds[first] * bounds[second]
        return numbers[:, None] * values, np.abs(numbers) * sizes
