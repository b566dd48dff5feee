"""How fast the library trains, beside PyTorch: ratios below 1 mean that it is faster.

    python tests/benchmarks/library.py                              # all workloads, with one thread and with two
    python tests/benchmarks/library.py --only W1/32 W3/128 --threads 1 --rounds 31 --json figures.json

A workload is a training step on random data in float32. PyTorch runs it in eager mode as one writes it, and tuned (its
fused or foreach optimizer, channels-last). Each implementation has a process of its own; they take turns. Workloads
stand in `workloads_*.py` beside this file: `TARGETS` names them, and the functions `ours(name)`, `eager(name)` and
`tuned(name)` return a `step()` that makes one step and returns the loss, as does `by_hand(name)` where there is one.
All start from the same numbers. `products(name)` lists the matrix products of a step. Between turns everybody waits
until no idle thread of the last one runs any more. NumPy's BLAS takes kernels of its own choice, as PyTorch's does,
even where OPENBLAS_CORETYPE is set; which ones is said below the table.

    CPU, wall   the median round's time, ours divided by eager's (CPU time counts every thread)
    tuned       wall time, ours divided by that of the tuned form
    by hand     wall time, ours divided by that of NumPy code written for this one network (`by_hand.py`)
    memory      peak above what the imports take, ours divided by eager's
    products    wall time of the step's matrix products alone (`products.py`) divided by eager's whole step: what a
                library that leaves them to NumPy cannot get below. Of a convolution they are those of its windows with
                its weights, in blocks that stay in the cache; Winograd's algorithm needs fewer.
    ✓           the target is reached: with one thread by CPU time, which other processes disturb less, else by wall
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from race import FORCED, KINDS, kernels, race
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from worker import load
from workloads_tape import OPERATIONS, TAPE

HERE = Path(__file__).parent
Report = dict[str, dict[str, dict[str, float]]]


class Workload(NamedTuple):
    """Where it is written, the ratio that it is to reach with so many threads, and what there is to be raced."""

    path: Path
    targets: dict[int, float]
    kinds: list[str]


def found_workloads(folder: Path) -> dict[str, Workload]:
    modules = [(path, load(path)) for path in sorted(folder.glob("workloads_*.py"))]
    return {
        name: Workload(path, targets, [kind for kind in KINDS if hasattr(module, kind)])
        for path, module in modules
        for name, targets in module.TARGETS.items()
    }


def measured(
    workload: Workload,
    name: str,
    threads: int,
    rounds: int,
    tick: Callable[[], object],
    environment: Mapping[str, str] = os.environ,
) -> dict[str, float]:
    each = race(workload.path, name, threads, rounds, tick, workload.kinds, environment)
    ours, eager, tuned = each["ours"], each["eager"], each["tuned"]
    hand = {"by_hand": ours.wall / each["by_hand"].wall} if "by_hand" in each else {}
    return hand | {
        "cpu": ours.cpu / eager.cpu,
        "wall": ours.wall / eager.wall,
        "tuned": ours.wall / tuned.wall,
        "products": each["products"].wall / eager.wall,
        "memory": ours.memory / max(eager.memory, 1),
        "ms": 1000 * ours.wall,
        "eager_ms": 1000 * eager.wall,
    }


def reached(ratios: dict[str, float], threads: int, target: float | None) -> str:
    """With one thread by CPU time, which a busy machine disturbs less; with several, only the wall knows."""
    if target is None:
        return ""
    return "✓" if ratios["cpu" if threads == 1 else "wall"] <= target else "✗"


def table(report: Report, workloads: dict[str, Workload]) -> Table:
    heads = (
        "workload",
        "threads",
        "ms",
        "eager ms",
        "CPU",
        "wall",
        "target",
        "",
        "products",
        "by hand",
        "tuned",
        "memory",
    )
    shown = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)  # narrow, for a terminal of 80 columns
    for head in heads:
        shown.add_column(head.replace(" ", "\n"), no_wrap=True, justify="right" if head != "workload" else "left")
    for name, by_threads in report.items():
        for threads, ratios in by_threads.items():
            target = workloads[name].targets.get(int(threads))
            numbers = (f"{ratios[key]:.2f}" for key in ("ms", "eager_ms", "cpu", "wall"))
            goal = "" if target is None else f"{target:.2f}", reached(ratios, int(threads), target)
            keys = "products", "by_hand", "tuned", "memory"
            more = (f"{ratios[key]:.2f}" if key in ratios else "" for key in keys)
            shown.add_row(name, threads, *numbers, *goal, *more)
    return shown


def as_json(report: Report) -> dict[str, Any]:
    """The report, and what one operation on the tape takes, in microseconds."""
    tape = report.get(TAPE, {})
    return report | {f"{TAPE}_us": 1000 * ratios["ms"] / OPERATIONS for ratios in list(tape.values())[:1]}


def options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these workloads, such as W1/32")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2], metavar="N")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each implementation (default 15)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the ratios, by workload and threads")
    parser.add_argument("--workloads", type=Path, default=HERE, metavar="DIR", help="where the modules are")
    parser.add_argument(
        "--forced-kernels", action="store_true", help="keep the kernels that OPENBLAS_CORETYPE names, if it is set"
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    chosen = options(arguments)
    workloads = found_workloads(chosen.workloads)
    names: list[str] = chosen.only or list(workloads)
    if unknown := [name for name in names if name not in workloads]:
        raise SystemExit(f"there is no workload {', '.join(unknown)}; there are {', '.join(workloads)}")
    forced = {} if chosen.forced_kernels else {name: os.environ[name] for name in FORCED if name in os.environ}
    environment = {name: value for name, value in os.environ.items() if name not in forced}
    report: Report = {name: {} for name in names}
    with Progress(console=Console(stderr=True)) as progress:
        bar = progress.add_task("", total=len(names) * len(chosen.threads) * chosen.rounds)
        for name, threads in itertools.product(names, map(int, chosen.threads)):
            progress.update(bar, description=f"{name}, threads: {threads}")
            tick = functools.partial(progress.advance, bar)
            report[name][str(threads)] = measured(workloads[name], name, threads, chosen.rounds, tick, environment)
    Console().print(table(report, workloads))
    print(f"NumPy's BLAS: {kernels(environment)}")
    if forced:
        settings = " ".join(f"{name}={value}" for name, value in forced.items())
        print(f"(by its own choice: measured without this environment's {settings}; --forced-kernels keeps it)")
    found = as_json(report)
    if f"{TAPE}_us" in found:
        print(f"an operation on the tape, forward and backward: {found[f'{TAPE}_us']:.1f} µs")
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
