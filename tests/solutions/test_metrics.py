"""Metrics count what is right, in ties and at the threshold too, and average over samples, not over batches."""

import math
import re

import numpy as np
import pytest

import gradschool as gs


def test_accuracy_takes_class_numbers_one_hot_and_soft_targets():
    rng = np.random.default_rng(0)
    P, y = rng.normal(size=(7, 4)), rng.integers(0, 4, 7)
    right = sum(max(range(4), key=lambda k: row[k]) == label for row, label in zip(P, y, strict=True)) / 7
    assert gs.accuracy(P, y) == right
    assert gs.accuracy(P, gs.one_hot(y, 4)) == right
    assert gs.accuracy(P, 0.7 * gs.one_hot(y, 4) + 0.1) == right
    assert isinstance(gs.accuracy(P, y), float)


def test_accuracy_of_sequences_counts_every_step():
    P = np.zeros((3, 5, 4))
    P[..., 2] = 1
    y = np.full((3, 5), 2)
    y[0, :3] = 1
    assert gs.accuracy(P, y) == 12 / 15


def test_first_of_equal_entries_is_the_answer():
    assert gs.accuracy(np.array([[0.4, 0.4, 0.2], [0.2, 0.4, 0.4]]), np.array([0, 2])) == 0.5


def test_binary_answer_is_one_from_a_half_on():
    assert gs.accuracy(np.array([0.49, 0.5, 0.51, 0.2]), np.array([0, 1, 1, 1])) == 0.75
    assert gs.accuracy(np.array([0.5, 0.1, 0.9]), np.array([True, False, True])) == 1


@pytest.mark.parametrize(
    ("P", "T", "message"),
    [
        (np.ones((5, 3)), np.ones((5, 1), int), r"\(5,\) or \(5, 3\) for predictions \(5, 3\), got \(5, 1\)"),
        (np.ones(5), np.ones((5, 1)), r"got \(5, 1\)"),
        (np.ones((5, 1)), np.ones(5), "one class only"),
        (np.array([0, 2, 1]), np.array([0, 2, 1]), r"probabilities, .*got 0..2 and 0..2; .*\(P == T\).mean\(\)"),
        (np.array([0.3, 3.0, -2.0]), np.array([1, 1, 0]), r"got -2.0..3.0 and 0..1; sigmoid\(z\) for scores"),
        (np.array([0.3, 0.7, 0.2]), np.array([-1, 1, 1]), r"zeros and ones, got 0.2..0.7 and -1..1"),
        (np.ones((3, 4)), np.array([1, 4, 2]), r"class numbers 0..3 for predictions \(3, 4\), got 1..4; count from 0"),
        (np.ones((3, 2)), np.array([-1, 1, 1]), r"class numbers 0..1 for predictions \(3, 2\), got -1..1"),
    ],
)
def test_accuracy_refuses_what_it_would_misread(P, T, message):
    with pytest.raises(ValueError, match=message):
        gs.accuracy(P, T)


def test_mean_absolute_error_is_over_all_elements():
    Y, T = np.array([[1.0, 2.0, 4.0], [0.0, 0.0, 0.0]]), np.array([[0.0, 2.0, 7.0], [5.0, 0.0, 0.0]])
    assert gs.mae_metric(Y, T) == 1.5
    assert gs.mae_metric(np.array([1, 2], np.uint8), np.array([3, 4], np.uint8)) == 2  # no wrap-around
    with pytest.raises(ValueError, match=r"shape \(3,\), got \(3, 1\); try T.reshape"):
        gs.mae_metric(np.ones(3), np.ones((3, 1)))


@pytest.mark.parametrize(
    ("metric", "shapes"),
    [(gs.accuracy, ((0,), (0,))), (gs.accuracy, ((0, 3), (0,))), (gs.accuracy, ((5, 0), (5,))),
     (gs.mae_metric, ((0,), (0,))), (gs.mae_metric, ((0, 2), (0, 2)))],
)  # fmt: skip
def test_metrics_of_nothing_say_what_came(metric, shapes):
    words = f"{metric.__name__}: a mean needs at least one sample, got arrays of shape {shapes[0]} and {shapes[1]}"
    with pytest.raises(ValueError, match=re.escape(words)):
        metric(*map(np.ones, shapes))


def test_running_mean_weighs_batches_by_their_size():
    values = np.random.default_rng(1).normal(size=17)
    mean = gs.RunningMean()
    for start in range(0, 17, 5):  # the last batch has two
        mean.update(values[start : start + 5].mean(), len(values[start : start + 5]))
    assert mean.result() == pytest.approx(values.mean(), rel=1e-13)
    assert mean.count == 17


def test_running_mean_of_nothing_is_nan_and_an_empty_batch_changes_nothing():
    mean = gs.RunningMean()
    assert math.isnan(mean.result())
    mean.update(2.0)
    mean.update(float("nan"), 0)
    assert mean.result() == 2.0
    with pytest.raises(ValueError, match="n >= 0, got -1"):
        mean.update(1.0, -1)


def test_running_means_do_not_share_anything():
    first, second = gs.RunningMean(), gs.RunningMean()
    first.update(1.0, 3)
    assert math.isnan(second.result())
