"""What an operation costs beside its arithmetic: a chain of them on so few numbers that little else is left."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

TAPE = "tape"
TARGETS: dict[str, dict[int, float]] = {TAPE: {}}
OPERATIONS = 200  # of them half are ops with a backward of their own, half NumPy's
X = np.linspace(-1, 1, 8, dtype=np.float32)


def products(name: str) -> list[tuple[int, int, int, int]]:
    return []


def ours(name: str) -> Callable[[], float]:
    import gradschool as gs

    def chain(x):
        for _ in range(OPERATIONS // 2):
            x = gs.tanh(x * 1.5)
        return np.sum(x * x)

    return lambda: gs.value_and_grad(chain)(X)[0]


def eager(name: str) -> Callable[[], float]:
    import torch

    leaf = torch.tensor(X, requires_grad=True)

    def step() -> float:
        leaf.grad = None
        x = leaf
        for _ in range(OPERATIONS // 2):
            x = torch.tanh(x * 1.5)
        value = torch.sum(x * x)
        value.backward()
        return value.item()

    return step


tuned = eager  # there is nothing to tune
