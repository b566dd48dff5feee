"""Swapping parts: for the length of a `with` block, functions of the library are replaced by your own.

    with gradschool.using(softmax=my_softmax, adam=my_adam):
        train(...)                     # everything that calls softmax or adam now runs yours
    with gradschool.using(softmax=my_softmax, softmax_backward=my_softmax_backward):
        value_and_grad(loss)(params)   # without the second name the derivative stays the reference's

This is the library's one dynamic setting. It lives in a context variable, so threads and tasks do not see each
other's. A function that is offered for replacement asks `replaced(its name)` at every call.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

_NOTHING: Mapping[str, Callable[..., Any]] = MappingProxyType({})
_replacements: ContextVar[Mapping[str, Callable[..., Any]]] = ContextVar("gradschool_replacements", default=_NOTHING)
_offered: set[str] = set()


def offer(*names: str) -> None:
    """Declare names that `using` accepts; whoever offers a name must look at `replaced(name)` when called."""
    _offered.update(names)


def replaced(name: str) -> Callable[..., Any] | None:
    """The function that stands in for `name` just now, or None."""
    return _replacements.get().get(name)


replacements = _replacements.get  # what stands in just now, by name: a dict, most often empty


def any_replaced(names: tuple[str, ...]) -> bool:
    """Whether one of the names is replaced just now (a fusion of several ops asks this about its parts)."""
    current = replacements()
    return bool(current) and any(name in current for name in names)


@contextmanager
def using(**functions: Callable[..., Any]) -> Iterator[None]:
    """Replace functions of the library by your own inside a `with` block; blocks nest, the inner one wins.

    Names are those of ops, losses and optimizers (`softmax`, `l2_loss`, `adam`), or of an op's derivative
    (`softmax_backward`). A replaced op is called with plain arrays; its value is yours, its derivative the
    reference's unless that is replaced too. An op that fuses several is taken apart when one of them is replaced.

    Raises:
        ValueError: a name that nothing in the library answers to.
        TypeError: a replacement that cannot be called.

    >>> import numpy as np
    >>> from gradschool import grad, relu
    >>> with using(relu=lambda x: np.abs(x)):           # the value is yours, the derivative that of relu
    ...     print(relu(np.array([-2.0, 3.0])), grad(lambda x: np.sum(relu(x)))(np.array([-2.0, 3.0])))
    [2. 3.] [0. 1.]
    """
    for name, function in functions.items():
        _check(name, function)
    token = _replacements.set({**_replacements.get(), **functions})
    try:
        yield
    finally:
        _replacements.reset(token)


@contextmanager
def original(name: str) -> Iterator[None]:
    """Undo the replacement of one name, so that a replacement may itself call what it replaces."""
    current = _replacements.get()
    token = _replacements.set({other: function for other, function in current.items() if other != name})
    try:
        yield
    finally:
        _replacements.reset(token)


def _check(name: str, function: Any) -> None:
    if name not in _offered:
        near = difflib.get_close_matches(name, _offered, n=1)
        advice = f"did you mean {near[0]!r}?" if near else f"these can be: {', '.join(sorted(_offered))}."
        raise ValueError(f"using: nothing named {name!r} can be replaced; {advice}")
    if not callable(function):
        raise TypeError(f"using: {name} must be a function, got {type(function).__name__}.")
