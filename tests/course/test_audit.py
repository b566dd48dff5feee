"""The grading of every exercise is proven, at seeds of its own; a failure names exercise, answer, seed and group."""

import json
from pathlib import Path

import pytest
from proven_course import FLAWED
from typer.testing import CliRunner

from gradschool_course import course
from gradschool_course.cli import app
from gradschool_grader.audit import audit_exercise

TINY = Path(__file__).parent.parent / "grader"
SAMPLE = (21, 22)  # `gradschool audit` itself tries 1 to 20


@pytest.mark.parametrize("name", [exercise.name for exercise in course.exercises])
def test_the_grading_of_every_exercise_is_proven(name):
    found = audit_exercise("gradschool_course:course", name, SAMPLE)
    assert [str(case) for case in found.cases] == []


# --------------------------------------------------------------------------------------------------------- the command
def run(*arguments):
    return CliRunner().invoke(app, ["audit", "--jobs", "1", *map(str, arguments)], env={"COLUMNS": "160"})


def test_the_command_tells_what_was_tried_and_writes_page_and_json(tmp_path):
    page, file = tmp_path / "audit.html", tmp_path / "audit.json"
    result = run("--course", "proven_course:course", "--seeds", 2, "--page", page, "--json", file)
    assert result.exit_code == 0, result.output
    for words in ("smooth", "Tally", "signs: 0 of 100 right answers refused", "at 2 seeds"):
        assert words in result.output
    assert "Audit of Proven" in page.read_text(encoding="utf-8")
    numbers = json.loads(file.read_text(encoding="utf-8"))
    wanted = {"exercises", "misconceptions", "rejected", "named", "variants", "accepted", "trivial", "trivial_rejected",
              "mutants", "killed", "survivors", "vacuous"}  # fmt: skip
    assert wanted <= set(numbers)
    assert numbers["at_goal"] is True


@pytest.mark.parametrize("end", ["tiny_course", "tiny_course/__init__.py", "tiny_course:course"])
def test_a_course_is_also_found_by_the_path_of_its_package(tmp_path, end, monkeypatch):
    monkeypatch.chdir(TINY)
    result = run("--course", f"{TINY}/{end}" if "/" in end else f"./{end}", "square", "--seeds", 1)
    assert "Squares and means" in result.output
    assert "square" in result.output


def test_a_course_that_is_not_there_is_said_in_a_sentence():
    result = run("--course", "nowhere/mine")
    assert result.exit_code == 1
    assert "Traceback" not in result.output


def test_the_command_fails_with_every_case(tmp_path):
    result = run("--course", "proven_course:flawed", FLAWED[0].name, "--seeds", 1, "--json", tmp_path / "audit.json")
    assert result.exit_code == 1
    cases = json.loads((tmp_path / "audit.json").read_text(encoding="utf-8"))["cases"]
    assert cases
    for case in cases:
        assert case in result.output


def test_chapters_and_exercises_can_be_named(tmp_path):
    file = tmp_path / "audit.json"
    assert run("--course", "proven_course:course", "Tally", "proven", "--seeds", 1, "--json", file).exit_code == 0
    assert json.loads(file.read_text(encoding="utf-8"))["exercises"] == 3
    assert run("--course", "proven_course:course", "Tally", "--seeds", 1, "--json", file).exit_code == 0
    assert json.loads(file.read_text(encoding="utf-8"))["exercises"] == 1


def test_an_unknown_name_suggests_the_nearest():
    result = run("--course", "proven_course:course", "smoth")
    assert result.exit_code == 1
    assert "Did you mean `smooth`?" in result.output
