"""A training step with L-BFGS, whose line search asks for the loss of one batch at several places before it moves.

history = train(net, params, data, lbfgs(), half_mse, epochs=50, rng=rng)    # of all samples: an epoch is a step
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .autodiff import value_and_grad
from .flat import FlatTree
from .lbfgs import LBFGS
from .models import Model, run_model
from .step import Stepped

__all__ = ["lbfgs_step"]

Tree = Any


def lbfgs_step(
    model: Model,
    loss: Any,
    optimizer: LBFGS,
    weights: FlatTree,
    state: Tree,
    memory: dict[str, Any],
    batch: tuple[Tree, Tree],
    *,
    rng: np.random.Generator | None = None,
    penalty: Callable[[Tree], Any] | None = None,
) -> Stepped:
    """What `training_step` is for the other optimizers, with the same arguments. The batch should be all samples.

    Layers that draw draw the same at every place where the loss is asked for: a line search compares losses.

    Raises FloatingPointError if the loss is nan or infinite where the step starts; then nothing has changed.
    """
    X, T = batch
    seed = None if rng is None else int(rng.integers(2**63))
    seen: list[tuple[Any, Tree, Tree]] = []  # of which the first is where the step starts

    def compare(params: Tree) -> tuple[Any, Any]:
        draws = None if seed is None else np.random.default_rng(seed)
        Y, after = run_model(model, params, state, X, training=True, rng=draws)
        value = loss(Y, T)
        return (value if penalty is None else value + penalty(params)), (Y, after)

    def loss_and_grads(params: Tree) -> tuple[Any, Tree]:
        (value, found), grads = value_and_grad(compare, has_aux=True)(params)
        if not seen and not math.isfinite(value):
            raise FloatingPointError(f"the loss is {value}")
        seen.append((value, *found))
        return value, grads

    params, memory = optimizer.update(loss_and_grads, weights.tree, memory)
    weights.vector[:] = weights.gather(params)
    value, Y, after = seen[0]
    return Stepped(value, Y, after, weights, memory)
