"""Dropout: while training, each number is dropped by chance, so that no unit can rely on another being there.

y = dropout(x, 0.2, rng)                            # a fifth of x is 0, the rest 1.25 times what it was
y = dropout(x, 0.2, rng, training=False)            # x: at prediction nothing is dropped
y = alpha_dropout(selu(z), 0.1, rng)                # keeps mean 0 and variance 1, for nets of selu
"""

from __future__ import annotations

import numpy as np

from ..arrays import floats
from ..autodiff import op
from ..chance import generator

SELU_FLOOR = -1.7580993408473766  # what selu tends to far on the left: -scale alpha


def kept_by(rng, shape, rate, name="dropout"):
    """True for what is kept, each entry with probability 1 - rate."""
    if not 0 <= rate <= 1:
        raise ValueError(f"{name}: expected a rate from 0 to 1, the share that is dropped, got {rate}.")
    try:
        return rng.random(shape, dtype=np.float32) >= rate  # half the time of float64, and the same for both types
    except (AttributeError, TypeError):
        generator(name, rng)  # which says so if it is none
        raise


def kept_scaled(rng, shape, rate, dtype, name="dropout"):
    """1 / (1 - rate) for what is kept, so that sums are the same on average, and 0 for the rest."""
    return kept_by(rng, shape, rate, name).astype(dtype) * (1 / (1 - rate) if rate < 1 else 0.0)


def dropout_forward(x, rate, rng=None, training=True):
    """y = x / (1 - rate) where kept, 0 where dropped"""
    x = floats(x)
    if not training or rate == 0:
        return x, {"keep": None}
    keep = kept_scaled(rng, x.shape, rate, x.dtype)
    return x * keep, {"keep": keep}


def dropout_backward(g, cache):
    """dL/dx = g / (1 - rate) where kept, else 0"""
    return g if cache["keep"] is None else g * cache["keep"]


@op(dropout_forward, dropout_backward)
def dropout(x, rate, rng=None, training=True):
    """Drop each entry with probability `rate`, and scale up the rest so that the mean stays what it was.

        y = x keep,   keep = 1 / (1 - rate) with probability 1 - rate, else 0        dL/dx = g keep

    Args:
        x: any shape; every entry has its own chance.
        rate: probability to be dropped, from 0 to 1.
        rng: a NumPy generator, from which one number is drawn for each entry.
        training: if False, y is x itself, and nothing is drawn.

    Returns:
        y of x's shape. `dropout_backward` returns dx; its cache has `keep`, which is None where nothing was dropped.

    Raises:
        ValueError: a rate outside 0..1, no generator.
        TypeError: a generator of another kind than NumPy's.

    Frameworks: this is the inverted form of Keras and PyTorch. The paper scales by 1 - rate at prediction instead, and
    TensorFlow 1 took the probability to be kept.
    Source: Srivastava et al., Dropout, 2014.

    >>> print(dropout(np.array([1.0, 2.0, 3.0]), 0.5, np.random.default_rng(1)))
    [0. 4. 6.]
    """
    return dropout_forward(x, rate, rng, training)[0]


def alpha_constants(rate):
    """(a, b) of y = a x + b that give mean 0 and variance 1 back after dropping to the floor."""
    if not 0 <= rate < 1:
        raise ValueError(f"alpha_dropout: expected a rate from 0 to below 1, the share that is dropped, got {rate}.")
    a = ((1 - rate) * (1 + rate * SELU_FLOOR**2)) ** -0.5
    return a, -a * SELU_FLOOR * rate


def alpha_dropout_forward(x, rate, rng=None, training=True):
    """y = a (x where kept, else -scale alpha) + b"""
    x = floats(x)
    if not training or rate == 0:
        return x, {"keep": None, "a": 1.0}
    a, b = alpha_constants(rate)
    keep = kept_by(rng, x.shape, rate, "alpha_dropout")
    return a * np.where(keep, x, SELU_FLOOR) + b, {"keep": keep, "a": a}


def alpha_dropout_backward(g, cache):
    """dL/dx = a g where kept, else 0"""
    return g if cache["keep"] is None else np.where(cache["keep"], cache["a"] * g, 0)


@op(alpha_dropout_forward, alpha_dropout_backward)
def alpha_dropout(x, rate, rng=None, training=True):
    """Dropout for self-normalizing nets: what is dropped takes selu's lowest value, and mean 0, variance 1 are kept.

        y = a (x where kept, else f) + b,   f = -1.7580993... = -scale alpha of selu        dL/dx = a g where kept
        a = ((1 - rate) (1 + rate f^2))^(-1/2),   b = -a f rate

    Arguments are those of `dropout`; the rate must be below 1, since of nothing no variance can be made. The cache of
    `alpha_dropout_backward` has `keep` (true or false, or None where nothing was dropped) and `a`.

    Raises:
        ValueError: a rate outside 0..1, no generator.
        TypeError: a generator of another kind than NumPy's.

    Source: Klambauer et al., Self-Normalizing Neural Networks, 2017.

    >>> print(alpha_dropout(np.array([1.0, 2.0, -1.0]), 0.5, np.random.default_rng(1)).round(4))
    [-0.7792  2.552  -0.1072]
    """
    return alpha_dropout_forward(x, rate, rng, training)[0]
