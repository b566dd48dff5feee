"""Who asks a schedule, and when: the few lines of a training loop that concern the rate.

params, rates = scheduled_run(step, params, epochs, lr)             # a new rate for every batch
params, rates = scheduled_run(step, params, epochs, lr, per="epoch")
"""

from __future__ import annotations

__all__ = ["scheduled_run"]


def scheduled_run(step, params, epochs, lr, per="batch"):
    """Take a step for every batch, each at the rate that the schedule has for it; the rates that were used come out.

    step     `step(params, batch, rate)` returns the new parameters
    epochs   a list of epochs, each a list of batches
    lr       a schedule: a function of the number of batches done, or of the number of epochs done, counted from 0
    per      which of the two: "batch" or "epoch"

    Returns the parameters after the last step, and a list with one rate for each step.

    >>> lr = lambda n: 1.0 / (1 + n)
    >>> scheduled_run(lambda p, batch, rate: p - rate * batch, 10.0, [[1.0, 2.0], [3.0]], lr)
    (7.0, [1.0, 0.5, 0.3333333333333333])
    >>> scheduled_run(lambda p, batch, rate: p - rate * batch, 10.0, [[1.0, 2.0], [3.0]], lr, per="epoch")
    (5.5, [1.0, 1.0, 0.5])
    """
    rates = []
    for epoch, batches in enumerate(epochs):
        for batch in batches:
            rate = lr(epoch if per == "epoch" else len(rates))
            params = step(params, batch, rate)
            rates.append(rate)
    return params, rates
