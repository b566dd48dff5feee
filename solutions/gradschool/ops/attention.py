"""Attention: every query asks all keys how well they fit, and gets the average of their values by these weights.

    Y = attention(Q, K, V, heads=4)                     # Q (N, Tq, C), K (N, Tk, C), V (N, Tk, Cv) -> (N, Tq, Cv)
    Y = attention(X, X, X, heads=4, attention_mask="causal")        # each place sees itself and what came before
    Y, P = attention(Q, K, V, padding_mask=lengths_to_mask, return_weights=True)        # P (N, heads, Tq, Tk)

The scores stand with the keys on the rows, (N, heads, Tk, Tq): NumPy takes maxima and sums over rows several times
faster than along them.
"""

from __future__ import annotations

import numpy as np

from ..arrays import floats, zeros_and_ones
from ..autodiff import op
from .dropout import kept_scaled
from .place import into


# ----------------------------------------------------------------------------------------------------- heads and masks
def split_heads(X, heads):
    """(N, T, heads d) -> (N, heads, T, d), a view"""
    N, T, C = X.shape
    return X.reshape(N, T, heads, C // heads).transpose(0, 2, 1, 3)


def merge_heads(X):
    """(N, heads, T, d) -> (N, T, heads d)"""
    N, heads, T, d = X.shape
    return X.transpose(0, 2, 1, 3).reshape(N, T, heads * d)


def merged_product(A, B):
    """merge_heads(A @ B), written where it belongs"""
    N, heads, T, d = *A.shape[:3], B.shape[3]
    place = split_heads(np.empty((N, T, heads * d), np.result_type(A.dtype, B.dtype)), heads)
    return merge_heads(into(place, np.matmul, A, B))


def causal_mask(Tq, Tk=None, first=0):
    """(Tq, Tk), true where query i may see key j: j <= i + first, so that nothing is known before it happens.

    `first` is the place of the first query among the keys: Tk - Tq where the queries are the last of the keys.

    >>> print(causal_mask(2, 3, first=1).astype(int).tolist())
    [[1, 1, 0], [1, 1, 1]]
    """
    return np.arange(Tq if Tk is None else Tk) <= np.arange(Tq)[:, None] + first


def true_or_false(what, mask):
    """A mask of zeros and ones, or bools, as bools; numbers to be added to scores are something else."""
    mask = np.asarray(mask)
    if not zeros_and_ones(mask):
        raise ValueError(f"attention: expected {what} of zeros and ones, one where to look; try {what} == 0 or > -inf.")
    return mask.astype(bool)


def visible(padding_mask, attention_mask, first, shape):
    """What may be seen, as bools that broadcast to the scores (N, heads, Tk, Tq), or None if everything may."""
    N, heads, Tk, Tq = shape
    seen = None
    if isinstance(attention_mask, str) and attention_mask == "causal":
        seen = causal_mask(Tq, Tk, first).T
    elif isinstance(attention_mask, str) and attention_mask != "none":
        raise ValueError(f'attention: expected attention_mask "causal", None or an array, got {attention_mask!r}.')
    elif attention_mask is not None and not isinstance(attention_mask, str):
        seen = true_or_false("attention_mask", attention_mask)
        if seen.shape not in ((Tq, Tk), (N, Tq, Tk), (N, 1, Tq, Tk), (N, heads, Tq, Tk)):
            raise ValueError(f"attention: expected attention_mask ({Tq}, {Tk}), or ({N}, {heads}, {Tq}, {Tk}) with or "
                             f"without the heads, got {seen.shape}.")  # fmt: skip
        seen = (seen[:, None] if seen.ndim == 3 else seen).swapaxes(-1, -2)
    if padding_mask is None:
        return seen
    padding = true_or_false("padding_mask", padding_mask)
    if padding.shape != (N, Tk):
        raise ValueError(
            f"attention: expected padding_mask ({N}, {Tk}), true for keys that count, got {padding.shape}."
        )
    return padding[:, None, :, None] if seen is None else seen & padding[:, None, :, None]


# ----------------------------------------------------------------------------------------------------------- attention
def checked(Q, K, V, heads):
    """Queries, keys and values as floats of one type, once their shapes fit each other and the heads."""
    fits = Q.ndim == K.ndim == V.ndim == 3 and Q.shape[0] == K.shape[0] == V.shape[0]
    if not fits or Q.shape[2] != K.shape[2] or K.shape[1] != V.shape[1]:
        raise ValueError(
            "attention: expected Q (N, Tq, C), K (N, Tk, C), V (N, Tk, Cv), "
            f"got {Q.shape}, {K.shape}, {V.shape}; for one sequence try Q[None]."
        )
    if heads < 1 or Q.shape[2] % heads or V.shape[2] % heads:
        raise ValueError(
            f"attention: {heads} heads cannot share {Q.shape[2]} and {V.shape[2]} channels; try a divisor."
        )
    if K.shape[1] == 0:
        raise ValueError(f"attention: K {K.shape} has no key to look at; give at least one, and mask it.")
    Q, K, V = floats(Q), floats(K), floats(V)
    kind = np.result_type(Q, K, V)
    return Q.astype(kind, copy=False), K.astype(kind, copy=False), V.astype(kind, copy=False)


def largest_of_keys(S):
    """The maximum over the keys     S (..., Tk, Tq) -> (..., 1, Tq)"""
    while S.shape[-2] > 1:  # of two halves at a time, which is several times as fast as NumPy's own along an inner axis
        half = (S.shape[-2] + 1) // 2  # of an odd number both have the row in the middle
        S = np.maximum(S[..., :half, :], S[..., -half:, :])
    return S


def softmax_of_keys(S, seen):
    """exp(S) over its sum along the keys, axis -2; S is written over. A query that may see no key gets zeros."""
    if seen is not None:
        S = into(S, np.add, S, np.where(seen, 0, -np.inf).astype(S.dtype))
    top = largest_of_keys(S)
    top = top if seen is None else np.maximum(top, np.finfo(S.dtype).min)  # -inf - -inf would be nan
    S = into(S, np.subtract, S, top)
    S = into(S, np.exp, S)
    total = (np.ones(S.shape[-2], S.dtype) @ S)[:, :, None, :]
    total = total if seen is None else total + (total == 0)
    return into(S, np.divide, S, total)


def attention_forward(
    Q, K, V, heads=1, scale="auto", padding_mask=None, attention_mask=None, dropout=0.0, rng=None,
    return_weights=False, first=0,
):  # fmt: skip
    """Y = P V,  P = softmax(scale Q K^T), for each head with its share of the channels"""
    Q, K, V = checked(Q, K, V, heads)
    scale = (Q.shape[2] // heads) ** -0.5 if isinstance(scale, str) and scale == "auto" else float(scale)
    q, k, v = split_heads(Q * scale, heads), split_heads(K, heads), split_heads(V, heads)
    S = k @ q.swapaxes(-1, -2)
    P = softmax_of_keys(S, visible(padding_mask, attention_mask, first, S.shape))
    keep = kept_scaled(rng, P.shape, dropout, P.dtype, "attention") if dropout else None
    W = P if keep is None else P * keep
    Y = merged_product(W.swapaxes(-1, -2), v)
    cache = {"q": q, "k": k, "v": v, "P": P, "W": W, "keep": keep, "Y": Y, "scale": scale}
    return (Y, W.swapaxes(-1, -2)) if return_weights else Y, cache


def attention_backward(g, cache):
    """dV = P^T g,  dS = P (dP - sum_j P_j dP_j) with dP = g V^T,  dQ = scale dS K,  dK = scale dS^T Q"""
    g, gW = g if isinstance(g, tuple) else (g, None)
    q, k, v, P, W, keep = (cache[name] for name in ("q", "k", "v", "P", "W", "keep"))
    heads = q.shape[1]
    G = split_heads(g, heads)
    dW = v @ G.swapaxes(-1, -2)
    sums = split_heads(g * cache["Y"], heads) @ np.ones(v.shape[-1], g.dtype)  # sum_j W_j dW_j is g . Y, which is short
    if gW is not None:
        gW = gW.swapaxes(-1, -2)
        dW = dW + gW
        sums = sums + np.sum(W * gW, axis=-2)
    dS = dW if keep is None else into(dW, np.multiply, dW, keep)
    dS = into(dS, np.subtract, dS, sums[:, :, None, :])
    dS = into(dS, np.multiply, dS, P)
    dQ = merged_product(dS.swapaxes(-1, -2), k)
    return into(dQ, np.multiply, dQ, cache["scale"]), merged_product(dS, q), merged_product(W, G)


@op(attention_forward, attention_backward, inputs=3)
def attention(
    Q, K, V, heads=1, scale="auto", padding_mask=None, attention_mask=None, dropout=0.0, rng=None,
    return_weights=False, first=0,
):  # fmt: skip
    """Scaled dot-product attention, with the channels shared out among heads; no projections are in it.

        S = scale Q K^T      P = softmax of S over the keys      Y = P V          (each head: its own channels)
        dL/dV = P^T g        dP = g V^T      dS = P (dP - sum over keys of P dP)
        dL/dQ = scale dS K   dL/dK = scale dS^T Q

    Args:
        Q, K, V: queries (N, Tq, C), keys (N, Tk, C), values (N, Tk, Cv). Head h has channels h C / heads and on.
        heads: a divisor of C and of Cv.
        scale: a number, or "auto" for 1 / sqrt(C / heads).
        padding_mask: (N, Tk), true (or 1) for keys that count.
        attention_mask: "causal", or true where a query may see a key: (Tq, Tk), (N, Tq, Tk), (N, heads, Tq, Tk).
        dropout: share of the weights that is dropped, the others scaled up; 0 at prediction.
        rng: a NumPy generator, needed if there is dropout.
        return_weights: return (Y, P), P (N, heads, Tq, Tk) as it was applied, after dropout.
        first: for "causal", the place of the first query among the keys. 0: query i sees keys 0 to i. With the
            queries last, as in decoding that keeps the keys of earlier steps, it is Tk - Tq.

    Returns:
        Y (N, Tq, Cv). Masked keys have weight 0; a query that may see no key gets zeros, and no gradient.
        `attention_backward` returns (dQ, dK, dV); its cache has the heads `q` (times scale), `k`, `v`, each
        (N, heads, T, d), the weights `P` and after dropout `W`, both (N, heads, Tk, Tq), `keep`, `Y` and `scale`.

    Raises:
        ValueError: shapes that do not fit, heads that do not divide, masks of another shape or with other numbers.

    Frameworks: "causal" counts from the first key and the first query in PyTorch, Keras and JAX too. In PyTorch's
    `MultiheadAttention` masks are true for what is hidden, in `scaled_dot_product_attention` for what is seen.
    Source: Vaswani et al., Attention Is All You Need, 2017.

    >>> Q, K, V = np.array([[[2.0]]]), np.array([[[0.0], [1.0]]]), np.array([[[10.0], [20.0]]])
    >>> Y, P = attention(Q, K, V, return_weights=True)
    >>> print(Y.round(4), P.round(4))
    [[[18.808]]] [[[[0.1192 0.8808]]]]
    """
    return attention_forward(
        Q, K, V, heads, scale, padding_mask, attention_mask, dropout, rng, return_weights, first
    )[0]  # fmt: skip


# ------------------------------------------------------------------------------------------------------ where it stands
def positional_encoding(T, C, base=10000.0, dtype=np.float64):
    """Where a place of a sequence is, as C numbers to be added to its vector: attention itself sees no order.

        p[t, 2i] = sin(t / base^(2i / C))      p[t, 2i + 1] = cos(t / base^(2i / C))      -> (T, C)

    Raises ValueError for fewer than 0 places or 1 channel.
    Source: Vaswani et al., Attention Is All You Need, 2017.

    >>> print(positional_encoding(3, 4).round(4)[1])
    [0.8415 0.5403 0.01   1.    ]
    """
    if T < 0 or C < 1:
        raise ValueError(f"positional_encoding: expected T >= 0 places and C >= 1 channels, got {T} and {C}.")
    even = 2 * (np.arange(C) // 2)
    angle = np.arange(T)[:, None] / base ** (even / C)
    return np.where(np.arange(C) % 2 == 0, np.sin(angle), np.cos(angle)).astype(dtype)
