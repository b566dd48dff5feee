"""At home: `check("adam")` judges the function in the notebook's own process and says what it found.

    result = check("adam")     # shown as a card in a notebook, as text in a terminal
    result.passed, result.points
    result.case                # the failing call: arguments, what was expected, what came
    result.replay()            # makes that very call again, for a debugger
    result.hint()              # one step further each time, beginning with what was found
    result.solution()          # once it passes: the solution beside yours, and what each costs

Nothing is sandboxed here: it is the student's own machine and code. A failing seed is tried first until it passes.
"""

from __future__ import annotations

import inspect
import secrets
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from . import kernel, picture, show, state
from .answers import LiveAnswers
from .asking import asked_more
from .beside import beside
from .case import Case, calls_so_far, raised, shown, wrong_call
from .compare import agrees
from .course import Course, find_exercise
from .diagnosis import Seen
from .diagnosis.altered import OUTSIDE
from .diagnosis.words import PLACES
from .exercise import Exercise, Group, Property, Script, Steps
from .inside.perform import Performer, build, describe
from .judge import Limits, judge
from .ladder import Step, next_hint, remember
from .observe import Caller, called, observe, with_objects
from .source import shown as solution_text
from .together import Together
from .verdict import Diagnosis, Verdict

PATIENCE = 5.0
AGAIN = "Made again with new objects, the same calls give other answers: something outlives the objects, or is random."
NO_LIMITS = Limits(call=float("inf"), exercise=float("inf"), cells=float("inf"))


class Result:
    """What `check` returns. Its display is the message; under nbgrader's own Execute it counts as the bare points."""

    def __init__(
        self,
        verdict: Verdict,
        exercise: Exercise,
        answers: LiveAnswers,
        namespace: dict[str, Any],
        seen: Sequence[Seen] = (),
    ):
        self.verdict, self.exercise = verdict, exercise
        self._answers, self._namespace, self._seen = answers, namespace, seen

    @property
    def points(self) -> float:
        return self.verdict.points

    @property
    def passed(self) -> bool:
        return self.verdict.passed

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        drawn, call = shown(self.exercise, self.verdict, self._seen)
        return show.text(self.verdict, graded=False, drawn=drawn, call=call)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        if kernel.in_notebook():
            drawn = "" if raised(self.verdict) else picture.svg(self.exercise, self._seen)
            call = wrong_call(self.exercise, self.verdict, self._seen)
            card = show.html(self.verdict, graded=False, drawn=drawn, call=call)
            return {"text/plain": f"{self.points:g}", "text/html": card}
        return {"text/plain": repr(self)}

    @property
    def case(self) -> Case | None:
        """The failing case, or None if everything passed or nothing could be called."""
        failed = self._failed()
        if failed is None:
            return None
        group, index = failed
        ask = Performer(self._answers.helpers, self._namespace, stop=(KeyboardInterrupt,)).handle
        got = observe(self.exercise, self._answers.probes(group), ask)
        expected = self._answers.expected(group)
        if index >= len(got):
            return None
        probes = self._answers.probes(group)
        asked = Seen(group, probes, expected, got, None)
        known = expected[index] if index < len(expected) else None
        calls = calls_so_far(self.exercise, asked, index) if known else ()
        return Case.of(group, probes[got[index].probe], known, got[index], calls)

    def replay(self) -> Any:
        """Make the failing call again, with nothing in between: an exception reaches you, and `%debug` works."""
        failed = self._failed()
        if failed is None:
            print("Nothing to replay: no call failed.")
            return None
        group, index = failed
        probes, observation = self._answers.probes(group), self._answers.expected(group)[index]
        probe = probes[observation.probe]
        function = self._namespace[self.exercise.name]
        if isinstance(probe, Script):
            return self._replay_script(probe, function, self._position(group, index) - probe.others)
        if isinstance(probe, Steps):
            return self._replay_steps(probe, function, int(observation.label.split()[1]))
        call = probe.call if isinstance(probe, Property) else probe
        made = self._call(function, call.arguments)
        for args in getattr(probe, "afterwards", ())[: self._position(group, index)]:
            made_then = made(*build(list(args), self._answers.helpers, {}))
        return made_then if self._position(group, index) else made

    def hint(self) -> Step | Noted:
        """The next hint, which is remembered: what this check found comes first, pseudo-code last."""
        if self.passed:
            return Noted(f"{self.exercise.name} passes: there is nothing to hint at.")
        return next_hint(self.exercise) or Noted(f"There are no hints for {self.exercise.name}.")

    def solution(self) -> Together | Noted:
        """Once it passes: yours beside the solution, with errors under stress, time and memory of both."""
        if not self.passed:
            return Noted(f"{self.exercise.name} has not passed yet; `hint()` takes you on.")
        yours = self._namespace[self.exercise.name]
        measured = beside(self.exercise, yours, self._answers.helpers, self._answers.seed)
        return Together(kernel.own_text(self.exercise, self._namespace), solution_text(self.exercise), measured)

    def _position(self, group: Group, index: int) -> int:
        """How many observations of the same probe come before this one."""
        expected = self._answers.expected(group)
        return sum(o.probe == expected[index].probe and o.again == expected[index].again for o in expected[:index])

    def _call(self, function: Any, arguments: Mapping[str, Any]) -> Any:
        args, _, kwargs = Caller(self.exercise, lambda request: request).positional(arguments)
        helpers = self._answers.helpers
        return function(*build(args, helpers, {}), **build(kwargs, helpers, {}))

    def _replay_steps(self, probe: Steps, function: Any, steps: int) -> Any:
        carry: dict[str, Any] = dict(probe.carry)
        value: Any = None
        for fed in probe.feed[:steps]:
            value = self._call(function, {**carry, **fed, **probe.constants})
            carry = dict(zip(carry, (value,) if len(carry) == 1 else value, strict=True))
        return value

    def _replay_script(self, probe: Script, function: Any, calls: int) -> Any:
        objects = {str(i): self._call(function, probe.new) for i in range(1, probe.others + 2)}
        value = objects[""] = objects[probe.name] = objects["1"]
        for call, args in probe.calls[:calls]:
            keep, target, method = called(call)
            value = function if method == self.exercise.name else getattr(objects[target], method)
            value = (
                value if args is None else value(*with_objects(build(list(args), self._answers.helpers, {}), objects))
            )
            if keep:
                objects[keep] = value
        return value

    def _failed(self) -> tuple[Group, int] | None:
        for group, verdict in zip(self.exercise.groups, self.verdict.groups, strict=False):
            if verdict.case is not None:
                return group, verdict.case
        return None


# -------------------------------------------------------------------------------------------------------- checking
class HereWorker:
    """A worker that is this process: calls the functions of a namespace directly. `now` says what is being called."""

    def __init__(self, course: Course, namespace: dict[str, Any]):
        self.performer = Performer(course.helpers, namespace, stop=(KeyboardInterrupt,))
        self.message: dict[str, Any] = {}

    def request(self, message: dict[str, Any], seconds: float) -> dict[str, Any]:
        self.message = message
        return self.performer.handle(message)

    def close(self) -> None:
        self.performer.handles.clear()

    @property
    def now(self) -> str:
        target, names = self.message.get("target", ""), self.message.get("names", ())
        given = dict(zip(names, self.message.get("args", ()), strict=False)) | self.message.get("kwargs", {})
        name = target[1] if type(target) is tuple else target if type(target) is str else "the returned function"
        return f"{name}({', '.join(f'{key}={describe(value)}' for key, value in given.items())})"


class Patience:
    """Says after five seconds which call is still running: a loop without end looks like a slow machine.

    It writes to what standard output was before the check: during a call the performer keeps what is printed.
    """

    def __init__(self, now: Callable[[], str]):
        self.now, self.out = now, sys.stdout
        self.timer = threading.Timer(PATIENCE, self.say)
        self.timer.daemon = True

    def say(self) -> None:
        print(
            f"{self.now()} has been running for {PATIENCE:g} seconds. If it never ends, interrupt the kernel and look "
            "at the loop.",
            file=self.out,
            flush=True,
        )

    def __enter__(self) -> None:
        self.timer.start()

    def __exit__(self, *_: object) -> None:
        self.timer.cancel()


def check(name: str, *, seed: int | None = None, namespace: dict[str, Any] | None = None) -> Result:
    """Judge `name` as it is defined in this notebook (or module) now.

    Inputs are drawn afresh each time; a seed that failed is tried first until it passes. `seed` fixes them.
    """
    course, exercise = find_exercise(name)
    names = caller_namespace() if namespace is None else namespace
    remembered = state.read("failing").get(exercise.name) if seed is None else None
    seeds = [seed] if seed is not None else [s for s in (remembered, secrets.randbits(48)) if isinstance(s, int)]
    result, known = None, kernel.facts(course, exercise, names)
    worker = HereWorker(course, names)
    with Patience(lambda: worker.now):
        for tried in seeds:
            answers = LiveAnswers(exercise, course.helpers, tried)
            seen: list[Seen] = []
            verdict = judge(exercise, lambda: worker, answers, facts=known, limits=NO_LIMITS, witness=seen)
            verdict = asked_again(exercise, verdict, seen, names.get(exercise.name), worker)
            if not verdict.passed:
                verdict = with_what_more_is_found(exercise, verdict, seen, worker, course, names)
            result = Result(verdict, exercise, answers, names, seen)
            if not result.passed:
                break
    assert result is not None
    if seed is None:
        remember(result.verdict)
    return result


def with_what_more_is_found(
    exercise: Exercise,
    verdict: Verdict,
    seen: Sequence[Seen],
    worker: HereWorker,
    course: Course,
    names: Mapping[str, Any],
) -> Verdict:
    """The same with what comes of asking on; what that defines, it defines beside the notebook's names."""
    apart = Performer(course.helpers, dict(names), stop=(KeyboardInterrupt,), conduct=False)
    ask, text = worker.performer.handle, partial(kernel.own_text, exercise, names)
    return asked_more(exercise, verdict, seen, ask, course.helpers, text, apart.handle)


FIRST: WeakKeyDictionary[type, Seen] = WeakKeyDictionary()
"""What was seen of a class when it first failed in this process."""


def asked_again(exercise: Exercise, verdict: Verdict, seen: Sequence[Seen], answer: Any, worker: HereWorker) -> Verdict:
    """Whether new objects of a class answer otherwise when what they first failed at is asked again.

    A notebook's class lives on from check to check, and so does what its objects keep outside themselves: only in the
    first check does it begin with nothing.
    """
    found, failed = verdict.diagnosis, next((s for s in seen if s.difference), None)
    if failed is None or not isinstance(answer, type):
        return verdict
    before = FIRST.setdefault(answer, failed)
    if found is None or found.kind not in (*PLACES, "structure") or found.name == "state_outside":
        return verdict
    again = observe(exercise, before.probes, worker.performer.handle)
    if agrees(exercise, before.group, before.probes, before.got, again, conduct=False):
        return verdict
    return replace(verdict, diagnosis=Diagnosis("structure", "state_outside", AGAIN, OUTSIDE))


def caller_namespace() -> dict[str, Any]:
    """The notebook's names, or those of the module that called."""
    running = kernel.shell()
    if running is not None:
        return running.user_ns
    frame = inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__") == __name__:
        frame = frame.f_back
    return {} if frame is None else frame.f_globals


# ------------------------------------------------------------------------------------------------------ prediction
class Noted:
    """A prediction that was stored, or the reminder to make one."""

    def __init__(self, words: str):
        self.words = words

    def __repr__(self) -> str:
        return self.words


def predict(slug: str, answer: Any = ...) -> Noted:
    """Commit to an answer before running what comes next; it is kept beside the notebook.

    `predict("bias_correction", "the first step is 3 times too long")`. `prediction(slug)` gives it back.
    """
    if answer is ...:
        return Noted("Predict first: put your answer in the place of `...`, then run this cell.")
    state.change("predictions", slug, answer if isinstance(answer, str | int | float | bool | list) else repr(answer))
    return Noted(f"Noted: {answer}. Run on, and compare.")


def prediction(slug: str) -> Any:
    """The stored prediction, or None."""
    return state.read("predictions").get(slug)
