"""Property: the benchmark refuses to time what does not compute the same, and reports the ratios of what does."""

import importlib
import json
import os
from pathlib import Path

import pytest
from threadpoolctl import threadpool_info

TINY = """
import os

FRAMEWORKS = False
TARGETS = {"tiny/3": {1: 1e9}, "other": {}, "broken": {}, "forced": {}}


def work(size, start):
    def step():
        nonlocal start
        sum(range(size))
        start += 1.0
        return start
    return step


def products(name):
    return [(2, 3, 4, 5)]


def ours(name):
    if name == "forced" and "OPENBLAS_CORETYPE" in os.environ:
        raise ArithmeticError("kernels are forced")
    return work(2000, 1.0)


def eager(name):
    return work(40000, 1.01 if name == "other" else 1.0)


def tuned(name):
    if name == "broken":
        raise ArithmeticError("nothing here")
    return work(40000, 1.0)
"""


@pytest.fixture
def library(monkeypatch, tmp_path):
    """The benchmark, with workloads of its own that need no framework and rounds of an instant."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "benchmarks"))
    monkeypatch.setattr(importlib.import_module("race"), "ROUND", 0.01)
    (tmp_path / "workloads_tiny.py").write_text(TINY)
    return importlib.import_module("library")


def run(library, folder, *more):
    library.main(["--workloads", str(folder), "--rounds", "3", "--threads", "1", "--json", str(folder / "out"), *more])
    return json.loads((folder / "out").read_text())


def test_a_workload_is_raced_and_reported(library, tmp_path, capsys):
    report = run(library, tmp_path, "--only", "tiny/3")
    ratios = report["tiny/3"]["1"]
    assert ratios.keys() >= {"cpu", "wall", "tuned", "memory", "products"}
    assert "✓" in capsys.readouterr().out


def test_ratios_are_ours_divided_by_those_of_the_other(library, monkeypatch):
    figures = importlib.import_module("race").Figures
    raced = {"ours": figures(1.0, 3.0, 7), "eager": figures(4.0, 5.0, 70), "tuned": figures(8.0, 6.0, 700)}
    raced["products"] = figures(0.5, 0.5, 7)
    monkeypatch.setattr(library, "race", lambda *args: raced)
    workload = library.Workload(Path("any"), {}, [])
    ratios = library.measured(workload, "tiny/3", 1, 3, lambda: None)
    relative = {"cpu": 0.25, "wall": 0.6, "tuned": 0.5, "memory": 0.1, "products": 0.1}
    assert ratios == relative | {"ms": 3000.0, "eager_ms": 5000.0}
    raced["by_hand"] = figures(2.0, 4.0, 7)
    assert library.measured(workload, "tiny/3", 1, 3, lambda: None) == ratios | {"by_hand": 0.75}


def test_losses_that_differ_are_named_before_anything_is_timed(library, tmp_path):
    with pytest.raises(ValueError, match=r"other: at step 0 our loss is 2, that of eager 2\.01"):
        run(library, tmp_path, "--only", "other")
    assert not (tmp_path / "out").exists()


def test_what_fails_in_an_implementation_is_said_with_its_name(library, tmp_path):
    with pytest.raises(RuntimeError, match="tuned broken: ArithmeticError: nothing here"):
        run(library, tmp_path, "--only", "broken")


def test_unknown_workloads_are_refused_with_those_that_there_are(library, tmp_path):
    with pytest.raises(SystemExit, match="no workload W9; there are tiny/3, other, broken, forced"):
        run(library, tmp_path, "--only", "W9")


def test_blas_chooses_its_kernels_itself_unless_those_that_are_set_are_to_stay(library, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    run(library, tmp_path, "--only", "forced")
    assert "measured without this environment's OPENBLAS_CORETYPE=Haswell" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match="ours forced: ArithmeticError: kernels are forced"):
        run(library, tmp_path, "--only", "forced", "--forced-kernels")


def test_it_is_said_what_numpy_multiplies_with(library):
    """By the same library as here, in a process of its own."""
    names = [found["internal_api"] for found in threadpool_info() if found["user_api"] == "blas"]
    said = importlib.import_module("race").kernels(os.environ)
    assert all(name in said for name in names)
    assert (
        importlib.import_module("race").kernels({"PATH": "", "PYTHONPATH": "/nowhere", "PYTHONHOME": "/nowhere"})
        == "unknown"
    )


def test_a_worker_is_waited_for_until_its_threads_are_quiet(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "benchmarks"))
    worker, used = importlib.import_module("worker"), iter([0.0, 0.01, 0.01, 0.02, 0.02, 0.02])
    monkeypatch.setattr(worker.time, "process_time", lambda: next(used))
    monkeypatch.setattr(worker.time, "sleep", lambda seconds: None)
    worker.settle()
    assert not list(used)
