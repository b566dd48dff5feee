"""Clipping keeps one bad batch from throwing the parameters away: gradients that are too large are cut before the step.

    grads = clip_by_value(grads, 1.0)               # every number on its own: the direction changes
    grads = clip_by_norm(grads, 1.0)                # every array on its own: the direction within an array stays
    grads = clip_by_global_norm(grads, 1.0)         # all arrays by one factor: the direction stays

The three names say what frameworks hide behind one: Keras has `clipvalue`, `clipnorm` and `global_clipnorm`, PyTorch
`clip_grad_value_` and (global) `clip_grad_norm_`, MATLAB "absolute-value", "l2norm" and "global-l2norm".
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .trees import tree_leaves, tree_map

__all__ = ["clip_by_global_norm", "clip_by_norm", "clip_by_value", "global_norm"]

Tree = Any


def check_limit(name: str, limit: float) -> None:
    if not limit > 0:
        raise ValueError(f"{name}: expected a limit > 0, got {limit}; infinity leaves gradients as they are")


def norm(x: np.ndarray) -> float:
    """The Euclidean length of an array, summed in float64 and scaled, so that squares do not overflow."""
    largest = float(np.max(np.abs(x), initial=0.0))
    if largest == 0 or not math.isfinite(largest):
        return largest
    return largest * math.sqrt(float(np.sum(np.square(x / largest, dtype=np.float64))))


def shrunk(g: Any, length: float, limit: float) -> np.ndarray:
    """The array times limit / length if it is too long; new in any case, as nothing here aliases its input."""
    if not length > limit:
        return np.array(g, floating(g))
    with np.errstate(invalid="ignore"):  # infinity / infinity is NaN, and the loss will say so
        return (np.asarray(g) * (limit / length)).astype(floating(g))


def floating(g: Any) -> np.dtype:
    """The dtype of a gradient; integers, as one writes them by hand, count as float64."""
    return np.result_type(np.asarray(g).dtype, np.float16)


def clip_by_value(grads: Tree, limit: float) -> Tree:
    """Cut every number to [-limit, limit]; NaN stays NaN.

    Args:
        grads: a tree of arrays.
        limit: > 0; infinity cuts nothing.

    Returns:
        A new tree of the same structure and dtypes.

    Raises:
        ValueError: a limit that is not positive.

    Source: Mikolov 2012; Keras' `clipvalue`.

    >>> clip_by_value({"W": np.array([0.9, 100.0])}, 1.0)["W"]
    array([0.9, 1. ])
    """
    check_limit("clip_by_value", limit)
    return tree_map(lambda g: np.clip(np.asarray(g, floating(g)), -limit, limit, dtype=floating(g)), grads)


def clip_by_norm(grads: Tree, limit: float) -> Tree:
    """Shorten every array whose Euclidean norm is above the limit to that norm, each on its own.

    Arguments and result are those of `clip_by_value`. An array that contains NaN is returned as it is, so that the loss
    shows it; one that contains infinity becomes NaN there and 0 elsewhere. Raises ValueError for a limit that is not
    positive.
    Source: Pascanu et al. 2013; Keras' `clipnorm`, MATLAB's "l2norm".

    >>> clip_by_norm({"W": np.array([0.9, 100.0])}, 1.0)["W"].round(8)
    array([0.00899964, 0.9999595 ])
    """
    check_limit("clip_by_norm", limit)
    return tree_map(lambda g: shrunk(g, norm(np.asarray(g)), limit), grads)


def global_norm(grads: Tree) -> float:
    """The Euclidean norm of all arrays of a tree together, as of one vector.

    Of no arrays it is 0, with NaN it is NaN, with infinity infinity: none of these is an error.

    >>> global_norm({"W": np.array([[3.0]]), "b": [np.array([0.0, 4.0])]})
    5.0
    """
    return norm(np.array([norm(np.asarray(g)) for g in tree_leaves(grads)]))


def clip_by_global_norm(grads: Tree, limit: float) -> Tree:
    """Shorten all arrays by the same factor if the norm of all of them together is above the limit.

    Arguments and result are those of `clip_by_value`; NaN and infinity are those of `clip_by_norm`. Raises ValueError
    for a limit that is not positive.
    Source: Pascanu et al. 2013; Keras' `global_clipnorm`, MATLAB's "global-l2norm"; PyTorch's `clip_grad_norm_`
    divides by the norm plus 1e-6.

    >>> clip_by_global_norm({"W": np.array([[3.0]]), "b": [np.array([0.0, 4.0])]}, 1.0)
    {'W': array([[0.6]]), 'b': [array([0. , 0.8])]}
    """
    check_limit("clip_by_global_norm", limit)
    length = global_norm(grads)
    return tree_map(lambda g: shrunk(g, length, limit), grads)
