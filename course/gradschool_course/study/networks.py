"""The networks of the recorded experiments, layer by layer as their notebooks have them.

    net = deep(gs.selu, gs.lecun, units=100, layers=20)         # CIFAR-10, exercise 8 of chapter 11
    params, state, _ = net.init(rng, (3072,), np.float32)

Weights are drawn, batches normalised and units dropped as Keras 2 does where that is known to matter: truncated normal
initializers, batch norm that keeps 0.99 of its averages with ε = 0.001.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import gradschool as gs
from gradschool.layers import Layer, activation, alpha_dropout, batchnorm, dense, dropout, prelu, sequential

__all__ = ["batchnorm_after", "batchnorm_before", "deep", "deep_batchnorm", "dropped", "mlp", "with_prelu"]

Init = Callable[..., Any]
Bend = Callable[..., Any] | Layer
keras_batchnorm = functools.partial(batchnorm, momentum=0.99, eps=1e-3)
leaky = functools.partial(activation, gs.leaky_relu, alpha=0.3)  # Keras' layer, not its function


def mlp(bend: Bend, init: Init = gs.glorot, hidden: Sequence[int] = (300, 100), outputs: int = 10) -> Layer:
    """784 - 300 - 100 - 10: the hidden layers drawn by `init`, the last by Glorot's."""
    inner = [part for units in hidden for part in (dense(units, init), bend)]
    return sequential(*inner, dense(outputs))


def with_prelu() -> Layer:
    """Every hidden unit has a slope of its own, 0 at first."""
    return sequential(dense(300, gs.he), prelu(0.0), dense(100, gs.he), prelu(0.0), dense(10))


def deep(bend: Bend, init: Init, first: int = 100, layers: int = 20, drop: float = 0.0) -> Layer:
    """Many hidden layers of 100 units, the first of `first`; alpha dropout before the last if asked for."""
    inner = [part for units in (first, *[100] * (layers - 1)) for part in (dense(units, init), bend)]
    return sequential(*inner, *([alpha_dropout(drop)] if drop else []), dense(10))


def deep_batchnorm(layers: int = 20) -> Layer:
    """Batch norm on the inputs and between each hidden layer and its ELU."""
    inner = [part for _ in range(layers) for part in (dense(100, gs.he), keras_batchnorm(), gs.elu)]
    return sequential(keras_batchnorm(), *inner, dense(10))


def batchnorm_after() -> Layer:
    """Dense, ReLU, batch norm; and one on the inputs."""
    inner = [part for units in (300, 100) for part in (dense(units), gs.relu, keras_batchnorm())]
    return sequential(keras_batchnorm(), *inner, dense(10))


def batchnorm_before() -> Layer:
    """Dense without bias, batch norm, ReLU; and one on the inputs."""
    inner = [part for units in (300, 100) for part in (dense(units, bias=False), keras_batchnorm(), gs.relu)]
    return sequential(keras_batchnorm(), *inner, dense(10))


def dropped(drop: Callable[[float], Layer], bend: Bend, init: Init, rate: float = 0.2) -> Layer:
    """A fifth is dropped before each of the three layers."""
    return sequential(drop(rate), dense(300, init), bend, drop(rate), dense(100, init), bend, drop(rate), dense(10))


DROPOUTS = {"dropout": dropout, "alpha": alpha_dropout}
