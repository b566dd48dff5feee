"""A verdict is what judging one exercise of one submission came to: plain data, versioned, repeatable from its seed.

Outcomes of a group and of an exercise: passed, wrong, raised, timeout, died, tampered, missing, infrastructure. Two
verdicts are *the same* if outcomes, points and diagnosis agree (`verdict.essence`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

VERSION = 1
OUTCOMES = ("passed", "wrong", "raised", "timeout", "died", "tampered", "missing", "infrastructure")


@dataclass(frozen=True)
class Diagnosis:
    """Which mistake it is. `text` may be shown in a graded run; `hint` is the question that leads to the mistake.

    `detail` has a number that was read off the hidden case, and is for home only.
    """

    kind: str
    name: str
    text: str
    hint: str = ""
    see: str = ""
    also: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True)
class GroupVerdict:
    """One group: its points as a whole or none. `words` are safe in a graded run, `detail` is for home only."""

    name: str
    outcome: str
    points: float
    max_points: float
    about: str = ""
    words: str = ""
    detail: str = ""
    label: str = ""
    frames: tuple[Mapping[str, Any], ...] = ()
    case: int | None = None  # index of the failing observation: with the seed it repeats the failing call


@dataclass(frozen=True)
class Source:
    """What was judged: file, cells that define the exercise, hash (SHA-256) of their text."""

    file: str = ""
    cells: tuple[int, ...] = ()
    hash: str = ""

    def __str__(self) -> str:
        cells = ", ".join(map(str, self.cells))
        where = f"cell{'s' * (len(self.cells) > 1)} {cells}" if cells else ""
        return ", ".join(part for part in (self.file, where, self.hash and f"sha256 {self.hash[:12]}") if part)


@dataclass(frozen=True)
class Verdict:
    """`notes` are about the file; `flags` say that somebody else's code may have been judged: a person decides."""

    exercise: str
    exercise_hash: str
    chapter: str
    seed: int
    mode: str
    groups: tuple[GroupVerdict, ...]
    diagnosis: Diagnosis | None = None
    source: Source = Source()
    notes: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    version: int = VERSION
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def points(self) -> float:
        return sum(group.points for group in self.groups)

    @property
    def max_points(self) -> float:
        return sum(group.max_points for group in self.groups)

    @property
    def outcome(self) -> str:
        """Passed if every group passed, else what the first group that did not pass came to; tampering comes first."""
        outcomes = [group.outcome for group in self.groups if group.outcome != "passed"]
        for grave in ("tampered", "infrastructure"):
            if grave in outcomes:
                return grave
        return outcomes[0] if outcomes else "passed"

    @property
    def passed(self) -> bool:
        return self.outcome == "passed"

    @property
    def essence(self) -> tuple[Any, ...]:
        """What must agree wherever the same answer is judged: outcomes, points and diagnosis."""
        diagnosis = self.diagnosis and (self.diagnosis.kind, self.diagnosis.name)
        return self.exercise, tuple((g.name, g.outcome, g.points) for g in self.groups), diagnosis

    def without_numbers(self) -> Verdict:
        """What may be kept beside a grade: nothing that was read off hidden inputs, expected values or messages."""

        def bare(group: GroupVerdict) -> GroupVerdict:
            return replace(
                group, detail="", label="", frames=tuple({**frame, "arguments": {}} for frame in group.frames)
            )

        diagnosis = self.diagnosis and replace(self.diagnosis, detail="")
        return replace(self, groups=tuple(map(bare, self.groups)), diagnosis=diagnosis, extra={})

    def to_json(self) -> dict[str, Any]:
        return {"outcome": self.outcome, "points": self.points, "max_points": self.max_points, **asdict(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Verdict:
        if data.get("version") != VERSION:
            raise ValueError(f"This verdict has version {data.get('version')}; this program reads version {VERSION}.")
        fields = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        diagnosis = fields.get("diagnosis")
        fields["diagnosis"] = diagnosis and Diagnosis(**{**diagnosis, "also": tuple(diagnosis["also"])})
        fields["groups"] = tuple(GroupVerdict(**{**g, "frames": tuple(g["frames"])}) for g in data["groups"])
        fields["source"] = Source(**{**data["source"], "cells": tuple(data["source"]["cells"])})
        fields["notes"], fields["flags"] = tuple(data["notes"]), tuple(data.get("flags", ()))
        return cls(**fields)
