"""An answer that passed, beside the reference and another right way: how exact, how fast, with how much memory.

    print(beside(exercise, my_adam, helpers, seed=3))
                        yours     the reference    flat arrays
    ordinary            2e-16     1e-16            2e-16
    huge (× 1e8)        3e-16     2e-16            3e-16
    time                1.8 ×     31 µs            0.9 ×
    memory              2.0 ×     45 kB            1.0 ×

The error is the largest deviation from the reference computed with the machine's longest floating-point type, relative
to the largest number of the same array. Times are the best of several, on inputs that are large enough to tell.
"""

from __future__ import annotations

import contextlib
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .exercise import Exercise, Group, Probe
from .inside.perform import leaves
from .observe import Observation, draw, here, observe
from .stress import WAYS, extended, grown

__all__ = ["Beside", "beside", "bytes_in_words", "seconds_in_words"]

Helpers = Mapping[str, Callable[..., Any]]
ROUNDS = 7
MOST_PROBES = 4
SUSPICIOUS = 1e-6  # an error that is not rounding


@dataclass(frozen=True)
class Beside:
    """Columns are answers by name, the first is the student's; cells are errors, or the word for what happened."""

    exercise: str
    columns: tuple[str, ...]
    errors: Mapping[str, Mapping[str, float | str]] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    bytes: Mapping[str, int] = field(default_factory=dict)
    yardstick: str = ""

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        """The table as text: name of the row, a cell for each column."""
        rows = [(way, [in_words(found[column]) for column in self.columns]) for way, found in self.errors.items()]
        rows.append(("time", self._ratios(self.seconds, seconds_in_words)))
        rows.append(("memory", self._ratios(self.bytes, bytes_in_words)))
        return rows

    def _ratios(self, measured: Mapping[str, float], words: Callable[[float], str]) -> list[str]:
        """The reference in units, the others as multiples of it."""
        unit = measured[self.columns[1]]
        return [
            words(unit) if i == 1 else f"{measured[column] / unit:.1f} ×" if unit else words(measured[column])
            for i, column in enumerate(self.columns)
        ]

    @property
    def remarks(self) -> list[str]:
        """Where the student's answer parts from the reference beyond rounding."""
        yours, reference = self.columns[:2]
        return [
            f"{way}: yours {in_words(found[yours])}, the reference {in_words(found[reference])}. "
            "Nobody asked for it, but which line makes the difference?"
            for way, found in self.errors.items()
            if worse(found[yours], found[reference])
        ]

    def __repr__(self) -> str:
        widths = [max(len(c), *(len(cells[i]) for _, cells in self.rows)) + 4 for i, c in enumerate(self.columns)]
        lines = [f"{name:<18}" + "".join(cell.ljust(w) for cell, w in zip(cells, widths, strict=True)).rstrip()
                 for name, cells in [("", list(self.columns)), *self.rows]]  # fmt: skip
        return "\n".join([*lines, *self.remarks, f"Errors are relative to {self.yardstick}."])

    def to_json(self) -> dict[str, Any]:
        return {"columns": list(self.columns), "errors": {way: dict(found) for way, found in self.errors.items()},
                "seconds": dict(self.seconds), "bytes": dict(self.bytes), "yardstick": self.yardstick}  # fmt: skip


def worse(yours: float | str, reference: float | str) -> bool:
    if isinstance(reference, str):
        return yours != reference
    return isinstance(yours, str) or yours > max(SUSPICIOUS, 10 * reference)


def in_words(error: float | str) -> str:
    return error if isinstance(error, str) else "exact" if error == 0 else f"{error:.0e}"


def seconds_in_words(seconds: float) -> str:
    return next(f"{seconds * by:.3g} {unit}" for unit, by in (("s", 1), ("ms", 1e3), ("µs", 1e6))
                if seconds >= 1 / by or unit == "µs")  # fmt: skip


def bytes_in_words(size: float) -> str:
    return next(f"{size / by:.3g} {unit}" for unit, by in (("MB", 1e6), ("kB", 1e3), ("B", 1))
                if size >= by or unit == "B")  # fmt: skip


# --------------------------------------------------------------------------------------------------------- measuring
def beside(exercise: Exercise, yours: Any, helpers: Helpers, seed: int) -> Beside:
    """Measure an answer that passed, the reference, and the first variant that is a plain function or class."""
    answers = {"yours": yours, "the reference": exercise.plain}
    variant = next((v for v in exercise.variants if not getattr(v.right, "fresh", False)), None)
    if variant:
        answers[variant.name.replace("_", " ")] = variant.right
    group = exercise.groups[0]
    probes = list(draw(exercise, group, seed))[:MOST_PROBES]
    trial = Trial(exercise, group, helpers)
    errors, longer = {}, np.finfo(np.longdouble).nmant > np.finfo(float).nmant
    for way, change in WAYS.items():
        stressed = [made for probe in probes if (made := change(exercise, probe)) is not None]
        if stressed:
            truth = trial.seen(exercise.plain, [extended(probe) for probe in stressed])
            if any(o.behaviour.error for o in truth):  # not every NumPy function knows the longer type
                truth = trial.seen(exercise.plain, stressed)
            errors[way] = {name: deviation(truth, trial.seen(f, stressed)) for name, f in answers.items()}
    large = trial.large(probes)
    return Beside(
        exercise.name, tuple(answers), errors, trial.seconds(answers, large),
        {name: trial.memory(f, large) for name, f in answers.items()},
        "the reference in extended precision" if longer else "the reference, as this machine has no longer numbers",
    )  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """Asks answers of this process, one at a time."""

    exercise: Exercise
    group: Group
    helpers: Helpers

    def seen(self, function: Any, probes: Sequence[Probe]) -> list[Observation]:
        with np.errstate(all="ignore"):
            seen = observe(self.exercise, probes, here(self.exercise, function, self.helpers, timed=True))
        return [observation for observation in seen if not observation.again]

    def large(self, probes: Sequence[Probe]) -> list[Probe]:
        """Larger inputs, where the reference can take them."""
        larger = [grown(self.exercise, probe) for probe in probes]
        fine = not any(o.behaviour.error for o in self.seen(self.exercise.plain, larger))
        return larger if fine else list(probes)

    def seconds(self, answers: Mapping[str, Any], probes: Sequence[Probe]) -> dict[str, float]:
        """The best of several rounds; all answers take turns, so that a busy moment meets all of them."""
        best = dict.fromkeys(answers, float("inf"))
        for _ in range(ROUNDS):
            for name, function in answers.items():
                best[name] = min(best[name], sum(o.behaviour.seconds for o in self.seen(function, probes)))
        return best

    def memory(self, function: Any, probes: Sequence[Probe]) -> int:
        """The most that one call holds at once beyond its arguments; of a class, the most that its whole life does."""
        if isinstance(function, type):
            return peak(lambda: self.seen(function, probes))
        most = 0

        def watched(*args: Any, **kwargs: Any) -> Any:
            nonlocal most
            values: list[Any] = []
            most = max(most, peak(lambda: values.append(function(*args, **kwargs))))
            return values[0]

        self.seen(watched, probes)
        return most


def peak(action: Callable[[], Any]) -> int:
    """Bytes by which memory grew at most. A tracer that somebody else has started is left running."""
    running = tracemalloc.is_tracing()
    if not running:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        action()
        return max(0, tracemalloc.get_traced_memory()[1] - before)
    finally:
        if not running:
            tracemalloc.stop()


def deviation(truth: Sequence[Observation], seen: Sequence[Observation]) -> float | str:
    """The largest relative error over all arrays, or the first exception, or what kind of answer it is not."""
    worst = 0.0
    for expected, got in zip(truth, seen, strict=False):
        if got.behaviour.error or expected.behaviour.error:
            return got.behaviour.error or "an answer"
        values = dict(leaves(got.behaviour.value))
        for path, right in leaves(expected.behaviour.value):
            found = apart(right, values.get(path))
            if isinstance(found, str):
                return found
            worst = max(worst, found)
    return worst


def apart(right: Any, value: Any) -> float | str:
    if not isinstance(right, bool | int | float | np.ndarray):
        return 0.0
    with contextlib.suppress(TypeError, ValueError), np.errstate(all="ignore"):
        e, a = np.asarray(right, np.longdouble), np.asarray(value, np.longdouble)
        if e.shape != a.shape:
            return "another shape"
        lost = np.isfinite(e) & ~np.isfinite(a)
        if lost.any():
            return "nan" if np.isnan(a[lost]).any() else "inf"
        both = np.isfinite(e) & np.isfinite(a)
        gap, size = np.abs(a - e)[both].max(initial=0), np.abs(e)[both].max(initial=0)
        return float(gap / size) if size else float(gap)
    return "no numbers"
