"""Property: `train` is the plain loop, no more and no less: the same steps, honest means, nothing changed behind one's
back, and the parts that are swapped are the ones that run."""

import doctest
import math
import pickle

import numpy as np
import pytest

import gradschool as gs
from gradschool import batching, training
from gradschool.batching import batches, holdout
from gradschool.lbfgs import LBFGS
from gradschool.models import mlp
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


def test_a_loss_that_is_no_number_any_more_stops_with_step_rate_place_and_advice():
    X, T, params = problem()
    words = (
        r"the loss is (inf|nan) at step \d+ .* rate of 1e\+30\. All predictions are finite, so it "
        r"begins in the loss\. Try a tenth"
    )
    with pytest.raises(FloatingPointError, match=words):  # and no warning before it
        train(line, params, (X, T), gs.optimizer("sgd"), mean_square, 50, rng=np.random.default_rng(0), lr=1e30)


@pytest.mark.parametrize("opt", [gs.optimizer("sgd"), gs.lbfgs()], ids=["sgd", "lbfgs"])
def test_the_layer_where_it_begins_is_named(opt):
    X, T, _ = problem()
    model = gs.sequential(dense(7), gs.layers.activation(np.log), dense(3))
    params, state, _ = model.init(np.random.default_rng(1), (5,))
    words = r"the loss is nan at step 0 of epoch 1.* It begins at layer 2 \(log\) of 3, whose input was finite, up to"
    with np.errstate(invalid="ignore"), pytest.raises(FloatingPointError, match=words):
        train(model, params, (X, T), opt, mean_square, 1, rng=np.random.default_rng(0), state=state)


def test_progress_is_shown_only_when_asked_for(capsys):
    X, T, params = problem()
    run = lambda progress: train(
        line, params, (X, T), gs.optimizer("sgd"), mean_square, 1, rng=np.random.default_rng(0), progress=progress
    )
    run(False)
    assert capsys.readouterr().err == ""
    run(True)
    assert "epoch 1/1" in capsys.readouterr().err


def test_data_that_do_not_fit_are_refused():
    X, T, params = problem()
    run = lambda data, **kw: train(
        line, params, data, gs.optimizer("sgd"), mean_square, 1, rng=np.random.default_rng(0), **kw
    )
    with pytest.raises(ValueError, match=r"same number of samples .* got \(23, 5\), \(22, 3\)"):
        run((X, T[1:]))
    with pytest.raises(ValueError, match="at least one sample"):
        run((X[:0], T[:0]))
    with pytest.raises(ValueError, match="batch size of at least 1, a whole number, got 0"):
        run((X, T), batch_size=0)
    with pytest.raises(ValueError, match="shuffling needs a generator"):
        next(batches((X, T), 5))
    with pytest.raises(ValueError, match=r"a weight for each of 23 samples, got shape \(22,\)"):
        run((X, T), weights=np.ones(22))
    with pytest.raises(ValueError, match="1e-06 of 23 samples are 0; expected some in both parts"):
        holdout((X, T), 1e-6, np.random.default_rng(0))
    with pytest.raises(TypeError, match=r"got an array; try holdout\(\(X, T\), 0\.2, rng\)"):
        holdout(X, T, 0.2)
    with pytest.raises(TypeError, match="holdout: expected a generator to draw from, got 0"):
        holdout((X, T), 0.2, 0)
    with pytest.raises(ValueError, match="leave out lr, hyper, gradients"):
        train(line, params, (X, T), gs.lbfgs(), mean_square, 1, rng=np.random.default_rng(0), lr=0.1)


def fit(**changed):
    X, T, params = problem()
    given = {
        "model": line, "params": params, "data": (X, T), "optimizer": gs.optimizer("sgd"), "loss": mean_square,
        "epochs": 1, "rng": np.random.default_rng(0),
    }  # fmt: skip
    return train(**given | changed)


def apply_alone(params, x):
    return dense(3).apply(params, None, x)


X23, T23, _ = problem()
MISTAKEN = {
    "a name for an optimizer": ({"optimizer": "adam"}, TypeError, r"got 'adam'; try optimizer\(\"adam\", lr=...\)"),
    "its step": ({"optimizer": gs.adam}, TypeError, r"got the function adam; try optimizer\(\"adam\", lr=...\)"),
    "swapped": ({"optimizer": mean_square, "loss": gs.optimizer("sgd")}, TypeError, "and the loss behind it"),
    "no loss": ({"loss": "mse"}, TypeError, "expected a loss, a function of predictions and targets, got 'mse'"),
    "no model": ({"model": [dense(3)]}, TypeError, "expected a layer or a function model.* of type list"),
    "a loss of ranks": (
        {"loss": lambda Y, T: gs.accuracy(Y, np.argmax(T, 1))},
        TypeError,
        "a number without a derivative",
    ),
    "a constant loss": ({"loss": lambda Y, T: 0.5}, TypeError, "the loss is 0.5, a number without a derivative"),
    "a seed": ({"rng": 0}, TypeError, "expected a generator"),
    "lists": (
        {"data": (X23.tolist(), T23.tolist())},
        TypeError,
        r"first axis, got float at \[0\]\[0\]\[0\]; make one array",
    ),
    "batches": ({"data": batches((X23, T23), 5, shuffle=False)}, TypeError, r"data=\(X, T\), a pair .* got <generator"),
    "X alone": ({"data": X23}, TypeError, r"expected data=\(X, T\), a pair"),
    "three": ({"data": (X23, T23, T23)}, TypeError, "got 3 of them"),
    "layer's pair": ({"model": apply_alone}, TypeError, r"returned a tuple of 2, .*net.apply\(...\)\[0\]"),
    "a plateau": (
        {"lr": gs.schedules.reduce_on_plateau()},
        TypeError,
        "expected a number for lr, or a function of the step, got Plateau",
    ),
    "a schedule of words": (
        {"lr": lambda step: "slow"},
        TypeError,
        "a function of the step that gives one, got 'slow'",
    ),
    "hyper lr": ({"hyper": {"lr": 5.0}}, ValueError, "expected the rate as lr=5.0"),
    "metric loss": ({"metrics": {"loss": gs.mae_metric}}, ValueError, "metric cannot be named 'loss'"),
    "metric val": ({"metrics": {"val_loss": gs.mae_metric}}, ValueError, "metric cannot be named 'val_loss'"),
    "metric list": ({"metrics": [gs.mae_metric]}, TypeError, "expected metrics as a dict .* of type list"),
    "max_norm": ({"after_step": gs.max_norm}, TypeError, "lambda params, lr: max_norm"),
    "epochs": ({"epochs": -1}, ValueError, "expected epochs >= 0, a whole number, got -1"),
    "half an epoch": ({"epochs": 1.5}, ValueError, "expected epochs >= 0, a whole number, got 1.5"),
    "half a sample": ({"batch_size": 2.5}, ValueError, "a whole number, got 2.5"),
    "a negative rate": ({"lr": -1}, ValueError, "expected lr >= 0, got -1"),
    "a rate that is none": ({"lr": math.nan}, ValueError, "expected lr >= 0, got nan"),
    "a rate in words": ({"lr": "0.1"}, TypeError, "expected a number for lr, or a function of the step, got '0.1'"),
    "a strength": (
        {"penalty": 1e-3},
        TypeError,
        r"expected penalty to be a function of the parameters, got 0.001; try",
    ),
    "a penalty that wants one": (
        {"penalty": gs.l2_penalty},
        TypeError,
        r"with the parameters, which l2_penalty\(params, strength, where\) does not take; try penalty=lambda params",
    ),
    "clipping": (
        {"gradients": gs.clip_by_global_norm},
        TypeError,
        "which clip_by_global_norm would take for its limit",
    ),
    "gradients alone": (
        {"gradients": lambda g: g},
        TypeError,
        "gradients is called with gradients and parameters, which",
    ),
    "a maker": ({"model": dense}, TypeError, "got dense, which makes one; call it: dense"),
    "a loss of each": (
        {"loss": lambda Y, T: (Y - T) ** 2},
        ValueError,
        r"one number, a mean over the samples, got shape",
    ),
    "a share": ({"validation": 0.2}, TypeError, r"validation=\(X, T\), a pair .* got 0.2; holdout\("),
    "no share": ({"validation": 0}, TypeError, r"validation=\(X, T\), a pair .* got 0;"),
    "yes": ({"validation": True}, TypeError, "got True"),
    "empty": ({"validation": (X23[:0], T23[:0])}, ValueError, "at least one sample for validation"),
    "one callback": (
        {"callbacks": gs.EarlyStopping()},
        TypeError,
        r"list of callbacks, got EarlyStopping; try callbacks=\[",
    ),
    "a class": ({"callbacks": [gs.EarlyStopping]}, TypeError, r"got its class EarlyStopping; try EarlyStopping\(\)"),
    "no callback": ({"callbacks": ["print"]}, TypeError, "derives from Callback, got str"),
    "a file": ({"resume": "run.npz"}, TypeError, "expected a History for resume, got 'run.npz'; try History.load"),
}


@pytest.mark.parametrize(("changed", "error", "words"), MISTAKEN.values(), ids=MISTAKEN)
def test_what_is_something_else_is_refused_before_a_step_is_done(changed, error, words):
    steps = []
    with pytest.raises(error, match=words):
        fit(**{"after_step": lambda params, lr: steps.append(lr) or params} | changed)
    assert not steps


def test_validation_data_that_do_not_fit_are_found_before_the_first_step():
    steps = []
    with pytest.raises(ValueError, match="matmul") as found:
        fit(validation=(X23[:, 1:], T23), after_step=lambda params, lr: steps.append(lr) or params)
    assert found.value.__notes__ == ["train: this is what the validation data led to, before the first step"]
    assert not steps


@pytest.mark.parametrize("row", [3, 22])
@pytest.mark.parametrize("part", [0, 1])
def test_nan_in_the_validation_data_is_found_and_its_place_told(part, row):
    bad = X23.copy(), T23.copy()
    bad[part][row, 2] = np.nan
    words = (
        rf"the validation loss is nan; it begins at the {('input', 'target')[part]}, which holds nan at \[{row}, 2\]"
    )
    with pytest.raises(FloatingPointError, match=words):
        fit(validation=bad, batch_size=5)


@pytest.mark.parametrize("part", [0, 1])
def test_nan_is_told_by_its_row_in_the_data_and_not_in_the_shuffled_batch(part):
    bad = X23.copy(), T23.copy()
    bad[part][17, 1] = np.nan
    words = rf"It begins at the {('input', 'target')[part]}, which holds nan at \[17, 1\] of the data\. Try"
    with pytest.raises(FloatingPointError, match=words):
        fit(data=bad, batch_size=5)


@pytest.mark.parametrize("opt", [gs.optimizer("adam"), gs.optimizer("sgd")])
def test_a_gradient_that_is_no_number_does_not_end_a_run_in_silence(opt):
    root_of_zero = lambda Y, T: np.sqrt(((Y - Y) ** 2).sum()) + mean_square(Y, T)
    words = r"the loss was finite, but .* after step 0 of epoch 1 .* numbers, W holds nan at \[0, 0\]\. Look for a root"
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match=words):
        fit(optimizer=opt, loss=root_of_zero)


def test_l_bfgs_gets_all_samples_unless_told_otherwise_and_others_32():
    X, T = np.ones((70, 5)), np.ones((70, 3))
    assert fit(data=(X, T), optimizer=gs.lbfgs()).steps_per_epoch == 1
    assert fit(data=(X, T)).steps_per_epoch == batching.count_steps((X, T), 32) == 3


def test_an_optimizer_of_ones_own_keeps_the_rate_that_is_its_default():
    def update(params, grads, state, lr=0.5):
        return gs.update_each(lambda p, g: p - lr * g, params, grads), state

    own = fit(optimizer=gs.Optimizer(lambda params: {}, update))
    np.testing.assert_array_equal(own.params["W"], fit(lr=0.5).params["W"])
    with_blocks = fit(optimizer=gs.Optimizer(lambda params: {}, update, elementwise=True))
    np.testing.assert_array_equal(with_blocks.params["W"], own.params["W"])


# -------------------------------------------------------------------------------------------- what else a step may need
def by_hand(step, epochs=2, batch_size=10, seed=1):
    """Parameters after a loop in which `step(params, X, T, k)` is everything."""
    X, T, params = problem()
    rng, k = np.random.default_rng(seed), 0
    for _ in range(epochs):
        order = rng.permutation(23)
        for start in range(0, 23, batch_size):
            which = order[start : start + batch_size]
            params, k = step(params, X[which], T[which], k, which), k + 1
    return params


def trained(opt="sgd", epochs=2, loss=mean_square, **options):
    X, T, params = problem()
    return train(
        line, params, (X, T), gs.optimizer(opt), loss, epochs, rng=np.random.default_rng(1), batch_size=10, **options
    )


def assert_same(found, expected):
    for name in ("W", "b"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-10)


def descend(params, grads, lr):
    return {name: params[name] - lr * grads[name] for name in params}


def test_gradients_can_be_clipped_before_the_step():
    def step(params, X, T, k, which):
        return descend(params, gs.clip_by_global_norm(slope(params, X, T), 0.3), 0.2)

    found = trained(lr=0.2, gradients=lambda grads, params: gs.clip_by_global_norm(grads, 0.3))
    assert_same(found.params, by_hand(step))


def test_a_penalty_is_part_of_the_loss_and_of_the_validation():
    def step(params, X, T, k, which):
        grads = slope(params, X, T)
        return descend(params, grads | {"W": grads["W"] + 2 * 0.1 * params["W"]}, 0.2)

    X, T, _ = problem()
    found = trained(lr=0.2, penalty=lambda params: gs.l2_penalty(params, 0.1), validation=(X, T))
    assert_same(found.params, by_hand(step))
    total = mean_square(line(found.params, X), T) + 0.1 * np.sum(found.params["W"] ** 2)
    assert found.epochs["val_loss"][-1] == pytest.approx(total)


def test_parameters_can_be_constrained_or_decayed_after_the_step():
    rates = lambda k: 0.2 / (1 + k)

    def constrained(params, X, T, k, which):
        return gs.max_norm(descend(params, slope(params, X, T), rates(k)), 0.8)

    def decayed(params, X, T, k, which):
        return gs.decay_weights(descend(params, slope(params, X, T), rates(k)), rates(k), 0.3)

    found = trained(lr=rates, after_step=lambda params, lr: gs.max_norm(params, 0.8))
    assert_same(found.params, by_hand(constrained))
    assert np.linalg.norm(found.params["W"], axis=0).max() <= 0.8 + 1e-12
    found = trained(lr=rates, after_step=lambda params, lr: gs.decay_weights(params, lr, 0.3))
    assert_same(found.params, by_hand(decayed))


def test_momentum_follows_a_schedule_of_its_own():
    steps = 20 * 3
    lr, beta = gs.schedules.one_cycle(0.1, steps), gs.schedules.one_cycle_momentum(steps)
    state = {"v": {"W": np.zeros((5, 3)), "b": np.zeros(3)}}

    def step(params, X, T, k, which):
        nonlocal state
        params, state = gs.momentum(params, slope(params, X, T), state, lr=float(lr(k)), beta=float(beta(k)))
        return params

    found = trained("momentum", epochs=20, lr=lr, hyper={"beta": beta})
    assert_same(found.params, by_hand(step, epochs=20))
    assert found.hyper == {"beta": [float(beta(k)) for k in range(steps)]}
    with pytest.raises(TypeError, match="momentum has no option 'bta'"):
        trained("momentum", hyper={"bta": beta})


def test_rates_can_be_constant_within_an_epoch():
    found = trained(lr=gs.schedules.per_epoch(gs.schedules.exponential(0.1, 1, factor=0.5), steps_per_epoch=3))
    assert found.rates == [0.1] * 3 + [0.05] * 3


def test_samples_count_by_their_weights():
    w = np.random.default_rng(8).uniform(0, 2, 23)

    def step(params, X, T, k, which):
        g = 2 * (line(params, X) - T) * w[which][:, None] / len(X)
        return descend(params, {"W": X.T @ g, "b": g.sum(0)}, 0.05)

    found = trained(lr=0.05, loss=gs.l2_loss, weights=w, metrics={"mae": gs.mae_metric})
    assert_same(found.params, by_hand(step))
    X, T, params = problem()
    whole = train(
        line, params, (X, T), gs.optimizer("sgd", lr=0.0), gs.l2_loss, 1, rng=np.random.default_rng(0), weights=w
    )
    assert whole.losses == [pytest.approx(float(gs.l2_loss(line(params, X), T, weights=w[:, None])))]


def test_several_inputs_and_outputs_are_trees():
    """Wide and deep: two inputs, a main and an auxiliary output with weights 0.9 and 0.1."""
    rng = np.random.default_rng(3)
    wide, deep, t = rng.normal(size=(40, 5)), rng.normal(size=(40, 6)), rng.normal(size=(40, 1))
    params = {"h": rng.normal(size=(6, 7)), "main": rng.normal(size=(12, 1)), "aux": rng.normal(size=(7, 1))}

    def model(p, wide, deep):
        h = gs.tanh(deep @ p["h"])
        return {"main": np.concatenate([wide, h], axis=1) @ p["main"], "aux": h @ p["aux"]}

    def loss(Y, T):
        return 0.9 * mean_square(Y["main"], T["main"]) + 0.1 * mean_square(Y["aux"], T["aux"])

    data = ((wide, deep), {"main": t, "aux": t})
    rest, held_out = holdout(data, 0.25, rng)
    assert [len(leaf) for leaf in tree_leaves(held_out)] == [10] * 4
    history = train(model, params, rest, gs.optimizer("adam"), loss, 60, rng=rng, lr=0.02, validation=held_out)
    assert history.epochs["loss"][-1] < 0.3 * history.epochs["loss"][0]
    assert history.epochs["val_loss"][-1] == pytest.approx(
        float(loss(gs.predict(model, history.params, held_out[0]), held_out[1]))
    )


def test_l_bfgs_trains_on_all_samples_as_its_own_update_does():
    X, T, _ = problem()
    model = mlp([7], 3, gs.tanh)
    params, state, _ = model.init(np.random.default_rng(1), (5,))
    opt, order = gs.lbfgs(), np.random.default_rng(0).permutation(23)
    history = train(
        model, params, (X, T), opt, mean_square, 3, rng=np.random.default_rng(0), state=state, batch_size=23,
        validation=(X, T), metrics={"mae": gs.mae_metric}, penalty=lambda params: gs.l2_penalty(params, 1e-3),
    )  # fmt: skip
    f = lambda p: mean_square(model.apply(p, state, X[order])[0], T[order]) + gs.l2_penalty(p, 1e-3)
    memory, losses = opt.init(params), []
    for _ in range(3):
        losses.append(float(f(params)))
        params, memory = opt.update(gs.value_and_grad(f), params, memory)
    np.testing.assert_allclose(history.losses, losses, rtol=1e-12)
    assert history.epochs["val_loss"][-1] == pytest.approx(float(f(params)), rel=1e-6)
    assert np.isnan(history.rates).all()


def test_l_bfgs_with_dropout_compares_losses_of_the_same_mask():
    X, T, _ = problem()
    model = gs.sequential(dense(20), gs.tanh, gs.layers.dropout(0.3), dense(3))
    params, state, _ = model.init(np.random.default_rng(1), (5,))
    history = train(
        model, params, (X, T), gs.lbfgs(), mean_square, 8, rng=np.random.default_rng(0), state=state, batch_size=23
    )
    assert history.optimizer_state["status"] == "completed"
    assert history.epochs["loss"][-1] < history.epochs["loss"][0]


# --------------------------------------------------------------------------------------------------------------- resume
@pytest.mark.parametrize("opt", [gs.optimizer("nadam"), gs.lbfgs()], ids=["nadam", "lbfgs"])
def test_a_resumed_run_is_to_the_last_bit_the_uninterrupted_one(opt):
    X, T, _ = problem()
    model = gs.sequential(dense(7), gs.layers.batchnorm(), gs.tanh, gs.layers.dropout(0.2), dense(3))
    params, state, _ = model.init(np.random.default_rng(1), (5,))

    def run(epochs, seed, **options):
        slow = {} if isinstance(opt, LBFGS) else {"lr": gs.schedules.one_cycle(0.1, 30)}
        return train(
            model, params, (X, T), opt, mean_square, epochs, rng=np.random.default_rng(seed), state=state,
            batch_size=10, validation=(X, T), callbacks=[gs.EarlyStopping(patience=9, restore_best=False)],
            **slow, **options,
        )  # fmt: skip

    whole, part = run(6, 5), run(2, 5)
    before = pickle.dumps(part)
    resumed = run(6, 99, resume=pickle.loads(before))
    assert pickle.dumps(part) == before
    assert resumed.losses == whole.losses
    assert resumed.epochs == whole.epochs
    assert resumed.rng == whole.rng
    for ours, theirs in zip(
        tree_leaves((resumed.params, resumed.state, resumed.optimizer_state, resumed.memories)),
        tree_leaves((whole.params, whole.state, whole.optimizer_state, whole.memories)),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_a_run_is_resumed_with_its_own_model_and_optimizer():
    begun = fit(optimizer=gs.optimizer("adam"))
    other = {"W": np.zeros((5, 8)), "b": np.zeros(8)}
    with pytest.raises(
        ValueError, match=r"run of another model than params; .*W has shape \(5, 8\), expected \(5, 3\)"
    ):
        fit(optimizer=gs.optimizer("adam"), params=other, epochs=2, resume=begun)
    for opt in (gs.optimizer("sgd"), gs.lbfgs()):
        with pytest.raises(ValueError, match=r"remembers \['m', 't', 'v'\], this one needs .* begin anew"):
            fit(optimizer=opt, epochs=2, resume=begun)
    with pytest.raises(ValueError, match=r"remembers \[\], this one needs \['m', 't', 'v'\]"):
        fit(optimizer=gs.optimizer("adam"), epochs=2, resume=fit())
    assert fit(optimizer=gs.optimizer("adam"), params=None, epochs=2, resume=begun).epochs_done == 2


def test_a_history_says_which_epoch_was_best_and_survives_json():
    history = gs.History({}, losses=[np.nan, 1.0], epochs={"val_loss": [3.0, np.nan, 1.0, 1.0], "val_acc": [0.5, 0.9]})
    assert history.best_epoch() == 3
    assert history.best_epoch("val_acc", maximize=True) == 2
    assert gs.History({}, epochs={"val_loss": [np.nan]}).best_epoch() == 0
    found = gs.History.from_json(history.to_json())
    np.testing.assert_equal(found.to_dict(), history.to_dict())
    with pytest.raises(ValueError, match="expected the keys"):
        gs.History.from_json("[]")


@pytest.mark.parametrize("module", [training, batching])
def test_the_examples_in_the_docstrings_hold(module):
    assert doctest.testmod(module).failed == 0
