"""Wrong entries that are neighbours by some quantity are said to lie between bounds of it, and no others."""

from __future__ import annotations

import numpy as np
import pytest
from test_diagnosis import diagnosis_of, sets
from test_readings import pair

from gradschool_grader.diagnosis.band import band
from gradschool_grader.exercise import Call


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def huber(Y, T, delta=1.0):
    d = np.abs(Y - T)
    return np.where(d <= delta, 0.5 * d**2, delta * (d - 0.5 * delta))


def text_of(pairs):
    found = band(pairs, [p for p in pairs if not p.right])
    return found.text if found else None


def drawn(rng, wrong, n=60, calls=3, **given):
    for k in range(calls):
        Y, T = rng.normal(size=(2, n)) * 2
        delta = rng.uniform(0.5, 1.5)
        yield pair(huber(Y, T, delta), wrong(Y, T, delta), label=str(k), Y=Y, T=T, delta=delta)


def test_a_threshold_that_is_compared_with_another_quantity(rng):
    half_square = lambda Y, T, delta: np.where(
        (d := np.abs(Y - T)) ** 2 / 2 <= delta, d**2 / 2, delta * (d - delta / 2)
    )
    text = "The answer is wrong only where the distance between `Y` and `T` lies between two bounds."
    assert text_of(list(drawn(rng, half_square))) == text


def test_one_side(rng):
    cut = lambda Y, T, delta: np.where(Y > 1.3, 0.7, huber(Y, T, delta))
    assert text_of(list(drawn(rng, cut))) == "The answer is wrong only where `Y` lies above a bound."


def test_a_class_that_is_taken_for_padding(rng):
    def calls():
        for k in range(2):
            y, P = rng.integers(4, size=20), rng.uniform(0.1, 1, size=(20, 4))
            e = np.where(np.arange(4) == y[:, None], -1 / P, 0)
            yield pair(e, np.where(y[:, None] == 0, 0, e), label=str(k), y=y, P=P)

    assert text_of(list(calls())) == "The answer is wrong only where `y` is zero."


def test_entries_here_and_there_are_in_no_band(rng):
    anywhere = lambda Y, T, delta: huber(Y, T, delta) + (rng.uniform(size=Y.shape) < 0.1)
    assert text_of(list(drawn(rng, anywhere))) is None


def test_a_few_entries_are_neighbours_by_chance(rng):
    one = lambda Y, T, delta: huber(Y, T, delta) + (Y.max() == Y)
    assert text_of(list(drawn(rng, one, calls=2))) is None


def test_two_mistakes_in_groups_of_their_own_are_each_looked_for():
    from gradschool_grader.exercise import Group

    def right(x, y, power=None, twice=False):
        z = x - y**2
        z = np.tanh(z) if power is None else np.abs(z) ** power
        return 2 * z + np.cos(x) if twice else z

    def wrong(x, y, power=None, twice=False):
        z = x + y**2
        z = np.tanh(z) if power is None else np.abs(z) ** power
        return np.sin(7 * z * x) if twice else z

    def calls(**options):
        return lambda rng: [Call(x=rng.normal(size=(3, 4)), y=rng.normal(size=(3, 4)), **options) for _ in range(2)]

    groups = [Group("plain", 1, calls()), Group("powers", 1, calls(power=1.7)), Group("twice", 1, calls(twice=True))]
    text = diagnosis_of(sets(right, None, groups=groups), wrong).text
    assert text.startswith("In the parts `plain` and `powers`: your answer is what the right computation comes to")
    assert "a plus in the place of a minus" in text
    assert text.endswith("This does not explain `twice`.")
