"""The exercises of chapter 4 in the order of its text."""

from . import (
    activations,
    dense,
    hvp,
    mlp_backward,
    mlp_forward,
    order,
    softmax,
    tensor,
    unbroadcast,
    value_and_grad,
    vjp,
)

EXERCISES = [
    *activations.EXERCISES,
    dense.EXERCISE,
    softmax.SOFTMAX,
    softmax.PAIR,
    mlp_forward.FORWARD,
    mlp_backward.BACKWARD,
    unbroadcast.UNBROADCAST,
    order.TOPOLOGICAL,
    tensor.EXERCISE,
    value_and_grad.VALUE_AND_GRAD,
    vjp.VJP,
    hvp.HVP,
]
