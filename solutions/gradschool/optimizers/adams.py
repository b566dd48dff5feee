"""The Adam family: momentum, at a rate for every parameter, with averages that are freed of their start at zero.

state = init_state("adam", params)
params, state = adam(params, grads, state, lr=1e-3)
params, state = adamw(params, grads, state, lr=1e-3, weight_decay=0.01)    # the same state, and weights shrink
"""

from __future__ import annotations

import numpy as np

from .each import update_each
from .registry import init_state, step, zeros  # noqa: F401  (an example uses init_state)

__all__ = ["adam", "adamax", "adamw", "nadam"]


def adam_rule(p, g, m, v, *, t, lr, b1, b2, eps, eps_hat):
    """m, v ← running means of g and g²;  p ← p − lr m̂ / (√v̂ + ε),  m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ)"""
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g * g
    grown_m, grown_v = 1 - b1**t, 1 - b2**t  # both averages start at zero: after t steps they lack the rest
    if eps_hat:
        return p - lr * grown_v**0.5 / grown_m * m / (np.sqrt(v) + eps), m, v
    return p - lr * (m / grown_m) / (np.sqrt(v / grown_v) + eps), m, v


@step(t=0, m=zeros, v=zeros)
def adam(params, grads, state, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8, eps_hat=False):
    """p ← p − lr m̂ / (√v̂ + ε): momentum, each parameter at its own scale, both averages freed of their zero start.

        m ← β₁ m + (1−β₁) g     m̂ = m / (1 − β₁ᵗ)
        v ← β₂ v + (1−β₂) g²    v̂ = v / (1 − β₂ᵗ)      t = 1 at the first step

    eps_hat   p ← p − lr √(1−β₂ᵗ)/(1−β₁ᵗ) m / (√v + ε), which is the above with ε / √(1−β₂ᵗ) in the place of ε

    state: {"t": steps done, 0 at first, one for all parameters, "m": means of g, "v": means of g², zero at first}.
    Raises ValueError for a state without its keys or gradients that do not fit, TypeError for whole-number parameters.
    Source: Kingma and Ba 2015, Algorithm 1; PyTorch and optax (ε 1e-8). Keras (ε 1e-7) and MATLAB `adamupdate` are
    the form eps_hat=True. Géron's equation 11-8 prints ε inside the root.

    >>> params, state = adam({"x": np.array([1.0, -1.0, 0.5])}, {"x": np.array([1.0, -10.0, 0.0])},
    ...                      {"t": 0, "m": {"x": np.zeros(3)}, "v": {"x": np.zeros(3)}}, lr=0.1)
    >>> params["x"].round(6), state["t"]
    (array([ 0.9, -0.9,  0.5]), 1)
    """
    t = state["t"] + 1
    params, m, v = update_each(
        lambda p, g, m, v: adam_rule(p, g, m, v, t=t, lr=lr, b1=b1, b2=b2, eps=eps, eps_hat=eps_hat),
        params, grads, state["m"], state["v"],
    )  # fmt: skip
    return params, {"t": t, "m": m, "v": v}


def adamax_rule(p, g, m, u, *, t, lr, b1, b2, eps):
    """m ← β₁ m + (1−β₁) g,  u ← max(β₂ u, |g|),  p ← p − lr / (1 − β₁ᵗ) · m / (u + ε)"""
    m = b1 * m + (1 - b1) * g
    u = np.maximum(b2 * u, np.abs(g))
    return p - lr / (1 - b1**t) * m / (u + eps), m, u


@step(t=0, m=zeros, u=zeros)
def adamax(params, grads, state, lr=2e-3, b1=0.9, b2=0.999, eps=1e-8):
    """p ← p − lr / (1−β₁ᵗ) · m / (u + ε): Adam with the largest recent gradient in the place of the mean square.

        m ← β₁ m + (1−β₁) g     u ← max(β₂ u, |g|)      t = 1 at the first step

    A maximum does not lag behind, so only m needs correcting.

    state: {"t": steps done, 0 at first, "m": means of g, "u": decayed maxima of |g|, zero at first}.
    Raises ValueError for a state without its keys or gradients that do not fit, TypeError for whole-number parameters.
    Source: Kingma and Ba 2015, Algorithm 2 (lr 0.002), which has no ε; Keras (lr 0.001, ε 1e-7) has it where it is
    here, PyTorch adds it to |g| inside the maximum.

    >>> params, state = adamax({"x": np.array([1.0])}, {"x": np.array([-3.0])},
    ...                        {"t": 1, "m": {"x": np.array([0.0])}, "u": {"x": np.array([8.0])}}, lr=0.76, b2=0.5)
    >>> params["x"].round(6), state["u"]["x"]
    (array([1.3]), array([4.]))
    """
    t = state["t"] + 1
    params, m, u = update_each(
        lambda p, g, m, u: adamax_rule(p, g, m, u, t=t, lr=lr, b1=b1, b2=b2, eps=eps),
        params, grads, state["m"], state["u"],
    )  # fmt: skip
    return params, {"t": t, "m": m, "u": u}


def adamw_rule(p, g, m, v, d, *, t, lr, b1, b2, eps):
    """Adam's rule, and  p ← p − lr d p  beside it; d is the decay of this parameter"""
    new, m, v = adam_rule(p, g, m, v, t=t, lr=lr, b1=b1, b2=b2, eps=eps, eps_hat=False)
    return new - lr * d * p, m, v, d


@step(t=0, m=zeros, v=zeros)
def adamw(params, grads, state, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8, weight_decay=0.01):
    """p ← p − lr λ p − lr m̂ / (√v̂ + ε): Adam, and the weights shrink at a rate that the gradients do not change.

    `weight_decay` λ is a number, or a tree of numbers like `params`: biases, gains and offsets are better spared,
    `{"W": 0.01, "b": 0.0}`. m and v see the gradient of the loss alone; adding λ p to it instead ("coupled" L2) would
    let Adam divide the decay by √v̂ too.

    state: {"t": steps done, 0 at first, "m": means of g, "v": means of g², zero at first}.
    Raises ValueError for a state without its keys, and for gradients or a tree of decays that do not fit; TypeError for
    parameters of whole numbers.
    Source: Loshchilov and Hutter 2019, with lr times λ as in PyTorch (lr 0.001, λ 0.01) and optax (λ 1e-4).
    Keras' default λ is 0.004, and its ε is that of `adam(eps_hat=True)`.

    >>> params, state = adamw({"x": np.array([1.0, -1.0, 0.5])}, {"x": np.array([1.0, -10.0, 0.0])},
    ...                       {"t": 0, "m": {"x": np.zeros(3)}, "v": {"x": np.zeros(3)}}, lr=0.1, weight_decay=0.2)
    >>> params["x"].round(6)
    array([ 0.88, -0.88,  0.49])
    """
    decay = weight_decay
    if not isinstance(decay, dict | list | tuple):
        decay = update_each(lambda p: weight_decay, params)
    t = state["t"] + 1
    params, m, v, _ = update_each(
        lambda p, g, m, v, d: adamw_rule(p, g, m, v, d, t=t, lr=lr, b1=b1, b2=b2, eps=eps),
        params, grads, state["m"], state["v"], decay,
    )  # fmt: skip
    return params, {"t": t, "m": m, "v": v}


def nadam_mu(t, b1, momentum_decay):
    """μ_t = β₁ (1 − ½ 0.96^(ψ t)), which rises from about β₁ / 2 to β₁; β₁ itself where ψ is None"""
    return b1 if momentum_decay is None else b1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))


def nadam_rule(p, g, m, v, *, t, weight_m, weight_g, lr, b1, b2, eps):
    """m, v ← running means of g and g²;  p ← p − lr (weight_m m + weight_g g) / (√v̂ + ε)"""
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g * g
    return p - lr * (weight_m * m + weight_g * g) / (np.sqrt(v / (1 - b2**t)) + eps), m, v


@step(t=0, mu_product=1.0, m=zeros, v=zeros)
def nadam(params, grads, state, lr=2e-3, b1=0.9, b2=0.999, eps=1e-8, momentum_decay=4e-3):
    """p ← p − lr m̂ / (√v̂ + ε): Adam whose m̂ already holds the next step's momentum, as Nesterov's does.

        m ← β₁ m + (1−β₁) g
        v ← β₂ v + (1−β₂) g²                                                v̂ = v / (1 − β₂ᵗ)
        m̂ = μ_{t+1} m / (1 − μ₁⋯μ_{t+1}) + (1 − μ_t) g / (1 − μ₁⋯μ_t)        t = 1 at the first step
        μ_t = β₁ (1 − ½ · 0.96^(ψ t)),  ψ = `momentum_decay`

    momentum_decay = 4e-3   PyTorch's `NAdam` and Keras 2, whose recorded runs this reproduces
    momentum_decay = 1.0    Keras 3: μ_t has reached β₁ after some hundred steps instead of 25 000
    momentum_decay = None   μ_t = β₁ throughout, so μ₁⋯μ_t = β₁ᵗ (optax): the form to derive first

    state: {"t": steps done, 0 at first, "mu_product": μ₁⋯μ_t, 1.0 at first, both one for all parameters,
    "m": means of g, "v": means of g², zero at first}.
    Raises ValueError for a state without its keys or gradients that do not fit, TypeError for whole-number parameters.
    Source: Dozat 2016, in the form of PyTorch (lr 0.002; Keras 0.001). In Dozat's paper m itself averages with μ_t;
    Ruder's overview divides m by 1 − β₁ᵗ where 1 − β₁ᵗ⁺¹ belongs.

    >>> params, state = nadam({"x": np.array([1.0, -1.0, 0.5])}, {"x": np.array([1.0, -10.0, 0.0])},
    ...                       init_state("nadam", {"x": np.zeros(3)}), lr=0.1)
    >>> params["x"].round(6), round(state["mu_product"], 6)
    (array([ 0.894355, -0.894355,  0.5     ]), 0.450073)
    """
    t = state["t"] + 1
    mu, mu_next = nadam_mu(t, b1, momentum_decay), nadam_mu(t + 1, b1, momentum_decay)
    product = state["mu_product"] * mu
    weight_m, weight_g = mu_next / (1 - product * mu_next), (1 - mu) / (1 - product)
    params, m, v = update_each(
        lambda p, g, m, v: nadam_rule(
            p, g, m, v, t=t, weight_m=weight_m, weight_g=weight_g, lr=lr, b1=b1, b2=b2, eps=eps
        ),
        params, grads, state["m"], state["v"],
    )  # fmt: skip
    return params, {"t": t, "mu_product": product, "m": m, "v": v}
