"""Property: a cluster gives the grades that this machine gives, also when a worker is killed while it judges."""

import os
import shutil
import signal
import warnings
from pathlib import Path

import pytest
from tiny_course.samples import MEAN, RIGHT, SQUARE, hand_in, notebook, wrong

pytest.importorskip("distributed")
pytest.importorskip("nbgrader")

import distributed

from gradschool_grader.cluster import cluster_pool
from gradschool_grader.journal import Journal
from gradschool_grader.sandbox import SandboxMissing
from gradschool_grader.teach.grade import grade

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(os.name == "nt", reason="workers are killed by a signal"),
    pytest.mark.filterwarnings("default"),  # what Dask says about the worker that was killed
]


@pytest.fixture(scope="module")
def cluster():
    """Two workers in processes of their own, able to import the tiny course."""
    paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
        warnings.simplefilter("default")  # Dask's own modules
        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as made:
            yield made


def class_of(folder, size):
    answers = [
        notebook(**RIGHT),
        notebook(square=wrong(SQUARE, "doubled")),
        notebook(moving_average=wrong(MEAN, "sum")),
    ]
    for number in range(size):
        hand_in(folder, f"s{number:02}", answers[number % 3])


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


def test_workers_below_the_wanted_mode_are_refused_with_the_reason(cluster):
    with (
        pytest.raises(SandboxMissing, match=r"can hold submissions: .*no course `nowhere`"),
        cluster_pool(cluster.scheduler_address, "nowhere"),
    ):
        pass
