"""A result judged again comes to the same verdict, wherever it was judged; if it does not, it is said why."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_course import course
from tiny_course.samples import RIGHT, SQUARE, hand_in, notebook, wrong

from gradschool_grader.answers import LiveAnswers, RecordedAnswers, record
from gradschool_grader.exercise import Call
from gradschool_grader.inside.perform import Performer
from gradschool_grader.judge import judge
from gradschool_grader.repeat import Unrepeatable, repeat, summary
from gradschool_grader.terminal import check_file
from gradschool_grader.verdict import Diagnosis, GroupVerdict, Verdict

CELLS = ["import numpy as np", "def square(x):\n    return 2 * x", RIGHT["moving_average"]]


@pytest.fixture
def result(tmp_path, monkeypatch):
    """A file that was checked, and what was found, as JSON beside it."""
    monkeypatch.chdir(tmp_path)
    file = Path("ch01_tiny.py")
    file.write_text("\n# %%\n".join(CELLS))
    verdicts = check_file(file, [course], seed=7).verdicts
    Path("result.json").write_text(
        json.dumps({"path": str(file.resolve()), "verdicts": [v.to_json() for v in verdicts]})
    )
    return tmp_path / "result.json"


def changed(result, **more):
    data = json.loads(result.read_text())
    data["verdicts"][0] |= more
    result.write_text(json.dumps(data))


# ----------------------------------------------------------------------------------------------------------- at home
def test_a_check_comes_to_the_same_again(result):
    found = repeat(result, [course])
    assert [(again.exercise, again.same, again.differs) for again in found] == [
        ("square", True, ""), ("moving_average", True, "")]  # fmt: skip
    assert [again.now.seed for again in found] == [7, 7]
    assert found[0].now.diagnosis
    assert found[0].now.diagnosis.name == "doubled"


@pytest.mark.parametrize(
    ("outcome", "kind", "name", "said"),
    [("wrong", "misconception", "doubled", "wrong, 0 of 2 (misconception doubled)"),
     ("missing", "stub", "stub", "missing, 0 of 2 (stub)"), ("timeout", "timeout", "timeout", "timeout, 0 of 2"),
     ("raised", "raised", "KeyError", "raised, 0 of 2 (KeyError)")],
)  # fmt: skip
def test_a_verdict_is_summed_up_without_saying_a_word_twice(outcome, kind, name, said):
    group = GroupVerdict("values", outcome, 0.0, 2.0, "", "")
    assert summary(Verdict("square", "", "", 7, "", (group,), Diagnosis(kind, name, ""))) == said


def test_one_verdict_alone_can_be_repeated_and_its_file_lies_beside_it(result, monkeypatch):
    (result.parent / "elsewhere").mkdir()
    monkeypatch.chdir(result.parent / "elsewhere")
    verdict = json.loads(result.read_text())["verdicts"][0]
    alone = result.with_name("one.json")
    alone.write_text(json.dumps(verdict))
    (again,) = repeat(alone, [course])
    assert again.same


def test_what_differs_is_said_with_the_reason(result):
    Path("ch01_tiny.py").write_text("\n# %%\n".join([CELLS[0], "def square(x):\n    return x * x", CELLS[2]]))
    changed(result, exercise_hash="0" * 64)
    first, second = repeat(result, [course])
    assert second.same
    assert first.differs == (
        "wrong, 0 of 3 (misconception doubled) before, passed, 3 of 3 now; the exercise has changed in between; "
        "the text that was judged is another"
    )


@pytest.mark.parametrize("text", ["", "[]", "3", "{}", '{"verdicts": [{}]}', '{"verdicts": 5}', '{"student": "ada"}'])
def test_what_is_no_result_is_refused_in_one_sentence(tmp_path, text):
    file = tmp_path / "result.json"
    file.write_text(text)
    with pytest.raises(Unrepeatable, match=r"is no result: expected an entry of \.gradschool/results, or what"):
        repeat(file, [course])


def test_a_file_that_is_gone_is_missed_by_name(result):
    Path("ch01_tiny.py").unlink()
    with pytest.raises(Unrepeatable, match=r"ch01_tiny\.py is not there"):
        repeat(result, [course])


# ------------------------------------------------------------------------------------------------------------ graded
@pytest.fixture
def graded(folder):
    pytest.importorskip("nbgrader")
    from gradschool_grader.teach.grade import grade

    hand_in(folder, "ada", notebook(square=wrong(SQUARE, "doubled"), moving_average=RIGHT["moving_average"]))
    grade(folder, jobs=1, feedback=False)
    return folder


def entry(folder):
    return folder / ".gradschool/results/ch01_tiny/ada.json"


def test_a_graded_submission_comes_to_the_same_again(graded):
    found = repeat(entry(graded))
    assert [(again.exercise, again.same) for again in found] == [("square", True), ("moving_average", True)]
    before = json.loads(entry(graded).read_text())
    assert {again.now.seed for again in found} == {before["seed"]}


def test_a_submission_that_was_replaced_is_not_judged_as_the_old_one(graded):
    hand_in(graded, "ada", notebook(**RIGHT))
    with pytest.raises(Unrepeatable, match="is not the file that was judged"):
        repeat(entry(graded))


def test_a_result_outside_of_a_course_directory_is_refused(graded, tmp_path):
    alone = tmp_path / "ada.json"
    alone.write_text(entry(graded).read_text())
    with pytest.raises(Unrepeatable, match="does not lie in a course directory"):
        repeat(alone)


# ------------------------------------------------------------------------------------------- the same on every machine
def verdict_on(source, name="square", seed=12345, recorded=False):
    exercise = course.exercise(name)
    answers = LiveAnswers(exercise, course.helpers, seed)
    names = {"np": np}
    exec(source, names)

    class Worker:
        performer = Performer(course.helpers, names)

        def request(self, message, seconds):
            return self.performer.handle(message)

        def close(self):
            pass

    return judge(exercise, Worker, RecordedAnswers(exercise, record(answers)) if recorded else answers)


GOLDEN = [  # (source, what it must come to on any machine, at seed 12345)
    ("square = lambda x: x * x", "passed", 3.0, ""),
    ("square = lambda x: 2 * x", "wrong", 0.0, "doubled"),
    ("square = lambda x: -x * x", "wrong", 0.0, "sign"),
]
PARTLY = "square = lambda x: x * x if x.ndim == 1 else x + 1"
DRAWN = [-4.328480582073665, -0.7761802484142297, 1490.8941540527837]


@pytest.mark.parametrize(("source", "outcome", "points", "name"), GOLDEN)
def test_a_seed_gives_the_verdict_that_it_has_always_given(source, outcome, points, name):
    for recorded in (False, True):
        verdict = verdict_on(source, recorded=recorded)
        found = verdict.diagnosis.name if verdict.diagnosis else ""
        assert (verdict.outcome, verdict.points, found, verdict.seed) == (outcome, points, name, 12345)


def test_a_seed_draws_the_numbers_that_it_has_always_drawn():
    answers = LiveAnswers(course.exercise("square"), {}, 12345)
    drawn = []
    for group in course.exercise("square").groups:
        for probe in answers.probes(group):
            assert isinstance(probe, Call)
            drawn.append(float(np.sum(probe.arguments["x"])))
    assert drawn == pytest.approx(DRAWN, rel=1e-12)


def test_neither_hashes_nor_threads_change_a_verdict():
    code = (
        "import json, numpy as np\nfrom test_repeat import *\n"
        "print(json.dumps([verdict_on(source).essence for source, *_ in GOLDEN]))"
    )
    told = []
    for variables in (
        {"PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "1"},
        {"PYTHONHASHSEED": "77", "OMP_NUM_THREADS": "3"},
    ):
        paths = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                             env={**os.environ, "PYTHONPATH": paths, **variables})  # fmt: skip
        told.append(run.stdout)
    assert told[0] == told[1]
    assert "doubled" in told[0]


def test_points_add_up_and_partial_credit_says_what_is_missing():
    verdict = verdict_on(PARTLY)
    assert verdict.max_points == course.exercise("square").points == sum(g.max_points for g in verdict.groups)
    assert 0 < verdict.points < verdict.max_points
    for group in verdict.groups:
        assert group.points in (0.0, group.max_points)
        assert (group.outcome == "passed") == (group.points > 0)
        assert group.outcome == "passed" or group.words
    assert verdict.diagnosis


def test_a_verdict_without_flags_is_read_from_before_there_were_any():
    data = verdict_on(GOLDEN[1][0]).to_json()
    del data["flags"]
    assert Verdict.from_json(json.loads(json.dumps(data))) == verdict_on(GOLDEN[1][0])
