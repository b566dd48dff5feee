"""Batch norm put together from parts, so that each wrong answer is the right one with one part of its own.

answered()                                     # right
answered(chosen=always_the_batch)              # uses the statistics of the batch in inference too
"""

from __future__ import annotations

import numpy as np


# --------------------------------------------------------------------------------------------- the batch's statistics
def over_all_but_channels(x):
    axes = tuple(range(x.ndim - 1))
    return x.mean(axis=axes), x.var(axis=axes)


def without_bias(x):
    axes = tuple(range(x.ndim - 1))
    return x.mean(axis=axes), x.var(axis=axes, ddof=1)


def of_the_batch_axis(x):
    return x.mean(axis=0), x.var(axis=0)


def of_everything(x):
    return np.full(x.shape[-1:], x.mean()), np.full(x.shape[-1:], x.var())


def of_each_sample(x):
    return x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)


def with_all_axes(x):
    axes = tuple(range(x.ndim - 1))
    return x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)


def of_squares(x):
    axes = tuple(range(x.ndim - 1))
    return x.mean(axis=axes), (x * x).mean(axis=axes)


# ------------------------------------------------------------------------------------------------- the inverse spread
def root_of_sum(s2, eps):
    return 1 / np.sqrt(s2 + eps)


def eps_outside(s2, eps):
    return 1 / (np.sqrt(s2) + eps)


def no_eps(s2, eps):
    return 1 / np.sqrt(s2)


def eps_as_a_floor(s2, eps):
    return 1 / np.sqrt(np.maximum(s2, eps))


def fixed_eps(s2, eps):
    return 1 / np.sqrt(s2 + 1e-5)


def no_root(s2, eps):
    return 1 / (s2 + eps)


# ------------------------------------------------------------------------------------------------ what is remembered
def mixed(state, batch, training, momentum, x):
    if not training:
        return state
    return {name: momentum * state[name] + (1 - momentum) * now for name, now in zip(state, batch, strict=True)}


def turned_round(state, batch, training, momentum, x):
    return mixed(state, batch, training, 1 - momentum, x)


def fixed_momentum(state, batch, training, momentum, x):
    return mixed(state, batch, training, 0.9, x)


def mixed_always(state, batch, training, momentum, x):
    return mixed(state, batch, True, momentum, x)


def never(state, batch, training, momentum, x):
    return state


def only_the_latest(state, batch, training, momentum, x):
    return mixed(state, batch, training, 0.0, x)


def root_remembered(state, batch, training, momentum, x):
    return mixed(state, (batch[0], np.sqrt(batch[1])), training, momentum, x)


def unbiased_remembered(state, batch, training, momentum, x):
    m = x.size // x.shape[-1]
    return mixed(state, (batch[0], batch[1] * m / max(m - 1, 1)), training, momentum, x)


def mean_only(state, batch, training, momentum, x):
    return mixed(state, (batch[0], state["var"]), training, momentum, x)


def in_place(state, batch, training, momentum, x):
    if training:
        for name, now in zip(state, batch, strict=True):
            state[name] *= momentum
            state[name] += (1 - momentum) * now
    return state


# ---------------------------------------------------------------------------------------- which statistics are used
def by_mode(state, new, batch, training, x):
    return batch if training else (state["mean"], state["var"])


def always_the_batch(state, new, batch, training, x):
    return batch


def always_the_running(state, new, batch, training, x):
    return state["mean"], state["var"]


def the_new_running(state, new, batch, training, x):
    return new["mean"], new["var"]


def running_for_one(state, new, batch, training, x):
    return by_mode(state, new, batch, training and x.size > x.shape[-1], x)


def modes_swapped(state, new, batch, training, x):
    return by_mode(state, new, batch, not training, x)


# ------------------------------------------------------------------------------------------------------- y, and state
def scaled(x, mu, r, gamma, beta):
    return gamma * (x - mu) * r + beta


def swapped(x, mu, r, gamma, beta):
    return beta * (x - mu) * r + gamma


def no_shift(x, mu, r, gamma, beta):
    return gamma * (x - mu) * r


def shift_scaled(x, mu, r, gamma, beta):
    return gamma * ((x - mu) * r + beta)


def left_out(x, mu, r, gamma, beta):
    return (x - mu) * r


def not_centred(x, mu, r, gamma, beta):
    return gamma * x * r + beta


def channels_second(x, mu, r, gamma, beta):
    """gamma and beta as for channels that stand right after the batch."""
    along = (1, -1) + (1,) * (x.ndim - 2)
    return gamma.reshape(along) * (x - mu) * r + beta.reshape(along)


def one_as_it_comes(x, mu, r, gamma, beta):
    """A batch of one is not normalised at all."""
    return gamma * x + beta if x.size == x.shape[-1] else scaled(x, mu, r, gamma, beta)


def zeros_and_ones(gamma):
    return {"mean": np.zeros_like(gamma), "var": np.ones_like(gamma)}


def zeros(gamma):
    return {"mean": np.zeros_like(gamma), "var": np.zeros_like(gamma)}


def kept(x, mu, r, gamma, training):
    return {"x": x, "mu": mu, "r": r, "gamma": gamma, "training": training}


def spread_kept(x, mu, r, gamma, training):
    return {"x": x, "mu": mu, "r": 1 / r, "gamma": gamma, "training": training}


def xhat_kept(x, mu, r, gamma, training):
    return {"x": (x - mu) * r, "mu": mu, "r": r, "gamma": gamma, "training": training}


def answered(
    statistics=over_all_but_channels, inverse=root_of_sum, remembered=mixed, chosen=by_mode, affine=scaled,
    fresh=zeros_and_ones, cache=kept,
):  # fmt: skip
    """Batch norm of these parts."""

    def answer(x, gamma, beta, state=None, training=False, momentum=0.9, eps=1e-5):
        state = fresh(gamma) if state is None else state
        batch = statistics(x)
        new = remembered(state, batch, training, momentum, x)
        mu, s2 = chosen(state, new, batch, training, x)
        r = inverse(s2, eps)
        return affine(x, mu, r, gamma, beta), cache(x, mu, r, gamma, training), new

    return answer


def one_refused(x, gamma, beta, state=None, training=False, momentum=0.9, eps=1e-5):
    if training and x.size == x.shape[-1]:
        raise ValueError("a batch of one has no variance")
    return answered()(x, gamma, beta, state, training, momentum, eps)


def eps_remembered(x, gamma, beta, state=None, training=False, momentum=0.9, eps=1e-5):
    """The batch's variance has eps in it from the start."""
    y, cache, new = answered()(x, gamma, beta, state, training, momentum, eps)
    return y, cache, new | {"var": new["var"] + (1 - momentum) * eps} if training else new


# ------------------------------------------------------------------------------------------------- other right answers
def channel_by_channel(x, gamma, beta, state=None, training=False, momentum=0.9, eps=1e-5):
    C = x.shape[-1]
    old = state or {"mean": [0.0] * C, "var": [1.0] * C}
    y, mu, r = np.empty_like(x), np.zeros(C, x.dtype), np.zeros(C, x.dtype)
    mean, var = np.array(old["mean"], x.dtype), np.array(old["var"], x.dtype)
    for c in range(C):
        values = x[..., c].ravel()
        m, v = mean[c], var[c]
        if training:
            m = sum(values) / len(values)
            v = sum((value - m) ** 2 for value in values) / len(values)
            mean[c], var[c] = momentum * mean[c] + (1 - momentum) * m, momentum * var[c] + (1 - momentum) * v
        mu[c], r[c] = m, (v + eps) ** -0.5
        y[..., c] = gamma[c] * (x[..., c] - mu[c]) * r[c] + beta[c]
    return y, kept(x, mu, r, gamma, training), {"mean": mean, "var": var}


def as_rows(x, gamma, beta, state=None, training=False, momentum=0.9, eps=1e-5):
    """Samples and places as rows of one matrix, sums by einsum."""
    state = zeros_and_ones(gamma) if state is None else state
    rows = x.reshape(-1, x.shape[-1])
    if training:
        mu = np.einsum("mc->c", rows) / len(rows)
        s2 = np.einsum("mc,mc->c", rows - mu, rows - mu) / len(rows)
        new = {"mean": state["mean"] + (1 - momentum) * (mu - state["mean"]),
               "var": state["var"] + (1 - momentum) * (s2 - state["var"])}  # fmt: skip
    else:
        mu, s2, new = state["mean"], state["var"], dict(state)
    r = np.sqrt(1 / (s2 + eps))
    return np.multiply(x - mu, gamma * r) + beta, kept(x, mu, r, gamma, training), new


def copied_and_changed(x, gamma, beta, state=None, training=False, momentum=0.9, eps=1e-5):
    """In place, on copies only; the scale and the shift of inference are one line of numbers."""
    state = {name: v.copy() for name, v in (state or zeros_and_ones(gamma)).items()}
    mu, s2 = state["mean"].copy(), state["var"].copy()
    if training:
        mu, s2 = over_all_but_channels(x)
        for name, now in (("mean", mu), ("var", s2)):
            state[name] *= momentum
            state[name] += (1 - momentum) * now
    r = 1 / np.sqrt(s2 + eps)
    y = x.copy()
    y *= gamma * r
    y += beta - mu * gamma * r
    return [y, {"gamma": gamma.copy(), **kept(x.copy(), mu, r, gamma, training)}, state]
