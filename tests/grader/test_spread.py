"""Property: every task comes to exactly one end, however often a pool dies, and few are handed over at a time."""

import contextlib
import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import BrokenExecutor, Executor, Future
from concurrent.futures.process import BrokenProcessPool

import pytest

from gradschool_grader.grading import own_pool
from gradschool_grader.spread import TRIES, spread


class Mortal(Executor):
    """Answers at once; the pool dies while it does a task that is in `deadly`, as often as that says."""

    def __init__(self, deadly):
        self.deadly, self.dead, self.most = deadly, False, 0

    def submit(self, fn, /, *args, **kwargs):
        if self.dead:
            raise BrokenProcessPool("dead before")
        future = Future()
        if self.deadly.get(args[0], 0):
            self.deadly[args[0]] -= 1
            self.dead = True
            future.set_exception(BrokenProcessPool("died of it"))
        else:
            future.set_result(fn(*args, **kwargs))
        return future


def run(deadly, count=31, ahead=5):
    pools = []

    def opened():
        pools.append(Mortal(deadly))
        return contextlib.nullcontext(pools[-1])

    return list(spread(range(count), opened, lambda n: n * n, ahead)), pools


def test_each_task_once_without_deaths():
    ends, pools = run({})
    assert sorted((task, future.result()) for task, future in ends) == [(n, n * n) for n in range(31)]
    assert len(pools) == 1


@pytest.mark.parametrize("deadly", [{0: 1}, {30: 1}, {3: 2, 4: 1, 17: 3}])
def test_what_was_under_way_when_a_pool_died_is_done_by_the_next(deadly):
    deaths = sum(deadly.values())
    ends, pools = run(dict(deadly))
    assert sorted((task, future.result()) for task, future in ends) == [(n, n * n) for n in range(31)]
    assert len(pools) == deaths + 1


def test_what_always_kills_is_given_up_and_the_others_are_done():
    ends, pools = run({7: 10**6})
    failed = [task for task, future in ends if isinstance(future.exception(), BrokenProcessPool)]
    assert failed == [7]
    assert sorted(task for task, _ in ends) == list(range(31))
    assert len(pools) == TRIES + 1


def test_a_pool_that_takes_nothing_is_an_error_and_no_endless_loop():
    pool = Mortal({})
    pool.dead = True
    with pytest.raises(BrokenExecutor, match="takes no task"):
        list(spread(range(3), lambda: contextlib.nullcontext(pool), abs, 2))


def test_silence_is_told_and_can_end_the_run():
    """Nothing finishes but what `quiet` finishes, at its second call; at its third it has enough."""
    handed, calls = [], itertools.count(1)

    class Silent(Executor):
        def submit(self, fn, /, *args, **kwargs):
            handed.append(Future())
            return handed[-1]

    def quiet():
        call = next(calls)
        if call == 2:
            handed[1].set_result("late")
        if call == 3:
            raise TimeoutError("enough")

    ends = spread("abc", lambda: contextlib.nullcontext(Silent()), str.upper, 2, quiet, pause=0.001)
    task, future = next(ends)
    assert (task, future.result()) == ("b", "late")
    with pytest.raises(TimeoutError, match="enough"):
        next(ends)
    assert [future.cancelled() for future in handed] == [True, False, True]


def test_few_tasks_are_under_way_at_a_time_and_no_more_are_taken():
    open_now, most, taken = set(), 0, []

    def tasks():
        for number in range(200):
            taken.append(number)
            yield number

    class Slow(Executor):
        def submit(self, fn, /, *args, **kwargs):
            nonlocal most
            future = Future()
            open_now.add(args[0])
            most = max(most, len(open_now))
            future.set_result(args[0])
            return future

    for task, _ in spread(tasks(), lambda: contextlib.nullcontext(Slow()), abs, 7):
        open_now.discard(task)
        assert len(taken) <= 7 * (task // 7 + 1) + 1  # one more, to know that there is one
    assert (most, len(taken)) == (7, 200)


def test_a_pool_that_broke_while_a_process_was_being_started_ends_all_the_same():
    """The executor tells all processes to end that it knows when one is killed, and waits for one that came after."""
    ended = []

    def run():
        with own_pool(1) as pool:
            late = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(1e6,))
            late.start()
            ends = [lambda: None, late.terminate]
            late.terminate = lambda: ends.pop(0)()
            killed = pool.submit(os.getpid).result()
            pool._processes[late.pid] = late
            last = pool.submit(time.sleep, 1e6)
            os.kill(killed, signal.SIGKILL)
            with pytest.raises(BrokenProcessPool):
                last.result()
        late.join()
        ended.append(late.exitcode)

    block = threading.Thread(target=run, daemon=True)
    block.start()
    block.join(120)
    assert ended


LEFT = """
import sys, time
from gradschool_grader.grading import own_pool

if __name__ == "__main__":
    with own_pool(1) as pool:
        pool.submit(time.sleep, 1e6 if sys.argv[1] else 0.0)
        sizes = [pool.submit(len, bytes(10**7)) for _ in range(3)]
        if sys.argv[1]:
            raise SystemExit("left")
        print([size.result() for size in sizes])
"""


@pytest.mark.parametrize("interrupted", ["yes", ""])
def test_a_pool_is_left_though_tasks_larger_than_a_pipe_wait(tmp_path, interrupted):
    """As with Ctrl-C: nothing must wait for a worker that was ended. (Until Python 3.11.4 its own executor did.)"""
    (tmp_path / "left.py").write_text(LEFT)
    command = [sys.executable, tmp_path / "left.py", interrupted]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == bool(interrupted)
    assert done.stderr.strip() == ("left" if interrupted else "")
