"""Property: the range test is training with rates that grow by one factor; it finds where theory says that descent
becomes unstable, stops there, and leaves everything it was given as it was."""

import doctest
import pickle
import sys

import numpy as np
import pytest

import gradschool as gs
from gradschool.range_test import RangeTest, range_test

module = sys.modules["gradschool.range_test"]  # gs.range_test is the function


def mean_square(Y, T):
    return ((Y - T) ** 2).mean()


def line(params, X):
    return X @ params["W"]


def problem(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 5))
    return X, X @ rng.normal(size=(5, 3)), {"W": rng.normal(size=(5, 3))}


def test_rates_grow_by_one_factor_and_losses_are_those_of_training():
    X, T, params = problem()
    test = range_test(
        line, params, (X, T), gs.optimizer("momentum"), mean_square, rng=np.random.default_rng(1), low=1e-4, high=1e-1,
        steps=25, batch_size=7,
    )  # fmt: skip
    ratio = (1e-1 / 1e-4) ** (1 / 25)
    np.testing.assert_allclose(test.rates, 1e-4 * ratio ** np.arange(25))
    history = gs.train(
        line, params, (X, T), gs.optimizer("momentum"), mean_square, 3, rng=np.random.default_rng(1),
        lr=lambda step: 1e-4 * ratio**step, batch_size=7,
    )  # fmt: skip
    np.testing.assert_allclose(test.losses, history.losses[:25], rtol=1e-12)
    weights = [0.9 ** (24 - k) for k in range(25)]
    assert test.smoothed[-1] == pytest.approx(np.average(test.losses, weights=weights))
    assert not test.diverged


def test_it_stops_soon_after_the_rate_where_descent_is_unstable():
    """On a quadratic the largest curvature λ allows rates up to 2/λ."""
    X, T, params = problem()
    limit = 2 / np.linalg.eigvalsh(2 * X.T @ X / T.size).max()
    test = range_test(
        line, params, (X, T), gs.optimizer("sgd"), mean_square, rng=np.random.default_rng(0), batch_size=60,
        low=1e-3, high=1e3,
    )  # fmt: skip
    assert test.diverged
    assert limit < test.highest < 4 * limit
    assert test.highest <= test.rates[-1] < 10 * limit
    assert test.pick() == test.highest / 10
    assert test.pick("half") == test.highest / 2


def test_a_loss_that_overflows_ends_the_test_without_a_warning():
    X, T, params = problem()
    test = range_test(
        line, params, (X, T), gs.optimizer("sgd"), mean_square, rng=np.random.default_rng(0), low=1e-3,
        high=1e200, steps=40, divergence=np.inf,
    )  # fmt: skip
    assert test.diverged
    assert np.isfinite(test.losses).all()


def test_a_loss_that_never_climbs_names_the_last_rate_that_was_tried():
    test = RangeTest((0.1, 0.2, 0.4), (3.0, 2.0, 1.0), (3.0, 2.0, 1.0), False)
    assert (test.lowest, test.highest) == (2, 0.4)


def test_what_was_given_is_unchanged_and_the_result_pickles():
    X, T, _ = problem()
    model = gs.sequential(gs.layers.dense(7), gs.layers.batchnorm(), gs.tanh, gs.layers.dense(3))
    params, state, _ = model.init(np.random.default_rng(2), (5,))
    given = pickle.dumps((X, T, params, state))
    test = range_test(
        model, params, (X, T), gs.optimizer("adam"), mean_square, rng=np.random.default_rng(0), state=state, steps=30
    )
    assert pickle.dumps((X, T, params, state)) == given
    assert pickle.loads(pickle.dumps(test)) == test


@pytest.mark.parametrize("wrong", [{"low": 0.0}, {"high": 1e-6}, {"steps": 1}, {"divergence": 1.0}])
def test_ranges_that_make_no_sense_are_refused(wrong):
    X, T, params = problem()
    with pytest.raises(ValueError, match="expected 0 < low < high, steps >= 2 and divergence > 1, got"):
        range_test(line, params, (X, T), gs.optimizer("sgd"), mean_square, rng=np.random.default_rng(0), **wrong)
    with pytest.raises(ValueError, match=r"one of \['tenth', 'half'\], got 'third'"):
        RangeTest((0.1,), (1.0,), (1.0,), False).pick("third")


def test_data_without_a_finite_loss_are_named():
    X, T, params = problem()
    with pytest.raises(FloatingPointError, match="no number before the first step"):
        range_test(line, params, (X * np.nan, T), gs.optimizer("sgd"), mean_square, rng=np.random.default_rng(0))


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(module).failed == 0
