"""Three ways to cut gradients that are too long, for a dict of arrays. The library's own take any tree.

clip_by_value(grads, 1.0)          # every number on its own
clip_by_norm(grads, 1.0)           # every array on its own
clip_by_global_norm(grads, 1.0)    # all arrays by one factor
"""

from __future__ import annotations

import numpy as np

__all__ = ["clip_by_global_norm", "clip_by_norm", "clip_by_value"]


def clip_by_value(grads, limit):
    """g_i ← min(max(g_i, −limit), limit)     grads: {name: array}; a new dict comes out.

    >>> clip_by_value({"W": np.array([0.9, 100.0])}, 1.0)["W"]
    array([0.9, 1. ])
    """
    return {name: np.clip(g, -limit, limit) for name, g in grads.items()}


def clip_by_norm(grads, limit):
    """g ← g limit / ‖g‖ for every array g with ‖g‖ > limit; the others keep their numbers.

    >>> clip_by_norm({"W": np.array([0.9, 100.0]), "b": np.array([0.3])}, 1.0)["W"].round(8)
    array([0.00899964, 0.9999595 ])
    """
    clipped = {}
    for name, g in grads.items():
        length = np.sqrt(np.sum(g**2))
        clipped[name] = g * (limit / length) if length > limit else g.copy()
    return clipped


def clip_by_global_norm(grads, limit):
    """g ← g limit / ‖all‖ for all arrays, if ‖all‖, the root of the sum of all their squares, is above the limit.

    >>> clipped = clip_by_global_norm({"W": np.array([[3.0]]), "b": np.array([0.0, 4.0])}, 1.0)
    >>> {name: g.round(12) for name, g in clipped.items()}
    {'W': array([[0.6]]), 'b': array([0. , 0.8])}
    """
    length = np.sqrt(sum(np.sum(g**2) for g in grads.values()))
    factor = limit / length if length > limit else 1.0
    return {name: g * factor for name, g in grads.items()}
