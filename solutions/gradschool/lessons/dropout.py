"""Dropout in the form in which one writes it first: a mask of zeros and larger numbers, kept for the way back.

    y, cache = dropout_forward(x, 0.2, rng, training=True)      # a fifth of x is 0, the rest 1.25 times what it was
    dx = dropout_backward(g, cache)
    y = alpha_dropout(x, 0.1, rng, training=True)               # what is dropped becomes selu's floor, not 0
    mean, std = mc_predict(model, X, 100, rng)                  # a hundred answers, and how far they differ

The library's own forms are `gradschool.ops.dropout` and `gradschool.models.mc_predict`.
"""

from __future__ import annotations

import numpy as np

__all__ = ["alpha_dropout", "dropout_backward", "dropout_forward", "mc_predict"]


def dropout_forward(x, rate, rng, training=False):
    """y = x keep, keep = 1 / (1 - rate) with probability 1 - rate, else 0; every entry has its own chance.

    x of any shape; `rate` from 0 to 1 is the probability to be dropped. Returns y and the cache {"keep"}, which is None
    where nothing can be dropped: without training, or at rate 0, y is x and rng is not used. At rate 1 all is 0.
    Source: Srivastava et al., Dropout, 2014, in the inverted form: scaled in training, nothing to do afterwards.

    >>> y, cache = dropout_forward(np.array([1.0, 2.0, 3.0]), 0.5, np.random.default_rng(1), training=True)
    >>> print(y, cache["keep"])
    [2. 4. 0.] [2. 2. 0.]
    """
    if not training or rate == 0:
        return x, {"keep": None}
    kept = rng.random(x.shape) >= rate  # random() is below 1: at rate 1 nothing is kept
    keep = kept / (1 - rate) if rate < 1 else np.zeros(x.shape)  # sums stay what they were, on average
    return x * keep, {"keep": keep}


def dropout_backward(g, cache):
    """dL/dx = g keep: what was dropped has no part in the loss, and what was made larger has a larger one.

    g is dL/dy, of x's shape; the cache is that of `dropout_forward`.

    >>> print(dropout_backward(np.array([1.0, 10.0, 100.0]), {"keep": np.array([2.0, 0.0, 2.0])}))
    [  2.   0. 200.]
    """
    return g if cache["keep"] is None else g * cache["keep"]


def alpha_dropout(x, rate, rng, training=False):
    """y = a (x where kept, else f) + b: dropout that keeps mean 0 and variance 1, for networks of selu.

        f = -1.7580993... = -scale alpha of selu, its floor
        a = ((1 - rate) (1 + rate f^2))^(-1/2),   b = -a f rate

    Where x has mean 0 and variance 1, what is dropped or not has mean m = rate f and variance
    (1 - rate) (1 + rate f^2); a and b take both back. x of any shape, 0 <= rate < 1. Without training, or at rate 0,
    y is x.
    Source: Klambauer et al., Self-Normalizing Neural Networks, 2017.

    >>> print(alpha_dropout(np.array([1.0, 2.0, -1.0]), 0.1, np.random.default_rng(3), training=True).round(4))
    [-1.4577  2.0045 -0.7593]
    """
    if not training or rate == 0:
        return x
    f = -1.7580993408473766
    a = ((1 - rate) * (1 + rate * f**2)) ** -0.5
    b = -a * f * rate
    kept = rng.random(x.shape) >= rate
    return a * np.where(kept, x, f) + b


def mc_predict(model, X, n, rng):
    """Mean and standard deviation of n predictions that each drop other units: how sure is the model?

        p_s = softmax(model(X, rng)),  s = 1 .. n          mean = (1/n) sum p_s,  std = sqrt((1/n) sum (p_s - mean)^2)

    `model(X, rng)` returns scores (N, K) and drops units by what it draws from rng, but is in no other way in training.
    Returns two arrays (N, K): the mean of the *probabilities*, and their deviation over the passes.
    Source: Gal and Ghahramani, Dropout as a Bayesian Approximation, 2016.

    >>> model = lambda X, rng: X * (rng.random(X.shape) >= 0.5)
    >>> mean, std = mc_predict(model, np.array([[4.0, 0.0]]), 100, np.random.default_rng(0))
    >>> print(mean.round(2), std.round(2))
    [[0.77 0.23]] [[0.24 0.24]]
    """
    passes = []
    for _ in range(n):
        z = model(X, rng)  # the same generator goes on, so every pass drops others
        e = np.exp(z - z.max(axis=1, keepdims=True))
        passes.append(e / e.sum(axis=1, keepdims=True))
    return np.mean(passes, axis=0), np.std(passes, axis=0)
