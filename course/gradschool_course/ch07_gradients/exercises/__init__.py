"""The exercises of chapter 7 in the order of its text."""

from . import constants, fans, named, norms, orthogonal, prelu, scaling, signals

EXERCISES = [
    signals.EXERCISE, fans.EXERCISE, scaling.EXERCISE, named.GLOROT, named.HE, named.LECUN, orthogonal.EXERCISE,
    norms.EXERCISE, constants.EXERCISE, prelu.EXERCISE,
]  # fmt: skip
