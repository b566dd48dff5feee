"""Functions that are composed of ops have the derivatives of their own values, the first and the second.

The registry `COMPOSED` drives these tests. The oracle is the central difference, with random cotangents.
"""

import numpy as np
import pytest
from composed_cases import COMPOSED

import gradschool as gs

ALL = [pytest.param(name, i, id=f"{name}-{i}") for name in COMPOSED for i in range(len(COMPOSED[name][2]))]
ADJOINT = [("odeint", 1), ("odeint", 2)]  # solved to the solver's tolerance, not differentiated as it is


def weighed(name, i):
    """The function as one number, its sum with a random cotangent, of its differentiable arguments."""
    function, inputs, cases = COMPOSED[name]
    args, options = cases[i](np.random.default_rng([3, i]))
    rng = np.random.default_rng(4)
    y = function(*args, **options)
    cotangents = [rng.normal(size=np.shape(r)) for r in (y if isinstance(y, tuple) else (y,))]

    def value(*inputs_):
        y = function(*inputs_, *args[inputs:], **options)
        return sum(np.sum(c * r) for c, r in zip(cotangents, y if isinstance(y, tuple) else (y,), strict=True))

    return value, tuple(args[:inputs])


@pytest.mark.parametrize(("name", "i"), ALL)
def test_gradient_is_that_of_central_differences(name, i):
    value, inputs = weighed(name, i)
    for k, gradient in enumerate(gs.grad(value, argnums=range(len(inputs)))(*inputs)):
        along = lambda x, k=k: value(*inputs[:k], x, *inputs[k + 1 :])
        assert gs.gradient_check(along, lambda x, d=gradient: d, inputs[k]) < 1e-7


@pytest.mark.parametrize(("name", "i"), [case for case in ALL if case.values not in ADJOINT])
def test_second_derivative_is_that_of_central_differences_of_the_gradient(name, i):
    value, inputs = weighed(name, i)
    rng, h = np.random.default_rng(5), 1e-5
    v = tuple(rng.normal(size=a.shape) for a in inputs)
    gradient = gs.grad(lambda inputs: value(*inputs))
    product = gs.hessian_vector_product(lambda inputs: value(*inputs), inputs, v)
    above, below = (gradient(tuple(a + s * d for a, d in zip(inputs, v, strict=True))) for s in (h, -h))
    for analytic, p, m in zip(product, above, below, strict=True):
        np.testing.assert_allclose(analytic, (p - m) / (2 * h), rtol=1e-6, atol=2e-7)


def test_every_composed_function_has_an_entry():
    """Public functions of ops, losses and penalties that are differentiable; the others are named with the reason."""
    from gradschool import losses, ops, regularization
    from gradschool.autodiff import OPS

    plain = {
        "causal_mask": "made of a length",
        "positional_encoding": "made of a length",
        "ctc_alignments": "whole numbers",
        "ctc_greedy": "whole numbers",
        "dopri5": "the solver of odeint, which differentiates through it",
        "add_decay": "a rule for gradients",
        "decay_weights": "a rule for parameters after the step",
        "max_norm": "a rule for parameters after the step",
        "is_weight": "a yes or no",
    }
    public = {name for module in (ops, losses, regularization) for name in module.__all__}
    public = {name for name in public if not name.endswith(("_forward", "_backward"))}
    missing = sorted(public - set(OPS) - set(plain) - {name.split()[0] for name in COMPOSED})
    assert not missing, (
        f"{missing} lack an entry. 1. Add `name: (function, how many arguments are differentiable, cases)` to COMPOSED "
        "in composed_cases.py, with all sizes different. 2. Run this file and test_rules.py. 3. Write a "
        "test in tests/oracles that compares it with something independent."
    )
    assert not set(plain) - public
