"""Networks as scikit-learn's estimators, so that its searches, pipelines and cross-validations apply to them.

    from gradschool.search import NetClassifier, NetRegressor

    net = NetClassifier(hidden=2, units=64, lr=0.01, random_state=0).fit(X, y)
    net.predict(X_test), net.predict_proba(X_test), net.history_.best_epoch("loss")

Random search draws hyper-parameters and keeps those that do best in cross-validation. Rates are drawn evenly on a
logarithmic scale: between 0.0003 and 0.003 there is as much to find as between 0.003 and 0.03. With rates as below, up
to three hidden layers of up to 99 neurons, ten draws and three folds this is the search of Géron, ch. 10, on the
California housing data; the scaler is within the pipeline, so no fold is scaled by what it should not have seen.

    from scipy.stats import loguniform, randint
    from sklearn.model_selection import RandomizedSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    net = NetRegressor(optimizer="sgd", epochs=100, early_stopping=10, random_state=42)
    space = {"netregressor__hidden": [0, 1, 2, 3], "netregressor__units": randint(1, 100),
             "netregressor__lr": loguniform(3e-4, 3e-2)}
    search = RandomizedSearchCV(make_pipeline(StandardScaler(), net), space, n_iter=10, cv=3, n_jobs=-1,
                                scoring="neg_mean_squared_error", random_state=42)
    search.fit(X, y).best_params_

This module needs scikit-learn, and `import gradschool` does not load it.
"""

from __future__ import annotations

import functools
import math
import numbers
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
except ImportError as error:
    raise ImportError("gradschool.search needs scikit-learn 1.6 or newer: pip install -U scikit-learn") from error

from . import initializers, ops, schedules
from .arrays import one_hot
from .batching import holdout
from .callbacks import EarlyStopping
from .layers import Layer, batchnorm, dense, dropout, sequential
from .losses import l2_loss, softmax_cross_entropy
from .models import predict
from .optimizers import Optimizer, optimizer
from .ranges import check_range
from .regularization import decay_weights
from .training import train, weighted

__all__ = ["NetClassifier", "NetRegressor"]

ACTIVATIONS = {
    "relu": ops.relu, "leaky_relu": ops.leaky_relu, "elu": ops.elu, "selu": ops.selu, "gelu": ops.gelu,
    "swish": ops.swish, "softplus": ops.softplus, "sigmoid": ops.sigmoid, "tanh": ops.tanh,
}  # fmt: skip
INITIALIZERS = {"glorot": initializers.glorot, "he": initializers.he, "lecun": initializers.lecun}
SCHEDULES: dict[str, Callable[[float, int], Any]] = {
    "one_cycle": schedules.one_cycle,
    "cosine": schedules.cosine,
    "exponential": schedules.exponential,
}
mean_square = functools.partial(l2_loss, normalization="all-elements")


class Net(BaseEstimator):
    """What the two estimators share: their parameters, and training.

    hidden              how many hidden layers of `units` there are, or the units of each: 2, or (300, 100)
    units               how many units each has where `hidden` is a number
    activation          "relu", "leaky_relu", "elu", "selu", "gelu", "swish", "softplus", "sigmoid", "tanh"; or yours
    init                "glorot", "he", "lecun"; or a function `init(shape, rng, dtype=...)`
    optimizer           a name, such as "adam" or "momentum"; or what `gradschool.optimizer` returns
    lr                  the learning rate; the highest where there is a schedule
    schedule            None, "one_cycle", "cosine", "exponential"; or a function (lr, steps) -> schedule
    batch_size, epochs  samples in a step, and how often each sample is seen
    early_stopping      None or False; or the patience in epochs, for which True says 10: a part of the samples,
                        `validation_fraction`, is held out, and the parameters of the epoch that is best on it are kept
    weight_decay        decoupled decay of weights: w ← w − lr λ w after each step
    dropout             the share of each hidden layer's outputs that is dropped while training
    batch_norm          normalise before each activation
    random_state        a seed, for the same network every time

    `fit(X, y, sample_weight)` takes a weight for each sample, which multiplies its loss, also in what is held out.
    Where all samples fit into a batch, a weight of 2 is the same as the sample twice; else it is so on average.

    After `fit`: `model_`, `params_`, `state_`, and `history_` with the losses of all steps and epochs.
    """

    def __init__(
        self,
        hidden: int | Sequence[int] = 1,
        units: int = 100,
        activation: str | Callable[..., Any] = "relu",
        init: str | Callable[..., Any] = "glorot",
        optimizer: str | Optimizer = "adam",
        lr: float = 1e-3,
        schedule: str | Callable[[float, int], Any] | None = None,
        batch_size: int = 32,
        epochs: int = 50,
        early_stopping: int | bool | None = None,
        validation_fraction: float = 0.1,
        weight_decay: float = 0.0,
        dropout: float = 0.0,
        batch_norm: bool = False,
        random_state: Any = None,
    ):
        self.hidden = hidden
        self.units = units
        self.activation = activation
        self.init = init
        self.optimizer = optimizer
        self.lr = lr
        self.schedule = schedule
        self.batch_size = batch_size
        self.epochs = epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.random_state = random_state

    def train(self, X: np.ndarray, T: np.ndarray, loss: Callable[..., Any], weights: np.ndarray | None) -> None:
        """Fit the network to targets T (N, K); `weights` (N,) of mean 1 say how much each sample counts."""
        check_numbers(self)
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        self.model_ = network(self, T.shape[1])
        params, state, _ = self.model_.init(rng, X.shape[1:], X.dtype)
        data: Any = (X, T) if weights is None else (X, (T, weights))
        loss = loss if weights is None else functools.partial(weighted, loss)
        validation, callbacks = None, []
        if self.early_stopping:
            data, validation = holdout(data, self.validation_fraction, rng)
            callbacks = [EarlyStopping(10 if self.early_stopping is True else self.early_stopping)]
        decay: Any = functools.partial(decay_weights, strength=self.weight_decay) if self.weight_decay else None
        steps = self.epochs * math.ceil(len(data[0]) / self.batch_size)
        self.history_ = train(
            self.model_, params, data, chosen(self.optimizer), loss, self.epochs, rng=rng, state=state,
            lr=rate(self.schedule, self.lr, steps), batch_size=self.batch_size, validation=validation,
            callbacks=callbacks, after_step=decay,
        )  # fmt: skip
        self.params_, self.state_ = self.history_.params, self.history_.state

    def outputs(self, X: Any) -> np.ndarray:
        """What the network says of X (N, F): scores or responses (N, K)."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        return predict(self.model_, self.params_, X, self.state_)


class NetClassifier(ClassifierMixin, Net):
    """A multilayer perceptron that tells classes apart, trained with softmax and cross-entropy.

    Parameters and results are those of `Net`; also `classes_`, the labels in the order of `predict_proba`'s columns.

    >>> X = np.random.default_rng(0).normal(size=(300, 2))
    >>> y = np.where(X[:, 0] * X[:, 1] > 0, "same", "other")
    >>> net = NetClassifier(units=16, lr=0.03, random_state=0).fit(X, y)
    >>> net.predict([[1, 1], [1, -1]]).tolist(), bool(net.score(X, y) > 0.95)
    (['same', 'other'], True)
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> NetClassifier:
        X, y = validate_data(self, X, y, dtype=(np.float64, np.float32))
        check_classification_targets(y)
        X, y, weights = those_that_count(X, y, sample_weight)
        self.classes_, labels = np.unique(y, return_inverse=True)
        self.train(X, one_hot(labels, len(self.classes_)).astype(X.dtype), softmax_cross_entropy, weights)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities (N, K) of the classes."""
        return ops.softmax(self.outputs(X))

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each row (N,)."""
        scores = self.outputs(X)
        return self.classes_[np.argmax(scores, axis=1)]


class NetRegressor(RegressorMixin, Net):
    """A multilayer perceptron that predicts numbers, one or several a row, trained on the mean square.

    Parameters and results are those of `Net`.

    >>> X = np.linspace(-1, 1, 200)[:, None]
    >>> net = NetRegressor(hidden=(32, 16), lr=0.03, schedule="one_cycle", random_state=0).fit(X, np.abs(X[:, 0]))
    >>> bool(net.score(X, np.abs(X[:, 0])) > 0.99)
    True
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> NetRegressor:
        X, y = validate_data(self, X, y, dtype=(np.float64, np.float32), multi_output=True, y_numeric=True)
        X, y, weights = those_that_count(X, y, sample_weight)
        self.single_ = y.ndim == 1
        self.train(X, y.reshape(len(X), -1).astype(X.dtype), mean_square, weights)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The responses (N,), or (N, R) where y had that shape."""
        Y = self.outputs(X)
        return Y[:, 0] if self.single_ else Y


def those_that_count(X: np.ndarray, y: np.ndarray, sample_weight: Any) -> tuple[np.ndarray, np.ndarray, Any]:
    """X and y without the samples of weight 0, and the other weights, scaled to a mean of 1; None for none."""
    if sample_weight is None:
        return X, y, None
    w = _check_sample_weight(sample_weight, X, dtype=X.dtype)
    if w.min() < 0 or not w.any():
        raise ValueError(f"sample_weight: expected weights >= 0, not all zero, got {w.min():g} to {w.max():g}")
    counts = w > 0
    return X[counts], y[counts], w[counts] / w[counts].mean()


# ------------------------------------------------------------------------------------------- from parameters to parts
def check_numbers(net: Net) -> None:
    """ValueError for a parameter out of its range."""
    name = type(net).__name__
    for option in ("lr", "weight_decay"):
        check_range(name, option, getattr(net, option))
    for option in ("batch_size", "epochs"):
        check_range(name, option, getattr(net, option), low=1)
    if isinstance(net.hidden, numbers.Integral):
        check_range(name, "hidden", net.hidden)
    if net.early_stopping not in (None, False):
        check_range(name, "early_stopping", net.early_stopping, low=1)


def network(net: Net, outputs: int) -> Layer:
    activation = found("activation", net.activation, ACTIVATIONS)
    init = found("init", net.init, INITIALIZERS)
    counted = isinstance(net.hidden, numbers.Integral)
    sizes = [net.units] * int(net.hidden) if counted else list(net.hidden)  # type: ignore[arg-type]
    layers: list[Any] = []
    for size in sizes:
        layers.append(dense(int(size), init, bias=not net.batch_norm))  # the shift of batch norm is bias enough
        layers += [batchnorm()] if net.batch_norm else []
        layers.append(activation)
        layers += [dropout(net.dropout)] if net.dropout else []
    return sequential(*layers, dense(outputs, init))


def found(what: str, value: Any, table: dict[str, Any]) -> Any:
    if callable(value):
        return value
    if value not in table:
        raise ValueError(f"{what}: expected one of {list(table)}, or a function, got {value!r}")
    return table[value]


def chosen(value: str | Optimizer) -> Optimizer:
    return value if isinstance(value, Optimizer) else optimizer(value)


def rate(schedule: str | Callable[[float, int], Any] | None, lr: float, steps: int) -> Any:
    return float(lr) if schedule is None else found("schedule", schedule, SCHEDULES)(float(lr), steps)
