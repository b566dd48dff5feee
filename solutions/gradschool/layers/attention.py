"""Layers for sequences of words: vectors for ids, places added to them, and attention with learned projections.

net = sequential(embedding(1000, 64), positions(), multihead(4, causal=True), layernorm(), dense(1000))
Y = multihead_attention(params, Q, K, V, heads=4, padding_mask=mask)    # in a model that is a function
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import initializers, ops, recurrent_initializers
from ..arrays import floats
from .base import Layer, Shape, Tree, activation, check_initializer, check_shape, own


def embedding(ids: int, units: int, padding_id: int | None = None, std: float = 0.01) -> Layer:
    """A vector for each id: integers (N, ...) -> (N, ..., units); params {"W": (ids, units)}, normal of deviation std.

    Raises (from apply) TypeError for an x that holds no integers, ValueError for numbers outside 0 to ids - 1.
    Frameworks: 0.01 is MATLAB's deviation; PyTorch has 1, Keras draws uniformly from -0.05 to 0.05.

    >>> params, _, shape = embedding(1000, 64).init(np.random.default_rng(0), (12,))
    >>> params["W"].shape, shape
    ((1000, 64), (12, 64))
    """
    init = functools.partial(embedding_init, ids, units, std)
    return Layer(init, functools.partial(embedding_apply, padding_id), f"embedding({ids}, {units})")


def embedding_init(
    ids: int, units: int, std: float, rng: np.random.Generator, shape: Shape, dtype: Any = float
) -> tuple[Tree, Tree, Shape]:
    return {"W": recurrent_initializers.narrow_normal((ids, units), rng, std, dtype)}, {}, (*shape, units)


def embedding_apply(
    padding_id: int | None,
    params: Tree,
    state: Tree,
    x: Any,
    training: bool = False,
    rng: np.random.Generator | None = None,
) -> tuple[Any, Tree]:
    (W,) = own("embedding", params, "W")
    return ops.embed(W, x, padding_id), state


def positions(base: float = 10000.0) -> Layer:
    """Adds where each place is, as sines and cosines: x (N, T, C) -> the same shape. Nothing is learned.

    Raises ValueError (from apply) for x without channels, C = 0.
    """
    return activation(with_positions, base=base)


def with_positions(x: Any, base: float = 10000.0) -> Any:
    x = floats(x)
    return x + ops.positional_encoding(x.shape[-2], x.shape[-1], base, x.dtype)


# ---------------------------------------------------------------------------------------------------------- attention
def multihead(
    heads: int,
    causal: bool = False,
    dropout: float = 0.0,
    init: Callable[..., np.ndarray] = initializers.glorot,
) -> Layer:
    """Every place asks all places of its sequence, by `heads` learned questions: x (N, T, C) -> (N, T, C).

    params {"Wq", "Wk", "Wv", "Wo": (C, C), "bq", "bk", "bv", "bo": (C,)}. With `causal` no place sees later ones.
    For padding, or for questions to another sequence, use `multihead_attention` with the same params.

    Raises ValueError (from `init`) for samples that are no (T, C), or a C that the heads do not divide.

    >>> params, _, shape = multihead(2, causal=True).init(np.random.default_rng(0), (5, 8))
    >>> x = np.random.default_rng(1).normal(size=(1, 5, 8))
    >>> y, _ = multihead(2, causal=True).apply(params, {}, x)
    >>> early, _ = multihead(2, causal=True).apply(params, {}, x[:, :3])      # what comes later is not seen
    >>> shape, params["Wq"].shape, np.allclose(early, y[:, :3])
    ((5, 8), (8, 8), True)
    """
    check_initializer("multihead", init)
    apply = functools.partial(multihead_apply, heads, causal, dropout)
    return Layer(functools.partial(multihead_init, heads, init), apply, f"multihead({heads})")


def multihead_init(
    heads: int, init: Callable[..., np.ndarray], rng: np.random.Generator, shape: Shape, dtype: Any = float
) -> tuple[Tree, Tree, Shape]:
    check_shape("multihead", shape)
    if len(shape) != 2 or shape[1] % heads:
        raise ValueError(f"multihead: expected samples (T, C) with C divisible by {heads} heads, got {shape}")
    C = shape[1]
    weights = {f"W{part}": init((C, C), rng, dtype=dtype) for part in "qkvo"}
    return weights | {f"b{part}": np.zeros(C, dtype) for part in "qkvo"}, {}, shape


def multihead_apply(
    heads: int,
    causal: bool,
    dropout: float,
    params: Tree,
    state: Tree,
    x: Any,
    training: bool = False,
    rng: np.random.Generator | None = None,
) -> tuple[Any, Tree]:
    rate = dropout if training or rng is not None else 0.0
    mask = "causal" if causal else None
    return multihead_attention(params, x, x, x, heads, attention_mask=mask, dropout=rate, rng=rng), state


def multihead_attention(params: Tree, Q: Any, K: Any, V: Any, heads: int, **options: Any) -> Any:
    """attention(Q Wq + bq, K Wk + bk, V Wv + bv) Wo + bo, with the options of `gradschool.attention`.

    Q (N, Tq, C), K and V (N, Tk, C) -> (N, Tq, C); with `return_weights` also the weights (N, heads, Tq, Tk).

    Raises ValueError for shapes that do not fit, heads that do not divide C, and masks that `attention` refuses;
    TypeError for a Q, K or V that is no array.
    Source: Vaswani et al., Attention Is All You Need, 2017.
    """
    weights = {part: own("multihead", params, f"W{part}", f"b{part}") for part in "qkvo"}
    q, k, v = (ops.dense(X, *weights[part]) for X, part in ((Q, "q"), (K, "k"), (V, "v")))
    found = ops.attention(q, k, v, heads, **options)
    Y, *shares = found if isinstance(found, tuple) else (found,)
    Y = ops.dense(Y, *weights["o"])
    return (Y, *shares) if shares else Y
