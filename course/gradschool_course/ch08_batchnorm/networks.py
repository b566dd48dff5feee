"""The networks that chapter 8 compares on handwritten digits, with and without normalisation, and what they see inside.

net = network("before", depth=5, width=48)                # "none", "before" or "after" the activation
history = fit(net, lr=0.1, seed=1, epochs=4)              # None if the loss left the finite numbers
final(history)                                            # mean loss of the last 30 batches
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

import gradschool as gs
from gradschool.callbacks import Callback
from gradschool.layers import Layer, batchnorm, dense
from gradschool_data import digits

__all__ = ["SEEDS", "Watch", "as_in_training", "data", "final", "fit", "inside", "network", "recounted"]

SEEDS = (1, 2, 3)
Tree = Any
Pairs = tuple[np.ndarray, np.ndarray]


@cache
def data(seed: int) -> tuple[Pairs, Pairs, Pairs]:
    """1,079 digits to train on, 359 to validate and 359 to test: X (N, 64), T (N, 10) one-hot, float32."""
    parts = ((X.astype(np.float32), gs.one_hot(y, 10).astype(np.float32)) for X, y in digits(seed=seed))
    train, valid, test = parts
    return train, valid, test


def network(
    norm: str,
    depth: int = 5,
    width: int = 48,
    activation: Callable[..., Any] = gs.relu,
    first: bool = False,
    layer: Callable[[], Layer] = batchnorm,
    dropped: Callable[[], Layer] | None = None,
) -> Layer:
    """Dense layers with a normalisation "before" the activation, "after" it, or "none"; `first` puts one on the input.

    Where a normalisation follows at once, dense layers have no bias: its shift is bias enough.
    """
    init = gs.he if activation is gs.relu else gs.glorot
    parts: list[Any] = [layer()] if first else []
    for _ in range(depth):
        parts += [dense(width, init, bias=norm != "before")]
        parts += {"none": [activation], "before": [layer(), activation], "after": [activation, layer()]}[norm]
        parts += [dropped()] if dropped else []
    return gs.sequential(*parts, dense(10))


def fit(net: Layer, lr: float, seed: int, epochs: int, batch_size: int = 32, **options: Any) -> gs.History | None:
    """The history of plain gradient descent from the first weights of a seed, or None if it left the finite numbers."""
    train, valid, _ = data(seed)
    rng = np.random.default_rng(seed)
    params, state, _ = net.init(rng, (64,), np.float32)
    options |= {"validation": valid, "metrics": {"accuracy": gs.accuracy}, "batch_size": batch_size, "state": state}
    sgd, loss = gs.optimizer("sgd"), gs.softmax_cross_entropy
    try:
        with np.errstate(all="ignore"):  # on the way to infinity
            return gs.train(net, params, train, sgd, loss, epochs, rng=rng, lr=lr, **options)
    except FloatingPointError:
        return None


def final(history: gs.History | None) -> float:
    """The mean loss of the last 30 batches; infinite if there was none at last."""
    return float("inf") if history is None else float(np.mean(history.losses[-30:]))


# ---------------------------------------------------------------------------------------------------- what is inside
def inside(net: Layer, params: Tree, state: Tree, X: np.ndarray, part: int) -> np.ndarray:
    """What comes into one part of a network in training: negative numbers count from the end."""
    for layer, p, s in list(zip(net.parts, params, state, strict=True))[:part]:
        X, _ = layer.apply(p, s, X, training=True, rng=np.random.default_rng(0))
    return X


class Watch(Callback):
    """Notes look(params, state) before the first step, and after every `every`-th."""

    def __init__(self, look: Callable[[Tree, Tree], Any], every: int = 1):
        self.look, self.every, self.seen = look, every, []

    def on_start(self, run: Any, memory: Any) -> None:
        self.seen.append(self.look(run.history.params, run.history.state))

    def on_step(self, run: Any, memory: Any) -> None:
        if len(run.history.losses) % self.every == 0:
            self.seen.append(self.look(run.history.params, run.history.state))


# --------------------------------------------------------------------------------------------------- counting again
def as_in_training(net: Layer, params: Tree, seed: int = 0) -> Callable[[np.ndarray, bool], tuple[np.ndarray, Tree]]:
    """model(x, dropping) -> (y, statistics), as `recalibrate_bn` takes it: every normalisation goes by its batch.

    The statistics are kept under the positions of the normalisations in the network.
    """
    rng = np.random.default_rng(seed)

    def model(x: np.ndarray, dropping: bool) -> tuple[np.ndarray, Tree]:
        statistics = {}
        for i, (layer, p) in enumerate(zip(net.parts, params, strict=True)):
            normalises = layer.name == "batchnorm"
            if normalises:
                statistics[i] = {"mean": x.mean(axis=0), "var": x.var(axis=0)}
            x, _ = layer.apply(
                p, statistics.get(i, {}), x, training=normalises or dropping, rng=rng if dropping else None
            )
        return x, statistics

    return model


def recounted(state: Tree, statistics: Tree) -> Tree:
    """The state of a network with new statistics in the place of the old."""
    return [statistics.get(i, old) for i, old in enumerate(state)]
