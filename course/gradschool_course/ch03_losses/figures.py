"""The plots of chapter 3. Each says one thing, in its title; a colour means the same loss in all of them.

figures.shapes()
figures.constants(trips, c, curves, guess=40)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import NullFormatter, PercentFormatter, ScalarFormatter

import gradschool as gs

from ..drawing import INK, PALE, canvas, guessed, headline, label, titled

COLOUR = {"absolute": "#E08A00", "squared": "#0072B2", "Huber": "#009E73", "cross-entropy": "#C8447A"}


# -------------------------------------------------------------------------------------------------- accuracy and loss
def staircase(weight: np.ndarray, accuracies: np.ndarray, losses: np.ndarray) -> None:
    """Accuracy and cross-entropy while a single weight changes."""
    figure, (top, bottom) = canvas(7.2, 4.4, rows=2)
    top.step(weight, accuracies, where="mid", color=INK, linewidth=1.6)
    top.yaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    top.set_ylabel("accuracy")
    bottom.plot(weight, losses, color=COLOUR["cross-entropy"])
    best = int(np.argmin(losses))
    bottom.plot(weight[best], losses[best], "o", color=COLOUR["cross-entropy"])
    bottom.set(xlabel="one of the 650 parameters", ylabel="cross-entropy")
    headline(figure, "Accuracy has steps and no slope; cross-entropy has a slope everywhere")


# ---------------------------------------------------------------------------------------------------------- regression
def constants(trips: np.ndarray, c: np.ndarray, curves: Mapping[str, np.ndarray], guess: Any = None) -> None:
    """Each loss over the constant c that stands for all trips, scaled to fit; its lowest point; the data below."""
    _, axes = canvas(7.2, 3.9)
    for name, curve in curves.items():
        low, high = float(np.min(curve)), float(np.max(curve))
        best = int(np.argmin(curve))
        axes.plot(c, (curve - low) / (high - low), color=COLOUR[name])
        axes.plot(c[best], 0, "o", markersize=9, color=COLOUR[name], clip_on=False, zorder=3)
        xytext, ha = {"absolute": ((-9, -6), "right"), "Huber": ((9, -6), "left")}.get(name, ((0, 11), "center"))
        label(axes, c[best], 0, f"{name}: {c[best]:.1f}", COLOUR[name], xytext=xytext, ha=ha)
    shown = trips[trips <= c[-1]]
    axes.plot(shown, np.full(len(shown), -0.1), "|", color=INK, markersize=13)
    off = trips[trips > c[-1]]
    if len(off):
        note = f"the ninth trip, {off[0]:g}, is far out there  →"
        axes.text(c[-1], -0.1, note, ha="right", va="center", color=INK, fontsize=9)
    guessed(axes, guess)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper center")
    axes.set(xlabel="constant prediction c, minutes", ylabel="loss, scaled", yticks=[], ylim=(-0.18, 1.02))
    titled(axes, "One wrong entry doubles the mean and does not move the median")


def shapes(delta: float = 1.0) -> None:
    """The three regression losses of one error, and their slopes."""
    d = np.linspace(-3.2, 3.2, 641)
    zero = np.zeros_like(d)
    huber = {"Y": d, "T": zero, "delta": delta, "scale": 1.0}
    losses = {
        "absolute": (gs.l1_loss(d, zero, reduction="none"), np.where(d == 0, np.nan, np.sign(d))),
        "squared": (gs.half_mse(d, zero, reduction="none"), d),
        "Huber": (gs.huber(d, zero, delta, reduction="none"), np.clip(huber["Y"], -delta, delta)),
    }
    figure, (left, right) = canvas(7.6, 3.6, 2)
    for name, (value, slope) in losses.items():
        style = "--" if name == "Huber" else "-"
        left.plot(d, value, style, color=COLOUR[name], label="½ squared" if name == "squared" else name)
        right.plot(d, slope, style, color=COLOUR[name])
    left.set(xlabel="error d = y − t", title="Loss", ylim=(0, 4))
    right.set(xlabel="error d = y − t", title="Slope: how hard it pulls", ylim=(-3.2, 3.2))
    right.axhline(0, color=PALE, linewidth=0.8, zorder=0)
    left.legend(loc="upper center")
    headline(figure, "A large error: the square pulls harder and harder, the others do not")


# -------------------------------------------------------------------------------------------------------- cross-entropy
def surprise() -> None:
    """-log p, and what some probabilities cost."""
    p = np.linspace(0.004, 1, 500)
    _, axes = canvas(6.6, 3.7)
    axes.plot(p, -np.log(p), color=COLOUR["cross-entropy"])
    for at, text in ((0.01, "1 in 100: 4.61"), (0.1, "1 in 10, a blind guess among ten: ln 10 = 2.303"),
                     (0.5, "1 in 2: 0.693"), (0.9, "9 in 10: 0.105")):  # fmt: skip
        axes.plot(at, -np.log(at), "o", color=COLOUR["cross-entropy"])
        label(axes, at, -np.log(at), text, xytext=(8, 4))
    axes.set(
        xlabel="probability p that the model gave to the truth", ylabel="cost, nats", xlim=(0, 1.02), ylim=(0, 5.6)
    )
    titled(axes, "The more surely wrong, the dearer, without limit")


def weighted(frequency: float = 0.1, weights: Sequence[float] = (1, 3, 9)) -> None:
    """The mean weighted cross-entropy of saying p always, for an event of this frequency."""
    p = np.linspace(0.003, 0.997, 600)
    _, axes = canvas(6.8, 3.7)
    for weight, shade in zip(weights, ("#E3A1BC", "#C8447A", "#7A1F47"), strict=True):
        cost = -(weight * frequency * np.log(p) + (1 - frequency) * np.log(1 - p))
        best = weight * frequency / (weight * frequency + 1 - frequency)
        lowest = -(weight * frequency * np.log(best) + (1 - frequency) * np.log(1 - best))
        axes.plot(p, cost, color=shade)
        axes.plot(best, lowest, "o", color=shade)
        place = {"xytext": (0, 9), "ha": "center"} if best > 0.2 else {"xytext": (-8, -17)}
        label(axes, best, lowest, f"weight {weight:g}: say {best:.2f}", shade, **place)
    axes.set(
        xlabel="probability p that is given to the rare class, always", ylabel="mean cost", xlim=(0, 1), ylim=(0, 3.2)
    )
    titled(axes, "A weight of 9 makes a class of one in ten look like one in two")


def pull() -> None:
    """How hard two losses pull at the score of the true class, for two classes."""
    z = np.linspace(-7, 7, 400)
    p = 1 / (1 + np.exp(-z))
    _, axes = canvas(6.8, 3.7)
    axes.plot(z, 1 - p, color=COLOUR["cross-entropy"])
    axes.plot(z, 4 * (1 - p) ** 2 * p, color=COLOUR["squared"])
    label(axes, -6.9, 0.87, "cross-entropy", COLOUR["cross-entropy"], xytext=(0, 0))
    label(axes, -1.15, 0.59, "squared error of the probabilities", COLOUR["squared"], xytext=(0, 0), ha="right")
    axes.text(-6.9, -0.16, "sure and wrong", color="#555555")
    axes.text(6.9, -0.16, "sure and right", color="#555555", ha="right")
    axes.set(xlabel="score of the true class minus score of the other", ylabel="pull at the score", ylim=(-0.2, 1.05))
    axes.axhline(0, color=PALE, linewidth=0.8, zorder=0)
    titled(axes, "Sure and wrong: cross-entropy pulls, squared error lets go")


# ---------------------------------------------------------------------------------------------------------- experiments
def noisy(steps: np.ndarray, runs: Mapping[str, Mapping[float, np.ndarray]]) -> None:
    """Test accuracy over the steps: one panel for each share of wrong labels, a band over the seeds."""
    shares = sorted(next(iter(runs.values())))
    figure, panels = canvas(7.8, 3.7, len(shares))
    for axes, share in zip(panels, shares, strict=True):
        for name, by_share in runs.items():
            seen = by_share[share]
            axes.plot(steps, seen.mean(axis=0), color=COLOUR[name])
            axes.fill_between(steps, seen.min(axis=0), seen.max(axis=0), color=COLOUR[name], alpha=0.18, linewidth=0)
        axes.set(xlabel="steps", title="clean labels" if share == 0 else f"{share:.0%} of the labels drawn blindly")
        axes.set_ylim(0.7, 0.985)
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    panels[0].set_ylabel("accuracy on clean test digits")
    for i, name in enumerate(runs):
        panels[0].text(0.97, 0.05 + 0.09 * i, name, transform=panels[0].transAxes, ha="right", color=COLOUR[name])
    headline(figure, "With wrong labels, cross-entropy learns the mistakes; absolute error holds")


def rare(weights: Sequence[float], recalls: np.ndarray, precisions: np.ndarray, guess: Any = None) -> None:
    """Recall and precision of the rare digit over its weight, a band over the seeds."""
    _, axes = canvas(6.8, 3.7)
    for values, colour, name in ((recalls, "#C8447A", "eights that are found"), (precisions, "#555555",
                                 "called eight, and is one")):  # fmt: skip
        axes.plot(weights, values.mean(axis=0), "o-", color=colour)
        axes.fill_between(weights, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.15, linewidth=0)
        label(axes, weights[0], values.mean(axis=0)[0], name, colour, xytext=(4, 10 if colour == "#555555" else -14))
    guessed(axes, guess, horizontal=True)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower right")
    axes.set_xscale("log")
    axes.set_xticks(list(weights))
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set(xlabel="weight of class 8 in the loss", ylabel="share", ylim=(0, 1.12))
    titled(axes, "A weight finds the rare digit, and raises some false alarms")
