"""A full disk, said as that: which disk it is, what is free on it, and that the same command goes on afterwards.

with naming_the_disk(folder):
    path.write_text(...)              # raises DiskFull where the system raises one of five things
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

__all__ = ["DiskFull", "is_full", "naming_the_disk", "says_when_full"]

P = ParamSpec("P")
R = TypeVar("R")

FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))  # the disk, a limit on files, a quota
FULL_DATABASE = ("database or disk is full", "disk I/O error")  # as SQLite says it


class DiskFull(RuntimeError):
    """Nothing more can be written to the disk that holds a course; what was written is whole."""

    def __init__(self, folder: Path, why: str):
        mount = folder.resolve()
        while not os.path.ismount(mount) and mount != mount.parent:
            mount = mount.parent
        space = shutil.disk_usage(mount)
        super().__init__(
            f"Nothing more can be written to the disk at {mount}, which holds {folder}: {why}. {size(space.free)} of "
            f"{size(space.total)} are free. Make room and give the same command again: what was judged and recorded is "
            "kept."
        )


def size(n: int) -> str:
    """In the unit in which it has at most three digits."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if n < 1000:
            return f"{n} {unit}"
        n //= 1000
    return f"{n} TB"


def is_full(error: BaseException) -> bool:
    """Whether the error says that nothing more could be written."""
    if isinstance(error, OSError):
        return error.errno in FULL
    said = f"{type(error).__name__}: {error}"  # nbgrader's own error repeats the database's
    return "OperationalError" in said and any(words in said for words in FULL_DATABASE)


@contextlib.contextmanager
def naming_the_disk(folder: Path | str) -> Iterator[None]:
    """Raises DiskFull for what a full disk makes of anything that writes into the folder."""
    try:
        yield
    except Exception as error:
        if not is_full(error):
            raise
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error).partition("\n")[0]
        raise DiskFull(Path(folder), why) from error


def says_when_full(
    verb: Callable[Concatenate[Path | str, P], R],
) -> Callable[Concatenate[Path | str, P], R]:
    """For a function whose first argument is the folder that it writes into."""

    @functools.wraps(verb)
    def saying(directory: Path | str, *args: P.args, **kwargs: P.kwargs) -> R:
        with naming_the_disk(directory):
            return verb(directory, *args, **kwargs)

    return saying
