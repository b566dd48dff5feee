"""A run is a training under way: what there is so far, how it began, and the step it takes next."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .flat import FlatTree, contiguous, in_place
from .full_batch import lbfgs_step
from .history import History
from .lbfgs import LBFGS
from .models import Model
from .nonfinite import first_nonfinite
from .optimizers import Optimizer, with_options
from .step import Stepped, training_step

__all__ = ["Run"]

Tree = Any
Loss = Callable[..., Any]
Rate = float | Callable[[int], float] | None


@dataclass
class Run:
    """A training run, as a callback sees it.

    history            the numbers so far, and `params` and `state` of the model as they are now
    epochs, steps      how many epochs are planned, and how many steps each has
    lr                 a number or a schedule, as `train` was given it; set it to change the rate from here on
    start_lr           the optimizer's own rate, which holds where lr is None
    listeners          the callbacks, by the names under which `history.memories` keeps what they remember
    """

    history: History
    weights: FlatTree
    epochs: int
    steps: int
    lr: float | Callable[[int], float] | None = None
    start_lr: float | None = None
    listeners: dict[str, Any] = field(default_factory=dict)

    @property
    def epoch(self) -> int:
        """How many epochs are done; in `on_epoch` the number of this one, counted from 1."""
        return self.history.epochs_done

    @property
    def step(self) -> int:
        """How many steps are done, in all epochs."""
        return len(self.history.losses)

    def last(self, name: str) -> float:
        """The newest value of "loss", "val_loss" or a metric; ValueError if that is not recorded."""
        return self.history.values(name)[-1]

    def stop(self, reason: str) -> None:
        """Let this be the last step or epoch."""
        self.history.stopped = reason

    def restore(self, params: Tree, state: Tree) -> None:
        """Put other parameters, of the same shapes, and another state into the model."""
        self.weights.vector[:] = self.weights.gather(params)
        self.history.state = state


def begin(
    params: Tree,
    state: Tree,
    optimizer: Optimizer | LBFGS,
    lr: Rate,
    epochs: int,
    steps: int,
    rng: np.random.Generator,
    resume: History | None,
) -> Run:
    weights = contiguous(params if resume is None else resume.params)  # one vector: the optimizer works in place, fast
    if resume is None:
        history = History(weights.tree, state, start_of(optimizer, weights))
    else:
        history = resume.copy()
        history.params, history.stopped = weights.tree, ""
        if history.rng is not None:
            rng.bit_generator.state = history.rng
    history.steps_per_epoch = steps
    return Run(history, weights, epochs, steps, lr, getattr(optimizer, "lr", None))


def start_of(optimizer: Optimizer | LBFGS, weights: FlatTree) -> dict[str, Any]:
    return optimizer.init(weights.tree) if isinstance(optimizer, LBFGS) else in_place(optimizer).init(weights)


def step_taker(
    model: Model,
    loss: Loss,
    optimizer: Optimizer | LBFGS,
    run: Run,
    hyper: Mapping[str, Any],
    rng: np.random.Generator,
    penalty: Callable[[Tree], Any] | None,
    gradients: Callable[[Tree, Tree], Tree] | None,
) -> Callable[[tuple[Tree, Tree]], tuple[Stepped, float | None]]:
    """The function that takes the run's next step on a batch, and returns what came of it and the rate."""
    shared = {"rng": rng, "penalty": penalty}
    if isinstance(optimizer, LBFGS):
        if run.lr is not None or hyper or gradients is not None:
            raise ValueError("train: L-BFGS finds its own step from its own gradients; leave out lr, hyper, gradients")
        step = functools.partial(lbfgs_step, model, loss, optimizer, **shared)
    else:
        fast, shared = in_place(optimizer), shared | {"room": run.weights.like(), "gradients": gradients}

    def take(batch: tuple[Tree, Tree]) -> tuple[Stepped, float | None]:
        rate, options = rate_of(run.lr, run.start_lr, run.step), {k: number_at(v, run.step) for k, v in hyper.items()}
        now = run.weights, run.history.state, run.history.optimizer_state, batch
        with named(model, run, batch[0], rate, rng):
            if isinstance(optimizer, LBFGS):
                done = step(*now)
            else:
                chosen = in_place(with_options(optimizer, **options)) if options else fast
                done = training_step(model, loss, chosen, *now, rate, **shared)
        record_options(run.history, options)
        run.history.state, run.history.optimizer_state = done.state, done.memory
        return done, rate

    return take


def record_options(history: History, options: dict[str, float]) -> None:
    for name, value in options.items():
        history.hyper.setdefault(name, []).append(value)


def number_at(value: float | Callable[[int], float], step: int) -> float:
    return float(value(step) if callable(value) else value)


def rate_of(lr: Rate, own: float | None, step: int) -> float | None:
    """What the schedule says for this step; the optimizer's own rate, if it names one, where there is no schedule."""
    return own if lr is None else number_at(lr, step)


@contextmanager
def named(model: Model, run: Run, X: Tree, rate: float | None, rng: np.random.Generator) -> Iterator[None]:
    """A loss that is no number any more is reported with the step, and with what to try."""
    try:
        yield
    except FloatingPointError as error:
        at = "" if rate is None else f", with a learning rate of {rate:.3g}"
        first = first_nonfinite(model, run.history.params, run.history.state, X, True, rng)
        where = f"It begins at {first}" if first else "All predictions are finite, so the loss itself makes it"
        raise FloatingPointError(
            f"train: {error} at step {run.step} of epoch {run.epoch + 1}{at}. {where}. Try a tenth of the rate, or "
            "clipped gradients; at step 0, look for nan in the data and for a logarithm of 0 in the loss."
        ) from error
