"""The exporter that nbgrader reads submissions with: it mends them, so that none can stop the batch.

c.Autograde.exporter_class = "gradschool_grader.teach.exporter.MendingExporter"
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.coursedir import CourseDirectory

from ..cells import LARGEST_FILE
from .folder import disarm
from .mend import mend

__all__ = ["MendingExporter", "course_directory_of", "read_file", "source_notebook"]


class MendingExporter(NotebookExporter):
    """Reads a submission in the shape of its source notebook; of files without one nothing is mended."""

    def from_file(
        self, file_stream: Any, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[NotebookNode, dict[str, Any]]:
        named = (resources or {}).get("nbgrader")
        source = source_notebook(course_directory_of(self), named["assignment"], named["notebook"]) if named else None
        if source is None or named is None:
            return super().from_file(file_stream, resources=resources, **kw)
        disarm_copies(course_directory_of(self), named["assignment"], named["student"])
        return self.from_notebook_node(mend(read_file(Path(file_stream.name)), source), resources=resources, **kw)


def disarm_copies(directory: CourseDirectory, assignment: str, student: str) -> None:
    """What nbgrader has just copied beside the notebook, but the teacher's own files."""
    source = Path(directory.format_path(directory.source_directory, ".", assignment))
    ours = [path.relative_to(source) for path in source.rglob("*") if path.is_file()]
    disarm(Path(directory.format_path(directory.autograded_directory, student, assignment)), ours)


def read_file(path: Path) -> bytes:
    """A student's file as bytes, and nothing else: links are not followed, and of what is too large comes just so much
    that it is too large."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return b""
        with path.open("rb") as file:
            return file.read(LARGEST_FILE + 1)
    except OSError:
        return b""


def source_notebook(directory: CourseDirectory, assignment: str, notebook: str) -> NotebookNode | None:
    """The teacher's notebook that an assignment was released from."""
    path = Path(directory.format_path(directory.source_directory, ".", assignment), f"{notebook}.ipynb")
    return nbformat.read(path, as_version=4) if path.is_file() else None


def course_directory_of(part: Any) -> CourseDirectory:
    """The course directory of the converter that an exporter or preprocessor belongs to."""
    while part is not None:
        directory = getattr(part, "coursedir", None)
        if directory is not None:
            return directory
        part = getattr(part, "parent", None)
    raise RuntimeError("this part works inside nbgrader's converters only, which know the course directory")
