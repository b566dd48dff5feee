"""Items of an answer that should differ and came all alike are told so, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest
from test_diagnosis import diagnosis_of, sets

from gradschool_grader.exercise import Call


def scaled(xs, by=2.0):
    return [{"x": by * x, "sum": x.sum(axis=0)} for x in xs]


def calls(rng):
    return [Call(xs=[rng.normal(size=(n, n + 2)) for n in sizes]) for sizes in ((3, 4, 5), (2, 6))]


SCALED = sets(scaled, calls)


def one_dict(which):
    def wrong(xs, by=2.0):
        out = [{}] * len(xs)
        for i in range(len(xs))[::which]:
            out[i]["x"], out[i]["sum"] = by * xs[i], xs[i].sum(axis=0)
        return out

    return wrong


@pytest.mark.parametrize(("direction", "which"), [(1, "last"), (-1, "first")])
def test_one_dict_under_all_indices(direction, which):
    found = diagnosis_of(SCALED, one_dict(direction))
    assert found.name == "repeated"
    assert found.text == f"All items of the answer came alike: each is what only the {which} should be."


def test_something_else_besides_is_not_left_out():
    def wrong(xs, by=2.0):
        one = {"x": 3 * xs[0], "sum": xs[0].sum(axis=0)}
        return {"all": [one, one], "other": 3 * xs[0]}

    def right(xs, by=2.0):
        return {"all": [{"x": by * x, "sum": x.sum(axis=0)} for x in xs[:2]], "other": by * xs[0]}

    found = diagnosis_of(sets(right, calls), wrong)
    assert found.name != "repeated"


def test_zeros_everywhere_are_no_object_that_was_filled_again():
    found = diagnosis_of(SCALED, lambda xs, by=2.0: [{"x": np.zeros((3, 5)), "sum": np.zeros(5)} for _ in xs])
    assert found.name != "repeated"
