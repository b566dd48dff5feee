"""A refusal names a misconception only if it is refused alike: in the same probes, to the same side, about as far."""

from __future__ import annotations

import numpy as np
import pytest
from test_diagnosis import diagnosis_of, sets

from gradschool_grader.diagnosis.refused import apart, opposed
from gradschool_grader.exercise import Call, Group, Misconception, Property, Seed
from gradschool_grader.sigma import SixSigma

SAYS = {"spread": "The spread is too large or too small.", "mean": "The mean is not 0."}
SPREAD = "property", SAYS["spread"]


def noise(n, rng):
    return rng.normal(size=n)


def off(values):
    x = values[0]
    return {"mean": x.mean() * np.sqrt(x.size), "spread": (np.mean(x**2) - 1) * np.sqrt(x.size / 2)}


def drawn(rng, n, holds=None):
    return Property(Call(n=n, rng=Seed(int(rng.integers(10**6)))), holds or SixSigma(off, SAYS))


def times(factor, turn=1.0):
    """Another draw with `turn=-1`: the same distribution and other numbers."""
    return lambda n, rng: turn * factor * rng.normal(size=n)


def told(answer, *misconceptions, groups=None):
    groups = groups or [Group("spread", 1, lambda rng: [drawn(rng, 900), drawn(rng, 1600)])]
    found = diagnosis_of(sets(noise, None, *misconceptions, groups=groups), answer)
    return found.kind, found.name if found.kind == "misconception" else found.text


def known(name, wrong):
    return Misconception(name, wrong, "How far do they lie?", says=name)


def test_what_is_off_to_the_other_side_in_the_same_words_is_not_that_misconception():
    assert told(times(0.5), known("wide", times(1.6))) == SPREAD


def test_what_is_off_much_further_in_the_same_words_is_not_that_misconception():
    assert told(times(6), known("wide", times(1.6))) == SPREAD


@pytest.mark.parametrize("factor", [0.5, 1.6, 6])
def test_another_draw_of_the_same_mistake_has_its_name(factor):
    assert told(times(factor, turn=-1), known("spread", times(factor))) == ("misconception", "spread")


def test_what_is_refused_in_other_probes_is_not_that_misconception():
    many = lambda n, rng: times(1.6 if n > 1000 else 1)(n, rng)
    assert told(times(1.6), known("many", many)) == SPREAD
    assert told(many, known("wide", times(1.6))) == SPREAD


def test_what_goes_less_far_than_a_misconception_that_is_refused_in_a_bare_sentence_is_another():
    bounded = SixSigma(lambda values: "There are numbers beyond 2." if np.abs(values[0]).max() > 2 else {}, {})
    groups = [Group("bounds", 1, lambda rng: [drawn(rng, 4000, bounded), drawn(rng, 5000, bounded)])]
    cut = lambda n, rng: (x := rng.normal(size=2 * n))[np.abs(x) < 2.8][:n]
    uncut = known("uncut", lambda n, rng: rng.normal(size=n))
    assert told(cut, uncut, groups=groups) == ("property", "There are numbers beyond 2.")
    assert told(times(1, turn=-1), uncut, groups=groups) == ("misconception", "uncut")


def test_a_refusal_that_fits_two_misconceptions_names_neither_unless_what_passed_tells_them_apart():
    flat = lambda n, rng: rng.uniform(-2.77, 2.77, size=n)
    only_large = lambda n, rng: times(1.6 if n > 50 else 1)(n, rng)
    either = known("wide", times(1.6)), known("flat", flat)
    assert told(times(1.6), *either) == ("misconception", "wide")  # flat numbers end sooner

    small = Group(
        "small", 1, lambda rng: [Property(Call(n=9, rng=Seed(5)), lambda v: "Far." if v[0][0] < -1 else None)]
    )
    large = Group("spread", 1, lambda rng: [drawn(rng, 900)])
    twice = known("wide", times(1.6)), known("only large", only_large)
    assert told(times(1.6), *twice, groups=[large]) == SPREAD
    assert told(only_large, *twice, groups=[large, small]) == ("misconception", "only large")


def test_a_refused_part_has_no_name_where_the_numbers_of_another_part_speak_against_it():
    other = lambda n, rng: times(1.6 if n < 1000 else 0.5)(n, rng)
    groups = [Group(name, 1, lambda rng, n=n: [drawn(rng, n)]) for name, n in (("few", 900), ("many", 1600))]
    assert told(other, known("wide", times(1.6)), groups=groups) == SPREAD


def test_a_changed_input_is_no_misconception_that_draws_well_enough_and_changes_none():
    def shuffled(x, rng):
        return rng.permutation(x)

    def in_place(x, rng):
        rng.shuffle(x)
        return x

    fair = SixSigma(lambda values: {"mean": values[0][:500].mean()}, {"mean": "The first half is another one."})
    groups = [Group("fair", 1, lambda rng: [Property(Call(x=rng.normal(size=1000), rng=Seed(4)), fair)])]
    seldom = known("seldom", lambda x, rng: x.copy())
    assert diagnosis_of(sets(shuffled, None, seldom, groups=groups), in_place).kind == "mutated"
    assert (
        diagnosis_of(sets(shuffled, None, seldom, known("in place", in_place), groups=groups), in_place).name
        == "in place"
    )


def test_a_refusal_of_the_second_probe_is_told_from_one_in_other_words():
    halves = {"first": "The first half is not 0.", "second": "The second half is not 0."}

    def off_by_half(values):
        x = values[0].reshape(2, -1)
        return dict(zip(halves, np.sqrt(x.shape[1]) * x.mean(axis=1), strict=True))

    groups = [Group("mean", 1, lambda rng: [drawn(rng, 900), drawn(rng, 1600, SixSigma(off_by_half, halves))])]
    second = lambda n, rng: noise(n, rng) + np.where(np.arange(n) < 800, 0, 0.9 * (n > 900))
    first = lambda n, rng: noise(n, rng) + np.where(np.arange(n) < 800, 0.9 * (n > 900), 0)
    assert told(second, known("first", first), groups=groups) == ("property", halves["second"])
    assert told(second, known("first", first), known("second", second), groups=groups) == ("misconception", "second")


def test_what_is_off_in_either_must_be_off_to_one_side_and_about_as_far():
    assert not opposed(("a", 20.0), ("a", 21.0))
    assert opposed(("a", 20.0), ("a", -20.0))
    assert opposed(("a", 20.0), ("a", 80.0))
    assert opposed(("a", np.inf), ("a", -np.inf))
    assert not opposed(("a", np.inf), ("a", np.inf))
    assert not opposed(("a", 20.0), None)


def test_two_draws_from_one_distribution_are_not_apart():
    rng = np.random.default_rng(3)
    assert not any(apart([(np.abs(rng.normal(size=500)), np.abs(rng.normal(size=500)))]) for _ in range(500))


def bare(values):
    return None if (values[0] == 1).all() else "The numbers are not all one."


@pytest.mark.parametrize(("answer", "same"), [
    (times(1.6, turn=-1), True),
    (lambda n, rng: rng.uniform(-2.77, 2.77, size=n), False),
    (lambda n, rng: np.where(np.arange(n) == 3, np.nan, times(1.6)(n, rng)), False),
])  # fmt: skip
def test_a_bare_sentence_names_a_misconception_only_if_the_numbers_are_spread_alike(answer, same):
    groups = [Group("ones", 1, lambda rng: [drawn(rng, 900, bare), drawn(rng, 1600, bare)])]
    found = told(answer, known("wide", times(1.6)), groups=groups)
    assert found == (("misconception", "wide") if same else ("property", "The numbers are not all one."))
