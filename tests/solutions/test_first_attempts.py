"""Property: what people try first, from habit or by mistake, is answered with what came and what to try instead."""

import copy
import pickle
import warnings

import numpy as np
import pytest

import gradschool as gs
from gradschool import layers

X, Y = np.ones((6, 4)), np.ones((6, 2))
RNG = np.random.default_rng(0)
NET = gs.sequential(layers.dense(3), gs.relu, layers.dense(2))
PARAMS, STATE, _ = NET.init(RNG, (4,))


def trained(params=PARAMS, data=(X, Y), **options):
    options = {"epochs": 2, "lr": 0.01, "optimizer": gs.optimizer("sgd")} | options
    return gs.train(NET, params, data, loss=gs.half_mse, rng=np.random.default_rng(0), state=STATE, **options)


ATTEMPTS = {
    "inputs, outputs": (lambda: layers.dense(64, 10), TypeError, r"an initializer such as gs.he, got 10; how many"),
    "an activation": (
        lambda: layers.dense(64, gs.relu),
        TypeError,
        r"got gs.relu; .* sequential\(dense\(...\), gs.relu",
    ),
    "a name": (lambda: layers.dense(64, "he"), TypeError, "expected an initializer such as gs.he, got 'he'"),
    "for attention": (lambda: layers.multihead(2, init=64), TypeError, "multihead: expected an initializer"),
    "half a unit": (
        lambda: layers.dense(2.5),
        ValueError,
        "dense: expected at least one unit, a whole number, got 2.5",
    ),
    "units in words": (lambda: layers.lstm("64"), ValueError, "lstm: expected at least one unit, .* got '64'"),
    "an op for a layer": (
        lambda: gs.dense(64),
        TypeError,
        r"dense: missing .* 'W'; .* a layer is gs.layers.dense\(...\)",
    ),
    "one with options": (lambda: gs.dropout(0.5), TypeError, r"dropout: missing .* a layer is gs.layers.dropout\("),
    "an option": (lambda: gs.relu(X, inplace=True), TypeError, "relu: got an unexpected keyword argument 'inplace'$"),
    "an op in a net": (
        lambda: gs.sequential(gs.batchnorm),
        TypeError,
        r"needs gamma and beta beside x; try gs.layers.b",
    ),
    "an unmade layer": (lambda: gs.sequential(layers.batchnorm), TypeError, r"which makes one; call it: batchnorm"),
    "init turned round": (
        lambda: layers.dense(3).init((4,), RNG),
        TypeError,
        r"got a generator; .* init\(rng, shape\)",
    ),
    "apply turned round": (lambda: NET.apply(STATE, PARAMS, X), ValueError, r"finds no 'W' .* in this order"),
    "no parameters": (lambda: NET.apply(None, None, X), TypeError, "expected params as a list .*, got NoneType"),
    "no state": (lambda: NET.apply(PARAMS, {}, X), TypeError, "expected state as a list .*, got dict"),
    "images": (
        lambda: layers.conv(8, 3).init(RNG, (1, 28, 28)),
        ValueError,
        r"Channels come last: \(N, height, width, C",
    ),
    "a column": (
        lambda: gs.softmax_cross_entropy(Y, np.ones((6, 1), int)),
        ValueError,
        r"one_hot\(T\[..., 0\], K\) turns class numbers into such a target",
    ),
    "scores": (
        lambda: gs.sparse_cross_entropy(5 * Y, np.ones(6, int)),
        ValueError,
        r"softmax_cross_entropy\(scores, one_",
    ),
    "y before t": (lambda: gs.odeint(lambda y, t: -y, Y, [0, 1]), TypeError, r"expected f\(t, y\), the time first"),
    "one time": (lambda: gs.odeint(lambda t, y: -y, Y, 1.0), ValueError, "odeint: expected two or more times, got 1.0"),
    "momentum": (lambda: gs.optimizer("sgd", momentum=0.9), TypeError, r"Try optimizer\(\"momentum\", beta=...\)"),
    "decay": (
        lambda: gs.optimizer("adam", weight_decay=0.1),
        TypeError,
        r"Try optimizer\(\"adamw\", weight_decay=...\)",
    ),
    "the last": (
        lambda: gs.grad(lambda a, b: a * b, argnums=-1)(2.0, 3.0),
        ValueError,
        "counted from 0 as argnums, got -1",
    ),
    "no pair": (lambda: gs.grad(np.sum, has_aux=True)(X), TypeError, "with has_aux f returns"),
    "called": (lambda: NET(X), TypeError, r"called as y, state = net.apply\(params, state, x\), or as gs.predict"),
    "a method": (lambda: NET.predict(X), AttributeError, r"a layer has no predict; try gs.predict\(net, params, X, st"),
    "another method": (lambda: NET.frobnicate, AttributeError, r"a layer has no frobnicate$"),
    "all of init": (
        lambda: gs.predict(NET, NET.init(RNG, (4,)), X),
        ValueError,
        "dense finds no 'W' among its",
    ),
    "its apply": (
        lambda: gs.train(NET.apply, PARAMS, (X, Y), gs.optimizer("sgd"), gs.half_mse, 1, rng=RNG),
        TypeError,
        "expected a layer, got its apply",
    ),
    "a loss's name": (
        lambda: gs.evaluate(NET, PARAMS, (X, Y), "mse"),
        TypeError,
        "evaluate: expected a loss, .* got 'mse'",
    ),
    "one hidden": (lambda: gs.mlp(3, 2, gs.relu), TypeError, r"mlp: expected the units .* try mlp\(\[3\], ...\)"),
    "half a channel": (lambda: layers.conv(2.5, 3), ValueError, "conv: expected at least one channel, .* got 2.5"),
    "a conv's name": (lambda: layers.conv(8, 3, init="he"), TypeError, "conv: expected an initializer .* got 'he'"),
    "no groups": (lambda: layers.conv(8, 3, groups=0), ValueError, "conv: expected groups >= 1, a whole number, got 0"),
    "a tuple": (lambda: layers.reshape((2, 3)), ValueError, r"reshape: .*; try reshape\(2, 3\)"),
    "params for a net": (lambda: gs.summary(PARAMS, (4,)), TypeError, "summary: expected a layer, got list"),
    "a number for a target": (lambda: gs.half_mse(Y, 1.0), TypeError, "half_mse: expected .* for T"),
    "no target": (lambda: gs.softmax_cross_entropy(Y, None), TypeError, "softmax_cross_entropy: expected .* for T"),
    "an optimizer's name": (lambda: gs.in_place("adam"), TypeError, r"try in_place\(optimizer\(\"adam\"\)\)"),
    "a rule": (lambda: gs.in_place(gs.adam), TypeError, r"try in_place\(optimizer\(\"adam\"\)\)"),
    "a length": (lambda: gs.glorot(3, RNG), TypeError, "fans: expected the shape of weights, a tuple .* got 3"),
    "a rate in words": (lambda: layers.dropout("a"), ValueError, "dropout: expected a rate from 0 .* got 'a'"),
    "a strength first": (lambda: gs.l2_penalty(1e-4, PARAMS), ValueError, "l2_penalty: expected a strength"),
    "a net to punish": (lambda: gs.l2_penalty(NET, 1.0), TypeError, "l2_penalty: expected a tree of arrays, got Layer"),
    "an unmade reader": (
        lambda: layers.bidirectional(layers.lstm),
        TypeError,
        "got lstm, which makes one; call it: lstm",
    ),
    "a net to freeze": (lambda: gs.freeze(NET, 0), TypeError, "freeze: expected a tree of arrays, got Layer"),
    "another v": (
        lambda: gs.hessian_vector_product(np.sum, np.ones(2), np.ones((2, 2))),
        ValueError,
        r"x has shape \(2,\), v \(2, 2\)",
    ),
    "a seed": (lambda: next(gs.batches(X, 2, 0)), TypeError, r"batches: .* try rng=np.random.default_rng\(0\)"),
    "epochs less than none": (lambda: gs.count_steps(X, 2, -1), ValueError, "count_steps: expected epochs >= 0"),
    "inputs alone": (
        lambda: gs.evaluate(NET, PARAMS, X, gs.half_mse, state=STATE),
        TypeError,
        r"evaluate: .*data=\(X, T",
    ),
}


@pytest.mark.parametrize(("attempt", "error", "words"), ATTEMPTS.values(), ids=ATTEMPTS)
def test_it_is_answered(attempt, error, words):
    with pytest.raises(error, match=words):
        attempt()


@pytest.mark.parametrize(("layer", "shape", "missing"), [
    (layers.dense(3), (4,), "W"), (layers.conv(3, 2), (4, 4, 1), "W"), (layers.conv_transpose(3, 2), (4, 4, 1), "W"),
    (layers.depthwise_conv(2), (4, 4, 1), "W"), (layers.batchnorm(), (4,), "gamma"),
    (layers.layernorm(), (4,), "gamma"), (layers.groupnorm(2), (3, 4), "gamma"),
    (layers.instancenorm(), (3, 4), "gamma"), (layers.prelu(), (4,), "a"),
    (layers.lstm(3), (5, 4), "W"), (layers.gru(3), (5, 4), "W"), (layers.multihead(2), (5, 4), "Wq"),
])  # fmt: skip
@pytest.mark.parametrize("params", [{}, None, []])
def test_a_layer_says_what_it_misses_among_its_parameters(layer, shape, missing, params):
    state = layer.init(RNG, shape)[1]
    with pytest.raises(
        ValueError, match=f"^[a-z_]+ finds no '{missing}' among its parameters and statistics; call apply"
    ):
        layer.apply(params, state, np.ones((2, *shape)))


def test_the_call_that_saves_saves(tmp_path):
    """It is told for `net.save`, with another name for the file."""
    with pytest.raises(AttributeError) as told:
        NET.save()
    call = str(told.value).split("try ")[1].replace("net.npz", str(tmp_path / "net.npz"))
    exec(call, {"gs": gs, "params": PARAMS, "state": STATE})
    assert (tmp_path / "net.npz").exists()


def test_a_layer_pickles_and_copies_though_it_answers_for_what_it_has_not():
    for copied in (pickle.loads(pickle.dumps(NET)), copy.deepcopy(NET)):
        np.testing.assert_array_equal(gs.predict(copied, PARAMS, X, STATE), gs.predict(NET, PARAMS, X, STATE))


def test_statistics_that_are_missing_are_named():
    layer = layers.batchnorm()
    with pytest.raises(ValueError, match="batchnorm finds no 'mean' among"):
        layer.apply(layer.init(RNG, (4,))[0], {}, X)


def test_positions_of_whole_numbers_are_no_whole_numbers():
    y, _ = layers.positions().apply({}, {}, np.ones((2, 4, 6), int))
    np.testing.assert_array_equal(y, 1 + gs.positional_encoding(4, 6) + np.zeros((2, 1, 1)))


def test_what_is_printed_is_a_line():
    history = trained()
    assert repr(NET) == "Layer(sequential(dense(3), relu, dense(2)))"
    assert repr(gs.optimizer("adam", b1=0.8)) == "Optimizer(adam, b1=0.8)"
    assert repr(history) == f"History(2 epochs, loss {history.epochs['loss'][-1]:.4g})"
    assert repr(gs.History({}, stopped="enough")) == "History(0 epochs; enough)"


def test_float64_inputs_of_a_float32_net_are_warned_about():
    narrow = gs.tree_map(lambda p: p.astype(np.float32), PARAMS)
    with pytest.warns(
        UserWarning, match=r"inputs are float64 and the parameters float32, .* try X.astype\(np.float32\)"
    ):
        trained(narrow)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trained()
        trained(narrow, (X.astype(np.float32), Y))


def test_lbfgs_stops_where_there_is_nothing_left_to_gain():
    history = gs.train(
        lambda p, x: x @ p["w"], {"w": np.zeros((4, 1))}, (np.eye(4), np.ones((4, 1))), gs.lbfgs(), gs.half_mse, 50,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    assert history.stopped == "L-BFGS has converged"
    assert history.epochs_done < 20
    np.testing.assert_array_equal(history.params["w"], 1.0)
