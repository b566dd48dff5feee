"""Labels say what the axes of an array are: S space, C channel, B batch, T time, U unspecified. Labels, not positions,
tell a mean over the batch from a mean over the channels.

    X = labelled(images, "BSSC")                    # 'SSCB': labelled arrays have their axes in the order S, C, B, T, U
    dims(X), finddim(X, "C")                        # 'SSCB', (2,)
    images = stripdims(X, "BSSC")                   # a plain array again, in any order
    Y = to_format(images, "BSSC", "CBU")            # places merged into one axis U, behind channel and batch

The ops and layers of this library take plain arrays, batch first and channels last: "BC", "BSSC", "BTC". From labels to
an op and back that is `Y = labelled(conv(stripdims(X, "BSSC"), W), "BSSC")`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Labelled", "dims", "finddim", "labelled", "stripdims", "to_format"]


def check_labels(labels, ndim=None):
    """Known labels, C, B and T at most once, one for each axis; or an error that says what is wrong."""
    for label in labels:
        if label not in "SCBTU":
            raise ValueError(f"labels: {label!r} in {labels!r} is unknown; expected S, C, B, T or U.")
        if label in "CBT" and labels.count(label) > 1:
            raise ValueError(f"labels: {label} occurs {labels.count(label)} times in {labels!r}; only S and U may.")
    if ndim is not None and len(labels) != ndim:
        raise ValueError(f"labels: {labels!r} names {len(labels)} axes, but the array has {ndim}.")


def to_format(X, src, dst):
    """The same numbers with the axes in another order: a new array, in which every axis has moved with its label.

    Args:
        X: array with an axis for each label in `src`.
        src: labels of X, such as "SSCB"; S and U may occur several times.
        dst: labels of the result. Repeated ones keep their order. A label that X does not have becomes an axis of
            length 1. Axes that `dst` does not name are merged into its U, together with X's own U, in the order of
            `src`, the last running fastest.

    Returns:
        A copy, with an axis for each label in `dst`.

    Raises:
        ValueError: an unknown label, C, B or T twice, not as many labels as axes; axes that are not named where `dst`
            has no U, or several.

    Source: formats of MATLAB's `dlarray`.

    >>> X = np.arange(24).reshape(2, 3, 4)
    >>> to_format(X, "SCB", "BSC").shape, to_format(X, "SCB", "BTU").shape
    ((4, 2, 3), (4, 1, 6))
    >>> to_format(X, "SCB", "BU")[0].tolist()
    [0, 4, 8, 12, 16, 20]
    """
    X = np.asarray(X)
    check_labels(src, X.ndim)
    check_labels(dst)
    axes = {label: [i for i, found in enumerate(src) if found == label] for label in "SCBTU"}
    merged = [i for label in "SCBT" for i in axes[label][dst.count(label) :]]
    if merged or len(axes["U"]) > dst.count("U"):
        if dst.count("U") != 1:
            names = "".join(src[i] for i in sorted(merged)) or "U"
            raise ValueError(
                f"to_format: {dst!r} has no room for {names} of {src!r}; name all axes, or give one U to merge them in."
            )
        axes["U"] = sorted([*merged, *axes["U"]])
    order, shape = [], []
    for label in dst:
        taken = axes[label] if label == "U" and dst.count("U") == 1 else axes[label][:1]
        axes[label] = axes[label][len(taken) :]
        order += taken
        shape.append(int(np.prod([X.shape[i] for i in taken])))
    return np.transpose(X, order).reshape(shape).copy()


# ----------------------------------------------------------------------------------------------- arrays with labels
@dataclass(frozen=True, eq=False)
class Labelled:
    """An array whose axes have names; both stay as they are. `labelled` makes one, in the order S, C, B, T, U.

    Raises TypeError where NumPy would make a plain array of it, as np.mean does; `stripdims` makes one. Nothing is
    checked where one is made by hand; `labelled` checks the labels.
    """

    array: np.ndarray
    labels: str

    def __array__(self, *args, **kwargs):
        raise TypeError(
            f"labelled arrays have their axes in an order of their own, here {self.labels}; "
            f"try stripdims(X, {self.labels!r}), with the axes in the order that is wanted"
        )

    def __repr__(self):
        return f"Labelled({self.array!r}, {self.labels!r})"


def labelled(X, labels):
    """A copy of X with labels, its axes in the order S, C, B, T, U; nobody can write to it.

    Raises ValueError as `to_format` does. Source: MATLAB's `dlarray(X, fmt)`.

    >>> labelled(np.zeros((5, 28, 26, 3)), "BSSC").array.shape
    (28, 26, 3, 5)
    """
    check_labels(labels, np.ndim(X))
    order = "".join(sorted(labels, key="SCBTU".index))
    array = to_format(X, labels, order)
    array.flags.writeable = False
    return Labelled(array, order)


def dims(X):
    """The labels of the axes; of an array without labels, or anything else, none: nothing is refused.

    >>> dims(labelled(np.zeros((5, 4, 3)), "BTC")), dims(np.zeros((5, 4, 3)))
    ('CBT', '')
    """
    return X.labels if isinstance(X, Labelled) else ""


def finddim(X, label):
    """Which axes have this label, counted from 0.

    Raises ValueError for an unknown label.

    >>> finddim(labelled(np.zeros((5, 28, 26, 3)), "BSSC"), "S"), finddim(labelled(np.zeros((5, 3)), "BC"), "T")
    ((0, 1), ())
    """
    check_labels(label, 1)
    return tuple(i for i, found in enumerate(dims(X)) if found == label)


def stripdims(X, order=None):
    """The array without its labels, as it is or in the order of other labels; a new array, which may be changed.

    Raises ValueError for an array without labels that is asked for an order, and as `to_format` does.

    >>> X = labelled(np.zeros((5, 4, 3)), "BTC")
    >>> stripdims(X).shape, stripdims(X, "BTC").shape
    ((3, 5, 4), (5, 4, 3))
    """
    if isinstance(X, Labelled):
        return to_format(X.array, X.labels, order or X.labels)
    if order is not None:
        raise ValueError(
            f"stripdims: an array without labels has no order {order!r}; use to_format(X, labels, {order!r})."
        )
    return np.array(X)
