"""The rules of the most used optimizers once more, scheduled by hand: every product and sum goes into memory that is
there already, and what can be multiplied into one number is. A rule in NumPy makes an array for each of its operations,
and memory is what an optimizer waits for; this way it takes half the time.

    numbers, advance = SCHEDULED["adam"]({"t": 0}, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8, eps_hat=False)
    advance(p, g, m, v, a, b)                   # p, m and v change; a and b, of their size, are for what is in between

`advance` takes the parameters, the gradient, the vectors of the state in its order, and two of memory. The numbers are
those of the rule, up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .adams import nadam_mu

__all__ = ["SCHEDULED"]

Scheduled = Callable[..., tuple[dict[str, Any], Callable[..., None]]]


def sgd(state, *, lr):
    """p ← p − lr g"""

    def advance(p, g, a, b):
        np.multiply(g, lr, out=a)
        np.subtract(p, a, out=p)

    return {}, advance


def momentum(state, *, lr, beta):
    """v ← β v − lr g,  p ← p + v"""

    def advance(p, g, v, a, b):
        np.multiply(g, lr, out=a)
        np.multiply(v, beta, out=v)
        np.subtract(v, a, out=v)
        np.add(p, v, out=p)

    return {}, advance


def adam(state, *, lr, b1, b2, eps, eps_hat):
    """lr m̂ / (√v̂ + ε) is lr √(1−β₂ᵗ)/(1−β₁ᵗ) m / (√v + ε √(1−β₂ᵗ)); the form eps_hat has ε alone"""
    t = state["t"] + 1
    root = (1 - b2**t) ** 0.5
    rate, floor = lr * root / (1 - b1**t), eps if eps_hat else eps * root

    def advance(p, g, m, v, a, b):
        averaged(m, v, g, a, b1, b2)
        np.multiply(m, rate, out=a)
        moved(p, a, v, floor, b)

    return {"t": t}, advance


def nadam(state, *, lr, b1, b2, eps, momentum_decay):
    """lr (weight_m m + weight_g g) / (√v̂ + ε), with √(1−β₂ᵗ) taken out of the root as in adam"""
    t = state["t"] + 1
    mu, mu_next = nadam_mu(t, b1, momentum_decay), nadam_mu(t + 1, b1, momentum_decay)
    product = state["mu_product"] * mu
    root = (1 - b2**t) ** 0.5
    rate_m, rate_g = lr * root * mu_next / (1 - product * mu_next), lr * root * (1 - mu) / (1 - product)

    def advance(p, g, m, v, a, b):
        averaged(m, v, g, a, b1, b2)
        np.multiply(m, rate_m, out=a)
        np.multiply(g, rate_g, out=b)
        np.add(a, b, out=a)
        moved(p, a, v, eps * root, b)

    return {"t": t, "mu_product": product}, advance


def averaged(m, v, g, a, b1, b2):
    """m ← β₁ m + (1−β₁) g,  v ← β₂ v + (1−β₂) g²"""
    np.multiply(g, 1 - b1, out=a)
    np.multiply(m, b1, out=m)
    np.add(m, a, out=m)
    np.multiply(g, g, out=a)
    np.multiply(a, 1 - b2, out=a)
    np.multiply(v, b2, out=v)
    np.add(v, a, out=v)


def moved(p, a, v, floor, b):
    """p ← p − a / (√v + floor)"""
    np.sqrt(v, out=b)
    np.add(b, floor, out=b)
    np.divide(a, b, out=a)
    np.subtract(p, a, out=p)


SCHEDULED: dict[str, Scheduled] = {"sgd": sgd, "momentum": momentum, "adam": adam, "nadam": nadam}
