"""A relative that asks on and on is stopped, so that a diagnosis ends; the one that explains is found all the same."""

from __future__ import annotations

import numpy as np
import pytest
from test_diagnosis import Here, sets

from gradschool_grader.answers import LiveAnswers
from gradschool_grader.diagnosis.patience import Patience, TooLong
from gradschool_grader.exercise import Call, Helper
from gradschool_grader.judge import judge

ASKED = []


def rise(steep):
    def slope(x):
        ASKED.append(x)
        return steep + 0 * x

    return slope


def test_questions_are_counted_from_each_beginning_and_stopped():
    patience = Patience()
    slope = patience.limiting({"rise": rise})["rise"](steep=2.0)
    assert [slope(x) for x in (1.0, 2.0)] == [2.0, 2.0]
    assert patience.asked == 2
    patience.begin(most=1)
    assert slope(3.0) == 2.0
    with pytest.raises(TooLong):
        slope(4.0)


def test_what_is_no_function_is_handed_on_as_it_is():
    made = Patience().limiting({"array": lambda n: np.arange(n)})["array"](n=3)
    assert made.tolist() == [0, 1, 2]


def climb(x, slope, goal, most):
    for _ in range(most):
        if x.min() > goal:
            break
        x = x + 0.1 * slope(x)
    return np.sin(x), x.sum()


def told(wrong):
    """What is said of an answer, and how often the slope was asked for that."""
    given = {"slope": Helper("rise", {"steep": 4.0}), "goal": 3.0, "most": 1900}
    exercise = sets(climb, lambda rng: [Call(x=rng.uniform(1, 2, size=4), **given)])
    worker = Here(wrong, "climb")
    worker.performer.helpers = {"rise": rise}
    ASKED.clear()
    return judge(exercise, lambda: worker, LiveAnswers(exercise, {"rise": rise}, 3)).diagnosis, len(ASKED)


def test_a_climb_that_never_ends_is_found_and_others_like_it_do_not_take_for_ever():
    found, _ = told(lambda x, slope, goal, most: climb(x, slope, 1e9, most))
    assert "a condition that never holds, where `x` and `goal` stand" in found.text
    found, asked = told(lambda x, slope, goal, most: (np.cos(9 * x), 7.0))
    assert found.name not in ("other_number", "one_change")
    assert asked < 6_000
