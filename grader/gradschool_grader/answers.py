"""Answers: what the reference does on a group's probes, and what each known mistake does. Live, or from a recording.

Both sides of a class see the same probes (one seed per assignment and run), so answers are computed once:

    answers = LiveAnswers(exercise, helpers, seed)
    answers.expected("values")                       # observations of the reference
    answers.misconception("no_bias_correction", "values")
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar

from .exercise import Exercise, Group, Probe
from .observe import Behaviour, Observation, Plan, draw, first_steps, here, observe
from .verdict import Diagnosis, GroupVerdict

Helpers = Mapping[str, Callable[..., Any]]


Value = TypeVar("Value")


class Recent(Generic[Value]):
    """What was found not long ago, by a key that stands for what it was found from. Without a key nothing is kept."""

    def __init__(self, most: int = 256):
        self.most = most
        self._found = OrderedDict[bytes, Value]()

    def get(self, key: bytes, find: Callable[[], Value]) -> Value:
        if key not in self._found:
            found = find()
            if not key:
                return found
            self._found[key] = found
            if len(self._found) > self.most:
                self._found.popitem(last=False)
        self._found.move_to_end(key)
        return self._found[key]


class Answers(Protocol):
    """What judging needs to know beside the exercise. Recorded answers give the same verdicts as live ones."""

    exercise: Exercise
    seed: int
    helpers: Helpers
    verdicts: Recent[tuple[GroupVerdict, bool]]  # on a group that did this
    diagnoses: Recent[Diagnosis | None]  # of an answer whose groups did this

    def probes(self, group: Group) -> Sequence[Probe]: ...
    def plan(self, group: Group) -> Plan: ...
    def expected(self, group: Group) -> Sequence[Observation]: ...
    def misconception(self, name: str, group: Group) -> Sequence[Observation]: ...
    def glance(
        self, name: str, group: Group, probe: int, steps: int, *, conduct: bool = False
    ) -> Sequence[Observation]: ...
    def twice(self, name: str, group: Group) -> Sequence[Observation]: ...


class Drawn:
    """The probes of an exercise for a seed, and what is kept beside them for a class that is asked the same."""

    def __init__(self, exercise: Exercise, seed: int):
        self.exercise, self.seed = exercise, seed
        self.verdicts = Recent[tuple[GroupVerdict, bool]]()
        self.diagnoses = Recent[Diagnosis | None]()
        self._probes: dict[str, Sequence[Probe]] = {}
        self._plans: dict[str, Plan] = {}

    def probes(self, group: Group) -> Sequence[Probe]:
        if group.name not in self._probes:
            self._probes[group.name] = draw(self.exercise, group, self.seed)
        return self._probes[group.name]

    def plan(self, group: Group) -> Plan:
        if group.name not in self._plans:
            self._plans[group.name] = Plan(self.exercise, self.probes(group))
        return self._plans[group.name]


class LiveAnswers(Drawn):
    """Asks the reference and the misconceptions themselves, each at most once a group."""

    def __init__(self, exercise: Exercise, helpers: Helpers, seed: int):
        super().__init__(exercise, seed)
        self.helpers = helpers
        self._seen: dict[tuple[str, str], Sequence[Observation]] = {}
        self._glanced: dict[tuple[str, str, int, int, bool], Sequence[Observation]] = {}

    def expected(self, group: Group) -> Sequence[Observation]:
        return self.ask("", self.exercise.plain, group)

    def misconception(self, name: str, group: Group) -> Sequence[Observation]:
        return self.ask(name, self.wrong(name), group)

    def glance(
        self, name: str, group: Group, probe: int, steps: int, *, conduct: bool = False
    ) -> Sequence[Observation]:
        """What comes of one probe, in its first steps, once: enough to rule nearly all misconceptions out.

        Whether an input was changed or shared is looked at only for `conduct`: that costs more than most calls. What
        depends on the calls before is asked everything.
        """
        if (name, group.name) in self._seen or getattr(self.listed(name), "fresh", False):
            return [o for o in self.misconception(name, group) if o.probe == probe and not o.again][:steps]
        key = (name, group.name, probe, steps, conduct)
        if key not in self._glanced:
            asked = here(self.exercise, self.wrong(name), self.helpers, conduct=conduct)
            seen = observe(self.exercise, [first_steps(self.probes(group)[probe], steps)], asked, twice=False)
            self._glanced[key] = [replace(o, probe=probe) for o in seen[:steps]]
        return self._glanced[key]

    def twice(self, name: str, group: Group) -> Sequence[Observation]:
        """What comes of the first probe, and of the same again."""
        if (name, group.name) in self._seen or getattr(self.listed(name), "fresh", False):
            return [o for o in self.misconception(name, group) if o.probe == 0]
        asked = here(self.exercise, self.wrong(name), self.helpers, conduct=False)
        return observe(self.exercise, self.probes(group)[:1], asked)

    def listed(self, name: str) -> Any:
        return next(m.wrong for m in self.exercise.misconceptions if m.name == name)

    def wrong(self, name: str) -> Any:
        wrong = self.listed(name)
        return wrong() if getattr(wrong, "fresh", False) else wrong

    def ask(self, name: str, function: Any, group: Group) -> Sequence[Observation]:
        key = (name, group.name)
        if key not in self._seen:
            self._seen[key] = observe(self.exercise, self.probes(group), here(self.exercise, function, self.helpers))
        return self._seen[key]


class RecordedAnswers(Drawn):
    """Answers read from a recording: the judge needs neither the reference nor the misconceptions to run.

    `record(answers)` gives a plain tree of arrays and scalars that the wire can write; `RecordedAnswers(exercise,
    tree)` reads it. Probes are drawn again from the seed. With the `helpers` that the probes name, a diagnosis has all
    that it has with live answers.
    """

    def __init__(self, exercise: Exercise, recording: Mapping[str, Any], helpers: Helpers | None = None):
        if recording["exercise"] != exercise.name:
            raise ValueError(f"This recording answers {recording['exercise']!r}; expected {exercise.name!r}.")
        super().__init__(exercise, int(recording["seed"]))
        self.recording, self.helpers = recording, {} if helpers is None else helpers

    def expected(self, group: Group) -> Sequence[Observation]:
        return self.misconception("", group)

    def misconception(self, name: str, group: Group) -> Sequence[Observation]:
        return [unpack(item) for item in self.recording["seen"][name][group.name]]

    def glance(
        self, name: str, group: Group, probe: int, steps: int, *, conduct: bool = False
    ) -> Sequence[Observation]:
        mine = (x for x in self.recording["seen"][name][group.name] if x["probe"] == probe and not x["again"])
        return [unpack(item) for item in islice(mine, steps)]

    def twice(self, name: str, group: Group) -> Sequence[Observation]:
        return [unpack(item) for item in self.recording["seen"][name][group.name] if item["probe"] == 0]


def record(answers: Answers) -> dict[str, Any]:
    """Everything the answers know about every group, as a plain tree."""
    exercise = answers.exercise
    seen: dict[str, Any] = {"": {group.name: [pack(o) for o in answers.expected(group)] for group in exercise.groups}}
    for misconception in exercise.misconceptions:
        name = misconception.name
        seen[name] = {g.name: [pack(o) for o in answers.misconception(name, g)] for g in exercise.groups}
    return {"exercise": exercise.name, "seed": answers.seed, "seen": seen}


BEHAVIOUR = ("value", "error", "kinds", "message", "mutated", "aliased", "reused", "warnings", "printed")


def pack(observation: Observation) -> dict[str, Any]:
    behaviour = {name: getattr(observation.behaviour, name) for name in BEHAVIOUR}
    return {"probe": observation.probe, "label": observation.label, "again": observation.again, "behaviour": behaviour}


def unpack(item: Mapping[str, Any]) -> Observation:
    behaviour = Behaviour.claimed({**item["behaviour"], "frames": []})
    return Observation(item["probe"], item["label"], behaviour, again=item["again"])
