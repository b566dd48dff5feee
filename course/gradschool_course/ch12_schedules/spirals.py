"""The problem on which chapter 12 compares its schedules: three spirals, a small network, momentum, 300 steps.

history = fit(one_cycle(0.5, STEPS), seed=1)        # None if the loss left the finite numbers
final(history)                                      # the loss on all training points at the end
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

import numpy as np

import gradschool as gs
from gradschool_data import spirals

__all__ = ["EPOCHS", "SEEDS", "STEPS", "compared", "final", "fit", "points", "start"]

POINTS, BATCH, EPOCHS = 500, 50, 30
STEPS = EPOCHS * POINTS // BATCH
SEEDS = (1, 2, 3, 4, 5)
NET = gs.mlp([64, 64], 3, gs.relu, gs.he)
Rate = float | Callable[[Any], Any]


@cache
def points(seed: int) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """500 points to train on and 200 others: X (N, 2), T (N, 3) one-hot."""
    X, y = spirals(POINTS + 200, np.random.default_rng(seed), classes=3)
    T = gs.one_hot(y, 3)
    return (X[:POINTS], T[:POINTS]), (X[POINTS:], T[POINTS:])


def start(seed: int) -> tuple[Any, np.random.Generator]:
    """The first weights, and the generator that goes on to shuffle."""
    rng = np.random.default_rng(100 + seed)
    return NET.init(rng, (2,))[0], rng


def fit(lr: Rate, seed: int, epochs: int = EPOCHS, beta: Any = None) -> gs.History | None:
    """The history of a training run; `beta` is a schedule of the momentum."""
    train, others = points(seed)
    params, rng = start(seed)
    try:
        return gs.train(
            NET, params, train, gs.optimizer("momentum"), gs.softmax_cross_entropy, epochs, rng=rng, lr=lr,
            hyper={"beta": beta} if beta else None, batch_size=BATCH, validation=others, metrics={"acc": gs.accuracy},
        )  # fmt: skip
    except FloatingPointError:
        return None


def final(history: gs.History | None, seed: int) -> float:
    """The loss over all points that were trained on, with the last weights."""
    if history is None:
        return float("inf")
    return gs.evaluate(NET, history.params, points(seed)[0], gs.softmax_cross_entropy)["loss"]


def compared(rates: Mapping[str, Rate], seeds: Iterable[int] = SEEDS) -> dict[str, np.ndarray]:
    """The final loss of each rate or schedule, one for each seed."""
    return {name: np.array([final(fit(lr, seed), seed) for seed in seeds]) for name, lr in rates.items()}
