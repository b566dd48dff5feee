"""A script follows objects that objects make: by name, as arguments, up to the one that is wrong."""

import numpy as np
from tiny_course import course

from gradschool_grader import home
from gradschool_grader.answers import LiveAnswers
from gradschool_grader.exercise import Exercise, Group, Made, Misconception, Script
from gradschool_grader.home import HereWorker, check
from gradschool_grader.judge import judge


class Pile:
    def __init__(self, stones):
        self.stones = np.asarray(stones, float)

    def joined(self, *others):
        return Pile(self.stones + sum(other.stones for other in others))


class Half(Pile):
    def joined(self, *others):
        return Half(self.stones + sum(other.stones for other in others) / 2)


class Bare(Pile):
    def joined(self, *others):
        return self.stones + sum(other.stones for other in others)


def piles(rng):
    a, b = rng.normal(size=3), rng.normal(size=3)
    calls = [
        ("b = Pile", (b,)),
        ("c = a.joined", (Made("b"), Made("b"))),
        ("d = c.joined", (Made("a"),)),
        ("c.stones", None),
        ("d.stones", None),
    ]
    return [Script(new={"stones": a}, name="a", calls=calls)]


PILE = Exercise(
    reference=Pile, chapter="t", task="", example="", groups=[Group("piles", 2, piles)],
    misconceptions=[Misconception("half", Half, "Where is the other half?", "half of what is joined were lost")],
)  # fmt: skip


def verdict(answer):
    return judge(PILE, lambda: HereWorker(course, {"Pile": answer}), LiveAnswers(PILE, {}, 5))


def test_the_right_class_passes():
    assert verdict(Pile).points == 2


def test_a_misconception_is_named_by_what_its_objects_do():
    found = verdict(Half)
    assert found.points == 0
    assert found.diagnosis is not None
    assert found.diagnosis.name == "half"


def test_what_is_no_object_ends_the_script_with_words():
    group = verdict(Bare).groups[0]
    assert group.outcome == "wrong"
    assert group.words.startswith("c = a.joined(b, b): the answer is an array; expected a Pile")


def test_replay_makes_the_same_objects_and_ends_with_the_call_that_failed(monkeypatch):
    monkeypatch.setattr(home, "find_exercise", lambda name: (course, PILE))
    result = check("Pile", namespace={"Pile": Half}, seed=5)
    assert result.case is not None
    assert result.case.label == "c.stones"
    np.testing.assert_array_equal(result.replay(), result.case.got)
