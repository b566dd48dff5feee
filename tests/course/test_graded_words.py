"""What a graded run says holds no hidden input and no expected value, whatever is handed in, over all exercises."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hidden_numbers import NUMBER, hidden, spellings

from gradschool_course.contents import course
from gradschool_grader import show
from gradschool_grader.answers import LiveAnswers
from gradschool_grader.exercise import Call, Script
from gradschool_grader.home import HereWorker
from gradschool_grader.inside.perform import leaves
from gradschool_grader.judge import judge
from gradschool_grader.teach.saving import comment_on

SEED = 20_260
WHOLE = {"topological_order"}  # its inputs are names of nodes, whole numbers below ten as a rule: nothing to tell apart


def tells(*args, **kwargs):
    given = [leaf for _, leaf in leaves([list(args), dict(kwargs)])]
    raise ValueError(" ".join(str(np.asarray(x).ravel().tolist()) for x in given))


def warns_of_it(*args, **kwargs):
    import warnings

    warnings.warn(str([repr(x) for x in args]), stacklevel=1)
    print(args, kwargs)
    return args[0] if args else 0.0


def wrongs(exercise):
    """Known mistakes, some of no catalogue, and two that would tell what they were given."""
    known = [m.wrong() if getattr(m.wrong, "fresh", False) else m.wrong for m in exercise.misconceptions[::7]]
    if exercise.is_class:
        return [*known, tells, warns_of_it]

    def twisted(change):
        def wrong(*args, **kwargs):
            return twist(exercise.plain(*args, **kwargs), change)

        return wrong

    changes = [
        lambda x: 1.37 * x,
        lambda x: x + 0.61,
        lambda x: np.ones_like(x),
        lambda x: np.sin(x),
        lambda x: x * np.nan,
    ]
    return [*known, *map(twisted, changes), tells, warns_of_it]


def twist(value, change):
    if isinstance(value, tuple | list):
        return type(value)(twist(item, change) for item in value)
    if isinstance(value, dict):
        return {key: twist(item, change) for key, item in value.items()}
    if callable(value):
        return lambda *args, **kwargs: twist(value(*args, **kwargs), change)
    return change(np.asarray(value, float)) if isinstance(value, np.ndarray | float | np.floating) else value


@pytest.mark.parametrize("exercise", course.exercises, ids=lambda e: e.name)
def test_no_word_of_a_graded_run_holds_a_hidden_number(exercise):
    answers = LiveAnswers(exercise, course.helpers, SEED)
    secret = spellings(hidden(exercise, answers))
    calls = all(isinstance(p, Script | Call) for g in exercise.groups for p in answers.probes(g))
    assert secret or calls or exercise.name in WHOLE
    public = set(NUMBER.findall(exercise.task + str(exercise.signature)))
    for wrong in wrongs(exercise):
        verdict = judge(exercise, lambda f=wrong: HereWorker(course, {exercise.name: f}), answers).without_numbers()
        page = show.html(verdict, graded=True) + show.text(verdict, graded=True) + str(comment_on(verdict))
        told = {found.lstrip("-") for found in NUMBER.findall(page + json.dumps(verdict.to_json()))} - public
        assert not told & secret


def test_the_search_finds_what_is_there():
    exercise = course.exercises[0]
    answers = LiveAnswers(exercise, course.helpers, SEED)
    verdict = judge(exercise, lambda: HereWorker(course, {exercise.name: lambda *a, **k: 3.0}), answers)
    shown = {found.lstrip("-") for found in NUMBER.findall(show.text(verdict, graded=False))}
    assert shown & spellings(hidden(exercise, answers))
