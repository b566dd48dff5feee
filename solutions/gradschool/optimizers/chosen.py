"""An optimizer is a pair of pure functions, usually chosen by the name of its step.

adam = optimizer("adam", b1=0.8, lr=1e-3)
state = adam.init(params)
params, state = adam.update(params, grads, state)              # with its own rate
params, state = adam.update(params, grads, state, 5e-4)        # with that of a schedule
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np  # noqa: F401  (an example uses it)

from ..trees import Tree
from .registry import STEPS, State, find_step, init_state, nearest

__all__ = ["Optimizer", "optimizer", "with_options"]


@dataclass(frozen=True)
class Optimizer:
    """A pair of pure functions: `init(params) -> state`, `update(params, grads, state, lr=None) -> (params, state)`.

    Write your own as `Optimizer(my_init, my_update)`. `name` is what `using` replaces; `elementwise` promises that
    every entry is updated by itself, whatever its neighbours, so that a flat vector may be updated in blocks; `lr` is
    the rate that `update` takes when it is given none, and `hyper` the options that it was chosen with. An optimizer
    made of another one may say with `remake(**hyper)` what it is with other options, and with `flat(block, params, g,
    state, lr)` how it changes a FlatTree in place.
    """

    init: Callable[[Tree], State]
    update: Callable[..., tuple[Tree, State]]
    name: str = ""
    elementwise: bool = False
    lr: float | None = None
    hyper: Mapping[str, Any] | None = None
    remake: Callable[..., Optimizer] | None = None
    flat: Callable[..., None] | None = None


def optimizer(name: str, **hyper: Any) -> Optimizer:
    """The step of that name with its options, as an `Optimizer`: `optimizer("adam", b1=0.8, lr=0.01)`.

    `update` takes its own `lr`, from a schedule say; without one it is the `lr` given here, or the step's default.
    It pickles, and it calls the step by name each time, so that `using(adam=my_adam)` is seen.

    Raises ValueError for an unknown name, TypeError for an unknown option; both suggest the nearest.

    >>> adam = optimizer("adam", b1=0.8)
    >>> params = {"x": np.array([1.0, -1.0, 0.5])}
    >>> adam.update(params, params, adam.init(params), 0.5)[0]["x"].round(6)
    array([ 0.5, -0.5,  0. ])
    """
    function = find_step(name).function
    signature = inspect.signature(function).parameters
    options = list(signature)
    if options[0] != "params":
        raise ValueError(
            f"{name} asks for gradients at a point of its own choosing; call it directly, with {options[0]}"
        )
    for option in hyper:
        if option not in options[3:]:
            raise TypeError(f"{name} has no option {option!r}.{nearest(option, options[3:])}")
    numbers = all(value is None or isinstance(value, int | float) for value in hyper.values())
    lr = hyper.get("lr", signature["lr"].default)
    init, update = functools.partial(init_state, name), functools.partial(take_step, name, hyper)
    return Optimizer(init, update, name, numbers, lr, hyper)


def with_options(chosen: Optimizer, **hyper: Any) -> Optimizer:
    """The same optimizer with other options; its state goes on, so an option may follow a schedule.

    Raises ValueError for an optimizer that `optimizer` has not made, TypeError for an unknown option.

    >>> with_options(optimizer("momentum", lr=0.1), beta=0.95).hyper
    {'lr': 0.1, 'beta': 0.95}
    """
    if chosen.remake is not None:
        return chosen.remake(**hyper)
    if chosen.hyper is None:
        raise ValueError(f"with_options: expected an optimizer chosen by name, got your own for {list(hyper)}")
    return optimizer(chosen.name, **{**chosen.hyper, **hyper})


def all_options(chosen: Optimizer) -> dict[str, Any]:
    """The options that an optimizer was chosen with, and the defaults of the others."""
    return defaults(chosen.name) | dict(chosen.hyper or {})


@functools.cache  # a signature is slow to look up, and training asks at every step
def defaults(name: str) -> dict[str, Any]:
    signature = inspect.signature(find_step(name).function).parameters
    return {option: parameter.default for option, parameter in list(signature.items())[3:]}


def take_step(name: str, hyper: dict[str, Any], params: Tree, grads: Tree, state: State, lr: float | None = None):
    rate = {} if lr is None else {"lr": float(lr)}  # a NumPy float64 would turn float32 parameters into float64
    return STEPS[name].function(params, grads, state, **(hyper | rate))
