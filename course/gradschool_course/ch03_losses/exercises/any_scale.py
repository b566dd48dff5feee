"""Caches for the gradients of this chapter whose `scale` has any shape that broadcasts against the terms."""

from __future__ import annotations

from . import draw


def any_scale(rng, call, axes=3):
    """A scale of any shape that broadcasts against terms of so many axes: with fewer axes, with axes of length 1, and
    with neither. `call(rng, shape)` has a scale of its own, in whose place another one is put."""
    shape = draw.sizes(rng, 3)
    terms = shape[:axes]
    ones = [tuple(1 if i in gone else n for i, n in enumerate(terms)) for gone in ((0,), range(1, axes))]
    for stretched in (*ones, terms[-1:], terms):
        made = call(rng, shape)
        made.arguments["cache"]["scale"] = draw.weights(rng, stretched)
        yield made
