"""What the exercises of this chapter share: its headings, and a regression to train in the probes.

The regression and the update are public helpers: they are known to students, and make visible in the numbers what a
loop does with them. Columns of X that training drops show in which mode a loss was asked for; a velocity shows whether
the state was handed on; samples of different sizes show how they were weighted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from gradschool_grader.exercise import Helper, Tolerance

CHAPTER = "ch05_training"
CLOSE = Tolerance(rtol=1e-9, atol=1e-12)

# headings of the chapter, at which a mistake points
DOWN = "Downhill, step by step"
STOP = "When to stop"
RATE = "How large may a step be?"
FLAT = "Places where nothing pulls"
LOSS = "One function for loss and gradients"
BATCHES = "Batches"
SIX = "The six steps"
MEAN = "What an epoch's number means"
WHOLE = "The whole run"
CLIP = "Gradients that are too long"


def whole(rng: Generator, low: int, high: int) -> int:
    return int(rng.integers(low, high))


def sizes(rng: Generator, axes: int) -> tuple[int, ...]:
    """Different sizes for all axes, none below 3."""
    return tuple(int(n) for n in rng.choice(np.arange(3, 9), size=axes, replace=False))


class Problem:
    """A regression with D inputs and K outputs: where to begin, and samples on demand."""

    def __init__(self, rng: Generator, room: int = 1000):
        self.rng = rng
        self.D, self.K = sizes(rng, 2)
        kept = np.ones(self.D)
        kept[rng.choice(self.D, 2, replace=False)] = 0.0  # what training drops, validation sees
        self.model_loss = Helper("regression", {"kept": kept, "room": room})
        self.update = Helper("heavy", {"beta": float(rng.uniform(0.3, 0.7))})
        self.lr = Helper("falling", {"lr": float(rng.uniform(0.05, 0.1)), "by": float(rng.uniform(0.8, 0.95))})
        self.params = self.tree(1.0)
        self.state = {"v": self.tree(0.3)}  # a run that has begun before

    def tree(self, size: float) -> dict[str, Any]:
        return {"W": size * self.rng.normal(size=(self.D, self.K)), "b": size * self.rng.normal(size=self.K)}

    def samples(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """X (n, D) and T (n, K); the later a sample, the larger its numbers, so that none counts for another."""
        size = np.linspace(0.3, 1.5, n)[:, None] if n > 1 else 1.0
        return size * self.rng.normal(size=(n, self.D)), 2 * size * self.rng.normal(size=(n, self.K))
