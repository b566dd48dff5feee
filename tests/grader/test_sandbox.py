# Property: nothing that a submission does reaches outside its child, in every mode that this machine has.
import ctypes.util
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from here import HERE

import gradschool
import gradschool_grader
from gradschool_grader import probe as probing
from gradschool_grader.contract import (
    Infrastructure,
    Limits,
    WorkerDied,
    WorkerTampered,
    WorkerTimedOut,
)
from gradschool_grader.inside.canary import ATTEMPTS
from gradschool_grader.inside.values import Helper
from gradschool_grader.inside.wire import Closed
from gradschool_grader.probe import open_workers, probe
from gradschool_grader.sandbox import LAYERS, Sandbox, SandboxMissing, Zygote
from gradschool_grader.worker import SubprocessWorkers

MODES = [mode for mode in HERE.modes if mode != "C"]  # those in which workers are forked, on this machine
EVERY = list(HERE.modes)
LINUX = sys.platform == "linux"
WORLD = {
    "modules": {"gradschool": "tau = 6.25"},
    "placeholders": ["matplotlib"],
    "helpers": "import sys\nsys.__stdout__.write('loud at import')\nHELPERS = {'times': lambda k: lambda x: k * x}",
    "limits": Limits(memory=1 << 29),
}
LIBRARY = Path(gradschool.__file__)  # the reference, where it is installed
GRADER = Path(gradschool_grader.__file__)


@pytest.fixture(scope="module", params=MODES)
def sandbox(request):
    with Sandbox(**WORLD, mode=request.param) as sandbox:
        yield sandbox


@pytest.fixture(scope="module", params=EVERY)
def any_sandbox(request):
    with Sandbox(**WORLD, mode=request.param) as sandbox:
        yield sandbox


@pytest.fixture(scope="module", params=["process", *EVERY])
def workers(request):
    if request.param == "process":
        yield SubprocessWorkers(**WORLD)
        return
    with Sandbox(**WORLD, mode=request.param) as sandbox:
        yield sandbox


def ask(worker, source, *args, seconds=20):
    """What f(*args) answers, f being defined by the source."""
    assert worker.request({"op": "run", "cells": [[1, source]]}, seconds) == {"cells": [[1, None]]}
    return worker.request({"op": "call", "target": "f", "args": list(args), "kwargs": {}}, seconds)


def after(workers, source, *args, seconds=20):
    with workers.fresh() as worker:
        return ask(worker, source, *args, seconds=seconds)


def attempt(workers, expression, **names):
    """What becomes of one expression in which the usual modules are known: its value or the kind of its error."""
    source = (
        "import ctypes, errno, fcntl, gc, importlib, os, resource, signal, socket, sys, threading\nimport numpy as np"
    )
    given = "".join(f"\n{name} = {value!r}" for name, value in names.items())
    reply = after(workers, f"{source}{given}\nlibc = ctypes.CDLL(None, use_errno=True)\ndef f(): return {expression}")
    return reply.get("error") or reply["value"]


# ------------------------------------------------------------------------------------------------------ honest work
def test_honest_work_is_done(workers):
    """GEMM, random numbers, factorisations, public code, helpers and placeholders, all behind the locks."""
    source = """
import numpy as np, matplotlib.pyplot as plt
from gradschool import tau
def f(x, g):
    rng = np.random.default_rng(3)
    q, r = np.linalg.qr(x.T @ x + np.eye(x.shape[1]))
    return {"gram": x.T @ x, "again": q @ r, "draw": rng.normal(size=3), "fft": np.abs(np.fft.fft(x[0])), "g": g(tau)}
"""
    x = np.random.default_rng(1).normal(size=(301, 203))
    value = after(workers, source, x, Helper("times", {"k": 2.0}))["value"]
    np.testing.assert_allclose(value["gram"], x.T @ x, rtol=1e-12, atol=1e-10)
    np.testing.assert_allclose(value["again"], x.T @ x + np.eye(203), rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(value["draw"], np.random.default_rng(3).normal(size=3))
    np.testing.assert_allclose(value["fft"], np.abs(np.fft.fft(x[0])), rtol=1e-12)
    assert value["g"] == 12.5


def test_modules_that_were_not_loaded_before_are_imported_behind_the_locks(workers):
    names = ("xml.dom.minidom", "numpy.lib.recfunctions", "html.parser", "colorsys", "graphlib")
    source = f"import importlib, sys\ndef f(): return [n for n in {names} if n in sys.modules or not importlib.import_module(n)]"  # noqa: E501
    assert after(workers, source)["value"] == []


def test_null_can_be_written(workers):
    assert after(workers, "import os\ndef f():\n with open(os.devnull, 'w') as file: return file.write('abc')")[
        "value"
    ] == (3)


def test_a_start_that_prints_does_not_pollute_the_first_reply(workers):
    assert after(workers, "def f(): return 3.0")["value"] == 3.0


def test_one_submission_leaves_nothing_for_the_next(workers):
    patch = "import numpy, builtins, sys\nnumpy.mean = lambda x: 42.0\nbuiltins.mine = 1\nsys.modules['left'] = sys\ndef f(): return numpy.mean([1.0])"  # noqa: E501
    assert after(workers, patch)["value"] == 42.0
    clean = "import numpy, builtins, sys\ndef f(): return [numpy.mean([1.0, 2.0]), hasattr(builtins, 'mine'), 'left' in sys.modules]"  # noqa: E501
    assert after(workers, clean)["value"] == [np.asarray(1.5), False, False]


def test_sets_have_the_same_order_in_every_worker(workers):
    source = "def f(): return list({str(i) for i in range(99)})"
    assert after(workers, source)["value"] == after(workers, source)["value"]


# ------------------------------------------------------------------------------------- what ends or breaks a worker
FATAL = {
    "loop that ignores signals": (
        "import signal\nfor s in (1, 2, 3, 15): signal.signal(s, signal.SIG_IGN)\ndef f():\n while True: pass",
        WorkerTimedOut,
    ),
    "loop that catches everything": (
        "def f():\n while True:\n  try:\n   while True: pass\n  except BaseException: pass",
        WorkerTimedOut,
    ),
    "long sleep": ("import time\ndef f(): time.sleep(1e6)", WorkerTimedOut),
    "exit": ("import os\ndef f(): os._exit(0)", WorkerDied),
    "abort": ("import os\ndef f(): os.abort()", WorkerDied),
    "segfault by reading": ("import ctypes\ndef f(): ctypes.string_at(0)", WorkerDied),
    "segfault by writing": ("import ctypes\ndef f(): ctypes.memset(8, 1, 1 << 20)", WorkerDied),
    "alarm": ("import signal, time\ndef f():\n signal.setitimer(signal.ITIMER_REAL, 0.05)\n time.sleep(9)", WorkerDied),
    "kill of itself": ("import os\ndef f(): os.kill(os.getpid(), 9)", WorkerDied),
    "no channel": ("import os, time\ndef f():\n os.closerange(3, 99)\n time.sleep(99)", WorkerTampered),
    "byte": ("import os\ndef f(): os.write(FD, b'x')", WorkerTampered),
    "magic": ("import os\ndef f(): os.write(FD, b'GSW1' + b'\\0' * 20)", WorkerTampered),
    "giant header": (
        "import os, struct\ndef f(): os.write(FD, struct.pack('<4sQIQ', b'GSW1', 1, 2**32 - 1, 2**63))",
        WorkerTampered,
    ),
    "reply of its own": (
        "import sys\nfrom inside import wire\ndef f(): wire.Channel(wire.Descriptors(FD, FD)).send({'ok': True}, 5)",
        WorkerTampered,
    ),
    "reply twice": (
        "import gc, sys\nfrom inside import wire\ndef f():\n"
        " id = next(d['frame'].id for d in (fr.f_locals for fr in frames()) if 'frame' in d and 'channel' in d)\n"
        " wire.Channel(wire.Descriptors(FD, FD)).send({'ok': True}, id)\n"
        "def frames():\n fr = sys._getframe()\n while fr:\n  yield fr\n  fr = fr.f_back",
        WorkerTampered,
    ),
    "slow drip": (
        "import os, time\ndef f():\n for b in b'GSW1' + b'\\0' * 20:\n  os.write(FD, bytes([b])); time.sleep(0.1)",
        WorkerTimedOut,
    ),
}


@pytest.mark.parametrize("name", FATAL)
def test_what_breaks_a_worker_has_its_class_and_costs_nobody_else(name, any_sandbox):
    source, error = FATAL[name]
    started = time.monotonic()
    with any_sandbox.fresh() as worker, pytest.raises(error):
        [ask(worker, source.replace("FD", "3"), seconds=0.5) for _ in range(2)]  # a true reply may be ahead
    assert time.monotonic() - started < 10
    assert after(any_sandbox, "def f(): return 3.0")["value"] == 3.0


BOMBS = {
    "memory": ("x = []\ndef f():\n while True: x.append(bytearray(1 << 25))", {"MemoryError"}),
    "one array": ("import numpy as np\ndef f(): return np.ones(1 << 34)", {"MemoryError"}),
    "recursion": ("def f(): return f()", {"RecursionError"}),
    "fork": ("import os\ndef f():\n while True: os.fork()", {"PermissionError"}),
    "threads": (
        "import threading, time\ndef f():\n while True: threading.Thread(target=time.sleep, args=(9,)).start()",
        {"RuntimeError"},
    ),
    "descriptors": ("import os\nx = []\ndef f():\n while True: x.append(os.dup(1))", {"OSError"}),
    "memory files": ("import os\ndef f():\n while True: os.memfd_create('x')", {"PermissionError"}),
    "disk": (
        "def f():\n with open('/tmp/large', 'wb') as file: file.write(b'x' * (1 << 20))",
        {"PermissionError", "FileNotFoundError", "OSError"},
    ),
    "nodes": ("def f(): return [0] * 1_000_000", {"Unsendable"}),
    "depth": ("def f():\n x = []\n for _ in range(99): x = {'a': x}\n return list(range(30_000)), x", {"Unsendable"}),
    "digits": ("def f(): return 10 ** 100_000", {"Unsendable"}),
    "text": ("def f(): return 'x' * (1 << 24)", {"Unsendable"}),
    "payload": ("import numpy as np\ndef f(): return np.zeros((65 << 20,), np.int8)", {"Unsendable"}),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_an_ordinary_error(name, sandbox):
    source, kinds = BOMBS[name]
    reply = after(sandbox, source)
    assert kinds & {reply["error"], *reply["kinds"]}


def test_recursion_without_a_limit_ends_in_some_way(sandbox):
    with sandbox.fresh() as worker:
        try:
            reply = ask(worker, "import sys\nsys.setrecursionlimit(10**9)\ndef f(): return f()", seconds=2)
            assert reply["error"] in ("MemoryError", "RecursionError")
        except (WorkerDied, WorkerTimedOut):
            pass
    assert after(sandbox, "def f(): return 3.0")["value"] == 3.0


def test_a_flooded_output_is_not_stored(workers):
    """300 MB written past Python's own cap never arrive here, and the worker goes on."""
    source = "import os\ndef f():\n for _ in range(3000):\n  try: os.write(1, b'x' * 100_000)\n  except OSError: return 3.0\n return 3.0"  # noqa: E501
    tracemalloc.start()
    with workers.fresh() as worker:
        value = ask(worker, source)["value"]
        worker.close()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert value == 3.0
        assert 1000 < len(worker.printed) <= 1 << 16
    assert peak < 8 << 20


def test_what_is_printed_before_a_crash_is_kept(workers):
    with workers.fresh() as worker:
        with pytest.raises(WorkerDied):
            ask(worker, "import os, sys\ndef f():\n print('last words', file=sys.stderr)\n os._exit(3)")
        assert "last words" in worker.printed


# -------------------------------------------------------------------------------------------- what must not be done
REFUSED = {
    "passwd": "open('/etc/passwd').read()",
    "own memory": "open('/proc/self/mem', 'rb').read(1)",
    "own command line": "open('/proc/self/cmdline', 'rb').read()",
    "parent's environment": "open(f'/proc/{os.getppid()}/environ', 'rb').read()",
    "root's folder": "os.listdir('/')",
    "processes": "os.listdir('/proc')",
    "reference": "open(library).read()",
    "reference's folder": "os.listdir(os.path.dirname(library))",
    "grader": "open(grader).read()",
    "judge": "open(os.path.join(os.path.dirname(grader), 'judge.py')).read()",
    "tests": "open(this).read()",
    "installed packages": "os.listdir(site)",
    "write to tmp": "open('/tmp/left', 'w')",
    "write to shared memory": "open('/dev/shm/left', 'w')",
    "write to the root": "open('/left', 'w')",
    "write into Python": "open(os.__file__, 'a')",
    "write into NumPy": "open(os.path.join(os.path.dirname(np.__file__), 'left.py'), 'w')",
    "write into the harness": "open(sys.modules['inside'].__file__, 'a')",
    "truncate what may be read": "os.open(sys.modules['inside'].__file__, os.O_RDONLY | os.O_TRUNC)",
    "folder": "os.mkdir('/tmp/left')",
    "link": "os.symlink('/etc/passwd', '/tmp/left')",
    "device": "os.mknod('/tmp/left', 0o600 | 0o020000, os.makedev(1, 1))",
    "mode": "os.chmod(os.__file__, 0o777)",
    "removal": "os.unlink(os.__file__)",
    "process": "os.fork()",
    "program": "os.execv('/bin/sh', ['sh'])",
    "shell": "os.posix_spawn('/bin/sh', ['sh'], {})",
    "thread": "threading.Thread(target=print).start()",
    "internet socket": "socket.socket(socket.AF_INET)",
    "Unix socket": "socket.socket(socket.AF_UNIX)",
    "pair of sockets": "socket.socketpair()",
    "raw packets": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "signal to its parent": "os.kill(os.getppid(), 0)",
    "signal to its group": "os.kill(0, 0)",
    "signal to everybody": "os.kill(-1, 0)",
    "signal to process 1": "os.kill(1, 0)",
    "signal to the judge": "os.kill(me, 0)",
    "signal through a descriptor": "fcntl.fcntl(3, fcntl.F_SETOWN, 1)",
    "more memory": "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
    "another user": "os.setuid(12345)",
    "another root": "os.chroot('/')",
    "own session": "os.setsid()",
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused(name, sandbox):
    found = attempt(
        sandbox, REFUSED[name], library=str(LIBRARY), grader=str(GRADER), this=__file__, me=os.getpid(),
        site=str(Path(np.__file__).parents[1]),
    )  # fmt: skip
    refusals = {"PermissionError", "FileNotFoundError", "NotADirectoryError", "RuntimeError", "OSError"}
    assert found in refusals | ({"ValueError"} if name == "more memory" else set())


SYSTEM_CALLS = {  # by name where libseccomp knows them: numbers differ between architectures
    "ptrace": "ptrace", "memory of others": "process_vm_readv", "namespaces": "unshare", "mount": "mount",
    "rings": "io_uring_setup", "kernel keys": "keyctl", "programs in the kernel": "bpf", "handles": "open_by_handle_at",
    "process settings": "prctl", "counters": "perf_event_open", "shared memory": "shmget", "clone": "clone",
    "faults": "userfaultfd", "modules": "init_module", "reboot": "reboot", "clock": "clock_settime",
}  # fmt: skip


@pytest.mark.parametrize("name", SYSTEM_CALLS)
def test_the_system_call_is_refused(name, sandbox):
    number = ctypes.CDLL("libseccomp.so.2").seccomp_syscall_resolve_name(SYSTEM_CALLS[name].encode())
    expression = f"[libc.syscall({number}, 0, 0, 0, 0, 0, 0), errno.errorcode[ctypes.get_errno()]]"
    assert attempt(sandbox, expression) == [-1, "EPERM"]


def test_the_reference_and_the_judge_cannot_be_imported(workers):
    names = ("gradschool.losses", "gradschool_grader", "gradschool_course", "gradschool_data", "pytest")
    source = f"import importlib.util\ndef f(): return [n for n in {names} if spec(n)]\ndef spec(n):\n try: return importlib.util.find_spec(n)\n except ImportError: return None"  # noqa: E501
    assert after(workers, source)["value"] == []


def test_no_module_or_variable_of_the_judge_is_in_the_child(workers):
    source = """
import gc, os, sys
def f():
    modules = [m for m in sys.modules if m.startswith(("gradschool_", "pytest", "_pytest", "nbgrader"))]
    names = [n for n in os.environ if "GRADSCHOOL" in n or "PYTEST" in n]
    objects = [o["what"] for o in gc.get_objects() if type(o) is dict and o.get("what") == "the judge's " + "secret"]
    return [modules, names, objects]
"""
    secret = {"what": "the judge's secret"}
    assert after(workers, source)["value"] == [[], [], []]
    assert secret


def test_only_channel_and_output_are_open(any_sandbox):
    source = "import os\ndef f(): return [fd for fd in range(200) if there(fd)]\ndef there(fd):\n try: return bool(os.fstat(fd))\n except OSError: return False"  # noqa: E501
    assert after(any_sandbox, source)["value"] == [0, 1, 2, 3]


def test_a_server_of_this_machine_is_not_reached(sandbox):
    """Not even through a system call that Python's socket module does not make."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert attempt(sandbox, f"socket.create_connection(('127.0.0.1', {port}), 2)") in ("PermissionError", "OSError")
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()


# --------------------------------------------------------------------------------------- each layer for itself
@pytest.mark.parametrize("layer", (["bubblewrap"] if "AB" in MODES else []) + list(LAYERS if "B" in MODES else []))
def test_each_layer_holds_what_it_should_while_the_others_are_off(layer):
    mode, layers = ("AB", []) if layer == "bubblewrap" else ("B", [layer])
    with Sandbox(mode=mode, layers=layers) as sandbox:
        done = probing.succeeded(sandbox, layers, Limits())
    assert not set(done) & set(probing.ALONE[layer])
    assert done  # alone it is not enough, or this test could not fail


@pytest.fixture(scope="module", params=[mode for mode in MODES if mode == "B"])
def only_limits(request):
    """Workers that nothing holds but their limits."""
    with Sandbox(mode=request.param, layers=["limits"], limits=Limits(memory=1 << 29, cpu=1, files=32)) as sandbox:
        yield sandbox


LIMITED = {
    "memory": "__import__('mmap').mmap(-1, 1 << 30)",
    "descriptors": "[os.dup(0) for _ in range(33)]",
    "a file's size": "open(file, 'w').write('x' * (1 << 20))",
    "locked memory": "libc.mlock(ctypes.create_string_buffer(1 << 20), 1 << 20) and None.refused",
    "raising a limit": "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))",
}


@pytest.mark.parametrize("name", LIMITED)
def test_a_limit_holds_by_itself(name, only_limits, tmp_path):
    found = attempt(only_limits, LIMITED[name], file=str(tmp_path / "large"))
    assert found in ("MemoryError", "OSError", "ValueError", "AttributeError")
    assert not any(path.stat().st_size for path in tmp_path.iterdir())


def test_cpu_time_is_limited_by_itself(only_limits):
    """Whoever ignores the signal is killed: the soft limit is the hard one."""
    source = "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\ndef f():\n while True: pass"
    with only_limits.fresh() as worker, pytest.raises(WorkerDied):
        ask(worker, source, seconds=30)


def test_nothing_may_be_dumped_or_forked_behind_the_limits(only_limits):
    kinds = "RLIMIT_CORE", "RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_MEMLOCK"
    assert attempt(only_limits, f"[resource.getrlimit(getattr(resource, kind)) for kind in {kinds}]") == [(0, 0)] * 4


def test_a_child_without_layers_can_do_everything_or_the_canary_proves_nothing(sandbox):
    outcome = probing.succeeded(sandbox, [], Limits())
    assert {"execute", "fork", "memory", "session"} <= set(outcome)
    if sandbox.mode == "B":
        assert set(outcome) >= set(ATTEMPTS) - {"namespace", "trace"}  # a machine may refuse these to everybody


def test_a_signal_to_the_group_does_not_reach_the_zygote(sandbox):
    """kill(0, 9) with nothing but the session between the child and the zygote."""
    zygote = sandbox.source.process.pid
    with Sandbox(mode=sandbox.mode, layers=["session"]) as alone:
        pid = alone.source.process.pid
        with pytest.raises(WorkerDied):
            after(alone, "import os\ndef f(): os.kill(0, 9)")
        assert after(alone, "def f(): return 3.0")["value"] == 3.0
        assert alone.source.process.pid == pid
    assert sandbox.source.process.pid == zygote


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode == "AB"])
def test_bubblewraps_root_cannot_be_written_anywhere(mode):
    """Every folder of the root, with Landlock and the limits off."""
    source = """
import os
def f():
    done = []
    for folder, folders, files in os.walk("/"):
        try:
            open(os.path.join(folder, "left"), "w").close()
            done.append(folder)
        except OSError:
            pass
    return done, sorted(os.listdir("/"))
"""
    with Sandbox(mode=mode, layers=[]) as sandbox:
        done, listed = after(sandbox, source)["value"]
    assert done == []
    assert not {"proc", "sys"} & set(listed)


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode == "AB"])
def test_bubblewraps_root_shows_neither_reference_nor_judge_nor_other_packages(mode):
    paths = [str(LIBRARY), str(GRADER.with_name("judge.py")), __file__, pytest.__file__, "/etc/passwd"]
    with Sandbox(mode=mode, layers=[]) as sandbox:
        found = after(sandbox, f"import os\ndef f(): return [p for p in {paths} if os.path.exists(p)]")["value"]
    assert found == []


# --------------------------------------------------------------------------------------------- the zygote's own life
def test_a_killed_zygote_is_infrastructure_once_and_then_replaced():
    for mode in MODES:
        with Sandbox(**WORLD, mode=mode) as sandbox:
            worker = sandbox.fresh()
            sandbox.source.process.kill()
            with pytest.raises((Infrastructure, WorkerDied)) as failed:
                ask(worker, "import time\ndef f(): time.sleep(9)", seconds=20)
            assert failed.value.outcome == "infrastructure"
            assert after(sandbox, "def f(): return 3.0")["value"] == 3.0


def test_children_die_with_a_zygote():
    """Nothing of a submission is left when the zygote is gone, however it went."""
    for mode in MODES:
        with Sandbox(**WORLD, mode=mode) as sandbox:
            worker = sandbox.fresh()
            sandbox.source.process.kill()
            poll_ended(worker.process.pidfd)
            worker.close()


def poll_ended(pidfd):
    import select

    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    assert poll.poll(10_000)


def test_a_sandbox_started_by_a_thread_outlives_it():
    for mode in MODES:
        started = []
        thread = threading.Thread(target=lambda mode=mode: started.append(Sandbox(**WORLD, mode=mode)))
        thread.start()
        thread.join()
        time.sleep(0.2)
        with started[0] as sandbox:
            pid = sandbox.source.process.pid
            assert after(sandbox, "def f(): return 3.0")["value"] == 3.0
            assert sandbox.source.process.pid == pid


def test_threads_share_a_sandbox(sandbox):
    found = []

    def work(number):
        found.append(after(sandbox, "def f(x): return 2 * x", float(number))["value"])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [0.0, 2.0, 4.0, 6.0, 8.0]


def test_a_forked_judge_starts_a_zygote_of_its_own(sandbox):
    """Two processes on one control socket would get each other's workers."""
    before = sandbox.source.process.pid
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    process = context.Process(target=in_a_fork, args=(sandbox, answers))
    process.start()
    value, pid = answers.get(timeout=30)
    process.join(10)
    assert value == 3.0
    assert pid != before
    assert after(sandbox, "def f(): return 3.0")["value"] == 3.0


def in_a_fork(sandbox, answers):
    value = after(sandbox, "def f(): return 3.0")["value"]
    answers.put((value, sandbox.source.process.pid))
    sandbox.close()


def test_public_code_that_fails_is_infrastructure_with_its_traceback():
    for mode in MODES:
        with pytest.raises(Infrastructure, match="ZeroDivisionError"):
            Sandbox(mode=mode, helpers="1 / 0")


def test_nothing_stays_open():
    for mode in MODES:
        Sandbox(mode=mode).close()
        before = sorted(os.listdir("/proc/self/fd"))
        with Sandbox(mode=mode) as sandbox:
            for _ in range(3):
                sandbox.fresh().close()
            with sandbox.fresh() as worker, pytest.raises(WorkerTimedOut):
                ask(worker, "def f():\n while True: pass", seconds=0.1)
            pid = sandbox.source.process.pid
        assert sorted(os.listdir("/proc/self/fd")) == before
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


# ----------------------------------------------------------------------------------------------------- the choice
def test_where_the_layers_are_there_they_are_used():
    """Asked of the machine in other ways than the probe asks."""
    landlock = LINUX and ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1) > 0
    seccomp = LINUX and ctypes.util.find_library("seccomp") is not None
    plain = ["bwrap", "--ro-bind", "/", "/", "--unshare-pid", "--unshare-net", "true"]
    bubblewrap = shutil.which("bwrap") is not None and subprocess.run(plain, capture_output=True).returncode == 0
    expected = "process" if not (landlock and seccomp) else "AB" if bubblewrap else "B"
    assert HERE.mode == expected
    with open_workers(unsafe_no_sandbox=True, **WORLD) as workers:
        assert workers.mode == expected
        assert after(workers, "def f(): return 3.0")["value"] == 3.0


def test_every_layer_is_reported_with_how_to_get_it():
    assert [layer.name for layer in HERE.layers] == ["bubblewrap", *LAYERS]
    for layer in HERE.layers:
        assert layer.holds or layer.why


@pytest.fixture
def without(monkeypatch):
    """Take a layer away as its absence looks."""

    def take(*names):
        if "bubblewrap" in names:
            monkeypatch.setenv("PATH", "")
        absent = {name: "taken away" for name in names if name != "bubblewrap"}
        start = Sandbox._start

        def started(self):
            lacking = {name: why for name, why in absent.items() if name in self.layers}
            if lacking:
                raise SandboxMissing("missing", lacking)
            return start(self)

        monkeypatch.setattr(Sandbox, "_start", started)

    return take


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode == "B"])
def test_without_bubblewrap_b_is_used(mode, without):
    without("bubblewrap")
    with open_workers() as workers:
        assert workers.mode == mode


def test_without_enough_layers_grading_is_refused_and_says_what_to_install(without):
    without("bubblewrap")
    with pytest.raises(SandboxMissing) as refused:
        open_workers(minimum="AB")
    if LINUX:
        assert "apt install bubblewrap" in str(refused.value)
        assert set(refused.value.layers) == {"bubblewrap"}
    assert "--unsafe-no-sandbox" in str(refused.value)


@pytest.mark.parametrize("layer", ["landlock", "seccomp"] if MODES else [])
def test_below_b_grading_is_refused_unless_told_otherwise(layer, without):
    without(layer)
    with pytest.raises(SandboxMissing) as refused:
        open_workers()
    assert layer in refused.value.layers
    assert f"{layer} " in str(refused.value)
    with open_workers(unsafe_no_sandbox=True) as workers:
        assert workers.mode == "process"


@pytest.mark.parametrize("mode", MODES)
def test_a_sandbox_in_which_a_canary_gets_through_is_not_used(mode, monkeypatch):
    monkeypatch.setattr(probing, "LAYERS", ("session", "limits", "landlock"))
    with pytest.raises(SandboxMissing, match=r"a canary could .*execute"):
        probing.tried(mode)


def test_an_unknown_minimum_or_mode_is_an_error():
    with pytest.raises(ValueError, match="expected one of"):
        open_workers(minimum="C")
    with pytest.raises(ValueError, match="expected one of"):
        open_workers(mode="process")


@pytest.mark.parametrize("mode", EVERY)
def test_a_mode_that_was_asked_for_is_the_one_that_is_used(mode):
    with open_workers(mode=mode, **WORLD) as workers:
        assert workers.mode == mode


@pytest.mark.parametrize("mode", [mode for mode in EVERY if mode != "B"])
def test_a_mode_that_was_asked_for_is_replaced_by_no_other(mode, without):
    without("bubblewrap")
    with pytest.raises(SandboxMissing) as refused:
        open_workers(mode=mode, **WORLD)
    assert set(refused.value.layers) == {"bubblewrap"}


@pytest.mark.parametrize("mode", [mode for mode in EVERY if mode == "C"])
def test_where_no_zygote_can_fork_every_worker_starts_by_itself(mode, monkeypatch):
    def no_fork(*_):
        raise Closed("fork is refused here")

    monkeypatch.setattr(Zygote, "fork", no_fork)
    with open_workers(**WORLD) as workers:
        assert workers.mode == mode
        assert after(workers, "def f(): return 3.0")["value"] == 3.0


@pytest.mark.parametrize("mode", [mode for mode in EVERY if mode == "C"])
def test_in_c_no_two_workers_have_a_parent_or_a_namespace_in_common(mode):
    """Their addresses are laid out anew, and nothing of one is left when it is closed."""
    source = "import os\ndef f(): return [os.getpid(), id(len), id(None)]"
    with Sandbox(**WORLD, mode=mode) as sandbox:
        places = [tuple(after(sandbox, source)["value"][1:]) for _ in range(3)]
        worker = sandbox.fresh()
        process = worker.process.process
        with pytest.raises(WorkerTimedOut):
            ask(worker, "def f():\n while True: pass", seconds=0.1)
    assert len(set(places)) > 1
    assert process.poll() is not None


def test_other_systems_get_a_plain_word(monkeypatch):
    monkeypatch.setattr(probing.sys, "platform", "darwin")
    assert probe().mode == "process"
    with pytest.raises(SandboxMissing, match="WSL2"):
        open_workers()


def test_the_zygote_is_not_a_fork_of_the_judge(sandbox):
    """Its command line is a Python of its own with nothing but NumPy's folder and a socket's number."""
    words = sandbox.source.process.args
    assert words[-2] == "zygote"
    assert not any("gradschool" in word and not word.endswith(("main.py", "inside")) for word in words)


def test_a_worker_is_killed_at_its_deadline_and_not_before(sandbox):
    with sandbox.fresh() as worker:
        started = time.monotonic()
        with pytest.raises(WorkerTimedOut):
            ask(worker, "import signal\nsignal.alarm\ndef f():\n while True: pass", seconds=0.6)
        assert time.monotonic() - started >= 0.6


def test_a_python_that_does_not_start_is_a_failure_of_ours(monkeypatch):
    from gradschool_grader import bubblewrap

    def never(command, timeout, **options):
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, "run", never)
    with pytest.raises(Infrastructure, match="Python did not start in 60 seconds"):
        bubblewrap.survey.__wrapped__()
