"""Every concept is taught where the index says: the heading is there, and the text below it has the concept's words."""

import json
import re

import pytest
from typer.testing import CliRunner

from gradschool_course import course
from gradschool_course.cli import app
from gradschool_course.concepts import CONCEPTS, concepts_about

# what the course's sources want to be taught, row by row
ROWS = {
    "loss", "metric", "forms of targets", "mean absolute error", "mean squared error", "Huber loss", "one-hot",
    "cross-entropy", "binary cross-entropy", "optimizer", "gradient descent", "convexity", "saddle point",
    "learning rate", "accuracy", "training loop",
}  # fmt: skip


def sections(chapter):
    """The text below each heading of a chapter, up to the next one; code does not count."""
    text = course.chapter(chapter).text.read_text(encoding="utf-8")
    text = re.sub(r"^```\{code-cell\}.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    _, *parts = re.split(r"^#+ +(.+?) *$", text, flags=re.MULTILINE)
    return {heading: " ".join(below.split()) for heading, below in zip(parts[::2], parts[1::2], strict=True)}


@pytest.mark.parametrize("concept", CONCEPTS, ids=lambda concept: concept.name)
def test_a_concept_is_taught_under_the_headings_that_are_named(concept):
    found = [sections(chapter)[heading] for chapter, heading in concept.taught]
    together = " ".join(found).casefold()
    assert [word for word in concept.words if word.casefold() not in together] == []


def test_every_concept_of_the_sources_is_in_the_index():
    names = [concept.name for concept in CONCEPTS]
    assert len(set(names)) == len(names)
    assert set(names) >= ROWS


# --------------------------------------------------------------------------------------------------------- the command
def run(*words):
    return CliRunner().invoke(app, ["concepts", *words], env={"COLUMNS": "160"})


def test_the_command_finds_a_concept_by_its_name_or_by_what_it_says(tmp_path):
    file = tmp_path / "found.json"
    result = run("saddle", "--json", str(file))
    assert result.exit_code == 0
    for words in ("saddle point", "ch05_training", "Can a saddle hold you?"):
        assert words in result.output
    assert [concept["name"] for concept in json.loads(file.read_text(encoding="utf-8"))] == ["saddle point"]
    assert [concept.name for concept in concepts_about(["VELOCITY", "share"])] == ["momentum"]


def test_without_a_word_all_are_listed_and_an_unknown_one_is_said():
    assert all(concept.name in run().output for concept in CONCEPTS)
    result = run("blockchain")
    assert result.exit_code == 1
    assert "lists all of them" in result.output
