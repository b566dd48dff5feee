"""A dense layer and its activation in one: the same numbers, with half the arrays and half the steps on the tape.

    Y = dense_elu(X, W, b)                              # elu(dense(X, W, b))
    dX, dW, db = dense_elu_backward(g, cache)           # g = dL/dY

`sequential` puts these in the place of the two where they follow each other. While `using` replaces one of the two,
they run one after the other again.
"""

from __future__ import annotations

import numpy as np

from ..arrays import floats
from ..autodiff import op
from .elementwise import elu, relu
from .linear import check_dense, dense, dense_db, dense_dW, dense_dX


def bent_by_elu(Y):
    """elu(Y) in the memory of Y, and its derivative e = exp(min(Y, 0)), which is 1 where Y > 0"""
    bent = np.zeros(Y.shape, Y.dtype)  # NumPy is faster with an array of zeros than with a 0
    e = np.minimum(Y, bent)
    np.exp(e, out=e)
    np.subtract(e, 1, out=bent)
    np.maximum(Y, bent, out=Y)  # exp(y) - 1 >= y: the larger one is right on both sides of 0
    return e


def bent_by_relu(Y):
    """relu(Y) in the memory of Y"""
    return np.maximum(Y, np.zeros(Y.shape, Y.dtype), out=Y)  # zeros and not 0: faster


def passed_by_relu(g, Y):
    """g where Y > 0, else 0"""
    passed = (Y > 0).astype(g.dtype)
    return np.multiply(passed, g, out=passed)


def activated_gradients(dZ, cache, which, out):
    """{i: gradient of argument i} of the dense layer, from dZ = dL/d(X W + b); `out` has memory for some"""
    parts = dense_dX, dense_dW, dense_db
    return {i: parts[i](dZ, cache, out[i]) if i in out else parts[i](dZ, cache) for i in which}


# ---------------------------------------------------------------------------------------------------------------- relu
def dense_relu_forward(X, W, b):
    """Y = max(X W + b, 0)"""
    check_dense(X, W, b)
    Y = floats(X @ W + b)
    return bent_by_relu(Y), {"X": X, "W": W, "Y": Y}


def dense_relu_gradients(g, cache, which=(0, 1, 2), out=()):
    """dL/dX = dZ W^T,  dL/dW = X^T dZ,  dL/db = sum dZ,  with dZ = g where Y > 0, else 0"""
    return activated_gradients(passed_by_relu(g, cache["Y"]), cache, which, out)


def dense_relu_backward(g, cache):
    """dL/dX = dZ W^T,  dL/dW = X^T dZ,  dL/db = sum dZ,  with dZ = g where Y > 0, else 0"""
    return tuple(dense_relu_gradients(g, cache).values())


def relu_of_dense(X, W, b):
    return relu(dense(X, W, b))


@op(
    dense_relu_forward,
    dense_relu_backward,
    inputs=3,
    some=dense_relu_gradients,
    parts=("dense", "relu"),
    composed=relu_of_dense,
    plain=relu_of_dense,
)
def dense_relu(X, W, b):
    """relu(dense(X, W, b)) in one: Y = max(X W + b, 0).

    Arguments, result and errors are those of `dense`; `dense_relu_backward` returns (dX, dW, db), its cache has `X`,
    `W` and `Y`.

    >>> print(dense_relu(np.array([[1.0, 2.0]]), np.array([[1.0, 0.0], [0.0, -1.0]]), np.array([0.5, 0.0])))
    [[1.5 0. ]]
    """
    return dense_relu_forward(X, W, b)[0]


# ----------------------------------------------------------------------------------------------------------------- elu
def dense_elu_forward(X, W, b):
    """Y = max(Z, exp(min(Z, 0)) - 1), Z = X W + b"""
    check_dense(X, W, b)
    Y = floats(X @ W + b)
    return Y, {"X": X, "W": W, "e": bent_by_elu(Y)}


def dense_elu_gradients(g, cache, which=(0, 1, 2), out=()):
    """dL/dX = dZ W^T,  dL/dW = X^T dZ,  dL/db = sum dZ,  with dZ = g e, since e = exp(min(Z, 0)) is 1 where Z > 0"""
    return activated_gradients(g * cache["e"], cache, which, out)


def dense_elu_backward(g, cache):
    """dL/dX = dZ W^T,  dL/dW = X^T dZ,  dL/db = sum dZ,  with dZ = g e, since e = exp(min(Z, 0)) is 1 where Z > 0"""
    return tuple(dense_elu_gradients(g, cache).values())


def elu_of_dense(X, W, b):
    return elu(dense(X, W, b))


@op(
    dense_elu_forward,
    dense_elu_backward,
    inputs=3,
    some=dense_elu_gradients,
    parts=("dense", "elu"),
    composed=elu_of_dense,
    plain=elu_of_dense,
)
def dense_elu(X, W, b):
    """elu(dense(X, W, b)) in one, with alpha 1: Y = Z where Z > 0, else exp(Z) - 1, of Z = X W + b.

    Arguments, result and errors are those of `dense`; `dense_elu_backward` returns (dX, dW, db), its cache has `X`,
    `W` and `e`, which is exp(min(Z, 0)).

    >>> print(dense_elu(np.array([[1.0, 2.0]]), np.array([[1.0, 0.0], [0.0, -1.0]]), np.array([0.5, 0.0])).round(4))
    [[ 1.5    -0.8647]]
    """
    return dense_elu_forward(X, W, b)[0]
