"""Chapter 3: every bug of the curriculum is a misconception; figures draw, and float32 stays what it is."""

import numpy as np
import pytest

from gradschool_course.ch03_losses.exercises import EXERCISES

BY_NAME = {exercise.name: exercise for exercise in EXERCISES}


def every_exercise(test):
    return pytest.mark.parametrize("exercise", EXERCISES, ids=[exercise.name for exercise in EXERCISES])(test)


# ---------------------------------------------------------------------------------------- the curriculum
LOSSES = ["l1_loss", "l2_loss", "half_mse", "huber"]
ENTROPIES = ["cross_entropy", "sparse_cross_entropy", "bce_with_logits", "softmax_cross_entropy"]
GRADIENTS = [f"{name}_backward" for name in LOSSES + ENTROPIES]
METRICS = ["accuracy", "mae_metric", "RunningMean"]

LOSS_BUGS = {
    "divides by N·C": ["divides_by_everything", "divides_by_n_c"],
    "divides by N·T": ["divides_by_n_t"],
    "½ missing/duplicated": ["half_missing", "half_added", "half_twice"],
    "T−Y sign in gradient": [],
    "Huber linear branch without −½δ²": ["linear_without_offset"],
    "δ not in slope": ["slope_without_delta"],
    "smooth-L1 (÷β) instead of Huber": ["smooth_l1"],
    "(N,)−(N,1) broadcast": ["no_shape_check"],
    "mask multiplies prediction only": ["masks_prediction_only"],
    'mask not in normaliser when "mask-included"': ["mask_not_in_divisor"],
    "weights applied before square": ["weights_inside"],
    "reduction none returns scalar": ["always_one_number"],
}
ENTROPY_BUGS = {
    "log(0) inf·0 NaN": ["log_of_zero"],
    "clip to 1e-7 *after* log": ["clipped_after_log"],
    "softmax twice": ["softmax_twice", "sigmoid_twice"],
    "natural vs log2": ["in_bits"],
    "mean over classes": ["averages_over_classes"],
    "multilabel missing (1−T)log(1−P)": ["without_the_negatives", "only_yes_counts"],
    "weighted by predicted class": ["weighted_by_prediction"],
    "Σ/Σw vs Σ/N": ["divides_by_weights"],
    "sparse indexing `P[:,y]` gives (N,N)": ["all_pairs"],
    "naive exp overflow": ["naive_exp"],
    "int one-hot dtype": ["integer_terms"],
    "N taken from shape[-1]": ["divides_by_last_axis"],
}
GRADIENT_BUGS = {
    "not divided by N": ["not_divided"],
    "(P−T) without one-hot": ["without_one_hot", "minus_class_number", "minus_the_number"],
    "sign at 0": ["one_at_zero"],
    "forgetting mask": ["forgets_mask"],
    "multiplied by softmax Jacobian twice": ["jacobian_twice", "softmax_included", "sigmoid_slope_again"],
    "T−Y sign in gradient": ["wrong_sign"],
    "½ missing/duplicated": ["factor_missing", "factor_two"],
    "δ not in slope": ["slope_without_delta"],
}
METRIC_BUGS = {
    "mean of batch means": ["mean_of_batch_means"],
    "argmax axis": ["over_the_batch"],
    "compares one-hot to probs": ["compares_rows_with_probabilities"],
    "binary threshold `>`/`>=`": ["more_than_half"],
    "last short batch": ["drops_short_batches"],
    "rounding": ["rounded", "rounds_probabilities"],
}
CURRICULUM = (
    dict.fromkeys(LOSSES, LOSS_BUGS)
    | dict.fromkeys(ENTROPIES, ENTROPY_BUGS)
    | dict.fromkeys(GRADIENTS, GRADIENT_BUGS)
    | dict.fromkeys(METRICS, METRIC_BUGS)
)


def test_the_chapter_has_every_exercise_of_its_rows():
    assert set(BY_NAME) == set(CURRICULUM)


@every_exercise
def test_every_listed_bug_is_a_misconception_or_has_a_reason_why_it_is_none(exercise):
    names = {misconception.name for misconception in exercise.misconceptions}
    for phrase, slugs in CURRICULUM[exercise.name].items():
        assert names.intersection(slugs) or exercise.not_bugs.get(phrase), phrase
    assert set(exercise.not_bugs) <= set(CURRICULUM[exercise.name])


# ---------------------------------------------------------------------------------------- precision
@pytest.mark.parametrize("name", GRADIENTS)
def test_a_group_holds_float32_to_stay_float32(name):
    groups = [group for group in BY_NAME[name].groups if group.exact_dtype]
    drawn = groups[0].probes(np.random.default_rng(1))
    for call in drawn:
        answer = BY_NAME[name].plain(**call.arguments)
        assert answer.dtype == np.float32


@pytest.mark.parametrize("name", LOSSES + ENTROPIES)
def test_a_loss_of_float32_is_float32(name):
    drawn = BY_NAME[name].groups[0].probes(np.random.default_rng(1))
    single = [call for call in drawn if next(iter(call.arguments.values())).dtype == np.float32]
    assert single
    for call in single:
        assert BY_NAME[name].plain(**call.arguments).dtype == np.float32


# ---------------------------------------------------------------------------------------- figures
def test_the_figures_are_drawn_with_and_without_a_prediction():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from gradschool_course.ch03_losses import figures

    c, several = np.linspace(20, 80, 13), np.random.default_rng(1).random((3, 5))
    curve = {"absolute": np.abs(c - 31), "Huber": np.abs(c - 32), "squared": (c - 62) ** 2}
    for guess in (None, 45, "the median"):
        figures.constants(np.array([28, 34, 310]), c, curve, guess)
        figures.rare((1, 3, 10, 30, 100), several, several, guess)
    figures.staircase(c, several.ravel()[:13], several.ravel()[:13])
    figures.noisy(np.arange(5), {"absolute": {0.0: several, 0.4: several}, "squared": {0.0: several, 0.4: several}})
    for draw in (figures.shapes, figures.surprise, figures.weighted, figures.pull):
        draw()
    for number in plt.get_fignums():
        plt.figure(number).canvas.draw()
    plt.close("all")


def test_digits_are_the_same_for_the_same_seed_and_rare_where_asked():
    from gradschool_course.ch03_losses import digits

    one, again = digits.split(5, 300, noise=0.5), digits.split(5, 300, noise=0.5)
    assert (one.y == again.y).all()
    assert (one.y != digits.split(5, 300).y).mean() == pytest.approx(0.45, abs=0.17)  # six sigma of 300 draws
    assert (digits.split(5, 300, rare=(8, 7)).y == 8).sum() == 7
    assert len(one.X) + len(one.X_test) == 1797
