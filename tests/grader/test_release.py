"""Property: releasing makes a course directory in which nbgrader works, and doing it again changes nothing."""

import copy
import json
import shutil
from dataclasses import replace

import pytest
from tiny_course import course
from tiny_course.samples import RIGHT, hand_in, notebook

from gradschool_grader.chapter import as_text, build_source, student_version
from gradschool_grader.course import Unknown
from gradschool_grader.journal import Journal
from gradschool_grader.kept import with_own_cells
from gradschool_grader.release import Outdated, check_release, release, released_chapters

CHAPTER = course.chapters[0]


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_source_is_the_built_notebook_byte_for_byte(released):
    source = released / "source" / "ch01_tiny" / "ch01_tiny.ipynb"
    assert source.read_text(encoding="utf-8") == as_text(build_source(CHAPTER, course))


def test_nbgrader_releases_what_students_without_nbgrader_get(released):
    theirs = read(released / "release" / "ch01_tiny" / "ch01_tiny.ipynb")
    ours = json.loads(as_text(student_version(build_source(CHAPTER, course))))
    assert theirs["metadata"] == ours["metadata"]
    for their, our in zip(theirs["cells"], ours["cells"], strict=True):
        for key in ("id", "cell_type", "source"):
            assert their[key] == our[key]
        for flag in ("deletable", "editable", "tags"):
            assert their["metadata"].get(flag) == our["metadata"].get(flag)


def test_a_second_release_changes_nothing(folder):
    before = tree(folder)
    lines = list(release(course, ["tiny"], folder))
    assert lines[-1] == "ch01_tiny: unchanged (2 exercises, 7 points)"
    assert tree(folder) == before


def test_two_releases_of_one_chapter_have_the_same_notebook_and_different_secrets(released, tmp_path):
    again = tmp_path / "again"
    lines = list(release(course, [CHAPTER], again))
    assert lines[-1] == "ch01_tiny: released to release/ch01_tiny (2 exercises, 7 points)"
    notebook_of = "release/ch01_tiny/ch01_tiny.ipynb"
    assert (again / notebook_of).read_bytes() == (released / notebook_of).read_bytes()
    assert Journal(again).seed("ch01_tiny") != Journal(released).seed("ch01_tiny")


def test_a_teachers_own_settings_are_kept(folder):
    config = folder / "nbgrader_config.py"
    config.write_text(config.read_text() + "\nc.ClearSolutions.text_stub = 'mine'\n")
    list(release(course, ["tiny"], folder))
    assert "mine" in config.read_text()


def test_an_unknown_chapter_suggests_the_nearest(tmp_path):
    with pytest.raises(Unknown, match="Did you mean `tiny`"):
        list(release(course, ["tinny"], tmp_path / "new"))


def test_only_what_was_released_is_found(released, tmp_path):
    assert released_chapters(course, released) == [CHAPTER]
    assert released_chapters(course, tmp_path) == []


def test_exercises_that_changed_since_the_release_are_named_with_the_version(released):
    check_release(course, CHAPTER, released)
    harder = replace(CHAPTER.exercises[0], groups=CHAPTER.exercises[0].groups[:1])
    changed = replace(CHAPTER, exercises=[harder, CHAPTER.exercises[1]])
    with pytest.raises(Outdated, match=r"released with version 0\.1 of tiny, and square changed since"):
        check_release(course, changed, released)


def test_a_cell_cannot_go_away_once_there_are_submissions_and_everything_stays_as_it_was(folder, tmp_path):
    from gradschool_grader.teach.grade import grade

    hand_in(folder, "ada", notebook(**RIGHT))
    grade(folder, jobs=1, feedback=False)
    shutil.copytree(CHAPTER.folder, tmp_path / "text")
    text = tmp_path / "text" / "chapter.md"
    text.write_text(text.read_text().replace(":::{exercise} moving_average\n:::\n", ""))
    smaller = replace(CHAPTER, folder=tmp_path / "text", exercises=CHAPTER.exercises[:1])
    source = folder / "source" / "ch01_tiny" / "ch01_tiny.ipynb"
    before = source.read_bytes()
    with pytest.raises(RuntimeError, match=r"could not release ch01_tiny: .*submissions associated"):
        list(release(course, [smaller], folder))
    assert source.read_bytes() == before


def test_a_teachers_own_cells_stay_where_they_were_put(folder):
    source = folder / "source/ch01_tiny/ch01_tiny.ipynb"
    made = read(source)
    own = {"cell_type": "markdown", "id": "mine", "metadata": {}, "source": "Read this first."}
    place = next(i for i, cell in enumerate(made["cells"]) if cell["id"] == "square") + 1
    made["cells"].insert(place, own)
    source.write_text(json.dumps(made), encoding="utf-8")
    lines = list(release(course, ["tiny"], folder))
    assert "ch01_tiny: 1 cell of your own kept" in lines
    for where in ("source", "release"):
        cells = read(folder / where / "ch01_tiny/ch01_tiny.ipynb")["cells"]
        assert "".join(cells[place]["source"]) == "Read this first."
        assert cells[place - 1]["id"] == "square"
        assert len(cells) == len(made["cells"])
    assert "released" in list(release(course, ["tiny"], folder))[-1]
    assert len(read(source)["cells"]) == len(made["cells"])


def test_a_cell_of_the_teachers_whose_place_is_gone_comes_last():
    built = build_source(CHAPTER, course)
    before = copy.deepcopy(built)
    for place, id in ((3, "gone"), (4, "mine")):
        before.cells.insert(place, copy.deepcopy(built.cells[0]))
        before.cells[place]["id"] = id
    generated = [cell.id for cell in built.cells] + ["gone"]
    assert [cell.id for cell in with_own_cells(built, before, generated).cells][-1] == "mine"


def test_a_folder_in_which_nbgrader_finds_nothing_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(RuntimeError, match=r"takes \[, \* and \? for patterns. Rename the folder"):
        list(release(course, ["tiny"], tmp_path / "DL [2026]"))
    assert list(tmp_path.iterdir()) == []
