"""The three values that stand for something that cannot travel: a generator, a public helper, a live object.

Probes put `Seed` and `Helper` among their arguments; the performer puts a `Handle` where a call returned a
function or an object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Seed:
    """Becomes `numpy.random.default_rng(seed)` on the side where the call is made."""

    seed: int


@dataclass(frozen=True)
class Helper:
    """Becomes `HELPERS[name](**parameters)`: a public function of the course, such as `("quadratic", {"a": 3.0})`."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Handle:
    """A function or object that stays where it is: later calls name it by `id`. `kind` is its type's name."""

    id: int
    kind: str = "function"
