"""The portable worker: a fresh Python process each, on every system, asked over its standard input and output.

It protects against loops and crashes, not against malice: that takes a sandbox. How a clean Python is started, with
nothing but the standard library and NumPy in reach, is the same for both and stands here.

    with SubprocessWorkers(helpers="HELPERS = {}") as workers:
        worker = workers.fresh()
        worker.request({"op": "run", "cells": [[1, "def f(x): return 2 * x"]]}, seconds=5)
        worker.request({"op": "call", "target": "f", "args": [3.0], "kwargs": {}}, seconds=5)["value"]  # 6.0
        worker.close()
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .contract import (
    PRINTED_CAP,
    START_SECONDS,
    Infrastructure,
    Limits,
    Worker,
    WorkerDied,
    Workers,
    WorkerTampered,
    WorkerTimedOut,
    World,
)
from .inside.stream import joined
from .inside.wire import Channel, Closed, Tampered, TimedOut

__all__ = [
    "Infrastructure", "Limits", "SubprocessWorkers", "Worker", "WorkerDied", "WorkerTampered", "WorkerTimedOut",
    "Workers", "World",
]  # fmt: skip


# ------------------------------------------------------------------------------------------ starting a clean Python
INSIDE = Path(__file__).parent / "inside"
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
KEPT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "WINDIR", "TEMP", "TMP") + (
    ("PATH",) if os.name == "nt" else ()
)


def python() -> str:
    """The interpreter itself, not a virtual environment's link to it: that would open its site-packages."""
    return os.path.realpath(getattr(sys, "_base_executable", "") or sys.executable)


def command(role: str, *arguments: str, interpreter: str = "", inside: str = "") -> list[str]:
    """Only the standard library is importable, NumPy by its folder; no bytecode is written."""
    flags = ["-s", "-S", "-P", "-B", "-X", "utf8"]
    script = str(Path(inside or INSIDE) / "main.py")
    return [interpreter or python(), *flags, script, str(Path(np.__file__).parent), role, *arguments]


def environment() -> dict[str, str]:
    """No variable of ours: only what finds shared libraries. One BLAS thread, or a forked GEMM hangs; and the same
    order of sets on every run, or the same submission earns different verdicts."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return kept | dict.fromkeys(THREADS, "1") | {"PYTHONHASHSEED": "0", "LANG": "C.UTF-8", "HOME": os.sep}


REASONS = {
    "SIGSEGV": "segmentation fault", "SIGKILL": "killed", "SIGABRT": "aborted", "SIGXCPU": "CPU time used up",
    "SIGBUS": "bus error", "SIGFPE": "floating point exception", "SIGILL": "illegal instruction",
    "SIGSYS": "forbidden system call", "SIGTERM": "terminated", "SIGXFSZ": "wrote a file that was too large",
}  # fmt: skip
WINDOWS_REASONS = {0xC0000005: "segmentation fault", 0xC00000FD: "stack overflow", 0xC0000409: "aborted"}


def reason_of(code: int) -> str:
    """A return code as subprocess gives it, in words."""
    if code >= 0:
        return WINDOWS_REASONS.get(code, f"exit code {code}")
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return REASONS.get(name, name)


# ----------------------------------------------------------------------------------------------- the portable worker
class Pipe:
    """A stream over a process's pipes in which threads do the reading and writing: deadlines without poll.

    Windows cannot wait for a pipe with a deadline. The queue is short, so a flood fills the pipe and not our memory.
    """

    def __init__(self, process: subprocess.Popen[bytes]):
        assert process.stdin is not None
        assert process.stdout is not None
        self.source, self.sink = process.stdout, process.stdin
        self.chunks: queue.Queue[bytes] = queue.Queue(maxsize=8)
        self.rest = b""
        self.closed = threading.Event()
        threading.Thread(target=self._pump, daemon=True).start()

    def _pump(self) -> None:
        with self.source:  # closed by its only reader, or a descriptor used again could be read
            while not self.closed.is_set():
                try:
                    data = os.read(self.source.fileno(), 1 << 18)
                except OSError:
                    data = b""
                self._put(data)
                if not data:
                    return

    def _put(self, data: bytes) -> None:
        while not self.closed.is_set():
            with contextlib.suppress(queue.Full):
                self.chunks.put(data, timeout=0.2)
                break

    def read_into(self, views: Sequence[memoryview], deadline: float | None) -> int:
        if not self.rest:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            try:
                self.rest = self.chunks.get(timeout=left)
            except queue.Empty:
                raise TimedOut("no answer in time") from None
            if not self.rest:
                self.chunks.put(b"")  # the end stays the end
                return 0
        n = min(len(self.rest), len(views[0]))
        views[0][:n], self.rest = self.rest[:n], self.rest[n:]
        return n

    def write(self, buffers: Iterable[Any], deadline: float | None) -> None:
        pieces = joined(buffers)
        failed: list[OSError] = []
        writer = threading.Thread(target=self._write_all, args=(pieces, failed), daemon=True)
        writer.start()
        writer.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        if writer.is_alive():
            raise TimedOut("the other side does not read")
        if failed:
            raise Closed("the other side closed the channel")

    def _write_all(self, pieces: list[Any], failed: list[OSError]) -> None:
        try:
            for piece in pieces:
                view = memoryview(piece)
                while view:
                    view = view[os.write(self.sink.fileno(), view) :]
        except OSError as error:
            failed.append(error)

    def pending(self) -> bool:
        return bool(self.rest) or not self.chunks.empty()

    def close(self) -> None:
        self.closed.set()


class Printed:
    """The head of what a process prints. Past the cap the pipe is closed, so a flood ends instead of being stored."""

    def __init__(self, process: subprocess.Popen[bytes]):
        assert process.stderr is not None
        self.source = process.stderr
        self.data = bytearray()
        self.thread = threading.Thread(target=self._pump, daemon=True)
        self.thread.start()

    def _pump(self) -> None:
        with contextlib.suppress(OSError), self.source:
            while len(self.data) < PRINTED_CAP:
                data = os.read(self.source.fileno(), 1 << 14)
                if not data:
                    return
                self.data += data

    def text(self) -> str:
        return bytes(self.data[:PRINTED_CAP]).decode("utf-8", "replace")


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has ended, without reaping it where the system can tell."""
    if not hasattr(os, "waitid"):
        return process.poll() is not None
    with contextlib.suppress(ChildProcessError):
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return True


class Subprocess:
    """A process of its own session: what it starts is killed with it, where the system knows sessions."""

    lost = False

    def __init__(self, arguments: list[str]):
        # A session of its own: kill(0, 9) inside must not reach us.
        self.popen = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
            cwd=os.path.abspath(os.sep), start_new_session=os.name != "nt", bufsize=0,
        )  # fmt: skip
        self.stream = Pipe(self.popen)
        self.output = Printed(self.popen)

    def kill(self, grace: float = 0.0) -> str | None:
        ended = self._ended_within(grace)
        self._kill_all()  # before it is reaped, while its number cannot be given to another
        code = self.popen.wait()
        self.stream.close()
        self.output.thread.join(1.0)
        if self.popen.stdin is not None:
            with contextlib.suppress(OSError):
                self.popen.stdin.close()
        return reason_of(code) if ended else None

    def _ended_within(self, grace: float) -> bool:
        until = time.monotonic() + grace
        while not has_ended(self.popen):
            if time.monotonic() >= until:
                return False
            time.sleep(0.005)
        return True

    def _kill_all(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.name != "nt":
                os.killpg(self.popen.pid, signal.SIGKILL)
            else:
                self.popen.kill()

    def printed(self) -> str:
        return self.output.text()


class SubprocessWorkers:
    """A fresh Python process for each worker, on every system. Deadlines and crashes hold; nothing else does.

    `modules`, `placeholders` and `helpers` are as in World.
    """

    mode = "process"

    def __init__(
        self,
        helpers: str = "",
        modules: Mapping[str, str] | None = None,
        placeholders: Iterable[str] = (),
        limits: Limits | None = None,
    ):
        self.setup = World(modules or {}, tuple(placeholders), helpers).setup(limits or Limits())

    def fresh(self) -> Worker:
        try:
            process = Subprocess(command("serve"))
        except OSError as error:
            raise Infrastructure(f"Python could not be started ({error}).") from error
        channel = Channel(process.stream)
        try:
            ready = channel.ask(self.setup, time.monotonic() + START_SECONDS)
        except (TimedOut, Closed, Tampered) as error:
            reason = process.kill(grace=2.0)
            last = process.printed().strip()[-2000:]
            raise Infrastructure(f"A worker did not start ({reason or error}). It printed: {last or '-'}") from error
        if ready != {"ready": True}:
            process.kill()
            raise Infrastructure(f"A worker started with an unexpected answer: {ready!r:.200}")
        return Worker(channel, process)

    def close(self) -> None:
        """Nothing is kept between workers."""

    def __enter__(self) -> SubprocessWorkers:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
