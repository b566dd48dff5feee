"""Property: a submission is graded by the exercises that it was built with, as long as the course has kept them."""

import copy
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from tiny_course import course
from tiny_course.samples import MEAN, NAMES, RIGHT, SQUARE, hand_in, notebook, wrong

from gradschool_grader import source
from gradschool_grader.answers import LiveAnswers
from gradschool_grader.exercise import Call, Exercise, Group, Misconception, Property, Seed, Steps, Tolerance
from gradschool_grader.inside.perform import Performer
from gradschool_grader.judge import judge
from gradschool_grader.observe import draw
from gradschool_grader.source import exercise_hash
from gradschool_grader.versions import Built, Outdated, Versions, built_with, exercise_from, graded_by, kept_text

CHAPTER = course.chapters[0]
CUBE = Misconception("doubled", lambda x: 2 * x, "What is the cube of 3?", says="you doubled")


def cube(x):
    return x**3


def other(chapter=CHAPTER, **changes):
    """The course after `square` has become a cube."""
    groups = [Group("values", 5, lambda rng: [Call(x=rng.normal(size=4))])]
    new = replace(
        SQUARE, **{"reference": cube, "name": "square", "groups": groups, "misconceptions": [CUBE], **changes}
    )
    made = replace(chapter, exercises=[new, MEAN])
    return replace(course, chapters=[made], version="0.2"), made


def hashes(versions, name):
    return {path.stem for path in (versions.folder / name).glob("*.json")}


class Here(Performer):
    def request(self, message, seconds):
        return self.handle(message)

    def close(self):
        pass


# ------------------------------------------------------------------------------------------------------- as a text
class Tally:
    def __init__(self, start=0.0):
        self.total = start

    def add(self, value):
        self.total += value
        return self.total


def at_random(x, rng):
    return x[rng.permutation(len(x))]


FACTOR = 3.0
TOLD = Tolerance(rtol=1e-3, per="entry")
VARIED = [
    SQUARE,
    MEAN,
    Exercise(
        reference=lambda p, g: {k: p[k] - FACTOR * g[k] for k in p}, name="stepped", chapter="ch01_tiny",
        task="", example="",
        axes={"p": ("row", "column")}, pure=False, may_alias=True, forbidden=("numpy.sort",), title="Steps",
        groups=[Group("steps", 2, lambda rng: [Steps({"p": {"w": rng.normal(size=3)}}, [{"g": {"w": np.ones(3)}}])],
                      tolerance=TOLD, exact_dtype=True, types_matter=True, forbid_warnings=False)],
    ),
    Exercise(
        reference=at_random, chapter="ch01_tiny", task="", example="",
        groups=[Group("drawn", 1, lambda rng: [
            Property(Call(x=rng.normal(size=9), rng=Seed(3)), lambda y: None if len(y[0]) == 9 else "too short")])],
        misconceptions=[Misconception("sorted", lambda x, rng: sorted(x)[:8], "Are there nine?")],
    ),
    Exercise(reference=Tally, chapter="ch01_tiny", task="", example="", groups=[Group("life", 1, lambda rng: [])]),
]  # fmt: skip


@pytest.mark.parametrize("exercise", VARIED, ids=lambda exercise: exercise.name)
def test_what_is_kept_asks_the_same_and_says_the_same(exercise):
    again = exercise_from(kept_text(exercise))
    assert source._hash(again) == exercise_hash(again) == exercise_hash(exercise)
    assert (source.stub(again), source.solution(again)) == (source.stub(exercise), source.solution(exercise))
    for field in ("name", "chapter", "title", "task", "axes", "pure", "may_alias", "points", "is_class"):
        assert getattr(again, field) == getattr(exercise, field)
    assert list(again.forbidden) == list(exercise.forbidden)
    for mine, theirs in zip(again.groups, exercise.groups, strict=True):
        assert replace(mine, probes=len) == replace(theirs, probes=len)
        assert len(draw(again, mine, 5)) == len(draw(exercise, theirs, 5))
    assert [m.name for m in again.misconceptions] == [m.name for m in exercise.misconceptions]


@pytest.mark.parametrize("answer", [SQUARE.plain, *(m.wrong for m in SQUARE.misconceptions), lambda x: x + 1, len])
def test_verdicts_are_those_of_the_exercise_itself(answer):
    again = exercise_from(kept_text(SQUARE))
    first, second = (
        judge(e, lambda: Here({}, {"square": answer}), LiveAnswers(e, course.helpers, 3)) for e in (SQUARE, again)
    )
    assert first.to_json() == second.to_json()


def test_a_mistake_that_cannot_stand_alone_is_left_out_and_costs_no_group():
    bound = replace(CUBE, name="bound", wrong=Tally().add)
    assert [m.name for m in exercise_from(kept_text(replace(SQUARE, misconceptions=[bound, CUBE]))).misconceptions] == [
        "doubled"
    ]


# --------------------------------------------------------------------------------------------- in a course directory
def test_a_release_keeps_its_exercises_and_the_next_one_beside_them(released, tmp_path):
    versions = Versions(shutil.copytree(released, tmp_path / "course"))
    assert hashes(versions, "square") == {exercise_hash(SQUARE)}
    changed, chapter = other()
    assert versions.keep(chapter, changed) == []
    assert len(hashes(versions, "square")) == 2
    versions.retire(chapter)
    assert hashes(versions, "square") == {exercise_hash(chapter.exercises[0])}
    assert hashes(versions, "moving_average") == {exercise_hash(MEAN)}


def test_what_could_not_be_taken_up_again_is_said_and_not_kept(tmp_path):
    start = Tally()
    groups = [Group("bound", 1, lambda rng: [Call(x=start.add(1.0))])]
    changed, chapter = other(groups=groups)
    assert Versions(tmp_path).keep(chapter, changed) == ["square"]
    assert hashes(Versions(tmp_path), "square") == set()
    assert len(hashes(Versions(tmp_path), "moving_average")) == 1


def test_the_released_chapter_is_the_kept_one(released, tmp_path):
    versions = Versions(shutil.copytree(released, tmp_path / "course"))
    assert versions.released(course, CHAPTER) == CHAPTER
    changed, chapter = other()
    found = versions.released(changed, chapter)
    assert [exercise_hash(e) for e in found.exercises] == [exercise_hash(e) for e in CHAPTER.exercises]
    gone = replace(chapter, exercises=[MEAN])
    assert [e.name for e in versions.released(replace(changed, chapters=[gone]), gone).exercises] == [
        "moving_average", "square"]  # fmt: skip
    versions.retire(chapter)
    with pytest.raises(Outdated, match=r"released with version 0\.1 of tiny, and square changed since"):
        versions.released(changed, chapter)


def test_exercises_whose_public_functions_are_gone_cannot_be_judged_with(released):
    assert Versions(released).find(replace(course, helpers={}), "square", exercise_hash(SQUARE)) is None
    assert Versions(released).find(course, "square", exercise_hash(SQUARE))


@pytest.mark.parametrize("claim", [None, 3, "", "0" * 64, "../../seeds/ch01_tiny", ["a"], "A" * 64])
def test_a_claim_of_no_kept_version_changes_nothing(released, claim):
    made = copy.deepcopy(notebook(**RIGHT))
    made["metadata"]["gradschool"]["exercises"]["square"] = claim
    assert Versions(released).of(course, CHAPTER, json.dumps(made).encode(), "x.ipynb") == Built(made_up=True)


@pytest.mark.parametrize(
    "data", [b"", b"no json", b"{}", json.dumps({"cells": [], "metadata": {"gradschool": 3}}).encode()]
)
def test_a_file_that_says_nothing_is_graded_as_released(released, tmp_path, data):
    versions = Versions(shutil.copytree(released, tmp_path / "course"))
    assert versions.of(course, CHAPTER, data, "x.ipynb") == Built()
    changed, chapter = other()
    built = versions.of(changed, versions.released(changed, chapter), data, "x.ipynb")
    assert graded_by(changed, chapter, built.exercises).exercises[0].plain(3.0) == 9.0
    assert built.earlier == ()


# ------------------------------------------------------------------------------------------------------ graded by them
@pytest.fixture
def released_again(folder, monkeypatch):
    """Released twice, with another `square` each time: what is handed in may be built with either."""
    pytest.importorskip("nbgrader")
    from gradschool_grader import grading
    from gradschool_grader.release import release

    changed, chapter = other()
    list(release(changed, [chapter], folder))
    for module in ("grading", "teach.grade", "teach.judge", "teach.regrade", "repeat"):
        monkeypatch.setattr(f"gradschool_grader.{module}.load_course", lambda _: changed)
    grading._answers.cache_clear()
    yield folder, exercise_hash(chapter.exercises[0])
    grading._answers.cache_clear()


def test_each_submission_is_graded_by_its_own_version(released_again):
    from gradschool_grader.repeat import repeat
    from gradschool_grader.teach.grade import grade

    folder, new = released_again
    cubed = "def square(x):\n    return x**3\n"
    for student, answer, hash in (
        ("old_right", RIGHT["square"], None), ("old_cubed", cubed, None), ("new_squared", RIGHT["square"], new),
        ("new_right", cubed, new), ("old_doubled", wrong(SQUARE, "doubled"), None),
    ):  # fmt: skip
        made = notebook(square=answer, moving_average=RIGHT["moving_average"])
        if hash:
            made["metadata"]["gradschool"]["exercises"]["square"] = hash
        hand_in(folder, student, made)
    summary = grade(folder, jobs=1)
    found = {judged.student: judged for judged in summary.judged}
    assert {student: judged.verdict("square").outcome for student, judged in found.items()} == {
        "old_right": "passed", "old_cubed": "wrong", "new_squared": "wrong", "new_right": "passed",
        "old_doubled": "wrong",
    }  # fmt: skip
    assert found["old_doubled"].verdict("square").diagnosis.name == "doubled"
    assert {s: any("another version of square" in p for p in j.problems) for s, j in found.items()} == {
        student: student.startswith("old") for student in found
    }
    assert points(folder) == {"old_right": 9, "old_cubed": 4, "new_squared": 4, "new_right": 9, "old_doubled": 4}
    steps = []
    grade(folder, jobs=1, progress=steps.append)
    assert steps == []
    assert all(again.same for again in repeat(folder / ".gradschool/results/ch01_tiny/old_right.json", [course]))


def points(folder):
    """As the gradebook has them: full marks are the assignment's, whichever version was answered."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        return {s.student_id: s.score for s in gradebook.find_assignment("ch01_tiny").submissions}


def test_who_names_an_earlier_version_is_looked_at_with_what_he_gains_by_it(released_again):
    """Anybody can write another hash into his notebook, and have it graded by the version that his answer suits."""
    from gradschool_grader.report import needs
    from gradschool_grader.teach.export import export
    from gradschool_grader.teach.grade import grade

    folder, _ = released_again
    hand_in(folder, "squared", notebook(**RIGHT))
    hand_in(folder, "cubed", notebook(square="def square(x):\n    return x**3\n"))
    said = [(paper.student, exercise, why) for paper, exercise, why in needs(grade(folder, jobs=1).judged)
            if "assignment's version" in why]  # fmt: skip
    assert said == [("squared", "square", "would have less by the assignment's version")]
    lines = export(folder, folder / "grades.csv").read_text(encoding="utf-8").splitlines()
    assert [line.endswith(",would have less by the assignment's version") for line in lines] == [False, False, True]


@pytest.mark.parametrize("claims", ["mixed", "partly", "unknown"])
def test_versions_that_no_release_had_together_are_not_graded_by(released_again, claims):
    """A third release changes the other exercise; the submission takes the first square and the newest mean."""
    from gradschool_grader.report import needs
    from gradschool_grader.teach.grade import grade

    folder, new = released_again
    made = notebook(**RIGHT)
    named = made["metadata"]["gradschool"]["exercises"]
    assert len(Versions(folder).releases("ch01_tiny")) == 2
    if claims == "mixed":
        later = replace(MEAN, groups=MEAN.groups[:1], name="moving_average")
        _, chapter = other()
        Versions(folder).keep(replace(chapter, exercises=[chapter.exercises[0], later]), course)
        named["moving_average"] = exercise_hash(later)
    elif claims == "partly":
        del named["moving_average"]
    else:
        named["moving_average"] = "0" * 64
    hand_in(folder, "ada", made)
    papers = grade(folder, jobs=1, feedback=False).judged
    assert {v.exercise: (v.outcome, v.exercise_hash) for v in papers[0].verdicts} == {
        "square": ("wrong", new), "moving_average": ("passed", exercise_hash(MEAN))}  # fmt: skip
    assert any("no release had together: it was changed by hand" in why for _, _, why in needs(papers))


def test_nbgraders_own_command_grades_by_the_same_version(released_again):
    from gradschool_grader.teach.assign import alembic_on_path, course_directory, quietly, settings
    from gradschool_grader.teach.convert import Record

    folder, _ = released_again
    hand_in(folder, "ada", notebook(**RIGHT))
    config = settings(folder)
    directory = course_directory(folder, config, assignment_id="ch01_tiny")
    converter = Record(coursedir=directory, config=config)
    converter.choose({"ada"}, lambda student: None)
    with quietly(), alembic_on_path():
        converter.start()
    assert converter.failed == {}
    assert points(folder) == {"ada": 9}


def test_the_release_says_what_it_was_built_with(released):
    built = built_with(released / "source/ch01_tiny/ch01_tiny.ipynb")
    assert (built["version"], set(built["exercises"])) == ("0.1", NAMES)
