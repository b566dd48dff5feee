"""Recurrent layers read a sequence step by step, and carry what they have seen in a state.

    Y, H = rnn(X, W, R, b)                              # X (N, T, in) -> Y (N, T, H), last state (N, H)
    Y, H, C = bidirectional(lstm, X, ahead, back)       # two readers, the second from the end
    y = last_valid(Y, lengths)                          # (N, H), the last step of each sequence

Here are the simplest one and what goes with all of them; `lstm` and `gru` have files of their own.
"""

from __future__ import annotations

import numpy as np

from ..autodiff import op
from .elementwise import tanh
from .recurrence import (
    activate,
    activated,
    first_state,
    kept,
    over_time,
    slope,
    steps_used,
    steps_valid,
    summed_to,
    taped,
    time_blocks,
    weights_of,
)


def rnn_plain(X, W, R, b=None, H0=None, mask=None, activation="tanh"):
    """The layer step after step, in functions that can be traced and be replaced."""
    X, W, R, b = weights_of("rnn", X, W, R, b, 1)
    N, T, H = *X.shape[:2], len(R)
    valid = steps_valid("rnn", mask, N, T)
    h = first_state("rnn", "H0", H0, N, H, X.dtype)
    act = tanh if activation == "tanh" else lambda a: activated(activation, a)
    Y = []
    for t in range(T):
        new = act(X[:, t] @ W + h @ R + b)
        h = new if valid is None else np.where(valid[:, t, None], new, h)
        Y.append(h)
    return np.stack(Y, axis=1) if Y else np.zeros((N, 0, H), X.dtype), h


def rnn_forward(X, W, R, b=None, H0=None, mask=None, activation="tanh"):
    """h_t = tanh(x_t W + h_{t-1} R + b)"""
    X, W, R, b = weights_of("rnn", X, W, R, b, 1)
    N, T, D, H = *X.shape, len(R)
    valid = steps_valid("rnn", mask, N, T)
    S = taped(X, first_state("rnn", "H0", H0, N, H, X.dtype), valid)
    A = np.concatenate([W, b[None], R]).T.copy()
    for t in range(T):
        activate(activation, A @ S[t], out=S[t + 1, D + 1 :])
        if valid is not None:
            kept(S[t + 1, D + 1 :], S[t, D + 1 :], valid[:, t])
    states = S[:, D + 1 :].transpose(2, 0, 1)
    cache = {"A": A, "S": S, "H0": H0, "valid": valid, "activation": activation}
    return (states[:, 1:], states[:, T]), cache


def rnn_some(g, cache, which):
    """Those gradients of `rnn_backward` whose positions are in `which`."""
    gY, gH = g
    A, S, valid = cache["A"], cache["S"], cache["valid"]
    (N, H), D = gH.shape, A.shape[1] - gH.shape[1] - 1
    R, dA, dX = A[:, -H:].T.copy(), np.zeros_like(A), np.empty((len(S) - 1, D, N), A.dtype)
    dh, used = gH.T.copy(), steps_used(gY)
    for steps in time_blocks(len(S) - 1):
        dZ = np.empty((len(steps), H, N), A.dtype)
        for t in reversed(steps):
            if used[t]:
                dh += gY[:, t].T
            past_dh = 0 if valid is None else dh * ~valid[:, t]  # of sequences that have no step here
            dz = dZ[t - steps.start]
            slope(cache["activation"], S[t + 1, -H:], out=dz)
            dz *= dh - past_dh
            dh = R @ dz + past_dh
        now = slice(steps.start, steps.stop)
        dA += over_time(dZ) @ over_time(S[now]).T
        if 0 in which:
            dX[now] = A[:, :D].T @ dZ
    dA = dA.T
    return dict(enumerate((dX.transpose(2, 0, 1), dA[:D], dA[D + 1 :], dA[D], summed_to(dh.T, cache["H0"]))))


def rnn_backward(g, cache):
    """dL/dX = dz W^T,  dL/dW = sum x^T dz,  dL/dR = sum h^T dz,  dL/db = sum dz, with dz from the last step back"""
    found = rnn_some(g, cache, range(5))
    return tuple(found[i] for i in range(5))


@op(rnn_forward, rnn_backward, inputs=5, some=rnn_some, plain=rnn_plain, parts=("tanh",), composed=rnn_plain)
def rnn(X, W, R, b=None, H0=None, mask=None, activation="tanh"):
    """The plain recurrent layer: the new state is a dense layer of input and old state.

        h_t = tanh(x_t W + h_{t-1} R + b)
        dz_t = tanh'(h_t) dL/dh_t      dL/dh_{t-1} += dz_t R^T      dL/dW, dL/dR, dL/db = sums of x^T dz, h^T dz, dz

    Gradients shrink or grow by R^T at every step, so it learns what lies a few steps back; `lstm` learns more.

    Args:
        X: sequences (N, T, in).
        W: input weights (in, H).
        R: recurrent weights (H, H).
        b: biases (H,), or None for none.
        H0: state before the first step, (N, H), or (H,) for all sequences; None for zeros.
        mask: (N, T) of zeros and ones, or lengths (N,). A step that does not count leaves the state as it is; what
            X holds there does not matter.
        activation: "tanh", "relu", "softsign", "sigmoid" or "hard-sigmoid".

    Returns:
        (Y, H): the states of all steps (N, T, H), and the last (N, H). `rnn_backward` takes a pair of cotangents
        and returns (dX, dW, dR, db, dH0); its cache has `A` (W, b and R as one matrix, one row a unit), `S` (x, ones
        and h of all steps, batch last), `valid` (the mask, or None), `H0` and `activation`.

    Raises:
        ValueError: shapes that do not fit, or an unknown activation.

    Frameworks: PyTorch has W and R transposed and two biases, which add up; Keras' `SimpleRNN` is this one.

    >>> print(rnn(np.ones((1, 3, 1)), np.ones((1, 1)), np.ones((1, 1)))[0].round(4).ravel())
    [0.7616 0.9427 0.9597]
    """
    return rnn_forward(X, W, R, b, H0, mask, activation)[0]


def bidirectional(layer, X, ahead, back, mask=None, merge="concat", **options):
    """Read the sequence from both ends: at each step one state knows what came before, the other what comes after.

    Args:
        layer: `rnn`, `lstm` or `gru`.
        X: sequences (N, T, in).
        ahead, back: dicts with `W`, `R`, and where wanted `b`, `H0`, `C0`, of the two readers.
        mask: (N, T) of zeros and ones, or lengths (N,): the second reader starts at the last step that counts.
        merge: "concat" for 2H numbers, those of the first reader first, or "sum" for H.
        options: what else the layer takes.

    Returns:
        What the layer returns, (Y, H) or (Y, H, C), each of both readers merged. H has the state of each reader at
        its own end; Y has in the padding the last state of the first reader and the initial one of the second.

    Raises:
        ValueError: another `merge`.

    >>> parts = {"W": np.ones((1, 1)), "R": np.ones((1, 1))}
    >>> print(bidirectional(rnn, np.array([[[0.0], [1.0], [0.0]]]), parts, parts)[0].round(4).tolist())
    [[[0.0, 0.642], [0.7616, 0.7616], [0.642, 0.0]]]
    """
    if merge not in ("concat", "sum"):
        raise ValueError(f'bidirectional: expected merge "concat" or "sum", got {merge!r}.')
    valid = steps_valid("bidirectional", mask, *X.shape[:2])
    turned = None if valid is None else valid[:, ::-1]  # padding then comes first, and leaves the state as it is
    first = layer(X, **ahead, mask=valid, **options)
    Y, *states = layer(X[:, ::-1], **back, mask=turned, **options)
    pairs = zip(first, (Y[:, ::-1], *states), strict=True)
    return tuple(np.concatenate(pair, axis=-1) if merge == "concat" else pair[0] + pair[1] for pair in pairs)


def last_valid(Y, mask=None):
    """The last step of each sequence that counts     Y (N, T, ...) -> (N, ...); zeros where none does.

    `mask` is (N, T) of zeros and ones, or lengths (N,), or None for all steps.

    Raises ValueError for a mask of another shape or with other numbers, and for lengths that are not from 0 to T.

    >>> print(last_valid(np.arange(6.0).reshape(2, 3, 1), np.array([2, 3])).ravel())
    [1. 5.]
    """
    N, T = Y.shape[:2]
    valid = steps_valid("last_valid", mask, N, T)
    if valid is None:
        return Y[:, -1] if T else np.zeros((N, *Y.shape[2:]), Y.dtype)
    last = T - 1 - np.argmax(valid[:, ::-1], axis=1)
    some = valid.any(axis=1).reshape(N, *[1] * (Y.ndim - 2))
    return np.where(some, Y[np.arange(N), last], 0)
