"""Batch normalisation: every channel gets mean 0 and variance 1 over the batch, then a scale and a shift it learns.
What batches were like is kept in running averages, which stand in for the batch when there is none any more.

    y, mean, var = batchnorm(x, gamma, beta, mean, var, training=True)      # x (N, C), (N, T, C) or (N, H, W, C)
    y, _, _ = batchnorm(x, gamma, beta, mean, var)                          # afterwards: a fixed scale and shift
"""

from __future__ import annotations

import numpy as np

from ..arrays import floats
from ..autodiff import op
from ..ranges import check_range
from .place import number, ones


def channels_of(x, gamma, beta, mean, var):
    """x as floats in rows, gamma and beta in its type, and k, how many rows stand in one, once all shapes fit."""
    if x.ndim < 2:
        raise ValueError(f"batchnorm: expected x (N, ..., C), got shape {x.shape}; for one sample try x[None].")
    C = x.shape[-1:]
    for name, v in (("gamma", gamma), ("beta", beta), ("mean", mean), ("var", var)):
        if v is not None and v.shape != C:
            raise ValueError(f"batchnorm: expected {name} of shape {C} for x {x.shape}, got {v.shape}.")
    x = floats(x)
    m = x.size // max(C[0], 1)
    k = side_by_side(m, C[0])
    return x.reshape(m // k, k * C[0]), gamma.astype(x.dtype, copy=False), beta.astype(x.dtype, copy=False), k


# ------------------------------------------------------------------------------------- sums and vectors over the rows
def side_by_side(m, C):
    """How many of m rows of C numbers to take as one: NumPy adds a vector to many short rows at half its speed."""
    k = 1
    while k * C < 256 and m % (2 * k) == 0 and m // k > 500:
        k *= 2
    return k


def over_rows(v, k):
    """A vector (C,) for rows that are k of those: (k C,)"""
    return v if k == 1 else np.reshape(np.repeat(v[None], k, axis=0), -1)


def summed_rows(x, k, out=None, weight=1):
    """The sum over all rows, of which k stand in one: (rows, k C) -> (C,); by products with ones, for speed."""
    if k == 1:
        return np.matmul(ones(len(x), x.dtype, weight), x, out=out)
    return np.matmul(ones(k, x.dtype), (ones(len(x), x.dtype, weight) @ x).reshape(k, -1), out=out)


def mean_of_rows(x, k):
    """The mean over all rows, of which k stand in one: (rows, k C) -> (C,)"""
    return summed_rows(x, k, weight=1 / (len(x) * k))


# ------------------------------------------------------------------------------------------------------------ training
def averaged(old, new, momentum):
    """The running average momentum old + (1 - momentum) new, with one product less; new where nothing is old"""
    if old is None:
        return new
    moved = new - old
    moved *= number(float(1 - momentum), moved.dtype)
    moved += old
    return moved


def normalised_by_batch(x, gamma, beta, mean, var, momentum, eps, unbiased):
    """(y, mean, var) of training and the cache."""
    rows, gamma, beta, k = channels_of(x, gamma, beta, mean, var)
    m = len(rows) * k
    if not m:
        raise ValueError(f"batchnorm: x {x.shape} has no sample to take the statistics of; skip empty batches.")
    mu = mean_of_rows(rows, k)
    d = rows - over_rows(mu, k)
    y = d * d
    s2 = mean_of_rows(y, k)
    r = s2 + number(float(eps), s2.dtype)
    np.reciprocal(np.sqrt(r, out=r), out=r)
    a = gamma * r
    np.multiply(d, over_rows(a, k), out=y)
    np.add(y, over_rows(beta, k), out=y)
    bessel = m / max(m - 1, 1) if unbiased else 1.0
    old = [0.0 if v is None else momentum for v in (mean, var)]  # with nothing old, the new is all there is
    new_mean, new_var = averaged(mean, mu, momentum), averaged(var, s2 * bessel if unbiased else s2, momentum)
    cache = {"d": d, "r": r, "a": a, "k": k, "old": old, "bessel": bessel, "training": True}
    return (y.reshape(x.shape), new_mean, new_var), cache


def training_gradients(g, cache, which, out):
    """dL/dx = a (g + b d + c), where b and c stand for what x does to the variance and the mean of the batch"""
    gy, gmean, gvar = g
    d, r, a, k, (old_mean, old_var) = cache["d"], cache["r"], cache["a"], cache["k"], cache["old"]
    rows, m = gy.reshape(d.shape), len(d) * k
    t = rows * d
    dgamma = np.multiply(r, summed_rows(t, k), out=out.get(1))
    dbeta = summed_rows(rows, k, out.get(2))
    found = {1: dgamma, 2: dbeta}
    if 3 in which or 4 in which:
        found[3] = np.zeros_like(r) if gmean is None else old_mean * gmean
        found[4] = np.zeros_like(r) if gvar is None else old_var * gvar
    if 0 in which:
        minus_m = number(-m, d.dtype)
        np.multiply(d, over_rows(r * dgamma / minus_m, k), out=t)
        np.add(t, over_rows(dbeta / minus_m, k), out=t)
        np.add(t, rows, out=t)
        np.multiply(t, over_rows(a, k), out=t)
        if gmean is not None and np.count_nonzero(gmean):  # most often nothing comes of the statistics
            t += over_rows((1 - old_mean) / m * gmean, k)
        if gvar is not None and np.count_nonzero(gvar):
            t += d * over_rows((1 - old_var) * cache["bessel"] * 2 / m * gvar, k)
        found[0] = t.reshape(gy.shape)
    return found


# ----------------------------------------------------------------------------------------------------------- inference
def normalised_by_running(x, gamma, beta, mean, var, eps):
    """(y, mean, var) of inference and the cache."""
    if mean is None or var is None:
        raise ValueError("batchnorm: expected mean and var, which inference normalises by; or try training=True.")
    rows, gamma, beta, k = channels_of(x, gamma, beta, mean, var)
    d = rows - over_rows(mean.astype(rows.dtype, copy=False), k)
    r = 1 / np.sqrt(var.astype(rows.dtype, copy=False) + eps)
    a = gamma * r
    y = d * over_rows(a, k)
    np.add(y, over_rows(beta, k), out=y)
    results = y.reshape(x.shape), floats(mean), floats(var)
    return results, {"d": d, "r": r, "a": a, "k": k, "training": False}


def inference_gradients(g, cache, which, out):
    """dL/dx = a g: the statistics are constants here"""
    gy, gmean, gvar = g
    d, r, a, k = cache["d"], cache["r"], cache["a"], cache["k"]
    rows = gy.reshape(d.shape)
    dgamma = np.multiply(r, summed_rows(rows * d, k), out=out.get(1))
    dbeta = summed_rows(rows, k, out.get(2))
    gmean, gvar = 0 if gmean is None else gmean, 0 if gvar is None else gvar
    found = {1: dgamma, 2: dbeta, 3: gmean - a * dbeta, 4: gvar - 0.5 * a * r * dgamma}
    return found | ({0: (rows * over_rows(a, k)).reshape(gy.shape)} if 0 in which else {})


# ---------------------------------------------------------------------------------------------------------------- both
def batchnorm_forward(
    x, gamma, beta, mean=None, var=None, training=False, momentum=0.9, eps=1e-5, unbiased_running=False
):
    """y = gamma (x - mu) / sqrt(s2 + eps) + beta, with the batch's mu and s2 in training, else the running ones"""
    if not (0 <= momentum <= 1 and eps >= 0):
        check_range("batchnorm", "momentum", momentum, high=1)
        check_range("batchnorm", "eps", eps)
    if training:
        return normalised_by_batch(x, gamma, beta, mean, var, momentum, eps, unbiased_running)
    return normalised_by_running(x, gamma, beta, mean, var, eps)


def batchnorm_gradients(g, cache, which, out=None):
    """{i: gradient of argument i} for those in `which`; g is that of (y, mean, var), or of y alone; `out` has memory
    for those of gamma and beta"""
    # None and not zeros: in a deep network, making and looking at them takes as long as a pass over a small batch
    g = g if isinstance(g, tuple) else (g, None, None)
    return (training_gradients if cache["training"] else inference_gradients)(g, cache, which, out or {})


def batchnorm_plain(
    x, gamma, beta, mean=None, var=None, training=False, momentum=0.9, eps=1e-5, unbiased_running=False
):
    """(y, mean, var) as the equations have it, for derivatives of derivatives: the fast form works in place"""
    mu, s2 = mean, var
    if training:
        axes, m = tuple(range(x.ndim - 1)), x.size // x.shape[-1]
        mu = np.mean(x, axis=axes)
        s2 = np.mean((x - mu) ** 2, axis=axes)
        spread = s2 * (m / max(m - 1, 1)) if unbiased_running else s2
        mean = mu if mean is None else momentum * mean + (1 - momentum) * mu
        var = spread if var is None else momentum * var + (1 - momentum) * spread
    return gamma * (x - mu) / np.sqrt(s2 + eps) + beta, mean, var  # type: ignore[operator]


def batchnorm_backward(g, cache):
    """dL/dx = gamma r (g - mean(g) - xhat mean(g xhat)),  dL/dgamma = sum g xhat,  dL/dbeta = sum g"""
    gradients = batchnorm_gradients(g, cache, range(5))
    return tuple(gradients[i] for i in range(5))


@op(
    batchnorm_forward,
    batchnorm_backward,
    inputs=5,
    some=batchnorm_gradients,
    fills=(1, 2),
    plain=batchnorm_plain,
    fresh=True,
)
def batchnorm(x, gamma, beta, mean=None, var=None, training=False, momentum=0.9, eps=1e-5, unbiased_running=False):
    """Normalise every channel over all samples and places, then scale and shift it.

        xhat = (x - mu) r,   r = 1 / sqrt(s2 + eps),   y = gamma xhat + beta
        training    mu, s2 are mean and variance of the batch (its mean square deviation, divided by m, not m - 1)
                    mean <- momentum mean + (1 - momentum) mu,   var <- momentum var + (1 - momentum) s2
                    dL/dx = gamma r (g - mean(g) - xhat mean(g xhat))
        inference   mu, s2 are the running mean and var, which stay what they are;   dL/dx = gamma r g
        both        dL/dgamma = sum of g xhat      dL/dbeta = sum of g         over all m samples and places

    Args:
        x: (N, C), (N, T, C), (N, H, W, C), ...; m is the product of all sizes but C.
        gamma, beta: scale and shift (C,).
        mean, var: running statistics (C,), to begin with 0 and 1. Training without them returns the batch's own.
        training: normalise by the batch and update the statistics, or normalise by the statistics.
        momentum: the fraction of the running statistics that is kept.
        eps: keeps the root from zero.
        unbiased_running: the running variance takes m / (m - 1) s2; y does not.

    Returns:
        (y, mean, var), y of x's shape and type; no argument is changed. Derivatives pass through all three results:
        put `stop_gradient` around statistics that go into another call within the same loss.
        `batchnorm_backward` takes g = dL/dy, or (dL/dy, dL/dmean, dL/dvar), and returns the gradients of the first
        five arguments. Its cache has `d` = x - mu (m / k, k C), that is with `k` rows side by side, `r`, `a` = gamma
        r, `training`, and of training `old`, the weights of the old statistics, and `bessel`, the factor of s2.

    A batch of one has no spread: its y is beta, with gradient 0.

    Raises:
        ValueError: vectors that do not fit x; inference without statistics; training on an empty batch, which has
            no mean (inference takes it).

    Frameworks: momentum is 0.99 in Keras, where eps is 1e-3; PyTorch and MATLAB call 1 - momentum so, 0.1. PyTorch's
    running variance is the unbiased one, and it refuses to train on a batch of one.
    Source: Ioffe and Szegedy, Batch Normalization, 2015.

    >>> x = np.array([[1.0, 10.0], [2.0, 30.0], [3.0, 50.0]])
    >>> y, mean, var = batchnorm(x, np.ones(2), np.zeros(2), np.zeros(2), np.ones(2), training=True)
    >>> print(y.round(3).tolist(), mean.round(2), var.round(2))
    [[-1.225, -1.225], [0.0, 0.0], [1.225, 1.225]] [0.2 3. ] [ 0.97 27.57]
    """
    return batchnorm_forward(x, gamma, beta, mean, var, training, momentum, eps, unbiased_running)[0]
