"""Property: L-BFGS has the direction of full BFGS, steps that satisfy the conditions of their line search, and finds
the minima that theory and SciPy promise, in as few steps."""

import doctest
import pickle
import sys

import numpy as np
import pytest

import gradschool as gs
from gradschool.lbfgs import LBFGS, lbfgs, line_search, two_loop

module = sys.modules["gradschool.lbfgs"]  # gs.lbfgs is the function
METHODS = ("backtracking", "weak-wolfe", "strong-wolfe")


def spd(rng, n):
    Q, _ = np.linalg.qr(rng.normal(size=(n, n)))
    return Q @ np.diag(rng.uniform(0.5, 30, n)) @ Q.T


def rosenbrock(params):
    x = params["x"]
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def run(opt, f, params, steps):
    state, states = opt.init(params), []
    for _ in range(steps):
        params, state = opt.update(f, params, state)
        states.append(state)
    return params, states


def test_two_loops_are_the_product_with_the_full_bfgs_matrix():
    rng = np.random.default_rng(0)
    A, pairs, H = spd(rng, 7), [], 0.3 * np.eye(7)
    for _ in range(4):
        s = rng.normal(size=7)
        pairs.append((s, A @ s))
        rho, eye = 1 / (s @ A @ s), np.eye(7)
        H = (eye - rho * np.outer(s, A @ s)) @ H @ (eye - rho * np.outer(A @ s, s)) + rho * np.outer(s, s)
    g = rng.normal(size=7)
    np.testing.assert_allclose(two_loop(g, pairs, 0.3), H @ g, rtol=1e-10)


@pytest.mark.parametrize("n", [1, 3, 8])
def test_a_quadratic_of_n_dimensions_takes_at_most_n_plus_1_steps_with_exact_line_search(n, monkeypatch):
    rng = np.random.default_rng(n)
    A, b = spd(rng, n), rng.normal(size=n)

    def exact(line, loss, slope, *options):
        t = -slope / (line(1.0)[1] - slope)  # the slope of a parabola is a straight line
        line(t)
        return t

    monkeypatch.setattr(module, "line_search", exact)
    f = lambda p: (p["x"] @ A @ p["x"] / 2 - b @ p["x"], {"x": A @ p["x"] - b})
    params, state = {"x": rng.normal(size=n)}, lbfgs(history=n + 1).init(None)
    first = np.linalg.norm(f(params)[1]["x"])
    for _ in range(n + 1):
        params, state = lbfgs(history=n + 1).update(f, params, state)
        if state["gradients_norm"] < 1e-10 * first:
            break
    assert state["gradients_norm"] < 1e-8 * first
    np.testing.assert_allclose(params["x"], np.linalg.solve(A, b), rtol=1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_rosenbrock_takes_fewer_than_60_steps(method):
    params, states = run(lbfgs(line_search=method), gs.value_and_grad(rosenbrock), {"x": np.array([-1.2, 1.0])}, 59)
    np.testing.assert_allclose(params["x"], [1, 1], atol=1e-7)
    assert states[-1]["loss"] < 1e-14


@pytest.mark.parametrize("method", METHODS)
def test_rosenbrock_in_ten_dimensions_takes_about_as_many_steps_as_scipy(method):
    optimize = pytest.importorskip("scipy.optimize")
    start, f = np.tile([-1.2, 1.0], 5), gs.value_and_grad(rosenbrock)
    theirs = optimize.minimize(
        lambda x: (float(f({"x": x})[0]), f({"x": x})[1]["x"]),
        start,
        jac=True,
        method="L-BFGS-B",
        options={"maxcor": 10, "gtol": 1e-8, "ftol": 0},
    )
    params, states = run(lbfgs(line_search=method), f, {"x": start}, int(1.5 * theirs.nit))
    np.testing.assert_allclose(params["x"], theirs.x, atol=1e-7)
    assert states[-1]["loss"] == pytest.approx(theirs.fun, abs=1e-13)


@pytest.mark.parametrize("method", METHODS)
def test_a_step_satisfies_the_conditions_of_its_line_search(method):
    f, params, c1, c2 = gs.value_and_grad(rosenbrock), {"x": np.array([-1.2, 1.0, 0.5])}, 0.01, 0.4
    opt = lbfgs(line_search=method, c1=c1, c2=c2, max_line_search=40)
    state = opt.init(params)
    for _ in range(15):
        before, g = f(params)
        new, state = opt.update(f, params, state)
        after, h = f(new)
        step = new["x"] - params["x"]
        slope, steep = g["x"] @ step, h["x"] @ step
        assert state["status"] == "completed"
        assert after <= before + c1 * slope * (1 - 1e-9)
        assert method == "backtracking" or steep >= c2 * slope * (1 + 1e-9)
        assert method != "strong-wolfe" or abs(steep) <= -c2 * slope * (1 + 1e-9)
        params = new


def test_state_tells_loss_gradient_norm_step_norm_and_status():
    f, start = gs.value_and_grad(rosenbrock), {"x": np.array([-1.2, 1.0, 0.5])}
    params, states = run(lbfgs(history=3), f, start, 6)
    previous, _ = run(lbfgs(history=3), f, start, 5)
    loss, grads = f(params)
    assert states[-1]["loss"] == pytest.approx(float(loss), rel=1e-12)
    assert states[-1]["gradients_norm"] == pytest.approx(np.linalg.norm(grads["x"]), rel=1e-10)
    assert states[-1]["step_norm"] == pytest.approx(np.linalg.norm(params["x"] - previous["x"]), rel=1e-10)
    assert states[-1]["status"] == "completed"
    assert len(states[-1]["pairs"]) == 3


def test_at_a_minimum_nothing_moves():
    params = {"x": np.ones(3)}
    new, state = lbfgs().update(gs.value_and_grad(rosenbrock), params, lbfgs().init(params))
    np.testing.assert_array_equal(new["x"], 1)
    assert state["status"] == "converged"
    assert state["step_norm"] == state["gradients_norm"] == 0


def test_a_failed_line_search_moves_nothing_and_forgets_the_history():
    uphill = lambda p: (np.sum(p["x"] ** 2), {"x": -p["x"]})  # a wrong gradient
    params = {"x": np.ones(3)}
    opt = lbfgs(max_line_search=5)
    new, state = opt.update(uphill, params, {**opt.init(params), "pairs": [(np.ones(3), np.ones(3))]})
    np.testing.assert_array_equal(new["x"], params["x"])
    assert (state["status"], state["pairs"], state["loss"]) == ("failed", [], 3.0)


def test_a_pair_without_upward_curvature_is_left_out():
    f = lambda p: (-np.sum(p["x"] ** 2), {"x": -2 * p["x"]})
    params = {"x": np.ones(3)}
    _, state = lbfgs(line_search="backtracking").update(f, params, lbfgs().init(params))
    assert state["status"] == "completed"
    assert state["pairs"] == []


def test_where_nothing_can_be_learned_the_oldest_pair_goes():
    """Else a history that is never renewed steers for ever, by steps so short that they never leave the place."""
    f = lambda p: (-np.sum(p["x"] ** 2), {"x": -2 * p["x"]})
    params, opt = {"x": np.ones(3)}, lbfgs(line_search="backtracking")
    old, new = (np.array([1.0, 0, 0]), np.array([2.0, 0, 0])), (np.array([0, 1.0, 0]), np.array([0, 2.0, 0]))
    _, state = opt.update(f, params, {**opt.init(params), "pairs": [old, new]})
    assert [s.tolist() for s, _ in state["pairs"]] == [[0, 1, 0]]


def test_line_search_shortens_a_step_into_nan():
    well = lambda t: (np.nan, np.nan) if t > 0.3 else ((t - 0.2) ** 2, 2 * (t - 0.2))
    for method in METHODS:
        assert 0 < line_search(well, 0.04, -0.4, method, 20, 1e-4, 0.9) <= 0.3


def test_line_search_lengthens_a_step_that_is_too_short_unless_it_only_backtracks():
    valley = lambda t: ((t - 50) ** 2, 2 * (t - 50))
    assert line_search(valley, 2500, -100, "backtracking", 20, 1e-4, 0.1) == 1
    for method in ("weak-wolfe", "strong-wolfe"):
        assert abs(line_search(valley, 2500, -100, method, 20, 1e-4, 0.1) - 50) <= 50


@pytest.mark.parametrize("method", METHODS)
def test_finds_the_final_loss_of_scipy_on_a_logistic_regression(method):
    optimize = pytest.importorskip("scipy.optimize")
    rng = np.random.default_rng(1)
    X, t = rng.normal(size=(60, 4)) * [1, 3, 0.2, 1], rng.integers(0, 2, (60, 1))
    params = {"b": np.zeros(1), "W": np.zeros((4, 1))}

    @gs.value_and_grad
    def f(p):
        return gs.bce_with_logits(X @ p["W"] + p["b"], t) + gs.l2_penalty(p, 0.01)

    flat, unravel = gs.ravel(params)
    theirs = optimize.minimize(
        lambda x: (float(f(unravel(x))[0]), gs.ravel(f(unravel(x))[1])[0]),
        flat,
        jac=True,
        method="L-BFGS-B",
        options={"gtol": 1e-12, "ftol": 1e-15},
    )
    _, states = run(lbfgs(line_search=method), f, params, 30)
    assert states[-1]["loss"] == pytest.approx(theirs.fun, rel=1e-10)


def test_gradients_are_matched_by_name_and_arguments_stay_as_they_are():
    A = np.array([1.0, 4.0, 9.0])
    f = lambda p: (np.sum(A * p["a"] ** 2) + np.sum((p["c"] - 1) ** 2), {"c": 2 * (p["c"] - 1), "a": 2 * A * p["a"]})
    params = {"a": np.ones(3), "c": np.full((2, 3), 5.0)}
    opt = lbfgs()
    state = opt.init(params)
    opt.update(f, params, state)
    np.testing.assert_array_equal(params["a"], 1)
    assert state == opt.init(params) or state["pairs"] == []
    new, _ = run(opt, f, params, 20)
    np.testing.assert_allclose(new["a"], 0, atol=1e-8)
    np.testing.assert_allclose(new["c"], 1, atol=1e-8)


def test_float32_stays_float32():
    f = gs.value_and_grad(rosenbrock)
    params, states = run(lbfgs(), f, {"x": np.array([-1.2, 1.0], np.float32)}, 3)
    assert params["x"].dtype == states[-1]["pairs"][-1][0].dtype == np.float32


def test_options_and_state_pickle():
    opt = lbfgs(history=4)
    assert isinstance(opt, LBFGS)
    assert pickle.loads(pickle.dumps(opt)) == opt
    pickle.dumps(run(opt, gs.value_and_grad(rosenbrock), {"x": np.zeros(3)}, 2)[1])


@pytest.mark.parametrize(
    ("options", "says"),
    [({"history": 0}, "history >= 1"), ({"c1": 0.95}, "c1 < c2"), ({"line_search": "wolfe"}, "strong-wolfe")],
)
def test_an_option_out_of_range_is_named(options, says):
    with pytest.raises(ValueError, match=says):
        lbfgs(**options)


def test_a_loss_that_starts_as_nan_is_refused():
    with pytest.raises(ValueError, match="the loss is nan before the step"):
        lbfgs().update(lambda p: (np.nan, p), {"x": np.ones(3)}, lbfgs().init(None))


def test_examples_in_docstrings():
    assert doctest.testmod(module).failed == 0
