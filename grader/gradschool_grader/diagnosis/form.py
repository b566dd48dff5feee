"""Readings of form: the right things came, but not as they were asked for. One item alone, another order, another type.

Each says what would have been expected of such an answer; it counts if that is what came in every call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np

from ..compare import compare_values
from ..exercise import Group, Property
from ..inside.perform import leaves
from ..inside.values import Handle
from ..verdict import Diagnosis
from .seen import NUMBERS, Seen, is_row, one_by_one
from .words import said

KINDS = {"type", "structure", "dtype", "shape", "value"}
MOST = 4  # items whose order is looked at
ALONE = "What stands in your `return`, and what else does the task ask for?"
NOT_SO = object()
"""An answer of which a reading says nothing."""


@dataclass(frozen=True)
class Form:
    """What is said, and what is expected of an answer of this form, given what is asked for and what came."""

    name: str
    text: str
    hint: str
    expected: Callable[[Any, Any], Any]


def another_form(failed: Sequence[Seen]) -> Diagnosis | None:
    """The first form in which all answers of the groups that failed are right."""
    if any(s.difference is None or s.difference.kind not in KINDS for s in failed):
        return None
    calls = list(values(failed))
    first = next(((e, a) for group, e, a in calls if not same(group, e, a)), None)
    for form in forms(*first) if first else ():
        if all(same(group, e, a) or same(group, form.expected(e, a), a) for group, e, a in calls):
            return said(form.name, form.text, form.hint)
    return None


def values(failed: Sequence[Seen]) -> Iterator[tuple[Group, Any, Any]]:
    """What was expected of each call that has one right answer, and what came."""
    for s in failed:
        for e, a in one_by_one(s):
            if not e.behaviour.error and not isinstance(s.probes[e.probe], Property):
                yield s.group, e.behaviour.value, a.behaviour.value


def same(group: Group, expected: Any, came: Any) -> bool:
    return expected is not NOT_SO and compare_values(expected, came, (), group) is None


def forms(e: Any, a: Any) -> Iterator[Form]:
    """Those that fit the first wrong answer by their kind."""
    if isinstance(e, Handle) and type(a) in (int, float, np.ndarray):
        text = "A number came where a function is asked for that gives such numbers."
        yield Form("called", text, "Do you return the inner function itself, or what it gives for some argument?",
                   lambda e, a: a if isinstance(e, Handle) and np.ndim(a) == 0 else NOT_SO)  # fmt: skip
    yield from types(e, a)
    if is_row(e):
        yield from items(e, a)
    yield Form("none", "`None` stands where zeros are expected, or nothing in a container; all else is right.",
               "What does the task ask for there: is it the same as no answer?", without_zeros)  # fmt: skip
    if is_row(a) and not is_row(e):
        for i in range(len(a)):
            text = f"More came than is asked for: what is asked for is item {i} of it."
            yield Form("more", text, "What stands in your `return`, and what of it does the task ask for?",
                       lambda e, a, i=i: in_its_place(e, a, i))  # fmt: skip


# ------------------------------------------------------------------------------------------------------------- items
def items(e: Any, a: Any) -> Iterator[Form]:
    """One item alone, one too few, one too many, or all in another order."""
    n = len(e)
    for i in range(n if type(e) is tuple else 0):
        text = f"Only item {i} of what is asked for came: {n} items are asked for, in a tuple."
        yield Form("alone", text, ALONE, lambda e, a, i=i: e[i] if type(e) is tuple and i < len(e) else NOT_SO)
    for i in range(MOST):
        text = f"Where a tuple is asked for, only item {i} of it came."
        yield Form("alone", text, ALONE, lambda e, a, i=i: mapped(lambda x, y: one_of(x, i), e, a))
    if not is_row(a):
        return
    for place, rest in (("first", slice(1, None)), ("last", slice(None, -1))):
        text = f"The {place} item is missing. All others are right."
        yield Form("item_missing", text, f"Which of your lines is for the {place} one, and does it run?",
                   lambda e, a, rest=rest: e[rest] if is_row(e) else NOT_SO)  # fmt: skip
    for place in ("first", "last"):
        text = f"There is one item too many: the {place} one. All others are right."
        yield Form("item_too_many", text, f"Which of your lines adds the {place} one?",
                   lambda e, a, place=place: with_one_more(e, a, place))  # fmt: skip
    for order in permutations(range(n)) if n <= MOST and len(a) == n else ():
        text = f"The items are right, but in another order: {order} of what is asked for."
        yield Form("item_order", text, "In which order does the task list them?",
                   lambda e, a, order=order: in_order(e, order))  # fmt: skip


def one_of(x: Any, i: int) -> Any:
    return x[i] if type(x) is tuple and i < len(x) else x


def in_its_place(e: Any, a: Any, i: int) -> Any:
    """What came, with what is expected in the place of one item."""
    return type(a)([*a[:i], e, *a[i + 1 :]]) if is_row(a) and i < len(a) else NOT_SO


def with_one_more(e: Any, a: Any, place: str) -> Any:
    """What is expected, with what came as one item more."""
    if not (is_row(e) and is_row(a) and len(a) == len(e) + 1):
        return NOT_SO
    return type(e)([a[0], *e] if place == "first" else [*e, a[-1]])


def in_order(e: Any, order: tuple[int, ...]) -> Any:
    return type(e)(e[i] for i in order) if is_row(e) and len(e) == len(order) else NOT_SO


# ------------------------------------------------------------------------------------------------------------- types
def types(e: Any, a: Any) -> Iterator[Form]:
    """The right numbers in another type of number."""
    wanted, came = next(((x.dtype, y.dtype) for x, y in beside(e, a) if of_two_types(x, y)), (None, None))
    if wanted is not None:
        text = f"The numbers are right, but of another type: {came} came where {wanted} is expected."
        hint = "Which number or array in your lines is of another type than the input?"
        yield Form("number_type", text, hint, retyped)


def of_two_types(x: Any, y: Any) -> bool:
    both = isinstance(x, np.ndarray) and isinstance(y, np.ndarray) and x.shape == y.shape
    return both and x.dtype != y.dtype and {x.dtype.kind, y.dtype.kind} <= NUMBERS


def beside(e: Any, a: Any) -> Iterator[tuple[Any, Any]]:
    """The leaves of two trees of one form."""
    if is_row(e) and is_row(a) and len(e) == len(a):
        for x, y in zip(e, a, strict=True):
            yield from beside(x, y)
    elif type(e) is dict and type(a) is dict and e.keys() == a.keys():
        for key in e:
            yield from beside(e[key], a[key])
    else:
        yield e, a


def retyped(e: Any, a: Any) -> Any:
    """What is expected, in the types that came, where that keeps the numbers."""

    def of(x: Any, y: Any) -> Any:
        if not of_two_types(x, y):
            return x
        with np.errstate(all="ignore"):
            there, back = x.astype(y.dtype), y.astype(x.dtype)
        exact = x.dtype.kind == y.dtype.kind == "f" or (np.array_equal(there, x) and np.array_equal(back, y))
        near = np.allclose(back, x, rtol=1e-4, atol=1e-6) if x.dtype.kind == "f" else True
        return y if exact and near else x

    return mapped(of, e, a)


def without_zeros(e: Any, a: Any) -> Any:
    """What is expected, with `None` in the place of the zeros, or of the nothing, for which it came."""
    return mapped(lambda x, y: None if y is None and is_nothing(x) else x, e, a)


def is_nothing(tree: Any) -> bool:
    """A container with nothing in it, or with zeros."""
    return all(isinstance(x, np.ndarray | float | int) and not np.any(x) for _, x in leaves(tree))


def mapped(change: Callable[[Any, Any], Any], e: Any, a: Any) -> Any:
    """The first of two trees with its leaves changed, as far as the second has the same form."""
    if is_row(e) and is_row(a) and len(e) == len(a):
        return type(e)(mapped(change, x, y) for x, y in zip(e, a, strict=True))
    if type(e) is dict and type(a) is dict and e.keys() == a.keys():
        return {key: mapped(change, e[key], a[key]) for key in e}
    return change(e, a)
