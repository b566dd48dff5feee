"""Property: a cluster gives the grades that this machine gives, also when a worker is killed while it judges."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
from here import HERE
from tiny_course.samples import MEAN, RIGHT, SQUARE, hand_in, notebook, wrong

pytest.importorskip("distributed")
pytest.importorskip("nbgrader")

import dask
import distributed

from gradschool_grader.absence import WorkersLost
from gradschool_grader.cluster import (
    ClusterMissing,
    OtherCode,
    SchedulerLost,
    cluster_pool,
    in_words,
    installed,
    places,
)
from gradschool_grader.course import load_course
from gradschool_grader.grading import judge_task
from gradschool_grader.journal import Journal
from gradschool_grader.sandbox import SandboxMissing
from gradschool_grader.teach import grade as grade_module
from gradschool_grader.teach.assign import settings
from gradschool_grader.teach.collect import collect
from gradschool_grader.teach.grade import grade
from gradschool_grader.teach.regrade import preview

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(os.name == "nt", reason="workers are killed by a signal"),
    pytest.mark.filterwarnings("default"),  # what Dask says about the worker that was killed
]


COURSE = "tiny_course:course"


def paths():
    """Where workers find the tiny course, and what this process was told."""
    return os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))


@contextlib.contextmanager
def workers(number, **options):
    """A scheduler and so many workers in processes of their own, able to import the tiny course."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setenv("PYTHONPATH", paths())
        warnings.simplefilter("default")  # Dask's own modules
        with distributed.LocalCluster(
            n_workers=number, threads_per_worker=1, dashboard_address=None, silence_logs=50, **options
        ) as made:
            yield made


@pytest.fixture(scope="module")
def cluster():
    with workers(2) as made:
        yield made


def class_of(folder, size):
    answers = [
        notebook(**RIGHT),
        notebook(square=wrong(SQUARE, "doubled")),
        notebook(moving_average=wrong(MEAN, "sum")),
    ]
    for number in range(size):
        hand_in(folder, f"s{number:02}", answers[number % 3])


@contextlib.contextmanager
def without_sandbox(client, workers):
    """Workers on which no mode holds."""

    def lose():
        from gradschool_grader import grading
        from gradschool_grader.sandbox import SandboxMissing

        def refuses(**wanted):
            raise SandboxMissing(f"mode {wanted['mode']} does not hold on this machine")

        grading.kept, grading.open_workers = grading.open_workers, refuses
        grading.workers_of.cache_clear()

    def find():
        from gradschool_grader import grading

        grading.open_workers = grading.kept
        grading.workers_of.cache_clear()

    client.run(lose, workers=workers)
    try:
        yield
    finally:
        client.run(find, workers=workers)


@contextlib.contextmanager
def with_other_code(client, workers=None):
    """Workers on which the course is another; without any named, all."""
    found = {**installed(COURSE), "tiny_course": "0a1b2c3d"}

    def older():
        from gradschool_grader import cluster

        cluster.kept, cluster.installed = cluster.installed, lambda place: found

    def newer():
        from gradschool_grader import cluster

        cluster.installed = cluster.kept

    client.run(older, workers=workers)
    try:
        yield
    finally:
        client.run(newer, workers=workers)


def tasks_of(folder):
    config, course = settings(folder), load_course(COURSE)
    return list(collect(folder, config, course.chapters, (), print, course))


def test_workers_below_the_wanted_mode_are_told_nothing(folder, cluster):
    """One of the two loses its sandbox before the run: every submission is judged by the other, in the wanted mode."""
    mode = next(iter(HERE.modes), "")
    class_of(folder, 6)
    with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
        losing, other = sorted(client.scheduler_info()["workers"])
        with without_sandbox(client, [losing]):
            summary = grade(folder, scheduler=cluster.scheduler_address, mode=mode, feedback=False)
    assert [j.student for j in summary.judged] == [f"s{n:02}" for n in range(6)]
    assert {j.worker for j in summary.judged} == {other}
    assert len({j.mode for j in summary.judged}) == 1
    assert mode in ("", summary.mode)
    ((worker, why),) = summary.refused.items()
    assert worker == losing
    assert why.endswith("does not hold on this machine")


def test_a_run_with_nothing_to_judge_asks_no_cluster(folder):
    hand_in(folder, "ada", notebook(**RIGHT))
    grade(folder, jobs=1, feedback=False)
    assert len(grade(folder, scheduler="tcp://127.0.0.1:1", feedback=False).judged) == 1


def test_without_any_worker_the_reason_that_they_have_in_common_is_said_once(cluster):
    with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
        both = sorted(client.scheduler_info()["workers"])
        said = rf"can hold submissions\.\n{', '.join(both)}: mode C does not hold on this machine$"
        refused = pytest.raises(SandboxMissing, match=said)
        with without_sandbox(client, both), refused, cluster_pool(cluster.scheduler_address, COURSE, mode="C"):
            pass


def test_a_worker_that_does_not_answer_is_told_from_one_that_refuses():
    assert in_words("!mode C does not hold") == "mode C does not hold"
    assert in_words(OSError("Stream is closed")) == "it could not be asked: Stream is closed"


def test_a_machine_is_known_by_its_name_if_all_of_its_workers_hold():
    found = {"tcp://10.0.0.1:1": "AB", "tcp://10.0.0.1:2": "AB", "tcp://10.0.0.2:1": "AB", "tcp://10.0.0.2:2": "!no",
             "tcp://10.0.0.3:1": OSError("gone")}  # fmt: skip
    assert places(found) == ["10.0.0.1", "tcp://10.0.0.2:1"]


def test_the_grades_are_the_local_ones_though_a_worker_is_killed(folder, cluster, tmp_path):
    class_of(folder, 12)
    Journal(folder).seed("ch01_tiny")
    here = Path(shutil.copytree(folder, tmp_path / "here"))
    expected = grade(here, jobs=1, feedback=False)
    killed = []

    def kill_one(step):
        if step.what == "judged" and step.done == 3:
            killed.append(cluster.workers[0].pid)
            os.kill(killed[0], signal.SIGKILL)

    summary = grade(folder, scheduler=cluster.scheduler_address, feedback=False, progress=kill_one)
    assert killed
    assert [v.essence for j in summary.judged for v in j.verdicts] == [
        v.essence for j in expected.judged for v in j.verdicts
    ]
    assert [j.student for j in summary.judged] == [f"s{n:02}" for n in range(12)]
    assert all(j.worker.startswith("tcp://") for j in summary.judged)
    assert all(j.mode for j in summary.judged)


def test_regrading_is_spread_over_the_cluster_too_and_tells_of_refused_workers(folder, cluster):
    class_of(folder, 3)
    grade(folder, jobs=1, feedback=False)
    with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
        client.wait_for_workers(2)
        losing, other = sorted(client.scheduler_info()["workers"])
        with without_sandbox(client, [losing]):
            seen = preview(folder, scheduler=cluster.scheduler_address, force=True)
    assert {judged.worker for judged in seen.judged} == {other}
    assert (len(seen.judged), seen.changes) == (3, [])
    assert list(seen.refused) == [losing]


def test_when_all_workers_went_the_run_ends_and_the_next_goes_on(folder):
    """The limit is none here: the first look that finds nobody ends the run."""
    class_of(folder, 8)
    with workers(1) as made:

        def lose_all(step):
            if step.what == "judged" and step.done == 2:
                made.scale(0)

        gone = pytest.raises(WorkersLost, match=rf"All workers of {made.scheduler_address} .*the same command\.$")
        with gone, pytest.MonkeyPatch.context() as patch:
            patch.setattr(grade_module, "AHEAD", 2)  # so that there is more to do when they go
            grade(folder, scheduler=made.scheduler_address, patience=0, feedback=False, progress=lose_all)
    steps = []
    assert len(grade(folder, jobs=1, feedback=False, progress=steps.append).judged) == 8
    assert 0 < sum(step.what == "judged" for step in steps) <= 6


def test_a_lost_scheduler_ends_the_run_with_a_sentence_and_costs_no_verdict(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(grade_module, "AHEAD", 2)  # so that there is more to hand over when it goes
    class_of(folder, 8)
    file, environment = tmp_path / "scheduler.json", {**os.environ, "PYTHONPATH": paths()}
    options = ["--scheduler-file", str(file), "--no-dashboard"]
    commands = [["dask_scheduler", "--host", "127.0.0.1", "--port", "0"], ["dask_worker", "--nthreads", "1"]]
    started = []
    try:
        for name, *more in commands:
            command = [sys.executable, "-m", f"distributed.cli.{name}", *more, *options]
            started.append(
                subprocess.Popen(command, env=environment, start_new_session=True, stderr=subprocess.DEVNULL)
            )
            while not (file.exists() and file.read_text().endswith("}")) and started[0].poll() is None:
                time.sleep(0.1)
        address = json.loads(file.read_text())["address"]

        def kill_scheduler(step):
            if step.what == "judged" and step.done == 1:
                os.kill(started[0].pid, signal.SIGKILL)

        with pytest.raises(SchedulerLost, match=f"{address} is gone.*give the same command"):
            grade(folder, scheduler=address, feedback=False, progress=kill_scheduler)
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    steps = []
    assert len(grade(folder, jobs=1, feedback=False, progress=steps.append).judged) == 8
    assert 0 < sum(step.what == "judged" for step in steps) < 8


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("nonsense", "missing port number"),
        ("http://127.0.0.1:8786", "begins with http://"),
        ("tls://127.0.0.1:8786", "distributed.comm.tls, names no certificates"),
        ("tcp://127.0.0.1:1", "Timed out"),
    ],
)
def test_what_is_no_scheduler_is_said_in_a_sentence(address, why):
    wanted = pytest.raises(ClusterMissing, match=rf"no scheduler at {address} .*{why}.*as in tcp://10\.0\.0\.1:8786")
    with wanted, cluster_pool(address, COURSE, seconds=0.5):
        pass


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    wanted = pytest.raises(ClusterMissing, match=r"needs the extra `cluster`: pip install 'gradschool\[cluster\]'")
    with wanted, cluster_pool("tcp://127.0.0.1:1", COURSE):
        pass


def test_a_scheduler_without_workers_says_how_to_start_some():
    with workers(0) as made:
        wanted = pytest.raises(ClusterMissing, match=f"has no workers .*`dask worker {made.scheduler_address}")
        with wanted, cluster_pool(made.scheduler_address, COURSE, seconds=0.5):
            pass


def test_a_worker_with_other_code_is_told_nothing(folder, cluster):
    """Grades must not depend on who judged: half of a class by an exercise as it was before it was mended."""

    class_of(folder, 4)
    with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
        behind, other = sorted(client.scheduler_info()["workers"])
        with with_other_code(client, [behind]):
            summary = grade(folder, scheduler=cluster.scheduler_address, feedback=False)
        refused = pytest.raises(SandboxMissing, match=f"{behind}, {other}: .*tiny_course 0a1b2c3d there and .* here.")
        with with_other_code(client), refused, cluster_pool(cluster.scheduler_address, COURSE):
            pass
    assert {j.worker for j in summary.judged} == {other}


def test_a_worker_that_got_other_code_in_the_middle_of_a_run_refuses(folder, cluster):
    """An update in mid-run: what was started again with it judges nothing, and its submissions stay undecided."""
    class_of(folder, 1)
    (task,) = tasks_of(folder)
    with cluster_pool(cluster.scheduler_address, COURSE) as pool:
        with with_other_code(pool.client):
            error = pool.submit(judge_task, task).exception()
        assert isinstance(error, OtherCode)
        assert pool.submit(judge_task, task).result().points == 7


def test_a_cluster_with_certificates_judges_over_tls(folder):
    """All three read Dask's configuration, and refuse whoever has no certificate."""
    file = str(Path(__file__).parent / "cluster.pem")
    names = {f"distributed.comm.tls.{role}.{part}": file
             for role in ("scheduler", "worker", "client") for part in ("cert", "key")}  # fmt: skip
    class_of(folder, 3)
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set({"distributed.comm.tls.ca-file": file, **names}))
        made = stack.enter_context(workers(1, protocol="tls://", security=distributed.Security()))
        summary = grade(folder, scheduler=made.scheduler_address, feedback=False)
        with pytest.raises(ClusterMissing), cluster_pool(made.scheduler_address.replace("tls", "tcp"), COURSE):
            pass
    assert [judged.points for judged in summary.judged] == [7, 0, 0]
    assert all(judged.worker.startswith("tls://") for judged in summary.judged)
