"""An optimizer is a pair of pure functions, usually chosen by the name of its step.

adam = optimizer("adam", b1=0.8, lr=1e-3)
state = adam.init(params)
params, state = adam.update(params, grads, state)              # with its own rate
params, state = adam.update(params, grads, state, 5e-4)        # with that of a schedule
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np  # noqa: F401  (an example uses it)

from ..ranges import check_range
from ..trees import Tree, tree_leaves
from .registry import STEPS, State, find_step, init_state, nearest

__all__ = ["Optimizer", "optimizer", "with_options"]

LIMITS: dict[str, dict[str, Any]] = {
    "b1": {"high": 1, "below": True}, "b2": {"high": 1, "below": True},
    "beta": {"high": 1}, "rho": {"high": 1}, "momentum": {"high": 1},
    "lr": {}, "eps": {}, "weight_decay": {}, "momentum_decay": {},
}  # fmt: skip
ELSEWHERE = {  # what other frameworks call them
    "learning_rate": "lr", "momentum": "beta", "betas": "b1", "beta_1": "b1", "beta1": "b1", "beta_2": "b2",
    "beta2": "b2", "epsilon": "eps", "alpha": "rho", "decay": "weight_decay",
}  # fmt: skip
OTHERS = {  # options that make another optimizer
    ("sgd", "momentum"): 'optimizer("momentum", beta=...)',
    ("sgd", "nesterov"): 'optimizer("nesterov", beta=...)',
    ("adam", "weight_decay"): 'optimizer("adamw", weight_decay=...)',
}


@dataclass(frozen=True)
class Optimizer:
    """A pair of pure functions: `init(params) -> state`, `update(params, grads, state, lr=None) -> (params, state)`.

    Write your own as `Optimizer(my_init, my_update)`. `name` is what `using` replaces; `elementwise` promises that
    every entry is updated by itself, whatever its neighbours, so that a flat vector may be updated in blocks; `lr` is
    the rate that `update` takes when it is given none, and `hyper` the options that it was chosen with. An optimizer
    made of another one may say with `remake(**hyper)` what it is with other options, and with `flat(block, params, g,
    state, lr)` how it changes a FlatTree in place.

    Nothing is checked where one is made. `with_options`, and `hyper` in `train`, raise ValueError for one of your own
    without `remake`.

    >>> from gradschool.trees import tree_map
    >>> def towards_signs(params, grads, state, lr=None):
    ...     lr = 0.1 if lr is None else lr
    ...     return tree_map(lambda p, g: p - lr * np.sign(g), params, grads), {"t": state["t"] + 1}
    >>> signs = Optimizer(lambda params: {"t": 0}, towards_signs)
    >>> signs.update({"x": np.array([1.0, 2.0])}, {"x": np.array([5.0, -0.1])}, signs.init({}))
    ({'x': array([0.9, 2.1])}, {'t': 1})
    """

    init: Callable[[Tree], State]
    update: Callable[..., tuple[Tree, State]]
    name: str = ""
    elementwise: bool = False
    lr: float | None = None
    hyper: Mapping[str, Any] | None = None
    remake: Callable[..., Optimizer] | None = None
    flat: Callable[..., None] | None = None

    def __repr__(self) -> str:
        options = "".join(f", {option}={value!r}" for option, value in (self.hyper or {}).items())
        return f"Optimizer({self.name or 'of your own'}{options})"


def optimizer(name: str, **hyper: Any) -> Optimizer:
    """The step of that name with its options, as an `Optimizer`: `optimizer("adam", b1=0.8, lr=0.01)`.

    `update` takes its own `lr`, from a schedule say; without one it is the `lr` given here, or the step's default.
    It pickles, and it calls the step by name each time, so that `using(adam=my_adam)` is seen.

    Raises ValueError for an unknown name, TypeError for an unknown option, both with what there is and the nearest;
    ValueError for an option out of its range: lr, eps and decays are >= 0, b1 and b2 below 1, other averages up to 1.

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
    hyper = {option: value for option, value in hyper.items() if option != "lr" or value is not None}  # the step's own
    for option, value in hyper.items():
        check_option(name, option, value, options[3:])
    numbers = all(value is None or isinstance(value, int | float) for value in hyper.values())
    lr = hyper.get("lr", signature["lr"].default)
    init, update = functools.partial(init_state, name), functools.partial(take_step, name, hyper)
    return Optimizer(init, update, name, numbers, lr, hyper)


def check_option(name: str, option: str, value: Any, options: Sequence[str]) -> None:
    if option not in options:
        meant = ELSEWHERE.get(option)
        close = f" Did you mean {meant!r}?" if meant in options else nearest(option, options)
        close = f" Try {OTHERS[name, option]}." if (name, option) in OTHERS else close
        raise TypeError(f"{name} has no option {option!r}.{close} There are {', '.join(options)}.")
    if option in LIMITS and (option != "momentum_decay" or value is not None):
        for number in tree_leaves(value) if isinstance(value, dict | list | tuple) else [value]:
            check_range(name, option, number, **LIMITS[option])


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
