"""A worker is a process in which submitted code lives: it is asked, watched by the clock from outside, and replaced.

What it replies is a claim about a value and nothing else. Here stands what the judge may rely on; workers come from
`worker` (every system) and `sandbox` (Linux), and `probe.open_workers` chooses.

    with open_workers(helpers="HELPERS = {}") as workers, workers.fresh() as worker:
        worker.request({"op": "run", "cells": [[1, "def f(x): return 2 * x"]]}, seconds=5)
        worker.request({"op": "call", "target": "f", "args": [3.0], "kwargs": {}}, seconds=5)["value"]  # 6.0
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from .inside.wire import HEADER_CAP, PAYLOAD_CAP, Channel, Closed, Frame, Tampered, TimedOut, packed
from .observe import Broken

__all__ = [
    "Infrastructure", "Limits", "Worker", "WorkerDied", "WorkerTampered", "WorkerTimedOut", "Workers",
    "World",
]  # fmt: skip

PRINTED_CAP = 1 << 16
REPLIES_CAP = PAYLOAD_CAP + HEADER_CAP  # bytes to one request: a worker says of each further reply that it is too much
START_SECONDS = 60.0  # a cold disk, a virus scanner, a loaded machine: failing here is never the student's fault


# ----------------------------------------------------------------------------------------------- what can go wrong
class WorkerTimedOut(Broken):
    """No reply before the deadline; the worker was killed."""

    def __init__(self, seconds: float):
        super().__init__("timeout", f"No answer after {seconds:.3g} seconds: an endless loop?")


class WorkerDied(Broken):
    """The process ended in the middle of a request: `reason` is "segmentation fault", "exit code 3", "killed" ..."""

    def __init__(self, reason: str):
        super().__init__("died", f"The process ended: {reason}.")
        self.reason, self.killed = reason, reason == "killed"


class WorkerTampered(Broken):
    """Something arrived that our own code never sends; the worker was killed and a human should look."""

    def __init__(self, what: object):
        super().__init__("tampered", f"The worker's channel was tampered with: {what}.")


class Infrastructure(Broken):
    """The worker failed before any submitted code ran: our fault or the machine's, never the student's."""

    def __init__(self, message: str):
        super().__init__("infrastructure", message)


# --------------------------------------------------------------------------------------------------- the interface
@dataclass(frozen=True)
class Limits:
    """What one worker may use: bytes of address space, seconds of CPU in all, open files."""

    memory: int = 2 << 30
    cpu: int = 300
    files: int = 64


@dataclass(frozen=True)
class World:
    """What submitted code can import beside NumPy and the standard library, all of it public.

    modules       module name -> source text, such as the few library functions that chapters use in definitions
    placeholders  names whose import gives inert objects: figures and displays are not needed for grading
    helpers       source text that defines HELPERS, a dict from a name to a function of parameters
    """

    modules: Mapping[str, str] = field(default_factory=dict)
    placeholders: Iterable[str] = ()
    helpers: str = ""

    def setup(self, limits: Limits) -> dict[str, Any]:
        return {"modules": dict(self.modules), "placeholders": list(self.placeholders), "helpers": self.helpers,
                "limits": asdict(limits)}  # fmt: skip


class Process(Protocol):
    """The process behind a channel, as far as a worker needs it. `lost` if it died because ours did."""

    lost: bool

    def kill(self, grace: float = 0.0) -> str | None:
        """End it if it still runs after `grace` seconds, reap it, and say how it had ended by itself, None if not."""
        ...

    def printed(self) -> str: ...


class Worker:
    """One process for one submission: used once, one request at a time, dead after the first failure."""

    def __init__(self, channel: Channel, process: Process):
        self.channel, self.process = channel, process
        self.open = True

    def request(self, message: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The reply, within so many seconds. Raises WorkerTimedOut, WorkerDied or WorkerTampered, and then is closed.

        A message that cannot be sent raises WireError and costs nothing.
        """
        (frame,) = self.request_all(packed(message), 1, lambda: seconds)
        with self.failing(seconds):
            reply = frame.tree
            if type(reply) is not dict:
                raise Tampered("a reply that is no dict")
        return reply

    def request_all(self, message: list[Any], count: int, seconds: Callable[[], float]) -> Iterator[Frame]:
        """So many replies, unread, to a message that was packed, each within so many seconds after the one before."""
        if not self.open:
            raise Infrastructure("This worker was closed before; take a fresh one.")
        left, room = seconds(), REPLIES_CAP
        until = time.monotonic() + left
        with self.failing(left):
            id = self.channel.request(message, until)
        for number in range(count):
            if number:
                left = seconds()
                until = time.monotonic() + left
            with self.failing(left):
                frame = self.channel.reply(id, until)
                room -= frame.size
                if room < 0:
                    raise Tampered("more replies than a worker of ours ever sends")
            yield frame

    @contextlib.contextmanager
    def failing(self, seconds: float) -> Iterator[None]:
        """What fails ends the worker."""
        try:
            yield
        except TimedOut:
            self.close()
            raise WorkerTimedOut(seconds) from None
        except Tampered as error:
            self.close()
            raise WorkerTampered(error) from None
        except Closed:
            reason = self.close(grace=1.0)
            if self.process.lost:
                raise Infrastructure("The process from which workers are forked died.") from None
            if reason is None:
                raise WorkerTampered("it was closed by a process that lives on") from None
            raise WorkerDied(reason) from None
        except BaseException:  # Ctrl-C included: half a frame is left on the channel
            self.close()
            raise

    @property
    def printed(self) -> str:
        """What came on standard output and error so far, capped; feedback, never evidence."""
        return self.process.printed()

    def close(self, grace: float = 0.0) -> str | None:
        """Kill and reap. Says how the process had ended by itself, None if it was still running."""
        if not self.open:
            return None
        self.open = False
        reason = self.process.kill(grace)
        self.channel.close()
        return reason

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class Workers(Protocol):
    """A source of fresh workers. `mode` stands in every verdict: "AB", "B", "C" (sandboxed), "process" or "here"."""

    mode: str

    def fresh(self) -> Worker: ...
    def close(self) -> None: ...
    def __enter__(self) -> Any: ...
    def __exit__(self, *error: object) -> None: ...
