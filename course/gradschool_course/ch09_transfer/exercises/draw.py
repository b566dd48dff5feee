"""Random models for the probes, lists of layers as the chapter has them, and where the chapter explains what can go
wrong.

model = layers(rng, [4, 3, 5])                                  # two dense layers, 4 → 3 → 5
model = layers(rng, [4, 3, 5], normed=[0], frozen=[0])          # the first with a normalisation, and frozen
model = layers(rng, [4, 3, 5], normed=[0], biased=[0])          # the first with a normalisation and a bias
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.random import Generator

from gradschool_grader.exercise import Tolerance

CHAPTER = "ch09_transfer"
CLOSE = Tolerance(rtol=1e-9, atol=1e-11)

# headings of the chapter, at which a mistake points
TWO_TASKS = "Two tasks"
COPIES = "A copy that is one"
NEW_HEAD = "A new head"
LEARNS = "Who learns"
COUNTED = "What is learned and what is counted"
STANDS_STILL = "Frozen stands still"
STATISTICS = "Two ways to freeze a normalisation"
PHASES = "In phases"
OLD_SCALE = "The scale that the body knows"
LOOKED_AT = "What is looked at"
SLOWER = "The lower, the slower"
TWICE = "One matrix, used twice"


def layers(
    rng: Generator,
    widths: Sequence[int],
    normed: Container[int] = (),
    frozen: Container[int] = (),
    activations: Sequence[str] = ("tanh", "relu", "tanh", "relu"),
    biased: Container[int] = (),
    kernels: Container[int] = (),
) -> list[dict[str, Any]]:
    """Layers from width to width; at `normed` with a normalisation in the place of a bias, at `biased` beside it; at
    `kernels` with a W of four axes, as a convolution has it."""
    model = []
    for i, (D, C) in enumerate(pairwise(widths)):
        layer: dict[str, Any] = {"W": rng.normal(size=(3, 2, D, C) if i in kernels else (D, C))}
        if i not in normed or i in biased:
            layer["b"] = rng.normal(size=C)
        if i in normed:
            layer |= normalisation(rng, C)
        last = i == len(widths) - 2
        model.append(layer | {"activation": "linear" if last else activations[i], "trainable": i not in frozen})
    return model


def normalisation(rng: Generator, C: int) -> dict[str, np.ndarray]:
    """A scale and a shift that have learned, and statistics in the midst of training."""
    return {
        "gamma": rng.permutation(np.linspace(0.5, 2.2, C)) * rng.choice([-1.0, 1.0], size=C),
        "beta": rng.normal(size=C) + 0.3,
        "mean": rng.normal(size=C),
        "var": rng.permutation(np.linspace(0.3, 3.0, C)) * rng.uniform(0.9, 1.1),
    }


def fresh(model: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same layers with biases and shifts as they begin: zeros."""
    return [
        {name: np.zeros_like(part) if name in ("b", "beta") else part for name, part in layer.items()}
        for layer in model
    ]


def without_zeros(layer: dict[str, Any]) -> dict[str, Any]:
    """What is left of a layer where np.any is taken for "is there"."""
    return {name: part for name, part in layer.items() if not isinstance(part, np.ndarray) or np.any(part)}


def gradients(rng: Generator, model: Sequence[dict[str, Any]]) -> list[dict[str, np.ndarray]]:
    """Numbers for each parameter of each layer, frozen or not; as gradients, or as velocities."""
    learned = ("W", "b", "gamma", "beta")
    return [{name: rng.normal(size=layer[name].shape) for name in learned if name in layer} for layer in model]


def widths(rng: Generator, n: int) -> list[int]:
    """n widths that all differ, none below 3."""
    return [int(w) for w in rng.choice(np.arange(3, 10), size=n, replace=False)]
