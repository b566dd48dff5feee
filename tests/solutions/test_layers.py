"""Property: layers are pure functions that compose; what is learned, kept or random goes in and comes out."""

import doctest
import pickle

import numpy as np
import pytest

import gradschool as gs
from gradschool import layers, models
from gradschool.initializers import he
from gradschool.layers import Layer, activation, dense, sequential
from gradschool.models import count_parameters, mlp, predict, run_model
from gradschool.ops import leaky_relu, relu
from gradschool.trees import tree_leaves


def init_counter(rng, shape, dtype=float):
    return {}, {"seen": 0}, shape


def apply_counter(params, state, x, training=False, rng=None):
    """Keeps something, and draws something, but only while training."""
    if not training:
        return x, state
    return x + rng.normal(size=x.shape), {"seen": state["seen"] + len(x)}


counter = Layer(init_counter, apply_counter, "counter")


def net():
    return sequential(
        dense(7, init=he), relu, sequential(counter, dense(4, bias=False)), activation(leaky_relu, alpha=0.3)
    )


def test_a_sequential_layer_is_its_layers_one_after_the_other():
    rng = np.random.default_rng(0)
    params, state, shape = net().init(rng, (5,))
    x = rng.normal(size=(11, 5))
    W, b, V = params[0]["W"], params[0]["b"], params[2][1]["W"]
    h = np.maximum(x @ W + b, 0.0) @ V
    y, after = net().apply(params, state, x)
    np.testing.assert_allclose(y, np.where(h > 0, h, 0.3 * h), rtol=1e-12)
    assert (shape, after) == ((4,), state)
    assert count_parameters(params) == 5 * 7 + 7 + 7 * 4


def test_state_comes_out_and_the_old_one_is_left_alone():
    rng = np.random.default_rng(1)
    params, state, _ = net().init(rng, (5,))
    x = rng.normal(size=(11, 5))
    y, after = net().apply(params, state, x, training=True, rng=np.random.default_rng(3))
    again, _ = net().apply(params, state, x, training=True, rng=np.random.default_rng(3))
    np.testing.assert_array_equal(y, again)  # chance comes from the generator, and from nowhere else
    assert (state[2][0], after[2][0]) == ({"seen": 0}, {"seen": 11})


def test_layers_without_state_need_none():
    params, _, _ = mlp([7], 3, gs.tanh).init(np.random.default_rng(2), (5,))
    y, state = mlp([7], 3, gs.tanh).apply(params, None, np.ones((4, 5)))
    assert (y.shape, state) == ((4, 3), None)


def test_the_same_seed_draws_the_same_parameters_in_the_type_asked_for():
    a, b = (mlp([7, 6], 3, relu).init(np.random.default_rng(4), (5,), np.float32)[0] for _ in range(2))
    for p, q in zip(tree_leaves(a), tree_leaves(b), strict=True):
        np.testing.assert_array_equal(p, q)
        assert p.dtype == np.float32


def test_float32_stays_float32_through_a_network():
    model = mlp([7, 6], 3, relu)
    params, state, _ = model.init(np.random.default_rng(4), (5,), np.float32)
    assert model.apply(params, state, np.ones((4, 5), np.float32))[0].dtype == np.float32


def test_dense_takes_any_leading_axes():
    layer = dense(3)
    params, state, shape = layer.init(np.random.default_rng(5), (6, 5))
    assert layer.apply(params, state, np.ones((4, 6, 5)))[0].shape[1:] == shape == (6, 3)


def test_layers_pickle():
    model = pickle.loads(pickle.dumps(net()))
    params, state, _ = model.init(np.random.default_rng(6), (5,))
    np.testing.assert_array_equal(model.apply(params, state, np.ones((3, 5)))[0].shape, (3, 4))
    assert model.name == "sequential(dense(7), relu, sequential(counter, dense(4)), leaky_relu)"


def test_an_op_that_is_swapped_is_the_one_that_layers_call():
    calls = []

    def mine(X, W, b=None):
        calls.append(X.shape)
        return X @ W if b is None else X @ W + b

    params, state, _ = net().init(np.random.default_rng(7), (5,))
    with gs.using(dense=mine):
        net().apply(params, state, np.ones((3, 5)))
    assert calls == [(3, 5), (3, 7)]


def test_a_function_is_a_model_with_as_many_inputs_as_it_likes():
    twins = lambda params, a, b: a @ params - b @ params
    rng = np.random.default_rng(8)
    A, B, W = rng.normal(size=(11, 5)), rng.normal(size=(11, 5)), rng.normal(size=(5, 3))
    np.testing.assert_allclose(predict(twins, W, (A, B), batch_size=4), (A - B) @ W)
    y, state = run_model(twins, W, "kept", (A, B))
    assert (y.shape, state) == ((11, 3), "kept")


@pytest.mark.parametrize("batch_size", [1, 4, 11, 100])
def test_predictions_do_not_depend_on_the_batches(batch_size):
    params, state, _ = net().init(np.random.default_rng(9), (5,))
    x = np.random.default_rng(10).normal(size=(11, 5))
    expected, _ = net().apply(params, state, x)
    np.testing.assert_allclose(predict(net(), params, x, state, batch_size), expected, rtol=1e-12)


def test_a_model_with_several_outputs_predicts_a_tree():
    heads = lambda w, x: {"double": 2 * x, "both": (x, w * x)}
    found = predict(heads, 3.0, np.arange(5.0), batch_size=3)
    np.testing.assert_array_equal(found["both"][1], 3 * np.arange(5.0))


def test_what_does_not_fit_is_explained():
    params, state, _ = net().init(np.random.default_rng(11), (5,))
    with pytest.raises(ValueError, match=r"sequential: 4 layers, but 3 parameters and 4 states"):
        net().apply(params[:3], state, np.ones((3, 5)))
    with pytest.raises(ValueError, match=r"dense: .*\(3, 6\).*\(5, 7\)"):
        net().apply(params, state, np.ones((3, 6)))
    with pytest.raises(ValueError, match=r"samples with a feature axis, got shape \(\)"):
        dense(3).init(np.random.default_rng(0), ())
    with pytest.raises(ValueError, match="at least one unit"):
        dense(0)
    with pytest.raises(ValueError, match=r"same number of samples on their first axis, got \(3, 5\), \(4, 5\)"):
        predict(lambda w, a, b: a, 1.0, (np.ones((3, 5)), np.ones((4, 5))))
    with pytest.raises(ValueError, match="at least one sample"):
        predict(lambda w, x: x, 1.0, np.ones((0, 5)))
    with pytest.raises(ValueError, match="predict: expected a batch size of at least 1, a whole number, got 0"):
        predict(lambda w, x: x, 1.0, np.ones((3, 5)), batch_size=0)
    with pytest.raises(TypeError, match=r"first axis, got int at \[0\]\[0\]; make one array of a list"):
        predict(lambda w, x: x, 1.0, [[1, 2], [3, 4]])
    with pytest.raises(TypeError, match=r"a tuple of 2, .* return its y, net\.apply"):
        gs.evaluate(lambda p, x: net().apply(p, state, x), params, (np.ones((2, 5)), np.ones((2, 4))), gs.l2_loss)


NO_LAYERS = {
    "a name": (lambda: sequential(dense(3), "relu"), "got 'relu'; try the function itself, gs.relu"),
    "a name of no op": (lambda: sequential("relu6"), "got 'relu6'; try the function itself$"),
    "a list": (lambda: sequential([dense(3), relu]), r"got a list; unpack it: sequential\(\*layers\)"),
    "not called": (lambda: sequential(layers.batchnorm), r"got batchnorm, which makes one; call it: batchnorm\("),
    "an activation": (lambda: activation("tanh"), "try the function itself, gs.tanh"),
    "side by side": (lambda: layers.branches(dense(3), 5), "a layer, or a function .* of type int"),
}


@pytest.mark.parametrize(("make", "words"), NO_LAYERS.values(), ids=NO_LAYERS)
def test_what_is_no_layer_is_refused_where_it_is_written(make, words):
    with pytest.raises(TypeError, match=words):
        make()


SHAPED = {
    "dense": dense(3), "batchnorm": layers.batchnorm(), "layernorm": layers.layernorm(), "conv": layers.conv(3, 2),
    "maxpool": layers.maxpool(2), "global_avgpool": layers.global_avgpool(), "flatten": layers.flatten(),
    "lstm": layers.lstm(3), "multihead": layers.multihead(2), "sequential": net(),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPED)
def test_a_number_is_no_shape_of_a_sample(name):
    with pytest.raises(TypeError, match=rf"{name}: .* the shape of one sample, a tuple, got 5; try init\(rng, \(5,\)"):
        SHAPED[name].init(np.random.default_rng(0), 5)


def test_parameters_and_state_that_changed_places_are_named():
    params, state, _ = net().init(np.random.default_rng(0), (5,))
    with pytest.raises(ValueError, match=r"dense finds no 'W' among its .* call apply\(params, state, x"):
        net().apply(state, params, np.ones((2, 5)))


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(layers.base).failed == doctest.testmod(models).failed == 0
