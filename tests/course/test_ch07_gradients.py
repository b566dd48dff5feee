"""Chapter 7: every bug of the curriculum is a misconception wherever it is seen; golden figures, plots, orderings."""

import doctest
import math

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import gradschool as gs
from gradschool.lessons import depth
from gradschool.ops.elementwise import SELU_ALPHA, SELU_SCALE
from gradschool_course.ch07_gradients import deep, figures
from gradschool_course.ch07_gradients.exercises import EXERCISES
from gradschool_course.contents import course
from gradschool_grader.answers import LiveAnswers
from gradschool_grader.home import HereWorker
from gradschool_grader.judge import judge

matplotlib.use("Agg")
BY_NAME = {exercise.name: exercise for exercise in EXERCISES}
RANDOM = ("variance_scaling", "glorot", "he", "lecun")

BUGS = {
    "std vs variance": dict.fromkeys(RANDOM, "variance_for_std"),
    "√(3σ²) missing 3": dict.fromkeys(RANDOM, "uniform_without_three"),
    "fan_in/out swapped": {"fans": "swapped", "variance_scaling": "fans_swapped"}
    | dict.fromkeys(("glorot", "he", "lecun"), "only_fan_out"),
    "conv fans w/o kernel area": dict.fromkeys((*RANDOM, "fans"), "without_kernel_area"),
    "no /0.8796 after truncation": dict.fromkeys(RANDOM, "not_widened"),
    "fan_sum for avg": {"variance_scaling": "sum_for_mean", "glorot": "one_over_the_sum"},
    "global RNG": dict.fromkeys((*RANDOM, "orthogonal"), "own_generator"),
    "orthogonal sign": {"orthogonal": "signs_as_they_come"},
    "orthogonal shape for tall": {"orthogonal": "always_tall"},
    "means over wrong axis": {"activation_stats": "over_the_units"},
    "reuses W": {"activation_stats": "one_matrix"},
    "feeds pre-activation": {"activation_stats": "fed_before_the_activation"},
    "axis order vs HOML": {"activation_stats": "over_everything"},
    "includes biases": {"gradient_norms": "includes_biases"},
    "sum vs rms": {"gradient_norms": "root_mean_square"},
    "wrong layer order": {"gradient_norms": "last_layer_first"},
    "α·scale confused": {"selu_constants": "alpha_scaled"},
    "closed form sign": {"selu_constants": "other_sign"},
    "uses erf for erfc": {"selu_constants": "erf_for_erfc"},
    "da not summed over batch": {"prelu_backward": "not_summed"},
    "a per-channel": {"prelu_backward": "per_channel_only"},
    "wrong sign region": {"prelu_backward": "positive_side"},
}


FIRST_ROW = [
    "std vs variance", "√(3σ²) missing 3", "fan_in/out swapped", "conv fans w/o kernel area",
    "no /0.8796 after truncation", "fan_sum for avg", "global RNG", "orthogonal sign", "orthogonal shape for tall",
]  # fmt: skip


@pytest.mark.parametrize("bug", BUGS)
def test_every_bug_of_the_curriculum_is_a_misconception_wherever_it_can_be_seen(bug):
    for name, mistake in BUGS[bug].items():
        assert mistake in [m.name for m in BY_NAME[name].misconceptions], (name, mistake)


@pytest.mark.parametrize("name", BUGS["global RNG"])
def test_weights_from_a_generator_of_ones_own_are_told_of_rng_and_not_of_a_bad_shape(name):
    exercise = BY_NAME[name]
    wrong = next(m.wrong for m in exercise.misconceptions if m.name == "own_generator")
    answers = LiveAnswers(exercise, course.helpers, seed=1)
    verdict = judge(exercise, lambda: HereWorker(course, {name: wrong}), answers)
    assert "The function returned an answer without asking `rng`." in [group.words for group in verdict.groups]


AS_IF = {
    "as QR leaves them": lambda Q: np.ones(Q.shape[1]),
    "of the diagonal": lambda Q: np.sign(np.diag(Q)),
    "of the first row": lambda Q: np.sign(Q[0]),
    "of the largest": lambda Q: np.sign(Q[np.abs(Q).argmax(axis=0), np.arange(Q.shape[1])]),
    "of the sums": lambda Q: np.sign(Q.sum(axis=0)),
}


@pytest.mark.parametrize("signs", AS_IF.values(), ids=AS_IF)
@pytest.mark.parametrize("share", [0.7, 0.3])
def test_columns_that_are_turned_by_a_coin_that_is_not_fair_are_refused_tall_and_wide(signs, share):
    def biased(shape, rng, gain=1.0, dtype=np.float64):
        rows, columns = math.prod(shape[:-1]), shape[-1]
        Q = np.linalg.qr(rng.normal(size=(max(rows, columns), min(rows, columns))))[0]
        Q = Q * signs(Q) * np.where(rng.random(Q.shape[1]) < share, 1, -1)
        return (gain * (Q if rows >= columns else Q.T)).reshape(shape).astype(dtype)

    for seed in range(2):
        answers = LiveAnswers(BY_NAME["orthogonal"], course.helpers, seed)
        verdict = judge(BY_NAME["orthogonal"], lambda: HereWorker(course, {"orthogonal": biased}), answers)
        assert {"tall", "wide"} <= {group.name for group in verdict.groups if group.outcome == "wrong"}


@pytest.mark.parametrize("name", ["fans", *RANDOM, "orthogonal"])
def test_what_six_exercises_share_is_a_misconception_of_each_or_has_a_reason_why_it_is_none(name):
    for phrase in FIRST_ROW:
        assert (name in BUGS[phrase]) != (phrase in BY_NAME[name].not_bugs), phrase
    assert all(BY_NAME[name].not_bugs.values())
    assert set(BY_NAME[name].not_bugs) <= set(FIRST_ROW)


def test_a_form_that_a_framework_has_is_said_to_be_published():
    published = {(name, m.name): m.published for name in BY_NAME for m in BY_NAME[name].misconceptions if m.published}
    assert published["he", "never_cut"] == "PyTorch's `kaiming_normal_`"
    assert published["fans", "channels_first"] == published["orthogonal", "first_axis_apart"] == "PyTorch"
    assert published["prelu_backward", "summed_over_batch_only"] == "Keras without `shared_axes`"
    assert ("glorot", "never_cut") not in published


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(depth, extraglobs={"np": np}).failed == 0


# ------------------------------------------------------------------------------------------------------------- golden
def signal(act, scale, layers):
    """Deviations at every hundredth layer, drawn as the published figures were."""
    init = lambda shape, rng: rng.normal(size=shape, scale=np.sqrt(scale / shape[0]))
    with threadpool_limits(1):
        return depth.activation_stats(layers, 100, act, init, np.random.RandomState(42))[1][::100]


def test_signals_end_where_the_recorded_ones_do():
    assert signal(gs.relu, 2, 101).round(2).tolist() == [0.82, 0.01]
    assert signal(np.tanh, 1, 201).round(2).tolist() == [0.63, 0.05, 0.04]
    assert signal(gs.sigmoid, 1, 101).round(2).tolist() == [0.21, 0.0]
    exploding = signal(gs.selu, 2, 301)
    assert exploding[:2].round(1).tolist() == [1.3, 13.3]
    assert 260 < exploding[2] < 300 < 1e4 < exploding[3] < 1.3e4


def test_selus_constants_are_the_librarys():
    assert depth.selu_constants() == pytest.approx((SELU_ALPHA, SELU_SCALE), rel=1e-14)


def test_gradient_norms_are_those_of_automatic_differentiation():
    rng = np.random.default_rng(0)
    params = [{"W": rng.normal(size=s), "b": rng.normal(size=s[1])} for s in ((5, 7), (7, 4), (4, 3))]
    X, T = rng.normal(size=(6, 5)), gs.one_hot(rng.integers(0, 3, 6), 3)

    def loss(p):
        hidden = np.tanh(np.tanh(X @ p[0]["W"] + p[0]["b"]) @ p[1]["W"] + p[1]["b"])
        return gs.softmax_cross_entropy(hidden @ p[2]["W"] + p[2]["b"], T)

    expected = [math.sqrt((layer["W"] ** 2).sum()) for layer in gs.grad(loss)(params)]
    found = depth.gradient_norms(params, X, T, np.tanh, lambda z: 1 - np.tanh(z) ** 2)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


# -------------------------------------------------------------------------------------------------------- experiments
def test_clipping_keeps_a_net_alive_that_explodes():
    wild = lambda shape, rng: 1.25 * gs.he(shape, rng)
    free, clipped = (deep.fit("ReLU", wild, depth=20, width=40, lr=0.05, steps=40, clip=c) for c in (np.inf, 1.0))
    assert not np.isfinite(free.losses[-1]).any()
    assert (clipped.losses[-5:].mean(axis=0) < 0.2 * clipped.losses[0]).all()


def test_of_two_networks_of_a_hundred_layers_the_one_with_selu_learns():
    """F3 and F4: recorded with five points and more between them in each of three runs."""
    runs = {"SELU": (gs.lecun, 0.001), "ReLU": (gs.he, 0.003)}
    losses = {
        name: deep.fit(name, init, depth=100, width=100, lr=lr, steps=80).losses[-20:].mean(axis=0)
        for name, (init, lr) in runs.items()
    }
    assert (losses["SELU"] < 2.1).all()
    assert (losses["ReLU"] > 2.15).all()
    assert deep.alike("SELU", gs.lecun, 100, 100).max() < 0.2 < 0.95 < deep.alike("ReLU", gs.he, 100, 100).min()


def test_a_hundred_layers_of_relu_keep_their_size_if_they_are_wide_and_a_tenth_of_it_swings():
    narrow, wide = (np.exp(np.log(deep.size_and_swing(100, width, seeds=5)).mean(axis=0)) for width in (25, 100))
    assert narrow[0] < 0.1 < 0.3 < wide[0] < 1
    assert 0.1 < wide[1] / wide[0] < 0.25


def test_relus_die_and_leaky_ones_do_not():
    off = {name: deep.units_off(deep.fit(name, gs.he, depth=2, width=60, lr=0.2, steps=60, beta=0.9), name).mean()
           for name in ("ReLU", "leaky ReLU")}  # fmt: skip
    assert off["ReLU"] > 0.2 > off["leaky ReLU"] == 0


def test_the_figures_are_drawn_with_and_without_a_prediction():
    figures.saturation()
    figures.curves({name: deep.ACTIVATIONS[name] for name in ("ReLU", "ELU")})
    rng = np.random.default_rng(0)
    figures.slopes({name: rng.uniform(size=(4, 3)) for name in ("ReLU", "PReLU")})
    finite, exploding = np.ones((20, 3)), np.where(np.arange(20)[:, None] < 9, np.ones((1, 3)), np.inf)
    runs = {
        name: deep.Run(several, rng.uniform(size=3), several, [])
        for name, several in (("fine", finite), ("exploding", exploding))
    }
    for guess in (None, 0.3, 0, True, "about nothing"):
        figures.layers({"tanh": np.full((3, 7), 0.5)}, "deviation", "It stays", guess, guess)
        figures.dead((0.1, 0.2), {"ReLU": np.zeros((2, 3))}, {"ReLU": np.ones((2, 3))}, guess)
        figures.hundred({"fine": runs["fine"]}, guess)
        figures.clipped(runs, guess)
        for number in plt.get_fignums():
            plt.figure(number).canvas.draw()
        plt.close("all")
