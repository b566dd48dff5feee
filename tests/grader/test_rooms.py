"""A room is a fresh worker in which the cells have run; a cell that breaks it is left out from then on."""

from __future__ import annotations

import numpy as np
import pytest

from gradschool_grader.contract import WorkerDied
from gradschool_grader.inside.perform import Performer
from gradschool_grader.observe import Broken
from gradschool_grader.rooms import Rooms


class Worker:
    """Runs cells here; a cell whose text says "hang" or "crash" breaks it."""

    def __init__(self):
        self.performer = Performer({})
        self.open = True

    def request(self, message, seconds):
        for _, source in message.get("cells", ()):
            for word, outcome in (("hang", "timeout"), ("crash", "died"), ("forge", "tampered")):
                if word in source:
                    raise Broken(outcome, word)
        return self.performer.handle(message)

    def close(self):
        self.open = False


class Workers:
    mode = "here"

    def __init__(self):
        self.made: list[Worker] = []

    def fresh(self):
        self.made.append(Worker())
        return self.made[-1]


def test_all_cells_run_in_order_and_share_names():
    worker = Rooms(Workers(), [(1, "a = 2"), (4, "b = a + 1")]).open()
    assert worker.performer.namespace["b"] == 3


def test_a_cell_that_raises_does_not_stop_the_next():
    rooms = Rooms(Workers(), [(1, "1 / 0"), (2, "b = 3")])
    assert rooms.open().performer.namespace["b"] == 3
    assert rooms.trouble == {1: "it raised ZeroDivisionError: division by zero"}


def test_cells_are_compiled_once_and_before_any_of_them_runs():
    """Rooms are alike in what runs, what raises, and which lines a traceback names."""
    asked = []

    class Watched(Worker):
        def request(self, message, seconds):
            asked.append(message["op"])
            return super().request(message, seconds)

    class Watching(Workers):
        def fresh(self):
            self.made.append(Watched())
            return self.made[-1]

    cells = [
        (1, "x = [1]\nx.append(2)"),
        (2, "def f(:"),
        (3, "def g():\n    return h()"),
        (4, "z = 1 / 0"),
        (5, "y = 3"),
    ]
    workers = Watching()
    rooms = Rooms(workers, cells)
    for _ in range(3):
        names = rooms.open().performer.namespace
        assert (names["x"], names["y"]) == ([1, 2], 3)
    assert asked == ["compile", "run", "run", "run"]
    assert {cell: why.split(":")[0] for cell, why in rooms.trouble.items()} == {
        2: "it raised SyntaxError",
        4: "it raised ZeroDivisionError",
    }
    call = {"op": "call", "target": "g", "args": [], "kwargs": {}}
    frames = [[w.performer.handle(call)["frames"][-1][k] for k in ("file", "line", "source")] for w in workers.made]
    assert frames == [["<cell 3>", 2, "return h()"]] * 3


def test_other_cells_are_compiled_anew():
    """A teacher's own tests go on in a worker, with the cells up to the next test."""
    rooms = Rooms(Workers(), [(1, "a = 2"), (2, "b = 3")])
    worker = rooms.open()
    assert rooms.run_all(worker, [[4, "a = 5"], [5, "b = a"]]) is None
    assert (worker.performer.namespace["a"], worker.performer.namespace["b"]) == (5, 5)


@pytest.mark.parametrize("reply", [{}, {"codes": None}, {"codes": np.ones(3)}, {"codes": np.ones((2, 2), "uint8")}])
def test_codes_that_are_no_bytes_are_tampering(reply):
    class Forger(Worker):
        def request(self, message, seconds):
            return reply if message["op"] == "compile" else super().request(message, seconds)

    class Forgers(Workers):
        def fresh(self):
            return Forger()

    with pytest.raises(Broken, match="compiled cells") as broken:
        Rooms(Forgers(), [(1, "a = 2")]).open()
    assert broken.value.outcome == "tampered"


def test_cells_that_hang_or_crash_are_left_out_and_the_others_run():
    workers = Workers()
    rooms = Rooms(workers, [(1, "a = 1"), (2, "'hang'"), (3, "b = 2"), (5, "'crash'"), (6, "c = 3")])
    names = rooms.open().performer.namespace
    assert (names["a"], names["b"], names["c"]) == (1, 2, 3)
    assert rooms.left_out == {2, 5}
    assert set(rooms.trouble) == {2, 5}
    made = len(workers.made)
    rooms.open()
    assert len(workers.made) == made + 1  # what is known to hang is not tried again
    assert [w.open for w in workers.made[:-2]] == [False] * (made - 1)


def test_a_notebook_that_only_hangs_comes_to_an_end():
    rooms = Rooms(Workers(), [(i, "'hang'") for i in range(99)], seconds=4, cell=2)
    with pytest.raises(Broken, match="do not come to an end"):
        rooms.open()
    assert len(rooms.left_out) < 10


class Killed(Workers):
    """Workers of which some are killed at their first request, by number."""

    def __init__(self, *numbers):
        super().__init__()
        self.numbers = numbers

    def fresh(self):
        worker = super().fresh()
        if len(self.made) - 1 in self.numbers:
            worker.request = self.killed
        return worker

    @staticmethod
    def killed(message, seconds):
        raise WorkerDied("killed")


def test_a_kill_is_no_evidence_against_a_cell():
    """Neither once, nor while the cells run one by one, nor again in the next room."""
    for numbers in ((0,), (0, 1), (0, 1, 2), (0, 1, 2, 4), (0, 2, 4)):
        workers = Killed(*numbers)
        rooms = Rooms(workers, [(1, "a = 2"), (4, "b = a + 1")])
        for _ in range(3):
            assert rooms.open().performer.namespace["b"] == 3
        assert rooms.left_out == set()
        assert all(worker.open is False for i, worker in enumerate(workers.made) if i in numbers)


def test_a_cell_that_is_killed_twice_is_left_out():
    class Kills(Worker):
        def request(self, message, seconds):
            if any("kill me" in source for _, source in message.get("cells", ())):
                raise WorkerDied("killed")
            return super().request(message, seconds)

    class AllKilled(Workers):
        def fresh(self):
            self.made.append(Kills())
            return self.made[-1]

    workers = AllKilled()
    rooms = Rooms(workers, [(1, "a = 2"), (2, "'kill me'"), (4, "b = a + 1")])
    assert rooms.open().performer.namespace["b"] == 3
    assert rooms.left_out == {2}
    assert len(workers.made) == 5  # all cells twice, one by one twice, and without it
    workers = AllKilled()
    with pytest.raises(Broken, match="do not come to an end"):
        Rooms(workers, [(i, "'kill me'") for i in range(99)], seconds=4, cell=2).open()
    assert len(workers.made) < 12


def test_tampering_is_passed_on():
    with pytest.raises(Broken) as caught:
        Rooms(Workers(), [(1, "'forge'")]).open()
    assert caught.value.outcome == "tampered"


@pytest.mark.parametrize("reply", [{}, {"cells": 3}, {"cells": [[1]]}, {"cells": [["x", {}]]}, {"cells": [[1, "y"]]}])
def test_a_strange_reply_is_read_without_harm(reply):
    rooms = Rooms(Workers(), [])
    rooms.note(reply)
    assert rooms.trouble == {}


def test_a_claim_that_is_no_text_is_called_by_its_type():
    """What an array of 26 axes looks like takes hours to write."""
    rooms = Rooms(Workers(), [])
    rooms.note({"cells": [[1, {"error": np.zeros((2,) * 26, np.uint8), "message": None}]]})
    assert rooms.trouble == {1: "it raised ndarray: NoneType"}
