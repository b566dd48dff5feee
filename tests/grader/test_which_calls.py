"""Which methods the wrong lives of an object use is said, of two mistakes those of both; never what others use, too."""

from __future__ import annotations

import numpy as np
import pytest
from test_diagnosis import diagnosis_of, sets

from gradschool_grader.exercise import Call, Script


class Number:
    def __init__(self, x):
        self.x = x

    def __add__(self, y):
        return Number(self.x + y)

    def __pow__(self, n):
        return Number(self.x**n)

    def sine(self):
        return Number(np.sin(self.x))

    def value(self):
        return self.x


def lives(rng):
    for calls in (
        [("y = x.__add__", (1.7,))],
        [("y = x.__pow__", (3,))],
        [("y = x.__pow__", (2,))],
        [("y = x.sine", ())],
        [("z = x.sine", ()), ("y = z.__add__", (0.3,))],
        [("z = x.__add__", (0.4,)), ("y = z.__add__", (-2.2,))],
    ):
        yield Script(new={"x": rng.normal(size=(2, 3))}, name="x", calls=[*calls, ("y.value", ())])


NUMBER = sets(Number, lambda rng: list(lives(rng)), name="Number")


class Powers(Number):
    def __pow__(self, n):
        return Powers(np.tanh(self.x * np.arange(3)) + n * self.x)


class Both(Powers):
    def sine(self):
        return Both(np.exp(-(self.x**2)) * np.arange(3))


@pytest.mark.parametrize(("wrong", "used"), [(Powers, "`**`"), (Both, "`**` or `sine`")])
def test_the_methods_that_wrong_lives_use(wrong, used):
    assert (
        f"Your answer is wrong in every call in which {used} is used, and right in all others."
        in diagnosis_of(NUMBER, wrong).text
    )


def test_a_method_that_is_right_elsewhere_is_not_it():
    class Cubes(Number):
        def __pow__(self, n):
            return Powers(self.x) ** n if n == 3 else Number(self.x**n)

    assert "is used" not in diagnosis_of(NUMBER, Cubes).text


def mean_of_batches(batches, scale=1.0):
    return sum(float(b.mean() * len(b)) for b in batches) / sum(map(len, batches)) * scale


def batches_of(rng, *counts):
    return Call(batches=[rng.normal(size=n) for n in counts], scale=float(rng.uniform(2, 3)))


def test_that_only_lists_with_items_of_several_lengths_are_wrong():
    exercise = sets(mean_of_batches, lambda rng: [batches_of(rng, *n) for n in ((3, 3), (4, 4, 4), (3, 5), (6, 6, 1))])
    wrong = lambda batches, scale=1.0: (
        mean_of_batches(batches, scale) + (len(batches[0]) != len(batches[-1])) * np.sin(9 * batches[0][0])
    )
    assert (
        "wrong in every call in which the items of `batches` are not equally long, and right in all others"
        in diagnosis_of(exercise, wrong).text
    )


def test_where_no_call_is_right_none_is_told_apart():
    exercise = sets(mean_of_batches, lambda rng: [batches_of(rng, 3, 5) for _ in range(5)])
    found = diagnosis_of(exercise, lambda batches, scale=1.0: np.tanh(scale * batches[0][0]))
    assert "calls in which" not in found.text


def masked_total(x, mask=None, reduction="sum"):
    terms = x * x if mask is None else x * x * mask
    return terms if reduction == "none" else terms.sum()


def test_two_options_that_are_wrong_only_together():
    def probes(rng):
        options = [{}, {"mask": 1}, {"reduction": "none"}, {"mask": 1, "reduction": "none"}]
        calls = [Call(x=rng.normal(size=6), **chosen) for chosen in options * 5]
        for call in calls:
            if "mask" in call.arguments:
                call.arguments["mask"] = rng.uniform(1, 2, size=6)
        return calls

    def wrong(x, mask=None, reduction="sum"):
        if mask is not None and reduction == "sum":
            return np.sin(9 * x[0]) + np.tanh(x.sum())
        return masked_total(x, mask, reduction)

    text = diagnosis_of(sets(masked_total, probes), wrong).text
    assert "wrong in every call in which `mask` is given and `reduction` is 'sum', and right in all others." in text
