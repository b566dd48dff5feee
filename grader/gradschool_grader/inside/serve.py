"""A worker's life: receive a request, let the performer do it, send the reply, until the channel closes.

What submitted code prints goes elsewhere and is capped on both sides, so that it can neither pollute a reply nor fill
anybody's memory.

    serve(channel, Performer(helpers))   # never returns: the process ends with the channel
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, Protocol

from .perform import Performer
from .wire import PAYLOAD_CAP, Channel, Closed, Descriptors, WireError, pack
from .world import build_world

PRINTED_CAP = 1 << 16
TOGETHER_SECONDS, TOGETHER_BYTES = 0.02, 1 << 16  # after which replies are sent


class Performs(Protocol):
    def replies(self, request: dict[str, Any]) -> Iterable[dict[str, Any]]: ...


def serve(channel: Channel, performer: Performs) -> NoReturn:
    """Answer requests for ever. Leaves by os._exit: no exit handler of the submission runs."""
    with contextlib.suppress(Closed):
        while True:
            frame = channel.frame()
            answer(channel, frame.id, performer.replies(frame.trusted_tree))
    os._exit(0)


def answer(channel: Channel, id: int, replies: Iterable[dict[str, Any]]) -> None:
    """Send each reply, quick ones together: the judge is woken once for them, and never much later than by each."""
    frames: list[Any] = []
    size, sent, room = 0, time.monotonic(), PAYLOAD_CAP
    for reply in replies:
        frame = fitting(reply, id, room)
        frames += frame
        size += sum(map(len, frame))
        room -= sum(map(len, frame))
        if size >= TOGETHER_BYTES or time.monotonic() - sent >= TOGETHER_SECONDS:
            flush()
            channel.stream.write(frames, None)
            frames, size, sent = [], 0, time.monotonic()
    flush()
    channel.stream.write(frames, None)


def fitting(reply: dict[str, Any], id: int, room: int) -> list[Any]:
    """The frame of a reply, if it can be sent and does not take more than is left for all of them."""
    try:
        frame = pack(reply, id)
        if sum(map(len, frame)) > room:
            raise WireError("ndarray", f"all answers of a group together have more than {PAYLOAD_CAP >> 20} MiB")
    except WireError as error:
        return pack(unsendable(error), id)
    return frame


def unsendable(error: WireError) -> dict[str, Any]:
    """The behaviour of a call whose value cannot travel: as if it had raised, with the reason in words."""
    message = f"returned a value of type {error.type_name} which cannot be compared: {error}"
    return {"value": None, "error": "Unsendable", "kinds": ["Unsendable"], "message": message}


def flush() -> None:
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        # the submission may have closed or replaced it with anything
        with contextlib.suppress(BaseException):
            stream.flush()  # type: ignore[union-attr]


class CappedRaw(io.RawIOBase):
    """Writes the first bytes to a descriptor and swallows the rest: printing much is no error."""

    def __init__(self, fd: int, cap: int = PRINTED_CAP):
        self.fd, self.left = fd, cap

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.fd

    def write(self, data: Any) -> int:
        if self.left > 0:
            with contextlib.suppress(OSError):  # the other side has read enough
                self.left -= os.write(self.fd, bytes(data[: self.left]))
        return len(data)


def cap_printing() -> None:
    """Line by line, so that the last words before a crash are not lost in a buffer."""
    for name, fd in (("stdout", 1), ("stderr", 2)):
        raw = io.BufferedWriter(CappedRaw(fd))
        stream = io.TextIOWrapper(raw, "utf-8", "backslashreplace", line_buffering=True)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def serve_standard_streams() -> None:
    """The portable worker: frames over what was standard input and output, which become /dev/null and standard error.

    The first frame is the set-up, answered by {"ready": True} once everything but submitted code has run.
    """
    channel = Channel(Descriptors(os.dup(0), os.dup(1)))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115  # lives as long as the process
    cap_printing()
    id, setup = channel.receive()
    limit_here(setup["limits"])
    performer = Performer(build_world(setup["modules"], setup["placeholders"], setup["helpers"]))
    channel.send({"ready": True}, id)
    serve(channel, performer)


def limit_here(limits: Mapping[str, int]) -> None:
    """Memory and CPU limits where the system has them: here they are a courtesy, no boundary."""
    try:
        import resource
    except ImportError:
        return
    for name in ("memory", "cpu"):
        kind = {"memory": resource.RLIMIT_AS, "cpu": resource.RLIMIT_CPU}[name]
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (limits[name], limits[name]))
