"""Readings of ratios: the answer is the right one times something at hand, or a multiple of its own in each row.

Apart from some operand perhaps: where a shift is added at the end, it is what comes before the shift that is too large.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from .candidate import Candidate, Same
from .glimpse import glimpse
from .layout import axis_name
from .operands import arrays, shared
from .scale import inverse
from .seen import Pair
from .words import lower

Base = Callable[[Pair], np.ndarray | None]
NEARLY_ONE = 1e-3  # by which factors may differ that are one but for an epsilon
ENOUGH = 4  # wrong entries: fewer have a ratio to something by chance
FORMS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "{}": lambda x: x,
    "(1 − {})": lambda x: 1 - x,
    "(1 + {})": lambda x: 1 + x,
    "{}²": np.square,
    "√{}": np.sqrt,
}
ASKS = {1: "Where does this factor come in, and does the formula have it?",
        -1: "Is it a factor that is missing, or a division too many?"}  # fmt: skip


def few_wrong(wrong: Sequence[Pair]) -> bool:
    return any(p.e.shape != p.a.shape for p in wrong) or sum(p.visibly_wrong for p in wrong) < ENOUGH


def plain_bases(wrong: Sequence[Pair]) -> dict[str, Base]:
    """From where numbers are scaled: zero, or the value that a step began with."""
    found: dict[str, Base] = {"The answer is": lambda p: np.zeros(p.e.shape)}
    if all(p.carried is not None for p in wrong):
        found["The step, new minus old value, is"] = lambda p: p.carried
    return found


def added_bases(wrong: Sequence[Pair]) -> dict[str, Base]:
    """An operand that is added at the end."""
    return {
        f"Apart from {x}, the answer is": lambda p, x=x: np.broadcast_to(arrays(p)[x], p.e.shape)
        for x in shared([arrays(p) for p in wrong])
    }


# ---------------------------------------------------------------------------------------------- times something at hand
def multiplied(wrong: Sequence[Pair]) -> Iterator[Candidate]:
    """The right one times an operand, its complement, its square, its root; or divided by it."""
    yield from products(wrong, plain_bases(wrong))


def multiplied_apart(wrong: Sequence[Pair]) -> Iterator[Candidate]:
    """The same of what is left when an operand is taken away."""
    yield from products(wrong, added_bases(wrong))


def products(wrong: Sequence[Pair], bases: dict[str, Base]) -> Iterator[Candidate]:
    if few_wrong(wrong):
        return
    operands = shared([arrays(p) for p in wrong])
    if not operands:
        return
    tried = [(x, form, power) for x in operands for form in FORMS for power in (1, -1)]
    few = glimpse(wrong)
    with np.errstate(all="ignore"):
        values = np.array([few.of(arrays(few.pair)[x]) for x in operands])
        forms = np.stack([function(values) for function in FORMS.values()], axis=1)
        factors = np.stack([forms, 1 / forms], axis=2).reshape(len(tried), -1)
    for subject, base in bases.items():
        start = base(few.pair)
        if start is None:
            continue
        right = few.scaled(start, factors)
        complete = np.all(right | np.isinf(factors), axis=1)  # what is divided by zero is judged by the candidate
        for i in np.flatnonzero(right.any(axis=1) & (factors != 1).any(axis=1)):
            x, form, power = tried[i]
            word = "times" if power == 1 else "divided by"
            text = f"{subject} the right one {word} {form.format(x)}."
            yield Candidate("multiplied", text, lambda p, t=tried[i], b=base: times(p, b, *t), hint=ASKS[power],
                            partly=not complete[i])  # fmt: skip


def times(pair: Pair, base: Base, x: str, form: str, power: int) -> Same | None:
    start = base(pair)
    if start is None:
        return None
    factor = FORMS[form](arrays(pair)[x])
    if power < 0:  # multiplied on the other side: where it is zero, zero is expected
        return start + factor * (pair.a - start), pair.e
    return pair.a, start + factor * (pair.e - start)


# ------------------------------------------------------------------------------------------- one multiple for each row
Along = Callable[[Pair], tuple[int, ...]]
"""The axes along which a multiple is the same."""


def by_row(wrong: Sequence[Pair]) -> Iterator[Candidate]:
    """A factor, or a multiple of an operand that is added: the same along some axes, another one along the rest."""
    if few_wrong(wrong) or min(p.e.ndim for p in wrong) < 1:
        return
    worst = glimpse(wrong).pair
    for words, along in rows(wrong):
        fitted = sum(p.e.size // max(1, int(np.prod([p.e.shape[i] for i in along(p)]))) for p in wrong)
        yield from row_factors(wrong, worst, words, along, fitted)
        yield from row_terms(wrong, worst, words, along, fitted)


def row_factors(wrong: Sequence[Pair], worst: Pair, words: str, along: Along, fitted: int) -> Iterator[Candidate]:
    for subject, base in {**plain_bases(wrong), **added_bases(wrong)}.items():
        start = base(worst)
        if start is None or not in_one_row(worst, worst.a - start, worst.e - start, along(worst)):
            continue
        text = f"{subject} a multiple of what it should be, another one for each {words}."
        hint = f"Which of your numbers belong to one {words} as a whole, and what are they divided by?"
        detail = ""
        k = about_one_factor(wrong, along, base)
        if k:
            text = f"In each call {lower(subject)} nearly the same multiple of what it should be everywhere."
            hint = "What is it divided by, and is something small, such as an eps, added before that?"
            detail = f"In the first that is wrong, the factor is about {k:.4g}{about_one_over(k)}."
        yield Candidate("row_factor", text, lambda p, b=base: scaled_rows(p, along, b), fitted, hint, detail)


def about_one_factor(wrong: Sequence[Pair], along: Along, base: Base) -> float:
    """The factor in the first array, if those of all its rows are nearly one, and so in every array; else 0."""
    first = 0.0
    for p in wrong:
        start = base(p)
        if start is None or not p.e.size:
            return 0.0
        factors = multiples(p.a - start, p.e - start, along(p)).ravel()
        middle = float(np.median(factors))
        if not middle or (np.abs(factors - middle) > NEARLY_ONE * abs(middle)).any():
            return 0.0
        first = first or middle
    return first


def about_one_over(k: float) -> str:
    """Of which whole number it is about the inverse, or the inverse root."""
    for power, words in ((1, ", one over {}"), (2, ", one over the root of {}")):
        n = inverse(abs(k) ** power, NEARLY_ONE)
        if n:
            return words.format(n)
    return ""


def row_terms(wrong: Sequence[Pair], worst: Pair, words: str, along: Along, fitted: int) -> Iterator[Candidate]:
    for x in ("", *shared([arrays(p) for p in wrong])):
        if not in_one_row(worst, worst.a - worst.e, term_of(worst, x), along(worst)):
            continue
        term = f"a multiple of {x}" if x else "a number"
        text = f"The answer is the right one plus {term}, another one for each {words}."
        hint = f"Which sum or mean over one {words} is added or taken away, and is it the right one?"
        yield Candidate("row_term", text, lambda p, x=x: added_rows(p, along, x), fitted, hint)


def in_one_row(pair: Pair, of: np.ndarray, term: np.ndarray, along: tuple[int, ...]) -> bool:
    """Whether it is a multiple in the row in which the term is largest: most often it is not, and need not be tried."""
    at = np.unravel_index(int(np.argmax(np.abs(term))), term.shape)
    row = tuple(slice(None) if i in along else int(k) for i, k in enumerate(at))
    with np.errstate(all="ignore"):
        return bool((np.abs(of[row] - of[at] / term[at] * term[row]) <= pair.loudest[2]).all())


def term_of(pair: Pair, x: str) -> np.ndarray:
    return np.broadcast_to(arrays(pair)[x] if x else np.ones(()), pair.e.shape)


def rows(wrong: Sequence[Pair]) -> Iterator[tuple[str, Along]]:
    """What a multiple may belong to, in words: each sample, each channel, each row of numbers."""
    ndim = min(p.e.ndim for p in wrong)
    for axis in range(ndim if ndim > 1 else 0):
        name = axis_name(wrong, axis).removeprefix("the axis ").strip("'").replace("axis", "index of axis")
        yield name, lambda p, i=axis: tuple(k for k in range(p.e.ndim) if k != i)
    if len({p.e.ndim for p in wrong}) > 1:
        yield "index of the last axis", lambda p: tuple(range(p.e.ndim - 1))
    if any(p.e.ndim > 2 for p in wrong) or ndim == 1:
        yield "row along the last axis", lambda p: (p.e.ndim - 1,)
    if ndim > 2:
        yield "index of the first and the last axis", lambda p: tuple(range(1, p.e.ndim - 1))
    if all(given_axis(p) is not None for p in wrong):
        yield "row along the axis that is given", lambda p: ((given_axis(p) or 0) % p.e.ndim,)


def given_axis(pair: Pair) -> int | None:
    """An argument, or an entry of one, that is called so."""
    found = [x for name, x in pair.given.leaves if name == "axis" or name.endswith("['axis']")]
    return found[0] if len(found) == 1 and type(found[0]) is int else None


def scaled_rows(pair: Pair, along: Along, base: Base) -> Same | None:
    start = base(pair)
    if start is None or not pair.e.size:
        return None
    full = pair.e - start
    return pair.a, start + full * multiples(pair.a - start, full, along(pair))


def added_rows(pair: Pair, along: Along, x: str) -> Same | None:
    if not pair.e.size:
        return None
    term = term_of(pair, x)
    return pair.a, pair.e + term * multiples(pair.a - pair.e, term, along(pair))


def multiples(of: np.ndarray, term: np.ndarray, along: tuple[int, ...]) -> np.ndarray:
    """How many times the term it is in each row, read off where the term is largest."""
    kept = tuple(i for i in range(term.ndim) if i not in along)
    one_row = [int(np.prod([term.shape[i] for i in axes])) for axes in (kept, along)]
    rows, terms = (x.transpose(*kept, *along).reshape(one_row) for x in (of, term))
    at = np.arange(len(terms)), np.argmax(np.abs(terms), axis=1)
    found = np.divide(rows[at], terms[at], out=np.zeros(len(terms)), where=terms[at] != 0)
    return found.reshape([n if i in kept else 1 for i, n in enumerate(term.shape)])
