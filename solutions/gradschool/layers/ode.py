"""A layer of any depth: its input moves along a slope that a network gives, and where it is at the end comes out.

net = sequential(ode(sequential(dense(20), gs.tanh, dense(2)), (0.0, 1.0)), dense(3))        # x (N, 2) -> scores (N, 3)
path = ode(sequential(dense(20), gs.tanh, dense(2)), np.linspace(0, 6, 25))                  # x (N, 2) -> (N, 24, 2)
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .. import ops
from ..trees import tree_leaves
from .base import Layer, Shape, Tree, stateless


def ode(layer: Layer, t: Any = (0.0, 1.0), rtol: float = 1e-3, atol: float = 1e-6, gradient: str = "direct") -> Layer:
    """Solve y' = layer(y) from y(t[0]) = x: the state at t[1], or for more times those at t[1], t[2], ... (N, T, ...).

    params are those of `layer`, which must keep the shape of its samples, and have no state. The slope does not depend
    on time; the options are those of `gradschool.odeint`. All samples of a batch take the same steps, so a prediction
    may differ with its batch, by as much as the tolerances allow.

    Raises ValueError (from init) for a layer that changes the shape or keeps a state.
    Source: Chen et al., Neural Ordinary Differential Equations, 2018; MATLAB's `neuralODELayer`.

    >>> from gradschool.layers import dense
    >>> layer = ode(dense(1, bias=False))
    >>> y, _ = layer.apply({"W": np.array([[-1.0]])}, {}, np.array([[2.0]]))
    >>> print(y.round(3), (2 * np.exp(-1)).round(3))
    [[0.736]] 0.736
    """
    times = tuple(float(time) for time in t)
    options = {"rtol": rtol, "atol": atol, "gradient": gradient}
    start = functools.partial(ode_init, layer, times)
    return stateless(start, functools.partial(solved, layer, times, options), f"ode({layer.name})")


def ode_init(
    layer: Layer, times: tuple[float, ...], rng: np.random.Generator, shape: Shape, dtype: Any
) -> tuple[Tree, Shape]:
    params, state, after = layer.init(rng, shape, dtype)
    if after != shape:
        raise ValueError(
            f"ode: a slope has the shape of the state; expected a layer from {shape} to {shape}, not {after}"
        )
    if tree_leaves(state):
        raise ValueError(f"ode: expected a layer that keeps no state, got {layer.name}")
    return params, shape if len(times) == 2 else (len(times) - 1, *shape)


def solved(layer: Layer, times: tuple[float, ...], options: dict[str, Any], params: Tree, x: Any) -> Any:
    y = ops.odeint(functools.partial(slope, layer), x, np.array(times), params, **options)
    return y if len(times) == 2 else np.moveaxis(y, 0, 1)


def slope(layer: Layer, t: Any, y: Any, params: Tree) -> Any:
    return layer.apply(params, None, y)[0]
