"""Normalisation of each sample by itself: numbers that belong together get mean 0 and variance 1, then every channel
a scale and a shift that are learned. No sample sees another, so nothing need be remembered, and training is no case.

    y = layernorm(x, gamma, beta)                       # all channels of a sample, at each place apart
    y = layernorm(x, gamma, beta, axes=(1, 2, 3))       # all channels at all places of an image (N, H, W, C)
    y = groupnorm(x, gamma, beta, groups=8)             # C / 8 channels at all places
    y = instancenorm(x, gamma, beta)                    # a channel at all places
"""

from __future__ import annotations

import numpy as np

from ..arrays import floats
from ..autodiff import op
from .batchnorm import summed_rows
from .place import into


# ------------------------------------------------------------------------------------- rows that are normalised alone
def rows_over(x, axes):
    """x as a matrix whose rows run over `axes`; a view where these are the last ones."""
    rest = [i for i in range(x.ndim) if i not in axes]
    count = int(np.prod([x.shape[i] for i in rest], dtype=int))
    length = int(np.prod([x.shape[i] for i in axes], dtype=int))
    return x.transpose((*rest, *axes)).reshape(count, length)


def back_from_rows(rows, axes, shape):
    """The inverse of `rows_over` for an x of this shape."""
    rest = [i for i in range(len(shape)) if i not in axes]
    order = [*rest, *axes]
    return rows.reshape([shape[i] for i in order]).transpose([order.index(i) for i in range(len(shape))])


def row_means(x):
    """(R, K) -> (R, 1), as a product with ones, which is several times faster than np.mean."""
    return (x @ np.ones((x.shape[1], 1), x.dtype)) / x.shape[1]


def standardised(rows, eps):
    """(xhat, r): rows of mean 0 and variance 1, and the inverse r (R, 1) of the standard deviations."""
    xhat = rows - row_means(rows)
    r = 1 / np.sqrt(row_means(xhat * xhat) + eps)
    return into(xhat, np.multiply, xhat, r), r


def standardised_backward(g, xhat, r):
    """r (g - mean(g) - xhat mean(g xhat))"""
    t = g * xhat
    t = into(t, np.multiply, xhat, row_means(t))
    t = into(t, np.subtract, g, t)
    t = into(t, np.subtract, t, row_means(g))
    return into(t, np.multiply, t, r)


# ----------------------------------------------------------------------------------------------------- scale and shift
def scale_and_shift(name, x, gamma, beta):
    """x as floats, gamma and beta in its type, once they have the shape of x's last axis, or axes."""
    if gamma.ndim == 0 or gamma.shape != x.shape[x.ndim - gamma.ndim :]:
        raise ValueError(f"{name}: expected gamma of shape {x.shape[-1:]} for x {x.shape}, got {gamma.shape}.")
    if beta.shape != gamma.shape:
        raise ValueError(f"{name}: expected beta of gamma's shape {gamma.shape}, got {beta.shape}.")
    x = floats(x)
    return x, gamma.astype(x.dtype, copy=False), beta.astype(x.dtype, copy=False)


def summed_to(v, g):
    """The sum of g over the leading axes that v does not have, in v's shape"""
    return summed_rows(g.reshape(-1, v.size), 1).reshape(v.shape)


def normalise(x, gamma, beta, axes, eps, view):
    """gamma xhat + beta, where x is normalised in the shape `view`, over `axes` of that."""
    xhat, r = standardised(rows_over(x.reshape(view), axes), eps)
    whole = back_from_rows(xhat, axes, view).reshape(x.shape)
    y = whole * gamma
    return into(y, np.add, y, beta), {"xhat": whole, "r": r, "gamma": gamma, "axes": axes, "view": view}


def normalise_backward(g, cache):
    """dL/dx, dL/dgamma, dL/dbeta"""
    xhat, r, gamma, axes, view = (cache[k] for k in ("xhat", "r", "gamma", "axes", "view"))
    dgamma, dbeta = summed_to(gamma, g * xhat), summed_to(gamma, g)
    h, xhat = (rows_over(a.reshape(view), axes) for a in (g * gamma, xhat))
    dx = back_from_rows(standardised_backward(h, xhat, r), axes, view)
    return dx.reshape(g.shape), dgamma, dbeta


# ----------------------------------------------------------------------------------------------- which belong together
def layernorm_forward(x, gamma, beta, axes=-1, eps=1e-5):
    """y = gamma (x - mu) / sqrt(s2 + eps) + beta, mu and s2 over `axes` of each sample"""
    x, gamma, beta = scale_and_shift("layernorm", x, gamma, beta)
    axes = (axes,) if isinstance(axes, int) else tuple(axes)
    if not axes or any(not -x.ndim <= a < x.ndim for a in axes):
        raise ValueError(f"layernorm: x {x.shape} has no axes {axes}; try axes=-1.")
    axes = tuple(sorted({a % x.ndim for a in axes}))
    if axes[0] == 0 and x.ndim > 1:
        raise ValueError(f"layernorm: axes {axes} of x {x.shape} mix samples; leave 0 out, or use batchnorm.")
    return normalise(x, gamma, beta, axes, eps, x.shape)


def layernorm_backward(g, cache):
    """dL/dx = r (h - mean(h) - xhat mean(h xhat)) with h = gamma g,  dL/dgamma = sum g xhat,  dL/dbeta = sum g"""
    return normalise_backward(g, cache)


@op(layernorm_forward, layernorm_backward, inputs=3)
def layernorm(x, gamma, beta, axes=-1, eps=1e-5):
    """Normalise each sample over its channels, or over other axes, then scale and shift.

        xhat = (x - mu) r,   r = 1 / sqrt(s2 + eps),   y = gamma xhat + beta      mu, s2: mean and variance over `axes`
        dL/dx = r (h - mean(h) - xhat mean(h xhat)),   h = gamma g
        dL/dgamma = sum of g xhat      dL/dbeta = sum of g         over the axes that gamma does not have

    Args:
        x: (N, ..., C), or a single sample (C,).
        gamma, beta: (C,), or the shape of several last axes of x: a number for every place.
        axes: what belongs together: -1 the channels at each place (for sequences), (1, 2, 3) a whole image.
        eps: keeps the root from zero.

    Returns:
        y of x's shape and type. `layernorm_backward` returns (dx, dgamma, dbeta); its cache has `xhat` of x's shape,
        `r` (rows, 1), `gamma`, `axes` and the shape `view` that these refer to.

    Raises:
        ValueError: gamma or beta that do not fit; axes that x does not have, or that contain the batch axis.

    Frameworks: PyTorch gives gamma the shape of all normalised axes, MATLAB that of the channels; eps is 1e-3 in Keras.
    Source: Ba, Kiros and Hinton, Layer Normalization, 2016.

    >>> print(layernorm(np.array([[1.0, 2.0, 6.0]]), np.ones(3), np.array([0.0, 0.0, 10.0])).round(4))
    [[-0.9258 -0.4629 11.3887]]
    """
    return layernorm_forward(x, gamma, beta, axes, eps)[0]


def groupnorm_forward(x, gamma, beta, groups, eps=1e-5):
    """y = gamma (x - mu) / sqrt(s2 + eps) + beta, mu and s2 over all places and the channels of a group"""
    x, gamma, beta = scale_and_shift("groupnorm", x, gamma, beta)
    if x.ndim < 2 or gamma.ndim != 1:
        raise ValueError(f"groupnorm: expected x (N, ..., C) and gamma (C,), got {x.shape} and {gamma.shape}.")
    C = x.shape[-1]
    G = {"all-channels": 1, "channel-wise": C}.get(groups, groups)
    if not isinstance(G, int | np.integer) or G < 1 or C % G:
        raise ValueError(
            f"groupnorm: x {x.shape} has {C} channels, which {groups!r} groups cannot share evenly; "
            'try a divisor, "all-channels" or "channel-wise".'
        )
    places = int(np.prod(x.shape[1:-1], dtype=int))
    return normalise(x, gamma, beta, (1, 3), eps, (len(x), places, int(G), C // int(G)))


def groupnorm_backward(g, cache):
    """dL/dx = r (h - mean(h) - xhat mean(h xhat)) with h = gamma g,  dL/dgamma = sum g xhat,  dL/dbeta = sum g"""
    return normalise_backward(g, cache)


@op(groupnorm_forward, groupnorm_backward, inputs=3)
def groupnorm(x, gamma, beta, groups, eps=1e-5):
    """Normalise groups of neighbouring channels of each sample over all places, then scale and shift every channel.

        y = gamma xhat + beta,  xhat = (x - mu) r,  mu and 1/r from the C / groups channels of a group at all places
        dL/dx = r (h - mean(h) - xhat mean(h xhat)),   h = gamma g,   means over the same
        dL/dgamma = sum of g xhat      dL/dbeta = sum of g         over all samples and places

    Args:
        x: (N, ..., C).
        gamma, beta: scale and shift (C,).
        groups: how many; "all-channels" for 1, which is layernorm over all axes but the batch, "channel-wise" for C,
            which is instancenorm. Channels 0 to C / groups - 1 are the first group.
        eps: keeps the root from zero.

    Returns:
        y of x's shape and type. `groupnorm_backward` returns (dx, dgamma, dbeta); its cache is that of layernorm, with
        `view` (N, places, groups, C / groups).

    Raises:
        ValueError: gamma or beta that do not fit, groups that do not divide the channels.

    Frameworks: eps is 1e-3 in Keras. Source: Wu and He, Group Normalization, 2018.

    >>> x = np.array([[1.0, 3.0, 10.0, 50.0]])
    >>> print(groupnorm(x, np.ones(4), np.zeros(4), groups=2).round(3))
    [[-1.  1. -1.  1.]]
    """
    return groupnorm_forward(x, gamma, beta, groups, eps)[0]


def instancenorm_forward(x, gamma, beta, eps=1e-5):
    """y = gamma (x - mu) / sqrt(s2 + eps) + beta, mu and s2 over all places of a channel"""
    x, gamma, beta = scale_and_shift("instancenorm", x, gamma, beta)
    if x.ndim < 3 or gamma.ndim != 1:
        raise ValueError(
            f"instancenorm: expected x (N, ..., C) with places between, gamma (C,), got {x.shape}, {gamma.shape}."
        )
    return normalise(x, gamma, beta, tuple(range(1, x.ndim - 1)), eps, x.shape)


def instancenorm_backward(g, cache):
    """dL/dx = r (h - mean(h) - xhat mean(h xhat)) with h = gamma g,  dL/dgamma = sum g xhat,  dL/dbeta = sum g"""
    return normalise_backward(g, cache)


@op(instancenorm_forward, instancenorm_backward, inputs=3)
def instancenorm(x, gamma, beta, eps=1e-5):
    """Normalise each channel of each sample over all places, then scale and shift it: the contrast of an image goes.

    Equation, gradients, arguments and cache are those of `groupnorm` with as many groups as channels.

    Args:
        x: (N, T, C), (N, H, W, C), ...
        gamma, beta: scale and shift (C,).
        eps: keeps the root from zero.

    Returns:
        y of x's shape and type; where there is only one place, y is beta, whatever x was.

    Raises:
        ValueError: gamma or beta that do not fit, x without places.

    Frameworks: PyTorch has gamma and beta only on request. Source: Ulyanov et al., Instance Normalization, 2016.

    >>> x = np.array([[[1.0, 10.0], [2.0, 50.0], [3.0, 30.0]]])
    >>> print(instancenorm(x, np.ones(2), np.zeros(2)).round(3).tolist())
    [[[-1.225, -1.225], [0.0, 1.225], [1.225, 0.0]]]
    """
    return instancenorm_forward(x, gamma, beta, eps)[0]
