"""A rectifier that learns how much of the negative side it lets through.

net = sequential(dense(100, init=he), prelu(), dense(10))          # params[1] is {"a": (100,)}
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .base import Layer, Shape, Tree, own, stateless


def prelu(start: float = 0.25, shared: bool = False) -> Layer:
    """y = x where x > 0, else a x, with a slope for each channel, or one for all: x (N, ..., C), the last axis.

        dL/dx = g where x > 0, else a g         dL/da = the sum of g x over where x <= 0

    params {"a": (C,), or () if shared}, which begin at `start`. Weight decay would pull the slopes to those of relu;
    `is_weight` leaves them out, as they have one axis.

    Raises ValueError (from init) for samples without a channel axis, unless the slope is shared.

    Frameworks: MATLAB and PyTorch begin at 0.25 too, PyTorch with one slope; Keras begins at 0, with a slope for each
    entry of a sample. Source: He et al., Delving Deep into Rectifiers, 2015.

    >>> params, state, _ = prelu().init(np.random.default_rng(0), (3,))
    >>> prelu().apply(params, state, np.array([[-4.0, 0.0, 4.0]]))[0].tolist()
    [[-1.0, 0.0, 4.0]]
    """
    return stateless(functools.partial(prelu_init, start, shared), sloped, "prelu")


def prelu_init(start: float, shared: bool, rng: np.random.Generator, shape: Shape, dtype: Any) -> tuple[Tree, Shape]:
    if not shape and not shared:
        raise ValueError("prelu: expected samples with a channel axis, got shape (); try x[:, None] or shared=True")
    return {"a": np.full(() if shared else shape[-1:], start, dtype)}, shape


def sloped(params: Tree, x: Any) -> Any:
    (a,) = own("prelu", params, "a")
    if np.shape(a) not in ((), x.shape[-1:]):
        raise ValueError(f"prelu: a {np.shape(a)} and x {x.shape} do not fit; a has a slope for each channel of x.")
    return np.where(x > 0, x, a * x)
