"""A chain of ops, each applied to the result of the one before, as a single step on the tape.

    y, others = chain(x, [Link(dense_elu, (W1, b1)), Link(dense, (W2, b2))])    # dense(dense_elu(x, W1, b1), W2, b2)

The numbers are those of the ops one by one. In a network of small layers the step itself costs as much as what it
computes: this way there is one for all layers, and what lies between them is never wrapped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import swap
from .derivatives import vjp
from .ops import OPS, Op, check_arrays, gradients_by
from .traced import Traced, constant, taken_from, top_tape

NO_OPTIONS: dict[str, Any] = {}


class Link(NamedTuple):
    """op(x, *arguments, **options), differentiated by x and `arguments`; `keeps` names its results behind the first."""

    op: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    options: dict[str, Any] = NO_OPTIONS
    keeps: tuple[str, ...] = ()


# What a link leaves for its derivative, a bare tuple because one is made for each: its op and the op's cache, how many
# arguments the links before it have, which of the op's inputs are traced, and whether what flows in (0) is among them.
Linked = tuple[Op, Any, int, list[int], bool]


def chain(x: Any, links: Sequence[Link]) -> tuple[Any, list[tuple[Any, ...]]]:
    """(y, others): x through all links, and what else each of their ops returned, as constants.

    >>> from gradschool import elu, relu
    >>> y, others = chain(np.array([-1.0, 2.0]), [Link(elu), Link(relu)])
    >>> print(y, others)
    [0. 2.] [(), ()]
    """
    every = [x]
    for link in links:
        every.extend(link.arguments)
    tape = top_tape(every)
    raw, traced, entries = (every, [], ()) if tape is None else taken_from(tape, every)
    if swap.replacements() or (tape is not None and top_tape(raw) is not None):
        return one_by_one(links, every)
    at = dict(zip(traced, entries, strict=True))
    try:
        y, done, others = forward(links, raw, at)
    except AttributeError:
        check_arrays(OPS[links[0].op.__name__], every, {})
        raise
    if tape is None:
        return y, others
    places, once = tape.places, tape.once  # not the tape itself, which would hold itself by way of the step

    def pullback(g: Any) -> Any:
        if isinstance(g, Traced):
            return plain_gradients(links, raw, traced, g)
        found = backward(done if once else done.copy(), at, places, g)
        return [found[i] for i in traced]

    return Traced(y, tape, tape.step(entries, pullback)), others


def forward(
    links: Sequence[Link], raw: list[Any], at: dict[int, int]
) -> tuple[Any, list[Linked], list[tuple[Any, ...]]]:
    y, end, moves, fresh, done, others = raw[0], 0, 0 in at, False, [], []
    for function, arguments, options, _ in links:
        op, start, end = OPS[function.__name__], end, end + len(arguments)
        if fresh and op.in_place is not None and not options:
            op = op.in_place
        elif op.fast is not None and (moves or at):  # for a derivative, else there is nothing to keep for it
            op = op.fast
        y, cache = op.forward(y, *raw[start + 1 : end + 1], **options) if arguments else op.forward(y, **options)
        y, rest = (y[0], y[1:]) if type(y) is tuple else (y, ())
        others.append(rest)
        fresh = op.fresh
        which = [0] if moves else []
        if arguments:
            which += [k for k in range(1, end - start + 1) if start + k in at]
        if which:  # nothing is computed for inputs that are no parameters
            done.append((op, cache, start, which, moves))
            moves = True
    return y, done, others


def backward(done: list[Linked], at: dict[int, int], places: dict[int, np.ndarray], g: Any) -> dict[int, Any]:
    """{i: gradient} for the i-th of x and all arguments. It empties `done`, so that what a link has kept makes room for
    the gradients of those before it."""
    found = {}
    while done:
        op, cache, start, which, moves = done.pop()
        out = {}
        for k in which[moves:]:
            entry = at[start + k]
            if k in op.fills and entry in places:
                out[k] = places.pop(entry)
        gradients = gradients_by(op, g, cache, which, out)
        for k in which[moves:]:
            found[start + k] = gradients[k]
        if moves:
            g = gradients[0]
    return found | {0: g}


# --------------------------------------------------------- while an op is replaced, and for derivatives of derivatives
def one_by_one(links: Sequence[Link], every: list[Any]) -> tuple[Any, list[tuple[Any, ...]]]:
    y, end, others = every[0], 1, []
    for link in links:
        start, end = end, end + len(link.arguments)
        y = link.op(y, *every[start:end], **link.options)
        y, *rest = y if isinstance(y, tuple) else (y,)
        others.append(tuple(map(constant, rest)))
    return y, others


def plain_gradients(links: Sequence[Link], raw: list[Any], traced: list[int], g: Any) -> tuple[Any, ...]:
    def run(*values: Any) -> Any:
        every = list(raw)
        for i, value in zip(traced, values, strict=True):
            every[i] = value
        return one_by_one(links, every)[0]

    return vjp(run, *(raw[i] for i in traced))[1](g)
