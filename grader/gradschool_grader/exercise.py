"""An exercise is one object: what to write, how it is probed, what is known to go wrong, what is known to be right.

    square = Exercise(
        reference=square,                        # its signature makes the stub, its source is the solution
        chapter="ch01", difficulty=1, minutes=5,
        task="Return the square of every entry of `x (N,)`.", example="square(np.array([1., -2., 3.]))  # [1. 4. 9.]",
        groups=[Group("values", 2, lambda rng: [Call(x=rng.normal(size=7))])],
        misconceptions=[Misconception("doubled", lambda x: 2 * x, "What is the square of 3?")],
        variants=[Variant("power", lambda x: x**2)],
    )

Nothing here knows the course or its subject.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from .inside.values import Handle, Helper, Seed

__all__ = [
    "Call", "Exercise", "Group", "Handle", "Helper", "Hint", "Made", "Misconception", "Property", "Refusal", "Script",
    "Seed", "Steps", "Tolerance", "Variant",
]  # fmt: skip


# ------------------------------------------------------------------------------------------------------- tolerance
@dataclass(frozen=True)
class Tolerance:
    """|a - e| <= atol + rtol * scale, where scale is |e| entry by entry, or the largest |e| of the array.

    An expected float32 array is held to (`rtol32`, `atol32`) instead. Closed forms keep the default, gradient
    checks take 1e-6, statistics 1e-2.
    """

    rtol: float = 1e-9
    atol: float = 1e-12
    per: Literal["entry", "array"] = "array"
    rtol32: float = 2e-5
    atol32: float = 1e-7


# ---------------------------------------------------------------------------------------------------------- probes
class Call:
    """One call that must behave as the reference does: same value, or same kind of exception.

    Arguments are given by the reference's parameter names: `Call(Y=..., T=..., reduction="none")`. They are trees
    of arrays and plain scalars, `Seed(7)` where a generator is wanted, `Helper(name, parameters)` where a function
    is. If the answer is a function, `.then((0,), (1,))` calls it with each tuple and compares those answers too.
    """

    def __init__(self, **arguments: Any):
        self.arguments: dict[str, Any] = arguments
        self.afterwards: tuple[tuple[Any, ...], ...] = ()

    def then(self, *argument_tuples: tuple[Any, ...]) -> Call:
        self.afterwards = argument_tuples
        return self


@dataclass
class Steps:
    """A sequence: what a step returns is what the next step receives, on the student's own values.

    `carry` names the parameters that are handed on, in the order in which the function returns them, with their
    values before the first step; `feed` has one dict of further arguments for each step; `constants` go into all.

        Steps(carry={"params": p, "state": s}, feed=[{"grads": g1}, {"grads": g2}, {"grads": g3}],
              constants={"lr": 0.1})
    """

    carry: Mapping[str, Any]
    feed: Sequence[Mapping[str, Any]]
    constants: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Script:
    """A small life of one object: construct it, call its methods, read its attributes; all answers are compared.

        Script(new={"decay": 0.9}, calls=[("update", (3.0, 4)), ("value", ()), ("count", None)])

    A call is (method, positional arguments); with None in place of the arguments the attribute is read.
    Two objects show shared state: `others=1` constructs a second one first, which must not be disturbed;
    method "2.update" then calls the second object.

    Where objects make objects, they get names: `name` is that of the first, "y = x.exp" keeps what `exp` returns as
    y, "w = Tensor" constructs another w. `Made("y")` among the arguments stands for y.

        Script(new={"data": x}, name="x",
               calls=[("w = Tensor", (w,)), ("y = x.__mul__", (Made("w"),)), ("y.data", None)])
    """

    new: Mapping[str, Any] = field(default_factory=dict)
    calls: Sequence[tuple[str, tuple[Any, ...] | None]] = ()
    others: int = 0
    name: str = ""


@dataclass(frozen=True)
class Made:
    """Among the arguments of a Script's call: the object that the script keeps under this name."""

    name: str

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Refusal:
    """Why an answer does not have a property: one sentence for everybody, and another one for home.

    A graded run says `words`: they hold no number but what is the same whatever was drawn ("twice as large as it should
    be"). The numbers that were found stand in `measured`. Mistakes with the same words may differ in what they are
    `about`, which is never shown: a known mistake is named where an answer is refused for the same in the same words.
    """

    words: str
    measured: str = field(default="", compare=False)
    about: str = ""


@dataclass
class Property:
    """A statement about an answer, for functions whose right answers differ (dropout, shuffles, initialisers).

    `call` is made `times` times (once, as a rule), each time with generators of the next seed; `holds(values)` gets
    the list of answers and returns None, or the sentence that tells the student what does not hold: a `Refusal` if
    numbers were measured. It runs on the judge's side. A plain function says what is true of every right answer;
    statistics take a `SixSigma`, whose rate of false alarms is known.
    """

    call: Call
    holds: Callable[[list[Any]], Refusal | str | None]
    times: int = 1


Probe = Call | Steps | Script | Property


@dataclass(frozen=True)
class Group:
    """Probes that earn their points together or not at all.

    `probes(rng)` draws them afresh; the same seed draws the same probes. Every group must by itself reject zeros,
    ones, the input echoed and the stub. `about` says in one sentence what a failure of this group means; it is
    shown to students, also in a graded run, so it names no value.
    """

    name: str
    points: float
    probes: Callable[[np.random.Generator], Sequence[Probe]]
    about: str = ""
    tolerance: Tolerance = Tolerance()
    forbid_warnings: bool = True
    exact_dtype: bool = False
    whole: bool = False  # what is an int in the reference's answer must be one, and no float with the same value
    types_matter: bool = False  # tuple and list are the same unless it matters


# ------------------------------------------------------------------------------------- what goes wrong, and what not
@dataclass(frozen=True)
class Misconception:
    """A known wrong answer that runs, with the question that leads its author to the mistake.

    `name` is a slug, `says` completes "Your answer behaves as if ..." in a few words, `hint` is a question that does
    not give the answer away, `see` is the chapter's heading where it is explained. `published` names where this very
    form is right ("Keras 3 and optax"), if it is: then it is called a convention, and not a mistake.
    """

    name: str
    wrong: Callable[..., Any] | type
    hint: str
    says: str = ""
    see: str = ""
    published: str = ""


@dataclass(frozen=True)
class Variant:
    """Another right way: loops, einsum, in place on copies, float32 input, an algebraically equal form."""

    name: str
    right: Callable[..., Any] | type


@dataclass(frozen=True)
class Hint:
    """A rung of the ladder: concept, where to look, a worked sibling, pseudo-code. `when` limits it to diagnoses."""

    text: str
    when: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exercise:
    """Everything about one exercise, and nothing about it anywhere else.

    reference      function or class; its signature makes the stub, its source with its helpers is the solution
    task           what to write: shapes and contract, in Markdown, without the formula that gives the answer away
    example        code with three numbers and its answer as a comment
    axes           axis labels of array arguments, {"Y": ("batch", "class")}, so that messages can say them
    returns        what the task calls the items of the tuple that it asks for, so that messages can
    pure           inputs must be unchanged and the same call must give the same answer twice
    may_alias      whether the answer may share memory with an argument
    not_bugs       phrases of the curriculum's bug list that are no bug here, each with its reason
    equivalent     mutations of the reference that no probe can tell from it, by the hash that the audit shows, each
                   with the reason why nothing that the task asks for depends on it
    forbidden      dotted names that the answer is to be written without ("numpy.sort"), beside those of the course
    allowed        dotted names that it may use all the same
    """

    reference: Callable[..., Any] | type
    chapter: str
    task: str
    example: str
    groups: Sequence[Group]
    misconceptions: Sequence[Misconception] = ()
    variants: Sequence[Variant] = ()
    hints: Sequence[Hint] = ()
    difficulty: int = 2
    minutes: int = 10
    axes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    returns: tuple[str, ...] = ()
    pure: bool = True
    may_alias: bool = False
    not_bugs: Mapping[str, str] = field(default_factory=dict)
    equivalent: Mapping[str, str] = field(default_factory=dict)
    forbidden: Sequence[str] = ()
    allowed: Sequence[str] = ()
    title: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.reference.__name__)

    @property
    def plain(self) -> Callable[..., Any] | type:
        """The undecorated reference: what is shown, signed, and called for expected answers."""
        return inspect.unwrap(self.reference)

    @property
    def signature(self) -> inspect.Signature:
        return inspect.signature(self.plain)

    @property
    def is_class(self) -> bool:
        return isinstance(self.plain, type)

    @property
    def points(self) -> float:
        return sum(group.points for group in self.groups)
