"""What all losses share: L = 1/Z sum_j M_j W_j l(Y_j, T_j), and the checks that keep shapes from going wrong quietly.

    Y, T = paired("l2_loss", Y, T)
    W, Z = weighting("l2_loss", Y, reduction, normalization, mask, weights)     # W is M W of the formula
    loss = reduced(W * (Y - T) ** 2, reduction, Z)

The cache of each loss has `scale`, which is W / Z here.
"""

from __future__ import annotations

import numpy as np

from ..arrays import floats, outside, zeros_and_ones

TINY = 1e-30  # stands in for a probability of 0: its logarithm, its inverse and their products fit into float32


def paired(loss: str, Y: np.ndarray, T: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Prediction and target as floats of one dtype; shapes must be equal, since (N,) - (N, 1) would be (N, N)."""
    if Y.shape != T.shape:
        numbers = "T[..., 0]" if T.ndim == Y.ndim and T.shape[-1:] == (1,) else "T"
        advice = f"one_hot({numbers}, K) turns class numbers into such a target"
        if Y.size == T.size:
            advice = f"try T.reshape({Y.shape})"
        raise ValueError(f"{loss}: expected a target of the prediction's shape {Y.shape}, got {T.shape}; {advice}.")
    Y = floats(Y)
    return Y, T.astype(Y.dtype, copy=False)


def weighting(loss: str, Y: np.ndarray, reduction: str, normalization: str, mask, weights):
    """(M W, Z): M W is a number or an array that broadcasts against Y, Z is 1 for reduction "none"."""
    if Y.ndim == 0:
        raise ValueError(f"{loss}: expected a batch of predictions, got a single one; try Y[None] and T[None].")
    W = 1.0
    if weights is not None:
        weights = np.asarray(weights, Y.dtype)
        if not broadcasts(weights.shape, Y.shape):
            raise ValueError(f"{loss}: weights {weights.shape} do not broadcast against {Y.shape}; try {Y.shape[-1:]}.")
        W = W * weights
    if mask is not None:
        if not zeros_and_ones(np.asarray(mask)):
            raise ValueError(f"{loss}: expected a mask of zeros and ones; other factors are weights.")
        mask = np.asarray(mask, Y.dtype)
        if mask.shape != Y.shape[: mask.ndim]:
            raise ValueError(f"{loss}: expected a mask of shape {Y.shape} or its leading axes, got {mask.shape}.")
        W = W * mask.reshape(mask.shape + (1,) * (Y.ndim - mask.ndim))
    if reduction not in ("sum", "none"):
        raise ValueError(f'{loss}: expected reduction "sum" or "none", got {reduction!r}.')
    Z = divisor(loss, Y, normalization, mask)
    return W, Z if reduction == "sum" else 1


def broadcasts(shape: tuple[int, ...], against: tuple[int, ...]) -> bool:
    """Whether an array of this shape can be stretched to the other, without stretching the other."""
    tail = against[len(against) - len(shape) :]
    return len(shape) <= len(against) and all(n in (1, m) for n, m in zip(shape, tail, strict=True))


def divisor(loss: str, Y: np.ndarray, normalization: str, mask: np.ndarray | None) -> int:
    """Z, but 1 where it would be 0: the mean of nothing is 0 here, not 0/0."""
    if normalization == "mask-included" and mask is None:
        raise ValueError(f'{loss}: normalization "mask-included" needs a mask; try "all-elements".')
    sizes = {
        "batch-size": Y.shape[0],
        "all-elements": Y.size,
        "mask-included": 0 if mask is None else int(np.count_nonzero(mask)),
        "none": 1,
    }
    if normalization not in sizes:
        raise ValueError(f"{loss}: expected normalization to be one of {list(sizes)}, got {normalization!r}.")
    return max(sizes[normalization], 1)


def reduced(elements: np.ndarray, reduction: str, Z: int):
    if reduction == "none":
        return elements
    return (np.sum(elements) / Z).astype(elements.dtype)  # NumPy 1 divides a float32 number as float64


def check_probabilities(loss: str, P: np.ndarray) -> None:
    if outside(P, 0, 1.001):  # the slack is rounding in half precision
        raise ValueError(
            f"{loss}: expected probabilities between 0 and 1; scores go into softmax or sigmoid first, or right into "
            "softmax_cross_entropy(scores, one_hot(y, K)), where no logarithm of a 0 can arise."
        )


def check_labels(loss: str, P: np.ndarray, y: np.ndarray) -> int:
    """The number of classes, once y is known to hold class numbers that fit P."""
    K = P.shape[-1]
    if y.dtype.kind not in "iu":
        raise TypeError(f"{loss}: expected integer class numbers, got {y.dtype}; try y.astype(int), or cross_entropy.")
    if y.shape != P.shape[:-1]:
        raise ValueError(f"{loss}: expected y of shape {P.shape[:-1]} for P {P.shape}, got {y.shape}; try y.ravel().")
    if y.size and (y.min() < 0 or y.max() >= K):
        raise ValueError(f"{loss}: expected class numbers 0..{K - 1}, got {y.min()}..{y.max()}; count from 0.")
    return K


def class_weights(loss: str, weights, K: int) -> np.ndarray:
    weights = np.asarray(weights)
    if weights.shape != (K,):
        raise ValueError(f"{loss}: expected one weight for each of {K} classes, got shape {weights.shape}.")
    return weights
