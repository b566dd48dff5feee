"""Every op of the library has the derivatives of its own values: the first, the second, and that of its backward.

The registry `OPS` drives these tests; `CASES` in op_cases.py has the inputs. The oracle is the central difference.
"""

import inspect
import pickle

import numpy as np
import pytest
from op_cases import CASES

import gradschool as gs
from gradschool.autodiff import OPS
from gradschool_grader.standalone import standalone


def joined(y):
    """All results of an op as one vector; an op's only result stays as it is."""
    return np.concatenate([np.ravel(r) for r in y]) if isinstance(y, tuple) else y


def like(y, rng):
    """Random numbers in the form of y."""
    return tuple(rng.normal(size=np.shape(r)) for r in y) if isinstance(y, tuple) else rng.normal(size=np.shape(y))


ALL = [pytest.param(name, i, id=f"{name}-{i}") for name in CASES for i in range(len(CASES[name]))]


def made(name, i, seed=0):
    """The op, its differentiable arguments, the function of them alone, and a cotangent of its value."""
    rng = np.random.default_rng([seed, i])
    args, options = CASES[name][i](rng)
    op = OPS[name]
    inputs, rest = tuple(args[: op.inputs]), args[op.inputs :]
    function = lambda *inputs: joined(op.function(*inputs, *rest, **options))
    return op, inputs, function, rng.normal(size=np.shape(function(*inputs)))


def slope_along(f, x, v, h=1e-5):
    """Central difference of f (a tuple of arrays) at the tuple x along v, for each array of the value."""
    above = f(*(a + h * d for a, d in zip(x, v, strict=True)))
    below = f(*(a - h * d for a, d in zip(x, v, strict=True)))
    return tuple((p - m) / (2 * h) for p, m in zip(above, below, strict=True))


def test_every_op_has_a_case():
    missing = sorted(set(OPS) - set(CASES))
    assert not missing, (
        f"{missing} lack an entry. 1. Add `name: [lambda rng: (arguments, options), ...]` to CASES in op_cases.py, "
        "with all sizes different and one case for each option that changes the derivative. 2. Run this file and "
        "test_rules.py. 3. Write a test in tests/oracles that compares it with something independent."
    )


@pytest.mark.parametrize(("name", "i"), ALL)
def test_gradient_is_that_of_central_differences(name, i):
    _, inputs, function, g = made(name, i)
    gradients = gs.vjp(function, *inputs)[1](g)
    for k, gradient in enumerate(gradients):
        value = lambda x: np.sum(g * function(*inputs[:k], x, *inputs[k + 1 :]))
        assert gs.gradient_check(value, lambda x: gradient, inputs[k]) < 1e-8


@pytest.mark.parametrize(("name", "i"), ALL)
def test_second_derivative_is_that_of_central_differences_of_the_gradient(name, i):
    _, inputs, function, g = made(name, i)
    rng = np.random.default_rng(1)
    v = tuple(rng.normal(size=a.shape) for a in inputs)
    gradient = gs.grad(lambda *inputs: np.sum(g * function(*inputs)), argnums=range(len(inputs)))
    product = gs.hessian_vector_product(lambda inputs: np.sum(g * function(*inputs)), inputs, v)
    for analytic, numeric in zip(product, slope_along(gradient, inputs, v), strict=True):
        np.testing.assert_allclose(analytic, numeric, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("name", "i"), ALL)
def test_backward_is_linear_in_the_cotangent_and_differentiable_in_it(name, i):
    _, inputs, function, g = made(name, i)
    rng = np.random.default_rng(2)
    pullback = gs.vjp(function, *inputs)[1]
    u = [rng.normal(size=a.shape) for a in inputs]
    onto_u = lambda g: sum(np.sum(d * a) for d, a in zip(pullback(g), u, strict=True))
    slope = gs.grad(onto_u)(g)
    np.testing.assert_allclose(np.sum(slope * g), onto_u(g), rtol=1e-9, atol=1e-12)
    other = rng.normal(size=g.shape)
    np.testing.assert_allclose(np.sum(slope * other), onto_u(other), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("name", "i"), ALL)
def test_gradients_that_are_written_into_given_memory_are_the_same(name, i):
    _, inputs, function, g = made(name, i)
    expected = gs.grad(lambda inputs: np.sum(g * function(*inputs)))(inputs)
    into = tuple(np.full(a.shape, np.nan) for a in inputs)
    gs.value_and_grad(lambda inputs: np.sum(g * function(*inputs)), into=into)(inputs)
    for found, d in zip(into, expected, strict=True):
        np.testing.assert_allclose(found, d, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(("name", "i"), [case for case in ALL if OPS[case.values[0]].fills])
def test_an_op_that_can_write_a_gradient_into_memory_hands_on_that_memory(name, i):
    op, inputs, _, _ = made(name, i)
    args, options = CASES[name][i](np.random.default_rng([0, i]))
    y, cache = op.forward(*args, **options)
    g = like(y, np.random.default_rng(9))
    for k in op.fills:
        out = np.empty(inputs[k].shape)
        found = op.each[k](g, cache, out=out) if op.each else op.some(g, cache, [k], out={k: out})[k]
        assert found is out


@pytest.mark.parametrize(("name", "i"), ALL)
def test_backward_on_the_forward_s_cache_is_what_the_tape_computes(name, i):
    op, inputs, function, _ = made(name, i)
    args, options = CASES[name][i](np.random.default_rng([0, i]))
    y, cache = op.forward(*args, **options)
    np.testing.assert_array_equal(joined(y), function(*inputs))
    g = like(y, np.random.default_rng(8))
    by_hand = op.backward(g, cache)
    by_hand = by_hand if isinstance(by_hand, tuple) else (by_hand,)
    for a, b in zip(by_hand, gs.vjp(function, *inputs)[1](joined(g)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)


@pytest.mark.parametrize(("name", "i"), ALL)
def test_nothing_that_goes_in_is_changed(name, i):
    op = OPS[name]
    args, options = CASES[name][i](np.random.default_rng(3))
    before = [np.copy(a) for a in args]
    y, cache = op.forward(*args, **options)
    g = like(y, np.random.default_rng(4))
    kept, g_before = {k: np.copy(v) for k, v in cache.items()}, np.copy(joined(g))
    op.backward(g, cache)
    for a, b in [*zip(args, before, strict=True), (joined(g), g_before), *((cache[k], kept[k]) for k in kept)]:
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("name", "i"), ALL)
def test_float32_stays_float32_in_value_and_gradient(name, i):
    op = OPS[name]
    args, options = CASES[name][i](np.random.default_rng(5))
    args = [a.astype(np.float32) if a.dtype == np.float64 else a for a in args]
    y, cache = op.forward(*args, **options)
    results = y if isinstance(y, tuple) else (y,)
    assert {r.dtype for r in results} == {np.dtype(np.float32)}
    ones = tuple(np.ones(np.shape(r), np.float32) for r in results)
    gradients = op.backward(ones if isinstance(y, tuple) else ones[0], cache)
    assert {d.dtype for d in (gradients if isinstance(gradients, tuple) else (gradients,))} == {np.dtype(np.float32)}


@pytest.mark.parametrize(("name", "i"), ALL)
def test_text_with_its_helpers_runs_with_numpy_alone(name, i):
    op = OPS[name]
    args, options = CASES[name][i](np.random.default_rng(6))
    namespace = {"np": np}
    for function in (inspect.unwrap(op.function), op.backward):
        exec(standalone(function), namespace)
    np.testing.assert_array_equal(*(joined(f(*args, **options)) for f in (namespace[name], op.function)))
    y, cache = op.forward(*args, **options)
    g = like(y, np.random.default_rng(7))
    theirs, ours = namespace[op.backward_name](g, cache), op.backward(g, cache)
    for a, b in zip(*((d if isinstance(d, tuple) else (d,)) for d in (theirs, ours)), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", sorted(OPS))
def test_public_function_forward_and_backward_stand_under_their_names(name):
    module = inspect.getmodule(inspect.unwrap(OPS[name].function))
    assert getattr(module, f"{name}_forward") is OPS[name].forward
    assert getattr(module, f"{name}_backward") is OPS[name].backward
    assert getattr(gs, name) is OPS[name].function
    assert ">>>" in OPS[name].function.__doc__


@pytest.mark.parametrize("name", sorted(OPS))
def test_public_function_pickles(name):
    assert pickle.loads(pickle.dumps(OPS[name].function)) is OPS[name].function
