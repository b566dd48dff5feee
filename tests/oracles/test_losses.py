"""Losses and their gradients agree with PyTorch to 1e-10 on random shapes and options, and divide as said of Keras.

Where the frameworks divide by something else, the test multiplies by the ratio that the docstrings state.
"""

import os

import numpy as np
import pytest

import gradschool as gs

os.environ.setdefault("KERAS_BACKEND", "torch")  # before anything imports Keras
torch = pytest.importorskip("torch")
F = torch.nn.functional
RTOL = 1e-10
SHAPES = [(5, 3), (1, 4), (6, 7, 3)]


def tensor(x):
    return torch.tensor(x, dtype=torch.float64, requires_grad=True)


def agree(ours, theirs, x, *rest, **options):
    """Value and gradient of our loss, and of theirs, a function of a tensor."""
    value, gradient = gs.value_and_grad(ours)(x, *rest, **options)
    t = tensor(x)
    expected = theirs(t)
    expected.backward()
    np.testing.assert_allclose(value, expected.item(), rtol=RTOL)
    np.testing.assert_allclose(gradient, t.grad.numpy(), rtol=RTOL, atol=1e-15)


def channels(t):
    """PyTorch wants the classes behind the batch."""
    return t.movedim(-1, 1)


@pytest.fixture(params=SHAPES, ids=str)
def shape(request):
    return request.param


@pytest.fixture
def rng(shape):
    return np.random.default_rng(list(shape))


@pytest.mark.parametrize(
    ("ours", "options", "theirs"),
    [
        (gs.l1_loss, {}, F.l1_loss),
        (gs.l2_loss, {}, F.mse_loss),
        (gs.half_mse, {}, lambda y, t, reduction="mean": 0.5 * F.mse_loss(y, t, reduction=reduction)),
        (gs.huber, {"delta": 0.6}, lambda y, t, reduction="mean": F.huber_loss(y, t, reduction=reduction, delta=0.6)),
    ],
    ids=["l1_loss", "l2_loss", "half_mse", "huber"],
)
def test_regression_losses_are_pytorchs(ours, options, theirs, shape, rng):
    Y, T = rng.normal(size=shape) * 2, rng.normal(size=shape)
    t = torch.tensor(T)
    agree(ours, lambda y: theirs(y, t), Y, T, **options, normalization="all-elements")
    agree(ours, lambda y: theirs(y, t, reduction="sum") / shape[0], Y, T, **options)
    mask, W = rng.integers(0, 2, shape[:-1]), rng.uniform(1, 2, shape[-1])
    mask.flat[0] = 1
    weighted = lambda y: torch.sum(torch.tensor(mask[..., None] * W) * theirs(y, t, reduction="none")) / mask.sum()
    agree(ours, weighted, Y, T, **options, mask=mask, weights=W, normalization="mask-included")


def test_smooth_l1_is_huber_over_beta(shape, rng):
    Y, T = rng.normal(size=shape) * 2, rng.normal(size=shape)
    ours = lambda Y, T: gs.huber(Y, T, delta=0.6, normalization="all-elements") / 0.6
    agree(ours, lambda y: F.smooth_l1_loss(y, torch.tensor(T), beta=0.6), Y, T)


def test_softmax_cross_entropy_is_pytorchs_cross_entropy_of_scores(shape, rng):
    z, y = rng.normal(size=shape) * 3, rng.integers(0, shape[-1], shape[:-1])
    T, soft = gs.one_hot(y, shape[-1]), rng.dirichlet(np.ones(shape[-1]), shape[:-1])
    w = rng.uniform(0.5, 3, shape[-1])
    theirs = lambda t, **options: F.cross_entropy(channels(t), torch.tensor(y), **options)
    agree(gs.softmax_cross_entropy, lambda t: theirs(t, reduction="sum") / shape[0], z, T)
    sum_of_weights = w[y].sum()
    agree(
        lambda z, T: gs.softmax_cross_entropy(z, T, weights=w, normalization="none") / sum_of_weights,
        lambda t: theirs(t, weight=torch.tensor(w)),
        z,
        T,
    )
    agree(
        gs.softmax_cross_entropy,
        lambda t: F.cross_entropy(channels(t), channels(torch.tensor(soft)), reduction="sum") / shape[0],
        z,
        soft,
    )


def test_cross_entropy_is_pytorchs_likelihood_of_log_probabilities(shape, rng):
    p, y = rng.dirichlet(np.ones(shape[-1]), shape[:-1]), rng.integers(0, shape[-1], shape[:-1])
    w = rng.uniform(0.5, 3, shape[-1])
    theirs = lambda t: F.nll_loss(channels(torch.log(t)), torch.tensor(y), torch.tensor(w), reduction="sum") / shape[0]
    agree(gs.cross_entropy, theirs, p, gs.one_hot(y, shape[-1]), weights=w)
    agree(gs.sparse_cross_entropy, theirs, p, y, weights=w)


def test_multilabel_cross_entropy_and_its_form_from_scores_are_pytorchs(shape, rng):
    p, z, t = rng.uniform(0.01, 0.99, shape), rng.normal(size=shape) * 4, rng.uniform(size=shape)
    T = torch.tensor(t)
    agree(gs.cross_entropy, lambda x: F.binary_cross_entropy(x, T), p, t, "multilabel", normalization="all-elements")
    agree(gs.bce_with_logits, lambda x: F.binary_cross_entropy_with_logits(x, T), z, t, normalization="all-elements")
    w = rng.uniform(0.5, 3, shape[-1])
    weighted = lambda x: F.binary_cross_entropy_with_logits(x, T, torch.tensor(w), reduction="sum") / shape[0]
    agree(gs.bce_with_logits, weighted, z, t, weights=w)


def test_second_derivatives_are_pytorchs():
    rng = np.random.default_rng(0)
    z, T, v = rng.normal(size=(5, 3)), gs.one_hot(rng.integers(0, 3, 5), 3), rng.normal(size=(5, 3))
    ours = gs.hessian_vector_product(lambda z: gs.softmax_cross_entropy(z, T), z, v)
    theirs = lambda t: F.cross_entropy(t, torch.tensor(T), reduction="sum") / 5
    expected = torch.autograd.functional.hvp(theirs, torch.tensor(z), torch.tensor(v))[1]
    np.testing.assert_allclose(ours, expected.numpy(), rtol=RTOL, atol=1e-15)


# ---------------------------------------------------------------------------------------------------------------- Keras
@pytest.fixture
def losses():
    return pytest.importorskip("keras").losses


def same(ours, loss, T, Y):
    """Keras averages in float32, whatever it is given: this compares what is divided by what, PyTorch the digits."""
    assert ours == pytest.approx(float(np.asarray(loss(T, Y))), rel=1e-6)


def test_keras_divides_by_all_elements(losses):
    rng = np.random.default_rng(1)
    Y, T = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    options = {"normalization": "all-elements"}
    same(gs.l1_loss(Y, T, **options), losses.MeanAbsoluteError(), T, Y)
    same(gs.l2_loss(Y, T, **options), losses.MeanSquaredError(), T, Y)
    same(gs.huber(Y, T, 0.6, **options), losses.Huber(delta=0.6), T, Y)


def test_keras_cross_entropies_are_ours_and_its_binary_one_is_a_mean_over_classes(losses):
    rng = np.random.default_rng(2)
    p, y = rng.dirichlet(np.ones(3), 5), rng.integers(0, 3, 5)
    T = gs.one_hot(y, 3)
    z, t = rng.normal(size=(5, 3)), rng.integers(0, 2, (5, 3)).astype(float)
    same(gs.cross_entropy(p, T), losses.CategoricalCrossentropy(), T, p)
    same(gs.sparse_cross_entropy(p, y), losses.SparseCategoricalCrossentropy(), y, p)
    same(gs.softmax_cross_entropy(z, T), losses.CategoricalCrossentropy(from_logits=True), T, z)
    same(gs.bce_with_logits(z, t) / 3, losses.BinaryCrossentropy(from_logits=True), t, z)
    same(gs.cross_entropy(gs.sigmoid(z), t, "multilabel") / 3, losses.BinaryCrossentropy(), t, gs.sigmoid(z))
