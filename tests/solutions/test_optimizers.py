"""Property: every optimizer does on any tree what it does on its arrays, changes nothing that it was given, and is
known by its name; what must be equal in theory is."""

import doctest
import inspect
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest

import gradschool as gs
from gradschool import optimizers
from gradschool.optimizers import STEPS, adams, chosen, descent, each, rates, registry
from gradschool.optimizers.registry import find_step
from gradschool.trees import tree_leaves, tree_map, tree_paths
from gradschool_grader.standalone import standalone

CHAIN = [name for name in STEPS if name != "nag_step"]  # those that take a gradient rather than a function

# Non-default options for every step; a step that is not here fails `test_every_step_has_options_here`.
OPTIONS = {
    "sgd": [{}],
    "momentum": [{"beta": 0.7}],
    "nesterov": [{"beta": 0.7}],
    "adagrad": [{"eps": 0.1}],
    "rmsprop": [{"rho": 0.8, "eps": 0.1}, {"rho": 0.8, "eps": 0.1, "centered": True, "momentum": 0.6}],
    "adam": [{"b1": 0.7, "b2": 0.9, "eps": 0.1}, {"b1": 0.7, "b2": 0.9, "eps": 0.1, "eps_hat": True}],
    "adamax": [{"b1": 0.7, "b2": 0.9, "eps": 0.1}],
    "adamw": [{"b1": 0.7, "b2": 0.9, "eps": 0.1, "weight_decay": 0.3}],
    "nadam": [{"b1": 0.7, "b2": 0.9, "eps": 0.1, "momentum_decay": psi} for psi in (4e-3, 1.0, None)],
}
CASES = [pytest.param(name, hyper, id=f"{name}{hyper}") for name, cases in OPTIONS.items() for hyper in cases]


def random_tree(rng, dtype=np.float64):
    return {
        "conv": {"W": rng.normal(size=(3, 5)).astype(dtype), "b": rng.normal(size=5).astype(dtype)},
        "layers": [{"g": rng.normal(size=(1, 4, 3)).astype(dtype)}, ({}, rng.normal(size=7).astype(dtype))],
    }


# ------------------------------------------------------------------------------------------------ what must be equal
def test_nesterovs_point_is_where_nag_looks():
    """x_keras = x_nag + β v, at every step, with the same velocity."""
    rng = np.random.default_rng(0)
    A = rng.normal(size=(5, 5)) / 5
    slope = lambda p: {"x": A @ A.T @ np.tanh(p["x"])}
    nag, keras = {"x": rng.normal(size=5)}, None
    nag_state, keras_state = gs.init_state("nag_step", nag), gs.init_state("nesterov", nag)
    keras = nag  # the first velocity is zero
    for _ in range(30):
        nag, nag_state = gs.nag_step(slope, nag, nag_state, lr=0.3, beta=0.8)
        keras, keras_state = gs.nesterov(keras, slope(keras), keras_state, lr=0.3, beta=0.8)
        np.testing.assert_allclose(keras_state["v"]["x"], nag_state["v"]["x"], rtol=1e-10)
        np.testing.assert_allclose(keras["x"], nag["x"] + 0.8 * nag_state["v"]["x"], rtol=1e-10)


def test_eps_hat_is_algorithm_1_with_a_growing_eps():
    rng = np.random.default_rng(1)
    x = y = rng.normal(size=7)
    x_state = y_state = gs.init_state("adam", x)
    for t in range(1, 6):
        g = rng.normal(size=7)
        x, x_state = gs.adam(x, g, x_state, lr=0.1, eps=0.1, eps_hat=True)
        y, y_state = gs.adam(y, g, y_state, lr=0.1, eps=0.1 / np.sqrt(1 - 0.999**t))
        np.testing.assert_allclose(x, y, rtol=1e-12)


def test_constant_nadam_is_adam_with_its_momentum_one_step_ahead():
    """With exact fractions: β m₁ / (1 − β²) + (1 − β) g / (1 − β), where m₁ = (1 − β) g."""
    beta, g = Fraction(9, 10), Fraction(3)
    lead = beta * (1 - beta) * g / (1 - beta**2) + g
    params, _ = gs.nadam(np.zeros(3), np.full(3, 3.0), gs.init_state("nadam", np.zeros(3)), lr=1.0, momentum_decay=None)
    np.testing.assert_allclose(params, -float(lead / g), rtol=1e-7)  # v̂ = g², and eps is 1e-8


def test_adams_first_step_is_lr_against_the_sign():
    g = np.array([-3.0, 1e-3, 40.0])
    params, _ = gs.adam(np.zeros(3), g, gs.init_state("adam", g), lr=0.25, eps=1e-12)
    np.testing.assert_allclose(params, -0.25 * np.sign(g), rtol=1e-8)


def test_adam_without_eps_does_not_see_the_scale_of_the_gradient():
    rng = np.random.default_rng(2)
    grads = rng.normal(size=(6, 5))
    ends = []
    for scale in (1.0, 1e4):
        p, state = np.ones(5), gs.init_state("adam", np.ones(5))
        for g in grads:
            p, state = gs.adam(p, scale * g, state, lr=0.1, eps=0.0)
        ends.append(p)
    np.testing.assert_allclose(*ends, rtol=1e-12)


def test_a_zero_gradient_leaves_adam_unmoved():
    p = np.array([3.0, -1.0, 0.5])
    moved, _ = gs.adam(p, np.zeros(3), gs.init_state("adam", p))
    np.testing.assert_array_equal(moved, p)


def test_weight_decay_is_decoupled_from_the_gradients_scale():
    p, g = np.array([3.0, -1.0, 0.5]), np.array([1e-3, 5.0, -200.0])
    adam, _ = gs.adam(p, g, gs.init_state("adam", p), lr=0.1)
    decayed, state = gs.adamw(p, g, gs.init_state("adamw", p), lr=0.1, weight_decay=0.3)
    np.testing.assert_allclose(adam - decayed, 0.1 * 0.3 * p, rtol=1e-12)
    np.testing.assert_allclose(state["m"], 0.1 * g)  # the averages know nothing of it


def test_weight_decay_by_name_spares_the_biases():
    params = {"W": np.ones((3, 4)), "b": np.ones(4)}
    still = tree_map(np.zeros_like, params)
    new, _ = gs.adamw(params, still, gs.init_state("adamw", params), lr=0.5, weight_decay={"b": 0.0, "W": 0.2})
    np.testing.assert_allclose(new["W"], 0.9)
    np.testing.assert_array_equal(new["b"], 1.0)


def test_centring_divides_by_the_standard_deviation():
    rng = np.random.default_rng(3)
    grads = 5 + rng.normal(size=(4, 3))
    p, state = np.zeros(3), gs.init_state("rmsprop", np.zeros(3))
    for g in grads:
        before, (p, state) = p, gs.rmsprop(p, g, state, lr=0.1, rho=0.8, eps=0.01, centered=True)
    weights = 0.2 * 0.8 ** np.arange(4)[::-1, None]
    variance = (weights * grads**2).sum(0) - ((weights * grads).sum(0)) ** 2
    np.testing.assert_allclose(before - p, 0.1 * grads[-1] / (np.sqrt(variance) + 0.01), rtol=1e-10)


def test_centring_survives_a_constant_gradient():
    """There s − a² is zero, and rounding may take it below."""
    p, g, state = np.ones(5), np.array([0.1, 1 / 3, 7.7, -1e-3, 1e5]), gs.init_state("rmsprop", np.ones(5))
    for _ in range(400):
        p, state = gs.rmsprop(p, g, state, centered=True)
        assert np.isfinite(p).all()


# --------------------------------------------------------------------------------------- trees, purity, types, swapping
def test_every_step_has_options_here():
    missing = set(CHAIN) - set(OPTIONS)
    assert not missing, (
        f"{missing}: 1. add non-default options to OPTIONS; 2. its paper's formula to test_optimizers_published.py; "
        "3. a partner to tests/oracles/test_optimizers.py"
    )


@pytest.mark.parametrize(("name", "hyper"), CASES)
def test_a_tree_moves_as_each_of_its_arrays_would_alone(name, hyper):
    rng = np.random.default_rng(4)
    params = random_tree(rng)
    step, alone = getattr(gs, name), tree_leaves(params)
    state, states = gs.init_state(name, params), [gs.init_state(name, p) for p in alone]
    for _ in range(4):
        grads = random_tree(rng)
        params, state = step(params, grads, state, lr=0.1, **hyper)
        pairs = [step(p, g, s, lr=0.1, **hyper) for p, g, s in zip(alone, tree_leaves(grads), states, strict=True)]
        alone, states = [p for p, _ in pairs], [s for _, s in pairs]
    for whole, single in zip(tree_leaves(params), alone, strict=True):
        np.testing.assert_array_equal(whole, single)


@pytest.mark.parametrize(("name", "hyper"), CASES)
def test_steps_neither_change_nor_share_what_they_are_given(name, hyper):
    rng = np.random.default_rng(5)
    given = (params, grads, state) = random_tree(rng), random_tree(rng), gs.init_state(name, random_tree(rng))
    before = pickle.dumps(given)
    returned = getattr(gs, name)(params, grads, state, **hyper)
    assert pickle.dumps(given) == before
    for old in tree_leaves(given):
        for new in tree_leaves(returned):
            assert not np.may_share_memory(old, new)
    assert returned[1].keys() == state.keys()


@pytest.mark.parametrize(("name", "hyper"), CASES)
def test_float32_stays_float32_also_with_numpys_own_numbers_as_rates(name, hyper):
    rng = np.random.default_rng(6)
    params, grads = random_tree(rng, np.float32), random_tree(rng, np.float32)
    opt = gs.optimizer(name, **hyper)
    state = opt.init(params)
    for _ in range(3):
        params, state = opt.update(params, grads, state, np.float64(0.1))
    dtypes = {leaf.dtype for leaf in tree_leaves((params, state)) if isinstance(leaf, np.ndarray)}
    assert dtypes == {np.dtype(np.float32)}


@pytest.mark.parametrize(("name", "hyper"), CASES)
def test_a_gradient_of_none_leaves_parameters_and_their_state_alone(name, hyper):
    params = {"norm": {"scale": np.ones(3), "mean": np.full(3, 7.0)}, "frozen": [np.ones(5)]}
    grads = {"norm": {"scale": np.ones(3), "mean": None}, "frozen": None}
    state = gs.init_state(name, params)
    new, state = getattr(gs, name)(params, grads, state, **hyper)
    np.testing.assert_array_equal(new["norm"]["mean"], 7.0)
    np.testing.assert_array_equal(new["frozen"][0], 1.0)
    assert (new["norm"]["scale"] < 1).all()
    assert not np.may_share_memory(new["frozen"][0], params["frozen"][0])
    assert new.keys() == params.keys()


@pytest.mark.parametrize("name", CHAIN)
def test_a_replacement_is_what_runs(name):
    seen = []

    def mine(params, grads, state, lr, **hyper):
        seen.append((lr, hyper))
        return getattr(optimizers, name).__wrapped__(params, grads, state, lr, **hyper)

    p = {"x": np.ones(3)}
    opt = gs.optimizer(name, **OPTIONS[name][0])
    expected, _ = opt.update(p, p, opt.init(p), 0.25)
    with gs.using(**{name: mine}):
        found, _ = opt.update(p, p, opt.init(p), 0.25)
        getattr(gs, name)(p, p, opt.init(p), lr=0.5)
    assert seen == [(0.25, OPTIONS[name][0]), (0.5, {})]
    np.testing.assert_array_equal(found["x"], expected["x"])


def test_nag_can_be_replaced_too():
    with gs.using(nag_step=lambda grad_fn, params, state, lr: ("mine", grad_fn(params), lr)):
        assert gs.nag_step(lambda p: 2 * p, 4, {}, lr=0.5) == ("mine", 8, 0.5)


@pytest.mark.parametrize(("name", "hyper"), CASES)
def test_optimizers_pickle(name, hyper):
    opt = pickle.loads(pickle.dumps(gs.optimizer(name, **hyper)))
    p = {"x": np.array([1.0, -2.0, 3.0])}
    found, _ = opt.update(p, p, opt.init(p), 0.1)
    expected, _ = getattr(gs, name)(p, p, gs.init_state(name, p), lr=0.1, **hyper)
    np.testing.assert_array_equal(found["x"], expected["x"])


def test_the_rate_given_to_update_wins_over_that_of_the_optimizer_and_that_over_the_default():
    p, opt = np.ones(3), gs.optimizer("sgd", lr=0.5)
    assert opt.update(p, p, {})[0] == pytest.approx([0.5] * 3)
    assert opt.update(p, p, {}, 0.25)[0] == pytest.approx([0.75] * 3)
    assert gs.optimizer("sgd").update(p, p, {})[0] == pytest.approx([0.99] * 3)


@pytest.mark.parametrize("name", list(STEPS))
def test_the_docstring_names_every_key_of_the_state_and_the_source(name):
    text = inspect.getdoc(find_step(name).function) or ""
    assert "state:" in text
    assert "Source:" in text
    assert ">>>" in text
    for key in find_step(name).start:
        assert f'"{key}":' in text


@pytest.mark.parametrize(("name", "hyper"), CASES)
def test_steps_can_be_differentiated_through(name, hyper):
    """The slope of the loss after two steps, by the point at which they began (learning to begin well)."""
    loss = lambda p: (np.tanh(p["x"] - 0.3) * np.arange(1, 6)).sum()
    step, start, h = getattr(gs, name), np.random.default_rng(12).normal(size=5), 1e-5

    def after_two_steps(x):
        params, state = {"x": x}, gs.init_state(name, {"x": start})
        for _ in range(2):
            params, state = step(params, gs.grad(loss)(params), state, lr=0.1, **hyper)
        return loss(params)

    expected = [(after_two_steps(start + e) - after_two_steps(start - e)) / (2 * h) for e in h * np.eye(5)]
    np.testing.assert_allclose(gs.grad(after_two_steps)(start), expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", list(STEPS))
def test_the_source_shown_as_the_solution_runs_with_numpy_alone(name):
    rng = np.random.default_rng(13)
    params, grads, hyper = random_tree(rng), random_tree(rng), OPTIONS.get(name, [{"beta": 0.7}])[0]
    namespace = {"np": np}
    exec(standalone(getattr(gs, name)), namespace)
    first = grads if name != "nag_step" else (lambda p: grads)
    order = (first, params) if name == "nag_step" else (params, first)
    state = gs.init_state(name, params)
    for found, expected in zip(
        tree_leaves(namespace[name](*order, state, **hyper)),
        tree_leaves(getattr(gs, name)(*order, state, **hyper)),
        strict=True,
    ):
        np.testing.assert_array_equal(found, expected)


# ------------------------------------------------------------------------------------------- update_each, rate factors
def test_update_each_matches_by_name_at_any_depth():
    rng = np.random.default_rng(7)
    params, grads = random_tree(rng), random_tree(rng)
    shuffled = {"layers": grads["layers"], "conv": {"b": grads["conv"]["b"], "W": grads["conv"]["W"]}}
    found = gs.update_each(lambda p, g: p - 0.1 * g, params, shuffled)
    expected = tree_map(lambda p, g: p - 0.1 * g, params, grads)
    assert tree_paths(found) == tree_paths(params)
    for a, b in zip(tree_leaves(found), tree_leaves(expected), strict=True):
        np.testing.assert_array_equal(a, b)


def test_update_each_returns_as_many_trees_as_there_are_slots():
    params, grads, v = {"a": [np.ones(3)], "e": {}}, {"a": [np.full(3, 2.0)], "e": {}}, {"a": [np.zeros(3)], "e": {}}
    p, new_v, count = gs.update_each(lambda p, g, v, n: (p - g, v + g, n + 1), params, grads, v, {"a": [4], "e": {}})
    assert (p["a"][0].tolist(), new_v["a"][0].tolist(), count) == ([-1.0] * 3, [2.0] * 3, {"a": [5], "e": {}})
    assert p["e"] == new_v["e"] == {}


FORGETFUL = {"the slot": lambda p, g, v: p - g, "one of three": lambda p, g, v: (p, v, v)}


@pytest.mark.parametrize("rule", FORGETFUL.values(), ids=FORGETFUL)
def test_update_each_does_not_take_an_array_apart_where_a_rule_forgets_its_slot(rule):
    params = {"W": np.ones((2, 3))}
    with pytest.raises(TypeError, match=r"a rule of 1 slots to return \(p, \*slots\), 2 in all, got (3|ndarray)"):
        gs.update_each(rule, params, params, params)


def test_update_each_names_what_differs():
    with pytest.raises(ValueError, match=r"one tree has \['W'\] where another has \['w'\]"):
        gs.update_each(lambda p, g: p, {"layer": {"W": 1.0}}, {"layer": {"w": 1.0}})


@pytest.mark.parametrize(("name", "hyper"), CASES)
def test_a_factor_is_a_rate_of_its_own(name, hyper):
    rng = np.random.default_rng(8)
    step, factors = getattr(gs, name), {"conv": {"W": 3.0}, "layers": {0: 0.5, 1: 0.0}}
    each = {"conv": {"W": 3.0, "b": 1.0}, "layers": [{"g": 0.5}, ({}, 0.0)]}
    start = params = random_tree(rng)
    state = gs.init_state(name, params)
    alone = [(p, gs.init_state(name, p)) for p in tree_leaves(params)]
    for _ in range(4):
        grads = random_tree(rng)
        params, state = gs.with_lr_factors(step, params, grads, state, 0.1, factors, **hyper)
        alone = [
            step(p, g, s, lr=0.1 * f, **hyper)
            for (p, s), g, f in zip(alone, tree_leaves(grads), tree_leaves(each), strict=True)
        ]
    for found, (expected, _) in zip(tree_leaves(params), alone, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(params["layers"][1][1], start["layers"][1][1])


def test_factor_zero_holds_a_parameter_that_is_still_rolling():
    p, state = np.ones(3), {"v": np.full(3, -0.5)}
    held, _ = gs.with_lr_factors(gs.momentum, {"x": p}, {"x": p}, {"v": {"x": state["v"]}}, 0.1, {"x": 0.0})
    np.testing.assert_array_equal(held["x"], p)


def test_a_factor_without_a_parameter_is_an_error():
    with pytest.raises(ValueError, match=r"factors for \['Wx'\], but parameters only for \['W'\]"):
        gs.with_lr_factors(gs.sgd, {"W": 1.0}, {"W": 1.0}, {}, 0.1, {"Wx": 0.0})


# ------------------------------------------------------------------------------------------------ what people get wrong
def test_a_state_that_is_missing_says_how_to_make_one():
    for state in (None, {}, {"m": 0, "v": 0}):
        with pytest.raises(ValueError, match=r"adam keeps \['m', 't', 'v'\].*init_state\('adam', params\)"):
            gs.adam(np.ones(3), np.ones(3), state)


def test_gradients_that_do_not_fit_are_named():
    params = {"layers": [{"W": np.ones((3, 4))}]}
    state = gs.init_state("momentum", params)
    with pytest.raises(ValueError, match=r"momentum: params\.layers\[0\]\.W has shape \(3, 4\), .* \(4, 3\)"):
        gs.momentum(params, {"layers": [{"W": np.ones((4, 3))}]}, state)
    with pytest.raises(ValueError, match=r"params\.layers\[0\] holds \['W'\], but its gradient holds \['b'\]"):
        gs.momentum(params, {"layers": [{"b": np.ones((4, 3))}]}, state)
    with pytest.raises(ValueError, match=r"params\.layers is of type list, but its gradient is of type ndarray"):
        gs.momentum(params, {"layers": np.ones(3)}, state)
    with pytest.raises(ValueError, match=r"nag_step: params\.x has shape \(3,\)"):
        gs.nag_step(lambda p: {"x": np.ones((3, 1))}, {"x": np.ones(3)}, {"v": {"x": np.zeros(3)}})


def test_integer_parameters_are_refused_by_name():
    with pytest.raises(TypeError, match=r"sgd: params\.steps holds int64, .*\.astype\(float\)"):
        gs.sgd({"steps": np.ones(3, np.int64)}, {"steps": np.ones(3)}, {})


def test_unknown_names_suggest_the_nearest():
    with pytest.raises(ValueError, match=r"no optimizer 'adm'\. Did you mean 'adam'\?"):
        gs.optimizer("adm")
    with pytest.raises(TypeError, match=r"adam has no option 'beta1'\."):
        gs.optimizer("adam", beta1=0.9)
    with pytest.raises(TypeError, match=r"adamw has no option 'weightdecay'\. Did you mean 'weight_decay'\?"):
        gs.optimizer("adamw", weightdecay=0.9)
    with pytest.raises(ValueError, match="nag_step asks for gradients at a point of its own choosing"):
        gs.optimizer("nag_step")
    with pytest.raises(ValueError, match=r"There are adagrad, .*, and L-BFGS, which asks for the loss, as lbfgs\(\)"):
        gs.optimizer("lbfgs")


@pytest.mark.parametrize(
    ("name", "option", "meant"),
    [("adam", "betas", "b1"), ("adam", "beta_2", "b2"), ("adamw", "learning_rate", "lr"), ("adam", "epsilon", "eps"),
     ("momentum", "momentum", "beta"), ("rmsprop", "alpha", "rho"), ("nesterov", "lrr", "lr")],
)  # fmt: skip
def test_the_names_of_other_frameworks_lead_to_the_option(name, option, meant):
    with pytest.raises(TypeError, match=rf"{name} has no option '{option}'\. Did you mean '{meant}'\? There are lr, "):
        gs.optimizer(name, **{option: 0.5})


@pytest.mark.parametrize(
    ("name", "hyper", "expected"),
    [("adam", {"lr": -0.1}, r"lr >= 0, got -0\.1"), ("sgd", {"lr": "fast"}, "lr >= 0, got 'fast'"),
     ("sgd", {"lr": math.nan}, "lr >= 0, got nan"), ("adam", {"eps": -1}, "eps >= 0, got -1"),
     ("adam", {"b1": 1.0}, r"b1 from 0 to below 1, got 1\.0"), ("nadam", {"b2": -0.1}, "b2 from 0 to below 1"),
     ("momentum", {"beta": 1.5}, r"beta from 0 to 1, got 1\.5"), ("rmsprop", {"rho": None}, "rho from 0 to 1, .* None"),
     ("adamw", {"weight_decay": {"W": 0.1, "b": -0.1}}, r"weight_decay >= 0, got -0\.1")],
)  # fmt: skip
def test_an_option_out_of_its_range_is_refused(name, hyper, expected):
    with pytest.raises(ValueError, match=f"{name}: expected {expected}"):
        gs.optimizer(name, **hyper)


def test_options_at_their_limits_are_taken_and_a_rate_of_none_is_the_default():
    gs.optimizer("adam", lr=0, b1=0.0, b2=0.0, eps=0)
    gs.optimizer("momentum", lr=np.float32(0.1), beta=1)
    gs.optimizer("nadam", momentum_decay=None)
    assert gs.optimizer("sgd", lr=None).lr == 0.01


def test_a_state_is_of_parameters_and_not_of_a_model():
    with pytest.raises(TypeError, match=r"init_state: expected a tree of arrays, got Layer; .* net\.init"):
        gs.init_state("adam", gs.layers.dense(3))


def test_the_examples_in_the_docstrings_hold():
    for module in (each, registry, descent, rates, adams, chosen):
        assert doctest.testmod(module).failed == 0


def test_other_options_leave_the_state_and_the_old_optimizer_alone():
    p, g, opt = {"W": np.ones(3)}, {"W": np.array([1.0, -2.0, 0.5])}, gs.optimizer("momentum", lr=0.1)
    other = gs.with_options(opt, beta=0.5)
    moved, state = opt.update(p, g, opt.init(p))
    found, _ = other.update(moved, g, state)
    expected, _ = gs.momentum(moved, g, state, lr=0.1, beta=0.5)
    np.testing.assert_array_equal(found["W"], expected["W"])
    assert (opt.hyper, other.hyper) == ({"lr": 0.1}, {"lr": 0.1, "beta": 0.5})
    assert pickle.loads(pickle.dumps(other)).hyper == other.hyper
    with pytest.raises(TypeError, match="no option 'bta'"):
        gs.with_options(opt, bta=0.5)
    with pytest.raises(ValueError, match="chosen by name"):
        gs.with_options(gs.Optimizer(opt.init, opt.update), beta=0.5)
