"""Property: tables for Canvas and Moodle have the form that those systems export, with the scores of the gradebook."""

import csv
from dataclasses import replace
from datetime import datetime

import pytest
from tiny_course.samples import RIGHT, hand_in, notebook

pytest.importorskip("nbgrader")

from nbgrader.api import Gradebook

from gradschool_grader.teach.assign import alembic_on_path, quietly
from gradschool_grader.teach.export import as_text, export, export_for
from gradschool_grader.teach.lms import Grades, canvas, grades_in, moodle, number

GRADES = Grades(
    {"ch03_losses": 30.0, "ch10_optimizers": 44.5},
    {
        "ada": {"first_name": "Ada", "last_name": "Byron", "email": "ada@example.org"},
        "bela": {"first_name": "", "last_name": "", "email": ""},
        "cleo": {"first_name": "Cleo", "last_name": "", "email": ""},
    },
    {("ada", "ch03_losses"): 27.5, ("ada", "ch10_optimizers"): 1 / 3, ("bela", "ch03_losses"): 0.0},
)
# A gradebook as Canvas exports it ("How do I export grades in the Gradebook?", Canvas Instructor Guide).
CANVAS = [
    ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "ch03_losses (4711)", "Quiz (12)", "Final Score"],
    ["    Points Possible", "", "", "", "", "30.00", "10.00", "(read only)"],
    ["Byron, Ada", "11", "S1", "ADA", "DL 101", "", "9.00", "90"],
    ["Szabo, Bela", "12", "bela", "b.szabo", "DL 101", "", "7.00", "70"],
    ["Nobody, Ned", "13", "S3", "ned", "DL 102", "", "3.00", "30"],
]
# "The import file format is the same as the corresponding export format" (docs.moodle.org/en/Grade_import).
MOODLE = [
    ["First name", "Last name", "ID number", "Institution", "Department", "Email address",
     "Assignment: ch03_losses (Real)", "Course total (Real)"],
    ["Ada", "Byron", "S1", "", "", "ada@example.org", "-", "-"],
    ["Bela", "Szabo", "bela", "", "", "b@example.org", "-", "-"],
]  # fmt: skip


def test_canvas_gets_its_five_columns_and_the_points_possible():
    table = canvas(GRADES)
    assert table.rows == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "ch03_losses", "ch10_optimizers"],
        ["    Points Possible", "", "", "", "", "30", "44.5"],
        ["Byron, Ada", "", "", "ada", "", "27.5", "0.3333"],
        ["bela", "", "", "bela", "", "0", ""],
        ["Cleo", "", "", "cleo", "", "", ""],
    ]


def test_with_its_own_export_canvas_gets_its_own_columns_and_names_back():
    table = canvas(GRADES, CANVAS)
    assert table.rows == [
        [*CANVAS[0][:5], "ch03_losses (4711)", "ch10_optimizers"],
        ["    Points Possible", "", "", "", "", "30", "44.5"],
        [*CANVAS[2][:5], "27.5", "0.3333"],
        [*CANVAS[3][:5], "0", ""],
        [*CANVAS[4][:5], "", ""],
    ]
    assert (table.only_here, table.only_there) == ([], ["ned"])
    assert table.new == ["ch10_optimizers"]


def test_a_column_in_which_canvas_counts_to_another_maximum_is_refused():
    other = [CANVAS[0], ["    Points Possible", "", "", "", "", "25", "10", ""], *CANVAS[2:]]
    with pytest.raises(ValueError, match="Canvas counts ch03_losses to 25 points, and it has 30 here: set it there"):
        canvas(GRADES, other)


def test_columns_are_new_only_beside_a_roster():
    assert canvas(GRADES).new == moodle(GRADES).new == []


def test_who_is_not_in_the_roster_is_named():
    assert canvas(GRADES, CANVAS[:3]).only_here == ["bela"]


def test_moodle_gets_names_numbers_and_addresses():
    assert moodle(GRADES).rows[:3] == [
        ["First name", "Last name", "ID number", "Email address", "ch03_losses", "ch10_optimizers"],
        ["Ada", "Byron", "ada", "ada@example.org", "27.5", "0.3333"],
        ["", "", "bela", "", "0", ""],
    ]


def test_with_its_own_export_moodle_gets_its_own_headings_back():
    table = moodle(GRADES, MOODLE)
    assert table.rows == [
        [*MOODLE[0][:6], "Assignment: ch03_losses (Real)", "ch10_optimizers"],
        [*MOODLE[1][:6], "27.5", "0.3333"],
        [*MOODLE[2][:6], "0", ""],
    ]


# As Moodle's assignment hands it out ("Download grading worksheet"); its importer insists on Identifier, Grade and
# "Last modified (grade)" (mod/assign/feedback/offline/importgradeslib.php of moodle/moodle).
WORKSHEET = [
    ["Identifier", "Full name", "ID number", "Email address", "Status", "Grade", "Maximum Grade",
     "Grade can be changed", "Last modified (submission)", "Last modified (grade)", "Feedback comments"],
    ["Participant 381", "Ada Byron", "S1", "ada@example.org", "Submitted for grading - ", "", "30.00", "Yes",
     "Sunday, 1 March 2026, 11:00 AM", "-", ""],
    ["Participant 382", "Bela Szabo", "bela", "b@example.org", "Submitted for grading - ", "12.00", "30.00", "Yes",
     "Sunday, 1 March 2026, 11:30 AM", "Monday, 2 March 2026, 9:00 AM", "Good."],
    ["Participant 383", "Ned Nobody", "ned", "n@example.org", "No submission - ", "", "30.00", "Yes", "-", "-", ""],
]  # fmt: skip
ONE = replace(
    GRADES, assignments={"ch03_losses": 30.0}, scores={("ada", "ch03_losses"): 27.5, ("bela", "ch03_losses"): 0.0}
)


def test_a_grading_worksheet_of_moodle_is_filled_in_its_own_form():
    table = moodle(ONE, WORKSHEET)
    assert table.rows[0] == WORKSHEET[0]
    grades = [row[5] for row in table.rows[1:]]
    assert grades == ["27.5", "0", ""]
    untouched = [[*row[:5], *row[6:]] for row in table.rows]
    assert untouched == [[*row[:5], *row[6:]] for row in WORKSHEET]
    assert (table.only_here, table.only_there) == ([], ["ned"])


def test_a_worksheet_for_other_points_or_several_assignments_is_refused():
    with pytest.raises(ValueError, match=r"Moodle counts ch03_losses to 30\.00 points, and it has 40 here"):
        moodle(replace(ONE, assignments={"ch03_losses": 40.0}), WORKSHEET)
    with pytest.raises(ValueError, match="worksheet is that of one assignment; got ch03_losses, ch10_optimizers"):
        moodle(GRADES, WORKSHEET)


def read_as_canvas_does(rows):
    """The rules of its importer: who by the columns' places, what by "name (id)" or by the name alone, the points from
    their row, and no row of which every cell is empty or says that nothing is posted."""
    heads = rows[0]
    assert "Student" in heads[0]
    assert "ID" in heads[1]
    assert (heads[2], heads[3], heads[4]) == ("SIS User ID", "SIS Login ID", "Section")
    possible, found = {}, {}
    for row in rows[1:]:
        scores = dict(zip([head.split(" (")[0] for head in heads[5:]], row[5:], strict=True))
        if "Points Possible" in row[0]:
            possible = {name: float(points) for name, points in scores.items()}
        elif any(cell and not cell.startswith(("Muted", "Manual Posting")) for cell in row):
            found[row[1] or row[2] or row[3] or row[0]] = scores
    return possible, found


def test_canvas_reads_the_scores_that_were_written():
    possible, found = read_as_canvas_does(canvas(GRADES).rows)
    assert possible == GRADES.assignments
    assert found["ada"] == {"ch03_losses": "27.5", "ch10_optimizers": "0.3333"}
    posted_by_hand = ["", "", "", "", "", "Manual Posting", "", ""]
    table = canvas(GRADES, [CANVAS[0], posted_by_hand, *CANVAS[1:]])
    assert table.only_there == ["ned"]
    assert read_as_canvas_does(table.rows)[1] == {
        "11": {"ch03_losses": "27.5", "ch10_optimizers": "0.3333"},
        "12": {"ch03_losses": "0", "ch10_optimizers": ""},
        "13": {"ch03_losses": "", "ch10_optimizers": ""},
    }


def test_what_only_the_system_has_stays():
    """A blank would take away a score or an excuse that stands there."""
    excused = [*CANVAS[4][:5], "EX", *CANVAS[4][6:]]
    assert canvas(GRADES, [*CANVAS[:4], excused]).rows[-1] == [*CANVAS[4][:5], "EX", ""]
    by_hand = [*MOODLE[2][:6], "14.00", "-"]
    assert moodle(replace(GRADES, scores={}), [*MOODLE[:2], by_hand]).rows[-1] == [*MOODLE[2][:6], "14.00", ""]


def test_numbers_are_written_in_full():
    assert [number(n) for n in (0.0, 1 / 3, 27.5, 1234.5678, 1234567.0, None)] == [
        "0", "0.3333", "27.5", "1234.5678", "1234567", ""]  # fmt: skip


def test_a_mark_before_the_first_letter_is_no_part_of_a_heading():
    heads = ["\ufeffStudent", *CANVAS[0][1:]]
    assert canvas(GRADES, [heads, *CANVAS[1:]]).rows == canvas(GRADES, CANVAS).rows


def test_a_roster_without_names_says_what_was_expected():
    with pytest.raises(ValueError, match="has the columns a, b; expected one of SIS Login ID"):
        canvas(GRADES, [["a", "b"], ["3", "4"]])


def test_scores_hold_extra_credit_and_late_penalties_as_nbgrader_counts_them(tmp_path):
    with quietly(), alembic_on_path(), Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}") as gradebook:
        gradebook.add_assignment("ps3", duedate=datetime(2026, 11, 3))
        gradebook.add_notebook("p", "ps3")
        gradebook.add_grade_cell("g", "p", "ps3", max_score=7, cell_type="code")
        for student, auto, extra, late in (("ada", 5.0, 3.0, None), ("bela", 5.0, None, 4.5), ("cleo", 1.0, None, 3.0)):
            gradebook.add_student(student)
            gradebook.add_submission("ps3", student)
            grade = gradebook.find_grade("g", "p", "ps3", student)
            grade.auto_score, grade.extra_credit, grade.needs_manual_grade = auto, extra, False
            gradebook.find_submission_notebook("p", "ps3", student).late_submission_penalty = late
        gradebook.db.commit()
        assert grades_in(gradebook).scores == {("ada", "ps3"): 8.0, ("bela", "ps3"): 0.5, ("cleo", "ps3"): 0.0}
        assert grades_in(gradebook, ["other"]).scores == {}


def test_the_file_that_is_written_is_the_table(folder, tmp_path):
    from gradschool_grader.teach.grade import grade

    hand_in(folder, "ada", notebook(**RIGHT))
    grade(folder, jobs=1, feedback=False)
    table, grades = export_for("canvas", folder, tmp_path / "out" / "canvas.csv")
    with (tmp_path / "out" / "canvas.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == table.rows
    assert table.rows[2] == ["ada", "", "", "ada", "", "7"]
    assert grades.unfinished == frozenset()


@pytest.fixture
def graded(folder):
    from gradschool_grader.teach.grade import grade

    hand_in(folder, "ada", notebook(**RIGHT))
    grade(folder, jobs=1, feedback=False)
    return folder


def test_no_cell_is_a_formula(folder, tmp_path):
    """A spreadsheet would compute what a student is called; numbers, and Moodle's dash, stay what they are."""
    from gradschool_grader.teach.grade import grade

    names = ['=HYPERLINK("x")', "+1+1", "-2+3", "@SUM(1)"]
    for name in names:
        hand_in(folder, name, notebook(**RIGHT))
    grade(folder, jobs=1, feedback=False)
    files = [export(folder, tmp_path / "own.csv"), tmp_path / "canvas.csv", tmp_path / "moodle.csv"]
    for file in files[1:]:
        export_for(file.stem, folder, file)
    for file in files:
        cells = {cell for row in csv.reader(file.read_text(encoding="utf-8").splitlines()) for cell in row}
        assert {f"'{name}" for name in names} <= cells
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    kept = ["-", "-1.5", "+3", "7", "a=b", "", "    Points Possible"]
    assert [as_text(cell) for cell in kept] == kept


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_roster_may_have_any_of_the_separators_that_both_systems_offer(graded, tmp_path, separator):
    roster, made = tmp_path / "roster.csv", tmp_path / "made.csv"
    with roster.open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file, delimiter=separator).writerows([CANVAS[0], CANVAS[1], CANVAS[2]])
    export_for("canvas", graded, made, roster=roster)
    with made.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter=separator))
    assert rows[2] == [*CANVAS[2][:5], "7"]


@pytest.mark.parametrize(("data", "why"), [(b"", "empty"), (b"\n", "empty"), (b"Student,ID\nM\xfcller,3\n", "UTF-8")])
def test_a_roster_that_cannot_be_read_is_refused(graded, tmp_path, data, why):
    (tmp_path / "roster.csv").write_bytes(data)
    with pytest.raises(ValueError, match=rf"roster\.csv is .*{why}"):
        export_for("canvas", graded, tmp_path / "made.csv", roster=tmp_path / "roster.csv")
    assert not (tmp_path / "made.csv").exists()
