"""The plain forms of the normalisations, which students see, give the fast forms' numbers and gradients."""

import doctest
from typing import Any

import numpy as np
import pytest

import gradschool as gs
from gradschool.lessons import batchnorm, norms
from gradschool.ops import batchnorm_backward, batchnorm_forward

SHAPES = [(7, 3), (1, 3), (4, 5, 3), (4, 6, 5, 3)]


def drawn(shape, seed=0):
    """x, gamma, beta, and a running mean and variance."""
    rng = np.random.default_rng([seed, *shape])
    return rng.normal(1.5, 3.0, shape), *rng.uniform(0.5, 2, (4, shape[-1]))


@pytest.mark.parametrize("module", [batchnorm, norms])
def test_the_examples_print_what_they_say(module):
    found = doctest.testmod(module, extraglobs={"np": np})
    assert found.attempted >= 4
    assert found.failed == 0


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("training", [False, True])
def test_batchnorm_is_the_librarys(shape, training):
    x, gamma, beta, mean, var = drawn(shape)
    y, cache, state = batchnorm.batchnorm_forward(x, gamma, beta, {"mean": mean, "var": var}, training, 0.7, eps=0.1)
    expected, fast = batchnorm_forward(x, gamma, beta, mean, var, training, 0.7, eps=0.1)
    for mine, theirs in zip((y, state["mean"], state["var"]), expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-11, atol=1e-12)
    g = np.random.default_rng(1).normal(size=shape)
    for mine, theirs in zip(batchnorm.batchnorm_backward(g, cache), batchnorm_backward(g, fast)[:3], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-12)


def test_a_fresh_state_is_mean_0_and_variance_1():
    x, gamma, beta, _, _ = drawn((7, 3))
    fresh = {"mean": np.zeros(3), "var": np.ones(3)}
    for training in (False, True):
        y, _, state = batchnorm.batchnorm_forward(x, gamma, beta, None, training)
        again, _, same = batchnorm.batchnorm_forward(x, gamma, beta, fresh, training)
        np.testing.assert_array_equal(y, again)
        np.testing.assert_array_equal(state["var"], same["var"])


@pytest.mark.parametrize("shape", [(7, 5), (4, 6, 5), (3, 4, 6, 5)], ids=str)
def test_a_folded_layer_does_what_the_two_did(shape):
    rng = np.random.default_rng(2)
    x, b, W = rng.normal(size=shape), rng.normal(size=3), rng.normal(size=(5, 3))
    _, gamma, beta, mean, var = drawn((1, 3))
    for bias in (b, None):
        folded = batchnorm.fold_bn_into_dense(W, bias, gamma, beta, mean, var, eps=0.1)
        two = gs.batchnorm(x @ W + (0 if bias is None else bias), gamma, beta, mean, var, eps=0.1)[0]
        np.testing.assert_allclose(x @ folded[0] + folded[1], two, rtol=1e-11, atol=1e-12)


def test_recalibration_over_batches_is_one_batch_of_all():
    rng = np.random.default_rng(3)
    x = rng.normal(2.0, [1.0, 5.0, 0.3], (20, 3))
    parts = [x[:9], x[9:16], x[16:]]
    model = lambda x, dropping: (x, {"bn": {"mean": x.mean(0) * (1 + dropping), "var": x.var(0)}})
    state = batchnorm.recalibrate_bn(model, parts)["bn"]
    np.testing.assert_allclose(state["mean"], x.mean(0), rtol=1e-12)
    np.testing.assert_allclose(state["var"], x.var(0), rtol=1e-12)


@pytest.mark.parametrize("shape", [(7, 6), (4, 5, 6), (3, 5, 4, 6)], ids=str)
def test_norms_of_one_sample_are_the_librarys(shape):
    x, gamma, beta, _, _ = drawn(shape)
    whole: Any = tuple(range(1, len(shape)))
    pairs = [
        (norms.layernorm(x, gamma, beta, eps=0.1), gs.layernorm(x, gamma, beta, eps=0.1)),
        (norms.layernorm(x, gamma, beta, whole), gs.layernorm(x, gamma, beta, whole)),
        (norms.groupnorm(x, gamma, beta, 3, 0.1), gs.groupnorm(x, gamma, beta, 3, 0.1)),
        *([(norms.instancenorm(x, gamma, beta), gs.instancenorm(x, gamma, beta))] if len(shape) > 2 else []),
        *(
            (norms.local_response_norm(x, w, 0.7, 0.6, 1.3), gs.crosschannelnorm(x, w, 0.7, 0.6, 1.3))
            for w in range(1, 9)
        ),
    ]
    for mine, theirs in pairs:
        np.testing.assert_allclose(mine, theirs, rtol=1e-11, atol=1e-12)


def test_groups_that_do_not_divide_the_channels_are_refused():
    with pytest.raises(ValueError, match="divisor of 6"):
        norms.groupnorm(np.ones((3, 6)), np.ones(6), np.zeros(6), 4)
