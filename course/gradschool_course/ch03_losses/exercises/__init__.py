"""The exercises of chapter 3 in the order of its text; each module has one, those on regression four."""

from . import regression, regression_backward
from .accuracy import accuracy
from .bce_backward import bce_gradient
from .bce_with_logits import bce_with_logits
from .cross_entropy import cross_entropy
from .cross_entropy_backward import cross_entropy_gradient
from .mae_metric import mae_metric
from .running_mean import running_mean
from .softmax_backward import softmax_gradient
from .softmax_cross_entropy import softmax_cross_entropy
from .sparse_backward import sparse_gradient
from .sparse_cross_entropy import sparse_cross_entropy

EXERCISES = [
    *regression.EXERCISES,
    *regression_backward.EXERCISES,
    cross_entropy,
    sparse_cross_entropy,
    bce_with_logits,
    softmax_cross_entropy,
    cross_entropy_gradient,
    sparse_gradient,
    bce_gradient,
    softmax_gradient,
    accuracy,
    mae_metric,
    running_mean,
]
