"""What an answer with wrong numbers does besides: it changes an input, shares its memory, warns.

besides, bare = misconduct(exercise, seen), without_conduct(seen)    # "Besides, it changes its input `x`: ..."
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..compare import Difference, compare, compare_conduct
from ..exercise import Exercise
from ..observe import Observation
from ..verdict import Diagnosis
from .seen import Seen, one_by_one

CONDUCT = {
    "mutated": "it changes its input {where}: work on a copy.",
    "aliased": "it shares its memory with the input {where}: changing one later changes the other.",
    "reused": "it is an object that an earlier call returned, filled anew: make a new one in each call.",
    "warned": "the computation warns.",
}


def misconduct(exercise: Exercise, seen: Sequence[Seen]) -> str:
    """The first thing that is wrong with the conduct of an answer of which something else is wrong; nothing if no."""
    if not any(s.difference and not only_conduct(s) for s in seen):
        return ""
    failed = [s for s in seen if s.difference]
    s, found = next(((s, d) for s in failed for d in differences(exercise, s)), (None, None))
    if s is None or found is None:
        return ""
    there = "" if s is failed[0] else f"in the part `{s.group.name}` "
    return f" Besides, {there}{CONDUCT[found.kind].format(where=f'`{found.where}`')}"


def remembered(exercise: Exercise, seen: Sequence[Seen]) -> Diagnosis | None:
    """Where each answer that is wrong holds an object that an earlier call returned: its numbers are that call's."""
    wrong = [
        a.behaviour
        for s in seen
        if s.difference and not only_conduct(s)
        for e, a in one_by_one(s)
        if compare(exercise, s.group, e.behaviour, a.behaviour, conduct=False)
    ]
    if exercise.may_alias or not wrong or not all(behaviour.reused for behaviour in wrong):
        return None
    text = "What is wrong is what an earlier call returned: its answer comes again, or in the place of a new one."
    return Diagnosis("reused", "reused", text, "Which dict or list outlives a call? Is it the default of an argument?")


def differences(exercise: Exercise, s: Seen) -> list[Difference]:
    both = zip(s.expected, s.got, strict=False)
    every = (compare_conduct(exercise, s.group, e.behaviour, a.behaviour) for e, a in both if not a.behaviour.error)
    return [d for d in every if d]


def without_conduct(seen: Sequence[Seen]) -> list[Seen]:
    """The same with nothing of what the calls did but for what came of them."""
    return [
        Seen(s.group, s.probes, s.expected, list(map(bare, s.got)), None if only_conduct(s) else s.difference)
        for s in seen
    ]


def bare(o: Observation) -> Observation:
    return replace(o, behaviour=replace(o.behaviour, mutated=(), aliased=(), reused=False, warnings=()))


def only_conduct(s: Seen) -> bool:
    return s.difference is not None and s.difference.kind in CONDUCT
