"""Property: every exercise of the course can be kept beside a release, and asks the same when it is taken up again."""

from dataclasses import replace

import pytest

from gradschool_course import course
from gradschool_grader import source
from gradschool_grader.versions import exercise_from, kept_text


@pytest.mark.parametrize("chapter", course.chapters, ids=lambda chapter: chapter.id)
def test_every_exercise_can_be_kept(chapter):
    """By the hash, which is made of its reference, its groups, and the source of their probes. Known mistakes are left
    aside here: they name, and decide nothing."""
    for exercise in chapter.exercises:
        bare = replace(exercise, misconceptions=())
        again = exercise_from(kept_text(bare, course.helpers))
        assert source._hash(again) == source.exercise_hash(exercise), exercise.name
        assert source.stub(again) == source.stub(exercise), exercise.name
