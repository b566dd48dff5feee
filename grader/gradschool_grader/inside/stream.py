"""A stream is where the bytes of a channel come from and go to; whoever waits for it can say until when.

stream = Descriptors(read_fd, write_fd)
stream.write([b"abc"], deadline=time.monotonic() + 1)          # TimedOut or Closed otherwise
n = stream.read_into([memoryview(bytearray(99))], deadline=None)   # waits for ever; 0 at the end
"""

from __future__ import annotations

import math
import os
import select
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

__all__ = ["Closed", "Descriptors", "Stream", "TimedOut", "joined"]

MOST_VIEWS = 512  # that one system call fills


class TimedOut(Exception):
    """The other side did not finish a frame before the deadline."""


class Closed(Exception):
    """The other side is gone."""


class Stream(Protocol):
    """Where bytes come from and go to. `deadline` is a time of time.monotonic(), None for ever."""

    def read_into(self, views: Sequence[memoryview], deadline: float | None) -> int:
        """Wait for at least one byte, fill the views one after another, and return how many bytes came in all; 0 at the
        end of the stream. There may be more in it than came at once."""
        ...

    def write(self, buffers: Iterable[Any], deadline: float | None) -> None: ...

    def pending(self) -> bool:
        """Whether a byte, or the end, could be read now."""
        ...

    def close(self) -> None: ...


def joined(buffers: Iterable[Any]) -> list[Any]:
    """Small buffers in one piece, large ones as they are: a frame of a few numbers is one system call."""
    pieces: list[Any] = [bytearray()]
    for buffer in buffers:
        if len(buffer) < 1 << 16:
            if type(pieces[-1]) is not bytearray:
                pieces.append(bytearray())
            pieces[-1] += buffer
        else:
            pieces.append(buffer)
    return pieces


def read_some(fd: int, views: Sequence[memoryview]) -> int:
    if hasattr(os, "readv"):
        return os.readv(fd, views[:MOST_VIEWS])
    data = os.read(fd, min(len(views[0]), 1 << 18))  # Windows
    views[0][: len(data)] = data
    return len(data)


class Descriptors:
    """A stream over two POSIX descriptors (or one socket given twice), watched by poll while it waits.

    Without deadlines it only reads and writes, so that the child's side works everywhere. `beside` maps further
    descriptors to functions that are called when those become readable: a printing child must not block.
    """

    def __init__(self, read_fd: int, write_fd: int, beside: dict[int, Callable[[], None]] | None = None):
        self.read_fd, self.write_fd = read_fd, write_fd
        self.beside = {} if beside is None else beside
        self.waits = not hasattr(os, "get_blocking") or os.get_blocking(read_fd)  # whether reading may wait for ever

    def read_into(self, views: Sequence[memoryview], deadline: float | None) -> int:
        if deadline is not None and self.waits:
            self._wait(self.read_fd, "read", deadline)
        while True:
            try:
                return read_some(self.read_fd, views)
            except ConnectionError:
                return 0
            except BlockingIOError:  # most of a frame is there when its beginning is: waiting comes second
                if deadline is None:
                    raise
                self._wait(self.read_fd, "read", deadline)

    def write(self, buffers: Iterable[Any], deadline: float | None) -> None:
        for buffer in joined(buffers):
            view = memoryview(buffer)
            while view:
                if deadline is not None:
                    self._wait(self.write_fd, "write", deadline)
                try:
                    view = view[os.write(self.write_fd, view) :]
                except BlockingIOError:
                    continue
                except OSError:
                    raise Closed("the other side closed the channel") from None

    def pending(self) -> bool:
        try:
            self._wait(self.read_fd, "read", time.monotonic())
        except TimedOut:
            return False
        return True

    def _wait(self, fd: int, way: str, deadline: float) -> None:
        while True:
            poll = select.poll()
            poll.register(fd, select.POLLIN if way == "read" else select.POLLOUT)
            for other in self.beside:
                poll.register(other, select.POLLIN)
            left = max(0.0, deadline - time.monotonic())
            ready = dict(poll.poll(math.ceil(left * 1000)))
            for other in [other for other in ready if other != fd]:
                self.beside[other]()
            if fd in ready:
                return
            if time.monotonic() >= deadline:
                raise TimedOut("no answer in time")

    def close(self) -> None:
        for fd in {self.read_fd, self.write_fd}:
            os.close(fd)
