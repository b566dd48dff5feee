"""Property: course.toml sets points, dates, lateness and feedback on every path to a grade, and says what it cannot."""

import sys
from datetime import datetime

import pytest
from tiny_course import course
from tiny_course.samples import RIGHT, SQUARE, hand_in, notebook, wrong

pytest.importorskip("nbgrader")

from nbgrader.api import Gradebook

from gradschool_grader.course_toml import TEMPLATE, Malformed, Settings, read_settings, weighed
from gradschool_grader.release import release
from gradschool_grader.source import exercise_hash
from gradschool_grader.teach.grade import grade

FULL = """
feedback = "full"
[late]
penalty = "zero"
[assignments.ch01_tiny]
due = 2026-12-01T18:00:00+01:00
feedback = "outcome"
points = { square = 12 }
"""


def test_what_it_says_is_read(tmp_path):
    (tmp_path / "course.toml").write_text(FULL)
    assert read_settings(tmp_path) == Settings(
        {"": "full", "ch01_tiny": "outcome"},
        {"ch01_tiny": datetime(2026, 12, 1, 17)},
        {"ch01_tiny": {"square": 12.0}},
        "zero",
    )


def test_without_it_or_with_the_template_nothing_is_set(tmp_path):
    assert read_settings(tmp_path) == Settings()
    (tmp_path / "course.toml").write_text(TEMPLATE)
    assert read_settings(tmp_path) == Settings({"": "full"})
    (tmp_path / "course.toml").write_text(TEMPLATE.replace("# ", ""))
    with pytest.raises(Malformed, match="is no TOML"):
        read_settings(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fedback = 'full'", "no setting `fedback`; there is assignments, feedback, late"),
        ("feedback = 'all'", "feedback is 'all'; expected one of full, outcome"),
        ("late = 3", "late is 3; expected a table"),
        ("[late]\npenalty = 3", "late.penalty is 3; expected"),
        ("[assignments]\nps = 3", "assignments.ps is 3; expected a table"),
        ("[assignments.ps]\ndate = 3", "no setting `date` in .assignments.ps.; there is due, feedback, points"),
        ("[assignments.ps]\ndue = 2026-12-01", "assignments.ps.due is 2026-12-01; expected date, time and zone"),
        ("[assignments.ps]\ndue = 2026-12-01T18:00:00", "expected date, time and zone"),
        ("[assignments.ps]\npoints = 3", "assignments.ps.points is 3; expected a table"),
        ("[assignments.ps.points]\nf = 0", "points.f is 0; expected a number of points above 0"),
        ("[assignments.ps.points]\nf = nan", "expected a number of points above 0"),
    ],
)
def test_what_it_cannot_say_is_refused_in_a_sentence(tmp_path, text, said):
    (tmp_path / "course.toml").write_text(text)
    with pytest.raises(Malformed, match=said):
        read_settings(tmp_path)


def test_points_change_what_an_exercise_is_worth_and_not_what_it_asks():
    chapter = weighed(course.chapters[0], Settings(points={"ch01_tiny": {"square": 12.0}}))
    assert [exercise.points for exercise in chapter.exercises] == [12, 4]
    assert exercise_hash(chapter.exercise("square")) == exercise_hash(SQUARE)
    with pytest.raises(LookupError, match="Did you mean `square`"):
        weighed(course.chapters[0], Settings(points={"ch01_tiny": {"sqare": 12.0}}))


@pytest.fixture
def late(folder):
    """Ada is right and in time, Bela right and an hour late, Cleo wrong."""
    for student, answers, when in (
        ("ada", RIGHT, "2026-12-01 16:00:00 UTC"),
        ("bela", RIGHT, "2026-12-01 18:00:00 UTC"),
        ("cleo", {**RIGHT, "square": wrong(SQUARE, "doubled")}, "2026-12-01 16:00:00 UTC"),
    ):
        hand_in(folder, student, notebook(**answers)).with_name("timestamp.txt").write_text(when)
    return folder


def scores(folder):
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        found = gradebook.find_assignment("ch01_tiny").submissions
        return {s.student_id: (s.score, s.late_submission_penalty, s.max_score) for s in found}


def test_points_dates_lateness_and_feedback_reach_gradebook_and_page(late):
    (late / "course.toml").write_text(FULL)
    lines = list(release(course, ["tiny"], late))
    assert "ch01_tiny: due 2026-12-01 17:00 UTC" in lines
    assert "16 points" in next(line for line in lines if "released" in line)
    summary = grade(late, jobs=1)
    assert scores(late) == {"ada": (16, 0, 16), "bela": (16, 16, 16), "cleo": (4, 0, 16)}
    assert {judged.student: judged.points for judged in summary.judged} == {"ada": 16, "bela": 16, "cleo": 4}
    page = (late / "feedback/cleo/ch01_tiny/ch01_tiny.html").read_text(encoding="utf-8")
    assert "as if you doubled" not in page
    assert "ch01_tiny: 4 of 16 points" in page


def test_a_date_that_was_moved_counts_for_what_was_graded_already(late):
    (late / "course.toml").write_text(FULL.replace("points = { square = 12 }", ""))
    grade(late, jobs=1, feedback=False)
    assert scores(late)["bela"] == (7, 7, 7)
    (late / "course.toml").write_text(FULL.replace("points = { square = 12 }", "").replace("T18:00", "T20:00"))
    grade(late, jobs=1, feedback=False)
    assert scores(late)["bela"] == (7, 0, 7)


def test_extra_credit_that_a_teacher_gave_stays_when_it_is_graded_again(late):
    grade(late, jobs=1, feedback=False)
    with Gradebook(f"sqlite:///{late / 'gradebook.db'}") as gradebook:
        gradebook.find_grade("square", "ch01_tiny", "ch01_tiny", "ada").extra_credit = 3
        gradebook.db.commit()
    grade(late, jobs=1, feedback=False, force=True)
    assert scores(late)["ada"] == (10, 0, 7)


def test_a_course_of_somebodys_own_gets_the_judge_at_the_end_of_its_settings(tmp_path):
    own = 'c = get_config()\nc.CourseDirectory.course_id = "mine"\n'
    (tmp_path / "nbgrader_config.py").write_text(own)
    lines = list(release(course, ["tiny"], tmp_path))
    text = (tmp_path / "nbgrader_config.py").read_text()
    assert "the judge was added at its end" in lines[0]
    assert text.startswith(own)
    assert "course_id = 'tiny'" not in text
    hand_in(tmp_path, "ada", notebook(**RIGHT))
    assert grade(tmp_path, jobs=1, feedback=False, unsafe_no_sandbox=True).judged[0].points == 7
    assert "kept" in next(iter(release(course, ["tiny"], tmp_path)))


HALVES = """
from nbgrader.plugins import BasePlugin


class Halves(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return score / 2
"""


@pytest.fixture
def with_halves(late, monkeypatch):
    """A plugin for lateness beside course.toml, as nbgrader's documentation has them written."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    (late / "halves_of_late.py").write_text(HALVES)
    (late / "course.toml").write_text(FULL.replace('"zero"', '"halves_of_late.Halves"'))
    yield late
    sys.modules.pop("halves_of_late", None)


def test_a_plugin_may_lie_beside_it(with_halves):
    list(release(course, ["tiny"], with_halves))
    grade(with_halves, jobs=1, feedback=False)
    assert scores(with_halves) == {"ada": (16, 0, 16), "bela": (16, 8, 16), "cleo": (4, 0, 16)}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("half", "Empty module name"),
        ("nowhere_at_all.Halves", "No module named 'nowhere_at_all'"),
        ("halves_of_late.Thirds", "has no attribute 'Thirds'"),
        ("halves_of_late.__name__", "which is no class"),
    ],
)
def test_a_plugin_that_is_not_there_is_refused_in_a_sentence(with_halves, name, why):
    (with_halves / "course.toml").write_text(f'[late]\npenalty = "{name}"\n')
    with pytest.raises(Malformed, match=f"late.penalty is '{name}'.*{why}"):
        grade(with_halves, jobs=1, feedback=False)
