"""What grading a class costs: nbgrader's own commands beside `gradschool grade`, on the same course and submissions.

    python tests/benchmarks/grading.py                                   # 200 submissions, growth from 50 to 2,000
    python tests/benchmarks/grading.py --size 20 --stock 5 --growth 10 20 --json grading.json

Whole processes, both ending in rows of the gradebook, autograded notebooks and feedback pages; scores must be the same.
nbgrader is measured on a sample of `--stock` submissions and on one, so that its start is scaled rightly. Times are
wall times on `--jobs` processes: run it on a machine that does nothing else. The report is seconds a submission.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from concurrent.futures import as_completed
from pathlib import Path

from five_exercises import CHAPTER, WHERE, course, hand_in_class

from gradschool_grader.grading import Task, judge_task, own_pool
from gradschool_grader.journal import Journal
from gradschool_grader.release import release

GOAL_RATIO, GOAL_RATE = 20.0, 30.0
STOCK = "c = get_config()\nc.CourseDirectory.course_id = 'five'\n"


def class_of(folder: Path, size: int) -> Path:
    list(release(course, [CHAPTER], folder, where=WHERE))
    hand_in_class(folder, size)
    return folder


def part(folder: Path, to: Path, size: int) -> Path:
    """A copy with so many of the submissions."""
    shutil.copytree(folder, to)
    for student in sorted((to / "submitted").iterdir())[size:]:
        shutil.rmtree(student)
    return to


def timed(*command: str, cwd: Path) -> tuple[float, float]:
    """Seconds that a process takes, and the most memory in MB that it or a child held."""
    began = time.perf_counter()
    code = f"import resource, subprocess, sys; r = subprocess.run({list(command)!r}).returncode; " \
           "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(r)"  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return time.perf_counter() - began, int(done.stdout.split()[-1]) / 1024


def stock(folder: Path) -> float:
    """Seconds of nbgrader's own two commands, with its own Execute and its own pages."""
    (folder / "nbgrader_config.py").write_text(STOCK)
    nbgrader = [sys.executable, "-m", "nbgrader"]
    return sum(timed(*nbgrader, verb, CHAPTER, cwd=folder)[0] for verb in ("autograde", "generate_feedback"))


def ours(folder: Path, jobs: int) -> tuple[float, float]:
    """Seconds of `gradschool grade`, and the peak of its memory in MB."""
    return timed(sys.executable, "-m", "gradschool_course", "grade", str(folder), "--jobs", str(jobs), cwd=folder)


def scores(folder: Path) -> dict[tuple[str, str], float]:
    with sqlite3.connect(folder / "gradebook.db") as database:
        rows = database.execute(
            "select s.student_id, b.name, g.auto_score from grade g join submitted_notebook n on g.notebook_id = n.id "
            "join submitted_assignment s on n.assignment_id = s.id join base_cell b on g.cell_id = b.id"
        )
        return {(student, name): score for student, name, score in rows}


def judged_per_second(folder: Path, jobs: int) -> float:
    """Verdicts without gradebook and pages, from the first submission's end to the last's."""
    seed = Journal(folder).seed(CHAPTER)
    files = sorted((folder / "submitted").glob(f"*/{CHAPTER}/{CHAPTER}.ipynb"))
    tasks = [Task(f.parts[-3], CHAPTER, f.name, f.read_bytes(), WHERE, seed) for f in files]
    with own_pool(jobs) as pool:
        for future in as_completed([pool.submit(judge_task, task) for task in tasks[: 4 * jobs]]):
            future.result()  # processes, sandboxes and expected answers are there
        began = time.perf_counter()
        for future in as_completed([pool.submit(judge_task, task) for task in tasks]):
            json.dumps(future.result().to_json())
        return len(tasks) / (time.perf_counter() - began)


def compare(whole: Path, work: Path, given: argparse.Namespace) -> dict[str, float]:
    sample, one = part(whole, work / "stock", given.stock), part(whole, work / "one", 1)
    start, several = stock(one), stock(sample)
    each = (several - start) / (given.stock - 1)
    stock_s = (start - each) / given.size + each
    graded = part(whole, work / "ours", given.size)
    grade_s = ours(graded, given.jobs)[0] / given.size
    mine, theirs = scores(graded), scores(sample)
    different = {key: (theirs[key], mine[key]) for key in theirs if theirs[key] != mine[key]}
    if different:
        raise SystemExit(f"scores differ (nbgrader's, ours): {different}")
    return {"stock_s": stock_s, "grade_s": grade_s, "ratio": stock_s / grade_s}


def main(arguments: list[str] | None = None) -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--size", type=int, default=200, help="submissions")
    options.add_argument("--stock", type=int, default=12, help="submissions that nbgrader's own commands grade")
    options.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    options.add_argument("--processes", type=int, nargs="*", default=[1, 2, 4], help="for judging alone")
    options.add_argument("--growth", type=int, nargs="*", default=[50, 200, 500, 2000])
    options.add_argument("--json", type=Path)
    given = options.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="grading-") as place:
        work = Path(place)
        whole = class_of(work / "class", max([given.size, *given.growth]))
        report: dict[str, object] = dict(compare(whole, work, given))
        some = part(whole, work / "some", given.size)
        report["judge_only_per_s"] = {str(n): judged_per_second(some, n) for n in given.processes}
        grown = {str(n): ours(part(whole, work / f"grown{n}", n), given.jobs) for n in given.growth}
        report["growth"] = {n: seconds / int(n) for n, (seconds, _) in grown.items()}
        report["peak_mb"] = {n: mb for n, (_, mb) in grown.items()}
    text = json.dumps(report, indent=1)
    print(text)
    print(f"goals: ratio {GOAL_RATIO:g} or more, {GOAL_RATE:g} or more judged a second with 2 processes")
    if given.json:
        given.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
