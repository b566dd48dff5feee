"""One small picture of what went wrong, for home: where in the array the error is, or how the steps drift apart.

    svg(exercise, seen)       # heat map of |yours - expected|, or two curves over the steps; "" if neither would help
    plain(exercise, seen)     # the same for a terminal, a few lines of text

A picture shows hidden numbers, so no graded page has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from .diagnosis.seen import Pair, Seen, pairs, pairs_of
from .exercise import Exercise, Property, Steps

WIDE, BEFORE = 8, 4  # steps in a line of text, and those of them before the first wrong one
LARGEST = 24  # rows or columns that can still be told apart
CELL, LETTER = 18, 6.5  # wide, the latter at most
SHADES = " .:-=+*#@"
YOURS, EXPECTED = "#cf222e", "#0969da"


# ------------------------------------------------------------------------------------------------------ what to show
def table(exercise: Exercise, seen: Sequence[Seen]) -> Pair | None:
    """The first wrong array with two axes, or one, that can be drawn. Of a property no number is expected."""
    for s in seen:
        for pair in pairs(exercise, s) if s.difference else ():
            if isinstance(s.probes[pair.probe], Property):
                continue
            drawable = pair.e.shape == pair.a.shape and pair.e.ndim in (1, 2) and pair.e.size > 1
            if not pair.right and drawable and max(pair.e.shape) <= LARGEST:
                return pair
    return None


def whose(seen: Sequence[Seen], pair: Pair) -> str:
    """Of which part of the answer it is, and of which call, if that is another one than went wrong first."""
    of = f" in `{pair.path}`" if pair.path else ""
    s = next(s for s in seen if s.difference)
    first = s.got[s.difference.index] if s.difference and s.difference.index < len(s.got) else None
    if first and (s.group.name, first.probe) == pair.place[:2]:
        return of
    probes = next(len(s.probes) for s in seen if s.group.name == pair.group)
    call = f"call {pair.probe + 1} of " if probes > 1 else ""
    return f"{of}, in {call}the part `{pair.group}`"


@dataclass(frozen=True)
class Drift:
    """A number over all steps of a sequence, expected and got, and the first step in which it is wrong."""

    name: str
    expected: list[float]
    got: list[float]
    first: int


def courses(exercise: Exercise, seen: Sequence[Seen]) -> Drift | None:
    """In a sequence: the number that drifts furthest in the first wrong quantity."""
    for s in seen:
        wrong = next((p for p in pairs(exercise, s) if not p.right), None) if s.difference else None
        if wrong is None or not isinstance(s.probes[wrong.probe], Steps) or wrong.e.shape != wrong.a.shape:
            continue
        gap = np.where(np.isfinite(wrong.a), np.abs(wrong.a - wrong.e), np.inf)
        at = tuple(int(i) for i in np.unravel_index(int(np.argmax(gap)), wrong.e.shape))
        steps = [
            pair
            for e, a in zip(s.expected, s.got, strict=False)
            if e.probe == wrong.probe and not e.again and not e.behaviour.error and not a.behaviour.error
            for pair in pairs_of(exercise, e, a, s)
            if pair.path == wrong.path and pair.a.shape == pair.e.shape
        ]
        if len(steps) > 1:
            name = wrong.path + (str(list(at)) if at else "")
            first = next((i for i, p in enumerate(steps) if p.label == wrong.label), 0)
            return Drift(name, [float(p.e[at]) for p in steps], [float(p.a[at]) for p in steps], first)
    return None


def errors(pair: Pair) -> np.ndarray:
    """|yours - expected| from 0 to 1, as a table; 2 where yours is no finite number."""
    gap = np.where(pair.wrong, np.abs(pair.a - pair.e), 0.0)
    finite = np.isfinite(gap)
    largest = gap[finite].max(initial=0.0)
    return np.atleast_2d(np.where(finite, gap / largest if largest else gap, 2.0))


def axis_names(pair: Pair) -> tuple[str, str]:
    """What runs down and what runs across."""
    names = pair.labels if len(pair.labels) == pair.e.ndim else tuple(f"axis {i}" for i in range(pair.e.ndim))
    return ("", names[0]) if pair.e.ndim == 1 else (names[0], names[1])


# ------------------------------------------------------------------------------------------------------------- in SVG
def svg(exercise: Exercise, seen: Sequence[Seen]) -> str:
    drift = courses(exercise, seen)
    if drift:
        return curves(drift.name, drift.expected, drift.got)
    pair = table(exercise, seen)
    return heat_map(pair, whose(seen, pair)) if pair else ""


def heat_map(pair: Pair, of: str = "") -> str:
    shade = errors(pair)
    rows, columns = shade.shape
    down, across = axis_names(pair)
    left, top = 74, 20
    cells = "".join(
        f'<rect x="{left + j * CELL}" y="{top + i * CELL}" width="{CELL - 1}" height="{CELL - 1}" fill="{colour(x)}"/>'
        for (i, j), x in np.ndenumerate(shade)
    )
    words = label(left, 14, across + " →") + label(0, top + 13, down + " ↓" if down else "")
    ends = [(0, rows - 1)] if rows > 1 else []
    words += "".join(label(left - 8, top + i * CELL + 13, str(i), "end") for pair_ in ends for i in pair_)
    says = f"Error{of.replace('`', '')}: white none, dark the largest, violet not a number."
    words += label(0, top + rows * CELL + 16, says)
    return frame(max(left + columns * CELL, LETTER * len(says)), top + rows * CELL + 22, cells + words, says)


def colour(x: float) -> str:
    """White to dark red; violet for what is no finite number."""
    if x > 1:
        return "#8250df"
    r, g, b = (round(high + (low - high) * x**0.5) for high, low in ((246, 150), (248, 10), (250, 25)))
    return f"#{r:02x}{g:02x}{b:02x}"


def curves(name: str, expected: Sequence[float], got: Sequence[float]) -> str:
    width, height, left = 300, 110, 74
    values = np.array([*expected, *got])
    values = values[np.isfinite(values)]
    low, span = (float(values.min()), float(np.ptp(values)) or 1.0) if values.size else (0.0, 1.0)

    def points(line: Sequence[float]) -> list[tuple[float, float]]:
        step = (width - 20) / max(len(expected) - 1, 1)
        return [
            (left + 8 + i * step, 24 + (1 - (y - low) / span) * height) for i, y in enumerate(line) if np.isfinite(y)
        ]

    drawn = "".join(course(points(line), tint) for line, tint in ((expected, EXPECTED), (got, YOURS)))
    words = label(left, 14, f"{name} over {len(expected)} steps") + label(left, height + 44, "step 1")
    words += label(left + width, height + 44, f"step {len(expected)}", "end")
    words += label(left - 6, 28, f"{low + span:.3g}", "end") + label(left - 6, 28 + height, f"{low:.3g}", "end")
    words += label(left + 110, height + 44, "expected", tint=EXPECTED) + label(
        left + 180, height + 44, "yours", tint=YOURS
    )
    return frame(left + width + 10, height + 52, drawn + words, f"{name}: expected and yours over the steps")


def course(points: Sequence[tuple[float, float]], tint: str) -> str:
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{tint}"/>' for x, y in points)
    return f'<polyline points="{line}" fill="none" stroke="{tint}" stroke-width="1.5"/>{dots}'


def label(x: float, y: float, text: str, anchor: str = "start", tint: str = "#57606a") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" fill="{tint}" text-anchor="{anchor}">{escape(text)}</text>' if text else ""


def frame(width: float, height: float, body: str, says: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" role="img" '
        f'aria-label="{escape(says)}" style="display:block;margin:.5em 0 0;font:11px system-ui,sans-serif">{body}</svg>'
    )


# ------------------------------------------------------------------------------------------------------------ in text
def plain(exercise: Exercise, seen: Sequence[Seen]) -> list[str]:
    drift = courses(exercise, seen)
    if drift:
        here = window(drift)
        steps = " ".join(f"{i + 1:>10}" for i in range(len(drift.got))[here])
        rows = [("step", steps), ("expected", numbers(drift.expected[here])), ("yours", numbers(drift.got[here]))]
        return [
            f"{drift.name} over the {len(drift.got)} steps",
            *(f"{title:<10}{line}".rstrip() for title, line in rows),
        ]
    pair = table(exercise, seen)
    if pair is None:
        return []
    down, across = axis_names(pair)
    head = f"Where the error{whose(seen, pair)} is" + (f" ({down} ↓, {across} →)" if down else f" ({across} →)")
    return [
        f"{head}, from none ' ' to largest '@', '!' not a number:",
        *("|" + shades(row) + "|" for row in errors(pair)),
    ]


def window(drift: Drift) -> slice:
    """The steps around the first wrong one, as many as a line has room for."""
    begin = max(0, min(drift.first - BEFORE, len(drift.got) - WIDE))
    return slice(begin, begin + WIDE)


def numbers(line: Sequence[float]) -> str:
    return " ".join(f"{x:>10.4g}" for x in line)


def shades(row: np.ndarray) -> str:
    return "".join("!" if x > 1 else SHADES[int(np.ceil(x * (len(SHADES) - 1)))] for x in row)
