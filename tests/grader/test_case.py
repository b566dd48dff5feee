"""Beside the wrong call of an object stands what it was asked before: the argument, what was expected, what came."""

from __future__ import annotations

import math

import numpy as np
import pytest
from test_diagnosis import Here, diagnosis_of, sets
from tiny_course import course

from gradschool_grader import case, home, show
from gradschool_grader.answers import LiveAnswers
from gradschool_grader.exercise import Misconception, Script
from gradschool_grader.judge import judge


class Counter:
    def __init__(self, start=0.0):
        self.total = start

    def add(self, x):
        self.total += x

    def now(self):
        return self.total

    def all(self):
        return np.full(3, self.total)


class Odd(Counter):
    """Wrong when it is asked after more than two."""

    def now(self):
        return math.sin(50 * self.total) if self.total > 2.5 else self.total


class Doubled(Counter):
    def add(self, x):
        self.total += 2 * x


def call_shown(answer, calls, *known, **more):
    exercise = sets(Counter, lambda rng: [Script(new={"start": 0.25}, calls=calls, **more)], *known)
    seen = []
    verdict = judge(exercise, lambda: Here(answer, "Counter"), LiveAnswers(exercise, {}, 3), witness=seen)
    return verdict, case.wrong_call(exercise, verdict, seen)


CALLS = [("now", ()), *[("add", (float(x),)) for x in (1, 1)], ("now", ()), ("add", (1.0,)), ("now", ()), ("now", ())]


def test_the_calls_of_an_object_up_to_the_wrong_one_are_a_table():
    _, call = call_shown(Odd, CALLS)
    assert call.splitlines() == [
        "values, now()",
        "Counter(start=0.25)",
        "call    expected        yours",
        "now()       0.25         0.25",
        "add(1)",
        "add(1)",
        "now()       2.25         2.25",
        "add(1)",
        f"now()       3.25  {math.sin(50 * 3.25):.8g}  ←",
    ]


def test_of_many_calls_the_last_are_shown():
    told = [("add", (0.125,)) for _ in range(20)]
    _, call = call_shown(Odd, [*told, ("now", ())])
    assert "… 13 calls before" in call
    assert call.count("add(") == 7
    assert call.splitlines()[-1].endswith("←")


def test_several_objects_stand_in_one_table_and_arrays_below_it():
    _, call = call_shown(Doubled, [("add", (3.0,)), ("2.add", (5.0,)), ("all", ())], others=1)
    lines = call.splitlines()
    assert "Counter(start=0.25), and 1 more" in lines
    assert next(line for line in lines if line.startswith("all()")).split() == ["all()", *2 * ["array", "(3,)"], "←"]
    assert lines[-2:] == ["expected (3,): [3.25 3.25 3.25]", "got (3,): [6.25 6.25 6.25]"]


def test_numbers_that_differ_in_late_digits_only_are_written_in_full():
    class Near(Counter):
        def now(self):
            return self.total * (1 + 1e-8)

    _, call = call_shown(Near, CALLS[:2])
    assert call.splitlines()[-1].split() == ["now()", "0.25", repr(0.25 * (1 + 1e-8)), "←"]


def test_of_what_is_far_too_large_nothing_is_shown():
    class Endless(Counter):
        def now(self):
            return list(range(100_000))

    exercise = sets(Counter, lambda rng: [Script(new={"start": 0.25}, calls=CALLS)])
    seen = []
    verdict = judge(exercise, lambda: Here(Endless, "Counter"), LiveAnswers(exercise, {}, 3), witness=seen)
    assert case.shown(exercise, verdict, seen) == ([], "")


def test_a_known_mistake_needs_no_table():
    known = Misconception("doubled", Doubled, "How often?", "each number were added twice")
    verdict, call = call_shown(Doubled, CALLS, known)
    assert verdict.diagnosis is not None
    assert (verdict.diagnosis.name, call) == ("doubled", "")


def test_what_a_verdict_holds_is_shown_at_home_and_never_in_a_graded_run():
    verdict, call = call_shown(Odd, CALLS)
    verdict.__dict__["extra"] = {"call": call, "drawn": ["a picture"]}
    at_home, graded = show.text(verdict, graded=False), show.text(verdict, graded=True)
    assert "    | now()       2.25         2.25" in at_home
    assert "    a picture" in at_home
    assert not [line for line in (*call.splitlines()[1:], "a picture") if line in graded]


@pytest.mark.parametrize("value", [1.5, "text", None, np.array(2.0)])
def test_what_fits_into_a_cell(value):
    assert case.in_a_word(value)
    assert "\n" not in case.word(value)


# ------------------------------------------------------------------------------------------------- asked once more
def kept_in_a_default():
    class Kept(Counter):
        def __init__(self, start=0.0, told=[]):  # noqa: B006
            self.start, self.told = start, told

        def add(self, x):
            self.told.append(x)

        def now(self):
            return self.start + sum(self.told)

    return Kept


def checks(monkeypatch, answer, times):
    probes = lambda rng: [
        Script(new={"start": 0.25}, calls=[("add", (float(x),)), ("now", ())]) for x in rng.normal(size=3)
    ]
    exercise = sets(Counter, probes)
    monkeypatch.setattr(home, "find_exercise", lambda name: (course, exercise))
    return [home.check("Counter", namespace={"Counter": answer}, seed=seed).verdict.diagnosis for seed in range(times)]


def test_what_outlives_an_object_is_told_in_every_check(monkeypatch):
    first, second, third = checks(monkeypatch, kept_in_a_default(), 3)
    assert {d.name for d in (first, second, third)} == {"state_outside"}
    assert "a new object begins with what those before it were told" in first.text
    assert second.text == third.text == home.AGAIN
    assert "a default like `[]`" in second.hint


def test_a_nan_that_outlives_its_object_is_told_so(monkeypatch):
    class Poisoned(Counter):
        told = 0.0

        def add(self, x):
            Poisoned.told += x

        def now(self):
            value, Poisoned.told = Poisoned.told, math.nan
            return self.total + value

    assert checks(monkeypatch, Poisoned, 2)[1].text == home.AGAIN


def test_an_object_that_answers_the_same_again_is_only_told_where_it_is_wrong(monkeypatch):
    class Bent(Counter):
        def now(self):
            return math.sin(7 * self.total)

    assert {d.kind for d in checks(monkeypatch, Bent, 2)} == {"value"}


def test_a_few_numbers_are_written_as_python_writes_them_and_a_float_is_one():
    assert case.shortly((np.array(13.0), 11, np.array(0.25))) == "(13.0, 11, 0.25)"
    assert case.shortly([2.0]) == "[2.0]"
    assert case.shortly((3,)) == "(3,)"


def test_a_method_that_takes_other_parameters_is_not_said_to_be_the_constructor():
    class More(Counter):
        def add(self, x, weight):
            self.total += x * weight

    calls = [("now", ()), ("add", (2.0,)), ("now", ())]
    exercise = sets(Counter, lambda rng: [Script(new={"start": 0.5}, calls=calls)])
    assert "`add` could not begin" in diagnosis_of(exercise, More).text
