"""Hints come one at a time and in order, the solution is earned, and progress is never lost by a worse try."""

import pytest

from gradschool_grader import state
from gradschool_grader.course import Chapter, Course
from gradschool_grader.exercise import Exercise, Group, Hint, Misconception
from gradschool_grader.ladder import given, hints_taken, next_hint, remember, solution_seen, solved, standing
from gradschool_grader.rungs import BY_KIND
from gradschool_grader.verdict import Diagnosis, GroupVerdict, Verdict


def square(x):
    return x * x


HINTS = [Hint("What is a square?"), Hint("Is 2 x it?", when=("doubled",)), Hint("Multiply.")]
DOUBLED = Misconception("doubled", lambda x: 2 * x, "What is the square of 3?", see="Squares")
EXERCISE = Exercise(square, "ch01", task="", example="", groups=[Group("values", 3, lambda rng: [])], hints=HINTS,
                    misconceptions=[DOUBLED])  # fmt: skip
BARE = Exercise(square, "ch01", task="", example="", groups=[Group("all", 2, lambda rng: [])], name="bare")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / state.FOLDER).mkdir()
    return tmp_path


@pytest.fixture
def course(tmp_path):
    return Course("c", "C", [Chapter("ch01", 1, "One", tmp_path, [EXERCISE, BARE])])


def verdict(points, outcome="wrong", diagnosis=None):
    return Verdict("square", "", "ch01", 77, "process", (GroupVerdict("values", outcome, points, 3.0),), diagnosis)


def test_hints_come_in_order_and_the_last_one_stays():
    steps = [next_hint(EXERCISE) for _ in range(3)]
    assert [(s.number, s.of, s.text, s.new) for s in steps if s] == [
        (1, 2, "What is a square?", True), (2, 2, "Multiply.", True), (2, 2, "Multiply.", False)]  # fmt: skip
    assert hints_taken(EXERCISE) == 2


def found(kind, name):
    remember(verdict(0.0, diagnosis=Diagnosis(kind, name, "...")))


def texts(number):
    return [step.text for step in (next_hint(EXERCISE) for _ in range(number)) if step]


def test_the_ladder_begins_with_the_mistake_that_was_found():
    found("misconception", "doubled")
    question = "What is the square of 3? The chapter speaks of it under “Squares”."
    assert texts(4) == [question, "Is 2 x it?", "What is a square?", "Multiply."]


def test_a_mistake_found_later_comes_next_and_nothing_is_given_twice():
    assert texts(1) == ["What is a square?"]
    found("misconception", "doubled")
    step = next_hint(EXERCISE)
    assert step
    assert (step.number, step.of, step.mistake) == (2, 4, True)
    assert repr(step).startswith("Hint 2 of 4 (2 more), for what your last check found\nWhat is the square of 3?")
    found("mutated", "mutated")
    assert texts(3) == [BY_KIND["mutated"], "Multiply.", "Multiply."]
    assert len(given(EXERCISE)) == len(set(given(EXERCISE))) == 4


def test_a_failure_of_any_kind_has_a_rung_by_its_name_or_its_kind():
    found("structure", "sign")
    assert texts(1) == [BY_KIND["sign"]]
    found("raised", "ValueError")
    assert texts(1) == [BY_KIND["raised"]]


def test_an_exercise_without_hints_has_those_of_its_failure():
    remember(
        Verdict("bare", "", "ch01", 7, "here", (GroupVerdict("all", "wrong", 0.0, 2.0),), Diagnosis("shape", "", ""))
    )
    step = next_hint(BARE)
    assert step
    assert step.text == BY_KIND["shape"]


def test_a_check_that_passed_leaves_no_mistake_to_speak_of():
    found("misconception", "doubled")
    remember(verdict(3.0, "passed"))
    assert texts(2) == ["What is a square?", "Multiply."]


def test_an_exercise_without_hints_has_none():
    assert next_hint(BARE) is None


def test_solved_needs_all_points_and_outlives_a_worse_try():
    remember(verdict(1.0))
    assert not solved(EXERCISE)
    remember(verdict(3.0, "passed"))
    remember(verdict(0.0))
    assert solved(EXERCISE)


def test_a_failing_seed_is_kept_until_it_passes():
    remember(verdict(0.0))
    assert state.read("failing") == {"square": 77}
    remember(verdict(3.0, "passed"))
    assert state.read("failing") == {}


def test_standing_lists_every_exercise_whether_tried_or_not(course):
    remember(verdict(1.0))
    next_hint(EXERCISE)
    solution_seen(BARE)
    lines = [(li.exercise.name, li.points, li.outcome, li.hints, li.solution_seen) for li in standing(course)]
    assert lines == [("square", 1.0, "wrong", 1, False), ("bare", 0.0, "", 0, True)]


@pytest.mark.parametrize(
    "text", ["[]", "{", '{"square": 3}', '{"square": {"points": "x", "given": "y", "mistake": 5}}', "\udc80"]
)
def test_a_spoilt_memory_counts_as_none(folder, text):
    for topic in ("progress", "hints"):
        (folder / state.FOLDER / f"{topic}.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert not solved(EXERCISE)
    assert hints_taken(EXERCISE) == 0
    remember(verdict(3.0, "passed"))
    assert solved(EXERCISE)


# ------------------------------------------------------------------------------------------------- where it is kept
def test_what_is_remembered_is_found_from_the_folder_of_the_notebooks_and_from_those_above_and_below(
    tmp_path, monkeypatch
):
    lessons = tmp_path / "home" / "lessons"
    (lessons / state.FOLDER).mkdir(parents=True)
    (lessons / "figures").mkdir()
    for place in (lessons, lessons.parent, lessons / "figures"):
        monkeypatch.chdir(place)
        assert state.folder() == lessons / state.FOLDER
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert state.folder() == tmp_path / state.FOLDER
