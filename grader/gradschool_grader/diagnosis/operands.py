"""The numbers that a student had at hand when computing an array: sizes, hyperparameters, and arrays that fit it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from itertools import combinations
from typing import TypeVar

import numpy as np

from ..inside.perform import leaves
from .seen import ITS_ARGUMENT, Given, Pair

LARGEST = 8  # number to which one tends to be added
LONGEST = 64  # exponents that are whole numbers


def shown(name: str) -> str:
    return name if name == ITS_ARGUMENT else f"`{name}`"


Table = TypeVar("Table")


def once_a_call(read: Callable[[Pair], Table]) -> Callable[[Pair], Table]:
    """Read off the arguments once for all arrays of a shape that a call returned, whatever they are laid beside."""

    @wraps(read)
    def kept(pair: Pair) -> Table:
        key = read.__name__, bool(pair.path), pair.e.shape
        tables = pair.given.tables
        if key not in tables:
            tables[key] = read(pair)
        return tables[key]

    return kept


@once_a_call
def numbers(pair: Pair) -> dict[str, float]:
    """The single numbers of the call by name; not the whole ones in a list, which are sizes or places."""
    listed = re.compile(r"\[\d+\]$")
    given = [
        (name, x) for name, x in pair.given.leaves if type(x) is float or (type(x) is int and not listed.search(name))
    ]
    return {shown(name): float(x) for name, x in given}


@once_a_call
def scalars(pair: Pair) -> dict[str, float]:
    """Those of them that say something: 0 and 1 change nothing or everything."""
    return {name: x for name, x in numbers(pair).items() if x not in (0, 1)}


@once_a_call
def sizes(pair: Pair) -> dict[str, float]:
    """Sizes of the arguments' axes, by the axes' names where they have any; the first and last also as such."""
    named: dict[str, float] = {}
    for name, value in pair.arguments.items():
        if isinstance(value, np.ndarray) and value.ndim:
            labels = pair.axes.get(name, ())
            if len(labels) == value.ndim:
                named |= {f"the size of {labels[i]!r} (`{name}`)": float(n) for i, n in enumerate(value.shape)}
            named |= {f"the size of axis {i} of `{name}`": float(n) for i, n in enumerate(value.shape)}
            named[f"the size of the last axis of `{name}`"] = float(value.shape[-1])
            if value.ndim > 1:
                named[f"the number of entries of `{name}`"] = float(value.size)
            if value.ndim > 2:
                named[f"the number of places (all axes but the first and the last) of `{name}`"] = inner(value.shape)
    if pair.path and pair.e.ndim:
        named |= {f"the size of axis {i} of it": float(n) for i, n in enumerate(pair.e.shape)}
        named["the number of its entries"] = float(pair.e.size)
    return named


def inner(shape: tuple[int, ...]) -> float:
    return float(np.prod(shape[1:-1]))


@once_a_call
def totals(pair: Pair) -> dict[str, float]:
    """The sum and the mean of each array that was given, which weights and masks are divided by."""
    found: dict[str, float] = {}
    for name, x in pair.arguments.items():
        if isinstance(x, np.ndarray) and x.size > 1 and x.dtype.kind in "fiub":
            total = float(x.sum(dtype=float))
            found |= {f"the sum of `{name}`": total, f"the mean of `{name}`": total / x.size}
    return {name: x for name, x in found.items() if np.isfinite(x) and x not in (0, 1)}


def powers(known: dict[str, float]) -> dict[str, float]:
    """Shares to the power of whole numbers: a decay after so many layers."""
    shares = {name: x for name, x in known.items() if 0 < x < 1}
    whole = {name: x for name, x in known.items() if 2 <= abs(x) <= LONGEST and x == round(x)}
    return {f"{share}^{n}": shares[share] ** whole[n] for share in shares for n in whole}


def corrections(pair: Pair) -> dict[str, float]:
    """1 − βᵗ of each share β, t being the number of the step: what a running mean is divided by."""
    steps = {int(x) + 1 for name, x in pair.given.leaves if name.endswith("['t']") and type(x) is int}
    shares = {name: x for name, x in scalars(pair).items() if 0 < x < 1}
    return {f"(1 − {name}^t)": 1 - x ** min(steps) for name, x in shares.items() if len(steps) == 1 and min(steps) > 1}


def filled_up(known: dict[str, float], counted: dict[str, float]) -> dict[str, float]:
    """How many too many there are where a last part is counted as full."""
    whole = {name: x for name, x in known.items() if 2 <= x < np.inf and x == round(x)}
    return {
        f"m/n, n being {size} and m the next multiple of {part}": np.ceil(n / whole[part]) * whole[part] / n
        for size, n in counted.items()
        for part in whole
        if "axis 0" in size and n % whole[part]
    }


@once_a_call
def constants(pair: Pair) -> dict[str, float]:
    """Numbers by which answers tend to be off, with their names."""
    known = scalars(pair)
    shares = {name: value for name, value in known.items() if 0 < value < 1}
    rest = {f"(1 − {name})": 1 - value for name, value in shares.items()}
    more = {f"(1 + {name})": 1 + value for name, value in known.items() if 0 < value < LARGEST}
    odds = {f"{name} / (1 − {name})": value / (1 - value) for name, value in shares.items()}
    counted = sizes(pair)
    fewer = {f"n/(n − 1), n being {name}": n / (n - 1) for name, n in counted.items() if n > 1}
    return {
        **counted, **known, **totals(pair), **rest, **more, **fewer, **odds, **powers(known),
        **filled_up(known, counted), **corrections(pair),
    }  # fmt: skip


@once_a_call
def multipliers(pair: Pair) -> dict[str, float]:
    """What a term tends to be multiplied with: "`lr` · {}", its complement, one over a size, two of them."""
    known = scalars(pair)
    one = {"{}": 1.0}
    for name, value in known.items():
        one |= {f"{name} · {{}}": value, f"(1 − {name}) · {{}}": 1 - value}
    shares = {f"{{}} / {name}": 1 / n for name, n in sizes(pair).items() if n}
    both = {f"{s} · {r} · {{}}": known[s] * known[r] for s, r in combinations(known, 2)}
    return {**one, **shares, **both}


def arrays(pair: Pair) -> dict[str, np.ndarray]:
    """Arrays of the call that fit the answer's shape; of a tree, those with the same name as the part in question."""
    asked = pair.key, pair.e.shape
    if asked not in pair.given.fitting:
        pair.given.fitting[asked] = fitting(pair.given, *asked)
    return pair.given.fitting[asked]


def masked(pair: Pair, mask: np.ndarray) -> Given:
    """The arguments of the call, and of the arrays that fit only these entries."""
    given = Given(pair.arguments)
    given.__dict__["leaves"] = pair.given.leaves
    spread_out = {x: over(value, pair.e.shape)[mask] for x, value in arrays(pair).items()}
    given.fitting[pair.key, (int(mask.sum()),)] = spread_out
    return given


def fitting(given: Given, key: str, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for name, value in given.leaves:
        if type(value) is float and "['" in name and not key:
            value = np.asarray(value)  # what is one number in this cache may be an array in the next
        mine = spread(value, shape) if isinstance(value, np.ndarray) and value.dtype.kind in "fiub" else None
        if mine is None:
            continue
        if key and "[" in name and not name.endswith(key):
            continue
        found[shown(name.removesuffix(key) if "[" in name else name)] = mine
    return found | (dict(of_each(given, *shape)) if len(shape) == 1 else {})


def of_each(given: Given, count: int) -> Iterator[tuple[str, np.ndarray]]:
    """Beside one number for each layer: how long and how large the layers' arrays are."""
    for name, items in given.items():
        if type(items) in (list, tuple) and len(items) == count:
            each = [dict(leaves(item)) for item in items]
            for path in shared(each):
                mine = [x[path] for x in each]
                if all(isinstance(x, np.ndarray) and x.dtype.kind == "f" for x in mine):
                    yield f"the norm of `{name}[…]{path}`", np.array([float(np.linalg.norm(x)) for x in mine])
                    yield f"the number of entries of `{name}[…]{path}`", np.array([float(x.size) for x in mine])


def spread(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    """The array as it meets an answer of this shape: as NumPy broadcasts it, or a number for each row of it."""
    if fits(x, shape):
        return x.astype(float)
    if x.ndim and x.shape == shape[: x.ndim]:
        return x.reshape(x.shape + (1,) * (len(shape) - x.ndim)).astype(float)
    return None


def over(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """An array that fits a shape, in it."""
    return x if x.shape == shape else np.broadcast_to(x, shape)


def fits(x: np.ndarray, shape: tuple[int, ...]) -> bool:
    return stretches(x.shape, shape)


def stretches(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    """Whether NumPy broadcasts an array of this shape to one of the other, which stays as it is."""
    try:
        return np.broadcast_shapes(shape, to) == to
    except ValueError:
        return False


def shared(tables: Sequence[dict]) -> list[str]:
    """The names that every array's table has."""
    return [name for name in tables[0] if all(name in table for table in tables)] if tables else []
