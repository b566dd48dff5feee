"""From a wrong answer to the mistake: a known misconception, else a structural reading, else where it first diverges.

A name is given only where it explains everything that was seen: a misconception must behave like the answer on every
group that failed, a structural reading must map expected to got in every entry of every differing array.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .answers import Answers
from .compare import Difference, agrees, compare_values
from .exercise import Exercise, Group, Misconception, Probe, Steps
from .inside.perform import argument, leaves
from .observe import Observation
from .verdict import Diagnosis

CLOSE = 1e-6


@dataclass(frozen=True)
class Seen:
    """What was seen of one group: its probes, what was expected, what came, and the first difference (None: passed)."""

    group: Group
    probes: Sequence[Probe]
    expected: Sequence[Observation]
    got: Sequence[Observation]
    difference: Difference | None


def diagnose(exercise: Exercise, seen: Sequence[Seen], answers: Answers) -> Diagnosis | None:
    """The first explanation that applies, or None if nothing failed. Calls that could not begin come last."""
    failed = [s for s in seen if s.difference]
    if not failed:
        return None
    began = [s for s in failed if not could_not_begin(s)]
    if not began:
        return Diagnosis("signature", "signature", signature_words(exercise))
    first = began[0]
    return known(exercise, seen, began, answers) or plain_words(first) or structure(exercise, began) or place(first)


def could_not_begin(s: Seen) -> bool:
    """A TypeError without a line of the submitted code in it: the parameters are not those that were asked for."""
    if s.difference is None or s.difference.kind != "raised":
        return False
    behaviour = s.got[s.difference.index].behaviour
    return behaviour.error == "TypeError" and not behaviour.frames


def signature_words(exercise: Exercise) -> str:
    empty = inspect.Signature.empty
    bare = [p.replace(annotation=empty) for p in exercise.signature.parameters.values()]
    wanted = f"{exercise.name}{inspect.Signature(bare)}"
    return f"The call could not begin: the parameters were changed. Expected `{wanted}`."


# ------------------------------------------------------------------------------------------------ known mistakes
def known(exercise: Exercise, seen: Sequence[Seen], failed: Sequence[Seen], answers: Answers) -> Diagnosis | None:
    """The misconception that behaves like the answer everywhere; or on all that failed; or one for each part."""

    def like(misconception: Misconception, s: Seen) -> bool:
        return agrees(exercise, s.group, s.probes, s.got, answers.misconception(misconception.name, s.group))

    passed = [s for s in seen if not s.difference]
    everywhere = [m for m in exercise.misconceptions if all(like(m, s) for s in failed)]
    exact = [m for m in everywhere if all(like(m, s) for s in passed)]
    if exact or everywhere:
        return named((exact or everywhere)[0])
    parts = [(s, next((m for m in exercise.misconceptions if like(m, s)), None)) for s in failed]
    explained = [(s.group.name, m) for s, m in parts if m]
    if not explained:
        return None
    group, first = explained[0]
    others = tuple(dict.fromkeys(m.name for _, m in explained if m is not first))
    return named(first, others, "" if len(explained) == len(failed) else group)


def named(m: Misconception, also: tuple[str, ...] = (), only_in: str = "") -> Diagnosis:
    says = m.says or m.name.replace("_", " ")
    where = f"In the part `{only_in}` your answer" if only_in else "Your answer"
    return Diagnosis("misconception", m.name, f"{where} behaves as if {says}.", m.hint, m.see, also)


# ------------------------------------------------------------------------------------------------------ no numbers
BEFORE_NUMBERS = {
    "none",
    "printed",
    "swapped",
    "keys",
    "accepted",
    "mutated",
    "aliased",
    "unstable",
    "warned",
    "property",
}


def plain_words(s: Seen) -> Diagnosis | None:
    d = s.difference
    if d and d.kind in BEFORE_NUMBERS:
        return Diagnosis(d.kind, d.kind, d.words)
    if d and d.kind == "raised":
        error = s.got[d.index].behaviour.error or "error"
        return Diagnosis("raised", error, d.words)
    return None


# ------------------------------------------------------------------------------------------------------- structure
@dataclass(frozen=True)
class Pair:
    """An expected array, what came in its place, and the arguments of that call."""

    path: str
    e: np.ndarray
    a: np.ndarray
    arguments: Mapping[str, Any]
    right: bool


def pairs(s: Seen) -> Iterator[Pair]:
    """All arrays of the answers, up to the first wrong step of each sequence (what follows inherits the error)."""
    stopped: set[int] = set()
    for e, a in zip(s.expected, s.got, strict=False):
        if e.again or e.probe in stopped or e.behaviour.error or a.behaviour.error:
            continue
        expected, got = dict(leaves(e.behaviour.value)), dict(leaves(a.behaviour.value))
        for path, value in expected.items():
            if not isinstance(value, np.ndarray | float | int) or not isinstance(
                got.get(path), np.ndarray | float | int
            ):
                continue
            right = compare_values(value, got[path], "", s.group) is None
            yield Pair(returned(path, s.probes[e.probe]), np.asarray(value), np.asarray(got[path]), a.arguments, right)
            if not right and isinstance(s.probes[e.probe], Steps):
                stopped.add(e.probe)


def returned(path: str, probe: Probe) -> str:
    """`[1]['m']` of a sequence's answer as `state['m']`, other parts as `item 1`."""
    place, bracket, rest = path[1:].partition("]")
    if not path or not place.isdigit():
        return path
    names = list(probe.carry) if isinstance(probe, Steps) else []
    return (names[int(place)] if int(place) < len(names) else f"item {place}") + rest if bracket else path


def structure(exercise: Exercise, failed: Sequence[Seen]) -> Diagnosis | None:
    """What the numbers say, over all groups that gave numbers."""
    everything = [pair for s in failed if s.difference and s.difference.kind != "raised" for pair in pairs(s)]
    wrong = [pair for pair in everything if not pair.right and {pair.e.dtype.kind, pair.a.dtype.kind} <= set("fiub")]
    if not wrong:
        return None
    for read in READINGS:
        found = read(exercise, wrong)
        if found:
            name, text = found
            return Diagnosis("structure", name, text + only_part(everything, wrong))
    text = only_part(everything, wrong)
    if text:
        return Diagnosis("structure", "one_part", text.strip())
    return shifted_step(failed)


def only_part(everything: Sequence[Pair], wrong: Sequence[Pair]) -> str:
    """Whether the error sits in some of the returned arrays only: the biases, the broadcast operand."""
    bad = list(dict.fromkeys(pair.path for pair in wrong))
    good = list(dict.fromkeys(pair.path for pair in everything if pair.path not in bad))
    if not good or not all(bad):
        return ""
    are = ["is" if len(paths) == 1 else "are" for paths in (bad, good)]
    return f" Only {listed(bad)} {are[0]} affected; {listed(good)} {are[1]} right."


def listed(paths: Sequence[str]) -> str:
    return ", ".join(f"`{path}`" for path in paths[:4]) + (", …" if len(paths) > 4 else "")


Reading = Callable[[Exercise, Sequence[Pair]], tuple[str, str] | None]


def same(x: Any, y: Any) -> bool:
    x, y = np.asarray(x, float), np.asarray(y, float)
    if x.shape != y.shape or not (np.isfinite(x).all() and np.isfinite(y).all()):
        return False
    return bool(np.abs(x - y).max(initial=0.0) <= CLOSE * max(np.abs(y).max(initial=0.0), 1e-12))


def nonfinite(exercise: Exercise, wrong: Sequence[Pair]) -> tuple[str, str] | None:
    bad = [p for p in wrong if p.e.shape == p.a.shape and (~np.isfinite(p.a) & np.isfinite(p.e)).any()]
    if not bad:
        return None
    kind = "NaN" if any(np.isnan(p.a).any() for p in bad) else "infinity"
    source = culprit(bad[0])
    return f"{kind.lower()}", f"{kind[0].upper() + kind[1:]} appears where a finite number is expected{source}."


def culprit(pair: Pair) -> str:
    """The first argument that has what makes NaN and infinity: zeros, huge entries."""
    for path, value in leaves(dict(pair.arguments)):
        if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.size:
            if np.abs(value).max() > 500:
                return f"; the input {argument(path)} has very large entries there: what does exp make of them?"
            if (value == 0).any():
                return f"; the input {argument(path)} has zeros there: what does log, or a division, make of them?"
    return ""


def sign(exercise: Exercise, wrong: Sequence[Pair]) -> tuple[str, str] | None:
    if all(same(p.a, -p.e) for p in wrong):
        return "sign", "Every number has the wrong sign."
    return None


def constants(exercise: Exercise, pair: Pair) -> dict[str, float]:
    """Numbers by which answers tend to be off, with their names: sizes of the arguments' axes, hyperparameters."""
    named: dict[str, float] = {}
    for name, value in pair.arguments.items():
        if isinstance(value, np.ndarray):
            labels = exercise.axes.get(name, ())
            for i, size in enumerate(value.shape):
                label = labels[i] if len(labels) == value.ndim else f"axis {i} of {name}"
                named.setdefault(f"the size of {label!r} ({name})" if labels else f"the size of {label}", float(size))
            if value.ndim > 1:
                named.setdefault(f"the number of entries of {name}", float(value.size))
        elif type(value) in (int, float) and value not in (0, 1):
            named[f"{name}"] = float(value)
            if 0 < value < 1:
                named[f"(1 - {name})"] = 1.0 - value
    return named


def factor(exercise: Exercise, wrong: Sequence[Pair]) -> tuple[str, str] | None:
    ratios = []
    for p in wrong:
        if p.e.shape != p.a.shape or not np.isfinite(p.a).all() or not p.e.any():
            return None
        at = np.unravel_index(int(np.argmax(np.abs(p.e))), p.e.shape)
        ratio = float(p.a[at]) / float(p.e[at])
        if ratio == 0 or not same(p.a, ratio * p.e):
            return None
        ratios.append(ratio)
    return name_ratio(exercise, wrong, ratios)


def name_ratio(exercise: Exercise, wrong: Sequence[Pair], ratios: Sequence[float]) -> tuple[str, str] | None:
    for value, name in ((2.0, "2"), (0.5, "one half"), (-2.0, "-2"), (-0.5, "minus one half")):
        if all(abs(r - value) < CLOSE for r in ratios):
            return "factor", f"Every number is {name} times what it should be: a constant factor."
    tables = [constants(exercise, p) for p in wrong]
    for name in tables[0]:
        values = [table.get(name) for table in tables]
        for power, words in ((1, "times"), (-1, "divided by")):
            if all(v and abs(r / v**power - 1) < CLOSE for r, v in zip(ratios, values, strict=True)):
                return "factor", f"Every number is what it should be {words} {name}."
    if len(ratios) > 1 and max(ratios) - min(ratios) < CLOSE * abs(ratios[0]):
        return "factor", f"Every number is {ratios[0]:.6g} times what it should be: a constant factor."
    if len(ratios) > 1 and all(p.e.size > 1 for p in wrong):  # any two numbers have a ratio; arrays need not
        return "factor", "Each array is a multiple of what it should be: a factor is missing."
    return None


def transposed(exercise: Exercise, wrong: Sequence[Pair]) -> tuple[str, str] | None:
    if all(p.e.ndim == 2 and same(p.a, p.e.T) for p in wrong):
        return "transpose", "The answer is right, but transposed."
    return None


def unreduced(exercise: Exercise, wrong: Sequence[Pair]) -> tuple[str, str] | None:
    """An axis was kept that should be summed or averaged over."""
    for reduce, word in ((np.sum, "summed"), (np.mean, "averaged")):
        for axis in range(3):
            if all(p.a.ndim == p.e.ndim + 1 and axis < p.a.ndim and same(reduce(p.a, axis=axis), p.e) for p in wrong):
                return "axis", f"Axis {axis} is still there: it should be {word} over."
    if all(p.a.size == p.e.size and p.a.shape != p.e.shape and same(p.a.ravel(), p.e.ravel()) for p in wrong):
        return "shape", f"The numbers are right, but shaped {wrong[0].a.shape} where {wrong[0].e.shape} is expected."
    if all(p.a.ndim == 0 and p.e.ndim > 0 and (same(p.a, p.e.sum()) or same(p.a, p.e.mean())) for p in wrong):
        return "axis", "The answer is reduced to one number: the single entries are asked for."
    return None


def shifted(exercise: Exercise, wrong: Sequence[Pair]) -> tuple[str, str] | None:
    for axis in range(3):
        usable = all(p.e.shape == p.a.shape and p.e.ndim > axis and p.e.shape[axis] > 1 for p in wrong)
        if usable and all(same(p.a, np.flip(p.e, axis)) for p in wrong):
            return "reversed", f"The numbers are right, but in reverse order along axis {axis}."
        for by in (1, -1):
            if usable and all(same(p.a, np.roll(p.e, by, axis)) for p in wrong):
                return "shifted", f"The numbers are right, but shifted by one along axis {axis}."
    return None


def offset(exercise: Exercise, wrong: Sequence[Pair]) -> tuple[str, str] | None:
    gaps = [p.a - p.e for p in wrong if p.e.shape == p.a.shape and p.e.size > 1 and np.isfinite(p.a).all()]
    same_shapes = all(p.e.shape == p.a.shape for p in wrong)
    if gaps and same_shapes and all(np.ptp(gap) <= CLOSE * np.abs(gap).max() for gap in gaps):
        return "offset", "Every entry is off by the same amount: a term is missing or counted twice."
    return None


def precision(exercise: Exercise, wrong: Sequence[Pair]) -> tuple[str, str] | None:
    if not all(p.e.shape == p.a.shape and np.isfinite(p.a).all() for p in wrong):
        return None
    gap = max(float(np.abs(p.a - p.e).max(initial=0) / max(np.abs(p.e).max(initial=0), 1e-300)) for p in wrong)
    if gap > 1e-5:
        return None
    if all((p.a.astype(np.float32) == p.a).all() for p in wrong):
        return "float32", "The numbers are right to about seven digits: somewhere the computation goes through float32."
    return (
        "precision",
        f"The numbers are right to about {-np.log10(gap):.0f} digits only: an epsilon too many, or cancellation?",
    )


def truncated(exercise: Exercise, wrong: Sequence[Pair]) -> tuple[str, str] | None:
    if all(p.e.shape == p.a.shape and p.e.dtype.kind == "f" and same(p.a, np.trunc(p.e)) for p in wrong):
        return "integer", "The fractions are cut off: somewhere the computation goes through integers."
    return None


READINGS: tuple[Reading, ...] = (
    nonfinite, precision, sign, factor, transposed, unreduced, shifted, offset, truncated,
)  # fmt: skip


def shifted_step(failed: Sequence[Seen]) -> Diagnosis | None:
    """Step k of the answer is step k+1 or k-1 of what is expected."""
    s = failed[0]
    if not any(isinstance(probe, Steps) for probe in s.probes):
        return None
    expected = [o.behaviour.value for o in s.expected if o.probe == 0 and not o.again]
    got = [o.behaviour.value for o in s.got if o.probe == 0 and not o.again]
    for shift, words in ((1, "one step ahead"), (-1, "one step behind")):
        ours, theirs = (got[:-1], expected[1:]) if shift == 1 else (got[1:], expected[:-1])
        if len(ours) > 1 and all(compare_values(e, a, "", s.group) is None for e, a in zip(theirs, ours, strict=False)):
            return Diagnosis("structure", "shifted_step", f"The sequence is right, but {words}.")
    return None


# ------------------------------------------------------------------------------------------------------------ place
def place(s: Seen) -> Diagnosis:
    """Nothing explains it: say where it first diverges."""
    d = s.difference
    assert d is not None
    label = s.got[d.index].label if d.index < len(s.got) else ""
    if isinstance(s.probes[0], Steps) and d.kind == "value":
        return Diagnosis(
            "diverges", ", ".join(filter(None, (label, d.where))), f"The first quantity that differs: {d.words}"
        )
    return Diagnosis(d.kind, d.where or d.kind, d.words)
