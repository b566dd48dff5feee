"""The figures of a study beside the recorded ones: as a table for terminals, as Markdown, and as curves.

say(table(experiment, results))
markdown(experiment, results)
draw(experiment, results, folder / "X-c.png")
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .experiments import Experiment
from .run import Result

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["draw", "headline", "markdown", "rows", "table"]

Row = tuple[str, str, str, str]
HEADER = ("", "ours", "recorded", "runs of 2021, 2020, 2019")


def headline(experiment: Experiment, results: Sequence[Result]) -> str:
    """What was done, and in what it differs from what was recorded."""
    words = [f"{experiment.name}  {experiment.title}"]
    used = {result.data for result in results} - {experiment.data}
    if used:
        words.append(f"on {', '.join(sorted(used))} in place of {experiment.data}: no comparison of figures")
    first = results[0]
    if first.images or first.epochs:
        cuts = [f"{value} {what}" for value, what in ((first.images, "images"), (first.epochs, "epochs")) if value]
        words.append(f"shortened to {' and '.join(cuts)}: no comparison of figures")
    return "; ".join(words)


def rows(experiment: Experiment, results: Sequence[Result]) -> list[Row]:
    """(measure, ours as mean ± deviation over the seeds, recorded mean ± deviation, the recorded runs)."""
    names = dict.fromkeys([*(name for result in results for name in result.measures), *experiment.recorded])
    found = []
    for name in names:
        ours = [result.measures[name] for result in results if name in result.measures]
        runs = experiment.recorded.get(name, ())
        known = [value for value in runs if value is not None]
        said = ", ".join("–" if value is None else number(value) for value in runs)
        found.append((name, spread(ours), spread(known), said))
    return found


def number(value: float) -> str:
    return f"{value:.4f}" if value < 3 and value % 1 else f"{value:.4g}"


def spread(values: Sequence[float]) -> str:
    if not values:
        return "–"
    mean = statistics.fmean(values)
    return number(mean) if len(values) == 1 else f"{mean:.4g} ± {statistics.stdev(values):.2g}"


def table(experiment: Experiment, results: Sequence[Result]) -> Table:
    from rich.table import Table

    seeds = f"{len(results)} seed{'s' if len(results) > 1 else ''}"
    shown = Table(title=headline(experiment, results), title_justify="left", title_style="bold", box=None)
    for column in (HEADER[0], f"ours, {seeds}", *HEADER[2:]):
        shown.add_column(column, justify="left" if not column else "right")
    for row in rows(experiment, results):
        shown.add_row(*row)
    return shown


def markdown(experiment: Experiment, results: Sequence[Result]) -> str:
    lines = [f"**{headline(experiment, results)}**", "", f"| {' | '.join(HEADER)} |", "|---|---|---|---|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows(experiment, results))]) + "\n"


def draw(experiment: Experiment, results: Sequence[Result], file: Path) -> Path | None:
    """Loss and accuracy over the epochs, a line a seed; None if nothing was trained."""
    names = list(dict.fromkeys(name for result in results for name in result.curves))
    if not names:
        return None
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.2 * len(names)), layout="constrained")
    panels = figure.subplots(len(names), 2, squeeze=False)
    for (left, right), name in zip(panels, names, strict=True):
        for axes, measure, label in ((left, "loss", "loss"), (right, "acc", "accuracy")):
            for result in results:
                curve = result.curves.get(name, {})
                for key, color in ((measure, "#9aa5b1"), (f"val_{measure}", "#1f5fa8")):
                    values = curve.get(key, [])
                    axes.plot(range(1, len(values) + 1), values, color=color, lw=1.4, alpha=0.9)
            recorded = experiment.recorded.get(f"val_{measure}") or experiment.recorded.get(f"best val_{measure}") or ()
            for value in (value for value in recorded if value is not None):
                axes.axhline(value, color="#c4621b", lw=1, ls=":")
            axes.set(xlabel="epoch", ylabel=label)
            axes.spines[["top", "right"]].set_visible(False)
        left.set_title(f"{experiment.name}: {name}" if len(names) > 1 else f"{experiment.name}: {experiment.title}",
                       loc="left", fontsize=10)  # fmt: skip
        right.set_title("grey: training, blue: validation, dotted: recorded", loc="left", fontsize=9, color="#555")
    figure.savefig(file, dpi=130)
    return file
