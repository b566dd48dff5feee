"""Scikit-learn's handwritten digits, and the plainest classifier: scores z = X W + b, improved by gradient descent.

data = split(seed=0, n=600, noise=0.4)          # 40 of 100 training labels replaced by a random digit
params, seen = fit(loss, data, lr=1.0, steps=1500, every=100)
seen                                            # test accuracy after 0, 100, 200, ... steps
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits  # scikit-learn brings it

import gradschool as gs

K = 10


@dataclass(frozen=True)
class Data:
    """Images as rows of 64 numbers in [0, 1], with the labels that training sees, and a clean test set."""

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray


def split(seed: int, n: int = 1000, noise: float = 0.0, rare: tuple[int, int] | None = None) -> Data:
    """n random images to train on, the others to test on.

    `noise` is the share of training labels that are replaced by a digit drawn blindly; `rare=(8, 5)` keeps only five
    of the eights for training.
    """
    images, labels = map(np.asarray, load_digits(return_X_y=True))
    X, y = (images / 16).astype(np.float32), labels.astype(int)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(X))
    train, test = order[:n], order[n:]
    y_train = y[train].copy()
    blind = rng.random(n) < noise
    y_train[blind] = rng.integers(0, K, blind.sum())
    keep = np.arange(n)
    if rare is not None:
        digit, number = rare
        keep = np.concatenate([np.flatnonzero(y_train != digit), np.flatnonzero(y_train == digit)[:number]])
    return Data(X[train][keep], y_train[keep], X[test], y[test])


def scores(params: dict[str, np.ndarray], X: np.ndarray) -> np.ndarray:
    return X @ params["W"] + params["b"]


@threadpool_limits.wrap(limits=1, user_api="blas")  # so small that threads cost time, and change the last digits
def fit(
    loss: Callable[[np.ndarray, np.ndarray], float], data: Data, lr: float, steps: int, every: int = 0
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Parameters after `steps` steps downhill on `loss(z, T)`, and the test accuracy before every `every`-th step."""
    T = gs.one_hot(data.y, K).astype(np.float32)
    params = {"W": np.zeros((data.X.shape[1], K), np.float32), "b": np.zeros(K, np.float32)}
    loss_and_gradient = gs.value_and_grad(lambda params: loss(scores(params, data.X), T))
    seen = []
    for step in range(steps + 1):
        if every and step % every == 0:
            seen.append(gs.accuracy(scores(params, data.X_test), data.y_test))
        if step < steps:
            _, gradient = loss_and_gradient(params)
            params = {name: params[name] - np.float32(lr) * gradient[name] for name in params}
    return params, np.array(seen)


def recall_and_precision(params: dict[str, np.ndarray], data: Data, digit: int) -> tuple[float, float]:
    """Of the test images of this digit, the share that is found; of those called so, the share that is one."""
    called = np.argmax(scores(params, data.X_test), axis=-1) == digit
    true = data.y_test == digit
    hits = np.sum(called & true)
    return hits / true.sum(), hits / max(called.sum(), 1)
