"""Sequences: of a part of what the steps return it is told what it is over the steps, if it is that in all of them."""

from __future__ import annotations

import numpy as np
import pytest
from test_diagnosis import Here, diagnosis_of, sets

from gradschool_grader.answers import LiveAnswers
from gradschool_grader.diagnosis.sequences import part_over_steps
from gradschool_grader.exercise import Steps
from gradschool_grader.judge import judge


def watch(state, x, limit=3):
    """Counts numbers in a row that are not below the lowest one, and is done while there are `limit` or more."""
    lower = x < state["lowest"]
    wait = 0 if lower else state["wait"] + 1
    lowest = x if lower else state["lowest"]
    return {"lowest": lowest, "wait": wait, "done": wait >= limit, "level": np.tanh(x) * np.arange(1.0, 4.0)}


def stories(rng):
    for limit, gaps in ((3, [2, 5, 1, 4, 5]), (4, [4, 3, 0, 5])):
        values, best = [], 5.0
        for gap in gaps:
            best -= float(rng.uniform(0.3, 0.5))
            values += [best, *(best + rng.uniform(0.01, 0.9, size=gap)).tolist()]
        start = {"lowest": 9.0, "wait": 0, "done": False, "level": np.zeros(3)}
        yield Steps({"state": start}, [{"x": x} for x in values], {"limit": limit})


WATCH = sets(watch, lambda rng: list(stories(rng)))


def over_steps(exercise, wrong):
    seen = []
    judge(exercise, lambda: Here(wrong, exercise.name), LiveAnswers(exercise, {}, 3), witness=seen)
    return part_over_steps(exercise, seen, [s for s in seen if s.difference])


def with_another(name, change):
    return lambda state, x, limit=3: (new := watch(state, x, limit)) | {name: change(state, new, limit)}


FLAGS = {
    "part_late": lambda old, new, limit: old["wait"] >= limit,
    "begins_late": lambda old, new, limit: new["wait"] > limit,
    "first_only": lambda old, new, limit: new["wait"] == limit,
    "stays_true": lambda old, new, limit: old["done"] or new["wait"] >= limit,
}


@pytest.mark.parametrize("name", FLAGS)
def test_a_flag_is_told_by_what_it_is_over_the_steps(name):
    found = over_steps(WATCH, with_another("done", FLAGS[name]))
    assert found is not None
    assert (found.kind, found.name) == ("structure", name)
    assert found.text.startswith("`state['done']` ")


def test_a_flag_that_falls_back_is_told_where_nothing_else_is_wrong():
    found = diagnosis_of(WATCH, with_another("done", FLAGS["first_only"]))
    assert found.text == "`state['done']` is true in the first step only of several in which it should be."


def test_numbers_of_the_step_before_or_the_largest_so_far():
    highest = with_another("level", lambda old, new, limit: np.maximum(old["level"], new["level"]))
    found = over_steps(WATCH, highest)
    assert found is not None
    assert found.text == "`state['level']` is the largest so far of what it should be."

    kept = [np.zeros(3)]

    def late(old, new, limit):
        kept[:] = [kept[-1] if old["lowest"] < 9 else np.zeros(3), new["level"]]
        return kept[0]

    found = over_steps(WATCH, with_another("level", late))
    assert found is not None
    assert found.text == "`state['level']` is in each step what it should be in the step before."


def test_what_is_wrong_besides_is_told_and_nothing_that_comes_behind_it():
    late = with_another("done", FLAGS["begins_late"])
    odd = lambda state, x, limit=3: late(state, x, limit) | {"level": np.sin(40 * watch(state, x)["level"]) + 0.3}
    assert over_steps(WATCH, odd) is None  # another part is wrong from the first step on
    found = over_steps(WATCH, lambda state, x, limit=3: (odd if limit == 4 else late)(state, x, limit))
    assert found is not None
    assert found.text == "`state['done']` becomes true one step late. `state['level']` is wrong too."


def test_parts_that_go_wrong_at_once_say_nothing_of_later_steps():
    def pushed(params, velocity, g, rate=0.1):
        velocity = 0.9 * velocity - rate * g
        return params + velocity, velocity

    def probes(rng):
        feed = [{"g": rng.normal(size=4)} for _ in range(5)]
        return [Steps({"params": rng.normal(size=4), "velocity": rng.normal(size=4)}, feed, {"rate": 0.23})]

    def wrong(params, velocity, g, rate=0.1):
        velocity = np.sin(9 * velocity) - rate * g**2
        return params + np.cos(7 * velocity), velocity

    assert "in each step what it should be" not in diagnosis_of(sets(pushed, probes), wrong).text
