"""What needs no numbers to be told: nothing returned, an input changed, another signature; last, the worst entry."""

from __future__ import annotations

import inspect

from ..exercise import Exercise
from ..verdict import Diagnosis
from .seen import Seen

BEFORE_NUMBERS = {
    "none",
    "printed",
    "swapped",
    "keys",
    "accepted",
    "mutated",
    "aliased",
    "unstable",
    "warned",
    "property",
}


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


def signature_words(exercise: Exercise) -> str:
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


def worst_entry(s: Seen) -> Diagnosis:
    """Nothing explains it: say what is wrong, and where most."""
    d = s.difference
    assert d is not None
    return Diagnosis(d.kind, d.where or d.kind, d.words)
