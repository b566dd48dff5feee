"""The zygote has Python, NumPy and the public course code loaded, holds no secret, and forks a locked child per worker.

It is exec'ed, not forked from the judge, whose memory it would inherit; it has one thread, so that forking is safe. It
never reads what a child writes: the judge passes it both ends' descriptors and gets a pidfd back.

    run(5)      # serve the judge behind socket 5, until that is closed
    single(5)   # or be the one worker of mode C: prepared in the same way, and locked at once
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import os
import resource
import signal
import socket
import sys
import traceback
from typing import Any, NoReturn

from . import canary, lock
from .perform import Performer
from .serve import cap_printing, serve
from .wire import Channel, Closed, Descriptors
from .world import build_world

CHANNEL, RULESET, FILES = 3, 4, 128
SITE = ("site-packages", "dist-packages")

# What needs a shared library outside the folders that stay readable, or is used by every second submission.
PRELOADED = """
    ctypes hashlib bz2 lzma zlib decimal uuid random statistics fractions itertools functools collections
    dataclasses typing enum abc copy math cmath operator heapq bisect string re json csv time datetime textwrap pprint
    inspect warnings contextlib traceback pickle struct array io unicodedata timeit encodings.idna
    numpy.linalg numpy.random numpy.fft numpy.ma numpy.polynomial numpy.lib.stride_tricks numpy.testing
"""


def run(fd: int) -> NoReturn:
    control = socket.socket(fileno=fd)
    channel, _, locks, helpers = prepared(fd)
    children: set[int] = set()
    while True:
        try:
            id, request = channel.receive()
        except Closed:
            os._exit(0)
        if request["op"] == "fork":
            fds = socket.recv_fds(control, 1, 2)[1]
            pid = fork(fds, locks, helpers, request)
            children.add(pid)
            pidfd = os.pidfd_open(pid)
            channel.send({"pid": pid}, id)
            socket.send_fds(control, [b"p"], [pidfd])
            for used in (*fds, pidfd):
                os.close(used)
        elif request["op"] == "reap" and request["pid"] in children:
            children.discard(request["pid"])
            channel.send({"code": reap(request["pid"])}, id)


def single(fd: int) -> NoReturn:
    """One worker without a zygote: its channel is the descriptor over which it is set up."""
    _, setup, locks, helpers = prepared(fd)
    work([fd, os.dup(1)], locks, helpers, setup)


def prepared(fd: int) -> tuple[Channel, dict[str, Any], lock.Locks, dict[str, Any]]:
    """Everything loaded that submitted code may use, the locks made, and the judge told which of them are missing."""
    lock.die_with(os.getppid())  # a judge that is killed leaves nobody behind, even if a fork of it holds the socket
    channel = Channel(Descriptors(fd, fd), ahead=0)  # between its frames descriptors come
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))  # so that closing all of them is quick
    id, setup = channel.receive()
    preload()
    helpers = build_world(setup["modules"], setup["placeholders"], setup["helpers"])
    locks = lock.Locks(setup["limits"], readable())
    os.chdir(os.sep)
    lock.drop_capabilities(setup["closed"])
    cap_printing()  # each child's own from the fork on
    gc.collect()
    gc.freeze()  # or the children's first collection copies every page
    channel.send({"ready": True, "missing": locks.missing}, id)
    return channel, setup, locks, helpers


def fork(fds: list[int], locks: lock.Locks, helpers: dict[str, Any], request: dict[str, Any]) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        lock.die_with(parent)
        work(fds, locks, helpers, request)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)  # whatever happens, a child never goes on as a second zygote


def work(fds: list[int], locks: lock.Locks, helpers: dict[str, Any], request: dict[str, Any]) -> NoReturn:
    """Only the channel and the output are left open; then locked, and only then anything is answered."""
    place(fds, locks.fd)
    locks.apply(request["layers"], RULESET)
    if locks.fd is not None:
        os.close(RULESET)
    channel = Channel(Descriptors(CHANNEL, CHANNEL))
    performer = canary.Canary() if request["role"] == "canary" else Performer(helpers)
    channel.send({"ready": True}, 0)
    serve(channel, performer)


def place(fds: list[int], ruleset: int | None) -> None:
    """Channel to 3, ruleset to 4, output to 1 and 2, /dev/null to 0, and nothing else stays open."""
    high = [os.dup(fd) for fd in fds]  # clear of the places that are about to be overwritten
    while min(high) <= RULESET:
        high = [os.dup(fd) for fd in high]
    kept = None if ruleset is None else os.dup(ruleset)
    os.dup2(high[0], CHANNEL)
    os.dup2(high[1], 1)
    os.dup2(high[1], 2)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    if kept is not None:
        os.dup2(kept, RULESET)
    os.closerange(RULESET + (ruleset is not None), FILES)


def reap(pid: int) -> int:
    """The exit code of a child that is dead or dying; what it had started goes with it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


# ------------------------------------------------------------------------------------------------- what stays readable
def preload() -> None:
    for name in PRELOADED.split():
        try:
            importlib.import_module(name)
        except ImportError:  # Python may be built without some of them
            continue
    for entry in sys.path:
        # fills the finder's list of the folder: children may import from it but no longer list it
        finder = sys.path_importer_cache.get(entry)
        if finder is not None:
            finder.find_spec("a_module_that_is_nowhere")


def readable() -> list[str]:
    """Every entry of the standard library but its site-packages, NumPy with its libraries, and this folder."""
    numpy_folder = os.path.dirname(os.path.abspath(sys.modules["numpy"].__file__ or ""))
    paths = [numpy_folder, f"{numpy_folder}.libs", os.path.dirname(os.path.abspath(__file__))]
    for folder in sys.path:
        if os.path.isfile(folder):
            paths.append(folder)
        elif os.path.isdir(folder):
            paths += [os.path.join(folder, name) for name in os.listdir(folder) if name not in SITE]
    return paths
