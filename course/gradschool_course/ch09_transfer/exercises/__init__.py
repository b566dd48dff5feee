"""The exercises of chapter 9, in the order of its text; each module has one."""

from .autoencoder import AUTOENCODER
from .clone import CLONE
from .factors import FACTORS
from .forward import FORWARD
from .head import HEAD
from .params import PARAMS
from .split import SPLIT
from .step import STEP
from .trainable import TRAINABLE
from .tune import TUNE

EXERCISES = [SPLIT, CLONE, HEAD, TRAINABLE, PARAMS, STEP, FORWARD, TUNE, FACTORS, AUTOENCODER]
