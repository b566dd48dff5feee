"""The exercises of chapter 5, in the order of its text."""

from . import batches, clip, curvature, descent, epoch, evaluation, loss, run

EXERCISES = [
    descent.EXERCISE,
    curvature.CRITICAL_LR,
    curvature.CLASSIFY,
    loss.EXERCISE,
    batches.EXERCISE,
    epoch.EXERCISE,
    evaluation.EXERCISE,
    run.EXERCISE,
    *clip.EXERCISES,
]
