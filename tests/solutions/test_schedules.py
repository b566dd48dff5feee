"""Property: every schedule has the rates that its source states, at the corners above all, for numbers and arrays."""

import doctest
import math
import pickle

import numpy as np
import pytest

import gradschool as gs
from gradschool import schedules
from gradschool.schedules import (
    cosine,
    cyclical,
    exponential,
    one_cycle,
    one_cycle_momentum,
    per_epoch,
    piecewise,
    polynomial,
    power,
    reduce_on_plateau,
    time_decay,
    warmup,
)

SCHEDULES = {
    "power": power(0.3, s=7, c=1.5),
    "time_decay": time_decay(0.3, 0.2, "loop"),
    "exponential": exponential(0.3, s=7, factor=0.4),
    "piecewise": piecewise([5, 8, 15], [0.3, 0.2, 0.1, 0.05]),
    "polynomial": polynomial(0.3, steps=17, final=0.1, power=1.3),
    "cosine": cosine(0.3, period=17, final=0.1),
    "restarts": cosine(0.3, period=4, final=0.1, restarts=True, growth=1.5, shrink=0.7),
    "cyclical": cyclical(0.1, 0.3, period=7, rise=0.3, shrink=0.8),
    "one_cycle": one_cycle(0.3, steps=40),
    "one_cycle_momentum": one_cycle_momentum(steps=40),
    "per_epoch": per_epoch(power(0.3, s=2), steps_per_epoch=6),
    "warmup": warmup(cosine(0.3, period=17, restarts=True), steps=5),
    "warmup to a number": warmup(0.3, steps=5, start=0.1),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_an_array_of_steps_gives_the_rates_of_its_steps(name):
    lr = SCHEDULES[name]
    one_by_one = [float(lr(step)) for step in range(45)]
    np.testing.assert_allclose(lr(np.arange(45)), one_by_one, rtol=1e-14)
    assert np.shape(lr(3)) == ()


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_pickles(name):
    lr = SCHEDULES[name]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(lr))(np.arange(45)), lr(np.arange(45)))


def teeth(step):
    """A saw between 0.1 and 0.3 with a period of 12: up in 3 steps, down in 9, each tooth 0.8 of the one before."""
    tooth, at = divmod(step, 12)
    return 0.1 + 0.2 * 0.8**tooth * (at / 3 if at < 3 else (12 - at) / 9)


def waves(step, length=5.0, height=0.2):
    """Half cosines of 5, 7.5, 11.25, ... steps, each 0.7 of the height of the one before, down to 0.1."""
    while step >= length:
        step, length, height = step - length, 1.5 * length, 0.7 * height
    return 0.1 + height * (1 + math.cos(math.pi * step / length)) / 2


FORMULAS = [  # with options that no default has
    (power(0.3, s=7, c=1.7), lambda t: 0.3 / (1 + t / 7) ** 1.7),
    (time_decay(0.3, 0.2), lambda t: 0.3 / (1 + 0.2 * t)),
    (time_decay(0.3, 0.2, "schedule"), lambda t: 0.3 / (1 + 0.2 * ((t + 1) - 1))),
    (time_decay(0.3, 0.2, "loop"), lambda t: 0.3 / (1 + 0.2 * (t + 1))),
    (exponential(0.3, s=7, factor=0.4), lambda t: 0.3 * math.exp(t / 7 * math.log(0.4))),
    (piecewise([5, 9], [0.3, 0.2, 0.1]), lambda t: 0.3 if t < 5 else 0.2 if t < 9 else 0.1),
    (piecewise([5, 9], [0.3, 0.2, 0.1], "old"), lambda t: 0.3 if t <= 5 else 0.2 if t <= 9 else 0.1),
    (polynomial(0.3, 17, 0.1, 1.3), lambda t: 0.1 + 0.2 * (1 - t / 17) ** 1.3 if t < 17 else 0.1),
    (cosine(0.3, 17, 0.1), lambda t: 0.1 + 0.1 * (1 + math.cos(math.pi * t / 17)) if t < 17 else 0.1),
    (cosine(0.3, 5, 0.1, restarts=True, growth=1.5, shrink=0.7), waves),
    (cyclical(0.1, 0.3, 12, rise=0.25, shrink=0.8), teeth),
    (warmup(power(0.3, s=7), 6, start=0.1), lambda t: 0.1 + 0.2 * t / 6 if t < 6 else 0.3 / (1 + (t - 6) / 7)),
    (per_epoch(power(0.3, s=7), 6), lambda t: 0.3 / (1 + (t // 6) / 7)),
]


@pytest.mark.parametrize(("lr", "formula"), FORMULAS, ids=range(len(FORMULAS)))
def test_a_hundred_steps_have_the_rates_of_the_formula(lr, formula):
    np.testing.assert_allclose(lr(np.arange(100)), [formula(t) for t in range(100)], rtol=1e-12)


def test_power_has_the_rates_of_the_book_for_25_epochs_of_1719_batches():
    lr = power(0.01, s=1e4)
    found = [f"{lr(1719 * epoch):.6f}" for epoch in (0, 1, 5, 10, 24)]
    assert found == ["0.010000", "0.008533", "0.005378", "0.003678", "0.001951"]


def test_time_decay_has_the_first_rates_of_its_three_forms():
    first = {form: [f"{time_decay(0.01, 0.01, form)(step):.7f}" for step in (0, 1)] for form in schedules.TIME_FORMS}
    assert first["iterations"] == first["schedule"] == ["0.0100000", "0.0099010"]
    assert first["loop"] == ["0.0099010", "0.0098039"]


def test_exponential_begins_at_its_rate_and_loses_the_factor_in_s_steps():
    lr = exponential(0.01, s=20)
    assert lr(0) == 0.01
    np.testing.assert_allclose([lr(20), lr(50)], [0.001, 0.01 * 10**-2.5], rtol=1e-14)


def test_exponential_per_epoch_is_constant_within_an_epoch():
    lr = per_epoch(exponential(0.01, s=20), steps_per_epoch=7)
    rates = lr(np.arange(21))
    np.testing.assert_allclose(rates, np.repeat(0.01 * 0.1 ** (np.arange(3) / 20), 7), rtol=1e-14)


def test_exponential_is_the_range_test_with_the_factors_of_the_book():
    for steps, factor in ((430, "1.0326508"), (500, "1.0280163")):
        lr = exponential(1e-5, steps, factor=10 / 1e-5)
        assert f"{lr(8) / lr(7):.7f}" == factor
        assert math.isclose(lr(steps), 10)


def test_piecewise_switches_at_the_boundary_and_keeps_the_last_value():
    lr = piecewise([5, 15], [0.01, 0.005, 0.001])
    assert [float(lr(step)) for step in (0, 4, 5, 14, 15, 99)] == [0.01, 0.01, 0.005, 0.005, 0.001, 0.001]


def test_piecewise_may_keep_the_old_value_at_the_boundary():
    lr = piecewise([5, 15], [0.01, 0.005, 0.001], at_boundary="old")
    assert [float(lr(step)) for step in (5, 6, 15, 16)] == [0.01, 0.005, 0.005, 0.001]


def test_piecewise_of_integers_is_not_an_integer():
    assert isinstance(float(piecewise([3], [1, 0.5])(0)), float)
    assert piecewise([3], [2, 1])(np.arange(5)).dtype == np.float64


def test_polynomial_reaches_its_end_and_stays_there():
    lr = polynomial(0.3, steps=4, final=0.1, power=2)
    np.testing.assert_allclose(lr(np.arange(6)), [0.3, 0.2125, 0.15, 0.1125, 0.1, 0.1], rtol=1e-14)


@pytest.mark.parametrize("growth", [1, 2, 3, 1.5, 1.1])
@pytest.mark.parametrize("period", [1, 3, 7, 10])
def test_cosine_restarts_exactly_where_a_period_ends(period, growth):
    lr, start, length = cosine(0.3, period, final=0.1, restarts=True, growth=growth), 0.0, float(period)
    for _ in range(12):
        # the first step at or after the restart is high, the last one before it is not yet back
        step = math.ceil(round(start, 6))
        done = (step - start) / length
        np.testing.assert_allclose(lr(step), 0.2 + 0.1 * math.cos(math.pi * done), rtol=1e-9)
        start, length = start + length, length * growth


def test_cosine_restarts_lower_when_it_shrinks_but_never_below_its_end():
    lr = cosine(0.3, 4, final=0.1, restarts=True, shrink=0.5)
    np.testing.assert_allclose(lr(np.array([0, 4, 8])), [0.3, 0.2, 0.15], rtol=1e-14)
    assert (lr(np.arange(40)) >= 0.1).all()


def test_cosine_without_restarts_stays_at_its_end():
    lr = cosine(0.3, period=8, final=0.1)
    np.testing.assert_allclose(lr(np.array([0, 4, 8, 9, 100])), [0.3, 0.2, 0.1, 0.1, 0.1], rtol=1e-14)


def test_cyclical_peaks_after_the_rise_and_is_back_after_the_period():
    lr = cyclical(0.1, 0.3, period=10, rise=0.2)
    np.testing.assert_allclose(lr(np.array([0, 1, 2, 6, 10, 12])), [0.1, 0.2, 0.3, 0.2, 0.1, 0.3], rtol=1e-12)


def test_warmup_reaches_the_rate_after_its_steps_and_then_starts_the_schedule_from_its_own_step_0():
    lr = warmup(power(0.4, s=2), steps=4, start=0.2)
    np.testing.assert_allclose(lr(np.arange(7)), [0.2, 0.25, 0.3, 0.35, 0.4, 0.4 / 1.5, 0.2], rtol=1e-14)


def test_one_cycle_has_the_rates_of_the_book_for_10750_steps():
    lr = one_cycle(0.05, steps=10750)
    assert [float(lr(step)) for step in (0, 4837, 9674)] == [0.005, 0.05, 0.005]
    assert f"{lr(10749):.3e}" == "9.642e-06"  # the end itself is one step further
    assert math.isclose(lr(10750), 5e-6)


@pytest.mark.parametrize("steps", [14, 57, 300])
def test_one_cycle_is_three_straight_lines(steps):
    """Géron's callback, step by step: half = (iterations - last) // 2, last = iterations // 10 + 1."""
    last = steps // 10 + 1
    half = (steps - last) // 2
    line = lambda step, a, b, low, high: low + (high - low) * (step - a) / (b - a)
    expected = []
    for step in range(steps):
        if step < half:
            expected.append(line(step, 0, half, 0.05, 0.5))
        elif step < 2 * half:
            expected.append(line(step, half, 2 * half, 0.5, 0.05))
        else:
            expected.append(line(step, 2 * half, steps, 0.05, 0.05 / 1000))
    np.testing.assert_allclose(one_cycle(0.5, steps)(np.arange(steps)), expected, rtol=1e-12)


def test_one_cycle_takes_its_corners_from_the_caller():
    lr = one_cycle(0.5, steps=14, start=0.1, final=0.01, last_steps=4)
    np.testing.assert_allclose(lr(np.array([0, 1, 5, 9, 10, 12])), [0.1, 0.18, 0.5, 0.18, 0.1, 0.055], rtol=1e-14)


def test_momentum_is_lowest_where_the_rate_is_highest():
    rate, beta = one_cycle(0.05, steps=100), one_cycle_momentum(steps=100, high=0.9, low=0.7)
    steps = np.arange(89)
    np.testing.assert_allclose((rate(steps) - 0.005) / 0.045, (0.9 - beta(steps)) / 0.2, atol=1e-14)
    assert (beta(np.arange(89, 100)) == 0.9).all()


def rates(plateau, values, lr=1.0):
    state, found = plateau.init(lr), []
    for value in values:
        state = plateau.update(state, value)
        found.append(state["lr"])
    return found


def test_the_rate_falls_after_so_many_epochs_without_improvement():
    assert rates(reduce_on_plateau(0.5, patience=3), [3.0, 4, 4, 4, 4, 4, 4]) == [1, 1, 1, 0.5, 0.5, 0.5, 0.25]


def test_improvement_is_measured_against_the_best_value_not_the_one_before():
    assert rates(reduce_on_plateau(0.5, patience=2), [1.0, 3.0, 2.0]) == [1, 1, 0.5]


def test_a_smaller_improvement_than_min_delta_is_none():
    values = [100.0, 99.95, 99.91]
    assert rates(reduce_on_plateau(0.5, patience=2, min_delta=0.1), values) == [1, 1, 0.5]
    assert rates(reduce_on_plateau(0.5, patience=2, min_delta=0.01), values) == [1, 1, 1]
    assert rates(reduce_on_plateau(0.5, patience=2, min_delta=0.01, relative=True), values) == [1, 1, 0.5]


def test_the_first_value_is_an_improvement_also_when_measured_relatively():
    for maximize in (False, True):
        plateau = reduce_on_plateau(patience=1, relative=True, maximize=maximize)
        assert plateau.update(plateau.init(1.0), 5.0)["best"] == 5.0


def test_larger_is_better_when_asked_for():
    assert rates(reduce_on_plateau(0.5, patience=2, maximize=True), [0.5, 0.6, 0.5, 0.6]) == [1, 1, 1, 0.5]


def test_the_rate_never_goes_below_its_minimum_nor_up_to_it():
    assert rates(reduce_on_plateau(0.1, patience=1, min_lr=0.05), [1.0] * 4) == [1, 0.1, 0.05, 0.05]
    assert rates(reduce_on_plateau(0.1, patience=1, min_lr=0.05), [1.0] * 3, lr=0.01) == [0.01] * 3


def test_nan_is_no_improvement():
    assert rates(reduce_on_plateau(0.5, patience=2), [1.0, math.nan, math.nan]) == [1, 1, 0.5]
    assert rates(reduce_on_plateau(0.5, patience=2), [math.nan, math.nan, 0.5, 0.4]) == [1, 0.5, 0.5, 0.5]


def test_update_leaves_the_state_it_was_given():
    plateau = reduce_on_plateau(patience=1)
    state = plateau.init(1.0)
    before = dict(state)
    plateau.update(state, 3.0)
    assert state == before


def test_the_training_loop_asks_the_schedule_for_every_step_from_0():
    W = {"W": np.ones((3, 1))}
    X, T = np.ones((10, 3)), np.zeros((10, 1))
    history = gs.train(
        lambda params, X: X @ params["W"],
        W,
        (X, T),
        gs.optimizer("sgd"),
        gs.half_mse,
        epochs=3,
        rng=np.random.default_rng(0),
        batch_size=5,
        lr=one_cycle(0.05, steps=6),
    )
    np.testing.assert_allclose(history.rates, one_cycle(0.05, steps=6)(np.arange(6)), rtol=1e-14)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: power(0.1, s=0), "power: expected s > 0, got 0"),
        (lambda: time_decay(0.1, 0.1, "epoch"), "iterations"),
        (lambda: exponential(0.1, 5, factor=-1), "factor > 0"),
        (lambda: piecewise([5, 15], [0.1, 0.2]), "2 boundaries part 3 values, got 2"),
        (lambda: piecewise([5, 5], [0.1, 0.2, 0.3]), "increase"),
        (lambda: piecewise([5], [0.1, 0.2], "left"), "at_boundary"),
        (lambda: polynomial(0.1, 0), "steps > 0"),
        (lambda: cosine(0.1, 5, growth=0.5), "growth >= 1"),
        (lambda: cosine(0.1, math.nan), "period > 0"),
        (lambda: cyclical(0.1, 0.2, 5, rise=1), "rise"),
        (lambda: one_cycle(0.1, steps=2), "one_cycle: 2 steps"),
        (lambda: one_cycle_momentum(steps=0), "one_cycle_momentum"),
        (lambda: per_epoch(power(0.1, 1), 0), "steps_per_epoch > 0"),
        (lambda: warmup(0.1, 0), "steps > 0"),
        (lambda: reduce_on_plateau(factor=1), "0 < factor < 1"),
        (lambda: reduce_on_plateau(patience=0), "patience >= 1"),
    ],
)
def test_an_option_that_makes_no_sense_is_named(wrong, says):
    with pytest.raises(ValueError, match=says):
        wrong()


def test_examples_in_docstrings():
    assert doctest.testmod(schedules).failed == 0
