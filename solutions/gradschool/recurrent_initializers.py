"""What networks for sequences start from: a matrix that turns a state without changing its length, a memory that does
not forget at first, small vectors for words; and the default of PyTorch's layers, to begin where its networks begin.

    R = orthogonal((64, 4 * 64), rng)               # recurrent weights of an LSTM
    b = unit_forget_gate(64)                        # its bias
    W = narrow_normal((10_000, 64), rng)            # an embedding
    W = kaiming_uniform((300, 100), rng)            # what torch.nn.Linear(300, 100) draws
"""

from __future__ import annotations

import math

import numpy as np

from .chance import drawing
from .initializers import variance_scaling

__all__ = ["kaiming_uniform", "narrow_normal", "orthogonal", "unit_forget_gate"]

SQRT_5 = math.sqrt(5)


@drawing
def orthogonal(shape, rng, gain=1.0, dtype: type = np.float64):
    """A random matrix with orthonormal columns, or rows if there are fewer of them, times `gain`.

    All its singular values are `gain`, so a signal that runs through it again and again neither explodes nor fades.
    A shape with more axes is taken as (all but the last, last).

    Raises ValueError for fewer than two axes.
    Source: Saxe, McClelland and Ganguli 2014; uniform over all such matrices, as in Keras and PyTorch.

    >>> R = orthogonal((3, 12), np.random.default_rng(0))
    >>> np.allclose(R @ R.T, np.eye(3))
    True
    """
    if len(shape) < 2:
        raise ValueError(f"orthogonal: expected a shape with two axes or more, got {shape}")
    rows, columns = math.prod(shape[:-1]), shape[-1]
    Q, R = np.linalg.qr(rng.normal(size=(max(rows, columns), min(rows, columns))))
    Q = Q * np.where(np.diag(R) < 0, -1, 1)  # QR fixes signs by its algorithm; so they are as random as the rest
    return (gain * (Q if rows >= columns else Q.T)).reshape(shape).astype(dtype)


def unit_forget_gate(units, dtype: type = np.float64):
    """The bias (4 units,) of an LSTM with the gates i, f, g, o: 1 for the forget gate f, else 0.

    The gate then starts near sigmoid(1) = 0.73, so the memory lasts for a few steps before anything is learned.
    Source: Gers et al. 2000, Jozefowicz et al. 2015; the default of Keras and MATLAB, not of PyTorch.

    >>> unit_forget_gate(2).tolist()
    [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    """
    return np.repeat(np.array([0, 1, 0, 0], dtype), units)


@drawing
def narrow_normal(shape, rng, std=0.01, dtype: type = np.float64):
    """Normal numbers of mean 0 and deviation `std`, whatever the shape: for embeddings. Source: MATLAB.

    Raises TypeError for an rng that is no generator, such as a seed, ValueError for None.

    >>> bool(abs(narrow_normal((50, 20), np.random.default_rng(0))).max() < 0.05)
    True
    """
    return (std * rng.normal(size=shape)).astype(dtype)


def kaiming_uniform(shape, rng, a=SQRT_5, dtype: type = np.float64):
    """Uniform on ±√(6 / ((1 + a²) fan_in)): for leaky ReLU of slope a, keeps signals at their size.

    With the default a = √5 that is ±1/√fan_in, which PyTorch's `Linear` and `Conv` draw for historical reasons; it
    has a third of LeCun's variance. PyTorch draws the biases from the same range.

    Raises TypeError for an rng that is no generator, such as a seed, ValueError for None.
    Source: He et al. 2015; PyTorch's `kaiming_uniform_`.

    >>> bool(abs(kaiming_uniform((50, 20), np.random.default_rng(0))).max() <= 1 / np.sqrt(50))
    True
    """
    return variance_scaling(shape, 2 / (1 + a**2), "fan_in", "uniform", rng, dtype)
