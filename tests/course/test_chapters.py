"""Every exercise of every chapter has all that teaching and grading need; the audit shows its grading is proven."""

import ast
import contextlib
import functools
import io
import re

import matplotlib
import numpy as np
import pytest

from gradschool_course import course
from gradschool_grader.answers import LiveAnswers
from gradschool_grader.beside import beside
from gradschool_grader.chapter import read_chapter
from gradschool_grader.home import HereWorker
from gradschool_grader.judge import judge
from gradschool_grader.source import solution, standalone, stub

matplotlib.use("Agg")
SEEDS = (20260101, 3)
CHAPTERS = [pytest.param(chapter, id=chapter.id) for chapter in course.chapters]
EXERCISES = [pytest.param(exercise, id=f"{exercise.chapter[:4]}-{exercise.name}") for exercise in course.exercises]


def every_exercise(test):
    return pytest.mark.parametrize("exercise", EXERCISES)(test)


def verdict(exercise, source, seed=SEEDS[0]):
    names = {"np": np}
    exec(compile(source, "<submission>", "exec"), names)
    return judge(exercise, lambda: HereWorker(course, names), LiveAnswers(exercise, course.helpers, seed))


# -------------------------------------------------------------------------------------------------- what is shown
@every_exercise
def test_the_solution_as_students_see_it_earns_all_points(exercise):
    for seed in SEEDS:
        found = verdict(exercise, solution(exercise), seed)
        assert found.points == exercise.points, [(g.name, g.words) for g in found.groups if g.outcome != "passed"]


@every_exercise
def test_the_stub_counts_as_not_written(exercise):
    found = verdict(exercise, stub(exercise))
    assert found.points == 0
    assert {group.outcome for group in found.groups} <= {"missing", "raised"}


@every_exercise
def test_the_example_prints_what_it_says(exercise):
    names = {"np": np, exercise.name: exercise.plain}
    lines, checked = exercise.example.split("\n"), 0
    for statement in ast.parse(exercise.example).body:
        _, _, comment = lines[statement.end_lineno - 1].partition("  # ")
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            if comment and isinstance(statement, ast.Expr):
                value = eval(ast.unparse(statement), names)
                assert (printed.getvalue().strip() or str(value)) == comment
                checked += 1
            else:
                exec(ast.unparse(statement), names)
    assert checked >= 1


@every_exercise
def test_the_solution_is_laid_beside_an_answer_that_passed_at_little_cost(exercise):
    found = beside(exercise, exercise.plain, course.helpers, SEEDS[0])
    assert len(found.columns) >= 2
    assert max(found.bytes.values()) < 50e6  # of larger inputs, too: what a laptop can spare


# ---------------------------------------------------------------------------------------------------- completeness
@every_exercise
def test_an_exercise_has_all_that_teaching_needs(exercise):
    assert exercise.title
    assert exercise.task.strip()
    assert 1 <= exercise.difficulty <= 5
    assert len(exercise.hints) >= 4  # concept, where to look, a worked sibling, pseudo-code
    assert len(exercise.variants) >= 3
    assert 2 <= exercise.points <= 9
    assert all(group.about for group in exercise.groups)
    names = [mistake.name for mistake in exercise.misconceptions]
    assert len(set(names)) == len(names) >= 1
    for mistake in exercise.misconceptions:
        assert "?" in mistake.hint, mistake.name
        assert mistake.says, mistake.name


@functools.cache
def headings(chapter):
    text = course.chapter(chapter).text.read_text(encoding="utf-8")
    outside = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return set(re.findall(r"^#+\s+(.+?)\s*$", outside, re.MULTILINE))


@every_exercise
def test_every_misconception_is_explained_under_a_heading_of_the_chapter(exercise):
    found = headings(exercise.chapter)
    assert {mistake.see for mistake in exercise.misconceptions} <= found


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_says_what_it_is_for_and_begins_with_three_quick_checks(chapter):
    header, cells = read_chapter(chapter)
    assert {"title", "number", "minutes", "goals", "needs"} <= set(header)
    text = "\n".join(cell.source for cell in cells)
    for words in ("## Three quick checks", "## Summary", "PyTorch", "Keras"):
        assert words in text, words
    assert text.count("{predict}") >= 1


@pytest.mark.parametrize("helper", course.helpers)
def test_a_helper_stands_alone(helper):
    factory, names = course.helpers[helper], {}
    exec("import numpy as np\n" + standalone(factory), names)
    assert callable(names[factory.__name__])
