"""Functions that a call is handed may be asked so often and no oftener: a descent that never arrives is stopped.

patience = Patience()
helpers = patience.limiting({"quadratic": quadratic})
patience.begin(most=100)            # the 101st question raises TooLong
patience.asked                      # how often they were asked since
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Any


class TooLong(Exception):
    """It goes on and on."""


class Patience:
    def __init__(self) -> None:
        self.begin()

    def begin(self, most: float = math.inf) -> None:
        self.asked, self.most = 0, most

    def limiting(self, helpers: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
        """Helpers that make the same functions, whose calls are counted."""
        return {name: partial(self.made, helper) for name, helper in helpers.items()}

    def made(self, helper: Callable[..., Any], **parameters: Any) -> Any:
        function = helper(**parameters)
        return self.counted(function) if inspect.isroutine(function) or isinstance(function, partial) else function

    def counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def asked(*args: Any, **kwargs: Any) -> Any:
            self.asked += 1
            if self.asked > self.most:
                raise TooLong(f"asked {self.most} times")
            return function(*args, **kwargs)

        return asked
