"""Wrong solutions that no catalogue has, as students write them, each get an explanation that leads to the mistake."""

from __future__ import annotations

import numpy as np
import pytest

from gradschool_course.contents import course
from gradschool_grader.answers import LiveAnswers
from gradschool_grader.home import HereWorker
from gradschool_grader.judge import judge


def sgd_that_also_decays(params, grads, state, lr=0.01):
    new = {}
    for name in params:
        new[name] = params[name] * (1 - lr) - lr * grads[name]
    return new, {}


def momentum_with_friction_twice(params, grads, state, lr=0.01, beta=0.9):
    v = {name: beta * state["v"][name] - lr * grads[name] for name in params}
    return {name: params[name] + beta * v[name] for name in params}, {"v": v}


def rmsprop_with_one_share_reversed(params, grads, state, lr=0.001, rho=0.9, eps=1e-8, centered=False, momentum=0.0):
    s, a, v, new = {}, {}, {}, {}
    for name, g in grads.items():
        s[name] = rho * state["s"][name] + (1 - rho) * g**2
        a[name] = (1 - rho) * state["a"][name] + rho * g
        spread = np.maximum(s[name] - a[name] ** 2, 0) if centered else s[name]
        v[name] = momentum * state["v"][name] + g / (np.sqrt(spread) + eps)
        new[name] = params[name] - lr * v[name]
    return new, {"s": s, "a": a, "v": v}


def half_mse_by_n_minus_one(Y, T, reduction="sum", normalization="batch-size", mask=None, weights=None):
    right = course.exercise("half_mse").plain(Y, T, reduction, normalization, mask, weights)
    return right * len(Y) / (len(Y) - 1) if reduction == "sum" and len(Y) > 1 else right


def huber_backward_clipped_above_only(g, cache):
    d = cache["Y"] - cache["T"]
    return np.where(d <= cache["delta"], d, cache["delta"]) * cache["scale"] * g


def huber_with_the_joint_moved(Y, T, delta=1.0, reduction="sum", normalization="batch-size", mask=None, weights=None):
    return course.exercise("huber").plain(Y, T, delta / 2, reduction, normalization, mask, weights)


def accuracy_of_the_least_likely(P, T):
    if P.ndim == 1:
        return float(np.mean((P >= 0.5) == (T == 1)))
    answers = P.argmin(axis=-1)
    truth = T if T.ndim == P.ndim - 1 else T.argmax(axis=-1)
    return float(np.mean(answers == truth))


def softmax_backward_that_leaves_out_the_last_row(g, cache):
    p = cache["p"]
    out = (p - cache["T"]) * cache["scale"] * g
    out[-1] = 0
    return out


def bce_backward_transposed(g, cache):
    right = course.exercise("bce_with_logits_backward").plain(g, cache)
    return right.T.copy() if right.ndim == 2 else right


def nesterov_that_adds_the_gradient_twice(params, grads, state, lr=0.01, beta=0.9):
    v = {name: beta * state["v"][name] - lr * grads[name] for name in params}
    return {name: params[name] + beta * v[name] - 2 * lr * grads[name] for name in params}, {"v": v}


# exercise, wrong solution, and what the explanation must say: the mistake, or where to look for it
TRIED = [
    ("sgd", sgd_that_also_decays, "the right one minus `lr` · `params`"),
    ("momentum", momentum_with_friction_twice, "The step, new minus old value, is what it should be times `beta`"),
    ("rmsprop", rmsprop_with_one_share_reversed, "is what it should be times `rho` / (1 − `rho`)"),
    ("half_mse", half_mse_by_n_minus_one, "times n/(n − 1), n being the size of axis 0 of `Y`"),
    ("huber_backward", huber_backward_clipped_above_only, "`cache['T']` is above `cache['Y']` by more than"),
    ("huber", huber_with_the_joint_moved, "right for half of `delta` in the place of `delta`"),
    ("accuracy", accuracy_of_the_least_likely, "right for the opposite of `P`"),
    ("softmax_cross_entropy_backward", softmax_backward_that_leaves_out_the_last_row, "only in the last entry along"),
    ("bce_with_logits_backward", bce_backward_transposed, "right, but transposed"),
    ("nesterov", nesterov_that_adds_the_gradient_twice, "the right one minus `lr` · `grads`. Only `params['W']`"),
]


@pytest.mark.parametrize(("name", "wrong", "gist"), TRIED, ids=[name for name, *_ in TRIED])
@pytest.mark.parametrize("seed", [4, 5])
def test_a_wrong_solution_of_no_catalogue_is_explained(name, wrong, gist, seed):
    exercise = course.exercise(name)
    answers = LiveAnswers(exercise, course.helpers, seed)
    verdict = judge(exercise, lambda: HereWorker(course, {name: wrong}), answers)
    assert verdict.diagnosis is not None
    assert verdict.diagnosis.kind == "structure"
    assert gist in verdict.diagnosis.text
    assert verdict.diagnosis.hint.endswith("?") or "only" in verdict.diagnosis.text or "transposed" in gist
