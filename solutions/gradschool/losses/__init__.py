"""Losses: one number that says how wrong a batch of predictions is, and that can be differentiated.

    loss = softmax_cross_entropy(z, one_hot(y, K))      # z (N, K) scores, y (N,) class numbers
    loss = huber(Y, T, delta=0.5, mask=mask)            # Y, T (N, T, C), mask (N, T): padded steps do not count

All share one frame, MATLAB's:

    loss = 1/Z * sum_j M_j W_j l(Y_j, T_j)

- `normalization` says what Z is: "batch-size" (default) the number N of observations and nothing else, neither
  N C nor N T; "all-elements" the number of entries; "mask-included" the number of ones in the mask; "none" 1.
  PyTorch and Keras average over all elements instead. Where Z is 0 (an empty batch or mask) the loss is 0.
- `reduction` "none" returns the array of M_j W_j l(Y_j, T_j), which no Z divides; "sum" (default) the number.
- `mask` M holds zeros and ones; it has the shape of Y or of its leading axes, (N,) or (N, T).
- `weights` W is anything that broadcasts against Y: (C,) for classes or responses, (N, 1) for observations.

Integer predictions and targets are promoted to float; a float32 prediction gives a float32 loss. Every loss is
differentiable in its first argument alone. A backward returns that gradient: `g` is the derivative of whatever
comes after the loss (a number, or an array when `reduction` is "none") and `cache["scale"]` is M W / Z.
"""

from __future__ import annotations

from .adversarial import gan_discriminator_loss, gan_generator_loss
from .pairs import contrastive_loss
from .probabilities import (
    cross_entropy,
    cross_entropy_backward,
    cross_entropy_forward,
    sparse_cross_entropy,
    sparse_cross_entropy_backward,
    sparse_cross_entropy_forward,
)
from .regression import (
    half_mse,
    half_mse_backward,
    half_mse_forward,
    huber,
    huber_backward,
    huber_forward,
    l1_loss,
    l1_loss_backward,
    l1_loss_forward,
    l2_loss,
    l2_loss_backward,
    l2_loss_forward,
)
from .scores import (
    bce_with_logits,
    bce_with_logits_backward,
    bce_with_logits_forward,
    softmax_cross_entropy,
    softmax_cross_entropy_backward,
    softmax_cross_entropy_forward,
)

__all__ = [
    "bce_with_logits",
    "bce_with_logits_backward",
    "bce_with_logits_forward",
    "contrastive_loss",
    "cross_entropy",
    "cross_entropy_backward",
    "cross_entropy_forward",
    "gan_discriminator_loss",
    "gan_generator_loss",
    "half_mse",
    "half_mse_backward",
    "half_mse_forward",
    "huber",
    "huber_backward",
    "huber_forward",
    "l1_loss",
    "l1_loss_backward",
    "l1_loss_forward",
    "l2_loss",
    "l2_loss_backward",
    "l2_loss_forward",
    "softmax_cross_entropy",
    "softmax_cross_entropy_backward",
    "softmax_cross_entropy_forward",
    "sparse_cross_entropy",
    "sparse_cross_entropy_backward",
    "sparse_cross_entropy_forward",
]
