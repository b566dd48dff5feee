"""What people read: in a graded run no hidden input, no expected value, nothing a submission could smuggle out."""

from __future__ import annotations

import numpy as np
from tiny_course import course, library

from gradschool_grader import show
from gradschool_grader.answers import LiveAnswers
from gradschool_grader.home import HereWorker
from gradschool_grader.inside.perform import Performer
from gradschool_grader.judge import judge

SQUARE = course.exercise("square")


def verdict_on(answer, seed=1):
    names = answer if isinstance(answer, dict) else {"square": answer}
    return judge(SQUARE, lambda: HereWorker(course, names), LiveAnswers(SQUARE, course.helpers, seed))


def raises_its_input(x):
    raise ValueError(f"<script>alert({x[0]!r})</script>")


def test_every_number_of_the_failing_case_is_shown_at_home_and_none_when_graded():
    verdict = verdict_on(lambda x: x**2 + np.arange(x.size).reshape(x.shape))
    detail = verdict.groups[0].detail
    assert "expected" in detail
    for write in (show.text, show.html):
        assert detail in write(verdict, graded=False)
        assert detail not in write(verdict, graded=True)


def test_a_message_of_the_submission_is_hidden_when_graded_and_escaped_at_home():
    verdict = verdict_on(raises_its_input)
    assert "<script>" not in show.html(verdict, graded=False)
    assert "&lt;script&gt;" in show.html(verdict, graded=False)
    for write in (show.text, show.html):
        assert "alert" not in write(verdict, graded=True)
        assert "ValueError" in write(verdict, graded=True)


def test_the_card_has_no_script_and_no_event_handler():
    for answer in (library.square, lambda x: 2 * x, raises_its_input, {}):
        card = show.html(verdict_on(answer), graded=False)
        assert "<script" not in card
        assert " on" not in card.replace(" on ", " ").replace(" one", " ").replace(" only", " ")


def test_a_hint_is_a_question_and_stands_in_both():
    verdict = verdict_on(lambda x: 2 * x)
    for graded in (True, False):
        assert "What is the square of 3?" in show.text(verdict, graded)
        assert "What is the square of 3?" in show.html(verdict, graded)


def test_words_between_back_quotes_become_code():
    assert show.code_words("`a < b` is not <b>") == "<code>a &lt; b</code> is not &lt;b&gt;"


def test_points_are_counted_in_words():
    assert show.score(1, 1) == "1 of 1 point"
    assert show.score(0.5, 3) == "0.5 of 3 points"


def test_the_same_error_in_the_same_line_is_shown_once():
    names = {"np": np}
    source = "def square(x):\n    return x @ np.ones((99, 99, 99))"
    Performer({}, names).handle({"op": "run", "cells": [[4, source]]})
    verdict = verdict_on(names)
    assert [group.outcome for group in verdict.groups] == ["raised", "raised"]
    for write in (show.text, show.html):
        assert write(verdict, graded=False).count("return x @") == 1
        assert "the same error in the same line" in write(verdict, graded=False)
