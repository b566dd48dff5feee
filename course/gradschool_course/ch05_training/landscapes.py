"""The landscapes of chapter 5, functions of two numbers, and the problem that its loop is tried on: handwritten digits.

paths, last = descend_from(HIMMELBLAU, starts, lr=0.01, steps=300)     # many walkers at once
data, validation = digits(seed=1)                                      # pairs X (N, 64), T (N, 10)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

import gradschool as gs

__all__ = ["BOWL", "HIMMELBLAU", "SADDLE", "Landscape", "descend", "digits", "start", "stationary", "walk"]


@dataclass(frozen=True)
class Landscape:
    """f and its gradient at x (2,) or at many places (2, ...), and its Hessian at one."""

    f: Callable[[np.ndarray], Any]
    grad: Callable[[np.ndarray], np.ndarray]
    hessian: Callable[[np.ndarray], np.ndarray]


BOWL = Landscape(
    lambda x: x[0] ** 2 / 2 + 10 * x[1] ** 2 / 2,
    lambda x: np.array([x[0], 10 * x[1]]),
    lambda x: np.diag([1.0, 10.0]),
)
SADDLE = Landscape(  # a saddle at 0, valleys at (0, 1) and (0, -1)
    lambda x: x[0] ** 2 / 2 - x[1] ** 2 / 2 + x[1] ** 4 / 4,
    lambda x: np.array([x[0], x[1] ** 3 - x[1]]),
    lambda x: np.diag([1.0, 3 * x[1] ** 2 - 1]),
)


def himmelblau(x: np.ndarray) -> Any:
    return (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2


def himmelblau_slope(x: np.ndarray) -> np.ndarray:
    a, b = x[0] ** 2 + x[1] - 11, x[0] + x[1] ** 2 - 7
    return np.array([4 * x[0] * a + 2 * b, 2 * a + 4 * x[1] * b])


def himmelblau_hessian(x: np.ndarray) -> np.ndarray:
    across = 4 * (x[0] + x[1])
    return np.array([[12 * x[0] ** 2 + 4 * x[1] - 42, across], [across, 12 * x[1] ** 2 + 4 * x[0] - 26]])


HIMMELBLAU = Landscape(himmelblau, himmelblau_slope, himmelblau_hessian)


def stationary(landscape: Landscape, reach: float = 5.0) -> np.ndarray:
    """The places (n, 2) without slope, found by Newton's steps from a grid, in the order of their height."""
    found: list[np.ndarray] = []
    line = np.linspace(-reach, reach, 11)
    for x in np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2):
        for _ in range(30):
            x = x - np.linalg.solve(landscape.hessian(x), landscape.grad(x))
        if np.abs(x).max() < reach and not any(np.allclose(x, other, atol=1e-5) for other in found):
            found.append(x)
    return np.array(sorted(found, key=landscape.f))


def descend(landscape: Landscape, x: np.ndarray, lr: float, steps: int) -> np.ndarray:
    """Where gradient descent from many places (2, ...) ends."""
    for _ in range(steps):
        x = x - lr * landscape.grad(x)
    return x


def walk(name: str, landscape: Landscape, x0: Any, steps: int, lr: float) -> np.ndarray:
    """All places (steps + 1, 2) of an optimizer of the library."""
    params = {"x": np.array(x0, dtype=float)}
    state, update = gs.init_state(name, params), getattr(gs, name)
    path = [params["x"]]
    for _ in range(steps):
        params, state = update(params, {"x": landscape.grad(params["x"])}, state, lr=lr)
        path.append(params["x"])
    return np.array(path)


# ---------------------------------------------------------------------------------------------------- digits
Pair = tuple[np.ndarray, np.ndarray]


def digits(seed: int, n: int = 500, others: int = 500) -> tuple[Pair, Pair]:
    """n images of digits to train on and other ones to validate with: X (N, 64) in [0, 1], T (N, 10) one-hot."""
    images, labels = map(np.asarray, load_digits(return_X_y=True))
    order = np.random.default_rng(seed).permutation(len(images))
    X, T = images / 16, gs.one_hot(labels, 10)
    train, validation = order[:n], order[n : n + others]
    return (X[train], T[train]), (X[validation], T[validation])


def start(seed: int, hidden: int = 32) -> tuple[dict[str, np.ndarray], np.random.Generator]:
    """First weights of a network with one hidden layer, and the generator that goes on to shuffle."""
    rng = np.random.default_rng(100 + seed)
    params = {
        "W1": rng.normal(size=(64, hidden)) * np.sqrt(2 / 64), "b1": np.zeros(hidden),
        "W2": rng.normal(size=(hidden, 10)) * np.sqrt(1 / hidden), "b2": np.zeros(10),
    }  # fmt: skip
    return params, rng
