"""The plots of chapter 9. Each says one thing, in its title; a colour means the same way to learn in all of them.

figures.curves(accuracies, thawed=4, guess=prediction("factor"))
figures.depths(depths, {"learned": ..., "random": ...})
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import FixedLocator, NullFormatter, PercentFormatter, ScalarFormatter

from ..drawing import COLOURS, INK, PALE, canvas, guessed, headline, label, titled

__all__ = ["amounts", "bodies", "curves", "depths", "pictures", "planes", "rates", "statistics"]

COLOUR = {
    "task A": COLOURS[1],
    "from scratch": COLOURS[6],
    "B on A": COLOURS[0],
    "only the head": COLOURS[2],
    "B on mixed pixels": COLOURS[3],
    "learned on A": COLOURS[0],
    "random": COLOURS[6],
    "task A, old head": COLOURS[1],
    "task B, new head": COLOURS[0],
}


def band(axes: Any, x: Any, several: np.ndarray, colour: str, name: str, marker: str = "o") -> None:
    """The mean over the seeds as a line, with the standard error of the mean as a bar: several (seeds, points)."""
    error = several.std(axis=0, ddof=1) / np.sqrt(len(several))
    axes.errorbar(x, several.mean(axis=0), error, color=colour, marker=marker, markersize=5, capsize=2.5,
                  elinewidth=1.2, label=name)  # fmt: skip


def guess_of(guess: Any) -> float | None:
    """A prediction that is a positive number."""
    return float(guess) if isinstance(guess, int | float) and not isinstance(guess, bool) and guess > 0 else None


def percent(axes: Any) -> None:
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))


def logarithmic(axes: Any, ticks: Sequence[float]) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(list(ticks)))
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())


def pictures(rows: Mapping[str, np.ndarray]) -> None:
    """Rows of pictures (n, side²), each row with its name."""
    n = min(len(X) for X in rows.values())
    figure, panels = canvas(0.72 * n + 1.6, 0.8 * len(rows) + 0.5, n, len(rows))
    for line, (name, X) in zip(np.atleast_2d(panels), rows.items(), strict=True):
        side = round(X.shape[1] ** 0.5)
        for axes, x in zip(line, X, strict=False):
            axes.imshow(x.reshape(side, side), cmap="gray_r", vmin=0, vmax=1, extent=(0, 1, 0, 1))
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    headline(figure, "What the networks see")


def curves(accuracies: Mapping[str, np.ndarray], thawed: int, guess: Any = None) -> None:
    """Validation accuracy by epoch, (seeds, epochs) for each run; all layers of B on A learn after `thawed` epochs."""
    _, axes = canvas(7.2, 3.9)
    last = max(several.shape[1] for several in accuracies.values())
    for name, several in accuracies.items():
        epochs = np.arange(1, several.shape[1] + 1)
        band(axes, epochs, several, COLOUR[name], name, "")
        label(axes, epochs[-1], several[:, -1].mean(), name, COLOUR[name], xytext=(5, -3), annotation_clip=False)
    axes.axvline(thawed + 0.5, color=PALE, linewidth=1)
    axes.text(thawed + 0.7, 0.505, "all layers of B on A learn from here on", color="#555555", fontsize=9)
    factor = guess_of(guess)
    if factor is not None:
        reached = 1 - (1 - accuracies["from scratch"][:, -1].mean()) / factor
        axes.axhline(reached, color=INK, linestyle=":", linewidth=1.4)
        label(axes, 1, reached, "your prediction", INK, xytext=(60, 4), fontsize=9)
    percent(axes)
    axes.set(xlabel="epoch", ylabel="accuracy on validation pictures", ylim=(0.48, 1.0), xlim=(0.5, last + 3.2))
    axes.xaxis.set_major_locator(FixedLocator([1, 5, 10, 15, 20]))
    titled(axes, "Twenty pictures are enough for a head, and not for a network")


def amounts(
    counts: Sequence[int], accuracies: Mapping[str, np.ndarray], title: str, words: str, guess: Any = None
) -> None:
    """Accuracy over the number of labelled pictures, (seeds, counts) for each way, and a count that was predicted."""
    _, axes = canvas(7.2, 3.9)
    for name, several in accuracies.items():
        band(axes, counts, several, COLOUR[name], name)
    guessed(axes, guess_of(guess))
    logarithmic(axes, counts)
    percent(axes)
    axes.set(xlabel=words, ylabel="validation accuracy")
    axes.legend(loc="lower right", frameon=False)
    titled(axes, title)


def depths(depths: Sequence[int], accuracies: Mapping[str, np.ndarray]) -> None:
    """Accuracy over the number of layers that are frozen, (seeds, depths) for each kind of body."""
    _, axes = canvas(7.2, 3.7)
    for name, several in accuracies.items():
        band(axes, depths, several, COLOUR[name], f"body {name}")
    percent(axes)
    axes.set(xlabel="layers frozen, from the first", ylabel="validation accuracy on B", xticks=list(depths))
    axes.legend(loc="center left", frameon=False)
    titled(axes, "What was learned on A can stand still; what is random should not")


def rates(lrs: Sequence[float], accuracies: Mapping[str, np.ndarray], guess: Any = None) -> None:
    """Accuracy on both tasks over the rate of the second phase, (seeds, rates) each, and a rate that was predicted."""
    _, axes = canvas(7.2, 3.7)
    for name, several in accuracies.items():
        band(axes, lrs, several, COLOUR[name], name)
    guessed(axes, guess_of(guess))
    logarithmic(axes, lrs)
    percent(axes)
    axes.set(xlabel="learning rate of the second phase", ylabel="validation accuracy", ylim=(0, 1.02))
    axes.legend(loc="lower left", frameon=False)
    titled(axes, "A rate that is too high destroys what was learned")


def planes(found: Mapping[str, np.ndarray], y: np.ndarray) -> None:
    """Pictures of two classes in the plane of the first two principal components, a panel for each kind of features."""
    figure, panels = canvas(9.4, 3.2, len(found))
    for axes, (name, points) in zip(panels, found.items(), strict=True):
        for label_, colour in ((0, COLOURS[4]), (1, COLOURS[0])):
            chosen = y == label_
            axes.plot(*points[chosen].T, ".", color=colour, markersize=4, alpha=0.7, label=f"{5 + label_}")
        axes.set(xticks=[], yticks=[])
        axes.set_title(name, loc="left", fontsize=10.5)
    panels[0].set(xlabel="first component", ylabel="second")
    panels[-1].legend(loc="upper right", markerscale=2, frameon=False)
    headline(figure, "Fives and sixes, which A never saw: its features take them apart")


def statistics(accuracies: Mapping[str, np.ndarray], guess: Any = None) -> None:
    """Accuracy with statistics held and following, (seeds, 2) for each kind of data; a word that was predicted."""
    _, axes = canvas(7.2, 0.62 * len(accuracies) + 1.2)
    names = list(accuracies)
    for i, name in enumerate(names):
        held, followed = accuracies[name].T
        for values, colour, mark, words in ((held, COLOURS[0], "o", "held"), (followed, COLOURS[1], "s", "follow")):
            axes.plot(values, np.full(len(values), i), mark, color=colour, markersize=5, alpha=0.5,
                      label=words if i == 0 else None)  # fmt: skip
            axes.plot(values.mean(), i, "|", color=colour, markersize=18, markeredgewidth=2.4)
    if isinstance(guess, str):
        said = guess if guess.casefold() in ("both", "neither") else f"on “{guess}”"
        axes.text(0.02, 0.04, f"you said: {said} held", transform=axes.transAxes, fontsize=9)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set(xlabel="validation accuracy on B (dots: seeds, bar: mean)", ylim=(len(names) - 0.5, -0.5))
    axes.legend(loc="upper left", frameon=False)
    titled(axes, "Neither way to freeze a normalisation is always the better one")


def bodies(accuracies: Mapping[str, Sequence[float]], guess: Any = None) -> None:
    """Accuracy of a head alone on several bodies, (seeds,) for each, and one that was predicted."""
    _, axes = canvas(7.2, 0.55 * len(accuracies) + 1.2)
    for i, values in enumerate(accuracies.values()):
        axes.plot(values, np.full(len(values), i), "o", color=COLOURS[0], markersize=5, alpha=0.5)
        axes.plot(np.mean(values), i, "|", color=COLOURS[0], markersize=18, markeredgewidth=2.4)
    guessed(axes, guess_of(guess))
    axes.set_yticks(range(len(accuracies)), list(accuracies))
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set(xlabel="validation accuracy on B (dots: seeds, bar: mean)", ylim=(len(accuracies) - 0.5, -0.5))
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="center right", frameon=False)
    titled(axes, "To have seen the pictures is not enough")
