"""Property: where frameworks differ the library has the form and the defaults that its documentation states, and the
numbers that tell that form from its neighbours."""

import inspect
from decimal import Decimal, localcontext

import numpy as np
import pytest

import gradschool as gs
from gradschool.ops.elementwise import SELU_ALPHA, SELU_SCALE

DEFAULTS = {
    "sgd": {"lr": 0.01},
    "momentum": {"lr": 0.01, "beta": 0.9},
    "nesterov": {"lr": 0.01, "beta": 0.9},
    "nag_step": {"lr": 0.01, "beta": 0.9},
    "adagrad": {"lr": 0.01, "eps": 1e-10},
    "rmsprop": {"lr": 1e-3, "rho": 0.9, "eps": 1e-8, "centered": False, "momentum": 0.0},
    "adam": {"lr": 1e-3, "b1": 0.9, "b2": 0.999, "eps": 1e-8, "eps_hat": False},
    "adamax": {"lr": 2e-3, "b1": 0.9, "b2": 0.999, "eps": 1e-8},
    "adamw": {"lr": 1e-3, "b1": 0.9, "b2": 0.999, "eps": 1e-8, "weight_decay": 0.01},
    "nadam": {"lr": 2e-3, "b1": 0.9, "b2": 0.999, "eps": 1e-8, "momentum_decay": 4e-3},
    "lbfgs": {"history": 10, "line_search": "weak-wolfe", "max_line_search": 20, "initial_factor": 1.0},
    "leaky_relu": {"alpha": 0.01},
    "elu": {"alpha": 1.0},
    "gelu": {"approximate": "none"},
    "softmax": {"axis": -1},
    "huber": {"delta": 1.0, "reduction": "sum", "normalization": "batch-size"},
    "l1_loss": {"reduction": "sum", "normalization": "batch-size"},
    "cross_entropy": {"mode": "single-label", "normalization": "batch-size"},
    "ctc_loss": {"blank": 0},
    "conv": {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "padding_value": 0},
    "conv_transpose": {"stride": 1, "crop": 0, "dilation": 1, "groups": 1},
    "avgpool": {"stride": None, "padding": 0, "count_include_pad": False},
    "maxpool": {"stride": None, "padding": 0},
    "batchnorm": {"training": False, "momentum": 0.9, "eps": 1e-5, "unbiased_running": False},
    "layernorm": {"eps": 1e-5},
    "groupnorm": {"eps": 1e-5},
    "instancenorm": {"eps": 1e-5},
    "crosschannelnorm": {"alpha": 1e-4, "beta": 0.75, "k": 2.0},
    "gru": {"reset": "after"},
    "lstm": {"activation": "tanh", "gate_activation": "sigmoid"},
    "attention": {"heads": 1, "scale": "auto", "padding_mask": None, "attention_mask": None, "dropout": 0.0},
    "embed": {"padding_id": None},
    "dropout": {"training": True},
    "odeint": {"rtol": 1e-3, "atol": 1e-6, "gradient": "direct"},
    "glorot": {"distribution": "uniform"},
    "he": {"distribution": "truncated_normal"},
    "lecun": {"distribution": "truncated_normal"},
    "orthogonal": {"gain": 1.0},
    "narrow_normal": {"std": 0.01},
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_the_defaults_are_those_that_are_stated(name):
    parameters = inspect.signature(getattr(gs, name)).parameters
    assert {option: parameters[option].default for option in DEFAULTS[name]} == DEFAULTS[name]


def bowl_after(name, steps, **hyper):
    """x after so many steps down (x₁² + 10 x₂²) / 2 from (1, -1)."""
    x = np.array([1.0, -1.0])
    state = gs.init_state(name, x)
    for _ in range(steps):
        x, state = getattr(gs, name)(x, x * [1.0, 10.0], state, **hyper)
    return x


def test_adam_without_its_correction_would_go_more_than_three_times_too_far_at_once():
    m, v = 0.1 * 1.0, 0.001 * 1.0  # the averages of a gradient of 1 after one step from zero
    assert f"{1 - 0.1 * m / (np.sqrt(v) + 1e-8):.6f}" == "0.683772"
    assert f"{bowl_after('adam', 1, lr=0.1)[0]:.6f}" == "0.900000"


def test_at_a_tiny_eps_the_three_forms_of_adam_differ_by_less_than_a_ten_millionth_a_step():
    first, second = (bowl_after("adam", 1, lr=0.1, eps_hat=form) for form in (False, True))
    assert 0 < abs(first - second).max() < 1e-7


def test_pytorchs_momentum_is_ours_until_the_rate_changes():
    """PyTorch multiplies the whole velocity by the new rate, which slows the past down; ours keeps it."""
    ends = []
    for rates in ([0.05] * 5, [0.05] * 3 + [0.01] * 2):
        x, theirs, v, state = np.ones(3), np.ones(3), np.zeros(3), {"v": np.zeros(3)}
        for lr in rates:
            x, state = gs.momentum(x, x, state, lr=lr, beta=0.9)
            v = 0.9 * v + theirs
            theirs = theirs - lr * v
        ends.append(abs(x - theirs).max())
    assert ends[0] < 1e-15
    assert ends[1] > 0.1


def test_pools_step_by_their_size_unless_told_otherwise():
    x = np.random.default_rng(0).normal(size=(3, 9, 4))
    for pool in (gs.maxpool, gs.avgpool):
        np.testing.assert_array_equal(pool(x, 3), pool(x, 3, stride=3))


# --------------------------------------------------------------------------------------- where selu's numbers come from
def erf(x, terms=120):
    """The error function by its power series, to all the digits of the context."""
    term, total = x, x
    for n in range(1, terms):
        term = -term * x * x / n
        total += term / (2 * n + 1)
    return 2 * total / pi().sqrt()


def pi():
    """Machin's formula, 16 arctan(1/5) - 4 arctan(1/239)."""
    arctan = lambda n: sum((-1) ** k * Decimal(1) / ((2 * k + 1) * Decimal(n) ** (2 * k + 1)) for k in range(80))
    return 16 * arctan(5) - 4 * arctan(239)


def test_selus_constants_are_the_closed_forms_of_the_paper_to_the_last_bit():
    """Klambauer et al. 2017, equation 14: mean 0 and variance 1 map to themselves."""
    with localcontext() as context:
        context.prec = 50
        e, two = Decimal(1).exp(), Decimal(2)
        a, b = 1 - erf(1 / two.sqrt()), 1 - erf(two.sqrt())  # erfc(1/√2), erfc(√2)
        alpha = -(2 / pi()).sqrt() / (a * e.sqrt() - 1)
        root = 2 * b * e**2 + pi() * a**2 * e - 2 * (2 + pi()) * a * e.sqrt() + pi() + 2
        scale = (1 - a * e.sqrt()) * (2 * pi()).sqrt() / root.sqrt()
    assert (float(alpha), float(scale)) == (SELU_ALPHA, SELU_SCALE)
