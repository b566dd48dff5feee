"""Chapter 5: every bug of the curriculum is a misconception wherever it is seen; golden figures, plots, orderings."""

import matplotlib
import numpy as np
import pytest

import gradschool as gs
from gradschool.lessons import clipping, descent, loop
from gradschool_course.ch05_training import figures, landscapes
from gradschool_course.ch05_training.exercises import EXERCISES

matplotlib.use("Agg")
BY_NAME = {exercise.name: exercise for exercise in EXERCISES}
CLIPS = ["clip_by_value", "clip_by_norm", "clip_by_global_norm"]

BUGS = {
    "ascent sign": {"gradient_descent": "ascent", "model_loss": "wrong_sign"},
    "stops on first small Δ of f at saddle": {"gradient_descent": "small_change_of_f"},
    "hist misses x0": {"gradient_descent": "history_without_start"},
    "tol on x only": {"gradient_descent": "small_step"},
    "modifies x0": {"gradient_descent": "changes_x0"},
    "off-by-one iteration count": {"gradient_descent": "one_step_more"},
    "uses det only for n>2": {"classify_stationary": "determinant"},
    "zero eigenvalue": {"classify_stationary": "flat_counts_as_up"},
    "tolerance": {"classify_stationary": "absolute_tolerance"},
    "unsymmetric H": {"classify_stationary": "not_symmetrised"},
    "1/λmax": {"critical_lr": "one_over"},
    "λmin": {"critical_lr": "smallest"},
    "trace": {"critical_lr": "trace", "classify_stationary": "trace"},
    "shuffles X and y separately": {"minibatches": "shuffled_apart"},
    "drops last": {"minibatches": "last_dropped", "train_epoch": "short_batch_left_out", "evaluate": "last_dropped"},
    "reshuffles same order every epoch (reseeding)": {"minibatches": "own_seed", "train": "same_order"},
    "replaces": {"minibatches": "with_replacement"},
    "yields views mutated": {"minibatches": "views"},
    "update before gradient": {"train_epoch": "update_before_gradient"},
    "accumulates grads": {"train_epoch": "accumulates_gradients"},
    "validation in training mode": {"train": "validates_in_training", "evaluate": "training_mode"},
    "validation used for training": {"train": "trains_on_validation"},
    "val loss mean of batches": {"train": "validates_over_batches", "evaluate": "mean_of_batches"},
    "epoch counter": {"train": "an_epoch_too_few"},
    "history of last batch only": {"train": "last_batch_only", "train_epoch": "last_batch_only"},
    "lr updated after step": {"train": "rate_after_the_step", "train_epoch": "rate_after_the_step"},
    "state dropped": {"train": "state_dropped", "train_epoch": "state_dropped"},
    "steps in wrong order (5/6)": {"train_epoch": "loss_after_the_step"},
    "loss without mean": {"model_loss": "summed"},
    "gradients w.r.t. stale parameters": {"model_loss": "stale_way_back", "train_epoch": "gradient_at_the_start"},
    "clips each tensor for global": {"clip_by_global_norm": "each_array_alone"},
    "scales up when below": {"clip_by_norm": "scales_up", "clip_by_global_norm": "scales_up"},
    "ε": {"clip_by_norm": "with_epsilon", "clip_by_global_norm": "with_epsilon"},
    "norm 0 NaN": {"clip_by_norm": "nan_for_zeros", "clip_by_global_norm": "nan_for_zeros"},
    "modifies input": dict.fromkeys(CLIPS, "in_place"),
}


@pytest.mark.parametrize("bug", BUGS)
def test_every_bug_of_the_curriculum_is_a_misconception_wherever_it_can_be_seen(bug):
    for name, mistake in BUGS[bug].items():
        assert mistake in [m.name for m in BY_NAME[name].misconceptions], (name, mistake)


def test_a_phrase_that_is_no_bug_has_a_reason():
    assert "changes direction for value" in BY_NAME["clip_by_value"].not_bugs


def test_every_exercise_of_the_curriculum_is_there():
    assert list(BY_NAME) == [
        "gradient_descent", "critical_lr", "classify_stationary", "model_loss", "minibatches", "train_epoch",
        "evaluate", "train", *CLIPS,
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------------------------- golden
def test_the_bowl_is_stable_below_a_rate_of_a_fifth_and_not_above():
    bowl = landscapes.BOWL
    assert descent.critical_lr(bowl.hessian(np.zeros(2))) == 0.2
    for lr, stable in ((0.199, True), (0.201, False)):
        x, _ = descent.gradient_descent(bowl.f, bowl.grad, np.array([3.0, 1.0]), lr, 0.0, 3000)
        assert (np.abs(x).max() < 1e-9) == stable


def test_the_vector_of_the_book_is_clipped_to_its_recorded_figures():
    g = {"W": np.array([0.9, 100.0])}
    assert clipping.clip_by_value(g, 1.0)["W"].tolist() == [0.9, 1.0]
    assert clipping.clip_by_norm(g, 1.0)["W"].round(7).tolist() == [0.0089996, 0.9999595]


# ------------------------------------------------------------------------------------- the library's own say the same
@pytest.mark.parametrize("name", CLIPS)
def test_the_chapters_clipping_and_the_librarys_are_one(name):
    rng = np.random.default_rng(1)
    grads = {"W": rng.normal(size=(3, 5)), "b": np.zeros(4), "K": 9 * rng.normal(size=(5, 3, 7))}
    for limit in (0.5, 3.0, 1e3):
        ours, theirs = getattr(clipping, name)(grads, limit), getattr(gs, name)(grads, limit)
        for key in grads:
            np.testing.assert_allclose(ours[key], theirs[key], rtol=1e-14)


def network(params, X):
    return gs.relu(X @ params["W1"] + params["b1"]) @ params["W2"] + params["b2"]


def sgd(params, grads, state, lr):
    return {name: params[name] - lr * grads[name] for name in params}, state


def test_gradients_of_the_chapters_model_are_those_of_the_tape():
    params, rng = landscapes.start(3, hidden=7)
    X, T = rng.normal(size=(11, 64)), gs.one_hot(rng.integers(10, size=11), 10)
    loss, grads = loop.model_loss(params, X, T)
    expected, by_tape = gs.value_and_grad(lambda params: gs.softmax_cross_entropy(network(params, X), T))(params)
    assert loss == pytest.approx(float(expected), rel=1e-12)
    for name in params:
        np.testing.assert_allclose(grads[name], by_tape[name], rtol=1e-9, atol=1e-14)


def test_the_chapters_loop_and_the_librarys_are_one():
    data, validation = landscapes.digits(2, 90, 70)
    params, rng = landscapes.start(2)
    _, _, ours = loop.train(loop.model_loss, sgd, params, None, data, validation, 3, 40, lambda n: 0.3 / (1 + n), rng)
    params, rng = landscapes.start(2)
    theirs = gs.train(
        network, params, data, gs.optimizer("sgd"), gs.softmax_cross_entropy, 3, rng=rng,
        lr=lambda n: 0.3 / (1 + n), batch_size=40, validation=validation,
    )  # fmt: skip
    for name, values in ours.items():
        np.testing.assert_allclose(values, theirs.epochs[name], rtol=1e-9)


# -------------------------------------------------------------------------------------------------------- experiments
def test_himmelblaus_nine_places_are_told_apart_and_descent_ends_in_the_four_valleys():
    spots = landscapes.stationary(landscapes.HIMMELBLAU)
    kinds = [descent.classify_stationary(landscapes.HIMMELBLAU.hessian(x)) for x in spots]
    assert sorted(kinds) == ["max"] + ["min"] * 4 + ["saddle"] * 4
    starts = np.random.default_rng(1).uniform(-5, 5, (2, 300))
    ends = landscapes.descend(landscapes.HIMMELBLAU, starts, 0.005, 600)
    assert landscapes.HIMMELBLAU.f(ends).max() < 1e-12
    valleys = np.array(spots[:4])
    assert len(set(np.linalg.norm(ends.T[:, None] - valleys, axis=-1).argmin(axis=1))) == 4


def test_a_saddle_holds_whoever_is_exactly_on_its_axis_and_delays_the_others():
    away = {}
    for name in ("sgd", "momentum", "adam"):
        assert landscapes.walk(name, landscapes.SADDLE, (1.0, 0.0), 150, 0.1)[-1, 1] == 0
        path = landscapes.walk(name, landscapes.SADDLE, (1.0, 1e-6), 150, 0.1)
        away[name] = int(np.argmax(np.abs(path[:, 1]) > 0.5))
    assert 0 < away["adam"] < away["momentum"] < away["sgd"] == 139


def test_of_three_rates_the_middle_one_learns_most():
    for seed in (1, 3):
        last = {}
        for lr in (0.003, 0.3, 30.0):
            data, validation = landscapes.digits(seed, 200, 50)
            params, rng = landscapes.start(seed)
            run = loop.train(loop.model_loss, sgd, params, None, data, validation, 15, 50, lambda n, lr=lr: lr, rng)
            last[lr] = run[2]["loss"][-1]
        assert last[0.3] < 0.5 * min(last[0.003], last[30.0])


def test_clipping_saves_a_run_from_images_in_the_wrong_units():
    def clipped(params, grads, state, lr):
        return sgd(params, clipping.clip_by_global_norm(grads, 1.0), state, lr)

    for seed in (1, 3):
        (X, T), validation = landscapes.digits(seed, 200, 100)
        X[:3] *= 255
        last = []
        for update in (sgd, clipped):
            params, rng = landscapes.start(seed)
            run = loop.train(loop.model_loss, update, params, None, (X, T), validation, 20, 50, lambda n: 0.3, rng)
            last.append(run[2]["val_loss"][-1])
        assert last[1] < 0.5 * last[0]


def test_the_figures_are_drawn_with_and_without_a_prediction():
    import matplotlib.pyplot as plt

    rng = np.random.default_rng(1)
    runs, path = rng.uniform(0.1, 1.0, (3, 9)), rng.uniform(0.1, 1.0, (7, 2))
    ends = rng.integers(4, size=(6, 6))
    panels = [("a", rng.random((6, 6)), 0 * ends), ("b", rng.random((6, 6)), ends)]
    figures.rates(landscapes.BOWL, {"0.1": path, "0.2": path, "0.3": path})
    figures.basins(panels, 5.0, [((0, 0), "min"), ((1, 1), "min"), ((2, 1), "saddle"), ((3, 3), "max")])
    for guess in (None, 0.3, "words"):
        figures.stability([0.1, 0.2, 0.3], [1.0, 2.0, 30.0], 0.2, guess)
        figures.saddle({"a": path, "b": path, "c": path}, {"a": path, "b": path}, guess)
        figures.sweep({0.03: runs, 0.3: runs, 3.0: runs}, guess)
        figures.learning(runs, runs[::-1], guess)
        figures.clipped({"with": runs, "without": runs}, guess)
    for number in plt.get_fignums():
        plt.figure(number).canvas.draw()
    plt.close("all")
