"""The plots of chapter 13. Each says one thing, in its title.

figures.gaps(compared(), guess=prediction("best"))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import PercentFormatter

from ..drawing import COLOURS, INK, PALE, canvas, guessed, headline, label, titled

__all__ = ["curves", "doubts", "gained", "gaps", "stopped", "weights"]

SEEN, OTHERS = COLOURS[1], COLOURS[0]  # what was trained on, and what was not


def curves(runs: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """Loss by epoch on training and on other digits, (seeds, epochs) each, a panel for each network."""
    figure, panels = canvas(8.6, 3.3, len(runs))
    for axes, (name, (seen, others)) in zip(panels, runs.items(), strict=True):
        for values, colour, word in ((seen, SEEN, "trained on"), (others, OTHERS, "others")):
            epochs = np.arange(1, values.shape[1] + 1)
            axes.plot(epochs, values.mean(axis=0), color=colour, label=word)
            axes.fill_between(epochs, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.2, linewidth=0)
        axes.set(xlabel="epoch", ylim=(0, 2.2))
        axes.set_title(name, loc="left", fontsize=10.5)
        axes.legend(loc="upper right")
    panels[0].set_ylabel("loss, nats")
    headline(figure, "Without a brake the loss on other digits stops falling, and turns")


def gaps(found: Mapping[str, np.ndarray], guess: Any = None) -> None:
    """Accuracy on what was trained on and on others for each method, a dot a seed, a bar the mean."""
    names = sorted(found, key=lambda name: found[name][:, 1].mean())
    figure, axes = canvas(7.6, 0.4 * len(names) + 1.3)
    for i, name in enumerate(names):
        mean = found[name].mean(axis=0)
        axes.plot(mean, [i, i], color=PALE, linewidth=1.4, zorder=0)
        for part, colour, mark in ((0, SEEN, "s"), (1, OTHERS, "o")):
            axes.plot(found[name][:, part], np.full(len(found[name]), i), mark, color=colour, markersize=5, alpha=0.55)
            axes.plot(mean[part], i, "|", color=INK, markersize=15, markeredgewidth=2)
    low = found[names[0]].mean(axis=0)
    for part, colour, word in ((0, SEEN, "trained on"), (1, OTHERS, "others")):
        axes.text(low[part], 0.32, word, color=colour, ha="center")
    yours = guess.strip().casefold() if isinstance(guess, str) else None
    axes.set_yticks(range(len(names)), [f"your guess:  {name}" if name.casefold() == yours else name for name in names])
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set(xlabel="accuracy in inference (dots: seeds, bar: mean)", ylim=(-0.6, len(names) - 0.4))
    headline(figure, "What is given up on the training digits, and what is won on others")


def weights(values: Mapping[str, np.ndarray]) -> None:
    """The first layer's weights, as histograms with one scale."""
    figure, panels = canvas(9.6, 2.9, len(values))
    edges = np.linspace(-0.4, 0.4, 81)
    for axes, (name, w) in zip(panels, values.items(), strict=True):
        height, _ = np.histogram(w, edges)
        axes.stairs(np.maximum(height, 0.5) / w.size, edges, color=OTHERS, fill=True, alpha=0.75)
        near = float(np.mean(np.abs(w) < 0.005))
        axes.set(xlabel="weight", yscale="log", ylim=(1e-4, 1))
        axes.set_title(f"{name}\n{near:.0%} within 0.005 of 0", loc="left", fontsize=10)
    panels[0].set_ylabel("share of the weights")
    headline(figure, "ℓ1 makes weights vanish; ℓ2 and decay make them smaller")


def stopped(losses: Sequence[float], chosen: int, stop: int, guess: Any = None) -> None:
    """Validation loss by epoch, the epoch that is chosen, and the one at which a run would have stopped."""
    _, axes = canvas(7.2, 3.4)
    epochs = np.arange(1, len(losses) + 1)
    axes.plot(epochs, losses, color=OTHERS)
    axes.axvspan(chosen, stop, color=PALE, alpha=0.2, linewidth=0)
    axes.plot(chosen, losses[chosen - 1], "o", color=SEEN, markersize=9)
    label(axes, chosen, losses[chosen - 1], f"kept: epoch {chosen}", SEEN, xytext=(0, -18))
    label(axes, stop, max(losses[stop - 1 :]), f"stopped after epoch {stop}", INK, xytext=(6, 0))
    guessed(axes, guess)
    if axes.get_legend_handles_labels()[0]:
        axes.legend()
    axes.set(xlabel="epoch", ylabel="validation loss, nats", ylim=(0, 1.15 * max(losses)))
    titled(axes, "The patience is spent in vain, and has to be")


def gained(points: Sequence[float], guess: Any = None) -> None:
    """How many points of accuracy the mean of many passes has won over a single one without dropout, a dot a seed."""
    _, axes = canvas(5.2, 2.6)
    axes.axhline(0, color=PALE, linewidth=1)
    axes.plot(range(1, len(points) + 1), points, "o", color=OTHERS, markersize=8)
    guessed(axes, guess, horizontal=True)
    if axes.get_legend_handles_labels()[0]:
        axes.legend()
    reach = 1.3 * max(1.0, *np.abs(points))
    low, high = axes.get_ylim()
    axes.set(xlabel="seed", ylabel="points gained", xticks=range(1, len(points) + 1), xlim=(0.5, len(points) + 0.5),
             ylim=(min(low, -reach), max(high, reach)))  # fmt: skip
    titled(axes, "A hundred passes hardly improve the answer")


def doubts(pictures: np.ndarray, means: np.ndarray, stds: np.ndarray, names: Sequence[str]) -> None:
    """Pictures (P, 8, 8) above the mean probabilities (P, 10) of all digits, with their deviations."""
    figure, panels = canvas(1.6 * len(pictures) + 0.6, 3.6, columns=len(pictures), rows=2)
    for i, (top, bottom) in enumerate(panels.T):
        top.imshow(pictures[i], cmap="gray_r", extent=(1, 8, 1, 8))
        top.set_axis_off()
        top.set_title(names[i], fontsize=9.5)
        bottom.bar(range(10), means[i], color=OTHERS, alpha=0.75)
        bottom.errorbar(range(10), means[i], stds[i], fmt="none", ecolor=INK, elinewidth=1.2)
        bottom.set(ylim=(0, 1.15), xticks=[0, 3, 6, 9], yticks=[0, 0.5, 1] if i == 0 else [], xlabel="digit")
    panels[1, 0].set_ylabel("probability")
    headline(figure, "Mean and deviation of a hundred answers: real digits, and pictures that are none")
