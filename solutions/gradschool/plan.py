"""A plan is a training step of one network for batches of one shape, laid out beforehand: no tape is written, and what
comes out goes where it went the step before. The numbers are those of the tape, up to rounding.

    plan = plan_of(room.plans, net, weights, room, X)   # one that is there, or a new one; None if it takes the tape
    with plan.threads():
        found = plan(loss, X, T, state)                 # (loss, predictions, state, gradients in `room`), or None

Networks that are nothing but ops one after the other (`sequential`) can be planned, with any loss, as long as no op is
replaced. What a plan is not for, such as inputs that do not fit, it leaves to the tape, which says what is wrong.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .autodiff import OPS, value_and_grad
from .autodiff.ops import gradients_by
from .layers import Layer
from .layers.base import links_of
from .ops.blas import small_kernels
from .ops.place import LARGE
from .ops.planned import NotPlanned, Spot, lender, part_for
from .ops.threads import BlasAlone, SingleBlas
from .swap import replacements
from .trees import tree_leaves

Tree = Any
MISTAKES = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError)  # not a time limit, for instance
MOST = 2  # plans that are kept: for the batches of an epoch, and for its last, which may be shorter


class Plan:
    """For `weights`, a flat tree, and inputs of this shape; `places` is the tree of arrays where gradients go."""

    def __init__(self, model: Layer, links: list[Any], weights: Any, places: Tree, shape: tuple[int, ...]):
        self.model, self.links, self.weights, self.places, self.shape = model, links, weights, places, shape
        self.parts: list[Any] = []  # for the links, as far as they have been passed
        self.pulls: list[Any] = []  # those that a gradient has to pass, the last one first
        self.lend = lender(weights.vector.dtype)
        self.given_up = False
        self.large = mostly_large(math.prod(shape[:-1]), weights.tree)

    def __call__(self, loss: Any, X: np.ndarray, T: Any, state: Tree) -> tuple[Any, np.ndarray, Tree, Tree] | None:
        states = [None] * len(self.model.parts) if state is None else state
        if self.given_up or len(states) != len(self.model.parts):
            return None
        try:
            y, after = self.forward(X, states)
            compared = of_op(loss, y, T)
        except NotPlanned:
            self.given_up = True
            return None
        except MISTAKES:  # the tape meets them too, and has the words for it
            return None
        value, g = compared or value_and_grad(loss)(y, T)
        for part in self.pulls:
            g = part.backward(g)
        return value, y, None if state is None else after, self.places

    def threads(self) -> Any:
        """What a step runs within. Large products BLAS shares out sooner than we, but its threads stay awake in the way
        of whatever else is to be done."""
        return BlasAlone() if self.large and not self.given_up else SingleBlas()

    def forward(self, X: np.ndarray, states: Tree) -> tuple[np.ndarray, Tree]:
        y, after = X, list(states)
        for n, (i, make) in enumerate(self.links):
            if n == len(self.parts):
                self.lay_out(i, make, y, states[i])
            part = self.parts[n]
            y = part.forward(y, states[i])
            if part.after is not None:
                after[i] = part.after
        return y.copy(), after  # its memory is about to be used again

    def lay_out(self, i: int, make: Any, x: np.ndarray, state: Tree) -> None:
        """Make the next part, for what comes out of the one before."""
        params, owned = self.weights.tree[i], bool(self.parts) and self.parts[-1].owned
        first = not self.pulls  # nothing has been learned yet
        part = part_for(Spot(make, params, self.places[i], state, x.shape, x.dtype, first, owned, self.lend))
        self.parts.append(part)
        if self.pulls or tree_leaves(params):
            self.pulls.insert(0, part)


def mostly_large(samples: int, params: Tree) -> bool:
    """Whether there are dense layers alone, and nearly all that they multiply is in products worth sharing out: where
    BLAS has no kernels for small ones, these can be smaller, and fewer."""
    if any(np.ndim(p) > 2 for p in tree_leaves(params)):
        return False  # convolutions are shared out by images
    products = [samples * p.size for p in tree_leaves(params) if p.ndim == 2]
    fewest, share = (LARGE, 0.75) if small_kernels() else (LARGE >> 2, 0.5)
    return sum(product for product in products if product > fewest) > share * sum(products)


def of_op(loss: Any, Y: np.ndarray, T: Any) -> tuple[Any, np.ndarray] | None:
    """The value of a loss that is an op, and its gradient by Y, without a tape; None for another one"""
    op = OPS.get(getattr(loss, "__name__", ""))
    if op is None or op.function is not loss:
        return None
    form = op.fast or op
    value, cache = form.forward(Y, T)
    if value.shape != ():
        raise ValueError(f"{op.name} is no number")
    return value, gradients_by(form, value.dtype.type(1), cache, [0], {})[0]


def plan_of(plans: list[Plan], model: Any, weights: Any, room: Any, X: Any) -> Plan | None:
    """The plan for this network and inputs of this shape; None for what cannot be planned"""
    if type(X) is not np.ndarray or X.dtype != weights.vector.dtype or not X.flags.c_contiguous or replacements():
        return None
    for plan in plans:
        if plan.model is model and plan.weights is weights and plan.shape == X.shape:
            return plan
    links = links_of(model) if isinstance(model, Layer) else None
    if links is None:
        return None
    plans[MOST - 1 :] = []
    plans.insert(0, Plan(model, links, weights, room.tree, X.shape))
    return plans[0]
