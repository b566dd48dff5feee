"""What a deep network does to a signal on its way forwards, and to a gradient on its way back, before any training; and
two activations that keep both alive.

    means, stds = activation_stats(100, 100, gs.selu, gs.lecun, rng)          # a number for each layer
    norms = gradient_norms(params, X, T, np.tanh, lambda z: 1 - np.tanh(z) ** 2)
    alpha, scale = selu_constants()                                          # 1.6732632..., 1.0507009...
    dx, da = prelu_backward(g, {"x": x, "a": a})
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["activation_stats", "gradient_norms", "prelu_backward", "selu_constants"]


def activation_stats(depth, width, act, init, rng, samples=500):
    """A_0 ~ N(0, 1),  A_l = act(A_(l-1) W_l),  W_l drawn by init: mean and deviation of A_1, ..., A_depth.

    The batch A_0 (samples, width) is drawn first, then for each layer `init((width, width), rng)`. Means and deviations
    are those of each unit over the samples; their averages over the units are returned, two arrays (depth,).
    Source: Géron, Hands-On Machine Learning, chapter 11, which does so for a thousand layers of SELU.

    >>> plain = lambda shape, rng: rng.normal(size=shape) / np.sqrt(shape[0])
    >>> means, stds = activation_stats(50, 100, np.tanh, plain, np.random.default_rng(0))
    >>> print(stds[[0, 9, 49]].round(1))
    [0.6 0.2 0.1]
    """
    A = rng.normal(size=(samples, width))
    means, stds = np.zeros(depth), np.zeros(depth)
    for layer in range(depth):
        A = act(A @ init((width, width), rng))
        means[layer] = A.mean(axis=0).mean()
        stds[layer] = A.std(axis=0).mean()
    return means, stds


def gradient_norms(params, X, T, act, slope):
    """||dL/dW_l||, the root of the sum of squares, for each layer l, the first one first.

    A_0 = X,  Z_l = A_(l-1) W_l + b_l,  A_l = act(Z_l);  the last Z are scores, and L is their softmax cross-entropy
    with the rows T, a mean over the samples.  dL/dZ_last = (softmax(Z) - T) / N,  dL/dW_l = A_(l-1)^T dL/dZ_l,
    dL/dZ_(l-1) = dL/dZ_l W_l^T slope(Z_(l-1)).

    params is a list with {"W": (in, out), "b": (out,)} for each layer; X (N, in), T (N, K); slope is act's derivative.

    >>> params = [{"W": np.array([[2.0]]), "b": np.zeros(1)}, {"W": np.array([[1.0, -1.0]]), "b": np.zeros(2)}]
    >>> straight, one = lambda z: z, np.ones_like
    >>> print(gradient_norms(params, np.array([[0.0], [0.5]]), np.eye(2), straight, one).round(4))
    [0.4404 0.6228]
    """
    A, Z = [X], []
    for layer in params:
        Z.append(A[-1] @ layer["W"] + layer["b"])
        A.append(act(Z[-1]))
    e = np.exp(Z[-1] - Z[-1].max(axis=1, keepdims=True))
    g = (e / e.sum(axis=1, keepdims=True) - T) / len(X)
    norms = np.zeros(len(params))
    for i in reversed(range(len(params))):
        norms[i] = np.sqrt(np.sum((A[i].T @ g) ** 2))
        if i > 0:
            g = g @ params[i]["W"].T * slope(Z[i - 1])
    return norms


def selu_constants(var=1.0):
    """(alpha, scale) such that scale * elu(z, alpha) has mean 0 and variance `var` where z ~ N(0, var).

    With s = sqrt(var) and Phi the normal distribution function:
    alpha = (s / sqrt(2 pi)) / (1/2 - exp(s²/2) Phi(-s)),
    scale = s / sqrt(s²/2 + alpha² (exp(2 s²) Phi(-2s) - 2 exp(s²/2) Phi(-s) + 1/2)).
    Source: Klambauer et al., Self-Normalizing Neural Networks, 2017, for var = 1.

    >>> selu_constants()
    (1.6732632423543778, 1.0507009873554805)
    """
    s = math.sqrt(var)
    once = math.exp(s**2 / 2) * math.erfc(s / math.sqrt(2)) / 2  # the mean of exp(z) where z < 0, else 0
    twice = math.exp(2 * s**2) * math.erfc(2 * s / math.sqrt(2)) / 2  # that of exp(2 z)
    alpha = s / math.sqrt(2 * math.pi) / (0.5 - once)
    scale = s / math.sqrt(s**2 / 2 + alpha**2 * (twice - 2 * once + 0.5))
    return alpha, scale


def prelu_backward(g, cache):
    """dL/dx = g where x > 0, else a g;   dL/da = the sum of g x over all places where x <= 0

    for y = x where x > 0, else a x. g, x (N, ..., C); the cache has x and a, the slopes: (C,), one for each channel,
    or (), one for all. Returns (dx, da), of the shapes of x and a.
    Source: He et al., Delving Deep into Rectifiers, 2015.

    >>> x, a = np.array([[-4.0, 2.0], [-1.0, -3.0]]), np.array([0.5, 0.25])
    >>> dx, da = prelu_backward(np.ones((2, 2)), {"x": x, "a": a})
    >>> print(dx.tolist(), da)
    [[0.5, 1.0], [0.5, 0.25]] [-5. -3.]
    """
    x, a = cache["x"], cache["a"]
    shared = range(x.ndim - np.ndim(a))  # the axes along which one slope serves all places
    return np.where(x > 0, g, a * g), np.where(x > 0, 0, g * x).sum(axis=tuple(shared))
