"""Property: the package that Gradescope gets has its documented form, and gives the points of the same judge."""

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_course import course
from tiny_course.samples import MEAN, RIGHT, SQUARE, hand_in, notebook, wrong

from gradschool_grader.course_toml import read_settings, weighed
from gradschool_grader.gradescope import handed_in, results, run, words, write_package
from gradschool_grader.grading import Task, judge_task
from gradschool_grader.release import release
from gradschool_grader.source import exercise_hash

CHAPTER = course.chapters[0]
SEED = 918_273_645_546
# Every key of the documented example, https://gradescope-autograders.readthedocs.io/en/latest/specs/ ("Output format")
EXAMPLE = {
    "score": 44.0,
    "execution_time": 136,
    "output": "Text relevant to the entire submission",
    "output_format": "simple_format",
    "test_output_format": "text",
    "test_name_format": "text",
    "visibility": "after_due_date",
    "stdout_visibility": "visible",
    "extra_data": {},
    "tests": [
        {
            "score": 2.0,
            "max_score": 2.0,
            "status": "passed",
            "name": "Your name here",
            "name_format": "text",
            "number": "1.1",
            "output": "Giant multiline string",
            "output_format": "text",
            "tags": ["tag1", "tag2", "tag3"],
            "visibility": "visible",
            "extra_data": {},
        }
    ],
    "leaderboard": [{"name": "Accuracy", "value": 0.926}],
}
VISIBILITY = {"hidden", "after_due_date", "after_published", "visible"}


def cube(x):
    return x**3


def judged(**answers):
    data = json.dumps(notebook(**answers)).encode()
    return judge_task(Task("submission", CHAPTER.id, f"{CHAPTER.id}.ipynb", data, "tiny_course:course", SEED, True))


def same_form(made, example):
    """Known keys only, each of the type that the example has."""
    for key, value in made.items():
        assert key in example
        kind = (int, float) if isinstance(example[key], float) else type(example[key])
        assert isinstance(value, kind), (key, value)


@pytest.mark.parametrize("feedback", ["full", "outcome", "none"])
def test_results_have_the_keys_and_types_of_the_documented_example(feedback):
    found = results(judged(square=RIGHT["square"], moving_average=wrong(MEAN, "sum")), feedback, 3.4)
    same_form(found, EXAMPLE)
    assert found["score"] == sum(test["score"] for test in found["tests"]) == 3
    assert {found["visibility"], found["stdout_visibility"]} <= VISIBILITY
    for test in found["tests"]:
        same_form(test, EXAMPLE["tests"][0])
        assert test["status"] in ("passed", "failed")
    assert [test["max_score"] for test in found["tests"]] == [3, 4]
    assert [test["status"] for test in found["tests"]] == ["passed", "failed"]


def test_the_level_of_feedback_says_what_students_read():
    paper = judged(square=wrong(SQUARE, "doubled"), moving_average=RIGHT["moving_average"])
    full, outcome, none = (results(paper, level, 0)["tests"][0]["output"] for level in ("full", "outcome", "none"))
    assert "as if you doubled" in full
    assert "What is the square of 3?" in full
    assert "doubled" not in outcome + none
    assert results(paper, "none", 0)["visibility"] == "after_published"
    assert words(paper.verdicts[0]) == full


def test_a_level_that_does_not_exist_names_those_that_do(tmp_path):
    with pytest.raises(ValueError, match="full, outcome, none; got 'all'"):
        write_package(course, "tiny", CHAPTER, SEED, tmp_path / "a.zip", feedback="all")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """/autograder as Gradescope lays it out: the zip in source/, run_autograder beside it."""
    root = tmp_path_factory.mktemp("autograder")
    file = write_package(course, "tiny", CHAPTER, SEED, root / "autograder.zip", unsafe_no_sandbox=True)
    with zipfile.ZipFile(file) as made:
        names = made.namelist()
        assert made.getinfo("run_autograder").external_attr >> 16 & 0o111
        made.extractall(root / "source")
    assert {"setup.sh", "run_autograder"} <= {name for name in names if "/" not in name}
    (root / "run_autograder").write_bytes((root / "source" / "run_autograder").read_bytes())
    (root / "submission").mkdir()
    (root / "results").mkdir()
    return root


@pytest.mark.parametrize("_", ["posix"] if os.name == "posix" else [])
def test_the_script_judges_with_what_is_in_the_zip_and_writes_results(place, _):
    submission = place / "submission" / "my answer.ipynb"
    submission.write_text(json.dumps(notebook(square=wrong(SQUARE, "doubled"), moving_average=RIGHT["moving_average"])))
    environment = {**os.environ, "AUTOGRADER": str(place), "AUTOGRADER_PYTHON": sys.executable}
    done = subprocess.run(
        ["bash", place / "run_autograder"], cwd=place, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((place / "results" / "results.json").read_text())
    here = judged(square=wrong(SQUARE, "doubled"), moving_average=RIGHT["moving_average"])
    assert [t["score"] for t in found["tests"]] == [v.points for v in here.verdicts] == [0, 4]
    assert "as if you doubled" in found["tests"][0]["output"]
    assert str(SEED) not in json.dumps(found) + done.stdout + done.stderr
    loaded = "import gradschool_grader, tiny_course; print(gradschool_grader.__file__, tiny_course.__file__)"
    code = [sys.executable, "-c", loaded]
    where = subprocess.run(
        code, env={**os.environ, "PYTHONPATH": str(place / "source/lib")}, capture_output=True, text=True
    )
    assert all(Path(file).is_relative_to(place / "source" / "lib") for file in where.stdout.split())


def unpacked(folder, chapter, root):
    """A submission judged as the package of a course directory judges it: results.json."""
    file = write_package(course, "tiny_course:course", chapter, SEED, root / "a.zip", directory=folder,
                         unsafe_no_sandbox=True)  # fmt: skip
    with zipfile.ZipFile(file) as made:
        made.extractall(root / "source")
    run(root / "source/autograder.json", root / "submission", root / "results.json")
    return json.loads((root / "results.json").read_text())


def test_points_are_those_that_the_course_gives(folder, tmp_path):
    (folder / "course.toml").write_text("[assignments.ch01_tiny]\npoints = { square = 30 }\n")
    hand_in(tmp_path, "", notebook(**RIGHT))
    (tmp_path / "submitted/ch01_tiny").rename(tmp_path / "submission")
    found = unpacked(folder, weighed(CHAPTER, read_settings(folder)), tmp_path)
    assert [(test["score"], test["max_score"]) for test in found["tests"]] == [(30, 30), (4, 4)]
    assert found["score"] == 34


@pytest.mark.parametrize(("again", "outcomes"), [(False, ["passed", "failed"]), (True, ["failed", "passed"])])
def test_a_submission_is_graded_by_the_version_that_it_was_built_with(folder, tmp_path, again, outcomes):
    """The installed exercise is a square; the assignment was released again with a cube."""
    cubes = replace(SQUARE, reference=cube, name="square", misconceptions=(), variants=())
    changed = replace(CHAPTER, exercises=[cubes, MEAN])
    list(release(replace(course, chapters=[changed]), [changed], folder))
    for number, answer in enumerate([RIGHT["square"], "def square(x):\n    return x**3\n"]):
        made = notebook(square=answer, moving_average=RIGHT["moving_average"])
        if again:
            made["metadata"]["gradschool"]["exercises"]["square"] = exercise_hash(cubes)
        place = tmp_path / str(number)
        hand_in(place, "", made)
        (place / "submitted/ch01_tiny").rename(place / "submission")
        found = unpacked(folder, changed, place)
        assert found["tests"][0]["status"] == outcomes[number]
        assert ("another version of square" in found["output"]) is not again


def test_nobody_chooses_the_easiest_version_of_each_exercise(folder, tmp_path):
    """Two releases, each with another exercise made easier: a notebook may name either, and not the easier of both."""
    easy = [replace(exercise, groups=exercise.groups[:1]) for exercise in (SQUARE, MEAN)]
    for exercises in ([easy[0], MEAN], [SQUARE, easy[1]], [SQUARE, MEAN]):
        changed = replace(CHAPTER, exercises=exercises)
        list(release(replace(course, chapters=[changed]), [changed], folder))
    made = notebook(**RIGHT)
    made["metadata"]["gradschool"]["exercises"] = {exercise.name: exercise_hash(exercise) for exercise in easy}
    hand_in(tmp_path, "", made)
    (tmp_path / "submitted/ch01_tiny").rename(tmp_path / "submission")
    found = unpacked(folder, CHAPTER, tmp_path)
    assert "no release had together: it was changed by hand" in found["output"]
    assert found["extra_data"]["exercises"] == {exercise.name: exercise_hash(exercise) for exercise in (SQUARE, MEAN)}


def test_a_judge_that_cannot_decide_writes_no_result(place, monkeypatch):
    from gradschool_grader import gradescope
    from gradschool_grader.grading import not_judged

    monkeypatch.setattr(gradescope, "judge_task", lambda task: not_judged(task, CHAPTER, "the disk is full"))
    with pytest.raises(RuntimeError, match="the disk is full"):
        gradescope.run(place / "source/autograder.json", place / "submission", place / "none.json")
    assert not (place / "none.json").exists()


def test_what_holds_no_notebook_is_told_what_was_expected(folder, tmp_path):
    (tmp_path / "submission").mkdir()
    for name, found in (("", "nothing"), ("a.ipynb", "a.ipynb"), ("b.ipynb", "a.ipynb, b.ipynb")):
        if name:
            (tmp_path / "submission" / name).write_text("{}")
        told = unpacked(folder, CHAPTER, tmp_path)
        assert told["score"] == 0
        said = f"Expected ch01_tiny.ipynb, or one notebook, or one script; found {found}."
        assert (told["output"] == said) is (name != "a.ipynb")


def test_the_notebook_of_the_chapter_comes_before_others_and_links_are_not_followed(tmp_path):
    assert handed_in(tmp_path, "ch01_tiny") is None
    (tmp_path / "a.py").write_text("x = 3")
    assert handed_in(tmp_path, "ch01_tiny") == tmp_path / "a.py"
    (tmp_path / "b.ipynb").write_text("{}")
    assert handed_in(tmp_path, "ch01_tiny") == tmp_path / "b.ipynb"
    (tmp_path / "ch01_tiny.ipynb").write_text("{}")
    assert handed_in(tmp_path, "ch01_tiny") == tmp_path / "ch01_tiny.ipynb"
