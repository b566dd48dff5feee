"""Traced arrays: arrays on a tape, on which NumPy's functions and operators work and leave their steps.

    tape = Tape()
    x = Traced(np.array([1.0, 2.0]), tape, tape.variable())
    y = np.sum(x * x)                                   # a traced 5.0
    tape.pull({y.entry: np.float64(1)})[x.entry]        # dy/dx = [2. 4.]

The value of a traced array may itself be traced, on an older tape. Derivatives are computed with the same functions
as anything else, so they leave steps on that older tape, and can be differentiated in turn, to any order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

import numpy as np

from .tape import Tape

Rule = Callable[..., Any]
UFUNCS: dict[np.ufunc, tuple[Rule, ...] | None] = {}  # the rules of a ufunc, None if its derivative is zero
FUNCTIONS: dict[Any, Callable[..., Any]] = {}  # NumPy's function: what is called in its place

NO_OPTIONS: dict[str, Any] = {}
UNKNOWN: Any = ()

INSTEAD = (
    "if the derivative should pass through it, compute with np.* functions and operators instead; "
    "if not, use stop_gradient(x), or return it beside the loss with has_aux=True."
)


def binary(ufunc: np.ufunc) -> Callable[[Any, Any], Any]:
    return lambda self, other: ufunc_called(ufunc, self, other)


def reflected(ufunc: np.ufunc) -> Callable[[Any, Any], Any]:
    return lambda self, other: ufunc_called(ufunc, other, self)


def method(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, *args, **kwargs: FUNCTIONS[function](self, *args, **kwargs)


def refused(what: str) -> Callable[..., NoReturn]:
    def refuse(self: Any, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(f"{what} of what is being differentiated would lose its derivative; {INSTEAD}")

    return refuse


class Traced:
    """An array on a tape. It has an array's attributes and methods; what cannot be traced raises and says what can.

    Comparisons, `argmax`, `sign` and the like give ordinary arrays: their derivative is zero everywhere.
    """

    __slots__ = ("entry", "tape", "value")

    def __init__(self, value: Any, tape: Tape, entry: int) -> None:
        self.value, self.tape, self.entry = value, tape, entry

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *args: Any, **kwargs: Any) -> Any:
        if any(part is not None for part in kwargs.get("out", ())):
            raise TypeError("an array cannot take in place what is being differentiated; write y = y + x, not y += x.")
        if method == "reduce" and (ufunc, "reduce") in FUNCTIONS:
            return FUNCTIONS[ufunc, "reduce"](*args, **kwargs)
        if method != "__call__" or kwargs:
            how = ", ".join(kwargs) or method
            raise TypeError(f"np.{ufunc.__name__} with {how} has no derivative here; call it plainly.")
        return ufunc_called(ufunc, *args)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function not in FUNCTIONS:
            name = f"{function.__module__}.{function.__name__}".replace("numpy", "np", 1)
            raise TypeError(f"{name} has no derivative here; write it with other functions, or make it an op.")
        return FUNCTIONS[function](*args, **kwargs)

    # ---------------------------------------------------------------------------------------------- what an array has
    shape = property(lambda self: self.value.shape)
    dtype = property(lambda self: self.value.dtype)
    ndim = property(lambda self: self.value.ndim)
    size = property(lambda self: self.value.size)
    T = property(lambda self: np.transpose(self))

    __add__, __radd__ = binary(np.add), reflected(np.add)
    __sub__, __rsub__ = binary(np.subtract), reflected(np.subtract)
    __mul__, __rmul__ = binary(np.multiply), reflected(np.multiply)
    __truediv__, __rtruediv__ = binary(np.divide), reflected(np.divide)
    __floordiv__, __rfloordiv__ = binary(np.floor_divide), reflected(np.floor_divide)
    __pow__, __rpow__ = binary(np.power), reflected(np.power)
    __matmul__, __rmatmul__ = binary(np.matmul), reflected(np.matmul)
    __lt__, __le__ = binary(np.less), binary(np.less_equal)
    __gt__, __ge__ = binary(np.greater), binary(np.greater_equal)
    __eq__, __ne__ = binary(np.equal), binary(np.not_equal)  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]  # as for every array

    sum, mean, max, min = method(np.sum), method(np.mean), method(np.max), method(np.min)
    var, std, clip, cumsum, dot = method(np.var), method(np.std), method(np.clip), method(np.cumsum), method(np.dot)
    ravel, flatten, squeeze, swapaxes = method(np.ravel), method(np.ravel), method(np.squeeze), method(np.swapaxes)
    argmax, argmin, argsort, any, all = map(method, (np.argmax, np.argmin, np.argsort, np.any, np.all))
    take, repeat, trace, diagonal, copy = map(method, (np.take, np.repeat, np.trace, np.diagonal, np.copy))

    def __neg__(self) -> Any:
        return ufunc_called(np.negative, self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return ufunc_called(np.absolute, self)

    def __getitem__(self, index: Any) -> Any:
        return pick(self, index)

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def reshape(self, *shape: Any) -> Any:
        return np.reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> Any:
        return np.transpose(self, (axes[0] if isinstance(axes[0], tuple | list) else axes) if axes else None)

    def astype(self, dtype: Any, copy: bool = True) -> Any:
        return self if dtype == self.dtype else cast(self, dtype)

    def __repr__(self) -> str:
        return f"Traced({self.value!r})"

    def __format__(self, spec: str) -> str:
        return format(constant(self)[()], spec)

    def __bool__(self) -> bool:
        return bool(constant(self))

    # -------------------------------------------------------------------------------------------- what it must not do
    __array__ = refused("np.asarray")
    __float__, __int__, __index__ = refused("float"), refused("int"), refused("an index")
    item, tolist = refused(".item()"), refused(".tolist()")

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise TypeError("an array that is being differentiated cannot be changed in place; try np.where or np.stack.")


# --------------------------------------------------------------------------------------------- on which tape, and off
def top_tape(arguments: Iterable[Any]) -> Tape | None:
    """The youngest tape on which one of the arguments is traced: the innermost derivative comes first."""
    top = None
    for a in arguments:
        if isinstance(a, Traced) and (top is None or a.tape.age > top.age):
            top = a.tape
    return top


def lowered(a: Any, tape: Tape) -> Any:
    """The argument without its place on this tape; older tapes still see it."""
    return a.value if isinstance(a, Traced) and a.tape is tape else a


def constant(a: Any) -> Any:
    """The plain array inside, on however many tapes it is traced."""
    while isinstance(a, Traced):
        a = a.value
    return a


# ----------------------------------------------------------------------------------------------------- with its rules
def ufunc_called(ufunc: np.ufunc, *args: Any) -> Any:
    rules = UFUNCS.get(ufunc, UNKNOWN)
    if rules is UNKNOWN:
        raise TypeError(f"np.{ufunc.__name__} has no derivative here; write it with other functions, or make it an op.")
    return ufunc(*map(constant, args)) if rules is None else call(ufunc, rules, args, NO_OPTIONS)


def call(function: Callable[..., Any], rules: Any, args: Any, kwargs: Any) -> Any:
    """Run a function on traced arguments, one tape at a time and the youngest first, and note the step.

    `rules` has for each argument `rule(g, y, *args, **kwargs)`, or None for a constant; it may also be one function
    `rule(i, g, y, *args, **kwargs)` for all.
    """
    each = callable(rules)
    if not each and (len(rules) < len(args) or None in rules):
        args = [a if i < len(rules) and rules[i] else constant(a) for i, a in enumerate(args)]
    tape = top_tape(args)
    if tape is None:
        return function(*args, **kwargs)
    raw, traced, entries = taken_from(tape, args)
    y = function(*raw, **kwargs)

    def pullback(g: Any) -> list[Any]:
        if each:
            return [fitted(rules(i, g, y, *raw, **kwargs), raw[i].shape) for i in traced]
        return [fitted(rules[i](g, y, *raw, **kwargs), raw[i].shape) for i in traced]

    return Traced(y, tape, tape.step(entries, pullback))


def taken_from(tape: Tape, args: Iterable[Any]) -> tuple[list[Any], list[int], tuple[int, ...]]:
    """The arguments one tape lower; the positions of those that were traced on it, and their entries."""
    raw, traced, entries = list(args), [], []
    for i, a in enumerate(raw):
        if isinstance(a, Traced) and a.tape is tape:
            raw[i] = a.value
            traced.append(i)
            entries.append(a.entry)
    return raw, traced, tuple(entries)


def fitted(g: Any, shape: tuple[int, ...]) -> Any:
    """A gradient in the shape of its argument: summed where that was broadcast, broadcast where that was summed."""
    if g.shape == shape:
        return g
    if g.ndim > len(shape):
        g = np.sum(g, axis=tuple(range(g.ndim - len(shape))))
    missing = len(shape) - g.ndim
    stretched = tuple(i for i in range(g.ndim) if shape[missing + i] == 1 and g.shape[i] != 1)
    if stretched:
        g = np.sum(g, axis=stretched, keepdims=True)
    return g if g.shape == shape else np.broadcast_to(g, shape)


def primitive(*rules: Rule | None, each: Rule | None = None) -> Any:
    """Give a function of ours its rules; NumPy's own get theirs in `numpy_ufuncs` and `numpy_functions`."""

    def tie(function: Callable[..., Any]) -> Callable[..., Any]:
        def public(*args: Any, **kwargs: Any) -> Any:
            if top_tape(args) is None:
                return function(*args, **kwargs)
            return call(public, each or rules, args, kwargs)

        return public

    return tie


@primitive(lambda g, y, x, dtype: g.astype(x.dtype))
def cast(x: Any, dtype: Any) -> Any:
    return x.astype(dtype)


def _unpick(g: Any, y: Any, x: Any, index: Any) -> Any:
    return scatter(g, index, x.shape)


@primitive(_unpick)
def pick(x: Any, index: Any) -> Any:
    return x[index]


@primitive(lambda g, y, x, index, shape: pick(g, index))
def scatter(x: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of a shape with x added at index; where an index occurs twice, both count."""
    y = np.zeros(shape, x.dtype)
    parts = index if isinstance(index, tuple) else (index,)
    if any(isinstance(part, list | np.ndarray) for part in parts):
        np.add.at(y, index, x)
    else:
        y[index] = x
    return y
