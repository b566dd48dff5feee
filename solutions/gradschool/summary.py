"""What a network consists of: its layers, the shapes between them, and how many numbers each learns and keeps.

print(summary(net, (784,)))
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .layers import Layer, sequential
from .models import count_parameters

__all__ = ["Summary", "summary"]


@dataclass(frozen=True)
class Row:
    """A layer: the shape of a sample behind it, numbers that it learns, and numbers that it keeps in its state."""

    name: str
    shape: Any
    learned: int
    kept: int


@dataclass(frozen=True)
class Summary:
    """A row for each layer; it prints as a table."""

    rows: tuple[Row, ...]

    @property
    def learned(self) -> int:
        return sum(row.learned for row in self.rows)

    @property
    def kept(self) -> int:
        return sum(row.kept for row in self.rows)

    def __str__(self) -> str:
        cells = [
            (row.name, str(row.shape), f"{row.learned:,}", f"{row.kept:,}" if row.kept else "") for row in self.rows
        ]
        table = [("layer", "shape", "learned", "kept"), *cells, ("all", "", f"{self.learned:,}", f"{self.kept:,}")]
        a, b, c, d = (max(map(len, column)) for column in zip(*table, strict=True))
        return "\n".join(f"{n:<{a}}  {s:<{b}}  {p:>{c}}  {k:>{d}}".rstrip() for n, s, p, k in table)


def summary(net: Layer, shape: Any) -> Summary:
    """The layers of a `sequential`, those inside its parts counted with them; of another layer, the layer itself.

    shape  of one sample, as for `net.init`, which is called to see what there is

    Raises what the layers' init does, such as TypeError for a number as the shape, ValueError for a shape that does not
    fit.

    >>> from gradschool.layers import batchnorm, dense, flatten
    >>> print(summary(sequential(flatten(), dense(300), batchnorm(), np.tanh, dense(10)), (28, 28)))
    layer       shape   learned  kept
    flatten     (784,)        0
    dense(300)  (300,)  235,500
    batchnorm   (300,)      600   600
    tanh        (300,)        0
    dense(10)   (10,)     3,010
    all                 239,110   600
    """
    if not isinstance(net, Layer):
        raise TypeError(f"summary: expected a layer, got {type(net).__name__}; try summary(sequential(...), shape)")
    rng, rows = np.random.default_rng(0), []
    for part in net.parts if net.compose is sequential else (net,):
        params, state, shape = part.init(rng, shape)
        name = part.name if not part.parts else f"{part.name.split('(')[0]} of {len(part.parts)} layers"
        rows.append(Row(name, shape, count_parameters(params), count_parameters(state)))
    return Summary(tuple(rows))
