"""Two lines in each other's place, and one quantity for another, are said where they explain everything."""

from __future__ import annotations

import ast

import numpy as np
import pytest
from test_diagnosis import diagnosis_of, sets

from gradschool_grader.diagnosis.lines import ByName, exchangeable, inner
from gradschool_grader.diagnosis.switched import switched
from gradschool_grader.diagnosis.trial import at
from gradschool_grader.exercise import Call


@pytest.mark.parametrize(
    ("lines", "yes"),
    [
        ("n += x\nseen.append(n)", True),
        ("p = step(p)\nlosses.append(loss(p))", True),
        ("s['m'] = b * s['m']\np = p - s['m']", True),
        ("a = f(x)\nb = g(a)", False),  # the second needs the first
        ("a = f(x)\nb = g(x)", False),  # nothing would change
        ("for i in x: n += i\nseen.append(n)", False),
    ],
)
def test_which_lines_may_change_places(lines, yes):
    assert exchangeable(*ast.parse(lines).body) is yes


def test_what_is_read_by_name_means_the_same():
    line = ast.parse("total = sum(w * x for x in xs) + (lambda v: v * w)(x)").body[0]
    assert inner(line) == {"x", "v"}
    ByName({"w", "xs"}, "values", "instead").visit(line)
    names = {"values": {"w": 3, "xs": [1, 2], "other": 5}, "x": 7}
    for instead, total in (({}, 30), ({"w": "other"}, 50)):
        results = names | {"instead": instead}
        exec(compile(ast.fix_missing_locations(ast.Module([line], [])), "line", "exec"), results)
        assert results["total"] == total


def damped(x, rates, decay):
    """A walk that notes where it was before each step."""
    seen, speed = [], np.zeros_like(x)
    for rate in rates:
        slope = np.sin(x) + x
        speed = decay * speed - rate * slope
        seen.append(x.sum())
        x = x + speed
    return x, np.array(seen)


def walks(rng):
    return [Call(x=rng.normal(size=5), rates=rng.uniform(0.1, 0.3, size=4), decay=0.7) for _ in range(2)]


DAMPED = sets(damped, walks)


def test_two_lines_in_each_others_place():
    def wrong(x, rates, decay):
        seen, speed = [], np.zeros_like(x)
        for rate in rates:
            speed = decay * speed - rate * (np.sin(x) + x)
            x = x + speed
            seen.append(x.sum())
        return x, np.array(seen)

    found = diagnosis_of(DAMPED, wrong)
    assert (found.name, "two lines in each other's place, where `x` stands" in found.text) == ("one_change", True)
    bent = lambda *given: (wrong(*given)[0], wrong(*given)[1] + 1e-3 * np.eye(4)[0])
    assert "two lines" not in diagnosis_of(DAMPED, bent).text


def test_one_quantity_in_the_place_of_another():
    def wrong(x, rates, decay):
        seen, speed = [], np.zeros_like(x)
        for rate in rates:
            speed = decay * speed - rate * (np.sin(x) + x)
            seen.append(speed.sum())
            x = x + speed
        return x, np.array(seen)

    found = diagnosis_of(DAMPED, wrong)
    assert (found.name, "one quantity in the place of another" in found.text) == ("one_change", True)


def test_only_quantities_of_one_kind_are_confused():
    changes, _ = switched(DAMPED).reached(lambda f: f(**walks(np.random.default_rng(1))[0].arguments))
    pairs = {pair for change in changes for pair in change.instead.items()}
    assert {("x", "speed"), ("slope", "speed")} <= pairs
    assert not {pair for pair in pairs if {"decay", "seen", "rates"} & set(pair)}


def centred(g, cache):
    scaled = g * cache["r"]
    middle = scaled.mean(axis=0)
    out = np.tanh(scaled - cache["x"] * middle)
    return out, middle


def rows(rng):
    for n in (4, 5):
        cache = {"x": rng.normal(size=(n, 3)), "r": rng.uniform(0.5, 2, size=3)}
        yield Call(g=rng.normal(size=(n, 3)), cache=cache)


@pytest.mark.parametrize(("wrong", "words", "comes_to"), [
    (lambda s, m, c: np.tanh(s - c["x"] * m / c["r"]), "a factor left out", "middle / cache['r']"),
    (lambda s, m, c: np.tanh(s - c["x"] * m * c["r"]), "a factor too many", "middle * cache['r']"),
])  # fmt: skip
def test_a_quantity_times_or_divided_by_another_that_was_at_hand(wrong, words, comes_to):
    def answer(g, cache):
        scaled = g * cache["r"]
        middle = scaled.mean(axis=0)
        return wrong(scaled, middle, cache), middle

    found = diagnosis_of(sets(centred, lambda rng: list(rows(rng))), answer)
    assert f"with one thing changed: {words}" in found.text
    assert found.detail == f"As if `{comes_to}` stood there."


def test_what_is_put_in_place_is_put_back():
    other, given = switched(DAMPED), walks(np.random.default_rng(2))[0].arguments
    before, _ = other.reached(lambda f: f(**given))
    for change in before:
        with other.on(change), np.errstate(all="ignore"):
            try:
                other.function(**given)
            except Exception:
                continue
    np.testing.assert_array_equal(other.function(**given)[0], damped(**given)[0])


def test_a_whole_number_is_not_taken_for_another_one():
    def rounds(x, n, seed):
        for _ in range(n):
            x = np.sin(x + seed)
        return x

    given = {"x": np.ones(3), "n": 3, "seed": 10**12}
    changes, _ = switched(sets(rounds, None)).reached(lambda f: f(**given))
    assert not [change for change in changes if change.instead]


def test_a_dict_where_a_list_is_asked_for_is_not_what_came():
    assert at({"a": [1.0]}, "['a'][0]") == 1.0
    assert at([[1.0]], "['a'][0]") is None
    assert at({"a": {"b": 1.0}}, "['a'][0]") is None
