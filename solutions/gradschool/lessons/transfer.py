"""Transfer learning with a model that is plain data: a list of layers, each a dict.

    layer = {"W": (D, C), "b": (C,), "activation": "relu", "trainable": True}
    layer = {"W": (D, C), "gamma": (C,), "beta": (C,), "mean": (C,), "var": (C,), "activation": ..., "trainable": ...}

    (X_a, y_a), (X_b, y_b) = split_task(X, y, held=(5, 6), n_b=200)
    model_b = replace_head(model_a, 1, "sigmoid", glorot, rng)           # a copy, frozen but for its new last layer
    model_b, slots = step_trainable(model_b, grads, None, lr=0.1)        # only the head moves
    model_b = set_trainable(model_b, range(len(model_b)), True)          # from here on all of it
    model_b, accuracies = fine_tune(model_b, A, B, [(4, [0, 1], 0.1), (16, [], 0.01)], epoch, predict)

The library's own form, for its layers and trees of parameters, is in `gradschool.transfer` and `gradschool.factors`.
"""

from __future__ import annotations

import numpy as np

__all__ = [
    "clone_model", "fine_tune", "forward", "lr_factors", "pretrain_autoencoder", "replace_head", "set_trainable",
    "split_task", "step_trainable", "trainable_params",
]  # fmt: skip


# ------------------------------------------------------------------------------------------------------- two tasks
def split_task(X, y, held=(5, 6), n_b=200):
    """Task A: all classes but two, numbered anew from 0. Task B: which of the two, and only few samples to learn it.

    X (N, ...), y (N,) class numbers. Returns (X_a, y_a), (X_b, y_b): y_a in y's type, without a gap where the held
    classes were; y_b float32, 0 for held[0] and 1 for held[1]. All samples keep their order; of task B the first `n_b`
    are taken, or all with n_b=None.
    Source: Géron, Hands-On Machine Learning, chapter 11, "Reusing pretrained layers".

    >>> (_, y_a), (_, y_b) = split_task(np.zeros((6, 2)), np.array([7, 5, 0, 6, 4, 6]), n_b=2)
    >>> print(y_a, y_b)
    [5 0 4] [0. 1.]
    """
    first, second = held
    of_b = (y == first) | (y == second)
    y_a = y[~of_b]
    y_a = y_a - (y_a > first) - (y_a > second)
    X_b, y_b = X[of_b][:n_b], y[of_b][:n_b]
    return (X[~of_b], y_a), (X_b, (y_b == second).astype(np.float32))


# ------------------------------------------------------------------------------------------------ copies and new heads
def clone_model(model):
    """A copy that shares no array with the model: a tree of lists, tuples and dicts with arrays and plain values.

    >>> model = [{"W": np.ones((2, 1)), "trainable": True}]
    >>> copy = clone_model(model)
    >>> copy[0]["W"] += 1
    >>> print(model[0]["W"].ravel(), copy[0]["W"].ravel())
    [1. 1.] [2. 2.]
    """
    if isinstance(model, dict):
        return {name: clone_model(part) for name, part in model.items()}
    if isinstance(model, (list, tuple)):
        return type(model)(clone_model(part) for part in model)
    return model.copy() if isinstance(model, np.ndarray) else model


def replace_head(model, out, activation, init, rng):
    """A new model: copies of all layers but the last, frozen, and behind them a fresh head of `out` units that learns.

    The head is a plain dense layer, W = init((in, out), rng) in the type of the old one, b = 0. The old model stays.

    >>> old = [{"W": np.ones((3, 2)), "b": np.ones(2), "activation": "relu", "trainable": True},
    ...        {"W": np.ones((2, 8)), "b": np.ones(8), "activation": "linear", "trainable": True}]
    >>> new = replace_head(old, 1, "sigmoid", lambda shape, rng: rng.normal(size=shape), np.random.default_rng(0))
    >>> [(layer["W"].shape, layer["activation"], layer["trainable"]) for layer in new]
    [((3, 2), 'relu', False), ((2, 1), 'sigmoid', True)]
    """
    new = []
    for layer in model[:-1]:
        copied = {name: part.copy() if isinstance(part, np.ndarray) else part for name, part in layer.items()}
        new.append({**copied, "trainable": False})
    old = model[-1]["W"]
    W = init((len(old), out), rng).astype(old.dtype)
    return [*new, {"W": W, "b": np.zeros(out, old.dtype), "activation": activation, "trainable": True}]


# --------------------------------------------------------------------------------------------------------- what learns
def set_trainable(model, layers, flag):
    """A new model in which the layers at these positions have "trainable": flag, and the others what they had.

    Negative positions count from the end. Raises IndexError for a position that the model does not have.

    >>> model = [{"trainable": True}, {"trainable": True}, {"trainable": True}]
    >>> [layer["trainable"] for layer in set_trainable(model, [0, -1], False)]
    [False, True, False]
    """
    new = [dict(layer) for layer in model]
    for i in layers:
        new[i]["trainable"] = flag
    return new


def trainable_params(model):
    """What an optimizer may move: for each layer a dict of its W, b, gamma and beta, empty for a frozen one.

    >>> model = [{"W": np.ones((1, 1)), "b": np.zeros(1), "activation": "relu", "trainable": False},
    ...          {"W": np.ones((1, 1)), "gamma": np.ones(1), "mean": np.zeros(1), "trainable": True}]
    >>> [list(params) for params in trainable_params(model)]
    [[], ['W', 'gamma']]
    """
    learned = ("W", "b", "gamma", "beta")  # mean and var are counted, not learned
    return [{name: layer[name] for name in learned if name in layer and layer["trainable"]} for layer in model]


def step_trainable(model, grads, slots, lr, beta=0.9, decay=0.0):
    """v ← beta v − lr (g + decay p),  p ← p + v  for what is trainable; what is frozen keeps p and v as they are.

    grads    for each layer, frozen or not, a dict of the gradients of its parameters
    slots    the velocities v in the form of grads; None before the first step: zeros for all, frozen or not
    decay    pulls at the weights W only

    Returns (model, slots), both new.

    >>> model = [{"W": np.ones((1, 1)), "trainable": False}, {"W": np.ones((1, 1)), "trainable": True}]
    >>> grads = [{"W": np.array([[5.0]])}, {"W": np.array([[5.0]])}]
    >>> model, slots = step_trainable(model, grads, None, lr=0.1)
    >>> [float(layer["W"][0, 0]) for layer in model], [float(v["W"][0, 0]) for v in slots]
    ([1.0, 0.5], [0.0, -0.5])
    """
    if slots is None:
        slots = [{name: np.zeros_like(g) for name, g in layer.items()} for layer in grads]
    new_model, new_slots = [], []
    for layer, gradients, velocities in zip(model, grads, slots, strict=True):
        layer, velocities = dict(layer), dict(velocities)
        if layer["trainable"]:
            for name, g in gradients.items():
                pull = decay * layer[name] if name == "W" else 0.0
                velocities[name] = beta * velocities[name] - lr * (g + pull)
                layer[name] = layer[name] + velocities[name]
        new_model.append(layer)
        new_slots.append(velocities)
    return new_model, new_slots


def forward(model, X, training=False, hold=True, momentum=0.9, eps=1e-5):
    """Z = X W + b, normalised where the layer has a gamma, then the activation; layer by layer.

    In training a normalised layer goes by mean and variance of the batch, and its running statistics follow
    (momentum is the share that is kept). A frozen one does so with hold=False, as in PyTorch; with hold=True, as in
    Keras, it works as in inference: by its running statistics, which stay.

    Activations are "relu", "tanh", "sigmoid" and "linear". Returns (Y, model), the model with its new statistics.

    >>> layer = {"W": np.ones((1, 1)), "gamma": np.ones(1), "beta": np.zeros(1), "mean": np.zeros(1),
    ...          "var": np.ones(1), "activation": "linear", "trainable": False}
    >>> for hold in (True, False):
    ...     Y, model = forward([layer], np.array([[4.0], [6.0]]), training=True, hold=hold)
    ...     print(Y.ravel().round(3), model[0]["mean"])
    [4. 6.] [0.]
    [-1.  1.] [0.5]
    """
    activations = {
        "relu": lambda z: np.maximum(z, 0),
        "tanh": np.tanh,
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
        "linear": lambda z: z,
    }
    new = []
    for layer in model:
        layer = dict(layer)
        Z = X @ layer["W"] + layer.get("b", 0)
        if "gamma" in layer:
            mean, var = layer["mean"], layer["var"]
            if training and (layer["trainable"] or not hold):
                mean, var = Z.mean(axis=0), Z.var(axis=0)
                layer["mean"] = momentum * layer["mean"] + (1 - momentum) * mean
                layer["var"] = momentum * layer["var"] + (1 - momentum) * var
            Z = layer["gamma"] * (Z - mean) / np.sqrt(var + eps) + layer["beta"]
        X = activations[layer["activation"]](Z)
        new.append(layer)
    return X, new


# --------------------------------------------------------------------------------------------------------- fine-tuning
def fine_tune(model, A, B, phases, epoch, predict):
    """Train a model that has learned task A on task B, in phases, and look at B's validation data after each epoch.

    model     a list of layers, with a head for B
    A, B      {"train": (X, y), "valid": (X, y)}
    phases    a list of (epochs, frozen, lr): in this phase the layers at the positions `frozen` are frozen and all
              others learn, with the rate lr
    epoch     epoch(model, slots, X, y, lr) -> (model, slots), one epoch; slots None begins an optimizer anew, as every
              phase does
    predict   predict(model, X) -> class numbers (N,)

    The inputs are standardised as those that the model knows: by mean and deviation of each feature of A's training
    data, where a deviation of 0 counts as 1. Returns (model, accuracies), one for each epoch of all phases.

    >>> X, y = np.array([[0.0], [2.0]]), np.array([0, 1])
    >>> tasks = {"train": (X, y), "valid": (X, y)}
    >>> epoch = lambda model, slots, X, y, lr: ([{**model[0], "W": model[0]["W"] + lr}], slots)
    >>> predict = lambda model, X: (X[:, 0] * model[0]["W"] > 0).astype(int)
    >>> fine_tune([{"W": -0.15, "trainable": True}], tasks, tasks, [(1, [], 0.1), (1, [], 0.3)], epoch, predict)[1]
    [0.0, 1.0]
    """
    mean, deviation = A["train"][0].mean(axis=0), A["train"][0].std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1.0)
    (X, y), (X_valid, y_valid) = B["train"], B["valid"]
    X, X_valid = (X - mean) / deviation, (X_valid - mean) / deviation
    accuracies = []
    for epochs, frozen, lr in phases:
        model = [{**layer, "trainable": i not in frozen} for i, layer in enumerate(model)]
        slots = None
        for _ in range(epochs):
            model, slots = epoch(model, slots, X, y, lr)
            accuracies.append(float(np.mean(predict(model, X_valid) == y_valid)))
    return model, accuracies


def lr_factors(layers, decay, frozen=0):
    """decay^(layers − 1 − i) for layer i, and 0 for the first `frozen` ones: the last layer has 1, those before less.

    Source: Howard and Ruder, Universal Language Model Fine-tuning for Text Classification, 2018, with 1/decay = 2.6.

    >>> lr_factors(4, 0.5, frozen=1)
    [0.0, 0.25, 0.5, 1.0]
    """
    return [decay ** (layers - 1 - i) if i >= frozen else 0.0 for i in range(layers)]


# ------------------------------------------------------------------------------------------------------ without labels
def pretrain_autoencoder(params, batches, lr):
    """Gradient descent on an autoencoder with tied weights, a step for each batch.

        H = max(X W + b, 0),   R = H W^T + c,   L = sum (R - X)^2 / (2 N)
        dL/dR = (R - X) / N,   G = dL/dR W where H > 0, else 0
        dL/dW = X^T G + (dL/dR)^T H,   dL/db = sum G,   dL/dc = sum dL/dR

    params {"W": (D, C), "b": (C,), "c": (D,)}, batches a list of X (N, D). Returns the new params, and the losses, each
    before its step.

    >>> params = {"W": np.array([[1.0]]), "b": np.zeros(1), "c": np.zeros(1)}
    >>> params, losses = pretrain_autoencoder(params, [np.array([[2.0]]), np.array([[3.0]])], lr=0.1)
    >>> print(params["W"], losses)
    [[1.]] [0.0, 0.0]
    """
    W, b, c = params["W"], params["b"], params["c"]
    losses = []
    for X in batches:
        H = np.maximum(X @ W + b, 0)
        dR = (H @ W.T + c - X) / len(X)
        losses.append(float(len(X) * np.sum(dR**2) / 2))
        G = dR @ W * (H > 0)
        W, b, c = W - lr * (X.T @ G + dR.T @ H), b - lr * G.sum(axis=0), c - lr * dR.sum(axis=0)
    return {"W": W, "b": b, "c": c}, losses
