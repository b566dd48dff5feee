"""Property: every initializer has the mean, the variance, the bounds and the fans that its source states."""

import doctest
import math

import numpy as np
import pytest

import gradschool as gs
from gradschool import chance, initializers
from gradschool.initializers import TRUNCATED_STD, fans, glorot, he, lecun, truncated_normal, variance_scaling

SHAPE = (3, 5, 40, 70)  # a kernel: fan_in 600, fan_out 1050
N = math.prod(SHAPE)
FANS = {"fan_in": 600, "fan_out": 1050, "fan_avg": 825}
DISTRIBUTIONS = ("truncated_normal", "normal", "uniform")


def bound(distribution, std):
    """The largest value that can occur."""
    return {"truncated_normal": 2 * std / TRUNCATED_STD, "normal": np.inf, "uniform": math.sqrt(3) * std}[distribution]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("mode", FANS)
def test_variance_is_scale_over_fan_and_the_mean_is_zero(mode, distribution):
    W = variance_scaling(SHAPE, 1.7, mode, distribution, np.random.default_rng(0))
    std = math.sqrt(1.7 / FANS[mode])
    assert W.shape == SHAPE
    assert abs(W.mean()) < 6 * std / math.sqrt(N)  # six standard errors
    assert abs(W.var() / std**2 - 1) < 6 * math.sqrt(2 / N)  # a normal's is the largest of the three
    assert abs(W).max() <= bound(distribution, std)
    assert abs(W).max() > 0.99 * min(bound(distribution, std), 3.5 * std)


@pytest.mark.parametrize(
    ("initializer", "default", "scale", "mode"),
    [
        (glorot, "uniform", 1.0, "fan_avg"),
        (he, "truncated_normal", 2.0, "fan_in"),
        (lecun, "truncated_normal", 1.0, "fan_in"),
    ],
)
def test_the_named_ones_are_their_row_of_the_table(initializer, default, scale, mode):
    for distribution in DISTRIBUTIONS:
        expected = variance_scaling((30, 20), scale, mode, distribution, np.random.default_rng(1))
        np.testing.assert_array_equal(initializer((30, 20), np.random.default_rng(1), distribution), expected)
    np.testing.assert_array_equal(
        initializer((30, 20), np.random.default_rng(1)), initializer((30, 20), np.random.default_rng(1), default)
    )


def test_fans_count_the_kernels_area():
    assert fans((784, 300)) == (784, 300)
    assert fans((7, 3, 5)) == (21, 35)
    assert fans((3, 3, 3, 4, 6)) == (108, 162)
    assert fans((5,)) == (5, 5)
    assert fans(()) == (1, 1)


def test_the_constant_of_truncation_is_the_integral():
    """Var = 1 - 2 a φ(a) / (2 Φ(a) - 1) for a normal cut off at ±a, here 2."""
    density = math.exp(-2.0) / math.sqrt(2 * math.pi)
    assert math.sqrt(1 - 4 * density / math.erf(math.sqrt(2))) == pytest.approx(TRUNCATED_STD, rel=1e-14)
    assert truncated_normal((5, 7), np.random.default_rng(0)).shape == (5, 7)


def test_the_same_generator_gives_the_same_weights_and_float32_on_request():
    a, b = (he((30, 20), np.random.default_rng(3), dtype=np.float32) for _ in range(2))
    np.testing.assert_array_equal(a, b)
    assert a.dtype == np.float32


def test_unknown_words_are_refused_with_the_known_ones():
    with pytest.raises(ValueError, match='expected mode "fan_in", "fan_out" or "fan_avg", got \'fan_sum\''):
        variance_scaling((3, 4), 1.0, "fan_sum", "normal", np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"expected distribution .*, got 'gauss'"):
        he((3, 4), np.random.default_rng(0), "gauss")


@pytest.mark.parametrize(
    ("rng", "message"),
    [
        (None, r"expected a generator to draw from; try rng=np\.random\.default_rng\(seed\)"),
        (7, r"got 7; try rng=np\.random\.default_rng\(7\)"),
        ((3, 4), "got a tuple"),
    ],
)
def test_whatever_draws_asks_for_a_generator_and_says_how_to_make_one(rng, message):
    draws = {
        "variance_scaling": lambda: gs.layers.dense(3, he).init(rng, (5,)),
        "orthogonal": lambda: gs.orthogonal((3, 4), rng=rng),
        "narrow_normal": lambda: gs.layers.embedding(3, 4).init(rng, (5,)),
        "dropout": lambda: gs.dropout(np.ones((3, 4)), 0.5, rng),
        "alpha_dropout": lambda: gs.alpha_dropout(np.ones((3, 4)), 0.5, rng),
    }
    for name, draw in draws.items():
        with pytest.raises(ValueError if rng is None else TypeError, match=f"^{name}: .*{message}"):
            draw()


@pytest.mark.parametrize("module", [chance, initializers])
def test_the_examples_in_the_docstrings_hold(module):
    assert doctest.testmod(module).failed == 0
