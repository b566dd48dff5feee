"""Chapter 4: every bug of the curriculum is a misconception; its experiments show what the text says they show."""

from typing import Any

import matplotlib
import numpy as np
import pytest

from gradschool.lessons import backprop, tape
from gradschool.ops import elementwise
from gradschool.ops.linear import dense_backward as fast_dense
from gradschool.ops.linear import dense_forward
from gradschool_course.ch04_backprop import checks, costs, digits, moons, tree
from gradschool_course.ch04_backprop.exercises import EXERCISES
from gradschool_course.helpers import HELPERS

matplotlib.use("Agg")
PUBLIC: dict[str, Any] = dict(HELPERS)
BY_NAME: dict[str, Any] = {exercise.name: exercise for exercise in EXERCISES}

# ---------------------------------------------------------------------------------------- the curriculum
ACTIVATIONS = [f"{name}_backward" for name in ("relu", "leaky_relu", "sigmoid", "tanh", "elu", "selu")]
SLOPE_BUGS = {
    "sigmoid′ from z not s": ["sigmoid_again", "from_the_score"],
    "relu′(0)": ["one_at_zero"],
    "elu′ uses α·e^z only": ["exponential_everywhere"],
    "tanh′=1−z²": ["one_minus_z_squared", "tanh_again"],
    "selu missing scale": ["scale_missing"],
    "leaky′ uses x>0 with α=0": ["alpha_zero"],
}
DENSE_BUGS = {
    "transposes": ["no_transposes", "dW_turned"],
    "db sum missing": ["db_not_summed"],
    "averages twice": ["averaged"],
    "uses updated W": ["uses_moved_weights"],
    "dX shape": ["dX_flat"],
}
SOFTMAX_BUGS = {
    "diagonal Jacobian": ["diagonal"],
    "wrong axis": ["last_axis_always"],
    "keepdims missing": ["without_keepdims"],
    "in-place": ["writes_into_p"],
    "global sum": [],
    "no max subtraction": [],
    "log(softmax) underflow": [],
}
PAIR_BUGS = {
    "not divided by N": ["not_divided"],
    "(P−T) without one-hot": ["no_target", "minus_the_number"],
    "multiplied by softmax Jacobian twice": ["jacobian_twice"],
    "sparse indexing": ["columns_of_all"],
    "T−Y sign in gradient": ["wrong_sign"],
    "sign at 0": [],
    "forgetting mask": [],
    "½ missing/duplicated": [],
}
NETWORK_BUGS = {
    "reuses last layer's activation": ["last_input_for_all"],
    "stops one layer early": ["stops_one_layer_early"],
    "wrong order of ops": ["relu_before_bias", "mask_in_the_wrong_place"],
    "caches overwritten by in-place relu": ["overwritten"],
}
TAPE_BUGS = {
    "no unbroadcast of gradients": ["no_unbroadcast"],
    "`=` not `+=` for reuse": ["assigns"],
    "DFS without visited": ["no_visited"],
    "grads not reset between calls": ["never_forgets"],
    "leaf retains graph": ["remembers_old_graphs"],
    "max ties": ["ties_all"],
    "scalar float operands": ["numbers_refused"],
    "reshape/transposed backward": ["not_reshaped", "transposed"],
    "pow with negative": ["power_by_logarithm"],
}
FUNCTION_BUGS = {
    "non-scalar allowed": ["non_scalar_allowed"],
    "closes over stale arrays": ["stale_arrays"],
    "gradient for int params": ["whole_numbers_too"],
    "order of args": ["other_order"],
}
CURRICULUM = dict.fromkeys(ACTIVATIONS, SLOPE_BUGS) | {
    "dense_backward": DENSE_BUGS,
    "softmax_backward": SOFTMAX_BUGS,
    "softmax_ce_backward": PAIR_BUGS,
    "mlp_forward": NETWORK_BUGS,
    "mlp_backward": NETWORK_BUGS,
    "unbroadcast": {"no unbroadcast of gradients": ["as_it_is"]},
    "topological_order": {"DFS without visited": ["no_visited"]},
    "Tensor": TAPE_BUGS,
    "value_and_grad": FUNCTION_BUGS,
    "vjp": FUNCTION_BUGS,
    "hvp": FUNCTION_BUGS,
}


def test_the_chapter_has_every_exercise_of_its_rows():
    assert set(BY_NAME) == set(CURRICULUM)


@pytest.mark.parametrize("name", CURRICULUM)
def test_every_listed_bug_is_a_misconception_or_has_a_reason_why_it_is_none(name):
    exercise = BY_NAME[name]
    names = {misconception.name for misconception in exercise.misconceptions}
    for phrase, slugs in CURRICULUM[name].items():
        assert names.intersection(slugs) or exercise.not_bugs.get(phrase), phrase
    assert set(exercise.not_bugs) <= set(CURRICULUM[name])


# ---------------------------------------------------------------------------------------- plain forms and fast ones
def test_the_plain_backwards_are_those_of_the_library():
    rng = np.random.default_rng(1)
    x, g = rng.normal(size=(5, 7)), rng.normal(size=(5, 7))
    for name, options in (("relu", {}), ("elu", {"alpha": 1.7})):
        _, cache = getattr(elementwise, f"{name}_forward")(x, **options)
        fast = getattr(elementwise, f"{name}_backward")(g, cache)
        np.testing.assert_allclose(getattr(backprop, f"{name}_backward")(g, cache), fast, rtol=1e-13)
    for shape in ((9,), (4, 3)):
        Y, cache = dense_forward(rng.normal(size=(*shape, 5)), rng.normal(size=(5, 8)))
        g = rng.normal(size=Y.shape)
        for plain, fast in zip(backprop.dense_backward(g, cache), fast_dense(g, cache), strict=True):
            np.testing.assert_allclose(plain, fast, rtol=1e-12, atol=1e-14)


def test_a_program_on_the_tape_has_the_slopes_of_central_differences():
    rng = np.random.default_rng(2)
    W, b, c = rng.normal(size=(4, 5)), rng.normal(size=5), rng.normal(size=(7, 5))

    def program(x, Tensor=tape.Tensor):
        a = (x @ Tensor(W) + b).relu() * 0.3 + 2.0
        z = a.log() * c + a**-1.5
        top = z.max(1)
        spread = (z + top.reshape(7, 1) * -1.0).exp().sum(1).log()
        return (spread + top * z.mean(1)).sum()

    x: Any = tape.Tensor(rng.normal(size=(7, 4)))
    program(x).backward()
    error = checks.difference(lambda x: float(program(tape.Tensor(x)).data), x.grad, x.data)
    assert error < 1e-6


def test_the_variables_of_the_checks_agree_with_the_tape():
    rng = np.random.default_rng(3)
    x, w, g = rng.normal(size=(3, 6, 4))
    Variable = PUBLIC["carried"]()
    for name in ("weighed_sum", "first_alone"):
        f = PUBLIC[name](1.3)
        mine, theirs = (tape.value_and_grad(f, kind)(x, w) for kind in (tape.Tensor, Variable))
        np.testing.assert_allclose(mine[0], theirs[0])
        np.testing.assert_allclose(mine[1], theirs[1], rtol=1e-12)
    mine, theirs = (tape.vjp(PUBLIC["every_entry"](0.7), kind, (x, w), g) for kind in (tape.Tensor, Variable))
    np.testing.assert_allclose(mine[1], theirs[1], rtol=1e-12)


# ---------------------------------------------------------------------------------------- golden numbers, experiments
def test_a_square_has_its_whole_slope_and_half_of_it_with_an_assignment():
    x = tape.Tensor(3.0)
    y = x * x
    moons.overwriting(y)
    assert x.grad == 3.0
    y.backward()
    assert x.grad == 6.0


def backwards() -> dict[str, Any]:
    own = {name: getattr(backprop, name, None) or getattr(elementwise, name, None) for name in checks.CASES}
    return own | {"softmax_backward": BY_NAME["softmax_backward"].plain}


def test_every_backward_is_right_to_a_millionth_and_a_wrong_one_is_seen():
    diagonal = {"softmax_backward, diagonal": lambda g, cache: g * cache["p"] * (1 - cache["p"])}
    errors = checks.gradient_errors(backwards() | diagonal, seeds=range(2))
    wrong = errors.pop("softmax_backward, diagonal")
    assert max(row.max() for row in errors.values()) < 1e-8
    assert wrong.min() > 1e-3


@pytest.mark.parametrize("width", [3, 11, 40])
def test_there_and_back_cost_three_forward_passes_whatever_the_size(width):
    rng = np.random.default_rng(4)
    params = costs.network([8, width, width, 5], rng)
    with costs.counting() as there:
        Z, cache = backprop.mlp_forward(costs.counted(params), costs.counted(rng.normal(size=(32, 8))))
    with costs.counting() as back:
        backprop.mlp_backward(costs.counted(np.ones(Z.shape)), cache)
    assert (there.products, back.products) == (3, 6)
    assert 2.5 < (there.operations + back.operations) / there.operations < 3


def test_counted_arrays_compute_what_plain_ones_do():
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(3, 4)), rng.normal(size=(4, 6))
    with costs.counting() as work:
        got = costs.counted(a) @ costs.counted(b)
    assert work.operations == 2 * 3 * 4 * 6
    np.testing.assert_array_equal(np.asarray(got), a @ b)


def test_moons_are_learnt_with_the_tape_and_not_with_an_assignment():
    for seed in (0, 1):
        losses, params = moons.fit(tape.Tensor, seed, steps=80)
        wrong_losses, wrong_params = moons.fit(tape.Tensor, seed, steps=80, backward=moons.overwriting)
        assert losses[-1] < 0.4 < 1 < wrong_losses[-1]
        assert moons.accuracy(params, seed) > 0.8 > moons.accuracy(wrong_params, seed)


def test_digits_are_learnt_by_hand_made_gradients():
    def by_hand(params, X, y):
        Z, cache = backprop.mlp_forward(params, X)
        p = np.exp(Z - Z.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        _, grads = backprop.mlp_backward(backprop.softmax_ce_backward(1.0, {"p": p, "y": y}), cache)
        return -np.mean(np.log(p[np.arange(len(y)), y])), grads

    start = digits.network([64, 16, 10], np.random.default_rng(6))
    losses, accuracies = digits.descend(by_hand, start, digits.split(6, 400), steps=40, lr=0.5)
    assert losses[0] > 2 > 1 > losses[-1]
    assert accuracies[-1] > 0.7


def test_the_graph_of_a_computation_is_drawn_from_its_notes():
    x, w = tape.Tensor(np.ones((3, 4))), tape.Tensor(np.ones((4, 5)))
    h = (x @ w).relu()
    assert tree.drawn((h * h).sum(), {"x": x, "w": w}).splitlines() == [
        "sum   one number",
        "└─ *   3×5",
        "   ├─ relu   3×5",
        "   │  └─ @   3×5",
        "   │     ├─ x   3×4",
        "   │     └─ w   4×5",
        "   └─ relu   3×5   (the same as above)",
    ]


# ---------------------------------------------------------------------------------------- figures
def test_the_figures_are_drawn_with_and_without_a_prediction():
    import matplotlib.pyplot as plt

    from gradschool_course.ch04_backprop import figures

    rng = np.random.default_rng(7)
    several, X = 0.1 + rng.random((3, 12)), rng.normal(size=(20, 2))
    known = {"+=": rng.random(3), "=": rng.random(3)}
    for guess in (None, 5, "three"):
        figures.costs([10, 100, 1000], [2.5, 2.8, 3.0], [20, 200, 2000], guess)
        figures.one_character(several, 10 * several, known, guess)
    figures.passes()
    figures.heat_map({"right": np.full(4, 1e-10), "wrong": np.full(4, 0.3)})
    figures.heat_map({"right": np.full(4, 1e-10)})
    figures.digits(several, several, every=10)
    figures.pixels(rng.random((3, 64)), rng.normal(size=(3, 64)), [1, 2, 3])
    figures.moons(X, np.arange(20) % 2, lambda X: X[:, 0], several)
    for number in plt.get_fignums():
        plt.figure(number).canvas.draw()
    plt.close("all")
