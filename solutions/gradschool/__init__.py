"""gradschool: deep learning from scratch in NumPy, as small and exact as it can be read.

    import gradschool as gs

    loss, grads = gs.value_and_grad(lambda params: gs.l2_loss(X @ params["W"], T))(params)
    with gs.using(l2_loss=my_l2_loss):      # the same with a part of your own
        ...

Importing it loads NumPy and nothing else.
"""

from .losses import (
    bce_with_logits,
    cross_entropy,
    half_mse,
    huber,
    l1_loss,
    l2_loss,
    softmax_cross_entropy,
    sparse_cross_entropy,
)
from .metrics import RunningMean, accuracy, mae_metric
from .swap import using

__version__ = "0.1.0"

__all__ = [
    "RunningMean",
    "accuracy",
    "bce_with_logits",
    "cross_entropy",
    "half_mse",
    "huber",
    "l1_loss",
    "l2_loss",
    "mae_metric",
    "softmax_cross_entropy",
    "sparse_cross_entropy",
    "using",
]

# --- optimizers, layers, models and training export themselves below

from .flat import FlatTree, contiguous, in_place
from .optimizers import (
    Optimizer,
    adagrad,
    adam,
    adamax,
    adamw,
    init_state,
    momentum,
    nadam,
    nag_step,
    nesterov,
    optimizer,
    rmsprop,
    sgd,
    update_each,
    with_lr_factors,
)

__all__ += [
    "FlatTree", "Optimizer", "adagrad", "adam", "adamax", "adamw", "contiguous", "in_place", "init_state", "momentum",
    "nadam", "nag_step", "nesterov", "optimizer", "rmsprop", "sgd", "update_each", "with_lr_factors",
]  # fmt: skip
