"""What recurrent layers share: a state that each step of a sequence changes, and the bookkeeping around it.

    X, W, R, b = weights_of("lstm", X, W, R, b, gates=4)        # shapes checked, floats of one type
    h = first_state("lstm", "H0", H0, N, H, X.dtype)            # (N, H): zeros, one for all, or one for each
    valid = steps_valid("lstm", mask, N, T)                     # (N, T) of bools, or None if all steps count

Inside the ops time comes first and the batch last, so that the numbers of one step, and of one gate, lie together.
"""

from __future__ import annotations

import numpy as np

from ..arrays import floats, zeros_and_ones
from .place import LARGE, aligned, number


# --------------------------------------------------------------------------------------------------- what comes in
def weights_of(layer, X, W, R, b, gates):
    """Input, weights and bias as floats of one type, once their shapes fit; a bias of None is zero."""
    if X.ndim != 3:
        raise ValueError(f"{layer}: expected X (N, T, in), got {X.shape}; for one sequence try X[None].")
    if R.ndim != 2 or R.shape[1] != gates * R.shape[0]:
        raise ValueError(f"{layer}: expected R (H, {gates} H), got {R.shape}; try R.T if that is the other way round.")
    if W.shape != (X.shape[2], R.shape[1]):
        raise ValueError(
            f"{layer}: W {W.shape} does not fit X {X.shape} and R {R.shape}; expected ({X.shape[2]}, {R.shape[1]})."
        )
    b = np.zeros(R.shape[1:]) if b is None else b
    if b.shape != R.shape[1:]:
        raise ValueError(f"{layer}: expected b ({R.shape[1]},) for R {R.shape}, got {b.shape}.")
    X, W, R = floats(X), floats(W), floats(R)
    kind = np.result_type(X.dtype, W.dtype, R.dtype)
    X, W, R, b = (a.astype(kind, copy=False) for a in (X, W, R, b))
    return X, W, R, b


def first_state(layer, name, h, N, H, kind):
    """The state before the first step as (N, H)."""
    if h is None:
        return np.zeros((N, H), kind)
    if h.shape not in ((H,), (1, H), (N, H)):
        raise ValueError(f"{layer}: expected {name} ({H},) for all sequences or ({N}, {H}), got {h.shape}.")
    return np.broadcast_to(h.astype(kind), (N, H))


def steps_valid(layer, mask, N, T):
    """(N, T), true where a step counts, from such a mask or from lengths (N,); None if all of them do."""
    if mask is None:
        return None
    mask = np.asarray(mask)
    if mask.shape == (N,):
        mask = steps_within(layer, mask, T)
    if mask.shape != (N, T):
        raise ValueError(f"{layer}: expected a mask ({N}, {T}) of zeros and ones, or lengths ({N},), got {mask.shape}.")
    if not zeros_and_ones(mask):
        raise ValueError(
            f"{layer}: expected a mask of zeros and ones, one where a step counts; try mask == 0 or > -inf."
        )
    return None if mask.all() else mask.astype(bool)


def steps_within(layer, lengths, T):
    """(N, T), true for the first steps, as many as `lengths` (N,) say."""
    if lengths.dtype.kind not in "iuf" or np.any((lengths < 0) | (lengths > T) | (lengths % 1 != 0)):
        raise ValueError(f"{layer}: expected lengths from 0 to {T}, whole numbers, got {np.unique(lengths)}.")
    return np.arange(T) < lengths[:, None]


# ------------------------------------------------------------------------------------------------------ activations
def activated(name, z):
    """The activation called `name` of z."""
    if name == "tanh":
        return np.tanh(z)
    if name == "sigmoid":
        return 0.5 * np.tanh(0.5 * z) + 0.5
    if name == "softsign":
        return z / (1 + np.abs(z))
    if name == "relu":
        return np.maximum(z, 0)
    if name == "hard-sigmoid":
        return np.clip(z / 6 + 0.5, 0, 1)
    raise ValueError(f'expected "tanh", "softsign" or "relu", for gates "sigmoid" or "hard-sigmoid", got {name!r}.')


def activate(name, z, out):
    """out = the activation called `name` of z"""
    if name == "tanh":
        np.tanh(z, out=out)
    else:
        out[...] = activated(name, z)


def slope(name, y, out):
    """out = the derivative of an activation, from its value y"""
    if name == "tanh":
        np.multiply(y, y, out=out)
        np.subtract(number(1, out.dtype), out, out=out)
    elif name == "sigmoid":
        np.multiply(y, y, out=out)
        np.subtract(y, out, out=out)
    elif name == "softsign":
        out[...] = (1 - np.abs(y)) ** 2
    elif name == "relu":
        out[...] = y > 0
    else:
        np.divide((y > 0) & (y < 1), 6, out=out)


# ------------------------------------------------------------------------------------------- time first, batch last
def taped(X, h, valid):
    """What each step multiplies: (T + 1, in + 1 + H, N), with x_t, ones and h_{t-1} below each other.

    The ones make a bias a column of the weights, whether of x or of h. Of the states only the first is filled in.
    """
    N, T, D = X.shape
    S = aligned((T + 1, D + h.shape[1] + 1, N), X.dtype)
    S[:T, :D] = (X if valid is None else np.where(valid[:, :, None], X, 0)).transpose(1, 2, 0)  # padding may be nan
    S[:, D] = 1
    S[0, D + 1 :] = h.T
    return S


def kept(new, old, valid):
    """Put the old state (H, N) back, in place, for the sequences that have no step here."""
    np.copyto(new, old, where=~valid)


def time_blocks(T, size=10):
    """Ranges of steps, the last first: what a few steps make is summed up while it is still in cache."""
    return [range(max(0, end - size), end) for end in range(T, 0, -size)]


def worth_a_thread(weights, S):
    """Whether products with so many weights for a block of steps, of S (T + 1, K, N), are worth another thread"""
    blocks = time_blocks(len(S) - 1)
    return bool(blocks) and weights * len(blocks[0]) * S.shape[2] > LARGE


def over_time(a):
    """(T, K, N) -> (K, T N): of two such matrices d s^T is the sum over steps and sequences of their products"""
    T, K, N = a.shape
    return a.transpose(1, 0, 2).reshape(K, T * N)


def steps_used(gY):
    """Which steps have a cotangent at all: often the last one only, and adding zeros takes its time."""
    if gY.size and not any(gY.strides):  # one number, seen from everywhere, as for a result that nothing used
        return [bool(gY.flat[0])] * gY.shape[1]
    return gY.any(axis=(0, 2)).tolist()


def summed_to(d, h):
    """The gradient (N, H) of a first state in the shape that this had; None for none."""
    if h is None:
        return None
    return d if d.shape == h.shape else np.sum(d, axis=0).reshape(h.shape)
