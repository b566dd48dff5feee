"""Known mistakes: the misconception that behaves like the answer everywhere, on what failed, or one for each part.

Also what comes of two: one explains this returned array and another that one; or the answer is a known mistake and,
besides, has the wrong sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..answers import Answers
from ..compare import agrees
from ..exercise import Exercise, Misconception
from ..verdict import Diagnosis
from .candidate import NOTHING, evidence, first_that_explains
from .layout import axes, order
from .scale import factor, sign
from .seen import Pair, Seen, failed_probe, failed_steps, pairs
from .structure import lower


def known(exercise: Exercise, seen: Sequence[Seen], failed: Sequence[Seen], answers: Answers) -> Diagnosis | None:
    def like(misconception: Misconception, s: Seen) -> bool:
        return may_be(exercise, misconception, s, answers) and agrees(
            exercise, s.group, s.probes, s.got, answers.misconception(misconception.name, s.group)
        )

    passed = [s for s in seen if not s.difference]
    everywhere = [m for m in exercise.misconceptions if all(like(m, s) for s in failed)]
    exact = next((m for m in everywhere if all(like(m, s) for s in passed)), None)
    if everywhere:
        return named(exact or everywhere[0])
    telling_parts = [s for s in failed if telling(exercise, s)]
    parts = [(s, next((m for m in exercise.misconceptions if like(m, s)), None)) for s in telling_parts]
    explained = [(s.group.name, m) for s, m in parts if m]
    if not explained:
        return None
    group, first = explained[0]
    others = tuple(dict.fromkeys(m.name for _, m in explained if m is not first))
    return named(first, others, "" if len(explained) == len(failed) else f"In the part `{group}`")


def telling(exercise: Exercise, s: Seen) -> bool:
    """Whether a part says enough by itself: a share like 1/3 may come out of any mistake."""
    wrong = [p for p in pairs(exercise, s) if not p.right]
    return not wrong or evidence(wrong) >= 1


def may_be(exercise: Exercise, m: Misconception, s: Seen, answers: Answers) -> bool:
    """Whether the probe that failed leaves it open: one call tells most misconceptions apart."""
    mine = failed_steps(s)
    glance = answers.glance(m.name, s.group, failed_probe(s), len(mine))
    return agrees(exercise, s.group, s.probes, mine, glance, conduct=False)


def named(m: Misconception, also: tuple[str, ...] = (), where: str = "") -> Diagnosis:
    says = m.says or m.name.replace("_", " ")
    behaves = f"{where + ' your' if where else 'Your'} answer behaves as if {says}."
    if m.published:
        behaves = f"This is a published form ({m.published}), and not the one asked for: {lower(behaves)}"
    return Diagnosis("misconception", m.name, behaves, m.hint, m.see, also)


# ---------------------------------------------------------------------------------------------------- two mistakes
def two_known(exercise: Exercise, failed: Sequence[Seen], answers: Answers) -> Diagnosis | None:
    """A known mistake in one returned array, another one in another, or a known one and a wrong scale or order."""
    wrong = [pair for s in failed for pair in pairs(exercise, s) if not pair.right]
    paths = list(dict.fromkeys(pair.path for pair in wrong))
    explained: dict[str, Misconception] = {}
    first_failed = one_probe(failed[0])
    bad = {p.place for p in pairs(exercise, first_failed) if not p.right}
    for m in exercise.misconceptions:
        seen = answers.glance(m.name, first_failed.group, failed_probe(failed[0]), len(first_failed.got))
        glance = replace(first_failed, expected=seen)
        if not hopeful(exercise, glance, bad):
            continue
        told = [pair for s in failed for pair in told_by(exercise, m, s, answers)]
        besides = scaled(told, wrong)
        if besides:
            return replace(named(m), text=f"{named(m).text} And besides: {lower(besides)}", also=())
        for path in paths:
            mine = [p for p in told if p.path == path]
            asked = sum(p.path == path for p in wrong)
            if path not in explained and mine and len(mine) == asked and all(p.right for p in mine):
                explained[path] = m
    if len(paths) < 2 or set(explained) != set(paths) or len({m.name for m in explained.values()}) < 2:
        return None
    first, *others = dict.fromkeys(m.name for m in (explained[path] for path in paths))
    m = next(m for m in exercise.misconceptions if m.name == first)
    mine = ", ".join(f"`{path}`" for path in paths if explained[path] is m)
    return named(m, tuple(others), f"In {mine}")


def one_probe(s: Seen) -> Seen:
    """What was seen of the probe that failed."""
    probe, got = failed_probe(s), failed_steps(s)
    expected = [o for o in s.expected if o.probe == probe and not o.again][: len(got)]
    return replace(s, expected=expected, got=got)


def hopeful(exercise: Exercise, like: Seen, bad: set[tuple[str, int, str, str]]) -> bool:
    """Whether a misconception explains one of the arrays that are wrong, or all of them but for their scale."""
    told = [p for p in pairs(exercise, like) if p.place in bad]
    return any(p.right for p in told) or bool(scaled(told, told, least=0))


def told_by(exercise: Exercise, m: Misconception, s: Seen, answers: Answers) -> list[Pair]:
    """The arrays that came beside those of a misconception, in the places where the answer is wrong."""
    bad = {p.place for p in pairs(exercise, s) if not p.right}
    like = replace(s, expected=answers.misconception(m.name, s.group))
    return [p for p in pairs(exercise, like) if p.place in bad]


def scaled(told: Sequence[Pair], wrong: Sequence[Pair], least: float = 3) -> str:
    """How the answer differs from a misconception, if it does so in every array in one way."""
    if len(told) != len(wrong) or any(p.right for p in told) or not all(np.isfinite(p.a).all() for p in told):
        return ""
    found = first_that_explains((sign, factor, axes, order), told, least=least, fitted=NOTHING)
    return found.text if found else ""
