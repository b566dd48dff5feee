"""The plots of chapter 4. Blue is the way there, orange the way back, in all of them.

figures.passes()
figures.costs(sizes, reverse, differences, guess=100)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.ticker import PercentFormatter

from ..drawing import COLOURS, INK, PALE, canvas, guessed, headline, label, titled

THERE, BACK, GOOD = COLOURS[:3]


# ------------------------------------------------------------------------------------------------------ there and back
def passes(x: float = 3.0, w: float = 2.0, b: float = -1.0) -> None:
    """L = (w x + b)² as a row of steps: values on the way there, derivatives of L on the way back."""
    _, axes = canvas(7.6, 2.9)
    z, a = w * x, w * x + b
    stations = [("x", x, 2 * a * w), ("z = w x", z, 2 * a), ("a = z + b", a, 2 * a), ("L = a²", a * a, 1.0)]
    for i, (name, value, slope) in enumerate(stations):
        axes.text(3 * i, 0, name, ha="center", va="center", color=INK, fontsize=12,
                  bbox={"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": PALE})  # fmt: skip
        axes.text(3 * i, 0.95, f"{value:g}", ha="center", color=THERE, fontsize=13)
        axes.text(3 * i, -1.1, f"{slope:g}", ha="center", color=BACK, fontsize=13)
    for i, local in enumerate((f"× {w:g}", "× 1", f"× 2a = {2 * a:g}")):
        arrow(axes, 3 * i + 0.9, 3 * i + 2.1, 0.98, THERE)
        arrow(axes, 3 * i + 2.1, 3 * i + 0.9, -1.02, BACK)
        axes.text(3 * i + 1.5, -1.6, local, ha="center", color=BACK, fontsize=10)
    axes.text(-1.2, 0.95, "value", ha="right", color=THERE)
    axes.text(-1.2, -1.1, "dL/d…", ha="right", color=BACK)
    axes.set(xlim=(-2.6, 10), ylim=(-2, 1.6))
    axes.axis("off")
    titled(axes, "There: values. Back: each step multiplies by its own slope")


def arrow(axes: Any, start: float, end: float, y: float, colour: str) -> None:
    axes.annotate("", (end, y), (start, y), arrowprops={"arrowstyle": "->", "color": colour, "lw": 1.6})


# -------------------------------------------------------------------------------------------------------------- cost
def costs(sizes: Sequence[int], reverse: Sequence[float], differences: Sequence[float], guess: Any = None) -> None:
    """The cost of all derivatives, in forward passes, over the number of parameters."""
    _, axes = canvas(7.2, 3.9)
    axes.loglog(sizes, differences, "s-", color=THERE)
    axes.loglog(sizes, reverse, "o-", color=BACK)
    middle = len(sizes) // 2
    label(axes, sizes[middle], differences[middle], "central differences", THERE, xytext=(-10, 6), ha="right")
    label(axes, sizes[middle], reverse[middle], "forward and backward", BACK, xytext=(0, 9), ha="center")
    label(axes, sizes[-1], differences[-1], f"{differences[-1]:,.0f}", THERE, xytext=(12, -20), ha="right")
    label(axes, sizes[-1], reverse[-1], f"{reverse[-1]:.2f}", BACK, xytext=(0, -16), ha="center")
    guessed(axes, guess, horizontal=True)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="center right")
    axes.set(xlabel="number of parameters", ylabel="cost, in forward passes", ylim=(1, None))
    titled(axes, "All derivatives cost three forward passes, however many there are")


# ------------------------------------------------------------------------------------------------------------- heat map
STEPS = (-12, -11, -10, -9, -8, -7, -6, -3, 0, 1)
SHADES = ("#eef4f9", "#d9e6f1", "#c2d7e8", "#a9c6de", "#8cb2d2", "#6d9cc4", "#D55E00", "#9a3d00", "#5e2400")


def heat_map(errors: Mapping[str, np.ndarray]) -> None:
    """The largest relative error of each gradient at each seed; orange is beyond 1e-6."""
    rows = list(errors)
    size = np.log10(np.maximum(np.array([errors[name] for name in rows]), 1e-12))
    figure, axes = canvas(7.4, 1.3 + 0.27 * len(rows))
    picture = axes.imshow(size, cmap=ListedColormap(SHADES), norm=BoundaryNorm(STEPS, len(SHADES)), aspect="auto")
    axes.set(yticks=range(len(rows)), yticklabels=rows, xticks=range(size.shape[1]), xlabel="seed of the random inputs")
    axes.tick_params(length=0)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    bar = figure.colorbar(picture, ax=axes, ticks=[-12, -10, -8, -6, -3, 0], shrink=0.9)
    bar.set_ticklabels(["1e-12", "1e-10", "1e-8", "1e-6: the limit", "1e-3", "1"])
    wrong = int((size > -6).any(axis=1).sum())
    count = f"{wrong} row{'s' * (wrong > 1)} of {len(rows)}"
    headline(
        figure, f"Blue agrees with differences, orange does not: {count}" if wrong else "All agree with differences"
    )


# ---------------------------------------------------------------------------------------------------------- experiments
def digits(losses: np.ndarray, accuracies: np.ndarray, every: int) -> None:
    """Loss and test accuracy of the network that was differentiated by hand, a line for each seed."""
    figure, (left, right) = canvas(7.6, 3.4, 2)
    for loss, accuracy in zip(losses, accuracies, strict=True):
        left.plot(loss, color=BACK, linewidth=1.4, alpha=0.8)
        right.plot(np.arange(len(accuracy)) * every, accuracy, color=THERE, linewidth=1.4, alpha=0.8)
    left.axhline(np.log(10), color=PALE, linewidth=1, linestyle="--")
    left.text(len(losses[0]) - 1, np.log(10) + 0.06, "a blind guess, ln 10", ha="right", color="#555555", fontsize=9)
    left.set(xlabel="steps", ylabel="cross-entropy, nats", ylim=(0, None))
    right.set(xlabel="steps", ylabel="accuracy on test digits", ylim=(0, 1))
    right.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    headline(figure, f"Your backward trains: digits, {len(losses)} seeds")


def pixels(images: np.ndarray, slopes: np.ndarray, names: Sequence[Any]) -> None:
    """Images above, and under each the derivative of the score of its class in every pixel."""
    figure, panels = canvas(1.35 * len(images), 3.1, len(images), 2)
    top = float(np.abs(slopes).max())
    for column, name in enumerate(names):
        above, below = panels[0][column], panels[1][column]
        above.imshow(images[column].reshape(8, 8), cmap="Greys")
        below.imshow(slopes[column].reshape(8, 8), cmap="PuOr_r", vmin=-top, vmax=top)
        above.set_title(str(name), fontsize=10.5)
        for axes in (above, below):
            axes.set(xticks=[], yticks=[])
            for spine in axes.spines.values():
                spine.set_visible(False)
    panels[0][0].set_ylabel("image")
    panels[1][0].set_ylabel("slope")
    headline(figure, "Ink on orange raises the score of the class, ink on violet lowers it")


def moons(X: np.ndarray, t: np.ndarray, score: Any, losses: np.ndarray) -> None:
    """Left the points and the line of score 0 of the first seed, right the losses of all seeds."""
    figure, (left, right) = canvas(7.6, 3.5, 2)
    x1, x2 = (np.linspace(low - 0.4, high + 0.4, 161) for low, high in zip(X.min(0), X.max(0), strict=True))
    grid = np.stack(np.meshgrid(x1, x2), axis=-1)
    z = score(grid.reshape(-1, 2)).reshape(grid.shape[:2])
    left.contourf(x1, x2, np.clip(z, -4, 4), levels=[-4, 0, 4], colors=[COLOURS[5], COLOURS[4]], alpha=0.22)
    left.contour(x1, x2, z, levels=[0.0], colors=[INK], linewidths=1.4)
    for kind, marker, colour in ((0, "o", THERE), (1, "^", BACK)):
        chosen = t.ravel() == kind
        left.plot(*X[chosen].T, marker, color=colour, markersize=3.5, linestyle="none")
    left.set(xlabel="x₁", ylabel="x₂")
    band(right, losses, BACK)
    right.set(xlabel="steps", ylabel="loss, nats", yscale="log")
    headline(figure, f"A network differentiated by your Tensor ({len(losses)} seeds; line: mean, band: all)")


def band(axes: Any, values: np.ndarray, colour: str) -> None:
    axes.plot(values.mean(axis=0), color=colour)
    axes.fill_between(np.arange(values.shape[1]), values.min(axis=0), values.max(axis=0), color=colour, alpha=0.18,
                      linewidth=0)  # fmt: skip


def one_character(
    right: np.ndarray, wrong: np.ndarray, accuracies: Mapping[str, np.ndarray], guess: Any = None
) -> None:
    """Loss with += and with =, and what the two know at the end."""
    figure, (left, other) = canvas(7.6, 3.6, 2)
    end = right.shape[1] - 1
    for values, colour, name, up in ((right, THERE, "+=", 14), (wrong, BACK, "=", -22)):
        band(left, values, colour)
        label(left, end, values.mean(axis=0)[-1], name, colour, xytext=(-4, up), ha="right", fontsize=13)
    left.set(xlabel="steps", ylabel="loss, nats", yscale="log")
    for place, (name, values) in enumerate(accuracies.items()):
        spread = np.linspace(-0.12, 0.12, len(values))
        other.plot(place + spread, values, "o", color=THERE if name == "+=" else BACK)
    guessed(other, guess, horizontal=True)
    if other.get_legend_handles_labels()[0]:
        other.legend(loc="lower left")
    other.set(xticks=range(len(accuracies)), xticklabels=list(accuracies), xlim=(-0.5, len(accuracies) - 0.5),
              ylim=(0, 1.03), ylabel="accuracy on fresh points")  # fmt: skip
    other.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    headline(figure, "One character: with = the last gradient that arrives wipes out the others")
