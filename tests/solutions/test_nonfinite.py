"""Property: the layer that made the first nan or infinity is named, with what went in; a sound model gives None."""

import doctest

import numpy as np
import pytest

import gradschool as gs
from gradschool import nonfinite
from gradschool.layers import branches, dense, dropout, each, identity, lstm, residual, sequential
from gradschool.nonfinite import first_nonfinite


def generator(seed=0):
    return np.random.default_rng(seed)


def started(net, shape):
    params, state, _ = net.init(generator(1), shape)
    return params, state


def test_a_sound_model_gives_none():
    net = sequential(gs.layers.batchnorm(), dense(4), gs.relu, dropout(0.5), branches(dense(3), gs.softmax))
    X = generator(2).normal(size=(6, 5))
    assert first_nonfinite(net, *started(net, (5,)), X, training=True, rng=generator(3)) is None
    assert first_nonfinite(lambda w, x: gs.tanh(x @ w), np.ones((5, 2)), None, X) is None


@pytest.mark.parametrize("place", [0, 2, 4])
def test_the_layer_that_overflows_is_named_with_its_place_and_what_went_in(place):
    net = sequential(dense(4), gs.relu, dense(3), gs.relu, dense(2))
    params, state = started(net, (5,))
    params[place]["W"][:] = 1e200 if place else 1e307  # finite, but its products are not
    params[(place + 2) % 6]["b"] += 0.5
    X = np.full((6, 5), 1e150)
    found = first_nonfinite(net, params, state, X)
    units = (4, 3, 2)[place // 2]
    assert found.startswith(f"layer {place + 1} (dense({units})) of 5, whose input was finite, up to ")
    assert found.endswith("and its parameters up to 1e+200" if place else "and its parameters up to 1e+307")


def test_a_layer_in_a_layer_is_found_whatever_the_composition():
    inner = sequential(np.tanh, np.log)
    net = sequential(
        dense(5), residual(dense(5), inner, shortcut=dense(5)), branches(identity, identity, merge="add"), dense(2)
    )
    params, state = started(net, (5,))
    found = first_nonfinite(net, params, state, generator(2).normal(size=(6, 5)))
    where, largest = found.split(", whose input was finite, up to ")
    assert where == (
        "layer 2 (log) of 2 in layer 2 (sequential) of 2 in layer 2 (sequential) of 2 in layer 2 (residual) of 4"
    )
    assert 0 < float(largest) <= 1  # it comes out of tanh


def test_a_merge_that_overflows_is_blamed_itself():
    net = sequential(each(identity, identity, merge="add"), np.tanh)
    huge = np.full((3, 2), 1.5e308)
    found = first_nonfinite(net, *started(net, ((2,), (2,))), (huge, huge))
    assert found == "layer 1 (each) of 2, whose input was finite, up to 1.5e+308"


def test_parameters_and_statistics_and_inputs_that_were_bad_before_are_blamed():
    net = sequential(dense(4), gs.layers.batchnorm(), dense(3))
    params, state = started(net, (5,))
    X = generator(2).normal(size=(6, 5))
    params[2]["W"][1, 2] = np.inf
    assert first_nonfinite(net, params, state, X) == "layer 3 (dense(3)) of 3, whose W holds inf at [1, 2]"
    state[1]["var"][3] = np.nan
    assert first_nonfinite(net, params, state, X) == "layer 2 (batchnorm) of 3, whose var holds nan at [3]"
    X[4, 1] = -np.inf
    assert first_nonfinite(net, params, state, X) == "the input, which holds -inf at [4, 1]"


def test_statistics_that_overflow_while_the_output_is_fine_are_found():
    net = sequential(dense(2), gs.layers.batchnorm())
    params, state = started(net, (3,))
    params[0]["W"] *= 1e200
    found = first_nonfinite(net, params, state, generator(2).normal(size=(6, 3)), training=True)
    assert found.startswith("layer 2 (batchnorm) of 2, whose input was finite, up to ")


def test_nan_in_the_padding_of_sequences_does_no_harm():
    X, lengths = generator(2).normal(size=(3, 5, 2)), np.array([5, 2, 3])
    X[1, 2:] = np.nan
    net = sequential(lstm(4), dense(2))
    params, state = started(net, ((5, 2), ()))
    assert first_nonfinite(net, params, state, (X, lengths)) is None


def test_a_single_layer_is_named_too():
    params, state = started(dense(2), (3,))
    params["W"] *= 9
    found = first_nonfinite(dense(2), params, state, np.full((4, 3), 1.7e308) * np.sign(params["W"][:, 0]))
    assert found.startswith("the layer dense(2), whose input was finite, up to 1.7e+308, and its parameters up to ")


def test_in_a_function_the_op_is_named_also_one_that_is_replaced():
    def model(params, a, b):
        return gs.softmax(gs.softplus(gs.dense(a, params["W"])) / gs.dense(b, params["W"]))

    A, B = generator(2).normal(size=(6, 5)), np.zeros((6, 5))
    params = {"W": generator(1).normal(size=(5, 3))}
    assert first_nonfinite(model, params, None, (A, A)) is None
    found = first_nonfinite(model, params, None, (A, B))
    assert found == "call 4 of an op (softmax), whose input holds inf at [0, 0], made by NumPy before it"
    mine = lambda X, W: X @ W * 1e308 * 1e10
    with gs.using(dense=mine):
        found = first_nonfinite(model, params, None, (A, A))
    assert found.startswith("call 1 of an op (dense), whose input was finite, up to ")


def test_in_a_function_of_numpy_alone_the_function_is_named():
    model = lambda w, x: np.log(gs.tanh(x) * w)
    found = first_nonfinite(model, np.float64(0.0), None, np.ones((3, 2)))
    assert found == "the model function, after 1 calls of ops whose results were finite"
    assert first_nonfinite(model, {"w": np.array([np.nan])}, None, np.ones(3)) == "the parameters, w holds nan at [0]"


def test_the_examples_in_the_docstring_hold():
    assert doctest.testmod(nonfinite).failed == 0


def test_a_solver_that_gives_up_is_named_as_the_layer_that_it_is():
    net = sequential(gs.layers.ode(gs.layers.activation(lambda y: y**2), (0.0, 2.0)), dense(3))
    params, state = started(net, (2,))
    X, T = generator(1).normal(size=(40, 2)) + 2, gs.one_hot(generator(2).integers(0, 3, 40), 3)
    adam = gs.optimizer("adam")
    with pytest.raises(FloatingPointError, match=r"no step is small.* It begins at layer 1 \(.*\) of 2, whose input"):
        gs.train(net, params, (X, T), adam, gs.softmax_cross_entropy, 1, rng=generator(3), state=state)


def test_lbfgs_says_that_a_gradient_is_none():
    root_of_nothing = lambda Y, T: np.sqrt(np.sum((Y - Y) ** 2))
    data = np.ones((3, 2)), np.ones((3, 1))
    with pytest.raises(FloatingPointError, match=r"the loss is 0, but its gradient is nan or infinite at step 0"):
        gs.train(lambda p, x: x @ p, np.ones((2, 1)), data, gs.lbfgs(), root_of_nothing, 5, rng=generator(0))
