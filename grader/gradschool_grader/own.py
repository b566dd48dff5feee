"""A teacher's own test cells, beside our exercises or in assignments of their own, graded by nbgrader's score rule.

They run where the student's code runs, in the sandbox, because that is how they are written: `assert squares(3) == 9`
needs the student's `squares`. So code written to deceive can pass them, and every result says: not cheat-proof.

    for scored in run_cells([Part(1, "def f(x): return x"), Part(2, "f(3)", "double", 6.0)], workers):
        scored.points, scored.outcome            # 3.0, "partly"

nbgrader's rule: an error, or anything on standard error, is 0 points; else a number that the cell shows is the score;
else all points. Where its rule gives full marks for what nobody meant (a negative number, NaN, text) or stops (more
than there is to have), no points are decided and a person is asked.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .inside.wire import WireError
from .journal import FOLDER, replace_text
from .observe import Broken, Malformed, first, known_kind, words
from .rooms import Rooms, Worker, Workers

__all__ = ["NOT_CHEAT_PROOF", "OwnPaper", "OwnPapers", "Part", "Scored", "run_cells", "score"]

NOT_CHEAT_PROOF = "not cheat-proof: it runs in the process of the code that it tests, which can make it pass"
ELSEWHERE = ("FileNotFoundError", "ModuleNotFoundError", "ImportError")  # what a sandbox lacks, and no student's fault
ASIDE = ("aside", "tampered", "infrastructure")  # outcomes that decide no points


@dataclass(frozen=True)
class Part:
    """A cell that is run. With a grade id it is a test of the teacher's, worth `points`."""

    number: int
    code: str
    grade_id: str = ""
    points: float = 0.0


@dataclass(frozen=True)
class Shown:
    """What a test cell did, as the student's process claims."""

    error: str | None
    message: str
    result: str | None
    stdout: str
    stderr: str

    @classmethod
    def claimed(cls, reply: Mapping[str, Any]) -> Shown:
        """Every field checked: a reply is a claim. Raises Malformed."""
        try:
            error = None if reply["error"] is None else known_kind([reply["error"], *first(reply["kinds"], 8)])
            result = None if reply["result"] is None else words(reply["result"], 4000)
            texts = (words(reply[name], 4000) for name in ("stdout", "stderr"))
            return cls(error, words(reply["message"], 400), result, *texts)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise Malformed(f"a reply without the form of what a cell shows ({error})") from error


@dataclass(frozen=True)
class Scored:
    """One test cell of one submission. `points` is None where a person decides.

    Outcomes: passed, partly, failed, timeout, died; and aside, tampered, infrastructure, which decide nothing.
    """

    grade_id: str
    points: float | None
    max_points: float
    outcome: str
    words: str = ""
    stdout: str = ""
    stderr: str = ""
    result: str | None = None
    error: str | None = None
    cheat_proof: bool = False

    @property
    def for_a_person(self) -> bool:
        return self.points is None


def score(shown: Shown, points: float) -> tuple[float | None, str, str]:
    """Points, outcome, and words on it, by nbgrader's rule (utils.determine_grade) without its holes."""
    if shown.error in ELSEWHERE:
        return None, "aside", f"{shown.error}: {shown.message} (grading has neither files nor further packages)"
    if shown.error:
        return 0.0, "failed", f"{shown.error}: {shown.message}".rstrip(": ")
    if shown.stderr.strip():
        return 0.0, "failed", "it wrote to standard error, which nbgrader counts as a failure"
    if shown.result is None:
        return points, "passed", ""
    try:
        number = float(shown.result)
    except ValueError:
        number = math.nan
    if math.isnan(number) or number < 0 or number > points:
        short = shown.result if len(shown.result) <= 60 else shown.result[:60] + "..."
        return None, "aside", f"it showed {short}; expected nothing, or a number of points from 0 to {points:g}"
    return number, "passed" if number == points else "partly" if number else "failed", ""


# ----------------------------------------------------------------------------------------------------------- running
class Run:
    """One worker through a notebook, cell by cell; when one breaks it, another takes over without that cell."""

    def __init__(self, program: Sequence[Part], workers: Workers, seconds: float):
        self.program, self.seconds = program, seconds
        self.rooms = Rooms(workers, (), seconds, cell=min(seconds, 5.0))
        self.worker: Worker | None = None
        self.at = 0  # cells before this one have run in the worker

    def cells(self, start: int, stop: int) -> list[list[Any]]:
        parts = self.program[start:stop]
        return [[part.number, part.code] for part in parts if part.number not in self.rooms.left_out]

    def worker_at(self, i: int) -> Worker:
        """A worker in which all cells before the i-th have run. Raises Broken."""
        if self.worker is not None and self.at < i and self.rooms.run_all(self.worker, self.cells(self.at, i)):
            self.close()
        if self.worker is None:
            self.rooms.program = self.cells(0, i)
            self.worker = self.rooms.open()
        self.at = i
        return self.worker

    def test(self, i: int, again: bool = True) -> Scored:
        part = self.program[i]
        try:
            reply = self.worker_at(i).request({"op": "execute", "cell": [part.number, part.code]}, self.seconds)
            shown = Shown.claimed(reply)
        except Broken as broken:
            if again and (broken.killed or broken.outcome == "infrastructure"):  # once that may have been anybody
                self.close()
                return self.test(i, again=False)
            self.leave(part)
            return undecided(part, broken.outcome, str(broken))
        except (Malformed, WireError) as error:
            self.leave(part)
            return undecided(part, "tampered", f"The worker sent {error}.")
        self.at = i + 1
        return self.scored(part, shown)

    def scored(self, part: Part, shown: Shown) -> Scored:
        points, outcome, why = score(shown, part.points)
        known = tuple(f"it raised {kind}" for kind in ELSEWHERE)
        lacking = [text for text in self.rooms.trouble.values() if text.startswith(known)]
        if outcome == "failed" and lacking:
            points, outcome = None, "aside"
            why = f"{why}; before it a cell lacked something that grading does not have: {lacking[0]}"
        return Scored(part.grade_id, points, part.points, outcome, why, shown.stdout, shown.stderr, shown.result,
                      shown.error)  # fmt: skip

    def leave(self, part: Part) -> None:
        self.close()
        self.rooms.left_out.add(part.number)

    def close(self) -> None:
        if self.worker is not None:
            self.worker.close()
        self.worker = None


def undecided(part: Part, outcome: str, why: str) -> Scored:
    """A test that gave no answer: a loop and a crash are the student's, everything else is for a person."""
    return Scored(part.grade_id, None if outcome in ASIDE else 0.0, part.points, outcome, why)


def run_cells(program: Sequence[Part], workers: Workers, seconds: float = 20.0) -> list[Scored]:
    """The program from top to bottom in one process, as nbgrader does it; a score for each test in it."""
    run = Run(program, workers, seconds)
    try:
        return [run.test(i) for i, part in enumerate(program) if part.grade_id]
    finally:
        run.close()


# ----------------------------------------------------------------------------------------------------------- keeping
@dataclass(frozen=True)
class OwnPaper:
    """The teacher's tests of one notebook of a submission."""

    student: str
    assignment: str
    notebook: str
    digest: str  # of the file and the tests
    mode: str  # of the sandbox
    cells: tuple[Scored, ...]

    @property
    def complete(self) -> bool:
        return all(cell.outcome != "infrastructure" for cell in self.cells)


def digest_of(data: bytes, program: Sequence[Part]) -> str:
    tests = json.dumps([asdict(part) for part in program if part.grade_id])
    return hashlib.sha256(data + tests.encode()).hexdigest()


class OwnPapers:
    """What the course directory remembers of them, in `.gradschool/own/`; files are replaced as a whole."""

    def __init__(self, directory: Path | str):
        self.folder = Path(directory) / FOLDER / "own"

    def write(self, paper: OwnPaper) -> None:
        path = self.folder / paper.assignment / paper.student / f"{paper.notebook}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_text(path, json.dumps(asdict(paper), indent=1) + "\n")

    def read(self, assignment: str, student: str, notebook: str) -> OwnPaper | None:
        return self._load(self.folder / assignment / student / f"{notebook}.json")

    def all(self, assignment: str) -> Iterator[OwnPaper]:
        """By student, then by notebook."""
        for path in sorted((self.folder / assignment).glob("*/*.json")):
            paper = self._load(path)
            if paper is not None:
                yield paper

    def _load(self, path: Path) -> OwnPaper | None:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            data = json.loads(path.read_text(encoding="utf-8"))
            return OwnPaper(**{**data, "cells": tuple(Scored(**cell) for cell in data["cells"])})
        return None
