"""The sandbox: submitted code runs in a forked child that Linux holds in several independent ways.

One zygote per judge has Python and NumPy loaded; each worker is a fork of it in a session of its own, with limits,
Landlock and a seccomp allow-list. In mode "AB" the zygote itself stands in bubblewrap: no network, no /proc, and a root
that is read-only and holds nothing but Python and NumPy. Mode "B" does without it, for containers that forbid it.

    with Sandbox(helpers="HELPERS = {}", mode="AB") as workers:
        with workers.fresh() as worker:          # 3 ms
            worker.request({"op": "run", "cells": [[1, "def f(x): return 2 * x"]]}, seconds=5)
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from .contract import PRINTED_CAP, START_SECONDS, Infrastructure, Limits, Worker, World
from .inside.wire import Channel, Closed, Descriptors, Tampered, TimedOut
from .worker import INSIDE, command, environment, python, reason_of

__all__ = ["LAYERS", "Sandbox", "SandboxMissing"]

LAYERS = ("session", "limits", "landlock", "seccomp")  # of every child, in the order in which they are applied
SITE = ("site-packages", "dist-packages")
FORK_SECONDS = 20.0


class SandboxMissing(RuntimeError):
    """This machine lacks a layer; `layers` names each with the reason."""

    def __init__(self, message: str, layers: Mapping[str, str] | None = None):
        super().__init__(message)
        self.layers = dict(layers or {})


# ------------------------------------------------------------------------------------------------------- bubblewrap
@functools.cache
def survey() -> dict[str, Any]:
    """What Python and NumPy read when they start, found by starting them once."""
    found = subprocess.run(command("survey"), env=environment(), capture_output=True, timeout=START_SECONDS, cwd=os.sep)
    if found.returncode:
        raise Infrastructure(f"Python could not be surveyed: {found.stderr.decode(errors='replace').strip()[-2000:]}")
    return json.loads(found.stdout)


def root_of_files() -> list[str]:
    """bubblewrap's arguments for a root that holds Python, NumPy and our folder, and can be written nowhere."""
    seen = survey()
    arguments: list[str] = []
    covered: list[str] = []
    masked: list[str] = []

    def show(path: str, at: str = "") -> None:
        if os.path.exists(path):
            arguments.extend(["--ro-bind", path, at or path])
            covered.append(os.path.realpath(path) + os.sep)

    def hidden(path: str) -> bool:
        real = os.path.realpath(path)
        return not any((real + os.sep).startswith(tree) for tree in covered)

    for folder in (entry for entry in seen["path"] if os.path.isdir(entry)):
        if hidden(folder):
            show(folder)
            masked += [os.path.join(folder, name) for name in SITE if os.path.isdir(os.path.join(folder, name))]
    for site in masked:  # nothing that is installed is visible; NumPy is put back into the empty folder
        arguments += ["--tmpfs", site]
    numpy_folder = str(Path(np.__file__).parent)
    for path in (numpy_folder, f"{numpy_folder}.libs", str(INSIDE)):
        show(path)
    for path in (python(), "/etc/ld.so.cache", *(e for e in seen["path"] if os.path.isfile(e)), *seen["libraries"]):
        if path == "/etc/ld.so.cache" or hidden(path):
            show(path)
    arguments += ["--dev-bind", os.devnull, os.devnull]
    for path in (*masked, os.sep):
        arguments += ["--remount-ro", path]
    return arguments


def closed() -> bool:
    """Whether root runs a Python that another user has closed to everybody else (a home of mode 0700)."""
    if os.geteuid() != 0:
        return False
    needed = [Path(path) for path in (np.__file__, python(), str(INSIDE), os.__file__)]
    return any(closes(folder) for path in needed for folder in (path, *path.parents))


def closes(path: Path) -> bool:
    found, needed = path.stat(), 0o005 if path.is_dir() else 0o004
    return found.st_uid != 0 and found.st_mode & needed != needed


def bubblewrap(inner: list[str]) -> list[str]:
    """The command in namespaces of its own."""
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxMissing("bubblewrap is not installed", {"bubblewrap": "the program bwrap is not on the PATH"})
    alone = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    alone += ["--hostname", "sandbox", "--cap-drop", "ALL"]
    # in a user namespace root owns nothing of the other user's, and could not even show it read-only
    alone += ["--cap-add", "CAP_DAC_READ_SEARCH"] if closed() else ["--unshare-user-try"]
    ends = ["--die-with-parent", "--new-session", "--chdir", os.sep]
    return [program, *alone, *ends, *root_of_files(), "--", *inner]


# ----------------------------------------------------------------------------------------------------------- zygote
_spawner: list[ThreadPoolExecutor] = []


def spawn(arguments: list[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start from one thread that lives as long as this process: what a thread started under --die-with-parent dies
    with that thread, and pools end theirs at will."""
    if not _spawner:
        _spawner.append(ThreadPoolExecutor(1, thread_name_prefix="sandbox"))
    return _spawner[0].submit(lambda: subprocess.Popen[bytes](arguments, **options)).result()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_spawner.clear)  # threads do not survive a fork


class Zygote:
    """The judge's end of a zygote: start it, have it fork, have it reap."""

    def __init__(self, mode: str, setup: Mapping[str, Any]):
        ours, theirs = socket.socketpair()
        self.socket = ours
        self.channel = Channel(Descriptors(ours.fileno(), ours.fileno()))
        self.lock = threading.Lock()
        self.owner = os.getpid()
        self.log = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the zygote
        inner = command("zygote", str(theirs.fileno()))
        try:
            self.process = spawn(
                bubblewrap(inner) if mode == "AB" else inner, pass_fds=[theirs.fileno()], env=environment(), cwd=os.sep,
                stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True,
            )  # fmt: skip
        except BaseException:
            ours.close()
            self.log.close()
            raise
        finally:
            theirs.close()
        self.missing = self._greet(setup)

    def _greet(self, setup: Mapping[str, Any]) -> dict[str, str]:
        try:
            return self.channel.ask({**setup, "closed": closed()}, time.monotonic() + START_SECONDS)["missing"]
        except (TimedOut, Closed, Tampered) as error:
            self.process.kill()
            words = self.last_words()
            self.close()
            raise Infrastructure(f"The sandbox did not start ({error}). It printed: {words or '-'}") from error

    def last_words(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.log.seek(0)
        return self.log.read(1 << 16).decode("utf-8", "replace").strip()[-2000:]

    def fork(self, channel_fd: int, output_fd: int, layers: Iterable[str], role: str) -> tuple[int, int]:
        """(pid, pidfd) of a child that holds the two descriptors."""
        with self.lock:
            until = time.monotonic() + FORK_SECONDS
            self.channel.send({"op": "fork", "layers": list(layers), "role": role}, 1, until)
            socket.send_fds(self.socket, [b"f"], [channel_fd, output_fd])
            _, reply = self.channel.receive(until)
            pidfds = socket.recv_fds(self.socket, 1, 1)[1]
        if not pidfds:
            raise Closed("the zygote died")
        os.set_inheritable(pidfds[0], False)
        return reply["pid"], pidfds[0]

    def reap(self, pid: int) -> int | None:
        """The exit code of a dead child, None if the zygote is dead itself."""
        with self.lock, contextlib.suppress(Closed, TimedOut, Tampered):
            return self.channel.ask({"op": "reap", "pid": pid}, time.monotonic() + FORK_SECONDS)["code"]
        return None

    @property
    def alive(self) -> bool:
        return self.owner == os.getpid() and self.process.poll() is None

    def close(self) -> None:
        self.socket.close()  # the zygote ends by itself, and its children with it
        self.log.close()
        if self.owner != os.getpid():
            self.process.returncode = 0  # it is our parent's child and not ours to reap
            return
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


# ----------------------------------------------------------------------------------------------------------- worker
class Forked:
    """A child of the zygote, as a worker sees it: killed by pidfd, reaped by the zygote, its output drained here."""

    lost = False

    def __init__(self, zygote: Zygote, layers: Iterable[str], role: str):
        self.zygote = zygote
        ours, theirs = socket.socketpair()
        self.output, output = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        os.set_blocking(output, True)
        self.data = bytearray()
        try:
            self.pid, self.pidfd = zygote.fork(theirs.fileno(), output, layers, role)
        except (Closed, TimedOut, Tampered) as error:
            ours.close()
            os.close(self.output)
            raise Infrastructure(f"The sandbox did not fork a worker ({error}).") from error
        finally:
            theirs.close()
            os.close(output)
        ours.setblocking(False)
        self.beside = {self.output: self.drain}
        self.stream = SocketStream(ours, self.beside)

    def drain(self) -> None:
        """Read what is there. Past the cap, or at the end, the pipe is closed: a flood is not stored."""
        with contextlib.suppress(BlockingIOError):
            data = os.read(self.output, 1 << 14)
            self.data += data
            if not data or len(self.data) >= PRINTED_CAP:
                self._stop_listening()

    def _stop_listening(self) -> None:
        if self.beside.pop(self.output, None):
            os.close(self.output)

    def kill(self, grace: float = 0.0) -> str | None:
        ended = bool(wait_for(self.pidfd, grace))
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        code = self.zygote.reap(self.pid)
        os.close(self.pidfd)
        while self.beside and wait_for(self.output, 0):
            self.drain()
        self._stop_listening()
        self.lost = code is None
        return reason_of(code or 0) if ended else None

    def printed(self) -> str:
        return bytes(self.data[:PRINTED_CAP]).decode("utf-8", "replace")


class SocketStream(Descriptors):
    """One socket as a stream that owns it."""

    def __init__(self, end: socket.socket, beside: dict[int, Any]):
        super().__init__(end.fileno(), end.fileno(), beside)
        self.end = end

    def close(self) -> None:
        self.end.close()


def wait_for(fd: int, seconds: float) -> list[tuple[int, int]]:
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return poll.poll(seconds * 1000)


class Sandbox:
    """Workers that the kernel holds. `mode` is "AB" with bubblewrap around all of them, "B" without.

    `layers` leaves out some for tests that show what each one holds by itself; grading never does. Raises
    SandboxMissing if this machine lacks a layer, Infrastructure if the public code does not load.
    """

    def __init__(
        self,
        helpers: str = "",
        modules: Mapping[str, str] | None = None,
        placeholders: Iterable[str] = (),
        limits: Limits | None = None,
        mode: str = "AB",
        layers: Iterable[str] = LAYERS,
    ):
        self.mode, self.layers = mode, tuple(layers)
        self.setup = World(modules or {}, tuple(placeholders), helpers).setup(limits or Limits())
        self.owner, self.lock = os.getpid(), threading.Lock()
        self.zygote = self._start()

    def _start(self) -> Zygote:
        zygote = Zygote(self.mode, self.setup)
        lacking = {layer: why for layer, why in zygote.missing.items() if layer in self.layers}
        if lacking:
            zygote.close()
            raise SandboxMissing(f"missing here: {'; '.join(map(': '.join, lacking.items()))}", lacking)
        return zygote

    def fresh(self) -> Worker:
        return self.fork("serve", self.layers)

    def fork(self, role: str, layers: Iterable[str]) -> Worker:
        """A worker of some role, locked by some layers. A dead zygote is replaced first."""
        process = Forked(self._living(), layers, role)
        channel = Channel(process.stream)
        try:
            id, ready = channel.receive(time.monotonic() + FORK_SECONDS)
        except (TimedOut, Closed, Tampered) as error:
            reason = process.kill(grace=2.0)
            channel.close()
            words = process.printed().strip()[-2000:]
            raise Infrastructure(f"A worker was not locked ({reason or error}). It printed: {words or '-'}") from error
        if (id, ready) != (0, {"ready": True}):
            process.kill()
            channel.close()
            raise Infrastructure(f"A worker started with an unexpected answer: {ready!r:.200}")
        return Worker(channel, process)

    def _living(self) -> Zygote:
        """The zygote, replaced if it died or belongs to the process of which this one is a fork."""
        if self.owner != os.getpid():
            self.owner, self.lock = os.getpid(), threading.Lock()  # another thread may have held it while forking
        with self.lock:
            if not self.zygote.alive:
                self.zygote.close()
                self.zygote = self._start()
            return self.zygote

    def close(self) -> None:
        self.zygote.close()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
