"""Property: the filter allows exactly the calls that it lists, by number, for this machine and for others."""

import ctypes
import os
import platform
import struct

import pytest
from bpf import RETURN, run

from gradschool_grader.inside import seccomp

try:
    LIBRARY = seccomp.library()
    MACHINES = sorted(seccomp.ARCHITECTURES)
except OSError:
    LIBRARY, MACHINES = None, []

NO_SUCH_CALL, REFUSED, ALLOWED = seccomp.NOT_THERE, seccomp.REFUSE, seccomp.ALLOW
ALWAYS = " ".join([seccomp.MEMORY, seccomp.FILES, seccomp.TIME, seccomp.ITSELF, seccomp.SIGNALS]).split()
SOME = ["kill", "tgkill", "open", "openat", "ioctl", "fcntl", "prlimit64"]  # allowed with some arguments
OLDER = ["clone3", "openat2"]

# Golden numbers from Linux: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
NUMBERS = {
    "x86_64": {
        "read": 0, "write": 1, "mmap": 9, "brk": 12, "socket": 41, "connect": 42, "sendto": 44, "clone": 56, "fork": 57,
        "vfork": 58, "execve": 59, "kill": 62, "ptrace": 101, "setuid": 105, "setsid": 112, "mknod": 133, "prctl": 157,
        "chroot": 161, "mount": 165, "init_module": 175, "tkill": 200, "openat": 257, "unshare": 272, "pipe2": 293,
        "process_vm_readv": 310, "memfd_create": 319, "bpf": 321, "userfaultfd": 323, "execveat": 322,
        "pidfd_send_signal": 424, "io_uring_setup": 425, "clone3": 435, "pidfd_getfd": 438, "memfd_secret": 447,
    },
    "aarch64": {
        "read": 63, "write": 64, "mmap": 222, "brk": 214, "socket": 198, "connect": 203, "sendto": 206, "clone": 220,
        "execve": 221, "kill": 129, "ptrace": 117, "setuid": 146, "setsid": 157, "mknodat": 33, "prctl": 167,
        "chroot": 51, "mount": 40, "init_module": 105, "tkill": 130, "openat": 56, "unshare": 97, "pipe2": 59,
        "process_vm_readv": 270, "memfd_create": 279, "bpf": 280, "userfaultfd": 282, "execveat": 281,
        "pidfd_send_signal": 424, "io_uring_setup": 425, "clone3": 435, "pidfd_getfd": 438, "memfd_secret": 447,
    },
}  # fmt: skip
HARMLESS = {"read", "write", "mmap", "brk"}


@pytest.fixture(scope="module", params=MACHINES)
def machine(request):
    return request.param


@pytest.fixture(scope="module")
def answer(machine):
    """What the filter of a machine answers to a call by its name or number."""
    program, architecture = seccomp.allow_list(machine), seccomp.ARCHITECTURES[machine]

    def ask(call, *arguments, architecture=architecture):
        number = call if isinstance(call, int) else number_of(machine, call)
        return run(program, number, architecture, arguments)

    return ask


def number_of(machine, call):
    return LIBRARY.seccomp_syscall_resolve_name_arch(seccomp.ARCHITECTURES[machine], call.encode())


def name_of(machine, number):
    resolve = LIBRARY.seccomp_syscall_resolve_num_arch
    resolve.restype, resolve.argtypes = ctypes.c_void_p, [ctypes.c_uint32, ctypes.c_int]
    found = resolve(seccomp.ARCHITECTURES[machine], number)
    return ctypes.string_at(found).decode() if found else ""


def test_every_number_is_allowed_if_it_is_listed_and_refused_if_not(machine, answer):
    """All numbers of the table and beyond it, with arguments that satisfy no rule."""
    for number in range(1000):
        name = name_of(machine, number)
        expected = ALLOWED if name in ALWAYS else NO_SUCH_CALL if name in OLDER else REFUSED
        if name not in SOME:
            assert answer(number, -1, -1, -1, -1, -1, -1) == expected, (number, name)


def test_the_numbers_are_those_of_the_kernels_tables(machine, answer):
    for name, number in NUMBERS[machine].items():
        expected = ALLOWED if name in HARMLESS else NO_SUCH_CALL if name == "clone3" else REFUSED
        arguments = (0, 0, os.O_TRUNC) if name == "openat" else ()
        if name != "kill":
            assert answer(number, *arguments) == expected, name
        assert name_of(machine, number) == name


def test_calls_in_the_numbering_of_another_architecture_end_the_process(machine, answer):
    for other in (0x40000003, 0x40000028, *seccomp.ARCHITECTURES.values(), 0):  # i386, arm, ...
        if other != seccomp.ARCHITECTURES[machine]:
            for number in (0, 1, 4, 59, 63, 221):
                assert answer(number, architecture=other) == seccomp.KILL


@pytest.mark.parametrize("x32", [name for name in MACHINES if name == "x86_64"])
def test_x32_has_the_same_architecture_and_other_numbers_and_ends_the_process_too(x32):
    program, bit = seccomp.allow_list(x32), 0x4000_0000
    for number in range(600):
        assert run(program, number + bit, seccomp.ARCHITECTURES[x32]) == seccomp.KILL


def test_opening_to_truncate_needs_the_right_to_write(answer, machine):
    for call, flags in (("openat", 2), *([("open", 1)] if machine == "x86_64" else [])):
        for mode in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
            for more in (0, os.O_TRUNC, os.O_CREAT, os.O_CREAT | os.O_TRUNC):
                expected = REFUSED if mode == os.O_RDONLY and more & os.O_TRUNC else ALLOWED
                assert answer(call, *[7] * flags, mode | more) == expected


def test_only_harmless_settings_of_descriptors_are_allowed(answer):
    for command in range(2000):
        expected = ALLOWED if command in seccomp.HARMLESS_FCNTLS.values() else REFUSED
        assert answer("fcntl", 3, command) == expected
    for request in range(0x5400, 0x5480):  # terminals: TIOCSTI, which types into one, among them
        expected = ALLOWED if request in seccomp.HARMLESS_IOCTLS.values() else REFUSED
        assert answer("ioctl", 0, request) == expected
    assert answer("ioctl", 0, 0x5401 | 1 << 32) == REFUSED  # the upper half counts, too


def test_limits_can_be_asked_for_and_not_set(answer):
    assert answer("prlimit64", 0, 7, 0, 0x1000) == ALLOWED
    assert answer("prlimit64", 0, 7, 0x1000, 0) == REFUSED
    assert answer("prlimit64", 17, 7, 0, 0x1000) == REFUSED


@pytest.mark.parametrize("here", [name for name in MACHINES if name == platform.machine()])
def test_signals_reach_the_process_itself_and_nobody_else(here):
    program, architecture = seccomp.only_own_signals(4711), seccomp.ARCHITECTURES[here]
    for call in ("kill", "tgkill"):
        for pid in (0, 1, -1, -4711, 4710, 4711 + (1 << 32)):
            assert run(program, number_of(here, call), architecture, [pid, 9]) == REFUSED, pid
        assert run(program, number_of(here, call), architecture, [4711, 9]) == ALLOWED


def test_every_path_through_the_program_ends_in_one_of_four_answers(machine):
    returns = {k for code, _, _, k in struct.iter_unpack("<HBBI", seccomp.allow_list(machine)) if code == RETURN}
    assert returns == {ALLOWED, REFUSED, NO_SUCH_CALL, seccomp.KILL}


@pytest.mark.parametrize("here", [name for name in MACHINES if name == platform.machine()])
def test_what_is_compiled_for_this_machine_is_what_it_gets_by_name(here):
    assert seccomp.allow_list() == seccomp.allow_list(here)


def test_the_filter_that_is_compiled_once_is_that_of_every_process():
    signals = seccomp.OwnSignals()
    for pid in (1, 255, 4711, seccomp.OwnSignals.SAMPLES[0], (1 << 22) - 1):
        assert signals.program(pid) == seccomp.only_own_signals(pid)
