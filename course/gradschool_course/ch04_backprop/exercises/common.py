"""What the exercises of this chapter share: its headings, random inputs, and mistakes that any backward can make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.random import Generator

from gradschool_grader.exercise import Helper, Misconception, Tolerance

CHAPTER = "ch04_backprop"
CLOSE = Tolerance(rtol=1e-9, atol=1e-12)
Backward = Callable[[Any, Any], Any]

# headings of the chapter, at which a mistake points
CONTRACT = "What a backward is"
SLOPES = "Activations: one slope for each entry"
KINKS = "At a kink"
DENSE = "The dense layer: three questions, three products"
ROWS = "Softmax: an output for every input"
CANCELS = "Softmax and cross-entropy together"
FORWARDS = "Forwards, and what to keep"
BACKWARDS = "And back"
STRETCHED = "Copying forwards is adding backwards"
ORDER = "In which order?"
TAPE = "A number that remembers"
EQUALS = "Where a maximum is shared"
FUNCTIONS = "Derivatives as functions"
CURVED = "Second derivatives for the price of two gradients"


# ------------------------------------------------------------------------------------------------------- random inputs
def sizes(rng: Generator, axes: int, most: int = 8) -> tuple[int, ...]:
    """Different sizes for all axes, none below 3."""
    return tuple(int(n) for n in rng.choice(np.arange(3, most + 1), size=axes, replace=False))


def same_array(rng: Generator) -> tuple[Helper, Helper]:
    """For two arguments: one array that is handed over twice."""
    one = Helper("one_array", {"c": float(rng.uniform(0.5, 2)), "n": sizes(rng, 1)[0]})
    return one, one


def double(tree: Any) -> Any:
    """The same tree with arrays of real numbers in float64."""
    if isinstance(tree, Mapping):
        return {name: double(part) for name, part in tree.items()}
    return tree.astype(np.float64) if isinstance(tree, np.ndarray) and tree.dtype.kind == "f" else tree


# --------------------------------------------------------------------------------------- mistakes with what arrives, g
def without_upstream(right: Backward) -> Backward:
    return lambda g, cache: right(np.ones_like(g), cache)


def with_upstream_added(right: Backward) -> Backward:
    return lambda g, cache: g + right(np.ones_like(g), cache)


def with_other_sign(right: Backward) -> Backward:
    return lambda g, cache: -right(g, cache)


def in_double(right: Backward) -> Backward:
    return lambda g, cache: right(double(g), double(cache))


def over_g(right: Backward) -> Backward:
    """The right numbers, written into the array that arrived."""

    def wrong(g, cache):
        g[...] = right(g, cache)
        return g

    return wrong


UPSTREAM = {
    "ignores_upstream": (without_upstream, "nothing came after: g is not used",
        "Multiply the loss by 5. What happens to every gradient before it? Where does yours hear of it?"),
    "adds_upstream": (with_upstream_added, "slopes along a way were added, where they are to be multiplied",
        "y = 3x and L = 2y. What is dL/dx: 5 or 6?"),
    "wrong_sign": (with_other_sign, "every slope were turned round",
        "Where the output grows with the input, which sign has the slope? Which has yours?"),
    "not_float32": (in_double, "float32 were turned into float64",
        "Which dtype has g, and which has your answer?"),
    "writes_into_g": (over_g, "g were yours to write into",
        "Who else may still need the g that you were given? Is yours the same after the call?"),
}  # fmt: skip


def upstream_bugs(right: Backward, *but: str) -> list[Misconception]:
    """Mistakes with g for a backward that returns one array."""
    return [
        Misconception(name, wrap(right), hint, says, CONTRACT)
        for name, (wrap, says, hint) in UPSTREAM.items()
        if name not in but
    ]
