"""A rate that falls when nothing improves any more: the schedule that cannot know its steps in advance.

    plateau = ReduceOnPlateau(0.02, factor=0.5, patience=5)
    for epoch in range(epochs):
        ...                                     # train with plateau.lr
        plateau.update(val_loss)

The library's own form is `gradschool.schedules.reduce_on_plateau`, a pair of pure functions on a state.
"""

from __future__ import annotations

import math

__all__ = ["ReduceOnPlateau"]


class ReduceOnPlateau:
    """Multiplies `lr` by `factor` when a value has not improved on its best for `patience` epochs in a row.

    min_delta   how much below the best a value must lie to count as an improvement
    cooldown    how many epochs after a reduction are not counted, the one of the reduction included
    min_lr      never go below

    `update(value)` is called after every epoch and returns the rate for the next; `lr` is that rate too. NaN is no
    improvement. Source: Keras' `ReduceLROnPlateau`. PyTorch's of that name reduces one epoch later, and its threshold
    is a part of the best value.

    >>> plateau = ReduceOnPlateau(0.1, factor=0.5, patience=2)
    >>> [plateau.update(value) for value in (1.0, 0.9, 0.9, 0.9, 0.9, 0.9)]
    [0.1, 0.1, 0.1, 0.05, 0.05, 0.025]
    """

    def __init__(self, lr, factor=0.1, patience=10, min_delta=1e-4, cooldown=0, min_lr=0.0):
        self.lr = lr
        self.factor, self.patience, self.min_delta = factor, patience, min_delta
        self.cooldown, self.min_lr = cooldown, min_lr
        self.best, self.wait, self.rest = math.inf, 0, 0

    def update(self, value):
        self.rest = max(self.rest - 1, 0)
        if value < self.best - self.min_delta:
            self.best, self.wait = value, 0
        elif self.rest == 0:
            self.wait += 1
        if self.wait >= self.patience:
            self.lr = min(self.lr, max(self.lr * self.factor, self.min_lr))  # what is below min_lr already stays
            self.wait, self.rest = 0, self.cooldown
        return self.lr
