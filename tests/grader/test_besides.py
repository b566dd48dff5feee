"""Values before conduct: what is wrong with the numbers is told first, and what the calls do besides, beside it."""

from __future__ import annotations

import cProfile

import numpy as np
from test_diagnosis import Here, diagnosis_of, sets
from test_refused import drawn, noise, times

from gradschool_grader.answers import LiveAnswers
from gradschool_grader.exercise import Call, Group, Misconception, Steps
from gradschool_grader.judge import judge


def centred(x):
    return x - x.mean()


def numbers(rng):
    return [Call(x=rng.normal(size=n)) for n in (7, 9)]


MEDIAN = Misconception("median", lambda x: x - np.median(x), "Which number is the middle, and which the mean?")
CENTRED = sets(centred, numbers, MEDIAN)
BESIDES = "Besides, it changes its input `x`: work on a copy."


def in_place(middle):
    def answer(x):
        x -= middle(x)
        return x.copy()

    return answer


def test_a_known_mistake_has_its_name_also_where_an_input_is_changed():
    found = diagnosis_of(CENTRED, in_place(np.median))
    assert found.name == "median"
    assert found.text.endswith(BESIDES)


def test_a_reading_is_told_before_what_is_done_besides():
    found = diagnosis_of(CENTRED, lambda x: np.multiply(centred(x), 2, out=x).copy())
    assert found.name == "factor"
    assert found.text.endswith(BESIDES)


def test_right_values_with_wrong_conduct_are_told_of_the_conduct_alone():
    found = diagnosis_of(CENTRED, in_place(np.mean))
    assert found.name == "mutated"
    assert "The values are right" in found.text


def test_a_mistake_that_is_listed_with_its_conduct_is_told_without_besides():
    listed = sets(centred, numbers, MEDIAN, Misconception("in_place", in_place(np.median), "Whose x?"))
    found = diagnosis_of(listed, in_place(np.median))
    assert found.name == "in_place"
    assert "Besides" not in found.text


def test_a_later_wrong_value_comes_before_an_earlier_wrong_conduct():
    def step(total, x):
        return total + x

    def handed_on(total, x):
        return total if x.sum() == 0 else total + (x > 0) * x

    feed = [{"x": sign * np.ones(3)} for sign in (0, 1, -1)]
    exercise = sets(step, lambda rng: [Steps({"total": rng.normal(size=3)}, feed)])
    found = diagnosis_of(exercise, handed_on)
    assert found.name == "unchanged"
    assert found.text.endswith(
        "Besides, it shares its memory with the input `total`: changing one later changes the other."
    )


def test_of_a_draw_that_is_wrong_no_value_is_called_right():
    def warns(n, rng):
        np.log(np.zeros(1))
        return times(1.6)(n, rng)

    groups = [Group("spread", 1, lambda rng: [drawn(rng, 900)], forbid_warnings=True)]
    found = diagnosis_of(sets(noise, None, groups=groups), warns)
    assert found.kind == "property"
    assert "right" not in found.text
    assert found.text.endswith("Besides, the computation warns.")


def test_a_call_that_is_refused_as_it_should_be_may_leave_anything_behind():
    def even(x):
        if len(x) % 2 == 0:
            raise ValueError("expected an odd number of entries")
        return x**2

    def tidies_up(x):
        if len(x) % 2 == 0:
            x[:] = 0
        return even(x)

    exercise = sets(even, lambda rng: [Call(x=rng.normal(size=n)) for n in (7, 8)])
    assert judge(exercise, lambda: Here(tidies_up, "even"), LiveAnswers(exercise, {}, 3)).passed


# ---------------------------------------------------------------------------------------- what passed has a say, too
def gap(x, y):
    return np.maximum(x - y, 0) + x**2


def pairs_of(low, high):
    return lambda rng: [Call(x=rng.uniform(2, 3, size=n), y=rng.uniform(low, high, size=n)) for n in (5, 6)]


def test_a_changed_reference_is_named_for_the_parts_that_failed_if_others_speak_against_it():
    groups = [Group("x above y", 1, pairs_of(0, 1)), Group("x below y", 1, pairs_of(4, 5))]
    found = diagnosis_of(sets(gap, None, groups=groups), lambda x, y: np.abs(x - y) + x**2)
    assert found.text.startswith("In the part `x below y`: your answer is what the right computation comes to")


def shrunk(params, grads, t):
    return {name: 0.9 * p - grads[name] / (1 + t) for name, p in params.items()}


def test_a_place_gives_way_to_a_reason_in_a_part():
    """Entries without a gradient only shrink, whatever the count is: that is no more than where it shows."""

    def probes(rng):
        shapes = {"a": (3, 4), "b": (5,)}
        trees = lambda: {name: rng.normal(size=shape) for name, shape in shapes.items()}
        return [Call(params=trees(), grads={n: g * (g > 0) for n, g in trees().items()}, t=t) for t in (1, 2, 4)]

    def counts_each(params, grads, t):
        return {name: shrunk(params, grads, t + i)[name] for i, name in enumerate(params)}

    found = diagnosis_of(sets(shrunk, probes), counts_each)
    assert "`t` one larger than it is" in found.text


# -------------------------------------------------------------------------------------------------- two known mistakes
def two(x):
    return {"mean": x.mean(axis=0), "spread": x.std(axis=0)}


def test_of_two_mistakes_that_explain_an_array_the_one_without_others_is_named():
    """The first one listed would be wrong in the other array as well, and otherwise than the answer."""
    medians = lambda x: {"mean": np.median(x, axis=0), "spread": x.std(axis=0)}
    both = lambda x: {"mean": np.median(x, axis=0), "spread": np.abs(x).mean(axis=0)}
    samples = lambda x: {"mean": x.mean(axis=0), "spread": x.std(axis=0, ddof=1)}
    answer = lambda x: {"mean": np.median(x, axis=0), "spread": x.std(axis=0, ddof=1)}
    listed = [
        Misconception(name, wrong, "?") for name, wrong in (("both", both), ("medians", medians), ("samples", samples))
    ]
    found = diagnosis_of(sets(two, lambda rng: [Call(x=rng.normal(size=(n, 3))) for n in (6, 8)], *listed), answer)
    assert {found.name, *found.also} == {"medians", "samples"}


# ------------------------------------------------------------------------------------------------ under a profiler
def test_a_profiler_changes_no_diagnosis_and_goes_on():
    answer = lambda x, y: gap(x, y) + y * np.sin(x)
    exercise = sets(gap, pairs_of(0, 1))
    alone = diagnosis_of(exercise, answer)
    profiler = cProfile.Profile()
    profiler.enable()
    try:
        beside = diagnosis_of(exercise, answer)
        gap(2.0, 1.0)
    finally:
        profiler.disable()
    assert beside == alone
    assert any("gap" in str(entry.code) for entry in profiler.getstats())


def test_a_misconception_times_the_batch_size_is_both_also_where_one_of_the_batches_is_a_single_sample():
    def mean_square(x, y):
        return ((x - y) ** 2).mean()

    absolute = Misconception("absolute", lambda x, y: np.abs(x - y).mean(), "Is a difference squared?")
    batches = lambda rng: [Call(x=rng.normal(size=(n, 4)), y=rng.normal(size=(n, 4))) for n in (6, 1, 3, 5, 7)]
    found = diagnosis_of(sets(mean_square, batches, absolute), lambda x, y: np.abs(x - y).mean(axis=1).sum())
    assert found.name == "absolute"
    assert "And besides: every number is" in found.text


def test_what_is_known_of_one_part_leaves_the_other_to_be_read():
    groups = [Group(name, 1, lambda rng, n=n: [Call(x=rng.normal(size=(n, 3))) for _ in "ab"])
              for name, n in (("few", 4), ("many", 9))]  # fmt: skip

    def centres(x):
        return x.mean(axis=0)

    medians = Misconception("medians", lambda x: np.median(x, axis=0), "Which of them is the mean?")

    def other(rest):
        return diagnosis_of(
            sets(centres, None, medians, groups=groups), lambda x: rest(x) if len(x) > 4 else medians.wrong(x)
        )

    assert other(lambda x: -x.mean(axis=0)).text.endswith("In the part `many`: every number has the wrong sign.")
    assert other(lambda x: np.sin(99 * x.mean(axis=0))).text.endswith("This does not explain `many`.")


def column_means(x):
    return x.mean(axis=0)


def test_what_holds_in_some_parts_is_said_once_and_other_misconceptions_in_their_words():
    says = {"low": "the smallest were asked for", "high": "the largest were asked for"}
    listed = [
        Misconception(name, wrong, "?", says[name])
        for name, wrong in (("low", lambda x: x.min(axis=0)), ("high", lambda x: x.max(axis=0)))
    ]
    groups = [
        Group(name, 1, lambda rng, n=n: [Call(x=rng.normal(size=(n, 3))) for _ in "ab"])
        for name, n in (("few", 4), ("many", 9), ("most", 12), ("all", 15))
    ]
    exercise = sets(column_means, None, *listed, groups=groups)
    found = diagnosis_of(exercise, lambda x: x.min(axis=0) if len(x) < 10 else x.max(axis=0))
    assert found.text == (
        "In the parts `few` and `many` your answer behaves as if the smallest were asked for. "
        "Elsewhere it behaves as if the largest were asked for."
    )
    two = diagnosis_of(exercise, lambda x: 2 * x.mean(axis=0) if len(x) < 10 else np.sin(99 * x.mean(axis=0)))
    assert two.text.startswith("In the parts `few` and `many`: every number is 2 times")
    assert "The part" not in two.text


def test_what_an_earlier_call_returned_is_no_matter_of_its_numbers():
    def copied(model):
        return {name: x.copy() for name, x in model.items()}

    def remembering(model, memo={}):  # noqa: B006
        return memo.setdefault(tuple(model), copied(model))

    probes = lambda rng: [Call(model={"W": rng.normal(size=(3, 4))}) for _ in range(3)]
    found = diagnosis_of(sets(copied, probes), remembering)
    assert found.name == "reused"
    assert "What is wrong is what an earlier call returned" in found.text
