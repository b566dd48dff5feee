"""Memory that arrays leave behind is kept for the next ones: a training step makes the same large arrays again and
again, and asking the system for them each time can take a third of the step.

    keep_freed_memory()                                 # once; `import gradschool` does it
"""

from __future__ import annotations

import numpy as np

LARGEST = 2**25 - 2**14  # bytes; glibc learns from no array above 32 MiB


def keep_freed_memory() -> None:
    """Let the C library keep up to 64 MiB of freed memory.

    glibc gives freed memory back to the system from a threshold on, which is at first 128 KiB; each page of it then
    has to be requested, and filled with zeros, once more. When a larger array is freed, glibc raises the threshold to
    twice its size (`man mallopt`, M_MMAP_THRESHOLD), so here is one that is never written to and costs microseconds.
    Other C libraries have other rules, and nothing changes.
    """
    np.empty(LARGEST, np.uint8)
