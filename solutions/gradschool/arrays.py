"""Arrays: what comes before any learning. Class numbers to vectors and back, and slopes by trying.

T = one_hot(np.array([2, 0]), 3)                    # [[0. 0. 1.] [1. 0. 0.]]
y = one_hot_decode(P)                               # the most probable class of each row
gradient_check(f, grad_f, x)                        # 1e-9 if grad_f is right, 1e-2 or more if it is not
"""

from __future__ import annotations

import numpy as np

__all__ = ["gradient_check", "numerical_gradient", "one_hot", "one_hot_decode"]


def floats(x):
    """Whole numbers become float64, floats stay what they are."""
    return x if x.dtype.kind == "f" else x.astype(np.float64)


ADVICE = {
    "tuple": "; if `apply` returned it, (y, state), take [0]",
    "Labelled": "; try stripdims, with the axes in the order that is wanted",
}


def no_array(who, name, a):
    """The error for what came in the place of an array."""
    kind = "None" if a is None else type(a).__name__
    advice = f"; try np.asarray({name})" if isinstance(a, list | int | float) else ADVICE.get(kind, "")
    return TypeError(f"{who}: expected an array for {name}, got {kind}{advice}.")


def zeros_and_ones(mask):
    """Whether an array holds nothing but zeros and ones, or truth values."""
    return mask.dtype.kind == "b" or (mask.dtype.kind in "iuf" and bool(np.all((mask == 0) | (mask == 1))))


def outside(x, low, high):
    """Whether an array holds a number below `low` or above `high`."""
    return bool(np.any((x < low) | (x > high)))


def one_hot(y, K):
    """Class numbers as rows that are 1 at the class and 0 elsewhere.

    Args:
        y: class numbers from 0, integers (N,) or of any shape, in an array or a list.
        K: number of classes, which may be more than occur in y.

    Returns:
        float64 array of y's shape with an axis of length K behind it.

    Raises:
        TypeError: y holds no integers.
        ValueError: a class number outside 0..K-1.

    >>> print(one_hot(np.array([2, 0]), 3).tolist())
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    y = np.asarray(y)
    if y.dtype.kind not in "iu" and y.size:
        raise TypeError(f"one_hot: expected integer class numbers, got {y.dtype}; try y.astype(int).")
    if y.size and (y.min() < 0 or y.max() >= K):
        raise ValueError(f"one_hot: expected class numbers 0..{K - 1}, got {y.min()}..{y.max()}; count from 0.")
    return (y[..., None] == np.arange(K)).astype(np.float64)


def one_hot_decode(P, classes=None, axis=-1):
    """The inverse: which class has the largest entry along `axis`; the first one if several are equal.

    Args:
        P: one-hot rows, probabilities or scores (..., K).
        classes: K labels; the result then holds labels, else class numbers.
        axis: where the classes are.

    Raises:
        ValueError: not as many labels as there are classes.

    Source: MATLAB `onehotdecode`.

    >>> print(one_hot_decode(np.array([[0.1, 0.7, 0.2], [0.5, 0.5, 0.0]]), classes=["ant", "bee", "cow"]))
    ['bee' 'ant']
    """
    numbers = np.argmax(P, axis=axis)
    if classes is None:
        return numbers
    if len(classes) != np.shape(P)[axis]:
        raise ValueError(f"one_hot_decode: {np.shape(P)[axis]} classes along axis {axis}, but {len(classes)} labels.")
    return np.asarray(classes)[numbers]


def numerical_gradient(f, x, eps=1e-5):
    """The gradient of a number f(x) by central differences, entry by entry; x is as before afterwards.

        df/dx_i ~ (f(x + eps e_i) - f(x - eps e_i)) / (2 eps)

    The error is the sum of eps^2 times a third derivative and 1e-16 / eps from rounding: smallest near eps = 1e-5.
    Whole numbers and float32 are taken as float64, in which alone the differences make sense.

    Args:
        f: takes an array of x's shape, returns one number.
        x: array of any shape.

    >>> print(numerical_gradient(lambda x: x[0] ** 2 * x[1], np.array([3.0, 2.0])).round(6))
    [12.  9.]
    """
    x = np.array(x, dtype=np.float64)
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        before = x[i]
        x[i] = before + eps
        above = f(x.copy())  # f may keep what it gets
        x[i] = before - eps
        below = f(x.copy())
        x[i] = before
        gradient[i] = (above - below) / (2 * eps)
    return gradient


def gradient_check(f, grad, x, eps=1e-5):
    """How far a gradient is from the differences: the largest |a - n| / max(1, |a| + |n|) of all entries.

    In float64 a right gradient of a smooth f stays below 1e-6, and mostly below 1e-9.

    Args:
        f: takes an array of x's shape, returns one number.
        grad: takes the same, returns an array of that shape.

    Raises:
        ValueError: the gradient has another shape than x.

    >>> gradient_check(lambda x: np.sum(x**3), lambda x: 3 * x**2, np.array([1.0, 2.0, 3.0])) < 1e-9
    True
    """
    a = np.asarray(grad(np.array(x, dtype=np.float64)), dtype=np.float64)
    if a.shape != np.shape(x):
        raise ValueError(f"gradient_check: expected a gradient of x's shape {np.shape(x)}, got {a.shape}.")
    n = numerical_gradient(f, x, eps)
    return float(np.max(np.abs(a - n) / np.maximum(1.0, np.abs(a) + np.abs(n)), initial=0.0))
