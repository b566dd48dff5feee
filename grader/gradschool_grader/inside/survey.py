"""A survey lists the files that Python and NumPy need to start: the whole content of the sandbox's root file system.

python ... main.py NUMPY survey   # {"path": [...], "libraries": ["/lib/x86_64-linux-gnu/libc.so.6", ...]}
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import sys

from . import seccomp, zygote


class Loaded(ctypes.Structure):
    """The head of dl_phdr_info: where an object was loaded and under which name it was found."""

    _fields_ = (("address", ctypes.c_void_p), ("name", ctypes.c_char_p))


def libraries() -> list[str]:
    """Shared objects of this process, by the names under which the loader looked for them."""
    names: list[str] = []

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Loaded), ctypes.c_size_t, ctypes.c_void_p)
    def note(info, size, data):  # type: ignore[no-untyped-def]
        name = os.fsdecode(info.contents.name or b"")
        if os.path.exists(name):  # the kernel's own object has no file
            names.append(os.path.abspath(name))
        return 0

    ctypes.CDLL(None).dl_iterate_phdr(note, None)
    return names


def report(numpy_folder: str) -> None:
    zygote.preload()
    with contextlib.suppress(OSError):  # the zygote says so, when it is asked for the layer
        seccomp.library()
    path = [entry for entry in sys.path if os.path.exists(entry)]
    print(json.dumps({"path": path, "numpy": numpy_folder, "libraries": libraries()}))
