"""An optimizer is a rule that turns a parameter, its gradient and what it remembers into the next parameter. Each
one here is an elementwise rule, and a pure step that applies it to every array of a tree of parameters.

    params = {"w": np.array([1.0, -1.0])}
    state = init_state("adam", params)
    params, state = adam(params, {"w": np.array([1.0, -10.0])}, state, lr=0.1)
    params["w"]                               # [ 0.9 -0.9]
    rms = optimizer("rmsprop", rho=0.95)      # as a pair: rms.init(params), rms.update(params, grads, state, lr)

Steps never change what they are given. A gradient of None marks what is not learned (running statistics, say): it
comes back as it was. `lr` is a Python float: a NumPy float64 would turn float32 parameters into float64. Every step
raises ValueError for a state without its keys and for gradients that do not fit the parameters, TypeError for
parameters of whole numbers, each with the place in the tree.

From simple to complex: `descent`, `rates`, `adams` hold the steps; `each` walks the tree for them, `registry` makes
them public, and `chosen` picks one by name.
"""

from __future__ import annotations

from .adams import adam, adamax, adamw, nadam
from .chosen import Optimizer, optimizer, with_options
from .descent import momentum, nag_step, nesterov, sgd
from .each import update_each, with_lr_factors
from .rates import adagrad, rmsprop
from .registry import STEPS, init_state

__all__ = [
    "STEPS", "Optimizer", "adagrad", "adam", "adamax", "adamw", "init_state", "momentum", "nadam", "nag_step",
    "nesterov", "optimizer", "rmsprop", "sgd", "update_each", "with_lr_factors", "with_options",
]  # fmt: skip
