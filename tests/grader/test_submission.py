"""Property: whatever a student hands in is read, what runs of it follows one rule, and every oddity gets a sentence."""

import json

import pytest
from tiny_course import course

from gradschool_grader.cells import without_magics
from gradschool_grader.chapter import as_text, build_source, student_version
from gradschool_grader.judge import from_the_text
from gradschool_grader.source import solution, stub
from gradschool_grader.submission import read_submission
from gradschool_grader.verdict import GroupVerdict, Verdict

CHAPTER = course.chapters[0]
SQUARE, MEAN = CHAPTER.exercises
SOURCE = build_source(CHAPTER, course)
RELEASED = student_version(SOURCE)


def as_bytes(*cells, **metadata) -> bytes:
    """A notebook of these cells: text is a code cell; a dict is used as it is."""
    made = [c if isinstance(c, dict) else {"cell_type": "code", "source": c, "metadata": {}} for c in cells]
    return json.dumps({"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}).encode()


def code(source, **metadata) -> dict:
    return {"cell_type": "code", "source": source, "metadata": metadata}


def read(*cells, **metadata):
    return read_submission(as_bytes(*cells, **metadata), course, CHAPTER)


DEFINED = "def square(x):\n    return x * x"


# ------------------------------------------------------------------------------------------------------ what runs
def test_the_source_notebook_is_a_submission_without_problems_and_without_stubs():
    submission = read_submission(as_text(SOURCE).encode(), course)
    assert submission.chapter is CHAPTER
    assert submission.problems == ()
    assert submission.untouched == []


def test_the_released_notebook_is_all_stubs():
    submission = read_submission(as_text(RELEASED).encode(), course)
    assert submission.problems == ()
    assert submission.untouched == ["square", "moving_average"]
    assert all(submission.facts(exercise).stub for exercise in CHAPTER.exercises)


def test_all_code_cells_run_in_order_except_checks_and_experiments():
    submission = read(
        "a = 1", 'check("square")', code("b = 2", tags=["experiment"]), DEFINED, 'check("square"); check("x")'
    )
    assert submission.program == [(1, "a = 1"), (4, DEFINED)]


def test_cells_are_counted_as_a_kernel_counts_them():
    text = {"cell_type": "markdown", "source": "# text", "metadata": {}}
    assert read(text, "a = 1", text, DEFINED).facts(SQUARE).source.cells == (2,)


def test_a_check_that_stands_among_other_code_does_not_keep_it_from_running():
    assert len(read(DEFINED + '\ncheck("square")').program) == 1


@pytest.mark.parametrize(
    ("source", "runs"),
    [
        ("%matplotlib inline\nx = 1", "pass  # %matplotlib inline\nx = 1"),
        ("for i in y:\n    %time f(i)", "for i in y:\n    pass  # %time f(i)"),
        ("!pip install thing", "pass  # !pip install thing"),
        ("files = !ls\nn = len(files)", "files = None  # files = !ls\nn = len(files)"),
        ("square?", "pass  # square?"),
        ("%%time\nx = 1", "pass  # %%time\nx = 1"),
        ("%%bash\nrm -r x", "# %%bash\n# rm -r x"),
    ],
)
def test_magics_and_shell_lines_are_commented_out_line_by_line(source, runs):
    assert read(source).program == [(1, runs)]
    assert runs.count("\n") == source.count("\n")


def test_python_that_looks_like_magic_is_left_alone():
    source = "y = (x\n% 3)\ntext = '''\n!no shell\n'''"
    assert read(source).program == [(1, source)]
    assert "pass" in without_magics(source)


# ------------------------------------------------------------------------------------------------ facts about names
def test_the_last_definition_counts_and_is_said_to():
    facts = read(DEFINED, "def square(x):\n    return 2 * x").facts(SQUARE)
    assert facts.source.cells == (1, 2)
    assert not facts.stub
    assert "cells 1, 2; the last one counts" in facts.notes[0]


def test_an_untouched_stub_below_the_answer_is_pointed_out():
    facts = read(DEFINED, stub(SQUARE)).facts(SQUARE)
    assert facts.stub
    assert "Cell 2 is the untouched stub: delete it" in facts.notes[1]


@pytest.mark.parametrize(
    ("cell", "is_stub"),
    [
        (stub(SQUARE), True),
        ("def square(x, y=3):\n    raise   NotImplementedError( )  # mine", True),
        ("import numpy as np\n\n" + stub(SQUARE), True),
        (stub(SQUARE) + "\n    return x * x", False),
        (stub(SQUARE) + "\n\nsquare = lambda x: x * x", False),
        (solution(SQUARE), False),
    ],
)
def test_the_stub_is_known_by_its_body(cell, is_stub):
    facts = read(cell).facts(SQUARE)
    assert facts.stub is is_stub
    assert facts.undefined is None


def test_a_notebook_in_another_language_is_told_in_a_few_lines():
    problems = read(*["f <- function(x) x"] * 7).problems
    assert [problem.partition(" in line")[0] for problem in problems if "yntax" in problem] == [
        "Cell 1 has a syntax error",
        "Cell 2 has a syntax error",
        "Cell 3 has a syntax error",
        "Syntax errors in more cells: 4, 5, 6, 7.",
    ]


@pytest.mark.parametrize(
    ("cells", "kind", "words"),
    [
        ([code(DEFINED, tags=["experiment"])], "not_run", "cell 1, which is tagged `experiment`"),
        ([{"cell_type": "markdown", "source": DEFINED, "metadata": {}}], "not_run", "a text cell, which is markdown"),
        (["def square(x:\n    return x"], "syntax_error", r"Cell 1 has a syntax error in line 1 .*: `def square\(x:`"),
        (["def sqare(x):\n    return x * x"], "not_defined", "Cell 1 defines `sqare`: was it renamed?"),
        (["x = 1"], "not_defined", "No cell of the file defines it"),
        (["def moving_average(x): ..."], "not_defined", "No cell of the file defines it"),
        ([DEFINED + "#" * 100_001], "not_run", "more than 100,000 characters"),
    ],
)
def test_a_name_that_is_not_there_has_a_reason(cells, kind, words):
    facts = read(*cells).facts(SQUARE)
    assert facts.undefined is not None
    assert facts.undefined.kind == kind
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(facts.undefined.text)


HIDING = [
    "from mine import *",
    "from mine import \\\n  *",
    "exec('def square(x): return x')",
    "\uff45xec('def square(x): return x')",
    "globals()['square'] = abs",
    "def make():\n    global square\n    square = abs\nmake()",
]


@pytest.mark.parametrize("cell", HIDING)
def test_what_may_define_names_out_of_sight_is_left_to_the_run(cell):
    assert read(cell).facts(SQUARE).undefined is None


def test_definitions_in_blocks_and_by_assignment_or_import_are_seen():
    for cell in ("if True:\n    def square(x): return x", "square = abs", "from math import sqrt as square"):
        assert read(cell).facts(SQUARE).source.cells == (1,)
    assert read("def other():\n    def square(x): ...").facts(SQUARE).source.cells == ()


def test_only_names_of_the_code_that_runs_are_repeated():
    """A text of a million words would let a process say any of them: twenty bits of a hidden input for each name."""
    text = {"cell_type": "markdown", "source": "secret 3986812 x3986812", "metadata": {}}
    submission = read(text, code("y = aside", tags=["experiment"]), "# 77\ndef f(x):\n    return g(x)")
    assert all(map(submission.mentions, ["f", "g", "x"]))
    assert not any(map(submission.mentions, ["secret", "3986812", "x3986812", "aside", "77", "g(x", "", "f "]))


def test_lines_and_names_of_a_traceback_are_those_of_the_file():
    """A process may say that it failed in line 3986812, which is an input; of that nothing is shown."""
    submission = read("import numpy as np", DEFINED)
    said = [("<cell 2>", 2, "square"), ("<cell 2>", 2, "3986812"), ("<cell 2>", 3986812, "square"), ("<x>", 1, "f")]
    frames = tuple({"file": f, "line": n, "function": name, "source": "?", "arguments": {}} for f, n, name in said)
    groups = (GroupVerdict("values", "raised", 0.0, 1.0, frames=frames),)
    shown = from_the_text(Verdict("square", "", "", 0, "B", groups), submission).groups[0].frames
    assert [(frame["line"], frame["function"], frame["source"]) for frame in shown] == [
        (2, "square", "return x * x"), (2, "a function", "return x * x")]  # fmt: skip


def test_whereabouts_of_a_name_that_was_missing_at_run_time():
    submission = read(code("eps = 1e-8", tags=["experiment"]), "k = 3", "def f(:\n    pass")
    assert submission.whereabouts("eps") == "which only cell 1 defines, and that cell is tagged `experiment`, and " \
        "grading skips those"  # fmt: skip
    assert "defines, but it did not get that far" in submission.whereabouts("k")
    assert "syntax error" in submission.whereabouts("f")
    assert submission.whereabouts("q") == "defined nowhere in the file"


def test_names_that_only_a_kernel_could_know_are_listed_with_their_cells():
    submission = read("import numpy as np", "def square(x):\n    return np.where(x, eps, zeta(x))", "eps")
    assert submission.undefined == {"eps": (2, 3), "zeta": (2,)}


# -------------------------------------------------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"not json", "no JSON"),
        (b"", "The file is empty"),
        (b"\xff\xfe\x00", "no text in UTF-8"),
        (b"[1, 2]", "no list of cells"),
        (b'{"cells": 3}', "no list of cells"),
        (b'{"worksheets": []}', "old format"),
        (b"[" * 200_000, "no JSON"),
        (b'{"cells": [' + b"{}," * 2001 + b"{}]}", "more than 2000 cells"),
    ],
)
def test_a_file_that_is_no_notebook_says_so_in_a_sentence(data, words):
    submission = read_submission(data, course, CHAPTER)
    assert not submission.readable
    assert words in submission.problems[0]
    assert submission.program == []
    undefined = submission.facts(SQUARE).undefined
    assert undefined is not None
    assert words in undefined.text


def test_a_file_that_is_too_large_or_missing_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("gradschool_grader.cells.LARGEST_FILE", 1000)
    (tmp_path / "big.ipynb").write_bytes(b" " * 1001)
    assert "larger than" in read_submission(tmp_path / "big.ipynb", course, CHAPTER).problems[0]
    assert "larger than" in read_submission(b" " * 1001, course, CHAPTER).problems[0]
    assert "cannot be read" in read_submission(tmp_path / "none.ipynb", course, CHAPTER).problems[0]


@pytest.mark.parametrize(
    "cell",
    [
        3, None, {}, {"cell_type": "code"}, {"cell_type": "code", "source": 7, "metadata": []},
        {"cell_type": ["code"], "source": "x"}, {"cell_type": "code", "source": ["a = 1", 3], "metadata": {"tags": 1}},
        {"cell_type": "code", "source": "a = 1", "metadata": {"tags": [{}], "nbgrader": {"grade_id": {}}}},
    ],
)  # fmt: skip
def test_a_malformed_cell_spoils_nothing_else(cell):
    data = json.dumps({"cells": [cell, code(DEFINED)], "metadata": {}}).encode()
    submission = read_submission(data, course, CHAPTER)
    assert submission.program[-1][1] == DEFINED
    assert submission.facts(SQUARE).source.cells


@pytest.mark.parametrize(
    "source",
    ["x = " + "(" * 5000, "x = " + "-" * 50_000 + "1", "x" + ".y" * 40_000, "\0", "x = '\\d'", "x = 1" + "0" * 9000,
     "[" * 150 + "]" * 150, "x = " + "1+" * 30_000 + "1", "\ud800"],
)  # fmt: skip
def test_source_that_is_meant_to_hurt_the_reader_does_not(source):
    submission = read(source, DEFINED)
    assert submission.facts(SQUARE).source.cells == (2,)
    assert isinstance(submission.undefined, dict)


def test_the_wrong_assignment_is_named():
    other = course.chapters[0].__class__("ch02_other", 2, "Other", CHAPTER.folder, [])
    two = course.__class__("two", "", [CHAPTER, other])
    submission = read_submission(as_text(RELEASED).encode(), two, other)
    assert "This is the work for ch01_tiny; expected ch02_other." in submission.problems


def test_the_chapter_is_known_by_metadata_by_file_name_and_by_what_is_defined(tmp_path):
    assert read_submission(as_bytes("x = 1", gradschool={"chapter": "tiny"}), course).chapter is CHAPTER
    assert read_submission(as_bytes("x = 1"), course, name="ada/ch01_tiny/work.ipynb").chapter is CHAPTER
    assert read_submission(as_bytes(DEFINED), course).chapter is CHAPTER
    nothing = read_submission(as_bytes("x = 1"), course)
    assert nothing.chapter is None
    assert "does not say which assignment" in nothing.problems[0]


def test_lost_metadata_left_out_cells_and_a_bogus_kernel_are_reported():
    problems = read(DEFINED, kernelspec={"name": "ir", "language": "R"}).problems
    assert problems[0] == "The notebook asks for the kernel 'ir'; it was run with Python."
    assert "lost its metadata" in problems[1]
    assert problems[2] == "The notebook lacks the cells of moving_average."


def test_an_exercise_that_changed_since_the_release_is_told_with_the_version_needed():
    old = {"chapter": "ch01_tiny", "version": "0.0.7", "exercises": {"square": "0" * 64}}
    submission = read(DEFINED, gradschool=old)
    assert submission.outdated == ["square"]
    assert "built by version 0.0.7 of tiny, and square changed since; graded by version 0.1" in submission.problems[-1]


# ---------------------------------------------------------------------------------------------------------- scripts
def test_a_script_is_read_in_cells_or_as_one():
    text = '# %%\nimport numpy as np\n\n# %% [markdown]\n# words\n\n# %% tags=["experiment"]\nx = 1\n\n# %%\n' + DEFINED
    submission = read_submission(text.encode(), course, CHAPTER, name="work.py")
    assert submission.program == [(1, "import numpy as np"), (3, DEFINED)]
    assert [cell.kind for cell in submission.cells] == ["code", "markdown", "code", "code"]
    plain = read_submission(DEFINED.encode(), course, CHAPTER, name="work.py")
    assert plain.program == [(1, DEFINED)]


def test_a_path_is_read(tmp_path):
    (tmp_path / "ch01_tiny.ipynb").write_text(as_text(RELEASED), encoding="utf-8")
    submission = read_submission(tmp_path / "ch01_tiny.ipynb", course)
    assert submission.chapter is CHAPTER
    assert len(submission.digest) == 64
