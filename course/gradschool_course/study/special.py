"""Experiments that are more than one training: transfer, Monte-Carlo dropout, ranges of learning rates.

Importing this enters them beside the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

import gradschool as gs
from gradschool import RangeTest
from gradschool_data import Split

from . import networks
from .experiments import CIFAR, EPOCHS, FASHION, MNIST, PATIENCE, Measures, entered, nadam, selu20_alpha, selu_net
from .measures import best, last
from .session import Plan, Session, binary_accuracy

__all__: list[str] = []

HELD = (5, 6)  # sandals and shirts; with MNIST in their place, the digits 5 and 6
FEW = 200
slow = gs.optimizer("sgd", lr=1e-3)


# --------------------------------------------------------------------------------------------------------- transfer
def body() -> list[Any]:
    return [part for units in (300, 100, 50, 50, 50) for part in (gs.layers.dense(units), gs.selu)]


def net_a() -> Any:
    return gs.sequential(*body(), gs.layers.dense(8))


def net_b() -> Any:
    return gs.sequential(*body(), gs.layers.dense(1))


task_a = Plan(net_a, slow, 20)
task_b = Plan(net_b, slow, 20, loss=gs.bce_with_logits, metric=binary_accuracy)


def tasks(data: Split) -> tuple[Split, Split]:
    """Task A: eight classes, numbered anew. Task B: is it a 6 rather than a 5? And only 200 images to learn it from."""
    a, b = [], []
    for X, T in data:
        y = T.argmax(axis=1)
        held = np.isin(y, HELD)
        a.append((X[~held], np.delete(T[~held], HELD, axis=1)))
        b.append((X[held], (y[held] == HELD[1]).astype(np.float32)[:, None]))
    b[0] = tuple(part[:FEW] for part in b[0])
    return Split(*a), Split(*b)


@entered("T1", "Model A: eight classes", FASHION)
def model_a(session: Session) -> Measures:
    return last(session.fit(task_a, "A", tasks(session.data())[0]))


def scratch(session: Session, b: Split) -> Measures:
    history = session.fit(task_b, "B", b)
    test = session.evaluate(task_b, history, b.test)
    return last(history) | {f"test_{name}": value for name, value in test.items()}


@entered("T2", "Model B: two classes, 200 images", FASHION)
def model_b(session: Session) -> Measures:
    return scratch(session, tasks(session.data())[1])


@entered("T3", "Model B on A: 4 epochs frozen, 16 not", FASHION)
def b_on_a(session: Session) -> Measures:
    a, b = tasks(session.data())
    trained_on_a = session.fit(task_a, "A", a)
    error = 1 - scratch(session, b)["test_acc"]
    _, params, state, _ = session.start(task_b, b)
    params = [*trained_on_a.params[:-1], params[-1]]  # A's body, and a new head
    head = replace(task_b, epochs=4, options={"gradients": head_only})
    after = session.fit(head, "B on A, frozen", b, (params, state))
    history = session.fit(replace(task_b, epochs=16), "B on A", b, (after.params, after.state))
    test = session.evaluate(task_b, history, b.test)
    found = last(history) | {f"test_{name}": value for name, value in test.items()}
    return found | {"error of T2 / error": error / max(1 - test["acc"], 1 / len(b.test[0]))}


def head_only(grads: Any, params: Any) -> Any:
    """Gradients of zero below the last layer: plain gradient descent then leaves it as it is."""
    return [*gs.tree_map(np.zeros_like, grads[:-1]), grads[-1]]


# ------------------------------------------------------------------------------------------------------ Monte Carlo
def alpha_net() -> Any:
    return networks.dropped(networks.alpha_dropout, gs.selu, gs.lecun)


alpha = Plan(alpha_net, gs.optimizer("nesterov", lr=0.01), 20, feed="scaled")


@entered("R4", "Alpha dropout of 0.2", FASHION)
def alpha_dropped(session: Session) -> Measures:
    history, data = session.fit(alpha), session.data("scaled")
    test, train = session.evaluate(alpha, history, data.test), session.evaluate(alpha, history, data.train)
    found = last(history) | {f"test_{name}": value for name, value in test.items()}
    return found | {"train_acc afterwards": train["acc"], "acc while training": history.epochs["acc"][-1]}


def mc_accuracy(session: Session, plan: Plan, history: Any, data: tuple[Any, Any], passes: int) -> float:
    P, _ = gs.mc_predict(
        plan.net(), history.params, data[0], output=gs.softmax, rng=session.rng(), passes=passes, state=history.state
    )
    return gs.accuracy(P, data[1])


@entered("R5", "Alpha dropout, 100 passes", FASHION)
def monte_carlo(session: Session) -> Measures:
    history, test = session.fit(alpha), session.data("scaled").test
    plain = session.evaluate(alpha, history, test)["acc"]
    return {"test_acc": plain, "test_acc of 100 passes": mc_accuracy(session, alpha, history, test, 100)}


@entered("X-e", "SELU with alpha dropout of 0.1", CIFAR)
def alpha_cifar(session: Session) -> Measures:
    plan = Plan(selu20_alpha, nadam(5e-4), EPOCHS, feed="scaled", patience=PATIENCE)
    history = session.fit(plan)
    passes = mc_accuracy(session, plan, history, session.data("scaled").valid, 10)
    return best(history) | {"val_acc of 10 passes": passes}


# -------------------------------------------------------------------------------------------------- ranges of rates
def ranged(session: Session, plan: Plan, low: float, high: float, counted: Callable[[Any, Any], None]) -> RangeTest:
    """One epoch at growing rates; `counted(Y, T)` sees the predictions of every step."""
    data = session.data(plan.feed)
    net, params, state, rng = session.start(plan, data)
    steps = -(-len(data.train[0]) // plan.batch_size)

    def loss(Y: Any, T: Any) -> Any:
        counted(gs.stop_gradient(Y), T)
        return plan.loss(Y, T)

    return gs.range_test(
        net, params, data.train, plan.optimizer, loss, rng=rng, state=state, low=low, high=high, steps=steps,
        batch_size=plan.batch_size, divergence=1e9,
    )  # fmt: skip


@entered("S8", "Rates from 1e-5 to 10 in one epoch", FASHION)
def rates_of_fashion(session: Session) -> Measures:
    """The accuracy is that of the whole epoch, as Keras counts it: when the loss is nan, every guess is class 0."""
    plan = Plan(selu_net, gs.optimizer("sgd"), 1, batch_size=128, feed="scaled")
    right: list[float] = []
    test = ranged(session, plan, 1e-5, 10.0, lambda Y, T: right.append(gs.accuracy(Y, T)))
    steps = -(-len(session.data(plan.feed).train[0]) // plan.batch_size)
    acc = (sum(right) + 0.1 * (steps - len(right))) / steps
    return {"acc": acc, "rate where the loss shoots up": test.highest, "a tenth of it": test.pick()}


def relu_net() -> Any:
    return networks.mlp(gs.relu)


@entered("M1", "Rates that grow by 0.5 % a step", MNIST)
def rates_of_mnist(session: Session) -> Measures:
    """Half of the rate at which the loss shoots up is chosen, as there."""
    plan = Plan(relu_net, gs.optimizer("sgd"), 1)
    steps = -(-len(session.data().train[0]) // plan.batch_size)
    test = ranged(session, plan, 1e-3, 1e-3 * 1.005**steps, lambda Y, T: None)
    return {"rate where the loss shoots up": test.highest, "rate to choose": test.pick("half")}


@entered("M2", "SGD at 0.3, early stopping", MNIST)
def digits(session: Session) -> Measures:
    plan = Plan(relu_net, gs.optimizer("sgd", lr=0.3), 100, patience=20)
    history, data = session.fit(plan), session.data()
    test = session.evaluate(plan, history, data.test)
    return best(history) | last(history) | {f"test_{name}": value for name, value in test.items()}
