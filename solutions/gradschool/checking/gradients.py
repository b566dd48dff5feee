"""The gradient of a layer, beside central differences: of every input and parameter, with random cotangents, at several
batch sizes. A wrong one is looked at entry by entry, and against what is usually forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import numerical_gradient
from ..autodiff import vjp
from ..trees import Tree, tree_leaves, tree_map, tree_paths
from .case import MODES, Case, Problem, close, is_float

EPS = 1e-6  # all entries move at once, so each moves by little
ENTRIES = 400  # arrays up to this size are looked at entry by entry


class Slope:
    """sum(g * y) as a function of the float arrays among inputs and parameters, by path, and its gradient."""

    def __init__(self, case: Case, n: int, training: bool):
        self.case, self.training = case, training
        self.params, self.state, _ = case.start()
        self.x = case.samples(n)
        paths = [*paths_of("the input", self.x), *paths_of("params", self.params)]
        self.all = dict(zip(paths, tree_leaves((self.x, self.params)), strict=True))
        self.floats = {path: leaf for path, leaf in self.all.items() if is_float(leaf)}
        rng = np.random.default_rng(case.seed + 5)
        y, self.pullback = vjp(self.results, self.floats)
        self.y = y
        self.g = tree_map(lambda leaf: rng.normal(size=np.shape(leaf)), y)

    def results(self, floats: dict[str, Any]) -> list[Any]:
        leaves = iter([floats.get(path, leaf) for path, leaf in self.all.items()])
        x, params = tree_map(lambda _: next(leaves), (self.x, self.params))
        y, _ = self.case.apply(params, self.state, x, self.training)
        return [leaf for leaf in tree_leaves(y) if is_float(leaf)]

    def gradient(self) -> dict[str, Any]:
        return self.pullback(self.g)[0]

    def at(self, path: str, leaf: Any, g: list[Any] | None = None) -> float:
        y = self.results(self.floats | {path: leaf})
        return sum(float(np.sum(d * r)) for d, r in zip(self.g if g is None else g, y, strict=True))

    def differences(self, path: str, g: list[Any] | None = None) -> np.ndarray:
        return numerical_gradient(lambda leaf: self.at(path, leaf, g), self.floats[path])


def paths_of(name: str, tree: Tree) -> list[str]:
    return [name + (path if not path or path.startswith("[") else f".{path}") for path in tree_paths(tree)]


# ------------------------------------------------------------------------------------------------------- is it right?
def gradients(case: Case) -> None:
    """the gradient of every input and parameter is that of central differences, at every batch size"""
    wrong: dict[tuple[str, bool], dict[int, Slope]] = {}
    for training in MODES:
        for n in filter(None, case.batch_sizes):
            slope = Slope(case, n, training)
            found = slope.gradient()
            for path, leaf in slope.floats.items():
                if not agrees(slope, path, leaf, found[path]):
                    wrong.setdefault((path, training), {})[n] = slope
    if wrong:
        (path, training), slopes = next(iter(wrong.items()))
        others = sorted({other for other, _ in wrong} - {path})
        more = f"; wrong too: {', '.join(others)}" if others else ""
        raise Problem(explained(case, path, MODES[training], slopes) + more)


def agrees(slope: Slope, path: str, leaf: Any, d: Any) -> bool:
    """Whether the gradient is right along a direction that moves every entry."""
    v = np.random.default_rng(slope.case.seed + 6).normal(size=np.shape(leaf))
    analytic = float(np.sum(d * v))
    numeric = (slope.at(path, leaf + EPS * v) - slope.at(path, leaf - EPS * v)) / (2 * EPS)
    terms = sum(float(np.sum(np.abs(g * y))) for g, y in zip(slope.g, slope.y, strict=True))
    return abs(analytic - numeric) <= 1e-6 * max(abs(analytic), abs(numeric)) + 1e-8 * terms  # rounding of the terms


def repeatable(case: Case) -> None:
    """the backward uses what its own forward kept"""
    for training, mode in MODES.items():
        slope = Slope(case, max(case.batch_sizes), training)
        first, second = slope.gradient(), slope.gradient()
        if not all(close(first[path], second[path]) for path in first):
            raise Problem(f"{mode}, the backward gave another gradient the second time; it must not change its cache")
        again = Slope(case, max(case.batch_sizes), training)
        case.apply(*case.start()[:2], case.samples(max(case.batch_sizes) + 1), training)
        late = again.gradient()
        if not all(np.shape(first[path]) == np.shape(late[path]) and close(first[path], late[path]) for path in first):
            raise Problem(
                f"{mode}, the gradient changed because the layer was called again before it was taken; "
                "keep what the backward needs in the cache that forward returns, not in a variable outside"
            )


# ---------------------------------------------------------------------------------------------------- what is wrong?
def explained(case: Case, path: str, mode: str, slopes: dict[int, Slope]) -> str:
    right = [n for n in case.batch_sizes if n and n not in slopes]
    n, slope = next(iter(slopes.items()))
    text = f"of {path} {mode}, at batch size {n}"
    text += f" (it is right at {', '.join(map(str, right))})" if right else ""
    found = np.asarray(slope.gradient()[path])
    if found.size > ENTRIES:
        return f"{text}, is not that of central differences; check it with less numbers to see the entries"
    numeric = slope.differences(path)
    for name, looks_so in READINGS:
        if looks_so(slope, path, found, numeric):
            return f"{text}, {name.format(n=n, ratio=ratio(found, numeric))}"
    worst = np.unravel_index(np.argmax(np.abs(found - numeric)), found.shape)
    at = f" at {[int(i) for i in worst]}" if worst else ""
    return f"{text}, is {found[worst]:.8g}{at}, but central differences give {numeric[worst]:.8g}"


def ratio(found: np.ndarray, numeric: np.ndarray) -> float:
    """The number that the right gradient is multiplied with; nan if it is not just one."""
    size = float(np.sum(numeric * numeric))
    k = float(np.sum(found * numeric)) / size if size else np.nan
    return k if np.allclose(found, k * numeric, rtol=1e-5, atol=1e-6 * np.sqrt(size)) else np.nan


def is_zero(slope: Slope, path: str, found: np.ndarray, numeric: np.ndarray) -> bool:
    return not found.any()


def is_a_mean(slope: Slope, path: str, found: np.ndarray, numeric: np.ndarray) -> bool:
    n = len(slope.y[0])
    return n > 1 and bool(np.isclose(ratio(found, numeric), 1 / n, rtol=1e-4))


def is_of_sample(i: int) -> Callable[..., bool]:
    def looks_so(slope: Slope, path: str, found: np.ndarray, numeric: np.ndarray) -> bool:
        if len(slope.y[0]) < 2 or path.startswith("the input"):
            return False
        alone = [np.zeros_like(g) for g in slope.g]
        for part, g in zip(alone, slope.g, strict=True):
            part[i] = g[i]
        return bool(np.allclose(found, slope.differences(path, alone), rtol=1e-5, atol=1e-6))

    return looks_so


def is_negative(slope: Slope, path: str, found: np.ndarray, numeric: np.ndarray) -> bool:
    return bool(np.isclose(ratio(found, numeric), -1, rtol=1e-4))


def is_a_multiple(slope: Slope, path: str, found: np.ndarray, numeric: np.ndarray) -> bool:
    return bool(np.isfinite(ratio(found, numeric)) and abs(ratio(found, numeric) - 1) > 1e-3)


READINGS = (
    ("is zero: no derivative gets there; is a constant or stop_gradient on the way?", is_zero),
    ("is the mean over the batch; it must be the sum of all {n} samples, since the loss has the mean in it", is_a_mean),
    ("is that of the first sample alone; sum over the batch", is_of_sample(0)),
    ("is that of the last sample alone; sum over the batch", is_of_sample(-1)),
    ("has the wrong sign", is_negative),
    ("is {ratio:.4g} times what central differences give", is_a_multiple),
)
