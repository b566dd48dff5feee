"""Property: the standalone text runs with NumPy alone and behaves as the object that it was taken from."""

import ast
import copy
import functools
import math

import numpy as np
import pytest
from tiny_course import library
from tiny_course.ch01_tiny import exercises

from gradschool_grader.standalone import SourceError, module_source, standalone


def run(text: str) -> dict:
    """The names that the text defines when only `np` is there."""
    names: dict = {"np": np}
    exec(compile(text, "<standalone>", "exec", dont_inherit=True), names)
    return names


X = np.random.default_rng(5).normal(size=11)


def test_a_function_brings_its_helpers_constants_and_imports():
    function = run(standalone(library.moving_average))["moving_average"]
    np.testing.assert_array_equal(function(X, 4, scale=3.0), library.moving_average(X, 4, scale=3.0))


def test_nothing_is_named_that_does_not_come_along():
    text = standalone(library.moving_average)
    assert "tiny_course" not in text
    assert "@" not in text
    assert "Array" not in text


def test_defaults_stay_as_they_were_written():
    assert "scale=1e-0" in standalone(library.moving_average)


def test_comments_and_docstrings_of_helpers_survive():
    text = standalone(library.moving_average)
    assert "# NumPy has this too" in text
    assert "n itself, if it is at least 1." in text


def test_helpers_come_before_what_uses_them():
    names = [node.name for node in ast.parse(standalone(library.moving_average)).body if hasattr(node, "name")]
    assert names[-1] == "moving_average"
    assert set(names[:-1]) == {"positive", "_windows", "square"}


def test_a_class_keeps_properties_and_brings_what_its_methods_name():
    counter = run(standalone(library.Counter))["Counter"](step=3)
    assert (counter.count(2), counter.doubled) == (6, 12)
    with pytest.raises(ValueError, match="at least 1"):
        counter.count(0)


def test_a_lambda_becomes_a_def_under_the_name_asked_for():
    function = run(standalone(exercises.square.misconceptions[0].wrong, name="square"))["square"]
    np.testing.assert_array_equal(function(X), 2 * X)


def test_a_wrong_answer_may_call_the_reference_whose_name_it_takes():
    function = run(standalone(exercises.square.misconceptions[1].wrong, name="square"))["square"]
    np.testing.assert_array_equal(function(X), X * X * np.sign(X))


def test_a_partial_over_a_named_function_keeps_its_arguments():
    wrong = functools.partial(library.moving_average, scale=1.5, n=5)
    function = run(standalone(wrong, name="moving_average"))["moving_average"]
    np.testing.assert_array_equal(function(X), library.moving_average(X, 5, scale=1.5))


def scaled_by(k, table, inner):
    def outer(x, *, of=(lambda n: n + 1)):
        k_ = [k for k in (1, 2) if k > 1]  # the comprehension's k is not the closure's
        return k * table["b"] * inner(x) + of(k_[0])

    return outer


def test_a_closure_brings_the_values_that_it_holds():
    closure = scaled_by(float("inf"), {"b": np.array([2, 7])}, np.exp)
    assert run(standalone(closure))["outer"](0.0).tolist() == [math.inf, math.inf]
    two = scaled_by(2.0, {"b": np.array([2, 7])}, library.square)
    np.testing.assert_array_equal(run(standalone(two))["outer"](3.0), two(3.0))


def test_two_closures_of_one_factory_keep_their_own_values_in_one_module():
    first, second = (scaled_by(k, {"b": 3}, np.cos) for k in (5.0, 7.0))

    def both(x):
        return first(x), second(x)

    np.testing.assert_allclose(run(standalone(both))["both"](0.25), both(0.25), rtol=0, atol=0)


def test_several_lambdas_on_one_line_are_told_apart():
    pair = [lambda x: x + 1, lambda x: (lambda y: y * 3)(x)]
    assert [run(standalone(f, name="f"))["f"](5) for f in pair] == [6, 15]


def fibonacci(n: int) -> int:
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def test_a_recursive_function_meets_itself_also_under_another_name():
    assert run(standalone(fibonacci, name="f"))["f"](9) == 34


def test_a_module_offers_all_objects_and_imports_numpy_itself():
    names: dict = {}
    exec(module_source([library.square, library.Counter]), names)
    assert names["square"](3) == 9
    assert names["Counter"]().count() == 1


def nested(x: int) -> int:
    def inner(y: int) -> int:
        z: int = y + 1
        return z

    total: int = inner(x)
    return total


def test_annotations_go_wherever_they_stand():
    text = standalone(nested)
    assert "int" not in text
    assert run(text)["nested"](4) == 5


def test_the_same_object_gives_the_same_text():
    assert standalone(library.moving_average) == standalone(library.moving_average)


def by_path(x):
    square = library.square(x)  # what comes along must not be called as this is
    return square + 1.0


def test_a_helper_named_by_a_path_gives_way_to_a_local_name():
    np.testing.assert_array_equal(run(standalone(by_path))["by_path"](X), by_path(X))


def test_what_cannot_stand_alone_says_which_name_is_the_reason():
    thing = object()

    def holds():
        return thing

    with pytest.raises(SourceError, match=r"`holds` holds a object.*module constant"):
        standalone(holds)
    with pytest.raises(SourceError, match="expected a def"):
        standalone(3.0, name="three")


def test_an_unknown_name_is_reported_when_the_text_is_made():
    def broken(x):
        return undefined_name(x)  # noqa: F821

    with pytest.raises(SourceError, match="`undefined_name`, which is not defined"):
        standalone(broken)


def made_of(spread, order, default, scale=len):
    def answer(x, to=default, *, told=scale):
        return order([spread(x), to, told(x)])

    return answer


@pytest.mark.parametrize("spread", [np.var, np.sqrt, np.linalg.norm, math.sqrt, copy.copy, abs])
def test_what_a_closure_holds_of_numpy_python_or_its_library_is_named(spread):
    x = X**2 if type(spread) is not type(math.sqrt) else 4.0
    for function in (made_of(spread, list, "to", type), made_of(spread, tuple, 3.0, repr)):
        text = standalone(function, name="mine")
        assert "def " not in text.partition("def mine")[0]
        np.testing.assert_equal(run(text)["mine"](x), function(x))


def test_defaults_that_were_names_of_the_function_around_it_are_told():
    text = standalone(made_of(np.var, list, 7.5), name="mine")
    assert "default = 7.5" in text
    assert "scale = len" in text


@pytest.mark.parametrize("offered", [copy.copy, np.var, np.sign, sorted])
def test_what_others_offer_stands_under_the_name_asked_for(offered):
    assert run(standalone(offered, name="mine"))["mine"] is offered
