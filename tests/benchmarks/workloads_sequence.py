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
Problem = tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]  # parameters, inputs, and class numbers or targets


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Weights (in, out) that keep the size of what goes through them."""
    return (rng.normal(size=shape) / np.sqrt(shape[0])).astype(np.float32)


def recurrent_problem(name: str) -> Problem:
    rng, columns = np.random.default_rng(0), H * (4 if name == "LSTM" else 3)
    bias = np.zeros(columns if name == "LSTM" else (2, columns), np.float32)
    params = {"W": normal(rng, D, columns), "R": normal(rng, H, columns), "b": bias}
    params |= {"V": normal(rng, H, 10), "c": np.zeros(10, np.float32)}
    return params, rng.normal(size=(N, T, D)).astype(np.float32), rng.integers(10, size=N)


def encoder_problem() -> Problem:
    rng = np.random.default_rng(0)
    params = {f"W{part}": normal(rng, C, C) for part in "qkvo"} | {f"b{part}": np.zeros(C) for part in "qkvo"}
    params |= {"W1": normal(rng, C, 4 * C), "b1": np.zeros(4 * C), "W2": normal(rng, 4 * C, C), "b2": np.zeros(C)}
    params |= {f"gamma{i}": np.ones(C) for i in (1, 2)} | {f"beta{i}": np.zeros(C) for i in (1, 2)}
    X, target = rng.normal(size=(2, SEQUENCES, PLACES, C)).astype(np.float32)
    return {name: p.astype(np.float32) for name, p in params.items()}, X, target


# --------------------------------------------------------------------------------------------------------------- ours
def lstm_network(p: Any, X: Any) -> Any:
    return gs.dense(gs.lstm(X, p["W"], p["R"], p["b"])[1], p["V"], p["c"])


def gru_network(p: Any, X: Any) -> Any:
    return gs.dense(gs.gru(X, p["W"], p["R"], p["b"])[1], p["V"], p["c"])


def encoder(p: Any, X: Any) -> Any:
    Y = gs.layernorm(X + layers.multihead_attention(p, X, X, X, HEADS), p["gamma1"], p["beta1"])
    h = gs.gelu(gs.dense(Y, p["W1"], p["b1"]), approximate="tanh")
    return gs.layernorm(Y + gs.dense(h, p["W2"], p["b2"]), p["gamma2"], p["beta2"])


def squared_distance(Y: Any, target: Any) -> Any:
    return gs.l2_loss(Y, target, normalization="all-elements")


def ours(name: str) -> Callable[[], float]:
    params, X, target = encoder_problem() if name == "W6" else recurrent_problem(name)
    network = {"LSTM": lstm_network, "GRU": gru_network, "W6": encoder}[name]
    loss = squared_distance if name == "W6" else gs.softmax_cross_entropy
    wanted = target if name == "W6" else gs.one_hot(target, 10).astype(np.float32)
    weights, adam = gs.contiguous(params), gs.in_place(gs.optimizer("adam"))
    memory, room = adam.init(weights), weights.like()

    def step() -> float:
        done = gs.training_step(network, loss, adam, weights, None, memory, (X, wanted), LR, room=room)
        return float(done.loss)

    return step


# ------------------------------------------------------------------------------------------------------------ PyTorch
def eager(name: str, **options: Any) -> Callable[[], float]:
    import torch
    from torch.nn import functional

    params, X, target = encoder_problem() if name == "W6" else recurrent_problem(name)
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


def torch_recurrent(name: str, p: Any) -> Any:
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

    model = Reader()
    b, unused = (p["b"], np.zeros_like(p["b"])) if name == "LSTM" else p["b"]
    values = {"weight_ih_l0": p["W"].T, "weight_hh_l0": p["R"].T, "bias_ih_l0": b, "bias_hh_l0": unused}
    values = {f"layer.{part}": a for part, a in values.items()} | {"head.weight": p["V"].T, "head.bias": p["c"]}
    model.load_state_dict({part: torch.tensor(a) for part, a in values.items()})
    if name == "LSTM":
        model.layer.bias_hh_l0.requires_grad_(False)
    return model


def torch_encoder(p: Any) -> Any:
    import functools

    import torch
    from torch.nn import TransformerEncoderLayer, functional

    gelu = functools.partial(functional.gelu, approximate="tanh")
    model = TransformerEncoderLayer(C, HEADS, 4 * C, 0.0, gelu, batch_first=True)
    values = {
        "self_attn.in_proj_weight": np.concatenate([p[f"W{part}"].T for part in "qkv"]),
        "self_attn.in_proj_bias": np.concatenate([p[f"b{part}"] for part in "qkv"]),
        "self_attn.out_proj.weight": p["Wo"].T, "self_attn.out_proj.bias": p["bo"],
        "linear1.weight": p["W1"].T, "linear1.bias": p["b1"], "linear2.weight": p["W2"].T, "linear2.bias": p["b2"],
        "norm1.weight": p["gamma1"], "norm1.bias": p["beta1"], "norm2.weight": p["gamma2"], "norm2.bias": p["beta2"],
    }  # fmt: skip
    model.load_state_dict({part: torch.tensor(a) for part, a in values.items()})
    return model
