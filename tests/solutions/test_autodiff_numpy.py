"""Plain NumPy code on traced arrays has the derivatives of its values, the first and the second.

The tables of the library (`UFUNCS`, `FUNCTIONS`) drive these tests; the oracle is the central difference.
"""

import numpy as np
import pytest

import gradschool as gs
from gradschool.autodiff import Traced
from gradschool.autodiff.traced import FUNCTIONS, UFUNCS

RNG = np.random.default_rng(0)
A = RNG.normal(size=(3, 4))
CUBE = RNG.normal(size=(5, 3, 4))
TALL = RNG.normal(size=(4, 6))
INDEX = RNG.integers(0, 3, (5, 4))

# each entry: the function under test, a function of one array made of it, and the shape of that array
X34, P34, C534, V4 = "x (3, 4)", "positive (3, 4)", "x (5, 3, 4)", "x (4,)"
CASES = [
    (np.add, lambda x: x + A[:, :1] + 1 + (2 + x), X34),
    (np.add, lambda x: CUBE + x, X34),
    (np.add, lambda x: A + x, V4),
    (np.subtract, lambda x: (x - A) * (3 - x), X34),
    (np.subtract, lambda x: CUBE[:, :1] - x, X34),
    (np.multiply, lambda x: x * A * (2 * x), X34),
    (np.multiply, lambda x: x[:, :1] * CUBE * x, X34),
    (np.divide, lambda x: A / x + x / (x * x + 1) + 1 / x, P34),
    (np.power, lambda x: x**3 + x**2 + x**1.0, X34),
    (np.power, lambda x: x**0.5 + 2.0**x + x**x + np.power(x, np.array([0.0, 1.0, 2.0, 3.0])), P34),
    (np.matmul, lambda x: A.T @ x + x[0] @ A.T @ x, X34),
    (np.matmul, lambda x: x @ TALL, C534),
    (np.matmul, lambda x: CUBE @ np.transpose(x, (0, 2, 1)), C534),
    (np.matmul, lambda x: np.matmul(CUBE, x), V4),
    (np.matmul, lambda x: x @ np.swapaxes(CUBE, 1, 2), V4),
    (np.matmul, lambda x: x @ x + x @ A.T @ A @ x, V4),
    (np.matmul, lambda x: np.matmul(A[0] ** 2, np.swapaxes(x, 1, 2)), C534),
    (np.matmul, lambda x: np.matmul(x, A[0]) ** 2, C534),
    (np.maximum, lambda x: np.maximum(x, A) * np.maximum(A[0], x), X34),
    (np.minimum, lambda x: np.minimum(x, 0.1) * np.minimum(A, x), X34),
    (np.logaddexp, lambda x: np.logaddexp(x, A) + np.logaddexp(A[0], x**2), X34),
    (np.hypot, lambda x: np.hypot(x, A) * np.hypot(A, x), X34),
    (np.negative, lambda x: -(x**2), X34),
    (np.positive, lambda x: +(x**2) + np.positive(x), X34),
    (np.absolute, lambda x: abs(x) ** 3 + np.abs(x), X34),
    (np.fabs, lambda x: np.fabs(x) ** 3, X34),
    (np.square, np.square, X34),
    (np.sqrt, np.sqrt, P34),
    (np.cbrt, np.cbrt, P34),
    (np.reciprocal, np.reciprocal, P34),
    (np.exp, np.exp, X34),
    (np.exp2, np.exp2, X34),
    (np.expm1, np.expm1, X34),
    (np.log, np.log, P34),
    (np.log2, np.log2, P34),
    (np.log10, np.log10, P34),
    (np.log1p, np.log1p, P34),
    (np.sin, np.sin, X34),
    (np.cos, np.cos, X34),
    (np.tan, lambda x: np.tan(0.3 * x), X34),
    (np.arctan, np.arctan, X34),
    (np.sinh, np.sinh, X34),
    (np.cosh, np.cosh, X34),
    (np.tanh, np.tanh, X34),
    (np.sum, lambda x: np.sum(x**2, axis=1) + x.sum(-2, keepdims=True)[:, 0], C534),
    (np.sum, lambda x: x.sum() * np.sum(x, axis=(0, 2)) ** 2, C534),
    (np.mean, lambda x: np.mean(x**2, axis=(0, -1)) * x.mean() + x.mean(1, keepdims=True).sum(), C534),
    (np.max, lambda x: x.max() * np.max(x, axis=1) + np.max(x, axis=(0, 2), keepdims=True).sum(), C534),
    (np.min, lambda x: x.min() * np.min(x, axis=-1), C534),
    ((np.add, "reduce"), lambda x: np.add.reduce(x**2) + np.add.reduce(x, axis=1).sum(), X34),
    ((np.maximum, "reduce"), lambda x: np.maximum.reduce(x**2), X34),
    ((np.minimum, "reduce"), lambda x: np.minimum.reduce(x**2, axis=1), X34),
    (np.reshape, lambda x: np.reshape(x**2, (4, -1)) * x.reshape(4, 15), C534),
    (np.ravel, lambda x: np.ravel(x) * x.flatten(), C534),
    (np.squeeze, lambda x: np.squeeze(x[:, :1]) * x[:, 0], C534),
    (np.expand_dims, lambda x: np.expand_dims(x, (0, 2)) * x[None, :, None], X34),
    (np.transpose, lambda x: np.transpose(x, (2, 0, -2)) * x.transpose(2, 0, 1) * x.T.T.transpose([2, 0, 1]), C534),
    (np.swapaxes, lambda x: np.swapaxes(x, 0, -1) ** 2, C534),
    (np.moveaxis, lambda x: np.moveaxis(x, (0, 1), (2, 0)) ** 2, C534),
    (np.broadcast_to, lambda x: np.broadcast_to(x, (5, 3, 4)) * CUBE * x, X34),
    (np.where, lambda x: np.where(x > 0.2, x**2, A * x) + np.where(A > 0, 1.0, x), X34),
    (np.tril, lambda x: np.tril(x**2, -1), X34),
    (np.triu, lambda x: np.triu(x**2), X34),
    (np.copy, lambda x: np.copy(x) * x.copy(), X34),
    (np.clip, lambda x: np.clip(x, -0.5, 0.7) * x + x.clip(max=0.3) + np.clip(x, 0.1, None), X34),
    (np.clip, lambda x: np.clip(CUBE, x - 0.3, x[:1] + 0.4) + np.clip(x, None, x[0] + 0.1) ** 2, X34),
    (np.full_like, lambda x: np.full_like(x, x[0, 1]) * x + np.full_like(x, 3.0), X34),
    (np.amax, lambda x: np.amax(x, axis=0) * np.amin(x, axis=0), X34),
    (np.amin, lambda x: np.amin(x), X34),
    (np.cumsum, lambda x: np.cumsum(x, axis=1) ** 2 + np.cumsum(x).reshape(3, 4), X34),
    (np.concatenate, lambda x: np.concatenate([x, A, x[:1] ** 2]), X34),
    (np.concatenate, lambda x: np.concatenate([x, CUBE[..., :2], x**2], axis=-1), C534),
    (np.concatenate, lambda x: np.concatenate([x, A], axis=None) ** 2, X34),
    (np.stack, lambda x: np.stack([x, A, x**2], axis=1), X34),
    (np.vstack, lambda x: np.vstack([x[0], A, x**2]), X34),
    (np.hstack, lambda x: np.hstack([x, A**2, x**2]), X34),
    (np.hstack, lambda x: np.hstack([x[0], x.sum(), x[2]]) ** 2, X34),
    (np.take_along_axis, lambda x: np.take_along_axis(x, INDEX[:, None], axis=1) ** 2, C534),
    (np.take, lambda x: np.take(x, [2, 0, 2], axis=1) ** 2 + x.take([1, 3, 1]), X34),
    (np.flip, lambda x: np.flip(x, 1) * x, X34),
    (np.roll, lambda x: np.roll(x, 2, axis=0) * x, X34),
    (np.repeat, lambda x: np.repeat(x, 3, axis=0) ** 2, X34),
    (np.tile, lambda x: np.tile(x, (3, 1)) ** 2, X34),
    (np.rot90, lambda x: np.rot90(x) ** 2, X34),
    (np.diagonal, lambda x: np.diagonal(x, 1) ** 2, X34),
    (np.split, lambda x: np.split(x, [1, 3], axis=1)[1] ** 2, X34),
    (np.array_split, lambda x: np.array_split(x, 3, axis=1)[0] ** 2, X34),
    (np.sort, lambda x: np.sort(x, axis=0) * A, X34),
    (np.diff, lambda x: np.diff(x**2, n=2, axis=1), X34),
    (np.pad, lambda x: np.pad(x**2, ((1, 0), (0, 2)), constant_values=3.0) ** 2, X34),
    (np.pad, lambda x: np.pad(x**2, 1, mode="reflect"), X34),
    (np.einsum, lambda x: np.einsum("ij,kj->ik", x, x) + np.einsum("ij,lj->i", x, A)[:, None], X34),
    (np.einsum, lambda x: np.einsum("bij,ij,j", x, A, A[0])[:, None] * np.einsum("bij->j", x), C534),
    (np.dot, lambda x: np.dot(x, A.T) * x.dot(x[0])[:, None] + np.dot(2.0, x).sum(), X34),
    (np.dot, lambda x: np.dot(x, CUBE.transpose(0, 2, 1)), X34),
    (np.inner, lambda x: np.inner(x, A) * np.inner(x[0], x[1]), X34),
    (np.vdot, lambda x: np.vdot(x, x * A), X34),
    (np.outer, lambda x: np.outer(x, x[0]), X34),
    (np.tensordot, lambda x: np.tensordot(x, CUBE, axes=([0, 2], [0, 2])) + np.tensordot(x, x, 3), C534),
    (np.trace, lambda x: np.trace(x @ A.T) ** 2, X34),
    (np.var, lambda x: np.var(x, axis=1) * x.var(ddof=1) + x.var(axis=(0, 2), keepdims=True).sum(), C534),
    (np.std, lambda x: np.std(x, axis=0) * x.std(), C534),
    (np.linalg.norm, lambda x: np.linalg.norm(x) * np.linalg.norm(x, axis=1), X34),
    ("index", lambda x: x[1:, ::2] ** 2 + x[-1, 1] + x[..., None, 0].sum(), X34),
    ("index", lambda x: x[[0, 2, 0], [1, 1, 1]] ** 2 + x[A > 0].sum(), X34),
    ("method", lambda x: x.astype(np.float64) * x.swapaxes(0, 1).T * x.squeeze(), X34),
    ("unpacking", lambda x: next(a * b * c for a, b, c in [x]), X34),
]

# what gives plain arrays: its derivative is zero
FLAT = {
    np.argmax, np.argmin, np.argsort, np.nonzero, np.flatnonzero, np.count_nonzero, np.any, np.all, np.searchsorted,
    np.zeros_like, np.ones_like, np.empty_like, np.shape, np.ndim, np.size, np.round, np.isclose,
    np.allclose, np.array_equal, np.result_type, np.isin, np.may_share_memory, np.shares_memory,
}  # fmt: skip


def drawn(kind):
    rng = np.random.default_rng(1)
    x = rng.normal(size={X34: (3, 4), P34: (3, 4), C534: (5, 3, 4), V4: (4,)}[kind])
    return np.abs(x) + 0.2 if kind == P34 else x


def name_of(function):
    if isinstance(function, tuple):
        return f"{function[0].__name__}.{function[1]}"
    return getattr(function, "__name__", function)


PARAMETERS = [pytest.param(f, kind, id=f"{name_of(of)}-{i}") for i, (of, f, kind) in enumerate(CASES)]


def test_every_function_in_the_tables_has_a_case():
    known = {of for of, _, _ in CASES} | FLAT
    missing = {f for f in FUNCTIONS if f not in known} | {u for u in UFUNCS if UFUNCS[u] and u not in known}
    assert not missing, (
        f"{sorted(map(name_of, missing))} lack an entry. 1. Add (function, function of one array made of it, shape) to "
        "CASES, with all axes of different size. 2. If its derivative is zero everywhere, add it to FLAT instead. "
        "3. Run this file."
    )


@pytest.mark.parametrize(("f", "kind"), PARAMETERS)
def test_value_is_that_of_plain_numpy(f, kind):
    x = drawn(kind)
    y = f(x)
    traced, _ = gs.vjp(f, x)
    np.testing.assert_allclose(traced, y, rtol=1e-13, atol=1e-15)
    assert np.shape(traced) == np.shape(y)


@pytest.mark.parametrize(("f", "kind"), PARAMETERS)
def test_gradient_is_that_of_central_differences(f, kind):
    x = drawn(kind)
    g = np.random.default_rng(2).normal(size=np.shape(f(x)))
    gradient = gs.vjp(f, x)[1](g)[0]
    assert gs.gradient_check(lambda x: np.sum(g * f(x)), lambda x: gradient, x) < 1e-7


@pytest.mark.parametrize(("f", "kind"), PARAMETERS)
def test_second_derivative_is_that_of_central_differences_of_the_gradient(f, kind):
    x = drawn(kind)
    rng = np.random.default_rng(3)
    g, v, h = rng.normal(size=np.shape(f(x))), rng.normal(size=x.shape), 1e-5
    loss = lambda x: np.sum(g * f(x))
    numeric = (gs.grad(loss)(x + h * v) - gs.grad(loss)(x - h * v)) / (2 * h)
    np.testing.assert_allclose(gs.hessian_vector_product(loss, x, v), numeric, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("f", "kind"), PARAMETERS)
def test_gradient_of_float32_is_float32(f, kind):
    value, pullback = gs.vjp(f, drawn(kind).astype(np.float32))
    assert pullback(np.ones(value.shape))[0].dtype == np.float32


@pytest.mark.parametrize("ufunc", sorted((u for u in UFUNCS if UFUNCS[u] is None), key=lambda u: u.__name__))
def test_ufunc_without_slope_gives_a_plain_array(ufunc):
    args = [drawn(X34) for _ in range(ufunc.nin)]
    results = []
    gs.grad(lambda x: results.append(ufunc(*[x] * ufunc.nin)) or np.sum(x))(args[0])
    np.testing.assert_array_equal(results[0], ufunc(*args))


@pytest.mark.parametrize(
    ("function", "rest"),
    [
        (np.argmax, (1,)),
        (np.argmin, (0,)),
        (np.argsort, (0,)),
        (np.nonzero, ()),
        (np.flatnonzero, ()),
        (np.count_nonzero, ()),
        (np.any, ()),
        (np.all, ()),
        (np.zeros_like, ()),
        (np.ones_like, ()),
        (np.shape, ()),
        (np.ndim, ()),
        (np.size, ()),
        (np.round, (1,)),
        (np.isclose, (0.3,)),
        (np.allclose, (0.3,)),
        (np.array_equal, (A,)),
        (np.result_type, ()),
        (np.isin, (A,)),
    ],
    ids=lambda v: getattr(v, "__name__", ""),
)
def test_function_without_slope_gives_what_numpy_gives(function, rest):
    x, results = drawn(X34), []
    gs.grad(lambda x: results.append(function(x, *rest)) or np.sum(x))(x)
    np.testing.assert_equal(results[0], function(x, *rest))
    assert not isinstance(results[0], Traced)


def test_entries_that_share_a_maximum_share_its_gradient():
    x = np.array([[1.0, 3.0, 3.0], [5.0, 5.0, 5.0]])
    gradient = gs.grad(lambda x: np.sum(np.array([10.0, 6.0]) * np.max(x, axis=1)))(x)
    np.testing.assert_allclose(gradient, [[0, 5, 5], [2, 2, 2]], rtol=1e-15)


def test_equal_arguments_of_maximum_share_its_gradient():
    a, b = gs.grad(lambda a, b: np.sum(np.maximum(a, b)), argnums=(0, 1))(np.array([1.0, 2.0, 3.0]), np.full(3, 2.0))
    np.testing.assert_array_equal(a, [0, 0.5, 1])
    np.testing.assert_array_equal(b, [1, 0.5, 0])


def test_power_zero_has_slope_zero_even_at_zero():
    assert gs.grad(lambda x: x**0)(0.0) == 0
    np.testing.assert_array_equal(gs.grad(lambda x: np.sum(x ** np.array([0.0, 1.0, 2.0])))(np.zeros(3)), [0, 1, 0])


REFUSED = [
    (lambda x: np.unique(x), "np.unique has no derivative"),
    (lambda x: np.full((5,), x[0, 0]), "has no derivative|has_aux"),
    (lambda x: np.prod(x), "np.prod has no derivative"),
    (lambda x: np.arcsin(x), "np.arcsin has no derivative"),
    (lambda x: np.linalg.inv(x), "np.linalg.inv has no derivative"),
    (lambda x: np.sum(x, dtype=np.float32), "np.sum with dtype"),
    (lambda x: np.add(x, 1.0, where=A > 0), "np.add with where"),
    (lambda x: np.multiply.outer(x, x), "np.multiply with outer"),
    (lambda x: np.add(A.copy(), x, out=A.copy()), "write y = y \\+ x"),
    (lambda x: np.einsum("...j->j", x), "name every axis"),
    (lambda x: np.asarray(x), "has_aux=True"),
    (lambda x: np.array([x, x]), "has_aux=True"),
    (lambda x: float(x[0, 0]), "has_aux=True"),
    (lambda x: int(x[0, 0]), "has_aux=True"),
    (lambda x: x[0, 0].item(), "has_aux=True"),
    (lambda x: x.tolist(), "has_aux=True"),
    (lambda x: range(3)[x[0, 0]], "has_aux=True"),
    (lambda x: x.__setitem__(0, 1.0), "cannot be changed in place"),
]


@pytest.mark.parametrize(("f", "advice"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_traced_raises_and_says_what_to_do(f, advice):
    with pytest.raises(TypeError, match=advice):
        gs.vjp(f, drawn(X34))


def test_array_that_takes_in_a_traced_entry_raises():
    def f(x):
        y = np.zeros(3)
        y[0] = x[0]
        return y.sum()

    with pytest.raises((TypeError, ValueError)) as caught:
        gs.grad(f)(np.ones(3))
    assert "has_aux=True" in f"{caught.value} {caught.value.__cause__}"


def test_traced_array_prints_its_value_and_can_be_branched_on():
    printed = []

    def f(x):
        printed.extend([f"{x[0]:.2f}", repr(x[0] * 2)])
        return x[0] if x[0] > 0 else -x[0]

    assert gs.grad(f)(np.array([-0.5, 1.0, 1.0]))[0] == -1
    assert printed[0] == "-0.50"
    assert "-1.0" in printed[1]
