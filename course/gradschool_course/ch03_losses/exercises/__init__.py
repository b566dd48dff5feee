"""The exercises of chapter 3 in the order of its text."""

from . import entropy_backward, metrics, probabilities, regression, regression_backward, scores

EXERCISES = [
    *regression.EXERCISES,
    *regression_backward.EXERCISES,
    *probabilities.EXERCISES,
    *scores.EXERCISES,
    *entropy_backward.EXERCISES,
    *metrics.EXERCISES,
]
