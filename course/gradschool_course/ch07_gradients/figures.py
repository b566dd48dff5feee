"""The plots of chapter 7. Each says one thing, in its title.

figures.layers({"tanh": (seeds, layers), ...}, "deviation", "It stays", guess=0.3)
figures.hundred({"SELU": deep.fit("SELU", ...), ...}, guess=0.5)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.ticker import FixedLocator, MaxNLocator, NullFormatter, PercentFormatter, ScalarFormatter

from ..drawing import COLOURS, INK, PALE, canvas, guessed, headline, label, titled
from .deep import Run

__all__ = ["clipped", "curves", "dead", "hundred", "layers", "saturation", "slopes"]

STYLES = ("-", (0, (6, 2)), (0, (2, 1.5)), "-.")


def saturation() -> None:
    """The sigmoid and its slope, with the two flat parts marked."""
    figure, axes = canvas(7.2, 3.2)
    z = np.linspace(-8, 8, 400)
    p = 1 / (1 + np.exp(-z))
    axes.axvspan(-8, -4, color=PALE, alpha=0.15)
    axes.axvspan(4, 8, color=PALE, alpha=0.15)
    axes.plot(z, p, color=COLOURS[0])
    axes.plot(z, p * (1 - p), color=COLOURS[1], linestyle=STYLES[1])
    label(axes, 1.6, 0.84, "sigmoid", COLOURS[0], ha="right")
    label(axes, 0.4, 0.25, "its slope, at most ¼", COLOURS[1])
    axes.set(xlabel="input of the unit", ylabel="output, slope", xlim=(-8, 8))
    headline(figure, "A saturated unit has no slope to pass a gradient through")


def curves(activations: Mapping[str, Any]) -> None:
    """Activations and their slopes side by side."""
    figure, (left, right) = canvas(8.6, 3.3, columns=2)
    z = np.linspace(-3, 2, 501)
    for i, (name, (act, slope)) in enumerate(activations.items()):
        left.plot(z, act(z), color=COLOURS[i], linestyle=STYLES[i % 4], label=name)
        right.plot(z, slope(z), color=COLOURS[i], linestyle=STYLES[i % 4])
    titled(left, "activation")
    titled(right, "slope")
    left.legend(frameon=False)
    for axes in (left, right):
        axes.set_xlabel("input of the unit")
    left.set_ylabel("output")
    headline(figure, "Left of zero they differ: nothing, a leak, or a floor")


def number(guess: Any) -> bool:
    """Whether a guess can be drawn, on a logarithmic axis, too."""
    return isinstance(guess, int | float) and not isinstance(guess, bool) and guess > 0


def band(axes: Any, x: Any, several: np.ndarray, i: int, **options: Any) -> None:
    """The mean over the seeds as a line, and all of them as a band: several (points, seeds)."""
    axes.plot(x, several.mean(axis=1), color=COLOURS[i], **{"linestyle": STYLES[i % 4], **options})
    axes.fill_between(x, several.min(axis=1), several.max(axis=1), color=COLOURS[i], alpha=0.18, linewidth=0)


def layers(
    measured: Mapping[str, np.ndarray], ylabel: str, says: str, guess: Any = None, times_shorter: Any = None
) -> None:
    """A quantity by the layer (seeds, layers): the geometric mean as a line, the range over seeds as a band.

    `guess` is a value; `times_shorter` how many times smaller somebody thinks the first line is in its first layer than
    in its last.
    """
    figure, axes = canvas(7.4, 3.8)
    for i, (name, values) in enumerate(measured.items()):
        values = np.maximum(values, 1e-18)
        at = np.arange(1, values.shape[1] + 1)
        middle = np.exp(np.log(values).mean(axis=0))
        axes.fill_between(at, values.min(axis=0), values.max(axis=0), color=COLOURS[i], alpha=0.18, linewidth=0)
        axes.semilogy(at, middle, color=COLOURS[i], linestyle=STYLES[i % 4], label=name)
        if i == 0 and number(times_shorter):
            options = {"color": "white", "markeredgecolor": INK, "markersize": 8, "linestyle": "", "zorder": 4}
            axes.plot(1, middle[-1] / times_shorter, "D", label="your prediction", **options)
    guessed(axes, guess if number(guess) else None, horizontal=True)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="layer (band: all seeds)", ylabel=ylabel)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    headline(figure, says)


def slopes(accuracies: Mapping[str, np.ndarray]) -> None:
    """Accuracy by epoch (epochs, seeds) for each way to treat the left side."""
    figure, axes = canvas(7.4, 3.6)
    for i, (name, several) in enumerate(accuracies.items()):
        band(axes, np.arange(1, len(several) + 1), several, i, label=name)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="epoch (band: all seeds)", ylabel="accuracy on other digits")
    axes.legend(loc="lower right", frameon=False)
    headline(figure, "Any leak is ahead at first; whether it is learned makes no difference")


def dead(rates: Any, off: Mapping[str, np.ndarray], accuracies: Mapping[str, np.ndarray], guess: Any = None) -> None:
    """Over the learning rate, (rates, seeds): the share of units without a slope, and the accuracy."""
    figure, (left, right) = canvas(9.0, 3.4, columns=2)
    for i, name in enumerate(off):
        band(left, rates, off[name], i, label=name, marker="o", markersize=4)
        band(right, rates, accuracies[name], i, marker="o", markersize=4)
    guessed(left, guess, horizontal=True)
    titled(left, "units without a slope")
    titled(right, "accuracy on other digits")
    left.legend(frameon=False)
    for axes in (left, right):
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator(list(rates)))
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set(xlabel="learning rate (band: all seeds)", ylim=(-0.03, 1.03))
    headline(figure, "Living units save nobody: the rate that kills them stops all three from learning")


def hundred(runs: Mapping[str, Run], guess: Any = None) -> None:
    """Loss by step, a band of all seeds, and the accuracy in the end, a dot for each seed and a bar for the mean."""
    figure, (left, right) = canvas(9.4, 3.5, columns=2)
    for i, run in enumerate(runs.values()):
        smooth = np.lib.stride_tricks.sliding_window_view(run.losses, 10, axis=0).mean(axis=-1)
        band(left, np.arange(10, len(run.losses) + 1), smooth, i)
        right.plot(run.accuracy, np.full(len(run.accuracy), i), "o", color=COLOURS[i], alpha=0.6, markersize=6)
        right.plot(run.accuracy.mean(), i, "|", color=INK, markersize=16, markeredgewidth=2)
    left.axhline(np.log(10), color=PALE, linewidth=0.9, zorder=0)
    left.text(len(next(iter(runs.values())).losses), np.log(10) + 0.13, "guessing", color="#555555", ha="right")
    left.set(xlabel="step", ylabel="loss, nats, mean of ten steps")
    right.axvline(0.1, color=PALE, linewidth=0.9, zorder=0)
    if number(guess):
        guessed(right, guess)
        label(right, guess, 1.5, "your prediction", INK, fontsize=9)
    right.set_yticks(range(len(runs)), list(runs))
    right.invert_yaxis()
    right.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    right.set(xlabel="accuracy on other digits (dots: seeds, bar: mean)", xlim=(0, 0.8))
    for tick, colour in zip(right.get_yticklabels(), COLOURS, strict=False):
        tick.set_color(colour)
    headline(figure, "Of two networks of a hundred layers one learns")


def clipped(runs: Mapping[str, Run], guess: Any = None) -> None:
    """Loss and length of the gradient by step, as far as they are finite, a band of all seeds."""
    figure, panels = canvas(9.4, 3.5, columns=2)
    for axes, what, name in zip(panels, ("losses", "norms"), ("loss, nats", "length of the gradient"), strict=True):
        for i, (word, run) in enumerate(runs.items()):
            values = getattr(run, what)
            finite = int(np.isfinite(values).all(axis=1).sum())
            band(axes, np.arange(finite), np.minimum(values[:finite], 1e9), i, label=word, linestyle="-", linewidth=1.3)
        axes.set(xlabel="step (band: all seeds)", ylabel=name, yscale="log", ylim=(0.3, 1e4))
    guessed(panels[0], guess if number(guess) else None, horizontal=True)
    panels[0].legend(frameon=False)
    headline(figure, "Clipped, the same start survives its first steps")
