"""The exercises of chapter 13, in the order of its text."""

from .alpha import ALPHA_DROPOUT
from .bound import MAX_NORM
from .decay import DECAYED_STEP
from .dropped import DROPOUT_FORWARD
from .dropped_back import DROPOUT_BACKWARD
from .many import MC_PREDICT
from .moved import AUGMENT
from .penalty import L1_L2_PENALTY
from .stopped import EARLY_STOP

EXERCISES = [
    L1_L2_PENALTY, DECAYED_STEP, MAX_NORM, DROPOUT_FORWARD, DROPOUT_BACKWARD, ALPHA_DROPOUT, MC_PREDICT, EARLY_STOP,
    AUGMENT,
]  # fmt: skip
