"""A reading names what it was made for, and nothing else: random pairs and near misses have no name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gradschool_grader.diagnosis.candidate import Candidate, agreement, evidence, explains, first_that_explains
from gradschool_grader.diagnosis.seen import Pair
from gradschool_grader.diagnosis.structure import READINGS, ROWS, any_reading, by_part, close_to, plain_reading
from gradschool_grader.diagnosis.structure import where as place_of
from gradschool_grader.exercise import Tolerance


def pair(e, a, path="", group="values", label="", **arguments):
    carried = arguments.pop("carried", None)
    e, a = (np.asarray(x, float) if np.asarray(x).dtype != np.float32 else np.asarray(x) for x in (e, a))
    return Pair(path, e, a, arguments, Tolerance(), group, label, 0, carried)


def name_of(*pairs):
    with np.errstate(all="ignore"):
        found = first_that_explains(READINGS, [p for p in pairs if not p.right])
    return found.name if found else None


def text_of(*pairs):
    with np.errstate(all="ignore"):
        found = first_that_explains(READINGS, list(pairs))
    return found.text if found else ""


@pytest.fixture
def rng():
    return np.random.default_rng(7)


# ------------------------------------------------------------------------------------------------- what is recognised
def swapped_axes(e):
    return e.transpose(1, 0, 2)


# name: the wrong answer from the right one (3, 5), from the arguments, and a near miss that must get another name
ONE_ARRAY = {
    "sign": lambda e, x, s: -e,
    "factor": lambda e, x, s: 2 * e,
    "transpose": lambda e, x, s: e.T,
    "reversed": lambda e, x, s: e[:, ::-1],
    "shifted": lambda e, x, s: np.roll(e, 1, axis=1),
    "another_order": lambda e, x, s: np.sort(e, axis=1),
    "offset": lambda e, x, s: e + 0.37,
    "term": lambda e, x, s: e + s * x,
    "squared": lambda e, x, s: e**2,
    "exp": lambda e, x, s: np.exp(e),
    "reciprocal": lambda e, x, s: 1 / e,
    "complement": lambda e, x, s: 1 - e,
    "absolute": lambda e, x, s: np.abs(e),
    "only_sign": lambda e, x, s: np.sign(e),
    "integer": lambda e, x, s: np.trunc(e),
    "decimals": lambda e, x, s: np.round(e, 2),
    "float32": lambda e, x, s: e.astype(np.float32).astype(float),
    "precision": lambda e, x, s: e + 1e-7 * np.sin(50 * e),
    "zeros": lambda e, x, s: 0 * e,
    "one_number": lambda e, x, s: np.full_like(e, 0.7),
    "echo": lambda e, x, s: x,
    "shape": lambda e, x, s: e.reshape(5, 3),
    "axis": lambda e, x, s: e.mean(axis=1),
    "one_of_all": lambda e, x, s: e[0],
    "cut_off": lambda e, x, s: np.maximum(e, -0.2),
    "nan": lambda e, x, s: np.where(e > 0, e, np.nan),
    "infinity": lambda e, x, s: np.where(e > 0, e, -np.inf),
}


@pytest.mark.parametrize("name", ONE_ARRAY)
@pytest.mark.parametrize("seed", range(4))
def test_each_reading_recognises_its_mistake(name, seed):
    rng = np.random.default_rng(seed)
    e, x, s = 3 * rng.normal(size=(3, 5)), rng.normal(size=(3, 5)), 0.3
    assert name_of(pair(e, ONE_ARRAY[name](e, x, s), x=x, s=s)) == name


def through_single(x):
    return x.astype(np.float32).astype(float)


def test_roundings_to_either_side_ask_for_a_float32_first_and_what_is_off_to_one_side_for_an_epsilon(rng):
    for _ in range(20):
        x, y = rng.normal(size=(2, 4, 6))
        e = x + 0.3 * y
        assert "digits only: is there a float32 somewhere?" in text_of(pair(e, x + through_single(0.3 * y)))
        shifted = text_of(pair(x, x / (1 + 1e-7)))
        assert "digits only: an epsilon too many or too few" in shifted
        assert "float32" not in shifted
        far = text_of(pair(x, x + 1e-5 * rng.uniform(-0.9, 0.9, size=x.shape)))
        assert "float32" not in far  # other than rounding is


def test_one_array_of_single_precision_among_others_asks_for_a_float32(rng):
    x, v = rng.uniform(1, 2, size=(2, 3))
    text = text_of(pair(v, through_single(v), "v"), pair(x + v, x + through_single(v), "p"))
    assert "is there a float32 somewhere?" in text


NUDGED = [name for name in ONE_ARRAY if name not in ("precision", "float32", "nan", "infinity", "zeros", "echo")]


@pytest.mark.parametrize("name", NUDGED)
def test_what_merely_looks_like_it_is_not_called_so(name, rng):
    e, x, s = 3 * rng.normal(size=(3, 5)), rng.normal(size=(3, 5)), 0.3
    a = np.array(ONE_ARRAY[name](e, x, s), float)
    a.flat[1] += 0.01
    assert name_of(pair(e, a, x=x, s=s)) is None


@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 5), (3, 4, 5)])
@pytest.mark.parametrize("other", [(), (1,), (7,), (3, 5), (5, 3), (3, 4, 5), (4, 5)])
def test_random_answers_have_no_name(shape, other):
    rng = np.random.default_rng([len(shape), len(other), sum(other)])
    for _ in range(20):
        numbers = {"lr": float(rng.uniform(0.1, 0.9)), "b": 0.9}
        pairs = [
            pair(
                rng.normal(size=shape),
                rng.normal(size=other),
                x=rng.normal(size=shape),
                y=rng.normal(size=6),
                **numbers,
            )
            for _ in range(int(rng.integers(1, 4)))
        ]
        assert name_of(*pairs) is None
        assert close_to(pairs) is None


def test_simple_numbers_agree_by_chance_and_weigh_little(rng):
    assert name_of(pair(1.0, 0.5)) is None  # accuracies: one half is no factor
    assert name_of(pair(0.25, 0.75)) is None  # nor the complement
    assert name_of(pair(0.2841, 0.5682)) == "factor"
    assert evidence([pair(1.0, 0.5)]) < 1 <= evidence([pair(0.2841, 0.5682)])


def test_shares_of_a_count_are_simple_numbers(rng):
    one_minus = [pair(11 / 19, 8 / 19), pair(5 / 13, 8 / 13)]
    assert name_of(*one_minus) is None
    assert name_of(*[pair(e, 1 - e) for e in rng.uniform(size=2)]) == "complement"


def test_two_numbers_always_have_a_ratio_and_a_difference(rng):
    assert name_of(pair(0.2841, 0.7715)) is None
    assert name_of(pair(0.2841, 0.7715), pair(0.4113, 0.9034)) is None


def test_a_fitted_factor_must_explain_more_numbers_than_it_was_fitted_to(rng):
    e = rng.normal(size=4)
    assert name_of(pair(e, 1.37 * e)) == "factor"
    assert name_of(pair(e[:1], 1.37 * e[:1])) is None


# ---------------------------------------------------------------------------------------------------------- families
def test_a_factor_is_called_by_what_it_equals(rng):
    X = rng.normal(size=(7, 3))
    e = rng.normal(size=5)
    assert "divided by the size of axis 0 of `X`" in text_of(pair(e, e / 7, X=X))
    assert "times `lr`" in text_of(pair(e, 0.13 * e, X=X, lr=0.13))
    assert "times (1 − `b`)" in text_of(pair(e, 0.2 * e, X=X, b=0.8))
    assert "times n/(n − 1)" in text_of(pair(e, e * 7 / 6, X=X))
    assert "the number of entries of `X`" in text_of(pair(e, e / 21, X=X))


@pytest.mark.parametrize("carried", [False, True])
def test_a_factor_that_all_arrays_of_a_call_share_belongs_to_the_call(carried, rng):
    def call(label, *factors):
        for path, k in zip("ab", factors, strict=True):
            e, c = rng.normal(size=5), rng.normal(size=5) if carried else np.zeros(5)
            yield pair(e, c + k * (e - c), path, label=label, **({"carried": c} if carried else {}))

    found = said([*call("1", 0.37, 0.37), *call("2", 1.83, 1.83)])
    assert f"In each {'step' if carried else 'call'}," in found.text
    assert "in all arrays, and another one in each" in found.text
    assert found.detail == "In the first that is wrong, the factor is 0.37."
    assert "In each" not in said([*call("1", 0.37, 0.38), *call("2", 1.83, 1.83)]).text


def test_a_factor_is_said_to_be_one_over_what_may_have_been_counted(rng):
    e = rng.normal(size=9)
    with np.errstate(all="ignore"):
        details = [first_that_explains(READINGS, [pair(e, e * k)]).detail for k in (1 / 15, 0.0667)]
    assert details == ["The factor is 0.06667, which is 1/15.", "The factor is 0.0667."]


def test_a_step_of_one_plus_a_share(rng):
    e, c = rng.normal(size=(2, 5))
    assert "(1 + `beta`)" in text_of(pair(e, c + 1.9 * (e - c), carried=c, beta=0.9))


def test_a_reading_that_grows_huge_makes_no_room_for_itself(rng):
    """exp of some hundreds is larger than anything that came, and a tolerance by the largest number would hold all."""
    e = np.concatenate([rng.uniform(100, 500, size=4), rng.normal(size=40)])
    assert close_to([replace(pair(e, rng.normal(size=44)), tolerance=Tolerance(per="array"))]) is None


def test_a_truth_value_that_should_hold_is_not_an_array_that_was_not_filled():
    steps = [pair(1.0, 0.0, label=f"step {i}") for i in range(5)]
    assert name_of(*steps) is None
    assert name_of(*[pair(e, 0.0) for e in (0.37, 1.81, -0.43)]) == "zeros"


def test_a_factor_with_the_wrong_sign_is_both(rng):
    e, X = rng.normal(size=5), rng.normal(size=(7, 3))
    text = text_of(pair(e, -e / 7, X=X))
    assert "divided by the size of axis 0 of `X`, and has the wrong sign" in text


def test_permuted_axes_of_three(rng):
    e = rng.normal(size=(3, 4, 5))
    assert name_of(pair(e, swapped_axes(e))) == "permuted"
    assert name_of(pair(e, e.transpose(2, 0, 1))) == "permuted"


def test_a_step_that_goes_the_wrong_way_or_too_far(rng):
    p, step = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    assert name_of(pair(p - step, p + step, path="params['W']", carried=p)) == "step_sign"
    assert name_of(pair(p - step, p - step / 0.13, path="params['W']", carried=p, lr=0.13)) == "step_factor"
    assert name_of(pair(p - step, p, path="params['W']", carried=p)) == "unchanged"


@pytest.mark.parametrize("reduce", [np.sum, np.mean])
def test_an_axis_too_few_or_too_many(reduce, rng):
    X = rng.normal(size=(5, 3))
    assert name_of(pair(reduce(X, axis=1), X)) == "axis"
    assert name_of(pair(X, reduce(X, axis=0))) == "axis"
    assert name_of(pair(X[0], reduce(X[0]))) == "axis"
    assert name_of(pair(reduce(X), X)) == "axis"


def test_two_operands_broadcast_into_a_table(rng):
    x, y = rng.normal(size=5), rng.normal(size=5)
    assert name_of(pair(x - y, x[:, None] - y)) == "outer"


def test_terms_are_called_by_what_they_are(rng):
    p, g, m = (rng.normal(size=(3, 4)) for _ in range(3))
    given = {"params": {"W": p}, "grads": {"W": g}, "state": {"m": {"W": m}}, "decay": 0.17, "lr": 0.3}
    e = rng.normal(size=(3, 4))
    for term, words in [
        (0.17 * p, "plus `decay` · `params`"),
        (-g, "minus `grads`"),
        (2 * 0.3 * m, "plus twice `lr` · `state['m']`"),
        (g * g, "plus `grads`²"),
        (-0.17 * 0.3 * p, "minus `decay` · `lr` · `params`"),
        (g * m, "plus `grads` · `state['m']`"),
    ]:
        assert words in text_of(pair(e, e + term, path="params['W']", **given))
    assert "a multiple of `grads`" in text_of(pair(e, e + 0.777 * g, path="params['W']", **given))


def test_a_factor_that_is_an_operand_is_called_by_its_name(rng):
    e, g, y, beta = rng.normal(size=(4, 5)), rng.normal(size=(4, 5)), rng.uniform(0.1, 0.9, (4, 5)), rng.normal(size=5)
    for a, words in [
        (e / g, "The answer is the right one divided by `g`."),
        (e * g, "The answer is the right one times `g`."),
        (e / (1 - y), "The answer is the right one divided by (1 − `y`)."),
        (e * np.sqrt(y), "The answer is the right one times √`y`."),
    ]:
        assert text_of(pair(e, a, g=g, y=y, beta=beta)) == words
        a = a.copy()
        a[1, 1] += 0.01
        assert name_of(pair(e, a, g=g, y=y, beta=beta)) is None
    assert name_of(pair(e[0, :2], (e / g)[0, :2], g=g[0, :2])) is None  # two numbers have a ratio to something


def rows_of(*pairs):
    found = first_that_explains(ROWS, list(pairs))
    return found.text if found else None


def test_one_number_for_each_layer_may_be_divided_by_what_the_layer_is(rng):
    def call(n, by):
        params = [{"W": rng.normal(size=(2 + i, 3)), "b": rng.normal(size=3)} for i in range(n)]
        e = rng.uniform(1, 2, size=n)
        return pair(e, e / np.array([by(layer["W"]) for layer in params]), params=params)

    lengths = [call(n, np.linalg.norm) for n in (4, 5)]
    assert text_of(*lengths) == "The answer is the right one divided by the norm of `params[…]['W']`."
    counts = [call(n, lambda W: np.sqrt(W.size)) for n in (4, 5)]
    assert text_of(*counts) == "The answer is the right one divided by √the number of entries of `params[…]['W']`."
    assert text_of(*[call(n, lambda W: np.abs(W).max()) for n in (4, 5)]) == ""


def test_each_row_may_have_a_multiple_of_its_own(rng):
    e, p, beta = rng.normal(size=(4, 5)), rng.normal(size=(4, 5)), rng.normal(size=5)
    rows, columns = rng.normal(size=(4, 1)), rng.normal(size=5)
    assert "a multiple of what it should be, another one for each index of axis 0" in rows_of(pair(e, rows * e))
    assert "another one for each index of axis 1" in rows_of(pair(e, columns * e))
    assert "Apart from `beta`" in rows_of(pair(e, beta + rows * (e - beta), beta=beta))
    apart = rows_of(pair(e, beta + (e - beta) * p, p=p, beta=beta))
    assert apart == "Apart from `beta`, the answer is the right one times `p`."
    assert "the right one plus a number, another one for each index of axis 0" in rows_of(pair(e, e + rows))
    assert "plus a multiple of `p`, another one for each index of axis 0" in rows_of(pair(e, e + rows * p, p=p))
    line = pair(e[0], e[0] * 1.7)
    assert "for each row along the last axis" in rows_of(line, pair(e, rows * e))
    for near in (rows * e, e + rows * p):
        near[2, 3] += 0.01
        assert rows_of(pair(e, near, p=p, beta=beta)) is None


def test_a_multiple_for_each_row_must_explain_more_numbers_than_there_are_rows(rng):
    e = rng.normal(size=(6, 1))
    assert rows_of(pair(e, e * rng.normal(size=(6, 1)))) is None
    for shape in [(2, 3), (3, 4), (2, 3, 4)]:
        for _ in range(20):
            e, x = rng.normal(size=shape), rng.normal(size=shape)
            assert rows_of(pair(e, rng.normal(size=shape), x=x, b=rng.normal(size=shape[-1]))) is None


def test_the_first_nan_is_said_with_its_entry_and_input(rng):
    P = rng.uniform(1, 2, size=(3, 4))
    P[1, 2] = 0
    with np.errstate(all="ignore"):
        text = text_of(pair(np.where(P > 0, np.log(P), 0), np.log(P) * np.where(P == 0, np.nan, 1), P=P))
    assert "first at [1, 2]; the input `P` is zero there" in text
    assert "NaN" in text


def test_an_input_is_said_to_be_zero_or_one_only_where_the_nan_is(rng):
    P = rng.uniform(0.2, 0.8, size=(3, 4))
    P[0, 0], P[1, 2] = 0, 1
    e, nan_at = rng.normal(size=(3, 4)), lambda *at: np.arange(12).reshape(3, 4) == 4 * at[0] + at[1]
    with_nan = lambda *at: text_of(pair(e, np.where(nan_at(*at), np.nan, e), P=P))
    assert "the input `P` is exactly 1 there" in with_nan(1, 2)
    assert "the input `P` has zeros and ones in it" in with_nan(2, 3)


def test_a_factor_is_recognised_as_the_mean_of_an_array_that_was_given(rng):
    calls = [(rng.normal(size=(3, 4)), rng.uniform(1, 2, size=4)) for _ in range(2)]
    text = text_of(*(pair(e, e / w.mean(), weights=w) for e, w in calls))
    assert "every number is what it should be divided by the mean of `weights`" in text.lower()


# ------------------------------------------------------------------------------------------- more than one thing to say
def said(everything):
    wrong = [p for p in everything if not p.right]
    with np.errstate(all="ignore"):
        return plain_reading(everything, wrong) or any_reading(everything, wrong)


def test_fractions_in_an_array_of_whole_numbers_are_asked_for_where_all_would_be_cut_off(rng):
    def hint(e):
        return first_that_explains(READINGS, [pair(e, np.trunc(e) if (abs(e) < 1).all() else 0 * e)]).hint

    assert "whole numbers" in hint(rng.uniform(0.1, 0.9, size=(3, 4)))
    assert "whole numbers" not in hint(rng.uniform(1.1, 1.9, size=(3, 4)))


def test_an_infinity_in_one_call_of_many_is_not_what_is_wrong_in_all(rng):
    def call(n, odd):
        e = rng.normal(size=(4, 5))
        return pair(e, np.where(odd, np.inf, e + np.sin(9 * e)), label=f"call {n}")

    assert name_of(*(call(n, n == 0) for n in range(2))) == "infinity"
    assert name_of(*(call(n, n == 0) for n in range(3))) is None


@pytest.mark.parametrize("lost", [lambda e: e[0], np.squeeze])
def test_an_axis_of_length_one_is_dropped_and_nothing_is_summed(rng, lost):
    one, other = rng.normal(size=(1, 4)), rng.normal(size=(1, 6))
    assert name_of(pair(one, lost(one)), pair(other, lost(other))) == "shape"
    assert name_of(pair(one[:, :1], lost(one[:, :1]))) != "axis"


def test_only_one_of_the_returned_arrays(rng):
    W, b = rng.normal(size=(3, 4)), rng.normal(size=4)
    found = said([pair(W, W, "dW"), pair(b, -b, "db")])
    assert found.name == "sign"
    assert "Only `db` is affected; `dW` is right." in found.text


def test_two_mistakes_in_two_arrays_are_both_named(rng):
    W, b = rng.normal(size=(3, 4)), rng.normal(size=4)
    found = said([pair(W, -W, "dW"), pair(b, 2 * b, "db")])
    assert found.name == "sign and factor"
    assert "`dW`: every number has the wrong sign." in found.text
    assert "`db`: every number is 2 times" in found.text


def test_a_part_that_comes_otherwise_where_it_is_right_is_not_said_to_be_left_as_it_is(rng):
    old, e, other = rng.normal(size=(3, 2, 4))
    a_step = lambda a, label: pair(e, a, "v", label=label, carried=old)
    beside = pair(other, np.sin(9 * other), "w")
    late, first = a_step(old, "step 2"), a_step(e, "step 1")
    assert "`v`: it comes back as it went in" in by_part([late, beside], [late, beside]).text
    assert by_part([first, late, beside], [late, beside]) is None
    another_call = replace(first, arguments={"training": True})
    assert "`v`: it comes back as it went in" in by_part([another_call, late, beside], [late, beside]).text


def test_what_one_array_does_not_explain_is_said(rng):
    W, b = rng.normal(size=(3, 4)), rng.normal(size=4)
    found = said([pair(W, -W, "dW"), pair(b, rng.normal(size=4), "db")])
    assert "`db` is wrong too" in found.text


def test_places_and_scale_together_are_two_things(rng):
    e = rng.normal(size=(3, 5))
    found = said([pair(e, -e.T)])
    assert found.name == "transpose and sign"
    assert found.text.startswith("Two things at once.")


def test_what_keeps_its_order_is_not_called_another_order(rng):
    arrays = [rng.normal(size=n) for n in (4, 5, 6)]
    found = said([pair(e, k * e, f"d{k}") for k, e in zip((1.3, 1.7, 2.9), arrays, strict=True)])
    assert "order" not in found.text


def test_nearly_all_is_called_close_and_the_rest_is_named(rng):
    e = rng.normal(size=(4, 5))
    a = -e
    a[2, 3] = 9.9
    found = close_to([pair(e, a)])
    assert (found.kind, found.name) == ("close", "sign")
    assert found.text.startswith("Close to this, but not quite")
    assert "[2, 3]" in found.text
    assert close_to([pair(e, np.where(np.arange(20).reshape(4, 5) < 10, -e, 2 * e))]) is None


@pytest.mark.parametrize("per", ["entry", "array"])
@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("name", ["scaled", "step", "term", "much", "square", "multiplied", "root", "huge"])
def test_what_explains_everything_does_so_at_a_glimpse(name, single, per):
    s, lr = 0.37, 0.23
    wrong = {
        "scaled": lambda e, x, c: e / (1 - s),
        "step": lambda e, x, c: c + lr * (e - c),
        "term": lambda e, x, c: e - 2 * lr * x,
        "much": lambda e, x, c: e + 1000 * x,
        "square": lambda e, x, c: e + x * x,
        "multiplied": lambda e, x, c: e * (1 + x),
        "root": lambda e, x, c: e / np.sqrt(np.abs(x)),
        "huge": lambda e, x, c: e + s * x * 1e200,
    }[name]
    for seed in range(5):
        rng = np.random.default_rng(seed)
        both = []
        for path, shape in (("W", (9, 4)), ("b", (4,))):
            e, c = rng.normal(size=shape), rng.normal(size=shape)
            x = rng.uniform(0.1, 5.0, size=shape)
            with np.errstate(all="ignore"):
                e, a = (v.astype(np.float32) if single else v for v in (e, wrong(e, x, c)))
            p = pair(e, a, path, x=x, s=s, lr=lr, carried=c)
            both.append(replace(p, tolerance=Tolerance(per=per)))
        with np.errstate(all="ignore"):
            explaining = [c for read in (*READINGS, *ROWS) for c in read(both) if explains(c, both)]
        assert explaining or single  # float32 may have lost what was there
        assert not [c.text for c in explaining if c.partly]


def where_in(p):
    return place_of([p], [p], READINGS)


def test_a_condition_that_holds_in_all_wrong_entries_and_no_other(rng):
    T, e = rng.normal(size=(4, 5)), rng.normal(size=(4, 5))
    found = where_in(pair(e, np.where(T < 0, 2 * e, e), T=T))
    assert found.name == "where factor"
    assert "only where `T` is negative. There: Every number is 2 times" in found.text
    a = np.where(T < 0, 2 * e, e)
    a[T > 0] += np.where(np.arange((T > 0).sum()) == 0, 1.0, 0.0)
    assert where_in(pair(e, a, T=T)) is None


def test_the_sign_of_one_operand_is_told_before_which_of_two_is_larger(rng):
    weights, t, e = rng.uniform(1, 2, size=30), np.zeros(30), rng.normal(size=30)
    weights[::3] = t[::3] = 0.0
    a = np.where(weights > 0, 2 * e, e)
    assert "only where `weights` is positive" in where_in(pair(e, a, t=t, weights=weights)).text


def test_masked_entries_that_are_counted(rng):
    e, mask = rng.normal(size=(4, 5, 3)), np.array([[1, 1, 0, 1, 0]] * 4)
    right, wrong = e * mask[..., None], e
    found = where_in(pair(right, wrong, mask=mask))  # a number for each row: NumPy alone would not broadcast it
    assert (
        found.text
        == "The answer is wrong only where `mask` is zero. There: Zero is expected, and something else comes."
    )
    wrong = right.copy()
    wrong[0, 2] = 1.0
    assert where_in(pair(right, wrong, mask=mask)) is None  # some of the masked ones only


def test_everything_that_can_be_wrong_is_no_place(rng):
    grads = rng.normal(size=(6, 7)) * (rng.uniform(size=(6, 7)) < 0.6)
    params = rng.normal(size=(6, 7))
    e, a = params - 0.1 * np.sign(grads), params - np.tanh(grads + 0.3 * np.sin(9 * grads))
    assert where_in(pair(e, a, grads=grads, carried=params)) is None  # nothing moves where `grads` is zero
    moved = np.where(grads > 0, a, e)
    assert "only where `grads` is positive" in where_in(pair(e, moved, grads=grads, carried=params)).text


def test_one_line_that_is_right_is_told_only_where_it_is_so_in_several_arrays(rng):
    def beyond_the_first(n):
        e = rng.normal(size=(4, n))
        return pair(e, np.where(np.arange(n) > 0, np.sin(9 * e), e))

    assert where_in(beyond_the_first(6)) is None
    several = [beyond_the_first(n) for n in (5, 6, 7)]
    assert "only beyond the first entry along axis 1" in place_of(several, several, READINGS).text


def test_a_call_without_the_mask_says_nothing_against_it(rng):
    e, mask = rng.normal(size=(4, 5)), np.array([[1.0, 1, 0, 1, 0]] * 4)
    plain, masked = pair(e, e), pair(e * mask, e, mask=mask)
    assert "where `mask` is zero" in place_of([plain, masked], [masked], READINGS).text
    assert place_of([plain, masked, pair(e, 2 * e)], [masked, pair(e, 2 * e)], ()) is None


def test_single_numbers_of_many_calls_are_read_together(rng):
    calls = [pair(x, x if x < s else x + x * s, x=float(x), s=float(s)) for x, s in rng.normal(size=(20, 2))]
    wrong = [p for p in calls if not p.right]
    assert "only where `x` is above `s`" in place_of(calls, wrong, READINGS).text
    assert place_of(calls[:7], [p for p in calls[:7] if not p.right], READINGS) is None  # too few
    noise = [pair(x, x + (i % 3 == 0), x=float(x), s=float(s)) for i, (x, s) in enumerate(rng.normal(size=(20, 2)))]
    assert place_of(noise, [p for p in noise if not p.right], ()) is None


def test_the_arrays_are_read_and_the_single_numbers_only_mentioned(rng):
    T, e = rng.normal(size=(4, 5)), rng.normal(size=(4, 5))
    array, number = pair(e, np.where(T < 0, 2 * e, e), T=T), pair(0.73, 2.9, T=T)
    text = place_of([array, number], [array, number], READINGS).text
    assert text.startswith("Where an array is asked for: the answer is wrong only where `T` is negative.")
    assert text.endswith("Where a single number is asked for, that is wrong, too.")


def test_arrays_that_are_wrong_as_a_whole_are_as_few_as_their_calls(rng):
    """With so few, something that they are given goes along with being wrong by chance."""

    def called(n):
        sizes = [(i, s, rng.normal(size=(4, 5))) for i, s in enumerate(rng.normal(size=n))]
        calls = [pair(e, e + (s > 0), label=f"call {i}", s=np.full((4, 5), s)) for i, s, e in sizes]
        return place_of(calls, [p for p in calls if not p.right], ())

    assert called(8) is None
    assert "only where `s` is positive" in called(20).text


def test_nothing_that_is_not_a_number_tells_positive_from_negative(rng):
    e = np.where(np.arange(20) % 3, rng.uniform(1, 2, size=20), np.nan)
    e[1] = -1.0
    calls = [pair(x, x if np.isnan(x) or x < 0 else x + 1) for x in e]
    assert place_of(calls, [p for p in calls if not p.right], ()) is None


def test_one_number_in_the_place_of_another_is_not_cut_off():
    rate = np.array([0.1, 0.1, 0.1, 0.3, 0.5])
    assert name_of(pair(rate, np.where(rate < 0.2, 0.2, rate))) is None


def test_the_first_row_only(rng):
    e = rng.normal(size=(4, 5))
    a = e.copy()
    a[0] += rng.normal(size=5)
    assert "only in the first entry along axis 0" in where_in(pair(e, a)).text


def test_parts_that_nothing_explains_have_no_reading(rng):
    wrong = [pair(rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), path) for path in ("dW", "dV")]
    assert by_part(wrong, wrong) is None


def test_one_number_for_a_whole_array_where_each_entry_has_its_own(rng):
    arrays = [rng.normal(size=shape) for shape in ((4, 5), (3, 7))]
    largest = [np.where(rng.uniform(size=e.shape) < 0.8, np.abs(e).max(), e) for e in arrays]
    told = said([pair(e, a, f"x{i}") for i, (e, a) in enumerate(zip(arrays, largest, strict=True))])
    assert "ll numbers of an array that are wrong are the same one" in told.text
    rectified = said([pair(e, np.maximum(e, 0), f"x{i}") for i, e in enumerate(arrays)])
    assert "the same one" not in rectified.text


def test_rows_whose_factors_are_nearly_one_have_one_factor_and_an_epsilon(rng):
    def normed(x, spread):
        return (x - x.mean(axis=1, keepdims=True)) / np.sqrt(spread + 1e-6)

    def calls(count):
        for label, shape in (("1", (5, 8)), ("2", (4, 9))):
            x = rng.normal(size=shape)
            spread = x.var(axis=1, keepdims=True)
            yield pair(normed(x, spread), normed(x, spread * count), label=label)

    told = said(list(calls(20)))
    assert "nearly the same multiple of what it should be everywhere" in told.text
    assert told.detail.endswith("about 0.2236, one over the root of 20.")


def test_factors_that_are_powers_or_of_parts_counted_as_full(rng):
    e = rng.normal(size=(3, 4))
    assert "times the square of `lr`" in text_of(pair(e, 0.0169 * e, lr=0.13))
    assert "divided by `decay`^`frozen`" in text_of(pair(e, e / 0.7**3, decay=0.7, frozen=3))
    full = [
        pair(rng.normal(size=()), 0, X=np.zeros((n, 2)), batch=b, label=f"{n}") for n, b in ((17, 5), (11, 4), (9, 2))
    ]
    told = text_of(*(replace(p, a=p.e * n / m) for p, n, m in zip(full, (17, 11, 9), (20, 12, 10), strict=True)))
    assert "divided by m/n, n being the size of axis 0 of `X` and m the next multiple of `batch`" in told


@pytest.mark.parametrize("x", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_have_no_powers(x, rng):
    e = rng.normal(size=(3, 4))
    assert "`x`" not in text_of(pair(e, 1.7 * e, x=float(x), share=0.3, X=np.zeros((5, 2))))


def test_of_a_call_that_was_not_given_what_a_candidate_names_it_says_nothing():
    e = np.array([1.0, 2.0, 3.0])
    pair = Pair("", e, 2 * e, {"x": e + 1}, Tolerance())
    candidate = Candidate("times w", "The answer is the right one times `w`.", lambda p: (p.a, p.e * p.arguments["w"]))
    assert agreement(candidate, pair) is None
    assert not explains(candidate, [pair])
