"""Landlock: from a moment on, this process can open only files below a few folders, whatever user it runs as.

The rules are collected once, in a descriptor, and many forked processes bind themselves by them. Kernels from 5.13 on.

    rules = Rules()                       # OSError where the kernel has no Landlock
    rules.allow("/usr/lib/python3.11")    # to read
    rules.bind()                          # for good; needs no_new_privs
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct

__all__ = ["Rules", "version"]

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
VERSION_FLAG = 1
PATH_BENEATH = 1

WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE = 1 << 1, 1 << 2, 1 << 3, 1 << 14
FILE_RIGHTS_OF = {1: 13, 2: 14, 3: 15, 5: 16}  # how many rights each version of the interface knows
NET_SINCE, NET_RIGHTS = 4, 0b11  # bind and connect of TCP
SCOPE_SINCE, SCOPES = 6, 0b11  # abstract Unix sockets, signals to processes outside

libc = ctypes.CDLL(None, use_errno=True)


def _call(number: int, *arguments: object) -> int:
    result = libc.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"Landlock: {os.strerror(code)}")
    return result


def version() -> int:
    """The version of the kernel's interface. OSError ENOSYS if not built in, EOPNOTSUPP if switched off at boot."""
    return _call(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(VERSION_FLAG))


class Rules:
    """A growing list of what may be opened. What it does not list is refused with EACCES."""

    def __init__(self) -> None:
        known = version()
        count = max(rights for since, rights in FILE_RIGHTS_OF.items() if since <= known)
        self.handled = (1 << count) - 1
        attributes = [self.handled]
        if known >= NET_SINCE:
            attributes.append(NET_RIGHTS)
        if known >= SCOPE_SINCE:
            attributes.append(SCOPES)
        data = struct.pack(f"={len(attributes)}Q", *attributes)
        self.fd = _call(CREATE_RULESET, data, ctypes.c_size_t(len(data)), ctypes.c_uint32(0))

    def allow(self, path: str, write: bool = False) -> None:
        """Reading below `path`, and for a file also writing into it. A path that does not exist is skipped."""
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            rights = READ_FILE | (WRITE_FILE | TRUNCATE if write else 0)
            if stat.S_ISDIR(os.fstat(fd).st_mode):
                rights |= READ_DIR
            rule = struct.pack("=Qi", rights & self.handled, fd)
            _call(ADD_RULE, ctypes.c_int(self.fd), ctypes.c_int(PATH_BENEATH), rule, ctypes.c_uint32(0))
        finally:
            os.close(fd)

    def bind(self, fd: int | None = None) -> None:
        """Bind this process and all it will start. `fd` is where the ruleset's descriptor was moved to, if it was."""
        _call(RESTRICT_SELF, ctypes.c_int(self.fd if fd is None else fd), ctypes.c_uint32(0))


def words(error: OSError) -> str:
    """Why there is no Landlock here."""
    if error.errno == errno.ENOSYS:
        return "this kernel has no Landlock"
    if error.errno == errno.EOPNOTSUPP:
        return "Landlock is switched off in this kernel's boot parameters"
    return error.strerror or str(error)
