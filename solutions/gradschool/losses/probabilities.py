"""Cross-entropy of probabilities: how surprised a model is by what is true, -log p of it.

    cross_entropy(softmax(z), T)                        # T (N, C) one-hot or soft
    cross_entropy(sigmoid(z), T, mode="multilabel")     # several of C labels may be true
    sparse_cross_entropy(softmax(z), y)                 # y (N,) class numbers

What the options mean, and what `scale` in a cache is, is said in `gradschool.losses`.
"""

from __future__ import annotations

import numpy as np

from ..arrays import floats
from ..autodiff import op
from .frame import TINY, check_labels, check_probabilities, class_weights, paired, reduced, weighting


def cross_entropy_forward(
    P, T, mode="single-label", weights=None, reduction="sum", normalization="batch-size", mask=None
):
    """l = -T log P, in mode "multilabel" -T log P - (1 - T) log(1 - P)"""
    P, T = paired("cross_entropy", P, T)
    check_probabilities("cross_entropy", P)
    W, Z = weighting("cross_entropy", P, reduction, normalization, mask, weights)
    log_likelihood = T * np.log(np.maximum(P, TINY))
    if mode == "multilabel":
        log_likelihood = log_likelihood + (1 - T) * np.log(np.maximum(1 - P, TINY))
    elif mode != "single-label":
        raise ValueError(f'cross_entropy: expected mode "single-label" or "multilabel", got {mode!r}.')
    return reduced(-W * log_likelihood, reduction, Z), {"P": P, "T": T, "scale": W / Z, "mode": mode}


def cross_entropy_backward(g, cache):
    """dL/dP = -g scale T / P, in mode "multilabel" -g scale (T / P - (1 - T) / (1 - P))"""
    P, T = cache["P"], cache["T"]
    slope = T / np.maximum(P, TINY)
    if cache["mode"] == "multilabel":
        slope = slope - (1 - T) / np.maximum(1 - P, TINY)
    return -g * cache["scale"] * slope


@op(cross_entropy_forward, cross_entropy_backward)
def cross_entropy(P, T, mode="single-label", weights=None, reduction="sum", normalization="batch-size", mask=None):
    """Cross-entropy of probabilities P with targets T.

        single-label   l = -T log P                            dl/dP = -T / P
        multilabel     l = -T log P - (1 - T) log(1 - P)       dl/dP = -T / P + (1 - T) / (1 - P)

    A probability below 1e-30 is taken for 1e-30, in the value and in the slope: 0 log 0 is 0, and a certain
    mistake costs 69.08 and still has a finite gradient.

    Args:
        P: probabilities (N, C) or (N, T, C), after softmax (single-label) or sigmoid (multilabel).
        T: targets of the same shape: one-hot, any distribution, or zeros and ones for multilabel.
        mode: "single-label" or "multilabel".
        weights: class weights (C,), which multiply the terms of their class.
        reduction, normalization, mask: see `help(gs.losses)`.

    Returns:
        A number, or with reduction "none" the terms, of P's shape. `cross_entropy_backward` returns dL/dP; its
        cache has `P`, `T`, `scale` and `mode`.

    Raises:
        ValueError: shapes that do not fit, entries of P outside [0, 1], or an unknown option.

    Frameworks: PyTorch divides a weighted loss by the sum of the weights of the true classes, not by N:
    `cross_entropy(P, T, weights=w, normalization="none") / (T @ w).sum()`. Keras' `BinaryCrossentropy` averages
    over the classes, so the multilabel loss here is C times as large. Keras clips at 1e-7.
    Source: MATLAB `crossentropy`.

    >>> print(f"{cross_entropy(np.array([[0.7, 0.2, 0.1]]), np.array([[1, 0, 0]])):.7f}")
    0.3566749
    """
    return cross_entropy_forward(P, T, mode, weights, reduction, normalization, mask)[0]


def sparse_cross_entropy_forward(P, y, weights=None, reduction="sum", normalization="batch-size", mask=None):
    """l_n = -w[y_n] log P[n, y_n]"""
    P = floats(P)
    check_probabilities("sparse_cross_entropy", P)
    K = check_labels("sparse_cross_entropy", P, y)
    picked = np.take_along_axis(P, y[..., None], axis=-1)[..., 0]
    weights = None if weights is None else class_weights("sparse_cross_entropy", weights, K)[y]
    W, Z = weighting("sparse_cross_entropy", picked, reduction, normalization, mask, weights)
    elements = W * (0.0 - np.log(np.maximum(picked, TINY)))  # -log 1 would be -0
    return reduced(elements, reduction, Z), {"P": P, "y": y, "scale": W / Z}


def sparse_cross_entropy_backward(g, cache):
    """dL/dP[n, k] = -g scale / P[n, k] where k = y_n, else 0"""
    P, y = cache["P"], cache["y"]
    picked = np.take_along_axis(P, y[..., None], axis=-1)[..., 0]
    slope = -g * cache["scale"] / np.maximum(picked, TINY)
    return slope[..., None] * (y[..., None] == np.arange(P.shape[-1]))


@op(sparse_cross_entropy_forward, sparse_cross_entropy_backward)
def sparse_cross_entropy(P, y, weights=None, reduction="sum", normalization="batch-size", mask=None):
    """Cross-entropy with class numbers for targets: the same number as `cross_entropy(P, one_hot(y, C))`.

        l_n = -w[y_n] log P[n, y_n]       dl_n/dP[n, k] = -w[y_n] / P[n, y_n] where k = y_n, else 0

    Args:
        P: probabilities (N, C) or (N, T, C).
        y: class numbers from 0, integers (N,) or (N, T).
        weights: class weights (C,).
        reduction, normalization, mask: see `help(gs.losses)`; "all-elements" counts the entries of y.

    Returns:
        A number, or with reduction "none" an array of y's shape. `sparse_cross_entropy_backward` returns dL/dP;
        its cache has `P`, `y` and `scale` (of y's shape, or a number).

    Raises:
        ValueError: shapes that do not fit, class numbers outside 0..C-1, entries of P outside [0, 1].
        TypeError: y that are no integers.

    Source: MATLAB `indexcrossentropy`; Keras' `sparse_categorical_crossentropy`.

    >>> print(f"{sparse_cross_entropy(np.array([[0.7, 0.2, 0.1]]), np.array([0])):.7f}")
    0.3566749
    """
    return sparse_cross_entropy_forward(P, y, weights, reduction, normalization, mask)[0]
