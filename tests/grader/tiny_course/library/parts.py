"""What the means are made of: a decorator that wraps, a constant, a check, a class."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

WINDOW = 3  # odd, so that it has a middle


def op(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def traced(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return traced


def positive(n: int) -> int:
    """n itself, if it is at least 1."""
    if n < 1:
        raise ValueError(f"expected a window of at least 1, got {n}")
    return n


@op
def square(x: np.ndarray) -> np.ndarray:
    """x_i^2     x (N,) -> (N,)"""
    return x * x


class Counter:
    """Counts up in steps."""

    def _stepped(self, n: int) -> int:
        return self.total + n * self.step

    def __init__(self, step: int = 1):
        """Starts at zero."""
        self.step, self.total = step, 0

    def count(self, n: int = 1) -> int:
        self.total = self._stepped(positive(n))
        return self.total

    @property
    def doubled(self) -> int:
        return 2 * self.total
