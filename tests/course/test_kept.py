"""Property: every exercise of the course can be kept beside a release, and asks the same when it is taken up again."""

import pytest

from gradschool_course import course
from gradschool_grader import source
from gradschool_grader.answers import LiveAnswers
from gradschool_grader.inside.perform import Performer
from gradschool_grader.judge import judge
from gradschool_grader.versions import exercise_from, kept_text


class Here(Performer):
    """A worker in this process, for answers of ours."""

    def request(self, message, seconds):
        return self.handle(message)

    def close(self):
        pass


@pytest.mark.parametrize("chapter", course.chapters, ids=lambda chapter: chapter.id)
def test_every_exercise_can_be_kept(chapter):
    """By the hash, which is made of its reference, its groups, and the source of their probes. And every known mistake
    comes along: who is graded by an earlier version is told what he would have been told then."""
    for exercise in chapter.exercises:
        again = exercise_from(kept_text(exercise, course.helpers))
        assert source._hash(again) == source.exercise_hash(exercise), exercise.name
        assert source.stub(again) == source.stub(exercise), exercise.name
        names = [[mistake.name for mistake in known.misconceptions] for known in (exercise, again)]
        assert names[0] == names[1], exercise.name


# Whose texts need more than functions of the course: default values and parts that were handed to a maker of mistakes,
# the standard library's and NumPy's own functions, a mistake that remembers.
HARD = ["he", "gradient_norms", "selu_constants", "clone_model", "replace_head", "forward", "dropout_forward"]


@pytest.mark.parametrize("name", HARD)
def test_kept_mistakes_are_named_as_themselves(name):
    exercise = course.exercise(name)
    kept = exercise_from(kept_text(exercise, course.helpers))
    for mistake in exercise.misconceptions:
        wrong = mistake.wrong() if getattr(mistake.wrong, "fresh", False) else mistake.wrong
        worker = Here(course.helpers, {name: wrong})
        verdict = judge(kept, lambda worker=worker: worker, LiveAnswers(kept, course.helpers, 3))
        assert verdict.diagnosis is not None
        assert verdict.diagnosis.name == mistake.name
