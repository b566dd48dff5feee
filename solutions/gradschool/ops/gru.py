"""The GRU: a recurrent layer whose new state is a weighted mean of the old one and of a candidate.

    Y, H = gru(X, W, R, b)                              # X (N, T, in) -> Y (N, T, H), last state (N, H)
    Y, H = gru(X, W, R, b, H0, mask=lengths)            # carried on from a state, sequences of different lengths
    dX, dW, dR, db, dH0 = gru_backward((gY, gH), cache)

One gate (z) says how much of the old state stays, the other (r) how much of it the candidate sees.
"""

from __future__ import annotations

import functools

import numpy as np

from ..autodiff import op
from .elementwise import sigmoid, tanh
from .place import aligned, in_parts
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


def gru_weights(X, W, R, b, reset):
    """X, W, R of one type, and b as (2, 3H): what is added to x W, and what is added to h R."""
    if reset not in ("after", "before"):
        raise ValueError(f'gru: expected reset "after" or "before", got {reset!r}.')
    if b is None or b.ndim != 2 or R.ndim != 2:  # and of an R that is no matrix the next line tells
        X, W, R, first = weights_of("gru", X, W, R, b, 3)
        return X, W, R, np.stack([first, np.zeros_like(first)])
    if b.shape != (2, R.shape[1]) or reset == "before":
        advice = 'two biases, of x and of h, are for reset "after"' if reset == "before" else f"try (2, {R.shape[1]})"
        raise ValueError(f"gru: expected b ({R.shape[1]},), got {b.shape}; {advice}.")
    X, W, R, first = weights_of("gru", X, W, R, b[0], 3)
    return X, W, R, np.stack([first, b[1].astype(first.dtype)])


# ------------------------------------------------------------------------------------------------------ as it is told
def gru_step(x, h, W, R, b, reset="after", activation="tanh", gate_activation="sigmoid"):
    """r, z = sigmoid(x W + h R + b),  n = tanh(x W + b + r (h R + b')) or tanh(x W + b + (r h) R),  h' = (1-z) n + z h

    x (N, in), h (N, H) -> h'
    """
    act = tanh if activation == "tanh" else lambda a: activated(activation, a)
    gate = sigmoid if gate_activation == "sigmoid" else lambda a: activated(gate_activation, a)
    H = h.shape[1]
    from_x, from_h = x @ W + b[0], h @ R[:, : 2 * H] + b[1, : 2 * H]
    r, z = gate(from_x[:, :H] + from_h[:, :H]), gate(from_x[:, H : 2 * H] + from_h[:, H:])
    inside = r * (h @ R[:, 2 * H :] + b[1, 2 * H :]) if reset == "after" else (r * h) @ R[:, 2 * H :]
    n = act(from_x[:, 2 * H :] + inside)
    return (1 - z) * n + z * h


def gru_plain(X, W, R, b=None, H0=None, mask=None, reset="after", activation="tanh", gate_activation="sigmoid"):
    """The same layer step after step, in functions that can be traced and be replaced."""
    X, W, R, b = gru_weights(X, W, R, b, reset)
    N, T, H = *X.shape[:2], len(R)
    valid = steps_valid("gru", mask, N, T)
    h = first_state("gru", "H0", H0, N, H, X.dtype)
    Y = []
    for t in range(T):
        new = gru_step(X[:, t], h, W, R, b, reset, activation, gate_activation)
        h = new if valid is None else np.where(valid[:, t, None], new, h)
        Y.append(h)
    return np.stack(Y, axis=1) if Y else np.zeros((N, 0, H), X.dtype), h


# --------------------------------------------------------------------------------------------------- as it is computed
def gru_rows(W, R, b):
    """[W b].T with the gates in the order n, r, z, and [b' R].T with r, z, n.

    So the gradients of both lie together as n (of x), r, z, n (of h).
    """
    D, H = len(W), len(R)
    Ax, Ah = aligned((3 * H, D + 1), R.dtype), aligned((3 * H, 1 + H), R.dtype)
    for rows, columns in ((Ax[:H], slice(2 * H, None)), (Ax[H:], slice(2 * H))):
        rows[:, :D], rows[:, D] = W[:, columns].T, b[0, columns]
    Ah[:, 0], Ah[:, 1:] = b[1], R.T
    return Ax, Ah


def gru_gates(a, activation, gate_activation):
    """Activate the rows r and z in place; with both defaults they come in halved."""
    if (activation, gate_activation) == ("tanh", "sigmoid"):
        np.tanh(a, out=a)  # sigmoid(a) = 1/2 tanh(a/2) + 1/2, and NumPy's tanh is its fastest activation
        a *= 0.5
        a += 0.5
    else:
        a[:] = activated(gate_activation, a)


def gru_forward(X, W, R, b=None, H0=None, mask=None, reset="after", activation="tanh", gate_activation="sigmoid"):
    """r, z = sigmoid(x W + h R + b),  n = tanh(x W + b + r (h R + b')) or tanh(x W + b + r h R),  h' = (1-z) n + z h"""
    options = {
        "reset": reset,
        "activation": activation,
        "gate_activation": gate_activation,
        "two": getattr(b, "ndim", 1) == 2,
    }
    X, W, R, b = gru_weights(X, W, R, b, reset)
    N, T, D, H = *X.shape, len(R)
    valid = steps_valid("gru", mask, N, T)
    S = taped(X, first_state("gru", "H0", H0, N, H, X.dtype), valid)
    Ax, Ah = gru_rows(W, R, b)
    x_rows, h_rows = Ax.copy(), Ah.copy()
    if (activation, gate_activation) == ("tanh", "sigmoid"):
        x_rows[H:] *= 0.5
        h_rows[: 2 * H] *= 0.5
    used = h_rows if reset == "after" else h_rows[: 2 * H]
    rows = in_parts(used, N)
    Z, M, P = (aligned(shape, X.dtype) for shape in ((T, 3 * H, N), (T, H, N), (len(used), N)))
    np.matmul(x_rows, S[:T, : D + 1], out=Z)  # of all steps at once: n, r, z, completed and activated below
    for t in range(T):
        n, rz = Z[t, :H], Z[t, H:]
        h, new = S[t, D + 1 :], S[t + 1, D + 1 :]
        np.matmul(rows, S[t, D:], out=P.reshape(*rows.shape[:2], N))
        rz += P[: 2 * H]
        gru_gates(rz, activation, gate_activation)
        r, z = rz[:H], rz[H:]
        if reset == "after":
            M[t] = P[2 * H :]
            n += r * M[t]
        else:
            np.multiply(r, h, out=M[t])
            n += h_rows[2 * H :, 1:] @ M[t]
        activate(activation, n, out=n)
        np.subtract(h, n, out=new)
        new *= z
        new += n
        if valid is not None:
            kept(new, h, valid[:, t])
    states = S[:, D + 1 :].transpose(2, 0, 1)
    cache = {"Ax": Ax, "Ah": Ah, "S": S, "gates": Z, "M": M, "H0": H0, "valid": valid, **options}
    return (states[:, 1:], states[:, T]), cache


def gru_factors(cache, t, K):
    """Into K (3, H, N) what the gradients of rows n (of x), r, z of step t are multiples of:

    dn = (1 - z) n' dL/dh,   dz = (h - n) z' dL/dh,   dr = (h R + b') r' dn,   or with the reset before  h r' (dn R^T)
    """
    gates, h = cache["gates"][t].reshape(K.shape), cache["S"][t, -K.shape[1] :]
    n, _, z = gates
    slope(cache["activation"], n, out=K[0])
    slope(cache["gate_activation"], gates[1:], out=K[1:])
    K[0] *= 1 - z
    K[1] *= cache["M"][t] if cache["reset"] == "after" else h
    K[2] *= h - n


def gru_back_through_time(gY, dh, cache):
    """For a few steps at a time, the last first: (the steps, the gradients of n, r, z of x and n of h (., 4H, N)).

    That of n (of h) is r dn, or with the reset before dn itself.
    dh (H, N) is dL/d of the last state, and becomes dL/d of the first one in place.
    """
    Z, valid, after = cache["gates"], cache["valid"], cache["reset"] == "after"
    H, N = dh.shape
    R = cache["Ah"][:, 1:].T.copy()
    rows, Rn = (R, R) if after else (R[:, : 2 * H].copy(), R[:, 2 * H :].copy())
    rows, used = in_parts(rows, N), steps_used(gY)
    for steps in time_blocks(len(Z)):
        dZ = aligned((len(steps), 4, H, N), Z.dtype)
        for t in reversed(steps):
            if used[t]:
                dh += gY[:, t].T
            if valid is not None:  # what a sequence that has no step here only hands on
                past_dh = dh * ~valid[:, t]
                dh -= past_dh
            _, r, z = Z[t].reshape(3, H, N)
            d = dZ[t - steps.start]
            gru_factors(cache, t, d[:3])
            d[:3:2] *= dh
            beside = z * dh  # what reaches the state before without R
            if after:
                d[1] *= d[0]
                np.multiply(r, d[0], out=d[3])
            else:
                from_n = Rn @ d[0]
                d[1] *= from_n
                beside += r * from_n
                d[3] = d[0]
            through_R = d.reshape(4 * H, N)[H : H + rows.shape[2]]
            np.matmul(rows, through_R, out=dh.reshape(*rows.shape[:2], N))
            dh += beside
            if valid is not None:
                dh += past_dh
        yield steps, dZ.reshape(len(steps), 4 * H, N)


def gru_some(g, cache, which):
    """Those gradients of `gru_backward` whose positions are in `which`."""
    Ax, Ah, S, M = cache["Ax"], cache["Ah"], cache["S"], cache["M"]
    dh, H, D = g[1].T.copy(), M.shape[1], Ax.shape[1] - 1
    dAx, dAh, dX = np.zeros_like(Ax), np.zeros_like(Ah), np.empty((len(M), D, dh.shape[1]), Ax.dtype)

    def use(now, dZ):
        nonlocal dAx, dAh
        if {1, 2, 3} & set(which):
            s, d = over_time(S[now]), over_time(dZ)
            dAx += d[: 3 * H] @ s[: D + 1].T
            if cache["reset"] == "after":
                dAh += d[H:] @ s[D:].T
            else:
                dAh[: 2 * H] += d[H : 3 * H] @ s[D:].T
                dAh[2 * H :, 1:] += d[3 * H :] @ over_time(M[now]).T
        if 0 in which:
            dX[now] = Ax[:, :D].T @ dZ[:, : 3 * H]

    with OneBeside(worth_a_thread(Ax.size + Ah.size, S)) as beside:
        for steps, dZ in gru_back_through_time(g[0], dh, cache):
            beside(functools.partial(use, slice(steps.start, steps.stop), dZ))
    dAx = np.concatenate([dAx[H:], dAx[:H]]).T  # to the order r, z, n again
    db = np.stack([dAx[D], dAh[:, 0]]) if cache["two"] else dAx[D]
    return dict(enumerate((dX.transpose(2, 0, 1), dAx[:D], dAh[:, 1:].T, db, summed_to(dh.T, cache["H0"]))))


def gru_backward(g, cache):
    """dL/dX = da W^T,  dL/dW = sum x^T da,  dL/dR = sum h^T da,  dL/db = sum da, with da from the last step back"""
    found = gru_some(g, cache, range(5))
    return tuple(found[i] for i in range(5))


@op(
    gru_forward,
    gru_backward,
    inputs=5,
    some=gru_some,
    plain=gru_plain,
    parts=("sigmoid", "tanh"),
    composed=gru_plain,
)
def gru(X, W, R, b=None, H0=None, mask=None, reset="after", activation="tanh", gate_activation="sigmoid"):
    """Gated recurrent unit, a recurrent layer with two gates and no memory beside its state.

        r, z = sigmoid(x_t W + b + h_{t-1} R + b')                  each with its columns of W, R, b, b'
        n = tanh(x_t W + b + r (h_{t-1} R + b'))                    reset "after" the product
        n = tanh(x_t W + b + (r h_{t-1}) R)                         reset "before" it
        h_t = (1 - z) n + z h_{t-1}

        dn = dL/dh_t (1 - z)   dz = dL/dh_t (h_{t-1} - n)   dr = dn (h_{t-1} R + b'), or (dn R^T) h_{t-1}   each times
        its slope;  dL/dh_{t-1} = z dL/dh_t + what comes through R from r, z and n

    Args:
        X: sequences (N, T, in).
        W: input weights (in, 3H), the columns of r, z, n in this order.
        R: recurrent weights (H, 3H), likewise.
        b: biases (3H,), of which b' is no part; (2, 3H) for b and b', with reset "after"; or None for none.
        H0: state before the first step, (N, H), or (H,) for all sequences; None for zeros.
        mask: (N, T) of zeros and ones, or lengths (N,). A step that does not count leaves the state as it is; what
            X holds there does not matter.
        reset: "after" or "before".
        activation: "tanh", "softsign" or "relu".
        gate_activation: "sigmoid" or "hard-sigmoid", which is a/6 + 1/2 between 0 and 1.

    Returns:
        (Y, H): the states of all steps (N, T, H), and the last (N, H). In the padding Y repeats the state that is
        kept. `gru_backward` takes a pair of cotangents and returns (dX, dW, dR, db, dH0); its cache has `Ax` and
        `Ah` (W with b, b' with R, one row a unit), `S` (x, ones and h of all steps, batch last), `gates` (n, r, z),
        `M` (h R + b' of n, or r h), `valid` (the mask, or None), `two` (whether b was (2, 3H)), and the options.

    Raises:
        ValueError: shapes that do not fit, or an unknown option.

    Frameworks: "after" with b (2, 3H) is PyTorch's, with W and R transposed, and Keras' `reset_after=True`, whose
    columns are z, r, n; in MATLAB it is "recurrent-bias-after-multiplication". With b (3H,) it is MATLAB's default
    "after-multiplication", "before" is "before-multiplication" and Keras' `reset_after=False`.
    Source: Cho et al. 2014, who reset before; after is due to speed, one product with R serving all three.

    >>> X, W, R = np.ones((1, 3, 1)), np.ones((1, 3)), np.zeros((1, 3))
    >>> print(gru(X, W, R)[0].round(4).ravel())
    [0.2048 0.3546 0.464 ]
    """
    return gru_forward(X, W, R, b, H0, mask, reset, activation, gate_activation)[0]
