"""A helper is a public function that a check hands to the student's function, where that takes a function: a gradient
to ask, a rule to apply. Everyone may read them; each is a factory that needs NumPy alone.

    grad_fn = HELPERS["quadratic"](a={"x": [1.0, 10.0]})
    grad_fn({"x": np.array([1.0, -1.0])})            # {'x': array([  1., -10.])}
    rule = HELPERS["decayed"](lr=0.1, decay=0.5)
    rule(np.array([1.0, 2.0]), np.array([3.0, 0.0]))   # p - 0.1 (g + 0.5 p): [0.65 1.9 ]
"""

from functools import lru_cache
from itertools import cycle

import numpy as np

__all__ = ["HELPERS"]


def quadratic(a):
    """grad_fn(params): the gradient of the sum of a x² / 2, where `a` holds the curvatures under params' names."""
    return lambda params: {name: np.asarray(a[name]) * params[name] for name in a}


def quartic(a):
    """grad_fn(params): the gradient of the sum of a (x² − 1)² / 4, two valleys with a ridge between them."""
    return lambda params: {name: np.asarray(a[name]) * (params[name] ** 3 - params[name]) for name in a}


def joined(a, c):
    """grad_fn(params): the gradient of the sum of a x² / 2, plus c / 2 times the square of the sum of all entries."""

    def grad_fn(params):
        total = c * sum(float(np.sum(params[name])) for name in a)
        return {name: np.asarray(a[name]) * params[name] + total for name in a}

    return grad_fn


def batch_by_batch(a, sizes):
    """grad_fn(params): the gradient of `quadratic` on a noisy batch, times one of `sizes`; each call sees the next."""
    calls = cycle(sizes)

    def grad_fn(params):
        size = next(calls)
        return {name: size * np.asarray(a[name]) * params[name] for name in a}

    return grad_fn


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


def falling(lr, by):
    """schedule(n): a rate that is multiplied by `by` with every step or epoch; it knows none before the first."""

    def schedule(n):
        if np.any(np.asarray(n) < 0) or np.asarray(n).dtype.kind not in "iu":
            raise ValueError(f"a schedule is asked for 0, 1, 2, ..., not for {n}")
        return lr * by**n

    return schedule


def towards():
    """step(params, batch, rate): part of the way from the parameters to the batch, in a way that order matters."""
    return lambda params, batch, rate: params + rate * (batch - params)


def graph(edges):
    """parents(node): what the node is made of directly, where `edges` has a list for each of the nodes 0, 1, 2, ..."""
    return lambda node: list(edges[node])


def carried():
    """Variable(array): entries that carry their derivatives along, forwards. They know +, * and sum, not stretching."""

    class Variable:
        def __init__(self, data, slopes=None):
            self.data, self.grad = np.asarray(data, dtype=float), None
            own = np.eye(self.data.size).reshape(self.data.shape * 2)
            self.slopes = {self: own} if slopes is None else slopes

        def mixed(self, data, mine, other, theirs):
            """data, whose slope is `mine` times this one's and `theirs` times the other's."""
            parts = [(self.slopes, mine), (other.slopes if isinstance(other, Variable) else {}, theirs)]
            slopes = {}
            for all_of, by in parts:
                for leaf, slope in all_of.items():
                    wide = np.reshape(by * np.ones(data.shape), data.shape + (1,) * leaf.data.ndim)
                    slopes[leaf] = slopes.get(leaf, 0) + wide * slope
            return Variable(data, slopes)

        def __add__(self, other):
            return self.mixed(self.data + getattr(other, "data", other), 1, other, 1)

        def __mul__(self, other):
            factor = other.data if isinstance(other, Variable) else other
            return self.mixed(self.data * factor, factor, other, self.data)

        def sum(self):
            axes = tuple(range(self.data.ndim))
            return Variable(self.data.sum(), {leaf: slope.sum(axis=axes) for leaf, slope in self.slopes.items()})

        def backward(self, g=None):
            if g is None and self.data.shape != ():
                raise ValueError(f"expected one number, got shape {self.data.shape}")
            for leaf, slope in self.slopes.items():
                leaf.grad = np.tensordot(1.0 if g is None else g, slope, axes=self.data.ndim)

    return Variable


def weighed_sum(c):
    """f(x, w): the sum of x² w + c x w, written with * and +, for variables of one shape."""
    return lambda x, w: ((x * x + x * c) * w).sum()


def first_alone(c):
    """f(x, w): the sum of x² + c x, whatever w is."""
    return lambda x, w: (x * x + x * c).sum()


def as_many_as_come(c):
    """f(*arrays): c a², then from array to array what there is times b, plus b², and in the end the sum of it."""

    def f(first, *others):
        y = first * first * c
        for b in others:
            y = y * b + b * b
        return y.sum()

    return f


def every_entry(c):
    """f(x, w): x² w + c x w, entry by entry."""
    return lambda x, w: (x * x + x * c) * w


@lru_cache(maxsize=1)
def one_array(c, n):
    """n multiples of c, for two arguments that are one and the same array, which nobody can write into."""
    multiples = c * np.arange(1.0, n + 1)
    multiples.setflags(write=False)
    return multiples


def coupled(a, b):
    """grad_f(x): the gradient of sum a x⁴ / 4 + b (x . x)² / 4, whose second derivatives couple all entries."""
    return lambda x: a * x**3 + b * np.sum(x * x) * x


def batch_normalised(W, V, kept):
    """model(x, dropping): two dense layers, normalised by the batch; (y, {"first": {"mean", "var"}, "second": ...}).

    With `dropping`, units of the first layer whose `kept` is 0 are dropped, and the others made larger instead.
    """

    def statistics(z):
        return {"mean": z.mean(axis=0), "var": z.var(axis=0)}

    def normalised(z):
        return (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + 1e-5)

    def model(x, dropping):
        first = x @ W
        h = np.maximum(normalised(first), 0) * (kept / kept.mean() if dropping else 1.0)
        second = h @ V
        return normalised(second), {"first": statistics(first), "second": statistics(second)}

    return model


def leaking(left):
    """act(z): z where it is positive, `left` z elsewhere."""
    return lambda z: np.where(z > 0, z, left * z)


def saturating(by):
    """act(z): tanh(by z), entry by entry."""
    return lambda z: np.tanh(by * z)


def saturating_slope(by):
    """slope(z): the derivative of tanh(by z)."""
    return lambda z: by * (1 - np.tanh(by * z) ** 2)


def normal_weights(by):
    """init(shape, rng): normal numbers of deviation by / √inputs."""
    return lambda shape, rng: by * rng.normal(size=shape) / np.sqrt(shape[0])


def no_generator():
    """In the place of a generator: whoever asks it for numbers is refused with a ValueError."""

    class NotToBeAsked(ValueError):  # by this name a check knows that it was the helper who refused, not the function
        pass

    class NoGenerator:
        def __getattr__(self, name):
            kind = AttributeError if name.startswith("_") else NotToBeAsked
            raise kind(f"no numbers are drawn here, not with {name} either")

    return NoGenerator()


def bowl(A, b):
    """f(x): the height x . A x / 2 - b . x, for A symmetric; a bowl if all its curvatures are positive."""
    return lambda x: x @ np.asarray(A) @ x / 2 - np.asarray(b) @ x


def bowl_slope(A, b):
    """grad_f(x): the gradient A x - b of `bowl`."""
    return lambda x: np.asarray(A) @ x - np.asarray(b)


def wells(a):
    """f(x): the sum of a (x² − 1)² / 4, whose every entry has a valley at 1 and at −1 and a ridge at 0."""
    return lambda x: np.sum(np.asarray(a) * (x**2 - 1) ** 2) / 4


def wells_slope(a):
    """grad_f(x): the gradient of `wells`."""
    return lambda x: np.asarray(a) * (x**3 - x)


def regression(kept, room):
    """model_loss(params, X, T, training): half the mean square of X W + b - T, and its gradients.

    In training the columns of X whose `kept` is 0 are dropped; without it the gradients are None. More than `room`
    samples at a time are refused.
    """

    def model_loss(params, X, T, training=True):
        if len(X) > room:
            raise ValueError(f"there is room for {room} samples, and {len(X)} came")
        X = X * kept if training else X
        error = X @ params["W"] + params["b"] - T
        loss = np.sum(error**2) / (2 * len(X))
        if not training:
            return loss, None
        return loss, {"W": X.T @ error / len(X), "b": error.sum(axis=0) / len(X)}

    return model_loss


def heavy(beta):
    """update(params, grads, state, lr): a step with inertia; state: {"v": velocities}."""

    def update(params, grads, state, lr):
        v = {name: beta * state["v"][name] - lr * grads[name] for name in params}
        return {name: params[name] + v[name] for name in params}, {"v": v}

    return update


def dropping_network(W, V, rate):
    """model(X, rng=None, training=False): the scores (N, K) of a network with one hidden layer.

    With a generator it drops hidden numbers, each with probability `rate`. Its normalisation goes by what it remembers,
    mean 0 and variance 1; in training it goes by the batch.
    """

    def model(X, rng=None, training=False):
        h = np.maximum(X @ W, 0)
        if training:
            h = (h - h.mean(axis=0)) / np.sqrt(h.var(axis=0) + 1e-5)
        if rng is not None:
            h = h * (rng.random(h.shape) >= rate) / (1 - rate)
        return h @ V

    return model


def linear_epoch(beta):
    """epoch(model, slots, X, y, lr): one step with inertia for a chain of matrices that is to say 1 or −1 for y 1 or 0.

    model is a list of {"W", "trainable"}; what is frozen stays. Returns (model, slots); slots None is at rest.
    """

    def epoch(model, slots, X, y, lr):
        slots = [np.zeros_like(layer["W"]) for layer in model] if slots is None else list(slots)
        inputs, moved = [X], []
        for layer in model:
            inputs.append(inputs[-1] @ layer["W"])
        g = (inputs.pop() - (2 * y[:, None] - 1)) / len(X)
        for i, layer in reversed(list(enumerate(model))):
            W, own = layer["W"], inputs[i].T @ g
            g = g @ W.T
            if layer["trainable"]:
                slots[i] = beta * slots[i] - lr * own
                W = W + slots[i]
            moved.insert(0, {**layer, "W": W})
        return moved, slots

    return epoch


def sign_of_chain():
    """predict(model, X): 1 where the chain of matrices gives a positive number, else 0."""

    def predict(model, X):
        for layer in model:
            X = X @ layer["W"]
        return (X[:, 0] > 0).astype(int)

    return predict


FACTORIES = (
    quadratic, quartic, joined, batch_by_batch, shrunk, decayed, rolling, signed, falling, towards,
    graph, carried, weighed_sum, first_alone, as_many_as_come, every_entry, one_array, coupled, batch_normalised,
    leaking, saturating, saturating_slope, normal_weights, no_generator,
    bowl, bowl_slope, wells, wells_slope, regression, heavy,
    dropping_network, linear_epoch, sign_of_chain,
)  # fmt: skip
HELPERS = {
    factory.__name__: factory for factory in FACTORIES
}  # the name in a probe, Helper("quadratic", {"a": ...}), is the factory's own
