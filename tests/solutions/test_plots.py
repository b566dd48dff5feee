"""Property: plots draw what was recorded, where it belongs, with names and units on them, and leave nothing behind."""

import builtins
import math

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from gradschool import plots
from gradschool.history import History
from gradschool.range_test import RangeTest


def history(seed=0, epochs=5, steps=3):
    rng = np.random.default_rng(seed)
    values = {name: rng.uniform(0.1, 1.0, epochs).tolist() for name in ("loss", "accuracy", "val_loss", "val_accuracy")}
    rates, losses = np.geomspace(1e-3, 1e-1, epochs * steps).tolist(), rng.uniform(size=epochs * steps).tolist()
    return History(
        {}, losses=losses, rates=rates, hyper={"beta": [0.9] * len(rates)}, epochs=values, steps_per_epoch=steps
    )  # fmt: skip


def drawn(figure):
    """After drawing, so that whatever would warn has warned: the lines of each panel by their labels."""
    figure.canvas.draw()
    assert plt.get_fignums() == []
    return [{line.get_label(): line.get_xydata() for line in ax.lines} for ax in figure.axes]


@pytest.mark.parametrize("shift", [True, False])
def test_training_stands_half_an_epoch_before_validation(shift):
    run = history()
    figure = plots.learning_curves(run, units={"loss": "nats"}, shift=shift)
    loss, accuracy = drawn(figure)
    np.testing.assert_allclose(loss["training"], np.c_[np.arange(1, 6) - 0.5 * shift, run.epochs["loss"]])
    np.testing.assert_allclose(accuracy["validation"], np.c_[np.arange(1, 6), run.epochs["val_accuracy"]])
    assert [(ax.get_xlabel(), ax.get_ylabel()) for ax in figure.axes] == [
        ("epoch", "loss (nats)"), ("epoch", "accuracy")
    ]  # fmt: skip


def test_the_best_epoch_is_the_lowest_loss_and_the_highest_accuracy():
    run = history()
    loss, accuracy = drawn(plots.learning_curves(run))
    for lines, values, best in ((loss, run.epochs["val_loss"], min), (accuracy, run.epochs["val_accuracy"], max)):
        (mark,) = [points for label, points in lines.items() if label.startswith("best")]
        assert mark.tolist() == [[values.index(best(values)) + 1, best(values)]]


@pytest.mark.parametrize(("name", "maximize", "best"), [("f1", None, 2), ("kappa", None, 3), ("kappa", ["kappa"], 2)])
def test_which_epoch_is_best_is_in_the_name_unless_it_is_said(name, maximize, best):
    run = History({}, epochs={"loss": [1.0] * 3, name: [0.5, 0.6, 0.4], f"val_{name}": [0.5, 0.7, 0.3]})
    (lines,) = drawn(plots.learning_curves(run, [name], maximize=maximize))
    (mark,) = [points for label, points in lines.items() if label.startswith("best")]
    assert mark[0, 0] == best


def test_schedules_are_drawn_over_epochs():
    run = history()
    rate, beta, loss = drawn(plots.schedules(run))
    (points,) = rate.values()
    np.testing.assert_allclose(points, np.c_[np.arange(15) / 3, run.rates])
    assert next(iter(beta.values()))[:, 1].tolist() == [0.9] * 15
    assert loss["validation"][:, 0].tolist() == [1, 2, 3, 4, 5]
    assert loss["training"][:, 0].tolist() == [0.5, 1.5, 2.5, 3.5, 4.5]


def test_the_range_test_shows_what_the_rules_pick():
    test = RangeTest((0.001, 0.01, 0.1, 1.0), (3.0, 2.0, 1.0, 9.0), (3.0, 2.0, 1.0, 4.0), True)
    figure = plots.range_test(test, unit="nats")
    (lines,) = drawn(figure)
    found = {label.split(":")[0]: points[0, 0] for label, points in lines.items() if ":" in label}
    assert found == {"a tenth": 0.1, "half": 0.5, "shoots up": 1.0}
    assert lines["smoothed"].tolist() == [list(pair) for pair in zip(test.rates, test.smoothed, strict=True)]
    assert figure.axes[0].get_xscale() == "log"
    assert figure.axes[0].get_ylabel() == "loss (nats)"


def test_several_runs_are_their_mean_within_their_spread():
    runs = [history(seed, epochs) for seed, epochs in ((0, 5), (1, 5), (2, 4))]
    figure = plots.compare({"adam": runs, "sgd": history(7)}, "val_loss", units={"val_loss": "nats"}, log=True)
    (lines,) = drawn(figure)
    values = [run.epochs["val_loss"] for run in runs]
    expected = [np.mean([row[k] for row in values if k < len(row)]) for k in range(5)]
    np.testing.assert_allclose(lines["adam (3 runs)"][:, 1], expected)
    (band,) = figure.axes[0].collections
    inside = band.get_paths()[0].vertices
    assert inside[:, 1].min() == min(map(min, values))
    assert inside[:, 1].max() == max(map(max, values))
    assert figure.axes[0].get_ylabel() == "validation loss (nats)"
    assert set(lines) == {"adam (3 runs)", "sgd"}


def test_a_run_that_ends_in_nan_can_be_drawn():
    run = history()
    run.epochs["val_loss"] = [math.nan] * 5
    drawn(plots.learning_curves(run))
    drawn(plots.compare({"a": [run, history()]}))


def test_nothing_to_compare_and_unknown_values_are_refused():
    with pytest.raises(ValueError, match="at least one run"):
        plots.compare({})
    with pytest.raises(ValueError, match="'val_f1' was not recorded"):
        plots.compare({"a": history()}, "val_f1")


def test_the_absence_of_matplotlib_is_named(monkeypatch):
    imports = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return imports(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        plots.learning_curves(history())
