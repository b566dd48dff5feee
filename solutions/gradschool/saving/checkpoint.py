"""Save and load: a checkpoint as a file.

save("best.npz", params, state=state, optimizer=memory, epoch=7)
found = load("best.npz", like=params)
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..flat import FlatTree, contiguous
from ..trees import check_structure, tree_leaves, tree_map, tree_paths
from .formats import read, unreadable, write
from .structure import described, restored

Tree = Any
VERSION = 1
LIMIT = 2**33  # bytes


class Saved(NamedTuple):
    """What a file holds: parameters, the state of layers, what the optimizer remembers, and whatever else was saved."""

    params: Tree
    state: Tree = None
    optimizer: Tree = None
    extra: Tree = None


def save(
    file: str | os.PathLike[str], params: Tree, *, state: Tree = None, optimizer: Tree = None, **extra: Any
) -> None:
    """Write a checkpoint: safetensors if the name ends in `.safetensors`, else NumPy's npz; never pickled objects.

    params     a tree of arrays, or a FlatTree
    state      of layers, such as running statistics
    optimizer  what it remembers: `optimizer.init(params)` or what `update` returned
    extra      more trees under names of their own: arrays, numbers, words and None in dicts, lists and tuples

    The file is there completely or not at all: an older one is replaced only when the new one is on the disk.

    Raises TypeError for what a checkpoint cannot hold, with its path; ImportError where safetensors is missing.

    >>> import tempfile, os
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = os.path.join(folder, "best.npz")
    ...     save(file, [{"W": np.ones((3, 2))}], optimizer={"t": 4}, epoch=7)
    ...     found = load(file)
    >>> found.params[0]["W"].shape, found.optimizer, found.extra
    ((3, 2), {'t': 4}, {'epoch': 7})
    """
    arrays: dict[str, np.ndarray] = {}
    parts = Saved(params, state, optimizer, extra)._asdict()
    content = {name: described(part, name, arrays) for name, part in parts.items()}
    write(Path(file), arrays, json.dumps({"version": VERSION, "content": content}))


def load(file: str | os.PathLike[str], like: Tree = None, max_bytes: int = LIMIT) -> Saved:
    """Read a checkpoint that `save` has written.

    like       what is expected: a tree of parameters (or a FlatTree, then one is returned), or a `Saved` whose
               parts may be None. Structure, shapes and types of the file must be the same; nothing is converted.
    max_bytes  a file with more in it is refused

    Returns new arrays; nothing that exists is changed, whatever is wrong with the file.

    Raises ValueError for a file that is no checkpoint, is damaged, cut short, too large or not `like` what is
    expected; the message says which, and where. FileNotFoundError; ImportError where safetensors is missing.

    >>> import tempfile, os
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = os.path.join(folder, "best.npz")
    ...     save(file, {"W": np.ones((3, 2))}, epoch=7)
    ...     found = load(file, like={"W": np.zeros((3, 2))})
    ...     try:
    ...         load(file, like={"W": np.zeros((3, 4))})
    ...     except ValueError as error:
    ...         print(str(error).split("; ")[1])
    at W it has float64 (3, 2), expected float64 (3, 4)
    >>> found.params["W"].shape, found.extra
    ((3, 2), {'epoch': 7})
    """
    file = Path(file)
    text, arrays = read(file, max_bytes)
    try:
        saved = json.loads(text)
        version, content = saved["version"], saved["content"]
        parts = [restored(content[name], arrays) for name in Saved._fields if version == VERSION]
    except Exception as error:  # whatever comes of a text that `save` has not written
        raise unreadable(file, error) from error
    if version != VERSION:
        raise ValueError(f"load: {file} is a checkpoint of version {version}, this is {VERSION}; update gradschool")
    found = zip(Saved._fields, parts, like if isinstance(like, Saved) else Saved(like), strict=True)
    return Saved(*(part if own is None else fitted(f"{name} of {file}", part, own) for name, part, own in found))


def fitted(what: str, part: Tree, like: Tree) -> Tree:
    """What was found, in the containers of what is expected, once it is known to fit."""
    own, came = (tree.tree if isinstance(tree, FlatTree) else tree for tree in (like, part))
    try:
        check_structure(own, came, ("what is expected", "the file"))
    except ValueError as error:
        raise ValueError(f"load: {what} is for another model; {error}") from error
    came = tree_map(second, own, came)
    for path, expected, leaf in zip(tree_paths(own), tree_leaves(own), tree_leaves(came), strict=True):
        if kind(expected) != kind(leaf):
            where = path or "the top"
            raise ValueError(
                f"load: {what} is for another model; at {where} it has {kind(leaf)}, expected {kind(expected)}"
            )
    return contiguous(came) if isinstance(like, FlatTree) else came


def second(own: Any, came: Any) -> Any:
    return came


def kind(leaf: Any) -> str:
    return f"{leaf.dtype} {leaf.shape}" if hasattr(leaf, "dtype") else type(leaf).__name__
