"""One implementation of one workload in a process of its own, told by lines of JSON what to do and answering in such.

    python worker.py workloads_dense.py ours W1/32       # or eager, tuned, products
    {"do": "losses", "steps": 5}        ->  {"losses": [2.31, ...]}             the first steps, from the start
    {"do": "round", "steps": 40}        ->  {"cpu": 0.0021, "wall": 0.0022}     seconds per step, of these 40
    {"do": "memory"}                    ->  {"memory": 9123456}                 bytes, see `peak`

The number of threads stands in the environment, because BLAS reads it when it is loaded.
"""

from __future__ import annotations

import gc
import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any


def load(path: Path) -> ModuleType:
    """A module by its path, able to import its neighbours."""
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses and pickle look it up
    spec.loader.exec_module(module)
    return module


def resident(field: str) -> int:
    """VmRSS or VmHWM, the memory in use now or at most, in bytes; 0 where there is no /proc."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(field)), 0)


def from_here() -> int:
    """Forget the peak of memory so far (that of the imports), and say how much is in use."""
    gc.collect()
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return 0
    return resident("VmRSS")


def import_frameworks(kind: str) -> None:
    """What would be imported anyway counts as no workload's memory."""
    import gradschool  # noqa: F401  (all start from its parameters)

    if kind in ("eager", "tuned"):
        import torch

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))


def timed(step: Callable[[], Any], steps: int) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(steps):
        step()
    return {"cpu": (time.process_time() - cpu) / steps, "wall": (time.perf_counter() - wall) / steps}


def settle() -> None:
    """Wait until no thread of this process runs: those of OpenMP and OpenBLAS run idle for a while when they have no
    more work, in the way of whoever's turn is next."""
    for _ in range(100):
        before = time.process_time()
        time.sleep(0.01)
        if time.process_time() - before < 0.002:
            return


def step_of(module: ModuleType, kind: str, name: str) -> Callable[[], Any]:
    if kind == "products":
        import products

        return products.best(module.products(name))
    return getattr(module, kind)(name)


def answers(path: Path, kind: str, name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    module = load(path)
    if getattr(module, "FRAMEWORKS", True):
        import_frameworks(kind)
    before = from_here()
    step = step_of(module, kind, name)

    def answer(order: dict[str, Any]) -> dict[str, Any]:
        if order["do"] == "losses":
            return {"losses": [float(step()) for _ in range(order["steps"])]}
        if order["do"] == "round":
            took = timed(step, order["steps"])
            settle()
            return took
        return {"memory": resident("VmHWM") - before}

    return answer


def main() -> None:
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a framework prints must not get between the answers
    try:
        answer = answers(Path(sys.argv[1]).resolve(), sys.argv[2], sys.argv[3])
        print(json.dumps({"ready": True}), file=channel, flush=True)
        for line in sys.stdin:
            print(json.dumps(answer(json.loads(line))), file=channel, flush=True)
    except Exception as error:  # the coordinator says it, with the workload's name
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), file=channel, flush=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
