"""What the running kernel knows of an answer beside its value: the notebook, the cell that was run, its text.

    facts(course, exercise, namespace).source     # Source("ch10_optimizers.ipynb", (7,), "3f2a...")
    facts(course, exercise, {"adam": gs.adam}).flags
    # ("`adam` is `gradschool.optimizers.adam.adam` itself: what was judged is the library's, not yours.",)

Cells are counted as the kernel counts them; the hash is that of the same cell in the saved file.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import os
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .cells import without_magics
from .course import Course
from .exercise import Exercise
from .judge import Facts
from .routes import Forbidden, Reading, forbidden, parsed
from .standalone import bound_names
from .together import written_in
from .verdict import Source

__all__ = ["facts", "in_notebook", "own_text", "shell"]


def shell() -> Any:
    """The running IPython shell, if there is one."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def in_notebook() -> bool:
    running = shell()
    return running is not None and hasattr(running, "kernel")


def facts(course: Course, exercise: Exercise, namespace: Mapping[str, Any]) -> Facts:
    """Where the answer stands, and whether it is somebody else's. Nothing here raises: it may be any object."""
    routes, value = forbidden(course, exercise), namespace.get(exercise.name)
    own = itself(exercise, value, routes)
    cells = history()
    if cells:
        reading = Reading((number, tree) for number, text in cells if (tree := parsed(python(text))))
        number, text = last(exercise.name, cells)
        source = Source(notebook(namespace), (number,) * bool(number), digest(text))
        found = reading.routes(exercise.name, routes)
    else:
        file, text, module = written(value)
        tree = parsed(module)
        source = Source(file, (), digest(text))
        found = Reading([(0, tree)] if tree else ()).routes(exercise.name, routes)
    return Facts(source if exercise.name in namespace else Source(), flags=tuple([own] if own else found))


def own_text(exercise: Exercise, namespace: Mapping[str, Any]) -> str:
    """The answer as it was written, with those of the notebook's functions that it needs; nothing if nobody knows."""
    cells = history()
    if cells and last(exercise.name, cells)[0]:
        return written_in(exercise.name, [(number, python(text)) for number, text in cells])
    return written(namespace.get(exercise.name))[1]


def itself(exercise: Exercise, value: Any, routes: Forbidden) -> str:
    """Says so if the value is the reference, or another function of a library, also as a partial."""
    while isinstance(value, functools.partial):
        value = value.func
    plain = unwrapped(value)
    module, name = (str(getattr(plain, what, "") or "") for what in ("__module__", "__qualname__"))
    if plain is exercise.plain or (name and routes.covers(f"{module}.{name}")):
        return f"`{exercise.name}` is `{module}.{name}` itself: what was judged is the library's, not yours."
    return ""


def unwrapped(value: Any) -> Any:
    try:
        return inspect.unwrap(value) if callable(value) else value
    except ValueError:  # wrapped in itself
        return value


# ----------------------------------------------------------------------------------------------------------- its text
def history() -> list[tuple[int, str]]:
    """Number and text of every cell that this kernel ran, oldest first; nothing outside of IPython."""
    manager = getattr(shell(), "history_manager", None)
    texts = list(getattr(manager, "input_hist_raw", ()))
    return [(number, text) for number, text in enumerate(texts) if number and isinstance(text, str)]


def python(text: str) -> str:
    """The cell as Python, line by line: what only IPython understands, such as `%%time`, is a comment."""
    return text if parsed(text) else without_magics(text)


def last(name: str, cells: list[tuple[int, str]]) -> tuple[int, str]:
    """The newest cell that binds the name."""
    for number, text in reversed(cells):
        tree = parsed(python(text)) if name in text else None
        if tree and name in bound_names(tree.body):
            return number, text
    return 0, ""


def notebook(namespace: Mapping[str, Any]) -> str:
    """The name of the notebook, as far as Jupyter or VS Code tell their kernels."""
    path = namespace.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME") or ""
    return Path(str(path)).name


def written(value: Any) -> tuple[str, str, str]:
    """File, text, and text of the whole file, of a function or class that was defined in a module."""
    try:
        file = Path(inspect.getsourcefile(value) or "").name
        return file, textwrap.dedent(inspect.getsource(value)).rstrip("\n"), "".join(inspect.findsource(value)[0])
    except (OSError, TypeError, SyntaxError):  # a file that has changed since may hold anything
        return "", "", ""


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() if text else ""
