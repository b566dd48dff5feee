"""The right things in another form are said to be right, and the form is named; a wrong number among them is not."""

from __future__ import annotations

import numpy as np
import pytest
from test_diagnosis import ROLLING, diagnosis_of, rolling, sets

from gradschool_grader.exercise import Call, Group


def three(X, g):
    """Gradients of three shapes, the second in float32 where g is."""
    return X.T @ g, g.sum(axis=0), g * 2


def table(rng):
    return [Call(X=rng.normal(size=(6, 3)), g=rng.normal(size=(6, 4))) for _ in range(2)]


THREE = sets(three, table)


@pytest.mark.parametrize(
    ("wrong", "name", "words"),
    [
        (lambda X, g: three(X, g)[1], "alone", "Only item 1 of what is asked for came"),
        (lambda X, g: three(X, g)[:2], "item_missing", "The last item is missing"),
        (lambda X, g: three(X, g)[1:], "item_missing", "The first item is missing"),
        (lambda X, g: (*three(X, g), X), "item_too_many", "one item too many: the last one"),
        (lambda X, g: (g, *three(X, g)), "item_too_many", "one item too many: the first one"),
        (lambda X, g: (three(X, g)[0], three(X, g)[2], three(X, g)[1]), "item_order", "another order: (0, 2, 1)"),
    ],
)
def test_items_alone_missing_too_many_or_in_another_order(wrong, name, words):
    found = diagnosis_of(THREE, wrong)
    assert (found.kind, found.name) == ("structure", name)
    assert words in found.text
    assert found.hint.endswith("?")
    bent = lambda X, g: wrong(X * (1 + 1e-3 * (g[0, 0] > 0)), g * (1 + 1e-3 * (g[0, 0] < 0)))
    assert diagnosis_of(THREE, bent).name != name


def test_the_first_call_alone_in_another_form_is_not_a_form():
    calls = iter(range(100))
    found = diagnosis_of(THREE, lambda X, g: three(X, g)[1] if next(calls) == 0 else three(X, -g))
    assert found.name != "alone"


def test_more_than_is_asked_for():
    mean = sets(lambda X: X.mean(axis=0), lambda rng: [Call(X=rng.normal(size=(6, 3)))], name="mean")
    found = diagnosis_of(mean, lambda X: (X.mean(axis=0), X.var(axis=0)))
    assert (found.name, "what is asked for is item 0 of it" in found.text) == ("more", True)
    assert diagnosis_of(mean, lambda X: (X.mean(axis=0) + 1e-3, X.var(axis=0))).name != "more"


def test_one_item_of_each_tuple_in_a_list():
    batches = lambda X, T: [(X[i : i + 2], T[i : i + 2]) for i in range(0, len(X), 2)]
    exercise = sets(batches, lambda rng: [Call(X=rng.normal(size=(6, 3)), T=rng.normal(size=6))], name="batches")
    found = diagnosis_of(exercise, lambda X, T: [x for x, _ in batches(X, T)])
    assert (found.name, "only item 0 of it came" in found.text) == ("alone", True)


def test_the_trees_of_a_sequence_without_the_state():
    found = diagnosis_of(ROLLING, lambda p, g, s, lr=0.1, beta=0.9: rolling(p, g, s, lr, beta)[0])
    assert (found.name, "Only item 0" in found.text) == ("alone", True)


@pytest.mark.parametrize("end", ["float64", "float32"])
def test_right_numbers_of_another_type(end):
    shift = lambda x: (x + np.array(1, x.dtype), (x > 0).astype(int))
    sharp = Group("float32", 1, lambda rng: [Call(x=rng.normal(size=7).astype(np.float32))], exact_dtype=True)
    exercise = sets(shift, None, groups=[sharp], name="shift")
    wrong = {"float64": lambda x: (x + np.ones(7), (x > 0).astype(int)),
             "float32": lambda x: (shift(x)[0], (x > 0).astype(np.float32))}  # fmt: skip
    found = diagnosis_of(exercise, wrong[end])
    wanted = {"float64": "float64 came where float32 is expected", "float32": "float32 came where int64 is expected"}
    assert (found.name, wanted[end] in found.text) == ("number_type", True)
    bent = lambda x: tuple(part * 1.01 for part in wrong[end](x))
    assert diagnosis_of(exercise, bent).name != "number_type"


def test_none_where_zeros_are_expected_and_not_where_numbers_are():
    slopes = lambda x, y: {"x": 2 * x, "y": 0 * y, "z": np.zeros(3)}
    exercise = sets(slopes, lambda rng: [Call(x=rng.normal(size=4), y=rng.normal(size=5))], name="slopes")
    found = diagnosis_of(exercise, lambda x, y: {"x": 2 * x, "y": None, "z": None})
    assert (found.name, "`None` stands where zeros are expected" in found.text) == ("none", True)
    assert diagnosis_of(exercise, lambda x, y: {**slopes(x, y), "x": None}).name != "none"


def test_a_number_for_a_function():
    schedule = lambda lr: lambda t: lr * 0.5**t
    exercise = sets(schedule, lambda rng: [Call(lr=float(rng.uniform(1, 2))).then((0,), (3,))], name="schedule")
    found = diagnosis_of(exercise, lambda lr: schedule(lr)(0))
    assert (found.name, "A number came where a function is asked for" in found.text) == ("called", True)
