"""Class numbers go to vectors and back; slopes by trying have the error that theory gives them."""

import numpy as np
import pytest

import gradschool as gs


@pytest.mark.parametrize("shape", [(7,), (3, 5), ()])
def test_one_hot_and_decode_are_inverse(shape):
    y = np.random.default_rng(0).integers(0, 4, shape)
    T = gs.one_hot(y, 6)  # more classes than occur
    assert (T.shape, T.dtype) == ((*shape, 6), np.float64)
    np.testing.assert_array_equal(T.sum(-1), np.ones(shape))
    np.testing.assert_array_equal(gs.one_hot_decode(T), y)


def test_one_hot_of_nothing_has_no_rows():
    assert gs.one_hot(np.zeros(0, int), 3).shape == (0, 3)
    assert gs.one_hot([], 3).shape == (0, 3)


@pytest.mark.parametrize(
    ("y", "kind", "message"),
    [
        ([1.0, 2.0], TypeError, "got float64; try y.astype"),
        ([0, 3], ValueError, r"0\.\.2, got 0\.\.3"),
        ([-1, 0], ValueError, r"0\.\.2, got -1\.\.0"),
        ([True, False], TypeError, "got bool"),
    ],
)
def test_one_hot_refuses_what_is_no_class_number(y, kind, message):
    with pytest.raises(kind, match=message):
        gs.one_hot(np.array(y), 3)


def test_decode_takes_an_axis_labels_and_the_first_of_equals():
    P = np.array([[0.2, 0.5, 0.3], [0.2, 0.1, 0.3]])
    assert gs.one_hot_decode(P, axis=0).tolist() == [0, 0, 0]
    assert gs.one_hot_decode(P, classes=["a", "b", "c"]).tolist() == ["b", "c"]
    assert gs.one_hot_decode(np.array([0.1, 0.9])) == 1
    with pytest.raises(ValueError, match="3 classes along axis -1, but 2 labels"):
        gs.one_hot_decode(P, classes=["a", "b"])


def test_numerical_gradient_leaves_x_and_works_for_any_shape_and_type():
    x = np.random.default_rng(1).normal(size=(3, 4))
    before = x.copy()
    np.testing.assert_allclose(gs.numerical_gradient(lambda x: np.sum(x**3), x), 3 * x**2, rtol=1e-8, atol=1e-9)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_allclose(gs.numerical_gradient(lambda x: np.sum(x**2), np.arange(3)), [0, 2, 4], atol=1e-9)
    assert gs.numerical_gradient(lambda x: x**2, 3.0) == pytest.approx(6, rel=1e-9)


def test_function_that_keeps_its_argument_does_not_disturb_the_differences():
    kept = []
    gs.numerical_gradient(lambda x: kept.append(x) or x[0] * x[1], np.array([2.0, 5.0]))
    assert len({tuple(x) for x in kept}) == 4


def test_error_of_the_difference_falls_with_the_square_of_the_step():
    error = [abs(gs.numerical_gradient(np.exp, 1.0, eps) - np.e) for eps in (1e-1, 1e-2)]
    assert error[0] / error[1] == pytest.approx(100, rel=0.01)


def test_gradient_check_tells_a_right_gradient_from_a_wrong_entry():
    x = np.random.default_rng(2).normal(size=(3, 4))
    f, grad = lambda x: np.sum(np.sin(x)), np.cos

    def one_wrong(x):
        d = grad(x)
        d[2, 1] *= 1.01
        return d

    assert gs.gradient_check(f, grad, x) < 1e-9
    n, a = np.cos(x[2, 1]), 1.01 * np.cos(x[2, 1])
    assert gs.gradient_check(f, one_wrong, x) == pytest.approx(abs(a - n) / max(1, abs(a) + abs(n)), rel=1e-5)
    assert gs.gradient_check(lambda x: 0.0, np.zeros_like, x) == 0
    with pytest.raises(ValueError, match=r"shape \(3, 4\), got \(\)"):
        gs.gradient_check(f, lambda x: 1.0, x)
