"""The dense layer: every output is a weighted sum of all inputs, plus its own bias.

    Y = dense(X, W, b)                                  # X (N, in), W (in, out), b (out,) -> Y (N, out)
    dX, dW, db = dense_backward(g, cache)               # g (N, out)

Any further axes of X, as in (N, T, in), count as more samples.
"""

from __future__ import annotations

import numpy as np

from ..arrays import floats
from ..autodiff import op
from .place import FEW, SMALL, into, ones, product, row_parts, rows_product, shared_out
from .threads import each, quick_if_small


def check_dense(X, W, b):
    if W.ndim != 2 or X.ndim == 0 or X.shape[-1] != W.shape[0]:
        advice = "try W.T" if W.ndim == 2 and X.shape[-1:] == W.shape[1:] else "W is (in, out), X is (..., in)"
        raise ValueError(f"dense: X {X.shape} and W {W.shape} do not fit; {advice}.")
    if b is not None and b.shape != W.shape[1:]:
        raise ValueError(f"dense: expected b of shape {W.shape[1:]} for W {W.shape}, got {b.shape}.")


def dense_forward(X, W, b=None):
    """Y = X W + b     X (..., in), W (in, out), b (out,) -> Y (..., out)"""
    check_dense(X, W, b)
    Y = floats(rows_product(rows(X), W))
    if b is not None:
        Y = into(Y, np.add, Y, b) if b.dtype == Y.dtype else Y + b
    return Y if X.ndim == 2 else Y.reshape(*X.shape[:-1], W.shape[1]), {"X": X, "W": W}


def rows(X):
    """(..., in) -> (samples, in), since one large product is faster than several small ones"""
    return X if X.ndim == 2 else X.reshape(-1, X.shape[-1])


def dense_dX(g, cache, out=None):
    """dL/dX = g W^T"""
    W, r = cache["W"], rows(g)
    Wt = W.T.copy() if copied(len(r), *W.shape) else W.T
    return np.matmul(g, Wt, out=out) if out is not None else rows_product(r, Wt).reshape(*g.shape[:-1], len(W))


def copied(N, K, M):
    """Whether BLAS takes longer for g (N, M) times the transposed W (K, M) than for a copy in order and making it"""
    return quick_if_small() and K * M <= 1 << 15 and (8 <= N <= 64 or row_parts(N, M, K) > 1)


def fast_dX(g, cache, out=None):
    """dense_dX; for few rows BLAS takes longer with a transposed W than with g turned round, and the product back"""
    W, r = cache["W"], rows(g)
    if out is not None or not sooner_turned(len(r), *W.shape):
        return dense_dX(g, cache, out)
    dX = (W @ r.T.copy()).T.copy() if W.size * len(r) <= SMALL else turned_in_parts(W, r)
    return dX.reshape(*g.shape[:-1], len(W))


def sooner_turned(N, K, M):
    """Whether it does, for g (N, M) and W (K, M)"""
    return 8 <= N <= FEW and K * M >= 1 << 13 and (quick_if_small() or shared_out(N, M, K))


def turned_in_parts(W, g):
    """g W^T as (W g^T)^T, for so many rows of W at a time that the product is small, and turned while it is cached"""
    gt, shared = g.T.copy(), shared_out(len(g), *W.shape)
    if not type(W) is type(gt) is np.ndarray or not (shared or quick_if_small()):
        return (W @ gt).T.copy()
    dX, step = np.empty((len(g), len(W)), np.result_type(g, W)), max(1, SMALL // gt.size)

    def turn(i):
        dX[:, i : i + step] = (W[i : i + step] @ gt).T

    each(turn, range(0, len(W), step))
    return dX


def dense_dW(g, cache, out=None):
    """dL/dW = X^T g, summed over all samples"""
    X, g = rows(cache["X"]), rows(g)
    return X.T @ g if out is None else product(X.T, g, out)


def dense_db(g, cache, out=None):
    """dL/db = g, summed over all samples: a product with ones, which is faster than NumPy's sum over rows"""
    g = rows(g)
    return ones(len(g), g.dtype) @ g if out is None else np.matmul(ones(len(g), g.dtype), g, out=out)


def dense_backward(g, cache):
    """dL/dX = g W^T,  dL/dW = X^T g,  dL/db = sum g"""
    return dense_dX(g, cache), dense_dW(g, cache), dense_db(g, cache)


@op(dense_forward, dense_backward, inputs=3, each=(fast_dX, dense_dW, dense_db), fresh=True)
def dense(X, W, b=None):
    """The dense (fully connected, linear) layer Y = X W + b.

        dL/dX = g W^T       dL/dW = X^T g       dL/db = sum of g over all samples       (g = dL/dY)

    Args:
        X: inputs (..., in): (N, in), (N, T, in) or a single (in,). Whole numbers are promoted as NumPy does beside W:
            uint8 and float32 make float32, int64 and float32 float64.
        W: weights (in, out).
        b: biases (out,), or None for none.

    Returns:
        Y (..., out). `dense_backward` returns (dX, dW, db); its cache has `X` and `W`.

    Raises:
        ValueError: shapes that do not fit.

    Frameworks: MATLAB's `fullyconnect` computes W X + b, and PyTorch's `linear` X W^T + b, both with W (out, in).

    >>> print(dense(np.array([[1.0, 2.0]]), np.array([[1.0, 0.0, 3.0], [0.0, 1.0, 1.0]]), np.array([0.0, 0.0, 10.0])))
    [[ 1.  2. 15.]]
    """
    return dense_forward(X, W, b)[0]
