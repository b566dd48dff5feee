"""What needs no numbers to be told: nothing returned, an input changed, another signature; last, the worst entry."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

import numpy as np

from ..exercise import Exercise
from ..observe import called
from ..verdict import Diagnosis
from .seen import Pair, Seen

NEAR = 0.05  # of the largest number
ENOUGH = 5  # wrong numbers: fewer are on one side by chance
BEFORE_NUMBERS = {
    "none",
    "printed",
    "swapped",
    "keys",
    "accepted",
    "unasked",
    "mutated",
    "aliased",
    "reused",
    "unstable",
    "warned",
    "property",
}
PLACES = {"value", "shape", "dtype", "type", "nonfinite", "diverges"}  # kinds that say no more than where it is wrong

ARRAYS, NUMBERS = "Where an array is asked for", "Where a single number is asked for"
WRONG_TOO = ", that is wrong, too."
PARTS = "In the part"  # how a sentence begins that says by itself where it holds


def said(name: str, text: str, hint: str = "", detail: str = "") -> Diagnosis:
    """A structural reading."""
    return Diagnosis("structure", name, text, hint, detail=detail)


def lower(text: str) -> str:
    """A sentence as the second half of another one."""
    return text if text.startswith("NaN") else text[0].lower() + text[1:]


def could_not_begin(s: Seen) -> bool:
    """A TypeError without a line of the submitted code in it: the parameters are not those that were asked for."""
    if s.difference is None or s.difference.kind != "raised":
        return False
    behaviour = s.got[s.difference.index].behaviour
    return behaviour.error == "TypeError" and not behaviour.frames


def is_later(s: Seen) -> bool:
    """Whether the wrong call is one of what the first call returned, or of an object's method."""
    assert s.difference is not None
    place, wrong = s.difference.index, s.got[s.difference.index]
    return any((o.probe, o.again) == (wrong.probe, wrong.again) for o in s.got[:place])


def signature_words(exercise: Exercise, s: Seen) -> str:
    assert s.difference is not None
    if is_later(s):
        method = s.got[s.difference.index].arguments.get("call") if exercise.is_class else None
        name = f"`{called(method)[2]}`" if method else "What was returned"
        return f"{name} could not begin: it takes other parameters than those that it is called with."
    empty = inspect.Signature.empty
    bare = [p.replace(annotation=empty) for p in exercise.signature.parameters.values()]
    wanted = f"{exercise.name}{inspect.Signature(bare)}"
    return f"The call could not begin: the parameters were changed. Expected `{wanted}`."


def plain_words(s: Seen) -> Diagnosis | None:
    d = s.difference
    if d and d.kind in BEFORE_NUMBERS:
        return Diagnosis(d.kind, d.kind, d.words)
    if d and d.kind == "raised":
        error = s.got[d.index].behaviour.error or "error"
        return Diagnosis("raised", error, d.words)
    return None


def worst_entry(s: Seen, besides: str = "") -> Diagnosis:
    """Nothing explains it: say what is wrong, where most, and to which side."""
    d = s.difference
    assert d is not None
    return Diagnosis(d.kind, d.where or d.kind, d.words + besides)


def direction(wrong: Sequence[Pair]) -> str:
    """To which side the wrong numbers are off, if all are to one."""
    if sum(p.visibly_wrong for p in wrong) < ENOUGH or any(p.e.shape != p.a.shape for p in wrong):
        return ""
    e = np.concatenate([p.e[p.visible] for p in wrong])
    a = np.concatenate([p.a[p.visible] for p in wrong])
    for words, yes in (
        ("have the other sign", np.sign(a) * np.sign(e) < 0),
        ("are too large", a > e),
        ("are too small", a < e),
        ("are too far from zero", np.abs(a) > np.abs(e)),
        ("are too close to zero", np.abs(a) < np.abs(e)),
    ):
        if yes.all():
            return f" All wrong numbers {words}.{nearness(wrong)}"
    return nearness(wrong)


def nearness(wrong: Sequence[Pair]) -> str:
    """Whether all are about right: then the formula is no other one, but coarser, or has something small in it."""
    near = all(np.abs(p.a - p.e).max(initial=0.0) <= NEAR * p.size for p in wrong)
    return " They are near the right ones: what is only nearly the same, a mean, a step, a precision?" if near else ""
