"""Chapter 10: every bug of the curriculum is a misconception wherever it can be seen; float32 has its own group."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from gradschool_course.ch10_optimizers.exercises import EXERCISES
from gradschool_course.helpers import HELPERS
from gradschool_grader.answers import LiveAnswers
from gradschool_grader.home import HereWorker
from gradschool_grader.judge import judge

SEED = 11
BY_NAME = {exercise.name: exercise for exercise in EXERCISES}
COURSE = SimpleNamespace(helpers=HELPERS)

# The curriculum's list of bugs: in which exercise each is which misconception.
STEPS = ["momentum", "nesterov", "nag_step"]
ADAMS = ["adam", "adamax", "adamw", "nadam"]
BUGS = {
    "v sign": dict.fromkeys(STEPS, "uphill") | {"sgd": "uphill"},
    "lr outside/inside": dict.fromkeys(STEPS, "rate_outside") | {"sgd": "no_rate", "rmsprop": "rate_inside"},
    "damped (1−β)g": dict.fromkeys(STEPS, "damped") | {"rmsprop": "momentum_damped"},
    "gradient at wrong point": {"nag_step": "gradient_at_params"},
    "nesterov without βv": {"nesterov": "plain_step"},
    "state keyed by id": dict.fromkeys(STEPS, "keyed_by_id"),
    "state not keyed by name": dict.fromkeys(["sgd", *STEPS, "adagrad", "rmsprop", *ADAMS], "by_position"),
    "aliasing params": dict.fromkeys(["sgd", "momentum", "nesterov", "adagrad", "rmsprop", *ADAMS], "in_place")
    | {"nag_step": "looked_in_place", "update_each": "shared"},
    "EMA vs sum": {"adagrad": "averaged", "rmsprop": "summed"},
    "√ missing": {"adagrad": "no_root", "rmsprop": "no_root", "adam": "no_root"},
    "ε inside": dict.fromkeys(["adagrad", "rmsprop", "adam", "adamw", "nadam"], "eps_inside")
    | {"adamax": "eps_in_the_maximum"},
    "squares after": {"adagrad": "stale_squares", "rmsprop": "stale_squares"},
    "centred minus missing": {"rmsprop": "not_centered"},
    "initial .1": {"adagrad": "started_at_a_tenth"},
    "no bias correction": dict.fromkeys(["adam", "adamax", "adamw"], "no_bias_correction")
    | {"nadam": "v_not_corrected"},
    "t starts 0": dict.fromkeys(ADAMS, "t_starts_at_zero"),
    "t incremented per tensor": dict.fromkeys(ADAMS, "t_per_tensor"),
    "β1/β2 swapped": dict.fromkeys(ADAMS, "betas_swapped"),
    "ε̂": {"adam": "eps_hat_always", "adamw": "eps_hat_form", "nadam": "eps_hat_form"},
    "v of m": {"adam": "v_of_m", "adamax": "u_of_m", "adamw": "v_of_m", "nadam": "v_of_m"},
    "√(1−β2) not ^t": dict.fromkeys(ADAMS, "correction_without_t"),
    "decay coupled": {"adamw": "coupled"},
    "u uses sum": {"adamax": "u_sums"},
    "max without β2": {"adamax": "max_without_b2"},
    "weight decay multiplied by lr twice": {"adamw": "decay_times_lr_twice"},
    "β1^t vs β1^{t+1}": {"nadam": "both_next"},
    "product Πμ not updated": {"nadam": "product_not_updated"},
    "product updated per tensor": {"nadam": "product_per_tensor"},
    "product reset": {"nadam": "product_reset"},
    "g not divided by 1−Π": {"nadam": "g_not_divided"},
    "μ_t/μ_{t+1} swapped": {"nadam": "mu_swapped"},
    "m EMA with μ_t (Dozat)": {"nadam": "mean_with_mu"},
    "schedule exponent without ψ": {"nadam": "psi_missing"},
    "m̂ double-counts g": {"nadam": "g_counted_twice"},
    "uses 1−β1ᵗ for lookahead (Ruder)": {"nadam": "same_correction"},
    "skips nested dicts": {"update_each": "nested_skipped", "with_lr_factors": "nested_skipped"},
    "applies to BN state": {"update_each": "state_updated", "with_lr_factors": "state_updated"},
    "order": {"update_each": "by_position", "with_lr_factors": "by_position"},
}


def verdict(exercise, seed, names):
    answers = LiveAnswers(exercise, HELPERS, seed)
    return judge(exercise, lambda: HereWorker(COURSE, names), answers)


def alike(tree, change):
    if isinstance(tree, dict):
        return {name: alike(part, change) for name, part in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(alike(part, change) for part in tree)
    return change(tree) if isinstance(tree, np.ndarray) else tree


def test_every_exercise_of_the_curriculum_is_there_in_the_order_of_the_chapter():
    assert [exercise.name for exercise in EXERCISES] == [
        "sgd", "momentum", "nag_step", "nesterov", "adagrad", "rmsprop", "adam", "adamax", "adamw", "nadam",
        "update_each", "with_lr_factors",
    ]  # fmt: skip


@pytest.mark.parametrize("bug", BUGS)
def test_every_bug_of_the_curriculum_is_a_misconception_wherever_it_can_be_seen(bug):
    for name, mistake in BUGS[bug].items():
        assert mistake in [m.name for m in BY_NAME[name].misconceptions], (name, mistake)


def test_a_phrase_that_is_no_bug_has_a_reason():
    reasons = BY_NAME["adagrad"].not_bugs | BY_NAME["rmsprop"].not_bugs
    assert set(reasons) == {"squares after clipping order"}


@pytest.mark.parametrize("name", [e.name for e in EXERCISES if any(g.name == "float32" for g in e.groups)])
def test_an_answer_in_float64_fails_only_where_float32_is_asked_for(name):
    exercise = BY_NAME[name]

    def widened(*args, **options):
        return alike(exercise.plain(*args, **options), lambda x: x.astype(float))

    found = verdict(exercise, SEED, {name: widened})
    assert [group.name for group in found.groups if group.outcome != "passed"] == ["float32"]
    assert found.diagnosis.name != "misconception"
