"""The experiments by name, each a function of a session that returns what it measured.

    EXPERIMENTS["F1"].title             # "Leaky ReLU"
    EXPERIMENTS["F1"].run(session)      # {"val_loss": 0.48, "val_acc": 0.84}

The plans are those of the notebooks: 300 and 100 hidden units unless said otherwise, batches of 32, the scale of the
inputs that stood there. A second name for the same training (F8, R2) trains it again.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import gradschool as gs
from gradschool import schedules

from . import networks
from .measures import best, last
from .recorded import RECORDED
from .session import Plan, Session

__all__ = ["EXPERIMENTS", "Experiment", "entered", "trained"]

Measures = dict[str, float]


@dataclass(frozen=True)
class Experiment:
    """`data` is the data set it was recorded with, empty if it needs none; `run(session)` returns measures by name."""

    name: str
    title: str
    data: str
    run: Callable[[Session], Measures]
    seeded: bool = True  # another seed gives another result

    @property
    def recorded(self) -> dict[str, tuple[float | None, ...]]:
        return RECORDED.get(self.name, {})


EXPERIMENTS: dict[str, Experiment] = {}


def entered(name: str, title: str, data: str, seeded: bool = True) -> Callable[[Callable], Callable]:
    """Enter a function of a session as an experiment."""

    def enter(run: Callable[[Session], Measures]) -> Callable[[Session], Measures]:
        EXPERIMENTS[name] = Experiment(name, title, data, run, seeded)
        return run

    return enter


def trained(name: str, title: str, data: str, plan: Plan, *reads: Callable[[Any], Measures]) -> None:
    """Enter an experiment that is one training, and what is read off it."""

    def run(session: Session) -> Measures:
        history = session.fit(plan)
        return {key: value for read in reads for key, value in read(history).items()}

    entered(name, title, data)(run)


def first_accuracy(history: Any) -> Measures:
    return {"first val_acc": history.epochs["val_acc"][0]}


def best_accuracy(history: Any) -> Measures:
    return {"best val_acc": max(history.epochs["val_acc"])}


# --------------------------------------------------------------------------------------- activations and batch norm
FASHION, CIFAR, MNIST = "fashion-mnist", "cifar-10", "mnist"
slow = gs.optimizer("sgd", lr=1e-3)


def nadam(lr: float) -> Any:
    return gs.optimizer("nadam", lr=lr, eps=1e-7)  # Keras 2: momentum_decay 0.004, which is the default here, ε 1e-7


def relu100() -> Any:
    return networks.deep(gs.relu, gs.he, first=300, layers=100)


def selu100() -> Any:
    return networks.deep(gs.selu, gs.lecun, first=300, layers=100)


def leaky_net() -> Any:
    return networks.mlp(networks.leaky(), gs.he)


def selu_net() -> Any:
    return networks.mlp(gs.selu, gs.lecun)


def elu_net() -> Any:
    return networks.mlp(gs.elu, gs.he)


trained("F1", "Leaky ReLU, slope 0.3", FASHION, Plan(leaky_net, slow, 10), last)
trained("F2", "PReLU", FASHION, Plan(networks.with_prelu, slow, 10), last)
trained("F3", "SELU, 100 hidden layers", FASHION, Plan(selu100, slow, 5, feed="scaled"), last)
trained("F4", "ReLU, 100 hidden layers", FASHION, Plan(relu100, slow, 5, feed="scaled"), last)
trained(
    "F6", "Batch norm after the activation", FASHION, Plan(networks.batchnorm_after, slow, 10), first_accuracy, last
)
trained("F7", "Batch norm before the activation", FASHION, Plan(networks.batchnorm_before, slow, 10), last)
trained("F8", "No batch norm, at the same rate", FASHION, Plan(leaky_net, slow, 10), last)


@entered("F5", "SELU forward through 1,000 layers", "", seeded=False)
def thousand_layers(session: Session) -> Measures:
    """The mean of the standard deviations of 100 units over 500 samples, every hundredth layer."""
    np.random.seed(42)  # noqa: NPY002  # the recorded figures were drawn from this generator
    Z, found = np.random.normal(size=(500, 100)), {}  # noqa: NPY002
    for layer in range(1000):
        W = np.random.normal(size=(100, 100), scale=np.sqrt(1 / 100))  # noqa: NPY002
        Z = gs.selu(Z @ W)
        if layer % 100 == 0:
            found[f"std of layer {layer}"] = float(Z.std(axis=0).mean().round(2))
    return found


# -------------------------------------------------------------------------------------------------------- schedules
def scheduled(name: str, title: str, optimizer: Any, lr: Any, **changes: Any) -> None:
    plan = Plan(selu_net, optimizer, 25, lr=lr, feed="scaled")
    trained(name, title, FASHION, Plan(**(vars(plan) | changes)), last)


def by_epoch(schedule: Callable[[int], float]) -> Callable[[int], Callable[[int], float]]:
    return functools.partial(schedules.per_epoch, schedule)


def one_cycle(steps: int, epochs: int) -> Callable[[int], float]:
    return schedules.one_cycle(0.05, steps * epochs)


sgd = gs.optimizer("sgd", lr=0.01)
scheduled("S1", "Power", sgd, lambda steps: schedules.power(0.01, s=1e4))
scheduled("S2", "Exponential, per epoch", nadam(0.01), by_epoch(schedules.exponential(0.01, s=20)))
scheduled("S3", "Exponential, per batch", nadam(0.01), lambda steps: schedules.exponential(0.01, s=20 * steps))
scheduled("S4", "Piecewise constant", nadam(0.01), by_epoch(schedules.piecewise([5, 15], [0.01, 0.005, 0.001])))
scheduled("S6", "Exponential, per batch, SGD", sgd, lambda steps: schedules.exponential(0.01, s=20 * steps))
scheduled("S7", "1cycle", sgd, lambda steps: one_cycle(steps, 25), batch_size=128)
scheduled(
    "S5", "On a plateau", gs.optimizer("momentum", lr=0.02), None,
    options={"callbacks": [gs.ReduceOnPlateau(schedules.reduce_on_plateau(factor=0.5, patience=5))]},
)  # fmt: skip


# --------------------------------------------------------------------------------------------------- regularization
def dropout_net() -> Any:
    return networks.dropped(networks.dropout, gs.elu, gs.he)


def decay(params: Any) -> Any:
    return gs.l2_penalty(params, 0.01)


def bounded(params: Any, lr: float | None) -> Any:
    """The hidden layers only, as in the notebook: the last keeps what it has."""
    return [*gs.max_norm(params[:-1], 1.0), params[-1]]


penalised = Plan(elu_net, nadam(1e-3), 2, feed="scaled", options={"penalty": decay})
trained("R1", "ℓ2 of 0.01 everywhere", FASHION, penalised, last)
trained("R2", "ℓ2 of 0.01 everywhere, again", FASHION, penalised, last)
trained("R3", "Dropout of 0.2", FASHION, Plan(dropout_net, nadam(1e-3), 2, feed="scaled"), last)
norm_bound = Plan(selu_net, nadam(1e-3), 2, feed="scaled", options={"after_step": bounded})
trained("R6", "Max-norm of 1", FASHION, norm_bound, last)


# ---------------------------------------------------------------------------------------------------------- CIFAR-10
def elu20() -> Any:
    return networks.deep(gs.elu, gs.he)


def selu20() -> Any:
    return networks.deep(gs.selu, gs.lecun)


def selu20_alpha() -> Any:
    return networks.deep(gs.selu, gs.lecun, drop=0.1)


EPOCHS, PATIENCE = 100, 20
trained("X-a", "20 × 100 ELU, raw pixels", CIFAR, Plan(elu20, nadam(5e-5), EPOCHS, feed="raw", patience=PATIENCE), best)
normed = Plan(networks.deep_batchnorm, nadam(5e-4), EPOCHS, feed="raw", patience=PATIENCE)
trained("X-c", "20 × 100 ELU with batch norm, raw pixels", CIFAR, normed, best)
scaled = Plan(selu20, nadam(7e-4), EPOCHS, feed="scaled", patience=PATIENCE)
trained("X-d", "20 × 100 SELU, scaled pixels", CIFAR, scaled, best, last)
cycled = Plan(selu20_alpha, sgd, 15, lambda steps: one_cycle(steps, 15), 128, "scaled")
trained("X-f", "20 × 100 SELU with alpha dropout, 1cycle", CIFAR, cycled, last, best_accuracy)
