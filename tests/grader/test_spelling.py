"""What others chose to write moves no cursor, turns no line round, and can be written into a page."""

import pytest

from gradschool_grader.spelling import spelt


@pytest.mark.parametrize("words", ["work.ipynb", "Übung (1).ipynb", "作业.py", "it's", "a\\b", ""])
def test_what_can_be_read_stays(words):
    assert spelt(words) == words


@pytest.mark.parametrize("letter", ["\x1b", "\n", "\r", "\b", "\0", "\x85", "\x9b", "\u202e", "\u2066", "\ud800"])
def test_every_other_letter_is_named_by_its_number(letter):
    said = spelt(f"aé{letter}b")
    assert said.isprintable()
    assert said == f"aé{ascii(letter)[1:-1]}b"
