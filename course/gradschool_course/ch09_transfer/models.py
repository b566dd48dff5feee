"""The models of chapter 9, lists of layers, and how they are trained: gradients come from the library, steps and phases
are what the reader has written.

    model = new_model([196, 100, 50, 8], rng)                       # dense layers with relu, the last one gives scores
    epoch = epochs(step_trainable, rng, batch=32)                   # epoch(model, slots, X, y, lr) -> (model, slots)
    model, slots = epoch(model, None, X, y, 0.05)
    classes(model, X), accuracy(model, X, y)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

import gradschool as gs

__all__ = ["accuracy", "classes", "epochs", "features", "new_model", "numbers", "run", "size"]

Model = list[dict[str, Any]]
LEARNED = ("W", "b", "gamma", "beta")
ACTIVATIONS: dict[str, Callable[..., Any]] = {
    "relu": gs.relu,
    "tanh": gs.tanh,
    "sigmoid": gs.sigmoid,
    "linear": lambda z: z,
}


def new_model(widths: Sequence[int], rng: np.random.Generator, normed: bool = False) -> Model:
    """He weights from width to width, relu behind all layers but the last; `normed`, with a batch norm before each."""
    model = []
    for D, C in pairwise(widths):
        layer: dict[str, Any] = {"W": gs.he((D, C), rng)}
        if normed and len(model) < len(widths) - 2:
            layer |= {"gamma": np.ones(C), "beta": np.zeros(C), "mean": np.zeros(C), "var": np.ones(C)}
        else:
            layer["b"] = np.zeros(C)
        model.append(layer | {"activation": "relu", "trainable": True})
    model[-1]["activation"] = "linear"
    return model


# ------------------------------------------------------------------------------------------------------------ forwards
def run(model: Model, X: Any, training: bool = False, hold: bool = True) -> tuple[Any, Model]:
    """What the chapter's `forward` does, with the library's ops."""
    new = []
    for layer in model:
        Z = gs.dense(X, layer["W"], layer["b"]) if "b" in layer else X @ layer["W"]
        if "gamma" in layer:
            by_batch = training and (layer["trainable"] or not hold)
            vectors = (layer[name] for name in ("gamma", "beta", "mean", "var"))
            Z, mean, var = gs.batchnorm(Z, *vectors, training=by_batch)
            layer = {**layer, "mean": mean, "var": var}
        X = ACTIVATIONS[layer["activation"]](Z)
        new.append(layer)
    return X, new


def features(model: Model, X: np.ndarray) -> np.ndarray:
    """What the last layer reads, (N, C)."""
    return run(model[:-1], X)[0]


def classes(model: Model, X: np.ndarray) -> np.ndarray:
    """Class numbers (N,): the largest score, or whether the only one is positive."""
    scores = run(model, X)[0]
    return (scores[:, 0] > 0).astype(int) if scores.shape[1] == 1 else scores.argmax(axis=1)


def accuracy(model: Model, X: np.ndarray, y: np.ndarray) -> float:
    return float(np.mean(classes(model, X) == y))


def loss(scores: Any, y: np.ndarray) -> Any:
    """The mean cross-entropy of scores (N, K) and class numbers (N,); K = 1 is the score of class 1."""
    K = scores.shape[1]
    if K == 1:
        return gs.bce_with_logits(scores, np.asarray(y, float)[:, None])
    return gs.softmax_cross_entropy(scores, gs.one_hot(y, K))


# ------------------------------------------------------------------------------------------------------------ training
def numbers(model: Model) -> list[dict[str, np.ndarray]]:
    """All parameters of all layers, frozen or not."""
    return [{name: layer[name] for name in LEARNED if name in layer} for layer in model]


def size(params: Sequence[dict[str, np.ndarray]]) -> int:
    """How many numbers these are."""
    return sum(part.size for layer in params for part in layer.values())


def epochs(
    step: Callable[..., tuple[Model, Any]],
    rng: np.random.Generator,
    batch: int = 20,
    factors: Sequence[float] | None = None,
    forward: Callable[..., tuple[Any, Model]] = run,
    hold: bool = True,
    **options: Any,
) -> Callable[..., tuple[Model, Any]]:
    """epoch(model, slots, X, y, lr) -> (model, slots), which shuffles the samples and takes a step for each batch.

    step     step(model, grads, slots, lr, **options) -> (model, slots)
    factors  of the learning rate, one for each layer
    forward  forward(model, X, training, hold) -> (scores, model), written with NumPy
    """

    def epoch(model: Model, slots: Any, X: np.ndarray, y: np.ndarray, lr: float) -> tuple[Model, Any]:
        order = rng.permutation(len(X))
        for start in range(0, len(X), batch):
            part = order[start : start + batch]

            def compare(params: Any, model: Model = model, part: np.ndarray = part) -> tuple[Any, Any]:
                layers = [{**layer, **p} for layer, p in zip(model, params, strict=True)]
                scores, after = forward(layers, X[part], training=True, hold=hold)
                return loss(scores, y[part]), [{k: layer[k] for k in ("mean", "var") if k in layer} for layer in after]

            (_, statistics), grads = gs.value_and_grad(compare, has_aux=True)(numbers(model))
            if factors is not None:  # to a step with inertia the rate's factor is one of the gradient
                grads = [{k: f * g for k, g in layer.items()} for f, layer in zip(factors, grads, strict=True)]
            model, slots = step(model, grads, slots, lr, **options)
            model = [{**layer, **kept} for layer, kept in zip(model, statistics, strict=True)]
        return model, slots

    return epoch
