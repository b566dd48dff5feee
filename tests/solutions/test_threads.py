"""Work that is shared out is done once each, on as many threads as BLAS may use, and in a forked process as well."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from gradschool.ops import threads
from gradschool.ops.threads import each


@pytest.fixture
def three(monkeypatch):
    monkeypatch.setattr(threads, "blas_threads", lambda: 3)


def test_every_item_is_done_once_and_threads_work_at_the_same_time(three):
    meeting, done = threading.Barrier(3, timeout=60), []

    def f(i):
        if i < 3:
            meeting.wait()  # passed only if three are here at once
        done.append(i)

    each(f, range(50))
    assert sorted(done) == list(range(50))


@pytest.mark.parametrize("number", [0, 1])
def test_a_single_item_starts_no_thread(three, monkeypatch, number):
    monkeypatch.setattr(threads, "helper_threads", None)
    done = []
    each(done.append, range(number))
    assert done == list(range(number))


def test_an_exception_is_raised_when_all_have_ended(three):
    running = []

    def f(i):
        running.append(i)
        try:
            if i % 4 == 1:
                raise ValueError(f"no {i}")
        finally:
            running.remove(i)

    with pytest.raises(ValueError, match="no "):
        each(f, range(20))
    assert not running


def test_helpers_see_how_numpy_treats_errors(three):
    meeting, found = threading.Barrier(3, timeout=60), []

    def f(i):
        meeting.wait()
        found.append(np.geterr()["over"])

    with np.errstate(over="raise"):
        each(f, range(3))
    assert found == ["raise"] * 3


def test_there_are_as_many_as_blas_may_use_now():
    with threadpool_limits(1, user_api="blas"):
        assert threads.blas_threads() == 1
    with threadpool_limits(2, user_api="blas"):
        allowed = [library["num_threads"] for library in threadpool_info() if library["internal_api"] == "openblas"]
        assert threads.blas_threads() in (allowed or [1])


@pytest.mark.parametrize(("asked", "alone"), [(lambda: 1, True), (lambda: 2, False), (threads.unknown, False)])
def test_one_thread_of_openblas_is_not_one_of_a_blas_that_cannot_be_asked(monkeypatch, asked, alone):
    monkeypatch.setattr(threads, "question", lambda: asked)
    assert threads.one_openblas_thread() is alone


def test_a_blas_that_cannot_be_asked_gets_one(monkeypatch):
    monkeypatch.setattr(threads, "QUESTIONS", ())
    threads.question.cache_clear()
    try:
        assert threads.blas_threads() == 1
    finally:
        threads.question.cache_clear()


FORKED = """
import os, sys
import numpy as np
import gradschool as gs
from gradschool.ops import threads
assert threads.helper_threads.cache_info().currsize == 0
threads.blas_threads = lambda: 2
rng = np.random.default_rng(0)
X, W = rng.normal(size=(200, 12, 12, 8)), rng.normal(size=(3, 3, 8, 8))
before = gs.conv(X, W)
assert threads.helper_threads.cache_info().currsize == 1
child = os.fork()
if child == 0:
    os._exit(0 if np.array_equal(gs.conv(X, W), before) else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_nothing_is_started_at_import_and_a_forked_process_has_threads_of_its_own():
    subprocess.run([sys.executable, "-c", FORKED], check=True, timeout=120)
