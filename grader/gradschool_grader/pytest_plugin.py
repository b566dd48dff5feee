"""`pytest --submission FILE`: every exercise of a notebook or script is a test, judged in a process of its own.

Only the exercises are collected then; `-k adam` chooses among them as usual. `--submission-seed N` fixes the inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .exercise import Exercise
    from .verdict import Verdict


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gradschool")
    group.addoption("--submission", metavar="FILE", help="judge the exercises in this notebook or script")
    group.addoption("--submission-seed", metavar="N", type=int, help="draw the inputs from this seed")


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> object:
    """With --submission the exercises of the file take the place of whatever else would be collected."""
    name = session.config.getoption("--submission")
    if not name:
        return None
    items = collect(session, Path(name))
    session.items = items
    session.config.hook.pytest_collection_modifyitems(session=session, config=session.config, items=items)
    session.testscollected = len(items)
    session.config.hook.pytest_collection_finish(session=session)
    return True


def collect(session: pytest.Session, path: Path) -> list[pytest.Item]:
    from .terminal import judging, open_file

    submission = open_file(path)
    if submission.chapter is None:
        raise pytest.UsageError("\n".join(submission.problems) or f"{path}: no exercise was found in this file")
    block = judging(submission, submission.course, session.config.getoption("--submission-seed"))
    verdict_on = block.__enter__()

    def end() -> None:
        block.__exit__(None, None, None)

    session.config.add_cleanup(end)
    return [
        ExerciseItem.from_parent(session, name=exercise.name, exercise=exercise, verdict_on=verdict_on, file=path)
        for exercise in submission.chapter.exercises
    ]


class NotYet(Exception):
    """An exercise that did not pass; its text is the whole report."""


class ExerciseItem(pytest.Item):
    """One exercise of the submission."""

    def __init__(self, *, exercise: Exercise, verdict_on: Callable[[Exercise], Verdict], file: Path, **more: Any):
        super().__init__(**more)
        self.exercise, self.verdict_on, self.file = exercise, verdict_on, file
        self.verdict: Verdict | None = None

    def runtest(self) -> None:
        from . import show

        self.verdict = self.verdict_on(self.exercise)
        self.user_properties.append(("verdict", self.verdict.to_json()))
        if not self.verdict.passed:
            raise NotYet(show.text(self.verdict, graded=False))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, NotYet):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.file, None, self.name
