"""Property: a teacher's own tests get the score that nbgrader's rule gives; what falls through it is for a person."""

import copy
import math
import shutil
from pathlib import Path

import nbformat
import pytest
from tiny_course.samples import RIGHT, find, hand_in, notebook

pytest.importorskip("nbgrader")

import nbgrader
from nbformat.v4 import new_code_cell
from nbgrader import utils
from nbgrader.api import Gradebook

from gradschool_grader.contract import Infrastructure, WorkerDied
from gradschool_grader.inside.execute import execute
from gradschool_grader.observe import Malformed
from gradschool_grader.own import NOT_CHEAT_PROOF, OwnPapers, Part, Shown, run_cells, score
from gradschool_grader.teach.assign import generate_assignment
from gradschool_grader.teach.grade import grade
from gradschool_grader.teach.own import outputs_of
from gradschool_grader.worker import SubprocessWorkers

POINTS = 6.0
CELLS = {  # code of a test: (points by nbgrader's rule, or None where we ask a person; outcome)
    "assert True": (6.0, "passed"),
    "assert 3 == 4, 'three'": (0.0, "failed"),
    "3.5": (3.5, "partly"),
    "0": (0.0, "failed"),
    "6": (6.0, "passed"),
    "print(3)": (6.0, "passed"),
    "3;": (6.0, "passed"),
    "None": (6.0, "passed"),
    "x = 3": (6.0, "passed"),
    "": (6.0, "passed"),
    "import sys; print('careful', file=sys.stderr)": (0.0, "failed"),
    "import sys; print('careful', file=sys.stderr); 3": (0.0, "failed"),
    "import warnings; warnings.warn('careful')": (0.0, "failed"),
    "def f(:": (0.0, "failed"),
    "raise SystemExit": (0.0, "failed"),
    "-1": (None, "aside"),
    "float('nan')": (None, "aside"),
    "'well done'": (None, "aside"),
    "[1, 3]": (None, "aside"),
    "7": (None, "aside"),
    "open('nowhere.csv')": (None, "aside"),
    "import no_such_package": (None, "aside"),
}


@pytest.fixture(scope="module")
def workers():
    with SubprocessWorkers() as found:
        yield found


def program(*codes, before=()):
    parts = [Part(i, code) for i, code in enumerate(before, start=1)]
    return [*parts, *(Part(len(before) + i, code, f"t{i}", POINTS) for i, code in enumerate(codes, start=1))]


# --------------------------------------------------------------------------------------------------------- the rule
def test_the_score_of_a_cell_is_that_of_the_table(workers):
    scored = run_cells(program(*CELLS), workers)
    assert {code: (s.points, s.outcome) for code, s in zip(CELLS, scored, strict=True)} == CELLS


def test_nbgrader_reads_the_same_score_from_the_outputs_that_are_kept(workers):
    for scored in run_cells(program(*CELLS), workers):
        cell = new_code_cell(metadata={"nbgrader": {"grade": True, "solution": False, "points": POINTS}})
        cell.outputs = outputs_of(scored)
        nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))
        assert NOT_CHEAT_PROOF in cell.outputs[-1].data["text/html"]
        if scored.points is not None:
            assert utils.determine_grade(cell)[0] == scored.points
        else:
            assert "waits for a grade by hand" in cell.outputs[-1].data["text/html"]


def test_where_a_person_is_asked_stock_nbgrader_gives_full_marks_stops_or_cannot_know():
    for shown in ("-1", "nan", "'well done'", "7"):
        cell = new_code_cell(metadata={"nbgrader": {"grade": True, "solution": False, "points": POINTS}})
        cell.outputs = [nbformat.v4.new_output("execute_result", data={"text/plain": shown}, execution_count=3)]
        if shown == "7":
            with pytest.raises(ValueError, match="partial credit"):
                utils.determine_grade(cell)
        else:
            assert utils.determine_grade(cell)[0] == POINTS
        assert score(Shown(None, "", shown, "", ""), POINTS)[0] is None


def test_an_error_comes_before_what_was_written_and_that_before_the_number():
    assert score(Shown("ValueError", "no", "3", "", "loud"), POINTS) == (0.0, "failed", "ValueError: no")
    assert score(Shown(None, "", "3", "", "loud"), POINTS)[0] == 0.0
    assert score(Shown(None, "", "3", "quiet", "  \n"), POINTS)[0] == 3.0


# ---------------------------------------------------------------------------------------------------- the notebook
def test_cells_run_from_top_to_bottom_in_one_process(workers):
    scored = run_cells(program("y = x + 1", "y", before=["x = 3"]), workers)
    assert [s.points for s in scored] == [6.0, 4.0]


@pytest.mark.parametrize("between", [["x = 7"], ["x = 6", "x += 1"], []])
def test_cells_between_two_tests_run_before_the_second(workers, between):
    before, after = Part(1, "x = 3"), [Part(3 + i, code) for i, code in enumerate(between)]
    cells = [before, Part(2, "x", "first", 9.0), *after, Part(9, "x", "second", 9.0)]
    assert [s.points for s in run_cells(cells, workers)] == [3.0, 7.0 if between else 3.0]


def test_a_cell_that_raises_does_not_stop_the_next(workers):
    assert run_cells(program("f(3)", before=["1 / 0", "def f(x): return x"]), workers)[0].points == 3.0


def test_a_test_that_hangs_or_crashes_costs_itself_alone(workers):
    hanging = "while True: pass"
    crashing = "import os; os._exit(3)"
    scored = run_cells(program("x", hanging, "x", crashing, "x", before=["x = 5"]), workers, seconds=0.7)
    assert [(s.points, s.outcome) for s in scored] == [
        (5.0, "partly"),
        (0.0, "timeout"),
        (5.0, "partly"),
        (0.0, "died"),
        (5.0, "partly"),
    ]


@pytest.mark.parametrize("error", [WorkerDied("killed"), Infrastructure("the zygote died")])
def test_a_test_whose_worker_is_killed_is_run_once_more(workers, error):
    """By somebody else: that costs no points. What is killed twice ends itself."""
    asked = []

    class Interrupted(SubprocessWorkers):
        def fresh(self):
            worker = super().fresh()
            request = worker.request

            def interrupted(message, seconds):
                asked.append(message["op"])
                if message["op"] == "execute" and asked.count("execute") in moments:
                    worker.close()
                    raise error
                return request(message, seconds)

            worker.request = interrupted
            return worker

    moments = [2]
    scored = run_cells(program("x", "x + 1", "x", before=["x = 3"]), Interrupted())
    assert [(s.points, s.outcome) for s in scored] == [(3.0, "partly"), (4.0, "partly"), (3.0, "partly")]
    asked.clear()
    moments = [2, 3]
    scored = run_cells(program("x", "x + 1", "x", before=["x = 3"]), Interrupted())
    assert [s.outcome for s in scored] == ["partly", error.outcome, "partly"]
    assert asked.count("execute") == 4


def test_a_cell_of_the_student_that_hangs_is_left_out(workers):
    assert run_cells(program("x", before=["x = 5", "while True: pass"]), workers, seconds=0.7)[0].points == 5.0


def test_what_failed_for_want_of_a_file_is_for_a_person(workers):
    before = ["rows = open('measured.csv').read()", "def mean(): return len(rows)"]
    scored = run_cells(program("assert mean() == 3", before=before), workers)[0]
    assert (scored.points, scored.outcome) == (None, "aside")
    assert "measured.csv" in scored.words


def test_a_reply_of_the_wrong_form_is_for_a_person():
    good = {"error": None, "kinds": [], "message": "", "result": "3", "stdout": "", "stderr": ""}
    assert Shown.claimed(good).result == "3"
    for name, value in [("result", 3), ("stdout", None), ("message", b""), ("kinds", 7)]:
        bad = {**good, "error": "E", name: value}
        with pytest.raises(Malformed):
            Shown.claimed(bad)
    with pytest.raises(Malformed):
        Shown.claimed({})


def test_what_is_written_and_shown_is_cut():
    done = execute("print('a' * 100_000); 'b' * 100_000", "<cell 3>", {})
    assert (len(done["stdout"]), len(done["result"])) == (4000, 4000)


# ---------------------------------------------------------------------------------------- in a course directory
@pytest.fixture(scope="module")
def quickstart(released, tmp_path_factory):
    """nbgrader's quickstart course beside ours, handed in by its two students, graded."""
    folder = Path(shutil.copytree(released, tmp_path_factory.mktemp("quickstart") / "course"))
    guide = Path(nbgrader.__file__).parent / "docs" / "source" / "user_guide"
    shutil.copytree(guide / "source" / "ps1", folder / "source" / "ps1")
    generate_assignment(folder, "ps1")
    for student in ("bitdiddle", "hacker"):
        shutil.copytree(guide / "submitted" / student / "ps1", folder / "submitted" / student / "ps1")
    hand_in(folder, "ada", notebook(**RIGHT))
    return folder, grade(folder, jobs=1)


def gradebook_scores(folder, assignment):
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        submissions = gradebook.find_assignment(assignment).submissions
        return {s.student_id: (s.score, s.needs_manual_grade) for s in submissions}


def test_the_quickstart_course_gets_the_scores_of_nbgraders_own_guide(quickstart):
    """Its user guide exports `ps1,...,bitdiddle,...,1.5` and `ps1,...,hacker,...,3.0` (docs/source/user_guide)."""
    folder, summary = quickstart
    assert summary.set_aside == []
    assert gradebook_scores(folder, "ps1") == {"bitdiddle": (1.5, True), "hacker": (3.0, True)}
    assert gradebook_scores(folder, "ch01_tiny") == {"ada": (7.0, False)}


def test_every_own_test_says_that_it_is_not_cheat_proof(quickstart):
    folder, summary = quickstart
    assert {(p.student, p.notebook, len(p.cells)) for p in summary.beside} == {
        ("bitdiddle", "problem1", 4),
        ("hacker", "problem1", 4),
    }
    assert not any(cell.cheat_proof for paper in summary.beside for cell in paper.cells)
    page = (folder / "feedback/hacker/ps1/problem1.html").read_text(encoding="utf-8")
    assert page.count("not cheat-proof") == 4


def test_what_has_not_changed_is_not_run_again(quickstart, monkeypatch):
    folder, before = quickstart
    monkeypatch.setattr("gradschool_grader.teach.judge.run_cells", None)  # it would fail if it were called
    again = grade(folder, jobs=1)
    assert (again.set_aside, again.beside) == ([], before.beside)


def with_own_test(folder, code, points=5):
    """A test of the teacher's in the middle of our chapter."""
    source = folder / "source/ch01_tiny/ch01_tiny.ipynb"
    made = nbformat.read(source, as_version=4)
    own = copy.deepcopy(find(made, "square"))
    own["id"], own.source = "extra", code
    own.metadata.nbgrader.update(grade_id="extra", points=points)
    made.cells.append(own)
    nbformat.write(made, source)
    generate_assignment(folder, "ch01_tiny")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("assert square(3) == 9", (5, False)),
        ("assert square(3) == 8", (0, False)),
        ("2.5", (2.5, False)),
        ("-1", (None, True)),
    ],
)
def test_own_cells_beside_our_exercises_are_graded_with_them(folder, code, expected):
    with_own_test(folder, f"{code}\n### BEGIN HIDDEN TESTS\nassert True\n### END HIDDEN TESTS" if "=" in code else code)
    hand_in(folder, "ada", notebook(**RIGHT))
    summary = grade(folder, jobs=1)
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        place = "ch01_tiny", "ch01_tiny", "ada"
        extra = gradebook.find_grade("extra", *place)
        assert (extra.auto_score, bool(extra.needs_manual_grade)) == expected
        assert gradebook.find_grade("square", *place).auto_score == 3
    assert [p.cells[0].grade_id for p in summary.beside] == ["extra"]


def test_a_hidden_test_is_run_though_the_student_never_saw_it(folder):
    with_own_test(folder, "square(1)\n### BEGIN HIDDEN TESTS\nassert square(3) == 10\n### END HIDDEN TESTS")
    hand_in(folder, "ada", notebook(**RIGHT))
    assert [cell.outcome for paper in grade(folder, jobs=1).beside for cell in paper.cells] == ["failed"]
    released = (folder / "release/ch01_tiny/ch01_tiny.ipynb").read_text()
    assert "square(3) == 10" not in released


def test_a_test_that_a_student_edited_is_the_teachers_again(folder):
    with_own_test(folder, "assert square(3) == 10")
    made = notebook(**RIGHT)
    made["cells"].append({"cell_type": "code", "id": "extra", "source": "5", "outputs": [], "execution_count": None,
                          "metadata": {"nbgrader": {"grade_id": "extra", "grade": True, "points": 5}}})  # fmt: skip
    hand_in(folder, "ada", made)
    assert [cell.points for paper in grade(folder, jobs=1).beside for cell in paper.cells] == [0.0]


def test_numbers_that_mean_nothing_are_kept_as_a_result_that_can_be_read_again(folder):
    with_own_test(folder, "float('nan')")
    hand_in(folder, "ada", notebook(**RIGHT))
    paper = grade(folder, jobs=1).beside[0]
    assert OwnPapers(folder).read("ch01_tiny", "ada", "ch01_tiny") == paper
    assert paper.cells[0].for_a_person
    assert not math.isnan(paper.cells[0].max_points)
