"""A library of three things, small enough to be read at a glance."""

from .means import moving_average as moving_average
from .parts import Counter as Counter
from .parts import square as square
