"""Embedding: a table with a vector for each word, or whatever else is counted; the vectors are learned.

y = embed(W, ids)                                   # W (V, d), ids (N, T) of integers -> y (N, T, d)
dW = embed_backward(g, cache)                       # (V, d): zero for words that did not occur
"""

from __future__ import annotations

import numpy as np

from ..arrays import floats
from ..autodiff import op


def checked_ids(W, ids):
    """The ids as an array, once each is a row of W."""
    ids = np.asarray(ids)
    if W.ndim != 2:
        raise ValueError(f"embed: expected W (V, d), a vector for each id, got shape {W.shape}.")
    if ids.dtype.kind not in "iu" and ids.size:
        raise TypeError(f"embed: expected integer ids, got {ids.dtype}; the order is embed(W, ids).")
    if ids.size and (ids.min() < 0 or ids.max() >= len(W)):
        raise ValueError(f"embed: W {W.shape} has ids 0..{len(W) - 1}, got {ids.min()}..{ids.max()}; count from 0.")
    return ids.astype(np.intp, copy=False)


def embed_forward(W, ids, padding_id=None):
    """y = W[ids], and zeros where the id is padding"""
    ids = checked_ids(W, ids)
    y = floats(W)[ids]
    if padding_id is not None:
        y = np.where((ids == padding_id)[..., None], 0, y)
    return y, {"ids": ids, "shape": W.shape, "padding_id": padding_id}


def embed_backward(g, cache):
    """dL/dW_v = sum of g over all places where v stands"""
    ids, d = cache["ids"], g.shape[-1]
    if cache["padding_id"] is not None:
        g = np.where((ids == cache["padding_id"])[..., None], 0, g)
    dW = np.zeros(cache["shape"], g.dtype)
    places = (ids[..., None] * d + np.arange(d)).reshape(-1)  # np.add.at is six times as fast with one plain index
    np.add.at(dW.reshape(-1), places, g.reshape(-1))
    return dW


def rows_picked(W, ids, padding_id=None):
    """The same by indexing, which can be traced: it serves the higher derivatives."""
    ids = checked_ids(W, ids)
    y = floats(W)[ids]
    return y if padding_id is None else np.where((ids == padding_id)[..., None], 0, y)


@op(embed_forward, embed_backward, plain=rows_picked)
def embed(W, ids, padding_id=None):
    """Look up a vector for each id: y = W[ids].

        dL/dW_v = sum of g over all places where id v stands: an id that occurs twice learns twice

    Args:
        W: the table (V, d).
        ids: integers from 0 to V - 1, of any shape.
        padding_id: the id that fills up short sequences: its vector is zero, whatever W says, and it learns nothing.

    Returns:
        y of the shape of ids, with an axis of length d behind. `embed_backward` returns dW; its cache has `ids`, W's
        `shape` and `padding_id`.

    Raises:
        TypeError: ids that are no integers.
        ValueError: ids that W does not have, a W that is no table.

    Frameworks: MATLAB has W (d, V), counts from 1, and 0 is padding. PyTorch's `padding_idx` learns nothing either,
    but its vector is what W says.

    >>> W = np.array([[0.0, 0.0], [1.0, 10.0], [2.0, 20.0]])
    >>> print(embed(W, np.array([2, 1, 2])).tolist())
    [[2.0, 20.0], [1.0, 10.0], [2.0, 20.0]]
    """
    return embed_forward(W, ids, padding_id)[0]
