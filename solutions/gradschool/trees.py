"""Trees: parameters, gradients and states as nested dicts, lists and tuples with arrays for leaves.

    tree_map(lambda p, g: p - lr * g, params, grads)    # the same shape of tree, leaf by leaf
    tree_paths({"layers": [{"W": W}]})                  # ["layers[0].W"], how messages name a leaf
    flat, unravel = ravel(params)                       # one vector, and the way back

Leaves come in the order in which the tree was written; two trees are matched by key, not by order. None is a tree
without leaves, so a layer without bias may say `"b": None`. Everything that is no dict, list or tuple is a leaf.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from numbers import Number
from typing import Any

import numpy as np

__all__ = ["check_leaves", "check_structure", "ravel", "tree_leaves", "tree_map", "tree_paths"]

Tree = Any
CONTAINERS = dict, list, tuple, type(None)


def branches(tree: Tree) -> dict[Any, Tree] | None:
    """What hangs below: subtrees by key or position; None for a leaf."""
    if isinstance(tree, dict):
        return tree
    if isinstance(tree, list | tuple):
        return dict(enumerate(tree))
    return {} if tree is None else None


def rebuilt(tree: Tree, subtrees: list[Tree]) -> Tree:
    """A container like `tree` around other subtrees."""
    if isinstance(tree, dict):
        return dict(zip(tree, subtrees, strict=True))
    if isinstance(tree, list):
        return subtrees
    if isinstance(tree, tuple):
        return type(tree)(*subtrees) if hasattr(tree, "_fields") else tuple(subtrees)
    return None


def tree_map(f: Callable[..., Any], tree: Tree, *rest: Tree) -> Tree:
    """Apply `f(leaf, *namesakes in rest)` to every leaf; returns a tree of the same structure.

    Raises:
        ValueError: a tree in `rest` has another structure; the message names the first path that differs.

    >>> tree_map(lambda p, g: p - 0.1 * g, {"W": 1.0, "b": [2.0]}, {"b": [10.0], "W": 20.0})
    {'W': -1.0, 'b': [1.0]}
    """
    for other in rest:
        check_structure(tree, other)
    if len(rest) == 1:
        return _map_two(f, tree, rest[0])
    return _map(f, tree, rest) if rest else _map_one(f, tree)


def _map_one(f: Callable[..., Any], tree: Tree) -> Tree:
    """What `_map` does with one tree; the trees of a model are walked at every step of its training."""
    if type(tree) is dict:  # most have arrays in them, for which a call is saved
        return {key: f(leaf) if type(leaf) is np.ndarray else _map_one(f, leaf) for key, leaf in tree.items()}
    if type(tree) is list:
        return [_map_one(f, subtree) for subtree in tree]
    if type(tree) is tuple:
        return tuple([_map_one(f, subtree) for subtree in tree])
    return _map(f, tree, ()) if isinstance(tree, CONTAINERS) else f(tree)


def _map_two(f: Callable[..., Any], tree: Tree, other: Tree) -> Tree:
    """And with two, such as a model's parameters and the memory for their gradients."""
    if type(tree) is dict:
        return {
            key: f(leaf, other[key]) if type(leaf) is np.ndarray else _map_two(f, leaf, other[key])
            for key, leaf in tree.items()
        }
    if type(tree) is list:
        return [_map_two(f, *pair) for pair in zip(tree, other, strict=True)]
    return _map(f, tree, (other,)) if isinstance(tree, CONTAINERS) else f(tree, other)


def _map(f: Callable[..., Any], tree: Tree, rest: tuple[Tree, ...]) -> Tree:
    if type(tree) is dict:
        return {key: _map(f, subtree, tuple([other[key] for other in rest])) for key, subtree in tree.items()}
    below = branches(tree)
    if below is None:
        return f(tree, *rest)
    return rebuilt(tree, [_map(f, subtree, tuple([other[key] for other in rest])) for key, subtree in below.items()])


def tree_leaves(tree: Tree) -> list[Any]:
    """The leaves, in the order of `tree_paths`. Nothing is refused: what is no container is a leaf, whatever it is.

    >>> tree_leaves({"W": 1.0, "b": [2.0, None, (3.0,)]})
    [1.0, 2.0, 3.0]
    """
    return [leaf for _, leaf in _walk(tree, "")]


def tree_paths(tree: Tree) -> list[str]:
    """Where the leaves are: keys joined by dots, positions in brackets; a bare leaf has the empty path.

    Nothing is refused: what is no container is a leaf, whatever it is.

    >>> tree_paths({"layers": [{"W": 1.0}, {"W": 2.0}], "b": 3.0})
    ['layers[0].W', 'layers[1].W', 'b']
    """
    return [path for path, _ in _walk(tree, "")]


def _walk(tree: Tree, path: str) -> Iterator[tuple[str, Any]]:
    below = branches(tree)
    if below is None:
        yield path, tree
    else:
        for key, subtree in below.items():
            yield from _walk(subtree, _extended(path, key))


def _extended(path: str, key: Any) -> str:
    if isinstance(key, str):
        return f"{path}.{key}" if path else key
    return f"{path}[{key}]"


def check_structure(tree: Tree, other: Tree, names: tuple[str, str] = ("the first tree", "the second")) -> None:
    """Make sure that two trees have the same containers and keys; `names` is what the message calls them.

    Raises:
        ValueError: they have not; the message names the first path that differs.
    """
    difference = None if _alike(tree, other) else _difference(tree, other, "")
    if difference:
        path, expected, came = difference
        where = path or "the top"
        raise ValueError(
            f"trees differ at {where}: {names[0]} has {expected}, {names[1]} has {came}; "
            "give both the same keys, as tree_map does."
        )


def _alike(tree: Tree, other: Tree) -> bool:
    """Whether two trees of plain dicts and lists are the same; False if they are not, or if it takes a closer look."""
    if type(tree) is dict:
        if type(other) is not dict or tree.keys() != other.keys():
            return False
        for key, leaf in tree.items():
            beside = other[key]
            if not (type(leaf) is type(beside) is np.ndarray or _alike(leaf, beside)):
                return False
        return True
    if type(tree) is list:
        return type(other) is list and len(tree) == len(other) and all(map(_alike, tree, other))
    return not (isinstance(tree, CONTAINERS) or isinstance(other, CONTAINERS))


def _difference(tree: Tree, other: Tree, path: str) -> tuple[str, str, str] | None:
    """(path, what the tree has there, what the other has) of the first place where they differ."""
    below, beside = branches(tree), branches(other)
    if below is None or beside is None or _container(tree) != _container(other):
        return None if below is beside is None else (path, _container(tree), _container(other))
    for key in [*below, *(key for key in beside if key not in below)]:
        if key not in below or key not in beside:
            has = [_container(branch[key]) if key in branch else "nothing" for branch in (below, beside)]
            return _extended(path, key), has[0], has[1]
        found = _difference(below[key], beside[key], _extended(path, key))
        if found:
            return found
    return None


def _container(tree: Tree) -> str:
    if tree is None:
        return "None"
    kind = next((kind for kind in (dict, list, tuple) if isinstance(tree, kind)), None)
    return f"a {kind.__name__}" if kind else f"a leaf ({type(tree).__name__})"


def check_leaves(who: str, tree: Tree) -> None:
    """TypeError unless all leaves are arrays or numbers; `who` is told what it was given in the place of parameters."""
    for path, leaf in zip(tree_paths(tree), tree_leaves(tree), strict=True):
        if not hasattr(leaf, "dtype") and not isinstance(leaf, Number):
            came = f"{type(leaf).__name__} at {path}" if path else type(leaf).__name__
            raise TypeError(f"{who}: expected a tree of arrays, got {came}; parameters are net.init(rng, shape)[0].")


def ravel(tree: Tree) -> tuple[np.ndarray, Callable[[np.ndarray], Tree]]:
    """All leaves as one vector, and the function that makes a tree of such a vector again.

    The vector is new and has the dtype that holds all leaves; `unravel` gives each leaf its own shape and dtype.

    Raises:
        ValueError: (from unravel) a vector of another length.

    >>> flat, unravel = ravel({"W": np.ones((2, 3)), "b": np.zeros(3)})
    >>> flat.shape, unravel(2 * flat)["W"][1].tolist()
    ((9,), [2.0, 2.0, 2.0])
    """
    leaves = [leaf if hasattr(leaf, "dtype") else np.asarray(leaf) for leaf in tree_leaves(tree)]
    kinds = [(np.shape(leaf), leaf.dtype) for leaf in leaves]
    ends = np.cumsum([0, *(int(np.prod(shape)) for shape, _ in kinds)]).tolist()
    flat = np.concatenate([np.reshape(leaf, -1) for leaf in leaves]) if leaves else np.zeros(0)

    def unravel(vector: np.ndarray) -> Tree:
        if np.shape(vector) != (ends[-1],):
            raise ValueError(f"unravel: expected a vector of shape ({ends[-1]},), got {np.shape(vector)}.")
        parts = (
            vector[start:end].reshape(shape).astype(dtype)
            for start, end, (shape, dtype) in zip(ends[:-1], ends[1:], kinds, strict=True)
        )
        return tree_map(lambda _: next(parts), tree)

    return flat, unravel
