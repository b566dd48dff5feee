"""Property: no grade and no deadline depends on what time it is; deadlines are counted on a clock that nobody sets."""

import ast
import itertools
import time
from pathlib import Path

import pytest

import gradschool_grader
from gradschool_grader.contract import WorkerTimedOut
from gradschool_grader.worker import SubprocessWorkers

ROOT = Path(gradschool_grader.__file__).parent
ASKING = {"time", "time_ns", "ctime", "localtime", "gmtime", "strftime", "now", "utcnow", "today", "getmtime"}
HOME = {"state.py"}  # which of several folders a student works in


def asked_in(file):
    """Lines that ask what time it is, or put dates of files in an order."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr in ASKING:
            owner = ast.unparse(node.value)
            if owner in ("time", "datetime", "datetime.datetime", "date", "datetime.date", "os.path"):
                yield node.lineno
        if isinstance(node, ast.ImportFrom) and node.module == "time" and ASKING & {a.name for a in node.names}:
            yield node.lineno
        if isinstance(node, ast.Compare) and "mtime" in ast.unparse(node):
            yield from (node.lineno for operator in node.ops if not isinstance(operator, ast.Eq | ast.NotEq))


def test_the_grader_never_asks_what_time_it_is():
    """What is late is told by the dates of the submission and of the assignment. Whoever needs the time of day takes
    it as an argument, and says here where it comes from."""
    files = [file for file in ROOT.rglob("*.py") if file.name not in HOME]
    assert len(files) > 60
    assert [f"{file.relative_to(ROOT)}:{line}" for file in files for line in asked_in(file)] == []


def test_what_asks_is_found(tmp_path):
    file = tmp_path / "asks.py"
    file.write_text("import time\nfrom time import time_ns\na = time.time()\nb = x.st_mtime < y.st_mtime\nc = t.time\n")
    assert sorted(asked_in(file)) == [2, 3, 4]


@pytest.mark.parametrize("day", [86400, -86400])
def test_a_deadline_is_the_same_though_the_clock_is_set_a_day_on_or_back(monkeypatch, day):
    real, steps = time.time, itertools.count(1)
    monkeypatch.setattr(time, "time", lambda: real() + day * next(steps))
    with SubprocessWorkers() as workers, workers.fresh() as worker:
        worker.request({"op": "run", "cells": [[1, "import time\ndef f(x):\n    time.sleep(0.2)\n    return x"]]}, 30)
        call = {"op": "call", "target": "f", "args": [3.0], "kwargs": {}, "names": []}
        assert worker.request(call, seconds=30)["value"] == 3.0
        began = time.monotonic()
        with pytest.raises(WorkerTimedOut):
            worker.request({**call, "op": "run", "cells": [[2, "while True: pass"]]}, seconds=0.5)
        assert time.monotonic() - began >= 0.5
