"""Property: what regrading would change is seen before anything is written, and is what is written afterwards."""

import shutil
from dataclasses import replace

import pytest
from tiny_course import course
from tiny_course.samples import RIGHT, SQUARE, hand_in, notebook, wrong

pytest.importorskip("nbgrader")

from nbgrader.api import Gradebook

from gradschool_grader.exercise import Group
from gradschool_grader.release import Outdated
from gradschool_grader.teach.grade import grade
from gradschool_grader.teach.regrade import Change, accept, given_by_others, preview

CHAPTER = course.chapters[0]


def tree(folder):
    """All that grading writes."""
    kept = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in kept}


def score(folder, student):
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        return gradebook.find_submission("ch01_tiny", student).score


@pytest.fixture
def fixed(folder, monkeypatch):
    """A class that was graded, and then `square` was found too strict: doubling counts, too, and zeros no longer do."""
    doubled = notebook(square=wrong(SQUARE, "doubled"), moving_average=RIGHT["moving_average"])
    hand_in(folder, "ada", notebook(**RIGHT))
    hand_in(folder, "bela", doubled)
    grade(folder, jobs=1, feedback=False)
    hand_in(folder, "cleo", doubled)
    double = next(m.wrong for m in SQUARE.misconceptions if m.name == "doubled")
    groups = [Group(f"new {g.name}", g.points, g.probes, g.about) for g in SQUARE.groups]
    new = replace(SQUARE, reference=double, name="square", groups=groups, misconceptions=(), variants=())
    exercises = [new if e.name == "square" else e for e in CHAPTER.exercises]
    chapter = replace(CHAPTER, exercises=exercises)
    changed = replace(course, chapters=[chapter], version="0.2")
    for module in ("grading", "teach.grade", "teach.judge", "teach.regrade"):
        monkeypatch.setattr(f"gradschool_grader.{module}.load_course", lambda _: changed)
    from gradschool_grader import grading

    grading._answers.cache_clear()
    yield folder
    grading._answers.cache_clear()


def test_who_gains_and_who_loses_is_seen_and_nothing_is_written(fixed):
    before = tree(fixed)
    seen = preview(fixed, jobs=1)
    assert seen.changes == [
        Change("ada", "ch01_tiny", "square", 3.0, 0.0, "wrong"),
        Change("bela", "ch01_tiny", "square", 0.0, 3.0, "passed"),
    ]
    assert (seen.new, seen.undecided, [c.id for c in seen.outdated]) == (1, 0, ["ch01_tiny"])
    assert tree(fixed) == before


def test_what_is_no_longer_asked_is_lost(fixed, monkeypatch):
    shorter = replace(course, chapters=[replace(CHAPTER, exercises=[SQUARE])])
    for module in ("grading", "teach.regrade"):
        monkeypatch.setattr(f"gradschool_grader.{module}.load_course", lambda _: shorter)
    lost = ("ch01_tiny", "moving_average", 4.0, 0.0, "not asked any more")
    assert preview(fixed, jobs=1).changes == [Change(student, *lost) for student in ("ada", "bela")]


def test_the_new_results_lie_in_a_folder_that_goes(fixed):
    seen = preview(fixed, jobs=1)
    folder = seen.judged.journal.folder
    assert [judged.student for judged in seen.judged] == ["ada", "bela", "cleo"]
    assert folder.is_dir()
    del seen
    assert not folder.exists()


def test_what_is_written_afterwards_is_what_was_seen(fixed):
    """In a course that has not kept its exercises."""
    shutil.rmtree(fixed / ".gradschool/exercises")
    assert len(given_by_others(fixed)) == 2
    with pytest.raises(Outdated):
        grade(fixed, jobs=1, feedback=False)
    lines = accept(preview(fixed, jobs=1))
    assert any("released" in line for line in lines)
    summary = grade(fixed, jobs=1, feedback=False)
    assert {judged.student: judged.points for judged in summary.judged} == {"ada": 4, "bela": 7, "cleo": 7}
    assert [score(fixed, student) for student in ("ada", "bela", "cleo")] == [4, 7, 7]
    assert given_by_others(fixed) == []
    assert preview(fixed, jobs=1).judged == []


def test_until_then_the_kept_exercises_grade_and_afterwards_never_again(fixed):
    """Also whoever hands in later: the class is graded by one version, and then by the other."""
    assert given_by_others(fixed) == []
    summary = grade(fixed, jobs=1, feedback=False)
    assert {judged.student: judged.points for judged in summary.judged} == {"ada": 7, "bela": 4, "cleo": 4}
    seen = preview(fixed, jobs=1)
    assert [(c.student, c.before, c.after) for c in seen.changes] == [("ada", 3, 0), ("bela", 0, 3), ("cleo", 0, 3)]
    accept(seen)
    hand_in(fixed, "dora", notebook(**RIGHT))
    summary = grade(fixed, jobs=1, feedback=False)
    assert {judged.student: judged.points for judged in summary.judged} == {"ada": 4, "bela": 7, "cleo": 7, "dora": 4}
    assert given_by_others(fixed) == []


def test_a_failure_of_ours_changes_no_grade(fixed, monkeypatch):
    def fails(task):
        raise ZeroDivisionError("a bug of ours")

    monkeypatch.setattr("gradschool_grader.teach.grade.judge_task", fails)
    seen = preview(fixed, jobs=1)
    assert (seen.judged, seen.changes, seen.undecided) == ([], [], 3)
