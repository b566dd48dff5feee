"""Layers side by side: several ways from the same input, round trips past a few layers, an input for each.

block = residual(conv(64, 3, padding="same"), batchnorm(), gs.relu, conv(64, 3, padding="same"))    # x + f(x)
block = branches(conv(16, 1), sequential(conv(16, 1), gs.relu, conv(32, 3, padding="same")))        # (..., 48)
heads = sequential(body, branches(dense(10), dense(1), merge=None))                                 # a pair comes out
wide_and_deep = sequential(each(identity, mlp([30, 30], 30, gs.relu), merge="concat"), dense(1))    # a pair goes in

They are layers: they nest, and stand in `sequential`. Several inputs are a tuple, and so are their shapes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .base import Layer, Shape, Tree, as_layer, sequential

Part = Layer | Callable[..., Any]


def identity(x: Any) -> Any:
    """What comes in goes out; nothing is refused."""
    return x


def branches(*layers: Part, merge: str | None = "concat") -> Layer:
    """All layers on the same input, their results merged: "concat" along the last axis, "add", or None for a tuple.

    params and state are lists with an entry for each layer.

    Raises ValueError (from init) for shapes that cannot be merged.

    >>> from gradschool.layers import dense
    >>> branches(dense(3), dense(4)).init(np.random.default_rng(0), (5,))[2]
    (7,)
    """
    return side_by_side("branches", all_alike, layers, merge, functools.partial(branches, merge=merge))


def each(*layers: Part, merge: str | None = None) -> Layer:
    """The first layer on the first input, the second on the second, and so on: a tuple goes in, with a shape for each.

    Merging is that of `branches`; by default a tuple comes out.

    Raises ValueError for no layers and for another `merge`; (from init and apply) for another number of inputs than
    layers; (from init) for shapes that cannot be merged. TypeError for what is no layer or function of x.

    >>> from gradschool.layers import dense
    >>> each(identity, dense(4), merge="concat").init(np.random.default_rng(0), ((5,), (6,)))[2]
    (9,)
    """
    return side_by_side("each", one_by_one, layers, merge, functools.partial(each, merge=merge))


def residual(*layers: Part, shortcut: Part = identity) -> Layer:
    """x + f(x), where f is the layers one after the other, so that f only learns what is to be changed.

    params and state are pairs [of the shortcut, of f]; f's are lists, as for `sequential`. Where f changes the shape,
    give a shortcut that does so too, such as `conv(channels, 1, stride=2)`.

    Raises TypeError for what is no layer or function of x; ValueError (from init and apply) where f and the shortcut
    give different shapes.

    Source: He et al., Deep Residual Learning for Image Recognition, 2016.

    >>> from gradschool.layers import dense
    >>> params, state, _ = residual(np.tanh, dense(5)).init(np.random.default_rng(0), (5,))
    >>> params[1][1]["W"].shape
    (5, 5)
    """
    return round_trip(shortcut, sequential(*layers))


def round_trip(shortcut: Part, body: Layer) -> Layer:
    return side_by_side("residual", all_alike, (shortcut, body), "add", round_trip)


# --------------------------------------------------------------------------------------------------------- how it goes
def side_by_side(
    name: str, deal: Callable[..., Any], layers: Sequence[Part], merge: str | None, compose: Callable[..., Layer]
) -> Layer:
    if merge not in ("concat", "add", None):
        raise ValueError(f'{name}: expected merge "concat", "add" or None, got {merge!r}')
    if not layers:
        raise ValueError(f"{name}: expected at least one layer")
    parts = tuple(map(as_layer, layers))
    init = functools.partial(side_by_side_init, parts, name, deal, merge)
    apply = functools.partial(side_by_side_apply, parts, name, deal, merge)
    return Layer(init, apply, f"{name}({', '.join(part.name for part in parts)})", parts, compose)


def side_by_side_init(
    parts: Sequence[Layer],
    name: str,
    deal: Callable[..., Any],
    merge: str | None,
    rng: np.random.Generator,
    shape: Any,
    dtype: Any = float,
) -> tuple[Tree, Tree, Any]:
    made = [part.init(rng, s, dtype) for part, s in zip(parts, deal(name, shape, len(parts)), strict=True)]
    params, states, shapes = (list(column) for column in zip(*made, strict=True))
    return params, states, merged_shape(name, merge, shapes)


def side_by_side_apply(
    parts: Sequence[Layer],
    name: str,
    deal: Callable[..., Any],
    merge: str | None,
    params: Tree,
    state: Tree,
    x: Any,
    training: bool = False,
    rng: np.random.Generator | None = None,
) -> tuple[Any, Tree]:
    states = [None] * len(parts) if state is None else state
    inputs = deal(name, x, len(parts))
    rows = zip(parts, params, states, inputs, strict=True)
    found = [part.apply(p, s, x, training, rng) for part, p, s, x in rows]
    return merged(name, merge, [y for y, _ in found]), None if state is None else [after for _, after in found]


def all_alike(name: str, x: Any, n: int) -> list[Any]:
    return [x] * n


def one_by_one(name: str, x: Any, n: int) -> Sequence[Any]:
    if not isinstance(x, tuple | list) or len(x) != n:
        came = f"{len(x)} of them" if isinstance(x, tuple | list) else f"a {type(x).__name__}"
        raise ValueError(f"{name}: expected a tuple of {n} inputs (or their shapes), one for each layer, got {came}")
    return x


def merged_shape(name: str, merge: str | None, shapes: list[Shape]) -> Any:
    if merge is None:
        return tuple(shapes)
    if merge == "add" and any(shape != shapes[0] for shape in shapes):
        raise ValueError(
            f"{name}: expected results of one shape to add, got {', '.join(map(str, shapes))}; "
            "change a layer, or give a shortcut that makes the shapes equal"
        )
    if merge == "concat" and any(not shape or shape[:-1] != shapes[0][:-1] for shape in shapes):
        raise ValueError(
            f"{name}: expected results that differ in their last axis only, got {', '.join(map(str, shapes))}"
        )
    return shapes[0] if merge == "add" else (*shapes[0][:-1], sum(shape[-1] for shape in shapes))


def merged(name: str, merge: str | None, results: list[Any]) -> Any:
    if merge is None:
        return tuple(results)
    if merge == "concat":
        return np.concatenate(results, axis=-1)
    if any(y.shape != results[0].shape for y in results):  # a sum would broadcast them
        raise ValueError(f"{name}: expected results of one shape to add, got {[y.shape for y in results]}")
    total = results[0]
    for y in results[1:]:
        total = total + y
    return total
