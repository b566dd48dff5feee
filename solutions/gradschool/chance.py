"""Chance comes from a NumPy generator that is passed in, so that a seed repeats a run to its last digit.

rng = np.random.default_rng(0)
W = glorot((300, 100), rng)                         # glorot((300, 100), 0) is refused: `generator` says what to try
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np

__all__ = ["drawing", "generator"]

F = TypeVar("F", bound=Callable[..., Any])


def generator(who: str, rng: Any) -> np.random.Generator:
    """`rng` itself, once it is known to be a NumPy generator.

    Raises ValueError where there is none, TypeError for anything else, in the name of `who` asks for it.

    >>> print(generator("dropout", np.random.default_rng(0)).integers(10))
    8
    """
    if isinstance(rng, np.random.Generator):
        return rng
    if rng is None:
        raise ValueError(f"{who}: expected a generator to draw from; try rng=np.random.default_rng(seed).")
    came, seed = (rng, rng) if isinstance(rng, int) else (f"a {type(rng).__name__}", "seed")
    raise TypeError(f"{who}: expected a generator to draw from, got {came}; try rng=np.random.default_rng({seed}).")


def drawing(initializer: F) -> F:
    """The initializer; where it fails because its `rng` is no generator, the error says so."""
    at = list(inspect.signature(initializer).parameters).index("rng")

    @functools.wraps(initializer)
    def checked(*args: Any, **named: Any) -> Any:
        try:
            return initializer(*args, **named)
        except AttributeError:
            generator(initializer.__name__, args[at] if at < len(args) else named["rng"])
            raise

    return cast(F, checked)
