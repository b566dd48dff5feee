"""The one hand that writes: results into the journal, then the gradebook, then pages, and counts what is done.

with Clerk(folder, config, course, chapters) as clerk:
    if not clerk.knows(task):              # what was done before needs nothing, or is recorded below
        judged = judge_task(task)
        clerk.record(task, judged)
    clerk.record_known(filled)
clerk.graded, clerk.set_aside, clerk.modes
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from ..course import Chapter, Course
from ..grading import Task, chapter_of
from ..journal import Journal, Judged
from .assign import course_directory
from .folder import is_made_of
from .recorder import Recorder

__all__ = ["Clerk", "SetAside", "Step"]


@dataclass(frozen=True)
class SetAside:
    """A submission that could not be graded at all, and why."""

    student: str
    assignment: str
    why: str


@dataclass(frozen=True)
class Step:
    """What has just been done, of how much: `what` is judged, recorded or feedback."""

    what: str
    done: int
    total: int
    student: str
    assignment: str


class Clerk:
    """Writes for one run of `grade`. A recorder is opened for each chapter that has anything to record."""

    def __init__(
        self,
        folder: Path,
        config: Config,
        course: Course,
        chapters: Sequence[Chapter],
        *,
        feedback: bool = True,
        progress: Callable[[Step], None] = lambda step: None,
    ):
        self.folder, self.config, self.course, self.progress = folder, config, course, progress
        self.chapters = {chapter.id: chapter for chapter in chapters}
        self.directory, self.journal, self.feedback = course_directory(folder, config), Journal(folder), feedback
        self.recorders: dict[str, Recorder] = {}
        self.opened = contextlib.ExitStack()
        self.known: list[tuple[Task, bool]] = []  # whether it is to be recorded, or only shown
        self.totals, self.done = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
        self.places: list[tuple[str, str]] = []
        self.modes: set[str] = set()
        self.aside: list[SetAside] = []

    def __enter__(self) -> Clerk:
        return self

    def __exit__(self, *error: object) -> None:
        self.opened.close()

    @property
    def graded(self) -> list[tuple[str, str]]:
        """(assignment, student) of all that stand in the gradebook, in the order of the chapters."""
        order = list(self.chapters)
        return sorted(self.places, key=lambda place: (order.index(place[0]), place[1]))

    @property
    def set_aside(self) -> list[SetAside]:
        order = list(self.chapters)
        return sorted(self.aside, key=lambda item: (order.index(item.assignment), item.student))

    def put_aside(self, student: str, assignment: str, why: str) -> None:
        self.aside.append(SetAside(student, assignment, why))

    # -------------------------------------------------------------------------------------------------- what is to do
    def knows(self, task: Task, *, judge: bool = False, record: bool = False) -> bool:
        """Whether there is a result for this very file, and count what is left to do. `judge` and `record` are to be
        done again whatever there is."""
        known = None if judge else self.journal.read(task.assignment, task.student)
        if not known or not known.complete or not known.is_for(task.digest, task.seed, chapter_of(self.course, task)):
            self.expect(task, "judged", "recorded", "feedback")
            return False
        record = record or not known.recorded or not self.graded_file(task).is_file()
        if record or (self.feedback and not is_made_of(self.page(task), self.graded_file(task))):
            self.expect(task, *(["recorded"] if record else []), "feedback")
            self.known.append((replace(task, data=b""), record))
        else:
            self.note(known)
        return True

    def note(self, judged: Judged) -> None:
        """It stands in the gradebook."""
        self.places.append((judged.assignment, judged.student))
        self.modes.add(judged.mode)

    def expect(self, task: Task, *steps: str) -> None:
        for what in steps:
            self.totals[self.place(what, task.assignment)] += 1

    def place(self, what: str, assignment: str) -> tuple[str, str]:
        """Judging is counted over all chapters, as they are judged together."""
        return what, "" if what == "judged" else assignment

    def graded_file(self, task: Task) -> Path:
        return Path(self.path(self.directory.autograded_directory, task), f"{task.assignment}.ipynb")

    def page(self, task: Task) -> Path:
        return Path(self.path(self.directory.feedback_directory, task), f"{task.assignment}.html")

    def path(self, kind: str, task: Task) -> str:
        directory: CourseDirectory = self.directory
        return directory.format_path(kind, task.student, task.assignment)

    # ------------------------------------------------------------------------------------------------------- doing it
    def step(self, what: str, student: str, assignment: str) -> None:
        place = self.place(what, assignment)
        self.done[place] += 1
        self.progress(Step(what, self.done[place], self.totals[place], student, assignment))

    def record(self, task: Task, judged: Judged) -> None:
        """A new result."""
        self.journal.write(judged)
        self.step("judged", task.student, task.assignment)
        self.enter(task, judged)

    def record_known(self, filled: Callable[[Task], Task]) -> None:
        """What was judged by a run that did not come to its end."""
        for task, record in self.known:
            judged = self.journal.read(task.assignment, task.student)
            if judged is None:
                self.put_aside(task.student, task.assignment, "its result went away while the class was graded")
            elif record:
                self.enter(filled(task), judged)
            else:
                self.show(judged)

    def enter(self, task: Task, judged: Judged) -> None:
        """Into the gradebook, and then onto its page."""

        def done(student: str) -> None:
            if judged.complete:
                self.journal.mark_recorded(judged)
            self.step("recorded", student, task.assignment)

        why = self.recorder(task.assignment).record(judged, task.data, done)
        if why:
            self.put_aside(task.student, task.assignment, why)
        else:
            self.show(judged)

    def show(self, judged: Judged) -> None:
        self.note(judged)
        if self.feedback:
            student, assignment = judged.student, judged.assignment
            why = self.recorder(assignment).page(student, lambda _: self.step("feedback", student, assignment))
            if why:
                self.put_aside(student, assignment, f"no feedback page: {why}")

    def recorder(self, assignment: str) -> Recorder:
        if assignment not in self.recorders:
            opened = Recorder(self.folder, self.config, self.chapters[assignment])
            self.recorders[assignment] = self.opened.enter_context(opened)
        return self.recorders[assignment]
