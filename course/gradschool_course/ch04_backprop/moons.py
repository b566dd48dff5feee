"""Two half moons, and a network of two hidden layers that a tape differentiates; the tape is an argument.

losses, params = fit(Tensor, seed=0)
accuracy(params, seed=0)                              # on points that were held back
losses, params = fit(Tensor, seed=0, backward=overwriting)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from gradschool.lessons.tape import topological_order, unbroadcast
from gradschool_data.generated import moons

WIDTHS = (2, 16, 16, 1)


def points(seed: int, n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    X, y = moons(n, np.random.default_rng(seed), noise=0.15)
    return X, y.astype(float).reshape(-1, 1)


def initial(seed: int) -> list[np.ndarray]:
    """W1, b1, W2, b2, W3, b3"""
    rng = np.random.default_rng([seed, 1])
    pairs = pairwise(WIDTHS)
    return [part for n, m in pairs for part in (rng.normal(size=(n, m)) * np.sqrt(2 / n), np.zeros(m))]


def scores(X: Any, params: Sequence[Any]) -> Any:
    """A score for each point: relu between dense layers, written with what a Tensor understands."""
    W1, b1, W2, b2, W3, b3 = params
    return ((X @ W1 + b1).relu() @ W2 + b2).relu() @ W3 + b3


def logistic_loss(z: Any, t: np.ndarray) -> Any:
    """The mean of log(1 + exp z) - t z, the cross-entropy of yes or no. It uses z twice."""
    return ((z.exp() + 1.0).log() + z * (-t)).mean()


def fit(
    Tensor: Any, seed: int, steps: int = 300, lr: float = 0.3, backward: Callable[[Any], None] | None = None
) -> tuple[np.ndarray, list[np.ndarray]]:
    """The losses of all steps of gradient descent, and the parameters after them."""
    (X, t), params, losses = points(seed), initial(seed), []
    for _ in range(steps):
        variables = [Tensor(p) for p in params]
        loss = logistic_loss(scores(Tensor(X), variables), t)
        loss.backward() if backward is None else backward(loss)
        losses.append(float(loss.data))
        params = [p - lr * v.grad for p, v in zip(params, variables, strict=True)]
    return np.array(losses), params


def overwriting(y: Any) -> None:
    """The way back of the library's tape with one character less: `=` where `+=` is meant."""
    order = topological_order(y, lambda node: node.parents)
    for node in order:
        node.grad = np.zeros(node.data.shape)
    y.grad = np.ones(y.data.shape)
    for node in reversed(order):
        for parent, d in zip(node.parents, node.pull(node.grad), strict=True):
            parent.grad = unbroadcast(d, parent.data.shape)


def plain_scores(X: np.ndarray, params: Sequence[np.ndarray]) -> np.ndarray:
    W1, b1, W2, b2, W3, b3 = params
    return np.maximum(np.maximum(X @ W1 + b1, 0) @ W2 + b2, 0) @ W3 + b3


def accuracy(params: Sequence[np.ndarray], seed: int) -> float:
    """The share of fresh points on the right side."""
    X, t = points(1000 + seed, 1000)
    return float(np.mean((plain_scores(X, params) > 0) == t))
