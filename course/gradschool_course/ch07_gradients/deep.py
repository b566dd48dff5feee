"""Deep networks on scikit-learn's digits, several seeds at a time: how the experiments of chapter 7 train.

    run = fit("SELU", gs.lecun, depth=100, width=100, lr=0.001, steps=150)
    run.accuracy        # (seed,) on digits that were not trained on
    run.losses          # (step, seed)

Every array has an axis of seeds in front: small products cost their call and not their numbers, so five networks train
in the time of two. They train in float32, and in place: a hundred layers are a million weights for each seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from threadpoolctl import threadpool_limits  # scikit-learn brings it

import gradschool as gs
from gradschool.ops.elementwise import SELU_ALPHA, SELU_SCALE
from gradschool_data import digits, standardized

__all__ = ["ACTIVATIONS", "CLASSES", "Run", "alike", "fit", "images", "one_thread", "size_and_swing", "units_off"]

CLASSES = 10
Array = np.ndarray
Params = list[dict[str, Array]]
one_thread = threadpool_limits.wrap(limits=1, user_api="blas")  # so small that threads cost time, and digits


# ---------------------------------------------------------------------------------------- activations and their slopes
ACTIVATIONS: Mapping[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "sigmoid": (gs.sigmoid, lambda z: gs.sigmoid(z) * gs.sigmoid(-z)),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "ReLU": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(z.dtype)),
    "leaky ReLU": (lambda z: np.maximum(z, 0.3 * z), lambda z: np.where(z > 0, 1, 0.3).astype(z.dtype)),
    "ELU": (gs.elu, lambda z: np.exp(np.minimum(z, 0))),
    "SELU": (gs.selu, lambda z: SELU_SCALE * np.where(z > 0, 1, SELU_ALPHA * np.exp(np.minimum(z, 0)))),
}


# ----------------------------------------------------------------------------------------------------------------- data
@cache
def images(seed: int = 0) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """(X, y) to train on, 1,079 digits of 64 standardised pixels in float32, and 359 others."""
    data = standardized(digits(seed))
    (X, y), (X_other, y_other) = data.train, data.valid
    return (X.astype(np.float32), y), (X_other.astype(np.float32), y_other)


# ------------------------------------------------------------------------------------------------------------- networks
@dataclass(frozen=True)
class Run:
    """What came of a training: losses (step, seed), accuracy on other digits (seed,), gradients' norms (step, seed)."""

    losses: Array
    accuracy: Array
    norms: Array
    params: Params


def networks(init: Callable[..., Array], depth: int, width: int, seeds: int) -> Params:
    """A network for each seed, from the digits to their classes; biases are 0."""
    sizes = [64] + [width] * depth + [CLASSES]
    rngs = [np.random.default_rng(seed) for seed in range(1, seeds + 1)]
    return [
        {
            "W": np.stack([init(shape, rng) for rng in rngs]).astype(np.float32),
            "b": np.zeros((seeds, 1, shape[1]), np.float32),
        }
        for shape in pairwise(sizes)
    ]


def forward(params: Params, X: Array, act: Callable[[Array], Array]) -> tuple[list[Array], list[Array]]:
    A, Z = [X], []
    for layer in params:
        Z.append(A[-1] @ layer["W"] + layer["b"])
        A.append(act(Z[-1]))
    return A, Z


def backward(
    params: Params, A: list[Array], Z: list[Array], T: Array, slope: Callable[[Array], Array]
) -> tuple[Array, Params]:
    """Losses (seed,), and gradients like params."""
    log_p = Z[-1] - Z[-1].max(axis=-1, keepdims=True)
    log_p = log_p - np.log(np.exp(log_p).sum(axis=-1, keepdims=True))
    g, grads = (np.exp(log_p) - T) / T.shape[1], []
    for i in reversed(range(len(params))):
        grads.append({"W": A[i].swapaxes(1, 2) @ g, "b": g.sum(axis=1, keepdims=True)})
        if i:
            g = g @ params[i]["W"].swapaxes(1, 2) * slope(Z[i - 1])
    return -(T * log_p).sum(axis=2).mean(axis=1), grads[::-1]


def lengths(grads: Params) -> Array:
    """The norm of all gradients of each seed's network."""
    squares = sum(np.einsum("sio,sio->s", g, g) for layer in grads for g in layer.values())
    return np.sqrt(squares)


@one_thread
def fit(
    activation: str, init: Callable[..., Array], *, depth: int, width: int, lr: float, steps: int,
    seeds: int = 3, batch: int = 32, clip: float = np.inf, beta: float = 0.0,
) -> Run:  # fmt: skip
    """Train `depth` hidden layers by gradient descent, all seeds on the same batches; `beta` is a momentum.

    Each network's gradient is shortened to the norm `clip` where it is longer.
    """
    act, slope = ACTIVATIONS[activation]
    (X, y), (X_other, y_other) = images()
    T, rng = gs.one_hot(y, CLASSES).astype(X.dtype), np.random.default_rng(0)
    params = networks(init, depth, width, seeds)
    velocity = [{name: np.zeros_like(p) for name, p in layer.items()} for layer in params]
    losses, norms = [], []
    with np.errstate(over="ignore", invalid="ignore"):  # some are meant to explode
        for _ in range(steps):
            rows = rng.choice(len(X), batch, replace=False)
            loss, grads = backward(params, *forward(params, X[None, rows], act), T[None, rows], slope)
            losses.append(loss)
            norms.append(lengths(grads))
            factor = lr * np.minimum(1, clip / np.maximum(norms[-1], 1e-30))
            descend(params, grads, velocity, factor[:, None, None], beta)
        scores = forward(params, X_other[None], act)[1][-1]
    right = (scores.argmax(axis=2) == y_other).mean(axis=1)
    return Run(np.array(losses), right, np.array(norms), params)


def descend(params: Params, grads: Params, velocity: Params, factor: Array, beta: float) -> None:
    """One step of momentum, in place."""
    for layer, slopes, moving in zip(params, grads, velocity, strict=True):
        for name, p in layer.items():
            moving[name] *= beta
            moving[name] += factor * slopes[name]
            p -= moving[name]


def units_off(run: Run, activation: str) -> Array:
    """The share of hidden units (seed,) whose slope is exactly 0 for every digit that was trained on."""
    act, slope = ACTIVATIONS[activation]
    Z = forward(run.params, images()[0][0][None], act)[1][:-1]
    off = [(slope(z) == 0).all(axis=1) for z in Z]
    return np.concatenate(off, axis=1).mean(axis=1)


@one_thread
def alike(activation: str, init: Callable[..., Array], depth: int, width: int, seeds: int = 3) -> Array:
    """The mean cosine between what two digits make of the last hidden layer (seed,), before any training."""
    X = images()[0][0][None, :300]
    A, _ = forward(networks(init, depth, width, seeds), X, ACTIVATIONS[activation][0])
    H = A[-2] / np.linalg.norm(A[-2], axis=2, keepdims=True)
    return np.square(H.mean(axis=1)).sum(axis=1)


@one_thread
def size_and_swing(depth: int, width: int, seeds: int = 3) -> Array:
    """What is left of a batch of noise after `depth` layers of ReLU with He's variance, (seed, 2).

    The root of the mean square of all numbers, which was 1, and each unit's deviation over the samples, averaged.
    """
    rows = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        A = rng.normal(size=(100, width))
        for _ in range(depth):
            A = np.maximum(A @ rng.normal(size=(width, width), scale=np.sqrt(2 / width)), 0)
        rows.append((np.sqrt(np.square(A).mean()), A.std(axis=0).mean()))
    return np.array(rows)
