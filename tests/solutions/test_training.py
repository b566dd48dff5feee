"""Property: `train` is the plain loop, no more and no less: the same steps, honest means, nothing changed behind one's
back, and the parts that are swapped are the ones that run."""

import builtins
import doctest
import pickle

import numpy as np
import pytest

import gradschool as gs
from gradschool import training
from gradschool.models import mlp
from gradschool.batching import batches
from gradschool.training import evaluate, train
from gradschool.trees import tree_leaves

from .test_layers import counter, dense, sequential


def mean_square(Y, T):
    return ((Y - T) ** 2).mean()


def line(params, X):
    return X @ params["W"] + params["b"]


def problem(n=23, seed=0):
    rng = np.random.default_rng(seed)
    X, params = rng.normal(size=(n, 5)), {"W": rng.normal(size=(5, 3)), "b": rng.normal(size=3)}
    return X, np.tanh(X @ rng.normal(size=(5, 3))), params


def slope(params, X, T):
    """The gradient of the mean square of `line`, by hand."""
    g = 2 * (line(params, X) - T) / T.size
    return {"W": X.T @ g, "b": g.sum(0)}


@pytest.mark.parametrize("name", ["sgd", "adam", "nadam"])
def test_training_is_the_plain_loop(name):
    X, T, params = problem()
    rate = lambda step: 0.1 / (1 + step)
    opt = gs.optimizer(name)
    history = train(
        line, params, (X, T), opt, mean_square, epochs=3, rng=np.random.default_rng(7), lr=rate, batch_size=5
    )
    rng, state, losses = np.random.default_rng(7), opt.init(params), []
    for _ in range(3):
        order = rng.permutation(23)
        for start in range(0, 23, 5):
            x, t = X[order[start : start + 5]], T[order[start : start + 5]]
            losses.append(mean_square(line(params, x), t))
            params, state = opt.update(params, slope(params, x, t), state, rate(len(losses) - 1))
    np.testing.assert_allclose(history.losses, losses, rtol=1e-10)
    np.testing.assert_allclose(history.rates, [rate(k) for k in range(15)])
    np.testing.assert_allclose(history.params["W"], params["W"], rtol=1e-10)


def test_epochs_are_means_over_samples_although_the_last_batch_is_short():
    X, T, params = problem()
    still = gs.optimizer("sgd", lr=0.0)
    bias = lambda Y, T: float(np.mean(Y - T))
    history = train(
        line, params, (X, T), still, mean_square, epochs=2, rng=np.random.default_rng(0), batch_size=10,
        validation=(X[:7], T[:7]), metrics={"bias": bias},
    )  # fmt: skip
    Y = line(params, X)
    expected = {
        "loss": mean_square(Y, T), "bias": bias(Y, T),
        "val_loss": mean_square(Y[:7], T[:7]), "val_bias": bias(Y[:7], T[:7]),
    }  # fmt: skip
    assert history.epochs.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(history.epochs[key], [value] * 2, rtol=1e-12)
    found = evaluate(line, params, (X, T), mean_square, {"bias": bias}, batch_size=4)
    assert found == pytest.approx({"loss": expected["loss"], "bias": expected["bias"]}, rel=1e-12)


def test_the_same_seed_gives_the_same_run_and_what_was_given_is_unchanged():
    X, T, params = problem()
    model = mlp([7], 3, gs.tanh)
    params, state, _ = model.init(np.random.default_rng(1), (5,))
    given = pickle.dumps((X, T, params, state))
    runs = [
        train(model, params, (X, T), gs.optimizer("adam"), mean_square, 2, rng=np.random.default_rng(3), state=state)
        for _ in range(2)
    ]
    assert runs[0].losses == runs[1].losses
    assert pickle.dumps((X, T, params, state)) == given
    for p in tree_leaves(params):
        for q in tree_leaves(runs[0].params):
            assert not np.may_share_memory(p, q)


def test_state_is_handed_on_from_step_to_step_and_validation_leaves_it_alone():
    X, T, _ = problem()
    model = sequential(counter, dense(3))
    params, state, _ = model.init(np.random.default_rng(2), (5,))
    history = train(
        model, params, (X, T), gs.optimizer("sgd"), mean_square, 2, rng=np.random.default_rng(4), state=state,
        validation=(X, T),
    )  # fmt: skip
    assert history.state[0] == {"seen": 46}
    assert history.epochs["val_loss"][-1] == pytest.approx(
        evaluate(model, history.params, (X, T), mean_square, state=history.state)["loss"]
    )


def test_a_network_learns_what_a_line_cannot():
    """Two arms of a spiral: a third of the samples are never seen in training."""
    rng = np.random.default_rng(5)
    turn, arm = rng.uniform(0.5, 3, 300), rng.integers(0, 3, 300)
    angle = 2 * turn + arm * 2 * np.pi / 3
    X, T = np.stack([turn * np.cos(angle), turn * np.sin(angle)], 1), np.eye(3)[arm]
    model = mlp([24, 20], 3, gs.elu)
    params, state, _ = model.init(rng, (2,))
    history = train(
        model, params, (X[:200], T[:200]), gs.optimizer("nadam"), gs.softmax_cross_entropy, 60, rng=rng, state=state,
        lr=0.02, validation=(X[200:], T[200:]), metrics={"accuracy": gs.accuracy},
    )  # fmt: skip
    assert history.epochs["loss"][-1] < 0.1 < 1.0 < history.epochs["loss"][0]
    assert history.epochs["val_accuracy"][-1] > 0.9


def test_any_mix_of_parts_can_be_swapped():
    X, T, _ = problem()
    model = mlp([7], 3, gs.relu)
    params, state, _ = model.init(np.random.default_rng(6), (5,))
    run = lambda: train(
        model, params, (X, T), gs.optimizer("momentum"), gs.l2_loss, 1, rng=np.random.default_rng(0), state=state
    )
    calls = {"relu": 0, "momentum": 0, "l2_loss": 0}

    def spy(name, function):
        def called(*args, **kwargs):
            calls[name] += 1
            return function(*args, **kwargs)

        return called

    def plain_momentum(params, grads, state, lr):
        v = gs.update_each(lambda v, g: 0.9 * v - lr * g, state["v"], grads)
        return gs.update_each(lambda p, v: p + v, params, v), {"v": v}

    def l2(Y, T, **options):
        return ((Y - T) ** 2).sum() / len(Y)

    expected = run().losses
    with gs.using(
        relu=spy("relu", lambda x: np.maximum(x, 0)),
        momentum=spy("momentum", plain_momentum),
        l2_loss=spy("l2_loss", l2),
    ):
        found = run().losses
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    assert set(calls.values()) == {1}  # 23 samples are one batch


def test_float32_stays_float32_with_a_schedule_of_numpys_numbers():
    X, T, params = problem()
    params = {name: p.astype(np.float32) for name, p in params.items()}
    data = (X.astype(np.float32), T.astype(np.float32))
    rate = lambda step: np.float64(0.1)
    history = train(line, params, data, gs.optimizer("adam"), mean_square, 2, rng=np.random.default_rng(0), lr=rate)
    assert {p.dtype for p in tree_leaves(history.params)} == {np.dtype(np.float32)}


def test_the_rate_that_was_used_is_recorded_also_where_the_optimizer_chose_it():
    X, T, params = problem()
    run = lambda opt, **kw: train(line, params, (X, T), opt, mean_square, 1, rng=np.random.default_rng(0), **kw).rates
    assert run(gs.optimizer("adagrad")) == [0.01]
    assert run(gs.optimizer("adagrad", lr=0.3)) == [0.3]
    assert run(gs.optimizer("adagrad", lr=0.3), lr=0.2) == [0.2]
    own = gs.Optimizer(lambda params: {}, lambda params, grads, state, lr=None: (params, state))
    assert np.isnan(run(own)).all()


def test_batches_show_every_sample_once_and_in_another_order_each_time():
    rng, X = np.random.default_rng(9), np.arange(23)
    orders = []
    for _ in range(3):
        parts = [x for x, _ in batches((X, {"t": X}), 5, rng)]
        assert [len(x) for x in parts] == [5, 5, 5, 5, 3]
        orders.append(tuple(np.concatenate(parts)))
        assert sorted(orders[-1]) == list(range(23))
    assert len(set(orders)) == 3


def test_a_loss_that_is_no_number_any_more_stops_with_step_rate_and_advice():
    X, T, params = problem()
    with (
        np.errstate(over="ignore", invalid="ignore"),
        pytest.raises(FloatingPointError, match=r"the loss is (inf|nan) at step \d+ .* rate of 1e\+30\. Try a tenth"),
    ):
        train(line, params, (X, T), gs.optimizer("sgd"), mean_square, 50, rng=np.random.default_rng(0), lr=1e30)


def test_progress_is_shown_only_when_asked_for(monkeypatch, capsys):
    X, T, params = problem()
    run = lambda progress: train(
        line, params, (X, T), gs.optimizer("sgd"), mean_square, 1, rng=np.random.default_rng(0), progress=progress
    )
    run(False)
    assert capsys.readouterr().err == ""
    run(True)
    assert "epoch 1/1" in capsys.readouterr().err
    imports = builtins.__import__

    def without_tqdm(name, *args, **kwargs):
        if name.startswith("tqdm"):
            raise ImportError(name)
        return imports(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_tqdm)
    run(False)
    with pytest.raises(ImportError, match="needs tqdm; pip install tqdm"):
        run(True)


def test_data_that_do_not_fit_are_refused():
    X, T, params = problem()
    run = lambda data, **kw: train(
        line, params, data, gs.optimizer("sgd"), mean_square, 1, rng=np.random.default_rng(0), **kw
    )
    with pytest.raises(ValueError, match=r"same number of samples .* got \(23, 5\), \(22, 3\)"):
        run((X, T[1:]))
    with pytest.raises(ValueError, match="at least one sample"):
        run((X[:0], T[:0]))
    with pytest.raises(ValueError, match="batch size of at least 1, got 0"):
        run((X, T), batch_size=0)
    with pytest.raises(ValueError, match="shuffling needs a generator"):
        next(batches((X, T), 5))


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(training).failed == 0
