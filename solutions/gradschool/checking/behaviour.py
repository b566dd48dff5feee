"""What a layer must keep besides its numbers: shapes, types, and its hands off what it is given.

Each function looks at one property and raises Problem with a sentence that says what came, and what to try.
"""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np

from ..trees import Tree, check_structure, tree_leaves, tree_map, tree_paths
from .case import MODES, Case, Problem, close, copied, is_float, same
from .gradients import Slope


def parameters(case: Case) -> None:
    """init returns (params, state, shape), floats that come from the generator alone"""
    found = initial(case)
    if not isinstance(found, tuple) or len(found) != 3:
        raise Problem(f"init returned {type(found).__name__}, expected (params, state, shape)")
    for path, p in zip(tree_paths(found[0]), tree_leaves(found[0]), strict=True):
        if not isinstance(p, np.ndarray | np.generic) or not is_float(p):
            kind = p.dtype if isinstance(p, np.ndarray) else type(p).__name__
            raise Problem(f"params.{path} is {kind}, expected an array of floats, which alone can be learned")
    if not same(found[0], initial(case)[0]):
        raise Problem("the same seed drew other parameters; draw all of them from the rng that init is given")


def initial(case: Case) -> Any:
    """What init returns, called as `sequential` calls it."""
    try:
        return case.layer.init(case.rng(), case.shape, float)
    except TypeError:
        case.layer.init(case.rng(), case.shape)  # which raises once more if the dtype is not what it fails on
    raise Problem("init takes no dtype; write init(rng, shape, dtype=float), as a layer among others is asked for one")


def shapes(case: Case) -> None:
    """results have the batch axis and the shape that init promised, at every batch size"""
    params, state, promised = case.start()
    for n in case.batch_sizes:
        for training, mode in MODES.items():
            if training and n == 0:
                continue  # nobody trains on nothing, and statistics of nothing there are none
            y, _ = case.apply(params, state, case.samples(n), training)
            found, expected = [np.shape(leaf) for leaf in tree_leaves(y)], [(n, *s) for s in shape_leaves(promised)]
            if found != expected:
                raise Problem(f"at batch size {n} {mode} it returned {said(found)}, but init promised {said(expected)}")


def shape_leaves(shape: Any) -> list[tuple[int, ...]]:
    """The shapes in a tree of shapes, such as ((5,), (7, 3)) for a pair of results."""
    if all(isinstance(n, int | np.integer) for n in shape):
        return [tuple(shape)]
    return [leaf for part in (shape.values() if isinstance(shape, dict) else shape) for leaf in shape_leaves(part)]


def said(found: list[Any]) -> str:
    return ", ".join(map(str, found))


def sample_by_sample(case: Case) -> None:
    """in prediction each sample is by itself"""
    params, state, _ = case.start()
    n = max(case.batch_sizes)
    x = case.samples(n)
    whole = tree_leaves(case.apply(params, state, x, False)[0])
    for i in range(n):
        alone = tree_leaves(case.apply(params, state, tree_map(lambda leaf, i=i: leaf[i : i + 1], x), False)[0])
        if not all(np.shape(a) == (1, *w.shape[1:]) and close(a[0], w[i]) for a, w in zip(alone, whole, strict=True)):
            raise Problem(
                f"the prediction for sample {i} depends on the others in its batch; "
                "what is computed over a batch in training belongs into the state, and prediction reads it there"
            )


def types(case: Case) -> None:
    """float32 stays float32"""
    for name, tree in zip(("params", "state"), case.layer.init(case.rng(), case.shape, np.float32), strict=False):
        for path, leaf in zip(tree_paths(tree), tree_leaves(tree), strict=True):
            if is_float(leaf) and leaf.dtype != np.float32:
                raise Problem(f"init made {name}.{path} {leaf.dtype} when asked for float32; use its dtype")
    params, state, _ = case.start(np.float32)
    for training, mode in MODES.items():
        y, after = case.apply(params, state, case.samples(3, np.float32), training)
        for what, tree in (("the result", y), ("the new state", after)):
            wide = {str(leaf.dtype) for leaf in tree_leaves(tree) if is_float(leaf) and leaf.dtype != np.float32}
            if wide:
                raise Problem(
                    f"{mode}, float32 came in and {what} is {wide.pop()}; an array made without dtype=x.dtype, or a "
                    "NumPy float64 number, widens what it touches (a Python number does not)"
                )


def states(case: Case) -> None:
    """the state keeps its structure, and prediction hands it on"""
    params, state, _ = case.start()
    for training, mode in MODES.items():
        found = case.apply(params, state, case.samples(3), training)
        if not isinstance(found, tuple) or len(found) != 2:
            raise Problem(f"apply returned {type(found).__name__}, expected (y, state)")
        after = found[1]
        try:
            check_structure(state, after, ("the state that init gave", "the one that apply returned"))
        except ValueError as error:
            raise Problem(f"{mode}, {error}") from error
        for path, old, new in zip(tree_paths(state), tree_leaves(state), tree_leaves(after), strict=True):
            if np.shape(old) != np.shape(new):
                raise Problem(f"{mode}, state.{path} of shape {np.shape(old)} became {np.shape(new)}")
        if not training and not same(state, after):
            raise Problem("prediction changed the state; only training may")


def hands_off(case: Case) -> None:
    """inputs, parameters, state and cotangents are only read"""
    for training, mode in MODES.items():
        params, state, _ = case.start()
        given = {"its input x": case.samples(3), "params": params, "state": state}
        before = copied(given)
        case.apply(params, state, given["its input x"], training)
        unchanged(given, before, f"{mode}, apply")
        slope = Slope(case, 3, training)
        given = {"the input x": slope.x, "params": slope.params, "its cotangent g": slope.g}
        before = copied(given)
        slope.gradient()
        unchanged(given, before, f"{mode}, the backward")


def unchanged(given: dict[str, Tree], before: dict[str, Tree], who: str) -> None:
    for name, tree in given.items():
        if not same(tree, before[name]):
            raise Problem(f"{who} changed {name}; write y = x * 2, not x *= 2, and fill in copies only")


def chance(case: Case) -> None:
    """all chance comes from rng, and prediction needs none"""
    params, state, _ = case.start()
    x = case.samples(3)
    for training, mode in MODES.items():
        if not same(case.apply(params, state, x, training)[0], case.apply(params, state, x, training)[0]):
            source = "draw from the rng that apply is given" if training else "a prediction draws nothing"
            raise Problem(f"{mode}, the same call gave two results; {source}")


def pickling(case: Case) -> None:
    """it pickles, as searches over many processes need it"""
    params, state, _ = case.start()
    try:
        layer = pickle.loads(pickle.dumps(case.layer))
    except Exception as error:
        raise Problem(
            f"{error}; make it of functions of a module, with functools.partial for options, not of lambdas"
        ) from error
    x = case.samples(3)
    if not same(layer.apply(params, state, x)[0], case.layer.apply(params, state, x)[0]):
        raise Problem("after pickling it gives other results")
