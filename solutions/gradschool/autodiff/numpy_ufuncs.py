"""Derivatives of NumPy's ufuncs, the functions that work entry by entry, and of the matrix product.

    UFUNCS[np.exp] = (lambda g, y, x: g * y,)           # dL/dx, from g = dL/dy, y = exp(x) and x

Where a function has a kink the rule is: the derivative of abs at 0 is 0; equal arguments of maximum share its gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .traced import UFUNCS, constant


def _power_base(g: Any, y: Any, x: Any, p: Any) -> Any:
    if isinstance(p, int | float):
        return g * p * x ** (p - 1) if p != 0 else g * 0.0
    return g * p * x ** np.where(constant(p) == 0, np.ones_like(p), p - 1)  # 0 * 0**-1 would be nan


def _power_exponent(g: Any, y: Any, x: Any, p: Any) -> Any:
    return g * y * np.log(np.where(constant(x) > 0, x, np.ones_like(x)))  # 0**p is flat in p


def _winner(first: bool) -> Callable[..., Any]:
    """g goes to the argument that was chosen, half of it to each where they are equal."""

    def rule(g: Any, y: Any, a: Any, b: Any) -> Any:
        mine = constant(a if first else b)
        return np.where(constant(a) == constant(b), 0.5 * g, np.where(mine == constant(y), g, 0))

    return rule


def _matmul_left(g: Any, y: Any, a: Any, b: Any) -> Any:
    if b.ndim == 1:
        return np.expand_dims(g, -1) * b
    g = np.expand_dims(g, -2) if a.ndim == 1 else g
    d = np.matmul(g, np.swapaxes(b, -1, -2))
    return d[..., 0, :] if a.ndim == 1 else d


def _matmul_right(g: Any, y: Any, a: Any, b: Any) -> Any:
    if a.ndim == 1:
        return np.expand_dims(a, -1) * np.expand_dims(g, -2) if b.ndim > 1 else g * a
    if b.ndim > 2:
        return np.matmul(np.swapaxes(a, -1, -2), g)
    # one product for all of the batch, where a product for each and a sum would be far slower
    rows = np.reshape(a, (-1, a.shape[-1]))
    return np.matmul(rows.T, np.reshape(g, (-1, *b.shape[1:])))


UFUNCS.update(
    {
        np.add: (lambda g, y, a, b: g, lambda g, y, a, b: g),
        np.subtract: (lambda g, y, a, b: g, lambda g, y, a, b: -g),
        np.multiply: (lambda g, y, a, b: g * b, lambda g, y, a, b: g * a),
        np.divide: (lambda g, y, a, b: g / b, lambda g, y, a, b: -g * a / (b * b)),
        np.power: (_power_base, _power_exponent),
        np.matmul: (_matmul_left, _matmul_right),
        np.maximum: (_winner(True), _winner(False)),
        np.minimum: (_winner(True), _winner(False)),
        np.logaddexp: (lambda g, y, a, b: g * np.exp(a - y), lambda g, y, a, b: g * np.exp(b - y)),
        np.hypot: (lambda g, y, a, b: g * a / y, lambda g, y, a, b: g * b / y),
        np.negative: (lambda g, y, x: -g,),
        np.positive: (lambda g, y, x: g,),
        np.absolute: (lambda g, y, x: g * np.sign(x),),
        np.fabs: (lambda g, y, x: g * np.sign(x),),
        np.square: (lambda g, y, x: 2 * g * x,),
        np.sqrt: (lambda g, y, x: 0.5 * g / y,),
        np.cbrt: (lambda g, y, x: g / (3 * y * y),),
        np.reciprocal: (lambda g, y, x: -g * y * y,),
        np.exp: (lambda g, y, x: g * y,),
        np.exp2: (lambda g, y, x: g * y * float(np.log(2)),),
        np.expm1: (lambda g, y, x: g * (y + 1),),
        np.log: (lambda g, y, x: g / x,),
        np.log2: (lambda g, y, x: g / (x * float(np.log(2))),),
        np.log10: (lambda g, y, x: g / (x * float(np.log(10))),),
        np.log1p: (lambda g, y, x: g / (1 + x),),
        np.sin: (lambda g, y, x: g * np.cos(x),),
        np.cos: (lambda g, y, x: -g * np.sin(x),),
        np.tan: (lambda g, y, x: g * (1 + y * y),),
        np.arctan: (lambda g, y, x: g / (1 + x * x),),
        np.sinh: (lambda g, y, x: g * np.cosh(x),),
        np.cosh: (lambda g, y, x: g * np.sinh(x),),
        np.tanh: (lambda g, y, x: g * (1 - y * y),),
    }
)

for _ufunc in (
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal, np.isnan, np.isfinite, np.isinf,
    np.logical_and, np.logical_or, np.logical_not, np.sign, np.signbit, np.floor, np.ceil, np.rint, np.trunc,
    np.floor_divide, np.heaviside,
):  # fmt: skip
    UFUNCS[_ufunc] = None
