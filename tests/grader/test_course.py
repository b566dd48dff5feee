"""Property: chapters and exercises are found by any name that people use, and a wrong name suggests the right one."""

import pytest
from tiny_course import course

from gradschool_grader.course import Course, Unknown, find_chapter, find_courses, find_exercise, load_course


@pytest.mark.parametrize("name", ["ch01_tiny", "tiny", "1", "01", "ch1", "chapter 1", "Squares and means", " TINY "])
def test_a_chapter_is_found_by_id_short_name_number_and_title(name):
    assert course.chapter(name) is course.chapters[0]


def test_an_installed_course_is_found_by_its_entry_point():
    assert find_courses()["tiny"] is course
    assert load_course("tiny") is course is load_course("tiny_course:course")
    assert find_chapter("ch01_tiny") == (course, course.chapters[0])
    assert find_exercise("moving_average") == (course, course.exercises[1])


@pytest.mark.parametrize(
    ("look", "name", "nearest"),
    [
        (course.chapter, "ch01_tinny", "ch01_tiny"),
        (course.exercise, "moving_avrage", "moving_average"),
        (course.chapters[0].exercise, "sqare", "square"),
        (lambda name: find_chapter(name, [course]), "tinyy", "tiny"),
        (lambda name: find_exercise(name, [course]), "squares", "square"),
    ],
)
def test_an_unknown_name_suggests_the_nearest(look, name, nearest):
    with pytest.raises(Unknown, match=f"Did you mean `{nearest}`") as caught:
        look(name)
    assert caught.value.nearest == nearest


def test_a_name_like_no_other_lists_what_there_is():
    with pytest.raises(Unknown, match="There is: moving_average, square"):
        course.exercise("zzz")


def test_an_exercise_name_occurs_once_in_a_course():
    with pytest.raises(ValueError, match="square occurs twice"):
        Course("double", "", [course.chapters[0], course.chapters[0]])


def test_helpers_and_public_modules_stand_alone():
    names: dict = {}
    exec(course.helpers_source, names)
    assert names["HELPERS"]["constant"](4.0)(0.5) == 4.0
    assert set(course.modules) == {"tiny_course", "gradschool_grader"}
    for text in course.modules.values():
        exec(text, {})
