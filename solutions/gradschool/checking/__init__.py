"""A check of a layer of your own: does it keep what a layer promises, and is its gradient right at every batch size?

    report = check_layer(my_layer, (8, 8, 3))           # samples (8, 8, 3)
    report                                              # a line for each property, and what is wrong in words
    assert check_layer(my_layer, (8, 8, 3))             # in a test

`layer` has the list of properties, `behaviour` and `gradients` look at them, `report` says what was found.
"""

from __future__ import annotations

from .layer import check_layer
from .report import LayerReport

__all__ = ["LayerReport", "check_layer"]
