"""Three ways to keep weights small: in the loss, in the step, after the step. Each as one writes it first.

    penalty, grads = l1_l2_penalty(params, 1e-4, 1e-3)              # to be added to the loss and to its gradients
    params, state = decayed_step(update, params, grads, state, lr=0.1, decay=0.01)
    params = max_norm(params, 3.0)                                  # after the step

Parameters are a dict of arrays. Weights are those whose names begin with W; biases and the scales and shifts of
normalisations have other names, and are left alone. The library's own forms are in `gradschool.regularization`.
"""

from __future__ import annotations

import numpy as np

__all__ = ["decayed_step", "l1_l2_penalty", "max_norm"]


def l1_l2_penalty(params, l1, l2):
    """l1 Σ |w| + l2 Σ w² over all weights, and its gradients l1 sign(w) + 2 l2 w; 0 for what is no weight.

    params is a dict of arrays. Returns a number, and a dict of arrays like params. sign(0) is 0: of all slopes
    between −1 and 1 that |w| has there, the one that leaves w where it is.

    >>> penalty, grads = l1_l2_penalty({"W": np.array([[1.0, -2.0, 0.0]]), "b": np.array([7.0])}, 0.1, 0.5)
    >>> print(penalty, grads["W"], grads["b"])
    2.8 [[ 1.1 -2.1  0. ]] [0.]
    """
    penalty, grads = 0.0, {}
    for name, p in params.items():
        if name.startswith("W"):
            penalty += l1 * np.abs(p).sum() + l2 * (p**2).sum()
            grads[name] = l1 * np.sign(p) + 2 * l2 * p
        else:
            grads[name] = np.zeros_like(p)
    return penalty, grads


def decayed_step(update, params, grads, state, lr, decay, coupled=False):
    """A step of any optimizer that also pulls the weights towards zero; the new params and state.

        decoupled    update(w − lr decay w, g)           beside whatever the optimizer does
        coupled      update(w, g + decay w)              through it: decay/2 Σ w² had been in the loss

    update(params, grads, state, lr) -> (params, state). For plain descent both are the same.
    Source: Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019.

    >>> sgd = lambda params, grads, state, lr: ({n: params[n] - lr * grads[n] for n in params}, state)
    >>> params, _ = decayed_step(sgd, {"W": np.array([[10.0, -20.0]])}, {"W": np.array([[1.0, 0.0]])}, None, 0.1, 0.5)
    >>> print(params["W"])
    [[  9.4 -19. ]]
    """
    weights = [name for name in params if name.startswith("W")]
    if coupled:
        return update(params, grads | {name: grads[name] + decay * params[name] for name in weights}, state, lr)
    return update(params | {name: params[name] - lr * decay * params[name] for name in weights}, grads, state, lr)


def max_norm(params, limit):
    """Shorten the incoming weights of every unit to the Euclidean norm `limit`; shorter ones stay as they are.

        w_j <- w_j min(1, limit / |w_j|),   w_j = W[..., j], all that comes into unit j

    params is a dict of arrays, its weights (in, out) or kernels (height, width, in, out); the rest is only copied.
    Source: Srivastava et al., Dropout, 2014.

    >>> max_norm({"W": np.array([[3.0, 0.3], [4.0, 0.4]]), "b": np.array([9.0, 9.0])}, 1.0)["W"].round(6).tolist()
    [[0.6, 0.3], [0.8, 0.4]]
    """
    shortened = {}
    for name, p in params.items():
        shortened[name] = p.copy()
        if name.startswith("W"):
            norms = np.sqrt((p**2).sum(axis=tuple(range(p.ndim - 1))))
            shortened[name] *= limit / np.maximum(norms, limit)
    return shortened
