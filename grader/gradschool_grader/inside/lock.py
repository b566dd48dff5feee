"""Locking a forked child before submitted code runs: session, limits, Landlock, seccomp, each by itself a layer.

What can be prepared is prepared once in the zygote, so that locking a child costs a fraction of a millisecond.

    locks = Locks({"memory": 2 << 30, "cpu": 300, "files": 64}, readable=["/usr/lib/python3.11/os.py", ...])
    locks.missing                 # {"landlock": "this kernel has no Landlock"}: layers that cannot be had, and why
    locks.apply(locks.LAYERS)     # in the child; raises rather than leave one out
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from collections.abc import Iterable, Mapping

from . import landlock, seccomp

SET_PDEATHSIG, SET_NO_NEW_PRIVS, DROP_FROM_BOUNDING_SET = 1, 38, 24
CAPABILITY_VERSION = 0x20080522
LAST_CAPABILITY, DAC_READ_SEARCH = 63, 2

libc = ctypes.CDLL(None, use_errno=True)


class Locks:
    """The prepared locks of a zygote."""

    LAYERS = ("session", "limits", "landlock", "seccomp")

    def __init__(self, limits: Mapping[str, int], readable: Iterable[str]):
        self.limits = limits
        self.missing: dict[str, str] = {}
        self.allow_list, self.own_signals = b"", None
        self._seccomp()
        self.rules = self._landlock(readable)

    def _seccomp(self) -> None:
        try:
            self.allow_list, self.own_signals = seccomp.allow_list(), seccomp.OwnSignals()
        except (OSError, AttributeError) as error:
            self.missing["seccomp"] = f"libseccomp cannot be used ({error})"

    def _landlock(self, readable: Iterable[str]) -> landlock.Rules | None:
        try:
            rules = landlock.Rules()
            for path in readable:
                rules.allow(path)
            rules.allow(os.devnull, write=True)
        except OSError as error:
            self.missing["landlock"] = landlock.words(error)
            return None
        return rules

    @property
    def fd(self) -> int | None:
        return None if self.rules is None else self.rules.fd

    def apply(self, layers: Iterable[str], ruleset_fd: int | None) -> None:
        """Lock this process, which must be a child of the zygote. An error in any layer is raised: fail closed."""
        wanted = set(layers)
        if wanted & set(self.missing):
            raise OSError(f"layers that cannot be had: {sorted(wanted & set(self.missing))}")
        filters = []
        if "seccomp" in wanted and self.own_signals is not None:
            filters = [self.own_signals.program(os.getpid()), self.allow_list]
        if "session" in wanted and os.getsid(0) != os.getpid():
            os.setsid()  # or kill(0, 9) reaches the zygote, and through it every submission after this one
        if "limits" in wanted:
            set_limits(self.limits)
        set_no_new_privileges()
        if "landlock" in wanted and self.rules is not None:
            self.rules.bind(ruleset_fd)
        for program in filters:
            seccomp.install(program)


def set_limits(limits: Mapping[str, int]) -> None:
    table = {
        resource.RLIMIT_AS: limits["memory"], resource.RLIMIT_CPU: limits["cpu"],
        resource.RLIMIT_NOFILE: limits["files"],
        resource.RLIMIT_FSIZE: 0, resource.RLIMIT_NPROC: 0, resource.RLIMIT_CORE: 0, resource.RLIMIT_MEMLOCK: 0,
    }  # fmt: skip
    if sys.platform == "linux":
        table[resource.RLIMIT_MSGQUEUE] = 0
    for kind, wanted in table.items():
        _, hard = resource.getrlimit(kind)
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(kind, (limit, limit))


def set_no_new_privileges() -> None:
    if libc.prctl(SET_NO_NEW_PRIVS, ctypes.c_ulong(1), 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no_new_privs was refused")


def die_with(parent: int) -> None:
    """Be killed when the parent dies, also if it is dead already."""
    libc.prctl(SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def drop_capabilities(keep_search: bool) -> None:
    """Root without its powers: it owns its files and can do no more than any owner.

    `keep_search` keeps what an import needs where Python lies in a folder that another user has closed.
    """
    kept = 1 << DAC_READ_SEARCH if keep_search else 0
    for number in range(LAST_CAPABILITY + 1):
        libc.prctl(DROP_FROM_BOUNDING_SET, ctypes.c_ulong(number), 0, 0, 0)  # refused to an ordinary user: has none
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)(kept, kept)  # effective, permitted, inheritable; then the same for the upper half
    with contextlib.suppress(AttributeError):  # a libc without the wrapper: Landlock and seccomp hold root as well
        libc.capset(header, sets)
