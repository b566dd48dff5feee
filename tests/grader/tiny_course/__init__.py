"""A course of one chapter and two exercises without deep learning, so that the grader's tests need no real course."""

from pathlib import Path

from gradschool_grader.course import Chapter, Course

from .ch01_tiny import exercises
from .helpers import constant

course = Course(
    name="tiny",
    title="A tiny course",
    chapters=[Chapter("ch01_tiny", 1, "Squares and means", Path(__file__).parent / "ch01_tiny", exercises.EXERCISES)],
    helpers={"constant": constant},
    public={"tiny_course": [constant]},
    placeholders=["matplotlib", "matplotlib.pyplot"],
    version="0.1",
)
