"""The LSTM: a recurrent layer with a memory c that is only added to and scaled down, so that gradients survive.

    Y, H, C = lstm(X, W, R, b)                          # X (N, T, in) -> Y (N, T, H), last states (N, H) and (N, H)
    Y, H, C = lstm(X, W, R, b, H0, C0, mask=lengths)    # carried on from states, sequences of different lengths
    dX, dW, dR, db, dH0, dC0 = lstm_backward((gY, gH, gC), cache)

Three gates between 0 and 1 say what enters the memory (i), what stays in it (f), and what of it shows (o).
"""

from __future__ import annotations

import functools

import numpy as np

from ..autodiff import op
from .elementwise import sigmoid, tanh
from .place import aligned, in_parts, number
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
    worth_a_thread,
)
from .threads import OneBeside


# ------------------------------------------------------------------------------------------------------ as it is told
def lstm_step(x, h, c, W, R, b, activation="tanh", gate_activation="sigmoid"):
    """i, f, o = sigmoid(x W + h R + b),  g = tanh(x W + h R + b),  c' = f c + i g,  h' = o tanh(c')

    x (N, in), h and c (N, H) -> h', c'
    """
    act = tanh if activation == "tanh" else lambda z: activated(activation, z)
    gate = sigmoid if gate_activation == "sigmoid" else lambda z: activated(gate_activation, z)
    z = x @ W + h @ R + b
    H = h.shape[1]
    i, f, g, o = gate(z[:, :H]), gate(z[:, H : 2 * H]), act(z[:, 2 * H : 3 * H]), gate(z[:, 3 * H :])
    c = f * c + i * g
    return o * act(c), c


def lstm_plain(X, W, R, b=None, H0=None, C0=None, mask=None, activation="tanh", gate_activation="sigmoid"):
    """The same layer step after step, in functions that can be traced and be replaced."""
    X, W, R, b = weights_of("lstm", X, W, R, b, 4)
    N, T, H = *X.shape[:2], len(R)
    valid = steps_valid("lstm", mask, N, T)
    h, c = first_state("lstm", "H0", H0, N, H, X.dtype), first_state("lstm", "C0", C0, N, H, X.dtype)
    Y = []
    for t in range(T):
        new_h, new_c = lstm_step(X[:, t], h, c, W, R, b, activation, gate_activation)
        if valid is not None:
            new_h, new_c = np.where(valid[:, t, None], new_h, h), np.where(valid[:, t, None], new_c, c)
        h, c = new_h, new_c
        Y.append(h)
    return np.stack(Y, axis=1) if Y else np.zeros((N, 0, H), X.dtype), h, c


# --------------------------------------------------------------------------------------------------- as it is computed
def lstm_rows(W, R, b):
    """W, R and b as one matrix (4H, in + 1 + H), its gates in the order o, i, f, g.

    So the three that are squashed alike lie together, and the three that the memory's gradient reaches.
    """
    D, H = len(W), len(R)
    A = aligned((4 * H, D + 1 + H), R.dtype)
    for rows, columns in ((A[:H], slice(3 * H, None)), (A[H:], slice(3 * H))):
        rows[:, :D], rows[:, D], rows[:, D + 1 :] = W[:, columns].T, b[columns], R[:, columns].T
    return A


def lstm_gates(z, activation, gate_activation):
    """Activate o, i, f and g of z (4, H, N) in place; with both defaults the first three come in halved."""
    squashed = z[:3]
    if (activation, gate_activation) == ("tanh", "sigmoid"):
        np.tanh(z, out=z)  # sigmoid(z) = 1/2 tanh(z/2) + 1/2, so one call of tanh serves all four
        half = number(0.5, z.dtype)
        np.multiply(squashed, half, out=squashed)
        np.add(squashed, half, out=squashed)
    else:
        squashed[:] = activated(gate_activation, squashed)
        z[3] = activated(activation, z[3])


def lstm_slopes(gates, activation, gate_activation, out):
    """out = what the activations of o, i, f and g rise by, from their values (4, H, N)"""
    if (activation, gate_activation) == ("tanh", "sigmoid"):
        np.multiply(gates, gates, out=out)  # the square that both slopes take
        np.subtract(gates[:3], out[:3], out=out[:3])
        np.subtract(number(1, out.dtype), out[3], out=out[3])
    else:
        slope(gate_activation, gates[:3], out=out[:3])
        slope(activation, gates[3], out=out[3])


def lstm_forward(X, W, R, b=None, H0=None, C0=None, mask=None, activation="tanh", gate_activation="sigmoid"):
    """i, f, o = sigmoid(x W + h R + b),  g = tanh(x W + h R + b),  c' = f c + i g,  h' = o tanh(c')"""
    X, W, R, b = weights_of("lstm", X, W, R, b, 4)
    N, T, D, H = *X.shape, len(R)
    valid = steps_valid("lstm", mask, N, T)
    S = taped(X, first_state("lstm", "H0", H0, N, H, X.dtype), valid)
    A = lstm_rows(W, R, b)
    halved = A.copy()
    if (activation, gate_activation) == ("tanh", "sigmoid"):
        halved[: 3 * H] *= 0.5
    rows = in_parts(halved, N)
    Z, C, U = (aligned(shape, X.dtype) for shape in ((T, 4 * H, N), (T + 1, H, N), (T, H, N)))
    C[0] = first_state("lstm", "C0", C0, N, H, X.dtype).T
    of_rows, gates = Z.reshape(T, *rows.shape[:2], N), Z.reshape(T, 4, H, N)
    for t in range(T):
        np.matmul(rows, S[t], out=of_rows[t])
        lstm_gates(gates[t], activation, gate_activation)
        (o, i, f, g), c, u, h = gates[t], C[t + 1], U[t], S[t + 1, D + 1 :]
        np.multiply(f, C[t], out=c)
        np.multiply(i, g, out=u)
        c += u
        activate(activation, c, out=u)
        np.multiply(o, u, out=h)
        if valid is not None:
            kept(c, C[t], valid[:, t])
            kept(h, S[t, D + 1 :], valid[:, t])
    states = S[:, D + 1 :].transpose(2, 0, 1)
    cache = {"A": A, "S": S, "C": C, "U": U, "gates": Z, "H0": H0, "C0": C0, "valid": valid}
    cache |= {"activation": activation, "gate_activation": gate_activation}
    return (states[:, 1:], states[:, T], C[T].T), cache


def lstm_back_through_time(gY, dh, dc, cache):
    """For a few steps at a time, the last first: (the steps, their dL/dz (., 4H, N)).

    do = tanh(c) dL/dh,   di = g dL/dc,   df = c_{t-1} dL/dc,   dg = i dL/dc,   each times the gate's slope

    dh, dc (H, N) are dL/d of the last states, and become dL/d of the first ones in place.
    """
    A, C, U, Z, valid = (cache[name] for name in ("A", "C", "U", "gates", "valid"))
    activation, gate_activation = cache["activation"], cache["gate_activation"]
    (H, N), T = dh.shape, len(Z)
    gates, rows, used = Z.reshape(T, 4, H, N), in_parts(A[:, -H:].T.copy(), N), steps_used(gY)
    dh_of_rows, through_h, blocks = dh.reshape(*rows.shape[:2], N), np.empty_like(dc), time_blocks(T)
    room = aligned((2, max(map(len, blocks), default=0), 4 * H, N), Z.dtype)  # for one block while the last is in use
    for k, steps in enumerate(blocks):
        dZ = room[k % 2, : len(steps)]
        for t in reversed(steps):
            if used[t]:
                dh += gY[:, t].T
            if valid is not None:  # what a sequence that has no step here only hands on
                past_dh, past_dc = dh * ~valid[:, t], dc * ~valid[:, t]
                dh -= past_dh
                dc -= past_dc
            (o, i, f, g), u, dz = gates[t], U[t], dZ[t - steps.start]
            slope(activation, u, out=through_h)
            through_h *= o
            through_h *= dh
            dc += through_h
            d = dz.reshape(4, H, N)
            do, di, df, dg = d
            lstm_slopes(gates[t], activation, gate_activation, out=d)
            do *= u
            do *= dh
            di *= g
            df *= C[t]
            dg *= i
            d[1:] *= dc
            dc *= f
            np.matmul(rows, dz, out=dh_of_rows)
            if valid is not None:
                dh += past_dh
                dc += past_dc
        yield steps, dZ


def lstm_some(g, cache, which):
    """Those gradients of `lstm_backward` whose positions are in `which`."""
    A, S = cache["A"], cache["S"]
    dh, dc = g[1].T.copy(), g[2].T.copy()
    H, N = dh.shape
    D = A.shape[1] - H - 1
    dA, dX = np.zeros_like(A), np.empty((len(S) - 1, D, N), A.dtype)

    def use(now, dZ):
        nonlocal dA
        if {1, 2, 3} & set(which):
            dA += over_time(dZ) @ over_time(S[now]).T
        if 0 in which:
            dX[now] = A[:, :D].T @ dZ

    with OneBeside(worth_a_thread(A.size, S)) as beside:
        for steps, dZ in lstm_back_through_time(g[0], dh, dc, cache):
            beside(functools.partial(use, slice(steps.start, steps.stop), dZ))
    dA = np.concatenate([dA[H:], dA[:H]]).T  # to the order i, f, g, o again
    first = summed_to(dh.T, cache["H0"]), summed_to(dc.T, cache["C0"])
    return dict(enumerate((dX.transpose(2, 0, 1), dA[:D], dA[D + 1 :], dA[D], *first)))


def lstm_backward(g, cache):
    """dL/dX = dz W^T,  dL/dW = sum x^T dz,  dL/dR = sum h^T dz,  dL/db = sum dz, with dz from the last step back"""
    found = lstm_some(g, cache, range(6))
    return tuple(found[i] for i in range(6))


@op(
    lstm_forward,
    lstm_backward,
    inputs=6,
    some=lstm_some,
    plain=lstm_plain,
    parts=("sigmoid", "tanh"),
    composed=lstm_plain,
)
def lstm(X, W, R, b=None, H0=None, C0=None, mask=None, activation="tanh", gate_activation="sigmoid"):
    """Long short-term memory, the recurrent layer that keeps what it has seen for many steps.

        i, f, o = sigmoid(x_t W + h_{t-1} R + b)     each with its columns of W, R and b
        g = tanh(x_t W + h_{t-1} R + b)
        c_t = f c_{t-1} + i g                        h_t = o tanh(c_t)

        dL/dc_t = dL/dh_t o tanh'(c_t) + f_{t+1} dL/dc_{t+1}
        di = dL/dc_t g    df = dL/dc_t c_{t-1}    dg = dL/dc_t i    do = dL/dh_t tanh(c_t)    each times its slope: dz
        dL/dh_{t-1} = dz R^T      dL/dx_t = dz W^T      dL/dW, dL/dR, dL/db = sums over t of x^T dz, h^T dz, dz

    Args:
        X: sequences (N, T, in).
        W: input weights (in, 4H), the columns of i, f, g, o in this order.
        R: recurrent weights (H, 4H), likewise.
        b: biases (4H,), or None for none. Ones for f in the beginning let the memory keep from the start.
        H0, C0: states before the first step, (N, H), or (H,) for all sequences; None for zeros.
        mask: (N, T) of zeros and ones, or lengths (N,). A step that does not count leaves both states as they are;
            what X holds there does not matter.
        activation: "tanh", "softsign" or "relu".
        gate_activation: "sigmoid" or "hard-sigmoid", which is z/6 + 1/2 between 0 and 1.

    Returns:
        (Y, H, C): the states h of all steps (N, T, H), and the last h and c (N, H). In the padding Y repeats the
        state that is kept. `lstm_backward` takes a triple of cotangents and returns (dX, dW, dR, db, dH0, dC0);
        its cache has `A` (W, R and b as one matrix, gates o, i, f, g), `S` (x, ones and h of all steps, batch last),
        `C`, `U` and `gates` (values of c, of its activation and of the gates, batch last), `valid` (the mask, or
        None), and the options.

    Raises:
        ValueError: shapes that do not fit, or an unknown activation.

    Frameworks: PyTorch has W and R transposed and two biases, which add up; its packed sequences have zeros in the
    padding. Keras has the same columns. MATLAB's hard sigmoid is z/5 + 1/2.
    Source: Hochreiter and Schmidhuber 1997; the gate f is of Gers et al. 2000.

    >>> X, W, R = np.ones((1, 3, 1)), np.ones((1, 4)), np.zeros((1, 4))
    >>> print(lstm(X, W, R)[0].round(4).ravel())
    [0.3696 0.5453 0.6225]
    """
    return lstm_forward(X, W, R, b, H0, C0, mask, activation, gate_activation)[0]
