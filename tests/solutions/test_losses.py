"""Losses have the published values, options and errors; their gradients are tested in test_ops_derivatives.

Golden numbers are those of the requirements (operations.md, computed with NumPy and Keras). Never two responses: half
the mean squared error equals the mean over all elements there.
"""

import numpy as np
import pytest

import gradschool as gs
from gradschool import losses

P = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]])
Y_TRUE = np.array([0, 1, 1])
T = gs.one_hot(Y_TRUE, 3)
WEIGHTS = np.array([1.0, 2.0, 3.0])
D = np.array([[-0.5, 0], [-2, 3], [0, -2]])  # the two responses of the requirements' table
ZERO = np.zeros_like(D)

REGRESSION = {
    gs.l1_loss: lambda d: np.abs(d),
    gs.l2_loss: lambda d: d**2,
    gs.half_mse: lambda d: 0.5 * d**2,
    gs.huber: lambda d: np.where(np.abs(d) <= 1, 0.5 * d**2, np.abs(d) - 0.5),
}
BY_NAME = pytest.mark.parametrize("loss", REGRESSION, ids=lambda f: f.__name__)


# ----------------------------------------------------------------------------------------------------- golden numbers
def test_cross_entropy_of_the_requirements_table():
    assert gs.cross_entropy(P, T) == pytest.approx(0.7297521, abs=5e-8)
    assert gs.cross_entropy(P, T, weights=WEIGHTS) == pytest.approx(1.3406126, abs=5e-8)
    assert gs.cross_entropy(P, T, mode="multilabel") == pytest.approx(1.2893053, abs=5e-8)
    assert gs.cross_entropy(P, T, mode="multilabel", normalization="all-elements") == pytest.approx(0.4297684, abs=5e-8)


def test_weighted_cross_entropy_as_pytorch_divides_it():
    by_weights = gs.cross_entropy(P, T, weights=WEIGHTS, normalization="none") / np.sum(T @ WEIGHTS)
    assert by_weights == pytest.approx(0.8043676, abs=5e-8)


def test_regression_losses_of_the_requirements_table():
    assert gs.l1_loss(D, ZERO) == 2.5
    assert gs.l1_loss(D, ZERO, normalization="all-elements") == 1.25
    assert gs.l2_loss(D, ZERO) == 5.75
    assert gs.l2_loss(D, ZERO, normalization="all-elements") == 2.875
    assert gs.half_mse(D, ZERO) == 2.875  # two responses: the same by accident


def test_huber_of_the_requirements_table():
    assert gs.huber(D, ZERO, delta=0.5) == pytest.approx(1.0833, abs=5e-5)
    assert gs.huber(D, ZERO, 0.5, normalization="all-elements") == pytest.approx(0.541667, abs=5e-7)
    assert gs.huber(D, ZERO, delta=2) == pytest.approx(2.70833, abs=5e-6)
    assert gs.huber(D, ZERO, 2, normalization="all-elements") == pytest.approx(1.354167, abs=5e-7)
    assert gs.huber(D, ZERO, 0.5, normalization="all-elements") / 0.5 == pytest.approx(1.083333, abs=5e-7)
    assert gs.huber(D, ZERO, 2, normalization="all-elements") / 2 == pytest.approx(0.677083, abs=5e-7)


def test_uniform_guess_among_ten_classes_costs_ln_10():
    labels = np.arange(7)
    assert gs.softmax_cross_entropy(np.zeros((7, 10)), gs.one_hot(labels, 10)) == pytest.approx(2.302585, abs=5e-7)
    assert gs.sparse_cross_entropy(np.full((7, 10), 0.1), labels) == pytest.approx(2.302585, abs=5e-7)


# ----------------------------------------------------------------------------------------------- the frame they share
@BY_NAME
@pytest.mark.parametrize("shape", [(5,), (5, 3), (5, 7, 3), (1, 3)])
def test_normalization_divides_the_sum_by_what_it_names(loss, shape):
    rng = np.random.default_rng(0)
    Y, T = rng.normal(size=shape) * 2, rng.normal(size=shape)
    total = np.sum(REGRESSION[loss](Y - T))
    assert loss(Y, T) == pytest.approx(total / shape[0], rel=1e-13)
    assert loss(Y, T, normalization="all-elements") == pytest.approx(total / Y.size, rel=1e-13)
    assert loss(Y, T, normalization="none") == pytest.approx(total, rel=1e-13)


@BY_NAME
def test_masked_weighted_loss_is_the_sum_of_the_formula(loss):
    rng = np.random.default_rng(1)
    Y, T, W = rng.normal(size=(5, 7, 3)) * 2, rng.normal(size=(5, 7, 3)), rng.uniform(1, 2, 3)
    mask = rng.integers(0, 2, (5, 7))
    total = 0.0
    for n, t, c in np.ndindex(5, 7, 3):
        total += mask[n, t] * W[c] * REGRESSION[loss](Y[n, t, c] - T[n, t, c])
    options = {"mask": mask, "weights": W}
    assert loss(Y, T, **options) == pytest.approx(total / 5, rel=1e-13)
    assert loss(Y, T, **options, normalization="all-elements") == pytest.approx(total / 105, rel=1e-13)
    assert loss(Y, T, **options, normalization="mask-included") == pytest.approx(total / mask.sum(), rel=1e-13)
    assert loss(Y, T, **options, normalization="none") == pytest.approx(total, rel=1e-13)


@BY_NAME
def test_reduction_none_gives_the_weighted_terms_undivided(loss):
    rng = np.random.default_rng(2)
    Y, T, W = rng.normal(size=(5, 3)), rng.normal(size=(5, 3)), rng.uniform(1, 2, (5, 1))
    mask = np.array([1, 0, 1, 1, 0])
    expected = mask[:, None] * W * REGRESSION[loss](Y - T)
    for normalization in ("batch-size", "all-elements", "mask-included", "none"):
        terms = loss(Y, T, reduction="none", mask=mask, weights=W, normalization=normalization)
        np.testing.assert_allclose(terms, expected, rtol=1e-14)


def test_mask_counts_its_ones_whatever_its_shape_and_type():
    Y, T = np.full((4, 5, 3), 2.0), np.zeros((4, 5, 3))
    steps = np.zeros((4, 5), bool)
    steps[0, :3] = True
    each = np.repeat(steps[..., None], 3, axis=2).astype(int)
    assert gs.l2_loss(Y, T, mask=steps, normalization="mask-included") == 3 * 3 * 4 / 3
    assert gs.l2_loss(Y, T, mask=each, normalization="mask-included") == 3 * 3 * 4 / 9
    assert gs.l2_loss(Y, T, mask=[1, 0, 0, 0], normalization="mask-included") == 5 * 3 * 4


@pytest.mark.parametrize("normalization", ["batch-size", "all-elements", "mask-included", "none"])
def test_nothing_to_average_over_is_loss_zero_and_not_nan(normalization):
    assert gs.l2_loss(np.ones((4, 3)), np.zeros((4, 3)), normalization=normalization, mask=np.zeros(4)) == 0
    empty = np.zeros((0, 3))
    assert gs.l1_loss(empty, empty, normalization=normalization, mask=np.zeros(0)) == 0
    assert gs.softmax_cross_entropy(empty, empty, normalization=normalization, mask=np.zeros(0)) == 0


def test_huber_joins_in_value_and_slope_at_delta():
    d = np.array([0.7 - 1e-9, 0.7, 0.7 + 1e-9, -0.7, 3.0, -3.0])
    value, cache = losses.huber_forward(d, np.zeros(6), delta=0.7, reduction="none")
    np.testing.assert_allclose(value, [0.245, 0.245, 0.245, 0.245, 1.855, 1.855], rtol=1e-8)
    slope = losses.huber_backward(np.ones(6), cache)
    np.testing.assert_allclose(slope, [0.7, 0.7, 0.7, -0.7, 0.7, -0.7], rtol=1e-8)


def test_slope_of_the_absolute_error_is_zero_at_the_kink():
    assert gs.grad(gs.l1_loss)(np.array([1.0, 2.0, 5.0]), np.array([1.0, 3.0, 3.0])).tolist() == [0, -1 / 3, 1 / 3]


# ---------------------------------------------------------------------------------------------- probabilities, scores
def test_sparse_targets_give_the_numbers_of_one_hot_targets():
    rng = np.random.default_rng(3)
    p, y = rng.dirichlet(np.ones(4), (5, 7)), rng.integers(0, 4, (5, 7))
    mask, w = rng.integers(0, 2, (5, 7)), rng.uniform(1, 2, 4)
    for options in ({}, {"weights": w}, {"mask": mask, "normalization": "mask-included"}, {"normalization": "none"}):
        dense, sparse = gs.cross_entropy(p, gs.one_hot(y, 4), **options), gs.sparse_cross_entropy(p, y, **options)
        assert sparse == pytest.approx(dense, rel=1e-13)
        gradients = [gs.grad(f)(p, t, **options) for f, t in
                     ((gs.cross_entropy, gs.one_hot(y, 4)), (gs.sparse_cross_entropy, y))]  # fmt: skip
        np.testing.assert_allclose(*gradients, rtol=1e-13)
    terms = gs.sparse_cross_entropy(p, y, weights=w, reduction="none")
    np.testing.assert_allclose(terms, -w[y] * np.log(np.take_along_axis(p, y[..., None], 2)[..., 0]), rtol=1e-13)


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-13), (np.float32, 1e-6)])
@pytest.mark.parametrize("soft", [True, False])
@pytest.mark.parametrize("size", [1.0, 30.0, 1000.0])
def test_the_fast_form_of_softmax_cross_entropy_is_the_plain_one(size, soft, dtype, rtol):
    rng = np.random.default_rng(11)
    z = (size * rng.normal(size=(7, 5))).astype(dtype)
    T = rng.uniform(0, 2, (7, 5)) if soft else gs.one_hot(rng.integers(5, size=7), 5)  # rows need not sum to 1
    value, pullback = gs.vjp(lambda z: gs.softmax_cross_entropy(z, T), z)
    expected, cache = losses.softmax_cross_entropy_forward(z, T)
    np.testing.assert_allclose(value, expected, rtol=rtol)
    gradient, plain = pullback(dtype(0.7))[0], losses.softmax_cross_entropy_backward(dtype(0.7), cache)
    np.testing.assert_allclose(gradient, plain, rtol=100 * rtol, atol=rtol)
    assert (value.dtype, gradient.dtype) == (dtype, dtype)


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-13), (np.float32, 1e-6)])
@pytest.mark.parametrize("options", [
    {}, {"normalization": "all-elements"}, {"normalization": "none"}, {"reduction": "none"},
    {"mask": np.tri(7, 5, dtype=int)}, {"weights": np.arange(1.0, 6.0)},
], ids=str)  # fmt: skip
def test_the_fast_form_of_the_squared_error_is_the_plain_one(options, dtype, rtol):
    rng = np.random.default_rng(12)
    Y, T = rng.normal(size=(2, 7, 5, 3)).astype(dtype).swapaxes(2, 3)
    if "mask" in options:
        Y, T = Y.swapaxes(1, 2), T.swapaxes(1, 2)
    value, pullback = gs.vjp(lambda Y: gs.l2_loss(Y, T, **options), Y)
    expected, cache = losses.l2_loss_forward(Y, T, **options)
    np.testing.assert_allclose(value, expected, rtol=rtol)
    g = rng.normal(size=expected.shape).astype(dtype)
    np.testing.assert_allclose(pullback(g)[0], losses.l2_loss_backward(g, cache), rtol=rtol)
    assert (value.dtype, pullback(g)[0].dtype) == (dtype, dtype)


@pytest.mark.parametrize("reduction", ["sum", "none"])
def test_fused_losses_equal_their_compositions(reduction):
    rng = np.random.default_rng(4)
    z, t = rng.normal(size=(5, 7, 3)) * 3, rng.dirichlet(np.ones(3), (5, 7))
    options = {"weights": WEIGHTS, "mask": rng.integers(0, 2, (5, 7)), "reduction": reduction}
    fused = gs.softmax_cross_entropy(z, t, **options)
    np.testing.assert_allclose(fused, gs.cross_entropy(gs.softmax(z), t, **options), rtol=1e-12)
    fused = gs.bce_with_logits(z, t, **options)
    np.testing.assert_allclose(fused, gs.cross_entropy(gs.sigmoid(z), t, "multilabel", **options), rtol=1e-10)


def test_gradient_from_scores_is_the_difference_over_n():
    rng = np.random.default_rng(5)
    z, t = rng.normal(size=(5, 3)), gs.one_hot(rng.integers(0, 3, 5), 3)
    np.testing.assert_allclose(gs.grad(gs.softmax_cross_entropy)(z, t), (gs.softmax(z) - t) / 5, rtol=1e-12)
    np.testing.assert_allclose(gs.grad(gs.bce_with_logits)(z, t), (gs.sigmoid(z) - t) / 5, rtol=1e-12)


def test_two_class_cross_entropy_of_a_sigmoid_is_the_binary_one():
    z, t = np.array([-3.0, 0.0, 0.4, 2.0]), np.array([0, 1, 0, 1])
    both = np.stack([np.zeros(4), z], axis=1)
    assert gs.softmax_cross_entropy(both, gs.one_hot(t, 2)) == pytest.approx(gs.bce_with_logits(z, t), rel=1e-14)


def test_scores_of_a_thousand_neither_overflow_nor_saturate():
    z, t = np.array([1000.0, -1000.0, 1000.0, -1000.0]), np.array([1, 0, 0, 1])
    assert gs.bce_with_logits(z, t, reduction="none").tolist() == [0, 0, 1000, 1000]
    assert gs.grad(gs.bce_with_logits)(z, t).tolist() == [0, 0, 0.25, -0.25]
    z = np.array([[1e4, 0.0, -1e4]])
    assert gs.softmax_cross_entropy(z, np.array([[0, 0, 1]])) == 2e4
    assert gs.grad(gs.softmax_cross_entropy)(z, np.array([[0, 0, 1]])).tolist() == [[1, 0, -1]]


def test_certain_answers_cost_nothing_if_right_and_a_finite_amount_if_wrong():
    right, wrong = np.array([[1.0, 0.0, 0.0]]), np.array([[0.0, 1.0, 0.0]])
    t, y = np.array([[1, 0, 0]]), np.array([0])
    floor = -np.log(1e-30)
    for loss, target in ((gs.cross_entropy, t), (gs.sparse_cross_entropy, y)):
        assert str(loss(right, target)) == "0.0"
        assert loss(wrong, target) == pytest.approx(floor, rel=1e-15)
        assert gs.grad(loss)(wrong, target)[0, 0] == pytest.approx(-1e30, rel=1e-15)
        assert np.isfinite(gs.grad(loss)(wrong.astype(np.float32), target)).all()
    assert gs.cross_entropy(right, t, "multilabel") == 0
    assert gs.cross_entropy(wrong, t, "multilabel") == pytest.approx(2 * floor, rel=1e-15)
    assert np.isfinite(gs.grad(gs.cross_entropy)(wrong, t, "multilabel")).all()


def test_targets_may_be_whole_numbers_or_truth_values():
    z = np.random.default_rng(6).normal(size=(5, 3)).astype(np.float32)
    y = np.array([0, 2, 1, 1, 0])
    for kind in (np.int64, np.uint8, bool, np.float64):
        t = gs.one_hot(y, 3).astype(kind)
        value = gs.softmax_cross_entropy(z, t)
        assert value.dtype == np.float32
        assert value == gs.softmax_cross_entropy(z, gs.one_hot(y, 3))
        assert gs.bce_with_logits(z, t) == gs.bce_with_logits(z, gs.one_hot(y, 3))
        assert gs.cross_entropy(gs.softmax(z), t, "multilabel").dtype == np.float32


def test_whole_predictions_are_promoted():
    assert gs.l2_loss(np.array([[1, 2, 3]]), np.array([[0.5, 2, 3]])) == 0.25
    assert gs.sparse_cross_entropy(np.array([[1, 0, 0]]), np.array([0]), weights=[0.5, 1, 1]) == 0


# ------------------------------------------------------------------------------------------------------------- errors
ONES = np.ones((4, 3))
BAD = [
    (lambda: gs.l2_loss(np.ones(4), np.ones((4, 1))), ValueError, r"l2_loss: .*\(4,\), got \(4, 1\); try T.reshape"),
    (lambda: gs.cross_entropy(P, Y_TRUE), ValueError, r"cross_entropy: .*\(3, 3\), got \(3,\); one_hot"),
    (lambda: gs.l1_loss(ONES, ONES, mask=np.ones(3)), ValueError, r"l1_loss: expected a mask of shape \(4, 3\)"),
    (lambda: gs.l1_loss(ONES, ONES, weights=np.ones(4)), ValueError, r"weights \(4,\) do not broadcast .*try \(3,\)"),
    (lambda: gs.l1_loss(ONES, ONES, weights=np.ones((1, 4, 3))), ValueError, "do not broadcast"),
    (lambda: gs.half_mse(ONES, ONES, reduction="mean"), ValueError, 'expected reduction "sum" or "none", got \'mean\''),
    (lambda: gs.half_mse(ONES, ONES, normalization="batch"), ValueError, r"one of \['batch-size'.*got 'batch'"),
    (lambda: gs.huber(ONES, ONES, normalization="mask-included"), ValueError, "needs a mask"),
    (lambda: gs.huber(ONES, ONES, delta=0.0), ValueError, "delta > 0, got 0.0"),
    (lambda: gs.cross_entropy(P, T, mode="multi"), ValueError, "got 'multi'"),
    (lambda: gs.cross_entropy(P - 1, T), ValueError, "scores go into softmax"),
    (lambda: gs.cross_entropy(P * 2, T), ValueError, "scores go into softmax"),
    (lambda: gs.sparse_cross_entropy(P * 5, Y_TRUE), ValueError, "scores go into softmax"),
    (lambda: gs.sparse_cross_entropy(P, Y_TRUE * 1.0), TypeError, "integer class numbers, got float64"),
    (lambda: gs.sparse_cross_entropy(P, Y_TRUE[:, None]), ValueError, r"y of shape \(3,\) .*got \(3, 1\); try y.ravel"),
    (lambda: gs.sparse_cross_entropy(P, Y_TRUE + 2), ValueError, r"0..2, got 2..3; count from 0"),
    (lambda: gs.sparse_cross_entropy(P, Y_TRUE - 1), ValueError, r"0..2, got -1..0; count from 0"),
    (lambda: gs.sparse_cross_entropy(P, Y_TRUE, weights=[1, 2]), ValueError, "one weight for each of 3 classes"),
    (lambda: gs.bce_with_logits(np.ones(4), np.ones((4, 1))), ValueError, "bce_with_logits: expected a target"),
    (
        lambda: gs.bce_with_logits(P, 2 * T - 1),
        ValueError,
        r"targets 0..1, got -1.0..1.0; for -1 and 1 try t > 0",
    ),
    (lambda: gs.bce_with_logits(P, T * 2), ValueError, r"targets 0..1, got 0.0..2.0"),
    (lambda: gs.softmax_cross_entropy(P, Y_TRUE), ValueError, "one_hot"),
]


@pytest.mark.parametrize(("call", "kind", "message"), BAD, ids=range(len(BAD)))
def test_what_does_not_fit_is_refused_with_what_to_try(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


@pytest.mark.parametrize("loss", [*REGRESSION, gs.bce_with_logits, gs.cross_entropy, gs.softmax_cross_entropy])
def test_a_single_number_is_no_batch(loss):
    with pytest.raises(ValueError, match=rf"{loss.__name__}: expected a batch .* try Y\[None\] and T\[None\]"):
        loss(np.array(0.5), np.array(1.0))


def test_a_single_row_of_probabilities_is_no_batch_either():
    with pytest.raises(ValueError, match=r"sparse_cross_entropy: expected a batch of predictions, got a single one"):
        gs.sparse_cross_entropy(np.array([0.2, 0.5, 0.3]), np.array(1))
