"""An interpreter of the packet filters that seccomp takes: what the kernel would answer to a call, without a kernel.

    run(program, number=62, architecture=0xC000003E, arguments=[17, 9])   # 0x7fff0000, or whatever the filter returns

Source: Linux, Documentation/userspace-api/seccomp_filter.rst and include/uapi/linux/bpf_common.h.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

LOAD_WORD, LOAD_NUMBER, RETURN = 0x20, 0x00, 0x06
JUMP, IF_EQUAL, IF_GREATER, IF_AT_LEAST, IF_ANY_BIT = 0x05, 0x15, 0x25, 0x35, 0x45
AND = 0x54


def run(program: bytes, number: int, architecture: int, arguments: Sequence[int] = ()) -> int:
    """The value that the program returns for `struct seccomp_data` of this call."""
    padded = [a & 0xFFFF_FFFF_FFFF_FFFF for a in arguments] + [0] * (6 - len(arguments))
    data = struct.pack("<IIQ6Q", number & 0xFFFF_FFFF, architecture, 0, *padded)
    instructions = list(struct.iter_unpack("<HBBI", program))
    at = accumulator = 0
    while True:
        code, if_true, if_false, k = instructions[at]
        at += 1
        if code == RETURN:
            return k
        if code == LOAD_WORD:
            (accumulator,) = struct.unpack_from("<I", data, k)
        elif code == LOAD_NUMBER:
            accumulator = k
        elif code == AND:
            accumulator &= k
        elif code == JUMP:
            at += k
        else:
            holds = {
                IF_EQUAL: accumulator == k,
                IF_GREATER: accumulator > k,
                IF_AT_LEAST: accumulator >= k,
                IF_ANY_BIT: bool(accumulator & k),
            }[code]
            at += if_true if holds else if_false
