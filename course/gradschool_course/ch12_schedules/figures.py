"""The plots of chapter 12. Each says one thing, in its title.

figures.family(schedules, 300)
figures.results(losses, guess="cosine")
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import FormatStrFormatter, FuncFormatter

from ..drawing import COLOURS, INK, PALE, canvas, guessed, headline, label, titled

RATE, LOSS, MOMENTUM = COLOURS[0], COLOURS[1], COLOURS[2]
Schedule = Callable[[Any], Any]


def bounce(paths: Mapping[str, np.ndarray], guess: Any = None) -> None:
    """Distance from the lowest point over the steps, for several constant rates and one that falls."""
    figure, axes = canvas(7.2, 3.6)
    for colour, at, (name, path) in zip((PALE, COLOURS[4], COLOURS[0]), (0.4, 0.85, 0.25), paths.items(), strict=True):
        axes.semilogy(path, color=colour)
        label(axes, at * len(path), path[int(at * len(path))], f"rate {name}", colour)
    guessed(axes, guess, horizontal=True)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower left")
    axes.set(xlabel="step", ylabel="distance from the lowest point", xlim=(0, len(next(iter(paths.values())))))
    headline(figure, "A constant rate ends in noise; a falling one walks out of it")


def forms(rates: Mapping[str, Sequence[float]]) -> None:
    """The first rates of time-based decay in its forms."""
    figure, axes = canvas(7.2, 3.0)
    marks = {"iterations": ("o", RATE, 9), "schedule": ("+", INK, 13), "loop": ("s", LOSS, 6)}
    for name, values in rates.items():
        mark, colour, size = marks[name]
        axes.plot(range(len(values)), values, mark, color=colour, markersize=size, markeredgewidth=2, label=f'"{name}"')
    axes.set(xlabel="steps that are done", ylabel="learning rate")
    axes.legend()
    headline(figure, "Two forms are one; the third is a step ahead of itself")


def hyperbola(power: Schedule, exponential: Schedule, steps: int) -> None:
    """The two that fall for ever, on two kinds of axes."""
    figure, (left, right) = canvas(8.4, 3.2, columns=2)
    t = np.arange(steps)
    for axes in (left, right):
        for schedule, name, colour in ((power, "power", RATE), (exponential, "exponential", LOSS)):
            axes.plot(t, schedule(t), color=colour)
            below = {"xytext": (-4, -6), "ha": "right", "va": "top"} if name == "exponential" else {}
            label(axes, 0.5 * steps, float(schedule(steps // 2)), name, colour, **below)
        axes.set(xlabel="step", ylabel="learning rate")
    right.set_yscale("log")
    headline(figure, "Exponential decay is a straight line on a logarithmic axis; power decay slows down")


def family(schedules: Mapping[str, Schedule], steps: int) -> None:
    """Every schedule over the same steps."""
    figure, panels = canvas(9.6, 5.2, columns=3, rows=-(-len(schedules) // 3))
    t = np.arange(steps)
    for axes, (name, schedule) in zip(panels.flat, schedules.items(), strict=False):
        axes.plot(t, schedule(t) + 0.0 * t, color=RATE, linewidth=1.8)
        axes.fill_between(t, schedule(t) + 0.0 * t, color=RATE, alpha=0.12)
        titled(axes, name)
        axes.set_ylim(0)
    for axes in panels[-1]:
        axes.set_xlabel("step")
    for axes in panels[:, 0]:
        axes.set_ylabel("rate")
    headline(figure, f"The same {steps} steps, and {len(schedules)} ways to spend them")


def ranged(test: Any, picks: Mapping[str, float], guess: Any = None) -> None:
    """The range test: batch losses while the rate grows, and the rates that two rules pick."""
    figure, axes = canvas(7.2, 3.6)
    axes.semilogx(test.rates, test.losses, color=PALE, linewidth=1, alpha=0.8)
    axes.semilogx(test.rates, test.smoothed, color=RATE)
    top = 1.6 * test.losses[0]
    axes.axvline(test.highest, color=LOSS, linewidth=1.2)
    label(axes, test.highest, 0.93 * top, f"shoots up: {test.highest:.2g}", LOSS)
    for i, (name, rate) in enumerate(picks.items()):
        axes.axvline(rate, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        label(axes, rate, (0.3 + 0.12 * i) * top, f"{name}: {rate:.2g}", ha="right", xytext=(-5, 0))
    guessed(axes, guess)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper left")
    axes.set(xlabel="learning rate, growing with every step", ylabel="loss of the batch", ylim=(0, top))
    headline(figure, "Rest, fall, explosion: a good rate lies below the third")


def cycle(rates: Sequence[float], momenta: Sequence[float], losses: Sequence[float]) -> None:
    """Rate and momentum by the step, and the loss below them."""
    figure, (top, bottom) = canvas(7.2, 4.6, rows=2)
    t = np.arange(len(rates))
    top.plot(t, rates, color=RATE)
    top.set_ylabel("rate", color=RATE)
    twin = top.twinx()
    twin.plot(t, momenta, color=MOMENTUM, linestyle=(0, (5, 2)))
    twin.set_ylabel("momentum", color=MOMENTUM)
    twin.spines["top"].set_visible(False)
    bottom.semilogy(t, losses, color=PALE, linewidth=1)
    every = len(rates) // 30
    bottom.semilogy(t[::every] + every / 2, np.reshape(losses[: 30 * every], (30, every)).mean(axis=1), color=LOSS)
    bottom.set(xlabel="step", ylabel="loss")
    headline(figure, "1cycle and its momentum: most of the way while the rate rises, the rest while it vanishes")


def plateau(rates: Sequence[float], losses: Sequence[float]) -> None:
    """Rate and validation loss by the epoch, on twin axes."""
    figure, axes = canvas(7.2, 3.4)
    epochs = np.arange(1, len(losses) + 1)
    axes.step(epochs, rates, where="mid", color=RATE)
    axes.set_yscale("log")
    axes.set_ylabel("rate", color=RATE)
    axes.set_xlabel("epoch")
    twin = axes.twinx()
    twin.plot(epochs, losses, color=LOSS)
    twin.set_ylabel("validation loss", color=LOSS)
    twin.spines["top"].set_visible(False)
    twin.set_ylim(0)
    headline(figure, "The rate waits for the loss, and falls where it rests")


def results(losses: Mapping[str, np.ndarray], guess: Any = None) -> None:
    """The final loss of every run, a dot a seed, their geometric mean a bar; the constant rates apart."""
    names = sorted(losses, key=lambda name: (not constant(name), -gmean(losses[name])))
    best = min(gmean(values) for name, values in losses.items() if constant(name))
    figure, axes = canvas(7.6, 0.32 * len(names) + 1.2)
    axes.axvline(best, color=PALE, linewidth=1, linestyle=(0, (4, 3)))
    for i, name in enumerate(names):
        colour = "#555555" if constant(name) else RATE
        axes.plot(losses[name], np.full(len(losses[name]), i), "o", color=colour, markersize=5, alpha=0.6)
        axes.plot(gmean(losses[name]), i, "|", color=INK, markersize=16, markeredgewidth=2.2)
    axes.set_yticks(range(len(names)), [named(name, guess) for name in names])
    decimals(axes, "x")
    axes.set_xlabel("training loss at the end (dots: seeds, bar: geometric mean, dashed: best constant)")
    better = sum(gmean(values) < best for name, values in losses.items() if not constant(name))
    headline(figure, f"{better} of {sum(not constant(name) for name in names)} schedules beat the best constant rate")


def constant(name: str) -> bool:
    return name.startswith("constant")


def named(name: str, guess: Any) -> str:
    yours = isinstance(guess, str) and guess.strip().casefold() == name.casefold()
    return f"your guess:  {name}" if yours else name


def decimals(axes: Any, which: str) -> None:
    """A logarithmic axis whose ticks are plain numbers."""
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(FormatStrFormatter("%g"))
    axis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "125" else ""))


def gmean(values: np.ndarray) -> float:
    """The geometric mean: losses of one problem differ by factors."""
    return float(np.exp(np.log(values).mean()))


def shorter(parts: Sequence[float], ends: Sequence[np.ndarray], target: float, guess: Any = None) -> None:
    """The final loss of 1cycle for runs of fewer and fewer steps, and what the best constant rate reaches in all."""
    figure, axes = canvas(7.2, 3.4)
    for part, losses in zip(parts, ends, strict=True):
        axes.plot(np.full(len(losses), 100 * part), losses, "o", color=RATE, markersize=5, alpha=0.6)
    axes.plot([100 * part for part in parts], [gmean(losses) for losses in ends], color=RATE)
    axes.axhline(target, color=PALE, linewidth=1.6)
    label(axes, 100 * min(parts), target, "best constant rate, all steps", "#555555", xytext=(10, -14))
    guessed(axes, guess)
    if axes.get_legend_handles_labels()[0]:
        axes.legend()
    axes.set(xlabel="steps, in % of those of the constant rate", ylabel="training loss at the end")
    decimals(axes, "y")
    headline(figure, "1cycle gets there in fewer steps")
