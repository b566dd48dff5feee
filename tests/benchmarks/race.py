"""Implementations of one workload raced against each other: a process each, turn by turn, the order shuffled, so that
whatever else the machine does happens to all of them. Before anything is timed, their first losses must agree.

    figures = race(Path("workloads_dense.py"), "W1/32", threads=1, rounds=15)
    figures["ours"].wall / figures["eager"].wall
"""

from __future__ import annotations

import ast
import json
import os
import random
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STEPS = ("ours", "eager", "tuned", "by_hand")
KINDS = (*STEPS, "products")  # the last computes no loss
FORCED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")  # where set, NumPy's BLAS does not choose its kernels itself
FIRST = 5  # steps whose losses must agree
ROUND = 0.25  # seconds that the slowest takes for one round


@dataclass
class Figures:
    """Medians over the rounds: seconds of CPU and of wall time a step; peak memory above the imports, in bytes."""

    cpu: float
    wall: float
    memory: int


def kernels(environment: Mapping[str, str]) -> str:
    """What NumPy multiplies matrices with: a library, its version, and the processors that its kernels are made for."""
    ask = "import numpy, threadpoolctl as t; print([[*map(b.get, KEYS)] for b in t.threadpool_info()])"
    keys = "KEYS = 'internal_api', 'version', 'architecture';"
    asked = subprocess.run([sys.executable, "-c", keys + ask], capture_output=True, text=True, env={**environment})
    found = ast.literal_eval(asked.stdout) if asked.returncode == 0 else []
    return ", ".join(" ".join(filter(None, library)) for library in found) or "unknown"


class Runner:
    """A process that runs one implementation; calling it sends an order and returns the answer."""

    def __init__(self, path: Path, kind: str, name: str, threads: int, environment: Mapping[str, str]) -> None:
        self.label = f"{kind} {name}"
        count = {f"{library}_NUM_THREADS": str(threads) for library in ("OPENBLAS", "OMP", "MKL")}
        worker = [sys.executable, str(Path(__file__).with_name("worker.py")), str(path), kind, name]
        self.process = subprocess.Popen(
            worker, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**environment, **count}
        )

    def read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": f"its process ended with code {self.process.wait()}"}
        if "error" in answer:
            raise RuntimeError(f"{self.label}: {answer['error']}")
        return answer

    def __call__(self, **order: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        print(json.dumps(order), file=self.process.stdin, flush=True)
        return self.read()

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def race(
    path: Path,
    name: str,
    threads: int,
    rounds: int,
    tick: Callable[[], object] = lambda: None,
    kinds: Sequence[str] = KINDS,
    environment: Mapping[str, str] = os.environ,
) -> dict[str, Figures]:
    """Figures of every implementation of these kinds; `tick` is called after each round.

    Raises RuntimeError if an implementation fails, ValueError if their losses differ.
    """
    with ExitStack() as open_:
        runners = {kind: open_.enter_context(Runner(path, kind, name, threads, environment)) for kind in kinds}
        for runner in runners.values():
            runner.read()  # ready
        check_losses(name, {kind: runners[kind](do="losses", steps=FIRST)["losses"] for kind in kinds if kind in STEPS})
        slowest = max(runner(do="round", steps=3)["wall"] for runner in runners.values())
        steps = max(3, round(ROUND / slowest))
        for runner in runners.values():
            runner(do="round", steps=steps)  # warm-up
        found: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
        for _ in range(rounds):
            for kind in random.sample(kinds, len(kinds)):
                found[kind].append(runners[kind](do="round", steps=steps))
            tick()
        return {kind: figures(found[kind], runners[kind](do="memory")["memory"]) for kind in kinds}


def figures(rounds: list[dict[str, float]], memory: int) -> Figures:
    cpu, wall = (statistics.median(one[clock] for one in rounds) for clock in ("cpu", "wall"))
    return Figures(cpu, wall, memory)


def check_losses(name: str, losses: dict[str, list[float]]) -> None:
    """The first steps must be the same in all: a faster one that computes something else is no faster."""
    for kind in set(losses) - {"ours"}:
        for step, (mine, theirs) in enumerate(zip(losses["ours"], losses[kind], strict=True)):
            if not abs(mine - theirs) <= 1e-3 * abs(theirs):
                raise ValueError(f"{name}: at step {step} our loss is {mine:.7g}, that of {kind} {theirs:.7g}")
