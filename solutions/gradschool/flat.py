"""A flat tree is a tree whose arrays are views of one vector: networks use the tree, optimizers the vector. On it an
optimizer works in place and in blocks that stay in the processor's cache, several times faster than array by array.

    params = contiguous(model_params)                 # copied once, into params.vector
    fast = in_place(optimizer("adam"))                # the same rule, the same numbers
    state = fast.init(params)
    params, state = fast.update(params, grads, state, lr)      # params.vector and params.tree have changed
"""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .ops.place import aligned
from .ops.threads import blas_threads, each
from .optimizers import Optimizer
from .optimizers.chosen import all_options
from .optimizers.registry import check_learnable, check_state, find_step
from .optimizers.scheduled import SCHEDULED
from .swap import replaced
from .trees import check_structure, tree_leaves, tree_map, tree_paths

__all__ = ["FlatTree", "contiguous", "in_place"]

Tree = Any
BLOCK = 1 << 16  # numbers; six vectors of them, as an optimizer has, fit a second-level cache
SHARED = 2  # blocks that a thread does at once: at the end of each operation it waits for Python's lock
FEWEST = 8  # blocks for a thread: for less, starting it takes longer than it saves


@dataclass(frozen=True)
class Slot:
    """Where an array lies in the vector, and its shape."""

    start: int
    end: int
    shape: tuple[int, ...]


class FlatTree:
    """`vector` (n,) and `tree`, whose arrays are views of it: to write one is to write the other.

    `slots` is a tree of the same structure that says where each array lies, `plans` what `training_step` has laid out
    to put gradients here. `contiguous` makes a FlatTree of a tree.

    Raises ValueError for a vector of another shape (from `view`), and for a tree of another structure or other shapes
    (from `gather`).
    """

    def __init__(self, vector: np.ndarray, slots: Tree):
        self.vector = vector
        self.slots = slots
        self.tree = self.view(vector)
        self.plans: list[Any] = []

    def view(self, vector: np.ndarray) -> Tree:
        """A tree of views of another vector (n,), laid out like this one."""
        if vector.shape != self.vector.shape:
            raise ValueError(f"view: expected a vector of shape {self.vector.shape}, got {vector.shape}")
        return tree_map(lambda slot: vector[slot.start : slot.end].reshape(slot.shape), self.slots)

    def like(self) -> FlatTree:
        """A flat tree laid out like this one, of memory that has no values yet."""
        return FlatTree(aligned(self.vector.shape, self.vector.dtype), self.slots)

    def gather(self, tree: Tree) -> np.ndarray:
        """The arrays of a tree of this structure, such as gradients, as a new vector (n,) laid out like this one.

        Raises ValueError for another structure or shape, naming the place.
        """
        check_structure(self.slots, tree, ("the flat tree", "the tree to gather"))
        pairs = tree_leaves(tree_map(Pair, self.slots, tree))
        for path, pair in zip(tree_paths(self.slots), pairs, strict=True):
            if np.shape(pair.leaf) != pair.slot.shape:
                raise ValueError(f"gather: {path} has shape {np.shape(pair.leaf)}, expected {pair.slot.shape}")
        vector = aligned(self.vector.shape, self.vector.dtype)
        for pair in pairs:
            vector[pair.slot.start : pair.slot.end] = np.ravel(pair.leaf)
        return vector

    def __reduce__(self) -> tuple[Any, ...]:
        return FlatTree, (self.vector, self.slots)  # pickling the views would make copies of them

    def __repr__(self) -> str:
        return f"FlatTree({self.vector.size} numbers of {self.vector.dtype} in {len(tree_leaves(self.slots))} arrays)"


@dataclass(frozen=True)
class Pair:
    slot: Slot
    leaf: Any


def contiguous(tree: Tree) -> FlatTree:
    """A copy of a tree of arrays in one vector.

    Raises TypeError if the arrays differ in dtype, or are no floating-point numbers; it names the first.

    >>> flat = contiguous({"W": np.ones((2, 3)), "b": np.zeros(3)})
    >>> flat.vector *= 5
    >>> flat.tree["W"][0], flat
    (array([5., 5., 5.]), FlatTree(9 numbers of float64 in 2 arrays))
    """
    leaves, paths = [np.asarray(leaf) for leaf in tree_leaves(tree)], tree_paths(tree)
    for path, leaf in zip(paths, leaves, strict=True):
        check_learnable("contiguous", leaf, path or "the array")
        if leaf.dtype != leaves[0].dtype:
            raise TypeError(
                f"contiguous: {paths[0]} holds {leaves[0].dtype}, but {path} {leaf.dtype}; one vector has one type, "
                "so convert them first: tree_map(lambda p: p.astype(np.float32), tree)"
            )
    ends = np.cumsum([0, *(leaf.size for leaf in leaves)]).tolist()
    slots = (Slot(ends[i], ends[i + 1], leaf.shape) for i, leaf in enumerate(leaves))
    vector = aligned(ends[-1:], leaves[0].dtype if leaves else float)
    if leaves:
        np.concatenate([leaf.ravel() for leaf in leaves], out=vector)
    return FlatTree(vector, tree_map(lambda _: next(slots), tree))


def in_place(optimizer: Optimizer, block: int = BLOCK) -> Optimizer:
    """The same optimizer for flat trees: `update` changes `params` and `state` and returns them.

    It calls `optimizer.update` on one block of the vector after another, or the hand-scheduled form of its rule where
    there is one (`optimizers.scheduled`), so the numbers are those of the pure form, up to rounding. Gradients are a
    tree or a FlatTree. The state has the keys of the pure form with vectors in the place of trees;
    `params.view(state["m"])` shows one as a tree. An optimizer that is not `elementwise`, or that `using` has
    replaced, gets the whole tree at once, unless it has a way of its own for flat trees (`flat`).

    Raises ValueError (from `update`) for a state without its keys, and for a tree of gradients that does not fit; None
    in the place of an array, which the pure form takes, is refused here.

    >>> from gradschool.optimizers import optimizer
    >>> params, adam = contiguous({"a": np.ones(2), "b": np.ones(1)}), in_place(optimizer("adam"))
    >>> params, state = adam.update(params, {"a": np.array([1.0, -2.0]), "b": np.zeros(1)}, adam.init(params), 0.1)
    >>> params.vector.round(6), state["t"]
    (array([0.9, 1.1, 1. ]), 1)
    """
    if not isinstance(optimizer, Optimizer):
        name = optimizer if isinstance(optimizer, str) else getattr(optimizer, "__name__", "adam")
        raise TypeError(f'in_place: expected an optimizer, got {optimizer!r:.40}; try in_place(optimizer("{name}"))')
    return replace(
        optimizer,
        init=functools.partial(flat_init, optimizer),
        update=functools.partial(flat_update, optimizer, block),
    )


def flat_init(optimizer: Optimizer, params: FlatTree) -> dict[str, Any]:
    return {key: params.gather(value) if grows(value) else value for key, value in optimizer.init(params.tree).items()}


def grows(value: Any) -> bool:
    """Whether an entry of a state is a tree of arrays like the parameters, and not a number such as the step count."""
    return isinstance(value, dict | list | tuple | np.ndarray)


def flat_update(
    optimizer: Optimizer, block: int, params: FlatTree, grads: Any, state: dict[str, Any], lr: float | None = None
) -> tuple[FlatTree, dict[str, Any]]:
    g = grads.vector if isinstance(grads, FlatTree) else params.gather(grads)
    if optimizer.flat is not None and replaced(optimizer.name) is None:
        optimizer.flat(block, params, g, state, lr)
    elif not optimizer.elementwise or replaced(optimizer.name) is not None:
        update_whole(optimizer, params, g, state, lr)
    else:
        update_vector(optimizer, block, params.vector, g, state, lr)
    return params, state


def update_vector(
    optimizer: Optimizer, block: int, p: np.ndarray, g: np.ndarray, state: dict[str, Any], lr: float | None
) -> None:
    """Change a vector and the vectors of the state, and count the step, with an elementwise optimizer."""
    if optimizer.name in SCHEDULED and optimizer.hyper is not None and p.dtype == g.dtype:
        update_scheduled(optimizer, block, p, g, state, lr)
    else:
        update_blocks(optimizer, block, p, g, state, lr)


def update_scheduled(
    optimizer: Optimizer, block: int, p: np.ndarray, g: np.ndarray, state: dict[str, Any], lr: float | None
) -> None:
    """`update_blocks` without an array for each operation of the rule, in as many threads as BLAS may use."""
    options = all_options(optimizer) | ({} if lr is None else {"lr": float(lr)})
    check_state(optimizer.name, state)
    numbers, factors, advance = SCHEDULED[optimizer.name](state, **options)
    factors = [np.array(factor, p.dtype) for factor in factors]
    ordered = [state[key] for key in find_step(optimizer.name).start]
    vectors = [value for value in ordered if isinstance(value, np.ndarray)]

    threads = max(1, min(blas_threads(), len(p) // (FEWEST * block)))
    block *= SHARED if threads > 1 else 1
    starts = range(0, len(p), block)

    def advance_blocks(starts: range) -> None:
        a, b = between(threading.get_ident(), min(block, len(p)), p.dtype)
        for start in starts:
            end = min(start + block, len(p))
            part, used = slice(start, end), slice(end - start)
            advance(p[part], g[part], *(vector[part] for vector in vectors), a[used], b[used], *factors)

    if threads == 1 and not vectors:  # nothing but p and g is passed over, and once: no block would stay for a second
        advance(p, g, *between(threading.get_ident(), min(block, len(p)), p.dtype), *factors)
    else:
        each(advance_blocks, [starts[i::threads] for i in range(threads)])
    state.update(numbers)


@functools.lru_cache(maxsize=8)
def between(thread: int, n: int, dtype: np.dtype) -> np.ndarray:
    """Two vectors for what an update computes on its way, a thread's own: kept, since new ones lie in no cache yet"""
    return aligned((2, n), dtype)


def update_blocks(
    optimizer: Optimizer, block: int, p: np.ndarray, g: np.ndarray, state: dict[str, Any], lr: float | None
) -> None:
    vectors = [key for key, value in state.items() if isinstance(value, np.ndarray)]
    numbers, rate = state, given(lr)
    for start in range(0, max(len(p), 1), block):  # once also for no parameters at all: the step still counts
        part = slice(start, start + block)
        p[part], numbers = optimizer.update(p[part], g[part], state | {key: state[key][part] for key in vectors}, *rate)
        for key in vectors:
            state[key][part] = numbers[key]
    state.update({key: value for key, value in numbers.items() if key not in vectors})


def given(lr: float | None) -> tuple[float, ...]:
    """No argument for no rate: an optimizer of your own may have its rate as a default."""
    return () if lr is None else (lr,)


def update_whole(
    optimizer: Optimizer, params: FlatTree, g: np.ndarray, state: dict[str, Any], lr: float | None
) -> None:
    trees = {key: params.view(value) if isinstance(value, np.ndarray) else value for key, value in state.items()}
    new, trees = optimizer.update(params.tree, params.view(g), trees, *given(lr))
    params.vector[:] = params.gather(new)
    state.update({key: params.gather(value) if grows(value) else value for key, value in trees.items()})
