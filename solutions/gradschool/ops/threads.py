"""Work shared out among threads: NumPy gives up Python's lock in its long calls, so that several can run at a time.

    each(block, blocks)                                 # block(item) for every item, in any order and place

There are as many threads as BLAS may use, whether the environment said so (OPENBLAS_NUM_THREADS, OMP_NUM_THREADS) or
a program while it ran. None is started before there is work for it. Results do not depend on how many there are, if
`block` writes to places of its own.
"""

from __future__ import annotations

import contextvars
import ctypes
import functools
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

# what OpenBLAS calls it, in NumPy's own build and in others
QUESTIONS = tuple(f"{maker}openblas_get_num_threads{bits}" for maker in ("scipy_", "") for bits in ("64_", ""))


def each(f: Callable[[Any], object], items: Sequence[Any]) -> None:
    """f(item) for all items. An exception ends the thread that it comes up in, and is raised when all have ended."""
    threads = min(len(items), blas_threads()) if len(items) > 1 else 1
    left = iter(items)

    def work() -> None:
        for item in left:  # whoever comes next takes the next one
            f(item)

    helpers = [helper_threads(os.getpid(), threads - 1).submit(in_context(), work) for _ in range(threads - 1)]
    try:
        work()
    finally:
        failed = [helper.exception() for helper in helpers if not helper.cancel()]
    for error in filter(None, failed):
        raise error


def in_context() -> Callable[..., Any]:
    """Runs a function with what is set here, such as `np.errstate`."""
    return contextvars.copy_context().run


@functools.cache
def helper_threads(process: int, n: int) -> Any:
    """They belong to a process: one made by a fork has none of its parent's threads."""
    from concurrent.futures import ThreadPoolExecutor  # brings logging, which an import need not wait for

    return ThreadPoolExecutor(n, thread_name_prefix="gradschool")


def blas_threads() -> int:
    """How many threads BLAS may use now; 1 where it is not OpenBLAS, which can be asked."""
    return max(1, question()())


def one_openblas_thread() -> bool:
    """Whether BLAS is OpenBLAS and may use a single thread."""
    return question() is not unknown and blas_threads() == 1


def unknown() -> int:
    return 1


@functools.cache
def question() -> Callable[[], int]:
    core = sys.modules.get("numpy._core._multiarray_umath") or sys.modules.get("numpy.core._multiarray_umath")
    try:
        library = ctypes.CDLL(getattr(core, "__file__", None) or "")  # finds what it is linked with, too
    except OSError:
        return unknown
    return next((getattr(library, name) for name in QUESTIONS if hasattr(library, name)), unknown)
