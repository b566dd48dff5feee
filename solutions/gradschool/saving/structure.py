"""A tree as JSON and named arrays, and back.

arrays = {}
text = described({"W": np.ones((3, 4)), "t": 7}, "params", arrays)     # {"dict": [["W", {"array": "params.W", ...
tree = restored(text, arrays)

Containers are dict (keys are words or whole numbers), list, tuple and FlatTree; leaves are arrays, NumPy's numbers,
Python's numbers and words, and None. Each number keeps its type and its last digit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..flat import FlatTree, contiguous

Tree = Any
KINDS = "biufc"  # what an array may hold: bools, whole, real and complex numbers
WORDS = {"int": (int, str), "float": (float, repr), "bool": (bool, bool), "str": (str, str)}  # to read, to write


def described(tree: Tree, path: str, arrays: dict[str, np.ndarray]) -> Any:
    """The tree as JSON, its arrays put into `arrays` under names that say where they were.

    Raises TypeError for anything else than the containers and leaves above, with its path.
    """
    if tree is None:
        return None
    if isinstance(tree, FlatTree):
        return {"flat": described(tree.tree, path, arrays)}
    if isinstance(tree, dict):
        return {"dict": [[checked_key(key, path), described(tree[key], below(path, key), arrays)] for key in tree]}
    if isinstance(tree, list | tuple):
        kind = "list" if isinstance(tree, list) else "tuple"
        return {kind: [described(part, below(path, i), arrays) for i, part in enumerate(tree)]}
    if isinstance(tree, np.ndarray | np.generic):
        return described_array(tree, path, arrays)
    for name, (kind, write) in WORDS.items():
        if type(tree) is kind:
            return {name: write(tree)}
    raise TypeError(
        f"save: {path} is of type {type(tree).__name__}, which a checkpoint cannot hold; "
        "it holds arrays, numbers, words and None, in dicts, lists and tuples"
    )


def described_array(array: Any, path: str, arrays: dict[str, np.ndarray]) -> Any:
    if array.dtype.kind not in KINDS:
        raise TypeError(f"save: {path} holds {array.dtype}, which a checkpoint cannot; make an array of numbers of it")
    name = path
    while name in arrays:
        name += "'"  # {"a.b": ..., "a": {"b": ...}} would give one name twice
    native = array.dtype.newbyteorder("=")
    arrays[name] = np.asarray(array, native, order="C")
    number = {"scalar": True} if isinstance(array, np.generic) else {}
    return {"array": name, "shape": list(array.shape), "dtype": native.name} | number


def checked_key(key: Any, path: str) -> Any:
    if type(key) not in (str, int):
        raise TypeError(f"save: {path} has the key {key!r}; a checkpoint has words and whole numbers for keys")
    return key


def below(path: str, key: Any) -> str:
    return f"{path}.{key}" if isinstance(key, str) else f"{path}[{key}]"


# --------------------------------------------------------------------------------------------------------------- back
def restored(description: Any, arrays: Mapping[str, np.ndarray]) -> Tree:
    """The tree that `described` was given.

    Raises ValueError where the description is none, or an array is missing or not what is described.
    """
    if description is None:
        return None
    if not isinstance(description, dict) or not description:
        raise ValueError(f"{str(description)[:40]!r} describes nothing")
    kind, content = next(iter(description.items()))
    if kind == "array":
        return restored_array(description, arrays)
    if kind == "dict":
        return {key: restored(part, arrays) for key, part in content}
    if kind in ("list", "tuple"):
        parts = [restored(part, arrays) for part in content]
        return parts if kind == "list" else tuple(parts)
    if kind == "flat":
        return contiguous(restored(content, arrays))
    if kind not in WORDS:
        raise ValueError(f"{str(kind)[:40]!r} is no kind of tree")
    return WORDS[kind][0](content)


def restored_array(description: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> Any:
    name = description["array"]
    if name not in arrays:
        raise ValueError(f"the array {name} is missing")
    array, expected = arrays[name], (tuple(description["shape"]), description["dtype"])
    if (array.shape, array.dtype.name) != expected:
        raise ValueError(f"{name} is {array.dtype} {array.shape}, but was saved as {expected[1]} {expected[0]}")
    return array[()] if description.get("scalar") else array
