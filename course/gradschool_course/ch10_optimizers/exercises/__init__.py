"""The exercises of chapter 10, in the order of the chapter; each file holds one family with its known mistakes."""

from .adagrad import ADAGRAD
from .adam import ADAM
from .adamax import ADAMAX
from .adamw import ADAMW
from .descent import MOMENTUM, SGD
from .every import UPDATE_EACH
from .factors import WITH_LR_FACTORS
from .lookahead import NAG_STEP, NESTEROV
from .nadam import NADAM
from .rmsprop import RMSPROP

EXERCISES = [
    SGD, MOMENTUM, NAG_STEP, NESTEROV, ADAGRAD, RMSPROP, ADAM, ADAMAX, ADAMW, NADAM, UPDATE_EACH, WITH_LR_FACTORS,
]  # fmt: skip
