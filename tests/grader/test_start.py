"""A workspace can be made again and again, and never costs anybody a changed notebook."""

import hashlib
import json
import os

import nbformat
import pytest

from gradschool_grader.start import RECORD, StartError, lay_out
from gradschool_grader.state import FOLDER


@pytest.fixture(scope="module")
def course():
    from tiny_course import course

    return course


def outcomes(laid):
    return {item.file.name: item.what for item in laid}


def test_a_new_folder_gets_every_notebook_and_a_readme(course, tmp_path):
    place = tmp_path / "not" / "yet"
    assert outcomes(lay_out(course, place)) == {"ch01_tiny.ipynb": "new", "README.md": "new"}
    assert "ch01_tiny.ipynb" in (place / "README.md").read_text(encoding="utf-8")


def test_notebooks_are_valid_and_hold_no_solution(course, tmp_path):
    lay_out(course, tmp_path)
    text = (tmp_path / "ch01_tiny.ipynb").read_text(encoding="utf-8")
    nbformat.validate(nbformat.reads(text, as_version=4))
    assert "raise NotImplementedError()" in text
    assert "BEGIN SOLUTION" not in text


def test_a_second_start_changes_nothing(course, tmp_path):
    lay_out(course, tmp_path)
    before = {file: file.stat().st_mtime_ns for file in tmp_path.iterdir() if file.is_file()}
    assert set(outcomes(lay_out(course, tmp_path)).values()) == {"same"}
    assert before == {file: file.stat().st_mtime_ns for file in tmp_path.iterdir() if file.is_file()}


def test_a_changed_notebook_is_kept_byte_for_byte(course, tmp_path):
    lay_out(course, tmp_path)
    notebook = tmp_path / "ch01_tiny.ipynb"
    notebook.write_bytes(b"\xff my own work")
    kept = next(item for item in lay_out(course, tmp_path) if item.file == notebook)
    assert (kept.what, kept.newer) == ("kept", False)
    assert notebook.read_bytes() == b"\xff my own work"


def as_released_before(tmp_path, text):
    """Make the folder look as if an older version of the chapter had been laid out in it."""
    (tmp_path / "ch01_tiny.ipynb").write_text(text, encoding="utf-8")
    record = {"ch01_tiny.ipynb": hashlib.sha256(text.encode()).hexdigest()}
    (tmp_path / FOLDER / RECORD).write_text(json.dumps(record), encoding="utf-8")


def test_an_untouched_notebook_of_an_older_version_is_updated(course, tmp_path):
    lay_out(course, tmp_path)
    as_released_before(tmp_path, "an older version")
    assert outcomes(lay_out(course, tmp_path))["ch01_tiny.ipynb"] == "updated"
    assert "an older version" not in (tmp_path / "ch01_tiny.ipynb").read_text(encoding="utf-8")


def test_a_changed_notebook_of_an_older_version_is_kept_and_said_to_be_old(course, tmp_path):
    lay_out(course, tmp_path)
    as_released_before(tmp_path, "an older version")
    (tmp_path / "ch01_tiny.ipynb").write_text("an older version, and work", encoding="utf-8")
    kept = next(item for item in lay_out(course, tmp_path) if item.file.suffix == ".ipynb")
    assert (kept.what, kept.newer) == ("kept", True)


def test_a_lost_record_makes_every_differing_file_somebodys_work(course, tmp_path):
    lay_out(course, tmp_path)
    (tmp_path / FOLDER / RECORD).write_text("{", encoding="utf-8")
    (tmp_path / "ch01_tiny.ipynb").write_text("who knows", encoding="utf-8")
    assert outcomes(lay_out(course, tmp_path))["ch01_tiny.ipynb"] == "kept"


def test_a_deleted_notebook_comes_back(course, tmp_path):
    lay_out(course, tmp_path)
    os.remove(tmp_path / "ch01_tiny.ipynb")
    assert outcomes(lay_out(course, tmp_path))["ch01_tiny.ipynb"] == "new"


def test_a_file_in_the_folders_place_is_said_and_left(course, tmp_path):
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    with pytest.raises(StartError, match="is a file"):
        lay_out(course, tmp_path / "taken")
    assert (tmp_path / "taken").read_text(encoding="utf-8") == "mine"


def test_the_same_course_gives_the_same_bytes(course, tmp_path):
    for name in ("one", "other"):
        lay_out(course, tmp_path / name)
    files = [{f.name: f.read_bytes() for f in (tmp_path / n).rglob("*") if f.is_file()} for n in ("one", "other")]
    assert files[0] == files[1]
