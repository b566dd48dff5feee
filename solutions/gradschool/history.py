"""A history is what training leaves behind: the parameters, and the numbers of every step and epoch on the way. It
holds all that is needed to go on from where it ends.

    history = train(net, params, data, opt, loss, epochs=10, rng=rng, validation=held_out)
    history.epochs["val_loss"], history.best_epoch()                    # [0.71, 0.48, ...], 7
    history.to_json("run.json")                                         # the numbers, for other programs
    history = train(net, params, data, opt, loss, epochs=20, rng=rng, validation=held_out, resume=history)
"""

from __future__ import annotations

import copy
import json
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .saving import load, save

__all__ = ["History"]

Tree = Any
LARGER = {"acc", "accuracy", "auc", "f1", "precision", "recall", "r2", "score"}
SMALLER = {"loss", "error", "mae", "mse", "rmse", "perplexity"}
TABLES = ("hyper", "epochs")
NUMBERS = ("losses", "rates", "hyper", "epochs", "steps_per_epoch", "stopped")


@dataclass
class History:
    """The result of `train`.

    params, state     of the model, after the last step; `optimizer_state` is what the optimizer remembers (flat)
    losses, rates     one number per step: the loss of its batch before the update, and the learning rate it used
                      (nan for an optimizer that is given none); `hyper` has a list for each other scheduled option
    epochs            lists with one number per epoch: "loss" and each metric, means over the samples of the epoch as
                      they were seen; "val_loss" and so on, of the validation data at the epoch's end
                      (Python counts them from 0, epochs count from 1: `epochs["val_loss"][best_epoch() - 1]`)
    stopped           why training ended before its last epoch; empty if it did not
    steps_per_epoch   how many batches an epoch has
    rng, memories     the state of the generator, and what each callback remembers: what `resume` needs beside these

    Raises ValueError for a name that was not recorded (from `values` and `best_epoch`), and for a file or text that
    holds something else (from `load` and `from_json`).

    >>> history = History({}, losses=[3.0, 2.0, 1.0, 1.5], epochs={"loss": [2.5, 1.25], "val_loss": [1.0, 1.2]})
    >>> history.best_epoch(), history.epochs_done
    (1, 2)
    """

    params: Tree
    state: Tree = None
    optimizer_state: Tree = None
    losses: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    hyper: dict[str, list[float]] = field(default_factory=dict)
    epochs: dict[str, list[float]] = field(default_factory=dict)
    steps_per_epoch: int = 0
    stopped: str = ""
    rng: dict[str, Any] | None = None
    memories: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """The last epoch's numbers; the weights would fill pages."""
        last = "".join(f", {name} {values[-1]:.4g}" for name, values in self.epochs.items() if values)
        return f"History({self.epochs_done} epochs{last}{self.stopped and f'; {self.stopped}'})"

    @property
    def epochs_done(self) -> int:
        return len(self.epochs.get("loss", []))

    def copy(self) -> History:
        """One that shares no memory with this, however it is trained on."""
        return copy.deepcopy(self)

    def values(self, name: str) -> list[float]:
        """One number per epoch; ValueError for a name that was not recorded, with those that were."""
        check_recorded(name, list(self.epochs))
        return self.epochs[name]

    def best_epoch(self, monitor: str = "val_loss", maximize: bool | None = None) -> int:
        """The epoch, from 1, with the best value; the first of equals, 0 if all are NaN. Whether larger is better says
        `maximize`, or where it is None the name: see `larger_is_better`."""
        sign = -1 if larger_is_better("best_epoch", monitor, maximize) else 1
        values = [sign * value for value in self.values(monitor)]
        best = min((value for value in values if not math.isnan(value)), default=math.nan)
        return values.index(best) + 1 if best == best else 0

    def save(self, file: str | os.PathLike[str]) -> None:
        """A checkpoint with all of it, from which `History.load` and `resume` go on; see `gradschool.saving`."""
        lists = {name: np.array(getattr(self, name), float) for name in ("losses", "rates")}
        tables = {name: {key: np.array(row, float) for key, row in getattr(self, name).items()} for name in TABLES}
        rest = {name: getattr(self, name) for name in ("steps_per_epoch", "stopped", "rng", "memories")}
        save(file, self.params, state=self.state, optimizer=self.optimizer_state, history={**lists, **tables, **rest})

    @staticmethod
    def load(file: str | os.PathLike[str], like: Tree = None) -> History:
        """What `save` has written. Raises ValueError for another file, or parameters that are not `like` these.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     History({"w": np.ones(3)}, losses=[0.5], rng={"state": 2**100}).save(f"{folder}/run.npz")
        ...     history = History.load(f"{folder}/run.npz")
        >>> history.params, history.losses, history.rng == {"state": 2**100}
        ({'w': array([1., 1., 1.])}, [0.5], True)
        """
        found = load(file, like)
        content = (found.extra or {}).get("history")
        if content is None:
            raise ValueError(f"History.load: {file} holds a model, but no training; gradschool.load reads it")
        tables = {name: {key: row.tolist() for key, row in content[name].items()} for name in TABLES}
        lists = {name: content[name].tolist() for name in ("losses", "rates")}
        return History(found.params, found.state, found.optimizer, **(content | lists | tables))

    def to_dict(self) -> dict[str, Any]:
        """The numbers, without parameters and states."""
        return {name: getattr(self, name) for name in NUMBERS}

    def to_json(self, file: str | os.PathLike[str] | None = None) -> str:
        """The numbers as JSON, written to a file if there is one. JSON has no NaN or infinity: they become strings.

        >>> History({}, losses=[0.5, math.nan]).to_json()
        '{"losses": [0.5, "nan"], "rates": [], "hyper": {}, "epochs": {}, "steps_per_epoch": 0, "stopped": ""}'
        """
        text = json.dumps(spelled(self.to_dict()), allow_nan=False)
        if file is not None:
            Path(file).write_text(text + "\n", encoding="utf-8")
        return text

    @staticmethod
    def from_json(text: str) -> History:
        """The numbers back from `to_json`, with nothing for parameters.

        Raises ValueError for JSON that is something else.

        >>> History.from_json(History({}, losses=[0.5, math.inf]).to_json()).losses
        [0.5, inf]
        """
        found = json.loads(text)
        if not isinstance(found, dict) or sorted(found) != sorted(NUMBERS):
            came = sorted(found) if isinstance(found, dict) else type(found).__name__
            raise ValueError(f"History.from_json: expected the keys {sorted(NUMBERS)}, got {came}")
        lists = {name: found[name] for name in TABLES}
        return History(
            None,
            losses=numbers(found["losses"]),
            rates=numbers(found["rates"]),
            steps_per_epoch=found["steps_per_epoch"],
            stopped=found["stopped"],
            **{name: {key: numbers(values) for key, values in table.items()} for name, table in lists.items()},
        )


def larger_is_better(who: str, name: str, maximize: bool | None) -> bool:
    """`maximize`, or where it is None what the name says: of "val_acc" larger is better, of "val_loss" smaller.

    Raises ValueError for a name that says neither.
    """
    if maximize is not None:
        return maximize
    larger, smaller = says_larger(name), bool(words_of(name) & SMALLER)
    if larger == smaller:
        raise ValueError(f"{who}: is a larger {name!r} better? Say maximize=True, or maximize=False")
    return larger


def says_larger(name: str) -> bool:
    return bool(words_of(name) & LARGER)


def words_of(name: str) -> set[str]:
    return set(name.lower().split("_"))


def check_recorded(name: str, recorded: list[str], tense: str = "was") -> None:
    """ValueError for a name that is not among those of which a history has a number per epoch, with what to try."""
    if name in recorded:
        return
    metric = name.removeprefix("val_")
    advice = ["a validation=(X, T)"] if name != metric and "val_loss" not in recorded else []
    advice += [] if metric in recorded else [f'metrics={{"{metric}": ...}}']
    raise ValueError(f"history: {name!r} {tense} not recorded, there is {recorded}; give train {' and '.join(advice)}")


def spelled(value: Any) -> Any:
    """The same with "nan", "inf" and "-inf" for what JSON cannot say."""
    if isinstance(value, dict):
        return {key: spelled(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [spelled(entry) for entry in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def numbers(values: list[Any]) -> list[float]:
    return [float(value) for value in values]
