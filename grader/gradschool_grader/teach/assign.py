"""Running nbgrader's own converters inside this process, with the settings of the course directory.

generate_assignment("mycourse", "ch01_tiny")     # as `nbgrader generate_assignment ch01_tiny`
with quietly() as log: ...                       # what nbgrader says, kept for the case that it fails
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

with warnings.catch_warnings():  # what nbgrader's imports have to say about each other is not our users' business
    warnings.simplefilter("ignore")
    from nbgrader.api import Gradebook, MissingEntry
    from nbgrader.converters import GenerateAssignment
    from nbgrader.converters.base import BaseConverter, NbGraderException
    from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config
from traitlets.config.loader import ConfigFileNotFound, PyFileConfigLoader
from traitlets.log import get_logger

__all__ = ["alembic_on_path", "course_directory", "generate_assignment", "is_generated", "quietly", "settings"]


def settings(folder: Path) -> Config:
    """What nbgrader_config.py of the course directory says."""
    try:
        return PyFileConfigLoader("nbgrader_config.py", path=str(folder)).load_config()
    except ConfigFileNotFound:
        raise FileNotFoundError(
            f"{folder} is no course directory: expected nbgrader_config.py in it; `gradschool release` makes one"
        ) from None


def course_directory(folder: Path, config: Config, **more: Any) -> CourseDirectory:
    return CourseDirectory(root=str(folder.resolve()), config=config, **more)


def generate_assignment(folder: Path | str, assignment: str) -> None:
    """Release an assignment whose source notebook is there. Raises RuntimeError with nbgrader's own words."""
    folder = Path(folder)
    config = settings(folder)
    directory = course_directory(folder, config, assignment_id=assignment)
    with quietly() as log, alembic_on_path():
        converter = GenerateAssignment(coursedir=directory, config=config)
        converter.force = True
        run(converter, log, f"nbgrader could not release {assignment}")


def is_generated(folder: Path, assignment: str) -> bool:
    """Whether the release and the gradebook's record of it are there."""
    if not (folder / "release" / assignment / f"{assignment}.ipynb").is_file():
        return False
    directory = course_directory(folder, settings(folder))
    with alembic_on_path(), Gradebook(directory.db_url, directory.course_id) as gradebook:
        try:
            gradebook.find_notebook(assignment, assignment)
        except MissingEntry:
            return False
    return True


def run(converter: BaseConverter, log: io.StringIO, failed: str) -> None:
    try:
        converter.start()
    except NbGraderException as error:
        raise RuntimeError(f"{failed}: {reason(log.getvalue()) or error}") from error


def reason(log: str) -> str:
    """The line of a log that says what went wrong: the last line of its first traceback, or its first error."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    for i, line in enumerate(lines):
        if line.startswith("Traceback"):
            ends = [later for later in lines[i:] if not later.startswith(("Traceback", "File ", "^", "~"))]
            named = [end for end in ends if end.partition(":")[0].replace(".", "").isidentifier()]
            return (named or ends or [""])[0]
    return lines[0] if lines else ""


@contextlib.contextmanager
def quietly() -> Iterator[io.StringIO]:
    """nbgrader's log in a buffer instead of on the terminal; its warnings, about itself, nowhere."""
    log = io.StringIO()
    logger: Any = get_logger()
    handler: logging.Handler = logging.StreamHandler(log)
    handler.setLevel(logging.WARNING)
    before, passed_on = list(logger.handlers), logger.propagate
    logger.handlers, logger.propagate = [handler], False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield log
    finally:
        logger.handlers, logger.propagate = before, passed_on


@contextlib.contextmanager
def alembic_on_path() -> Iterator[None]:
    """A new gradebook asks the program `alembic` for its version: it lies beside this Python, on PATH or not."""
    before = os.environ.get("PATH", "")
    beside = [str(Path(sys.executable).parent), sysconfig.get_path("scripts")]
    os.environ["PATH"] = os.pathsep.join([*beside, before])
    try:
        yield
    finally:
        os.environ["PATH"] = before
