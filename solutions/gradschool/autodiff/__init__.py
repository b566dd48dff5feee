"""Automatic differentiation in reverse: run a function, remember each step, then walk the steps backwards.

    loss, grads = value_and_grad(lambda params: l2_loss(X @ params["W"] + params["b"], T))(params)

From simple to complex: `tape` (the list of steps and the walk), `traced` (arrays on a tape), `numpy_ufuncs` and
`numpy_functions` (NumPy's derivatives), `ops` (functions with a derivative of their own), `derivatives`, and on top
`chain`, which makes one step of many.
"""

from __future__ import annotations

from . import numpy_functions as numpy_functions  # they fill the tables
from . import numpy_ufuncs as numpy_ufuncs
from .chain import Link, chain
from .derivatives import grad, hessian_vector_product, stop_gradient, value_and_grad, vjp
from .ops import OPS, Op, op
from .traced import Traced

__all__ = [
    "OPS",
    "Link",
    "Op",
    "Traced",
    "chain",
    "grad",
    "hessian_vector_product",
    "op",
    "stop_gradient",
    "value_and_grad",
    "vjp",
]
