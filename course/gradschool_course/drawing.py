"""What the figures of the chapters share: a style, titles that say one thing, names beside their lines, and the
prediction of the reader drawn into the result.

figure, axes = canvas(7.2, 3.9)
axes.plot(steps, losses, color=COLOURS[0])
label(axes, steps[-1], losses[-1], "momentum", COLOURS[0])
guessed(axes, prediction("best_rate"))                      # a dotted line, if it was a number
headline(figure, "Momentum runs along the valley")
"""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

__all__ = ["COLOURS", "INK", "PALE", "canvas", "guessed", "headline", "label", "titled"]

INK, PALE = "#222222", "#9a9a9a"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#6B6B6B")  # Okabe and Ito
STYLE = {
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "font.size": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": PALE,
    "axes.labelcolor": INK,
    "xtick.color": "#555555",
    "ytick.color": "#555555",
    "lines.linewidth": 2.2,
    "legend.frameon": False,
}


def canvas(width: float, height: float, columns: int = 1, rows: int = 1) -> tuple[Any, Any]:
    """A figure in the chapter's style, and its axes; panels that lie on each other share x."""
    settings: Any = plt.rcParams
    before = {name: settings[name] for name in STYLE}  # rc_context would also undo what a notebook's backend sets
    settings.update(STYLE)
    try:
        return plt.subplots(rows, columns, figsize=(width, height), sharex=rows > 1)
    finally:
        settings.update(before)


def headline(figure: Any, text: str) -> None:
    figure.suptitle(text, x=0.01, ha="left", fontsize=11.5, fontweight="bold", color=INK)


def titled(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=11.5, fontweight="bold", color=INK)


def label(axes: Axes, x: float, y: float, text: str, colour: str = INK, **options: Any) -> None:
    axes.annotate(text, (x, y), color=colour, **{"xytext": (6, 4), "textcoords": "offset points", **options})


def guessed(axes: Axes, guess: Any, horizontal: bool = False) -> None:
    """The reader's prediction, if it is a number, as a dotted line."""
    if isinstance(guess, bool) or not isinstance(guess, int | float):
        return
    line = axes.axhline if horizontal else axes.axvline
    line(guess, color=INK, linestyle=":", linewidth=1.4, label="your prediction")
