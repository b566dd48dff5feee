"""Every array of a tree of parameters, treated alike by one rule, or each at a rate of its own.

update_each(lambda p, g: p - 0.1 * g, params, grads)                       # by name, at any depth
with_lr_factors(adam, params, grads, state, 1e-3, {"body": 0.0})           # the body is frozen
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..trees import Tree, branches, rebuilt

__all__ = ["update_each", "with_lr_factors"]


def update_each(rule: Callable[..., Any], params: Tree, *trees: Tree) -> Any:
    """Apply `rule` to every array of nested dicts, lists and tuples, with its namesakes in the other trees.

    `rule(p)` or `rule(p, g)` returns the new p, and so one tree comes back. With more trees, `rule(p, g, *slots)`
    returns `(p, *slots)`, and as many trees come back: the second argument is only read.
    Arrays are matched by name, not by the order in which they stand in a dict. Where a tree has None, the parameters
    (and slots) below come back as they were, copied.

    Raises ValueError where the names differ, TypeError for a rule that does not return `(p, *slots)`.
    MATLAB calls it `dlupdate`; in JAX it is `tree.map`.

    >>> update_each(lambda p, g: p - 0.5 * g, {"layer": {"W": 3.0, "b": 1.0}}, {"layer": {"b": 4.0, "W": 2.0}})
    {'layer': {'W': 2.0, 'b': -1.0}}
    """
    kept, below = (params, *trees[1:]), branches(params)
    if any(tree is None for tree in trees):
        new = [update_each(np.copy, tree) for tree in kept]
    elif below is None:
        return returned(rule(params, *trees), len(kept))
    else:
        for tree in trees:
            beside = branches(tree) or {}
            if beside.keys() != below.keys():
                raise ValueError(f"update_each: one tree has {list(below)} where another has {list(beside)}")
        parts = [update_each(rule, p, *(tree[name] for tree in trees)) for name, p in below.items()]
        columns = [parts] if len(kept) == 1 else [[part[i] for part in parts] for i in range(len(kept))]
        new = [rebuilt(params, column) for column in columns]
    return new[0] if len(kept) == 1 else tuple(new)


def returned(new: Any, n: int) -> Any:
    """What a rule returned: one array, or a tuple of n, since an array would be taken apart by its rows."""
    if n > 1 and not (isinstance(new, tuple | list) and len(new) == n):
        came = f"{len(new)} of them" if isinstance(new, tuple | list) else f"{type(new).__name__} alone"
        raise TypeError(f"update_each: expected a rule of {n - 1} slots to return (p, *slots), {n} in all, got {came}")
    return new


def with_lr_factors(step, params, grads, state, lr, factors, **hyper):
    """Take any step, with each parameter's rate multiplied by its factor: 0 freezes it, 0.1 fine-tunes it.

    `factors` is a tree of numbers like `params`. A number may stand for everything below it, and a name that is
    missing has the factor 1: `{"body": 0.0, "head": {"b": 2.0}}`. For a list of layers `{0: 0.0}` names the first.

    A parameter moves by its factor times what `step(params, grads, state, lr, **hyper)` would move it. That is the
    same as a rate lr times the factor, because every step here moves by a multiple of lr; and 0 holds a parameter
    even if its velocity is not zero yet. A factor on the gradient would be another thing: Adam divides it out again.
    The state is the step's own. Returns (params, state).

    Raises ValueError for a factor whose name no parameter has. MATLAB: `setLearnRateFactor`; PyTorch: param groups.

    >>> from gradschool.optimizers import sgd
    >>> params = {"body": {"W": np.array([1.0])}, "head": np.array([1.0, 2.0])}
    >>> grads = {"body": {"W": np.array([5.0])}, "head": np.array([1.0, 1.0])}
    >>> with_lr_factors(sgd, params, grads, {}, 0.1, {"body": 0.0, "head": 2.0})[0]
    {'body': {'W': array([1.])}, 'head': array([0.8, 1.8])}
    """
    moved, state = step(params, grads, state, lr, **hyper)
    return move_part(params, moved, factors), state


def move_part(p, moved, factor):
    """(1 − f) p + f moved, for every array; exact for the factors 0 and 1"""
    below, own = branches(p), branches(factor)
    if below is None:
        return (1 - factor) * p + factor * moved
    if own is None:
        own = dict.fromkeys(below, factor)
    if own.keys() - below.keys():
        raise ValueError(f"with_lr_factors: there are factors for {list(own)}, but parameters only for {list(below)}")
    return rebuilt(p, [move_part(q, moved[name], own.get(name, 1.0)) for name, q in below.items()])
