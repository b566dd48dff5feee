"""The plain forms of penalties, decay, dropout and early stopping, which students see, agree with the library's own."""

import doctest
from typing import Any

import numpy as np
import pytest

import gradschool as gs
from gradschool import regularization
from gradschool.callbacks import EarlyStopping
from gradschool.lessons import augmentation, dropout, stopping, weights
from gradschool.models import mc_predict


def drawn(seed=0):
    rng = np.random.default_rng(seed)
    sizes = {"W1": (5, 4), "b1": (4,), "gamma": (4,), "W2": (3, 2 + 1, 4, 6), "b2": (6,)}
    return {name: rng.normal(size=shape) for name, shape in sizes.items()}


@pytest.mark.parametrize("module", [augmentation, dropout, stopping, weights])
def test_the_examples_print_what_they_say(module):
    found = doctest.testmod(module, extraglobs={"np": np})
    assert found.attempted >= 1
    assert found.failed == 0


def test_the_penalty_and_its_gradients_are_the_librarys():
    params = drawn()
    penalty, grads = weights.l1_l2_penalty(params, 0.3, 0.07)
    theirs = lambda p: regularization.l1_penalty(p, 0.3) + regularization.l2_penalty(p, 0.07)
    value, gradients = gs.value_and_grad(theirs)(params)
    np.testing.assert_allclose(penalty, value, rtol=1e-12)
    for name in params:
        np.testing.assert_allclose(grads[name], gradients[name], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("coupled", [False, True])
def test_a_decayed_step_is_the_librarys_step_between_its_two_kinds_of_decay(coupled):
    params, grads = drawn(1), drawn(2)
    update = lambda params, grads, state, lr: gs.adam(params, grads, state, lr=lr)
    state = gs.init_state("adam", params)
    mine, _ = weights.decayed_step(update, params, grads, state, 0.1, 0.3, coupled)
    if coupled:
        theirs, _ = update(params, regularization.add_decay(grads, params, 0.3), state, 0.1)
    else:
        theirs, _ = update(regularization.decay_weights(params, 0.1, 0.3), grads, state, 0.1)
    for name in params:
        np.testing.assert_allclose(mine[name], theirs[name], rtol=1e-12)


def test_bounded_columns_are_the_librarys():
    mine, theirs = weights.max_norm(drawn(3), 2.1), regularization.max_norm(drawn(3), 2.1)
    for name in mine:
        np.testing.assert_allclose(mine[name], theirs[name], rtol=1e-12)


def test_dropping_keeps_the_mean_and_alpha_dropout_the_variance_too():
    x = np.random.default_rng(4).normal(size=(400, 301))
    for rate in (0.1, 0.2, 0.5):
        y, cache = dropout.dropout_forward(x + 1, rate, np.random.default_rng(5), training=True)
        assert abs(y.mean() - 1) < 0.02
        keep: Any = cache["keep"]
        np.testing.assert_array_equal(dropout.dropout_backward(x, cache), x * keep)
        y = dropout.alpha_dropout(x, rate, np.random.default_rng(5), training=True)
        assert abs(y.mean()) < 0.02
        assert abs(y.std() - 1) < 0.02


def test_many_passes_are_the_librarys():
    rng = np.random.default_rng(6)
    W, X = rng.normal(size=(5, 4)), rng.normal(size=(7, 5))
    net = gs.sequential(gs.layers.dropout(0.4), lambda x: x @ W)
    model = lambda X, rng: net.apply([{}, {}], [{}, {}], X, rng=rng)[0]
    mine = dropout.mc_predict(model, X, 9, np.random.default_rng(7))
    theirs = mc_predict(net, [{}, {}], X, state=[{}, {}], output=gs.softmax, rng=np.random.default_rng(7), passes=9)
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)


def model_of(net):
    return gs.with_state(
        lambda params, state, x, training=False, rng=None: net.apply(params, [{}, {}], x, training, rng)
    )


def test_stopping_is_the_callbacks_with_nan_among_the_values():
    rng = np.random.default_rng(8)
    for _ in range(50):
        patience, min_delta = int(rng.integers(1, 5)), float(rng.choice([0.0, 0.3]))
        values = np.where(rng.random(30) < 0.1, np.nan, np.cumsum(rng.normal(size=30)))
        callback = EarlyStopping(patience, min_delta=min_delta)
        state = {"best": np.inf, "wait": 0, "params": {}, "stop": False}
        run: Any = Played(values)
        memory = callback.on_start(run, None)
        while not run.stopped and run.epoch < len(values):
            state = stopping.early_stop(state, values[run.epoch], {"W": np.array([run.epoch])}, patience, min_delta)
            memory = callback.on_epoch(run, memory)
            run.epoch += 1
        assert (state["best"], state["wait"], state["stop"]) == (memory["best"], memory["wait"], run.stopped)


class Played:
    """As much of a run as the callback asks for, with given values."""

    def __init__(self, values):
        self.values, self.epoch, self.stopped = values, 0, False
        self.history = type("History", (), {"params": None, "state": None})

    def check_recorded(self, name):
        assert name == "val_loss"

    def last(self, name):
        return self.values[self.epoch]

    def stop(self, reason):
        self.stopped = True


def test_every_picture_is_moved_by_its_own_numbers_and_all_ways_occur():
    images = np.arange(1, 21, dtype=float).reshape(1, 4, 5).repeat(900, axis=0)
    moved = augmentation.augment(images, np.random.default_rng(9), shift=1)
    assert moved.shape == images.shape
    assert len(np.unique(moved, axis=0)) == 9
