"""Plots of training: how loss and metrics went, what the rate did meanwhile, which rate to take, which run to prefer.

    from gradschool import plots

    plots.learning_curves(history, units={"loss": "nats"})              # training and validation, one panel each
    plots.schedules(history)                                            # rate, momentum, and the loss below them
    plots.range_test(test)
    plots.compare({"sgd": sgd_runs, "adam": adam_runs}, "val_loss")     # several seeds each: mean and spread

Each returns a Matplotlib figure, which a notebook shows and `figure.savefig("curves.png")` writes. Nothing is drawn on
a figure that was there before, and none is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .history import History, says_larger
from .range_test import RangeTest

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["compare", "learning_curves", "range_test", "schedules"]

# Okabe and Ito's colours, told apart by colour-blind eyes; the first two are training and validation throughout.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#6b6b6b")
INK, PALE = "#333333", "#b5b5b5"


def learning_curves(
    history: History,
    names: Sequence[str] | None = None,
    *,
    units: Mapping[str, str] | None = None,
    shift: bool = True,
    maximize: Sequence[str] | None = None,
) -> Figure:
    """Loss and metrics over the epochs, a panel for each, training beside validation, the best epoch marked.

    names      which of `history.epochs`, without "val_"; all unless given
    units      what the numbers are measured in, by name: {"loss": "nats"}
    shift      draw training values half an epoch earlier: they are means over an epoch in which the model still
               improved, and so belong to its middle, while validation sees the model at its end
    maximize   the metrics of which a large value is good; None takes it from their names, as `EarlyStopping` does
    """
    names = names or [name for name in history.epochs if not name.startswith("val_")]
    figure, axes = panels(1, len(names))
    for ax, name in zip(axes, names, strict=True):
        measured = np.arange(1, history.epochs_done + 1)
        curve(ax, measured - 0.5 * shift, history.values(name), "training", COLORS[0])
        if f"val_{name}" in history.epochs:
            values = history.values(f"val_{name}")
            curve(ax, measured, values, "validation", COLORS[1])
            mark(
                ax,
                history.best_epoch(f"val_{name}", says_larger(name) if maximize is None else name in maximize),
                values,
            )
        finish(ax, "epoch", labelled(name, units))
        legend(ax)
    return figure


def schedules(history: History, monitor: str = "loss", *, units: Mapping[str, str] | None = None) -> Figure:
    """The learning rate of every step, each other scheduled option, and a loss or metric, above one another.

    Units of the monitored value by its name, as in `learning_curves`. The horizontal axis counts epochs, so that steps
    and epochs stand in one place.
    """
    tracks = {"learning rate": history.rates, **history.hyper}
    figure, axes = panels(len(tracks) + 1, 1)
    when = np.arange(len(history.rates)) / max(history.steps_per_epoch, 1)
    for ax, (name, values), color in zip(axes[:-1], tracks.items(), (INK, *COLORS[2:]), strict=False):
        ax.plot(when, values, color=color, linewidth=1.8)
        finish(ax, "", f"{name} (per step)" if name == "learning rate" else name)
    last = axes[-1]
    shown = [name for name in (monitor, f"val_{monitor}") if name in history.epochs] or [monitor]
    for name, color in zip(shown, COLORS, strict=False):
        label = "validation" if name.startswith("val_") else "training"
        offset = 0.5 if label == "training" else 1.0
        curve(last, np.arange(history.epochs_done) + offset, history.values(name), label, color)
    finish(last, "epoch", labelled(monitor, units))
    legend(last)
    for ax in axes:
        ax.sharex(last)
        ax.tick_params(labelbottom=ax is last)
    figure.align_ylabels()
    return figure


def range_test(test: RangeTest, *, unit: str = "") -> Figure:
    """Loss over rate, with the rate where it shoots up and the two that rules pick below it. `unit` is the loss'."""
    figure, (ax,) = panels(1, 1)
    ax.plot(test.rates, test.losses, color=PALE, linewidth=0.9, label="a batch")
    ax.plot(test.rates, test.smoothed, color=COLORS[0], linewidth=2.2, label="smoothed")
    ax.set_xscale("log")
    room(ax, test)
    for rate, label, color in (
        (test.pick("tenth"), "a tenth", COLORS[2]),
        (test.pick("half"), "half", COLORS[4]),
        (test.highest, "shoots up", COLORS[1]),
    ):
        ax.axvline(rate, color=color, linewidth=1.4, linestyle=(0, (4, 2)), label=f"{label}: {rate:.2g}")
    finish(ax, "learning rate (per step)", labelled("loss", {"loss": unit} if unit else None))
    legend(ax)
    return figure


def room(ax: Axes, test: RangeTest) -> None:
    """Show what leads to the explosion, not its height."""
    low, start = min(test.smoothed), test.smoothed[0]
    height = max(start - low, 1e-12)
    ax.set_ylim(low - 0.25 * height, start + 0.3 * height)


def compare(
    runs: Mapping[str, History | Sequence[History]],
    name: str = "val_loss",
    *,
    units: Mapping[str, str] | None = None,
    log: bool = False,
) -> Figure:
    """One value over the epochs for several kinds of run; where there are several of a kind (other seeds), their mean
    with a band from the lowest to the highest. Runs that ended early leave the band at their end.

    Raises ValueError if there is nothing to compare, or if a run did not record the value.
    """
    if not runs:
        raise ValueError('compare: expected at least one run, as in compare({"adam": history})')
    figure, (ax,) = panels(1, 1)
    for (label, some), color in zip(runs.items(), COLORS * len(runs), strict=False):
        several = [some] if isinstance(some, History) else list(some)
        table = side_by_side([history.values(name) for history in several])
        epochs = np.arange(1, table.shape[1] + 1)
        count = f" ({len(several)} runs)" if len(several) > 1 else ""
        ax.plot(epochs, np.nanmean(table, axis=0), color=color, linewidth=2, label=f"{label}{count}")
        if len(several) > 1:
            low, high = np.nanmin(table, axis=0), np.nanmax(table, axis=0)
            ax.fill_between(epochs, low, high, color=color, alpha=0.18, linewidth=0)
    if log:
        ax.set_yscale("log")
    finish(ax, "epoch", labelled(name.replace("val_", "validation "), units, name))
    legend(ax)
    return figure


def side_by_side(rows: Sequence[Sequence[float]]) -> np.ndarray:
    """A table (runs, epochs) with NaN where a run was over, cut where all are."""
    table = np.full((len(rows), max(map(len, rows))), np.nan)
    for k, row in enumerate(rows):
        table[k, : len(row)] = row
    return table[:, ~np.isnan(table).all(axis=0)]


# ---------------------------------------------------------------------------------------------------------------- parts
def panels(rows: int, columns: int) -> tuple[Figure, Sequence[Axes]]:
    try:
        import matplotlib.pyplot  # noqa: F401  (it tells a notebook how to show a figure)
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("gradschool.plots needs Matplotlib: pip install matplotlib") from error
    figure = Figure(figsize=(max(5.4, 4.4 * columns), 3.4 if rows == 1 else 1.9 * rows), dpi=110, layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False).ravel().tolist()


def curve(ax: Axes, x: Any, y: Any, label: str, color: str) -> None:
    dots = "o" if len(y) <= 15 else ""  # a line through a single epoch would show nothing
    ax.plot(x, y, color=color, linewidth=2, marker=dots, markersize=3.5, label=label)


def mark(ax: Axes, epoch: int, values: Sequence[float]) -> None:
    if epoch:
        best = values[epoch - 1]
        ax.plot([epoch], [best], "o", markersize=8, markerfacecolor="none", markeredgecolor=COLORS[1], zorder=3,
                label=f"best: {best:.4g} in epoch {epoch}")  # fmt: skip


def labelled(name: str, units: Mapping[str, str] | None, key: str | None = None) -> str:
    unit = (units or {}).get(key or name, "")
    return f"{name.replace('_', ' ')} ({unit})" if unit else name.replace("_", " ")


def finish(ax: Axes, x: str, y: str) -> None:
    ax.set_xlabel(x, color=INK)
    ax.set_ylabel(y, color=INK)
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(PALE)
    ax.tick_params(colors=INK, labelsize=9)
    ax.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    ax.set_axisbelow(True)
    if x == "epoch":
        from matplotlib.ticker import MaxNLocator

        ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def legend(ax: Axes) -> None:
    ax.legend(frameon=False, fontsize=9, labelcolor=INK)
