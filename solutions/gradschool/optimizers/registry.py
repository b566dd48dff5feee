"""A step is a plain function made public: known by name, replaceable by `using`, its arguments checked.

@step(t=0, m=zeros, v=zeros)                       # what the state holds before the first step
def adam(params, grads, state, lr=1e-3): ...       # plain and pure; `inspect.unwrap(adam)` is this function

state = init_state("adam", params)                 # {"t": 0, "m": zeros like params, "v": zeros like params}
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np

from ..swap import offer, original, replaced
from ..trees import Tree, branches, check_leaves
from .each import update_each

__all__ = [
    "STEPS",
    "State",
    "Step",
    "check_learnable",
    "closure_step",
    "find_step",
    "init_state",
    "nearest",
    "step",
    "zeros",
]

State = dict[str, Any]
F = TypeVar("F", bound=Callable[..., Any])


class Step(NamedTuple):
    """A public step, and what its state holds before the first one: a number, or a function of the parameters."""

    function: Callable[..., Any]
    start: Mapping[str, Any]


STEPS: dict[str, Step] = {}


def zeros(params: Tree) -> Tree:
    return update_each(np.zeros_like, params)


def step(**start: Any) -> Callable[[F], F]:
    """Make a public step of a plain one: registered, replaceable by `using`, and its arguments checked by name."""

    def register(plain: F) -> F:
        name = plain.__name__

        @functools.wraps(plain)
        def public(params: Tree, grads: Tree, state: State, *args: Any, **hyper: Any) -> tuple[Tree, State]:
            mine = replaced(name)
            if mine is not None:
                with original(name):  # a replacement may call what it replaces
                    return mine(params, grads, state, *args, **hyper)
            check_state(name, state)
            check_gradients(name, params, grads)
            return plain(params, grads, state, *args, **hyper)

        STEPS[name] = Step(public, start)
        offer(name)
        return cast(F, public)

    return register


def closure_step(**start: Any) -> Callable[[F], F]:
    """The same for a step that is given the gradient's function, because it asks for the gradient elsewhere."""

    def register(plain: F) -> F:
        name = plain.__name__

        @functools.wraps(plain)
        def public(grad_fn: Callable[..., Tree], params: Tree, state: State, *args: Any, **hyper: Any) -> Any:
            mine = replaced(name)
            if mine is not None:
                with original(name):
                    return mine(grad_fn, params, state, *args, **hyper)
            check_state(name, state)

            def checked(at: Tree) -> Tree:
                grads = grad_fn(at)
                check_gradients(name, params, grads)
                return grads

            return plain(checked, params, state, *args, **hyper)

        STEPS[name] = Step(public, start)
        offer(name)
        return cast(F, public)

    return register


def check_state(name: str, state: Any) -> None:
    keys = STEPS[name].start
    missing = [key for key in keys if not isinstance(state, dict) or key not in state]
    if missing:
        found = sorted(state) if isinstance(state, dict) else type(state).__name__
        raise ValueError(
            f"{name} keeps {sorted(keys)} in its state, but got {found}. Start from init_state({name!r}, params), "
            "then hand on the state that each step returns."
        )


def check_gradients(name: str, params: Tree, grads: Tree, path: str = "params") -> None:
    """Every array has a gradient of its own shape, or None; only floating-point parameters can be learned."""
    if grads is None:
        return
    below, beside = branches(params), branches(grads)
    if below is not None and beside is not None:
        if below.keys() != beside.keys():
            raise ValueError(f"{name}: {path} holds {list(below)}, but its gradient holds {list(beside)}")
        for key, p in below.items():
            check_gradients(name, p, beside[key], path + (f".{key}" if isinstance(key, str) else f"[{key}]"))
    elif below is not None or beside is not None:
        kinds = f"{type(params).__name__}, but its gradient is of type {type(grads).__name__}"
        raise ValueError(f"{name}: {path} is of type {kinds}; give both the same keys")
    elif np.shape(params) != np.shape(grads):
        raise ValueError(f"{name}: {path} has shape {np.shape(params)}, but its gradient {np.shape(grads)}")
    else:
        check_learnable(name, params, path)


def check_learnable(name: str, p: Any, path: str) -> None:
    kind = np.result_type(p).kind
    if kind not in "fc":
        raise TypeError(
            f"{name}: {path} holds {np.result_type(p)}, which a small step cannot change; convert it with "
            ".astype(float), or give it the gradient None if it is not to be learned"
        )


# ------------------------------------------------------------------------------------------------------- found by name
def init_state(name: str, params: Tree) -> State:
    """The state that the step of that name starts from; the step's docstring says what it holds.

    Raises ValueError for an unknown name, TypeError for parameters that are no tree of arrays.

    >>> init_state("adam", {"W": np.ones((1, 3))})
    {'t': 0, 'm': {'W': array([[0., 0., 0.]])}, 'v': {'W': array([[0., 0., 0.]])}}
    """
    start = find_step(name).start
    check_leaves("init_state", params)
    return {key: value(params) if callable(value) else value for key, value in start.items()}


def find_step(name: str) -> Step:
    if name not in STEPS:
        there = f"There are {', '.join(sorted(STEPS))}, and L-BFGS, which asks for the loss, as lbfgs()."
        raise ValueError(f"there is no optimizer {name!r}.{nearest(name, STEPS)} {there}")
    return STEPS[name]


def nearest(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), 1, cutoff=0.5)
    return f" Did you mean {close[0]!r}?" if close else ""
