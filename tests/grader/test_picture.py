"""A picture shows where the error is, with the axes' names; it is drawn at home only, and holds no script."""

from __future__ import annotations

import numpy as np

from gradschool_grader import picture, show
from gradschool_grader.answers import LiveAnswers
from gradschool_grader.exercise import Call, Exercise, Group, Property, Seed, Steps
from gradschool_grader.inside.perform import Performer
from gradschool_grader.judge import judge

TABLE = Exercise(
    reference=lambda X: 2 * X, name="doubled", chapter="t", task="", example="",
    groups=[Group("values", 1, lambda rng: [Call(X=rng.normal(size=(3, 5)))])],
    axes={"return": ("batch", "class")},
)  # fmt: skip
WALK = Exercise(
    reference=lambda p, g: p - g, name="walk", chapter="t", task="", example="",
    groups=[Group("steps", 1, lambda rng: [Steps({"p": rng.normal(size=4)}, [{"g": rng.normal(size=4)}] * 5)])],
)  # fmt: skip


class Here:
    def __init__(self, exercise, function):
        self.performer = Performer({}, {exercise.name: function})

    def request(self, message, seconds):
        return self.performer.handle(message)

    def close(self):
        pass


def seen_of(exercise, wrong):
    seen = []
    verdict = judge(exercise, lambda: Here(exercise, wrong), LiveAnswers(exercise, {}, 5), witness=seen)
    return verdict, seen


def one_cell_wrong(X):
    out = 2 * X
    out[1, 3] += 7
    return out


def test_a_table_is_drawn_as_a_heat_map_with_its_axes():
    _, seen = seen_of(TABLE, one_cell_wrong)
    drawn = picture.svg(TABLE, seen)
    assert drawn.count("<rect") == 15
    assert "batch ↓" in drawn
    assert "class →" in drawn
    assert drawn.count(picture.colour(1.0)) == 1
    assert drawn.count(picture.colour(0.0)) == 14
    assert picture.plain(TABLE, seen)[1:] == ["|     |", "|   @ |", "|     |"]


def test_what_is_no_number_has_a_colour_and_a_sign_of_its_own():
    _, seen = seen_of(TABLE, lambda X: np.where(X > 0, 2 * X, np.nan))
    nans = int((seen[0].probes[0].arguments["X"] <= 0).sum())
    assert picture.svg(TABLE, seen).count(picture.colour(2.0)) == nans
    assert "".join(picture.plain(TABLE, seen)[1:]).count("!") == nans


def test_a_sequence_is_drawn_as_two_curves_over_its_steps():
    _, seen = seen_of(WALK, lambda p, g: p - 1.5 * g)
    drawn = picture.svg(WALK, seen)
    assert drawn.count("<polyline") == 2
    assert drawn.count("<circle") == 10
    assert "over 5 steps" in drawn
    assert [line.split()[0] for line in picture.plain(WALK, seen)[1:]] == ["step", "expected", "yours"]


def test_of_a_long_sequence_the_steps_around_the_first_wrong_one_are_written():
    long = Exercise(
        reference=lambda p, g: p + g, name="long", chapter="t", task="", example="",
        groups=[Group("steps", 1, lambda rng: [Steps({"p": 0.0}, [{"g": 1.0}] * 30)])],
    )  # fmt: skip
    for first, steps in ((12, range(8, 16)), (2, range(1, 9)), (29, range(23, 31))):
        _, seen = seen_of(long, lambda p, g, first=first: p + g + (p + 1 == first))
        head, numbered, expected, yours = (line.split() for line in picture.plain(long, seen))
        assert head == ["p", "over", "the", "30", "steps"]
        assert list(map(int, numbered[1:])) == list(steps)
        assert next(i for i, e, a in zip(steps, expected[1:], yours[1:], strict=True) if e != a) == first


def test_where_a_picture_would_not_help_there_is_none():
    for wrong in (lambda X: 1.0, lambda X: X.T, lambda X: None, lambda X: 2 * X):
        _, seen = seen_of(TABLE, wrong)
        assert picture.svg(TABLE, seen) == ""
        assert picture.plain(TABLE, seen) == []


def test_numbers_that_are_drawn_have_no_error_of_their_own_and_no_picture():
    def noise(n, rng):
        return rng.normal(size=n)

    def probes(rng):
        call = Call(n=8, rng=Seed(7))
        return [Property(call, lambda values: None if (values[0] < 5).all() else "Some are large.")]

    drawn = Exercise(reference=noise, chapter="t", task="", example="", groups=[Group("small", 1, probes)])
    _, seen = seen_of(drawn, lambda n, rng: 9 + rng.normal(size=n))
    assert seen[0].difference is not None
    assert picture.svg(drawn, seen) == ""
    assert picture.plain(drawn, seen) == []


def test_a_graded_page_has_no_picture():
    verdict, seen = seen_of(TABLE, one_cell_wrong)
    drawn, lines = picture.svg(TABLE, seen), picture.plain(TABLE, seen)
    assert "<svg" in show.html(verdict, graded=False, drawn=drawn)
    assert "<svg" not in show.html(verdict, graded=True, drawn=drawn)
    assert lines[2] in show.text(verdict, graded=False, drawn=lines)
    assert lines[2] not in show.text(verdict, graded=True, drawn=lines)
    assert "<script" not in drawn


def test_a_picture_of_another_call_than_went_wrong_first_says_of_which():
    def total(x, keep=False):
        return {"sum": x * 1.0 if keep else x.sum()}

    calls = lambda rng: [Call(x=rng.normal(size=5), keep=keep) for keep in (False, True)]
    exercise = Exercise(
        reference=total, name="total", chapter="t", task="", example="", groups=[Group("both", 1, calls)]
    )
    _, seen = seen_of(exercise, lambda x, keep=False: {"sum": np.sin(x) if keep else np.sin(x).sum()})
    assert picture.plain(exercise, seen)[0].startswith("Where the error in `['sum']`, in call 2 of the part `both` is")
    assert "Error in ['sum'], in call 2 of the part both: white none" in picture.svg(exercise, seen).replace(
        "&#x27;", "'"
    )
    _, right = seen_of(exercise, lambda x, keep=False: {"sum": 2.0 * x if keep else x.sum()})
    assert picture.plain(exercise, right)[0].startswith("Where the error in `['sum']` is")
