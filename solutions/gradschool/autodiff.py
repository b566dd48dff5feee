"""Automatic differentiation in reverse: run a function, remember each step, then walk the steps backwards.

loss, grads = value_and_grad(loss_of)(params)
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from . import swap

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Op:
    """What an op consists of; `OPS` has one for every op of the library."""

    name: str
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    inputs: int = 1


OPS: dict[str, Op] = {}


def op(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    *,
    inputs: int = 1,
    parts: tuple[str, ...] = (),
    composed: Callable[..., Any] | None = None,
) -> Callable[[F], F]:
    """Tie a forward, its backward, and the public function that callers use."""

    def tie(function: F) -> F:
        OPS[function.__name__] = Op(function.__name__, forward, backward, inputs)
        swap.offer(function.__name__, f"{function.__name__}_backward")

        @functools.wraps(function)
        def public(*args: Any, **kwargs: Any) -> Any:
            return forward(*args, **kwargs)[0]

        return public  # type: ignore[return-value]

    return tie
