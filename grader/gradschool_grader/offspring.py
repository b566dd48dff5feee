"""Processes that end with the one that started them, also when it was killed outright and could tell nobody.

    ProcessPoolExecutor(2, mp_context=get_context("spawn"), initializer=end_with_parent)

Nothing else would end the workers of a pool: each of them holds the queue's other end open, too.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading

__all__ = ["end_with_parent", "leave_at_once"]


def end_with_parent() -> None:
    """Begin to wait for the parent's end, in a thread. Nothing to do in a first process."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        assert parent is not None
        parent.join()
        os._exit(1)

    if parent is not None:
        threading.Thread(target=wait, daemon=True).start()


def leave_at_once() -> None:
    """The same, and end without a word at Ctrl-C: which reaches every process of a terminal."""
    signal.signal(signal.SIGINT, lambda number, frame: os._exit(130))
    end_with_parent()
