"""Cross-entropy straight from scores: the sigmoid or softmax is built in, so no logarithm ever meets a 0.

    bce_with_logits(z, t)                               # z, t (N,) or (N, C): yes or no, for each entry
    softmax_cross_entropy(z, T)                         # z, T (N, C): one of C classes
    softmax_cross_entropy_backward(1.0, cache)          # (p - T) / N

What the options mean, and what `scale` in a cache is, is said in `gradschool.losses`.
"""

from __future__ import annotations

import numpy as np

from ..arrays import outside
from ..autodiff import op
from ..ops import sigmoid, softmax
from ..ops.place import ones
from .frame import paired, reduced, weighting
from .probabilities import cross_entropy


def bce_with_logits_forward(z, t, reduction="sum", normalization="batch-size", mask=None, weights=None):
    """l = max(z, 0) - z t + log(1 + exp(-|z|))"""
    z, t = paired("bce_with_logits", z, t)
    if outside(t, 0, 1):
        raise ValueError(f"bce_with_logits: expected targets 0..1, got {t.min()}..{t.max()}; for -1 and 1 try t > 0.")
    W, Z = weighting("bce_with_logits", z, reduction, normalization, mask, weights)
    e = np.exp(np.where(z >= 0, -z, z))  # at most 1, so that nothing overflows
    elements = np.maximum(z, 0) - z * t + np.log1p(e)
    p = np.where(z >= 0, 1, e) / (1 + e)
    return reduced(W * elements, reduction, Z), {"p": p, "t": t, "scale": W / Z}


def bce_with_logits_backward(g, cache):
    """dL/dz = g scale (p - t), with p = 1 / (1 + exp(-z))"""
    return g * cache["scale"] * (cache["p"] - cache["t"])


def bce_from_parts(z, t, reduction="sum", normalization="batch-size", mask=None, weights=None):
    return cross_entropy(sigmoid(z), t, "multilabel", weights, reduction, normalization, mask)


@op(bce_with_logits_forward, bce_with_logits_backward, parts=("sigmoid", "cross_entropy"), composed=bce_from_parts)
def bce_with_logits(z, t, reduction="sum", normalization="batch-size", mask=None, weights=None):
    """Binary cross-entropy of a score z, the sigmoid built in, so that z = 1000 neither overflows nor saturates.

        l = -t log p - (1 - t) log(1 - p) = max(z, 0) - z t + log(1 + exp(-|z|))       p = 1 / (1 + exp(-z))
        dl/dz = p - t

    Args:
        z: scores (N,), (N, C) or (N, T, C).
        t: targets of the same shape, zeros and ones or anything between.
        reduction, normalization, mask, weights: see `help(gs.losses)`.

    Returns:
        A number, or with reduction "none" an array of z's shape. `bce_with_logits_backward` returns dL/dz; its
        cache has `p` (the probabilities), `t` and `scale`.

    Raises:
        ValueError: shapes that do not fit, targets outside [0, 1], or an unknown option.

    Frameworks: PyTorch's `BCEWithLogitsLoss` and Keras' `BinaryCrossentropy(from_logits=True)` divide by all
    elements.

    >>> print(f"{bce_with_logits(np.array([0.0, 2.0, -1000.0]), np.array([1, 1, 0])):.7f}")
    0.2733584
    """
    return bce_with_logits_forward(z, t, reduction, normalization, mask, weights)[0]


def softmax_cross_entropy_forward(z, T, weights=None, reduction="sum", normalization="batch-size", mask=None):
    """l = -T log p, with log p = z - log sum_k exp(z_k)"""
    z, T = paired("softmax_cross_entropy", z, T)
    W, Z = weighting("softmax_cross_entropy", z, reduction, normalization, mask, weights)
    shifted = z - np.max(z, axis=-1, keepdims=True)  # a shift changes nothing, and nothing overflows
    log_p = shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))
    return reduced(-W * (T * log_p), reduction, Z), {"p": np.exp(log_p), "T": T, "scale": W / Z}


def softmax_cross_entropy_backward(g, cache):
    """dL/dz = p sum_k a_k - a, with a = g scale T; where all of a sample's scales are s, that is g s (p - T)"""
    a = g * cache["scale"] * cache["T"]
    return cache["p"] * np.sum(a, axis=-1, keepdims=True) - a


def fast_forward(z, T, weights=None, reduction="sum", normalization="batch-size", mask=None):
    """The forward; for (N, C) without options with products in the place of sums, which are slow over short rows"""
    plain = weights is None and mask is None and (reduction, normalization) == ("sum", "batch-size")
    if not plain or z.ndim != 2 or not z.size:
        return softmax_cross_entropy_forward(z, T, weights, reduction, normalization, mask)
    z, T = paired("softmax_cross_entropy", z, T)
    one = ones(z.shape[1], z.dtype)
    # over short rows a maximum takes long; for few classes it is sooner found with the samples side by side
    largest = np.maximum.reduce(z.T.copy(), axis=0) if z.shape[1] <= 64 else np.maximum.reduce(z, axis=1)
    shifted = z - largest[:, None]
    e, t = np.exp(shifted), T.dot(one)
    s = e.dot(one)
    loss = (t.dot(np.log(s)) - np.vdot(T, shifted)) / len(z)  # of two sums that are not negative
    return loss.astype(z.dtype), {"p": np.divide(e, s[:, None], out=e), "T": T, "scale": 1 / len(z), "t": t}


def fast_backward(g, cache):
    """dL/dz = g scale (p t - T), with t = sum_k T_k"""
    if "t" not in cache:
        return softmax_cross_entropy_backward(g, cache)
    dz = cache["p"] * cache["t"][:, None]
    np.subtract(dz, cache["T"], out=dz)
    return np.multiply(dz, g * cache["scale"], out=dz)


def softmax_cross_entropy_plain(z, T, weights=None, reduction="sum", normalization="batch-size", mask=None):
    return softmax_cross_entropy_forward(z, T, weights, reduction, normalization, mask)[0]


def softmax_cross_entropy_from_parts(z, T, weights=None, reduction="sum", normalization="batch-size", mask=None):
    return cross_entropy(softmax(z), T, "single-label", weights, reduction, normalization, mask)


@op(
    softmax_cross_entropy_forward,
    softmax_cross_entropy_backward,
    parts=("softmax", "cross_entropy"),
    composed=softmax_cross_entropy_from_parts,
    plain=softmax_cross_entropy_plain,
    fast=(fast_forward, fast_backward),
)
def softmax_cross_entropy(z, T, weights=None, reduction="sum", normalization="batch-size", mask=None):
    """Cross-entropy of scores z, the softmax built in: safe for any z, and its derivative is as simple as can be.

        l = -T log p,   p = exp(z) / sum_k exp(z_k)        dL/dz = (p - T) / N for one-hot T without weights

    In general, with a = M W T / Z, dL/dz = p sum_k a_k - a: class weights multiply the term of the true class.

    Args:
        z: scores (N, C) or (N, T, C).
        T: targets of the same shape, one-hot or soft.
        weights: class weights (C,).
        reduction, normalization, mask: see `help(gs.losses)`.

    Returns:
        A number, or with reduction "none" the terms -T log p, of z's shape. `softmax_cross_entropy_backward`
        returns dL/dz; its cache has `p` (the softmax of z), `T` and `scale`.

    Raises:
        ValueError: shapes that do not fit, or an unknown option.

    Frameworks: PyTorch's `cross_entropy` takes scores as well, but divides a weighted loss by the sum of the
    weights of the true classes.

    >>> print(f"{softmax_cross_entropy(np.array([[1.0, 2.0, 3.0]]), np.array([[0, 0, 1]])):.7f}")
    0.4076060
    """
    return softmax_cross_entropy_forward(z, T, weights, reduction, normalization, mask)[0]
