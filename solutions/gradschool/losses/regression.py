"""Losses for numbers: how far predictions are from targets, by the distance, its square, or a bit of both.

    l1_loss(Y, T)                                       # Y, T (N, C): sum of |Y - T|, over N
    l2_loss(Y, T, normalization="all-elements")         # what other frameworks call MSE
    huber(Y, T, delta=0.5, mask=mask)                   # Y, T (N, T, C), mask (N, T)

What the options mean, and what `scale` in a cache is, is said in `gradschool.losses`.
"""

from __future__ import annotations

import numpy as np

from ..autodiff import op
from .frame import paired, reduced, weighting


def l1_loss_forward(Y, T, reduction="sum", normalization="batch-size", mask=None, weights=None):
    """l = |Y - T|"""
    Y, T = paired("l1_loss", Y, T)
    W, Z = weighting("l1_loss", Y, reduction, normalization, mask, weights)
    return reduced(W * np.abs(Y - T), reduction, Z), {"Y": Y, "T": T, "scale": W / Z}


def l1_loss_backward(g, cache):
    """dL/dY = g scale sign(Y - T), and 0 where Y = T"""
    return g * cache["scale"] * np.sign(cache["Y"] - cache["T"])


@op(l1_loss_forward, l1_loss_backward)
def l1_loss(Y, T, reduction="sum", normalization="batch-size", mask=None, weights=None):
    """Absolute error, l = |Y - T|, dl/dY = sign(Y - T), and 0 at the kink.

    It grows evenly with the error, so outliers pull little: the best constant is the median. The result is a
    mean absolute error only for one response a time; else sum |Y - T| / N is C times as large.

    Args:
        Y: predictions (N, C) or (N, T, C), or any shape that begins with the batch.
        T: targets of the same shape.
        reduction, normalization, mask, weights: see `help(gs.losses)`.

    Returns:
        A number, or with reduction "none" an array of Y's shape. `l1_loss_backward` returns dL/dY; its cache has
        `Y`, `T` and `scale`.

    Raises:
        ValueError: shapes that do not fit, or an unknown option.

    Frameworks: Keras' `mae` and PyTorch's `L1Loss` divide by all elements: normalization="all-elements".
    Source: MATLAB `l1loss`.

    >>> print(l1_loss(np.array([[1.0, 2.0, 4.0]]), np.array([[0.0, 2.0, 7.0]])))
    4.0
    """
    return l1_loss_forward(Y, T, reduction, normalization, mask, weights)[0]


def l2_loss_forward(Y, T, reduction="sum", normalization="batch-size", mask=None, weights=None):
    """l = (Y - T)^2"""
    Y, T = paired("l2_loss", Y, T)
    W, Z = weighting("l2_loss", Y, reduction, normalization, mask, weights)
    return reduced(W * (Y - T) ** 2, reduction, Z), {"Y": Y, "T": T, "scale": W / Z}


def l2_loss_backward(g, cache):
    """dL/dY = 2 g scale (Y - T)"""
    return 2 * g * cache["scale"] * (cache["Y"] - cache["T"])


def l2_loss_plain(Y, T, reduction="sum", normalization="batch-size", mask=None, weights=None):
    return l2_loss_forward(Y, T, reduction, normalization, mask, weights)[0]


def fast_forward(Y, T, reduction="sum", normalization="batch-size", mask=None, weights=None):
    """The forward; a sum without weights is the product of the differences with themselves, which takes one pass"""
    if reduction != "sum" or mask is not None or weights is not None:
        return l2_loss_forward(Y, T, reduction, normalization, mask, weights)
    Y, T = paired("l2_loss", Y, T)
    _, Z = weighting("l2_loss", Y, reduction, normalization, mask, weights)
    d = Y - T
    return (np.vdot(d, d) / Z).astype(d.dtype), {"d": d, "scale": 1 / Z}


def fast_backward(g, cache):
    """dL/dY = 2 g scale d, with d = Y - T"""
    return (2 * g * cache["scale"]) * cache["d"] if "d" in cache else l2_loss_backward(g, cache)


@op(l2_loss_forward, l2_loss_backward, plain=l2_loss_plain, fast=(fast_forward, fast_backward))
def l2_loss(Y, T, reduction="sum", normalization="batch-size", mask=None, weights=None):
    """Squared error, l = (Y - T)^2, dl/dY = 2 (Y - T).

    An error twice as large costs four times as much: the best constant is the mean, and outliers pull it.

    Arguments, result and cache are those of `l1_loss`. Raises ValueError for shapes that do not fit, an unknown option
    or a mask of more than zeros and ones, TypeError for lists in the place of arrays.

    Frameworks: Keras' `mse` and PyTorch's `MSELoss` divide by all elements: normalization="all-elements".
    Source: MATLAB `l2loss`.

    >>> print(l2_loss(np.array([[1.0, 2.0, 4.0]]), np.array([[0.0, 2.0, 7.0]])))
    10.0
    """
    return l2_loss_forward(Y, T, reduction, normalization, mask, weights)[0]


def half_mse_forward(Y, T, reduction="sum", normalization="batch-size", mask=None, weights=None):
    """l = 1/2 (Y - T)^2"""
    Y, T = paired("half_mse", Y, T)
    W, Z = weighting("half_mse", Y, reduction, normalization, mask, weights)
    return reduced(0.5 * W * (Y - T) ** 2, reduction, Z), {"Y": Y, "T": T, "scale": W / Z}


def half_mse_backward(g, cache):
    """dL/dY = g scale (Y - T)"""
    return g * cache["scale"] * (cache["Y"] - cache["T"])


@op(half_mse_forward, half_mse_backward)
def half_mse(Y, T, reduction="sum", normalization="batch-size", mask=None, weights=None):
    """Half the squared error, l = 1/2 (Y - T)^2, whose derivative is the error itself, dl/dY = Y - T.

    For two responses it equals the mean over all elements by accident, 1/(2N) = 1/(NC): never check with C = 2.

    Arguments, result and cache are those of `l1_loss`. Raises ValueError for shapes that do not fit, an unknown option
    or a mask of more than zeros and ones, TypeError for lists in the place of arrays.

    Frameworks: half of MATLAB's `l2loss`; neither PyTorch nor Keras has the half.
    Source: MATLAB `mse`.

    >>> print(half_mse(np.array([[1.0, 2.0, 4.0]]), np.array([[0.0, 2.0, 7.0]])))
    5.0
    """
    return half_mse_forward(Y, T, reduction, normalization, mask, weights)[0]


def huber_forward(Y, T, delta=1.0, reduction="sum", normalization="batch-size", mask=None, weights=None):
    """l = 1/2 d^2 where |d| <= delta, else delta |d| - 1/2 delta^2, with d = Y - T"""
    Y, T = paired("huber", Y, T)
    if delta <= 0:
        raise ValueError(f"huber: expected delta > 0, got {delta}; l1_loss is what remains as delta goes to 0.")
    W, Z = weighting("huber", Y, reduction, normalization, mask, weights)
    d = np.abs(Y - T)
    elements = np.where(d <= delta, 0.5 * d**2, delta * d - 0.5 * delta**2)
    return reduced(W * elements, reduction, Z), {"Y": Y, "T": T, "delta": delta, "scale": W / Z}


def huber_backward(g, cache):
    """dL/dY = g scale d, with d = Y - T held within [-delta, delta]"""
    return g * cache["scale"] * np.clip(cache["Y"] - cache["T"], -cache["delta"], cache["delta"])


@op(huber_forward, huber_backward)
def huber(Y, T, delta=1.0, reduction="sum", normalization="batch-size", mask=None, weights=None):
    """Squared where the error d = Y - T is small, straight where it is large; value and slope join at delta.

        l = 1/2 d^2              dl/dY = d              where |d| <= delta
        l = delta |d| - 1/2 delta^2    dl/dY = delta sign(d)    elsewhere

    Arguments, errors, result and cache are those of `l1_loss`; the cache also has `delta`.

    Raises:
        ValueError: also for delta <= 0.

    Frameworks: Keras' and PyTorch's Huber divide by all elements; PyTorch's `SmoothL1Loss(beta)` is Huber / beta,
    so the two agree at 1 only.
    Source: MATLAB `huber`, whose `TransitionPoint` is delta.

    >>> print(huber(np.array([[1.0, 2.0, 4.0]]), np.array([[0.5, 2.0, 7.0]])))
    2.625
    """
    return huber_forward(Y, T, delta, reduction, normalization, mask, weights)[0]
