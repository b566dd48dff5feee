"""The training loop in its six steps, taken apart into pieces that each do one thing.

    params, state, history = train(model_loss, update, params, state, (X, T), (X_val, T_val), epochs=20, batch=50,
                                   lr=lambda step: 0.1, rng=rng)

Whatever is trained, the loop knows it by one function only, `model_loss(params, X, T, training)`, which returns the
loss of a batch and its gradients; and how it is improved by another, `update(params, grads, state, lr)`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["evaluate", "minibatches", "model_loss", "train", "train_epoch"]


def minibatches(X, T, batch, rng: Any = None, shuffle=True):
    """A list of (X, T) pairs of at most `batch` samples each, every sample once, in the order rng.permutation(N).

    X (N, ...), T (N, ...); the last pair is shorter if need be. With shuffle=False the order stays, and rng is not
    used. The pairs are copies.

    >>> minibatches(np.arange(5), np.arange(5) * 10, 3, shuffle=False)
    [(array([0, 1, 2]), array([ 0, 10, 20])), (array([3, 4]), array([30, 40]))]
    """
    order = rng.permutation(len(X)) if shuffle else np.arange(len(X))
    parts = [order[start : start + batch] for start in range(0, len(X), batch)]
    return [(X[part], T[part]) for part in parts]


def model_loss(params, X, T, training=True) -> Any:
    """The mean cross-entropy of a network with one hidden layer, and its gradients.

    h = relu(X W1 + b1),  Y = softmax(h W2 + b2),  L = −(1/N) Σ T ln Y

    X (N, D), T (N, K) one-hot; params {"W1" (D, H), "b1" (H,), "W2" (H, K), "b2" (K,)}. Returns (L, gradients in a
    dict of the same names); without training (L, None).

    >>> params = {"W1": np.ones((1, 1)), "b1": np.zeros(1), "W2": np.zeros((1, 2)), "b2": np.zeros(2)}
    >>> loss, grads = model_loss(params, np.array([[3.0]]), np.array([[1.0, 0.0]]))
    >>> round(loss, 4), grads["W2"]
    (0.6931, array([[-1.5,  1.5]]))
    """
    a = X @ params["W1"] + params["b1"]
    h = np.maximum(a, 0)
    z = h @ params["W2"] + params["b2"]
    z = z - z.max(axis=1, keepdims=True)  # a shift changes nothing, and nothing overflows
    log_y = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    loss = float(-np.sum(T * log_y) / len(X))
    if not training:
        return loss, None
    gz = (np.exp(log_y) - T) / len(X)
    ga = (gz @ params["W2"].T) * (a > 0)
    return loss, {"W1": X.T @ ga, "b1": ga.sum(axis=0), "W2": h.T @ gz, "b2": gz.sum(axis=0)}


def evaluate(model_loss, params, X, T, batch):
    """The mean loss over all samples, at most `batch` of them at a time, without training.

    >>> mean_square = lambda params, X, T, training: (np.mean((params * X - T) ** 2), None)
    >>> float(evaluate(mean_square, 1.0, np.array([1.0, 2.0, 3.0]), np.zeros(3), batch=2))
    4.666666666666667
    """
    total = 0.0
    for start in range(0, len(X), batch):
        part = X[start : start + batch]
        loss, _ = model_loss(params, part, T[start : start + batch], training=False)
        total += loss * len(part)  # a short batch counts for as many samples as it has
    return total / len(X)


def train_epoch(model_loss, update, params, state, batches, lr, step=0):
    """One epoch: a step for every batch. Returns the new params and state, and the mean loss over the samples.

    model_loss   model_loss(params, X, T, training) -> (loss, grads)
    update       update(params, grads, state, lr) -> (params, state)
    batches      a list of pairs (X, T)
    lr           lr(n) is the rate of the step before which n are done
    step         how many steps are done before this epoch

    >>> mean_square = lambda w, X, T, training: (np.mean((w * X - T) ** 2) / 2, np.mean((w * X - T) * X))
    >>> descend = lambda w, g, state, lr: (w - lr * g, state)
    >>> one = np.ones(1)
    >>> w, _, loss = train_epoch(mean_square, descend, 4.0, None, [(one, 0 * one), (one, 0 * one)], lambda n: 0.5)
    >>> float(w), float(loss)
    (1.0, 5.0)
    """
    total, seen = 0.0, 0
    for X, T in batches:  # 1. take samples, inputs X and labels T
        # 2. X goes through the layers, and a prediction Y comes out; 3. the loss compares Y with T
        loss, grads = model_loss(params, X, T, training=True)
        params, state = update(params, grads, state, lr(step))  # 4. the optimizer changes the weights
        total, seen, step = total + loss * len(X), seen + len(X), step + 1
        # 5. again, with the weights as they are now
    return params, state, total / seen  # 6. making this number small is all that training is


def train(model_loss, update, params, state, data, validation, epochs, batch, lr, rng):
    """`epochs` epochs over data, another order in each, and a look at the validation data after each.

    data, validation    pairs (X, T); an epoch's order is one call of rng.permutation(N)
    lr                  lr(n) is the rate of the step before which n are done, in all epochs
    Returns the last params and state, and {"loss": [...], "val_loss": [...]}, one number for each epoch.

    >>> mean_square = lambda w, X, T, training: (np.mean((w * X - T) ** 2) / 2, np.mean((w * X - T) * X))
    >>> descend = lambda w, g, state, lr: (w - lr * g, state)
    >>> one, rng = (np.ones(1), np.zeros(1)), np.random.default_rng(0)
    >>> w, _, history = train(mean_square, descend, 4.0, None, one, one, 3, 1, lambda n: 0.5, rng)
    >>> [float(loss) for loss in history["loss"]], [float(loss) for loss in history["val_loss"]]
    ([8.0, 2.0, 0.5], [2.0, 0.5, 0.125])
    """
    (X, T), (X_val, T_val) = data, validation
    step, history = 0, {"loss": [], "val_loss": []}
    for _ in range(epochs):
        batches = minibatches(X, T, batch, rng)
        params, state, loss = train_epoch(model_loss, update, params, state, batches, lr, step)
        step += len(batches)
        history["loss"].append(loss)
        history["val_loss"].append(evaluate(model_loss, params, X_val, T_val, batch))
    return params, state, history
