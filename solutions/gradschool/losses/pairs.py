"""The contrastive loss teaches two copies of a network which inputs belong together: it pulls the outputs of a pair of
the same kind to one point, and pushes those of different kinds apart until they are a margin away.

    A, B = model(params, X1), model(params, X2)         # (N, C) each: the same network with the same weights
    loss = contrastive_loss(A, B, y, margin=0.3)        # y (N,): 1 where the pair belongs together, else 0
"""

from __future__ import annotations

import numpy as np

from ..arrays import outside

__all__ = ["contrastive_loss"]


def distances(A, B):
    """(d, d²) along the last axis; where d is 0 the gradient is 0 too, since a root alone would give 0 times ∞."""
    squares = np.sum((A - B) ** 2, axis=-1)
    apart = squares > 0
    return np.where(apart, np.sqrt(np.where(apart, squares, 1)), 0), squares


def contrastive_loss(A, B, y, margin=1.0, reduction="sum"):
    """l = 1/2 y d² + 1/2 (1 - y) max(margin - d, 0)², with d = |a - b| the Euclidean distance.

        dl/da = y (a - b) - (1 - y) max(margin - d, 0) (a - b) / d,      dl/db = -dl/da,     and 0 for a = b

    It is composed of functions that are differentiable themselves, in A and in B.

    Args:
        A, B: outputs for the two inputs of each pair, (N, C).
        y: (N,), 1 for a pair that belongs together. Some texts count the other way round: try 1 - y.
        margin: > 0, the distance from which different pairs are left alone.
        reduction: "sum" is the sum of l over the pairs divided by their number N, as in all losses here; "none" gives
            l itself, (N,).

    Returns:
        A number, 0 for an empty batch, or an array (N,).

    Raises:
        ValueError: shapes that do not fit, y outside [0, 1], a margin that is not positive, or another reduction.

    Source: Hadsell, Chopra and LeCun 2006, with 1 for the pairs they call 0.

    >>> A, B = np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]), np.array([[0.6, 0.8], [0.6, 0.8], [3.0, 4.0]])
    >>> contrastive_loss(A, B, np.array([1, 0, 0]), margin=1.5, reduction="none").tolist()
    [0.5, 0.125, 0.0]
    """
    if np.ndim(A) != 2 or np.shape(A) != np.shape(B) or np.shape(y) != np.shape(A)[:1]:
        raise ValueError(
            f"contrastive_loss: expected A and B (N, C) and y (N,), got {np.shape(A)}, {np.shape(B)} and {np.shape(y)}"
        )
    if not margin > 0:
        raise ValueError(f"contrastive_loss: expected margin > 0, got {margin}")
    if reduction not in ("sum", "none"):
        raise ValueError(f'contrastive_loss: expected reduction "sum" or "none", got {reduction!r}')
    d, squares = distances(A, B)
    y = np.asarray(y, squares.dtype)
    if outside(y, 0, 1):
        raise ValueError(
            f"contrastive_loss: expected y of zeros and ones, got {y.min()}..{y.max()}; for -1 and 1 try y > 0, for "
            "class numbers y1 == y2"
        )
    terms = 0.5 * (y * squares + (1 - y) * np.maximum(margin - d, 0) ** 2)
    return terms if reduction == "none" else np.sum(terms) / terms.dtype.type(max(len(y), 1))
