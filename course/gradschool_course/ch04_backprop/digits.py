"""A network on scikit-learn's digits, with any function that returns loss and gradients.

data = split(seed=0)                                  # chapter 3's
losses, accuracies = descend(loss_and_grads, network([64, 32, 10], rng), data, steps=120, lr=0.5)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # scikit-learn brings it

import gradschool as gs
from gradschool.lessons.backprop import mlp_forward

from ..ch03_losses.digits import Data, split
from .costs import network

__all__ = ["descend", "network", "split"]

Params = list[dict[str, np.ndarray]]


@threadpool_limits.wrap(limits=1, user_api="blas")  # so small that threads cost time, and change the last digits
def descend(
    loss_and_grads: Callable[[Params, np.ndarray, np.ndarray], tuple[Any, Params]],
    params: Params,
    data: Data,
    steps: int,
    lr: float,
    every: int = 10,
) -> tuple[np.ndarray, np.ndarray]:
    """The loss before each step downhill on all training images, and the test accuracy before every `every`-th."""
    X, losses, accuracies = data.X.astype(float), [], []
    for step in range(steps + 1):
        loss, grads = loss_and_grads(params, X, data.y)
        losses.append(float(loss))
        if step % every == 0:
            accuracies.append(gs.accuracy(mlp_forward(params, data.X_test.astype(float))[0], data.y_test))
        params = [
            {name: layer[name] - lr * grad[name] for name in layer} for layer, grad in zip(params, grads, strict=True)
        ]
    return np.array(losses), np.array(accuracies)
