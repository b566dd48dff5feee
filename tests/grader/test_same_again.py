"""Property: of answers of a class that did the same to the last bit one is read, and every one gets its own verdict."""

from __future__ import annotations

import numpy as np
import pytest
from test_judge import EMA, MEANS, Here, ema, row_means, summed

import gradschool_grader.judge as judging
from gradschool_grader.answers import LiveAnswers, Recent
from gradschool_grader.inside.wire import Frame, packed
from gradschool_grader.observe import Broken


class AtOnce(Here):
    """A worker that takes a group's calls at once, as one behind the wire does."""

    def request_all(self, message, count, seconds):
        for reply in self.performer.replies(unpacked(*message).tree):
            yield unpacked(*packed(reply))


def unpacked(header, *buffers):
    return Frame(0, header, np.frombuffer(bytearray().join(buffers), np.uint8))


def judged(exercise, function, answers):
    return judging.judge(exercise, lambda: AtOnce({exercise.name: function}), answers)


@pytest.fixture
def read(monkeypatch):
    """The groups that were compared and the diagnoses that were made, one after another."""
    found = []

    def noted(name):
        does = getattr(judging, name)
        monkeypatch.setattr(judging, name, lambda *args: (found.append(name), does(*args))[1])

    noted("compare_all")
    noted("diagnose")
    return found


def test_an_answer_that_did_the_same_is_not_read_again(read):
    answers = LiveAnswers(EMA, {}, 3)
    first = judged(EMA, summed, answers)
    assert read == ["compare_all", "diagnose"]
    assert first.diagnosis.name == "sum"
    assert judged(EMA, lambda params, state, g, b=0.9: summed(params, state, g, b), answers) == first
    assert read == ["compare_all", "diagnose"]


def test_a_difference_in_the_last_bit_is_read(read):
    answers = LiveAnswers(EMA, {}, 3)
    assert judged(EMA, ema, answers).passed
    assert judged(EMA, lambda *a, **b: moved(*ema(*a, **b), by=1 + 2**-52), answers).passed
    assert not judged(EMA, lambda *a, **b: moved(*ema(*a, **b), by=1 + 1e-6), answers).passed
    assert read == ["compare_all", "compare_all", "compare_all", "diagnose"]


def moved(params, state, by):
    return {name: value * by for name, value in params.items()}, state


def test_each_verdict_is_the_one_that_judging_alone_gives():
    answers = LiveAnswers(MEANS, {}, 3)

    def columns(X, weights=None):
        return X.mean(axis=0)

    def changes(X, weights=None):
        means = row_means(X, weights)
        X[:] = 0
        return means

    def shares(X, weights=None):
        return X[:, 0]

    def raises(X, weights=None):
        raise KeyError(X.shape)

    def stub(X, weights=None):
        raise NotImplementedError()

    for function in (row_means, columns, changes, shares, raises, stub, columns, row_means, stub, changes, raises):
        assert judged(MEANS, function, answers) == judged(MEANS, function, LiveAnswers(MEANS, {}, 3))


def test_without_a_key_nothing_is_kept_and_the_oldest_goes_first():
    recent, made = Recent[int](most=2), iter(range(9))
    assert [recent.get(key, lambda: next(made)) for key in (b"", b"", b"a", b"b", b"a", b"c", b"a", b"b")] == [
        0, 1, 2, 3, 2, 4, 2, 5,
    ]  # fmt: skip


def test_frames_say_the_same_only_if_their_trees_are_the_same():
    trees = [1, 1.0, [1], [[1]], "1", np.ones(2), np.ones(2, "float32"), np.ones((1, 2)), -np.zeros(2), np.zeros(2)]
    assert len({unpacked(*packed(tree)).digest() for tree in trees}) == len(trees)
    assert unpacked(*packed(trees)).digest() == unpacked(*packed(list(trees))).digest()


def test_what_no_performer_says_is_tampering_and_not_kept():
    class Forger(AtOnce):
        def request_all(self, message, count, seconds):
            return (unpacked(b'{"z":1}') for _ in range(count))

    answers = LiveAnswers(MEANS, {}, 3)
    for _ in range(2):
        assert judging.judge(MEANS, lambda: Forger({"row_means": row_means}), answers).outcome == "tampered"
    assert judged(MEANS, row_means, answers).passed


def test_a_worker_that_breaks_leaves_nothing_behind():
    class Breaks(AtOnce):
        def request_all(self, message, count, seconds):
            yield next(super().request_all(message, count, seconds))
            raise Broken("died", "gone")

    answers = LiveAnswers(MEANS, {}, 3)
    assert judging.judge(MEANS, lambda: Breaks({"row_means": row_means}), answers).outcome == "died"
    assert judged(MEANS, row_means, answers).passed
