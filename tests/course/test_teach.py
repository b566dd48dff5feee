"""A teacher's verbs: regrading asks first, exports say what is not final, the summary says what needs a person."""

import json
import shutil
from pathlib import Path

import pytest
from tiny_course import course
from tiny_course.samples import RIGHT, SQUARE, hand_in, notebook, wrong
from typer.testing import CliRunner

pytest.importorskip("nbgrader")

import nbgrader

from gradschool_course import cli
from gradschool_course.tables import pace_of
from gradschool_course.teach import say_changes
from gradschool_grader.journal import Journal
from gradschool_grader.teach.assign import generate_assignment
from gradschool_grader.teach.regrade import Preview


def run(*words):
    return CliRunner().invoke(cli.app, [str(word) for word in words])


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """nbgrader's quickstart assignment beside the tiny chapter; Ada is right, Bela doubles."""
    place = tmp_path_factory.mktemp("teach")
    made = run("release", "tiny", "--dir", place / "course", "--course", "tiny_course:course")
    assert made.exit_code == 0, made.output
    folder = place / "course"
    guide = Path(nbgrader.__file__).parent / "docs" / "source" / "user_guide"
    shutil.copytree(guide / "source" / "ps1", folder / "source" / "ps1")
    generate_assignment(folder, "ps1")
    shutil.copytree(guide / "submitted" / "hacker" / "ps1", folder / "submitted" / "hacker" / "ps1")
    hand_in(folder, "ada", notebook(**RIGHT))
    hand_in(folder, "bela", notebook(**{**RIGHT, "square": wrong(SQUARE, "doubled")}))
    done = run("grade", folder, "--unsafe-no-sandbox", "--json", place / "graded.json")
    return folder, done, json.loads((place / "graded.json").read_text())


@pytest.fixture
def folder(graded, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(graded[0], tmp_path / "course"))


@pytest.mark.parametrize("words", [["grade"], ["grade", "--regrade"], ["report"], ["export"],
                                   ["export", "--for", "gradescope"]])  # fmt: skip
def test_a_chapter_that_was_not_released_is_said_to_be_so(folder, words):
    (folder / "source/ch01_tiny").rename(folder / "elsewhere")
    done = run(*words, folder, "--chapter", "tiny")
    assert done.exit_code == 1
    said = f"ch01_tiny was not released in {folder}: `gradschool release ch01_tiny --dir {folder}` makes"
    assert said in " ".join(done.stderr.split())


def test_a_student_who_was_named_and_handed_in_nothing_is_said(folder):
    some = run("grade", folder, "--student", "ada", "--student", "nobody", "--unsafe-no-sandbox")
    assert (some.exit_code, "not there  nobody nothing was handed in under that name" in some.stdout) == (0, True)
    none = run("grade", folder, "--student", "nobody", "--unsafe-no-sandbox")
    assert none.exit_code == 1
    assert "There is nothing of nobody to grade in" in none.stderr


def test_grading_says_what_is_not_cheat_proof_and_what_waits_for_a_person(graded):
    _, done, told = graded
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    assert "4 of 4 of your own tests passed; they are not cheat-proof." in said
    assert "ps1/sum_of_squares_equation 1 to grade" in said
    assert "3 submissions graded" in said
    assert [len(paper["cells"]) for paper in told["own_tests"]] == [4]
    assert not any(cell["cheat_proof"] for paper in told["own_tests"] for cell in paper["cells"])


def test_the_report_shows_own_tests_and_what_waits(folder):
    assert run("report", folder, "--json", "report.json").exit_code == 0
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "The teacher&#x27;s own tests" in page
    assert "not cheat-proof" in page
    assert "<b>5</b><span>to be looked at by a person" in page
    told = json.loads(Path("report.json").read_text())
    assert {"assignment": "ps1", "cell": "part-a", "students": ["hacker"]} in told["by_hand"]


def test_grading_says_what_lateness_costs(folder):
    (folder / "course.toml").write_text(
        '[late]\npenalty = "zero"\n[assignments.ch01_tiny]\ndue = 2026-03-01T10:00:00+00:00\n'
    )
    (folder / "submitted/ada/ch01_tiny/timestamp.txt").write_text("2026-03-02 10:00:00 UTC")
    done = run("grade", folder, "--force", "--unsafe-no-sandbox", "--json", "late.json")
    assert "late     ch01_tiny: ada −7 points, in the gradebook" in done.output
    assert json.loads(Path("late.json").read_text())["late"] == {"ch01_tiny": {"ada": 7.0}}


def test_grading_says_that_points_have_changed_since_the_release(folder):
    (folder / "course.toml").write_text("[assignments.ch01_tiny]\npoints = { square = 30, moving_average = 4 }\n")
    done = run("grade", folder, "--unsafe-no-sandbox")
    said = f"ch01_tiny: the gradebook counts square as released until gradschool release ch01_tiny --dir {folder}"
    assert said in " ".join(done.output.split())
    assert run("release", "tiny", "--dir", folder, "--course", "tiny_course:course").exit_code == 0
    assert "the gradebook counts" not in run("grade", folder, "--unsafe-no-sandbox").output


def test_what_a_whole_class_needs_is_one_line(folder):
    for student in ("ada", "bela"):
        path = folder / "submitted" / student / "ch01_tiny/ch01_tiny.ipynb"
        made = json.loads(path.read_text())
        made["metadata"]["kernelspec"]["name"] = "ir"
        path.write_text(json.dumps(made))
    done = run("grade", folder, "--unsafe-no-sandbox")
    assert "look at  ada, bela ch01_tiny  The notebook asks for the kernel 'ir'; it was run with Python." in done.output
    run("report", folder)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.count("it was run with Python.") == 1
    assert "<b>ada, bela</b>" in page


def older(folder, student, points):
    """A grade as another version of `square` gave it."""
    path = folder / ".gradschool/results/ch01_tiny" / f"{student}.json"
    data = json.loads(path.read_text())
    data["verdicts"][0]["exercise_hash"] = "0" * 64
    data["verdicts"][0]["groups"][0]["points"] = points
    path.write_text(json.dumps(data))


def test_grades_of_other_versions_are_not_replaced_in_passing(folder):
    older(folder, "ada", 0.0)
    refused = run("grade", folder)
    assert refused.exit_code == 1
    assert "Exercises changed since 1 student got grades" in " ".join(refused.output.split())
    assert run("grade", folder, "-c", "ps1", "--unsafe-no-sandbox").exit_code == 0


def test_regrading_shows_who_gains_and_who_loses_and_writes_only_if_told(folder):
    older(folder, "ada", 0.0)
    older(folder, "bela", 3.0)
    path = folder / ".gradschool/results/ch01_tiny/bela.json"
    data = json.loads(path.read_text())
    data["verdicts"][1]["groups"][1]["points"] = 0.0  # Bela loses 3 for one exercise and gains 1 for the other
    path.write_text(json.dumps(data))
    before = (folder / "gradebook.db").read_bytes()
    seen = run("grade", folder, "--regrade", "--unsafe-no-sandbox", "--json", "seen.json")
    assert seen.exit_code == 0, seen.output
    assert "2 judged again: 1 gain, 1 lose, 0 had no grade yet." in seen.output
    assert "Nothing was written" in seen.output
    told = json.loads(Path("seen.json").read_text())["changes"]
    assert [(c["student"], c["exercise"], c["after"] - c["before"]) for c in told] == [
        ("ada", "square", 2), ("bela", "moving_average", 1), ("bela", "square", -3)]  # fmt: skip
    assert (folder / "gradebook.db").read_bytes() == before
    assert run("grade", folder, "--regrade", "--yes", "--unsafe-no-sandbox").exit_code == 0
    assert [judged.points for judged in Journal(folder).all("ch01_tiny")] == [7, 4]
    again = run("grade", folder, "--regrade", "--unsafe-no-sandbox")
    assert "nothing to judge again" in again.output
    assert run("grade", folder).exit_code == 0


def test_regrading_says_which_workers_could_not_be_asked_and_why(folder, capsys):
    refused = {"tcp://10.0.0.3:1": "mode C does not hold", "tcp://10.0.0.4:1": "mode C does not hold"}
    say_changes(Preview(folder, course, "tiny_course:course", [], undecided=1, refused=refused))
    assert "not asked  tcp://10.0.0.3:1, tcp://10.0.0.4:1: mode C does not hold\n" in capsys.readouterr().out


def test_regrading_says_who_was_late(folder):
    (folder / "course.toml").write_text(
        '[late]\npenalty = "zero"\n[assignments.ch01_tiny]\ndue = 2026-03-01T10:00:00+00:00\n'
    )
    (folder / "submitted/ada/ch01_tiny/timestamp.txt").write_text("2026-03-02 10:00:00 UTC")
    assert run("grade", folder, "--force", "--unsafe-no-sandbox").exit_code == 0
    older(folder, "ada", 0.0)
    older(folder, "bela", 3.0)
    seen = run("grade", folder, "--regrade", "--unsafe-no-sandbox")
    assert "late     ch01_tiny: ada what lateness costs comes off these points" in seen.output


def test_a_mode_that_does_not_exist_is_refused_with_those_that_do(folder):
    refused = run("grade", folder, "--mode", "X")
    assert refused.exit_code == 2
    assert "is not one of 'ab', 'b', 'c'" in " ".join(refused.output.split()).lower()


def test_results_for_a_program_say_how_each_was_judged_and_what_is_odd(graded):
    for paper in graded[2]["submissions"]:
        assert (paper["mode"], paper["worker"], paper["problems"]) == (graded[2]["mode"], "", [])


@pytest.mark.parametrize("system", ["canvas", "moodle"])
def test_an_export_says_what_is_not_final(folder, system):
    done = run("export", folder, "--for", system, "--json", "out.json")
    assert "not final  hacker ps1" in done.output
    told = json.loads(Path("out.json").read_text())
    assert told["not_final"] == [["hacker", "ps1"]]
    assert told["scores"] == 3
    assert Path(f"grades-{system}.csv").is_file()
    assert run("export", folder, "--for", system, "-c", "tiny", "--to", "one.csv").exit_code == 0
    assert "ps1" not in Path("one.csv").read_text()


def test_a_roster_that_names_nobody_is_refused_in_a_sentence(folder):
    Path("roster.csv").write_text("a,b\n3,4\n")
    refused = run("export", folder, "--for", "canvas", "--roster", "roster.csv")
    assert refused.exit_code == 1
    assert "expected one of SIS Login ID" in refused.output


def test_a_roster_is_never_written_over_and_scores_without_a_student_in_it_do_not_count(folder):
    roster = "Student,ID,SIS User ID,SIS Login ID,Section\nAda,1,,ada,\n"
    Path("canvas.csv").write_text(roster)
    done = run("export", folder, "--for", "canvas", "-c", "tiny", "--roster", "canvas.csv")
    assert "1 score written to grades-canvas.csv" in done.output
    assert "only here  bela" in done.output
    refused = run("export", folder, "--for", "canvas", "--roster", "canvas.csv", "--to", "./canvas.csv")
    assert refused.exit_code == 1
    assert "would be written over" in " ".join(refused.output.split())
    assert Path("canvas.csv").read_text() == roster


def test_the_autograder_is_for_one_chapter(folder):
    assert run("export", folder, "--for", "gradescope").exit_code == 0
    assert Path("autograder.zip").is_file()
    assert run("export", folder, "--for", "gradescope", "--feedback", "all").exit_code == 1


def test_the_autograder_says_which_tests_it_has_not(folder):
    path = folder / "source/ch01_tiny/ch01_tiny.ipynb"
    made = json.loads(path.read_text())
    own = {"grade": True, "grade_id": "mine", "points": 2, "locked": True, "solution": False, "schema_version": 3,
           "task": False, "cell_type": "code"}  # fmt: skip
    made["cells"].append({"cell_type": "code", "id": "mine", "source": "assert True", "outputs": [],
                          "execution_count": None, "metadata": {"nbgrader": own}})  # fmt: skip
    assert "not in it" not in run("export", folder, "--for", "gradescope", "-c", "tiny").output
    path.write_text(json.dumps(made))
    done = run("export", folder, "--for", "gradescope", "-c", "tiny")
    assert "not in it   mine your own tests, which are graded here only" in done.output


def test_a_mistake_in_course_toml_is_one_sentence(folder):
    (folder / "course.toml").write_text("fedback = 3")
    refused = run("grade", folder)
    assert refused.exit_code == 1
    assert "there is no setting `fedback`" in " ".join(refused.output.split())


@pytest.mark.parametrize(
    ("done", "total", "seconds", "said"),
    [
        (0, 9, 3, ""),
        (3, 9, 0, ""),
        (30, 90, 3, "10.0/s, 0:06 left"),
        (3, 9, 60, "3.0/min, 2:00 left"),
        (9, 9, 3, "3.0/s"),
    ],
)
def test_progress_says_throughput_and_time_left(done, total, seconds, said):
    assert pace_of(done, total, seconds) == said
