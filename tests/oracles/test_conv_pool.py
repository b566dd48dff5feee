"""Convolution, its transpose, pooling and unpooling agree with PyTorch, padding modes and "same" with stride too."""

import os

import numpy as np
import pytest

import gradschool as gs

os.environ.setdefault("KERAS_BACKEND", "torch")  # before anything imports Keras
torch = pytest.importorskip("torch")
F = torch.nn.functional
RTOL = 1e-10


def last(t):
    """PyTorch's channels first to channels last."""
    return t.movedim(1, -1)


def first(t):
    return t.movedim(-1, 1)


def weights(t):
    """(*k, in, out) -> PyTorch's (out, in, *k)"""
    return t.permute(-1, -2, *range(t.ndim - 2))


def agree(ours, theirs, *inputs):
    """Values, gradients for a random cotangent, and second derivatives along a random direction."""
    rng = np.random.default_rng(9)
    y, pullback = gs.vjp(ours, *inputs)
    tensors = [torch.tensor(x, requires_grad=True) for x in inputs]
    expected = theirs(*tensors)
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=RTOL, atol=1e-13)
    g = rng.normal(size=y.shape)
    slopes = torch.autograd.grad(torch.sum(torch.tensor(g) * torch.tanh(expected)), tensors, create_graph=True)
    gradient = gs.grad(lambda *a: np.sum(g * np.tanh(ours(*a))), argnums=range(len(inputs)))
    for d, slope in zip(gradient(*inputs), slopes, strict=True):
        np.testing.assert_allclose(d, slope.detach().numpy(), rtol=RTOL, atol=1e-13)
    v = [rng.normal(size=x.shape) for x in inputs]
    along = sum(torch.sum(slope * torch.tensor(d)) for slope, d in zip(slopes, v, strict=True))
    products = torch.autograd.grad(along, tensors)
    ours_products = gs.hessian_vector_product(lambda a: np.sum(g * np.tanh(ours(*a))), tuple(inputs), tuple(v))
    for d, product in zip(ours_products, products, strict=True):
        np.testing.assert_allclose(d, product.numpy(), rtol=1e-9, atol=1e-11)
    assert len(pullback(g)) == len(inputs)


def drawn(*shapes):
    rng = np.random.default_rng([len(s) + s[-1] for s in shapes])
    return [rng.normal(size=s) for s in shapes]


CONV = [  # X, W, options of both
    ((3, 9, 4), (3, 4, 5), {}),
    ((3, 9, 4), (4, 2, 6), {"groups": 2, "stride": 2, "padding": 3, "dilation": 2}),
    ((3, 7, 6, 4), (3, 2, 4, 5), {"stride": (2, 1), "padding": (1, 2)}),
    ((3, 7, 6, 4), (3, 3, 1, 8), {"groups": 4, "padding": "same", "dilation": (1, 2)}),
    ((3, 6, 7, 5), (4, 3, 5, 3), {"padding": "same"}),
    ((3, 6, 7, 32), (3, 3, 32, 33), {"padding": 1}),
    ((3, 7, 6, 36), (3, 3, 36, 32), {}),
    ((3, 4, 5, 6, 3), (2, 3, 4, 3, 5), {"stride": (1, 2, 1), "padding": (1, 0, 2)}),
    ((3, 4, 5, 6, 4), (2, 1, 3, 2, 6), {"groups": 2, "dilation": (2, 1, 1), "padding": 1}),
]


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize(("x", "w", "options"), CONV)
def test_conv_is_pytorchs(x, w, options):
    theirs = {3: F.conv1d, 4: F.conv2d, 5: F.conv3d}[len(x)]
    agree(
        lambda X, W, b: gs.conv(X, W, b, **options),
        lambda X, W, b: last(theirs(first(X), weights(W), b, **options)),
        *drawn(x, w, w[-1:]),
    )


@pytest.mark.parametrize(("value", "mode"), [("symmetric-exclude-edge", "reflect"), ("replicate", "replicate")])
def test_borders_are_pytorchs(value, mode):
    agree(
        lambda X, W: gs.conv(X, W, padding=((1, 3), (2, 0)), padding_value=value),
        lambda X, W: last(F.conv2d(F.pad(first(X), (2, 0, 1, 3), mode=mode), weights(W))),
        *drawn((3, 6, 5, 4), (3, 4, 4, 5)),
    )


@pytest.mark.parametrize("n", [1, 2, 3])
def test_symmetric_borders_are_numpys_under_pytorchs_convolution(n):
    X, W, b = drawn((*(3, 5, 6, 4)[: n + 1], 4), (*(3, 4, 2)[:n], 4, 5), (5,))
    width = ((1, 3), (2, 0), (0, 2))[:n]
    border = np.pad(np.arange(X[0, ..., 0].size).reshape(X.shape[1:-1]), width, mode="symmetric")

    def theirs(X, W, b):
        P = X.reshape(len(X), -1, X.shape[-1])[:, border.ravel()].reshape(len(X), *border.shape, X.shape[-1])
        return last((F.conv1d, F.conv2d, F.conv3d)[n - 1](first(P), weights(W), b))

    agree(lambda X, W, b: gs.conv(X, W, b, padding=width, padding_value="symmetric-include-edge"), theirs, X, W, b)


def test_a_number_as_border_is_pytorchs():
    agree(
        lambda X, W: gs.conv(X, W, padding=((1, 3), (2, 0)), padding_value=0.6),
        lambda X, W: last(F.conv2d(F.pad(first(X), (2, 0, 1, 3), value=0.6), weights(W))),
        *drawn((3, 6, 5, 4), (3, 4, 4, 5)),
    )


TRANSPOSED = [
    ((3, 5, 4), (3, 6, 4), {"stride": 2}, 1),
    ((3, 5, 4), (4, 3, 4), {"groups": 2, "stride": 3, "dilation": 2}, 2),
    ((3, 5, 6, 4), (3, 2, 5, 4), {"stride": (2, 3), "dilation": (1, 2)}, 1),
    ((3, 5, 6, 4), (4, 4, 1, 4), {"groups": 4, "stride": 2}, 1),
    ((3, 4, 5, 6, 4), (2, 3, 4, 3, 4), {"stride": 2, "groups": 2}, 1),
]


@pytest.mark.parametrize(("x", "w", "options", "crop"), TRANSPOSED)
def test_conv_transpose_is_pytorchs_with_crop_for_padding(x, w, options, crop):
    theirs = {3: F.conv_transpose1d, 4: F.conv_transpose2d, 5: F.conv_transpose3d}[len(x)]
    agree(
        lambda X, W, b: gs.conv_transpose(X, W, b, crop=crop, **options),
        lambda X, W, b: last(theirs(first(X), weights(W), b, padding=crop, **options)),
        *drawn(x, w, (w[-2] * options.get("groups", 1),)),
    )


POOL = [
    ((3, 9, 4), {"size": 3}),
    ((3, 9, 4), {"size": 4, "stride": 2, "padding": 2}),
    ((3, 7, 8, 4), {"size": 2}),
    ((3, 7, 8, 4), {"size": (3, 4), "stride": (2, 1), "padding": (1, 2)}),
    ((3, 4, 5, 6, 3), {"size": (2, 3, 2), "stride": 1, "padding": (1, 1, 0)}),
]


@pytest.mark.parametrize(("x", "options"), POOL)
def test_pooling_is_pytorchs(x, options):
    n = len(x) - 2
    largest, mean = (
        (F.max_pool1d, F.max_pool2d, F.max_pool3d)[n - 1],
        (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[n - 1],
    )
    size, rest = options["size"], {k: v for k, v in options.items() if k != "size"}
    X = drawn(x)[0]
    agree(lambda X: gs.maxpool(X, **options), lambda X: last(largest(first(X), size, **rest)), X)
    for include in (False, True):
        agree(
            lambda X: gs.avgpool(X, **options, count_include_pad=include),
            lambda X: last(mean(first(X), size, **rest, count_include_pad=include)),
            X,
        )


@pytest.mark.parametrize("ties", [False, True])
def test_places_are_pytorchs_and_so_is_unpooling(ties):
    X = drawn((3, 7, 8, 4))[0]
    X = X.round() if ties else X
    for options in ({"size": 2}, {"size": 3, "stride": 2, "padding": 1}, {"size": (2, 3), "stride": 1, "dilation": 2}):
        Y, places = gs.maxpool(X, **options, indices=True)
        size, rest = options["size"], {k: v for k, v in options.items() if k != "size"}
        y, at = F.max_pool2d(first(torch.tensor(X)), size, **rest, return_indices=True)
        np.testing.assert_array_equal(Y, last(y).numpy())
        np.testing.assert_array_equal(places, last(at).numpy())
        if options == {"size": 2}:
            back = last(F.max_unpool2d(y, at, 2, output_size=(7, 8))).numpy()
            np.testing.assert_array_equal(gs.maxunpool(Y, places, (7, 8)), back)


@pytest.mark.parametrize("x", [(3, 9, 4), (3, 7, 8, 4), (3, 4, 5, 6, 3)], ids=str)
def test_global_pooling_is_pytorchs_adaptive_one(x):
    n, X = len(x) - 2, drawn(x)[0]
    largest = (F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d)[n - 1]
    mean = (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)[n - 1]
    agree(lambda X: gs.maxpool(X, "global"), lambda X: last(largest(first(X), 1)), X)
    agree(lambda X: gs.avgpool(X, "global"), lambda X: last(mean(first(X), 1)), X)


@pytest.mark.parametrize("x", [(3, 9, 4), (3, 7, 8, 4), (3, 6, 5, 7, 3)], ids=str)
def test_dilated_largest_and_unpooling_are_pytorchs_over_any_number_of_axes(x):
    n, X = len(x) - 2, drawn(x)[0]
    pool = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[n - 1]
    unpool = (F.max_unpool1d, F.max_unpool2d, F.max_unpool3d)[n - 1]
    dilated = {"stride": 2, "padding": 1, "dilation": 2}
    agree(lambda X: gs.maxpool(X, 2, **dilated), lambda X: last(pool(first(X), 2, **dilated)), X)
    Y, places = gs.maxpool(X, 2, indices=True)
    at = first(torch.tensor(places))
    theirs = lambda Y: last(unpool(first(Y), at, 2, output_size=x[1:-1]))
    agree(lambda Y: gs.maxunpool(Y, places, x[1:-1]), theirs, Y)


def test_mean_of_what_is_there_is_pytorchs_mean_over_that_of_ones():
    X = drawn((3, 8, 9, 4))[0]  # "same" with size 3 and stride 2 adds (0, 1) to 8 and (1, 1) to 9
    mean = lambda t: F.avg_pool2d(F.pad(first(t), (1, 1, 0, 1)), 3, 2)
    theirs = lambda t: last(mean(t) / mean(torch.ones_like(t)))
    agree(lambda X: gs.avgpool(X, 3, stride=2, padding="same"), theirs, X)


@pytest.fixture
def keras():
    """Keras in float64, since it would otherwise take arrays as float32."""
    keras = pytest.importorskip("keras")
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    yield keras
    keras.config.set_floatx(before)


# Keras on PyTorch hands its tensors to np.array, which NumPy 2 comments on.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
@pytest.mark.parametrize(("n", "k", "s"), [(7, 3, 2), (8, 3, 2), (8, 4, 3), (9, 2, 3), (5, 1, 2)])
def test_same_with_a_stride_is_keras(keras, n, k, s):
    X, W = drawn((3, n, n + 1, 4), (k, k, 4, 5))
    plain = lambda t: keras.ops.convert_to_numpy(t)
    x, w = keras.ops.convert_to_tensor(X), keras.ops.convert_to_tensor(W)
    theirs = plain(keras.ops.conv(x, w, strides=s, padding="same"))
    np.testing.assert_allclose(gs.conv(X, W, stride=s, padding="same"), theirs, rtol=RTOL, atol=1e-13)
    largest = plain(keras.ops.max_pool(x, k, strides=s, padding="same"))
    np.testing.assert_array_equal(gs.maxpool(X, k, stride=s, padding="same"), largest)


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
@pytest.mark.parametrize(("k", "s"), [(3, 2), (4, 2), (3, 3), (5, 3)])
def test_transposed_same_is_keras(keras, k, s):
    X, W = drawn((3, 5, 6, 4), (k, k, 5, 4))
    theirs = keras.ops.conv_transpose(keras.ops.convert_to_tensor(X), keras.ops.convert_to_tensor(W), s, "same")
    ours = gs.conv_transpose(X, W, stride=s, crop="same")
    np.testing.assert_allclose(ours, keras.ops.convert_to_numpy(theirs), rtol=RTOL, atol=1e-13)
