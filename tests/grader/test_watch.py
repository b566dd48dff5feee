"""A text under watch does what it did, says what its expressions come to, and takes other values in their place."""

from __future__ import annotations

import ast

import numpy as np
import pytest

from gradschool_grader.blame.watch import Watching, watched
from gradschool_grader.exercise import Call, Exercise, Group, Script
from gradschool_grader.inside.perform import Performer
from gradschool_grader.observe import observe

TEXT = '''
def spread(x, scale=2.0):
    """The text of a message is no number: f-strings stay."""
    if x.size < 2:
        raise ValueError(f"expected 2 numbers, got {x.size}")
    total = 0.0
    for row in x:
        total += row @ row / len(row)
    found = {"mean": total / len(x), "parts": [scale * r.max() for r in x if r.any()]}
    found["mean"] *= scale
    return found
'''


def spread(x, scale=2.0):
    return {}


def exercise(reference):
    return Exercise(reference=reference, chapter="t", task="", example="", groups=[Group("all", 1, lambda rng: [])])


def watching(text, reference=spread, **names):
    names = {"np": np, **names}
    found = watched(text)
    assert found is not None
    return Watching(exercise(reference), found, Performer({}, names, stop=(KeyboardInterrupt,)).handle)


def numbered(side, text):
    """The number of an expression."""
    return next(i for i, node in enumerate(side.text.nodes, start=1) if ast.unparse(node) == text)


X = np.random.default_rng(3).normal(size=(4, 3))


def test_under_watch_it_does_the_same_and_says_what_its_expressions_came_to():
    side = watching(TEXT)
    log, (did,) = side.run(Call(x=X, scale=1.7))
    plain = {"np": np}
    exec(TEXT, plain)
    assert did.behaviour.value["mean"] == pytest.approx(plain["spread"](X, 1.7)["mean"], rel=1e-15)
    np.testing.assert_allclose(log[numbered(side, "row @ row / len(row)")].values, (X * X).sum(axis=1) / 3, rtol=1e-14)
    np.testing.assert_allclose(log[numbered(side, "scale * r.max()")].values, 1.7 * X.max(axis=1), rtol=1e-14)
    assert log[numbered(side, "x.size < 2")].values == [False]


def test_what_it_raises_it_raises_under_watch_with_the_same_words():
    _, (did,) = watching(TEXT).run(Call(x=X[:1, :1]))
    assert (did.behaviour.error, did.behaviour.message) == ("ValueError", "expected 2 numbers, got 1")


def test_an_expression_comes_to_the_values_it_is_given_one_after_another_and_is_not_evaluated():
    side = watching(TEXT)
    side.run(Call(x=X))
    (did,) = side.instead(Call(x=X), numbered(side, "row @ row / len(row)"), [1.0, 10.0, 100.0, 1000.0])
    assert did.behaviour.value["mean"] == 2 * 1111.0 / 4
    failing = watching("def spread(x, scale=2.0):\n    return x @ x + 1.0")
    failing.run(Call(x=X))
    assert failing.instead(Call(x=X), numbered(failing, "x @ x"), [np.array(2.5)])[0].behaviour.value == 3.5


def test_what_changes_an_array_later_does_not_change_what_was_kept_of_it():
    side = watching("def spread(x, scale=2.0):\n    y = x + 1.0\n    y *= 0.0\n    return y")
    log, _ = side.run(Call(x=X))
    np.testing.assert_array_equal(log[numbered(side, "x + 1.0")].values[0], X + 1.0)


def test_what_is_no_number_is_not_kept():
    text = "def spread(x, scale=2.0):\n    y = np.array([None, 1], object)\n    z = x * 1j\n    return z.real + y[1]\n"
    side = watching(text)
    log, _ = side.run(Call(x=X))
    assert numbered(side, "np.array([None, 1], object)") not in log
    assert numbered(side, "x * 1j") not in log
    assert numbered(side, "z.real") in log


def test_what_never_ends_with_another_value_is_stopped():
    side = watching("def spread(x, scale=2.0):\n    while scale > 1.0:\n        scale = scale / 2\n    return scale")
    side.run(Call(x=X, scale=9.0))
    (did,) = side.instead(Call(x=X, scale=9.0), numbered(side, "scale / 2"), [5.0] * 10_000)
    assert did.behaviour.error == "RuntimeError"


CLASS = """
class Base:
    def __init__(self, start):
        self.total = start


class Mean(Base):
    unit: float = 1.0

    def __init__(self, start=0.0):
        super().__init__(start)
        self.n = 0

    def add(self, x):
        if (m := self.n + 1) > 0:
            self.n = m
        self.total += x * self.unit
        return self.total / self.n
"""


class Mean:
    def __init__(self, start=0.0):
        pass

    def add(self, x):
        pass


def test_classes_super_and_names_bound_within_expressions_work_under_watch():
    side = watching(CLASS, Mean)
    assert side.runs
    log, did = side.run(Script({"start": 1.0}, [("add", (2.0,)), ("add", (6.0,))]))
    assert [o.behaviour.value for o in did[1:]] == [3.0, 4.5]
    assert log[numbered(side, "x * self.unit")].values == [2.0, 6.0]


def test_only_definitions_are_run_again_and_what_is_no_python_is_not_watched():
    text = watched("seen.extend([1])\n\ndef f():\n    return 1.0\n")
    assert text is not None
    assert "extend" not in text.code
    assert watched("def f(:") is None
    assert "extend" in watched("seen.extend([1])\n", whole=True).code


@pytest.mark.parametrize("line", ["plt.plot(x)", "open('log.txt', 'a').write('x')", "os.remove('log.txt')"])
def test_what_draws_figures_or_touches_files_is_not_run_again_and_again(line):
    assert watched(f"def f(x):\n    {line}\n    return x\n") is None
    assert watched("def f(x):\n    return x\n") is not None


def test_whoever_asks_afterwards_meets_no_other_value_and_no_end():
    side = watching(TEXT)
    with side:
        side.run(Call(x=X))
        side.asked(Call(x=X), numbered(side, "row @ row / len(row)"), [5.0] * 100, 3, keeps=False)
    (did,) = observe(side.exercise, [Call(x=X)], side.ask, twice=False)
    assert did.behaviour.error is None
