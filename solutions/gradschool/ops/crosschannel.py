"""Local response normalisation: each channel is divided by how strongly its neighbours answer at the same place, so
that the strongest stands out. It was made to follow a relu.

y = crosschannelnorm(relu(x), window=5)             # x (..., C) -> y (..., C)
"""

from __future__ import annotations

import numpy as np

from ..arrays import floats
from ..autodiff import op


def neighbours(C, window, dtype):
    """(C, C) with a one at [j, i] where channel j is in the window of channel i: floor((window - 1) / 2) before it,
    floor(window / 2) after it, cut off at the first and the last."""
    after = np.arange(C)[:, None] - np.arange(C)
    return ((after >= -((window - 1) // 2)) & (after <= window // 2)).astype(dtype)


def crosschannelnorm_forward(x, window, alpha=1e-4, beta=0.75, k=2.0):
    """y = x / (k + alpha ss / window)^beta, ss the sum of x^2 over the window"""
    if not isinstance(window, int | np.integer) or window < 1:
        raise ValueError(f"crosschannelnorm: expected a window of at least 1 channel, got {window!r}.")
    if x.ndim == 0:
        raise ValueError("crosschannelnorm: expected x (..., C), got a number; try x[None].")
    x = floats(x)
    B = neighbours(x.shape[-1], window, x.dtype)  # one product does all sums, and the derivative's with its transpose
    scale = k + alpha / int(window) * ((x * x) @ B)
    shrink = np.exp(-beta * np.log(scale))  # a fifth of the time of scale**-beta
    return x * shrink, {"x": x, "B": B, "scale": scale, "shrink": shrink, "rate": 2 * alpha * beta / int(window)}


def crosschannelnorm_backward(g, cache):
    """dL/dx_j = g_j d_j^-beta - 2 alpha beta / window x_j sum_i g_i x_i d_i^(-beta - 1), i whose windows hold j"""
    x, shrink = cache["x"], cache["shrink"]
    inner = (g * x * shrink / cache["scale"]) @ cache["B"].T
    return g * shrink - cache["rate"] * x * inner


@op(crosschannelnorm_forward, crosschannelnorm_backward)
def crosschannelnorm(x, window, alpha=1e-4, beta=0.75, k=2.0):
    """Divide each channel by a power of the mean square of the channels around it.

        y_i = x_i d_i^-beta,   d_i = k + alpha / window * sum of x_j^2 over the window of i
        dL/dx_j = g_j d_j^-beta - 2 alpha beta / window x_j * sum of g_i x_i d_i^(-beta - 1) over i whose windows hold j

    Args:
        x: (..., C).
        window: number of channels. Of an even window one more lies after the channel than before it; at the ends
            the window is cut off, but the sum is still divided by `window`.
        alpha, beta, k: strength, exponent, and what keeps small answers from being blown up; k > 0.

    Returns:
        y of x's shape and type. `crosschannelnorm_backward` returns dx; its cache has `x`, the windows `B` (C, C),
        `scale` = d, `shrink` = d^-beta, and `rate` = 2 alpha beta / window.

    Raises:
        ValueError: a window below 1.

    Frameworks: this is MATLAB's form and defaults. PyTorch has k = 1, and its even windows reach one channel further
    back instead; TensorFlow and the paper do not divide by the window.
    Source: Krizhevsky, Sutskever and Hinton, ImageNet Classification with Deep Convolutional Networks, 2012.

    >>> print(crosschannelnorm(np.array([3.0, 4.0, 12.0]), window=2, alpha=1.0).round(4))
    [0.4037 0.1468 0.4756]
    """
    return crosschannelnorm_forward(x, window, alpha, beta, k)[0]
