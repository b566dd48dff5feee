"""A call is asked with one of several arrays only where the reference does the same to it alone."""

from __future__ import annotations

import numpy as np

from gradschool_grader.diagnosis.seen import Pair
from gradschool_grader.diagnosis.trial import Trial, thinned
from gradschool_grader.exercise import Tolerance


def step(params, grads, state, lr):
    v = {name: 0.9 * state["v"][name] - lr * g for name, g in grads.items()}
    return {name: p + v[name] for name, p in params.items()}, {"v": v}


def clipped(params, grads, state, lr):
    norm = np.sqrt(sum((g**2).sum() for g in grads.values()))
    return {name: p - lr * grads[name] / norm for name, p in params.items()}, state


def tree(rng):
    return {"W": rng.normal(size=(4, 3)), "b": rng.normal(size=3), "U": rng.normal(size=(2, 5))}


def trial(function):
    rng = np.random.default_rng(5)
    given = {"params": tree(rng), "grads": tree(rng), "state": {"v": tree(rng)}, "lr": 0.1}
    new, state = function(**given)
    parts = [(f"params['{k}']", f"[0]['{k}']", x) for k, x in new.items()]
    parts += [(f"state['v']['{k}']", f"[1]['v']['{k}']", x) for k, x in state["v"].items()]
    return Trial([Pair(path, e, e + 1, given, Tolerance(), leaf=leaf) for path, leaf, e in parts], {})


def test_the_smallest_array_of_each_tree_is_left():
    thin = thinned(trial(step), step)
    assert thin is not None
    assert thin.paths == {"params['b']", "state['v']['b']"}
    assert [list(thin.given["grads"]), list(thin.given["state"]["v"])] == [["b"], ["b"]]


def test_what_depends_on_all_arrays_is_asked_with_all():
    assert thinned(trial(clipped), clipped) is None
