"""Derivatives of functions: trace the arguments, run the function, walk the tape back.

    loss, grads = value_and_grad(loss_of)(params)           # one number of a tree of arrays
    y, pullback = vjp(f, x)                                 # any function; pullback(g) = (g dy/dx,)
    Hv = hessian_vector_product(loss_of, params, v)         # the gradient of (gradient . v)

Arguments may be trees (nested dicts, lists, tuples) of float arrays; gradients come as trees of the same structure.
What a function does not depend on has gradient zero. All nest: `grad(lambda x: grad(f)(x)[0])` is a second derivative.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..trees import Tree, check_structure, tree_leaves, tree_map, tree_paths
from .tape import Tape
from .traced import Traced, constant, lowered


def value_and_grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False, into: Tree = None
) -> Callable[..., Any]:
    """A function with the arguments of f that returns (value, gradient) in one go.

    Args:
        f: returns one number; with `has_aux` a pair (number, anything else), such as predictions or a new state.
        argnums: which positional argument to differentiate; for several positions the gradient is a tuple.
        has_aux: then the result is ((value, aux), gradient).
        into: memory for the gradient, a tree of arrays like the argument: it is then what comes back, filled anew.
            For one position only; large gradients are computed there instead of copied.

    Raises (when called):
        ValueError: f returned something else than one number; an argument of `argnums` is not there (they are counted
            from 0); `into` differs from the argument in structure or shape.
        TypeError: an argument holds whole numbers; its path is named. With `has_aux`, f returned no pair.

    >>> loss = lambda params, x: np.sum((params["w"] * x - 1.0) ** 2)
    >>> value, grads = value_and_grad(loss)({"w": np.array([1.0, 2.0, 3.0])}, np.array([1.0, 1.0, -1.0]))
    >>> print(value, grads["w"])
    17.0 [0. 2. 8.]
    """
    positions = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    last = max(positions, default=-1)
    if min(positions, default=0) < 0:
        raise ValueError(f"value_and_grad: expected positions counted from 0 as argnums, got {argnums}")
    if into is not None and not isinstance(argnums, int):
        raise ValueError("value_and_grad: `into` is for the gradient of one argument, so argnums must be one number.")

    def run(*args: Any, **kwargs: Any) -> Any:
        tape = Tape(once=True)
        if last >= len(args):
            raise ValueError(
                f"value_and_grad: expected arguments by position up to number {last}, counted from 0, for "
                f"argnums={argnums}, got {len(args)} of them"
            )
        variables = {i: traced_tree(args[i], tape, f, i, into) for i in positions}
        wanted = dict(tape.places)  # whoever writes a gradient into its place takes the place away
        result = f(*(variables.get(i, a) for i, a in enumerate(args)), **kwargs)
        if has_aux and not (isinstance(result, tuple) and len(result) == 2):
            raise TypeError(f"value_and_grad: with has_aux f returns (value, more), got {type(result).__name__}")
        value, aux = result if has_aux else (result, None)
        found = tape.pull(one(value, tape))
        filled(wanted, found)
        gradients = (into,) if into is not None else tuple(collected(variables[i], found) for i in positions)
        value = lowered(value, tape)
        out = (value, tree_map(lambda leaf: lowered(leaf, tape), aux)) if has_aux else value
        return out, gradients[0] if isinstance(argnums, int) else gradients

    return run


def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """`value_and_grad` without the value; with `has_aux` it returns (gradient, aux).

    Raises (when called) ValueError if f returns something else than one number, or if there are fewer arguments by
    position than `argnums` asks for; TypeError for an argument of whole numbers, with its path.

    >>> print(grad(grad(lambda x: x**3))(2.0))
    12.0
    """

    def run(*args: Any, **kwargs: Any) -> Any:
        value, gradient = value_and_grad(f, argnums, has_aux)(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return run


def vjp(f: Callable[..., Any], *args: Tree) -> tuple[Tree, Callable[[Tree], tuple[Tree, ...]]]:
    """The value y = f(*args), and the function that pulls a cotangent of y back to the arguments.

    y is an array or a tree of arrays. `pullback(g)`, with g like y, returns a tuple with g . dy/da for each argument
    a; it may be called again and again.

    Raises:
        TypeError: an argument holds whole numbers.
        ValueError: (from pullback) g and y differ in structure or shape.

    >>> y, pullback = vjp(lambda x: np.stack([x[0] * x[1], x[2]]), np.array([2.0, 3.0, 4.0]))
    >>> print(y, *pullback(np.array([1.0, 10.0])))
    [6. 4.] [ 3.  2. 10.]
    """
    tape = Tape()
    variables = [traced_tree(a, tape, f, i) for i, a in enumerate(args)]
    y = f(*variables)

    def pullback(g: Tree) -> tuple[Tree, ...]:
        cotangents: dict[int, Any] = {}
        check_structure(y, g, ("the result", "its cotangent"))
        for path, result, d in zip(tree_paths(y), tree_leaves(y), tree_leaves(g), strict=True):
            if np.shape(result) != np.shape(d):
                where = f" at {path}" if path else ""
                raise ValueError(f"vjp: expected a cotangent of shape {np.shape(result)}{where}, got {np.shape(d)}.")
            if isinstance(result, Traced) and result.tape is tape:
                d = d if isinstance(d, Traced) else np.asarray(d, result.dtype)
                cotangents[result.entry] = cotangents[result.entry] + d if result.entry in cotangents else d
        found = tape.pull(cotangents)
        return tuple(collected(variable, found) for variable in variables)

    return tree_map(lambda leaf: lowered(leaf, tape), y), pullback


def hessian_vector_product(f: Callable[[Tree], Any], x: Tree, v: Tree) -> Tree:
    """H v, where H is the matrix of second derivatives of f at x; H itself is never made.

    Raises ValueError if x and v differ in structure or shape, or f returns something else than one number; TypeError if
    x holds whole numbers.

    >>> print(hessian_vector_product(lambda x: x[0] ** 2 * x[1], np.array([1.0, 2.0]), np.array([1.0, 10.0])))
    [24.  2.]
    """
    check_structure(x, v, ("x", "v"))
    for path, a, b in zip(tree_paths(x), tree_leaves(x), tree_leaves(v), strict=True):
        if np.shape(a) != np.shape(b):
            raise ValueError(f"hessian_vector_product: x{path} has shape {np.shape(a)}, v{path} {np.shape(b)}")

    def slope(x: Tree) -> Any:
        products = tree_map(lambda g, d: np.sum(g * d), grad(f)(x), v)
        return sum(tree_leaves(products))

    return grad(slope)(x)


def stop_gradient(tree: Tree) -> Tree:
    """The same values as constants, through which no derivative passes.

    Nothing is refused: a leaf that is not being differentiated comes back as it is.

    >>> print(grad(lambda x: x * stop_gradient(x))(3.0))
    3.0
    """
    return tree_map(constant, tree)


# -------------------------------------------------------------------------------------------------- to and from trees
def traced_tree(tree: Tree, tape: Tape, f: Callable[..., Any], i: int, into: Tree = None) -> Tree:
    """Argument i of f with every leaf traced; whole numbers are refused, since they could not take a step.

    `into` has the places where the gradients are wanted.
    """

    def variable(leaf: Any, place: np.ndarray | None = None) -> Traced:
        value = leaf if type(leaf) is np.ndarray or isinstance(leaf, Traced) else np.asarray(leaf)
        if value.dtype.kind != "f":
            raise TypeError(f"expected floats to differentiate, got {refused(tree, f, i)}; try .astype(float).")
        entry = tape.variable()
        if place is not None:
            if place.shape != value.shape:
                raise ValueError(f"into: the gradient of an array {value.shape} does not fit into {place.shape}.")
            tape.places[entry] = place
        return Traced(value, tape, entry)

    return tree_map(variable, tree) if into is None else tree_map(variable, tree, into)


def refused(tree: Tree, f: Callable[..., Any], i: int) -> str:
    """Which leaf is no float, and what it is."""
    for path, leaf in zip(tree_paths(tree), tree_leaves(tree), strict=True):
        dtype = leaf.dtype if isinstance(leaf, Traced) else np.asarray(leaf).dtype
        if dtype.kind != "f":
            name = argument_name(f, i)
            return f"{dtype} in {name}{path if path.startswith('[') or not path else '.' + path}"
    raise AssertionError("every leaf is a float")


def argument_name(f: Callable[..., Any], i: int) -> str:
    try:
        return list(inspect.signature(f).parameters)[i]
    except (TypeError, ValueError, IndexError):
        return f"argument {i}"


def one(value: Any, tape: Tape) -> dict[int, Any]:
    """The cotangent to begin with: dL/dL = 1."""
    shape = getattr(value, "shape", () if isinstance(value, int | float) else None)
    if shape != ():
        what = f"a {type(value).__name__}" if shape is None else f"shape {shape}"
        raise ValueError(
            f"value_and_grad: expected a function that returns one number, got {what}; sum it, "
            "use has_aux=True for a pair (number, anything), or vjp for arrays."
        )
    if isinstance(value, Traced) and value.tape is tape:
        return {value.entry: value.dtype.type(1)}
    return {}


def collected(variables: Tree, found: dict[int, Any]) -> Tree:
    """The gradients in the structure, shapes and dtypes of the variables, each an array of its own."""
    seen: set[int] = set()

    def gradient(variable: Traced) -> Any:
        d = found.get(variable.entry)
        if d is None:
            return np.zeros(variable.shape, variable.dtype)[()]
        if isinstance(d, Traced):
            return d.astype(variable.dtype)
        d = np.asarray(d, variable.dtype)
        if id(d) in seen or not d.flags.writeable or d.base is not None:
            d = d.copy()  # changing one gradient in place must not change another
        seen.add(id(d))
        return d if d.ndim else d[()]

    return tree_map(gradient, variables)


def filled(places: dict[int, np.ndarray], found: dict[int, Any]) -> None:
    """Every gradient in its place: what an op has computed there is there already."""
    for entry, place in places.items():
        d = found.get(entry, 0)
        if d is not place:
            place[...] = d
