"""A room is a fresh worker in which a submission's cells have run. Every exercise is judged in a room of its own.

A cell that raises does not stop the next. A cell that breaks the worker (a loop, a crash) is found by running the cells
one at a time, and is left out from then on. A worker that is killed is no evidence against a cell until it happens
again: a machine short of memory kills, too.

    rooms = Rooms(workers, program=[(1, "import numpy as np"), (3, "def f(x): ...")])
    worker = rooms.open()
    rooms.trouble        # {cell: what went wrong in it}
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from .inside.wire import Frame, WireError
from .observe import Broken, text_of


class Worker(Protocol):
    """Where submitted code lives. `request` raises `Broken` when no reply can come any more."""

    def request(self, message: dict[str, Any], seconds: float) -> dict[str, Any]: ...
    def close(self) -> object: ...


@runtime_checkable
class Batches(Protocol):
    """A worker that takes several calls at a time. `seconds()` are those until the next reply."""

    def request_all(self, message: list[Any], count: int, seconds: Callable[[], float]) -> Iterator[Frame]: ...


class Workers(Protocol):
    """A source of fresh workers."""

    @property
    def mode(self) -> str: ...
    def fresh(self) -> Worker: ...


ALL = -1  # in the place of a cell's number


class Rooms:
    """Opens rooms for one submission and remembers which cells make trouble."""

    def __init__(self, workers: Workers, program: Sequence[tuple[int, str]], seconds: float = 20.0, cell: float = 5.0):
        self.workers, self.program = workers, [list(item) for item in program]
        self.seconds, self.cell = seconds, cell
        self.budget = 3 * seconds  # for finding the cells that break the worker, one `cell` each
        self.trouble: dict[int, str] = {}
        self.left_out: set[int] = set()
        self.one_by_one = False
        self.compiled: tuple[list[list[Any]], np.ndarray] | None = None  # cells, and the codes of all of them

    def open(self) -> Worker:
        """A worker in which all cells have run that can be run. Raises Broken if there is no end to the trouble."""
        excused: set[int] = set()  # cells, or the whole program, during which a worker was killed once
        while True:
            worker = self.workers.fresh()
            cells = [cell for cell in self.program if cell[0] not in self.left_out]
            broken = self.run_each(worker, cells, excused) if self.one_by_one else self.run_all(worker, cells)
            if broken is None:
                return worker
            worker.close()
            if broken.outcome not in ("timeout", "died"):
                raise broken
            if broken.killed and ALL not in excused:
                excused.add(ALL)
                continue
            self.one_by_one = True
            if self.budget <= 0:
                raise Broken("timeout", "The cells of this notebook do not come to an end.")

    def run_all(self, worker: Worker, cells: list[list[Any]]) -> Broken | None:
        try:
            codes = self.codes(worker, cells)
            self.note(worker.request({"op": "run", "cells": cells, "codes": codes}, self.seconds))
        except Broken as broken:
            return broken
        except WireError:
            self.one_by_one = True
            return Broken("died", "The notebook is too large to be run at once.")
        return None

    def codes(self, worker: Worker, cells: list[list[Any]]) -> np.ndarray:
        """The first worker compiles them for all the others, before anything of the submission has run in it."""
        if self.compiled is None or self.compiled[0] != cells:
            self.compiled = cells, codes_of(worker.request({"op": "compile", "cells": cells}, self.seconds))
        return self.compiled[1]

    def run_each(self, worker: Worker, cells: list[list[Any]], excused: set[int]) -> Broken | None:
        for cell in cells:
            try:
                self.note(worker.request({"op": "run", "cells": [cell]}, self.cell))
            except Broken as broken:
                self.budget -= self.cell  # a second try costs as much as the first, so that there is an end
                if broken.killed and cell[0] not in excused:
                    excused.add(cell[0])
                else:
                    self.leave_out(cell[0], str(broken))
                return broken
            except WireError as error:
                self.leave_out(cell[0], str(error))
        return None

    def leave_out(self, index: int, why: str) -> None:
        self.left_out.add(index)
        self.trouble[index] = why

    def note(self, reply: dict[str, Any]) -> None:
        """Which cells raised; the reply is a claim and its form is checked."""
        cells = reply.get("cells")
        for item in cells if type(cells) is list else []:
            if type(item) in (list, tuple) and len(item) == 2 and type(item[0]) is int and type(item[1]) is dict:
                kind, message = text_of(item[1].get("error"), 80), text_of(item[1].get("message"), 200)
                self.trouble[item[0]] = f"it raised {kind}: {message}"


def codes_of(reply: dict[str, Any]) -> np.ndarray:
    """Bytes that only another worker of the same submission ever looks into."""
    codes = reply.get("codes")
    if not isinstance(codes, np.ndarray) or codes.dtype != np.uint8 or codes.ndim != 1:
        raise Broken("tampered", "The worker sent a reply without the form of compiled cells.")
    return codes
