"""Property: callbacks see the run as it is, and what they decide happens: training stops, rates fall, the best comes
back; what they remember is handed to them and pickles."""

import builtins
import doctest
import math
import pickle

import numpy as np
import pytest

import gradschool as gs
from gradschool import callbacks, history, progress, schedules
from gradschool.callbacks import Callback, Checkpoint, EarlyStopping, ReduceOnPlateau
from gradschool.history import History
from gradschool.progress import ProgressBar


def mean_square(Y, T):
    return ((Y - T) ** 2).mean()


def line(params, X):
    return X @ params["W"]


def problem(n=23, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 5))
    return (X, X @ rng.normal(size=(5, 3))), {"W": rng.normal(size=(5, 3))}


def run(epochs=4, callbacks=(), lr=0.05, **options):
    data, params = problem()
    options = {"validation": data, "batch_size": 10, "rng": np.random.default_rng(1)} | options
    return gs.train(line, params, data, gs.optimizer("sgd"), mean_square, epochs, lr=lr, callbacks=callbacks, **options)


def scripted(values, early, epochs=20):
    """A run whose validation loss follows a script, while its weight counts the epochs."""
    clock = {"epoch": 0}

    def loss(Y, T):
        return Y.mean() if T.shape[0] == 5 else np.float64(values[clock["epoch"]])

    def tick(run):
        clock["epoch"] += 1

    return gs.train(
        lambda params, X: X * params["w"], {"w": np.zeros(1)}, (np.ones((5, 1)), np.ones((5, 1))), gs.optimizer("sgd"),
        loss, min(epochs, len(values)), rng=np.random.default_rng(0), lr=lambda step: -1.0, callbacks=[early, tick],
        validation=(np.ones((7, 1)), np.ones((7, 1))),
    )  # fmt: skip


nan = math.nan
SCRIPTS = {
    "stops when wait reaches patience": ([3, 2, 2, 2, 1, 0], {"patience": 2}, 4, 2),
    "patience one": ([3, 2, 2, 1], {"patience": 1}, 3, 2),
    "an improvement resets the wait": ([3, 4, 2, 3, 1, 2, 2], {"patience": 2}, 7, 5),
    "an equal value is none": ([3, 3, 3, 3], {"patience": 2}, 3, 1),
    "min_delta": ([3, 2.95, 2.9, 2.85], {"patience": 2, "min_delta": 0.1}, 3, 1),
    "maximize": ([1, 2, 1, 1, 5], {"patience": 2, "maximize": True}, 4, 2),
    "NaN counts as waiting": ([3, nan, nan, 1], {"patience": 2}, 3, 1),
    "only NaN: nothing to put back": ([nan, nan, nan], {"patience": 2}, 2, 2),
    "the best comes back without stopping": ([3, 1, 2], {"patience": 5}, 3, 2),
    "the last stays when asked": ([3, 1, 2, 2], {"patience": 2, "restore_best": False}, 4, 4),
}


@pytest.mark.parametrize(("values", "options", "epochs", "weight"), SCRIPTS.values(), ids=SCRIPTS)
def test_early_stopping_follows_the_script(values, options, epochs, weight):
    """Keras' rules: stop when wait >= patience, then the best epoch's weights (here its number)."""
    found = scripted(values, EarlyStopping(**options))
    assert found.epochs_done == epochs
    assert found.params["w"] == [weight]
    assert bool(found.stopped) == (options["patience"] < 5)  # all scripts but one


@pytest.mark.parametrize(("monitor", "maximize", "larger"), [
    ("val_loss", None, False), ("loss", None, False), ("val_mae", None, False), ("val_acc", None, True),
    ("accuracy", None, True), ("val_macro_f1", None, True), ("val_acc", False, False), ("val_kappa", True, True),
])  # fmt: skip
def test_whether_larger_is_better_is_in_the_name_unless_it_is_said(monitor, maximize, larger):
    assert EarlyStopping(monitor=monitor, maximize=maximize).larger is larger
    assert Checkpoint("best.npz", monitor=monitor, maximize=maximize).larger is larger
    assert gs.History({}, epochs={monitor: [1.0, 2.0]}).best_epoch(monitor, maximize) == 1 + larger


@pytest.mark.parametrize("make", [
    lambda: EarlyStopping(monitor="val_kappa"),
    lambda: Checkpoint("best.npz", monitor="val_kappa"),
    lambda: gs.History({}, epochs={"val_kappa": [1.0]}).best_epoch("val_kappa"),
])  # fmt: skip
def test_a_name_that_does_not_say_what_is_better_is_asked_about(make):
    with pytest.raises(ValueError, match=r"is a larger 'val_kappa' better\? Say maximize=True, or maximize=False"):
        make()


def test_what_does_not_ask_which_is_better_takes_any_name():
    assert Checkpoint("every.npz", monitor="val_kappa", every=2).larger is False


def test_a_plateau_of_an_accuracy_waits_for_larger_ones():
    with pytest.raises(ValueError, match=r"a larger 'val_acc' is better, .* maximize=True"):
        ReduceOnPlateau(monitor="val_acc")
    ReduceOnPlateau(schedules.reduce_on_plateau(maximize=True), monitor="val_acc")


def test_a_checkpoint_has_one_of_two_formats():
    with pytest.raises(ValueError, match=r"ends in .npz or .safetensors, got best.pt"):
        Checkpoint("best.pt")


def test_the_state_of_the_best_epoch_comes_back_too_and_is_no_alias():
    data, _ = problem()
    model = gs.sequential(gs.layers.dense(7), gs.layers.batchnorm(), gs.tanh, gs.layers.dense(3))
    params, state, _ = model.init(np.random.default_rng(2), (5,))
    kept = []

    def remember(run):
        kept.append(pickle.loads(pickle.dumps((run.history.params, run.history.state))))

    found = gs.train(
        model, params, data, gs.optimizer("sgd", lr=3.0), mean_square, 12, rng=np.random.default_rng(0), state=state,
        validation=data, callbacks=[EarlyStopping(patience=4), remember],
    )  # fmt: skip
    best = found.best_epoch()
    assert best < found.epochs_done  # or there would be nothing to see
    for now, then in zip(gs.tree_leaves((found.params, found.state)), gs.tree_leaves(kept[best - 1]), strict=True):
        np.testing.assert_array_equal(now, then)
    assert pickle.dumps(found.memories["EarlyStopping"])


def test_the_rate_falls_on_a_plateau_as_the_plateau_itself_says():
    plateau = schedules.reduce_on_plateau(factor=0.5, patience=2, min_delta=100.0)
    found = run(epochs=9, callbacks=[ReduceOnPlateau(plateau)], lr=0.08)
    state, expected = plateau.init(0.08), []
    for value in found.epochs["val_loss"]:
        expected += [state["lr"]] * 3
        state = plateau.update(state, value)
    assert found.rates == expected
    assert len(set(expected)) >= 3
    assert run(callbacks=[ReduceOnPlateau(plateau)], lr=None).rates[0] == 0.01  # the optimizer's own


def test_a_plateau_needs_a_number_for_a_rate():
    with pytest.raises(ValueError, match="expected a number for the learning rate, got a schedule"):
        run(callbacks=[ReduceOnPlateau()], lr=lambda step: 0.1)


UNKNOWN = {
    "no validation": (
        EarlyStopping(),
        {"validation": None},
        r"'val_loss' .* is \['loss'\]; give train a validation=\(X, T\)$",
    ),
    "no metric": (
        EarlyStopping(monitor="f1"),
        {},
        r"'f1' is not .*\['loss', 'val_loss'\]; give train metrics={\"f1\": ...}$",
    ),
    "no metric of it": (EarlyStopping(monitor="val_f1"), {}, r"'val_f1' .*; give train metrics={\"f1\": ...}$"),
    "neither": (
        EarlyStopping(monitor="val_f1"),
        {"validation": None},
        r"validation=\(X, T\) and metrics={\"f1\": ...}$",
    ),
    "a plateau": (ReduceOnPlateau(monitor="val_mae"), {}, "'val_mae' is not recorded"),
    "a checkpoint": (Checkpoint("run.npz", monitor="val_f1"), {}, "'val_f1' is not recorded"),
}


@pytest.mark.parametrize(("callback", "options", "words"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_value_that_will_not_be_recorded_is_named_before_the_first_step(callback, options, words):
    diary = Diary()
    with pytest.raises(ValueError, match=words):
        run(callbacks=[diary, callback], **options)
    assert diary.calls == ["start"]


def test_a_folder_that_is_not_there_is_told_before_the_first_step(tmp_path):
    diary = Diary()
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*absent to put run-1.npz in; make it first"):
        run(callbacks=[diary, Checkpoint(tmp_path / "absent" / "run-{epoch}.npz", every=2)])
    assert diary.calls == ["start"]


def test_epochs_may_have_folders_of_their_own_of_which_only_those_that_are_used_must_be_there(tmp_path):
    for epoch in (2, 4):
        (tmp_path / str(epoch)).mkdir()
    run(callbacks=[Checkpoint(tmp_path / "{epoch}" / "run.npz", every=2)])
    assert len(list(tmp_path.glob("[24]/run.npz"))) == 2


SENSELESS = {
    "patience": (lambda: EarlyStopping(patience=0), ValueError, "patience >= 1 and min_delta >= 0, got 0 and"),
    "a factor for a plateau": (
        lambda: ReduceOnPlateau(0.5),
        TypeError,
        r"got 0.5; try .*reduce_on_plateau\(factor=0.5",
    ),
    "a field": (lambda: Checkpoint("{step}.npz"), ValueError, r"have {epoch} in it and no other field, got {step}.npz"),
    "a place": (lambda: Checkpoint("{}.npz"), ValueError, "no other field, got {}.npz"),
}


@pytest.mark.parametrize(("make", "error", "words"), SENSELESS.values(), ids=SENSELESS)
def test_a_callback_that_makes_no_sense_is_refused_where_it_is_written(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_a_method_that_nobody_calls_is_refused_where_its_class_is_written():
    with pytest.raises(
        TypeError, match=r"Mine.on_epoch_end would never be called; expected one of on_start, on_step, on_e"
    ):

        class Mine(Callback):
            def on_epoch_end(self, run, memory):
                return memory


def test_a_run_that_has_stopped_stays_stopped_with_the_same_patience_and_goes_on_with_more():
    stopped = run(epochs=20, lr=lambda step: -0.05, callbacks=[EarlyStopping(patience=2)])
    again = run(epochs=20, lr=lambda step: -0.05, callbacks=[EarlyStopping(patience=2)], resume=stopped)
    assert (again.to_dict(), again.epochs_done) == (stopped.to_dict(), 3)
    np.testing.assert_array_equal(again.params["W"], stopped.params["W"])
    assert run(epochs=20, lr=lambda step: -0.05, callbacks=[EarlyStopping(patience=4)], resume=stopped).epochs_done == 5


# ---------------------------------------------------------------------------------------------------------- checkpoints
def network(epochs, seed=5, **options):
    """Everything that a checkpoint must hold: statistics, dropout, moments, a falling rate, memories of callbacks."""
    data, _ = problem()
    model = gs.sequential(
        gs.layers.dense(7), gs.layers.batchnorm(), gs.tanh, gs.layers.dropout(0.2), gs.layers.dense(3)
    )
    params, state, _ = model.init(np.random.default_rng(2), (5,))
    return gs.train(
        model, params, data, gs.optimizer("nadam"), mean_square, epochs, rng=np.random.default_rng(seed), state=state,
        lr=0.1, batch_size=10, validation=data, **options,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["run-{epoch}.npz", "run-{epoch}.safetensors"])
def test_a_run_goes_on_from_its_checkpoint_as_if_nothing_had_happened(tmp_path, name):
    def listeners():
        plateau = schedules.reduce_on_plateau(factor=0.5, patience=1, min_delta=100.0)
        return [Checkpoint(tmp_path / name, every=2), EarlyStopping(patience=9), ReduceOnPlateau(plateau)]

    whole = network(7, callbacks=listeners())
    assert sorted(file.name for file in tmp_path.iterdir()) == [name.format(epoch=k) for k in (2, 4, 6)]
    saved = History.load(tmp_path / name.format(epoch=4), like=whole.params)
    assert saved.losses == whole.losses[:12]
    assert len(set(whole.rates)) > 3
    resumed = network(7, seed=99, callbacks=listeners(), resume=saved)
    assert resumed.to_dict() == whole.to_dict()
    assert resumed.rng == whole.rng
    for ours, theirs in zip(
        gs.tree_leaves((resumed.params, resumed.state, resumed.optimizer_state, resumed.memories)),
        gs.tree_leaves((whole.params, whole.state, whole.optimizer_state, whole.memories)),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("maximize", [False, True])
def test_the_best_epoch_is_kept_also_over_an_interruption(tmp_path, maximize):
    options = {"metrics": {"score": lambda Y, T: float(np.sin(100 * Y.mean()))}}  # goes up and down
    keep = [Checkpoint(tmp_path / "best.npz", monitor="val_score", maximize=maximize)]
    part = None
    for epochs in range(1, 9):
        part = network(epochs, callbacks=keep, resume=part, **options)
        scores = part.epochs["val_score"]
        best = History.load(tmp_path / "best.npz")
        assert best.epochs["val_score"] == scores[: part.best_epoch("val_score", maximize)]
    assert best.memories["Checkpoint"] == best.epochs["val_score"][-1]


def test_a_checkpoint_that_makes_no_sense_or_holds_no_run_is_refused(tmp_path):
    with pytest.raises(ValueError, match="every >= 1, or None to keep the best, got 0"):
        Checkpoint("run.npz", every=0)
    gs.save(tmp_path / "model.npz", {"W": np.ones(3)})
    with pytest.raises(ValueError, match="holds a model, but no training"):
        History.load(tmp_path / "model.npz")
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(ValueError, match="no checkpoint of gradschool, or was damaged or cut short"):
        History.load(tmp_path / "broken.npz")
    network(1, callbacks=[Checkpoint(tmp_path / "run.npz")])
    with pytest.raises(ValueError, match="is for another model"):
        History.load(tmp_path / "run.npz", like={"W": np.ones(3)})


# ------------------------------------------------------------------------------------------------------------- your own
class Diary(Callback):
    """Remembers what it was called with; stops where it is told to."""

    def __init__(self, stop_at=None):
        self.stop_at = stop_at
        self.calls = []

    def note(self, moment, run, memory):
        self.calls.append(moment)
        return [*(memory or []), (moment, run.epoch, run.step)]

    def on_start(self, run, memory):
        return self.note("start", run, memory)

    def on_step(self, run, memory):
        if run.step == self.stop_at:
            run.stop("enough")
        return self.note("step", run, memory)

    def on_epoch(self, run, memory):
        return self.note("epoch", run, memory)

    def on_end(self, run, memory):
        return self.note("end", run, memory)


def test_a_callback_is_called_at_four_moments_and_gets_what_it_returned():
    memory = run(epochs=2, callbacks=[Diary()]).memories["Diary"]
    assert memory == [
        ("start", 0, 0), ("step", 0, 1), ("step", 0, 2), ("step", 0, 3), ("epoch", 1, 3),
        ("step", 1, 4), ("step", 1, 5), ("step", 1, 6), ("epoch", 2, 6), ("end", 2, 6),
    ]  # fmt: skip


def test_a_run_can_be_stopped_in_the_middle_of_an_epoch():
    found = run(epochs=9, callbacks=[Diary(stop_at=5)])
    assert (len(found.losses), found.epochs_done, found.stopped) == (5, 2, "enough")
    assert found.memories["Diary"][-2:] == [("epoch", 2, 5), ("end", 2, 5)]


def test_the_end_is_told_also_when_training_fails():
    ends = []

    class Ends(Callback):
        def on_end(self, run, memory):
            ends.append(run.step)

    with np.errstate(over="ignore", invalid="ignore"), pytest.raises(FloatingPointError):
        run(epochs=99, callbacks=[Ends()], lr=1e6)
    assert len(ends) == 1


def test_a_function_is_called_after_every_epoch_and_twins_have_memories_of_their_own():
    seen = []
    found = run(epochs=3, callbacks=[lambda run: seen.append(run.last("val_loss")), Diary(), Diary(stop_at=4)])
    assert seen == found.epochs["val_loss"][: len(seen)]
    assert len(seen) == 2
    assert set(found.memories) == {"AfterEpoch", "Diary", "Diary-2"}


def test_one_bar_shows_the_whole_run(capsys):
    run(epochs=3, callbacks=[ProgressBar(mininterval=0)])
    shown = capsys.readouterr().err
    for part in ("epoch 1/3", "batch loss=", "epoch 3/3", "9/9", "val_loss="):
        assert part in shown
    assert shown.count("\n") == 1


def test_the_absence_of_tqdm_is_named(monkeypatch):
    imports = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("tqdm"):
            raise ImportError(name)
        return imports(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="pip install tqdm"):
        run(progress=True)


@pytest.mark.parametrize("module", [callbacks, history, progress])
def test_the_examples_in_the_docstrings_hold(module):
    assert doctest.testmod(module).failed == 0
