"""`check` at home: the verdict on the notebook's own function, the failing case, and a memory of what failed."""

from __future__ import annotations

import functools
import hashlib
import html
import json
import subprocess
import sys
import textwrap
import time
from types import SimpleNamespace

import numpy as np
import pytest
from tiny_course import course, library

from gradschool_grader import check, home, kernel, predict, prediction, show, state
from gradschool_grader.course import Unknown
from gradschool_grader.exercise import Call, Exercise, Group, Helper, Script, Steps
from gradschool_grader.observe import Behaviour, Observation
from gradschool_grader.submission import read_submission
from gradschool_grader.verdict import Source


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def doubled(x):
    return 2 * x


# ----------------------------------------------------------------------------------------------------------- check
def test_a_right_answer_passes_and_its_points_are_remembered():
    result = check("square", namespace={"square": library.square})
    assert result
    assert result.passed
    assert result.points == 3
    remembered = {"points": 3, "max_points": 3, "outcome": "passed"}
    assert state.read("progress")["square"].items() >= remembered.items()


def test_the_function_of_the_calling_module_is_judged():
    names = {"check": check, "__name__": "students_module"}
    exec("def square(x): return x * x\nresult = check('square')", names)
    assert names["result"].passed


def test_a_wrong_answer_shows_the_mistake_and_the_numbers():
    result = check("square", namespace={"square": doubled})
    assert not result
    assert "you doubled" in repr(result)
    assert "What is the square of 3?" in repr(result)
    assert "expected" in repr(result)


def test_the_failing_case_has_arguments_expected_and_got():
    case = check("square", namespace={"square": doubled}).case
    assert case is not None
    assert case.group == "values"
    np.testing.assert_array_equal(case.expected, case.arguments["x"] ** 2)
    np.testing.assert_array_equal(case.got, 2 * case.arguments["x"])


def test_a_case_is_shown_with_large_arrays_cut_short():
    X = np.arange(3000.0).reshape(1000, 3)
    shown = repr(home.Case("values", "step 3", {"X": X, "b": 0.5}, (X[:2], {"m": 1.0}), "ValueError")).splitlines()
    assert shown[0] == "values, step 3"
    assert shown[1] == "X (1000, 3):"
    assert shown[4] == "     ..."
    assert {"b: 0.5", "got: 'ValueError'"} <= set(shown)
    assert len(shown) < 15


def odd(x):
    """No sense is in it."""
    return np.where(np.arange(x.size).reshape(x.shape) % 3 == 1, x**2 + np.sin(50 * x), np.cos(31 * x))


def test_where_nothing_is_explained_the_call_is_shown_or_where_to_look_at_it(monkeypatch):
    result = check("square", namespace={"square": odd}, seed=3)
    assert result.verdict.diagnosis.kind == "value"
    call = repr(result.case)
    assert all(f"    | {line}" in repr(result).splitlines() for line in call.splitlines())
    monkeypatch.setattr(show, "SHORT", 1)
    assert 'check("square").case' in repr(result)
    assert "    | expected" not in repr(result)
    monkeypatch.setattr(kernel, "in_notebook", lambda: True)
    card = result._repr_mimebundle_()["text/html"]
    assert html.escape(call) in card
    assert card.count("<details") == card.count("</details>") == 1


def test_where_a_mistake_is_named_the_call_is_not_shown(monkeypatch):
    result = check("square", namespace={"square": doubled})
    monkeypatch.setattr(kernel, "in_notebook", lambda: True)
    assert "    | expected" not in repr(result)
    assert "<details" not in result._repr_mimebundle_()["text/html"]


def test_no_graded_word_is_of_the_call():
    verdict = check("square", namespace={"square": odd}, seed=3).verdict
    for write in (show.text, show.html):
        assert write(verdict, graded=True, call="x: 0.25") == write(verdict, graded=True)


def test_what_is_not_an_array_is_shown_cut_short_too():
    called = {
        "params": {"W": np.ones((2, 2)), "t": 3},
        "f": Helper("noisy", {"scale": 2.0}),
        "order": list(range(5000)),
    }
    shown = repr(home.Case("values", "", called, np.array(0.25), None)).splitlines()
    assert {"params['W'] (2, 2):", "params['t']: 3", "f: noisy(scale=2)", "expected: 0.25", "got: None"} <= set(shown)
    assert max(map(len, shown)) < 400


def test_a_function_that_was_returned_is_shown_with_what_made_it():
    made = Call(lr=0.1).then((3,))
    group = Group("values", 1, lambda rng: [made])
    seen = [Observation(0, "at (3)", Behaviour(value), {"then": (3,)}) for value in (0.1, 0.2)]
    assert home.Case.of(group, made, *seen).arguments == {"lr": 0.1, "then": (3,)}


def test_what_passed_or_could_not_be_called_has_no_case():
    assert check("square", namespace={"square": library.square}).case is None
    missing = check("square", namespace={})
    assert missing.case is None
    assert missing.replay() is None


def test_replay_makes_the_failing_call_again_and_lets_the_exception_through():
    seen = []

    def square(x):
        seen.append(x)
        raise ZeroDivisionError("here")

    result = check("square", namespace={"square": square})
    before = len(seen)
    with pytest.raises(ZeroDivisionError, match="here"):
        result.replay()
    assert len(seen) == before + 1
    assert result.case is not None
    np.testing.assert_array_equal(seen[before], result.case.arguments["x"])


def test_an_unknown_exercise_suggests_the_nearest():
    with pytest.raises(Unknown, match="Did you mean `square`"):
        check("sqare")


def test_a_failing_seed_is_tried_first_until_it_passes():
    first = check("square", namespace={"square": doubled})
    assert state.read("failing") == {"square": first.verdict.seed}
    again = check("square", namespace={"square": doubled})
    assert again.verdict.seed == first.verdict.seed
    assert check("square", namespace={"square": library.square}).passed
    assert state.read("failing") == {}


def test_the_stub_is_no_failure_to_remember():
    check("square", namespace={})
    assert state.read("failing") == {}


def test_a_fixed_seed_gives_the_same_verdict_and_remembers_nothing():
    a = check("square", seed=5, namespace={"square": doubled})
    b = check("square", seed=5, namespace={"square": doubled})
    assert a.verdict.essence == b.verdict.essence
    assert state.read("failing") == {}


def test_an_interrupt_reaches_the_student():
    def square(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check("square", namespace={"square": square})


def test_a_long_call_is_announced_while_it_runs_with_its_arguments(monkeypatch, capsys):
    monkeypatch.setattr(home, "PATIENCE", 0.01)
    said = []

    def square(x):
        for _ in range(10_000):  # until the timer has spoken, however loaded the machine is
            said.append(capsys.readouterr().out)
            if "".join(said):
                return x * x
            time.sleep(0.01)
        return None

    assert check("square", namespace={"square": square}).passed
    assert "square(x=(7,) float64) has been running for 0.01 seconds" in "".join(said)


def test_the_timer_ends_with_the_check():
    patience = home.Patience(lambda: "square")
    with patience:
        assert patience.timer.is_alive()
    patience.timer.join(timeout=60)
    assert not patience.timer.is_alive()


# --------------------------------------------------------------------------------------------------- replay by kind
def accumulate(total, x):
    return total + x


class Counter:
    def __init__(self, start=0):
        self.value = start

    def add(self, n):
        self.value += n
        return self.value


def twice(f):
    return lambda x: f(f(x))


def kinds_of_probe():
    def of(reference, probes):
        return Exercise(reference=reference, chapter="t", task="", example="", groups=[Group("g", 1, probes)])

    steps = of(accumulate, lambda rng: [Steps({"total": np.zeros(3)}, [{"x": np.full(3, i)} for i in (1.0, 2.0, 3.0)])])
    script = of(Counter, lambda rng: [Script({"start": 2}, [("add", (3,)), ("add", (4,)), ("value", None)])])
    then = of(twice, lambda rng: [Call(f=Helper("constant", {"value": 3.0})).then((1.0,), (5.0,))])
    return steps, script, then


def checked(monkeypatch, exercise, wrong):
    monkeypatch.setattr(home, "find_exercise", lambda name: (course, exercise))
    return check(exercise.name, namespace={exercise.name: wrong})


def test_replay_of_a_sequence_ends_with_the_step_that_failed(monkeypatch):
    steps, _, _ = kinds_of_probe()
    late = lambda total, x: total + np.minimum(x, 1.5)
    result = checked(monkeypatch, steps, late)
    assert result.case is not None
    assert result.case.label == "step 2"
    np.testing.assert_array_equal(result.replay(), [2.5, 2.5, 2.5])


def test_replay_of_an_object_calls_its_methods_in_order(monkeypatch):
    _, script, _ = kinds_of_probe()

    class Forgets(Counter):
        def add(self, n):
            self.value = n
            return self.value

    result = checked(monkeypatch, script, Forgets)
    assert result.case is not None
    assert result.case.label == "add(3)"
    assert result.replay() == 3


def test_replay_of_an_object_ends_with_the_call_that_failed_and_not_with_one_like_it(monkeypatch):
    script = Exercise(
        reference=Counter, chapter="t", task="", example="",
        groups=[Group("g", 1, lambda rng: [Script({"start": 2}, [("add", (3,)), ("add", (3,)), ("add", (3,))])])],
    )  # fmt: skip

    class Stops(Counter):
        def add(self, n):
            self.value = min(self.value + n, 7)
            return self.value

    result = checked(monkeypatch, script, Stops)
    assert result.case is not None
    assert (result.case.got, result.replay()) == (7, 7)


def test_replay_of_a_returned_function_calls_that_function(monkeypatch):
    _, _, then = kinds_of_probe()
    result = checked(monkeypatch, then, lambda f: lambda x: x)
    assert result.case is not None
    assert result.replay() == 1.0


# -------------------------------------------------------------------------------------------------------- displays
def test_in_a_notebook_the_display_is_a_card_whose_plain_text_is_the_bare_points(monkeypatch):
    monkeypatch.setattr(kernel, "shell", lambda: SimpleNamespace(kernel=object(), user_ns={"square": doubled}))
    bundle = check("square")._repr_mimebundle_()
    assert float(bundle["text/plain"]) == 0.0
    assert "you doubled" in bundle["text/html"]


def test_elsewhere_the_display_is_text(monkeypatch):
    monkeypatch.setattr(kernel, "shell", lambda: None)
    bundle = check("square", namespace={"square": doubled})._repr_mimebundle_()
    assert set(bundle) == {"text/plain"}
    assert "square" in bundle["text/plain"]


# ------------------------------------------------------------------------------------------------------ prediction
def test_a_prediction_is_kept_and_found_again():
    assert "put your answer" in repr(predict("first_step"))
    assert prediction("first_step") is None
    assert "3 times" in repr(predict("first_step", "3 times too long"))
    assert prediction("first_step") == "3 times too long"
    predict("array", np.ones(2))
    assert prediction("array") == "array([1., 1.])"


def test_a_broken_memory_is_no_reason_to_stop(own_folder):
    (own_folder / ".gradschool").mkdir()
    (own_folder / ".gradschool" / "failing.json").write_text("{not json")
    (own_folder / ".gradschool" / "progress.json").write_text("[1]")
    assert check("square", namespace={"square": library.square}).passed
    assert json.loads((own_folder / ".gradschool" / "progress.json").read_text())["square"]["points"] == 3


def test_memory_is_found_from_a_folder_below(own_folder, monkeypatch):
    predict("first_step", 1)
    (own_folder / "notebooks").mkdir()
    monkeypatch.chdir(own_folder / "notebooks")
    assert prediction("first_step") == 1


# ------------------------------------------------------------------------------------------------ a student's install
def test_check_needs_neither_nbgrader_nor_fork(own_folder):
    """A student's machine may be Windows: no nbgrader, no fcntl, no resource, no os.fork."""
    program = """
        import os, sys

        BLOCKED = {"nbgrader", "nbconvert", "fcntl", "resource", "traitlets"}

        class Blocker:
            def find_spec(self, name, path=None, target=None):
                if name.split(".")[0] in BLOCKED:
                    raise ModuleNotFoundError(f"No module named {name!r} (blocked)", name=name)

        for name in list(BLOCKED):
            sys.modules.pop(name, None)
        sys.meta_path.insert(0, Blocker())
        if hasattr(os, "fork"):
            del os.fork
        import numpy as np
        from gradschool_grader import check
        from gradschool_grader.course import find_courses

        failed = []
        for course in find_courses().values():
            for exercise in course.exercises:
                result = check(exercise.name, namespace={exercise.name: exercise.plain, "np": np})
                failed += [] if result.passed else [repr(result)]
                wrong = exercise.misconceptions[0].wrong
                wrong = wrong() if getattr(wrong, "fresh", False) else wrong
                result = check(exercise.name, namespace={exercise.name: wrong, "np": np})
                failed += [repr(result)] if result.passed else []
        print(len(find_courses()), "courses;", "\\n".join(failed) or "all as expected")
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], cwd=own_folder, capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip().endswith("courses; all as expected"), run.stdout


# ------------------------------------------------------------------------------------------------------------ hints
def test_a_result_gives_hints_that_begin_with_what_it_found():
    result = check("square", namespace={"square": doubled})
    assert repr(result.hint()) == (
        "Hint 1 of 1 (the last one), for what your last check found\n"
        "What is the square of 3? The chapter speaks of it under “Squares”."
    )
    passed = check("square", namespace={"square": library.square})
    assert "nothing to hint at" in repr(passed.hint())


# ------------------------------------------------------------------------------------------------------- provenance
def test_the_reference_itself_is_called_by_its_name():
    for answer in (library.square, functools.partial(library.square)):
        (flag,) = check("square", namespace={"square": answer}).verdict.flags
        assert (
            flag
            == "`square` is `tiny_course.library.parts.square` itself: what was judged is the library's, not yours."
        )
    assert check("square", namespace={"square": doubled}).verdict.flags == ()


@pytest.mark.parametrize("answer", [3, None, library, SimpleNamespace(__module__=5, __wrapped__=1), np.square])
def test_any_object_has_a_provenance(answer):
    result = check("square", namespace={"square": answer})
    assert "itself" not in repr(result)


def test_a_function_of_a_module_is_judged_under_its_file_and_hash(tmp_path, monkeypatch):
    (tmp_path / "answers.py").write_text(
        "from tiny_course import library\n\ndef square(x):\n    return library.square(x)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import answers  # type: ignore[import-not-found]

    verdict = check("square", namespace=dict(vars(answers))).verdict
    text = "def square(x):\n    return library.square(x)"
    assert verdict.flags
    assert (verdict.source.file, verdict.source.hash) == ("answers.py", hashlib.sha256(text.encode()).hexdigest())


def test_a_kernel_tells_notebook_cell_and_hash_and_what_the_answer_calls(monkeypatch):
    cells = ["", "import tiny_course.library as lib", "def square(x):\n    return 2 * x",
             "def square(x):\n    return lib.square(x)", "check('square')"]  # fmt: skip
    shell = SimpleNamespace(history_manager=SimpleNamespace(input_hist_raw=cells), user_ns={})
    monkeypatch.setattr(kernel, "shell", lambda: shell)
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ada/ch01_tiny.ipynb")
    verdict = check("square", namespace={"square": lambda x: x * x}).verdict
    assert verdict.source == Source("ch01_tiny.ipynb", (3,), hashlib.sha256(cells[3].encode()).hexdigest())
    assert verdict.flags == (
        "`square` names `tiny_course.library.square` (cell 3, line 2): the task is to write this yourself.",
    )
    written = json.dumps({"cells": [{"cell_type": "code", "source": text} for text in cells[1:]]})
    saved = read_submission(written.encode(), course, name="ch01_tiny.ipynb")
    assert saved.facts(course.exercise("square")).flags == verdict.flags


def test_an_answer_below_a_magic_is_read_like_any_other(monkeypatch):
    twice = "def twice(x):\n    return x + x"
    mine = "def square(x):\n    return twice(x) * x / 2  # mine"
    stub = "def square(x):\n    raise NotImplementedError()"
    cells = ["", stub, f"%matplotlib inline\n{twice}", f"%%time\n{mine}", "!ls\ncheck('square')"]
    shell = SimpleNamespace(history_manager=SimpleNamespace(input_hist_raw=cells), user_ns={})
    monkeypatch.setattr(kernel, "shell", lambda: shell)
    result = check("square", namespace={"square": lambda x: x * x})
    assert result.verdict.source.cells == (3,)
    assert result.verdict.source.hash == hashlib.sha256(cells[3].encode()).hexdigest()
    assert result.solution().yours == f"{twice}\n\n\n{mine}"


def test_the_expression_to_blame_is_named_from_the_cells_and_the_notebooks_functions_stay(monkeypatch):
    cells = [
        "",
        "import numpy as np",
        "def windows(x, n):\n    return [x[i : i + n] for i in range(len(x) - n + 1)]",
        "def moving_average(x, n=3, *, scale=1.0):\n    sums = [window.sum() for window in windows(x, n)]\n"
        "    return np.array(sums) * scale / (n + 0.5)",
    ]
    names = {}
    for text in cells:
        exec(text, names)
    before = dict(names)
    shell = SimpleNamespace(history_manager=SimpleNamespace(input_hist_raw=cells), user_ns=names)
    monkeypatch.setattr(kernel, "shell", lambda: shell)
    result = check("moving_average", seed=3, namespace=names)
    assert "n + 0.5`, in `return np.array(sums) * scale / (n + 0.5)`, comes to " in result.verdict.diagnosis.detail
    assert names == before
