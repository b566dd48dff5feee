"""A layer on trial: its parameters, and inputs of any number of samples, always the same ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..layers import Layer
from ..trees import Tree, tree_leaves, tree_map

Inputs = Callable[["np.random.Generator", int], Tree]  # in quotes: NumPy loads its generators when they are asked for
MODES = {False: "in prediction", True: "in training"}


class Problem(Exception):
    """What is wrong, in a sentence."""


@dataclass(frozen=True)
class Case:
    layer: Layer
    shape: Any
    inputs: Inputs | None
    batch_sizes: tuple[int, ...]
    seed: int

    def rng(self) -> np.random.Generator:
        """A new generator, which draws what the last one drew."""
        return np.random.default_rng(self.seed)

    def start(self, dtype: Any = float) -> tuple[Tree, Tree, Any]:
        """What init gives; the parameters are moved a little, since those that begin at 0 or 1 hide mistakes."""
        params, state, promised = self.layer.init(self.rng(), self.shape, dtype)
        rng = np.random.default_rng(self.seed + 1)
        return tree_map(lambda p: (p + 0.3 * rng.normal(size=np.shape(p))).astype(dtype), params), state, promised

    def samples(self, n: int, dtype: Any = float) -> Tree:
        rng = np.random.default_rng(self.seed + 2 + n)
        x = rng.normal(size=(n, *self.shape)) if self.inputs is None else self.inputs(rng, n)
        return tree_map(lambda leaf: np.asarray(leaf, dtype) if is_float(leaf) else np.asarray(leaf), x)

    def apply(self, params: Tree, state: Tree, x: Tree, training: bool) -> tuple[Any, Tree]:
        """The layer with a fresh generator in training, and with none in prediction."""
        return self.layer.apply(params, state, x, training, self.rng() if training else None)


def is_float(leaf: Any) -> bool:
    return np.result_type(leaf).kind == "f"


def copied(tree: Tree) -> Tree:
    return tree_map(np.copy, tree)


def same(tree: Tree, other: Tree) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(tree_leaves(tree), tree_leaves(other), strict=True))


def close(a: Any, b: Any) -> bool:
    """Equal up to rounding, which may differ with the number of samples that are computed at once."""
    return bool(np.allclose(a, b, rtol=1e-9, atol=1e-9 * max(1.0, float(np.max(np.abs(b), initial=0)))))
