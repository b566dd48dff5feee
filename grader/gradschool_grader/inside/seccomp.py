"""seccomp: from a moment on, the kernel answers only the system calls that computing needs; all others give EPERM.

libseccomp writes the filters, this module says what they allow: memory, reading, time, its own signals. No new
process, thread, program, socket, signal to others, or change of any file. A call in the numbering of another
architecture (32 bits, x32) ends the process: what its numbers mean was not judged.

    computing = allow_list()     # built once
    install(OwnSignals().program(os.getpid()))
    install(computing)           # for good; needs no_new_privs
    allow_list("aarch64")        # for the tests: the same list as another machine gets it
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Callable, Iterable
from typing import NamedTuple

__all__ = ["OwnSignals", "allow_list", "install", "only_own_signals"]

MEMORY = "brk mmap mprotect munmap mremap madvise"
FILES = """read readv pread64 preadv write writev pwrite64 pwritev close close_range lseek fadvise64 dup dup2 dup3
    fstat newfstatat stat lstat statx access faccessat faccessat2 readlink readlinkat getdents64 getcwd
    poll ppoll select pselect6"""
TIME = (
    "clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time times getrusage setitimer getitimer alarm"
)
ITSELF = """getpid getppid gettid getuid geteuid getgid getegid getgroups getresuid getresgid getpgrp getpgid getsid
    getrlimit uname sysinfo sched_getaffinity sched_yield getcpu umask getrandom futex restart_syscall
    exit exit_group"""
SIGNALS = "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait sigaltstack pause"

HARMLESS_IOCTLS = {"TCGETS": 0x5401, "TIOCGWINSZ": 0x5413, "FIONREAD": 0x541B, "FIONCLEX": 0x5450, "FIOCLEX": 0x5451}
HARMLESS_FCNTLS = {"F_DUPFD": 0, "F_GETFD": 1, "F_SETFD": 2, "F_GETFL": 3, "F_SETFL": 4, "F_DUPFD_CLOEXEC": 1030}

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # AUDIT_ARCH_... of linux/audit.h
ALLOW = 0x7FFF0000
KILL = 0x80000000
REFUSE = 0x00050000 | errno.EPERM
NOT_THERE = 0x00050000 | errno.ENOSYS  # libc then takes the older call, which is judged by its own rule
NOT_EQUAL, EQUAL, MASKED_EQUAL = 1, 4, 7
BAD_ARCHITECTURE = 2
OPTIMIZE, AS_TREE = 8, 2  # a binary tree instead of a hundred comparisons in a row
SET_SECCOMP, FILTER_MODE = 22, 2


class Compare(ctypes.Structure):
    """One argument of a call against a number, as libseccomp declares it."""

    _fields_ = (("argument", ctypes.c_uint), ("how", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64))


class Program(ctypes.Structure):
    """What the kernel takes: a count of 8-byte instructions and where they are."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


class Rule(NamedTuple):
    """For these calls, if all comparisons hold, this action."""

    calls: str
    compare: tuple[Compare, ...] = ()
    action: int = ALLOW


libc = ctypes.CDLL(None, use_errno=True)


def library() -> ctypes.CDLL:
    """libseccomp. OSError if it is not installed."""
    lib = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    lib.seccomp_init.restype = ctypes.c_void_p
    lib.seccomp_init.argtypes = [ctypes.c_uint32]
    lib.seccomp_release.argtypes = [ctypes.c_void_p]
    lib.seccomp_arch_native.restype = ctypes.c_uint32
    lib.seccomp_arch_add.argtypes = lib.seccomp_arch_remove.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
    lib.seccomp_syscall_resolve_name_arch.argtypes = [ctypes.c_uint32, ctypes.c_char_p]
    lib.seccomp_attr_set.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_uint32]
    lib.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p,
    ]  # fmt: skip
    lib.seccomp_export_bpf.argtypes = [ctypes.c_void_p, ctypes.c_int]
    return lib


def opening(call: str, flags: int) -> list[Rule]:
    """Opening is left to the layers that know paths, but for truncating through a descriptor opened to read: Landlock
    before version 3 does not see that."""

    def masked(mask: int, value: int) -> tuple[Compare, ...]:
        return (Compare(flags, MASKED_EQUAL, mask, value),)

    return [Rule(call, masked(os.O_TRUNC, 0)), Rule(call, masked(os.O_ACCMODE, os.O_WRONLY)),
            Rule(call, masked(os.O_ACCMODE, os.O_RDWR))]  # fmt: skip


def allow_list(machine: str = "") -> bytes:
    """What computing with NumPy needs, as a program for `install`; for this machine, or one of ARCHITECTURES."""
    rules = [Rule(" ".join([MEMORY, FILES, TIME, ITSELF, SIGNALS])), Rule("kill tgkill")]
    rules += opening("open", 1) + opening("openat", 2)
    rules += [Rule("ioctl", (Compare(1, EQUAL, number, 0),)) for number in HARMLESS_IOCTLS.values()]
    rules += [Rule("fcntl", (Compare(1, EQUAL, number, 0),)) for number in HARMLESS_FCNTLS.values()]
    # asking for its own limits; F_SETOWN and setting another's limits are ways to reach other processes
    rules += [Rule("prlimit64", (Compare(0, EQUAL, 0, 0), Compare(2, EQUAL, 0, 0)))]
    rules += [Rule("clone3 openat2", action=NOT_THERE)]
    return compiled(REFUSE, rules, machine)


def only_own_signals(pid: int) -> bytes:
    """Signals to anybody but this process are refused: not its group, not its parent, not everybody."""
    return compiled(ALLOW, [Rule("kill tgkill", (Compare(0, NOT_EQUAL, pid, 0),), REFUSE)])


class OwnSignals:
    """`only_own_signals` for any process, compiled once: what differs between two processes is one number."""

    SAMPLES = 0x1A2B3C, 0x3D2E1F  # process numbers that stand nowhere else in the program

    def __init__(self) -> None:
        self.sample = only_own_signals(self.SAMPLES[0])
        if self.program(self.SAMPLES[1]) != only_own_signals(self.SAMPLES[1]):
            raise OSError("libseccomp compiled two filters that differ in one number to different programs")

    def program(self, pid: int) -> bytes:
        return self.sample.replace(struct.pack("=I", self.SAMPLES[0]), struct.pack("=I", pid))


_library: list[ctypes.CDLL] = []


def compiled(default: int, rules: Iterable[Rule], machine: str = "") -> bytes:
    if not _library:
        _library.append(library())
    lib = _library[0]
    native = lib.seccomp_arch_native()
    wanted = ARCHITECTURES[machine] if machine else native
    context = lib.seccomp_init(default)
    if not context:
        raise OSError("libseccomp gave no context for this architecture")
    try:
        lib.seccomp_attr_set(context, OPTIMIZE, AS_TREE)  # libseccomp before 2.5 does not know it: slower, no less safe
        lib.seccomp_attr_set(context, BAD_ARCHITECTURE, KILL)  # not known: the thread is killed, and there is but one
        if wanted != native and (lib.seccomp_arch_add(context, wanted) or lib.seccomp_arch_remove(context, native)):
            raise OSError(f"libseccomp does not know the architecture {machine}")
        for rule in rules:
            _add(lib, context, rule, wanted)
        return _exported(lambda fd: lib.seccomp_export_bpf(context, fd))
    finally:
        lib.seccomp_release(context)


def _add(lib: ctypes.CDLL, context: int, rule: Rule, architecture: int) -> None:
    comparisons = (Compare * len(rule.compare))(*rule.compare)
    for call in rule.calls.split():
        if lib.seccomp_syscall_resolve_name_arch(architecture, call.encode()) < 0:
            continue  # the architecture does not have it, so it need not be allowed
        number = lib.seccomp_syscall_resolve_name(call.encode())  # libseccomp translates from this machine's numbers
        failed = lib.seccomp_rule_add_array(context, rule.action, number, len(rule.compare), comparisons)
        if failed:
            raise OSError(-failed, f"libseccomp refused the rule for {call}: {os.strerror(-failed)}")


def _exported(export: Callable[[int], int]) -> bytes:
    fd = os.memfd_create("filter")
    try:
        failed = export(fd)
        if failed:
            raise OSError(-failed, f"libseccomp could not write the filter: {os.strerror(-failed)}")
        return os.pread(fd, 1 << 20, 0)
    finally:
        os.close(fd)


def install(program: bytes) -> None:
    """Bind this process by the program, for good. Several programs add up: the strictest answer counts."""
    data = ctypes.create_string_buffer(program, len(program))
    head = Program(len(program) // 8, ctypes.cast(data, ctypes.c_void_p))
    if libc.prctl(SET_SECCOMP, ctypes.c_ulong(FILTER_MODE), ctypes.byref(head), 0, 0):
        code = ctypes.get_errno()
        raise OSError(code, f"seccomp: {os.strerror(code)}")
