"""The rules of the most used optimizers once more, scheduled by hand: every product and sum goes into memory that is
there already, what can be multiplied into one number is, and BLAS adds multiples of two vectors in one pass. A rule in
NumPy makes an array for each of its operations, and memory is what an optimizer waits for; this way Adam takes less
than half of the time.

    numbers, factors, advance = SCHEDULED["adam"]({"t": 0}, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8, eps_hat=False)
    factors = [np.array(factor, p.dtype) for factor in factors]
    advance(p, g, m, v, a, b, *factors)         # p, m and v change; a and b, of their size, are for what is in between

`numbers` are those of the next state. `advance` takes the parameters, the gradient, the vectors of the state in its
order, two of memory, and the factors as arrays: with numbers of Python each block takes 7 % longer. What comes out is
what the rule gives, up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..ops.blas import axpby
from .adams import nadam_mu

__all__ = ["SCHEDULED"]

Scheduled = Callable[..., tuple[dict[str, Any], tuple[float, ...], Callable[..., None]]]


def sgd(state, *, lr):
    """Nothing to remember"""
    return {}, (-lr, 1.0), advance_sgd


def advance_sgd(p, g, a, b, minus_lr, one):
    """p ← p − lr g"""
    axpby(minus_lr, g, one, p, a)


def momentum(state, *, lr, beta):
    """No number to remember"""
    return {}, (-lr, beta), advance_momentum


def advance_momentum(p, g, v, a, b, minus_lr, beta):
    """v ← β v − lr g,  p ← p + v"""
    axpby(minus_lr, g, beta, v, a)
    np.add(p, v, out=p)


def adam(state, *, lr, b1, b2, eps, eps_hat):
    """lr m̂ / (√v̂ + ε) is lr √(1−β₂ᵗ)/(1−β₁ᵗ) m / (√v + ε √(1−β₂ᵗ)); the form eps_hat has ε alone"""
    t = state["t"] + 1
    root = (1 - b2**t) ** 0.5
    rate, floor = lr * root / (1 - b1**t), eps if eps_hat else eps * root
    return {"t": t}, (rate, floor, b1, 1 - b1, b2, 1 - b2), advance_adam


def advance_adam(p, g, m, v, a, b, rate, floor, *decays):
    """p ← p − rate m / (√v + floor)"""
    averaged(m, v, g, a, b, *decays)
    np.multiply(m, rate, out=a)
    moved(p, a, v, floor, b)


def nadam(state, *, lr, b1, b2, eps, momentum_decay):
    """lr (weight_m m + weight_g g) / (√v̂ + ε), with √(1−β₂ᵗ) taken out of the root as in adam"""
    t = state["t"] + 1
    mu, mu_next = nadam_mu(t, b1, momentum_decay), nadam_mu(t + 1, b1, momentum_decay)
    product = state["mu_product"] * mu
    root = (1 - b2**t) ** 0.5
    rate_m, rate_g = lr * root * mu_next / (1 - product * mu_next), lr * root * (1 - mu) / (1 - product)
    factors = rate_m, rate_g, 1.0, eps * root, b1, 1 - b1, b2, 1 - b2
    return {"t": t, "mu_product": product}, factors, advance_nadam


def advance_nadam(p, g, m, v, a, b, rate_m, rate_g, one, floor, *decays):
    """p ← p − (rate_m m + rate_g g) / (√v + floor)"""
    averaged(m, v, g, a, b, *decays)
    np.multiply(m, rate_m, out=a)
    axpby(rate_g, g, one, a, b)
    moved(p, a, v, floor, b)


def averaged(m, v, g, a, b, b1, rest1, b2, rest2):
    """m ← β₁ m + (1−β₁) g,  v ← β₂ v + (1−β₂) g²"""
    axpby(rest1, g, b1, m, a)
    np.multiply(g, g, out=a)
    axpby(rest2, a, b2, v, b)


def moved(p, a, v, floor, b):
    """p ← p − a / (√v + floor)"""
    np.sqrt(v, out=b)
    np.add(b, floor, out=b)
    np.divide(a, b, out=a)
    np.subtract(p, a, out=p)


SCHEDULED: dict[str, Scheduled] = {"sgd": sgd, "momentum": momentum, "adam": adam, "nadam": nadam}
