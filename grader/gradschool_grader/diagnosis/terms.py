"""Readings of terms: the answer is the right one plus or minus something that was at hand, `decay` times `params` say.

The difference must equal the term in every entry; where only a multiple of it does, that is what is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from .candidate import Candidate, Same
from .glimpse import Glimpse
from .operands import arrays, multipliers, scalars, shared
from .seen import Pair

ASKS = {
    1: "Where does this term come in a second time, or where it should not?",
    -1: "Is this term missing, or taken away where it should be added?",
    2: "Does this term have the wrong sign?",
    -2: "Does this term have the wrong sign?",
}
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

    def known(self, pair: Pair) -> bool:
        return self.number in multipliers(pair) and all(x in arrays(pair) for x in self.factors)

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
    few = Glimpse(wrong)
    found = products(few.pair)
    if not found:
        return
    values, sizes = evaluated(found, few)
    plainly = {k: few.added(k * values, abs(k) * sizes) for k in AMOUNT}
    in_part = few.proportional(values, sizes)
    for i in np.flatnonzero(np.any(list(plainly.values()), axis=0)):
        for k in (k for k in AMOUNT if plainly[k][i] and all(found[i].known(p) for p in wrong)):
            text = f"The answer is the right one {AMOUNT[k]} {found[i].text}."
            yield Candidate("term", text, lambda p, t=found[i], k=k: added(p, k * t(p)), hint=ASKS[k])
    for term in (found[i] for i in np.flatnonzero(in_part)):
        if all(term.known(p) for p in wrong):
            text = f"The answer is the right one plus a multiple of {term.text}."
            free = 2 * len(wrong)
            yield Candidate("term", text, lambda p, t=term: added(p, multiple(p, t)), free=free, hint=ASKS[1])


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


def products(pair: Pair) -> list[Term]:
    operands, known = list(arrays(pair)), list(multipliers(pair))
    one_number = [n for n in known if n.count("`") <= 2]
    two = [n for n in known if n not in one_number]
    return [
        *(term for x in operands for term in (*(Term(n, (x,)) for n in one_number), Term("{}", (x, x)))),
        *(Term("{}", both) for both in combinations(operands, 2)),
        *(Term(n, (x,)) for n in two for x in operands),
    ]


def evaluated(found: Sequence[Term], few: Glimpse) -> tuple[np.ndarray, np.ndarray]:
    """What the terms `(terms, entries)` are in these entries, and a bound `(terms,)` of their size anywhere."""
    table = {x: few.of(value) for x, value in arrays(few.pair).items()}
    bounds = {x: float(np.abs(value).max(initial=0.0)) for x, value in arrays(few.pair).items()}
    numbers = np.array([multipliers(few.pair)[term.number] for term in found])
    with np.errstate(all="ignore"):
        values = np.array([np.prod([table[x] for x in term.factors], axis=0) for term in found])
        sizes = np.array([np.prod([bounds[x] for x in term.factors]) for term in found])
        return numbers[:, None] * values, np.abs(numbers) * sizes
