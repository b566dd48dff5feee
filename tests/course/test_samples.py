"""The sample class is what it says: right where it is meant to be, and each mistake is the one it was made from."""

import ast
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from gradschool_course import course
from gradschool_course.apart import keep_apart
from gradschool_course.demo import SHOWN
from gradschool_course.samples import CHEAT, Meant, hand_in, sample_class
from gradschool_grader.answers import LiveAnswers
from gradschool_grader.chapter import as_text, build_source, student_version
from gradschool_grader.home import HereWorker
from gradschool_grader.judge import judge
from gradschool_grader.verdict import Diagnosis, GroupVerdict, Verdict

CHAPTERS = [course.chapter(name) for name in SHOWN]
SAMPLES = {sample.student: sample for sample in sample_class(CHAPTERS)}
RUNNABLE = [
    name for name, sample in SAMPLES.items() if sample.about in ("all right", "right in another way", "known mistakes")
]
SHOWN_EXERCISES = [exercise for chapter in CHAPTERS for exercise in chapter.exercises]
NAMES = [exercise.name for exercise in SHOWN_EXERCISES]


def test_the_class_has_twelve_students_and_at_least_five_make_mistakes():
    assert len(SAMPLES) == 12
    assert Counter(sample.about for sample in SAMPLES.values())["known mistakes"] == 5


@pytest.mark.parametrize("student", RUNNABLE)
def test_answers_that_are_harmless_are_judged_as_they_are_meant(student):
    sample, verdicts = SAMPLES[student], []
    for chapter in CHAPTERS:
        namespace = {"np": np}
        for exercise in chapter.exercises:
            exec(sample.answers[exercise.name], namespace)
        for exercise in chapter.exercises:
            answers = LiveAnswers(exercise, course.helpers, seed=20_11)
            verdicts.append(judge(exercise, lambda names=namespace: HereWorker(course, names), answers))
    assert sample.surprises(verdicts) == []


def test_every_chapter_has_every_kind_of_mistake_maker():
    for chapter in CHAPTERS:
        for sample in SAMPLES.values():
            mistakes = [
                sample.meant[e.name].misconception for e in chapter.exercises if sample.meant[e.name].misconception
            ]
            assert mistakes or sample.about != "known mistakes", (sample.student, chapter.id)


def test_the_five_make_different_mistakes_in_the_same_exercise():
    made = [
        (name, meant.misconception) for s in SAMPLES.values() for name, meant in s.meant.items() if meant.misconception
    ]
    several = [e.name for e in SHOWN_EXERCISES if len(e.misconceptions) > 4]
    assert [pair for pair, times in Counter(made).items() if times > 1 and pair[0] in several] == []


@pytest.mark.parametrize("student", SAMPLES)
def test_every_exercise_is_meant_to_come_to_something_and_every_answer_is_python(student):
    sample = SAMPLES[student]
    assert sorted(sample.meant) == sorted(NAMES)
    for name, text in sample.answers.items():
        assert name in {getattr(node, "name", None) for node in ast.parse(text).body} | assigned(text)


def assigned(text):
    nodes = [node for node in ast.parse(text).body if isinstance(node, ast.Assign)]
    return {target.id for node in nodes for target in node.targets if isinstance(target, ast.Name)}


def test_the_cheat_implements_nothing_and_may_earn_nothing():
    sample = SAMPLES["kofi"]
    assert {meant.points for meant in sample.meant.values()} == {0.0}
    assert "setattr(np" in CHEAT


# -------------------------------------------------------------------------------------------------- what is handed in
@pytest.fixture(scope="module")
def released(tmp_path_factory):
    chapter = CHAPTERS[0]
    file = tmp_path_factory.mktemp("released") / f"{chapter.id}.ipynb"
    file.write_text(as_text(student_version(build_source(chapter, course))), encoding="utf-8")
    return file


def cells(file: Path) -> list[dict]:
    return json.loads(file.read_text(encoding="utf-8"))["cells"]


def text_of(cell):
    return cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])


def test_only_answer_cells_change(released, tmp_path):
    before, after = cells(released), cells(hand_in(SAMPLES["ada"], released, tmp_path / "ada.ipynb"))
    changed = [
        b["metadata"]["nbgrader"]["grade_id"] for a, b in zip(before, after, strict=True) if text_of(a) != text_of(b)
    ]
    assert changed == [f"{exercise.name}_answer" for exercise in CHAPTERS[0].exercises]


def test_what_is_not_written_stays_a_stub(released, tmp_path):
    after = cells(hand_in(SAMPLES["hugo"], released, tmp_path / "hugo.ipynb"))
    assert sum("raise NotImplementedError()" in text_of(cell) for cell in after) >= 3


def test_the_copied_check_cells_are_exact_copies(released, tmp_path):
    after = cells(hand_in(SAMPLES["lena"], released, tmp_path / "lena.ipynb"))
    assert len(after) == len(cells(released)) + 2
    assert [count for count in Counter(cell["id"] for cell in after).values() if count > 1] == [2, 2]


def test_the_cheat_comes_before_everything_that_is_graded(released, tmp_path):
    code = [
        cell
        for cell in cells(hand_in(SAMPLES["kofi"], released, tmp_path / "kofi.ipynb"))
        if cell["cell_type"] == "code"
    ]
    assert text_of(code[0]) == CHEAT


# ------------------------------------------------------------------------------------------------- what is a surprise
def verdict(outcome, points, diagnosis=None):
    return Verdict("f", "", "ch", 1, "B", (GroupVerdict("all", outcome, points, 4.0),), diagnosis)


KNOWN = Diagnosis("misconception", "doubled", "…")


@pytest.mark.parametrize(
    ("meant", "found", "surprised"),
    [
        (Meant(), verdict("passed", 4.0), False),
        (Meant(), verdict("wrong", 0.0), True),
        (Meant(), None, True),
        (Meant("timeout", 0.0), verdict("timeout", 0.0), False),
        (Meant("timeout", 0.0), verdict("died", 0.0), True),
        (Meant(None, None, "doubled"), verdict("wrong", 1.0, KNOWN), False),
        (Meant(None, None, "halved"), verdict("wrong", 1.0, KNOWN), True),
        (Meant(None, None, "doubled"), verdict("wrong", 1.0), True),
        (Meant(None, None, "doubled"), verdict("passed", 4.0, KNOWN), True),
        (Meant(None, 0.0), verdict("raised", 0.0), False),
        (Meant(None, 0.0), verdict("wrong", 1.0), True),
    ],
)
def test_what_came_out_otherwise_is_said(meant, found, surprised):
    assert bool(meant.surprise(found)) == surprised


# -------------------------------------------------------------------------------------------- one name for one thing
def test_a_helper_never_replaces_the_answer_of_its_name():
    answers = {
        "clip": "def clip(x):\n    return 1\n",
        "huber": "def clip(x):\n    return 2\n\n\ndef huber(x):\n    return clip(x)\n",
    }
    namespace: dict = {}
    for text in keep_apart(answers, ["clip", "huber"]).values():
        exec(text, namespace)
    assert (namespace["clip"](0), namespace["huber"](0)) == (1, 2)


def test_a_helper_that_uses_a_renamed_one_is_renamed_with_it():
    shared = "def outer(x):\n    return inner(x)\n"
    answers = {
        "a": f"inner = lambda x: 1\n\n\n{shared}\n\ndef a(x):\n    return outer(x)\n",
        "b": f"inner = lambda x: 2\n\n\n{shared}\n\ndef b(x, inner=3):\n    return outer(x=x)\n",
    }
    namespace: dict = {}
    for text in keep_apart(answers, ["a", "b"]).values():
        exec(text, namespace)
    assert (namespace["a"](0), namespace["b"](0)) == (1, 2)


def test_the_same_helper_twice_keeps_its_name():
    answers = {name: f"def inner(x):\n    return x\n\n\ndef {name}(x):\n    return inner(x)\n" for name in ("a", "b")}
    assert keep_apart(answers, ["a", "b"]) == answers


def test_names_in_strings_attributes_and_keywords_are_left_alone():
    text = "def clip(x):\n    return 'clip'\n\n\ndef b(x):\n    return clip(np.clip(x, a_min=0, clip=2))  # clip\n"
    renamed = keep_apart({"b": text}, ["b", "clip"])["b"]
    assert renamed.count("clip_for_b") == 2
    assert "np.clip(" in renamed
    assert "clip=2" in renamed
    assert "'clip'" in renamed
