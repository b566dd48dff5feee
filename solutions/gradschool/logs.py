"""Logs write the numbers of a run to files while it is under way: one line per epoch for other programs, or event files
for TensorBoard. Each opens its file, appends and closes it, so what is written stays, whatever happens next.

    train(..., callbacks=[CSVLog("run.csv"), JSONLog("run.jsonl"), TensorBoard("logs/run-1")])
    tensorboard --logdir logs                           # in a terminal; pip install 'gradschool[logs]'

A new run starts its file anew; one that is taken up with `resume` appends.
"""

from __future__ import annotations

import csv
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .callbacks import Callback
from .history import spelled
from .ranges import check_range
from .run import Run

__all__ = ["CSVLog", "JSONLog", "TensorBoard"]


def epoch_values(run: Run) -> dict[str, float]:
    """What there is to say about the newest epoch: its losses and metrics, the rate and other options at its end."""
    newest = {name: values[-1] for name, values in run.history.epochs.items()}
    return newest | {"lr": run.history.rates[-1]} | {name: values[-1] for name, values in run.history.hyper.items()}


@dataclass(frozen=True)
class Log(Callback):
    """A file of lines, with one `entry` for each epoch."""

    file: str | os.PathLike[str]

    def on_start(self, run: Run, memory: Any) -> bool:
        if memory is None:
            Path(self.file).write_text("", encoding="utf-8")
        return True  # begun

    def on_epoch(self, run: Run, memory: bool) -> bool:
        with Path(self.file).open("a", encoding="utf-8", newline="") as lines:
            self.entry(lines, run)
        return memory

    def entry(self, lines: Any, run: Run) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class CSVLog(Log):
    """A table with a header: epoch, step, then the losses, metrics and the learning rate, one row for each epoch."""

    def entry(self, lines: Any, run: Run) -> None:
        values = {"epoch": run.epoch, "step": run.step} | epoch_values(run)
        table = csv.DictWriter(lines, list(values))
        if not lines.tell():
            table.writeheader()
        table.writerow(values)


@dataclass(frozen=True)
class JSONLog(Log):
    """One JSON object on a line of its own for each epoch; NaN and infinity are the strings "nan" and "inf"."""

    def entry(self, lines: Any, run: Run) -> None:
        values = {"epoch": run.epoch, "step": run.step} | epoch_values(run)
        lines.write(json.dumps(spelled(values), allow_nan=False) + "\n")


EVENT_FILE = "events.out.tfevents.gradschool"  # TensorBoard looks for names with "tfevents" in them


@dataclass(frozen=True)
class TensorBoard(Callback):
    """Event files for TensorBoard: the loss and rate of every `every`-th step, losses and metrics of every epoch.

    folder     one for each run, such as "logs/lr-0.05": TensorBoard draws the runs of a folder in one plot
    every      how many steps lie between two points of "step/loss" and "step/lr"

    Written by TensorBoard's own record writer, for which it needs the extra `logs`.

    Raises ImportError without it, ValueError for an `every` below 1.
    """

    folder: str | os.PathLike[str]
    every: int = 1

    def __post_init__(self) -> None:
        check_range("TensorBoard", "every", self.every, low=1)

    def on_start(self, run: Run, memory: int | None) -> int:
        file = Path(self.folder) / EVENT_FILE
        if memory is None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"")
            write_events(file, [{"file_version": "brain.Event:2"}])
        return memory or 0  # how many steps are written

    def on_epoch(self, run: Run, memory: int) -> int:
        losses, rates = run.history.losses, run.history.rates
        steps = [step for step in range(memory, run.step) if step % self.every == 0]
        values = [scalars(step, {"step/loss": losses[step], "step/lr": rates[step]}) for step in steps]
        write_events(Path(self.folder) / EVENT_FILE, [*values, scalars(run.epoch, epoch_tags(run))])
        return run.step


def epoch_tags(run: Run) -> dict[str, float]:
    return {f"epoch/{name}": value for name, value in epoch_values(run).items()}


def scalars(step: int, values: dict[str, float]) -> dict[str, Any]:
    """The fields of one event."""
    entries = [{"tag": tag, "simple_value": value} for tag, value in values.items()]
    return {"step": step, "summary": {"value": entries}}


def write_events(file: Path, events: list[dict[str, Any]]) -> None:
    try:
        from tensorboard.compat.proto.event_pb2 import Event  # pyright: ignore[reportAttributeAccessIssue]
        from tensorboard.summary.writer.record_writer import RecordWriter
    except ImportError as error:
        raise ImportError("TensorBoard: its event files need the extra logs: pip install 'gradschool[logs]'") from error
    with file.open("ab") as records:
        writer = RecordWriter(records)
        for event in events:
            writer.write(Event(wall_time=time.time(), **event).SerializeToString())
