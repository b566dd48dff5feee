"""The plots of chapter 7. Each says one thing, in its title.

figures.layers({"tanh": (seeds, layers), ...}, "deviation", guess=0.3)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..drawing import COLOURS, PALE, canvas, guessed, headline, label, titled

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
    label(axes, 1.0, 0.2, "its slope, at most ¼", COLOURS[1])
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
    left.legend()
    for axes in (left, right):
        axes.set_xlabel("input of the unit")
    left.set_ylabel("output")
    headline(figure, "Left of zero they differ: nothing, a leak, or a floor")


def layers(measured: Mapping[str, np.ndarray], ylabel: str, says: str, guess: Any = None) -> None:
    """A quantity by the layer (seeds, layers): the geometric mean as a line, the range over seeds as a band."""
    figure, axes = canvas(7.4, 3.8)
    for i, (name, values) in enumerate(measured.items()):
        values = np.maximum(values, 1e-18)
        at = np.arange(1, values.shape[1] + 1)
        middle = np.exp(np.log(values).mean(axis=0))
        axes.fill_between(at, values.min(axis=0), values.max(axis=0), color=COLOURS[i], alpha=0.18, linewidth=0)
        axes.semilogy(at, middle, color=COLOURS[i], linestyle=STYLES[i % 4], label=name)
    guessed(axes, guess, horizontal=True)
    axes.set(xlabel="layer (band: all seeds)", ylabel=ylabel)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    headline(figure, says)
