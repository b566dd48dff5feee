"""Property: whatever was done to a notebook, what is right in it is graded, and no page runs or loads a part of it."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from hostile.notebooks import NOTEBOOKS, REMOTE
from tiny_course.samples import RIGHT, hand_in, notebook

pytest.importorskip("nbgrader")

import nbformat
from bs4 import BeautifulSoup
from nbconvert.exporters import HTMLExporter
from nbgrader.api import Gradebook
from nbgrader.converters import GenerateFeedback

from gradschool_grader.report import page
from gradschool_grader.teach.grade import grade
from gradschool_grader.teach.judge import NOT_RUN

pytestmark = pytest.mark.hostile

STUDENTS = {name: f"s{number:02}" for number, name in enumerate(NOTEBOOKS)}
LOADS = ("script", "iframe", "object", "embed", "form", "input", "button", "link", "meta", "base", "style", "video",
         "audio", "source", "svg", "math", "template", "noscript", "details")  # fmt: skip


@pytest.fixture(scope="module")
def graded(released, tmp_path_factory):
    """All of them in one class with two honest students, the first and the last."""
    folder = Path(shutil.copytree(released, tmp_path_factory.mktemp("hostile") / "course"))
    for student in ("a_first", "z_last"):
        hand_in(folder, student, notebook(**RIGHT))
    for name, made in NOTEBOOKS.items():
        hand_in(folder, STUDENTS[name], made.content)
    return folder, grade(folder, jobs=2)


@pytest.fixture(scope="module")
def scores(graded):
    return scores_in(graded[0])


def scores_in(folder):
    found = {}
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        for submission in gradebook.find_assignment("ch01_tiny").submissions:
            place = "ch01_tiny", "ch01_tiny", submission.student_id
            grades = [gradebook.find_grade(name, *place) for name in ("square", "moving_average")]
            found[submission.student_id] = [(g.auto_score, g.max_score, bool(g.needs_manual_grade)) for g in grades]
    return found


def autograded(folder, student):
    return nbformat.read(folder / "autograded" / student / "ch01_tiny" / "ch01_tiny.ipynb", as_version=4)


def feedback(folder, student):
    return (folder / "feedback" / student / "ch01_tiny" / "ch01_tiny.html").read_text(encoding="utf-8")


def formgraders(notebook):
    """The page on which a teacher looks at a submission, as formgrader's handler makes it."""
    config = GenerateFeedback().config
    config.HTMLExporter.template_name = "formgrade"
    about = {
        "nbgrader": {"score": 3, "max_score": 7, "index": 0, "total": 1, "notebook": "n", "late_penalty": 0,
                     "assignment": "a", "student": "s", "first_name": "", "last_name": "", "notebook_id": "n"},
        "assignment_id": "a", "submission_id": "s", "notebook_id": "n", "base_url": "", "mathjax_url": "",
        "last_name": "", "first_name": "", "prev": None, "next": None, "total": 1, "index": 0,
    }  # fmt: skip
    return HTMLExporter(config=config).from_notebook_node(notebook, resources=about)[0]


def active(html):
    """Everything of a page that runs or loads something, counted; pictures only if they come from elsewhere."""
    found = Counter()
    for tag in BeautifulSoup(html, "html.parser").find_all():
        if tag.name in LOADS:
            found[str(tag)] += 1
        for name, value in tag.attrs.items():
            value = "".join(letter for letter in str(value) if letter.isprintable() and letter != " ").lower()
            if name.startswith("on") or value.startswith(("javascript:", "vbscript:")):
                found[f"{tag.name} {name}={value}"] += 1
            if name in ("src", "srcset", "poster", "background") and not value.startswith("data:image/"):
                found[f"{tag.name} {name}={value}"] += 1
            if name == "style" and "url(" in value:
                found[f"{tag.name} {name}={value}"] += 1
            if name == "href" and value.startswith("data:"):
                found[f"{tag.name} {name}={value}"] += 1
    return found


@pytest.fixture(scope="module")
def plain_pages(graded):
    """What the pages of an honest student hold already."""
    return active(feedback(graded[0], "a_first")), active(formgraders(autograded(graded[0], "a_first")))


# --------------------------------------------------------------------------------------------------------- the grade
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_is_right_is_graded_and_nothing_else(name, scores):
    square, mean = NOTEBOOKS[name].points
    assert scores[STUDENTS[name]] == [(square, 3, False), (mean, 4, False)]


@pytest.mark.parametrize("name", [name for name, made in NOTEBOOKS.items() if made.words])
def test_the_report_says_what_is_odd_about_the_file(name, graded):
    judged = next(judged for judged in graded[1].judged if judged.student == STUDENTS[name])
    assert NOTEBOOKS[name].words in " ".join(judged.problems)


def test_nobody_was_set_aside_and_honest_students_have_their_points(graded, scores):
    assert graded[1].set_aside == []
    assert scores["a_first"] == scores["z_last"] == [(3, 3, False), (4, 4, False)]
    assert all(judged.complete for judged in graded[1].judged)


def test_nbgraders_own_command_comes_to_the_same_grades(graded, scores, tmp_path):
    folder = Path(shutil.copytree(graded[0], tmp_path / "course"))
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        for student in scores:
            gradebook.remove_submission("ch01_tiny", student)
    command = [sys.executable, "-m", "nbgrader", "autograde", "ch01_tiny", "--force", "--course-dir", str(folder)]
    paths = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    assert scores_in(folder) == scores


# --------------------------------------------------------------------------------------------------------- the pages
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_neither_page_runs_or_loads_anything_of_the_students(name, graded, plain_pages):
    folder = graded[0]
    assert not active(feedback(folder, STUDENTS[name])) - plain_pages[0]
    assert not active(formgraders(autograded(folder, STUDENTS[name]))) - plain_pages[1]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_autograded_notebook_is_valid_and_holds_no_output_of_the_student(name, graded):
    made = autograded(graded[0], STUDENTS[name])
    nbformat.validate(made)
    for cell in made.cells:
        for output in cell.get("outputs", ()):
            shown = output.data["text/html"]
            assert shown == NOT_RUN or "gradschool-verdict" in shown


def test_the_report_on_the_class_holds_no_markup_of_a_student(graded):
    summary = graded[1]
    html = page(summary.judged, summary.chapters)
    assert "alert(1)" not in "".join(key for key in active(html))
    assert REMOTE not in "".join(active(html))


# ------------------------------------------------------------------------------------------- files beside a notebook
@pytest.fixture(scope="module", params=["posix"] if os.name == "posix" else [])  # links and pipes are POSIX's
def beside(released, tmp_path_factory):
    """nbgrader copies what lies beside a notebook, through links, and formgrader serves it."""
    folder = Path(shutil.copytree(released, tmp_path_factory.mktemp("beside") / "course"))
    secret = tmp_path_factory.mktemp("secret") / "secret.txt"
    secret.write_text("nobody's business")
    place = hand_in(folder, "ada", notebook(**RIGHT)).parent
    (place / "secret.txt").symlink_to(secret)
    (place / "zeros.txt").symlink_to("/dev/zero")
    (place / "all").symlink_to(secret.parent)
    (place / "round").symlink_to(".")
    (place / "data").mkdir()
    (place / "data" / "secret.txt").symlink_to(secret)
    (place / "data" / "good.csv").write_text("1,2\n")
    os.mkfifo(place / "pipe.txt")
    (place / "timestamp.txt").write_text("never\0")
    for name in ("evil.html", "evil.HTM", "evil.svg", "evil.xhtml", "evil.js", "evil.xml", "ch01_tiny.html"):
        (place / name).write_text("<script>alert(1)</script>")
    hand_in(folder, "bela", notebook(**RIGHT))
    done = []
    thread = threading.Thread(target=lambda: done.append(grade(folder, jobs=1)), daemon=True)
    thread.start()
    thread.join(120)
    assert done, "grading did not come to an end"
    return folder, done[0]


def test_both_are_graded(beside):
    assert {judged.student: judged.points for judged in beside[1].judged} == {"ada": 7, "bela": 7}
    assert beside[1].set_aside == []


def test_nothing_was_copied_through_a_link(beside):
    for path in beside[0].rglob("*"):
        assert not path.is_symlink()
        assert not path.is_file() or b"nobody's business" not in path.read_bytes()


def test_what_a_browser_would_run_is_text(beside):
    for where in ("autograded", "feedback"):
        names = {path.name for path in (beside[0] / where / "ada").rglob("*")}
        assert {"evil.html.txt", "evil.svg.txt", "good.csv"} <= names
        assert not {"evil.html", "evil.HTM", "evil.svg", "evil.xhtml", "evil.js", "evil.xml"} & names
    assert "alert(1)" not in feedback(beside[0], "ada")


def test_the_corpus_has_forty_notebooks_and_each_file_is_another():
    assert len(NOTEBOOKS) >= 40
    assert len({made.content for made in NOTEBOOKS.values()}) == len(NOTEBOOKS)
    assert any(json.loads(made.content) for made in NOTEBOOKS.values() if made.content.startswith(b'{"cells": [{'))
