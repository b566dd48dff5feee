"""Property: recurrent layers are their ops; padding changes nothing, whichever way a sequence is read."""

import numpy as np
import pytest

import gradschool as gs
from gradschool import layers, ops
from gradschool.layers import bidirectional, dense, each, identity, sequential

KINDS = [
    (layers.rnn, ops.rnn, {}),
    (layers.rnn, ops.rnn, {"activation": "relu"}),
    (layers.lstm, ops.lstm, {}),
    (layers.lstm, ops.lstm, {"activation": "softsign", "gate_activation": "hard-sigmoid"}),
    (layers.gru, ops.gru, {}),
    (layers.gru, ops.gru, {"reset": "before"}),
]


def generator(seed=0):
    return np.random.default_rng(seed)


def random_params(layer, shape):
    params, state, promised = layer.init(generator(1), shape)
    return gs.tree_map(lambda p: generator(p.size).normal(size=p.shape), params), state, promised


@pytest.mark.parametrize(("make", "op", "options"), KINDS)
@pytest.mark.parametrize("every", [False, True])
def test_a_layer_is_its_op(make, op, options, every):
    layer = make(4, every=every, **options)
    params, state, shape = random_params(layer, (7, 3))
    x = generator(2).normal(size=(5, 7, 3))
    y, after = layer.apply(params, state, x, training=True)
    Y, H, *_ = op(x, **params, **options)
    np.testing.assert_array_equal(y, Y if every else H)
    assert (y.shape[1:], after) == (shape, state)


def test_two_biases_are_those_of_the_reset_product():
    layer = layers.gru(4, two_biases=True)
    params, state, _ = random_params(layer, (7, 3))
    x = generator(3).normal(size=(5, 7, 3))
    assert params["b"].shape == (2, 12)
    np.testing.assert_array_equal(layer.apply(params, state, x)[0], ops.gru(x, **params)[1])
    with pytest.raises(ValueError, match="two biases need reset"):
        layers.gru(4, reset="before", two_biases=True)


@pytest.mark.parametrize(("make", "op", "options"), KINDS)
@pytest.mark.parametrize("merge", ["concat", "sum"])
def test_bidirectional_is_its_op(make, op, options, merge):
    layer = bidirectional(make(4, every=True, **options), merge)
    params, state, (shape, mask_shape) = random_params(layer, ((7, 3), ()))
    x, lengths = generator(4).normal(size=(5, 7, 3)), np.array([7, 3, 1, 6, 2])
    Y, mask = layer.apply(params, state, (x, lengths))[0]
    expected = ops.bidirectional(op, x, params["ahead"], params["back"], lengths, merge, **options)[0]
    np.testing.assert_array_equal(Y, expected)
    assert (Y.shape[1:], mask is lengths, mask_shape) == (shape, True, ())


@pytest.mark.parametrize("inner", [layers.lstm(4), bidirectional(layers.gru(4))])
@pytest.mark.parametrize("kind", ["lengths", "mask"])
def test_what_stands_in_the_padding_does_not_matter_to_a_stack(inner, kind):
    net = sequential(each(layers.embedding(9, 6), identity), layers.gru(5, every=True), inner, dense(2))
    lengths = np.array([7, 3, 1, 6, 2])
    mask = lengths if kind == "lengths" else (np.arange(7) < lengths[:, None]).astype(int)
    params, state, shape = net.init(generator(5), ((7,), mask.shape[1:]))
    ids = generator(6).integers(0, 9, (5, 7))
    y, _ = net.apply(params, state, (ids, mask))
    other = np.where(np.arange(7) < lengths[:, None], ids, 8 - ids)
    np.testing.assert_allclose(net.apply(params, state, (other, mask))[0], y, rtol=1e-12)
    alone = [net.apply(params, state, (ids[i : i + 1, :n], lengths[i : i + 1]))[0][0] for i, n in enumerate(lengths)]
    np.testing.assert_allclose(y, alone, rtol=1e-10)
    assert shape == (2,)


def test_last_step_is_what_the_layer_gives_without_every():
    x, lengths = generator(7).normal(size=(5, 7, 3)), np.array([7, 3, 1, 6, 2])
    stack = sequential(layers.lstm(4, every=True), layers.last_step())
    params, state, shape = stack.init(generator(8), ((7, 3), ()))
    np.testing.assert_array_equal(
        stack.apply(params, state, (x, lengths))[0], layers.lstm(4).apply(params[0], {}, (x, lengths))[0]
    )
    assert (shape, stack.apply(params, state, x)[0].shape) == ((4,), (5, 4))


def test_initial_weights_are_those_of_keras():
    params = layers.lstm(6).init(generator(9), (7, 3))[0]
    np.testing.assert_allclose(params["R"] @ params["R"].T, np.eye(6), atol=1e-12)
    assert params["b"].tolist() == [0.0] * 6 + [1.0] * 6 + [0.0] * 12
    assert abs(params["W"]).max() <= np.sqrt(6 / (3 + 24))


def test_a_classifier_of_sequences_learns_what_came_first():
    rng = generator(10)
    X, lengths = rng.normal(size=(120, 8, 1)), rng.integers(1, 9, 120)
    y = (X[:, 0, 0] > 0).astype(int)
    net = sequential(layers.lstm(12), dense(2))
    params, state, _ = net.init(rng, ((8, 1), ()))
    history = gs.train(
        net, params, ((X, lengths), gs.one_hot(y, 2)), gs.optimizer("adam"), gs.softmax_cross_entropy, 40,
        rng=rng, state=state, lr=0.02,
    )  # fmt: skip
    assert gs.accuracy(gs.predict(net, history.params, (X, lengths), history.state), y) > 0.9


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: layers.lstm(0), ValueError, "lstm: expected at least one unit, a whole number, got 0"),
        (lambda: layers.gru(4).init(generator(), (3,)), ValueError, r"gru: expected samples \(T, in\), .* got \(3,\)"),
        (lambda: layers.gru(4).init(generator(), ((7, 3), (5,))), ValueError, r"got \(\(7, 3\), \(5,\)\)"),
        (lambda: bidirectional(dense(3)), TypeError, r"expected a layer rnn, lstm or gru, got dense\(3\)"),
        (lambda: bidirectional(layers.gru(3), "mean"), ValueError, 'expected merge "concat" or "sum"'),
    ],
)
def test_what_does_not_fit_is_explained(make, error, message):
    with pytest.raises(error, match=message):
        make()
