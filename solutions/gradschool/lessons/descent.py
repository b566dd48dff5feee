"""Gradient descent on a function that one can write down, and what its curvature says: how large a step may be, and
what kind of place a place is where the gradient is zero.

    x, history = gradient_descent(f, grad, x0, lr=0.1, tol=1e-6, max_iter=1000)
    critical_lr(H)                     # from this rate on the steps grow
    classify_stationary(H)             # "min", "max", "saddle" or "degenerate"
"""

from __future__ import annotations

import numpy as np

__all__ = ["classify_stationary", "critical_lr", "gradient_descent"]


def gradient_descent(f, grad, x0, lr, tol, max_iter):
    """x ← x − lr ∇f(x), until ‖∇f(x)‖ ≤ tol or max_iter steps are taken.

    x0       (D,), where to begin; it is not changed
    tol      the length of the gradient at which a place counts as flat
    Returns  the last x (D,), and a list of f at every x, that at x0 first: one more than there were steps.

    Source: Cauchy 1847.

    >>> x, history = gradient_descent(lambda x: 5 * x @ x, lambda x: 10 * x, [-1.0], lr=0.05, tol=0.01,
    ...                               max_iter=3)
    >>> x, history
    (array([-0.125]), [5.0, 1.25, 0.3125, 0.078125])
    """
    x = np.array(x0, dtype=float)
    history = [float(f(x))]
    for _ in range(max_iter):
        g = grad(x)
        if np.linalg.norm(g) <= tol:
            break
        x = x - lr * g
        history.append(float(f(x)))
    return x, history


def critical_lr(H):
    """2 / λ_max: below this rate gradient descent on xᵀ H x / 2 shrinks its error, above it the error grows.

    H (D, D) symmetric, with at least one positive eigenvalue. Along an eigenvector a step multiplies the error by
    1 − lr λ, which is below −1 first where λ is largest.

    >>> critical_lr(np.diag([1.0, 10.0]))
    0.2
    """
    return float(2 / np.linalg.eigvalsh(H)[-1])


def classify_stationary(H, tol=1e-8):
    """What a place with gradient zero is, by the signs of the eigenvalues of its Hessian H (D, D).

    "min" if all are positive, "max" if all are negative, "saddle" if both signs occur, else "degenerate": then the
    Hessian does not say. An eigenvalue counts as zero if its size is at most tol times that of the largest one. Of an
    H that is not symmetric, as finite differences give it, only (H + Hᵀ) / 2 is felt in xᵀ H x.

    >>> [classify_stationary(np.diag(d)) for d in ([1.0, 10.0], [-1.0, -2.0], [1.0, 0.0, -1.0], [1.0, 0.0])]
    ['min', 'max', 'saddle', 'degenerate']
    """
    eigenvalues = np.linalg.eigvalsh(H + np.transpose(H))  # twice the part that is felt: the signs are its own
    zero = tol * np.abs(eigenvalues).max()
    up, down = np.sum(eigenvalues > zero), np.sum(eigenvalues < -zero)
    if up and down:
        return "saddle"
    if up == len(H):
        return "min"
    if down == len(H):
        return "max"
    return "degenerate"
