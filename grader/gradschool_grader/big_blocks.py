"""Large blocks of memory go back to the system when they are freed, so that a long run does not grow.

    big_blocks_apart()

glibc gives each of at least M_MMAP_THRESHOLD bytes a mapping of its own, and raises that threshold to the largest that
was ever freed (mallopt(3)). Pages and notebooks of a class then share one heap with whatever is kept between them,
and it grows with each submission though nothing more is in use.
"""

from __future__ import annotations

import ctypes
import functools

__all__ = ["big_blocks_apart"]

M_MMAP_THRESHOLD = -3  # malloc.h
BYTES = 256 * 1024


@functools.cache
def big_blocks_apart() -> bool:
    """For the rest of this process. False where the C library has no such setting."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # macOS, Windows
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, BYTES))
