"""A run is a training under way: what there is so far, how it began, and the step it takes next."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .autodiff.traced import Traced
from .flat import FlatTree, contiguous, in_place
from .full_batch import lbfgs_step
from .history import History, check_recorded
from .lbfgs import LBFGS
from .models import Model, compared
from .nonfinite import first_nonfinite, flaw
from .optimizers import Optimizer, with_options
from .step import Stepped, training_step
from .trees import tree_leaves

__all__ = ["Run"]

Tree = Any
Loss = Callable[..., Any]
Rate = float | Callable[[int], float] | None


@dataclass
class Run:
    """A training run, as a callback sees it.

    history            the numbers so far, and `params` and `state` of the model as they are now
    epochs, steps      how many epochs are planned, and how many steps each has
    lr                 a number or a schedule, as `train` was given it, None if it was not; set it to change the rate
                       from here on: `run.lr = 0.1 * run.history.rates[-1]`
    start_lr           the optimizer's own rate, which holds where lr is None; None if it has none
    recorded           the names of the numbers that each epoch adds to `history.epochs`; a callback that adds its own
                       appends their names in `on_start`, before others ask for them. None in a loop of your own,
                       where nobody knows them before
    listeners          the callbacks, by the names under which `history.memories` keeps what they remember

    Beside them there are `epoch`, `step` and `last(name)` to look at, `stop(reason)` and `restore(params, state)`.

    Raises ValueError for a name that is not recorded (from `last`), and for parameters of another structure or other
    shapes (from `restore`).
    """

    history: History
    weights: FlatTree
    epochs: int
    steps: int
    lr: float | Callable[[int], float] | None = None
    start_lr: float | None = None
    recorded: list[str] | None = None
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

    def check_recorded(self, name: str) -> None:
        """ValueError if the epochs of this run will not have a value of that name; for `on_start`."""
        if self.recorded is not None:
            check_recorded(name, self.recorded, "is")

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
    if resume is not None and not isinstance(resume, History):
        raise TypeError(f"train: expected a History for resume, got {resume!r:.60}; try History.load of a checkpoint")
    weights = contiguous(params if resume is None else resume.params)  # one vector: the optimizer works in place, fast
    memory = start_of(optimizer, weights)
    if resume is None:
        history = History(weights.tree, state, memory)
    else:
        check_resumed(resume, params, weights, optimizer, memory)
        history = resume.copy()
        history.params, history.stopped = weights.tree, ""
        if history.rng is not None:
            rng.bit_generator.state = history.rng
    history.steps_per_epoch = steps
    return Run(history, weights, epochs, steps, lr, getattr(optimizer, "lr", None))


def check_resumed(
    resume: History, params: Tree, weights: FlatTree, optimizer: Optimizer | LBFGS, memory: dict[str, Any]
) -> None:
    """A run goes on with the model and the kind of optimizer that it began with; params may be None."""
    try:
        if params is not None:
            weights.gather(params)
    except ValueError as error:
        raise ValueError(f"train: resume is the run of another model than params; {error}") from error
    expected, found = set(memory), set(resume.optimizer_state or {})
    named = isinstance(optimizer, LBFGS) or optimizer.hyper is not None  # your own may add to its state on the way
    if expected - found or (named and found - expected):
        raise ValueError(
            f"train: the run to resume has an optimizer that remembers {sorted(found)}, this one needs "
            f"{sorted(expected)}; give it the same, or begin anew with resume.params and resume.state"
        )


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
    data: tuple[Tree, Tree],
) -> Callable[[tuple[Tree, Tree]], tuple[Stepped, float | None]]:
    """The function that takes the run's next step on a batch of the data; it returns what came of it and the rate."""
    first, shared = run.step, {"rng": rng, "penalty": penalty}
    if isinstance(optimizer, LBFGS):
        if run.lr is not None or hyper or gradients is not None:
            raise ValueError("train: L-BFGS finds its own step from its own gradients; leave out lr, hyper, gradients")
    else:
        fast, shared = in_place(optimizer), shared | {"room": run.weights.like(), "gradients": gradients}

    def take(batch: tuple[Tree, Tree]) -> tuple[Stepped, float | None]:
        rate, options = rate_of(run.lr, run.start_lr, run.step), {k: number_at(v, run.step) for k, v in hyper.items()}
        now = run.weights, run.history.state, run.history.optimizer_state, batch
        criterion = loss if run.step > first else functools.partial(differentiable, loss)
        # what overflows shows in the loss, which is looked at; NumPy's warnings would come before it and say less
        with named(model, run, batch, data, rate, rng), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            if isinstance(optimizer, LBFGS):
                done = lbfgs_step(model, criterion, optimizer, *now, **shared)
            else:
                chosen = in_place(with_options(optimizer, **options)) if options else fast
                done = training_step(model, criterion, chosen, *now, rate, **shared)
        record_options(run.history, options)
        run.history.state, run.history.optimizer_state = done.state, done.memory
        return done, rate

    return take


def differentiable(loss: Loss, Y: Any, T: Any) -> Any:
    """The loss, which must depend on the predictions by operations that have a derivative; TypeError if it does not."""
    value = compared(loss, Y, T)
    if np.shape(value) != ():
        raise ValueError(
            f"train: expected a loss that is one number, a mean over the samples, got shape {np.shape(value)}; "
            "try np.mean of it"
        )
    if not isinstance(value, Traced) and any(isinstance(leaf, Traced) for leaf in tree_leaves(Y)):
        raise TypeError(
            f"train: the loss is {value!r:.40}, a number without a derivative, from which nothing is learned; compute "
            "it with np.* functions and ops, and give what only measures as metrics={'accuracy': accuracy}"
        )
    return value


def record_options(history: History, options: dict[str, float]) -> None:
    for name, value in options.items():
        history.hyper.setdefault(name, []).append(value)


def number_at(value: float | Callable[[int], float], step: int) -> float:
    number = value(step) if callable(value) else value
    try:
        return float(number)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"train: expected a number for a rate or an option, or a function of the step that gives one, got "
            f"{number!r:.60}"
        ) from error


def rate_of(lr: Rate, own: float | None, step: int) -> float | None:
    """What the schedule says for this step; the optimizer's own rate, if it names one, where there is no schedule."""
    return own if lr is None else number_at(lr, step)


@contextmanager
def named(
    model: Model,
    run: Run,
    batch: tuple[Tree, Tree],
    data: tuple[Tree, Tree],
    rate: float | None,
    rng: np.random.Generator,
) -> Iterator[None]:
    """A loss that is no number any more is reported with the step, and with what to try."""
    try:
        yield
    except FloatingPointError as error:
        at = "" if rate is None else f", with a learning rate of {rate:.3g}"
        first = first_nonfinite(model, run.history.params, run.history.state, batch[0], True, rng)
        raise FloatingPointError(
            f"train: {error} at step {run.step} of epoch {run.epoch + 1}{at}. {beginning(first, batch, data)}. Try a "
            "tenth of the rate, or clipped gradients; at step 0, look for nan in the data and for a logarithm of 0 in "
            "the loss."
        ) from error


def beginning(first: str | None, batch: tuple[Tree, Tree], data: tuple[Tree, Tree]) -> str:
    """Where the model lost its numbers; in the data the place there, since a place in a shuffled batch says nothing."""
    if first == f"the input{flaw(batch[0])}":
        return f"It begins at the input{flaw(data[0])} of the data"
    if first is not None:
        return f"It begins at {first}"
    if flaw(batch[1]):
        return f"It begins at the target{flaw(data[1])} of the data"
    return "All predictions are finite, so it begins in the loss"


def check_weights(run: Run) -> None:
    """The last step of an epoch has no loss behind it that would be no number any more."""
    if not np.isfinite(run.weights.vector).all():
        raise FloatingPointError(
            f"train: the loss was finite, but its gradient was not: after step {run.step - 1} of epoch {run.epoch + 1} "
            f"there are parameters that are no numbers{flaw(run.weights.tree)}. Look for a root or a norm of 0 in the "
            "loss; or try a tenth of the rate, or clipped gradients."
        )
