"""Inputs under which right answers part: huge, tiny, zero, an empty batch, single precision, and large enough to time.

Each way takes a probe of the exercise and gives one of its kind with other numbers, or None where it means nothing.

    huge(Call(x=np.array([1.0, -2.0])))        # Call(x=array([ 1.e+08, -2.e+08]))
    extended(probe)                            # the same numbers, to be computed with more digits
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from .exercise import Call, Exercise, Probe, Property, Steps

__all__ = ["WAYS", "extended", "grown", "ordinary"]

Change = Callable[[np.ndarray], np.ndarray]
LARGER = 64


def floats(tree: Any, change: Change) -> Any:
    """The tree with every array of real numbers changed; labels, masks of bool and Python's own numbers stay."""
    if type(tree) in (list, tuple):
        return type(tree)(floats(item, change) for item in tree)
    if type(tree) is dict:
        return {key: floats(item, change) for key, item in tree.items()}
    return change(tree) if isinstance(tree, np.ndarray) and tree.dtype.kind == "f" else tree


def changed(probe: Probe, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Probe:
    """A probe of the same kind whose arguments went through `change`."""
    if isinstance(probe, Call):
        return Call(**change(probe.arguments)).then(*probe.afterwards)
    if isinstance(probe, Property):
        return Property(Call(**change(probe.call.arguments)), probe.holds, probe.times)
    if isinstance(probe, Steps):
        carry, feed = change(probe.carry), [change(fed) for fed in probe.feed]
        return Steps(carry, feed, change(probe.constants))
    calls = [(name, None if args is None else tuple(change({"": args})[""])) for name, args in probe.calls]
    return replace(probe, new=change(probe.new), calls=calls)


def by(change: Change) -> Callable[[Exercise, Probe], Probe | None]:
    return lambda exercise, probe: changed(probe, lambda arguments: floats(dict(arguments), change))


def resized(exercise: Exercise, probe: Probe, change: Callable[[np.ndarray, int], np.ndarray]) -> Probe | None:
    """Every argument that has an axis called "batch" changed along it; None if there is none."""
    axes = {name: labels.index("batch") for name, labels in exercise.axes.items() if "batch" in labels}

    def one(name: str, value: Any) -> Any:
        fits = name in axes and isinstance(value, np.ndarray) and value.ndim == len(exercise.axes[name])
        return change(value, axes[name]) if fits else value

    if not axes or not isinstance(probe, Call):
        return None
    return changed(probe, lambda arguments: {name: one(name, value) for name, value in arguments.items()})


def empty(exercise: Exercise, probe: Probe) -> Probe | None:
    return resized(exercise, probe, lambda array, axis: np.take(array, [], axis))


def grown(exercise: Exercise, probe: Probe) -> Probe:
    """Large enough that the time tells of the arrays, not of Python: a larger batch, or every array repeated."""
    larger = resized(exercise, probe, lambda array, axis: np.concatenate([array] * LARGER, axis))
    if larger is not None:
        return larger
    return changed(probe, lambda arguments: floats(dict(arguments), repeated))


def repeated(array: np.ndarray) -> np.ndarray:
    return np.concatenate([array] * LARGER, axis=-1) if array.ndim else array


def extended(probe: Probe) -> Probe:
    """The same numbers in the longest floating-point type of the machine."""
    return changed(probe, lambda arguments: floats(dict(arguments), lambda array: array.astype(np.longdouble)))


ordinary = by(np.copy)
WAYS: Mapping[str, Callable[[Exercise, Probe], Probe | None]] = {
    "ordinary": ordinary,
    "huge (× 1e8)": by(lambda array: 1e8 * array),
    "tiny (× 1e-8)": by(lambda array: 1e-8 * array),
    "zeros": by(np.zeros_like),
    "empty batch": empty,
    "float32": by(lambda array: array.astype(np.float32)),
}
