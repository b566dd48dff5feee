"""Metrics: what people want to know about a model, whether or not it can be differentiated.

mean = RunningMean()
for X, y in batches:
    mean.update(accuracy(predict(X), y), len(X))    # the last batch may be short, so it counts for less
print(mean.result())

The mean of no samples is no number: a metric of empty arrays raises ValueError.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np

from .arrays import no_array, outside, zeros_and_ones

__all__ = ["RunningMean", "accuracy", "mae_metric"]

F = TypeVar("F", bound=Callable[..., Any])


def of_samples(metric: F) -> F:
    """The metric, which is a mean, with an error for what is no array, or has no samples: else nan and a warning."""
    names = tuple(inspect.signature(metric).parameters)

    @functools.wraps(metric)
    def checked(*pair: Any, **named: Any) -> Any:
        for name, a in (*zip(names, pair, strict=False), *named.items()):
            if not hasattr(a, "shape"):
                raise no_array(metric.__name__, name, a)
        shapes = [a.shape for a in (*pair, *named.values())]
        if any(0 in shape for shape in shapes):
            raise ValueError(
                f"{metric.__name__}: a mean needs at least one sample, got arrays of shape "
                f"{' and '.join(map(str, shapes))}; leave out empty batches, as RunningMean does."
            )
        return metric(*pair, **named)

    return cast(F, checked)


@of_samples
def accuracy(P, T):
    """The share of right answers, as a float.

    With P (N, K) or (N, T, K) the answer is the class of the largest entry, the first one if several are equal,
    so probabilities and scores do alike. T holds class numbers (P's shape without the last axis), or it is one-hot
    or soft (P's shape), and then its largest entry counts. With P (N,) the answer is binary: 1 where p >= 0.5,
    and T (N,) holds zeros and ones.

    Raises:
        ValueError: shapes that do not fit; a single column, for which there is nothing to choose from; class numbers
            outside 0..K-1; for a binary answer anything else than probabilities, zeros and ones.

    Frameworks: Keras' binary accuracy takes p > 0.5 for a 1.

    >>> accuracy(np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]]), np.array([0, 2]))
    0.5
    """
    if P.ndim == 1 and T.shape == P.shape:
        if outside(P, 0, 1) or not zeros_and_ones(T):
            raise ValueError(
                f"accuracy: with P {P.shape} expected probabilities, and zeros and ones, got "
                f"{P.min()}..{P.max()} and {T.min()}..{T.max()}; sigmoid(z) for scores, (P == T).mean() for labels."
            )
        return float(np.mean((P >= 0.5) == T))
    if P.ndim == 1 or T.shape not in (P.shape, P.shape[:-1]):
        raise ValueError(
            f"accuracy: expected targets of shape {P.shape[:-1] or P.shape} or {P.shape} for predictions {P.shape}, "
            f"got {T.shape}; try T.ravel()."
        )
    if P.shape[-1] == 1:
        raise ValueError(f"accuracy: {P.shape} has one class only; for a binary answer try P[..., 0] and T (N,).")
    if T.shape != P.shape and outside(T, 0, P.shape[-1] - 1):
        raise ValueError(
            f"accuracy: expected class numbers 0..{P.shape[-1] - 1} for predictions {P.shape}, got "
            f"{T.min()}..{T.max()}; count from 0."
        )
    labels = np.argmax(T, axis=-1) if T.shape == P.shape else T
    return float(np.mean(np.argmax(P, axis=-1) == labels))


@of_samples
def mae_metric(Y, T):
    """Mean absolute error over all elements, as a float: in the units of Y, whatever the number of responses.

    Y and T have the same shape; else ValueError, since (N,) - (N, 1) would compare everything with everything.
    `l1_loss` divides by the number N of observations instead.

    >>> mae_metric(np.array([[1.0, 2.0, 4.0]]), np.array([[0.0, 2.0, 7.0]])).__round__(4)
    1.3333
    """
    if Y.shape != T.shape:
        raise ValueError(f"mae_metric: expected a target of shape {Y.shape}, got {T.shape}; try T.reshape({Y.shape}).")
    return float(np.mean(np.abs(np.subtract(Y, T, dtype=np.float64))))


class RunningMean:
    """The mean over all samples of a value that arrives as means over batches.

    A mean of batch means would give the samples of a short last batch too much weight; here each batch counts by
    its size. Before anything has arrived the mean is nan; a batch of no samples changes nothing, whatever its value.

    Raises ValueError (from `update`) for a negative number of samples.

    >>> mean = RunningMean()
    >>> mean.update(1.0, 4)
    >>> mean.update(0.0, 1)
    >>> mean.result()
    0.8
    """

    def __init__(self):
        self.total = 0.0
        self.count = 0

    def update(self, value, n=1):
        """Take in a batch of n samples whose mean is `value`; ValueError for negative n."""
        if n < 0:
            raise ValueError(f"RunningMean.update: expected a number of samples n >= 0, got {n}.")
        if n > 0:
            self.total += float(value) * n
            self.count += n

    def result(self):
        """The mean so far, nan if there is nothing yet."""
        return self.total / self.count if self.count else float("nan")
