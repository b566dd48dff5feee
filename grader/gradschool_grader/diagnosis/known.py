"""Known mistakes: the misconception that behaves like the answer everywhere, on what failed, or one for each part.

Also what comes of two: one explains this returned array and another that one; or the answer is a known mistake and,
besides, has the wrong sign.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import comb
from typing import Any

import numpy as np

from ..answers import Answers
from ..compare import agrees, compare, compare_all, compare_conduct
from ..exercise import Exercise, Misconception, Property, Steps
from ..observe import Observation
from ..verdict import Diagnosis
from .besides import only_conduct
from .candidate import NOTHING, Reading, evidence, first_that_explains
from .derived import and_so_on
from .layout import axes, order
from .refused import alike_in, refused_alike, told_otherwise
from .scale import change, factor, proportional, sign
from .seen import Pair, Seen, at_fault, beside, failed_probe, failed_steps, of_probe, one_by_one, pairs, passed
from .trial import at
from .words import lower

SEVERAL = 2  # steps, of which the first one may be tried alone
WAYS = 100  # in which as many answers could be wrong: fewer are so by chance


def known(exercise: Exercise, seen: Sequence[Seen], failed: Sequence[Seen], answers: Answers) -> Diagnosis | None:
    """The misconception that behaves like the answer in every group; or in those that failed, which is then said."""
    everywhere = [m for m in exercise.misconceptions if all(like(exercise, m, s, answers) for s in failed)]
    exact = [m for m in everywhere if all(like(exercise, m, s, answers) for s in passed(seen))]
    if exact:
        return named(found[0]) if (found := told_apart(exact, failed)) else None
    found = told_apart(everywhere, failed) if enough(exercise, seen) else ()
    return named(found[0], where=in_these([s.group.name for s in failed])) if found else None


def enough(exercise: Exercise, seen: Sequence[Seen]) -> bool:
    """Whether what is wrong says enough, though what is right speaks against it: by its numbers, or by which it is."""
    if any(isinstance(probe, Property) for s in seen for probe in s.probes):
        return True
    failed = [s for s in seen if s.difference]
    wrong = [p for s in failed for p in pairs(exercise, s) if not p.right]
    return evidence(wrong) >= 1 or patterned(exercise, failed)


def patterned(exercise: Exercise, seen: Sequence[Seen]) -> bool:
    """Whether which answers are wrong says enough, whatever each of them is."""
    asked = [(s.group, e, a) for s in seen for e, a in one_by_one(s) if not e.again]
    right = [compare(exercise, group, e.behaviour, a.behaviour) is None for group, e, a in asked]
    return comb(len(right), right.count(False)) >= WAYS


def in_these(groups: Sequence[str]) -> str:
    named = and_so_on([f"`{group}`" for group in groups])
    return f"In the part{'' if len(groups) == 1 else 's'} {named}"


def told_apart(found: Sequence[Misconception], failed: Sequence[Seen]) -> Sequence[Misconception]:
    """None of several that only the words of a refusal speak for: those belong to none of them alone."""
    return () if all(map(refused, failed)) and len(found) > 1 else found


def refused(s: Seen) -> bool:
    """Whether no more is known of a group than that its answers cannot be right."""
    return s.difference is not None and s.difference.kind == "property"


@dataclass(frozen=True)
class InParts:
    """What is known of some groups, and those that it does not explain."""

    diagnosis: Diagnosis
    rest: Sequence[Seen]


def known_in_parts(exercise: Exercise, failed: Sequence[Seen], answers: Answers) -> InParts | None:
    """One for each group that failed, or for half of them at least, where no other would do as well."""
    parts: dict[str, list[Misconception]] = {}
    for s in failed:
        found = likes(exercise, s, answers) if telling(exercise, s) else []
        if refused(s):
            found = [m for m in told_apart(found, [s]) if not any(otherwise(m, other, answers) for other in failed)]
        parts[s.group.name] = found
        complete = all(parts.values())
        left = [ms for ms in parts.values() if not ms or (not complete and len(ms) > 1)]
        if 2 * len(left) > len(failed):
            return None
    complete = all(parts.values())
    explained = [(group, ms[0]) for group, ms in parts.items() if ms and (complete or len(ms) == 1)]
    if not explained or 2 * len(explained) < len(failed):
        return None
    _, first = explained[0]
    explained += [
        (s.group.name, first) for s in failed if not parts[s.group.name] and misbehaves(exercise, first, s, answers)
    ]
    others = tuple(dict.fromkeys(m.name for _, m in explained if m is not first))
    rest = [s for s in failed if s.group.name not in dict(explained)]
    return InParts(named(first, others, in_these([name for name, m in explained if m is first])), rest)


def misbehaves(exercise: Exercise, m: Misconception, s: Seen, answers: Answers) -> bool:
    """Whether a part's numbers are right, and its answer does to its inputs what the misconception does to them."""
    if not only_conduct(s):
        return False
    theirs = compare_all(exercise, s.group, s.probes, s.expected, answers.misconception(m.name, s.group))
    return theirs is not None and s.difference is not None and theirs.kind == s.difference.kind


def otherwise(m: Misconception, s: Seen, answers: Answers) -> bool:
    """Whether a part is refused, and its numbers speak against the misconception."""
    return refused(s) and told_otherwise(s, answers.misconception(m.name, s.group))


def likes(exercise: Exercise, s: Seen, answers: Answers) -> list[Misconception]:
    """The first two: more would say no more."""
    return list(islice((m for m in exercise.misconceptions if like(exercise, m, s, answers)), 2))


def like(exercise: Exercise, m: Misconception, s: Seen, answers: Answers) -> bool:
    """Whether the answer does in a group what the misconception does: found out once."""
    if m.name not in s.likes:
        s.likes[m.name] = does_the_same(exercise, m, s, answers)
    return s.likes[m.name]


def does_the_same(exercise: Exercise, m: Misconception, s: Seen, answers: Answers) -> bool:
    return (
        may_be(exercise, m, s, answers)
        and all(may_be_in(exercise, m, s, number, answers) for number in range(len(s.probes)))
        and agrees(exercise, s.group, s.probes, s.got, answers.misconception(m.name, s.group))
        and refused_alike(s, answers.misconception(m.name, s.group))
        and for_one_reason(exercise, s, answers.misconception(m.name, s.group))
    )


def for_one_reason(exercise: Exercise, s: Seen, told: Sequence[Observation]) -> bool:
    """Where right answers differ: whether neither changes its input, say, or both do."""
    if not any(isinstance(probe, Property) for probe in s.probes):
        return True
    theirs = compare_all(exercise, s.group, s.probes, s.expected, told)
    return (theirs and theirs.kind) == (s.difference and s.difference.kind)


def telling(exercise: Exercise, s: Seen) -> bool:
    """Whether a part says enough by itself: a share like 1/3, or a word, may come out of any mistake."""
    wrong = [p for p in pairs(exercise, s) if not p.right]
    if wrong:
        return evidence(wrong) >= 1
    return s.difference is None or s.difference.kind != "value" or patterned(exercise, [s])


def may_be(exercise: Exercise, m: Misconception, s: Seen, answers: Answers) -> bool:
    """Whether the probe that failed leaves it open: one call tells most misconceptions apart, the first step many."""
    mine, probe = failed_steps(s), s.probes[failed_probe(s)]
    if any(refused_in(m, s, number, answers) for number in sooner(s)):
        return False
    if s.difference is not None and s.difference.kind == "unstable":
        return unstable(exercise, s, answers.twice(m.name, s.group))
    if len(mine) > SEVERAL and isinstance(probe, Steps):
        first = answers.glance(m.name, s.group, failed_probe(s), 1)
        if not agrees(exercise, s.group, s.probes, mine[:1], first, conduct=False):
            return False
    glance = answers.glance(m.name, s.group, failed_probe(s), len(mine), conduct=only_conduct(s))
    if isinstance(probe, Property):
        return may_be_refused(exercise, s, glance)
    wrong = at_fault(exercise, s)
    if wrong and not (glance and wrong[0].came(at(glance[-1].behaviour.value, wrong[0].leaf))):
        return False
    return agrees(exercise, s.group, s.probes, mine, glance, conduct=only_conduct(s))


def unstable(exercise: Exercise, s: Seen, told: Sequence[Observation]) -> bool:
    """Whether the same call gave another answer the second time."""
    once, again = ([o.behaviour for o in told if o.again is later] for later in (False, True))
    return any(compare(exercise, s.group, x, y, conduct=False) for x, y in zip(once, again, strict=False))


def sooner(s: Seen) -> Iterator[int]:
    """The properties before one that is asked many times: each by itself speaks, and takes less time to be asked."""
    last = s.probes[failed_probe(s)]
    if refused(s) and isinstance(last, Property):
        every = ((number, s.probes[number]) for number in range(failed_probe(s)))
        yield from (number for number, probe in every if isinstance(probe, Property) and probe.times < last.times)


def refused_in(m: Misconception, s: Seen, number: int, answers: Answers) -> bool:
    """Whether a misconception is refused in a probe in which the answer is not, or in other words."""
    return not alike_in(s, number, answers.glance(m.name, s.group, number, len(of_probe(s, number))))


def may_be_refused(exercise: Exercise, s: Seen, glance: Sequence[Observation]) -> bool:
    """Whether, where right answers differ, one probe leaves it open: refused alike, or with the same conduct."""
    if refused(s):
        return alike_in(s, failed_probe(s), glance)
    both = [(x.behaviour, y.behaviour) for x, y in zip(failed_steps(s), glance, strict=True)]
    return all(x.error == y.error and not compare_conduct(exercise, s.group, y, x) for x, y in both)


def may_be_in(exercise: Exercise, m: Misconception, s: Seen, number: int, answers: Answers) -> bool:
    """Whether one of the probes leaves it open; a property says something only beside all others."""
    if isinstance(s.probes[number], Property):
        return True
    mine = of_probe(s, number)
    glance = answers.glance(m.name, s.group, number, len(mine))
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
    wrong = {s.group.name: [pair for pair in pairs(exercise, s) if not pair.right] for s in failed}
    at_once = {m.name: beside(*first_wrong(m, failed[0], wrong, answers)) for m in exercise.misconceptions}
    scaled = Scaled()
    for m in exercise.misconceptions:
        if scaled(at_once[m.name]):
            besides = scaled_everywhere(m, failed, wrong, answers, scaled)
            if besides:
                return replace(named(m), text=f"{named(m).text} And besides: {lower(besides)}", also=())
    return one_for_each(exercise, failed, wrong, at_once, answers)


Wrong = Mapping[str, Sequence[Pair]]
"""The wrong arrays of each group that failed."""


def first_wrong(m: Misconception, s: Seen, wrong: Wrong, answers: Answers) -> tuple[list[Pair], Sequence[Observation]]:
    """The wrong arrays of the probe that failed, and what a misconception does there."""
    return first_wrong_pairs(s, wrong), answers.glance(m.name, s.group, failed_probe(s), len(failed_steps(s)))


def first_wrong_pairs(s: Seen, wrong: Wrong) -> list[Pair]:
    return [p for p in wrong[s.group.name] if p.probe == failed_probe(s)]


def told_by(
    m: Misconception, failed: Sequence[Seen], wrong: Wrong, answers: Answers
) -> Iterator[tuple[Sequence[Pair], list[Pair]]]:
    """The wrong arrays, and what came beside what a misconception gives: probe by probe."""
    for s in failed:
        for number in dict.fromkeys(p.probe for p in wrong[s.group.name]):
            bad = [p for p in wrong[s.group.name] if p.probe == number]
            yield bad, beside(bad, answers.glance(m.name, s.group, number, len(of_probe(s, number))))


def scaled_everywhere(m: Misconception, failed: Sequence[Seen], wrong: Wrong, answers: Answers, scaled: Scaled) -> str:
    """In which one way all wrong arrays differ from a misconception: where each group failed first, then in all.

    A misconception that leaves all of them right has no part in it.
    """
    at_once: list[Pair] = []
    for s in failed:
        at_once += beside(*first_wrong(m, s, wrong, answers))
        if not ways_open(at_once[-1]):
            return ""
    if not scaled(at_once):
        return ""
    told: list[Pair] = []
    changed = False
    for bad, here in told_by(m, failed, wrong, answers):
        told += here
        changed = changed or any(not replace(p, a=q.e).right for p, q in zip(bad, here, strict=False))
        if not ways_open(told[-1]):
            return ""
    return scaled(told, least=3) if changed and len(told) == sum(map(len, wrong.values())) else ""


def one_for_each(
    exercise: Exercise, failed: Sequence[Seen], wrong: Wrong, at_once: Mapping[str, list[Pair]], answers: Answers
) -> Diagnosis | None:
    """Two misconceptions or more, each of which is behind all wrong arrays of some names."""
    paths = list(dict.fromkeys(p.path for s in failed for p in wrong[s.group.name]))
    hopeful = {name: {p.path for p in told if p.right} for name, told in at_once.items()}
    if len(paths) < 2 or {p.path for told in at_once.values() for p in told} - set().union(*hopeful.values()):
        return None
    explained: dict[str, Misconception] = {}
    bad = first_wrong_pairs(failed[0], wrong)
    soonest = sorted(exercise.misconceptions, key=lambda m: spoilt(bad, at_once[m.name]))
    for m in (m for m in soonest if hopeful[m.name] - set(explained)):
        explained |= dict.fromkeys(given_by(m, failed, wrong, set(paths) - set(explained), answers), m)
    if set(explained) != set(paths) or len({m.name for m in explained.values()}) < 2:
        return None
    first, *others = dict.fromkeys(explained[path].name for path in paths)
    m = next(m for m in exercise.misconceptions if m.name == first)
    mine = ", ".join(f"`{path}`" for path in paths if explained[path] is m)
    return named(m, tuple(others), f"In {mine}")


def spoilt(bad: Sequence[Pair], told: Sequence[Pair]) -> int:
    """How many arrays a misconception makes wrong in another way: one that has no part in them says less of them."""
    return sum(not q.right and not replace(p, a=q.e).right for p, q in zip(bad, told, strict=False))


def given_by(m: Misconception, failed: Sequence[Seen], wrong: Wrong, paths: set[str], answers: Answers) -> set[str]:
    """Those of the paths at which all that is wrong is what the misconception gives."""
    every = told_by(m, failed, wrong, answers)
    while paths and (next_probe := next(every, None)):
        bad, told = next_probe
        right = {p.place for p in told if p.right} - {p.place for p in told if not p.right}
        paths = paths - {p.path for p in bad if p.place not in right}
    return paths


class Scaled:
    """How the answer differs from a misconception, if it does so in every array in one way.

    In what comes first many misconceptions do the same: what was found for some numbers is found.
    """

    def __init__(self) -> None:
        self.found: dict[tuple[float, tuple[Any, ...]], str] = {}

    def __call__(self, told: Sequence[Pair], *, least: float = 0) -> str:
        key = least, tuple((p.place, p.e.tobytes()) for p in told)
        if key not in self.found:
            self.found[key] = self.read(told, least)
        return self.found[key]

    def read(self, told: Sequence[Pair], least: float) -> str:
        apart = [p for p in told if not p.right]  # times the batch size, a batch of one is right
        readings = ways_open(max(apart, key=lambda p: p.a.size)) if apart else ()
        if not readings or not all(np.isfinite(p.a).all() for p in told):
            return ""
        found = first_that_explains(readings, told, least=least, fitted=NOTHING)
        return found.text if found else ""


def ways_open(p: Pair) -> Sequence[Reading]:
    """Where the numbers are all the same multiple, or the same in some order: at a glance, most are neither."""
    if p.e.shape != p.a.shape:
        return (axes,)
    with np.errstate(all="ignore"):
        gap = np.abs(np.sort(p.a, axis=None) - np.sort(p.e, axis=None))
    scaled = (sign, factor) if proportional(p) or proportional(p, change) else ()
    return (*scaled, axes, order) if (gap <= p.loudest[2]).all() else scaled
