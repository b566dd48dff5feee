"""The demo shows what it claims: every sample graded as it is meant, and gradebook, feedback and report to look at."""

import csv
import json

import pytest
from typer.testing import CliRunner

from gradschool_course import cli, demo
from gradschool_course.say import Refused
from gradschool_grader.journal import Judged
from gradschool_grader.sandbox import SandboxMissing
from gradschool_grader.verdict import Diagnosis, GroupVerdict, Verdict

TINY = "tiny_course:course"


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """One run on the tiny course, in this process."""
    folder = tmp_path_factory.mktemp("demo") / "course"
    return folder, demo.run(folder, jobs=1, of=TINY)


def run(*words):
    return CliRunner().invoke(cli.app, [str(word) for word in words], env={"COLUMNS": "200"})


def by_student(outcome):
    return {submission["student"]: submission for submission in outcome.to_json()["submissions"]}


def test_every_sample_comes_out_as_it_was_meant(ran):
    assert ran[1].surprises == []


def test_the_result_has_the_form_that_programs_expect(ran):
    result = json.loads(json.dumps(ran[1].to_json()))
    assert {"mode", "submissions", "gradebook", "feedback", "report"} <= set(result)
    assert len(result["submissions"]) == 12
    for submission in result["submissions"]:
        assert set(submission) == {"student", "assignment", "score", "max_score", "exercises"}
        assert submission["score"] == sum(e["points"] for e in submission["exercises"].values())
        for exercise in submission["exercises"].values():
            assert set(exercise) == {"outcome", "points", "max_points", "diagnosis", "source", "flags"}
            assert exercise["diagnosis"] is None or {"kind", "name", "text"} == set(exercise["diagnosis"])


def test_what_does_not_end_or_crashes_costs_its_own_exercise_only(ran):
    students = by_student(ran[1])
    outcomes = {name: [e["outcome"] for e in students[name]["exercises"].values()] for name in ("ines", "jomo")}
    assert outcomes == {"ines": ["timeout", "passed"], "jomo": ["died", "passed"]}


def test_the_cheat_earns_nothing_and_the_copied_checks_count_once(ran):
    students = by_student(ran[1])
    assert students["kofi"]["score"] == 0
    assert students["lena"]["score"] == students["lena"]["max_score"] == students["ada"]["score"]


def test_there_is_a_page_for_every_student_and_a_report_of_all(ran):
    _, outcome = ran
    pages = {page.parent.parent.name for page in outcome.feedback.glob("*/*/*.html")}
    assert pages == set(by_student(outcome))
    report = outcome.report.read_text(encoding="utf-8")
    assert all(f">{student}</th>" in report for student in pages)
    assert outcome.gradebook.is_file()


def test_a_second_run_in_the_same_folder_judges_nothing_again(ran, monkeypatch):
    folder, outcome = ran
    before = {file: file.read_bytes() for file in (folder / ".gradschool").rglob("*.json")}
    again = demo.run(folder, jobs=1, of=TINY)
    assert again.to_json() == outcome.to_json()
    assert before == {file: file.read_bytes() for file in (folder / ".gradschool").rglob("*.json")}


# ---------------------------------------------------------------------------------------- the same folder, verb by verb
def test_grading_again_by_the_command_gives_the_same(ran, tmp_path):
    folder, outcome = ran
    result = run("grade", folder, "--json", tmp_path / "out.json")
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "out.json").read_text())
    shown = outcome.to_json()["submissions"]
    assert [{key: graded[key] for key in shown[0]} for graded in found["submissions"]] == shown
    assert {graded["mode"] for graded in found["submissions"] if graded["mode"]} == {outcome.mode}
    assert found["set_aside"] == []


def test_the_report_can_be_made_again(ran, tmp_path):
    folder, outcome = ran
    result = run("report", folder, "--to", tmp_path / "again.html")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "again.html").read_text(encoding="utf-8").count("<tr>") == outcome.report.read_text(
        encoding="utf-8"
    ).count("<tr>")


def test_the_exported_scores_are_those_of_the_verdicts(ran, tmp_path):
    folder, outcome = ran
    result = run("export", folder, "--to", tmp_path / "grades.csv")
    assert result.exit_code == 0, result.output
    with open(tmp_path / "grades.csv", encoding="utf-8", newline="") as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert scores == {name: submission["score"] for name, submission in by_student(outcome).items()}


def test_releasing_again_changes_nothing(ran):
    folder, _ = ran
    result = run("release", "tiny", "--course", TINY, "--dir", folder)
    assert result.exit_code == 0, result.output
    assert "unchanged" in result.output


@pytest.mark.parametrize("verb", ["grade", "report", "export"])
def test_a_folder_that_is_no_course_is_said_to_be_none(verb, tmp_path):
    result = run(verb, tmp_path)
    assert result.exit_code == 1
    assert "no course directory" in result.output
    assert "Traceback" not in result.output


def test_a_file_that_cannot_be_read_is_named_and_stops_nobody(ran, tmp_path):
    folder, _ = ran
    run("release", "tiny", "--course", TINY, "--dir", tmp_path)
    for student, text in (("mara", "no notebook"), ("nils", None)):
        place = tmp_path / "submitted" / student / "ch01_tiny"
        place.mkdir(parents=True)
        (place / "ch01_tiny.ipynb").write_bytes(
            text.encode() if text else (folder / "submitted/ada/ch01_tiny/ch01_tiny.ipynb").read_bytes()
        )
    result = run("grade", tmp_path, "--json", tmp_path / "out.json", "--jobs", 1)
    assert "look at  mara ch01_tiny" in result.output
    assert "no JSON" in result.output
    scores = {s["student"]: s["score"] for s in json.loads((tmp_path / "out.json").read_text())["submissions"]}
    assert scores == {"mara": 0, "nils": 7}


# --------------------------------------------------------------------------------------------------- where, and how
def test_a_folder_with_something_else_in_it_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("years")
    with pytest.raises(Refused, match="holds something else"):
        demo.place(tmp_path)
    with pytest.raises(Refused, match="is a file"):
        demo.place(tmp_path / "thesis.tex")


def test_without_a_folder_a_temporary_one_is_made(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert demo.place(None).parent == tmp_path


def test_without_a_sandbox_a_banner_names_what_is_missing(monkeypatch, capsys):
    def missing(**_):
        raise SandboxMissing("none", {"seccomp": "libseccomp [2] is not there"})

    monkeypatch.setattr("gradschool_grader.probe.open_workers", missing)
    assert demo.sandbox() == "process"
    said = capsys.readouterr().out
    assert "No sandbox" in said
    assert "seccomp: libseccomp [2] is not there" in said


def graded(diagnosis):
    groups = (GroupVerdict("all", "wrong", 0.0, 4.0),)
    return Judged("dana", "ch", "f", 1, "B", [Verdict("square", "", "ch", 1, "B", groups, diagnosis)])


def test_a_sample_that_came_out_otherwise_fails_the_demo(monkeypatch, tmp_path):
    paper = graded(Diagnosis("misconception", "halved", "…"))
    outcome = demo.Outcome("B", [paper], ["dana: square was diagnosed as halved"], tmp_path, tmp_path, tmp_path)
    monkeypatch.setattr(demo, "run", lambda directory, jobs: outcome)
    assert run("demo", "--json", tmp_path / "out.json").exit_code == 1
    assert json.loads((tmp_path / "out.json").read_text())["surprises"] == outcome.surprises
