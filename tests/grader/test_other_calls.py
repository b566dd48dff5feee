"""An answer that is right for something else in an argument's place is told so, and only if it is so in every call."""

from __future__ import annotations

import numpy as np
import pytest
from test_diagnosis import diagnosis_of, sets

from gradschool_grader.exercise import Call, Group, Misconception, Script


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


def test_what_passed_speaks_against_a_misconception_that_two_shares_speak_for():
    def share(x, above=0.0):
        return float((x > above).mean())

    at_zero = lambda rng: [Call(x=rng.permutation([0.0, 0, 1, 2, *below])) for below in ([-1], [-1, -2, -3])]
    above = lambda rng: [Call(x=rng.permutation(19) + 0.0, above=a) for a in (4.5, 7.5, 9.5)]
    groups = [Group("at_zero", 1, at_zero), Group("above", 1, above)]
    counted = Misconception("counted", lambda x, above=0.0: float((x >= above).mean()) * (above == 0), "Which count?")
    at_least = lambda x, above=0.0: float((x >= above).mean())
    assert diagnosis_of(sets(share, None, counted, groups=groups), at_least).kind != "misconception"
    assert diagnosis_of(sets(share, None, counted, groups=groups), counted.wrong).name == "counted"


class Sum:
    def __init__(self):
        self.total, self.known = 0.0, False

    def add(self, x):
        self.total, self.known = self.total + float(x), True

    def result(self):
        return self.total if self.known else float("nan")


class ZeroAtFirst(Sum):
    def result(self):
        return self.total


def test_a_misconception_is_known_beside_a_part_with_two_objects_that_passed():
    one = Group("one", 1, lambda rng: [Script(calls=[("result", ()), ("add", (rng.normal(),)), ("result", ())])])
    calls = [("2.add", (2.5,)), ("add", (1.5,)), ("result", ()), ("2.result", ())]
    two = Group("two", 1, lambda rng: [Script(calls=calls, others=1)])
    zero = Misconception("zero_at_first", ZeroAtFirst, "What is the sum of nothing?")
    found = diagnosis_of(sets(Sum, None, zero, groups=[one, two]), ZeroAtFirst)
    assert found.text == "Your answer behaves as if zero at first."


def test_a_single_wrong_word_names_no_misconception_that_gives_other_wrong_words():
    def side(x):
        return "left" if x < 0 else "right"

    calls = lambda *places: lambda rng: [Call(x=x) for x in places]
    groups = [Group("far", 1, calls(-5.0, -4.0, 4.0, 5.0)), Group("near", 1, calls(-0.1, 0.1))]
    always = Misconception("always_right", lambda x: "right", "What is left of 0?")
    nearly = lambda x: "left" if x < -1 else "right"
    assert diagnosis_of(sets(side, None, always, groups=groups), nearly).kind == "value"
    assert diagnosis_of(sets(side, None, always, groups=groups), always.wrong).name == "always_right"


def normalised(x, gamma, beta):
    return gamma * (x - x.mean(axis=1, keepdims=True)) + beta


@pytest.mark.parametrize(("one", "words"), [(np.mean, "the mean"), (lambda x: x[0], "the first")])
def test_one_number_in_the_place_of_two_arguments_numbers(one, words):
    given = lambda rng: [Call(x=rng.normal(size=(4, 3)), gamma=rng.normal(size=3), beta=rng.normal(size=3))]
    found = diagnosis_of(sets(normalised, given), lambda x, gamma, beta: normalised(x, one(gamma), one(beta)))
    assert found.text.startswith(f"Your answer is right for {words} of `gamma` and of `beta`")


def summary(x):
    return np.exp(x.mean(axis=0)) / (1 + np.linalg.norm(x, axis=0) + x[0])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda x: np.exp(np.median(x, axis=0)) / (1 + np.linalg.norm(x, axis=0) + x[0]), "a median"),
        (lambda x: np.exp(np.abs(x).mean(axis=0)) / (1 + np.linalg.norm(x, axis=0) + x[0]), "a mean of sizes"),
        (
            lambda x: np.exp(np.sqrt((x * x).mean(axis=0))) / (1 + np.linalg.norm(x, axis=0) + x[0]),
            "root of a mean of sq",
        ),
        (lambda x: np.exp(x.mean(axis=0)) / (1 + np.abs(x).sum(axis=0) + x[0]), "a sum of sizes"),
        (lambda x: np.exp(x.mean(axis=0)) / (1 + np.abs(x).max(axis=0) + x[0]), "the largest size"),
        (lambda x: np.exp(x.mean(axis=0)) / (1 + (x * x).sum(axis=0) + x[0]), "a sum of squares"),
    ],
)
def test_another_summary_of_the_same_numbers(wrong, words):
    exercise = sets(summary, lambda rng: [Call(x=rng.normal(size=(n, 3))) for n in (4, 6, 7)])
    assert words in diagnosis_of(exercise, wrong).text


def wave(x, top):
    return top * (1 + np.cos(np.pi * x)) / 2


def test_another_part_of_a_circle():
    exercise = sets(wave, lambda rng: [Call(x=rng.uniform(size=6), top=float(rng.uniform(1, 2))) for _ in range(2)])
    for k, words in ((2 * np.pi, "2 π"), (np.pi / 2, "π / 2"), (180, "180")):
        found = diagnosis_of(exercise, lambda x, top, k=k: top * (1 + np.cos(k * x)) / 2)
        assert f"{words} in the place of π" in found.text


def rates(lr, epochs, per="batch"):
    found = []
    for epoch, batches in enumerate(epochs):
        for _ in batches:
            found.append(lr[epoch if per == "epoch" else len(found)])
    return found


def runs(rng):
    lr, epochs = sorted(rng.uniform(size=9)), [[0] * 3, [0] * 2, [0] * 2]
    return [Call(lr=lr, epochs=epochs, per=per) for per in ("batch", "epoch")]


def test_a_solution_without_arithmetic_can_be_changed_too():
    found = diagnosis_of(sets(rates, runs), lambda lr, epochs, per="batch": rates(lr, epochs, "epoch"))
    assert "per" in found.text


def journey(x):
    return float(np.tanh(x).sum()), [float(value) for value in np.cumsum(np.sin(x))]


JOURNEY = sets(journey, lambda rng: [Call(x=rng.normal(size=n)) for n in (5, 8)])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda x: x[1:], "The first one is missing"),
        (lambda x: x[:-1], "The last one is missing"),
        (lambda x: [0.3, *x], "There is one too many, the first"),
        (lambda x: [*x, 0.7], "There is one too many, the last"),
        (lambda x: [0.3, *x[:-1]], "shifted by one"),
        (lambda x: x[::-1], "in reverse order"),
    ],
)
def test_a_list_of_numbers_is_read_as_a_whole(wrong, words):
    found = diagnosis_of(JOURNEY, lambda x: (journey(x)[0], wrong(journey(x)[1])))
    assert words in found.text
    assert "`item 1`" in found.text


def test_a_list_that_lacks_one_in_some_calls_and_has_others_wrong_is_not_said_to_lack_one():
    other = lambda x: (journey(x)[0], journey(x if len(x) == 5 else x + 1)[1][1:])
    assert "missing" not in diagnosis_of(JOURNEY, other).text


def swapped_names(x):
    loss, later = journey(x), journey(x + 1)
    return {"first": loss[1], "both": loss[0] + later[0], "second": later[1]}


def test_two_parts_in_each_others_place():
    exercise = sets(swapped_names, lambda rng: [Call(x=rng.normal(size=n)) for n in (5, 8)])

    def wrong(x, always=True):
        right = swapped_names(x)
        return {**right, "first": right["second"], "second": right["first"]} if always or len(x) == 5 else right

    assert "`['first']` and `['second']` are in each other's place." in diagnosis_of(exercise, wrong).text
    assert "place" not in diagnosis_of(exercise, lambda x: wrong(x, always=False)).text


def flagged(model, layers, flag):
    return [{**layer, "on": flag if i in layers else layer["on"]} for i, layer in enumerate(model)]


def test_flags_say_as_much_as_numbers_where_there_are_many():
    def models(rng):
        flags = rng.integers(2, size=(6, 5)).tolist()
        models = [[{"on": bool(on), "size": float(rng.normal())} for on in row] for row in flags]
        return [Call(model=m, layers=[0, 2, 3, 4], flag=bool(i % 2)) for i, m in enumerate(models)]

    found = diagnosis_of(sets(flagged, models), lambda model, layers, flag: flagged(model, layers, not flag))
    assert (found.name, "`flag` the other way round" in found.text) == ("other_way", True)


def test_a_few_shares_that_happen_to_be_the_same_are_not_said_to_be_one_number():
    shares = lambda x: np.round(8 * x) / 8
    exercise = sets(shares, lambda rng: [Call(x=rng.uniform(size=4)) for _ in range(3)], name="shares")
    assert diagnosis_of(exercise, lambda x: np.full(4, np.round(8 * x.max()) / 8)).name != "one_number"
    assert diagnosis_of(exercise, lambda x: np.full(4, x.max())).name == "one_number"
