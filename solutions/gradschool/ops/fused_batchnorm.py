"""Batch normalisation and the activation behind it in one: the same numbers, in memory that is there already.

    y, mean, var = batchnorm_elu(x, gamma, beta, mean, var, training=True)      # elu of y, and batchnorm's statistics

`sequential` puts these in the place of the two where they follow each other. While `using` replaces one of the two,
they run one after the other again.
"""

from __future__ import annotations

from ..autodiff import op
from .batchnorm import batchnorm, batchnorm_forward, batchnorm_gradients
from .elementwise import elu, relu
from .fused import bent_by_elu, bent_by_relu, passed_by_relu


# ---------------------------------------------------------------------------------------------------------------- relu
def batchnorm_relu_forward(
    x, gamma, beta, mean=None, var=None, training=False, momentum=0.9, eps=1e-5, unbiased_running=False
):
    """y = max(z, 0), where z and the rest are batchnorm's"""
    results, cache = batchnorm_forward(x, gamma, beta, mean, var, training, momentum, eps, unbiased_running)
    return results, cache | {"y": bent_by_relu(results[0])}


def batchnorm_relu_gradients(g, cache, which):
    """Those of batchnorm, from dL/dz = g where y > 0, else 0; g is that of (y, mean, var), or of y alone"""
    gy, *others = g if isinstance(g, tuple) else (g,)
    gz = passed_by_relu(gy, cache["y"])
    return batchnorm_gradients((gz, *others) if others else gz, cache, which)


def batchnorm_relu_backward(g, cache):
    """Those of batchnorm, from dL/dz = g where y > 0, else 0"""
    gradients = batchnorm_relu_gradients(g, cache, range(5))
    return tuple(gradients[i] for i in range(5))


def relu_of_batchnorm(
    x, gamma, beta, mean=None, var=None, training=False, momentum=0.9, eps=1e-5, unbiased_running=False
):
    y, mean, var = batchnorm(x, gamma, beta, mean, var, training, momentum, eps, unbiased_running)
    return relu(y), mean, var


@op(
    batchnorm_relu_forward,
    batchnorm_relu_backward,
    inputs=5,
    some=batchnorm_relu_gradients,
    parts=("batchnorm", "relu"),
    composed=relu_of_batchnorm,
    plain=relu_of_batchnorm,
)
def batchnorm_relu(x, gamma, beta, mean=None, var=None, training=False, momentum=0.9, eps=1e-5, unbiased_running=False):
    """batchnorm, and then relu of its y: (max(y, 0), mean, var). Everything else is said there.

    `batchnorm_relu_backward`'s cache is batchnorm's with `y`, what has become of it.

    >>> x = np.array([[1.0, 10.0], [2.0, 30.0], [3.0, 50.0]])
    >>> print(batchnorm_relu(x, np.ones(2), np.zeros(2), training=True)[0].round(3).tolist())
    [[0.0, 0.0], [0.0, 0.0], [1.225, 1.225]]
    """
    return batchnorm_relu_forward(x, gamma, beta, mean, var, training, momentum, eps, unbiased_running)[0]


# ----------------------------------------------------------------------------------------------------------------- elu
def batchnorm_elu_forward(
    x, gamma, beta, mean=None, var=None, training=False, momentum=0.9, eps=1e-5, unbiased_running=False
):
    """y = max(z, exp(min(z, 0)) - 1), where z and the rest are batchnorm's"""
    results, cache = batchnorm_forward(x, gamma, beta, mean, var, training, momentum, eps, unbiased_running)
    return results, cache | {"e": bent_by_elu(results[0])}


def batchnorm_elu_gradients(g, cache, which):
    """Those of batchnorm, from dL/dz = g exp(min(z, 0)); g is that of (y, mean, var), or of y alone"""
    gy, *others = g if isinstance(g, tuple) else (g,)
    gz = gy * cache["e"]
    return batchnorm_gradients((gz, *others) if others else gz, cache, which)


def batchnorm_elu_backward(g, cache):
    """Those of batchnorm, from dL/dz = g exp(min(z, 0))"""
    gradients = batchnorm_elu_gradients(g, cache, range(5))
    return tuple(gradients[i] for i in range(5))


def elu_of_batchnorm(
    x, gamma, beta, mean=None, var=None, training=False, momentum=0.9, eps=1e-5, unbiased_running=False
):
    y, mean, var = batchnorm(x, gamma, beta, mean, var, training, momentum, eps, unbiased_running)
    return elu(y), mean, var


@op(
    batchnorm_elu_forward,
    batchnorm_elu_backward,
    inputs=5,
    some=batchnorm_elu_gradients,
    parts=("batchnorm", "elu"),
    composed=elu_of_batchnorm,
    plain=elu_of_batchnorm,
)
def batchnorm_elu(x, gamma, beta, mean=None, var=None, training=False, momentum=0.9, eps=1e-5, unbiased_running=False):
    """batchnorm, and then elu of its y, with alpha 1: (elu(y), mean, var). Everything else is said there.

    `batchnorm_elu_backward`'s cache is batchnorm's with `e`, which is exp(min(y, 0)) of the y before elu.

    >>> x = np.array([[1.0, 10.0], [2.0, 30.0], [3.0, 50.0]])
    >>> print(batchnorm_elu(x, np.ones(2), np.zeros(2), training=True)[0].round(3).tolist())
    [[-0.706, -0.706], [0.0, 0.0], [1.225, 1.225]]
    """
    return batchnorm_elu_forward(x, gamma, beta, mean, var, training, momentum, eps, unbiased_running)[0]
