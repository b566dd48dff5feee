"""Parameters that stand for several, `*trees` and `**options`, are probed like those that have a name."""

from __future__ import annotations

import pytest

from gradschool_grader.exercise import Call, Exercise, Group
from gradschool_grader.observe import here, observe


def weighted(scale, *terms, **weights):
    return scale * sum(terms) + sum(weights.values())


def ask(**arguments):
    exercise = Exercise(reference=weighted, chapter="t", task="", example="", groups=[Group("g", 1, lambda rng: [])])
    return observe(exercise, [Call(**arguments)], here(exercise, weighted, {}))[0].behaviour


def test_a_tuple_becomes_the_further_positions_and_unknown_names_become_options():
    behaviour = ask(scale=3.0, terms=(2.0, 5.0, 7.0), bias=0.5)
    assert behaviour.value == 3.0 * 14.0 + 0.5


def test_nothing_for_the_further_positions_is_as_good_as_none_of_them():
    assert ask(scale=3.0, terms=()).value == 0.0


def test_an_unknown_name_is_still_refused_where_nothing_takes_options():
    def named(x):
        return x

    exercise = Exercise(reference=named, chapter="t", task="", example="", groups=[Group("g", 1, lambda rng: [])])
    with pytest.raises(TypeError, match="probe gives"):
        observe(exercise, [Call(x=1.0, y=2.0)], here(exercise, named, {}))
