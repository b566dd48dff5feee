"""Property: stub, solution and the cell that holds both are one thing seen three ways."""

import ast
import inspect
from dataclasses import replace

import numpy as np
import pytest
from tiny_course import course, library

from gradschool_grader.exercise import Exercise
from gradschool_grader.source import clear, exercise_hash, shown, solution, solution_cell, stub

counter = Exercise(reference=library.Counter, chapter="ch01_tiny", task="Count.", example="", groups=[])
EXERCISES = [*course.exercises, counter]


def run(text: str) -> dict:
    names: dict = {"np": np}
    exec(compile(text, "<source>", "exec", dont_inherit=True), names)
    return names


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_clearing_the_solution_cell_leaves_the_stub(exercise):
    assert clear(solution_cell(exercise)) == stub(exercise)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_the_stub_has_the_signature_and_is_not_written(exercise):
    written = run(stub(exercise))[exercise.name]
    got, wanted = (
        [(p.name, p.kind, p.default) for p in inspect.signature(f).parameters.values()]
        for f in (written, exercise.plain)
    )
    assert got == wanted
    with pytest.raises(NotImplementedError):
        written(*[1] * (len(wanted) > 0 and not exercise.is_class))


@pytest.mark.parametrize("exercise", course.exercises, ids=lambda e: e.name)
def test_solution_and_solution_cell_do_what_the_reference_does(exercise):
    x = np.random.default_rng(3).normal(size=7)
    for text in (solution(exercise), solution_cell(exercise)):
        np.testing.assert_array_equal(run(text)[exercise.name](x), exercise.plain(x))


def test_a_class_keeps_its_public_methods_only():
    node = ast.parse(stub(counter)).body[0]
    assert isinstance(node, ast.ClassDef)
    assert [m.name for m in node.body if isinstance(m, ast.FunctionDef)] == ["__init__", "count", "doubled"]
    made = run(solution_cell(counter))["Counter"](step=5)
    assert (made.count(3), made.doubled) == (15, 30)


def test_the_docstring_is_the_task_wrapped_with_code_kept_whole_and_lists_as_they_are():
    text = stub(course.exercise("moving_average"))
    assert "`(T - n + 1,)`" in text
    assert "    - `n` is at least 1; anything else is a ValueError\n" in text
    assert max(map(len, text.split("\n"))) <= 120


@pytest.mark.parametrize("task", [r"Scale by \alpha.", 'Say "no".', 'Quote """ it.', "Ends in \\"])
def test_any_task_makes_a_docstring(task):
    written = run(stub(replace(course.exercise("square"), task=task)))["square"]
    assert written.__doc__.split()[0] == task.split()[0]


def test_the_hash_changes_with_what_is_asked_and_how_it_is_judged_and_with_nothing_else():
    square = course.exercise("square")
    first = exercise_hash(square)
    assert exercise_hash(replace(square, hints=(), minutes=9)) == first
    assert exercise_hash(replace(square, reference=library.moving_average)) != first
    assert exercise_hash(replace(square, groups=square.groups[:1])) != first
    worth_more = [replace(square.groups[0], points=5), *square.groups[1:]]
    assert exercise_hash(replace(square, groups=worth_more)) != first


def applied(rule, x):
    """Plumbing, longer than the rule."""
    out = []
    for entry in x:
        out.append(rule(entry))
    return gathered(out)


def gathered(out):
    return np.array(out)


def halved(entry):
    return entry / 2


def halves(x):
    return applied(halved, x)


def test_a_solution_shows_the_rule_before_the_plumbing_and_what_that_calls_last():
    exercise = Exercise(reference=halves, chapter="ch01_tiny", task="Halve.", example="", groups=[])
    order = [getattr(statement, "name", "") for statement in ast.parse(solution_cell(exercise)).body]
    assert order == ["halves", "halved", "applied", "gathered"]
    assert clear(solution_cell(exercise)) == stub(exercise)
    assert run(solution_cell(exercise))["halves"](np.array([3.0]))[0] == 1.5
    assert "SOLUTION" not in shown(exercise)
    assert run(shown(exercise))["halves"](np.array([3.0]))[0] == 1.5
