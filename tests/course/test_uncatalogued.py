"""Wrong solutions that no catalogue has, as students write them, each get an explanation that leads to the mistake."""

from __future__ import annotations

import numpy as np
import pytest

from gradschool_course.contents import course
from gradschool_grader.answers import LiveAnswers
from gradschool_grader.compare import agrees
from gradschool_grader.diagnosis.switched import switched
from gradschool_grader.home import HereWorker
from gradschool_grader.judge import judge
from gradschool_grader.observe import here, observe


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
    ("nesterov", nesterov_that_adds_the_gradient_twice, "the right one minus `lr` · `grads`. Only `params` is"),
]


# ------------------------------------------------------------------------------------------------- the other chapters
def plain(name):
    return course.exercise(name).plain


def prelu_backward_with_the_slope_squared(g, cache):
    x, a = cache["x"], cache["a"]
    return np.where(x > 0, g, a * a * g), plain("prelu_backward")(g, cache)[1]


def softmax_backward_with_the_sum_added(g, cache):
    p, axis = cache["p"], cache["axis"]
    return p * (g + (g * p).sum(axis=axis, keepdims=True))


def sigmoid_backward_with_a_square(g, cache):
    return g * cache["y"] * (1 - cache["y"] ** 2)


def layernorm_by_the_mean_deviation(x, gamma, beta, axes=-1, eps=1e-5):
    z = x - x.mean(axis=axes, keepdims=True)
    return gamma * z / np.sqrt(np.abs(z).mean(axis=axes, keepdims=True) ** 2 + eps) + beta


def local_response_norm_without_the_signal(x, window, alpha=1e-4, beta=0.75, k=2.0):
    near = plain("local_response_norm")(x, window, alpha, beta, k)
    return near / x


def cosine_of_a_whole_turn(lr, period, final=0.0, restarts=False, growth=1.0, shrink=1.0):
    right = plain("cosine")(lr, period, final, restarts, growth, shrink)
    return lambda step: right(2 * step)


def polynomial_that_comes_up_again(lr, steps, final=0.0, power=1.0):
    if steps <= 0 or power <= 0:
        raise ValueError("no steps")
    return lambda step: final + (lr - final) * np.abs(1 - step / steps) ** power


def warmup_from_twice_the_start(after, steps, start=0.0):
    return plain("warmup")(after, steps, 2 * start)


def huber_that_weighs_before_it_bends(
    Y, T, delta=1.0, reduction="sum", normalization="batch-size", mask=None, weights=None
):
    w = 1 if weights is None else np.sqrt(weights)
    return plain("huber")(Y * w, T * w, delta, reduction, normalization, mask)


def half_mse_that_counts_the_padding(Y, T, reduction="sum", normalization="batch-size", mask=None, weights=None):
    if mask is None or reduction == "sum":
        return plain("half_mse")(Y, T, reduction, normalization, mask, weights)
    return plain("half_mse")(Y, T, reduction, normalization, None, weights)


TRIED += [
    ("prelu_backward", prelu_backward_with_the_slope_squared, "right for `cache['a']` squared"),
    (
        "softmax_backward",
        softmax_backward_with_the_sum_added,
        "a plus in the place of a minus, where `g` stands",
    ),
    ("sigmoid_backward", sigmoid_backward_with_a_square, "the right one times (1 + `cache['y']`)"),
    ("layernorm", layernorm_by_the_mean_deviation, "apart from `beta`, the answer is a multiple of what it should be"),
    ("local_response_norm", local_response_norm_without_the_signal, "the right one divided by `x`"),
    ("cosine", cosine_of_a_whole_turn, "right for twice what it is asked for"),
    ("polynomial", polynomial_that_comes_up_again, "only where the argument of the returned function is above `steps`"),
    ("warmup", warmup_from_twice_the_start, "right for twice `start` in the place of `start`"),
    ("huber", huber_that_weighs_before_it_bends, "wrong only in calls in which `weights` is given"),
    ("half_mse", half_mse_that_counts_the_padding, "only where `mask` is zero. There: Zero is expected"),
]


# ------------------------------------------------------------------------------------- as the task is half understood
def elu_backward_of_the_other_exponential(g, cache):
    x, alpha = cache["x"], cache["alpha"]
    return np.where(x > 0, g, g * alpha * np.exp(-x))


def instancenorm_over_the_last_place_only(x, gamma, beta, eps=1e-5):
    mean = x.mean(axis=-2, keepdims=True)
    variance = ((x - mean) ** 2).mean(axis=-2, keepdims=True)
    return gamma * (x - mean) / np.sqrt(variance + eps) + beta


def adamax_that_sums_its_gradients(params, grads, state, lr=2e-3, b1=0.9, b2=0.999, eps=1e-8):
    t, new, m, u = state["t"] + 1, {}, {}, {}
    for name, g in grads.items():
        m[name] = b1 * state["m"][name] + g
        u[name] = np.maximum(b2 * state["u"][name], np.abs(g))
        new[name] = params[name] - lr / (1 - b1**t) * m[name] / (u[name] + eps)
    return new, {"t": t, "m": m, "u": u}


def polynomial_that_blends_two_rates(lr, steps, final=0.0, power=1.0):
    if steps <= 0 or power <= 0:
        raise ValueError("no steps")

    def at(step):
        done = np.minimum(step / steps, 1)
        return lr * (1 - done) ** power + final * done

    return at


def max_norm_of_the_third_order(params, limit):
    new = {}
    for name, p in params.items():
        new[name] = p.copy()
        if name.startswith("W"):
            sizes = (np.abs(p) ** 3).sum(axis=tuple(range(p.ndim - 1))) ** (1 / 3)
            new[name] *= np.where(sizes > limit, limit / np.maximum(sizes, 1e-300), 1)
    return new


TRIED += [
    ("elu_backward", elu_backward_of_the_other_exponential, "wrong only where `cache['x']` is negative"),
    ("instancenorm", instancenorm_over_the_last_place_only, "a sum or mean along another axis, in 2 places"),
    ("adamax", adamax_that_sums_its_gradients, "a factor left out, where `b1` stands"),
    ("polynomial", polynomial_that_blends_two_rates, "wrong in every call in which `final` is not 0"),
    ("max_norm", max_norm_of_the_third_order, "another one for each index of the last axis"),
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


@pytest.mark.parametrize("exercise", course.exercises, ids=lambda e: e.name)
def test_with_no_switch_on_the_reference_is_what_it_was(exercise):
    answers = LiveAnswers(exercise, course.helpers, 6)
    other = switched(exercise)
    for group in exercise.groups:
        told = observe(exercise, answers.probes(group), here(exercise, other.function, course.helpers))
        assert agrees(exercise, group, answers.probes(group), answers.expected(group), told)
