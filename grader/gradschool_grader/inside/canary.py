"""A canary tries, in the place of a submission, what a submission must not do, and says what happened.

Canary().handle({"secret": "/etc/passwd"})   # {"read": "EACCES"}, or {"read": "done"} where nothing holds it
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import socket
from collections.abc import Callable
from typing import Any


def read(request: dict[str, Any]) -> None:
    with open(request["secret"], "rb") as file:
        file.read(1)


def write(request: dict[str, Any]) -> None:
    with open(os.path.join(request["folder"], "canary"), "wb") as file:
        file.write(b"x")


def connect(request: dict[str, Any]) -> None:
    with socket.create_connection(("127.0.0.1", request["port"]), timeout=2):
        pass


def local_socket(request: dict[str, Any]) -> None:
    with socket.socket(socket.AF_UNIX) as end:
        end.connect(request["socket"])


def signals(request: dict[str, Any]) -> None:
    os.kill(request["process"], 0)


def execute(request: dict[str, Any]) -> None:
    """The program does not exist, so that a kernel which would run it says so and nothing more."""
    try:
        os.execv(os.path.join(os.sep, "no", "such", "program"), ["x"])
    except FileNotFoundError:
        return


def fork(request: dict[str, Any]) -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def memory(request: dict[str, Any]) -> None:
    mmap.mmap(-1, request["memory"]).close()


def descriptors(request: dict[str, Any]) -> None:
    """One more than a worker may have open."""
    opened: list[int] = []
    try:
        while len(opened) <= request["files"]:
            opened.append(os.dup(0))
    finally:
        for fd in opened:
            os.close(fd)


def namespace(request: dict[str, Any]) -> None:
    """A user namespace would give back the powers of root inside it. Asked for by a child: it would be for good."""
    pid = os.fork()
    if pid == 0:
        os._exit(1 if ctypes.CDLL(None).unshare(NEW_USER) else 0)
    if os.waitpid(pid, 0)[1]:
        raise PermissionError(errno.EPERM, "no namespace")


def trace(request: dict[str, Any]) -> None:
    """The memory of the process that started this one, read as a debugger reads it."""
    place = ctypes.create_string_buffer(8)
    here = (ctypes.c_void_p * 2)(ctypes.addressof(place), 8)
    there = (ctypes.c_void_p * 2)(id(None), 8)  # a zygote and its children have it at the same address
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.process_vm_readv(os.getppid(), here, ctypes.c_ulong(1), there, ctypes.c_ulong(1), ctypes.c_ulong(0)) < 0:
        raise OSError(ctypes.get_errno(), "not read")


def session(request: dict[str, Any]) -> None:
    """Its group is its own, or a signal to the group reaches others."""
    if os.getpgrp() == os.getpid():
        raise PermissionError(errno.EPERM, "alone in its group")


NEW_USER = 0x10000000

ATTEMPTS: dict[str, Callable[[dict[str, Any]], None]] = {
    "read": read, "write": write, "connect": connect, "local socket": local_socket, "signal": signals,
    "execute": execute, "fork": fork, "memory": memory, "descriptors": descriptors,
    "namespace": namespace, "trace": trace, "session": session,
}  # fmt: skip


class Canary:
    """Answers a request with what became of each attempt: "done", or the name of the error."""

    def replies(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        return [self.handle(request)]

    def handle(self, request: dict[str, Any]) -> dict[str, Any]:
        return {name: self.outcome(attempt, request) for name, attempt in ATTEMPTS.items()}

    @staticmethod
    def outcome(attempt: Callable[[dict[str, Any]], None], request: dict[str, Any]) -> str:
        try:
            attempt(request)
        except OSError as error:
            return errno.errorcode.get(error.errno or 0, type(error).__name__)
        return "done"
