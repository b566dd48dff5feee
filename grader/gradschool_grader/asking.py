"""What is found at home by asking a wrong answer more than the probes ask: in a graded run it is asked nothing beyond.

asked_more(exercise, verdict, seen, ask, helpers, text, apart)
# "`m - 1`, in `var = total / (m - 1)`, comes to 3. If it came to 4, all that is wrong would come out right."
# "What stands in `x` at one index of axis 2 changes your answer at others, which it should not: ..."
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

import numpy as np

from .blame import culprit
from .compare import compare
from .diagnosis import Seen, is_reason
from .diagnosis.seen import Pair, at_fault, failed_probe, failed_steps
from .diagnosis.trial import at
from .diagnosis.words import PLACES
from .exercise import Call, Exercise
from .inside.perform import leaves
from .judge import Unexplained
from .observe import Ask, Behaviour, Broken, Malformed, here, observe
from .verdict import Verdict

NUMBERS = ("value", "nonfinite")  # kinds of difference whose answer has the right form
MOVED = ("another_order", "transpose", "axes")  # right numbers in other places, whose axes say nothing
OUTLIVES = "Which line changes something that is still there at the next call?"
BECOMES = {2.0: "doubles", 4.0: "becomes four times as large", 1.0: "does not change", 0.5: "becomes half as large"}
MOST = 4  # arguments that are changed, and axes of each
NEAR = 1e-5  # of the largest number: what is nearer has not changed


def asked_more(
    exercise: Exercise,
    verdict: Verdict,
    seen: Sequence[Seen],
    ask: Ask,
    helpers: Mapping[str, Callable[..., Any]],
    text: Callable[[], str],
    apart: Ask,
) -> Verdict:
    """The verdict with what more is found out, unless the mistake is a known one. `text()` is that of the answer, and
    `apart` is asked where names may be defined anew. What breaks here costs no verdict."""
    s, found = next((s for s in seen if s.difference), None), verdict.diagnosis
    if s is None or found is None or found.kind == "misconception" or found.name in MOVED or not s.got:
        return verdict
    explains, scaled = is_reason(found) and found.kind not in PLACES, "factor" in found.name
    try:
        outlives = alone(exercise, s, ask)
        to_blame = None if outlives else culprit(exercise, seen, text(), apart, helpers, scaled=scaled)
        doubles, of_terms = ("", "") if outlives or explains else doubled(exercise, s, ask, helpers)
        blame, of_it = (to_blame.text, to_blame.hint) if to_blame else ("", "")
        more = " ".join(filter(None, [outlives, blame, doubles])) or reach(exercise, s, ask, helpers)
    except (Broken, Malformed):
        raise
    except Exception as error:
        warnings.warn(Unexplained(f"Asking `{exercise.name}` more failed: {error!r}"), stacklevel=2)
        return verdict
    hint = OUTLIVES if outlives else found.hint if explains else of_it or of_terms or found.hint
    before = "" if to_blame and found.detail.startswith("As if ") else found.detail  # of another's text, not of this
    detail = f"{before} {more}".strip()
    return replace(verdict, diagnosis=replace(found, detail=detail, hint=hint)) if more else verdict


def alone(exercise: Exercise, s: Seen, ask: Ask) -> str:
    """Whether a function that was returned is right when it is made anew and asked for this alone."""
    probe, steps = s.probes[failed_probe(s)], failed_steps(s)
    if not isinstance(probe, Call) or len(steps) < 3 or "then" not in steps[-1].arguments or s.difference is None:
        return ""
    again = observe(exercise, [Call(**probe.arguments).then(steps[-1].arguments["then"])], ask, twice=False)
    expected = s.expected[s.difference.index].behaviour
    if len(again) < 2 or compare(exercise, s.group, expected, again[1].behaviour):
        return ""
    return "Made anew and asked for this alone, it is right: it remembers what it was asked before."


@dataclass(frozen=True)
class Twice:
    """The call that went wrong, an array of its answer, and on both sides what came of it and who is asked again."""

    exercise: Exercise
    call: Call
    pair: Pair
    sides: Sequence[tuple[Behaviour, Ask]]

    def again(self, name: str, x: Any) -> Iterator[tuple[Any, Any]]:
        """The answer, and what it is with another argument: yours, and the right one; None where there is none."""
        other = Call(**{**self.call.arguments, name: x})
        for before, ask in self.sides:
            after = observe(self.exercise, [other], ask, twice=False)[0].behaviour
            one, two = (None if b.error else at(b.value, self.pair.leaf) for b in (before, after))
            yield one, two


def both_sides(exercise: Exercise, s: Seen, ask: Ask, helpers: Mapping[str, Callable[..., Any]]) -> Twice | None:
    """Of a call that returned wrong numbers in the right form, and no function; else None."""
    probe, wrong = s.probes[failed_probe(s)], at_fault(exercise, s)
    if s.difference is None or s.difference.kind not in NUMBERS or not wrong:
        return None
    if not isinstance(probe, Call) or probe.afterwards:
        return None
    right, index = here(exercise, exercise.plain, helpers), s.difference.index
    return Twice(exercise, probe, wrong[0], [(s.got[index].behaviour, ask), (s.expected[index].behaviour, right)])


def reach(exercise: Exercise, s: Seen, ask: Ask, helpers: Mapping[str, Callable[..., Any]]) -> str:
    """Along which axes the answer at one index goes by an argument at others: here and in the right computation."""
    both = both_sides(exercise, s, ask, helpers)
    if both is None or both.pair.e.shape != both.pair.a.shape or not both.pair.e.ndim:
        return ""
    given = both.call.arguments
    alike = [(name, x) for name, x in given.items() if is_like(x, both.pair.e)]
    chosen = any(path.endswith("['axis']") for path, _ in leaves(dict(given)))
    found: list[str] = []
    for name, x in alike[:MOST]:
        for axis in range(min(x.ndim, MOST)):
            if x.shape[axis] > 1:
                mine, right = (others_change(*two, axis) for two in both.again(name, changed_at_first(x, axis)))
                found += words(name, axis_of(exercise, name, x, axis, chosen), mine, right)
    return " ".join(found[:2])


def doubled(exercise: Exercise, s: Seen, ask: Ask, helpers: Mapping[str, Callable[..., Any]]) -> tuple[str, str]:
    """An argument with which the right answer doubles (or quadruples, or does not change), and this one does not; and
    what to ask then."""
    both = both_sides(exercise, s, ask, helpers)
    for name, x in list(both.call.arguments.items())[:MOST] if both else ():
        if both and ((is_numbers(x) and x.dtype.kind == "f") or type(x) is float):
            mine, right = (times(*two) for two in both.again(name, 2 * x))
            if right in BECOMES and mine != right:
                text = f"With twice the `{name}` the right answer {BECOMES[right]}; yours does not."
                return text, f"Does every term have `{name}` in it as often as it should?"
    return "", ""


def times(one: Any, two: Any) -> float | None:
    """How many times the one the other is; None if it is no such multiple in every entry."""
    if np.shape(one) != np.shape(two) or not (is_value(one) and is_value(two)):
        return None
    a, b = np.asarray(one, float), np.asarray(two, float)
    top = np.abs(a).max(initial=0.0)
    return next((k for k in BECOMES if top and (np.abs(b - k * a) <= NEAR * top).all()), None)


def is_value(x: Any) -> bool:
    return type(x) is float or is_numbers(x)


def is_like(x: Any, e: np.ndarray) -> bool:
    return isinstance(x, np.ndarray) and x.dtype.kind == "f" and x.shape == e.shape


def changed_at_first(x: np.ndarray, axis: int) -> np.ndarray:
    """The array with other numbers at the first index along the axis."""
    moved, first = x.copy(), (slice(None),) * axis + (0,)
    moved[first] += np.random.default_rng(0).uniform(0.5, 1.5, size=moved[first].shape) * max(float(np.ptp(x)), 1e-3)
    return moved


def others_change(one: Any, other: Any, axis: int) -> bool | None:
    """Whether the answer changes at other indices along the axis; None if it has no numbers of that shape."""
    if not (is_numbers(one) and is_numbers(other)) or one.shape != other.shape:
        return None
    beyond = (slice(None),) * axis + (slice(1, None),)
    with np.errstate(all="ignore"):
        gap = np.abs(other[beyond] - one[beyond])
        return bool((gap > NEAR * np.nanmax(np.abs(one), initial=0.0)).any())


def is_numbers(x: Any) -> TypeGuard[np.ndarray]:
    return isinstance(x, np.ndarray) and x.dtype.kind in "fiu"


def axis_of(exercise: Exercise, name: str, x: np.ndarray, axis: int, chosen: bool) -> str:
    """What it is called, unless the call says which axis is which."""
    labels = exercise.axes.get(name, ())
    return f"the axis `{labels[axis]}`" if len(labels) == x.ndim and not chosen else f"axis {axis}"


def words(name: str, axis: str, mine: bool | None, right: bool | None) -> list[str]:
    if mine is None or right is None or mine is right:
        return []
    if mine:
        return [
            f"What stands in `{name}` at one index of {axis} changes your answer at others, which it should not: "
            f"something of yours runs along {axis}."
        ]
    return [
        f"What stands in `{name}` at one index of {axis} should change the answer at others, and does not change yours."
    ]
