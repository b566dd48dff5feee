"""Training is six steps, over and over: take samples, predict, compare, improve, predict again, until the loss is
small. `train` is that loop, and what it returns holds everything that came out of it.

    params, state, _ = net.init(rng, (784,))
    history = train(net, params, (X, T), optimizer("adam"), softmax_cross_entropy, epochs=10, rng=rng, state=state,
                    lr=lambda step: 1e-3 * 0.1 ** (step / 5000), validation=(X_val, T_val), metrics={"acc": accuracy})
    history.params, history.epochs["val_acc"], history.losses        # the result, per epoch, per step
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .flat import contiguous, in_place
from .metrics import RunningMean
from .models import Model, rows, run_model, samples
from .optimizers import Optimizer
from .step import training_step

__all__ = ["History", "batches", "evaluate", "train"]

Tree = Any
Loss = Callable[[Any, Any], Any]
Metrics = Mapping[str, Callable[[Any, Any], float]]
Rate = float | Callable[[int], float] | None


@dataclass
class History:
    """What training leaves behind.

    params, state     of the model, after the last step; `optimizer_state` is what the optimizer remembers (flat)
    losses, rates     one number per step: the loss of its batch before the update, and the learning rate it used
                      (nan for an optimizer of your own that is given none)
    epochs            lists with one number per epoch: "loss" and each metric, means over the samples of the epoch as
                      they were seen; "val_loss" and so on, of the validation data at the epoch's end
    """

    params: Tree
    state: Tree = None
    optimizer_state: Tree = None
    losses: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    epochs: dict[str, list[float]] = field(default_factory=dict)


def train(
    model: Model,
    params: Tree,
    data: tuple[Tree, Tree],
    optimizer: Optimizer,
    loss: Loss,
    epochs: int,
    *,
    rng: np.random.Generator,
    state: Tree = None,
    lr: Rate = None,
    batch_size: int = 32,
    validation: tuple[Tree, Tree] | None = None,
    metrics: Metrics | None = None,
    progress: bool = False,
) -> History:
    """Fit a model to data by mini-batch gradient descent; returns a `History`, and changes nothing it was given.

    model       a `Layer`, or a function `model(params, *inputs)`
    data        (X, T): arrays, or trees of arrays, with the same number of samples on their first axis
    loss        `loss(Y, T)`, one number that is a mean over the samples of the batch, such as `softmax_cross_entropy`
    rng         a NumPy generator: it shuffles every epoch, and layers that need chance draw from it
    state       of the model, from `init`; None where no layer keeps one
    lr          a number, or a schedule: a function of the step, counted from 0; None leaves it to the optimizer
    batch_size  the last batch of an epoch is shorter where the samples do not divide evenly
    validation  (X, T) to evaluate after each epoch; `metrics` maps names to functions of (Y, T) that are means too
    progress    show a bar for each epoch (needs tqdm)

    Raises FloatingPointError as soon as the loss is nan or infinite, with the step and the advice; ValueError for
    data that do not fit together.

    >>> X = np.linspace(-1, 1, 30)[:, None]
    >>> line = lambda params, x: x @ params["W"] + params["b"]
    >>> mean_square = lambda Y, T: ((Y - T) ** 2).mean()
    >>> from gradschool.optimizers import optimizer
    >>> history = train(line, {"W": np.zeros((1, 1)), "b": np.zeros(1)}, (X, 3 * X - 2), optimizer("momentum"),
    ...                 mean_square, epochs=100, rng=np.random.default_rng(0), lr=0.03, batch_size=10)
    >>> history.params["W"].round(3), history.params["b"].round(3), len(history.losses)
    (array([[3.]]), array([-2.]), 300)
    """
    if samples(data) == 0:
        raise ValueError("train: expected at least one sample, got none")
    weights = contiguous(params)  # one vector, so that the optimizer may work in place and fast
    room = weights.like()
    optimizer = in_place(optimizer)
    history = History(weights.tree, state, optimizer.init(weights))
    metrics = metrics or {}
    for epoch in range(epochs):
        means = {name: RunningMean() for name in ("loss", *metrics)}
        # 1. Split the samples into inputs X and labels T, a batch at a time.
        for X, T in with_bar(batches(data, batch_size, rng), epoch, epochs, samples(data), batch_size, progress):
            rate = rate_of(lr, optimizer, len(history.losses))
            # 2. X goes through the layers, one after the other: a prediction Y comes out.
            # 3. The loss compares Y and T.
            # 4. The optimizer uses the gradient of the loss to change the weights.
            with named(len(history.losses), epoch, rate):
                value, Y, history.state, weights, history.optimizer_state = training_step(
                    model, loss, optimizer, weights, history.state, history.optimizer_state, (X, T), rate,
                    rng=rng, room=room,
                )  # fmt: skip
            # 5. Again, with the weights as they are now: a new Y, compared with T. (The loop goes on.)
            record_step(history, means, metrics, value, rate, Y, T)
        # 6. An optimizer that makes this loss small: that is all that training is. Is it, on other samples too?
        record_epoch(history, means, evaluation(model, history, validation, loss, metrics))
    return history


def batches(
    data: Tree, batch_size: int, rng: np.random.Generator | None = None, shuffle: bool = True
) -> Iterator[Tree]:
    """Mini-batches of a tree of arrays, each sample once; the last one is short if need be. Shuffled by `rng`.

    >>> [X.tolist() for X, T in batches((np.arange(5), np.arange(5)), 3, shuffle=False)]
    [[0, 1, 2], [3, 4]]
    """
    if batch_size < 1:
        raise ValueError(f"batches: expected a batch size of at least 1, got {batch_size}")
    if shuffle and rng is None:
        raise ValueError("batches: shuffling needs a generator, rng=np.random.default_rng(seed); or shuffle=False")
    n = samples(data)
    order = rng.permutation(n) if shuffle and rng is not None else np.arange(n)
    for start in range(0, n, batch_size):
        yield rows(data, order[start : start + batch_size])


def evaluate(
    model: Model,
    params: Tree,
    data: tuple[Tree, Tree],
    loss: Loss,
    metrics: Metrics | None = None,
    state: Tree = None,
    batch_size: int = 1024,
) -> dict[str, float]:
    """The loss and the metrics of a model on data (X, T): means over the samples, however the batches fall.

    >>> X, T = np.arange(5.0), np.zeros(5)
    >>> evaluate(lambda w, x: w * x, 2.0, (X, T), lambda Y, T: np.mean(Y - T), batch_size=3)
    {'loss': 4.0}
    """
    functions = {"loss": loss, **(metrics or {})}
    means = {name: RunningMean() for name in functions}
    for X, T in batches(data, batch_size, shuffle=False):
        Y, _ = run_model(model, params, state, X)
        for name, function in functions.items():
            means[name].update(float(function(Y, T)), samples(T))
    return {name: mean.result() for name, mean in means.items()}


# ------------------------------------------------------------------------------------------------ around the six steps
def evaluation(
    model: Model, history: History, validation: tuple[Tree, Tree] | None, loss: Loss, metrics: Metrics
) -> dict[str, float]:
    if validation is None:
        return {}
    found = evaluate(model, history.params, validation, loss, metrics, history.state)
    return {f"val_{name}": value for name, value in found.items()}


def rate_of(lr: Rate, optimizer: Optimizer, step: int) -> float | None:
    """What the schedule says for this step; the optimizer's own rate, if it names one, where there is no schedule."""
    if callable(lr):
        return float(lr(step))
    return optimizer.lr if lr is None else float(lr)


@contextmanager
def named(step: int, epoch: int, rate: float | None) -> Iterator[None]:
    """A loss that is no number any more is reported with the step, and with what to try."""
    try:
        yield
    except FloatingPointError as error:
        at = "" if rate is None else f", with a learning rate of {rate:.3g}"
        raise FloatingPointError(
            f"train: {error} at step {step} of epoch {epoch + 1}{at}. Try a tenth of the rate; if it "
            "happens at step 0, look for nan in the data and for a logarithm of 0 in the loss."
        ) from error


def record_step(
    history: History,
    means: dict[str, RunningMean],
    metrics: Metrics,
    value: Any,
    rate: float | None,
    Y: Any,
    T: Any,
) -> None:
    history.losses.append(float(value))
    history.rates.append(math.nan if rate is None else rate)
    means["loss"].update(float(value), samples(T))
    for name, metric in metrics.items():
        means[name].update(float(metric(Y, T)), samples(T))


def record_epoch(history: History, means: dict[str, RunningMean], validation: dict[str, float]) -> None:
    for name, value in ({key: mean.result() for key, mean in means.items()} | validation).items():
        history.epochs.setdefault(name, []).append(value)


def with_bar(steps: Iterable[Tree], epoch: int, epochs: int, n: int, batch_size: int, progress: bool) -> Iterable[Tree]:
    if not progress:
        return steps
    try:
        from tqdm import tqdm  # not tqdm.auto, which warns in notebooks without ipywidgets
    except ImportError as error:
        raise ImportError("train: progress=True needs tqdm; pip install tqdm, or leave progress out") from error
    return tqdm(steps, f"epoch {epoch + 1}/{epochs}", math.ceil(n / batch_size), leave=False)
