"""Property: the quick way into the gradebook writes what nbgrader's own converters write, byte for byte."""

import contextlib
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import nbformat
import pytest
from tiny_course.samples import MEAN, ODD, RIGHT, SQUARE, hand_in, notebook, wrong

pytest.importorskip("nbgrader")

from nbgrader.api import Gradebook

from gradschool_grader.teach import recorder
from gradschool_grader.teach.assign import settings
from gradschool_grader.teach.book import Book
from gradschool_grader.teach.grade import grade
from gradschool_grader.teach.quick import is_plain

EXERCISES = {"square", "moving_average"}
TABLES = {
    "grade": "auto_score, manual_score, extra_credit, needs_manual_grade",
    "comment": "auto_comment, manual_comment",
}


def rows(folder: Path) -> dict[str, list]:
    """Everything of the gradebook that is about submissions, without the ids that are drawn."""
    with contextlib.closing(sqlite3.connect(folder / "gradebook.db")) as database:
        found = {
            table: database.execute(
                f"select s.student_id, b.name, {columns}, s.timestamp, n.late_submission_penalty from {table} t "
                "join submitted_notebook n on t.notebook_id = n.id "
                "join submitted_assignment s on n.assignment_id = s.id "
                "join base_cell b on t.cell_id = b.id order by 1, 2"
            ).fetchall()
            for table, columns in TABLES.items()
        }
        found["student"] = database.execute("select * from student order by id").fetchall()
    return found


def files(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes())
        for kind in ("autograded", "feedback")
        for path in sorted((folder / kind).rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def judged(released, tmp_path_factory):
    """A class with all that is odd, one of them late, one with files of his own; judged but not recorded."""
    folder = Path(shutil.copytree(released, tmp_path_factory.mktemp("quick") / "course"))
    hand_in(folder, "ada", notebook(**RIGHT))
    hand_in(folder, "bela", notebook(square=wrong(SQUARE, "doubled"), moving_average=wrong(MEAN, "sum")))
    for name, (content, *_) in ODD.items():
        hand_in(folder, f"odd_{name}", content)
    (folder / "submitted/ada/ch01_tiny/timestamp.txt").write_text("2026-03-02 10:00:00 UTC")
    (folder / "submitted/bela/ch01_tiny/page.html").write_text("<script>alert(1)</script>")
    (folder / "source/ch01_tiny/data.csv").write_text("1,2\n")
    (folder / "course.toml").write_text(
        '[late]\npenalty = "zero"\n[assignments.ch01_tiny]\ndue = 2026-03-01T10:00:00+00:00\n'
    )
    fresh = (folder / "gradebook.db").read_bytes()
    grade(folder, jobs=1)
    for kind in ("autograded", "feedback"):
        shutil.rmtree(folder / kind)
    (folder / "gradebook.db").write_bytes(fresh)
    return folder


def test_rows_notebooks_and_pages_are_nbgraders_own(judged, tmp_path, monkeypatch):
    quick = Path(shutil.copytree(judged, tmp_path / "quick"))
    stock = Path(shutil.copytree(judged, tmp_path / "stock"))
    for again in range(2):  # the second time all rows are there, one of them with a person's grade
        grade(quick, jobs=1)
        with monkeypatch.context() as patch:
            patch.setattr(recorder, "is_plain", lambda *_: False)
            grade(stock, jobs=1)
        assert rows(quick) == rows(stock)
        assert files(quick) == files(stock)
        for folder in (quick, stock) if again == 0 else ():
            shutil.rmtree(folder / "autograded")
            with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
                find: Any = gradebook
                place = "ch01_tiny", "ch01_tiny", "bela"
                find.find_grade("square", *place).manual_score = 2
                find.find_grade("moving_average", *place).extra_credit = 0.5
                find.find_comment("square_answer", *place).manual_comment = "Nearly."
                find.db.commit()
    found = rows(quick)
    assert {row[-1] for row in found["grade"] if row[0] == "ada"} == {7.0}
    assert ("bela", "square", 0.0, 2.0, None, 1, None, None) in found["grade"]
    assert "Nearly." in files(quick)["feedback/bela/ch01_tiny/ch01_tiny.html"][1].decode()


def test_a_notebook_is_written_in_one_transaction(judged, tmp_path):
    """What fails in the middle of a submission leaves no row of it, not even the student's."""
    folder = Path(shutil.copytree(judged, tmp_path / "course"))
    with (
        Book(f"sqlite:///{folder / 'gradebook.db'}", "tiny", "ch01_tiny") as book,
        pytest.raises(ZeroDivisionError),
        book.paper("ada", None) as paper,
    ):
        paper.grades["square"].auto_score = book.score(paper) + 1 / 0
    assert not any(rows(folder).values())


def test_what_release_sets_is_plain(released):
    source = nbformat.read(released / "source/ch01_tiny/ch01_tiny.ipynb", as_version=4)
    assert is_plain(settings(released), source, EXERCISES)
    assert not is_plain(settings(released), source, {"square"})  # the other one would be a test of the teacher's own


@pytest.mark.parametrize(
    "line",
    [
        "c.Autograde.sanitize_preprocessors = []",
        "c.Autograde.autograde_preprocessors = c.Autograde.autograde_preprocessors[:-1]",
        "c.Autograde.exclude_overwriting = {'ch01_tiny': ['helper.py']}",
        "c.Autograde.create_student = False",
        "c.OverwriteCells.add_missing_cells = True",
        "c.GenerateFeedback.preprocessors = []",
        "c.NbGraderPreprocessor.enabled = False",
        "c.FilesWriter.files = ['a']",
    ],
)
def test_what_a_teacher_sets_beyond_that_is_left_to_nbgrader(released, tmp_path, line):
    folder = Path(shutil.copytree(released, tmp_path / "course"))
    config = folder / "nbgrader_config.py"
    config.write_text(f"{config.read_text()}\n{line}\n")
    source = nbformat.read(folder / "source/ch01_tiny/ch01_tiny.ipynb", as_version=4)
    assert not is_plain(settings(folder), source, EXERCISES)
