"""Pooling takes the largest or the mean of every window, entry by entry, and unpooling puts entries back."""

import doctest
import importlib
import itertools

import numpy as np
import pytest

import gradschool as gs
from gradschool.ops import pool


def some(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def holdings(x, size, stride, dilation, width, out):
    """For each window, the places within X that it holds."""
    for p in np.ndindex(*out):
        taps = itertools.product(*(range(k) for k in size))
        at = [
            tuple(i * s + j * d - w[0] for i, s, j, d, w in zip(p, stride, t, dilation, width, strict=True))
            for t in taps
        ]
        yield p, [a for a in at if all(0 <= i < n for i, n in zip(a, x[1:-1], strict=True))]


CASES = [  # X, size, stride, dilation, padding, its width, out
    ((3, 7, 4), 2, None, 1, 0, [(0, 0)], (3,)),
    ((3, 7, 4), 3, 2, 2, ((1, 2),), [(1, 2)], (3,)),
    ((3, 6, 8, 4), 2, None, 1, "valid", [(0, 0)] * 2, (3, 4)),
    ((3, 6, 7, 4), (3, 2), (2, 1), 1, "same", [(0, 1), (0, 1)], (3, 7)),
    ((3, 6, 7, 4), (4, 3), 1, (1, 2), (2, 1), [(2, 2), (1, 1)], (7, 5)),
    ((3, 5, 4, 6, 3), (2, 3, 1), None, 1, (0, 1, 0), [(0, 0), (1, 1), (0, 0)], (2, 2, 6)),
    ((3, 5, 6, 4), "global", None, 1, 0, [(0, 0)] * 2, (1, 1)),
]
EACH = pytest.mark.parametrize(("x", "size", "stride", "dilation", "padding", "width", "out"), CASES)


def laid_out(x, size, stride, dilation):
    n = len(x) - 2
    size = x[1:-1] if size == "global" else size
    size, dilation = (v if isinstance(v, tuple) else (v,) * n for v in (size, dilation))
    stride = size if stride is None else stride if isinstance(stride, tuple) else (stride,) * n
    return size, stride, dilation


@EACH
def test_maxpool_is_its_definition_and_so_is_where_it_found_them(x, size, stride, dilation, padding, width, out):
    X = some(*x)
    Y, places = gs.maxpool(X, size, stride, padding, dilation, indices=True)
    assert Y.shape == places.shape == (x[0], *out, x[-1])
    np.testing.assert_array_equal(gs.maxpool(X, size, stride, padding, dilation), Y)
    for p, held in holdings(x, *laid_out(x, size, stride, dilation), width, out):
        window = np.stack([X[(slice(None), *a)] for a in held])
        np.testing.assert_array_equal(Y[(slice(None), *p)], window.max(0))
        numbers = np.array([np.ravel_multi_index(a, x[1:-1]) for a in held])
        np.testing.assert_array_equal(places[(slice(None), *p)], numbers[window.argmax(0)])


@EACH
@pytest.mark.parametrize("include", [False, True])
def test_avgpool_is_its_definition(x, size, stride, dilation, padding, width, out, include):
    if np.any(np.array(dilation) > 1):
        dilation = 1
        out = None
    X = some(*x)
    Y = gs.avgpool(X, size, stride, padding, count_include_pad=include)
    out = Y.shape[1:-1] if out is None else out
    assert Y.shape == (x[0], *out, x[-1])
    k, s, d = laid_out(x, size, stride, dilation)
    for p, held in holdings(x, k, s, d, width, out):
        total = sum(X[(slice(None), *a)] for a in held)
        count = np.prod(k) if include else len(held)
        np.testing.assert_allclose(Y[(slice(None), *p)], total / count, rtol=1e-12, atol=1e-14)


def test_padding_never_wins_and_does_not_count():
    X = np.array([-3.0, -1.0, -2.0]).reshape(1, 3, 1)
    assert gs.maxpool(X, 3, stride=1, padding=1).ravel().tolist() == [-1, -1, -1]
    assert gs.avgpool(X, 3, stride=1, padding="same").ravel().tolist() == [-2, -2, -1.5]
    assert gs.avgpool(X, 3, stride=3, padding=1, count_include_pad=True).ravel().tolist() == [-4 / 3]


def test_gradient_goes_to_the_first_of_equals_alone():
    for shape in [(3, 4, 6, 5), (3, 4, 4, 6, 5)]:
        X = np.zeros(shape)
        n = len(shape) - 2
        dX = gs.grad(lambda X: np.sum(gs.maxpool(X, 2)))(X)
        expected = np.zeros(shape)
        expected[(slice(None), *(slice(0, None, 2),) * n)] = 1
        np.testing.assert_array_equal(dX, expected)
    X = np.array([[5.0, 9.0, 1.0], [9.0, 9.0, 2.0]]).reshape(1, 2, 3, 1)  # row by row: the first 9 is in the first row
    assert gs.maxpool(X, 2, stride=1, indices=True)[1].ravel().tolist() == [1, 1]
    g = np.array([10.0, 1.0]).reshape(1, 1, 2, 1)
    assert gs.vjp(lambda X: gs.maxpool(X, 2, stride=1), X)[1](g)[0].ravel().tolist() == [0, 11, 0, 0, 0, 0]


def test_second_derivative_at_equals_is_that_of_the_first_of_them():
    product = gs.hessian_vector_product(lambda X: np.sum(gs.maxpool(X, 2) ** 3), np.ones((1, 4, 1)), np.ones((1, 4, 1)))
    assert product.ravel().tolist() == [6, 0, 6, 0]


def test_gradient_of_maxpool_is_its_unpooling():
    X, options = some(3, 7, 8, 4), {"size": 3, "stride": 2, "padding": 1}
    Y, places = gs.maxpool(X, **options, indices=True)
    g = some(*Y.shape, seed=1)
    pulled = gs.vjp(lambda X: gs.maxpool(X, **options), X)[1](g)[0]
    np.testing.assert_allclose(gs.maxunpool(g, places, (7, 8)), pulled, rtol=1e-14)
    with_places = gs.value_and_grad(lambda X: np.sum(g * gs.maxpool(X, **options, indices=True)[0]))(X)[1]
    np.testing.assert_allclose(with_places, pulled, rtol=1e-14)
    np.testing.assert_array_equal(
        np.take_along_axis(X.reshape(3, 56, 4), places.reshape(3, -1, 4), 1).reshape(Y.shape), Y
    )


def test_derivatives_pass_through_pooling_with_places_and_back_to_them_twice():
    X, v = some(3, 5, 6, 4), some(3, 5, 6, 4, seed=1)

    def there_and_back(X):
        Y, places = gs.maxpool(X, 2, indices=True)
        return np.sum(gs.maxunpool(Y, places, (5, 6)) ** 4)

    product = gs.hessian_vector_product(there_and_back, X, v)
    np.testing.assert_allclose(product, 12 * gs.maxunpool(*gs.maxpool(X, 2, indices=True), (5, 6)) ** 2 * v, rtol=1e-12)


def test_unpooled_entries_stand_at_their_places_and_zeros_elsewhere():
    X = some(3, 6, 8, 4)
    Z = gs.maxunpool(*gs.maxpool(X, 2, indices=True), (6, 8))
    np.testing.assert_array_equal(Z[Z != 0], X[Z != 0])
    assert (Z != 0).sum() == 3 * 3 * 4 * 4
    np.testing.assert_array_equal(gs.maxpool(np.where(Z == 0, -np.inf, Z), 2), gs.maxpool(X, 2))
    both = gs.maxunpool(np.ones((1, 3, 1)), np.array([4, 4, 0]).reshape(1, 3, 1), (5,))
    assert both.ravel().tolist() == [1, 0, 0, 0, 2]


def test_large_batches_cut_into_blocks_are_what_they_are_in_one_piece(monkeypatch):
    X = some(7, 6, 9, 4)
    whole = gs.maxpool(X, 2)
    g = some(*whole.shape, seed=1)
    pulled = gs.vjp(lambda X: gs.maxpool(X, 2), X)[1](g)[0]
    monkeypatch.setattr(pool, "BLOCK", 3 * X[0].nbytes)
    np.testing.assert_array_equal(gs.maxpool(X, 2), whole)
    np.testing.assert_array_equal(gs.vjp(lambda X: gs.maxpool(X, 2), X)[1](g)[0], pulled)


def test_global_pooling_is_numpys_reduction():
    X = some(3, 5, 6, 4)
    np.testing.assert_allclose(gs.avgpool(X, "global"), X.mean((1, 2), keepdims=True), rtol=1e-12)
    np.testing.assert_array_equal(gs.maxpool(X, "global"), X.max((1, 2), keepdims=True))


@pytest.mark.parametrize("function", [gs.maxpool, gs.avgpool])
def test_empty_batches_and_whole_numbers(function):
    Y, pullback = gs.vjp(lambda X: function(X, 2), np.zeros((0, 6, 7, 4)))
    assert Y.shape == (0, 3, 3, 4)
    assert pullback(Y)[0].shape == (0, 6, 7, 4)
    whole = np.arange(12).reshape(1, 6, 2)
    np.testing.assert_array_equal(function(whole, 3), function(whole.astype(float), 3))
    assert function(whole, 3).dtype == np.float64
    assert function(np.zeros((1, 3, 4, 5), np.float32), 2, padding=1).dtype == np.float32


def test_a_window_of_nothing_but_minus_infinity_has_a_place_within_the_image():
    X = np.full((1, 3, 1), -np.inf)
    Y, places = gs.maxpool(X, 2, stride=1, padding=1, indices=True)
    assert np.isneginf(Y).all()
    assert places.ravel().tolist() == [0, 0, 1, 2]


@pytest.mark.parametrize("value", [-2.5, "replicate", "symmetric-include-edge", "symmetric-exclude-edge"])
@pytest.mark.parametrize("padding", [((1, 2), 1), "same"])
def test_padding_that_counts_holds_what_it_is_told_to(value, padding):
    """The mean over X as conv pads it; its gradient goes where the border's entries came from."""
    X, width = some(3, 5, 7, 2), [(1, 2), (1, 1)] if padding != "same" else [(1, 1), (1, 1)]
    mode = {"replicate": "edge", "symmetric-include-edge": "symmetric", "symmetric-exclude-edge": "reflect"}
    how = {"mode": mode[value]} if isinstance(value, str) else {"constant_values": value}
    bordered = np.pad(X, [(0, 0), *width, (0, 0)], **how)
    pool = lambda X: gs.avgpool(X, 3, stride=1, padding=padding, padding_value=value, count_include_pad=True)
    Y, pullback = gs.vjp(pool, X)
    np.testing.assert_allclose(Y, gs.avgpool(bordered, 3, stride=1), rtol=1e-12, atol=1e-13)
    g, v = some(*Y.shape), some(*X.shape)
    along = (pool(X + v) - pool(X - v)) / 2  # linear but for a number, which falls out
    assert np.sum(pullback(g)[0] * v) == pytest.approx(np.sum(g * along), rel=1e-10)
    Hv = gs.hessian_vector_product(lambda X: np.sum(g * pool(X) ** 2) / 2, X, v)
    np.testing.assert_allclose(Hv, gs.vjp(pool, X)[1](g * along)[0], rtol=1e-9, atol=1e-10)


X = np.zeros((3, 5, 6, 4))
WRONG = [
    (gs.avgpool, (X, 2), {"padding": 1, "padding_value": 1.0}, "try count_include_pad=True"),
    (gs.avgpool, (X, 2), {"padding": 1, "padding_value": "edge", "count_include_pad": True}, "one of symmetric"),
    (gs.maxpool, (X[0, 0], 2), {}, "one to three spatial axes"),
    (gs.maxpool, (X, 7), {}, r"a window of \(7, 7\) does not fit into \(5, 6\)"),
    (gs.maxpool, (X, (2, 2, 2)), {}, "expected size of 1 or more"),
    (gs.maxpool, (X, "all"), {}, "got 'all'"),
    (gs.maxpool, (X, 2), {"padding": 2}, "holds nothing"),
    (gs.avgpool, (X, 2), {"padding": ((0, 3), 0)}, "holds nothing"),
    (gs.avgpool, (X, 2), {"stride": 0}, "stride of 1 or more"),
    (gs.maxunpool, (X, np.zeros((3, 5, 6, 3), int), (7, 8)), {}, r"expected whole numbers of shape \(3, 5, 6, 4\)"),
    (gs.maxunpool, (X, X, (7, 8)), {}, "got float64"),
    (gs.maxunpool, (X, np.zeros(X.shape, int), (7,)), {}, "2 sizes"),
    (gs.maxunpool, (X, np.full(X.shape, 56), (7, 8)), {}, r"56..56 do not lie within \(7, 8\)"),
]


@pytest.mark.parametrize(("function", "args", "options", "words"), WRONG)
def test_what_does_not_fit_is_said(function, args, options, words):
    with pytest.raises(ValueError, match=words):
        function(*args, **options)


@pytest.mark.parametrize("name", ["pool", "unpool"])
def test_examples_print_what_they_say(name):
    assert doctest.testmod(importlib.import_module(f"gradschool.ops.{name}")).failed == 0


@pytest.mark.parametrize(("shape", "options"), [
    ((9, 8, 6, 5), {}), ((3, 7, 2), {}), ((2, 5, 4, 6, 3), {}), ((9, 8, 7, 5), {"stride": 1}),
    ((9, 8, 7, 5), {"stride": 3, "dilation": 2}), ((9, 8, 7, 5), {"padding": 1}), ((0, 8, 6, 5), {}),
])  # fmt: skip
def test_which_of_two_was_larger_is_kept_or_found_again_with_the_same_gradient(monkeypatch, shape, options):
    """Equal entries, of which the first counts, and such as are no number."""
    X = np.floor(3 * some(*shape)) / 2
    X.reshape(-1)[::17] = np.nan
    monkeypatch.setattr(pool, "BLOCK", 2 * X[:1].nbytes or 1)
    Y, cache = pool.maxpool_forward(X, 2, **options)
    kept, more = pool.maxpool_keeping(X, 2, **options)
    np.testing.assert_array_equal(kept, Y)
    g = some(*Y.shape, seed=1)
    np.testing.assert_array_equal(pool.maxpool_kept(g, more), pool.maxpool_backward(g, cache))
    assert "first" in more
    assert "first" not in pool.maxpool_keeping(X, 1)[1]


def test_maxpool_in_threads_is_the_same_to_the_last_bit(monkeypatch):
    X, runs = some(9, 8, 7, 5), []
    monkeypatch.setattr(pool, "BLOCK", 2 * X[0].nbytes)
    for threads in (1, 3):
        monkeypatch.setattr("gradschool.ops.threads.blas_threads", lambda threads=threads: threads)
        Y, pullback = gs.vjp(lambda x: gs.maxpool(x, 3, stride=2, padding="same"), X)
        runs.append([Y, *pullback(some(*Y.shape, seed=1))])
    for found, expected in zip(*runs, strict=True):
        np.testing.assert_array_equal(found, expected)
