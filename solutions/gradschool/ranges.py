"""Options that are numbers within limits, looked at where they are chosen and not where they are used.

check_range("adam", "lr", lr)                       # >= 0
check_range("adam", "b1", b1, high=1, below=True)   # from 0 to below 1
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["check_range"]


def check_range(who: str, name: str, value: Any, low: float = 0, high: float = math.inf, below: bool = False) -> None:
    """ValueError for what is no number from `low` to `high`, or `below` that; nan is none.

    >>> check_range("huber", "delta", -1.0)
    Traceback (most recent call last):
    ...
    ValueError: huber: expected delta >= 0, got -1.0
    """
    if not within(value, low, high, below):
        limits = f">= {low}" if math.isinf(high) else f"from {low} to {'below ' * below}{high}"
        raise ValueError(f"{who}: expected {name} {limits}, got {value!r:.40}")


def within(value: Any, low: float, high: float, below: bool) -> bool:
    try:
        inside = (value >= low) & (value < high if below else value <= high)
    except TypeError:  # a word, or nothing
        return False
    return inside if isinstance(inside, bool) else bool(np.all(inside))  # NumPy is slow with a single number
