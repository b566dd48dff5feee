"""Property: early stopping stops where Keras' does, and puts back what Keras puts back, whatever the values."""

import os

import numpy as np
import pytest

from gradschool.callbacks import EarlyStopping
from gradschool.flat import contiguous
from gradschool.history import History
from gradschool.run import Run

os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")


class Model:
    """As much of a Keras model as its callback asks for: its weight is the number of the epoch."""

    stop_training, weight = False, 0

    def get_weights(self):
        return [self.weight]

    def set_weights(self, weights):
        (self.weight,) = weights


def keras_ends(values, patience, min_delta, maximize, restore_best):
    """(epochs, weight)"""
    model, mode = Model(), "max" if maximize else "min"
    callback = keras.callbacks.EarlyStopping(
        patience=patience, min_delta=min_delta, mode=mode, restore_best_weights=restore_best
    )
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        model.weight = epoch + 1
        callback.on_epoch_end(epoch, {"val_loss": value})
        if model.stop_training:
            break
    epochs = model.weight
    callback.on_train_end()
    return epochs, model.weight


def ends(values, **options):
    weights = contiguous({"w": np.zeros(1)})
    run = Run(History(weights.tree), weights, len(values), 1)
    callback = EarlyStopping(**options)
    memory = callback.on_start(run, None)
    for value in values:
        weights.vector[:] += 1
        for name in ("loss", "val_loss"):
            run.history.epochs.setdefault(name, []).append(value)
        memory = callback.on_epoch(run, memory)
        if run.history.stopped:
            break
    callback.on_end(run, memory)
    return run.epoch, int(weights.vector[0])


@pytest.mark.parametrize("restore_best", [True, False])
@pytest.mark.parametrize("maximize", [True, False])
@pytest.mark.parametrize("min_delta", [0.0, 0.3])
@pytest.mark.parametrize("patience", [1, 2, 4])
def test_the_same_end_and_the_same_weights(patience, min_delta, maximize, restore_best):
    rng = np.random.default_rng(0)
    stopped = 0
    for _ in range(100):
        values = rng.integers(0, 12, 12) / 4 + 0.01 * rng.integers(0, 3, 12)  # with ties
        values[1:][rng.uniform(size=11) < 0.1] = np.nan
        options = {
            "patience": patience, "min_delta": min_delta, "maximize": maximize, "restore_best": restore_best
        }  # fmt: skip
        found = ends(values.tolist(), **options)
        assert found == keras_ends(values.tolist(), patience, min_delta, maximize, restore_best)
        stopped += found[0] < 12
    assert stopped > 0
