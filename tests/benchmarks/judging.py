"""How long a check takes at home: judging, and what diagnosis adds, for every misconception of every exercise.

    python tests/benchmarks/judging.py                 # one line an exercise, the slowest first
    python tests/benchmarks/judging.py adam --each     # and every misconception

Times are medians of CPU time in this process, after one judgement has imported everything. `wrong` is judging a
misconception without its diagnosis, `named` the diagnosis that finds it, `unnamed` the diagnosis when the catalogue
does not have it, which tries everything.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import replace

from gradschool_course.contents import course
from gradschool_grader import judge as judging
from gradschool_grader.answers import LiveAnswers
from gradschool_grader.exercise import Exercise, Misconception
from gradschool_grader.home import HereWorker
from gradschool_grader.source import exercise_hash

AIM = 150.0  # milliseconds for judging, and as many again for the diagnosis


def judged(exercise: Exercise, wrong: Misconception, seed: int) -> tuple[float, float]:
    """Milliseconds of judging without diagnosis, and of the diagnosis."""
    function = wrong.wrong() if getattr(wrong.wrong, "fresh", False) else wrong.wrong
    spent = 0.0
    diagnose = judging.diagnose

    def timed(*args):
        nonlocal spent
        started = time.process_time()
        found = diagnose(*args)
        spent = time.process_time() - started
        return found

    judging.diagnose = timed
    try:
        started = time.process_time()
        answers = LiveAnswers(exercise, course.helpers, seed)
        judging.judge(exercise, lambda: HereWorker(course, {exercise.name: function}), answers)
        return 1e3 * (time.process_time() - started - spent), 1e3 * spent
    finally:
        judging.diagnose = diagnose


def measured(exercise: Exercise, wrong: Misconception, rounds: int) -> tuple[float, float, float]:
    without = replace(exercise, misconceptions=[m for m in exercise.misconceptions if m is not wrong])
    for one in (exercise, without):
        exercise_hash(one)  # is read once a process
    with_it = [judged(exercise, wrong, seed) for seed in range(rounds)]
    unnamed = [judged(without, wrong, seed)[1] for seed in range(rounds)]
    return (
        statistics.median(a for a, _ in with_it),
        statistics.median(b for _, b in with_it),
        statistics.median(unnamed),
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("names", nargs="*", help="exercises; all without any")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--each", action="store_true", help="a line for each misconception, not the slowest alone")
    given = options.parse_args()
    exercises = [e for e in course.exercises if not given.names or e.name in given.names]
    judged(exercises[0], exercises[0].misconceptions[0], 0)
    rows = []
    for exercise in exercises:
        found = [(exercise.name, m.name, *measured(exercise, m, given.rounds)) for m in exercise.misconceptions]
        rows += found if given.each else [
            (exercise.name, f"slowest of {len(found)}", *(max(column) for column in list(zip(*found, strict=True))[2:]))
        ]  # fmt: skip
    print(f"{'exercise':<32}{'misconception':<28}{'wrong':>9}{'named':>9}{'unnamed':>9}  of the aim")
    for name, what, wrong, named, unnamed in sorted(rows, key=lambda row: -max(row[2:])):
        ratio = max(wrong, named, unnamed) / AIM
        print(f"{name:<32}{what:<28}{wrong:>6.0f} ms{named:>6.0f} ms{unnamed:>6.0f} ms{ratio:>8.2f}")


if __name__ == "__main__":
    main()
