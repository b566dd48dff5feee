"""Networks for sequences: a recurrent layer that reads 50 steps, and one block of an encoder as in Transformers.

    LSTM, GRU    32 sequences of 50 steps of 64 numbers    128 units    dense 10 of the last state          Adam
    W6           16 sequences of 64 places of 128 numbers  4 heads, add, layer norm, 512 tanh-GELU, 128, add, layer norm
                                                           mean squared distance from random targets        Adam

PyTorch's LSTM has two biases that add up; the second stays zero here, so that all implementations learn the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import gradschool as gs
from gradschool import layers

TARGETS = {"LSTM": {1: 1.10, 2: 1.45}, "GRU": {1: 0.70, 2: 0.72}, "W6": {1: 1.0, 2: 1.1}}
N, T, D, H = 32, 50, 64, 128  # sequences, steps, inputs, units
C, HEADS, PLACES, SEQUENCES = 128, 4, 64, 16
LR = 1e-3


def gelu(x: Any) -> Any:
    return gs.gelu(x, approximate="tanh")


def network(name: str) -> tuple[layers.Layer, tuple[int, ...]]:
    """And the shape of its samples"""
    if name == "LSTM":
        return gs.sequential(layers.lstm(H), layers.dense(10)), (T, D)
    if name == "GRU":
        return gs.sequential(layers.gru(H, two_biases=True), layers.dense(10)), (T, D)
    forward = layers.residual(layers.dense(4 * C), gelu, layers.dense(C))
    net = gs.sequential(layers.residual(layers.multihead(HEADS)), layers.layernorm(), forward, layers.layernorm())
    return net, (PLACES, C)


def problem(name: str) -> tuple[layers.Layer, Any, Any, np.ndarray, np.ndarray]:
    """The network, its parameters and state, and one batch: inputs, and class numbers or targets."""
    rng = np.random.default_rng(0)
    net, shape = network(name)
    params, state, _ = net.init(rng, shape, dtype=np.float32)
    count = SEQUENCES if name == "W6" else N
    X, target = rng.normal(size=(2, count, *shape)).astype(np.float32)
    return net, params, state, X, target if name == "W6" else rng.integers(10, size=count)


def products(name: str) -> list[tuple[int, int, int, int]]:
    if name == "W6":
        R, d = SEQUENCES * PLACES, C // HEADS
        dense = [(R, C, C, 4), (R, C, 4 * C, 1), (R, 4 * C, C, 1)]
        dW = [(C, R, C, 4), (C, R, 4 * C, 1), (4 * C, R, C, 1)]
        dX = [(R, C, C, 1), (R, 4 * C, C, 1), (R, C, 4 * C, 1)]  # not of the three layers that the inputs go into
        heads = [(PLACES, d, PLACES, 2 * SEQUENCES * HEADS), (PLACES, PLACES, d, 4 * SEQUENCES * HEADS)]
        return dense + dW + dX + heads
    gates = 4 * H if name == "LSTM" else 3 * H
    ahead = [(N * T, D, gates, 1), (N, H, gates, T), (N, H, 10, 1)]  # the inputs of all steps at once
    return [*ahead, (N, gates, H, T), (D + H, N * T, gates, 1), (N, 10, H, 1), (H, N, 10, 1)]


def squared_distance(Y: Any, target: Any) -> Any:
    return gs.l2_loss(Y, target, normalization="all-elements")


def ours(name: str) -> Callable[[], float]:
    net, params, state, X, target = problem(name)
    loss = squared_distance if name == "W6" else gs.softmax_cross_entropy
    wanted = target if name == "W6" else gs.one_hot(target, 10).astype(np.float32)
    weights, adam = gs.contiguous(params), gs.in_place(gs.optimizer("adam"))
    memory, room = adam.init(weights), weights.like()

    def step() -> float:
        done = gs.training_step(net, loss, adam, weights, state, memory, (X, wanted), LR, room=room)
        return float(done.loss)

    return step


# ------------------------------------------------------------------------------------------------------------ PyTorch
def eager(name: str, **options: Any) -> Callable[[], float]:
    import torch
    from torch.nn import functional

    _, params, _, X, target = problem(name)
    model = torch_encoder(params) if name == "W6" else torch_recurrent(name, params)
    loss_of = functional.mse_loss if name == "W6" else functional.cross_entropy
    learned = [p for p in model.parameters() if p.requires_grad]
    adam, inputs, wanted = torch.optim.Adam(learned, lr=LR, **options), torch.tensor(X), torch.tensor(target)

    def step() -> float:
        adam.zero_grad()
        loss = loss_of(model(inputs), wanted)
        loss.backward()
        adam.step()
        return loss.item()

    return step


def tuned(name: str) -> Callable[[], float]:
    return eager(name, fused=True)


def torch_recurrent(name: str, params: Any) -> Any:
    import torch
    from torch import nn

    class Reader(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = getattr(nn, name)(D, H, batch_first=True)
            self.head = nn.Linear(H, 10)

        def forward(self, X: Any) -> Any:
            last = self.layer(X)[1]
            return self.head((last[0] if name == "LSTM" else last)[0])

    model, (p, head) = Reader(), params
    b, unused = (p["b"], np.zeros_like(p["b"])) if name == "LSTM" else p["b"]
    values = {"weight_ih_l0": p["W"].T, "weight_hh_l0": p["R"].T, "bias_ih_l0": b, "bias_hh_l0": unused}
    values = {f"layer.{part}": a for part, a in values.items()} | {"head.weight": head["W"].T, "head.bias": head["b"]}
    model.load_state_dict({part: torch.tensor(a) for part, a in values.items()})
    if name == "LSTM":
        model.layer.bias_hh_l0.requires_grad_(False)
    return model


def torch_encoder(params: Any) -> Any:
    import functools

    import torch
    from torch.nn import TransformerEncoderLayer, functional

    model = TransformerEncoderLayer(
        C, HEADS, 4 * C, 0.0, functools.partial(functional.gelu, approximate="tanh"), batch_first=True
    )
    (_, (p,)), norm1, (_, (first, _, second)), norm2 = params
    values = {
        "self_attn.in_proj_weight": np.concatenate([p[f"W{part}"].T for part in "qkv"]),
        "self_attn.in_proj_bias": np.concatenate([p[f"b{part}"] for part in "qkv"]),
        "self_attn.out_proj.weight": p["Wo"].T, "self_attn.out_proj.bias": p["bo"],
        "linear1.weight": first["W"].T, "linear1.bias": first["b"],
        "linear2.weight": second["W"].T, "linear2.bias": second["b"],
        "norm1.weight": norm1["gamma"], "norm1.bias": norm1["beta"],
        "norm2.weight": norm2["gamma"], "norm2.bias": norm2["beta"],
    }  # fmt: skip
    model.load_state_dict({part: torch.tensor(a) for part, a in values.items()})
    return model
