"""Where results go: memory begins where it should, and what is computed in blocks or parts is the same."""

import numpy as np
import pytest

import gradschool as gs
from gradschool.ops import linear, place, threads
from gradschool.ops.gru import gru_backward, gru_forward, gru_plain
from gradschool.ops.lstm import lstm_backward, lstm_forward, lstm_plain

RNG = np.random.default_rng(7)


@pytest.mark.parametrize("shape", [(), (0,), (5,), (3, 0, 2), (4, 7, 3)])
def test_aligned_memory_begins_with_a_line_of_the_cache(shape):
    a = place.aligned(shape, np.float32)
    assert a.shape == shape
    assert a.dtype == np.float32
    assert a.flags.c_contiguous
    assert a.size == 0 or a.ctypes.data % place.LINE == 0


def test_the_size_of_numpy_s_buffers_is_what_it_was_after_a_function_that_changes_it_even_if_it_raises():
    before, seen = np.getbufsize(), []

    @place.buffered(64)
    def fail():
        seen.append(np.getbufsize())
        raise ValueError("as expected")

    with pytest.raises(ValueError, match="as expected"):
        fail()
    assert (seen, np.getbufsize()) == ([64], before)


@pytest.mark.parametrize("shape", [(), (0, 3), (7,), (5, 3), (1, 40), (9, 2, 3)])
def test_a_function_of_samples_is_the_same_in_blocks(monkeypatch, shape):
    """Blocks of 10 numbers: of several samples, of one that is larger, and a last one with fewer."""
    monkeypatch.setattr(place, "BLOCK", 10)
    x, y, seen = RNG.normal(size=shape), RNG.normal(size=shape), []

    def f(x, y):
        seen.append(x.size)
        return x * y + x

    np.testing.assert_array_equal(place.in_blocks(f, x, y), x * y + x)
    assert sum(seen) == x.size
    assert all(size <= max(10, x.size // len(x)) for size in seen) if x.ndim and x.size else seen == [x.size]


def test_what_is_being_differentiated_is_not_cut_into_blocks(monkeypatch):
    monkeypatch.setattr(place, "BLOCK", 10)
    x = RNG.normal(size=30)
    gradient = gs.grad(lambda x: place.in_blocks(lambda x: x**3, x).sum())(x)
    np.testing.assert_allclose(gradient, 3 * x**2)


@pytest.mark.parametrize(("M", "K", "N", "parts"), [
    (512, 193, 32, 4), (384, 129, 32, 2), (784, 32, 300, 8), (510, 193, 32, 5), (128, 100, 100, 2),
    (100, 100, 100, 1), (512, 193, 256, 1), (509, 193, 32, 1), (64, 200_000, 1, 16), (0, 5, 3, 1), (5, 0, 3, 1),
])  # fmt: skip
def test_a_product_that_takes_long_to_arrange_is_asked_for_in_parts_and_is_the_same(monkeypatch, M, K, N, parts):
    """100 x 100 x 100 is small, in 193 x 256 neither number is, and 509 is a prime."""
    monkeypatch.setattr(place, "quick_if_small", lambda: True)
    a, b = RNG.normal(size=(M, K)), RNG.normal(size=(K, N))
    rows, out = place.in_parts(a, N), np.empty((M, N))
    assert rows.shape == (parts, M // parts, K)
    assert rows.base is a
    assert place.product(a, b, out) is out
    assert place.product(np.asfortranarray(a), b, out) is out  # as X.T is, of a dense layer's dW
    np.testing.assert_allclose(out, a @ b, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(("M", "K", "N", "parts"), [
    (32, 3072, 100, 12), (32, 784, 300, 8), (8, 784, 300, 2), (3, 12_000, 100, 4), (33, 3072, 100, 1),
    (32, 100, 100, 1), (32, 1024, 1024, 1), (32, 3067, 100, 1), (0, 5, 3, 1), (5, 0, 3, 1),
])  # fmt: skip
@pytest.mark.parametrize("order", ["C", "F"])
def test_few_rows_times_a_large_matrix_are_the_sum_of_small_products(monkeypatch, M, K, N, parts, order):
    """33 rows are not few, 100 x 100 is not large, 1024 x 1024 would be cut too thin, and 3067 is a prime."""
    monkeypatch.setattr(place, "quick_if_small", lambda: True)
    a, b = RNG.normal(size=(M, K)), np.asarray(RNG.normal(size=(K, N)), order=order)
    assert M * K * N <= place.SMALL or M > place.FEW or place.inner_parts(M, K, N) == parts
    np.testing.assert_allclose(place.rows_product(a, b), a @ b, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("one", [True, False])
def test_the_derivatives_of_a_dense_layer_of_few_samples_are_the_same_in_parts(monkeypatch, one):
    for module in (place, linear):
        monkeypatch.setattr(module, "SMALL", 10**5)
        monkeypatch.setattr(module, "quick_if_small", lambda: one)
    X, W, G = RNG.normal(size=(9, 192)), RNG.normal(size=(192, 64)), RNG.normal(size=(9, 64))
    Y, pullback = gs.vjp(gs.dense, X, W)
    for found, expected in zip((Y, *pullback(G)), (X @ W, G @ W.T, X.T @ G), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)
    v = RNG.normal(size=X.shape)
    Hv = gs.hessian_vector_product(lambda X: np.sum(G * gs.dense(X, W) ** 2), X, v)
    np.testing.assert_allclose(Hv, 2 * (G * (v @ W)) @ W.T, rtol=1e-11, atol=1e-11)


def test_a_number_as_an_array_can_only_be_read():
    assert place.number(0.1, np.dtype(np.float32)) == np.float32(0.1)
    assert not place.number(0.1, np.dtype(np.float32)).flags.writeable


def test_threads_of_blas_get_a_product_whole(monkeypatch):
    monkeypatch.setattr(place, "quick_if_small", lambda: False)
    assert place.in_parts(np.ones((512, 193)), 32).shape == (1, 512, 193)
    monkeypatch.setattr(place, "inner_parts", None)
    assert place.rows_product(np.ones((2, 6000)), np.ones((6000, 100))).shape == (2, 100)


@pytest.mark.parametrize(("name", "gates"), [("lstm", 4), ("gru", 3)])
def test_a_layer_so_large_that_its_products_are_parted_is_that_of_its_steps(monkeypatch, name, gates):
    monkeypatch.setattr(place, "quick_if_small", lambda: True)
    forward, backward, plain = {
        "lstm": (lstm_forward, lstm_backward, lstm_plain),
        "gru": (gru_forward, gru_backward, gru_plain),
    }[name]
    N, T, D, H = 64, 3, 5, 96
    assert len(place.in_parts(np.ones((H, gates * H)), N)) > 1
    X, W, R = RNG.normal(size=(N, T, D)), RNG.normal(size=(D, gates * H)), RNG.normal(size=(H, gates * H)) / H**0.5
    results, cache = forward(X, W, R)
    for mine, told in zip(results, plain(X, W, R), strict=True):
        np.testing.assert_allclose(mine, told, rtol=1e-10, atol=1e-12)
    g = tuple(RNG.normal(size=r.shape) for r in results)
    dX, v = backward(g, cache)[0], RNG.normal(size=X.shape)

    def along(s):
        return sum(np.sum(d * r) for d, r in zip(g, plain(X + s * v, W, R), strict=True))

    slope = (along(1e-5) - along(-1e-5)) / 2e-5
    assert np.sum(dX * v) == pytest.approx(slope, rel=1e-7)


@pytest.mark.parametrize(("M", "K", "N"), [(20, 192, 40), (70, 30, 20), (33, 200, 7), (20, 101, 40)])
def test_products_that_threads_share_are_the_same(monkeypatch, M, K, N):
    """101 is a prime, and cannot be parted."""
    for module in (place, linear):
        monkeypatch.setattr(module, "SMALL", 1000)
    monkeypatch.setattr(place, "LARGE", 2000)
    a, b, g = (RNG.normal(size=size) for size in ((M, K), (K, N), (M, N)))
    for number in (1, 2, 3):
        for module in (place, threads):
            monkeypatch.setattr(module, "blas_threads", lambda number=number: number)
        out = np.empty((K, N))
        np.testing.assert_allclose(place.rows_product(a, b), a @ b, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(place.product(a.T, g, out), a.T @ g, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(linear.turned_in_parts(b, g), g @ b.T, rtol=1e-11, atol=1e-11)
