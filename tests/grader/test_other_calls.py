"""An answer that is right for something else in an argument's place is told so, and only if it is so in every call."""

from __future__ import annotations

import numpy as np
import pytest
from test_diagnosis import diagnosis_of, sets

from gradschool_grader.exercise import Call, Group, Misconception


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x)
    return e / e.sum(axis=-1, keepdims=True)


def surprise(x, t):
    return ((x - t) ** 2).sum(axis=1) / (1 + np.abs(x).sum(axis=1))


def tables(rng):
    return [Call(x=rng.normal(size=(n, 4)), t=rng.uniform(0.1, 2, size=(n, 4))) for n in (3, 5, 6)]


SURPRISE = sets(surprise, tables)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (softmax, "the softmax of `x`"),
        (sigmoid, "the sigmoid of `x`"),
        (np.tanh, "the tanh of `x`"),
        (np.exp, "exp of `x`"),
        (lambda x: np.maximum(x, 0), "`x` without what is negative"),
        (lambda x: np.full_like(x, x[0, 0]), "the first number of `x` everywhere"),
    ],
)
def test_a_function_that_was_taken_of_an_argument(function, words):
    assert diagnosis_of(SURPRISE, lambda x, t: surprise(function(x), t)).text == f"Your answer is right for {words}."


def test_a_function_that_was_taken_in_some_calls_only_is_not_named():
    sometimes = lambda x, t: surprise(softmax(x) if len(x) < 6 else x + 0.1, t)
    assert "softmax" not in diagnosis_of(SURPRISE, sometimes).text


def backward(g, cache):
    return g * cache["scale"] * (np.arctan(cache["y"]) - cache["t"])


def gradients(rng, *more):
    given = [(rng.normal(size=(n, 3)), {k: rng.normal(size=(n, 3)) for k in "yt"}) for n in (4, 5, 7)]
    return [Call(g=g, cache={**cache, "scale": rng.uniform(size=(len(g), 1))}) for g, cache in given]


BACKWARD = sets(backward, gradients)


def test_a_sum_where_a_product_is_asked_for():
    found = diagnosis_of(BACKWARD, lambda g, cache: backward(np.ones_like(g), cache) + g)
    assert (found.name, found.text.endswith("for ones in the place of `g`, plus `g`.")) == ("sum", True)


def test_a_step_that_is_taken_twice():
    found = diagnosis_of(BACKWARD, lambda g, cache: backward(backward(g, cache), cache))
    assert (found.name, "takes the place of `g` once more" in found.text) == ("twice", True)


def test_one_over_the_number_of_rows_where_a_weight_is_asked_for():
    mean = lambda g, cache: backward(g, {**cache, "scale": 1 / len(g)})
    words = "right for one over the number of rows of `g` in the place of `cache['scale']`"
    found = diagnosis_of(BACKWARD, mean)
    assert (found.name, words in found.text) == ("share", True)
    assert diagnosis_of(BACKWARD, lambda g, cache: backward(g, {**cache, "scale": 1 / (1 + len(g))})).name != "share"


def test_divided_by_the_size_of_another_axis():
    mean = lambda x: np.sum(np.arctan(x)) / x.shape[0]
    exercise = sets(mean, lambda rng: [Call(x=rng.normal(size=(n, m))) for n, m in ((3, 4), (5, 2), (7, 3))], name="f")
    found = diagnosis_of(exercise, lambda x: np.arctan(x).sum() / x.shape[-1])
    assert found.name == "factor"
    assert found.text.endswith("times the size of axis 0 of `x`, divided by the size of axis 1 of `x`.")
    other = diagnosis_of(exercise, lambda x: np.arctan(x).sum() / (x.shape[-1] if len(x) > 3 else 8))
    assert "divided by the size" not in other.text


def pull(y, t):
    return y * (y - t)


def test_only_the_sign_or_the_size_of_a_difference():
    exercise = sets(pull, lambda rng: [Call(y=rng.normal(size=7), t=rng.normal(size=7))])
    assert "only the sign of a difference" in diagnosis_of(exercise, lambda y, t: y * np.sign(y - t)).text
    assert "the size of a difference" in diagnosis_of(exercise, lambda y, t: y * np.abs(y - t)).text


def both_ways(x, y, wide=False):
    if wide:
        return np.tanh(np.sqrt(np.abs(x) + 1) + y)
    return np.arctan(np.sqrt(np.abs(x) * y**2 + 2))


def test_a_function_left_out_in_both_branches():
    given = lambda rng, **more: [Call(x=rng.normal(size=6), y=rng.normal(size=6), **more) for _ in range(2)]
    groups = [Group("narrow", 1, given), Group("wide", 1, lambda rng: given(rng, wide=True))]

    def wrong(x, y, wide=False):
        if wide:
            return np.tanh(np.abs(x) + 1 + y)
        return np.arctan(np.abs(x) * y**2 + 2)

    assert "`sqrt` left out, in 2 places" in diagnosis_of(sets(both_ways, None, groups=groups), wrong).text


def test_a_function_of_numpys_is_a_computation_too():
    apart = sets(lambda y, t: np.mean(np.abs(np.subtract(y, t))), tables_of_two, name="apart")
    assert "a square in the place of a size" in diagnosis_of(apart, lambda y, t: np.mean(np.subtract(y, t) ** 2)).text


def tables_of_two(rng):
    return [Call(y=rng.normal(size=(n, 3)), t=rng.normal(size=(n, 3))) for n in (2, 4, 5)]


def test_which_entries_are_one_says_as_much_as_their_size_would():
    passed = sets(lambda g, x: g * (x > 0), lambda rng: [Call(g=rng.normal(size=40), x=rng.normal(size=40))], name="f")
    assert "ones in the place of `g`" in diagnosis_of(passed, lambda g, x: 1.0 * (x > 0)).text


def test_a_misconception_that_what_passed_speaks_against_is_named_for_the_parts_that_failed():
    def sized(x, power=2):
        return np.exp(-(np.abs(x) ** power).sum(axis=1))

    given = lambda rng, **more: [Call(x=rng.normal(size=(5, 3)), **more) for _ in range(3)]
    groups = [Group("squares", 1, given), Group("cubes", 1, lambda rng: given(rng, power=3))]
    lost = Misconception("power_lost", lambda x, power=2: np.exp(-np.abs(x).sum(axis=1)), "Where is the power?")
    some = lambda x, power=2: lost.wrong(x) if power == 3 else sized(x)
    named = diagnosis_of(sets(sized, None, lost, groups=groups), some).text
    assert named == "In the part `cubes` your answer behaves as if power lost."
    assert diagnosis_of(sets(sized, None, lost, groups=groups), lost.wrong).text.startswith("Your answer behaves")


def test_a_single_wrong_word_names_no_misconception_that_gives_other_wrong_words():
    def side(x):
        return "left" if x < 0 else "right"

    calls = lambda *places: lambda rng: [Call(x=x) for x in places]
    groups = [Group("far", 1, calls(-5.0, -4.0, 4.0, 5.0)), Group("near", 1, calls(-0.1, 0.1))]
    always = Misconception("always_right", lambda x: "right", "What is left of 0?")
    nearly = lambda x: "left" if x < -1 else "right"
    assert diagnosis_of(sets(side, None, always, groups=groups), nearly).kind == "value"
    assert diagnosis_of(sets(side, None, always, groups=groups), always.wrong).name == "always_right"
