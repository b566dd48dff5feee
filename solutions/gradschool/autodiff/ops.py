"""An op: a function with a hand-written derivative, defined as three functions side by side.

    def cube_forward(x): return x**3, {"x": x}                          # the value, and what the derivative needs
    def cube_backward(g, cache): return g * 3 * cache["x"] ** 2         # dL/dx from g = dL/dy
    @op(cube_forward, cube_backward)
    def cube(x): return cube_forward(x)[0]                              # what callers use, and what its text says

The forward sees plain arrays only, so it may be as fast as it likes. Only for a derivative of a derivative does it
run on traced arrays, so that the cache is traced and the backward is itself differentiated.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from .. import swap
from .tape import Tape
from .traced import Traced, lowered, top_tape

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, eq=False)
class Op:
    """What an op consists of, see `op`. `names` are its parameters, the first `inputs` of which it differentiates."""

    name: str
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    function: Callable[..., Any]
    names: tuple[str, ...]
    inputs: int
    each: tuple[Callable[..., Any], ...]
    plain: Callable[..., Any] | None


OPS: dict[str, Op] = {}


def op(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    *,
    inputs: int = 1,
    each: tuple[Callable[..., Any], ...] = (),
    parts: tuple[str, ...] = (),
    composed: Callable[..., Any] | None = None,
    plain: Callable[..., Any] | None = None,
) -> Callable[[F], F]:
    """Tie a forward and its backward to the public function that callers use, and enter the op in `OPS`.

    Args:
        forward: `forward(*arguments) -> (y, cache)` on plain arrays; y is an array or a tuple of arrays.
        backward: `backward(g, cache)` -> the gradient for the first argument, or a tuple for the first `inputs`.
        inputs: how many of the leading arguments are differentiated; tracing any other raises.
        each: the parts of a backward that are worth computing alone: `each[i](g, cache)` is the gradient for
            argument i, called only if that argument is traced.
        parts: names of the ops that this one fuses. While one of them is replaced, `composed` runs instead.
        composed: the same function composed of those ops.
        plain: the same function, composed of NumPy's functions and ops, for a forward or backward that works in
            place and so cannot be traced. It serves the higher derivatives.
    """
    watched = (*parts, *(f"{part}_backward" for part in parts))

    def tie(function: F) -> F:
        name = function.__name__
        names = tuple(inspect.signature(function).parameters)

        @functools.wraps(function)
        def public(*args: Any, **kwargs: Any) -> Any:
            mine = swap.replaced(name)
            if composed is not None and mine is None and swap.any_replaced(watched):
                return composed(*args, **kwargs)
            tape = top_tape(args) or (top_tape(kwargs.values()) if kwargs else None)
            if tape is not None:
                return traced_call(record, tape, args, kwargs)
            return forward(*args, **kwargs)[0] if mine is None else run_replacement(name, mine, args, kwargs)

        record = OPS[name] = Op(name, forward, backward, public, names, inputs, each, plain)
        swap.offer(name, f"{name}_backward")
        return public  # type: ignore[return-value]

    return tie


def run_replacement(name: str, mine: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    with swap.original(name):  # a replacement may call what it replaces
        return mine(*args, **kwargs)


def traced_call(op: Op, tape: Tape, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run the op one tape lower and note the step on this one."""
    args, kwargs = in_order(op, args, kwargs)
    raw = [lowered(a, tape) for a in args]
    y, pullback = linearized(op, raw, kwargs)
    traced = [i for i, a in enumerate(args) if a is not raw[i]]
    entries = tuple(args[i].entry for i in traced)
    kinds = tuple((r.shape, r.dtype) if r.dtype.kind == "f" else None for r in y) if isinstance(y, tuple) else ()
    entry = tape.step(entries, lambda g: pullback(g, traced), kinds)
    if not kinds:
        return Traced(y, tape, entry)
    return tuple(Traced(r, tape, entry + i) if kinds[i] else r for i, r in enumerate(y))


def in_order(op: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The differentiable arguments by position, and the rest made sure to be plain."""
    for name in op.names[len(args) : op.inputs]:
        if name not in kwargs:
            break
        args, kwargs = (*args, kwargs[name]), {k: v for k, v in kwargs.items() if k != name}
    for name, a in [*list(zip(op.names, args, strict=False))[op.inputs :], *kwargs.items()]:
        if isinstance(a, Traced):
            raise TypeError(
                f"{op.name} has no derivative with respect to {name}; hold it fixed with stop_gradient({name}), "
                "or write the function with NumPy."
            )
    return args, kwargs


def linearized(op: Op, raw: list[Any], kwargs: dict[str, Any]) -> tuple[Any, Callable[[Any, list[int]], list[Any]]]:
    """The value at `raw`, and `pullback(g, which)` with the gradients for the arguments whose positions are asked."""
    nested = any(isinstance(a, Traced) for a in raw)
    mine, my_backward = swap.replaced(op.name), swap.replaced(f"{op.name}_backward")
    y, cache = (None, {}) if nested and op.plain else op.forward(*raw, **kwargs)
    if nested and (op.plain or mine):
        y = op.function(*raw, **kwargs)
    elif mine:
        y = same_shape(op.name, run_replacement(op.name, mine, raw, kwargs), y)

    def pullback(g: Any, which: list[int]) -> list[Any]:
        if op.plain and not my_backward and (nested or is_traced(g)):
            gradients = plain_gradients(op, raw, kwargs, g)
        elif op.each and not my_backward:
            gradients = {i: op.each[i](g, cache) for i in which}
        else:
            found = (my_backward or op.backward)(g, cache)
            gradients = dict(enumerate(found if isinstance(found, tuple) else (found,)))
        return [fits(op, i, gradients.get(i), raw[i]) for i in which]

    return y, pullback


def is_traced(g: Any) -> bool:
    return top_tape(g if isinstance(g, tuple) else (g,)) is not None


def plain_gradients(op: Op, raw: list[Any], kwargs: dict[str, Any], g: Any) -> dict[int, Any]:
    from .derivatives import vjp

    rest = raw[op.inputs :]
    pullback = vjp(lambda *inputs: op.plain(*inputs, *rest, **kwargs), *raw[: op.inputs])[1]  # type: ignore[misc]
    return dict(enumerate(pullback(g)))


def same_shape(name: str, mine: Any, reference: Any) -> Any:
    shapes = [[np.shape(r) for r in (y if isinstance(y, tuple) else (y,))] for y in (mine, reference)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"using: your {name} returned shape {said(shapes[0])}, expected {said(shapes[1])}.")
    return mine if hasattr(mine, "dtype") or isinstance(mine, tuple) else np.asarray(mine)


def said(shapes: Iterable[tuple[int, ...]]) -> str:
    return ", ".join(map(str, shapes))


def fits(op: Op, i: int, d: Any, a: Any) -> Any:
    """The gradient, once it is known to have the shape of its argument."""
    if d is None or np.shape(d) != a.shape:
        came = "nothing" if d is None else f"shape {np.shape(d)}"
        raise ValueError(
            f"{op.name}_backward returned {came} for {op.names[i]} of shape {a.shape}; check its last line."
        )
    return d
