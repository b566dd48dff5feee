"""Layers that read a sequence step by step: the last state of each, or with `every=True` the states of all steps.

net = sequential(embedding(1000, 64), lstm(128), dense(2))                     # ids (N, T) -> scores (N, 2)
net = sequential(gru(64, every=True), bidirectional(gru(32)), dense(2))        # two floors, the upper from both ends
net = sequential(each(embedding(1000, 64), identity), lstm(128), dense(2))     # sequences of different lengths:
params, state, _ = net.init(rng, ((12,), ()))                                  #   a pair goes in, ids and lengths
scores = predict(net, params, (ids, lengths), state)

An input that is a pair (X, mask) has sequences X (N, T, in) and a mask (N, T) of zeros and ones, or lengths (N,):
steps that do not count change nothing. With `every` the mask goes on to the next layer, as a pair (Y, mask).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import initializers, ops, recurrent_initializers
from .base import Layer, Shape, Tree, check_shape, check_units, own, stateless, what_else

Init = Callable[..., np.ndarray]


def rnn(
    units: int,
    every: bool = False,
    activation: str = "tanh",
    init: Init = initializers.glorot,
    recurrent_init: Init = recurrent_initializers.orthogonal,
) -> Layer:
    """h_t = tanh(x_t W + h_{t-1} R + b): x (N, T, in) -> the last h (N, units), or all (N, T, units) with `every`.

    params {"W": (in, units), "R": (units, units), "b": zeros (units,)}.
    An input that is a pair (x, mask), or (x, lengths), has sequences of different lengths: see `gs.layers.recurrent`.

    Raises ValueError for less than one unit, and from `init` for samples that are no (T, in).

    >>> rnn(4).init(np.random.default_rng(0), (12, 3))[2], rnn(4, every=True).init(np.random.default_rng(0), (12, 3))[2]
    ((4,), (12, 4))
    """
    bias = functools.partial(zeros, 1)
    return recurrent("rnn", ops.rnn, units, 1, every, bias, init, recurrent_init, activation=activation)


def lstm(
    units: int,
    every: bool = False,
    activation: str = "tanh",
    gate_activation: str = "sigmoid",
    init: Init = initializers.glorot,
    recurrent_init: Init = recurrent_initializers.orthogonal,
    bias_init: Callable[..., np.ndarray] = recurrent_initializers.unit_forget_gate,
) -> Layer:
    """Long short-term memory: x (N, T, in) -> the last h (N, units), or all (N, T, units) with `every`.

    params {"W": (in, 4 units), "R": (units, 4 units), "b": (4 units,)}, gates i, f, g, o; b is one for the forget gate
    f at first, unless `bias_init(units, dtype=...)` says otherwise. Initial weights are those of Keras and MATLAB.
    An input that is a pair (x, mask), or (x, lengths), has sequences of different lengths: see `gs.layers.recurrent`.

    Raises ValueError as `rnn` does.

    >>> params, _, shape = lstm(5).init(np.random.default_rng(0), (12, 3))
    >>> params["W"].shape, params["R"].shape, shape
    ((3, 20), (5, 20), (5,))
    >>> x, lengths = np.ones((2, 12, 3)), np.array([12, 7])
    >>> y, _ = lstm(5).apply(params, {}, (x, lengths))
    >>> bool((y[1] == lstm(5).apply(params, {}, x[1:, :7])[0]).all())
    True
    """
    return recurrent(
        "lstm", ops.lstm, units, 4, every, bias_init, init, recurrent_init,
        activation=activation, gate_activation=gate_activation,
    )  # fmt: skip


def gru(
    units: int,
    every: bool = False,
    reset: str = "after",
    activation: str = "tanh",
    gate_activation: str = "sigmoid",
    two_biases: bool = False,
    init: Init = initializers.glorot,
    recurrent_init: Init = recurrent_initializers.orthogonal,
) -> Layer:
    """Gated recurrent unit: x (N, T, in) -> the last h (N, units), or all (N, T, units) with `every`.

    params {"W": (in, 3 units), "R": (units, 3 units), "b": zeros (3 units,)}, gates r, z, n; with `two_biases` b is
    (2, 3 units), the second inside the product that is reset, as in PyTorch and Keras.
    An input that is a pair (x, mask), or (x, lengths), has sequences of different lengths: see `gs.layers.recurrent`.

    Raises ValueError as `rnn` does, and for two biases with another reset than "after".

    >>> gru(5, every=True).init(np.random.default_rng(0), (12, 3))[2]
    (12, 5)
    """
    if two_biases and reset != "after":
        raise ValueError(f'gru: two biases need reset "after", got {reset!r}')
    bias = functools.partial(zeros, (2, 3) if two_biases else 3)
    return recurrent(
        "gru", ops.gru, units, 3, every, bias, init, recurrent_init,
        reset=reset, activation=activation, gate_activation=gate_activation,
    )  # fmt: skip


def bidirectional(layer: Layer, merge: str = "concat") -> Layer:
    """Two readers like `layer` (an `rnn`, `lstm` or `gru`), the second from the end; "concat" of both states, or "sum".

    params {"ahead": those of one, "back": those of the other}. With a pair (x, mask) the second begins at the last step
    that counts.

    Raises TypeError for another layer, ValueError for another `merge`.

    >>> bidirectional(lstm(5)).init(np.random.default_rng(0), (12, 3))[2]
    (10,)
    """
    if not isinstance(layer, Layer):
        came = what_else(layer) or getattr(layer, "__name__", repr(layer))
        raise TypeError(f"bidirectional: expected a layer rnn, lstm or gru, got {came}")
    function = layer.apply.args[0] if isinstance(layer.apply, functools.partial) else None
    if not isinstance(function, functools.partial) or function.func is not read:
        raise TypeError(f"bidirectional: expected a layer rnn, lstm or gru, got {layer.name}")
    if merge not in ("concat", "sum"):
        raise ValueError(f'bidirectional: expected merge "concat" or "sum", got {merge!r}')
    init = functools.partial(bidirectional_init, layer, 2 if merge == "concat" else 1)
    both = functools.partial(read_both, merge, *function.args)
    return stateless(init, both, f"bidirectional({layer.name})")


def last_step() -> Layer:
    """Of states of all steps the last that counts: Y (N, T, C), or a pair (Y, mask) -> (N, C).

    Raises ValueError (from init) for samples that are no (T, C), alone or with a mask; (from apply) for a mask or
    lengths that `last_valid` refuses.
    """
    return stateless(last_step_init, last_of, "last_step")


# ------------------------------------------------------------------------------------------------------- what they do
def zeros(blocks: int | tuple[int, int], units: int, dtype: Any = float) -> np.ndarray:
    *rows, columns = blocks if isinstance(blocks, tuple) else (blocks,)
    return np.zeros((*rows, columns * units), dtype)


def recurrent(
    name: str,
    op: Callable[..., Any],
    units: int,
    gates: int,
    every: bool,
    bias_init: Callable[..., np.ndarray],
    init: Init,
    recurrent_init: Init,
    **options: Any,
) -> Layer:
    check_units(name, units)
    start = functools.partial(recurrent_start, name, units, gates, every, bias_init, init, recurrent_init)
    return stateless(start, functools.partial(read, op, every, options), f"{name}({units})")


def recurrent_start(
    name: str,
    units: int,
    gates: int,
    every: bool,
    bias_init: Callable[..., np.ndarray],
    init: Init,
    recurrent_init: Init,
    rng: np.random.Generator,
    shape: Any,
    dtype: Any,
) -> tuple[Tree, Any]:
    sequence, mask = parted_shape(name, shape)
    params = {
        "W": init((sequence[1], gates * units), rng, dtype=dtype),
        "R": recurrent_init((units, gates * units), rng, dtype=dtype),
        "b": bias_init(units, dtype=dtype),
    }
    return params, after_reading(every, (sequence[0], units), mask)


def bidirectional_init(layer: Layer, widths: int, rng: np.random.Generator, shape: Any, dtype: Any) -> tuple[Tree, Any]:
    ahead, _, after = layer.init(rng, shape, dtype)
    back, _, _ = layer.init(rng, shape, dtype)
    if isinstance(after[0], tuple):
        after = ((*after[0][:-1], widths * after[0][-1]), after[1])
    else:
        after = (*after[:-1], widths * after[-1])
    return {"ahead": ahead, "back": back}, after


def parted_shape(name: str, shape: Any) -> tuple[Shape, Shape | None]:
    """Shapes of a sequence and of its mask, None for no mask."""
    check_shape(name, shape)
    sequence, mask = shape if len(shape) == 2 and isinstance(shape[0], tuple) else (shape, None)
    if len(sequence) != 2 or (mask is not None and mask not in ((), sequence[:1])):
        raise ValueError(
            f"{name}: expected samples (T, in), with a mask ((T, in), (T,)), with a length ((T, in), ()), got {shape}"
        )
    return sequence, mask


def after_reading(every: bool, states: Shape, mask: Shape | None) -> Any:
    if not every:
        return states[1:]
    return states if mask is None else (states, mask)


def read(op: Callable[..., Any], every: bool, options: dict[str, Any], params: Tree, x: Any) -> Any:
    X, mask = x if isinstance(x, tuple) else (x, None)
    Y, H, *_ = op(X, *own(op.__name__, params, "W", "R", "b"), mask=mask, **options)
    return chosen(every, Y, H, mask)


def read_both(merge: str, op: Callable[..., Any], every: bool, options: dict[str, Any], params: Tree, x: Any) -> Any:
    X, mask = x if isinstance(x, tuple) else (x, None)
    Y, H, *_ = ops.bidirectional(op, X, params["ahead"], params["back"], mask, merge, **options)
    return chosen(every, Y, H, mask)


def chosen(every: bool, Y: Any, H: Any, mask: Any) -> Any:
    if not every:
        return H
    return Y if mask is None else (Y, mask)


def last_step_init(rng: np.random.Generator, shape: Any, dtype: Any) -> tuple[Tree, Shape]:
    sequence, _ = parted_shape("last_step", shape)
    return {}, sequence[1:]


def last_of(params: Tree, x: Any) -> Any:
    return ops.last_valid(*x) if isinstance(x, tuple) else ops.last_valid(x)
