"""The arguments of a call, one by one, and what may stand in the place of each: its square, its softmax, ones.

[name for name, get, put in slots({"g": g, "cache": {"y": y}})]     # ["g", "cache['y']"]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Arguments = dict[str, Any]
Slot = tuple[str, Callable[[Arguments], Any], Callable[[Arguments, Any], Arguments]]


def slots(args: Arguments) -> Iterator[Slot]:
    """Every argument, and every entry of those that are dicts: its name, how to read it, how to put another there."""
    for name, value in args.items():
        if type(value) is dict:
            for key in value:
                yield (
                    f"{name}[{key!r}]",
                    lambda args, n=name, k=key: args[n][k],
                    lambda args, new, n=name, k=key: {**args, n: {**args[n], k: new}},
                )
        else:
            yield name, lambda args, n=name: args[n], lambda args, new, n=name: {**args, n: new}


def alike(x: Any, y: Any) -> bool:
    if isinstance(x, np.ndarray) and isinstance(y, np.ndarray):
        return x.shape == y.shape
    return type(x) is type(y) and isinstance(x, float | int | dict)


def parallel(given: Arguments) -> list[str]:
    """Arguments that are trees of arrays by the same names, `params` and `grads`."""
    trees = {name: x for name, x in given.items() if type(x) is dict and x and all(map(is_floats, x.values()))}
    return [name for name, x in trees.items() if any(y.keys() == x.keys() for z, y in trees.items() if z != name)]


def is_floats(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def softmax(x: np.ndarray) -> np.ndarray:
    """Along the last axis."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


NUMBERS: dict[str, Callable[[float], float]] = {
    "0": lambda x: 0.0,
    "1": lambda x: 1.0,
    "1 − {}": lambda x: 1 - x,
    "half of {}": lambda x: x / 2,
    "twice {}": lambda x: 2 * x,
    "the square of {}": lambda x: x * x,
    "the root of {}": lambda x: x**0.5,
    "one over {}": lambda x: 1 / x,
}
ARRAYS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "{} without its signs": np.abs,
    "the opposite of {}": np.negative,
    "{} cut to whole numbers": np.trunc,
    "{} in reverse order": lambda x: x[::-1],
    "{} squared": np.square,
    "only the signs of {}": np.sign,
    "zeros in the place of {}": np.zeros_like,
    "ones in the place of {}": np.ones_like,
    "the first number of {} everywhere": lambda x: np.full_like(x, x.flat[0]),
    "the sigmoid of {}": lambda x: 1 / (1 + np.exp(-x)),
    "the tanh of {}": np.tanh,
    "the softmax of {}": lambda x: softmax(x),
    "{} without what is negative": lambda x: np.maximum(x, 0),
    "exp of {}": np.exp,
    "the logarithm of {}": np.log,
}
