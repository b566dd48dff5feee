"""gradschool_course: the chapters, their exercises, and the command `gradschool`.

    from gradschool_course import course
    course.chapter("optimizers").exercise("adam")

The chapters are read when `course` is first asked for, so that the command answers at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .contents import course as course


def __getattr__(name: str) -> Any:
    if name != "course":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .contents import course

    globals()["course"] = course  # from now on an ordinary attribute
    return course
