"""Property: every path from a submission to the gradebook gives the same grade, and nothing handed in stops it."""

import csv
import errno
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
from here import HERE
from tiny_course import course
from tiny_course.samples import MEAN, ODD, RIGHT, SQUARE, find, hand_in, notebook, wrong

pytest.importorskip("nbgrader")

from nbgrader.api import Gradebook, MissingEntry

from gradschool_grader import grading
from gradschool_grader.cells import LARGEST_FILE
from gradschool_grader.chapter import as_text, build_source
from gradschool_grader.journal import Journal
from gradschool_grader.release import Outdated
from gradschool_grader.sandbox import SandboxMissing
from gradschool_grader.teach import grade as grade_module
from gradschool_grader.teach.assign import alembic_on_path, course_directory, quietly, settings
from gradschool_grader.teach.grade import grade
from gradschool_grader.teach.unread import ungraded

CLASS = {
    "ada": (notebook(**RIGHT), 3, 4),
    "bela": (notebook(square=wrong(SQUARE, "doubled"), moving_average=RIGHT["moving_average"]), 0, 4),
    "cleo": (notebook(moving_average=wrong(MEAN, "sum")), 0, 0),
    "dora": (notebook(), 0, 0),
}


def scores(folder: Path) -> dict[str, tuple]:
    """{student: ((auto score, score, needs a human) of each exercise, the comments on the answers)}"""
    found = {}
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        for submission in gradebook.find_assignment("ch01_tiny").submissions:
            place = "ch01_tiny", "ch01_tiny", submission.student_id
            names = ("square", "moving_average")
            grades = [gradebook.find_grade(name, *place) for name in names]
            comments = [gradebook.find_comment(f"{name}_answer", *place).comment for name in names]
            found[submission.student_id] = (
                tuple((g.auto_score, g.score, bool(g.needs_manual_grade)) for g in grades),
                tuple(comments),
            )
    return found


def decided(*points: float) -> tuple:
    return tuple((p, p, False) for p in points)


def graded_notebook(folder: Path, student: str) -> nbformat.NotebookNode:
    return nbformat.read(folder / "autograded" / student / "ch01_tiny" / "ch01_tiny.ipynb", as_version=4)


def feedback(folder: Path, student: str) -> str:
    return (folder / "feedback" / student / "ch01_tiny" / "ch01_tiny.html").read_text(encoding="utf-8")


def environment() -> dict[str, str]:
    paths = [str(Path(__file__).parent), *sys.path]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


@pytest.fixture(scope="session")
def handed_in(released, tmp_path_factory):
    """A course directory with the class and every odd submission, not graded yet."""
    folder = Path(shutil.copytree(released, tmp_path_factory.mktemp("class") / "course"))
    for student, (content, *_) in CLASS.items():
        hand_in(folder, student, content)
    for name, (content, *_) in ODD.items():
        hand_in(folder, f"odd_{name}", content)
    return folder


@pytest.fixture(scope="session")
def graded(handed_in, tmp_path_factory):
    """The same, graded, with the steps and the summary of the run."""
    folder = Path(shutil.copytree(handed_in, tmp_path_factory.mktemp("graded") / "course"))
    steps = []
    summary = grade(folder, progress=steps.append, jobs=2)
    return folder, steps, summary


# ----------------------------------------------------------------------------------------------------- what is right
def test_the_gradebook_has_the_points_of_the_verdicts(graded):
    folder, _, summary = graded
    expected = {name: decided(*points) for name, (_, *points) in CLASS.items()}
    expected |= {f"odd_{name}": decided(*points) for name, (_, *points, _) in ODD.items()}
    assert {student: grades for student, (grades, _) in scores(folder).items()} == expected
    assert {j.student: tuple(v.points for v in j.verdicts) for j in summary.judged} == {
        student: tuple(score for _, score, _ in grades) for student, grades in expected.items()
    }
    assert summary.set_aside == []
    assert summary.mode in ("AB", "B", "process")


def test_the_comment_on_the_answer_is_the_diagnosis_with_its_question(graded):
    comments = {student: comment for student, (_, comment) in scores(graded[0]).items()}
    assert "as if you doubled" in comments["bela"][0]
    assert "*What is the square of 3?*" in comments["bela"][0]
    assert comments["ada"] == (None, None)
    assert "not written yet" in comments["dora"][0]


def test_the_check_cell_of_the_autograded_notebook_holds_points_and_message(graded):
    cell = find(graded_notebook(graded[0], "bela"), "square")
    assert cell.outputs[0].data["text/plain"] == "0"
    assert "as if you doubled" in cell.outputs[0].data["text/html"]
    assert find(graded_notebook(graded[0], "bela"), "moving_average").outputs[0].data["text/plain"] == "4"


def test_the_page_says_that_experiments_were_not_run(graded):
    cells = [cell for cell in graded_notebook(graded[0], "ada").cells if "experiment" in cell.metadata.get("tags", ())]
    assert cells
    assert all("does not run" in cell.outputs[0].data["text/html"] for cell in cells)
    assert feedback(graded[0], "ada").count("An experiment, which grading does not run.") == len(cells)


def test_the_feedback_page_shows_the_diagnosis(graded):
    page = feedback(graded[0], "bela")
    assert "as if you doubled" in page
    assert "What is the square of 3?" in page
    assert "ch01_tiny: 4 of 7 points" in page


@pytest.mark.parametrize("name", [name for name, (*_, words) in ODD.items() if words])
def test_what_is_odd_about_a_file_is_said_in_the_report_and_on_the_page(graded, name):
    folder, _, summary = graded
    judged = next(j for j in summary.judged if j.student == f"odd_{name}")
    words = ODD[name][3]
    assert any(words in problem for problem in judged.problems), judged.problems
    assert "About this file" in graded_notebook(folder, f"odd_{name}").cells[0].source


def test_progress_counts_every_submission_in_every_phase(graded):
    _, steps, summary = graded
    for what in ("judged", "recorded", "feedback"):
        counted = [step for step in steps if step.what == what]
        assert [step.done for step in counted] == list(range(1, len(summary.judged) + 1))
        assert {step.total for step in counted} == {len(summary.judged)}


# ------------------------------------------------------------------------------------------------- the other paths
def test_the_stock_command_gives_the_same_scores_and_comments(handed_in, graded, tmp_path):
    folder = Path(shutil.copytree(handed_in, tmp_path / "course"))
    command = [sys.executable, "-m", "nbgrader", "autograde", "ch01_tiny", "--course-dir", str(folder)]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert scores(folder) == scores(graded[0])


def test_what_was_judged_already_is_taken_over_by_the_stock_command(graded, tmp_path, monkeypatch):
    from nbgrader.apps.api import NbGraderAPI

    folder = Path(shutil.copytree(graded[0], tmp_path / "course"))
    monkeypatch.setattr("gradschool_grader.teach.judge.judge_task", None)  # it would fail if it were called
    config = settings(folder)
    with quietly(), alembic_on_path():
        button = NbGraderAPI(course_directory(folder, config), config=config)  # formgrader's button
        result = button.autograde("ch01_tiny", "bela")
    assert result["success"], result
    assert scores(folder) == scores(graded[0])


def test_formgraders_button_judges_in_this_process_when_nothing_is_known(handed_in, graded, tmp_path):
    from nbgrader.apps.api import NbGraderAPI

    folder = Path(shutil.copytree(handed_in, tmp_path / "course"))
    config = settings(folder)
    with quietly(), alembic_on_path():
        result = NbGraderAPI(course_directory(folder, config), config=config).autograde("ch01_tiny", "cleo")
    assert result["success"], result
    assert scores(folder) == {"cleo": scores(graded[0])["cleo"]}


def test_nbgraders_own_execute_gives_honest_submissions_the_same_scores(handed_in, graded, tmp_path):
    folder = Path(shutil.copytree(handed_in, tmp_path / "course"))
    for path in (folder / "submitted").iterdir():
        if path.name != "bela":
            shutil.rmtree(path)
    (folder / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'tiny'\n")
    command = [sys.executable, "-m", "nbgrader", "autograde", "ch01_tiny", "--course-dir", str(folder)]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    got = {student: [grade[1] for grade in grades] for student, (grades, _) in scores(folder).items()}
    assert got == {"bela": [0, 4]}


def test_any_executor_can_judge(handed_in, graded, tmp_path):
    folder = Path(shutil.copytree(handed_in, tmp_path / "course"))
    with ThreadPoolExecutor(2) as executor:
        summary = grade(folder, students=["ada", "cleo"], executor=executor, feedback=False)
    assert [j.student for j in summary.judged] == ["ada", "cleo"]
    assert scores(folder) == {name: scores(graded[0])[name] for name in ("ada", "cleo")}


@pytest.mark.parametrize("mode", HERE.modes)
def test_the_mode_that_is_asked_for_stands_in_every_result(handed_in, tmp_path, mode):
    """In the configuration for every path, or for one run of the command."""
    folder = Path(shutil.copytree(handed_in, tmp_path / "course"))
    config = folder / "nbgrader_config.py"
    config.write_text(config.read_text() + f"\nc.Judge.mode = {mode!r}\nc.Judge.unsafe_no_sandbox = False\n")
    from_settings = grade(folder, students=["ada"], jobs=1, feedback=False)
    told = grade(folder, students=["cleo"], jobs=1, mode=mode, unsafe_no_sandbox=False, feedback=False)
    verdicts = [v for judged in (*from_settings.judged, *told.judged) for v in judged.verdicts]
    assert {v.mode for v in verdicts if v.outcome != "missing"} == {mode}
    assert (from_settings.mode, told.mode) == (mode, mode)


def test_a_mode_that_is_none_is_refused_before_anything_is_judged(folder):
    hand_in(folder, "ada", notebook(**RIGHT))
    with pytest.raises(ValueError, match="has the modes AB, B, C; got 'D'"):
        grade(folder, mode="D")


# ----------------------------------------------------------------------------------------------- doing it once only
def test_a_second_run_does_nothing_and_reports_everything(graded):
    folder, _, first = graded
    steps = []
    summary = grade(folder, progress=steps.append, jobs=1)
    assert steps == []
    assert sorted(j.student for j in summary.judged) == sorted(j.student for j in first.judged)


def test_only_a_file_that_changed_is_graded_again(graded, tmp_path):
    folder = Path(shutil.copytree(graded[0], tmp_path / "course"))
    hand_in(folder, "dora", notebook(**RIGHT))
    steps = []
    grade(folder, progress=steps.append, jobs=1)
    assert [(step.what, step.student) for step in steps] == [
        (what, "dora") for what in ("judged", "recorded", "feedback")
    ]
    assert scores(folder)["dora"][0] == decided(3, 4)


def test_a_manual_grade_survives_being_graded_again(graded, tmp_path):
    folder = Path(shutil.copytree(graded[0], tmp_path / "course"))
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        gradebook.find_grade("square", "ch01_tiny", "ch01_tiny", "bela").manual_score = 2
        gradebook.find_comment("square_answer", "ch01_tiny", "ch01_tiny", "bela").manual_comment = "Nearly."
        gradebook.db.commit()
    grade(folder, students=["bela"], jobs=1, force=True, feedback=False)
    grades, comments = scores(folder)["bela"]
    assert grades[0] == (0, 2, True)
    assert comments[0] == "Nearly."


@pytest.mark.parametrize("phase", ["judged", "recorded", "feedback"])
def test_an_interrupted_run_leaves_a_gradebook_that_the_next_run_completes(handed_in, graded, tmp_path, phase):
    folder = Path(shutil.copytree(handed_in, tmp_path / "course"))
    for path in (folder / "submitted").iterdir():
        if path.name not in CLASS:
            shutil.rmtree(path)

    def interrupt(step):
        if step.what == phase and step.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grade(folder, progress=interrupt, jobs=1)
    steps = []
    grade(folder, progress=steps.append, jobs=1)
    assert sum(step.what == "judged" for step in steps) == 2  # each was recorded before the next was judged
    assert scores(folder) == {name: scores(graded[0])[name] for name in CLASS}
    assert all("Score" in feedback(folder, name) for name in CLASS)


# ------------------------------------------------------------------------------------------- what cannot be graded
def test_a_misnamed_notebook_or_script_is_found_if_there_is_no_doubt(folder):
    hand_in(folder, "ada", notebook(**RIGHT), name="my work (1).ipynb")
    hand_in(folder, "bela", ("# %%\nimport numpy as np\n\n# %%\n" + RIGHT["square"]).encode(), name="answers.py")
    hand_in(folder, "cleo", notebook(), name="one.ipynb")
    hand_in(folder, "cleo", notebook(), name="two.ipynb")
    hand_in(folder, "dora", b"hello", name="letter.txt").with_name("timestamp.txt").write_text("")
    for name in "abcd":
        hand_in(folder, "emil", b"PK", name=f"{name}.zip")
        hand_in(folder, "fay", notebook(), name=f"{name}\x1b[2J.ipynb")
    summary = grade(folder, jobs=1, feedback=False)
    assert {j.student: j.points for j in summary.judged} == {"ada": 7, "bela": 3}
    assert [(s.student, s.why) for s in summary.set_aside] == [
        ("cleo", "expected ch01_tiny.ipynb, found one.ipynb, two.ipynb"),
        ("dora", "expected ch01_tiny.ipynb, found neither notebook nor script but letter.txt"),
        ("emil", "expected ch01_tiny.ipynb, found neither notebook nor script but a.zip, b.zip, c.zip, …"),
        ("fay", r"expected ch01_tiny.ipynb, found a\x1b[2J.ipynb, b\x1b[2J.ipynb, c\x1b[2J.ipynb, …"),
    ]


def test_a_folder_that_cannot_be_read_stops_nobody_else(folder, monkeypatch):
    """Without permission for it, or with paths longer than the system allows."""
    for student in ("ada", "bela", "cleo"):
        hand_in(folder, student, notebook(**RIGHT))

    def closed(place):
        if place.parent.name == "bela":
            raise PermissionError(errno.EACCES, "Permission denied", str(place))

    monkeypatch.setattr("gradschool_grader.teach.collect.tidy", closed)
    summary = grade(folder, jobs=1, feedback=False)
    assert [judged.student for judged in summary.judged] == ["ada", "cleo"]
    assert [(s.student, s.why) for s in summary.set_aside] == [("bela", "its folder cannot be read: Permission denied")]


def test_a_file_that_is_too_large_is_called_that_and_not_empty(folder):
    hand_in(folder, "ada", json.dumps(notebook(**RIGHT)).encode() + b" " * LARGEST_FILE)
    (judged,) = grade(folder, jobs=1).judged
    assert judged.problems == ("The file is larger than 20 MB; clear its outputs and hand it in again.",)
    assert "larger than 20 MB" in feedback(folder, "ada")


def test_work_that_no_run_reads_is_named(folder):
    """In a wrong place, under the name of no assignment, or a second notebook that differs from the graded one."""
    hand_in(folder, "ada", notebook(**RIGHT))
    hand_in(folder, "ada", notebook(), "ch01_tiny-Copy1.ipynb")
    hand_in(folder, "ada", b"def helper(): ...", "helper.py")
    hand_in(folder, "bela", notebook(), "mine.ipynb")  # graded under the chapter's name
    submitted = folder / "submitted"
    for place in ("loose.ipynb", "cleo/ch01_tiny.ipynb", "dora/tiny/ch01_tiny.ipynb"):
        (submitted / place).parent.mkdir(parents=True, exist_ok=True)
        (submitted / place).write_text("{}")
    (submitted / "emil/letters").mkdir(parents=True)
    expected = [
        ("submitted/ada/ch01_tiny/ch01_tiny-Copy1.ipynb", "ch01_tiny.ipynb beside it was graded"),
        ("submitted/cleo/ch01_tiny.ipynb", "expected in submitted/STUDENT/ASSIGNMENT/"),
        ("submitted/dora/tiny", "no assignment here is called tiny"),
        ("submitted/loose.ipynb", "expected in submitted/STUDENT/ASSIGNMENT/"),
    ]
    for _ in range(2):
        assert [(item.path, item.why) for item in grade(folder, jobs=1, feedback=False).unread] == expected
    assert grade(folder, ["tiny"], jobs=1, feedback=False).unread == []


def test_submissions_without_a_result_are_named_with_the_reason(folder):
    hand_in(folder, "ada", notebook(**RIGHT))
    hand_in(folder, "bela", b"hello", "letter.txt")
    grade(folder, jobs=1, feedback=False)
    hand_in(folder, "cleo", notebook())
    assert [(item.path, item.why) for item in ungraded(folder, settings(folder), ["ch01_tiny"])] == [
        ("submitted/bela/ch01_tiny", "expected ch01_tiny.ipynb, found neither notebook nor script but letter.txt"),
        ("submitted/cleo/ch01_tiny", "not graded yet"),
    ]


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_a_link_is_not_followed(folder, tmp_path):
    secret = tmp_path / "solution.ipynb"
    secret.write_text(as_text(build_source(course.chapters[0], course)))
    hand_in(folder, "ada", b"").unlink()
    (folder / "submitted/ada/ch01_tiny/ch01_tiny.ipynb").symlink_to(secret)
    summary = grade(folder, jobs=1, feedback=False)
    assert not summary.judged
    assert "neither is followed" in summary.set_aside[0].why
    assert not (folder / "autograded").exists()


def test_a_link_to_nowhere_makes_no_file_there(folder, tmp_path):
    hand_in(folder, "ada", b"").unlink()
    place = folder / "submitted/ada/ch01_tiny"
    (place / "ch01_tiny.ipynb").symlink_to(tmp_path / "elsewhere.txt")
    hand_in(folder, "ada", notebook(**RIGHT), "mine.ipynb")
    assert len(grade(folder, jobs=1, feedback=False).set_aside) == 1
    assert not (tmp_path / "elsewhere.txt").exists()


def test_a_folder_in_the_place_of_a_notebook_stops_nobody(folder):
    hand_in(folder, "ada", b"").unlink()
    (folder / "submitted/ada/ch01_tiny/ch01_tiny.ipynb").mkdir()
    hand_in(folder, "bela", notebook(**RIGHT))
    summary = grade(folder, jobs=1, feedback=False)
    assert [(a.student, b.student) for a, b in zip(summary.set_aside, summary.judged, strict=True)] == [("ada", "bela")]


def test_without_a_sandbox_nothing_is_graded_and_the_reason_reaches_the_teacher(folder, monkeypatch):
    def none(**_):
        raise SandboxMissing("no layer is here", {"landlock": "an old kernel"})

    monkeypatch.setattr(grading, "open_workers", none)
    grading.workers_of.cache_clear()
    hand_in(folder, "ada", notebook(**RIGHT))
    with pytest.raises(SandboxMissing, match="no layer is here"):
        grade(folder, jobs=1)
    grading.workers_of.cache_clear()
    with pytest.raises(MissingEntry), Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        gradebook.find_submission("ch01_tiny", "ada")


def test_a_failure_of_the_grader_costs_no_points_and_is_tried_again(folder, monkeypatch):
    real = grade_module.judge_task

    def fails_for_ada(task):
        if task.student == "ada":
            raise ZeroDivisionError("a bug of ours")
        return real(task)

    monkeypatch.setattr(grade_module, "judge_task", fails_for_ada)
    hand_in(folder, "ada", notebook(**RIGHT))
    hand_in(folder, "bela", CLASS["bela"][0])
    summary = grade(folder, jobs=1, feedback=False)
    assert "ZeroDivisionError: a bug of ours" in summary.judged[0].problems[0]
    assert scores(folder)["ada"][0] == ((None, 0, True), (None, 0, True))
    assert scores(folder)["bela"][0] == decided(0, 4)
    monkeypatch.undo()
    assert grade(folder, jobs=1, feedback=False).judged[0].points == 7
    assert scores(folder)["ada"][0] == decided(3, 4)


def test_exercises_that_changed_since_the_release_are_not_used(folder):
    source = folder / "source/ch01_tiny/ch01_tiny.ipynb"
    source.write_text(source.read_text().replace(Journal and build_source(course.chapters[0], course)
                      .metadata.gradschool.exercises.square, "0" * 64))  # fmt: skip
    hand_in(folder, "ada", notebook(**RIGHT))
    with pytest.raises(Outdated, match=r"released with version 0\.1 of tiny, and square changed"):
        grade(folder, jobs=1)


def test_a_folder_that_is_no_course_says_how_to_make_one(tmp_path):
    with pytest.raises(FileNotFoundError, match="`gradschool release` makes one"):
        grade(tmp_path)


# ------------------------------------------------------------------------------------------------------------- export
def test_the_exported_table_says_what_to_look_at_before_believing_the_points(folder, tmp_path):
    from gradschool_grader.teach.export import export

    route = "def square(x):\n    import tiny_course.library as lib\n    return lib.square(x)\n"
    hand_in(folder, "ada", notebook(square=route, moving_average=RIGHT["moving_average"]))
    hand_in(folder, "bela", notebook(**RIGHT))
    grade(folder, jobs=1, feedback=False)
    with export(folder, tmp_path / "grades.csv").open(newline="", encoding="utf-8") as file:
        flags = {row["student_id"]: row["flags"] for row in csv.DictReader(file)}
    assert flags["bela"] == ""
    assert flags["ada"].startswith("`square` names `tiny_course.library.square` (cell ")


def test_a_folder_that_was_renamed_to_look_like_a_pattern_is_graded(folder):
    there = folder.rename(folder.parent / "DL [2026]")
    hand_in(there, "chén o'hara", notebook(**RIGHT))
    assert [judged.student for judged in grade(there, jobs=1, feedback=False).judged] == ["chén o'hara"]
