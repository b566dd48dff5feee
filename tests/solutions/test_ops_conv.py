"""A convolution is the sum of its definition, loop by loop, for every option; its transpose is its adjoint."""

import doctest
import importlib
import itertools

import numpy as np
import pytest

import gradschool as gs
from gradschool.ops.conv import conv_plain
from gradschool.ops.conv_transpose import conv_transpose_plain
from gradschool.ops.correlate import correlate, correlate_dP, correlate_dW, sum_of_pixels
from gradschool.ops.overlap import overlap, overlap_back, overlap_fits
from gradschool.ops.windows import blocks, padded, pads, unpadded
from gradschool.ops.winograd import TILES, winograd, winograd_back, winograd_fits
from gradschool.ops.winograd_rows import winograd_rows_back, winograd_rows_fit

MODES = {"symmetric-include-edge": "symmetric", "symmetric-exclude-edge": "reflect", "replicate": "edge"}


def by_loops(X, W, b, strides, dilations, groups, width, value=0):
    """The definition, one number after the other."""
    width = [(0, 0), *width, (0, 0)]
    P = np.pad(X, width, mode=MODES[value]) if isinstance(value, str) else np.pad(X, width, constant_values=value)
    kernel, (c, O) = W.shape[:-2], W.shape[-2:]
    spans = [d * (k - 1) + 1 for d, k in zip(dilations, kernel, strict=True)]
    out = [(n - e) // s + 1 for n, e, s in zip(P.shape[1:-1], spans, strides, strict=True)]
    Y = np.zeros((len(X), *out, O))
    for index in np.ndindex(*Y.shape):
        n, *p, o = index
        group = o // (O // groups)
        for k in np.ndindex(*kernel):
            place = tuple(i * s + j * d for i, s, j, d in zip(p, strides, k, dilations, strict=True))
            Y[index] += P[(n, *place, slice(group * c, (group + 1) * c))] @ W[(*k, slice(None), o)]
    return Y + (0 if b is None else b)


def some(shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape)


CASES = [  # X, W, groups, stride, dilation, padding, its width, value
    ((3, 11, 4), (3, 4, 5), 1, (1,), (1,), 0, [(0, 0)], 0),
    ((3, 11, 4), (4, 2, 6), 2, (3,), (2,), ((1, 3),), [(1, 3)], 0),
    ((3, 7, 5), (3, 1, 5), 5, (2,), (1,), "same", [(1, 1)], 0),
    ((3, 8, 5), (3, 1, 5), 5, (2,), (1,), "same", [(0, 1)], 0),
    ((3, 6, 7, 4), (3, 4, 4, 5), 1, (1, 1), (1, 1), "same", [(1, 1), (1, 2)], 0),
    ((3, 6, 7, 4), (3, 1, 2, 6), 2, (2, 3), (2, 1), (1, 2), [(1, 1), (2, 2)], -1.5),
    ((3, 6, 7, 3), (4, 3, 1, 6), 3, (1, 2), (1, 2), "valid", [(0, 0), (0, 0)], 0),
    ((3, 6, 7, 9), (3, 4, 9, 5), 1, (2, 1), (1, 1), 1, [(1, 1), (1, 1)], "replicate"),
    ((3, 6, 5, 4), (3, 3, 4, 5), 1, (1, 1), (1, 1), (4, 7), [(4, 4), (7, 7)], "symmetric-include-edge"),
    ((3, 6, 5, 4), (3, 3, 4, 5), 1, (1, 1), (1, 1), ((0, 5), 3), [(0, 5), (3, 3)], "symmetric-exclude-edge"),
    ((3, 11, 6, 4), (2, 3, 4, 5), 1, (1, 1), (1, 1), "same", [(0, 1), (1, 1)], 0),
    ((1, 4, 5, 6, 3), (2, 3, 4, 3, 5), 1, (1, 2, 3), (2, 1, 1), 1, [(1, 1)] * 3, 0),
    ((1, 4, 5, 6, 4), (3, 1, 2, 1, 12), 4, (1, 1, 2), (1, 1, 3), "same", [(1, 1), (0, 0), (1, 2)], 0),
]


@pytest.mark.parametrize(("x", "w", "groups", "stride", "dilation", "padding", "width", "value"), CASES)
def test_conv_is_its_definition(x, w, groups, stride, dilation, padding, width, value):
    X, W, b = some(x), some(w), some(w[-1:])
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups, "padding_value": value}
    expected = by_loops(X, W, b, stride, dilation, groups, width, value)
    np.testing.assert_allclose(gs.conv(X, W, b, **options), expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(gs.conv(X, W, **options), expected - b, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(conv_plain(X, W, b, **options), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("x", "w", "groups", "stride", "dilation", "padding", "width", "value"), CASES)
def test_conv_transpose_is_the_adjoint_of_conv(x, w, groups, stride, dilation, padding, width, value):
    A, W = some(x), some(w)
    Y = gs.conv(A, W, stride=stride, padding=padding, dilation=dilation, groups=groups)
    X = some(Y.shape, seed=1)
    crop = []
    for n, o, k, s, d, (before, after) in zip(x[1:], Y.shape[1:-1], w, stride, dilation, width, strict=False):
        unseen = n + before + after - (s * (o - 1) + d * (k - 1) + 1)  # a stride may leave entries in no window
        crop.append((before, max(after - unseen, 0)))
    back = gs.conv_transpose(X, W, stride=stride, crop=crop, dilation=dilation, groups=groups)
    index = tuple(slice(0, n) for n in back.shape)
    np.testing.assert_allclose(np.sum(A[index] * back), np.sum(Y * X), rtol=1e-10)
    sizes = [s * (o - 1) + d * (k - 1) + 1 - sum(c) for s, o, d, k, c in
             zip(stride, Y.shape[1:-1], dilation, w, crop, strict=False)]  # fmt: skip
    assert back.shape == (x[0], *sizes, x[-1])
    plain = conv_transpose_plain(X, W, some(x[-1:]), stride, crop, dilation, groups)
    np.testing.assert_allclose(plain, back + some(x[-1:]), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(("k", "s", "d"), [*itertools.product((1, 3, 4), (1, 2, 5), (1, 2))])
def test_same_gives_every_stride_th_place_and_its_transpose_the_inverse_size(k, s, d):
    W = some((k, 3, 4))
    for n in (6, 7, 10):
        X = some((3, n, 3))
        Y = gs.conv(X, W, stride=s, dilation=d, padding="same")
        assert Y.shape == (3, -(-n // s), 4)
    A, Y = some((3, 5 * s, 3)), some((3, 5, 4))
    back = gs.conv_transpose(Y, W, stride=s, crop="same", dilation=d)
    assert back.shape == A.shape
    there = gs.conv(A, W, stride=s, dilation=d, padding="same")
    np.testing.assert_allclose(np.sum(there * Y), np.sum(A * back), rtol=1e-10, atol=1e-10)
    plain = conv_transpose_plain(Y, W, stride=s, crop="same", dilation=d)
    np.testing.assert_allclose(plain, back, rtol=1e-12, atol=1e-12)


def test_same_puts_an_odd_entry_of_padding_at_the_end():
    X = np.array([1.0, 2.0, 4.0, 8.0]).reshape(1, 4, 1)
    W = np.array([1.0, 10.0, 100.0]).reshape(3, 1, 1)
    assert gs.conv(X, W, stride=2, padding="same").ravel().tolist() == [421, 84]
    assert gs.conv(X, W, stride=2, padding=1).ravel().tolist() == [210, 842]  # what PyTorch users write


def test_weights_are_not_flipped():
    X, W = np.array([0.0, 1.0, 0.0]).reshape(1, 3, 1), np.array([1.0, 2.0, 3.0]).reshape(3, 1, 1)
    assert gs.conv(X, W, padding=1).ravel().tolist() == [3, 2, 1]
    assert gs.conv_transpose(X, W, crop=1).ravel().tolist() == [1, 2, 3]


def test_groups_are_consecutive_channels_each_with_its_own_weights():
    X, W = some((3, 7, 6)), some((3, 3, 8))
    apart = [gs.conv(X[..., i * 3 : i * 3 + 3], W[..., i * 4 : i * 4 + 4]) for i in range(2)]
    np.testing.assert_allclose(gs.conv(X, W, groups=2), np.concatenate(apart, -1), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("shape", [(3, 9, 7, 5, 4), (1, 4, 6, 3, 5), (5, 3, 3, 4, 3)], ids=str)
def test_winograd_is_correlation_in_value_and_gradients(shape):
    N, H, width, C, O = shape
    P, W, b = some((N, H, width, C)), some((3, 3, C, O)), some((O,))
    ones = (1, 1), (1, 1), 1
    g = some((N, H - 2, width - 2, O))
    np.testing.assert_allclose(winograd(P, W, b), correlate(P, W, b, *ones), rtol=1e-12, atol=1e-12)
    found = winograd_back(g, P, W, ["P", "W"])
    np.testing.assert_allclose(found["P"], correlate_dP(g, W, P.shape, *ones), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found["W"], correlate_dW(g, P, W.shape, *ones), rtol=1e-12, atol=1e-12)


def assert_gives_gradients_of_correlation(back, g, P, W):
    ones = (1, 1), (1, 1), 1
    found = back(g, P, W, ["P", "W", "b"])
    np.testing.assert_allclose(found["P"], correlate_dP(g, W, P.shape, *ones), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found["W"], correlate_dW(g, P, W.shape, *ones), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found["b"], sum_of_pixels(g), rtol=1e-12, atol=1e-12)
    for name in found:
        np.testing.assert_array_equal(back(g, P, W, [name])[name], found[name])


@pytest.mark.parametrize(
    "shape", [(3, 9, 7, 5, 4, 3, 3), (5, 6, 4, 3, 2, 1, 1), (37, 7, 6, 4, 3, 3, 2), (1, 8, 5, 2, 6, 2, 4)]
)
@pytest.mark.parametrize("most", [1, 1500, 1 << 20], ids="{}-bytes".format)
def test_overlapping_rows_are_correlation_in_value_and_gradients(monkeypatch, shape, most):
    monkeypatch.setattr("gradschool.ops.overlap.BLOCK", most)
    N, H, width, C, O, l, k = shape
    P, W, b, g = some((N, H, width, C)), some((l, k, C, O)), some((O,)), some((N, H - l + 1, width - k + 1, O))
    ones = (1, 1), (1, 1), 1
    np.testing.assert_allclose(overlap(P, W, b), correlate(P, W, b, *ones), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(overlap(P, W), correlate(P, W, None, *ones), rtol=1e-12, atol=1e-12)
    assert_gives_gradients_of_correlation(overlap_back, g, P, W)


@pytest.mark.parametrize("shape", [(23, 12, 7, 5, 4, 3), (1, 4, 6, 3, 5, 1), (0, 8, 5, 2, 6, 2), (7, 10, 4, 3, 2, 4)])
@pytest.mark.parametrize("most", [1, 5000, 1 << 20], ids="{}-numbers".format)
def test_gradients_by_pairs_of_rows_are_those_of_correlation(monkeypatch, shape, most):
    monkeypatch.setattr("gradschool.ops.winograd_rows.BLOCK", most)
    N, H, width, C, O, k = shape
    P, W, g = some((N, H, width, C)), some((3, k, C, O)), some((N, H - 2, width - k + 1, O))
    assert_gives_gradients_of_correlation(winograd_rows_back, g, P, W)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_give_the_same_to_the_last_bit_with_any_number_of_threads(monkeypatch, dtype):
    P, W, b, g = (some(s).astype(dtype) for s in ((23, 12, 11, 8), (3, 3, 8, 16), (16,), (23, 10, 9, 16)))
    which, runs = ["P", "W", "b"], []
    for threads in (1, 2, 5):
        monkeypatch.setattr("gradschool.ops.threads.blas_threads", lambda threads=threads: threads)
        backs = (back(g, P, W, which).values() for back in (overlap_back, winograd_rows_back, winograd_back))
        runs.append([overlap(P, W, b), winograd(P, W, b), *itertools.chain(*backs)])
    for run in runs[1:]:
        for found, expected in zip(run, runs[0], strict=True):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("channels", [2, 16])
def test_correlation_gives_the_same_to_the_last_bit_with_any_number_of_threads(monkeypatch, channels):
    P, W, b, g = some((11, 12, 11, channels)), some((3, 2, channels, 5)), some((5,)), some((11, 5, 10, 5))
    layout, runs = ((2, 1), (1, 1), 1), []
    monkeypatch.setattr("gradschool.ops.correlate.LARGE", 0)
    for threads in (1, 2, 5):
        monkeypatch.setattr("gradschool.ops.threads.blas_threads", lambda threads=threads: threads)
        dP, dW = correlate_dP(g, W, P.shape, *layout), correlate_dW(g, P, W.shape, *layout)
        runs.append([correlate(P, W, b, *layout), dP, dW])
    for run in runs[1:]:
        for found, expected in zip(run, runs[0], strict=True):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("x", "w", "fits"), [
    ((3, 12, 7, 32), (3, 3, 32, 64), (True, True, True)),
    ((3, 13, 7, 32), (3, 3, 32, 64), (True, False, True)),
    ((3, 12, 7, 32), (2, 3, 32, 64), (True, False, False)),
    ((3, 120, 70, 32), (3, 3, 32, 64), (True, False, True)),
    ((3, 11, 7, 32), (3, 3, 32, 64), (False, False, True)),
    ((3, 12, 7, 64), (3, 3, 64, 64), (False, False, True)),
    ((3, 12, 7, 8), (3, 3, 8, 64), (True, True, False)),
    ((3, 12, 7, 8), (3, 3, 8, 65), (False, False, False)),
    ((3, 12, 7, 3), (3, 3, 3, 8), (False, False, False)),
])  # fmt: skip
@pytest.mark.parametrize("kernels", [True, False])
def test_which_way_is_taken_depends_on_sizes(monkeypatch, x, w, fits, kernels):
    """And on kernels for small products: without them, no small ones where Winograd's larger ones can be had."""
    monkeypatch.setattr("gradschool.ops.overlap.small_kernels", lambda: kernels)
    ones = (1, 1), (1, 1), 1
    if not kernels and fits[2]:
        fits = (False, False, True)
    assert (overlap_fits(x, w, *ones), winograd_rows_fit(x, w, *ones), winograd_fits(w, *ones)) == fits
    for other in (((2, 1), (1, 1), 1), ((1, 1), (1, 2), 1), ((1, 1), (1, 1), 2)):
        assert not overlap_fits(x, w, *other)
        assert not winograd_rows_fit(x, w, *other)
        assert not winograd_fits(w, *other)


def test_large_images_cut_into_blocks_are_what_they_are_in_one_piece():
    P, W = some((3, 2 * TILES // 9 + 5, 40, 3)), some((3, 3, 3, 5))
    g = some((3, P.shape[1] - 2, 38, 5))
    np.testing.assert_allclose(winograd(P, W, None), conv_plain(P, W), rtol=1e-11, atol=1e-12)
    found = winograd_back(g, P, W, ["P", "W"])
    pullback = gs.vjp(conv_plain, P, W)[1]
    for name, expected in zip("PW", pullback(g), strict=True):
        np.testing.assert_allclose(found[name], expected, rtol=1e-10, atol=1e-11)
    P, W = some((3, 61, 50, 40)), some((4, 3, 40, 5))
    g = some((3, 29, 24, 5))
    np.testing.assert_allclose(gs.conv(P, W, stride=2), conv_plain(P, W, stride=2), rtol=1e-10, atol=1e-11)
    pullback, plainly = (gs.vjp(lambda P, W, f=f: f(P, W, stride=2), P, W)[1] for f in (gs.conv, conv_plain))
    for d, expected in zip(pullback(g), plainly(g), strict=True):
        np.testing.assert_allclose(d, expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("channels", [(4, 5), (64, 65)])
def test_conv_of_many_channels_has_the_derivatives_of_its_definition_to_second_order(channels):
    C, O = channels  # the fewer take overlap, the more winograd
    X, W, b, v = some((3, 10, 4, C)), some((3, 3, C, O)), some((O,)), some((3, 3, C, O), 1)
    g = some((3, 10, 4, O))
    pullbacks = [gs.vjp(lambda *a, f=f: f(*a, padding=1), X, W, b)[1] for f in (gs.conv, conv_plain)]
    for d, expected in zip(*(pullback(g) for pullback in pullbacks), strict=True):
        np.testing.assert_allclose(d, expected, rtol=1e-10, atol=1e-11)
    onto = lambda X, W, f: np.sum(g * np.tanh(f(X, W, b, padding=1)))
    products = [gs.hessian_vector_product(lambda W, f=f: onto(X, W, f), W, v) for f in (gs.conv, conv_plain)]
    np.testing.assert_allclose(*products, rtol=1e-9, atol=1e-9)


def test_winograd_in_float32_is_as_good_as_sums_in_float32():
    X, W = some((3, 8, 10, 64)), some((3, 3, 64, 66))
    exact = gs.conv(X, W)
    error = np.abs(gs.conv(X.astype(np.float32), W.astype(np.float32)) - exact).max()
    assert error < 1e-6 * np.abs(exact).max()


@pytest.mark.parametrize("value", [0, 3.5, *MODES])
def test_unpadded_is_the_adjoint_of_padded(value):
    X, width = some((3, 4, 5, 6)), [(5, 3), (0, 4)]
    P = padded(X, width, value)
    g = some(P.shape, seed=1)
    padding_alone = np.sum(g * padded(np.zeros_like(X), width, value))
    np.testing.assert_allclose(
        np.sum(g * P) - padding_alone, np.sum(unpadded(g, width, X.shape, value) * X), rtol=1e-11
    )


def test_blocks_cover_everything_once_and_stay_small():
    for shape, most in itertools.product([(3, 4, 5), (1, 7, 3), (11,), (0, 4)], [1, 4, 9, 1000]):
        count = np.zeros(shape, int)
        for block in blocks(shape, most):
            assert count[block].size <= max(most, 1)
            count[block] += 1
        assert (count == 1).all()


def test_empty_batches_whole_numbers_and_other_types():
    W, b = some((3, 3, 4, 5)), some((5,))
    empty = np.zeros((0, 6, 7, 4))
    Y, pullback = gs.vjp(lambda X, W, b: gs.conv(X, W, b, padding=1), empty, W, b)
    assert Y.shape == (0, 6, 7, 5)
    assert [d.shape for d in pullback(Y)] == [(0, 6, 7, 4), W.shape, b.shape]
    assert not pullback(Y)[1].any()
    assert gs.conv_transpose(empty, some((3, 3, 5, 4)), stride=2).shape == (0, 13, 15, 5)
    for channels in (8, 64):
        assert gs.conv(np.zeros((0, 12, 7, channels)), some((3, 3, channels, 64))).shape == (0, 10, 5, 64)
    whole = np.arange(24).reshape(1, 6, 4)
    assert gs.conv(whole, np.ones((3, 4, 1), int)).ravel().tolist() == [66, 114, 162, 210]
    assert gs.conv(whole, np.ones((3, 4, 1), int)).dtype == np.float64
    assert gs.conv_transpose(whole, np.ones((3, 5, 4), int)).dtype == np.float64
    mixed = gs.conv(some((3, 6, 4)).astype(np.float32), some((3, 4, 5)))
    assert mixed.dtype == np.float64


X = np.zeros((3, 8, 9, 6))
W = np.zeros((3, 3, 6, 5))
WRONG = [
    (gs.conv, (X[..., 0], W), {}, r"conv: X \(3, 8, 9\) and W \(3, 3, 6, 5\) do not fit"),
    (gs.conv, (X, W[0, 0]), {}, r"expected X \(N, ..., C\)"),
    (gs.conv, (X, W[:, :, :4]), {}, r"W would be \(3, 3, 6, 5\)"),
    (gs.conv, (X, W), {"groups": 4}, "groups=4 must divide"),
    (gs.conv, (X, W[:, :, :3]), {"groups": 2}, "groups=2 must divide"),
    (gs.conv, (X, W, np.zeros(6)), {}, r"expected b of shape \(5,\)"),
    (gs.conv, (X, W), {"dilation": 4}, r"a window of \(9, 9\) does not fit into \(8, 9\)"),
    (gs.conv, (X, W), {"stride": 0}, "stride of 1 or more"),
    (gs.conv, (X, W), {"stride": (1, 2, 3)}, "one number or 2 of them"),
    (gs.conv, (X, W), {"padding": "full"}, "got 'full'"),
    (gs.conv, (X, W), {"padding": (1, 2, 3)}, "a number, or 2 numbers or pairs"),
    (gs.conv, (X, W), {"padding": ((1, -1), 0)}, "a number, or 2 numbers or pairs"),
    (gs.conv, (X, W), {"padding": 0.5}, "a number, or 2 numbers or pairs"),
    (gs.conv, (X, W), {"padding_value": "mirror"}, "symmetric-include-edge"),
    (gs.conv, (X[:, :1], W), {"padding": 1, "padding_value": "symmetric-exclude-edge"}, "nothing to repeat"),
    (gs.conv_transpose, (X, W), {}, r"try W.swapaxes\(-1, -2\)|channels last"),
    (gs.conv_transpose, (X, np.zeros((3, 6, 5))), {}, "conv_transpose: X"),
    (gs.conv_transpose, (X, W.swapaxes(2, 3)), {"groups": 4}, "groups=4 must divide"),
    (gs.conv_transpose, (X, W.swapaxes(2, 3), np.zeros(6)), {}, r"expected b of shape \(5,\)"),
    (gs.conv_transpose, (X, W.swapaxes(2, 3)), {"crop": "valid"}, "crop"),
    (gs.conv_transpose, (X, W.swapaxes(2, 3)), {"crop": 5}, "leaves nothing"),
]


@pytest.mark.parametrize(("function", "args", "options", "words"), WRONG)
def test_what_does_not_fit_is_said(function, args, options, words):
    with pytest.raises(ValueError, match=words):
        function(*args, **options)


def test_a_student_s_conv_is_used_where_conv_is_called():
    X, W = some((3, 5, 4)), some((3, 4, 6))
    with gs.using(conv=lambda X, W: 0 * gs.conv(X, W) + 7):
        assert (gs.conv(X, W) == 7).all()


@pytest.mark.parametrize("name", ["conv", "conv_transpose", "windows", "correlate", "winograd", "overlap"])
def test_examples_print_what_they_say(name):
    assert doctest.testmod(importlib.import_module(f"gradschool.ops.{name}")).failed == 0


def test_pads_are_named_after_the_option_they_come_from():
    assert pads("conv", "same", (28,), (3,), (2,)) == [(0, 1)]
    with pytest.raises(ValueError, match="expected crop"):
        pads("conv_transpose", "x", (28,), (3,), (2,), name="crop")


@pytest.mark.parametrize(
    ("x", "w"), [((7, 12, 64, 3), (3, 3, 64, 65)), ((7, 12, 4, 3), (3, 3, 4, 5)), ((7, 12, 2, 3), (3, 3, 2, 5))]
)
def test_arrays_in_any_order_of_memory_give_the_same(x, w):
    X, W = some(x).transpose(3, 1, 0, 2), np.asfortranarray(some(w))
    Y, pullback = gs.vjp(gs.conv, X, W)
    g = np.asfortranarray(some(Y.shape, seed=1))
    expected, plainly = gs.vjp(gs.conv, np.ascontiguousarray(X), np.ascontiguousarray(W))
    np.testing.assert_allclose(Y, expected, rtol=1e-13, atol=1e-13)
    for d, e in zip(pullback(g), plainly(np.ascontiguousarray(g)), strict=True):
        np.testing.assert_allclose(d, e, rtol=1e-12, atol=1e-12)
