"""What follows from what: the reference with one part as it came wrong, and whether it gives another as that came.

followers(exercise, everything, {"state['v']"}, helpers)    # {"params"}: all else is right, given such a `v`

Nothing is said to follow that was not tried in every call.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..exercise import Exercise
from ..source import SourceError
from .candidate import evidence
from .seen import Pair
from .switched import Switched, switched
from .trial import Helpers, Trial, trials

Follows = Callable[[Collection[str]], set[str]]
"""Which other paths follow from these."""


def nothing_follows(_: Collection[str]) -> set[str]:
    """Where the reference cannot be asked again."""
    return set()


def followers(exercise: Exercise, everything: Sequence[Pair], first: Collection[str], helpers: Helpers) -> set[str]:
    """The other wrong paths that come as they came, once the first ones do."""
    try:
        other = switched(exercise)
    except SourceError:
        return set()
    left = {p.path for p in everything if not p.right} - set(first)
    for trial in sorted(trials(everything, helpers), key=lambda trial: not trial.paths & left):
        if left:
            with other.reading(AsTheyCame(trial, first, other)), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                left -= trial.paths - trial.reproduces(other.function)
    return {path for path in left if evidence([p for p in everything if p.path == path and not p.right]) >= 1}


def of_the_others(
    rest: Sequence[str], follow: Collection[str], listed: Callable[[Sequence[str]], str]
) -> Iterator[str]:
    """In words: which wrong parts follow from what was explained, and which are only wrong."""
    mine, others = [x for x in rest if x in follow], [x for x in rest if x not in follow]
    if mine:
        yield f"{listed(mine)} follow{'s' if len(mine) == 1 else ''} from that."
    if others:
        yield f"{listed(others)} {'is' if len(others) == 1 else 'are'} wrong too."


class AsTheyCame:
    """Makes of the quantities that a line reads those that it would read if some parts were as they came."""

    def __init__(self, trial: Trial, paths: Collection[str], reads: Switched):
        self.reads = reads
        self.wrong: dict[tuple[Any, ...], list[Pair]] = {}
        for p in trial.returned:
            if p.path in paths and not p.right and p.e.size:
                self.wrong.setdefault(glimpsed(p.e), []).append(p)

    def __call__(self, line: int, values: Mapping[str, Any]) -> dict[str, Any]:
        names, _ = self.reads.lines[line]
        return {name: self.instead(values[name]) for name in names if name in values}

    def instead(self, tree: Any) -> Any:
        if type(tree) is dict:
            return {key: self.instead(item) for key, item in tree.items()}
        if type(tree) in (list, tuple):
            return type(tree)([self.instead(item) for item in tree])
        if isinstance(tree, np.ndarray | float) and np.size(tree):
            alike = self.wrong.get(glimpsed(tree), ())
            return next((p.a.copy() for p in alike if np.array_equal(p.e, tree)), tree)
        return tree


def glimpsed(x: np.ndarray | float) -> tuple[Any, ...]:
    """The shape and the first entry: what two arrays that are equal have in common, and most others have not."""
    return (x.shape, x.item(0)) if isinstance(x, np.ndarray) else ((), x)
