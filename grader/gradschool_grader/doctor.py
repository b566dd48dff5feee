"""What this machine can do: Python and its packages, nbgrader, and the layers of the sandbox, each tried.

for finding in examine(courses):
    print(finding.what, finding.fine, finding.words)
    print(finding.get)                   # how to get what is missing
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .course import Course
from .probe import MODES as SANDBOXES
from .probe import Capabilities, probe
from .report import MODES

__all__ = ["Finding", "examine"]

LEAST = {"Python": (3, 11), "numpy": (1, 26)}


@dataclass(frozen=True)
class Finding:
    """One fact. `fine` is None for what is good to know and neither good nor bad; `for_what` says who needs it."""

    what: str
    fine: bool | None
    words: str
    get: str = ""
    for_what: str = ""
    data: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {"what": self.what, "fine": self.fine, "words": self.words, "get": self.get, **self.data}


def examine(courses: Iterable[Course]) -> Iterator[Finding]:
    """Finding by finding; the sandbox takes a second or two."""
    yield machine()
    yield python()
    yield numpy()
    yield from (package(*needed) for needed in PACKAGES)
    yield alembic()
    yield from (course_of(course) for course in courses)
    yield from sandbox(probe())


# --------------------------------------------------------------------------------------------- system and packages
PACKAGES = (
    ("jupyterlab", "the notebooks", "pip install gradschool"),
    ("matplotlib", "the figures", "pip install gradschool"),
    ("sklearn", "the data", "pip install gradschool"),
    ("nbgrader", "teaching: release and grade", "pip install 'gradschool[teach]'"),
    ("distributed", "grading on a Dask cluster", "pip install 'gradschool[cluster]'"),
)
OPTIONAL = {"distributed"}
DISTRIBUTIONS = {"sklearn": "scikit-learn"}


def machine() -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    words = f"{platform.system()} {platform.release()}, {platform.machine()}, {cores} cores"
    return Finding("machine", None, words, data={"cores": cores})


def python() -> Finding:
    least = LEAST["Python"]
    words = f"{platform.python_version()} at {sys.executable}"
    return Finding("Python", sys.version_info[:2] >= least, words, f"Python {least[0]}.{least[1]} or later")


def numpy() -> Finding:
    import numpy

    parts = numpy.__version__.split(".")
    return Finding("NumPy", (int(parts[0]), int(parts[1])) >= LEAST["numpy"], numpy.__version__, "pip install -U numpy")


def package(name: str, for_what: str, get: str) -> Finding:
    if importlib.util.find_spec(name) is None:
        return Finding(name, None if name in OPTIONAL else False, "not installed", get, for_what)
    try:
        return Finding(name, True, version(DISTRIBUTIONS.get(name, name)), for_what=for_what)
    except PackageNotFoundError:
        return Finding(name, True, "installed", for_what=for_what)


def alembic() -> Finding:
    """nbgrader calls this program when it makes a gradebook; it need not be on PATH if it lies beside Python."""
    beside = Path(sys.executable).parent
    found = shutil.which("alembic") or shutil.which("alembic", path=str(beside))
    return Finding("alembic", found is not None, found or "not found", "pip install 'gradschool[teach]'", "gradebooks")


def course_of(course: Course) -> Finding:
    """A chapter without its text, or a course without chapters, is an installation that lost files."""
    lost = [chapter.id for chapter in course.chapters if not chapter.text.is_file()]
    chapters, exercises = len(course.chapters), len(course.exercises)
    words = f"{course.name} {course.version}: {chapters} chapters, {exercises} exercises"
    if lost or not chapters:
        words += f"; no text for {', '.join(lost)}" if lost else ""
        return Finding("course", False, words, f"install {course.name} again: files of it are gone")
    return Finding("course", True, words)


# ---------------------------------------------------------------------------------------------------------- sandbox
def sandbox(found: Capabilities) -> Iterator[Finding]:
    """Its mode, then layer by layer. Needed to grade what others wrote, and for nothing else."""
    grading = "to grade others"
    fine = found.mode in SANDBOXES
    words = MODES[found.mode] + (f" (modes that hold: {', '.join(found.modes)})" if found.modes else "")
    data = {"mode": found.mode, "modes": list(found.modes)}
    yield Finding("sandbox", fine, words, "see the layers below", grading, data)
    for layer in found.layers:
        words = "holds: tried with a canary" if layer.holds else layer.why
        # bubblewrap is a second wall; the others are the first one
        missing = False if not fine or layer.name != "bubblewrap" else None
        yield Finding(f"  {layer.name}", layer.holds or missing, words, layer.get)
