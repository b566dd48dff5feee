"""Answers that are right but for one thing that no catalogue lists are refused at every seed."""

from __future__ import annotations

import functools
from typing import ClassVar

import numpy as np
import pytest

from gradschool.lessons.plateau import ReduceOnPlateau
from gradschool_course.contents import course
from gradschool_grader.answers import LiveAnswers
from gradschool_grader.home import HereWorker
from gradschool_grader.judge import judge

BATCHNORM, UPDATE_EACH, ADAM, PENALTY = (
    course.exercise(name).plain for name in ("batchnorm_forward", "update_each", "adam", "l1_l2_penalty")
)
POWER, MOMENTUM = (course.exercise(name).plain for name in ("power", "one_cycle_momentum"))
COSINE, DENSE, PRELU, SPARSE, SET_TRAINABLE = (
    course.exercise(name).plain
    for name in ("cosine", "dense_backward", "prelu_backward", "sparse_cross_entropy_backward", "set_trainable")
)


def cosine_in_whole_steps(lr, period, final=0.0, restarts=False, growth=1.0, shrink=1.0):
    @functools.partial(np.vectorize, otypes=[float])
    def at(step):
        start, length, top = 0, period, lr - final
        while restarts and step >= start + length:
            start, length, top = start + length, np.ceil(length * growth), top * shrink
        return final + top * (1 + np.cos(np.pi * min((step - start) / length, 1))) / 2

    return at


def batchnorm_of_another_momentum(x, gamma, beta, state=None, training=False, momentum=0.9, eps=1e-5):
    return BATCHNORM(x, gamma, beta, state, training, momentum or 0.9, eps)


def batchnorm_of_another_eps(x, gamma, beta, state=None, training=False, momentum=0.9, eps=1e-5):
    return BATCHNORM(x, gamma, beta, state, training, momentum, eps or 1e-5)


def adam_of_another_b1(params, grads, state, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8, eps_hat=False):
    return ADAM(params, grads, state, lr, b1 or 0.9, b2, eps, eps_hat)


def update_each_without_the_rest_of_longer_lists(rule, params, *trees):
    def cut(p, other):
        if isinstance(p, dict) and isinstance(other, dict):
            return {name: cut(p.get(name), part) for name, part in other.items()}
        return other[: len(p)] if isinstance(p, list) and isinstance(other, list) else other

    return UPDATE_EACH(rule, params, *(cut(params, tree) for tree in trees))


def penalty_of(weight):
    """The right penalty of those arrays whose names weight(name) takes for weights."""

    def answer(params, l1, l2):
        found = {name: PENALTY({"W": p} if weight(name) else {"b": p}, l1, l2) for name, p in params.items()}
        return sum(value for value, _ in found.values()), {n: next(iter(g.values())) for n, (_, g) in found.items()}

    return answer


def penalty_of_a_small_w(params, l1, l2):
    return penalty_of(lambda name: name.lower().startswith("w"))(params, l1, l2)


def penalty_of_numbered_weights(params, l1, l2):
    return penalty_of(lambda name: name[0] == "W" and (name[1:] or "0").isdigit())(params, l1, l2)


def cosine_of_one_step_as_a_number(*args, **options):
    schedule = COSINE(*args, **options)
    return lambda step: np.asarray(schedule(step)).item() if np.size(step) == 1 else schedule(step)


def dense_backward_without_axes_of_one(g, cache):
    dX, dW, db = DENSE(g, cache)
    return dX, dW.squeeze(), db


def prelu_backward_of_one_channel_as_a_number(g, cache):
    dx, da = PRELU(g, cache)
    return dx, da.sum() if np.size(da) == 1 else da


def softmax_backward_moved_there_and_swapped_back(g, cache):
    p, g = (np.moveaxis(a, cache["axis"], -1) for a in (cache["p"], g))
    return np.swapaxes(p * (g - (g * p).sum(axis=-1, keepdims=True)), cache["axis"], -1).copy()


def sparse_backward_of_a_little_more(g, cache):
    return SPARSE(g, cache | {"P": cache["P"] + cache["P"].dtype.type(1e-30)})


def set_trainable_by_the_sign_of_the_first(model, layers, flag):
    return SET_TRAINABLE(model, [i + len(model) for i in layers] if layers and layers[0] < 0 else layers, flag)


def update_each_of_slots_that_all_are_there(rule, params, *trees):
    def complete(tree):
        parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
        return tree is not None and all(map(complete, parts))

    if not all(map(complete, trees[1:])):
        raise TypeError("a slot is None")
    return UPDATE_EACH(rule, params, *trees)


def layernorm_by_a_difference_of_squares(x, gamma, beta, axes=-1, eps=1e-5):
    mean, square = (a.mean(axis=axes, keepdims=True) for a in (x, x * x))
    return (x - mean) / np.sqrt(square - mean**2 + eps) * gamma + beta


def deviation_by_a_difference_of_squares(model, X, n, rng):
    scores = np.stack([model(X, rng) for _ in range(n)])
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    P = e / e.sum(axis=-1, keepdims=True)
    return P.mean(axis=0), np.sqrt(np.maximum((P**2).mean(axis=0) - P.mean(axis=0) ** 2, 0))


def curvatures_downwards_of_any_size(H, tol=1e-8):
    e = np.linalg.eigvalsh((H + np.transpose(H)) / 2)
    zero = tol * np.abs(e).max()
    up, down = np.sum(e > zero), np.sum(e < -zero / 2)
    return "saddle" if up and down else "min" if up == len(e) else "max" if down == len(e) else "degenerate"


def momentum_of_the_usual_last_phase(steps, high=0.95, low=0.85, last_steps=None):
    return MOMENTUM(steps, high, low)


def power_that_is_one_where_it_is_naught(lr, s, c=1.0):
    return POWER(lr, s, c or 1.0)


class PlateauWithAListForAll(ReduceOnPlateau):
    """A new object empties the list of all others."""

    seen: ClassVar[list[float]] = []

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.seen.clear()

    def update(self, value):
        self.best = min(self.seen, default=np.inf)
        improves = value < self.best - self.min_delta
        rate = super().update(value)
        if improves:
            self.seen.append(value)
        return rate


class PlateauWithoutANaught(ReduceOnPlateau):
    def __init__(self, lr, factor=0.1, patience=10, min_delta=1e-4, cooldown=0, min_lr=0.0):
        super().__init__(lr, factor, patience, min_delta or 1e-4, cooldown, min_lr)


WRONG = {
    "cosine": [cosine_in_whole_steps, cosine_of_one_step_as_a_number],
    "dense_backward": [dense_backward_without_axes_of_one],
    "prelu_backward": [prelu_backward_of_one_channel_as_a_number],
    "softmax_backward": [softmax_backward_moved_there_and_swapped_back],
    "sparse_cross_entropy_backward": [sparse_backward_of_a_little_more],
    "set_trainable": [set_trainable_by_the_sign_of_the_first],
    "layernorm": [layernorm_by_a_difference_of_squares],
    "batchnorm_forward": [batchnorm_of_another_momentum, batchnorm_of_another_eps],
    "adam": [adam_of_another_b1],
    "update_each": [update_each_without_the_rest_of_longer_lists, update_each_of_slots_that_all_are_there],
    "l1_l2_penalty": [penalty_of_a_small_w, penalty_of_numbered_weights],
    "mc_predict": [deviation_by_a_difference_of_squares],
    "classify_stationary": [curvatures_downwards_of_any_size],
    "one_cycle_momentum": [momentum_of_the_usual_last_phase],
    "power": [power_that_is_one_where_it_is_naught],
    "ReduceOnPlateau": [PlateauWithAListForAll, PlateauWithoutANaught],
}


@pytest.mark.parametrize(
    ("name", "answer"),
    [pytest.param(name, answer, id=answer.__name__) for name, answers in WRONG.items() for answer in answers],
)
def test_what_is_right_but_for_one_thing_is_refused_at_every_seed(name, answer):
    exercise = course.exercise(name)
    for seed in range(10):
        names = {"np": np, name: answer}
        verdict = judge(exercise, lambda: HereWorker(course, names), LiveAnswers(exercise, course.helpers, seed=seed))
        assert not verdict.passed, seed
