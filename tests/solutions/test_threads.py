"""Work that is shared out is done once each, on as many threads as BLAS may use, and in a forked process as well."""

import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from gradschool.ops import threads
from gradschool.ops.threads import OneBeside, each


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


def test_what_is_done_beside_is_done_in_order_at_the_same_time_as_the_rest(three):
    begun, done = threading.Event(), []

    def first():
        begun.set()
        done.append((0, threading.current_thread() is threading.main_thread()))

    with OneBeside() as beside:
        beside(first)
        assert begun.wait(60)  # though nobody has waited for it
        for i in range(1, 20):
            beside(lambda i=i: done.append((i, None)))
    assert done[0] == (0, False)
    assert [i for i, _ in done] == list(range(20))


@pytest.mark.parametrize("why", ["one thread", "not worth it", "no thread can be started"])
def test_what_has_no_other_thread_is_done_at_once(monkeypatch, why):
    monkeypatch.setattr(threads, "blas_threads", lambda: 1 if why == "one thread" else 2)
    monkeypatch.setattr(threads, "helpers_at", lambda f, n: [])
    done = []
    with OneBeside(worth=why != "not worth it") as beside:
        beside(lambda: done.append(1))
        assert done == [1]


def test_what_nobody_has_begun_is_done_by_whoever_waits_for_it(three, monkeypatch):
    monkeypatch.setattr(threads, "helpers_at", lambda f, n: [threads.Work(f)])
    done = []
    with OneBeside() as beside:
        beside(lambda: done.append(1))
        beside(lambda: done.append(2))
        assert done == [1]
    assert done == [1, 2]


@pytest.mark.parametrize("calls", [1, 2])
def test_an_exception_beside_is_raised_by_the_next_call_or_at_the_end(three, calls):
    before = threads.SingleBlas.count

    def fail():
        raise ValueError("as expected")

    def run():
        with OneBeside() as beside:
            for f in [fail, lambda: done.append(1)][:calls]:
                beside(f)

    done = []
    with pytest.raises(ValueError, match="as expected"):
        run()
    assert not done
    assert threads.SingleBlas.count == before


def test_there_are_as_many_as_blas_may_use_now():
    with threadpool_limits(1, user_api="blas"):
        assert threads.blas_threads() == 1
    with threadpool_limits(2, user_api="blas"):
        allowed = [library["num_threads"] for library in threadpool_info() if library["internal_api"] == "openblas"]
        assert threads.blas_threads() in (allowed or [1])


@pytest.mark.parametrize(("asked", "kernels", "quick"), [(1, True, True), (2, True, False), (1, False, False)])
def test_small_products_are_quick_in_one_thread_if_there_are_kernels_for_them(monkeypatch, asked, kernels, quick):
    monkeypatch.setattr(threads, "question", lambda: lambda: asked)
    monkeypatch.setattr(threads, "small_kernels", lambda: kernels)
    assert threads.quick_if_small() is quick


def test_where_blas_is_alone_nothing_else_is_shared_out():
    with threadpool_limits(2, user_api="blas"):
        before = threads.blas_threads()
        with threads.BlasAlone():
            assert threads.blas_threads() == 1
            assert threads.question()() == before
        assert threads.blas_threads() == before


def test_a_blas_that_cannot_be_asked_gets_one(monkeypatch):
    monkeypatch.setattr(threads, "found", lambda *names: None)
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


def test_blas_has_one_thread_while_others_work_and_then_as_many_as_before():
    with threadpool_limits(2, user_api="blas"):
        before, seen = threads.blas_threads(), []
        each(lambda i: seen.append((threads.blas_threads(), threads.question()())), range(4))
        assert seen == [(1, 1)] * 4  # so that nobody shares out a share
        assert threads.blas_threads() == threads.question()() == before
        with pytest.raises(ZeroDivisionError):
            each(lambda i: 1 / i, range(3))
        assert threads.blas_threads() == threads.question()() == before


def test_within_single_blas_threads_may_be_as_many_as_blas_had():
    with threadpool_limits(2, user_api="blas"):
        before = threads.blas_threads()
        with threads.SingleBlas(), threads.SingleBlas():
            assert threads.blas_threads() == before
            assert threads.question()() == 1
        assert threads.question()() == before


def test_whoever_leaves_last_gives_blas_its_threads_back():
    with threadpool_limits(2, user_api="blas"):
        before, entered, leave = threads.question()(), threading.Event(), threading.Event()

        def other():
            with threads.SingleBlas():
                entered.set()
                leave.wait(60)

        thread = threading.Thread(target=other)
        thread.start()
        entered.wait(60)
        with threads.SingleBlas():
            leave.set()
            thread.join()
            assert threads.question()() == 1
        assert threads.question()() == before


@pytest.mark.parametrize(("n", "most", "sizes"), [(0, 3, []), (1, 3, [1]), (3, 3, [1, 1, 1]), (7, 3, [3, 3, 1])])
def test_shares_are_all_there_is_and_nothing_twice(three, n, most, sizes):
    for parts in (threads.shares(n), threads.shares(n, most)):
        assert [part.stop - part.start for part in parts] == sizes
        assert [i for part in parts for i in range(part.start, part.stop)] == list(range(n))


def test_a_number_of_threads_that_is_set_meanwhile_stays():
    with threadpool_limits(2, user_api="blas"):
        with threads.SingleBlas():
            threads.setting()(3)
        assert threads.question()() == (3 if threads.question() is not threads.unknown else 1)


AT_THE_END = """
import threading
import numpy as np
from gradschool.ops import threads
threads.blas_threads = lambda: 2
done = []
def late():
    main.join()
    threads.each(done.append, range(5))
    print(sorted(done), flush=True)
main = threading.main_thread()
threading.Thread(target=late).start()
"""

FORKED_WITHIN = """
import os, sys, threading
from gradschool.ops import threads
entered, leave = threading.Event(), threading.Event()
threads.setting()(2)
def other():
    with threads.SingleBlas():
        entered.set()
        leave.wait(60)
threading.Thread(target=other).start()
entered.wait(60)
child = os.fork()
if child == 0:
    with threads.SingleBlas():
        pass
    os._exit(threads.question()() != (1 if threads.question() is threads.unknown else 2))
leave.set()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


INTERRUPTED = """
import random, signal
import numpy as np
import gradschool as gs
from gradschool.ops import threads
from gradschool.ops.threads import OneBeside, SingleBlas, each
threads.setting()(2)
before = threads.question()()
def interrupt(*_):
    raise KeyboardInterrupt
signal.signal(signal.SIGALRM, interrupt)
chance, x = random.Random(0), np.ones(20000)
def work():
    while True:
        each(lambda i: np.exp(x), range(4))
        with OneBeside() as beside:
            for _ in range(4):
                beside(lambda: np.exp(x))
for _ in range(400):
    try:
        signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.0002, 0.004), 0.05)
        work()
    except KeyboardInterrupt:
        pass
    signal.setitimer(signal.ITIMER_REAL, 0)
done = []
each(done.append, range(50))
kept = threads.question()() == before, threads.shared.get()
print(sorted(done) == list(range(50)), SingleBlas.count, *kept, flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers on this system")
def test_interrupts_leave_nothing_locked_and_give_everything_back():
    """However often somebody stops what runs: work is done afterwards, BLAS has its threads, and the process ends."""
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "True 0 True False\n", done.stderr


def test_a_thread_that_outlives_the_program_does_its_work_alone():
    done = subprocess.run([sys.executable, "-c", AT_THE_END], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "[0, 1, 2, 3, 4]\n", done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_process_forked_while_others_compute_has_blas_as_it_was():
    done = subprocess.run([sys.executable, "-c", FORKED_WITHIN], capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
