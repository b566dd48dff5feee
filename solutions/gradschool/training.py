"""Training is six steps, over and over: take samples, predict, compare, improve, predict again, until the loss is
small. `train` is that loop, and what it returns holds everything that came out of it.

    params, state, _ = net.init(rng, (784,))
    history = train(net, params, (X, T), optimizer("adam"), softmax_cross_entropy, epochs=10, rng=rng, state=state,
                    lr=lambda step: 1e-3 * 0.1 ** (step / 5000), validation=(X_val, T_val), metrics={"acc": accuracy})
    history.params, history.epochs["val_acc"], history.losses        # the result, per epoch, per step

What else one may want in a step is an argument, and needs no loop of one's own:

    lr=schedules.one_cycle(0.5, steps), hyper={"beta": schedules.one_cycle_momentum(steps)}
    gradients=lambda grads, params: clip_by_global_norm(grads, 1.0)       # before the optimizer sees them
    penalty=lambda params: l2_penalty(params, 1e-4)                       # in the loss
    after_step=lambda params, lr: max_norm(params, 1.0)                   # a constraint, or decoupled decay
    weights=class_weights[y]                                              # some samples count for more
    callbacks=[EarlyStopping(patience=10), Checkpoint("run.npz")]
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .arguments import (
    check_data,
    check_loss,
    check_metrics,
    check_model,
    check_options,
    check_pair,
    check_parts,
    check_validation,
    check_validation_loss,
)
from .batching import batches, count_steps
from .callbacks import Callback, named_callbacks, tell
from .chance import generator
from .history import History
from .lbfgs import LBFGS
from .metrics import RunningMean
from .models import Model, compared, rows, run_model, samples
from .optimizers import Optimizer
from .progress import ProgressBar
from .run import Loss, Rate, Run, begin, check_weights, step_taker
from .step import Stepped
from .trees import tree_leaves

__all__ = ["evaluate", "train"]

Tree = Any
Metrics = Mapping[str, Callable[[Any, Any], float]]


def train(
    model: Model,
    params: Tree,
    data: tuple[Tree, Tree],
    optimizer: Optimizer | LBFGS,
    loss: Loss,
    epochs: int,
    *,
    rng: np.random.Generator,
    state: Tree = None,
    lr: Rate = None,
    hyper: Mapping[str, float | Callable[[int], float]] | None = None,
    batch_size: int | None = None,
    validation: tuple[Tree, Tree] | None = None,
    metrics: Metrics | None = None,
    weights: np.ndarray | None = None,
    penalty: Callable[[Tree], Any] | None = None,
    gradients: Callable[[Tree, Tree], Tree] | None = None,
    after_step: Callable[[Tree, float | None], Tree] | None = None,
    callbacks: Sequence[Callback | Callable[[Run], Any]] = (),
    progress: bool = False,
    resume: History | None = None,
) -> History:
    """Fit a model to data by mini-batch gradient descent; returns a `History`, and changes nothing it was given. To
    predict: `predict(model, history.params, X, history.state)`.

    model       a `Layer`, or a function `model(params, *inputs)`
    data        (X, T): arrays, or trees of arrays for several inputs or outputs, with the same number of samples on
                their first axis
    optimizer   from `optimizer(name)`; or `lbfgs()`, without lr
    loss        `loss(Y, T)`, one number that is a mean over the samples of the batch, such as `softmax_cross_entropy`
    epochs      how often each sample is seen, those of a run that is taken up again included
    rng         a NumPy generator: it shuffles every epoch, and layers that need chance draw from it
    state       of the model, from `init`; None where no layer keeps one
    lr          a number, or a schedule: a function of the step, counted from 0; None leaves it to the optimizer
    hyper       numbers or schedules for other options of the optimizer, such as {"beta": one_cycle_momentum(steps)}
    batch_size  32 unless given, and all samples for L-BFGS; the last batch of an epoch is shorter where the samples do
                not divide evenly, and `count_steps` says how many there are
    validation  (X, T) to evaluate after each epoch; `metrics` maps names to functions of (Y, T) that are means too
    weights     (N,), one for each sample; the loss gets those of the batch as `weights=`, in a shape that broadcasts
                against Y. The validation data count evenly
    penalty     a function of the parameters that is added to the loss, in the validation too
    gradients   (grads, params) -> grads, what the optimizer gets in their place
    after_step  (params, rate) -> params, what the parameters become after each step
    callbacks   see `gradschool.callbacks`; a plain function of the run is called after every epoch
    progress    show a bar with losses and metrics (needs tqdm)
    resume      the history of a run to go on from, in the place of `params` and `state`: with the same arguments the
                result is, to the last bit, that of a run that was never interrupted; `rng` is set to where it was.
                Model and optimizer have to be the same, data and batches may be others from here on

    Raises FloatingPointError as soon as the loss is nan or infinite, with the step and the advice, or if the
    parameters are at an epoch's end; TypeError and ValueError for arguments that are something else, or do not fit
    together: before the first step, as far as can be known then. A warning tells of inputs that are of a wider type
    than the parameters.

    >>> X = np.linspace(-1, 1, 30)[:, None]
    >>> line = lambda params, x: x @ params["W"] + params["b"]
    >>> mean_square = lambda Y, T: ((Y - T) ** 2).mean()
    >>> from gradschool.optimizers import optimizer
    >>> history = train(line, {"W": np.zeros((1, 1)), "b": np.zeros(1)}, (X, 3 * X - 2), optimizer("momentum"),
    ...                 mean_square, epochs=100, rng=np.random.default_rng(0), lr=0.03, batch_size=10)
    >>> history.params["W"].round(3), history.params["b"].round(3), len(history.losses)
    (array([[3.]]), array([-2.]), 300)
    """
    check_parts(model, optimizer, loss)
    check_options(metrics, hyper, lr, penalty, gradients, after_step, epochs, batch_size)
    n = check_data(data, weights)
    if batch_size is None:
        batch_size = n if isinstance(optimizer, LBFGS) else 32
    rng = generator("train", rng)
    if weights is not None:
        data, loss_of_batch = (data[0], (data[1], np.asarray(weights))), functools.partial(weighted, loss)
    else:
        loss_of_batch = loss
    run = begin(params, state, optimizer, lr, epochs, count_steps(data, batch_size), rng, resume)
    warn_of_precision(data[0], run.weights.vector.dtype)
    history, metrics = run.history, metrics or {}
    take_step = step_taker(model, loss_of_batch, optimizer, run, hyper or {}, rng, penalty, gradients, data)
    run.recorded = names_recorded(metrics, validation)
    run.listeners = named_callbacks(callbacks, *([ProgressBar()] if progress else []))
    if validation is not None:
        try_validation(model, history, validation, loss, batch_size)
    tell(run, "on_start")
    try:
        while run.epoch < epochs and not history.stopped:
            means = {name: RunningMean() for name in ("loss", *metrics)}
            # 1. Split the samples into inputs X and labels T, a batch at a time.
            for X, T in batches(data, batch_size, rng):
                # 2. X goes through the layers, one after the other: a prediction Y comes out.
                # 3. The loss compares Y and T.
                # 4. The optimizer uses the gradient of the loss to change the weights.
                done, rate = take_step((X, T))
                if after_step is not None:
                    run.restore(after_step(history.params, rate), history.state)
                # 5. Again, with the weights as they are now: a new Y, compared with T. (The loop goes on.)
                record_step(history, means, metrics, done, rate, T if weights is None else T[0])
                stop_where_converged(run, optimizer)
                tell(run, "on_step")
                if history.stopped:
                    break
            check_weights(run)
            # 6. An optimizer that makes this loss small: that is all that training is. Is it, on other samples too?
            record_epoch(history, means, evaluation(model, history, validation, loss, metrics, penalty))
            history.rng = rng.bit_generator.state  # type: ignore[assignment]
            tell(run, "on_epoch")
    finally:
        tell(run, "on_end")
    return history


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

    evaluate(net, history.params, (X, T), softmax_cross_entropy, metrics={"acc": accuracy}, state=history.state)

    Raises TypeError for metrics that are no dict, data that are no arrays, and a model that returns a tuple which loss
    or metric do not take; ValueError for a metric named "loss" or "val_...", a batch size below 1, and arrays that
    differ in N. Of no samples all means are nan.

    >>> X, T = np.arange(5.0), np.zeros(5)
    >>> evaluate(lambda w, x: w * x, 2.0, (X, T), lambda Y, T: np.mean(Y - T), batch_size=3)
    {'loss': 4.0}
    """
    check_metrics("evaluate", metrics)
    check_pair("data", data, "evaluate")
    check_model("evaluate", model)
    check_loss("evaluate", loss)
    functions = {"loss": loss, **(metrics or {})}
    means = {name: RunningMean() for name in functions}
    for X, T in batches(data, batch_size, shuffle=False):
        Y, _ = run_model(model, params, state, X)
        for name, function in functions.items():
            means[name].update(float(compared(function, Y, T)), samples(T))
    return {name: mean.result() for name, mean in means.items()}


# ------------------------------------------------------------------------------------------------ around the six steps
def names_recorded(metrics: Metrics, validation: Any) -> list[str]:
    """What each epoch adds to the history."""
    names = ["loss", *metrics]
    return names if validation is None else [*names, *(f"val_{name}" for name in names)]


def warn_of_precision(X: Tree, dtype: Any) -> None:
    """What is computed is in the wider of both types."""
    kinds = {leaf.dtype for leaf in tree_leaves(X) if leaf.dtype.kind == "f"}
    for wider in (kind for kind in kinds if kind.itemsize > dtype.itemsize):
        warnings.warn(
            f"train: the inputs are {wider} and the parameters {dtype}, so everything is computed in {wider}, at half "
            f"the speed; try X.astype(np.{dtype}), or net.init(rng, shape, dtype=np.{wider})",
            stacklevel=3,
        )


def try_validation(model: Model, history: History, validation: Any, loss: Loss, batch_size: int) -> None:
    """A batch of the validation data through model and loss: that they do not fit should not show after an epoch."""
    check_validation(validation)
    part = rows(validation, slice(batch_size))
    try:
        found = evaluate(model, history.params, part, loss, state=history.state)
    except Exception as error:
        error.add_note("train: this is what the validation data led to, before the first step")
        raise
    check_validation_loss(found["loss"], validation)


def stop_where_converged(run: Run, optimizer: Optimizer | LBFGS) -> None:
    """L-BFGS knows when there is nothing left to gain; with mini-batches that is of this one alone."""
    memory = run.history.optimizer_state
    if isinstance(optimizer, LBFGS) and run.steps == 1 and memory["status"] == "converged":
        run.stop("L-BFGS has converged")


def weighted(loss: Loss, Y: Any, target: tuple[Any, np.ndarray]) -> Any:
    T, w = target
    return loss(Y, T, weights=w.reshape(w.shape + (1,) * (getattr(Y, "ndim", 1) - 1)))


def record_step(
    history: History, means: dict[str, RunningMean], metrics: Metrics, done: Stepped, rate: float | None, T: Any
) -> None:
    history.losses.append(float(done.loss))
    history.rates.append(math.nan if rate is None else rate)
    means["loss"].update(float(done.loss), samples(T))
    for name, metric in metrics.items():
        means[name].update(float(metric(done.predictions, T)), samples(T))


def record_epoch(history: History, means: dict[str, RunningMean], validation: dict[str, float]) -> None:
    for name, value in ({key: mean.result() for key, mean in means.items()} | validation).items():
        history.epochs.setdefault(name, []).append(value)


def evaluation(
    model: Model,
    history: History,
    validation: tuple[Tree, Tree] | None,
    loss: Loss,
    metrics: Metrics,
    penalty: Callable[[Tree], Any] | None,
) -> dict[str, float]:
    if validation is None:
        return {}
    found = evaluate(model, history.params, validation, loss, metrics, history.state)
    if penalty is not None:
        found["loss"] += float(penalty(history.params))
    check_validation_loss(found["loss"], validation)
    return {f"val_{name}": value for name, value in found.items()}
