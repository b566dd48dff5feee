"""What `train` is given, looked at before the first step: a mistake should not cost an epoch, nor pass in silence.

check_parts(net, optimizer("adam"), softmax_cross_entropy)     # TypeError for "adam", or for loss and optimizer swapped
n = check_data((X, T), weights)                                # how many samples there are
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np

from .clipping import clip_by_global_norm, clip_by_norm, clip_by_value
from .layers import Layer
from .layers.base import makes_layer, sequential_apply, what_else
from .lbfgs import LBFGS
from .models import check_batch_size, samples
from .nonfinite import flaw
from .optimizers import STEPS, Optimizer
from .regularization import max_norm

__all__ = ["check_data", "check_metrics", "check_options", "check_pair", "check_parts", "check_validation_loss"]

Tree = Any


def check_parts(model: Any, optimizer: Any, loss: Any, who: str = "train") -> None:
    """TypeError unless all three are what they are taken for."""
    check_model(who, model)
    if not isinstance(optimizer, Optimizer | LBFGS):
        name = optimizer if isinstance(optimizer, str) else getattr(optimizer, "__name__", "")
        advice = f'optimizer("{name}", lr=...)' if name in STEPS else 'optimizer("adam"), and the loss behind it'
        raise TypeError(f"{who}: expected an optimizer, got {kind(optimizer)}; try {advice}")
    check_loss(who, loss)


def check_model(who: str, model: Any) -> None:
    if not isinstance(model, Layer) and (not callable(model) or makes_layer(model)):
        came = what_else(model) if callable(model) else kind(model)
        raise TypeError(f"{who}: expected a layer or a function model(params, *inputs), got {came}")
    if getattr(model, "func", None) is sequential_apply:
        raise TypeError(f"{who}: expected a layer, got its apply; give the layer itself")


def check_loss(who: str, loss: Any) -> None:
    if not callable(loss) or isinstance(loss, Layer):
        raise TypeError(f"{who}: expected a loss, a function of predictions and targets, got {kind(loss)}")


def kind(value: Any) -> str:
    if isinstance(value, str):
        return repr(value)
    name = getattr(value, "__name__", "")
    return f"the {type(value).__name__} {name}" if name else f"something of type {type(value).__name__}"


def check_options(
    metrics: Any,
    hyper: Any,
    lr: Any,
    penalty: Any,
    gradients: Any,
    after_step: Any,
    epochs: int,
    batch_size: int | None,
) -> None:
    """Names that mean something else already, functions that would be given something else, and numbers too small."""
    check_metrics("train", metrics)
    check_rate(lr)
    for name, given in (("penalty", penalty), ("gradients", gradients), ("after_step", after_step)):
        check_step_function(name, given)
    if "lr" in (hyper or {}):
        raise ValueError(f"train: hyper is for the optimizer's other options; expected the rate as lr={hyper['lr']!r}")
    if not isinstance(epochs, Integral) or epochs < 0:
        raise ValueError(f"train: expected epochs >= 0, a whole number, got {epochs!r}")
    if batch_size is not None:
        check_batch_size("train", batch_size)


def check_rate(lr: Any) -> None:
    """A number, or a schedule, whose numbers nobody knows yet"""
    if lr is None or callable(lr):
        return
    number = isinstance(lr, Real) or (isinstance(lr, np.ndarray) and lr.ndim == 0)
    if not number or isinstance(lr, bool):
        raise TypeError(f"train: expected a number for lr, or a function of the step, got {lr!r:.40}")
    if not float(lr) >= 0:
        raise ValueError(f"train: expected lr >= 0, got {lr}")


STEP_FUNCTIONS = {  # what each is given, and an example
    "penalty": (1, "the parameters", "lambda params: l2_penalty(params, 1e-4)"),
    "gradients": (2, "gradients and parameters", "lambda grads, params: clip_by_global_norm(grads, 1.0)"),
    "after_step": (2, "the parameters and the rate", "lambda params, lr: max_norm(params, 3.0)"),
}


WITH_A_LIMIT = (clip_by_global_norm, clip_by_norm, clip_by_value, max_norm)  # as their second argument


def check_step_function(name: str, given: Any) -> None:
    """TypeError for what cannot be called with what a step has for it."""
    count, what, example = STEP_FUNCTIONS[name]
    if given is None:
        return
    if not callable(given):
        raise TypeError(f"train: expected {name} to be a function of {what}, got {given!r:.40}; try {name}={example}")
    if given in WITH_A_LIMIT:
        raise TypeError(
            f"train: {name} is given {what}, which {given.__name__} would take for its limit; try {name}={example}"
        )
    try:
        signature = inspect.signature(given)
    except (TypeError, ValueError):  # some functions written in C have none
        return
    try:
        signature.bind(*range(count))
    except TypeError as error:
        called = f"{getattr(given, '__name__', 'it')}({', '.join(signature.parameters)})"
        raise TypeError(
            f"train: {name} is called with {what}, which {called} does not take; try {name}={example}"
        ) from error


def check_metrics(who: str, metrics: Mapping[str, Callable[[Any, Any], float]] | None) -> None:
    """TypeError for what is no dict, ValueError for the names of what is recorded anyway."""
    if metrics is not None and not isinstance(metrics, Mapping):
        raise TypeError(f'{who}: expected metrics as a dict such as {{"accuracy": accuracy}}, got {kind(metrics)}')
    for name in metrics or {}:
        if name == "loss" or name.startswith("val_"):
            raise ValueError(
                f'{who}: a metric cannot be named {name!r}, since "loss" and "val_..." are recorded anyway'
            )


def check_data(data: Any, weights: Any) -> int:
    """The number of samples, if there are any and everything fits."""
    check_pair("data", data)
    n = samples(data)
    if n == 0:
        raise ValueError("train: expected at least one sample, got none")
    if weights is not None and np.shape(weights) != (n,):
        raise ValueError(f"train: expected a weight for each of {n} samples, got shape {np.shape(weights)}")
    return n


def check_pair(name: str, pair: Any, who: str = "train") -> None:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        came = f"an array {pair.shape}" if isinstance(pair, np.ndarray) else f"{pair!r:.40}"
        came = f"{len(pair)} of them" if isinstance(pair, tuple | list) else came
        raise TypeError(
            f"{who}: expected {name}=(X, T), a pair of arrays or trees of arrays, got {came}; "
            "holdout((X, T), 0.1, rng) makes two such pairs"
        )


def check_validation(pair: Any) -> None:
    check_pair("validation", pair)
    if samples(pair) == 0:
        raise ValueError("train: expected at least one sample for validation, got none; None leaves it out")


def check_validation_loss(loss: float, validation: tuple[Tree, Tree]) -> None:
    """A loss that is no number is no reason to stop, but data that make it so are."""
    if math.isfinite(loss):
        return
    for name, part in zip(("input", "target"), validation, strict=True):
        if flaw(part):
            raise FloatingPointError(
                f"train: the validation loss is {loss}; it begins at the {name}{flaw(part)} of the validation data. "
                "Leave such samples out, or fill them in."
            )
