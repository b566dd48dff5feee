"""The pictures of chapter 9: printed digits in several fonts, and handwritten ones, in one format.

X, y = printed(5000, seed=1)             # X (5000, 196): 14 × 14 pixels in [0, 1], moved about and noisy
X, y = printed(5000, seed=1, side=8)     # 8 × 8 pixels, as the handwritten ones
(X, y), (X_valid, y_valid) = handwritten(seed=1)
"""

from __future__ import annotations

from functools import cache

import numpy as np

from gradschool_data import digits, glyphs

__all__ = ["few_of_each", "handwritten", "pixels_mixed", "printed"]

Pair = tuple[np.ndarray, np.ndarray]


@cache
def printed(n: int, seed: int, side: int = 14) -> Pair:
    """n printed digits of 18 styles, (n, side²): noisy, at 8 × 8 also bold."""
    rng = np.random.default_rng([9, seed, side])
    if side == 14:
        X, y = glyphs(n, rng, shift=3, noise=0.2)
        return X.reshape(n, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(n, 196).astype(float), y
    X, y = glyphs(n, rng, shift=2, noise=0.3)
    inner = X[:, 2:26, 2:26].reshape(n, 8, 3, 8, 3).mean(axis=(2, 4))  # a digit is 20 pixels high, of 28
    return np.clip(2 * inner, 0, 1).reshape(n, 64).astype(float), y


def handwritten(seed: int) -> tuple[Pair, Pair]:
    """1,079 handwritten digits to learn from and 359 to look at, (N, 64)."""
    train, valid, _ = digits(seed=seed)
    return train, valid


def few_of_each(X: np.ndarray, y: np.ndarray, k: int) -> Pair:
    """The first k samples of each class, in their order."""
    chosen = np.sort(np.concatenate([np.flatnonzero(y == label)[:k] for label in np.unique(y)]))
    return X[chosen], y[chosen]


def pixels_mixed(X: np.ndarray, seed: int) -> np.ndarray:
    """The same pictures with their pixels in another order, one for all of them: the numbers stay, the shapes go."""
    return X[:, np.random.default_rng(seed).permutation(X.shape[1])]
