"""What an audit found: every answer that was tried with what came of it, and a case for each that is not as it must be.

report.at_goal                    # no case at all
for case in report.cases: print(case)
report.to_json()["killed"]
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Case", "ExerciseAudit", "Rate", "Report", "Survivor", "Tried"]


@dataclass(frozen=True)
class Case:
    """One thing that is not as it must be, said so that it can be repeated: exercise, what, seed, group."""

    exercise: str
    what: str
    words: str
    seed: int | None = None
    group: str = ""

    def __str__(self) -> str:
        place = ", ".join(
            part for part in (f"group {self.group}" * bool(self.group), f"seed {self.seed}" * (self.seed is not None))
            if part
        )  # fmt: skip
        return f"{self.exercise}: {self.what} {self.words}" + f" ({place})" * bool(place)


@dataclass(frozen=True)
class Tried:
    """An answer that was handed in. `fine`: rejected at every seed, or accepted at every seed if it is right."""

    kind: str
    name: str
    fine: bool
    by: tuple[str, ...] = ()  # the groups that reject it
    named: bool = False


@dataclass(frozen=True)
class Survivor:
    """A mutant that every group accepts at every seed, with the reason why it is no other function, if one is known."""

    hash: str
    mutation: str
    why_equivalent: str | None


@dataclass(frozen=True)
class Rate:
    """How often a right answer was refused by a group that judges by a property of what was drawn."""

    group: str
    answers: int
    refused: int
    scores: int = 0  # how many were measured, of a group that refuses beyond six standard deviations
    spread: float = 0.0
    largest: float = 0.0
    expected: float | None = None  # the rate that follows from them

    def __str__(self) -> str:
        words = f"{self.refused} of {self.answers} right answers refused, so below {self.bound:.2g} (95 %)"
        if self.expected is None:
            return words
        return (
            f"{words}; {self.scores} scores spread {self.spread:.2g} standard deviations, so below {self.expected:.1g}"
        )

    @property
    def bound(self) -> float:
        """What the true rate lies below with 95 % confidence."""
        spread = 3 + 2 * (3 * self.refused) ** 0.5 if self.refused else 3
        return min(1.0, (self.refused + spread) / self.answers)


@dataclass(frozen=True)
class ExerciseAudit:
    """Everything about one exercise, or a part of it: parts are put together with `+`."""

    exercise: str
    chapter: str
    groups: tuple[str, ...]
    tried: tuple[Tried, ...] = ()
    survivors: tuple[Survivor, ...] = ()
    vacuous: tuple[str, ...] = ()
    rates: tuple[Rate, ...] = ()
    unmet: tuple[str, ...] = ()  # checks of inputs that no probe meets
    cases: tuple[Case, ...] = ()
    seconds: float = 0.0

    def __add__(self, other: ExerciseAudit) -> ExerciseAudit:
        joined = ("tried", "survivors", "vacuous", "rates", "unmet", "cases", "seconds")
        together = {name: getattr(self, name) + getattr(other, name) for name in joined}
        return ExerciseAudit(self.exercise, self.chapter, self.groups, **together)

    def count(self, *kinds: str, fine: bool | None = None) -> int:
        return sum(t.kind in kinds and (fine is None or t.fine == fine) for t in self.tried)

    @property
    def named(self) -> int:
        return sum(t.kind == "misconception" and t.named for t in self.tried)

    @property
    def unexplained(self) -> list[Survivor]:
        return [survivor for survivor in self.survivors if not survivor.why_equivalent]


@dataclass(frozen=True)
class Report:
    """The audit of several exercises over the same seeds."""

    exercises: Sequence[ExerciseAudit]
    seeds: Sequence[int] = field(default_factory=tuple)

    @property
    def cases(self) -> list[Case]:
        return [case for exercise in self.exercises for case in exercise.cases]

    @property
    def at_goal(self) -> bool:
        return not self.cases

    def count(self, *kinds: str, fine: bool | None = None) -> int:
        return sum(exercise.count(*kinds, fine=fine) for exercise in self.exercises)

    @property
    def named(self) -> int:
        return sum(exercise.named for exercise in self.exercises)

    def to_json(self) -> dict[str, Any]:
        return {
            "exercises": len(self.exercises),
            "misconceptions": self.count("misconception"),
            "rejected": self.count("misconception", fine=True),
            "named": self.named,
            "variants": self.count("variant"),
            "accepted": self.count("variant", fine=True),
            "trivial": self.count("trivial", "other"),
            "trivial_rejected": self.count("trivial", "other", fine=True),
            "mutants": self.count("mutant"),
            "killed": self.count("mutant", fine=True),
            "survivors": [
                {"exercise": e.exercise, "mutation": s.mutation, "why_equivalent": s.why_equivalent, "hash": s.hash}
                for e in self.exercises for s in e.survivors
            ],
            "vacuous": [f"{e.exercise}: {group}" for e in self.exercises for group in e.vacuous],
            "statistical": [
                {"exercise": e.exercise, "group": r.group, "answers": r.answers, "refused": r.refused, "below": r.bound,
                 "scores": r.scores, "spread": r.spread, "largest": r.largest, "expected": r.expected}
                for e in self.exercises for r in e.rates
            ],
            "seeds": list(self.seeds),
            "at_goal": self.at_goal,
            "cases": [str(case) for case in self.cases],
        }  # fmt: skip


def together(parts: Iterable[ExerciseAudit]) -> list[ExerciseAudit]:
    """Parts of the same exercise as one, in the order in which exercises first appear."""
    whole: dict[str, ExerciseAudit] = {}
    for part in parts:
        whole[part.exercise] = whole[part.exercise] + part if part.exercise in whole else part
    return list(whole.values())
