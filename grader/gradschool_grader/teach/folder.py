"""The files that come beside a notebook: nbgrader copies them all, through links, and formgrader serves them.

    tidy(folder)        # before nbgrader copies: links, pipes and devices out, a date that is none aside
    disarm(folder)      # after it copied: what a browser would run gets a name under which it is shown as text

`before_autograde` is the first one as nbgrader's hook, for its own command and formgrader's button.
"""

from __future__ import annotations

import mimetypes
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from nbgrader.utils import parse_utc

__all__ = ["before_autograde", "date_as", "disarm", "is_made_of", "tidy"]

SHOWN = {"text/plain", "text/csv", "text/markdown", "text/x-python", "application/json", "application/pdf",
         "application/zip",
         "image/png", "image/jpeg", "image/gif"}  # fmt: skip
LARGEST_DATE = 100  # bytes


def tidy(folder: Path) -> None:
    """Take from a submission what is no file of its own. A link would be copied as what it leads to, without end for
    some; the notebooks themselves are read without following any."""
    for path, kind in inside(folder):
        if not stat.S_ISREG(kind.st_mode) and not (path.suffix == ".ipynb" and path.parent == folder):
            path.unlink()
    date = folder / "timestamp.txt"
    if date.is_file() and not is_date(date):
        date.rename(folder / "timestamp.txt.unreadable")


def is_date(file: Path) -> bool:
    """Whether nbgrader can read it as the time of handing in; what it cannot read would stop it."""
    try:
        with file.open("rb") as opened:
            text = opened.read(LARGEST_DATE + 1).decode("ascii").strip()
        return not text or (len(text) <= LARGEST_DATE and parse_utc(text) is not None)
    except (OSError, OverflowError, ValueError):
        return False


def date_as(made: Path, source: Path) -> None:
    """Give a file the date of what it was made of. Whether it is up to date is then no question of clocks, which can be
    set back: the dates are the same, or they are not."""
    date = source.stat().st_mtime_ns
    os.utime(made, ns=(date, date))


def is_made_of(made: Path, source: Path) -> bool:
    """Whether a file is there and was made of this one, as it is now."""
    return made.is_file() and made.stat().st_mtime_ns == source.stat().st_mtime_ns


def disarm(folder: Path, kept: Iterable[Path] = ()) -> None:
    """Give `.txt` to the names of all files but harmless kinds, notebooks and those in `kept`: `a.html` as `a.html.txt`
    is text to a browser, with the name that the student gave it still to be read."""
    ours = set(kept)
    for path, _ in list(inside(folder)):
        kind, packed = mimetypes.guess_type(path.name)
        harmless = kind in SHOWN or (kind is None and packed is None)
        if path.suffix != ".ipynb" and path.relative_to(folder) not in ours and not harmless:
            path.rename(path.with_name(f"{path.name}.txt"))


def inside(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Everything below a folder but folders; a link to a folder is a link."""
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place, name)
            kind = path.lstat()
            if not stat.S_ISDIR(kind.st_mode):
                yield path, kind


def before_autograde(notebooks: list[str], **_: Any) -> None:
    """nbgrader calls it for each submission, before it copies anything."""
    for folder in {Path(notebook).parent for notebook in notebooks}:
        tidy(folder)
