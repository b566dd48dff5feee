"""Readings of terms: the answer is the right one plus or minus something that was at hand, `decay` times `params` say.

The difference must equal the term in every entry; where only a multiple of it does, that is what is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

import numpy as np

from .candidate import Candidate, Same
from .operands import arrays, scalars, shared, sizes
from .seen import Pair

Term = Callable[[Pair], np.ndarray]
ASKS = {
    1: "Where does this term come in a second time, or where it should not?",
    -1: "Is this term missing, or taken away where it should be added?",
    2: "Does this term have the wrong sign?",
    -2: "Does this term have the wrong sign?",
}
AMOUNT = {1: "plus", -1: "minus", 2: "plus twice", -2: "minus twice"}


def terms(wrong: Sequence[Pair]) -> Iterator[Candidate]:
    """One operand, an operand times a hyperparameter, a product of two operands, then a multiple of one."""
    if any(p.e.shape != p.a.shape for p in wrong):
        return
    found = list(products(wrong))
    for name, term in found:
        for k, word in AMOUNT.items():
            text = f"The answer is the right one {word} {name}."
            yield Candidate("term", text, lambda p, t=term, k=k: added(p, k * t(p)), hint=ASKS[k])
    for name, term in found:
        text = f"The answer is the right one plus a multiple of {name}."
        free = 2 * len(wrong)
        yield Candidate("term", text, lambda p, t=term: added(p, multiple(p, t)), free=free, hint=ASKS[1])


def added(pair: Pair, term: np.ndarray) -> Same | None:
    return (pair.a, pair.e + term) if np.shape(term) in ((), pair.e.shape) or pair.e.ndim else None


def multiple(pair: Pair, term: Term) -> np.ndarray:
    t = np.broadcast_to(term(pair), pair.e.shape)
    square = float((t * t).sum())
    return t * (float((t * (pair.a - pair.e)).sum()) / square if square else 0.0)


def products(wrong: Sequence[Pair]) -> Iterator[tuple[str, Term]]:
    numbers, counts = shared([scalars(p) for p in wrong]), shared([sizes(p) for p in wrong])
    if all(p.e.ndim == 0 for p in wrong):
        for name in numbers:
            yield name, lambda p, n=name: np.asarray(scalars(p)[n])
        return
    operands = shared([arrays(p) for p in wrong])
    for x in operands:
        yield x, lambda p, x=x: arrays(p)[x]
        for s in numbers:
            yield f"{s} · {x}", lambda p, x=x, s=s: scalars(p)[s] * arrays(p)[x]
            yield f"(1 − {s}) · {x}", lambda p, x=x, s=s: (1 - scalars(p)[s]) * arrays(p)[x]
        for n in counts:
            yield f"{x} / {n}", lambda p, x=x, n=n: arrays(p)[x] / sizes(p)[n]
        yield f"{x}²", lambda p, x=x: arrays(p)[x] ** 2
    for x, y in combinations(operands, 2):
        yield f"{x} · {y}", lambda p, x=x, y=y: arrays(p)[x] * arrays(p)[y]
    for s, r in combinations(numbers, 2):
        for x in operands:
            yield f"{s} · {r} · {x}", lambda p, x=x, s=s, r=r: scalars(p)[s] * scalars(p)[r] * arrays(p)[x]
