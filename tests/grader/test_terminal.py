"""The same answer gets the same outcome, points and diagnosis in a notebook, in a terminal and from pytest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_course import course

from gradschool_grader import home
from gradschool_grader.answers import LiveAnswers
from gradschool_grader.inside.perform import Performer
from gradschool_grader.judge import Limits, judge_one
from gradschool_grader.rooms import Rooms
from gradschool_grader.submission import read_submission
from gradschool_grader.terminal import check_file, open_file, words
from gradschool_grader.worker import SubprocessWorkers

RIGHT = "def square(x):\n    return x * x\n"
AVERAGE = """
def moving_average(x, n=3, *, scale=1.0):
    return np.array([x[i : i + n].mean() for i in range(len(x) - n + 1)]) * scale
"""
ANSWERS = {
    "right": RIGHT,
    "misconception": "def square(x):\n    return 2 * x\n",
    "structure": "def square(x):\n    return -x * x\n",
    "one group of two": "def square(x):\n    return x * x if x.ndim == 1 else x\n",
    "raises": "def square(x):\n    return x @ np.ones(99)\n",
    "in place": "def square(x):\n    x *= x\n    return x\n",
    "prints": "def square(x):\n    print(x * x)\n",
    "stub": "def square(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()\n",
    "left out": "def sqare(x):\n    return x * x\n",
}
SEED = 12


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def script(*cells: str) -> Path:
    path = Path("ch01_tiny.py")
    path.write_text("\n# %%\n".join(["import numpy as np", *cells]))
    return path


def essence_in_a_notebook(source):
    names = {"np": np}
    Performer({}, names).handle({"op": "run", "cells": [[2, source]]})
    return home.check("square", seed=SEED, namespace=names).verdict.essence


def pytest_run(path, *more):
    """pytest with the plugin, in a process of its own that knows the tiny course."""
    here = str(Path(__file__).parent)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([here, *sys.path]), "PYTEST_ADDOPTS": ""}
    command = [sys.executable, "-m", "pytest", "--submission", str(path), "-p", "no:cacheprovider", *more]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)


@pytest.mark.parametrize("case", ANSWERS)
def test_notebook_and_terminal_agree(case):
    source = ANSWERS[case]
    checked = check_file(script(source, AVERAGE), [course], seed=SEED, only=["square"])
    mine, theirs = checked.verdicts[0].essence, essence_in_a_notebook(source)
    if case in ("stub", "left out"):  # without running, the text says more: only the outcome must agree
        assert checked.verdicts[0].outcome == "missing"
        assert (mine[0], mine[1]) == (theirs[0], theirs[1])
    else:
        assert mine == theirs


def test_pytest_agrees_with_the_terminal():
    path = script("def square(x):\n    return 2 * x\n", AVERAGE)
    run = pytest_run(path, "--submission-seed", str(SEED), "-q")
    assert run.returncode == 1
    assert "1 failed, 1 passed" in run.stdout
    said = words(check_file(path, [course], seed=SEED, only=["square"])).splitlines()[:-1]
    assert "\n".join(said) in run.stdout


def test_what_nothing_explains_is_shown_with_the_call_that_went_wrong():
    path = script("def square(x):\n    return np.cos(31 * x) + np.arange(x.size).reshape(x.shape) ** 2\n", AVERAGE)
    said = words(check_file(path, [course], seed=SEED, only=["square"]))
    run = pytest_run(path, "--submission-seed", str(SEED), "-q", "-k", "square")
    for text in (said, run.stdout):
        assert "    | values" in text
        assert "    | expected (7,):" in text
        assert "    Where the error is" in text


def test_pytest_chooses_by_name_as_usual_and_survives_a_crash():
    path = script("import os\ndef square(x):\n    os._exit(7)\n", AVERAGE)
    run = pytest_run(path, "-q")
    assert "1 failed, 1 passed" in run.stdout
    assert "exit code 7" in run.stdout
    assert "1 passed, 1 deselected" in pytest_run(path, "-q", "-k", "moving").stdout


def test_pytest_says_what_is_wrong_with_a_file_that_is_no_submission():
    Path("other.ipynb").write_text("not json")
    run = pytest_run("other.ipynb")
    assert run.returncode == pytest.ExitCode.USAGE_ERROR
    assert "no JSON" in run.stderr + run.stdout


def test_an_endless_loop_costs_its_exercise_and_nothing_else():
    submission = read_submission(script("def square(x):\n    while True:\n        pass\n", AVERAGE), course)
    with SubprocessWorkers(course.helpers_source, course.modules, course.placeholders) as workers:
        rooms = Rooms(workers, submission.program)
        limits = Limits(call=0.3)
        verdicts = [
            judge_one(submission, rooms, LiveAnswers(e, course.helpers, SEED), limits) for e in course.exercises
        ]
    assert [v.outcome for v in verdicts] == ["timeout", "passed"]
    assert "endless loop" in verdicts[0].diagnosis.text


def test_a_cell_that_loops_is_skipped_and_named():
    cells = ["while True: pass\ndef square(x): return x * x", AVERAGE]
    submission = read_submission(script(*cells), course)
    with SubprocessWorkers(course.helpers_source, course.modules, course.placeholders) as workers:
        rooms = Rooms(workers, submission.program, seconds=0.5, cell=0.5)
        verdicts = [judge_one(submission, rooms, LiveAnswers(e, course.helpers, SEED)) for e in course.exercises]
    assert [v.outcome for v in verdicts] == ["missing", "passed"]
    assert "cell 2, which defines it, failed" in verdicts[0].diagnosis.text


def test_untouched_stubs_stand_in_one_line():
    checked = check_file(
        script(RIGHT, "def moving_average(x, n=3, *, scale=1.0):\n    raise NotImplementedError()"), [course]
    )
    assert "○ not written yet: moving_average" in words(checked)
    assert "3 of 7 points" in words(checked)
    assert checked.passed


def test_a_name_that_only_the_kernel_knows_is_told():
    checked = check_file(script("def square(x):\n    return x * x + eps\n", AVERAGE), [course])
    assert "uses `eps` (cell 2), defined nowhere" in words(checked)
    assert "The function uses `eps`, defined nowhere in the file." in checked.verdicts[0].diagnosis.text


def test_moved_and_split_cells_still_grade():
    cells = [AVERAGE, "def helper(x):\n    return x * x", "def square(x):\n    return helper(x)", "'nothing'"]
    assert all(v.passed for v in check_file(script(*cells), [course]).verdicts)


def test_each_verdict_is_told_as_it_is_known():
    heard = []
    check_file(script(RIGHT, AVERAGE), [course], tell=lambda v: heard.append(v.exercise))
    assert heard == ["square", "moving_average"]


def test_a_file_that_is_no_submission_is_explained():
    Path("x.ipynb").write_text("{}")
    checked = check_file(Path("x.ipynb"), [course])
    assert not checked.passed
    assert "no list of cells" in words(checked)


def test_the_course_of_a_file_is_the_one_that_knows_its_functions():
    path = Path("mine.py")
    path.write_text("def moving_average(x): return x")
    assert open_file(path, [course]).chapter.id == "ch01_tiny"
    with pytest.raises(LookupError, match="No course is installed"):
        open_file(path, [])


def test_who_calls_the_library_is_told_that_it_is_not_there():
    cells = ["import tiny_course\ndef square(x):\n    return tiny_course.library.square(x)", AVERAGE]
    verdict = check_file(script(*cells), [course]).verdicts[0]
    assert verdict.points == 0
    assert "`tiny_course.library`, which is not there while submissions are graded" in verdict.diagnosis.text


# ------------------------------------------------------------------- what a submission says of itself is not repeated
def graded_words(*cells):
    from gradschool_grader import show

    verdict = check_file(script(*cells), [course], seed=SEED, only=["square"]).verdicts[0]
    return verdict, show.text(verdict, graded=True) + show.html(verdict, graded=True)


LEAKS = {
    "an exception's name": "raise type('E_%r' % x[0], (Exception,), {})()",
    "a type's name": "return type('T_%r' % x[0], (), {})()",
    "a name that is not defined": "raise NameError(\"name 'E_%s' is not defined\" % str(x[0])[-12:])",
    "a warning's name": "__import__('warnings').warn('w', type('W_%r' % x[0], (Warning,), {})); return x * x",
    "a key": "return {'K_%r' % x[0]: 1}",
    "a message": "raise ValueError('V_%r' % x[0])",
    "a line": "__import__('linecache').cache['<x>'] = (1, None, ['L_%r' % x[0]], '<x>'); "
    "exec(compile('1/0', '<x>', 'exec'), globals())",
}


@pytest.mark.parametrize("case", LEAKS)
def test_a_hidden_input_is_not_carried_out_by(case):
    verdict, words_shown = graded_words(f"def square(x):\n    {LEAKS[case]}\n", AVERAGE)
    first = LiveAnswers(course.exercise("square"), course.helpers, SEED)
    x = first.probes(course.exercise("square").groups[0])[0].arguments["x"][0]
    assert not verdict.passed
    assert str(abs(x))[:8] not in words_shown
    assert str(x)[-12:] not in words_shown


@pytest.mark.parametrize("above", ["fig, ax = plt.subplots()", "display(3)", "import torch", "1 / 0"])
def test_what_fails_above_a_function_does_not_cost_the_function(above):
    assert check_file(script(f"{above}\n\n{RIGHT}", AVERAGE), [course], only=["square"]).verdicts[0].passed


def test_a_stub_that_is_bound_anew_is_not_taken_for_untouched():
    stub_text = "def square(x):\n    raise NotImplementedError()\n"
    later = "def make():\n    global square\n    square = lambda x: x * x\nmake()"
    assert check_file(script(stub_text, later, AVERAGE), [course], only=["square"]).verdicts[0].passed


def test_a_long_line_is_read_in_no_time():
    cell = "a" + " " * 90_000 + "b"
    assert "syntax error" in words(check_file(script(cell, RIGHT, AVERAGE), [course], only=["square"]))


@pytest.mark.parametrize(
    "forged", ["seconds=(1 << 1024) - 1", "frames=[dict(line=float('inf'))]", "message='\\ud800'", "error='\\ud800'"]
)
def test_a_forged_reply_is_the_submissions_own_fault(forged):
    cell = (
        "import sys\nP = sys.modules['inside.perform'].Performer\nold = P.call\n"
        f"P.call = lambda self, request: {{**old(self, request), **dict({forged})}}\n"
    )
    verdict = check_file(
        script(cell, "def square(x):\n    return 1 / 0\n", AVERAGE), [course], only=["square"]
    ).verdicts[0]
    assert verdict.points == 0
    assert verdict.outcome in ("raised", "tampered", "wrong")
    verdict_text = str(verdict.to_json()).encode("utf-8")
    assert verdict_text


def test_what_a_wrong_answer_goes_by_is_found_out_in_the_terminal_too():
    wrong = "def square(x):\n    return np.cumsum(x * x, axis=0)\n"
    (verdict,) = check_file(script(wrong), [course], only=["square"]).verdicts
    assert verdict.diagnosis is not None
    assert "at one index of the axis `entry` changes your answer at others" in verdict.diagnosis.detail


def test_the_expression_to_blame_is_found_in_the_terminal_too_also_in_a_helper_of_another_cell():
    wrong = (
        "# %%\nimport numpy as np\n\ndef windows(x, n):\n    return [x[i : i + n] for i in range(len(x) - n + 1)]\n"
        "# %%\ndef moving_average(x, n=3, *, scale=1.0):\n"
        "    return np.array([window.sum() for window in windows(x, n)]) * scale / (n + 0.5)\n"
    )
    (verdict,) = check_file(script(wrong), [course], only=["moving_average"]).verdicts
    assert verdict.diagnosis is not None
    assert "all that is wrong would come out right." in verdict.diagnosis.detail
