"""Dropout drops the share it says and keeps what it promises on average; embeddings are looked up and learn by place.

Shares and moments of random draws are held to six standard deviations, with fixed seeds.
"""

import doctest
import sys

import numpy as np
import pytest

import gradschool as gs
from gradschool.ops import (
    alpha_dropout_backward,
    alpha_dropout_forward,
    dropout_backward,
    dropout_forward,
    embed_backward,
    embed_forward,
)
from gradschool.ops.dropout import SELU_FLOOR, alpha_constants

BOTH = [gs.dropout, gs.alpha_dropout]


def generator(seed=0):
    return np.random.default_rng(seed)


# ----------------------------------------------------------------------------------------------------------- dropout
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_the_dropped_share_is_the_rate_and_the_rest_is_scaled_up(rate):
    x = generator(1).uniform(1, 2, (200, 300))
    y = gs.dropout(x, rate, generator())
    dropped = y == 0
    assert abs(dropped.mean() - rate) < 6 * (rate * (1 - rate) / x.size) ** 0.5
    np.testing.assert_allclose(y[~dropped], x[~dropped] / (1 - rate), rtol=1e-12)


def test_each_sample_and_each_draw_has_a_mask_of_its_own():
    x, rng = np.ones((6, 50)), generator()
    first, second = gs.dropout(x, 0.5, rng), gs.dropout(x, 0.5, rng)
    assert len({row.tobytes() for row in (*first, *second)}) == 12
    np.testing.assert_array_equal(gs.dropout(x, 0.5, generator()), first)


def test_gradient_passes_where_the_value_did():
    x, g = generator(2).normal(size=(2, 30, 40))
    y, cache = dropout_forward(x, 0.3, generator())
    np.testing.assert_allclose(dropout_backward(g, cache), np.where(y == 0, 0, g / 0.7), rtol=1e-12)
    y, cache = alpha_dropout_forward(x, 0.3, generator())
    a, b = alpha_constants(0.3)
    kept = ~np.isclose(y, a * SELU_FLOOR + b)
    np.testing.assert_allclose(alpha_dropout_backward(g, cache), np.where(kept, a * g, 0), rtol=1e-12)


@pytest.mark.parametrize("function", BOTH)
def test_at_prediction_nothing_happens_and_nothing_is_drawn(function):
    x = generator(3).normal(size=(5, 4))
    assert function(x, 0.5, training=False) is x
    assert function(x, 0) is x
    np.testing.assert_array_equal(gs.grad(lambda x: np.sum(function(x, 0.9, training=False)))(x), np.ones((5, 4)))


def test_a_rate_of_one_drops_everything_without_a_warning():
    y, cache = dropout_forward(np.ones((3, 4)), 1, generator())
    assert not y.any()
    assert not dropout_backward(np.ones((3, 4)), cache).any()


def test_constants_of_alpha_dropout_are_those_of_the_requirements_to_their_digits():
    assert round(SELU_FLOOR, 7) == -1.7580993
    assert SELU_FLOOR == -1.0507009873554805 * 1.6732632423543772
    assert [round(c, 7) for c in alpha_constants(0.1)] == [0.9212845, 0.1619710]
    assert [round(c, 7) for c in alpha_constants(0.2)] == [0.8789036, 0.3090400]


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.6])
def test_alpha_dropout_keeps_mean_zero_and_variance_one(rate):
    x = generator(4).normal(size=300_000)
    y = gs.alpha_dropout(x, rate, generator())
    assert abs(y.mean()) < 6 * x.size**-0.5
    assert abs(y.var() - 1) < 6 * ((np.mean(y**4) - 1) / x.size) ** 0.5


def test_alpha_dropout_puts_the_floor_of_selu_where_it_drops():
    x = generator(5).uniform(1, 2, (40, 50))
    y = gs.alpha_dropout(x, 0.2, generator())
    a, b = 0.87890364, 0.30904003  # a = (0.8 (1 + 0.2 f^2))^-1/2, b = -0.2 a f, f = -1.7580993
    dropped = y < 0
    np.testing.assert_allclose(y[dropped], a * gs.selu(np.array([-50.0]))[0] + b, rtol=1e-6)
    np.testing.assert_allclose(y[~dropped], a * x[~dropped] + b, rtol=1e-6)


@pytest.mark.parametrize("function", BOTH)
def test_both_types_drop_the_same_and_whole_numbers_are_promoted(function):
    x = generator(6).normal(size=(7, 30))
    y = function(x.astype(np.float32), 0.4, generator())
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, function(x, 0.4, generator()), rtol=1e-5, atol=1e-6)
    assert function(np.arange(6), 0.4, generator()).dtype == np.float64
    assert function(np.zeros((0, 3)), 0.4, generator()).shape == (0, 3)


@pytest.mark.parametrize("function", BOTH)
@pytest.mark.parametrize(
    ("rate", "rng", "message"), [(-0.1, 1, "rate from 0 to"), (1.5, 1, "got 1.5"), (0.3, None, "default_rng")]
)
def test_rates_that_are_no_share_and_a_missing_generator_are_refused(function, rate, rng, message):
    with pytest.raises(ValueError, match=f"{function.__name__}: .*{message}"):
        function(np.ones(3), rate, rng and generator(rng))


def test_alpha_dropout_of_everything_is_refused():
    with pytest.raises(ValueError, match="from 0 to below 1"):
        gs.alpha_dropout(np.ones(3), 1, generator())


# -------------------------------------------------------------------------------------------------------- embeddings
def test_each_id_gets_its_row():
    W = generator(7).normal(size=(6, 3))
    ids = generator(8).integers(0, 6, (4, 5))
    y = gs.embed(W, ids)
    for place in np.ndindex(ids.shape):
        np.testing.assert_array_equal(y[place], W[ids[place]])
    np.testing.assert_array_equal(gs.embed(W, 4), W[4])
    np.testing.assert_array_equal(gs.embed(W, [[4, 1]]), W[[[4, 1]]])


def test_an_id_that_occurs_often_learns_from_every_place():
    W, ids = np.zeros((6, 3)), np.array([[4, 1, 4], [4, 0, 1]])
    g = generator(9).normal(size=(2, 3, 3))
    expected = np.zeros((6, 3))
    for place in np.ndindex(ids.shape):
        expected[ids[place]] += g[place]
    np.testing.assert_allclose(embed_backward(g, embed_forward(W, ids)[1]), expected, rtol=1e-12)


def test_padding_is_zero_whatever_the_table_says_and_learns_nothing():
    W = generator(10).normal(size=(6, 3))
    W[2] = np.nan
    y, cache = embed_forward(W, np.array([5, 2, 2, 0]), padding_id=2)
    np.testing.assert_array_equal(y, [W[5], np.zeros(3), np.zeros(3), W[0]])
    np.testing.assert_array_equal(embed_backward(np.ones((4, 3)), cache).sum(1), [3, 0, 0, 0, 0, 3])


def test_no_ids_give_no_rows_and_no_gradient():
    W = np.ones((6, 3), np.float32)
    y, cache = embed_forward(W, np.zeros((0, 4), int))
    assert (y.shape, y.dtype) == ((0, 4, 3), np.float32)
    assert not embed_backward(y, cache).any()


@pytest.mark.parametrize(
    ("W", "ids", "error", "message"),
    [
        (np.ones((6, 3)), [1.0], TypeError, r"integer ids, got float64; the order is embed\(W, ids\)"),
        (np.ones((6, 3)), [0, 6], ValueError, r"W \(6, 3\) has ids 0..5, got 0..6; count from 0"),
        (np.ones((6, 3)), [-1, 2], ValueError, "got -1..2"),
        (np.ones(6), [1], ValueError, r"expected W \(V, d\), .* got shape \(6,\)"),
    ],
)
def test_ids_that_the_table_does_not_have_are_refused(W, ids, error, message):
    with pytest.raises(error, match=message):
        gs.embed(W, np.array(ids))


@pytest.mark.parametrize("name", ["dropout", "embed"])
def test_the_examples_in_the_docstrings_hold(name):
    failed, tried = doctest.testmod(sys.modules[f"gradschool.ops.{name}"], extraglobs={"np": np})
    assert (failed, tried > 0) == (0, True)
