"""A mutant is the reference with one small change of what it computes; its hash survives another layout."""

import ast
import subprocess
import sys
import textwrap

import pytest

from gradschool_grader.mutation.changes import changes
from gradschool_grader.mutation.mutants import mutants, unmet_checks


def function(body, head="def f(x, y, n=3):"):
    return f"{head}\n{textwrap.indent(textwrap.dedent(body).strip(), '    ')}\n"


def bodies(source, **options):
    """What the mutants compute: the body of the last definition, without its docstring."""
    return [ast.unparse(ast.parse(m.source).body[-1]).partition("\n")[2].strip() for m in mutants(source, **options)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x + y", ["x - y", "x"]),
        ("x @ y", ["x * y", "y @ x", "x"]),
        ("x ** 2", ["x * 2", "x"]),
        ("-x", ["x"]),
        ("not x", ["x"]),
        ("x < y", ["x <= y", "x >= y"]),
        ("x < y == z", ["x <= y == z", "x >= y == z", "x < y != z"]),
        ("x is None", ["x is not None"]),
        ("x and y", ["x or y"]),
        ("x if y else z", ["x if not y else z"]),
        ("3", ["4", "2", "6", "0"]),
        ("1", ["2", "0"]),
        ("0.0", ["1.0", "-1.0"]),
        ("True", ["False"]),
        ("'mean'", []),
        ("x.max(axis=1)", ["x.min(axis=1)", "x", "x.max()"]),
        ("np.sum(x)", ["np.mean(x)"]),
        ("np.abs(x)", ["x"]),
        ("np.sqrt(x)", ["x"]),
        ("max(x, y)", ["min(x, y)", "x"]),
        ("x.copy()", ["x"]),
        ("x.T", ["x"]),
        ("np.where(x, y, z)", ["np.where(x, z, y)"]),
        ("range(n)", ["range(n + 1)", "range(n - 1)"]),
        ("range(3)", []),  # its constant has a rule of its own
    ],
)
def test_an_expression_turns_into_what_people_write_instead(before, after):
    assert [ast.unparse(new) for new in changes(ast.parse(before, mode="eval").body)] == after


@pytest.mark.parametrize(
    ("bounds", "after"),
    [("n:", ["n + 1:", "n - 1:", "n:-1"]), (":n", ["1:n", ":n + 1", ":n - 1"]), (":", []), ("1:3", [])],
)
def test_a_slice_begins_or_ends_one_beside(bounds, after):
    index = ast.parse(f"x[{bounds}]", mode="eval").body.slice
    assert [ast.unparse(new) for new in changes(index)] == after


def test_an_accumulation_can_forget_what_was_there_and_can_be_forgotten():
    found = bodies(function("y += x\nreturn y", "def f(x, y):"))
    assert found == ["y -= x\n    return y", "y = x\n    return y", "pass\n    return y"]


@pytest.mark.parametrize(
    ("body", "gone"),
    [
        ("x[0] = y\nreturn x", True),
        ("x = y\nreturn x", True),
        ("z = y\nreturn z", False),  # without it there is only a NameError
        ("for i in x:\n    y.append(i)\nreturn y", True),
        ("if x:\n    return y\nreturn x", True),
        ("return x", False),
    ],
)
def test_statements_are_left_out_where_the_rest_has_a_meaning_without_them(body, gone):
    found = mutants(function(body, "def f(x, y):"))
    assert any("left out" in m.what for m in found) == gone


def test_defaults_and_constants_of_the_module_are_part_of_the_computation():
    source = "LIMIT = 5\n\n\ndef f(x, b=0.5):\n    return np.minimum(b * x, LIMIT)\n"
    found = [m.what for m in mutants(source)]
    assert "`5` → `6`" in found
    assert "`0.5` → `1.0`" in found


def test_texts_are_never_changed():
    source = '''
def f(x: 3 = 1, mode="mean") -> 4:
    """Returns 1 + 1, the sum."""
    note: "5" = x
    if x != note:
        advice = "try 3 + 4" if x > 5 else "try " + "7"
        raise ValueError(f"expected {note + 6}, got {x - 7}; {advice}")
    assert x > 8
    return note
'''
    line = next(i for i, text in enumerate(source.splitlines(), 1) if "raise" in text)
    found = [body for body in bodies(source, met={line}) if "raise" in body]  # one leaves the refusal out
    for text in ("Returns 1 + 1, the sum.", "'try 3 + 4' if x > 5 else 'try ' + '7'", "{note + 6}", "assert x > 8"):
        assert all(text in body for body in found)
    heads = {ast.unparse(ast.parse(m.source)).partition("\n")[0] for m in mutants(source, met={line})}
    assert heads == {f"def f(x: 3={n}, mode='mean') -> 4:" for n in (1, 2, 0)}


def test_a_check_of_the_input_is_changed_only_if_a_probe_meets_it():
    source = function("if x < 3:\n    raise ValueError('small')\nreturn x", "def f(x):")
    assert mutants(source) == []
    assert unmet_checks(source) == ["if x < 3:"]
    changed = [m.what for m in mutants(source, met={3})]
    assert "`x < 3` → `x <= 3`" in changed
    assert "`raise ValueError('small')` left out" in changed
    assert unmet_checks(source, met={3}) == []


def test_what_serves_only_words_and_unmet_checks_is_left_alone():
    source = "def fits(n):\n    return n + 1 > 2\n\n\n" + function(
        "if not fits(x):\n    raise ValueError('no')\nreturn x * 5", "def f(x):"
    )
    assert {m.where.partition(",")[0] for m in mutants(source)} == {"f"}
    assert {m.where.partition(",")[0] for m in mutants(source, met={7})} == {"fits", "f"}


SOURCE = """
def helper(x):
    return x + 1


def f(x, y):
    if x > 0 and y > 0:
        y = y * 2 + helper(x) + 2
    return y - 1
"""
LAID_OUT_ANEW = '''
OTHER = 5


def helper( x ):
        return x+1


def f(x, y):
    """Now with a docstring, and after something else."""

    # and a comment
    if (x > 0) and (
        y > 0
    ):
        y = (y * 2
             + helper(x) + 2)
    return y - 1
'''


def test_the_hash_survives_another_layout():
    before = {m.hash: m.what for m in mutants(SOURCE)}
    after = {m.hash: m.what for m in mutants(LAID_OUT_ANEW)}
    assert before == after


def test_hashes_differ_and_change_with_the_statement_alone():
    before = mutants(SOURCE)
    assert len({m.hash for m in before}) == len(before) > 20
    after = {m.hash for m in mutants(SOURCE.replace("y - 1", "y - 3"))}
    assert {m.where for m in before if m.hash not in after} == {"f, line 9"}


def test_every_mutant_is_a_program_and_no_two_are_the_same():
    found = mutants(SOURCE)
    assert len({ast.dump(compile(m.source, "", "exec", ast.PyCF_ONLY_AST)) for m in found}) == len(found)


def test_who_explains_mistakes_does_not_load_the_audit():
    code = "import sys, gradschool_grader.diagnosis; print(*(name for name in sys.modules if 'audit' in name))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "gradschool_grader.audit" not in loaded
