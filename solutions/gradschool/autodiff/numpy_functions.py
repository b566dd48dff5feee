"""Derivatives of NumPy's other functions: sums, selections, shapes, joins, rearrangements, products, statistics.

    FUNCTIONS[np.sum](x, axis=1)                        # what np.sum(x, axis=1) comes to when x is traced

Most have a rule (`rule(g, y, x, ...)` is dL/dx); the others are written here with functions that have one. What stands
in no table raises. Entries that share a maximum share its gradient, and clip passes it at its limits.
"""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from .traced import FUNCTIONS, Traced, call, constant, pick, primitive, scatter


# ------------------------------------------------------------------------------------------------ sums and selections
def along(g: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """What a reduction made of x, with the axes back that it took away."""
    return g if keepdims or axis is None else np.expand_dims(g, axis)


def _mean(g: Any, y: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return along(g, x, axis, keepdims) * (y.size / x.size)


def _extreme(g: Any, y: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    chosen = (constant(x) == along(constant(y), x, axis, keepdims)).astype(x.dtype)
    return along(g, x, axis, keepdims) * (chosen / chosen.sum(axis=axis, keepdims=True))


def _cumsum(g: Any, y: Any, x: Any, axis: int) -> Any:
    return np.flip(np.cumsum(np.flip(g, axis), axis), axis)


def _clip(g: Any, y: Any, x: Any, low: Any, high: Any) -> Any:
    inside = np.ones(x.shape, bool)
    inside = inside if low is None else inside & (constant(x) >= low)
    return np.where(inside if high is None else inside & (constant(x) <= high), g, 0)


def _unreshape(g: Any, y: Any, x: Any, *_: Any, **__: Any) -> Any:
    return np.reshape(g, x.shape)


def _untranspose(g: Any, y: Any, x: Any, axes: Any = None) -> Any:
    return np.transpose(g) if axes is None else np.transpose(g, np.argsort([a % x.ndim for a in axes]).tolist())


NUMPY: dict[Any, tuple[Callable[..., Any] | None, ...]] = {
    np.sum: (lambda g, y, x, axis=None, keepdims=False: along(g, x, axis, keepdims),),
    np.mean: (_mean,),
    np.max: (_extreme,),
    np.min: (_extreme,),
    np.amax: (_extreme,),
    np.amin: (_extreme,),
    np.reshape: (_unreshape,),
    np.ravel: (_unreshape,),
    np.squeeze: (_unreshape,),
    np.expand_dims: (_unreshape,),
    np.transpose: (_untranspose,),
    np.swapaxes: (lambda g, y, x, a, b: np.swapaxes(g, a, b),),
    np.moveaxis: (lambda g, y, x, source, destination: np.moveaxis(g, destination, source),),
    np.broadcast_to: (lambda g, y, x, shape: g,),
    np.where: (None, lambda g, y, c, a, b: np.where(c, g, 0), lambda g, y, c, a, b: np.where(c, 0, g)),
    np.tril: (lambda g, y, x, k=0: np.tril(g, k),),
    np.triu: (lambda g, y, x, k=0: np.triu(g, k),),
    np.copy: (lambda g, y, x: g,),
}


def plainly(function: Any, rules: Any) -> Callable[..., Any]:
    """NumPy's function under its rules; an option that they do not know is refused before it can do harm."""
    known = inspect.signature(rules[-1]).parameters
    free = any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values())

    def called(*args: Any, **kwargs: Any) -> Any:
        foreign = [] if free else [name for name in kwargs if name not in known]
        if foreign:
            raise TypeError(f"np.{function.__name__} with {', '.join(foreign)} has no derivative here; do without.")
        return call(function, rules, args, kwargs)

    return called


for _function, _rules in NUMPY.items():
    FUNCTIONS[_function] = plainly(_function, _rules)
for _ufunc, _function in ((np.add, np.sum), (np.maximum, np.max), (np.minimum, np.min)):
    FUNCTIONS[_ufunc, "reduce"] = functools.partial(lambda f, x, axis=0, **options: f(x, axis, **options), _function)


def stands_for(*functions: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a function that does with traced arrays what NumPy's do."""

    def enter(replacement: Callable[..., Any]) -> Callable[..., Any]:
        for function in functions:
            FUNCTIONS[function] = replacement
        return replacement

    return enter


@stands_for(np.clip)
def clip(x: Any, low: Any = None, high: Any = None, **bounds: Any) -> Any:
    low, high = bounds.get("min", bounds.get("a_min", low)), bounds.get("max", bounds.get("a_max", high))
    if not isinstance(low, Traced) and not isinstance(high, Traced):
        return _clipped(x, low, high)
    x = x if low is None else np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


@primitive(_clip)
def _clipped(x: Any, low: Any, high: Any) -> Any:
    return np.clip(x, low, high)


@stands_for(np.cumsum)
def cumsum(x: Any, axis: int | None = None) -> Any:
    return _cumulative(x, axis) if axis is not None else _cumulative(np.ravel(x), 0)


@primitive(_cumsum)
def _cumulative(x: Any, axis: int) -> Any:
    return np.cumsum(x, axis)


# --------------------------------------------------------------------------------------------------- several into one
def _slice_of_joined(i: int, g: Any, y: Any, *arrays: Any, axis: int) -> Any:
    start = sum(a.shape[axis] for a in arrays[:i])
    index = [slice(None)] * g.ndim
    index[axis] = slice(start, start + arrays[i].shape[axis])
    return pick(g, tuple(index))


@primitive(each=_slice_of_joined)
def joined(*arrays: Any, axis: int) -> Any:
    return np.concatenate(arrays, axis)


@stands_for(np.concatenate)
def concatenate(arrays: Any, axis: int | None = 0) -> Any:
    parts = [a if isinstance(a, Traced) else np.asarray(a) for a in arrays]
    return joined(*parts, axis=axis) if axis is not None else joined(*map(np.ravel, parts), axis=0)


@stands_for(np.stack)
def stack(arrays: Any, axis: int = 0) -> Any:
    return concatenate([np.expand_dims(a, axis) for a in arrays], axis)


@stands_for(np.vstack)
def vstack(arrays: Any) -> Any:
    return concatenate([np.reshape(a, (1, -1)) if len(np.shape(a)) < 2 else a for a in arrays], 0)


@stands_for(np.hstack)
def hstack(arrays: Any) -> Any:
    arrays = [np.reshape(a, -1) if len(np.shape(a)) == 0 else a for a in arrays]
    return concatenate(arrays, 0 if len(np.shape(arrays[0])) == 1 else 1)


# ------------------------------------------------------------------------------------------------------ rearrangement
def rearranged(function: Any) -> Callable[..., Any]:
    """A function that only moves entries about moves their numbers as well, and then picks by number."""

    def moved(x: Any, *args: Any, **kwargs: Any) -> Any:
        order = function(np.arange(x.size).reshape(x.shape), *args, **kwargs)
        flat = np.reshape(x, -1)
        return [pick(flat, part) for part in order] if isinstance(order, list) else pick(flat, order)

    return moved


for _function in (
    np.take_along_axis, np.take, np.flip, np.roll, np.repeat, np.tile, np.rot90, np.diagonal, np.split, np.array_split,
):  # fmt: skip
    FUNCTIONS[_function] = rearranged(_function)


@stands_for(np.sort)
def sort(x: Any, axis: int = -1) -> Any:
    return np.take_along_axis(x, np.argsort(constant(x), axis), axis)


@stands_for(np.diff)
def diff(x: Any, n: int = 1, axis: int = -1) -> Any:
    for _ in range(n):
        last = x.shape[axis]
        x = np.take(x, np.arange(1, last), axis) - np.take(x, np.arange(last - 1), axis)
    return x


@stands_for(np.pad)
def pad(x: Any, width: Any, mode: str = "constant", constant_values: Any = 0) -> Any:
    if mode != "constant":
        return rearranged(np.pad)(x, width, mode)
    frame = np.pad(np.zeros(x.shape, x.dtype), width, constant_values=constant_values)
    ends = np.broadcast_to(width, (x.ndim, 2)).tolist()
    index = tuple(slice(before, before + n) for (before, _), n in zip(ends, x.shape, strict=True))
    return frame + scatter(x, index, frame.shape)


# ----------------------------------------------------------------------------------------------------------- products
def _einsum(i: int, g: Any, y: Any, *arrays: Any, labels: tuple[str, ...], out: str) -> Any:
    """The same product with y's labels in the place of argument i's; an axis that only i had comes back by ones."""
    others = [*(a for j, a in enumerate(arrays) if j != i), g]
    names = [*(s for j, s in enumerate(labels) if j != i), out]
    for axis, label in enumerate(labels[i]):
        if not any(label in name for name in names):
            others.append(np.ones(arrays[i].shape[axis], g.dtype))
            names.append(label)
    return np.einsum(f"{','.join(names)}->{labels[i]}", *others)


@primitive(each=_einsum)
def _product(*arrays: Any, labels: tuple[str, ...], out: str) -> Any:
    return np.einsum(f"{','.join(labels)}->{out}", *arrays)


@stands_for(np.einsum)
def einsum(subscripts: str, *arrays: Any, **options: Any) -> Any:
    inputs, arrow, out = subscripts.replace(" ", "").partition("->")
    labels = tuple(inputs.split(","))
    if "." in subscripts or any(len(set(s)) < len(s) for s in labels):
        raise TypeError(f"np.einsum({subscripts!r}) has no derivative here; name every axis, and each once an array.")
    if not arrow:
        out = "".join(sorted(c for c in set(inputs) - {","} if inputs.count(c) == 1))
    return _product(*arrays, labels=labels, out=out)


@stands_for(np.dot)
def dot(a: Any, b: Any) -> Any:
    dims = len(np.shape(a)), len(np.shape(b))
    if 0 in dims:
        return np.multiply(a, b)
    return np.matmul(a, b) if max(dims) <= 2 else np.tensordot(a, b, (-1, -2 if dims[1] > 1 else -1))


@stands_for(np.inner)
def inner(a: Any, b: Any) -> Any:
    return np.tensordot(a, b, (-1, -1)) if np.shape(a) and np.shape(b) else np.multiply(a, b)


@stands_for(np.vdot)
def vdot(a: Any, b: Any) -> Any:
    return np.matmul(np.ravel(a), np.ravel(b))


@stands_for(np.outer)
def outer(a: Any, b: Any) -> Any:
    return np.reshape(a, (-1, 1)) * np.reshape(b, (1, -1))


@stands_for(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    if isinstance(axes, int):
        axes = (range(a.ndim - axes, a.ndim), range(axes))
    left, right = ([int(axis) % x.ndim for axis in np.ravel(ax)] for ax, x in zip(axes, (a, b), strict=True))
    keep = [[i for i in range(x.ndim) if i not in used] for x, used in ((a, left), (b, right))]
    shape = [x.shape[i] for x, kept in zip((a, b), keep, strict=True) for i in kept]
    inside = functools.reduce(operator.mul, (a.shape[i] for i in left), 1)
    rows = np.reshape(np.transpose(a, keep[0] + left), (-1, inside))
    columns = np.reshape(np.transpose(b, right + keep[1]), (inside, -1))
    return np.reshape(np.matmul(rows, columns), shape)


@stands_for(np.trace)
def trace(x: Any) -> Any:
    return np.sum(np.diagonal(x), axis=-1)


# --------------------------------------------------------------------------------------------------------- statistics
@stands_for(np.var)
def var(x: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
    d = x - np.mean(x, axis=axis, keepdims=True)
    y = np.mean(d * d, axis=axis, keepdims=keepdims)
    return y if ddof == 0 else y * (x.size / y.size) / (x.size / y.size - ddof)


@stands_for(np.std)
def std(x: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
    return np.sqrt(np.var(x, axis=axis, ddof=ddof, keepdims=keepdims))


@stands_for(np.linalg.norm)
def norm(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims))


@stands_for(np.full_like)
def full_like(x: Any, value: Any) -> Any:
    return np.ones_like(x) * value


# ------------------------------------------------------------------------------ what has no derivative, or needs none
def _of_constants(function: Any) -> Callable[..., Any]:
    return lambda *args, **kwargs: function(*map(constant, args), **{k: constant(v) for k, v in kwargs.items()})


for _function in (
    np.argmax, np.argmin, np.argsort, np.nonzero, np.flatnonzero, np.count_nonzero, np.any, np.all, np.searchsorted,
    np.zeros_like, np.ones_like, np.empty_like, np.shape, np.ndim, np.size, np.round, np.isclose,
    np.allclose, np.array_equal, np.result_type, np.isin, np.may_share_memory, np.shares_memory,
):  # fmt: skip
    FUNCTIONS[_function] = _of_constants(_function)
