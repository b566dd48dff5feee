"""Sequences: a step too early or too late, as a whole or in a part of what is returned, and what diverges first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from math import comb

import numpy as np

from ..compare import compare_values
from ..exercise import Exercise, Steps
from ..verdict import Diagnosis
from .candidate import evidence
from .seen import Pair, Seen, one_by_one, pairs, pairs_of
from .words import said

WAYS = 1000  # in which as many steps could be wrong: fewer are so by chance
EVIDENCE = 2  # distinct numbers


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


# ------------------------------------------------------------------------------------------------- parts over the steps
Run = list[Pair]
"""One part of what a sequence's steps return, step by step."""


def part_over_steps(exercise: Exercise, seen: Sequence[Seen], failed: Sequence[Seen]) -> Diagnosis | None:
    """Of the wrong parts those that are, over the steps, something else that is known; the others are listed."""
    if not all(isinstance(probe, Steps) for s in seen for probe in s.probes):
        return None
    every = [steps for s in seen for steps in by_step(exercise, s)]
    paths = list(dict.fromkeys(p.path for s in failed for p in pairs(exercise, s) if not p.right))
    found = {path: words for path in paths if (words := over_steps(path, paths, every))}
    if not found:
        return None
    alike: dict[str, list[str]] = {}
    for path, (_, words, _) in found.items():
        alike.setdefault(words, []).append(path)
    texts = [
        f"{listed(these)} {words}." if len(these) == 1 else f"{listed(these)}: each {words}."
        for words, these in alike.items()
    ]
    rest = [path for path in paths if path not in found]
    texts += [f"{listed(rest)} {'is' if len(rest) == 1 else 'are'} wrong too."] if rest else []
    name, _, hint = next(iter(found.values()))
    return said(name, " ".join(texts), hint)


def by_step(exercise: Exercise, s: Seen) -> Iterator[list[list[Pair]]]:
    """The arrays of each step, of each sequence; also behind the first wrong one."""
    for number in range(len(s.probes)):
        both = [(e, a) for e, a in one_by_one(s) if e.probe == number and not e.again]
        if not any(e.behaviour.error or a.behaviour.error for e, a in both):
            yield [list(pairs_of(exercise, e, a, s)) for e, a in both]


def over_steps(path: str, wrong: Sequence[str], every: Sequence[list[list[Pair]]]) -> tuple[str, str, str] | None:
    """What a part is over the steps, in all sequences, up to the step in which another one goes wrong."""
    runs = [run for steps in every if (run := run_of(path, wrong, steps))]
    bad = [p for run in runs for p in run[1:] if not p.right]  # a single step says nothing of others
    if not bad or any(p.e.shape != p.a.shape for run in runs for p in run):
        return None
    flags = all(is_flag(p) for run in runs for p in run)
    count = sum(map(len, runs))
    if comb(count, len(bad)) < WAYS if flags else evidence(bad) < EVIDENCE:
        return None
    for name, words, hint, instead in FLAGS if flags else NUMBERS:
        if all(is_instead(instead, run) for run in runs):
            return name, words, hint
    return None


def run_of(path: str, wrong: Sequence[str], steps: list[list[Pair]]) -> Run:
    """A part step by step; what comes behind another mistake may come from that."""
    run: Run = []
    for here in steps:
        run += [p for p in here if p.path == path]
        if any(not p.right for p in here if p.path != path and p.path in wrong):
            break
    return run


def is_flag(p: Pair) -> bool:
    """Whether it is true or false, as a number."""
    return not p.e.ndim and p.e.item() in (0, 1) and p.a.item() in (0, 1)


Instead = Callable[[Run], list[np.ndarray | None]]
"""What would come in each step; None where it says nothing."""


def is_instead(instead: Instead, run: Run) -> bool:
    told = zip(instead(run), run, strict=True)
    return all(p.right if x is None else replace(p, e=np.asarray(x, float)).right for x, p in told)


def late(run: Run) -> list[np.ndarray | None]:
    return [run[0].carried, *(p.e for p in run[:-1])]


def early(run: Run) -> list[np.ndarray | None]:
    return [*(p.e for p in run[1:]), None]


def first_only(run: Run) -> list[np.ndarray | None]:
    return [run[0].e, *(p.e * (1 - before.e) for before, p in pairwise(run))]


def begins_late(run: Run) -> list[np.ndarray | None]:
    return [run[0].e * 0, *(p.e * before.e for before, p in pairwise(run))]


def so_far(pick: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Instead:
    return lambda run: list(accumulate((p.e for p in run), pick))


SHIFTED: list[tuple[str, str, str, Instead]] = [
    ("part_late", "is in each step what it should be in the step before",
     "From which things is it computed: from those that the step was given, or from the new ones?", late),
    ("part_early", "is in each step what it should be in the next one",
     "What has changed already when it is computed?", early),
]  # fmt: skip
FLAGS: list[tuple[str, str, str, Instead]] = [
    *SHIFTED,
    ("begins_late", "becomes true one step late",
     "How many have been counted when it should become true: is that one among them?", begins_late),
    ("first_only", "is true in the first step only of several in which it should be",
     "What do you ask: whether something is reached, or whether it is reached in this very step?", first_only),
    ("stays_true", "stays true once it was true", "When should it become false again?", so_far(np.maximum)),
]  # fmt: skip
NUMBERS: list[tuple[str, str, str, Instead]] = [
    *SHIFTED,
    ("largest_so_far", "is the largest so far of what it should be", "May it fall?", so_far(np.maximum)),
    ("smallest_so_far", "is the smallest so far of what it should be", "May it rise?", so_far(np.minimum)),
]


# ------------------------------------------------------------------------------------------------------ what diverges
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
