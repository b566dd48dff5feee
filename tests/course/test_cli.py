"""Every verb says what it does with an example, does it, and fails in one sentence and with a non-zero exit code."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from tiny_course import course as tiny
from typer.testing import CliRunner

from gradschool_course import cli, say
from gradschool_course.apart import keep_apart
from gradschool_grader import state
from gradschool_grader.ladder import Line
from gradschool_grader.source import solution

VERBS = ["demo", "start", "check", "hint", "solution", "progress", "release", "grade", "report", "export", "doctor"]


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """The tiny course in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(say, "courses", lambda: [tiny])
    for module in (cli, cli.learn, cli.teach):
        if hasattr(module, "courses"):
            monkeypatch.setattr(module, "courses", lambda: [tiny])
    return tmp_path


def run(*words):
    return CliRunner().invoke(cli.app, [str(word) for word in words])


def notebook(folder: Path, **answers: str) -> Path:
    """A laid-out notebook with these answers in its cells."""
    run("start", folder)
    file = folder / "ch01_tiny.ipynb"
    content = json.loads(file.read_text(encoding="utf-8"))
    answers = keep_apart(answers, [exercise.name for exercise in tiny.exercises])
    for cell in content["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id", "").removesuffix("_answer")
        if name in answers and cell["id"].endswith("_answer"):
            cell["source"] = answers[name]
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


RIGHT = {exercise.name: solution(exercise) for exercise in tiny.exercises}
DOUBLED = "def square(x):\n    return 2 * x\n"


# --------------------------------------------------------------------------------------------------------------- help
@pytest.mark.parametrize("verb", VERBS)
def test_help_has_a_sentence_and_an_example(verb):
    result = run(verb, "--help")
    assert result.exit_code == 0
    assert f"gradschool {verb}" in result.output.partition("Example:")[2]


def test_the_list_of_verbs_names_each_with_a_short_sentence():
    listed = run("--help").output
    assert all(f" {verb} " in listed for verb in VERBS)


def test_a_paragraph_of_the_help_breaks_where_the_terminal_ends(monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    lines = [line.strip() for line in run("check", "--help").output.split("\n")]
    assert any(line.startswith("Each is judged in a process") and line.endswith("else 1.") for line in lines)


def test_without_a_verb_it_shows_its_help():
    assert "Usage" in run().output


def test_the_version_is_that_of_the_library():
    import gradschool

    assert run("--version").output.strip() == gradschool.__version__


def test_help_imports_neither_numpy_nor_an_exercise():
    code = "import sys, gradschool_course.cli; sys.exit('numpy' in sys.modules or 'gradschool_grader' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_module_is_the_same_command():
    made = subprocess.run([sys.executable, "-m", "gradschool_course", "--version"], capture_output=True, text=True)
    assert made.stdout.strip() == run("--version").output.strip()


# ------------------------------------------------------------------------------------------------------ what is unknown
@pytest.mark.parametrize(
    ("words", "suggested"),
    [
        (["hint", "sqare"], "square"),
        (["solution", "moving_avrage"], "moving_average"),
        (["start", "there", "-c", "tinny"], "tiny"),
        (["release", "ch01_tinny"], "ch01_tiny"),
    ],
)
def test_an_unknown_name_suggests_the_nearest(words, suggested):
    result = run(*words)
    assert result.exit_code == 1
    assert f"Did you mean `{suggested}`?" in result.output
    assert "Traceback" not in result.output


def test_a_mistake_of_ours_keeps_its_traceback():
    def broken():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), say.plainly():
        broken()


# -------------------------------------------------------------------------------------------------------------- start
def test_start_says_how_to_open_what_it_laid_out(place):
    result = run("start", "mine", "--json", "out.json")
    assert result.exit_code == 0
    assert "jupyter lab" in result.output
    files = json.loads((place / "out.json").read_text())["files"]
    assert [(Path(item["file"]).name, item["what"]) for item in files] == [
        ("ch01_tiny.ipynb", "new"),
        ("README.md", "new"),
    ]


def test_start_says_that_a_changed_notebook_is_kept():
    file = notebook(Path("mine"), square=DOUBLED)
    before = file.read_bytes()
    assert "you changed it" in run("start", "mine").output
    assert file.read_bytes() == before


def test_start_in_the_place_of_a_file_is_refused_in_a_sentence(place):
    (place / "taken").write_text("mine")
    result = run("start", "taken")
    assert result.exit_code == 1
    assert "taken is a file" in result.output


# -------------------------------------------------------------------------------------------------------------- check
def test_check_passes_what_is_right_and_names_untouched_stubs(place):
    result = run("check", notebook(place / "mine", square=RIGHT["square"]), "--json", "out.json")
    assert result.exit_code == 0
    assert "✓ square" in result.output
    assert "not written yet: moving_average" in result.output
    found = json.loads((place / "out.json").read_text())
    assert [verdict["outcome"] for verdict in found["verdicts"]] == ["passed", "missing"]
    assert (found["score"], found["max_score"]) == (3, 7)


def test_check_names_the_mistake_and_fails(place):
    result = run("check", notebook(place, square=DOUBLED), "--only", "square")
    assert result.exit_code == 1
    assert "as if you doubled" in result.output


def test_check_remembers_beside_the_notebook_wherever_it_is_called(place):
    run("check", notebook(place / "mine", square=DOUBLED, moving_average=RIGHT["moving_average"]))
    assert not (place / state.FOLDER / "progress.json").exists()
    known = json.loads((place / "mine" / state.FOLDER / "progress.json").read_text())
    assert (known["square"]["outcome"], known["moving_average"]["outcome"]) == ("wrong", "passed")


def test_check_says_which_names_only_the_kernel_knows(place):
    file = notebook(place, square="def square(x):\n    return forgotten(x)\n")
    result = run("check", file, "--only", "square")
    assert "The file uses forgotten" in result.output


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("absent.ipynb", None, "There is no file"),
        ("notes.ipynb", "no notebook", "no JSON"),
        ("empty.ipynb", "", "empty"),
    ],
)
def test_check_of_what_is_no_notebook_says_so(place, name, text, said):
    if text is not None:
        (place / name).write_text(text)
    result = run("check", name)
    assert result.exit_code == 1
    assert said in result.output
    assert "Traceback" not in result.output


def test_watching_checks_again_when_the_file_is_saved(place, monkeypatch):
    """The clock is ours: the second sleep ends the watch, before the first the file is saved again."""
    file = notebook(place, square=DOUBLED)
    naps = iter([lambda: file.write_text(file.read_text() + " "), KeyboardInterrupt])

    def nap(seconds):
        what = next(naps)
        if what is KeyboardInterrupt:
            raise KeyboardInterrupt
        what()

    stamps = iter([1, 2, 2, 2])
    monkeypatch.setattr(cli.learn, "time", SimpleNamespace(sleep=nap))
    monkeypatch.setattr(cli.learn, "stamp", lambda file: next(stamps))
    result = run("check", file, "--watch", "--only", "square")
    assert result.exit_code == 0
    assert result.output.count("✗ square") == 2
    assert "Ended." in result.output


# ------------------------------------------------------------------------------------------- hint, solution, progress
def test_an_exercise_without_hints_is_said_to_have_none():
    result = run("hint", "square")
    assert result.exit_code == 1
    assert "no hints for square" in result.output


def test_hints_come_step_by_step(monkeypatch):
    from gradschool_grader.exercise import Hint

    helped = replace(tiny.exercise("square"), hints=[Hint("What is 3 times 3?"), Hint("Look at [x].")])
    monkeypatch.setattr(cli.learn, "exercise_named", lambda name: (tiny, helped))
    assert "Hint 1 of 2 (1 more)\nWhat is 3 times 3?" in run("hint", "square").output
    assert "Hint 2 of 2 (the last one)\nLook at [x]." in run("hint", "square").output
    assert "3 times 3" in run("hint", "square", "--all").output


def test_what_comes_next_is_in_a_chapter_that_was_begun():
    first, second = (replace(tiny.chapters[0], id=name) for name in ("first", "second"))
    square, average = tiny.exercises

    def line(chapter, exercise, points, outcome):
        return Line(chapter, exercise, points, outcome, 0, False)

    untouched = [line(first, square, 0, ""), line(first, average, 0, "")]
    begun = [line(second, square, square.points, "passed"), line(second, average, 0, "")]
    assert cli.learn.next_left([*untouched, *begun]) is average
    assert cli.learn.next_left(untouched) is square
    assert cli.learn.next_left(begun[:1]) is None


def test_the_solution_is_refused_until_the_exercise_passes_here(place):
    refused = run("solution", "square")
    assert refused.exit_code == 1
    assert "0 of 3 points" in refused.output
    assert "--anyway" in refused.output
    run("check", notebook(place, square=RIGHT["square"]))
    shown = run("solution", "square")
    assert shown.exit_code == 0
    assert "return x * x" in shown.output


def test_the_solution_can_be_seen_anyway_and_progress_tells(place):
    assert "return x * x" in run("solution", "square", "--anyway").output
    run("progress", "--json", "out.json")
    lines = {line["exercise"]: line for line in json.loads((place / "out.json").read_text())}
    assert [lines[name]["solution_seen"] for name in ("square", "moving_average")] == [True, False]


def test_the_solution_shows_other_right_ways(place):
    run("solution", "square", "--anyway", "--variants", "--json", "out.json")
    shown = json.loads((place / "out.json").read_text())
    assert "x**2" in shown["variants"]["power"]


def test_the_solution_stands_beside_ones_own_once_it_passes(place):
    run("check", notebook(place, square="def square(x):\n    return x**2  # [bold]mine[/]\n"))
    shown = run("solution", "square", "--json", "out.json")
    assert "return x**2  # [bold]mine[/]" in shown.output
    assert "return x * x" in shown.output
    for row in ("ordinary", "huge (× 1e8)", "zeros", "float32", "time", "memory"):
        assert f"\n{row}" in shown.output
    assert json.loads((place / "out.json").read_text())["measured"]["errors"]["ordinary"]["the reference"] < 1e-14


def test_an_answer_that_cannot_be_run_alone_leaves_the_solution(place):
    file = notebook(place, square=RIGHT["square"])
    run("check", file)
    notebook(place, square="square = missing")
    shown = run("solution", "square", file)
    assert "Yours could not be run from ch01_tiny.ipynb (NameError)" in shown.output
    assert "return x * x" in shown.output
    assert run("solution", "square", "gone.ipynb").exit_code == 1


def test_progress_tells_what_is_not_all_ones_own(place):
    run("check", notebook(place, square="import tiny_course.library\nsquare = tiny_course.library.square\n"))
    run("check", notebook(place, square="import numpy\nsquare = lambda x: __import__('tiny_course').square(x)\n"))
    assert "not all your own" in run("progress").output


def test_progress_says_what_is_next(place):
    run("check", notebook(place, square=RIGHT["square"]))
    shown = run("progress").output
    assert "3 of 7 points" in shown
    assert "Next: moving_average" in shown


# ------------------------------------------------------------------------------------------------------------ again
def test_what_check_found_can_be_judged_again(place):
    path = notebook(place, square=DOUBLED, moving_average=RIGHT["moving_average"])
    run("check", path, "--json", "found.json")
    again = run("grade", "--repeat", "found.json", "--json", "again.json")
    assert again.exit_code == 0, again.output
    assert "2 of 2 verdicts are the same" in again.output
    assert json.loads((place / "again.json").read_text())["same"] is True
    notebook(place, square=RIGHT["square"], moving_average=RIGHT["moving_average"])
    again = run("grade", "--repeat", "found.json")
    assert again.exit_code == 1
    assert "the text that was judged is another" in " ".join(again.output.split())


def test_a_result_that_cannot_be_repeated_is_refused_in_a_sentence(place):
    (place / "nothing.json").write_text("{}")
    refused = run("grade", "--repeat", "nothing.json")
    assert refused.exit_code == 1
    assert "nothing.json is no result" in " ".join(refused.output.split())


# ------------------------------------------------------------------------------------------------------- interruption
def test_an_interruption_says_what_is_kept_and_how_to_go_on(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("gradschool_grader.start.lay_out", interrupted)
    result = run("start", "mine")
    assert result.exit_code == 130
    assert "Stopped. What was laid out is whole; the same command lays out the rest." in result.output


# ------------------------------------------------------------------------------------------------ without the extra
WITHOUT = """
import sys
for name in ("nbgrader", "nbconvert", "alembic", "sqlalchemy"):
    sys.modules[name] = None
from typer.testing import CliRunner
from tiny_course import course
from gradschool_course import cli, say
from gradschool_course.apart import keep_apart
say.courses = cli.learn.courses = lambda: [course]
for words in sys.argv[1:]:
    result = CliRunner().invoke(cli.app, words.split())
    print(result.exit_code, result.output.replace(chr(10), " "))
"""


def without_nbgrader(*lines):
    path = str(Path(__file__).parent.parent / "grader")
    code = f"import sys; sys.path.insert(0, {path!r})\n{WITHOUT}"
    made = subprocess.run([sys.executable, "-c", code, *lines], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return made.stdout.splitlines()


def test_teaching_without_the_extra_names_it():
    for line in without_nbgrader("release tiny --dir c", "grade c", "report c", "export c", "demo --dir d"):
        assert line.startswith("1 ")
        assert "pip install 'gradschool[teach]'" in line


def test_learning_needs_no_nbgrader():
    lines = without_nbgrader(
        "start mine", "check mine/ch01_tiny.ipynb", "hint square", "solution square --anyway", "progress"
    )
    assert [line.split()[0] for line in lines] == ["0", "1", "1", "0", "0"]
    assert not [line for line in lines if "nbgrader" in line]


# ----------------------------------------------------------------------------------------- words from outside
def test_a_name_from_outside_neither_is_markup_nor_moves_the_cursor(capsys):
    say.say(say.plain("[red]a[/x]\x1b]0;title\x07\x1b[2J\x9b2J\r\u202eb"))
    said = capsys.readouterr().out
    assert "[red]a[/x]" in said
    assert all(letter.isprintable() or letter == "\n" for letter in said)


# ------------------------------------------------------------------------------------------------------------- doctor
def test_doctor_tries_every_layer_and_says_how_to_get_what_is_missing(place, monkeypatch):
    from gradschool_grader import doctor
    from gradschool_grader.probe import Capabilities, Layer

    layers = (
        Layer("bubblewrap", False, "bwrap is absent", "apt install bubblewrap"),
        Layer("seccomp", False, "no", "get"),
    )
    monkeypatch.setattr(doctor, "probe", lambda: Capabilities("process", layers))
    result = run("doctor", "--json", "out.json")
    assert result.exit_code == 1
    assert "apt install bubblewrap" in result.output
    assert "--unsafe-no-sandbox" in result.output
    found = {finding["what"].strip(): finding["fine"] for finding in json.loads((place / "out.json").read_text())}
    assert (found["sandbox"], found["seccomp"], found["Python"]) == (False, False, True)


def test_doctor_is_content_with_mode_b(place, monkeypatch):
    from gradschool_grader import doctor
    from gradschool_grader.probe import Capabilities, Layer

    layers = (Layer("bubblewrap", False, "forbidden in this container"), Layer("seccomp", True))
    monkeypatch.setattr(doctor, "probe", lambda: Capabilities("B", layers))
    assert run("doctor").exit_code == 0


def test_doctor_does_not_mind_that_there_is_no_cluster(place, monkeypatch):
    from importlib import util

    from gradschool_grader import doctor
    from gradschool_grader.probe import Capabilities

    found = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name, *more: None if name == "distributed" else found(name, *more))
    monkeypatch.setattr(doctor, "probe", lambda: Capabilities("B", ()))
    result = run("doctor")
    assert result.exit_code == 0, result.output
    assert "· distributed    not installed  (grading on a Dask cluster)" in result.output
    assert "pip install 'gradschool[cluster]'" in result.output


def test_doctor_sends_nobody_to_an_index_for_a_course_that_lost_files(tmp_path):
    from gradschool_grader.doctor import course_of

    chapter = replace(tiny.chapters[0], folder=tmp_path)
    found = course_of(replace(tiny, chapters=[chapter]))
    assert (found.fine, found.get) == (False, "install tiny again: files of it are gone")
    assert "no text for ch01_tiny" in found.words
