"""The dense workloads as one writes them in NumPy for that one network: no tape, no layers, no checks.

    step = training(inputs, targets, parameters, "elu", "nadam", 1e-4)       # W1; lists of {"W"}, {"gamma", "beta"}, {}
    step()                                                                   # the loss, and better parameters

What `../../solutions` may cost is how much longer it takes than this. Results go to new arrays, but for the gradients,
which are views of one vector, as the parameters are; the optimizer goes over it in blocks that stay in the cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray
BLOCK = 1 << 16
EPS, MOMENTUM = 1e-5, 0.9  # of batch norm


def flat(parameters: list[dict[str, Array]]) -> tuple[Array, list[dict[str, Array]]]:
    """A vector, and the parameters as views of it."""
    vector = np.concatenate([np.ravel(p) for layer in parameters for p in layer.values()])
    return vector, views(vector, parameters)


def views(vector: Array, like: list[dict[str, Array]]) -> list[dict[str, Array]]:
    """The parts of a vector, in the order and shapes of these parameters."""
    found, at = list[dict[str, Array]](), 0
    for layer in like:
        found.append({})
        for name, p in layer.items():
            found[-1][name], at = vector[at : at + p.size].reshape(p.shape), at + p.size
    return found


# ------------------------------------------------------------------------------------------------------------- layers
def normalised(x: Array, p: dict[str, Array], running: tuple[Array, Array], mean_of: Array) -> tuple[Array, Any]:
    mu = mean_of @ x
    d = x - mu
    y = d * d
    s2 = mean_of @ y
    r = 1 / np.sqrt(s2 + np.float32(EPS))
    a = p["gamma"] * r
    np.multiply(d, a, out=y)
    y += p["beta"]
    for old, new in zip(running, (mu, s2), strict=True):
        old += np.float32(1 - MOMENTUM) * (new - old)
    return y, (d, r, a)


def normalised_back(g: Array, kept: Any, dp: dict[str, Array], ones: Array) -> Array:
    d, r, a = kept
    t = g * d
    dp["gamma"][...] = r * (ones @ t)
    np.matmul(ones, g, out=dp["beta"])
    np.multiply(d, r * dp["gamma"] / np.float32(-len(g)), out=t)
    t += dp["beta"] / np.float32(-len(g))
    t += g
    t *= a
    return t


def bent(x: Array, zeros: Array, activation: str) -> tuple[Array, Array]:
    """y and dy/dx (of ReLU as a mask); y is where x was."""
    if activation == "relu":
        np.maximum(x, zeros, out=x)
        return x, x > 0
    e = np.minimum(x, zeros)
    np.exp(e, out=e)
    return np.maximum(x, e - np.float32(1), out=x), e


def cross_entropy(z: Array, T: Array) -> tuple[float, Array]:
    z = z - z.max(axis=1, keepdims=True)
    e = np.exp(z)
    total = e.sum(axis=1, keepdims=True)
    loss = float((T * (np.log(total) - z)).sum() / len(z))
    return loss, (e / total - T) / np.float32(len(z))


# --------------------------------------------------------------------------------------------------------- optimizers
def nadam(p: Array, g: Array, lr: float, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8) -> Callable[[], None]:
    m, v = np.zeros_like(p), np.zeros_like(p)
    a, b = np.empty(BLOCK, p.dtype), np.empty(BLOCK, p.dtype)
    t, product = 0, 1.0

    def update() -> None:
        nonlocal t, product
        t += 1
        mu, mu_next = (b1 * (1 - 0.5 * 0.96 ** (0.004 * i)) for i in (t, t + 1))
        product *= mu
        root = (1 - b2**t) ** 0.5
        rate_m, rate_g = lr * root * mu_next / (1 - product * mu_next), lr * root * (1 - mu) / (1 - product)
        for start in range(0, len(p), BLOCK):
            now = slice(start, start + BLOCK)
            mine, g_now, m_now, v_now = p[now], g[now], m[now], v[now]
            x, y = a[: len(mine)], b[: len(mine)]
            m_now *= b1
            m_now += np.multiply(g_now, 1 - b1, out=x)
            np.multiply(g_now, g_now, out=x)
            x *= 1 - b2
            v_now *= b2
            v_now += x
            np.multiply(m_now, rate_m, out=x)
            x += np.multiply(g_now, rate_g, out=y)
            np.sqrt(v_now, out=y)
            y += eps * root
            x /= y
            mine -= x

    return update


def sgd(p: Array, g: Array, lr: float) -> Callable[[], None]:
    a = np.empty(BLOCK, p.dtype)

    def update() -> None:
        for start in range(0, len(p), BLOCK):
            mine = p[start : start + BLOCK]
            mine -= np.multiply(g[start : start + BLOCK], lr, out=a[: len(mine)])

    return update


# --------------------------------------------------------------------------------------------------------------- step
def training(
    X: Array, T: Array, parameters: list[dict[str, Array]], activation: str, optimizer: str, lr: float
) -> Callable[[], float]:
    """The function that makes one step on the same batch. Layers without parameters are activations."""
    vector, layers = flat(parameters)
    slopes = np.zeros_like(vector)
    places = views(slopes, layers)
    update = {"nadam": nadam, "sgd": sgd}[optimizer](vector, slopes, lr)
    N, kind = len(X), X.dtype
    ones, mean_of = np.ones(N, kind), np.full(N, 1 / N, kind)
    zeros = {p["W"].shape[1]: np.zeros((N, p["W"].shape[1]), kind) for p in layers if "W" in p}
    running = [(np.zeros_like(p["gamma"]), np.ones_like(p["gamma"])) if "gamma" in p else None for p in layers]

    def step() -> float:
        x, kept = X, []
        for p, statistics in zip(layers, running, strict=True):
            if "W" in p:
                kept.append(x)
                x = x @ p["W"]
                if "b" in p:
                    x += p["b"]
            elif statistics is not None:
                x, more = normalised(x, p, statistics, mean_of)
                kept.append(more)
            else:
                x, slope = bent(x, zeros[x.shape[1]], activation)
                kept.append(slope)
        loss, g = cross_entropy(x, T)
        for i in range(len(layers) - 1, -1, -1):
            p, dp = layers[i], places[i]
            if "W" in p:
                np.matmul(kept[i].T, g, out=dp["W"])
                if "b" in p:
                    np.matmul(ones, g, out=dp["b"])
                g = g @ p["W"].T if i else g
            elif "gamma" in p:
                g = normalised_back(g, kept[i], dp, ones)
            else:
                g = g * kept[i]
        update()
        return loss

    return step
