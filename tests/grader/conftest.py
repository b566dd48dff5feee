"""The tiny course can be imported by the tests of this folder; a course directory is released once for all of them."""

import shutil
import sys
from pathlib import Path

import pytest

if str(Path(__file__).parent) not in sys.path:
    sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    """A course directory as `release` makes it, with the sandbox optional: these tests run everywhere."""
    from tiny_course import course

    from gradschool_grader.release import release

    folder = tmp_path_factory.mktemp("released")
    list(release(course, ["tiny"], folder))
    config = folder / "nbgrader_config.py"
    config.write_text(config.read_text().replace("unsafe_no_sandbox = False", "unsafe_no_sandbox = True"))
    return folder


@pytest.fixture
def folder(released, tmp_path):
    """A copy of the course directory that a test may change."""
    return Path(shutil.copytree(released, tmp_path / "course"))
