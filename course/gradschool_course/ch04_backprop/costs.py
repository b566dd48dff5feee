"""Arrays that count: how many multiplications and additions NumPy was asked for, and how many matrix products.

with counting() as work:
    Z, cache = mlp_forward(counted(params), counted(X))
work.operations, work.products
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np


@dataclass
class Work:
    """Floating-point operations, and matrix products among what made them."""

    operations: int = 0
    products: int = 0


_open: list[Work] = []


@contextmanager
def counting() -> Iterator[Work]:
    """Everything that counted arrays do inside the block."""
    work = Work()
    _open.append(work)
    try:
        yield work
    finally:
        _open.remove(work)


class Counted(np.ndarray):
    """An array like any other, whose results are counted arrays as well."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        plain = [x.view(np.ndarray) if isinstance(x, Counted) else x for x in inputs]
        options = {key: bare(value) for key, value in options.items()}
        result = getattr(ufunc, method)(*plain, **options)
        for work in _open:
            work.operations += operations(ufunc, method, plain, result)
            work.products += ufunc is np.matmul
        return result.view(Counted) if isinstance(result, np.ndarray) else result


def bare(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(bare, value))
    return value.view(np.ndarray) if isinstance(value, Counted) else value


def operations(ufunc: Any, method: str, inputs: list[Any], result: Any) -> int:
    """A product (n, k) (k, m) has n m k multiplications and as many additions; all else has one for each entry."""
    if ufunc is np.matmul:
        return 2 * np.size(result) * np.shape(inputs[0])[-1]
    return int(np.size(inputs[0]) if method == "reduce" else np.size(result))


def counted(tree: Any) -> Any:
    """The tree with counting arrays."""
    if isinstance(tree, dict):
        return {name: counted(part) for name, part in tree.items()}
    if isinstance(tree, list):
        return [counted(part) for part in tree]
    return np.asarray(tree).view(Counted)


def network(widths: list[int], rng: np.random.Generator) -> list[dict[str, np.ndarray]]:
    """Weights and biases of dense layers between these widths, of a size at which relu keeps the scale."""
    pairs = pairwise(widths)
    return [{"W": rng.normal(size=(n, m)) * np.sqrt(2 / n), "b": np.zeros(m)} for n, m in pairs]


def size(params: list[dict[str, np.ndarray]]) -> int:
    """How many numbers there are to learn."""
    return sum(part.size for layer in params for part in layer.values())
