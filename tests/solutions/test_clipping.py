"""Property: clipping cuts what is too large to exactly the limit, keeps the direction it promises, and nothing else."""

import doctest

import numpy as np
import pytest

from gradschool import clipping
from gradschool.clipping import clip_by_global_norm, clip_by_norm, clip_by_value, global_norm

CLIPPINGS = [clip_by_value, clip_by_norm, clip_by_global_norm]


def gradients(seed=0, dtype: type = float):
    rng = np.random.default_rng(seed)
    return {"W": rng.normal(size=(3, 5)).astype(dtype), "layers": [{"b": 20 * rng.normal(size=7).astype(dtype)}, None]}


def test_the_three_clippings_of_the_book_s_vector():
    g = np.array([0.9, 100.0])
    np.testing.assert_array_equal(clip_by_value(g, 1.0), [0.9, 1.0])
    for clip in (clip_by_norm, clip_by_global_norm):
        np.testing.assert_allclose(clip(g, 1.0), [0.00899964, 0.9999595], rtol=1e-6)


def test_by_norm_shortens_each_array_on_its_own():
    g = gradients()
    clipped = clip_by_norm(g, 5.0)
    np.testing.assert_array_equal(clipped["W"], g["W"])
    b = g["layers"][0]["b"]
    np.testing.assert_allclose(clipped["layers"][0]["b"], 5 * b / np.linalg.norm(b), rtol=1e-14)


def test_by_global_norm_keeps_the_direction_of_all_arrays_together():
    g = gradients()
    whole = np.concatenate([g["W"].ravel(), g["layers"][0]["b"]])
    assert global_norm(g) == pytest.approx(np.linalg.norm(whole), rel=1e-14)
    clipped = clip_by_global_norm(g, 5.0)
    factor = 5 / np.linalg.norm(whole)
    np.testing.assert_allclose(clipped["W"], factor * g["W"], rtol=1e-14)
    np.testing.assert_allclose(clipped["layers"][0]["b"], factor * g["layers"][0]["b"], rtol=1e-14)


@pytest.mark.parametrize("clip", CLIPPINGS)
@pytest.mark.parametrize("limit", [1.0, 1e6])
def test_what_is_given_stays_and_what_is_returned_is_new(clip, limit):
    g = gradients()
    clipped = clip(g, limit)
    before = gradients()
    clipped["W"][:] = clipped["layers"][0]["b"][:] = 0
    np.testing.assert_array_equal(g["W"], before["W"])
    np.testing.assert_array_equal(g["layers"][0]["b"], before["layers"][0]["b"])
    assert clipped["layers"][1] is None


@pytest.mark.parametrize("clip", CLIPPINGS)
@pytest.mark.parametrize("limit", [1.0, 1e6])
def test_float32_stays_float32_and_integers_become_float64(clip, limit):
    clipped = clip(gradients(dtype=np.float32), limit)
    assert clipped["W"].dtype == clipped["layers"][0]["b"].dtype == np.float32
    assert clip(np.float32(3.0), 1.0).dtype == np.float32
    np.testing.assert_allclose(clip(np.array([0, 4, 0]), 0.5), [0, 0.5, 0])
    assert clip(np.array([0, 4, 0]), limit).dtype == np.float64  # whether it is cut or not


@pytest.mark.parametrize("clip", CLIPPINGS)
def test_zeros_and_empty_arrays_are_not_divided_by(clip):
    g = {"W": np.zeros((3, 5)), "b": np.zeros(0)}
    assert (clip(g, 1.0)["W"] == 0).all()
    assert clip(g, 1.0)["b"].shape == (0,)
    assert clip({}, 1.0) == {}


@pytest.mark.parametrize("clip", [clip_by_norm, clip_by_global_norm])
def test_gradients_whose_squares_overflow_are_shortened_all_the_same(clip):
    for dtype, huge in ((np.float32, 1e30), (np.float64, 1e300), (np.float64, 1e-300)):
        g = np.array([3, -4], dtype) * dtype(huge)
        np.testing.assert_allclose(clip(g, 0.5 * huge), np.array([0.3, -0.4]) * huge, rtol=1e-6)


@pytest.mark.parametrize("clip", CLIPPINGS)
def test_nan_is_not_hidden(clip):
    assert np.isnan(clip(np.array([1.0, np.nan, 5.0]), 0.1)[1])


def test_infinity_is_cut_by_value_and_shown_by_norm():
    g = np.array([1.0, np.inf])
    np.testing.assert_array_equal(clip_by_value(g, 0.5), [0.5, 0.5])
    for clip in (clip_by_norm, clip_by_global_norm):
        np.testing.assert_array_equal(clip(g, 0.5), [0, np.nan])


@pytest.mark.parametrize("clip", CLIPPINGS)
@pytest.mark.parametrize("limit", [0, -1.0, np.nan])
def test_a_limit_that_is_not_positive_is_refused(clip, limit):
    with pytest.raises(ValueError, match=f"{clip.__name__}: expected a limit > 0"):
        clip(np.ones(3), limit)


def test_examples_in_docstrings():
    assert doctest.testmod(clipping).failed == 0
