"""The tape: a list of steps, each of which knows how to carry a derivative from its result back to its inputs.

    tape = Tape()
    x = tape.variable()                               # 0, the number of the first entry
    y = tape.step((x,), lambda g: (g * 2,))           # 1, and y = 2 x, whatever x was
    tape.pull({y: 1.0})[x]                            # dy/dx = 2.0

Values do not stand on the tape; what a pullback needs of them it has kept.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

_ages = itertools.count()


# (inputs, pullback, results), a bare tuple because one is made at every operation. `pullback(g)` gives a gradient for
# each of `inputs` (entries of the tape), or None for no gradient. A step with several results takes an entry for each;
# `results` has their (shape, dtype), None for what is no float, and g is then a tuple.
Step = tuple[tuple[int, ...], Callable[[Any], Iterable[Any]], tuple[tuple[tuple[int, ...], Any] | None, ...]]


class Tape:
    """Steps in the order in which they were made, so that walking backwards meets every result before its inputs.

    `places` has memory in which the gradients of variables are wanted. A pullback that computes the whole gradient of
    one may take the place out and write there; a second one finds it gone, and its gradient is added. A tape that is
    walked `once` lets pullbacks, too, drop what they have kept while they need it no more.
    """

    __slots__ = ("age", "once", "places", "steps")

    def __init__(self, once: bool = False) -> None:
        self.age = next(_ages)  # an inner derivative has the younger tape
        self.once = once
        self.steps: list[Step | None] = []
        self.places: dict[int, np.ndarray] = {}

    def variable(self) -> int:
        """A new entry that nothing leads to."""
        self.steps.append(None)
        return len(self.steps) - 1

    def step(self, inputs: tuple[int, ...], pullback: Callable[[Any], Iterable[Any]], results: tuple = ()) -> int:
        """A new entry for a result that was made of `inputs`; for several results, the entry of the first."""
        self.steps.append((inputs, pullback, results))
        if len(results) > 1:
            self.steps.extend([None] * (len(results) - 1))
            return len(self.steps) - len(results)
        return len(self.steps) - 1

    def pull(self, cotangents: Mapping[int, Any]) -> dict[int, Any]:
        """Carry cotangents of results back to the variables; of a tape for `once` the steps are dropped on the way."""
        gradients, steps = dict(cotangents), self.steps
        for entry in range(max(gradients, default=-1), -1, -1):
            step = steps[entry]
            if step is None:
                continue
            inputs, pullback, results = step
            if self.once:
                steps[entry] = None  # frees what the pullback had kept, while the walk goes on
            g = _of_all_results(results, entry, gradients) if results else gradients.pop(entry, None)
            if g is None:
                continue
            for i, d in zip(inputs, pullback(g), strict=True):
                if d is not None:
                    gradients[i] = gradients[i] + d if i in gradients else d
        return gradients


def _of_all_results(results: tuple, entry: int, gradients: dict[int, Any]) -> tuple[Any, ...] | None:
    """The gradients of all results of a step, zeros (one, seen from everywhere) for those that nothing used; None if
    nothing used any."""
    found = [gradients.pop(entry + i, None) for i in range(len(results))]
    if all(g is None for g in found):
        return None
    pairs = zip(found, results, strict=True)
    return tuple(np.broadcast_to(np.zeros((), kind[1]), kind[0]) if g is None and kind else g for g, kind in pairs)
