"""An answer that passed stands beside the reference: its errors under stress, its memory and its text are its own."""

import json

import numpy as np
import pytest
from tiny_course import course, library

from gradschool_grader import check
from gradschool_grader.beside import Beside, apart, beside, bytes_in_words, peak, seconds_in_words
from gradschool_grader.exercise import Call, Exercise, Group, Script, Steps, Variant
from gradschool_grader.stress import WAYS, extended, grown
from gradschool_grader.together import Together, aligned, defined_in, without_tasks, written_in


def logsumexp(x):
    """log of the sum of exponentials of each row: x (N, K) -> (N,)"""
    top = x.max(axis=-1, keepdims=True)
    return (top + np.log(np.exp(x - top).sum(axis=-1, keepdims=True)))[..., 0]


def careless(x):
    return np.log(np.exp(x).sum(axis=-1))


def by_reduction(x):
    return np.logaddexp.reduce(x, axis=-1)


EXERCISE = Exercise(
    logsumexp, "ch01", task="", example="", axes={"x": ("batch", "class")},
    groups=[Group("values", 1, lambda rng: [Call(x=rng.normal(size=(5, 3)))])],
    variants=[Variant("by_reduction", by_reduction)],
)  # fmt: skip


@pytest.fixture(scope="module")
def measured():
    return beside(EXERCISE, careless, {}, seed=4)


def test_ordinary_inputs_part_nobody_and_huge_ones_do(measured):
    assert measured.columns == ("yours", "the reference", "by reduction")
    assert all(error < 1e-14 for error in measured.errors["ordinary"].values())
    assert measured.errors["huge (× 1e8)"] == {"yours": "inf", "the reference": 0.0, "by reduction": 0.0}
    (remark,) = measured.remarks
    assert remark.startswith("huge (× 1e8): yours inf, the reference exact.")


def test_single_precision_and_an_empty_batch_are_among_the_ways(measured):
    assert 1e-9 < measured.errors["float32"]["the reference"] < 1e-6
    assert measured.errors["empty batch"]["the reference"] == 0.0


def test_the_result_travels_as_json(measured):
    assert json.loads(json.dumps(measured.to_json()))["errors"]["huge (× 1e8)"]["yours"] == "inf"


@pytest.mark.parametrize("way", WAYS)
def test_every_way_keeps_the_form_of_every_kind_of_probe(way):
    x, g = np.ones((5, 3)), np.ones(3)
    probes = [Call(x=x).then((g,)), Steps({"x": x}, [{"g": g}], {"lr": 0.1}),
              Script({"x": x}, [("update", (g, 4)), ("count", None)])]  # fmt: skip
    for probe in probes:
        stressed = WAYS[way](EXERCISE, probe)
        assert stressed is None or type(stressed) is type(probe)
        assert stressed is not None or way == "empty batch"
    assert probes[2].calls == [("update", probes[2].calls[0][1]), ("count", None)]


def test_labels_and_plain_numbers_are_left_alone():
    probe = Call(x=np.array([3.0]), labels=np.array([1, 2]), mask=np.array([True]), lr=0.5)
    for way in ("huge (× 1e8)", "zeros", "float32"):
        given = WAYS[way](EXERCISE, probe)
        assert isinstance(given, Call)
        assert given.arguments["labels"].tolist() == [1, 2]
        assert given.arguments["mask"].dtype == bool
        assert given.arguments["lr"] == 0.5


def test_inputs_for_timing_are_larger_along_the_batch_or_else_along_the_last_axis():
    larger = grown(EXERCISE, Call(x=np.ones((5, 3))))
    assert isinstance(larger, Call)
    assert larger.arguments["x"].shape == (320, 3)
    steps = grown(EXERCISE, Steps({"p": np.ones((5, 3))}, [{"g": np.ones((5, 3))}]))
    assert isinstance(steps, Steps)
    assert steps.carry["p"].shape == steps.feed[0]["g"].shape == (5, 192)


def test_the_yardstick_has_more_digits_than_what_is_measured():
    probe = extended(Call(x=np.array([0.1])))
    assert isinstance(probe, Call)
    assert probe.arguments["x"].dtype == np.longdouble


@pytest.mark.parametrize(
    ("right", "value", "found"),
    [
        (np.array([3.0, 4.0]), np.array([3.0, 4.4]), 0.1), (np.zeros(3), np.array([0.0, 0.5, 0.0]), 0.5),
        (np.array([1.0, np.inf]), np.array([1.0, 7.0]), 0.0), (np.ones(3), np.ones(4), "another shape"),
        (np.ones(3), np.array([1.0, np.nan, 1.0]), "nan"), (np.ones(3), np.array([1.0, np.inf, 1.0]), "inf"),
        (np.ones(3), "ones", "no numbers"), ("mean", 3.0, 0.0), (np.array([]), np.array([]), 0.0),
    ],
)  # fmt: skip
def test_an_error_is_relative_to_the_largest_number_of_the_array(right, value, found):
    assert apart(right, value) == (found if isinstance(found, str) else pytest.approx(found, rel=1e-12))


def test_memory_is_what_a_call_holds_at_once_beyond_what_was_there():
    kept = np.ones(50_000)
    assert 800_000 <= peak(lambda: (kept + 1, kept + 2)) < 900_000
    assert peak(lambda: None) < 1000


def test_a_class_and_a_whole_course_can_be_measured():
    for exercise in course.exercises:
        found = beside(exercise, exercise.variants[0].right, course.helpers, seed=3)
        assert found.errors["ordinary"]["the reference"] < 1e-14
        assert set(found.seconds) == set(found.bytes) == set(found.columns)
    counter = Exercise(library.Counter, "ch01_tiny", task="", example="", groups=[
        Group("counts", 1, lambda rng: [Script({"step": 3}, [("count", (4,)), ("doubled", None)])])])  # fmt: skip
    assert beside(counter, library.Counter, {}, seed=3).errors["ordinary"]["yours"] == 0.0


def test_the_table_has_units_for_the_reference_and_ratios_for_the_others():
    zeros, seconds = {"yours": "nan", "the reference": 2e-16}, {"yours": 3e-5, "the reference": 2e-5}
    memory = {"yours": 500, "the reference": 0}
    table = Beside("f", ("yours", "the reference"), {"zeros": zeros}, seconds, memory, "a yardstick")
    assert table.rows == [("zeros", ["nan", "2e-16"]), ("time", ["1.5 ×", "20 µs"]), ("memory", ["500 B", "0 B"])]
    assert "zeros: yours nan, the reference 2e-16." in repr(table)
    assert (seconds_in_words(2.5), seconds_in_words(0.0123), bytes_in_words(2_500_000)) == (
        "2.5 s",
        "12.3 ms",
        "2.5 MB",
    )


# ------------------------------------------------------------------------------------------------------ side by side
def test_equal_lines_stand_beside_each_other_and_the_task_stands_nowhere():
    left = 'def f(x):\n    """Task.\n\n    More.\n    """\n    y = x\n    return y'
    right = 'def f(x):\n    """f = x"""\n    return x'
    assert aligned(left, right)[0] == ("def f(x):", "def f(x):")
    assert [a for a, _ in aligned(left, right)] == ["def f(x):", "    y = x", "    return y"]
    assert without_tasks(right) == right
    assert without_tasks("def f(:") == "def f(:"
    assert [pair for pair in aligned("a\nb", "b") if pair[0] == pair[1]] == [("b", "b")]


CELLS = [
    (1, "import numpy as np\nprint(undefined)"), (3, "SCALE = 3\n\ndef other(x):\n    return x"),
    (4, "def helper(x):\n    return SCALE * x  # scaled"), (6, "def f(x):\n    return helper(np.abs(x))"),
]  # fmt: skip


def test_of_a_file_only_what_the_answer_needs_is_shown_and_run():
    assert written_in("f", CELLS).split("\n\n\n") == ["SCALE = 3", *(text for _, text in CELLS[2:])]
    names = defined_in("f", CELLS)
    assert names["f"](np.array([-2.0])).tolist() == [6.0]
    assert "other" not in names


def test_a_check_that_passed_shows_both_and_one_that_did_not_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_square.py").write_text("def square(x):\n    return x**2  # <b>\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import own_square  # type: ignore[import-not-found]

    together = check("square", namespace=dict(vars(own_square))).solution()
    assert isinstance(together, Together)
    assert "return x**2  # <b>" in repr(together)
    assert "return x * x" in repr(together)
    assert "&lt;b&gt;" in together._repr_html_()
    assert "<b>" not in together._repr_html_()
    assert "has not passed yet" in repr(check("square", namespace={"square": lambda x: x}).solution())
