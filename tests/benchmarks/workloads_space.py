"""A convolutional network for small images: 28 x 28 x 1 as in MNIST, 32 x 32 x 3 as in CIFAR-10, 32 of them at a time.

    conv 3 x 3, 32    ReLU    conv 3 x 3, 64    ReLU    max-pool 2    dense 128    ReLU    dense 10        Adam

Convolutions add no border. The number behind the slash is the width of the images. PyTorch has channels first, and the
tuned form has them last in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import gradschool as gs
from gradschool import layers

TARGETS = {"W4/28": {1: 0.88, 2: 1.05}, "W4/32": {1: 0.80, 2: 1.05}}
CHANNELS = {"W4/28": 1, "W4/32": 3}
BATCH, LR = 32, 1e-3


def problem(name: str) -> tuple[layers.Layer, Any, Any, np.ndarray, np.ndarray]:
    """The network, its parameters and state, and one batch: images and class numbers."""
    rng, width = np.random.default_rng(0), int(name.split("/")[1])
    net = gs.sequential(
        layers.conv(32, 3, init=gs.he), gs.relu, layers.conv(64, 3, init=gs.he), gs.relu, layers.maxpool(2),
        layers.flatten(), layers.dense(128, init=gs.he), gs.relu, layers.dense(10, init=gs.he),
    )  # fmt: skip
    params, state, _ = net.init(rng, (width, width, CHANNELS[name]), dtype=np.float32)
    X = rng.normal(size=(BATCH, width, width, CHANNELS[name])).astype(np.float32)
    return net, params, state, X, rng.integers(10, size=BATCH)


def products(name: str) -> list[tuple[int, int, int, int]]:
    width, C = int(name.split("/")[1]), CHANNELS[name]
    first, second, flat = (width - 2) ** 2, (width - 4) ** 2, ((width - 4) // 2) ** 2 * 64
    convolutions = [(first, 9 * C, 32), (second, 9 * 32, 64), (9 * C, first, 32), (9 * 32, second, 64)]  # Y and dW
    convolutions += [(second, 64, 9 * 32)]  # dX of the second
    dense = [(BATCH, flat, 128), (flat, BATCH, 128), (BATCH, 128, flat), (BATCH, 128, 10), (128, BATCH, 10)]
    dense += [(BATCH, 10, 128)]
    return [(*sizes, BATCH) for sizes in convolutions] + [(*sizes, 1) for sizes in dense]


def ours(name: str) -> Callable[[], float]:
    net, params, state, X, y = problem(name)
    T = gs.one_hot(y, 10).astype(np.float32)
    weights, adam = gs.contiguous(params), gs.in_place(gs.optimizer("adam"))
    memory, room = adam.init(weights), weights.like()

    def step() -> float:
        done = gs.training_step(net, gs.softmax_cross_entropy, adam, weights, state, memory, (X, T), LR, room=room)
        return float(done.loss)

    return step


def eager(name: str, channels_last: bool = False, **options: Any) -> Callable[[], float]:
    import torch
    from torch.nn import functional

    _, params, _, X, y = problem(name)
    model, inputs, labels = torch_network(params), torch.tensor(X).permute(0, 3, 1, 2), torch.tensor(y)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    model, inputs = model.to(memory_format=layout), inputs.contiguous(memory_format=layout)
    adam = torch.optim.Adam(model.parameters(), lr=LR, **options)

    def step() -> float:
        adam.zero_grad()
        loss = functional.cross_entropy(model(inputs), labels)
        loss.backward()
        adam.step()
        return loss.item()

    return step


def tuned(name: str) -> Callable[[], float]:
    return eager(name, channels_last=True, fused=True)


def torch_network(params: Any) -> Any:
    """The same network; flatten has channels first there, so its rows are in another order."""
    import torch
    from torch import nn

    first, second, hidden, last = (p for p in params if p)
    pooled = round((len(hidden["W"]) / 64) ** 0.5)
    model = nn.Sequential(
        nn.Conv2d(first["W"].shape[2], 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(len(hidden["W"]), 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip
    rows = hidden["W"].reshape(pooled, pooled, 64, 128).transpose(3, 2, 0, 1).reshape(128, -1)
    weights = first["W"].transpose(3, 2, 0, 1), second["W"].transpose(3, 2, 0, 1), rows, last["W"].T
    learned = [part for part in model if hasattr(part, "weight")]
    for part, W, p in zip(learned, weights, (first, second, hidden, last), strict=True):
        part.weight, part.bias = nn.Parameter(torch.tensor(W.copy())), nn.Parameter(torch.tensor(p["b"]))
    return model
