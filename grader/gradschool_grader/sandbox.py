"""The sandbox: submitted code runs in a child that Linux holds in several independent ways.

    layer        what it takes away                                         of whom
    bubblewrap   network, /proc, other processes, every file but Python's   the zygote (AB) or the worker (C)
    session      signals to a group                                         each worker
    limits       memory, CPU time, file size, descriptors, processes        each worker
    landlock     every file outside Python's and NumPy's folders, TCP       each worker
    seccomp      every system call that computing does not need             each worker

In mode "AB" one zygote stands in bubblewrap with Python and NumPy loaded, and each worker is a fork of it. Mode "B" is
the same without bubblewrap, for containers that forbid it. Mode "C" starts a Python in a bubblewrap of its own for each
worker, which nothing else ever shared.

    with Sandbox(helpers="HELPERS = {}", mode="AB") as workers:
        with workers.fresh() as worker:          # 3 ms
            worker.request({"op": "run", "cells": [[1, "def f(x): return 2 * x"]]}, seconds=5)
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

from .bubblewrap import SandboxMissing, bubblewrap, closed, spawn
from .children import Forked, Wrapped
from .contract import START_SECONDS, Infrastructure, Limits, Worker, World
from .inside.wire import Channel, Closed, Descriptors, Tampered, TimedOut
from .worker import command, environment

__all__ = ["LAYERS", "Sandbox", "SandboxMissing"]

LAYERS = ("session", "limits", "landlock", "seccomp")  # of every child, in the order in which they are applied
FORK_SECONDS = 20.0


# ----------------------------------------------------------------------------------------------------------- zygote
class Zygote:
    """The judge's end of a zygote: start it, have it fork, have it reap."""

    def __init__(self, mode: str, setup: Mapping[str, Any]):
        ours, theirs = socket.socketpair()
        self.socket = ours
        self.channel = Channel(Descriptors(ours.fileno(), ours.fileno()), ahead=0)  # descriptors come between frames
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

    def worker(self, layers: Iterable[str], role: str) -> Forked:
        return Forked(self, layers, role)

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


class Singles:
    """In the place of a zygote for mode C: every worker starts by itself. The first one finds what is `missing`."""

    alive = True  # nothing is kept that could die

    def __init__(self, setup: Mapping[str, Any]):
        self.setup = setup
        first = Wrapped(setup, (), "canary")
        first.kill()
        first.stream.close()
        self.missing = first.missing

    def worker(self, layers: Iterable[str], role: str) -> Wrapped:
        return Wrapped(self.setup, layers, role)

    def close(self) -> None:
        """Each worker is closed by whoever took it."""


# ---------------------------------------------------------------------------------------------------------- sandbox
class Sandbox:
    """Workers that the kernel holds. `mode` is "AB" with bubblewrap around all of them, "B" without, "C" around each.

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
        self.source = self._start()

    def _start(self) -> Zygote | Singles:
        source = Singles(self.setup) if self.mode == "C" else Zygote(self.mode, self.setup)
        lacking = {layer: why for layer, why in source.missing.items() if layer in self.layers}
        if lacking:
            source.close()
            raise SandboxMissing(f"missing here: {'; '.join(map(': '.join, lacking.items()))}", lacking)
        return source

    def fresh(self) -> Worker:
        return self.fork("serve", self.layers)

    def fork(self, role: str, layers: Iterable[str]) -> Worker:
        """A worker of some role, locked by some layers. A dead zygote is replaced first."""
        process = self._living().worker(layers, role)
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

    def _living(self) -> Zygote | Singles:
        """The zygote, replaced if it died or belongs to the process of which this one is a fork."""
        if self.owner != os.getpid():
            self.owner, self.lock = os.getpid(), threading.Lock()  # another thread may have held it while forking
        with self.lock:
            if not self.source.alive:
                self.source.close()
                self.source = self._start()
            return self.source

    def close(self) -> None:
        self.source.close()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
