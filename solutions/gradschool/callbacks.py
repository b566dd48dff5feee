"""A callback looks on while a model trains, once a step or once an epoch, and may stop the run, change its rate or put
other parameters in place. What it remembers is handed to it and returned, so that a run can be saved and resumed.

    train(..., validation=held_out, callbacks=[EarlyStopping(patience=10), Checkpoint("run.npz")])
    train(..., callbacks=[lambda run: print(run.epoch, run.last("loss"))])          # a function: after every epoch

    class Count(Callback):                                   # your own: any of on_start, on_step, on_epoch, on_end
        def on_epoch(self, run, memory):
            return (memory or 0) + 1                         # what it gets the next time

Those that write logs are in `gradschool.logs`, the bar is in `gradschool.progress`.
"""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .history import larger_is_better, says_larger
from .run import Run
from .saving.formats import check_folder
from .schedules import Plateau, reduce_on_plateau

__all__ = ["AfterEpoch", "Callback", "Checkpoint", "EarlyStopping", "ReduceOnPlateau", "Run"]

Tree = Any
MOMENTS = "on_start", "on_step", "on_epoch", "on_end"


class Callback:
    """Does nothing at each of four moments; override what you need.

    Each method gets the run and what the method before it returned, None at first, and returns what is to be
    remembered: trees of arrays, numbers and strings, which a checkpoint can hold.

    Raises TypeError where a class is defined with a method of another name that begins with `on_`: nobody calls it.
    """

    saves = False  # whether it saves the run, and is therefore called after all others

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name in vars(cls):
            if name.startswith("on_") and name not in MOMENTS:
                raise TypeError(f"{cls.__name__}.{name} would never be called; expected one of {', '.join(MOMENTS)}")

    def on_start(self, run: Run, memory: Any) -> Any:
        """Before the first step, also of a run that is taken up again: then `memory` is what was remembered there.

        The place to refuse what cannot work, such as a name that `run.check_recorded` does not know.
        """
        return memory

    def on_step(self, run: Run, memory: Any) -> Any:
        """After a step: its loss is `run.history.losses[-1]`, `run.step` steps are done, the parameters are changed."""
        return memory

    def on_epoch(self, run: Run, memory: Any) -> Any:
        """After an epoch and its validation: `run.epoch` are done, and `run.last("val_loss")` is known."""
        return memory

    def on_end(self, run: Run, memory: Any) -> Any:
        """After the last epoch, or whatever has ended the run, an error among them."""
        return memory


@dataclass(frozen=True)
class AfterEpoch(Callback):
    """A function of the run, called after every epoch. What it raises ends the training, and comes out of `train`."""

    function: Callable[[Run], Any]

    def on_epoch(self, run: Run, memory: Any) -> None:
        self.function(run)


@dataclass(frozen=True)
class EarlyStopping(Callback):
    """Stop when a value has not improved for `patience` epochs in a row; end with the parameters of the best epoch.

    monitor        "val_loss", or any other name in `history.epochs`
    min_delta      how much better than the best so far counts as an improvement
    maximize       whether larger is better; None takes it from the name: of "val_acc" it is, of "val_loss" it is not
    restore_best   put the best epoch's parameters and state back at the end, whether or not training was stopped;
                   where no epoch was better than NaN there are none to put back

    A run that has stopped and is taken up again with the same patience stays where it is; with more it goes on, as one
    that had come to its last epoch does, from the parameters that were put back.

    Raises ValueError for a patience below 1, a negative min_delta, or a name that does not say what is better; `train`
    does if the value is not recorded.
    Source: Keras' `EarlyStopping`, whose `restore_best_weights` is off by default.

    >>> import numpy as np
    >>> from gradschool import optimizer, train
    >>> X = np.ones((3, 1))
    >>> history = train(lambda p, x: x * p["w"], {"w": np.array([4.0])}, (X, X), optimizer("sgd", lr=0.75),
    ...                 lambda Y, T: abs(Y - T).mean(), 50, rng=np.random.default_rng(0), validation=(X, X),
    ...                 callbacks=[EarlyStopping(patience=3)])
    >>> history.epochs["val_loss"], history.params["w"], history.stopped
    ([2.25, 1.5, 0.75, 0.0, 0.0, 0.0, 0.0], array([1.]), 'val_loss has not improved on 0 for 3 epochs')
    """

    patience: int = 10
    monitor: str = "val_loss"
    min_delta: float = 0.0
    maximize: bool | None = None
    restore_best: bool = True

    def __post_init__(self) -> None:
        if self.patience < 1 or not self.min_delta >= 0:
            raise ValueError(
                f"EarlyStopping: expected patience >= 1 and min_delta >= 0, got {self.patience} and {self.min_delta}"
            )
        larger_is_better("EarlyStopping", self.monitor, self.maximize)

    @property
    def larger(self) -> bool:
        return larger_is_better("EarlyStopping", self.monitor, self.maximize)

    def on_start(self, run: Run, memory: Any) -> dict[str, Any]:
        run.check_recorded(self.monitor)
        if memory is None:
            return {"best": -math.inf if self.larger else math.inf, "wait": 0, "params": None, "state": None}
        self.stop_if_due(run, memory)
        return memory

    def on_epoch(self, run: Run, memory: dict[str, Any]) -> dict[str, Any]:
        value = run.last(self.monitor)
        if improves(value, memory["best"], self.min_delta, self.larger):
            kept = (run.history.params, run.history.state) if self.restore_best else (None, None)
            params, state = copy.deepcopy(kept)  # the weights themselves go on changing
            return {"best": value, "wait": 0, "params": params, "state": state}
        memory = memory | {"wait": memory["wait"] + 1}
        self.stop_if_due(run, memory)
        return memory

    def stop_if_due(self, run: Run, memory: dict[str, Any]) -> None:
        if memory["wait"] >= self.patience:
            run.stop(f"{self.monitor} has not improved on {memory['best']:.6g} for {memory['wait']} epochs")

    def on_end(self, run: Run, memory: dict[str, Any]) -> dict[str, Any]:
        if memory["params"] is not None:
            run.restore(memory["params"], copy.deepcopy(memory["state"]))
        return memory


def improves(value: float, best: float, min_delta: float, maximize: bool) -> bool:
    """Whether a value is better than the best by more than min_delta; a NaN never is."""
    return value > best + min_delta if maximize else value < best - min_delta


@dataclass(frozen=True)
class ReduceOnPlateau(Callback):
    """Multiply the rate of a run by a factor whenever a value has stopped improving; see `reduce_on_plateau`.

    Raises TypeError for another plateau, ValueError for one that waits for a smaller accuracy; `train` raises
    ValueError if its lr is a schedule, which would know nothing of the factor, or if the value is not recorded.

        train(..., lr=0.02, callbacks=[ReduceOnPlateau(schedules.reduce_on_plateau(factor=0.5, patience=5))])
    """

    plateau: Plateau = field(default_factory=reduce_on_plateau)
    monitor: str = "val_loss"

    def __post_init__(self) -> None:
        if not isinstance(self.plateau, Plateau):
            raise TypeError(
                f"ReduceOnPlateau: expected what schedules.reduce_on_plateau returns, got {self.plateau!r:.60}; try "
                "ReduceOnPlateau(schedules.reduce_on_plateau(factor=0.5, patience=5))"
            )
        if not self.plateau.maximize and says_larger(self.monitor):
            raise ValueError(
                f"ReduceOnPlateau: a larger {self.monitor!r} is better, and this plateau waits for smaller ones; try "
                "schedules.reduce_on_plateau(..., maximize=True)"
            )

    def on_start(self, run: Run, memory: Any) -> dict[str, Any]:
        run.check_recorded(self.monitor)
        lr = run.start_lr if run.lr is None else run.lr
        if callable(lr) or lr is None:
            came = "a schedule" if callable(lr) else "none"
            raise ValueError(f"ReduceOnPlateau: expected a number for the learning rate, got {came}; try lr=0.01")
        memory = memory or self.plateau.init(lr)
        run.lr = memory["lr"]
        return memory

    def on_epoch(self, run: Run, memory: dict[str, Any]) -> dict[str, Any]:
        memory = self.plateau.update(memory, run.last(self.monitor))
        run.lr = memory["lr"]
        return memory


@dataclass(frozen=True)
class Checkpoint(Callback):
    """Save the run to a file: whenever a value is the best so far, or every few epochs.

        train(..., epochs=50, rng=rng, callbacks=[Checkpoint("last.npz", every=1)])
        train(..., epochs=50, rng=rng, resume=History.load("last.npz"), callbacks=[Checkpoint("last.npz", every=1)])

    A run that is taken up from there goes on as if nothing had happened, to the last bit: parameters, states, what the
    optimizer and the other callbacks remember, the generator and the numbers so far are all in the file.

    file        a name that ends in .npz or .safetensors; "{epoch}" in it becomes the number of the epoch
    monitor     what has to improve; `maximize` says whether larger is better, None takes it from the name
    every       save after each so many epochs instead, whatever the value is

    Raises ValueError unless every >= 1, for another field or another ending in the file's name, or for a monitor that
    does not say what is better; `train` does if the value is not recorded, and FileNotFoundError if there is no such
    folder.
    """

    file: str | os.PathLike[str]
    monitor: str = "val_loss"
    maximize: bool | None = None
    every: int | None = None

    saves = True

    def __post_init__(self) -> None:
        if self.every is not None and self.every < 1:
            raise ValueError(f"Checkpoint: expected every >= 1, or None to keep the best, got {self.every}")
        try:
            self.place(1)
        except (LookupError, ValueError) as error:
            raise ValueError(
                f"Checkpoint: a name may have {{epoch}} in it and no other field, got {self.file}"
            ) from error
        if not self.place(1).endswith((".npz", ".safetensors")):
            raise ValueError(f"Checkpoint: expected a name that ends in .npz or .safetensors, got {self.file}")
        if self.every is None:
            larger_is_better("Checkpoint", self.monitor, self.maximize)

    @property
    def larger(self) -> bool:
        return self.every is None and larger_is_better("Checkpoint", self.monitor, self.maximize)

    def place(self, epoch: int) -> str:
        return os.fspath(self.file).format(epoch=epoch)

    def on_start(self, run: Run, memory: float | None) -> float:
        first, second = (Path(self.place(epoch)) for epoch in (1, 2))
        if first.parent == second.parent:  # else each epoch has a folder of its own, and not all have to be there
            check_folder("Checkpoint", first)
        if self.every is None:
            run.check_recorded(self.monitor)
        return (-math.inf if self.larger else math.inf) if memory is None else memory

    def on_epoch(self, run: Run, memory: float) -> float:
        if self.every is not None:
            if run.epoch % self.every == 0:
                self.write(run, memory)
        elif improves(run.last(self.monitor), memory, 0.0, self.larger):
            memory = run.last(self.monitor)
            self.write(run, memory)
        return memory

    def write(self, run: Run, memory: float) -> None:
        # what this callback remembers counts, too, and the loop learns of it only when this has returned
        name = next(name for name, listener in run.listeners.items() if listener is self)
        memories = run.history.memories | {name: memory}
        replace(run.history, memories=memories).save(self.place(run.epoch))


# ------------------------------------------------------------------------------------------------------ how a run calls
def named_callbacks(callbacks: Sequence[Callback | Callable[[Run], Any]], *more: Callback) -> dict[str, Callback]:
    """Callbacks by the names under which a history keeps what they remember; those that save the run come last."""
    if isinstance(callbacks, Callback) or not isinstance(callbacks, Iterable):
        name = getattr(callbacks, "__name__", type(callbacks).__name__)
        raise TypeError(f"train: expected a list of callbacks, got {name}; try callbacks=[...]")
    found: dict[str, Callback] = {}
    listeners = [*map(as_callback, callbacks), *more]
    for listener in sorted(listeners, key=lambda listener: listener.saves):
        kind = type(listener).__name__
        twins = sum(name.split("-")[0] == kind for name in found)
        found[f"{kind}-{twins + 1}" if twins else kind] = listener
    return found


def as_callback(callback: Any) -> Callback:
    """A callback as it is, and a function of the run as the one that calls it; TypeError for anything else."""
    if isinstance(callback, Callback):
        return callback
    if isinstance(callback, type):
        raise TypeError(f"train: expected a callback, got its class {callback.__name__}; try {callback.__name__}()")
    if not callable(callback):
        kind = type(callback).__name__
        raise TypeError(
            f"train: expected a function of the run, or a class of your own that derives from Callback, got {kind}"
        )
    return AfterEpoch(callback)


def tell(run: Run, moment: str) -> None:
    memories = run.history.memories
    for name, listener in run.listeners.items():
        memories[name] = getattr(listener, moment)(run, memories.get(name))
