"""Chapter 9: every bug of the curriculum is a misconception; what is transferred helps where the chapter says, and not
where it says not."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

import gradschool as gs
from gradschool.lessons.transfer import (
    fine_tune,
    forward,
    lr_factors,
    pretrain_autoencoder,
    replace_head,
    set_trainable,
    split_task,
    step_trainable,
    trainable_params,
)  # fmt: skip
from gradschool_course.ch09_transfer.exercises import EXERCISES
from gradschool_course.ch09_transfer.models import accuracy, classes, epochs, features, new_model, numbers, run, size
from gradschool_course.ch09_transfer.pictures import few_of_each, handwritten, pixels_mixed, printed
from gradschool_course.study.recorded import RECORDED

BY_NAME = {exercise.name: exercise for exercise in EXERCISES}

# The curriculum's list of bugs: in which exercise each is which misconception.
BUGS = {
    "y not re-indexed": [("split_task", "not_renumbered"), ("split_task", "two_less_above_the_first")],
    "labels reversed": [("split_task", "labels_reversed")],
    "200 applied to validation": [("split_task", "validation_is_cut_too")],
    "order changed": [("split_task", "class_after_class"), ("split_task", "a_sorted")],
    "dtype": [("split_task", "labels_of_b_are_whole"), ("split_task", "labels_of_a_are_real")],
    "shallow copy": [("clone_model", "shallow"), ("replace_head", "body_shared")],
    "optimizer state shared": [("clone_model", "slots_shared")],
    "BN state not copied": [("clone_model", "statistics_shared")],
    "keeps old head": [("replace_head", "old_head_kept")],
    "init from old": [("replace_head", "head_from_old")],
    "freeze counts off by one": [
        ("replace_head", "one_layer_free"), ("replace_head", "first_layer_free"), ("set_trainable", "counted_from_one"),
    ],
    "frozen weights still decayed": [("step_trainable", "frozen_decays")],
    "frozen weights momentum-moved": [("step_trainable", "frozen_rolls_on")],
    "BN running stats still updated while frozen": [("forward", "statistics_follow_though_held")],
    "optimizer slots missing after unfreeze": [("step_trainable", "slots_missing")],
    "no recompile": [("fine_tune", "never_thawed")],
    "no optimizer reset": [("fine_tune", "optimizer_kept")],
    "lr not lowered": [("fine_tune", "rate_not_lowered")],
    "evaluates B on A's classes": [("fine_tune", "looks_at_a")],
    "standardises with B stats": [("fine_tune", "own_scale")],
    "tied weight gradients": [
        ("pretrain_autoencoder", "encoder_only"), ("pretrain_autoencoder", "decoder_only"),
        ("pretrain_autoencoder", "averaged"),
    ],
}  # fmt: skip


# ------------------------------------------------------------------------------------------------- the curriculum
def test_the_chapter_has_every_exercise_of_its_rows():
    assert set(BY_NAME) >= {
        "split_task", "clone_model", "replace_head", "set_trainable", "trainable_params", "fine_tune",
        "pretrain_autoencoder", "lr_factors",
    }  # fmt: skip


@pytest.mark.parametrize("bug", BUGS)
def test_every_bug_of_the_curriculum_is_a_misconception(bug):
    for exercise, name in BUGS[bug]:
        assert name in {misconception.name for misconception in BY_NAME[exercise].misconceptions}


def test_both_ways_to_freeze_a_normalisation_are_told_as_somebodys_convention():
    told = {misconception.name: misconception.published for misconception in BY_NAME["forward"].misconceptions}
    assert "PyTorch" in told["hold_ignored"]
    assert "Keras" in told["always_held"]


# ------------------------------------------------------------------------------------------------- golden numbers
def test_the_recorded_errors_have_the_ratios_that_the_chapter_tells():
    """Hands-On Machine Learning, chapter 11, cells 85 to 94, of three years: 4.92, 4.07 and 3.93."""
    recorded: Any = RECORDED
    scratch, on_a = recorded["T2"]["test_acc"], recorded["T3"]["test_acc"]
    ratios = [(1 - a) / (1 - b) for a, b in zip(scratch, on_a, strict=True)]
    np.testing.assert_allclose(ratios, recorded["T3"]["error of T2 / error"], atol=0.006)


def test_the_books_networks_have_the_recorded_numbers_of_parameters():
    """784-300-100-10, from the notebooks of Hands-On Machine Learning, and with its hidden layers normalised."""
    rng = np.random.default_rng(0)
    assert size(trainable_params(new_model([784, 300, 100, 10], rng))) == 266_610
    normed = new_model([784, 300, 100, 10], rng, normed=True)
    assert size(trainable_params(normed)) == 266_610 + 300 + 100  # a scale for each unit; the shift is the bias
    frozen = set_trainable(normed, [0, 1], False)
    assert size(trainable_params(frozen)) == 1_010
    assert size(numbers(frozen)) == size(trainable_params(normed))


# ------------------------------------------------------------------------------------------------------ what trains
def test_the_chapters_own_forward_trains_a_model_as_the_librarys_ops_do():
    X, y = np.random.default_rng(0).normal(size=(20, 5)), np.arange(20) % 3
    start = set_trainable(new_model([5, 6, 4, 3], np.random.default_rng(1), normed=True), [0], False)
    for hold in (True, False):
        mine, theirs = (
            epochs(step_trainable, np.random.default_rng(2), 7, hold=hold, forward=way)(start, None, X, y, 0.1)[0]
            for way in (forward, run)
        )
        for a, b in zip(mine, theirs, strict=True):
            assert set(a) == set(b)
            for name in set(a) - {"activation", "trainable"}:
                np.testing.assert_allclose(a[name], b[name], rtol=1e-9, atol=1e-12)
        stood = np.array_equal(mine[0]["mean"], start[0]["mean"])
        assert stood == hold
        np.testing.assert_array_equal(mine[0]["W"], start[0]["W"])


def test_a_mistake_in_a_step_shows_in_the_training():
    X, y = np.random.default_rng(0).normal(size=(20, 5)), np.arange(20) % 3
    start = new_model([5, 6, 3], np.random.default_rng(1))
    moving, slots = epochs(step_trainable, np.random.default_rng(2), 20)(start, None, X, y, 0.1)
    frozen = set_trainable(moving, [0], False)
    rolling = next(m.wrong for m in BY_NAME["step_trainable"].misconceptions if m.name == "frozen_rolls_on")
    right, _ = epochs(step_trainable, np.random.default_rng(2), 20)(frozen, slots, X, y, 0.1)
    wrong, _ = epochs(rolling, np.random.default_rng(2), 20)(frozen, slots, X, y, 0.1)
    np.testing.assert_array_equal(right[0]["W"], frozen[0]["W"])
    assert np.abs(wrong[0]["W"] - frozen[0]["W"]).max() > 1e-3


def test_a_factor_of_the_gradient_is_one_of_the_rate():
    X, y = np.random.default_rng(0).normal(size=(20, 5)), np.arange(20) % 3
    start = new_model([5, 6, 3], np.random.default_rng(1))
    halved, _ = epochs(step_trainable, np.random.default_rng(2), 5, factors=[0.5, 0.5])(start, None, X, y, 0.1)
    slower, _ = epochs(step_trainable, np.random.default_rng(2), 5)(start, None, X, y, 0.05)
    for a, b in zip(halved, slower, strict=True):
        np.testing.assert_allclose(a["W"], b["W"], rtol=1e-9, atol=1e-12)
    assert lr_factors(2, 0.5) == [0.5, 1.0]


def test_one_output_says_yes_or_no_and_features_are_what_the_head_reads():
    rng = np.random.default_rng(3)
    model, X = new_model([5, 4, 1], rng), rng.normal(size=(9, 5))
    scores = features(model, X) @ model[-1]["W"] + model[-1]["b"]
    np.testing.assert_array_equal(classes(model, X), scores[:, 0] > 0)
    assert accuracy(model, X, (scores[:, 0] > 0).astype(np.float32)) == 1.0


# ---------------------------------------------------------------------------------------------------- experiments
SEEDS, BODY, WIDTHS = (1, 2, 3, 4, 5), [0, 1], [196, 60, 30]
ALL: Any = None


@cache
def tasks(seed, n_b):
    X, y = printed(2400, seed=1)
    order = np.random.default_rng(seed).permutation(len(X))
    learn, look = order[:1800], order[1800:]
    train_a, train_b = split_task(X[learn], y[learn], (5, 6), n_b)
    valid_a, valid_b = split_task(X[look], y[look], (5, 6), ALL)
    return {"train": train_a, "valid": valid_a}, {"train": train_b, "valid": valid_b}


@cache
def learned_a(seed):
    A, _ = tasks(seed, None)
    rng = np.random.default_rng(seed)
    return fine_tune(new_model([*WIDTHS, 8], rng), A, A, [(6, [], 0.03)], epochs(step_trainable, rng, 32), classes)[0]


def on_b(body, seed, n_b, phases):
    A, B = tasks(seed, n_b)
    rng = np.random.default_rng([seed, 1])
    start = replace_head(body, 1, "linear", gs.glorot, rng)
    return fine_tune(start, A, B, phases, epochs(step_trainable, rng, 10), classes)


def random_body(seed):
    return new_model([*WIDTHS, 8], np.random.default_rng([seed, 2]))


def test_b_on_a_is_better_than_from_scratch_on_the_mean_of_five_seeds():
    scratch = np.array([on_b(random_body(seed), seed, 20, [(20, [], 0.02)])[1][-1] for seed in SEEDS])
    b_on_a = np.array([on_b(learned_a(seed), seed, 20, [(4, BODY, 0.02), (16, [], 0.01)])[1][-1] for seed in SEEDS])
    assert b_on_a.mean() > scratch.mean() + 0.08
    assert (1 - scratch.mean()) / (1 - b_on_a.mean()) > 1.3


def test_a_frozen_body_is_worth_something_only_if_it_has_learned():
    frozen = [(20, BODY, 0.02)]
    learned, random = (
        [on_b(body(seed), seed, 20, frozen)[1][-1] for seed in SEEDS] for body in (learned_a, random_body)
    )
    assert np.mean(learned) > np.mean(random) + 0.08


def test_a_rate_that_is_too_high_destroys_what_was_learned():
    A, _ = tasks(1, 20)
    mean, deviation = A["train"][0].mean(axis=0), A["train"][0].std(axis=0)
    left = []
    for lr in (0.001, 0.3):
        tuned, _ = on_b(learned_a(1), 1, 20, [(4, BODY, 0.02), (16, [], lr)])
        again = [*tuned[:-1], learned_a(1)[-1]]
        left.append(accuracy(again, (A["valid"][0] - mean) / deviation, A["valid"][1]))
    assert left[0] > 0.7
    assert left[1] < 0.5


def test_mixed_pixels_transfer_nothing_to_handwriting():
    X, y = printed(1500, seed=1, side=8)
    (X_hand, y_hand), valid = handwritten(1)
    B = {"train": few_of_each(X_hand, y_hand, 2), "valid": valid}
    reached = []
    for change in (lambda pictures: pictures, lambda pictures: pixels_mixed(pictures, 5)):
        A = {"train": (change(X), y), "valid": (change(X), y)}
        rng = np.random.default_rng(1)
        body, learned = fine_tune(
            new_model([64, 60, 10], rng), A, A, [(5, [], 0.03)], epochs(step_trainable, rng, 32), classes
        )
        assert learned[-1] > 0.9
        start = replace_head(body, 10, "linear", gs.glorot, rng)
        reached.append(fine_tune(start, A, B, [(40, [0], 0.02)], epochs(step_trainable, rng, 10), classes)[1][-1])
    assert reached[0] > reached[1] + 0.15


def test_an_autoencoder_learns_to_say_digits_again():
    (X, _), _ = handwritten(1)
    rng = np.random.default_rng(1)
    centred = X - X.mean(axis=0)
    batches = [centred[i : i + 20] for _ in range(4) for i in range(0, 1000, 20)]
    params = {"W": 0.1 * rng.normal(size=(64, 30)), "b": np.zeros(30), "c": np.zeros(64)}
    _, losses = pretrain_autoencoder(params, batches, 0.05)
    assert np.mean(losses[-20:]) < 0.3 * losses[0]


def test_few_of_each_takes_the_first_of_each_class_and_keeps_their_order():
    X, y = few_of_each(np.arange(8)[:, None], np.array([1, 0, 1, 1, 0, 2, 0, 2]), 2)
    np.testing.assert_array_equal(X[:, 0], [0, 1, 2, 4, 5, 7])
    np.testing.assert_array_equal(y, [1, 0, 1, 0, 2, 2])


# ---------------------------------------------------------------------------------------------------------- figures
def test_the_figures_are_drawn_with_and_without_a_prediction():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from gradschool_course.ch09_transfer import figures

    rng = np.random.default_rng(1)
    several = lambda n: rng.uniform(0.5, 0.9, size=(3, n))
    for guess in (None, 4, "twice", True, -1):
        figures.curves({"from scratch": several(20), "B on A": several(20)}, thawed=4, guess=guess)
        figures.amounts(
            (1, 5, 20), {"from scratch": several(3), "B on mixed pixels": several(3)}, "A title", "k", guess
        )
        figures.rates((0.01, 0.1, 1.0), {"task A, old head": several(3), "task B, new head": several(3)}, guess)
        figures.statistics({"as A": several(2), "darker": several(2)}, guess)
        figures.bodies({"learned": several(3)[0], "random": several(3)[1]}, guess)
        drawn(plt)
    figures.pictures({"a": rng.random((4, 196)), "b": rng.random((5, 64))})
    figures.depths((0, 1, 2), {"learned on A": several(3), "random": several(3)})
    figures.planes({"pixels": rng.random((30, 2)), "features": rng.random((30, 2))}, np.arange(30) % 2)
    drawn(plt)


def drawn(plt):
    for number in plt.get_fignums():
        plt.figure(number).canvas.draw()
    plt.close("all")
