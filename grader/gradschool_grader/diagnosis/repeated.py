"""Items of an answer that should differ and came all alike: one object under all of the names, filled again and again.

`[{}] * n` makes one dict, which is n times in the list: what was written last is read everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..compare import compare, compare_values
from ..exercise import Call, Exercise, Group, Steps
from ..inside.perform import leaves
from ..verdict import Diagnosis
from .seen import Seen, is_row, one_by_one
from .words import said

HINT = "How many objects are there, and when is each made? `[x] * n` is one x, n times."
WHICH = {0: "the first", -1: "the last"}

Place = tuple[Any, ...]
"""The keys and indices that lead from an answer to a part of it."""


def repeated(exercise: Exercise, failed: Sequence[Seen]) -> Diagnosis | None:
    """One list or dict of the answer, in all calls that went wrong and nowhere else in them."""
    wrong = [
        (s.group, e.behaviour.value, a.behaviour.value)
        for s in failed
        for e, a in one_by_one(s)
        if isinstance(s.probes[e.probe], Call | Steps)
        and not e.again
        and compare(exercise, s.group, e.behaviour, a.behaviour, conduct=False)
    ]
    if not wrong:
        return None
    group, e, a = wrong[0]
    for place in alike(e, a):
        if all(same_and_all_that_is_wrong(place, *one) for one in wrong):
            items, asked = (list(items_of(at(tree, place)).values()) for tree in (a, e))
            meant = next((WHICH[i] for i in WHICH if compare_values(asked[i], items[i], (), group) is None), "")
            name = "the answer" if not place else "`answer" + "".join(f"[{key!r}]" for key in place) + "`"
            should = f": each is what only {meant} should be" if meant else ""
            return said("repeated", f"All items of {name} came alike{should}.", HINT)
    return None


def alike(e: Any, a: Any, place: Place = ()) -> Iterator[Place]:
    """Where in an answer all items are the same, and should not be."""
    theirs, mine = items_of(e), items_of(a)
    if mine.keys() != theirs.keys():
        return
    if len(mine) > 1 and same(mine.values()) and not same(theirs.values()) and any(map(varied, mine.values())):
        yield place
    for key in mine:
        yield from alike(theirs[key], mine[key], (*place, key))


def same_and_all_that_is_wrong(place: Place, group: Group, e: Any, a: Any) -> bool:
    theirs, mine = at(e, place), at(a, place)
    if items_of(mine).keys() != items_of(theirs).keys() or not same(items_of(mine).values()):
        return False
    return compare_values(e, put(a, place, theirs), (), group) is None


def items_of(tree: Any) -> dict[Any, Any]:
    return dict(enumerate(tree)) if is_row(tree) else dict(tree) if type(tree) is dict else {}


def at(tree: Any, place: Place) -> Any:
    for key in place:
        tree = items_of(tree).get(key)
    return tree


def put(tree: Any, place: Place, part: Any) -> Any:
    """The tree with another part at a place."""
    if not place:
        return part
    items = items_of(tree)
    items[place[0]] = put(items.get(place[0]), place[1:], part)
    return items if type(tree) is dict else type(tree)(items.values())


def same(items: Any) -> bool:
    """Whether all have the same numbers in the same places."""
    first, *others = (dict(leaves(item)) for item in items)
    return all(one.keys() == first.keys() and all(equal(x, first[path]) for path, x in one.items()) for one in others)


def equal(x: Any, y: Any) -> bool:
    if isinstance(x, np.ndarray) or isinstance(y, np.ndarray):
        return np.shape(x) == np.shape(y) and bool(np.array_equal(np.asarray(x), np.asarray(y)))
    return type(x) is type(y) and x == y


def varied(item: Any) -> bool:
    """Whether it has an array of different numbers: zeros are alike without a mistake of this kind."""
    return any(isinstance(x, np.ndarray) and len(np.unique(x)) > 2 for _, x in leaves(item))
