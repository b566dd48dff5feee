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

TARGETS = {"W4/28": {1: 0.88, 2: 1.05}, "W4/32": {1: 0.80, 2: 1.05}}
CHANNELS = {"W4/28": 1, "W4/32": 3}
BATCH, LR = 32, 1e-3


def network(p: Any, X: Any) -> Any:
    h = gs.relu(gs.conv(X, p["W1"], p["b1"]))
    h = gs.maxpool(gs.relu(gs.conv(h, p["W2"], p["b2"])), 2)
    h = gs.relu(gs.dense(h.reshape(len(X), -1), p["W3"], p["b3"]))
    return gs.dense(h, p["W4"], p["b4"])


def problem(name: str) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Parameters, and one batch: images and class numbers."""
    rng, width, channels = np.random.default_rng(0), int(name.split("/")[1]), CHANNELS[name]
    pooled = (width - 4) // 2
    shapes = (3, 3, channels, 32), (3, 3, 32, 64), (pooled * pooled * 64, 128), (128, 10)
    params = {f"W{i}": gs.he(shape, rng, dtype=np.float32) for i, shape in enumerate(shapes, 1)}
    params |= {f"b{i}": np.zeros(shape[-1], np.float32) for i, shape in enumerate(shapes, 1)}
    X = rng.normal(size=(BATCH, width, width, channels)).astype(np.float32)
    return params, X, rng.integers(10, size=BATCH)


def ours(name: str) -> Callable[[], float]:
    params, X, y = problem(name)
    T = gs.one_hot(y, 10).astype(np.float32)
    weights, adam = gs.contiguous(params), gs.in_place(gs.optimizer("adam"))
    memory, room = adam.init(weights), weights.like()

    def step() -> float:
        done = gs.training_step(network, gs.softmax_cross_entropy, adam, weights, None, memory, (X, T), LR, room=room)
        return float(done.loss)

    return step


def eager(name: str, channels_last: bool = False, **options: Any) -> Callable[[], float]:
    import torch
    from torch.nn import functional

    params, X, y = problem(name)
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


def torch_network(p: Any) -> Any:
    import torch
    from torch import nn

    channels, pooled = p["W1"].shape[2], round((len(p["W3"]) / 64) ** 0.5)
    model = nn.Sequential(
        nn.Conv2d(channels, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(len(p["W3"]), 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip
    rows = p["W3"].reshape(pooled, pooled, 64, 128).transpose(3, 2, 0, 1)  # channels first, as nn.Flatten leaves them
    weights = p["W1"].transpose(3, 2, 0, 1), p["W2"].transpose(3, 2, 0, 1), rows.reshape(128, -1), p["W4"].T
    learned = [part for part in model if hasattr(part, "weight")]
    for i, (layer, W) in enumerate(zip(learned, weights, strict=True), 1):
        layer.weight, layer.bias = nn.Parameter(torch.tensor(W.copy())), nn.Parameter(torch.tensor(p[f"b{i}"]))
    return model
