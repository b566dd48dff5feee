"""Regularization prefers small weights: by a penalty in the loss, by a decay in the step, or by a bound after it. It is
for weights only, never for biases, nor for the scales and shifts of normalisations: those hardly overfit.

    loss = l2_loss(model(params, X), T) + l2_penalty(params, 1e-4)      # its gradient is 2 λ w
    params = decay_weights(params, lr, 1e-2)                            # decoupled: w ← w - lr λ w, beside any step
    grads = add_decay(grads, params, 1e-4)                              # coupled: g ← g + λ w, before the step
    params = max_norm(params, 3.0)                                      # after the step

Which arrays are weights is decided by `is_weight` on their path and shape; every function takes another as `where`.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np

from .trees import branches, check_leaves, rebuilt, tree_leaves, tree_map, tree_paths

__all__ = ["add_decay", "decay_weights", "is_weight", "l1_penalty", "l2_penalty", "max_norm"]

Tree = Any
Where = Callable[[str, Any], bool]
NOT_WEIGHTS = ("b", "bias", "gamma", "beta", "mean", "var")


def is_weight(path: str, p: Any) -> bool:
    """Whether an array is a weight: it has two axes or more, and its name is not that of a bias, γ, β or statistic.

    >>> is_weight("layers[0].W", np.ones((3, 4))), is_weight("layers[0].b", np.ones((1, 4))), is_weight("g", np.ones(4))
    (True, False, False)
    """
    return np.ndim(p) >= 2 and path.rsplit(".", 1)[-1].split("[")[0] not in NOT_WEIGHTS


def map_weights(f: Callable[..., Any], where: Where, tree: Tree, *rest: Tree) -> Tree:
    """Like tree_map, but where the last tree has no weights the result has copies of the first tree's leaves."""
    paths = iter(tree_paths(tree))
    weights = rest[-1] if rest else tree

    def mapped(leaf: Any, p: Any, *others: Any) -> Any:
        return f(leaf, *others) if where(next(paths), p) else np.copy(leaf)

    return tree_map(mapped, tree, weights, *rest)


def learned(params: Tree, grads: Tree) -> Tree:
    """The parameters, with None where the gradient is None because nothing is learned there."""
    below, beside = branches(params), branches(grads)
    if grads is None or not below or not beside or below.keys() != beside.keys():
        return None if grads is None else params
    return rebuilt(params, [learned(p, beside[key]) for key, p in below.items()])


def check_strength(name: str, strength: float) -> None:
    if not isinstance(strength, Real) or not float(strength) >= 0:
        raise ValueError(f"{name}: expected a strength λ >= 0, got {strength!r:.40}")


def penalty(name: str, term: Callable[[Any], Any], params: Tree, strength: float, where: Where) -> Any:
    check_strength(name, strength)
    check_leaves(name, params)
    leaves = zip(tree_paths(params), tree_leaves(params), strict=True)
    return strength * sum((np.sum(term(p)) for path, p in leaves if where(path, p)), start=0.0)


def l1_penalty(params: Tree, strength: float, where: Where = is_weight) -> Any:
    """λ Σ |w|, gradient λ sign(w), and 0 at 0: it pulls all weights evenly, so the useless ones end near 0.

    Args:
        params: a tree of arrays; traced ones too, as it belongs into the function that is differentiated.
        strength: λ >= 0.
        where: a function of path and array that says which are meant.

    Returns:
        A number to add to the loss.

    Raises:
        ValueError: a negative λ.

    Source: Keras' `L1`.

    >>> float(l1_penalty({"W": np.array([[1.0, -2.0, 3.0]]), "b": np.array([7.0])}, 0.5))
    3.0
    """
    return penalty("l1_penalty", np.abs, params, strength, where)


def l2_penalty(params: Tree, strength: float, where: Where = is_weight) -> Any:
    """λ Σ w², gradient 2 λ w: it pulls large weights more.

    Arguments and result are those of `l1_penalty`. Raises ValueError for a negative λ.
    Frameworks: as Keras' `L2`. MATLAB's L2 factor and PyTorch's `weight_decay` mean λ/2 Σ w² with the gradient λ w,
    and leave it out of the loss they report: `add_decay`.

    >>> float(l2_penalty({"W": np.array([[1.0, -2.0, 3.0]]), "b": np.array([7.0])}, 0.5))
    7.0
    """
    return penalty("l2_penalty", np.square, params, strength, where)


def add_decay(grads: Tree, params: Tree, strength: float, where: Where = is_weight) -> Tree:
    """Coupled weight decay: g + λ w for weights, the gradient of λ/2 Σ w² added before the optimizer sees it.

    With Adam and its kin the decay is then divided by the gradient's size too, so weights with large gradients decay
    less; `decay_weights` does not do that. With plain descent the two are the same.

    A gradient that is None stays None. Raises ValueError for a negative λ, and for trees of different structure.
    Source: MATLAB's L2Regularization, `weight_decay` of PyTorch's SGD and Adam.

    >>> add_decay({"W": np.array([[1.0, 1.0]])}, {"W": np.array([[10.0, -10.0]])}, 0.5)["W"].tolist()
    [[6.0, -4.0]]
    """
    check_strength("add_decay", strength)
    return map_weights(lambda g, p: g + strength * p, where, grads, learned(params, grads))


def decay_weights(params: Tree, lr: float, strength: float, where: Where = is_weight) -> Tree:
    """Decoupled weight decay: w - lr λ w for weights, whatever the optimizer does beside it.

    Before the step it gives what `adamw` does, on weights only. Raises ValueError for a negative λ.
    Source: Loshchilov and Hutter 2019.

    >>> decay_weights({"W": np.array([[10.0, -20.0]]), "b": np.array([7.0])}, lr=0.1, strength=0.5)
    {'W': array([[  9.5, -19. ]]), 'b': array([7.])}
    """
    check_strength("decay_weights", strength)
    return map_weights(lambda p: p - lr * strength * p, where, params)


def max_norm(params: Tree, limit: float, where: Where = is_weight) -> Tree:
    """Shorten the incoming weights of every unit to the Euclidean norm `limit`, after the update.

    The incoming weights of a unit are a column of a dense (in, out), and all but the last axis of a kernel
    (height, width, in, out). Shorter ones stay as they are.

    Raises ValueError for a limit that is not positive.
    Source: Srivastava et al. 2014; Keras' `MaxNorm`, which also divides short columns by 1 + 1e-7, with its axis 0
    for dense layers and (0, 1, 2) for convolutions.

    >>> max_norm({"W": np.array([[3.0, 0.3], [4.0, 0.4]])}, 1.0)["W"].round(6).tolist()
    [[0.6, 0.3], [0.8, 0.4]]
    """
    if not limit > 0:
        raise ValueError(f"max_norm: expected a limit > 0, got {limit}")
    return map_weights(lambda p: shortened(p, limit), where, params)


def shortened(p: np.ndarray, limit: float) -> np.ndarray:
    lengths = np.sqrt(np.sum(np.square(p), axis=tuple(range(np.ndim(p) - 1)), keepdims=True))
    return np.where(lengths > limit, p * (limit / np.maximum(lengths, limit)), p).astype(p.dtype)
