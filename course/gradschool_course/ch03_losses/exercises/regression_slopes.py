"""Right and wrong ways to write the gradients of the regression losses: slopes, and what multiplies them."""

from __future__ import annotations

import numpy as np


# ------------------------------------------------------------------------------------------- slopes of single elements
def sign_of_error(cache):
    return np.sign(cache["Y"] - cache["T"])


def twice_the_error(cache):
    return 2 * (cache["Y"] - cache["T"])


def error(cache):
    return cache["Y"] - cache["T"]


def held_within_delta(cache):
    return np.clip(cache["Y"] - cache["T"], -cache["delta"], cache["delta"])


def one_at_zero(cache):
    return np.where(cache["Y"] >= cache["T"], 1.0, -1.0)


def minus_one_at_zero(cache):
    return np.where(cache["Y"] > cache["T"], 1.0, -1.0)


def error_over_its_size(cache):
    d = cache["Y"] - cache["T"]
    return d / np.abs(d)


def slope_one_far_out(cache):
    d = cache["Y"] - cache["T"]
    return np.where(np.abs(d) <= cache["delta"], d, np.sign(d))


def slope_of_smooth_l1(cache):
    return held_within_delta(cache) / cache["delta"]


def held_within_one(cache):
    return np.clip(cache["Y"] - cache["T"], -1, 1)


def positive_far_out(cache):
    d = cache["Y"] - cache["T"]
    return np.where(np.abs(d) <= cache["delta"], d, cache["delta"])


def flat_far_out(cache):
    d = cache["Y"] - cache["T"]
    return np.where(np.abs(d) <= cache["delta"], d, 0.0)


def twice_near_zero(cache):
    d = cache["Y"] - cache["T"]
    return np.where(np.abs(d) <= cache["delta"], 2 * d, cache["delta"] * np.sign(d))


# -------------------------------------------------------------------------------- what else goes into the gradient
def chained(g, slope, cache):
    return g * cache["scale"] * slope


def sums_upstream(g, slope, cache):
    """With no reduction g has an entry for each element."""
    return np.sum(g) * cache["scale"] * slope


def leaves_out_scale(g, slope, cache):
    return g * slope


def own_divisor(g, slope, cache):
    return g * slope / len(slope)


def divides_again(g, slope, cache):
    return g * cache["scale"] * slope / len(slope)


def leaves_out_upstream(g, slope, cache):
    return cache["scale"] * slope


def zero_is_nothing(g, slope, cache):
    """A g of 0 counts as one that was not given."""
    return (g if np.any(g) else 1.0) * cache["scale"] * slope


def other_sign(g, slope, cache):
    return -g * cache["scale"] * slope


def in_double(g, slope, cache):
    return np.asarray(g * cache["scale"] * slope, dtype=np.float64)


def backward_with(slope, chain=chained):
    """The exercise's function from the slope of single elements and what multiplies it."""

    def answer(g, cache):
        return chain(g, slope(cache), cache)

    return answer


# ---------------------------------------------------------------------------------------------------------- right ways
def entry_by_entry(slope_of):
    """A loop over all entries."""

    def answer(g, cache):
        Y, T = cache["Y"], cache["T"]
        G, scale = np.broadcast_to(g, Y.shape), np.broadcast_to(cache["scale"], Y.shape)
        out = np.zeros_like(Y)
        for index in np.ndindex(*Y.shape):
            out[index] = G[index] * scale[index] * slope_of(float(Y[index] - T[index]), cache.get("delta", 1.0))
        return out

    return answer


def scalar_sign(d, delta):
    return (d > 0) - (d < 0)


def scalar_double(d, delta):
    return 2 * d


def scalar_error(d, delta):
    return d


def scalar_held(d, delta):
    return min(max(d, -delta), delta)


def sign_by_comparison(cache):
    return (cache["Y"] > cache["T"]).astype(cache["Y"].dtype) - (cache["Y"] < cache["T"])


def sign_by_safe_quotient(cache):
    d = cache["Y"] - cache["T"]
    return np.divide(d, np.abs(d), out=np.zeros_like(d), where=d != 0)


def sum_of_itself(cache):
    d = np.subtract(cache["Y"], cache["T"])
    return d + d


def double_in_place(cache):
    d = cache["Y"].copy()
    d -= cache["T"]
    d *= 2
    return d


def error_in_place(cache):
    d = -cache["T"]
    d += cache["Y"]
    return d


def minus_the_other_way(cache):
    return -(cache["T"] - cache["Y"])


def two_branches(cache):
    d = cache["Y"] - cache["T"]
    return np.where(np.abs(d) < cache["delta"], d, cache["delta"] * np.sign(d))


def shortened(cache):
    """The error times how much of it fits into delta."""
    d = cache["Y"] - cache["T"]
    size = np.maximum(np.abs(d), cache["delta"])
    return d * (cache["delta"] / size)
