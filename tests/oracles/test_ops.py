"""Ops and their gradients agree with PyTorch to 1e-10 on random shapes and options, and softmax with SciPy."""

import numpy as np
import pytest

import gradschool as gs
from gradschool.autodiff import Link, chain

torch = pytest.importorskip("torch")
F = torch.nn.functional
RTOL = 1e-10


def agree(ours, theirs, *inputs):
    """Values, and gradients for a random cotangent."""
    y, pullback = gs.vjp(ours, *inputs)
    tensors = [torch.tensor(x, requires_grad=True) for x in inputs]
    expected = theirs(*tensors)
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=RTOL, atol=1e-15)
    g = np.random.default_rng(9).normal(size=y.shape)
    expected.backward(torch.tensor(g))
    for ours_d, t in zip(pullback(g), tensors, strict=True):
        np.testing.assert_allclose(ours_d, t.grad.numpy(), rtol=RTOL, atol=1e-14)


ELEMENTWISE = [
    (gs.relu, F.relu),
    (lambda x: gs.leaky_relu(x, 0.2), lambda t: F.leaky_relu(t, 0.2)),
    (lambda x: gs.elu(x, 0.7), lambda t: F.elu(t, 0.7)),
    (gs.selu, F.selu),
    (gs.sigmoid, torch.sigmoid),
    (gs.tanh, torch.tanh),
    (gs.softplus, lambda t: F.softplus(t, threshold=1000)),
    (gs.swish, F.silu),
    (gs.erf, torch.erf),
    (gs.gelu, F.gelu),
    (lambda x: gs.gelu(x, approximate="tanh"), lambda t: F.gelu(t, approximate="tanh")),
]


@pytest.mark.parametrize(("ours", "theirs"), ELEMENTWISE, ids=range(len(ELEMENTWISE)))
@pytest.mark.parametrize("shape", [(7,), (5, 3), (4, 3, 5)], ids=str)
def test_activations_are_pytorchs(ours, theirs, shape):
    agree(ours, theirs, np.random.default_rng(list(shape)).normal(size=shape) * 3)


@pytest.mark.parametrize(("ours", "theirs"), ELEMENTWISE, ids=range(len(ELEMENTWISE)))
def test_second_derivatives_of_activations_are_pytorchs(ours, theirs):
    rng = np.random.default_rng(0)
    x, g, v = rng.normal(size=(5, 3)), rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    product = gs.hessian_vector_product(lambda x: np.sum(g * ours(x)), x, v)
    t = torch.tensor(x, requires_grad=True)
    slope = torch.autograd.grad(torch.sum(torch.tensor(g) * theirs(t)), t, create_graph=True)[0]
    if slope.requires_grad:
        expected = torch.autograd.grad(torch.sum(slope * torch.tensor(v)), t)[0].numpy()
    else:
        expected = np.zeros_like(x)
    np.testing.assert_allclose(product, expected, rtol=RTOL, atol=1e-14)


@pytest.mark.parametrize(("shape", "axis"), [((5, 3), -1), ((4, 3, 5), 1), ((7,), 0), ((3, 5, 4), 0)], ids=str)
def test_softmax_and_its_logarithm_are_pytorchs_and_scipys(shape, axis):
    special = pytest.importorskip("scipy.special")
    x = np.random.default_rng(list(shape)).normal(size=shape) * 4
    agree(lambda x: gs.softmax(x, axis), lambda t: torch.softmax(t, axis), x)
    agree(lambda x: gs.log_softmax(x, axis), lambda t: torch.log_softmax(t, axis), x)
    np.testing.assert_allclose(gs.softmax(x, axis), special.softmax(x, axis), rtol=RTOL)
    np.testing.assert_allclose(gs.log_softmax(x, axis), special.log_softmax(x, axis), rtol=RTOL)


@pytest.mark.parametrize("shape", [(5, 3), (4, 7, 3), (3,)], ids=str)
def test_dense_is_pytorchs_linear_with_the_weights_transposed(shape):
    rng = np.random.default_rng(list(shape))
    X, W, b = rng.normal(size=shape), rng.normal(size=(3, 6)), rng.normal(size=6)
    agree(gs.dense, lambda x, w, b: F.linear(x, w.T, b), X, W, b)
    agree(gs.dense, lambda x, w: F.linear(x, w.T), X, W)
    for activation in (gs.relu, gs.elu):  # in a chain, where it writes over what dense returns
        linked = lambda X, W, b, f=activation: chain(X, [Link(gs.dense, (W, b)), Link(f)])[0]
        agree(linked, lambda x, w, b, f=activation: getattr(F, f.__name__)(F.linear(x, w.T, b)), X, W, b)


def test_sigmoid_and_erf_are_scipys_in_the_tails():
    special = pytest.importorskip("scipy.special")
    x = np.linspace(-700, 700, 2801)
    np.testing.assert_allclose(gs.sigmoid(x), special.expit(x), rtol=1e-13)
    x = np.linspace(-8, 8, 3201)
    np.testing.assert_allclose(gs.erf(x), special.erf(x), rtol=0, atol=4e-16)


def test_net_of_ops_has_pytorchs_gradients():
    rng = np.random.default_rng(1)
    X, T = rng.normal(size=(6, 4)), gs.one_hot(rng.integers(0, 3, 6), 3)
    params = {
        "W1": rng.normal(size=(4, 7)),
        "b1": rng.normal(size=7),
        "W2": rng.normal(size=(7, 3)),
        "b2": rng.normal(size=3),
    }

    def loss(p):
        hidden = gs.gelu(gs.dense(X, p["W1"], p["b1"]))
        return gs.softmax_cross_entropy(gs.dense(hidden, p["W2"], p["b2"]), T)

    t = {name: torch.tensor(p, requires_grad=True) for name, p in params.items()}
    z = F.gelu(torch.tensor(X) @ t["W1"] + t["b1"]) @ t["W2"] + t["b2"]
    expected = F.cross_entropy(z, torch.tensor(T))
    expected.backward()
    value, grads = gs.value_and_grad(loss)(params)
    assert value == pytest.approx(expected.item(), rel=1e-12)
    for name in params:
        np.testing.assert_allclose(grads[name], t[name].grad.numpy(), rtol=RTOL, atol=1e-14)


@pytest.mark.parametrize("shape", [(7, 3), (4, 5, 6), (300, 3)], ids=str)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("ours", "activation"), [(gs.relu, F.relu), (gs.elu, F.elu)])
def test_batchnorm_with_its_activation_is_pytorchs_one_after_the_other(ours, activation, training, shape):
    rng = np.random.default_rng(list(shape))
    x, (gamma, beta, mean, var) = rng.normal(1, 2, shape), rng.uniform(0.5, 2, (4, shape[-1]))

    def theirs(x, gamma, beta):
        y = F.batch_norm(x.movedim(-1, 1), torch.tensor(mean), torch.tensor(var), gamma, beta, training, eps=0.01)
        return activation(y).movedim(1, -1)

    def linked(x, gamma, beta):
        options = {"training": training, "eps": 0.01}
        return chain(x, [Link(gs.batchnorm, (gamma, beta, mean, var), options), Link(ours)])[0]

    y, pullback = gs.vjp(linked, x, gamma, beta)
    tensors = [torch.tensor(a, requires_grad=True) for a in (x, gamma, beta)]
    expected = theirs(*tensors)
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=RTOL, atol=1e-13)
    g = rng.normal(size=shape)
    expected.backward(torch.tensor(g))
    for d, t in zip(pullback(g), tensors, strict=True):
        np.testing.assert_allclose(d, t.grad.numpy(), rtol=RTOL, atol=1e-12)
