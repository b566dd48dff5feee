"""Property: dopri5 and odeint follow closed solutions to their tolerance, in both directions of time, and the direct
and the adjoint gradient are those of central differences."""

import doctest
import sys

import numpy as np
import pytest

import gradschool as gs

DOPRI5, ODE = sys.modules["gradschool.ops.dopri5"], sys.modules["gradschool.ops.ode"]

SPIRAL = np.array([[-0.1, -1.0], [1.0, -0.1]])
FINE = {"rtol": 1e-10, "atol": 1e-10}
GRADIENTS = ["direct", "adjoint", "adjoint-seminorm"]


def turned(y0, t):
    """y' = SPIRAL y in closed form: a rotation by t, shrunk by exp(-t / 10)."""
    return np.exp(-0.1 * t) * np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]]) @ y0


def network(t, y, params):
    return np.tanh(y @ params["W"] + params["b"]) * np.cos(t)


def problem(seed=0):
    rng = np.random.default_rng(seed)
    params = {"W": 0.5 * rng.normal(size=(3, 3)), "b": rng.normal(size=3)}
    return rng, rng.normal(size=(4, 3)), params


def order(coefficients, C, up_to):
    """Whether the weights satisfy sum b c^(q-1) = 1/q."""
    return all(abs(sum(b * c ** (q - 1) for b, c in zip(coefficients, C, strict=True)) - 1 / q) < 1e-14 for q in up_to)


# ------------------------------------------------------------------------------------------------------------ one step
def test_table_is_of_order_five_with_an_error_estimate_of_order_four():
    for row, c in zip(DOPRI5.A, DOPRI5.C, strict=True):
        assert abs(sum(row) - c) < 1e-14
    assert order(DOPRI5.B, DOPRI5.C, range(1, 6))
    embedded = [b - e for b, e in zip(DOPRI5.B, DOPRI5.ERROR, strict=True)]
    assert order(embedded, DOPRI5.C, range(1, 5))
    assert not order(embedded, DOPRI5.C, [5])
    assert abs(sum(DOPRI5.DENSE)) < 1e-12


def test_state_between_is_of_order_four_and_meets_both_ends():
    def worst(h):
        step = next(iter(DOPRI5.steps_between(lambda t, y: SPIRAL @ y, np.array([2.0, 0.0]), 0.0, h, LOOSE)))
        assert step.last
        np.testing.assert_allclose(step.at(0.0), step.y, rtol=0)
        np.testing.assert_allclose(step.at(h * (1 - 1e-9)), step.new, rtol=1e-8)
        return max(np.abs(step.at(x * h) - turned(step.y, x * h)).max() for x in (0.2, 0.5, 0.7))

    LOOSE = DOPRI5.Tolerance(1.0, 1e3)
    assert 20 < worst(0.2) / worst(0.1) < 50  # 2^5 = 32


# ------------------------------------------------------------------------------------------------------- the solution
@pytest.mark.parametrize("tolerance", [1e-3, 1e-6, 1e-9])
def test_closed_solution_is_followed_to_the_tolerance(tolerance):
    solution = gs.dopri5(lambda t, y: SPIRAL @ y, np.array([2.0, 0.0]), (0.0, 5.0), rtol=tolerance, atol=tolerance)
    for t in (0.0, 0.3, 1.7, 4.99, 5.0):
        np.testing.assert_allclose(solution(t), turned(np.array([2.0, 0.0]), t), atol=20 * tolerance)
    for t, y in zip(solution.t, solution.y, strict=True):
        np.testing.assert_allclose(solution(t), y, atol=1e-13)


@pytest.mark.parametrize("span", [(0.0, 5.0), (5.0, 0.0), (-3.0, 1.5), (1.5, -3.0)])
def test_time_runs_in_both_directions(span):
    start = turned(np.array([2.0, 0.0]), span[0])
    solution = gs.dopri5(lambda t, y: SPIRAL @ y, start, span, **FINE)
    assert solution.t[0] == span[0]
    assert solution.t[-1] == span[1]
    for t in np.linspace(*span, 7):
        np.testing.assert_allclose(solution(t), turned(np.array([2.0, 0.0]), t), atol=2e-8)


def test_slope_may_depend_on_time_alone():
    solution = gs.dopri5(lambda t, y: np.array([4 * t**3, 2 * t]), np.array([1.0, -1.0]), (0.0, 3.0), **FINE)
    np.testing.assert_allclose(solution.y[-1], [82.0, 8.0], rtol=1e-12)


def test_rejected_steps_leave_no_mark():
    calls = []

    def bump(t, y):
        calls.append(t)
        return y * (4 * np.pi**-0.5 * np.exp(-((t - 5) ** 2)))

    solution = gs.dopri5(bump, np.array([1.0]), (0.0, 10.0), rtol=1e-9, atol=1e-9)
    assert len(calls) > 2 + 6 * len(solution.steps)
    np.testing.assert_allclose(solution.y[-1], np.exp(4), rtol=1e-7)
    for step in solution.steps:
        np.testing.assert_array_equal(step.slopes[0], bump(step.t, step.y))
        np.testing.assert_array_equal(step.slopes[6], bump(step.t + step.h, step.new))


def test_first_step_is_an_upper_bound():
    decay = lambda t, y: -y
    free = gs.dopri5(decay, np.array([1.0]), (0.0, 1.0)).t[1]
    assert gs.dopri5(decay, np.array([1.0]), (0.0, 1.0), first_step=free / 3).t[1] == pytest.approx(free / 3)
    assert gs.dopri5(decay, np.array([1.0]), (0.0, 1.0), first_step=10 * free).t[1] == free


def test_tolerance_does_not_depend_on_how_often_a_state_is_repeated():
    f = lambda t, y: np.stack([y[1], -np.sin(y[0])])
    one = gs.dopri5(f, np.array([1.0, 0.0]), (0.0, 4.0))
    many = gs.dopri5(f, np.repeat([[1.0], [0.0]], 7, axis=1), (0.0, 4.0))
    np.testing.assert_allclose(one.t, many.t, rtol=1e-12)


# ---------------------------------------------------------------------------------------------------------- the outputs
def test_two_times_give_the_last_state_and_more_give_all_but_the_first():
    _, y0, params = problem()
    last = gs.odeint(network, y0, (0.0, 2.0), params, **FINE)
    assert last.shape == (4, 3)
    times = np.array([0.0, 0.1, 0.15, 1.3, 2.0])
    Y = gs.odeint(network, y0, times, params, **FINE)
    assert Y.shape == (4, 4, 3)
    np.testing.assert_array_equal(Y[-1], last)
    for t, y in zip(times[1:], Y, strict=True):
        np.testing.assert_allclose(y, gs.odeint(network, y0, (0.0, t), params, **FINE), atol=1e-8)


def test_outputs_do_not_change_the_steps():
    calls = []
    f = lambda t, y: calls.append(t) or -y
    gs.odeint(f, np.array([1.0]), (0.0, 2.0))
    alone = list(calls)
    calls.clear()
    gs.odeint(f, np.array([1.0]), np.linspace(0, 2, 50))
    assert calls == alone


def test_there_and_back_again():
    _, y0, params = problem()
    there = gs.odeint(network, y0, (0.5, 2.0), params, **FINE)
    np.testing.assert_allclose(gs.odeint(network, there, (2.0, 0.5), params, **FINE), y0, atol=1e-8)


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_float32_stays_float32_and_whole_numbers_become_float64(gradient):
    _, y0, params = problem()
    y0, params = y0.astype(np.float32), gs.tree_map(lambda p: p.astype(np.float32), params)
    loss = lambda y0, params: np.sum(gs.odeint(network, y0, (0.0, 1.0, 2.0), params, gradient=gradient))
    value, grads = gs.value_and_grad(loss, argnums=(0, 1))(y0, params)
    assert {a.dtype for a in [value, *gs.tree_leaves(grads)]} == {np.dtype(np.float32)}
    assert gs.odeint(lambda t, y: y, np.array([1, 2, 3]), (0.0, 1.0), gradient=gradient).dtype == np.float64


def test_state_may_be_a_number_or_an_empty_batch():
    np.testing.assert_allclose(gs.odeint(lambda t, y: -y, 1.0, (0.0, 1.0), **FINE), np.exp(-1), rtol=1e-9)
    assert gs.odeint(lambda t, y: -y, np.zeros((0, 3)), (0.0, 1.0, 2.0)).shape == (2, 0, 3)


# ---------------------------------------------------------------------------------------------------------- gradients
@pytest.mark.parametrize("gradient", GRADIENTS)
@pytest.mark.parametrize("times", [(0.0, 1.7), (0.0, 0.3, 1.0, 1.7), (1.7, 1.0, 0.2)], ids=len)
def test_gradients_are_those_of_central_differences(gradient, times):
    rng, y0, params = problem(1)
    g = rng.normal(size=gs.odeint(network, y0, times, params).shape)
    run = lambda y0, params: gs.odeint(network, y0, times, params, **FINE, gradient=gradient)
    dy0, dparams = gs.vjp(run, y0, params)[1](g)
    direction = rng.normal(size=y0.shape), gs.tree_map(lambda p: rng.normal(size=p.shape), params)
    h = 1e-4
    ahead = gs.tree_map(lambda p, d: p + h * d, (y0, params), direction)
    behind = gs.tree_map(lambda p, d: p - h * d, (y0, params), direction)
    numeric = np.sum(g * (run(*ahead) - run(*behind))) / (2 * h)
    analytic = sum(
        np.sum(d * v) for d, v in zip(gs.tree_leaves((dy0, dparams)), gs.tree_leaves(direction), strict=True)
    )
    np.testing.assert_allclose(analytic, numeric, rtol=3e-7)


def test_direct_and_adjoint_gradients_agree_to_the_tolerance():
    rng, y0, params = problem(2)
    times = (0.0, 0.4, 1.0, 3.0)
    g = rng.normal(size=(3, 4, 3))
    found = {}
    for gradient in GRADIENTS:
        run = lambda y0, params, gradient=gradient: gs.odeint(network, y0, times, params, **FINE, gradient=gradient)
        found[gradient] = gs.ravel(gs.vjp(run, y0, params)[1](g))[0]
    for gradient in GRADIENTS[1:]:
        np.testing.assert_allclose(found[gradient], found["direct"], rtol=1e-6, atol=1e-7)


def test_gradient_of_a_linear_ode_is_the_transposed_closed_solution():
    y0, g = np.array([2.0, 0.5]), np.array([1.0, -3.0])
    for gradient in GRADIENTS:
        run = lambda y0, gradient=gradient: gs.odeint(
            lambda t, y, A: A @ y, y0, (0.0, 2.0), SPIRAL, **FINE, gradient=gradient
        )
        expected = turned(np.eye(2), 2.0).T @ g
        np.testing.assert_allclose(gs.vjp(run, y0)[1](g)[0], expected, rtol=1e-7)


@pytest.mark.parametrize("times", [(0.0, 1.0), (1.0, 0.4, 0.0)], ids=str)
@pytest.mark.parametrize("gradient", GRADIENTS)
def test_second_derivatives_are_those_of_central_differences(gradient, times):
    rng, y0, params = problem(3)
    g = rng.normal(size=(len(times) - 1, *y0.shape))
    g = g[0] if len(times) == 2 else g
    solver = {"rtol": 1e-8, "atol": 1e-8, "gradient": gradient}
    run = lambda at: np.sum(g * np.tanh(gs.odeint(network, at["y0"], times, at["params"], **solver)))
    at = {"y0": y0, "params": params}
    v = gs.tree_map(lambda p: rng.normal(size=p.shape), at)
    product = gs.hessian_vector_product(run, at, v)
    h = 1e-4
    above = gs.grad(run)(gs.tree_map(lambda p, d: p + h * d, at, v))
    below = gs.grad(run)(gs.tree_map(lambda p, d: p - h * d, at, v))
    numeric = gs.tree_map(lambda a, b: (a - b) / (2 * h), above, below)
    np.testing.assert_allclose(gs.ravel(product)[0], gs.ravel(numeric)[0], rtol=1e-4, atol=1e-4)


def test_adjoint_gradient_keeps_no_steps():
    _, y0, params = problem()
    made = []

    def counted(t, y, params):
        made.append(isinstance(y, gs.autodiff.Traced))
        return network(t, y, params)

    loss = lambda params: np.sum(gs.odeint(counted, y0, (0.0, 1.0), params, gradient="adjoint"))
    _, pullback = gs.vjp(loss, params)
    assert not any(made)  # the way there is run on plain arrays
    pullback(np.ones(()))
    assert any(made)


def test_solution_can_be_differentiated_between_its_steps():
    rate = np.array(0.7)
    at = lambda rate: np.sum(gs.dopri5(lambda t, y: -rate * y, np.array([2.0]), (0.0, 3.0), **FINE)(1.3))
    np.testing.assert_allclose(gs.grad(at)(rate), -2.6 * np.exp(-0.7 * 1.3), rtol=1e-7)


# --------------------------------------------------------------------------------------------------------- what is said
def test_what_adjoint_cannot_see_is_refused():
    _, y0, params = problem()
    loss = lambda p: np.sum(gs.odeint(lambda t, y: network(t, y, p), y0, (0.0, 1.0), gradient="adjoint"))
    with pytest.raises(TypeError, match="not among its params; hand it over in params"):
        gs.grad(loss)(params)


@pytest.mark.parametrize("times", [(0.0,), (0.0, 0.0), (0.0, 1.0, 0.5), (0.0, np.nan), ()])
def test_times_that_do_not_run_one_way_are_refused(times):
    with pytest.raises(ValueError, match="expected two or more times that rise or fall"):
        gs.odeint(lambda t, y: y, np.ones(3), times)


def test_other_mistakes_are_named():
    decay = lambda t, y: -y
    with pytest.raises(ValueError, match='expected gradient "direct", "adjoint" or "adjoint-seminorm", got \'back\''):
        gs.odeint(decay, np.ones(3), (0.0, 1.0), gradient="back")
    with pytest.raises(ValueError, match=r"a slope of y's shape \(3,\), got \(1, 3\)"):
        gs.odeint(lambda t, y: y[None], np.ones(3), (0.0, 1.0))
    with pytest.raises(TypeError, match="to return an array, got a list"):
        gs.odeint(lambda t, y: [y[1], y[0]], np.ones(2), (0.0, 1.0))
    for solve in (gs.odeint, gs.dopri5):
        with pytest.raises(ValueError, match=rf"{solve.__name__}: expected rtol >= 0, got -1"):
            solve(decay, np.ones(3), (0.0, 1.0), rtol=-1)
        with pytest.raises(ValueError, match=rf"{solve.__name__}: expected rtol or atol > 0, got 0 for both"):
            solve(decay, np.ones(3), (0.0, 1.0), rtol=0, atol=0)
    with pytest.raises(ValueError, match="expected two different times, got 1 and 1"):
        gs.dopri5(decay, np.ones(3), (1.0, 1.0))
    with pytest.raises(ValueError, match=r"solved from 0 to 1, asked for t = 1\.5"):
        gs.dopri5(decay, np.ones(3), (0.0, 1.0))(1.5)
    with pytest.raises(RuntimeError, match=r"5 steps led from the start to t = .* only, not to 1000"):
        gs.dopri5(decay, np.ones(3), (0.0, 1000.0), max_steps=5)


def test_pole_ends_the_solution_with_its_time():
    with (
        np.errstate(over="ignore", invalid="ignore"),
        pytest.raises(FloatingPointError, match=r"at t = (0\.99\d+|1) no step"),
    ):
        gs.dopri5(lambda t, y: y * y, np.array([1.0]), (0.0, 2.0))


@pytest.mark.parametrize("module", [DOPRI5, ODE], ids=lambda m: m.__name__)
def test_examples_in_the_modules_are_true(module):
    assert doctest.testmod(module).failed == 0
