"""Softmax: scores to probabilities, which are positive, sum to one, and keep the order of the scores.

p = softmax(z)                                      # z (N, K) -> p (N, K), the rows sum to 1
log_p = log_softmax(z)                              # the same in logarithms, exact also where p is 1e-1000
p = softmax(z, axis=1)                              # over another axis
"""

from __future__ import annotations

import numpy as np

from ..arrays import floats
from ..autodiff import op


def softmax_forward(x, axis=-1):
    """p_i = exp(x_i) / sum_j exp(x_j)"""
    x = floats(x)
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))  # a shift changes nothing, and nothing overflows
    p = e / np.sum(e, axis=axis, keepdims=True)
    return p, {"p": p, "axis": axis}


def softmax_backward(g, cache):
    """dL/dx_i = p_i (g_i - sum_j g_j p_j)"""
    p, axis = cache["p"], cache["axis"]
    return p * (g - np.sum(g * p, axis=axis, keepdims=True))


@op(softmax_forward, softmax_backward)
def softmax(x, axis=-1):
    """Scores to probabilities, p_i = exp(x_i) / sum_j exp(x_j).

        dp_i/dx_j = p_i (1[i = j] - p_j)        dL/dx_i = p_i (g_i - sum_j g_j p_j)

    Adding the same number to all scores changes nothing, so the largest is subtracted first: 1e4 is no problem.

    Args:
        x: scores (..., K).
        axis: the axis along which the probabilities sum to one.

    Returns:
        Probabilities of x's shape. `softmax_backward` returns dL/dx; its cache has `p` and `axis`.

    Raises:
        TypeError: an x that is no array, such as a list.

    >>> print(softmax(np.array([1.0, 2.0, 3.0])).round(4))
    [0.09   0.2447 0.6652]
    """
    return softmax_forward(x, axis)[0]


def log_softmax_forward(x, axis=-1):
    """y_i = x_i - log sum_j exp(x_j)"""
    x = floats(x)
    shifted = x - np.max(x, axis=axis, keepdims=True)
    y = shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))
    return y, {"y": y, "axis": axis}


def log_softmax_backward(g, cache):
    """dL/dx_i = g_i - p_i sum_j g_j, with p = exp(y)"""
    return g - np.exp(cache["y"]) * np.sum(g, axis=cache["axis"], keepdims=True)


def log_of_softmax(x, axis=-1):
    return np.log(softmax(x, axis))


@op(log_softmax_forward, log_softmax_backward, parts=("softmax",), composed=log_of_softmax)
def log_softmax(x, axis=-1):
    """The logarithm of softmax, y_i = x_i - log sum_j exp(x_j), without the underflow of taking one after the other.

        dy_i/dx_j = 1[i = j] - p_j              dL/dx_i = g_i - p_i sum_j g_j

    Arguments as for `softmax`. `log_softmax_backward` returns dL/dx; its cache has `y` and `axis`.
    Raises TypeError for what is no array, such as a list.

    >>> print(log_softmax(np.array([1.0, 2.0, 3.0])).round(4))
    [-2.4076 -1.4076 -0.4076]
    """
    return log_softmax_forward(x, axis)[0]
