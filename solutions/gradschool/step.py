"""One step of training: predict, compare, differentiate, improve. `train` is this, over and over.

weights, fast = contiguous(params), in_place(optimizer("adam"))
memory = fast.init(weights)                                     # what the optimizer remembers
room = weights.like()                                           # where gradients go, the same place at every step
loss, Y, state, weights, memory = training_step(
    net, softmax_cross_entropy, fast, weights, state, memory, (X, T), 1e-3, rng=rng, room=room)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .autodiff import value_and_grad
from .flat import FlatTree
from .models import Model, run_model, threads_for
from .ops.place import buffered
from .optimizers import Optimizer
from .plan import plan_of

__all__ = ["Stepped", "training_step"]

Tree = Any


class Stepped(NamedTuple):
    """What a step leaves: the loss and the predictions from before it; state, weights and memory from after it."""

    loss: Any
    predictions: Tree
    state: Tree
    weights: FlatTree
    memory: dict[str, Any]


@buffered()
def training_step(
    model: Model,
    loss: Any,
    optimizer: Optimizer,
    weights: FlatTree,
    state: Tree,
    memory: dict[str, Any],
    batch: tuple[Tree, Tree],
    lr: float | None = None,
    *,
    rng: np.random.Generator | None = None,
    room: FlatTree | None = None,
    penalty: Callable[[Tree], Any] | None = None,
    gradients: Callable[[Tree, Tree], Tree] | None = None,
) -> Stepped:
    """A step of mini-batch gradient descent on the batch (X, T). It changes `weights` and `memory` in place.

    model      a `Layer`, or a function `model(params, *inputs)`; loss(Y, T) is one number
    optimizer  in its flat form, from `in_place`; `memory` is its state, from `optimizer.init(weights)`
    state      of the model, from `init`; None where no layer keeps one
    lr         the learning rate; None leaves it to the optimizer
    rng        for layers that draw
    room       memory for the gradients, laid out like the weights; without it every step takes its own. With it,
               small networks that are nothing but ops one after the other take two thirds of the time, see `plan`
    penalty    a number for the parameters that is added to the loss, such as `l2_penalty`
    gradients  (grads, params) -> the gradients that the optimizer gets, such as clipped ones

    Raises FloatingPointError if the loss is nan or infinite; then nothing has changed.

    >>> from gradschool import contiguous, in_place, optimizer
    >>> sgd, weights = in_place(optimizer("sgd")), contiguous({"w": np.array([1.0, 2.0])})
    >>> done = training_step(lambda p, x: x @ p["w"], lambda Y, T: ((Y - T) ** 2).mean(), sgd, weights, None,
    ...                      sgd.init(weights), (np.array([[1.0, 1.0]]), np.array([1.0])), lr=0.25)
    >>> print(done.loss, done.weights.tree["w"])
    4.0 [0. 1.]
    """
    plan = None if room is None or penalty is not None else plan_of(room.plans, model, weights, room, batch[0])
    with threads_for(model) if plan is None else plan.threads():
        found = plan and plan(loss, *batch, state)
        value, Y, after, grads = found or by_tape(model, loss, weights, state, batch, rng, room, penalty)
        if not math.isfinite(value):
            raise FloatingPointError(f"the loss is {value}")
        if gradients is not None:
            grads = gradients(grads, weights.tree)
        if room is not None and grads is room.tree:
            grads = room  # as one vector
        weights, memory = optimizer.update(weights, grads, memory, lr)
    return Stepped(value, Y, after, weights, memory)


def by_tape(
    model: Model,
    loss: Any,
    weights: FlatTree,
    state: Tree,
    batch: tuple[Tree, Tree],
    rng: np.random.Generator | None,
    room: FlatTree | None,
    penalty: Callable[[Tree], Any] | None,
) -> tuple[Any, Tree, Tree, Tree]:
    """(loss, predictions, new state, gradients) of any model."""
    X, T = batch

    def compare(params: Tree) -> tuple[Any, Any]:
        Y, after = run_model(model, params, state, X, training=True, rng=rng)
        value = loss(Y, T)
        return (value if penalty is None else value + penalty(params)), (Y, after)

    into = None if room is None else room.tree
    (value, (Y, after)), grads = value_and_grad(compare, has_aux=True, into=into)(weights.tree)
    return value, Y, after, grads
