"""A report shows every submission's outcome, mistake and need, is one safe page, and does not leak the seed."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gradschool_grader.course import Chapter
from gradschool_grader.exercise import Exercise, Group
from gradschool_grader.journal import Judged
from gradschool_grader.report import page, write
from gradschool_grader.verdict import OUTCOMES, Diagnosis, GroupVerdict, Verdict

SEED = 918_273_645_546


def exercise(name: str) -> Exercise:
    def reference(x):
        return x

    groups = [Group("values", 3, lambda rng: []), Group("edges", 2, lambda rng: [])]
    return Exercise(reference, "ch01_tiny", task="", example="", groups=groups, name=name)


EXERCISES = [exercise(name) for name in ("square", "moving_average", "counter")]
CHAPTER = Chapter("ch01_tiny", 1, "Tiny & small", Path("."), EXERCISES)
OTHER = Chapter("ch02_other", 2, "Another", Path("."), [exercise("doubled")])


def verdict(name: str, outcome: str, diagnosis: Diagnosis | None = None, earned: float = 0.0) -> Verdict:
    full = outcome == "passed"
    groups = (
        GroupVerdict("values", outcome, 3.0 if full else 0.0, 3.0),
        GroupVerdict("edges", "passed" if full or earned else outcome, 2.0 if full else earned, 2.0),
    )
    return Verdict(name, "c0ffee" * 9, CHAPTER.id, SEED, "B", groups, diagnosis)


def misconception(name: str) -> Diagnosis:
    return Diagnosis("misconception", name, f"Your answer behaves as if {name} was done.")


def handed_in(student, assignment, verdicts=(), problems=()):
    return Judged(student, assignment, "f1le", SEED, "B", verdicts, problems)


def paper(student: str, *outcomes: str) -> Judged:
    pairs = zip(EXERCISES, outcomes, strict=True)
    return handed_in(student, CHAPTER.id, [verdict(e.name, outcome) for e, outcome in pairs])


class Tags(HTMLParser):
    """What a browser would find: open tags in balance, names of tags, attributes."""

    VOID = ("meta", "path", "rect")

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_every_element_is_closed_where_it_should_be():
    tags = Tags(page([paper("ada", "passed", "wrong", "missing")], [CHAPTER]))
    assert tags.open == []


def test_a_page_needs_nothing_else_and_runs_nothing():
    tags = Tags(page([paper("ada", *OUTCOMES[:3])], [CHAPTER]))
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in tags.seen}
    assert not [name for _, attrs in tags.seen for name in attrs if name in ("src", "href") or name.startswith("on")]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_has_its_mark_and_its_word(outcome):
    text = page([paper("ada", outcome, "passed", "passed")], [CHAPTER])
    assert '<td title="square: ' in text
    assert f'<i class="{outcome}">' in text


def test_what_came_from_a_submission_is_escaped():
    evil = "<script>alert(1)</script>"
    graded = handed_in(evil, CHAPTER.id, [verdict("square", "raised", Diagnosis("raised", evil, evil))], [evil])
    assert "<script" not in page([graded], [CHAPTER], title=evil)


def test_the_secret_seed_is_not_in_it():
    assert str(SEED) not in page([paper("ada", "passed", "wrong", "tampered")], [CHAPTER])


def test_the_most_frequent_mistake_comes_first_with_those_who_made_it():
    rare = [handed_in("zoe", CHAPTER.id, [verdict("square", "wrong", misconception("a_rare_one"))])]
    often = [handed_in(s, CHAPTER.id, [verdict("square", "wrong", misconception("often"))]) for s in ("bela", "chen")]
    text = page([*rare, *often], [CHAPTER])
    assert text.index("<b>often</b>") < text.index("<b>a rare one</b>")
    assert "bela, chen" in text


def test_more_mistakes_than_are_shown_are_counted():
    graded = [handed_in(f"s{i}", CHAPTER.id, [verdict("square", "wrong", misconception(f"m{i}"))]) for i in range(7)]
    assert "and 3 with other mistakes" in page(graded, [CHAPTER])


def test_tampering_lost_machines_and_broken_files_need_a_person_and_wrong_answers_do_not():
    graded = [
        paper("ada", "wrong", "tampered", "infrastructure"),
        handed_in("mara", CHAPTER.id, (), ["No JSON in line 1."]),
    ]
    listed = re.search(r'<div class="attention">(.*?)</div>', page(graded, [CHAPTER]), re.S)
    assert listed is not None
    assert listed[1].count("<li>") == 3
    assert "ch01_tiny/square" not in listed[1]
    assert "No JSON in line 1." in listed[1]


def test_a_mistake_that_could_not_be_explained_needs_a_person():
    text = "One value is wrong. What explains mistakes failed at this one (KeyError in form.py, line 9)."
    broken = verdict("square", "wrong", Diagnosis("unexplained", "unexplained", text))
    assert text in page([handed_in("ada", CHAPTER.id, [broken])], [CHAPTER])


def test_a_route_round_an_exercise_needs_a_person_even_if_it_passed():
    flag = "`square` names `torch.square` (cell 2, line 3): the task is to write this yourself."
    flagged = replace(verdict("square", "passed"), flags=(flag,))
    text = page([handed_in("ada", CHAPTER.id, [flagged])], [CHAPTER])
    assert "Needs a person" in text
    assert "<code>square</code> names <code>torch.square</code> (cell 2, line 3)" in text


def test_nothing_to_look_at_is_not_announced():
    assert "Needs a person" not in page([paper("ada", "passed", "wrong", "died")], [CHAPTER])


def test_partial_points_are_marked_and_added():
    graded = handed_in("ada", CHAPTER.id, [verdict("square", "wrong", earned=2.0), verdict("counter", "passed")])
    text = page([graded], [CHAPTER])
    assert '<i class="wrong">½</i>' in text
    assert "7<small>/15</small>" in text


def test_a_student_who_handed_in_one_of_two_assignments_has_a_row_with_gaps():
    graded = [paper("ada", "passed", "passed", "passed"), handed_in("bela", OTHER.id, [verdict("doubled", "passed")])]
    rows = re.findall(r'<tr><th class="name">(\w+)</th>(.*?)</tr>', page(graded, [CHAPTER, OTHER]))
    assert [name for name, _ in rows] == ["ada", "bela"]
    assert [cells.count("<td") for _, cells in rows] == [6, 6]


@pytest.mark.parametrize(("points", "tenth"), [(0.0, 0), (0.3, 3), (0.999, 9), (1.0, 9)])
def test_a_score_falls_into_its_tenth(points, tenth):
    groups = (GroupVerdict("values", "wrong", points * 15, 15.0),)
    graded = handed_in("ada", CHAPTER.id, [Verdict("square", "", CHAPTER.id, SEED, "B", groups)])
    bars = re.findall(r'class="bar" x="([\d.]+)"', page([graded], [CHAPTER]))
    assert bars == [str(20 + 28 * tenth + 1.5)]


def test_a_class_that_handed_in_nothing_still_has_a_page():
    assert "0 students" in page([], [CHAPTER])


def test_the_same_papers_in_any_order_give_the_same_bytes():
    papers = [paper("ada", "passed", "wrong", "died"), paper("bela", "missing", "passed", "raised")]
    assert page(papers, [CHAPTER]) == page(reversed(papers), [CHAPTER])


def test_what_has_no_grade_stands_among_what_needs_a_person():
    html = page([], [CHAPTER], left=[("submitted/ada/<b>", "found a.zip & b.zip")])
    assert "no grade: <code>submitted/ada/&lt;b&gt;</code> found a.zip &amp; b.zip" in html
    assert "Needs a person" in html


def test_written_where_it_was_asked_for(tmp_path):
    file = write([paper("ada", "passed", "passed", "passed")], [CHAPTER], tmp_path / "new" / "report.html")
    assert file.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_name_that_is_no_text_stops_no_report(tmp_path):
    """Whatever bytes a student names a file with: the others' report is written."""
    file = write([], [CHAPTER], tmp_path / "report.html", left=[("submitted/\udcff/ch01_tiny", "found \udcfe.txt")])
    assert "submitted/?/ch01_tiny" in file.read_text(encoding="utf-8")
