"""An initializer draws the first weights, with a variance that keeps signals (and gradients) at their size from layer
to layer. That variance is a constant over the number of inputs of a unit, of its outputs, or the mean of both.

    W = glorot((784, 300), rng)                                 # for tanh, sigmoid, softmax
    W = he((3, 3, 32, 64), rng)                                 # for ReLU and its kin; a 3 x 3 convolution
    W = lecun((300, 100), rng, distribution="uniform")          # for SELU
"""

from __future__ import annotations

import math

import numpy as np

from .chance import drawing

__all__ = ["fans", "glorot", "he", "lecun", "truncated_normal", "variance_scaling"]

TRUNCATED_STD = 0.87962566103423978  # standard deviation of a standard normal cut off at -2 and 2


def fans(shape):
    """(fan_in, fan_out): how many numbers each output sums over, and how many outputs each input reaches.

    Dense weights are (in, out), kernels (height, width, in, out) or with more or fewer spatial axes; a vector (n,)
    has both fans n.

    >>> fans((784, 300)), fans((3, 5, 32, 64))
    ((784, 300), (480, 960))
    """
    if not isinstance(shape, tuple | list):
        raise TypeError(f"fans: expected the shape of weights, a tuple such as (in, out), got {shape!r:.40}")
    if len(shape) < 2:
        return math.prod(shape), math.prod(shape)
    area = math.prod(shape[:-2])
    return area * shape[-2], area * shape[-1]


def truncated_normal(shape, rng):
    """Standard normal numbers, those beyond ±2 drawn again; their standard deviation is 0.8796."""
    x = rng.normal(size=shape)
    while (far := np.abs(x) > 2).any():
        x[far] = rng.normal(size=far.sum())
    return x


@drawing
def variance_scaling(shape, scale, mode, distribution, rng, dtype=np.float64):
    """Weights of mean 0 and variance scale / fan, fan being "fan_in", "fan_out" or "fan_avg", the mean of both.

    distribution   "truncated_normal" (cut off at two standard deviations, and widened so that the variance is right
                   after cutting), "normal", or "uniform" on ±√(3 scale / fan)
    rng            a NumPy generator; every other randomness would make a run unrepeatable

    Raises ValueError for another mode or distribution, TypeError for another kind of generator than NumPy's.
    Source: Keras `VarianceScaling`. PyTorch's `kaiming_normal_` is not truncated, and the default of its `Linear` is
    uniform on ±1/√fan_in, which is scale 1/3.

    >>> W = variance_scaling((300, 100), 2.0, "fan_in", "uniform", np.random.default_rng(0))
    >>> bool(abs(W).max() < np.sqrt(6 / 300)), round(float(W.var() * 300), 1)
    (True, 2.0)
    """
    fan_in, fan_out = fans(shape)
    choices = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
    if mode not in choices:
        raise ValueError(f'variance_scaling: expected mode "fan_in", "fan_out" or "fan_avg", got {mode!r}')
    std = math.sqrt(scale / max(1, choices[mode]))
    if distribution == "truncated_normal":
        W = truncated_normal(shape, rng) * (std / TRUNCATED_STD)
    elif distribution == "normal":
        W = rng.normal(size=shape) * std
    elif distribution == "uniform":
        W = rng.uniform(-1, 1, size=shape) * (math.sqrt(3) * std)  # uniform on ±1 has the variance 1/3
    else:
        raise ValueError(
            f'variance_scaling: expected distribution "truncated_normal", "normal" or "uniform", got {distribution!r}'
        )
    return W.astype(dtype)


def glorot(shape, rng, distribution="uniform", dtype=np.float64):
    """Variance 2 / (fan_in + fan_out): signals forward and gradients backward both nearly keep their size.

    Raises ValueError for another distribution or None as the rng, TypeError for one that is no generator, as a seed.
    Source: Glorot and Bengio 2010; the default of Keras and MATLAB, uniform on ±√(6 / (fan_in + fan_out)).

    >>> bool(abs(glorot((30, 20), np.random.default_rng(0))).max() < np.sqrt(6 / 50))
    True
    """
    return variance_scaling(shape, 1.0, "fan_avg", distribution, rng, dtype)


def he(shape, rng, distribution="truncated_normal", dtype=np.float64):
    """Variance 2 / fan_in: ReLU sets half of the signal to zero, so the other half is made twice as strong.

    Raises ValueError for another distribution or None as the rng, TypeError for one that is no generator, as a seed.
    Source: He et al. 2015; truncated as Keras' `he_normal`.

    >>> bool(abs(he((50, 20), np.random.default_rng(0))).max() < 2 * np.sqrt(2 / 50) / 0.8796)
    True
    """
    return variance_scaling(shape, 2.0, "fan_in", distribution, rng, dtype)


def lecun(shape, rng, distribution="truncated_normal", dtype=np.float64):
    """Variance 1 / fan_in: what SELU is made for.

    Raises ValueError for another distribution or None as the rng, TypeError for one that is no generator, as a seed.
    Source: LeCun et al. 1998, Klambauer et al. 2017; truncated as Keras' `lecun_normal`.

    >>> bool(abs(lecun((50, 20), np.random.default_rng(0))).max() < 2 * np.sqrt(1 / 50) / 0.8796)
    True
    """
    return variance_scaling(shape, 1.0, "fan_in", distribution, rng, dtype)
