"""The figures of chapter 10: landscapes and walks over them, and curves whose lines carry their own names.

path = walk(momentum, VALLEY, {"v": {"x": np.zeros(2)}}, steps=40, lr=0.02)     # (41, 2)
race(VALLEY, {"momentum": path}, "Momentum runs along the valley")
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = [
    "BEALE", "COLORS", "SADDLE", "VALLEY", "Surface", "corrections", "decays", "momenta", "panels", "pushes", "race",
    "rate_sweep", "stalls", "step_sizes", "tuned", "walk",
]  # fmt: skip

# One colour for each step throughout the chapter; told apart in print and by colour-blind eyes as well as eight can be.
COLORS = {
    "sgd": "#6b6b6b",
    "momentum": "#0072b2",
    "nesterov": "#56b4e9",
    "nag_step": "#56b4e9",
    "adagrad": "#009e73",
    "rmsprop": "#e69f00",
    "adam": "#d55e00",
    "adamax": "#8c510a",
    "adamw": "#cc79a7",
    "nadam": "#7b3294",
}
DASHES = {"nesterov": (0, (5, 2)), "adamw": (0, (4, 2)), "nadam": (0, (1, 1)), "adamax": (0, (5, 1, 1, 1))}


@dataclass(frozen=True)
class Surface:
    """A function of two variables, with its gradient, the part of it that is drawn, and where a walk begins."""

    name: str
    value: Callable[[Any, Any], Any]
    gradient: Callable[[Any, Any], Sequence[Any]]
    box: tuple[float, float, float, float]
    start: tuple[float, float]
    lowest: tuple[tuple[float, float], ...]

    def slope(self, params: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The gradient as a training loop would get it: under the parameter's name."""
        return {"x": np.array(self.gradient(*params["x"]))}


def beale_gradient(x: Any, y: Any) -> tuple[Any, Any]:
    terms = [(c - x + x * y**k, y**k - 1, k * x * y ** (k - 1)) for c, k in ((1.5, 1), (2.25, 2), (2.625, 3))]
    return sum(2 * r * by_x for r, by_x, _ in terms), sum(2 * r * by_y for r, _, by_y in terms)


VALLEY = Surface(
    "a valley, 30 times as steep across as along",
    lambda x, y: 0.5 * (x**2 + 30 * y**2),
    lambda x, y: (x, 30 * y),
    box=(-0.9, 4.4, -1.15, 1.15),
    start=(4.0, 0.9),
    lowest=((0.0, 0.0),),
)
BEALE = Surface(
    "Beale's function",
    lambda x, y: sum((c - x + x * y**k) ** 2 for c, k in ((1.5, 1), (2.25, 2), (2.625, 3))),
    beale_gradient,
    box=(-0.5, 4.3, -1.9, 1.9),
    start=(1.0, 1.5),
    lowest=((3.0, 0.5),),
)
SADDLE = Surface(
    "a saddle between two valleys",
    lambda x, y: 0.5 * x**2 - 0.5 * y**2 + 0.25 * y**4,
    lambda x, y: (x, y**3 - y),
    box=(-1.3, 2.3, -1.5, 1.5),
    start=(2.0, 1e-3),
    lowest=((0.0, 1.0), (0.0, -1.0)),
)


def walk(
    step: Callable[..., Any], surface: Surface, state: Mapping[str, Any], steps: int, **options: Any
) -> np.ndarray:
    """The points (steps + 1, 2) that are visited when `params, state = step(params, grads, state)` is repeated."""
    params = {"x": np.array(surface.start)}
    path = [params["x"]]
    for _ in range(steps):
        params, state = step(params, surface.slope(params), state, **options)
        path.append(params["x"])
    return np.array(path)


# ------------------------------------------------------------------------------------------------------------ pieces
def figure(columns: int, width: float, height: float) -> tuple[Figure, np.ndarray]:
    drawn, axes = plt.subplots(1, columns, figsize=(width, height), dpi=110, layout="constrained", squeeze=False)
    for ax in axes[0]:
        ax.spines[["top", "right"]].set_visible(False)
    return drawn, axes[0]


def headline(drawn: Figure, words: str) -> None:
    drawn.suptitle(words, x=0.01, ha="left", fontsize=12, fontweight="bold")


def landscape(ax: Axes, surface: Surface) -> None:
    """Contour lines of the logarithm, so that the bottom of a valley is seen as well as its walls."""
    left, right, bottom, top = surface.box
    x, y = np.meshgrid(np.linspace(left, right, 240), np.linspace(bottom, top, 200))
    z = surface.value(x, y)
    height = np.log(z - z.min() + 0.02 * (np.median(z) - z.min()))
    ax.contourf(x, y, height, levels=24, cmap="Greys_r", alpha=0.35)
    ax.contour(x, y, height, levels=12, colors="#8a8a8a", linewidths=0.5)
    for point in surface.lowest:
        ax.plot(*point, marker="*", markersize=13, color="white", markeredgecolor="black", zorder=5)
    ax.set(xlim=(left, right), ylim=(bottom, top), xlabel="$x_1$", ylabel="$x_2$")
    ax.spines[:].set_visible(False)


def track(ax: Axes, path: np.ndarray, color: str, label: str = "", dash: Any = "-") -> None:
    ax.plot(*path.T, color=color, linestyle=dash, lw=1.5, marker="o", markersize=2.8, label=label)
    ax.plot(*path[0], marker="o", markersize=6, color="black", zorder=4)


def name_lines(ax: Axes, ends: Mapping[str, tuple[float, float]], gap: float = 0.055) -> None:
    """Names at the right ends of lines, pushed apart where they would overlap. `ends` is in data coordinates."""
    to_axes = ax.transData + ax.transAxes.inverted()
    places = {name: to_axes.transform(end) for name, end in ends.items() if np.isfinite(end).all()}
    lowest = -0.02
    for name, (x, y) in sorted(places.items(), key=lambda item: item[1][1]):
        lowest = max(min(y, 1.0), lowest + gap)
        ax.text(x + 0.015, lowest, name, color=COLORS.get(name, "black"), transform=ax.transAxes, va="center",
                fontsize=9)  # fmt: skip


# ------------------------------------------------------------------------------------------------ walks on landscapes
def panels(surface: Surface, paths: Mapping[str, np.ndarray], title: str, color: str = "sgd") -> None:
    """The same landscape once for each path, under the path's own title."""
    drawn, axes = figure(len(paths), 10.5, 2.9)
    for ax, (name, path) in zip(axes, paths.items(), strict=True):
        landscape(ax, surface)
        track(ax, path, COLORS[color])
        ax.set_title(name, loc="left", fontsize=10.5)
    for ax in axes[1:]:
        ax.set(ylabel="", yticklabels=[])
    headline(drawn, title)


def race(surface: Surface, paths: Mapping[str, np.ndarray], title: str) -> None:
    """Left the paths on the landscape, right how high above the lowest point each is after every step."""
    drawn, (map_, heights) = figure(2, 10.5, 3.9)
    landscape(map_, surface)
    bottom = min(float(surface.value(*point)) for point in surface.lowest)
    for name, path in paths.items():
        track(map_, path, COLORS[name], name, DASHES.get(name, "-"))
        height = surface.value(*path.T) - bottom
        heights.semilogy(np.maximum(height, 1e-12), color=COLORS[name], linestyle=DASHES.get(name, "-"), label=name)
    heights.set_ylim(bottom=max(1e-8, 0.3 * heights.dataLim.ymin))
    heights.set(xlabel="step", ylabel="height above the minimum")
    heights.set_title("How far there is still to go", loc="left", fontsize=10.5)
    heights.legend(frameon=False, loc="lower left", fontsize=9)
    map_.set_title(surface.name, loc="left", fontsize=10.5)
    headline(drawn, title)


def pushes(p: np.ndarray, v: np.ndarray, lr: float, beta: float, surface: Surface = VALLEY) -> None:
    """One step of momentum and one of Nesterov, as arrows: what the velocity brings, and what the gradient adds."""
    ahead = p + beta * v
    drawn, axes = figure(2, 10.5, 3.4)
    for ax, at, title in ((axes[0], p, "Momentum: the slope here"), (axes[1], ahead, "Nesterov: the slope there")):
        landscape(ax, surface)
        push = -lr * np.array(surface.gradient(*at))
        arrow(ax, p, ahead + push, COLORS["momentum"], "the step", 0.42)
        arrow(ax, p, ahead, "#444444", r"$\beta v$", -0.26)
        arrow(ax, ahead, ahead + push, COLORS["adam"], r"$-\,\mathrm{lr}\;\nabla f$", -0.36)
        ax.plot(*at, "o", color=COLORS["adam"], markersize=9, markerfacecolor="none", markeredgewidth=2)
        ax.plot(*p, "o", color="black", markersize=6)
        ax.set_title(title, loc="left", fontsize=10.5)
        ax.set(xlim=(0.6, 4.4), ylim=(-1.15, 1.15))
    headline(drawn, "The ring is where the gradient is asked for")


def arrow(ax: Axes, start: np.ndarray, end: np.ndarray, color: str, label: str, beside: float) -> None:
    """An arrow with its name to the right (or left) of its middle."""
    look = {"arrowstyle": "-|>", "color": color, "lw": 2, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", (end[0], end[1]), (start[0], start[1]), arrowprops=look)
    x, y = (start + end) / 2
    ax.text(x + beside, y, label, color=color, ha="center", va="center", fontsize=10)


# ------------------------------------------------------------------------------------------------------------- curves
def momenta(schedules: Mapping[str, np.ndarray]) -> None:
    """Momentum against the step for several schedules; the last is drawn in black, as what the others arrive at."""
    drawn, (ax,) = figure(1, 8.2, 3.3)
    colors = [COLORS["adam"], COLORS["nadam"], "black"]
    for (name, mu), color in zip(schedules.items(), colors, strict=True):
        ax.semilogx(np.arange(1, len(mu) + 1), mu, color=color, lw=1.0 if color == "black" else 2.0, label=name)
    ax.set(xlabel="step t", ylabel=r"momentum $\mu_t$", ylim=(0.43, 0.92))
    ax.legend(frameon=False, loc="center", bbox_to_anchor=(0.48, 0.45), fontsize=9)
    headline(drawn, "One formula, two schedules: the momentum is there after 100 steps or after 25 000")


def stalls(rates: Mapping[str, np.ndarray], distances: Mapping[str, np.ndarray]) -> None:
    """What AdaGrad's growing sum does to its rate, and the rate to the walk."""
    drawn, axes = figure(2, 10.5, 3.4)
    for ax, lines, words in zip(
        axes,
        (rates, distances),
        (r"rate in effect, $\mathrm{lr}\,/\,\sqrt{s}$", "distance to the minimum"),
        strict=True,
    ):
        for name, y in lines.items():
            outline = np.maximum(y[1:], y[:-1])  # whoever jumps to and fro across the minimum would fill an area
            ax.plot(np.arange(1, len(outline) + 1), outline, color=COLORS[name])
        ax.set(xlabel="step", xscale="log", yscale="log")
        ax.set_title(words, loc="left", fontsize=10.5)
    headline(drawn, "AdaGrad's rate falls for ever, whether or not it has arrived")
    drawn.canvas.draw()
    for ax, lines in zip(axes, (rates, distances), strict=True):
        name_lines(ax, {name: (len(y), float(y[-1])) for name, y in lines.items()}, 0.08)


def corrections(steps: int = 3000, b1: float = 0.9, b2: float = 0.999) -> None:
    """How much of a constant the two means hold after t steps, and what leaving that out does to Adam's step."""
    t = np.arange(1, steps + 1)
    lack_m, lack_v = 1 - b1**t, 1 - b2**t
    drawn, (held, length) = figure(2, 10.5, 3.5)
    held.semilogx(t, lack_m, color=COLORS["momentum"])
    held.semilogx(t, lack_v, color=COLORS["adam"])
    held.text(6, 0.72, rf"$m$: $1-{b1}^t$", color=COLORS["momentum"], ha="right")
    held.text(420, 0.12, rf"$v$: $1-{b2}^t$", color=COLORS["adam"])
    held.set(xlabel="step t", ylabel="share of a constant gradient", ylim=(0, 1.05))
    held.set_title("What the means hold of it", loc="left", fontsize=10.5)
    length.semilogx(t, lack_m / np.sqrt(lack_v), color=COLORS["adam"])
    length.axhline(1, color="black", lw=1)
    length.text(1, 1.15, "corrected", color="black")
    length.text(30, 6.3, "not corrected", color=COLORS["adam"], ha="left")
    length.set(xlabel="step t", ylabel="length of the step / lr", ylim=(0, 7.5))
    length.set_title("What that makes of Adam's step", loc="left", fontsize=10.5)
    headline(drawn, "Without correction the first steps are up to seven times too long")


def step_sizes(moves: Mapping[str, np.ndarray], scales: Sequence[float]) -> None:
    """For each step, how far it moves coordinates whose gradients differ in nothing but their scale."""
    drawn, axes = figure(len(moves), 10.5, 2.9)
    shades = ["#c6dbef", "#6baed6", "#08519c"]
    for ax, (name, sizes) in zip(axes, moves.items(), strict=True):
        for scale, size, shade in zip(scales, sizes.T, shades, strict=True):
            ax.semilogy(np.arange(1, len(size) + 1), size, color=shade, label=f"gradients of about {scale:g}")
        ax.set_title(name, loc="left", fontsize=10.5, color=COLORS[name])
        ax.set(xlabel="step", ylim=(1e-5, 10))
    axes[0].set_ylabel("length of the step")
    for ax in axes[1:]:
        ax.set_yticklabels([])
    axes[-1].legend(frameon=False, fontsize=8, loc="lower left", handlelength=1)
    headline(drawn, "Who divides by its gradients' size moves all coordinates alike")


def decays(scales: np.ndarray, shares: Mapping[str, np.ndarray]) -> None:
    """Which share of a weight is left after some steps of pure noise, for gradients of different sizes."""
    drawn, (ax,) = figure(1, 8.2, 3.3)
    words = {"adam": "coupled: the decay is a part of the gradient", "adamw": "decoupled: AdamW"}
    for name, share in shares.items():
        ax.semilogx(scales, share, color=COLORS[name], marker="o", markersize=4, label=words[name])
    ax.set(xlabel="size of the weight's gradients", ylabel="share of the weight that is left", ylim=(0, 1.05))
    headline(drawn, "Coupled to Adam, decay spares the weights with large gradients")
    ax.legend(frameon=False, loc="lower right", fontsize=9)


# ------------------------------------------------------------------------------------------------------------- digits
def rate_sweep(rates: np.ndarray, losses: Mapping[str, np.ndarray], few: Sequence[str], at: float) -> None:
    """Loss after a fixed number of steps against the learning rate, in two panels so that lines stay apart."""
    drawn, axes = figure(2, 10.5, 4.0)
    several = [[n for n in losses if n in few], [n for n in losses if n not in few]]
    for ax, names, title in zip(axes, several, ("one rate for all", "a rate for every parameter"), strict=True):
        for name in names:
            look = {"color": COLORS[name], "linestyle": DASHES.get(name, "-"), "marker": "o", "markersize": 3.5}
            ax.loglog(rates, losses[name], label=name, **look)
        ax.axhspan(1e-3, at, color="#000000", alpha=0.06, lw=0)
        ax.set(xlabel="learning rate", ylim=(0.04, 6))
        ax.set_title(title, loc="left", fontsize=10.5)
        ax.legend(frameon=False, fontsize=9, loc="lower left")
    axes[0].set_ylabel("training loss after 5 epochs")
    headline(drawn, "At its best rate every step is good; what differs is how well the rate must be chosen")


def tuned(losses: Mapping[str, np.ndarray], accuracies: Mapping[str, np.ndarray]) -> None:
    """Left the loss of every epoch (mean over seeds), right each seed's accuracy on samples that were held back."""
    drawn, (left, right) = figure(2, 10.5, 4.2)
    for name, runs in losses.items():
        mean = np.asarray(runs).mean(axis=0)
        left.semilogy(np.arange(1, len(mean) + 1), mean, color=COLORS[name], linestyle=DASHES.get(name, "-"))
    left.set(xlabel="epoch", ylabel="training loss, mean over seeds")
    left.set_title("Each at its best rate", loc="left", fontsize=10.5)
    for row, (name, runs) in enumerate(reversed(list(accuracies.items()))):
        values = 100 * np.asarray(runs)
        right.plot(values, np.full(len(values), row), "o", color=COLORS[name], alpha=0.6)
        right.plot([values.mean()] * 2, [row - 0.3, row + 0.3], color=COLORS[name], lw=2.5)
    right.set_yticks(range(len(accuracies)), list(accuracies)[::-1])
    right.set(xlabel="accuracy on held-back digits in % (one dot a seed, bar: mean)", xlim=(None, 100))
    right.grid(axis="x", color="#dddddd", lw=0.6)
    headline(drawn, "Tuned, the optimizer decides about as much as the seed")
    drawn.canvas.draw()
    epochs = len(next(iter(losses.values()))[0])
    name_lines(left, {name: (epochs, float(np.asarray(runs).mean(axis=0)[-1])) for name, runs in losses.items()})
