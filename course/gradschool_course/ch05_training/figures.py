"""The plots of chapter 5. Each says one thing, in its title.

figures.rates(BOWL, {"0.02": places, "0.18": places, "0.205": places})
figures.learning(loss, val_loss, guess=12)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.colors import ListedColormap

from ..drawing import COLOURS, INK, PALE, canvas, guessed, headline, label, titled
from .landscapes import Landscape

MARKS = {"min": ("o", "#ffffff"), "saddle": ("X", "#ffffff"), "max": ("^", "#ffffff"), "degenerate": ("s", "#ffffff")}


def rates(landscape: Landscape, paths: Mapping[str, np.ndarray]) -> None:
    """The same descent at several rates, one panel each."""
    figure, panels = canvas(9.6, 3.2, columns=len(paths))
    grid = np.stack(np.meshgrid(np.linspace(-3.4, 3.4, 90), np.linspace(-1.6, 1.6, 90)))
    for axes, (name, path) in zip(panels, paths.items(), strict=True):
        axes.contour(*grid, landscape.f(grid), levels=12, colors=PALE, linewidths=0.6)
        axes.plot(*path.T, "o-", color=COLOURS[0], markersize=3, linewidth=1.3)
        axes.plot(0, 0, "+", color=INK, markersize=10)
        axes.set(xlim=(-3.4, 3.4), ylim=(-1.6, 1.6), xlabel="$x_1$")
        titled(axes, name)
    panels[0].set_ylabel("$x_2$")
    headline(figure, "Too small, right, too large: the steepest direction decides")


def stability(lrs: Sequence[float], distances: Sequence[float], limit: float, guess: Any = None) -> None:
    """How far from the bottom a descent ends, by its rate, and the limit above which it leaves."""
    _, axes = canvas(7.2, 3.2)
    axes.semilogy(lrs, distances, color=COLOURS[0])
    axes.axvline(limit, color=COLOURS[1], linewidth=1.2)
    words = rf"$2 / \lambda_\mathrm{{max}}$ = {limit:.3g}"
    label(axes, limit, max(distances), words, COLOURS[1], ha="right", xytext=(-6, -8))
    guessed(axes, guess)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower left")
    axes.set(xlabel="learning rate", ylabel="distance from the bottom\nafter 30 steps")
    titled(axes, "Just below the limit is best, just above it is lost")


def basins(
    panels: Sequence[tuple[str, np.ndarray, np.ndarray]], reach: float, kinds: Sequence[tuple[Any, str]]
) -> None:
    """Which end each start leads to: (title, heights (n, n), number of the end (n, n)); `kinds` mark the last panel."""
    figure, both = canvas(9.0, 4.2, columns=len(panels))
    extent = (-reach, reach, -reach, reach)
    for axes, (name, heights, ends) in zip(both, panels, strict=True):
        colours = ListedColormap([COLOURS[i] for i in (5, 4, 2, 3)][: int(ends.max()) + 1])
        axes.imshow(ends, origin="lower", extent=extent, cmap=colours, alpha=0.65, aspect="equal")
        axes.contour(np.log1p(heights), levels=10, extent=extent, colors=INK, linewidths=0.4, alpha=0.6)
        axes.set(xlabel="$x_1$")
        titled(axes, name)
    both[0].set_ylabel("$x_2$")
    both[0].plot(0, 0, "o", color="#ffffff", markeredgecolor=INK, markersize=8)
    for place, kind in kinds:
        mark, fill = MARKS[kind]
        first = kind not in both[-1].get_legend_handles_labels()[1]
        name = kind if first else None
        both[-1].plot(*place, mark, color=fill, markeredgecolor=INK, markersize=8, label=name, linestyle="none")
    both[-1].legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=4)
    headline(figure, "In a bowl every start has one end; elsewhere the start decides")


def saddle(paths: Mapping[str, np.ndarray], exact: Mapping[str, np.ndarray], guess: Any = None) -> None:
    """How far three optimizers are off the axis, by the step, from 1e-6 off it and from exactly on it."""
    figure, (left, right) = canvas(9.4, 3.8, columns=2)
    for i, (name, path) in enumerate(paths.items()):
        style = ("-", (0, (5, 2)), (0, (1, 1)))[i]
        left.plot(path[:, 0], path[:, 1], color=COLOURS[i], linestyle=style)
        right.semilogy(np.abs(path[:, 1]), color=COLOURS[i], linestyle=style, label=name)
    for i, path in enumerate(exact.values()):
        left.plot(*path[-1], "s", color=COLOURS[i], markersize=11 - 3 * i, fillstyle="none")
    left.plot(0, 0, "x", color=INK, markersize=9)
    label(left, 0, 0, "saddle", xytext=(8, -14))
    label(left, 0, 1, "valley", xytext=(8, 2))
    left.plot([0], [1], "*", color=INK)
    left.set(xlabel="$x_1$", ylabel="$x_2$", ylim=(-0.25, 1.45))
    right.axhline(0.5, color=PALE, linewidth=1)
    guessed(right, guess)
    right.set(xlabel="step", ylabel="|$x_2$|, distance from the axis")
    right.legend(loc="lower right")
    headline(figure, "Exactly on the axis (squares) all three stay; 1e-6 off it they only wait")


def sweep(losses: Mapping[float, np.ndarray], guess: Any = None) -> None:
    """Training loss by the epoch at three rates, (seeds, epochs) each: their mean, and the range of the seeds."""
    figure, panels = canvas(9.6, 3.2, columns=len(losses))
    for axes, (lr, runs), word in zip(panels, losses.items(), ("too small", "right", "too large"), strict=True):
        epochs = np.arange(1, runs.shape[1] + 1)
        axes.fill_between(epochs, runs.min(axis=0), runs.max(axis=0), color=COLOURS[0], alpha=0.25, linewidth=0)
        axes.plot(epochs, runs.mean(axis=0), color=COLOURS[0])
        axes.set(xlabel="epoch", yscale="log", ylim=(1e-2, 30))
        titled(axes, f"lr = {lr:g}: {word}" + ("  (your guess)" if guess == lr else ""))
    panels[0].set_ylabel("training loss (band: seeds)")
    headline(figure, "The same network, the same batches, three rates")


def learning(loss: np.ndarray, val_loss: np.ndarray, guess: Any = None) -> None:
    """Training and validation loss by the epoch, (seeds, epochs) each, with the lowest validation loss marked."""
    figure, axes = canvas(7.2, 3.8)
    epochs = np.arange(1, loss.shape[1] + 1)
    for runs, name, colour, style in (
        (loss, "training", COLOURS[0], "-"),
        (val_loss, "validation", COLOURS[1], (0, (5, 2))),
    ):
        mean, spread = runs.mean(axis=0), runs.std(axis=0)
        axes.fill_between(epochs, mean - spread, mean + spread, color=colour, alpha=0.2, linewidth=0)
        axes.plot(epochs, mean, color=colour, linestyle=style, label=name)
    best = int(val_loss.mean(axis=0).argmin())
    axes.plot(epochs[best], val_loss.mean(axis=0)[best], "o", color=COLOURS[1])
    guessed(axes, guess)
    axes.legend()
    axes.set(xlabel="epoch", ylabel="loss (band: deviation of seeds)", ylim=(0, 1))
    headline(figure, "Training goes on improving; validation stops")


def clipped(losses: Mapping[str, np.ndarray], guess: Any = None) -> None:
    """Validation loss by the epoch with and without clipping, (seeds, epochs) each."""
    figure, axes = canvas(7.2, 3.6)
    for i, (name, runs) in enumerate(losses.items()):
        epochs = np.arange(1, runs.shape[1] + 1)
        axes.fill_between(epochs, runs.min(axis=0), runs.max(axis=0), color=COLOURS[i], alpha=0.2, linewidth=0)
        axes.semilogy(epochs, np.median(runs, axis=0), color=COLOURS[i], linestyle=("-", "--", ":")[i % 3], label=name)
    guessed(axes, guess, horizontal=True)
    axes.legend(loc="center right", bbox_to_anchor=(1.0, 0.62))
    axes.set(xlabel="epoch", ylabel="validation loss (band: seeds)")
    axes.set_yticks([0.1, 0.2, 0.5, 1.0, 2.0], ["0.1", "0.2", "0.5", "1", "2"])
    axes.minorticks_off()
    headline(figure, "Three images in the wrong units, and what is left of the training")
