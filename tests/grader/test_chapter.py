"""Property: a chapter's text and its exercises make one notebook, always the same, in which nothing is left out."""

import re
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from tiny_course import course

from gradschool_grader.chapter import ChapterError, as_text, build_source, read_chapter, student_version
from gradschool_grader.course import Chapter
from gradschool_grader.source import exercise_hash, solution_cell, stub

CHAPTER = course.chapters[0]


def written(folder: Path, text: str, exercises=CHAPTER.exercises) -> Chapter:
    (folder / "chapter.md").write_text(text, encoding="utf-8")
    return replace(CHAPTER, folder=folder, exercises=exercises)


def by_id(notebook):
    return {cell.id: cell for cell in notebook.cells}


def test_the_same_chapter_gives_the_same_bytes():
    assert as_text(build_source(CHAPTER, course)) == as_text(build_source(CHAPTER, course))


def test_the_notebook_is_valid_and_its_cell_ids_are_unique():
    notebook = build_source(CHAPTER, course)
    nbformat.validate(notebook)
    assert len(by_id(notebook)) == len(notebook.cells)


def test_no_trace_of_the_tool_that_read_the_text_remains():
    assert "jupytext" not in as_text(build_source(CHAPTER, course))


def test_the_notebook_says_what_it_was_built_from():
    built_from = build_source(CHAPTER, course).metadata.gradschool
    assert (built_from.course, built_from.chapter, built_from.version) == ("tiny", "ch01_tiny", "0.1")
    assert built_from.exercises == {e.name: exercise_hash(e) for e in CHAPTER.exercises}


def test_the_header_becomes_the_first_cell():
    first = build_source(CHAPTER, course).cells[0].source
    for words in ("# 1 · Squares and means", "15 minutes, 7 points", "- smooth a series", "NumPy", "Grading"):
        assert words in first


@pytest.mark.parametrize("exercise", CHAPTER.exercises, ids=lambda e: e.name)
def test_an_exercise_becomes_task_answer_and_check(exercise):
    cells = by_id(build_source(CHAPTER, course))
    task, answer, check = (cells[f"{exercise.name}{suffix}"] for suffix in ("_task", "_answer", ""))
    assert exercise.title in task.source
    assert exercise.example in task.source
    assert answer.source == solution_cell(exercise, {e.name for e in CHAPTER.exercises} - {exercise.name})
    assert check.source == f'check("{exercise.name}")'
    kinds = [
        (c.metadata.nbgrader.grade, c.metadata.nbgrader.solution, c.metadata.nbgrader.locked) for c in (answer, check)
    ]
    assert kinds == [(False, True, False), (True, False, True)]
    assert check.metadata.nbgrader.points == exercise.points
    assert check.metadata.nbgrader.grade_id == exercise.name


def test_a_solution_does_not_define_another_exercise_of_the_chapter():
    answer = by_id(build_source(CHAPTER, course))["moving_average_answer"].source
    assert "def _square(x):" in answer
    assert "def square(x):" not in answer


def test_a_helper_must_mean_one_thing_in_all_solutions(tmp_path):
    cube = replace(CHAPTER.exercises[0], name="cube", reference=cubed)
    chapter = written(tmp_path, ":::{exercise} cube\n:::\n\n:::{exercise} moving_average\n:::\n",
                      exercises=[cube, CHAPTER.exercises[1]])  # fmt: skip
    with pytest.raises(
        ChapterError, match="`_windows` is one thing in cube_answer and another in moving_average_answer"
    ):
        build_source(chapter, course)


def _windows(x):
    return x


def cubed(x):
    return _windows(x) ** 3


def test_a_prediction_is_a_question_and_a_cell_for_the_answer_with_its_nested_fence():
    cells = by_id(build_source(CHAPTER, course))
    assert "```python\n(-3) * (-3)\n```" in cells["minus_three_question"].source
    assert cells["minus_three_prediction"].source == 'predict("minus_three", ...)'


def test_experiments_keep_their_tag_and_a_directive_in_a_fence_is_text():
    notebook = build_source(CHAPTER, course)
    tagged = [cell for cell in notebook.cells if "experiment" in cell.metadata.get("tags", [])]
    assert [cell.cell_type for cell in tagged] == ["code", "code"]
    assert any(":::{exercise} square" in cell.source for cell in notebook.cells)


def test_students_get_stubs_and_the_same_cells_otherwise():
    source = build_source(CHAPTER, course)
    released = student_version(source)
    assert [cell.id for cell in released.cells] == [cell.id for cell in source.cells]
    for exercise in CHAPTER.exercises:
        assert by_id(released)[f"{exercise.name}_answer"].source == stub(exercise)
    assert "SOLUTION" not in as_text(released)
    assert "SOLUTION" in as_text(source)


def test_checks_are_locked_and_answers_may_be_edited():
    cells = by_id(student_version(build_source(CHAPTER, course)))
    assert cells["square"].metadata["editable"] is False
    assert cells["square_answer"].metadata["deletable"] is False
    assert "editable" not in cells["square_answer"].metadata


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (":::{exercise} sqare\n:::", "Did you mean `square`"),
        (":::{exercise} square\nno end", "is not closed"),
        (":::{quiz} square\n:::", "there is no block {quiz}"),
        (":::{predict} two words\n:::", "0 blocks `:::{exercise} square`"),
        (":::{predict} 3\n:::", "a prediction is named by one word"),
        ("", "0 blocks `:::{exercise} square`; expected exactly one"),
        (":::{exercise} square\n:::\n\n:::{exercise} square\n:::", "2 blocks"),
    ],
)
def test_what_cannot_be_built_says_where_and_what_to_write(tmp_path, text, words):
    chapter = written(tmp_path, text, exercises=CHAPTER.exercises[:1])
    with pytest.raises(ChapterError, match=re.escape(words)):
        build_source(chapter, course)


def test_a_missing_text_is_an_error_that_names_the_file(tmp_path):
    with pytest.raises(ChapterError, match=r"expected .*chapter\.md"):
        build_source(replace(CHAPTER, folder=tmp_path), course)


def test_front_matter_and_a_break_are_read(tmp_path):
    header, cells = read_chapter(written(tmp_path, "---\ntitle: T\ngoals: [a, b]\n---\n\none\n\n+++\n\ntwo\n"))
    assert header == {"title": "T", "goals": ["a", "b"]}
    assert [cell.source for cell in cells] == ["one", "two"]


def test_text_that_occurs_twice_still_has_distinct_ids(tmp_path):
    chapter = written(tmp_path, "same\n\n+++\n\nsame\n", exercises=[])
    ids = [cell.id for cell in build_source(chapter, course).cells]
    assert len(set(ids)) == len(ids) == 3
