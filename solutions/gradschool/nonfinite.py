"""Where a network lost its numbers: the first layer, or in a model that is a function the first op, whose result is no
number any more. Everything behind it is nan as well, and the loss shows nothing else.

    first_nonfinite(net, params, state, X)
    # 'layer 3 (dense(100)) of 8, whose input was finite, up to 1.2e+19, and its parameters up to 0.31'
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .autodiff import OPS
from .layers import Layer
from .models import Model, run_model
from .swap import replaced, using
from .trees import Tree, tree_leaves, tree_paths

__all__ = ["first_nonfinite"]


class Found(Exception):
    """Carries the sentence out of the model; what comes behind need not be computed."""


def first_nonfinite(
    model: Model,
    params: Tree,
    state: Tree,
    inputs: Any,
    training: bool = False,
    rng: np.random.Generator | None = None,
) -> str | None:
    """Where nan or infinity comes from, as a part of a sentence; None if all predictions are finite.

    The model is run once more, as `run_model` runs it. Named are the layer with its place in the composition, or the
    op of a function by the number of its call, and how large its input and its parameters were; or else the input
    itself, with the place of its first nan. Layers count from 1.

    What the model raises comes out of here too, such as ValueError for shapes that do not fit.

    >>> from gradschool.layers import dense, sequential
    >>> net = sequential(dense(4), np.exp, dense(3))
    >>> params, state, _ = net.init(np.random.default_rng(0), (5,))
    >>> first_nonfinite(net, params, state, np.full((2, 5), 1e4))
    'layer 2 (exp) of 3, whose input was finite, up to 2e+04'
    >>> params[2]["b"][1] = np.nan
    >>> first_nonfinite(net, params, state, np.zeros((2, 5)))
    'layer 3 (dense(3)) of 3, whose b holds nan at [1]'
    """
    with np.errstate(all="ignore"):  # overflow is what is looked for
        try:
            if isinstance(model, Layer):
                run_model(watched(model, ""), params, state, inputs, training, rng)
            else:
                run_function(model, params, state, inputs, training, rng)
        except Found as found:
            # only now: nan in the padding of a sequence does no harm
            return f"the input{flaw(inputs)}" if flaw(inputs) else str(found)
    return None


# -------------------------------------------------------------------------------------------------------------- layers
def watched(layer: Layer, where: str) -> Layer:
    """The same layer, which stops the run if it or one of its parts makes something that is no number."""
    inner = layer
    if layer.parts and layer.compose:
        n, inside = len(layer.parts), f" in {where}" if where else ""
        names = [f"layer {i} ({short(part)}) of {n}{inside}" for i, part in enumerate(layer.parts, 1)]
        inner = layer.compose(*(watched(part, name) for part, name in zip(layer.parts, names, strict=True)))
    return Layer(layer.init, functools.partial(watched_apply, inner, where or f"the layer {short(layer)}"), layer.name)


def short(layer: Layer) -> str:
    return layer.name.split("(")[0] if layer.parts else layer.name


def watched_apply(
    layer: Layer,
    where: str,
    params: Tree,
    state: Tree,
    x: Any,
    training: bool = False,
    rng: np.random.Generator | None = None,
) -> tuple[Any, Tree]:
    try:
        y, after = layer.apply(params, state, x, training, rng)
    except FloatingPointError as error:  # of a solver, say, which has seen it itself
        raise Found(f"{where}, whose {reason(params, state, x)}") from error
    if flaw(y) or flaw(after):
        raise Found(f"{where}, whose {reason(params, state, x)}")
    return y, after


def reason(params: Tree, state: Tree, x: Any) -> str:
    """The parameters or statistics, if they are to blame; else how large all was that went in."""
    for tree in (params, state):
        if flaw(tree):
            return flaw(tree).lstrip(", ")
    own = f", and its parameters up to {extent(params):.2g}" if any(map(np.size, tree_leaves(params))) else ""
    return f"input was finite, up to {extent(x):.2g}{own}"


# ------------------------------------------------------------------------------------------------------ a function
def run_function(
    model: Callable[..., Any], params: Tree, state: Tree, inputs: Any, training: bool, rng: np.random.Generator | None
) -> None:
    """Run a function with every op watched; what it computes with NumPy alone is seen only in its result."""
    bad, calls = flaw(params), [0]
    if bad:
        raise Found(f"the parameters{bad}")
    with using(
        **{name: functools.partial(watched_op, calls, name, replaced(name) or op.function) for name, op in OPS.items()}
    ):
        y, after = run_model(model, params, state, inputs, training, rng)
    if flaw(y) or flaw(after):
        raise Found(f"the model function, after {calls[0]} calls of ops whose results were finite")


def watched_op(calls: list[int], name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    calls[0] += 1
    try:
        y = function(*args, **kwargs)
    except FloatingPointError:
        y = np.nan
    if flaw(y):
        arrays = [a for a in (*args, *kwargs.values()) if isinstance(a, np.ndarray)]
        bad = next(filter(None, map(flaw, arrays)), "").removeprefix(", which ")
        why = f"input {bad}, made by NumPy before it" if bad else reason({}, {}, arrays)
        raise Found(f"call {calls[0]} of an op ({name}), whose {why}")
    return y


# ------------------------------------------------------------------------------------------------------------- numbers
def flaw(tree: Tree) -> str:
    """ ", W holds nan at [2, 3]" of the first array that is not finite; empty if all are."""
    for path, leaf in zip(tree_paths(tree), tree_leaves(tree), strict=True):
        if np.result_type(leaf).kind in "fc" and not np.isfinite(leaf).all():
            at = np.argwhere(~np.isfinite(np.atleast_1d(leaf)))[0]
            value = np.atleast_1d(leaf)[tuple(at)]
            place = f" at {at.tolist()}" if np.ndim(leaf) else ""
            return f", {path} holds {value}{place}" if path else f", which holds {value}{place}"
    return ""


def extent(tree: Tree) -> float:
    """The largest absolute value."""
    return max((float(np.max(np.abs(leaf))) for leaf in tree_leaves(tree) if np.size(leaf)), default=0.0)
