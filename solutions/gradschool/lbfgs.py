"""L-BFGS learns the curvature of the loss from its last few steps and gradients, and steps as Newton would, without a
matrix. It needs all the data at every step and a smooth loss; then tens of steps do what takes descent thousands.

    opt = lbfgs(history=10)
    loss_and_grads = value_and_grad(lambda params: half_mse(model(params, X), T))
    state = opt.init(params)
    for _ in range(50):
        params, state = opt.update(loss_and_grads, params, state)       # asks for the loss several times

Unlike the other optimizers it takes the function, because a line search must try steps before it takes one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .trees import ravel, tree_map

__all__ = ["LBFGS", "lbfgs", "two_loop"]

Tree = Any
Closure = Callable[[Tree], tuple[Any, Tree]]
Line = Callable[[float], tuple[float, float]]
CURVATURES = {"backtracking": None, "weak-wolfe": False, "strong-wolfe": True}


def two_loop(g: np.ndarray, pairs: list[tuple[np.ndarray, np.ndarray]], factor: float) -> np.ndarray:
    """H g, where H is the inverse Hessian that BFGS makes of `factor` times the identity and the pairs (s, y).

    s is a step, y the change of the gradient along it, the newest pair last; s and y (n,), s·y > 0.
    Source: Nocedal and Wright 2006, algorithm 7.4.

    >>> s, y = np.array([1.0, 0.0]), np.array([4.0, 0.0])          # curvature 4 along the first axis
    >>> two_loop(np.array([8.0, 8.0]), [(s, y)], factor=0.5).tolist()
    [2.0, 4.0]
    """
    q, alphas = g, []
    for s, y in reversed(pairs):
        alphas.append((s @ q) / (s @ y))
        q = q - alphas[-1] * y
    r = factor * q
    for (s, y), alpha in zip(pairs, reversed(alphas), strict=True):
        r = r + (alpha - (y @ r) / (s @ y)) * s
    return r


def line_search(line: Line, loss: float, slope: float, method: str, tries: int, c1: float, c2: float) -> float:
    """A step length t with sufficient decrease, found by halving and doubling; 0 where `tries` were not enough.

    line(t) is the loss at t and its slope there; `loss` and `slope` < 0 are those at 0. The conditions are
    line(t) <= loss + c1 t slope; for weak Wolfe also slope(t) >= c2 slope, for strong |slope(t)| <= c2 |slope|.
    Where only the curvature could not be met, the result is the longest step that decreased the loss.
    """
    low, high, t = 0.0, math.inf, 1.0
    for _ in range(tries):
        value, steep = line(t)
        if not value <= loss + c1 * t * slope:  # also where the loss is NaN
            high = t
        elif CURVATURES[method] is None:
            return t
        elif steep < c2 * slope:
            low = t
        elif CURVATURES[method] and steep > -c2 * slope:
            high = t
        else:
            return t
        t = 2 * t if math.isinf(high) else (low + high) / 2
    return low


@dataclass(frozen=True)
class LBFGS:
    """What `lbfgs` returns: its options, and the pair of pure functions."""

    history: int
    method: str
    tries: int
    initial_factor: float
    c1: float
    c2: float

    def init(self, params: Tree) -> dict[str, Any]:
        """The state before the first step.

        `pairs` is the history [(s, y), ...] of vectors. The rest is for looking at: `loss`, `gradients_norm` and
        `step_norm` of the last step, and its `status`, "completed", "failed" (the line search found no lower loss,
        nothing moved) or "converged" (the gradient is 0).
        """
        return {"pairs": [], "loss": math.nan, "gradients_norm": math.nan, "step_norm": 0.0, "status": ""}

    def update(self, loss_and_grads: Closure, params: Tree, state: dict[str, Any]) -> tuple[Tree, dict[str, Any]]:
        """One step. `loss_and_grads(params)` returns a number and a tree like `params`, as `value_and_grad(f)` does.

        Raises ValueError if the loss is NaN or infinite where it starts, FloatingPointError if its gradient is. Returns
        (params, state).
        """
        x, unravel = ravel(params)

        def at(point: np.ndarray) -> tuple[float, np.ndarray]:
            tree = unravel(point)
            loss, grads = loss_and_grads(tree)
            return float(loss), ravel(tree_map(lambda _, g: g, tree, grads))[0]

        loss, g = at(x)
        if not math.isfinite(loss):
            raise ValueError(f"lbfgs: the loss is {loss} before the step; start from smaller parameters")
        if not np.isfinite(g).all():
            raise FloatingPointError(f"the loss is {loss:.4g}, but its gradient is nan or infinite")
        step, loss, change, status = self.step(at, x, loss, g, state["pairs"])
        pairs = remembered(state["pairs"], step, change, self.history) if status != "failed" else []
        news = {"loss": loss, "gradients_norm": length(g + change), "step_norm": length(step), "status": status}
        return unravel(x + step), {"pairs": pairs, **news}

    def step(self, at: Callable[..., Any], x: np.ndarray, loss: float, g: np.ndarray, pairs: list[Any]) -> Any:
        """(step, loss after it, change of the gradient along it, status)"""
        still = np.zeros_like(x)
        if not g.any():
            return still, loss, still, "converged"
        direction = -two_loop(g, pairs, factor_of(pairs, self.initial_factor))
        seen: dict[float, tuple[float, np.ndarray]] = {}

        def line(t: float) -> tuple[float, float]:
            seen[t] = at(x + t * direction)
            return seen[t][0], float(seen[t][1] @ direction)

        t = line_search(line, loss, float(g @ direction), self.method, self.tries, self.c1, self.c2)
        if t == 0:
            return still, loss, still, "failed"
        return t * direction, seen[t][0], seen[t][1] - g, "completed"


def length(x: np.ndarray) -> float:
    return float(np.linalg.norm(x))


def factor_of(pairs: list[Any], initial: float) -> float:
    """The scale of the inverse Hessian: the newest pair's, so that a step length of 1 is about right."""
    if not pairs:
        return initial
    s, y = pairs[-1]
    return float((s @ y) / (y @ y))


def remembered(pairs: list[Any], s: np.ndarray, y: np.ndarray, history: int) -> list[Any]:
    """The history with a new pair; without it if the loss did not curve upwards, for H must stay positive definite.

    Even then the oldest pair goes: pairs that are never replaced would describe a place left long ago, and the steps
    that they lead to may be too short to find a curvature that can be learned.
    """
    curved = s @ y > np.finfo(s.dtype).eps * length(s) * length(y)
    return [*pairs, (s, y)][-history:] if curved else pairs[1:]


def lbfgs(
    history: int = 10,
    line_search: str = "weak-wolfe",
    max_line_search: int = 20,
    initial_factor: float = 1.0,
    c1: float = 1e-4,
    c2: float = 0.9,
) -> LBFGS:
    """L-BFGS: p ← p - t H g, H the inverse Hessian of BFGS from the last `history` steps, t by a line search.

    history           how many steps are remembered; 3 to 20 suit most problems
    line_search       "backtracking": the loss decreases enough; where it curves downwards nothing is learned of it.
                      "weak-wolfe": and the slope has become flatter, so that every step teaches a positive
                      curvature. "strong-wolfe": and it has not become steep the other way
    max_line_search   how many step lengths are tried
    initial_factor    H of the first step, times the identity
    c1, c2            how much is enough, and how flat; 0 < c1 < c2 < 1

    A pair of step and gradient change whose product is not positive is left out, and the oldest one forgotten. After
    a failed line search the whole history is forgotten, so the next step is one of plain descent. A step evaluates
    the loss once where it starts, whatever was seen before, so batch and loss may change in between.

    Raises ValueError for options out of these ranges.
    Source: Nocedal 1980; MATLAB `lbfgsupdate` and `lbfgsState`. PyTorch's `LBFGS` has a fixed step length by default.

    >>> opt, params = lbfgs(), {"x": np.array([3.0, -2.0])}
    >>> state = opt.init(params)
    >>> bowl = lambda p: (p["x"][0] ** 2 + 5 * p["x"][1] ** 2, {"x": p["x"] * [2, 10]})
    >>> for _ in range(12):
    ...     params, state = opt.update(bowl, params, state)
    >>> bool(state["loss"] < 1e-12)
    True
    """
    if line_search not in CURVATURES:
        raise ValueError(f"lbfgs: expected line_search to be one of {list(CURVATURES)}, got {line_search!r}")
    if history < 1 or max_line_search < 1 or not initial_factor > 0 or not 0 < c1 < c2 < 1:
        raise ValueError(
            "lbfgs: expected history >= 1, max_line_search >= 1, initial_factor > 0 and 0 < c1 < c2 < 1, got "
            f"{history}, {max_line_search}, {initial_factor}, {c1} and {c2}"
        )
    return LBFGS(history, line_search, max_line_search, initial_factor, c1, c2)
