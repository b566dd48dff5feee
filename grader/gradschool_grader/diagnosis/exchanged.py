"""Two of the parts that are returned stand in each other's place: `loss` where `val_loss` belongs, a mean for a sum."""

from __future__ import annotations

from collections.abc import Sequence

from ..verdict import Diagnosis
from .candidate import evidence
from .seen import Pair
from .words import said

HINT = "In which order, or under which names, does the task ask for them?"


def exchanged(everything: Sequence[Pair], wrong: Sequence[Pair]) -> Diagnosis | None:
    """In every call, and nothing else may be wrong."""
    paths = list(dict.fromkeys(p.path for p in wrong))
    if len(paths) != 2 or evidence(wrong) < 1:
        return None
    calls: dict[tuple[str, int, str], dict[str, Pair]] = {}
    for p in everything:
        calls.setdefault(p.place[:3], {})[p.path] = p
    if not all(set(paths) <= parts.keys() and crossed(*(parts[path] for path in paths)) for parts in calls.values()):
        return None
    return said("in_each_others_place", f"`{paths[0]}` and `{paths[1]}` are in each other's place.", HINT)


def crossed(one: Pair, other: Pair) -> bool:
    return one.came(other.e) and other.came(one.e)
