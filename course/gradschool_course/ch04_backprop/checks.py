"""Backwards beside central differences: for each function and seed the largest relative error.

errors = gradient_errors({"relu_backward": relu_backward, ...}, seeds=range(10))
errors["relu_backward"]          # one number for each seed; 1e-6 is the limit, 1e-9 what one sees
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

import gradschool as gs
from gradschool.lessons.backprop import mlp_forward
from gradschool.ops import elementwise, linear
from gradschool.ops.softmax import softmax_forward

from .costs import network

Pull = Callable[[Any, Any], Any]


def away_from_kinks(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers of both signs, none so near to 0 that a difference would reach across."""
    x = rng.normal(size=shape)
    return x + np.copysign(0.01, x)


def one_input(forward: Callable[..., Any], **options: Any) -> Callable[..., dict[str, float]]:
    """The error of a backward that returns one array."""

    def error(backward: Pull, name: str, rng: np.random.Generator) -> dict[str, float]:
        x = away_from_kinks(rng, (5, 7))
        y, cache = forward(x, **options)
        g = rng.normal(size=y.shape)
        return {name: difference(lambda x: np.sum(g * forward(x, **options)[0]), backward(g, cache), x)}

    return error


def difference(f: Callable[[np.ndarray], Any], gradient: np.ndarray, x: np.ndarray) -> float:
    return float(gs.gradient_check(f, lambda _: gradient, x))


def of_dense(backward: Pull, name: str, rng: np.random.Generator) -> dict[str, float]:
    X, W, b = rng.normal(size=(6, 4)), rng.normal(size=(4, 3)), rng.normal(size=3)
    Y, cache = linear.dense_forward(X, W, b)
    g = rng.normal(size=Y.shape)
    dX, dW, db = backward(g, cache)

    def value(X: np.ndarray, W: np.ndarray, b: np.ndarray) -> Any:
        return np.sum(g * linear.dense_forward(X, W, b)[0])

    return {
        f"{name}: dX": difference(lambda X: value(X, W, b), dX, X),
        f"{name}: dW": difference(lambda W: value(X, W, b), dW, W),
        f"{name}: db": difference(lambda b: value(X, W, b), db, b),
    }


def of_pair(backward: Pull, name: str, rng: np.random.Generator) -> dict[str, float]:
    z, y = rng.normal(size=(6, 4)), rng.integers(0, 4, size=6)
    gradient = backward(1.0, {"p": gs.softmax(z), "y": y})
    return {name: difference(lambda z: gs.sparse_cross_entropy(gs.softmax(z), y), gradient, z)}


def of_network(backward: Pull, name: str, rng: np.random.Generator) -> dict[str, float]:
    """The weights of each layer, and the input."""
    params, X = network([5, 8, 6, 3], rng), rng.normal(size=(7, 5))
    Z, cache = mlp_forward(params, X)
    g = rng.normal(size=Z.shape)
    dX, grads = backward(g, cache)

    def value(i: int, W: np.ndarray) -> Any:
        moved = [{**layer, "W": W} if i == j else layer for j, layer in enumerate(params)]
        return np.sum(g * mlp_forward(moved, X)[0])

    found = {f"{name}: dX": difference(lambda X: np.sum(g * mlp_forward(params, X)[0]), dX, X)}
    for i, layer in enumerate(params):
        found[f"{name}: dW{i + 1}"] = difference(lambda W, i=i: value(i, W), grads[i]["W"], layer["W"])
    return found


CASES = {
    "relu_backward": one_input(elementwise.relu_forward),
    "leaky_relu_backward": one_input(elementwise.leaky_relu_forward, alpha=0.2),
    "sigmoid_backward": one_input(elementwise.sigmoid_forward),
    "tanh_backward": one_input(elementwise.tanh_forward),
    "elu_backward": one_input(elementwise.elu_forward, alpha=1.5),
    "selu_backward": one_input(elementwise.selu_forward),
    "softmax_backward": one_input(softmax_forward),
    "softmax_ce_backward": of_pair,
    "dense_backward": of_dense,
    "mlp_backward": of_network,
}


def gradient_errors(backwards: Mapping[str, Pull], seeds: Iterable[int]) -> dict[str, np.ndarray]:
    """A row of errors for each gradient of each backward. A name may have words behind a comma, as a remark."""
    columns = [
        {
            key: error
            for name, backward in backwards.items()
            for key, error in CASES[name.partition(",")[0]](backward, name, np.random.default_rng(seed)).items()
        }
        for seed in seeds
    ]
    return {key: np.array([column[key] for column in columns]) for key in columns[0]}
