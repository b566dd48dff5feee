"""The plots of chapter 8. Each says one thing, in its title; a colour means the same network in all of them.

figures.company()
figures.rates(lrs, losses, limit=0.5, guess=prediction("factor"))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, NullFormatter, PercentFormatter, ScalarFormatter

from ..drawing import COLOURS, INK, PALE, canvas, headline, label, titled

__all__ = ["company", "curves", "histograms", "quantiles", "rates", "recount", "sizes", "traces"]

COLOUR = {
    "none": COLOURS[6],
    "before": COLOURS[0],
    "after": COLOURS[1],
    "batch norm": COLOURS[0],
    "layer norm": COLOURS[2],
}
WORDS = {"none": "without", "before": "batch norm before the activation", "after": "batch norm after the activation"}


def band(axes: Any, x: Any, several: np.ndarray, colour: str, marker: str = "") -> None:
    """The mean over the seeds as a line, and all of them as a band: several (seeds, points)."""
    axes.plot(x, several.mean(axis=0), color=colour, marker=marker)
    axes.fill_between(x, several.min(axis=0), several.max(axis=0), color=colour, alpha=0.18, linewidth=0)


def diamond(axes: Any, x: float, guess: Any) -> None:
    """The reader's prediction of what happens at x, if it is a number."""
    if isinstance(guess, int | float) and not isinstance(guess, bool):
        axes.plot(x, guess, "D", color="white", markeredgecolor=INK, markersize=8, zorder=4)
        label(axes, x, guess, "your prediction", INK, xytext=(9, -4), fontsize=9)


# --------------------------------------------------------------------------------------------- who shares a mean
def company(N: int = 4, C: int = 6) -> None:
    """A grid of samples and channels for each norm; cells of one shade share a mean with the marked cell."""
    norms: dict[str, Callable[[int, int], bool]] = {
        "batch norm": lambda n, c: c == 1,
        "layer norm": lambda n, c: n == 1,
        "group norm, 2 groups": lambda n, c: n == 1 and c < C // 2,
        "instance norm": lambda n, c: n == 1 and c == 1,
    }
    figure, panels = canvas(9.4, 2.5, len(norms))
    for axes, (name, shares) in zip(panels, norms.items(), strict=True):
        for n in range(N):
            for c in range(C):
                face = COLOURS[5] if shares(n, c) else "#f2f2f2"
                axes.add_patch(Rectangle((c, N - 1 - n), 0.92, 0.92, facecolor=face, edgecolor="white"))
        axes.plot(1.46, N - 1.54, "o", color=INK, markersize=6)
        axes.set(xlim=(-0.1, C), ylim=(-0.1, N), xticks=[], yticks=[], aspect="equal", xlabel="channels")
        axes.spines[:].set_visible(False)
        axes.set_title(name, loc="left", fontsize=10.5)
    panels[0].set_ylabel("samples")
    headline(figure, "Each square is a channel of a sample, all places of it. Who shares the mean of the dot?")


# ------------------------------------------------------------------------------------------------------- learning rates
def rates(
    lrs: np.ndarray, losses: Mapping[str, np.ndarray], limit: float, guess: Any = None, ceiling: float = 3.0
) -> dict[str, float]:
    """The loss over the rate, (rates, seeds) for each network; the largest rate usable at every seed, by name."""
    _, axes = canvas(7.4, 4.0)
    largest = {}
    for name, several in losses.items():
        seen = np.minimum(several, ceiling)
        band(axes, lrs, seen.T, COLOUR[name], "o")
        good = np.flatnonzero((several < limit).all(axis=1))
        largest[name] = float(lrs[good[-1]]) if len(good) else float("nan")
        axes.axvline(largest[name], ymax=limit / (ceiling * 1.08), color=COLOUR[name], linewidth=1.2)
    axes.axhline(limit, color=PALE, linewidth=1)
    where = {"transform": axes.get_yaxis_transform(), "va": "center", "fontsize": 9}
    axes.text(1.01, limit, f"usable:\nbelow {limit:g}", color="#555555", **where)
    for name, several in losses.items():  # each at the middle rate, above its band
        middle = len(lrs) // 2
        top = float(np.minimum(several[middle], ceiling).max())
        axes.text(lrs[middle], top + 0.1, WORDS[name], color=COLOUR[name], ha="center")
    if isinstance(guess, int | float) and not isinstance(guess, bool) and guess > 0 and "none" in largest:
        axes.axvline(largest["none"] * guess, color=INK, linestyle=":", linewidth=1.4)
        label(axes, largest["none"] * guess, ceiling, "your prediction", INK, xytext=(4, -6), fontsize=9)
    axes.set_xscale("log")
    axes.set(xlabel="learning rate", ylabel="loss after four epochs, nats", ylim=(0, ceiling * 1.08))
    axes.xaxis.set_major_locator(FixedLocator([0.05, 0.1, 0.2, 0.5, 1, 2, 5]))
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks([0, 1, 2, 3], ["0", "1", "2", "3 or\nmore"])
    titled(axes, "The largest usable rate, without batch norm and with it")
    return largest


# ----------------------------------------------------------------------------------------------------- what is inside
def histograms(seen: Mapping[str, np.ndarray], moments: Sequence[int], words: Sequence[str]) -> None:
    """What comes into the last activation, (moments, samples, units), as histograms at some moments."""
    figure, panels = canvas(8.6, 3.3, len(seen))
    for axes, (name, values) in zip(panels, seen.items(), strict=True):
        edges = np.linspace(-8, 6, 85)
        for i, moment in enumerate(moments):
            strength = 0.25 + 0.75 * i / max(len(moments) - 1, 1)
            height, _ = np.histogram(values[moment], edges, density=True)
            axes.stairs(height, edges, color=COLOUR[name], alpha=strength, linewidth=1.9, label=words[i])
        axes.set(xlabel="input of the last activation", yticks=[], xlim=(-8, 6))
        axes.set_title(WORDS[name], loc="left", fontsize=10.5, color=COLOUR[name])
        axes.legend(loc="upper left", fontsize=9, frameon=False)
        axes.spines["left"].set_visible(False)
    headline(figure, "Without batch norm the last layer's inputs keep widening while it learns")


def quantiles(seen: Mapping[str, np.ndarray], every: int, unit: int) -> None:
    """The middle and the inner 70 % of what one unit gets, over the steps."""
    figure, panels = canvas(8.6, 3.1, len(seen))
    for axes, (name, values) in zip(panels, seen.items(), strict=True):
        low, middle, high = np.quantile(values[:, :, unit], [0.15, 0.5, 0.85], axis=1)
        steps = every * np.arange(len(middle))
        axes.plot(steps, middle, color=COLOUR[name])
        axes.fill_between(steps, low, high, color=COLOUR[name], alpha=0.22, linewidth=0)
        axes.axhline(0, color=PALE, linewidth=0.8, zorder=0)
        axes.set(xlabel="step", ylim=(-5, 3))
        axes.set_title(WORDS[name], loc="left", fontsize=10.5, color=COLOUR[name])
    panels[0].set_ylabel("input of one unit")
    headline(figure, "One unit: median and inner 70 % of its inputs, over 359 digits")


# ---------------------------------------------------------------------------------------------------------- experiments
def curves(accuracies: Mapping[str, np.ndarray], guess: Any = None) -> None:
    """Validation accuracy by epoch, (seeds, epochs) for each network; a guess is one at the first epoch."""
    _, axes = canvas(7.2, 3.8)
    for i, (name, several) in enumerate(accuracies.items()):
        epochs = np.arange(1, several.shape[1] + 1)
        band(axes, epochs, several, COLOUR[name], "o")
        axes.text(0.98, 0.06 + 0.08 * i, WORDS[name], transform=axes.transAxes, ha="right", color=COLOUR[name])
    diamond(axes, 1, guess)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set(xlabel="epoch", ylabel="accuracy on validation digits", ylim=(0.5, 1.0))
    titled(axes, "Same rate, same network: normalised, it is ahead from the first epoch on")


def traces(running: Mapping[str, np.ndarray], truth: np.ndarray) -> None:
    """Mean and variance of one unit over the steps, (steps, 2): what is remembered, and what is true."""
    figure, panels = canvas(8.8, 3.3, 2)
    for axes, which, name in zip(panels, (0, 1), ("mean", "variance"), strict=True):
        steps = np.arange(len(truth))
        axes.plot(steps, truth[:, which], ".", color=PALE, markersize=4)
        for (momentum, seen), colour in zip(running.items(), (COLOURS[0], COLOURS[1]), strict=True):
            axes.plot(steps, seen[:, which], color=colour)
            label(axes, steps[-1], seen[-1, which], momentum, colour, xytext=(4, -3), annotation_clip=False)
        axes.set(xlabel="step", ylabel=f"running {name}")
    label(panels[0], 0, truth[0, 0], "all training digits", "#555555", xytext=(16, -3), fontsize=9)
    headline(figure, "What is remembered starts from 0 and 1, and a long memory takes long to forget that")


def sizes(batches: Sequence[int], accuracies: Mapping[str, np.ndarray], guess: Any = None) -> None:
    """Validation accuracy over the size of the batches, (sizes, seeds) for each norm."""
    _, axes = canvas(7.2, 3.8)
    for name, several in accuracies.items():
        band(axes, batches, several.T, COLOUR[name], "o")
    for name, (x, y) in {"batch norm": (8.6, 0.97), "layer norm": (1.03, 0.94)}.items():
        if name in accuracies:
            axes.text(x, y, name, color=COLOUR[name])
    axes.axhline(0.1, color=PALE, linewidth=1, zorder=0)
    axes.text(64, 0.115, "guessing", color="#555555", ha="right", fontsize=9)
    diamond(axes, 1, guess)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(list(batches)))
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set(xlabel="samples in a batch", ylabel="accuracy after one epoch", ylim=(0, 1.04))
    titled(axes, "In small batches batch norm fails, and layer norm does not")


def recount(losses: Mapping[str, np.ndarray]) -> None:
    """Validation loss of the same weights under several statistics, a line for each seed."""
    _, axes = canvas(7.2, 3.4)
    names = list(losses)
    for seed, several in enumerate(np.array([losses[name] for name in names]).T):
        axes.plot(several, np.arange(len(names)), "o-", color=COLOURS[0], alpha=0.45 + 0.2 * seed, linewidth=1.2)
    axes.set_yticks(np.arange(len(names)), names)
    axes.invert_yaxis()
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set(xlabel="validation loss, nats", xlim=(0, None), ylim=(len(names) - 0.6, -0.4))
    titled(axes, "The weights are the same; only what is remembered differs")
