"""The README tells the truth: its commands are the two that do the set-up, its example prints what it says."""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from gradschool_course import course

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_exactly_two_commands_do_all_the_set_up():
    commands = re.findall(r"^pip install -e '\.\[test\]' && \S.*$", README, re.MULTILINE)
    assert commands == ["pip install -e '.[test]' && gradschool demo", "pip install -e '.[test]' && pytest"]


def test_the_examples_print_what_they_say():
    examples = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        said = re.search(r"print\(.*\)\s+# (.*)$", example, re.MULTILINE)
        assert said is not None
        out = StringIO()
        with redirect_stdout(out):
            exec(example, {})
        assert out.getvalue().strip() == said[1]


def test_every_picture_is_there():
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert pictures
    root = Path(__file__).parent.parent
    assert [name for name in pictures if not (root / name).is_file()] == []


def test_what_is_counted_is_what_the_course_has():
    chapters, exercises = course.chapters, course.exercises
    told = " ".join(README.split())
    numbers = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    words = [
        f"{len(exercises)} exercises in {numbers[len(chapters)]} chapters",
        f"{sum(len(e.misconceptions) for e in exercises):,} misconceptions",
        f"{sum(len(e.variants) for e in exercises):,} other right ways",
        f"no task depends on them ({sum(len(e.equivalent) for e in exercises)})",
    ]
    assert [word for word in words if word not in told] == []
    assert [c.id for c in chapters if f"| {int(c.id[2:4])} {c.title} |" not in README] == []
