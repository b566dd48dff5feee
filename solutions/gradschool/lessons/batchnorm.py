"""Batch normalisation in the form in which one writes it first: state in, state out, and nothing tuned.

    y, cache, state = batchnorm_forward(x, gamma, beta, None, training=True)    # x (N, C), (N, T, C) or (N, H, W, C)
    dx, dgamma, dbeta = batchnorm_backward(g, cache)
    y, _, _ = batchnorm_forward(x, gamma, beta, state)                          # afterwards: a fixed scale and shift
    W, b = fold_bn_into_dense(W, b, gamma, beta, state["mean"], state["var"])   # which a dense layer can take over
    state = recalibrate_bn(model, batches)                                      # what is remembered, counted again

The library's own form is `gradschool.ops.batchnorm`, which gives the same numbers several times as fast.
"""

from __future__ import annotations

import numpy as np

__all__ = ["batchnorm_backward", "batchnorm_forward", "fold_bn_into_dense", "recalibrate_bn"]


def batchnorm_forward(x, gamma, beta, state=None, training=False, momentum=0.9, eps=1e-5):
    """Every channel to mean 0 and variance 1, then scale and shift; the new running statistics come out.

        y = gamma (x - mu) r + beta,   r = 1 / sqrt(s2 + eps)
        training    mu, s2 are mean and variance of the batch, over all axes but the last
                    mean <- momentum mean + (1 - momentum) mu,   var <- momentum var + (1 - momentum) s2
        inference   mu, s2 are the running mean and var, which stay what they are

    x (N, ..., C); gamma, beta (C,); state {"mean": (C,), "var": (C,)}, None for 0 and 1. Returns y, the cache
    {"x", "mu", "r", "gamma", "training"} for the backward, and the state; no argument is changed.
    Source: Ioffe and Szegedy, Batch Normalization, 2015.

    >>> x = np.array([[1.0, 10.0], [2.0, 30.0], [3.0, 50.0]])
    >>> y, _, state = batchnorm_forward(x, np.ones(2), np.zeros(2), training=True)
    >>> print(y.round(3).tolist(), state["mean"].round(2), state["var"].round(2))
    [[-1.225, -1.225], [0.0, 0.0], [1.225, 1.225]] [0.2 3. ] [ 0.97 27.57]
    """
    if state is None:
        state = {"mean": np.zeros_like(gamma), "var": np.ones_like(gamma)}
    mu, s2 = state["mean"], state["var"]
    if training:
        axes = tuple(range(x.ndim - 1))  # a channel has one mean, over all samples and places
        mu, s2 = x.mean(axis=axes), x.var(axis=axes)
        state = {
            "mean": momentum * state["mean"] + (1 - momentum) * mu,
            "var": momentum * state["var"] + (1 - momentum) * s2,
        }
    r = 1 / np.sqrt(s2 + eps)
    y = gamma * (x - mu) * r + beta
    return y, {"x": x, "mu": mu, "r": r, "gamma": gamma, "training": training}, state


def batchnorm_backward(g, cache):
    """The gradients for x, gamma and beta.

        dL/dgamma = sum of g xhat,   dL/dbeta = sum of g,   xhat = (x - mu) r      sums over all m samples and places
        training    dL/dx = gamma r (g - mean(g) - xhat mean(g xhat)): mu and s2 depend on x
        inference   dL/dx = gamma r g: they do not

    g is dL/dy, of x's shape; the cache is that of `batchnorm_forward`.

    >>> x = np.array([[1.0], [2.0], [4.0]])
    >>> _, cache, _ = batchnorm_forward(x, np.array([2.0]), np.zeros(1), training=True)
    >>> for gradient in batchnorm_backward(np.array([[1.0], [0.0], [0.0]]), cache): print(gradient.round(4).ravel())
    [ 0.4582 -0.6872  0.2291]
    [-1.069]
    [1.]
    """
    xhat = (cache["x"] - cache["mu"]) * cache["r"]
    axes = tuple(range(g.ndim - 1))
    dgamma, dbeta = (g * xhat).sum(axis=axes), g.sum(axis=axes)
    scale = cache["gamma"] * cache["r"]
    if not cache["training"]:
        return scale * g, dgamma, dbeta
    m = g.size // g.shape[-1]
    return scale * (g - dbeta / m - xhat * dgamma / m), dgamma, dbeta


def fold_bn_into_dense(W, b, gamma, beta, mean, var, eps=1e-5):
    """(W, b) of one dense layer that does what a dense layer and the normalisation behind it do in inference.

        gamma (x W + b - mean) r + beta  =  x (W a) + (b - mean) a + beta,      r = 1 / sqrt(var + eps),  a = gamma r

    W (D, C), or the kernels (H, W, D, C) of a convolution; b (C,), or None for 0; all others (C,).

    >>> W, b = fold_bn_into_dense(np.array([[3.0]]), None, np.array([2.0]), np.array([1.0]), np.array([5.0]),
    ...                           np.array([4.0]), eps=0.0)
    >>> print(W, b)
    [[3.]] [-4.]
    """
    a = gamma / np.sqrt(var + eps)
    return W * a, ((0 if b is None else b) - mean) * a + beta


def recalibrate_bn(model, batches):
    """The statistics that inference should use, counted anew: mean and variance over all samples of all batches.

    `model(x, dropping)` runs a network on a batch as in training, every normalisation by the batch's own statistics,
    and returns (y, statistics): for each such layer {"mean": (C,), "var": (C,)} of this batch. `dropping` says whether
    dropout drops; in inference it will not, so it must not here. With n of N samples in a batch,

        mean = sum of n / N mean_batch      var = sum of n / N (var_batch + (mean_batch - mean)^2)

    >>> model = lambda x, dropping: (x, {"bn": {"mean": x.mean(axis=0), "var": x.var(axis=0)}})
    >>> recalibrate_bn(model, [np.array([[1.0], [2.0]]), np.array([[6.0]])])
    {'bn': {'mean': array([3.]), 'var': array([4.66666667])}}
    """
    seen = [(len(x), model(x, dropping=False)[1]) for x in batches]
    N = sum(n for n, _ in seen)
    state = {}
    for layer in seen[0][1]:
        counted = [(n / N, statistics[layer]["mean"], statistics[layer]["var"]) for n, statistics in seen]
        mean = sum(share * m for share, m, _ in counted)
        state[layer] = {"mean": mean, "var": sum(share * (v + (m - mean) ** 2) for share, m, v in counted)}
    return state
