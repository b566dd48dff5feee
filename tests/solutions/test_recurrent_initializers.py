"""Property: the initializers for sequences have the orthogonality, the bounds, and the gate that they state."""

import doctest

import numpy as np
import pytest

import gradschool as gs
from gradschool import recurrent_initializers
from gradschool.recurrent_initializers import kaiming_uniform, narrow_normal, orthogonal, unit_forget_gate


def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(5, 20), (20, 5), (7, 7), (3, 2, 4, 5), (1, 2, 3, 11)])
def test_orthogonal_has_equal_singular_values(shape):
    W = orthogonal(shape, rng(), gain=1.7)
    assert W.shape == shape
    np.testing.assert_allclose(np.linalg.svd(W.reshape(-1, shape[-1]), compute_uv=False), 1.7, rtol=1e-12)


def test_orthogonal_is_uniform_its_signs_too():
    r = rng()
    mean = np.mean([orthogonal((3, 3), r) for _ in range(2000)], axis=0)
    assert (abs(mean) < 6 / np.sqrt(3 * 2000)).all()  # six standard errors; the variance of an entry is 1/3


def test_orthogonal_refuses_a_vector():
    with pytest.raises(ValueError, match="two axes"):
        orthogonal((5,), rng())


def test_the_forget_gate_starts_open_and_the_others_do_not():
    H = 3
    x, W, R = np.zeros((1, 1, 4)), np.zeros((4, 4 * H)), np.zeros((H, 4 * H))
    c0 = np.full((1, H), 2.0)
    c = gs.lstm(x, W, R, unit_forget_gate(H), C0=c0)[-1]
    np.testing.assert_allclose(c, c0 / (1 + np.exp(-1)), rtol=1e-12)


def test_narrow_normal_has_its_deviation():
    W = narrow_normal((200, 100), rng(), std=0.03)
    assert abs(W.std() / 0.03 - 1) < 6 / np.sqrt(2 * W.size)


@pytest.mark.parametrize(("a", "bound"), [(np.sqrt(5), 1 / np.sqrt(60)), (0.2, np.sqrt(6 / 1.04 / 60))])
def test_kaiming_uniform_fills_its_bounds(a, bound):
    W = kaiming_uniform((3, 4, 5, 200), rng(), a)
    assert 0.999 * bound < abs(W).max() <= bound


def test_float32_when_asked_for():
    made = [
        orthogonal((3, 5), rng(), dtype=np.float32),
        unit_forget_gate(3, np.float32),
        narrow_normal((3, 5), rng(), dtype=np.float32),
        kaiming_uniform((3, 5), rng(), dtype=np.float32),
    ]
    assert all(W.dtype == np.float32 for W in made)


def test_examples_in_docstrings():
    assert doctest.testmod(recurrent_initializers).failed == 0
