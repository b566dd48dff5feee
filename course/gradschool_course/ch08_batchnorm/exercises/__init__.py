"""The exercises of chapter 8, in the order of its text; each module has one."""

from .backward import BACKWARD
from .batchnorm import BATCHNORM
from .fold import FOLD
from .group import GROUP
from .instance import INSTANCE
from .layer import LAYER
from .recalibrate import RECALIBRATE
from .response import RESPONSE_NORM

EXERCISES = [BATCHNORM, BACKWARD, FOLD, RECALIBRATE, LAYER, INSTANCE, GROUP, RESPONSE_NORM]
