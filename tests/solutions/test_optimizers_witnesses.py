"""Property: on one small problem every optimizer, and every form of it that the library has not chosen, leads where the
recorded figures say, to their last digit.

The problem is f(x) = (x₁² + 10 x₂²) / 2 from (1, -1). The figures were computed with NumPy, Keras 3.15 and optax 0.2.8.
"""

import numpy as np
import pytest

import gradschool as gs


def after(rule, steps, slots, x=(1.0, -1.0)):
    """x after 1, 2 and 5 steps down f(x) = (x₁² + 10 x₂²) / 2, by a rule (x, g, slots, t) -> (x, slots)."""
    x, seen = np.array(x), {}
    for t in range(1, 6):
        x, slots = rule(x, x * [1.0, 10.0], slots, t)
        seen[t] = x
    return [seen[t] for t in steps]


def after_step(name, steps, **hyper):
    state = gs.init_state(name, {"x": np.zeros(2)})

    def rule(x, g, state, t):
        params, state = getattr(gs, name)({"x": x}, {"x": g}, state, **hyper)
        return params["x"], state

    return after(rule, steps, state)


MOMENTUM = [(0.95, -0.5), (0.8575, 0.2), (0.417156, 0.5218)]
WITNESSES = [
    ("momentum", {"lr": 0.05, "beta": 0.9}, (1, 2, 5), MOMENTUM),
    ("nesterov", {"lr": 0.05, "beta": 0.9}, (1, 2, 5), [(0.905, -0.05), (0.778525, 0.4025), (0.315942, 0.011137)]),
    ("adam", {"lr": 0.1, "eps": 0.1}, (1, 5), [(0.909091, -0.900990), (0.555613, -0.513227)]),
    ("adam", {"lr": 0.1, "eps": 0.1, "eps_hat": True}, (1, 5), [(0.975975, -0.924025), (0.833479, -0.593662)]),
    ("nadam", {"lr": 0.1}, (1, 2, 5), [(0.894355,) * 2, (0.819973,) * 2, (0.623663,) * 2]),
    ("nadam", {"lr": 0.1, "momentum_decay": 1.0}, (1, 2, 5), [(0.893721,) * 2, (0.820245,) * 2, (0.629753,) * 2]),
    ("nadam", {"lr": 0.1, "momentum_decay": None}, (1, 2, 5), [(0.852632,) * 2, (0.741697,) * 2, (0.452904,) * 2]),
]


@pytest.mark.parametrize(("name", "hyper", "steps", "expected"), WITNESSES)
def test_steps_match_the_witnesses_to_their_last_digit(name, hyper, steps, expected):
    sign = np.array([1.0, -1.0]) if name == "nadam" else 1.0  # Nadam's x₂ mirrors its x₁
    np.testing.assert_allclose(np.array(after_step(name, steps, **hyper)) * sign, expected, rtol=0, atol=5.1e-7)


def test_true_nag_matches_its_witness():
    def rule(x, _, state, t):
        params, state = gs.nag_step(lambda p: {"x": p["x"] * [1.0, 10.0]}, {"x": x}, state, lr=0.05, beta=0.9)
        return params["x"], state

    expected = [(0.95, -0.5), (0.85975, -0.025), (0.450444, 0.101753)]
    found = after(rule, (1, 2, 5), gs.init_state("nag_step", {"x": np.zeros(2)}))
    np.testing.assert_allclose(found, expected, rtol=0, atol=5.1e-7)


def damped(x, g, v, t):
    v = g if t == 1 else 0.9 * v + (1 - 0.9) * g
    return x - 0.05 * v, v


def learngdm(x, g, v, t):
    v = 0.9 * v + 0.1 * g
    return x - 0.05 * v, v


def torch_momentum(x, g, v, t):
    v = 0.9 * v + g
    return x - 0.05 * v, v


def averages(g, slots, b1=0.9):
    return b1 * slots[0] + (1 - b1) * g, 0.999 * slots[1] + (1 - 0.999) * g * g


def eps_inside(x, g, slots, t):
    m, v = averages(g, slots)
    return x - 0.1 * m / (1 - 0.9**t) / np.sqrt(v / (1 - 0.999**t) + 0.1), (m, v)


def uncorrected(x, g, slots, t):
    m, v = averages(g, slots)
    return x - 0.1 * m / (np.sqrt(v) + 0.1), (m, v)


def ruder(x, g, slots, t):
    m, v = averages(g, slots)
    lead = 0.9 * m / (1 - 0.9**t) + 0.1 * g / (1 - 0.9**t)
    return x - 0.1 * lead / (np.sqrt(v / (1 - 0.999**t)) + 1e-8), (m, v)


def dozat(x, g, slots, t):
    mu, mu_next = (0.9 * (1 - 0.5 * 0.96 ** (0.004 * k)) for k in (t, t + 1))
    m, v = averages(g, slots, mu)
    product = slots[2] * mu
    lead = mu_next * m / (1 - product * mu_next) + (1 - mu) * g / (1 - product)
    return x - 0.1 * lead / (np.sqrt(v / (1 - 0.999**t)) + 1e-8), (m, v, product)


VARIANTS = [  # other forms, which the steps are not, and where these lead
    (torch_momentum, 0.0, (1, 2, 5), MOMENTUM),
    (damped, 0.0, (1, 2, 5), [(0.95, -0.5), (0.90025, -0.025), (0.754615, 1.060084)]),
    (learngdm, 0.0, (1, 2, 5), [(0.995, -0.95), (0.985525, -0.8575), (0.935051, -0.417156)]),
    (eps_inside, (0.0, 0.0), (1, 5), [(0.904654, -0.900050), (0.534930, -0.508261)]),
    (uncorrected, (0.0, 0.0), (1, 5), [(0.924025, -0.759747), (0.257247, 0.536759)]),
    (ruder, (0.0, 0.0), (1, 2, 5), [(0.81, -0.81), (0.67413, -0.67413), (0.351776, -0.351776)]),
    (dozat, (0.0, 0.0, 1.0), (1, 2, 5), [(0.868956, -0.868956), (0.766629, -0.766629), (0.510894, -0.510894)]),
]


@pytest.mark.parametrize(("rule", "slots", "steps", "expected"), VARIANTS)
def test_the_other_forms_lead_where_the_witnesses_say(rule, slots, steps, expected):
    np.testing.assert_allclose(after(rule, steps, slots), expected, rtol=0, atol=5.1e-7)


def test_adam_with_tiny_eps_cannot_tell_its_three_forms_apart():
    """Which is why exercises use eps 0.1."""
    first = after_step("adam", (1, 5), lr=0.1)
    np.testing.assert_allclose(after_step("adam", (1, 5), lr=0.1, eps_hat=True), first, atol=2e-7)
    assert after(uncorrected, (1,), (0.0, 0.0))[0] != pytest.approx(first[0])


def test_nadams_first_mu_is_that_of_the_two_frameworks():
    params = {"x": np.ones(3)}
    for psi, mu in [(4e-3, 0.4501), (1.0, 0.468)]:
        _, state = gs.nadam(params, params, gs.init_state("nadam", params), momentum_decay=psi)
        assert state["mu_product"] == pytest.approx(mu, abs=5e-5)
