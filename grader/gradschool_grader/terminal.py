"""`gradschool check FILE`: the saved file judged in processes of its own, which survive crashes and endless loops.

    checked = check_file(Path("ch10_optimizers.ipynb"))
    print(words(checked))

What runs is what is saved, in order, in a fresh process: names that only a long-lived kernel still knows are missed
here, and said.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from . import show, state
from .answers import LiveAnswers
from .asking import asked_more
from .case import shown
from .course import Chapter, Course, find_courses
from .diagnosis import Seen
from .exercise import Exercise
from .judge import Limits, judge_one
from .observe import Broken, Malformed
from .rooms import Rooms, Worker
from .submission import Submission, read_submission
from .together import written_in
from .verdict import Verdict
from .worker import SubprocessWorkers


@dataclass(frozen=True)
class Checked:
    """What checking a file came to."""

    submission: Submission
    chapter: Chapter | None
    verdicts: tuple[Verdict, ...]

    @property
    def passed(self) -> bool:
        """Everything that was written is right, and something was written."""
        written = [verdict for verdict in self.verdicts if not untouched(verdict)]
        return bool(written) and all(verdict.passed for verdict in written)


def untouched(verdict: Verdict) -> bool:
    return verdict.diagnosis is not None and verdict.diagnosis.kind == "stub"


@contextmanager
def judging(submission: Submission, course: Course, seed: int | None = None) -> Iterator[Callable[[Exercise], Verdict]]:
    """A function from an exercise to its verdict, with processes behind it that end with the block.

    Without a seed, one that failed before is tried first.
    """
    failing = state.read("failing") if seed is None else {}
    with SubprocessWorkers(course.helpers_source, course.modules, course.placeholders) as workers:
        rooms = Rooms(workers, submission.program)

        def verdict(exercise: Exercise) -> Verdict:
            remembered = failing.get(exercise.name)
            seeds = [seed] if seed is not None else [remembered, secrets.randbits(48)]
            found = None
            for tried in seeds:
                if isinstance(tried, int) and (found is None or found.passed):
                    found = with_the_call(submission, rooms, LiveAnswers(exercise, course.helpers, tried))
            assert found is not None
            return found

        yield verdict


def with_the_call(submission: Submission, rooms: Rooms, answers: LiveAnswers) -> Verdict:
    """The verdict on one exercise, and what is shown at home beside it: the picture, and the call that went wrong."""
    seen: list[Seen] = []
    verdict = judge_one(submission, rooms, answers, witness=seen)
    text = partial(written_in, answers.exercise.name, submission.program)
    verdict = with_what_more_is_found(verdict, seen, rooms, answers, text)
    drawn, call = shown(answers.exercise, verdict, seen)
    return replace(verdict, extra={"drawn": drawn, "call": call} if drawn or call else {})


def with_what_more_is_found(
    verdict: Verdict, seen: Sequence[Seen], rooms: Rooms, answers: LiveAnswers, text: Callable[[], str]
) -> Verdict:
    """The same with what is found out in another room, which is opened if anything is asked there, and may break."""
    with ExitStack() as opened:
        workers: list[Worker] = []

        def ask(message: dict[str, Any]) -> dict[str, Any]:
            if not workers:
                workers.append(opened.enter_context(closing(rooms.open())))
            return workers[0].request(message, Limits().call)

        try:
            return asked_more(answers.exercise, verdict, seen, ask, answers.helpers, text, ask)
        except (Broken, Malformed):
            return verdict


def open_file(path: Path, courses: Iterable[Course] | None = None) -> Submission:
    """The file as a submission to the course that it says it is for, or that knows most of what it defines."""
    several = list(find_courses().values() if courses is None else courses)
    if not several:
        raise LookupError("No course is installed: `pip install gradschool` brings one.")
    read = [read_submission(path, course) for course in several]

    def fits(submission: Submission) -> tuple[bool, int]:
        says = (submission.metadata or {}).get("gradschool")
        exercises = submission.chapter.exercises if submission.chapter else ()
        known = sum(cell.mentions(e.name) for e in exercises for cell in submission.cells)
        return isinstance(says, dict) and says.get("course") == submission.course.name, known

    return max(read, key=fits)


def check_file(
    path: Path,
    courses: Iterable[Course] | None = None,
    *,
    seed: int | None = None,
    only: Iterable[str] = (),
    tell: Callable[[Verdict], None] = lambda verdict: None,
) -> Checked:
    """Judge the exercises of a notebook or script as it is saved. `only` names exercises; `tell` hears each verdict."""
    submission = open_file(path, courses)
    course, chapter = submission.course, submission.chapter
    if chapter is None:
        return Checked(submission, None, ())
    wanted = [chapter.exercise(name) for name in only] or chapter.exercises
    verdicts = []
    with judging(submission, course, seed) as verdict_on:
        for exercise in wanted:
            verdict = verdict_on(exercise)
            verdicts.append(verdict)
            tell(verdict)
    return Checked(submission, chapter, tuple(verdicts))


def words(checked: Checked) -> str:
    """The whole report as text: what was judged in full, untouched stubs in one line, the score at the end."""
    lines = [f"! {problem}" for problem in checked.submission.problems]
    for name, cells in checked.submission.undefined.items():
        where = ", ".join(map(str, cells))
        lines.append(
            f"! The file uses `{name}` (cell {where}), defined nowhere: only a kernel that ran older cells knows it."
        )
    lines += [show.text(verdict, graded=False) for verdict in checked.verdicts if not untouched(verdict)]
    stubs = [verdict.exercise for verdict in checked.verdicts if untouched(verdict)]
    lines += [f"○ not written yet: {', '.join(stubs)}"] if stubs else []
    points = sum(verdict.points for verdict in checked.verdicts)
    total = sum(verdict.max_points for verdict in checked.verdicts)
    if checked.chapter:
        lines.append(f"{show.score(points, total)} in {checked.submission.file}")
    return "\n".join(lines)
