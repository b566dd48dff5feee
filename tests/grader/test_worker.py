# Property: a portable worker answers, prints without polluting, and a loop, a crash or a forger costs only itself.
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from gradschool_grader.contract import (
    Infrastructure,
    Limits,
    WorkerDied,
    WorkerTampered,
    WorkerTimedOut,
)
from gradschool_grader.inside.wire import packed
from gradschool_grader.worker import SubprocessWorkers, command, environment, reason_of

MODULES = {"gradschool": "from gradschool.parts import tau", "gradschool.parts": "tau = 6.25"}
HELPERS = "import gradschool\nHELPERS = {'times': lambda k: lambda x: k * gradschool.tau * x}"


@pytest.fixture
def workers():
    with SubprocessWorkers(HELPERS, MODULES, ["matplotlib", "IPython"]) as workers:
        yield workers


def run(worker, source):
    reply = worker.request({"op": "run", "cells": [[1, source]]}, 20)
    assert reply == {"cells": [[1, None]]}


def call(worker, name, *args, seconds=20):
    return worker.request({"op": "call", "target": name, "args": list(args), "kwargs": {}}, seconds)


def after(workers, source, *args, seconds=20):
    """What f(*args) answers in a fresh worker that ran the source."""
    with workers.fresh() as worker:
        run(worker, source)
        return call(worker, "f", *args, seconds=seconds)


def test_a_defined_function_is_called(workers):
    x = np.random.default_rng(1).normal(size=(3, 5))
    np.testing.assert_array_equal(after(workers, "def f(x): return x.T * 3", x)["value"], x.T * 3)


def test_ten_mebibytes_travel_both_ways(workers):
    x = np.random.default_rng(2).normal(size=10 << 17)
    np.testing.assert_array_equal(after(workers, "def f(x): return -x", x)["value"], -x)


def test_public_modules_and_helpers_are_there(workers):
    from gradschool_grader.inside.values import Helper

    source = "from gradschool import tau\nimport gradschool.parts\ndef f(g): return g(tau + gradschool.parts.tau)"
    assert after(workers, source, Helper("times", {"k": 2.0}))["value"] == 2.0 * 6.25 * 12.5


def test_placeholders_accept_what_definitions_do_with_them(workers):
    source = """
import matplotlib.pyplot as plt
from matplotlib.animation import FuncAnimation
from IPython.display import display, HTML
class Movie(FuncAnimation): speed = 3
@plt.style
def kept(x): return x
with plt.rc_context({"a": 1}) as context:
    plt.rcParams["figure.dpi"] = 100
    axes = plt.figure().add_subplot(111)
    axes.plot([1])[0].set(color="red"); axes.title = HTML("x") + "y"
    for line in axes.lines: raise ValueError
def f(): return kept(Movie.speed)
"""
    assert after(workers, source)["value"] == 3


def test_packages_of_the_installation_cannot_be_imported(workers):
    """Not the reference, not the judge, not anything beside NumPy; what is public replaces what is installed."""
    source = """
def f():
    found = []
    for name in ("gradschool.losses", "gradschool_course", "gradschool_grader", "gradschool_data", "pytest"):
        try: __import__(name); found.append(name)
        except ImportError: pass
    return found
"""
    assert after(workers, source)["value"] == []


def test_the_environment_carries_nothing_of_ours(workers, monkeypatch):
    monkeypatch.setenv("GRADSCHOOL_SECRET", "17")
    names = after(workers, "import os\ndef f(): return sorted(os.environ)")["value"]
    # the system's own loader may add a name, ours are known
    assert "GRADSCHOOL_SECRET" not in names
    assert set(environment()) - {"LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} <= set(names)


def test_prints_of_all_kinds_go_elsewhere(workers):
    """Python's and the descriptor's own output, buffered before and after, never reach the reply."""
    source = """
import os, sys
sys.__stdout__.write("python's ")
os.write(1, b"descriptor's ")
def f():
    os.write(2, b"error's")
    sys.__stdout__.write("unfinished")
    return 3.0
"""
    with workers.fresh() as worker:
        run(worker, source)
        assert call(worker, "f")["value"] == 3.0
        assert call(worker, "f")["value"] == 3.0
        worker.close()
        assert "descriptor's " in worker.printed
        assert "error's" in worker.printed
        assert "python's " in worker.printed
        assert "unfinished" in worker.printed


def test_a_flood_is_capped_and_printing_much_is_no_error(workers):
    with workers.fresh() as worker:
        run(worker, "import sys\ndef f():\n for _ in range(300): print('x' * 9999, file=sys.__stdout__)\n return 3.0")
        assert call(worker, "f")["value"] == 3.0
        worker.close()
        assert len(worker.printed) <= 1 << 16


MANY = """
import numpy as np
def f(): return np.ones(30 << 20, np.uint8)
"""


def answers_to(worker, calls):
    asked = [{"target": "f", "args": [], "kwargs": {}, "number": n, "needs": []} for n in range(calls)]
    frames = worker.request_all(packed({"op": "calls", "calls": asked}), calls, lambda: 20)
    return [frame.tree for frame in frames]


def test_all_answers_together_hold_as_much_as_one_may(workers):
    """Each further one is told to be too much: nobody keeps a hundred times 64 MiB."""
    with workers.fresh() as worker:
        run(worker, MANY)
        first, second, *others = answers_to(worker, 5)
    assert first["value"].nbytes == second["value"].nbytes == 30 << 20
    assert [(reply["value"], reply["error"]) for reply in others] == [(None, "Unsendable")] * 3
    assert "more than 64 MiB" in others[0]["message"]


def test_whoever_sends_more_than_that_is_no_worker_of_ours(workers):
    with workers.fresh() as worker:
        run(worker, MANY + "from inside import serve\nserve.PAYLOAD_CAP = 1 << 40")
        with pytest.raises(WorkerTampered, match="more replies"):
            answers_to(worker, 5)


def test_an_endless_loop_ends_at_its_deadline(workers):
    source = "import signal\nfor s in (2, 15): signal.signal(s, signal.SIG_IGN)\ndef f():\n while True: pass"
    started = time.monotonic()
    with workers.fresh() as worker:
        run(worker, source)
        started = time.monotonic()
        with pytest.raises(WorkerTimedOut) as late:
            call(worker, "f", seconds=0.5)
        assert late.value.outcome == "timeout"
        assert time.monotonic() - started >= 0.5
        with pytest.raises(Infrastructure, match="fresh"):
            call(worker, "f")


DEATHS = {
    "exit code 3": "import os\ndef f(): os._exit(3)",
    "segmentation fault": "import ctypes\ndef f(): ctypes.string_at(0)",
    "aborted": "import os\ndef f(): os.abort()",
    "killed": "import os, signal\ndef f(): os.kill(os.getpid(), 9)",
}


@pytest.mark.skipif(sys.platform == "win32", reason="the reasons are POSIX signals")
@pytest.mark.parametrize("reason", DEATHS)
def test_a_crash_says_what_it_was(reason, workers):
    with pytest.raises(WorkerDied) as died:
        after(workers, DEATHS[reason])
    assert died.value.reason == reason
    assert died.value.outcome == "died"


def test_return_codes_have_words():
    assert reason_of(-11) == "segmentation fault"
    assert reason_of(-60) == "signal 60"
    assert reason_of(0) == "exit code 0"
    assert reason_of(0xC0000005) == "segmentation fault"


FORGERS = {
    "a byte": "os.write(fd, b'x')",
    "a frame that says passed": "os.write(fd, wire.PREFIX.pack(b'GSW1', 5, 17, 0) + b'{\"d\":[[\"ok\",1]]} ')",
    "a giant header": "os.write(fd, wire.PREFIX.pack(b'GSW1', 5, 2**31, 2**62))",
    "an end": "os.closerange(3, 64); time.sleep(60)",
}


@pytest.mark.skipif(sys.platform == "win32", reason="finds the channel by POSIX descriptors")
@pytest.mark.parametrize("name", FORGERS)
def test_a_forger_is_tampering(name, workers):
    source = f"import os, stat, sys, time\nwire = sys.modules['inside.wire']\ndef f():\n for fd in range(3, 12):\n  try:\n   {FORGERS[name]}\n  except OSError: pass"  # noqa: E501
    with workers.fresh() as worker:
        run(worker, source)
        with pytest.raises(WorkerTampered):
            [call(worker, "f") for _ in range(2)]  # the first reply may be ahead of the forged bytes


def test_what_cannot_travel_is_an_ordinary_answer(workers):
    reply = after(workers, "def f(): return 1 << 5000")
    assert reply["error"] == "Unsendable"
    assert "type int which cannot be compared" in reply["message"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no RLIMIT_AS")
def test_a_memory_bomb_is_a_memory_error():
    workers = SubprocessWorkers(limits=Limits(memory=1 << 30))
    reply = after(workers, "import numpy as np\ndef f(): return [np.ones(1 << 27) for _ in range(64)]")
    expected = "MemoryError" if sys.platform == "linux" else reply["error"]  # macOS does not hold RLIMIT_AS
    assert expected in (reply["error"], *reply["kinds"])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_children_of_a_submission_end_with_it(workers, tmp_path):
    """A daemon that would write later never writes."""
    late = tmp_path / "late"
    source = f"import os, time\ndef f():\n if os.fork() == 0:\n  time.sleep(1.5); open({str(late)!r}, 'w'); os._exit(0)"
    after(workers, source)
    time.sleep(2)
    assert not late.exists()


def test_a_mistake_in_public_code_is_infrastructure():
    with pytest.raises(Infrastructure, match="ZeroDivisionError") as failed:
        SubprocessWorkers(helpers="1 / 0").fresh()
    assert failed.value.outcome == "infrastructure"


def test_it_works_where_there_is_neither_fork_nor_fcntl_nor_resource():
    """As on Windows: these are taken away before anything of ours is imported, also the sandbox's modules."""
    script = """
import multiprocessing, subprocess, sys, os, signal, select, socket, tempfile, threading
for name in ("fcntl", "resource", "termios", "pty", "grp", "pwd"): sys.modules[name] = None
for name in ("fork", "forkpty", "pipe2", "waitid", "setsid", "memfd_create", "readv", "geteuid", "register_at_fork"):
    if hasattr(os, name): delattr(os, name)
for name in ("pidfd_send_signal", "SIGKILL"):
    if name != "SIGKILL" and hasattr(signal, name): delattr(signal, name)
if hasattr(select, "poll"): del select.poll
if hasattr(socket, "AF_UNIX"): del socket.send_fds, socket.recv_fds
import gradschool_grader.probe
from gradschool_grader.worker import SubprocessWorkers
from gradschool_grader.contract import WorkerTimedOut
with SubprocessWorkers().fresh() as worker:
    worker.request({"op": "run", "cells": [[1, "def f(x): return 2 * x\\ndef g():\\n while True: pass"]]}, 20)
    print(worker.request({"op": "call", "target": "f", "args": [4.0], "kwargs": {}}, 20)["value"])
    try: worker.request({"op": "call", "target": "g", "args": [], "kwargs": {}}, 0.2)
    except WorkerTimedOut: print("late")
"""
    paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, env=os.environ | paths
    )
    assert done.stdout.split() == ["8.0", "late"], done.stderr


def test_nothing_stays_open():
    """Descriptors and threads of a used worker are gone."""
    import threading

    def grown(before, now):
        return any(then < since for then, since in zip(before, now, strict=True))

    def used():
        return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0, threading.active_count()

    with SubprocessWorkers() as workers:
        workers.fresh().close()
        before = used()  # the first one's reader may still be ending: what counts is that nothing is added
        for _ in range(3):
            workers.fresh().close()
        until = time.monotonic() + 60
        while grown(before, used()) and time.monotonic() < until:
            time.sleep(0.05)
        assert not grown(before, used())


def test_the_command_names_no_site_packages():
    assert {"-S", "-P", "-s"} <= set(command("serve"))
