"""Sequences: a step too early or too late, and the quantity that diverges first, by step, name and key."""

from __future__ import annotations

from collections.abc import Sequence

from ..compare import compare_values
from ..exercise import Exercise, Steps
from ..verdict import Diagnosis
from .seen import Pair, Seen, pairs


def shifted_step(failed: Sequence[Seen]) -> Diagnosis | None:
    """Step k of the answer is step k+1 or k-1 of what is expected."""
    s = failed[0]
    if not any(isinstance(probe, Steps) for probe in s.probes):
        return None
    expected = [o.behaviour.value for o in s.expected if o.probe == 0 and not o.again]
    got = [o.behaviour.value for o in s.got if o.probe == 0 and not o.again]
    for shift, words in ((1, "one step ahead"), (-1, "one step behind")):
        ours, theirs = (got[:-1], expected[1:]) if shift == 1 else (got[1:], expected[:-1])
        if len(ours) > 1 and all(compare_values(e, a, (), s.group) is None for e, a in zip(theirs, ours, strict=False)):
            return Diagnosis("structure", "shifted_step", f"The sequence is right, but {words}.")
    return None


def first_to_diverge(exercise: Exercise, s: Seen) -> Diagnosis | None:
    """The step, what is wrong in it, what is still right, and what was right before."""
    wrong = [pair for pair in pairs(exercise, s) if not pair.right]
    if not wrong or not wrong[0].label.startswith("step "):
        return None
    step = wrong[0].label
    here = [p for p in pairs(exercise, s) if p.place[:3] == wrong[0].place[:3]]
    bad, good = ([p.path for p in here if p.right is right] for right in (False, True))
    words = f"The first quantity that differs: {step}: {counted(wrong[0])}.{right_before(wrong[0])}"
    if good:
        words += f" {listed(good)} {'is' if len(good) == 1 else 'are'} right in that step"
        words += f", {listed(bad[1:])} wrong too." if bad[1:] else "."
    return Diagnosis("diverges", f"{step}, {wrong[0].path}", words)


def right_before(pair: Pair) -> str:
    """The steps before the first wrong one, if it is not the very first."""
    before = int(pair.label.split()[1]) - 1 if pair.label.startswith("step ") else 0
    if not before:
        return ""
    return f" Step{' 1 is' if before == 1 else f's 1 to {before} are'} right: what does {pair.label} meet first?"


def counted(pair: Pair) -> str:
    if pair.a.shape != pair.e.shape:
        return f"`{pair.path}` has shape {pair.a.shape}; expected {pair.e.shape}"
    wrong = int(pair.wrong.sum())
    return f"{wrong} of {pair.e.size} entries of `{pair.path}` are wrong" if pair.e.ndim else f"`{pair.path}` is wrong"


def listed(paths: Sequence[str]) -> str:
    return ", ".join(f"`{path}`" for path in paths[:4]) + (", …" if len(paths) > 4 else "")
