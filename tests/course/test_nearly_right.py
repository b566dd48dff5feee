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
    "cosine": [cosine_in_whole_steps],
    "batchnorm_forward": [batchnorm_of_another_momentum, batchnorm_of_another_eps],
    "adam": [adam_of_another_b1],
    "update_each": [update_each_without_the_rest_of_longer_lists],
    "l1_l2_penalty": [penalty_of_a_small_w, penalty_of_numbered_weights],
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
