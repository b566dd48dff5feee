"""Two behaviours compared: the first difference that matters, in the order in which a person would ask.

Did it raise? Did it return something, of the right structure, shape, dtype, finite, right? Then: did it change its
inputs, share their memory, warn? The comparator belongs to the grader; no submitted object takes part in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .exercise import Call, Exercise, Group, Probe, Property, Refusal, Steps, Tolerance
from .inside.values import Handle, Helper
from .observe import Behaviour, Observation


@dataclass(frozen=True)
class Difference:
    """`words` may be shown in a graded run; `detail` has numbers of the hidden case and is for home only."""

    kind: str
    words: str
    detail: str = ""
    where: str = ""
    index: int = 0  # of the observation


# ------------------------------------------------------------------------------------------------------- one array
def is_number(value: Any) -> bool:
    return type(value) in (bool, int, float) or (isinstance(value, np.ndarray) and value.ndim == 0)


def close(expected: np.ndarray, got: np.ndarray, tolerance: Tolerance) -> np.ndarray:
    """Entry by entry: within tolerance, or the same NaN, or the same infinity."""
    single = expected.dtype == np.float32
    rtol, atol = (tolerance.rtol32, tolerance.atol32) if single else (tolerance.rtol, tolerance.atol)
    if expected.dtype.kind not in "fc" and got.dtype.kind not in "fc":
        return expected == got
    wide = np.complex128 if "c" in (expected.dtype.kind, got.dtype.kind) else np.float64
    e, a = expected.astype(wide, copy=False), got.astype(wide, copy=False)
    finite = np.isfinite(e)
    everywhere = finite.all()
    size = np.abs(e if everywhere else np.where(finite, e, 0))
    scale = size if tolerance.per == "entry" else size.max(initial=0.0)
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.abs(a - e) <= atol + rtol * scale
    if everywhere and near.all():
        return near
    return np.where(finite & np.isfinite(a), near, (a == e) | (np.isnan(e) & np.isnan(a)))


Path = tuple[int | str, ...]  # to a part of the answer: indices of sequences, keys of dicts as they are written


def spoken(where: Path) -> str:
    """(0, "'W'") as `the answer[0]['W']`, and (2,) as "item 2 of the answer"."""
    if len(where) == 1 and type(where[0]) is int:
        return f"item {where[0]} of the answer"
    return "the answer" + "".join(f"[{step}]" for step in where)


def entry(index: Sequence[int], labels: tuple[str, ...] = ()) -> str:
    """(2, 0) as `[2, 0]`, or as "batch 2, class 0" where the axes have names."""
    if len(labels) == len(index) and labels:
        return ", ".join(f"{label} {i}" for label, i in zip(labels, index, strict=True))
    return "[" + ", ".join(str(i) for i in index) + "]"


def compare_numbers(expected: Any, got: Any, path: Path, group: Group, labels: tuple[str, ...]) -> Difference | None:
    e, a = np.asarray(expected), np.asarray(got)
    if group.whole and type(expected) is int and a.dtype.kind == "f":
        return Difference("dtype", f"{spoken(path)} is a float; expected an int.", where=spoken(path))
    if e.shape == a.shape and e.dtype == a.dtype and (e == a).all():
        return None  # to the last bit: most often so, and soon seen
    where = spoken(path)
    if e.shape != a.shape:
        return Difference("shape", f"{where} has shape {a.shape}; expected {e.shape}{axis_words(labels)}.", where=where)
    if kind_of(e) != kind_of(a) and not (e.ndim == 0 and kind_of(e) in "if" and kind_of(a) in "if"):
        words = f"{where} has dtype {a.dtype}; expected {e.dtype}."
        if kind_of(e) == "f" and kind_of(a) == "i":
            words += " Where do the fractions go?"
        return Difference("dtype", words, where=where)
    if group.exact_dtype and isinstance(expected, np.ndarray) and e.dtype != a.dtype:
        return Difference("dtype", f"{where} has dtype {a.dtype}; {e.dtype} in must give {e.dtype} out.", where=where)
    right = close(e, a, group.tolerance)
    if right.all():
        return None
    if (np.isfinite(e) & ~np.isfinite(a)).any():
        index = tuple(int(i) for i in np.argwhere(np.isfinite(e) & ~np.isfinite(a))[0])
        bad = "NaN" if np.isnan(a[index]) else "infinite"
        place = f" first at {entry(index, labels)}" if index else ""
        return Difference("nonfinite", f"{where} is {bad} where a finite number is expected{place}.", where=where)
    return wrong_value(e, a, right, where, labels)


def wrong_value(e: np.ndarray, a: np.ndarray, right: np.ndarray, where: str, labels: tuple[str, ...]) -> Difference:
    with np.errstate(invalid="ignore", over="ignore"):
        gap = (
            np.where(right, 0.0, np.abs(np.asarray(a, float) - np.asarray(e, float))) if e.dtype.kind != "c" else ~right
        )
    gap = np.where(np.isnan(gap), np.inf, gap)
    index = tuple(int(i) for i in np.unravel_index(int(np.argmax(gap)), e.shape))
    wrong = int((~right).sum())
    count = f"{wrong} of {e.size} entries of {where} are" if e.ndim else f"{where} is"
    place = f" at {entry(index, labels)}" if index else ""
    detail = f"Largest difference{place}: expected {number(e[index])}, got {number(a[index])}."
    return Difference("value", f"{count} wrong.", detail, where=where)


def number(x: Any) -> str:
    return f"{x:.8g}" if np.asarray(x).dtype.kind in "fi" else str(x)


def kind_of(array: np.ndarray) -> str:
    return {"u": "i"}.get(array.dtype.kind, array.dtype.kind)


def axis_words(labels: tuple[str, ...]) -> str:
    return f" ({', '.join(labels)})" if labels else ""


# --------------------------------------------------------------------------------------------------------- a tree
# Types that may be called by their name: a class of the submission's own may be called anything, even an input.
KNOWN_KINDS = {
    "function", "method", "partial", "set", "frozenset", "generator", "map", "filter", "zip", "range", "bytes",
    "bytearray", "complex", "object", "type", "module", "matrix", "MaskedArray", "array of object", "ndarray", "list",
    "tuple", "dict", "deque", "Generator", "ellipsis", "NotImplementedType", "OrderedDict", "defaultdict",
}  # fmt: skip


def kind_word(value: Any) -> str:
    if value is None:
        return "None"
    if isinstance(value, Handle):
        return value.kind if value.kind in KNOWN_KINDS else "an object of another type"
    if is_number(value):
        return "a number"
    return {np.ndarray: "an array", list: "a list", tuple: "a tuple", dict: "a dict", str: "text"}.get(
        type(value), type(value).__name__
    )


def compare_values(
    expected: Any, got: Any, path: Path, group: Group, labels: tuple[str, ...] = ()
) -> Difference | None:
    """The first difference between two trees, walking over the *expected* keys and all entries."""
    kind = type(expected)
    if kind in (np.ndarray, float, int, bool):
        if (kind is np.ndarray and isinstance(got, np.ndarray)) or (is_number(expected) and is_number(got)):
            return compare_numbers(expected, got, path, group, labels)
        words = f"{spoken(path)} is {kind_word(got)}; expected {wanted(expected, labels)}."
        return Difference("type", words, where=spoken(path))
    if kind in (list, tuple):
        return compare_sequences(expected, got, path, group)
    if kind is dict:
        return compare_dicts(expected, got, path, group)
    if kind is Handle:
        words = "" if isinstance(got, Handle) else f"{spoken(path)} is {kind_word(got)}; expected a {expected.kind}."
        return Difference("type", words, where=spoken(path)) if words else None
    if kind is not type(got):
        words = f"{spoken(path)} is {kind_word(got)}; expected {kind_word(expected)}."
        return Difference("type", words, where=spoken(path))
    if expected != got:
        words = f"{spoken(path)} is wrong."
        return Difference("value", words, f"Expected {expected!r}, got {got!r}.", where=spoken(path))
    return None


def wanted(expected: Any, labels: tuple[str, ...]) -> str:
    if isinstance(expected, np.ndarray) and expected.ndim:
        return f"an array of shape {expected.shape}{axis_words(labels)}"
    return "one number"


def compare_sequences(expected: Sequence[Any], got: Any, path: Path, group: Group) -> Difference | None:
    if type(got) not in (list, tuple) or (group.types_matter and type(got) is not type(expected)):
        words = f"{spoken(path)} is {kind_word(got)}; expected {kind_word(expected)} of {len(expected)}."
        return Difference("type", words, where=spoken(path))
    if len(got) != len(expected):
        words = f"{spoken(path)} has {len(got)} items; expected {len(expected)}."
        return Difference("structure", words, where=spoken(path))
    found = first_difference(expected, got, path, group)
    if found and len(expected) > 1 and not first_difference(expected, [*got[1:], *got[:1]], path, group):
        words = f"The items of {spoken(path)} are right, but in another order."
        return Difference("swapped", words, where=spoken(path))
    return found


def first_difference(expected: Sequence[Any], got: Sequence[Any], path: Path, group: Group) -> Difference | None:
    for i, (e, a) in enumerate(zip(expected, got, strict=True)):
        found = compare_values(e, a, (*path, i), group)
        if found:
            return found
    return None


def compare_dicts(expected: dict[Any, Any], got: Any, path: Path, group: Group) -> Difference | None:
    if type(got) is not dict:
        words = f"{spoken(path)} is {kind_word(got)}; expected a dict with keys {list(expected)}."
        return Difference("type", words, where=spoken(path))
    if expected.keys() != got.keys():
        missing, extra = [k for k in expected if k not in got], [k for k in got if k not in expected]
        wrong = [f"{', '.join(map(str, missing))} missing"] * bool(missing) + [f"{len(extra)} too many"] * bool(extra)
        words = f"{spoken(path)} has other keys than {sorted(map(str, expected))}: {', '.join(wrong)}."
        return Difference("keys", words, f"It has {sorted(map(str, got))}.", where=spoken(path))
    for key, value in expected.items():
        found = compare_values(value, got[key], (*path, repr(key)), group)
        if found:
            return found
    return None


# ------------------------------------------------------------------------------------------------------------ size
MODEST, TIMES = 1_000, 30  # of what may come: so much, and so many times what is expected


def weight(tree: Any) -> float:
    """How much there is to read in an answer: its leaves, a hundred numbers of an array as one."""
    kind = type(tree)
    if kind is dict or kind is list or kind is tuple:
        return 1 + sum(map(weight, tree.values() if kind is dict else tree))
    return 1 + tree.size / 100 if kind is np.ndarray else 1


def far_larger(expected: Sequence[Observation], got: Sequence[Observation]) -> Difference | None:
    """Nothing is computed with an answer many times larger than was asked for: it would take as many times longer."""
    all_that, room = (sum(weight(o.behaviour.value) for o in side) for side in (got, expected))
    if all_that <= MODEST + TIMES * room:
        return None
    index = max(range(len(got)), key=lambda i: weight(got[i].behaviour.value))
    return Difference("larger", "The answer is many times larger than what is asked for.", index=index)


# --------------------------------------------------------------------------------------------------- a behaviour
REFUSAL = "NotToBeAsked"  # what a helper raises that refuses whoever asks it


def compare(
    exercise: Exercise, group: Group, expected: Behaviour, got: Behaviour, *, conduct: bool = True
) -> Difference | None:
    """The first difference that matters between what was expected of a call and what it did, or came to."""
    labels = tuple(exercise.axes.get("return", ()))
    if expected.error or got.error:
        return compare_errors(expected, got)
    if got.value is None and expected.value is not None:
        printed = " It prints something: `print` shows a value, `return` hands it over." if got.printed.strip() else ""
        kind = "printed" if printed else "none"
        return Difference(kind, f"The function returned None.{printed or ' Is a `return` missing?'}")
    found = compare_values(expected.value, got.value, (), group, labels)
    return found or (compare_conduct(exercise, group, expected, got) if conduct else None)


def compare_errors(expected: Behaviour, got: Behaviour) -> Difference | None:
    if not got.error:
        words = f"This input should be refused with {expected.error}; the function returned an answer."
        return Difference("accepted", words)
    if not expected.error:
        return Difference("raised", f"It raised {got.error}.", got.message)
    if expected.error in (got.error, *got.kinds):
        return None
    if REFUSAL in expected.kinds:
        return Difference("raised", f"It raised {got.error} before it asked what it was given.", got.message)
    return Difference(
        "raised", f"It raised {got.error}; this input should be refused with {expected.error}.", got.message
    )


def not_asked(probe: Probe) -> Difference:
    """An answer where the reference ends in the refusal of a helper: what it is given was never asked."""
    call = probe.call if isinstance(probe, Property) else probe
    arguments = call.arguments if isinstance(call, Call) else {}
    names = " or ".join(f"`{name}`" for name, value in arguments.items() if isinstance(value, Helper))
    return Difference("unasked", f"The function returned an answer without asking {names or 'what it is given'}.")


def compare_conduct(exercise: Exercise, group: Group, expected: Behaviour, got: Behaviour) -> Difference | None:
    changed = [path for path in got.mutated if path not in expected.mutated]
    if exercise.pure and changed:
        words = f"The values are right, but the function changed its input {tidy(changed[0])}. {copy_of(changed[0])}"
        return Difference("mutated", words, where=changed[0])
    shared = [path for path in got.aliased if path not in expected.aliased]
    if not exercise.may_alias and shared:
        words = f"The answer shares its memory with the input {tidy(shared[0])}: changing one later changes the other."
        return Difference("aliased", words, where=shared[0])
    if not exercise.may_alias and got.reused and not expected.reused:
        words = "The values are right, but the answer is an object that an earlier call returned, filled anew: whoever"
        return Difference("reused", f"{words} kept that one has other numbers in it now. Make a new one in each call.")
    warned = [kind for kind, _ in got.warnings if kind not in {kind for kind, _ in expected.warnings}]
    if group.forbid_warnings and warned:
        text = next(text for kind, text in got.warnings if kind == warned[0])
        return Difference("warned", f"The value is right, but the computation warns ({warned[0]}).", text)
    return None


def copy_of(path: str) -> str:
    """What to work on, where an input was changed; a copy of a dict or a list holds the same items."""
    inner = " What lies in a copied dict or list is not copied with it: copy that, too." if "[" in path else ""
    return f"Work on a copy.{inner}"


def tidy(path: str) -> str:
    return f"`{path}`"


def compare_all(
    exercise: Exercise,
    group: Group,
    probes: Sequence[Probe],
    expected: Sequence[Observation],
    got: Sequence[Observation],
) -> Difference | None:
    """The first difference over all observations of a group, with its place in words: of conduct if of nothing else."""
    larger = far_larger(expected, got)
    if larger:
        return larger
    conduct: Difference | None = None
    for index, (e, a) in enumerate(zip(expected, got, strict=False)):
        probe = probes[e.probe]
        found = compare_one(exercise, group, probe, e, a)
        if not found and e.again and isinstance(probe, Property) and not same_twice(exercise, group, got, a, index):
            found = Difference("unstable", "The same call gives another answer the second time.")
        if found:
            return placed(exercise, found, a, index, probe)
        misconduct = None if a.behaviour.error else compare_conduct(exercise, group, e.behaviour, a.behaviour)
        if misconduct and not conduct:
            conduct = placed(exercise, misconduct, a, index, probe)
    failed = failed_property(probes, got)
    if failed or len(got) >= len(expected):
        return failed or conduct
    return Difference("structure", "The sequence could not be continued: the answer was not of the expected form.")


def compare_one(
    exercise: Exercise, group: Group, probe: Probe, expected: Observation, got: Observation
) -> Difference | None:
    """What is otherwise of one call, but for its conduct; where right answers differ, whether it raised."""
    if isinstance(probe, Property) and not got.behaviour.error:
        return None
    found = compare(exercise, group, expected.behaviour, got.behaviour, conduct=False)
    if found and found.kind == "accepted" and REFUSAL in expected.behaviour.kinds:
        return not_asked(probe)
    if found and expected.again and found.kind == "value":
        return Difference("unstable", "The same call gives another answer the second time: what is left over?")
    return found


def same_twice(exercise: Exercise, group: Group, got: Sequence[Observation], again: Observation, index: int) -> bool:
    first = [o for o in got if o.probe == again.probe and not o.again]
    repeats = [o for o in got[: index + 1] if o.again]
    twin = first[len(repeats) - 1].behaviour
    return compare(exercise, group, twin, again.behaviour) is None


def failed_property(probes: Sequence[Probe], got: Sequence[Observation]) -> Difference | None:
    for number, probe in enumerate(probes):
        if isinstance(probe, Property):
            mine = [(i, o) for i, o in enumerate(got) if o.probe == number and not o.again]
            refusal = judge_property(probe, [o.behaviour.value for _, o in mine])
            if refusal:
                return Difference("property", refusal.words, refusal.measured, index=mine[0][0] if mine else 0)
    return None


def judge_property(probe: Property, values: list[Any]) -> Refusal | None:
    """The predicate may stumble over an answer of the wrong form; that is the answer's fault, and said so."""
    try:
        with np.errstate(all="ignore"):
            says = probe.holds(values)
    except Exception:
        says = f"The answer has not the expected form: it is {kind_word(values[0]) if values else 'missing'}."
    return Refusal(says) if isinstance(says, str) else says


def placed(exercise: Exercise, found: Difference, observation: Observation, index: int, probe: Probe) -> Difference:
    """The difference with "step 3" or "update(2.0)" said first, and what is returned called by its names."""
    words, where = found.words, found.where
    if isinstance(probe, Steps) and len(probe.carry) == 1:
        words, where = (text.replace("the answer", next(iter(probe.carry))) for text in (words, where))
    else:
        names = list(probe.carry) if isinstance(probe, Steps) else exercise.returns
        words, where = (by_name(text, names) for text in (words, where))
    detail = found.detail
    if observation.label and found.kind != "unstable":
        words = f"{bare(observation.label)}: {words}"
        if bare(observation.label) != observation.label:
            detail = f"{observation.label}. {detail}".rstrip()
    elif found.kind == "raised" and isinstance(probe, Call) and words.startswith("It raised"):
        words = f"The call {words[3:]}"
    return Difference(found.kind, words, detail, where, index)


def bare(label: str) -> str:
    """`update(0.37, 4)` as `update(…)`: numbers and texts among the arguments are hidden; names of objects are not."""
    return re.sub(r"\((?=.*[\d'\"]).*\)", "(…)", label)


def by_name(text: str, names: Sequence[str]) -> str:
    """`the answer[0]['W']` as `params['W']`."""

    def named(m: re.Match[str]) -> str:
        return names[int(m[1] or m[2])] if int(m[1] or m[2]) < len(names) else m[0]

    return re.sub(r"item (\d+) of the answer|the answer\[(\d+)\]", named, text)


def agrees(
    exercise: Exercise,
    group: Group,
    probes: Sequence[Probe],
    a: Sequence[Observation],
    b: Sequence[Observation],
    *,
    conduct: bool = True,
) -> bool:
    """Whether two sides did the same on every probe of a group; without `conduct`, whether the same came of it.

    Where right answers differ, it asks only whether both raised the same.
    """
    if len(a) != len(b):
        return False
    for x, y in zip(a, b, strict=True):
        if isinstance(probes[x.probe], Property):
            if x.behaviour.error != y.behaviour.error:
                return False
            continue
        for one, other in ((x.behaviour, y.behaviour), (y.behaviour, x.behaviour)):
            if compare(exercise, group, one, other, conduct=conduct):
                return False
    return True
