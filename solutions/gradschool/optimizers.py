"""An optimizer is a rule that turns a parameter, its gradient and what it remembers into the next parameter. Each
one here is an elementwise rule, and a pure step that applies it to every array of a tree of parameters.

    params = {"w": np.array([1.0, -1.0])}
    state = init_state("adam", params)
    params, state = adam(params, {"w": np.array([1.0, -10.0])}, state, lr=0.1)
    params["w"]                               # [ 0.9 -0.9]
    rms = optimizer("rmsprop", rho=0.95)      # as a pair: rms.init(params), rms.update(params, grads, state, lr)

Steps never change what they are given. A gradient of None marks what is not learned (running statistics, say): it
comes back as it was. `lr` is a Python float: a NumPy float64 would turn float32 parameters into float64.
"""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np

from .swap import offer, replaced
from .trees import branches, rebuilt

__all__ = [
    "STEPS", "Optimizer", "adagrad", "adam", "adamax", "adamw", "init_state", "momentum", "nadam", "nag_step",
    "nesterov", "optimizer", "rmsprop", "sgd", "update_each", "with_lr_factors",
]  # fmt: skip

Tree = Any
State = dict[str, Any]
F = TypeVar("F", bound=Callable[..., Any])


# ----------------------------------------------------------------------------------------------- every array of a tree
def update_each(rule: Callable[..., Any], params: Tree, *trees: Tree) -> Any:
    """Apply `rule` to every array of nested dicts, lists and tuples, with its namesakes in the other trees.

    `rule(p)` or `rule(p, g)` returns the new p, and so one tree comes back. With more trees, `rule(p, g, *slots)`
    returns `(p, *slots)`, and as many trees come back: the second argument is only read.
    Arrays are matched by name, not by the order in which they stand in a dict. Where a tree has None, the parameters
    (and slots) below come back as they were, copied.

    Raises ValueError where the names differ. MATLAB calls it `dlupdate`; in JAX it is `tree.map`.

    >>> update_each(lambda p, g: p - 0.5 * g, {"layer": {"W": 3.0, "b": 1.0}}, {"layer": {"b": 4.0, "W": 2.0}})
    {'layer': {'W': 2.0, 'b': -1.0}}
    """
    kept, below = (params, *trees[1:]), branches(params)
    if any(tree is None for tree in trees):
        new = [update_each(np.copy, tree) for tree in kept]
    elif below is None:
        return rule(params, *trees)
    else:
        for tree in trees:
            beside = branches(tree) or {}
            if beside.keys() != below.keys():
                raise ValueError(f"update_each: one tree has {list(below)} where another has {list(beside)}")
        parts = [update_each(rule, p, *(tree[name] for tree in trees)) for name, p in below.items()]
        columns = [parts] if len(kept) == 1 else [[part[i] for part in parts] for i in range(len(kept))]
        new = [rebuilt(params, column) for column in columns]
    return new[0] if len(kept) == 1 else tuple(new)


# --------------------------------------------------------------------------------------------------- what makes a step
class Step(NamedTuple):
    """A public step, and what its state holds before the first one: a number, or a function of the parameters."""

    function: Callable[..., Any]
    start: Mapping[str, Any]


STEPS: dict[str, Step] = {}


def zeros(params: Tree) -> Tree:
    return update_each(np.zeros_like, params)


def step(**start: Any) -> Callable[[F], F]:
    """Make a public step of a plain one: registered, replaceable by `using`, and its arguments checked by name."""

    def register(plain: F) -> F:
        name = plain.__name__

        @functools.wraps(plain)
        def public(params: Tree, grads: Tree, state: State, *args: Any, **hyper: Any) -> tuple[Tree, State]:
            mine = replaced(name)
            if mine is not None:
                return mine(params, grads, state, *args, **hyper)
            check_state(name, state)
            check_gradients(name, params, grads)
            return plain(params, grads, state, *args, **hyper)

        STEPS[name] = Step(public, start)
        offer(name)
        return cast(F, public)

    return register


def closure_step(**start: Any) -> Callable[[F], F]:
    """The same for a step that is given the gradient's function, because it asks for the gradient elsewhere."""

    def register(plain: F) -> F:
        name = plain.__name__

        @functools.wraps(plain)
        def public(grad_fn: Callable[..., Tree], params: Tree, state: State, *args: Any, **hyper: Any) -> Any:
            mine = replaced(name)
            if mine is not None:
                return mine(grad_fn, params, state, *args, **hyper)
            check_state(name, state)

            def checked(at: Tree) -> Tree:
                grads = grad_fn(at)
                check_gradients(name, params, grads)
                return grads

            return plain(checked, params, state, *args, **hyper)

        STEPS[name] = Step(public, start)
        offer(name)
        return cast(F, public)

    return register


def check_state(name: str, state: Any) -> None:
    keys = STEPS[name].start
    missing = [key for key in keys if not isinstance(state, dict) or key not in state]
    if missing:
        found = sorted(state) if isinstance(state, dict) else type(state).__name__
        raise ValueError(
            f"{name} keeps {sorted(keys)} in its state, but got {found}. Start from init_state({name!r}, params), "
            "then hand on the state that each step returns."
        )


def check_gradients(name: str, params: Tree, grads: Tree, path: str = "params") -> None:
    """Every array has a gradient of its own shape, or None; only floating-point parameters can be learned."""
    if grads is None:
        return
    below, beside = branches(params), branches(grads)
    if below is not None and beside is not None:
        if below.keys() != beside.keys():
            raise ValueError(f"{name}: {path} holds {list(below)}, but its gradient holds {list(beside)}")
        for key, p in below.items():
            check_gradients(name, p, beside[key], path + (f".{key}" if isinstance(key, str) else f"[{key}]"))
    elif below is not None or beside is not None:
        kinds = f"{type(params).__name__}, but its gradient is of type {type(grads).__name__}"
        raise ValueError(f"{name}: {path} is of type {kinds}; give both the same keys")
    elif np.shape(params) != np.shape(grads):
        raise ValueError(f"{name}: {path} has shape {np.shape(params)}, but its gradient {np.shape(grads)}")
    else:
        check_learnable(name, params, path)


def check_learnable(name: str, p: Any, path: str) -> None:
    kind = np.result_type(p).kind
    if kind not in "fc":
        raise TypeError(
            f"{name}: {path} holds {np.result_type(p)}, which a small step cannot change; convert it with "
            ".astype(float), or give it the gradient None if it is not to be learned"
        )


# ----------------------------------------------------------------------------------------------- downhill, and inertia
@step()
def sgd(params, grads, state, lr=0.01):
    """p ← p − lr g: a step against the gradient.

    state: {} (nothing is remembered). Source: Robbins and Monro 1951; PyTorch `SGD`, Keras `SGD`, default lr 0.01.

    >>> sgd({"w": np.array([1.0, -1.0, 0.5])}, {"w": np.array([1.0, -10.0, 0.0])}, {}, lr=0.1)
    ({'w': array([0.9, 0. , 0.5])}, {})
    """
    return update_each(lambda p, g: p - lr * g, params, grads), {}


def momentum_rule(p, g, v, *, lr, beta):
    """v ← β v − lr g,  p ← p + v"""
    v = beta * v - lr * g
    return p + v, v


@step(v=zeros)
def momentum(params, grads, state, lr=0.01, beta=0.9):
    """v ← β v − lr g,  p ← p + v: a ball that rolls, with friction 1 − β.

    state: {"v": velocities, zero at first}. Source: Polyak 1964; Géron, equation 11-4; Keras; MATLAB `sgdmupdate`.
    PyTorch keeps v ← β v + g and moves by −lr v: the same as long as lr is constant, but when lr drops PyTorch slows
    the whole past down at once. MATLAB's older `learngdm` damps: v ← β v + (1 − β) lr g.

    >>> params, state = momentum({"x": np.array([1.0, -1.0])}, {"x": np.array([1.0, -10.0])},
    ...                          {"v": {"x": np.array([-0.5, 0.0])}}, lr=0.05)
    >>> params["x"], state["v"]["x"]
    (array([ 0.5, -0.5]), array([-0.5,  0.5]))
    """
    params, v = update_each(
        lambda p, g, v: momentum_rule(p, g, v, lr=lr, beta=beta), params, grads, state["v"]
    )  # fmt: skip
    return params, {"v": v}


def nesterov_rule(p, g, v, *, lr, beta):
    """v ← β v − lr g,  p ← p + β v − lr g"""
    v = beta * v - lr * g
    return p + beta * v - lr * g, v


@step(v=zeros)
def nesterov(params, grads, state, lr=0.01, beta=0.9):
    """v ← β v − lr g,  p ← p + β v − lr g: momentum that already looks one step ahead.

    The gradient is the one at `params`, so it fits any training loop. What it calls `params` is the point that
    `nag_step` would look at: with x and v those of `nag_step`, params = x + β v, at every step.

    state: {"v": velocities, zero at first}. Source: Nesterov 1983 in the form of Sutskever et al. 2013;
    Keras and PyTorch with `nesterov=True` (PyTorch's velocity carries no lr, so it differs once lr changes).

    >>> params, state = nesterov({"x": np.array([1.0, -1.0])}, {"x": np.array([1.0, -10.0])},
    ...                          {"v": {"x": np.zeros(2)}}, lr=0.05)
    >>> params["x"]
    array([ 0.905, -0.05 ])
    """
    params, v = update_each(
        lambda p, g, v: nesterov_rule(p, g, v, lr=lr, beta=beta), params, grads, state["v"]
    )  # fmt: skip
    return params, {"v": v}


@closure_step(v=zeros)
def nag_step(grad_fn, params, state, lr=0.01, beta=0.9):
    """v ← β v − lr ∇f(p + β v),  p ← p + v: Nesterov's accelerated gradient as it was published.

    `grad_fn(params)` returns the gradient at any parameters; it is called once, where the ball is about to be.

    state: {"v": velocities, zero at first}. Source: Nesterov 1983; Géron, equation 11-5. Frameworks offer only the
    form of `nesterov`, which needs no second point.

    >>> params, state = nag_step(lambda p: {"x": 10 * p["x"]}, {"x": np.array([1.0])}, {"v": {"x": np.array([-1.0])}},
    ...                          lr=0.05, beta=0.5)
    >>> params["x"], state["v"]["x"]
    (array([0.25]), array([-0.75]))
    """
    ahead = update_each(lambda p, v: p + beta * v, params, state["v"])
    grads = grad_fn(ahead)
    params, v = update_each(
        lambda p, g, v: momentum_rule(p, g, v, lr=lr, beta=beta), params, grads, state["v"]
    )  # fmt: skip
    return params, {"v": v}


# ------------------------------------------------------------------------------------------ a rate for every parameter
def adagrad_rule(p, g, s, *, lr, eps):
    """s ← s + g²,  p ← p − lr g / (√s + ε)"""
    s = s + g * g
    return p - lr * g / (np.sqrt(s) + eps), s


@step(s=zeros)
def adagrad(params, grads, state, lr=0.01, eps=1e-10):
    """s ← s + g²,  p ← p − lr g / (√s + ε): steep directions are slowed down, for good.

    state: {"s": sums of squared gradients, zero at first}. Source: Duchi et al. 2011; PyTorch (lr 0.01, ε 1e-10);
    Géron, equation 11-6. Keras starts s at 0.1 and puts ε inside the root.

    >>> params, state = adagrad({"x": np.array([1.0])}, {"x": np.array([4.0])}, {"s": {"x": np.array([9.0])}}, lr=0.5)
    >>> params["x"], state["s"]["x"]
    (array([0.6]), array([25.]))
    """
    params, s = update_each(
        lambda p, g, s: adagrad_rule(p, g, s, lr=lr, eps=eps), params, grads, state["s"]
    )  # fmt: skip
    return params, {"s": s}


def rmsprop_rule(p, g, s, a, v, *, lr, rho, eps, centered, momentum):
    """s, a ← running means of g² and g;  v ← momentum v + g / (√s + ε), or / (√(s − a²) + ε);  p ← p − lr v"""
    s = rho * s + (1 - rho) * g * g
    a = rho * a + (1 - rho) * g
    # the variance s − a² of a constant gradient is zero up to rounding, and may come out below it
    root = np.sqrt(np.maximum(s - a * a, 0)) if centered else np.sqrt(s)
    v = momentum * v + g / (root + eps)
    return p - lr * v, s, a, v


@step(s=zeros, a=zeros, v=zeros)
def rmsprop(params, grads, state, lr=1e-3, rho=0.9, eps=1e-8, centered=False, momentum=0.0):
    """s ← ρ s + (1−ρ) g²,  p ← p − lr g / (√s + ε): AdaGrad that forgets.

    centered   divide by the gradient's standard deviation √(s − a²) instead, with a ← ρ a + (1−ρ) g
    momentum   move by −lr v instead, with v ← momentum v + g / (√s + ε)

    state: {"s": means of g², "a": means of g, "v": velocities}, zero at first; all three are kept whatever the
    options, so that an option may change on the way. With momentum 0, v is the last step before lr.

    Source: Hinton 2012, lecture 6e; MATLAB `rmspropupdate` (ρ 0.9); PyTorch (whose ρ is 0.99, lr 0.01) has the same
    place of ε, the same centring (but no protection of the root) and the same momentum. Keras 3 and optax put ε inside
    the root; Keras' velocity carries lr.

    >>> params, state = rmsprop({"x": np.array([1.0])}, {"x": np.array([4.0])},
    ...                         {"s": {"x": np.array([9.0])}, "a": {"x": np.array([0.0])}, "v": {"x": np.array([0.0])}},
    ...                         lr=0.5, rho=0.0)
    >>> params["x"], state["s"]["x"]
    (array([0.5]), array([16.]))
    """
    params, s, a, v = update_each(
        lambda p, g, s, a, v: rmsprop_rule(
            p, g, s, a, v, lr=lr, rho=rho, eps=eps, centered=centered, momentum=momentum
        ),
        params, grads, state["s"], state["a"], state["v"],
    )  # fmt: skip
    return params, {"s": s, "a": a, "v": v}


# ----------------------------------------------------------------------------------------------------- the Adam family
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


# ------------------------------------------------------------------------------------------------- a rate of one's own
def with_lr_factors(step, params, grads, state, lr, factors, **hyper):
    """Take any step, with each parameter's rate multiplied by its factor: 0 freezes it, 0.1 fine-tunes it.

    `factors` is a tree of numbers like `params`. A number may stand for everything below it, and a name that is
    missing has the factor 1: `{"body": 0.0, "head": {"b": 2.0}}`. For a list of layers `{0: 0.0}` names the first.

    A parameter moves by its factor times what `step(params, grads, state, lr, **hyper)` would move it. That is the
    same as a rate lr times the factor, because every step here moves by a multiple of lr; and 0 holds a parameter
    even if its velocity is not zero yet. A factor on the gradient would be another thing: Adam divides it out again.
    The state is the step's own. Returns (params, state).

    Raises ValueError for a factor whose name no parameter has. MATLAB: `setLearnRateFactor`; PyTorch: param groups.

    >>> params = {"body": {"W": np.array([1.0])}, "head": np.array([1.0, 2.0])}
    >>> grads = {"body": {"W": np.array([5.0])}, "head": np.array([1.0, 1.0])}
    >>> with_lr_factors(sgd, params, grads, {}, 0.1, {"body": 0.0, "head": 2.0})[0]
    {'body': {'W': array([1.])}, 'head': array([0.8, 1.8])}
    """
    moved, state = step(params, grads, state, lr, **hyper)
    return move_part(params, moved, factors), state


def move_part(p, moved, factor):
    """(1 − f) p + f moved, for every array; exact for the factors 0 and 1"""
    below, own = branches(p), branches(factor)
    if below is None:
        return (1 - factor) * p + factor * moved
    if own is None:
        own = dict.fromkeys(below, factor)
    if own.keys() - below.keys():
        raise ValueError(f"with_lr_factors: there are factors for {list(own)}, but parameters only for {list(below)}")
    return rebuilt(p, [move_part(q, moved[name], own.get(name, 1.0)) for name, q in below.items()])


# ------------------------------------------------------------------------------------------------------ chosen by name
@dataclass(frozen=True)
class Optimizer:
    """A pair of pure functions: `init(params) -> state`, `update(params, grads, state, lr=None) -> (params, state)`.

    Write your own as `Optimizer(my_init, my_update)`. `name` is what `using` replaces; `elementwise` promises that
    every entry is updated by itself, whatever its neighbours, so that a flat vector may be updated in blocks; `lr` is
    the rate that `update` takes when it is given none.
    """

    init: Callable[[Tree], State]
    update: Callable[..., tuple[Tree, State]]
    name: str = ""
    elementwise: bool = False
    lr: float | None = None


def optimizer(name: str, **hyper: Any) -> Optimizer:
    """The step of that name with its options, as an `Optimizer`: `optimizer("adam", b1=0.8, lr=0.01)`.

    `update` takes its own `lr`, from a schedule say; without one it is the `lr` given here, or the step's default.
    It pickles, and it calls the step by name each time, so that `using(adam=my_adam)` is seen.

    Raises ValueError for an unknown name, TypeError for an unknown option; both suggest the nearest.

    >>> adam = optimizer("adam", b1=0.8)
    >>> params = {"x": np.array([1.0, -1.0, 0.5])}
    >>> adam.update(params, params, adam.init(params), 0.5)[0]["x"].round(6)
    array([ 0.5, -0.5,  0. ])
    """
    function = find_step(name).function
    signature = inspect.signature(function).parameters
    options = list(signature)
    if options[0] != "params":
        raise ValueError(
            f"{name} asks for gradients at a point of its own choosing; call it directly, with {options[0]}"
        )
    for option in hyper:
        if option not in options[3:]:
            raise TypeError(f"{name} has no option {option!r}.{nearest(option, options[3:])}")
    numbers = all(value is None or isinstance(value, int | float) for value in hyper.values())
    lr = hyper.get("lr", signature["lr"].default)
    return Optimizer(functools.partial(init_state, name), functools.partial(take_step, name, hyper), name, numbers, lr)


def take_step(name: str, hyper: dict[str, Any], params: Tree, grads: Tree, state: State, lr: float | None = None):
    rate = {} if lr is None else {"lr": float(lr)}  # a NumPy float64 would turn float32 parameters into float64
    return STEPS[name].function(params, grads, state, **(hyper | rate))


def init_state(name: str, params: Tree) -> State:
    """The state that the step of that name starts from; the step's docstring says what it holds.

    >>> init_state("adam", {"W": np.ones((1, 3))})
    {'t': 0, 'm': {'W': array([[0., 0., 0.]])}, 'v': {'W': array([[0., 0., 0.]])}}
    """
    start = find_step(name).start
    return {key: value(params) if callable(value) else value for key, value in start.items()}


def find_step(name: str) -> Step:
    if name not in STEPS:
        raise ValueError(f"there is no optimizer {name!r}.{nearest(name, STEPS)} There are {', '.join(sorted(STEPS))}.")
    return STEPS[name]


def nearest(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), 1, cutoff=0.5)
    return f" Did you mean {close[0]!r}?" if close else ""
