"""What diagnosis says of mistakes that no catalogue lists, and what that costs.

    python tests/benchmarks/unlisted.py                     # a line an exercise: how many are explained, the slowest
    python tests/benchmarks/unlisted.py huber --words       # and what each is told
    python tests/benchmarks/unlisted.py --json now.json     # all of it, to be compared with a later one

Two kinds of wrong answers: each misconception, taken out of its exercise's catalogue, and `--mutants` of the reference
with one small change, spread over its source. `unexplained` is what gets no more than the worst entry, or the name of
the part that is wrong; `blamed` are those of which the expression is named at home. Times are CPU time of the diagnosis
alone, everything that it asks for included; `at home` is what asking on takes besides.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gradschool_course.contents import course
from gradschool_grader import judge as judging
from gradschool_grader.answers import LiveAnswers
from gradschool_grader.audit.answers import namespace_of
from gradschool_grader.blame import culprit as blame
from gradschool_grader.diagnosis.words import PLACES
from gradschool_grader.exercise import Exercise
from gradschool_grader.inside.perform import Performer
from gradschool_grader.mutation.mutants import mutants
from gradschool_grader.observe import Broken
from gradschool_grader.source import SourceError, exercise_hash, solution, standalone

UNREAD = {"timeout", "died"}
AIM = 150.0  # milliseconds
SECONDS = 5.0  # of CPU time for one request: a mutant may loop for ever


@dataclass(frozen=True)
class Told:
    """What one wrong answer was told, and the CPU time that the diagnosis took."""

    exercise: str
    answer: str
    kind: str
    name: str
    text: str
    milliseconds: float
    blamed: str = ""  # what is said of the expression that is to blame
    at_home: float = 0.0  # milliseconds

    @property
    def unexplained(self) -> bool:
        other_number = self.kind == "structure" and self.name.startswith("the answer")  # of items, and no more is said
        return other_number or self.name == "one_part" or self.kind in PLACES


class Here:
    """A worker that is this process, with an end to what loops."""

    def __init__(self, names: dict[str, Any], *, conduct: bool = True):
        self.performer = Performer(course.helpers, names, (KeyboardInterrupt,), conduct=conduct)

    def request(self, message: dict[str, Any], seconds: float) -> dict[str, Any]:
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
        try:
            return self.performer.handle(message)
        except KeyboardInterrupt:
            raise Broken("timeout", "loops") from None
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    def close(self) -> None:
        self.performer.handles.clear()


def interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def wrong_answers(exercise: Exercise, number: int) -> Iterator[tuple[str, Exercise, Any]]:
    """What it is, the exercise whose catalogue lacks it, and the answer: a text or a function."""
    for m in exercise.misconceptions:
        others = [other for other in exercise.misconceptions if other is not m]
        yield m.name, replace(exercise, misconceptions=others), m.wrong
    changed = [m for m in mutants(solution(exercise)) if m.hash not in exercise.equivalent]
    for i in np.linspace(0, len(changed) - 1, min(number, len(changed))).astype(int):
        yield str(changed[i]), exercise, changed[i].source


def to_blame(exercise: Exercise, seen: list[Any], answer: Any, found: Any) -> str:
    """What is said at home of the expression that is to blame, unless the mistake is another known one."""
    if found.kind == "misconception":
        return ""
    try:
        text = answer if isinstance(answer, str) else standalone(answer, name=exercise.name)
    except SourceError:
        return ""
    apart = Here(namespace_of(text, exercise.name), conduct=False)
    with contextlib.suppress(Broken):
        ask, scaled = lambda message: apart.request(message, SECONDS), "factor" in found.name
        culprit = blame(exercise, seen, text, ask, course.helpers, scaled=scaled)
        return culprit.text if culprit else ""
    return ""


def told(exercise: Exercise, number: int, seed: int) -> Iterator[Told]:
    spent = 0.0
    diagnose = judging.diagnose

    def timed(*given: Any) -> Any:
        nonlocal spent
        started = time.process_time()
        found = diagnose(*given)
        spent = 1e3 * (time.process_time() - started)
        return found

    judging.diagnose = timed
    try:
        for what, without, answer in wrong_answers(exercise, number):
            exercise_hash(without)  # is read once a process
            answers, names = LiveAnswers(without, course.helpers, seed), namespace_of(answer, without.name)
            spent, seen = 0.0, list[Any]()
            verdict = judging.judge(without, lambda names=names: Here(names), answers, witness=seen)
            found = verdict.diagnosis
            if found and found.kind not in UNREAD:
                before, started = spent, time.process_time()
                blamed = to_blame(without, seen, answer, found)
                at_home = 1e3 * (time.process_time() - started)
                text = f"{found.text} {found.hint}".strip()
                yield Told(exercise.name, what, found.kind, found.name, text, before, blamed, at_home)
    finally:
        judging.diagnose = diagnose


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("names", nargs="*", help="exercises; all without any")
    options.add_argument("--mutants", type=int, default=10)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--words", action="store_true", help="what each answer is told")
    options.add_argument("--json", type=Path)
    given = options.parse_args()
    signal.signal(signal.SIGVTALRM, interrupt)
    rows: list[Told] = []
    print(f"{'exercise':<34}{'answers':>8}{'unexplained':>13}{'blamed':>8}{'median':>9}{'slowest':>10}{'at home':>10}")
    for exercise in (e for e in course.exercises if not given.names or e.name in given.names):
        mine = list(told(exercise, given.mutants, given.seed))
        rows += mine
        costs = [t.milliseconds for t in mine]
        nothing = sum(t.unexplained for t in mine)
        slowest, blamed, home = max(costs), sum(bool(t.blamed) for t in mine), max(t.at_home for t in mine)
        print(f"{exercise.name:<34}{len(mine):>8}{nothing:>13}{blamed:>8}{np.median(costs):>6.0f} ms{slowest:>7.0f} ms"
              f"{home:>7.0f} ms",
              "over the aim" if slowest > AIM else "", flush=True)  # fmt: skip
        for t in mine if given.words else ():
            print(f"    {t.answer}  [{t.kind} {t.name}, {t.milliseconds:.0f} ms]\n        {t.text}")
            print(f"        {t.blamed}" if t.blamed else "")
    if given.json:
        given.json.write_text(json.dumps([asdict(t) for t in rows], indent=1, ensure_ascii=False), encoding="utf-8")
    nothing, slow = sum(t.unexplained for t in rows), sum(t.milliseconds > AIM for t in rows)
    print(f"{len(rows)} answers, {nothing} unexplained ({nothing / len(rows):.0%}), {slow} took more than {AIM:g} ms")
    blamed, neither = sum(bool(t.blamed) for t in rows), sum(t.unexplained and not t.blamed for t in rows)
    home = np.percentile([t.at_home for t in rows], [50, 90, 99])
    print(
        f"at home the expression is named of {blamed} ({blamed / len(rows):.0%}), of {neither} no more than a place "
        f"({neither / len(rows):.0%}); half within {home[0]:.0f} ms, 90 % {home[1]:.0f} ms, 99 % {home[2]:.0f} ms"
    )
    print(", ".join(f"{kind} {n}" for kind, n in Counter(t.kind for t in rows).most_common()))


if __name__ == "__main__":
    main()
