"""Running probes: whatever answers requests is asked what the probe asks, and what it did is written down.

The same code asks the student's worker, the reference and every misconception, so their observations line up one to
one and "is this the same mistake?" is a comparison of lists.

    observations = observe(exercise, probes, worker.request)         # one request after another
    observations = Plan(exercise, probes).observations(replies)      # or all at once, to which these were the replies
"""

from __future__ import annotations

import builtins
import inspect
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from itertools import islice
from typing import Any

import numpy as np

from .exercise import Call, Exercise, Group, Made, Probe, Property, Script, Steps
from .inside.perform import Performer, filled_in, mapped
from .inside.values import Earlier, Handle, Helper, Need, Seed
from .inside.wire import Frame, Tampered, WireError, packed
from .spelling import spelt

Ask = Callable[[dict[str, Any]], dict[str, Any]]
"""One request, one reply. Raises `Broken` when no reply can come any more."""


class Broken(Exception):
    """The worker gave no reply: `outcome` is timeout, died, tampered or infrastructure, the message says why."""

    killed = False  # by a signal that nothing withstands: perhaps from outside, and once that is no evidence

    def __init__(self, outcome: str, message: str):
        super().__init__(message)
        self.outcome = outcome


class Malformed(Exception):
    """A reply that does not have the form of a behaviour: nobody who keeps to the protocol sends it."""


@dataclass(frozen=True)
class Behaviour:
    """What one call did, as claimed by the side that made it."""

    value: Any = None
    error: str | None = None
    kinds: tuple[str, ...] = ()
    message: str = ""
    frames: tuple[dict[str, Any], ...] = ()
    mutated: tuple[str, ...] = ()
    aliased: tuple[str, ...] = ()
    reused: bool = False
    warnings: tuple[tuple[str, str], ...] = ()
    printed: str = ""
    seconds: float = 0.0

    @classmethod
    def claimed(cls, reply: Mapping[str, Any]) -> Behaviour:
        """A behaviour from a reply, every field checked: the reply comes from the untrusted side."""
        reply = NOTHING | dict(reply)
        try:
            behaviour = cls(
                value=reply["value"],
                error=None if reply["error"] is None else known_kind([reply["error"], *first(reply["kinds"], 8)]),
                kinds=tuple(words(kind, 80) for kind in first(reply["kinds"], 8)),
                message=own_name(reply) + words(reply["message"], 400),
                frames=tuple(frame(item) for item in first(reply["frames"], 8)),
                mutated=tuple(words(path, 200) for path in first(reply["mutated"], 50)),
                aliased=tuple(words(path, 200) for path in first(reply["aliased"], 50)),
                reused=reply["reused"] is True,
                warnings=tuple(
                    (known_kind([kind, "Warning"]), words(text, 400)) for kind, text in first(reply["warnings"], 20)
                ),
                printed=words(reply["printed"], 4000),
                seconds=reply["seconds"] if type(reply["seconds"]) is float else 0.0,
            )
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise Malformed(f"a reply without the form of a behaviour ({error})") from error
        return behaviour


NOTHING = {"error": None, "kinds": (), "message": "", "frames": (),
           "mutated": (), "aliased": (), "reused": False, "warnings": (), "printed": "", "seconds": 0.0}  # fmt: skip


def claims(frame: Frame) -> dict[str, Any]:
    """What a worker's reply says."""
    try:
        reply = frame.tree
    except Tampered as error:
        raise Malformed(str(error)) from error
    if type(reply) is not dict:
        raise Malformed("a reply that is no dict")
    return reply


def words(text: Any, cap: int) -> str:
    if type(text) is not str:
        raise TypeError(f"expected text, got {type(text).__name__}")
    return text[:cap].encode("utf-8", "replace").decode("utf-8")  # half a surrogate pair could not be written down


def first(claim: Any, most: int) -> Sequence[Any]:
    """The first items of a list. Unpacked, an array becomes forty times as large."""
    if type(claim) not in (list, tuple):
        raise TypeError(f"expected a list, got {type(claim).__name__}")
    return claim[:most]


def text_of(claim: Any, cap: int) -> str:
    """A claimed text; of anything else only its type: what an array looks like may take hours to write."""
    return spelt(claim[:cap] if type(claim) is str else type(claim).__name__)


KNOWN = {name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, BaseException)}
KNOWN |= {"AxisError", "ComplexWarning", "LinAlgError", "UFuncTypeError", "VisibleDeprecationWarning", "Unsendable"}


def known_kind(names: Sequence[Any]) -> str:
    """The first name that everybody knows: a class of the submission's own may be called anything, even an input."""
    return next((name for name in names if type(name) is str and name in KNOWN), "Exception")


def own_name(reply: Mapping[str, Any]) -> str:
    """How the submission calls its own kind of exception; part of the message, which is for home only."""
    error = reply["error"]
    return "" if error is None or error in KNOWN else f"{words(error, 80)}: "


def frame(item: Any) -> dict[str, Any]:
    arguments = {words(key, 80): words(value, 400) for key, value in islice(item["arguments"].items(), 20)}
    if type(item["line"]) is not int:
        raise TypeError("expected a line number")
    return {"file": words(item["file"], 80), "line": item["line"], "function": words(item["function"], 80),
            "source": words(item["source"], 200), "arguments": arguments}  # fmt: skip


@dataclass(frozen=True)
class Observation:
    """One behaviour with its place: which probe, which label within it ("step 3"), which arguments."""

    probe: int
    label: str
    behaviour: Behaviour
    arguments: Mapping[str, Any] = field(default_factory=dict)
    again: bool = False


def draw(exercise: Exercise, group: Group, seed: int) -> Sequence[Probe]:
    """The group's probes for a seed: the same on every machine and whichever other groups are run."""
    key = [zlib.crc32(exercise.name.encode()), zlib.crc32(group.name.encode())]
    return list(group.probes(np.random.default_rng([seed, *key])))


@cache
def parameters(function: Any) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(function).parameters


class Caller:
    """Turns arguments by name into requests, and replies into behaviours."""

    def __init__(self, exercise: Exercise, ask: Ask):
        self.exercise, self.ask = exercise, ask
        plain = exercise.plain
        self.parameters = parameters(plain)
        self.method_names = {
            name: [p for p in parameters(method) if p != "self"]
            for name, method in vars(plain).items()
            if inspect.isfunction(method)
        } if isinstance(plain, type) else {}  # fmt: skip

    def positional(self, arguments: Mapping[str, Any]) -> tuple[list[Any], list[str], dict[str, Any]]:
        """Leading arguments go by position, so that a renamed parameter is no error; the rest by name."""
        args: list[Any] = []
        names: list[str] = []
        taken: set[str] = set()
        for name, parameter in self.parameters.items():
            if name in arguments and parameter.kind is parameter.VAR_POSITIONAL:  # `*trees` is given as one tuple
                args += arguments[name]
                names += [f"{name}[{i}]" for i in range(len(arguments[name]))]
                taken.add(name)
            if name not in arguments or parameter.kind is not parameter.POSITIONAL_OR_KEYWORD:
                break
            args.append(arguments[name])
            names.append(name)
            taken.add(name)
        unknown = [name for name in arguments if name not in self.parameters]
        if unknown and not any(p.kind is p.VAR_KEYWORD for p in self.parameters.values()):
            raise TypeError(f"{self.exercise.name}: probe gives {unknown}, parameters are {list(self.parameters)}")
        return args, names, {name: value for name, value in arguments.items() if name not in taken}

    def by_name(self, arguments: Mapping[str, Any]) -> Behaviour:
        args, names, kwargs = self.positional(arguments)
        return self.request({"target": self.exercise.name, "args": args, "kwargs": kwargs, "names": names})

    def request(self, request: dict[str, Any]) -> Behaviour:
        return Behaviour.claimed(self.ask({"op": "call", **request}))

    def items(self, behaviour: Behaviour, count: int) -> Sequence[Any] | None:
        """What a call handed on: one value, or a list or tuple of so many; None if it did not."""
        handed = (behaviour.value,) if count == 1 else behaviour.value
        good = not behaviour.error and type(handed) in (tuple, list) and len(handed) == count
        return handed if good else None

    def made(self, behaviour: Behaviour) -> Any:
        """The object or function that a call returned; None if it returned none."""
        return behaviour.value if not behaviour.error and isinstance(behaviour.value, Handle) else None

    def handle(self, handle: Any, args: Sequence[Any]) -> Behaviour:
        return self.request({"target": handle, "args": list(args), "kwargs": {}, "names": []})

    def method(self, handle: Handle, name: str, args: Sequence[Any] | None) -> Behaviour:
        request = {
            "target": (handle, name),
            "args": list(args or ()),
            "kwargs": {},
            "names": self.method_names.get(name, []),
        }
        return self.request(request | ({"read": True} if args is None else {}))


# ------------------------------------------------------------------------------------------------- kinds of probe
Seen = Iterator[tuple[str, Behaviour, Mapping[str, Any]]]


def run_call(probe: Call, caller: Caller) -> Seen:
    made = caller.by_name(probe.arguments)
    yield "", made, probe.arguments
    function = caller.made(made) if probe.afterwards else None
    for args in probe.afterwards if function is not None else ():
        shown = ", ".join(short(arg) for arg in args)
        yield f"the function it returns, at ({shown})", caller.handle(function, args), {"then": args}


def run_steps(probe: Steps, caller: Caller) -> Seen:
    carry = dict(probe.carry)
    for number, fed in enumerate(probe.feed, start=1):
        arguments = {**carry, **fed, **probe.constants}
        behaviour = caller.by_name(arguments)
        yield f"step {number}", behaviour, arguments
        handed = caller.items(behaviour, len(carry))
        if handed is None:
            return
        carry = dict(zip(carry, handed, strict=True))


def first_steps(probe: Probe, steps: int) -> Probe:
    """A probe cut after so many observations, if it is made of several."""
    if isinstance(probe, Steps):
        return replace(probe, feed=probe.feed[:steps])
    if isinstance(probe, Script):
        return replace(probe, calls=probe.calls[: max(0, steps - 1 - probe.others)])
    return Call(**probe.arguments).then(*probe.afterwards[: steps - 1]) if isinstance(probe, Call) else probe


def run_script(probe: Script, caller: Caller) -> Seen:
    objects: dict[str, Any] = {}
    for number in range(1, probe.others + 2):
        made = caller.by_name(probe.new)
        yield "constructing" + (f" object {number}" if probe.others else ""), made, probe.new
        objects[str(number)] = caller.made(made)
        if objects[str(number)] is None:
            return
    objects[""] = objects[probe.name] = objects["1"]
    for call, args in probe.calls:
        keep, target, method = called(call)
        given = None if args is None else with_objects(args, objects)
        if method == caller.exercise.name:
            behaviour = caller.request({"target": method, "args": list(given or ()), "kwargs": {}, "names": []})
        else:
            behaviour = caller.method(objects[target], method, given)
        yield said(call, args), behaviour, {"call": call, "arguments": args}
        if keep:
            objects[keep] = caller.made(behaviour)
            if objects[keep] is None:
                return


def called(call: str) -> tuple[str, str, str]:
    """ "y = x.exp" as ("y", "x", "exp"), "update" as ("", "", "update")."""
    keep, _, path = call.rpartition(" = ")
    target, _, method = path.rpartition(".")
    return keep, target, method


def said(call: str, args: Sequence[Any] | None) -> str:
    return call if args is None else f"{call}({', '.join(short(arg) for arg in args)})"


def with_objects(tree: Any, objects: Mapping[str, Any]) -> Any:
    """The arguments with objects in the place of their names."""
    return mapped(tree, lambda leaf: objects[leaf.name] if isinstance(leaf, Made) else leaf)


def run_property(probe: Property, caller: Caller) -> Seen:
    for number in range(probe.times):
        label = f"call {number + 1}" if probe.times > 1 else ""
        arguments = reseeded(dict(probe.call.arguments), number)
        yield label, caller.by_name(arguments), arguments


def reseeded(tree: Any, later: int) -> Any:
    """The arguments of a later call: each of its generators has a seed of its own."""
    return mapped(tree, lambda leaf: Seed(leaf.seed + later) if isinstance(leaf, Seed) else leaf)


RUN: dict[type, Callable[[Any, Caller], Seen]] = {
    Call: run_call,
    Steps: run_steps,
    Script: run_script,
    Property: run_property,
}


def observe(exercise: Exercise, probes: Sequence[Probe], ask: Ask, *, twice: bool = True) -> list[Observation]:
    """What the answering side did on every probe and, if `twice`, on the first one again (the same answer twice)."""
    caller = Caller(exercise, ask)
    return [
        Observation(index, label, behaviour, arguments, again)
        for index, again in rounds(exercise, probes, twice)
        for label, behaviour, arguments in labelled(probes[index], again, caller)
    ]


def rounds(exercise: Exercise, probes: Sequence[Probe], twice: bool) -> list[tuple[int, bool]]:
    """The probes by number, and at the end the first one again."""
    again = twice and exercise.pure and probes and not isinstance(probes[0], Script)
    return [(index, False) for index in range(len(probes))] + [(0, True)] * bool(again)


def labelled(probe: Probe, again: bool, caller: Caller) -> Seen:
    for label, behaviour, arguments in RUN[type(probe)](probe, caller):
        yield f"{label} (the same call again)".strip() if again else label, behaviour, arguments


# ------------------------------------------------------------------------------------------------- all of it at once
class Planner(Caller):
    """Writes requests down instead of making them. What a call will come to is known by its number alone."""

    def __init__(self, exercise: Exercise):
        super().__init__(exercise, lambda request: {})
        self.requests: list[dict[str, Any]] = []
        self.needs: list[Need] = []

    def request(self, request: dict[str, Any]) -> Behaviour:
        number = len(self.requests)
        self.requests.append({**request, "number": number, "needs": list(self.needs)})
        return Behaviour(Earlier(number))

    def items(self, behaviour: Behaviour, count: int) -> Sequence[Any] | None:
        number = behaviour.value.call
        self.needs.append(Need(number, count))
        return [Earlier(number)] if count == 1 else [Earlier(number, item, count) for item in range(count)]

    def made(self, behaviour: Behaviour) -> Any:
        self.needs.append(Need(behaviour.value.call, 0))
        return behaviour.value


class Plan:
    """All requests of a group at once. Whoever makes the calls fills in what earlier ones came to.

    A class is asked the same, so that a plan is made once and sent many times.
    """

    def __init__(self, exercise: Exercise, probes: Sequence[Probe], *, twice: bool = True):
        planner = Planner(exercise)
        self.places: list[tuple[int, str, Mapping[str, Any], bool]] = []
        for index, again in rounds(exercise, probes, twice):
            planner.needs.clear()
            for label, _, arguments in labelled(probes[index], again, planner):
                self.places.append((index, label, arguments, again))
        self.requests = planner.requests

    @cached_property
    def messages(self) -> list[tuple[list[Any], int]]:
        """As they are sent, each with the number of replies to it: one message, or more if that is too large."""
        return list(messages(self.requests))

    def observations(self, replies: Iterator[dict[str, Any]]) -> list[Observation]:
        """What the replies say. Behind a call that came to nothing that could be handed on they say nothing."""
        seen: list[Observation] = []
        values: dict[int, Any] = {}
        for request, (probe, label, arguments, again), reply in zip(self.requests, self.places, replies, strict=True):
            if all(need.met(values) for need in request["needs"]):
                behaviour = Behaviour.claimed(reply)
                seen.append(Observation(probe, label, behaviour, filled_in(dict(arguments), values), again))
                if behaviour.error is None:
                    values[request["number"]] = behaviour.value
        return seen


def messages(calls: list[dict[str, Any]]) -> Iterator[tuple[list[Any], int]]:
    try:
        yield packed({"op": "calls", "calls": calls}), len(calls)
    except WireError:
        if len(calls) == 1:
            raise
        yield from messages(calls[: len(calls) // 2])
        yield from messages(calls[len(calls) // 2 :])


def here(
    exercise: Exercise,
    function: Any,
    helpers: Mapping[str, Callable[..., Any]],
    *,
    conduct: bool = True,
    timed: bool = False,
) -> Ask:
    """Ask a function of this process: the reference, a misconception, a variant."""
    names = {exercise.name: function}
    return Performer(helpers, names, stop=(KeyboardInterrupt,), conduct=conduct, timed=timed).handle


def short(value: Any) -> str:
    """An argument in a few characters."""
    if isinstance(value, np.ndarray) and value.ndim:
        return f"array {value.shape}"
    if isinstance(value, float | np.ndarray):
        return f"{float(value):.6g}"
    if isinstance(value, Helper):
        return value.name
    return repr(value)[:60]
