"""Factors of the learning rate: 0 freezes a parameter, 0.1 fine-tunes it, 1 leaves it as it is.

frozen = freeze(params, 0, 1, "[4].b")                  # 0 for two layers and a bias, 1 for the rest
adam = with_factors(optimizer("adam"), frozen)          # an optimizer like any other, in `train` too
loss = l2_penalty(trainable(params, frozen), 1e-4)      # of what learns
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .flat import FlatTree, given, update_vector, update_whole
from .optimizers import Optimizer, with_options
from .optimizers.each import move_part
from .ranges import check_range
from .trees import Tree, branches, check_leaves, rebuilt, tree_leaves, tree_map, tree_paths

__all__ = ["freeze", "trainable", "with_factors"]

Place = int | str | Callable[[str, Any], bool]


def freeze(params: Tree, *places: Place) -> Tree:
    """Factors of the learning rate: 0 for what lies at `places`, else 1, in a tree like `params`.

    A place is the number of a layer, a path such as "[2].W" or "body", with all that lies below it, or a function of
    path and array that says which are meant.

    Raises ValueError for a place at which nothing lies.

    >>> freeze([{"W": np.ones((3, 2)), "b": np.ones(2)}, {"W": np.ones((2, 1))}], "[0].W")
    [{'W': 0.0, 'b': 1.0}, {'W': 1.0}]
    """
    check_leaves("freeze", params)
    paths = tree_paths(params)
    frozen: set[str] = set()
    for place in places:
        found = {path for path, p in zip(paths, tree_leaves(params), strict=True) if lies_at(place, path, p)}
        if not found and not callable(place) and not empty(params, place):
            raise ValueError(f"freeze: nothing lies at {place!r}; there are {paths}")
        frozen |= found
    remaining = iter(paths)
    return tree_map(lambda _: 0.0 if next(remaining) in frozen else 1.0, params)


def lies_at(place: Place, path: str, p: Any) -> bool:
    if callable(place):
        return place(path, p)
    place = f"[{place}]" if isinstance(place, int) else place
    return path == place or (path.startswith(place) and path[len(place)] in ".[")


def empty(params: Tree, place: int | str) -> bool:
    """Whether the place is a layer without parameters, such as an activation, which may be frozen with the others."""
    return isinstance(place, int) and isinstance(params, list | tuple) and 0 <= place < len(params)


def trainable(params: Tree, factors: Tree) -> Tree:
    """The parameters that learn: None where the factor is 0. For counts, and for penalties that leave out the rest.

    A factor whose name no parameter has is passed over here; an optimizer `with_factors` raises ValueError for it.

    >>> from gradschool.models import count_parameters
    >>> params = [{"W": np.ones((3, 2)), "b": np.ones(2)}, {"W": np.ones((2, 1))}]
    >>> count_parameters(trainable(params, freeze(params, 0)))
    2
    """
    below, own = branches(params), branches(factors)
    if own is None and factors == 0:
        return None
    if below is None or own is None:
        return params
    return rebuilt(params, [trainable(p, own.get(key, 1.0)) for key, p in below.items()])


def with_factors(optimizer: Optimizer, factors: Tree) -> Optimizer:
    """The same optimizer with a factor for the rate of each parameter: 0 freezes it, 0.1 fine-tunes it.

    `factors` is a tree of numbers like the parameters, from `freeze`, or the short form of `with_lr_factors`: a number
    stands for all below it, what is not named has 1, as in `{0: 0.0, 1: {"b": 2.0}}`.

    What is frozen gets no gradient, so it neither moves by an old velocity nor decays, and its slots in the state stay
    as they are, ready for later. The count of steps goes on for all: Adam's bias correction is then past for slots that
    are still zero, and their first steps are three times too long. A new phase of training had better begin with a
    new state. In `train` and on flat trees it works as any optimizer; what `gradients` clips there by a common norm
    still contains what is frozen, unless `hold` makes it zero.

    Raises TypeError for L-BFGS, whose line search takes one step for all parameters; ValueError for a factor below 0.

    >>> from gradschool.optimizers import optimizer
    >>> adamw, params = with_factors(optimizer("adamw"), {"body": 0.0}), {"body": np.ones(2), "head": np.ones(2)}
    >>> new, state = adamw.update(params, params, adamw.init(params), 0.1)
    >>> print(new["body"], new["head"].round(3), state["m"]["body"])
    [1. 1.] [0.899 0.899] [0. 0.]
    """
    if not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"with_factors: expected an Optimizer, got {type(optimizer).__name__}; L-BFGS takes one step for all "
            "parameters, whose curvature it has learned together. To freeze layers for it, try hold(net, 0, 1)."
        )
    for path, factor in zip(tree_paths(factors), tree_leaves(factors), strict=True):
        check_range("with_factors", f"the factor at {path}" if path else "a factor", factor)
    update = functools.partial(update_with_factors, optimizer, factors)
    remake = functools.partial(remade, optimizer, factors)
    flat = functools.partial(flat_with_factors, optimizer, factors)
    return Optimizer(optimizer.init, update, optimizer.name, False, optimizer.lr, remake=remake, flat=flat)


def update_with_factors(
    optimizer: Optimizer, factors: Tree, params: Tree, grads: Tree, state: Any, lr: float | None = None
) -> tuple[Tree, Any]:
    moved, state = optimizer.update(params, trainable(grads, factors), state, *given(lr))
    return move_part(params, moved, factors), state


def remade(optimizer: Optimizer, factors: Tree, **hyper: Any) -> Optimizer:
    return with_factors(with_options(optimizer, **hyper), factors)


# -------------------------------------------------------------------------------------------------------- on flat trees
def flat_with_factors(
    optimizer: Optimizer, factors: Tree, block: int, params: FlatTree, g: np.ndarray, state: dict[str, Any], lr: Any
) -> None:
    """The same in place: neighbours of one factor are updated together, and what is frozen is not even read."""
    if not optimizer.elementwise:
        update_whole(with_factors(optimizer, factors), params, g, state, lr)
        return
    numbers: dict[str, Any] = {}
    for part, factor in [*runs(params.slots, factors), (slice(0, 0), 1.0)]:  # no numbers at all also count as a step
        p = params.vector[part]
        before = None if factor == 1 else p.copy()
        here = {key: value[part] if isinstance(value, np.ndarray) else value for key, value in state.items()}
        update_vector(optimizer, block, p, g[part], here, lr)
        if before is not None:
            p[:] = (1 - factor) * before + factor * p
        numbers = {key: value for key, value in here.items() if not isinstance(value, np.ndarray)}
    state.update(numbers)


def runs(slots: Tree, factors: Tree) -> Iterator[tuple[slice, float]]:
    """Stretches of the vector with one factor, which is not 0."""
    start, end, current = 0, 0, 0.0
    for slot, factor in zip(tree_leaves(slots), each_factor(slots, factors), strict=True):
        if factor != current:
            if current and end > start:
                yield slice(start, end), current
            start, current = slot.start, factor
        end = slot.end
    if current and end > start:
        yield slice(start, end), current


def each_factor(tree: Tree, factors: Tree) -> Iterator[float]:
    """A factor for each leaf."""
    below, own = branches(tree), branches(factors)
    if below is None:
        yield factors
        return
    own = dict.fromkeys(below, factors) if own is None else own
    if own.keys() - below.keys():
        raise ValueError(f"with_factors: there are factors for {list(own)}, but parameters only for {list(below)}")
    for key, subtree in below.items():
        yield from each_factor(subtree, own.get(key, 1.0))
