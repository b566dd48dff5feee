"""The network that chapter 13 keeps from learning by heart: two hundred digits, some with a wrong label, and far more
weights than that.

run = fit("dropout", seed=1)                # one of METHODS
run.epochs["accuracy"], run.epochs["val_accuracy"]
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

import gradschool as gs
from gradschool.callbacks import EarlyStopping
from gradschool.layers import Layer, alpha_dropout, dense, dropout
from gradschool.regularization import decay_weights, l1_penalty, l2_penalty, max_norm
from gradschool_data import digits

__all__ = ["EPOCHS", "METHODS", "SEEDS", "accuracy", "compared", "data", "fit", "net_of", "network"]

SEEDS, EPOCHS, FEW, WRONG = (1, 2, 3), 40, 200, 0.15
Pair = tuple[np.ndarray, np.ndarray]


@cache
def data(seed: int) -> tuple[Pair, Pair]:
    """200 digits to train on, of which about 27 have a wrong label, and 359 others: X (N, 64), T (N, 10) one-hot."""
    (X, y), (X_valid, y_valid), _ = digits(seed=seed)
    rng = np.random.default_rng(seed)
    y = np.where(rng.random(FEW) < WRONG, rng.integers(0, 10, FEW), y[:FEW])
    pairs = ((X[:FEW], y), (X_valid, y_valid))
    train, valid = ((X.astype(np.float32), gs.one_hot(y, 10).astype(np.float32)) for X, y in pairs)
    return train, valid


def network(dropped: Callable[[], Layer] | None = None, activation: Any = gs.relu, init: Any = gs.he) -> Layer:
    """64 – 128 – 128 – 10, with a layer that drops behind each hidden one."""
    parts: list[Any] = []
    for _ in range(2):
        parts += [dense(128, init), activation, *([dropped()] if dropped else [])]
    return gs.sequential(*parts, dense(10))


METHODS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "ℓ1 penalty": {"penalty": partial(l1_penalty, strength=1e-3)},
    "ℓ2 penalty": {"penalty": partial(l2_penalty, strength=3e-3)},
    "decoupled decay": {"after_step": lambda params, lr: decay_weights(params, lr, 2.0)},
    "max-norm": {"after_step": lambda params, lr: max_norm(params, 0.8)},
    "dropout": {"net": network(partial(dropout, 0.5))},
    "alpha dropout": {"net": network(partial(alpha_dropout, 0.2), gs.selu, gs.lecun)},
    "early stopping": {"callbacks": [EarlyStopping(patience=8)]},
}


def fit(method: str | dict[str, Any], seed: int, epochs: int = EPOCHS, optimizer: str = "adam", lr: float = 2e-3,
        callbacks: Any = ()) -> gs.History:  # fmt: skip
    """The history of a run; `method` is a name in METHODS, or options of `gs.train` and a `net`."""
    options = dict(METHODS[method] if isinstance(method, str) else method)
    options["callbacks"] = [*options.get("callbacks", ()), *callbacks]
    net = options.pop("net", network())
    train, valid = data(seed)
    rng = np.random.default_rng(100 + seed)
    params, state, _ = net.init(rng, (64,), np.float32)
    return gs.train(net, params, train, gs.optimizer(optimizer), gs.softmax_cross_entropy, epochs, rng=rng, state=state,
                    lr=lr, batch_size=20, validation=valid, metrics={"accuracy": gs.accuracy}, **options)  # fmt: skip


def net_of(method: str) -> Layer:
    return METHODS[method].get("net", network())


def accuracy(method: str, run: gs.History, part: int, seed: int) -> float:
    """The share of right answers in inference, on the digits that were trained on (part 0), or on the others (1)."""
    X, T = data(seed)[part]
    return float(gs.accuracy(gs.predict(net_of(method), run.params, X, run.state), T))


def compared(methods: Any = tuple(METHODS), seeds: Any = SEEDS) -> dict[str, np.ndarray]:
    """(accuracy on what was trained on, accuracy on others) for each method and seed: arrays (seeds, 2)."""
    found = {}
    for method in methods:
        runs = [(seed, fit(method, seed)) for seed in seeds]
        found[method] = np.array([[accuracy(method, run, part, seed) for part in (0, 1)] for seed, run in runs])
    return found
