"""Transfer learning: a network that has learned one task begins another with what it knows. The last layer is replaced,
the first ones are held still, and later all of them learn on, slowly.

    net, params, state = replace_head(net, params, state, dense(5), shape, rng)     # copies; the old net stays
    frozen = freeze(params, 0, 1, 2)                                                # rates times 0 for these layers
    train(hold(net, 0, 1, 2), params, data, with_factors(optimizer("adam"), frozen), ...)   # only the head learns
    train(net, params, data, with_factors(optimizer("adam", lr=1e-4), {0: 0.1}), ...)       # all, the first slowest

`freeze` and `with_factors` (in `factors`) hold parameters. Statistics of batch norm are no parameters: they follow the
new data all the same (as in PyTorch with `requires_grad=False`), unless `hold` lets the layers behave as in prediction
(as in Keras with `trainable=False`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .autodiff import stop_gradient
from .layers import Layer, sequential
from .layers.base import as_layer
from .trees import Tree, check_leaves, tree_leaves, tree_map

__all__ = ["clone", "hold", "replace_head"]


def clone(tree: Tree) -> Tree:
    """A copy of parameters or states that shares no memory with them.

    A model needs no copy, since it holds nothing: `net.init` gives a fresh start, `clone(params)` the same one.

    Raises TypeError for what holds anything else than arrays and numbers, such as a model.

    >>> params = {"W": np.ones(2)}
    >>> clone(params)["W"] is params["W"]
    False
    """
    check_leaves("clone", tree)
    return tree_map(np.copy, tree)


def hold(net: Layer, *positions: int) -> Layer:
    """The same net with the layers at `positions` (all without any) held: even in training they only predict.

    Batch norm normalises by its running statistics, which stay; nothing is dropped; parameters have no gradient, which
    saves its time. (In Keras a layer with `trainable=False` still drops.) Hold their parameters with `with_factors`
    too, since a gradient of zero does not stop a decay or a velocity.

    Raises ValueError for a position that the net does not have.

    >>> from gradschool.layers import batchnorm, dense
    >>> net = hold(sequential(dense(4), batchnorm(), dense(2)), 0, 1)
    >>> net.name
    'sequential(held(dense(4)), held(batchnorm), dense(2))'
    """
    if not positions:
        return Layer(net.init, functools.partial(held_apply, net), f"held({net.name})")
    if net.compose is None or not all(-len(net.parts) <= i < len(net.parts) for i in positions):
        raise ValueError(f"hold: {net.name} has {len(net.parts)} layers, so not all of {list(positions)}")
    which = {i % len(net.parts) for i in positions}
    return net.compose(*(hold(part) if i in which else part for i, part in enumerate(net.parts)))


def held_apply(
    layer: Layer,
    params: Tree,
    state: Tree,
    x: Any,
    training: bool = False,
    rng: np.random.Generator | None = None,
) -> tuple[Any, Tree]:
    return layer.apply(stop_gradient(params), state, x)[0], state


def replace_head(
    net: Layer,
    params: Tree,
    state: Tree,
    head: Layer | Callable[..., Any],
    shape: Any,
    rng: np.random.Generator,
    layers: int = 1,
) -> tuple[Layer, Tree, Tree]:
    """(net, params, state) with a fresh `head` in the place of the last `layers`, behind copies of those before.

    net     a `sequential`; its head may be several layers, such as dense and softmax
    shape   of one sample, as for `init`; rng draws the head's parameters, in the type of the others

    What it is made from stays as it is. Raises ValueError for a net that is no `sequential` of more than `layers`.

    >>> from gradschool.layers import dense
    >>> rng = np.random.default_rng(0)
    >>> old = sequential(dense(4), np.tanh, dense(10))
    >>> net, params, state = replace_head(old, *old.init(rng, (3,))[:2], dense(2), (3,), rng)
    >>> net.name, params[2]["W"].shape
    ('sequential(dense(4), tanh, dense(2))', (4, 2))
    """
    if net.compose is not sequential or not 0 < layers < len(net.parts):
        raise ValueError(f"replace_head: expected a sequential of more than {layers} layers, got {net.name}")
    kept, head = len(net.parts) - layers, as_layer(head)
    _, _, inner = sequential(*net.parts[:kept]).init(np.random.default_rng(0), shape)  # only its shape is wanted
    p, s, _ = head.init(rng, inner, next((p.dtype for p in tree_leaves(params)), float))
    new_state = None if state is None else [*clone(state[:kept]), s]
    return sequential(*net.parts[:kept], head), [*clone(params[:kept]), p], new_state
