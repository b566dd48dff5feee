"""The relatives of batch normalisation, which look at one sample alone, in the form in which one writes them first.

    y = layernorm(x, gamma, beta)                       # all channels of a sample, at each place apart
    y = groupnorm(x, gamma, beta, groups=8)             # C / 8 channels, at all places
    y = instancenorm(x, gamma, beta)                    # one channel, at all places
    y = local_response_norm(x, window=5)                # divided by how strongly the channels around answer

The library's own forms, with derivatives, are in `gradschool.ops.norm` and `gradschool.ops.crosschannel`.
"""

from __future__ import annotations

import numpy as np

__all__ = ["groupnorm", "instancenorm", "layernorm", "local_response_norm"]


def standardised(x, axes, eps):
    """(x - mu) / sqrt(s2 + eps), with mean mu and variance s2 over `axes`."""
    mu, s2 = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    return (x - mu) / np.sqrt(s2 + eps)


def layernorm(x, gamma, beta, axes: int | tuple[int, ...] = -1, eps=1e-5):
    """y = gamma (x - mu) / sqrt(s2 + eps) + beta, with mean mu and variance s2 over `axes` of each sample.

    x (N, ..., C); gamma, beta (C,); `axes` is -1, the channels at each place, or for instance (1, 2, 3), a whole image.
    Source: Ba, Kiros and Hinton, Layer Normalization, 2016.

    >>> print(layernorm(np.array([[1.0, 2.0, 6.0]]), np.ones(3), np.array([0.0, 0.0, 10.0])).round(4))
    [[-0.9258 -0.4629 11.3887]]
    """
    return gamma * standardised(x, axes, eps) + beta


def instancenorm(x, gamma, beta, eps=1e-5):
    """y = gamma (x - mu) / sqrt(s2 + eps) + beta, mu and s2 over all places of one channel of one sample.

    x (N, T, C), (N, H, W, C), ...; gamma, beta (C,). Where there is only one place, y is beta.
    Source: Ulyanov, Vedaldi and Lempitsky, Instance Normalization, 2016.

    >>> x = np.array([[[1.0, 10.0], [2.0, 50.0], [3.0, 30.0]]])
    >>> print(instancenorm(x, np.ones(2), np.zeros(2)).round(3).tolist())
    [[[-1.225, -1.225], [0.0, 1.225], [1.225, 0.0]]]
    """
    return gamma * standardised(x, tuple(range(1, x.ndim - 1)), eps) + beta


def groupnorm(x, gamma, beta, groups, eps=1e-5):
    """y = gamma (x - mu) / sqrt(s2 + eps) + beta, mu and s2 over all places and the channels of one group.

    x (N, ..., C); gamma, beta (C,). Channels 0 to C / groups - 1 are the first group. Raises ValueError where `groups`
    does not divide C. Source: Wu and He, Group Normalization, 2018.

    >>> print(groupnorm(np.array([[1.0, 3.0, 10.0, 50.0]]), np.ones(4), np.zeros(4), groups=2).round(3))
    [[-1.  1. -1.  1.]]
    """
    C = x.shape[-1]
    if C % groups:
        raise ValueError(f"groupnorm: {groups} groups cannot share {C} channels evenly; try a divisor of {C}")
    grouped = x.reshape(len(x), -1, groups, C // groups)  # sample, place, group, channel of the group
    return gamma * standardised(grouped, (1, 3), eps).reshape(x.shape) + beta


def local_response_norm(x, window, alpha=1e-4, beta=0.75, k=2.0):
    """y_i = x_i / (k + alpha / window * ss_i)^beta, ss_i the sum of x_j^2 over the window of channel i.

    x (..., C). The window has floor((window - 1) / 2) channels before i and floor(window / 2) after it, and is cut off
    at the ends. Source: Krizhevsky, Sutskever and Hinton, 2012; the division by `window` is MATLAB's and PyTorch's.

    >>> print(local_response_norm(np.array([3.0, 4.0, 12.0]), window=2, alpha=1.0).round(4))
    [0.4037 0.1468 0.4756]
    """
    y = np.empty_like(x)
    for i in range(x.shape[-1]):
        near = x[..., max(i - (window - 1) // 2, 0) : i + window // 2 + 1]
        y[..., i] = x[..., i] / (k + alpha / window * (near**2).sum(axis=-1)) ** beta
    return y
