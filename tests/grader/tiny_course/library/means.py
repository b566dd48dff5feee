"""A mean that moves; it names things of its neighbour in every way in which a name can be taken."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np

from . import parts
from .parts import WINDOW, op
from .parts import positive as at_least_one

Array: TypeAlias = np.ndarray
EDGE = 10.0 * WINDOW


@op
def moving_average(x: Array, n: int = WINDOW, *, scale: float = 1e-0) -> Array:
    """y_i = mean of x_i ... x_(i+n-1)     x (T,) -> (T-n+1,)"""
    n: int = at_least_one(n)
    total = [math.fsum(window) for window in _windows(x, n)]
    return np.array(total) * scale / n if parts.square(n) < EDGE**9 else np.zeros(0)


def _windows(x: Array, n: int) -> list[Array]:
    # NumPy has this too; here it is a helper that a solution must bring along
    return [x[i : i + n] for i in range(len(x) - n + 1)]
