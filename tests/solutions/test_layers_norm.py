"""Property: layers that normalise, drop or attend keep what they must, draw only when asked, and are their ops."""

import doctest
import pickle
import sys

import numpy as np
import pytest

import gradschool as gs
from gradschool import layers
from gradschool.layers import dense, sequential


def generator(seed=0):
    return np.random.default_rng(seed)


def made(layer, shape, dtype=float):
    return layer.init(generator(1), shape, dtype)


# ----------------------------------------------------------------------------------------------------- normalisation
def test_batchnorm_hands_out_new_statistics_and_leaves_the_old_alone():
    layer = layers.batchnorm(momentum=0.8, eps=0.1, unbiased_running=True)
    params, state, shape = made(layer, (5, 3))
    x = generator(2).normal(3, 2, (7, 5, 3))
    y, after = layer.apply(params, state, x, training=True)
    np.testing.assert_allclose(y, (x - x.mean((0, 1))) / np.sqrt(x.var((0, 1)) + 0.1), rtol=1e-10)
    np.testing.assert_allclose(after["mean"], 0.2 * x.mean((0, 1)), rtol=1e-12)
    np.testing.assert_allclose(after["var"], 0.8 + 0.2 * x.var((0, 1), ddof=1), rtol=1e-12)
    assert (state["mean"].sum(), state["var"].sum(), shape) == (0, 3, (5, 3))
    y, same = layer.apply(params, after, x)
    np.testing.assert_allclose(y, (x - after["mean"]) / np.sqrt(after["var"] + 0.1), rtol=1e-10)
    assert same is after


def test_statistics_that_come_out_of_a_derivative_are_plain_arrays():
    net = sequential(dense(4), layers.batchnorm(), gs.tanh)
    params, state, _ = made(net, (3,))
    x = generator(3).normal(size=(7, 3))

    def loss(params):
        y, once = net.apply(params, state, x, training=True)
        z, twice = net.apply(params, once, -x, training=True)  # the same layer again, as in a twin network
        return np.sum((y - z) ** 2), twice

    grads, after = gs.grad(loss, has_aux=True)(params)
    assert type(after[1]["mean"]) is np.ndarray
    assert grads[1]["gamma"].shape == (4,)


def test_batchnorm_without_its_statistics_says_what_to_pass():
    params, _, _ = made(layers.batchnorm(), (3,))
    with pytest.raises(ValueError, match="pass the state that init gave"):
        layers.batchnorm().apply(params, None, np.ones((4, 3)), training=True)


def test_a_net_with_batch_norm_trains_and_then_predicts_each_sample_by_itself():
    rng = generator(4)
    X = rng.normal(5, [1, 10, 0.1], (90, 3))
    T = gs.one_hot((X[:, 0] + X[:, 1] / 10 > 10).astype(int), 2)
    net = sequential(layers.batchnorm(), dense(8, bias=False), layers.batchnorm(), gs.elu, dense(2))
    params, state, _ = net.init(rng, (3,))
    history = gs.train(
        net, params, (X, T), gs.optimizer("adam"), gs.softmax_cross_entropy, 20, rng=rng, state=state, lr=0.02
    )
    assert history.epochs["loss"][-1] < 0.3 * history.epochs["loss"][0]
    whole = gs.predict(net, history.params, X, history.state)
    np.testing.assert_allclose(gs.predict(net, history.params, X, history.state, batch_size=1), whole, rtol=1e-9)


@pytest.mark.parametrize(
    ("layer", "op"),
    [
        (layers.layernorm(), lambda x, *p: gs.layernorm(x, *p)),
        (layers.layernorm((1, 2), eps=0.1), lambda x, *p: gs.layernorm(x, *p, axes=(1, 2), eps=0.1)),
        (layers.groupnorm(3, eps=0.1), lambda x, *p: gs.groupnorm(x, *p, 3, eps=0.1)),
        (layers.instancenorm(eps=0.1), lambda x, *p: gs.instancenorm(x, *p, eps=0.1)),
        (layers.crosschannelnorm(4, alpha=0.5), lambda x, *p: gs.crosschannelnorm(x, 4, alpha=0.5)),
    ],
)
def test_layers_of_single_samples_are_their_ops(layer, op):
    params, state, shape = made(layer, (5, 6))
    params = {name: generator(5).normal(size=6) for name in params}
    x = generator(6).normal(size=(4, 5, 6))
    y, after = layer.apply(params, state, x, training=True)
    np.testing.assert_array_equal(y, op(x, *params.values()))
    assert (shape, after) == ((5, 6), state)


# ------------------------------------------------------------------------------------------------------------- chance
@pytest.mark.parametrize(
    ("layer", "op"), [(layers.dropout(0.3), gs.dropout), (layers.alpha_dropout(0.3), gs.alpha_dropout)]
)
def test_dropping_layers_draw_in_training_and_where_they_are_given_a_generator(layer, op):
    x = generator(7).normal(size=(6, 5))
    expected = op(x, 0.3, generator(8))
    for training in (True, False):
        np.testing.assert_array_equal(layer.apply({}, {}, x, training, generator(8))[0], expected)
    assert layer.apply({}, {}, x)[0] is x
    with pytest.raises(ValueError, match="expected a generator"):
        layer.apply({}, {}, x, training=True)
    with pytest.raises(ValueError, match="a rate from 0 to below 1"):
        layers.dropout(1.0)


def test_predictions_by_chance_average_probabilities_over_passes_and_leave_batch_norm_as_it_is():
    net = sequential(layers.batchnorm(), dense(6), gs.relu, layers.dropout(0.5), dense(3))
    params, state, _ = made(net, (4,))
    X = generator(9).normal(size=(11, 4))
    options = {"output": gs.softmax, "state": state, "passes": 30}
    mean, std = gs.mc_predict(net, params, X, rng=generator(10), **options)
    rng = generator(10)
    passes = [gs.softmax(net.apply(params, state, X, False, rng)[0]) for _ in range(30)]
    np.testing.assert_allclose(mean, np.mean(passes, axis=0), rtol=1e-12)
    np.testing.assert_allclose(std, np.std(passes, axis=0), rtol=1e-10)
    assert std.min() > 0
    np.testing.assert_allclose(mean.sum(1), np.ones(11), rtol=1e-12)
    options["passes"] = 2000
    small, large = (gs.mc_predict(net, params, X, rng=generator(n), batch_size=n, **options)[0] for n in (4, 11))
    np.testing.assert_allclose(small, large, atol=6 * std.max() * (2 / 2000) ** 0.5)


def test_predictions_by_chance_of_a_net_without_chance_do_not_spread():
    net = sequential(dense(3))
    params, _, _ = made(net, (4,))
    X = generator(13).normal(size=(5, 4))
    mean, std = gs.mc_predict(net, params, X, output=None, rng=generator(), passes=3)
    np.testing.assert_allclose(mean, gs.predict(net, params, X), rtol=1e-12)
    np.testing.assert_allclose(std, np.zeros((5, 3)), atol=1e-12)
    for passes, n, message in ((0, 5, "at least one pass"), (3, 0, "at least one sample")):
        with pytest.raises(ValueError, match=message):
            gs.mc_predict(net, params, X[:n], output=None, rng=generator(), passes=passes)
    with pytest.raises(ValueError, match="mc_predict: expected a generator"):
        gs.mc_predict(net, params, X, output=None, rng=None)


# ---------------------------------------------------------------------------------------------------------- sequences
def test_embedding_and_positions_turn_ids_into_vectors_that_know_their_place():
    net = sequential(layers.embedding(9, 6, padding_id=0, std=1.0), layers.positions(base=50.0))
    params, state, shape = made(net, (5,))
    ids = generator(14).integers(0, 9, (4, 5))
    y, _ = net.apply(params, state, ids)
    expected = np.where((ids == 0)[..., None], 0, params[0]["W"][ids]) + gs.positional_encoding(5, 6, 50.0)
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    assert (shape, params[0]["W"].shape) == ((5, 6), (9, 6))


def test_multihead_projects_attends_and_projects_back():
    layer = layers.multihead(4, causal=True)
    params, state, shape = made(layer, (5, 8))
    params = {name: generator(i).normal(size=p.shape) for i, (name, p) in enumerate(params.items())}
    x = generator(15).normal(size=(3, 5, 8))
    q, k, v = (x @ params[f"W{part}"] + params[f"b{part}"] for part in "qkv")
    expected = gs.attention(q, k, v, 4, attention_mask="causal") @ params["Wo"] + params["bo"]
    np.testing.assert_allclose(layer.apply(params, state, x)[0], expected, rtol=1e-10)
    memory = generator(16).normal(size=(3, 7, 8))
    Y, P = layers.multihead_attention(params, x, memory, memory, 4, return_weights=True)
    assert (Y.shape, P.shape, shape) == ((3, 5, 8), (3, 4, 5, 7), (5, 8))
    with pytest.raises(ValueError, match=r"divisible by 3 heads, got \(5, 8\)"):
        made(layers.multihead(3), (5, 8))


def test_multihead_drops_weights_only_where_chance_is_asked_for():
    layer = layers.multihead(4, dropout=0.4)
    params, state, _ = made(layer, (5, 8))
    x = generator(17).normal(size=(3, 5, 8))
    np.testing.assert_array_equal(layer.apply(params, state, x)[0], layers.multihead(4).apply(params, state, x)[0])
    assert np.any(layer.apply(params, state, x, True, generator(1))[0] != layer.apply(params, state, x)[0])


# -------------------------------------------------------------------------------------------------------- all of them
EVERY = sequential(
    layers.embedding(9, 8), layers.positions(), layers.multihead(4), layers.layernorm(), layers.dropout(0.2),
    layers.batchnorm(), layers.groupnorm(4), layers.instancenorm(), layers.crosschannelnorm(3),
    layers.alpha_dropout(0.1),
)  # fmt: skip


def test_float32_stays_float32_through_all_layers_and_they_pickle():
    net = pickle.loads(pickle.dumps(EVERY))
    params, state, shape = net.init(generator(18), (5,), np.float32)
    ids = generator(19).integers(0, 9, (4, 5))
    y, after = net.apply(params, state, ids, training=True, rng=generator(20))
    assert (y.dtype, y.shape[1:], after[5]["var"].dtype) == (np.float32, shape, np.float32)
    np.testing.assert_array_equal(y, EVERY.apply(params, state, ids, training=True, rng=generator(20))[0])


def test_gradients_pass_through_all_layers():
    net, ids = EVERY, generator(21).integers(0, 9, (4, 5))
    params, state, _ = made(net, (5,))
    g = generator(22).normal(size=(4, 5, 8))
    loss = lambda W: np.sum(g * net.apply([{"W": W}, *params[1:]], state, ids, True, generator(23))[0])
    assert gs.gradient_check(loss, gs.grad(loss), params[0]["W"] * 100) < 1e-7


@pytest.mark.parametrize("name", ["norm", "attention"])
def test_the_examples_in_the_docstrings_hold(name):
    failed, tried = doctest.testmod(sys.modules[f"gradschool.layers.{name}"], extraglobs={"np": np})
    assert (failed, tried > 0) == (0, True)
