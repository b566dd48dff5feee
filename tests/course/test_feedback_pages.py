"""No feedback page, as nbgrader renders it, holds a hidden input or an expected number, whatever was handed in."""

import json

import nbformat
import pytest
from hidden_numbers import NUMBER, hidden, spellings

pytest.importorskip("nbgrader")

from gradschool_course import course
from gradschool_course.demo import hand_in_all
from gradschool_course.samples import Sample, sample_class
from gradschool_course.say import where
from gradschool_grader.answers import LiveAnswers
from gradschool_grader.journal import FOLDER, Journal
from gradschool_grader.release import release
from gradschool_grader.teach.grade import grade

CHAPTER = course.chapter("optimizers")
SEED = (
    20_260  # fixed: among ten thousand drawn numbers of four digits one may stand in the course's own words by chance
)
# Ways in which a function can say what it was given: the exception and its type, a warning, the output, the answer.
TELLS = """def {name}(*args, **kwargs):
    import warnings
    told = repr((args, kwargs))
    print(told)
    warnings.warn(told)
    raise type(told[:400], (ValueError,), {{}})(told)
"""
ECHOES = """def {name}(*args, **kwargs):
    print(*args, kwargs)
    return {{repr(args): kwargs, "told": str(args)}}
"""


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Chapter 10, handed in by the sample class and by two who try to carry out what they are given."""
    folder = tmp_path_factory.mktemp("pages")
    list(release(course, [CHAPTER], folder, where=where(course)))
    samples = [sample for sample in sample_class([CHAPTER]) if sample.about == "known mistakes"]
    for name, template in (("teller", TELLS), ("echo", ECHOES)):
        answers = {exercise.name: template.format(name=exercise.name) for exercise in CHAPTER.exercises}
        samples.append(Sample(name, "tells what it is given", answers, {}))
    hand_in_all(samples, [CHAPTER], folder)
    seeds = folder / FOLDER / "seeds"
    seeds.mkdir(parents=True, exist_ok=True)
    (seeds / CHAPTER.id).write_text(f"{SEED}\n")
    return folder, grade(folder, jobs=1), [sample.student for sample in samples]


def numbers_of(text):
    return {found.lstrip("-") for found in NUMBER.findall(text)}


def test_no_rendered_page_holds_a_hidden_number(graded):
    folder, summary, students = graded
    seed = Journal(folder).seed(CHAPTER.id)
    assert seed == SEED
    secret = set()
    for exercise in CHAPTER.exercises:
        secret |= spellings(hidden(exercise, LiveAnswers(exercise, course.helpers, seed)))
    assert len(secret) > 10_000
    assert len(summary.judged) == len(students) == 7
    for student in students:
        own = (folder / "submitted" / student / CHAPTER.id / f"{CHAPTER.id}.ipynb").read_text(encoding="utf-8")
        page = (folder / "feedback" / student / CHAPTER.id / f"{CHAPTER.id}.html").read_text(encoding="utf-8")
        autograded = folder / "autograded" / student / CHAPTER.id / f"{CHAPTER.id}.ipynb"
        notebook = json.dumps(nbformat.read(autograded, as_version=4))
        assert "Your answer" in page or student in ("teller", "echo")
        told = (numbers_of(page) | numbers_of(notebook)) - numbers_of(own)
        assert not told & secret, student


def test_those_who_try_to_tell_earn_nothing_and_are_told_why(graded):
    _, summary, _ = graded
    for judged in summary.judged:
        if judged.student in ("teller", "echo"):
            assert judged.points == 0
            assert all(verdict.diagnosis for verdict in judged.verdicts)
