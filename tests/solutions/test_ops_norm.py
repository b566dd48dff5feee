"""Normalisations are what loops over their formulas give, whatever the layout; what they refuse, they explain."""

import doctest
import sys

import numpy as np
import pytest

import gradschool as gs
from gradschool.ops import batchnorm_backward, batchnorm_forward, layernorm_backward, layernorm_forward

SHAPES = [(7, 3), (4, 5, 3), (4, 6, 5, 3), (3, 4, 5, 6, 7)]


def drawn(shape, seed=0):
    """x, gamma, beta, and a running mean and variance."""
    rng = np.random.default_rng([seed, *shape])
    return rng.normal(1.5, 3.0, shape), *rng.uniform(0.5, 2, (4, shape[-1]))


def standard(numbers, eps):
    """Numbers that belong together, by the definition."""
    mu = sum(numbers) / len(numbers)
    s2 = sum((a - mu) ** 2 for a in numbers) / len(numbers)
    return (numbers - mu) / (s2 + eps) ** 0.5


# ------------------------------------------------------------------------------------------------- batch normalisation
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_training_normalises_each_channel_over_everything_else(shape):
    x, gamma, beta, mean, var = drawn(shape)
    y, _, _ = gs.batchnorm(x, gamma, beta, mean, var, training=True, eps=0.1)
    for c in range(shape[-1]):
        expected = gamma[c] * standard(x[..., c].ravel(), 0.1) + beta[c]
        np.testing.assert_allclose(y[..., c].ravel(), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_running_statistics_keep_the_share_that_momentum_says(shape):
    x, gamma, beta, mean, var = drawn(shape)
    axes, m = tuple(range(x.ndim - 1)), x.size // shape[-1]
    for unbiased, bessel in ((False, 1), (True, m / (m - 1))):
        options = {"training": True, "momentum": 0.7, "unbiased_running": unbiased}
        y, new_mean, new_var = gs.batchnorm(x, gamma, beta, mean, var, **options)
        np.testing.assert_allclose(new_mean, 0.7 * mean + 0.3 * x.mean(axes), rtol=1e-12)
        np.testing.assert_allclose(new_var, 0.7 * var + 0.3 * x.var(axes) * bessel, rtol=1e-12)
        np.testing.assert_array_equal(y, gs.batchnorm(x, gamma, beta, training=True)[0])  # y looks at neither


def test_without_running_statistics_training_returns_those_of_the_batch():
    x, gamma, beta, _, _ = drawn((4, 5, 3))
    _, mean, var = gs.batchnorm(x, gamma, beta, training=True, unbiased_running=True)
    np.testing.assert_allclose(mean, x.mean((0, 1)), rtol=1e-12)
    np.testing.assert_allclose(var, x.var((0, 1), ddof=1), rtol=1e-12)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_inference_is_a_fixed_scale_and_shift_that_no_other_sample_changes(shape):
    x, gamma, beta, mean, var = drawn(shape)
    y, same_mean, same_var = gs.batchnorm(x, gamma, beta, mean, var, eps=0.1)
    np.testing.assert_allclose(y, gamma * (x - mean) / np.sqrt(var + 0.1) + beta, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(gs.batchnorm(x[:1], gamma, beta, mean, var, eps=0.1)[0], y[:1], rtol=1e-12)
    assert same_mean is mean
    assert same_var is var


def test_a_thousand_batches_later_inference_is_what_training_was():
    rng = np.random.default_rng(0)
    mean, var = np.zeros(3), np.ones(3)
    for _ in range(1000):
        x = rng.normal([1, -2, 30], [0.1, 2, 5], (40, 3))
        y, mean, var = gs.batchnorm(x, np.ones(3), np.zeros(3), mean, var, training=True, momentum=0.99)
    np.testing.assert_allclose(mean, [1, -2, 30], atol=0.3)
    np.testing.assert_allclose(gs.batchnorm(x, np.ones(3), np.zeros(3), mean, var)[0], y, atol=0.6)


def test_a_batch_of_one_gives_beta_and_no_gradient():
    x, gamma, beta, mean, var = drawn((1, 3))
    for unbiased in (False, True):
        (y, _, new_var), cache = batchnorm_forward(x, gamma, beta, mean, var, training=True, unbiased_running=unbiased)
        np.testing.assert_array_equal(y[0], beta)
        np.testing.assert_allclose(new_var, 0.9 * var)
    np.testing.assert_array_equal(batchnorm_backward(np.ones((1, 3)), cache)[0], np.zeros((1, 3)))


def test_the_gradient_of_y_alone_is_that_with_nothing_on_the_statistics():
    x, *rest = drawn((4, 5, 3))
    for training in (True, False):
        (y, _, _), cache = batchnorm_forward(x, *rest, training=training)
        g = np.random.default_rng(1).normal(size=y.shape)
        alone = batchnorm_backward(g, cache)
        for a, b in zip(alone, batchnorm_backward((g, np.zeros(3), np.zeros(3)), cache), strict=True):
            np.testing.assert_array_equal(a, b)


def test_nothing_flows_back_where_the_batch_takes_it_away():
    x, gamma, beta, _, _ = drawn((11, 3))
    _, cache = batchnorm_forward(x, gamma, beta, training=True, eps=0.0)
    g = np.random.default_rng(2).normal(size=x.shape)
    dx = batchnorm_backward(g, cache)[0]
    np.testing.assert_allclose(dx.sum(0), np.zeros(3), atol=1e-12)  # y is the same for x + 1
    np.testing.assert_allclose((dx * x).sum(0), np.zeros(3), atol=1e-11)  # and for 2 x


@pytest.mark.parametrize("shape", [(700, 3), (1024, 5), (48, 25, 16), (2048, 3)], ids=str)
def test_rows_side_by_side_make_no_difference(shape):
    x, gamma, beta, mean, var = drawn(shape)
    (y, new_mean, _), cache = batchnorm_forward(x, gamma, beta, mean, var, training=True)
    rows = x.reshape(-1, shape[-1])
    expected = gamma * (rows - rows.mean(0)) / np.sqrt(rows.var(0) + 1e-5) + beta
    np.testing.assert_allclose(y.reshape(rows.shape), expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(new_mean, 0.9 * mean + 0.1 * rows.mean(0), rtol=1e-12)
    g = np.random.default_rng(3).normal(size=shape)
    dx, dgamma, dbeta, _, _ = batchnorm_backward(g, cache)
    flat, xhat = g.reshape(rows.shape), (expected - beta) / gamma
    by_formula = gamma / np.sqrt(rows.var(0) + 1e-5) * (flat - flat.mean(0) - xhat * (flat * xhat).mean(0))
    np.testing.assert_allclose(dx.reshape(rows.shape), by_formula, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(dgamma, (flat * xhat).sum(0), rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(dbeta, flat.sum(0), rtol=1e-9, atol=1e-10)


def test_float32_far_from_zero_is_still_normalised():
    x = np.random.default_rng(4).normal(100, 1, (4096, 6)).astype(np.float32)
    y, mean, _ = gs.batchnorm(x, np.ones(6, np.float32), np.zeros(6, np.float32), training=True)
    np.testing.assert_allclose(y.std(0), np.ones(6), atol=1e-3)
    np.testing.assert_allclose(mean, x.mean(0, dtype=np.float64), rtol=1e-5)
    assert y.dtype == mean.dtype == np.float32


def test_statistics_go_through_a_layer_that_is_used_twice():
    x, gamma, beta, mean, var = drawn((7, 3))

    def loss(gamma):
        y, m, v = gs.batchnorm(x, gamma, beta, mean, var, training=True)
        y, m, v = gs.batchnorm(y, gamma, beta, m, v, training=True)
        return np.sum(y**3) + np.sum(m * v), (m, v)

    gradient, (m, _) = gs.grad(loss, has_aux=True)(gamma)
    assert type(m) is np.ndarray
    assert gs.gradient_check(lambda a: loss(a)[0], lambda a: gradient, gamma) < 1e-8


# --------------------------------------------------------------------------------------------- each sample by itself
def test_layernorm_normalises_the_channels_of_each_place():
    x, gamma, beta, _, _ = drawn((4, 5, 3))
    y = gs.layernorm(x, gamma, beta, eps=0.1)
    for n, t in np.ndindex(4, 5):
        np.testing.assert_allclose(y[n, t], gamma * standard(x[n, t], 0.1) + beta, rtol=1e-10)
    np.testing.assert_allclose(gs.layernorm(x[2, 3], gamma, beta, eps=0.1), y[2, 3], rtol=1e-12)


def test_layernorm_over_other_axes_normalises_these_together():
    x, gamma, beta, _, _ = drawn((4, 5, 6, 3))
    images = gs.layernorm(x, gamma, beta, axes=(1, 2, -1))
    columns = gs.layernorm(x, gamma, beta, axes=1)
    for n in range(4):
        expected = gamma * standard(x[n].ravel(), 1e-5).reshape(5, 6, 3) + beta
        np.testing.assert_allclose(images[n], expected, rtol=1e-10, atol=1e-12)
        expected = gamma[1] * standard(x[n, :, 4, 1], 1e-5) + beta[1]
        np.testing.assert_allclose(columns[n, :, 4, 1], expected, rtol=1e-10, atol=1e-12)


def test_layernorm_takes_a_scale_for_every_place():
    x, _, _, _, _ = drawn((4, 5, 3))
    gamma, beta = np.random.default_rng(5).normal(size=(2, 5, 3))
    y, cache = layernorm_forward(x, gamma, beta, axes=(1, 2))
    plain = gs.layernorm(x, np.ones(3), np.zeros(3), axes=(1, 2))
    np.testing.assert_allclose(y, gamma * plain + beta, rtol=1e-10)
    g = np.random.default_rng(6).normal(size=x.shape)
    _, dgamma, dbeta = layernorm_backward(g, cache)
    np.testing.assert_allclose(dgamma, (g * plain).sum(0), rtol=1e-10)
    np.testing.assert_allclose(dbeta, g.sum(0), rtol=1e-12)


@pytest.mark.parametrize("shape", [(4, 6), (4, 5, 6), (3, 4, 5, 6)], ids=str)
def test_groups_are_neighbouring_channels_at_all_places(shape):
    x, gamma, beta, _, _ = drawn(shape)
    y = gs.groupnorm(x, gamma, beta, groups=3)
    for n in range(shape[0]):
        for c in (0, 2, 4):
            group = standard(x[n, ..., c : c + 2].ravel(), 1e-5).reshape(*shape[1:-1], 2)
            expected = group * gamma[c : c + 2] + beta[c : c + 2]
            np.testing.assert_allclose(y[n, ..., c : c + 2], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("shape", [(4, 5, 6), (3, 4, 5, 6)], ids=str)
def test_one_group_is_layernorm_over_all_and_a_group_a_channel_is_instancenorm(shape):
    x, gamma, beta, _, _ = drawn(shape)
    agree = np.testing.assert_allclose
    whole = gs.layernorm(x, gamma, beta, axes=tuple(range(1, x.ndim)))
    agree(gs.groupnorm(x, gamma, beta, 1), whole, rtol=1e-12)
    agree(gs.groupnorm(x, gamma, beta, "all-channels"), whole, rtol=1e-12)
    agree(gs.groupnorm(x, gamma, beta, 6), gs.instancenorm(x, gamma, beta), rtol=1e-12)
    agree(gs.groupnorm(x, gamma, beta, "channel-wise"), gs.instancenorm(x, gamma, beta), rtol=1e-12)


def test_instancenorm_takes_away_contrast_and_brightness_of_each_channel():
    x, gamma, beta, _, _ = drawn((3, 4, 5, 6))
    y = gs.instancenorm(x, gamma, beta, eps=0.0)
    np.testing.assert_allclose(y.mean((1, 2)), np.broadcast_to(beta, (3, 6)), rtol=1e-10)
    np.testing.assert_allclose(gs.instancenorm(7 * x + 3, gamma, beta, eps=0.0), y, rtol=1e-9)


def test_instancenorm_of_a_single_place_is_beta():
    x, gamma, beta, _, _ = drawn((3, 1, 1, 6))
    np.testing.assert_array_equal(gs.instancenorm(x, gamma, beta), np.broadcast_to(beta, x.shape))


# ------------------------------------------------------------------------------------------------------- neighbours
@pytest.mark.parametrize("window", [1, 2, 3, 4, 5, 16])
def test_crosschannelnorm_is_a_loop_over_windows_that_end_with_the_channels(window):
    x = np.random.default_rng(7).normal(size=(3, 4, 7))
    y = gs.crosschannelnorm(x, window, alpha=0.8, beta=0.6, k=1.5)
    for n, t, c in np.ndindex(x.shape):
        first, last = c - (window - 1) // 2, c + window // 2
        ss = sum(x[n, t, j] ** 2 for j in range(max(first, 0), min(last, 6) + 1))
        np.testing.assert_allclose(y[n, t, c], x[n, t, c] / (1.5 + 0.8 * ss / window) ** 0.6, rtol=1e-12)


def test_crosschannelnorm_takes_windows_that_numpy_counted():
    x = np.ones((3, 7), np.float32)
    assert gs.crosschannelnorm(x, np.int64(5)).dtype == np.float32


# --------------------------------------------------------------------------------------------------- all of them
ONES = np.ones(3)
OF_SAMPLES = {
    "batchnorm": lambda x: gs.batchnorm(x, ONES, ONES, ONES, ONES)[0],
    "layernorm": lambda x: gs.layernorm(x, ONES, ONES),
    "groupnorm": lambda x: gs.groupnorm(x, ONES, ONES, 3),
    "instancenorm": lambda x: gs.instancenorm(x, ONES, ONES),
    "crosschannelnorm": lambda x: gs.crosschannelnorm(x, 3),
}


@pytest.mark.parametrize("name", OF_SAMPLES)
def test_whole_numbers_are_promoted_and_empty_batches_stay_empty(name):
    whole = np.random.default_rng(8).integers(-5, 5, (4, 5, 3))
    function = OF_SAMPLES[name]
    np.testing.assert_array_equal(function(whole), function(whole.astype(float)))
    assert function(whole).dtype == np.float64
    assert function(np.zeros((0, 5, 3), np.float32)).shape == (0, 5, 3)
    gradient = gs.grad(lambda x: np.sum(function(x)))(np.zeros((0, 5, 3)))
    assert gradient.shape == (0, 5, 3)


@pytest.mark.parametrize("name", [name for name in OF_SAMPLES if name != "batchnorm"])
def test_no_sample_sees_another(name):
    x = np.random.default_rng(9).normal(size=(4, 5, 3))
    np.testing.assert_allclose(OF_SAMPLES[name](x)[2:3], OF_SAMPLES[name](x[2:3]), rtol=1e-12)


X = np.ones((4, 5, 6, 3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gs.batchnorm(X, ONES, np.ones(4), training=True), r"beta of shape \(3,\) for x \(4, 5, .* got \(4,"),
        (lambda: gs.batchnorm(X, ONES, ONES, ONES, np.ones(1)), r"var of shape \(3,\) .* got \(1,\)"),
        (lambda: gs.batchnorm(ONES, ONES, ONES, training=True), r"x \(N, ..., C\), got shape \(3,\); .*x\[None"),
        (lambda: gs.batchnorm(X, ONES, ONES), "expected mean and var, .* or try training=True"),
        (lambda: gs.batchnorm(X[:0], ONES, ONES, training=True), r"x \(0, 5, 6, 3\) has no sample .* skip empty"),
        (lambda: gs.batchnorm(X, ONES, ONES, training=True, momentum=9), "batchnorm: .* momentum from 0 to 1, got 9"),
        (lambda: gs.batchnorm(X, ONES, ONES, ONES, ONES, eps=-1), "batchnorm: expected eps >= 0, got -1"),
        (lambda: gs.layers.batchnorm(momentum=-0.1), r"batchnorm: expected momentum from 0 to 1, got -0\.1"),
        (lambda: gs.layernorm(X, np.ones(6), ONES), r"layernorm: expected gamma of shape \(3,\) for x .* got \(6,\)"),
        (lambda: gs.layernorm(X, ONES, np.ones(1)), r"layernorm: expected beta of gamma's shape \(3,\), got \(1,\)"),
        (lambda: gs.layernorm(X, ONES, ONES, axes=(0, 3)), r"axes \(0, 3\) .* mix samples; leave 0 out"),
        (lambda: gs.layernorm(X, ONES, ONES, axes=4), r"has no axes \(4,\); try axes=-1"),
        (lambda: gs.layernorm(X, ONES, ONES, axes=()), "has no axes"),
        (lambda: gs.groupnorm(X, ONES, ONES, 2), "3 channels, which 2 groups cannot share evenly; try a divisor"),
        (lambda: gs.groupnorm(X, ONES, ONES, "all"), "'all' groups cannot"),
        (lambda: gs.groupnorm(X, np.ones((6, 3)), np.ones((6, 3)), 3), r"gamma \(C,\), got .* and \(6, 3\)"),
        (lambda: gs.instancenorm(X[0, 0], ONES, ONES), r"with places between, .* got \(6, 3\)"),
        (lambda: gs.crosschannelnorm(X, 0), "window of at least 1 channel, got 0"),
        (lambda: gs.crosschannelnorm(X, 2.5), "got 2.5"),
        (lambda: gs.crosschannelnorm(np.float64(3), 1), r"expected x \(..., C\), got a number"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_what_to_try(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("name", ["batchnorm", "norm", "crosschannel"])
def test_the_examples_in_the_docstrings_hold(name):
    module = sys.modules[f"gradschool.ops.{name}"]
    failed, tried = doctest.testmod(module, extraglobs={"np": np})
    assert (failed, tried > 0) == (0, True)
