"""Layers that drop by chance, while training or wherever they are handed a generator; a plain prediction has neither.

net = sequential(dense(300), gs.relu, dropout(0.2), dense(10))
y, _ = net.apply(params, state, x, training=True, rng=rng)          # a fifth is dropped
y, _ = net.apply(params, state, x)                                  # nothing is
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np

from .. import ops
from .base import Layer, Tree, nothing_to_init


def dropout(rate: float) -> Layer:
    """Each number is 0 with probability `rate`, the others grow by 1 / (1 - rate).

    Raises ValueError for a rate below 0 or from 1 on; (from apply, where something is to be dropped) ValueError without
    a generator, TypeError for another one than NumPy's.
    """
    return dropping("dropout", ops.dropout, rate)


def alpha_dropout(rate: float) -> Layer:
    """The dropout of nets with selu: each number takes selu's lowest value with probability `rate`.

    Raises ValueError for a rate below 0 or from 1 on; (from apply, where something is to be dropped) ValueError without
    a generator, TypeError for another one than NumPy's.
    """
    return dropping("alpha_dropout", ops.alpha_dropout, rate)


def dropping(name: str, function: Callable[..., Any], rate: float) -> Layer:
    if not isinstance(rate, Real) or not 0 <= float(rate) < 1:
        raise ValueError(f"{name}: expected a rate from 0 to below 1, the share that is dropped, got {rate!r:.40}")
    return Layer(nothing_to_init, functools.partial(dropping_apply, function, rate), f"{name}({rate})")


def dropping_apply(
    function: Callable[..., Any],
    rate: float,
    params: Tree,
    state: Tree,
    x: Any,
    training: bool = False,
    rng: np.random.Generator | None = None,
) -> tuple[Any, Tree]:
    return function(x, rate, rng, training=training or rng is not None), state
