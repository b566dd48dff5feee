"""Chapter 8: every bug of the curriculum is a misconception wherever it can be seen; norms keep their promises."""

from __future__ import annotations

import numpy as np
import pytest

import gradschool as gs
from gradschool.layers import batchnorm, dense
from gradschool.lessons.batchnorm import batchnorm_backward, batchnorm_forward, recalibrate_bn
from gradschool.lessons.norms import groupnorm, instancenorm, layernorm
from gradschool_course.ch08_batchnorm.exercises import EXERCISES
from gradschool_course.ch08_batchnorm.networks import as_in_training, data, final, fit, inside, network, recounted
from gradschool_course.ch08_batchnorm.plug import plugged

BY_NAME = {exercise.name: exercise for exercise in EXERCISES}
RELATIVES = ["layernorm", "groupnorm", "instancenorm", "local_response_norm"]

# The curriculum's list of bugs: in which exercise each is which misconception.
BUGS = {
    "unbiased variance in normalisation": {"batchnorm_forward": "unbiased"},
    "inference uses batch stats": {"batchnorm_forward": "batch_in_inference"},
    "training normalises with running stats": {"batchnorm_forward": "running_in_training"},
    "momentum reversed": {"batchnorm_forward": "momentum_reversed"},
    "var vs std in running": {"batchnorm_forward": "keeps_deviation", "recalibrate_bn": "deviation_handed_out"},
    "ε outside root / added to std": dict.fromkeys(
        ["batchnorm_forward", "fold_bn_into_dense", "layernorm", "groupnorm", "instancenorm"], "eps_outside"
    ),
    "axis only N for images": {"batchnorm_forward": "batch_axis_only", "batchnorm_backward": "summed_over_batch_only"},
    "state mutated in place": {"batchnorm_forward": "changed_in_place"},
    "running var init 0": {"batchnorm_forward": "variance_from_zero"},
    "γ,β shape": {"batchnorm_forward": "channels_second", "batchnorm_backward": "axes_kept"},
    "batch of 1 in training NaN/0": {"batchnorm_forward": "one_is_refused"},
    "batch of 1 in training NaN": {"batchnorm_forward": "no_eps"},
    "running stats include current before normalising": {"batchnorm_forward": "updated_first"},
    "ignores dependence of μ,σ on x": {"batchnorm_backward": "statistics_constant"},
    "mean terms missing": {"batchnorm_backward": "no_mean_path"},
    "/m missing": {"batchnorm_backward": "not_divided"},
    "dγ uses x not x̂": {"batchnorm_backward": "dgamma_of_x"},
    "evaluation-mode backward uses training formula": {"batchnorm_backward": "training_formula_always"},
    "order": {"fold_bn_into_dense": "folded_before"},
    "order of shift and scale": {"fold_bn_into_dense": "mean_not_scaled"},
    "bias term sign": {"fold_bn_into_dense": "mean_added"},
    "ε omitted": dict.fromkeys(["fold_bn_into_dense", "layernorm", "groupnorm", "instancenorm"], "no_eps"),
    "uses train mode dropout": {"recalibrate_bn": "dropout_on"},
    "weights short batch equally": {"recalibrate_bn": "batches_weigh_alike"},
}
# The relatives share a row: each phrase is a misconception of each of them, or there is a reason why it is none.
SHARED = {
    "batch axis": {"over_the_batch", "batch_included", "along_the_batch"},
    "G≠divisor": {"reshape_trusted", "uneven_groups"},
    "grouping interleaved": {"interleaved"},
    "ε": {"no_eps", "eps_outside"},
    "affine shared wrongly": {"one_for_all", "one_scale_a_group"},
}
RESPONSE = {"LRN no /w": "not_divided", "wrap": "wraps", "even-window offset": "even_reaches_back"}


def names(exercise):
    return {misconception.name for misconception in BY_NAME[exercise].misconceptions}


# ------------------------------------------------------------------------------------------------- the curriculum
def test_the_chapter_has_every_exercise_of_its_rows():
    assert set(BY_NAME) == {
        "batchnorm_forward", "batchnorm_backward", "fold_bn_into_dense", "recalibrate_bn", *RELATIVES,
    }  # fmt: skip


@pytest.mark.parametrize("bug", BUGS)
def test_every_bug_of_the_curriculum_is_a_misconception_wherever_it_can_be_seen(bug):
    for name, mistake in BUGS[bug].items():
        assert mistake in names(name), (name, mistake)


@pytest.mark.parametrize("name", RELATIVES)
def test_what_the_relatives_share_is_a_misconception_or_has_a_reason_why_it_is_none(name):
    for phrase, slugs in SHARED.items():
        assert names(name) & slugs or BY_NAME[name].not_bugs.get(phrase), phrase


def test_the_mistakes_of_windows_are_there():
    assert set(RESPONSE.values()) <= names("local_response_norm")


# ------------------------------------------------------------------------------------------------- golden numbers
def test_the_recorded_network_has_the_recorded_number_of_parameters():
    """784-300-100-10 with three batch norms, from the notebooks of Hands-On Machine Learning, chapter 11."""
    net = gs.sequential(
        batchnorm(), dense(300), gs.relu, batchnorm(), dense(100), gs.relu, batchnorm(), dense(10),
    )  # fmt: skip
    params, state, _ = net.init(np.random.default_rng(0), (784,))
    assert gs.count_parameters(params) == 268_978
    assert gs.count_parameters(state) == 2_368
    assert gs.count_parameters(params) + gs.count_parameters(state) == 271_346


def drawn(shape):
    rng = np.random.default_rng([8, *shape])
    return rng.normal(3.0, 2.0, shape), rng.uniform(0.5, 2.0, shape[-1]), rng.normal(size=shape[-1])


def test_a_trained_channel_has_mean_beta_and_deviation_gamma():
    x, gamma, beta = drawn((7, 5, 4, 3))
    y, _, _ = batchnorm_forward(x, gamma, beta, None, training=True)
    np.testing.assert_allclose(y.mean(axis=(0, 1, 2)), beta, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(y.std(axis=(0, 1, 2)), gamma, rtol=1e-5)


def test_inference_looks_at_no_other_sample_and_gives_the_same_twice():
    x, gamma, beta = drawn((7, 3))
    _, _, state = batchnorm_forward(x, gamma, beta, None, training=True)
    y, _, same = batchnorm_forward(x, gamma, beta, state)
    np.testing.assert_array_equal(batchnorm_forward(x[2:3], gamma, beta, state)[0], y[2:3])
    np.testing.assert_array_equal(batchnorm_forward(x, gamma, beta, same)[0], y)


def test_group_norm_lies_between_layer_and_instance_norm():
    x, gamma, beta = drawn((7, 5, 4, 6))
    np.testing.assert_allclose(groupnorm(x, gamma, beta, 1), layernorm(x, gamma, beta, (1, 2, 3)), rtol=1e-11)
    np.testing.assert_allclose(groupnorm(x, gamma, beta, 6), instancenorm(x, gamma, beta), rtol=1e-9, atol=1e-12)
    one, _, _ = batchnorm_forward(x[:1], gamma, beta, None, training=True)
    np.testing.assert_allclose(one, instancenorm(x[:1], gamma, beta), rtol=1e-9, atol=1e-12)


def test_a_single_place_collapses_to_beta():
    x, gamma, beta = drawn((7, 1, 1, 3))
    np.testing.assert_array_equal(instancenorm(x, gamma, beta), np.broadcast_to(beta, x.shape))


# ------------------------------------------------------------------------------------------------------ experiments
def fitted(*args, **options):
    history = fit(*args, **options)
    assert history is not None
    return history


def test_the_chapters_own_batch_norm_trains_a_network_as_the_librarys_does():
    net = network("before", depth=2, width=12)
    with gs.using(**plugged(batchnorm_forward, batchnorm_backward)):
        mine = fitted(net, 0.1, seed=1, epochs=1)
    theirs = fitted(net, 0.1, seed=1, epochs=1)
    np.testing.assert_allclose(mine.losses, theirs.losses, rtol=1e-3)
    np.testing.assert_allclose(mine.state[1]["var"], theirs.state[1]["var"], rtol=1e-3)


def test_a_mistake_in_the_students_part_shows_in_the_training():
    def constant(g, cache):
        return batchnorm_backward(g, cache | {"training": False})

    net = network("before", depth=2, width=12)
    with gs.using(**plugged(batchnorm_forward, constant)):
        wrong = fitted(net, 0.1, seed=1, epochs=1)
    right = fitted(net, 0.1, seed=1, epochs=1)
    assert np.abs(np.subtract(wrong.losses, right.losses)).max() > 0.01


def test_normalised_networks_are_ahead_from_the_first_epoch_on():
    first, last = ({} for _ in range(2))
    for norm in ("none", "before", "after"):
        runs = [fitted(network(norm, 2, 40, first=norm != "none"), 0.03, seed, 3) for seed in (1, 2)]
        first[norm], last[norm] = (np.mean([run.epochs["val_accuracy"][i] for run in runs]) for i in (0, -1))
    assert first["after"] > first["none"] + 0.05
    assert last["after"] > last["none"] + 0.03
    assert last["after"] >= last["before"] > last["none"]


def test_a_rate_that_is_too_large_without_batch_norm_trains_with_it():
    with_it, without = (
        [final(fit(network(norm, 4, 24), 1.0, seed, 2)) for seed in (1, 2)] for norm in ("before", "none")
    )
    assert max(with_it) < 1.0
    assert min(without) > 2.0
    assert fit(network("none", 4, 24), 100.0, 1, 1) is None


def test_a_batch_of_one_learns_nothing_and_its_hidden_layers_get_no_gradient():
    net = network("before", depth=2, width=12)
    (X, T), _, _ = data(1)
    params, state, _ = net.init(np.random.default_rng(1), (64,))

    def loss(params):
        return gs.softmax_cross_entropy(net.apply(params, state, X[:1], training=True)[0], T[:1])

    gradient = gs.grad(loss)(params)
    np.testing.assert_array_equal(gradient[0]["W"], np.zeros((64, 12)))
    assert np.abs(gradient[-1]["b"]).max() > 0.01


def test_counting_again_without_dropout_lowers_the_loss():
    from functools import partial

    from gradschool.layers import dropout

    net = network("before", depth=2, width=24, dropped=partial(dropout, 0.5))
    history = fitted(net, 0.1, seed=1, epochs=3)
    (X, _), valid, _ = data(1)
    model = as_in_training(net, history.params)
    batches = [X[i : i + 32] for i in range(0, len(X), 32)]
    on, off = recalibrate_bn(lambda x, dropping: model(x, True), batches), recalibrate_bn(model, batches)
    assert 1.4 < np.mean(on[5]["var"] / off[5]["var"]) < 2.2
    losses = [
        gs.evaluate(net, history.params, valid, gs.softmax_cross_entropy, {}, recounted(history.state, statistics))[
            "loss"
        ]
        for statistics in ({}, on, off)
    ]
    assert losses[2] < 0.95 * min(losses[:2])


def test_the_first_layers_inputs_are_where_inside_looks():
    net = network("before", depth=1, width=12)
    params, state, _ = net.init(np.random.default_rng(1), (64,))
    X = data(1)[1][0][:9]
    np.testing.assert_array_equal(inside(net, params, state, X, 1), X @ params[0]["W"])


# ---------------------------------------------------------------------------------------------------------- figures
def test_the_figures_are_drawn_with_and_without_a_prediction():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from gradschool_course.ch08_batchnorm import figures

    rng = np.random.default_rng(1)
    lrs, several = np.logspace(-2, 1, 5), np.array([[0.6, 0.3, 0.2, 0.4, np.inf]] * 3).T
    seen = {norm: rng.normal(size=(6, 30, 4)) for norm in ("none", "before")}
    for guess in (None, 12, "twice", True):
        found = figures.rates(lrs, {"none": several, "before": several}, 0.5, guess)
        figures.curves({norm: rng.random((3, 5)) for norm in ("none", "before", "after")}, guess)
        figures.sizes((1, 2, 4, 8), {name: rng.random((4, 3)) for name in ("batch norm", "layer norm")}, guess)
    assert found == {"none": lrs[3], "before": lrs[3]}
    figures.company()
    figures.histograms(seen, (0, 2, 5), ("first", "then", "last"))
    figures.quantiles(seen, every=2, unit=1)
    figures.traces({"0.9": rng.random((7, 2)), "0.99": rng.random((7, 2))}, rng.random((7, 2)))
    figures.recount({name: rng.random(3) for name in ("a", "b", "c")})
    for number in plt.get_fignums():
        plt.figure(number).canvas.draw()
    plt.close("all")
