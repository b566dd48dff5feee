"""The exercises of chapter 12, in the order of its text; each module has one."""

from .cosine import COSINE
from .cyclical import CYCLICAL
from .exponential import EXPONENTIAL
from .one_cycle import ONE_CYCLE
from .one_cycle_momentum import ONE_CYCLE_MOMENTUM
from .per_epoch import PER_EPOCH
from .piecewise import PIECEWISE
from .plateau import REDUCE_ON_PLATEAU
from .polynomial import POLYNOMIAL
from .power import POWER
from .time_decay import TIME_DECAY
from .warmup import WARMUP
from .wiring import SCHEDULED_RUN

EXERCISES = [
    POWER, TIME_DECAY, EXPONENTIAL, PER_EPOCH, PIECEWISE, POLYNOMIAL, COSINE, CYCLICAL, WARMUP, ONE_CYCLE,
    ONE_CYCLE_MOMENTUM, REDUCE_ON_PLATEAU, SCHEDULED_RUN,
]  # fmt: skip
