"""Random inputs for the probes: sizes that all differ, errors on both sides of every kink, masks that are not constant.

Y, T = pair(rng, (5, 3))
P, T = probabilities(rng, (5, 4)), one_hot(rng, (5, 4))
mask(rng, (5, 6))
"""

from __future__ import annotations

import numpy as np

Shape = tuple[int, ...]


def sizes(rng: np.random.Generator, axes: int) -> Shape:
    """Different sizes for all axes, none below 3: with two responses half the MSE is the mean by accident."""
    return tuple(int(n) for n in rng.choice(np.arange(3, 9), size=axes, replace=False))


def errors(rng: np.random.Generator, shape: Shape, reach: float = 3.0) -> np.ndarray:
    """Errors spread over [-reach, reach], in random order: small and large ones, of both signs, none like another."""
    n = int(np.prod(shape))
    steps = np.linspace(-reach, reach, n) + reach / (2 * n)  # none is 0: ties are probes of their own
    return rng.permutation(steps * rng.uniform(0.8, 1.2, size=n)).reshape(shape)


def pair(rng: np.random.Generator, shape: Shape, reach: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Predictions and targets."""
    T = rng.normal(size=shape) * 2 + 1
    return T + errors(rng, shape, reach), T


def mask(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """Zeros and ones in random order, about two thirds ones."""
    n = int(np.prod(shape))
    return rng.permutation((np.arange(n) >= max(n // 3, 1)).astype(float)).reshape(shape)


def weights(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """Positive weights that differ by a factor of ten, in random order."""
    n = int(np.prod(shape))
    return rng.permutation(np.linspace(0.3, 3.0, n) * rng.uniform(0.9, 1.1)).reshape(shape)


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def probabilities(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """Distributions over the last axis, from hesitant to rather sure."""
    return softmax(rng.normal(size=shape) * 1.5)


def chances(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """Independent probabilities, none near 0 or 1."""
    return rng.uniform(0.05, 0.95, size=shape)


def labels(rng: np.random.Generator, shape: Shape, K: int) -> np.ndarray:
    """Class numbers 0..K-1; the first few classes all occur, and not in order."""
    n = int(np.prod(shape))
    return rng.permutation(np.concatenate([np.arange(min(n, K)), rng.integers(0, K, max(n - K, 0))])).reshape(shape)


def one_hot(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """One-hot targets over the last axis."""
    return np.eye(shape[-1])[labels(rng, shape[:-1], shape[-1])]


def yes_or_no(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """Zeros and ones, each entry for itself."""
    return mask(rng, shape)


def upstream(rng: np.random.Generator) -> float:
    """What arrives from above: never 1, either sign."""
    return float(rng.choice([-1.0, 1.0]) * rng.uniform(1.3, 2.9))
