"""Property: whatever is killed, full or locked, the same command again ends in the grades of an undisturbed run."""

import itertools
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from here import HERE
from processes import alive, soon
from tiny_course.samples import MEAN, RIGHT, SQUARE, hand_in, notebook, wrong

pytest.importorskip("nbgrader")

import nbformat
from nbformat.v4 import new_markdown_cell, new_notebook

from gradschool_grader.journal import Journal
from gradschool_grader.teach.assign import generate_assignment
from gradschool_grader.teach.grade import grade

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc to find whom to kill"),
]

VICTIMS = {"coordinator": 8, "pool": 12, "zygote": 12, "worker": 18 if HERE.modes else 30}
VICTIMS |= {} if HERE.modes else {"zygote": 0}  # without a sandbox there is none
LONGEST = 8.0  # seconds, in which most runs come to their end: a coordinator is hit early, late, and in between
SIZE = 6
FULL = """
import resource, subprocess, sys
from pathlib import Path
way, disk, source, size = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
if way != "limit":
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", disk], check=True)
subprocess.run(["cp", "-a", source, disk / "course"], check=True)

import json
sys.modules.setdefault("rfc3987_syntax", None)
from test_faults import outcome
from gradschool_grader.disk import DiskFull
from gradschool_grader.teach.grade import grade

def room(free):
    if way == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (free or resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        return
    (disk / "filler").unlink(missing_ok=True)
    if free is None:
        return
    with (disk / "filler").open("wb", buffering=0) as filler:
        try:
            while filler.write(bytes(4096)):
                pass
        except OSError:
            filler.truncate(max(0, filler.tell() - free))

runs = []
for free in (1024, 8 << 10, 32 << 10, 128 << 10, 512 << 10):
    room(free)
    try:
        aside = grade(disk / "course", jobs=1).set_aside
        runs.append(aside[0].why if aside else "done")
    except DiskFull as error:
        runs.append(str(error))
room(None)
summary = grade(disk / "course", jobs=1)
print(json.dumps({"runs": runs, "set aside": len(summary.set_aside), "outcome": outcome(disk / "course")}))
"""
CLOCK = """
import datetime, os, sys, time
from pathlib import Path

OFFSET = Path(os.environ["TEST_CLOCK"])
now, now_ns, replace, Real = time.time, time.time_ns, os.replace, datetime.datetime

def offset():
    return int(OFFSET.read_text())

class Kind(type):
    def __instancecheck__(cls, value):
        return isinstance(value, Real)

class Stepped(Real, metaclass=Kind):
    @classmethod
    def now(cls, tz=None):
        return Real.now(tz) + datetime.timedelta(seconds=offset())

def stepped(source, target):
    replace(source, target)
    os.utime(target, (now() + offset(), now() + offset()))

time.time, time.time_ns = lambda: now() + offset(), lambda: now_ns() + offset() * 10**9
datetime.datetime, os.replace = Stepped, stepped
"""
STEPPING = """
import sys, itertools
sys.modules.setdefault("rfc3987_syntax", None)
from gradschool_grader.teach.grade import grade
import sitecustomize
days = itertools.cycle([86400, -86400, 0])

def step(done):
    sitecustomize.OFFSET.write_text(str(next(days)))

if __name__ == "__main__":
    grade(sys.argv[1], jobs=int(sys.argv[2]), progress=step)
"""
RUN = """
import sys
sys.modules.setdefault("rfc3987_syntax", None)
from gradschool_grader.teach.grade import grade
grade(sys.argv[1], jobs=int(sys.argv[2]))
"""


@pytest.fixture(scope="module")
def handed_in(released, tmp_path_factory):
    """A small class, whose secret seed is drawn: every copy is graded by the same questions."""
    folder = Path(shutil.copytree(released, tmp_path_factory.mktemp("faults") / "course"))
    answers = [
        notebook(**RIGHT),
        notebook(square=wrong(SQUARE, "doubled")),
        notebook(moving_average=wrong(MEAN, "sum")),
    ]
    for number in range(SIZE):
        hand_in(folder, f"s{number}", answers[number % 3])
    Journal(folder).seed("ch01_tiny")
    return folder


@pytest.fixture(scope="module")
def undisturbed(handed_in, tmp_path_factory):
    folder = Path(shutil.copytree(handed_in, tmp_path_factory.mktemp("calm") / "course"))
    grade(folder, jobs=1)
    return outcome(folder)


def outcome(folder):
    """All grades and comments of the gradebook as rows, the autograded notebooks, the pages, and what is recorded."""
    with sqlite3.connect(folder / "gradebook.db") as database:
        rows = database.execute(
            "select s.student_id, b.name, g.auto_score, g.manual_score, g.needs_manual_grade from grade g "
            "join submitted_notebook n on g.notebook_id = n.id join submitted_assignment s on n.assignment_id = s.id "
            "join base_cell b on g.cell_id = b.id order by 1, 2"
        ).fetchall()
        comments = database.execute(
            "select s.student_id, b.name, c.auto_comment from comment c join submitted_notebook n on "
            "c.notebook_id = n.id join submitted_assignment s on n.assignment_id = s.id "
            "join base_cell b on c.cell_id = b.id order by 1, 2"
        ).fetchall()
    texts = {}
    for kind in ("autograded", "feedback"):
        for path in sorted((folder / kind).rglob("*.*")):
            if path.is_file():
                texts[str(path.relative_to(folder))] = path.read_text(encoding="utf-8")
    recorded = [(j.student, j.recorded, [v.essence for v in j.verdicts]) for j in Journal(folder).all("ch01_tiny")]
    return rows, comments, texts, recorded


def searching_here():
    """An environment in which another Python finds what this one finds, and these tests."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])}


def started(folder, jobs):
    command = [sys.executable, "-c", RUN, str(folder), str(jobs)]
    return subprocess.Popen(
        command, env=searching_here(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )


def below(pid):
    """All processes that a process has started, and those have."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry))
    found, waiting = [], [pid]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


def command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def parent(pid):
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def kind(pid, coordinator):
    """What a process below the coordinator is to the grader; bubblewrap is part of the zygote that it holds."""
    words, above = command(pid), command(parent(pid))
    if b"--multiprocessing-fork" in words:
        return "pool" if parent(pid) == coordinator else ""
    if b"zygote" in words:
        return "worker" if b"zygote" in above and not above[0].endswith(b"bwrap") else "zygote"
    return "worker" if b"serve" in words else ""


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def strike(process, victim, rng):
    """Kill one of that kind as soon as there is one. Whether it was killed before the run had ended."""
    while process.poll() is None:
        there = [process.pid] if victim == "coordinator" else below(process.pid)
        chosen = [pid for pid in there if victim in ("coordinator", kind(pid, process.pid))]
        if chosen and kill(rng.choice(chosen)):
            return True
        time.sleep(0.005)
    return False


def test_killed_at_fifty_random_moments(handed_in, undisturbed, tmp_path):
    """The coordinator 8 times, a pool process 12, a zygote 12, a worker 18 times, in an order drawn once; several in
    one run, until the coordinator is hit or the run is over. A killed coordinator is started again, in the same
    directory; nobody else's death stops a run. Then one run more completes whatever was left."""
    rng = random.Random(50)
    plan = [victim for victim, times in VICTIMS.items() for _ in range(times)]
    rng.shuffle(plan)
    folders = (Path(shutil.copytree(handed_in, tmp_path / f"course{i}")) for i in itertools.count())
    folder = next(folders)
    for _ in range(2 * len(plan)):  # a run in which nobody was hit is followed by one that has everything to do
        process = started(folder, 2 if plan[-1] == "pool" else rng.choice((1, 2)))
        hit = ""
        while plan and hit != "coordinator" and process.poll() is None:
            time.sleep(rng.uniform(0, LONGEST if plan[-1] == "coordinator" else 0.3))
            hit = plan.pop() if strike(process, plan[-1], rng) else ""
        _, said = process.communicate(timeout=300)
        if hit == "coordinator" and process.returncode == 0:  # it had come to its end, and only waited to be noticed
            plan.append(hit)
            hit = ""
        assert process.returncode == (-signal.SIGKILL if hit == "coordinator" else 0), said.decode()[-2000:]
        if hit == "coordinator" and plan:
            continue
        grade(folder, jobs=1)
        assert outcome(folder) == undisturbed
        if not plan:
            break
        folder = next(folders)
    assert plan == []


def test_a_killed_coordinator_leaves_no_process_behind(handed_in, tmp_path):
    folder = Path(shutil.copytree(handed_in, tmp_path / "course"))
    process = started(folder, 2)
    while len(below(process.pid)) < 4 and process.poll() is None:
        time.sleep(0.02)
    others = below(process.pid)
    kill(process.pid)
    process.communicate(timeout=60)
    soon(lambda: not any(alive(pid) for pid in others), 60)
    assert [pid for pid in others if alive(pid)] == []


def test_a_gradebook_locked_by_another_program_is_waited_for(handed_in, undisturbed, tmp_path):
    folder = Path(shutil.copytree(handed_in, tmp_path / "course"))
    lock = sqlite3.connect(folder / "gradebook.db", check_same_thread=False, isolation_level=None)
    lock.execute("begin exclusive")
    opener = threading.Timer(1.0, lock.rollback)
    opener.start()
    grade(folder, jobs=1)
    opener.join()
    lock.close()
    assert outcome(folder) == undisturbed


def test_a_gradebook_that_stays_locked_costs_no_verdict(handed_in, undisturbed, tmp_path):
    folder = Path(shutil.copytree(handed_in, tmp_path / "course"))
    config = folder / "nbgrader_config.py"
    config.write_text(
        f"{config.read_text()}\nc.CourseDirectory.db_url = 'sqlite:///{folder}/gradebook.db?timeout=0.05'\n"
    )
    lock = sqlite3.connect(folder / "gradebook.db", isolation_level=None)
    lock.execute("begin exclusive")
    summary = grade(folder, jobs=1)
    lock.rollback()
    lock.close()
    assert len(summary.set_aside) == SIZE
    assert "locked" in summary.set_aside[0].why
    assert summary.judged == []
    steps = []
    grade(folder, jobs=1, progress=steps.append)
    assert not [step for step in steps if step.what == "judged"]
    assert outcome(folder) == undisturbed


def way_to_a_tiny_disk(folder):
    """How a disk of a megabyte can be had here: "mount" it as root, in a "namespace" of one's own, or a "limit" on the
    size of files where neither is allowed."""
    mount = f"mount -t tmpfs -o size=1m none {folder}"
    for way, flags in (("mount", "-m"), ("namespace", "-rm")):
        try:
            subprocess.run(["unshare", flags, "sh", "-c", mount], check=True, capture_output=True)
            return way, ["unshare", flags]
        except (OSError, subprocess.CalledProcessError):
            continue
    return "limit", []


def test_a_full_disk_is_named_and_costs_no_grade(handed_in, undisturbed, tmp_path, request):
    """While judging, recording, making pages: each run says which disk it is, and one with room completes it."""
    disk = tmp_path / "disk"
    disk.mkdir()
    way, within = way_to_a_tiny_disk(disk)
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    reporter and reporter.write_line(f"\na full disk by way of: {way}")
    process = subprocess.run(
        [*within, sys.executable, "-c", FULL, way, str(disk), str(handed_in), str(8 << 20)],
        env=searching_here(), capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr[-3000:]
    found = json.loads(process.stdout)
    failed = [said for said in found["runs"] if said != "done"]
    assert len(failed) >= 2, found["runs"]
    for said in failed:
        assert said.startswith(f"Nothing more can be written to the disk at {'' if way == 'limit' else disk}")
        assert "Make room and give the same command again" in said
    assert found["set aside"] == 0
    assert found["outcome"] == json.loads(json.dumps(undisturbed))


DATES = """
[late]
penalty = "zero"

[assignments.ch01_tiny]
due = 2026-03-01T12:00:00Z
"""


def dated(handed_in, to):
    """The course with a due date: s0 handed in an hour before it, s3 an hour after."""
    folder = Path(shutil.copytree(handed_in, to / "course"))
    (folder / "course.toml").write_text(DATES)
    for student, time_of_day in (("s0", "11:00:00"), ("s3", "13:00:00")):
        (folder / f"submitted/{student}/ch01_tiny/timestamp.txt").write_text(f"2026-03-01 {time_of_day} UTC")
    return folder


def penalties(folder):
    with sqlite3.connect(folder / "gradebook.db") as database:
        return database.execute(
            "select s.student_id, n.late_submission_penalty from submitted_notebook n "
            "join submitted_assignment s on n.assignment_id = s.id order by 1"
        ).fetchall()


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_clock_that_is_set_a_day_on_and_back_changes_nothing(handed_in, tmp_path, jobs):
    """At every step of the run, for all of its processes, and for the dates of the files that they write."""
    calm = dated(handed_in, tmp_path / "calm")
    grade(calm, jobs=1)
    assert [student for student, penalty in penalties(calm) if penalty] == ["s3"]
    folder = dated(handed_in, tmp_path / "stepped")
    (tmp_path / "sitecustomize.py").write_text(CLOCK)
    (tmp_path / "stepping.py").write_text(STEPPING)
    (tmp_path / "offset").write_text("0")
    environment = {**searching_here(), "TEST_CLOCK": str(tmp_path / "offset")}
    environment["PYTHONPATH"] = os.pathsep.join([str(tmp_path), environment["PYTHONPATH"]])
    for _ in range(2):  # and once more: what is done stays done
        process = subprocess.run(
            [sys.executable, tmp_path / "stepping.py", folder, str(jobs)],
            env=environment,
            capture_output=True,
            timeout=300,
        )
        assert process.returncode == 0, process.stderr.decode()[-3000:]
        assert outcome(folder) == outcome(calm)
        assert penalties(folder) == penalties(calm)


def test_pages_follow_the_grades_though_the_clock_was_set_back(handed_in, undisturbed, tmp_path):
    """A page that is dated a day ahead shows the new grade all the same."""
    folder = Path(shutil.copytree(handed_in, tmp_path / "course"))
    hand_in(folder, "s1", notebook())
    grade(folder, jobs=1)
    tomorrow = time.time() + 86400
    for page in (folder / "feedback").rglob("*.html"):
        os.utime(page, (tomorrow, tomorrow))
    hand_in(folder, "s1", notebook(square=wrong(SQUARE, "doubled")))
    grade(folder, jobs=1)
    assert outcome(folder) == undisturbed


def with_essay(folder):
    """An assignment of the teacher's own that only a person grades."""
    flags = {"grade_id": "essay", "grade": True, "solution": True, "locked": False, "task": False, "points": 5,
             "schema_version": 3}  # fmt: skip
    made = new_notebook(cells=[new_markdown_cell("Write.", id="essay", metadata={"nbgrader": flags})])
    (folder / "source/essay").mkdir()
    nbformat.write(made, folder / "source/essay/essay.ipynb")
    generate_assignment(folder, "essay")


def hand_in_essay(folder, text):
    made = nbformat.read(folder / "release/essay/essay.ipynb", as_version=4)
    made.cells[0].source = text
    there = folder / "submitted/ada/essay"
    there.mkdir(parents=True, exist_ok=True)
    nbformat.write(made, there / "essay.ipynb")


def test_a_new_file_is_seen_though_the_clock_was_set_back(released, tmp_path):
    """Where nothing is run only the file itself tells that it is new; a page that is missing is made."""
    folder = Path(shutil.copytree(released, tmp_path / "course"))
    with_essay(folder)
    hand_in_essay(folder, "The first try.")
    grade(folder, ["essay"])
    tomorrow = time.time() + 86400
    for path in [*(folder / "autograded").rglob("*.ipynb"), *(folder / "feedback").rglob("*.html")]:
        os.utime(path, (tomorrow, tomorrow))
    hand_in_essay(folder, "The second try.")
    grade(folder, ["essay"])
    page = folder / "feedback/ada/essay/essay.html"
    assert "second try" in (folder / "autograded/ada/essay/essay.ipynb").read_text()
    assert "second try" in page.read_text()
    page.unlink()
    grade(folder, ["essay"])
    assert page.is_file()
    steps = []
    grade(folder, ["essay"], progress=steps.append)
    assert steps == []
