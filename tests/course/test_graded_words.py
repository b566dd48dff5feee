"""What a graded run says holds no hidden input and no expected value, whatever is handed in, over all exercises."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hidden_numbers import FIGURE, NUMBER, hidden, measured, public, spellings

from gradschool_course.contents import course
from gradschool_grader import show
from gradschool_grader.answers import LiveAnswers
from gradschool_grader.compare import judge_property
from gradschool_grader.exercise import Call, Property, Script
from gradschool_grader.home import HereWorker
from gradschool_grader.inside.perform import leaves
from gradschool_grader.judge import judge
from gradschool_grader.observe import here, observe
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
    known = [fresh(m) for m in exercise.misconceptions[::7]]
    return [*known, *([] if exercise.is_class else of_no_catalogue(exercise)), tells, warns_of_it]


def fresh(m):
    return m.wrong() if getattr(m.wrong, "fresh", False) else m.wrong


def of_no_catalogue(exercise):
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
    return list(map(twisted, changes))


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
    stated = set(NUMBER.findall(exercise.task + str(exercise.signature)))
    for wrong in wrongs(exercise):
        verdict = judge(exercise, lambda f=wrong: HereWorker(course, {exercise.name: f}), answers).without_numbers()
        page = show.html(verdict, graded=True) + show.text(verdict, graded=True) + str(comment_on(verdict))
        told = {found.lstrip("-") for found in NUMBER.findall(page + json.dumps(verdict.to_json()))} - stated
        assert not told & secret
        diagnosis = verdict.diagnosis.text if verdict.diagnosis else ""
        assert not measured("\n".join([diagnosis, *(group.words for group in verdict.groups)]), exercise)


# ---------------------------------------------------------------------------------------------------------- properties
def has_properties(exercise):
    answers = LiveAnswers(exercise, course.helpers, SEED)
    return any(isinstance(probe, Property) for group in exercise.groups for probe in answers.probes(group))


def refusals(exercise, wrong, seed):
    """Why an answer does not have each of the properties that are asked for and that it has not."""
    answers = LiveAnswers(exercise, course.helpers, seed)
    for group in exercise.groups:
        probes = answers.probes(group)
        seen = observe(exercise, probes, here(exercise, wrong, course.helpers), twice=False)
        for number, probe in enumerate(probes):
            came = [o.behaviour for o in seen if o.probe == number]
            if isinstance(probe, Property) and not any(behaviour.error for behaviour in came):
                refusal = judge_property(probe, [behaviour.value for behaviour in came])
                if refusal:
                    yield refusal


def of_no_form(exercise):
    """Answers of another shape, type or number of parts, and as the reference's but of half precision."""
    yield from (lambda *a, x=x, **k: x for x in (None, 1.5, np.ones((2, 3)), (np.ones(4), 7.25), {"keep": 0.125}))
    yield lambda *a, **k: twist(exercise.plain(*a, **k), lambda x: x.astype(np.float16))
    yield lambda *a, **k: twist(exercise.plain(*a, **k), lambda x: x[..., :-1])


PROPERTIES = [exercise for exercise in course.exercises if has_properties(exercise)]


@pytest.mark.parametrize("exercise", PROPERTIES, ids=lambda e: e.name)
def test_no_property_is_refused_in_words_with_a_number_that_is_not_public(exercise):
    allowed = set(FIGURE.findall(public(exercise)))
    for wrong in (*map(fresh, exercise.misconceptions), *of_no_catalogue(exercise), *of_no_form(exercise)):
        for refusal in refusals(exercise, wrong, SEED):
            assert set(FIGURE.findall(refusal.words)) <= allowed, refusal.words


@pytest.mark.parametrize("exercise", PROPERTIES, ids=lambda e: e.name)
def test_a_mistake_is_refused_in_the_same_words_whatever_is_drawn(exercise):
    for m in exercise.misconceptions:
        one, other = (next(refusals(exercise, fresh(m), seed), None) for seed in range(2))
        assert (one and one.words) == (other and other.words), m.name


def test_at_home_a_refusal_says_what_was_measured():
    exercise = course.exercise("dropout_forward")
    by_rate = next(m.wrong for m in exercise.misconceptions if m.name == "divided_by_rate")
    answers = LiveAnswers(exercise, course.helpers, SEED)
    verdict = judge(exercise, lambda: HereWorker(course, {exercise.name: by_rate}), answers)
    at_home, graded = show.text(verdict, graded=False), show.text(verdict.without_numbers(), graded=True)
    assert "It is multiplied by" in at_home
    assert "It is multiplied by" not in graded


def test_the_search_finds_what_is_there():
    exercise = course.exercises[0]
    answers = LiveAnswers(exercise, course.helpers, SEED)
    verdict = judge(exercise, lambda: HereWorker(course, {exercise.name: lambda *a, **k: 3.0}), answers)
    shown = {found.lstrip("-") for found in NUMBER.findall(show.text(verdict, graded=False))}
    assert shown & spellings(hidden(exercise, answers))
