"""Property: the contrastive and the adversarial losses have the values and gradients of their published formulas."""

import doctest
import sys

import numpy as np
import pytest

import gradschool as gs

FORMS = ("non-saturating", "minimax")


def pairs(dtype: type = float):
    rng = np.random.default_rng(0)
    return rng.normal(size=(7, 3)).astype(dtype), rng.normal(size=(7, 3)).astype(dtype), np.array([1, 0, 0, 1, 0, 1, 0])


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def test_contrastive_is_the_formula_pair_by_pair():
    A, B, y = pairs()
    expected = []
    for a, b, same in zip(A, B, y, strict=True):
        d = np.linalg.norm(a - b)
        expected.append(d**2 / 2 if same else max(2.0 - d, 0) ** 2 / 2)
    assert min(expected) == 0  # a pair beyond the margin is among them
    np.testing.assert_allclose(gs.contrastive_loss(A, B, y, 2.0, reduction="none"), expected, rtol=1e-13)
    assert gs.contrastive_loss(A, B, y, 2.0) == pytest.approx(sum(expected) / 7, rel=1e-13)


@pytest.mark.parametrize("which", [0, 1])
def test_contrastive_has_its_gradient_in_both_outputs(which):
    A, B, y = pairs()
    f = lambda X: gs.contrastive_loss(*((X, B) if which == 0 else (A, X)), y, 2.0)
    assert gs.gradient_check(f, gs.grad(f), (A, B)[which]) < 1e-8


def test_contrastive_has_its_second_derivative():
    A, B, y = pairs()
    f, v, h = (lambda X: gs.contrastive_loss(X, B, y, 2.0)), np.cos(A), 1e-5
    numeric = (gs.grad(f)(A + h * v) - gs.grad(f)(A - h * v)) / (2 * h)
    np.testing.assert_allclose(gs.hessian_vector_product(f, A, v), numeric, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("same", [0, 1])
def test_contrastive_of_equal_outputs_has_no_nan(same):
    A = np.ones((3, 4))
    loss, gradient = gs.value_and_grad(lambda X: gs.contrastive_loss(X, np.ones((3, 4)), np.full(3, same), 0.5))(A)
    assert loss == (0 if same else 0.125)
    assert (gradient == 0).all()


def test_contrastive_of_nothing_is_0_and_float32_stays_float32():
    assert gs.contrastive_loss(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0)) == 0
    A, B, y = pairs(np.float32)
    loss, gradient = gs.value_and_grad(lambda X: gs.contrastive_loss(X, B, y))(A)
    assert np.asarray(loss).dtype == gradient.dtype == np.float32


def test_discriminator_loss_is_the_formula():
    rng = np.random.default_rng(1)
    real, fake = rng.normal(size=(5, 1)), rng.normal(size=(7, 1))
    expected = -np.mean(np.log(sigmoid(real))) - np.mean(np.log(1 - sigmoid(fake)))
    assert gs.gan_discriminator_loss(real, fake) == pytest.approx(expected, rel=1e-12)
    smooth = -np.mean(0.9 * np.log(sigmoid(real)) + 0.1 * np.log(1 - sigmoid(real))) - np.mean(
        np.log(1 - sigmoid(fake))
    )
    assert gs.gan_discriminator_loss(real, fake, real_target=0.9) == pytest.approx(smooth, rel=1e-12)


def test_discriminator_loss_has_its_gradients():
    rng = np.random.default_rng(2)
    real, fake = rng.normal(size=5), rng.normal(size=7)
    on_real, on_fake = gs.grad(gs.gan_discriminator_loss, argnums=(0, 1))(real, fake)
    np.testing.assert_allclose(on_real, (sigmoid(real) - 1) / 5, rtol=1e-12)
    np.testing.assert_allclose(on_fake, sigmoid(fake) / 7, rtol=1e-12)


def test_generator_losses_are_the_formulas_and_have_their_gradients():
    z = np.random.default_rng(3).normal(size=(7, 1))
    value, gradient = gs.value_and_grad(lambda z: gs.gan_generator_loss(z))(z)
    assert value == pytest.approx(-np.mean(np.log(sigmoid(z))), rel=1e-12)
    np.testing.assert_allclose(gradient, (sigmoid(z) - 1) / 7, rtol=1e-12)
    value, gradient = gs.value_and_grad(lambda z: gs.gan_generator_loss(z, "minimax"))(z)
    assert value == pytest.approx(np.mean(np.log(1 - sigmoid(z))), rel=1e-12)
    np.testing.assert_allclose(gradient, -sigmoid(z) / 7, rtol=1e-12)


def test_a_generator_that_deceives_nobody_learns_from_one_form_only():
    z = np.array([-50.0])
    strong, faded = (float(gs.grad(lambda z: gs.gan_generator_loss(z, form))(z)[0]) for form in FORMS)
    assert strong == pytest.approx(-1)
    assert abs(faded) < 1e-20


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: gs.contrastive_loss(np.ones((5, 3)), np.ones((5, 4)), np.ones(5)), r"\(5, 3\), \(5, 4\) and \(5,\)"),
        (lambda: gs.contrastive_loss(np.ones((5, 3)), np.ones((5, 3)), np.ones((5, 1))), r"y \(N,\)"),
        (lambda: gs.contrastive_loss(np.ones((5, 3)), np.ones((5, 3)), np.ones(5), margin=0), "margin > 0"),
        (lambda: gs.contrastive_loss(np.ones((5, 3)), np.ones((5, 3)), np.ones(5), reduction="mean"), "reduction"),
        (lambda: gs.contrastive_loss(*pairs()[:2], 2 * pairs()[2] - 1), r"got -1\.0\.\.1\.0; for -1 and 1 try y > 0"),
        (lambda: gs.contrastive_loss(*pairs()[:2], 2 * pairs()[2]), r"got 0\.0\.\.2\.0; .* class numbers y1 == y2"),
        (lambda: gs.gan_discriminator_loss(np.ones(3), np.ones(3), 1.1), "real_target"),
        (lambda: gs.gan_generator_loss(np.ones(3), "wasserstein"), "minimax"),
    ],
)
def test_what_does_not_fit_is_named(wrong, says):
    with pytest.raises(ValueError, match=says):
        wrong()


@pytest.mark.parametrize("name", ["pairs", "adversarial"])
def test_examples_in_docstrings(name):
    assert doctest.testmod(sys.modules[f"gradschool.losses.{name}"]).failed == 0
