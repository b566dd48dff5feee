"""Networks of dense layers: W1 and W2 are deep and narrow, on inputs like CIFAR-10's; W3 is small, on MNIST's.

    W1    3072, 20 layers of 100, 10    ELU                    Nadam
    W2    the same                      batch norm, then ELU   Nadam
    W3    784, 300, 100, 10             ReLU                   SGD

The number behind the slash is the batch size.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from by_hand import training

import gradschool as gs
from gradschool import layers

TARGETS = {
    "W1/32": {1: 0.42, 2: 0.40},
    "W1/128": {1: 0.60, 2: 0.45},
    "W2/32": {1: 0.42, 2: 0.42},
    "W2/128": {1: 0.45, 2: 0.55},
    "W3/32": {1: 0.62, 2: 0.62},
    "W3/128": {1: 0.78, 2: 0.70},
}


class Workload(NamedTuple):
    inputs: int
    hidden: list[int]
    batchnorm: bool
    activation: str
    optimizer: str
    lr: float


WORKLOADS = {
    "W1": Workload(3072, [100] * 20, False, "elu", "nadam", 1e-4),
    "W2": Workload(3072, [100] * 20, True, "elu", "nadam", 1e-3),
    "W3": Workload(784, [300, 100], False, "relu", "sgd", 1e-2),
}


def network(w: Workload) -> layers.Layer:
    parts: list[Any] = []
    for units in w.hidden:
        # with batch norm a bias would do nothing: the mean takes it away again
        parts += [layers.dense(units, gs.he, bias=not w.batchnorm)]
        parts += [layers.batchnorm()] if w.batchnorm else []
        parts += [getattr(gs, w.activation)]
    return gs.sequential(*parts, layers.dense(10, gs.he))


def problem(name: str) -> tuple[Workload, layers.Layer, Any, Any, np.ndarray, np.ndarray]:
    """The workload, the network, its parameters and state, and one batch: inputs and class numbers."""
    kind, batch = name.split("/")
    w, rng = WORKLOADS[kind], np.random.default_rng(0)
    net = network(w)
    params, state, _ = net.init(rng, (w.inputs,), dtype=np.float32)
    X = rng.normal(size=(int(batch), w.inputs)).astype(np.float32)
    return w, net, params, state, X, rng.integers(10, size=int(batch))


def products(name: str) -> list[tuple[int, int, int, int]]:
    kind, batch = name.split("/")
    w, N = WORKLOADS[kind], int(batch)
    sizes = [w.inputs, *w.hidden, 10]
    found = []
    for i, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
        found += [(N, fan_in, fan_out, 1), (fan_in, N, fan_out, 1)]  # Y and dW
        found += [(N, fan_out, fan_in, 1)] if i else []  # dX, which nobody needs of the inputs
    return found


def ours(name: str) -> Callable[[], float]:
    w, net, params, state, X, y = problem(name)
    T = gs.one_hot(y, 10).astype(np.float32)
    weights, optimizer = gs.contiguous(params), gs.in_place(gs.optimizer(w.optimizer))
    memory, room = optimizer.init(weights), weights.like()

    def step() -> float:
        nonlocal state
        done = gs.training_step(
            net, gs.softmax_cross_entropy, optimizer, weights, state, memory, (X, T), w.lr, room=room
        )  # fmt: skip
        state = done.state
        return float(done.loss)

    return step


def by_hand(name: str) -> Callable[[], float]:
    w, _, params, _, X, y = problem(name)
    return training(X, gs.one_hot(y, 10).astype(np.float32), params, w.activation, w.optimizer, w.lr)


def eager(name: str, **options: Any) -> Callable[[], float]:
    import torch
    from torch.nn import functional

    w, _, params, _, X, y = problem(name)
    model = torch_network(w, params)
    Optimizer = {"nadam": torch.optim.NAdam, "sgd": torch.optim.SGD}[w.optimizer]
    optimizer = Optimizer(model.parameters(), lr=w.lr, **options)
    inputs, labels = torch.tensor(X), torch.tensor(y)

    def step() -> float:
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(inputs), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def tuned(name: str) -> Callable[[], float]:
    """SGD has a fused form, NAdam only one that treats all arrays in one call."""
    return eager(name, **({"fused": True} if name.startswith("W3") else {"foreach": True}))


def torch_network(w: Workload, params: Any) -> Any:
    import torch
    from torch import nn

    activation = {"elu": nn.ELU, "relu": nn.ReLU}[w.activation]
    parts: list[nn.Module] = []
    for p in params:
        if "W" in p:
            linear = nn.Linear(*p["W"].shape, bias="b" in p)
            linear.weight = nn.Parameter(torch.tensor(p["W"].T.copy()))
            if "b" in p:
                linear.bias = nn.Parameter(torch.tensor(p["b"]))
            parts.append(linear)
        else:
            parts.append(nn.BatchNorm1d(len(p["gamma"])) if "gamma" in p else activation())
    return nn.Sequential(*parts)
