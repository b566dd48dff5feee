"""A helper is a public function that a check hands to the student's function, where that takes a function: a gradient
to ask, a rule to apply. Everyone may read them; each is a factory that needs NumPy alone.

    grad_fn = HELPERS["quadratic"](a={"x": [1.0, 10.0]})
    grad_fn({"x": np.array([1.0, -1.0])})            # {'x': array([  1., -10.])}
    rule = HELPERS["decayed"](lr=0.1, decay=0.5)
    rule(np.array([1.0, 2.0]), np.array([3.0, 0.0]))   # p - 0.1 (g + 0.5 p): [0.65 1.9 ]
"""

import numpy as np

__all__ = ["HELPERS"]


def quadratic(a):
    """grad_fn(params): the gradient of the sum of a x² / 2, where `a` holds the curvatures under params' names."""
    return lambda params: {name: np.asarray(a[name]) * params[name] for name in a}


def quartic(a):
    """grad_fn(params): the gradient of the sum of a (x² − 1)² / 4, two valleys with a ridge between them."""
    return lambda params: {name: np.asarray(a[name]) * (params[name] ** 3 - params[name]) for name in a}


def shrunk(by):
    """rule(p): the parameter times a constant."""
    return lambda p: by * p


def decayed(lr, decay):
    """rule(p, g): a step downhill that also pulls p towards zero, even where the gradient is zero."""
    return lambda p, g: p - lr * (g + decay * p)


def rolling(lr, beta):
    """rule(p, g, v): a step with inertia; returns the new p and the new v."""

    def rule(p, g, v):
        v = beta * v - lr * g
        return p + v, v

    return rule


def signed(b1, b2):
    """step(params, grads, state, lr, decay=0.0): moves by the sign of an average (Lion, Chen et al. 2023).

    The size of a gradient does not matter to it, only the sign of its mixture with what came before. Nested dicts are
    understood, and a gradient of None leaves what belongs to it alone. state: {"m": averages}.
    """

    def walk(p, g, m, lr, decay):
        if g is None:
            return (p, m) if isinstance(p, dict) else (p.copy(), m.copy())
        if isinstance(p, dict):
            parts = {name: walk(p[name], g[name], m[name], lr, decay) for name in p}
            return {name: part[0] for name, part in parts.items()}, {name: part[1] for name, part in parts.items()}
        return p - lr * (np.sign(b1 * m + (1 - b1) * g) + decay * p), b2 * m + (1 - b2) * g

    def step(params, grads, state, lr, decay=0.0):
        params, m = walk(params, grads, state["m"], lr, decay)
        return params, {"m": m}

    return step


HELPERS = {
    factory.__name__: factory for factory in (quadratic, quartic, shrunk, decayed, rolling, signed)
}  # the name in a probe, Helper("quadratic", {"a": ...}), is the factory's own
