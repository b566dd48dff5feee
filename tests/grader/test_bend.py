"""An error that is largest at a bend is said to be so, and no other."""

from __future__ import annotations

import numpy as np
import pytest
from test_diagnosis import diagnosis_of, sets

from gradschool_grader.exercise import Call


def cut(x, t, limit):
    return np.clip(x - t, -limit, limit)


def kept(x):
    return np.maximum(x, 0)


EXERCISE = sets(cut, lambda rng: [
    Call(x=rng.normal(size=(n, 5)), t=rng.normal(size=(n, 5)), limit=float(rng.uniform(0.5, 1))) for n in (5, 8)
])  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_a_round_corner_is_where_the_error_is_largest(seed):
    smooth = lambda x, t, limit: (x - t) / (1 + ((x - t) / limit) ** 4) ** 0.25
    text = diagnosis_of(EXERCISE, smooth, seed).text
    assert "The error is largest where |`x` − `t`| is near `limit`, and falls off to both sides" in text


@pytest.mark.parametrize("seed", range(5))
def test_a_bend_at_zero(seed):
    positive = sets(kept, lambda rng: [Call(x=rng.normal(size=30))])
    assert "largest where `x` is near 0" in diagnosis_of(positive, lambda x: np.logaddexp(0, 7 * x) / 7, seed).text


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x, t, limit: cut(x, t, limit) + np.sin(50 * x),
        lambda x, t, limit: np.tanh(3 * x - t) * limit,
        lambda x, t, limit: (x - t) * np.exp(-np.abs(x)),
    ],
)
def test_other_errors_have_no_corner(wrong):
    assert "falls off" not in diagnosis_of(EXERCISE, wrong).text
