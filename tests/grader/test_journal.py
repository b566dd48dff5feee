"""Property: what the journal gives back is what was written, whole, or nothing."""

import os
import stat
from dataclasses import replace

import pytest
from tiny_course import course

from gradschool_grader.journal import Journal, Judged, Results
from gradschool_grader.source import exercise_hash
from gradschool_grader.verdict import Diagnosis, GroupVerdict, Source, Verdict

CHAPTER = course.chapters[0]


def verdict(exercise, outcome="passed"):
    groups = tuple(GroupVerdict(g.name, outcome, g.points, g.points, frames=({"line": 3},)) for g in exercise.groups)
    known = Diagnosis("misconception", "doubled", "You doubled.", also=("signed",))
    return Verdict(exercise.name, exercise_hash(exercise), "ch01_tiny", 5, "AB", groups, known, Source("f", (2,), "h"))


def judged(**changes):
    verdicts = tuple(map(verdict, CHAPTER.exercises))
    return replace(Judged("ada", "ch01_tiny", "d1", 5, "AB", verdicts, ("odd",)), **changes)


def test_what_is_written_is_read(tmp_path):
    journal = Journal(tmp_path)
    journal.write(judged())
    assert journal.read("ch01_tiny", "ada") == judged()
    journal.mark_recorded(judged())
    assert journal.read("ch01_tiny", "ada") == judged(recorded=True)
    journal.write(judged(student="bela"))
    assert [j.student for j in journal.all("ch01_tiny")] == ["ada", "bela"]
    assert (judged().points, judged().max_points) == (7, 7)


def test_results_are_a_sequence_of_what_the_journal_holds_now(tmp_path):
    journal, names = Journal(tmp_path), ["ada", "bela", "cleo"]
    for name in names:
        journal.write(judged(student=name))
    results = Results(journal, [("ch01_tiny", name) for name in names], lambda j: replace(j, worker="seen"))
    assert [j.student for j in results] == names
    assert (len(results), results[-1].worker, [j.student for j in results[1:]]) == (3, "seen", names[1:])
    assert results == [judged(student=name, worker="seen") for name in names]
    assert not results[3:]
    journal.write(judged(student="bela", problems=("new",)))
    assert results[1].problems == ("new",)
    (tmp_path / ".gradschool/results/ch01_tiny/cleo.json").unlink()
    with pytest.raises(LookupError, match="ch01_tiny of cleo is no longer in the journal"):
        results[2]


@pytest.mark.parametrize("damage", ["", "{}", "[", '{"version": 99}', '{"version": 1}'])
def test_a_damaged_result_is_no_result(tmp_path, damage):
    journal = Journal(tmp_path)
    journal.write(judged())
    (tmp_path / ".gradschool/results/ch01_tiny/ada.json").write_text(damage)
    assert journal.read("ch01_tiny", "ada") is None
    assert journal.read("ch01_tiny", "nobody") is None


def test_a_result_stands_for_one_file_one_seed_and_the_exercises_as_they_are():
    assert judged().is_for("d1", 5, CHAPTER)
    assert not judged().is_for("d2", 5, CHAPTER)
    assert not judged().is_for("d1", 7, CHAPTER)
    assert not judged().is_for("d1", 5, replace(CHAPTER, exercises=CHAPTER.exercises[:1]))
    harder = replace(CHAPTER.exercises[0], groups=CHAPTER.exercises[0].groups[:1])
    assert not judged().is_for("d1", 5, replace(CHAPTER, exercises=[harder, CHAPTER.exercises[1]]))


def test_failures_of_the_machine_are_not_complete():
    assert judged().complete
    assert not judged(verdicts=(verdict(CHAPTER.exercises[0], "infrastructure"),)).complete


def test_a_seed_is_drawn_once_and_only_its_owner_can_read_it(tmp_path):
    first = Journal(tmp_path).seed("a")
    assert Journal(tmp_path).seed("a") == first
    assert Journal(tmp_path).seed("b") != first
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / ".gradschool").stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / ".gradschool/seeds/a").stat().st_mode) == 0o600


def test_a_write_that_fails_leaves_the_old_result_and_no_litter(tmp_path, monkeypatch):
    journal = Journal(tmp_path)
    journal.write(judged())

    def full(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="disk full"):
        journal.write(judged(digest="d2"))
    assert journal.read("ch01_tiny", "ada") == judged()
    assert [p.name for p in (tmp_path / ".gradschool/results/ch01_tiny").iterdir()] == ["ada.json"]
