"""The learning-rate range test: train for a few hundred steps while the rate grows from tiny to far too large. The loss
first rests, then falls, then shoots up; a good rate lies somewhat below the place where it does.

    test = range_test(net, params, (X, T), optimizer("sgd"), softmax_cross_entropy, rng=rng, state=state)
    test.pick()                                     # a tenth of the highest rate that still works
    plots.range_test(test)                          # look at it before you believe it
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .arguments import check_parts
from .batching import batches
from .flat import contiguous, in_place
from .models import Model
from .optimizers import Optimizer
from .schedules import exponential
from .step import training_step

__all__ = ["RangeTest", "range_test"]

Tree = Any
RULES = {"tenth": 10.0, "half": 2.0}
KEEP = 0.9  # how much of the smoothed loss stays at each step


@dataclass(frozen=True)
class RangeTest:
    """What `range_test` found, one number per step.

    rates      the rate that the step used
    losses     the loss of its batch, before the update; not a mean over the steps so far, which would lag behind
    smoothed   a running mean of the last ten or so, in which the first counts fully: Σ 0.9^k / Σ 0.9^k
    diverged   whether the test ended because the loss shot up, or was no number any more

    Raises ValueError (from `pick`) for another rule than "tenth" and "half".

    >>> test = RangeTest((0.01, 0.1, 1.0), (2.0, 1.0, 9.0), (2.0, 1.0, 4.0), True)
    >>> test.highest, test.pick(), test.pick("half")
    (1.0, 0.1, 0.5)
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    diverged: bool

    @property
    def lowest(self) -> int:
        """The step with the lowest smoothed loss."""
        return int(np.argmin(self.smoothed))

    @property
    def highest(self) -> float:
        """The rate at which the loss begins to shoot up.

        That is the first one after the lowest smoothed loss where it has climbed back a quarter of the way that it had
        fallen; the last one that was tried if it never does.
        """
        best = self.smoothed[self.lowest]
        limit = best + (self.smoothed[0] - best) / 4
        after = range(self.lowest + 1, len(self.rates))
        return next((self.rates[k] for k in after if self.smoothed[k] > limit), self.rates[-1])

    def pick(self, rule: str = "tenth") -> float:
        """A rate to train with: "tenth" of the highest (Géron, ch. 11), or "half" of it (his ch. 10).

        Raises ValueError for another rule.
        """
        if rule not in RULES:
            raise ValueError(f"pick: expected rule to be one of {list(RULES)}, got {rule!r}")
        return self.highest / RULES[rule]


def range_test(
    model: Model,
    params: Tree,
    data: tuple[Tree, Tree],
    optimizer: Optimizer,
    loss: Callable[[Any, Any], Any],
    *,
    rng: np.random.Generator,
    state: Tree = None,
    low: float = 1e-5,
    high: float = 10.0,
    steps: int = 500,
    batch_size: int = 32,
    divergence: float = 4.0,
) -> RangeTest:
    """Train with the rates low (high/low)^(k/steps), k = 0, 1, ..., until the loss is hopeless; nothing given changes.

    rng          a NumPy generator: it shuffles, and layers draw from it
    low, high    the first rate, and the one that would follow the last; at the first hardly anything should happen
    steps        how many batches, in as many epochs as that takes; fewer steps make a coarser test
    divergence   stop when the smoothed loss is that many times the lowest so far

    Raises ValueError unless 0 < low < high, steps >= 2 and divergence > 1.
    Source: Smith 2017; Géron, ch. 11.

    >>> from gradschool.optimizers import optimizer
    >>> rng = np.random.default_rng(0)
    >>> X, noise = rng.choice([-1.0, 1.0], (60, 1)), rng.normal(size=(60, 1))
    >>> test = range_test(lambda w, x: x * w, np.array([0.0]), (X, 3 * X + noise), optimizer("sgd"),
    ...                   lambda Y, T: ((Y - T) ** 2).mean(), rng=rng)
    >>> test.diverged, 1 < test.highest < 2                  # descent on this loss, curvature 2, is stable below 1
    (True, True)
    """
    check_parts(model, optimizer, loss, "range_test")
    if not 0 < low < high or steps < 2 or not divergence > 1:
        raise ValueError(
            "range_test: expected 0 < low < high, steps >= 2 and divergence > 1, got "
            f"{low}, {high}, {steps} and {divergence}"
        )
    weights, fast, rate_at = contiguous(params), in_place(optimizer), exponential(low, steps, high / low)
    room, memory = weights.like(), fast.init(weights)
    rates, losses, smoothed = [], [], Smoothed()
    diverged = False
    for step, batch in zip(range(steps), endless(data, batch_size, rng), strict=False):
        rate = float(rate_at(step))
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # the last steps are meant to fail
                done = training_step(model, loss, fast, weights, state, memory, batch, rate, rng=rng, room=room)
        except FloatingPointError:
            diverged = True
            break
        state, memory = done.state, done.memory
        rates.append(rate)
        losses.append(float(done.loss))
        smoothed.take(losses[-1])
        if smoothed.values[-1] > divergence * min(smoothed.values):
            diverged = True
            break
    if not rates:
        raise FloatingPointError("range_test: the loss is no number before the first step; look for nan in the data")
    return RangeTest(tuple(rates), tuple(losses), tuple(smoothed.values), diverged)


class Smoothed:
    """An exponential running mean without the pull towards 0 that it would start with."""

    def __init__(self) -> None:
        self.total, self.weight, self.values = 0.0, 0.0, list[float]()

    def take(self, value: float) -> None:
        self.total = KEEP * self.total + value
        self.weight = KEEP * self.weight + 1
        self.values.append(self.total / self.weight)


def endless(data: Tree, batch_size: int, rng: np.random.Generator) -> Iterator[Tree]:
    return itertools.chain.from_iterable(batches(data, batch_size, rng) for _ in itertools.repeat(None))
