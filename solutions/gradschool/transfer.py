"""Transfer learning: a network that has learned one task begins another with what it knows. The last layer is replaced,
the first ones are held still, and later all of them learn on, slowly.

    net, params, state = replace_head(net, params, state, dense(5), shape, rng)     # copies; the old net stays
    frozen = freeze(params, 0, 1, 2)                                                # rates times 0 for these layers
    train(hold(net, 0, 1, 2), params, data, with_factors(optimizer("adam"), frozen), ...)   # only the head learns
    train(net, params, data, with_factors(optimizer("adam", lr=1e-4), {0: 0.1}), ...)       # all, the first slowest

`with_factors` holds parameters: with the factor 0 they neither move nor decay, nor does what the optimizer remembers of
them. Statistics of batch norm are no parameters: they follow the new data all the same (as in PyTorch with
`requires_grad=False`), unless `hold` lets the layers behave as in prediction (as in Keras with `trainable=False`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .autodiff import stop_gradient
from .layers import Layer, sequential
from .layers.base import as_layer
from .optimizers import Optimizer, with_options
from .optimizers.each import move_part
from .trees import Tree, branches, rebuilt, tree_leaves, tree_map, tree_paths

__all__ = ["clone", "freeze", "hold", "replace_head", "trainable", "with_factors"]

Place = int | str | Callable[[str, Any], bool]


def clone(tree: Tree) -> Tree:
    """A copy of parameters or states that shares no memory with them.

    A model needs no copy, since it holds nothing: `net.init` gives a fresh start, `clone(params)` the same one.

    >>> params = {"W": np.ones(2)}
    >>> clone(params)["W"] is params["W"]
    False
    """
    return tree_map(np.copy, tree)


# ------------------------------------------------------------------------------------------------ factors of the rate
def freeze(params: Tree, *places: Place) -> Tree:
    """Factors of the learning rate: 0 for what lies at `places`, else 1, in a tree like `params`.

    A place is the number of a layer, a path such as "[2].W" or "body", with all that lies below it, or a function of
    path and array that says which are meant.

    Raises ValueError for a place at which nothing lies.

    >>> freeze([{"W": np.ones((3, 2)), "b": np.ones(2)}, {"W": np.ones((2, 1))}], "[0].W")
    [{'W': 0.0, 'b': 1.0}, {'W': 1.0}]
    """
    paths = tree_paths(params)
    frozen: set[str] = set()
    for place in places:
        found = {path for path, p in zip(paths, tree_leaves(params), strict=True) if lies_at(place, path, p)}
        if not found and not callable(place) and not empty(params, place):
            raise ValueError(f"freeze: nothing lies at {place!r}; there are {paths}")
        frozen |= found
    remaining = iter(paths)
    return tree_map(lambda _: 0.0 if next(remaining) in frozen else 1.0, params)


def lies_at(place: Place, path: str, p: Any) -> bool:
    if callable(place):
        return place(path, p)
    place = f"[{place}]" if isinstance(place, int) else place
    return path == place or (path.startswith(place) and path[len(place)] in ".[")


def empty(params: Tree, place: int | str) -> bool:
    """Whether the place is a layer without parameters, such as an activation, which may be frozen with the others."""
    return isinstance(place, int) and isinstance(params, list | tuple) and 0 <= place < len(params)


def trainable(params: Tree, factors: Tree) -> Tree:
    """The parameters that learn: None where the factor is 0. For counts, and for penalties that leave out the rest.

    >>> from gradschool.models import count_parameters
    >>> params = [{"W": np.ones((3, 2)), "b": np.ones(2)}, {"W": np.ones((2, 1))}]
    >>> count_parameters(trainable(params, freeze(params, 0)))
    2
    """
    below, own = branches(params), branches(factors)
    if own is None and factors == 0:
        return None
    if below is None or own is None:
        return params
    return rebuilt(params, [trainable(p, own.get(key, 1.0)) for key, p in below.items()])


def with_factors(optimizer: Optimizer, factors: Tree) -> Optimizer:
    """The same optimizer with a factor for the rate of each parameter: 0 freezes it, 0.1 fine-tunes it.

    `factors` is a tree of numbers like the parameters, from `freeze`, or the short form of `with_lr_factors`: a number
    stands for all below it, what is not named has 1, as in `{0: 0.0, 1: {"b": 2.0}}`.

    What is frozen gets no gradient, so it neither moves by an old velocity nor decays, and its slots in the state stay
    as they are, ready for later. The count of steps goes on for all: Adam's bias correction is then past for slots that
    are still zero, and their first steps are three times too long. A new phase of training had better begin with a
    new state. In `train` and on flat trees it works as any optimizer.

    >>> from gradschool.optimizers import optimizer
    >>> adamw, params = with_factors(optimizer("adamw"), {"body": 0.0}), {"body": np.ones(2), "head": np.ones(2)}
    >>> new, state = adamw.update(params, params, adamw.init(params), 0.1)
    >>> print(new["body"], new["head"].round(3), state["m"]["body"])
    [1. 1.] [0.899 0.899] [0. 0.]
    """
    update = functools.partial(update_with_factors, optimizer, factors)
    remake = functools.partial(remade, optimizer, factors)
    return Optimizer(optimizer.init, update, optimizer.name, False, optimizer.lr, None, remake)


def update_with_factors(
    optimizer: Optimizer, factors: Tree, params: Tree, grads: Tree, state: Any, lr: float | None = None
) -> tuple[Tree, Any]:
    moved, state = optimizer.update(params, trainable(grads, factors), state, lr)
    return move_part(params, moved, factors), state


def remade(optimizer: Optimizer, factors: Tree, **hyper: Any) -> Optimizer:
    return with_factors(with_options(optimizer, **hyper), factors)


# -------------------------------------------------------------------------------------------------------------- layers
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
