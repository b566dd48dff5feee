"""What probes hand in to see whether an answer keeps the precision that it is given."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["single"]


def single(tree: Any) -> Any:
    """The same tree of dicts and lists with its arrays of real numbers in float32; all else stays what it is."""
    if isinstance(tree, dict):
        return {name: single(part) for name, part in tree.items()}
    if isinstance(tree, list):
        return [single(part) for part in tree]
    return tree.astype(np.float32) if isinstance(tree, np.ndarray) and tree.dtype.kind == "f" else tree
