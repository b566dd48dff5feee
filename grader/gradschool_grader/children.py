"""The judge's end of one locked process: its channel, the head of what it prints, and its certain end.

`Forked` is a child of a zygote (modes AB and B), `Wrapped` a Python of its own in a bubblewrap of its own (mode C).
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from .bubblewrap import bubblewrap, closed, spawn
from .contract import PRINTED_CAP, START_SECONDS, Infrastructure
from .inside.wire import Channel, Closed, Descriptors, Tampered, TimedOut
from .worker import command, environment, reason_of

__all__ = ["Forked", "Wrapped"]


class Child:
    """A process behind a socket, whose output is drained while the channel is waited for."""

    lost = False

    def __init__(self) -> None:
        ours, self.theirs = socket.socketpair()
        self.output, self.printing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        os.set_blocking(self.printing, True)
        self.data = bytearray()
        ours.setblocking(False)
        self.beside = {self.output: self.drain}
        self.stream = SocketStream(ours, self.beside)

    def handed_over(self) -> None:
        """The other ends belong to the child alone, so that their closing tells of its end."""
        self.theirs.close()
        os.close(self.printing)

    def never_started(self) -> None:
        self.stream.close()
        self._stop_listening()

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

    def drain_the_rest(self) -> None:
        while self.beside and wait_for(self.output, 0):
            self.drain()
        self._stop_listening()

    def printed(self) -> str:
        return bytes(self.data[:PRINTED_CAP]).decode("utf-8", "replace")


class Forks(Protocol):
    """A zygote, as far as its children need it."""

    def fork(self, channel_fd: int, output_fd: int, layers: Iterable[str], role: str) -> tuple[int, int]: ...
    def reap(self, pid: int) -> int | None: ...


class Forked(Child):
    """A child of the zygote: killed by pidfd, reaped by the zygote."""

    def __init__(self, zygote: Forks, layers: Iterable[str], role: str):
        super().__init__()
        self.zygote = zygote
        try:
            self.pid, self.pidfd = zygote.fork(self.theirs.fileno(), self.printing, layers, role)
        except (Closed, TimedOut, Tampered) as error:
            self.never_started()
            raise Infrastructure(f"The sandbox did not fork a worker ({error}).") from error
        finally:
            self.handed_over()

    def kill(self, grace: float = 0.0) -> str | None:
        ended = bool(wait_for(self.pidfd, grace))
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        code = self.zygote.reap(self.pid)
        os.close(self.pidfd)
        self.drain_the_rest()
        self.lost = code is None
        return reason_of(code or 0) if ended else None


class Wrapped(Child):
    """A Python that was started for this worker alone, in namespaces that no other process shares.

    Slower than a fork by a hundred milliseconds or more; for machines whose kernel does not let the zygote fork, and
    for teachers who want no two submissions to have had the same parent, with the same layout of memory.
    """

    def __init__(self, setup: Mapping[str, Any], layers: Iterable[str], role: str):
        super().__init__()
        inner = command("single", str(self.theirs.fileno()))
        try:
            self.process = spawn(
                bubblewrap(inner), pass_fds=[self.theirs.fileno()], env=environment(), cwd=os.sep,
                stdin=subprocess.DEVNULL, stdout=self.printing, stderr=self.printing, start_new_session=True,
            )  # fmt: skip
        except BaseException:
            self.never_started()
            raise
        finally:
            self.handed_over()
        self.missing = self._greet({**setup, "closed": closed(), "layers": list(layers), "role": role})

    def _greet(self, setup: Mapping[str, Any]) -> dict[str, str]:
        try:
            return Channel(self.stream, ahead=0).ask(setup, time.monotonic() + START_SECONDS)["missing"]
        except (TimedOut, Closed, Tampered) as error:
            reason = self.kill(grace=2.0)
            self.stream.close()
            words = self.printed().strip()[-2000:]
            raise Infrastructure(f"A worker did not start ({reason or error}). It printed: {words or '-'}") from error

    def kill(self, grace: float = 0.0) -> str | None:
        """bubblewrap's own process dies, with it process 1 of the namespace, and with that everything in it."""
        ended = True
        try:
            self.process.wait(grace)
        except subprocess.TimeoutExpired:
            ended = False
            self.process.kill()
        code = self.process.wait()
        wait_for(self.stream.read_fd, 2.0, select.POLLHUP)  # nobody holds the other end any more
        self.drain_the_rest()
        return reason_of(128 - code if code > 128 else code) if ended else None  # as a shell tells of a signal


class SocketStream(Descriptors):
    """One socket as a stream that owns it."""

    def __init__(self, end: socket.socket, beside: dict[int, Any]):
        super().__init__(end.fileno(), end.fileno(), beside)
        self.end = end

    def close(self) -> None:
        self.end.close()


def wait_for(fd: int, seconds: float, event: int = select.POLLIN) -> list[tuple[int, int]]:
    poll = select.poll()
    poll.register(fd, event)
    return poll.poll(seconds * 1000)
