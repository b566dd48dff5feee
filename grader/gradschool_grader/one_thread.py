"""Judging uses one BLAS thread: its products are so small that threads cost time, and they change the last digits.

with one_blas_thread():
    ...
"""

from __future__ import annotations

import functools
from contextlib import AbstractContextManager

from threadpoolctl import ThreadpoolController  # scikit-learn brings it

__all__ = ["one_blas_thread"]


def one_blas_thread() -> AbstractContextManager[object]:
    """In this process, whatever its environment says, until the block ends."""
    return controller().limit(limits=1, user_api="blas")


@functools.cache
def controller() -> ThreadpoolController:
    """It looks through all loaded libraries, which takes milliseconds: once a process."""
    return ThreadpoolController()
