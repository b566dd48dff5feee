"""The slopes of the activations, right ones and wrong ones: each a function of the cache, to be multiplied by g."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradschool.ops.elementwise import SELU_ALPHA, SELU_SCALE

Cache = Mapping[str, Any]


def times_slope(slope: Callable[[Cache], Any]) -> Callable[[Any, Cache], Any]:
    """The backward of an activation with this slope."""
    return lambda g, cache: g * slope(cache).astype(g.dtype)


def in_place(slope: Callable[[Cache], Any]) -> Callable[[Any, Cache], Any]:
    def answer(g, cache):
        out = g.copy()
        out *= slope(cache).astype(g.dtype)
        return out

    return answer


def by_entry(slope: Callable[..., Any], *keys: str) -> Callable[[Any, Cache], Any]:
    """A loop over entries; keys of single numbers are handed on as they are."""

    def answer(g, cache):
        out = np.zeros_like(g)
        for index in np.ndindex(*g.shape):
            out[index] = g[index] * slope(*(cache[key][index] if np.ndim(cache[key]) else cache[key] for key in keys))
        return out

    return answer


# ------------------------------------------------------------------------------------------------------ relu and leaky
def step(cache):
    return (cache["x"] > 0) * 1.0


def step_with_zero(cache):
    return (cache["x"] >= 0) * 1.0


def heaviside(cache):
    return np.heaviside(cache["x"], 0.0)


def half_at_zero(cache):
    return np.heaviside(cache["x"], 0.5)


def rectified(cache):
    return np.maximum(cache["x"], 0)


def one(cache):
    return np.ones_like(cache["x"])


def passes_positive_g(g, cache):
    return np.where(g > 0, g, 0)


def leaky(cache):
    return np.where(cache["x"] > 0, 1.0, cache["alpha"])


def leaky_with_zero(cache):
    return np.where(cache["x"] >= 0, 1.0, cache["alpha"])


def alpha_on_the_right(cache):
    return np.where(cache["x"] > 0, cache["alpha"], 1.0)


def leaky_hundredth(cache):
    return np.where(cache["x"] > 0, 1.0, 0.01)


def leaky_or_hundredth(cache):
    return np.where(cache["x"] > 0, 1.0, cache["alpha"] or 0.01)


def leaky_by_maximum(cache):
    """Where the output is x, and not alpha x, if it is taken for the larger of both."""
    x = cache["x"]
    return np.where(x > cache["alpha"] * x, 1.0, cache["alpha"])


def leaky_added(cache):
    """As if alpha x were added to relu, on both sides."""
    return np.where(cache["x"] > 0, 1 + cache["alpha"], cache["alpha"])


def leaky_output(cache):
    return np.where(cache["x"] > 0, cache["x"], cache["alpha"] * cache["x"])


def two_masks(g, cache):
    left = cache["x"] <= 0
    return g * ~left + cache["alpha"] * g * left


# ---------------------------------------------------------------------------------------------------- sigmoid and tanh
def output(cache):
    return cache["y"]


def one_minus(cache):
    return 1 - cache["y"]


def logistic(cache):
    return cache["y"] * (1 - cache["y"])


def logistic_by_square(cache):
    return cache["y"] - cache["y"] ** 2


def logistic_in_two(g, cache):
    return (g - g * cache["y"]) * cache["y"]


def sigmoid_again(cache):
    s = 1 / (1 + np.exp(-cache["y"]))
    return s * (1 - s)


def logistic_of_score(cache):
    y = np.clip(cache["y"], 1e-15, 1 - 1e-15)
    z = np.log(y) - np.log(1 - y)
    return z * (1 - z)


def one_minus_square(cache):
    return 1 - cache["y"] ** 2


def third_binomial(cache):
    return (1 - cache["y"]) * (1 + cache["y"])


def tanh_subtracted(g, cache):
    return g - g * cache["y"] * cache["y"]


def one_minus_score_squared(cache):
    return 1 - np.arctanh(np.clip(cache["y"], -1 + 1e-15, 1 - 1e-15)) ** 2


def tanh_again(cache):
    return 1 - np.tanh(cache["y"]) ** 2


def square_of_the_difference(cache):
    return (1 - cache["y"]) ** 2


def root_of_slope(cache):
    return np.sqrt(1 - cache["y"] ** 2)


# -------------------------------------------------------------------------------------------------------- elu and selu
def elu(cache):
    return np.where(cache["x"] > 0, 1.0, cache["y"] + cache["alpha"])


def elu_with_zero(cache):
    return np.where(cache["x"] >= 0, 1.0, cache["y"] + cache["alpha"])


def elu_by_exponential(cache):
    return np.where(cache["x"] > 0, 1.0, cache["alpha"] * np.exp(np.minimum(cache["x"], 0)))


def elu_blended(cache):
    left = cache["x"] <= 0
    with np.errstate(over="ignore", invalid="ignore"):
        return ~left + left * cache["alpha"] * np.exp(cache["x"])


def selu_blended(cache):
    return SELU_SCALE * elu_blended({**cache, "alpha": SELU_ALPHA})


def elu_masked(cache):
    right = cache["x"] > 0
    return right + ~right * (cache["y"] + cache["alpha"])


def elu_left(cache):
    return cache["alpha"] * np.exp(cache["x"])


def elu_without_alpha(cache):
    return np.where(cache["x"] > 0, 1.0, np.exp(np.minimum(cache["x"], 0)))


def elu_or_one(cache):
    return np.where(cache["x"] > 0, 1.0, cache["y"] + (cache["alpha"] or 1.0))


def elu_output_left(cache):
    return np.where(cache["x"] > 0, 1.0, cache["y"])


def selu(cache):
    return np.where(cache["x"] > 0, SELU_SCALE, cache["y"] + SELU_SCALE * SELU_ALPHA)


def selu_with_zero(cache):
    return np.where(cache["x"] >= 0, SELU_SCALE, cache["y"] + SELU_SCALE * SELU_ALPHA)


def selu_by_exponential(cache):
    return SELU_SCALE * np.where(cache["x"] > 0, 1.0, SELU_ALPHA * np.exp(np.minimum(cache["x"], 0)))


def selu_at(x):
    return SELU_SCALE if x > 0 else SELU_SCALE * SELU_ALPHA * np.exp(x)


def selu_without_scale(cache):
    return selu(cache) / SELU_SCALE


def selu_left_scaled(cache):
    return np.where(cache["x"] > 0, 1.0, cache["y"] + SELU_SCALE * SELU_ALPHA)


def selu_right_scaled(cache):
    return np.where(cache["x"] > 0, SELU_SCALE, cache["y"] + SELU_ALPHA)


def selu_left(cache):
    return SELU_SCALE * SELU_ALPHA * np.exp(cache["x"])


def selu_alpha_one(cache):
    return np.where(cache["x"] > 0, SELU_SCALE, SELU_SCALE * np.exp(np.minimum(cache["x"], 0)))
