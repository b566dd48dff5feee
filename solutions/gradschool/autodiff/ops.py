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
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn, TypeVar

import numpy as np

from .. import swap
from ..arrays import no_array
from .tape import Tape
from .traced import Traced, taken_from, top_tape

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, eq=False)
class Op:
    """What an op consists of, see `op`. `names` are its parameters, the first `inputs` of which it differentiates."""

    name: str
    backward_name: str
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    function: Callable[..., Any]
    names: tuple[str, ...]
    inputs: int
    each: tuple[Callable[..., Any], ...]
    some: Callable[..., Any] | None
    plain: Callable[..., Any] | None
    fills: frozenset[int]
    fresh: bool = False
    fast: Op | None = None
    in_place: Op | None = None


OPS: dict[str, Op] = {}


def op(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    *,
    inputs: int = 1,
    each: tuple[Callable[..., Any], ...] = (),
    some: Callable[..., Any] | None = None,
    fills: tuple[int, ...] | None = None,
    parts: tuple[str, ...] = (),
    composed: Callable[..., Any] | None = None,
    plain: Callable[..., Any] | None = None,
    fresh: bool = False,
    fast: tuple[Callable[..., Any], Callable[..., Any]] | None = None,
    in_place: tuple[Callable[..., Any], Callable[..., Any]] | None = None,
) -> Callable[[F], F]:
    """Tie a forward and its backward to the public function that callers use, and enter the op in `OPS`.

        def cube_forward(x):
            return x**3, {"x": x}                               # the value, and what the derivative needs
        def cube_backward(g, cache):
            return g * 3 * cache["x"] ** 2                      # dL/dx from g = dL/dy
        @op(cube_forward, cube_backward)
        def cube(x):
            return cube_forward(x)[0]
        grad(lambda x: np.sum(cube(x)))(np.array([2.0, 3.0]))   # [12. 27.]

    Args:
        forward: `forward(*arguments) -> (y, cache)` on plain arrays; y is an array or a tuple of arrays.
        backward: `backward(g, cache)` -> the gradient for the first argument, or a tuple for the first `inputs`.
        inputs: how many of the leading arguments are differentiated; tracing any other raises.
        each: the parts of a backward that are worth computing alone: `each[i](g, cache)` is the gradient for
            argument i, called only if that argument is traced. With a parameter `out` it can write the gradient
            into memory that it is given.
        some: the same for a backward whose gradients share most of their work: `some(g, cache, which)` returns
            {i: gradient} for the arguments i in `which`. With a parameter `out` it is given {i: memory}, for those in
            `fills`, or for all.
        parts: names of the ops that this one fuses. While one of them is replaced, `composed` runs instead.
        composed: the same function composed of those ops.
        plain: the same function, composed of NumPy's functions and ops, for a forward or backward that works in
            place and so cannot be traced. It serves the higher derivatives.
        fresh: y is memory that neither the arguments nor the cache share, so that what follows may write over it.
        fast: forward and backward of a faster form with the same cache, and maybe more in it, that works in place. It
            serves the first derivative, `plain` the higher ones.
        in_place: forward and backward, of the first argument alone, of a faster form that writes y over it. A `chain`
            uses it behind an op that is `fresh`.
    """
    watched = (*parts, *(f"{part}_backward" for part in parts))

    def tie(function: F) -> F:
        name = function.__name__
        names = tuple(inspect.signature(function).parameters)

        @functools.wraps(function)
        def public(*args: Any, **kwargs: Any) -> Any:
            swapped = swap.replacements()
            mine = swapped.get(name) if swapped else None
            if swapped and composed is not None and mine is None and swap.any_replaced(watched):
                return composed(*args, **kwargs)
            tape = top_tape(args) or (top_tape(kwargs.values()) if kwargs else None)
            try:
                if tape is not None:
                    return traced_call(record, tape, args, kwargs)
                return forward(*args, **kwargs)[0] if mine is None else run_replacement(name, mine, args, kwargs)
            except AttributeError:
                check_arrays(record, args, kwargs)
                raise
            except TypeError:
                check_call(record, args, kwargs)
                raise

        record = Op(
            name,
            f"{name}_backward",
            forward,
            backward,
            public,
            names,
            inputs,
            each,
            some,
            plain,
            filling(inputs, each, some) if fills is None else frozenset(fills),
            fresh,
        )
        forms = {"fast": fast, "in_place": in_place}
        others = {form: replace(record, forward=two[0], backward=two[1]) for form, two in forms.items() if two}
        record = OPS[name] = replace(record, **others)
        swap.offer(name, record.backward_name)
        return public  # type: ignore[return-value]

    return tie


def filling(inputs: int, each: tuple[Callable[..., Any], ...], some: Callable[..., Any] | None) -> frozenset[int]:
    """The arguments whose gradients can be written into given memory."""
    parts = enumerate(each or (some,) * inputs)
    return frozenset(i for i, part in parts if part and "out" in inspect.signature(part).parameters)


def check_call(op: Op, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """TypeError in the words of the public function for a call that does not fit it."""
    try:
        inspect.signature(op.function).bind(*args, **kwargs)
    except TypeError as error:
        layers = sys.modules.get("gradschool.layers")
        advice = f"; gs.{op.name} computes with arrays, a layer is gs.layers.{op.name}(...)"
        raise TypeError(f"{op.name}: {error}{advice if op.name in getattr(layers, '__all__', ()) else ''}") from None


def check_arrays(op: Op, args: Iterable[Any], kwargs: Mapping[str, Any]) -> None:
    """TypeError for what stands in the place of an array; looked at only once something has failed."""
    given = dict(zip(op.names, args, strict=False)) | dict(kwargs)
    parameters = inspect.signature(op.function).parameters
    for i, name in enumerate(op.names):
        a, default = given.get(name), parameters[name].default
        if name not in given or hasattr(a, "shape"):
            continue
        if i < op.inputs:
            wrong = a is not None or default is not None
        else:  # targets are arrays, options may be anything
            wrong = default is inspect.Parameter.empty and (name in ("T", "y") or isinstance(a, list | tuple | dict))
        if wrong:
            raise no_array(op.name, name, a)


def run_replacement(name: str, mine: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    with swap.original(name):  # a replacement may call what it replaces
        return mine(*args, **kwargs)


def traced_call(op: Op, tape: Tape, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run the op one tape lower and note the step on this one."""
    if kwargs or len(args) != op.inputs:
        args, kwargs = in_order(op, args, kwargs)
    raw, traced, entries = taken_from(tape, args)
    y, gradients = linearized(op, raw, kwargs)
    places = tape.places  # not the tape itself, which would hold itself by way of the step

    def pullback(g: Any) -> list[Any]:
        out = taken_places(op.fills, traced, entries, places) if places and op.fills else NOWHERE
        found = gradients(g, traced, out)
        for i, d in zip(traced, found, strict=True):
            if getattr(d, "shape", None) != raw[i].shape:
                unfitting(op, i, d, raw[i])
        return found

    if not isinstance(y, tuple):
        return Traced(y, tape, tape.step(entries, pullback))
    kinds = tuple((r.shape, r.dtype) if r.dtype.kind == "f" else None for r in y)
    entry = tape.step(entries, pullback, kinds)
    return tuple(Traced(r, tape, entry + i) if kinds[i] else r for i, r in enumerate(y))


NOWHERE: dict[int, np.ndarray] = {}


def taken_places(
    fills: frozenset[int], traced: list[int], entries: Sequence[int], places: dict[int, np.ndarray]
) -> dict[int, np.ndarray]:
    """Where the gradients of arguments are wanted, for those arguments whose gradient the op can write there."""
    return {i: places.pop(entry) for i, entry in zip(traced, entries, strict=True) if i in fills and entry in places}


def in_order(op: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The differentiable arguments by position, and the rest made sure to be plain."""
    differentiable = op.names[: op.inputs]
    if any(name in differentiable for name in kwargs):
        last = max(i for i, name in enumerate(differentiable) if name in kwargs)
        start = len(args)
        for name in op.names[start : last + 1]:
            if name not in kwargs and not optional(op, name):
                break
            args = (*args, kwargs.get(name))  # an optional array that is left out between others is None
        kwargs = {name: a for name, a in kwargs.items() if name not in op.names[start : len(args)]}
    rest = (*args[op.inputs :], *kwargs.values())
    if top_tape(rest) is not None:
        names = (*op.names[op.inputs : len(args)], *kwargs)
        name = next(name for name, a in zip(names, rest, strict=True) if isinstance(a, Traced))
        raise TypeError(
            f"{op.name} has no derivative with respect to {name}; hold it fixed with stop_gradient({name}), "
            "or write the function with NumPy."
        )
    return args, kwargs


def optional(op: Op, name: str) -> bool:
    return inspect.signature(op.function).parameters[name].default is None


def linearized(op: Op, raw: list[Any], kwargs: dict[str, Any]) -> tuple[Any, Callable[..., list[Any]]]:
    """The value at `raw`, and `gradients(g, which, out)`, those for the arguments whose positions are asked; `out` has
    memory for some of them.
    """
    nested, swapped = top_tape(raw) is not None, swap.replacements()
    mine, my_backward = (swapped.get(op.name), swapped.get(op.backward_name)) if swapped else (None, None)
    form = op.fast if op.fast is not None and not nested and not swapped else op
    y, cache = (None, {}) if nested and op.plain else form.forward(*raw, **kwargs)
    if nested and (op.plain or mine):
        y = op.function(*raw, **kwargs)
    elif mine:
        y = same_shape(op.name, run_replacement(op.name, mine, raw, kwargs), y)

    def gradients(g: Any, which: list[int], out: dict[int, np.ndarray]) -> list[Any]:
        higher = nested or is_traced(g)
        out = NOWHERE if higher else out
        if my_backward is None and not (op.plain and higher):
            return gradients_of(form, g, cache, which, out)
        found = plain_gradients(op, raw, kwargs, g) if my_backward is None else my_backward(g, cache)
        return chosen(found, which)

    return y, gradients


def gradients_of(op: Op, g: Any, cache: Any, which: list[int], out: dict[int, np.ndarray]) -> list[Any]:
    """By the op's own backward, for the arguments whose positions are asked; `out` has memory for some of them."""
    found = gradients_by(op, g, cache, which, out)
    return chosen(found, which) if isinstance(found, tuple) else [found[i] for i in which]


def gradients_by(op: Op, g: Any, cache: Any, which: list[int], out: dict[int, np.ndarray]) -> Any:
    """The same, to be looked up by these positions."""
    if op.each:
        return {i: op.each[i](g, cache, out=out[i]) if i in out else op.each[i](g, cache) for i in which}
    if op.some:
        return op.some(g, cache, which, out=out) if op.fills else op.some(g, cache, which)
    found = op.backward(g, cache)
    return found if isinstance(found, tuple) else (found,)


def chosen(found: Any, which: list[int]) -> list[Any]:
    found = found if isinstance(found, tuple) else (found,)
    return [found[i] if i < len(found) else None for i in which]


def is_traced(g: Any) -> bool:
    return any(isinstance(d, Traced) for d in g) if isinstance(g, tuple) else isinstance(g, Traced)


def plain_gradients(op: Op, raw: list[Any], kwargs: dict[str, Any], g: Any) -> tuple[Any, ...]:
    """The gradients by the plain twin, whose steps are traced like anything else."""
    from .derivatives import vjp

    rest = raw[op.inputs :]
    y, pullback = vjp(lambda *inputs: op.plain(*inputs, *rest, **kwargs), *raw[: op.inputs])  # type: ignore[misc]
    if isinstance(g, tuple):  # results that are no floats have no gradient
        g = tuple(np.zeros(np.shape(r)) if d is None else d for r, d in zip(y, g, strict=True))
    return pullback(g)


def same_shape(name: str, mine: Any, reference: Any) -> Any:
    """A replacement's value, once it is known to have the reference's shape; numbers and lists become arrays."""
    shapes = [[np.shape(r) for r in (y if isinstance(y, tuple) else (y,))] for y in (mine, reference)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"using: your {name} returned shape {said(shapes[0])}, expected {said(shapes[1])}.")
    return mine if isinstance(mine, tuple) else np.asarray(mine, reference.dtype)


def said(shapes: Iterable[tuple[int, ...]]) -> str:
    return ", ".join(map(str, shapes))


def unfitting(op: Op, i: int, d: Any, a: Any) -> NoReturn:
    came = "nothing" if d is None else f"shape {np.shape(d)}"
    raise ValueError(f"{op.backward_name} gave {came} for {op.names[i]} of shape {a.shape}; check what it returns.")
