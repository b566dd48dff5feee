"""The graph of a computation as text, from a tape's own notes.

print(drawn(loss, {"W": W, "b": b}))
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SIGNS = {"__add__": "+", "__radd__": "+", "__mul__": "*", "__rmul__": "*", "__matmul__": "@", "__pow__": "**"}


def drawn(root: Any, names: Mapping[str, Any] | None = None) -> str:
    """One line for each tensor, what it was computed from below it; a tensor that is met again is not unfolded."""
    called = {id(tensor): name for name, tensor in (names or {}).items()}
    lines: list[str] = []
    met: set[int] = set()

    def draw(node: Any, before: str, branch: str) -> None:
        again = id(node) in met and node.parents
        met.add(id(node))
        word = called.get(id(node), operation(node))
        shape = "×".join(map(str, node.data.shape)) or "one number"
        lines.append(f"{before}{branch}{word}   {shape}{'   (the same as above)' if again else ''}")
        below = before + {"": "", "├─ ": "│  ", "└─ ": "   "}[branch]
        for i, parent in enumerate(() if again else node.parents):
            draw(parent, below, "└─ " if i == len(node.parents) - 1 else "├─ ")

    draw(root, "", "")
    return "\n".join(lines)


def operation(node: Any) -> str:
    """The method that has made the node, read from the name of its pull; a constant has none."""
    if not node.parents:
        return "constant"
    parts = getattr(getattr(node, "pull", None), "__qualname__", "").split(".")
    methods = [part for part in parts if part not in ("<locals>", "<lambda>", "Tensor")]
    name = methods[-1] if methods else "?"
    return SIGNS.get(name, name)
