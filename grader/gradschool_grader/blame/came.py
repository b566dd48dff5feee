"""What expressions came to: what of it can stand in each other's place, and what is the same but for rounding.

Came([2.0, np.ones(3)]).kinds       # (((), False), ((3,), False)): shapes, and whether they are truth values
Came([1 / 3]).key == Came([1 - 2 / 3]).key
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

MANY = 3  # entries that are the same, and a fourth of all
NEAR = 1e-7  # of the largest number: what is nearer is the same


@dataclass(frozen=True, eq=False)
class Came:
    """What an expression came to, one time after another: numbers, truth values, arrays of them."""

    values: list[Any]

    @cached_property
    def kinds(self) -> tuple[tuple[tuple[int, ...], bool], ...]:
        """What is the same for what can stand in each other's place: shapes, and numbers or truth values."""
        return tuple((np.shape(x), is_truthy(x)) for x in self.values)

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """What is the same for what is the same but for rounding."""
        with np.errstate(over="ignore"):
            return self.kinds, b"".join((np.asarray(x, np.float32) + np.float32(0)).tobytes() for x in self.values)

    @cached_property
    def is_same(self) -> bool:
        """Whether it is the same thing every time."""
        keys = {Came([x]).key for x in self.values}
        return len(keys) == 1

    @cached_property
    def is_truth(self) -> bool:
        """Whether it is true or false, each time as a whole."""
        return all(kind == ((), True) for kind in self.kinds)

    @cached_property
    def is_whole(self) -> bool:
        """Whether it is a whole number each time."""
        return all(not np.ndim(x) and np.asarray(x).dtype.kind in "iu" for x in self.values)

    @cached_property
    def single(self) -> list[np.ndarray]:
        """All arrays in so few digits that what is the same but for rounding is the same."""
        with np.errstate(over="ignore"):
            return [np.asarray(x, np.float32) for x in self.values if np.ndim(x)]

    def shares_with(self, other: Came) -> bool:
        """Whether the arrays of both have many entries in common, and others than 0 among them."""
        if not self.single or self.kinds != other.kinds:
            return False
        same = sum(int(((x == y) & (x != 0)).sum()) for x, y in zip(self.single, other.single, strict=True))
        return same >= max(MANY, sum(x.size for x in self.single) // 4)

    @property
    def is_one_number(self) -> bool:
        """Whether it is a number, and only once."""
        return self.kinds == (((), False),)

    @property
    def is_of_numbers(self) -> bool:
        return not any(truthy for _, truthy in self.kinds)

    def first_beside(self, other: Came) -> tuple[Any, Any]:
        """The first that differs from that of another, with it."""
        both = list(zip(self.values, other.values, strict=False))
        return next(((x, y) for x, y in both if Came([x]).key != Came([y]).key), both[0])


Log = dict[int, Came]
"""What each expression came to, by its number."""


def values_of(log: Log) -> list[Any]:
    return [x for came in log.values() for x in came.values]


def is_truthy(x: Any) -> bool:
    return type(x) is bool or getattr(x, "dtype", None) == np.bool_


def near(x: Any, y: Any) -> bool:
    a, b = np.asarray(x), np.asarray(y)
    if a.shape != b.shape:
        return False
    if "f" not in (a.dtype.kind, b.dtype.kind):
        return bool((a == b).all())
    with np.errstate(all="ignore"):
        return bool(np.allclose(a, b, rtol=0.0, atol=NEAR * np.abs(b).max(initial=0.0), equal_nan=True))
