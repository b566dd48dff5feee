"""Property: over 50 steps with changing gradients and rates and with non-default options, eps 0.1 among them, every
optimizer moves as its published formula says, number by number; in float32 up to what its rounding allows.
"""

import math

import numpy as np
import pytest

import gradschool as gs
from gradschool.optimizers import STEPS

RATES = [0.05 * (1 + 0.5 * math.sin(k)) for k in range(50)]
B1, B2, EPS = 0.7, 0.93, 0.1


# Each formula is a generator for one parameter x: it yields x, is sent (gradient, rate), and yields the next x. The
# formulas are those of the papers, written anew in plain numbers.
def sgd(x):
    while True:
        g, lr = yield x
        x -= lr * g


def momentum(x, beta):
    """Polyak 1964 as in Géron's equation 11-4."""
    m = 0.0
    while True:
        g, lr = yield x
        m = beta * m - lr * g
        x += m


def nesterov(x, beta):
    """Sutskever et al. 2013, followed at the point that is looked at: x is theta + beta v of their equations."""
    theta, v = x, 0.0
    while True:
        g, lr = yield theta + beta * v
        v = beta * v - lr * g
        theta += v


def adagrad(x, eps):
    """Duchi et al. 2011."""
    squares = []
    while True:
        g, lr = yield x
        squares.append(g**2)
        x -= lr * g / (math.sqrt(sum(squares)) + eps)


def rmsprop(x, rho, eps, centered=False, momentum=0.0):
    """Hinton 2012, the means as weighted sums over all gradients; centred as Graves 2013, eps outside of the root."""
    gradients, velocity = [], 0.0
    while True:
        g, lr = yield x
        gradients.append(g)
        weights = [(1 - rho) * rho**k for k in range(len(gradients))]
        past = gradients[::-1]
        square = sum(w * a * a for w, a in zip(weights, past, strict=True))
        mean = sum(w * a for w, a in zip(weights, past, strict=True))
        velocity = momentum * velocity + g / (math.sqrt(square - mean**2 if centered else square) + eps)
        x -= lr * velocity


def adam(x, eps_hat=False, weight_decay=0.0):
    """Kingma and Ba 2015, Algorithm 1, or section 2 with epsilon hat; the decay of Loshchilov and Hutter 2019."""
    m = v = 0.0
    t = 0
    while True:
        g, lr = yield x
        t += 1
        m, v = B1 * m + (1 - B1) * g, B2 * v + (1 - B2) * g**2
        decayed = x - lr * weight_decay * x
        if eps_hat:
            x = decayed - lr * math.sqrt(1 - B2**t) / (1 - B1**t) * m / (math.sqrt(v) + EPS)
        else:
            x = decayed - lr * (m / (1 - B1**t)) / (math.sqrt(v / (1 - B2**t)) + EPS)


def adamax(x):
    """Kingma and Ba 2015, Algorithm 2, with eps beside u as in Keras."""
    m, u, t = 0.0, 0.0, 0
    while True:
        g, lr = yield x
        t += 1
        m, u = B1 * m + (1 - B1) * g, max(B2 * u, abs(g))
        x -= lr / (1 - B1**t) * m / (u + EPS)


def nadam(x, psi):
    """Dozat 2016 with a constant beta in the average, as in PyTorch and Keras; psi None is mu = beta throughout."""
    mu = lambda t: B1 if psi is None else B1 * (1 - 0.5 * 0.96 ** (t * psi))
    m = v = 0.0
    t = 0
    while True:
        g, lr = yield x
        t += 1
        m, v = B1 * m + (1 - B1) * g, B2 * v + (1 - B2) * g**2
        so_far = math.prod(mu(k) for k in range(1, t + 1))
        ahead = mu(t + 1) * m / (1 - so_far * mu(t + 1)) + (1 - mu(t)) * g / (1 - so_far)
        x -= lr * ahead / (math.sqrt(v / (1 - B2**t)) + EPS)


ADAM = {"b1": B1, "b2": B2, "eps": EPS}
PUBLISHED = [
    ("sgd", {}, sgd),
    ("momentum", {"beta": 0.7}, lambda x: momentum(x, 0.7)),
    ("nesterov", {"beta": 0.7}, lambda x: nesterov(x, 0.7)),
    ("adagrad", {"eps": EPS}, lambda x: adagrad(x, EPS)),
    ("rmsprop", {"rho": 0.8, "eps": EPS}, lambda x: rmsprop(x, 0.8, EPS)),
    ("rmsprop", {"rho": 0.8, "eps": 0.01}, lambda x: rmsprop(x, 0.8, 0.01)),
    (
        "rmsprop",
        {"rho": 0.8, "eps": EPS, "centered": True, "momentum": 0.6},
        lambda x: rmsprop(x, 0.8, EPS, True, 0.6),
    ),
    ("adam", ADAM, adam),
    ("adam", {**ADAM, "eps_hat": True}, lambda x: adam(x, eps_hat=True)),
    ("adamw", {**ADAM, "weight_decay": 0.3}, lambda x: adam(x, weight_decay=0.3)),
    ("adamax", ADAM, adamax),
    ("nadam", ADAM, lambda x: nadam(x, 4e-3)),
    ("nadam", {**ADAM, "momentum_decay": 0.02}, lambda x: nadam(x, 0.02)),
    ("nadam", {**ADAM, "momentum_decay": 1.0}, lambda x: nadam(x, 1.0)),
    ("nadam", {**ADAM, "momentum_decay": None}, lambda x: nadam(x, None)),
]


def problem():
    """Where 15 parameters start, and 50 gradients whose sizes differ between parameters and from step to step."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(3, 5)), rng.normal(size=(50, 3, 5)) * 10.0 ** rng.uniform(-2, 1, (3, 5))


def by_formula(formula):
    """Where the parameters are after each step."""
    start, gradients = problem()
    path = np.empty_like(gradients)
    for at in np.ndindex(start.shape):
        moving = formula(float(start[at]))
        next(moving)
        for k, lr in enumerate(RATES):
            path[(k, *at)] = moving.send((float(gradients[(k, *at)]), lr))
    return path


def by_library(name, hyper, dtype=np.float64):
    start, gradients = problem()
    opt, params, path = gs.optimizer(name, **hyper), {"W": start.astype(dtype)}, []
    state = opt.init(params)
    for g, lr in zip(gradients, RATES, strict=True):
        params, state = opt.update(params, {"W": g.astype(dtype)}, state, lr)
        path.append(params["W"])
    return np.array(path)


@pytest.mark.parametrize(("name", "hyper", "formula"), PUBLISHED)
def test_moves_as_the_formula_says(name, hyper, formula):
    np.testing.assert_allclose(by_library(name, hyper), by_formula(formula), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("name", "hyper", "formula"), PUBLISHED)
def test_float32_moves_as_the_formula_says_up_to_its_rounding(name, hyper, formula):
    """A step rounds about as much as the largest parameter's last digit; fifty of them add up at most."""
    path = by_formula(formula)
    found = by_library(name, hyper, np.float32)
    assert found.dtype == np.float32
    allowed = 50 * np.finfo(np.float32).eps * abs(path).max(axis=0)
    assert (abs(found - path).max(axis=0) < allowed).all()


def test_nag_moves_as_its_formula_says():
    """Nesterov 1983 in Géron's equation 11-5, down a slope that depends on where it is."""
    slope = lambda x: math.tanh(x) + 0.1 * x
    start, _ = problem()
    params, state = {"W": start}, gs.init_state("nag_step", {"W": start})
    expected, v = start.copy(), np.zeros_like(start)
    for lr in RATES:
        params, state = gs.nag_step(
            lambda p: {"W": np.tanh(p["W"]) + 0.1 * p["W"]}, params, state, lr=10 * lr, beta=0.7
        )
        for at in np.ndindex(start.shape):
            v[at] = 0.7 * v[at] - 10 * lr * slope(expected[at] + 0.7 * v[at])
            expected[at] += v[at]
    np.testing.assert_allclose(params["W"], expected, rtol=1e-10, atol=1e-12)


def test_every_optimizer_has_its_formula_here():
    missing = set(STEPS) - {name for name, *_ in PUBLISHED} - {"nag_step"}
    assert not missing, (
        f"{missing}: 1. write the paper's formula here as a generator of plain numbers; 2. add it to PUBLISHED with "
        "non-default options; 3. add non-default options to test_optimizers.py."
    )
