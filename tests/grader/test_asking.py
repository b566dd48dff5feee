"""At home a wrong answer is asked more than the probes ask: what it depends on, and what it remembers."""

from __future__ import annotations

import numpy as np
import pytest
from test_diagnosis import Here, sets

from gradschool_grader.answers import LiveAnswers
from gradschool_grader.asking import asked_more
from gradschool_grader.exercise import Call, Misconception
from gradschool_grader.judge import Unexplained, judge


def more_of(exercise, wrong, seed=3):
    seen, worker = [], Here(wrong, exercise.name)
    verdict = judge(exercise, lambda: worker, LiveAnswers(exercise, {}, seed), witness=seen)
    ask = worker.performer.handle
    found = asked_more(exercise, verdict, seen, ask, {}, str, ask).diagnosis
    assert found is not None
    assert verdict.diagnosis is not None
    return found.detail.removeprefix(verdict.diagnosis.detail).strip()


def shares(x, power=1.0):
    return np.abs(x) ** power / (np.abs(x) ** power).sum(axis=1, keepdims=True)


SHARES = sets(
    shares,
    lambda rng: [Call(x=rng.normal(size=(4, 5)), power=float(rng.uniform(1, 2)))],
    Misconception("of_all", lambda x, power=1.0: np.abs(x) ** power / (np.abs(x) ** power).sum(), "Of how many?"),
    axes={"x": ("batch", "class")},
)


def test_the_axis_that_an_answer_runs_along_and_should_not():
    def wrong(x, power=1.0):
        return np.sin(np.abs(x) ** power / (np.abs(x) ** power).sum(axis=0, keepdims=True))

    assert more_of(SHARES, wrong) == (
        "What stands in `x` at one index of the axis `batch` changes your answer at others, which it should not: "
        "something of yours runs along the axis `batch`. "
        "What stands in `x` at one index of the axis `class` should change the answer at others, and does not change "
        "yours."
    )


def test_what_breaks_while_asking_costs_no_verdict():
    seen, worker = [], Here(lambda x, power=1.0: np.sin(x), "shares")
    verdict = judge(SHARES, lambda: worker, LiveAnswers(SHARES, {}, 3), witness=seen)

    def broken(message):
        raise RuntimeError("no more")

    with pytest.warns(Unexplained, match="Asking `shares` more failed"):
        assert (
            asked_more(SHARES, verdict, seen, broken, {}, lambda: "def shares(x):\n    return x\n", broken) is verdict
        )


def test_of_a_known_mistake_and_of_the_right_axes_nothing_is_asked_or_said():
    assert more_of(SHARES, SHARES.misconceptions[0].wrong) == ""
    assert more_of(SHARES, lambda x, power=1.0: np.sin(shares(x, power))) == ""
    assert more_of(SHARES, lambda x, power=1.0: x[:1]) == ""
    assert more_of(SHARES, lambda x, power=1.0: None) == ""


def scaled(g, y):
    return g * y * (1 - y)


def test_an_argument_with_which_the_right_answer_doubles_and_this_one_does_not():
    exercise = sets(scaled, lambda rng: [Call(g=rng.normal(size=6), y=rng.uniform(0.2, 0.8, size=6))])
    assert more_of(exercise, lambda g, y: np.cos(g) * y - np.sin(y)).startswith(
        "With twice the `g` the right answer doubles; yours does not."
    )
    assert "With twice" not in more_of(exercise, lambda g, y: g * np.sin(y))


def rising(start):
    return lambda n: start + n * n


def test_a_function_that_remembers_what_it_was_asked_is_right_when_it_is_asked_alone():
    exercise = sets(rising, lambda rng: [Call(start=float(rng.uniform(1, 2))).then((1,), (4,), (2,))])

    def keeps_the_largest(start):
        largest = 0

        def at(n):
            nonlocal largest
            largest = max(largest, n)
            return start + largest * largest

        return at

    assert "Made anew and asked for this alone, it is right" in more_of(exercise, keeps_the_largest)
    assert more_of(exercise, lambda start: lambda n: start + n * n * (1 + (n == 2))) == ""
