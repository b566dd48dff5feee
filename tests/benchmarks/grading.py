"""What grading a class costs: nbgrader's own commands beside `gradschool grade`, on the same course and submissions.

    python tests/benchmarks/grading.py                        # 200 submissions, growth from 50 to 2,000: ten minutes
    python tests/benchmarks/grading.py --size 20 --stock 4 --growth 10 20 --json grading.json

Whole processes, both ending in rows of the gradebook, autograded notebooks and feedback pages; scores must be the same.
nbgrader is measured on a sample of `--stock` submissions and on one, so that its start is scaled rightly; `--rounds`
takes both in turns and keeps the medians. All figures are seconds a submission. Wall times hold on a machine that does
nothing else; seconds of processor time are said beside them and tell more on a busy one: of all processes that end in
turn, which those in the sandbox do not (`cpu`), and of the coordinator alone (`own`).
Needs Linux, where a process can be asked for the most memory that it held.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path

from five_exercises import CHAPTER, WHERE, course, hand_in_class

from gradschool_grader.grading import Task, judge_task, own_pool
from gradschool_grader.journal import Journal
from gradschool_grader.release import release

GOAL_RATIO, GOAL_RATE = 20.0, 30.0
STOCK = "c = get_config()\nc.CourseDirectory.course_id = 'five'\n"
LOOK = 0.1  # seconds between two looks at a process's memory


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock; of the processor, in all processes that were waited for and in the first one alone; and the
    most memory of that one, in MB."""

    wall: float
    cpu: float
    own: float = 0.0
    mb: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.wall + other.wall, self.cpu + other.cpu, self.own + other.own, max(self.mb, other.mb))

    def each(self, size: int) -> Cost:
        return Cost(self.wall / size, self.cpu / size, self.own / size, self.mb)


def say(words: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {words}", file=sys.stderr, flush=True)


def class_of(folder: Path, size: int) -> Path:
    list(release(course, [CHAPTER], folder, where=WHERE))
    hand_in_class(folder, size)
    return folder


def part(folder: Path, to: Path, size: int) -> Path:
    """A copy with so many of the submissions."""
    students = sorted(path.name for path in (folder / "submitted").iterdir())
    others = set(students[size:])
    shutil.copytree(folder, to, ignore=lambda place, names: others if Path(place).name == "submitted" else set())
    return to


def cost(*command: str, cwd: Path) -> Cost:
    """What a process costs, with all that it started and waited for."""
    with tempfile.TemporaryFile() as said:
        began, most, own = time.perf_counter(), 0.0, 0.0
        process = subprocess.Popen(command, cwd=cwd, stdout=said, stderr=subprocess.STDOUT)
        while True:
            most, own = max(most, held(process.pid)), max(own, used(process.pid))
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(LOOK)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise SystemExit(f"{' '.join(command)} failed:\n{said.read()[-4000:].decode(errors='replace')}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, own, most)


def held(pid: int) -> float:
    """The most memory that a process held so far, in MB; 0 if it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0.0)


def used(pid: int) -> float:
    """Seconds of processor time of a process itself; 0 if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def stock(folder: Path) -> Cost:
    """nbgrader's own two commands, with its own Execute and its own pages."""
    (folder / "nbgrader_config.py").write_text(STOCK)
    nbgrader = [sys.executable, "-m", "nbgrader"]
    graded = cost(*nbgrader, "autograde", CHAPTER, cwd=folder)
    return graded + cost(*nbgrader, "generate_feedback", CHAPTER, cwd=folder)


def ours(folder: Path, jobs: int) -> Cost:
    return cost(sys.executable, "-m", "gradschool_course", "grade", str(folder), "--jobs", str(jobs), cwd=folder)


def scores(folder: Path) -> dict[tuple[str, str], float]:
    with sqlite3.connect(folder / "gradebook.db") as database:
        rows = database.execute(
            "select s.student_id, b.name, g.auto_score from grade g join submitted_notebook n on g.notebook_id = n.id "
            "join submitted_assignment s on n.assignment_id = s.id join base_cell b on g.cell_id = b.id"
        )
        return {(student, name): score for student, name, score in rows}


def same(mine: Mapping[tuple[str, str], float], theirs: Mapping[tuple[str, str], float]) -> None:
    different = {key: (theirs[key], mine.get(key)) for key in theirs if theirs[key] != mine.get(key)}
    if different or not theirs:
        raise SystemExit(f"scores differ (nbgrader's, ours): {different}")


def judged_per_second(folder: Path, jobs: int) -> float:
    """Verdicts without gradebook and pages, once processes, sandboxes and expected answers are there."""
    seed = Journal(folder).seed(CHAPTER)
    files = sorted((folder / "submitted").glob(f"*/{CHAPTER}/{CHAPTER}.ipynb"))
    tasks = [Task(f.parts[-3], CHAPTER, f.name, f.read_bytes(), WHERE, seed) for f in files]
    with own_pool(jobs) as pool:
        for future in as_completed([pool.submit(judge_task, task) for task in tasks[: 4 * jobs]]):
            future.result()
        began = time.perf_counter()
        for future in as_completed([pool.submit(judge_task, task) for task in tasks]):
            json.dumps(future.result().to_json())
        return len(tasks) / (time.perf_counter() - began)


def compare(whole: Path, work: Path, given: argparse.Namespace) -> dict[str, object]:
    theirs, mine = list[Cost](), list[Cost]()
    for number in range(given.rounds):
        say(f"round {number + 1} of {given.rounds}: nbgrader on 1 submission")
        start = stock(part(whole, work / f"one{number}", 1))
        say(f"nbgrader on {given.stock}")
        sample = part(whole, work / f"stock{number}", given.stock)
        several = stock(sample)
        wall, cpu = ((b - a) / (given.stock - 1) for a, b in ((start.wall, several.wall), (start.cpu, several.cpu)))
        theirs.append(Cost((start.wall - wall) / given.size + wall, (start.cpu - cpu) / given.size + cpu))
        say(f"{theirs[-1].wall:.2f} s a submission, {theirs[-1].cpu:.2f} s of processor; ours on {given.size}")
        graded = part(whole, work / f"ours{number}", given.size)
        mine.append(ours(graded, given.jobs).each(given.size))
        say(f"{mine[-1].wall:.3f} s a submission, {mine[-1].cpu:.3f} s of processor")
        same(scores(graded), scores(sample))
    stock_s, grade_s = (statistics.median(c.wall for c in costs) for costs in (theirs, mine))
    stock_cpu, grade_cpu = (statistics.median(c.cpu for c in costs) for costs in (theirs, mine))
    return {
        "stock_s": stock_s, "grade_s": grade_s, "ratio": stock_s / grade_s,
        "cpu": {"stock_s": stock_cpu, "grade_s": grade_cpu, "ratio": stock_cpu / grade_cpu},
    }  # fmt: skip


def judging(whole: Path, work: Path, given: argparse.Namespace) -> dict[str, float]:
    some, rates = part(whole, work / "judged", given.size), dict[str, float]()
    for processes in given.processes:
        rates[str(processes)] = judged_per_second(some, processes)
        say(f"{rates[str(processes)]:.1f} judged a second by {processes} processes")
    return rates


def growing(whole: Path, work: Path, given: argparse.Namespace) -> dict[str, Cost]:
    grown = {}
    for size in given.growth:
        say(f"ours on {size}")
        folder = part(whole, work / f"grown{size}", size)
        grown[str(size)] = ours(folder, given.jobs).each(size)
        shutil.rmtree(folder)
        say(f"{grown[str(size)].wall:.3f} s a submission, {grown[str(size)].mb:.0f} MB")
    return grown


def main(arguments: list[str] | None = None) -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--size", type=int, default=200, help="submissions")
    options.add_argument("--stock", type=int, default=12, help="submissions that nbgrader's own commands grade")
    options.add_argument("--rounds", type=int, default=1, help="times that both are measured, in turns")
    options.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    options.add_argument("--processes", type=int, nargs="*", default=[1, 2, 4], help="for judging alone")
    options.add_argument("--growth", type=int, nargs="*", default=[50, 200, 1000, 2000])
    options.add_argument("--json", type=Path)
    given = options.parse_args(arguments)
    if given.stock < 2:
        options.error("--stock must be 2 or more, to tell what a submission costs from what nbgrader needs to start")
    with tempfile.TemporaryDirectory(prefix="grading-") as place:
        work = Path(place)
        say("building the class")
        whole = class_of(work / "class", max([given.size, given.stock, *given.growth]))
        report = compare(whole, work, given)
        report["judge_only_per_s"] = judging(whole, work, given)
        grown = growing(whole, work, given)
        report["growth"] = {n: each.wall for n, each in grown.items()}
        report["growth_cpu"] = {n: each.cpu for n, each in grown.items()}
        report["growth_own"] = {n: each.own for n, each in grown.items()}
        report["peak_mb"] = {n: each.mb for n, each in grown.items()}
    text = json.dumps(report, indent=1)
    print(text)
    print(f"goals: ratio {GOAL_RATIO:g} or more, {GOAL_RATE:g} or more judged a second with 2 processes")
    if given.json:
        given.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
