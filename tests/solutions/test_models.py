"""Property: a model may be any function: of shared parameters, several inputs and outputs, with state and chance of its
own; training, evaluation and prediction treat it as they treat layers."""

import pickle

import numpy as np
import pytest

import gradschool as gs
from gradschool import layers
from gradschool.layers import dense, sequential
from gradschool.models import run_model, with_state

BODY = sequential(dense(6), layers.batchnorm(), gs.tanh, layers.dropout(0.2), dense(3))


def generator(seed=0):
    return np.random.default_rng(seed)


@with_state
def twins(params, state, a, b, training, rng):
    """Both inputs through one body, the second with the state that the first has left."""
    a, state = BODY.apply(params["body"], state, a, training, rng)
    b, state = BODY.apply(params["body"], state, b, training, rng)
    return gs.sigmoid(gs.dense(np.abs(a - b), params["W"])), state


def started():
    body, state, _ = BODY.init(generator(1), (4,))
    return {"body": body, "W": generator(2).normal(size=(3, 1))}, state


def pairs(n=50):
    rng = generator(3)
    A, B = rng.normal(2, 1, (n, 4)), rng.normal(2, 1, (n, 4))
    return (A, B), (np.sign(A[:, :1] - 2) != np.sign(B[:, :1] - 2)).astype(float)


def test_a_function_with_state_is_run_with_state_chance_and_mode():
    params, state = started()
    (A, B), _ = pairs()
    y, after = run_model(twins, params, state, (A, B), training=True, rng=generator(4))
    rng = generator(4)
    a, once = BODY.apply(params["body"], state, A, True, rng)
    b, twice = BODY.apply(params["body"], once, B, True, rng)
    np.testing.assert_allclose(y, gs.sigmoid(np.abs(a - b) @ params["W"]), rtol=1e-12)
    np.testing.assert_array_equal(after[1]["mean"], twice[1]["mean"])
    assert state[1]["mean"].tolist() == [0] * 6
    y, same = run_model(twins, params, after, (A, B))
    np.testing.assert_array_equal(same[1]["var"], after[1]["var"])
    np.testing.assert_allclose(gs.predict(twins, params, (A, B), after, batch_size=7), y, rtol=1e-12)


def test_it_trains_evaluates_and_predicts_as_layers_do():
    params, state = started()
    data, T = pairs(200)
    loss = lambda Y, T: np.mean((Y - T) ** 2)
    history = gs.train(
        twins, params, (data, T), gs.optimizer("adam"), loss, 60, rng=generator(5), state=state, lr=0.02,
        validation=(data, T),
    )  # fmt: skip
    found = gs.evaluate(twins, history.params, (data, T), loss, state=history.state, batch_size=33)
    assert found["loss"] == pytest.approx(history.epochs["val_loss"][-1], rel=1e-12)
    assert found["loss"] < 0.08
    P = gs.predict(twins, history.params, data, history.state)
    assert np.mean((P > 0.5) == T) > 0.9
    assert np.abs(history.state[1]["mean"]).max() > 0.1


def test_training_counts_every_use_of_shared_parameters_in_the_gradient():
    params, state = started()
    (A, B), T = pairs()

    def loss(W):
        body = [{**params["body"][0], "W": W}, *params["body"][1:]]
        Y, _ = run_model(twins, {**params, "body": body}, state, (A, B), True, generator(6))
        return np.mean((Y - T) ** 2)

    assert gs.gradient_check(loss, gs.grad(loss), params["body"][0]["W"]) < 1e-6


def test_chance_reaches_a_function_in_monte_carlo_prediction_and_the_state_stays():
    params, state = started()
    data, _ = pairs(9)
    mean, std = gs.mc_predict(twins, params, data, output=None, rng=generator(7), passes=20, state=state)
    assert mean.shape == std.shape == (9, 1)
    assert std.min() > 0
    assert state[1]["mean"].tolist() == [0] * 6


def test_several_outputs_with_a_loss_for_each():
    """A label and an angle from one trunk, as in the documentation's example of several outputs."""
    trunk, label, angle = sequential(dense(16), gs.tanh), dense(3), dense(1)
    rng = generator(8)
    net = sequential(trunk, layers.branches(label, angle, merge=None))
    X = rng.normal(size=(150, 5))
    T = gs.one_hot(np.digitize(X[:, 0], [-0.4, 0.4]), 3), X[:, 1:2] * 0.5
    loss = lambda Y, T: gs.softmax_cross_entropy(Y[0], T[0]) + 0.1 * gs.half_mse(Y[1], T[1])
    params, state, _ = net.init(rng, (5,))
    history = gs.train(net, params, (X, T), gs.optimizer("adam"), loss, 40, rng=rng, state=state, lr=0.02)
    scores, angles = gs.predict(net, history.params, X, history.state)
    assert gs.accuracy(scores, T[0]) > 0.9
    assert np.mean((angles - T[1]) ** 2) < 0.5 * T[1].var()


def test_a_function_with_state_pickles_and_one_that_forgets_the_state_is_told():
    assert pickle.loads(pickle.dumps(twins)) is twins
    assert pickle.loads(pickle.dumps(twins)).keeps_state

    @with_state
    def forgets(params, state, x, training, rng):
        return x

    with pytest.raises(TypeError, match=r"forgets: a function with_state returns \(Y, state\), got ndarray"):
        gs.predict(forgets, {}, np.ones((3, 2)))


def test_a_plain_function_sees_neither_state_nor_chance():
    y, state = run_model(lambda w, x: w * x, 2.0, "kept", np.ones(3), training=True, rng=generator())
    assert (y.tolist(), state) == ([2, 2, 2], "kept")
