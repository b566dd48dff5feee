"""Property: layers for images are their ops, weights drawn by the fans of the signal, and promise the right shapes."""

import numpy as np
import pytest

import gradschool as gs
from gradschool import layers
from gradschool.layers import sequential


def generator(seed=0):
    return np.random.default_rng(seed)


def applied(layer, shape, n=4, seed=1):
    """(params, x, y) with random params, once the promised shape is known to be the real one."""
    params, state, promised = layer.init(generator(seed), shape)
    params = gs.tree_map(lambda p: generator(seed + 1).normal(size=p.shape), params)
    x = generator(seed + 2).normal(size=(n, *shape))
    y, after = layer.apply(params, state, x, training=True)
    assert (y.shape, after) == ((n, *promised), state)
    return params, x, y


@pytest.mark.parametrize("shape", [(11, 6), (7, 9, 6), (5, 6, 7, 6)])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"padding": "same", "padding_value": "replicate"},
        {"stride": 2, "padding": 1},
        {"dilation": 2, "padding": 1},
        {"groups": 3},
        {"bias": False},
    ],
)
def test_conv_is_its_op(shape, options):
    params, x, y = applied(layers.conv(9, 3, **options), shape)
    options = {name: value for name, value in options.items() if name != "bias"}
    np.testing.assert_array_equal(y, gs.conv(x, params["W"], params.get("b"), **options))
    assert params["W"].shape == (*(3,) * (len(shape) - 1), 6 // options.get("groups", 1), 9)


@pytest.mark.parametrize("shape", [(11, 6), (7, 5, 6)])
@pytest.mark.parametrize("options", [{}, {"stride": 2, "crop": "same"}, {"stride": 2, "crop": 1, "groups": 3}])
def test_conv_transpose_is_its_op(shape, options):
    params, x, y = applied(layers.conv_transpose(9, 4, **options), shape)
    np.testing.assert_array_equal(y, gs.conv_transpose(x, params["W"], params["b"], **options))


def test_conv_transpose_draws_by_the_fans_of_its_own_way():
    layer = layers.conv_transpose(50, 3, init=gs.he)  # he looks at the fan of what comes in: 9 * 20
    W = layer.init(generator(), (7, 7, 20))[0]["W"]
    assert W.shape == (3, 3, 50, 20)
    assert abs(W.var() * 180 - 2) < 6 * 2 * (2 / W.size) ** 0.5


def test_depthwise_is_a_convolution_of_each_channel_and_separable_mixes_them_after():
    params, x, y = applied(layers.depthwise_conv(3, 2, padding="same"), (6, 7, 5))
    apart = [gs.conv(x[..., c : c + 1], params["W"][..., 2 * c : 2 * c + 2], padding="same") for c in range(5)]
    np.testing.assert_allclose(y, np.concatenate(apart, -1) + params["b"], rtol=1e-12, atol=1e-13)
    params, x, y = applied(layers.separable_conv(4, 3, multiplier=2, stride=2), (6, 7, 5))
    inner = gs.conv(x, params[0]["W"], stride=2, groups=5)
    np.testing.assert_allclose(y, inner @ params[1]["W"][0, 0] + params[1]["b"], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("shape", [(11, 4), (7, 9, 4), (5, 6, 7, 4)])
def test_pools_are_their_ops(shape):
    _, x, y = applied(layers.maxpool(2, stride=3, padding=1), shape)
    np.testing.assert_array_equal(y, gs.maxpool(x, 2, 3, 1))
    _, x, y = applied(layers.maxpool(2, dilation=2), shape)
    np.testing.assert_array_equal(y, gs.maxpool(x, 2, dilation=2))
    _, x, y = applied(layers.avgpool(3, padding="same", count_include_pad=True), shape)
    np.testing.assert_array_equal(y, gs.avgpool(x, 3, padding="same", count_include_pad=True))
    places = tuple(range(1, len(shape)))
    _, x, y = applied(layers.global_maxpool(), shape)
    np.testing.assert_array_equal(y, x.max(places))
    _, x, y = applied(layers.global_avgpool(), shape)
    np.testing.assert_allclose(y, x.mean(places), rtol=1e-12)


@pytest.mark.parametrize("shape", [(11, 4), (7, 9, 4), (5, 6, 7, 4)])
def test_unpooling_puts_what_pooling_found_back_to_its_place(shape):
    net = sequential(layers.maxpool(2, indices=True), layers.maxunpool(shape[:-1]))
    _, x, y = applied(net, shape)
    Y, places = gs.maxpool(x, 2, indices=True)
    np.testing.assert_array_equal(y, gs.maxunpool(Y, places, shape[:-1]))
    assert np.count_nonzero(y) == np.size(Y)
    np.testing.assert_array_equal(y[y != 0], x[y != 0])


def test_a_network_that_pools_and_unpools_trains():
    net = sequential(
        layers.conv(6, 3, padding="same"), layers.maxpool(2, indices=True),
        layers.each(layers.conv(6, 3, padding="same"), layers.identity), layers.maxunpool((8, 6)), layers.conv(1, 1),
    )  # fmt: skip
    params, state, shape = net.init(generator(), (8, 6, 1))
    assert shape == (8, 6, 1)
    X = generator(3).normal(size=(40, 8, 6, 1))
    history = gs.train(
        net, params, (X, X), gs.optimizer("adam"), gs.half_mse, 20, rng=generator(4), state=state, lr=0.02
    )
    assert history.losses[-1] < 0.5 * history.losses[0]


def test_relu_and_max_pooling_give_the_same_in_either_order_but_a_stand_in_for_relu_comes_first():
    net = sequential(
        layers.conv(6, 3), gs.relu, layers.maxpool(2), layers.conv(5, 3), gs.relu, layers.maxpool(3, stride=1)
    )
    params, state, shape = net.init(generator(), (17, 18, 4))
    x, g = generator(1).normal(size=(3, 17, 18, 4)), generator(2).normal(size=(3, *shape))

    def one_by_one(p, x):
        for layer, q in zip(net.parts, p, strict=True):
            x, _ = layer.apply(q, {}, x)
        return x

    runs = [gs.vjp(run, params, x) for run in (lambda p, x: net.apply(p, state, x)[0], one_by_one)]
    np.testing.assert_array_equal(runs[0][0], runs[1][0])
    for found, expected in zip(*(gs.tree_leaves(pullback(g)) for _, pullback in runs), strict=True):
        np.testing.assert_array_equal(found, expected)
    with gs.using(relu=np.abs):
        np.testing.assert_array_equal(net.apply(params, state, x)[0], one_by_one(params, x))


def test_flatten_and_reshape_go_row_by_row_also_without_samples():
    _, x, y = applied(layers.flatten(), (3, 4, 5))
    np.testing.assert_array_equal(y, [sample.ravel() for sample in x])
    _, x, y = applied(layers.reshape(5, -1), (3, 4, 5))
    np.testing.assert_array_equal(y, x.reshape(4, 5, 12))
    assert applied(sequential(layers.reshape(-1, 4), layers.flatten()), (12,), n=0)[2].shape == (0, 12)


def test_prelu_has_a_slope_for_each_channel_or_one():
    params, x, y = applied(layers.prelu(), (6, 5))
    np.testing.assert_allclose(y, np.where(x > 0, x, params["a"][None, None] * x), rtol=1e-14)
    params, x, y = applied(layers.prelu(shared=True), (6, 5))
    assert params["a"].shape == ()
    np.testing.assert_allclose(y, np.where(x > 0, x, params["a"] * x), rtol=1e-14)
    np.testing.assert_array_equal(layers.prelu(0.1).init(generator(), (3,))[0]["a"], [0.1, 0.1, 0.1])


def test_prelu_learns_the_slopes_of_absolute_values():
    X = generator(5).normal(size=(200, 3))
    params, _, _ = layers.prelu().init(generator(), (3,))
    history = gs.train(
        layers.prelu(), params, (X, np.abs(X)), gs.optimizer("adam"), gs.half_mse, 60, rng=generator(6), lr=0.05
    )
    np.testing.assert_allclose(history.params["a"], [-1, -1, -1], atol=1e-3)


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (layers.conv(4, 3), (7,), r"conv: expected samples \(T, C\).*got \(7,\); a channel axis is added"),
        (layers.conv(4, 3, groups=2), (7, 3), r"conv: 2 groups must divide 4 channels and those of samples \(7, 3\)"),
        (layers.conv(4, 9), (7, 3), r"conv: a window of \(9,\) does not fit into \(7,\).*padding=\"same\""),
        (layers.conv(4, (3, 3)), (7, 3), r"conv: expected size of 1 or more, one number or 1 of them, got \(3, 3\)"),
        (layers.conv_transpose(4, 3, groups=3), (7, 3), "conv_transpose: 3 groups must divide 4 channels"),
        (layers.depthwise_conv(3), (), r"depthwise_conv: expected samples .* got \(\)"),
        (layers.maxpool(2), (7,), r"maxpool: expected samples \(T, C\).*got \(7,\)"),
        (
            layers.maxunpool((7,)),
            (3, 3),
            r"maxunpool: expected a pair of samples .* got \(3, 3\); the places come from",
        ),
        (layers.maxunpool((7, 7)), ((3, 2), (3, 2)), "with 2 spatial sizes, got"),
        (layers.avgpool(8), (7, 3), r"avgpool: a window of \(8,\) does not fit into \(7,\)"),
        (layers.global_avgpool(), (7,), r"global_avgpool: expected samples"),
        (layers.reshape(4, -1), (7,), r"reshape: samples \(7,\) have 7 numbers, which do not fit into \(4, -1\)"),
        (layers.prelu(), (), r"prelu: expected samples with a channel axis"),
    ],
)
def test_samples_that_do_not_fit_are_refused_with_a_reason_before_training(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        layer.init(generator(), shape)


def test_options_that_cannot_be_are_refused_at_once():
    for make, message in (
        (lambda: layers.conv(0, 3), "conv: expected at least one channel, a whole number, got 0"),
        (lambda: layers.depthwise_conv(3, 0), "at least one channel"),
        (lambda: layers.reshape(-1, -1), "at most one of them -1"),
    ):
        with pytest.raises(ValueError, match=message):
            make()


def test_a_whole_network_for_images_trains():
    rng = generator(7)
    X = rng.normal(size=(60, 8, 8, 1))
    y = (np.abs(X[:, :4]).mean((1, 2, 3)) > np.abs(X[:, 4:]).mean((1, 2, 3))).astype(int)
    X[:, :4] *= np.where(y, 3.0, 1.0)[:, None, None, None]  # the brighter half
    block = layers.residual(
        layers.conv(6, 3, padding="same", bias=False), layers.batchnorm(), gs.relu,
        shortcut=layers.conv(6, 1),
    )  # fmt: skip
    net = sequential(block, layers.maxpool(2), layers.flatten(), layers.dense(2))
    params, state, _ = net.init(rng, (8, 8, 1))
    history = gs.train(
        net, params, (X, gs.one_hot(y, 2)), gs.optimizer("adam"), gs.softmax_cross_entropy, 10,
        rng=rng, state=state, lr=0.01, batch_size=16,
    )  # fmt: skip
    assert gs.accuracy(gs.predict(net, history.params, X, history.state), y) > 0.95
