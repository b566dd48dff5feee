"""Backpropagation by hand: for every forward a backward, which carries dL/d(result) to dL/d(argument).

    z, cache = mlp_forward(params, X)                       # scores, and what the way back needs
    g = softmax_ce_backward(1.0, {"p": softmax(z), "y": y})   # dL/dz
    dX, grads = mlp_backward(g, cache)                      # dL/dX, and dL/dW, dL/db of every layer

These are the plain forms. The library's ops of the same names do the same, faster, and at any number of axes.
"""

from __future__ import annotations

import numpy as np

__all__ = ["dense_backward", "elu_backward", "mlp_backward", "mlp_forward", "relu_backward", "softmax_ce_backward"]


# --------------------------------------------------------------------------------------------------------- activations
def relu_backward(g, cache):
    """dL/dx = g where x > 0, else 0

    >>> print(relu_backward(np.array([5.0, 6.0, 7.0]), {"x": np.array([-1.0, 0.0, 2.0])}))
    [0. 0. 7.]
    """
    return np.where(cache["x"] > 0, g, 0)


def elu_backward(g, cache):
    """dL/dx = g where x > 0, else g (y + alpha), which is g alpha exp(x)

    >>> cache = {"x": np.array([-1.0, 2.0]), "y": np.array([-0.6321, 2.0]), "alpha": 1.0}
    >>> print(elu_backward(np.array([10.0, 10.0]), cache))
    [ 3.679 10.   ]
    """
    return np.where(cache["x"] > 0, g, g * (cache["y"] + cache["alpha"]))


# --------------------------------------------------------------------------------------------------------- dense layer
def dense_backward(g, cache):
    """dL/dX = g W^T,  dL/dW = X^T g,  dL/db = sum of g over all samples

    g (..., out); the cache has X (..., in) and W (in, out). Returns (dX, dW, db), of the shapes of X, W and b.

    >>> dX, dW, db = dense_backward(np.array([[1.0, 2.0]]), {"X": np.array([[3.0]]), "W": np.array([[5.0, 7.0]])})
    >>> print(dX, dW, db)
    [[19.]] [[3. 6.]] [1. 2.]
    """
    X, W = cache["X"], cache["W"]
    samples, slopes = X.reshape(-1, X.shape[-1]), g.reshape(-1, g.shape[-1])
    return g @ W.T, samples.T @ slopes, slopes.sum(axis=0)


# ------------------------------------------------------------------------------------------------ softmax cross-entropy
def softmax_ce_backward(g, cache):
    """dL/dz_nk = g (p_nk - 1[k = y_n]) / N

    The cache has p = softmax(z) (N, K) and the class numbers y (N,); g is what arrives at the mean of -log p_true.

    >>> print(softmax_ce_backward(4.0, {"p": np.array([[0.5, 0.25, 0.25]]), "y": np.array([2])}))
    [[ 2.  1. -3.]]
    """
    p, y = cache["p"], cache["y"]
    dz = p.copy()
    dz[np.arange(len(y)), y] -= 1
    return dz * (g / len(y))


# ---------------------------------------------------------------------------------------------- a network of any depth
def mlp_forward(params, X):
    """X_1 = X,  Z_i = X_i W_i + b_i,  X_{i+1} = max(Z_i, 0);  the last Z is the result, without relu.

    params is a list with {"W": (in, out), "b": (out,)} for each layer. Returns Z of the last layer, and the cache: a
    list with {"X": what came into the layer, "W": its weights, "Z": what its relu got} for each layer.

    >>> params = [{"W": np.array([[1.0, -1.0]]), "b": np.zeros(2)}, {"W": np.array([[2.0], [3.0]]), "b": np.ones(1)}]
    >>> Z, cache = mlp_forward(params, np.array([[5.0]]))
    >>> print(Z, cache[1]["X"])
    [[11.]] [[5. 0.]]
    """
    cache = []
    for layer in params:
        Z = X @ layer["W"] + layer["b"]
        cache.append({"X": X, "W": layer["W"], "Z": Z})
        X = np.maximum(Z, 0)
    return Z, cache


def mlp_backward(g, cache):
    """G_last = g,  dL/dX_i = G_i W_i^T,  G_{i-1} = dL/dX_i where Z_{i-1} > 0, else 0

    g is dL/dZ of the last layer, the cache that of `mlp_forward`. Returns dL/dX and a list with
    {"W": dL/dW_i, "b": dL/db_i} for each layer, in the order of the layers.

    >>> layers = [{"X": np.array([[5.0]]), "W": np.array([[1.0, -1.0]]), "Z": np.array([[5.0, -5.0]])},
    ...           {"X": np.array([[5.0, 0.0]]), "W": np.array([[2.0], [3.0]]), "Z": np.array([[11.0]])}]
    >>> dX, grads = mlp_backward(np.array([[1.0]]), layers)
    >>> print(dX, grads[0]["W"], grads[0]["b"])
    [[2.]] [[10.  0.]] [2. 0.]
    """
    grads = []
    for i, layer in reversed(list(enumerate(cache))):
        dX = g @ layer["W"].T
        grads.insert(0, {"W": layer["X"].T @ g, "b": g.sum(axis=0)})
        if i > 0:
            g = np.where(cache[i - 1]["Z"] > 0, dX, 0)
    return dX, grads
