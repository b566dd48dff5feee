"""Property: what is logged is what the history says, in files that others read: CSV, JSON, TensorBoard's own reader."""

import builtins
import csv
import json
import math
import pickle

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import gradschool as gs
from gradschool.logs import CSVLog, JSONLog, TensorBoard
from gradschool.progress import ProgressBar


def line(params, X):
    return X @ params["W"]


def mean_square(Y, T):
    return ((Y - T) ** 2).mean()


def run(callbacks, epochs=3, **options):
    rng = np.random.default_rng(0)
    X, params = rng.normal(size=(23, 5)), {"W": rng.normal(size=(5, 3))}
    T = X @ rng.normal(size=(5, 3))
    return gs.train(
        line, params, (X, T), gs.optimizer("momentum"), mean_square, epochs, rng=np.random.default_rng(1),
        batch_size=10, lr=lambda step: 0.01 / (1 + step), hyper={"beta": lambda step: 0.9 - step / 100},
        validation=(X, T), callbacks=callbacks, **options,
    )  # fmt: skip


def expected(history, epoch):
    values = {name: values[epoch] for name, values in history.epochs.items()}
    step = 3 * epoch + 2
    return (
        {"epoch": epoch + 1, "step": step + 1}
        | values
        | {"lr": history.rates[step], "beta": history.hyper["beta"][step]}
    )


def rows(file):
    with file.open(newline="") as lines:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(lines)]


def test_each_epoch_is_a_row_and_a_line(tmp_path):
    table, lines = tmp_path / "run.csv", tmp_path / "run.jsonl"
    history = run([CSVLog(table), JSONLog(lines)])
    entries = [expected(history, epoch) for epoch in range(3)]
    assert rows(table) == entries
    assert [json.loads(line) for line in lines.read_text().splitlines()] == entries


def test_a_new_run_starts_anew_and_a_resumed_one_appends(tmp_path):
    file = tmp_path / "run.csv"
    run([CSVLog(file)])
    history = run([CSVLog(file)], epochs=2)
    assert len(rows(file)) == 2
    history = run([CSVLog(file)], epochs=4, resume=history)
    assert rows(file) == [expected(history, epoch) for epoch in range(4)]


def test_what_is_no_number_is_valid_json(tmp_path):
    file = tmp_path / "run.jsonl"
    run([JSONLog(file)], epochs=1, metrics={"odd": lambda Y, T: math.nan})
    assert json.loads(file.read_text(), parse_constant=pytest.fail)["odd"] == "nan"


def read(folder):
    """Tag -> [(step, value)], as TensorBoard sees it."""
    found = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    found.Reload()
    return {tag: [(event.step, event.value) for event in found.Scalars(tag)] for tag in found.Tags()["scalars"]}


@pytest.mark.parametrize("every", [1, 4])
def test_tensorboard_reads_back_steps_and_epochs(tmp_path, every):
    history = run([TensorBoard(tmp_path / "logs" / "a", every=every)], epochs=2)
    history = run([TensorBoard(tmp_path / "logs" / "a", every=every)], epochs=4, resume=history)
    found = read(tmp_path / "logs" / "a")
    steps = range(0, 12, every)
    for tag, values in (("step/loss", history.losses), ("step/lr", history.rates)):
        assert found[tag] == [(step, pytest.approx(values[step], rel=1e-6)) for step in steps]
    for name in ("loss", "val_loss", "lr", "beta"):
        values = [expected(history, epoch)[name] for epoch in range(4)]
        assert found[f"epoch/{name}"] == [(k + 1, pytest.approx(value, rel=1e-6)) for k, value in enumerate(values)]
    assert len(list((tmp_path / "logs" / "a").iterdir())) == 1


def test_the_absence_of_tensorboard_names_the_extra(tmp_path, monkeypatch):
    imports = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("tensorboard"):
            raise ImportError(name)
        return imports(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'gradschool\[logs\]'"):
        run([TensorBoard(tmp_path)])


def test_points_that_lie_no_step_apart_are_refused(tmp_path):
    with pytest.raises(ValueError, match="TensorBoard: expected every >= 1, got 0"):
        TensorBoard(tmp_path, 0)


@pytest.mark.parametrize(
    "callback",
    [
        gs.EarlyStopping(patience=3), gs.Checkpoint("run.npz", every=2), gs.ReduceOnPlateau(), gs.AfterEpoch(print),
        CSVLog("run.csv"), JSONLog("run.jsonl"), TensorBoard("logs", every=5), ProgressBar(disable=None),
    ],
    ids=lambda callback: type(callback).__name__,
)  # fmt: skip
def test_every_callback_pickles(callback):
    assert vars(pickle.loads(pickle.dumps(callback))) == vars(callback)
