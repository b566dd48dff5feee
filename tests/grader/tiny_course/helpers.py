"""The functions that probes may hand in by name."""

from collections.abc import Callable


def constant(value: float = 1.0) -> Callable[[float], float]:
    """A function whose value is always the same."""

    def function(x: float) -> float:
        return value

    return function
