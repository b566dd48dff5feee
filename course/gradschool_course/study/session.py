"""One experiment with one seed: it loads its images, trains what it has to, and goes on where it was interrupted.

    session = Session("X-c", seed=1, folder=Path("studies"))
    history = session.fit(Plan(deep_batchnorm, optimizer("nadam", lr=5e-4, eps=1e-7), epochs=100, patience=20))

Each training of a session has a checkpoint of its own, which is saved after every epoch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

import gradschool as gs
from gradschool.callbacks import Checkpoint, EarlyStopping
from gradschool.history import History
from gradschool.layers import Layer
from gradschool.optimizers import Optimizer
from gradschool_data import Split

from .images import Pictures, load

__all__ = ["Plan", "Session", "binary_accuracy"]

Tree = Any
Tell = Callable[[str, int, int, str], None]
"""(what is trained, epochs done, epochs in all, words)"""


@dataclass(frozen=True)
class Plan:
    """One training. `lr(steps)` makes a schedule, where steps is how many an epoch has; None leaves the optimizer's.

    `feed` is the scale of the inputs, `patience` that of early stopping on the validation loss, which puts the best
    epoch's parameters back at the end; 0 trains to the last epoch.
    """

    net: Callable[[], Layer]
    optimizer: Optimizer
    epochs: int
    lr: Callable[[int], Callable[[int], float]] | None = None
    batch_size: int = 32
    feed: str = "unit"
    patience: int = 0
    loss: Callable[[Any, Any], Any] = gs.softmax_cross_entropy
    metric: Callable[[Any, Any], float] = gs.accuracy
    options: dict[str, Any] = field(default_factory=dict)  # further arguments of `train`


@dataclass
class Session:
    """See the module. `images` and `epochs` shorten a run for a look in advance; its figures are then no comparison."""

    experiment: str
    seed: int
    folder: Path
    wanted: str = ""
    images: int | None = None
    epochs: int | None = None
    tell: Tell = lambda what, done, total, words: None
    curves: dict[str, History] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.place = self.folder / self.experiment / f"seed-{self.seed}"
        self.place.mkdir(parents=True, exist_ok=True)
        self.pictures = self.load() if self.wanted else None

    def load(self) -> Pictures:
        self.tell("images", 0, 1, "reading")
        return load(self.wanted).first(self.images)

    def data(self, feed: str = "unit") -> Split:
        assert self.pictures is not None
        return self.pictures.fed(feed)

    def rng(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)

    def start(self, plan: Plan, data: Split) -> tuple[Layer, Tree, Tree, np.random.Generator]:
        """The network, its first parameters and state, and the generator that drew them."""
        net, rng = plan.net(), self.rng()
        params, state, _ = net.init(rng, data.train[0].shape[1:], np.float32)
        return net, params, state, rng

    def shortened(self, plan: Plan) -> Plan:
        return plan if self.epochs is None else replace(plan, epochs=min(plan.epochs, self.epochs))

    def fit(
        self, plan: Plan, name: str = "training", data: Split | None = None, start: tuple[Tree, Tree] | None = None
    ) -> History:
        """Train as planned, from `start` (params, state) or from weights drawn anew, or go on with what was begun."""
        plan, data = self.shortened(plan), self.data(plan.feed) if data is None else data
        net, params, state, rng = self.start(plan, data)
        params, state = start or (params, state)
        file = self.place / f"{name}.npz"
        begun = History.load(file, params) if file.exists() else None
        epochs = begun.epochs_done if begun and begun.stopped else plan.epochs  # what had stopped is not taken up
        steps = -(-len(data.train[0]) // plan.batch_size)
        stopping = [EarlyStopping(plan.patience)] if plan.patience else []
        options = dict(plan.options)
        listeners = [*options.pop("callbacks", []), *stopping, self.teller(name), Checkpoint(file, every=1)]
        history = gs.train(
            net, params, data.train, plan.optimizer, plan.loss, epochs, rng=rng, state=state,
            lr=plan.lr(steps) if plan.lr else None, batch_size=plan.batch_size, validation=data.valid,
            metrics={"acc": plan.metric}, callbacks=listeners, resume=begun, **options,
        )  # fmt: skip
        self.curves[name] = history
        return history

    def teller(self, name: str) -> Callable[[Any], None]:
        def after_epoch(run: Any) -> None:
            words = f"val_loss {run.last('val_loss'):.4f}, val_acc {run.last('val_acc'):.4f}"
            self.tell(name, run.epoch, run.epochs, words)

        return after_epoch

    def evaluate(self, plan: Plan, history: History, data: tuple[Any, Any]) -> dict[str, float]:
        """Loss and accuracy of what was trained."""
        return gs.evaluate(plan.net(), history.params, data, plan.loss, {"acc": plan.metric}, history.state)


def binary_accuracy(z: np.ndarray, t: np.ndarray) -> float:
    """The share of scores (N, 1) on the right side of 0."""
    return float(np.mean((z > 0) == (t > 0.5)))
