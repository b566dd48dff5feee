"""Derivatives of functions: of trees, of any order, with errors that name what is wrong."""

import itertools
import math
import re
import subprocess
import sys
import threading

import numpy as np
import pytest

import gradschool as gs
from gradschool.autodiff import OPS, Traced, op


def net(params, X, T):
    hidden = gs.tanh(gs.dense(X, *params["layers"][0]))
    return gs.softmax_cross_entropy(gs.dense(hidden, *params["layers"][1]) * params["gain"], T)


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    layers = [(rng.normal(size=(4, 7)), rng.normal(size=7)), (rng.normal(size=(7, 3)), rng.normal(size=3))]
    return {"layers": layers, "gain": 1.3}, rng.normal(size=(5, 4)), gs.one_hot(rng.integers(0, 3, 5), 3)


def along(tree, direction, h):
    return gs.tree_map(lambda a, d: a + h * d, tree, direction)


def like(tree, seed):
    rng = np.random.default_rng(seed)
    return gs.tree_map(lambda a: rng.normal(size=np.shape(a)), tree)


def dot(a, b):
    return sum(np.sum(x * y) for x, y in zip(gs.tree_leaves(a), gs.tree_leaves(b), strict=True))


def test_gradient_of_a_tree_has_its_structure_and_is_that_of_central_differences(problem):
    params, X, T = problem
    value, grads = gs.value_and_grad(net)(params, X, T)
    assert value == net(params, X, T)
    assert gs.tree_paths(grads) == gs.tree_paths(params)
    assert isinstance(grads["layers"][0], tuple)
    v, h = like(params, 1), 1e-5
    numeric = (net(along(params, v, h), X, T) - net(along(params, v, -h), X, T)) / (2 * h)
    assert math.isclose(dot(grads, v), numeric, rel_tol=1e-8)


def test_hessian_vector_product_of_a_tree_is_that_of_central_differences(problem):
    params, X, T = problem
    v, h = like(params, 1), 1e-5
    product = gs.hessian_vector_product(lambda p: net(p, X, T), params, v)
    assert gs.tree_paths(product) == gs.tree_paths(params)
    numeric = gs.tree_map(
        lambda a, b: (a - b) / (2 * h),
        gs.grad(net)(along(params, v, h), X, T),
        gs.grad(net)(along(params, v, -h), X, T),
    )
    for a, b in zip(gs.tree_leaves(product), gs.tree_leaves(numeric), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-8)


def test_hessian_is_symmetric(problem):
    params, X, T = problem
    u, v = like(params, 1), like(params, 2)
    Hu, Hv = (gs.hessian_vector_product(lambda p: net(p, X, T), params, w) for w in (u, v))
    assert math.isclose(dot(u, Hv), dot(v, Hu), rel_tol=1e-10)


@pytest.mark.parametrize("order", range(1, 6))
def test_derivatives_of_any_order_through_a_hand_written_backward(order):
    derivative = lambda x: gs.tanh(x)
    for _ in range(order):
        derivative = gs.grad(derivative)
    t = math.tanh(0.3)  # the derivatives of tanh are polynomials in tanh
    polynomial = np.polynomial.Polynomial([0, 1])
    for _ in range(order):
        polynomial = polynomial.deriv() * np.polynomial.Polynomial([1, 0, -1])
    assert math.isclose(derivative(0.3), polynomial(t), rel_tol=1e-12)


def test_second_derivatives_at_score_zero_where_the_safe_forms_change_branch():
    sigmoid_slope = gs.grad(lambda z: gs.grad(lambda z: gs.bce_with_logits(z.reshape(1), np.ones(1)))(z))
    assert math.isclose(sigmoid_slope(0.0), 0.25, rel_tol=1e-15)
    assert math.isclose(gs.grad(gs.grad(gs.softplus))(0.0), 0.25, rel_tol=1e-15)
    assert gs.grad(gs.grad(gs.sigmoid))(0.0) == 0
    assert math.isclose(gs.grad(gs.grad(gs.grad(gs.sigmoid)))(0.0), -0.125, rel_tol=1e-15)


def test_inner_derivative_does_not_see_the_outer_variable():
    outer = gs.grad(lambda x: x * gs.grad(lambda y: x * y)(2.0))
    assert outer(3.0) == 6.0  # x * x, and not x * (x + y)
    nested = gs.grad(lambda x: x * gs.grad(lambda y: gs.tanh(x) + y)(2.0))
    assert nested(3.0) == 1.0


def test_variable_used_several_times_gathers_all_its_gradients():
    assert gs.grad(lambda x: x * x + x * x * x + gs.relu(x))(2.0) == 2 * 2 + 3 * 4 + 1


def test_long_chain_needs_no_recursion():
    def f(x):
        for _ in range(5000):
            x = x + 0.001 * np.sin(x)
        return x

    assert np.isfinite(gs.grad(f)(1.0))


def test_unused_parameters_have_gradient_zero():
    grads = gs.grad(lambda p: np.sum(p["used"]))({"used": np.ones(3), "unused": np.ones((4, 5)), "none": None})
    np.testing.assert_array_equal(grads["unused"], np.zeros((4, 5)))
    assert grads["none"] is None
    assert gs.grad(lambda x: 3.0)(np.ones(3)).tolist() == [0, 0, 0]


def test_argnums_choose_the_arguments_and_keep_their_order():
    f = lambda a, b, c: np.sum(a * b**2 * c**3)
    a, b, c = np.full(3, 2.0), np.full(3, 3.0), np.full(3, 5.0)
    second, first = gs.grad(f, argnums=(1, 0))(a, b, c)
    np.testing.assert_allclose(second, 2 * a * b * c**3)
    np.testing.assert_allclose(first, b**2 * c**3)
    np.testing.assert_allclose(gs.grad(f, argnums=2)(a, b, c), 3 * a * b**2 * c**2)


def test_aux_comes_back_as_plain_arrays_beside_the_value():
    f = lambda x: (np.sum(x**2), {"y": x * 2, "n": 7})
    (value, aux), gradient = gs.value_and_grad(f, has_aux=True)(np.arange(3.0))
    assert (value, aux["n"], aux["y"].tolist(), gradient.tolist()) == (5.0, 7, [0, 2, 4], [0, 2, 4])
    gradient, aux = gs.grad(f, has_aux=True)(np.arange(3.0))
    assert not isinstance(aux["y"], Traced)


def test_vjp_of_a_tree_of_results_pulls_back_a_tree_of_cotangents():
    f = lambda x, w: {"a": x * w, "b": [np.sum(x), x]}
    x, w = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0])
    y, pullback = gs.vjp(f, x, w)
    g = like(y, 3)
    for _ in range(2):  # the pullback can be used again
        dx, dw = pullback(g)
        np.testing.assert_allclose(dx, g["a"] * w + g["b"][0] + g["b"][1], rtol=1e-15)
        np.testing.assert_allclose(dw, g["a"] * x, rtol=1e-15)


def test_vjp_refuses_a_cotangent_of_another_shape_or_structure():
    _, pullback = gs.vjp(lambda x: {"a": x}, np.ones(3))
    with pytest.raises(ValueError, match=r"expected a cotangent of shape \(3,\) at a, got \(4,\)"):
        pullback({"a": np.ones(4)})
    with pytest.raises(ValueError, match="trees differ at"):
        pullback(np.ones(3))


def test_gradients_are_arrays_of_their_own():
    x, y = np.ones(3), np.ones(3)
    first, second = gs.grad(lambda x, y: np.sum(x + y), argnums=(0, 1))(x, y)
    first += 1
    assert second.tolist() == [1, 1, 1]
    assert all(a.flags.writeable for a in (first, second))


def test_gradients_have_the_dtype_of_their_parameters():
    mixed = gs.grad(lambda p: np.sum(p["a"] * p["b"]))({"a": np.ones(3, np.float32), "b": np.ones(3)})
    assert (mixed["a"].dtype, mixed["b"].dtype) == (np.float32, np.float64)


def test_stopped_values_are_constants():
    gradient = gs.grad(lambda x: np.sum(x * gs.stop_gradient({"x": x})["x"]))(np.array([2.0, 3.0, 4.0]))
    assert gradient.tolist() == [2, 3, 4]


def test_sums_written_with_plus_equals_are_traced():
    def f(x):
        total = 0.0
        for a in x:
            total += a**2
        return total

    assert gs.grad(f)(np.array([1.0, 2.0, 3.0])).tolist() == [2, 4, 6]


@pytest.mark.parametrize(
    ("params", "where"),
    [
        ({"layers": [{"W": np.ones((3, 4), int)}]}, r"params\.layers\[0\]\.W"),
        ([np.ones(3), np.ones(3, bool)], r"params\[1\]"),
        (np.arange(3), r"int64 in params;"),
        ({"name": "dense"}, r"params\.name"),
    ],
    ids=["tree", "bool", "bare", "text"],
)
def test_parameters_that_are_no_floats_are_refused_by_name(params, where):
    with pytest.raises(TypeError, match=where):
        gs.grad(lambda params: 0.0)(params)


@pytest.mark.parametrize(
    ("f", "came"),
    [(lambda x: x, r"shape \(3,\)"), (lambda x: (x.sum(), x), "a tuple"), (lambda x: None, "a NoneType")],
    ids=["array", "pair", "nothing"],
)
def test_value_that_is_not_one_number_is_refused_with_advice(f, came):
    with pytest.raises(ValueError, match=f"{came}; sum it, use has_aux=True"):
        gs.value_and_grad(f)(np.ones(3))


@pytest.mark.parametrize(("argnums", "args"), [(2, (1.0, 2.0)), ((0, 2), (1.0, 2.0)), (1, (1.0,)), (0, ())])
def test_an_argument_that_is_not_there_is_missed(argnums, args):
    with pytest.raises(ValueError, match=rf"counted from 0, for argnums={re.escape(str(argnums))}, got {len(args)} of"):
        gs.grad(lambda x, y=1.0: x * y, argnums)(*args)


def test_op_refuses_to_lose_the_derivative_of_an_argument_it_does_not_have():
    with pytest.raises(
        TypeError, match=r"l2_loss has no derivative with respect to T; hold it fixed with stop_gradient"
    ):
        gs.grad(lambda T: gs.l2_loss(np.ones((3, 4)), T))(np.ones((3, 4)))
    with pytest.raises(TypeError, match="with respect to weights"):
        gs.grad(lambda w: gs.l2_loss(np.ones((3, 4)), np.ones((3, 4)), weights=w))(np.ones(4))


X, NET = np.ones((2, 3)), gs.sequential(gs.layers.dense(3), gs.relu)
PARAMS, STATE, _ = NET.init(np.random.default_rng(0), (3,))
NO_ARRAYS = [
    (lambda: gs.relu([1.0, 2.0]), r"relu: expected an array for x, got list; try np\.asarray\(x\)"),
    (lambda: gs.sigmoid(3), r"sigmoid: .* x, got int; try np\.asarray"),
    (lambda: gs.softmax(None), r"softmax: expected an array for x, got None\."),
    (lambda: gs.gelu("x"), r"gelu: expected an array for x, got str\."),
    (lambda: gs.l2_loss(X, X.tolist()), "l2_loss: expected an array for T, got list"),
    (lambda: gs.l2_loss(X, {"a": X}), r"l2_loss: expected an array for T, got dict\."),
    (lambda: gs.dense(X, np.ones((3, 2)), [0, 0]), "dense: expected an array for b, got list"),
    (lambda: gs.dense(W=X.T, X=X.tolist()), "dense: expected an array for X, got list"),
    (lambda: gs.grad(lambda x: gs.l2_loss([x, x], np.ones(2)))(1.0), "l2_loss: expected an array for Y, got list"),
    (lambda: NET.apply(PARAMS, STATE, X.tolist()), "dense: expected an array for X, got list"),
    (lambda: gs.half_mse(NET.apply(PARAMS, STATE, X), X), r"got tuple; if `apply` returned it, .*, take \[0\]"),
    (lambda: gs.accuracy(NET.apply(PARAMS, STATE, X), X), r"accuracy: .* P, got tuple; .*, take \[0\]"),
    (lambda: gs.mae_metric(X, T=X.tolist()), "mae_metric: expected an array for T, got list"),
    (lambda: gs.relu(gs.labelled(X, "BC")), "relu: expected an array for x, got Labelled; try stripdims"),
]


@pytest.mark.parametrize(("call", "message"), NO_ARRAYS, ids=range(len(NO_ARRAYS)))
def test_what_is_no_array_is_named_with_what_to_try(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_an_attribute_error_of_another_cause_stays_what_it_is():
    with gs.using(relu=lambda x: x.nothing), pytest.raises(AttributeError, match="nothing"):
        gs.relu(X)


def test_op_takes_its_differentiable_arguments_by_keyword_too():
    rng = np.random.default_rng(0)
    X, W, b = rng.normal(size=(5, 3)), rng.normal(size=(3, 4)), rng.normal(size=4)
    g = rng.normal(size=(5, 4))
    by_name = gs.grad(lambda W, b: np.sum(g * gs.dense(b=b, W=W, X=X)), argnums=(0, 1))(W, b)
    np.testing.assert_allclose(by_name[0], X.T @ g)
    np.testing.assert_allclose(by_name[1], g.sum(0))


# -------------------------------------------------------------------------------------------- making ops of one's own
@pytest.fixture
def scratch(monkeypatch):
    """Ops that are defined in a test do not stay in the registry."""
    monkeypatch.setattr("gradschool.autodiff.ops.OPS", {})
    assert OPS


def test_op_with_several_results_adds_up_what_comes_back_through_each(scratch):
    def forward(x):
        order = np.argsort(x)
        return (x**2, np.sum(x), order), {"x": x}

    def backward(g, cache):
        assert g[2] is None  # whole numbers have no derivative
        return 2 * g[0] * cache["x"] + g[1]

    @op(forward, backward)
    def square_and_sum(x):
        return forward(x)[0]

    x = np.array([3.0, 1.0, 2.0])
    both = gs.grad(lambda x: np.sum(square_and_sum(x)[0]) + 10 * square_and_sum(x)[1])(x)
    assert both.tolist() == [16, 12, 14]
    only_sum = gs.grad(lambda x: 10 * square_and_sum(x)[1])(x)
    assert only_sum.tolist() == [10, 10, 10]
    assert square_and_sum(x)[2].tolist() == [1, 2, 0]
    assert gs.grad(lambda x: gs.grad(lambda x: np.sum(square_and_sum(x)[0]))(x)[0])(x).tolist() == [2, 0, 0]


def test_plain_twin_serves_where_forward_or_backward_work_in_place(scratch):
    def forward(x):
        y = np.empty_like(x)
        np.multiply(x, x, out=y)
        y *= x
        return y, {"x": x}

    def backward(g, cache):
        d = cache["x"] ** 2
        d *= 3
        d *= g
        return d

    @op(forward, backward, plain=lambda x: x * x * x)
    def cube(x):
        return forward(x)[0]

    x, v = np.array([1.0, 2.0, -3.0]), np.array([1.0, 10.0, 100.0])
    loss = lambda x: np.sum(cube(x) * v)
    np.testing.assert_allclose(gs.grad(loss)(x), 3 * x**2 * v)
    np.testing.assert_allclose(gs.hessian_vector_product(loss, x, np.ones(3)), 6 * x * v)
    third = gs.grad(lambda x: np.sum(gs.hessian_vector_product(loss, x, np.ones(3))))
    np.testing.assert_allclose(third(x), 6 * v)
    pullback = gs.vjp(cube, x)[1]
    np.testing.assert_allclose(gs.grad(lambda g: np.sum(pullback(g)[0]))(v), 3 * x**2)
    with gs.using(cube=lambda x: x**3 + 1):
        np.testing.assert_allclose(gs.hessian_vector_product(loss, x, np.ones(3)), 6 * x * v)


@pytest.mark.parametrize(
    ("backward", "came"),
    [
        (lambda g, cache: np.sum(g), r"wrong_backward gave shape \(\) for x of shape \(3,\)"),
        (lambda g, cache: None, r"wrong_backward gave nothing for x of shape \(3,\)"),
        (lambda g, cache: (), r"wrong_backward gave nothing for x of shape \(3,\)"),
    ],
    ids=["shape", "none", "empty"],
)
def test_backward_that_gives_the_wrong_shape_is_named(scratch, backward, came):
    @op(lambda x: (x, {}), backward)
    def wrong(x):
        return x

    with pytest.raises(ValueError, match=came):
        gs.grad(lambda x: np.sum(wrong(x)))(np.ones(3))


def test_parts_of_a_backward_run_only_for_the_arguments_that_are_traced(scratch):
    asked = []

    def part(i, other):
        return lambda g, cache: asked.append(i) or g * cache[other]

    @op(
        lambda a, b: (a * b, {"a": a, "b": b}),
        lambda g, cache: (g * cache["b"], g * cache["a"]),
        inputs=2,
        each=(part(0, "b"), part(1, "a")),
    )
    def product(a, b):
        return a * b

    gradient = gs.grad(lambda b: np.sum(product(np.full(3, 2.0), b)))(np.ones(3))
    assert (asked, gradient.tolist()) == ([1], [2, 2, 2])


# --------------------------------------------------------------------------------------------------- the surroundings
def test_threads_do_not_disturb_each_other():
    found = {}

    def work(k):
        gradient = gs.grad(lambda x: np.sum(gs.tanh(x) ** k))
        found[k] = [float(gradient(np.array([0.3]))[0]) for _ in range(50)]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    t = math.tanh(0.3)
    for k, values in found.items():
        assert all(math.isclose(v, k * t ** (k - 1) * (1 - t * t), rel_tol=1e-12) for v in values)


def test_import_loads_numpy_and_nothing_else():
    code = (
        "import sys, numpy; before = set(sys.modules); import gradschool; "
        "print(*sorted({m.split('.')[0] for m in set(sys.modules) - before}))"
    )
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    foreign = set(run.stdout.split()) - set(sys.stdlib_module_names) - {"gradschool"}
    assert not foreign


def test_every_public_name_is_there_and_has_a_docstring():
    assert len(gs.__all__) == len(set(gs.__all__))
    missing = [name for name in gs.__all__ if not getattr(gs, name).__doc__]
    assert not missing


def test_empty_batches_have_loss_zero_and_empty_gradients():
    for name, T in itertools.product(["l1_loss", "l2_loss", "half_mse", "huber", "cross_entropy"], [np.zeros((0, 3))]):
        value, gradient = gs.value_and_grad(getattr(gs, name))(np.zeros((0, 3)), T)
        assert (value, gradient.shape) == (0, (0, 3))


# ------------------------------------------------------------------------------------------------- gradients in places
def two_layers(params, X):
    return np.sum(np.tanh(gs.dense(gs.dense(X, params["V"], params["b"]), params["W"])) ** 3)


def test_gradients_written_into_given_memory_are_the_gradients():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(6, 4))
    params = {"V": rng.normal(size=(4, 5)), "b": rng.normal(size=5), "W": rng.normal(size=(5, 3)), "unused": np.ones(7)}
    into = {name: np.full(p.shape, np.nan) for name, p in reversed(params.items())}
    for _ in range(3):  # the same memory again and again
        value, grads = gs.value_and_grad(two_layers, into=into)(params, X)
        expected_value, expected = gs.value_and_grad(two_layers)(params, X)
        assert grads is into
        assert value == expected_value
        for name in params:
            np.testing.assert_allclose(into[name], expected[name], rtol=1e-13)
        params["V"] = params["V"] + 0.1


@pytest.mark.parametrize("uses", [2, 3])
def test_a_parameter_that_is_used_several_times_gets_the_sum_in_its_place(uses):
    rng = np.random.default_rng(1)
    X, W = rng.normal(size=(6, 5)), rng.normal(size=(5, 5))

    def repeated(W):
        Y = X
        for _ in range(uses):
            Y = np.tanh(gs.dense(Y, W))
        return np.sum(Y * Y) + np.sum(W[1])

    into = np.full(W.shape, np.nan)
    gs.value_and_grad(repeated, into=into)(W)
    np.testing.assert_allclose(into, gs.grad(repeated)(W), rtol=1e-12)


def test_derivatives_inside_of_a_derivative_leave_its_places_alone():
    rng = np.random.default_rng(2)
    X, W = rng.normal(size=(6, 5)), rng.normal(size=(5, 3))
    loss = lambda W: np.sum(np.tanh(gs.dense(X, W)) ** 2)
    slope = lambda W: np.sum(gs.grad(loss)(W) ** 2)
    into = np.full(W.shape, np.nan)
    gs.value_and_grad(slope, into=into)(W)
    np.testing.assert_allclose(into, gs.grad(slope)(W), rtol=1e-12)


def test_places_must_fit():
    with pytest.raises(ValueError, match=r"into: the gradient of an array \(3,\) does not fit into \(4,\)"):
        gs.value_and_grad(np.sum, into=np.empty(4))(np.ones(3))
    with pytest.raises(ValueError, match="argnums must be one number"):
        gs.value_and_grad(np.sum, argnums=(0,), into=np.empty(4))
    with pytest.raises(ValueError, match=r"trees differ at b"):
        gs.value_and_grad(lambda p: np.sum(p["a"]), into={"a": np.ones(3), "b": np.ones(3)})({"a": np.ones(3)})


def test_an_op_that_cannot_write_into_memory_is_not_asked_to(scratch):
    @op(
        lambda a, b: (a * b, {"a": a, "b": b}),
        lambda g, cache: (g * cache["b"], g * cache["a"]),
        inputs=2,
        each=(lambda g, cache: g * cache["b"], lambda g, cache: g * cache["a"]),
    )
    def product(a, b):
        return a * b

    a, b = np.arange(3.0), np.array([5.0, 7.0, 11.0])
    into = [np.full(3, np.nan), np.full(3, np.nan)]
    gs.value_and_grad(lambda x: np.sum(product(x[0], x[1])), into=into)([a, b])
    np.testing.assert_array_equal(into, [b, a])
