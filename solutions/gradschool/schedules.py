"""A schedule is the learning rate as a function of the step, counted from 0: large while there is far to go, small at
the end. Nothing is counted inside, so it can be plotted, resumed and pickled; a step may be an array of steps.

    lr = schedules.one_cycle(0.05, steps=count_steps(X, batch_size=32, epochs=10))
    train(model, params, data, opt, loss, lr=lr)                        # the loop asks lr(0), lr(1), ...
    lr = schedules.per_epoch(schedules.exponential(0.01, 20), steps_per_epoch)
    lr = schedules.warmup(schedules.cosine(0.1, period=900), steps=100)

One cannot know its steps in advance: `reduce_on_plateau` waits for a measured value, so it is a pair of functions on a
state, `init` and `update`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

__all__ = [
    "Plateau",
    "cosine",
    "cyclical",
    "exponential",
    "one_cycle",
    "one_cycle_momentum",
    "per_epoch",
    "piecewise",
    "polynomial",
    "power",
    "reduce_on_plateau",
    "time_decay",
    "warmup",
]

Schedule = Callable[[Any], Any]
TIME_FORMS = {"iterations": 0, "schedule": 0, "loop": 1}  # what 1 + k t counts at the first step


def positive(name: str, **sizes: float) -> None:
    """Refuse what would divide by zero, or run backwards."""
    for size, value in sizes.items():
        if not value > 0:
            raise ValueError(f"{name}: expected {size} > 0, got {value}")


# ---------------------------------------------------------------------------------------------------------------- decay
def power_at(step, lr, s, c):
    return lr / (1 + step / s) ** c


def power(lr: float, s: float, c: float = 1.0) -> Schedule:
    """lr / (1 + step/s)^c: with c = 1 a half after s steps, a third after 2 s, a fourth after 3 s.

    Raises ValueError unless s > 0.
    Source: Géron, ch. 11. Keras' `InverseTimeDecay`, and its older `decay` = 1/s, have c = 1.

    >>> [round(power(0.12, s=10)(step), 3) for step in (0, 10, 20)]
    [0.12, 0.06, 0.04]
    """
    positive("power", s=s)
    return partial(power_at, lr=lr, s=s, c=c)


def time_decay_at(step, lr, k, first):
    return lr / (1 + k * (step + first))


def time_decay(lr: float, k: float, form: str = "iterations") -> Schedule:
    """lr / (1 + k t), in three forms that differ in what t is at the first step.

    form   "iterations": t counts the steps done, 0 at first (Keras).
           "schedule": lr / (1 + k (n - 1)), n = 1 at first (MATLAB's custom schedules). The same rates.
           "loop": lr / (1 + k n), n = 1 at first (MATLAB's training loops): the first rate is already smaller.

    Raises ValueError for another form.

    >>> for form in ("iterations", "schedule", "loop"):
    ...     print([round(time_decay(0.01, 0.01, form)(step), 7) for step in (0, 1)])
    [0.01, 0.009901]
    [0.01, 0.009901]
    [0.009901, 0.0098039]
    """
    if form not in TIME_FORMS:
        raise ValueError(f"time_decay: expected form to be one of {list(TIME_FORMS)}, got {form!r}")
    return partial(time_decay_at, lr=lr, k=k, first=TIME_FORMS[form])


def exponential_at(step, lr, s, factor):
    return lr * factor ** (step / s)


def exponential(lr: float, s: float, factor: float = 0.1) -> Schedule:
    """lr factor^(step/s): the same ratio at every step, `factor` in s steps.

    Per step as it is; per epoch as `per_epoch(exponential(lr, s), steps_per_epoch)`, s in epochs. With a large factor
    it is the learning-rate range test, from low to high: `exponential(low, steps, high / low)`.

    Raises ValueError unless s > 0 and factor > 0.
    Source: Géron, ch. 11; Keras' `ExponentialDecay`. PyTorch's `ExponentialLR(gamma)` has s = 1, factor = gamma.

    >>> [round(exponential(0.01, s=20)(step), 5) for step in (0, 20, 30)]
    [0.01, 0.001, 0.00032]
    """
    positive("exponential", s=s, factor=factor)
    return partial(exponential_at, lr=lr, s=s, factor=factor)


def piecewise_at(step, boundaries, values, side):
    return np.asarray(values)[np.searchsorted(boundaries, step, side=side)]


def piecewise(boundaries: list[float], values: list[float], at_boundary: str = "new") -> Schedule:
    """A staircase: values[0] before boundaries[0], values[i] on [boundaries[i-1], boundaries[i]), the last to the end.

    at_boundary   "new": a boundary is the first step with the new value (Géron). "old": it is the last with the old
                  (Keras' `PiecewiseConstantDecay`).

    Raises:
        ValueError: not one value more than boundaries, boundaries that do not increase, or another `at_boundary`.

    MATLAB's form, a drop by `factor` every `period` steps, is `per_epoch(exponential(lr, 1, factor), period)`.

    >>> piecewise([5, 15], [0.01, 0.005, 0.001])(np.array([0, 4, 5, 14, 15]))
    array([0.01 , 0.01 , 0.005, 0.005, 0.001])
    """
    if len(values) != len(boundaries) + 1:
        raise ValueError(
            f"piecewise: {len(boundaries)} boundaries part {len(boundaries) + 1} values, got {len(values)}"
        )
    if any(a >= b for a, b in itertools.pairwise(boundaries)):
        raise ValueError(f"piecewise: expected boundaries that increase, got {list(boundaries)}")
    if at_boundary not in ("new", "old"):
        raise ValueError(f'piecewise: expected at_boundary "new" or "old", got {at_boundary!r}')
    side = "right" if at_boundary == "new" else "left"
    return partial(piecewise_at, boundaries=tuple(boundaries), values=tuple(map(float, values)), side=side)


def polynomial_at(step, lr, steps, final, power):
    return final + (lr - final) * (1 - np.clip(step / steps, 0, 1)) ** power


def polynomial(lr: float, steps: float, final: float = 0.0, power: float = 1.0) -> Schedule:
    """From lr to `final` in so many steps along (1 - step/steps)^power, then constant; a straight line for power 1.

    Raises ValueError unless steps > 0 and power > 0.
    Source: Keras' `PolynomialDecay`, MATLAB's `polynomialLearnRate`, PyTorch's `PolynomialLR`.

    >>> polynomial(1.0, steps=4, final=0.2, power=2)(np.arange(6)).tolist()
    [1.0, 0.65, 0.4, 0.25, 0.2, 0.2]
    """
    positive("polynomial", steps=steps, power=power)
    return partial(polynomial_at, lr=lr, steps=steps, final=final, power=power)


# --------------------------------------------------------------------------------------------------------------- cycles
def cycle_of(step, period, growth):
    """The number of the cycle that a step lies in, where that cycle starts, and how long it is."""
    if growth == 1:
        cycle = np.floor(step / period)
        return cycle, period * cycle, period
    cycle, start, length = np.zeros(np.shape(step)), np.zeros(np.shape(step)), np.full(np.shape(step), float(period))
    while np.any(over := start + length <= step):  # a step where a cycle starts belongs to that cycle
        cycle, start, length = cycle + over, start + over * length, np.where(over, growth * length, length)
    return cycle, start, length


def cosine_at(step, lr, period, final, restarts, growth, shrink):
    cycle, start, length = cycle_of(step, period, growth) if restarts else (0, 0, period)
    done = np.minimum((step - start) / length, 1)
    return final + (lr - final) * shrink**cycle * (1 + np.cos(np.pi * done)) / 2


def cosine(
    lr: float, period: float, final: float = 0.0, restarts: bool = False, growth: float = 1.0, shrink: float = 1.0
) -> Schedule:
    """Half a cosine from lr to `final` in `period` steps: slow at both ends. Then constant, or again from the top.

    restarts   begin again at lr when a period is over: step = period has the rate lr, not `final`
    growth     how many times longer each period is than the one before
    shrink     how many times higher above `final` each restart is than the one before

    Raises ValueError unless period > 0, growth >= 1 and shrink > 0.
    Source: Loshchilov and Hutter 2017; PyTorch's `CosineAnnealingWarmRestarts`, Keras'
    `CosineDecay` and `CosineDecayRestarts`, MATLAB's `cosineLearnRate`.

    >>> cosine(1.0, period=4)(np.array([0, 2, 4, 6])).round(3).tolist()
    [1.0, 0.5, 0.0, 0.0]
    >>> cosine(1.0, period=4, restarts=True, growth=2)(np.array([0, 2, 4, 8, 12])).round(3).tolist()
    [1.0, 0.5, 1.0, 0.5, 1.0]
    """
    positive("cosine", period=period, growth=growth, shrink=shrink)
    if growth < 1:
        raise ValueError(
            f"cosine: expected growth >= 1, got {growth}; shorter and shorter periods would come to an end"
        )
    return partial(cosine_at, lr=lr, period=period, final=final, restarts=restarts, growth=growth, shrink=shrink)


def cyclical_at(step, lr, max_lr, period, rise, shrink):
    cycle, done = np.divmod(step / period, 1)
    height = np.where(done < rise, done / rise, (1 - done) / (1 - rise))
    return lr + (max_lr - lr) * shrink**cycle * height


def cyclical(lr: float, max_lr: float, period: float, rise: float = 0.5, shrink: float = 1.0) -> Schedule:
    """A saw: from lr up to max_lr and down again in every `period` steps, on straight lines.

    rise     the part of the period in which the rate rises
    shrink   how many times higher each tooth is than the one before; 1/2 is the form "triangular2"

    Raises ValueError unless period > 0, shrink > 0 and 0 < rise < 1.
    Source: Smith 2017; PyTorch's `CyclicLR`, MATLAB's `cyclicalLearnRate`.

    >>> cyclical(1.0, 3.0, period=4)(np.arange(6)).tolist()
    [1.0, 2.0, 3.0, 2.0, 1.0, 2.0]
    """
    positive("cyclical", period=period, shrink=shrink)
    if not 0 < rise < 1:
        raise ValueError(f"cyclical: expected rise between 0 and 1, got {rise}; 0.5 is a saw with equal flanks")
    return partial(cyclical_at, lr=lr, max_lr=max_lr, period=period, rise=rise, shrink=shrink)


def corners_at(step, steps, values):
    return np.interp(step, steps, values)


def cycle_corners(name: str, steps: int, last_steps: int | None) -> tuple[int, int, int, int]:
    """The steps at which the rate starts to rise, to fall, to vanish, and would have vanished."""
    last = steps // 10 + 1 if last_steps is None else last_steps
    half = (steps - last) // 2
    if half < 1 or last < 1:
        raise ValueError(f"{name}: {steps} steps, the last {last} of them apart, leave none to rise and fall; use more")
    return 0, half, 2 * half, steps


def one_cycle(
    max_lr: float, steps: int, start: float | None = None, final: float | None = None, last_steps: int | None = None
) -> Schedule:
    """Up from `start` to max_lr, down to `start` in as many steps, then in the last steps almost to nothing.

    start        max_lr / 10 unless given
    final        start / 1000 unless given; it would be reached at step `steps`, one after the last
    last_steps   steps // 10 + 1 unless given; rise and fall take (steps - last_steps) // 2 each

    Raises ValueError for fewer steps than the three phases need.
    Source: Smith 2018, in the form of Géron's notebook. PyTorch's `OneCycleLR` and Keras differ in every number.

    >>> [float(one_cycle(0.05, steps=10750)(step)) for step in (0, 4837, 9674)]
    [0.005, 0.05, 0.005]
    """
    start = max_lr / 10 if start is None else start
    final = start / 1000 if final is None else final
    corners = cycle_corners("one_cycle", steps, last_steps)
    return partial(corners_at, steps=corners, values=(start, max_lr, start, final))


def one_cycle_momentum(steps: int, high: float = 0.95, low: float = 0.85, last_steps: int | None = None) -> Schedule:
    """The momentum that mirrors `one_cycle`: lowest where the rate is highest, and `high` in the last steps.

    Its value goes where the rate's goes, `momentum(params, grads, state, lr(step), beta=beta(step))`.
    Raises ValueError for fewer steps than the three phases need. Source: Smith 2018; Géron, ch. 11.

    >>> [float(one_cycle_momentum(steps=10750)(step)) for step in (0, 4837, 9674, 10749)]
    [0.95, 0.85, 0.95, 0.95]
    """
    corners = cycle_corners("one_cycle_momentum", steps, last_steps)
    return partial(corners_at, steps=corners, values=(high, low, high, high))


# ------------------------------------------------------------------------------------------ schedules made of schedules
def per_epoch_at(step, schedule, steps_per_epoch):
    return schedule(step // steps_per_epoch)


def per_epoch(schedule: Schedule, steps_per_epoch: int) -> Schedule:
    """A schedule that counts epochs, from 0, as one that counts steps: constant within an epoch.

    Raises ValueError unless steps_per_epoch > 0.

    >>> per_epoch(exponential(1.0, 1, factor=0.5), 3)(np.arange(7)).tolist()
    [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25]
    """
    positive("per_epoch", steps_per_epoch=steps_per_epoch)
    return partial(per_epoch_at, schedule=schedule, steps_per_epoch=steps_per_epoch)


def constant_at(step, lr):
    return lr + 0.0 * step


def warmup_at(step, after, steps, start):
    rising = start + (after(0) - start) * (step / steps)
    return np.where(step < steps, rising, after(np.maximum(step - steps, 0)))[()]


def warmup(after: float | Schedule, steps: float, start: float = 0.0) -> Schedule:
    """A straight line from `start` in so many steps, then a rate or a schedule, which begins there with its step 0.

    Step 0 has the rate `start`, step `steps` is the first of `after`. Where the first rate should be lr/n and step
    n - 1 have all of it, write `warmup(lr, n - 1, start=lr / n)`.

    Raises ValueError unless steps > 0.
    Source: Goyal et al. 2017; MATLAB's `warmupLearnRate`, PyTorch's `LinearLR`, the warm-up of Keras' `CosineDecay`.

    >>> warmup(1.0, steps=4)(np.arange(6)).tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]
    """
    positive("warmup", steps=steps)
    rate = after if callable(after) else partial(constant_at, lr=after)
    return partial(warmup_at, after=rate, steps=steps, start=start)


# -------------------------------------------------------------------------------------------------------------- plateau
@dataclass(frozen=True)
class Plateau:
    """What `reduce_on_plateau` returns: its options, and the pair of pure functions."""

    factor: float
    patience: int
    min_delta: float
    relative: bool
    maximize: bool
    cooldown: int
    min_lr: float

    def init(self, lr: float) -> dict[str, Any]:
        """The state before the first epoch: `lr`, the `best` value, and for how long to `wait` and `rest`."""
        return {"lr": lr, "best": -math.inf if self.maximize else math.inf, "wait": 0, "rest": 0}

    def update(self, state: dict[str, Any], value: float) -> dict[str, Any]:
        """The state after an epoch that ended with such a value; a NaN is never an improvement."""
        lr, rest = state["lr"], max(state["rest"] - 1, 0)
        if self.improves(value, state["best"]):
            return {"lr": lr, "best": value, "wait": 0, "rest": rest}
        wait = 0 if rest else state["wait"] + 1
        if wait >= self.patience:
            lr, wait, rest = min(lr, max(lr * self.factor, self.min_lr)), 0, self.cooldown
        return {"lr": lr, "best": state["best"], "wait": wait, "rest": rest}

    def improves(self, value: float, best: float) -> bool:
        if math.isinf(best):
            return value > best if self.maximize else value < best  # inf * min_delta would say no
        delta = self.min_delta * abs(best) if self.relative else self.min_delta
        return value > best + delta if self.maximize else value < best - delta


def reduce_on_plateau(
    factor: float = 0.1,
    patience: int = 10,
    min_delta: float = 1e-4,
    relative: bool = False,
    maximize: bool = False,
    cooldown: int = 0,
    min_lr: float = 0.0,
) -> Plateau:
    """Multiply the rate by `factor` whenever a value, such as the validation loss, has not improved for `patience`
    epochs in a row.

        plateau = reduce_on_plateau(factor=0.5, patience=5)
        state = plateau.init(0.02)
        for epoch in range(epochs):
            ...                                             # train with state["lr"]
            state = plateau.update(state, validation_loss)

    min_delta   how much better than the best value so far counts as an improvement
    relative    measure that in parts of the best value
    maximize    larger is better, as for an accuracy
    cooldown    how many epochs after a reduction are not counted, the one of the reduction included
    min_lr      never go below

    Raises ValueError unless 0 < factor < 1 and patience >= 1.
    Source: Keras' `ReduceLROnPlateau`. PyTorch's of the same name reduces one epoch later (its patience p is p + 1
    here, its cooldown c is c + 1), and its threshold is relative.

    >>> plateau = reduce_on_plateau(factor=0.5, patience=2)
    >>> state = plateau.init(0.1)
    >>> for value in (1.0, 0.9, 0.9, 0.9, 0.9, 0.9):
    ...     state = plateau.update(state, value)
    >>> state["lr"], state["best"]
    (0.025, 0.9)
    """
    if not 0 < factor < 1 or patience < 1:
        raise ValueError(f"reduce_on_plateau: expected 0 < factor < 1 and patience >= 1, got {factor} and {patience}")
    return Plateau(factor, patience, min_delta, relative, maximize, cooldown, min_lr)
