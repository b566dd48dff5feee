"""Values that stand for something that cannot travel: a generator, a public helper, a live object, what is yet to come.

Probes put `Seed` and `Helper` among their arguments; the performer puts a `Handle` where a call returned a
function or an object. `Earlier` stands for what another call of the same batch came to, before that is known.
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


@dataclass(frozen=True)
class Earlier:
    """What call number `call` of the same batch returned; with `of`, item `item` of so many. Handed on as a copy."""

    call: int
    item: int = 0
    of: int = 0

    def value(self, values: Mapping[int, Any]) -> Any:
        value = values[self.call]
        return value[self.item] if self.of else value


@dataclass(frozen=True)
class Need:
    """What an earlier call must have returned for the next ones: so many items (1: any value; 0: an object)."""

    call: int
    of: int

    def met(self, values: Mapping[int, Any]) -> bool:
        if self.call not in values:
            return False
        value = values[self.call]
        if self.of == 0:
            return isinstance(value, Handle)
        return self.of == 1 or (type(value) in (tuple, list) and len(value) == self.of)
