"""Where nothing explains an answer, the call that went wrong first is described, without any of its numbers."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from test_diagnosis import diagnosis_of, sets

from gradschool_grader.exercise import Call, Group, Script, Steps


def loss(x, mask=None, reduction="sum", delta=1.0, smooth=True):
    kept = np.tanh(x / delta) * (1 if mask is None else mask)
    return kept.sum() if reduction == "sum" else kept * smooth


def calls(rng):
    x, mask = rng.normal(size=(2, 9))
    yield Call(x=x)
    yield Call(x=x, mask=None, delta=1.0)
    yield Call(x=x, mask=mask, delta=2.7, smooth=False)


EXERCISE = sets(loss, None, groups=[Group("masks", 1, lambda rng: list(calls(rng)))])


def odd(x):
    return np.sin(9 * x).sum() ** 2 + 0.123


def test_the_first_wrong_call_is_told_by_its_place_and_the_options_that_were_chosen():
    text = diagnosis_of(EXERCISE, lambda x, **more: odd(x)).text
    assert text.endswith("That is call 1 of 3 in the part `masks`, with no option chosen.")

    masked = lambda x, mask=None, **more: loss(x, mask, **more) if mask is None else odd(x)
    text = diagnosis_of(EXERCISE, masked).text
    assert text.endswith(
        "That is call 3 of 3 in the part `masks`, with `mask` given, `delta` given and `smooth=False`; "
        "the 2 before it are right."
    )


@pytest.mark.parametrize("seed", range(5))
def test_no_number_of_the_call_is_told(seed):
    masked = lambda x, mask=None, **more: loss(x, mask, **more) if mask is None else odd(x)
    text = diagnosis_of(EXERCISE, masked, seed).text
    assert re.findall(r"\d+(?:\.\d+)?", text) == ["3", "3", "2"]


def test_what_else_a_wrong_call_returned_is_told_where_it_is_right():
    def both(x):
        return {"total": float(np.tanh(x).sum()), "norm": float(np.linalg.norm(x))}

    def wrong(x):
        right = both(x)
        other = "total" if len(x) == 3 else "norm"
        return {**right, other: float(odd(x))}

    exercise = sets(both, lambda rng: [Call(x=rng.normal(size=n)) for n in (3, 5)])
    text = diagnosis_of(exercise, wrong).text
    assert "call 1 of 2 in the part `values`. In it `['total']` is wrong and `['norm']` is right." in text


def test_a_sequence_is_called_so():
    def walked(x, g, rate=0.1):
        return x - rate * np.tanh(g)

    probes = lambda rng: [Steps({"x": rng.normal(size=5)}, [{"g": rng.normal(size=5)}], {"rate": 0.37})]
    text = diagnosis_of(sets(walked, probes), lambda x, g, rate=0.1: np.cos(7 * x + 3 * g)).text
    assert text.endswith("That is the sequence in the part `values`, with `rate` given.")


class Counter:
    def __init__(self, start=0, step=1.0):
        self.start, self.step, self.total = start, step, 0.0

    def add(self, x):
        self.total = self.total + self.step * float(x)
        return self.total


class Forgetful(Counter):
    def add(self, x):
        return super().add(x) if self.total < 2 else 0.123


def test_an_object_is_told_by_how_often_it_was_called_before():
    probes = lambda rng: [Script(new={"step": 2.7}, calls=[("add", (0.5 + rng.uniform(),)) for _ in range(4)])]
    text = diagnosis_of(sets(Counter, probes), Forgetful).text
    assert "That is call 2 of `add` in an object's life in the part `values`, with `step` given." in text


def test_what_is_right_wherever_an_object_is_asked_for_it_is_told_beside_what_is_not():
    calls = [("add", (0.5,)), ("step", None), ("add", (0.9,)), ("step", None)]
    probes = lambda rng: [Script(new={"step": float(rng.uniform(1, 2))}, calls=calls)]

    class Odd(Counter):
        def add(self, x):
            return math.sin(40 * super().add(x))

    text = diagnosis_of(sets(Counter, probes), Odd).text
    assert text.endswith(" `step` is right wherever it is asked for; `add` is not.")


def test_an_object_that_is_wrong_before_it_was_told_anything():
    class Sum(Counter):
        def now(self):
            return self.total + 0.5

    class Wrong(Sum):
        def now(self):
            return math.sin(7 * super().now())

    probes = lambda rng: [Script(calls=[("now", ()), ("add", (float(rng.normal()),)), ("now", ())])]
    text = diagnosis_of(sets(Sum, probes), Wrong).text
    assert "That is call 1 of `now` in an object's life, before it was told anything, in the part `values`" in text


def test_what_the_first_wrong_step_or_call_was_told_that_none_was_before():
    def level(x, g, rate=0.1):
        return x + rate * (0.0 if np.isnan(g) else np.tanh(g))

    numbers = lambda rng: [*rng.uniform(1, 2, size=3).tolist(), math.nan, 1.0]
    feed = lambda rng: [{"g": x} for x in numbers(rng)]
    exercise = sets(level, lambda rng: [Steps({"x": rng.normal(size=5)}, feed(rng), {"rate": 0.37})])
    wrong = lambda x, g, rate=0.1: np.sin(9 * x**2) if np.isnan(g) else level(x, g, rate)
    assert " In step 4 `g` is NaN for the first time." in diagnosis_of(exercise, wrong).text

    class Odd(Counter):
        def add(self, x):
            return super().add(x) if x >= 0 else math.sin(40 * x)

    calls = lambda rng: [("add", (x,)) for x in [*rng.uniform(1, 2, size=3).tolist(), -0.7, 1.0]]
    text = diagnosis_of(sets(Counter, lambda rng: [Script(calls=calls(rng))]), Odd).text
    assert " In it `x` is negative for the first time." in text
