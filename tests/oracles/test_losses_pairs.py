"""Property: losses of pairs and of adversaries, and metrics, are PyTorch's or Keras', to 1e-10 where those keep it."""

import os

import numpy as np
import pytest

import gradschool as gs

os.environ.setdefault("KERAS_BACKEND", "torch")  # before anything imports Keras
torch = pytest.importorskip("torch")
F = torch.nn.functional


def agree(ours, theirs, *inputs):
    """Value, and the gradients for all inputs."""
    value, gradients = gs.value_and_grad(ours, argnums=range(len(inputs)))(*inputs)
    tensors = [torch.tensor(x, requires_grad=True) for x in inputs]
    expected = theirs(*tensors)
    expected.backward()
    np.testing.assert_allclose(value, expected.item(), rtol=1e-10)
    for d, t in zip(gradients, tensors, strict=True):
        np.testing.assert_allclose(d, t.grad.numpy(), rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize(("shape", "margin"), [((7, 3), 1.0), ((5, 4), 2.5), ((1, 6), 0.3)], ids=str)
def test_contrastive_loss_is_made_of_pytorchs_distance(shape, margin):
    """With y = -1 for a pair that belongs apart, PyTorch's hinge embedding is max(margin - d, 0), before its square."""
    rng = np.random.default_rng(list(shape))
    A, B, y = rng.normal(size=shape), rng.normal(size=shape), rng.integers(0, 2, shape[0])
    together = torch.tensor(y, dtype=torch.float64)

    def theirs(a, b):
        d = torch.linalg.vector_norm(a - b, dim=1)
        hinge = F.hinge_embedding_loss(d, -torch.ones_like(d), margin=margin, reduction="none")
        return (
            torch.mean(together * F.mse_loss(d, torch.zeros_like(d), reduction="none") + (1 - together) * hinge**2) / 2
        )

    agree(lambda A, B: gs.contrastive_loss(A, B, y, margin), theirs, A, B)


@pytest.mark.parametrize("shapes", [((7,), (5,)), ((4, 3), (6, 3)), ((), (1,))], ids=str)
@pytest.mark.parametrize("smoothed", [1.0, 0.9])
def test_losses_of_adversaries_are_pytorchs_binary_cross_entropy(shapes, smoothed):
    rng = np.random.default_rng(3)
    real, fake = (np.array(3 * rng.normal(size=shape)) for shape in shapes)
    bce = lambda t, target: F.binary_cross_entropy_with_logits(t, torch.full_like(t, target))
    agree(
        lambda real, fake: gs.gan_discriminator_loss(real, fake, smoothed),
        lambda r, f: bce(r, smoothed) + bce(f, 0.0),
        real,
        fake,
    )
    agree(gs.gan_generator_loss, lambda f: bce(f, 1.0), fake)
    agree(lambda z: gs.gan_generator_loss(z, "minimax"), lambda f: -bce(f, 0.0), fake)


def test_accuracy_and_mean_absolute_error_are_kerass():
    metrics = pytest.importorskip("keras").metrics
    rng = np.random.default_rng(4)
    P, y, p, t = rng.dirichlet(np.ones(6), 50), rng.integers(0, 6, 50), rng.uniform(size=50), rng.integers(0, 2, 50)
    for ours, metric, target, prediction in (
        (gs.accuracy(P, y), metrics.SparseCategoricalAccuracy(), y, P),
        (gs.accuracy(P, gs.one_hot(y, 6)), metrics.CategoricalAccuracy(), gs.one_hot(y, 6), P),
        (gs.accuracy(p, t), metrics.BinaryAccuracy(), t, p),
        (gs.mae_metric(P, P[::-1]), metrics.MeanAbsoluteError(), P[::-1].copy(), P),
    ):
        metric.update_state(target, prediction)
        assert ours == pytest.approx(float(metric.result()), rel=1e-6)  # Keras averages in float32


def test_a_running_mean_is_kerass_weighted_mean():
    metric, ours = pytest.importorskip("keras").metrics.Mean(), gs.RunningMean()
    for value, n in ((0.3, 32), (0.9, 32), (0.1, 5)):
        metric.update_state(value, sample_weight=n)
        ours.update(value, n)
    assert ours.result() == pytest.approx(float(metric.result()), rel=1e-6)


@pytest.mark.parametrize("lengths", [(6, 3, 1, 5), (6, 6, 6, 6)], ids=str)
def test_the_last_step_that_counts_is_the_one_that_pytorch_gathers(lengths):
    rng = np.random.default_rng(5)
    Y, g = rng.normal(size=(4, 6, 3)), rng.normal(size=(4, 3))
    t = torch.tensor(Y, requires_grad=True)
    expected = torch.gather(t, 1, (torch.tensor(lengths) - 1)[:, None, None].expand(4, 1, 3))[:, 0]
    expected.backward(torch.tensor(g))
    y, pullback = gs.vjp(lambda Y: gs.last_valid(Y, np.array(lengths)), Y)
    np.testing.assert_array_equal(y, expected.detach().numpy())
    np.testing.assert_array_equal(pullback(g)[0], t.grad.numpy())
