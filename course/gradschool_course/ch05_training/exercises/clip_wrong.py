"""How clipping goes wrong: rules for one array, factors for a norm, and ways to apply them."""

from __future__ import annotations

import numpy as np


def length(g):
    return np.sqrt(np.sum(g * g))


def total(grads):
    return np.sqrt(sum(np.sum(g * g) for g in grads.values()))


# ------------------------------------------------------------------------------------- mistakes of each, in one array
def each(rule):
    """A clipping that treats every array on its own: rule(g, limit)."""

    def answer(grads, limit):
        return {name: rule(g, limit) for name, g in grads.items()}

    return answer


def together(rule):
    """A clipping with one factor for all: rule(norm of all, limit)."""

    def answer(grads, limit):
        factor = rule(total(grads), limit)
        return {name: g * factor for name, g in grads.items()}

    return answer


def in_place(right):
    def answer(grads, limit):
        for name, g in right(grads, limit).items():
            grads[name][...] = g
        return grads

    return answer


def always(norm, limit):
    return limit / norm if norm > 0 else 1.0


def square_root_forgotten(norm, limit):
    return limit / norm**2 if norm**2 > limit else 1.0


def square_compared(norm, limit):
    return limit / norm if norm**2 > limit else 1.0


def divided_by_norm(norm, limit):
    return 1 / norm if norm > limit else 1.0


def multiplied_by_limit(norm, limit):
    return limit if norm > limit else 1.0


def subtracted(norm, limit):
    return 1 - limit / norm if norm > limit else 1.0


def with_epsilon(norm, limit):
    return min(limit / (norm + 1e-6), 1.0)


def zeroed(norm, limit):
    return 0.0 if norm > limit else 1.0


def one_array(rule):
    """The factor of a norm, for each array on its own."""
    return each(lambda g, limit: g * rule(length(g), limit))


def spectral(g, limit):
    """`np.linalg.norm(g, 2)` of a matrix is its largest singular value."""
    norm = np.linalg.norm(g, 2) if g.ndim == 2 else length(g)
    return g * limit / max(norm, limit)


def per_column(g, limit):
    norm = np.sqrt(np.sum(g * g, axis=0, keepdims=True))
    return g * np.where(norm > limit, limit / np.where(norm > 0, norm, 1.0), 1.0)


def sum_of_sizes(g, limit):
    norm = np.sum(np.abs(g))
    return g * (limit / norm) if norm > limit else g.copy()


def largest_entry(g, limit):
    norm = np.max(np.abs(g))
    return g * (limit / norm) if norm > limit else g.copy()


def mean_square(g, limit):
    norm = np.sqrt(np.mean(g * g))
    return g * (limit / norm) if norm > limit else g.copy()


def upper_end_alone(g, limit):
    return np.minimum(g, limit)


def sizes_alone(g, limit):
    return np.minimum(np.abs(g), limit)


def cut_to_zero(g, limit):
    return np.where(np.abs(g) > limit, 0.0, g)


def signs(g, limit):
    return limit * np.sign(g)


def at_one(g, limit):
    return np.clip(g, -1.0, 1.0)


def from_zero(g, limit):
    return np.clip(g, 0.0, limit)


def scaled_to_limit(grads, limit):
    """All arrays by the largest entry of all: the direction stays."""
    top = max(np.abs(g).max() for g in grads.values())
    return {name: g * min(1.0, limit / top) if top > 0 else g.copy() for name, g in grads.items()}


def largest_to_limit(g, limit):
    """Each array by its own largest entry: its direction stays."""
    return g * (limit / max(np.abs(g).max(initial=0.0), limit))


def sum_of_norms(grads, limit):
    norm = sum(length(g) for g in grads.values())
    return {name: g * (limit / norm if norm > limit else 1.0) for name, g in grads.items()}


def root_of_norms(grads, limit):
    norm = np.sqrt(sum(length(g) for g in grads.values()))
    return {name: g * (limit / norm if norm > limit else 1.0) for name, g in grads.items()}


def longest_array(grads, limit):
    norm = max(length(g) for g in grads.values())
    return {name: g * (limit / norm if norm > limit else 1.0) for name, g in grads.items()}


def mean_over_arrays(grads, limit):
    norm = total(grads) / np.sqrt(len(grads))
    return {name: g * (limit / norm if norm > limit else 1.0) for name, g in grads.items()}


def biases_not_counted(grads, limit):
    """What has one axis adds nothing to the norm, and is scaled all the same."""
    norm = total({name: g for name, g in grads.items() if g.ndim > 1})
    return {name: g * (limit / norm if norm > limit else 1.0) for name, g in grads.items()}


def biases_left_out(grads, limit):
    """What has one axis adds nothing to the norm, and stays what it is."""
    scaled = biases_not_counted(grads, limit)
    return {name: scaled[name] if g.ndim > 1 else g.copy() for name, g in grads.items()}


def global_factor_where_long(grads, limit):
    norm = total(grads)
    return {name: g * (limit / norm) if length(g) > limit else g.copy() for name, g in grads.items()}


def growing_norm(grads, limit):
    """The norm of all arrays so far, and not of all."""
    squares, answer = 0.0, {}
    for name, g in grads.items():
        squares += np.sum(g * g)
        norm = np.sqrt(squares)
        answer[name] = g * (limit / norm) if norm > limit else g.copy()
    return answer


def zero_over_zero(g, limit):
    unit = g / length(g)
    return unit * min(length(g), limit)


def zero_over_zero_of_all(grads, limit):
    norm = total(grads)
    return {name: g / norm * min(norm, limit) for name, g in grads.items()}
