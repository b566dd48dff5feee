"""Right and wrong ways to write the regression losses: losses of single elements, and functions made of them."""

from __future__ import annotations

import numpy as np

from .frame import matching, right, size, spread


# ---------------------------------------------------------------------------------------------------- single elements
def absolute(Y, T):
    return np.abs(Y - T)


def squared(Y, T):
    return (Y - T) ** 2


def half_squared(Y, T):
    return 0.5 * (Y - T) ** 2


def signed(Y, T):
    return Y - T


def quarter_squared(Y, T):
    return 0.25 * (Y - T) ** 2


def joined(Y, T, delta):
    d = np.abs(Y - T)
    return np.where(d <= delta, 0.5 * d**2, delta * d - 0.5 * delta**2)


def linear_without_offset(Y, T, delta):
    d = np.abs(Y - T)
    return np.where(d <= delta, 0.5 * d**2, delta * d)


def slope_without_delta(Y, T, delta):
    d = np.abs(Y - T)
    return np.where(d <= delta, 0.5 * d**2, d - 0.5 * delta**2)


def smooth_l1(Y, T, delta):
    d = np.abs(Y - T)
    return np.where(d <= delta, 0.5 * d**2 / delta, d - 0.5 * delta)


def delta_is_one(Y, T, delta):
    return joined(Y, T, 1.0)


def whole_square(Y, T, delta):
    d = np.abs(Y - T)
    return np.where(d <= delta, d**2, delta * d - 0.5 * delta**2)


def branches_swapped(Y, T, delta):
    d = np.abs(Y - T)
    return np.where(d > delta, 0.5 * d**2, delta * d - 0.5 * delta**2)


# ------------------------------------------------------------------------------------------------------ whole functions
def loss(ell, frame=right):
    """The exercise's function from the loss of single elements and a frame, right or wrong."""

    def answer(Y, T, reduction="sum", normalization="batch-size", mask=None, weights=None):
        return frame(ell, Y, T, reduction, normalization, mask, weights)

    return answer


def loss_with_delta(ell, frame=right):
    def answer(Y, T, delta=1.0, reduction="sum", normalization="batch-size", mask=None, weights=None):
        return frame(lambda A, B: ell(A, B, delta), Y, T, reduction, normalization, mask, weights)

    return answer


def root_of(ell):
    def answer(Y, T, reduction="sum", normalization="batch-size", mask=None, weights=None):
        value = right(ell, Y, T, reduction, normalization, mask, weights)
        return value if reduction == "none" else np.sqrt(value)

    return answer


# ---------------------------------------------------------------------------------------------------------- right ways
def in_a_loop(ell):
    """Entry by entry, as one would say it aloud."""

    def answer(Y, T, reduction="sum", normalization="batch-size", mask=None, weights=None):
        matching(Y, T)
        terms = np.zeros(Y.shape)
        M = np.broadcast_to(spread(mask, Y), Y.shape)
        W = np.broadcast_to(1.0 if weights is None else weights, Y.shape)
        for index in np.ndindex(*Y.shape):
            terms[index] = M[index] * W[index] * ell(Y[index], T[index])
        return terms if reduction == "none" else terms.sum() / size(Y, normalization, mask)

    return answer


def as_inner_product(ell):
    """One inner product of the terms with their factors M W / Z."""

    def answer(Y, T, reduction="sum", normalization="batch-size", mask=None, weights=None):
        matching(Y, T)
        factor = np.broadcast_to(spread(mask, Y) * np.asarray(1.0 if weights is None else weights), Y.shape)
        if reduction == "none":
            return factor * ell(Y, T)
        return np.einsum("i,i->", np.ravel(factor), np.ravel(ell(Y, T))) / size(Y, normalization, mask)

    return answer


def on_a_copy(power, factor):
    """In place, on a copy, and a Python number as the answer."""

    def answer(Y, T, reduction="sum", normalization="batch-size", mask=None, weights=None):
        matching(Y, T)
        d = np.array(Y, dtype=float)
        d -= T
        np.abs(d, out=d)
        d **= power
        d *= factor
        if weights is not None:
            d *= weights
        d *= spread(mask, d)
        return d if reduction == "none" else float(np.sum(d)) / size(Y, normalization, mask)

    return answer


def whole_number_power(Y, T):
    return np.square(np.subtract(T, Y))


def larger_minus_smaller(Y, T):
    return np.maximum(Y, T) - np.minimum(Y, T)


def expanded_square(Y, T):
    return 0.5 * Y * Y - Y * T + 0.5 * T * T


def with_clipped(Y, T, delta):
    """delta |d| - delta^2/2 and d^2/2 are both c (|d| - c/2), c = min(|d|, delta)."""
    d = np.abs(Y - T)
    c = np.minimum(d, delta)
    return c * (d - 0.5 * c)


def by_selection(Y, T, delta):
    d = np.array(np.abs(Y - T), dtype=float)
    far = d > delta
    d[far] = delta * (d[far] - 0.5 * delta)
    d[~far] = d[~far] ** 2 / 2
    return d


def one_by_one(Y, T, delta):
    pairs = zip(np.ravel(Y), np.ravel(T), strict=True)
    terms = [0.5 * (y - t) ** 2 if abs(y - t) < delta else delta * abs(y - t) - delta**2 / 2 for y, t in pairs]
    return np.reshape(terms, np.shape(Y))
