"""Judging: one path from submitted code to verdict, for notebook, terminal, pytest, nbgrader and cluster.

    verdict = judge(exercise, open_worker, LiveAnswers(exercise, helpers, seed), mode="AB")

`open_worker()` gives a fresh worker in which the submitted cells have run. Only plain values come back from it, as
claims; everything is compared on this side. Expected values are never sent.
"""

from __future__ import annotations

import hashlib
import re
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .answers import Answers, LiveAnswers
from .compare import Difference, compare_all
from .diagnosis import Seen, could_not_begin, diagnose, signature_words
from .exercise import Exercise, Group
from .inside.wire import Frame, WireError
from .observe import Broken, Malformed, Observation, claims, observe, text_of
from .one_thread import one_blas_thread
from .rooms import Batches, Rooms, Worker, Workers
from .source import exercise_hash
from .verdict import Diagnosis, GroupVerdict, Source, Verdict

if TYPE_CHECKING:
    from .course import Chapter, Course
    from .submission import Submission


@dataclass(frozen=True)
class Limits:
    """Deadlines by the judge's clock: one call, one exercise with all its groups, running the cells."""

    call: float = 5.0
    exercise: float = 30.0
    cells: float = 20.0


@dataclass(frozen=True)
class Facts:
    """What the submission's text says about an exercise, read without running it."""

    source: Source = field(default_factory=Source)
    undefined: Diagnosis | None = None  # why the name is not there: syntax error, experiment cell, renamed, left out
    stub: bool = False
    notes: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()  # what in it does the work that was to be written


def judge(
    exercise: Exercise,
    open_worker: Callable[[], Worker],
    answers: Answers,
    *,
    mode: str = "here",
    facts: Facts = Facts(),
    limits: Limits = Limits(),
    retry: bool = True,
    witness: list[Seen] | None = None,
) -> Verdict:
    """The verdict on one exercise. A worker that fails before any submitted code ran is tried once more.

    A list as `witness` receives what was seen of each group, numbers and all: for home, where they may be shown.
    """
    if facts.stub:
        verdict = blank(exercise, answers, "missing", untouched(exercise))
    elif facts.undefined:
        verdict = blank(exercise, answers, "missing", facts.undefined)
    else:
        with one_blas_thread():
            verdict = judge_groups(exercise, open_worker, answers, limits, witness)
    if verdict.outcome == "infrastructure" and retry:
        return judge(exercise, open_worker, answers, mode=mode, facts=facts, limits=limits, retry=False)
    return with_source(verdict, mode, facts)


def with_source(verdict: Verdict, mode: str, facts: Facts) -> Verdict:
    notes = (*verdict.notes, *facts.notes)
    return replace(verdict, mode=mode, source=facts.source, notes=notes, flags=facts.flags)


def untouched(exercise: Exercise) -> Diagnosis:
    return Diagnosis("stub", "stub", f"`{exercise.name}` is not written yet: the cell still holds the stub.")


def blank(exercise: Exercise, answers: Answers, outcome: str, diagnosis: Diagnosis) -> Verdict:
    """A verdict for what could not be tried at all."""
    groups = tuple(GroupVerdict(g.name, outcome, 0.0, g.points, g.about, diagnosis.text) for g in exercise.groups)
    return Verdict(exercise.name, exercise_hash(exercise), exercise.chapter, answers.seed, "", groups, diagnosis)


# ------------------------------------------------------------------------------------------------------ one exercise
class Session:
    """One worker after another for the groups of an exercise: a broken one is replaced, twice at most.

    A worker that is killed is replaced once more in each step, `inspect` or a group: what kills its own worker every
    time gets two at each step, and all of it within the exercise's time.
    """

    def __init__(self, open_worker: Callable[[], Worker], limits: Limits):
        self.open_worker, self.limits = open_worker, limits
        self.ends = time.monotonic() + limits.exercise
        self.too_long = f"All calls together took longer than {limits.exercise:g} seconds."
        self.worker: Worker | None = None
        self.broken = 0
        self.excused: set[str] = set()

    def left(self) -> float:
        """Seconds for the next call."""
        left = self.ends - time.monotonic()
        if left <= 0:
            raise Broken("timeout", self.too_long)
        return min(left, self.limits.call)

    def opened(self) -> Worker:
        if self.worker is None:
            self.left()  # none is opened when the time is up
            self.worker = self.open_worker()
        return self.worker

    def hear(self, answers: Answers, group: Group) -> Heard:
        """What the answer does on every probe: asked all at once of workers who can be."""
        worker = self.opened()
        if not isinstance(worker, Batches):
            return Heard(answers, group, asked=observe(answers.exercise, answers.probes(group), self.ask))
        sent = answers.plan(group).messages
        return Heard(answers, group, [f for message, n in sent for f in worker.request_all(message, n, self.left)])

    def words(self, broken: Broken) -> str:
        """The last call of an exercise whose time is up has only what was left of it."""
        up = broken.outcome == "timeout" and time.monotonic() >= self.ends
        return self.too_long if up else str(broken)

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        seconds = self.left()
        try:
            return self.opened().request(message, seconds)
        except WireError as error:  # a sequence hands on what the answer was, and that may be too much
            raise Broken("died", f"What the function returned cannot be handed on: {error}") from error

    def excuses(self, broken: Broken, step: str) -> bool:
        """Whether the step is to be tried again: its worker was killed, which once may have been anybody."""
        if not broken.killed or step in self.excused:
            return False
        self.excused.add(step)
        return True

    def drop(self) -> None:
        if self.worker is not None:
            self.worker.close()
        self.worker = None


def judge_groups(
    exercise: Exercise,
    open_worker: Callable[[], Worker],
    answers: Answers,
    limits: Limits,
    witness: list[Seen] | None = None,
) -> Verdict:
    session = Session(open_worker, limits)
    try:
        absent = defined(exercise, session)
        if absent:
            return blank(exercise, answers, *absent)
        heard: list[Heard] = []
        verdicts: list[GroupVerdict] = []
        for group in exercise.groups:
            said, verdict = judge_group(exercise, group, session, answers)
            heard += [said] if said else []
            verdicts.append(verdict)
            if verdict.outcome in ("tampered", "infrastructure"):
                verdicts = [worthless(g, verdict) for g in exercise.groups]
                break
    finally:
        session.drop()
    if witness is not None:
        witness += [said.seen for said in heard]
    if len(heard) == len(exercise.groups) and all(said.unwritten for said in heard):
        return blank(exercise, answers, "missing", untouched(exercise))
    diagnosis = broken_words(verdicts) or explained(exercise, heard, answers)
    groups = tuple(verdicts)
    return Verdict(exercise.name, exercise_hash(exercise), exercise.chapter, answers.seed, "", groups, diagnosis)


def explained(exercise: Exercise, heard: Sequence[Heard], answers: Answers) -> Diagnosis | None:
    """The diagnosis. A class makes the same mistakes: of answers that did the same in all groups, one is read."""
    if all(said.verdict.outcome == "passed" for said in heard):
        return None
    keys = [said.key for said in heard]
    return answers.diagnoses.get(
        b"".join(keys) if all(keys) else b"", lambda: reason(exercise, [said.seen for said in heard], answers)
    )


def reason(exercise: Exercise, seen: Sequence[Seen], answers: Answers) -> Diagnosis | None:
    """The diagnosis; points never wait for it: if it breaks, that is said, and they stand."""
    larger = next((s.difference for s in seen if s.difference and s.difference.kind == "larger"), None)
    if larger:
        return Diagnosis("larger", "larger", larger.words)
    try:
        return diagnose(exercise, seen, answers)
    except Exception as error:
        warnings.warn(Unexplained(f"The diagnosis of `{exercise.name}` failed: {error!r}"), stacklevel=2)
        return unexplained(next(d for s in seen if (d := s.difference)), error)


class Unexplained(RuntimeWarning):
    """A diagnosis broke."""


def unexplained(difference: Difference, error: Exception) -> Diagnosis:
    """What is left to say: not what the error says, which may be of hidden numbers, but where it was raised."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__} in {Path(last.filename).name}, line {last.lineno}"
    text = f"{difference.words} What explains mistakes failed at this one ({place}); the points stand."
    return Diagnosis("unexplained", "unexplained", text)


def defined(exercise: Exercise, session: Session) -> tuple[str, Diagnosis] | None:
    """Whether the name is there and is what it should be; if not, the outcome and why."""
    try:
        there = session.ask({"op": "inspect", "name": exercise.name})
    except Broken as broken:
        session.drop()
        if session.excuses(broken, "inspect"):
            return defined(exercise, session)
        return broken.outcome, Diagnosis(broken.outcome, broken.outcome, str(broken))
    if there.get("defined") is not True:
        claimed = there.get("near")
        near = [text_of(name, 60) for name in (claimed if type(claimed) is list else []) if type(name) is str][:1]
        hint = f" There is `{near[0]}`: was it renamed?" if near else " Did the cell that defines it run?"
        return "missing", Diagnosis("not_defined", "not_defined", f"`{exercise.name}` is not defined.{hint}")
    wanted = "class" if exercise.is_class else "function"
    kind = text_of(there.get("kind"), 60)
    if kind != wanted and (exercise.is_class or kind != "class"):
        text = f"`{exercise.name}` is a {kind}; expected a {wanted}. Was the name used again further down?"
        return "missing", Diagnosis("not_a_function", "not_a_function", text)
    return None


def judge_group(
    exercise: Exercise, group: Group, session: Session, answers: Answers
) -> tuple[Heard | None, GroupVerdict]:
    """One group: all of its points, or none and the reason."""

    def failed(outcome: str, words: str) -> GroupVerdict:
        return GroupVerdict(group.name, outcome, 0.0, group.points, group.about, words)

    if session.broken >= 2:
        return None, failed("timeout", "Not tried: two groups before it did not come to an end.")
    try:
        heard = session.hear(answers, group)  # before any answer is computed or looked up
        return heard, heard.verdict
    except Broken as broken:
        session.drop()
        if session.excuses(broken, f"group {group.name}"):
            return judge_group(exercise, group, session, answers)
        session.broken += 1
        return None, failed(broken.outcome, session.words(broken))
    except Malformed as error:
        return None, failed("tampered", f"The worker sent {error}.")


class Heard:
    """What a worker said of a group. It is read when somebody must know what it says: where another answer of the class
    did the same to the last bit, its verdict holds."""

    def __init__(
        self, answers: Answers, group: Group, frames: Sequence[Frame] = (), asked: Sequence[Observation] | None = None
    ):
        self.answers, self.group, self.frames, self.asked = answers, group, frames, asked

    @cached_property
    def key(self) -> bytes:
        """Alike for frames that say the same; empty for what was observed here, which may hold anything."""
        said = [self.group.name.encode(), *(frame.digest() for frame in self.frames)]
        return hashlib.sha256(b"".join(said)).digest() if self.asked is None else b""

    @cached_property
    def seen(self) -> Seen:
        """Raises Malformed."""
        answers, group, asked = self.answers, self.group, self.asked
        if asked is None:
            asked = answers.plan(group).observations(map(claims, self.frames))
        probes, expected = answers.probes(group), answers.expected(group)
        return Seen(group, probes, expected, asked, compare_all(answers.exercise, group, probes, expected, asked))

    @property
    def verdict(self) -> GroupVerdict:
        return self.outcome[0]

    @property
    def unwritten(self) -> bool:
        return self.outcome[1]

    @cached_property
    def outcome(self) -> tuple[GroupVerdict, bool]:
        """The verdict, and whether the group met the stub and nothing else."""
        return self.answers.verdicts.get(self.key, lambda: verdict_on(self.answers.exercise, self.seen))


def verdict_on(exercise: Exercise, seen: Seen) -> tuple[GroupVerdict, bool]:
    group, difference = seen.group, seen.difference
    if difference is None:
        return GroupVerdict(group.name, "passed", group.points, group.points, group.about), False
    behaviour = seen.got[difference.index].behaviour if difference.index < len(seen.got) else None
    raised = difference.kind == "raised"
    verdict = GroupVerdict(
        group.name,
        "raised" if raised else "wrong",
        0.0,
        group.points,
        group.about,
        signature_words(exercise, seen) if could_not_begin(seen) else difference.words,
        detail=difference.detail,
        label=seen.got[difference.index].label if behaviour else "",
        frames=behaviour.frames if behaviour and raised else (),
        case=difference.index,
    )
    return verdict, not_written(exercise, seen)


def worthless(group: Group, verdict: GroupVerdict) -> GroupVerdict:
    return GroupVerdict(group.name, verdict.outcome, 0.0, group.points, group.about, verdict.words)


def not_written(exercise: Exercise, seen: Seen) -> bool:
    """Whether a group met the stub's own `raise NotImplementedError()` and nothing else."""
    behaviour = seen.got[0].behaviour if seen.got else None
    if behaviour is None or behaviour.error != "NotImplementedError" or behaviour.message:
        return False
    own = {exercise.name, *vars(exercise.plain)} if exercise.is_class else {exercise.name}
    return bool(behaviour.frames) and behaviour.frames[-1]["function"] in own


def broken_words(groups: Sequence[GroupVerdict]) -> Diagnosis | None:
    """Timeouts and crashes have no numbers to read."""
    for group in groups:
        if group.outcome in ("timeout", "died", "tampered", "infrastructure"):
            return Diagnosis(group.outcome, group.outcome, group.words)
    return None


# ---------------------------------------------------------------------------------------------- a whole submission
AnswersFor = Callable[[Exercise], Answers]


def judge_submission(
    submission: Submission,
    chapter: Chapter,
    course: Course,
    workers: Workers,
    seed: int,
    *,
    answers: AnswersFor | None = None,
    limits: Limits = Limits(),
) -> list[Verdict]:
    """A verdict on every exercise of the chapter, each in a fresh worker in which all of the submission's cells ran.

    `answers` shares expected answers over a class; without it they are computed here.
    """
    answers = answers or (lambda exercise: LiveAnswers(exercise, course.helpers, seed))
    rooms = Rooms(workers, submission.program, limits.cells, limits.call)
    return [judge_one(submission, rooms, answers(exercise), limits) for exercise in chapter.exercises]


def judge_one(
    submission: Submission,
    rooms: Rooms,
    answers: Answers,
    limits: Limits = Limits(),
    witness: list[Seen] | None = None,
) -> Verdict:
    """The verdict on one exercise of a submission; `witness` as in `judge`."""
    facts = submission.facts(answers.exercise)
    mode = rooms.workers.mode
    verdict = judge(answers.exercise, rooms.open, answers, mode=mode, facts=facts, limits=limits, witness=witness)
    return from_the_text(explain(verdict, facts, rooms.trouble, submission), submission)


def from_the_text(verdict: Verdict, submission: Submission) -> Verdict:
    """Tracebacks with the lines and names of the file itself: what the process says of them could be anything, also a
    hidden input as the number of a line that is not there."""

    def there(frames: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        for frame in frames:
            function = frame["function"] if submission.mentions(str(frame["function"])) else "a function"
            if source := submission.line(str(frame["file"]), frame["line"]):
                yield {**frame, "source": source, "function": function}

    groups = (replace(group, frames=tuple(there(group.frames))) for group in verdict.groups)
    return replace(verdict, groups=tuple(groups))


def explain(verdict: Verdict, facts: Facts, trouble: Mapping[int, str], submission: Submission) -> Verdict:
    """What only the whole submission can tell: the defining cell broke, a name exists in no cell that is run."""
    diagnosis = verdict.diagnosis
    if diagnosis and diagnosis.kind == "not_defined":
        broken = [cell for cell in facts.source.cells if cell in trouble]
        if broken:
            cell = broken[-1]
            text = f"`{verdict.exercise}` is not defined: cell {cell}, which defines it, failed: {trouble[cell]}"
            return replace(verdict, diagnosis=replace(diagnosis, kind="cell_failed", name="cell_failed", text=text))
    if diagnosis and diagnosis.kind == "raised":
        text = missing_name(verdict, submission)
        if text:
            return replace(verdict, diagnosis=replace(diagnosis, text=text))
    return verdict


def missing_name(verdict: Verdict, submission: Submission) -> str:
    """What a NameError or a call of the library comes from; only names are taken from the submission's message."""
    said = " ".join(group.detail for group in verdict.groups)
    name = re.search(r"name '(\w{1,60})' is not defined", said)
    if name and submission.mentions(name[1]):
        return f"The function uses `{name[1]}`, {submission.whereabouts(name[1])}."
    name = re.search(r"([\w.]{1,80}) is not there while submissions are graded", said)
    if name and all(submission.mentions(part) for part in name[1].split(".")):
        return f"The function calls `{name[1]}`, which is not there while submissions are graded: write it yourself."
    return ""
